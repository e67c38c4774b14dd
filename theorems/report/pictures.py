"""The figures that families bring, drawn for a run and made part of a page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from simulators.arguments import require
from theorems.family import FamilyError
from theorems.registry import brought, tolerated

__all__ = ["Picture", "draw_all", "inline_svg"]


@dataclass(frozen=True)
class Picture:
    """A figure for the page: its name, what it shows, its SVG text, its family and statements."""

    name: str
    title: str
    caption: str
    svg: str
    family: str = ""
    statements: tuple[str, ...] = ()

    def is_about(self, statement: str) -> bool:
        """Whether it is about the statement of that full name.

        >>> Picture("p", "", "", "", "mine", ("mine.claim",)).is_about("mine.claim:sharp")
        True
        """
        return statement in self.statements or statement.partition(":")[0] in self.statements


def draw_all(document: Mapping[str, Any], folder: Path) -> tuple[list[Picture], list[Path]]:
    """Every figure that a validated document supports, and its files in ``folder``.

    One of another package that cannot be drawn is refused and left out. Cost: some seconds, where
    a figure simulates.
    """
    from theorems.report.style import Drawing, save

    pictures: list[Picture] = []
    written: list[Path] = []
    for part in brought("figures"):
        with tolerated(part, "a figure"):
            if (drawn := part.item(document)) is None:
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
            about = part.family.name, drawn.statements
            pictures.append(Picture(drawn.name, drawn.title, drawn.caption, svg, *about))
    return pictures, written


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
