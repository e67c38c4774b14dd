"""How far rounding may have moved what is observed, estimated along each replica.

Every map of a layer rounds each sample by some units in the last place, which in law is as good as
exact as long as the samples keep their relations. Three relations can be lost, and with them the
law of all that follows:

- in a linear chain, a sample's distance from the span of those before it;
- in any other, the distance of two samples (of their directions, where activations are homogeneous
  and nothing is centred);
- where a mean is subtracted, what that leaves of a sample.

A distance that once sank to the level of rounding is noise from then on, and shows as much as it
has grown back since. So the least ratio of each distance to the rounding at its time is kept, and
the error at a layer is the largest of the present distances over these. Whether the state itself is
reached pathwise does not matter, and in a chaotic chain it is not: weights are independent from
layer to layer, so a perturbation that keeps the relations keeps the law.

Distances are looked at in ever fewer layers while nothing that was lost so far could show, however
it were amplified, and in nearly all of them from the time that something could.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from simulators.arrays import Array, Floats
from simulators.backend import Backend, NumpyBackend
from simulators.chains import Chain
from simulators.layers import Recenter, ScaleResponse

__all__ = [
    "ROUNDINGS",
    "SPOILED",
    "Copies",
    "Outlook",
    "Representation",
    "Watch",
    "arrival_error",
    "logarithm",
    "worst",
]


SPOILED = 2.0**-7
"""From this estimate on a sample is spoiled: it speaks for nothing."""

ROUNDINGS = 4.0
"""Units in the last place that one block is taken to lose, relative to a sample."""

_FORGOTTEN = 2.0**-4
"""Below this share of a unit in the last place a distance is not even noise: it has been rounded
away.
"""

_FIRST, _SPARSE = 4, 8
"""While nothing could show, this layer is looked at, and then those whose numbers grow by this
factor.
"""

_DENSE = 16
"""Afterwards, one layer in so many of those passed."""


class Relation(Enum):
    """Which distances between samples a chain keeps small once they are.

    Example:
        >>> Relation.SPAN.value
        'of a sample from the span of those before it'
    """

    SPAN = "of a sample from the span of those before it"
    DIRECTION = "of two samples' directions"
    PLACE = "of two samples"


@dataclass(frozen=True)
class Copies:
    """Samples that equal an earlier one, or its negative where the chain keeps that, and so remain.

    ``pairs`` are the number of each, that of the earlier one, and the sign ±1 between them;
    ``others`` are the numbers of all that are no copies.

    Example:
        >>> from simulators.chains import rescale_chain
        >>> Copies.among(np.array([[1.0, 0.0, -1.0], [0.0, 1.0, 0.0]]), rescale_chain(4))
        Copies(pairs=((2, 0, -1.0),), others=(0, 1))
    """

    pairs: tuple[tuple[int, int, float], ...]
    others: tuple[int, ...]

    @classmethod
    def among(cls, batch: Floats, chain: Chain) -> Copies:
        """The copies among the columns of ``batch``, (d, n).

        Samples of opposite sign are copies where ``chain`` is odd. Cost: O(d n).
        """
        first: dict[bytes, tuple[int, float]] = {}
        pairs, others = [], []
        for number, column in enumerate(np.ascontiguousarray(batch.T) + 0.0):
            leading = column[np.flatnonzero(column)[:1]]
            sign = -1.0 if chain.odd and leading.size and leading[0] < 0 else 1.0
            kept, kept_sign = first.setdefault((sign * column + 0.0).tobytes(), (number, sign))
            if kept == number:
                others.append(number)
            else:
                pairs.append((number, kept, sign * kept_sign))
        return cls(tuple(pairs), tuple(others))

    def restored(self, rows: Array) -> Array:
        """``rows``, ``(..., n, m)``, with every copy equal to its original again, to the last bit;
        in place.
        """
        for copy, original, sign in self.pairs:
            rows[..., copy, :] = sign * rows[..., original, :]
        return rows


@dataclass(frozen=True)
class Outlook:
    """What is to be watched on a chain from a start, and what is known of the start.

    - ``chain``: whose block may first subtract the mean of its input, which has rounding show more
    - ``relation``: which distances; None where the engine loses none
    - ``unit``: half the spacing of floats at 1; ``least``: the smallest float that has it
    - ``samples``: the numbers of those that are no copies
    - ``distances``, ``ratios``: those of the start, and their ratios to its rounding, ``(k,)`` each
    - ``level``: the error that the start has on arrival
    - ``first``: the first layer to look at if nothing could show

    Example:
        >>> from simulators.chains import rescale_chain
        >>> chain, batch = rescale_chain(4), np.eye(4, 2)
        >>> copies = Copies.among(batch, chain)
        >>> Outlook.of(chain, batch, batch, copies, "float64", carried=True).relation is None
        True
    """

    chain: Chain
    relation: Relation | None
    unit: float
    least: float
    samples: tuple[int, ...]
    level: float
    distances: Floats
    ratios: Floats
    first: int = _FIRST

    @classmethod
    def of(
        cls,
        chain: Chain,
        start: Floats,
        arrived: Floats,
        copies: Copies,
        dtype: str,
        *,
        carried: bool,
    ) -> Outlook:
        """For ``start``, (d₀, n): what the block's first weights are to see; floats hold
        ``arrived`` of it.

        ``carried``: the engine carries each row of a factor with a relative accuracy of its own.
        Then nothing is lost unless centring or the first factorisation does it.
        """
        if chain.linear:
            relation = Relation.SPAN
        elif chain.homogeneous and not chain.recentres:
            relation = Relation.DIRECTION
        else:
            relation = Relation.PLACE
        limits = np.finfo(dtype)
        unit = float(limits.eps) / 2
        bare = cls(
            chain=chain,
            relation=relation,
            unit=unit,
            least=float(limits.smallest_normal),
            samples=copies.others,
            level=arrival_error(start, arrived, dtype),
            distances=np.empty(0),
            ratios=np.empty(0),
        )
        if bare.centres and ROUNDINGS * unit > SPOILED / 4 * float(_shares(start.T[None])[0]):
            # What is centred again meets the rounding of the longest sample.
            bare = replace(bare, first=1)
        rows = start.any(axis=1)
        carried = (
            carried
            and not chain.recentres
            and bool((_lost(start[rows], arrived[rows], 1) <= 2 * unit).all())
        )
        if carried and rows.sum() <= start.shape[1]:
            return replace(bare, relation=None)
        factor = (
            start if start.shape[0] <= start.shape[1] else np.asarray(np.linalg.qr(start, mode="r"))
        )
        factors = factor.T[None]
        distances = bare._distances(factors)[0]
        ratios = _ratios(distances, bare._relative(factors)[0])
        if carried and _could(ratios[None])[0] <= SPOILED / 4:
            return replace(
                bare, relation=None, level=max(bare.level, float(_could(ratios[None])[0]))
            )
        return replace(bare, distances=distances, ratios=ratios)

    @property
    def centres(self) -> bool:
        """Whether the block first of all subtracts the mean of its input.

        See `Chain.leading_recenter`.
        """
        return self.chain.leading_recenter is not None

    @property
    def blurred(self) -> NDArray[np.bool_]:
        """Which distances of the start are below rounding, and not zero for sure.

        Booleans, of the shape of ``distances``.
        """
        apart = (self.distances > 0) | (self.relation is Relation.PLACE)
        return np.asarray(apart & (self.ratios <= 1))

    def look(self, factors: Floats, cancelled: Floats) -> tuple[Floats, Floats, Floats]:
        """What is seen in ``factors``, Hᵀ or Rᵀ of ``(g, n, m)``, after centrings that
        ``cancelled`` so much.

        Distances ``(g, k)``, their ratios to the rounding of the time, and the rounding of the
        sample that is least beside it, ``(g,)``.
        """
        if not self.centres:
            noise = self._relative(factors) * np.maximum(cancelled, 1.0)
            return (
                self._distances(factors),
                _ratios(self._distances(factors), noise[:, None]),
                np.zeros(len(noise)),
            )
        left = np.asarray(Recenter().on_rows(factors.copy(), NumpyBackend("float64").xp, 0))
        before, after = _norms(factors, (-2, -1)), _norms(left, (-2, -1))
        # Where all samples are equal, nothing is left, exactly.
        cancelled = np.maximum(
            cancelled, np.where(after > 0, before / np.where(after > 0, after, 1.0), 1.0)
        )
        noise = self._relative(left) * cancelled
        distances = self._distances(left)
        return distances, _ratios(distances, noise[:, None]), noise / _shares(left)

    def _relative(self, factors: Floats) -> Floats:
        """The rounding of a sample relative to it, the worst of each replica."""
        if self.chain.scaling is not ScaleResponse.BOUND:
            return np.full(len(factors), self.unit)
        lengths = _norms(factors, -1)
        return np.asarray(
            self.unit + self.least / np.where(lengths > 0, lengths, math.inf).min(axis=-1)
        )

    def _distances(self, factors: Floats) -> Floats:
        lengths = _norms(factors, -1)
        largest = lengths.max(axis=-1)
        if self.relation is Relation.SPAN:
            # Of centred samples the last is minus the sum of the others.
            chosen = list(self.samples[: len(self.samples) - self.centres])
            points = factors[:, chosen] / _or_one(lengths[:, chosen])[..., None]
            triangle = np.linalg.qr(points.mT, mode="r")
            found = np.abs(np.diagonal(triangle, axis1=-2, axis2=-1))
            return np.asarray(np.where(lengths[:, chosen[: found.shape[-1]]] > 0, found, 1.0))
        points, lengths = factors[:, list(self.samples)], lengths[:, list(self.samples)]
        one, other = np.triu_indices(len(self.samples), 1)
        scale = np.maximum(lengths[:, one], lengths[:, other])
        if self.relation is Relation.DIRECTION:
            points = points / _or_one(lengths)[..., None]
            scale = np.ones_like(scale)
        elif self.centres:
            scale = np.broadcast_to(largest[:, None], scale.shape)
        apart = _norms(points[:, one] - points[:, other], -1)
        if self.chain.odd:
            apart = np.minimum(apart, _norms(points[:, one] + points[:, other], -1))
        return np.asarray(np.where(scale > 0, apart / _or_one(scale), 1.0))


@dataclass(frozen=True)
class Representation:
    """Hᵀ of one block, or a factor of it, ``(g, n, m)``, and how much the centrings within the
    block cancelled.

    ``cancelled`` is ‖A‖/‖AJ‖ at the worst of them, ``(g,)``, or ``(1,)`` for all; None where only
    the input of the block is centred. ``log_scale`` is the logarithm of what H has been divided by
    on the way, ``(g,)``; None for 0.

    Example:
        >>> Representation(np.zeros((3, 2, 2))).cancelled is None
        True
    """

    rows: Array
    cancelled: Floats | None = None
    log_scale: Floats | None = None


class Watch:
    """Estimates the rounding error of one group of replicas, layer by layer, and keeps that of
    every ``every``-th.

    ``errors``, ``(group, depth // every + 1)``, never decreases along depth, and is whole after the
    last layer.

    ``group`` replicas go through ``depth`` blocks; ``every`` divides that. Cost of a look: a QR
    decomposition of each replica's factor, O(n³).

    Example:
        >>> from simulators.backend import NumpyBackend
        >>> from simulators.chains import vanilla_chain
        >>> chain, batch = vanilla_chain(4, "tanh"), np.eye(4, 2)
        >>> copies = Copies.among(batch, chain)
        >>> outlook = Outlook.of(chain, batch, batch, copies, "float64", carried=False)
        >>> watch = Watch(outlook, 1, 2, 1, NumpyBackend("float64"))
        >>> blocks = iter([Representation(batch.T[None])] * 2)
        >>> [rows.shape for rows in watch.over(blocks)], watch.errors.shape
        ([(1, 2, 4), (1, 2, 4)], (1, 3))
    """

    def __init__(
        self, outlook: Outlook, group: int, depth: int, every: int, backend: Backend
    ) -> None:
        self._outlook, self._backend, self._depth, self._every = outlook, backend, depth, every
        self.errors: Floats = np.full((group, depth // every + 1), outlook.level)
        self._level = np.full(group, outlook.level)
        self._ratios = np.repeat(outlook.ratios[None], group, axis=0)
        self._looked, self._due = np.zeros(group, dtype=np.int64), np.zeros(group, dtype=np.int64)
        self._next = depth + 1
        if outlook.relation is not None:
            self._settle(np.arange(group), 0)

    def over(self, representations: Iterator[Representation]) -> Iterator[Array]:
        """The rows of the representations, in turn, each looked at where that is due.

        ``representations`` are those of every block, from the first on; what comes out are arrays
        ``(group, n, m)``.
        """
        for layer, found in enumerate(representations, start=1):
            if found.cancelled is not None:
                self._cancel(np.broadcast_to(found.cancelled, self._level.shape), layer)
            if layer >= self._next:
                which = np.flatnonzero(self._due <= layer)
                cancelled = np.ones(1) if found.cancelled is None else found.cancelled
                self._look(
                    found.rows, np.broadcast_to(cancelled, self._level.shape)[which], which, layer
                )
            yield found.rows

    def _cancel(self, cancelled: Floats, layer: int) -> None:
        """Note that centrings cancelled so much; the distances are looked at where that is more
        than a little.
        """
        fresh = np.minimum(1.0, ROUNDINGS * self._outlook.unit * cancelled)
        if (fresh > self._level).any():
            self._level = np.maximum(self._level, fresh)
            self._write(np.arange(len(fresh)), np.full(len(fresh), layer - 1))
        if self._outlook.relation is not None and (alarming := fresh > SPOILED / 4).any():
            self._due = np.where(
                alarming & (self._level < SPOILED), np.minimum(self._due, layer), self._due
            )
            self._next = int(self._due.min())

    def _look(self, rows: Array, cancelled: Floats, which: NDArray[np.int64], layer: int) -> None:
        rows = rows if len(which) == len(self._level) else rows[which]
        factors = rows if rows.shape[-1] <= rows.shape[-2] else self._backend.triangular(rows)
        distances, ratios, least = self._outlook.look(
            self._backend.numpy(factors).astype(np.float64), cancelled
        )
        self._ratios[which] = np.minimum(self._ratios[which], ratios)
        noise = (distances / self._ratios[which]).max(axis=-1, initial=0.0)
        if self._outlook.chain.scaling is not ScaleResponse.LINEAR:
            away = self._outlook.blurred & (distances < _FORGOTTEN * self._outlook.unit)
            noise = np.where(away.any(axis=-1), 1.0, noise)
        error = np.minimum(1.0, ROUNDINGS * np.maximum(noise, least))
        self._level[which] = np.maximum(self._level[which], error)
        self._settle(which, layer)

    def _settle(self, which: NDArray[np.int64], layer: int) -> None:
        """Write down the error since these replicas were last looked at, and when to look again."""
        could = _could(self._ratios[which])
        quiet = could <= SPOILED / 4
        self._level[which] = np.where(
            quiet, np.maximum(self._level[which], could), self._level[which]
        )
        self._write(which, self._looked[which])
        self._looked[which] = layer
        # What is lost at the last layer itself could show only later; noise of before shows there,
        # too.
        sparse = _SPARSE * layer if layer else self._outlook.first
        sparse = sparse if sparse < self._depth else self._depth + 1
        dense = min(layer + max(1, layer // _DENSE), self._depth)
        due = np.where(quiet, sparse, dense if layer < self._depth else self._depth + 1)
        self._due[which] = np.where(self._level[which] < SPOILED, due, self._depth + 1)
        self._next = int(self._due.min())

    def _write(self, which: NDArray[np.int64], after: NDArray[np.int64]) -> None:
        """The present level holds for these replicas from the layers ``after`` on, until a higher
        one does.
        """
        layers = np.arange(self.errors.shape[1]) * self._every
        level = np.where(layers > after[:, None], self._level[which, None], 0.0)
        self.errors[which] = np.maximum(self.errors[which], level)


def arrival_error(start: Floats, arrived: Floats, dtype: str) -> float:
    """By how much a sample of ``start``, (d, n), may be off, relatively, once floats hold
    ``arrived`` of it.

    ``arrived`` has the shape of ``start``; ``dtype`` is that of the floats. In (0, 1].

    Example:
        >>> arrival_error(np.eye(2), np.eye(2), "float32") < 1e-6
        True
    """
    return min(
        1.0, max(ROUNDINGS * float(np.finfo(dtype).eps) / 2, float(_lost(start, arrived, 0).max()))
    )


def logarithm(norm: Array, backend: Backend) -> Floats:
    """The logarithm of norms ``(g, 1, 1)``, ``(g,)``; −∞ of zero.

    Example:
        >>> from simulators.backend import NumpyBackend
        >>> logarithm(np.zeros((1, 1, 1)), NumpyBackend("float64")).tolist()
        [-inf]
    """
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(backend.numpy(norm).astype(np.float64)[:, 0, 0]))


def worst(cancelled: Floats | None, before: Array, after: Array, backend: Backend) -> Floats:
    """``cancelled`` with one more centring, of norms ``before`` and ``after`` it, ``(g, 1, 1)``
    each.

    What is left of equal samples is zero exactly, and nothing was lost.

    ``cancelled``, ``(g,)``, is None before the first centring; so is what is returned.

    Example:
        >>> from simulators.backend import NumpyBackend
        >>> sizes = np.full((1, 1, 1), 6.0), np.full((1, 1, 1), 2.0)
        >>> worst(None, *sizes, NumpyBackend("float64")).tolist()
        [3.0]
    """
    norms = [backend.numpy(each).astype(np.float64)[:, 0, 0] for each in (before, after)]
    found = np.where(norms[1] > 0, norms[0] / _or_one(norms[1]), 1.0)
    return found if cancelled is None else np.maximum(cancelled, found)


def _lost(start: Floats, arrived: Floats, axis: int) -> Floats:
    return np.asarray(_norms(start - arrived, axis) / _or_one(_norms(start, axis)))


def _could(ratios: Floats) -> Floats:
    """The error if what was lost grew back to the size of a sample, of distances ``(g, k)``."""
    return np.asarray(ROUNDINGS / ratios.min(axis=-1, initial=math.inf))


def _shares(factors: Floats) -> Floats:
    """The length of the shortest sample that is not zero over that of the longest, ``(g,)``."""
    lengths = _norms(factors, -1)
    return np.asarray(
        np.where(lengths > 0, lengths, math.inf).min(axis=-1) / _or_one(lengths.max(axis=-1))
    )


def _ratios(distances: Floats, noise: Floats) -> Floats:
    """How many roundings fit into each distance; at least one, as a lesser distance is one."""
    return np.asarray(np.maximum(1.0, distances / noise))


def _norms(values: Floats, axis: int | tuple[int, int]) -> Floats:
    """Euclidean norms along ``axis``, at any scale."""
    peaks = _or_one(np.abs(values).max(axis=axis, keepdims=True))
    scaled = values / peaks
    return np.asarray(np.sqrt(np.sum(scaled * scaled, axis=axis)) * np.squeeze(peaks, axis=axis))


def _or_one(values: Floats) -> Floats:
    return np.asarray(np.where(values > 0, values, 1.0))
