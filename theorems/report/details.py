"""The collapsed section of one statement: its evidence with readouts, paths, witnesses and sentinels."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from theorems.report.document import full_name

__all__ = ["anchor", "detail", "number"]

#: Shown in the heading of a piece of evidence, hence not again among its details.
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
_WORDS = {
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


def anchor(name: str) -> str:
    """An id for a statement's section: its name, with everything unusual replaced."""
    return "s-" + re.sub(r"[^A-Za-z0-9_.-]", "-", name)


def number(value: Any) -> str:
    """A number in four digits, with typographic signs; a dash for none."""
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


def detail(result: Mapping[str, Any], chip: str) -> str:
    """The section of one result; ``chip`` is its verdict as HTML."""
    name = full_name(result)
    weakened = (
        [("weakened by", _inline(result["weakened_by"]))] if result.get("weakened_by") else []
    )
    weakened += [("note", note) for note in result.get("notes", ())]
    facts = _facts(
        (
            ("claim", result["title"]),
            ("quantifier", result["quantifier"]),
            ("source", result["source"]),
            ("expected", result["expected"]),
            *weakened,
        )
    )
    evidence = "".join(_evidence(e) for e in result["evidence"]) or "<p>No evidence.</p>"
    return (
        f'<details id="{anchor(name)}"><summary><span class="name">{escape(name)}</span> {chip}</summary>\n'
        f'<div class="body">{facts}{evidence}</div></details>'
    )


def _evidence(evidence: Mapping[str, Any]) -> str:
    facts = [
        ("verdict", evidence["verdict"]),
        ("sentinel", f"{evidence['sentinel_claim']}: {evidence['sentinel']}"),
        ("tightness", number(evidence["tightness"])),
        ("power", number(evidence["power"])),
        ("time", f"{float(evidence['seconds']):.1f} s"),
    ]
    blocks = []
    for key, value in evidence.items():
        if key in _HEADING:
            continue
        label = _label(key)
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            blocks.append(f"<h4>{escape(label)}</h4>{_rows(value)}")
        else:
            facts.append((label, _inline(value)))
    apart = "apart from the batch, " * bool(evidence.get("apart"))
    head = f"{apart}{escape(evidence['method'])}: {escape(evidence['summary'])}"
    return f"<h3>{head}</h3>{_facts(facts)}" + "".join(blocks)


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    return (
        '<dl class="facts">'
        + "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts)
        + "</dl>"
    )


def _rows(rows: Sequence[Mapping[str, Any]]) -> str:
    """A table with the union of the keys of ``rows``, in the order they first appear; numbers to the right."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    sides = {
        key: ' class="num"' if all(_numeric(row.get(key)) for row in rows) else "" for key in keys
    }
    head = "".join(f"<th{sides[key]}>{escape(_label(key))}</th>" for key in keys)
    body = "".join(
        "<tr>"
        + "".join(f"<td{sides[key]}>{escape(_inline(row.get(key)))}</td>" for key in keys)
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _label(key: str) -> str:
    return _WORDS.get(key, key.replace("_", " "))


def _numeric(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _inline(value: Any) -> str:
    """A value on one line: text as it is, numbers short, lists bracketed."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, int | float):
        return number(value)
    if isinstance(value, list):
        return "[" + ", ".join(_inline(v) for v in value) + "]"
    if isinstance(value, dict):
        return ", ".join(f"{_label(k)} = {_inline(v)}" for k, v in value.items())
    return str(value)
