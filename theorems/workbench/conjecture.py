"""``conjecture``: state a claim, get a statement that knows how to be attacked.

    @conjecture(chain="rescale", n="2..8", d="64..4096", ell="16..32")
    def gap_law(orthogonality_gap, n, d):
        \"\"\"Deep down, the mean gap is at most √(n/d).\"\"\"
        return orthogonality_gap <= sympy.sqrt(n / d)

or ``gap_law = conjecture("orthogonality_gap <= sqrt(n/d)", chain=…)``. What does not make sense is
refused here, in one line, before anything runs.
"""

from __future__ import annotations

import hashlib
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import chain as chained
from pathlib import Path
from typing import Any

import hypothesis
import sympy as sp
from hypothesis.strategies import SearchStrategy

from simulators.chains import Chain, NamedChain
from simulators.engines.mean_field import GramMap
from simulators.exact import Number
from simulators.last_gradient import Backward
from simulators.shared_weights import weights_apart
from theorems.checking.drawn_networks import OTHER
from theorems.checking.expectation import Expectation
from theorems.checking.lost_samples import UndefinedMean
from theorems.checking.pointwise import Pointwise
from theorems.checking.search import Adversary, Falsification
from theorems.checking.unbounded import Unbounded
from theorems.definedness import Condition, distinct
from theorems.float_intervals import Interval
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
from theorems.workbench.carried_readings import with_carried_means
from theorems.workbench.declaration import (
    PROBABILITY,
    SLOPE,
    Declaration,
    WrittenClaim,
    declare,
    facing,
    read_quantifier,
    relation_of,
    require_labels,
    turned,
)
from theorems.workbench.design import Design, exponent_check, sampling_check
from theorems.workbench.domains import Domain
from theorems.workbench.estimands import MOMENTS, STATISTICS, Estimand, Moment, Statistic
from theorems.workbench.everywhere import Everywhere
from theorems.workbench.exact_values import LAMBDA
from theorems.workbench.examination import (
    examine,
    require_chain_parameters,
    require_effects,
    require_working_assumptions,
)
from theorems.workbench.gradients import given_gradient, gradient_digest, gradient_words
from theorems.workbench.gram_paths import followed
from theorems.workbench.parsing import ClaimError, Relation, nearest, read_expression, refuse
from theorems.workbench.quantities import ALIVE, ENTRIES, Quantity, chain_kind, quantity
from theorems.workbench.sentinels import (
    about_exponent,
    derive,
    farthest,
    one_sided,
    other_exponent,
    others_like,
    pilot,
    resolution,
    reversed_claim,
    undefined_mean,
    unmeasured,
)
from theorems.workbench.spaces import OVER, Item, Space

__all__ = ["Conjecture", "conjecture", "name_of"]

#: For one network of a sampled claim, of which a hundred or more are drawn: a core's minute or so.
MOST_OPERATIONS = 10**12
_SAMPLED = (
    Quantifier.EXPECTATION,
    Quantifier.PROBABILITY,
    Quantifier.LAW,
    Quantifier.COMPARISON,
    Quantifier.LIMIT,
)
_NOTHING_RANDOM = (
    "a claim about random weights compares a quantity at layer ell with a bound; it names none"
)
_MEANINGS = {"n": "batch size", "d": "width", "ell": "layer"}


def conjecture(
    claim: WrittenClaim | None = None,
    *,
    chain: str | Callable[..., Chain] | None = None,
    over: str | None = None,
    quantifier: str | Quantifier | None = None,
    observable: str | None = None,
    assume: WrittenClaim | Iterable[WrittenClaim] = (),
    event: str | None = None,
    sentinel: str | None = None,
    expected: str = "supported",
    name: str | None = None,
    title: str | None = None,
    computed: Mapping[str, Callable[..., Number]] | None = None,
    draw: SearchStrategy[object] | None = None,
    other: str | Callable[..., Chain] | None = None,
    backward: Backward | None = None,
    **symbols: object,
) -> Any:
    """State a claim: a function to decorate, text, or a SymPy relation.

    - ``claim``: if it is not given, the decorator comes back
    - ``chain``: "rescale", "residual", "recenter_relu", "batchnorm(tanh)", …, or a function
      ``width -> Chain``; the claim is then about the mean of a quantity at layer ``ell`` (with
      ``event="effective_rank >= 2"``, about the ``probability`` of that; with
      ``quantifier="limit"``, about the ``slope`` of log mean against log width; with
      ``quantifier="mean field"``, about the chain at infinite width, where
      `simulators.mean_field.gram_map` knows it: by spectra under rescale, else by Gram matrices,
      from starts of mean square 1 an entry)
    - ``over``: "spectra", "matrices" or "parameters" for a claim about every one: ``certified``
      once the whole domain was gone through, else ``supported`` by independent draws, of which each
      is decided exactly
    - ``quantifier``: inferred from ``chain`` and ``event`` where it can be
    - ``observable``: what the claim is about, if you want to have that checked
    - ``assume``: relations as text, over symbols and quantities of the start
      (``smallest_eigenvalue_0``); ``"x != 0"`` where a side has no value at 0; ``"alive"``, of a
      chain: a mean over the paths on which every sample has a unit that is not 0 at every layer up
      to ``ell`` (others are discarded), and ``over="matrices"``: no sample is 0; of what has no
      range, ``"kurtosis(x) <= 6"`` or ``"variance(x) <= v"``, which every verdict names
    - ``event``: of which the claim gives the ``probability``
    - ``sentinel``: the right side of a false neighbour that the check must refute; measured if not
      given
    - ``expected``: the verdict you expect ("supported", "refuted", "inconclusive", …)
    - ``name``, ``title``: a name of letters, digits and _, and one line for people; those of the
      function if not given
    - ``computed``: further quantities of a claim without chain, as functions of declared symbols
      that return exact numbers or balls (``flint.arb`` at the precision of the moment):
      ``{"angle": lambda n: …}``
    - ``draw``: a Hypothesis strategy of dicts, one exact value per symbol (``spectrum``,
      ``matrix``), where the usual draws would rarely meet the assumptions; what the claim is about
      is still said by domains and assumptions
    - ``other``: a second chain, as ``chain`` is given, from the same start on the same weights; its
      quantities are ``other.orthogonality_gap``, …, and the claim compares both
    - ``backward``: what the gradient G = ∂L/∂H is at layer ``ell``, for a claim about gradients:
      "gaussian", standard normal; "readout"; an array (d, n); or a function of H there,
      ``(..., d, n)``, to
      one like it. ``gradient_norm_0`` is then ‖G‖ at the batch of a network of ``ell`` layers,
      ``gradient_norm`` that at layer ``ell`` itself
    - every other keyword declares a symbol: ``d="64..4096"``, ``alpha="(0, 1/n]"``,
      ``gamma="1/10"``

    Text is read before any simplification, SymPy relations as SymPy made them: where a side has no
    value, inside domain and assumptions, a claim about every input is refused with the point, or
    refuted there.

    Returns a `Conjecture`. Raises `ClaimError`, a ``ValueError``, in one line, for a
    claim that says nothing that can be checked.

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
    make = partial(
        Conjecture,
        symbols=symbols,
        chain=chain,
        over=over,
        quantifier=quantifier,
        observable=observable,
        assume=assume,
        event=event,
        sentinel=sentinel,
        expected=expected,
        name=name,
        title=title,
        computed=computed,
        draw=draw,
        other=other,
        backward=backward,
        module=str(frame.f_globals.get("__name__", "")),
        file=frame.f_globals.get("__file__"),
        line=frame.f_lineno,
    )
    return make if claim is None else make(claim)


class Conjecture:
    """A claim with everything needed to attack it. ``statement()`` is the library's form of it.

    - ``module``, ``file``, ``line``: where it was declared
    - ``symbols``: domains as the author wrote them, by name
    - the rest: as `conjecture` takes it, which makes this

    Example:
        >>> found = conjecture("x**2 >= x", over="parameters", x="[1, 2]", name="grows")
        >>> found.name, found.statement().quantifier.value
        ('grows', 'pointwise')
    """

    def __init__(
        self,
        claim: WrittenClaim,
        *,
        symbols: Mapping[str, object],
        chain: str | Callable[..., Chain] | None,
        over: str | None,
        quantifier: str | Quantifier | None,
        observable: str | None,
        assume: WrittenClaim | Iterable[WrittenClaim],
        event: str | None,
        sentinel: str | None,
        expected: str,
        name: str | None,
        title: str | None,
        computed: Mapping[str, Callable[..., Number]] | None,
        draw: SearchStrategy[object] | None,
        other: str | Callable[..., Chain] | None,
        backward: Backward | None,
        module: str,
        file: str | None,
        line: int,
    ) -> None:
        __tracebackhide__ = True
        require_labels(name, title)
        self.name = name or (getattr(claim, "__name__", "") if callable(claim) else "")
        self.module, self.file, self.line = module, file, line
        assumed = tuple(assume) if isinstance(assume, list | tuple | set) else (assume,)
        try:
            self.chain = None if chain is None else chain_kind(chain)
            self.other = None if other is None else chain_kind(other)
            self.quantifier = _quantifier(read_quantifier(quantifier), self.chain, over, event)
            _require_random_weights(self.quantifier, other, backward)
            self.over = self._over(over)
            self.expected = _verdict(expected)
            about = None if self.sampled else self.over
            self.declaration: Declaration = declare(
                symbols, about, self.chain, computed or {}, self.other
            )
            self.backward = backward
            found = relation_of(claim, self.declaration)
            _require_comparison(found)
            self.event = (
                None if event is None else relation_of(event, self.declaration, "the event")
            )
            refuse((self.event and self.event.statistics, "event= compares quantities themselves"))
            self.relation, self.quantity, self.estimand = self._aimed(found, observable)
            self.quantifier = self._refined(read_quantifier(quantifier))
            self._require_named()
            self._moments: dict[str, Moment] = {}
            self.assumptions = tuple(map(self._assumption, assumed))
            self.estimand = self._with_moments()
            self._given_sentinel = self._read_sentinel(sentinel)
            self.space = self._space(draw)
            self.design = self._design() if self.sampled else None
            self._require_effects(symbols, (claim, event, *assumed))
            self.title = title or _first_line(claim) or str(self.relation)
            self._sides, self._tightest = examine(
                self._draft, self.space, self.design, self._ranged
            )
            self._require_given_laws()
            self._require_several()
        except ClaimError as error:
            raise ClaimError(f"{self.name or 'conjecture'}: {error}") from None

    # --- reading ----------------------------------------------------------------------------------

    @property
    def sampled(self) -> bool:
        """Whether it is about a mean, a probability or an exponent."""
        return self.quantifier in _SAMPLED

    def _over(self, over: str | None) -> str:
        if self.quantifier is Quantifier.MEAN_FIELD:
            return "paths"
        if self.chain is not None:
            return "spectra"  # of the starts
        found = over or "parameters"
        refuse((found not in OVER[:3], f"over={over!r}{nearest(str(over), OVER[:3])}"))
        return found

    def _read_sentinel(self, sentinel: str | None) -> sp.Expr | None:
        if sentinel is None:
            return None
        refuse(
            (
                not isinstance(sentinel, str),
                f"sentinel={sentinel!r}: want the right side of the false neighbour as text",
            )
        )
        return read_expression(sentinel, self.declaration.with_parameters(sentinel))

    def _aimed(
        self, found: Relation, observable: str | None
    ) -> tuple[Relation, Quantity | None, Estimand | None]:
        """The claim with what is measured on its left, the quantity that this is, or whose mean it
        is, and what it is of the law of random weights.
        """
        measured, _ = self.declaration.used(found.lhs, found.rhs)
        asked = None if observable is None else quantity(observable)
        within = chained.from_iterable(statistic.sides for statistic in found.statistics)
        every = {q.name for q in self.declaration.used(found.lhs, found.rhs, *within)[0]}
        named = found.lhs.free_symbols | found.rhs.free_symbols
        limit = self.quantifier is Quantifier.LIMIT
        refuse(
            (
                PROBABILITY in named and self.event is None,
                f"{PROBABILITY} of what? give chain= and event='effective_rank >= 2', or write "
                "probability(effective_rank >= 2)",
            ),
            (
                SLOPE in named and not limit,
                f"{SLOPE} of what? give chain= and quantifier='limit'",
            ),
            (
                asked is not None and not limit and asked.name not in every,
                f"observable={observable!r} does not occur in the claim",
            ),
            (
                limit and SLOPE not in named,
                "a claim with quantifier 'limit' is about the slope of log mean against log width: "
                "write 'abs(slope + 1/2) <= 1/20' and observable='orthogonality_gap'",
            ),
            (limit and asked is None, "the slope of what? give observable='orthogonality_gap'"),
            *self._misplaced(found, measured),
        )
        if self.event is not None:
            return facing(found, PROBABILITY), None, Estimand.of(_probability(self.event))
        if limit:
            about_exponent(found, SLOPE)
            return found, asked, None
        if not self.sampled:
            alone = next((q for q in measured if q.symbol in (found.lhs, found.rhs)), None)
            return (found if alone is None else facing(found, alone.symbol)), alone, None
        random = {q.symbol for q in measured}
        drawn = [c for c in found.conditions if c.relation.free_symbols & random]
        refuse((not measured and not found.statistics, _NOTHING_RANDOM))
        if len(measured) == 1 and not drawn and measured[0].symbol in (found.lhs, found.rhs):
            q = measured[0]
            other = found.rhs if found.lhs == q.symbol else found.lhs
            ranged = q.floor != -sp.oo and q.ceiling != sp.oo
            if ranged and q.symbol not in other.free_symbols:
                return facing(found, q.symbol), q, Estimand.of(Statistic("mean", q.symbol))
        if measured:
            return self._of_mean(_gathered(found, random), random)
        taken = {statistic.symbol for statistic in found.statistics}
        turned = _gathered(found, taken)
        kept = tuple(c for c in found.conditions if not c.relation.free_symbols & taken)
        estimand = Estimand(turned.lhs, found.statistics)
        return replace(turned, conditions=kept, statistics=()), None, estimand

    def _of_mean(self, claim: Relation, random: set[sp.Symbol]) -> tuple[Relation, None, Estimand]:
        """A claim about the mean of what stands on the left."""
        drawn = tuple(c for c in claim.conditions if c.relation.free_symbols & random)
        mean = Statistic("mean", claim.lhs, drawn)
        kept = tuple(c for c in claim.conditions if c not in drawn)
        return replace(claim, lhs=mean.symbol, conditions=kept), None, Estimand.of(mean)

    def _misplaced(
        self, found: Relation, measured: Sequence[Quantity]
    ) -> Iterator[tuple[object, str]]:
        """What may be wrong with the statistics of a claim."""
        if not found.statistics:
            return
        first = found.statistics[0]
        yield (
            self.chain is None,
            f"{first} is over random weights: give chain='rescale'; a claim about every input "
            "compares quantities themselves",
        )
        yield (
            not self.sampled or self.quantifier is Quantifier.LIMIT,
            f"{first} is over random weights, and quantifier='{self.quantifier.value}' has none; "
            "leave it out",
        )
        yield self.event is not None, f"{first}: event= is of a claim that names no statistic"
        yield (
            bool(measured),
            f"{measured and measured[0].name} is random beside {first}: write "
            f"mean({measured and measured[0].name})",
        )
        yield from self._misread(found)
        for statistic in found.statistics:
            yield (
                statistic.kind == "kurtosis",
                f"{statistic} is assumed, and not estimated: claim a quantile, or give it by "
                f"assume='{statistic} <= 10'",
            )
            late = self.declaration.used(*statistic.parameters)[0]
            yield (
                bool(late),
                f"{statistic}: the law to compare with is given, and {late and late[0].name} is "
                "random",
            )
            yield (
                not self.declaration.used(*statistic.sides)[0],
                f"{statistic} is of nothing random; name a quantity of layer ell, as in "
                f"{STATISTICS[statistic.kind]}",
            )

    def _misread(self, found: Relation) -> Iterator[tuple[object, str]]:
        """What may be wrong with statistics of networks that are read side by side."""
        spanning = [s for s in found.statistics if s.spans]
        if not spanning:
            return
        first, over = spanning[0], spanning[0].over
        free = {str(s) for s in found.lhs.free_symbols | found.rhs.free_symbols}
        others = [s for s in found.statistics if s.over != over or not s.spans]
        yield (
            bool(others) and (over is not None or any(s.over for s in others)),
            f"{first} and {others and others[0]} are not of the same networks; claim each by "
            "itself",
        )
        yield (
            over is not None and over in free,
            f"{first} ranges over {over}, and the claim names {over} beside it",
        )
        numbers = () if self.chain is None else self.chain.numbers
        yield (
            over is not None and over not in ("d", *numbers),
            f"{first}: an exponent is in the width d, the layer ell or a parameter of the chain, "
            f"and {over} is none",
        )
        for statistic in spanning:
            named = set().union(*(side.free_symbols for side in statistic.sides))
            late, early = self.declaration.used(*statistic.sides)
            yield (
                statistic.lasting and "ell" in set(map(str, named)),
                f"{statistic} names the layer, of which there is none after any number of layers",
            )
            yield (
                statistic.lasting and bool(early),
                f"{statistic} names {early and early[0].name}_0, and no start is left after any "
                "number of layers",
            )
            yield (
                statistic.lasting and any(q.backward for q in late),
                f"{statistic} is of a gradient, which depends on all layers and not on one",
            )
        yield self.other is not None, f"{first} is of one chain; leave out other="

    def _refined(self, asked: Quantifier | None) -> Quantifier:
        """The quantifier by what the claim says of the law of random weights."""
        if self.estimand is None:
            return self.quantifier
        kinds = {statistic.kind for statistic in self.estimand.statistics}
        found = Quantifier.LAW
        if kinds == {"mean"}:
            found = Quantifier.EXPECTATION
        elif kinds == {"probability"}:
            found = Quantifier.PROBABILITY
        if self.other is not None:
            found = Quantifier.COMPARISON
        refuse(
            (
                asked is not None and asked is not found,
                f"quantifier='{asked and asked.value}': a claim about {self.estimand} has "
                f"'{found.value}'; leave it out",
            )
        )
        return found

    def _assumption(self, given: WrittenClaim) -> Assumption:
        if isinstance(given, str) and given.strip() == "alive":
            return self._alive()
        relation = relation_of(given, self.declaration, "the assumption")
        if relation.statistics:
            return self._moment(relation, given)
        now, _ = self.declaration.used(relation.lhs, relation.rhs)
        late = next((q for q in now if q.backward or q.of_other), None)
        if late is not None and self.chain is not None:
            raise ClaimError(
                f"an assumption speaks of the start, and {late.name} is random; assume what is "
                "known there, as orthogonality_gap_0 is"
            )
        if now and self.chain is not None:
            raise ClaimError(
                f"an assumption speaks of the start: write {now[0].name}_0, not {now[0].name}"
            )
        compared = sp.Rel(relation.lhs, relation.rhs, relation.relation, evaluate=False)
        words = given if isinstance(given, str) else str(relation)
        return Assumption(compared, words, defined=relation.conditions)

    def _moment(self, relation: Relation, given: WrittenClaim) -> Assumption:
        """What is assumed of the law of a reading: the most that a moment of it is."""
        first = relation.statistics[0]
        symbols = relation.lhs.free_symbols | relation.rhs.free_symbols
        alone = relation.lhs == first.symbol and relation.relation == "<="
        late = self.declaration.used(relation.lhs, relation.rhs)[0]
        refuse(
            (
                first.kind not in MOMENTS,
                f"an assumption speaks of the start, where nothing is random, or bounds a moment: "
                f"{relation}; moments are {', '.join(MOMENTS)}",
            ),
            (
                self.estimand is None or not self.sampled,
                f"{relation}: a moment is assumed of what is random; give chain=",
            ),
            (
                not alone or len(relation.statistics) > 1 or bool(late),
                f"the assumption {relation}: a moment is bounded from above by what is not random, "
                f"as in '{first} <= 10'",
            ),
            (
                relation.rhs.is_number and not relation.rhs > int(first.kind == "kurtosis"),
                f"the assumption {relation} holds of no law",
            ),
            (not symbols, f"{relation} says nothing"),
        )
        words = given if isinstance(given, str) else str(relation)
        self._moments[words] = Moment(first.kind, first.of, relation.rhs)
        compared = sp.Rel(relation.lhs, relation.rhs, "<=", evaluate=False)
        return Assumption(compared, words, "law", defined=relation.conditions)

    def _with_moments(self) -> Estimand | None:
        """The estimand with what is assumed of the laws of its readings."""
        if self.estimand is None or not self._moments:
            return self.estimand
        served, statistics = set(), []
        for statistic in self.estimand.statistics:
            for words, moment in self._moments.items():
                random = {q.symbol for q in self.declaration.used(moment.of, *statistic.sides)[0]}
                factor = moment.scaled(statistic.of, random) if _takes(statistic, moment) else None
                if factor is not None and statistic.moment is None:
                    statistic = replace(statistic, moment=(moment, factor))
                    served.add(words)
            statistics.append(statistic)
        for words in self._moments:
            refuse(
                (
                    words not in served,
                    f"the assumption {words} has no effect: it is of no reading of which the claim "
                    "takes a mean (or, of a kurtosis, a variance); leave it out",
                )
            )
        return Estimand(self.estimand.expression, tuple(statistics))

    def _require_given_laws(self) -> None:
        """Refuse parameters that are those of no law, moments that no law has, and moments of a
        reading that has a range.
        """
        if self.design is None or self.estimand is None:
            return
        asked = [s for s in self.estimand.statistics if s.moment is not None or s.law is not None]
        items = self.design.items(self._draft) if asked else []
        numbers = [self.design.numbers(item) for item in items]
        for statistic in asked:
            for values in numbers:
                if statistic.law is not None:
                    statistic.law.distribution(values)
                if statistic.moment is not None:
                    moment, factor = statistic.moment
                    moment.at(factor, values)
            reaches = (statistic.reach(self.design.reach(values)) for values in numbers)
            refuse(
                (
                    statistic.moment is not None
                    and all(map(math.isfinite, chained.from_iterable(reaches))),
                    f"a moment of {statistic.of} is assumed to no effect, as it has a range; "
                    "leave it out",
                )
            )

    def _alive(self) -> Assumption:
        refuse(
            (
                self.quantifier is Quantifier.MEAN_FIELD,
                "assume='alive' has no effect: at infinite width no sample dies; leave it out",
            ),
            (
                self.chain is None and self.over != "matrices",
                "assume='alive' is about samples: give chain= or over='matrices'",
            ),
        )
        words = "alive: every sample has a unit that is not 0"
        if self.chain is None:
            return Assumption(ALIVE, words)
        return Assumption(ALIVE, f"{words} at every layer up to ell", "path")

    def _require_effects(self, symbols: Mapping[str, object], written: Sequence[object]) -> None:
        """Refuse what was declared or assumed and does nothing."""
        relations = [self.relation, *(a.relation for a in self.assumptions)]
        if self.event is not None:
            relations.append(self.event)
        sides = list(chained.from_iterable((r.lhs, r.rhs) for r in relations))
        sides += self._read
        require_effects(self.declaration, symbols, sides, written, self._taken)
        quantities = {q.symbol: q for q in self.space.measured}
        quantities |= {q.at_start: q for q in self.space.started}
        require_working_assumptions(self.assumptions, self.space.domains, quantities)
        for each in self._chains:
            require_chain_parameters(each, self.space.domains)

    @property
    def _read(self) -> list[sp.Expr]:
        """What the claim reads of every network, and what it says where that has a value."""
        statistics = () if self.estimand is None else self.estimand.statistics
        read: list[sp.Expr] = []
        for statistic in statistics:
            read += [*statistic.sides, *statistic.parameters]
        for statistic in statistics:
            read += [condition.relation for condition in statistic.conditions]
        return read

    @property
    def _taken(self) -> set[str]:
        """Symbols that the chain, or the object the claim is about, cannot do without."""
        if self.over == "paths":
            return {"n", "ell"}
        if self.chain is not None:
            return {"n", "d", "ell", *chained.from_iterable(c.numbers for c in self._chains)}
        if self.over == "parameters":
            return set()
        wide = self.over == "matrices" or any(q.wide for q in self.space.measured)
        return {"n", "d"} if wide else {"n"}

    def _space(self, draw: SearchStrategy[object] | None) -> Space:
        conditions = chained(self.relation.conditions, *(a.conditions for a in self.assumptions))
        sides = [self.relation.lhs, self.relation.rhs]
        sides += [a.relation for a in self.assumptions] + [c.relation for c in conditions]
        if self._given_sentinel is not None:
            sides.append(self._given_sentinel)
        measured, started = self.declaration.used(*sides, *self._read)
        families = set().union(*(side.atoms(sp.IndexedBase) for side in sides))
        stray = next((family for family in (LAMBDA, ENTRIES) if family in families), None)
        refuse(
            (
                bool(started) and self.chain is None,
                f"{started and started[0].name}_0 is a quantity of a chain's start, and there is "
                "no chain",
            ),
            (
                self.over == "parameters" and stray is not None,
                f"{stray} belongs to over='spectra' or over='matrices'",
            ),
            (
                self.sampled and draw is not None,
                "draw= is for claims about every input; starts of a chain are restricted by "
                "assume=",
            ),
        )
        layers = self._layers(measured)
        whole = layers is not None or any(q.of_spectrum is None for q in started)
        domains = self.declaration.domains
        if not self.sampled:
            found = Space(
                self.over,
                domains,
                measured,
                started,
                self.declaration.computed,
                draw,
                whole,
                layers,
            )
            if draw is not None:
                _require_draws(found, draw)
            return found
        asked = measured if self.quantity is None else (*measured, self.quantity)
        for example in (each.example for each in self._chains):
            whole = whole or example.sees_rows or not example.turns_with_samples
        whole = whole or any(q.of_spectrum is None for q in asked)
        return Space("spectra", domains, (), started, whole=whole)

    def _layers(self, measured: Sequence[Quantity]) -> GramMap | None:
        """The map that paths at infinite width follow, where spectra alone do not tell."""
        if self.chain is None or self.over != "paths":
            return None
        spectral = self.chain.mean_field and all(q.of_spectrum is not None for q in measured)
        return None if spectral else followed(self.chain)

    def _design(self) -> Design:
        used: tuple[Quantity, ...] = () if self.quantity is None else (self.quantity,)
        estimand = self.estimand
        if estimand is None:  # of an exponent, which is that of a mean
            estimand = Estimand.of(Statistic("mean", used[0].symbol))
        elif self.quantity is None:
            used, _ = self.declaration.used(*self._read)
        if self.chain is None or not used:
            raise ClaimError(
                "the event names no quantity of layer ell; write event='effective_rank >= 2'"
            )
        _require_drawable(self.declaration.domains)
        if self._of_paths_alive:
            names = ("alive",) if self.other is None else ("alive", f"{OTHER}alive")
            used = (*used, *map(quantity, names))
        if self.other is not None:
            _require_same_weights(self.chain, self.other)
        design = Design(
            self.chain,
            self.space,
            self.quantity,
            estimand,
            tuple(replace(q.observable, name=q.name) for q in used),
            settings=self.declaration.constants,
            backward=None if self.backward is None else self._last_gradient(self.backward),
            other=self.other,
        )
        if estimand.spans:
            self._require_side_by_side(design)
        layers = design.layers({"ell": design.deepest})
        refuse(
            (
                estimand.along and len(layers) < 2,
                f"{estimand} is a slope over layers, and ell has only {layers[0]}: declare some, "
                "as in ell='8..32'",
            )
        )
        return design

    def _require_several(self) -> None:
        """Refuse a slope over one value, or a bracket of one start, where assumptions leave one."""
        if self.design is None or not self.design.estimand.spans:
            return
        over = self.design.estimand.over
        what = "starts" if over is None else f"values of {over}"
        groups = self.design.groups(self._draft, self.design.items(self._draft))
        refuse(
            (
                not any(len(group) > 1 for group in groups),
                f"{self.design.estimand} takes several {what}, and the domain and the assumptions "
                "leave one",
            )
        )

    def _require_side_by_side(self, design: Design) -> None:
        """Refuse a slope over a range that has no geometric sequence."""
        over = design.estimand.over
        if over is None:
            return
        low, high = design.space.domain(over).ends({})
        refuse(
            (
                not 0 < low < high < math.inf,
                f"{design.estimand}: a slope needs several values of {over}, above 0 and with an "
                f"end; it has {low} to {high}",
            )
        )

    @property
    def _chains(self) -> tuple[NamedChain, ...]:
        """The chain and the other one, as far as there are any."""
        return tuple(each for each in (self.chain, self.other) if each is not None)

    def _last_gradient(self, backward: Backward) -> Backward:
        return given_gradient(backward, self.space.domain("d"), self.space.domain("n"))

    def _require_named(self) -> None:
        """Refuse gradients of which it is not said what they are at layer ell, and a second chain
        or gradients that the claim does not name.
        """
        if not self.sampled:
            return
        asked = () if self.quantity is None else (self.quantity,)
        named = (
            *asked,
            *self.declaration.used(self.relation.lhs, self.relation.rhs, *self._read)[0],
        )
        gradients = [q for q in named if q.backward]
        given = self.backward is not None
        refuse(
            (
                gradients and not given,
                f"{gradients and gradients[0].name} reads the backward pass: say what the gradient "
                "is at layer ell, as backward='gaussian'",
            ),
            (
                given and not gradients,
                "backward= has no effect, as the claim names no gradient; name one, as "
                "gradient_norm_0, or leave it out",
            ),
            (
                gradients
                and not callable(self.backward)
                and not any(q.at_batch for q in gradients),
                f"{gradients and gradients[0].name} is of the gradient at layer ell, which is what "
                f"backward= says; write {gradients and gradients[0].name}_0 for that at the batch",
            ),
        )
        if self.other is not None and named:
            missing = "other" if not any(q.of_other for q in named) else "chain"
            refuse(
                (
                    len({q.of_other for q in named}) == 1,
                    f"{missing}= has no effect, as the claim names no quantity of it; compare "
                    "both, as in orthogonality_gap <= other.orthogonality_gap",
                )
            )

    @property
    def _of_paths_alive(self) -> bool:
        return any(a.along == "path" for a in self.assumptions)

    # --- the statement ----------------------------------------------------------------------------

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
        if self.estimand is not None and self.quantity is not None:
            return sp.Symbol(f"E_{self.quantity.name}", **self.quantity.symbol.assumptions0)
        return self.relation.lhs

    @property
    def _conditions(self) -> tuple[Condition, ...]:
        """Where the sides have a value: as was read, and as quantities of a matrix want it."""
        asked = self.over == "matrices" and all(a.relation != ALIVE for a in self.assumptions)
        wanted = [q.wants for q in self.space.measured if q.wants is not None and asked]
        return distinct([*wanted, *self.relation.conditions])

    @property
    def _variables(self) -> tuple[Variable, ...]:
        """Every symbol with its domain, and the families that the sides name."""
        found = [
            Variable(x.symbol, x.set, _MEANINGS.get(x.name, "parameter"))
            for x in self.space.domains
        ]
        sides = [self.relation.lhs, self.relation.rhs, *(c.relation for c in self._conditions)]
        families = set().union(*(side.atoms(sp.IndexedBase) for side in sides))
        size, wide = (self.declaration.names.get(name) for name in ("n", "d"))
        if LAMBDA in families:
            meaning = "eigenvalues of C/‖H‖², descending"
            found.append(Variable(LAMBDA, sp.Interval(0, 1), meaning, size=(size,)))
        if ENTRIES in families:
            found.append(Variable(ENTRIES, sp.Reals, "entries of H", size=(wide, size)))
        return tuple(found)

    @property
    def _definitions(self) -> dict[sp.Symbol, sp.Expr | str]:
        """What every other symbol stands for."""
        place = "layer ell" if self.over == "paths" else "H"
        found: dict[sp.Symbol, sp.Expr | str] = {
            q.symbol: f"{q.meaning} of {place}" for q in self.space.measured
        }
        found |= {c.symbol: c.meaning for c in self.space.computed}
        found |= {q.at_start: f"{q.meaning} of the start" for q in self.space.started}
        given = "at layer ell, given the start"
        if self.backward is not None:
            given += f" and a gradient there that is {gradient_words(self.backward)}"
        if self._of_paths_alive:
            given += ", over paths that are alive"
            found[ALIVE.lhs] = f"{quantity('alive').meaning}, at a layer"
        if self.estimand is not None and self.quantity is not None:
            found[self._left] = f"E[{self.quantity.name}] {given}"
        elif self.event is not None:
            found[PROBABILITY] = f"P[{self.event}] {given}"
        elif self.estimand is not None:
            found |= {s.symbol: f"{s.meaning} {given}" for s in self.estimand.statistics}
        elif self.quantifier is Quantifier.LIMIT and self.quantity is not None:
            found[SLOPE] = (
                f"slope of log E[{self.quantity.name}] against log d, over the widths in the domain"
            )
        for assumption in self.assumptions:
            if assumption.along == "law":
                moment = self._moments[assumption.words]
                found[assumption.relation.lhs] = f"the {moment.kind} of {moment.of} {given}"
        return found

    @property
    def _ceiling(self) -> sp.Expr | None:
        """Where an upper bound says nothing."""
        if self.relation.relation not in ("<=", "<") or self.quantifier is Quantifier.LIMIT:
            return None
        if self.estimand is not None and self.quantity is None:
            return sp.S.One if self.event is not None else None
        names = {x.name for x in self.space.domains}
        return self._ranged.range_in(names)[1] if self._ranged else None

    @property
    def _ranged(self) -> Quantity | None:
        """The quantity compared with a bound, in the range that the chain leaves it."""
        if self.quantity is None or self.design is None:
            return self.quantity
        return self.design.quantities[0]

    @property
    def _observed(self) -> tuple[str, ...]:
        if self.quantity is not None:
            return (self.quantity.name,)
        if self.estimand is None or self.event is not None:
            return ()
        return tuple(q.name for q in self.declaration.used(*self._read)[0])

    @property
    def _draft(self) -> Statement:
        """The statement with a sentinel that only holds the place."""
        return Statement(
            family=self.family,
            theorem=self.name or "claim",
            title=self.title,
            quantifier=self.quantifier,
            source=Source("conjecture", Path(self.file).name if self.file else "as given"),
            variables=self._variables,
            lhs=self._left,
            relation=self.relation.relation,
            rhs=self.relation.rhs,
            assumptions=self.assumptions,
            definitions=self._definitions,
            chain=", other ".join(each.name for each in self._chains) or None,
            observables=self._observed,
            ceiling=self._ceiling,
            sentinel=Sentinel("not yet measured", lhs=self._left + 1, rhs=self.relation.rhs + 2),
            expected=self.expected,
            checks=(),
            defined=self._conditions,
        )

    @cached_property
    def _undefined(self) -> UndefinedMean | None:
        """What shows that the mean claimed of has no value."""
        return None if self.design is None else undefined_mean(self.design, self._draft)

    @cached_property
    def _unbounded(self) -> Unbounded | None:
        """What shows that no number of samples decides the claim."""
        return None if self.design is None else self._wanting(self.design.estimand.unbounded)

    @cached_property
    def _half_known(self) -> Unbounded | None:
        """What leaves the claim open where it stays so: that samples bound a statistic on one side
        alone.
        """
        return None if self.design is None else self._wanting(self.design.estimand.half_known)

    def _wanting(
        self, look: Callable[[Mapping[str, Interval | float]], Statistic | None]
    ) -> Unbounded | None:
        """The first statistic of the lay-out that ``look`` finds, and where no end is."""
        if self.design is None:
            return None
        for item in self.design.items(self._draft):
            reach = self.design.reach(self.design.numbers(item))
            found = look(reach)
            if found is not None:
                low, high = map(math.isinf, found.reach(reach))
                side = "lower" if low else "upper"
                side = "lower and no upper" if low and high else side
                return Unbounded(str(found), str(found.of), side, found.sides_known(reach))
        return None

    @cached_property
    def _measured(self) -> tuple[Sentinel, float, Estimand | None]:
        """The sentinel, the resolution at which it can be told from the truth, and what it compares
        where that is another number than the claim does.

        Cost: a few simulations if the claim is sampled.
        """
        given, right, relation = None, self.relation.rhs, self.relation.relation
        if self._given_sentinel is not None:
            given = Sentinel("given by the author", rhs=self._given_sentinel)
        if self.design is None:
            return given or derive(right, relation, self._sides, sampled=False), 0.1, None
        if self.quantifier is Quantifier.LIMIT and (self._undefined or self._unbounded):
            inner = about_exponent(self.relation, SLOPE)
            return given or Sentinel("an exponent larger by 1", lhs=sp.Abs(inner - 1)), 0.1, None
        if self.quantifier is Quantifier.LIMIT:
            check = exponent_check(self.design, SLOPE, self._draft)
            return given or other_exponent(self.relation, SLOPE, check), 0.1, None
        nothing = self._undefined or self._unbounded
        if nothing:
            return given or unmeasured(right, relation), resolution(relation, []), None
        others = [] if given else others_like(self.design, self._draft)
        seen, *rough = pilot(self.design, self._draft, *(estimand for _, estimand in others))
        fineness = resolution(relation, seen)
        if (best := farthest(rough)) is not None:
            words, other = others[best]
            return Sentinel(words, lhs=other.expression), fineness, other
        if given is None and seen and one_sided(self.design, self._draft):
            given = reversed_claim(self._draft, seen)
            turned_about = replace(
                self.design.estimand, expression=-self.design.estimand.expression
            )
            return given, fineness, turned_about
        if given is None and seen:
            ends = map(self.design.support, self.design.items(self._draft))
            span = max(high - low for low, high in ends)
            given = derive(right, relation, seen, sampled=True, span=span)
        return given or unmeasured(right, relation), fineness, None

    def statement(
        self, *, corpus: Path | None = None, falsify: bool = True, only: bool = False
    ) -> Statement:
        """The statement with its checks and its sentinel.

        - ``corpus``: where witnesses are kept; none are read or written if it is None
        - ``falsify``: False leaves the adversarial search out
        - ``only``: True leaves out everything else

        Raises ``CorpusError`` for a corpus that cannot be read. Cost: a few simulations to place
        the sentinel, the first time.

        Example:
            >>> claim = conjecture("x**2 >= x", over="parameters", x="[1, 2]", name="grows")
            >>> len(claim.statement(falsify=False).checks)
            1
        """
        sentinel, fineness, other = self._measured
        named = {} if other is None else {s.symbol: s.meaning for s in other.statistics}
        draft = replace(
            self._draft,
            sentinel=sentinel,
            definitions={**named, **self._draft.definitions},
        )
        design = self.design if self.design is None or other is None else self.design.beside(other)
        if (nothing := self._undefined or self._unbounded) is not None:
            return replace(draft, checks=(nothing,))
        check = self._check(design, fineness)
        adversary = self._adversary(design, check) if falsify else None
        if adversary is None:
            return replace(draft, checks=(check,))
        kept = None if corpus is None else Corpus(corpus)
        search = Falsification(adversary, tuple(kept.of(draft.name)) if kept else (), kept)
        return replace(draft, checks=(search,) if only else (search, check))

    def _corners(self) -> list[Item]:
        """Where what takes long to decide is tried first: where floats say that it is tight."""
        return [*(self.space.corners() if self.space.quick else ()), *self._tightest]

    def _check(self, design: Design | None, fineness: float) -> Check:
        if design is not None and self.quantifier is Quantifier.LIMIT:
            return exponent_check(design, SLOPE, self._draft)
        if design is not None:
            check = self._with_words(sampling_check(design, fineness))
            return with_carried_means(check, design, self.relation.relation)
        most, slow = max(hypothesis.settings().max_examples, 1), self.over == "paths"
        attack = Pointwise(
            self.space.values,
            self.space.strategy,
            self._corners,
            examples=8 if slow else most,
            given=None if self.over == "parameters" else self.space.of_batch,
            walks=False,
        )
        return Everywhere(self.space, attack, min(2 * most, 40) if slow else 2 * most)

    def _with_words(self, check: Expectation) -> Expectation:
        """The check with what is assumed of laws, and why it leaves open what it does."""
        open_ = "" if self._half_known is None else self._half_known.reason
        return replace(check, assumed=", ".join(self._moments), open_words=open_)

    def _adversary(self, design: Design | None, check: Check) -> Adversary | None:
        if design is not None:
            if design.estimand.spans or not isinstance(check, Expectation):
                return None  # one start, or one size, refutes nothing of several
            return MeanAdversary(design, check)
        most = max(hypothesis.settings().max_examples, 1)
        given = None if self.over == "parameters" else partial(self.space.of_batch, nearby=True)
        return replace(exact_adversary(self.space, self._corners, most), given=given)

    def __repr__(self) -> str:
        return f"<conjecture {self.family}.{self.name or 'claim'}: {self.relation}>"


def name_of(claim: Conjecture) -> str:
    """A name for a claim that has none of its own, of everything that is claimed, as it was read.

    Returns ``claim_`` and eight hexadecimal digits. Spaces and the order of assumptions make no
    difference, nor do sentinel and expected verdict, which claim nothing.

    Example:
        >>> name_of(conjecture("x**2 >= x", over="parameters", x="[1, 2]"))
        'claim_3deac512'
    """
    assumed = chained.from_iterable(a.conditions for a in claim.assumptions)
    conditions = (*claim.relation.conditions, *assumed)
    parts = [
        claim.quantifier.value,
        claim.over if claim.chain is None else claim.chain.name,
        str(claim.relation),
        *(f"{x.symbol} in {x.set}" for x in claim.space.domains),
        *(f"{name} = {value}" for name, value in sorted(claim.declaration.constants.items())),
        *sorted(str(a.relation) for a in claim.assumptions),
        *sorted(f"defined where {c.relation}" for c in conditions),
    ]
    if claim.event is not None:
        parts.append(f"event {claim.event}")
    if claim.other is not None:
        parts.append(f"beside {claim.other.name}")
    if claim.backward is not None:
        parts.append(f"gradient {gradient_digest(claim.backward)}")
    if claim.quantity is not None:
        parts.append(f"about {claim.quantity.name}")
    elif claim.estimand is not None and claim.event is None:
        drawn = chained.from_iterable(s.conditions for s in claim.estimand.statistics)
        parts += sorted({f"read where {c.relation}" for c in drawn})
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return f"claim_{digest[:8]}"


def _takes(statistic: Statistic, moment: Moment) -> bool:
    """Whether a bound on that moment could bound the statistic."""
    if statistic.kind == "variance":
        return moment.kind == "kurtosis"
    return statistic.kind == "mean" or statistic.lasting or statistic.slope


def _probability(event: Relation) -> Statistic:
    """That of an event given by itself."""
    compared = sp.Rel(event.lhs, event.rhs, event.relation, evaluate=False)
    return Statistic("probability", compared, event.conditions)


def _gathered(claim: Relation, random: set[sp.Symbol]) -> Relation:
    """The claim with all that is random on its left, without a sign before it."""
    left, right = claim.lhs.free_symbols & random, claim.rhs.free_symbols & random
    if left and right:
        claim = replace(claim, lhs=claim.lhs - claim.rhs, rhs=sp.S.Zero)
    elif right:
        claim = turned(claim)
    return claim


def _verdict(expected: str) -> Verdict:
    known = [verdict.value for verdict in Verdict]
    refuse((expected not in known, f"expected={expected!r}{nearest(str(expected), known)}"))
    return Verdict(expected)


def _require_comparison(found: Relation) -> None:
    """Raise `ClaimError` for what compares nothing that varies."""
    refuse(
        (
            found.relation == "!=",
            "a claim with != holds almost everywhere; say by how much the sides differ",
        ),
        (
            not found.lhs.free_symbols | found.rhs.free_symbols,
            f"{found} names no symbol, so there is nothing to vary",
        ),
        ((found.lhs - found.rhs).is_number, f"{found}: the sides differ by a constant"),
    )


def _quantifier(
    given: Quantifier | None, chain: NamedChain | None, over: str | None, event: str | None
) -> Quantifier:
    inferred = Quantifier.EXPECTATION if event is None else Quantifier.PROBABILITY
    found = given or (Quantifier.POINTWISE if chain is None else inferred)
    pointwise, about = found is Quantifier.POINTWISE, found is Quantifier.PROBABILITY
    refuse(
        (
            pointwise and chain is not None,
            "a pointwise claim has no chain; with a chain say quantifier='expectation', or leave "
            "it out",
        ),
        (
            not pointwise and chain is None,
            f"quantifier='{found.value}' is about a chain: give chain='rescale'",
        ),
        (
            over is not None and chain is not None,
            f"over={over!r} is for claims without a chain; with one, starts are restricted by "
            "assume=",
        ),
        (
            event is not None and not about,
            "event= is for a claim about the probability of something",
        ),
        (
            about and event is None,
            "the probability of what? give event='effective_rank >= 2'",
        ),
    )
    if found is Quantifier.MEAN_FIELD and chain is not None and not chain.mean_field:
        followed(chain)
    return found


def _require_random_weights(quantifier: Quantifier, other: object, backward: object) -> None:
    """Raise `ClaimError` for a second chain, or gradients, where no weights are drawn."""
    words = {
        "other": "compares two chains on the same random weights",
        "backward": "is for claims about gradients in random networks",
    }
    given = {"other": other, "backward": backward}
    for name, value in given.items():
        shown = f"={value!r}" if isinstance(value, str) else "="
        refuse(
            (
                value is not None and quantifier not in _SAMPLED,
                f"{name}{shown} {words[name]}: give chain=, and no over= or quantifier=",
            )
        )


def _require_same_weights(chain: NamedChain, other: NamedChain) -> None:
    """Raise `ClaimError` for two chains that draw other weights."""
    numbers = dict.fromkeys((*chain.numbers, *other.numbers), 0.5)
    width = max(4, chain.least, other.least)
    apart = weights_apart(chain(width, numbers), other(width, numbers), width)
    refuse(
        (
            apart is not None,
            f"the chains {chain.name} and {other.name} cannot have the same weights: {apart}",
        )
    )


def _require_drawable(domains: Sequence[Domain]) -> None:
    """Raise `ClaimError` if one network of the smallest sizes is too much to draw."""
    least = {x.name: int(x.ends({})[0]) for x in domains if x.name in _MEANINGS}
    operations = max(least["d"], least["n"]) * least["n"] ** 2 * least["ell"]
    if operations > MOST_OPERATIONS:
        sizes = ", ".join(f"{name} ≥ {value}" for name, value in least.items())
        raise ClaimError(
            f"{sizes}: one network takes {operations:.2g} operations, and at most "
            f"{MOST_OPERATIONS:.0e} are spent on each of many; declare smaller sizes"
        )


def _require_draws(space: Space, draw: SearchStrategy[object]) -> None:
    """Look at one draw before anything runs."""
    refuse((not isinstance(draw, SearchStrategy), f"draw={draw!r} is no Hypothesis strategy"))
    quiet = hypothesis.settings(
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.find(space.authored(draw), lambda _: True, settings=quiet)


def _first_line(claim: WrittenClaim) -> str:
    if isinstance(claim, str):  # as it was written, before any simplification
        return " ".join(claim.split())
    lines = (getattr(claim, "__doc__", None) or "").strip().splitlines() if callable(claim) else []
    return lines[0].rstrip(".") if lines and lines[0].isprintable() else ""
