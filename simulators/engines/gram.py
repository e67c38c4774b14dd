"""The thin engine: exact in law for Gaussian weights without residual, at O(width · n²) per layer.

For Gaussian W and any thin factorisation H = QR with Q of orthonormal columns, WH has the law of GR, with G
a width × n standard normal matrix (times the scale of W). So n normals are drawn per row instead of d, and
only R, n × n, is carried. Rows are made, normalised and activated in blocks, and each block is folded into
the next R by QR (TSQR: Demmel, Grigori, Hoemmen, Langou 2012), never by a Cholesky factor of HᵀH, which
nearly collinear samples break. Memory does not grow with the width.

The size of a row block, `block_rows`, is a property of n alone: results do not depend on memory or threads.
The order of a stream is: layer, row block, then within a block G column by column.

What is carried and handed out is Rᵀ, as `simulators.layers` has it: samples first, rows last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from numpy.random import SeedSequence

from simulators.backend import Backend
from simulators.chains import Chain, Scaling
from simulators.layers import (
    Activation,
    Layer,
    Linear,
    Normalize,
    Recenter,
    Rescale,
    Residual,
    frobenius_norm,
    scaled_to,
)
from simulators.observables import Array
from simulators.streams import pack, replica_groups, row_blocks

BLOCK_ENTRIES = 2**15
"""Entries of G in one row block: 256 KiB in float64, so that the passes over a block stay in cache."""

PIECE_ENTRIES = 2**17
"""Entries drawn at once, over all replicas of a group: 1 MiB in float64."""

FOLD = 16
"""Block factors kept before they are folded into one."""


def block_rows(n: int) -> int:
    """Rows per block: `BLOCK_ENTRIES` / n, but at least 2n, so that a factor is smaller than its block."""
    return max(2 * n, BLOCK_ENTRIES // n)


def obstacle(chain: Chain) -> str | None:
    """Why the engine is not exact for ``chain``; None if it is."""
    for index, layer in enumerate(chain.layers):
        if isinstance(layer, Linear | Residual) and layer.law != "gaussian":
            return f"{layer!r} draws {layer.law} weights, and only Gaussian ones are rotation-invariant"
        if isinstance(layer, Residual) and not _is_linear(layer):
            return f"{layer!r} adds the layer's input to its output, which needs all of H, not a factor of it"
        if isinstance(layer, Normalize):
            blocker = _needs_scale(chain.layers[index + 1 :] + chain.layers[:index])
            if blocker is not None:
                return f"{layer!r} needs all rows of a layer before {blocker!r} can act on the first"
    return None


def _is_linear(layer: Layer) -> bool:
    return isinstance(layer, Linear) or (isinstance(layer, Residual) and layer.gamma == float("inf"))


def _needs_scale(following: Sequence[Layer]) -> Layer | None:
    """The first of the layers up to the next weights that does not commute with a scalar."""
    for layer in following:
        if isinstance(layer, Linear | Residual | Rescale | Normalize):
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

    Weights of ``width`` rows and standard deviation ``std``; the batch mean subtracted if ``recentred``;
    then ``layers``. Of the ``outlets`` the last is where the next weights are applied, and the first, in the
    last segment of a block, where the representation is observed; they may coincide.
    """

    width: int
    std: float
    recentred: bool
    layers: tuple[Layer, ...]
    outlets: tuple[_Outlet, ...]


def run(
    chain: Chain, batch: Array, *, depth: int, replicas: int, root: SeedSequence, backend: Backend
) -> Iterator[tuple[range, Iterator[Array]]]:
    """For each group of replicas, the factors Rᵀ of the representations after each of ``depth`` blocks.

    ``batch`` is H₀ᵀ, shape ``(1, n, d₀)``, with n at most d₀ and every width. The arrays have shape
    ``(group, n, n)`` and hold until the next is asked for; a group must be read to its end before the next.
    The caller has made sure that `obstacle` is None.
    """
    first = _segments(chain, batch.shape[-1])
    others = _segments(chain, first[-1].width)
    order = [first, *[others] * (depth - 1)]
    n = batch.shape[-2]
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
        unit.reshape((unit.shape[0], n, unit.shape[-1] // n))
        for piece, entries in zip(pieces, draws, strict=True)
        for unit in _split(entries, piece.units)
    )
    start = _start(chain, batch, backend)
    unit_norm = chain.scaling is Scaling.LINEAR
    for group in every:
        yield group, _factors(order, start, unit_norm, normals, backend)


def _segments(chain: Chain, rows: int) -> list[_Segment]:
    """One block, as a list of segments; the last runs on into the next block, up to its first weights."""
    widths = chain.widths(rows)
    starts = [index for index, layer in enumerate(chain.layers) if _is_linear(layer)]
    segments = []
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        linear, width = chain.layers[start], widths[start]
        std = width**-0.5 if isinstance(linear, Linear) else 1.0
        layers = chain.layers[start + 1 : end]
        # W(HJ) = (WH)J: on the factor this costs n² rather than width · n.
        recentred = bool(layers) and isinstance(layers[0], Recenter)
        layers = layers[recentred:]
        ends = [len(layers)]
        if end is None and starts[0] > 0:
            layers += chain.layers[: starts[0]]
            ends.append(len(layers))
        outlets = tuple(_Outlet(at, _norm_in_force(layers[:at])) for at in ends)
        segments.append(_Segment(width, std, recentred, layers, outlets))
    return segments


def _norm_in_force(layers: Sequence[Layer]) -> int | None:
    """The last `Normalize` that no `Rescale` overrides."""
    for index in reversed(range(len(layers))):
        if isinstance(layers[index], Rescale):
            return None
        if isinstance(layers[index], Normalize):
            return index
    return None


def _split(entries: Array, sizes: tuple[int, ...]) -> Iterator[Array]:
    start = 0
    for size in sizes:
        yield entries[:, start : start + size]
        start += size


def _start(chain: Chain, batch: Array, backend: Backend) -> Array:
    """The factor of what the first weights are applied to: the batch after the layers before them."""
    xp = backend.xp
    rows = xp.asarray(batch, copy=True)
    for layer in chain.layers:
        if _is_linear(layer):
            break
        rows = layer.on_rows(rows, xp, rows.shape[-1])
    return backend.triangular(rows)


def _factors(
    order: Sequence[Sequence[_Segment]],
    factor: Array,
    unit_norm: bool,
    normals: Iterator[Array],
    backend: Backend,
) -> Iterator[Array]:
    xp = backend.xp
    for block in order:
        for segment in block:
            factors = _pass(segment, factor, normals, backend)
            if unit_norm:
                factors = [scaled_to(1.0, each, frobenius_norm(each, xp), xp) for each in factors]
            factor = factors[-1]
        yield factors[0]


def _pass(segment: _Segment, factor: Array, normals: Iterator[Array], backend: Backend) -> list[Array]:
    """The factor at each outlet of the segment, from the factor of its input."""
    xp, n = backend.xp, factor.shape[-2]
    factor = segment.std * factor
    if segment.recentred:
        factor = Recenter().on_rows(factor, xp, segment.width)
    folded = [_Folding(backend) for _ in segment.outlets]
    norms: dict[int, Array] = {}
    for _ in row_blocks(segment.width, block_rows(n)):
        rows = xp.matmul(factor, next(normals))
        for index, layer in enumerate(segment.layers):
            for outlet, fold in zip(segment.outlets, folded, strict=True):
                if outlet.at == index:
                    fold.add(rows)
            if isinstance(layer, Normalize):
                norm = frobenius_norm(rows, xp)
                norms[index] = xp.hypot(norms[index], norm) if index in norms else norm
            else:
                rows = layer.on_rows(rows, xp, segment.width)
        folded[-1].add(rows)
    target = (segment.width * n) ** 0.5
    return [
        fold.result() if outlet.norm is None else scaled_to(target, fold.result(), norms[outlet.norm], xp)
        for outlet, fold in zip(segment.outlets, folded, strict=True)
    ]


class _Folding:
    """The triangular factor of row blocks stacked, by QR of each and of their factors."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._factors: list[Array] = []

    def add(self, rows: Array) -> None:
        self._factors.append(self._backend.triangular(rows))
        if len(self._factors) == FOLD:
            self._factors = [self.result()]

    def result(self) -> Array:
        if len(self._factors) == 1:
            return self._factors[0]
        return self._backend.triangular(self._backend.xp.concat(self._factors, axis=-1))
