"""Ours against libraries that compute the same, where they are installed.

None is a dependency. `neural-tangents` (Google, Apache 2.0) stopped at an older jax; what it runs
with today, in an environment of its own:

    pip install jax==0.4.30 jaxlib==0.4.30 tf2jax==0.3.6 tensorflow-cpu neural-tangents

Its kernels of infinite width are compiled before they are timed, and both libraries have the same
batch and float64. Beside the ratio stands that they agree.

`relucent` (AGPL, for comparison only) enumerates the linear regions of a ReLU network; so do we, by
exact signs, on a square that holds every crossing. The counts have to be the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from bench.pair import Pair, Work
from bench.report.document import Absent, Against
from simulators import simulate, vanilla_chain
from simulators.splines import linear_regions
from simulators.splines.slices import coordinate_slice
from simulators.splines.torch_networks import read_network

__all__ = [
    "ABSENT",
    "PAIRS",
    "agreement",
    "network",
    "regions_by_exact_signs",
    "regions_by_peer",
    "relucent_or_why",
]

SEED, SAMPLES, DEPTH, WIDTH, NETWORKS = 5, 16, 10, 1024, 4
FEW = 4  # samples of an empirical kernel

#: Widths of the network whose regions are counted, and half the side of the square they lie in.
REGIONS, HALF_SIDE = (2, 12, 12, 1), 1e7


def batch(samples: int) -> np.ndarray:
    """Samples as columns, (d, n), of length √d each."""
    found = np.random.default_rng(SEED).standard_normal((64, samples))
    return np.asarray(found * (8 / np.linalg.norm(found, axis=0)))


def limit_by_mean_field() -> np.ndarray:
    """HᵀH after `DEPTH` layers of a ReLU network in the limit of width."""
    found = simulate(
        vanilla_chain(64, "relu"),
        batch(SAMPLES),
        depth=DEPTH,
        every=DEPTH,
        engine="mean_field",
        observables=["gram"],
    )
    return np.asarray(found["gram"][0, -1])


def _neural_tangents() -> tuple[Any, Any] | str:
    """jax and neural-tangents; where they do not import, why."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            jax = import_module("jax")
            jax.config.update("jax_enable_x64", True)
            return jax, import_module("neural_tangents")
    except (ImportError, AttributeError) as error:  # what another jax lacks is either
        return f"does not import here: {error}".splitlines()[0]


def _limit_by_peer(jax: Any, nt: Any) -> Callable[[], np.ndarray]:
    layers: list[Any] = []
    for _ in range(DEPTH):
        layers += [nt.stax.Dense(WIDTH), nt.stax.Relu()]
    _, _, kernel = nt.stax.serial(*layers)
    compiled = jax.jit(lambda samples: kernel(samples, None, "nngp"))
    samples = jax.numpy.asarray(batch(SAMPLES).T)
    return lambda: np.asarray(compiled(samples))


def _kernels_by_rows() -> np.ndarray:
    """Empirical tangent kernels of ReLU networks, (networks, n, n)."""
    return simulate(
        vanilla_chain(WIDTH, "relu"),
        batch(FEW),
        depth=3,
        every=3,
        replicas=NETWORKS,
        seed=SEED,
        engine="rows",
        observables=["tangent_kernel"],
        backward="readout",
    )["tangent_kernel"][:, 0]


def _kernels_by_peer(jax: Any, nt: Any) -> Callable[[], np.ndarray]:
    layers: list[Any] = []
    for _ in range(3):
        layers += [nt.stax.Dense(WIDTH), nt.stax.Relu()]
    start, function, _ = nt.stax.serial(*layers, nt.stax.Dense(1))
    kernel = nt.empirical_ntk_fn(function)  # the implementations it recommends fail with this jax
    samples = jax.numpy.asarray(batch(FEW).T)

    def network(key: Any) -> Any:
        _, weights = start(key, samples.shape)
        return kernel(samples, None, weights)

    compiled = jax.jit(network)
    keys = jax.random.split(jax.random.PRNGKey(SEED), NETWORKS)
    return lambda: np.array([compiled(key) for key in keys])


def agreement() -> float:
    """The largest relative difference between both limits; needs neural-tangents."""
    ours, theirs = limit_by_mean_field(), _limit_by_peer(*_neural_tangents())()
    return float(np.max(np.abs(ours / ours[0, 0] - theirs / theirs[0, 0])))


def _pairs(jax: Any, nt: Any) -> tuple[Pair, ...]:
    return (
        Pair(
            "kernel in the limit of width against neural-tangents",
            Against.PEER,
            "mean_field",
            "a kernel",
            Work(f"ReLU, n = {SAMPLES}, {DEPTH} layers", limit_by_mean_field),
            (Work("neural-tangents, compiled", _limit_by_peer(jax, nt), threads=True),),
            short=True,
        ),
        Pair(
            f"tangent kernels at width {WIDTH} against neural-tangents",
            Against.PEER,
            "tangent kernel",
            "a network",
            Work(f"ReLU, n = {FEW}, 3 layers, networks drawn anew", _kernels_by_rows, NETWORKS),
            (
                Work(
                    "neural-tangents, compiled, in its own parametrisation",
                    _kernels_by_peer(jax, nt),
                    NETWORKS,
                    threads=True,
                ),
            ),
        ),
    )


def relucent_or_why() -> Any | str:
    """relucent; where it does not import, why."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module("relucent")
    except ImportError as error:
        return f"AGPL: for comparison only; does not import here: {error}".splitlines()[0]


def network(widths: Sequence[int] = REGIONS, seed: int = SEED) -> nn.Sequential:
    """A ReLU network whose regions are counted, in float64, with Torch's own initial weights."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1]).double()


def regions_by_exact_signs(module: nn.Sequential) -> int:
    """How many linear regions a network has in the square."""
    square = HALF_SIDE * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    read = read_network(module, np.eye(2))
    return linear_regions(read, coordinate_slice(2), square).regions


def regions_by_peer(relucent: Any, module: nn.Sequential) -> int:
    """How many it finds, breadth first, in one process."""
    found = relucent.Complex(module)
    found.bfs(nworkers=1)
    return len(found)


def _pairs_of_regions(relucent: Any) -> tuple[Pair, ...]:
    widths = "-".join(map(str, REGIONS))
    return (
        Pair(
            f"linear regions of a network {widths} against relucent",
            Against.PEER,
            "splines",
            "a network",
            Work("exact signs", lambda: regions_by_exact_signs(network())),
            (Work("relucent, breadth first", lambda: regions_by_peer(relucent, network())),),
        ),
    )


_FOUND, _RELUCENT = _neural_tangents(), relucent_or_why()
PAIRS = (
    *(() if isinstance(_FOUND, str) else _pairs(*_FOUND)),
    *(() if isinstance(_RELUCENT, str) else _pairs_of_regions(_RELUCENT)),
)
ABSENT = tuple(
    Absent(name, found)
    for name, found in (("neural-tangents", _FOUND), ("relucent", _RELUCENT))
    if isinstance(found, str)
)
