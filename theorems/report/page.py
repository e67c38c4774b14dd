"""The report of a run: its figures, and one HTML page that needs nothing else and asks for nothing.

The page is made of Jinja templates: ``page.html``, its parts, ``page.css`` and ``page.js``. Every
text of a run is escaped, and the page's own policy lets no script run but the one that it holds.
Without scripts it can be read as well.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import os
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from markupsafe import Markup

from theorems.registry import library
from theorems.report import summary
from theorems.report.chart import chart
from theorems.report.comparison import Earlier, compared
from theorems.report.document import validate_document
from theorems.report.inlining import inlined
from theorems.report.pictures import Picture, draw_all
from theorems.report.sections import Section, sections
from theorems.report.values import (
    columns,
    folded,
    label,
    readings,
    shortened,
    tables,
    worded,
)
from theorems.statement import Quantifier, Statement, Verdict
from theorems.typesetting import number
from theorems.verdict_words import summed

__all__ = ["LEGEND", "available", "render", "rendered", "write_report"]

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
_HERE = Path(__file__).parent


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


def write_report(
    document: Mapping[str, Any],
    directory: str | os.PathLike[str],
    statements: Iterable[Statement] = (),
    earlier: Earlier | None = None,
    jobs: int = 1,
) -> list[Path]:
    """Write ``index.html`` and the figures that ``document`` supports.

    Figures are those that families bring; one of another package that cannot be drawn is left out,
    and ``theorems.registry.refused()`` says why. The same document and versions give the same
    bytes.

    Args:
        document: the JSON value of a run; a run of some statements gives a report of those.
        directory: where the files go; made if missing, files of the same names are replaced.
        statements: those of the run, where they are at hand; else the library's of those names
            are shown, and of others what the document says.
        earlier: what was known before, as `theorems.report.read_earlier` reads it: the page then
            tells what is otherwise.
        jobs: processes that draw our own figures side by side, forked from this one where that is
            safe.

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
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    pictures, written = draw_all(valid, folder, jobs)
    page = folder / "index.html"
    text = render(valid, pictures, statements, earlier)
    page.write_text(text, encoding="utf-8", errors="xmlcharrefreplace")
    return [page, *written]


def render(
    document: Mapping[str, Any],
    pictures: Sequence[Picture],
    statements: Iterable[Statement] = (),
    earlier: Earlier | None = None,
) -> str:
    """The whole page as HTML text for a validated document.

    Args:
        document: what `theorems.report.validate_document` gave.
        pictures: figures; each stands with its family, and those of none before all.
        statements: as in `write_report`.
        earlier: as in `write_report`.

    Example:
        >>> from theorems.report.document import document_of
        >>> page = render(document_of([], seed=0, level=1e-6, batch=None), [])
        >>> "<h1>No statement was checked</h1>" in page
        True
    """
    found = sections(document, statements)
    counts = Counter(section.verdict for section in found)
    quantifiers = {section.result["quantifier"] for section in found}
    comparison = None if earlier is None else compared(document, found, earlier)
    changed = () if comparison is None else comparison.differing
    return rendered(
        "page.html",
        title=_title(document["results"]),
        sections=found,
        counts={verdict: counts[verdict] for verdict in Verdict if counts[verdict]},
        surprises=[section for section in found if not section.result["as_expected"]],
        misprints=summary.wrong_as_printed(found),
        besides=summary.refuted_besides(found),
        silences=summary.vacuous_bounds(found),
        constants=summary.best_constants(found),
        foundation=summary.foundation(found),
        rows=summary.matrix(found),
        theorems=_by_theorem(found),
        comparison=comparison,
        changed=changed,
        methods=list(dict.fromkeys(chain.from_iterable(section.methods for section in found))),
        quantifiers=[q for q in Quantifier if q in quantifiers],
        interrupted=document.get("interrupted", False),
        refused=document.get("refused", ()),
        circumstances=list(_circumstances(document)),
        command=_command(document, found),
        legend=LEGEND,
        pictures=pictures,
        environment=document["environment"],
        run=_run(document),
    )


def rendered(template: str, pictures: Sequence[Picture] = (), **values: object) -> str:
    """A page as HTML text, of one of the templates beside this module.

    Args:
        template: its file's name; it is given ``script``, the page's own, and ``digest``, by which
            the page's policy knows it.
        pictures: the figures that the page shows.
        values: what else it speaks of; every text is escaped.

    Example:
        >>> rendered("page.js")[:2]
        '//'
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "folded": folded,
        "label": label,
        "links": _links,
        "number": number,
        "parts": _parts,
        "shortened": shortened,
        "worded": worded,
    }
    templates.globals |= {"chart": chart, "columns": columns, "readings": readings}
    templates.globals |= {"drawings": inlined(pictures), "tables": tables}
    script = (_HERE / "templates" / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return templates.get_template(template).render(
        pictures=pictures, script=script, digest=digest, **values
    )


def _parts(name: str) -> list[str]:
    """The pieces of a name between which it may break."""
    return re.split(r"(?<=[.:_])", name)


def _by_theorem(found: Sequence[Section]) -> dict[str, list[list[Section]]]:
    """For each family the variants of each of its theorems, in the order of the run."""
    families: dict[str, dict[str, list[Section]]] = {}
    for section in found:
        theorems = families.setdefault(section.family, {})
        theorems.setdefault(section.theorem, []).append(section)
    return {family: list(theorems.values()) for family, theorems in families.items()}


def _links(variants: Sequence[Section]) -> Markup:
    """A theorem in the contents: its name, and a link for each of its variants."""
    first, *others = variants
    theorem = Markup("<wbr>").join(_parts(str(first.result["statement"]).partition(".")[2]))
    if not others and not first.result["variant"]:
        return Markup('<a href="#{}">{}</a>').format(first.anchor, theorem)
    links = [
        Markup('<a href="#{}">{}</a>').format(section.anchor, section.result["variant"] or "plain")
        for section in variants
    ]
    return Markup("{}: {}").format(theorem, Markup(", ").join(links))


def _title(results: Sequence[Mapping[str, Any]]) -> str:
    if not results:
        return "No statement was checked"
    wrong = sum(not result["as_expected"] for result in results)
    noun = "statement" if len(results) == 1 else "statements"
    if wrong:
        return f"{len(results)} {noun}, {wrong} not as expected"
    return f"{len(results)} {noun}, {'' if len(results) == 1 else 'all '}as expected"


def _run(document: Mapping[str, Any]) -> dict[str, Any]:
    """Where the run came from; None for what it did not write down."""
    told = document.get("run") or {}
    return {key: told.get(key) for key in ("command", "commit", "date", "system", "cores")}


def _circumstances(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    environment, run = document["environment"], _run(document)
    own = summed([result.get("level") for result in document["results"]])
    budget = number(environment["error_budget"])
    yield (
        "error budget",
        f"{budget}: the probability that this run reports any false verdict from sampling{own}",
    )
    if (limit := environment.get("budget")) is not None:
        yield "budget", f"sampling stopped after {number(limit)} s"
    if environment.get("thorough"):
        yield "thorough", "samples were followed to their full power"
    yield "seed", str(environment["seed"])
    if (batch := environment["batch"]) is None:
        yield "batch", "laid out by each check"
    else:
        yield "batch", f"{batch['description']} · sha256 {batch['sha256']}"
    for key in ("date", "commit"):
        if run[key]:
            yield key, str(run[key])
    cores = f", {run['cores']} cores" if run["cores"] else ""
    machine = run["system"] or environment.get("machine")
    if isinstance(machine, str):
        yield "machine", machine + cores
    versions = {"Python": environment["python"], **environment["versions"]}
    yield "versions", ", ".join(f"{name} {found}" for name, found in versions.items())


def _command(document: Mapping[str, Any], found: Sequence[Section]) -> str:
    """The command of the run; of a run that did not write it down, one that does the same.

    Empty where none is known: of claims that are not the library's, and on a batch.
    """
    run, environment = _run(document), document["environment"]
    if run["command"]:
        return str(run["command"])
    if not found or not all(section.command for section in found):
        return ""
    settings = ["--seed", str(environment["seed"])]
    if not any(result.get("level") for result in document["results"]):
        settings += ["--level", repr(environment["error_budget"])]
    settings += ["--thorough"] if environment.get("thorough") else []
    return shlex.join(["theorems", "verify", *_fewest_names(found), *settings])


def _fewest_names(found: Sequence[Section]) -> Iterator[str]:
    """Families of which the run has every statement, and the names of the other statements."""
    names = {section.name for section in found}
    for family in dict.fromkeys(section.family for section in found):
        if names.issuperset(statement.name for statement in library(family)):
            yield family
        else:
            yield from (section.name for section in found if section.family == family)
