"""The gradient against depth under five normalisations, each with the line of its factor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from simulators import Chain, batchnorm_chain, rescale_chain, simulate
from simulators.layers import Activation, LayerNorm, Linear
from theorems.families.gradient.growth import Floats, orthonormal
from theorems.report.document import find
from theorems.report.figure_parts import seed_of
from theorems.report.style import COLOURS, INK, MUTED, Drawing, drawing, new_figure

__all__ = ["draw"]

ABOUT = (
    "gradient.explosion",
    "gradient.batchnorm_relu",
    "gradient.batchnorm_linear",
    "gradient.rescale_factor",
    "gradient.layernorm_factor",
    "gradient.vanilla_factor",
)
WIDTH, SAMPLES, DEPTH, NETWORKS = 256, 8, 24, 16
#: The first layers back have a gradient that has not reached its own fixed point.
FROM = 4


def _networks() -> Iterator[tuple[str, Chain, float, str]]:
    """Name, chain, factor and colour of each."""
    n, d = SAMPLES, WIDTH
    yield "batch norm, ReLU", batchnorm_chain(d, "relu"), 1.78819, COLOURS["as_printed"]
    yield "batch norm", batchnorm_chain(d, "identity"), (n - 2) / (n - 3), COLOURS["measured"]
    yield "rescaled", rescale_chain(d), (n - 1) / (n - 2), COLOURS["sharp"]
    layernorm = Chain((Linear(d), LayerNorm()))
    yield "layer norm", layernorm, (d - 2) / (d - 3), COLOURS["corrected"]
    yield "He, ReLU", Chain((Linear(d, std=2**0.5), Activation("relu"))), 1.0, MUTED


def _back(chain: Chain, seed: int) -> Floats:
    """E‖G‖² over its value at the last layer, by layers gone back, (DEPTH,).

    Without the gradient at the batch, whose scale is not that of layers.
    """
    run = simulate(
        chain,
        orthonormal(WIDTH, SAMPLES),
        depth=DEPTH,
        replicas=NETWORKS,
        seed=seed,
        observables=("gradient_norm",),
        backward="gaussian",
    )
    means = (run["gradient_norm"] ** 2).mean(axis=0)[:0:-1]
    found: Floats = means / means[0]
    return found


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """The figure; None unless the run checked one of the statements that it is about.

    ``document`` is the JSON value of a run. Cost: a few seconds, for its own networks.
    """
    names = [
        f"{each}{variant}" for each in ABOUT for variant in ("", ":falls", ":one_step", ":law")
    ]
    if all(find(document, name) is None for name in names):
        return None
    layers = np.arange(DEPTH)
    with drawing():
        figure = new_figure(5.2, 3.6)
        axes = figure.add_subplot()
        for name, chain, factor, colour in _networks():
            found = _back(chain, seed_of(document))
            line = found[FROM] * factor ** (layers[FROM:] - FROM)
            axes.plot(layers, found, "o", color=colour, markersize=3, label=name)
            axes.plot(layers[FROM:], line, color=colour, linewidth=1)
        axes.set_yscale("log")
        axes.set(xlabel="layers gone back", ylabel="E‖G‖² over its value at the last layer")
        axes.legend(labelcolor=INK)
    caption = (
        f"Points: means over {NETWORKS} networks of width {WIDTH}, {SAMPLES} samples. Lines: the "
        f"factors of the statements, from {FROM} layers back on. Batch normalisation makes "
        "gradients explode at a rate that the width does not change; layer normalisation hardly."
    )
    return Drawing("gradient_growth", "Gradients against depth", caption, figure, ABOUT)
