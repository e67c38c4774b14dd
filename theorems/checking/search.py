"""Falsification: an adversary tries to break a claim, and the same adversary must break its false neighbour.

Attacks, in turn: witnesses of earlier runs; corner inputs; small sizes decided by z3, for claims about polynomials;
boxes of few real numbers, enclosed and halved;
gradient ascent on the violation through Torch where it is differentiable; differential evolution; Hypothesis, with the
violation as its target. They work in floats, and only propose: an input counts once exact or ball arithmetic refutes
the claim there. What counts is shrunk, decided again, and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

import flint
import hypothesis
import numpy as np
from hypothesis.strategies import SearchStrategy

from theorems.checking.ascent import ascend, evolve
from theorems.checking.check import CheckBase
from theorems.checking.hypothesis_search import search
from theorems.checking.pointwise import admitted, decide, exact_sign, fault
from theorems.checking.shrinking import shrink
from theorems.checking.symbol_values import Completed, evaluate
from theorems.context import Context
from theorems.evidence import Details, Evidence, Verdict
from theorems.expressions import arguments_of, compiled
from theorems.witnesses import Corpus, CorpusError, Witness, spelled

if TYPE_CHECKING:
    from theorems.statement import Statement

__all__ = [
    "BATCH",
    "Adversary",
    "Cube",
    "ExactAdversary",
    "Falsification",
    "Found",
    "margin_at",
    "violation",
]


#: The attack that is made of the user's batch.
BATCH = "the batch"
#: The kind of what refutes in the limit of width, hence at some width.
WIDTH_LIMIT = "width limit"


@dataclass(frozen=True)
class Found:
    """An input that refutes, the attack that found it, and how far the sides are apart there, in words.

    ``level`` is the share of the error level that was spent to confirm it; None for an exact decision. ``fault`` is
    what befalls the claim there, ``violated`` or ``undefined``.
    """

    item: Any
    attack: str
    margin: str
    kind: str = "exact"
    level: float | None = None
    fault: str = "violated"


class Adversary(Protocol):
    """Breaks claims of one kind."""

    @property
    def takes_batch(self) -> bool:
        """Whether a user's batch is among what it tries."""
        ...

    def hunt(
        self, statement: Statement, context: Context, known: Sequence[Any], tried: dict[str, int]
    ) -> Found | None:
        """The first input that certainly refutes; ``tried`` counts what each attack looked at."""
        ...

    def shrunk(self, statement: Statement, context: Context, found: Found) -> Found:
        """A simpler one, decided again."""
        ...


class Cube(Protocol):
    """An input space as a unit cube, for each choice of sizes."""

    @property
    def differentiable(self) -> bool: ...

    def shapes(self, most: Mapping[str, int]) -> list[dict[str, Fraction]]: ...

    def coordinates(self, sizes: Mapping[str, Fraction]) -> int: ...

    def floats(self, sizes: Mapping[str, Fraction], u: Any, xp: Any = ...) -> dict[str, Any]: ...

    def item(self, sizes: Mapping[str, Fraction], u: Any) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class Hunt(Details):
    """What a search tried, by attack, and what it found: of the claim, and of its neighbour.

    ``margin``, ``attack`` and ``kind`` are those of the :class:`Found` input; ``kept`` names the file it was kept in,
    ``not_kept`` says why it was not.
    """

    tried: Mapping[str, int]
    replayed: int
    sentinel_witness: object
    witness: object = None
    margin: str | None = None
    attack: str | None = None
    kind: str | None = None
    kept: str | None = None
    not_kept: str | None = None

    def fell(self, at: Callable[[object], str]) -> str:
        """Where the claim is false, and by how much."""
        if self.witness is None:
            return ""
        limit = " in the limit of width, hence at some width" * (self.kind == WIDTH_LIMIT)
        return f"false at {at(self.witness)}{limit} ({self.margin})"


@dataclass(frozen=True)
class Falsification(CheckBase):
    """Adversarial search, on the claim and on its false neighbour alike, with a corpus of witnesses.

    ``known`` are witnesses of earlier runs, tried first. Finding nothing says little, and never carries a verdict.
    """

    adversary: Adversary
    known: tuple[Witness, ...] = ()
    corpus: Corpus | None = None

    method = "search"

    @property
    def takes_batch(self) -> bool:
        """Whether a user's batch has a part in it."""
        return self.adversary.takes_batch

    def words(self, statement: Statement) -> str:
        """What ``theorems show`` says of it."""
        return (
            "falsification: Adversarial search, on the claim and on its false neighbour alike, "
            "with a corpus of witnesses."
        )

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        tried: dict[str, int] = {}
        share = context.share(2)
        found = self.adversary.hunt(statement, share, [w.input for w in self.known], tried)
        fallen = self.adversary.hunt(statement.neighbour, share, [], {})
        hunt = Hunt(
            tried=dict(tried),
            replayed=len(self.known),
            sentinel_witness=_readable(fallen.item) if fallen else None,
        )
        sentinel = Verdict.REFUTED if fallen else Verdict.INCONCLUSIVE
        apart = context.batch is not None and (
            found.attack != BATCH if found else not tried.get(BATCH)
        )
        if found is None:
            listed = ", ".join(f"{count} by {attack}" for attack, count in tried.items() if count)
            blind = "" if fallen else "; it misses the false neighbour too, so that says nothing"
            if context.batch is not None and not tried.get(BATCH):
                blind += "; the batch has no part in it, or lies outside"
            return Evidence(
                method=self.method,
                verdict=Verdict.INCONCLUSIVE,
                sentinel=sentinel,
                partial=True,
                apart=apart,
                summary=f"no counterexample: {listed or 'nothing tried'}{blind}",
                details=hunt,
            )
        found = self.adversary.shrunk(statement, share, found)
        hunt = replace(
            hunt,
            witness=_readable(found.item),
            margin=found.margin,
            attack=found.attack,
            kind=found.kind,
        )
        by = "the width limit" if found.kind == WIDTH_LIMIT else found.attack
        return Evidence(
            method=self.method,
            verdict=Verdict.REFUTED,
            sentinel=sentinel,
            details=self._kept(hunt, statement, found, context.seed),
            apart=apart,
            summary=f"{found.fault} at {_line(found.item)}: {found.margin} (by {by})",
        )

    def _kept(self, hunt: Hunt, statement: Statement, found: Found, seed: int) -> Hunt:
        """What was found, kept in the corpus if there is one; the verdict stands without it."""
        if self.corpus is None:
            return hunt
        claim = f"{statement.lhs} {statement.relation} {statement.rhs}"
        how = {"by": found.attack, "margin": found.margin, "seed": str(seed)}
        witness = Witness(statement.name, claim, found.item, found.kind, how)
        try:
            return replace(hunt, kept=str(self.corpus.keep(witness)))
        except CorpusError as error:
            return replace(hunt, not_kept=str(error))


# --- exact claims -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ExactAdversary:
    """For claims about every input. The first four fields are those of a pointwise check.

    ``contains`` says whether an input lies in the domain. ``cube`` opens gradient ascent and differential evolution;
    ``solve(statement)`` yields what a decision procedure proposes, None for a question it answered otherwise, and
    ``bound(statement, context)`` what branch and bound over boxes does, ``line(statement, context)`` what an exact
    decision in one number does.
    ``examples`` is for Hypothesis. ``given`` makes inputs of the user's batch, which lie in the domain; None, or a
    result of None, where a batch has nothing to say.
    """

    values: Callable[[Any], Mapping[str, Any]]
    inputs: Callable[[], SearchStrategy[Any]]
    corners: Callable[[], Iterable[Any]]
    contains: Callable[[Any], bool]
    cube: Cube | None = None
    solve: Callable[[Statement], Iterator[Any | None]] | None = None
    bound: Callable[[Statement, Context], Iterator[Any | None]] | None = None
    line: Callable[[Statement, Context], Iterator[Any | None]] | None = None
    examples: int = 100
    squares: bool = False
    most: Mapping[str, int] = field(default_factory=lambda: {"n": 6, "d": 5, "ell": 12})
    kind: str = "exact"
    given: Callable[[Any], Sequence[Any] | None] | None = None

    @property
    def takes_batch(self) -> bool:
        """Whether a user's batch is among what it tries."""
        return self.given is not None

    def refutes(self, statement: Statement, item: Any, *, inside: bool = False) -> bool:
        """Whether the claim is certainly false at an input of its domain that certainly meets the assumptions.

        ``inside``: the input is known to lie in the domain.
        """
        if item is None:  # a question asked, without an input to show for it
            return False
        try:
            if (
                not (inside or self.contains(item))
                or admitted(statement, self.values(item)) is not True
            ):
                return False
            return decide(statement, lambda: self.values(item), squares=self.squares).holds is False
        except (ValueError, ArithmeticError, LookupError, TypeError):
            return False  # a witness of another claim of this name, or a candidate that is no input

    def hunt(
        self, statement: Statement, context: Context, known: Sequence[Any], tried: dict[str, int]
    ) -> Found | None:
        for attack, proposals in (
            ("witness of an earlier run", iter(known)),
            (BATCH, self._of_batch(context)),
            ("corner inputs", iter(self.corners())),
            ("exact decision on the real line", self._decided(statement, context)),
            ("z3 at small sizes", self._solved(statement)),
            (
                "branch and bound",
                iter(()) if self.bound is None else self.bound(statement, context),
            ),
            ("gradient ascent", self._climbed(statement, context)),
            ("differential evolution", self._evolved(statement, context)),
        ):
            context.progress(f"{statement.name}: {attack}")
            for item in proposals:
                tried[attack] = tried.get(attack, 0) + 1
                if self.refutes(statement, item, inside=attack is BATCH):
                    return self._found(statement, item, attack)
                if context.expired:
                    return None
        context.progress(f"{statement.name}: hypothesis")
        item = self._drawn(statement, context, tried)
        return None if item is None else self._found(statement, item, "hypothesis")

    def _found(self, statement: Statement, item: Any, attack: str) -> Found:
        return Found(
            item,
            attack,
            margin_at(statement, self.values(item)),
            self.kind,
            fault=fault(statement, lambda: self.values(item)),
        )

    def shrunk(self, statement: Statement, context: Context, found: Found) -> Found:
        item = shrink(
            found.item, lambda candidate: not context.expired and self.refutes(statement, candidate)
        )
        return self._found(statement, item, found.attack)

    def _of_batch(self, context: Context) -> Iterator[Any]:
        if context.batch is not None and self.given is not None:
            yield from self.given(context.batch.array) or ()

    def _decided(self, statement: Statement, context: Context) -> Iterator[Any]:
        if self.line is not None:
            yield from (item for item in self.line(statement, context) if item is not None)

    def _solved(self, statement: Statement) -> Iterator[Any]:
        if self.solve is not None:
            yield from self.solve(statement)

    def _climbed(self, statement: Statement, context: Context) -> Iterator[Any]:
        if self.cube is None or not self.cube.differentiable:
            return
        import torch

        cube = self.cube
        for number, sizes in enumerate(self._shapes()):
            if (dimensions := cube.coordinates(sizes)) == 0 or context.expired:
                continue
            starts = np.random.default_rng(context.stream("ascent", number)).random(
                (16, dimensions)
            )

            def score(u: Any, sizes: Mapping[str, Fraction] = sizes) -> Any:
                values = cube.floats(sizes, u, torch)
                return violation(statement, values, torch)

            yield from (cube.item(sizes, u) for u in ascend(score, starts)[:4])

    def _evolved(self, statement: Statement, context: Context) -> Iterator[Any]:
        if self.cube is None:
            return
        cube = self.cube
        for number, sizes in enumerate(self._shapes()):
            if (dimensions := cube.coordinates(sizes)) == 0 or context.expired:
                continue

            def score(u: Any, sizes: Mapping[str, Fraction] = sizes) -> Any:
                return violation(statement, cube.floats(sizes, u, np), np)

            seed = int(
                np.random.SeedSequence(context.stream("evolution", number)).generate_state(1)[0]
            )
            found = evolve(
                score,
                dimensions,
                seed=seed,
                generations=30,
                population=8,
                stop=lambda: context.expired,
            )
            yield from (cube.item(sizes, u) for u in found[:3])

    def _shapes(self) -> list[dict[str, Fraction]]:
        """Few sizes: the smallest, the largest, and some between."""
        shapes = self.cube.shapes(self.most) if self.cube is not None else []
        return (
            shapes if len(shapes) <= 6 else [shapes[k * (len(shapes) - 1) // 5] for k in range(6)]
        )

    def _drawn(self, statement: Statement, context: Context, tried: dict[str, int]) -> Any:
        def refuted(item: Any) -> bool:
            tried["hypothesis"] = tried.get("hypothesis", 0) + 1
            if context.expired:
                return False
            if self.refutes(statement, item):
                return True
            hypothesis.target(_one_violation(statement, self.values(item)))
            return False

        return search(
            self.inputs(),
            refuted,
            seed=context.seed,
            examples=self.examples,
            targeted=True,
            over=lambda: context.expired,
        )


# --- how far a claim is from failing ------------------------------------------------------------------------


def violation(statement: Statement, values: Mapping[str, Any], xp: Any) -> Any:
    """By how much the claim fails, relatively, in [-1, 1] and positive where it does; less outside the assumptions.

    ``values`` are floats or arrays (k,) by symbol name, NumPy's or Torch's.
    """
    tensors = xp is not np
    with np.errstate(all="ignore"):
        worst = _excess(statement.lhs, statement.relation, statement.rhs, values, tensors)
        for assumption in statement.assumptions:
            relation = assumption.relation
            if type(relation).__name__ == "Unequality":
                continue
            short = _excess(relation.lhs, relation.rel_op, relation.rhs, values, tensors)
            penalty = xp.where(short > 0, 2 + short, 0.0 * short)
            if relation.rel_op == "==":
                penalty = xp.where(short > 1e-9, penalty, 0.0 * short)
            worst = worst - penalty
    return worst


def _excess(lhs: Any, relation: str, rhs: Any, values: Mapping[str, Any], tensors: bool) -> Any:
    left, right = (_side(side, values, tensors) for side in (lhs, rhs))
    if relation in (">=", ">"):
        left, right = right, left
    gap = left - right
    if relation == "==":
        gap = abs(gap)
    return gap / (abs(left) + abs(right) + 1e-300)


def _side(expression: Any, values: Mapping[str, Any], tensors: bool) -> Any:
    names = arguments_of(expression)
    function = compiled(expression, names)
    found = (function.tensors if tensors else function.floats)(*(values[str(s)] for s in names))
    size = next((shape for v in values.values() if (shape := _shape(v))), ())
    if tensors:
        import torch

        return torch.as_tensor(found, dtype=torch.float64).expand(size)
    return np.broadcast_to(np.asarray(found, dtype=np.float64), size)


def _shape(value: Any) -> tuple[int, ...]:
    """Of the arrays that a value is, or is made of."""
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return tuple(getattr(value, "shape", ()))


def _one_violation(statement: Statement, values: Mapping[str, Any]) -> float:
    def plain(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [plain(v) for v in value]
        return np.float64(
            float(flint.arb(value).mid() if isinstance(value, flint.arb | flint.fmpq) else value)
        )

    sides = (statement.lhs, statement.rhs, *(a.relation for a in statement.assumptions))
    names = {str(s) for side in sides for s in arguments_of(side)}
    completed = Completed(values, statement.definitions, False)
    found = float(violation(statement, {name: plain(completed[name]) for name in names}, np))
    return found if np.isfinite(found) else -10.0


def margin_at(statement: Statement, values: Mapping[str, Any]) -> str:
    """``left > right`` in a few digits, from balls; which part has no value, where one has none."""
    if (missing := decide(statement, lambda: values).undefined) is not None:
        return missing.words
    with flint.ctx.workprec(256):
        completed = Completed(values, statement.definitions, False)
        sides = [
            flint.arb(evaluate(side, completed, False)) for side in (statement.lhs, statement.rhs)
        ]
    equal = (
        exact_sign(statement.lhs, statement.rhs, Completed(values, statement.definitions, True))
        == 0
    )
    if equal:
        sides = [max(sides, key=lambda side: side.is_exact())] * 2
    sign = {"<=": ">", "<": ">=", ">=": "<", ">": "<=", "==": "≠", "!=": "="}[statement.relation]
    for digits in (6, 12, 20, 40):
        left, right = (flint.arb(s.mid()).str(digits, radius=False) for s in sides)
        if left != right or equal:
            break
    return f"{left} {sign} {right}"


_LONGEST_LINE = 400


def _readable(item: Any) -> Any:
    if isinstance(item, Mapping):
        return {str(k): _readable(v) for k, v in item.items()}
    if isinstance(item, list | tuple):
        return [_readable(v) for v in item]
    return str(item)


def _line(item: Any) -> str:
    """An input on one line: ``n = 2, spectrum = (2/3, 1/3)``."""
    found = (
        ", ".join(f"{k} = {spelled(v)}" for k, v in item.items())
        if isinstance(item, Mapping)
        else spelled(item)
    )
    return (
        found if len(found) <= _LONGEST_LINE else f"{found[:_LONGEST_LINE]} …"
    )  # a user's batch may be large
