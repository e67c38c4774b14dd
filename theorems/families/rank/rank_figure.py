"""The rank against width, between √d and d, and the spectrum against depth with normalisation and
without.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from matplotlib.axes import Axes

from simulators import Chain, residual_chain, simulate, vanilla_chain
from simulators.arrays import Floats
from simulators.batches import collinear_batch
from theorems.families.rank.networks import BURN_IN, WINDOW, relaxation
from theorems.families.rank.published import GAMMA, effective_ranks
from theorems.report.document import evidence_of, find
from theorems.report.figure_parts import seed_of, ticks
from theorems.report.style import COLOURS, INK, MUTED, SHADE, Drawing, drawing, new_figure

__all__ = ["DEPTH", "SPREAD", "WIDTH", "draw", "published", "ranks", "spectra"]


NAME = "rank.average_rank:lower"
WIDTH, DEPTH, SPREAD = 32, 96, 1e-3
_LOOKS = {
    "∞": ("o", COLOURS["measured"]),
    "1": ("D", INK),
    "0.1": ("s", COLOURS["corrected"]),
    "0.01": ("^", COLOURS["sharp"]),
}
#: Widths at which the loop of the source is run for the figure: 4 seconds.
LOOP_WIDTHS = (8, 16, 32, 64)
#: Places in the spectrum that are drawn: the largest eigenvalue, quarters of the way, the smallest.
_PLACES = (0, WIDTH // 8, WIDTH // 4, WIDTH // 2, 3 * WIDTH // 4, WIDTH - 1)


def ranks(document: Mapping[str, object]) -> dict[str, Floats]:
    """For each size of branch: width, median rank and both ends of its interval, where the run
    decided it.
    """
    found: dict[str, list[list[float]]] = {}
    for evidence in evidence_of(find(document, NAME), "readouts"):
        for row in evidence["readouts"]:
            numbers = [row.get(key) for key in ("d", "median r_bar", "low r_bar", "high r_bar")]
            known = all(isinstance(x, int | float) and x > 0 for x in numbers)
            if known and row.get("weights") == "gaussian" and row.get("verdict") != "inconclusive":
                found.setdefault(str(row.get("gamma")), []).append([float(x) for x in numbers])
    return {gamma: np.array(sorted(rows)).T for gamma, rows in found.items() if gamma in _LOOKS}


@lru_cache
def published(width: int, seed: int) -> float:
    """The average of r over the layers of one network, as the source's loop gives it once its start
    is forgotten.
    """
    forgets = relaxation(width, GAMMA)
    ranks = effective_ranks(width, (BURN_IN + WINDOW) * forgets, seed=seed)
    return float(ranks[BURN_IN * forgets :].mean())


def spectra(chain: Chain, seed: int) -> Floats:
    """Eigenvalues of M at layers 0 to `DEPTH`, their sum d, from nearly equal samples; (layers, d),
    descending.
    """
    start = collinear_batch(WIDTH, WIDTH, SPREAD, seed=0)
    path = simulate(
        chain, start, depth=DEPTH, seed=(seed, WIDTH), observables=("spectrum",), engine="dense"
    )
    return np.asarray(WIDTH * path["spectrum"][0])


def draw(document: Mapping[str, object]) -> Drawing | None:
    """The figure; None unless the run checked `rank.average_rank:lower` somewhere.

    ``document`` is the JSON value of a run. Cost: some seconds, for the source's own loop.
    """
    measured = ranks(document)
    if not measured:
        return None
    seed = seed_of(document)
    with drawing():
        figure = new_figure(10.5, 6.0)
        grid = figure.add_gridspec(2, 2, width_ratios=(1.45, 1))
        _against_width(figure.add_subplot(grid[:, 0]), measured, seed)
        above = figure.add_subplot(grid[0, 1])
        below = figure.add_subplot(grid[1, 1], sharex=above)
        kept, lost = (
            spectra(residual_chain(WIDTH, np.inf), seed),
            spectra(vanilla_chain(WIDTH), seed),
        )
        recovers = "Rows rescaled: of order √d eigenvalues recover"
        _against_depth(above, kept, recovers, COLOURS["measured"])
        _against_depth(below, lost, "No normalisation: it collapses", COLOURS["as_printed"])
        above.tick_params(labelbottom=False)
        above.set_xlabel("")
    return Drawing(
        "rank_against_width",
        "The rank that batch normalisation keeps",
        _caption(),
        figure,
        ("rank.average_rank", "rank.vanilla_collapse"),
    )


def _against_width(axes: Axes, measured: Mapping[str, Floats], seed: int) -> None:
    widths = np.unique(np.concatenate([table[0] for table in measured.values()]))
    ends = np.array([widths[0] / 1.25, widths[-1] * 1.6])
    axes.set(
        title="Stationary rank against width",
        xscale="log",
        yscale="log",
        xlim=ends,
        ylim=(0.8, ends[1]),
        xlabel="width d = batch size n",
        ylabel="effective rank r, average over layers",
    )
    axes.fill_between(ends, ends, ends[1] * 2, facecolor=SHADE, alpha=0.28, linewidth=0)
    for power, factor, name in ((1.0, 1.0, "d: full rank"), (0.5, 1.0, "√d"), (0.5, 1 / 3, "√d/3")):
        axes.plot(
            ends,
            factor * ends**power,
            color=MUTED if power == 1 else INK,
            linewidth=1.0,
            linestyle="-" if power == 1 else (0, (1, 1.6)),
            label=name,
        )
    right = 0.95 * ends[1]
    axes.text(
        right / 2, right / 1.8, "full rank d", color=MUTED, ha="right", va="bottom", fontsize=9
    )
    axes.text(right, 1.06 * right**0.5, "√d", color=INK, ha="right", va="bottom", fontsize=9)
    axes.text(
        40, 0.9 * 40**0.5 / 3, "√d/3, the bound checked", color=INK, ha="left", va="top", fontsize=9
    )
    order = [gamma for gamma in _LOOKS if gamma in measured]
    for place, gamma in enumerate(order):
        width, median, low, high = measured[gamma]
        marker, colour = _LOOKS[gamma]
        axes.errorbar(
            width * 2.0 ** (0.1 * (place - (len(order) - 1) / 2)),
            median,
            yerr=np.maximum([median - low, high - median], 0),
            fmt=marker,
            color=colour,
            markersize=5.5,
            markerfacecolor="none",
            markeredgewidth=1.4,
            elinewidth=1.4,
            capsize=3,
            label=f"γ = {gamma}",
        )
    if loop := [width for width in LOOP_WIDTHS if width in widths]:
        axes.plot(
            np.array(loop) * 2.0**0.25,
            [published(width, seed) for width in loop],
            linestyle="none",
            marker="x",
            color=COLOURS["as_printed"],
            markersize=6.5,
            markeredgewidth=1.6,
            label=f"γ = {GAMMA:g}, published loop",
        )
    handles, labels = axes.get_legend_handles_labels()
    shown = [(h, name) for h, name in zip(handles, labels, strict=True) if name.startswith("γ")]
    shown.sort(key=lambda entry: "loop" in entry[1])
    axes.legend(*zip(*shown, strict=True), loc="upper left")
    ticks(axes.xaxis, widths)
    ticks(axes.yaxis, [2**k for k in range(10)])


def _against_depth(axes: Axes, eigenvalues: Floats, title: str, colour: str) -> None:
    axes.set(
        title=title,
        yscale="log",
        xlim=(0, DEPTH),
        ylim=(1e-10, 3 * WIDTH),
        xlabel="depth ℓ",
        ylabel="eigenvalues of M",
    )
    for place in _PLACES:
        path = eigenvalues[:, place]
        axes.plot(
            path,
            color=colour,
            linewidth=1.8 if place == 0 else 1.2,
            alpha=1.0 - 0.6 * place / WIDTH,
            label=f"λ_{place + 1}",
        )
        visible = np.flatnonzero(path > 1e-9)
        if len(visible) > DEPTH // 8:
            last = int(visible[-1])
            axes.annotate(
                f"λ$_{{{place + 1}}}$",
                (last, float(path[last])),
                (4, 0),
                textcoords="offset points",
                color=colour,
                fontsize=9,
                va="center",
                annotation_clip=False,
            )
    axes.axhline(1.0, color=MUTED, linewidth=0.8)


def _caption() -> str:
    places = ", ".join(str(place + 1) for place in _PLACES)
    return (
        "Left: residual chain H + γWH with rescaled rows and Gaussian weights, d = n. Points: "
        "median over networks of the average of r over layers, after its start is forgotten; bars: "
        "intervals at the run's error budget. Points at one width are moved sideways a little. "
        "Crosses: the loop of the source, run here for one network, and so without an interval; of "
        "every seven layers the first four are left out. No rank can lie in the shaded region. The "
        "source claims a lower bound of order √d without its constant. Right: eigenvalues number "
        f"{places} of M, scaled to sum to d = {WIDTH}, of one network each from samples {SPREAD:g} "
        "apart, under the same weights; γ = ∞ above. Thin line: their mean."
    )
