"""The way of a group of replicas through the layers, the whole representation in hand.

What the engines that go this way have in common; they differ in how they apply weights.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np

from simulators.arrays import Array, Floats
from simulators.backend import Backend
from simulators.chains import Chain
from simulators.engines.rounding import Copies, Representation, logarithm, worst
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

    On the way back, each block is gone through again and then left layer by layer, gradient in
    hand: by what `weighted_again` gives, and by `pulled_through`.

    Example:
        >>> import numpy as np
        >>> from simulators.backend import NumpyBackend
        >>> from simulators.layers import Linear
        >>> class Unweighted(Passage):
        ...     def weighted_by(self, layer, rows, free):
        ...         return rows
        ...     def weighted_again(self, layer, rows, drawn):
        ...         return rows, lambda gradient: gradient
        >>> passage, chain = Unweighted(NumpyBackend("float64"), iter(())), Chain((Linear(2),))
        >>> batch, copies = np.eye(2)[None], Copies.among(np.eye(2), chain)
        >>> [found.rows.shape for found in passage.representations(chain, batch, copies, 2)]
        [(1, 2, 2), (1, 2, 2)]
    """

    def __init__(self, backend: Backend, draws: Iterator[Array]) -> None:
        self._backend, self.draws = backend, draws
        self.noise: Iterator[Array] = iter(())  # normals for the way back
        self._log_scale: Floats | float = 0.0  # log of what H was divided by so far

    def representations(
        self, chain: Chain, batch: Array, copies: Copies, depth: int
    ) -> Iterator[Representation]:
        """Hᵀ after each of ``depth`` blocks, ``(group, n, width)``, good until the next is asked
        for.

        ``batch`` is H₀ᵀ, ``(1, n, d₀)``; ``copies`` are its samples that remain equal to others.
        """
        rows = self._backend.xp.asarray(batch, copy=True)
        yield from self.onward(chain, rows, copies, range(depth))

    def onward(
        self, chain: Chain, rows: Array, copies: Copies, blocks: range
    ) -> Iterator[Representation]:
        """Hᵀ after each of the ``blocks``, from ``rows``, Hᵀ before the first of them, which may be
        overwritten.

        Blocks are numbered from 0, which acts on the batch.
        """
        xp = self._backend.xp
        linear = chain.scaling is ScaleResponse.LINEAR
        opening, others = chain.opening.centring_early, chain.centring_early
        for place in blocks:
            block = others if place else opening
            cancelled = None
            for number, layers in steps(block):
                if isinstance(layers, DrawingLayer):
                    rows = self.drawn_by(layers, rows, block.forgotten_factors[number])
                elif isinstance(layers[0], Recenter) and number:
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
            yield Representation(copies.restored(rows), cancelled, log_scale)

    def drawn_by(self, layer: DrawingLayer, rows: Array, free: bool) -> Array:
        """The output of a layer that draws, of its next draws; see `weighted_by`."""
        if isinstance(layer, Bias):
            return layer.added(rows, next(self.draws))
        return self.weighted_by(layer, rows, free)

    def drawn_again(
        self, layer: DrawingLayer, rows: Array, drawn: Sequence[Array]
    ) -> tuple[Array, Callable[[Array], Array]]:
        """The output of a layer that draws, by what it drew before, and its way back; see
        `weighted_again`.
        """
        if isinstance(layer, Bias):
            return layer.added(rows, drawn[0]), lambda gradient: gradient
        return self.weighted_again(layer, rows, drawn)

    @abstractmethod
    def weighted_by(self, layer: WeightLayer, rows: Array, free: bool) -> Array:
        """The layer's output, ``(group, n, width)``; its input may be overwritten by the next
        one's.

        If ``free``, a multiple of it will do.
        """

    def mapped_by(self, layers: Sequence[RowLayer], rows: Array) -> Array:
        """The images of ``rows`` under layers one after another, which may be written into them."""
        for layer in layers:
            rows = layer.on_rows(rows, self._backend.xp, rows.shape[-1])
        return rows

    @abstractmethod
    def weighted_again(
        self, layer: WeightLayer, rows: Array, drawn: Sequence[Array]
    ) -> tuple[Array, Callable[[Array], Array]]:
        """The layer's output, no multiple, by what was ``drawn`` for it before, unit by unit; and
        what takes a gradient there, ``(group, n, width)``, to that at its input. ``rows`` may be
        overwritten, and so may the gradient.
        """

    def pulled_through(
        self,
        layers: Sequence[RowLayer],
        rows: Array,
        gradient: Array,
        tried: int,
        weighted: bool,
    ) -> tuple[Array, Floats | None]:
        """The gradient at ``rows``, from that at their image under the layers, one after another;
        and how much they cancelled, ``(group,)``: relative errors of rows and gradient come out
        so much larger. Rows and gradient may be overwritten.

        That is tried on the first ``tried`` rows of each block, if every layer maps each row by
        itself, and else on all; for none, it is None. What weights gave is moved by roundings of a
        sample's largest entry, other rows by those of each entry.
        """
        xp = self._backend.xp
        n, width = rows.shape[-2:]
        if rows.shape != gradient.shape:  # a layer may write into either
            rows = xp.asarray(xp.broadcast_to(rows, gradient.shape), copy=True)
        separable = all(layer.each_row for layer in layers)
        blocks = self._row_blocks(width, n) if separable else [slice(0, width)]
        if not tried:
            for block in blocks:
                part = gradient[..., block]
                gradient[..., block] = self._adjoint(layers, rows[..., block], part, width)
            return gradient, None
        if not separable:
            given = xp.stack([rows, self._moved(rows, 0, weighted)])
            back = xp.stack([gradient, self._moved(gradient, 1, True)])
            found = self._adjoint(layers, given, back, width)
            moved, left = (frobenius_norm(each, xp) for each in (found[1] - found[0], found[0]))
            return found[0], self._ratio(moved, left)
        left = moved = xp.zeros_like(gradient[:, :1, :1])
        for block in blocks:
            given, back = rows[..., block], gradient[..., block]
            size = given.shape[-1]
            given = xp.concat([given, self._moved(given[..., :tried], 0, weighted)], axis=-1)
            back = xp.concat([back, self._moved(back[..., :tried], 1, True)], axis=-1)
            found = self._adjoint(layers, given, back, width)
            gradient[..., block] = found[..., :size]
            again = found[..., size:]
            once = found[..., : again.shape[-1]]
            left = xp.hypot(left, frobenius_norm(once, xp))
            moved = xp.hypot(moved, frobenius_norm(again - once, xp))
        return gradient, self._ratio(moved, left)

    def _row_blocks(self, width: int, n: int) -> Sequence[slice]:
        """The blocks of rows in which layers that map each row by itself are gone through."""
        return [slice(0, width)]

    def _adjoint(
        self, layers: Sequence[RowLayer], rows: Array, gradient: Array, width: int
    ) -> Array:
        xp = self._backend.xp
        inputs = [rows]
        for layer in layers[:-1]:
            inputs.append(layer.on_rows(xp.asarray(inputs[-1], copy=True), xp, width))
        for layer, given in zip(reversed(layers), reversed(inputs), strict=True):
            gradient = layer.pullback(given, gradient, xp, width)
        return gradient

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
