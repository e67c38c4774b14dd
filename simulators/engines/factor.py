"""The factor engine: exact in law for Gaussian weights without residual, at O(width · n²) per
layer.

For Gaussian W and any thin factorisation H = QR with Q of orthonormal columns, WH has the law
of GR, with G a width × n standard normal matrix (times the scale of W). So n normals are drawn
per row instead of d, and only R, n × n, is carried. Rows are made, normalised and activated in
blocks, and each block is folded into the next R by QR (TSQR: Demmel, Grigori, Hoemmen, Langou
2012), never by a Cholesky factor of HᵀH, which nearly collinear samples break. Memory does not
grow with the width.

Where layers are work enough, groups of replicas run side by side, one for each core; elsewhere one
thread draws ahead of the other. The numbers do not depend on it.

The size of a row block, `block_rows`, is a property of n alone: results do not depend on
memory. The order of a stream is: layer, row block, then within a block G column by column.

In a linear chain each block of rows is D G R with D diagonal. What is folded is then D G alone,
well conditioned whatever R is: H⁺ = Q (R' R). As the rows of R' R are sums of rows of R no
longer than theirs, each keeps a relative accuracy of its own: singular values of any ratio are
carried, where a QR of D G R would drown the small in the rounding of the large.

What is carried and handed out is Rᵀ, as `simulators.layers` has it: samples first, rows last.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain as chained
from itertools import pairwise

from numpy.random import SeedSequence

from simulators.arrays import Array, Floats
from simulators.backend import Backend
from simulators.chains import Chain
from simulators.engines.rounding import Copies, Representation, logarithm, worst
from simulators.layers import (
    Activation,
    Bias,
    Layer,
    Linear,
    Normalize,
    Recenter,
    Rescale,
    Residual,
    RowLayer,
    ScaleResponse,
    WeightLayer,
    frobenius_norm,
    scaled_to,
)
from simulators.streams import pack, replica_groups, row_blocks, units_of
from simulators.weights import law_of
from simulators.workers import cores

__all__ = ["Folding", "block_rows", "carries_rows", "leaf_rows", "obstacle", "other_weights", "run"]

_KNOWN = (Linear, Residual, Recenter, Rescale, Activation, Normalize)
_SCALINGS = (Rescale, Normalize)

PIECE_ENTRIES = 2**18
"""Entries drawn at once, over all replicas of a group: 2 MiB in float64."""

AHEAD_ENTRIES, FIRST_ENTRIES = 2**19, 2**16
"""Entries that a second thread draws at once while those before are in use, and at first. The more
they are, the more seldom both threads want the interpreter's lock; the first are waited for."""

SHARE_ENTRIES = 2**16
"""Entries that a group works on at once where groups run side by side: enough for NumPy to work
several times as long on them as Python does, which one thread at a time can do."""

FEW_SAMPLES = 16
"""Samples up to which drawing takes some half of the time: a thread that draws ahead then gains as
much as a second group of replicas, and at any width."""


def leaf_rows(n: int) -> int:
    """Rows in one QR decomposition: 4096 entries (32 KiB in float64), but at least 2n rows.

    That many stay in the first-level cache, over which QR passes n times, and below the size at
    which OpenBLAS starts threads for it: for n ≤ 48 the result does not depend on their number.

    Example:
        >>> leaf_rows(4), leaf_rows(100)
        (1024, 200)
    """
    return max(2 * n, 2**12 // n)


def block_rows(n: int) -> int:
    """Rows drawn, normalised and activated together: one to eight leaves.

    Few passes in Python, in the second-level cache, and for n ≤ 48 a product too small for BLAS
    threads.

    Example:
        >>> block_rows(4) // leaf_rows(4)
        8
    """
    return leaf_rows(n) * max(1, min(8, 2**18 // (n * n * leaf_rows(n))))


def obstacle(chain: Chain) -> str | None:
    """Why the engine is not exact for ``chain``, in words; None if it is.

    Example:
        >>> print(obstacle(Chain((Linear(4, "uniform"),))))
        Linear(width=4, law='uniform') draws uniform weights, and only Gaussian ones are \
rotation-invariant
    """
    if (other := other_weights(chain)) is not None:
        return other
    for index, layer in enumerate(chain.layers):
        if isinstance(layer, Residual) and layer.gamma < math.inf:
            return (
                f"{layer!r} adds the layer's input to its output, which needs all of H, not a "
                "factor of it"
            )
        if isinstance(layer, Normalize):
            blocker = _needs_scale(chain.layers[index + 1 :] + chain.layers[:index])
            if blocker is not None:
                return (
                    f"{layer!r} needs all rows of a layer before {blocker!r} can act on the first"
                )
        elif type(layer) not in _KNOWN and (why := _unknown(layer, chain)) is not None:
            return why
    return None


def other_weights(chain: Chain) -> str | None:
    """Which weights of ``chain`` are not Gaussian, in words; None if all are.

    Example:
        >>> print(other_weights(Chain((Linear(4),))))
        None
    """
    for layer in chain.layers:
        if isinstance(layer, WeightLayer) and layer.law != "gaussian":
            return (
                f"{layer!r} draws {law_of(layer.law).name} weights, and only Gaussian ones are "
                "rotation-invariant"
            )
    return None


def _unknown(layer: Layer, chain: Chain) -> str | None:
    """Why a layer from elsewhere keeps the engine from ``chain``; None if it does not."""
    if isinstance(layer, Bias):
        return f"{layer!r} adds to all samples what no factor of them tells"
    if not layer.each_row:
        return f"{layer!r} does not say that it maps each row by itself"
    if any(isinstance(other, Normalize) for other in chain.layers):
        return f"{layer!r} stands in a chain with a Normalize, whose scalar it may not pass on"
    return None


def carries_rows(chain: Chain) -> bool:
    """Whether only the weights' own factor is folded, so that rows of any scale are carried side by
    side: in linear chains that centre nothing but right after weights.

    Example:
        >>> carries_rows(Chain((Linear(4), Rescale())))
        True
    """
    centred = [before for before, layer in pairwise(chain.layers) if isinstance(layer, Recenter)]
    early = all(isinstance(before, WeightLayer) for before in centred)
    return chain.linear and early and not isinstance(chain.layers[0], Recenter)


def _needs_scale(following: Sequence[Layer]) -> Layer | None:
    """The first of the layers up to the next weights that does not commute with a scalar."""
    for layer in following:
        if isinstance(layer, WeightLayer | Rescale | Normalize):
            return None
        if isinstance(layer, Activation) and not layer.homogeneous:
            return layer
    return None


@dataclass(frozen=True)
class _Outlet:
    """A place in a segment where a factor is wanted: before layer number ``at``.

    ``norm`` is the number of the `Normalize` whose scalar applies there, if one does.
    """

    at: int
    norm: int | None


@dataclass(frozen=True)
class _Segment:
    """The layers from one matrix of weights to the next, across the end of the block if need be.

    Weights of ``width`` rows, in ``blocks`` of so many, and standard deviation ``std``; the mean of
    the batch subtracted if ``recentred``; then ``layers``. Of the ``outlets`` the last is where the
    next weights are applied; the first, in the last segment of a block, where the representation is
    observed. ``late`` are the centrings of which it is to be told how much they cancel: numbers in
    ``layers``, −1 for that of the input. ``last_scaling`` is the number of the last of ``layers``
    that multiplies rows by scalars, −1 if none does.
    """

    width: int
    blocks: tuple[int, ...]
    std: float
    recentred: bool
    layers: tuple[RowLayer, ...]
    outlets: tuple[_Outlet, ...]
    late: tuple[int, ...]
    last_scaling: int


def run(
    chain: Chain,
    batch: Array,
    copies: Copies,
    *,
    depth: int,
    replicas: int,
    root: SeedSequence,
    backend: Backend,
) -> Iterator[tuple[range, Iterator[Representation]]]:
    """For each group of replicas, the factors Rᵀ of the representations after each of ``depth``
    blocks.

    ``batch`` is H₀ᵀ, shape ``(1, n, d₀)``, with n at most d₀ and every width, centred if the first
    block is to do that before all else; ``copies`` are its samples that remain equal to others. The
    arrays have shape ``(group, n, n)`` and hold until the next is asked for. Groups may be read in
    any order, and each in a thread of its own, if `side_by_side` says that there are several at
    once; else a group must be read to its end before the next. The caller has made sure that
    `obstacle` is None.

    Example:
        >>> import numpy as np
        >>> from simulators.backend import NumpyBackend
        >>> from simulators.chains import rescale_chain
        >>> backend = NumpyBackend("float64")
        >>> chain, batch = rescale_chain(100), np.eye(4, 2)
        >>> start, copies = backend.array(batch.T[None]), Copies.among(batch, chain)
        >>> root = SeedSequence(0)
        >>> runs = run(chain, start, copies, depth=2, replicas=3, root=root, backend=backend)
        >>> [[found.rows.shape for found in blocks] for _, blocks in runs]
        [[(3, 2, 2), (3, 2, 2)]]
    """
    n = batch.shape[-2]
    onward = _before_weights(chain)
    first = _segments(chain.opening, onward, batch.shape[-1], n)
    others = _segments(chain, onward, first[-1].width, n)
    order = [first, *[others] * (depth - 1)]
    sizes = chained.from_iterable(segment.blocks for segment in chained.from_iterable(order))
    units = [(n * size, "gaussian") for size in sizes]
    at_once = side_by_side(chain, batch.shape, replicas, backend.workers)
    every = replica_groups(replicas, max(size for size, _ in units), PIECE_ENTRIES, at_once)
    ahead = at_once == 1 and cores() > 1
    limits = (AHEAD_ENTRIES, FIRST_ENTRIES) if ahead else (PIECE_ENTRIES, None)
    start = _start(chain, batch, backend)

    def drawn(groups: Sequence[range]) -> Iterator[Array]:
        """The normals of one group after another."""
        pieces = list(chained.from_iterable(pack(units, group, *limits) for group in groups))
        for unit in units_of(pieces, backend.draws(root, "factor", pieces, ahead=ahead)):
            yield backend.xp.reshape(unit, (len(unit), n, unit.shape[-1] // n))

    together = drawn(every)
    for group in every:
        normals = together if at_once == 1 else drawn([group])
        yield group, _factors(chain, order, start, copies, normals, backend)


def side_by_side(chain: Chain, batch_shape: tuple[int, ...], replicas: int, workers: int) -> int:
    """How many groups of replicas are worth running at once, each in a thread of its own, for a
    batch H₀ᵀ of ``(1, n, d₀)``: at most ``workers``.

    One where layers are small, or few: a second thread then draws ahead.

    Example:
        >>> from simulators.chains import rescale_chain
        >>> [side_by_side(rescale_chain(d), (1, 32, d), 20, 2) for d in (64, 4096)]
        [1, 2]
    """
    n, rows = batch_shape[-2:]
    unit = n * min(block_rows(n), max(chain.widths(rows)))
    count = min(workers, replicas, replicas * unit // SHARE_ENTRIES)
    return count if count > 2 or (count == 2 and n > FEW_SAMPLES) else 1


def _segments(chain: Chain, onward: Sequence[RowLayer], rows: int, n: int) -> list[_Segment]:
    """One block, as a list of segments; the last runs on into the next block, up to its first
    weights.

    ``onward`` are the layers before those.
    """
    parts: list[tuple[int, float, list[RowLayer]]] = []
    for layer, width in zip(chain.layers, chain.widths(rows), strict=True):
        if isinstance(layer, WeightLayer):
            parts.append((width, layer.scale if isinstance(layer, Linear) else 1.0, []))
        elif parts and isinstance(layer, RowLayer):
            parts[-1][2].append(layer)
    segments: list[_Segment] = []
    for number, (width, std, layers) in enumerate(parts, start=1):
        # W(HJ) = (WH)J: on the factor this costs n² rather than width · n.
        recentred = bool(layers) and isinstance(layers[0], Recenter)
        layers = layers[recentred:]
        # nothing but so many weights precede it
        first = recentred and chain.leading_recenter == number
        late = [-1] * (recentred and not first) + [
            k for k, each in enumerate(layers) if isinstance(each, Recenter)
        ]
        ends = [len(layers)]
        if number == len(parts) and onward:
            layers += onward
            ends.append(len(layers))
        blocks = row_blocks(width, block_rows(n))
        outlets = tuple(_Outlet(at, _norm_in_force(layers[:at])) for at in ends)
        scalings = [k for k, each in enumerate(layers) if isinstance(each, _SCALINGS)]
        segments.append(
            _Segment(
                width,
                blocks,
                std,
                recentred,
                tuple(layers),
                outlets,
                tuple(late),
                scalings[-1] if scalings else -1,
            )
        )
    return segments


def _before_weights(chain: Chain) -> list[RowLayer]:
    first = next(k for k, layer in enumerate(chain.layers) if isinstance(layer, WeightLayer))
    return [layer for layer in chain.layers[:first] if isinstance(layer, RowLayer)]


def _norm_in_force(layers: Sequence[Layer]) -> int | None:
    """The last `Normalize` that no `Rescale` overrides."""
    for index in reversed(range(len(layers))):
        if isinstance(layers[index], Rescale):
            return None
        if isinstance(layers[index], Normalize):
            return index
    return None


def _start(chain: Chain, batch: Array, backend: Backend) -> Array:
    """The factor of what the first weights are applied to: the batch after the layers before
    them.
    """
    xp = backend.xp
    if carries_rows(chain) and batch.shape[-1] <= batch.shape[-2]:
        # The batch is a factor of itself. The longest rows come first, as in all that follow.
        return batch[..., xp.argsort(-xp.max(xp.abs(batch[0]), axis=-2))]
    rows = xp.asarray(batch, copy=True)
    for layer in _before_weights(chain.opening):
        rows = layer.on_rows(rows, xp, rows.shape[-1])
    return backend.triangular(rows)


def _factors(
    chain: Chain,
    order: Sequence[Sequence[_Segment]],
    factor: Array,
    copies: Copies,
    normals: Iterator[Array],
    backend: Backend,
) -> Iterator[Representation]:
    xp = backend.xp
    alone, linear = carries_rows(chain), chain.scaling is ScaleResponse.LINEAR
    carried: Floats | float = 0.0  # log of what the factor has been divided by
    for block in order:
        cancelled = log_scale = None
        for segment in block:
            passage = _Passage(segment, backend)
            factors = passage.factors(factor, normals, alone)
            for before, after in passage.centrings.values():
                cancelled = worst(cancelled, before, after, backend)
            if linear:
                norms = [frobenius_norm(each, xp) for each in factors]
                factors = [
                    scaled_to(1.0, each, norm, xp)
                    for each, norm in zip(factors, norms, strict=True)
                ]
                log_scale = carried + logarithm(norms[0], backend)
                carried = carried + logarithm(norms[-1], backend)
            factors = [copies.restored(each) for each in factors]
            factor = factors[-1]
        yield Representation(factors[0], cancelled, log_scale)


class _Passage:
    """The way through one segment, block of rows after block of rows.

    ``centrings`` are the norms before and after each late centring, by its number.
    """

    def __init__(self, segment: _Segment, backend: Backend) -> None:
        self._segment, self._backend, self._xp = segment, backend, backend.xp
        self._norms: dict[int, Array] = {}
        self.centrings: dict[int, tuple[Array, Array]] = {}

    def factors(self, factor: Array, normals: Iterator[Array], alone: bool) -> list[Array]:
        """The factor at each outlet of the segment, from the factor of its input.

        If ``alone``, the layers only multiply rows by scalars, and rows of the weights are folded
        in their place.
        """
        segment, xp = self._segment, self._xp
        factor = segment.std * factor
        if segment.recentred:
            factor = self._centred(factor, -1)
        folded = [Folding(self._backend) for _ in segment.outlets]
        for _ in segment.blocks:
            weights = next(normals)
            images = self._scaled if alone else self._mapped
            for index, rows in enumerate(images(factor, weights)):
                for outlet, fold in zip(segment.outlets, folded, strict=True):
                    if outlet.at == index:
                        fold.add(rows)
        target = (segment.width * factor.shape[-2]) ** 0.5
        found = []
        for outlet, fold in zip(segment.outlets, folded, strict=True):
            result = xp.matmul(factor, fold.result()) if alone else fold.result()
            if outlet.norm is not None:
                result = scaled_to(target, result, self._norms[outlet.norm], xp)
            found.append(result)
        return found

    def _mapped(self, factor: Array, weights: Array) -> Iterator[Array]:
        """The rows of one block as each layer finds them, and as the last leaves them."""
        rows = self._xp.matmul(factor, weights)
        for index, layer in enumerate(self._segment.layers):
            yield rows
            if isinstance(layer, Normalize):
                self._note(index, rows)
            elif isinstance(layer, Recenter):
                rows = self._centred(rows, index)
            else:
                rows = layer.on_rows(rows, self._xp, self._segment.width)
        yield rows

    def _scaled(self, factor: Array, weights: Array) -> Iterator[Array]:
        """The weights of these rows, times the scalars that the rows have been multiplied by."""
        last = self._segment.last_scaling
        rows = self._xp.matmul(factor, weights) if last >= 0 else weights
        for index, layer in enumerate(self._segment.layers):
            yield weights
            if isinstance(layer, Normalize):
                self._note(index, rows)
            elif isinstance(layer, Rescale):
                by = layer.factors(rows, self._xp, self._segment.width)
                weights *= by
                if index < last:
                    rows *= by
        yield weights

    def _note(self, index: int, rows: Array) -> None:
        """Add a block of rows to the norm that the `Normalize` of this number sees."""
        norm = frobenius_norm(rows, self._xp)
        before = self._norms.get(index)
        self._norms[index] = norm if before is None else self._xp.hypot(before, norm)

    def _centred(self, rows: Array, number: int) -> Array:
        """The rows after a centring of this number, whose norms are noted where it is late."""
        xp = self._xp
        before = frobenius_norm(rows, xp) if number in self._segment.late else None
        rows = Recenter().on_rows(rows, xp, self._segment.width)
        if before is not None:
            found = before, frobenius_norm(rows, xp)
            earlier = self.centrings.get(number, (0 * before, 0 * before))
            self.centrings[number] = xp.hypot(earlier[0], found[0]), xp.hypot(earlier[1], found[1])
        return rows


class Folding:
    """The triangular factor of row blocks stacked, by QR of each leaf and of the factors so
    obtained.

    `add` takes blocks ``(group, n, m)``, samples first; `result` is the factor of all of them,
    ``(group, n, n)`` once there are n rows. Cost: O(n² m) a block; memory O(n²) and one leaf.

    Example:
        >>> import numpy as np
        >>> from simulators.backend import NumpyBackend
        >>> folding = Folding(NumpyBackend("float64"))
        >>> for block in np.split(np.ones((1, 2, 6)), 3, axis=-1):
        ...     folding.add(block)
        >>> factor = np.asarray(folding.result())
        >>> (factor @ factor.mT).round(6).tolist()
        [[[6.0, 6.0], [6.0, 6.0]]]
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._factors: list[Array] = []

    def add(self, rows: Array) -> None:
        """Fold another block of rows, ``(group, n, m)`` with m ≥ 1, into the factor.

        Cost: O(n² m) for each replica of the group.
        """
        leaf = leaf_rows(rows.shape[-2])
        whole = rows.shape[-1] // leaf * leaf
        if whole > leaf:
            self._factors.append(self._leaves(rows[..., :whole], leaf))
            rows = rows[..., whole:]
        if rows.shape[-1]:
            self._factors.append(self._leaf(rows))
        if sum(each.shape[-1] for each in self._factors) > leaf:
            self._factors = [self.result()]

    def _leaf(self, rows: Array) -> Array:
        """The factor of one leaf, or of what is left over, ``(group, n, min(m, n))``."""
        return self._backend.triangular(rows)

    def _leaves(self, rows: Array, leaf: int) -> Array:
        """The factors of all leaves side by side, ``(group, n, leaves · n)``, in one call."""
        group, n, m = rows.shape
        xp = self._backend.xp
        leaves = xp.permute_dims(xp.reshape(rows, (group, n, m // leaf, leaf)), (0, 2, 1, 3))
        factors = xp.permute_dims(self._backend.triangular(leaves), (0, 2, 1, 3))
        return xp.reshape(factors, (group, n, m // leaf * n))

    def result(self) -> Array:
        """The factor Rᵀ of all blocks so far, ``(group, n, min(rows, n))``.

        At least one block was added; more may be added afterwards.
        """
        if len(self._factors) == 1 and self._factors[0].shape[-1] <= self._factors[0].shape[-2]:
            return self._factors[0]
        return self._joint(self._backend.xp.concat(self._factors, axis=-1))

    def _joint(self, factors: Array) -> Array:
        """The factor of all factors there are, side by side in ``(group, n, m)``."""
        return self._backend.triangular(factors)
