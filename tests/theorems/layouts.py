"""What every check of the library looks at, in a few characters.

``python -m tests.theorems.layouts`` records it.

A corner that goes, a width or a depth that moves, a case fewer: no verdict need change by it, and
the check is another. So it is on record, as verdicts are.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any

import hypothesis
import numpy as np

from simulators import Chain
from simulators.layers import RowLayer
from theorems import Statement, library
from theorems.checking.expectation import Expectation
from theorems.checking.hypothesis_search import search
from theorems.registry import package_of

__all__ = ["RECORD", "digests", "record"]

RECORD = Path(__file__).with_name("layouts.json")
#: Fields of checks that lay out what is looked at, when called without a batch.
_LAID_OUT = ("cases", "corners", "instances", "parts", "starts")
_DRAWS = 25


def _told(value: Any) -> str:
    """A value in words that are the same on every machine; of what can be called, what it holds."""
    if isinstance(value, Chain | RowLayer):
        return repr(value)
    if isinstance(value, partial):
        return _told([*value.args, value.keywords])
    if isinstance(value, FunctionType):
        return _told([cell.cell_contents for cell in value.__closure__ or ()])
    if isinstance(value, float | np.floating):
        return f"{round(float(value), 9) + 0.0:.6g}"
    if isinstance(value, np.ndarray):
        if value.ndim == 2:  # up to a rotation, which linear algebra may choose
            value = value.T @ value / np.sum(value**2)
        return f"{value.shape}: {' '.join(map(_told, value.ravel().tolist()))}"
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{key}: {_told(x)}' for key, x in value.items()))}}}"
    if isinstance(value, list | tuple):
        return f"({', '.join(map(_told, value))})"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: _told(getattr(value, field.name)) for field in _settings(value)}
        return f"{type(value).__name__}{_told(fields)}"
    return "" if callable(value) else re.sub(r" at 0x\w+", "", str(value))


def _settings(value: Any) -> Iterable[dataclasses.Field[Any]]:
    """The fields that were given; of one at its default nothing is told, so that it may be new."""
    for field in dataclasses.fields(value):
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if default is dataclasses.MISSING or _told(getattr(value, field.name)) != _told(default):
            yield field


def _laid_out(statement: Statement, check: Any, name: str) -> Iterable[Any]:
    make = getattr(check, name)
    if name in ("corners", "parts"):
        return make()  # type: ignore[no-any-return]
    return make(statement, None) if isinstance(check, Expectation) else make(None)


def _drawn(check: Any) -> list[str]:
    """The first inputs that Hypothesis draws."""
    found: list[str] = []

    def look(item: Any) -> bool:
        found.append(_told(item))
        return False

    search(check.inputs(), look, seed=0, examples=_DRAWS)
    return found


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def digests(statement: Statement) -> dict[str, str]:
    """By number and kind of a check: of its settings and what it lays out, and of what it draws."""
    found = {}
    for number, check in enumerate(statement.checks):
        name = f"{number} {type(check).__name__}"
        lines = [_told(check)]
        for field in _LAID_OUT:
            if callable(getattr(check, field, None)):
                lines += map(_told, _laid_out(statement, check, field))
        found[f"{name}, laid out"] = _digest(lines)
        if hasattr(check, "inputs"):
            found[f"{name}, drawn"] = _digest(_drawn(check))
    return found


def record() -> None:
    """Put on record what our own statements look at now."""
    found = {s.name: digests(s) for s in library() if not package_of(s)}
    content = {"hypothesis": hypothesis.__version__, "layouts": found}
    RECORD.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    record()
