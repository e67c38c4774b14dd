"""How figures look and how they are written: one palette, Figure objects only, the same bytes
every time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib
from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = [
    "COLOURS",
    "GRID",
    "INK",
    "MUTED",
    "PAPER",
    "SHADE",
    "STROKES",
    "Drawing",
    "drawing",
    "new_figure",
    "save",
]

# The page recolours these, and COLOURS, for dark screens.
INK = "#24292f"
MUTED = "#59636e"
GRID = "#d8dee4"
PAPER = "#ffffff"
#: Where a bound cannot fail; translucent, so that it works on light and dark.
SHADE = "#8c959f"

#: Distinguishable under the common colour deficiencies and on white and near-black; lines differ in
#: stroke too.
COLOURS = {
    "measured": "#0072b2",
    "as_printed": "#d55e00",
    "corrected": "#009e73",
    "sharp": "#b0489a",
}
STROKES = {
    "measured": "-",
    "as_printed": (0, (5, 2)),
    "corrected": "-",
    "sharp": (0, (6, 1.5, 1.2, 1.5)),
}

_SETTINGS = {
    "svg.hashsalt": "batchnorm-theorems",
    "svg.fonttype": "path",
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "savefig.facecolor": "auto",
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "mathtext.fontset": "dejavusans",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "hatch.linewidth": 0.5,
}


@dataclass(frozen=True)
class Drawing:
    """A figure with what a reader of it must know.

    - ``name``: that of its files
    - ``statements``: full names, or ``family.theorem`` for all variants, of what it is about; the
      page leads from these to the figure
    """

    name: str
    title: str
    caption: str
    figure: Figure
    statements: tuple[str, ...] = ()


@contextmanager
def drawing() -> Iterator[None]:
    """Inside, Matplotlib's own defaults with this module's settings; afterwards what the user had.

    Example:
        >>> with drawing():
        ...     matplotlib.rcParams["axes.labelsize"]
        9.5
    """
    with style.context(["default", _SETTINGS]):
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that size in inches, known to no global registry, drawn by Agg.

    Example:
        >>> [float(side) for side in new_figure(4, 3).get_size_inches()]
        [4.0, 3.0]
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(drawn: Drawing, directory: Path) -> list[Path]:
    """Write ``drawn`` as PNG and SVG into ``directory``, which is there; return the two paths.

    The same figure gives the same bytes. Raises ``OSError`` where they cannot be written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as directory:
        ...     paths = save(Drawing("empty", "", "", new_figure(1, 1)), Path(directory))
        >>> [path.name for path in paths]
        ['empty.png', 'empty.svg']
    """
    paths = [directory / f"{drawn.name}.png", directory / f"{drawn.name}.svg"]
    with drawing():
        drawn.figure.savefig(paths[0], dpi=160, metadata={"Software": None})
        drawn.figure.set_layout_engine(None)  # laid out above, once for both
        drawn.figure.savefig(
            paths[1], metadata={"Date": None, "Creator": f"Matplotlib {matplotlib.__version__}"}
        )
    return paths
