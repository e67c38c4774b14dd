"""The figures that families bring, drawn for a run."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from simulators.arguments import require
from theorems.family import FamilyError
from theorems.registry import Part, brought, tolerated
from theorems.worker_processes import can_fork, side_by_side

__all__ = ["Picture", "draw_all"]


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


def draw_all(
    document: Mapping[str, Any], folder: Path, jobs: int = 1
) -> tuple[list[Picture], list[Path]]:
    """Every figure that a validated document supports, and its files in ``folder``: of our own
    families, those of its statements.

    One of another package that cannot be drawn is refused and left out. With several ``jobs``, our
    own are drawn side by side in processes. Cost: some seconds, where a figure simulates.
    """

    verified = {str(result["statement"]).partition(".")[0] for result in document["results"]}
    parts = list(brought("figures", verified))
    ours = [number for number, part in enumerate(parts) if not part.package]
    drawn: dict[int, _Drawn] = {}
    if jobs > 1 and can_fork():
        drawn = _side_by_side({number: parts[number] for number in ours}, document, folder, jobs)
    pictures: list[Picture] = []
    written: list[Path] = []
    for number, part in enumerate(parts):
        with tolerated(part, "a figure"):
            taken = {picture.name for picture in pictures}
            found = drawn[number] if number in drawn else _draw(part, document, folder, taken)
            if found is None:
                continue
            picture, paths = found
            _require_new(picture.name, taken)
            pictures.append(picture)
            written += paths
    return pictures, written


#: A figure with its files; None where there is nothing to draw.
_Drawn: TypeAlias = tuple[Picture, list[Path]] | None


def _draw(
    part: Part, document: Mapping[str, Any], folder: Path, taken: Container[str] = ()
) -> _Drawn:
    """The figure of a part, written unless its name is ``taken``."""
    from theorems.report.style import Drawing, save

    if (drawn := part.item(document)) is None:
        return None
    if not isinstance(drawn, Drawing):
        raise FamilyError(f"{drawn!r}: want a theorems.report.style.Drawing, or None")
    _require_new(drawn.name, taken)
    paths = save(drawn, folder)
    svg = (folder / f"{drawn.name}.svg").read_text(encoding="utf-8")
    about = part.family.name, drawn.statements
    return Picture(drawn.name, drawn.title, drawn.caption, svg, *about), paths


def _require_new(name: str, taken: Container[str]) -> None:
    require(
        name not in taken,
        f"another figure is named {name!r}; give it another name",
        FamilyError,
    )


def _side_by_side(
    parts: Mapping[int, Part], document: Mapping[str, Any], folder: Path, jobs: int
) -> dict[int, _Drawn]:
    """The figures of parts, by their numbers, drawn by so many processes."""

    def task(part: Part, send: Callable[[object], None]) -> None:
        send((_draw(part, document, folder),))

    numbers = list(parts)
    tasks = [partial(task, part) for part in parts.values()]
    found: dict[int, _Drawn] = {}
    with closing(side_by_side(tasks, jobs, lambda _, waiting: waiting[0])) as messages:
        for place, message in messages:
            if isinstance(message, BaseException):
                raise message
            if isinstance(message, tuple):
                (found[numbers[place]],) = message
    return found
