"""Deep networks keep the rank n/(1 + n²/(4d)) of n samples up to n = 2√d, and √d beyond.

Problem. With rescaled rows a deep random network keeps some rank of its representations: of order
√d for n = d samples (D20), nearly n for few (DJB21). What is it in between, and with which
constant?

Method. `moment_recursion` says which spectra a layer leaves in place: semicircles of radius 1, by
size of the eigenvalues (`semicircle_moments`), about √d/r; the number of eigenvalues picks one
(`batch_count`). Its next order gives the correction (`batch_next_order`). Networks of two widths
start from orthogonal samples, a thorough run has d = 256 and 1024 too; 1/r is averaged over the
layers once that is forgotten.

Guarantee. With m = min(n, 2√d), r̄ is within 2/d of
1/(1/m + (m-1)(m+2)²/(4m(m+1)d) + 7m²/(48d²)), relatively; so r̄ → n/(1 + n²/(4d)) below the
transition and √d beyond, from below, with √d - r̄ → 13/12. The sizes tried are in the title.
Beyond 2√d samples no further one adds a direction that lasts. A batch of rank k < n is one of k
samples to every chain here.

Reference. Ours; joins D20 (arXiv 2003.01652) and DJB21 (arXiv 2106.03970). A conjecture: the
expansion is formal, and what is below is sampling.

Example:

    >>> float(STATEMENTS[0].bound(n=8, d=64))
    6.4
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from theorems.context import Context
from theorems.families.rank.batch_ranks import BatchRun, batch_medians
from theorems.families.rank.batches import (
    CORRECTED,
    COUNTED,
    LEADING,
    SIZES,
    corrected,
    leading,
)
from theorems.families.rank.notation import FAMILY, OURS, d, n
from theorems.report.document import evidence_of, find
from theorems.statement import Assumption, Quantifier, Sentinel, Statement, Verdict

if TYPE_CHECKING:
    from simulators.arrays import Floats
    from theorems.report.style import Drawing

__all__ = ["FIGURES", "STATEMENTS", "draw", "measured", "wide"]

r_bar = sp.Symbol("r_bar", nonnegative=True)
WORDS = (
    "1 over the average of 1/r(H_ℓ) over 100√d layers of the rescale chain, from full rank, after "
    "30√d; its median over networks"
)

#: At and below the transition, and beyond it.
BELOW = tuple(BatchRun(*each) for each in ((16, 2), (16, 4), (16, 8), (64, 4), (64, 8), (64, 16)))
BEYOND = tuple(BatchRun(*each) for each in ((16, 12), (16, 16), (64, 24)))
#: Of greater widths, for a thorough run: averaged over longer, as the bounds are 2/d apart.
_DEAR = ((256, 16), (256, 32), (256, 48), (1024, 32))
DEAR = tuple(BatchRun(*each, window=150, dear=True) for each in _DEAR)
TRIED = "n = 2, 4, 8, 12, 16 at d = 16; 4, 8, 16, 24 at d = 64"
TRIED_BEYOND = "n = 12, 16 at d = 16; 24 at d = 64"

_root = sp.sqrt(d)
_flat = _root / (1 + sp.Rational(13, 12) / _root)
_BEYOND = Assumption(sp.Ge(n**2, 4 * d), "n ≥ 2√d")

_law = partial(
    Statement,
    family=FAMILY,
    theorem="batch_law",
    quantifier=Quantifier.LIMIT,
    source=OURS,
    variables=SIZES,
    chain="rescale",
    observables=("effective_rank",),
    definitions={r_bar: WORDS},
    lhs=r_bar,
    expected=Verdict.SUPPORTED,
)


def _beyond(width: int, size: int) -> bool:
    """Whether a batch is at the transition or beyond."""
    return size * size >= 4 * width


_everywhere = (batch_medians((*BELOW, *BEYOND, *DEAR), ("r_bar",)),)
_plateau = (batch_medians(BEYOND, ("r_bar",), holds=_beyond),)

STATEMENTS = (
    _law(
        variant="ceiling",
        title=f"r̄ ≤ m/(1 + m²/(4d)), m = min(n, 2√d): {TRIED}",
        relation="<=",
        rhs=LEADING,
        sentinel=Sentinel("m/(1 + m²/(3d))", rhs=leading(COUNTED, 3)),
        checks=_everywhere,
        remark="Never above √d (`batch_peak`): the order of D20's Ω(√d) is the right one.",
    ),
    _law(
        variant="limit",
        title=f"r̄ ≥ (1 - 5/(4√d)) m/(1 + m²/(4d)), m = min(n, 2√d): {TRIED}",
        relation=">=",
        rhs=(1 - 5 / (4 * _root)) * LEADING,
        sentinel=Sentinel("without 1 - 5/(4√d)", rhs=LEADING),
        checks=_everywhere,
    ),
    _law(
        variant="upper",
        title=f"r̄ ≤ (1 + 2/d) × the law with its next order: {TRIED}",
        relation="<=",
        rhs=(1 + 2 / d) * CORRECTED,
        sentinel=Sentinel("9/10 of it", rhs=sp.Rational(9, 10) * (1 + 2 / d) * CORRECTED),
        checks=_everywhere,
    ),
    _law(
        variant="lower",
        title=f"r̄ ≥ (1 - 2/d) × the law with its next order: {TRIED}",
        relation=">=",
        rhs=(1 - 2 / d) * CORRECTED,
        sentinel=Sentinel("without next order", rhs=(1 - 2 / d) * LEADING),
        checks=_everywhere,
    ),
    _law(
        variant="plateau",
        title=f"Beyond the transition r̄ ≤ (1 + 2/d) √d/(1 + 13/(12√d)): {TRIED_BEYOND}",
        assumptions=(_BEYOND,),
        relation="<=",
        rhs=(1 + 2 / d) * _flat,
        sentinel=Sentinel("no transition: the law of n ≤ 2√d", rhs=(1 + 2 / d) * corrected(n)),
        checks=_plateau,
    ),
    _law(
        variant="plateau_height",
        title=f"Beyond the transition r̄ ≥ (1 - 2/d) √d/(1 + 13/(12√d)): {TRIED_BEYOND}",
        assumptions=(_BEYOND,),
        relation=">=",
        rhs=(1 - 2 / d) * _flat,
        sentinel=Sentinel("√d", rhs=(1 - 2 / d) * _root),
        checks=_plateau,
    ),
)


#: What the figure runs beside the run's own networks: few networks of a greater width, 5 seconds.
WIDE = tuple(BatchRun(256, size, replicas=2, window=40) for size in (4, 8, 16, 24, 32, 48))
NAME = "rank.batch_law:limit"


@lru_cache
def wide(seed: int) -> Floats:
    """r/√d against n/√d of a greater width, shape (2, sizes).

    Example:
        >>> wide(0).shape
        (2, 6)
    """
    ranks = []
    for run in WIDE:
        averages, _ = run.averages(Context(seed, 1e-6))
        ranks.append(1 / averages[:, 0].mean())
    return np.array([[run.size / math.sqrt(run.width) for run in WIDE], ranks])


def measured(document: Mapping[str, Any], name: str = NAME) -> dict[int, Floats]:
    """For each width: n/√d, and the median of r̄/√d with both ends of its interval; (4, sizes).

    ``name``: of the variant whose evidence is read.
    """
    found: dict[int, list[list[float]]] = {}
    for evidence in evidence_of(find(document, name), "readouts"):
        for row in evidence["readouts"]:
            keys = ("n", "median r_bar", "low r_bar", "high r_bar")
            numbers = [row.get(key) for key in ("d", *keys)]
            if all(isinstance(number, int | float) for number in numbers):
                width, *rest = map(float, numbers)
                scaled = [number / math.sqrt(width) for number in rest]
                found.setdefault(int(width), []).append(scaled)
    return {width: np.array(sorted(rows)).T for width, rows in found.items()}


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """r/√d against n/√d: the law, its correction at each width, and networks; None if not run.

    ``document`` is the JSON value of a run. Cost: some five seconds, for networks of width 256.
    """
    from theorems.report.figure_parts import seed_of
    from theorems.report.style import COLOURS, INK, MUTED, Drawing, drawing, new_figure

    if not (points := measured(document)):
        return None
    sizes = np.linspace(0.02, 5, 300)
    corrections = sp.lambdify((n, d), CORRECTED / sp.sqrt(d), "numpy")
    looks = {
        16: ("s", COLOURS["measured"]),
        64: ("o", COLOURS["sharp"]),
        256: ("^", COLOURS["corrected"]),
    }
    with drawing():
        figure = new_figure(7.5, 4.6)
        axes = figure.add_subplot()
        axes.plot(sizes, sizes, color=MUTED, linewidth=0.9, label="r = n")
        axes.axhline(1 / 3, color=MUTED, linestyle=":", label="√d/3 (D20: Ω(√d))")
        law = np.minimum(sizes, 2)
        axes.plot(sizes, law / (1 + law**2 / 4), color=INK, label="the law, d → ∞")
        past = sizes[sizes >= 2]
        falling = past / (1 + past**2 / 4)
        axes.plot(past, falling, color=MUTED, linestyle="--", linewidth=0.9, label="no transition")
        laws, _ = axes.get_legend_handles_labels()
        networks: dict[int, Any] = {}
        for width, (marker, colour) in looks.items():
            from_1 = sizes[sizes * math.sqrt(width) >= 1]
            curve = [float(corrections(size * math.sqrt(width), width)) for size in from_1]
            axes.plot(from_1, curve, color=colour, linewidth=0.9)
            name = f"d = {width}"
            if (table := points.get(width)) is not None:
                errors = [table[1] - table[2], table[3] - table[1]]
                networks[width] = axes.errorbar(
                    table[0], table[1], yerr=errors, fmt=marker, color=colour, label=name
                )
        marker, colour = looks[256]
        at_256 = axes.plot(*wide(seed_of(document)), marker, color=colour, label="d = 256")
        networks[256] = at_256[0]
        axes.axvline(2, color=MUTED, linewidth=0.8)
        axes.set(xlim=(0, 5), ylim=(0, 1.15), xlabel="n/√d", ylabel="r/√d")
        shown = [*laws, *(networks[width] for width in sorted(networks))]
        axes.legend(handles=shown, loc="lower right", bbox_to_anchor=(1, 0.3), framealpha=1)
    return Drawing(
        "batch_law",
        "The rank of n samples at depth",
        "Rescale chain, Gaussian weights, from orthogonal samples: 1 over the average of 1/r over "
        "layers. Bars: intervals of medians over networks at the run's error budget; d = 256: two "
        "networks, run for the figure. Thin curves: the law with its next order, n ≥ 1. Vertical "
        "line: the transition at n = 2√d; dashed: the law of n ≤ 2√d, beyond it.",
        figure,
        ("rank.batch_law",),
    )


FIGURES = (draw,)
