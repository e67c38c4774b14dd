"""The reference engine: draws every weight matrix. Any chain, any weight law.

Cost per layer and replica: width × d entries drawn, O(width · d · n) arithmetic. Weights are drawn
in row blocks of at most `BLOCK_ENTRIES` entries (at least one row), so memory is O(width · n)
beyond one block. The order of a stream is: layer, row block, then within a block Wᵀ row by row.

Replicas run in groups that are independent of one another, so that each core can take one at a
time. Threads wait for one another between the calls of NumPy, so a group is large enough that the
calls are few: that gains more than keeping a layer in the second-level cache.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial, reduce
from itertools import accumulate, pairwise
from itertools import chain as chained
from operator import add

import numpy as np
from numpy.random import SeedSequence

from simulators.arrays import Array
from simulators.backend import Backend
from simulators.chains import Chain
from simulators.engines.derivatives import Accompanied, Tangents
from simulators.engines.layerwise import Passage
from simulators.engines.notes import Notes
from simulators.engines.round_trip import Journey
from simulators.engines.rounding import Copies
from simulators.layers import Bias, Linear, WeightLayer
from simulators.streams import pack, replica_groups, row_blocks, units_of
from simulators.weights import GivenLaw, law_of

BLOCK_ENTRIES = 2**21
"""Entries of one replica's W drawn at once: 16 MiB in float64."""

LAYER_ENTRIES = 2**18
"""Entries of W, or of H, in one layer of a group, unless a single replica has more."""

GROUP_REPLICAS = 2**10
"""Replicas in a group, at most."""

CALL_ENTRIES = 2**16
"""Entries that a call of a generator draws: narrow replicas draw several layers in one."""

BUFFER_BYTES = 2**26
"""What the calls of a group draw together, at most, beyond one layer."""

LEAST_DIVISOR = 2.0**-40
"""The least γ that 1/γ stands for: squares of that stay far from overflow in float32."""


def run(
    chain: Chain,
    batch: Array,
    copies: Copies,
    *,
    depth: int,
    replicas: int,
    root: SeedSequence,
    backend: Backend,
    tangents: Tangents | None = None,
    exponent: int = 0,
) -> Iterator[tuple[range, Iterator[Accompanied]]]:
    """For each group of replicas, the representations Hᵀ after each of ``depth`` blocks.

    ``batch`` is H₀ᵀ, shape ``(1, n, d₀)``, centred if the first block is to do that before all
    else, and ``copies`` are its samples that remain equal to others. The arrays have shape
    ``(group, n, width)`` and hold until the next is asked for. Groups may be read in any order, and
    each in a thread of its own. ``tangents`` come along, if they are given; ``exponent`` is the
    power of two that H₀ was divided by.

    Example:
        >>> from simulators.backend import NumpyBackend
        >>> from simulators.chains import residual_chain
        >>> backend = NumpyBackend("float64")
        >>> chain, batch = residual_chain(4, 0.5), np.eye(4, 2)
        >>> start, copies = backend.array(batch.T[None]), Copies.among(batch, chain)
        >>> root = SeedSequence(0)
        >>> runs = run(chain, start, copies, depth=3, replicas=1, root=root, backend=backend)
        >>> [[found.rows.shape for found in blocks] for _, blocks in runs][0]
        [(1, 2, 4), (1, 2, 4), (1, 2, 4)]
    """
    count = 0 if tangents is None else tangents.count
    n, rows = batch.shape[-2] * (1 + count), batch.shape[-1]
    onward = _units(chain, chain.widths(rows)[-1], n)
    layers = _units(chain, rows, n) + (depth - 1) * onward
    units = list(chained.from_iterable(layers))

    def representations(group: range, ahead: bool) -> Iterator[Accompanied]:
        """Those of one group, its draws made ``ahead`` in a second thread or not.

        Nothing is laid out before the first is asked for.
        """
        room = BUFFER_BYTES // np.dtype(backend.dtype).itemsize // (2 if ahead else 1)
        pieces = list(pack(units, group, max(LAYER_ENTRIES, min(CALL_ENTRIES * len(group), room))))
        draws = units_of(pieces, backend.draws(root, "dense", pieces, ahead=ahead))
        beside = None if tangents is None else tangents.of(group, chain, exponent, backend)
        passage = _Drawn(backend, draws, count)
        yield from passage.representations(chain, batch, copies, depth, beside)

    for group in groups(chain, (1, n, rows), replicas, backend.workers):
        # A lone group leaves the other cores idle, so they draw for it.
        yield group, representations(group, len(group) == replicas or backend.workers == 1)


def groups(chain: Chain, batch_shape: tuple[int, ...], replicas: int, workers: int) -> list[range]:
    """The replicas that go together, for a batch H₀ᵀ of ``(1, n, d₀)``.

    Example:
        >>> from simulators.chains import residual_chain
        >>> groups(residual_chain(4, 0.5), (1, 2, 4), 5, 1)
        [range(0, 5)]
    """
    n, rows = batch_shape[-2:]
    onward = _units(chain, chain.widths(rows)[-1], n)
    units = chained.from_iterable(_units(chain, rows, n) + onward)
    largest = max(n * max(rows, *chain.widths(rows)), *(size for size, _ in units))
    limit = min(LAYER_ENTRIES, GROUP_REPLICAS * largest)
    return replica_groups(replicas, largest, limit, workers)


def _units(chain: Chain, rows: int, n: int) -> list[list[tuple[int, GivenLaw]]]:
    """Size and law of what each layer of one block draws, row block by row block, in the order of
    use.
    """
    found: list[list[tuple[int, GivenLaw]]] = []
    for layer, width in zip(chain.layers, chain.widths(rows), strict=True):
        if isinstance(layer, WeightLayer):
            found.append([(rows * size, layer.law) for size in _blocks(layer, rows, width)])
        elif isinstance(layer, Bias):
            found.append([(width, "gaussian")])
        rows = width
    return found


def _blocks(layer: WeightLayer, inputs: int, width: int) -> tuple[int, ...]:
    """Rows of W drawn at once: all of them where the entries are not independent."""
    whole = law_of(layer.law).of_matrix is not None
    return row_blocks(width, width if whole else _block_rows(inputs))


def _block_rows(inputs: int) -> int:
    return max(1, BLOCK_ENTRIES // inputs)


def _forms_matrix(layer: WeightLayer, rows: Array) -> bool:
    """Whether I + γW, or I/γ + W, is formed, instead of γ times WH: less to pass over."""
    n, inputs = rows.shape[-2:]
    return 2 * n >= inputs and len(_blocks(layer, inputs, layer.width_after(inputs))) == 1


def _multiples(layer: WeightLayer, rows: Array, free: bool) -> tuple[float, float]:
    """a and b of the output aWH + bH for W of variance 1, which if ``free`` may be a multiple."""
    if isinstance(layer, Linear):
        return layer.scale, 0.0
    if layer.gamma == math.inf:
        return 1.0, 0.0
    if free and layer.gamma >= LEAST_DIVISOR and _forms_matrix(layer, rows):
        return 1.0, 1 / layer.gamma
    return layer.gamma, 1.0


class _Drawn(Passage):
    """One group on its way through the layers, by matrices of weights."""

    def __init__(self, backend: Backend, draws: Iterator[Array], tangents: int = 0) -> None:
        super().__init__(backend, draws, tangents)
        # the last product's input, which the next product may overwrite
        self._spare: Array | None = None

    def weighted_by(self, layer: WeightLayer, rows: Array, free: bool) -> Array:
        if law_of(layer.law).of_matrix is not None:
            width = layer.width_after(rows.shape[-1])
            self.draws = chained([self._of_matrix(layer, next(self.draws), width)], self.draws)
        return self._weighted(layer, rows, free)

    def _of_matrix(self, layer: WeightLayer, drawn: Array, width: int) -> Array:
        """The entries of W of a law whose entries are not independent, of what was drawn for
        it.
        """
        of_matrix = law_of(layer.law).of_matrix
        if of_matrix is None:
            return drawn
        weights = of_matrix(self._matrix(drawn, width), self._backend.xp)
        return self._backend.xp.reshape(weights, tuple(drawn.shape))

    def _weighted(self, layer: WeightLayer, rows: Array, free: bool) -> Array:
        of_weights, of_rows = _multiples(layer, rows, free)
        if of_rows and _forms_matrix(layer, rows):
            weights, inputs = next(self.draws), rows.shape[-1]
            if of_weights != 1:
                weights *= of_weights
            weights[:, :: inputs + 1] += of_rows
            product = self._times(rows, weights, inputs)
        else:
            product = self._product(layer, rows, layer.width_after(rows.shape[-1]))
            if of_weights != 1:
                product *= of_weights
            if of_rows:
                product += rows
        self._spare = rows
        return product

    def weighted_both_ways(
        self, layer: WeightLayer, rows: Array, free: bool, notes: Notes
    ) -> tuple[Array, Callable[[Array], Array], float]:
        inputs, copied = rows.shape[-1], partial(self._backend.xp.asarray, copy=True)
        width = layer.width_after(inputs)
        drawn = [next(self.draws) for _ in _blocks(layer, inputs, width)]
        weights = [self._of_matrix(layer, unit, width) for unit in drawn]
        multiples, following = _multiples(layer, rows, free), self.draws
        self.draws = map(copied, weights)
        image = self._weighted(layer, rows, free)
        self.draws = following
        gain = 1.0 if isinstance(layer, Linear) else multiples[0]
        return image, partial(self._pulled_by, layer, weights, multiples), gain

    def _pulled_by(
        self,
        layer: WeightLayer,
        drawn: Sequence[Array],
        multiples: tuple[float, float],
        gradient: Array,
    ) -> Array:
        xp, width = self._backend.xp, gradient.shape[-1]
        inputs = sum(unit.shape[-1] for unit in drawn) // width
        ends = accumulate(_blocks(layer, inputs, width), initial=0)
        found = reduce(
            add,
            (
                xp.matmul(gradient[..., start:end], self._matrix(unit, end - start).mT)
                for (start, end), unit in zip(pairwise(ends), drawn, strict=True)
            ),
        )
        of_weights, of_rows = multiples
        found *= of_weights
        if of_rows:
            found += of_rows * gradient
        return found

    def _product(self, layer: WeightLayer, rows: Array, width: int) -> Array:
        """(WH)ᵀ for the next weights, of variance 1."""
        sizes = _blocks(layer, rows.shape[-1], width)
        if len(sizes) == 1:
            return self._times(rows, next(self.draws), width)
        parts = [
            self._backend.product(rows, self._matrix(next(self.draws), size), None)
            for size in sizes
        ]
        return self._backend.xp.concat(parts, axis=-1)

    def _times(self, rows: Array, entries: Array, width: int) -> Array:
        fits = self._spare is not None and tuple(self._spare.shape) == (
            len(entries),
            rows.shape[-2],
            width,
        )
        weights = self._matrix(entries, width)
        return self._backend.product(rows, weights, self._spare if fits else None)

    def _matrix(self, entries: Array, rows: int) -> Array:
        """Wᵀ for so many rows of W, whose entries these are; a view of them."""
        return self._backend.xp.reshape(entries, (len(entries), entries.shape[-1] // rows, rows))


JOURNEY = Journey("dense", _Drawn, _units, lambda rows, columns: [])
"""The engine's way forward and back."""
