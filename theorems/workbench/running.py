"""What the pytest plugin does once an item runs: verify, and explain a failure so that it can be replayed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from theorems.checking.expectation import Expectation
from theorems.checking.scaling import Scaling
from theorems.registry import get
from theorems.statement import Evidence, Quantifier, Statement, Verdict
from theorems.verification import Result, verify
from theorems.witnesses import CorpusError, spelled
from theorems.workbench.conjecture import Conjecture, conjecture, name_of
from theorems.workbench.loading import EXAMPLES
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
    """What an item may spend and where it reports."""

    seed: int
    level: float
    budget: float | None
    corpus: Path
    directory: Path
    nodeid: str

    def spend(self) -> None: ...

    def report(self, **found: Any) -> None: ...


class ClaimFailedError(AssertionError):
    """A claim got another verdict than expected, or its false neighbour survived. The message is the whole report."""


def traits(claim: Conjecture | Statement) -> tuple[str, str, str]:
    """Family, quantifier and cost, as the markers name them."""
    if isinstance(claim, Conjecture):
        low = claim.quantifier in (Quantifier.POINTWISE, Quantifier.MEAN_FIELD)
    else:
        low = not any(isinstance(c, Expectation | Scaling) for c in claim.checks)
    return claim.family, claim.quantifier.value.replace(" ", "_"), "low" if low else "high"


def check(claim: Conjecture | Statement, around: Surroundings, *, batch: Any = None) -> Result:
    """Verify one claim, note it for the summary, and raise :class:`ClaimFailedError` unless it is as expected."""
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
    claim: Any,
    around: Surroundings,
    *,
    batch: Any = None,
    expected: str | None = None,
    **options: Any,
) -> Result:
    """As :func:`check`, for a conjecture, a statement, a name of the library, or a claim as text with its options."""
    __tracebackhide__ = True
    around.spend()
    if isinstance(claim, str) and not any(sign in claim for sign in "<>="):
        claim = get(claim)
    elif not isinstance(claim, Conjecture | Statement):
        claim = conjecture(
            claim, **{"name": "claim", **({"expected": expected} if expected else {}), **options}
        )
        claim.module, claim.file = around.nodeid.partition("::")[0].removesuffix(".py"), None
        if "name" not in options:
            claim.name = name_of(claim)
        options = {}
    if options:
        raise TypeError(
            f"verify_claim: {', '.join(options)} would declare a claim, and {claim!r} is one already"
        )
    if isinstance(claim, Statement) and expected is not None:
        claim = replace(claim, expected=Verdict(expected))
    return check(claim, around, batch=batch)


def explained(error: BaseException) -> str | None:
    """The report of a failed claim, or the one line of one (or of a corpus) that makes no sense; None otherwise."""
    return str(error) if isinstance(error, ClaimFailedError | ClaimError | CorpusError) else None


def failure(result: Result, around: Surroundings, again: str | None) -> str:
    """Claim, verdict, witness, margin, seed, power, and how to see it again."""
    s = result.statement
    lines = [("claim", f"{s.name}: {s.lhs} {s.relation} {s.rhs}"), ("", s.title)]
    lines += [("assuming", a.words) for a in s.assumptions]
    lines.append(("verdict", f"{result.verdict.value}, expected {s.expected.value}"))
    if result.weak_sentinels:
        lines.append(
            ("sentinel", f"survived ({', '.join(result.weak_sentinels)}): {s.sentinel.words}")
        )
    lines += [("evidence", f"{e.method}: {e.verdict.value}, {e.summary}") for e in result.evidence]
    lines += [("witness", _witness(result) or "none"), ("margin", _margin(result))]
    power, drawn = result.power, any(e.method == "sampling" for e in result.evidence)
    lines.append(
        (
            "power",
            "none measured"
            if power is None
            else "exact"
            if power == 0
            else f"a violation {f'on a share {power:.2g} of the inputs' if drawn else f'of {power:.2g} of the bound'} "
            "would have been noticed",
        )
    )
    lines.append(("seed", f"{around.seed}, error level {around.level:.3g}"))
    if again is not None:
        lines.append(("replay", again))
    return "\n".join(f"{name:<9} {text}" if text else "" for name, text in lines)


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
    row = _worst(evidence)
    return (
        str(row["instance"]) + f", ell={row['ell']:g}" * ("ell" in row) if row else evidence.summary
    )


def _worst(evidence: Evidence) -> Mapping[str, Any] | None:
    return next(
        (r for r in evidence.details.get("readouts", ()) if r["verdict"] == Verdict.REFUTED.value),
        None,
    )


def _margin(result: Result) -> str:
    """How far the left side is beyond the right, or short of it."""
    evidence = _deciding(result)
    row = _worst(evidence) if evidence else None
    if row:
        return f"mean in [{row['low']:.6g}, {row['high']:.6g}], bound {row['bound']:.6g}"
    if evidence and "margin" in evidence.details:
        return str(evidence.details["margin"])
    return (
        "not measured" if result.tightness is None else f"measured / bound {result.tightness:.6g}"
    )


def _again(claim: Conjecture | Statement, statement: Statement, around: Surroundings) -> str | None:
    """The command that repeats the very same check: same claim, seed and error level."""
    if isinstance(claim, Conjecture):
        if not claim.file or not claim.name or not os.path.exists(claim.file):
            return None
        shipped = Path(claim.file) == EXAMPLES
        name = f"{'examples' if shipped else os.path.relpath(claim.file, around.directory)}::{claim.name}"
    else:
        name = statement.name
    found = f"theorems verify {shlex.quote(name)} --seed {around.seed} --level {around.level!r}"
    if isinstance(claim, Conjecture):
        found += f" --corpus {shlex.quote(os.path.relpath(around.corpus, around.directory))}"
    return found + (f" --budget {around.budget:g}" if around.budget is not None else "")
