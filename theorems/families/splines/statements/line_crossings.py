"""A random network without biases has 1 + (θ/π)·(units) linear pieces along a segment, on average.

Problem. A segment is seen from 0 under the angle θ. How many linear pieces does a network with
independent Gaussian weights have along it? Hanin and Rolnick show growth linear in the number of
units, and not exponential in depth; with which constant?

Method. A Gaussian unit separates the ends of a piece with probability ∠/π (R26, Lemma 1), so a
layer is crossed in proportion to the angular length of what it reads. A layer keeps that length on
average, exactly: by Crofton's formula it is the rate at which random hyperplanes are crossed, which
a linear map of full rank carries to others; on the orthant where its units are the activation is
one, and flips of signs carry orthants to each other. ReLU loses the directions of its inactive
units, and where fewer than two are active there is nothing left to turn. Sampled: all crossings of
the segment, many networks at once, against confidence sequences.

Guarantee. One layer of m units, through a common point or with Gaussian biases: mθ/π crossings on
average, θ the angle from that point, or with the bias's standard deviation for a further
coordinate. L layers of n ≥ 2 units without biases: θLn/π with slopes a, 1 where a ≠ 0; for ReLU
each further layer has 1 - (n+1)/2^n times as many. (Of other widths: Σ n_ℓ, each with the product
over the layers before it.) Whatever the biases, given the layers before: n/π times the sum of the
angles of the pieces. A whole line that misses 0 is the limit θ → π.

Reference. After HR19 (arXiv 1901.09021), for the growth, and R26, Lemma 1; the exact constants are
ours.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['layer', 'leaky_relu', 'relu', 'given_earlier']
    >>> float(STATEMENTS[1].bound(theta=math.pi / 2, n=6, L=4))
    12.0
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from simulators.splines.random_segments import random_crossings
from theorems.checking.drawn_means import DrawnMeans, MeanCase
from theorems.families.splines.notation import FAMILY
from theorems.statement import Quantifier, Sentinel, Source, Statement, Variable, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from theorems.report.style import Drawing

__all__ = ["FIGURES", "STATEMENTS", "draw"]

Floats = NDArray[np.float64]

m, n, L = sp.symbols("m n L", integer=True, positive=True)
theta = sp.Symbol("theta", positive=True)
j = sp.Symbol("j", integer=True)
crossings, excess = sp.Symbol("E_C", nonnegative=True), sp.Symbol("E_D", real=True)

_ANGLE = Variable(theta, sp.Interval.open(0, sp.pi), "angle under which the segment is seen")
_WIDTH = Variable(n, sp.Range(2, sp.oo), "units of each layer")
_DEPTH = Variable(L, sp.Range(1, sp.oo), "layers")


@dataclass(frozen=True)
class _Segments:
    """Networks of ``depth`` layers of ``width`` units, along a segment seen under ``angle`` from 0.

    ``bias`` is the standard deviation of biases; ``given`` that the mean of the last layer's
    crossings given the earlier ones is taken off, and otherwise all layers count.
    """

    width: int
    depth: int
    angle: float
    slope: float = 0.0
    bias: float = 0.0
    given: bool = False

    @property
    def ends(self) -> Floats:
        """Both ends, at √2 from 0 in the plane."""
        turns = np.array([0.0, self.angle])
        return np.asarray(np.sqrt(2) * np.stack([np.cos(turns), np.sin(turns)], axis=1))

    @property
    def seen(self) -> float:
        """θ: the angle with the bias for a further coordinate."""
        squares = 1 + self.bias**2
        return math.acos((math.cos(self.angle) + self.bias**2) / squares)

    @property
    def most(self) -> int:
        """How many crossings there can be: each layer's units on every piece of the layers before."""
        return int((self.width + 1) ** self.depth - 1)

    def drawn(self, seed: tuple[int, ...], size: int) -> Floats:
        """What is counted, of so many networks."""
        found = random_crossings(
            self.ends,
            (self.width,) * self.depth,
            slope=self.slope,
            bias=self.bias,
            replicas=size,
            seed=seed,
        )
        if self.given:
            predicted = self.width * found.angles[:, -1] / math.pi
            return np.asarray(found.counts[:, -1] - predicted)
        return np.asarray(found.counts.sum(axis=1), dtype=np.float64)

    def case(self) -> MeanCase:
        """The mean of it."""
        names = ("m",) if self.depth == 1 else ("n", "L")
        sizes = dict(zip(names, (self.width, self.depth), strict=False))
        words = [
            f"{self.depth} layer{'s' * (self.depth > 1)} of {self.width} units",
            f"{math.degrees(self.angle):.0f}°",
            f"slope {self.slope:g}",
            f"biases {self.bias:g}" if self.bias else "no biases",
        ]
        return MeanCase(
            label=", ".join(words),
            values={**sizes, "theta": self.seen},
            draw=self.drawn,
            support=(-float(self.most), float(self.most)) if self.given else (0.0, self.most),
        )


def _check(*segments: _Segments) -> tuple[DrawnMeans]:
    return (DrawnMeans(lambda batch: [each.case() for each in segments]),)


_RIGHT, _SHARP = math.pi / 2, math.pi / 6
_lines = partial(
    Statement,
    family=FAMILY,
    theorem="line_crossings",
    quantifier=Quantifier.EXPECTATION,
    relation="==",
    expected=Verdict.SUPPORTED,
)
_OURS = Source("ours", "after HR19 (arXiv 1901.09021), of whom the growth is")
_MORE = sp.Rational(21, 20)
_lost = sp.Sum((1 - (n + 1) / 2**n) ** j, (j, 0, L - 1))

STATEMENTS = (
    _lines(
        variant="layer",
        title="A layer of m Gaussian units crosses a segment seen under θ mθ/π times on average",
        source=Source("R26", "Lemma 1, for m units"),
        variables=(Variable(m, sp.Range(1, sp.oo), "units"), _ANGLE),
        definitions={crossings: "mean number of boundaries that the segment crosses"},
        lhs=crossings,
        rhs=m * theta / sp.pi,
        sentinel=Sentinel("a twentieth more", rhs=_MORE * m * theta / sp.pi),
        checks=_check(
            _Segments(8, 1, _RIGHT),
            _Segments(8, 1, _SHARP),
            _Segments(8, 1, _RIGHT, bias=1.0),
        ),
    ),
    _lines(
        variant="leaky_relu",
        title="Leaky ReLU, no biases: L layers of n units cross it θLn/π times on average",
        source=_OURS,
        variables=(_ANGLE, _WIDTH, _DEPTH),
        definitions={crossings: "mean number of boundaries of all layers that the segment crosses"},
        lhs=crossings,
        rhs=theta / sp.pi * n * L,
        sentinel=Sentinel("a twentieth more", rhs=_MORE * theta / sp.pi * n * L),
        checks=_check(
            _Segments(4, 3, _RIGHT, slope=0.1),
            _Segments(3, 3, _RIGHT, slope=-1.0),
            _Segments(6, 2, _SHARP, slope=0.5),
        ),
        remark="Linear in the number of units, whatever their depth.",
    ),
    _lines(
        variant="relu",
        title="ReLU, no biases: each further layer has 1 - (n+1)/2^n times as many crossings",
        source=_OURS,
        variables=(_ANGLE, _WIDTH, _DEPTH),
        definitions={crossings: "mean number of boundaries of all layers that the segment crosses"},
        lhs=crossings,
        rhs=theta / sp.pi * n * _lost,
        sentinel=Sentinel("as many as with leaky ReLU", rhs=theta / sp.pi * n * L),
        checks=_check(
            _Segments(2, 3, _RIGHT),
            _Segments(4, 3, _RIGHT),
            _Segments(5, 2, _SHARP),
        ),
    ),
    _lines(
        variant="given_earlier",
        title="Given earlier layers, n units cross n/π times the angles of the pieces, on average",
        source=Source("R26", "Lemma 1, on every piece"),
        variables=(_ANGLE, _WIDTH, _DEPTH),
        definitions={excess: "mean of a layer's crossings less n/π times the angles of the pieces"},
        lhs=excess,
        rhs=sp.Integer(0),
        sentinel=Sentinel("a twentieth of a crossing a unit more", rhs=n / 20),
        checks=_check(
            _Segments(4, 2, _RIGHT, bias=0.5, given=True),
            _Segments(3, 3, _RIGHT, bias=0.3, given=True),
        ),
        remark="With biases too, whose standard deviation is a further coordinate.",
    ),
)

# --- the figure -----------------------------------------------------------------------------------

_UNITS, _DEEPEST, _DRAWN = 4, 8, 600
_BIASED = ((4, "measured", "o"), (8, "corrected", "^"), (16, "as_printed", "s"))


def _mean(segments: _Segments, seed: int, networks: int) -> tuple[float, float]:
    """The mean of what is counted, and three times its standard error."""
    counts = segments.drawn((seed, segments.width, segments.depth), networks)
    return float(counts.mean()), float(3 * counts.std() / math.sqrt(networks))


def _measured(axes: Axes, at: list[int], means: list[tuple[float, float]], **look: Any) -> None:
    values, errors = zip(*means, strict=True)
    axes.errorbar(at, values, yerr=errors, linestyle="", markersize=4.5, **look)


def _draw_depths(axes: Axes, seed: int) -> None:
    """Crossings of networks without biases against their depth, with both exact means."""
    from theorems.report.style import COLOURS

    depths = list(range(1, _DEEPEST + 1))
    for statement, slope, label, colour, mark, stroke in (
        (STATEMENTS[1], 0.1, "leaky ReLU", "measured", "o", "-"),
        (STATEMENTS[2], 0.0, "ReLU", "as_printed", "s", "--"),
    ):
        look: dict[str, Any] = {"color": COLOURS[colour]}
        means = [
            _mean(_Segments(_UNITS, depth, _RIGHT, slope=slope), seed, _DRAWN) for depth in depths
        ]
        exact = [float(statement.bound(theta=_RIGHT, n=_UNITS, L=depth)) for depth in depths]
        axes.plot(depths, exact, linestyle=stroke, label=f"{label}: exact mean", **look)
        _measured(axes, depths, means, fmt=mark, label=f"{label}: measured", **look)
    axes.set(
        xlabel=f"layers of {_UNITS} units, no biases", ylabel="crossings of a segment, mean", ylim=0
    )
    axes.legend(loc="upper left", fontsize=8)


def _draw_units(axes: Axes, seed: int) -> None:
    """Crossings of networks of absolute values with biases against their units, for some widths."""
    from theorems.report.style import COLOURS, INK

    most = 64
    for width, colour, mark in _BIASED:
        depths = list(range(1, most // width + 1, max(1, most // (8 * width))))
        means = [
            _mean(_Segments(width, depth, _RIGHT, slope=-1.0, bias=0.3), seed, _DRAWN // 2)
            for depth in depths
        ]
        _measured(
            axes,
            [width * depth for depth in depths],
            means,
            fmt=mark,
            color=COLOURS[colour],
            label=f"layers of {width} units",
        )
    seen = _Segments(1, 1, _RIGHT, bias=0.3).seen
    exact = STATEMENTS[0].bound
    axes.plot(
        [1, most],
        [float(exact(m=units, theta=seen)) for units in (1, most)],
        color=INK,
        linewidth=1.0,
        label="one layer: exact mean",
        zorder=1,
    )
    axes.set(xlabel="units, absolute values, biases of deviation 0.3", ylim=0)
    axes.legend(loc="upper left", fontsize=8)


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """Crossings of a segment against depth and against units; None if they were not counted.

    ``document`` is the JSON value of a run. Cost: two seconds.
    """
    from theorems.report.document import find
    from theorems.report.figure_parts import seed_of
    from theorems.report.style import Drawing, drawing, new_figure

    if find(document, STATEMENTS[0].name) is None:
        return None
    seed = seed_of(document)
    with drawing():
        figure = new_figure(7.6, 3.3)
        left, right = figure.subplots(1, 2)
        _draw_depths(left, seed)
        _draw_units(right, seed)
    return Drawing(
        "line_crossings",
        "How often a segment crosses boundaries",
        "A segment seen under 90° from 0. Left: linear in the depth with leaky ReLU, and with ReLU "
        "fewer, as layers die. Right: with biases too crossings grow with the number of units, and "
        "not exponentially with the depth. Bars: three standard errors "
        f"over {_DRAWN} networks, half as many on the right.",
        figure,
        ("splines.line_crossings",),
    )


FIGURES = (draw,)
