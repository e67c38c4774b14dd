"""Time averages of the ranks along stationary residual chains, with the start's memory measured.

Every network runs from two starts, one of orthogonal rows and one of nearly equal ones, under the
same weights. Where their ranks have come together the start is forgotten: that is seen, not
assumed. What is averaged comes after; each network gives one average, so layers may be as
correlated as they like.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace

from simulators import residual_chain, simulate
from simulators.arguments import whole_number
from simulators.batches import batch_of_gram
from simulators.observables import Observable, gram
from theorems.checking.lost_samples import rounding_of, spoiled_words
from theorems.context import Context

__all__ = ["BURN_IN", "TAUS", "WINDOW", "Averages", "Network", "nearly_equal_rows", "relaxation"]

Floats = npt.NDArray[np.floating[Any]]

TAUS = (0.25, 0.5, 0.75)
#: Relaxation times before averaging begins, and during it; the ranks are seen once in each.
BURN_IN, WINDOW = 4, 3
#: The two starts count as forgotten once their ranks differ by less than this share of the rank, on
#: average. Paths come near one another and no nearer: at d = 8 they stay some 4 % apart, however
#: deep, from 150 % at first.
FORGOTTEN = 0.1
#: Correlation of the rows of the second start: effective rank about 1.2.
CORRELATION = 0.9


def relaxation(width: int, gamma: float) -> int:
    """Layers in which the rank forgets, roughly. Only the length of a run is taken from it."""
    return math.ceil(
        (1 + 4 / math.sqrt(width)) * (math.sqrt(width) + 1 / (gamma**2 * math.sqrt(width)))
    )


def nearly_equal_rows(width: int) -> Floats:
    """A (d, d) start whose rows have pairwise cosine `CORRELATION`."""
    return batch_of_gram(np.full((width, width), CORRELATION) + (1 - CORRELATION) * np.eye(width))


def _ranks(H: Any, *, width: int) -> Any:
    """r and the soft ranks at `TAUS`, in units of √d, from one spectrum; shape (..., 1 +
    len(TAUS)).
    """
    xp = array_namespace(H)
    shares = xp.linalg.eigvalsh(gram(H))
    ranks = [xp.sum(shares, axis=-1) ** 2 / xp.sum(shares * shares, axis=-1)]
    ranks += [xp.sum(xp.astype(width * shares >= tau, H.dtype), axis=-1) for tau in TAUS]
    return xp.stack(ranks, axis=-1) / math.sqrt(width)


_RANKS = Observable("ranks", _ranks, gram=True)


@dataclass(frozen=True)
class Averages:
    """What the networks of one shape gave, from each start: ranks over √d, r first and then at
    `TAUS`.

    ``averages`` has shape (2, replicas, 1 + len(TAUS)), ``margins`` the smallest rank_τ - (1 - τ)²
    r at any layer seen, over √d, for each τ. ``apart`` is the mean distance of r between the two
    starts when averaging begins, over its mean; ``effective`` the number of independent layers the
    averages are worth. Of the ``spoiled`` networks the averages are NaN, as rounding may have made
    them; those of the others have a relative error of ``rounding``. All else is of the others, of
    whom there are two or more, or an obstacle.
    """

    averages: Floats
    margins: Floats
    apart: float
    effective: float
    layers: int
    spoiled: int = 0
    rounding: float = 0.0

    @property
    def obstacle(self) -> str:
        if not math.isfinite(self.apart):
            return spoiled_words(self.spoiled, self.averages.shape[1])
        if self.apart <= FORGOTTEN:
            return ""
        return (
            f"the start is not forgotten after {self.layers} layers: r from two starts "
            f"{self.apart:.1%} apart, "
            f"{FORGOTTEN:.0%} allowed"
        )


@dataclass(frozen=True)
class Network:
    """A shape of residual network and how many independent ones to run, at most ``layers`` deep."""

    width: int
    gamma: float
    law: str = "gaussian"
    replicas: int = 48
    layers: int = 50_000

    def __post_init__(self) -> None:
        if whole_number("width", self.width, 1) < 2:
            raise ValueError(f"width={self.width}; a rank needs 2 rows or more")
        residual_chain(self.width, self.gamma, self.law)  # refuses what is no size or law
        whole_number("replicas", self.replicas, 2)
        whole_number("layers", self.layers, 1)
        if self.gamma == 0:
            raise ValueError("gamma=0 changes nothing, so no start is ever forgotten; give γ > 0")
        if self.layers < BURN_IN + WINDOW:
            raise ValueError(f"layers={self.layers}; give {BURN_IN + WINDOW} or more")

    @property
    def branch(self) -> str:
        return "∞" if self.gamma == math.inf else f"{self.gamma:g}"

    @property
    def label(self) -> str:
        return f"d={self.width}, γ={self.branch}" + (
            f", {self.law}" if self.law != "gaussian" else ""
        )

    @property
    def every(self) -> int:
        """Layers between two looks: the relaxation time, if as many of those as are wanted can be
        had.
        """
        return min(relaxation(self.width, self.gamma), self.layers // (BURN_IN + WINDOW))

    @property
    def weights(self) -> int:
        """How many a run draws, from both starts."""
        return 2 * self.replicas * (BURN_IN + WINDOW) * self.every * self.width**2

    def run(self, context: Context, start: Floats | None = None) -> Averages:
        """Simulate in float32, once for all variants of a theorem. ``start``, (d, d), is orthogonal
        by default.
        """
        start = np.eye(self.width) if start is None else start
        key = ("stationary", self, start.tobytes())
        if key not in context.memory:
            context.memory[key] = self._run(context, start)
        found: Averages = context.memory[key]
        return found

    def _run(self, context: Context, start: Floats) -> Averages:
        parts, every = BURN_IN + WINDOW, self.every
        chain = residual_chain(self.width, self.gamma, self.law)
        runs = [
            simulate(
                chain,
                first,
                depth=every * parts,
                every=every,
                replicas=self.replicas,
                engine="dense",
                dtype="float32",
                observables=(_RANKS,),
                seed=context.stream("stationary", self.label),
            )
            for first in (start, nearly_equal_rows(self.width))
        ]
        # (starts, replicas, layers seen, ranks)
        everything = np.stack([run["ranks"] for run in runs]).astype(np.float64)[:, :, 1:]
        averages = everything[:, :, BURN_IN:].mean(axis=2)
        lost = np.logical_or.reduce([run.spoiled[:, -1] for run in runs])
        averages[:, lost] = np.nan
        facts: dict[str, Any] = {
            "averages": averages,
            "layers": every * BURN_IN,
            "spoiled": int(lost.sum()),
            "rounding": max(rounding_of(run) for run in runs),
        }
        if (~lost).sum() < 2:
            return Averages(
                margins=np.full(len(TAUS), np.nan), apart=math.inf, effective=0.0, **facts
            )
        paths = everything[:, ~lost]
        window = paths[:, :, BURN_IN:]
        r = window[..., 0]
        margins = paths[..., 1:] - np.square(1 - np.array(TAUS)) * paths[..., :1]
        variance = r.var(axis=(1, 2)).mean()
        spread = r.mean(axis=2).var(axis=1, ddof=1).mean()
        return Averages(
            margins=margins.min(axis=(0, 1, 2)),
            apart=float(
                np.abs(paths[0, :, BURN_IN - 1, 0] - paths[1, :, BURN_IN - 1, 0]).mean() / r.mean()
            ),
            effective=float(paths.shape[1] * min(WINDOW, variance / spread)) if spread else 0.0,
            **facts,
        )
