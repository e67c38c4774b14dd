"""The check of a claim about every input of a space: attacked, and if nothing violates, how much of
it was seen.

``certified`` is for a domain that was gone through: finite and every input of it decided, decided
exactly on the real line, every box of it enclosed, or proved by z3 at every size there is. An
algebraic claim in few numbers that stays open, and a strict one whose sides meet, are left so.
Otherwise independent draws speak, and ``supported`` is what they can say: if none of N violates,
then with error probability at most ``level`` fewer than 1 - level^(1/N) of the inputs so drawn do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from itertools import takewhile
from typing import Any, TypeAlias

import numpy as np
import sympy as sp

from theorems.checking.check import CheckBase
from theorems.checking.pointwise import Pointwise, admitted, decide, readable, short
from theorems.checking.shrinking import shrink
from theorems.context import Context
from theorems.evidence import Recorded
from theorems.statement import Evidence, Statement, Verdict
from theorems.workbench.spaces import Item, Space
from theorems.workbench.whole_domain import (
    Settled,
    covered,
    covered_at,
    every_item,
    on_lines,
    solved,
)

__all__ = ["Everywhere", "largest_share"]

#: Draws per draw that counts: what the assumptions leave may be a small part of the domain.
_REJECTED = 10
#: Choices of whole numbers that are gone through box by box where the domain as a whole is not.
_BOXED = 3
#: A share above this is no support.
_USELESS = 0.5
Details: TypeAlias = dict[str, Any]


def largest_share(draws: int, level: float) -> float:
    """The share p of violating inputs that independent draws all miss with probability ``level``.

    - ``draws``: their number N, at least 1
    - ``level``: in (0, 1); if more than (1-p)^N = ``level`` says violated, none of N draws would
      have shown it with a probability below ``level``

    Example:
        >>> largest_share(1, 0.25)
        0.75
    """
    return -math.expm1(math.log(level) / draws)


@dataclass
class _Seen:
    """What became of inputs that were looked at one by one."""

    decided: int = 0
    outside: int = 0
    open: int = 0
    witness: Item | None = None
    cut: bool = False  # out of time


@dataclass(frozen=True)
class _Judgement:
    verdict: Verdict
    words: str
    details: Details
    witness: Item | None = None
    power: float | None = None
    tightness: tuple[float, float] | None = None  # over what was laid out, and over all


@dataclass(frozen=True)
class Everywhere(CheckBase):
    """The check of a claim about every input.

    - ``attack``: the corners and Hypothesis' draws, which are chosen to violate and carry no
      verdict
    - ``draws``: so many independent inputs are drawn by ``space.law`` if the domain was not covered

    Where assumptions leave so few of them that the bound is above a half, or one is left open, the
    claim is ``inconclusive``.
    """

    space: Space
    attack: Pointwise[Item]
    draws: int
    method = "sampling"

    def words(self, statement: Statement) -> str:
        """What ``theorems show`` says of the check.

        Args:
            statement: not used: it is the same for every claim over this space.

        Returns:
            One sentence, with the number of draws and the law that they are from.
        """
        return (
            "corners and Hypothesis' draws, decided exactly; then the whole domain where it is "
            "finite, algebraic in few numbers, or a few boxes; else "
            f"{self.draws} independent draws: {self.space.law}"
        )

    @property
    def takes_batch(self) -> bool:
        """Whether a user's batch has a part in it: not in a claim about parameters alone."""
        return self.attack.takes_batch

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        found, plain = self._judge(statement, context.share(2)), replace(context, batch=None)
        if "batch" in found.details:  # decided exactly: the level is left to what stands beside it
            beside = self(statement, plain)
            found.details["sentinel_witness"] = beside.details["sentinel_witness"]
            return replace(
                self._evidence(statement, context, found),
                sentinel=beside.sentinel,
                beside=(beside,),
            )
        # a neighbour that stands is a verdict too
        neighbour = self._judge(statement.neighbour, plain.share(2))
        found.details["sentinel_witness"] = readable(neighbour.witness)
        return replace(self._evidence(statement, context, found), sentinel=neighbour.verdict)

    def _evidence(self, statement: Statement, context: Context, found: _Judgement) -> Evidence:
        """What was found, its witness shrunk; the sentinel's verdict is still to be put in."""
        details, words, tightness = found.details, found.words, found.tightness
        if found.witness is not None:
            simpler = shrink(
                found.witness, lambda item: not context.expired and self.refutes(statement, item)
            )
            decision = decide(statement, lambda: self.space.values(simpler))
            ratio, missing = decision.ratio, decision.undefined
            details["witness"] = readable(simpler)
            words = f"{'undefined' if missing else 'violated'} at {short(simpler)}"
            words += f": {missing.words}" if missing else ""
            tightness = None if ratio is None else (ratio, ratio)
        methods = {Verdict.REFUTED: "search", Verdict.CERTIFIED: "certificate"}
        return Evidence(
            method=methods.get(found.verdict, self.method),
            verdict=found.verdict,
            summary=words,
            sentinel=Verdict.INCONCLUSIVE,
            tightness=None if tightness is None else tightness[1],
            tightness_interval=tightness,
            power=found.power,
            details=Recorded(details),
        )

    def refutes(self, statement: Statement, item: Item) -> bool:
        """Whether an input certainly counts and certainly violates the claim.

        It counts if it lies in the domain and meets the assumptions. What is left open, or has no
        value, refutes nothing.
        """
        try:
            return (
                self.space.contains(item)
                and admitted(statement, self.space.values(item)) is True
                and decide(statement, lambda: self.space.values(item)).holds is False
            )
        except (ValueError, ArithmeticError):
            return False  # a side or a quantity has no value there

    def _judge(self, statement: Statement, context: Context) -> _Judgement:
        _, tally, witness = self.attack.attack(statement, context)
        details: Details = {
            "decided": tally.decided,
            "outside": tally.outside,
            "open": len(tally.open),
        }
        if tally.worst is not None:
            details["tightest_at"] = readable(tally.worst)
        if tally.batch is not None:
            details["batch"] = tally.batch.value
        tightness = None if tally.ratio is None else (tally.fixed or 0.0, tally.ratio)
        judged = partial(_Judgement, details=details, tightness=tightness)
        if witness is not None:
            return judged(Verdict.REFUTED, "violated", witness=witness)
        if tally.batch is not None:
            words = {
                Verdict.OUTSIDE: "the batch lies outside the domain or the assumptions",
                Verdict.INCONCLUSIVE: "the batch is left open",
            }.get(tally.batch, "the batch decided exactly")
            return judged(tally.batch, words, power=0.0 if tally.batch.holds else None)
        found = next(self._far(statement, context), None) or self._whole(
            statement, context, details
        )
        if found.witness is not None:
            return judged(Verdict.REFUTED, "violated", witness=found.witness)
        if found.words:
            details["covered"] = found.words
            return judged(Verdict.CERTIFIED, found.words, power=0.0)
        rest = _left_open(details.get("boxes"))
        if left := len(tally.open):
            rest += f"; {left} of {tally.decided + left} others left open"
        if perhaps := details.get("perhaps_undefined"):
            rest += f"; that a side has a value everywhere is left open ({perhaps[0]})"
        drawn = self.by_draws(statement, context, details)
        if drawn.witness is None:
            return judged(drawn.verdict, drawn.words + rest, power=drawn.power)
        return judged(drawn.verdict, drawn.words, witness=drawn.witness)

    def by_draws(self, statement: Statement, context: Context, details: Details) -> _Judgement:
        """What independent draws alone say of a claim.

        - ``details``: what was found before, to which is added what became of them
        """
        generator = np.random.default_rng(context.stream(statement.name, "draws"))
        items = (self.space.sample(generator) for _ in range(self.draws * _REJECTED))
        seen = self._look(statement, items, context, self.draws)
        details |= {
            "draws": seen.decided,
            "law": self.space.law,
            "drawn_outside": seen.outside,
            "drawn_open": seen.open,
            "level": context.level,
        }
        if seen.witness is not None:
            return _Judgement(Verdict.REFUTED, "violated", details, seen.witness)
        share = largest_share(seen.decided, context.level) if seen.decided else 1.0
        if undecided := _undecided(seen, share, details):
            return _Judgement(Verdict.INCONCLUSIVE, undecided, details)
        details["share_below"] = share
        # how far the draws go, where the domain goes further
        reach = f" ({', '.join(self.space.cut)})" if self.space.cut else ""
        words = (
            f"none of {seen.decided} drawn at random{reach} violates: fewer than "
            f"{_percent(share)} of such inputs do, at level {context.level:.2g}"
        )
        return _Judgement(Verdict.SUPPORTED, words, details, power=share)

    def _far(self, statement: Statement, context: Context) -> Iterator[Settled]:
        """Inputs far out that violate; none is tried where a sum would run so far."""
        if not any(side.has(sp.Sum, sp.Product) for side in (statement.lhs, statement.rhs)):
            items = takewhile(lambda _: not context.expired, self.space.far())
            yield from (Settled(witness=x) for x in items if self.refutes(statement, x))

    def _whole(self, statement: Statement, context: Context, details: Details) -> Settled:
        """Whether the domain was covered, or that led to an input that violates."""
        if (items := every_item(self.space)) is not None:
            seen = self._look(statement, items, context)
            if seen.witness is not None:
                return Settled(witness=seen.witness)
            if seen.decided and not seen.open and not seen.cut:
                return Settled(f"every input of the domain decided exactly ({seen.decided})")
        refutes = partial(self.refutes, statement)
        perhaps: list[str] = []
        for part in (*statement.definedness, statement):  # first, that both sides have a value
            found = self._settle(part, refutes, context)
            if found.witness is not None:
                return found
            if part is statement:
                details |= found.details
            elif not found.words:
                perhaps.append(part.title)
                details |= {k: v for k, v in found.details.items() if k == "touching"}
        if perhaps:
            details["perhaps_undefined"] = perhaps
        return Settled(None if perhaps else found.words)

    def _settle(
        self, part: Statement, refutes: Callable[[Item], bool], context: Context
    ) -> Settled:
        """One comparison over the whole domain: on the real line, by z3, box by box."""
        lines = on_lines(self.space, part, refutes, context)
        if lines.witness is not None or lines.words:
            return lines
        by_z3 = solved(self.space, part, refutes, lines.choices, lambda: context.expired)
        if by_z3.witness is not None or by_z3.words:
            return by_z3
        details: Details = {}
        found = covered(self.space, part, refutes, context)
        if found is not None:
            details["boxes"] = {
                "settled": found.settled,
                "open": found.open,
                "open_share": found.share,
            }
            if found.witness is not None:
                return Settled(witness=found.witness)
            if found.complete:
                words = f"every box of the domain enclosed ({_count(found.settled, 'box')})"
                return Settled(words, details=details)
            if found.touching and part.relation in ("<", ">", "!="):
                details["touching"] = _roughly(found.touching[0])
        left = sorted(lines.open - by_z3.choices)
        for choice in left[:_BOXED] if found is None else ():
            boxed = covered_at(self.space, part, choice, refutes, context)
            if boxed is not None and boxed.witness is not None:
                return Settled(witness=boxed.witness)
            if boxed is not None and boxed.complete:
                left.remove(choice)
        return Settled(details=details | ({"undecided": len(left)} if left else {}))

    def _look(
        self, statement: Statement, items: Iterable[Item], context: Context, most: float = math.inf
    ) -> _Seen:
        """Decide inputs one by one until one violates, or ``most`` met the assumptions."""
        seen = _Seen()
        for item in items:
            if context.expired:
                seen.cut = True
                break
            met = self.space.contains(item) and admitted(statement, self.space.values(item))
            if met is False:
                seen.outside += 1
                continue
            holds = decide(statement, partial(self.space.values, item)).holds
            if holds is False and met:
                seen.witness = item
                break
            seen.decided += holds is True
            seen.open += holds is not True
            if seen.decided + seen.open >= most:
                break
        return seen


def _undecided(seen: _Seen, share: float, details: Details) -> str:
    """Why draws of which none violates say nothing; empty where they do."""
    few, near = details.get("undecided", 0), details.get("touching")
    none = f"none of {seen.decided} drawn at random violates"
    advice = "; pip install 'batchnorm-theorems[smt]' lets z3 try" * (find_spec("z3") is None)
    reasons = (
        (seen.cut, f"out of time after {_count(seen.decided, 'draw')}"),
        (seen.open, f"{seen.open} of {seen.decided + seen.open} drawn at random left open"),
        (
            share > _USELESS,
            f"only {seen.decided} of {seen.decided + seen.outside} drawn at random meet the "
            "assumptions: too few",
        ),
        (
            few,
            f"{none}, which says nothing of thin sets: an algebraic claim in few numbers, left "
            f"open at {_count(few, 'choice')} of the whole ones{advice}",
        ),
        (
            near,
            f"{none}, but the sides meet, or nearly, at {near}, where a strict claim may fail",
        ),
    )
    return next((words for so, words in reasons if so), "")


def _roughly(item: Item) -> str:
    """Where an input lies, in six digits."""
    return ", ".join(f"{name} ≈ {_six_digits(value)}" for name, value in item.items())


def _six_digits(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"({', '.join(map(_six_digits, value))})"
    return f"{float(value):.6g}"


def _left_open(boxes: Details | None) -> str:
    if boxes is None:
        return ""
    enclosed = _count(boxes["settled"], "box")
    return f"; {enclosed} enclosed, at most {_percent(boxes['open_share'])} of the domain open"


def _percent(share: float) -> str:
    """Two digits, rounded up; never below a millionth."""
    percent = max(100 * share, 1e-6)
    unit = 10.0 ** (math.floor(math.log10(percent)) - 1)
    return f"{math.ceil(percent / unit - 1e-9) * unit:.3g} %"


def _count(number: int, thing: str) -> str:
    plural = f"{thing}es" if thing.endswith("x") else f"{thing}s"
    return f"{number} {thing if number == 1 else plural}"
