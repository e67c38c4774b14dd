"""What the pytest plugin does once an item runs: verify, and explain a failure so that it can be
replayed.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import ArrayLike

from simulators.batches import Batch
from theorems.checking.expectation import Expectation
from theorems.checking.scaling import Scaling
from theorems.registry import get
from theorems.shipped_claims import SHIPPED
from theorems.statement import Evidence, Quantifier, Statement, Verdict
from theorems.verification import Result, verify
from theorems.witnesses import CorpusError, spelled
from theorems.workbench.adversaries import margin, refuting
from theorems.workbench.conjecture import Conjecture, conjecture, name_of
from theorems.workbench.declaration import WrittenClaim
from theorems.workbench.parsing import ClaimError

__all__ = [
    "ClaimFailedError",
    "Surroundings",
    "check",
    "check_any",
    "explained",
    "failure",
    "traits",
]


class Surroundings(Protocol):
    """What an item may spend and where it reports.

    - ``seed``, ``level``, ``budget``: as `theorems.verify` takes them
    - ``corpus``: where witnesses are kept
    - ``directory``: from which pytest was started
    - ``nodeid``: of the item
    """

    seed: int
    level: float
    budget: float | None
    corpus: Path
    directory: Path
    nodeid: str

    def spend(self) -> None:
        """Leave a part of the level for further claims of the item: called once before each of
        them.
        """

    def report(self, **found: object) -> None:
        """Note what was found for the summary at the end of the run.

        Args:
            found: by name: "claim", "verdict", "level", "witness" and "replay", as text and
                numbers.
        """


class ClaimFailedError(AssertionError):
    """A claim got another verdict than expected, or its false neighbour survived.

    The message is the whole report.
    """


def traits(claim: Conjecture | Statement) -> tuple[str, str, str]:
    """Family, quantifier and cost of a claim, as the markers name them.

    The cost is "low" for what is decided exactly, "high" for what is sampled.

    Args:
        claim: stated by a user, or of the library.

    Example:
        >>> traits(conjecture("x**2 >= x", over="parameters", x="[1, 2]"))[1:]
        ('pointwise', 'low')
    """
    if isinstance(claim, Conjecture):
        low = claim.quantifier in (Quantifier.POINTWISE, Quantifier.MEAN_FIELD)
    else:
        low = not any(isinstance(c, Expectation | Scaling) for c in claim.checks)
    return claim.family, claim.quantifier.value.replace(" ", "_"), "low" if low else "high"


def check(
    claim: Conjecture | Statement, around: Surroundings, *, batch: Batch | ArrayLike | None = None
) -> Result:
    """Verify one claim and note it for the summary.

    - ``batch``: as `theorems.verify` takes it

    Raises `ClaimFailedError` unless it is as expected.
    """
    __tracebackhide__ = True
    statement = claim.statement(corpus=around.corpus) if isinstance(claim, Conjecture) else claim
    result = verify(
        [statement], seed=around.seed, level=around.level, budget=around.budget, batch=batch
    )[0]
    again = _again(claim, statement, around)
    around.report(
        claim=statement.name,
        verdict=result.verdict.value,
        level=around.level,
        witness=_witness(result),
        replay=again,
    )
    if not result.as_expected:
        raise ClaimFailedError(failure(result, around, again))
    return result


def check_any(
    claim: Conjecture | Statement | WrittenClaim,
    around: Surroundings,
    *,
    batch: Batch | ArrayLike | None = None,
    expected: str | None = None,
    **options: Any,
) -> Result:
    """As `check`, for whatever names or states a claim.

    - ``claim``: a conjecture, a statement, a name of the library, or what `theorems.conjecture`
      takes, with its ``options``
    - ``expected``: the verdict, in the place of the claim's own

    Raises `ClaimFailedError` unless it is as expected, `ClaimError` for a claim that makes no
    sense, and ``TypeError`` for options of what is a claim already.
    """
    __tracebackhide__ = True
    around.spend()
    if isinstance(claim, str) and not any(sign in claim for sign in "<>="):
        claim = get(claim)
    if not isinstance(claim, Conjecture | Statement):
        given = {"expected": expected} if expected else {}
        found: Conjecture = conjecture(claim, **{"name": "claim", **given, **options})
        found.module, found.file = around.nodeid.partition("::")[0].removesuffix(".py"), None
        found.name = found.name if "name" in options else name_of(found)
        return check(found, around, batch=batch)
    if options:
        raise TypeError(
            f"verify_claim: {', '.join(options)} would declare a claim, and {claim!r} is one "
            "already"
        )
    if isinstance(claim, Statement) and expected is not None:
        claim = replace(claim, expected=Verdict(expected))
    return check(claim, around, batch=batch)


def explained(error: BaseException) -> str | None:
    """The report of a failed claim, or the one line of a claim or corpus that makes no sense.

    None for any other error.

    Args:
        error: whatever was raised in a test.

    Example:
        >>> explained(ClaimError("n: want whole numbers")), explained(KeyError("n"))
        ('n: want whole numbers', None)
    """
    return str(error) if isinstance(error, ClaimFailedError | ClaimError | CorpusError) else None


def failure(result: Result, around: Surroundings, again: str | None) -> str:
    """Claim, verdict, witness, margin, seed, power, and how to see it again, a line each.

    - ``again``: the command that repeats the check; None if there is none
    """
    s = result.statement
    weak = ", ".join(result.weak_sentinels)
    lines = [
        ("claim", f"{s.name}: {s.lhs} {s.relation} {s.rhs}"),
        ("", s.title),
        *(("assuming", a.words) for a in s.assumptions),
        ("verdict", f"{result.verdict.value}, expected {s.expected.value}"),
        *[("sentinel", f"survived ({weak}): {s.sentinel.words}")] * bool(weak),
        *(("evidence", f"{e.method}: {e.verdict.value}, {e.summary}") for e in result.evidence),
        ("witness", _witness(result) or "none"),
        ("margin", _margin(result)),
        ("power", _power(result)),
        ("seed", f"{around.seed}, error level {around.level:.3g}"),
        *[("replay", again)] * (again is not None),
    ]
    return "\n".join(f"{name:<9} {text}" if text else "" for name, text in lines)


def _power(result: Result) -> str:
    if not result.power:
        return "none measured" if result.power is None else "exact"
    violation = f"of {result.power:.2g} of the bound"
    if any(e.method == "sampling" for e in result.evidence):
        violation = f"on a share {result.power:.2g} of the inputs"
    return f"a violation {violation} would have been noticed"


def _deciding(result: Result) -> Evidence | None:
    refuting = [e for e in result.evidence if e.verdict is Verdict.REFUTED]
    return next(iter((*refuting, *result.evidence)), None)


def _witness(result: Result) -> str:
    """The input that refutes, as text; the instance, for a mean."""
    if result.verdict is not Verdict.REFUTED or (evidence := _deciding(result)) is None:
        return ""
    found = evidence.details.get("witness")
    if isinstance(found, Mapping):
        return ", ".join(f"{k} = {spelled(v)}" for k, v in found.items())
    if found is not None:
        return spelled(found)
    if row := refuting(evidence):
        return f"{row['instance']}" + f", ell={row['ell']:g}" * ("ell" in row)
    return evidence.summary


def _margin(result: Result) -> str:
    """How far the left side is beyond the right, or short of it."""
    evidence = _deciding(result)
    if evidence and (row := refuting(evidence)):
        return margin(row)
    if evidence and "margin" in evidence.details:
        return str(evidence.details["margin"])
    tightness = result.tightness
    return "not measured" if tightness is None else f"measured / bound {tightness:.6g}"


def _again(claim: Conjecture | Statement, statement: Statement, around: Surroundings) -> str | None:
    """The command that repeats the very same check: same claim, seed and error level."""
    name, corpus = statement.name, ""
    if isinstance(claim, Conjecture):
        if not claim.file or not claim.name or not os.path.exists(claim.file):
            return None
        shipped = {path: name for name, path in SHIPPED.items()}
        file = shipped.get(Path(claim.file), os.path.relpath(claim.file, around.directory))
        name = f"{file}::{claim.name}"
        corpus = f" --corpus {shlex.quote(os.path.relpath(around.corpus, around.directory))}"
    found = f"theorems verify {shlex.quote(name)} --seed {around.seed} --level {around.level!r}"
    budget = "" if around.budget is None else f" --budget {around.budget:g}"
    return found + corpus + budget
