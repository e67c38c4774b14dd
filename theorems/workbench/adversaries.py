"""Who tries to break a claim: exactly for claims about every input, by samples for means.

Stated claims come with their space of inputs, or with the starts and sizes they are sampled on.
Statements of the library are attacked as far as their own checks open the way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import flint
import numpy as np
import sympy as sp

from simulators.arrays import Floats
from simulators.batches import Batch, spectrum_batch
from simulators.starts import Start, corner_axes, corner_samples, corner_scales, haar_mirrors
from simulators.strategies import corner_spectra
from theorems.checking.ascent import evolve
from theorems.checking.declared import Declared
from theorems.checking.expectation import Expectation
from theorems.checking.pointwise import Pointwise, undefined
from theorems.checking.search import BATCH, Adversary, ExactAdversary, Falsification, Found
from theorems.checking.shrinking import shrink
from theorems.context import Context
from theorems.statement import Evidence, Quantifier, Sentinel, Statement, Verdict
from theorems.witnesses import Corpus
from theorems.workbench.design import Design, ends_within
from theorems.workbench.domains import nested_floats
from theorems.workbench.quantities import QUANTITIES
from theorems.workbench.spaces import Item, Space
from theorems.workbench.starts import (
    covering_array,
    is_batch,
    plainer,
    read_start,
    shown_start,
)
from theorems.workbench.whole_domain import ask_z3, covered, exact_witness, on_lines, proposed

__all__ = [
    "MeanAdversary",
    "StartAdversary",
    "attackable",
    "exact_adversary",
    "margin",
    "refuting",
]


#: Random numbers one replica of a promising input may cost.
_AFFORDABLE = 2_000_000
#: What the pilot gives an input that is not allowed, too costly or spoiled.
_HOPELESS = -10.0
#: Points of a generation of starts, at most.
_MEMBERS = 48
#: How often each of the two attacks may ask for a confidence bound.
_EACH = 3
#: The largest sizes at which corner starts are tried.
_REACH = {"n": 16, "d": 16_384, "ell": 512}
#: Batch sizes of the starts with which statements of the library are attacked.
_SIZES = (2, 3, 4)
_EARLIER = "witness of an earlier run"


# --- every input ----------------------------------------------------------------------------------


def exact_adversary(
    space: Space, corners: Callable[[], Iterable[Item]], examples: int, kind: str = "exact"
) -> ExactAdversary:
    """Every attack there is on a claim about every input of a space.

    - ``corners``: always tried
    - ``examples``: how many inputs Hypothesis draws
    - ``kind``: of witness, "exact" or "width limit"
    """
    slow = space.over == "paths"

    def bounded(statement: Statement, context: Context) -> Iterator[Item | None]:
        for part in (*statement.definedness, statement):
            found = covered(space, part, partial(adversary.refutes, statement), context)
            if found is not None:
                yield found.witness

    def solved(statement: Statement) -> Iterator[Item | None]:
        for part in (*statement.definedness, statement):
            yield from proposed(space, part)

    def on_line(statement: Statement, context: Context) -> Iterator[Item | None]:
        for part in (*statement.definedness, statement):
            yield on_lines(space, part, partial(adversary.refutes, statement), context).witness

    adversary = ExactAdversary(
        space.values,
        space.strategy,
        corners,
        space.contains,
        None if space.computed else space,
        None if space.computed else solved,
        bounded,
        on_line,
        examples=min(examples, 8) if slow else examples,
        kind=kind,
        most={"n": 4, "d": 4, "ell": 8 if slow else 12},
    )
    return adversary


def attackable(statement: Statement, corpus: Corpus | None) -> Statement | None:
    """A statement of the library with falsification as its only check.

    - ``corpus``: where its witnesses are kept; none are read or written if it is None

    None where its checks are algebra or paths of their own. Raises ``CorpusError`` for a corpus
    that cannot be read.

    Example:
        >>> from theorems import library
        >>> found = [attackable(statement, None) for statement in library()]
        >>> {check.method for each in found if each is not None for check in each.checks}
        {'search'}
    """
    check = next((c for c in statement.checks if isinstance(c, Pointwise | Expectation)), None)
    if check is None:
        return None
    adversary: Adversary = (
        _pointwise_adversary(statement, check)
        if isinstance(check, Pointwise)
        else StartAdversary(check)
    )
    known = tuple(corpus.of(statement.name)) if corpus else ()
    return replace(statement, checks=(Falsification(adversary, known, corpus),))


def _pointwise_adversary(statement: Statement, check: Pointwise[object]) -> ExactAdversary:
    declared = check.declared(statement)

    def contains(item: object) -> bool:
        if declared is not None and isinstance(recognised := declared.recognised(item), Declared):
            return declared.contains(recognised)
        values = {k: nested_floats(v) for k, v in check.values(item).items()}
        for variable in statement.variables:
            if variable.name in values:
                variable.admit(values)  # ValueError where it does not fit
        return True

    given = check.of_batch if check.takes_batch else None
    found = ExactAdversary(
        check.values,
        check.inputs,
        check.corners,
        contains,
        solve=_solved,
        examples=check.examples,
        squares=check.squares,
        given=given,
    )
    if declared is None:
        return found
    return replace(
        found,
        values=lambda item: declared.values(declared.recognised(item)),
        inputs=lambda: check.inputs() | declared.strategy(),
        corners=lambda: [*check.corners(), *declared.corners()],
        examples=2 * check.examples,
    )


def _solved(statement: Statement) -> Iterator[object]:
    """What z3 proposes at small sizes for a claim about one family."""
    families = [v.name for v in statement.variables if v.size]
    scalars = [v.name for v in statement.variables if not v.size and v.name in ("n", "d")]
    for size, part in product(_SIZES[:2], (*statement.definedness, statement)):
        answer = ask_z3(part, dict.fromkeys(scalars, size))
        if answer is None:
            continue
        witness = answer.witness if len(families) == 1 else None
        yield None if witness is None else exact_witness(witness[families[0]])


# --- means ----------------------------------------------------------------------------------------


def refuting(evidence: Evidence) -> Mapping[str, Any] | None:
    """The first mean that a check found on the wrong side of its bound; None if there is none.

    - ``evidence``: of any check; what is decided exactly has no means

    Returns the readout: ``instance``, ``low``, ``high``, ``bound``, ``verdict``, and the symbols.

    Example:
        >>> vacuous = {"instance": "d=8", "verdict": "vacuous"}
        >>> refuted = {"instance": "d=64", "verdict": "refuted"}
        >>> found = Evidence(
        ...     method="simulation",
        ...     verdict=Verdict.REFUTED,
        ...     summary="",
        ...     sentinel=Verdict.REFUTED,
        ...     details={"readouts": [vacuous, refuted]},
        ... )
        >>> refuting(found)["instance"]
        'd=64'
    """
    rows = evidence.details.get("readouts", ())
    return next((row for row in rows if row["verdict"] == Verdict.REFUTED.value), None)


def margin(row: Mapping[str, Any]) -> str:
    """A readout in words: between which ends its mean lies, or ``of`` what it is, and beside which
    bound.

    Example:
        >>> margin({"low": 0.25, "high": 0.5, "bound": 0.125})
        'mean in [0.25, 0.5], bound 0.125'
    """
    noun = row.get("of", "mean")
    return f"{noun} in [{row['low']:.6g}, {row['high']:.6g}], bound {row['bound']:.6g}"


@dataclass(frozen=True)
class MeanAdversary:
    """For claims about means and probabilities: over starts, sizes, depths, chain parameters, and
    infinite width.

    A promising input is one whose pilot mean violates; it refutes once a confidence sequence on
    fresh samples does, at an error level that is split over all such questions there can be. At
    infinite width paths are enclosed.
    """

    design: Design
    check: Expectation
    takes_batch = True

    def hunt(
        self, statement: Statement, context: Context, known: Sequence[Item], tried: dict[str, int]
    ) -> Found | None:
        """The first input that certainly refutes; None if none was confirmed, or time is up.

        - ``known``: witnesses of earlier runs, which are tried first
        - ``tried``: is told how many inputs each attack looked at

        Cost: a pilot of two dozen replicas for some hundred inputs, and a confidence sequence for
        the few that look promising.
        """
        read = (self._read(x) for x in known if "d" in x)
        finite = [item for item in read if item is not None]
        # one question for each, for the batch, and for what is shrunk
        asked = context.share(len(finite) + (context.batch is not None) + 2 * _EACH + 1)
        for item in finite:
            tried[_EARLIER] = tried.get(_EARLIER, 0) + 1
            if found := self._confirmed(statement, asked, item, _EARLIER):
                return found
        if context.batch is not None and (found := self._at_batch(statement, asked, tried)):
            return found
        if found := self._in_the_limit(statement, context, known, tried):
            return found
        best: list[tuple[float, Item]] = []
        for attack, proposals in (
            ("corner starts and extreme sizes", self._extremes(statement)),
            ("differential evolution over starts", self._evolved(statement, context, best)),
        ):
            context.progress(f"{statement.name}: {attack}")
            for item in proposals:
                if context.expired:
                    break
                tried[attack] = tried.get(attack, 0) + 1
                if found := self._without_bound(statement, item, attack):
                    return found
                best.append((self.pilot(statement, item), item))
            best.sort(key=lambda pair: -pair[0])
            for value, item in best[:_EACH]:
                if value <= 0 or context.expired:
                    break
                if found := self._confirmed(statement, asked, item, attack):
                    return found
        return None

    def _read(self, known: Item) -> Item | None:
        """A witness of an earlier run, its start in full; None for one of another claim."""
        with contextlib.suppress(ValueError, TypeError, LookupError):
            item = self.design.completed(known)
            whole = set(item) == self.design.space.names and self.design.space.contains(item)
            return item if whole and not is_batch(item.get("start")) else None
        return None

    def _at_batch(
        self, statement: Statement, context: Context, tried: dict[str, int]
    ) -> Found | None:
        """The user's batch as the start, as the check takes it."""
        evidence = self.check(statement, replace(context, memory={}))
        tried[BATCH] = len(evidence.details["readouts"])
        row = refuting(evidence)
        if row is None or context.batch is None:
            return None
        item = {"batch": context.batch.description, "ell": Fraction(row["ell"])}
        return Found(item, BATCH, margin(row), "mean")

    def shrunk(self, statement: Statement, context: Context, found: Found) -> Found:
        """A simpler input, confirmed again at the level that was spent before.

        - ``found``: what `hunt` gave; it comes back where nothing simpler is confirmed
        """
        if found.attack is BATCH or found.fault == "undefined":
            return found
        if found.kind == "width limit":
            limit = self._limit(statement)
            return found if limit is None else limit[1].shrunk(limit[0], context, found)

        def violates(candidate: Item) -> bool:
            return not context.expired and self.pilot(statement, candidate) > 0.05

        whole = self.design.space.whole
        simpler = plainer(found.item, violates) if whole else shrink(found.item, violates, most=60)
        asked = context if found.level is None else replace(context, level=found.level)
        return self._confirmed(statement, asked, simpler, found.attack) or found

    def _without_bound(self, statement: Statement, item: Item, attack: str) -> Found | None:
        """An input at which the bound has no value: there is nothing to compare a mean with."""
        try:
            if not self.design.allows(statement, item):
                return None
            missing, _ = undefined(statement, lambda: self.design.space.values(item))
        except (ValueError, TypeError, ArithmeticError, LookupError):
            return None
        if missing is None:
            return None
        return Found(item, attack, missing.words, "mean", fault="undefined")

    # --- finite widths ----------------------------------------------------------------------------

    def pilot(self, statement: Statement, item: Item) -> float:
        """The relative violation of the bound by a rough mean.

        -10 for what is not allowed, too costly or spoiled, and where the mean has no value.
        """
        try:
            if not self.design.speaks(statement, item):
                return _HOPELESS
            instance = self.design.instance(item)
            if instance.normals > _AFFORDABLE:
                return _HOPELESS
            trajectory = instance.networks.simulated(
                self.design.observables, self.design.pilots, (0xF15E, 1)
            )
            known = ~trajectory.spoiled[:, -1]
            samples = self.design.sample(statement, trajectory, instance)[known]
            samples = samples[self.design.kept(statement, trajectory, instance)[known]]
            if 2 * known.sum() < self.design.pilots or not samples.size or np.isnan(samples).any():
                return _HOPELESS
            taken = (
                samples.astype(np.float64),
                instance.readouts[0],
                self.design.estimand_of(statement.lhs),
                instance,
            )
            mean = self.design.estimate(*taken)
            bound = self.design.bound(statement, instance.readouts[0])
        except (ValueError, TypeError, ArithmeticError, LookupError):
            return _HOPELESS
        gap = bound - mean if statement.relation in (">=", ">") else mean - bound
        if not np.isfinite(gap):
            return _HOPELESS
        if statement.relation == "==":
            gap = abs(gap) - self.design.standard_error(*taken)
        return gap / (abs(bound) + abs(mean) + 1e-300)

    def _confirmed(
        self, statement: Statement, context: Context, item: Item, attack: str
    ) -> Found | None:
        if not self.design.speaks(statement, item) or not self._affordable(item, _AFFORDABLE):
            return None
        instance = self.design.instance(item)
        labelled = replace(instance, label=f"search: {attack}: {instance.label}, ell={item['ell']}")
        check = replace(self.check, instances=lambda *_: [labelled])
        row = refuting(check(statement, replace(context, memory={}, batch=None)))
        if row is None:
            return None
        start = instance.label.rpartition("start ")[2]
        seen = margin(row) + f", from start {start}" * self.design.space.whole
        if self.check.assumed:
            seen += f", assuming {self.check.assumed}"
        return Found(item, attack, seen, "mean", context.level)

    def _affordable(self, item: Item, most: int) -> bool:
        """Whether there is such a chain, which some widths have not, of at most so many weights."""
        try:
            return self.design.instance(item).normals <= most
        except ValueError:
            return False

    def _extremes(self, statement: Statement) -> Iterator[Item]:
        """The lay-out of the check, then every corner start at the least and greatest sizes."""
        yield from self.design.items(statement)
        domain = self.design.space.domain
        ends = [ends_within(domain(name), reach, 1) for name, reach in _REACH.items()]
        sizes = list(product(*ends))
        if self.design.space.whole:
            yield from self._covering(sizes)
            return
        for n, d, ell in sizes:
            for number, spectrum in enumerate(corner_spectra(n).values()):
                yield {**self._sized(n, d, ell, number), "spectrum": spectrum}

    def _sized(self, n: int, d: int, ell: int, number: int) -> Item:
        """An item without its start; ``number`` counts through corners of chain parameters."""
        sizes = {"n": Fraction(n), "d": Fraction(max(d, n)), "ell": Fraction(ell)}
        return self.design.parametrised(sizes, [number] * len(self.design.space.parameters))

    def _covering(self, sizes: Sequence[tuple[int, ...]]) -> Iterator[Item]:
        """Items that show every pair of levels of sizes and of all coordinates of a start.

        Of spectra every corner is a level.
        """
        levels = {n: self.design.levels(n, max(d, n), corner_spectra(n)) for n, d, _ in sizes}
        counts = [len(sizes), *map(max, zip(*(x.counts for x in levels.values()), strict=True))]
        for number, row in enumerate(covering_array(counts, lambda _: True)):
            n, d, ell = sizes[row[0]]
            yield {**self._sized(n, d, ell, number), "start": shown_start(levels[n].at(row[1:]))}

    def _evolved(
        self, statement: Statement, context: Context, best: list[tuple[float, Item]]
    ) -> Iterator[Item]:
        """Starts and parameters, at the two most promising sizes so far."""
        space = self.design.space
        seen: list[dict[str, Fraction]] = []
        for _, item in list(best):
            sizes = {k: item[k] for k in ("n", "d", "ell")}
            if sizes not in seen and self._affordable(item, _AFFORDABLE // 8):
                seen.append(sizes)
        for number, sizes in enumerate(seen[:2]):
            if context.expired or (dimensions := space.coordinates(sizes)) == 0:
                return

            def score(points: Floats, sizes: Mapping[str, Fraction] = sizes) -> Floats:
                items = [space.item(sizes, u) for u in points]
                return np.array(
                    [_HOPELESS if context.expired else self.pilot(statement, x) for x in items]
                )

            entropy = np.random.SeedSequence(context.stream("starts", number))
            seed = int(entropy.generate_state(1)[0])
            members = min(max(3 * dimensions, 12), _MEMBERS)
            found = evolve(
                score,
                dimensions,
                seed=seed,
                generations=4,
                stop=lambda: context.expired,
                initial=np.random.default_rng(seed).random((members, dimensions)),
            )
            yield from (space.item(sizes, u) for u in found[:2])

    # --- infinite width ---------------------------------------------------------------------------

    def _in_the_limit(
        self, statement: Statement, context: Context, known: Sequence[Item], tried: dict[str, int]
    ) -> Found | None:
        """A violation in the limit of width.

        By the law of large numbers the claim is then false at some width.
        """
        limit = self._limit(statement)
        if limit is None:
            return None
        counts: dict[str, int] = {}
        found = limit[1].hunt(limit[0], context, [x for x in known if "d" not in x], counts)
        tried["enclosed paths at infinite width"] = sum(counts.values())
        return found

    def _limit(self, statement: Statement) -> tuple[Statement, ExactAdversary] | None:
        """The claim at infinite width, and who attacks it.

        None where the domain does not reach it, or chain, quantity or assumptions do not allow it.
        """
        design, q = self.design, self.design.quantity
        width = design.space.domain("d")
        given = tuple(a for a in statement.assumptions if a.along == "input")
        if q is None or q.of_spectrum is None or q.wide:
            return None
        if not (design.chain.mean_field and width.endless):
            return None
        if any(width.symbol in a.relation.free_symbols for a in given):
            return None
        bound = _limit_of(statement.rhs, width.symbol)
        if bound is None:
            return None
        space = Space(
            "paths",
            tuple(x for x in design.space.domains if x is not width),
            (q,),
            design.space.started,
            whole=design.space.whole,
        )
        claim = replace(
            statement,
            lhs=q.symbol,
            rhs=bound,
            relation={"<": "<=", ">": ">="}.get(statement.relation, statement.relation),
            quantifier=Quantifier.MEAN_FIELD,
            definitions={**statement.definitions, q.symbol: q.meaning},
            ceiling=None,
            variables=tuple(v for v in statement.variables if v.name != "d"),
            checks=(),
            assumptions=given,
            sentinel=Sentinel("none is needed", lhs=q.symbol + 1, rhs=bound + 2),
        )
        attack = exact_adversary(space, space.corners, 8, "width limit")
        if not statement.rhs.free_symbols - {width.symbol, *bound.free_symbols}:
            return claim, attack

        def contains(item: Item) -> bool:
            return space.contains(item) and _limit_is(
                statement.rhs, width.symbol, bound, space.values(item)
            )

        return claim, replace(attack, contains=contains)


def _limit_of(bound: sp.Expr, width: sp.Symbol) -> sp.Expr | None:
    """What a bound tends to; None where SymPy does not tell, or may never finish."""
    if bound.has(sp.Abs, sp.Min, sp.Max):
        return None
    try:
        found = sp.limit(bound, width, sp.oo)
    except (NotImplementedError, ValueError, TypeError):
        return None
    open_ = found.has(sp.Limit, sp.AccumBounds) or width in found.free_symbols
    return None if open_ or not found.is_finite else found


def _limit_is(expression: sp.Expr, symbol: sp.Symbol, generic: sp.Expr, values: Item) -> bool:
    """Whether the limit at these values is the generic one.

    That of n/(n + αd) is 0, and 1 at α = 0.
    """
    given = {s: values[str(s)] for s in expression.free_symbols - {symbol}}
    for s, value in given.items():
        if isinstance(value, flint.fmpq | Fraction):
            given[s] = sp.Rational(str(value))
    found = sp.limit(expression.subs(given), symbol, sp.oo)
    return bool((found - generic.subs(given)).equals(0))


# --- means that the library claims ----------------------------------------------------------------


def _turned(
    size: int, spectrum: tuple[Fraction, ...], generator: np.random.Generator
) -> Iterator[Start]:
    """Starts of one spectrum, each with other coordinates moved away from the plain ones."""
    axes, samples = corner_axes(size), corner_samples(size)
    yield Start(spectrum, axes["mean first"])
    yield Start(spectrum, axes["mean last"], scales=corner_scales(size)["first ×100"])
    yield Start(spectrum, (), haar_mirrors(size, generator), *samples["signs alternating"])
    yield Start(spectrum, axes["mean first"], (), *samples["x, x"])
    yield Start(spectrum, (), haar_mirrors(size, generator), *samples["x, -x"])


def _batch(item: Item) -> Floats:
    if "start" in item:
        start = read_start(item["start"])
        return start.batch(start.size * start.repeats)
    return spectrum_batch(item["spectrum"], len(item["spectrum"]))


@dataclass(frozen=True)
class StartAdversary:
    """For statements about means: starts of every shape as the user's batch, at equal shares of the
    level.

    Spectra of every shape; where chain or quantities see more than these, also starts whose every
    other coordinate is moved: eigenbasis, signs, copies, scales of single samples.
    """

    check: Expectation
    takes_batch = True

    def starts(self, statement: Statement) -> list[Item]:
        """What is tried beside witnesses and batch, the same in every run.

        Items of 2, 3 and 4 samples: a ``spectrum``, or a whole ``start``.
        """
        generator = np.random.default_rng(0)
        found: list[Item] = []
        whole = self._sees_more(statement)
        for size in _SIZES:
            corners = corner_spectra(size)
            plain = [name for name in ("uniform", "one small", "dominant") if name in corners]
            found += [{"spectrum": corners[name]} for name in plain]
            weights = [Fraction(int(w)) for w in generator.integers(1, 1000, size)]
            drawn = tuple(sorted((w / sum(weights) for w in weights), reverse=True))
            found.append({"spectrum": drawn})
            if whole:
                found += [{"start": shown_start(x)} for x in _turned(size, drawn, generator)]
        return found

    def _sees_more(self, statement: Statement) -> bool:
        """Whether more than the spectrum of a start may count."""
        for x in self.check.observables:
            if not (isinstance(x, str) and x in QUANTITIES and QUANTITIES[x].of_spectrum):
                return True
        instance = next(iter(self.check.instances(statement, None)), None)
        return instance is None or instance.chain.sees_rows or not instance.chain.turns_with_samples

    def hunt(
        self, statement: Statement, context: Context, known: Sequence[Item], tried: dict[str, int]
    ) -> Found | None:
        """The first start that certainly refutes; None if none does, or time is up.

        - ``known``: witnesses of earlier runs, which are tried first
        - ``tried``: is told how many starts each attack looked at

        Cost: the check once for every start, of which there are some dozen.
        """
        starts: list[tuple[str, Any]] = [(_EARLIER, item) for item in known]
        if context.batch is not None:
            starts.append((BATCH, context.batch))
        starts += [("starts of every shape", item) for item in self.starts(statement)]
        for attack, item in starts:
            if context.expired:
                return None
            tried[attack] = tried.get(attack, 0) + 1
            try:
                batch = item if attack is BATCH else Batch.of(_batch(item), "start")
            except (KeyError, TypeError, ValueError):
                continue  # a witness of another claim of this name
            around = replace(context.share(len(starts)), batch=batch, memory={})
            row = refuting(self.check(statement, around))
            if row is not None:
                shown = {"batch": item.description} if attack is BATCH else item
                return Found(shown, attack, f"{row['instance']}: {margin(row)}", "mean")
        return None

    def shrunk(self, statement: Statement, context: Context, found: Found) -> Found:
        """The start as it was found: it is simple, and each trial would cost a part of the error
        budget.

        Args:
            statement: not used, nor is ``context``.
            context: as of `hunt`.
            found: what `hunt` returned.

        Returns:
            ``found``.
        """
        return found
