"""What mini-batches do to a decision: how its boundary moves, how far a margin reaches, and which
way a trained shift goes.

Problem. A unit decides by the sign of (x - μ_B)/σ_B, or with a trained shift by that of x - μ_B -
tσ_B, whose mean and variance are those of a mini-batch of b among N samples. How often is a sample
decided otherwise than with all of them, and what is left of the margin between two classes?

Method. Every batch, in exact arithmetic, for small N; for some hundred samples, batches that are
drawn. Cantelli's inequality, with the exact variance of the jitter, proved in Rocq; Jensen's, for
the mean of σ_B.

Guarantee. A sample whose margin is γ, in units of the pre-activation, is decided otherwise by at
most J²/(J² + γ²) of batches, J² = (σ²/b)(N-b)/(N-1): attained at N = 2, b = 1. The jitter is skewed
as the data are, by (N-2b)(N-b)/((N-1)(N-2)b²) times their third moment: not at all for b = N/2. A
trained shift t draws the boundary nearer to the mean than tσ, on average: E σ_B ≤
σ√(N(b-1)/(b(N-1))). The margin of a classifier is that of the nearest sample of either class, γ₊ and
γ₋ from the boundary: a batch that moves it by s = μ_B - μ leaves min(γ₊ - s, γ₋ + s). On average that
is at most min(γ₊, γ₋), as at b = N, and at most J less, as at N = 2, b = 1 with γ₊ = γ₋.

Reference. Classical (sampling from a finite population; Cantelli); BB22 has the subject.

Example:

    >>> [statement.variant for statement in STATEMENTS[:5]]
    ['replacement', 'flips', 'flips_of_moons', 'margin', 'margin_kept']
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from theorems.report.style import Drawing

__all__ = ["FIGURES", "STATEMENTS", "draw"]

Floats = NDArray[np.float64]
Item = Mapping[str, object]

x = sp.IndexedBase("x", real=True)
gamma = sp.Symbol("gamma", positive=True)
gamma_p, gamma_n = sp.symbols("gamma_p gamma_n", positive=True)
third = sp.Symbol("third", real=True)
flipped = sp.Symbol("P_flip", nonnegative=True)

_POPULATION = Variable(x, sp.Reals, "pre-activations of all samples", size=(N,))
_TWO = Variable(N, sp.Range(2, sp.oo), "number of samples")
_THREE = Variable(N, sp.Range(3, sp.oo), "number of samples")
_PART = Variable(b, sp.Range(1, N + 1), "batch size, drawn without replacement")
_ANY = Variable(b, sp.Range(1, sp.oo), "batch size, drawn with replacement")
_MARGIN = Variable(gamma, sp.Interval.Lopen(0, sp.oo), "margin of a sample")
_MARGINS = tuple(
    Variable(margin, sp.Interval.Lopen(0, sp.oo), f"margin of the samples on the {side} side")
    for margin, side in ((gamma_p, "positive"), (gamma_n, "negative"))
)
_MEAN = {mean: average(x[i], i)}
_MOMENTS = {**_MEAN, variance: average((x[i] - mean) ** 2, i)}
_THIRD = {**_MEAN, third: average((x[i] - mean) ** 3, i)}


def _with_margin(item: Item, margin: Fraction) -> Item:
    return {**item, "gamma": margin}


def _margins() -> st.SearchStrategy[Item]:
    margin = st.integers(1, 60).map(lambda whole: Fraction(whole, 6))
    return st.builds(_with_margin, inputs.populations("proper"), margin)


def _margin_corners() -> list[Item]:
    margins = (Fraction(1), Fraction(1, 3))
    corners = inputs.population_corners("proper")
    return [_with_margin(item, margin) for item in corners for margin in margins]


def _with_both(item: Item, positive: Fraction, negative: Fraction) -> Item:
    return {**item, "gamma_p": positive, "gamma_n": negative}


def _both_margins() -> st.SearchStrategy[Item]:
    margin = st.integers(1, 60).map(lambda whole: Fraction(whole, 6))
    return st.builds(_with_both, inputs.populations("proper"), margin, margin)


def _both_margin_corners() -> list[Item]:
    pairs = ((Fraction(1), Fraction(1)), (Fraction(3), Fraction(1, 2)))
    corners = inputs.population_corners("proper")
    return [_with_both(item, *pair) for item in corners for pair in pairs]


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
        return np.asarray(self.moved(seed, count) >= self.margin, dtype=np.float64)

    def moved(self, seed: tuple[int, ...], count: int) -> Floats:
        """By how many jitters J the boundary moves, of so many units."""
        draws = np.random.default_rng(seed)
        found = np.empty(count)
        for k in range(count):
            points = CLOUDS[self.data](self.size, draws)
            heights = points @ draws.standard_normal(points.shape[1])
            chosen = draws.choice(self.size, self.batch, replace=False)
            share = (self.size - self.batch) / ((self.size - 1) * self.batch)
            jitter = heights.std() * np.sqrt(share)
            found[k] = (heights[chosen].mean() - heights.mean()) / jitter
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
_least = (gamma_p + gamma_n - sp.Abs(gamma_p - gamma_n)) / 2
_of_batch = (gamma_p + gamma_n - sp.Abs(gamma_p - gamma_n - 2 * (batch_mean - mean))) / 2
_jitter = sp.sqrt(_jitter_squared)
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
        variant="margin",
        title="No margin grows on average: E min(γ₊ - s, γ₋ + s) ≤ min(γ₊, γ₋), s = μ_B - μ",
        variables=(_TWO, _PART, _POPULATION, *_MARGINS),
        definitions=_MEAN,
        lhs=without(_of_batch),
        relation="<=",
        rhs=_least,
        sentinel=Sentinel("one part in a million less", rhs=(1 - NUDGE) * _least),
        checks=(Pointwise(as_given, _both_margins, _both_margin_corners),),
        depends_on=("splines.minibatch_jitter:mean",),
        remark="min(x, y) is written (x + y - |x - y|)/2. Equality at b = N, and where no batch moves "
        "the boundary past the middle.",
    ),
    _decision(
        variant="margin_kept",
        title="A margin loses at most J on average: E min(γ₊ - s, γ₋ + s) ≥ min(γ₊, γ₋) - J",
        variables=(_TWO, _PART, _POPULATION, *_MARGINS),
        definitions=_MOMENTS,
        lhs=without(_of_batch),
        relation=">=",
        rhs=_least - _jitter,
        sentinel=Sentinel("one part in a million less lost", rhs=_least - (1 - NUDGE) * _jitter),
        checks=(Pointwise(as_given, _both_margins, _both_margin_corners),),
        depends_on=("splines.minibatch_jitter:mean_variance",),
        remark="J² = (σ²/b)(N-b)/(N-1). Attained at N = 2, b = 1 with γ₊ = γ₋.",
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

# --- the figure -----------------------------------------------------------------------------------

_ALL, _BATCHES, _MARGIN_DRAWN = 200, (2, 4, 8, 16, 32, 64, 128, 200), 1.0
_CLOUDS = (("moons", "measured", "o"), ("mixture", "as_printed", "s"))


def _jitters(batch: Floats, replaced: bool) -> Floats:
    """J/σ of batches of these sizes among `_ALL`."""
    kept = 1.0 if replaced else (_ALL - batch) / (_ALL - 1)
    return np.asarray(np.sqrt(kept / batch))


def _shifts(data: str, batch: int, seed: int, count: int = 400) -> Floats:
    """(μ_B - μ)/σ of random units on fresh data."""
    if batch == _ALL:
        return np.zeros(count)
    moved = _Flips(data, _ALL, batch, 0.0).moved((seed, batch), count)
    return np.asarray(moved * _jitters(np.array(batch), False))


def _draw_shifts(axes: Axes, found: Mapping[str, list[Floats]]) -> None:
    from theorems.report.style import COLOURS

    sizes = np.arange(1.0, _ALL + 1)
    axes.plot(sizes, _jitters(sizes, False), color=COLOURS["sharp"], label="without")
    axes.plot(
        sizes,
        _jitters(sizes, True),
        color=COLOURS["corrected"],
        linestyle="--",
        label="with replacement",
    )
    for data, colour, mark in _CLOUDS:
        spread = [np.sqrt((each**2).mean()) for each in found[data]]
        axes.plot(_BATCHES, spread, mark, markersize=4.5, color=COLOURS[colour])
    axes.set(ylabel="r.m.s. shift of the boundary, in σ", ylim=(0, 1.05))


def _draw_flips(axes: Axes, seed: int) -> None:
    from scipy.stats import norm

    from theorems.report.style import COLOURS, INK

    margins = np.linspace(0.02, 3, 100)
    axes.plot(margins, 1 / (1 + margins**2), color=COLOURS["sharp"], label="1/(1 + γ²/J²)")
    axes.plot(
        margins, norm.sf(margins), color=INK, linewidth=1.0, linestyle=":", label="normal law"
    )
    places = np.arange(0.25, 2.76, 0.25)
    for flips, (data, colour, mark) in zip(_FLIPS, _CLOUDS, strict=True):
        moved = flips.moved((seed, 1), 3000)
        shares = [(moved >= place).mean() for place in places]
        label = f"{data}, b = {flips.batch}"
        axes.plot(places, shares, mark, markersize=4, color=COLOURS[colour], label=label)
    axes.plot([1], [0.5], "D", color=COLOURS["corrected"], label="N = 2, b = 1")
    axes.set(
        xlabel="margin γ over the jitter J",
        ylabel="share of batches that decide otherwise",
        yscale="log",
        ylim=(1e-3, 1.3),
    )
    axes.legend(fontsize=7.5, loc="lower left")


def _draw_margins(axes: Axes, found: Mapping[str, list[Floats]]) -> None:
    from theorems.report.style import COLOURS, INK

    sizes = np.arange(1.0, _ALL + 1)
    axes.axhline(_MARGIN_DRAWN, color=INK, linewidth=1.0, label="of all samples")
    axes.plot(sizes, _MARGIN_DRAWN - _jitters(sizes, False), color=COLOURS["sharp"], label="J less")
    for data, colour, mark in _CLOUDS:
        left = [(_MARGIN_DRAWN - np.abs(each)).mean() for each in found[data]]
        axes.plot(_BATCHES, left, mark, markersize=4.5, color=COLOURS[colour], label=data)
    axes.set(ylabel="margin left on average, in σ", ylim=(0, 1.1))
    axes.legend(fontsize=8, loc="lower right")


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """How far mini-batches move a boundary, how often they decide otherwise, what they leave of a
    margin: measured, with the bounds; None if the statements were not run.

    ``document`` is the JSON value of a run. Cost: a second or two.
    """
    from theorems.report.document import find
    from theorems.report.figure_parts import seed_of, ticks
    from theorems.report.style import Drawing, drawing, new_figure

    if find(document, STATEMENTS[1].name) is None:
        return None
    seed = seed_of(document)
    found = {data: [_shifts(data, size, seed) for size in _BATCHES] for data, _, _ in _CLOUDS}
    with drawing():
        figure = new_figure(9.6, 3.2)
        first, second, third = figure.subplots(1, 3)
        _draw_shifts(first, found)
        _draw_flips(second, seed)
        _draw_margins(third, found)
        first.legend(fontsize=8)
        for axes in (first, third):
            axes.set(xlabel=f"batch size b, of N = {_ALL}", xscale="log")
            ticks(axes.xaxis, (1, 4, 16, 64, 200))
    return Drawing(
        "minibatch_decision",
        "What mini-batches do to a decision",
        "Random units on moons (blue) and a mixture (orange). Left: how far the boundary moves, and "
        "the exact r.m.s. J. Middle: how often a sample of margin γ is decided otherwise, and "
        "Cantelli's bound, which two samples attain. Right: what is left on average of a margin of σ "
        "to both sides; it never grows, and loses at most J.",
        figure,
        ("splines.minibatch_decision", "splines.minibatch_jitter", "splines.margin_jitter"),
    )


FIGURES = (draw,)
