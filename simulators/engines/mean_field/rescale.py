"""The rescale chain at infinite width: its spectrum moves by λ⁺ = p(λ), p_i = E[λ_i w_i² / Σ_k λ_k
w_k²].

Here λ_i = σ_i²(H), w is standard normal, and p is homogeneous of degree 0. Source: Daneshmand,
Joudaki, Bach 2021 (arXiv 2106.03970), appendix. Both evaluations below rest on one formula. With
∫_0^∞ e^{−ts} dt = 1/s and t = e^x,

    p_i = ∫ f_i(x) dx,   f_i = tλ_i (1 + 2tλ_i)^{−1} P,   P = Π_k (1 + 2tλ_k)^{−1/2},

summed by the trapezoidal rule with step h. What that leaves out is known, for every spectrum:

- Step. f_i is analytic for |Im x| < π, and |1 + ze^{ia}| ≥ 1 + z cos a for z ≥ 0, a < π/2. So the
  integral of |f_i| along Im x = ±a is at most p_i / cos a, and the relative error of the rule at
  most 2 / (cos a · (e^{2πa/h} − 1)) (Trefethen, Weideman, SIAM Review 56, 2014, Theorem 5.1).
- Left end. f_i ≤ tλ_i, so the nodes before t_0 add up to at most t_0 λ_i, whereas p_i ≥ 0.34 λ_i/Σλ
  (Jensen over the other k gives p_i ≥ λ_i E[w²/(1 + w²)] when Σλ = 1).
- Right end. (1 + sz)/(1 + z) ≥ s^{z/(1+z)} for s ≥ 1, so past the last node t_N the product P falls
  at least as (t/t_N)^{−G}, G = ½ Σ_k z_k/(1 + z_k), z_k = 2 t_N λ_k. As tλ_i/(1 + 2tλ_i) ≤ ½, the
  nodes beyond add up to at most P(t_N)/(2G).

`rescale_map` puts both ends where these are below rounding; `rescale_map_enclosure` adds them to
its balls, and takes the nodes near 0, which are most, together, by the power series of f_i/t.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import reduce
from typing import TypeAlias

import numpy as np
from flint import arb, ctx, fmpq
from numpy.typing import ArrayLike, NDArray

from simulators.arguments import kind_of, require
from simulators.arrays import Floats

__all__ = [
    "FLOAT_STEP",
    "Exact",
    "float_ends",
    "node_grid",
    "rescale_map",
    "rescale_map_enclosure",
    "rescale_path_enclosure",
    "step_error",
    "tail_bound",
]

Exact: TypeAlias = int | Fraction | fmpq | arb
"""An eigenvalue as the enclosures take it: exact, or a ball."""

_ANGLE = Fraction(3, 2)  # a in the step's error: near π/2, yet 1/cos a is only 14
FLOAT_STEP = 3 / 16
"""The step in floats: its error is 4e-21; dyadic, so that the nodes are exact."""

_FLOAT_TAIL = 45.0  # the ends are cut at e^-45 = 3e-20
_CHUNK_ENTRIES = 1 << 20
_GUARD_BITS = 32  # for rounding over the nodes


def rescale_map(eigenvalues: ArrayLike) -> Floats:
    """p(λ) in float64: one layer of the rescale chain at infinite width.

    ``eigenvalues`` is real of shape ``(..., n)``, nonnegative, of any scale, with a positive entry
    in every row. The result has that shape and sums to 1 along the last axis up to rounding; it is
    not normalised afterwards, so that the sum stays an independent check. Zeros map to 0 and a lone
    positive eigenvalue to 1, exactly.

    Relative error of every p_i, however small: at most about (n + 20)·3e-16, the rounding of an
    n-fold product, and typically a few 1e-16. Eigenvalues below 5e-324 of the largest count as
    zero. Cost: 5.4·(45 + 90/n + log(Σλ/λ_min)) nodes of n factors each per row; memory is bounded
    by working in chunks.

    Raises `TypeError` when the entries are not real numbers; `ValueError` when there are none, when
    one is NaN, infinite or negative, or when a row is all zero.

    Example:
        >>> rescale_map([1.0, 1.0]).tolist(), rescale_map([5.0, 0.0]).tolist()
        ([0.5, 0.5], [1.0, 0.0])
    """
    spectra = np.asarray(eigenvalues)
    require(
        spectra.dtype.kind in "fiu",
        f"eigenvalues have dtype {spectra.dtype}; give real numbers",
        TypeError,
    )
    require(
        spectra.ndim and spectra.shape[-1],
        f"eigenvalues have shape {spectra.shape}; give (..., n) with n ≥ 1",
    )
    rows = spectra.astype(np.float64).reshape(-1, spectra.shape[-1])
    require(
        np.isfinite(rows).all() and (rows >= 0).all(),
        "eigenvalues must be finite and nonnegative",
    )
    largest = rows.max(axis=1, keepdims=True)
    if not largest.all():
        raise ValueError(
            f"eigenvalues of row {int(np.argmin(largest))} are all zero; p needs a positive one"
        )
    return _trapezoid(rows / largest).reshape(spectra.shape)


def _trapezoid(rows: Floats) -> Floats:
    """p of each row, (rows, n), with largest entries 1."""
    positive = rows > 0
    count = positive.sum(axis=1)
    least = np.min(rows, axis=1, where=positive, initial=1.0)
    # Centring the scale on √(λ_max λ_min) keeps nodes and eigenvalues inside the range of doubles
    # together.
    middle = np.sqrt(least)
    centred = rows / middle[:, None]
    first, last = float_ends(centred.sum(axis=1), middle, count)
    nodes = FLOAT_STEP * np.arange(math.ceil(np.max(last - first, initial=0.0) / FLOAT_STEP) + 1)

    result = np.empty_like(rows)
    size = max(1, _CHUNK_ENTRIES // (nodes.size * rows.shape[1]))
    for start in range(0, len(rows), size):
        chunk = slice(start, start + size)
        x = first[chunk, None] + nodes
        inside = x <= last[chunk, None]
        half = np.exp(-np.where(inside, x, 0.0) / 2)  # t^(-1/2)
        # Eigenvalues along the first axis: NumPy then multiplies them in order, so that no partial
        # product falls below the whole one, which starts with t.
        roots = half / np.sqrt(half * half + 2 * centred[chunk].T[:, :, None])
        shares = roots * roots
        roots[0] *= inside / (half * half)
        terms = shares * np.multiply.reduce(roots, axis=0)
        result[chunk] = FLOAT_STEP * centred[chunk] * terms.sum(axis=-1).T
    return np.where(count[:, None] == 1, positive.astype(np.float64), result)


def float_ends(total: Floats, least: Floats, count: NDArray[np.int_]) -> tuple[Floats, Floats]:
    """Where the nodes x = log t begin and end, for each row.

    ``total`` is Σλ, ``least`` the least λ > 0 and ``count`` the number of those. The nodes begin
    at a multiple of the step, and where the last bits of a logarithm do not move them.

    Arrays (rows,) each, and so are the two that are returned: log t of the first and last
    nodes.

    Example:
        >>> first, last = float_ends(np.ones(1), np.ones(1), np.array([2]))
        >>> bool(first[0] <= -45), float(last[0])
        (True, 45.0)
    """
    first = FLOAT_STEP * np.floor((-_FLOAT_TAIL - np.log(total)) / FLOAT_STEP)
    return first, 2 * _FLOAT_TAIL / count - np.log(least)


def rescale_map_enclosure(
    eigenvalues: Sequence[Exact],
    multiplicities: Sequence[int] | None = None,
    *,
    precision: int = 128,
) -> list[arb]:
    """Balls that contain p_i for one eigenvalue of each group, so that Σ_i m_i p_i = 1.

    ``eigenvalues`` are nonnegative, of any scale, not all zero: `int`, `fractions.Fraction` or
    `flint.fmpq`, taken exactly, or `flint.arb` balls of positive numbers; ``multiplicities`` m_i ≥
    1 default to 1. Equal exact eigenvalues need not be grouped. Zeros give exactly 0, a single
    positive group of m exactly 1/m.

    For exact eigenvalues the relative radius is at most 2^-precision, whatever their ratios. A ball
    enters through its midpoint: if |log λ_k − log mid_k| ≤ r_k, then log p_i moves by at most (1 −
    m_i p_i)(r_i + max_{k≠i} r_k), because its logarithmic derivatives are δ_ik − W_ik with W_ik ≥
    0, Σ_k W_ik = 1 and W_ii ≥ m_i p_i. Layer after layer r_1 + r_2 then stays put for two groups,
    up to rounding; for more groups the radii at most double. Cost: some
    0.08·precision·(precision·(1 + 2/n) + log₂(λ_max/λ_min)) nodes of a few microseconds each.

    Raises `TypeError` for a float or any other type, `ValueError` for an empty list, a negative
    value, a ball that is not certainly positive, all zeros, multiplicities that do not fit, or
    ``precision`` below 2. The global precision of flint is unchanged on return, also when raising.

    Example:
        >>> one, other = rescale_map_enclosure([Fraction(2, 3), Fraction(1, 3)])
        >>> (one + other).contains(1), one < Fraction(2, 3).numerator
        (True, True)
    """
    values, counts, places = _groups(eigenvalues, multiplicities, precision)
    enclosed = _enclosure(values, counts, precision)
    return [enclosed[place] for place in places]


def rescale_path_enclosure(
    eigenvalues: Sequence[Exact],
    multiplicities: Sequence[int] | None,
    depth: int,
    precision: int = 128,
) -> Iterator[list[arb]]:
    """The spectrum in balls at layers 0 (the input, normalised to Σ_i m_i λ_i = 1) to ``depth``.

    Layers are computed as they are asked for. Arguments, errors and cost per layer are those of
    `rescale_map_enclosure`; also `ValueError` for a negative ``depth``, at the call, and for a
    layer at which a ball has grown to reach 0.

    Example:
        >>> layers = list(rescale_path_enclosure([2, 1], [1, 3], depth=2))
        >>> len(layers), all((one + 3 * other).contains(1) for one, other in layers)
        (3, True)
    """
    values, counts, places = _groups(eigenvalues, multiplicities, precision)
    require(depth >= 0, f"depth={depth} is negative")
    return _path(values, counts, places, depth, precision)


def _path(
    values: list[arb], counts: list[int], places: list[int], depth: int, precision: int
) -> Iterator[list[arb]]:
    with ctx.workprec(precision + _GUARD_BITS):
        total = _weighted_sum(counts, values)
        layer = [value / total for value in values]
    yield [layer[place] for place in places]
    for _ in range(depth):
        layer = _enclosure(layer, counts, precision)
        yield [layer[place] for place in places]


def _groups(
    eigenvalues: Sequence[Exact], multiplicities: Sequence[int] | None, precision: int
) -> tuple[list[arb], list[int], list[int]]:
    """Distinct eigenvalues as balls, their multiplicities, and for each argument its place among
    them.

    Exact values that are equal share a place: as one group they stay equal from layer to layer.
    """
    require(precision >= 2, f"precision={precision} bits; give at least 2")
    require(eigenvalues, "eigenvalues are empty; give at least one")
    given = [1] * len(eigenvalues) if multiplicities is None else list(multiplicities)
    require(
        len(given) == len(eigenvalues) and all(isinstance(m, int) and m >= 1 for m in given),
        f"multiplicities {given}; give one whole number ≥ 1 for each eigenvalue",
    )
    values: list[arb] = []
    counts: list[int] = []
    places: list[int] = []
    seen: dict[fmpq, int] = {}
    with ctx.workprec(precision + _GUARD_BITS):
        for value, count in zip(eigenvalues, given, strict=True):
            exact, ball = _read(value)
            place = len(values) if exact is None else seen.setdefault(exact, len(values))
            if place == len(values):
                values.append(ball)
                counts.append(0)
            counts[place] += count
            places.append(place)
    require(
        any(not value.is_zero() for value in values),
        "eigenvalues are all zero; p needs a positive one",
    )
    return values, counts, places


def _read(value: Exact) -> tuple[fmpq | None, arb]:
    """An eigenvalue exactly, unless it came as a ball, and as a ball."""
    if isinstance(value, arb):
        if not value.is_zero():
            _check_ball(value)
        return None, value
    if isinstance(value, Fraction):
        value = fmpq(value.numerator, value.denominator)
    elif isinstance(value, int):
        value = fmpq(value)
    if not isinstance(value, fmpq):
        raise TypeError(
            f"eigenvalue {value!r} is {kind_of(value)}; give int, Fraction, fmpq or arb"
            " (Fraction(x) takes a float at its exact value)"
        )
    require(value >= 0, f"eigenvalue {value} is negative")
    return value, arb(value)


def _check_ball(value: arb) -> None:
    if not (value.is_finite() and value > 0):
        raise ValueError(f"eigenvalue {value} is not certainly positive; start from narrower balls")


def _enclosure(values: list[arb], counts: list[int], precision: int) -> list[arb]:
    """p for balls that are exactly zero or certainly positive, not all zero, with
    multiplicities.
    """
    live = [k for k, value in enumerate(values) if not value.is_zero()]
    for k in live:
        _check_ball(values[k])
    result = [arb(0)] * len(values)
    with ctx.workprec(precision + _GUARD_BITS):
        if len(live) == 1:
            result[live[0]] = arb(1) / counts[live[0]]
            return result
        middles = [values[k].mid() for k in live]
        radii = [-(1 - values[k].rad() / values[k].mid()).log() for k in live]
        masses = [counts[k] for k in live]
        for i, p in enumerate(_at_points(middles, masses, precision)):
            others = radii[:i] + radii[i + 1 :]
            free = radii[i] + reduce(arb.max, others)
            least_mass = masses[i] * p * (-free).exp()  # along the whole segment from the midpoints
            shift = (1 - least_mass) * free
            result[live[i]] = p * (-shift).exp().union(shift.exp())
    return result


def _at_points(values: list[arb], counts: list[int], precision: int) -> list[arb]:
    """p for two or more distinct positive values, by the trapezoidal rule with all that it leaves
    out.
    """
    total = _weighted_sum(counts, values)
    values = [value / total for value in values]
    goal = (precision + 4) * math.log(2)
    step, last = node_grid(values, counts, goal)
    nodes = math.ceil((last + goal) / float(step)) + 1
    first = arb(-goal).exp()
    ratio = step.exp()
    doubled = [2 * value for value in values]
    few = min(max(math.floor((goal - math.log(_NEAR * (2 + sum(counts)))) / float(step)), 0), nodes)
    sums = _near_zero(doubled, counts, first, ratio, few, goal)
    t = first / ratio * ratio**few
    for _ in range(nodes - few):
        t *= ratio
        factors = [1 + slope * t for slope in doubled]
        weight = t / _weighted_product(counts, factors).sqrt()
        sums = [partial + weight / factor for partial, factor in zip(sums, factors, strict=True)]
    beyond = tail_bound(values, counts, t)
    relative = 1 / (1 + arb(0, step_error(step)))
    return [
        (step * value * partial + arb(0, first * value + beyond)) * relative
        for value, partial in zip(values, sums, strict=True)
    ]


#: Nodes t are taken together up to 1/`_NEAR` of where the power series ceases to converge.
_NEAR = 32


def _near_zero(
    slopes: list[arb], counts: list[int], first: arb, ratio: arb, nodes: int, goal: float
) -> list[arb]:
    """What the first ``nodes`` nodes t = ``first``, ``first``·``ratio``, … add up to: Σ t f_i(t),
    with f_i(t) = (1 + s_i t)⁻¹ ∏ (1 + s t)^(-m/2).

    Most nodes lie so near 0 that a few powers of t tell f_i, and powers of t add up in closed form.
    With s ≤ 2 no coefficient of f_i exceeds that of (1 - 2t)^(-1 - M/2), M = Σ m, whose terms fall
    by half at least, as the last node is at most 1/(`_NEAR` (2 + M)): what is left out of the
    series is at most its next term, doubled.
    """
    if nodes < 1:
        return [arb(0)] * len(slopes)
    size = sum(counts)
    last = first * ratio ** (nodes - 1)
    terms = math.ceil(goal / math.log(_NEAR / 2)) + 1
    # j g_j = Σ_m (-1)^m P_m g_(j-m), P_m = Σ (count / 2) s^m: the logarithmic derivative of ∏
    halves, sums = [arb(count) / 2 for count in counts], []
    for m in range(terms):
        powers = (half * slope**m for half, slope in zip(halves, slopes, strict=True))
        sums.append((-1) ** m * sum(powers, arb(0)))
    product = [arb(1)]
    for j in range(1, terms):
        total = sum((sums[m] * product[j - m] for m in range(1, j + 1)), arb(0))
        product.append(total / j)
    added = []
    for j in range(1, terms + 1):
        step = ratio**j
        added.append((last**j * step - first**j) / (step - 1))
    left_out = 2 * last * ratio / (ratio - 1) * _binomial(size, terms) * (2 * last) ** terms
    found = []
    for slope in slopes:
        coefficient, total = arb(0), arb(0)
        for each, power in zip(product, added, strict=True):
            coefficient = each - slope * coefficient
            total += coefficient * power
        found.append(total + arb(0, left_out.upper()))
    return found


def _binomial(size: int, terms: int) -> arb:
    """The coefficient of x^terms in (1 - x)^(-1 - size/2)."""
    found = arb(1)
    for j in range(1, terms + 1):
        found *= (arb(size) / 2 + j) / j
    return found


def node_grid(values: list[arb], counts: list[int], goal: float) -> tuple[arb, float]:
    """A step and a last node, log t, with errors below e^-goal; the balls bound them apart.

    ``values`` are positive balls of weighted sum 1, ``counts`` their multiplicities.

    Example:
        >>> step, last = node_grid([arb(1) / 2], [2], goal=50.0)
        >>> float(step) < 1, last > 0
        (True, True)
    """
    step = arb(2 * math.pi * float(_ANGLE) / (goal + 4))  # 4 > log(2/cos a)
    return step, 2 * goal / sum(counts) - float(min(values).log().mid())


def step_error(step: arb) -> arb:
    """A bound of the relative error of the rule with all its nodes.

    ``step`` > 0 is that of the rule. Source: Trefethen, Weideman 2014, Theorem 5.1.

    Example:
        >>> step_error(arb(FLOAT_STEP)) < arb("1e-20")
        True
    """
    angle = arb(_ANGLE.numerator) / _ANGLE.denominator
    return 2 / (angle.cos() * ((2 * arb.pi() * angle / step).exp() - 1))


def tail_bound(values: list[arb], counts: list[int], t: arb) -> arb:
    """A bound of what the nodes past ``t`` add up to, for any of the values.

    ``values`` and ``counts`` as for `node_grid`; ``t`` > 0 is the last node itself.

    Example:
        >>> tail_bound([arb(1) / 2], [2], arb(2) ** 100) < arb("1e-20")
        True
    """
    ends = [1 + 2 * value * t for value in values]
    twice_falloff = _weighted_sum(counts, [1 - 1 / end for end in ends])
    return 1 / (twice_falloff * _weighted_product(counts, ends).sqrt())


def _weighted_sum(counts: list[int], values: list[arb]) -> arb:
    return sum((count * value for count, value in zip(counts, values, strict=True)), arb(0))


def _weighted_product(counts: list[int], values: list[arb]) -> arb:
    product = arb(1)
    for count, value in zip(counts, values, strict=True):
        product *= value if count == 1 else value**count
    return product
