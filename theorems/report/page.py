"""The report of a run: its figures, and one HTML page that needs nothing else and runs nothing.

The page is a Jinja template, ``page.html`` with ``page.css``. Every text of a run is escaped.
"""

from __future__ import annotations

import importlib
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from simulators.arguments import require
from theorems.family import FamilyError
from theorems.registry import brought, tolerated
from theorems.report.document import full_name, validate_document
from theorems.statement import Verdict

__all__ = ["LEGEND", "Picture", "available", "inline_svg", "number", "render", "write_report"]

#: The seven verdicts, in the words of the project's architecture.
LEGEND: dict[Verdict, str] = {
    Verdict.PROVED: "kernel-checked for all n",
    Verdict.CERTIFIED: "enclosure or exact arithmetic, for the stated instances or box",
    Verdict.SUPPORTED: "confidence bound clears the claim at the stated error level",
    Verdict.REFUTED: "witness or confidence bound against it",
    Verdict.VACUOUS: "the bound cannot fail there",
    Verdict.OUTSIDE: "assumption not met",
    Verdict.INCONCLUSIVE: "enclosures wider than the question, "
    "or a confidence bound that clears nothing",
}


@dataclass(frozen=True)
class Picture:
    """A figure for the page: its name, what it shows, and its SVG text."""

    name: str
    title: str
    caption: str
    svg: str


def available() -> str | None:
    """What keeps plots from being drawn, in one line with the remedy; None where nothing does.

    Example:
        >>> available() is None  # with the extra ``report``
        True
    """
    try:
        importlib.import_module("matplotlib")
    except ImportError:
        return "plots need matplotlib; install it with: pip install 'batchnorm-theorems[report]'"
    return None


def write_report(document: Mapping[str, Any], directory: str | os.PathLike[str]) -> list[Path]:
    """Write ``index.html`` and the figures that ``document`` supports.

    Figures are those that families bring; one of another package that cannot be drawn is left out,
    and ``theorems.registry.refused()`` says why. The same document and versions give the same
    bytes.

    Args:
        document: the JSON value of a run; a run of some statements gives a report of those.
        directory: where the files go; made if missing, files of the same names are replaced.

    Returns:
        The paths of the files, the page first.

    Raises:
        ValueError: a value that is no document.
        ModuleNotFoundError: with the remedy, where matplotlib is missing.
        OSError: the directory cannot be written.

    Cost: simulating for the gap figure takes a few seconds.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from theorems.report import document_of
        >>> with TemporaryDirectory() as directory:
        ...     written = write_report(document_of([], seed=0, level=1e-6, batch=None), directory)
        >>> [path.name for path in written]
        ['index.html']
    """
    valid = validate_document(document)
    if (remedy := available()) is not None:
        raise ModuleNotFoundError(remedy, name="matplotlib")
    from theorems.report.style import Drawing, save

    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    pictures: list[Picture] = []
    for part in brought("figures"):
        with tolerated(part, "a figure"):
            if (drawn := part.item(valid)) is None:
                continue
            if not isinstance(drawn, Drawing):
                raise FamilyError(f"{drawn!r}: want a theorems.report.style.Drawing, or None")
            require(
                not any(drawn.name == picture.name for picture in pictures),
                f"another figure is named {drawn.name!r}; give it another name",
                FamilyError,
            )
            written += save(drawn, folder)
            svg = (folder / f"{drawn.name}.svg").read_text(encoding="utf-8")
            pictures.append(Picture(drawn.name, drawn.title, drawn.caption, svg))
    page = folder / "index.html"
    page.write_text(render(valid, pictures), encoding="utf-8", errors="xmlcharrefreplace")
    return [page, *written]


def render(document: Mapping[str, Any], pictures: Sequence[Picture]) -> str:
    """The whole page as HTML text for a validated document.

    Args:
        document: what `theorems.report.validate_document` gave.
        pictures: figures; the first stands above the table of statements, the others below it.

    Example:
        >>> from theorems.report.document import document_of
        >>> page = render(document_of([], seed=0, level=1e-6, batch=None), [])
        >>> "<h1>No statement was checked</h1>" in page
        True
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    templates.filters |= _FILTERS
    results = document["results"]
    counts = Counter(result["verdict"] for result in results)
    return templates.get_template("page.html").render(
        title=_title(results),
        results=results,
        counts={verdict: counts[verdict] for verdict in LEGEND if counts[verdict]},
        surprises=[result for result in results if not result["as_expected"]],
        interrupted=document.get("interrupted", False),
        circumstances=_circumstances(document["environment"]),
        legend=LEGEND,
        pictures=pictures,
    )


def _title(results: Sequence[Mapping[str, Any]]) -> str:
    if not results:
        return "No statement was checked"
    wrong = sum(not result["as_expected"] for result in results)
    noun = "statement" if len(results) == 1 else "statements"
    if wrong:
        return f"{len(results)} {noun}, {wrong} not as expected"
    return f"{len(results)} {noun}, {'' if len(results) == 1 else 'all '}as expected"


def _circumstances(environment: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    budget = number(environment["error_budget"])
    yield (
        "error budget",
        f"{budget}: the probability that this run reports any false verdict from sampling",
    )
    yield "seed", str(environment["seed"])
    if (batch := environment["batch"]) is None:
        yield "batch", "laid out by each check"
    else:
        yield "batch", f"{batch['description']} · sha256 {batch['sha256']}"
    versions = {"Python": environment["python"], **environment["versions"]}
    yield "versions", ", ".join(f"{name} {found}" for name, found in versions.items())
    if isinstance(environment.get("machine"), str):
        yield "machine", environment["machine"]


# --- what the template shows of a value -----------------------------------------------------------

#: Shown in the heading of a piece of evidence, or nowhere; hence not again among its readings.
_HEADING = {
    "method",
    "verdict",
    "summary",
    "sentinel",
    "sentinel_claim",
    "tightness",
    "power",
    "seconds",
}
_LABELS = {
    "decided": "inputs decided",
    "outside": "inputs outside the assumption",
    "open": "inputs left open",
    "dtype": "precision",
    "level": "error level",
    "scope": "speaks of",
    "tightest_at": "tightest at",
    "witness": "violated at",
    "sentinel_witness": "sentinel violated at",
    "precision_bits": "precision, bits",
    "widths": "means by width",
    "slope": "slope in",
    "paths": "paths in the width limit",
    "paths_in_event": "paths in event",
    "alpha": "α",
    "ell": "ℓ",
    "Vhat_0": "V̂(H_0)",
    "Vhat_1": "V̂(H_1)",
    "theta": "θ",
    "delta": "δ",
}
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: object) -> str:
    """A number in four digits, with typographic signs; a dash for none.

    >>> number(8.1321e-5), number(-0.5), number(None)
    ('8.132·10⁻⁵', '−0.5', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, float) and math.isfinite(value) and not value.is_integer():
        text = f"{value:.4g}"
    elif isinstance(value, float) and math.isfinite(value) and abs(value) < 1e15:
        text = str(int(value))
    else:
        text = {"inf": "∞", "-inf": "-∞", "nan": "not a number"}.get(str(value), str(value))
    mantissa, mark, exponent = text.partition("e")
    if mark and exponent.lstrip("+-").isdigit():
        power = "10" + str(int(exponent)).translate(_SUPERSCRIPTS)
        text = power if mantissa == "1" else f"{mantissa}·{power}"
    return text.replace("-", "−")


def _anchor(result: Mapping[str, Any]) -> str:
    """An id for a statement's section: its name, with everything unusual replaced."""
    return "s-" + re.sub(r"[^A-Za-z0-9_.-]", "-", full_name(result))


def _breakable(result: Mapping[str, Any]) -> str:
    """The name as HTML, which may break after its parts and nowhere else."""
    return re.sub(r"([.:_])", r"\1<wbr>", escape(full_name(result)))


def _says(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a statement claims, and what is to be known of the verdict."""
    facts = [("claim", result["title"])]
    facts += [(key, result[key]) for key in ("quantifier", "source", "expected")]
    if weakened := result.get("weakened_by"):
        facts.append(("weakened by", _words(weakened)))
    return facts + [("note", note) for note in result.get("notes", ())]


def _label(key: str) -> str:
    return _LABELS.get(key, key.replace("_", " "))


def _words(value: object) -> str:
    """A value on one line: text as it is, numbers short, lists bracketed."""
    match value:
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case list():
            return f"[{', '.join(map(_words, value))}]"
        case dict():
            return ", ".join(f"{_label(key)} = {_words(item)}" for key, item in value.items())
        case _:
            return number(value)


def _is_table(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _readings(evidence: Mapping[str, object]) -> list[tuple[str, str]]:
    """What a piece of evidence holds beside its heading and its tables, in words."""
    return [
        (_label(key), _words(value))
        for key, value in evidence.items()
        if key not in _HEADING and not _is_table(value)
    ]


def _tables(evidence: Mapping[str, object]) -> list[tuple[str, object]]:
    return [(k, value) for k, value in evidence.items() if k not in _HEADING and _is_table(value)]


def _columns(rows: Sequence[Mapping[str, object]]) -> list[tuple[str, bool]]:
    """The union of the keys of ``rows`` in their order, and whether all below it are numbers."""
    keys: dict[str, None] = {}
    for row in rows:
        keys |= dict.fromkeys(row)
    return [(key, _numbers_below(key, rows)) for key in keys]


def _numbers_below(key: str, rows: Sequence[Mapping[str, object]]) -> bool:
    return all(_numeric(row.get(key)) for row in rows)


def _numeric(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


#: The colours of ``theorems.report.style``, as variables of the page that follow light and dark.
_RECOLOURED = {
    "#24292f": "var(--ink)",
    "#59636e": "var(--muted)",
    "#d8dee4": "var(--grid)",
    "#ffffff": "none",
    "#0072b2": "var(--measured)",
    "#d55e00": "var(--as-printed)",
    "#009e73": "var(--corrected)",
    "#b0489a": "var(--sharp)",
}


def inline_svg(picture: Picture) -> str:
    """The SVG as part of a page: no prologue, ids of its own, colours that follow the page.

    >>> inline_svg(Picture("p", "title", "", '<?xml?><svg><g id="a"/></svg>'))
    '<svg role="img" aria-label="title"><g id="p-a"/></svg>'
    """
    svg = picture.svg[picture.svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{picture.name}-", svg)
    for colour, variable in _RECOLOURED.items():
        svg = svg.replace(colour, variable)
    for size in ("width", "height"):
        svg = re.sub(rf'<svg([^>]*?) {size}="[^"]*"', r"<svg\1", svg, count=1)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(picture.title)}"', 1)


#: The functions that the template calls, by their names there.
_FILTERS: dict[str, Callable[..., object]] = {
    "anchor": _anchor,
    "breakable": _breakable,
    "columns": _columns,
    "full_name": full_name,
    "inline_svg": inline_svg,
    "label": _label,
    "number": number,
    "readings": _readings,
    "says": _says,
    "tables": _tables,
    "words": _words,
}
