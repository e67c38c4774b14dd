"""That the sick networks are sick by their own measure, and the same whenever they are drawn."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from bench.networks import more_sick
from bench.networks import sick as first_sick
from bench.networks.more_sick import ALSO, KINDS, SICK, WANTED, measured


class Hourglass(nn.Module):
    """Two maps that are healthy, and between them one that nearly vanishes beside a skip."""

    places = ("first", "inner", "last", "readout")

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.first, self.inner, self.last, self.readout = (nn.Linear(16, 16) for _ in range(4))
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        x = self.last(x + self.scale * self.inner(x))
        return self.readout(x)  # type: ignore[no-any-return]


def test_no_kind_is_one_of_the_earlier() -> None:
    assert not set(SICK) & set(first_sick.SICK)
    assert len(SICK) >= 15
    assert set(WANTED) | set(ALSO) <= set(KINDS.values())


@pytest.mark.parametrize("kind", SICK)
def test_each_kind_is_sick_by_the_measure_and_the_same_of_a_seed(kind: str) -> None:
    network, batch, states = SICK[kind](1)
    before = torch.get_rng_state()
    again, same, told = SICK[kind](1)
    assert torch.equal(torch.get_rng_state(), before)
    assert states == told
    assert torch.equal(batch, same)
    weights = again.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in network.state_dict().items())
    found = measured(network, batch)
    also = ALSO.get(KINDS[kind], ())
    assert found.states(first_sick.STRICT)
    assert {*found.states(), *also} == set(states)
    assert 8 <= len(batch) <= 32
    assert network(batch).isfinite().all()


def test_gradients_inside_count_where_the_measure_asks_for_them() -> None:
    torch.manual_seed(0)
    batch = torch.randn(16, 16)
    sick = Hourglass(1e-5)
    assert measured(sick, batch).sick() == {"vanishing"}
    assert first_sick.measured(sick, batch).sick() == set()
    assert measured(Hourglass(1.0), batch).sick() == set()


def test_a_healthy_network_is_not_sick_and_no_gradient_is_no_factor() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(16, 32), nn.Tanh(), nn.Linear(32, 10))
    assert measured(network, torch.randn(16, 16)).sick() == set()
    nn.init.zeros_(network[2].weight)  # type: ignore[arg-type]
    assert measured(network, torch.randn(16, 16)).gradient == 1.0


@pytest.mark.parametrize("module", [first_sick, more_sick])
def test_what_the_measure_finds_is_printed(
    module: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, sick = next(iter(module.SICK.items()))  # type: ignore[attr-defined]
    monkeypatch.setattr(module, "SICK", {kind: sick})
    assert module.main(["--seeds", "1"]) == 0  # type: ignore[attr-defined]
    assert f"{kind}, seed 0: cosines" in capsys.readouterr().out


def test_what_vanishes_entirely_is_furthest_from_a_factor_of_one() -> None:
    found = [first_sick._furthest(factor) for factor in (1.0, 0.5, 4.0, 0.0, math.inf)]
    assert found == [0.0, math.log(2), math.log(4), math.inf, math.inf]
