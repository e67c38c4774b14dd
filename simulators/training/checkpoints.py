"""Long runs on their way, each in a file that says of which run it is and that it is whole.

A file begins with a line that names the format, then the sha256 of all that follows, then what
decides the outcome of the run as JSON; the rest is what Torch writes. It is loaded only where all of
these are as wanted, and then by Torch's reader of tensors and plain values, which runs no code.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from simulators.arguments import require, told
from simulators.lazy import torch
from simulators.regular_files import DAMAGE, obstacle, replacing

__all__ = ["CheckpointError", "read_checkpoint", "write_checkpoint"]

_FORMAT = b"batchnorm-theorems checkpoint 1\n"
_LONGEST = 2**24
"""Bytes of a line, at most: its seeds make that of a run long."""


class CheckpointError(ValueError):
    """A checkpoint that is not gone on from; one line: the file, and why.

    Example:
        >>> read_checkpoint(Path("/no/such"), {}, "cpu")
        Traceback (most recent call last):
        simulators.training.checkpoints.CheckpointError: /no/such: no such file
    """


def write_checkpoint(file: Path, run: Mapping[str, object], state: Mapping[str, Any]) -> None:
    """Put the state of a run into a file, in one step, with folders where they are missing.

    Args:
        file: that is written, or replaced.
        run: what decides its outcome, plain values.
        state: tensors and plain values.

    Raises:
        OSError, RuntimeError: where the disk does not take it.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "run.pt")
        ...     write_checkpoint(file, {"seed": 0}, {"step": 7})
        ...     read_checkpoint(file, {"seed": 0}, "cpu")
        {'step': 7}
    """
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    header, tensors = json.dumps(run, sort_keys=True).encode() + b"\n", buffer.getbuffer()
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as draft, open(draft, "wb") as opened:
        opened.writelines((_FORMAT, _digest(header, tensors), header, tensors))


def read_checkpoint(file: Path, run: Mapping[str, object], device: str) -> dict[str, Any]:
    """The state of a run in a file, once that is whole and of this very run.

    Args:
        file: as `write_checkpoint` makes them.
        run: what decides the outcome of the run that is to go on.
        device: Torch's, where its tensors are put.

    Raises:
        CheckpointError: a file that cannot be read, is no checkpoint, of another run, with the first
            thing in which that differs, or with another content than was written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "run.pt")
        ...     write_checkpoint(file, {"seed": 0}, {"step": 7})
        ...     try:
        ...         read_checkpoint(file, {"seed": 1}, "cpu")
        ...     except CheckpointError as error:
        ...         print(str(error).removeprefix(f"{file}: "))
        of another run: seed=0, want 1
    """
    words = obstacle(file)
    require(words is None, f"{file}: {words}", CheckpointError)
    try:
        with open(file, "rb") as opened:
            begins, digest = opened.read(len(_FORMAT)), opened.readline(_LONGEST)
            require(begins == _FORMAT, f"{file}: no checkpoint of this release", CheckpointError)
            header, tensors = opened.readline(_LONGEST), opened.read()
    except OSError as error:
        raise CheckpointError(f"{file}: {error.strerror or error}") from None
    damaged = f"{file}: damaged, with another content than was written"
    require(_digest(header, tensors) == digest, damaged, CheckpointError)
    try:
        _require_of(json.loads(json.dumps(run)), json.loads(header), file)
        return dict(torch.load(io.BytesIO(tensors), map_location=device, weights_only=True))
    except CheckpointError:
        raise
    except (*DAMAGE, UnpicklingError):
        raise CheckpointError(damaged) from None


def _require_of(wanted: Mapping[str, object], found: Mapping[str, object], file: Path) -> None:
    for name in sorted({*wanted, *found}):
        got, want = found.get(name), wanted.get(name)
        require(
            got == want,
            f"{file}: of another run: {name}={told(got)}, want {told(want)}",
            CheckpointError,
        )


def _digest(header: bytes, tensors: bytes | memoryview) -> bytes:
    digest = hashlib.sha256(header)
    digest.update(tensors)
    return digest.hexdigest().encode() + b"\n"
