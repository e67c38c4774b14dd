"""The three forms of Theorem 1 against what they bound: the orthogonality gap by depth at finite
width, under the ceiling above which a bound is void, and the certified path of the width limit,
which crosses the printed form.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import TypedDict

import flint
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from simulators import Trajectory, rescale_chain, simulate
from simulators.arguments import require
from simulators.arrays import Floats
from simulators.batches import dominant_spectrum, spectrum_batch
from simulators.engines.mean_field import rescale_path_enclosure
from theorems.families.orthogonality.decay import gap_of, largest_alpha
from theorems.families.orthogonality.inputs import known
from theorems.registry import get
from theorems.report.document import evidence_of, find
from theorems.report.figure_parts import band, seed_of
from theorems.report.style import (
    COLOURS,
    INK,
    MUTED,
    SHADE,
    STROKES,
    Drawing,
    drawing,
    new_figure,
)
from theorems.statement import Statement

__all__ = [
    "FIGURES",
    "Panel",
    "Path",
    "bound_values",
    "draw_crossing",
    "draw_gap",
    "first_speaking_layer",
    "smallest_speaking_width",
]

# --- the gap against depth ------------------------------------------------------------------------

VARIANTS = ("as_printed", "corrected", "sharp")
DEPTH = 32
_NAMES = {"as_printed": "printed", "corrected": "corrected", "sharp": "sharp"}
#: Deep enough that only a bound's noise term is left.
_DEEPEST = 10**6
_WIDEST = 2**62


@dataclass(frozen=True)
class Panel:
    """One batch size: a start with sigma_n^2 = share / n, the other n - 1 directions swallowed by
    one.
    """

    n: int
    share: float
    width: int
    replicas: int

    def run(self, engine: str, seed: int, replicas: int = 1) -> Trajectory:
        """Gaps and smallest eigenvalues, each (replicas, DEPTH + 1), exact in law.

        ``engine``: "factor" at the panel's width, or "mean_field" for the path at infinite width.
        """
        return simulate(
            rescale_chain(self.width),
            spectrum_batch(dominant_spectrum(self.n, self.share / self.n), self.n),
            depth=DEPTH,
            replicas=replicas,
            seed=(seed, self.n),
            observables=("orthogonality_gap", "smallest_eigenvalue"),
            engine=engine,
            dtype="float64" if engine == "mean_field" else "float32",
        )

    def width_limit(self) -> Trajectory:
        """The path at infinite width, where nothing is random: one replica.

        Cost: a few milliseconds.
        """
        return self.run("mean_field", 0)


#: The corrected bound asks for widths of order n^4 / share^2; these are a few times that.
MAIN = Panel(4, 0.5, 2**16, 12)
SMALL = (Panel(2, 0.25, 2**14, 32), Panel(8, 0.75, 2**18, 4))


def parameters(statement: Statement, panel: Panel, limit: Trajectory) -> dict[str, float]:
    """The statement's symbols for this panel: the largest alpha that every layer of the path
    allows.

    ``limit`` is the panel's path at infinite width.
    """
    smallest = limit["smallest_eigenvalue"]
    alpha = float(largest_alpha(statement.assumptions[0], float(smallest.min())))
    values = {"n": float(panel.n), "alpha": alpha, "Vhat_1": 1 / panel.n - float(smallest[0, 0])}
    return known(statement, values)


def bound_values(
    statement: Statement, layers: Floats, width: float, values: Mapping[str, float]
) -> Floats:
    """The bound at every layer, by the statement's own right side.

    ``layers``: (layers,); ``values``: n, alpha and whatever else the bound depends on.
    """
    given = known(statement, values)
    return np.asarray(statement.bound(d=width, ell=layers, **given), dtype=float)


def first_speaking_layer(
    statement: Statement, width: float, values: Mapping[str, float]
) -> int | None:
    """The first layer at which the bound is below the ceiling; None if none of 4096 is.

    ``values`` are those of `parameters`.
    """
    layers = np.arange(4096.0)
    speaking = bound_values(statement, layers, width, values) < float(statement.top(**values))
    return int(np.argmax(speaking)) if speaking.any() else None


def smallest_speaking_width(statement: Statement, values: Mapping[str, float]) -> int | None:
    """The smallest width at which the bound says something at some depth, by bisection; None if
    none does.
    """
    top = float(statement.top(**values))

    def speaks(width: int) -> bool:
        return float(statement.bound(d=width, ell=_DEEPEST, **values)) < top

    low, high = 0, _WIDEST
    if not speaks(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if speaks(middle) else (middle, high)
    return high


def draw_gap(document: Mapping[str, object]) -> Drawing | None:
    """The figure, with the variants of ``orthogonality.decay`` that the run checked.

    ``document`` is the JSON value of a run. None if it checked none of them. Cost: some seconds.
    """
    results = [find(document, f"orthogonality.decay:{variant}") for variant in VARIANTS]
    shown = [
        get(f"orthogonality.decay:{variant}")
        for variant, result in zip(VARIANTS, results, strict=True)
        if result is not None
    ]
    if not shown:
        return None
    seed = seed_of(document)
    with drawing():
        figure = new_figure(10.5, 6.2)
        grid = figure.add_gridspec(2, 2, width_ratios=(2.15, 1))
        met = [_gap_panel(figure.add_subplot(grid[:, 0]), MAIN, shown, seed, True)]
        for row, panel in enumerate(SMALL):
            met.append(_gap_panel(figure.add_subplot(grid[row, 1]), panel, shown, seed, False))
    return Drawing(
        "gap_against_depth",
        "The orthogonality gap against depth, and what the bounds say about it",
        _gap_caption(met, results[0] is not None and results[0]["verdict"] == "refuted"),
        figure,
        ("orthogonality.decay",),
    )


def _gap_panel(axes: Axes, panel: Panel, shown: list[Statement], seed: int, large: bool) -> bool:
    """Draw one batch size; True if every replica met every drawn bound's assumption."""
    limit, measured = panel.width_limit(), panel.run("factor", seed, panel.replicas)
    layers = np.arange(DEPTH + 1.0)
    gaps = measured["orthogonality_gap"]
    top = float(np.sqrt(1 - 1 / panel.n))
    axes.set(
        title=f"n = {panel.n},  width d = {_grouped(panel.width)}",
        yscale="log",
        xlim=(0, DEPTH),
        ylim=(1e-3, 3.2),
        xlabel="depth ℓ",
        ylabel="orthogonality gap  V(H$_{ℓ+1}$)" if large else "gap V",
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.axhspan(top, 3.2, facecolor=SHADE, alpha=0.28, linewidth=0, gid=f"vacuous-{panel.n}")
    axes.axhline(top, color=MUTED, linewidth=1.0)

    band(axes, layers, gaps, COLOURS["measured"], alpha=0.25, linewidth=2.4, label="measured")
    path = limit["orthogonality_gap"][0]
    axes.plot(layers, path, color=INK, linewidth=1.2, linestyle=(0, (1, 1.6)), label="width limit")
    met = True
    for statement in shown:
        met &= _bound(axes, panel, statement, parameters(statement, panel, limit), measured, large)
    if large:
        _names(axes, panel, top, gaps, path)
    return met


def _bound(
    axes: Axes,
    panel: Panel,
    statement: Statement,
    values: Mapping[str, float],
    measured: Trajectory,
    large: bool,
) -> bool:
    """Draw a bound; True if every replica met its assumption."""
    layers = np.arange(DEPTH + 1.0)
    drawn = bound_values(statement, layers, panel.width, values)
    colour = COLOURS[statement.variant]
    axes.plot(
        layers, drawn, color=colour, linestyle=STROKES[statement.variant], label=statement.variant
    )
    speaks = first_speaking_layer(statement, panel.width, values)
    if speaks is not None and 0 < speaks <= DEPTH:
        height = float(drawn[speaks])
        axes.plot(
            [speaks],
            [height],
            marker="o",
            markersize=6 if large else 5,
            color=colour,
            clip_on=False,
            zorder=5,
        )
        axes.annotate(
            f"ℓ = {speaks}",
            (speaks, height),
            (5, 3),
            textcoords="offset points",
            color=colour,
            fontsize=9 if large else 8,
            va="bottom",
        )
    if large:
        width = smallest_speaking_width(statement, values)
        above = statement.variant == "as_printed"  # below it the sharp bound is close
        assumption = "σ$_n$" if above else "σ$_n^2$"
        name = f"{_NAMES[statement.variant]} bound,  {assumption} ≥ {values['alpha']:.3g}"
        note = "vacuous at any width" if width is None else f"vacuous below d = {_grouped(width)}"
        axes.annotate(
            f"{name};  {note}",
            (DEPTH, drawn[-1]),
            (-4, 18 if above else -5),
            textcoords="offset points",
            ha="right",
            va="bottom" if above else "top",
            color=colour,
            fontsize=9,
        )
    smallest = float(measured["smallest_eigenvalue"].min())
    return bool(largest_alpha(statement.assumptions[0], smallest) >= values["alpha"])


def _grouped(number: int) -> str:
    """Digits in threes, apart by a thin space."""
    return f"{number:,}".replace(",", "\u2009")


def _names(axes: Axes, panel: Panel, top: float, gaps: Floats, path: Floats) -> None:
    """Direct labels of what is not a bound."""
    axes.text(
        DEPTH - 0.4,
        2.9,
        "vacuous: no gap can lie here, so a bound here says nothing",
        ha="right",
        va="top",
        color=INK,
        fontsize=9,
        style="italic",
    )
    axes.annotate(
        "ceiling √(1 − 1/n)",
        (DEPTH, top),
        (-4, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=MUTED,
        fontsize=9,
    )
    highest = float(gaps[:, DEPTH // 2 :].max())
    axes.annotate(
        f"measured: mean and range of {panel.replicas} networks",
        (DEPTH, highest),
        (-4, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=COLOURS["measured"],
        fontsize=9,
    )
    low = axes.get_ylim()[0]
    last = int(np.argmax(path < 2 * low)) or DEPTH
    axes.annotate(
        "width limit d → ∞",
        (last, float(path[last])),
        (-9, 0),
        textcoords="offset points",
        color=INK,
        fontsize=9,
        ha="right",
        va="center",
    )


def _gap_caption(met: list[bool], refuted: bool) -> str:
    panels = (MAIN, *SMALL)
    sizes = ", ".join(f"{p.replicas} (n = {p.n})" for p in panels)
    starts = ", ".join(f"{Fraction(p.share) / p.n} (n = {p.n})" for p in panels)
    text = (
        "Rescale chain, simulated exactly in law (factor engine, float32) from a batch with one "
        f"large singular value and the others equal: σₙ² = {starts}. Blue: mean gap, band from the "
        f"smallest to the largest of all replicas: {sizes}. Dotted: the same start at infinite "
        "width. Above the ceiling √(1 − 1/n) (shaded) no gap can lie, so a bound there is vacuous; "
        "dots mark the first layer at which a bound falls below it, and the widths given are those "
        "below which it never does. Each bound takes the largest α that every layer of the "
        "width-limit path meets, a lower bound on σₙ as printed and on σₙ² otherwise; "
    )
    text += (
        "every replica meets these at every layer. "
        if all(met)
        else "some replicas miss these at some layer, so the bounds speak of the others only. "
    )
    return (text + "The printed bound holds here and is refuted at larger n. " * refuted).strip()


# --- the printed bound crossed --------------------------------------------------------------------

#: Stands for infinite width in a bound: what is left of a term in 1/sqrt(d) is below 1e-140.
INFINITE = 1e300
#: Layers drawn past the last crossing, and the deepest path that is followed.
BEYOND, DEEPEST = 30, 2000
_LABELS = {
    "as_printed": "printed bound, α = σ$_n$",
    "corrected": "corrected bound, α = σ$_n^2$",
    "sharp": "sharp bound, α = σ$_n^2$",
}


class _Record(TypedDict):
    """A path as a run's evidence has it; eigenvalues, smallest first, and parameters are exact."""

    n: int
    start: list[str]
    multiplicities: list[int]
    parameters: dict[str, str]
    crossing_layer: int


@dataclass(frozen=True)
class Path:
    """A path of the evidence: its gap at every layer (midpoints of balls), and how wide the balls
    are.
    """

    n: int
    start: str  # its smallest eigenvalue, exactly
    crossing: int
    gaps: Floats
    radius: float  # the largest, relative to the gap


def draw_crossing(document: Mapping[str, object]) -> Drawing | None:
    """One column per crossing path of ``decay:as_printed``; None if the run certified none.

    ``document`` is the JSON value of a run. Raises ``ValueError`` for a path that cannot be
    followed, or that crosses elsewhere than the record says.
    """
    printed = find(document, "orthogonality.decay:as_printed")
    records: list[tuple[_Record, int]] = []
    for evidence in evidence_of(printed, "paths"):
        precision = int(evidence.get("precision_bits", 128))
        crossing = (r for r in evidence["paths"] if isinstance(r["crossing_layer"], int))
        records += [(r, precision) for r in crossing if r["crossing_layer"] <= DEEPEST]
    if not records:
        return None
    paths, values = [], []
    depth = max(record["crossing_layer"] for record, _ in records) + BEYOND
    for record, precision in records:
        try:
            paths.append(_follow(record, depth, precision))
            values.append(_constants(document, record))
            _check(paths[-1], values[-1]["as_printed"])
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise ValueError(
                f"a path of decay:as_printed (n={record['n']}) cannot be followed: {error}; "
                "run `theorems verify` again"
            ) from error
    with drawing():
        figure = new_figure(5.2 * len(paths), 6.2)
        grid = figure.add_gridspec(2, len(paths), height_ratios=(1.9, 1))
        for column, (path, constants) in enumerate(zip(paths, values, strict=True)):
            above = figure.add_subplot(grid[0, column])
            below = figure.add_subplot(grid[1, column], sharex=above)
            _crossing_panel(above, below, path, constants, column == 0)
    return Drawing(
        "printed_bound_crossed",
        "The printed bound is crossed in the width limit",
        _crossing_caption(paths, values),
        figure,
        ("orthogonality.decay",),
    )


def _follow(record: _Record, depth: int, precision: int) -> Path:
    eigenvalues = [Fraction(e) for e in record["start"]]
    counts = [int(m) for m in record["multiplicities"]]
    size = int(record["n"])
    require(sum(counts) == size, f"multiplicities {counts} do not add up to n")
    gaps, widest = [], 0.0
    with flint.ctx.workprec(precision):
        steps = rescale_path_enclosure(eigenvalues, counts, depth, precision)
        for layer in islice(steps, depth + 1):
            gap = gap_of(layer, counts)["E_V"]
            gaps.append(float(gap.mid()))
            widest = max(widest, float(gap.rad() / gap.mid()))
    return Path(
        size, str(record["start"][0]), int(record["crossing_layer"]), np.array(gaps), widest
    )


def _check(path: Path, values: Mapping[str, float]) -> None:
    """Refuse a record whose path, followed again, does not cross where the record says."""
    layers = np.arange(float(len(path.gaps)))
    bound = bound_values(get("orthogonality.decay:as_printed"), layers, INFINITE, values)
    crossed = path.gaps > bound
    require(
        crossed.any() and int(np.argmax(crossed)) == path.crossing,
        f"it does not cross at layer {path.crossing}",
    )


def _constants(document: Mapping[str, object], record: _Record) -> dict[str, dict[str, float]]:
    """Symbol values by variant: those of the path with the same start in each variant's own
    evidence.
    """
    found, start = {}, (record["start"], record["multiplicities"])
    for variant in _LABELS:
        for evidence in evidence_of(find(document, f"orthogonality.decay:{variant}"), "paths"):
            for other in evidence["paths"]:
                if (other["start"], other["multiplicities"]) == start:
                    given = other["parameters"].items()
                    found[variant] = {name: float(Fraction(value)) for name, value in given}
    return found


def _crossing_panel(
    above: Axes, below: Axes, path: Path, constants: Mapping[str, Mapping[str, float]], first: bool
) -> None:
    layers = np.arange(len(path.gaps), dtype=float)
    above.set(
        title=f"n = {path.n},  width d → ∞:  crossed at layer {path.crossing}",
        yscale="log",
        xlim=(0, layers[-1]),
        ylim=(path.gaps[-1], 6),
    )
    above.tick_params(labelbottom=False)
    below.set(yscale="log", ylim=(1e-3, 30), xlabel="depth ℓ")
    if first:
        above.set_ylabel("orthogonality gap  V(H$_{ℓ+1}$)")
        below.set_ylabel("gap / bound")
    below.axhspan(1, 30, facecolor=COLOURS["as_printed"], alpha=0.1, linewidth=0)
    below.axhline(1, color=MUTED, linewidth=1.0)
    below.annotate(
        "above 1 the bound is false",
        (0, 1),
        (6, 4),
        textcoords="offset points",
        color=INK,
        va="bottom",
        style="italic",
    )
    for variant, values in constants.items():
        statement = get(f"orthogonality.decay:{variant}")
        bound = bound_values(statement, layers, INFINITE, values)
        drawn = ((above, bound, _LABELS[variant]), (below, path.gaps / bound, variant))
        for axes, values_drawn, label in drawn:
            axes.plot(
                layers,
                values_drawn,
                color=COLOURS[variant],
                linestyle=STROKES[variant],
                label=label,
            )
    above.plot(layers, path.gaps, color=COLOURS["measured"], linewidth=2.4, label="certified path")
    k = path.crossing
    for axes, height in ((above, path.gaps[k]), (below, 1.0)):
        axes.plot(
            [k],
            [height],
            marker="o",
            markersize=9,
            markerfacecolor="none",
            markeredgewidth=1.6,
            color=COLOURS["as_printed"],
            zorder=5,
        )
    above.annotate(
        f"ℓ = {k}",
        (k, path.gaps[k]),
        (-9, -7),
        textcoords="offset points",
        ha="right",
        va="top",
        color=COLOURS["as_printed"],
    )
    if first:
        above.legend(loc="lower left")


def _crossing_caption(paths: list[Path], values: list[dict[str, dict[str, float]]]) -> str:
    radius = max(p.radius for p in paths)
    starts = ", ".join(f"σₙ² = {p.start} (n = {p.n})" for p in paths)
    crossings = " and ".join(
        f"layer {p.crossing} (n = {p.n}, V = {_scientific(p.gaps[p.crossing])})" for p in paths
    )
    text = (
        "As d → ∞ the spectrum moves by the map p and the bounds lose their noise term. Start: "
        f"{starts}, the other eigenvalues equal. Every layer is enclosed in balls, of relative "
        f"radius below {_scientific(radius, up=True)} for V. The gap exceeds 2(1 − 2α/3)^ℓ with α "
        f"= σₙ for the first time at {crossings}, although σₙ ≥ α at every layer: as printed, "
        "Theorem 1 fails at some finite width. "
    )
    if any("corrected" in v for v in values):
        text += "With α = σₙ², as the proof needs, the bound stays above. "
    return text + "Below: gap over bound on the same layers."


def _scientific(value: float, *, up: bool = False) -> str:
    """Three digits and a power of ten, or with ``up`` the next power of ten above."""
    if value <= 0:
        return "10⁻³⁰⁰"
    exponent = math.ceil(math.log10(value)) if up else math.floor(math.log10(value))
    power = "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return power if up else f"{value / 10.0**exponent:.2f} · {power}"


FIGURES = (draw_gap, draw_crossing)
