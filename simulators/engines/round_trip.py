"""Forward through a chain and back: gradients of every representation, given the last one's.

Going back, each layer's adjoint is applied to the gradient. What these need is kept as the way goes
forward: of a weight layer what it drew and the factors of its input, or its weights; of others
their input. Where that is too much for all blocks, inputs are kept of some of them only, and the
stretches between gone through again from there, their numbers drawn once more; in stretches of
stretches if need be.

The tangent kernel is summed on the way, from what each matrix of weights is given and the gradients
at what it gives. Where samples move one another's outputs, a gradient is carried for each output,
and one for their sum: those of a replica lie side by side, and go back through its weights
together, as more columns of one gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain as chained
from typing import TypeAlias

import numpy as np
from array_api_compat import device
from numpy.random import SeedSequence

from simulators.arrays import Array, Floats
from simulators.backend import WHOLE_BYTES, Backend
from simulators.chains import Chain
from simulators.engines.derivatives import Accompanied, Derivatives, Tangents, rows_tried
from simulators.engines.factor import block_rows
from simulators.engines.layerwise import Passage, steps
from simulators.engines.notes import Mapping, Notes, Way, Weighted
from simulators.engines.rounding import Copies
from simulators.engines.tangent_kernel import TangentKernel
from simulators.layers import Recenter, ScaleResponse, WeightLayer
from simulators.streams import Streams, pack, row_blocks, units_of
from simulators.weights import GivenLaw

__all__ = [
    "Itinerary",
    "Journey",
    "RoundTrip",
    "gradients_carried",
    "kept_entries",
    "kept_together",
]

KEPT_BYTES = 2**29
"""What is kept of the last stretch of a round trip, over all groups at work, unless one block has
more."""

LEAST_REPLICAS = 8
"""Of a group, if there are so many: calls on arrays of fewer cost more than what they do."""

LEAST_PARTS = 4
"""Stretches into which one is cut at least where it is not kept whole."""

DRAWN_ENTRIES = 2**18
"""Numbers drawn at once, over all replicas of a group, unless a unit has more."""

Unit: TypeAlias = tuple[int, GivenLaw]


@dataclass(frozen=True)
class Journey:
    """A way through a chain, as an engine goes it: what `RoundTrip` must know of the engine.

    - ``passage``: makes the engine's `Passage`, with so many tangents of a replica
    - ``units``: ``(block, rows, n)`` to the sizes and laws of what each weight layer of the block
      draws, for an input of so many rows
    - ``noise``: ``(rows, columns)`` to the sizes of what it draws to go back through weights with
      so many rows of input, for gradients that span so many columns; none for an engine that has
      the weights themselves
    - ``engine``: its name, which is part of the streams

    Example:
        >>> from simulators.engines import rows
        >>> rows.JOURNEY.noise(3, 2)
        [6]
    """

    engine: str
    passage: Callable[[Backend, Iterator[Array], int], Passage]
    units: Callable[[Chain, int, int], list[list[Unit]]]
    noise: Callable[[int, int], list[int]]


@dataclass
class _Stretch:
    """Consecutive blocks, Hᵀ and tangents before the first of them, and the state of the streams
    there.

    Once gone through, ``ways`` are those back through its blocks, or ``parts`` what it was cut
    into.
    """

    blocks: range
    rows: Array
    tangents: Derivatives | None
    state: tuple[object, ...]
    ways: list[Way] = field(default_factory=list)
    parts: list[_Stretch] = field(default_factory=list)


@dataclass(frozen=True)
class Itinerary:
    """Where a group of replicas goes, whatever the engine: through ``depth`` blocks of a chain.

    - ``batch``: H₀ᵀ, ``(1, n, d₀)``, divided by 2 to the power of ``exponent``
    - ``copies``: its samples that remain equal to others
    - ``tangents``: those that come along forward, if any

    Example:
        >>> from simulators.chains import residual_chain
        >>> chain, batch = residual_chain(4, 0.5), np.eye(4, 2)
        >>> Itinerary(chain, batch.T[None], Copies.among(batch, chain), depth=3).exponent
        0
    """

    chain: Chain
    batch: Array
    copies: Copies
    depth: int
    exponent: int = 0
    tangents: Tangents | None = None


class RoundTrip:
    """One group of ``replicas`` along an `Itinerary` and back, on a `Journey`.

    - ``root``: of which its streams are; ``backend``: where its arrays are
    - ``sharing``: how many groups are at work at once; one alone draws ahead
    - ``kernel``: whether the tangent kernel is wanted: when a layer's gradient has come, the
      attribute `kernel` has the contribution of all weights after that layer

    `representations` is to be read to its end before `gradients`, each once.

    Memory: what `KEPT_BYTES` says, and the inputs of some blocks.

    Example:
        >>> from simulators.backend import NumpyBackend
        >>> from simulators.chains import residual_chain
        >>> from simulators.engines import rows
        >>> backend, chain, batch = NumpyBackend("float64"), residual_chain(4, 0.5), np.eye(4, 2)
        >>> start, copies = backend.array(batch.T[None]), Copies.among(batch, chain)
        >>> there = Itinerary(chain, start, copies, depth=3)
        >>> trip = RoundTrip(
        ...     rows.JOURNEY, there, replicas=range(1), root=SeedSequence(0), backend=backend)
        >>> [found.rows.shape for found in trip.representations()]
        [(1, 2, 4), (1, 2, 4), (1, 2, 4)]
        >>> [found.rows.shape for found in trip.gradients(trip.gaussian())]
        [(1, 2, 4), (1, 2, 4), (1, 2, 4), (1, 2, 4)]
    """

    def __init__(
        self,
        journey: Journey,
        itinerary: Itinerary,
        *,
        replicas: range,
        root: SeedSequence,
        backend: Backend,
        sharing: int = 1,
        kernel: bool = False,
    ) -> None:
        chain, batch, depth = itinerary.chain, itinerary.batch, itinerary.depth
        self._journey, self._chain, self._copies = journey, chain, itinerary.copies
        self._depth, self._replicas, self._root, self._backend = depth, replicas, root, backend
        self._ahead = sharing == 1
        self._exponent, self._rows = itinerary.exponent, batch
        count = 0 if itinerary.tangents is None else itinerary.tangents.count
        self._passage = journey.passage(backend, iter(()), count)
        blocks = chain.opening.centring_early, chain.centring_early
        n, rows = batch.shape[-2:]
        columns = n * (1 + count)
        self._carried = gradients_carried(chain, n, kernel)
        apart = self._carried > 1
        self.kernel = TangentKernel(len(replicas), n, apart, backend) if kernel else None
        # log of what H was divided by, before each block, where it is divided as it goes
        self._scales: list[Floats] = [np.zeros(len(replicas))]
        sizes = rows, chain.widths(rows)[-1]
        self._units = [
            journey.units(block, size, columns) for block, size in zip(blocks, sizes, strict=True)
        ]
        self._inputs = [_inputs(block, size) for block, size in zip(blocks, sizes, strict=True)]
        self._noted = _noted_entries(blocks[1], sizes[1], columns)
        entries = _block_entries(self._units[1], blocks[1], sizes[1], columns)
        self._length = _blocks_kept(sharing * len(replicas) * entries, backend.dtype)
        self._streams = backend.streams(root, journey.engine, replicas)
        self._noise_streams = backend.streams(root, self._other, replicas)
        tangents = None
        if itinerary.tangents is not None:
            tangents = itinerary.tangents.of(replicas, chain, itinerary.exponent, backend)
        self._whole = _Stretch(range(depth), batch, tangents, self._streams.state)

    @property
    def _other(self) -> str:
        """The name of the streams from which numbers are drawn on the way back."""
        return f"{self._journey.engine} backward"

    @property
    def last(self) -> Array:
        """Hᵀ after the last block, ``(g, n, d)``.

        It is there once `representations` has been read to its end.
        """
        return self._rows

    def representations(self) -> Iterator[Accompanied]:
        """The way forward: the representations after each block, from the first on.

        Returns:
            An iterator over ``depth`` of them, ``(g, n, d)``, each good until the next is asked
            for.

        Cost: that of the engine; what is needed on the way back is kept besides.
        """
        for found in self._through(self._whole):
            self._rows = found.rows
            if found.log_scale is not None:
                self._scales.append(np.asarray(found.log_scale))
            yield found

    def gaussian(self) -> Array:
        """A standard normal Gᵀ for the last layer, ``(g, n, d)``, of its own for each replica.

        To be asked for before `gradients`, as both draw from the same streams.
        """
        return self._normals(self._rows.shape[-2])

    def readout(self) -> Array:
        """Gᵀ of a readout a·h of every sample h, ``(g, n, d)``: a has normal entries of variance
        1/d, and is common to the samples of a replica.

        To be asked for before `gradients`, as `gaussian`.
        """
        n, width = self._rows.shape[-2:]
        xp, shape = self._backend.xp, (len(self._replicas), n, width)
        return xp.asarray(xp.broadcast_to(width**-0.5 * self._normals(1), shape), copy=True)

    def _normals(self, columns: int) -> Array:
        """So many normals for each row of the last layer, ``(g, columns, d)``."""
        sizes = [columns * size for size in row_blocks(self._rows.shape[-1], block_rows(columns))]
        xp, shape = self._backend.xp, (len(self._replicas), columns, -1)
        units = [(size, "gaussian") for size in sizes]
        drawn = [xp.asarray(xp.reshape(each, shape), copy=True) for each in self._noise(units)]
        return xp.concat(drawn, axis=-1)

    def gradients(self, rows: Array, error: Floats | None = None) -> Iterator[Derivatives]:
        """Those of the last layer, which are ``rows``, ``(g, n, d)``, and of every one before it
        down to the batch, good until the next is asked for; ``rows`` may be overwritten.

        ``error``, ``(g,)``, is how far rounding may have moved the representations, on which all
        gradients depend: they are as good at best.
        """
        n = rows.shape[-2]
        start = np.zeros(len(rows)) if error is None else error
        rows = self._of_outputs(rows)
        gradient = Derivatives.of(rows, np.repeat(start, self._carried), self._backend)
        inputs = chained.from_iterable(
            reversed(self._inputs[min(block, 1)]) for block in reversed(range(self._depth))
        )
        noise = chained.from_iterable(
            self._journey.noise(received, min(self._carried * n, width))
            for received, width in inputs
        )
        sizes = [(size, "gaussian") for size in noise]
        self._passage.noise = self._noise(sizes) if sizes else iter(())
        yield self._of_their_sum(gradient)
        yield from map(self._of_their_sum, self._back(self._whole, gradient))

    def _of_outputs(self, rows: Array) -> Array:
        """The gradients to be carried, ``(g · k, n, d)``: of each output, where they are apart, and
        of their sum, ``rows``.
        """
        if self._carried == 1:
            return rows
        xp, (group, n, width) = self._backend.xp, rows.shape
        apart = xp.zeros((group, n + 1, n, width), dtype=rows.dtype, device=device(rows))
        for sample in range(n):
            apart[:, sample, sample] = rows[:, sample]
        apart[:, n] = rows
        return xp.reshape(apart, (-1, n, width))

    def _of_their_sum(self, gradient: Derivatives) -> Derivatives:
        """The last of each replica's gradients."""
        k = self._carried
        if k == 1:
            return gradient
        return Derivatives(
            self._copy(gradient.rows[k - 1 :: k]),
            gradient.exponents[k - 1 :: k],
            gradient.error[k - 1 :: k],
            gradient.largest[k - 1 :: k],
        )

    def _noise(self, units: Sequence[Unit]) -> Iterator[Array]:
        return self._drawn(units, self._other, self._noise_streams)

    def _drawn(
        self, units: Sequence[Unit], engine: str, streams: Streams, kept: bool = False
    ) -> Iterator[Array]:
        pieces = list(pack(units, self._replicas, DRAWN_ENTRIES))
        return units_of(
            pieces,
            self._backend.draws(
                self._root, engine, pieces, ahead=self._ahead, streams=streams, kept=kept
            ),
        )

    def _through(self, stretch: _Stretch) -> Iterator[Accompanied]:
        """Through the stretch, noting what is needed to come back."""
        self._streams.state = stretch.state
        if len(stretch.blocks) <= self._length:
            room = len(stretch.blocks) * len(self._replicas) * self._noted
            products = None if self.kernel is None else self.kernel.inputs
            notes = Notes(self._backend, room, products)
            stretch.ways = notes.ways
            yield from self._past(stretch, notes)
            return
        rows, tangents = stretch.rows, stretch.tangents
        for blocks in _cut(stretch.blocks, self._length):
            first, last = blocks[0] == stretch.blocks[0], blocks[-1] == stretch.blocks[-1]
            if not first:
                rows, tangents = self._copy(rows), self._copied(tangents)
            part = _Stretch(blocks, rows, tangents, self._streams.state)
            stretch.parts.append(part)
            for found in self._through(part) if last else self._past(part):
                rows, tangents = found.rows, found.tangents
                yield found

    def _past(self, stretch: _Stretch, notes: Notes | None = None) -> Iterator[Accompanied]:
        """Through the stretch, the ways back going into the ``notes``, if these are given."""
        layers = chained.from_iterable(self._units[min(block, 1)] for block in stretch.blocks)
        units = list(chained.from_iterable(layers))
        self._passage.draws = self._drawn(
            units, self._journey.engine, self._streams, kept=notes is not None
        )
        yield from self._passage.onward(
            self._chain,
            self._copy(stretch.rows),
            self._copies,
            stretch.blocks,
            notes,
            self._copied(stretch.tangents),
        )

    def _back(self, stretch: _Stretch, gradient: Derivatives) -> Iterator[Derivatives]:
        """Gradients before each block of the stretch, from the last one on, given the one after
        it.
        """
        if not (stretch.ways or stretch.parts):
            for _ in self._through(stretch):
                pass
        for block in reversed(stretch.blocks[: len(stretch.ways)]):
            gradient = self._pulled(block, stretch.ways.pop(), gradient)
            yield gradient
        while stretch.parts:
            for earlier in self._back(stretch.parts.pop(), gradient):
                gradient = earlier
                yield gradient

    def _pulled(self, block: int, way: Way, gradient: Derivatives) -> Derivatives:
        """The gradient before a block, from the one after it."""
        tried = self._tried(block)
        while way:  # what was kept of a layer is let go once it is passed
            step = way.pop()
            if isinstance(step, Mapping):
                gradient = self._past_rows(step, tried, gradient)
            else:
                gradient = self._through_weights(block, step, gradient)
        if not block:
            gradient = self._at_the_batch(gradient)
        return gradient.past(tried, self._backend)

    def _through_weights(self, block: int, step: Weighted, gradient: Derivatives) -> Derivatives:
        """All gradients of a replica together: what weights have not shown yet is the same for
        all.
        """
        self._weigh(block, step, gradient)
        xp, (_, n, width) = self._backend.xp, gradient.rows.shape
        found = step.back(xp.reshape(gradient.rows, (-1, self._carried * n, width)))
        rows = xp.reshape(found, (-1, n, found.shape[-1]))
        return gradient.moved_to(rows)

    def _weigh(self, block: int, step: Weighted, gradient: Derivatives) -> None:
        """Add to the kernel what a layer of weights contributes, given the gradient at its
        output.
        """
        if self.kernel is None or step.products is None or step.gain == 0:
            return
        logarithms = np.full(len(self._replicas), 2 * math.log(step.gain))
        if self._chain.scaling is ScaleResponse.LINEAR:
            scales = self._scales[block]  # −∞ where H is 0, which contributes nothing
            logarithms += 2 * (
                np.where(np.isfinite(scales), scales, 0.0) + math.log(2) * self._exponent
            )
        self.kernel.add(
            step.products, logarithms, gradient.rows, gradient.exponents, gradient.error
        )

    def _tried(self, block: int) -> int:
        """How many rows of each block of rows are tried in this block of layers: some of the last
        one's, too.
        """
        if block:
            return rows_tried(1 if block == self._depth - 1 else block, 0)
        rows = self._whole.rows.shape[-1]
        return rows_tried(block, max(rows, *self._chain.widths(rows)))

    def _past_rows(self, mapping: Mapping, tried: int, gradient: Derivatives) -> Derivatives:
        if self._carried > 1 and mapping.rows is not None:  # a row for each gradient
            xp, (_, n, width) = self._backend.xp, mapping.rows.shape
            shape = len(self._replicas), self._carried, n, width
            rows = xp.reshape(xp.broadcast_to(mapping.rows[:, None], shape), (-1, n, width))
            mapping = replace(mapping, rows=rows)
        found, cancelled = self._passage.pulled_through(mapping, gradient.rows, tried)
        gradient = gradient.moved_to(found)
        return gradient if cancelled is None else gradient.cancelled(cancelled, self._backend)

    def _at_the_batch(self, gradient: Derivatives) -> Derivatives:
        """From the gradient at what the first block was given, that at the batch it was made of."""
        if self._chain.leading_recenter is not None:
            centring = Mapping([Recenter()], None, drawn=False)
            gradient = self._past_rows(centring, gradient.rows.shape[-1], gradient)
        if self._chain.scaling is ScaleResponse.FREE:
            gradient = replace(gradient, exponents=gradient.exponents - self._exponent)
        return gradient

    def _copy(self, rows: Array) -> Array:
        return self._backend.xp.asarray(rows, copy=True)

    def _copied(self, tangents: Derivatives | None) -> Derivatives | None:
        return None if tangents is None else tangents.moved_to(self._copy(tangents.rows))


def gradients_carried(chain: Chain, n: int, kernel: bool) -> int:
    """How many gradients of a replica go back together, for ``n`` ≥ 1 samples: for the ``kernel``
    of a ``chain`` in which samples interact one for each sample's output, and one for their sum.

    Example:
        >>> from simulators.chains import batchnorm_chain, vanilla_chain
        >>> [gradients_carried(build(8), 3, True) for build in (batchnorm_chain, vanilla_chain)]
        [4, 1]
    """
    return n + 1 if kernel and not chain.each_sample else 1


def kept_entries(
    journey: Journey, chain: Chain, batch_shape: tuple[int, int], depth: int, dtype: str
) -> int:
    """How many numbers one replica keeps of its way forward through ``depth`` ≥ 1 blocks, from a
    batch of shape (d₀, n).

    Example:
        >>> from simulators.chains import rescale_chain
        >>> from simulators.engines import rows
        >>> kept_entries(rows.JOURNEY, rescale_chain(8), (8, 2), 3, "float64")
        144
    """
    rows, n = batch_shape
    width = chain.widths(rows)[-1]
    inner = chain.centring_early
    units = journey.units(inner, width, n)
    block = _block_entries(units, inner, width, n)
    length = _blocks_kept(block, dtype)
    starts, blocks = 0, range(depth)
    while len(blocks) > length:
        parts = _cut(blocks, length)
        starts, blocks = starts + len(parts) - 1, parts[-1]
    return len(blocks) * block + starts * n * width


def kept_together(groups: Sequence[range], entries: int, dtype: str) -> list[range]:
    """The groups of replicas cut into ones that keep at most `WHOLE_BYTES` together, of so many
    ``entries`` each, but into none of less than `LEAST_REPLICAS`.

    Example:
        >>> kept_together([range(32)], 2**18, "float64")
        [range(0, 16), range(16, 32)]
    """
    size = max(LEAST_REPLICAS, WHOLE_BYTES // np.dtype(dtype).itemsize // entries)

    def cut(group: range) -> Iterable[range]:
        return (group[start : start + size] for start in range(0, len(group), size))

    return list(chained.from_iterable(map(cut, groups)))


def _blocks_kept(entries: int, dtype: str) -> int:
    """How many blocks are kept whole together, of so many entries each."""
    return max(1, KEPT_BYTES // np.dtype(dtype).itemsize // entries)


def _cut(blocks: range, length: int) -> list[range]:
    """The stretches into which one is cut that is longer than ``length``, what is kept whole."""
    size = -(-len(blocks) // max(LEAST_PARTS, length))
    return [blocks[start : start + size] for start in range(0, len(blocks), size)]


def _block_entries(units: Sequence[Sequence[Unit]], block: Chain, rows: int, n: int) -> int:
    """How many numbers are kept of a block: what is drawn, and what is noted."""
    drawn = sum(size for size, _ in chained.from_iterable(units))
    return drawn + _noted_entries(block, rows, n)


def _noted_entries(block: Chain, rows: int, n: int) -> int:
    """How many numbers of representations, or of factors of them, are kept of a block."""
    inputs = rows, *block.widths(rows)
    centrings = [[layer] for layer in block.layers if isinstance(layer, Recenter)]
    kept = sum(inputs[number] for number, layers in steps(block) if layers not in centrings)
    return n * kept


def _inputs(block: Chain, rows: int) -> list[tuple[int, int]]:
    """The rows that each weight layer of the block receives and gives."""
    given = block.widths(rows)
    sizes = zip(block.layers, (rows, *given), given, strict=False)
    return [(received, width) for layer, received, width in sizes if isinstance(layer, WeightLayer)]
