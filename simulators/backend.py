"""Where arrays live: NumPy, or Torch on a device.

Engines reach both libraries through the array-API namespace ``xp``. The one operation outside the standard
that they need, the triangular factor alone of a QR decomposition, is here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import array_api_compat.numpy
import numpy as np
from numpy.random import SeedSequence

from simulators.observables import Array
from simulators.streams import DeviceStream, HostStream, Piece, Stream

_DTYPES = ("float32", "float64")


class Backend(Protocol):
    """What engines need of an array library: its namespace, conversions, a factorisation, random entries."""

    xp: Any
    dtype: str
    device: str

    def array(self, values: np.ndarray[Any, Any]) -> Array:
        """``values`` in this library, dtype and device."""

    def numpy(self, array: Array) -> np.ndarray[Any, Any]:
        """``array`` as a NumPy array."""

    def triangular(self, rows: Array) -> Array:
        """Rᵀ with H = QR, for ``rows`` = Hᵀ of shape ``(..., n, m)``; shape ``(..., n, min(m, n))``."""

    def draws(self, root: SeedSequence, engine: str, pieces: Sequence[Piece]) -> Iterator[Array]:
        """The entries of each piece in turn, shape ``(replicas, sum of units)``, good until the next."""


@dataclass(frozen=True)
class NumpyBackend:
    """Arrays in NumPy, on the host."""

    dtype: str
    device: str = "cpu"
    xp = array_api_compat.numpy

    def array(self, values: np.ndarray[Any, Any]) -> Array:
        return np.array(values, dtype=self.dtype)

    def numpy(self, array: Array) -> np.ndarray[Any, Any]:
        return np.asarray(array)

    def triangular(self, rows: Array) -> Array:
        return np.linalg.qr(rows.mT, mode="r").mT

    def draws(self, root: SeedSequence, engine: str, pieces: Sequence[Piece]) -> Iterator[Array]:
        return _host_draws(root, engine, pieces, self.dtype)


@dataclass(frozen=True)
class TorchBackend:
    """Arrays in Torch, on ``device``."""

    dtype: str
    device: str

    @property
    def xp(self) -> Any:
        import array_api_compat.torch

        return array_api_compat.torch

    def array(self, values: np.ndarray[Any, Any]) -> Array:
        import torch

        return torch.tensor(values, dtype=getattr(torch, self.dtype), device=self.device)

    def numpy(self, array: Array) -> np.ndarray[Any, Any]:
        return np.asarray(array.cpu())

    def triangular(self, rows: Array) -> Array:
        import torch

        return torch.linalg.qr(rows.mT, mode="r").R.mT

    def draws(self, root: SeedSequence, engine: str, pieces: Sequence[Piece]) -> Iterator[Array]:
        import torch

        if torch.device(self.device).type == "cpu":
            for values in _host_draws(root, engine, pieces, self.dtype):
                yield torch.from_numpy(values)
            return
        for piece, stream in _streams(pieces, lambda group: DeviceStream(root, engine, group, self.device)):
            shape = (len(piece.replicas), sum(piece.units))
            out = torch.empty(shape, dtype=getattr(torch, self.dtype), device=self.device)
            stream.fill(out, piece.law, piece.units)
            yield out


def _host_draws(
    root: SeedSequence, engine: str, pieces: Sequence[Piece], dtype: str
) -> Iterator[np.ndarray[Any, Any]]:
    """Draw one piece ahead in a background thread: NumPy's generators release the interpreter lock."""
    filling = _streams(pieces, lambda group: HostStream(root, engine, group))
    size = max(len(piece.replicas) * sum(piece.units) for piece in pieces)
    # One buffer is read by the engine while the other is filled.
    buffers = [np.empty(size, dtype) for _ in pieces[:2]]

    def fill(turn: int) -> np.ndarray[Any, Any]:
        piece, stream = next(filling)
        replicas, count = len(piece.replicas), sum(piece.units)
        out = buffers[turn % 2][: replicas * count].reshape(replicas, count)
        stream.fill(out, piece.law, piece.units)
        return out

    if len(pieces) == 1:
        yield fill(0)
        return
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="normals") as ahead:
        coming = ahead.submit(fill, 0)
        for turn in range(1, len(pieces)):
            ready = coming.result()
            coming = ahead.submit(fill, turn)
            yield ready
        yield coming.result()


def _streams(pieces: Sequence[Piece], start: Callable[[range], Stream]) -> Iterator[tuple[Piece, Stream]]:
    """Each piece with its replicas' stream, started when the first piece of the group comes up."""
    stream, group = None, None
    for piece in pieces:
        if stream is None or piece.replicas != group:
            stream, group = start(piece.replicas), piece.replicas
        yield piece, stream


def select(dtype: object, device: object, torch_batch: Any) -> Backend:
    """The backend that ``dtype`` and ``device`` ask for; Torch if ``torch_batch``, a tensor, is given.

    Raises `ValueError` for another dtype than float32 or float64, and for a device that is not there.
    """
    name = "float64" if dtype is None else str(dtype).removeprefix("torch.")
    if isinstance(dtype, type) or isinstance(dtype, np.dtype):
        name = np.dtype(dtype).name
    if name not in _DTYPES:
        raise ValueError(f"dtype={dtype!r} is not available; give 'float32' or 'float64'")
    if device is None and torch_batch is None:
        return NumpyBackend(name)
    return TorchBackend(name, _torch_device(torch_batch.device if device is None else device))


def _torch_device(device: Any) -> str:
    import torch

    there = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    try:
        wanted = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"device={device!r} is no Torch device; available are {', '.join(there)}") from error
    name = wanted.type if wanted.type == "cpu" else f"{wanted.type}:{wanted.index or 0}"
    if name not in there:
        raise ValueError(f"device={device!r} is not on this machine; available are {', '.join(there)}")
    return name
