"""Claims about every input, of numbers and of spectra, built from what is known of them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import sympy as sp

from tests.random_claims.claims import RandomClaim, Truth

x, y, k = sp.symbols("x y k", real=True)


def _rational(rng: Random, low: int, high: int, most: int = 12) -> sp.Rational:
    bottom = rng.randint(1, most)
    return sp.Rational(rng.randint(low * bottom, high * bottom), bottom)


def _positive(rng: Random) -> sp.Rational:
    """A rational in (0, 3]."""
    bottom = rng.randint(1, 9)
    return sp.Rational(rng.randint(1, 3 * bottom), bottom)


def _margin(rng: Random) -> sp.Rational:
    """Between a hundredth and a third."""
    return sp.Rational(rng.randint(3, 100), 300)


def _text(expression: sp.Expr) -> str:
    return str(expression).replace("Max(", "max(").replace("Min(", "min(").replace("Abs(", "abs(")


def _interval(rng: Random, inside: sp.Expr) -> tuple[str, sp.Rational, sp.Rational]:
    """A closed interval with rational ends around a number."""
    middle = sp.Rational(round(float(inside) * 4), 4)
    low = middle - sp.Rational(rng.randint(1, 12), 4) - sp.Rational(1, 2)
    high = middle + sp.Rational(rng.randint(1, 12), 4) + sp.Rational(1, 2)
    return f"[{low}, {high}]", low, high


def _shown(rng: Random, expression: sp.Expr) -> str:
    """Multiplied out, so that the text does not tell how it was made, or as it is."""
    return _text(sp.expand(expression) if rng.random() < 0.7 else expression)


def _squares(rng: Random, at: sp.Rational) -> sp.Expr:
    """A polynomial in x that is at least 0 and vanishes at one rational point."""
    found = _positive(rng) * (x - at) ** 2
    for _ in range(rng.randint(0, 2)):
        found += _positive(rng) * (x - at) ** 2 * (x - _rational(rng, -2, 2)) ** 2
    return found


def polynomial(rng: Random) -> RandomClaim:
    """q ≥ v ± margin for q = v + squares: true or false by the margin."""
    at, value, margin = _rational(rng, -2, 2), _rational(rng, -5, 5), _margin(rng)
    domain, _, _ = _interval(rng, at)
    true = rng.random() < 0.5
    left, right = _squares(rng, at) + value, value - margin if true else value + margin
    return RandomClaim(
        f"{_shown(rng, left)} >= {right}",
        {"x": domain},
        Truth.TRUE if true else Truth.FALSE,
        f"least value {value} at x = {at}",
    )


def plane(rng: Random) -> RandomClaim:
    """The same in two variables."""
    a, b, value, margin = (
        _rational(rng, -2, 2),
        _rational(rng, -2, 2),
        _rational(rng, -5, 5),
        _margin(rng),
    )
    left = value + _positive(rng) * (x - a) ** 2 + _positive(rng) * (y - b) ** 2
    left += _positive(rng) * (x - a + _rational(rng, -2, 2) * (y - b)) ** 2
    true = rng.random() < 0.5
    right = value - margin if true else value + margin
    return RandomClaim(
        f"{_shown(rng, left)} >= {right}",
        {"x": _interval(rng, a)[0], "y": _interval(rng, b)[0]},
        Truth.TRUE if true else Truth.FALSE,
        f"least value {value} at ({a}, {b})",
    )


def cases(rng: Random) -> RandomClaim:
    """Absolute values, maxima and minima of lines, whose extremes lie at corners and ends."""
    at, slope, margin = _rational(rng, -2, 2), _positive(rng), _margin(rng)
    domain, low, high = _interval(rng, at)
    kind = rng.choice(["abs", "max", "min"])
    if kind == "abs":
        left, top = sp.Abs(x - at) * slope, slope * max(high - at, at - low)
        relation = "<="
    elif kind == "max":
        left, top = sp.Max(x - at, slope * (at - x)), sp.S.Zero
        relation = ">="
    else:
        left, top = sp.Min(x - at, slope * (at - x)), sp.S.Zero
        relation = "<="
    true = rng.random() < 0.5
    upper = relation == "<="
    right = top + margin if true is upper else top - margin
    return RandomClaim(
        f"{_text(left)} {relation} {right}",
        {"x": domain},
        Truth.TRUE if true else Truth.FALSE,
        f"extreme value {top}, at a corner or an end",
    )


def transcendental(rng: Random) -> RandomClaim:
    """Tangent lines of exp and log, the mean inequality: tight at a known point."""
    margin, scale = _margin(rng), _positive(rng)
    true = rng.random() < 0.5
    sign = "+" if true else "-"
    at = _positive(rng)
    form = rng.choice(["exp", "log", "mean"])
    if form == "exp":
        text = f"1 + {scale}*(x - {at}) <= exp({scale}*(x - {at})) {sign} {margin}"
        options = {"x": f"[{at - 1}, {at + 1}]"}
        why = f"equal at x = {at} without the margin"
    elif form == "log":
        text = f"log(x/({at})) <= x/({at}) - 1 {sign} {margin}"
        options = {"x": f"[{at / 8}, {at * 3}]"}
        why = f"equal at x = {at} without the margin"
    else:
        text = f"sqrt({scale}*x*y) <= ({scale}*x + y)/2 {sign} {margin}"
        options = {"x": "[0, 4]", "y": "[0, 4]"}
        why = f"equal where y = {scale}x"
    return RandomClaim(text, options, Truth.TRUE if true else Truth.FALSE, why)


def whole(rng: Random) -> RandomClaim:
    """Whole numbers: a parabola whose least value over them is known."""
    at, value = rng.randint(2, 400), rng.randint(-50, 50)
    true = rng.random() < 0.5
    left = (k - at) ** 2 + value
    right = sp.Rational(2 * value - 1, 2) if true else sp.Rational(2 * value + 1, 2)
    end = str(at + rng.randint(1, 2000)) if rng.random() < 0.7 else ""
    relation = f"{_shown(rng, left)} >= {right}"
    if not true and rng.random() < 0.3:
        return RandomClaim(
            f"k <= {10 ** rng.randint(3, 15)}", {"k": "1.."}, Truth.THIN, "k has no end"
        )
    return RandomClaim(
        relation,
        {"k": f"1..{end}"},
        Truth.TRUE if true else Truth.THIN,
        f"least value {value} at k = {at}",
    )


def _irrational(rng: Random) -> tuple[sp.Expr, sp.Expr]:
    """A polynomial with a simple irrational root, and that root."""
    power = rng.choice([2, 2, 3, 4, 5])
    number = rng.choice([2, 3, 5, 7, 11])
    bottom = rng.choice([1, 1, 4, 9])
    return x**power - sp.Rational(number, bottom), sp.Rational(number, bottom) ** sp.Rational(
        1, power
    )


def algebraic(rng: Random) -> RandomClaim:
    """False at one algebraic point, and nowhere else."""
    polynomial_, root = _irrational(rng)
    domain, _, _ = _interval(rng, root)
    low = max(sp.S.Zero, sp.sympify(domain[1:].split(",")[0]))
    domain = f"[{low}, {domain.split(', ')[1]}"
    positive = _positive(rng) + (x - _rational(rng, -2, 2)) ** 2
    form = rng.choice(["square", "abs", "tiny"])
    if form == "square":
        text = f"{_shown(rng, polynomial_**2 * positive)} > 0"
    elif form == "abs":
        text = f"abs({_text(sp.expand(polynomial_ * positive))}) >= 1/10**{rng.randint(12, 90)}"
    else:
        text = f"{_shown(rng, polynomial_**2)} >= 1/10**{rng.randint(20, 90)}"
    return RandomClaim(text, {"x": domain}, Truth.THIN, f"false at x = {root}")


def algebraic_plane(rng: Random) -> RandomClaim:
    """False at one algebraic point of the plane."""
    polynomial_, root = _irrational(rng)
    slope = _positive(rng)
    left = polynomial_**2 + (y - slope * x) ** 2
    top = sp.ceiling(slope * root) + 1
    return RandomClaim(
        f"{_shown(rng, left)} > 0",
        {"x": f"[0, {sp.ceiling(root) + 1}]", "y": f"[0, {top}]"},
        Truth.THIN,
        f"false at x = {root}, y = {slope}x",
    )


def ends(rng: Random) -> RandomClaim:
    """False at an end of the interval alone, or true because that end is open."""
    end, slope = _rational(rng, -2, 2), _positive(rng)
    open_end = rng.random() < 0.5
    low = end - rng.randint(1, 4)
    bracket = ")" if open_end else "]"
    return RandomClaim(
        f"{_text(sp.expand(slope * x))} < {slope * end}",
        {"x": f"[{low}, {end}{bracket}"},
        Truth.TRUE if open_end else Truth.THIN,
        f"equal at x = {end}",
    )


def spectral(rng: Random) -> RandomClaim:
    """Known relations between quantities of a spectrum, with a factor to spare or to excess."""
    factor = 1 + _margin(rng)
    true = rng.random() < 0.5
    size = f"2..{rng.randint(3, 7)}"
    more = factor if true else 1 / factor
    form = rng.choice(["gap", "rank", "least", "power"])
    if form == "gap":
        text, why = (
            f"orthogonality_gap <= {more}*sqrt(n*(n-1))*smallest_eigenvalue_gap",
            "Lemma 4, sharp",
        )
    elif form == "rank":
        text, why = f"effective_rank*(1/n + orthogonality_gap**2) <= {more}", "an identity"
    elif form == "least":
        text, why = (
            f"n*smallest_eigenvalue + orthogonality_gap <= {more}",
            "least <= 1/n - gap/sqrt(n(n-1))",
        )
    else:
        text = f"smallest_eigenvalue_gap**2 <= {more}*orthogonality_gap**2*(n-1)/n"
        why = "Cauchy's inequality, equal at one small eigenvalue"
    return RandomClaim(
        text, {"over": "spectra", "n": size}, Truth.TRUE if true else Truth.FALSE, why
    )


def spectral_thin(rng: Random) -> RandomClaim:
    """False at the uniform spectrum alone."""
    text = rng.choice(
        [
            "orthogonality_gap > 0",
            "effective_rank < n",
            "n*smallest_eigenvalue < 1",
            "orthogonality_gap >= 1/10**40",
            "smallest_eigenvalue_gap*n > 0",
        ]
    )
    return RandomClaim(
        text,
        {"over": "spectra", "n": f"2..{rng.randint(3, 6)}"},
        Truth.THIN,
        "false at the uniform spectrum",
    )


def undefined(rng: Random) -> RandomClaim:
    """True wherever both sides have a value, and without one somewhere."""
    at = _rational(rng, -1, 1)
    root = sp.sqrt(rng.choice([2, 3, 5]))
    square = root**2
    bound = rng.randint(5, 50)
    inside = f"[{at - 1}, {at + 1}]"
    text, options, why = rng.choice(
        [
            (f"(x - ({at}))**2/(x - ({at})) <= {bound}", {"x": inside}, f"0/0 at x = {at}"),
            (f"min(1/(x - ({at})), 1) <= {bound}", {"x": inside}, f"1/0 at x = {at}"),
            (
                f"(x - ({at}))*log(x - ({at})) <= {bound}",
                {"x": f"[{at}, {at + 1}]"},
                f"log 0 at x = {at}",
            ),
            (
                f"sqrt(x - ({at})) <= {bound}",
                {"x": inside},
                f"the root of a negative number below {at}",
            ),
            (
                f"0*log(x - ({at})) <= {bound}",
                {"x": inside},
                f"a logarithm of what is negative below {at}",
            ),
            (
                f"acos(x) <= {bound}",
                {"x": f"[0, {1 + abs(at) + sp.Rational(1, 3)}]"},
                "acos beyond 1",
            ),
            (f"-1/(x**2 - {square})**2 <= {bound}", {"x": "[0, 3]"}, f"1/0 at x = {root}"),
            (
                f"(x**2 - {square})/(x**2 - {square}) <= {bound}",
                {"x": "[0, 3]"},
                f"0/0 at x = {root}",
            ),
            (f"x**(-2)*x**2 <= {bound}", {"x": f"[{-abs(at) - 1}, 1]"}, "0**-2 at x = 0"),
            (f"1/(k - {bound}) <= 2", {"k": f"1..{2 * bound}"}, f"1/0 at k = {bound}"),
            (
                f"orthogonality_gap/orthogonality_gap <= {bound}",
                {"over": "spectra", "n": "2..4"},
                "0/0 at the uniform spectrum",
            ),
            (
                f"smallest_eigenvalue**2/smallest_eigenvalue <= {bound}",
                {"over": "spectra", "n": "2..4"},
                "0/0 at a spectrum with a zero",
            ),
        ]
    )
    return RandomClaim(text, options, Truth.UNDEFINED, why)


def unclaimed(rng: Random) -> RandomClaim:
    """The same with the point assumed away: then it is true."""
    at, bound = _rational(rng, -1, 1), rng.randint(5, 50)
    text = f"(x - ({at}))**2/(x - ({at})) <= {bound}"
    return RandomClaim(
        text,
        {"x": f"[{at - 1}, {at + 1}]", "assume": f"x != {at}"},
        Truth.TRUE,
        f"undefined at x = {at} only, which is assumed away",
    )


MAKERS: tuple[tuple[Callable[[Random], RandomClaim], int], ...] = (
    (polynomial, 8),
    (plane, 4),
    (cases, 5),
    (transcendental, 5),
    (whole, 5),
    (algebraic, 8),
    (algebraic_plane, 3),
    (ends, 4),
    (spectral, 7),
    (spectral_thin, 2),
    (undefined, 14),
    (unclaimed, 2),
)


def make(rng: Random) -> RandomClaim:
    """One claim of a kind drawn by weight."""
    makers, weights = zip(*MAKERS, strict=True)
    return rng.choices(makers, weights)[0](rng)
