"""``conjecture``: state a claim, get a statement that knows how to be attacked.

    @conjecture(chain="rescale", n="2..8", d="64..4096", ell="16..32")
    def gap_law(orthogonality_gap, n, d):
        \"\"\"Deep down, the mean gap is at most √(n/d).\"\"\"
        return orthogonality_gap <= sympy.sqrt(n / d)

or ``gap_law = conjecture("orthogonality_gap <= sqrt(n/d)", chain=…)``. What does not make sense is refused here, in one
line, before anything runs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import sympy as sp
from hypothesis.strategies import SearchStrategy
from numpy.typing import NDArray

from simulators.chains import NamedChain
from theorems.checking.expectation import Expectation
from theorems.checking.lost_samples import UndefinedMean
from theorems.checking.pointwise import Pointwise
from theorems.checking.scaling import Scaling
from theorems.checking.search import Adversary, Falsification
from theorems.definedness import Condition, distinct
from theorems.statement import (
    Assumption,
    Check,
    Quantifier,
    Sentinel,
    Source,
    Statement,
    Variable,
    Verdict,
)
from theorems.witnesses import Corpus
from theorems.workbench.adversaries import MeanAdversary, exact_adversary
from theorems.workbench.declaring import (
    PROBABILITY,
    SLOPE,
    Declaration,
    declare,
    facing,
    read_quantifier,
    relation_of,
    require_labels,
)
from theorems.workbench.design import Design, exponent_check, sampling_check
from theorems.workbench.domains import Domain
from theorems.workbench.effects import (
    require_chain_parameters,
    require_effects,
    require_working_assumptions,
)
from theorems.workbench.everywhere import Everywhere
from theorems.workbench.exact_values import LAMBDA
from theorems.workbench.examining import Points, examine
from theorems.workbench.parsing import ClaimError, Relation, nearest, read_expression
from theorems.workbench.quantities import ALIVE, ENTRIES, Quantity, chain_kind, quantity
from theorems.workbench.sentinels import (
    Measured,
    about_exponent,
    derive,
    other_exponent,
    pilot,
    resolution,
    undefined_mean,
    unmeasured,
)
from theorems.workbench.spaces import OVER, Item, Space

__all__ = ["Conjecture", "conjecture"]

#: For one network of a sampled claim, of which a hundred or more are drawn: a minute or so of a core.
MOST_OPERATIONS = 10**12
_COMPARED = {"<=": sp.Le, "<": sp.Lt, ">=": sp.Ge, ">": sp.Gt, "==": sp.Eq, "!=": sp.Ne}


def conjecture(
    claim: str | sp.Basic | Callable[..., Any] | None = None,
    *,
    chain: Any = None,
    over: str | None = None,
    quantifier: Any = None,
    observable: str | None = None,
    assume: Any = (),
    event: str | None = None,
    sentinel: str | None = None,
    expected: str = "supported",
    name: str | None = None,
    title: str | None = None,
    computed: Mapping[str, Callable[..., Any]] | None = None,
    draw: Any = None,
    **symbols: Any,
) -> Any:
    """State a claim: a function to decorate, text, or a SymPy relation. Returns a :class:`Conjecture`.

    - ``chain``: "rescale", "residual", "recenter_relu", "batchnorm(tanh)", …, or a function ``width -> Chain``; the
      claim is then about the mean of a quantity at layer ``ell`` (with ``event="effective_rank >= 2"``, about the
      ``probability`` of that; with ``quantifier="limit"``, about the ``slope`` of log mean against log width; with
      ``quantifier="mean field"``, about the chain at infinite width)
    - ``over``: "spectra", "matrices" or "parameters" for a claim about every one: ``certified`` once the whole domain
      was gone through, else ``supported`` by independent draws, of which each is decided exactly
    - ``observable``: what the claim is about, if you want to have that checked
    - ``assume``: relations as text, over symbols and quantities of the start (``smallest_eigenvalue_0``); ``"x != 0"``
      where a side has no value at 0; ``"alive"``, of a chain: a mean over the paths on which every sample has a unit
      that is not 0 at every layer up to ``ell`` (others are discarded), and ``over="matrices"``: no sample is 0
    - ``sentinel``: the right side of a false neighbour that the check must refute; measured if not given
    - ``computed``: further quantities of a claim without chain, as functions of declared symbols that return exact
      numbers or balls (``flint.arb`` at the precision of the moment): ``{"angle": lambda n: …}``
    - ``draw``: a Hypothesis strategy of dicts, one exact value per symbol (``spectrum``, ``matrix``), where the usual
      draws would rarely meet the assumptions; what the claim is about is still said by domains and assumptions
    - ``expected``: the verdict you expect ("supported", "refuted", "inconclusive", …)
    - every other keyword declares a symbol: ``d="64..4096"``, ``alpha="(0, 1/n]"``, ``gamma="1/10"``

    Text is read before any simplification, SymPy relations as SymPy made them: where a side has no value, inside domain
    and assumptions, a claim about every input is refused with the point, or refuted there.

    Raises :class:`ClaimError`, a ``ValueError``, in one line, for a claim that says nothing that can be checked.

    Cost: the claim is read and tried at a few points; checking it is for ``verify``.

    Example:
        >>> square = conjecture("(x - 1)**2 >= 0", over="parameters", x="[0, 2]", name="square")
        >>> from theorems import verify
        >>> verify(square)[0].verdict.value
        'certified'
        >>> @conjecture(over="spectra", n="2..4")
        ... def gap_is_small(orthogonality_gap, n):
        ...     '''The gap is at most 1 - 1/n'''
        ...     return "orthogonality_gap <= 1 - 1/n"
        >>> gap_is_small.title
        'The gap is at most 1 - 1/n'
    """
    __tracebackhide__ = True  # pytest then shows the author's own line
    frame = sys._getframe(1)
    caller = frame.f_globals
    options: dict[str, Any] = {
        "chain": chain,
        "over": over,
        "quantifier": quantifier,
        "observable": observable,
        "assume": assume,
        "event": event,
        "sentinel": sentinel,
        "expected": expected,
        "name": name,
        "title": title,
        "computed": computed,
        "draw": draw,
        "module": str(caller.get("__name__", "")),
        "file": caller.get("__file__"),
        "line": frame.f_lineno,
    }

    def make(given: Any) -> Conjecture:
        __tracebackhide__ = True
        return Conjecture(given, symbols, **options)

    return make if claim is None else make(claim)


class Conjecture:
    """A claim with everything needed to attack it. ``statement()`` is the library's form of it.

    ``module``, ``file`` and ``line`` say where it was declared. Made by :func:`conjecture`.

    Example:
        >>> found = conjecture("x**2 >= x", over="parameters", x="[1, 2]", name="grows")
        >>> found.name, found.statement().quantifier.value
        ('grows', 'pointwise')
    """

    def __init__(
        self,
        claim: Any,
        symbols: dict[str, Any],
        *,
        chain: Any,
        over: str | None,
        quantifier: Any,
        observable: str | None,
        assume: Any,
        event: str | None,
        sentinel: str | None,
        expected: str,
        name: str | None,
        title: str | None,
        computed: Mapping[str, Callable[..., Any]] | None,
        draw: Any,
        module: str,
        file: str | None,
        line: int,
    ) -> None:
        __tracebackhide__ = True
        require_labels(name, title)
        self.name = name or (getattr(claim, "__name__", "") if callable(claim) else "")
        self.module, self.file, self.line = module, file, line
        self._draw = draw
        try:
            self._declare(
                claim,
                symbols,
                chain,
                over,
                quantifier,
                observable,
                assume,
                event,
                sentinel,
                expected,
                computed or {},
            )
        except ClaimError as error:
            raise ClaimError(f"{self.name or 'conjecture'}: {error}") from None
        self.title = title or _first_line(claim) or self._spelled

    # --- reading ----------------------------------------------------------------------------------------------

    def _declare(
        self,
        claim: Any,
        symbols: dict[str, Any],
        chain: Any,
        over: str | None,
        quantifier: Any,
        observable: str | None,
        assume: Any,
        event: str | None,
        sentinel: str | None,
        expected: str,
        computed: Mapping[str, Callable[..., Any]],
    ) -> None:
        self.chain: NamedChain | None = None if chain is None else chain_kind(chain)
        self.quantifier = _quantifier(read_quantifier(quantifier), self.chain, over, event)
        self.over = self._over(over)
        try:
            self.expected = Verdict(expected)
        except ValueError:
            raise ClaimError(
                f"expected={expected!r}{nearest(str(expected), [v.value for v in Verdict])}"
            ) from None
        sampled = self.quantifier in (
            Quantifier.EXPECTATION,
            Quantifier.PROBABILITY,
            Quantifier.LIMIT,
        )
        self.declaration: Declaration = declare(
            symbols, None if sampled else self.over, self.chain, computed
        )
        found = relation_of(claim, self.declaration)
        if found.relation == "!=":
            raise ClaimError(
                "a claim with != holds almost everywhere; say by how much the sides differ"
            )
        if not found.lhs.free_symbols | found.rhs.free_symbols:
            raise ClaimError(
                f"{found.lhs} {found.relation} {found.rhs} names no symbol, so there is nothing to vary"
            )
        if (found.lhs - found.rhs).is_number:
            raise ClaimError(
                f"{found.lhs} {found.relation} {found.rhs}: the sides differ by a constant"
            )
        self.event = None if event is None else relation_of(event, self.declaration, "the event")
        self.relation, self.quantity = self._aimed(found, observable)
        self.assumptions = tuple(self._assumed(assume))
        if not isinstance(sentinel, str | None):
            raise ClaimError(
                f"sentinel={sentinel!r}: want the right side of the false neighbour as text"
            )
        self._given_sentinel = (
            None
            if sentinel is None
            else read_expression(sentinel, self.declaration.with_parameters(sentinel))
        )
        self.space = self._space()
        self.design = self._design() if sampled else None
        self._require_effects(symbols, claim, event, assume)
        self._points: Points = examine(self._draft, self.space, self.design, self.quantity)

    def _over(self, over: str | None) -> str:
        if self.quantifier is Quantifier.MEAN_FIELD:
            return "paths"
        if self.chain is not None:
            return "spectra"  # of the starts
        found = over or "parameters"
        if found not in OVER[:3]:
            raise ClaimError(f"over={over!r}{nearest(str(over), OVER[:3])}")
        return found

    def _aimed(self, found: Relation, observable: str | None) -> tuple[Relation, Quantity | None]:
        """The claim with what is measured on its left, and that quantity."""
        measured, _ = self.declaration.used(found.lhs, found.rhs)
        asked = None if observable is None else quantity(observable)
        limit = self.quantifier is Quantifier.LIMIT
        for symbol, owner, remedy in (
            (PROBABILITY, Quantifier.PROBABILITY, "give chain= and event='effective_rank >= 2'"),
            (SLOPE, Quantifier.LIMIT, "give chain= and quantifier='limit'"),
        ):
            if (
                symbol in found.lhs.free_symbols | found.rhs.free_symbols
                and self.quantifier is not owner
            ):
                raise ClaimError(f"{symbol} of what? {remedy}")
        if asked is not None and not limit and asked.name not in {q.name for q in measured}:
            raise ClaimError(f"observable={observable!r} does not occur in the claim")
        if self.quantifier is Quantifier.PROBABILITY:
            return facing(found, PROBABILITY), None
        if self.quantifier is Quantifier.LIMIT:
            if SLOPE not in found.lhs.free_symbols | found.rhs.free_symbols:
                raise ClaimError(
                    "a claim with quantifier 'limit' is about the slope of log mean against log width: "
                    "write 'abs(slope + 1/2) <= 1/20' and observable='orthogonality_gap'"
                )
            if asked is None and observable is None:
                raise ClaimError("the slope of what? give observable='orthogonality_gap'")
            about_exponent(found, SLOPE)
            return found, asked
        if self.quantifier is not Quantifier.EXPECTATION:
            alone = [q for q in measured if q.symbol in (found.lhs, found.rhs)]
            return (facing(found, alone[0].symbol), alone[0]) if alone else (found, None)
        for part in found.conditions:
            if within := self.declaration.used(part.relation)[0]:
                raise ClaimError(
                    f"{part.words}, and {within[0].name} is random; a claim about a mean names it alone"
                )
        if len(measured) != 1:
            names = ", ".join(q.name for q in measured) or "none"
            raise ClaimError(
                f"a claim about a mean compares one quantity at layer ell with a bound; it names {names}"
            )
        return facing(found, measured[0].symbol), measured[0]

    def _assumed(self, assume: Any) -> list[Assumption]:
        listed: Sequence[Any] = (
            tuple(assume) if isinstance(assume, list | tuple | set) else (assume,)
        )
        found = []
        for given in listed:
            if isinstance(given, str) and given.strip() == "alive":
                found.append(self._alive())
                continue
            relation = relation_of(given, self.declaration, "the assumption")
            if self.chain is not None:
                now, _ = self.declaration.used(relation.lhs, relation.rhs)
                if now:
                    raise ClaimError(
                        f"an assumption speaks of the start: write {now[0].name}_0, not {now[0].name}"
                    )
            words = (
                f"{relation.lhs} {relation.relation} {relation.rhs}"
                if not isinstance(given, str)
                else given
            )
            compared = _COMPARED[relation.relation](relation.lhs, relation.rhs, evaluate=False)
            found.append(Assumption(compared, words, defined=relation.conditions))
        return found

    def _alive(self) -> Assumption:
        if self.quantifier is Quantifier.MEAN_FIELD:
            raise ClaimError(
                "assume='alive' has no effect: at infinite width no sample dies; leave it out"
            )
        if self.chain is not None:
            return Assumption(
                ALIVE,
                "alive: every sample has a unit that is not 0 at every layer up to ell",
                "path",
            )
        if self.over != "matrices":
            raise ClaimError("assume='alive' is about samples: give chain= or over='matrices'")
        return Assumption(ALIVE, "alive: every sample has a unit that is not 0")

    def _require_effects(
        self, symbols: Mapping[str, Any], claim: Any, event: Any, assume: Any
    ) -> None:
        """Refuse what was declared or assumed and does nothing."""
        relations = [self.relation, *(a.relation for a in self.assumptions)]
        if self.event is not None:
            relations.append(self.event)
        listed = assume if isinstance(assume, list | tuple | set) else (assume,)
        require_effects(
            self.declaration,
            symbols,
            [side for r in relations for side in (r.lhs, r.rhs)],
            (claim, event, *listed),
            self._taken,
        )
        quantities = {
            **{q.symbol: q for q in self.space.measured},
            **{q.at_start: q for q in self.space.started},
        }
        require_working_assumptions(self.assumptions, self.space.domains, quantities)
        if self.chain is not None:
            require_chain_parameters(self.chain, self.space.domains)

    @property
    def _taken(self) -> set[str]:
        """Symbols that the chain, or the object the claim is about, cannot do without."""
        if self.over == "paths":
            return {"n", "ell"}
        if self.chain is not None:
            return {"n", "d", "ell", *self.chain.numbers}
        wide = any(q.wide for q in self.space.measured)
        return {"matrices": {"n", "d"}, "spectra": {"n", "d"} if wide else {"n"}}.get(
            self.over, set()
        )

    def _space(self) -> Space:
        sides = [
            self.relation.lhs,
            self.relation.rhs,
            *(a.relation for a in self.assumptions),
            *(c.relation for c in self.relation.conditions),
            *(c.relation for a in self.assumptions for c in a.conditions),
        ]
        if self._given_sentinel is not None:
            sides.append(self._given_sentinel)
        if self.event is not None:
            sides += [self.event.lhs, self.event.rhs]
        measured, started = self.declaration.used(*sides)
        if started and self.chain is None:
            raise ClaimError(
                f"{started[0].name}_0 is a quantity of a chain's start, and there is no chain"
            )
        if self.over == "parameters":
            for family in (LAMBDA, ENTRIES):
                if any(s.atoms(sp.IndexedBase) & {family} for s in sides):
                    raise ClaimError(f"{family} belongs to over='spectra' or over='matrices'")
        domains = self.declaration.domains
        if self.quantifier in (Quantifier.POINTWISE, Quantifier.MEAN_FIELD):
            found = Space(
                self.over,
                domains,
                measured,
                started,
                self.declaration.computed,
                self._draw,
                whole=any(q.of_spectrum is None for q in started),
            )
            if self._draw is not None:
                _require_draws(found, self._draw)
            return found
        if self._draw is not None:
            raise ClaimError(
                "draw= is for claims about every input; starts of a chain are restricted by assume="
            )
        asked = measured if self.quantity is None else (*measured, self.quantity)
        example = None if self.chain is None else self.chain.example
        whole = example is not None and (example.sees_rows or not example.turns_with_samples)
        return Space(
            "spectra",
            domains,
            (),
            started,
            whole=whole or any(q.of_spectrum is None for q in (*asked, *started)),
        )

    def _design(self) -> Design:
        chain = self.chain
        if chain is None:
            raise ClaimError(
                f"quantifier='{self.quantifier.value}' is about a chain: give chain='rescale'"
            )
        if self.quantity is not None:
            used: tuple[Quantity, ...] = (self.quantity,)
        elif self.event is not None:
            used, _ = self.declaration.used(self.event.lhs, self.event.rhs)
        else:
            raise ClaimError("the probability of what? give event='effective_rank >= 2'")
        if not used:
            raise ClaimError(
                "the event names no quantity of layer ell; write event='effective_rank >= 2'"
            )
        _require_drawable(self.declaration.domains)
        if any(a.along == "path" for a in self.assumptions):
            used = (*used, quantity("alive"))
        return Design(
            chain,
            self.space,
            self.quantity,
            self.event,
            tuple(replace(q.observable, name=q.name) for q in used),
            settings=self.declaration.constants,
        )

    # --- the statement ----------------------------------------------------------------------------------------

    @property
    def _spelled(self) -> str:
        return f"{self.relation.lhs} {self.relation.relation} {self.relation.rhs}"

    @property
    def family(self) -> str:
        """The module it was declared in."""
        last = self.module.rpartition(".")[2]
        if last in ("", "__main__") and self.file:
            last = Path(self.file).stem
        return re.sub(r"\W", "_", last) or "conjectures"

    @property
    def _left(self) -> sp.Expr:
        """The measured side as it is printed: a mean is a symbol of its own."""
        if self.quantifier is Quantifier.EXPECTATION and self.quantity is not None:
            return sp.Symbol(f"E_{self.quantity.name}", **self.quantity.symbol.assumptions0)
        return self.relation.lhs

    @property
    def _conditions(self) -> tuple[Condition, ...]:
        """Where the sides have a value: what was read, and what the quantities of a matrix want of it."""
        asked = self.over == "matrices" and all(a.relation != ALIVE for a in self.assumptions)
        wanted = [q.wants for q in self.space.measured if q.wants is not None and asked]
        return distinct([*wanted, *self.relation.conditions])

    @property
    def _draft(self) -> Statement:
        """The statement with a sentinel that only holds the place."""
        meanings = {"n": "batch size", "d": "width", "ell": "layer"}
        variables = [
            Variable(x.symbol, x.set, meanings.get(x.name, "parameter")) for x in self.space.domains
        ]
        defined = self._conditions
        sides = (self.relation.lhs, self.relation.rhs, *(c.relation for c in defined))
        if any(LAMBDA in s.atoms(sp.IndexedBase) for s in sides):
            variables.append(
                Variable(
                    LAMBDA,
                    sp.Interval(0, 1),
                    "eigenvalues of C/‖H‖², descending",
                    size=(self.declaration.names["n"],),
                )
            )
        if any(ENTRIES in s.atoms(sp.IndexedBase) for s in sides):
            variables.append(
                Variable(
                    ENTRIES,
                    sp.Reals,
                    "entries of H",
                    size=(self.declaration.names["d"], self.declaration.names["n"]),
                )
            )
        definitions: dict[sp.Symbol, sp.Expr | str] = {}
        for q in self.space.measured:
            definitions[q.symbol] = f"{q.meaning} of {'layer ell' if self.over == 'paths' else 'H'}"
        definitions |= {c.symbol: c.meaning for c in self.space.computed}
        definitions |= {q.at_start: f"{q.meaning} of the start" for q in self.space.started}
        given = "given the start"
        if any(a.along == "path" for a in self.assumptions):
            given += ", over paths that are alive"
            definitions[ALIVE.lhs] = f"{quantity('alive').meaning}, at a layer"
        if self.quantifier is Quantifier.EXPECTATION and self.quantity is not None:
            definitions[self._left] = f"E[{self.quantity.name}] at layer ell, {given}"
        elif self.quantifier is Quantifier.PROBABILITY and self.event is not None:
            definitions[PROBABILITY] = (
                f"P[{self.event.lhs} {self.event.relation} {self.event.rhs}] at layer ell, {given}"
            )
        elif self.quantifier is Quantifier.LIMIT and self.quantity is not None:
            definitions[SLOPE] = (
                f"slope of log E[{self.quantity.name}] against log d, over the widths in the domain"
            )
        names = {x.name for x in self.space.domains}
        upper = self.relation.relation in ("<=", "<") and self.quantifier is not Quantifier.LIMIT
        top = self.quantity.range_in(names)[1] if self.quantity else None
        if self.quantifier is Quantifier.PROBABILITY:
            top = sp.S.One
        return Statement(
            family=self.family,
            theorem=self.name or "claim",
            title=getattr(self, "title", "") or self._spelled,
            quantifier=self.quantifier,
            source=Source("conjecture", Path(self.file).name if self.file else "as given"),
            variables=tuple(variables),
            lhs=self._left,
            relation=self.relation.relation,
            rhs=self.relation.rhs,
            assumptions=self.assumptions,
            definitions=definitions,
            chain=self.chain.name if self.chain else None,
            observables=(self.quantity.name,) if self.quantity else (),
            ceiling=top if upper else None,
            sentinel=Sentinel("not yet measured", lhs=self._left + 1, rhs=self.relation.rhs + 2),
            expected=self.expected,
            checks=(),
            defined=defined,
        )

    @cached_property
    def _undefined(self) -> UndefinedMean | None:
        """What shows that the mean claimed of has no value."""
        return None if self.design is None else undefined_mean(self.design, self._draft)

    @cached_property
    def _measured(self) -> tuple[Sentinel, float]:
        """The sentinel, and the resolution at which it can be told from the truth; a few simulations if sampled."""
        given = (
            None
            if self._given_sentinel is None
            else Sentinel("given by the author", rhs=self._given_sentinel)
        )
        if self.quantifier is Quantifier.LIMIT and self._undefined:
            inner = about_exponent(self.relation, SLOPE)
            return given or Sentinel("an exponent larger by 1", lhs=sp.Abs(inner - 1)), 0.1
        if self.quantifier is Quantifier.LIMIT:
            return given or other_exponent(self.relation, SLOPE, self._exponent()), 0.1
        if self.design is None:
            return given or derive(
                self.relation.rhs, self.relation.relation, self._points.sides, sampled=False
            ), 0.1
        seen = Measured([], []) if self._undefined else pilot(self.design, self._draft)
        right, relation = self.relation.rhs, self.relation.relation
        found = given or (
            derive(right, relation, seen, sampled=True) if seen.lhs else unmeasured(right, relation)
        )
        return found, resolution(self.relation.relation, seen)

    def statement(
        self, *, corpus: Path | None = None, falsify: bool = True, only: bool = False
    ) -> Statement:
        """The statement with its checks and its sentinel, which may take a few simulations to place.

        ``corpus``: where witnesses are kept; none are read or written if it is None. ``falsify=False`` leaves the
        adversarial search out, ``only=True`` everything else. Raises ``CorpusError`` for a corpus that cannot be read.
        """
        sentinel, fineness = self._measured
        draft = replace(self._draft, title=self.title, sentinel=sentinel)
        if self._undefined is not None:
            return replace(draft, checks=(self._undefined,))
        check = self._check(fineness)
        adversary = self._adversary(check) if falsify else None
        if adversary is None:
            return replace(draft, checks=(check,))
        kept = None if corpus is None else Corpus(corpus)
        search = Falsification(adversary, tuple(kept.of(draft.name)) if kept else (), kept)
        return replace(draft, checks=(search,) if only else (search, check))

    def _given(self, *, nearby: bool) -> Callable[[NDArray[np.float64]], list[Item]] | None:
        """How a batch becomes inputs; None of parameters alone, in which it has no part."""
        if self.over == "parameters":
            return None
        return partial(self.space.of_batch, nearby=nearby)

    def _corners(self) -> list[Item]:
        return [*self.space.corners(), *self._points.items]

    def _check(self, fineness: float) -> Check:
        if self.quantifier is Quantifier.LIMIT:
            return self._exponent()
        if self.design is not None:
            return sampling_check(self.design, fineness)
        most, slow = max(hypothesis.settings().max_examples, 1), self.over == "paths"
        attack = Pointwise(
            self.space.values,
            self.space.strategy,
            self._corners,
            examples=8 if slow else most,
            given=self._given(nearby=False),
            walks=False,
        )
        return Everywhere(self.space, attack, min(2 * most, 40) if slow else 2 * most)

    def _adversary(self, check: Check) -> Adversary | None:
        if self.design is not None:
            return MeanAdversary(self.design, check) if isinstance(check, Expectation) else None
        return replace(
            exact_adversary(self.space, self._corners, max(hypothesis.settings().max_examples, 1)),
            given=self._given(nearby=True),
        )

    def _exponent(self) -> Scaling:
        if self.design is None:
            raise ClaimError("only a sampled claim has an exponent")
        return exponent_check(self.design, SLOPE, self._draft)

    def __repr__(self) -> str:
        return f"<conjecture {self.family}.{self.name or 'claim'}: {self._spelled}>"


def _quantifier(
    given: Quantifier | None, chain: NamedChain | None, over: str | None, event: str | None
) -> Quantifier:
    inferred = (
        Quantifier.POINTWISE
        if chain is None
        else (Quantifier.EXPECTATION if event is None else Quantifier.PROBABILITY)
    )
    found = given or inferred
    if found is Quantifier.POINTWISE and chain is not None:
        raise ClaimError(
            "a pointwise claim has no chain; with a chain say quantifier='expectation', or leave it out"
        )
    if found is not Quantifier.POINTWISE and chain is None:
        raise ClaimError(f"quantifier='{found.value}' is about a chain: give chain='rescale'")
    if over is not None and chain is not None:
        raise ClaimError(
            f"over={over!r} is for claims without a chain; with one, starts are restricted by assume="
        )
    if event is not None and found is not Quantifier.PROBABILITY:
        raise ClaimError("event= is for a claim about the probability of something")
    if found is Quantifier.PROBABILITY and event is None:
        raise ClaimError("the probability of what? give event='effective_rank >= 2'")
    if found is Quantifier.MEAN_FIELD and chain is not None and not chain.mean_field:
        raise ClaimError(
            f"the chain {chain.name} has no known map on spectra at infinite width; 'rescale' has"
        )
    return found


def _require_drawable(domains: Sequence[Domain]) -> None:
    """Raise :class:`ClaimError` if one network of the smallest sizes is too much to draw, let alone many."""
    least = {x.name: int(x.ends({})[0]) for x in domains if x.name in ("n", "d", "ell")}
    operations = max(least["d"], least["n"]) * least["n"] ** 2 * least["ell"]
    if operations > MOST_OPERATIONS:
        sizes = ", ".join(f"{name} ≥ {value}" for name, value in least.items())
        raise ClaimError(
            f"{sizes}: one network takes {operations:.2g} operations, and at most "
            f"{MOST_OPERATIONS:.0e} are spent on each of many; declare smaller sizes"
        )


def _require_draws(space: Space, draw: Any) -> None:
    """Look at one draw before anything runs."""
    if not isinstance(draw, SearchStrategy):
        raise ClaimError(f"draw={draw!r} is no Hypothesis strategy")
    quiet = hypothesis.settings(
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.find(space.authored(draw), lambda _: True, settings=quiet)


def _first_line(claim: Any) -> str:
    if isinstance(claim, str):  # as it was written, before any simplification
        return " ".join(claim.split())
    lines = (getattr(claim, "__doc__", None) or "").strip().splitlines() if callable(claim) else []
    return lines[0].rstrip(".") if lines and lines[0].isprintable() else ""
