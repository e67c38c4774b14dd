"""What code a module runs on: itself and all that it imports, each with a digest of what it does.

Comments, docstrings and layout are not part of a digest: who mends a sentence changes no verdict.
Nothing is imported; modules are read as text, and followed through every ``import`` in them, those
inside functions too. A name that a package only hands on leads to the module that defines it, so
that ``from simulators import simulate`` does not stand for all of ``simulators``.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Code", "code_read"]


@dataclass(frozen=True)
class Code:
    """Where modules are looked for: packages and single modules, by name.

    - ``places``: (name, path) for each, the path without the suffix ``.py``; what any other name
      means is not ours

    Example:
        >>> here = Code((("theorems", Path(__file__).parent),))
        >>> here.file("theorems.code_digests").name
        'code_digests.py'
        >>> here.file("numpy") is None
        True
    """

    places: tuple[tuple[str, Path], ...]

    def file(self, name: str) -> Path | None:
        """The file of a module.

        Args:
            name: its full name, with dots.

        Returns:
            Its file, of a package the ``__init__.py``; None for a module that is not ours, or not
            there.
        """
        top, *inside = name.split(".")
        if (start := dict(self.places).get(top)) is None:
            return None
        place = start.joinpath(*inside)
        candidates = (place / "__init__.py", place.with_name(f"{place.name}.py"))
        return next((path for path in candidates if path.is_file()), None)


@dataclass(frozen=True)
class _Source:
    """What is said in a file: a digest of it, and its imports.

    - ``imports``: (dots, module, name) each; no name for a module as a whole
    - ``hands_on``: the same with those for type checkers, by name: there a package whose names are
      imported when they are first used says where they are
    """

    digest: str
    imports: tuple[_Import, ...]
    hands_on: Mapping[str, _Import]


_Import = tuple[int, str, str]


def _source(path: Path) -> _Source:
    state = path.stat()
    return _parsed(path, state.st_mtime_ns, state.st_size)


@cache
def _parsed(path: Path, _changed: int, _size: int) -> _Source:
    tree = ast.parse(path.read_bytes(), str(path))
    found = hashlib.sha256()
    for word in _syntax(tree):
        found.update(f"{word}\0".encode("utf-8", "surrogatepass"))
    return _Source(
        found.hexdigest()[:8],
        tuple(_imports(tree, typed=False)),
        {each[2]: each for each in _imports(tree, typed=True) if each[2]},
    )


def _imports(tree: ast.Module, *, typed: bool) -> Iterator[_Import]:
    for node in _nodes(tree, typed):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name, "") for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from ((node.level, node.module or "", alias.name) for alias in node.names)


class _Reader:
    """Follows imports through the code as it is now; each module is looked for once."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._known: dict[str, Path | None] = {}

    def file(self, name: str) -> Path | None:
        if name not in self._known:
            self._known[name] = self._code.file(name)
        return self._known[name]

    def digest(self, name: str, path: Path) -> tuple[str, set[str]]:
        """Of a module, and the names of those it imports from. A package that hands a name on
        counts by the module that defines the name.
        """
        source = _source(path)
        found: set[str] = set()
        for each in source.imports:
            found |= self._defining(_absolute(name, path, each), each[2])
        return source.digest, found

    def _defining(self, module: str, name: str) -> set[str]:
        """The modules that make what ``from module import name`` gives."""
        if name and self.file(f"{module}.{name}") is not None:
            return {f"{module}.{name}"}
        if (path := self.file(module)) is None:
            return set()
        further = _source(path).hands_on.get(name)
        if path.name == "__init__.py" and further is not None:
            home = _absolute(module, path, further)
            if home != module:
                return self._defining(home, name)
        return {module}


def _absolute(inside: str, path: Path, imported: _Import) -> str:
    """The full name of the module of an import, which may be written with dots."""
    dots, module, _ = imported
    if not dots:
        return module
    up = dots - (path.name == "__init__.py")
    names = inside.split(".")
    return ".".join([*names[: len(names) - up], *([module] if module else [])])


def _nodes(tree: ast.AST, typed: bool) -> Iterator[ast.AST]:
    """All nodes, but what is for type checkers alone unless it is asked for."""
    yield tree
    inside = ast.iter_child_nodes(tree)
    if isinstance(tree, ast.If) and not typed and "TYPE_CHECKING" in ast.unparse(tree.test):
        inside = iter(tree.orelse)
    for child in inside:
        yield from _nodes(child, typed)


def _syntax(node: object) -> Iterator[str]:
    """A syntax tree in words, without docstrings, positions and what is left empty."""
    if isinstance(node, list):
        yield "["
        for item in node:
            yield from _syntax(item)
        yield "]"
    elif isinstance(node, ast.AST):
        yield type(node).__name__
        for name, value in ast.iter_fields(node):
            if name in _SILENT or value is None or value == []:
                continue
            yield name
            documented = name == "body" and isinstance(node, _DOCUMENTED)
            yield from _syntax(_without_docstring(value) if documented else value)
        yield ";"
    else:
        yield f"{type(node).__name__} {node!r}"


_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_SILENT = frozenset({"ctx", "kind", "type_comment", "type_ignores"})


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(ast.Constant(str())), *rest]:
            return rest
    return body


def code_read(code: Code, names: Iterable[str]) -> dict[str, str]:
    """The digests of the modules ``names`` and of all that they import, by their full names.

    - ``code``: where they are; what is imported from elsewhere is left out
    - ``names``: full names of modules

    Raises ``ValueError`` for a name that is no module there, and ``SyntaxError`` for a file that is
    not Python.

    Cost: some 10 ms a module that has not been read before, or has changed since.

    Example:
        >>> here = Code((("theorems", Path(__file__).parent),))
        >>> sorted(code_read(here, ["theorems.code_digests"]))
        ['theorems.code_digests']
    """
    reader = _Reader(code)
    todo = list(names)
    for name in todo:
        if reader.file(name) is None:
            known = ", ".join(top for top, _ in code.places)
            raise ValueError(f"names have {name!r}: no module of {known}")
    found: dict[str, str] = {}
    while todo:
        name = todo.pop()
        if name not in found and (path := reader.file(name)) is not None:
            found[name], further = reader.digest(name, path)
            todo += further
    return dict(sorted(found.items()))
