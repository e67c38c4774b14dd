"""Claims about numbers that are enclosed in balls, batch size by batch size, and for all large ones
at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import flint
import sympy as sp

from theorems.checking.check import ExactCheck, Judgement, greatest
from theorems.checking.pointwise import holds
from theorems.checking.root_isolation import UndecidedError
from theorems.checking.symbol_values import exactly_or_in_balls
from theorems.context import Context
from theorems.evidence import Details, Verdict
from theorems.statement import Statement

__all__ = ["Enclosed", "EnclosedNumbers", "Part"]

PRECISION = 192


@dataclass(frozen=True)
class Part:
    """Enclosures that hold for every batch size with 1/n in [low, high], low ≥ 0; ``values()``
    gives them by symbol.

    A claim without batch size has parts with low = high = 0.

    Example:
        >>> Part("n from 10 on", dict, high=Fraction(1, 10)).reaches(20)
        True
    """

    label: str
    values: Callable[[], Mapping[str, object]]
    low: Fraction = Fraction(0)
    high: Fraction = Fraction(0)

    def reaches(self, least: int) -> bool:
        """Whether it covers a batch size of ``least`` or more that its neighbour above does not.

        - ``least``: the smallest batch size that the statement is about, at least 1
        """
        return self.low * least < 1


#: What was enclosed, by size or part, and by symbol.
Enclosures = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class EnclosedNumbers(Details):
    """The enclosures of a claim, and what was found of its neighbour."""

    precision_bits: int
    enclosures: Enclosures
    sentinel_found: str


@dataclass(frozen=True)
class Enclosed(ExactCheck[Enclosures]):
    """Decides ``lhs relation rhs`` from enclosures of the symbols, at every size and on every part.

    ``values(n)`` gives exact numbers or balls by symbol name for one batch size of ``sizes``; those
    outside the domain of the statement's ``n`` are passed over. ``parts()`` cover all sizes from
    some one on: ``n`` is not known there, so the sides may depend on it only by comparisons that
    are settled. Both may raise ``UndecidedError``, which leaves the claim open. A claim about
    infinitely many sizes is certified for the instances named, unless parts cover the rest. Parts
    with a gap between them, or above the last, raise ``ValueError``.

    Example:
        >>> from fractions import Fraction
        >>> from theorems.context import Context
        >>> from theorems.templates.pointwise import STATEMENT
        >>> quarters = {"n": 4, "lambda": (Fraction(1, 4),) * 4}
        >>> found = Enclosed(sizes=(4,), values=lambda n: quarters)(STATEMENT, Context(0, 1e-6))
        >>> found.sentinel.value
        'refuted'
    """

    sizes: tuple[int, ...] = ()
    values: Callable[[int], Mapping[str, object]] | None = None
    parts: Callable[[], Iterable[Part]] = tuple

    def words(self, statement: Statement) -> str:
        return (
            "enclosures in balls: both sides compared at every batch size named, and over "
            "intervals of sizes where there are some; a user's batch is left alone"
        )

    def details(self, found: Judgement[Enclosures], fallen: Judgement[Enclosures]) -> Details:
        return EnclosedNumbers(PRECISION, found.seen, fallen.words)

    def judge(self, claim: Statement, context: Context) -> Judgement[Enclosures]:
        """Every size and every part in turn, until one refutes.

        Raises ``ValueError`` for parts with a gap between them, and for a side that depends on n
        where no n is named.
        """
        least, most = _domain(claim)
        own = self.sizes if self.values is not None else ()
        sizes = [n for n in own if least <= n and (most is None or n <= most)]
        parts = (
            _adjoining(part for part in self.parts() if part.reaches(least)) if most is None else []
        )
        found: dict[str, dict[str, str]] = {}
        open_, ratios = [], []
        with flint.ctx.workprec(PRECISION):
            for label, sides, values in self._instances(claim, sizes, parts, least):
                context.progress(f"{claim.name}: {label}")
                try:
                    given = values()
                except UndecidedError as error:
                    open_.append(f"{label}: {error}")
                    continue
                left, right = (exactly_or_in_balls(side, given) for side in sides)
                found[label] = {n: _written(value) for n, value in given.items() if n != "n"}
                ratios.append(_ratio(claim, left, right))
                answer = holds(left, claim.claim, right)
                if answer is False:
                    only, words = {label: found[label]}, f"violated at {label}"
                    return Judgement(Verdict.REFUTED, words, only, ratios[-1])
                if answer is None:
                    open_.append(label)
        if open_ or not found:
            words = f"open at {', '.join(open_[:3]) or 'every size'}"
            return Judgement(Verdict.INCONCLUSIVE, words, found)
        words = _covered(sizes, parts, least, most)
        return Judgement(Verdict.CERTIFIED, words, found, greatest(ratios))

    def _instances(
        self, statement: Statement, sizes: list[int], parts: list[Part], least: int
    ) -> Iterable[tuple[str, tuple[sp.Expr, sp.Expr], Callable[[], Mapping[str, object]]]]:
        sides = (statement.lhs, statement.rhs)
        for n in sizes:
            if self.values is not None:
                yield f"n={n}", sides, lambda n=n: {"n": n, **self.values(n)}  # type: ignore[misc]
        for part in parts:
            first = max(least, _first([part])) if part.high else least
            yield part.label, (_beyond(sides[0], first), _beyond(sides[1], first)), part.values


def _domain(statement: Statement) -> tuple[int, int | None]:
    """The least and the largest batch size that a statement is about; None for no largest."""
    for variable in statement.variables:
        if variable.name == "n":
            return int(variable.domain.start), None if variable.domain.stop == sp.oo else int(
                variable.domain.stop
            ) - 1
    return 1, None


def _beyond(side: sp.Expr, first: int) -> sp.Expr:
    """``side`` for every n ≥ ``first``, which may settle its comparisons; ``ValueError`` if n
    remains.
    """
    further = sp.Symbol("n_beyond", integer=True, nonnegative=True)
    settled = side.subs({s: first + further for s in side.free_symbols if str(s) == "n"})
    if further in settled.free_symbols:
        raise ValueError(f"{side} depends on n beyond n = {first}, where no n is named")
    return settled


def _written(value: object) -> str:
    return value.str(20, radius=True) if isinstance(value, flint.arb) else str(value)


def _ratio(
    statement: Statement, left: flint.fmpq | flint.arb, right: flint.fmpq | flint.arb
) -> float | None:
    """Measured over bound, of an upper or a lower one."""
    low, high = (left, right) if statement.relation in ("<=", "<") else (right, left)
    low, high = flint.arb(low), flint.arb(high)
    if statement.relation == "==" or not (high > 0 and low >= 0):
        return None
    return float((low / high).mid())


def _adjoining(parts: Iterable[Part]) -> list[Part]:
    """The parts, from 1/n = 0 on; ``ValueError`` unless they leave no batch size out up to the
    last.
    """
    found = sorted(parts, key=lambda part: part.low)
    reached = Fraction(0)
    for part in found:
        if part.low > reached:
            raise ValueError(f"no part covers 1/n between {reached} and {part.low}")
        reached = max(reached, part.high)
    return found


def _covered(sizes: list[int], parts: list[Part], least: int, most: int | None) -> str:
    if not sizes:
        where = f"every n ≥ {max(least, _first(parts))}" if parts[0].high else _all_of(parts)
        return f"enclosed in balls for {where}"
    one_by_one = set(range(least, (_first(parts) if parts else max(sizes) + 1)))
    if parts and one_by_one <= set(sizes):
        rest = f"n ≥ {_first(parts)} at once ({len(parts)} parts)"
        return f"every n ≥ {least}: {len(sizes)} sizes one by one, {rest}"
    if most is not None and set(range(least, most + 1)) <= set(sizes):
        return f"every n from {least} to {most}, one by one"
    return f"{len(sizes)} batch sizes from {min(sizes)} to {max(sizes)}"


def _all_of(parts: list[Part]) -> str:
    """The parts of a claim without batch size, by the first and the last."""
    first, last = parts[0].label, parts[-1].label
    return first if len(parts) == 1 else f"{first} to {last}, {len(parts)} parts"


def _first(parts: list[Part]) -> int:
    """The least batch size that the parts cover."""
    high = max(part.high for part in parts)
    return -(-high.denominator // high.numerator)
