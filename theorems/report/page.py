"""The page: what a run established, in one HTML file that needs nothing else and runs nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from theorems.report.details import anchor, detail, number
from theorems.report.document import full_name
from theorems.report.stylesheet import STYLESHEET
from theorems.statement import Verdict

__all__ = ["LEGEND", "Picture", "render"]

#: The seven verdicts, in the words of the project's architecture.
LEGEND: dict[Verdict, str] = {
    Verdict.PROVED: "kernel-checked for all n",
    Verdict.CERTIFIED: "enclosure or exact arithmetic, for the stated instances or box",
    Verdict.SUPPORTED: "confidence bound clears the claim at the stated error level",
    Verdict.REFUTED: "witness or confidence bound against it",
    Verdict.VACUOUS: "the bound cannot fail there",
    Verdict.OUTSIDE: "assumption not met",
    Verdict.INCONCLUSIVE: "enclosures wider than the question, or a confidence bound that clears nothing",
}


@dataclass(frozen=True)
class Picture:
    """A figure for the page: its name, what it shows, and its SVG text."""

    name: str
    title: str
    caption: str
    svg: str


def render(document: Mapping[str, Any], pictures: Sequence[Picture]) -> str:
    """The whole page as HTML text for a validated document. Every text of the document is escaped."""
    results = document["results"]
    parts = [
        _headline(results, document.get("interrupted", False)),
        _environment(document["environment"]),
        "".join(_figure(p) for p in pictures[:1]),
        _legend(results),
        _table(results),
        "".join(_figure(p) for p in pictures[1:]),
        _details(results),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(_title(results))}</title>\n<style>\n{STYLESHEET}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def _title(results: Sequence[Mapping[str, Any]]) -> str:
    expected = sum(r["as_expected"] for r in results)
    noun = "statement" if len(results) == 1 else "statements"
    if not results:
        return "No statement was checked"
    if expected == len(results):
        return f"{len(results)} {noun}, {'' if len(results) == 1 else 'all '}as expected"
    return f"{len(results)} {noun}, {len(results) - expected} not as expected"


def _headline(results: Sequence[Mapping[str, Any]], interrupted: bool) -> str:
    counts = Counter(r["verdict"] for r in results)
    chips = " ".join(
        f'{chip(v.value)}<span class="count">{counts[v.value]}</span>'
        for v in LEGEND
        if counts[v.value]
    )
    surprises = [r for r in results if not r["as_expected"]]
    listed = "".join(
        f'<li><a href="#{anchor(full_name(r))}">{escape(full_name(r))}</a>: {chip(r["verdict"])}, '
        f"expected {escape(r['expected'])}</li>"
        for r in surprises
    )
    block = f'<ul class="surprises">{listed}</ul>' if surprises else ""
    if interrupted:
        block = (
            '<p class="bad">The run was interrupted: this is what it had established.</p>' + block
        )
    return (
        f'<header>\n<p class="kicker">Batch normalisation in random deep networks</p>\n'
        f'<h1>{escape(_title(results))}</h1>\n<p class="tally">{chips}</p>\n{block}</header>'
    )


def _environment(environment: Mapping[str, Any]) -> str:
    batch = environment["batch"]
    rows = [
        (
            "error budget",
            f"{number(environment['error_budget'])}: the probability that this run reports any "
            "false verdict from sampling",
        ),
        ("seed", str(environment["seed"])),
        (
            "batch",
            "laid out by each check"
            if batch is None
            else f"{batch['description']} · sha256 {batch['sha256']}",
        ),
        (
            "versions",
            ", ".join(
                [
                    f"Python {environment['python']}",
                    *(f"{name} {found}" for name, found in environment["versions"].items()),
                ]
            ),
        ),
    ]
    if isinstance(environment.get("machine"), str):
        rows.append(("machine", environment["machine"]))
    body = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    return f'<dl class="environment">{body}</dl>'


def _legend(results: Sequence[Mapping[str, Any]]) -> str:
    rows = "".join(
        f"<div><dt>{chip(verdict.value)}</dt><dd>{escape(words)}</dd></div>"
        for verdict, words in LEGEND.items()
    )
    return (
        (
            '<section>\n<h2>Statements</h2>\n<dl class="legend">' + rows + '</dl>\n<p class="note">'
            "Sampling never yields proved or certified. Tightness: measured / bound where the bound is non-trivial. "
            "Power: the smallest violation the check would have caught, relative to the bound; 0 is exact arithmetic. "
            "Sentinel: a false neighbour of the statement, which the same check with the same budget must refute."
            "</p></section>"
        )
        if results
        else ""
    )


def _table(results: Sequence[Mapping[str, Any]]) -> str:
    if not results:
        return ""
    head = (
        '<thead><tr><th>statement</th><th>verdict</th><th>as expected</th><th class="num">tightness</th>'
        '<th class="num">power</th><th>evidence</th><th class="num">time</th></tr></thead>'
    )
    return (
        '<table class="statements">'
        + head
        + "<tbody>"
        + "\n".join(_row(r) for r in results)
        + "</tbody></table>"
    )


def _row(result: Mapping[str, Any]) -> str:
    name = full_name(result)
    # a break may come after the parts of a name, and nowhere else
    broken = escape(name).replace(".", ".<wbr>").replace(":", ":<wbr>").replace("_", "_<wbr>")
    evidence = "".join(
        f'<div><span class="method">{"apart from the batch, " * bool(e.get("apart"))}'
        f"{escape(e['method'])}</span> {escape(e['summary'])}"
        + (f'; <strong class="bad">sentinel {escape(e["sentinel"])}</strong>' if _weak(e) else "")
        + "</div>"
        for e in result["evidence"]
    )
    expected = (
        "yes"
        if result["as_expected"]
        else f'<strong class="bad">no: {escape(result["expected"])}</strong>'
    )
    return (
        f'<tr><td class="name"><a href="#{anchor(name)}">{broken}</a><div class="title">{escape(result["title"])}</div>'
        f'</td><td data-label="verdict">{chip(result["verdict"])}</td><td data-label="as expected">{expected}</td>'
        f'<td class="num" data-label="tightness">{number(result["tightness"])}</td>'
        f'<td class="num" data-label="power">{number(result["power"])}</td>'
        f'<td class="evidence" data-label="evidence">{evidence}</td>'
        f'<td class="num" data-label="time">{float(result["seconds"]):.1f} s</td></tr>'
    )


def _weak(evidence: Mapping[str, Any]) -> bool:
    """The false neighbour survived although the check itself spoke."""
    return evidence["sentinel"] != "refuted" and evidence["verdict"] not in ("vacuous", "outside")


def _details(results: Sequence[Mapping[str, Any]]) -> str:
    if not results:
        return ""
    return (
        "<section>\n<h2>Evidence</h2>\n"
        + "\n".join(detail(r, chip(r["verdict"])) for r in results)
        + "\n</section>"
    )


def chip(verdict: str) -> str:
    """A verdict as a coloured word; colour never stands alone."""
    return f'<span class="chip {escape(verdict)}">{escape(verdict)}</span>'


# --- figures -------------------------------------------------------------------------------------------------

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


def _figure(picture: Picture) -> str:
    return (
        f'<figure id="{escape(picture.name)}">\n<h2>{escape(picture.title)}</h2>\n<div class="plot">'
        f"{inline_svg(picture)}</div>\n<figcaption>{escape(picture.caption)}</figcaption>\n</figure>"
    )


def inline_svg(picture: Picture) -> str:
    """The SVG as part of a page: no prologue or metadata, ids of its own, colours that follow the page."""
    svg = picture.svg[picture.svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    prefix = f"{picture.name}-"
    svg = re.sub(r'\bid="', f'id="{prefix}', svg)
    svg = re.sub(r'href="#', f'href="#{prefix}', svg)
    svg = re.sub(r"url\(#", f"url(#{prefix}", svg)
    for colour, variable in _RECOLOURED.items():
        svg = svg.replace(colour, variable)
    svg = re.sub(r'<svg([^>]*?) width="[^"]*"', r"<svg\1", svg, count=1)
    svg = re.sub(r'<svg([^>]*?) height="[^"]*"', r"<svg\1", svg, count=1)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(picture.title)}"', 1)
