"""The way of a group of replicas through the layers, the whole representation in hand.

What the engines that go this way have in common; they differ in how they apply weights.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from simulators.arrays import Array, Floats
from simulators.backend import Backend
from simulators.chains import Chain
from simulators.engines.derivatives import Accompanied, Derivatives, rows_tried
from simulators.engines.notes import Mapping, Notes, Weighted
from simulators.engines.rounding import Copies, logarithm, worst
from simulators.layers import (
    Bias,
    DrawingLayer,
    Recenter,
    RowLayer,
    ScaleResponse,
    WeightLayer,
    frobenius_norm,
    scaled_to,
)

__all__ = ["Passage", "steps"]

_TRIAL = 2.0**8
"""Roundings by which rows and gradient are moved for a trial: it stands above rounding itself, and
what is all cancelled comes out as spoiled."""


class Passage(ABC):
    """One group on its way through the layers; ``draws`` are its random numbers, unit by unit.

    On the way back, a block is left layer by layer, gradient in hand: by what `weighted_both_ways`
    gave, and by `pulled_through`. Tangents come along forward, through weights as further samples.

    Example:
        >>> import numpy as np
        >>> from simulators.backend import NumpyBackend
        >>> from simulators.layers import Linear
        >>> class Unweighted(Passage):
        ...     def weighted_by(self, layer, rows, free):
        ...         return rows
        ...     def weighted_both_ways(self, layer, rows, free, notes):
        ...         return rows, lambda gradient: gradient, 1.0
        >>> passage, chain = Unweighted(NumpyBackend("float64"), iter(())), Chain((Linear(2),))
        >>> batch, copies = np.eye(2)[None], Copies.among(np.eye(2), chain)
        >>> [found.rows.shape for found in passage.representations(chain, batch, copies, 2)]
        [(1, 2, 2), (1, 2, 2)]
    """

    def __init__(self, backend: Backend, draws: Iterator[Array], tangents: int = 0) -> None:
        self._backend, self.draws = backend, draws
        self._count = tangents  # of a replica, where any come along
        self.noise: Iterator[Array] = iter(())  # normals for the way back
        self._log_scale: Floats | float = 0.0  # log of what H was divided by so far

    def representations(
        self,
        chain: Chain,
        batch: Array,
        copies: Copies,
        depth: int,
        tangents: Derivatives | None = None,
    ) -> Iterator[Accompanied]:
        """Hᵀ after each of ``depth`` blocks, ``(group, n, width)``, good until the next is asked
        for.

        ``batch`` is H₀ᵀ, ``(1, n, d₀)``; ``copies`` are its samples that remain equal to others;
        ``tangents`` are those at the batch, if any are to come along.
        """
        rows = self._backend.xp.asarray(batch, copy=True)
        yield from self.onward(chain, rows, copies, range(depth), tangents=tangents)

    def onward(
        self,
        chain: Chain,
        rows: Array,
        copies: Copies,
        blocks: range,
        notes: Notes | None = None,
        tangents: Derivatives | None = None,
    ) -> Iterator[Accompanied]:
        """Hᵀ after each of the ``blocks``, from ``rows``, Hᵀ before the first of them, which may be
        overwritten, as may the ``tangents`` there.

        Blocks are numbered from 0, which acts on the batch. What is needed to come back through
        them goes into ``notes``, if these are given.
        """
        xp = self._backend.xp
        linear = chain.scaling is ScaleResponse.LINEAR
        opening, others = chain.opening.centring_early, chain.centring_early
        for place in blocks:
            block = others if place else opening
            cancelled: Floats | None = None
            if tangents is not None:
                tried = rows_tried(place, max(rows.shape[-1], *block.widths(rows.shape[-1])))
                if not place and chain.leading_recenter is not None:
                    centring = Mapping([Recenter()], None, False)
                    tangents = self._tangents_past(centring, tried, tangents)
            if notes is not None:
                notes.begin()
            for number, layers in steps(block):
                if isinstance(layers, Bias):  # which gradients pass as they are
                    rows = layers.added(rows, next(self.draws))
                    continue
                if isinstance(layers, WeightLayer):
                    free = block.forgotten_factors[number]
                    rows, tangents = self._through_weights(layers, rows, free, notes, tangents)
                    continue
                drawn = number > 0 and isinstance(block.layers[number - 1], DrawingLayer)
                if notes is not None:
                    notes.mapped(layers, rows, drawn)
                if tangents is not None:
                    mapping = Mapping(layers, rows, drawn)
                    tangents = self._tangents_past(mapping, tried, tangents)
                if isinstance(layers[0], Recenter) and number:
                    before = frobenius_norm(rows, xp)
                    rows = self.mapped_by(layers, rows)
                    cancelled = worst(cancelled, before, frobenius_norm(rows, xp), self._backend)
                else:
                    rows = self.mapped_by(layers, rows)
            log_scale = None
            if linear:
                norm = frobenius_norm(rows, xp)
                rows = scaled_to(1.0, rows, norm, xp)
                log_scale = self._log_scale = self._log_scale + logarithm(norm, self._backend)
            if tangents is not None:
                tangents = tangents.past(tried, self._backend)
            yield Accompanied(copies.restored(rows), cancelled, log_scale, tangents)

    def _through_weights(
        self,
        layer: WeightLayer,
        rows: Array,
        free: bool,
        notes: Notes | None,
        tangents: Derivatives | None,
    ) -> tuple[Array, Derivatives | None]:
        """H and tangents side by side: they see the same weights."""
        n, given = rows.shape[-2], rows
        if tangents is not None:
            given = self._beside(rows, tangents.rows)
        if notes is None:
            found = self.weighted_by(layer, given, free)
        else:
            products = notes.products_of(rows)
            found, back, gain = self.weighted_both_ways(layer, given, free, notes)
            notes.ways[-1].append(Weighted(back, gain, products))
        if tangents is None:
            return found, None
        ahead = self._backend.xp.reshape(found[..., n:, :], (-1, n, found.shape[-1]))
        return found[..., :n, :], tangents.moved_to(ahead)

    def _beside(self, rows: Array, tangents: Array) -> Array:
        """``(group, n + n · count, width)``, of rows ``(group or 1, n, width)`` and tangents
        ``(group · count, n, width)``.
        """
        xp, (_, n, width) = self._backend.xp, tangents.shape
        group = max(len(rows), len(tangents) // self._count)
        held = xp.broadcast_to(rows, (group, n, width))
        return xp.concat([held, xp.reshape(tangents, (group, -1, width))], axis=-2)

    def _tangents_past(self, mapping: Mapping, tried: int, tangents: Derivatives) -> Derivatives:
        """Tangents before the layers of the ``mapping`` to those after them."""
        rows = mapping.rows
        if all(isinstance(layer, Recenter) for layer in mapping.layers):
            rows = None
        if rows is not None:  # of its own for each tangent, as layers may write into it
            xp, (_, n, width) = self._backend.xp, tangents.rows.shape
            shape = len(tangents.rows) // self._count, self._count, n, width
            rows = xp.asarray(xp.broadcast_to(rows[:, None], shape), copy=True)
            rows = xp.reshape(rows, (-1, n, width))
        mapping = replace(mapping, rows=rows)
        found, cancelled = self._taken_through(mapping, tangents.rows, tried, self._derivative)
        tangents = tangents.moved_to(found)
        return tangents if cancelled is None else tangents.cancelled(cancelled, self._backend)

    @abstractmethod
    def weighted_by(self, layer: WeightLayer, rows: Array, free: bool) -> Array:
        """The layer's output, ``(group, n, width)``; its input may be overwritten by the next
        one's.

        If ``free``, a multiple of it will do.
        """

    def mapped_by(self, layers: Sequence[RowLayer], rows: Array) -> Array:
        """The images of ``rows`` under layers one after another.

        Args:
            layers: without weights, in order.
            rows: Hᵀ, ``(..., n, width)``, which layers may write into.

        Returns:
            Of that shape.

        Cost: that of the layers, O(n width) each.
        """
        for layer in layers:
            rows = layer.on_rows(rows, self._backend.xp, rows.shape[-1])
        return rows

    @abstractmethod
    def weighted_both_ways(
        self, layer: WeightLayer, rows: Array, free: bool, notes: Notes
    ) -> tuple[Array, Callable[[Array], Array], float]:
        """What `weighted_by` gives, what takes a gradient there, ``(group, n, width)``, which may
        be overwritten, to that at the layer's input, and how many times WH is in what it gives.

        Draws are good for good; what else is kept is kept by the ``notes``.
        """

    def pulled_through(
        self, mapping: Mapping, gradient: Array, tried: int
    ) -> tuple[Array, Floats | None]:
        """The gradient before the layers of ``mapping``, from that after them, ``(group, n,
        width)``; and how much they cancelled, ``(group,)``: relative errors of rows and gradient
        come out so much larger. Rows and gradient may be overwritten.

        That is tried on the first ``tried`` rows of each block, if every layer maps each row by
        itself, and else on all; for none, it is None. What weights gave is moved by roundings of a
        sample's largest entry, other rows by those of each entry.
        """
        return self._taken_through(mapping, gradient, tried, self._adjoint)

    def _taken_through(
        self,
        mapping: Mapping,
        gradient: Array,
        tried: int,
        taken: Callable[[Sequence[RowLayer], Array, Array, int], Array],
    ) -> tuple[Array, Floats | None]:
        """The same by the adjoint or the derivative of the layers."""
        xp, layers, weighted = self._backend.xp, mapping.layers, mapping.drawn
        n, width = gradient.shape[-2:]
        rows = gradient if mapping.rows is None else mapping.rows
        if rows.shape != gradient.shape:  # a layer may write into either
            rows = xp.asarray(xp.broadcast_to(rows, gradient.shape), copy=True)
        separable = all(layer.each_row for layer in layers)
        blocks = self._row_blocks(width, n) if separable else [slice(0, width)]
        moved = left = xp.zeros_like(gradient[:, :1, :1])
        some = slice(0, tried if separable else tried and width)
        for block in blocks:
            given, part = rows[..., block], gradient[..., block]
            if tried:
                beside = self._moved(part[..., some], 1, True)
                nearby = beside
                if mapping.rows is not None:
                    nearby = self._moved(given[..., some], 0, weighted)
                beside = taken(layers, nearby, beside, width)
            part = taken(layers, given, part, width)
            if tried:
                left = xp.hypot(left, frobenius_norm(part[..., some], xp))
                moved = xp.hypot(moved, frobenius_norm(beside - part[..., some], xp))
            if len(blocks) == 1:
                gradient = part
            else:
                gradient[..., block] = part
        return gradient, self._ratio(moved, left) if tried else None

    def _row_blocks(self, width: int, n: int) -> Sequence[slice]:
        """The blocks of rows in which layers that map each row by itself are gone through."""
        return [slice(0, width)]

    def _adjoint(
        self, layers: Sequence[RowLayer], rows: Array, gradient: Array, width: int
    ) -> Array:
        xp, backs = self._backend.xp, []
        for layer in layers[:-1]:
            rows, back = layer.with_pullback(rows, xp, width)
            backs.append(back)
        gradient = layers[-1].pullback(rows, gradient, xp, width)
        for back in reversed(backs):
            gradient = back(gradient)
        return gradient

    def _derivative(
        self, layers: Sequence[RowLayer], rows: Array, tangent: Array, width: int
    ) -> Array:
        xp = self._backend.xp
        for layer in layers[:-1]:
            rows, forward = layer.with_pushforward(rows, xp, width)
            tangent = forward(tangent)
        return layers[-1].pushforward(rows, tangent, xp, width)

    def _moved(self, part: Array, which: int, together: bool) -> Array:
        """``part`` moved by some roundings: of each entry, or, ``together``, of the largest of each
        sample.
        """
        xp = self._backend.xp
        sizes = xp.max(xp.abs(part), axis=-1, keepdims=True) if together else part
        return part + sizes * _moves(self._backend, which, *part.shape[-2:])

    def _ratio(self, moved: Array, left: Array) -> Floats:
        """``moved`` over ``left``, in units of what rows and gradient were moved by."""
        sizes = [self._backend.numpy(each).astype(np.float64)[:, 0, 0] for each in (moved, left)]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            found = sizes[0] / sizes[1] / _trial(self._backend.dtype)
        found = np.where(sizes[0] == 0, 0.0, found)
        return np.where(np.isfinite(sizes[1]), np.nan_to_num(found, nan=np.inf), np.inf)


def _trial(dtype: str) -> float:
    return _TRIAL * float(np.finfo(dtype).eps) / 2


@lru_cache(maxsize=8)
def _moves(backend: Backend, which: int, n: int, m: int) -> Array:
    """By how much the entries of a block are moved, relatively, ``(n, m)``."""
    spread = np.random.default_rng(which).standard_normal((n, m))
    return backend.array(_trial(backend.dtype) * spread)


def steps(block: Chain) -> Iterator[tuple[int, DrawingLayer | list[RowLayer]]]:
    """The layers with the number of the first: those that draw nothing together, but a late
    centring alone.

    Example:
        >>> from simulators.layers import Linear, Rescale
        >>> [number for number, _ in steps(Chain((Linear(2), Rescale(), Recenter())))]
        [0, 1, 2]
    """
    together: list[RowLayer] = []
    for number, layer in enumerate(block.layers):
        alone = isinstance(layer, DrawingLayer) or (isinstance(layer, Recenter) and number > 0)
        if alone and together:
            yield number - len(together), together
            together = []
        if isinstance(layer, DrawingLayer):
            yield number, layer
        elif alone:
            yield number, [layer]
        else:
            together.append(layer)
    if together:
        yield len(block.layers) - len(together), together
