"""A family of statements, and everything that speaks of it alone: a slice that can be added."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from itertools import chain
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from theorems.error_words import in_words, line_in, message
from theorems.statement import Statement

__all__ = ["Family", "FamilyError", "of_each_file"]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_REFERENCE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class FamilyError(ValueError):
    """A family that cannot be used; one line says which part of it, and why."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Family:
    """A family of statements with its figures, certificates, findings and remedies.

    Each of ``statements``, ``figures``, ``certificates``, ``findings`` and ``remedies`` is a tuple
    of objects, or of references ``"package.module:NAME"`` to one object or to a tuple of them. A
    module is imported when its part is used: listing statements draws nothing, and a report makes
    no certificate.

    - ``name``: lower-case letters, digits, underscores; statements are named ``name.theorem``
    - ``title``: what the family is about, in one line
    - ``sources``: where its claims are printed
    - ``statements``: in the order of listing, each with ``family=name``
    - ``figures``: functions of a run's JSON value that return a ``theorems.report.style.Drawing``,
      or None where the run does not support the figure
    - ``certificates``: kinds of certificates, ``theorems.certificates.kind.Kind``
    - ``findings``: functions of a ``theorems.inspection.finding.Watched`` that return what the
      family says of that network, a list of ``Finding``
    - ``remedies``: functions of a ``Watched`` and of its state in one word, such as
      ``"exploding"``, that return what the family offers against it, a list of
      ``theorems.inspection.finding.Remedy``
    - ``experiments``: sizes at which the sources ran their own experiments, by the names of the
      statements' symbols; a report tells which published bounds say nothing there
    - ``level``: the error probability of each of its statements, in (0, 1), where a run is given none;
      None for statements that share the level of the run
    - ``apart``: why its statements are verified only where they are named, such as "it takes
      minutes"; empty for a family that is verified with all others

    A family of another package is found through the entry-point group ``theorems.families``::

        [project.entry-points."theorems.families"]
        mine = "my_package:FAMILY"

    Raises `FamilyError` for a name or reference of another form.

    >>> Family(name="empty", title="nothing yet", sources=(), statements=()).load("statements")
    ()
    """

    name: str
    title: str
    sources: tuple[str, ...]
    statements: tuple[Statement | str, ...] = field(repr=False)
    figures: tuple[object, ...] = field(default=(), repr=False)
    certificates: tuple[object, ...] = field(default=(), repr=False)
    findings: tuple[object, ...] = field(default=(), repr=False)
    remedies: tuple[object, ...] = field(default=(), repr=False)
    experiments: tuple[Mapping[str, int], ...] = field(default=(), repr=False)
    apart: str = field(default="", repr=False)
    level: float | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise FamilyError(
                f"name={self.name!r}: want lower-case letters, digits and underscores"
            )
        if not isinstance(self.title, str) or not self.title.strip() or "\n" in self.title:
            raise FamilyError(f"title={self.title!r}: want what {self.name} is about, in one line")
        if not isinstance(self.apart, str) or "\n" in self.apart:
            raise FamilyError(
                f"apart={self.apart!r}: want why {self.name} is verified only where it is named"
            )
        if self.level is not None and not (isinstance(self.level, float) and 0 < self.level < 1):
            raise FamilyError(
                f"level={self.level!r}: want the error probability of each statement of {self.name}"
            )
        for sizes in self.experiments:
            if not all(isinstance(size, int) and size > 0 for size in sizes.values()):
                raise FamilyError(
                    f"experiments have {sizes!r}: want positive whole numbers by name"
                )
        for part in ("sources", *_PARTS):
            if not isinstance(items := getattr(self, part), tuple):
                raise FamilyError(f"{part}={items!r}: want a tuple")
            for item in () if part == "sources" else items:
                if isinstance(item, str) and not _REFERENCE.fullmatch(item):
                    raise FamilyError(f"{part} has {item!r}: want 'package.module:NAME'")

    def load(self, part: str) -> tuple[Any, ...]:
        """The objects of ``"statements"``, ``"figures"``, ``"certificates"``, ``"findings"`` or
        ``"remedies"``.

        Imports the modules that hold them. Raises `FamilyError` for a reference to nothing
        and for statements of another family or of one name, and whatever an import raises.

        Args:
            part: which of these.
        """
        if part not in _PARTS:
            raise ValueError(f"part={part!r}: want one of {', '.join(_PARTS)}")
        return self._statements if part == "statements" else tuple(self._objects(part))

    @cached_property
    def _statements(self) -> tuple[Statement, ...]:
        found: dict[str, Statement] = {}
        for statement in self._objects("statements"):
            if not isinstance(statement, Statement):
                raise FamilyError(f"statements have {statement!r}: want a Statement")
            if statement.family != self.name:
                raise FamilyError(
                    f"{statement.name} has family={statement.family!r}, in {self.name}; "
                    f"want family={self.name!r}, that of its place"
                )
            if statement.name in found:
                raise FamilyError(f"two statements are named {statement.name}")
            found[statement.name] = statement
        return tuple(found.values())

    def _objects(self, part: str) -> Iterator[object]:
        for item in getattr(self, part):
            found = _referred(part, item) if isinstance(item, str) else item
            if isinstance(found, tuple):
                yield from found
            else:
                yield found


_PARTS = ("statements", "figures", "certificates", "findings", "remedies")


def _referred(part: str, reference: str) -> object:
    module, _, name = reference.partition(":")
    try:
        return getattr(import_module(module), name)
    except AttributeError:
        if hasattr(import_module(module), name):
            raise
        raise FamilyError(f"{part} has {reference!r}: {module} has no {name}") from None


def of_each_file(package: str, path: Iterable[str], name: str) -> tuple[Any, ...]:
    """What the modules of a folder have in a tuple called ``name``: in the order of their names,
    but after those whose statements theirs depend on.

    For the ``__init__`` of a folder of statements with a file each, which are found by being
    there: ``STATEMENTS = of_each_file(__name__, __path__, "STATEMENTS")``. A module without such a
    tuple adds nothing. Imports every module of the folder, and raises `FamilyError`, which
    names file and line, for what an import raises, and where ``name`` is no tuple.

    Args:
        package: the full name of the folder's package, ``__name__`` in its ``__init__``.
        path: where its modules are, ``__path__`` there.
        name: of the tuple that a module may have.

    >>> import theorems.templates as folder
    >>> [s.quantifier.value for s in of_each_file(folder.__name__, folder.__path__, "STATEMENTS")]
    ['expectation', 'pointwise']
    """
    found: dict[str, tuple[Any, ...]] = {}
    for module in sorted(each.name for each in iter_modules(path)):
        items = getattr(_imported(f"{package}.{module}"), name, ())
        if isinstance(items, Statement):
            raise FamilyError(
                f"{package}.{module} has a statement as {name}: "
                f"want a tuple, {name} = (STATEMENT,) with a comma"
            )
        if not isinstance(items, tuple):
            raise FamilyError(f"{package}.{module} has {name}={items!r}: want a tuple")
        found[module] = items
    return tuple(chain.from_iterable(found[module] for module in _after_what_they_need(found)))


def _after_what_they_need(found: Mapping[str, tuple[Any, ...]]) -> list[str]:
    """The modules in their order, each after those whose statements its own depend on; of modules
    that depend on each other the first comes first.
    """
    home: dict[str, str] = {}
    for module, items in found.items():
        home |= {item.name: module for item in items if isinstance(item, Statement)}
    placed: dict[str, None] = {}
    begun: set[str] = set()

    def place(module: str) -> None:
        if module in begun:
            return
        begun.add(module)
        for item in found[module]:
            for needed in getattr(item, "depends_on", ()):
                if needed in home:
                    place(home[needed])
        placed[module] = None

    for module in found:
        place(module)
    return list(placed)


def _imported(module: str) -> ModuleType:
    """A module of a folder of statements. What is wrong in its file is told with file and line."""
    try:
        return import_module(module)
    except (FamilyError, MemoryError):
        raise
    except Exception as error:
        spec = find_spec(module)
        file = spec.origin if spec is not None and spec.origin else module
        line = line_in(file, error)
        why = message(error) if isinstance(error, ValueError) else in_words(error)
        raise FamilyError(f"{file}{f', line {line}' if line else ''}: {why}") from error
