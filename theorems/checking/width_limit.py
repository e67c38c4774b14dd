"""Claims that hold at every width, followed to infinite width along a certified path of spectra.

As d grows the spectrum of the rescale chain moves by the mean-field map, and terms in 1/sqrt(d) vanish. A
bound that this path crosses is false at some finite width, by the law of large numbers. Every layer is
enclosed in balls, so a crossing is a certificate and not an observation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import flint
import sympy as sp

from simulators.engines.mean_field import rescale_path_enclosure
from theorems.checking.pointwise import compare, holds
from theorems.context import Context
from theorems.expressions import compiled
from theorems.statement import Evidence, Verdict, combine

if TYPE_CHECKING:
    from theorems.statement import Statement

__all__ = ["RepeatedSpectrum", "WidthLimit"]

#: No path is followed beyond this depth.
LONGEST = 10_000


@dataclass(frozen=True)
class RepeatedSpectrum:
    """A spectrum by distinct eigenvalues (smallest first, exact) and multiplicities; the sum is 1."""

    eigenvalues: tuple[Fraction, ...]
    multiplicities: tuple[int, ...]

    @property
    def n(self) -> int:
        return sum(self.multiplicities)


class _Path:
    """The enclosed layers of one start, extended as they are asked for; variants of a theorem share them."""

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


@dataclass(frozen=True)
class WidthLimit:
    """Follows ``starts`` for ``depth`` layers and compares both sides at every layer in balls.

    ``readings(spectrum, multiplicities)`` gives the enclosures of the symbols a layer determines; ``lhs``
    reads the layer reached, path assumptions read every layer before it (and, with an ``offset``, that layer
    too), ``initial(statement, start)`` gives the symbols fixed at the start, exactly. ``offset`` is what ``layer``
    reads at the start.

    Example:
        >>> d, ell = sp.symbols("d ell", positive=True)
        >>> start = RepeatedSpectrum((Fraction(1, 4), Fraction(3, 4)), (1, 1))
        >>> check = WidthLimit((start,), 5, lambda spectrum, sizes: {}, lambda claim, start: {}, d, ell)
        >>> start.n, check.takes_batch
        (2, False)
    """

    starts: tuple[RepeatedSpectrum, ...]
    depth: int
    readings: Callable[[list[flint.arb], tuple[int, ...]], Mapping[str, Any]]
    initial: Callable[[Statement, RepeatedSpectrum], Mapping[str, Any]]
    width: sp.Symbol
    layer: sp.Symbol
    offset: int = 0
    precision: int = 128

    @property
    def takes_batch(self) -> bool:
        """Whether a user's batch has a part in it."""
        return False

    def words(self, statement: Statement) -> str:
        sizes = ", ".join(str(start.n) for start in self.starts)
        return (
            f"width limit: the exact path of spectra for {self.depth} layers from n = {sizes}, every "
            f"layer enclosed in balls of {self.precision} bits; it can refute, and speaks for one "
            "path only"
        )

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        found = []
        for start in self.starts:
            context.progress(f"{statement.name}: width limit, n={start.n}")
            found.append(self.follow(statement, start))
        fallen = [self.follow(statement.neighbour, start)["verdict"] for start in self.starts]
        verdict = combine([Verdict(f["verdict"]) for f in found])
        crossings = {f["n"]: f["crossing_layer"] for f in found if f["crossing_layer"] is not None}
        if verdict is Verdict.REFUTED:
            summary = "crossed in the width limit at " + ", ".join(
                f"layer {k} (n={n})" for n, k in crossings.items()
            )
        elif all(f["verdict"] == Verdict.CERTIFIED for f in found):
            summary = f"holds on the width-limit path for {self.depth} layers, n=" + ", ".join(
                str(f["n"]) for f in found
            )
        else:
            summary = "width-limit path: " + ", ".join(
                f"{f['verdict']} at layer {f['last_layer']} (n={f['n']})" for f in found
            )
        return Evidence(
            method="certificate",
            verdict=verdict,
            summary=summary,
            power=0.0 if verdict.holds else None,
            tightness=max((f["tightness"] for f in found), default=None),
            sentinel=combine([Verdict(f) for f in fallen]),
            partial=True,
            details={"precision_bits": self.precision, "depth": self.depth, "paths": found},
        )

    def follow(self, statement: Statement, start: RepeatedSpectrum) -> dict[str, Any]:
        """What the path from one start shows: verdict, the layer where it is crossed, both sides where it ended."""
        limit = sp.limit(statement.rhs, self.width, sp.oo)
        known = {"n": start.n, **self.initial(statement, start)}
        report: dict[str, Any] = {
            "n": start.n,
            "start": [str(e) for e in start.eigenvalues],
            "multiplicities": list(start.multiplicities),
            "parameters": {k: str(v) for k, v in known.items()},
            "crossing_layer": None,
            "tightness": 0.0,
        }
        with flint.ctx.workprec(self.precision):
            for layer, spectrum in enumerate(_Path.of(start, self.precision).layers(self.depth)):
                read = self.readings(spectrum, start.multiplicities)
                values = {**known, **read, str(self.layer): layer + self.offset}
                # without an offset, the next layer is covered only if this one meets the assumption
                admitted = self._admitted(statement, start, layer, values)
                if self.offset and admitted is not Verdict.CERTIFIED:
                    return report | {"verdict": admitted.value, "last_layer": layer}
                left, right = _ball(statement.lhs, values), _ball(limit, values)
                if right > 0:
                    report["tightness"] = max(report["tightness"], float((left / right).mid()))
                answer = compare(left, statement.relation, right)
                report |= {"last_layer": layer, "lhs": left.str(12), "rhs": right.str(12)}
                if answer is False:
                    return report | {
                        "verdict": Verdict.REFUTED.value,
                        "crossing_layer": layer + self.offset,
                    }
                if answer is None:
                    return report | {"verdict": Verdict.INCONCLUSIVE.value}
                if admitted is not Verdict.CERTIFIED:
                    return report | {"verdict": admitted.value, "last_layer": layer}
        return report | {"verdict": Verdict.CERTIFIED.value, "last_layer": self.depth}

    def _admitted(
        self, statement: Statement, start: RepeatedSpectrum, layer: int, values: Mapping[str, Any]
    ) -> Verdict:
        """``certified`` if every assumption on the path holds at this layer, ``outside`` if one fails."""
        found = Verdict.CERTIFIED
        for assumption in statement.assumptions:
            if assumption.along != "path":
                continue
            relation = assumption.relation
            if layer == 0:  # equality at the start is meant, and exact
                exact = dict(values) | {"s": start.eigenvalues[0]}
                names = tuple(sorted(relation.free_symbols, key=str))
                left, right = (
                    compiled(side, names).exact(*(exact[str(s)] for s in names))
                    for side in (relation.lhs, relation.rhs)
                )
            else:
                left, right = _ball(relation.lhs, values), _ball(relation.rhs, values)
            answer = holds(left, relation, right)
            if answer is False:
                return Verdict.OUTSIDE
            if answer is None:
                found = Verdict.INCONCLUSIVE
        return found


def _ball(expression: sp.Expr, values: Mapping[str, Any]) -> flint.arb:
    names = tuple(sorted(expression.free_symbols, key=str))
    return compiled(expression, names).balls(*(values[str(s)] for s in names))
