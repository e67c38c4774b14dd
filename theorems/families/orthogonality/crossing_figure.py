"""The printed form of Theorem 1 crossed by the certified path of the width limit."""

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

from simulators.arrays import Floats
from simulators.engines.mean_field import rescale_path_enclosure
from theorems.families.orthogonality.decay import gap_of
from theorems.families.orthogonality.inputs import known
from theorems.registry import get
from theorems.report.document import evidence_of, find
from theorems.report.style import COLOURS, INK, MUTED, STROKES, Drawing, drawing, new_figure
from theorems.statement import Statement

__all__ = ["Path", "draw", "infinite_width_bound"]


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


def draw(document: Mapping[str, object]) -> Drawing | None:
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
            _panel(above, below, path, constants, column == 0)
    return Drawing(
        "printed_bound_crossed",
        "The printed bound is crossed in the width limit",
        _caption(paths, values),
        figure,
    )


def infinite_width_bound(
    statement: Statement, layers: Floats, values: Mapping[str, float]
) -> Floats:
    """The bound at every layer as d → ∞, by the statement's own right side.

    ``layers``: (layers,); ``values``: n, alpha and whatever else the bound depends on.
    """
    given = known(statement, values)
    return np.asarray(statement.bound(d=INFINITE, ell=layers, **given), dtype=float)


def _follow(record: _Record, depth: int, precision: int) -> Path:
    eigenvalues = [Fraction(e) for e in record["start"]]
    counts = [int(m) for m in record["multiplicities"]]
    size = int(record["n"])
    if sum(counts) != size:
        raise ValueError(f"multiplicities {counts} do not add up to n")
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
    bound = infinite_width_bound(
        get("orthogonality.decay:as_printed"), np.arange(float(len(path.gaps))), values
    )
    crossed = path.gaps > bound
    if not crossed.any() or int(np.argmax(crossed)) != path.crossing:
        raise ValueError(f"it does not cross at layer {path.crossing}")


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


def _panel(
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
        bound = infinite_width_bound(get(f"orthogonality.decay:{variant}"), layers, values)
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


def _caption(paths: list[Path], values: list[dict[str, dict[str, float]]]) -> str:
    radius = max(p.radius for p in paths)
    starts = ", ".join(f"σₙ² = {p.start} (n = {p.n})" for p in paths)
    crossings = " and ".join(
        f"layer {p.crossing} (n = {p.n}, V = {_scientific(p.gaps[p.crossing])})" for p in paths
    )
    text = (
        "As d → ∞ the spectrum moves by the map p and the bounds lose their noise term. Start: "
        f"{starts}, the other eigenvalues equal. Every layer is enclosed in balls, of relative "
        f"radius below "
        f"{_scientific(radius, up=True)} for V. The gap exceeds 2(1 − 2α/3)^ℓ with α = σₙ for the "
        f"first time at "
        f"{crossings}, although σₙ ≥ α at every layer: as printed, Theorem 1 fails at some finite "
        f"width. "
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
