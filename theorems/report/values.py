"""What the page shows of a value: numbers in few digits, words for keys, tables, folded digits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from theorems.typesetting import number, words

__all__ = [
    "columns",
    "folded",
    "is_table",
    "label",
    "readings",
    "shortened",
    "tables",
    "worded",
]

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
    "apart",
    "partial",
}
#: Shown in a figure, and not in a table.
_DRAWN = {"curves"}
#: Shown with the proof's text.
_OF_PROOFS = {"theorem", "axioms", "gloss", "leaves", "link", "rocq", "recorded"}
_LABELS = {
    "decided": "inputs decided",
    "outside": "inputs outside the assumption",
    "open": "inputs left open",
    "dtype": "precision",
    "level": "error level",
    "scope": "speaks of",
    "tightest_at": "tightest at",
    "witness": "violated at",
    "sentinel_witness": "false neighbour violated at",
    "sentinel_refuted_on": "false neighbour refuted on",
    "sentinel_found": "false neighbour found",
    "precision_bits": "precision, bits",
    "readouts": "readouts",
    "widths": "means by width",
    "slope": "slope in",
    "paths": "paths in the width limit",
    "paths_in_event": "paths in event",
    "alpha": "α",
    "ell": "ℓ",
    "tau": "τ",
    "Vhat_0": "V̂(H_0)",
    "Vhat_1": "V̂(H_1)",
    "theta": "θ",
    "delta": "δ",
}
#: Digits in a row from which on the middle of a number is folded away.
_LONG = 30
_DIGITS = re.compile(rf"\d{{{_LONG},}}")
_ENDS = 6


def label(key: str) -> str:
    """The words for a key of the document.

    >>> label("tightest_at"), label("burn_in")
    ('tightest at', 'burn in')
    """
    return words(_LABELS[key]) if key in _LABELS else key.replace("_", " ")


def worded(value: object) -> str:
    """A value on one line: text as it is, numbers short, lists bracketed.

    >>> worded({"tau": [0.5, None]})
    'τ = [0.5, –]'
    """
    match value:
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case list():
            return f"[{', '.join(map(worded, value))}]"
        case dict():
            return ", ".join(f"{label(key)} = {worded(item)}" for key, item in value.items())
        case _:
            return number(value)


def shortened(text: str) -> str:
    """Text in which long runs of digits are told by their ends and their length.

    >>> shortened("1/" + 40 * "7")
    '1/777777…777777 (40 digits)'
    """
    return _DIGITS.sub(lambda found: _ends(found[0]), text)


def _ends(digits: str) -> str:
    return f"{digits[:_ENDS]}…{digits[-_ENDS:]} ({len(digits)} digits)"


def folded(text: str) -> Markup:
    """Text as HTML; where it has long runs of digits, in short, and unfolding where one asks.

    >>> print(folded("1 < 2"))
    1 &lt; 2
    >>> print(folded("1/" + 30 * "7")[:73])
    <details class="fold"><summary>1/777777…777777 (30 digits)</summary><code
    """
    if not _DIGITS.search(text):
        return escape(text)
    whole = Markup('<details class="fold"><summary>{}</summary><code>{}</code></details>')
    return whole.format(shortened(text), text)


def is_table(value: object) -> bool:
    """Whether a value is shown as a table: a list of mappings, or a mapping of mappings, not empty.

    >>> is_table([{"n": 2}]), is_table({"n=2": {"low": 0}}), is_table([2])
    (True, True, False)
    """
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def readings(evidence: Mapping[str, object]) -> list[tuple[str, str]]:
    """What a piece of evidence holds beside its heading and its tables, in words.

    Args:
        evidence: as the document of a run has it.

    Returns:
        The words for each key, and those of its value.

    >>> readings({"method": "search", "decided": 193, "paths": [{"n": 2}]})
    [('inputs decided', '193')]
    """
    left = _HEADING | (_OF_PROOFS if "theorem" in evidence else set())
    return [
        (label(key), worded(value))
        for key, value in evidence.items()
        if key not in left and not is_table(value)
    ]


def tables(evidence: Mapping[str, object]) -> list[tuple[str, list[Mapping[str, object]]]]:
    """The tables of a piece of evidence.

    Args:
        evidence: as the document of a run has it.

    Returns:
        Its key and rows for each; of a mapping of mappings, the name of a row comes first, under an
        empty key.

    >>> tables({"method": "search", "widths": {"64": {"mean": 0.5}}})
    [('widths', [{'': '64', 'mean': 0.5}])]
    """
    found: list[tuple[str, list[Mapping[str, object]]]] = []
    for key, value in evidence.items():
        if key in _HEADING or not is_table(value):
            continue
        if isinstance(value, dict):
            found.append((key, [{"": name, **row} for name, row in value.items()]))
        elif isinstance(value, list):
            found.append((key, value))
    return found


def columns(rows: Sequence[Mapping[str, object]]) -> list[tuple[str, bool]]:
    """The columns of a table.

    Args:
        rows: of the table; a key may be missing in some.

    Returns:
        The keys of all rows in the order in which they first come, without those that figures
        draw, and whether all below is numbers.

    >>> columns([{"n": 2}, {"n": None, "start": "uniform"}])
    [('n', True), ('start', False)]
    """
    keys: dict[str, None] = {}
    for row in rows:
        keys |= dict.fromkeys(key for key in row if key not in _DRAWN)
    return [(key, _numbers_below(key, rows)) for key in keys]


def _numbers_below(key: str, rows: Sequence[Mapping[str, object]]) -> bool:
    return all(_numeric(row.get(key)) for row in rows)


def _numeric(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
