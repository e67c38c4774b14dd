"""The layers of a chain at infinite width from one start: Gram matrices, enclosed and in floats.

Where a chain has no map of spectra, its Gram matrices are followed (`simulators.mean_field.
gram_map`). A start is taken at mean square 1 an entry: K_0 = n C/tr C. Chains that see no scale see
no more than C; the others, such as vanilla(tanh), are claimed of there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

import flint
import numpy as np

from simulators.arrays import Floats
from simulators.chains import NamedChain
from simulators.engines.mean_field import GramMap, gram_map, gram_obstacle
from simulators.engines.mean_field.directions import UndecidedError
from theorems.workbench.exact_values import matrix_of
from theorems.workbench.parsing import refuse

__all__ = ["float_layer", "followed", "layer_at", "leaves_samples"]

Rational: TypeAlias = Fraction | flint.fmpq
Gram: TypeAlias = Sequence[Sequence[Rational]]

#: Layers are enclosed in half as many bits as a claim is decided in, and in no more than these:
#: integrals and expansions of activations cost the square of them.
_MOST_BITS = 128
_LEAST_BITS = 64
#: For starts next to a rank that is not full, of which every layer loses half the bits: until
#: entries, which are about 1, are known so well.
_BITS_AT_EDGES = 256
_AS_FLOATS = 2.0**-28


def followed(chain: NamedChain) -> GramMap:
    """The map of a named chain, for claims at infinite width.

    Raises ``ClaimError`` where it has none, with the reason: a layer, an activation without an
    enclosure, a parameter that is left open, a chain that may be another at another width.

    Example:
        >>> from simulators.chains import read_chain
        >>> followed(read_chain("vanilla(relu)")).unenclosed is None
        True
    """
    lost = f"the chain {chain.name} has no known map at infinite width"
    refuse(
        (
            not chain.listed,
            f"{lost}: a function of the width may give other layers at another one; put it under "
            "@named_chain() and name it",
        ),
        (
            bool(chain.numbers),
            f"{lost} while {', '.join(chain.numbers)} is open; write it, as in {chain.spelling}",
        ),
    )
    obstacle = gram_obstacle(chain.example)
    refuse((obstacle is not None, f"{lost}: {obstacle}"))
    found = gram_map(chain.example)
    refuse((found.unenclosed is not None, f"{lost} in balls: {found.unenclosed}"))
    return found


def leaves_samples(gram: Gram, *, recentres: bool, paired: bool) -> bool:
    """Whether a chain leaves something of a start, and every sample where they are ``paired``.

    - ``gram``: C = HᵀH, n × n, in rationals
    - ``recentres``: whether the chain subtracts the batch mean
    - ``paired``: whether angles between samples are asked for, which none that is 0 has

    Example:
        >>> leaves_samples(((1, 1), (1, 1)), recentres=True, paired=False)
        False
    """
    squares = [row[k] for k, row in enumerate(gram)]
    if recentres:
        # times n², as rationals of two libraries have no common quotient
        n, sums = len(gram), [sum(row) for row in gram]
        squares = [
            n * (n * x - 2 * total) + sum(sums) for x, total in zip(squares, sums, strict=True)
        ]
    return all(squares) if paired else any(squares)


def layer_at(gram: Gram, layers: GramMap, depth: int) -> flint.fmpq_mat | flint.arb_mat:
    """K after ``depth`` blocks, at FLINT's precision of the moment; exact at depth 0.

    - ``gram``: C of the start, n × n and not 0

    Layers are kept, so that other depths of the same start cost the difference.

    Example:
        >>> from simulators.chains import vanilla_chain
        >>> relu = gram_map(vanilla_chain(4, "relu"))
        >>> one = ((Fraction(1), Fraction(0)), (Fraction(0), Fraction(1)))
        >>> layer_at(one, relu, 1)[0, 1].overlaps(1 / (2 * flint.arb.pi()))
        True
    """
    bits = min(max(int(flint.ctx.prec) // 2, _LEAST_BITS), _MOST_BITS)
    return _Path.of(tuple(map(tuple, gram)), layers, bits).layer(depth)


class _Path:
    """The enclosed layers from one start, extended as they are asked for."""

    def __init__(self, gram: tuple[tuple[Rational, ...], ...], layers: GramMap, bits: int) -> None:
        first = matrix_of(gram)
        trace = sum((first[k, k] for k in range(len(gram))), flint.fmpq(0))
        self.known: list[flint.fmpq_mat | flint.arb_mat] = [first * (len(gram) / trace)]
        self.layers, self.bits = layers, bits
        self.alike = tuple(_first_equal(gram, i) for i in range(len(gram)))

    @staticmethod
    @lru_cache(maxsize=256)
    def of(gram: tuple[tuple[Rational, ...], ...], layers: GramMap, bits: int) -> _Path:
        return _Path(gram, layers, bits)

    def layer(self, depth: int) -> flint.fmpq_mat | flint.arb_mat:
        while len(self.known) <= depth:
            grown = self._next()
            known = all(bool(entry.rad() < _AS_FLOATS) for entry in grown.entries())
            if known or self.bits >= _BITS_AT_EDGES:
                self.known.append(grown)
            else:  # begun anew
                self.bits *= 2
                del self.known[1:]
        return self.known[depth]

    def _next(self) -> flint.arb_mat:
        """The layer after those that are known; of wide balls it may be anything."""
        last = self.known[-1].tolist()
        try:
            grown = self.layers.enclosure(last, precision=self.bits, alike=self.alike)
        except UndecidedError:
            grown = [[flint.arb(0, math.inf)] * len(last) for _ in last]
        return flint.arb_mat(grown)


def _first_equal(gram: Gram, i: int) -> int:
    """The first sample that is the same as this one: ‖h_i − h_j‖² = 0."""
    return next(j for j in range(i + 1) if gram[i][i] - 2 * gram[i][j] + gram[j][j] == 0)


def float_layer(first: Floats, layers: GramMap, depth: int) -> Floats:
    """Factors H of K after ``depth`` blocks, (k, n, n) with HᵀH = K; NaN where there is no K.

    - ``first``: batches (k, m, n), none of them 0

    Example:
        >>> from simulators.chains import vanilla_chain
        >>> found = float_layer(np.eye(2)[None], gram_map(vanilla_chain(4)), 3)
        >>> (found[0].T @ found[0]).round(12).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    gram = np.swapaxes(first, -1, -2) @ first
    gram *= (first.shape[-1] / np.trace(gram, axis1=1, axis2=2))[:, None, None]
    for _ in range(depth):
        gram = layers.follow(gram)
    lost = ~np.isfinite(gram).all(axis=(1, 2))
    gram[lost] = 0
    values, vectors = np.linalg.eigh(gram)
    values[lost] = np.nan
    scaled = vectors * np.sqrt(np.clip(values, 0.0, None))[:, None, :]
    return np.asarray(np.swapaxes(scaled, -1, -2))
