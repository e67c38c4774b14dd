"""Recurrent modules: each step of time is a place of a chain, and gradients go back along it.

A layer of `torch.nn.RNN`, ``LSTM`` or ``GRU`` computes all steps within one call. It is replaced,
while gradients are looked at, by the same computation step by step, one layer and direction after
the other, whose hidden states h₁, …, h_T are places. The calls of a cell are its steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from theorems.inspection.condition import Floats, Measures, measure
from theorems.inspection.dataflow import tensors_in
from theorems.inspection.growth import FLAT, Course, Growth, growth_of

__all__ = ["Recurrence", "Steps", "alike", "recurrence", "unrolled"]

_ROUNDED = 0.1  # relative distance of what chaotic states make of rounding, at most
#: Each with a state, weights of what enters, weights of the state, and their biases.
_CELLS: Mapping[str, Callable[..., Tensor]] = {
    "GRU": torch.gru_cell,
    "RNN_TANH": torch.rnn_tanh_cell,
    "RNN_RELU": torch.rnn_relu_cell,
}


@dataclass(eq=False)
class Steps:
    """What was seen of one recurrent chain: its hidden states, (n, d) each, in the order in which
    they are computed, and ‖∂L/∂h‖_F by step, one entry a draw where a gradient came.
    """

    name: str
    module: str
    kind: str
    states: list[Tensor] = field(default_factory=list)
    norms: list[list[float]] = field(default_factory=list)

    def add(self, state: Tensor, length: Callable[[Tensor], float]) -> None:
        """Note the state of the next step, and have its gradients' ``length`` noted."""
        norms: list[float] = []
        self.states.append(state.detach())
        self.norms.append(norms)
        if state.requires_grad:
            state.register_hook(  # type: ignore[no-untyped-call]
                lambda gradient: norms.append(length(gradient))
            )


@dataclass(frozen=True)
class Recurrence:
    """A recurrent chain, step by step in the order in which it computes them.

    ``norms`` is ‖∂L/∂h_t‖_F, 0 where no gradient came; ``measures`` is of each hidden state over
    the samples, empty where its rows are not these; ``saturated`` the share of the entries of each
    state where tanh is nearly flat, NaN of others. ``growth`` is how gradients grow on their way
    back, from the last step that any comes to. ``module`` is the name of the module whose layer it
    is.
    """

    name: str
    module: str
    kind: str
    norms: tuple[float, ...]
    measures: tuple[Measures, ...]
    saturated: tuple[float, ...]
    growth: Growth

    @property
    def course(self) -> Course:
        return self.growth.course

    @property
    def sentence(self) -> str:
        """In words, how gradients grow from step to step."""
        return f"{self.growth.sentence('step')}, in {self.name!r} ({self.kind})"

    def as_json(self) -> dict[str, object]:
        """The fields."""
        return {
            **self.__dict__,
            "measures": [asdict(item) for item in self.measures],
            "growth": self.growth.as_json(),
        }


def recurrence(steps: Steps, others: Sequence[Steps], draws: int, samples: int) -> Recurrence:
    """What is to be said of a chain.

    - ``steps``: of the network itself, at least one; ``others``: of those with other weights
    - ``draws``: of output gradients
    - ``samples``: how many there are

    Cost: O(d n²) for each step.
    """
    logs = _logs(steps, draws)
    states = [state for state in steps.states if state.ndim == 2 and len(state) == samples]
    width = steps.states[0].shape[-1]
    return Recurrence(
        steps.name,
        steps.module,
        steps.kind,
        tuple(math.hypot(*norms) / math.sqrt(draws) if norms else 0.0 for norms in steps.norms),
        tuple(measure(np.ascontiguousarray(state.double().cpu().numpy().T)) for state in states),
        tuple(_flat(state) if steps.kind == "RNN_TANH" else math.nan for state in steps.states),
        growth_of(logs, [_logs(other, draws).mean(axis=1) for other in others], width),
    )


def _logs(steps: Steps, draws: int) -> Floats:
    """log‖∂L/∂h‖, (steps, draws), −∞ where none came, up to the last step where some did."""
    rows = [norms if len(norms) == draws else [0.0] * draws for norms in steps.norms]
    while rows and not any(rows[-1]):
        rows.pop()
    with np.errstate(divide="ignore"):
        found: Floats = np.log(np.array(rows, dtype=np.float64).reshape(len(rows), draws))
    return found


def _flat(state: Tensor) -> float:
    return float((1 - state.double().square() < FLAT).double().mean())


# --- step by step ---------------------------------------------------------------------------------


def unrolled(
    part: nn.RNNBase, args: Sequence[object], kwargs: Mapping[str, object], name: str
) -> tuple[tuple[Tensor, object], list[tuple[str, list[Tensor]]]] | None:
    """What a recurrent module gives, computed step by step, and the hidden states of each layer and
    direction, (n, d) each, in the order in which they are computed.

    None where that is not done: of packed sequences, and where states are projected.

    Args:
        part: without dropout between its layers, as in evaluation.
        args, kwargs: what it is called with.
        name: its own, with which the names of the chains begin.

    Example:
        >>> part = nn.GRU(3, 4, bidirectional=True, batch_first=True)
        >>> x = torch.ones(2, 5, 3)
        >>> (out, _), chains = unrolled(part, (x,), {}, "gru")
        >>> torch.allclose(out, part(x)[0], atol=1e-6), [name for name, _ in chains]
        (True, ['gru', 'gru, backwards'])
    """
    given = args[0] if args else kwargs.get("input")
    start = args[1] if len(args) > 1 else kwargs.get("hx")
    if not isinstance(given, Tensor) or given.ndim != 3 or part.proj_size:
        return None
    x = given.transpose(0, 1) if part.batch_first else given
    ways = 2 if part.bidirectional else 1
    zeros = x.new_zeros(part.num_layers * ways, x.shape[1], part.hidden_size)
    hidden, memory = [*(tensors_in(start) or [zeros]), zeros][:2]
    chains: list[tuple[str, list[Tensor]]] = []
    memories: list[Tensor] = []
    for layer in range(part.num_layers):
        outputs = []
        for way in range(ways):
            place = layer * ways + way
            order = range(len(x))[::-1] if way else range(len(x))
            states, last = _stepped(
                part, part.all_weights[place], [x[k] for k in order], hidden[place], memory[place]
            )
            words = [f"layer {layer + 1}"] if part.num_layers > 1 else []
            chains.append((", ".join([name, *words, *(["backwards"] if way else [])]), states))
            memories.append(last)
            outputs.append(torch.stack(states[::-1] if way else states))
        x = torch.cat(outputs, dim=-1)
    final = torch.stack([states[-1] for _, states in chains])
    out = x.transpose(0, 1) if part.batch_first else x
    return (out, (final, torch.stack(memories)) if part.mode == "LSTM" else final), chains


def alike(out: Tensor, gave: Tensor) -> bool:
    """Whether what was computed step by step is what the module gave, up to the rounding of many
    steps.

    >>> alike(torch.ones(2), torch.ones(2) + 1e-5), alike(torch.ones(2), torch.zeros(2))
    (True, False)
    """
    if out.shape != gave.shape:
        return False
    apart = float((out.detach() - gave.detach()).double().norm())
    return apart <= _ROUNDED * float(gave.detach().double().norm())


def _stepped(
    part: nn.RNNBase,
    weights: Sequence[Tensor],
    entering: Sequence[Tensor],
    hidden: Tensor,
    memory: Tensor,
) -> tuple[list[Tensor], Tensor]:
    """The hidden states of one layer and direction, step by step, and the last memory."""
    states: list[Tensor] = []
    for step in entering:
        if part.mode == "LSTM":
            hidden, memory = torch.lstm_cell(step, (hidden, memory), *weights)
        else:
            hidden = _CELLS[part.mode](step, hidden, *weights)
        states.append(hidden)
    return states, memory
