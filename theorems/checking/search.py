"""Falsification: an adversary tries to break a claim, and must break its false neighbour alike.

Attacks, in turn: witnesses of earlier runs; corner inputs; small sizes decided by z3, for claims
about polynomials; boxes of few real numbers, enclosed and halved; gradient ascent on the violation
through Torch where it is differentiable; differential evolution; Hypothesis, with the violation as
its target. They work in floats, and only propose: an input counts once exact or ball arithmetic
refutes the claim there. What counts is shrunk, decided again, and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from types import ModuleType
from typing import Any, Protocol

import flint
import hypothesis
import numpy as np
import sympy as sp
from hypothesis.strategies import SearchStrategy

from simulators.arrays import Array, Floats
from theorems.checking.ascent import ascend, evolve
from theorems.checking.check import CheckBase
from theorems.checking.hypothesis_search import search
from theorems.checking.pointwise import admitted, decide, exact_sign, fault
from theorems.checking.shrinking import shrink
from theorems.checking.symbol_values import Completed, Values, changed, in_balls
from theorems.context import Context
from theorems.evidence import Details, Evidence, Verdict
from theorems.expressions import arguments_of, compiled
from theorems.statement import Statement
from theorems.witnesses import Corpus, CorpusError, Witness, spelled

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
    """An input that refutes.

    - ``item``: the input; ``attack``: what found it
    - ``margin``: how far the sides are apart there, in words
    - ``kind``: "exact", "mean" or "width limit": by what it was confirmed
    - ``level``: the share of the error level that this took; None for an exact decision
    - ``fault``: what befalls the claim there, "violated" or "undefined"
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
        """Whether a user's batch is among what it tries; where it is not, `hunt` is called without
        one.
        """

    def hunt(
        self, statement: Statement, context: Context, known: Sequence[Any], tried: dict[str, int]
    ) -> Found | None:
        """The first input that certainly refutes, of ``known`` ones and of its own.

        ``tried`` is told how many inputs each attack looked at.

        Args:
            statement: the claim, or its false neighbour.
            context: the seed, the share of the error level, the user's batch.
            known: inputs of earlier runs.
            tried: is written to, by attack.
        """

    def shrunk(self, statement: Statement, context: Context, found: Found) -> Found:
        """A simpler input that refutes too, decided again; ``found`` if there is none.

        Args:
            statement: the claim.
            context: that of `hunt`.
            found: what `hunt` returned for both.
        """


class Cube(Protocol):
    """An input space as a unit cube, for each choice of sizes."""

    @property
    def differentiable(self) -> bool:
        """Whether `floats` runs in Torch as well, so that gradient ascent can be tried."""

    def shapes(self, most: Mapping[str, int]) -> list[dict[str, Fraction]]:
        """Choices of sizes.

        Args:
            most: the largest of each size, by name, as far as the domain allows.

        Returns:
            Sizes by name, from the smallest choice to the largest allowed.
        """

    def coordinates(self, sizes: Mapping[str, Fraction]) -> int:
        """The dimension of the cube.

        Args:
            sizes: one choice of `shapes`.

        Returns:
            How many coordinates a point has; 0 where the sizes leave nothing to choose.
        """

    def floats(self, sizes: Mapping[str, Fraction], u: Any, xp: ModuleType = ...) -> dict[str, Any]:
        """The values of every symbol at points of the cube, by name.

        A number has the shape (k,), a family is a sequence of such.

        Args:
            sizes: one choice of `shapes`.
            u: (k, coordinates) in [0, 1].
            xp: NumPy or Torch, of which ``u`` is.
        """

    def item(self, sizes: Mapping[str, Fraction], u: Floats) -> object:
        """The exact input at one point.

        Args:
            sizes: one choice of `shapes`.
            u: (coordinates,) in [0, 1].
        """


@dataclass(frozen=True, kw_only=True)
class Hunt(Details):
    """What a search tried, by attack, and what it found: of the claim, and of its neighbour.

    ``margin``, ``attack`` and ``kind`` are those of the `Found` input; ``kept`` names the
    file it was kept in, ``not_kept`` says why it was not.
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
        """Where the claim is false, and by how much, in a sentence.

        Args:
            at: writes ``witness``, as it stands here.

        Returns:
            The sentence; empty where nothing was found.

        Example:
            >>> hunt = Hunt(tried={}, replayed=0, sentinel_witness=None)
            >>> replace(hunt, witness="2", margin="4 > 3").fell("x = {}".format)
            'false at x = 2 (4 > 3)'
        """
        if self.witness is None:
            return ""
        limit = " in the limit of width, hence at some width" * (self.kind == WIDTH_LIMIT)
        return f"false at {at(self.witness)}{limit} ({self.margin})"


@dataclass(frozen=True)
class Falsification(CheckBase):
    """Adversarial search, on the claim and on its false neighbour alike, with a corpus of
    witnesses.

    ``known`` are witnesses of earlier runs, tried first. Finding nothing says little, and never
    carries a verdict.
    """

    adversary: Adversary
    known: tuple[Witness, ...] = ()
    corpus: Corpus | None = None

    method = "search"

    @property
    def takes_batch(self) -> bool:
        return self.adversary.takes_batch

    def words(self, statement: Statement) -> str:
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
            sentinel_witness=changed(fallen.item, str) if fallen else None,
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
            witness=changed(found.item, str),
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


# --- exact claims ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class ExactAdversary:
    """For claims about every input. The first three fields are those of a pointwise check.

    - ``contains``: whether an input lies in the domain
    - ``cube``: opens gradient ascent and differential evolution
    - ``solve(statement)``: what a decision procedure proposes, None for a question that it answered
      otherwise; ``bound(statement, context)``: what branch and bound over boxes proposes;
      ``line(statement, context)``: what an exact decision in one number does
    - ``examples``: how many Hypothesis draws
    - ``squares``: both sides are compared squared; ``most``: the largest sizes of the cube
    - ``given``: makes inputs of the user's (d, n) array, which lie in the domain; None, or a result
      of None, where a batch has nothing to say
    """

    values: Callable[[Any], Values]
    inputs: Callable[[], SearchStrategy[object]]
    corners: Callable[[], Iterable[object]]
    contains: Callable[[Any], bool]
    cube: Cube | None = None
    solve: Callable[[Statement], Iterable[object]] | None = None
    bound: Callable[[Statement, Context], Iterable[object]] | None = None
    line: Callable[[Statement, Context], Iterable[object]] | None = None
    examples: int = 100
    squares: bool = False
    most: Mapping[str, int] = field(default_factory=dict)
    kind: str = "exact"
    given: Callable[[Floats], Sequence[object] | None] | None = None

    @property
    def takes_batch(self) -> bool:
        """Whether a user's batch is among what it tries."""
        return self.given is not None

    def refutes(self, statement: Statement, item: object, *, inside: bool = False) -> bool:
        """Whether the claim is certainly false at an input that certainly meets the assumptions.

        ``inside``: the input is known to lie in the domain.
        """
        if item is None:  # a question asked, without an input to show for it
            return False
        try:
            if not (inside or self.contains(item)):
                return False
            if admitted(statement, self.values(item)) is not True:
                return False
            return decide(statement, lambda: self.values(item), squares=self.squares).holds is False
        except (ValueError, ArithmeticError, LookupError, TypeError):
            return False  # a witness of another claim of this name, or a candidate that is no input

    def hunt(
        self, statement: Statement, context: Context, known: Sequence[object], tried: dict[str, int]
    ) -> Found | None:
        """The first input that certainly refutes, attack after attack; None if none does.

        - ``known``: inputs of earlier runs, tried first
        - ``tried``: counts, by attack, the inputs that were looked at

        Cost: seconds, or until the context is expired.
        """
        solved = () if self.solve is None else self.solve(statement)
        bounded = () if self.bound is None else self.bound(statement, context)
        for attack, proposals in (
            ("witness of an earlier run", known),
            (BATCH, self._of_batch(context)),
            ("corner inputs", self.corners()),
            ("exact decision on the real line", self._on_line(statement, context)),
            ("z3 at small sizes", solved),
            ("branch and bound", bounded),
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

    def _found(self, statement: Statement, item: object, attack: str) -> Found:
        return Found(
            item,
            attack,
            margin_at(statement, self.values(item)),
            self.kind,
            fault=fault(statement, lambda: self.values(item)),
        )

    def shrunk(self, statement: Statement, context: Context, found: Found) -> Found:
        """A simpler input, decided again; the one that was found if none is simpler.

        Cost: at most 400 decisions, or until the context is expired.
        """
        item = shrink(
            found.item, lambda candidate: not context.expired and self.refutes(statement, candidate)
        )
        return self._found(statement, item, found.attack)

    def _of_batch(self, context: Context) -> Iterator[object]:
        if context.array is not None and self.given is not None:
            yield from self.given(context.array) or ()

    def _on_line(self, statement: Statement, context: Context) -> Iterator[object]:
        if self.line is not None:
            yield from (item for item in self.line(statement, context) if item is not None)

    def _climbed(self, statement: Statement, context: Context) -> Iterator[object]:
        if self.cube is None or not self.cube.differentiable:
            return
        import torch

        for cube, number, sizes, dimensions in self._cubes(context):

            def score(u: Array, sizes: Mapping[str, Fraction] = sizes, cube: Cube = cube) -> Array:
                return violation(statement, cube.floats(sizes, u, torch), torch)

            generator = np.random.default_rng(context.stream("ascent", number))
            found = ascend(score, generator.random((16, dimensions)))
            yield from (cube.item(sizes, u) for u in found[:4])

    def _evolved(self, statement: Statement, context: Context) -> Iterator[object]:
        for cube, number, sizes, dimensions in self._cubes(context):

            def score(u: Array, sizes: Mapping[str, Fraction] = sizes, cube: Cube = cube) -> Array:
                return violation(statement, cube.floats(sizes, u, np), np)

            sequence = np.random.SeedSequence(context.stream("evolution", number))
            found = evolve(
                score,
                dimensions,
                seed=int(sequence.generate_state(1)[0]),
                generations=30,
                population=8,
                stop=lambda: context.expired,
            )
            yield from (cube.item(sizes, u) for u in found[:3])

    def _cubes(self, context: Context) -> Iterator[tuple[Cube, int, dict[str, Fraction], int]]:
        """The cube at few sizes (the smallest, the largest, some between), numbered, with its
        dimension.
        """
        if self.cube is None:
            return
        shapes = self.cube.shapes(self.most)
        if len(shapes) > 6:
            shapes = [shapes[k * (len(shapes) - 1) // 5] for k in range(6)]
        for number, sizes in enumerate(shapes):
            dimensions = self.cube.coordinates(sizes)
            if dimensions and not context.expired:
                yield self.cube, number, sizes, dimensions

    def _drawn(self, statement: Statement, context: Context, tried: dict[str, int]) -> object:
        def refuted(item: object) -> bool:
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


# --- how far a claim is from failing --------------------------------------------------------------


def violation(statement: Statement, values: Mapping[str, Any], xp: ModuleType) -> Array:
    """By how much the claim fails, relatively: in [-1, 1], and positive where it does.

    Where an assumption fails it is less than -1.

    Args:
        statement: the claim, whose assumptions count as well.
        values: floats or arrays (k,) by the names of symbols.
        xp: NumPy or Torch, of which they are.

    Returns:
        An array (k,), or () of floats.
    """
    with np.errstate(all="ignore"):
        worst = _excess(statement.lhs, statement.relation, statement.rhs, values, xp)
        for assumption in statement.assumptions:
            relation = assumption.relation
            if isinstance(relation, sp.Ne):
                continue
            short = _excess(relation.lhs, relation.rel_op, relation.rhs, values, xp)
            none, most = 0.0 * short, 1e-9 if relation.rel_op == "==" else 0.0
            worst = worst - xp.where(short > most, 2 + short, none)
    return worst


def _excess(
    lhs: sp.Expr, relation: str, rhs: sp.Expr, values: Mapping[str, Any], xp: ModuleType
) -> Array:
    left, right = (_side(side, values, xp) for side in (lhs, rhs))
    if relation in (">=", ">"):
        left, right = right, left
    gap = left - right
    if relation == "==":
        gap = abs(gap)
    return gap / (abs(left) + abs(right) + 1e-300)


def _side(expression: sp.Expr, values: Mapping[str, Any], xp: ModuleType) -> Array:
    names = arguments_of(expression)
    function = compiled(expression, names)
    given = [values[str(s)] for s in names]
    size = next((shape for v in values.values() if (shape := _shape(v))), ())
    if xp is np:
        return np.broadcast_to(np.asarray(function.floats(*given), dtype=np.float64), size)
    found: Array = xp.as_tensor(function.tensors(*given), dtype=xp.float64).expand(size)
    return found


def _shape(value: object) -> tuple[int, ...]:
    """Of the arrays that a value is, or is made of."""
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return tuple(getattr(value, "shape", ()))


def _one_violation(statement: Statement, values: Values) -> float:
    """The violation at one exact input, in floats; -10 where it has none."""
    sides = (statement.lhs, statement.rhs, *(a.relation for a in statement.assumptions))
    completed = Completed(values, statement.definitions, False)
    plain = {}
    for side in sides:
        for name in map(str, arguments_of(side)):
            plain[name] = changed(completed[name], _float)
    found = float(violation(statement, plain, np))
    return found if np.isfinite(found) else -10.0


def _float(value: Any) -> np.float64:
    if isinstance(value, flint.arb | flint.fmpq):
        value = flint.arb(value).mid()
    return np.float64(float(value))


def margin_at(statement: Statement, values: Values) -> str:
    """``left > right`` in a few digits, from balls; which part has no value, where one has none.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> margin_at(STATEMENT.neighbour, {"n": 1, "lambda": (1,)})
        '1.00000 < 1.00100'
    """
    if (missing := decide(statement, lambda: values).undefined) is not None:
        return missing.words
    with flint.ctx.workprec(256):
        completed = Completed(values, statement.definitions, False)
        sides = [flint.arb(in_balls(side, completed)) for side in (statement.lhs, statement.rhs)]
    exact = Completed(values, statement.definitions, True)
    equal = exact_sign(statement.lhs, statement.rhs, exact) == 0
    if equal:
        sides = [max(sides, key=lambda side: side.is_exact())] * 2
    sign = {"<=": ">", "<": ">=", ">=": "<", ">": "<=", "==": "≠", "!=": "="}[statement.relation]
    for digits in (6, 12, 20, 40):
        left, right = (flint.arb(s.mid()).str(digits, radius=False) for s in sides)
        if left != right or equal:
            break
    return f"{left} {sign} {right}"


#: A user's batch may be large.
_LONGEST_LINE = 400


def _line(item: object) -> str:
    """An input on one line: ``n = 2, spectrum = (2/3, 1/3)``."""
    found = spelled(item)
    if isinstance(item, Mapping):
        found = ", ".join(f"{k} = {spelled(v)}" for k, v in item.items())
    return found if len(found) <= _LONGEST_LINE else f"{found[:_LONGEST_LINE]} …"
