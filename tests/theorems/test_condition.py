"""Narrow layers pass the yardsticks by chance: how often networks are misjudged, and what is said
of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import networks
import numpy as np
import pytest
import torch
from torch import nn

from theorems import inspect
from theorems.inspection.condition import (
    Chance,
    Condition,
    chance,
    evidence,
    final_run,
    judge,
    measure,
    strength,
    strengths_of_healthy,
)
from theorems.inspection.forward_pass import watch
from theorems.inspection.report import watched
from theorems.inspection.stages import Role, stages

SAMPLES = 10


def judged(
    build: Callable[[], nn.Module], width: int, count: int
) -> tuple[Counter[Condition], Counter[Condition]]:
    """Conditions of so many random networks, by the yardsticks alone and with chance."""
    alone: Counter[Condition] = Counter()
    weighed: Counter[Condition] = Counter()
    for seed in range(count):
        torch.manual_seed(seed)
        passage = watch(build(), torch.randn(SAMPLES, width), "batch")
        hidden = [stage for stage in stages(passage) if stage.role is Role.HIDDEN]
        seen = watched(passage, hidden).measures
        alone[seen[-1].condition] += 1
        weighed[judge(seen, SAMPLES, seed)[0]] += 1
    return alone, weighed


@pytest.mark.full  # a rate over a hundred networks
def test_healthy_networks_of_width_8_are_misjudged_once_in_a_hundred() -> None:
    alone, weighed = judged(lambda: networks.batchnorm(8, 15), 8, 100)
    assert 100 - weighed[Condition.HEALTHY] <= 7, (
        "of a binomial(100, 0.01), more has probability 1e-5"
    )
    assert 100 - alone[Condition.HEALTHY] > 100 - weighed[Condition.HEALTHY], (
        "the yardsticks alone do worse"
    )


@pytest.mark.parametrize(
    ("build", "least"),
    [
        (lambda: networks.vanilla_linear(8, 80), 11),
        (lambda: networks.vanilla(8, 40), 10),
    ],
)
def test_collapsed_networks_of_width_8_are_not_excused(
    build: Callable[[], nn.Module], least: int
) -> None:
    """If 97 % and 93 % of them are judged so, fewer of 14 have probability below 1e-3."""
    assert judged(build, 8, 14)[1][Condition.COLLAPSING] >= least


def test_wide_layers_need_one_layer_of_evidence_and_narrow_ones_more() -> None:
    wide = chance([0.0, 0.3], [200, 200], SAMPLES, 0)
    assert wide is not None
    assert (wide.explains, wide.replicas, wide.exceeded) == (False, 99, 0)
    narrow = chance([0.0, 0.05], [4, 4], SAMPLES, 0)
    assert narrow is not None
    assert narrow.explains
    lasting = chance([0.9] * 30, [8] * 30, SAMPLES, 0)
    assert lasting is not None
    assert not lasting.explains
    assert chance([0.9], [3000], 3000, 0) is None, "more work than is allowed"


def test_one_unit_has_no_rank_to_lose() -> None:
    one = measure(np.random.default_rng(0).standard_normal((1, SAMPLES)))
    assert (one.condition, one.strength, one.reason) == (Condition.HEALTHY, 0.0, "")
    assert measure(np.zeros((1, SAMPLES))).word == "dead"


def test_evidence_is_of_the_last_run() -> None:
    assert [final_run(x) for x in ([0.0, 0.0], [0.4, 0.0], [0.0, 0.4, 0.3], [0.4, 0.3])] == [
        0,
        0,
        2,
        2,
    ]
    assert evidence([0.9, 0.0, 0.25, 0.5]) == 0.75


@pytest.mark.full
def test_the_reference_is_the_chain_of_batchnorm_and_relu() -> None:
    """Its strengths are zero in wide layers, and as frequent in narrow ones as in Torch's own."""
    assert not strengths_of_healthy([200] * 4, SAMPLES, 20, 4, np.random.default_rng(0)).any()
    ours = (strengths_of_healthy([8] * 16, SAMPLES, 400, 1, np.random.default_rng(0)) > 0).mean()
    theirs = []
    for seed in range(200):
        torch.manual_seed(seed)
        x = torch.eye(SAMPLES)
        for layer in networks.stack(8, 16, nn.BatchNorm1d, nn.ReLU, head=False).train():
            x = layer(
                x
                if x.shape[1] == 8 or not isinstance(layer, nn.Linear)
                else torch.randn(SAMPLES, 8)
            )
        H = x.detach().double().numpy().T
        theirs.append(strength(H.T @ H / np.square(H).sum(), 8) > 0)
    assert abs(ours - np.mean(theirs)) < 4 * np.sqrt(0.15 * 0.85 * (1 / 400 + 1 / 200))


def test_an_excused_network_is_told_so() -> None:
    for seed in range(60):
        torch.manual_seed(seed)
        found = inspect(networks.batchnorm(3, 15), torch.randn(SAMPLES, 3), seed=seed)
        if found.healthy and found.chance is not None and found.chance.explains:
            assert found.since is None
            assert found.verdict.startswith("healthy: effective rank")
            assert (
                f"{found.layers[14].measures.reason}), but by chance {found.chance.exceeded} of"
                in found.verdict
            )
            assert found.as_json()["chance"]["explains"] is True
            return
    pytest.fail("no narrow network was past a yardstick")


def test_what_is_told_of_chance() -> None:
    assert Chance(0.5, 99, 0).as_json() == {
        "evidence": 0.5,
        "replicas": 99,
        "exceeded": 0,
        "level": 0.01,
        "explains": False,
    }
