"""What code a module runs on: itself and all that it imports, each with a digest of what it does.

Comments, docstrings and layout are not part of a digest: who mends a sentence changes no verdict.
Nothing is imported; modules are read as text, and followed through every ``import`` in them, those
inside functions too. A name that a package only hands on leads to the module that defines it, so
that ``from simulators import simulate`` does not stand for all of ``simulators``.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

__all__ = ["Code", "code_read"]


@dataclass(frozen=True)
class Code:
    """Where modules are looked for: packages and single modules, by name.

    - ``places``: (name, path) for each, the path without the suffix ``.py``; what any other name
      means is not ours

    Example:
        >>> here = Code((("theorems", Path(__file__).parent),))
        >>> here.module("theorems.code_digests").name
        'theorems.code_digests'
        >>> here.module("numpy") is None
        True
    """

    places: tuple[tuple[str, Path], ...]

    def module(self, name: str) -> _Module | None:
        """The module of that full name, or None where there is none in these places."""
        return _module(self, name)


@cache
def _module(code: Code, name: str) -> _Module | None:
    top, *inside = name.split(".")
    if (start := dict(code.places).get(top)) is None:
        return None
    place = start.joinpath(*inside)
    for path in (place / "__init__.py", place.with_name(f"{place.name}.py")):
        if path.is_file():
            return _Module(code, name, path)
    return None


@dataclass(frozen=True, eq=False)
class _Module:
    """A module as text, with what it imports."""

    code: Code
    name: str
    path: Path

    @cached_property
    def _tree(self) -> ast.Module:
        return ast.parse(self.path.read_bytes(), str(self.path))

    @cached_property
    def digest(self) -> str:
        """The first eight hexadecimal digits of SHA-256 of the module's syntax."""
        found = hashlib.sha256()
        for word in _syntax(self._tree):
            found.update(f"{word}\0".encode("utf-8", "surrogatepass"))
        return found.hexdigest()[:8]

    @cached_property
    def reads(self) -> frozenset[_Module]:
        """The modules it imports from. A package that hands a name on counts by the module that
        defines the name.
        """
        found: set[_Module] = set()
        for module, name in self._imports(typed=False):
            found |= _defining(self.code, module, name)
        return frozenset(found)

    @cached_property
    def hands_on(self) -> dict[str, str]:
        """The module from which each imported name comes, those for type checkers included: there
        a package whose names are imported when they are first used says where they are.
        """
        return {name: module for module, name in self._imports(typed=True) if name}

    def _imports(self, *, typed: bool) -> Iterator[tuple[str, str]]:
        """(module, name) for each imported name; the name is empty for a module as a whole."""
        for node in _nodes(self._tree, typed):
            if isinstance(node, ast.Import):
                yield from ((alias.name, "") for alias in node.names)
            if isinstance(node, ast.ImportFrom):
                module = self._absolute(node)
                yield from ((module, alias.name) for alias in node.names)

    def _absolute(self, node: ast.ImportFrom) -> str:
        """The full name of the module of a ``from`` import, which may be written with dots."""
        if not node.level:
            return node.module or ""
        inside = self.name.split(".")
        up = node.level - (self.path.name == "__init__.py")
        return ".".join([*inside[: len(inside) - up], *([node.module] if node.module else [])])


def _defining(code: Code, module: str, name: str) -> set[_Module]:
    """The modules that make what ``from module import name`` gives."""
    if name and (inner := code.module(f"{module}.{name}")) is not None:
        return {inner}
    found = code.module(module)
    if found is None:
        return set()
    further = found.hands_on.get(name)
    if found.path.name == "__init__.py" and further not in (None, module):
        return _defining(code, further or "", name)
    return {found}


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

    Cost: some 10 ms a module that has not been read before.

    Example:
        >>> here = Code((("theorems", Path(__file__).parent),))
        >>> sorted(code_read(here, ["theorems.code_digests"]))
        ['theorems.code_digests']
    """
    todo = []
    for name in names:
        if (module := code.module(name)) is None:
            known = ", ".join(top for top, _ in code.places)
            raise ValueError(f"names have {name!r}: no module of {known}")
        todo.append(module)
    seen: dict[str, _Module] = {}
    while todo:
        module = todo.pop()
        if module.name not in seen:
            seen[module.name] = module
            todo += module.reads
    return {name: seen[name].digest for name in sorted(seen)}
