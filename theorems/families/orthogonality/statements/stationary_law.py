"""The stationary law of the gap: d V² tends to s χ²_k, s = (n+2)/(2n(n+1)), k = (n-1)(n+2)/2.

Problem. After many layers the gap V is small and fluctuates. DJB21 bounds its mean by a multiple of
1/√d and measures it. What is its law, with the constant, and how long does it remember?

Method. C - I/n is an autoregression of order one: a layer multiplies it by n/(n+2)
(`linear_response`) and adds noise, isotropic on the traceless symmetric matrices by the sphere's
fourth moments (`noise_covariance`), of squared size (1 - 1/n)/d; hence its variance
(`stationary_variance`) and k equal Gaussian coordinates. The next order in 1/d comes from

    E V⁺² = (1 - 1/n)/d + (1 - 1/d) Σ(p_i - 1/n)², given H, exactly,

p expanded to third order around 1/n (moments of the sphere up to the eighth) and E Σ(λ_i - 1/n)³
from the same recursion for third powers:

    A = n²(7n³ + 14n² - 12n - 32)/(4(n+1)(n+4)(3n² + 6n + 4)), about 7n/12 for large n.

Checked by simulation: confidence sequences from orthogonal starts, past the burn-in.

Guarantee. The law up to a Kolmogorov distance of 1/20; its mean s k (1 + A/d)/d within a fiftieth;
the correlation of V² in neighbouring layers (n/(n+2))² within a tenth; the mean gap of the
published width figure within a fortieth, with nothing fitted. All for d ≥ 8n.

Reference. Ours, after DJB21 (arXiv 2106.03970), Figure 2.

Example:

    >>> second_order(2), second_order(8) > 2
    (1/9, True)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from simulators import Trajectory, rescale_chain
from theorems.checking.confidence_sequence import AimedMean, Estimator
from theorems.checking.estimates import EstimatedFunction, KolmogorovDistance
from theorems.checking.expectation import Expectation, Floats, Instance
from theorems.expressions import arguments_of, compiled
from theorems.families.orthogonality.notation import FAMILY, OURS, d, n
from theorems.float_intervals import Interval
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

if TYPE_CHECKING:
    from theorems.report.style import Drawing

__all__ = ["FIGURES", "STATEMENTS", "draw", "second_order"]

K, K_1, M, R, G, chi, chi_1 = sp.symbols("K K_1 M R G chi chi_1", nonnegative=True)

_scale = (n + 2) / (2 * n * (n + 1))
_freedom = (n - 1) * (n + 2) / 2
_square = _scale * _freedom
_memory = n / (n + 2)
#: V² is read up to so many times its limit mean, so that samples have a range, at the batch sizes
#: looked at: what is cut off weighs less than 1e-3.
CUT_MEAN, CUT_PRODUCT, CUT_ROOT = 4.0, 6.0, 9.0


def second_order(size: sp.Expr | int) -> sp.Expr:
    """A of d E V² = s k (1 + A/d + …), at the batch size ``size``.

    Example:
        >>> second_order(2)
        1/9
    """
    m = sp.sympify(size)
    above = m**2 * (7 * m**3 + 14 * m**2 - 12 * m - 32)
    return above / (4 * (m + 1) * (m + 4) * (3 * m**2 + 6 * m + 4))


def _number(expression: sp.Expr, size: int) -> float:
    return float(expression.subs(n, size))


def _chi_mean(k: float) -> float:
    """E χ_k."""
    from scipy.special import gammaln

    return float(np.sqrt(2) * np.exp(gammaln((k + 1) / 2) - gammaln(k / 2)))


def _predicted(size: int, width: float) -> float:
    """√d E V = √s E χ_k (1 + A/2d)."""
    constant = float(_number(_scale, size) ** 0.5) * _chi_mean(_number(_freedom, size))
    return constant * (1 + _number(second_order(n), size) / (2 * width))


def _burn_in(size: int) -> int:
    """Layers after which an orthogonal start has left less than a thousandth in V²."""
    return int(np.ceil(np.log(1e-3) / (2 * np.log(_number(_memory, size)))))


def _instances(
    shapes: Iterable[tuple[int, int]],
    layers: int,
    support: tuple[float, float],
    statement: Statement,
    batch: Floats | None,
) -> list[Instance]:
    """Orthogonal starts of n samples at width d, ``layers`` past the burn-in."""

    def instance(size: int, width: int) -> Instance:
        k = _number(_freedom, size)
        values = {"n": size, "d": width, "chi": _chi_mean(k), "chi_1": _chi_mean(k + 1)}
        depth = _burn_in(size) + layers - 1
        chain, start = rescale_chain(width), np.eye(size)
        return Instance(f"n={size}, d={width}", chain, start, depth, (values,), support)

    return [instance(*shape) for shape in shapes]


def _scaled_squares(trajectory: Trajectory, instance: Instance) -> Floats:
    """d V²/(s k) in each layer past the burn-in: (replicas, layers)."""
    size = instance.start.shape[1]
    late = trajectory.values["orthogonality_gap"][:, _burn_in(size) :]
    return np.asarray(late**2 * instance.width / _number(_square, size), dtype=np.float64)


def _last_square(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    return _scaled_squares(trajectory, instance)[:, -1:]


def _mean_square(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    squares = np.minimum(_scaled_squares(trajectory, instance), CUT_MEAN)
    return np.asarray(squares.mean(axis=1, keepdims=True))


def _mean_gap(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    squares = np.minimum(_scaled_squares(trajectory, instance), CUT_ROOT)
    return np.asarray(np.sqrt(squares).mean(axis=1, keepdims=True))


def _neighbours(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    """Centred products of d V²/(s k) in neighbouring layers, over the limit's variance 2/k."""
    size = instance.start.shape[1]
    mean = 1 + _number(second_order(n), size) / instance.width
    centred = np.minimum(_scaled_squares(trajectory, instance), CUT_PRODUCT) - mean
    products = (centred[:, 1:] * centred[:, :-1]).mean(axis=1, keepdims=True)
    return np.asarray(products * _number(_freedom, size) / 2)


def _distance(
    side: sp.Expr, instance: Instance, values: Mapping[str, float], level: float, aim: float | None
) -> Estimator:
    """The distance of d V²/(s k) to χ²_k/k, or to the neighbour's χ²_(k+1)/k."""
    from scipy.special import gammainc

    k = _number(_freedom, int(values["n"]))
    shape = (k + (side == K_1)) / 2
    return KolmogorovDistance(lambda x: np.asarray(gammainc(shape, x * k / 2)), level)


def _deviation(
    side: sp.Expr, instance: Instance, values: Mapping[str, float], level: float, aim: float | None
) -> Estimator:
    """What a left side says, where one of its symbols is the mean of the samples."""
    arguments = arguments_of(side)
    names = [str(x) for x in arguments]
    given = {name: Interval(values[name]) for name in names if name in values}
    (sampled,) = set(names) - given.keys()

    def function(ends: Mapping[str, Interval]) -> Interval:
        found = compiled(side, arguments).intervals(*({**given, **ends}[name] for name in names))
        return found if isinstance(found, Interval) else Interval(found)

    mean = AimedMean(*instance.support, level)
    return EstimatedFunction(function, {sampled: mean}, (0.0, np.inf))


def _cut(times: float) -> str:
    return f"cut at {times:g} times the limit's mean"


_stationary = partial(
    Statement,
    family=FAMILY,
    theorem="stationary_law",
    quantifier=Quantifier.EXPECTATION,
    source=OURS,
    variables=(
        Variable(n, sp.Range(2, sp.oo), "batch size, at least 2"),
        Variable(d, sp.Range(8 * n, sp.oo), "width, at least 8n"),
    ),
    chain="rescale",
    observables=("orthogonality_gap",),
    relation="<=",
    expected=Verdict.SUPPORTED,
)
_check = partial(
    Expectation,
    observables=("orthogonality_gap",),
    resolution=0.2,
    enough=1.0,
    dtype="float32",
    replicas=40_000,
    first=4_000,
    follows_batch=False,
)


def _within(measured: sp.Expr, predicted: sp.Expr) -> sp.Expr:
    """By how much, relatively, a mean is off."""
    return sp.Abs(measured / predicted - 1)


_over_root = (1 + second_order(n) / (2 * d)) / sp.sqrt(_freedom)

STATEMENTS = (
    _stationary(
        variant="law",
        quantifier=Quantifier.LAW,
        title="At stationarity d V² has the law s χ²_k: Kolmogorov distance at most 1/20",
        definitions={
            K: "Kolmogorov distance of the stationary law of d V² to s χ²_k, "
            "s = (n+2)/(2n(n+1)), k = (n-1)(n+2)/2",
            K_1: "the same to s χ²_(k+1)",
        },
        lhs=K,
        rhs=sp.Rational(1, 20),
        ceiling=sp.Integer(1),
        sentinel=Sentinel("k + 1 degrees of freedom: the trace not taken off", lhs=K_1),
        checks=(
            _check(
                partial(_instances, ((2, 64), (4, 64)), 1, (0.0, 64.0)),
                _last_square,
                estimator=_distance,
                noun="distance",
            ),
        ),
    ),
    _stationary(
        variant="mean",
        title="At stationarity d E V² = s k (1 + A/d), up to a fiftieth",
        definitions={M: f"d E V²/(s k), V² {_cut(CUT_MEAN)}"},
        lhs=_within(M, 1 + second_order(n) / d),
        rhs=sp.Rational(1, 50),
        sentinel=Sentinel("without the term in 1/d", lhs=_within(M, sp.Integer(1))),
        checks=(
            _check(
                partial(_instances, ((8, 64),), 8, (0.0, CUT_MEAN)),
                _mean_square,
                estimator=_deviation,
                noun="deviation",
            ),
        ),
        remark="s k = (n-1)(n+2)²/(4n(n+1)), A = n²(7n³+14n²-12n-32)/(4(n+1)(n+4)(3n²+6n+4)).",
    ),
    _stationary(
        variant="autocorrelation",
        title="V² of neighbouring layers have the correlation (n/(n+2))², up to a tenth",
        definitions={
            R: "E (x - m)(x⁺ - m)/(2/k) of neighbouring layers, x = d V²/(s k) "
            f"{_cut(CUT_PRODUCT)}, m = 1 + A/d"
        },
        lhs=sp.Abs(R - _memory**2),
        rhs=sp.Rational(1, 10),
        sentinel=Sentinel("n/(n+2), as of C itself", lhs=sp.Abs(R - _memory)),
        checks=(
            _check(
                # k = 5: products of what lies between 0 and 6, less 1, times 5/2
                partial(_instances, ((3, 64),), 8, (-15.0, 62.5)),
                _neighbours,
                estimator=_deviation,
                noun="deviation",
            ),
        ),
    ),
    _stationary(
        variant="width_figure",
        title="The published width figure: E V = √(s/d) E χ_k (1 + A/2d), up to a fortieth",
        definitions={
            chi: "E χ_k, √2 Γ((k+1)/2)/Γ(k/2)",
            chi_1: "E χ_(k+1)",
            G: f"E V √(d/(s k)), V² {_cut(CUT_ROOT)}",
        },
        lhs=_within(G, chi * _over_root),
        rhs=sp.Rational(1, 40),
        sentinel=Sentinel(
            "k + 1 degrees of freedom: the trace not taken off", lhs=_within(G, chi_1 * _over_root)
        ),
        checks=(
            _check(
                partial(_instances, ((2, 64), (4, 32), (4, 256)), 4, (0.0, CUT_ROOT**0.5)),
                _mean_gap,
                estimator=_deviation,
                noun="deviation",
            ),
        ),
        remark="The figure fits an exponent to means over all 500 layers; these are stationary.",
    ),
)


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """√d E V against d, predicted, with what was measured of it; None if that was not run.

    Bars are where `width_figure` leaves the mean; points are means of `width_scaling`, where the
    run has them.
    """
    from theorems.families.orthogonality.scaling_figure import curves
    from theorems.report.document import evidence_of, find
    from theorems.report.figure_parts import ticks
    from theorems.report.style import COLOURS, INK, Drawing, drawing, new_figure

    figured = f"{FAMILY}.stationary_law:width_figure"
    found = evidence_of(find(document, figured), "readouts")
    rows = [row for each in found for row in each["readouts"] if row.get("high") is not None]
    if not rows:
        return None
    sizes = sorted({int(row["n"]) for row in rows})
    between = np.geomspace(24, 640, 101)
    with drawing():
        figure = new_figure(5, 3.4)
        axes = figure.add_subplot()
        for size in sizes:
            line = [_predicted(size, float(width)) for width in between]
            axes.plot(between, line, color=COLOURS["sharp"])
            axes.axhline(
                _predicted(size, float(np.inf)), color=INK, lw=1.0, linestyle=(0, (1, 1.6))
            )
            axes.annotate(
                f"n = {size}", (between[-1], _predicted(size, float(np.inf))), va="bottom"
            )
        widths = np.array([row["d"] for row in rows], dtype=float)
        centres = np.array([_predicted(int(row["n"]), float(row["d"])) for row in rows])
        off = centres * np.array([row["high"] for row in rows], dtype=float)
        axes.errorbar(widths, centres, yerr=off, fmt="none", ecolor=COLOURS["measured"], capsize=3)
        for curve in curves(document, (("measured", f"{FAMILY}.width_scaling"),)):
            means = curve.means * np.sqrt(curve.widths)
            axes.plot(curve.widths, means, "o", color=COLOURS["measured"], markersize=4)
        axes.set(xlabel="width d", ylabel="√d E V", xscale="log")
        ticks(axes.xaxis, np.array([32, 64, 128, 256, 512]))
    return Drawing(
        "stationary_law",
        "The stationary gap, predicted",
        "Lines: √s E χ_k (1 + A/2d), nothing fitted; dotted: its limit. Bars: where the measured "
        "mean is known to lie. Points, where the run has them: means of width_scaling, n = 4.",
        figure,
        (figured,),
    )


FIGURES = (draw,)
