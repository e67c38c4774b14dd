"""A boundary through the midpoint of two balls misses both: the law, and what was printed for it.

Problem. Two balls of radius δ have centres u and v that are 2r apart; a unit with Gaussian weight
has a boundary through the midpoint. With which probability does it meet neither ball?

Method. The boundary misses a ball if |⟨w,u-v⟩|/2 exceeds δ times the length of w in the ball's
space, so that the law depends on where the two spaces lie. Incomplete beta functions, finite sums
and normal tails are enclosed in balls of numbers; layers of units are counted.

Guarantee. In a common space of dimension 2K that holds u - v it is 1 - I_x(½, K - ½), x = δ²/r²,
which is elementary, and within 1/(5K) of P(|Z| > t), Z standard normal, t = (δ/r)√(2K). Balls of
dimension K, as the text reads, may lie in spaces normal to each other and to u - v: then it is
within 1/(5√K) of P(|Z| > t/√2). At K = 100, t = 1 it is .4636, above .439, the least of the printed
upper bounds.

Reference. R26 (PMLR 334), Theorem 3, as printed and corrected.

Example:

    >>> [statement.variant for statement in STATEMENTS[3:]]
    ['two_spaces', 'two_spaces_limit', 'printed', 'read_literally']
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import flint
import numpy as np
import numpy.typing as npt
import sympy as sp

from simulators.lazy import strategies as st
from theorems.algebraic import rational
from theorems.checking.expectation import Expectation, Instance
from theorems.checking.pointwise import Pointwise
from theorems.families.splines.ball_probabilities import beyond, in_one_space, in_two_spaces
from theorems.families.splines.notation import FAMILY
from theorems.families.splines.units import Bools, observe, share, weights
from theorems.statement import (
    NUDGE,
    Quantifier,
    Sentinel,
    Source,
    Statement,
    Variable,
    Verdict,
)

if TYPE_CHECKING:
    from theorems.report.style import Drawing

__all__ = ["FIGURES", "STATEMENTS", "draw"]

Floats = npt.NDArray[np.floating[Any]]
Item = Mapping[str, Any]

K, h = sp.symbols("K h", integer=True, positive=True)
x, t = sp.symbols("x t", positive=True)
missed, limit, beta = sp.symbols("missed limit beta", nonnegative=True)
i, j, q = sp.symbols("i j q", integer=True)

# --- the two laws, elementary ---------------------------------------------------------------------

_cosines = sp.Sum(sp.Product(2 * q / (2 * q + 1), (q, 1, j)) * (1 - x) ** j, (j, 0, K - 2))
_one_space = sp.acos(sp.sqrt(x)) * 2 / sp.pi - 2 * sp.sqrt(x) * sp.sqrt(1 - x) * _cosines / sp.pi


def _central(size: sp.Expr) -> sp.Expr:
    """C(2 size, size)/4^size."""
    return sp.Product(1 - 1 / (2 * q), (q, 1, size))


_once = sp.Sum(_central(j) / (1 + x) ** j, (j, 0, h - 1))
_pairs = sp.Product((j + q) / q, (q, 1, i))
_twice = sp.Sum(_central(i + j) * _pairs / (2 + x) ** (i + j), (i, 0, h - 1), (j, 0, h - 1))
_two_spaces = 1 - 2 * sp.sqrt(x / (1 + x)) * _once + sp.sqrt(x / (2 + x)) * _twice

# --- what is tried --------------------------------------------------------------------------------

#: K/2, or K, and x, of layers.
_LAYERS = ((1, 0.25), (2, 0.1), (4, 0.1))


def _misses(H: Floats, size: int, apart: bool, x: float) -> Bools:
    """Where a unit's boundary misses both balls: its weights are the entries of its row."""
    squares = H**2
    along = squares[..., 0]
    if apart:
        first, second = squares[..., 1 : size + 1], squares[..., size + 1 : 2 * size + 1]
        within = np.maximum(first.sum(-1), second.sum(-1))
    else:
        within = squares[..., :size].sum(-1)
    missing: Bools = along > x * within
    return missing


def _laws(apart: bool, size: str, statement: Statement, batch: Floats | None) -> Iterator[Instance]:
    for number, share_of_r in _LAYERS:
        dimension = 4 * number + 1 if apart else 2 * number
        symbols = {size: number, "x": share_of_r}
        yield weights(f"{size}={number}, x={share_of_r:g}", dimension, symbols)


_NAMES = {False: "misses_one_space", True: "misses_two_spaces"}


def _sampled(apart: bool, size: str) -> tuple[Expectation]:
    """A layer holds units of one space; of which, and of which x, its columns tell."""
    given = {4 * n + 1 if apart else 2 * n: (2 * n, x) for n, x in _LAYERS}

    def holds(H: Floats) -> Bools:
        return _misses(H, given[H.shape[-1]][0], apart, given[H.shape[-1]][1])

    name = _NAMES[apart]
    sample = partial(share, name)
    laid_out = partial(_laws, apart, size)
    return (Expectation(laid_out, sample, (observe(name, holds),), follows_batch=False),)


def _with_beta(item: Item) -> Item:
    """The regularised incomplete beta function, by itself."""
    return {**item, "beta": 1 - in_one_space(2 * item["K"], item["x"])}


def _shares() -> st.SearchStrategy[Item]:
    shares = st.integers(1, 59).map(lambda whole: Fraction(whole, 60))
    return st.fixed_dictionaries({"K": st.integers(1, 30), "x": shares})


def _share_corners() -> list[Item]:
    tried = ((1, 2), (2, 7), (100, 200))
    return [{"K": size, "x": Fraction(1, part)} for size, part in tried]


def _one(item: Item) -> Item:
    found = in_one_space(2 * item["K"], item["t"] ** 2 / (2 * item["K"]))
    return {**item, "missed": found, "limit": beyond(flint.arb(rational(item["t"])))}


def _two(item: Item) -> Item:
    """Of balls of dimension 2h, with P(|Z| > t/√2)."""
    found = in_two_spaces(item["h"], item["t"] ** 2 / (4 * item["h"]))
    size = flint.arb(rational(item["t"])) / flint.arb(2).sqrt()
    return {**item, "missed": found, "limit": beyond(size)}


def _literally(item: Item) -> Item:
    """Of balls of dimension 2h, with P(|Z| > t)."""
    return {**_two(item), "limit": beyond(flint.arb(rational(item["t"])))}


def _sizes(name: str, least: int) -> st.SearchStrategy[Item]:
    """Dimensions up to 100, and t in eighths up to 5, where δ may exceed r."""
    eighths = st.integers(1, 40).map(lambda whole: Fraction(whole, 8))
    return st.fixed_dictionaries({name: st.integers(1, 200 // least), "t": eighths})


def _corners(name: str, least: int) -> list[Item]:
    """The dimension 100 at t = 1, and others."""
    tried = ((200 // least, 1), (1, 1), (2, 1), (20, 2), (20, Fraction(1, 2)))
    return [{name: size, "t": Fraction(value)} for size, value in tried]


def _published() -> st.SearchStrategy[Item]:
    """The one case that a number is known of."""
    return st.just({"h": 50, "t": Fraction(1)})


def _decided(values: Callable[[Item], Item], name: str, least: int) -> tuple[Pointwise[Item]]:
    sizes = partial(_sizes, name, least)
    return (Pointwise(values, sizes, partial(_corners, name, least), walks=False),)


# --- the statements -------------------------------------------------------------------------------

_THEOREM = Source("R26", "Theorem 3")
_CORRECTED = Source("R26", "Theorem 3, corrected")
_OURS = Source("ours", "")
_SIZE = Variable(K, sp.Range(1, sp.oo), "half the dimension of the common space")
_HALF = Variable(h, sp.Range(1, sp.oo), "half the dimension of a ball")
_SHARE = Variable(x, sp.Interval.open(0, 1), "δ²/r²")
_RATIO = Variable(t, sp.Interval.open(0, sp.oo), "(δ/r)√(2K)")
_MISSED = "probability that the boundary meets neither ball"
_APART = "the same, of balls in spaces normal to each other and to u - v"
_TAIL = "P(|Z| > t) of a standard normal Z"
_balls = partial(Statement, family=FAMILY, theorem="ball_separation")
_law = partial(
    _balls,
    quantifier=Quantifier.EXPECTATION,
    lhs=missed,
    relation="==",
    expected=Verdict.SUPPORTED,
    chain="vanilla",
)
_decision = partial(_balls, quantifier=Quantifier.POINTWISE)

ONE_SPACE = (
    _law(
        variant="one_space",
        title="A boundary misses two balls of one 2K-dimensional space with probability "
        "1 - I_x(½, K - ½)",
        source=_CORRECTED,
        variables=(_SIZE, _SHARE),
        definitions={missed: _MISSED},
        rhs=_one_space,
        sentinel=Sentinel("a fifth more", rhs=sp.Rational(6, 5) * _one_space),
        observables=(_NAMES[False],),
        checks=_sampled(False, "K"),
        remark="The right side is 1 - I_x(½, K - ½) in finite terms: see `incomplete_beta`.",
    ),
    _decision(
        variant="incomplete_beta",
        title="1 - I_x(½, K - ½) in finite terms",
        source=_CORRECTED,
        variables=(_SIZE, _SHARE),
        definitions={beta: "I_x(½, K - ½), the regularised incomplete beta function"},
        lhs=sp.Abs(1 - beta - _one_space),
        relation="<=",
        rhs=sp.Rational(1, 10**40),
        sentinel=Sentinel(
            "one part in a million more", lhs=sp.Abs(1 - beta - (1 + NUDGE) * _one_space)
        ),
        expected=Verdict.CERTIFIED,
        checks=(Pointwise(_with_beta, _shares, _share_corners, walks=False),),
    ),
    _decision(
        variant="one_space_limit",
        title="Balls of one space: P is within 1/(5K) of P(|Z| > t), t = (δ/r)√(2K)",
        source=_CORRECTED,
        variables=(_SIZE, _RATIO),
        definitions={missed: _MISSED, limit: _TAIL},
        lhs=sp.Abs(missed - limit),
        relation="<=",
        rhs=1 / (5 * K),
        sentinel=Sentinel("half as far", rhs=1 / (10 * K)),
        expected=Verdict.CERTIFIED,
        checks=_decided(_one, "K", 2),
    ),
)
TWO_SPACES = (
    _law(
        variant="two_spaces",
        title="A boundary misses two balls of dimension K = 2h in normal spaces: in finite terms",
        source=_OURS,
        variables=(_HALF, _SHARE),
        definitions={missed: _APART},
        rhs=_two_spaces,
        sentinel=Sentinel("a fifth more", rhs=sp.Rational(6, 5) * _two_spaces),
        observables=(_NAMES[True],),
        checks=_sampled(True, "h"),
    ),
    _decision(
        variant="two_spaces_limit",
        title="Balls of dimension K = 2h in normal spaces: P is within 1/(5√K) of P(|Z| > t/√2)",
        source=_OURS,
        variables=(_HALF, _RATIO),
        definitions={missed: _APART, limit: "P(|Z| > t/√2) of a standard normal Z"},
        lhs=sp.Abs(missed - limit),
        relation="<=",
        rhs=1 / (5 * sp.sqrt(2 * h)),
        sentinel=Sentinel("half as far", rhs=1 / (10 * sp.sqrt(2 * h))),
        expected=Verdict.CERTIFIED,
        checks=_decided(_two, "h", 4),
    ),
)
PRINTED = (
    _decision(
        variant="printed",
        title="Balls of dimension K = 100, δ/r = 1/√200: missed with probability .439 or less",
        source=_THEOREM,
        variables=(Variable(h, sp.Range(50, 51), "half the dimension of a ball"),),
        definitions={missed: _APART},
        lhs=missed,
        relation="<=",
        rhs=sp.Rational(439, 1000),
        sentinel=Sentinel(".438 or less", rhs=sp.Rational(438, 1000)),
        expected=Verdict.REFUTED,
        checks=(Pointwise(_two, _published, walks=False),),
        remark=".439 is the least of the printed upper bounds, over their ε. The theorem is read "
        "literally: balls of dimension K, and nothing said of where they lie.",
    ),
    _decision(
        variant="read_literally",
        title="Balls of dimension K = 2h: missed with probability P(|Z| > t) + 1/(5K) or less",
        source=_THEOREM,
        variables=(_HALF, _RATIO),
        definitions={missed: _APART, limit: _TAIL},
        lhs=missed,
        relation="<=",
        rhs=limit + 1 / (10 * h),
        sentinel=Sentinel("without the rest", rhs=limit),
        expected=Verdict.REFUTED,
        checks=_decided(_literally, "h", 4),
        remark="What holds in a common space, by `one_space_limit`, does not hold of any two balls.",
    ),
)


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """Both laws against K at t = 1, with their limits and the printed bound; None if not run."""
    from theorems.report.document import find
    from theorems.report.style import COLOURS, INK, Drawing, drawing, new_figure

    names = (ONE_SPACE[2].name, PRINTED[0].name)
    if any(find(document, name) is None for name in names):
        return None
    sizes = np.arange(2, 202, 4)
    halves = [int(size) // 2 for size in sizes]
    common = [float(in_one_space(2 * int(size), Fraction(1, 2 * int(size)))) for size in sizes]
    apart = [float(in_two_spaces(half, Fraction(1, 4 * half))) for half in halves]
    with drawing():
        figure = new_figure(4.5, 3.2)
        axes = figure.add_subplot()
        axes.plot(sizes, apart, color=COLOURS["sharp"], label="two spaces")
        axes.plot(sizes, common, color=COLOURS["corrected"], label="one space")
        for size in (1.0, 0.5**0.5):
            axes.axhline(float(beyond(flint.arb(size))), color=INK, lw=1.0, linestyle=(0, (1, 1.6)))
        axes.plot([100], [0.439], "x", color=COLOURS["as_printed"], label="printed, at most")
        axes.set(xlabel="dimension K of a ball", ylabel="probability to miss both", ylim=(0, 0.6))
        axes.legend()
    return Drawing(
        "ball_separation",
        "A boundary that misses two balls",
        "δ/r = 1/√(2K). Dotted: P(|Z| > 1/√2) and P(|Z| > 1), the two limits.",
        figure,
        names,
    )


STATEMENTS = (*ONE_SPACE, *TWO_SPACES, *PRINTED)
FIGURES = (draw,)
