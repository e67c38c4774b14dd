"""Every check, met with a neighbour that is not false, says so: the sentinel is not reported as refuted.

The neighbour of every statement of the library is replaced by one that holds wherever the claim
does, its bound moved far to the safe side, or an equality that says the same. Checks do a small
part of their work.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import sympy as sp
from test_error_budget import escape, exponent

from theorems import Evidence, Sentinel, Statement, Verdict, library
from theorems.checking.expectation import Expectation
from theorems.checking.medians import Case, Medians, Sample
from theorems.context import Context
from theorems.families.rank.drift_checks import Paired
from theorems.verification import Result

FAR = 10**6
#: What a check does less of here, by the name of its field.
LESS = {
    "examples": 5,
    "replicas": 2,
    "first": 2,
    "normals": 1,
    "rounds": 1,
    "draws": 64,
    "depth": 12,
    "sizes": 2,
    "walks": 0,  # the family's own inputs alone
}
#: These draw for minutes before they say anything; each has a small lay-out of its own below.
SLOW = ("Exponent", "EscapeTimes", "Paired")


def holding(statement: Statement) -> Statement:
    """The statement with a neighbour that holds wherever it does."""
    relation, rhs = statement.relation, statement.rhs
    if relation == "==":
        side = statement.lhs if statement.expected is Verdict.REFUTED else rhs
        written = (sp.Mul(k, side / k, evaluate=False) for k in (2, 3))
        same = next(each for each in written if each != side)
    else:
        same = rhs + FAR if relation in ("<=", "<") else rhs - FAR
    return replace(statement, sentinel=Sentinel("what holds", rhs=same), proof=None)


def smaller(check: Any) -> Any:
    """The check, doing less, where it has such a field."""
    changes: dict[str, Any] = {}
    for field in fields(check):
        value, least = getattr(check, field.name), LESS.get(field.name)
        if least is None:
            continue
        if field.name == "sizes" and isinstance(value, tuple):
            changes["sizes"] = value[:least]
        elif isinstance(value, int):
            changes[field.name] = type(value)(min(value, least))
    return replace(check, **changes)


def has_a_true_neighbour(statement: Statement, check: Any) -> bool:
    """Of a sampled equality that is false, the true one would be the mean itself, which has no
    formula.
    """
    false = statement.relation == "==" and statement.expected is Verdict.REFUTED
    return not (false and isinstance(check, Expectation))


CASES = [
    pytest.param(statement, check, id=f"{statement.name}-{number}-{type(check).__name__}")
    for statement in library()
    for number, check in enumerate(statement.checks)
    if type(check).__name__ not in SLOW
    and not isinstance(check, Medians)
    and has_a_true_neighbour(statement, check)
]


@pytest.mark.parametrize(("statement", "check"), CASES)
def test_a_neighbour_that_holds_is_not_refuted(statement: Statement, check: Any) -> None:
    claim = holding(statement)
    found = smaller(check)(claim, Context(0, 1e-9))
    assert found.sentinel is not Verdict.REFUTED
    result = Result(claim, found.verdict, (found,))
    speaks = found.verdict.holds or found.verdict is Verdict.REFUTED
    assert result.weak_sentinels == ((found.method,) if speaks else ())
    assert result.sound is not speaks
    assert not (speaks and result.as_expected)
    assert result.as_json()["evidence"][0]["sentinel"] == found.sentinel.value


def paired() -> tuple[Statement, Paired]:
    """One start of the library's, a thousand pairs."""
    statement, check = next((s, c) for s in library() for c in s.checks if isinstance(c, Paired))
    (first, *_) = check.starts(None)
    return statement, replace(check, starts=lambda batch: [first], draws=2**10, first=2**10)


@pytest.mark.parametrize("make", [escape, exponent, paired])
def test_a_neighbour_that_holds_is_not_refuted_by_the_slow_checks(make: Any) -> None:
    statement, check = make()
    assert type(check).__name__ in SLOW
    claim = holding(statement)
    found = check(claim, Context(0, 1e-3))
    assert found.sentinel is not Verdict.REFUTED
    assert Result(
        claim, Verdict.SUPPORTED, (replace(found, verdict=Verdict.SUPPORTED),)
    ).weak_sentinels == ("simulation",)


MEDIANS = [
    pytest.param(statement, check, id=f"{statement.name}-{number}")
    for statement in library()
    for number, check in enumerate(statement.checks)
    if isinstance(check, Medians)
]


@pytest.mark.parametrize(("statement", "check"), MEDIANS)
def test_a_neighbour_of_medians_that_holds_is_not_refuted(
    statement: Statement, check: Medians
) -> None:
    """On made-up samples for which the claim is true by far, whatever the check would draw."""
    names = sorted({str(s) for side in (statement.lhs, statement.rhs) for s in side.free_symbols})
    sizes = {str(v.symbol): 4.0 for v in statement.variables}
    sampled = [name for name in names if name not in sizes]
    values = np.full(200, _true_at(statement, sizes, sampled))
    case = Case(
        "made up", sizes, lambda context: Sample({name: [values] for name in sampled}), len(sampled)
    )
    claim = holding(statement)
    found = replace(check, cases=lambda batch: [case])(claim, Context(0, 1e-9))
    assert found.verdict is Verdict.SUPPORTED
    assert found.sentinel is Verdict.SUPPORTED
    assert Result(claim, found.verdict, (found,)).weak_sentinels == ("simulation",)


def _true_at(statement: Statement, sizes: dict[str, float], sampled: list[str]) -> float:
    """A value of all that is sampled, the same one, at which the claim holds."""
    if statement.relation == "==":
        return float(statement.rhs.subs({s: sizes[str(s)] for s in statement.rhs.free_symbols}))
    for value in (
        1.0,
        0.5,
        0.0,
        2.0,
        0.1,
        -1.0,
        1.5,
        1e-3,
        1e3,
        -0.1,
        0.25,
        0.9,
        0.75,
        -0.01,
        0.01,
        3.0,
    ):
        given = {**sizes, **dict.fromkeys(sampled, value)}
        if (
            statement.claim.subs({s: given[str(s)] for s in statement.claim.free_symbols})
            == sp.true
        ):
            return value
    raise LookupError(f"{statement.name}: no value was found at which it holds")


def evidence(**given: Any) -> Evidence:
    return Evidence(
        **{
            "method": "search",
            "verdict": Verdict.CERTIFIED,
            "summary": "",
            "sentinel": Verdict.REFUTED,
            **given,
        }
    )


@pytest.mark.parametrize("sentinel", Verdict)
@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("with_batch", [False, True])
def test_a_sentinel_that_stands_makes_the_result_unsound(
    verdict: Verdict, sentinel: Verdict, with_batch: bool
) -> None:
    statement = replace(library()[0], expected=verdict)
    result = Result(statement, verdict, (evidence(verdict=verdict, sentinel=sentinel),), with_batch)
    speaks = verdict in (Verdict.PROVED, Verdict.CERTIFIED, Verdict.SUPPORTED, Verdict.REFUTED)
    upheld = sentinel in (Verdict.PROVED, Verdict.CERTIFIED, Verdict.SUPPORTED)
    weak = speaks and (upheld if with_batch else sentinel is not Verdict.REFUTED)
    assert result.weak_sentinels == (("search",) if weak else ())
    assert result.sound is not weak
    assert result.as_expected is not weak
