"""The check of a claim about every input of a space: attacked, and if nothing violates, how much of it was seen.

``certified`` is for a domain that was gone through: finite and every input of it decided, decided exactly on the real
line, every box of it enclosed, or proved by z3 at every size there is. An algebraic claim in few numbers that stays
open, and a strict one whose sides meet, are left so. Otherwise independent draws speak, and ``supported`` is what they
can say: if none of N violates, then with error probability at most ``level`` fewer than 1 - level^(1/N) of the inputs
so drawn do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from itertools import takewhile
from typing import Any

import numpy as np
import sympy as sp

from theorems.checking.pointwise import Pointwise, admitted, decide, readable, short
from theorems.checking.shrinking import shrink
from theorems.context import Context
from theorems.evidence import Recorded
from theorems.statement import Evidence, Statement, Verdict
from theorems.workbench.spaces import Item, Space
from theorems.workbench.whole_domain import covered, covered_at, every_item, on_lines, solved

__all__ = ["Everywhere", "largest_share"]

#: Draws per draw that counts: what the assumptions leave may be a small part of the domain.
_REJECTED = 10
#: Choices of whole numbers that are gone through box by box where the domain as a whole is not.
_BOXED = 3
_Ends = tuple[float, float]
#: A share above this is no support.
_USELESS = 0.5


def largest_share(draws: int, level: float) -> float:
    """The share p of violating inputs that ``draws`` independent ones all miss with probability ``level``, (1-p)^N.

    If more than that violated, none of N draws would have shown it with a probability below ``level``. N is at least 1.
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
    details: dict[str, Any] = field(default_factory=dict)
    witness: Item | None = None
    power: float | None = None
    tightness: _Ends | None = None  # over what was laid out, and over all


@dataclass(frozen=True)
class _Settled:
    """What became of one comparison over the whole domain: ``words`` if it holds, an input that violates."""

    words: str | None = None
    witness: Item | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Everywhere:
    """``attack`` holds the corners and Hypothesis' draws, which are chosen to violate and carry no verdict.

    ``draws`` independent inputs are drawn by ``space.law`` if the domain was not covered. Where assumptions leave so
    few of them that the bound is above a half, or one is left open, the claim is ``inconclusive``.
    """

    space: Space
    attack: Pointwise[Item]
    draws: int

    def words(self, statement: Statement) -> str:
        """What ``theorems show`` says of it."""
        return (
            f"corners and Hypothesis' draws, decided exactly; then the whole domain where it is finite, algebraic "
            f"in few numbers, or a few boxes; else {self.draws} independent draws: {self.space.law}"
        )

    @property
    def takes_batch(self) -> bool:
        """Whether a user's batch has a part in it."""
        return self.attack.takes_batch

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        found, plain = self._judge(statement, context.share(2)), replace(context, batch=None)
        if (
            "batch" in found.details
        ):  # decided exactly, so that the level is left to what stands beside it
            beside = self(statement, plain)
            return self._evidence(
                statement,
                context,
                found,
                beside.sentinel,
                beside.details["sentinel_witness"],
                (beside,),
            )
        neighbour = self._judge(
            statement.neighbour, plain.share(2)
        )  # one that stands is a verdict too
        return self._evidence(
            statement, context, found, neighbour.verdict, readable(neighbour.witness)
        )

    def _evidence(
        self,
        statement: Statement,
        context: Context,
        found: _Judgement,
        sentinel: Verdict,
        fallen: Any,
        beside: tuple[Evidence, ...] = (),
    ) -> Evidence:
        details, words = found.details | {"sentinel_witness": fallen}, found.words
        tightness = found.tightness
        if found.witness is not None:
            simpler = shrink(
                found.witness, lambda item: not context.expired and self.refutes(statement, item)
            )
            decision = decide(statement, lambda: self.space.values(simpler))
            ratio, missing = decision.ratio, decision.undefined
            details["witness"] = readable(simpler)
            words = (
                f"violated at {short(simpler)}"
                if missing is None
                else (f"undefined at {short(simpler)}: {missing.words}")
            )
            tightness = None if ratio is None else (ratio, ratio)
        method = {Verdict.REFUTED: "search", Verdict.CERTIFIED: "certificate"}.get(
            found.verdict, "sampling"
        )
        return Evidence(
            method=method,
            verdict=found.verdict,
            summary=words,
            sentinel=sentinel,
            beside=beside,
            tightness=None if tightness is None else tightness[1],
            tightness_interval=tightness,
            power=found.power,
            details=Recorded(details),
        )

    def refutes(self, statement: Statement, item: Item) -> bool:
        """Whether an input of the domain certainly meets the assumptions and violates the claim."""
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
        details: dict[str, Any] = {
            "decided": tally.decided,
            "outside": tally.outside,
            "open": len(tally.open),
        }
        if tally.worst is not None:
            details["tightest_at"] = readable(tally.worst)
        if tally.batch is not None:
            details["batch"] = tally.batch.value
        tightness = None if tally.ratio is None else (tally.fixed or 0.0, tally.ratio)
        if witness is not None:
            return _refuted(witness, details, tightness)
        if tally.batch is not None and tally.batch.holds:
            return _Judgement(
                tally.batch, "the batch decided exactly", details, power=0.0, tightness=tightness
            )
        if tally.batch is not None:
            outside = tally.batch is Verdict.OUTSIDE
            words = f"the batch {'lies outside the domain or the assumptions' if outside else 'is left open'}"
            return _Judgement(tally.batch, words, details, tightness=tightness)
        tried = (
            f"; {len(tally.open)} of {tally.decided + len(tally.open)} others left open"
            if tally.open
            else ""
        )
        if (
            item := next(
                (x for x in self._far(statement, context) if self.refutes(statement, x)), None
            )
        ) is not None:
            return _refuted(item, details, tightness)
        return self._whole(statement, context, details, tightness) or self._sampled(
            statement, context, details, tightness, tried
        )

    def _far(self, statement: Statement, context: Context) -> Iterator[Item]:
        """Inputs far out; none where a sum would run that far."""
        if not (statement.lhs.has(sp.Sum, sp.Product) or statement.rhs.has(sp.Sum, sp.Product)):
            yield from takewhile(lambda _: not context.expired, self.space.far())

    def _whole(
        self,
        statement: Statement,
        context: Context,
        details: dict[str, Any],
        tightness: _Ends | None,
    ) -> _Judgement | None:
        """The verdict if the domain was covered, or if that led to an input that violates; None otherwise."""

        def certified(words: str) -> _Judgement:
            return _Judgement(
                Verdict.CERTIFIED, words, details | {"covered": words}, None, 0.0, tightness
            )

        if (items := every_item(self.space)) is not None:
            seen = self._look(statement, items, context)
            if seen.witness is not None:
                return _refuted(seen.witness, details, tightness)
            if seen.decided and not seen.open and not seen.cut:
                return certified(f"every input of the domain decided exactly ({seen.decided})")
        perhaps = []
        for part in (
            *statement.definedness,
            statement,
        ):  # first, that both sides have a value everywhere
            found = self._settle(part, lambda item: self.refutes(statement, item), context)
            if found.witness is not None:
                return _refuted(found.witness, details, tightness)
            if part is not statement and not found.words:
                perhaps.append(part.title)
                details |= {k: v for k, v in found.details.items() if k == "touching"}
        details |= found.details | ({"perhaps_undefined": perhaps} if perhaps else {})
        return certified(found.words) if found.words and not perhaps else None

    def _settle(
        self, part: Statement, refutes: Callable[[Item], bool], context: Context
    ) -> _Settled:
        """One comparison over the whole domain: on the real line, by z3, box by box."""
        lines = on_lines(self.space, part, refutes, context)
        if lines.witness is not None:
            return _Settled(witness=lines.witness)
        if lines.complete:
            return _Settled(lines.words)
        by_z3 = solved(self.space, part, refutes, lines.settled, lambda: context.expired)
        if by_z3.witness is not None or by_z3.words:
            return _Settled(by_z3.words, by_z3.witness)
        details: dict[str, Any] = {}
        found = covered(self.space, part, refutes, context)
        if found is not None:
            details["boxes"] = {
                "settled": found.settled,
                "open": found.open,
                "open_share": found.share,
            }
            if found.witness is not None:
                return _Settled(witness=found.witness)
            if found.complete:
                return _Settled(
                    f"every box of the domain enclosed ({_count(found.settled, 'box')})",
                    details=details,
                )
            if found.touching and part.relation in ("<", ">", "!="):
                details["touching"] = _roughly(found.touching[0])
        left = sorted(lines.open - by_z3.settled)
        for choice in left[:_BOXED] if found is None else ():
            boxed = covered_at(self.space, part, choice, refutes, context)
            if boxed is not None and boxed.witness is not None:
                return _Settled(witness=boxed.witness)
            if boxed is not None and boxed.complete:
                left.remove(choice)
        return _Settled(details=details | ({"undecided": len(left)} if left else {}))

    def _sampled(
        self,
        statement: Statement,
        context: Context,
        details: dict[str, Any],
        tightness: _Ends | None,
        tried: str,
    ) -> _Judgement:
        """What independent draws say."""
        generator = np.random.default_rng(
            np.random.SeedSequence(context.stream(statement.name, "draws"))
        )
        drawn = (self.space.sample(generator) for _ in range(self.draws * _REJECTED))
        seen = self._look(statement, drawn, context, self.draws)
        details |= {
            "draws": seen.decided,
            "law": self.space.law,
            "drawn_outside": seen.outside,
            "drawn_open": seen.open,
            "level": context.level,
        }
        rest = _left_open(details.get("boxes")) + tried
        if perhaps := details.get("perhaps_undefined"):
            rest += f"; that a side has a value everywhere is left open ({perhaps[0]})"
        if seen.witness is not None:
            return _refuted(seen.witness, details, tightness)

        def undecided(words: str) -> _Judgement:
            return _Judgement(Verdict.INCONCLUSIVE, words + rest, details, tightness=tightness)

        if seen.cut:
            return undecided(f"out of time after {_count(seen.decided, 'draw')}")
        if seen.open:
            return undecided(f"{seen.open} of {seen.decided + seen.open} drawn at random left open")
        if not seen.decided or (bound := largest_share(seen.decided, context.level)) > _USELESS:
            return undecided(
                f"only {seen.decided} of {seen.decided + seen.outside} drawn at random meet the "
                "assumptions: too few"
            )
        if few := details.get("undecided"):
            return undecided(
                f"none of {seen.decided} drawn at random violates, which says nothing of thin sets: an "
                f"algebraic claim in few numbers, left open at {_count(few, 'choice')} of the whole ones"
                + "; pip install 'batchnorm-theorems[smt]' lets z3 try"
                * (find_spec("z3") is None)
            )
        if near := details.get("touching"):
            return undecided(
                f"none of {seen.decided} drawn at random violates, but the sides meet, or nearly, at "
                f"{near}, where a strict claim may fail"
            )
        details["share_below"] = bound
        return _Judgement(
            Verdict.SUPPORTED,
            f"none of {seen.decided} drawn at random{self._reach} violates: fewer than "
            f"{_percent(bound)} of such inputs do, at level {context.level:.2g}{rest}",
            details,
            None,
            bound,
            tightness,
        )

    @property
    def _reach(self) -> str:
        """How far the draws go, where the domain goes further."""
        return f" ({', '.join(self.space.cut)})" if self.space.cut else ""

    def _look(
        self, statement: Statement, items: Iterable[Item], context: Context, most: float = math.inf
    ) -> _Seen:
        """Decide inputs one by one until one violates, or ``most`` met the assumptions."""
        seen = _Seen()
        for item in items:
            if context.expired:
                seen.cut = True
                break
            met = (
                admitted(statement, self.space.values(item)) if self.space.contains(item) else False
            )
            if met is False:
                seen.outside += 1
                continue
            holds = decide(statement, lambda item=item: self.space.values(item)).holds  # type: ignore[misc]
            if holds is False and met:
                seen.witness = item
                break
            seen.decided += holds is True
            seen.open += holds is not True
            if seen.decided + seen.open >= most:
                break
        return seen


def _refuted(witness: Item, details: dict[str, Any], tightness: _Ends | None) -> _Judgement:
    return _Judgement(Verdict.REFUTED, "violated", details, witness, None, tightness)


def _roughly(item: Item) -> str:
    """Where an input lies, in six digits."""

    def text(value: Any) -> str:
        return (
            "(" + ", ".join(map(text, value)) + ")"
            if isinstance(value, list | tuple)
            else f"{float(value):.6g}"
        )

    return ", ".join(f"{name} ≈ {text(value)}" for name, value in item.items())


def _left_open(boxes: dict[str, Any] | None) -> str:
    if boxes is None:
        return ""
    return f"; {_count(boxes['settled'], 'box')} enclosed, at most {_percent(boxes['open_share'])} of the domain open"


def _percent(share: float) -> str:
    """Two digits, rounded up; never below a millionth."""
    percent = max(100 * share, 1e-6)
    unit = 10.0 ** (math.floor(math.log10(percent)) - 1)
    return f"{math.ceil(percent / unit - 1e-9) * unit:.3g} %"


def _count(number: int, thing: str) -> str:
    plural = f"{thing}es" if thing.endswith("x") else f"{thing}s"
    return f"{number} {thing if number == 1 else plural}"
