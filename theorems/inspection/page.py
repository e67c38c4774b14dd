"""The page of an inspection: the verdict, what helps, every layer, and predictions beside it.

One HTML page that needs nothing else and asks for nothing, made of ``inspection.html`` and the
other templates of ``theorems.report``. Every text is escaped, and without scripts it can be read as well.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from markupsafe import Markup

from theorems.inspection.condition import SOFT, Measures
from theorems.inspection.figure import PANELS, panel
from theorems.inspection.finding import Finding
from theorems.inspection.predictions import Simulated
from theorems.inspection.report import Inspection
from theorems.ledger import LIBRARY, read
from theorems.registry import UnknownNameError, get
from theorems.report.page import LEGEND, available, rendered
from theorems.report.pictures import Picture
from theorems.report.sections import Section
from theorems.report.style import Drawing, save
from theorems.typesetting import number
from theorems.verification import environment

__all__ = ["FILES", "render", "write_page"]

_STATISTICS = {
    "batch": "batch statistics as in training, dropout off",
    "running": "running statistics, as in evaluation",
}
_PARTS = r"; (?![^()]*\))"  # of a verdict; what is within brackets stays in one piece
#: Title and caption of each panel.
_CAPTIONS = {
    "rank": (
        "Effective rank",
        "How many directions the samples take, before recentring (points) and after it (dotted). "
        "Grey: below the square root of r*, the rank of the symmetric fixed point with ReLU, "
        "where a network is collapsing. Green, where a chain of the theory was simulated: from the "
        "smallest to the largest rank of its networks, and their mean.",
    ),
    "gap": (
        "Orthogonality gap",
        "0 for orthogonal samples, and at rank one as large as it can be. Green, where a chain of "
        "the theory was simulated: from the smallest to the largest gap of its networks, and "
        "their mean.",
    ),
    "gradients": (
        "Gradients on their way back",
        "The norm of the loss's gradient at what each layer's map gives, y. Behind it an interval "
        "for the geometric mean over initialisations, or over random output gradients, not for this "
        "one network, which may lie outside. Green, where a chain of the theory was simulated: "
        "from the smallest to the largest norm at what its layers give, h, back from the gradient "
        "that arrives at its end, and their mean; dotted, the same of this network.",
    ),
}


#: Names of all that is written.
FILES = ("index.html", *(f"{name}.{kind}" for name in PANELS for kind in ("png", "svg")))


@dataclass(frozen=True)
class _Row:
    """What was measured at a layer; number 0 is the batch."""

    number: int
    name: str
    does: str
    measures: Measures
    condition: str
    judged: bool
    norm: float = math.nan
    dead: float = math.nan
    saturated: float = math.nan


@dataclass(frozen=True)
class _Column:
    """A quantity of each layer: its name, its symbol in MathML, what it means, and how a row
    tells it.
    """

    name: str
    symbol: Markup
    meaning: str
    cell: Callable[[_Row], str]


def write_page(
    found: Inspection,
    directory: str | os.PathLike[str],
    *,
    batch: str = "",
    seed: int = 0,
    run: Mapping[str, object] | None = None,
) -> list[Path]:
    """Write ``index.html`` and its figures, as PNG and SVG.

    Args:
        found: what was seen.
        directory: where the files go; made if missing, files of the same names are replaced.
        batch: in one line, what the batch is.
        seed: of the network's weights and of simulations.
        run: where it came from, as `theorems.report.provenance.provenance` tells it.

    Returns:
        The paths of the files, the page first.

    Raises:
        ModuleNotFoundError: with the remedy, where matplotlib is missing.
        OSError: the directory cannot be written.

    Cost: some two seconds, most of it for the figures.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> import torch
        >>> from theorems import inspect
        >>> network = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.ReLU())
        >>> with TemporaryDirectory() as directory:
        ...     written = write_page(inspect(network, torch.eye(8)), directory)
        >>> written[0].name, len(written) == len(FILES)
        ('index.html', True)
    """
    if (remedy := available()) is not None:
        raise ModuleNotFoundError(remedy, name="matplotlib")
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    pictures, written = [], []
    for name in PANELS:
        title, caption = _CAPTIONS[name]
        paths = save(Drawing(name, title, caption, panel(found, name)), folder)
        written += paths
        svg = paths[1].read_text(encoding="utf-8")
        pictures.append(Picture(name, title, caption, svg))
    page = folder / "index.html"
    text = render(found, pictures, batch=batch, seed=seed, run=run)
    page.write_text(text, encoding="utf-8", errors="xmlcharrefreplace")
    return [page, *written]


def render(
    found: Inspection,
    pictures: Iterable[Picture],
    *,
    batch: str = "",
    seed: int = 0,
    run: Mapping[str, object] | None = None,
) -> str:
    """The whole page as HTML text.

    Args:
        found: what was seen.
        pictures: figures, in order.
        batch: as in `write_page`.
        seed: as in `write_page`.
        run: as in `write_page`.

    Example:
        >>> import torch
        >>> from theorems import inspect
        >>> network = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.ReLU())
        >>> "<h1>Healthy: effective rank" in render(inspect(network, torch.eye(8)), [])
        True
    """
    headline, *consequences = re.split(_PARTS, found.verdict)
    met = [item for item in found.findings if item.met]
    named = [*(item.statement for item in found.remedies), *(item.statement for item in met)]
    claims = _claims(named)
    beside = [(item, claims.get(item.statement)) for item in met]
    outside: dict[str, list[str]] = {}
    for item in found.findings:
        if not item.met:
            outside.setdefault(item.why, []).append(item.statement)
    seen = found.simulation
    return rendered(
        "inspection.html",
        found=found,
        title=f"{found.state}: a network at initialisation",
        headline=headline[:1].upper() + headline[1:],
        consequences=consequences,
        remedies=[(item, claims.get(item.statement)) for item in found.remedies],
        applying=[(item, section) for item, section in beside if not _measured(item)],
        compared=[(item, section) for item, section in beside if _measured(item)],
        outside=outside,
        claims=claims,
        pictures=list(pictures),
        counted=found.counted[:1].upper() + found.counted[1:],
        columns_seen=_COLUMNS,
        rows=list(_rows(found)),
        left=found.not_judged,
        lines=() if isinstance(seen, str) else seen.lines,
        stretch=None if isinstance(seen, str) else seen.stretch,
        replicas=len(seen.gaps) if isinstance(seen, Simulated) else 0,
        command=str((run or {}).get("command") or ""),
        circumstances=list(_circumstances(found, batch, seed, run or {})),
        legend=LEGEND,
    )


def _measured(finding: Finding) -> bool:
    return finding.measured is not None and finding.predicted is not None


# --- statements -----------------------------------------------------------------------------------


def _claims(names: Iterable[str]) -> dict[str, Section]:
    """The statements of these names that the library has, each with the verdict on record."""
    entries = read(LIBRARY).entries
    found = {}
    for name in dict.fromkeys(names):
        try:
            statement = get(name)
        except UnknownNameError:
            continue
        entry = entries.get(statement.name)
        theorem, _, variant = statement.name.partition(":")
        result: dict[str, object] = {
            "statement": theorem,
            "variant": variant,
            "title": statement.title,
            "quantifier": statement.quantifier.value,
            "source": str(statement.source),
            "verdict": (statement.expected if entry is None else entry.verdict).value,
            "expected": statement.expected.value,
            "evidence": [],
        }
        found[name] = Section(result, statement, shipped=True)
    return found


# --- layers ---------------------------------------------------------------------------------------


def _rows(found: Inspection) -> Iterator[_Row]:
    low = found.batch.word == "collapsing"  # a batch has no depth to collapse along
    condition = "low rank" if low else found.batch.word
    yield _Row(0, "the batch", "", found.batch, condition, judged=True)
    seen = found.gradients
    for place, layer in enumerate(found.layers):
        judged = place < found.hidden
        row = partial(
            _Row,
            place + 1,
            layer.name,
            layer.does if judged else f"{layer.role}, not judged",
            layer.measures,
            layer.measures.word if judged else "not judged",
            judged,
        )
        yield (
            row()
            if isinstance(seen, str)
            else row(seen.norms[place], seen.dead[place], seen.saturated[place])
        )


def _number(value: float, form: str = ".3g") -> str:
    return f"{value:{form}}" if math.isfinite(value) else "–"


def _symbol(inside: str) -> Markup:
    return Markup("<math>{}</math>").format(Markup(inside))


_V, _R = "<mi>V</mi>", "<mi>r</mi>"
_COLUMNS = (
    _Column(
        "width",
        _symbol("<mi>d</mi>"),
        "how many entries a sample has",
        lambda row: str(row.measures.width),
    ),
    _Column(
        "gap",
        _symbol(_V),
        "orthogonality gap: 0 for orthogonal samples of equal norm, and at most the square root of "
        "1 - 1/n, at rank one",
        lambda row: _number(row.measures.gap, ".3f"),
    ),
    _Column(
        "rank",
        _symbol(_R),
        "effective rank: how many directions the samples take, at most the smaller of width and "
        "number of samples",
        lambda row: _number(row.measures.effective_rank),
    ),
    _Column(
        "recentred",
        _symbol(f"<mover>{_R}<mo>~</mo></mover>"),
        "effective rank of what is left once the mean over the samples is taken off",
        lambda row: _number(row.measures.recentred_rank),
    ),
    _Column(
        "soft",
        _symbol("<msub><mtext>rank</mtext><mi>τ</mi></msub>"),
        f"soft rank: how many eigenvalues are at least τ = {number(SOFT)} times what they would be "
        "if all were equal",
        lambda row: _number(row.measures.soft_rank, ".0f"),
    ),
    _Column(
        "log norm",
        _symbol("<mi>log</mi><mo>‖</mo><mi>H</mi><mo>‖</mo>"),
        "natural logarithm of the root of the sum of all squares",
        lambda row: _number(row.measures.log_norm),
    ),
    _Column(
        "|cos|",
        _symbol(""),
        "mean absolute cosine of two samples",
        lambda row: _number(row.measures.mean_cosine),
    ),
    _Column(
        "outlier",
        _symbol(""),
        "the largest share of a single sample in the recentred energy",
        lambda row: _number(row.measures.outlier_share, ".0%"),
    ),
    _Column(
        "gradient",
        _symbol("<mo>‖</mo><mo>∂</mo><mi>L</mi><mo>/</mo><mo>∂</mo><mi>y</mi><mo>‖</mo>"),
        "norm of the gradient at what the layer's map gives, all samples together",
        lambda row: _number(row.norm, ".1e"),
    ),
    _Column(
        "dead",
        _symbol(""),
        "share of units that give the same for all samples and pass no gradient",
        lambda row: _number(row.dead, ".0%"),
    ),
    _Column(
        "saturated",
        _symbol(""),
        "share of entries where a bounded activation has less than a tenth of its largest slope",
        lambda row: _number(row.saturated, ".0%"),
    ),
)


# --- the run --------------------------------------------------------------------------------------


def _circumstances(
    found: Inspection, batch: str, seed: int, run: Mapping[str, object]
) -> Iterator[tuple[str, str]]:
    if batch:
        yield "batch", batch
    yield "statistics", _STATISTICS[found.statistics]
    yield "parameters", f"{found.parameters.judged} of {found.parameters.total} of layers judged"
    seen = found.gradients
    yield "gradients", seen if isinstance(seen, str) else f"{seen.sentence}; of {seen.loss}"
    yield from found.besides
    yield "seed", str(seed)
    for key in ("date", "commit"):
        if run.get(key):
            yield key, str(run[key])
    if run.get("system"):
        yield "machine", f"{run['system']}, {run['cores']} cores"
    here = environment(seed, 1.0, None)
    versions = {"Python": here["python"], **here["versions"]}
    yield "versions", ", ".join(f"{name} {version}" for name, version in versions.items())
