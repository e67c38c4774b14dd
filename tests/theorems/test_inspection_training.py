"""A network watched in training: which steps are looked at, and that nothing of it changes."""

from __future__ import annotations

import contextlib
import math
import xml.dom.minidom
from collections.abc import Collection

import pytest
import torch
from torch import Tensor, nn
from torch.optim.optimizer import _global_optimizer_post_hooks

from theorems import inspect, watch_training
from theorems.inspection.backward_pass import Gradients

WIDTH = 12


def network(*more: nn.Module) -> nn.Sequential:
    torch.manual_seed(1)
    first = [nn.Linear(8, WIDTH), nn.BatchNorm1d(WIDTH), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(*first, nn.Linear(WIDTH, WIDTH), nn.ReLU(), *more, nn.Linear(WIDTH, 1))


def samples(n: int = 16, seed: int = 2) -> Tensor:
    return torch.randn(n, 8, generator=torch.Generator().manual_seed(seed))


def trained(module: nn.Module, steps: int = 6, fails_at: int | None = None) -> None:
    optimiser = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9)
    for step in range(steps):
        optimiser.zero_grad()
        module(samples(seed=step)).square().mean().backward()
        optimiser.step()
        if step == fails_at:
            raise RuntimeError("the loop fails")


def state_of(module: nn.Module) -> list[Tensor]:
    return [item.detach().clone() for item in module.state_dict().values()]


@pytest.mark.parametrize(
    ("every", "looked_at"),
    [(1, [0, 1, 2, 3, 4, 5, 6]), (4, [0, 4]), ((1, 5, 99), [0, 1, 5]), ((), [0]), ((0, 3), [0, 3])],
)
def test_the_chosen_steps_are_looked_at(every: int | Collection[int], looked_at: list[int]) -> None:
    module = network()
    with watch_training(module, samples(), every=every) as seen:
        trained(module)
    assert seen.steps == 6
    assert [snapshot.step for snapshot in seen.snapshots] == looked_at
    assert seen.unmeasured == []


def test_training_goes_as_if_nobody_had_looked() -> None:
    plain, other = network(), network()
    torch.manual_seed(7)
    trained(plain)
    after = torch.get_rng_state()
    torch.manual_seed(7)
    with watch_training(other, samples()):
        trained(other)
    assert torch.equal(torch.get_rng_state(), after)
    pairs = zip(state_of(plain), state_of(other), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    gradients = [
        (a.grad, b.grad) for a, b in zip(plain.parameters(), other.parameters(), strict=True)
    ]
    assert all(a is not None and b is not None and torch.equal(a, b) for a, b in gradients)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("fails_at", [None, 2])
def test_modes_hooks_and_what_needs_gradients_are_left(
    training: bool, fails_at: int | None
) -> None:
    module = network().train(training)
    module[0].requires_grad_(False)
    needed = [item.requires_grad for item in module.parameters()]
    hooks = len(_global_optimizer_post_hooks)
    failing = contextlib.nullcontext() if fails_at is None else pytest.raises(RuntimeError)
    with failing, watch_training(module, samples(), every=2) as seen:
        assert len(_global_optimizer_post_hooks) == hooks + 1
        trained(module, fails_at=fails_at)
    assert len(_global_optimizer_post_hooks) == hooks
    count = len(seen.snapshots)
    assert count == (4 if fails_at is None else 2)
    trained(module)
    assert len(seen.snapshots) == count, "nothing is watched after the block"
    assert [part.training for part in module.modules()] == [training] * 8
    assert [item.requires_grad for item in module.parameters()] == needed
    for part in module.modules():
        assert not part._forward_hooks
        assert not part._forward_pre_hooks
        assert not part._backward_hooks


def test_what_is_measured_is_what_an_inspection_measures() -> None:
    module = network()
    with watch_training(module, samples()) as seen:
        before = inspect(module, samples())
        trained(module, steps=1)
        after = inspect(module, samples())
    for snapshot, found in zip(seen.snapshots, (before, after), strict=True):
        assert [layer.measures for layer in snapshot.layers] == [
            layer.measures for layer in found.layers[: found.hidden]
        ]
        assert isinstance(snapshot.gradients, Gradients)
        assert snapshot.gradients.norms == found.gradients.norms  # type: ignore[union-attr]


def test_weights_and_features_are_told_by_their_sizes() -> None:
    module = nn.Sequential(
        nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False), nn.Linear(8, 1)
    )
    optimiser = torch.optim.SGD(module.parameters(), lr=1.0)
    with watch_training(module, samples(), loss=lambda y: y.mean()) as seen:
        for item in module.parameters():
            item.grad = -3 * item.detach()
        optimiser.step()
    first, second = seen.snapshots
    assert first.moved == (0.0, 0.0)
    assert second.moved == pytest.approx((3.0, 3.0), rel=1e-5)
    assert second.norms == pytest.approx((4 * first.norms[0], 16 * first.norms[1]), rel=1e-4)
    assert first.gradients.loss == "the loss given"  # type: ignore[union-attr]


def test_only_optimisers_of_the_network_count() -> None:
    module, other = network(), network()
    with watch_training(module, samples()) as seen:
        trained(other)
        assert seen.steps == 0
        with torch.no_grad():
            for item in module.parameters():
                item.mul_(0.5)
        seen.step()
    assert [snapshot.step for snapshot in seen.snapshots] == [0, 1]


def test_two_networks_are_watched_side_by_side() -> None:
    first, second = network(), network()
    with watch_training(first, samples()) as a, watch_training(second, samples(), every=2) as b:
        trained(first, 3)
        trained(second, 5)
    assert (a.steps, b.steps) == (3, 5)
    assert [snapshot.step for snapshot in b.snapshots] == [0, 2, 4]


def test_training_goes_on_where_nothing_can_be_measured() -> None:
    module = network()
    with watch_training(module, samples()) as seen:
        trained(module, 1)
        with torch.no_grad():
            module[0].weight.fill_(math.inf)
        seen.step()
    assert [snapshot.step for snapshot in seen.snapshots] == [0, 1]
    [(step, why)] = seen.unmeasured
    assert step == 2
    assert why.startswith("values that are not finite come out of layer 1, '0' (Linear)")
    assert why in seen._repr_html_().replace("&#x27;", "'")


def test_columns_have_a_row_for_each_layer_of_each_snapshot() -> None:
    module = network()
    with watch_training(module, samples(), every=3) as seen:
        trained(module)
    columns = seen.columns()
    assert columns["step"] == [0, 0, 3, 3, 6, 6]
    assert columns["layer"] == [1, 2] * 3
    assert columns["name"] == ["0", "4"] * 3
    assert {len(column) for column in columns.values()} == {6}
    assert set(columns["condition"]) <= {"healthy", "collapsing", "clustering"}
    assert all(type(entry) in {int, float, str} for column in columns.values() for entry in column)
    page = seen._repr_html_()
    xml.dom.minidom.parseString(page)
    assert page.count('<th scope="row"') == 3
    assert repr(seen) == "<TrainingWatch of 6 steps, 3 looked at>"


@pytest.mark.parametrize(
    ("every", "error", "words"),
    [
        (0, ValueError, "every=0 is below 1; give an integer ≥ 1"),
        (1.5, TypeError, "every=1.5 is a float; give an integer ≥ 1"),
        ("12", TypeError, "every='12' is a str; give an integer ≥ 1"),
        ((1, -2), ValueError, "every=-2 is below 0; give an integer ≥ 0"),
    ],
)
def test_a_wrong_every_is_refused(every: int, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught, watch_training(network(), samples(), every=every):
        pass
    assert str(caught.value) == words


def test_what_cannot_be_inspected_is_refused_at_the_door() -> None:
    with pytest.raises(ValueError, match="no layer with weights that can be judged"):
        watch_training(nn.Sequential(nn.ReLU()), samples()).__enter__()
    with pytest.raises(TypeError, match="give a torch"):
        watch_training(3, samples()).__enter__()  # type: ignore[arg-type]
    assert not _global_optimizer_post_hooks
