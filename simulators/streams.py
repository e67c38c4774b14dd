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
import operator
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby, pairwise, product
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.random import SFC64, Generator, SeedSequence
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

from simulators.arguments import require, whole_number
from simulators.arrays import Array, Reals
from simulators.lazy import torch
from simulators.weights import GivenLaw

__all__ = [
    "DeviceStreams",
    "HostStreams",
    "Piece",
    "Seed",
    "Streams",
    "from_uniform",
    "pack",
    "replica_groups",
    "replica_sequence",
    "root_sequence",
    "row_blocks",
    "units_of",
]

Seed: TypeAlias = int | Sequence[int] | SeedSequence
"""Whole numbers ≥ 0, one or several, or a `numpy.random.SeedSequence`; see `root_sequence`."""

_SPREAD = 2 * 3.0**0.5  # length of an interval on which the uniform law has variance 1
BLOCK = 2**15  # pairs of normals made at once, by few calls of NumPy
_ASIDE = 2**20  # entries made aside at once where units end within a word
_SHORT = 2**6  # pairs of a unit below which they alternate
_ENGINES = (
    "dense",
    "factor",
    "lyapunov",
    "rows",
    "dense backward",
    "rows backward",
    "tangents",
)
"""The place of a name is part of the stream: append, never reorder."""


def root_sequence(seed: object) -> SeedSequence:
    """The `SeedSequence` meant by ``seed``: an integer ≥ 0, a sequence of them, or a
    `SeedSequence`.

    A `SeedSequence` is read, not advanced, so that the same call gives the same values.
    Raises `TypeError` for anything else, `ValueError` for a negative integer or an empty sequence.

    Example:
        >>> root_sequence((1, 2)).entropy
        [1, 2]
    """
    if isinstance(seed, SeedSequence):
        return seed
    if isinstance(seed, Sequence) and not isinstance(seed, str | bytes):
        require(seed, "seed=() is empty; give at least one integer ≥ 0")
        return SeedSequence([whole_number("seed item", item, 0) for item in seed])
    return SeedSequence(whole_number("seed", seed, 0))


def replica_sequence(root: SeedSequence, engine: str, replica: int) -> SeedSequence:
    """Child ``(engine, replica)`` of ``root``. Cost: a few microseconds, so thousands are cheap.

    ``engine`` is one of dense, factor, lyapunov, rows, dense backward, rows backward and tangents;
    ``replica`` ≥ 0.

    Example:
        >>> replica_sequence(SeedSequence(5), "factor", 2).spawn_key
        (1, 2)
    """
    key = (*root.spawn_key, _ENGINES.index(engine), replica)
    return SeedSequence(root.entropy, spawn_key=key, pool_size=root.pool_size)


# --- many sequences at once -----------------------------------------------------------------------

# What `SeedSequence` mixes words by, which NumPy promises to keep.
_START, _FACTOR, _START_OUT, _FACTOR_OUT = 0x43B0D7E5, 0x931E8875, 0x8B51F9DD, 0x58F38DED
_LEFT, _RIGHT, _SHIFT = np.uint32(0xCA01F9DD), np.uint32(0x4973F715), np.uint32(16)


class _Seed:
    """The words that a generator starts from, as what it takes for a `SeedSequence`."""

    __slots__ = ("_words",)

    def __init__(self, words: NDArray[np.uint64]) -> None:
        self._words = words

    def generate_state(self, n_words: int, dtype: object = np.uint32) -> NDArray[np.uint64]:
        return self._words[:n_words]


ISeedSequence.register(_Seed)


def _seeds(root: SeedSequence, engine: str, replicas: range) -> list[Any]:
    """What `replica_sequence` of each replica has an SFC64 generator start from, in a sixth of the
    time: they differ in the last word that is mixed, so all others are mixed once.
    """
    parent = replica_sequence(root, engine, 0).spawn_key[:-1]
    before = SeedSequence(root.entropy, spawn_key=parent, pool_size=root.pool_size)
    size = root.pool_size
    words = max(_words(root.entropy), size) + _words(parent)
    constant = _START * pow(_FACTOR, size * size + size * (words - size), 2**32) % 2**32
    last = np.arange(replicas.start, replicas.stop, replicas.step, dtype=np.uint32)
    pool = np.empty((size, len(last)), dtype=np.uint32)
    for place, mixed in enumerate(before.pool):
        hashed = last ^ np.uint32(constant)
        constant = constant * _FACTOR % 2**32
        hashed *= np.uint32(constant)
        hashed ^= hashed >> _SHIFT
        pool[place] = _LEFT * np.asarray([mixed], np.uint32) - _RIGHT * hashed
        pool[place] ^= pool[place] >> _SHIFT
    constant = _START_OUT
    found = np.empty((len(last), 6), dtype="<u4")
    for place in range(6):
        out = pool[place % size] ^ np.uint32(constant)
        constant = constant * _FACTOR_OUT % 2**32
        out *= np.uint32(constant)
        found[:, place] = out ^ (out >> _SHIFT)
    return list(map(_Seed, found.view("<u8").astype(np.uint64)))


def _words(entropy: object) -> int:
    """How many words of 32 bits it is mixed as."""
    if isinstance(entropy, Sequence | np.ndarray):
        return sum(map(_words, entropy))
    return max(1, -(-operator.index(cast("int", entropy)).bit_length() // 32))


# --- streams --------------------------------------------------------------------------------------


class HostStreams:
    """The streams of a group of ``replicas`` on the host, into NumPy arrays.

    Example:
        >>> out = np.empty((2, 64))
        >>> HostStreams(SeedSequence(1), "dense", range(2)).fill(0, out, "rademacher")
        >>> sorted(set(out.ravel().tolist()))
        [-1.0, 1.0]
    """

    def __init__(self, root: SeedSequence, engine: str, replicas: range) -> None:
        self._generators = [Generator(SFC64(seed)) for seed in _seeds(root, engine, replicas)]

    @property
    def state(self) -> tuple[object, ...]:
        """Where the streams are; once set to that again, they give the same entries once more.

        One state for each replica, of some hundred bytes.
        """
        return tuple(generator.bit_generator.state for generator in self._generators)

    @state.setter
    def state(self, state: tuple[Any, ...]) -> None:
        for generator, each in zip(self._generators, state, strict=True):
            generator.bit_generator.state = each

    def fill(self, first: int, out: Reals, law: str, units: Sequence[int] | None = None) -> None:
        """Overwrite ``out``, float32 or float64 with contiguous rows, with the next entries of its
        replicas.

        ``out`` has shape ``(replicas, count)``, or ``(count,)`` for one; ``first``, the first of
        them, counts within the group. ``units``, one by default, are the sizes in which the engine
        uses the entries: how many calls they are split over does not matter, since each starts at a
        whole word of the stream.
        """
        rows = np.atleast_2d(out)
        generators = self._generators[first : first + len(rows)]
        grain = _grain(law, rows.dtype)
        # Where every entry is a word, units do not matter: they may be hundreds, and a thread that
        # looks through them holds the interpreter's lock.
        sizes = [rows.shape[1]] if units is None or grain == 1 else units
        runs = [(size, len(list(run))) for size, run in groupby(sizes)]
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


def _views(rows: Reals, runs: Iterable[tuple[int, int]]) -> Iterator[Reals]:
    """The consecutive units of one size, (replicas, count, size), for each size and count."""
    place = 0
    for size, count in runs:
        yield rows[:, place : place + count * size].reshape(len(rows), count, size)
        place += count * size


def _grain(law: str, dtype: np.dtype[np.floating]) -> int:
    """Entries made of one word of the stream."""
    if law == "rademacher":
        return 64
    return 2 if law == "gaussian" and dtype == np.float32 else 1


def _draw(
    generators: Sequence[Generator],
    out: Reals,
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
def _signs(dtype: str) -> Reals:
    """The bits of every byte as ±1, lowest first, (256, 8)."""
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
    return np.where(bits == 0, -1, 1).astype(dtype)


def _normals(generators: Sequence[Generator], out: Reals, runs: Iterable[tuple[int, int]]) -> None:
    """Normals in float32 by Box and Muller's transform, for ``runs`` of units of even sizes.

    NumPy vectorises it in float32, which makes it three times faster than its ziggurat. Half a word
    makes a radius, half an angle: entries stop at 6.76 deviations, which a normal one exceeds with
    probability 1.4e-11. A unit is made in blocks of `BLOCK` words, which is part of what the
    stream is, unlike how blocks go together.
    """
    for drawn in _views(out, runs):
        units, size = drawn.shape[1:]
        pairs = size // 2
        rows, columns = max(1, BLOCK // (units * pairs)), max(1, BLOCK // pairs)
        for row, unit, block in product(
            range(0, len(out), rows), range(0, units, columns), range(0, size, 2 * BLOCK)
        ):
            part = drawn[row : row + rows, unit : unit + columns, block : block + 2 * BLOCK]
            _box_muller(generators[row : row + rows], part)


class _Scratch(threading.local):
    """Room for `_box_muller`, kept by each thread: to ask the system for pages each time costs as
    much as the work.
    """

    def __init__(self) -> None:
        self.words = np.empty(BLOCK, "<u8")
        self.floats = np.empty((3, BLOCK), np.float32)


_scratch = _Scratch()


def _box_muller(generators: Sequence[Generator], out: Reals) -> None:
    """Fill ``out``, float32 of shape (generators, units, even size) and no more than `BLOCK`
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


def _parts(units: Reals) -> tuple[Reals, Reals]:
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

    Example:
        >>> import torch
        >>> out = torch.empty(6)
        >>> DeviceStreams(SeedSequence(1), "dense", range(2), "cpu").fill(1, out, "uniform", (4, 2))
        >>> bool((out.abs() <= 3**0.5).all())
        True
    """

    def __init__(self, root: SeedSequence, engine: str, replicas: range, device: str) -> None:
        children = [replica_sequence(root, engine, i) for i in replicas]
        words = [child.generate_state(1, np.uint64).astype(np.int64) for child in children]
        self._generators = [torch.Generator(device).manual_seed(int(word[0])) for word in words]

    @property
    def state(self) -> tuple[object, ...]:
        """Where the streams are, as `HostStreams.state`.

        One state for each replica, of some kilobytes at most.
        """
        return tuple(generator.get_state() for generator in self._generators)

    @state.setter
    def state(self, state: tuple[Any, ...]) -> None:
        for generator, each in zip(self._generators, state, strict=True):
            generator.set_state(each)

    def fill(self, replica: int, out: torch.Tensor, law: str, units: Sequence[int]) -> None:
        """Overwrite ``out``, one-dimensional, with the next entries of a replica.

        ``replica`` counts within the group; ``units`` are sizes that add up to that of ``out``;
        ``law`` is one of the four that streams know: gaussian, uniform, uniform_positive,
        rademacher.
        """
        generator = self._generators[replica]
        for unit in torch.split(out, list(units)):
            if law == "gaussian":
                unit.normal_(generator=generator)
            else:
                unit.uniform_(generator=generator)
                unit.copy_(torch.as_tensor(from_uniform(unit, law)))


Streams: TypeAlias = HostStreams | DeviceStreams


def from_uniform(u: Array, law: str) -> Array:
    """Entries of a bounded ``law`` of variance 1 from ``u``, uniform on [0, 1), of any shape.

    ``law`` is uniform, uniform_positive, or else rademacher.

    Example:
        >>> from_uniform(np.array([0.25, 0.75]), "rademacher").tolist()
        [-1.0, 1.0]
    """
    if law == "uniform":
        return _SPREAD * (u - 0.5)
    return _SPREAD * u if law == "uniform_positive" else 2.0 * (u >= 0.5) - 1.0


@dataclass(frozen=True)
class Piece:
    """A stretch of the streams of some replicas: the ``units``, of the given sizes, that one buffer
    holds, of one ``law``.

    Example:
        >>> [unit.tolist() for unit in Piece(range(1), (2, 1), "gaussian").cut(np.arange(3.0))]
        [[0.0, 1.0], [2.0]]
    """

    replicas: range
    units: tuple[int, ...]
    law: GivenLaw

    def cut(self, entries: Array) -> Iterator[Array]:
        """The units in turn, as views of ``entries``, ``(..., sum of units)``.

        ``entries`` have any leading axes, such as replicas.
        """
        start = 0
        for size in self.units:
            yield entries[..., start : start + size]
            start += size


def row_blocks(rows: int, size: int) -> tuple[int, ...]:
    """``rows`` ≥ 1 cut into blocks of ``size`` ≥ 1, the last one smaller if need be.

    Example:
        >>> row_blocks(7, 3)
        (3, 3, 1)
    """
    return tuple(min(size, rows - start) for start in range(0, rows, size))


def replica_groups(replicas: int, unit: int, limit: int, workers: int = 1) -> list[range]:
    """``replicas`` cut into ranges, of as many as draw ``limit`` entries in units of ``unit``, or
    of one.

    Into as many ranges as there are ``workers``, at least, if there are replicas enough.

    Example:
        >>> replica_groups(5, unit=10, limit=20)
        [range(0, 2), range(2, 4), range(4, 5)]
    """
    size = max(1, min(limit // unit, -(-replicas // workers)))
    return [range(start, min(start + size, replicas)) for start in range(0, replicas, size)]


def pack(
    units: Sequence[tuple[int, GivenLaw]], replicas: range, limit: int, first: int | None = None
) -> Iterator[Piece]:
    """Consecutive units, given by size and law, in pieces of one law and at most ``limit`` entries
    each, over all ``replicas``.

    A unit larger than the limit is a piece by itself. The first piece has at most ``first``
    entries, if that is given, and each after it may have twice as many as the one before.

    Example:
        >>> [piece.units for piece in pack([(2, "gaussian")] * 3, range(1), 4)]
        [(2, 2), (2,)]
        >>> [piece.units for piece in pack([(2, "gaussian")] * 3, range(1), 4, first=2)]
        [(2,), (2, 2)]
    """
    taken: list[int] = []
    total, most = 0, limit if first is None else min(first, limit)
    for (size, law), following in pairwise([*units, (math.inf, "")]):
        taken.append(int(size))
        total += int(size)
        if following[1] != law or (total + following[0]) * len(replicas) > most:
            yield Piece(replicas, tuple(taken), law)
            taken, total, most = [], 0, min(2 * most, limit)


def units_of(pieces: Iterable[Piece], drawn: Iterable[Array]) -> Iterator[Array]:
    """The units of each piece in turn, ``(replicas, size)``, as views of the entries ``drawn`` for
    it.

    Example:
        >>> pieces = [Piece(range(1), (2, 1), "gaussian")]
        >>> [unit.shape for unit in units_of(pieces, [np.zeros((1, 3))])]
        [(1, 2), (1, 1)]
    """
    for piece, entries in zip(pieces, drawn, strict=True):
        yield from piece.cut(entries)
