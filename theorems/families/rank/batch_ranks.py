"""Simulated batches of n samples at width d: what of their rank is kept at depth, on average.

Networks start from a batch of full rank, orthogonal samples unless a user's own, run until that is
forgotten, and are averaged over the layers that follow. Each gives one average, so layers may be as
correlated as they like. From full rank the excess is forgotten in some tens of √d layers, the
slowest near n = 2√d.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from array_api_compat import array_namespace

from simulators import Chain, rescale_chain, simulate
from simulators.arguments import require, whole_number
from simulators.arrays import Array, Namespace
from simulators.observables import Observable, gram
from theorems.checking.lost_samples import rounding_of
from theorems.checking.medians import Case, Floats, Medians, Sample
from theorems.context import Context

__all__ = ["BURN_IN", "WINDOW", "BatchRun", "ChainOf", "batch_medians", "shares"]

#: Layers before averaging begins, and during it, in units of √d; two looks in each unit.
BURN_IN, WINDOW = 30, 100
#: Widest batch of a user that is run, the rank it may have, and the ratio of its singular values:
#: what starts small takes long to grow near n = 2√d, longer than is waited.
LARGEST, WIDEST, UNEVEN = 128, 64, 10

ChainOf = Callable[[int], Chain]


def shares(H: Array, *, width: int) -> Array:
    """√d m_2, d m_3, d^(3/2) m_4, λ_max(M)/√d and the soft rank of threshold ½ over √d, from one
    spectrum; shape (..., 5).

    m_k = Tr Cᵏ of C = HᵀH scaled to trace 1, so that m_2 = 1/r, and √d λ_max(C) = λ_max(M)/√d.
    ``H``: (..., width, n), or a thin factor of it.

    Example:
        >>> shares(np.eye(4), width=4).tolist()
        [0.5, 0.25, 0.125, 0.5, 2.0]
    """
    xp: Namespace = array_namespace(H)
    found = xp.linalg.eigvalsh(gram(H))
    scaled = math.sqrt(width) * found / xp.sum(found, axis=-1, keepdims=True)
    root, square = math.sqrt(width), scaled * scaled
    powers = (square, square * scaled, square * square)
    sums = [xp.sum(power, axis=-1) / root for power in powers]
    half = xp.astype(2 * root * scaled >= 1, scaled.dtype)
    return xp.stack([*sums, xp.max(scaled, axis=-1), xp.sum(half, axis=-1) / root], axis=-1)


_SHARES = Observable("shares", shares, gram=True)


@dataclass(frozen=True)
class BatchRun:
    """So many independent networks of a width, from so many orthogonal samples.

    ``chain`` makes the chain of a width; ``label`` says which, where it is not the rescale chain.
    One that is ``dear`` is left to a thorough run.

    Raises ``ValueError`` for a batch wider than the network, and for fewer than 2 replicas.

    Example:
        >>> BatchRun(64, 8).layers
        (240, 1040, 4)
    """

    width: int
    size: int
    replicas: int = 64
    chain: ChainOf = rescale_chain
    label: str = ""
    window: int = WINDOW
    dear: bool = False

    def __post_init__(self) -> None:
        whole_number("replicas", self.replicas, 2)
        require(
            1 <= whole_number("size", self.size, 1) <= self.width,
            f"size={self.size}; a network of width {self.width} takes 1 to {self.width} samples",
        )

    @property
    def layers(self) -> tuple[int, int, int]:
        """Where averaging begins, where it ends, and how many layers are between two looks."""
        root = math.isqrt(self.width)
        every = max(1, root // 2)
        first = BURN_IN * root // every * every
        return first, first + self.window * root // every * every, every

    @property
    def name(self) -> str:
        """What a row of evidence calls it."""
        return f"d={self.width}, n={self.size}" + (f", {self.label}" if self.label else "")

    def averages(self, context: Context, start: Floats | None = None) -> tuple[Floats, float]:
        """Averages of `shares` over the layers, (replicas, 5), and their relative rounding error.

        A network that rounding spoiled is NaN. Run once for all variants of a theorem.
        """
        start = np.eye(self.width, self.size) if start is None else start
        key = ("batch", self.name, self.replicas, self.window, start.tobytes())
        return context.remembered(key, partial(self._averages, context, start))

    def _averages(self, context: Context, start: Floats) -> tuple[Floats, float]:
        first, last, every = self.layers
        run = simulate(
            self.chain(self.width),
            start,
            depth=last,
            every=every,
            replicas=self.replicas,
            dtype="float32",
            observables=(_SHARES,),
            seed=context.stream("batch", self.name),
        )
        found = np.asarray(run["shares"][:, first // every + 1 :], dtype=np.float64).mean(axis=1)
        found[run.spoiled[:, -1]] = np.nan
        return found, rounding_of(run)

    def sample(self, context: Context, start: Floats | None = None) -> Sample:
        """What a check of medians reads: ``r_bar``, ``skew``, ``lift``, ``a_2``, ``a_3``, ``a_4``,
        ``top``, ``short`` and ``half``, one array each.
        """
        averages, rounding = self.averages(context, start)
        a_2, a_3, a_4, top, half = averages.T
        values: dict[str, Sequence[Floats]] = {
            "r_bar": [math.sqrt(self.width) / a_2],
            "skew": [a_3 - a_2**2],
            "lift": [a_4 - a_2 * a_3],
            "a_2": [a_2],
            "a_3": [a_3],
            "a_4": [a_4],
            "top": [top],
            "short": [1 + a_2 - top],
            "half": [half],
        }
        first, last, every = self.layers
        notes: dict[str, object] = {
            "networks": self.replicas,
            "burn_in": first,
            "layers averaged": f"{last - first}, seen every {every}",
            "dtype": "float32",
            "start": "orthogonal samples" if start is None else "the batch",
        }
        return Sample(values, rounding=3 * rounding, notes=notes)


def _of_batch(batch: Floats, run: BatchRun) -> list[BatchRun]:
    """The run from a user's batch, at its width; none where it is not one of clear full rank."""
    width, size = batch.shape
    fits = 4 <= width <= LARGEST and 2 <= size <= min(width, WIDEST)
    if not fits or not np.linalg.cond(batch) <= UNEVEN:
        return []
    return [BatchRun(width, size, run.replicas, run.chain, run.label, run.window)]


def batch_medians(
    runs: Iterable[BatchRun],
    symbols: Sequence[str],
    *,
    holds: Callable[[int, int], bool] = lambda width, size: True,
    known: Callable[[int], Mapping[str, float]] = lambda size: {},
) -> Medians:
    """The check of a claim about medians, over networks, of averages over layers.

    Args:
        runs: widths, batch sizes and chains.
        symbols: which of the values of `BatchRun.sample` the sides of statement and neighbour name.
        holds: whether the claim is about a width and a batch size, for a user's batch.
        known: further symbols of the sides with their values at a batch size.

    Example:
        >>> check = batch_medians([BatchRun(16, 4)], ("r_bar",))
        >>> [case.label for case in check.cases(None)]
        ['d=16, n=4']
    """
    laid_out = list(runs)

    def cases(batch: Floats | None) -> list[Case]:
        if batch is None:
            given = laid_out
        else:
            given = [run for run in _of_batch(batch, laid_out[0]) if holds(run.width, run.size)]

        def draw(run: BatchRun, context: Context) -> Sample:
            found = run.sample(context, batch)
            chosen = {name: found.values[name] for name in symbols}
            return Sample(chosen, rounding=found.rounding, notes=found.notes)

        return [
            Case(
                run.name,
                {"d": run.width, "n": run.size, **known(run.size)},
                partial(draw, run),
                len(symbols),
                dear=run.dear,
            )
            for run in given
        ]

    wants = (
        f"4 to {LARGEST} rows, 2 to {WIDEST} samples where the claim is made, singular values within "
        f"a factor of {UNEVEN}"
    )
    return Medians(cases, wants=wants)
