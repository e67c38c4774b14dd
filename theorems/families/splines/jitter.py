"""A mini-batch of b among N inputs: the exact moments of its mean and variance, and how far they
move the boundary.

Batches are equally likely, drawn without replacement (every set of b) or with it (every sequence of
b).
"""

from __future__ import annotations

from functools import partial

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.splines import inputs
from theorems.families.splines.notation import (
    CLASSICAL,
    DATA,
    DEFINITIONS,
    DIMENSION,
    FAMILY,
    NONZERO,
    NORM,
    ROCQ,
    WEIGHT,
    N,
    average,
    b,
    i,
    j,
    mean,
    norm_squared,
    pre_activation,
    variance,
)
from theorems.minibatch_averages import AverageWithoutReplacement, AverageWithReplacement, BatchSum
from theorems.statement import NUDGE, Proof, Quantifier, Sentinel, Statement, Variable, Verdict

B = sp.Symbol("B")
x = sp.IndexedBase("x", real=True)

_POPULATION = Variable(x, sp.Reals, "pre-activations of all inputs", size=(N,))
_ONE = Variable(N, sp.Range(1, sp.oo), "number of inputs")
_TWO = Variable(N, sp.Range(2, sp.oo), "number of inputs, at least 2")
_PART = Variable(b, sp.Range(1, N + 1), "batch size, drawn without replacement")
_ANY = Variable(b, sp.Range(1, sp.oo), "batch size, drawn with replacement")

_MEAN = {mean: average(x[i], i)}
_MOMENTS = {**_MEAN, variance: average((x[i] - mean) ** 2, i)}

batch_mean = BatchSum(x[i], i, B) / b
batch_variance = BatchSum((x[i] - BatchSum(x[j], j, B) / b) ** 2, i, B) / b


def without(term: sp.Expr) -> sp.Expr:
    """E of ``term``, which names the batch B, over b of N inputs drawn without replacement.

    Example:
        >>> without(batch_mean).has(AverageWithoutReplacement)
        True
    """
    return AverageWithoutReplacement(term, B, b, N)


def replaced(term: sp.Expr) -> sp.Expr:
    """E of ``term``, which names the batch B, over b of N inputs drawn with replacement.

    Example:
        >>> replaced(batch_mean).has(AverageWithReplacement)
        True
    """
    return AverageWithReplacement(term, B, b, N)


def _tried(kind: str) -> tuple[Pointwise[inputs.Item]]:
    """Populations and batch sizes of a kind of `inputs.population_corners`."""
    populations = partial(inputs.populations, kind)
    return (Pointwise(as_given, populations, partial(inputs.population_corners, kind)),)


def _proof(theorem: str, script: str) -> Proof:
    return Proof(theorem=f"{ROCQ}.MinibatchJitter.{theorem}", script=script)


_jitter = partial(
    Statement,
    family=FAMILY,
    theorem="minibatch_jitter",
    quantifier=Quantifier.POINTWISE,
    source=CLASSICAL,
    relation="==",
    expected=Verdict.CERTIFIED,
)
_SIZED = "move=> R N b x mean v N2 b1; rewrite addn1 ltnS"
_NUDGED = "one part in a million more"
MEAN = _jitter(
    variant="mean",
    title="Without replacement: E μ_B = μ",
    variables=(_ONE, _PART, _POPULATION),
    definitions=_MEAN,
    lhs=without(batch_mean),
    rhs=mean,
    sentinel=Sentinel(_NUDGED, rhs=mean * (1 + NUDGE)),
    checks=_tried("part"),
    proof=_proof(
        "minibatch_mean",
        "move=> R N b x mean N1 b1; rewrite addn1 ltnS => bN defmean; (have _ : (1 <= N)%N := N1); "
        "exact: (THEOREM b1 bN defmean)",
    ),
)
JITTER = (
    _jitter(
        variant="mean_variance",
        title="Without replacement: Var μ_B = (σ²/b)(N-b)/(N-1)",
        variables=(_TWO, _PART, _POPULATION),
        definitions=_MOMENTS,
        lhs=without((batch_mean - mean) ** 2),
        rhs=variance / b * ((N - b) / (N - 1)),
        checks=_tried("proper"),
        sentinel=Sentinel("(N-b)/N for (N-b)/(N-1)", rhs=variance / b * ((N - b) / N)),
        proof=_proof(
            "minibatch_mean_variance",
            f"{_SIZED} => bN defmean defv; rewrite (THEOREM b1 bN N2 defmean defv) "
            "mulf_div; exact: erefl",
        ),
        remark="No jitter at b = N; without the factor (N-b)/(N-1) the draws would be with "
        "replacement.",
    ),
    _jitter(
        variant="variance",
        title="Without replacement: E σ_B² = σ² N(b-1)/(b(N-1))",
        variables=(_TWO, _PART, _POPULATION),
        definitions=_MOMENTS,
        lhs=without(batch_variance),
        rhs=variance * (N * (b - 1)) / (b * (N - 1)),
        checks=_tried("proper"),
        sentinel=Sentinel("(b-1)/b, as with replacement", rhs=variance * (b - 1) / b),
        proof=_proof(
            "minibatch_variance",
            f"{_SIZED} => bN defmean defv; rewrite (THEOREM b1 bN N2 defmean defv) "
            "mulrA [v * _]mulrCA mulrA; exact: erefl",
        ),
    ),
    _jitter(
        variant="replacement_mean",
        title="With replacement: E μ_B = μ",
        variables=(_ONE, _ANY, _POPULATION),
        definitions=_MEAN,
        lhs=replaced(batch_mean),
        rhs=mean,
        sentinel=Sentinel(_NUDGED, rhs=mean * (1 + NUDGE)),
        checks=_tried("any"),
        proof=_proof(
            "replacement_mean", "move=> R N b x mean N1 b1 defmean; exact: (THEOREM b1 N1 defmean)"
        ),
    ),
    _jitter(
        variant="replacement_mean_variance",
        title="With replacement: Var μ_B = σ²/b",
        variables=(_ONE, _ANY, _POPULATION),
        definitions=_MOMENTS,
        lhs=replaced((batch_mean - mean) ** 2),
        rhs=variance / b,
        sentinel=Sentinel(
            "times (N-b)/N, nearly as without replacement", rhs=variance / b * ((N - b) / N)
        ),
        checks=_tried("any"),
        proof=_proof(
            "replacement_mean_variance",
            "move=> R N b x mean v N1 b1 defmean defv; exact: (THEOREM b1 N1 defmean defv)",
        ),
    ),
    _jitter(
        variant="replacement_variance",
        title="With replacement: E σ_B² = σ²(b-1)/b",
        variables=(_ONE, _ANY, _POPULATION),
        definitions=_MOMENTS,
        lhs=replaced(batch_variance),
        rhs=variance * ((b - 1) / b),
        sentinel=Sentinel("σ² itself, Bessel's factor forgotten", rhs=variance),
        checks=_tried("any"),
        proof=_proof(
            "replacement_variance",
            "by move=> R N b x mean v N1 b1 defmean defv; rewrite -[RHS]mulrA; "
            "apply: (THEOREM b1 N1 defmean defv)",
        ),
    ),
)

_shift = (BatchSum(pre_activation(i), i, B) / b - mean) / sp.sqrt(norm_squared)
MARGIN_JITTER = Statement(
    family=FAMILY,
    theorem="margin_jitter",
    quantifier=Quantifier.POINTWISE,
    source=CLASSICAL,
    title="A mini-batch moves the boundary by r.m.s. σ/(‖w‖√b)·√((N-b)/(N-1))",
    variables=(_TWO, _PART, DIMENSION, WEIGHT, DATA),
    definitions=DEFINITIONS,
    assumptions=(NONZERO,),
    lhs=sp.sqrt(without(_shift**2)),
    relation="==",
    rhs=sp.sqrt(variance) / (sp.sqrt(norm_squared) * sp.sqrt(b)) * sp.sqrt((N - b) / (N - 1)),
    sentinel=Sentinel(
        "(N-b)/N for (N-b)/(N-1)",
        rhs=sp.sqrt(variance) / (sp.sqrt(norm_squared) * sp.sqrt(b)) * sp.sqrt((N - b) / N),
    ),
    expected=Verdict.CERTIFIED,
    depends_on=("splines.minibatch_jitter:mean_variance",),
    checks=(
        Pointwise(
            as_given,
            inputs.drawn_units,
            inputs.drawn_unit_corners,
            squares=True,
        ),
    ),
    proof=_proof(
        "margin_jitter",
        "by move=> R N b d w z mean v N2 b1; rewrite addn1 ltnS => bN d1 defmean -> w2; "
        "(have _ : (1 <= d)%N := d1); rewrite -[RHS]mulrA [RHS]mulrC "
        f"-(THEOREM b1 bN N2 ({NORM} w2) (fun=> erefl) defmean erefl); congr (Num.sqrt (_ / _)); "
        "apply: eq_bigr => B _; rewrite expr_div_n sqr_sqrtr ?ltW",
    ),
    remark="The boundaries {⟨w,z⟩ = μ_B} and {⟨w,z⟩ = μ} are parallel, |μ_B - μ|/‖w‖ apart.",
)

STATEMENTS = (
    MEAN,
    *JITTER,
    MARGIN_JITTER,
)
