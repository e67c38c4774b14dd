"""Consoles that keep what is printed on them, and evidence to print."""

from __future__ import annotations

import io
import unicodedata
from typing import Any

from rich.console import Console

from theorems.statement import Evidence, Verdict


def columns(line: str) -> int:
    return sum(not unicodedata.combining(letter) for letter in line)


def plain(width: int = 80) -> Console:
    return Console(
        file=io.StringIO(), width=width, color_system=None, markup=False, highlight=False
    )


def printed(out: Console) -> str:
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def finding(**given: Any) -> Evidence:
    return Evidence(
        **{
            "method": "search",
            "verdict": Verdict.REFUTED,
            "summary": "somewhere",
            "sentinel": Verdict.REFUTED,
        }
        | given
    )
