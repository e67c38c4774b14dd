"""Which networks of a set train, by training them: ``python -m bench.trainable``.

    python -m bench.trainable bench/networks/healthy.py --seeds 3
    python -m bench.trainable sick.py --seeds 3 --optimiser sgd --only LSTM

The file defines ``HEALTHY`` or ``SICK``, a mapping of names to functions of a seed, each of which
returns a network, a batch and possibly more, which is not looked at. Prints for each kind how many
of its networks train, and then the share of all. Nothing of a detector is asked: what trains here
is a ground truth to hold a detector's word against.

Exit status: 0; 2 for bad usage.
"""

from __future__ import annotations

import argparse
import copy
import math
import runpy
import sys
from collections import Counter, deque
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

Kinds = Mapping[str, Callable[[int], tuple[nn.Module, Tensor, *tuple[object, ...]]]]
Loss = Callable[[Tensor], Tensor]

RATES = {"adam": (1e-3, 1e-2, 1e-4), "sgd": (1e-2, 1e-1, 1e-3)}
STEPS = 300
AVERAGED = 10  # steps whose mean loss counts, so that no lucky draw of a dropout does
LOGITS = 16  # outputs a sample up to which they are the logits themselves
CLASSES = 4  # of the readout of larger outputs


def trains(module: nn.Module, batch: Tensor, seed: int, *, optimiser: str = "adam") -> bool:
    """Whether a plain recipe memorises random labels of the batch.

    Problem: does the network, as it was initialised, learn anything at all?

    Method: every sample gets a random label, the classes as even as they go. A network with one
    output a sample is fitted to ±1 by least squares; with 2 to 16, the outputs are the logits of
    a cross-entropy; with more, a fixed random linear map takes all of them to four logits. All of
    the batch is one step's batch; Adam, or SGD with momentum 0.9, runs at most 300 steps at each
    of three learning rates, without decay, warm-up or clipping. A loss that is not finite ends
    that rate.

    Guarantee: true exactly if at one rate the loss, as a mean over ten consecutive steps in
    training mode, falls below half of that of the best constant prediction. It is a low bar: an
    optimiser that rescales, as Adam does, often passes it on networks that plain SGD does not
    train, few samples are easier to memorise than many, and a chaotic network, whose weights are
    far too large, memorises too. Flat ones do not: 30 plain layers of ReLU by Torch's default, or
    10 of sigmoids.

    Args:
        module: any network; it is copied, and stays as it was.
        batch: the samples along the first axis, as `module` takes them.
        seed: of the labels, the readout, and what the network draws in training.
        optimiser: ``"adam"`` or ``"sgd"``.

    Returns:
        Whether it trains. A network none of whose parameters asks for a gradient does not.

    Raises:
        ValueError: for another optimiser, or an output without a row for each sample.

    Cost: 900 steps of training at most, and mostly some tens.

    Example: ``trains(nn.Linear(64, 10), torch.randn(32, 64), 0)`` is true.
    """
    if optimiser not in RATES:
        raise ValueError(f"optimiser is {optimiser!r}, and must be one of {', '.join(RATES)}")
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        loss, constant = _task(len(batch), _outputs(copy.deepcopy(module), batch).shape[1])
        return any(
            _falls(copy.deepcopy(module).train(), batch, loss, constant / 2, optimiser, rate)
            for rate in RATES[optimiser]
        )


def _outputs(module: nn.Module, batch: Tensor) -> Tensor:
    """What the network gives for each sample, as a row; several tensors side by side."""
    given = module(batch)
    parts = given if isinstance(given, tuple | list) else (given,)
    if any(len(part) != len(batch) for part in parts):
        shapes = ", ".join(str(tuple(part.shape)) for part in parts)
        raise ValueError(f"output is {shapes}, and must have {len(batch)} rows, one for a sample")
    return torch.cat([part.reshape(len(batch), -1) for part in parts], dim=1)


def _task(samples: int, outputs: int) -> tuple[Loss, float]:
    """The loss of outputs (samples × outputs), and its least value at a constant prediction."""
    classes = 2 if outputs == 1 else outputs if outputs <= LOGITS else CLASSES
    labels = torch.randperm(samples) % classes
    if outputs == 1:
        signs = 2.0 * labels[:, None] - 1.0
        return lambda output: nn.functional.mse_loss(output, signs), signs.var(correction=0).item()
    shares = torch.bincount(labels) / samples
    constant = torch.special.entr(shares).sum().item()
    if outputs <= LOGITS:
        return lambda output: nn.functional.cross_entropy(output, labels), constant
    readout = torch.randn(outputs, classes) / math.sqrt(outputs)
    return lambda output: nn.functional.cross_entropy(output @ readout, labels), constant


def _falls(
    module: nn.Module, batch: Tensor, loss: Loss, below: float, optimiser: str, rate: float
) -> bool:
    """Whether the loss averaged over consecutive steps falls below the bound at this rate."""
    asking = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if not asking:
        return False
    step: torch.optim.Optimizer = (
        torch.optim.Adam(asking, lr=rate)
        if optimiser == "adam"
        else torch.optim.SGD(asking, lr=rate, momentum=0.9)
    )
    last: deque[float] = deque(maxlen=AVERAGED)
    for _ in range(STEPS):
        step.zero_grad()
        value = loss(_outputs(module, batch))
        last.append(value.item())
        if not math.isfinite(last[-1]) or not value.requires_grad:
            return False
        if len(last) == AVERAGED and sum(last) / AVERAGED < below:
            return True
        value.backward()  # type: ignore[no-untyped-call]
        step.step()
    return False


def read_kinds(path: Path) -> Kinds:
    """The mapping ``HEALTHY`` or ``SICK`` of a file.

    Raises:
        ValueError: if there is no such file, or it defines neither.
    """
    if not path.is_file():
        raise ValueError(f"FILE is {path}, and must be a file of Python")
    names = runpy.run_path(str(path))
    for name in ("HEALTHY", "SICK"):
        if name in names:
            kinds: Kinds = names[name]
            return kinds
    raise ValueError(f"FILE is {path}, and must define HEALTHY or SICK")


def main(arguments: list[str] | None = None) -> int:
    """Train every kind of a file at every seed, and print how many train."""
    parser = argparse.ArgumentParser(prog="python -m bench.trainable", description=main.__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="defines HEALTHY or SICK")
    parser.add_argument("--seeds", type=int, default=3, help="networks of each kind (default 3)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--optimiser", choices=sorted(RATES), default="adam")
    parser.add_argument("--only", default="", help="kinds whose names contain this")
    given = parser.parse_args(arguments)
    if given.seeds < 1:
        parser.error(f"--seeds is {given.seeds}, and must be at least 1")
    try:
        kinds = read_kinds(given.file)
    except ValueError as error:
        parser.error(str(error))
    total: Counter[bool] = Counter()
    for name, build in kinds.items():
        if given.only not in name:
            continue
        came_out: list[bool] = []
        for seed in range(given.first, given.first + given.seeds):
            module, batch, *_ = build(seed)
            came_out.append(trains(module, batch, seed, optimiser=given.optimiser))
        total.update(came_out)
        print(f"{sum(came_out):3d} of {len(came_out)}  {name}", flush=True)
    print(f"{total[True]} of {total.total()} train ({given.optimiser})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
