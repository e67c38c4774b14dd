"""An orthonormal basis whose first vectors are Q of a tall H = QR, of the very decomposition whose
R `simulators.engines.factor.Folding` gives.

An engine that draws WH as GR, G = WQ, goes back through W by that G: it needs the Q that goes with
R, and the complement of its span. Householder's reflections are both, whatever the rank of H, so
that nothing is divided by, and no rank decided. The basis is kept as they are and never formed:
k of them make I − V T Vᵀ (Schreiber, Van Loan 1989), by which rows are turned in two products.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulators.arrays import Array, Namespace
from simulators.backend import Backend
from simulators.engines.factor import Folding

__all__ = ["Completing"]

Places: TypeAlias = slice | NDArray[np.int64]


@dataclass(frozen=True)
class _Turn:
    """I − V T Vᵀ of the rows in some ``places``, or of those in each of some ``leaves`` there.

    ``vectors`` are Vᵀ, ``(group, k, m)`` or ``(group, leaves, k, m)``; ``middle`` is Tᵀ.
    """

    places: Places
    vectors: Array
    middle: Array
    leaves: int

    def of(self, rows: Array, xp: Namespace) -> Array:
        """What it makes of ``rows``, ``(group, [leaves,] any, m)``."""
        seen = xp.matmul(xp.matmul(rows, self.vectors.mT), self.middle)
        return rows - xp.matmul(seen, self.vectors)


@lru_cache(maxsize=16)
def _halves(backend: Backend, k: int) -> tuple[Array, Array]:
    """Ones above the diagonal, and the identity, ``(k, k)``."""
    return backend.array(np.triu(np.ones((k, k)), 1)), backend.array(np.eye(k))


class Completing(Folding):
    """A folding that also keeps an orthonormal basis of which Q, with H = QR, are the first n
    vectors.

    After `finish`, which gives what `Folding.result` gives for the same blocks, to the last bit,
    `from_basis` takes coordinates in the basis to rows. Cost: O(n² m) a block, some twice that of
    the factor alone; memory O(n m), which ``kept`` takes a copy into, if it is given.

    Example:
        >>> import numpy as np
        >>> from simulators.backend import NumpyBackend
        >>> rows = np.random.default_rng(0).standard_normal((1, 2, 6))
        >>> folding = Completing(NumpyBackend("float64"))
        >>> folding.add(rows)
        >>> factor = folding.finish()
        >>> bool(np.abs(folding.from_basis(factor, np.zeros((1, 2, 6))) - rows).max() < 1e-14)
        True
    """

    def __init__(self, backend: Backend, kept: Callable[[Array], Array] | None = None) -> None:
        super().__init__(backend)
        self._kept = kept
        self._turns: list[_Turn] = []
        self._heads: list[NDArray[np.int64]] = []  # for each factor, where its columns stand
        self._rows = 0

    def finish(self) -> Array:
        """Rᵀ of all blocks, ``(group, n, n)``.

        At least n rows were added; nothing may be added afterwards.
        """
        return self.result()

    def from_basis(self, along: Array, others: Array) -> Array:
        """Rows, ``(group, k, m)``, with the coordinates ``along`` Q, ``(group, k, n)``, and along
        the rest of the basis those that stand in ``others``, ``(group, k, m)``, after the first n.

        ``others`` are overwritten. Cost: O(n k m).
        """
        xp = self._backend.xp
        others[..., : along.shape[-1]] = along
        for turn in reversed(self._turns):
            part = others[..., turn.places]
            if turn.leaves == 1:
                others[..., turn.places] = turn.of(part, xp)
                continue
            (group, k, m), each = part.shape, (turn.leaves, -1)
            part = xp.permute_dims(xp.reshape(part, (group, k, *each)), (0, 2, 1, 3))
            part = xp.permute_dims(turn.of(part, xp), (0, 2, 1, 3))
            others[..., turn.places] = xp.reshape(part, (group, k, m))
        return others

    def _leaf(self, rows: Array) -> Array:
        start, m = self._rows, rows.shape[-1]
        self._rows += m
        heads = np.arange(start, start + min(m, rows.shape[-2]))
        return self._noted(slice(start, start + m), heads, rows)

    def _leaves(self, rows: Array, leaf: int) -> Array:
        start, (group, n, m), xp = self._rows, rows.shape, self._backend.xp
        self._rows += m
        heads = np.add.outer(np.arange(start, start + m, leaf), np.arange(n)).ravel()
        leaves = xp.permute_dims(xp.reshape(rows, (group, n, m // leaf, leaf)), (0, 2, 1, 3))
        factors = self._noted(slice(start, start + m), heads, leaves)
        return xp.reshape(xp.permute_dims(factors, (0, 2, 1, 3)), (group, n, m // leaf * n))

    def _joint(self, factors: Array) -> Array:
        places = np.concatenate(self._heads)
        self._heads = []
        return self._noted(places, places[: factors.shape[-2]], factors)

    def _noted(self, places: Places, heads: NDArray[np.int64], rows: Array) -> Array:
        """The factor of ``rows``, ``(group, n, m)`` or ``(group, leaves, n, m)``, the reflections
        kept.
        """
        xp = self._backend.xp
        vectors, lengths, factor = self._backend.reflections(rows)
        if self._kept is not None:
            vectors = self._kept(vectors)
        # T is upper triangular, and its inverse the upper half of VᵀV with 1/τ on the diagonal.
        upper, unit = _halves(self._backend, lengths.shape[-1])
        above = xp.matmul(vectors, vectors.mT) * upper
        above *= lengths[..., None, :]
        middle = xp.linalg.inv(above + unit) * lengths[..., None]
        self._turns.append(_Turn(places, vectors, middle.mT, math.prod(rows.shape[1:-2])))
        self._heads.append(heads)
        return factor
