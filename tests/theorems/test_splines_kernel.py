"""The kernel on the splines family: what is proved passes, what is changed is rejected. Needs Rocq."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
import sympy as sp
from test_proofs_kernel import rocq_or_skip

from theorems import Statement, get
from theorems.families.splines.boundary import t
from theorems.families.splines.jitter import B, batch_mean, x
from theorems.families.splines.notation import N, b, i, mean, mu, norm_squared, variance
from theorems.minibatch_averages import AverageWithoutReplacement, AverageWithReplacement, BatchSum
from theorems.proofs.bridge import check_file
from theorems.proofs.rocq import RocqError, file_of
from theorems.statement import Assumption


def spline(name: str) -> Statement:
    return get(f"splines.{name}")


LEAST, UNIQUE, IDENTITY = (
    spline(f"total_least_squares:{v}") for v in ("least", "unique", "identity")
)
RESIDUAL, COMMON = spline("residual_variance:identity"), spline("central_arrangement:common")
RAY, BEYOND = spline("central_arrangement:ray"), spline("central_arrangement:unbounded")
LENGTH, DISTANCE = spline("scale_free:length"), spline("scale_free:distance")
MEAN, SPREAD, REPLACED = (
    spline(f"minibatch_jitter:{v}") for v in ("mean", "mean_variance", "replacement_mean_variance")
)
MARGIN = spline("margin_jitter")
PROVED = (
    LEAST,
    UNIQUE,
    IDENTITY,
    RESIDUAL,
    COMMON,
    RAY,
    BEYOND,
    LENGTH,
    DISTANCE,
    MEAN,
    SPREAD,
    MARGIN,
    REPLACED,
)


def domain(statement: Statement, symbol: Any, to: sp.Set) -> Statement:
    return replace(
        statement,
        variables=tuple(
            replace(v, domain=to) if v.symbol == symbol else v for v in statement.variables
        ),
    )


def mean_of(statement: Statement, to: sp.Expr) -> Statement:
    return replace(statement, definitions={**statement.definitions, mean: to})


DEVIATION = (batch_mean - mean) ** 2
CHANGES = {
    "least: the direction": replace(LEAST, relation=">="),
    "least: strictness": replace(LEAST, relation="<"),
    "least: w may be 0": replace(
        LEAST, assumptions=(Assumption(sp.Ge(norm_squared, 0, evaluate=False), ""),)
    ),
    "least: another mean": mean_of(LEAST, LEAST.definitions[mean] * N / (N + 1)),
    "least: no input": domain(LEAST, N, sp.Range(0, sp.oo)),
    "unique: any threshold": replace(UNIQUE, assumptions=UNIQUE.assumptions[:1]),
    "identity: a constant": replace(IDENTITY, rhs=IDENTITY.rhs + (mu - mean) ** 2 / norm_squared),
    "residual: a constant": replace(RESIDUAL, rhs=RESIDUAL.rhs * (1 + sp.Rational(1, 10**7))),
    "common: a sign": replace(COMMON, rhs=-COMMON.rhs),
    "ray: backwards as well": domain(RAY, t, sp.Reals),
    "ray: a side": replace(RAY, rhs=-RAY.rhs),
    "beyond: twice as far": replace(BEYOND, lhs=2 * BEYOND.lhs),
    "length: the variance for its root": replace(LENGTH, lhs=LENGTH.lhs**2, rhs=LENGTH.rhs**2),
    "distance: a factor": replace(DISTANCE, rhs=DISTANCE.rhs * sp.sqrt(N) / sp.sqrt(N + 1)),
    "mean: b for N": replace(MEAN, lhs=AverageWithoutReplacement(batch_mean, B, N, N)),
    "mean: beyond the population": domain(MEAN, b, sp.Range(1, N + 2)),
    "mean: every square": replace(
        MEAN, lhs=AverageWithoutReplacement(BatchSum(x[i] ** 2, i, B) / b, B, b, N)
    ),
    "mean variance: (N-b)/(N+1)": replace(SPREAD, rhs=variance / b * ((N - b) / (N + 1))),
    "mean variance: with replacement": replace(
        SPREAD, lhs=AverageWithReplacement(DEVIATION, B, b, N)
    ),
    "replaced mean variance: without": replace(
        REPLACED, lhs=AverageWithoutReplacement(DEVIATION, B, b, N)
    ),
    "margin: a root": replace(MARGIN, rhs=MARGIN.rhs / sp.sqrt(b)),
}


def parts(statement: Statement) -> tuple[list[str], str]:
    """The lines before the definition, and the definition."""
    text = check_file(statement)
    start = text.index("Definition check :")
    return text[:start].splitlines(), text[start : text.index("Print Assumptions")].rstrip()


def together(cases: Iterable[tuple[Statement, bool]]) -> str:
    """One file for all, since most of what a file costs is loading mathcomp: stated each, then
    checked or refused.
    """
    heads: dict[str, None] = {}
    bodies = []
    for number, (statement, true) in enumerate(cases):
        lines, definition = parts(statement)
        heads |= dict.fromkeys(line for line in lines if line.startswith("Require"))
        claim = definition.partition("\n  := ")[0].replace("check :", f"stated_{number} : Prop :=")
        bodies += [
            f"{claim}.",
            definition.replace("check", f"check_{number}", 1) if true else f"Fail {definition}",
        ]
    return "\n".join(
        [
            "From mathcomp Require Import all_ssreflect all_algebra.",
            *heads,
            "Import Order.Theory GRing.Theory Num.Theory.",
            "Local Open Scope ring_scope.",
            *bodies,
            "",
        ]
    )


def test_the_kernel_tells_the_true_from_the_changed() -> None:
    rocq = rocq_or_skip()
    rocq.build(sorted({file_of(s.proof.theorem) for s in PROVED if s.proof is not None}))
    rocq.compile(
        "splines", together([*((s, True) for s in PROVED), *((s, False) for s in CHANGES.values())])
    )
    with pytest.raises(
        RocqError, match="has not failed"
    ):  # what is proved does not pass for rejected
        rocq.compile(
            "splines",
            together([(LEAST, True), (UNIQUE, False)]).replace(
                "Definition check_0", "Fail Definition check_0"
            ),
        )
