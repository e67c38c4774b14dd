"""Conjectures in files: ``my_claims.py`` for all of them, ``my_claims.py::gap_law`` for one."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from simulators.regular_files import obstacle
from theorems.failures import in_words
from theorems.workbench.conjecture import Conjecture
from theorems.workbench.parsing import ClaimError, nearest

__all__ = ["EXAMPLES", "conjectures_of", "held", "is_file_name", "load"]

#: The file of examples that is shipped, which the name ``examples`` stands for.
EXAMPLES = Path(__file__).parents[1] / "examples.py"


def is_file_name(text: str) -> bool:
    """Whether a name on the command line means a file of claims rather than a statement of the library."""
    head = text.partition("::")[0]
    return "::" in text or head.endswith(".py") or head == "examples"


def load(text: str) -> tuple[Conjecture, ...]:
    """The conjectures of a file, or the one named after ``::``. The file is Python, and is run.

    Raises :class:`ClaimError` in one line if there is no such file, it cannot be run, or it states nothing by that
    name.
    """
    head, _, wanted = text.partition("::")
    path = EXAMPLES if head == "examples" else Path(head)
    if (words := obstacle(path)) is not None:
        raise ClaimError(f"{head}: {words}; name a Python file that states claims, as in my_claims.py::gap_law")
    found = conjectures_of(_run(path))
    if not found:
        raise ClaimError(f"{head}: it states no conjecture; write one with theorems.conjecture")
    if not wanted:
        return tuple(found.values())
    if wanted not in found:
        raise ClaimError(f"{head}: no conjecture {wanted!r}{nearest(wanted, found)}")
    return (found[wanted],)


def conjectures_of(module: ModuleType) -> dict[str, Conjecture]:
    """The conjectures that a module itself declares, by name, in order; a nameless one is named by its variable.

    Raises :class:`ClaimError` for two of one name.
    """
    found: dict[str, Conjecture] = {}
    for variable, value in list(vars(module).items()):
        for name, claim in held(variable, value):
            if claim.module == module.__name__ and claim not in found.values():
                claim.name = claim.name or name
                if claim.name in found:
                    raise ClaimError(f"{module.__file__}: two conjectures are named {claim.name!r}; rename one")
                found[claim.name] = claim
    return found


def held(variable: str, value: object) -> list[tuple[str, Conjecture]]:
    """The conjectures that a variable holds, itself or in a list, tuple or mapping, with a name for the nameless."""
    if isinstance(value, Conjecture):
        return [(variable, value)]
    if not isinstance(value, Mapping):
        value = dict(enumerate(value)) if isinstance(value, list | tuple) else {}
    return [(re.sub(r"\W", "_", f"{variable}_{place}"), each) for place, each in value.items()
            if isinstance(each, Conjecture)]


def _run(path: Path) -> ModuleType:
    resolved = path.resolve()
    # a name of its own, so that it shadows nothing, yet the same in every process
    name = f"theorems_claims_{hashlib.sha256(str(resolved).encode()).hexdigest()[:12]}.{path.stem}"
    specification = importlib.util.spec_from_file_location(name, resolved)
    if specification is None or specification.loader is None:
        raise ClaimError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # dataclasses and pickling look their module up
    sys.path.insert(0, str(resolved.parent))
    try:
        specification.loader.exec_module(module)
    except ClaimError as error:
        raise ClaimError(f"{path}{_line(error, resolved)}: {error}") from None
    except SyntaxError as error:
        raise ClaimError(f"{path}, line {error.lineno or 1}: not Python: {error.msg}") from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the author's own code may raise anything
        raise ClaimError(f"{path}{_line(error, resolved)}: {in_words(error)}") from None
    finally:
        with contextlib.suppress(ValueError):  # unless the file has changed it
            sys.path.remove(str(resolved.parent))
    return module


def _line(error: BaseException, path: Path) -> str:
    """Where in the user's file it went wrong."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""
