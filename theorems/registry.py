"""Every family and statement that is known, and how they are looked up by name.

Families are plugins: nothing here imports one before it is asked for. The project's own are named
in ``theorems.families``, those of other installed packages by the entry-point group
``theorems.families``. What another package brings may be broken: it is refused in one line, which
``refused()`` keeps, and the rest of the library works.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from itertools import chain
from pkgutil import resolve_name
from typing import Any

from simulators.arguments import did_you_mean, kind_of
from theorems.error_words import in_words
from theorems.family import Family, FamilyError
from theorems.statement import Statement

__all__ = [
    "GROUP",
    "Part",
    "UnknownNameError",
    "brought",
    "families",
    "get",
    "level_of",
    "library",
    "package_of",
    "refused",
    "rescan",
    "select",
    "tolerated",
    "unasked",
]

#: The entry-point group of other packages' families; also the package that names our own.
GROUP = "theorems.families"


class UnknownNameError(ValueError):
    """A name that is no family, theorem or variant; the message suggests the nearest.

    Example:
        >>> select("no such name at all")
        Traceback (most recent call last):
        theorems.registry.UnknownNameError: no statement or family named 'no such name at all'; ...
    """


# --- families -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """Something that a family brings: a figure, a kind of certificates, a function of findings.

    ``package`` is the one that the family comes from, empty for our own.
    """

    family: Family
    package: str
    item: Any


#: What was refused, in one line each; in the order in which it was found.
_REFUSED: dict[str, None] = {}
#: Families that were accepted, and whose statements turned out not to load.
_UNLOADABLE: set[Family] = set()


def families() -> tuple[Family, ...]:
    """All families: our own, then those of other packages by the name of the package.

    Cost: the import of one small module each; no statement is loaded.
    """
    return tuple(family for family, _ in _installed() if family not in _UNLOADABLE)


def refused() -> tuple[str, ...]:
    """What could not be used of other packages' families so far, in one line each.

    A part is looked at when it is first used, so the lines of a verb are complete at its end.
    """
    return tuple(_REFUSED)


def rescan() -> None:
    """Look for families again, as after a package was installed while Python runs.

    What was refused is forgotten, too.
    """
    _installed.cache_clear()
    library.cache_clear()
    _REFUSED.clear()
    _UNLOADABLE.clear()


@cache
def _installed() -> tuple[tuple[Family, str], ...]:
    """Every accepted family, and the package it is from; empty for our own."""
    own = import_module(GROUP).FAMILIES
    found: list[tuple[Family, str]] = [(resolve_name(reference), "") for reference in own]
    for point in sorted(entry_points(group=GROUP), key=lambda p: (_package(p), p.name)):
        try:
            family = _loaded(point, [known.name for known, _ in found])
        # whatever another package does when it is imported
        except (Exception, SystemExit) as error:
            _refuse(_package(point), point.name, "", error)
        else:
            found.append((family, _package(point)))
    return tuple(found)


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "unknown"


def _loaded(point: EntryPoint, taken: list[str]) -> Family:
    family = point.load()
    if not isinstance(family, Family):
        raise FamilyError(f"{point.value} is {kind_of(family)}, not a theorems.Family")
    if family.name in taken:
        raise FamilyError(f"another family is named {family.name!r}; give it another name")
    if family.name != point.name:
        raise FamilyError(f"it names itself {family.name!r}; name the entry point so, too")
    return family


def _refuse(package: str, family: str, part: str, error: BaseException) -> None:
    what = f"{part} of its family {family!r}" if part else f"its family {family!r}"
    why = " ".join(str(error).split()) if isinstance(error, FamilyError) else in_words(error)
    _REFUSED[f"package {package}: {what} is refused: {why}"] = None


@contextmanager
def tolerated(part: Part, what: str) -> Iterator[None]:
    """An error inside is raised if the part is ours; another package's is refused.

    ``what`` says what is refused, in the line that `refused` keeps.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        if not part.package:
            raise
        _refuse(part.package, part.family.name, what, error)


def brought(part: str, of: Collection[str] | None = None) -> Iterator[Part]:
    """Every object that families have as ``part``: "figures", "certificates", "findings" or
    "remedies".

    Imports what holds it. What another package cannot deliver is refused and left out.

    Args:
        part: which of these.
        of: the names of those of our own families that are meant, where it is not all.

    Example:
        >>> next(brought("certificates")).package
        ''
    """
    for family, package in _installed():
        if family in _UNLOADABLE or not (of is None or package or family.name in of):
            continue
        items: tuple[Any, ...] = ()
        with tolerated(Part(family, package, None), f"the part {part!r}"):
            items = family.load(part)
        for item in items:
            yield Part(family, package, item)


# --- statements -----------------------------------------------------------------------------------


@cache
def library(*names: str) -> tuple[Statement, ...]:
    """The statements of the families of these names, or all: by family, then as each orders them.

    A name that is no family adds nothing. Raises whatever the import of one of our own families
    raises; another package's that fails is left out, see `refused`.

    Cost: importing the families that are meant, some 0.1 s each, once.

    Example:
        >>> first = library()[0]
        >>> {statement.family for statement in library(first.family)} == {first.family}
        True
    """
    meant = [each for each in _installed() if not names or each[0].name in names]
    return tuple(chain.from_iterable(_statements(*each) for each in meant))


def _statements(family: Family, package: str) -> tuple[Statement, ...]:
    whole: tuple[Statement, ...] = ()
    with tolerated(Part(family, package, None), ""):
        whole = family.load("statements")
        if not whole:
            raise FamilyError("it has no statements")
    if not whole:
        _UNLOADABLE.add(family)
    return whole


def package_of(statement: Statement) -> str:
    """The package that a statement of the library is from; empty for our own, and for any other.

    Args:
        statement: any, of the library or not.

    Example:
        >>> package_of(library()[0])
        ''
    """
    for family, package in _installed():
        if package and family.name == statement.family:
            known = {s.name for s in _statements(family, package)}
            return package if statement.name in known else ""
    return ""


def level_of(statement: Statement) -> float | None:
    """The error level that its family declares for a statement of the library; None for one that
    shares the level of its run.

    Args:
        statement: any, of the library or not; one that only has the name of such a family has none.

    Example:
        >>> level_of(library()[0]) is None
        True
    """
    for family, package in _installed():
        if family.level is not None and family.name == statement.family:
            known = {s.name for s in _statements(family, package)}
            return family.level if statement.name in known else None
    return None


def get(name: str) -> Statement:
    """The statement of that full name, or of ``family.theorem`` when it has a single variant.

    Raises `UnknownNameError` for an unknown or ambiguous name, with the nearest or the
    variants, and ``TypeError`` for what is no text.

    Args:
        name: ``family.theorem`` or ``family.theorem:variant``.

    Example:
        >>> last = library()[-1]
        >>> get(last.name) is last
        True
    """
    if not isinstance(name, str):
        raise TypeError(f"name={name!r}: want a name such as {library()[-1].name!r}")
    found = select([name])
    if len(found) > 1:
        raise UnknownNameError(f"{name!r} has several variants: {', '.join(s.name for s in found)}")
    return found[0]


def select(names: Iterable[str | Statement]) -> tuple[Statement, ...]:
    """Statements meant by families, theorems or full names, in library order; all if none is given.

    A ``Statement`` among the names stands for itself, so that a changed one can be checked; such
    come last. Only the families that are named are loaded.

    Raises `UnknownNameError`, suggesting the nearest known name, and ``TypeError`` for
    what is neither a name nor a statement.

    Args:
        names: names of families, of theorems, full names, and statements; one alone may be given
            without a list.

    Example:
        >>> first = library()[0]
        >>> select([first.name, first.family]) == library(first.family)
        True
    """
    wanted = [names] if isinstance(names, str | Statement) else _listed(names)
    given = tuple(name for name in wanted if isinstance(name, Statement))
    if not wanted:
        return library()
    asked = [name for name in wanted if isinstance(name, str)]
    heads = {name.partition(".")[0] for name in asked} & {family.name for family in families()}
    known = library(*sorted(heads)) if heads else ()
    groups = _groups(known)
    chosen: set[str] = set()
    for name in asked:
        if name not in groups:
            raise UnknownNameError(f"no statement or family named {name!r}{_hint(name)}")
        chosen |= {s.name for s in groups[name]}
    return (*(s for s in known if s.name in chosen), *given)


def unasked(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    """Those of the statements that are verified where nothing is named: all but those of a family
    that is `Family.apart`.

    Args:
        statements: any, of the library or not.

    Example:
        >>> apart = {family.name for family in families() if family.apart}
        >>> {statement.family for statement in unasked(library())} & apart
        set()
    """
    apart = {family.name for family in families() if family.apart}
    return tuple(statement for statement in statements if statement.family not in apart)


def _groups(statements: Iterable[Statement]) -> dict[str, list[Statement]]:
    """What each name stands for: a statement's own, its theorem's, its family's."""
    groups: dict[str, list[Statement]] = {}
    for s in statements:
        for key in {s.name, s.family, f"{s.family}.{s.theorem}"}:
            groups.setdefault(key, []).append(s)
    return groups


def _hint(name: str) -> str:
    names = _groups(library())
    inside = [key for key in names if key.endswith(f".{name}")]
    near = did_you_mean(name, names, most=3, cutoff=0.4, spell=str)
    near = near or did_you_mean(name, inside, most=3, cutoff=0.0, spell=str)
    known = name.partition(".")[0] in {family.name for family in families()}
    told = () if known else refused()
    return "".join(f"; {words}" for words in (*told, near or "`theorems list` shows all names"))


def _listed(names: Iterable[str | Statement]) -> list[str | Statement]:
    if not isinstance(names, Iterable):
        raise TypeError(
            f"names={names!r}: want names such as {library()[-1].name!r}, in a list if several"
        )
    wanted = list(names)
    for name in wanted:
        if not isinstance(name, str | Statement):
            raise TypeError(
                f"names contain {name!r}: want names such as {library()[-1].name!r}, or statements"
            )
    return wanted
