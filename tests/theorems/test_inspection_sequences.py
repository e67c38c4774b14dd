"""Recurrent modules step by step, attention and its tokens, and what too little was judged of."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from theorems import inspect
from theorems.cli import main
from theorems.inspection.backward_pass import Course, Gradients
from theorems.inspection.growth import by_chance, course_of
from theorems.inspection.recurrences import Recurrence, unrolled
from theorems.inspection.report import Inspection

FEATURES, WIDTH = 6, 16


def sequences(steps: int, n: int = 12, features: int = FEATURES) -> Tensor:
    return torch.randn(n, steps, features, generator=torch.Generator().manual_seed(0))


class Last(nn.Module):
    """A map of the last step's output, or of the mean of all."""

    def __init__(self, layer: nn.RNNBase, mean: bool = False) -> None:
        super().__init__()
        self.layer, self.mean = layer, mean
        self.inner = nn.Linear(layer.hidden_size * (1 + layer.bidirectional), WIDTH)
        self.head = nn.Linear(WIDTH, 3)

    def forward(self, x: Tensor) -> Tensor:
        out = self.layer(x)[0]
        found: Tensor = self.head(torch.tanh(self.inner(out.mean(1) if self.mean else out[:, -1])))
        return found


class Looped(nn.Module):
    """A cell that is called at each step."""

    def __init__(self, cell: Any, gain: float | None = None) -> None:
        super().__init__()
        self.cell, self.head = cell, nn.Linear(WIDTH, 3)
        if gain is not None:
            nn.init.orthogonal_(cell.weight_hh, gain=gain)

    def forward(self, x: Tensor) -> Tensor:
        state = None
        for step in x.unbind(1):
            state = self.cell(step, state)
        out: Tensor = self.head(state[0] if isinstance(state, tuple) else state)
        return out


def inspected(build: Callable[[], nn.Module], batch: Tensor) -> Inspection:
    torch.manual_seed(1)
    return inspect(build(), batch)


def backward(found: Inspection) -> Gradients:
    assert isinstance(found.gradients, Gradients), found.gradients
    return found.gradients


def only(found: Inspection) -> Recurrence:
    (chain,) = backward(found).recurrences
    return chain


# --- steps of time --------------------------------------------------------------------------------


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(
    "build",
    [
        lambda **options: nn.LSTM(FEATURES, WIDTH, **options),
        lambda **options: nn.GRU(FEATURES, WIDTH, bias=False, **options),
        lambda **options: nn.RNN(FEATURES, WIDTH, nonlinearity="relu", **options),
    ],
)
def test_step_by_step_a_module_gives_the_same(
    build: Callable[..., nn.RNNBase], batch_first: bool, started: bool
) -> None:
    torch.manual_seed(0)
    part = build(num_layers=2, bidirectional=True, batch_first=batch_first)
    x = sequences(5) if batch_first else sequences(5).transpose(0, 1)
    start = torch.randn(4, 12, WIDTH)
    state: Any = (start, 2 * start) if part.mode == "LSTM" else start
    given = (x, state) if started else (x,)
    wanted, ends = part(*given)
    seen = unrolled(part, given, {}, "part")
    assert seen is not None
    (out, final), chains = seen
    torch.testing.assert_close(out, wanted)
    torch.testing.assert_close(final, ends)
    assert [name for name, _ in chains] == [
        "part, layer 1",
        "part, layer 1, backwards",
        "part, layer 2",
        "part, layer 2, backwards",
    ]
    assert {len(states) for _, states in chains} == {5}


def test_norms_are_those_of_the_states_that_a_loop_has() -> None:
    torch.manual_seed(0)
    module = Last(nn.GRU(FEATURES, WIDTH, batch_first=True))
    C = torch.randn(12, 3)
    x = sequences(7)
    state, states = torch.zeros(12, WIDTH), []
    for step in x.unbind(1):
        state = torch.gru_cell(step, state, *module.layer.all_weights[0])
        state.retain_grad()
        states.append(state)
    (C * module.head(torch.tanh(module.inner(state)))).sum().backward()
    wanted = [float(item.grad.norm()) for item in states if item.grad is not None]

    def loss(y: Any) -> Tensor:
        total: Tensor = (C * y).sum()
        return total

    found = only(inspect(module, x, loss=loss))
    assert list(found.norms) == pytest.approx(wanted, rel=1e-4)
    assert (found.name, found.module, found.kind) == ("layer", "layer", "GRU")
    assert len(found.measures) == 7
    assert found.growth.ends == pytest.approx(wanted[0] / wanted[-1], rel=1e-4)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_what_only_the_last_step_reads_vanishes_over_a_long_time(kind: Any) -> None:
    def build(mean: bool) -> Callable[[], nn.Module]:
        return lambda: Last(kind(FEATURES, WIDTH, batch_first=True), mean)

    found = inspected(build(False), sequences(80))
    assert only(found).course is Course.VANISHING
    assert "vanishing gradients: factor 0." in found.verdict
    assert "a step on the way back" in found.verdict
    assert not found.healthy
    assert (found.parameters.not_judged, len(found.not_judged)) == (51, 1), "the head alone"
    assert only(inspected(build(True), sequences(80))).course is Course.STEADY
    assert only(inspected(build(False), sequences(6))).course is Course.STEADY


def test_a_cell_in_a_loop_is_a_chain() -> None:
    def build(gain: float) -> Callable[[], nn.Module]:
        return lambda: Looped(nn.RNNCell(FEATURES, WIDTH, nonlinearity="relu"), gain)

    exploding = inspected(build(2.5), sequences(40))
    assert backward(exploding).course is Course.EXPLODING
    assert only(exploding).growth.places == 39
    vanishing = inspected(build(0.5), sequences(40))
    assert backward(vanishing).course is Course.VANISHING
    short = inspected(lambda: Looped(nn.LSTMCell(FEATURES, WIDTH)), sequences(5))
    assert only(short).course is Course.STEADY
    assert short.parameters.judged == short.parameters.total


def test_a_direction_of_which_one_step_is_read_has_no_growth() -> None:
    found = inspected(
        lambda: Last(nn.GRU(FEATURES, WIDTH, batch_first=True, bidirectional=True)), sequences(60)
    )
    there, back = backward(found).recurrences
    assert (there.course, back.name) == (Course.VANISHING, "layer, backwards")
    assert back.course is Course.STEADY
    assert math.isnan(back.growth.rate)
    assert sum(norm > 0 for norm in back.norms) == 1
    json.dumps(found.as_json()["gradients"])


class Read(nn.Module):
    """A recurrent module of usual initialisation, of which the last state or the mean is read."""

    def __init__(self, kind: str, mean: bool) -> None:
        super().__init__()
        self.steps = getattr(nn, kind)(8, 64, batch_first=True)
        self.readout = nn.Linear(64, 10)
        self.mean = mean

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.steps(x)
        return self.readout(states.mean(1) if self.mean else states[:, -1])


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_mean_from_the_biases_of_steps_is_no_collapse(kind: str, mean: bool) -> None:
    torch.manual_seed(0)
    network, batch = Read(kind, mean), torch.randn(16, 5, 8)
    found = inspect(network, batch)
    assert found.state == "healthy", found.verdict
    with torch.no_grad():
        network.steps.weight_ih_l0 /= 1e4  # what differs is next to nothing
    assert inspect(network, batch).state == "collapsing"


def test_packed_sequences_are_not_judged() -> None:
    class Packed(Last):
        def forward(self, x: Tensor) -> Tensor:
            packed = nn.utils.rnn.pack_padded_sequence(x, [x.shape[1]] * len(x), batch_first=True)
            out: Tensor = self.head(torch.tanh(self.inner(self.layer(packed)[1][-1])))
            return out

    found = inspected(lambda: Packed(nn.GRU(FEATURES, 32, batch_first=True)), sequences(80))
    assert backward(found).recurrences == ()
    assert found.state in {"not judged", "collapsing"}


def test_a_class_of_its_own_that_does_more_is_left_as_it_is() -> None:
    class Squared(nn.GRU):
        def forward(self, *args: Any) -> Any:
            out, state = super().forward(*args)
            return out.square() - 1, state

    found = inspected(lambda: Last(Squared(FEATURES, WIDTH, batch_first=True)), sequences(40))
    assert backward(found).recurrences == ()
    assert [item.name for item in found.not_judged] == ["layer", "head"]
    half = inspected(
        lambda: Last(nn.GRU(FEATURES, WIDTH, batch_first=True)).bfloat16(), sequences(60)
    )
    assert only(half).course is Course.VANISHING


# --- tokens ---------------------------------------------------------------------------------------


class Attention(nn.Module):
    def __init__(self, depth: int, skip: bool, scale: float = 1.0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.MultiheadAttention(WIDTH, 2, batch_first=True) for _ in range(depth)]
        )
        self.norm, self.head, self.skip = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 3), skip
        with torch.no_grad():
            for layer in self.layers:
                layer.in_proj_weight[: 2 * WIDTH] *= scale  # type: ignore[index, operator]

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            y = layer(x, x, x, need_weights=False)[0]
            x = self.norm(x + y if self.skip else y)
        out: Tensor = self.head(x.mean(1))
        return out


class OwnAttention(nn.Module):
    def __init__(self, scale: float) -> None:
        super().__init__()
        self.q, self.k, self.v = [nn.Linear(WIDTH, WIDTH) for _ in range(3)]
        self.head, self.scale = nn.Linear(WIDTH, 3), scale

    def forward(self, x: Tensor) -> Tensor:
        choice = torch.softmax(self.scale * self.q(x) @ self.k(x).mT, dim=-1)
        out: Tensor = self.head((x + choice @ self.v(x)).mean(1))
        return out


def test_tokens_that_become_alike_collapse() -> None:
    tokens = sequences(8, features=WIDTH)
    found = inspected(lambda: Attention(12, skip=False), tokens)
    assert found.tokens is not None
    assert found.tokens.collapsed
    assert found.tokens.cosine_after > 0.95 > 0.5 > found.tokens.cosine_before
    assert found.state == "collapsing"
    assert "collapsing tokens: tokens of a sample have a mean |cos| of" in found.verdict
    kept = inspected(lambda: Attention(4, skip=True), tokens)
    assert kept.tokens is not None
    assert not kept.tokens.collapsed
    assert kept.tokens.collapsed_after == 0
    assert kept.judged > 0.9


def test_a_softmax_that_picks_one_token_is_saturated() -> None:
    tokens = sequences(8, features=WIDTH)
    for sharp, soft in (
        (lambda: Attention(1, True, 60.0), lambda: Attention(1, True)),
        (lambda: OwnAttention(500.0), lambda: OwnAttention(0.25)),
    ):
        found = inspected(sharp, tokens)
        assert max(share for _, share in backward(found).choices) > 0.75
        assert backward(found).saturating is not None
        assert "; saturated in " in found.verdict or found.verdict.startswith("saturated in ")
        assert not found.healthy
        calm = backward(inspected(soft, tokens))
        assert calm.saturating is None
        assert all(share < 0.1 for _, share in calm.choices)


# --- what too little was judged of ----------------------------------------------------------------

PRODUCTS = """
import torch
from torch import nn
class Products(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.product = nn.Linear(6, 6), nn.Bilinear(6, 6, 6)
    def forward(self, x):
        x = torch.tanh(self.first(x))
        return x + self.product(x, x)
"""


def test_what_most_of_is_not_judged_is_not_told_healthy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.py").write_text(PRODUCTS, encoding="utf-8")
    np.save("batch.npy", sequences(1)[:, 0].numpy())
    arguments = ["inspect", "model.py:Products", "--batch", "batch.npy", "--json", "out.json"]
    assert main(arguments) == 4
    assert "not judged: 84% of the parameters; the rest is healthy" in " ".join(
        capsys.readouterr().out.split()
    )
    told = json.loads(Path("out.json").read_text(encoding="utf-8"))
    assert told["state"] == "not judged"
    assert told["judged"] == pytest.approx(42 / (42 + 222))


# --- what growth is too much ----------------------------------------------------------------------


def test_a_thousand_is_too_much_unless_chance_does_as_much() -> None:
    assert course_of(math.log(1500), math.log(2), 1.0)[0] is Course.EXPLODING
    assert course_of(math.log(2), -math.log(1500), 1.0)[0] is Course.VANISHING
    assert course_of(math.log(900), math.log(900), 1.0)[0] is Course.STEADY
    assert course_of(math.log(1500), math.log(1500), 8.0)[0] is Course.STEADY
    assert course_of(math.nan, math.nan, 1.0)[0] is Course.STEADY
    assert course_of(math.nan, -math.inf, 1.0)[0] is Course.VANISHING


def test_chance_is_told_by_the_widths_or_by_how_steps_differ() -> None:
    generator = np.random.default_rng(0)
    walks = np.cumsum(generator.normal(0, 0.3, (2000, 41)), axis=1)
    passed = [abs(walk[-1] - walk[0]) > by_chance([5.0] * 41, walk) for walk in walks]
    assert sum(passed) <= 6, "2000 · 1e-3, and chance"
    grown = walks[0] - 0.5 * np.arange(41)
    assert grown[0] - grown[-1] > by_chance([5.0] * 41, grown)
    assert by_chance([20.0] * 4, walks[0][:4]) == pytest.approx(3.48 / 2)


def test_a_jump_at_one_layer_is_seen() -> None:
    torch.manual_seed(0)
    parts: list[nn.Module] = []
    for number in range(12):
        layer = nn.Linear(WIDTH, WIDTH, bias=False)
        nn.init.orthogonal_(layer.weight, gain=1e-4 if number == 11 else 1.0)
        parts += [layer]
    found = backward(inspect(nn.Sequential(*parts), sequences(1, features=WIDTH)[:, 0]))
    assert found.course is Course.VANISHING
    assert found.ends == pytest.approx(1e-4, rel=1e-3)
