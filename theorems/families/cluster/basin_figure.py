"""Which random starts end with an outlier at infinite width, by batch size: the layer on Gram
matrices, iterated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simulators.engines.mean_field import outlier_fixed_point, recenter_relu_map
from theorems.checking.confidence_intervals import clopper_pearson
from theorems.report.document import find
from theorems.report.style import COLOURS, INK, MUTED, Drawing, drawing, new_figure

__all__ = ["Share", "draw", "ends"]

Floats = npt.NDArray[np.float64]

SIZES = range(4, 15)
STARTS, DEPTH = 100, 400
#: Probability that any interval misses its share, over the whole figure.
LEVEL = 1e-3
#: A start has arrived once its norms are this close, relatively, to those of a fixed point.
_NEAR = 0.05


@dataclass(frozen=True)
class Share:
    """Of ``STARTS`` random batches of n samples, how many ended at the outlier, the symmetric
    point, or neither yet.
    """

    n: int
    outlier: int
    symmetric: int

    @property
    def open(self) -> int:
        return STARTS - self.outlier - self.symmetric


def ends(n: int, dimension: int, seed: int) -> Share:
    """Follow Gaussian batches of that dimension in floats for `DEPTH` layers. Cost: half a second
    for n = 14.
    """
    batches = np.random.default_rng((seed, n, dimension)).standard_normal((STARTS, dimension, n))
    grams: Floats = batches.swapaxes(1, 2) @ batches
    for _ in range(DEPTH):
        grams = recenter_relu_map(grams)
    squares = np.sort(np.diagonal(grams, axis1=1, axis2=2), axis=1)
    alike = squares[:, -2] / squares[:, 0] < 1 + _NEAR
    ratio = squares[:, -1] / squares[:, 0]
    point = outlier_fixed_point(n)
    arrived = (
        0 if point is None else int((alike & (abs(ratio / point.norm_ratio - 1) < _NEAR)).sum())
    )
    return Share(n, arrived, int((ratio < 1 + _NEAR).sum()))


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """The share of starts that end with an outlier, for two dimensions; None if the outlier was not
    part of the run.
    """
    if find(document, "cluster.outlier_fixed_point:count") is None:
        return None
    seed = int(document["environment"]["seed"])
    groups = {
        "samples of dimension 2": ([ends(n, 2, seed) for n in SIZES], "measured", "-"),
        "samples of dimension n": ([ends(n, n, seed) for n in SIZES], "as_printed", "--"),
    }
    level = LEVEL / (len(groups) * len(SIZES))
    with drawing():
        figure = new_figure(7.2, 4.0)
        axes = figure.add_subplot()
        for label, (shares, colour, stroke) in groups.items():
            middle = np.array([s.outlier / STARTS for s in shares])
            low, high = np.array([clopper_pearson(s.outlier, STARTS, level) for s in shares]).T
            axes.errorbar(
                [s.n for s in shares],
                middle,
                yerr=(middle - low, high - middle),
                color=COLOURS[colour],
                linestyle=stroke,
                marker="o",
                markersize=4,
                capsize=3,
                label=label,
            )
        axes.axvline(6.107, color=MUTED, linewidth=1.0, linestyle=":")
        axes.annotate(
            "outlier born",
            (6.107, 0.52),
            (-5, 0),
            textcoords="offset points",
            ha="right",
            color=INK,
        )
        axes.set(
            xlabel="batch size n", ylabel="share that ends with an outlier", ylim=(-0.03, 1.03)
        )
        axes.set_xticks(list(SIZES))
        axes.legend(loc="center right")
    left = sum(s.open for shares, _, _ in groups.values() for s in shares)
    return Drawing(
        "outlier_basin",
        "From seven samples on, some random batches fall to the outlier",
        (
            f"Infinite width: {STARTS} batches of standard normal samples for each point, followed "
            f"for {DEPTH} layers of "
            f"the map on Gram matrices in floats. Bars: Clopper–Pearson intervals, all valid with "
            f"probability 1 − "
            f"{LEVEL:g}. With up to 6 samples there is no outlier to go to. {left} of "
            f"{STARTS * len(SIZES) * len(groups)} starts had not arrived at either fixed point. "
            f"Nothing here is random "
            "but the batch."
        ),
        figure,
    )
