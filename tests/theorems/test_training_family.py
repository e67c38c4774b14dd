"""The family that trains: left out where nothing is named, and its comparisons on small networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulators.training import Design, Recipe
from theorems import get, library, select, verify
from theorems.cli import main
from theorems.context import Context
from theorems.families.training.runs import (
    Treatment,
    compared,
    loss,
    nothing_done,
    over,
    rank_correlation,
    shuffled,
)
from theorems.family import Family, FamilyError
from theorems.registry import families, unasked
from theorems.statement import Verdict

CHEAP = get("orthogonality.convexity:conclusion")
TRAINING = select("training")


def test_it_is_left_out_where_nothing_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a library of one cheap claim and this family."""
    monkeypatch.setattr("theorems.commands.verify.asked", lambda args: ((CHEAP, *TRAINING), []))
    monkeypatch.setattr("theorems.verification.select", lambda names: (CHEAP, *TRAINING))
    assert [result.statement for result in verify()] == [CHEAP]
    monkeypatch.undo()
    monkeypatch.setattr("theorems.commands.verify.asked", lambda args: ((CHEAP, *TRAINING), []))
    assert main(["verify", "--jobs", "1"]) in (0, 1)
    told = " ".join(capsys.readouterr().out.split())
    assert "training: it trains networks for minutes; theorems verify training" in told
    assert "training." not in told


def test_a_named_claim_says_nothing_of_what_is_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["verify", CHEAP.name, "--jobs", "1"]) == 0
    assert "Left out" not in capsys.readouterr().out


def test_only_this_family_is_apart() -> None:
    assert [family.name for family in families() if family.apart] == ["training"]
    left = {s.name for s in library()} - {s.name for s in unasked(library())}
    assert left == {s.name for s in TRAINING}
    with pytest.raises(FamilyError, match="verified only where it is named"):
        Family(name="mine", title="mine", sources=(), statements=(), apart="two\nlines")


SMALL = Treatment(
    Design(2, 16), Recipe(steps=80, batch_size=16, samples=64, learning_rate=0.2, probe=8)
)
STILL = replace(SMALL, recipe=replace(SMALL.recipe, learning_rate=1e-12))


def test_a_treatment_is_compared_seed_by_seed_and_nothing_done_is_nothing() -> None:
    claim = get("training.uncentred_weights")
    measures = {"R": over(STILL, SMALL), "R_0": nothing_done(SMALL)}
    check = compared("small", {"L": 2, "d": 16}, measures)
    small = replace(claim, checks=(check,))
    (first,), (second,) = verify(small, level=1e-3), verify(small, level=1e-3)
    assert first.verdict is Verdict.SUPPORTED
    assert first.sound
    assert [e.as_json("") | {"seconds": 0} for e in first.evidence] == [
        e.as_json("") | {"seconds": 0} for e in second.evidence
    ]
    none = replace(small, checks=(compared("none", {"L": 2, "d": 16}, {"R": over(SMALL, SMALL)}),))
    assert (
        verify(replace(none, sentinel=replace(claim.sentinel, lhs=None, rhs=claim.rhs + 1)))[
            0
        ].verdict
        is Verdict.REFUTED
    )


def test_what_diverged_counts_as_a_guess() -> None:
    wild = replace(SMALL, recipe=replace(SMALL.recipe, learning_rate=1e30))
    context = Context(0, 1e-3)
    assert (wild.trained(context).diverged >= 0).all()
    assert loss(wild, context) == pytest.approx(np.full(32, np.log(10)))


def test_rank_correlation_is_that_of_each_seed() -> None:
    first = [np.array([1.0, 1.0, 2.0]), np.array([2.0, 5.0, 2.0]), np.array([7.0, 9.0, 2.0])]
    second = [np.array([3.0, 3.0, 1.0]), np.array([4.0, 2.0, 2.0]), np.array([5.0, 1.0, 3.0])]
    assert rank_correlation(first, second).tolist() == [1.0, -1.0, 0.0]
    mixed = shuffled(first, Context(0, 1e-3))
    assert np.array_equal(np.sort(np.stack(mixed), axis=0), np.sort(np.stack(first), axis=0))
