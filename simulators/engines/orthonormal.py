"""Q of a tall H = QR, of the very decomposition whose R `simulators.engines.factor.Folding` gives.

An engine that draws WH as GR, G = WQ, goes back through W by that G: it needs the Q that goes with
R. Householder's reflections make Q orthonormal whatever the rank of H, so that nothing is divided
by, and no rank decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise

from simulators.arrays import Array
from simulators.backend import Backend
from simulators.engines.factor import Folding

__all__ = ["Orthonormalising"]


@dataclass
class _Leaves:
    """``count`` leaves side by side in ``rows``, ``(group, n, count · m)``: in the first ``rank``
    of its n rows, Qᵀ of each.
    """

    rows: Array
    count: int
    rank: int


@dataclass
class _Joint:
    """Qᵀ of factors side by side, and for each factor by which step it was made, and its columns
    here.
    """

    basis: Array
    parts: list[tuple[int, slice]]


class Orthonormalising(Folding):
    """A folding that turns the blocks of rows that it is given into those of Qᵀ, in place.

    Blocks are views of one Hᵀ. They hold Qᵀ, ``(group, n, m)``, after `finish`, which gives what
    `Folding.result` gives for the same blocks, to the last bit. Cost: O(n² m) a block, some three
    times that of the factor alone.

    Example:
        >>> import numpy as np
        >>> from simulators.backend import NumpyBackend
        >>> rows = np.random.default_rng(0).standard_normal((1, 2, 6))
        >>> folding, basis = Orthonormalising(NumpyBackend("float64")), rows.copy()
        >>> folding.add(basis)
        >>> factor = folding.finish()
        >>> bool(np.abs(factor @ basis - rows).max() < 1e-14)
        True
        >>> np.abs(basis @ basis.mT).round(9).tolist()
        [[[1.0, 0.0], [0.0, 1.0]]]
    """

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self._steps: list[_Leaves | _Joint] = []
        self._makers: list[int] = []  # of each factor, the number of its step

    def finish(self) -> Array:
        """Rᵀ of all blocks, ``(group, n, n)``, whose rows hold those of Qᵀ from now on.

        At least n rows were added; nothing may be added afterwards.
        """
        factor, xp = self.result(), self._backend.xp
        turns: dict[int, Array] = {}
        for number, step in reversed(list(enumerate(self._steps))):
            turn = turns.pop(number, None)  # None at the root of the tree
            if isinstance(step, _Joint):
                basis = step.basis if turn is None else xp.matmul(turn, step.basis)
                turns |= {part: basis[..., columns] for part, columns in step.parts}
            elif turn is not None:
                (group, n, m), each = step.rows.shape, (step.count, -1)
                leaves = xp.reshape(step.rows[..., : step.rank, :], (group, step.rank, *each))
                turn = xp.permute_dims(xp.reshape(turn, (group, n, *each)), (0, 2, 1, 3))
                turned = xp.matmul(turn, xp.permute_dims(leaves, (0, 2, 1, 3)))
                step.rows[...] = xp.reshape(xp.permute_dims(turned, (0, 2, 1, 3)), (group, n, m))
        return factor

    def _leaf(self, rows: Array) -> Array:
        basis, factor = self._backend.orthonormal(rows)
        rows[..., : basis.shape[-2], :] = basis
        self._made(_Leaves(rows, 1, basis.shape[-2]))
        return factor

    def _leaves(self, rows: Array, leaf: int) -> Array:
        group, n, m = rows.shape
        xp = self._backend.xp
        leaves = xp.permute_dims(xp.reshape(rows, (group, n, m // leaf, leaf)), (0, 2, 1, 3))
        basis, factors = self._backend.orthonormal(leaves)
        rows[...] = xp.reshape(xp.permute_dims(basis, (0, 2, 1, 3)), rows.shape)
        self._made(_Leaves(rows, m // leaf, n))
        return xp.reshape(xp.permute_dims(factors, (0, 2, 1, 3)), (group, n, m // leaf * n))

    def _joint(self, factors: Array) -> Array:
        basis, factor = self._backend.orthonormal(factors)
        ends = accumulate((each.shape[-1] for each in self._factors), initial=0)
        columns = [slice(start, end) for start, end in pairwise(ends)]
        makers, self._makers = self._makers, []
        self._made(_Joint(basis, list(zip(makers, columns, strict=True))))
        return factor

    def _made(self, step: _Leaves | _Joint) -> None:
        self._makers.append(len(self._steps))
        self._steps.append(step)
