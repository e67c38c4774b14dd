"""Random streams: one per replica, from one seed.

The stream of replica i is the child ``(engine, i)`` of the seed's `numpy.random.SeedSequence`. It depends on
nothing else: not on how many replicas run, how they are grouped, or which worker takes them. Engines draw
from separate children, so that two engines run from one seed are independent, as a two-sample test needs.

NumPy, and Torch on the CPU, draw from an SFC64 generator per replica on the host: Torch's own CPU generator
keeps only 32 bits of its seed, in which thousands of replicas would collide. Torch on another device
draws there, from one ``torch.Generator`` per replica holding 64 bits of its child's state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import SFC64, Generator, SeedSequence

from simulators.layers import whole_number
from simulators.observables import Array

_SPREAD = 2 * 3.0**0.5  # length of an interval on which the uniform law has variance 1
_ENGINES = ("dense", "gram")  # the place of a name is part of the stream: append, never reorder


def root_sequence(seed: object) -> SeedSequence:
    """The `SeedSequence` meant by ``seed``: an integer ≥ 0, a sequence of them, or a `SeedSequence`.

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

    def fill(self, replica: int, out: np.ndarray[Any, Any], law: str) -> None:
        """Overwrite ``out``, contiguous, float32 or float64, with the next entries of a replica.

        ``replica`` counts within the group. How many calls the entries are split over does not matter.
        """
        generator = self._generators[replica]
        if law == "gaussian":
            generator.standard_normal(out=out, dtype=out.dtype.type)
        else:
            generator.random(out=out, dtype=out.dtype.type)
            out[...] = from_uniform(np, out, law)


class DeviceStreams:
    """The streams of a group of ``replicas`` on a Torch device.

    Philox on a CUDA device advances per call, not per entry, so each unit, the piece in which the engine
    uses the entries, is drawn by a call of its own: how many units a buffer holds then does not matter.
    """

    def __init__(self, root: SeedSequence, engine: str, replicas: range, device: Any) -> None:
        import torch

        self._generators = [
            torch.Generator(device).manual_seed(
                int(replica_sequence(root, engine, i).generate_state(1, np.uint64)[0].astype(np.int64))
            )
            for i in replicas
        ]

    def fill(self, replica: int, out: Array, law: str, units: Sequence[int]) -> None:
        """Overwrite ``out``, one-dimensional, with the next entries of a replica; ``units`` are sizes."""
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
    """A stretch of the streams of some replicas: the ``units``, of the given sizes, that one buffer holds."""

    replicas: range
    units: tuple[int, ...]
    law: str


def row_blocks(rows: int, size: int) -> tuple[int, ...]:
    """``rows`` cut into blocks of ``size``, the last one smaller if need be."""
    whole, rest = divmod(rows, size)
    return (size,) * whole + ((rest,) if rest else ())


def replica_groups(replicas: int, unit: int, limit: int) -> list[range]:
    """``replicas`` cut into ranges, of as many as draw ``limit`` entries in units of ``unit``, or of one."""
    size = max(1, limit // unit)
    return [range(start, min(start + size, replicas)) for start in range(0, replicas, size)]


def pack(units: Sequence[tuple[int, str]], replicas: range, limit: int) -> Iterator[Piece]:
    """Consecutive units, given by size and law, in pieces of one law and at most ``limit`` entries each.

    A unit larger than the limit is a piece by itself.
    """
    taken: list[int] = []
    for number, (size, law) in enumerate(units):
        taken.append(size)
        last = number + 1 == len(units)
        if last or units[number + 1][1] != law or (sum(taken) + units[number + 1][0]) * len(replicas) > limit:
            yield Piece(replicas, tuple(taken), law)
            taken = []
