"""The thin engine: exact in law for Gaussian weights without residual, at O(width · n²) per layer.

For Gaussian W and any thin factorisation H = QR with Q of orthonormal columns, WH has the law of
GR, with G a width × n standard normal matrix (times the scale of W). So n normals are drawn per row
instead of d, and only R, n × n, is carried. Rows are made, normalised and activated in blocks, and
each block is folded into the next R by QR (TSQR: Demmel, Grigori, Hoemmen, Langou 2012), never by a
Cholesky factor of HᵀH, which nearly collinear samples break. Memory does not grow with the width.

The size of a row block, `block_rows`, is a property of n alone: results do not depend on memory.
The order of a stream is: layer, row block, then within a block G column by column.

In a linear chain each block of rows is D G R with D diagonal. What is folded is then D G alone,
well conditioned whatever R is: H⁺ = Q (R' R). As the rows of R' R are sums of rows of R no longer
than theirs, each keeps a relative accuracy of its own: singular values of any ratio are carried,
where a QR of D G R would drown the small in the rounding of the large.

What is carried and handed out is Rᵀ, as `simulators.layers` has it: samples first, rows last.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

from numpy.random import SeedSequence

from simulators.backend import Backend
from simulators.chains import Chain
from simulators.engines.rounding import Copies, Representation, worst
from simulators.layers import (
    Activation,
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
from simulators.observables import Array
from simulators.streams import pack, replica_groups, row_blocks, units_of

_KNOWN = (Linear, Residual, Recenter, Rescale, Activation, Normalize)

PIECE_ENTRIES = 2**18
"""Entries drawn at once, over all replicas of a group: 2 MiB in float64."""


def leaf_rows(n: int) -> int:
    """Rows in one QR decomposition: 4096 entries (32 KiB in float64), but at least 2n rows.

    That many stay in the first-level cache, over which QR passes n times, and below the size at
    which OpenBLAS starts threads for it: for n ≤ 48 the result does not depend on their number.
    """
    return max(2 * n, 2**12 // n)


def block_rows(n: int) -> int:
    """Rows drawn, normalised and activated together: one to eight leaves.

    Few passes in Python, in the second-level cache, and for n ≤ 48 a product too small for BLAS
    threads.
    """
    return leaf_rows(n) * max(1, min(8, 2**18 // (n * n * leaf_rows(n))))


def obstacle(chain: Chain) -> str | None:
    """Why the engine is not exact for ``chain``; None if it is."""
    for index, layer in enumerate(chain.layers):
        if isinstance(layer, WeightLayer) and layer.law != "gaussian":
            return (
                f"{layer!r} draws {layer.law} weights, and only Gaussian ones are "
                "rotation-invariant"
            )
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


def _unknown(layer: Layer, chain: Chain) -> str | None:
    """Why a layer from elsewhere keeps the engine from ``chain``; None if it does not."""
    if not layer.each_row:
        return f"{layer!r} does not say that it maps each row by itself"
    if any(isinstance(other, Normalize) for other in chain.layers):
        return f"{layer!r} stands in a chain with a Normalize, whose scalar it may not pass on"
    return None


def carries_rows(chain: Chain) -> bool:
    """Whether only the weights' own factor is folded, so that rows of any scale are carried side by
    side.
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

    Weights of ``width`` rows, in so many ``blocks``, and standard deviation ``std``; the mean of
    the batch subtracted if ``recentred``; then ``layers``. Of the ``outlets`` the last is where the
    next weights are applied; the first, in the last segment of a block, where the representation is
    observed. ``late`` are the centrings of which it is to be told how much they cancel: numbers in
    ``layers``, −1 for that of the input.
    """

    width: int
    blocks: int
    std: float
    recentred: bool
    layers: tuple[RowLayer, ...]
    outlets: tuple[_Outlet, ...]
    late: tuple[int, ...]


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
    arrays have shape ``(group, n, n)`` and hold until the next is asked for; a group must be read
    to its end before the next. The caller has made sure that `obstacle` is None.
    """
    n = batch.shape[-2]
    onward = _before_weights(chain)
    first = _segments(chain.opening, onward, batch.shape[-1], n)
    others = _segments(chain, onward, first[-1].width, n)
    order = [first, *[others] * (depth - 1)]
    units = [
        (n * size, "gaussian")
        for block in order
        for segment in block
        for size in row_blocks(segment.width, block_rows(n))
    ]
    every = replica_groups(replicas, max(size for size, _ in units), PIECE_ENTRIES)
    pieces = [piece for group in every for piece in pack(units, group, PIECE_ENTRIES)]
    draws = backend.draws(root, "gram", pieces)
    normals = (
        unit.reshape((unit.shape[0], n, unit.shape[-1] // n)) for unit in units_of(pieces, draws)
    )
    start = _start(chain, batch, backend)
    for group in every:
        yield group, _factors(chain, order, start, copies, normals, backend)


def _segments(chain: Chain, onward: Sequence[RowLayer], rows: int, n: int) -> list[_Segment]:
    """One block, as a list of segments; the last runs on into the next block, up to its first
    weights.

    ``onward`` are the layers before those.
    """
    parts: list[tuple[int, float, list[RowLayer]]] = []
    for layer, width in zip(chain.layers, chain.widths(rows), strict=True):
        if isinstance(layer, WeightLayer):
            parts.append((width, width**-0.5 if isinstance(layer, Linear) else 1.0, []))
        elif parts:
            parts[-1][2].append(layer)
    segments: list[_Segment] = []
    for number, (width, std, layers) in enumerate(parts, start=1):
        # W(HJ) = (WH)J: on the factor this costs n² rather than width · n.
        recentred = bool(layers) and isinstance(layers[0], Recenter)
        layers = layers[recentred:]
        first = (
            recentred and chain.leading_recenter == number
        )  # nothing but so many weights precede it
        late = [-1] * (recentred and not first) + [
            k for k, each in enumerate(layers) if isinstance(each, Recenter)
        ]
        ends = [len(layers)]
        if number == len(parts) and onward:
            layers += onward
            ends.append(len(layers))
        blocks = len(row_blocks(width, block_rows(n)))
        outlets = tuple(_Outlet(at, _norm_in_force(layers[:at])) for at in ends)
        segments.append(
            _Segment(width, blocks, std, recentred, tuple(layers), outlets, tuple(late))
        )
    return segments


def _before_weights(chain: Chain) -> list[RowLayer]:
    layers: list[RowLayer] = []
    for layer in chain.layers:
        if isinstance(layer, WeightLayer):
            break
        layers.append(layer)
    return layers


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
    through = _weights_alone if carries_rows(chain) else _rows
    for block in order:
        cancelled = None
        for segment in block:
            factors, centrings = through(segment, factor, normals, backend)
            for before, after in centrings:
                cancelled = worst(cancelled, before, after, backend)
            if chain.scaling is ScaleResponse.LINEAR:
                factors = [scaled_to(1.0, each, frobenius_norm(each, xp), xp) for each in factors]
            factors = [copies.restored(each) for each in factors]
            factor = factors[-1]
        yield Representation(factors[0], cancelled)


_Centrings: TypeAlias = Iterable[tuple[Array, Array]]


def _rows(
    segment: _Segment, factor: Array, normals: Iterator[Array], backend: Backend
) -> tuple[list[Array], _Centrings]:
    """The factor at each outlet of the segment, from the factor of its input; norms before and
    after late centrings.
    """
    xp, n = backend.xp, factor.shape[-2]
    factor = segment.std * factor
    sizes: dict[int, tuple[Array, Array]] = {}

    def centre(rows: Array, number: int) -> Array:
        if number not in segment.late:
            return Recenter().on_rows(rows, xp, segment.width)
        before = frobenius_norm(rows, xp)
        rows = Recenter().on_rows(rows, xp, segment.width)
        found = before, frobenius_norm(rows, xp)
        earlier = sizes.get(number, (0 * before, 0 * before))
        sizes[number] = xp.hypot(earlier[0], found[0]), xp.hypot(earlier[1], found[1])
        return rows

    if segment.recentred:
        factor = centre(factor, -1)
    folded = [_Folding(backend) for _ in segment.outlets]
    norms: dict[int, Array] = {}
    for _ in range(segment.blocks):
        rows = xp.matmul(factor, next(normals))
        for index, layer in enumerate(segment.layers):
            for outlet, fold in zip(segment.outlets, folded, strict=True):
                if outlet.at == index:
                    fold.add(rows)
            if isinstance(layer, Normalize):
                _note(norms, index, rows, xp)
            elif isinstance(layer, Recenter):
                rows = centre(rows, index)
            else:
                rows = layer.on_rows(rows, xp, segment.width)
        folded[-1].add(rows)
    return [
        _at_scale(fold.result(), outlet, norms, (segment.width * n) ** 0.5, xp)
        for outlet, fold in zip(segment.outlets, folded, strict=True)
    ], sizes.values()


def _weights_alone(
    segment: _Segment, factor: Array, normals: Iterator[Array], backend: Backend
) -> tuple[list[Array], _Centrings]:
    """As `_rows`, for layers that only multiply rows by scalars: those of the weights are folded in
    their place.
    """
    xp, n = backend.xp, factor.shape[-2]
    factor = segment.std * factor
    centrings: list[tuple[Array, Array]] = []
    if segment.recentred:
        before = frobenius_norm(factor, xp)
        factor = Recenter().on_rows(factor, xp, segment.width)
        centrings += [(before, frobenius_norm(factor, xp))] * len(segment.late)
    folded = [_Folding(backend) for _ in segment.outlets]
    scalings = [
        k for k, layer in enumerate(segment.layers) if isinstance(layer, Rescale | Normalize)
    ]
    norms: dict[int, Array] = {}
    for _ in range(segment.blocks):
        weights = next(normals)
        rows = xp.matmul(factor, weights) if scalings else None
        for index, layer in enumerate(segment.layers):
            for outlet, fold in zip(segment.outlets, folded, strict=True):
                if outlet.at == index:
                    fold.add(weights)
            if isinstance(layer, Normalize):
                _note(norms, index, rows, xp)
            elif isinstance(layer, Rescale):
                by = layer.factors(rows, xp, segment.width)
                weights *= by
                if index < scalings[-1]:
                    rows *= by
        folded[-1].add(weights)
    return [
        _at_scale(xp.matmul(factor, fold.result()), outlet, norms, (segment.width * n) ** 0.5, xp)
        for outlet, fold in zip(segment.outlets, folded, strict=True)
    ], centrings


def _note(norms: dict[int, Array], index: int, rows: Array, xp: Any) -> None:
    """Add a block of rows to the norm that the `Normalize` of this number sees."""
    norm = frobenius_norm(rows, xp)
    norms[index] = xp.hypot(norms[index], norm) if index in norms else norm


def _at_scale(
    factor: Array, outlet: _Outlet, norms: dict[int, Array], target: float, xp: Any
) -> Array:
    """``factor`` times the scalar of the `Normalize` in force at its outlet."""
    return factor if outlet.norm is None else scaled_to(target, factor, norms[outlet.norm], xp)


class _Folding:
    """The triangular factor of row blocks stacked, by QR of each leaf and of the factors so
    obtained.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._factors: list[Array] = []

    def add(self, rows: Array) -> None:
        leaf = leaf_rows(rows.shape[-2])
        whole = rows.shape[-1] // leaf * leaf
        if whole > leaf:
            self._factors.append(self._leaves(rows[..., :whole], leaf))
            rows = rows[..., whole:]
        if rows.shape[-1]:
            self._factors.append(self._backend.triangular(rows))
        if sum(each.shape[-1] for each in self._factors) > leaf:
            self._factors = [self.result()]

    def _leaves(self, rows: Array, leaf: int) -> Array:
        """The factors of all leaves side by side, ``(group, n, leaves · n)``, in one call."""
        group, n, m = rows.shape
        xp = self._backend.xp
        leaves = xp.permute_dims(xp.reshape(rows, (group, n, m // leaf, leaf)), (0, 2, 1, 3))
        factors = xp.permute_dims(self._backend.triangular(leaves), (0, 2, 1, 3))
        return xp.reshape(factors, (group, n, m // leaf * n))

    def result(self) -> Array:
        if len(self._factors) == 1 and self._factors[0].shape[-1] <= self._factors[0].shape[-2]:
            return self._factors[0]
        return self._backend.triangular(self._backend.xp.concat(self._factors, axis=-1))
