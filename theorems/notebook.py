"""How results show themselves in a notebook: HTML of its own, in the colours of the page around."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Protocol

from theorems.evidence import Evidence, Verdict
from theorems.statement import Statement
from theorems.typesetting import mathml, words
from theorems.verdict_words import power_word, tightness_word

__all__ = ["Shown", "html_of", "table", "table_of"]

#: Legible on white and on black.
_COLOURS = {
    Verdict.PROVED: "#1a7fc1",
    Verdict.CERTIFIED: "#1a7fc1",
    Verdict.SUPPORTED: "#12906f",
    Verdict.REFUTED: "#d1601a",
    Verdict.INCONCLUSIVE: "#a46fa0",
}
_GREY = "#7d858d"
_LEFT = "text-align: left; vertical-align: top"


class Shown(Protocol):
    """What is shown of a result, as `theorems.verification.Result` has it."""

    @property
    def statement(self) -> Statement: ...
    @property
    def verdict(self) -> Verdict: ...
    @property
    def evidence(self) -> Sequence[Evidence]: ...
    @property
    def tightness(self) -> float | None: ...
    @property
    def power(self) -> float | None: ...
    @property
    def as_expected(self) -> bool: ...


def html_of(result: Shown) -> str:
    """One result: its claim as a formula, its verdict, and each piece of evidence.

    >>> from theorems import verify
    >>> from theorems.templates.pointwise import STATEMENT
    >>> "<math" in html_of(verify(STATEMENT)[0])
    True
    """
    statement = result.statement
    rows = "".join(
        f'<tr><td style="{_LEFT}">{escape(piece.method)}</td>'
        f'<td style="{_LEFT}">{_verdict(piece.verdict)}</td>'
        f'<td style="{_LEFT}">{escape(words(piece.summary))}</td></tr>'
        for piece in result.evidence
    )
    tightness = tightness_word(result.tightness, statement.relation, result.verdict)
    return (
        f"<div><p><strong>{escape(statement.name)}</strong> {_judged(result)}<br/>"
        f'<span style="color: {_GREY}">{escape(words(statement.title))}; '
        f"{escape(str(statement.source))}</span></p>"
        f"{mathml.claim(statement)}"
        f"<p>tightness {tightness}, power {power_word(result.power)}</p>"
        f"<table><tbody>{rows}</tbody></table></div>"
    )


def table_of(results: Iterable[Shown]) -> str:
    """Several results, a row each.

    >>> table_of([]).count("<tr>")
    1
    """
    heads = ("statement", "verdict", "tightness", "power", "evidence")
    return table(heads, map(_cells, results))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as HTML; the first cell of each row heads it.

    - ``heads``: text; ``rows``: cells as HTML, as many each

    >>> table(["n"], [["1"]]).count("<th ")
    2
    """
    style = f'style="{_LEFT}"'
    above = "".join(f'<th scope="col" {style}>{escape(head)}</th>' for head in heads)
    inside = "".join(_row(*cells) for cells in rows)
    return f"<table><thead><tr>{above}</tr></thead><tbody>{inside}</tbody></table>"


def _row(first: str, *others: str) -> str:
    style = f'style="{_LEFT}"'
    cells = "".join(f"<td {style}>{cell}</td>" for cell in others)
    return f'<tr><th scope="row" {style}>{first}</th>{cells}</tr>'


def _cells(result: Shown) -> list[str]:
    statement = result.statement
    methods = ", ".join(dict.fromkeys(piece.method for piece in result.evidence))
    tightness = tightness_word(result.tightness, statement.relation, result.verdict)
    name = f'<span title="{escape(words(statement.title))}">{escape(statement.name)}</span>'
    return [name, _judged(result), tightness, power_word(result.power), escape(methods)]


def _judged(result: Shown) -> str:
    expected = result.statement.expected.value
    unlike = "" if result.as_expected else f" (expected {expected})"
    return _verdict(result.verdict) + unlike


def _verdict(verdict: Verdict) -> str:
    colour = _COLOURS.get(verdict, _GREY)
    return f'<strong style="color: {colour}">{verdict.value}</strong>'
