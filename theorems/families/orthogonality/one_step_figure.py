"""What one layer leaves of the gap V̂ of the smallest eigenvalue: in the mean at infinite width,
for two kinds of spectra, and at finite width, each against its three bounds.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from simulators import rescale_chain, simulate
from simulators.arrays import Floats
from simulators.batches import dominant_spectrum, spectrum_batch
from simulators.engines.mean_field import rescale_map
from theorems.registry import get
from theorems.report.document import find
from theorems.report.figure_parts import seed_of
from theorems.report.style import COLOURS, INK, STROKES, Drawing, drawing, new_figure

__all__ = ["SHARES", "draw", "measured_shares", "shares_left"]

SIZE = 4
WIDTH = 4096
REPLICAS = 64
#: n σ_n² of the starts: 0 of dependent samples, 1 of orthogonal ones, which have no gap.
SHARES = np.linspace(0.02, 0.98, 49)
_MEASURED = np.linspace(0.05, 0.95, 10)
_VARIANTS = ("as_printed", "sharp", "harmonic")


def _one_small(share: float) -> tuple[float, ...]:
    """Eigenvalues of sum 1, all alike but the smallest."""
    smallest = share / SIZE
    return ((1 - smallest) / (SIZE - 1),) * (SIZE - 1) + (smallest,)


_KINDS = {
    "one large, the others alike": lambda share: dominant_spectrum(SIZE, share / SIZE),
    "one small, the others alike": _one_small,
}


def shares_left(kind: str, shares: Floats = SHARES) -> Floats:
    """(1/n - p_n)/V̂ of one layer at infinite width, for spectra of that kind.

    - ``shares``: (m,), n σ_n² of the starts, in (0, 1)

    Example:
        >>> bool((shares_left("one small, the others alike") < 1).all())
        True
    """
    kept = []
    for share in shares:
        spectrum = np.array(_KINDS[kind](float(share)))
        image = rescale_map(spectrum)
        kept.append((1 / SIZE - float(image.min())) / (1 / SIZE - float(spectrum.min())))
    return np.array(kept)


def measured_shares(seed: int) -> Floats:
    """V̂ after one layer over V̂ before, (10, replicas), from starts with one large eigenvalue."""
    found = []
    for share in _MEASURED:
        start = spectrum_batch(dominant_spectrum(SIZE, float(share) / SIZE), SIZE)
        one = simulate(
            rescale_chain(WIDTH),
            start,
            depth=1,
            replicas=REPLICAS,
            seed=(seed, SIZE),
            observables=("smallest_eigenvalue_gap",),
        )
        gap = one["smallest_eigenvalue_gap"]
        found.append(gap[:, 1] / gap[:, 0])
    return np.array(found)


def draw(document: Mapping[str, object]) -> Drawing | None:
    """The contraction and the drift, the variants that the run checked; None if it checked none.

    ``document`` is the JSON value of a run. Cost: below a second.
    """
    theorems = ("contraction", "one_step_drift")
    names = [f"orthogonality.{theorem}:{variant}" for theorem in theorems for variant in _VARIANTS]
    shown = tuple(name for name in names if find(document, name) is not None)
    if not shown:
        return None
    with drawing():
        figure = new_figure(10.0, 4.2)
        left, right = figure.subplots(1, 2, sharey=True)
        _contraction(left, [name for name in shown if theorems[0] in name])
        _drift(right, [name for name in shown if theorems[1] in name], seed_of(document))
    return Drawing(
        "one_layer",
        "What one layer leaves of the gap of the smallest eigenvalue",
        f"n = {SIZE} samples. Left: infinite width, spectra of two kinds; the sharp and the "
        "harmonic bound have the slope of the truth where samples are nearly orthogonal (right "
        f"end). Right: {REPLICAS} networks of width {WIDTH} from spectra with one large "
        "eigenvalue, means and ranges; each bound is that of the left and a term for the noise, "
        "which outweighs the gap where samples are nearly orthogonal.",
        figure,
        shown,
    )


def _contraction(axes: Axes, names: list[str]) -> None:
    axes.set(title="contraction, d → ∞", xlabel="n σ$_n^2$ before", ylabel="gap after / gap before")
    for kind, stroke in zip(_KINDS, ("-", (0, (1, 1.6))), strict=True):
        axes.plot(SHARES, shares_left(kind), color=INK, linestyle=stroke, label=kind)
    _bounds(axes, names, {"n": SIZE})
    axes.legend(loc="upper right")


def _drift(axes: Axes, names: list[str], seed: int) -> None:
    axes.set(title=f"drift, d = {WIDTH}", xlabel="n σ$_n^2$ before", ylim=(0.4, 1.3))
    ratios = measured_shares(seed)
    means = ratios.mean(axis=1)
    ends = np.stack([means - ratios.min(axis=1), ratios.max(axis=1) - means])
    axes.errorbar(
        _MEASURED, means, yerr=ends, fmt="o", color=COLOURS["measured"], label="measured", capsize=3
    )
    _bounds(axes, names, {"n": SIZE, "d": WIDTH})
    axes.legend(loc="lower left")


def _bounds(axes: Axes, names: list[str], sizes: Mapping[str, float]) -> None:
    """Each statement's own bound on the gap that is left, over the gap before."""
    smallest = SHARES / SIZE
    gaps = 1 / SIZE - smallest
    for name in names:
        statement = get(name)
        bound = np.array([float(statement.bound(**sizes, s=at)) for at in smallest])
        left = 1 / SIZE - bound if statement.relation == ">=" else bound
        axes.plot(
            SHARES,
            left / gaps,
            color=COLOURS.get(statement.variant, COLOURS["corrected"]),
            linestyle=STROKES.get(statement.variant, "-."),
            label=statement.variant.replace("_", " "),
        )
