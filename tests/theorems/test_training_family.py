"""The family that trains: left out where nothing is named; its comparisons on small networks."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp

from simulators.training import Design, Experiment, Recipe, images_from
from theorems import get, library, select, verify
from theorems.cli import main
from theorems.context import Context
from theorems.families.training import runs
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
from theorems.ledger import Ledger
from theorems.registry import families, unasked
from theorems.report import document_of
from theorems.report.page import render
from theorems.statement import Statement, Verdict
from theorems.verification import LEVEL, declared_levels

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
    check = compared("small", {"L": 2, "d": 16}, measures, STILL)
    small = replace(claim, checks=(check,))
    (first,), (second,) = verify(small, level=1e-3), verify(small, level=1e-3)
    assert first.verdict is Verdict.SUPPORTED
    assert first.sound
    assert [e.as_json("") | {"seconds": 0} for e in first.evidence] == [
        e.as_json("") | {"seconds": 0} for e in second.evidence
    ]
    same = compared("none", {"L": 2, "d": 16}, {"R": over(SMALL, SMALL)}, SMALL)
    none = replace(small, checks=(same,))
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


def test_where_both_diverged_nothing_was_compared() -> None:
    """A claim that the loss is no higher is not supported by two losses that are none."""
    wild = replace(SMALL, recipe=replace(SMALL.recipe, learning_rate=1e30))
    no_higher = get("training.frozen_statistics:against_orthogonal")
    check = compared("small", {"L": 2, "d": 16}, {"R": over(wild, wild)}, wild)
    (found,) = verify(replace(no_higher, checks=(check,)), level=1e-3)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "32 of 32 values undefined" in found.evidence[0].summary
    context = Context(0, 1e-3)
    assert (over(SMALL, wild)(context) < 1).all()
    assert (over(wild, SMALL)(context) > 1).all()
    shares = wild.trained(context)
    assert np.isnan([shares.accuracy, shares.test_accuracy]).all()
    assert np.isfinite(SMALL.trained(context).test_accuracy).all()


def test_rank_correlation_is_that_of_each_seed() -> None:
    first = [np.array([1.0, 1.0, 2.0]), np.array([2.0, 5.0, 2.0]), np.array([7.0, 9.0, 2.0])]
    second = [np.array([3.0, 3.0, 1.0]), np.array([4.0, 2.0, 2.0]), np.array([5.0, 1.0, 3.0])]
    assert rank_correlation(first, second) == pytest.approx([1.0, -1.0, np.nan], nan_ok=True)
    mixed = shuffled(first, Context(0, 1e-3))
    assert np.array_equal(np.sort(np.stack(mixed), axis=0), np.sort(np.stack(first), axis=0))


# --- the level that the family declares -----------------------------------------------------------

VARIANTS = ("against_xavier", "progress_kept")
SPREAD = np.linspace(0.5, 1.0, 32)
"""Of 32 networks: the interval for their median ends at 0.919 at 1e-3, and at 0.968 at 1e-6."""


def _of(values: np.ndarray, bound: sp.Rational) -> Statement:
    """A claim of the family with measured ratios in the place of training: at most ``bound``."""
    claim = get("training.iterative_orthogonalisation:against_xavier")
    measures = {"R": lambda context: values, "R_0": lambda context: values + 1}
    check = compared("given", {"L": 15, "d": 64}, measures, SMALL)
    return replace(claim, rhs=bound, checks=(check,), expected=Verdict.SUPPORTED)


def test_what_is_undecided_at_the_level_of_a_run_is_decided_at_that_of_the_family() -> None:
    near = _of(SPREAD, sp.Rational(95, 100))
    (own,), (of_the_run,) = verify(near), verify(near, level=1e-6)
    assert (own.level, own.verdict, own.sound) == (1e-3, Verdict.SUPPORTED, True)
    assert (of_the_run.level, of_the_run.verdict) == (None, Verdict.INCONCLUSIVE)
    assert [each.evidence[0].details["level"] for each in (own, of_the_run)] == [1e-3, 1e-6]
    (false,) = verify(_of(SPREAD, sp.Rational(55, 100)))
    assert false.verdict is Verdict.REFUTED
    assert own.as_json()["level"] == 1e-3
    assert "level" not in of_the_run.as_json()
    assert "error level 0.001" in repr(own)


def test_the_level_of_the_family_is_not_taken_from_others_nor_given_to_them() -> None:
    near = _of(SPREAD, sp.Rational(95, 100))
    alone = replace(near, theorem="claimed_by_another")  # the family has none of that name
    found = verify([near, CHEAP, alone, replace(alone, variant="too")])
    levels = [result.level for result in found]
    assert sorted(levels, key=str) == [1e-3, None, None, None]
    shares = {result.statement.name: result.evidence[0].details for result in found}
    assert shares[near.name]["level"] == 1e-3
    assert shares[alone.name]["level"] == pytest.approx(1e-6 / 3)
    assert document_of(found, seed=0, level=1e-6, batch=None)["environment"][
        "error_budget"
    ] == pytest.approx(1e-3 + 1e-6)


def test_published_sizes_are_judged_at_the_level_of_the_run() -> None:
    experiment = Experiment(images_from("digits"), full=True)
    (found,) = verify(_of(SPREAD, sp.Rational(95, 100)), experiment=experiment)
    assert found.level is None
    assert found.evidence[0].details["level"] == LEVEL


def test_a_run_prints_at_which_level_it_speaks_and_what_the_levels_come_to(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pair = [_of(SPREAD, bound) for bound in (sp.Rational(95, 100), sp.Rational(99, 100))]
    asked = (*(replace(each, variant=name) for each, name in zip(pair, VARIANTS, strict=True)),)
    monkeypatch.setattr("theorems.commands.verify.asked", lambda args: (asked, []))
    monkeypatch.chdir(tmp_path)  # where no ledger is
    written = tmp_path / "out.json"
    assert main(["verify", "training", "--jobs", "1", "--json", str(written)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert told.count("simulation at level 0.001: ") == 2
    assert "any false verdict in this run: at most 0.002, 0.001 for each of 2 statements" in told
    document = json.loads(written.read_text())
    assert document["environment"]["error_budget"] == 0.002
    assert [result["level"] for result in document["results"]] == [1e-3, 1e-3]
    page = render(document, [])
    assert "0.001: the probability that this verdict is false" in page
    assert main(["verify", "training", "--jobs", "1", "--level", "1e-5"]) in (0, 1)
    told = " ".join(capsys.readouterr().out.split())
    assert "at level" not in told
    assert "any false verdict in this run: at most 1e-05 " in told


def test_a_statement_is_shown_with_its_level(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "training.uncentred_weights"]) == 0
    assert "Error level 0.001, declared by its family" in " ".join(capsys.readouterr().out.split())
    assert main(["show", CHEAP.name]) == 0
    assert "Error level" not in capsys.readouterr().out


def test_a_ledger_holds_the_level_of_each() -> None:
    near = _of(SPREAD, sp.Rational(95, 100))
    run: dict[str, Any] = {"seed": 0, "level": 1e-6, "versions": {}}
    entries = Ledger({}).updated(verify([near, CHEAP]), **run).entries
    assert [entries[name].level for name in (near.name, CHEAP.name)] == [1e-3, 1e-6]
    assert declared_levels([near, CHEAP]) == {near.name: 1e-3}
    assert declared_levels([near, CHEAP], level=1e-3) == {}


@pytest.mark.parametrize("level", [0.0, 1.0, -1e-3, 1, "1e-3", float("nan")])
def test_a_family_with_a_level_that_is_none_is_refused(level: Any) -> None:
    with pytest.raises(FamilyError, match="want the error probability of each statement of mine"):
        Family(name="mine", title="mine", sources=(), statements=(), level=level)


# --- twice the same -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gradient_growth:he", "gradient_growth:xavier"])
def test_the_same_again_from_nothing(name: str) -> None:
    """Numbers as well as verdicts, with nothing remembered of the first time."""
    found = []
    for _ in range(2):
        runs._trained.cache_clear()
        found.append(_without_times(verify(f"training.{name}")[0].as_json()))
    assert found[0] == found[1]
    assert found[0]["evidence"][0]["readouts"]


def _without_times(result: dict[str, Any]) -> dict[str, Any]:
    evidence = [{**each, "seconds": None} for each in result["evidence"]]
    return {**result, "seconds": None, "evidence": evidence}


# --- what does not reproduce ----------------------------------------------------------------------

REFUTED = [statement for statement in TRAINING if statement.expected is Verdict.REFUTED]


@pytest.mark.parametrize("statement", REFUTED, ids=lambda statement: statement.name)
def test_what_does_not_reproduce_says_so_and_where(statement: Statement) -> None:
    assert "does not reproduce" in statement.remark
    assert re.search(r"\d+ layers of \d+ units", statement.remark)


def test_a_refutation_has_the_sizes_at_which_it_was_tried() -> None:
    (found,) = verify(_of(SPREAD, sp.Rational(55, 100)))
    (told,) = found.evidence
    assert told.summary.startswith(
        "given; 16 units, 80 steps of 16 at rate 0.2, 64 images of digits, 32 seeds: R in ["
    )
