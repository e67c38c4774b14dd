"""Every statement the project knows, and how they are looked up by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import cache

from theorems.families import cluster, orthogonality, rank, splines
from theorems.statement import Statement

__all__ = ["UnknownNameError", "get", "library", "select"]

FAMILIES = (orthogonality, rank, cluster, splines)


class UnknownNameError(ValueError):
    """A name that is no family, theorem or variant; the message suggests the nearest."""


@cache
def library() -> tuple[Statement, ...]:
    """All statements, in the order of the families and of the theorems within."""
    statements = tuple(s for family in FAMILIES for s in family.STATEMENTS)
    names = [s.name for s in statements]
    if len(set(names)) != len(names):
        raise RuntimeError("two statements share a name: " + ", ".join(n for n in names if names.count(n) > 1))
    return statements


def get(name: str) -> Statement:
    """The statement of that full name, or of ``family.theorem`` when it has a single variant.

    Raises :class:`UnknownNameError` for an unknown or ambiguous name, with the nearest or the variants.
    """
    if not isinstance(name, str):
        raise TypeError(f"name={name!r}: want a name such as 'orthogonality.decay:sharp'")
    found = select([name])
    if len(found) > 1:
        raise UnknownNameError(f"{name!r} has several variants: {', '.join(s.name for s in found)}")
    return found[0]


def select(names: Iterable[str | Statement]) -> tuple[Statement, ...]:
    """Statements meant by families, theorems or full names, in library order; everything if none is given.

    A ``Statement`` among the names stands for itself, so that a changed one can be checked; such come last.

    Raises :class:`UnknownNameError`, suggesting the nearest known name.
    """
    wanted = [names] if isinstance(names, str | Statement) else _listed(names)
    given = tuple(name for name in wanted if isinstance(name, Statement))
    if not wanted:
        return library()
    groups: dict[str, list[Statement]] = {}
    for s in library():
        for key in {s.name, s.family, f"{s.family}.{s.theorem}"}:
            groups.setdefault(key, []).append(s)
    chosen: set[str] = set()
    for name in (name for name in wanted if isinstance(name, str)):
        if name not in groups:
            near = difflib.get_close_matches(name, groups, n=3, cutoff=0.4) or [
                key for key in groups if key.endswith("." + name)]
            hint = f"; did you mean {', '.join(near)}?" if near else "; `theorems list` shows all names"
            raise UnknownNameError(f"no statement or family named {name!r}{hint}")
        chosen |= {s.name for s in groups[name]}
    return (*(s for s in library() if s.name in chosen), *given)


def _listed(names: Iterable[str | Statement]) -> list[str | Statement]:
    if not isinstance(names, Iterable):
        raise TypeError(f"names={names!r}: want names such as 'orthogonality.decay', in a list if several")
    wanted = list(names)
    for name in wanted:
        if not isinstance(name, str | Statement):
            raise TypeError(f"names contain {name!r}: want names such as 'orthogonality.decay', or statements")
    return wanted
