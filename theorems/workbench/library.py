"""Adversaries for statements of the library: the same attacks, as far as a statement's own checks open the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.batches import Batch, spectrum_batch
from simulators.starts import Start, corner_axes, corner_samples, corner_scales, haar_mirrors
from simulators.strategies import corner_spectra
from theorems.algebraic import Root
from theorems.checking.declared import Declared
from theorems.checking.expectation import Expectation
from theorems.checking.pointwise import Pointwise
from theorems.checking.search import BATCH, Adversary, ExactAdversary, Falsification, Found
from theorems.context import Context
from theorems.statement import Statement, Verdict
from theorems.witnesses import Corpus
from theorems.workbench.quantities import QUANTITIES
from theorems.workbench.start_items import read_start, shown_start

__all__ = ["StartAdversary", "attackable"]

_SIZES = (2, 3, 4)
_WORK = 1_000_000  # for one question to z3, in its units


def attackable(statement: Statement, corpus: Corpus | None) -> Statement | None:
    """The statement with falsification as its only check; None where its checks are algebra or paths of their own."""
    adversary: Adversary
    for check in statement.checks:
        if isinstance(check, Pointwise):
            adversary = _pointwise(statement, check)
            break
        if isinstance(check, Expectation):
            adversary = StartAdversary(check)
            break
    else:
        return None
    known = tuple(corpus.of(statement.name)) if corpus else ()
    return replace(statement, checks=(Falsification(adversary, known, corpus),))


def _pointwise(statement: Statement, check: Pointwise) -> ExactAdversary:
    declared = check.declared(statement)

    def contains(item: Any) -> bool:
        if declared is not None and isinstance(recognised := declared.recognised(item), Declared):
            return declared.contains(recognised)
        values = {k: _plain(v) for k, v in check.values(item).items()}
        for variable in statement.variables:
            if variable.name in values:
                variable.admit(values)  # ValueError where it does not fit
        return True

    given = check.of_batch if check.takes_batch else None
    if declared is None:
        return ExactAdversary(
            check.values,
            check.inputs,
            check.corners,
            contains,
            None,
            _solved,
            examples=check.examples,
            squares=check.squares,
            given=given,
        )
    return ExactAdversary(
        lambda item: declared.values(declared.recognised(item)),
        lambda: check.inputs() | declared.strategy(),
        lambda: [*check.corners(), *declared.corners()],
        contains,
        None,
        _solved,
        examples=2 * check.examples,
        squares=check.squares,
        given=given,
    )


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else float(value)


def _solved(statement: Statement) -> Iterator[Any]:
    """What z3 proposes at small sizes for a claim about one family."""
    from theorems.checking.smt import MissingSolverError, UntranslatableError, ask

    families = [v.name for v in statement.variables if v.size]
    for size in _SIZES[:2]:
        sizes = {v.name: size for v in statement.variables if not v.size and v.name in ("n", "d")}
        for part in (*statement.definedness, statement):
            try:
                answer = ask(part, sizes, work=_WORK)
            except (MissingSolverError, UntranslatableError, ValueError):
                continue
            witness = answer.witness if len(families) == 1 else None
            yield None if witness is None else _tuples(witness[families[0]])


def _tuples(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(map(_tuples, value))
    return value if isinstance(value, Root) else Fraction(value)


def _turned(
    size: int, spectrum: tuple[Fraction, ...], generator: np.random.Generator
) -> Iterator[Start]:
    """Starts of one spectrum, each with other coordinates moved away from the plain ones."""
    axes = corner_axes(size)
    yield Start(spectrum, axes["mean first"])
    yield Start(spectrum, axes["mean last"], scales=corner_scales(size)["first ×100"])
    yield Start(
        spectrum, (), haar_mirrors(size, generator), *corner_samples(size)["signs alternating"]
    )
    yield Start(spectrum, axes["mean first"], (), *corner_samples(size)["x, x"])
    yield Start(spectrum, (), haar_mirrors(size, generator), *corner_samples(size)["x, -x"])


def _batch(item: Mapping[str, Any]) -> NDArray[np.float64]:
    if "start" in item:
        start = read_start(item["start"])
        return start.batch(start.size * start.repeats)
    return spectrum_batch(item["spectrum"], len(item["spectrum"]))


@dataclass(frozen=True)
class StartAdversary:
    """For statements about means: starts of every shape as the user's batch, at equal shares of the level.

    Spectra of every shape; where chain or quantities see more than these, also starts whose every other coordinate is
    moved: eigenbasis, signs, copies, scales of single samples.
    """

    check: Expectation

    @property
    def takes_batch(self) -> bool:
        """Whether a user's batch is among what it tries."""
        return True

    def _starts(self, statement: Statement) -> list[Mapping[str, Any]]:
        generator = np.random.default_rng(0)
        found: list[Mapping[str, Any]] = []
        whole = self._sees_more(statement)
        for size in _SIZES:
            corners = corner_spectra(size)
            found += [
                {"spectrum": corners[name]}
                for name in ("uniform", "one small", "dominant")
                if name in corners
            ]
            weights = [Fraction(int(w)) for w in generator.integers(1, 1000, size)]
            drawn = tuple(sorted((w / sum(weights) for w in weights), reverse=True))
            found.append({"spectrum": drawn})
            if whole:
                found += [
                    {"start": shown_start(start)} for start in _turned(size, drawn, generator)
                ]
        return found

    def _sees_more(self, statement: Statement) -> bool:
        """Whether more than the spectrum of a start may count."""
        if any(
            not isinstance(x, str) or x not in QUANTITIES or QUANTITIES[x].of_spectrum is None
            for x in self.check.observables
        ):
            return True
        instance = next(iter(self.check.instances(statement, None)), None)
        return instance is None or instance.chain.sees_rows or not instance.chain.turns_with_samples

    def hunt(
        self, statement: Statement, context: Context, known: Sequence[Any], tried: dict[str, int]
    ) -> Found | None:
        starts: list[tuple[str, Any]] = [
            *[("witness of an earlier run", k) for k in known],
            *[("starts of every shape", s) for s in self._starts(statement)],
        ]
        if context.batch is not None:
            starts.insert(len(known), (BATCH, context.batch))
        for attack, item in starts:
            if context.expired:
                return None
            tried[attack] = tried.get(attack, 0) + 1
            try:
                batch = item if attack is BATCH else Batch.of(_batch(item), "start")
            except (KeyError, TypeError, ValueError):
                continue  # a witness of another claim of this name
            around = replace(context.share(len(starts)), batch=batch, memory={})
            evidence = self.check(statement, around)
            row = next(
                (r for r in evidence.details["readouts"] if r["verdict"] == Verdict.REFUTED.value),
                None,
            )
            if row is not None:
                return Found(
                    {"batch": item.description} if attack is BATCH else item,
                    attack,
                    f"{row['instance']}: mean in [{row['low']:.6g}, {row['high']:.6g}], bound "
                    f"{row['bound']:.6g}",
                    "mean",
                )
        return None

    def shrunk(self, statement: Statement, context: Context, found: Found) -> Found:
        return found  # the starts are simple, and each trial costs a part of the error budget
