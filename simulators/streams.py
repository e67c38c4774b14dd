"""Random streams: one per replica, from one seed.

The stream of replica i is the child ``(engine, i)`` of the seed's `numpy.random.SeedSequence`. It
depends on nothing else: not on how many replicas run, how they are grouped, or which worker takes
them. Engines draw from separate children, so that two engines run from one seed are independent, as
a two-sample test needs.

NumPy, and Torch on the CPU, draw from an SFC64 generator per replica on the host: Torch's own CPU
generator keeps only 32 bits of its seed, in which thousands of replicas would collide. Torch on
another device draws there, from one ``torch.Generator`` per replica holding 64 bits of its child's
state.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby, product
from typing import Any

import numpy as np
from numpy.random import SFC64, Generator, SeedSequence

from simulators.arguments import whole_number
from simulators.observables import Array

_SPREAD = 2 * 3.0**0.5  # length of an interval on which the uniform law has variance 1
_BLOCK = 2**15  # pairs of normals made at once, by few calls of NumPy
_ASIDE = 2**20  # entries made aside at once where units end within a word
_SHORT = 2**6  # pairs of a unit below which they alternate
_ENGINES = (
    "dense",
    "gram",
    "lyapunov",
)  # the place of a name is part of the stream: append, never reorder


def root_sequence(seed: object) -> SeedSequence:
    """The `SeedSequence` meant by ``seed``: an integer ≥ 0, a sequence of them, or a
    `SeedSequence`.

    A `SeedSequence` is read, not advanced, so that the same call gives the same values.
    Raises `TypeError` for anything else, `ValueError` for a negative integer or an empty sequence.
    """
    if isinstance(seed, SeedSequence):
        return seed
    if isinstance(seed, Sequence) and not isinstance(seed, str | bytes):
        if not seed:
            raise ValueError("seed=() is empty; give at least one integer ≥ 0")
        return SeedSequence([whole_number("seed item", item, 0) for item in seed])
    return SeedSequence(whole_number("seed", seed, 0))


def replica_sequence(root: SeedSequence, engine: str, replica: int) -> SeedSequence:
    """Child ``(engine, replica)`` of ``root``. Cost: a few microseconds, so thousands are cheap."""
    key = (*root.spawn_key, _ENGINES.index(engine), replica)
    return SeedSequence(root.entropy, spawn_key=key, pool_size=root.pool_size)


class HostStreams:
    """The streams of a group of ``replicas`` on the host, into NumPy arrays."""

    def __init__(self, root: SeedSequence, engine: str, replicas: range) -> None:
        self._generators = [Generator(SFC64(replica_sequence(root, engine, i))) for i in replicas]

    def fill(
        self, first: int, out: np.ndarray[Any, Any], law: str, units: Sequence[int] | None = None
    ) -> None:
        """Overwrite ``out``, float32 or float64 with contiguous rows, with the next entries of its
        replicas.

        ``out`` has shape ``(replicas, count)``, or ``(count,)`` for one; ``first``, the first of
        them, counts within the group. ``units``, one by default, are the sizes in which the engine
        uses the entries: how many calls they are split over does not matter, since each starts at a
        whole word of the stream.
        """
        rows = np.atleast_2d(out)
        generators = self._generators[first : first + len(rows)]
        runs = [
            (size, sum(1 for _ in run))
            for size, run in groupby([rows.shape[1]] if units is None else units)
        ]
        grain = _grain(law, rows.dtype)
        if all(size % grain == 0 for size, _ in runs):
            _draw(generators, rows, law, runs)
            return
        rooms = [(-(-size // grain) * grain, count) for size, count in runs]
        total = sum(room * count for room, count in rooms)
        step = max(1, _ASIDE // total)
        for row in range(0, len(rows), step):
            part = rows[row : row + step]
            whole = np.empty((len(part), total), rows.dtype)
            _draw(generators[row : row + step], whole, law, rooms)
            for kept, drawn in zip(_views(part, runs), _views(whole, rooms), strict=True):
                kept[...] = drawn[..., : kept.shape[-1]]


def _views(
    rows: np.ndarray[Any, Any], runs: Iterable[tuple[int, int]]
) -> Iterator[np.ndarray[Any, Any]]:
    """The consecutive units of one size, (replicas, count, size), for each size and count."""
    place = 0
    for size, count in runs:
        yield rows[:, place : place + count * size].reshape(len(rows), count, size)
        place += count * size


def _grain(law: str, dtype: np.dtype[Any]) -> int:
    """Entries made of one word of the stream."""
    if law == "rademacher":
        return 64
    return 2 if law == "gaussian" and dtype == np.float32 else 1


def _draw(
    generators: Sequence[Generator],
    out: np.ndarray[Any, Any],
    law: str,
    runs: Iterable[tuple[int, int]],
) -> None:
    if law == "rademacher":
        words = np.empty((len(out), out.shape[1] // 64), "<u8")
        for generator, row in zip(generators, words, strict=True):
            row[...] = generator.bit_generator.random_raw(row.size)
        bits = words.view(np.uint8)
        for row, chosen in zip(out, bits, strict=True):
            # "clip" spares the check of indices that a byte cannot exceed.
            np.take(_signs(out.dtype.name), chosen, axis=0, out=row.reshape(-1, 8), mode="clip")
    elif law == "gaussian" and out.dtype == np.float32:
        _normals(generators, out, runs)
    elif law == "gaussian":
        for generator, row in zip(generators, out, strict=True):
            generator.standard_normal(out=row)
    else:
        for generator, row in zip(generators, out, strict=True):
            generator.random(out=row, dtype=row.dtype.type)
        if law == "uniform":
            out -= 0.5
        out *= _SPREAD


@cache
def _signs(dtype: str) -> np.ndarray[Any, Any]:
    """The bits of every byte as ±1, lowest first, (256, 8)."""
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
    return np.where(bits == 0, -1, 1).astype(dtype)


def _normals(
    generators: Sequence[Generator], out: np.ndarray[Any, Any], runs: Iterable[tuple[int, int]]
) -> None:
    """Normals in float32 by Box and Muller's transform, for ``runs`` of units of even sizes.

    NumPy vectorises it in float32, which makes it three times faster than its ziggurat. Half a word
    makes a radius, half an angle: entries stop at 6.76 deviations, which a normal one exceeds with
    probability 1.4e-11. A unit is made in blocks of `_BLOCK` words, which is part of what the
    stream is, unlike how blocks go together.
    """
    for drawn in _views(out, runs):
        units, size = drawn.shape[1:]
        pairs = size // 2
        rows, columns = max(1, _BLOCK // (units * pairs)), max(1, _BLOCK // pairs)
        for row, unit, block in product(
            range(0, len(out), rows), range(0, units, columns), range(0, size, 2 * _BLOCK)
        ):
            part = drawn[row : row + rows, unit : unit + columns, block : block + 2 * _BLOCK]
            _box_muller(generators[row : row + rows], part)


class _Scratch(threading.local):
    """Room for `_box_muller`, kept by each thread: to ask the system for pages each time costs as
    much as the work.
    """

    def __init__(self) -> None:
        self.words = np.empty(_BLOCK, "<u8")
        self.floats = np.empty((3, _BLOCK), np.float32)


_scratch = _Scratch()


def _box_muller(generators: Sequence[Generator], out: np.ndarray[Any, Any]) -> None:
    """Fill ``out``, float32 of shape (generators, units, even size) and no more than `_BLOCK`
    pairs.
    """
    replicas, units, size = out.shape
    each = [generator.bit_generator.random_raw(units * size // 2) for generator in generators]
    room = _scratch.words[: replicas * units * size // 2].reshape(replicas, -1)
    together = each[0].astype("<u8", copy=False) if replicas == 1 else np.stack(each, out=room)
    words = together.reshape(replicas, units, -1)
    angle, radius, cosine = _scratch.floats[:, : words.size].reshape(3, *words.shape)
    np.multiply(
        _parts(words.view("<i4"))[0],
        math.pi * 2.0**-31,
        out=angle,
        dtype=np.float32,
        casting="unsafe",
    )
    # A small radius keeps the half, so that its logarithm is exact where entries are large.
    np.add(_parts(words.view("<u4"))[1], 0.5, out=radius, dtype=np.float32, casting="unsafe")
    radius *= 2.0**-32
    np.log(radius, out=radius)
    radius *= -2
    np.sqrt(radius, out=radius)
    first, second = _parts(out)
    np.multiply(radius, np.cos(angle, out=cosine), out=first)
    np.multiply(radius, np.sin(angle, out=angle), out=second)


def _parts(units: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The two entries of every pair, (..., size/2) each: halves of a unit, alternate ones where it
    is short.

    Halves lie in one piece, which is faster unless the pieces are short themselves.
    """
    half = units.shape[-1] // 2
    if half < _SHORT:
        return units[..., 0::2], units[..., 1::2]
    return units[..., :half], units[..., half:]


class DeviceStreams:
    """The streams of a group of ``replicas`` on a Torch device.

    Philox on a CUDA device advances per call, not per entry, so each unit, the piece in which the
    engine uses the entries, is drawn by a call of its own: how many units a buffer holds then does
    not matter.
    """

    def __init__(self, root: SeedSequence, engine: str, replicas: range, device: Any) -> None:
        import torch

        self._generators = [
            torch.Generator(device).manual_seed(
                int(
                    replica_sequence(root, engine, i)
                    .generate_state(1, np.uint64)[0]
                    .astype(np.int64)
                )
            )
            for i in replicas
        ]

    def fill(self, replica: int, out: Array, law: str, units: Sequence[int]) -> None:
        """Overwrite ``out``, one-dimensional, with the next entries of a replica; ``units`` are
        sizes.
        """
        import torch

        generator = self._generators[replica]
        for unit in torch.split(out, list(units)):
            if law == "gaussian":
                unit.normal_(generator=generator)
            else:
                unit.uniform_(generator=generator)
                unit[...] = from_uniform(torch, unit, law)


def from_uniform(xp: Any, u: Array, law: str) -> Array:
    """Entries of a bounded ``law`` of variance 1 from ``u``, uniform on [0, 1)."""
    if law == "uniform":
        return _SPREAD * (u - 0.5)
    if law == "uniform_positive":
        return _SPREAD * u
    return xp.where(u < 0.5, -1.0, 1.0)  # rademacher


@dataclass(frozen=True)
class Piece:
    """A stretch of the streams of some replicas: the ``units``, of the given sizes, that one buffer
    holds.
    """

    replicas: range
    units: tuple[int, ...]
    law: str


def row_blocks(rows: int, size: int) -> tuple[int, ...]:
    """``rows`` cut into blocks of ``size``, the last one smaller if need be."""
    whole, rest = divmod(rows, size)
    return (size,) * whole + ((rest,) if rest else ())


def replica_groups(replicas: int, unit: int, limit: int, workers: int = 1) -> list[range]:
    """``replicas`` cut into ranges, of as many as draw ``limit`` entries in units of ``unit``, or
    of one.

    Into as many ranges as there are ``workers``, at least, if there are replicas enough.
    """
    size = max(1, min(limit // unit, -(-replicas // workers)))
    return [range(start, min(start + size, replicas)) for start in range(0, replicas, size)]


def pack(units: Sequence[tuple[int, str]], replicas: range, limit: int) -> Iterator[Piece]:
    """Consecutive units, given by size and law, in pieces of one law and at most ``limit`` entries
    each.

    A unit larger than the limit is a piece by itself.
    """
    taken: list[int] = []
    total = 0
    for number, (size, law) in enumerate(units):
        taken.append(size)
        total += size
        last = number + 1 == len(units)
        if (
            last
            or units[number + 1][1] != law
            or (total + units[number + 1][0]) * len(replicas) > limit
        ):
            yield Piece(replicas, tuple(taken), law)
            taken, total = [], 0


def units_of(pieces: Iterable[Piece], drawn: Iterable[Array]) -> Iterator[Array]:
    """The units of each piece in turn, ``(replicas, size)``, as views of the entries ``drawn`` for
    it.
    """
    for piece, entries in zip(pieces, drawn, strict=True):
        start = 0
        for size in piece.units:
            yield entries[:, start : start + size]
            start += size
