"""Files that a verb writes: tried before it runs, so that nothing is lost at its end; and the JSON
document of a run.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theorems.files import plain
from theorems.terminal.exit_statuses import OutputError

if TYPE_CHECKING:
    from simulators.batches import Batch
    from theorems.verification import Result

__all__ = [
    "document",
    "require_apart",
    "require_directory",
    "require_file",
    "result_file",
    "writing",
]

SCHEMA = 1


def document(
    results: Sequence[Result | Mapping[str, Any]],
    *,
    seed: int,
    level: float,
    batch: Batch | None,
    interrupted: bool = False,
    refused: Sequence[str] = (),
) -> dict[str, Any]:
    """The JSON value of a run, of results or of what :meth:`Result.as_json` made of them.

    ``refused`` are the lines about claims that made no sense, and so have no result. Numbers JSON
    has no word for become null, exact numbers become text.
    """
    from theorems.verification import environment

    found: dict[str, Any] = {
        "schema": SCHEMA,
        "environment": environment(seed, level, batch),
        "results": [r if isinstance(r, Mapping) else r.as_json() for r in results],
    }
    if interrupted:
        found["interrupted"] = True
    if refused:
        found["refused"] = list(refused)
    valid: dict[str, Any] = plain(found)
    return valid


@contextlib.contextmanager
def writing(place: object, otherwise: str = "") -> Iterator[None]:
    """What cannot be written inside is :class:`OutputError`, in one line: the ``place``, why, and what is left."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{place}: cannot be written: {error.strerror or error}{otherwise}"
        ) from None


def require_file(option: str, text: str) -> Path:
    """``text`` as a path that a file can be written to, seen by trying; ``ValueError`` names ``option``."""
    path = Path(os.path.realpath(text))
    _require_name(option, text)
    if not text or path.is_dir():
        raise ValueError(f"{option} {text!r}: a directory; name a file in it")
    if not path.parent.is_dir():
        raise ValueError(f"{option} {text!r}: no directory {str(path.parent)!r}; make it first")
    if path.exists() and not (path.is_file() and os.access(path, os.W_OK)):
        raise ValueError(f"{option} {text!r}: exists and cannot be replaced; name another file")
    _try_writing(option, text, path.parent)
    return path


def require_apart(option: str, text: str, others: Mapping[str, str | None]) -> None:
    """Raise ``ValueError`` if writing ``text`` would take the place of another file of the same command line.

    ``others`` are paths by what they are, as in ``{"the batch": "H.npy"}``; None stands for one that was not given.
    """
    for what, other in others.items():
        if other is not None and _same(text, other):
            raise ValueError(
                f"{option} {text!r}: is {what} itself, and would take its place; name another file"
            )


def _same(text: str, other: str) -> bool:
    if os.path.exists(text) and os.path.exists(other):
        return os.path.samefile(text, other)
    return os.path.realpath(text) == os.path.realpath(other)


def result_file(args: argparse.Namespace) -> Path:
    """Where ``--json`` is written, which may be nothing that is read. Raises ``ValueError``."""
    from simulators.batch_files import file_of
    from theorems.commands.claims import claim_files

    require_apart(
        "--json",
        args.json,
        {
            "the batch": None if args.batch is None else file_of(args.batch),
            **{f"the file of claims {path}": path for path in claim_files(args)},
        },
    )
    return require_file("--json", args.json)


def require_directory(option: str, text: str) -> Path:
    """``text`` as a directory that can be written to, made if missing; ``ValueError`` names ``option``."""
    path = Path(text)
    _require_name(option, text)
    if not text or (path.exists() and not path.is_dir()):
        raise ValueError(f"{option} {text!r}: not a directory; name one, it is made if missing")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"{option} {text!r}: cannot be made: {error.strerror}; name another directory"
        ) from None
    _try_writing(option, text, path)
    return path


def _require_name(option: str, text: str) -> None:
    """Raise ``ValueError`` for a name that the system takes for none, too long for instance."""
    try:
        os.lstat(text or ".")
    except (FileNotFoundError, NotADirectoryError):
        return  # told in its place
    except OSError as error:
        raise ValueError(f"{option} {text!r}: {error.strerror}; name another place") from None


def _try_writing(option: str, text: str, directory: Path) -> None:
    probe = directory / f".theorems-{uuid.uuid4().hex[:8]}"
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise ValueError(
            f"{option} {text!r}: cannot be written: {error.strerror}; name another place"
        ) from None
