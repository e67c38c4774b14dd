"""Conjectures in files: ``my_claims.py`` for all of them, ``my_claims.py::gap_law`` for one."""

from __future__ import annotations
import __future__

import ast
import contextlib
import hashlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

from simulators.regular_files import obstacle
from theorems.error_words import in_words
from theorems.shipped_claims import SHIPPED
from theorems.workbench.conjecture import Conjecture
from theorems.workbench.parsing import ClaimError, nearest, refuse

__all__ = ["Loaded", "conjectures_of", "held", "load"]


@dataclass(frozen=True)
class Loaded:
    """What a file states.

    - ``conjectures``: in order
    - ``refused``: one line for every claim of it that makes no sense
    """

    conjectures: tuple[Conjecture, ...]
    refused: tuple[str, ...] = ()


def load(text: str) -> Loaded:
    """The conjectures of a file of Python, which is run.

    - ``text``: its path, or the name of a shipped one (``examples``); after ``::`` the name of one

    A claim that is refused when it is stated leaves the others of the file to be checked, but for
    those stated by the same statement of Python.

    Raises `ClaimError` in one line if there is no such file, it cannot be run, or it states
    nothing by that name.

    Example:
        >>> [claim.name for claim in load("examples::symmetric_cosine").conjectures]
        ['symmetric_cosine']
    """
    head, _, wanted = text.partition("::")
    path = SHIPPED.get(head, Path(head))
    if (words := obstacle(path)) is not None:
        raise ClaimError(
            f"{head}: {words}; name a Python file that states claims, as in my_claims.py::gap_law"
        )
    module, refusals = _run(path)
    found = conjectures_of(module)
    told = tuple(refusal.words for refusal in refusals)
    mine = [refusal.words for refusal in refusals if wanted in refusal.names]
    refuse(
        (
            not found and not refusals,
            f"{head}: it states no conjecture; write one with theorems.conjecture",
        ),
        (not found and not wanted, "; ".join(told)),
    )
    if not wanted:
        return Loaded(tuple(found.values()), told)
    if wanted in found:
        return Loaded((found[wanted],))
    raise ClaimError((*mine, f"{head}: no conjecture {wanted!r}{nearest(wanted, found)}")[0])


def conjectures_of(module: ModuleType) -> dict[str, Conjecture]:
    """The conjectures that a module itself declares, by name, in order.

    A nameless one is named by its variable. Raises `ClaimError` for two of one name.

    Args:
        module: one that was imported, or run.
    """
    found: dict[str, Conjecture] = {}
    for variable, value in list(vars(module).items()):
        for name, claim in held(variable, value):
            if claim.module == module.__name__ and claim not in found.values():
                claim.name = claim.name or name
                refuse(
                    (
                        claim.name in found,
                        f"{module.__file__}: two conjectures are named {claim.name!r}; rename one",
                    )
                )
                found[claim.name] = claim
    return found


def held(variable: str, value: object) -> list[tuple[str, Conjecture]]:
    """The conjectures that a variable holds, with a name for the nameless.

    It holds them itself, or in a list, tuple or mapping.

    Args:
        variable: its name, of which the nameless get theirs.
        value: what it holds.

    Example:
        >>> from theorems import conjecture
        >>> claim = conjecture("x**2 >= x", over="parameters", x="[1, 2]")
        >>> [name for name, _ in held("claims", [claim])]
        ['claims_0']
    """
    if isinstance(value, Conjecture):
        return [(variable, value)]
    if not isinstance(value, Mapping):
        value = dict(enumerate(value)) if isinstance(value, list | tuple) else {}
    return [
        (re.sub(r"\W", "_", f"{variable}_{place}"), each)
        for place, each in value.items()
        if isinstance(each, Conjecture)
    ]


@dataclass(frozen=True)
class _Refusal:
    """A statement of a file that stated a claim which makes no sense.

    In words, with the names it would have bound.
    """

    words: str
    names: frozenset[str]


def _run(path: Path) -> tuple[ModuleType, list[_Refusal]]:
    """The file as a module, run statement by statement.

    So one that states nonsense does not end it.
    """
    resolved = path.resolve()
    # a name of its own, so that it shadows nothing, yet the same in every process
    name = f"theorems_claims_{hashlib.sha256(str(resolved).encode()).hexdigest()[:12]}.{path.stem}"
    specification = importlib.util.spec_from_file_location(name, resolved)
    if specification is None:
        raise ClaimError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # dataclasses and pickling look their module up
    sys.path.insert(0, str(resolved.parent))
    refusals: list[_Refusal] = []
    try:
        for statement, code in _statements(resolved, module):
            try:
                exec(code, vars(module))
            except (ClaimError, NameError) as error:
                words = str(error)
                if isinstance(error, NameError):
                    if not any(error.name in refusal.names for refusal in refusals):
                        raise
                    words = f"needs {error.name}, which was refused"
                told = f"{path}{_line(error, resolved)}: {words}"
                refusals.append(_Refusal(told, _bound(statement)))
    except SyntaxError as error:
        raise ClaimError(f"{path}, line {error.lineno or 1}: not Python: {error.msg}") from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the author's own code may raise anything
        raise ClaimError(f"{path}{_line(error, resolved)}: {in_words(error)}") from None
    finally:
        with contextlib.suppress(ValueError):  # unless the file has changed it
            sys.path.remove(str(resolved.parent))
    return module, refusals


def _statements(path: Path, module: ModuleType) -> Iterator[tuple[ast.stmt, CodeType]]:
    """The statements of a file, each compiled alone, under the ``__future__`` above it."""
    source = path.read_bytes()
    if b"\0" in source:  # a ValueError before Python 3.11.4
        raise SyntaxError("source code cannot contain null bytes")
    tree = ast.parse(source, str(path))
    module.__doc__ = ast.get_docstring(tree, clean=False)
    flags = 0
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            flags |= sum(getattr(__future__, alias.name).compiler_flag for alias in statement.names)
        piece = ast.Module([statement], type_ignores=[])
        yield statement, compile(piece, str(path), "exec", flags, dont_inherit=True)


def _bound(statement: ast.stmt) -> frozenset[str]:
    """The names that a statement would have given a value."""
    nodes = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    names = {node.id for node in nodes if isinstance(node.ctx, ast.Store)}
    return frozenset(names | {getattr(statement, "name", "")} - {""})


def _line(error: BaseException, path: Path) -> str:
    """Where in the user's file it went wrong."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""
