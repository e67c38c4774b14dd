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
from itertools import accumulate, cycle, groupby
from typing import Any, TypeAlias, TypeVar

import numpy as np
from array_api_compat import device as device_of
from array_api_compat import is_torch_array
from numpy.random import SeedSequence
from numpy.typing import NDArray

from simulators.arguments import require, told
from simulators.arrays import Array, Namespace, Reals
from simulators.lazy import torch
from simulators.streams import DeviceStreams, HostStreams, Piece, Streams
from simulators.weights import Law, law_of
from simulators.workers import cores

__all__ = ["Backend", "NumpyBackend", "TorchBackend", "select"]

S = TypeVar("S")


WHOLE_BYTES = 2**25
"""Pieces of memory up to this size are soon given again by the C library; others by the system,
page by page."""


def _numpy() -> Namespace:
    import array_api_compat.numpy  # all of NumPy with it, so not before arrays are worked on

    library: Namespace = array_api_compat.numpy
    return library


@cache
def _lower(n: int, m: int, dtype: str) -> Reals:
    """Ones on and below the diagonal, ``(n, min(m, n))``."""
    return np.tri(n, min(m, n), dtype=np.dtype(dtype))


@dataclass(frozen=True)
class NumpyBackend:
    """Arrays in NumPy, on the host: what engines need of an array library.

    - ``dtype``: ``"float32"`` or ``"float64"``; ``device``: ``"cpu"``

    Example:
        >>> backend = NumpyBackend("float32")
        >>> backend.xp.matmul(backend.array(np.eye(2)), backend.array(np.eye(2))).dtype
        dtype('float32')
    """

    dtype: str
    device: str = "cpu"

    @property
    def xp(self) -> Namespace:
        """The library under the names of the array-API standard.

        Array-API functions take its arrays, and give such arrays.
        """
        return _numpy()

    @property
    def workers(self) -> int:
        """How many groups of replicas are worth running at once, each in a thread of its own.

        One for each core that this process may use.
        """
        return cores()

    def array(self, values: NDArray[np.generic]) -> Array:
        """A copy of ``values``, of any shape, in this library, dtype and device.

        Arrays are laid out row by row.
        """
        # BLAS rounds otherwise where the layout is another
        return np.array(values, dtype=self.dtype, order="C")

    def numpy(self, array: Array) -> NDArray[np.generic]:
        """``array``, of any shape, as an array of NumPy on the host; a view where it is one.

        Writing to a view writes to the array.
        """
        return np.asarray(array)

    def triangular(self, rows: Array) -> Array:
        """Rᵀ with H = QR, ``(..., n, min(m, n))``, for ``rows`` = Hᵀ of shape ``(..., n, m)``.

        Cost: O(n² m).
        """
        # The packed form of LAPACK is R above the reflectors; masking it is cheaper than what "r"
        # does.
        packed, _ = np.linalg.qr(np.asarray(rows.mT), mode="raw")
        return packed[..., : rows.shape[-2]] * _lower(*rows.shape[-2:], self.dtype)

    def reflections(self, rows: Array) -> tuple[Array, Array, Array]:
        """The reflections whose product begins with Q, H = QR: vectors v_j, ``(..., k, m)``, and
        τ_j, ``(..., k)``, of each factor I − τ_j v_j v_jᵀ, k = min(m, n); and Rᵀ, the same as
        `triangular` gives.

        Cost: that of `triangular`, O(n² m).
        """
        packed, lengths = np.linalg.qr(np.asarray(rows.mT), mode="raw")
        lower, k = _lower(*rows.shape[-2:], self.dtype), lengths.shape[-1]
        factor, vectors = packed[..., :k] * lower, packed[..., :k, :]
        corner = vectors[..., :k]
        corner -= corner * lower[:k]
        np.einsum("...ii->...i", corner)[...] = 1.0
        return vectors, lengths, factor

    def product(self, one: Array, other: Array, out: Array | None) -> Array:
        """``one @ other``, matrices with any leading axes, into ``out`` if that is given.

        ``out`` has the shape and dtype of the product. Cost: that of the product.
        """
        return np.matmul(one, other, out=None if out is None else np.asarray(out))

    def streams(self, root: SeedSequence, engine: str, replicas: range) -> Streams:
        """The streams of a group of ``replicas``, at their beginning.

        ``engine`` names the child of ``root``.
        """
        return HostStreams(root, engine, replicas)

    def draws(
        self,
        root: SeedSequence,
        engine: str,
        pieces: Sequence[Piece],
        *,
        ahead: bool = True,
        streams: Streams | None = None,
        kept: bool = False,
    ) -> Iterator[Array]:
        """The entries of each piece in turn, shape ``(replicas, sum of units)``, good until the
        next, or, ``kept``, for good.

        ``engine`` names the child of ``root`` that they are drawn from. ``ahead`` has the host draw
        the next piece in a second thread while one is in use. ``streams``, if given, are those of
        the pieces' one group of replicas, and go on from where they are.
        """
        return _host_draws(root, engine, pieces, self.dtype, ahead, streams, kept)


@dataclass(frozen=True)
class TorchBackend:
    """Arrays in Torch, on ``device``; the methods are those of `NumpyBackend`.

    Example:
        >>> TorchBackend("float64", "cpu").array(np.eye(2)).shape
        torch.Size([2, 2])
    """

    dtype: str
    device: str

    @property
    def xp(self) -> Namespace:
        """The library under the names of the array-API standard.

        Array-API functions take its arrays, and give such arrays.
        """
        import array_api_compat.torch

        library: Namespace = array_api_compat.torch
        return library

    @property
    def workers(self) -> int:
        """One: Torch uses all cores by itself, and a device is one.

        So groups of replicas follow one another.
        """
        return 1

    def array(self, values: NDArray[np.generic]) -> Array:
        """A copy of ``values``, of any shape, in this library, dtype and device.

        It is not attached to any gradient.
        """
        return torch.tensor(values, dtype=getattr(torch, self.dtype), device=self.device)

    def numpy(self, array: Array) -> NDArray[np.generic]:
        """``array``, of any shape, as an array of NumPy on the host.

        Copied where the device is another.
        """
        return np.asarray(torch.as_tensor(array).cpu())

    def triangular(self, rows: Array) -> Array:
        """Rᵀ as `NumpyBackend.triangular` has it.

        Cost: O(n² m) for ``rows`` of shape ``(..., n, m)``.
        """
        factor: Array = torch.linalg.qr(torch.as_tensor(rows.mT), mode="r").R.mT
        return factor

    def reflections(self, rows: Array) -> tuple[Array, Array, Array]:
        """Reflections and Rᵀ as `NumpyBackend.reflections` has them.

        Cost: O(n² m) for ``rows`` of shape ``(..., n, m)``.
        """
        packed, lengths = torch.geqrf(torch.as_tensor(rows.mT))
        k = lengths.shape[-1]
        factor, vectors = torch.tril(packed.mT[..., :k]), packed.mT[..., :k, :]
        vectors[..., :k] = torch.triu(vectors[..., :k], diagonal=1)
        vectors[..., range(k), range(k)] = 1.0
        return vectors, lengths, factor

    def product(self, one: Array, other: Array, out: Array | None) -> Array:
        """``one @ other``, matrices with any leading axes, into ``out`` if that is given.

        ``out`` has the shape and dtype of the product, and is on the same device.
        """
        one, other = torch.as_tensor(one), torch.as_tensor(other)
        return torch.matmul(one, other, out=None if out is None else torch.as_tensor(out))

    def streams(self, root: SeedSequence, engine: str, replicas: range) -> Streams:
        """The streams of a group of ``replicas``, at their beginning: the host's on the CPU.

        ``engine`` names the child of ``root``.
        """
        if torch.device(self.device).type == "cpu":
            return HostStreams(root, engine, replicas)
        return DeviceStreams(root, engine, replicas, self.device)

    def draws(
        self,
        root: SeedSequence,
        engine: str,
        pieces: Sequence[Piece],
        *,
        ahead: bool = True,
        streams: Streams | None = None,
        kept: bool = False,
    ) -> Iterator[Array]:
        """The entries of each piece in turn, as `NumpyBackend.draws` has them.

        On the CPU they come from the host's streams, elsewhere from the device's.
        """
        if torch.device(self.device).type == "cpu":
            for values in _host_draws(root, engine, pieces, self.dtype, ahead, streams, kept):
                yield torch.from_numpy(values)
        else:
            yield from self.device_draws(root, engine, pieces, streams=streams)

    def device_draws(
        self,
        root: SeedSequence,
        engine: str,
        pieces: Sequence[Piece],
        *,
        streams: Streams | None = None,
    ) -> Iterator[Array]:
        """The entries of each piece in turn, drawn on the device, shape ``(replicas, sum of
        units)``.

        ``engine`` names the child of ``root`` that they are drawn from. They are other numbers than
        the host's, of the same law; see `simulators.streams.DeviceStreams`.
        """
        for piece, started in _streams(
            pieces,
            lambda group: (
                streams
                if isinstance(streams, DeviceStreams)
                else DeviceStreams(root, engine, group, self.device)
            ),
        ):
            shape = (len(piece.replicas), sum(piece.units))
            out = torch.empty(shape, dtype=getattr(torch, self.dtype), device=self.device)
            law = law_of(piece.law)
            for replica, row in enumerate(out):
                started.fill(replica, row, law.source, piece.units)
                _of_the_law(law, piece, row, self.xp)
            yield out


Backend: TypeAlias = NumpyBackend | TorchBackend


def _host_draws(
    root: SeedSequence,
    engine: str,
    pieces: Sequence[Piece],
    dtype: str,
    ahead: bool,
    streams: Streams | None,
    kept: bool,
) -> Iterator[Reals]:
    """Draw the pieces: if ``ahead``, the next one in a background thread, helped when it is late;
    where there is no second core for it, ``ahead`` of nothing.

    NumPy's generators release the interpreter lock. Each replica's stretch is drawn whole, from its
    own generator, so the entries do not depend on which thread draws it.
    """
    ahead = ahead and cores() > 1
    sizes = [len(piece.replicas) * sum(piece.units) for piece in pieces]
    buffers: Iterator[Reals]
    if kept and sum(sizes) * np.dtype(dtype).itemsize > WHOLE_BYTES:
        buffers = (np.empty(size, dtype) for size in sizes)
    elif kept:
        whole = np.empty(sum(sizes), dtype)
        buffers = (
            whole[end - size : end] for size, end in zip(sizes, accumulate(sizes), strict=True)
        )
    else:  # one buffer is read by the engine while the other is filled
        buffers = cycle([np.empty(max(sizes), dtype) for _ in pieces[: 2 if ahead else 1]])
    fillings = (
        _Filling(started, piece, next(buffers))
        for piece, started in _streams(
            pieces,
            lambda group: (
                streams if isinstance(streams, HostStreams) else HostStreams(root, engine, group)
            ),
        )
    )
    if not ahead:
        for filling in fillings:
            filling.whole()
            yield filling.out
        return
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="draws") as background:
        current = next(fillings, None)
        late = None if current is None else background.submit(current.work)
        while current is not None:
            current.finish(late)
            following = next(fillings, None)
            late = None if following is None else background.submit(following.work)
            yield current.out
            current = following


#: Entries that a thread takes at once to draw: enough that taking them costs little.
_AT_ONCE = 2**14


class _Filling:
    """The drawing of one piece into ``buffer``; any number of threads may `work` on it."""

    def __init__(self, streams: HostStreams, piece: Piece, buffer: Reals) -> None:
        replicas, count = len(piece.replicas), sum(piece.units)
        self.out = buffer[: replicas * count].reshape(replicas, count)
        self._streams, self._piece, self._law = streams, piece, law_of(piece.law)
        step = max(1, _AT_ONCE // max(count, 1))
        self._waiting = deque(  # popping from it is atomic
            slice(first, first + step) for first in range(0, replicas, step)
        )

    def work(self) -> None:
        """Draw for replicas nobody has taken yet, until none is left.

        Each replica's row of ``out`` is filled once, by whichever thread takes it, narrow ones
        several at once.
        """
        while True:
            try:
                rows = self._waiting.popleft()
            except IndexError:
                return
            self._draw(rows.start, self.out[rows])

    def whole(self) -> None:
        """Draw for all replicas in this thread, in one call of the streams.

        That is quicker than row by row, where nobody shares the work.
        """
        self._draw(0, self.out)

    def _draw(self, first: int, out: Reals) -> None:
        self._streams.fill(first, out, self._law.source, self._piece.units)
        _of_the_law(self._law, self._piece, out, _numpy())

    def finish(self, other: Future[None] | None) -> None:
        """Draw what is left here, then wait for the thread that does the ``other`` part, if any.

        Raises here what was raised there. ``out`` is whole on return.
        """
        self.work()
        if other is not None:
            other.result()


def _of_the_law(law: Law, piece: Piece, drawn: Array, xp: Namespace) -> None:
    """Overwrite what was drawn from the source of the piece's ``law``, ``(..., units)``, with
    entries of the law.

    One unit at a time: how a function rounds may depend on where in an array an entry stands.
    """
    for unit in piece.cut(drawn) if law.quantile is not None else ():
        unit[...] = law.of_source(unit, xp)


def _streams(pieces: Sequence[Piece], start: Callable[[range], S]) -> Iterator[tuple[Piece, S]]:
    """Each piece with its replicas' streams, started when the first piece of the group comes up."""
    for group, following in groupby(pieces, key=lambda piece: piece.replicas):
        streams = start(group)
        for piece in following:
            yield piece, streams


def select(dtype: object, device: object, batch: object = None) -> Backend:
    """The backend that ``dtype`` and ``device`` ask for; Torch also if ``batch`` is a tensor.

    ``dtype`` is float32 or float64, as NumPy or Torch have them or by name, None for float64;
    ``device`` is Torch's, or None for the batch's.

    Raises `ValueError` for another dtype, and for a device that is not there.

    Example:
        >>> select("float32", None), select(None, "cpu")
        (NumpyBackend(dtype='float32', device='cpu'), TorchBackend(dtype='float64', device='cpu'))
    """
    name = "float64" if dtype is None else str(dtype).removeprefix("torch.")
    if isinstance(dtype, type | np.dtype):
        name = np.dtype(dtype).name
    require(
        name in ("float32", "float64"),
        f"dtype={told(dtype)} is not available; give 'float32' or 'float64'",
    )
    if device is None and not is_torch_array(batch):
        return NumpyBackend(name)
    return TorchBackend(name, _torch_device(device_of(batch) if device is None else device))


def _torch_device(device: Any) -> str:
    there = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    try:
        wanted = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"device={told(device)} is no Torch device; available are {', '.join(there)}"
        ) from error
    name = f"{wanted.type}:{wanted.index or 0}"
    name = "cpu" if name == "cpu:0" else name
    require(
        name in there,
        f"device={told(device)} is not on this machine; available are {', '.join(there)}",
    )
    return name
