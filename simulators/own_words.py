"""Words of your own by the name of a module: chains, layers, laws, activations and observables that
a file of Python or an installed module brings to the command line and to the workers of a sweep.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from simulators.arguments import require
from simulators.regular_files import obstacle

__all__ = ["OwnWordsError", "bring", "brought"]


class OwnWordsError(ValueError):
    """A module that cannot be had. The message is one line: the module, and what is wrong with it.

    Example:
        >>> str(OwnWordsError("mine.py: no such file"))
        'mine.py: no such file'
    """


_BROUGHT: dict[str, ModuleType] = {}
"""The modules by what workers know them by: the absolute path, or the name."""


def bring(module: str) -> ModuleType:
    """Run a module, so that the words it declares are known, and return it; once in a process.

    - ``module``: the path of a file, which ends in ``.py``, or the name of a module that is
      installed, as ``package.module``

    Raises `OwnWordsError` in one line if there is none, or it fails.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from simulators.activations import ACTIVATIONS
        >>> text = '''
        ... from simulators import activation
        ... @activation(odd=True)
        ... def cubed(rows, xp):
        ...     "x³"
        ...     return rows * rows * rows
        ... '''
        >>> with TemporaryDirectory() as folder, ACTIVATIONS.restored():
        ...     path = Path(folder, "mine.py")
        ...     size = path.write_text(text, encoding="utf-8")
        ...     module = bring(str(path))
        ...     "cubed" in ACTIVATIONS
        True
    """
    is_file = module.endswith(".py")
    known_by = str(Path(module).resolve()) if is_file else module
    if known_by not in _BROUGHT:
        _BROUGHT[known_by] = (
            _carried_out(module, lambda: _run(Path(known_by)), known_by)
            if is_file
            else _carried_out(module, lambda: importlib.import_module(module), module)
        )
    return _BROUGHT[known_by]


def brought() -> tuple[str, ...]:
    """The modules that `bring` has run in this process, as another process can be told them.

    Files by their absolute paths, others by their names.

    Example:
        >>> module = bring("fractions")
        >>> "fractions" in brought()
        True
    """
    return tuple(_BROUGHT)


def _run(path: Path) -> ModuleType:
    words = obstacle(path)
    require(words is None, f"{words}; give a file of Python that declares words", OwnWordsError)
    name = f"own_words_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise OwnWordsError("no file of Python")
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module  # dataclasses and inspect look their module up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before
        raise
    return module


def _carried_out(module: str, load: Callable[[], ModuleType], file: str) -> ModuleType:
    try:
        return load()
    except OwnWordsError as error:
        raise OwnWordsError(f"{module}: {error}") from None
    except (Exception, SystemExit) as error:  # the author's code
        lines = [
            line
            for frame, line in traceback.walk_tb(error.__traceback__)
            if frame.f_code.co_filename == file
        ]
        if isinstance(error, SyntaxError) and error.filename == file:
            lines = [error.lineno or 0]
        place = f", line {lines[-1]}" if lines else ""
        told = " ".join(str(error).split())[:300]
        raise OwnWordsError(f"{module}{place}: {type(error).__name__}: {told}") from error
