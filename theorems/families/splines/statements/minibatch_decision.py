"""What mini-batches do to a decision: how its boundary moves, how far a margin reaches, and which
way a trained shift goes.

Problem. A unit decides by the sign of (x - μ_B)/σ_B, or with a trained shift by that of x - μ_B -
tσ_B, whose mean and variance are those of a mini-batch of b among N samples. How often is a sample
decided otherwise than with all of them?

Method. Every batch, in exact arithmetic, for small N; for some hundred samples, batches that are
drawn. Cantelli's inequality, with the exact variance of the jitter, proved in Rocq; Jensen's, for
the mean of σ_B.

Guarantee. A sample whose margin is γ, in units of the pre-activation, is decided otherwise by at
most J²/(J² + γ²) of batches, J² = (σ²/b)(N-b)/(N-1): attained at N = 2, b = 1. The jitter is skewed
as the data are, by (N-2b)(N-b)/((N-1)(N-2)b²) times their third moment: not at all for b = N/2. A
trained shift t draws the boundary nearer to the mean than tσ, on average: E σ_B ≤
σ√(N(b-1)/(b(N-1))).

Reference. Classical (sampling from a finite population; Cantelli); BB22 has the subject.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['replacement', 'flips', 'flips_of_moons', 'skew', 'skew_replacement', 'shift']
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from simulators.lazy import strategies as st
from theorems.checking.drawn_means import DrawnMeans, MeanCase
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.splines import inputs
from theorems.families.splines.clouds import CLOUDS
from theorems.families.splines.jitter import batch_mean, batch_variance, replaced, without
from theorems.families.splines.notation import (
    CLASSICAL,
    FAMILY,
    ROCQ,
    N,
    average,
    b,
    i,
    mean,
    variance,
)
from theorems.statement import (
    NUDGE,
    Proof,
    Quantifier,
    Sentinel,
    Source,
    Statement,
    Variable,
    Verdict,
)

__all__ = ["FIGURES", "STATEMENTS"]

Floats = NDArray[np.float64]
Item = Mapping[str, object]

x = sp.IndexedBase("x", real=True)
gamma = sp.Symbol("gamma", positive=True)
third = sp.Symbol("third", real=True)
flipped = sp.Symbol("P_flip", nonnegative=True)

_POPULATION = Variable(x, sp.Reals, "pre-activations of all samples", size=(N,))
_TWO = Variable(N, sp.Range(2, sp.oo), "number of samples")
_THREE = Variable(N, sp.Range(3, sp.oo), "number of samples")
_PART = Variable(b, sp.Range(1, N + 1), "batch size, drawn without replacement")
_ANY = Variable(b, sp.Range(1, sp.oo), "batch size, drawn with replacement")
_MARGIN = Variable(gamma, sp.Interval.Lopen(0, sp.oo), "margin of a sample")
_MOMENTS = {mean: average(x[i], i), variance: average((x[i] - mean) ** 2, i)}
_THIRD = {mean: average(x[i], i), third: average((x[i] - mean) ** 3, i)}


def _with_margin(item: Item, margin: Fraction) -> Item:
    return {**item, "gamma": margin}


def _margins() -> st.SearchStrategy[Item]:
    margin = st.integers(1, 60).map(lambda whole: Fraction(whole, 6))
    return st.builds(_with_margin, inputs.populations("proper"), margin)


def _margin_corners() -> list[Item]:
    margins = (Fraction(1), Fraction(1, 3))
    corners = inputs.population_corners("proper")
    return [_with_margin(item, margin) for item in corners for margin in margins]


def _at_least(size: int, kind: str) -> list[Item]:
    return [item for item in inputs.population_corners(kind) if len(item["x"]) >= size]  # type: ignore[arg-type]


def _three(kind: str) -> st.SearchStrategy[Item]:
    return inputs.populations(kind).filter(lambda item: len(item["x"]) >= 3)  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Flips:
    """A random unit on fresh data, a batch, a sample at ``margin`` times the jitter."""

    data: str
    size: int
    batch: int
    margin: float

    def drawn(self, seed: tuple[int, ...], count: int) -> Floats:
        """Whether the batch decides otherwise, of so many units."""
        draws = np.random.default_rng(seed)
        found = np.empty(count)
        for k in range(count):
            points = CLOUDS[self.data](self.size, draws)
            heights = points @ draws.standard_normal(points.shape[1])
            chosen = draws.choice(self.size, self.batch, replace=False)
            share = (self.size - self.batch) / ((self.size - 1) * self.batch)
            jitter = heights.std() * np.sqrt(share)
            found[k] = heights[chosen].mean() - heights.mean() >= self.margin * jitter
        return found

    def case(self) -> MeanCase:
        return MeanCase(
            label=f"{self.data}, N={self.size}, b={self.batch}",
            values={"gamma": self.margin},
            draw=self.drawn,
            support=(0.0, 1.0),
            most=40_000,
        )


_FLIPS = (_Flips("moons", 200, 16, 2.0), _Flips("mixture", 200, 32, 2.0))

_decision = partial(
    Statement,
    family=FAMILY,
    theorem="minibatch_decision",
    quantifier=Quantifier.POINTWISE,
    source=CLASSICAL,
    expected=Verdict.CERTIFIED,
)
_jitter_squared = variance * (N - b) / (b * (N - 1))
_beyond = sp.Piecewise((1, sp.Ge(batch_mean - mean, gamma)), (0, True))
_cantelli = _jitter_squared / (_jitter_squared + gamma**2)
_skewed = third * (N - b) * (N - 2 * b) / (b**2 * (N - 1) * (N - 2))
_drawn_deviation = sp.sqrt(variance * (N * (b - 1)) / (b * (N - 1)))

STATEMENTS = (
    _decision(
        variant="replacement",
        title="With replacement the boundary moves by r.m.s. σ/√b, ‖w‖ = 1",
        variables=(_TWO, _ANY, _POPULATION),
        definitions=_MOMENTS,
        lhs=sp.sqrt(replaced((batch_mean - mean) ** 2)),
        relation="==",
        rhs=sp.sqrt(variance) / sp.sqrt(b),
        sentinel=Sentinel(
            "as without replacement", rhs=sp.sqrt(variance) / sp.sqrt(b) * sp.sqrt((N - 1) / N)
        ),
        checks=(
            Pointwise(
                as_given,
                partial(inputs.populations, "any"),
                partial(inputs.population_corners, "any"),
                squares=True,
            ),
        ),
        depends_on=("splines.minibatch_jitter:replacement_mean_variance",),
    ),
    _decision(
        variant="flips",
        title="A margin γ is crossed in at most J²/(J² + γ²) of batches, J² = (σ²/b)(N-b)/(N-1)",
        variables=(_TWO, _PART, _POPULATION, _MARGIN),
        definitions=_MOMENTS,
        lhs=without(_beyond),
        relation="<=",
        rhs=_cantelli,
        sentinel=Sentinel("one part in a million fewer", rhs=(1 - NUDGE) * _cantelli),
        checks=(Pointwise(as_given, _margins, _margin_corners),),
        proof=Proof(
            theorem=f"{ROCQ}.MinibatchDecision.minibatch_flips",
            also=(f"{ROCQ}.MinibatchDecision.cantelli",),
            script="move=> R N b x gamma mean v N2 b1; rewrite addn1 ltnS => bN gamma0 defmean defv; "
            "exact: (THEOREM b1 bN N2 gamma0 defmean defv)",
        ),
        depends_on=("splines.minibatch_jitter:mean_variance",),
        remark="Crossed to one side, as a sample has its margin to one side. Attained at N = 2, b = 1.",
    ),
    _decision(
        variant="flips_of_moons",
        title="Twice the jitter is crossed in at most 1/25 of batches of moons and mixtures, not 1/5",
        quantifier=Quantifier.PROBABILITY,
        source=Source("ours", ""),
        variables=(),
        definitions={flipped: "share of units and batches with μ_B - μ ≥ 2J"},
        lhs=flipped,
        relation="<=",
        rhs=sp.Rational(1, 25),
        sentinel=Sentinel("at most 1/100", rhs=sp.Rational(1, 100)),
        expected=Verdict.SUPPORTED,
        checks=(DrawnMeans(lambda batch: [each.case() for each in _FLIPS]),),
        remark="Nearly the normal law's share, .0228 at γ = 2.",
    ),
    _decision(
        variant="skew",
        title="Without replacement E(μ_B - μ)³ = E(x - μ)³ (N-b)(N-2b)/(b²(N-1)(N-2))",
        variables=(_THREE, _PART, _POPULATION),
        definitions=_THIRD,
        lhs=without((batch_mean - mean) ** 3),
        relation="==",
        rhs=_skewed,
        sentinel=Sentinel("as with replacement", rhs=third / b**2),
        checks=(Pointwise(as_given, partial(_three, "proper"), partial(_at_least, 3, "proper")),),
        remark="Not skewed at all for b = N/2, whatever the data.",
    ),
    _decision(
        variant="skew_replacement",
        title="With replacement E(μ_B - μ)³ = E(x - μ)³/b²",
        variables=(_TWO, _ANY, _POPULATION),
        definitions=_THIRD,
        lhs=replaced((batch_mean - mean) ** 3),
        relation="==",
        rhs=third / b**2,
        sentinel=Sentinel("one part in a million more", rhs=(1 + NUDGE) * third / b**2),
        checks=(
            Pointwise(
                as_given,
                partial(inputs.populations, "any"),
                partial(inputs.population_corners, "any"),
            ),
        ),
    ),
    _decision(
        variant="shift",
        title="A trained shift tσ_B is drawn nearer: E σ_B ≤ σ√(N(b-1)/(b(N-1)))",
        variables=(_TWO, _PART, _POPULATION),
        definitions=_MOMENTS,
        lhs=without(sp.sqrt(batch_variance)),
        relation="<=",
        rhs=_drawn_deviation,
        sentinel=Sentinel("one part in a million less", rhs=(1 - NUDGE) * _drawn_deviation),
        checks=(
            Pointwise(
                as_given,
                partial(inputs.populations, "proper"),
                partial(inputs.population_corners, "proper"),
                squares=True,
            ),
        ),
        depends_on=("splines.minibatch_jitter:variance",),
        remark="Equality at b = N. The boundary is {x = μ_B + tσ_B}, and E μ_B = μ.",
    ),
)
FIGURES = ()
