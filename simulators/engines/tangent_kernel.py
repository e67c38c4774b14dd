"""The empirical tangent kernel of a network, summed layer by layer on the way back.

For a number f_i of every sample i, K_ij = Σ ⟨∂f_i/∂W, ∂f_j/∂W⟩ over the matrices W of weights. With
A = WH, ∂f_i/∂W is Σ_a (∂f_i/∂A_a) H_aᵀ over the samples a, so that a matrix contributes
Σ_ab (HᵀH)_ab ⟨∂f_i/∂A_a, ∂f_j/∂A_b⟩, and nothing of its size is needed. Where f_i depends on
sample i alone, a = i and b = j are left: (HᵀH)∘(ΓᵀΓ), Γ the gradients of all f_i together.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from array_api_compat import device
from numpy.typing import NDArray

from simulators.arrays import Array, Floats
from simulators.backend import Backend
from simulators.engines.powers_of_two import levelled, peaks
from simulators.engines.rounding import ROUNDINGS

__all__ = ["TangentKernel"]

_ROOM = 8
"""Entries are kept within this power of two where squares of products of them are summed."""

_NOTHING = -(2**20)
"""The power of two that is 0 in floats."""

_ENTRIES = 2**20
"""Entries of gradients gone through at once, over all outputs and replicas, unless a row has
more."""


class TangentKernel:
    """K of a group of replicas: ``products``, ``(g, n, n)`` in float64, times 2 to the power of
    ``exponents``, ``(g,)``.

    ``apart`` says that there is a gradient for each of the ``samples`` outputs; else one stands for
    all, each sample's column being that of its own output. `add` takes what weights contribute.

    Example:
        >>> from simulators.backend import NumpyBackend
        >>> backend = NumpyBackend("float64")
        >>> kernel = TangentKernel(1, 2, False, backend)
        >>> H, gradient, none = np.eye(2)[None], np.ones((1, 2, 3)), np.zeros(1, np.int64)
        >>> kernel.add(kernel.inputs(H), np.zeros(1), gradient, none, np.zeros(1))
        >>> (kernel.products * np.exp2(kernel.exponents)).tolist()
        [[[3.0, 0.0], [0.0, 3.0]]]
    """

    def __init__(self, group: int, samples: int, apart: bool, backend: Backend) -> None:
        self._group, self._samples, self._apart, self._backend = group, samples, apart, backend
        self.exponents = np.zeros(group, dtype=np.int64)
        xp = backend.xp
        self.products: Array = xp.astype(
            backend.array(np.zeros((group, samples, samples))), xp.float64
        )
        self._moved: Floats = np.zeros(group)  # by rounding, the trace, at most

    @property
    def error(self) -> Floats:
        """How far rounding may have moved K, relative to its trace, ``(g,)``, in [0, 1].

        1 where K is 0, or not a number, and something may have moved it.
        """
        traces = self._traces(self.products)
        moved = np.where(self._moved > 0, self._moved / np.where(traces > 0, traces, 1.0), 0.0)
        return np.where(np.isnan(moved) | ((traces <= 0) & (moved > 0)), 1.0, np.minimum(moved, 1))

    def inputs(self, rows: Array) -> tuple[Array, NDArray[np.int64]]:
        """HᵀH of the input Hᵀ of weights, ``(g or 1, n, d)``, over 2 to the power of the numbers
        beside it.

        Cost: O(n² d).
        """
        rows, exponents = levelled(rows, peaks(rows, self._backend), _ROOM, self._backend)
        return self._backend.xp.matmul(rows, rows.mT), 2 * exponents

    def add(
        self,
        inputs: tuple[Array, NDArray[np.int64]],
        logarithms: Floats,
        gradients: Array,
        exponents: NDArray[np.int64],
        errors: Floats,
    ) -> None:
        """Add what a matrix of weights contributes, from what `inputs` gave for it.

        The contribution is to be multiplied by the exponential of ``logarithms``, ``(g,)``, and
        ``gradients`` at its output A, ``(g · k, n, width)``, by 2 to the power of ``exponents``,
        ``(g · k,)``. There is one gradient a replica, k = 1, or one for each output first among k.
        ``errors``, ``(g · k,)``, is how far rounding may have moved each, relative to its norm.

        Cost: O(n² width), for an output each O(n³ width).
        """
        backend, xp = self._backend, self._backend.xp
        gram, of_inputs = inputs
        gradients, own = levelled(gradients, peaks(gradients, backend), _ROOM, backend)
        shape = self._group, -1, *gradients.shape[1:]
        gradients = xp.reshape(gradients, shape)[:, : self._outputs]
        of_outputs = (exponents + own).reshape(self._group, -1)[:, : self._outputs]
        common = of_outputs.max(axis=1)
        spread = np.ldexp(1.0, np.maximum(of_outputs - common[:, None], _NOTHING))
        whole = np.floor(logarithms / np.log(2))
        left = np.exp(logarithms - whole * np.log(2))
        factors = spread[:, :, None] * spread[:, None, :] * left[:, None, None]
        found = xp.astype(self._contribution(gram, gradients), xp.float64) * self._here(factors)
        traces = self._traces(found)
        size = traces
        if self._apart:  # sums over samples may cancel
            squares = backend.numpy(xp.sum(gradients * gradients, axis=(-2, -1))) * spread**2
            size = squares.sum(axis=1) * left * self._traces(gram)
        error = errors.reshape(self._group, -1)[:, : self._outputs].max(axis=1)
        error = np.maximum(error, ROUNDINGS * float(np.finfo(backend.dtype).eps) / 2)
        moved = error * (2 * np.sqrt(traces * size) + error * size)
        self._put(found, moved, 2 * common + of_inputs + whole.astype(np.int64))

    @property
    def _outputs(self) -> int:
        return self._samples if self._apart else 1

    def _contribution(self, gram: Array, gradients: Array) -> Array:
        xp, n = self._backend.xp, self._samples
        if not self._apart:
            return gram * xp.matmul(gradients[:, 0], gradients[:, 0].mT)
        found = 0.0 * gram
        for block in self._blocks(gradients.shape[-1]):
            part = gradients[..., block]
            seen = xp.matmul(gram[:, None], part)
            shape = (self._group, n, -1)
            found = found + xp.matmul(xp.reshape(part, shape), xp.reshape(seen, shape).mT)
        return (found + found.mT) / 2

    def _blocks(self, width: int) -> Iterator[slice]:
        size = max(1, _ENTRIES // (self._group * self._samples**2))
        return (slice(start, start + size) for start in range(0, width, size))

    def _traces(self, matrices: Array) -> Floats:
        found = self._backend.numpy(self._backend.xp.linalg.trace(matrices))
        return np.maximum(found.astype(np.float64), 0.0)

    def _put(self, found: Array, moved: Floats, exponents: NDArray[np.int64]) -> None:
        """Add ``found`` times 2 to the power of ``exponents``, each scale where there is one, and
        what rounding ``moved``.
        """
        backend = self._backend
        held, new = (peaks(each, backend) != 0 for each in (self.products, found))
        common = np.where(held, self.exponents, exponents)
        common = np.where(new, np.maximum(common, exponents), common)
        for_held, for_new = (
            np.ldexp(1.0, np.clip(each - common, _NOTHING, 0))
            for each in (self.exponents, exponents)
        )
        products = self.products * self._here(for_held[:, None, None])
        products = products + found * self._here(for_new[:, None, None])
        self.products, own = levelled(products, peaks(products, backend), _ROOM, backend)
        self._moved = np.ldexp(self._moved * for_held + moved * for_new, -own)
        self.exponents = common + own

    def _here(self, factors: Floats) -> Array:
        xp = self._backend.xp
        return xp.asarray(factors, dtype=xp.float64, device=device(self.products))
