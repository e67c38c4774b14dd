"""Claims that hold at every width, followed to infinite width along a certified path of spectra.

As d grows the spectrum of the rescale chain moves by the mean-field map, and terms in 1/sqrt(d)
vanish. A bound that this path crosses is false at some finite width, by the law of large numbers.
Every layer is enclosed in balls, so a crossing is a certificate and not an observation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

import flint
import sympy as sp

from simulators.engines.mean_field import rescale_path_enclosure
from theorems.checking.check import ExactCheck, Judgement
from theorems.checking.pointwise import compare, holds
from theorems.checking.symbol_values import evaluate, in_balls
from theorems.context import Context
from theorems.evidence import Details, Verdict, combine, typed
from theorems.statement import Statement

__all__ = ["FollowedPath", "FollowedPaths", "RepeatedSpectrum", "WidthLimit"]

#: No path is followed beyond this depth.
LONGEST = 10_000


@dataclass(frozen=True)
class RepeatedSpectrum:
    """A spectrum of sum 1, by distinct eigenvalues (exact, smallest first) and multiplicities."""

    eigenvalues: tuple[Fraction, ...]
    multiplicities: tuple[int, ...]

    @property
    def n(self) -> int:
        return sum(self.multiplicities)


class _Path:
    """The enclosed layers of one start, extended as they are asked for; variants of a theorem share
    them.
    """

    def __init__(self, start: RepeatedSpectrum, precision: int) -> None:
        eigenvalues = [flint.fmpq(e.numerator, e.denominator) for e in start.eigenvalues]
        self._known: list[list[flint.arb]] = []
        self._more = iter(
            rescale_path_enclosure(eigenvalues, list(start.multiplicities), LONGEST, precision)
        )

    @staticmethod
    @lru_cache(maxsize=16)
    def of(start: RepeatedSpectrum, precision: int) -> _Path:
        return _Path(start, precision)

    def layers(self, depth: int) -> Iterator[list[flint.arb]]:
        for layer in range(depth + 1):
            while len(self._known) <= layer:
                self._known.append(next(self._more))
            yield self._known[layer]


@dataclass(frozen=True, kw_only=True)
class FollowedPath(Details):
    """What the path from one start shows: the layer where it crosses the bound, both sides where it
    ended.
    """

    n: int
    start: Sequence[str]
    multiplicities: Sequence[int]
    parameters: Mapping[str, str]
    crossing_layer: int | None
    tightness: float
    last_layer: int
    lhs: str | None = None
    rhs: str | None = None
    verdict: Verdict = field(metadata=typed(Verdict))

    @property
    def crossing(self) -> str:
        """Where the bound is crossed, with the middles of both sides; of a path that crosses it."""
        left, right = (float(str(e).strip("[]").split()[0]) for e in (self.lhs, self.rhs))
        return f"layer {self.crossing_layer} for n = {self.n} ({left:.6g} > {right:.6g})"


@dataclass(frozen=True)
class FollowedPaths(Details):
    """The paths from all starts, up to ``depth`` layers."""

    precision_bits: int
    depth: int
    paths: Sequence[FollowedPath] = field(metadata=typed(FollowedPath.read))

    def fell(self, at: Callable[[object], str]) -> str:
        """Which paths cross the bound, and at which layer, in a sentence.

        Args:
            at: not used: a path is named by its batch size and layer.

        Returns:
            The sentence; empty where no path crosses the bound.
        """
        crossed = ", ".join(p.crossing for p in self.paths if p.crossing_layer is not None)
        return crossed and f"the certified width-limit path crosses the bound at {crossed}"


@dataclass(frozen=True)
class WidthLimit(ExactCheck[Sequence[FollowedPath]]):
    """Follows ``starts`` for ``depth`` layers and compares both sides at every layer in balls.

    ``readings(spectrum, multiplicities)`` gives the enclosures of the symbols a layer determines;
    ``lhs`` reads the layer reached, path assumptions read every layer before it (and, with an
    ``offset``, that layer too), ``initial(statement, start)`` gives the symbols fixed at the start,
    exactly. ``offset`` is what ``layer`` reads at the start; layers before ``first`` are passed
    over, as where both sides are equal at the start, which balls leave open.

    Example:
        >>> d, ell = sp.symbols("d ell", positive=True)
        >>> start = RepeatedSpectrum((Fraction(1, 4), Fraction(3, 4)), (1, 1))
        >>> nothing = lambda claim, start: {}
        >>> check = WidthLimit((start,), 5, nothing, nothing, d, ell)
        >>> start.n, check.takes_batch
        (2, False)
    """

    starts: tuple[RepeatedSpectrum, ...]
    depth: int
    readings: Callable[[list[flint.arb], tuple[int, ...]], Mapping[str, object]]
    initial: Callable[[Statement, RepeatedSpectrum], Mapping[str, object]]
    width: sp.Symbol
    layer: sp.Symbol
    offset: int = 0
    precision: int = 128
    first: int = 0

    partial = True

    def words(self, statement: Statement) -> str:
        sizes = ", ".join(str(start.n) for start in self.starts)
        return (
            f"width limit: the exact path of spectra for {self.depth} layers from n = {sizes}, "
            f"every layer enclosed in balls of {self.precision} bits; it can refute, and speaks "
            "for one path only"
        )

    def judge(self, claim: Statement, context: Context) -> Judgement[Sequence[FollowedPath]]:
        """Every start's path against the bound: refuted where one path crosses it.

        Cost: a few milliseconds a layer, the first time that a start is followed.
        """
        found = []
        for start in self.starts:
            context.progress(f"{claim.name}: width limit, n={start.n}")
            found.append(self.follow(claim, start))
        verdict = combine([path.verdict for path in found])
        if verdict is Verdict.REFUTED:
            words = "crossed in the width limit at " + ", ".join(
                f"layer {p.crossing_layer} (n={p.n})" for p in found if p.crossing_layer is not None
            )
        elif all(path.verdict is Verdict.CERTIFIED for path in found):
            words = f"holds on the width-limit path for {self.depth} layers, n=" + ", ".join(
                str(path.n) for path in found
            )
        else:
            words = "width-limit path: " + ", ".join(
                f"{p.verdict} at layer {p.last_layer} (n={p.n})" for p in found
            )
        return Judgement(verdict, words, found, max((p.tightness for p in found), default=None))

    def details(
        self,
        found: Judgement[Sequence[FollowedPath]],
        fallen: Judgement[Sequence[FollowedPath]],
    ) -> Details:
        return FollowedPaths(self.precision, self.depth, found.seen)

    def follow(self, statement: Statement, start: RepeatedSpectrum) -> FollowedPath:
        """What the path from one start shows, layer by layer, until a side is open or the bound is
        crossed.

        Cost: a few milliseconds a layer.
        """
        limit = sp.limit(statement.rhs, self.width, sp.oo)
        known = {"n": start.n, **self.initial(statement, start)}
        tightness, left, right = 0.0, None, None

        def ended(verdict: Verdict, layer: int) -> FollowedPath:
            return FollowedPath(
                n=start.n,
                start=[str(e) for e in start.eigenvalues],
                multiplicities=start.multiplicities,
                parameters={k: str(v) for k, v in known.items()},
                crossing_layer=layer + self.offset if verdict is Verdict.REFUTED else None,
                tightness=tightness,
                last_layer=layer,
                lhs=None if left is None else left.str(12),
                rhs=None if right is None else right.str(12),
                verdict=verdict,
            )

        with flint.ctx.workprec(self.precision):
            for layer, spectrum in enumerate(_Path.of(start, self.precision).layers(self.depth)):
                if layer < self.first:
                    continue
                read = self.readings(spectrum, start.multiplicities)
                values = {**known, **read, str(self.layer): layer + self.offset}
                # without an offset, the next layer is covered only if this one meets the assumption
                admitted = self._admitted(statement, start, layer, values)
                if self.offset and admitted is not Verdict.CERTIFIED:
                    return ended(admitted, layer)
                left, right = in_balls(statement.lhs, values), in_balls(limit, values)
                if right > 0:
                    tightness = max(tightness, float((left / right).mid()))
                answer = compare(left, statement.relation, right)
                if answer is not True:
                    return ended(Verdict.INCONCLUSIVE if answer is None else Verdict.REFUTED, layer)
                if admitted is not Verdict.CERTIFIED:
                    return ended(admitted, layer)
            return ended(Verdict.CERTIFIED, self.depth)

    def _admitted(
        self,
        statement: Statement,
        start: RepeatedSpectrum,
        layer: int,
        values: Mapping[str, object],
    ) -> Verdict:
        """``certified`` if every assumption on the path holds at this layer, ``outside`` if one
        fails.
        """
        found = Verdict.CERTIFIED
        for relation in statement.along_path:
            sides = (relation.lhs, relation.rhs)
            if layer == 0:  # equality at the start is meant, and exact
                exact = {**values, "s": start.eigenvalues[0]}
                left, right = (evaluate(side, exact, True) for side in sides)
            else:
                left, right = (in_balls(side, values) for side in sides)
            answer = holds(left, relation, right)
            if answer is False:
                return Verdict.OUTSIDE
            if answer is None:
                found = Verdict.INCONCLUSIVE
        return found
