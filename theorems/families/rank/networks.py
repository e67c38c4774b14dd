"""The simulated networks: ranks averaged along deep stationary chains, and chains compared side by
side.

Every stationary network runs from two starts, one of orthogonal rows and one of nearly equal ones,
under the same weights. Where their ranks have come together the start is forgotten: that is seen,
not assumed. What is averaged comes after; each network gives one average, so layers may be as
correlated as they like. Chains that differ in one respect are run under the same weights, and their
last ranks compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import sympy as sp
from array_api_compat import array_namespace

from simulators import Chain, residual_chain, simulate
from simulators.arguments import require, whole_number
from simulators.arrays import Array, Namespace
from simulators.batches import batch_of_gram
from simulators.observables import Observable, gram
from theorems.checking.lost_samples import rounding_of, spoiled_words
from theorems.checking.medians import Case, Floats, Medians, Sample
from theorems.context import Context

__all__ = [
    "AFFORDABLE",
    "BURN_IN",
    "LARGEST",
    "TAUS",
    "WANTS",
    "WINDOW",
    "Averages",
    "Compared",
    "Network",
    "nearly_equal_rows",
    "rank_symbol",
    "ranks",
    "relaxation",
    "side_by_side",
    "square_batch",
    "too_dear",
]

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
    """Layers in which the rank forgets, roughly. Only the length of a run is taken from it.

    ``gamma``: the size of the residual branch, above 0; infinite for none.

    Example:
        >>> relaxation(16, math.inf)
        8
    """
    root = math.sqrt(width)
    return math.ceil((1 + 4 / root) * (root + 1 / (gamma**2 * root)))


def nearly_equal_rows(width: int) -> Floats:
    """A (d, d) start whose rows have pairwise cosine `CORRELATION`.

    Example:
        >>> nearly_equal_rows(3).shape
        (3, 3)
    """
    return batch_of_gram(np.full((width, width), CORRELATION) + (1 - CORRELATION) * np.eye(width))


def ranks(H: Array, *, width: int) -> Array:
    """r and the soft ranks at `TAUS`, in units of √d, from one spectrum; shape (..., 1 +
    len(TAUS)).

    ``H``: (..., width, n), or a thin factor of it.

    Example:
        >>> ranks(np.eye(4), width=4).tolist()
        [2.0, 2.0, 2.0, 2.0]
    """
    xp: Namespace = array_namespace(H)
    shares = xp.linalg.eigvalsh(gram(H))
    total = xp.sum(shares, axis=-1)
    found = [total * total / xp.sum(shares * shares, axis=-1)]
    found += [xp.sum(xp.astype(width * shares >= tau, H.dtype), axis=-1) for tau in TAUS]
    return xp.stack(found, axis=-1) / math.sqrt(width)


_RANKS = Observable("ranks", ranks, gram=True)


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
            f"{self.apart:.1%} apart, {FORGOTTEN:.0%} allowed"
        )


@dataclass(frozen=True)
class Network:
    """A shape of residual network and how many independent ones to run, at most ``layers`` deep."""

    width: int
    gamma: float
    law: str = "gaussian"
    replicas: int = 40
    layers: int = 50_000

    def __post_init__(self) -> None:
        require(
            whole_number("width", self.width, 1) >= 2,
            f"width={self.width}; a rank needs 2 rows or more",
        )
        residual_chain(self.width, self.gamma, self.law)  # refuses what is no size or law
        whole_number("replicas", self.replicas, 2)
        whole_number("layers", self.layers, 1)
        require(
            self.gamma != 0, "gamma=0 changes nothing, so no start is ever forgotten; give γ > 0"
        )
        require(
            self.layers >= BURN_IN + WINDOW,
            f"layers={self.layers}; give {BURN_IN + WINDOW} or more",
        )

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
        """How many a run draws, from both starts.

        It is what a network costs: see `too_dear`.
        """
        return 2 * self.replicas * (BURN_IN + WINDOW) * self.every * self.width**2

    def run(self, context: Context, start: Floats | None = None) -> Averages:
        """Simulate in float32, once for all variants of a theorem. ``start``, (d, d), is orthogonal
        by default.
        """
        start = np.eye(self.width) if start is None else start
        key = ("stationary", self, start.tobytes())
        return context.remembered(key, partial(self._run, context, start))

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
        averages_of = partial(
            Averages,
            averages=averages,
            layers=every * BURN_IN,
            spoiled=int(lost.sum()),
            rounding=max(rounding_of(run) for run in runs),
        )
        if (~lost).sum() < 2:
            nothing = np.full(len(TAUS), np.nan)
            return averages_of(margins=nothing, apart=math.inf, effective=0.0)
        paths = everything[:, ~lost]
        window = paths[:, :, BURN_IN:]
        r = window[..., 0]
        margins = paths[..., 1:] - np.square(1 - np.array(TAUS)) * paths[..., :1]
        variance = r.var(axis=(1, 2)).mean()
        spread = r.mean(axis=2).var(axis=1, ddof=1).mean()
        apart = np.abs(paths[0, :, BURN_IN - 1, 0] - paths[1, :, BURN_IN - 1, 0]).mean()
        worth = paths.shape[1] * min(WINDOW, variance / spread) if spread else 0.0
        return averages_of(
            margins=margins.min(axis=(0, 1, 2)),
            apart=float(apart / r.mean()),
            effective=float(worth),
        )


# --- side by side ---------------------------------------------------------------------------------

#: Of each chain compared, so many networks.
COMPARED = 64
#: Widest batch that is run.
LARGEST = 512
#: Weights that the networks of one case may draw: half a minute on two cores.
AFFORDABLE = 8e9
WANTS = f"as many samples as rows, 2 to {LARGEST} of them, and full rank"


@dataclass(frozen=True)
class Compared:
    """One of the chains compared: its rank's symbol, and the chain of a given width."""

    symbol: sp.Symbol
    chain: Callable[[int], Chain]


def rank_symbol(name: str) -> sp.Symbol:
    """The symbol of the median rank under a chain.

    Example:
        >>> rank_symbol("both")
        r_both
    """
    return sp.Symbol(f"r_{name}", nonnegative=True)


def square_batch(batch: Floats) -> bool:
    """Whether a (d, n) batch is what the family wants: rank X = d, and n = d up to `LARGEST`.

    Example:
        >>> square_batch(np.eye(3)), square_batch(np.eye(3, 2))
        (True, False)
    """
    rows, columns = batch.shape
    return rows == columns and 2 <= rows <= LARGEST and bool(np.linalg.matrix_rank(batch) == rows)


def too_dear(weights: int) -> str:
    """Why networks that draw so many weights are not run; empty if they are.

    Example:
        >>> too_dear(10**6)
        ''
    """
    return (
        f"not run: {weights:.1g} weights to draw, {AFFORDABLE:.1g} allowed"
        if weights > AFFORDABLE
        else ""
    )


def side_by_side(
    compared: Sequence[Compared],
    widths: Sequence[int],
    depth: Callable[[int], int],
    domain: range = range(2, LARGEST + 1),
) -> Medians:
    """Medians of r after ``depth(width)`` layers, from orthogonal samples or the user's batch.

    All chains run under the same weights. A network that died has no rank: it counts as the worst
    value for either end of an interval. ``domain``: the widths of batches that the claim is about.

    Example:
        >>> from simulators import residual_chain
        >>> one = Compared(rank_symbol("bn"), lambda width: residual_chain(width, 1.0))
        >>> check = side_by_side([one], (8, 16), lambda width: 2 * width)
        >>> [case.label for case in check.cases(None)]
        ['d=8, 16 layers', 'd=16, 32 layers']
    """

    def cases(batch: Floats | None) -> list[Case]:
        starts: list[Floats] = [np.eye(width) for width in widths]
        if batch is not None:
            starts = [batch] if square_batch(batch) and len(batch) in domain else []
        return [
            Case(
                f"d={len(start)}, {depth(len(start))} layers",
                {"d": len(start)},
                partial(_last_ranks, compared, start, depth(len(start))),
                len(compared),
            )
            for start in starts
        ]

    return Medians(
        cases, wants=f"as many samples as rows, {domain[0]} to {domain[-1]} of them, and full rank"
    )


def _last_ranks(
    compared: Sequence[Compared], start: Floats, depth: int, context: Context
) -> Sample:
    if dear := too_dear(len(compared) * COMPARED * depth * len(start) ** 2):
        return Sample({}, dear)
    found: dict[str, Sequence[Floats]] = {}
    rounding = 0.0
    for one in compared:
        chain = one.chain(len(start))
        run = context.remembered(
            ("arm", chain, start.tobytes(), depth),
            partial(
                simulate,
                chain,
                start,
                depth=depth,
                every=depth,
                replicas=COMPARED,
                engine="dense",
                dtype="float32",
                observables=("effective_rank",),
                seed=context.stream("arms", len(start)),
            ),
        )
        known = np.where(run.spoiled[:, -1], np.nan, run["effective_rank"][:, -1])
        found[str(one.symbol)] = [known]
        rounding = max(rounding, rounding_of(run))
    notes = {"networks": COMPARED, "dtype": "float32", "engine": "dense"}
    return Sample(found, rounding=rounding, notes=notes)
