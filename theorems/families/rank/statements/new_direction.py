"""A direction that a batch lacks grows in a rescaled network while its rank is below 2√d, and dies
beyond.

Problem. A batch of rank n stays of rank n in every linear layer, exactly, and a start of rank √d/2
keeps the rank that `batch_law` gives to √d/2 samples. What becomes of a further sample that is
almost a combination of them?

Method. Let R be the part of it that is orthogonal to the others. A layer multiplies |R|² by
|P D g|²: g normal, independent of D, which rescales the rows of the n samples, and P the projection
away from what they become, of d - n dimensions. To leading order the logarithm grows by
2m_2 - n/d, m_2 = Tr C² = 1/n + n/(4d). At the next order enter 12m_2² - 8m_3 of
`moment_recursion`, the correlation of D with P, -(n/d)(4m_2 - 2/n), and the variance 2/d.
Networks are run with such a sample, of infinitesimal size.

Guarantee. The growth of log |R|² is 2/n - n/(2d) + 2/n² - 1/d - 7n²/(12d²) a layer up to 4/d, for n
of the order of √d, √d/2 ≤ n ≤ 2√d, d ≥ 16, and the sizes tried: above 3/(4n) up to n = √d, negative
from 2√d on. At d = 16, n = 4, 4/d is a quarter beside a rate of .40, and .28 ± .06 is measured:
what is told apart there is little, and only d = 64 refutes the false neighbours of this rate. So
the branch of a low rank is unstable: rounding to sixteen digits leaves it after some 110 layers at
d = 64, n = 4 (105 to 117 in four runs). That is why full rank ends at 2√d. Of far fewer samples it
says too little: as d → ∞ at a fixed n the growth is log(n/(n-2)), and 4 samples at d = 256 have
.665 ± .006, where .613 + 4/256 is .629.

Reference. Ours. The rate is a formal expansion; what is below is sampling.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['below', 'above', 'grows', 'dies']
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from theorems.checking.medians import Case, Floats, Medians, Sample
from theorems.context import Context
from theorems.families.rank.batches import SIZES
from theorems.families.rank.notation import FAMILY, OURS, d, n
from theorems.report.document import evidence_of, find
from theorems.statement import Assumption, Quantifier, Sentinel, Statement, Verdict

if TYPE_CHECKING:
    from theorems.report.style import Drawing

__all__ = ["FIGURES", "STATEMENTS", "draw", "growths"]

rate = sp.Symbol("rate", real=True)
#: Layers before averaging begins, and during it, in units of √d; networks of each size.
BURN_IN, WINDOW, NETWORKS = 10, 20, 64


def growths(width: int, size: int, replicas: int, generator: np.random.Generator) -> Floats:
    """The mean growth of log |R|² a layer, of independent networks, (replicas,).

    ``size`` samples, orthogonal at first, below ``width``, in float64.

    Example:
        >>> growths(16, 4, 8, np.random.default_rng(0)).shape
        (8,)
    """
    root = math.isqrt(width)
    first, last = BURN_IN * root, (BURN_IN + WINDOW) * root
    factor = np.broadcast_to(np.eye(size) / math.sqrt(size), (replicas, size, size))
    total = np.zeros(replicas)
    for layer in range(last):
        rows = generator.standard_normal((replicas, width, size)) @ factor
        scale = 1 / np.linalg.norm(rows, axis=-1, keepdims=True) / math.sqrt(width)
        frame, factor = np.linalg.qr(scale * rows)
        if layer >= first:
            lacking = scale * generator.standard_normal((replicas, width, 1))
            lacking -= frame @ (np.swapaxes(frame, -1, -2) @ lacking)
            total += np.log(np.sum(lacking * lacking, axis=(-2, -1)))
    return total / (last - first)


def _sample(width: int, size: int, context: Context) -> Sample:
    key = ("new direction", width, size)
    generator = np.random.default_rng(context.stream(*key))
    found = context.remembered(key, partial(growths, width, size, NETWORKS, generator))
    root = math.isqrt(width)
    notes: dict[str, object] = {
        "networks": NETWORKS,
        "burn_in": BURN_IN * root,
        "layers averaged": WINDOW * root,
        "start": "orthogonal samples",
    }
    return Sample({"rate": [found]}, rounding=1e-9, notes=notes)


def _medians(sizes: tuple[tuple[int, int], ...]) -> Medians:
    def cases(batch: Floats | None) -> list[Case]:
        return [
            Case(
                f"d={width}, n={size}",
                {"d": width, "n": size},
                partial(_sample, width, size),
                1,
            )
            for width, size in (sizes if batch is None else ())
        ]

    return Medians(cases, wants="the claim is made of orthogonal samples")


FEW, MANY = ((16, 4), (64, 4), (64, 8)), ((16, 8), (16, 12), (64, 16))
TRIED_FEW, TRIED_MANY = "n = 4 at d = 16; 4, 8 at d = 64", "n = 8, 12 at d = 16; 16 at d = 64"
_UP_TO = ((16, 4), (64, 4), (64, 8), (64, 16))
#: No smaller width was tried.
_WIDE = Assumption(sp.Ge(d, 16), "d ≥ 16")
_NEAR = (
    _WIDE,
    Assumption(sp.Le(d, 4 * n**2), "n ≥ √d/2"),
    Assumption(sp.Le(n**2, 4 * d), "n ≤ 2√d"),
)
_rate = 2 / n - n / (2 * d) + 2 / n**2 - 1 / d - sp.Rational(7, 12) * n**2 / d**2

_direction = partial(
    Statement,
    family=FAMILY,
    theorem="new_direction",
    quantifier=Quantifier.LIMIT,
    source=OURS,
    variables=SIZES,
    chain="rescale",
    definitions={
        rate: f"growth a layer of log |R|², averaged over {WINDOW}√d layers after {BURN_IN}√d, R the "
        "part of an infinitesimal further sample orthogonal to the n others; its median over "
        "networks"
    },
    lhs=rate,
    expected=Verdict.SUPPORTED,
)

STATEMENTS = (
    _direction(
        variant="below",
        title="A lacking direction grows by 2/n - n/(2d) + 2/n² - 1/d - 7n²/(12d²) a layer or less, "
        "but for 4/d: n = 4 at d = 16; 4, 8, 16 at d = 64",
        assumptions=_NEAR,
        relation="<=",
        rhs=_rate + 4 / d,
        sentinel=Sentinel("a half of 2/n less", rhs=_rate - 1 / n + 4 / d),
        checks=(_medians(_UP_TO),),
    ),
    _direction(
        variant="above",
        title="A lacking direction grows by 2/n - n/(2d) + 2/n² - 1/d - 7n²/(12d²) a layer or more, "
        "but for 4/d: n = 4 at d = 16; 4, 8, 16 at d = 64",
        assumptions=_NEAR,
        relation=">=",
        rhs=_rate - 4 / d,
        sentinel=Sentinel("without -n/(2d): no transition", rhs=_rate + n / (2 * d) - 4 / d),
        checks=(_medians(_UP_TO),),
    ),
    _direction(
        variant="grows",
        title=f"Up to √d samples a lacking direction grows by 3/(4n) a layer: {TRIED_FEW}",
        assumptions=(_WIDE, Assumption(sp.Le(n**2, d), "n ≤ √d")),
        relation=">=",
        rhs=3 / (4 * n),
        sentinel=Sentinel("2/n", rhs=2 / n),
        checks=(_medians(FEW),),
    ),
    _direction(
        variant="dies",
        title=f"From 2√d samples on a lacking direction dies: {TRIED_MANY}",
        assumptions=(Assumption(sp.Ge(n**2, 4 * d), "n ≥ 2√d"),),
        relation="<=",
        rhs=sp.Integer(0),
        sentinel=Sentinel("by an eighth a layer", rhs=-sp.Rational(1, 8)),
        checks=(_medians(MANY),),
    ),
)
NAMES = ("rank.new_direction:above", "rank.new_direction:dies")


def _measured(document: Mapping[str, Any]) -> dict[int, Floats]:
    """For each width: n, and the median rate with both ends of its interval; (4, sizes)."""
    found: dict[int, set[tuple[float, ...]]] = {}
    for name in NAMES:
        for evidence in evidence_of(find(document, name), "readouts"):
            for row in evidence["readouts"]:
                keys = ("d", "n", "median rate", "low rate", "high rate")
                numbers = [row.get(key) for key in keys]
                if all(isinstance(number, int | float) for number in numbers):
                    width, *rest = map(float, numbers)
                    found.setdefault(int(width), set()).add(tuple(rest))
    return {width: np.array(sorted(rows)).T for width, rows in found.items()}


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """√d times the growth of a lacking direction against n/√d; None if it was not run.

    ``document`` is the JSON value of a run.
    """
    from theorems.report.style import COLOURS, INK, MUTED, Drawing, drawing, new_figure

    if not (points := _measured(document)):
        return None
    scaled = np.linspace(0.4, 3.2, 200)
    looks = {16: ("s", COLOURS["measured"]), 64: ("o", COLOURS["sharp"])}
    formula = sp.lambdify((n, d), _rate * sp.sqrt(d), "numpy")
    with drawing():
        figure = new_figure(6, 4)
        axes = figure.add_subplot()
        limit = np.where(scaled <= 2, 2 / scaled - scaled / 2, 2 - scaled)
        axes.plot(scaled, limit, color=INK, label="d → ∞")
        below = scaled[scaled <= 2]
        for width, (marker, colour) in looks.items():
            axes.plot(below, formula(below * math.sqrt(width), width), color=colour, linewidth=0.9)
            if (table := points.get(width)) is not None:
                errors = [table[1] - table[2], table[3] - table[1]]
                root = math.sqrt(width)
                axes.errorbar(
                    table[0] / root,
                    root * table[1],
                    yerr=root * np.array(errors),
                    fmt=marker,
                    color=colour,
                    label=f"d = {width}",
                )
        axes.axhline(0, color=MUTED, linewidth=0.8)
        axes.axvline(2, color=MUTED, linewidth=0.8)
        axes.set(xlabel="n/√d", ylabel="√d × growth of log |R|² a layer")
        axes.legend()
    return Drawing(
        "new_direction",
        "A direction that a batch lacks",
        "Growth a layer of the part of an infinitesimal further sample that is orthogonal to the n "
        "others, rescale chain, Gaussian weights. Above 0 the direction is gained, below it dies. "
        "Bars: intervals of medians over networks; thin curves: with the next order, n ≤ 2√d. "
        "Thick: 2√d/n - n/(2√d) up to the vertical line n = 2√d, 2 - n/√d beyond.",
        figure,
        ("rank.new_direction",),
    )


FIGURES = (draw,)
