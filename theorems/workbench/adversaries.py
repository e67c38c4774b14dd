"""The adversaries of stated claims: exact for pointwise and mean-field ones, sampled for means and probabilities."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

import flint
import numpy as np
import sympy as sp

from simulators import simulate
from simulators.strategies import corner_spectra
from theorems.checking.ascent import evolve
from theorems.checking.expectation import Expectation
from theorems.checking.pointwise import undefined
from theorems.checking.search import BATCH, ExactAdversary, Found
from theorems.checking.shrinking import shrink
from theorems.context import Context
from theorems.statement import Quantifier, Sentinel, Statement, Verdict
from theorems.workbench.covering_array import covering_array
from theorems.workbench.covers import covered
from theorems.workbench.design import Design
from theorems.workbench.exactly import on_lines
from theorems.workbench.solving import proposed
from theorems.workbench.spaces import Item, Space
from theorems.workbench.start_items import is_batch, shown_start
from theorems.workbench.start_shrinking import plainer

__all__ = ["MeanAdversary", "exact_adversary"]

#: Replicas with which an input is judged promising; the confidence sequence then draws its own.
_PILOT = 24
#: Random numbers one replica of a promising input may cost.
_AFFORDABLE = 2_000_000
#: Points of a generation of starts, at most.
_MEMBERS = 48
#: How often each of the two attacks may ask for a confidence bound.
_EACH = 3


def exact_adversary(
    space: Space, corners: Any, examples: int, kind: str = "exact"
) -> ExactAdversary:
    """Every attack there is on a claim about every input of a space."""
    slow = space.over == "paths"

    def bounded(statement: Statement, context: Context) -> Iterator[Item | None]:
        for part in (*statement.definedness, statement):
            found = covered(space, part, lambda item: adversary.refutes(statement, item), context)
            if found is not None:
                yield found.witness

    def solved(statement: Statement) -> Iterator[Item | None]:
        for part in (*statement.definedness, statement):
            yield from proposed(space, part)

    def on_line(statement: Statement, context: Context) -> Iterator[Item | None]:
        for part in (*statement.definedness, statement):
            yield on_lines(
                space, part, lambda item: adversary.refutes(statement, item), context
            ).witness

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


# --- means --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MeanAdversary:
    """For claims about means and probabilities: over starts, sizes, depths, chain parameters, and infinite width.

    A promising input is one whose pilot mean violates; it refutes once a confidence sequence on fresh samples does,
    at an error level that is split over all such questions there can be. At infinite width paths are enclosed.
    """

    design: Design
    check: Expectation

    @property
    def takes_batch(self) -> bool:
        """Whether a user's batch is among what it tries."""
        return True

    def hunt(
        self, statement: Statement, context: Context, known: Sequence[Any], tried: dict[str, int]
    ) -> Found | None:
        finite = [item for x in known if "d" in x for item in self._read(x)]
        # one question for each, for the batch, and for what is shrunk
        asked = context.share(len(finite) + (context.batch is not None) + 2 * _EACH + 1)
        for item in finite:
            tried["witness of an earlier run"] = tried.get("witness of an earlier run", 0) + 1
            if found := self._confirmed(statement, asked, item, "witness of an earlier run"):
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
                if (
                    value > 0
                    and not context.expired
                    and (found := self._confirmed(statement, asked, item, attack))
                ):
                    return found
        return None

    def _read(self, known: Item) -> Iterator[Item]:
        """A witness of an earlier run, its start in full; nothing where it is one of another claim of this name."""
        with contextlib.suppress(ValueError, TypeError, LookupError):
            item = self.design.completed(known)
            if (
                self._complete(item)
                and self.design.space.contains(item)
                and not is_batch(item.get("start"))
            ):
                yield item

    def _complete(self, item: Item) -> bool:
        space = self.design.space
        return set(item) == {*(x.name for x in space.domains), space.object}

    def _at_batch(
        self, statement: Statement, context: Context, tried: dict[str, int]
    ) -> Found | None:
        """The user's batch as the start, as the check takes it."""
        rows = self.check(statement, replace(context, memory={})).details["readouts"]
        tried[BATCH] = len(rows)
        row = next((r for r in rows if r["verdict"] == Verdict.REFUTED.value), None)
        return (
            None
            if row is None or context.batch is None
            else Found(
                {"batch": context.batch.description, "ell": Fraction(row["ell"])},
                BATCH,
                f"mean in [{row['low']:.6g}, {row['high']:.6g}], bound {row['bound']:.6g}",
                "mean",
            )
        )

    def shrunk(self, statement: Statement, context: Context, found: Found) -> Found:
        if found.attack is BATCH or found.fault == "undefined":
            return found
        if found.kind == "width limit":
            limit = self._limit(statement)
            return found if limit is None else limit[1].shrunk(limit[0], context, found)

        def violates(candidate: Item) -> bool:
            return not context.expired and self.pilot(statement, candidate) > 0.05

        simpler = (
            plainer(found.item, violates)
            if self.design.space.whole
            else shrink(found.item, violates, most=60)
        )
        asked = context if found.level is None else replace(context, level=found.level)
        return self._confirmed(statement, asked, simpler, found.attack) or found

    def _without_bound(self, statement: Statement, item: Item, attack: str) -> Found | None:
        """An input at which the bound has no value, so that there is nothing to compare a mean with."""
        try:
            if not self._complete(item) or not self.design.allows(statement, item):
                return None
            missing, _ = undefined(statement, lambda: self.design.space.values(item))
        except (ValueError, TypeError, ArithmeticError, LookupError):
            return None
        return (
            None
            if missing is None
            else Found(item, attack, missing.words, "mean", fault="undefined")
        )

    # --- finite widths ----------------------------------------------------------------------------------------

    def pilot(self, statement: Statement, item: Item) -> float:
        """The relative violation of the bound by a rough mean; -10 for what is not allowed, too costly or spoiled."""
        try:
            if not self._complete(item) or not self.design.speaks(statement, item):
                return -10.0
            instance = self.design.instance(item)
            if instance.normals > _AFFORDABLE:
                return -10.0
            trajectory = simulate(
                instance.chain,
                instance.start,
                depth=instance.depth,
                replicas=_PILOT,
                seed=(0xF15E, 1),
                observables=self.design.observables,
            )
            known = ~trajectory.spoiled[:, -1]
            if 2 * known.sum() < _PILOT:
                return -10.0
            samples = self.design.sample(statement, trajectory, instance)[known]
            samples = samples[self.design.kept(statement, trajectory, instance)[known]]
            if not samples.size or np.isnan(samples).any():
                return -10.0  # a mean that is not there
            mean = float(samples.mean())
            names = {v.name for v in statement.variables} | {
                str(s) for s in statement.rhs.free_symbols
            }
            with np.errstate(all="ignore"):
                bound = float(
                    statement.bound(**{k: v for k, v in instance.readouts[0].items() if k in names})
                )
        except (ValueError, TypeError, ArithmeticError, LookupError):
            return -10.0
        gap = bound - mean if statement.relation in (">=", ">") else mean - bound
        if not np.isfinite(gap):
            return -10.0
        if statement.relation == "==":
            gap = abs(gap) - 0.25 * abs(bound)  # beyond the noise of a pilot
        return gap / (abs(bound) + abs(mean) + 1e-300)

    def _confirmed(
        self, statement: Statement, context: Context, item: Item, attack: str
    ) -> Found | None:
        if not self.design.speaks(statement, item) or not self._affordable(item, _AFFORDABLE):
            return None
        instance = self.design.instance(item)
        labelled = replace(instance, label=f"search: {attack}: {instance.label}, ell={item['ell']}")
        check = replace(self.check, instances=lambda *_: [labelled])
        row = check(statement, replace(context, memory={}, batch=None)).details["readouts"][0]
        if row["verdict"] != Verdict.REFUTED.value:
            return None
        seen = f"mean in [{row['low']:.6g}, {row['high']:.6g}], bound {row['bound']:.6g}"
        if self.design.space.whole:
            seen += f", from start {instance.label.rpartition('start ')[2]}"
        return Found(item, attack, seen, "mean", context.level)

    def _affordable(self, item: Item, most: int) -> bool:
        """Whether there is such a chain, which some widths have not, and its weights are at most so many."""
        try:
            return self.design.instance(item).normals <= most
        except ValueError:
            return False

    def _extremes(self, statement: Statement) -> Iterator[Item]:
        """The lay-out of the check, then every corner start at the least and greatest size and depth there is."""
        yield from self.design.items(statement)
        by_name = {x.name: x for x in self.design.space.domains}
        reach = {"n": 16, "d": 16_384, "ell": 512}

        def ends(name: str) -> list[int]:
            low, high = (int(e) for e in by_name[name].ends({}))
            return sorted({max(low, 1), max(low, 1, min(high, reach[name]))})

        sizes = list(product(ends("n"), ends("d"), ends("ell")))
        if self.design.space.whole:
            yield from self._covering(sizes)
            return
        for n, d, ell in sizes:
            for number, spectrum in enumerate(corner_spectra(n).values()):
                yield {**self._sized(n, d, ell, number), "spectrum": spectrum}

    def _sized(self, n: int, d: int, ell: int, number: int) -> dict[str, Any]:
        """An item without its start; ``number`` counts through the corners of the chain's parameters."""
        item: dict[str, Any] = {"n": Fraction(n), "d": Fraction(max(d, n)), "ell": Fraction(ell)}
        for domain in self.design.space.parameters:
            options = domain.corners(item)
            item[domain.name] = options[number % len(options)]
        return item

    def _covering(self, sizes: Sequence[tuple[int, int, int]]) -> Iterator[Item]:
        """Items that show every pair of levels of sizes, spectrum (all its corners), basis, signs, scales and rows."""
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

            def score(u: Any, sizes: dict[str, Fraction] = sizes) -> Any:
                return np.array(
                    [
                        -10.0 if context.expired else self.pilot(statement, space.item(sizes, x))
                        for x in u
                    ]
                )

            seed = int(
                np.random.SeedSequence(context.stream("starts", number)).generate_state(1)[0]
            )
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

    # --- infinite width ---------------------------------------------------------------------------------------

    def _in_the_limit(
        self, statement: Statement, context: Context, known: Sequence[Any], tried: dict[str, int]
    ) -> Found | None:
        """A violation in the limit of width: by the law of large numbers the claim is then false at some width."""
        limit = self._limit(statement)
        if limit is None:
            return None
        counts: dict[str, int] = {}
        found = limit[1].hunt(limit[0], context, [x for x in known if "d" not in x], counts)
        tried["enclosed paths at infinite width"] = sum(counts.values())
        return found

    def _limit(self, statement: Statement) -> tuple[Statement, ExactAdversary] | None:
        """The claim at infinite width, where the domain reaches it and chain, quantity and assumptions allow it."""
        design, q = self.design, self.design.quantity
        width = next(x for x in design.space.domains if x.name == "d")
        if not (
            design.chain.mean_field
            and width.endless
            and q is not None
            and q.of_spectrum
            and not q.wide
        ):
            return None
        given = tuple(a for a in statement.assumptions if a.along == "input")
        if any(width.symbol in a.relation.free_symbols for a in given):
            return None
        if statement.rhs.has(sp.Abs, sp.Min, sp.Max):
            return None  # limits of which SymPy may never finish
        try:
            bound = sp.limit(statement.rhs, width.symbol, sp.oo)
        except (NotImplementedError, ValueError, TypeError):
            return None
        if (
            not bound.is_finite
            or bound.has(sp.Limit, sp.AccumBounds)
            or width.symbol in bound.free_symbols
        ):
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
        return claim, replace(
            attack,
            contains=lambda item: (
                space.contains(item)
                and _limit_is(statement.rhs, width.symbol, bound, space.values(item))
            ),
        )


def _limit_is(
    expression: sp.Expr, symbol: sp.Symbol, generic: sp.Expr, values: Mapping[str, Any]
) -> bool:
    """Whether the limit at these values is the generic one: that of n/(n + αd) is 0, and 1 at α = 0."""
    given = {
        s: sp.Rational(str(values[str(s)]))
        if isinstance(values[str(s)], flint.fmpq | Fraction)
        else values[str(s)]
        for s in expression.free_symbols - {symbol}
    }
    found = sp.limit(expression.subs(given), symbol, sp.oo)
    return bool((found - generic.subs(given)).equals(0))
