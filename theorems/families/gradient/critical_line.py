"""tanh's critical line in balls, for every squared length q > 0 of a pre-activation at once.

With s = sech²(√q z), z standard normal, a critical chain has σ_w² = 1/E s² and
σ_b² = q - (1 - E s)/E s². Powers of sech have positive Fourier transforms, so that each E sᵖ is
∫ exp(-qω²/2) dm(ω) with m ≥ 0. Hence it is monotone in q with all its derivatives, and between any
two neighbouring sums of its power series at 0. So is, in x = 1/q, √(2πq) E sᵖ, which is
∫ sech²ᵖ(u) exp(-xu²/2) du. Three kinds of parts cover all q: near 0 by the one series, far out by
the other, and cells between, by Taylor's formula.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache, partial
from math import comb, factorial

from flint import arb, arb_series, fmpq

from theorems.checking.enclosures import Part
from theorems.families.gradient.enclosures import slope_means

__all__ = ["line_parts"]

#: Cells cover the lengths between these, each so many times as long as the one before.
LEAST, MOST, RATIO = Fraction(1, 64), Fraction(16), Fraction(16, 15)
#: Coefficients of Taylor's formula in a cell, and of a series at 0; the last stands for the rest.
IN_CELL, AT_ZERO = 6, 9
#: Into how many both ends are cut.
_CUTS = 16

Line = Mapping[str, arb]
Polynomial = list[arb]


def _exact(number: Fraction) -> arb:
    return arb(fmpq(number.numerator, number.denominator))


def _between(low: Fraction, high: Fraction) -> arb:
    return _exact(low).union(_exact(high))


# --- cells ----------------------------------------------------------------------------------------


def _rows(power: int, count: int) -> list[dict[int, Fraction]]:
    """d^j/dq^j E s^power over j!, j < count, each by its weights on E s, E s², …

    By the heat equation d/dq is ½ of the second derivative of sech, which takes s^p to
    4p² s^p - 2p(2p+1) s^(p+1).
    """
    found = [{power: Fraction(1)}]
    for j in range(1, count):
        following: dict[int, Fraction] = {}
        for p, weight in found[-1].items():
            following[p] = following.get(p, Fraction(0)) + 2 * p * p * weight / j
            following[p + 1] = following.get(p + 1, Fraction(0)) - p * (2 * p + 1) * weight / j
        found.append(following)
    return found


@lru_cache(maxsize=256)
def _series_at(length: Fraction) -> tuple[Polynomial, Polynomial]:
    """The power series of E s and of E s² at a length."""
    means = slope_means(_exact(length), IN_CELL + 1)

    def coefficients(power: int) -> Polynomial:
        rows = _rows(power, IN_CELL)
        return [
            sum((_exact(weight) * means[p - 1] for p, weight in row.items()), arb(0))
            for row in rows
        ]

    return coefficients(1), coefficients(2)


def _widened(there: arb_series, everywhere: arb_series, step: arb) -> arb_series:
    """A power series at every length of a cell: by Taylor's formula at its lower end, with the last
    coefficient from balls of the whole cell.
    """
    last = IN_CELL - 1
    known = [*(there[j] for j in range(last)), everywhere[last]]
    return arb_series(
        [
            _at([comb(j + i, i) * known[j + i] for i in range(IN_CELL - j)], step)
            for j in range(IN_CELL)
        ],
        IN_CELL,
    )


def _cell(low: Fraction, high: Fraction) -> Line:
    """Weights and biases first, and from these what the claims are about."""
    ends, step = (_series_at(low), _series_at(high)), _between(Fraction(0), high - low)
    over = [[a.union(b) for a, b in zip(*each, strict=True)] for each in zip(*ends, strict=True)]
    lengths = (_exact(low), _between(low, high))
    q, q_over = (arb_series([length, arb(1)], IN_CELL) for length in lengths)
    there = _line(q, *ends[0])
    everywhere = [_widened(*each, step) for each in zip(there, _line(q_over, *over), strict=True)]
    read, read_over = _read(q, *there), _read(q_over, *everywhere)
    return {name: _widened(read[name], read_over[name], step)[0] for name in read}


def _line(q: arb_series, slope: Polynomial, square: Polynomial) -> tuple[arb_series, ...]:
    """1 + 4q - σ_w⁴, σ_w⁴ - 1 - 9πq/8 and σ_b²."""
    one, two = (arb_series(each, IN_CELL) for each in (slope, square))
    weights = 1 / (two * two)
    return 1 + 4 * q - weights, weights - 1 - 9 * arb.pi() * q / 8, q - (1 - one) / two


def _read(
    q: arb_series, below: arb_series, above: arb_series, biases: arb_series
) -> dict[str, arb_series]:
    """What the claims are about."""
    return {
        "below": below * (1 + q) / (q * q),
        "above": above * (1 + q) / q,
        "biases": (4 * q * q * q / (3 * biases) - 1) / q - 4 * q / 3,
    }


# --- both ends ------------------------------------------------------------------------------------


def _product(first: Polynomial, second: Polynomial) -> Polynomial:
    found = [arb(0)] * (len(first) + len(second) - 1)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            found[i + j] += a * b
    return found


def _sum(*terms: Polynomial) -> Polynomial:
    found = [arb(0)] * max(map(len, terms))
    for term in terms:
        for j, a in enumerate(term):
            found[j] += a
    return found


def _scaled(factor: arb | int, polynomial: Polynomial, shift: int = 0) -> Polynomial:
    """Times a number and x^shift; below 0, coefficients that are known to be 0 are left out."""
    scaled = [factor * a for a in polynomial]
    return [arb(0)] * shift + scaled if shift >= 0 else scaled[-shift:]


def _at(polynomial: Polynomial, place: arb) -> arb:
    found = arb(0)
    for a in reversed(polynomial):
        found = a + place * found
    return found


def _enveloping(coefficients: Sequence[arb]) -> Polynomial:
    """Coefficients of alternating signs of which the last is taken between 0 and itself."""
    return [*coefficients[:-1], coefficients[-1].union(arb(0))]


@lru_cache(maxsize=1)
def _near_zero() -> tuple[Polynomial, Polynomial]:
    """E s and E s² as polynomials in q ≥ 0."""
    slope, square = (
        _enveloping([_exact(sum(row.values(), Fraction(0))) for row in _rows(power, AT_ZERO)])
        for power in (1, 2)
    )
    return slope, square


def _small(low: Fraction, high: Fraction) -> Line:
    """0 < q ≤ LEAST; what vanishes at q = 0 is divided by its power of q first."""
    q = _between(low, high)
    slope, square = _near_zero()
    squared = _product(square, square)
    one = [arb(1)]
    below = _sum(_scaled(4, squared, 1), squared, _scaled(-1, one))
    weights = _at(_scaled(-1, _sum(squared, _scaled(-1, one)), -1), q) / _at(squared, q)
    biases = _scaled(1, _sum(_scaled(1, square, 1), slope, _scaled(-1, one)), -3)
    excess = _scaled(1, _sum(_scaled(arb(4) / 3, square), _scaled(-1, biases)), -1)
    return {
        "below": _at(_scaled(1, below, -2), q) * (1 + q) / _at(squared, q),
        "above": (weights - 9 * arb.pi() / 8) * (1 + q),
        "biases": _at(excess, q) / _at(biases, q) - 4 * q / 3,
    }


@lru_cache(maxsize=1)
def _far_out() -> tuple[Polynomial, Polynomial]:
    """√(2πq) E s and √(2πq) E s² as polynomials in x = 1/q ≥ 0.

    By ∫ u^(2j) sech² u du = (2^(2j) - 2) π^(2j) |B_2j|/2^(2j-1), and 6s² = 4s - s″.
    """
    moments = [arb(2)]
    for j in range(1, AT_ZERO):
        bernoulli = abs(arb(fmpq.bernoulli(2 * j)))
        moments.append((2 ** (2 * j) - 2) * arb.pi() ** (2 * j) * bernoulli / 2 ** (2 * j - 1))
    squares = [
        (4 * moment - (2 * j * (2 * j - 1) * moments[j - 1] if j else 0)) / 6
        for j, moment in enumerate(moments)
    ]
    slope, square = (
        _enveloping([arb((-1) ** j) * each[j] / (2**j * factorial(j)) for j in range(AT_ZERO)])
        for each in (moments, squares)
    )
    return slope, square


def _large(low: Fraction, high: Fraction) -> Line:
    """q = 1/x, x between two up to 1/MOST; of ``biases`` a lower bound, by σ_b² ≤ q."""
    x = _between(low, high)
    slope, square = _far_out()
    squared, pi = _product(square, square), arb.pi()
    above = _sum([2 * pi], _scaled(-9 * pi / 8, squared), _scaled(-1, squared, 1))
    most = _exact(high) / (2 * pi)
    least = (1 - _at(slope, x) * most.sqrt()) / _at(square, x)
    return {
        "below": (4 - 2 * pi / _at(squared, x) + x) * (1 + x),
        "above": _at(_scaled(1, above, -1), x) * (1 + x) / _at(squared, x),
        "biases": arb(4) / 3 * least / most.sqrt() - x,
    }


def _steps(end: Fraction) -> Iterator[tuple[Fraction, Fraction]]:
    for place in range(_CUTS):
        yield end * place / _CUTS, end * (place + 1) / _CUTS


def line_parts() -> Iterator[Part]:
    """Parts that cover every q > 0, each with balls for

    - ``below``: (4 - w)(1 + q)/q, w = (σ_w⁴ - 1)/q
    - ``above``: (w - 9π/8)(1 + q)
    - ``biases``: (4q³/(3σ_b²) - 1)/q - 4q/3; beyond `MOST` a lower bound of it

    Example:
        >>> parts = list(line_parts())
        >>> parts[0].label, parts[-1].label
        ('q in (0, 1/1024]', '1/q in [15/256, 1/16]')
    """
    for low, high in _steps(LEAST):
        yield Part(f"q in {'[' if low else '('}{low}, {high}]", partial(_small, low, high))
    low = LEAST
    while low < MOST:
        high = min((low * RATIO).limit_denominator(4096), MOST)
        yield Part(f"q in [{low}, {high}]", partial(_cell, low, high))
        low = high
    for low, high in _steps(1 / MOST):
        yield Part(f"1/q in {'[' if low else '('}{low}, {high}]", partial(_large, low, high))
