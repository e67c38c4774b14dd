"""Write a report: the figures a document supports, and the page around them."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from theorems.family import FamilyError
from theorems.registry import brought, tolerated
from theorems.report.document import validate_document
from theorems.report.page import Picture, render

__all__ = ["available", "write_report"]


def available() -> str | None:
    """None when matplotlib can be imported, else one line that says how to get it."""
    try:
        importlib.import_module("matplotlib")
    except ImportError:
        return "plots need matplotlib; install it with: pip install 'batchnorm-theorems[report]'"
    return None


def write_report(document: Mapping[str, Any], directory: str | os.PathLike[str]) -> list[Path]:
    """Write ``index.html`` and the figures that ``document`` supports into ``directory``; return
    their paths.

    Figures are those that families bring; one of another package that cannot be drawn is left out,
    and ``theorems.registry.refused()`` says why. ``document`` is the JSON value of a run; a run of
    some statements gives a report of those. The directory is made if missing, files of the same
    names are replaced. The page comes first in the list. The same document and versions give the
    same bytes; simulating for the gap figure takes a few seconds.

    Raises ``ValueError`` for a value that is no document, ``ModuleNotFoundError`` with the remedy
    when matplotlib is missing, and ``OSError`` when the directory cannot be written.
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
            if any(drawn.name == picture.name for picture in pictures):
                raise FamilyError(f"another figure is named {drawn.name!r}; give it another name")
            written += save(drawn, folder)
            svg = (folder / f"{drawn.name}.svg").read_text(encoding="utf-8")
            pictures.append(Picture(drawn.name, drawn.title, drawn.caption, svg))
    page = folder / "index.html"
    page.write_text(render(valid, pictures), encoding="utf-8", errors="xmlcharrefreplace")
    return [page, *written]
