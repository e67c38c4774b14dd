"""Where arrays live: NumPy, or Torch on a device.

Engines reach both libraries through the array-API namespace ``xp``. The one operation outside the
standard that they need, the triangular factor alone of a QR decomposition, is here too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import cycle, groupby
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.random import SeedSequence

from simulators.arguments import told
from simulators.observables import Array
from simulators.streams import DeviceStreams, HostStreams, Piece
from simulators.weights import LAWS
from simulators.workers import cores

S = TypeVar("S")

_DTYPES = ("float32", "float64")


@cache
def _lower(n: int, m: int, dtype: str) -> np.ndarray[Any, Any]:
    """Ones on and below the diagonal, ``(n, min(m, n))``."""
    return np.tri(n, min(m, n), dtype=dtype)


class Backend(Protocol):
    """What engines need of an array library: its namespace, conversions, a factorisation, random
    entries.
    """

    @property
    def xp(self) -> Any:
        """The array-API namespace."""

    @property
    def dtype(self) -> str:
        """``"float32"`` or ``"float64"``."""

    @property
    def device(self) -> str:
        """``"cpu"``, or the Torch device as ``"cuda:0"``."""

    def array(self, values: np.ndarray[Any, Any]) -> Array:
        """``values`` in this library, dtype and device."""

    def numpy(self, array: Array) -> np.ndarray[Any, Any]:
        """``array`` as a NumPy array."""

    def triangular(self, rows: Array) -> Array:
        """Rᵀ with H = QR, for ``rows`` = Hᵀ of shape ``(..., n, m)``; shape ``(..., n, min(m,
        n))``.
        """

    @property
    def workers(self) -> int:
        """How many groups of replicas are worth running at once, each in a thread of its own."""

    def product(self, one: Array, other: Array, out: Array | None) -> Array:
        """``one @ other``, into ``out`` if that is given."""

    def draws(
        self, root: SeedSequence, engine: str, pieces: Sequence[Piece], *, ahead: bool = True
    ) -> Iterator[Array]:
        """The entries of each piece in turn, shape ``(replicas, sum of units)``, good until the
        next.

        ``ahead`` has the host draw the next piece in a second thread while one is in use.
        """


@dataclass(frozen=True)
class NumpyBackend:
    """Arrays in NumPy, on the host."""

    dtype: str
    device: str = "cpu"

    @property
    def xp(self) -> Any:
        import array_api_compat.numpy

        return array_api_compat.numpy

    def array(self, values: np.ndarray[Any, Any]) -> Array:
        return np.array(
            values, dtype=self.dtype, order="C"
        )  # BLAS rounds otherwise where the layout is another

    def numpy(self, array: Array) -> np.ndarray[Any, Any]:
        return np.asarray(array)

    def triangular(self, rows: Array) -> Array:
        # The packed form of LAPACK is R above the reflectors; masking it is cheaper than what "r"
        # does.
        packed, _ = np.linalg.qr(rows.mT, mode="raw")
        return packed[..., : rows.shape[-2]] * _lower(*rows.shape[-2:], self.dtype)

    @property
    def workers(self) -> int:
        return cores()

    def product(self, one: Array, other: Array, out: Array | None) -> Array:
        return np.matmul(one, other, out=out)

    def draws(
        self, root: SeedSequence, engine: str, pieces: Sequence[Piece], *, ahead: bool = True
    ) -> Iterator[Array]:
        return _host_draws(root, engine, pieces, self.dtype, ahead)


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

    @property
    def workers(self) -> int:
        return 1  # Torch uses all cores by itself, and a device is one

    def product(self, one: Array, other: Array, out: Array | None) -> Array:
        import torch

        return torch.matmul(one, other, out=out)

    def draws(
        self, root: SeedSequence, engine: str, pieces: Sequence[Piece], *, ahead: bool = True
    ) -> Iterator[Array]:
        import torch

        if torch.device(self.device).type == "cpu":
            for values in _host_draws(root, engine, pieces, self.dtype, ahead):
                yield torch.from_numpy(values)
            return
        for piece, streams in _streams(
            pieces, lambda group: DeviceStreams(root, engine, group, self.device)
        ):
            shape = (len(piece.replicas), sum(piece.units))
            out = torch.empty(shape, dtype=getattr(torch, self.dtype), device=self.device)
            for replica, row in enumerate(out):
                streams.fill(replica, row, LAWS[piece.law].source, piece.units)
                _of_the_law(piece, row, self.xp)
            yield out


def _host_draws(
    root: SeedSequence, engine: str, pieces: Sequence[Piece], dtype: str, ahead: bool
) -> Iterator[np.ndarray[Any, Any]]:
    """Draw the pieces: if ``ahead``, the next one in a background thread, helped when it is late.

    NumPy's generators release the interpreter lock. Each replica's stretch is drawn whole, from its
    own generator, so the entries do not depend on which thread draws it.
    """
    size = max(len(piece.replicas) * sum(piece.units) for piece in pieces)
    # One buffer is read by the engine while the other is filled.
    buffers = cycle([np.empty(size, dtype) for _ in pieces[: 2 if ahead else 1]])
    fillings = (
        _Filling(streams, piece, next(buffers))
        for piece, streams in _streams(pieces, lambda group: HostStreams(root, engine, group))
    )
    if not ahead:
        for filling in fillings:
            filling.whole()
            yield filling.out
        return
    late: Future[None] | None = None
    current = next(fillings)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="draws") as background:
        for following in fillings:
            current.finish(late)
            late = background.submit(following.work)
            yield current.out
            current = following
        current.finish(late)
    yield current.out


class _Filling:
    """The drawing of one piece into ``buffer``; any number of threads may `work` on it."""

    def __init__(self, streams: HostStreams, piece: Piece, buffer: np.ndarray[Any, Any]) -> None:
        replicas, count = len(piece.replicas), sum(piece.units)
        self.out = buffer[: replicas * count].reshape(replicas, count)
        self._streams, self._piece = streams, piece
        self._waiting = deque(range(replicas))  # popping from it is atomic

    def work(self) -> None:
        """Draw for replicas nobody has taken yet, until none is left."""
        while True:
            try:
                replica = self._waiting.popleft()
            except IndexError:
                return
            self._draw(replica, self.out[replica])

    def whole(self) -> None:
        """Draw for all replicas in this thread."""
        self._draw(0, self.out)

    def _draw(self, first: int, out: np.ndarray[Any, Any]) -> None:
        self._streams.fill(first, out, LAWS[self._piece.law].source, self._piece.units)
        import array_api_compat.numpy

        _of_the_law(self._piece, out, array_api_compat.numpy)

    def finish(self, other: Future[None] | None) -> None:
        """Draw what is left here, then wait for the thread that does the ``other`` part."""
        self.work()
        if other is not None:
            other.result()


def _of_the_law(piece: Piece, drawn: Array, xp: Any) -> None:
    """Overwrite what was drawn from the source of the piece's law, ``(..., units)``, with entries
    of the law.

    One unit at a time: how a function rounds may depend on where in an array an entry stands.
    """
    law = LAWS[piece.law]
    start = 0
    for size in piece.units if law.quantile is not None else ():
        unit = drawn[..., start : start + size]
        unit[...] = law.of_source(unit, xp)
        start += size


def _streams(pieces: Sequence[Piece], start: Callable[[range], S]) -> Iterator[tuple[Piece, S]]:
    """Each piece with its replicas' streams, started when the first piece of the group comes up."""
    for group, following in groupby(pieces, key=lambda piece: piece.replicas):
        streams = start(group)
        for piece in following:
            yield piece, streams


def select(dtype: object, device: object, torch_batch: Any) -> Backend:
    """The backend that ``dtype`` and ``device`` ask for; Torch if ``torch_batch``, a tensor, is
    given.

    Raises `ValueError` for another dtype than float32 or float64, and for a device that is not
    there.
    """
    name = "float64" if dtype is None else str(dtype).removeprefix("torch.")
    if isinstance(dtype, type | np.dtype):
        name = np.dtype(dtype).name
    if name not in _DTYPES:
        raise ValueError(f"dtype={told(dtype)} is not available; give 'float32' or 'float64'")
    if device is None and torch_batch is None:
        return NumpyBackend(name)
    return TorchBackend(name, _torch_device(torch_batch.device if device is None else device))


def _torch_device(device: Any) -> str:
    import torch

    there = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    try:
        wanted = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"device={told(device)} is no Torch device; available are {', '.join(there)}"
        ) from error
    name = wanted.type if wanted.type == "cpu" else f"{wanted.type}:{wanted.index or 0}"
    if name not in there:
        raise ValueError(
            f"device={told(device)} is not on this machine; available are {', '.join(there)}"
        )
    return name
