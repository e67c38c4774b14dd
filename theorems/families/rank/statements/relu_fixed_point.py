"""With ReLU a deep rescaled network keeps some 8 directions, as n, d → ∞: a fixed point.

Problem. Linear layers with rescaled rows keep the rank √d of many samples. With ReLU the measured
rank stops near 7 to 8 and does not grow with the width. What stops it?

Method. ReLU makes samples alike and rescaling parts them. At infinite width and for n → ∞ samples
the correlation k of the samples after ReLU obeys, with z ~ N(0, k/(1-k)),
k⁺ = 2 E[(zΦ(z) + φ(z))²/(1 + z²)], and before ReLU, where rows are rescaled, it is
ρ = E[z²/(1 + z²)]; r = 1/ρ². The map is enclosed in balls over cells that cover [0, 9/10]; above,
1 - k⁺ ≥ (1 - 1/π)(1 - ρ), which has a closed form. With mean subtraction too the samples are
symmetric in 1^⊥, of correlation -1/(n-1), and ReLU takes them to κ = κ(-1/(n-1)). Networks of a few
widths are averaged over layers, from orthogonal samples.

Guarantee. k⁺ - k ≥ ¼(518/1000 - k) for k up to 518/1000 and k - k⁺ ≥ ½(1-k)(k - 519/1000) from
519/1000 on: k rises below and falls above, so that a fixed point lies between these and none but
k = 1 elsewhere; there the rank before ReLU is within 1/20 of 7.89. That every path ends there does
not follow, as overshoot and cycles of two are not excluded. With mean subtraction the rank after
ReLU is R_n = n/(1 + (n-1)κ²), with 1/R_n ≥ 1/π² + 1/(2n), so below π². At finite width
0 ≤ 1/r̄ - 1/R_n ≤ 5/d (9/4 /d with mean subtraction, n ≤ 2√d) for the sizes tried, so that small
widths keep less: 5.1 at d = n = 64, rows rescaled, where R_n is 7.28.

Reference. Ours. That networks follow the map is the width limit; how fast is sampled, for n ≤ √d
and some above. For n far beyond √d full batch normalisation leaves its symmetric point (measured at
d = n = 256, some thousand layers, and at n = 64, d = 32 to 64); of that nothing is claimed.

Example:

    >>> round(float(RECENTRED_OF(n=16)), 3)
    7.193
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cache, partial

import numpy as np
import sympy as sp
from flint import acb, arb, arb_series, fmpq

from simulators import Chain, batchnorm_chain, rescale_activation_chain
from simulators.engines.mean_field.gram import gram_map
from simulators.layers import Activation, Linear, Rescale
from theorems.checking.enclosures import Enclosed, Part
from theorems.families.rank.batch_ranks import BatchRun, batch_medians
from theorems.families.rank.notation import FAMILY, OURS, WIDTH, d, n
from theorems.statement import Assumption, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS", "after_layer", "before_activation", "rescaled_rank"]

#: Between these the fixed point lies.
LOW, HIGH = Fraction(518, 1000), Fraction(519, 1000)
#: Cells near the fixed point are so many times narrower than their distance from it; above TOP the
#: closed form tells.
FINENESS, TOP, CUT = 60, Fraction(9, 10), 12


def _ball(low: Fraction, high: Fraction) -> arb:
    ends = (arb(fmpq(*end.as_integer_ratio())) for end in (low, high))
    return next(ends).union(next(ends))


def _deviation(low: Fraction, high: Fraction) -> arb:
    """√(k/(1-k)) for every k between two."""
    return _ball_of_roots(low).union(_ball_of_roots(high))


def _ball_of_roots(k: Fraction) -> arb:
    return arb(fmpq(*(k / (1 - k)).as_integer_ratio())).sqrt()


def after_layer(low: Fraction, high: Fraction) -> arb:
    """k⁺ of every correlation k of samples after ReLU in [low, high], low ≥ 0, high < 1.

    Example:
        >>> round(float(after_layer(Fraction(0), Fraction(0)).mid()), 4)
        0.3183
    """
    deviation, tolerance = acb(_deviation(low, high)), arb("1e-8")
    root = (2 * acb.pi()).sqrt()

    def integrand(g: acb, _: bool) -> acb:
        z = deviation * g
        normal = (-z * z / 2).exp() / root
        # zΦ(z) + φ(z), and the same at -z
        q = z * (-z / acb(2).sqrt()).erfc() / 2 + normal
        both = q * q + (q - z) * (q - z)
        return 2 * both / (1 + z * z) * (-g * g / 2).exp() / root

    found = acb.integral(integrand, acb(0), acb(CUT), rel_tol=tolerance, abs_tol=tolerance).real
    # both ≤ 1 + z², so what is cut off is at most 2 P(g > 12)
    return found + arb(0, 1e-30)


def before_activation(low: Fraction, high: Fraction) -> arb:
    """ρ = 1 - √π x exp(x²) erfc(x), x² = (1-k)/(2k), of every k in [low, high], low > 0.

    Example:
        >>> round(float(before_activation(Fraction(1, 2), Fraction(1, 2)).mid()), 4)
        0.3443
    """
    x = 1 / (arb(2).sqrt() * _deviation(low, high))
    return 1 - arb.pi().sqrt() * x * (x * x).exp() * x.erfc()


def _cells(start: Fraction, end: Fraction) -> Iterator[tuple[Fraction, Fraction]]:
    """Cells from ``start`` to ``end``, the narrower the nearer to ``end``."""
    past = end + (Fraction(1, 1000) if end > start else Fraction(-1, 1000))
    at = start
    while at != end:
        step = (past - at) / FINENESS
        moved = Fraction(round((at + step) * 10**8), 10**8)
        following = min(moved, end) if end > start else max(moved, end)
        yield min(at, following), max(at, following)
        at = following


def _below() -> Iterator[Part]:
    """Every k in [0, 518/1000]."""
    for low, high in _cells(Fraction(0), LOW):
        yield Part(f"k in [{low}, {high}]", partial(_seen, low, high))


def _above() -> Iterator[Part]:
    """Every k in [519/1000, 9/10], and those up to 1 by the closed form."""
    for low, high in _cells(TOP, HIGH):
        yield Part(f"k in [{low}, {high}]", partial(_seen, low, high))
    yield Part(f"k in [{TOP}, 1)", _near_one)


def _seen(low: Fraction, high: Fraction) -> Mapping[str, arb]:
    k, k_next = _ball(low, high), after_layer(low, high)
    return {"k": k, "k_next": k_next, "share": (k - k_next) / (1 - k)}


def _near_one() -> Mapping[str, arb]:
    """Every k above 9/10: (1 - k⁺)/(1 - k) is at least (1 - 1/π)(1 - ρ)/(1 - k), which rises."""
    top = _ball(TOP, TOP)
    least = (1 - 1 / arb.pi()) * (1 - before_activation(TOP, TOP)) / (1 - top)
    return {"k": _ball(TOP, Fraction(1)), "share": least - 1}


k, k_next, share, r_limit, slope = sp.symbols("k k_next share r_limit slope", real=True)
r_bar, R = sp.symbols("r_bar R", nonnegative=True)
_map = {
    k: "correlation of the samples after ReLU, n → ∞",
    k_next: "the same a layer later",
}
_low, _high = (sp.Rational(*end.as_integer_ratio()) for end in (LOW, HIGH))
_limit = partial(
    Statement,
    family=FAMILY,
    theorem="relu_fixed_point",
    quantifier=Quantifier.MEAN_FIELD,
    source=OURS,
    variables=(),
    chain="rescale_activation(relu)",
    expected=Verdict.CERTIFIED,
)


def _rank() -> Iterator[Part]:
    yield Part("k in [518/1000, 519/1000]", _rank_between)


def _rank_between() -> Mapping[str, arb]:
    """1/ρ², which falls as k rises, so that it lies between its values at both ends."""
    low, high = (1 / before_activation(end, end) ** 2 for end in (LOW, HIGH))
    return {"r_limit": low.union(high)}


LIMIT = (
    _limit(
        variant="rises",
        title="Rescaled rows and ReLU, n → ∞: k⁺ - k ≥ ¼(518/1000 - k) for 0 ≤ k ≤ 518/1000",
        definitions=_map,
        lhs=k_next - k,
        relation=">=",
        rhs=(_low - k) / 4,
        sentinel=Sentinel("to 52/100", rhs=(sp.Rational(52, 100) - k) / 4),
        checks=(Enclosed(parts=_below),),
    ),
    _limit(
        variant="falls",
        title="Rescaled rows and ReLU, n → ∞: k - k⁺ ≥ ½(1-k)(k - 519/1000), 519/1000 ≤ k < 1",
        definitions={
            k: _map[k],
            share: "(k - k⁺)/(1 - k), k⁺ a layer later; above 9/10 a lower bound of it",
        },
        lhs=share,
        relation=">=",
        rhs=(k - _high) / 2,
        sentinel=Sentinel("to 517/1000", rhs=(k - sp.Rational(517, 1000)) / 2),
        checks=(Enclosed(parts=_above),),
    ),
    _limit(
        variant="rank",
        title="Rescaled rows and ReLU, n → ∞: at that fixed point |r - 789/100| ≤ 1/20 before ReLU",
        definitions={r_limit: "1/ρ² at every k between 518/1000 and 519/1000"},
        lhs=sp.Abs(r_limit - sp.Rational(789, 100)),
        relation="<=",
        rhs=sp.Rational(1, 20),
        sentinel=Sentinel("a tenth less", lhs=sp.Abs(r_limit - sp.Rational(779, 100))),
        checks=(Enclosed(parts=_rank),),
    ),
)

# --- with mean subtraction ------------------------------------------------------------------------

_rho = -1 / (n - 1)
_kappa = (sp.sqrt(1 - _rho**2) + (sp.pi - sp.acos(_rho)) * _rho) / sp.pi
_RECENTRED = n / (1 + (n - 1) * _kappa**2)
#: R_n in floats.
RECENTRED_OF = sp.lambdify(n, _RECENTRED, modules="math")
#: Intervals of 1/n that cover [0, 1/3].
CELLS = 96
SAMPLES = Variable(n, sp.Range(3, sp.oo), "batch size")


def _slope(low: Fraction, high: Fraction) -> Mapping[str, arb]:
    """The derivative of 1/R_n in x = 1/n: of x + (1-x)κ(-x/(1-x))²."""
    x = arb_series([_ball(low, high), 1], 2)
    rho = -x / (1 - x)
    kappa = ((1 - rho * rho).sqrt() + (rho.asin() + arb.pi() / 2) * rho) / arb.pi()
    return {"slope": (x + (1 - x) * kappa * kappa)[1]}


def _every_size() -> Iterator[Part]:
    for place in range(CELLS):
        low, high = Fraction(place, 3 * CELLS), Fraction(place + 1, 3 * CELLS)
        yield Part(f"1/n in [{low}, {high}]", partial(_slope, low, high), low, high)


BELOW_PI_SQUARED = Statement(
    family=FAMILY,
    theorem="relu_fixed_point",
    variant="below_pi_squared",
    title="Batch normalisation with ReLU: 1/R_n ≥ 1/π² + 1/(2n), R_n → π²",
    quantifier=Quantifier.MEAN_FIELD,
    source=OURS,
    variables=(SAMPLES,),
    chain="batchnorm(relu)",
    definitions={slope: "the derivative in 1/n of 1/R_n = 1/n + (1 - 1/n)κ(-1/(n-1))², 1/π² at 0"},
    lhs=slope,
    relation=">=",
    rhs=sp.Rational(1, 2),
    sentinel=Sentinel("3/5", rhs=sp.Rational(3, 5)),
    expected=Verdict.CERTIFIED,
    checks=(Enclosed(parts=_every_size),),
)

# --- networks -------------------------------------------------------------------------------------


@cache
def rescaled_rank(size: int) -> float:
    """R_n before ReLU of n samples at infinite width, rows rescaled, from orthogonal ones.

    Cost: a tenth of a second for 16 samples.

    Example:
        >>> round(rescaled_rank(8), 3)
        4.633
    """
    layer = gram_map(Chain((Linear(size), Rescale("frobenius"), Activation("relu"))))
    gram = np.eye(size) / size
    for _ in range(16):
        gram = layer(gram)
    found = gram_map(Chain((Linear(size), Rescale("frobenius"))))(gram)
    return float(np.trace(found) ** 2 / np.sum(found * found))


def _rescaled(width: int) -> Chain:
    return rescale_activation_chain(width, "relu")


def _recentred(width: int) -> Chain:
    return batchnorm_chain(width, "relu")


_AVERAGE = "over 40√d layers, after 30√d, from full rank; its median over networks"
_networks = partial(
    Statement,
    family=FAMILY,
    theorem="relu_fixed_point",
    quantifier=Quantifier.LIMIT,
    source=OURS,
    observables=("effective_rank",),
    lhs=r_bar,
    expected=Verdict.SUPPORTED,
)
TRIED = ((16, 4), (64, 4), (64, 8), (64, 16))
_sizes = "n = 4 at d = 16; 4, 8, 16 at d = 64"
_before = partial(
    _networks,
    variables=(WIDTH, Variable(n, sp.Range(2, 32), "batch size")),
    chain="rescale_activation(relu)",
    definitions={
        r_bar: f"1 over the average of 1/r(H_ℓ), rows rescaled, before ReLU, {_AVERAGE}",
        R: "R_n, r before ReLU at infinite width",
    },
    checks=(
        batch_medians(
            [BatchRun(*each, 40, _rescaled, "ReLU", 40) for each in TRIED],
            ("r_bar",),
            holds=lambda width, size: size < 32,
            known=lambda size: {"R": rescaled_rank(size)},
        ),
    ),
)
_after = partial(
    _networks,
    variables=(WIDTH, SAMPLES),
    assumptions=(Assumption(sp.Le(n**2, 4 * d), "n ≤ 2√d"),),
    chain="batchnorm(relu)",
    definitions={r_bar: f"1 over the average of 1/r(H_ℓ), batch normalisation, ReLU, {_AVERAGE}"},
    checks=(
        batch_medians(
            [BatchRun(*each, 40, _recentred, "batchnorm, ReLU", 40) for each in TRIED],
            ("r_bar",),
            holds=lambda width, size: size >= 3 and size * size <= 4 * width,
        ),
    ),
)
NETWORKS = (
    _before(
        variant="rescaled",
        title=f"Rescaled rows and ReLU: r̄ ≤ R_n, its value at infinite width: {_sizes}",
        relation="<=",
        rhs=R,
        sentinel=Sentinel("9/10 of it", rhs=sp.Rational(9, 10) * R),
    ),
    _before(
        variant="rescaled_floor",
        title=f"Rescaled rows and ReLU: 1/r̄ ≤ 1/R_n + 5/d: {_sizes}",
        relation=">=",
        rhs=1 / (1 / R + 5 / d),
        sentinel=Sentinel("R_n itself", rhs=R),
    ),
    _after(
        variant="recentred",
        title=f"Batch normalisation with ReLU: r̄ ≤ R_n = n/(1 + (n-1)κ²): {_sizes}",
        relation="<=",
        rhs=_RECENTRED,
        sentinel=Sentinel("9/10 of it", rhs=sp.Rational(9, 10) * _RECENTRED),
    ),
    _after(
        variant="recentred_floor",
        title=f"Batch normalisation with ReLU: 1/r̄ ≤ 1/R_n + 9/(4d): {_sizes}",
        relation=">=",
        rhs=1 / (1 / _RECENTRED + sp.Rational(9, 4) / d),
        sentinel=Sentinel("R_n itself", rhs=_RECENTRED),
    ),
)

STATEMENTS = (*LIMIT, BELOW_PI_SQUARED, *NETWORKS)
FIGURES = ()
