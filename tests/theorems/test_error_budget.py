"""No check spends more error probability than it was given: each is watched, and an unsplit budget
is noticed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import sympy as sp
from budget_guard import BudgetError, check_classes, watched
from evidence_guard import EvidenceError, consistent

from simulators import rescale_chain
from simulators.batches import Batch
from theorems import Evidence, Sentinel, Statement, Verdict, conjecture, get, library
from theorems.checking import medians as medians_module
from theorems.checking.check import CheckBase, ExactCheck
from theorems.checking.confidence_sequence import BoundedMean
from theorems.checking.drawn_means import DrawnMeans
from theorems.checking.expectation import Expectation, Instance
from theorems.checking.lost_samples import UndefinedMean
from theorems.checking.medians import Case, Medians, Sample
from theorems.checking.pointwise import Pointwise
from theorems.checking.scaling import Scaling
from theorems.checking.search import Falsification
from theorems.checking.unbounded import Unbounded
from theorems.context import Context
from theorems.evidence import Recorded
from theorems.families.cluster.emergence import EscapeTimes
from theorems.families.orthogonality.contraction_boxes import ContractionBoxes
from theorems.families.rank.average import Exponent
from theorems.families.rank.drift_checks import Derivation, Paired
from theorems.families.rank.networks import Network
from theorems.workbench.everywhere import Everywhere, largest_share

LEVEL = 1e-3
BETA = sp.Symbol("beta", real=True)
MEAN, MEDIAN = sp.Symbol("E_V", nonnegative=True), sp.Symbol("X", real=True)


def statement(**changes: Any) -> Statement:
    """A claim about a mean gap, without variables."""
    given: dict[str, Any] = {
        "proof": None,
        "variables": (),
        "assumptions": (),
        "ceiling": None,
        "definitions": {MEAN: ""},
        "lhs": MEAN,
        "relation": "<=",
        "rhs": sp.Rational(9, 10),
        "sentinel": Sentinel("", rhs=sp.Rational(1, 10**6)),
        **changes,
    }
    return replace(get("orthogonality.one_step_drift:sharp"), **given)


def expectation() -> tuple[Statement, Expectation]:
    """Three readouts of two instances each."""

    def instances(_: Statement, batch: Any) -> list[Instance]:
        return [
            Instance(f"start {k}", rescale_chain(4), np.eye(4)[:, :2], 3, ({},) * 3, (0.0, 1.0))
            for k in (1, 2)
        ]

    return statement(), Expectation(
        instances,
        lambda s, t, i: t["orthogonality_gap"][:, 1:],
        ("orthogonality_gap",),
        replicas=8,
        first=8,
    )


def medians() -> tuple[Statement, Medians]:
    """Two cases of two symbols, one from two starts."""
    values = np.linspace(0, 1, 60)
    other = sp.Symbol("Y", real=True)

    def case(label: str) -> Case:
        return Case(label, {}, lambda context: Sample({"X": [values, values], "Y": [values]}), 3)

    return (
        statement(definitions={MEDIAN: "", other: ""}, lhs=MEDIAN + other, rhs=sp.Integer(2)),
        Medians(lambda batch: [case("one"), case("two")]),
    )


def slope() -> tuple[Statement, Scaling]:
    """Four widths."""

    def instances(_: Any) -> list[Instance]:
        return [
            Instance(f"d={w}", rescale_chain(w), np.eye(2), 1, (), (0.0, 1.0))
            for w in (4, 8, 16, 32)
        ]

    claim = statement(
        definitions={BETA: ""},
        lhs=sp.Abs(BETA + sp.Rational(1, 2)),
        rhs=sp.Rational(1, 4),
        sentinel=Sentinel("", lhs=sp.Abs(BETA + 3)),
    )
    return claim, Scaling(
        BETA,
        instances,
        lambda t: t["orthogonality_gap"][:, 1],
        ("orthogonality_gap",),
        16,
        rounds=1,
    )


def escape() -> tuple[Statement, EscapeTimes]:
    """Three widths."""
    return get("cluster.emergence:escape_time"), EscapeTimes(
        4, ((8, 4), (16, 4), (32, 4)), (32, 8), 8, 3
    )


def exponent() -> tuple[Statement, Exponent]:
    """Two networks from two starts each."""
    return get("rank.average_rank:exponent"), Exponent(
        (Network(4, 1.0, replicas=8), Network(6, 1.0, replicas=8))
    )


def drift() -> tuple[Statement, Paired]:
    """Two starts."""
    claim = get("rank.drift")
    (check,) = [c for c in claim.checks if isinstance(c, Paired)]
    starts = list(check.starts(None))[:2]
    return claim, Paired(lambda batch: starts, draws=64, first=64)


def drawn() -> tuple[Statement, DrawnMeans]:
    """Three means of what no chain draws."""
    claim = get("splines.line_crossings:layer")
    (check,) = [c for c in claim.checks if isinstance(c, DrawnMeans)]
    return claim, check


SAMPLED = (expectation, medians, slope, escape, exponent, drift, drawn)
#: Decide exactly, or leave it to a check that is called inside.
WITHOUT_A_LEVEL = {
    *(CheckBase, ExactCheck, UndefinedMean, Unbounded, Pointwise, Falsification),
    *(ContractionBoxes, Derivation),
}


@pytest.mark.parametrize("make", SAMPLED, ids=lambda make: make.__name__)
def test_a_check_splits_its_level_over_all_its_intervals(make: Any) -> None:
    claim, check = make()
    assert isinstance(check(claim, Context(0, LEVEL)), Evidence)


@pytest.mark.parametrize("make", SAMPLED, ids=lambda make: make.__name__)
@pytest.mark.parametrize("level", [LEVEL, 1e-6])
def test_the_level_in_the_evidence_is_the_one_asked(make: Any, level: float) -> None:
    claim, check = make()
    assert check(claim, Context(0, level)).details["level"] == level


@pytest.mark.parametrize("level", [LEVEL, 1e-6])
def test_draws_from_a_domain_say_what_part_of_the_level_is_their_own(level: float) -> None:
    bound = "n*(1 - orthogonality_gap**2/4)"
    stated = conjecture(f"effective_rank <= {bound}", over="spectra", n="2..4", name="c")
    claim = stated.statement(falsify=False)
    (check,) = [c for c in claim.checks if isinstance(c, Everywhere)]
    details: dict[str, Any] = {}
    found = replace(check, draws=20).by_draws(claim, Context(0, level), details)
    assert (details["draws"], details["level"]) == (20, level)
    assert found.power == details["share_below"] == largest_share(20, level)


def test_every_check_class_that_samples_is_in_these_tables() -> None:
    tried = {type(make()[1]) for make in SAMPLED} | {Everywhere}
    assert tried == set(check_classes()) - WITHOUT_A_LEVEL


@pytest.mark.parametrize("make", SAMPLED, ids=lambda make: make.__name__)
def test_a_level_that_is_not_split_is_noticed(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    claim, check = make()
    monkeypatch.setattr(Context, "share", lambda self, parts: self)
    there = medians_module.median_interval
    monkeypatch.setattr(
        medians_module,
        "median_interval",
        lambda values, level, *more: there(values, 2 * level, *more),
    )
    with pytest.raises(BudgetError, match=r"was given 0\.001"):
        check(claim, Context(0, LEVEL))


BATCH = Batch.of(np.ones((3, 2)), "a batch of rank one")


@pytest.mark.parametrize(
    "make",
    [
        lambda: (medians()[0], Medians(lambda batch: [], wants="full rank")),
        lambda: (slope()[0], replace(slope()[1], instances=lambda batch: [])),
        escape,
        exponent,
        lambda: (get("rank.drift"), get("rank.drift").checks[0]),
        lambda: (expectation()[0], replace(expectation()[1], instances=lambda claim, batch: [])),
        *(
            (lambda name=name, k=k: (get(name), get(name).checks[k]))
            for name, k in (("rank.average_rank:lower", 0), ("orthogonality.width_scaling", 0))
        ),
    ],
)
def test_where_a_batch_is_outside_nothing_is_said_of_the_neighbour_either(make: Any) -> None:
    claim, check = make()
    batch = Batch.of(np.ones((1, 2)), "one row") if claim.name == "rank.drift" else BATCH
    found = check(claim, Context(0, LEVEL, batch=batch))
    assert found.verdict is Verdict.OUTSIDE
    assert found.sentinel in (Verdict.OUTSIDE, Verdict.VACUOUS)


ROWS = [
    {
        "verdict": "supported",
        "sentinel": "refuted",
        "mean": 0.5,
        "low": 0.4,
        "high": 0.6,
        "bound": 0.7,
    }
]


def readout(**changes: Any) -> dict[str, Any]:
    return {**ROWS[0], **changes}


@pytest.mark.parametrize(
    ("verdict", "sentinel", "fallen", "rows"),
    [
        ("refuted", "refuted", 1, ROWS),
        ("supported", "inconclusive", 1, ROWS),
        ("supported", "refuted", 0, ROWS),
        ("supported", "refuted", 0, [readout(sentinel="supported")]),
        ("supported", "supported", 0, [readout(sentinel="inconclusive")]),
        ("supported", "refuted", 1, [readout(bound=0.5)]),
        ("supported", "refuted", 1, [readout(bound=0.3)]),
        ("refuted", "refuted", 1, [readout(verdict="refuted")]),
        ("supported", "refuted", 1, [readout(low=0.65)]),
        ("supported", "refuted", 1, [readout(obstacle="out of time")]),
        (
            "supported",
            "refuted",
            1,
            [readout(), readout(verdict="inconclusive", sentinel="inconclusive")],
        ),
        ("outside", "refuted", 0, []),
        ("outside", "supported", 0, []),
    ],
)
def test_evidence_that_does_not_follow_from_its_readouts_is_noticed(
    verdict: str, sentinel: str, fallen: int, rows: list[dict[str, Any]]
) -> None:
    details = {"readouts": rows, "sentinel_refuted_on": fallen}
    found = Evidence(
        method="simulation",
        verdict=Verdict(verdict),
        summary="",
        sentinel=Verdict(sentinel),
        details=details,
    )
    with pytest.raises(EvidenceError):
        consistent(statement(), found)
    consistent(
        statement(),
        replace(
            found,
            verdict=Verdict.SUPPORTED,
            sentinel=Verdict.REFUTED,
            details={"readouts": ROWS, "sentinel_refuted_on": 1},
        ),
    )


def test_every_check_of_the_library_is_watched() -> None:
    watched = check_classes()
    for claim in library():
        for check in claim.checks:
            assert any(kind in watched for kind in type(check).__mro__), (
                f"{claim.name}: {type(check).__name__}"
            )
    assert {Expectation, Medians, Scaling, EscapeTimes, Exponent} <= set(watched)


@dataclass(frozen=True)
class Outer:
    """Has another check do its work, twice, at a share each."""

    inner: Any
    parts: int

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        self.inner(statement, context.share(self.parts))
        return self.inner(statement, context.share(self.parts))  # type: ignore[no-any-return]


def test_a_check_pays_for_those_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Outer, "__call__", watched(Outer.__call__, Outer))
    claim, check = slope()
    Outer(check, 2)(claim, Context(0, LEVEL))
    with pytest.raises(BudgetError, match="Outer asked for 8 intervals"):
        Outer(check, 1)(claim, Context(0, LEVEL))


@dataclass(frozen=True)
class Boastful:
    """Claims an error level of its own choice."""

    inner: Any
    level: float

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        found = self.inner(statement, context)
        return replace(found, details=Recorded({**found.details, "level": self.level}))


def test_a_level_that_was_not_given_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Boastful, "__call__", watched(Boastful.__call__, Boastful))
    claim, check = slope()
    Boastful(check, LEVEL)(claim, Context(0, LEVEL))
    with pytest.raises(BudgetError, match=r"claims the error level 0\.02, and was given 0\.001"):
        Boastful(check, 20 * LEVEL)(claim, Context(0, LEVEL))


def test_an_interval_outside_a_check_is_nobodys_expense() -> None:
    assert BoundedMean(0.0, 1.0, 0.5).level == 0.5
    assert Verdict.SUPPORTED.holds
