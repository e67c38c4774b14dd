"""Run checks over statements: what was established of each, and whether that was expected."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from importlib.metadata import version
from math import fsum, isfinite
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from simulators.arguments import Argument, ArgumentError, whole_number
from simulators.batches import Batch, validate_batch
from theorems.context import Context
from theorems.evidence import Evidence, Verdict, combine, weakest
from theorems.gathering import Refusal, gathered, takes_batch, trains
from theorems.notebook import html_of, table_of
from theorems.proofs.record import evidence as proof_evidence
from theorems.proofs.record import lapsed
from theorems.registry import level_of, select, unasked
from theorems.statement import ClaimError, Statement
from theorems.verdict_words import tightness_word

if TYPE_CHECKING:
    from simulators.training import Experiment

__all__ = [
    "Asked",
    "Claim",
    "Result",
    "Results",
    "declared_levels",
    "environment",
    "total_level",
    "verify",
    "verify_each",
]


@runtime_checkable
class Claim(Protocol):
    """What makes a statement of itself when asked, as a
    `Conjecture` does.
    """

    def statement(self) -> Statement: ...


#: What can be checked: a name, a statement, a claim of the author's, or several of them.
Asked = str | Statement | Claim | Iterable[str | Statement | Claim]

#: Probability that a whole run reports any false verdict on statements that declare no level.
LEVEL = 1e-6
#: Below this the parts of a run's level would leave the range of doubles.
SMALLEST_LEVEL = 1e-300


@dataclass(frozen=True)
class Result:
    """What was established about one statement.

    ``weakened_by`` names the statements it depends on that made the verdict weaker than its own
    evidence. ``notes`` say what else must be known, such as that a recorded proof is of another
    statement than this. ``evidence`` is in the order of the statement's checks, a recorded proof
    last; ``with_batch`` says whether the run was about a batch. ``level`` is the probability that
    this verdict is false, where its family declares one; None where it shares the level of the run.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> (result,) = verify(STATEMENT)
        >>> result.verdict.value, result.as_expected, result.tightness
        ('certified', True, 1.0)
    """

    statement: Statement
    verdict: Verdict
    evidence: tuple[Evidence, ...]
    with_batch: bool = False
    weakened_by: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    level: float | None = None

    @property
    def seconds(self) -> float:
        return sum(e.seconds for e in self.evidence)

    @property
    def tightness(self) -> float | None:
        """The largest measured / bound, inverted for a lower bound; of a refuted statement, where
        it is refuted.
        """
        return max((e.tightness for e in self._decisive if e.tightness is not None), default=None)

    @property
    def tightness_interval(self) -> tuple[float, float] | None:
        """The interval of `tightness`, as evidence gives it: what it may be by the confidence
        bound.

        None where the tightness was computed, and where there is none.
        """
        return next(
            (
                e.tightness_interval
                for e in self._decisive
                if e.tightness is not None and e.tightness == self.tightness
            ),
            None,
        )

    @property
    def power(self) -> float | None:
        return max(
            (e.power for e in self._decisive if e.power is not None and isfinite(e.power)),
            default=None,
        )

    @property
    def _decisive(self) -> tuple[Evidence, ...]:
        """The evidence the verdict rests on: what refutes, or else what is not partial, if there is
        any.
        """
        about = tuple(e for e in self.evidence if not e.apart)
        refuting = tuple(e for e in about if e.verdict is Verdict.REFUTED)
        return refuting or tuple(e for e in about if not e.partial) or about

    @property
    def weak_sentinels(self) -> tuple[str, ...]:
        """Methods whose false neighbour survived although the check itself spoke: a defect.

        On a user's batch a neighbour may be left open, which is a matter of power there; it may not
        be upheld.
        """
        return tuple(
            e.method
            for e in self.evidence
            if e.sentinel is not Verdict.REFUTED
            and (e.verdict.holds or e.verdict is Verdict.REFUTED)
            and not (
                e.method == "proof" and e.sentinel is Verdict.OUTSIDE
            )  # by name, nothing to try
            and (e.sentinel.holds or not self.with_batch)
        )

    @property
    def contradictory(self) -> bool:
        """A proof and a refutation of the same statement; a proof of a part of it contradicts
        nothing.
        """
        found = {
            e.verdict for e in self.evidence if not (e.partial and e.verdict is Verdict.PROVED)
        }
        return {Verdict.PROVED, Verdict.REFUTED} <= found

    @property
    def sound(self) -> bool:
        """Whether every sentinel fell and nothing contradicts: without that no verdict is as
        expected.
        """
        return not self.weak_sentinels and not self.contradictory

    @property
    def as_expected(self) -> bool:
        """The verdict is the declared one or stronger, every sentinel fell, nothing contradicts.

        On a user's batch a bound may also be vacuous or its assumption unmet, and what is false of
        some other input may hold: that is a result.
        """
        if not self.sound:
            return False
        expected, found = self.statement.expected, self.verdict
        order = list(Verdict)
        if expected.holds and found.holds and order.index(found) <= order.index(expected):
            return True
        silent = found in (Verdict.VACUOUS, Verdict.OUTSIDE)
        return found is expected or (self.with_batch and (expected is Verdict.REFUTED or silent))

    def __repr__(self) -> str:
        tightness = tightness_word(self.tightness, self.statement.relation, self.verdict)
        told = "" if tightness == "–" else f", tightness {tightness}"
        told += "" if self.level is None else f", error level {self.level:g}"
        return f"<{self.statement.name}: {self.verdict.value}{told}>"

    def _repr_html_(self) -> str:
        return html_of(self)

    def as_json(self) -> dict[str, Any]:
        """The result as a run writes it: one of ``results`` of schema 1.

        Returns:
            A JSON value: texts, numbers, booleans, None, lists and dicts. Times are in seconds, and
            ``evidence`` holds a dict for each check.

        Example:
            >>> from theorems.templates.pointwise import STATEMENT
            >>> verify(STATEMENT)[0].as_json()["verdict"]
            'certified'
        """
        s = self.statement
        return {
            "statement": f"{s.family}.{s.theorem}",
            "variant": s.variant,
            "title": s.title,
            "quantifier": s.quantifier.value,
            "source": str(s.source),
            "verdict": self.verdict.value,
            "expected": s.expected.value,
            "as_expected": self.as_expected,
            "tightness": self.tightness,
            "tightness_interval": self.tightness_interval,
            "power": self.power,
            **({} if self.level is None else {"level": self.level}),
            "seconds": round(self.seconds, 3),
            "weakened_by": list(self.weakened_by),
            "notes": list(self.notes),
            "evidence": [e.as_json(s.sentinel.words) for e in self.evidence],
        }


class Results(tuple[Result, ...]):
    """Results in the order of their statements: a tuple that a notebook shows as a table.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> verify(STATEMENT)
        (<family_name.theorem_name: certified, tightness attained>,)
    """

    __slots__ = ()

    def _repr_html_(self) -> str:
        return table_of(self)


def overall(evidence: Sequence[Evidence]) -> Verdict:
    """The statement's verdict: partial evidence may refute it, and speaks for it only where nothing
    else was tried.

    The proof of a part never makes the whole proved.

    Args:
        evidence: of all checks of a statement, and of its proof.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> (result,) = verify(STATEMENT)
        >>> overall(result.evidence).value
        'certified'
    """
    whole = [e for e in evidence if not e.partial or e.verdict is Verdict.REFUTED]
    rest = [e for e in evidence if e.verdict is not Verdict.PROVED]
    return combine([e.verdict for e in whole or rest])


def inherited(own: Verdict, dependency: Verdict) -> Verdict:
    """A claim that holds is no stronger than one it depends on, and open if that is refuted or
    open.

    Where the other says nothing, of a batch, it takes nothing away.

    Args:
        own: what the checks and the proof of a statement say.
        dependency: the verdict of one that it depends on.

    Example:
        >>> inherited(Verdict.PROVED, Verdict.SUPPORTED).value
        'supported'
        >>> inherited(Verdict.PROVED, Verdict.REFUTED).value
        'inconclusive'
    """
    if not own.holds or dependency in (Verdict.VACUOUS, Verdict.OUTSIDE):
        return own
    return weakest([own, dependency]) if dependency.holds else Verdict.INCONCLUSIVE


def declared_levels(
    statements: Iterable[Statement],
    level: float | None = None,
    experiment: Experiment | None = None,
) -> dict[str, float]:
    """The level of each statement of a run whose family declares one, by its full name.

    Args:
        statements: of the run.
        level: of the run, where one is given: all statements share it then.
        experiment: of the run; one at the published sizes is judged at the level of the run.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> declared_levels([STATEMENT])
        {}
    """
    if level is not None or (experiment is not None and experiment.full):
        return {}
    found = {statement.name: level_of(statement) for statement in statements}
    return {name: own for name, own in found.items() if own is not None}


def total_level(level: float, own: Sequence[float | None]) -> float:
    """The probability that a run reports any false verdict: the sum over its verdicts.

    Args:
        level: what the verdicts without a level of their own share.
        own: of each verdict its own level, or None.

    Example:
        >>> total_level(1e-6, [None, None]), total_level(1e-6, [1e-3, 1e-3])
        (1e-06, 0.002)
    """
    shared = None in own or not own
    return min(1.0, fsum([level] * shared + [each for each in own if each is not None]))


def verify_each(
    names: Asked = (),
    *,
    batch: object = None,
    seed: int = 0,
    level: float | None = None,
    budget: float | None = None,
    progress: Callable[[str], None] = lambda _: None,
    refused: Callable[[Statement, ClaimError], None] | None = None,
    known: Sequence[tuple[Statement, Verdict]] = (),
    jobs: int = 1,
    thorough: bool = False,
    checked: Callable[[Statement], None] = lambda _: None,
    experiment: Experiment | None = None,
) -> Generator[Result]:
    """As `verify`, one result at a time, so that an interrupted run keeps what it
    established.

    ``progress`` is told what is being done, ``checked`` of each statement whose checks are done,
    which with several jobs may be before its result's turn. Closing what is returned ends the
    processes of the jobs.

    ``refused`` is told of a claim that turns out to make no sense while it is checked, and the run
    goes on with the others; without it the error is raised. ``known`` are the verdicts of further
    statements of the run that are not established again: they share the error budget, and what
    depends on them inherits from them.

    Args:
        names: as `verify` takes them, and so are batch, seed, level, budget, jobs and experiment.
    """
    asked = _stated(names)
    statements = select(asked) if asked else unasked(select(asked))
    given = _read(batch)
    seed, shared, budget = _settings(seed, LEVEL if level is None else level, budget)
    jobs = whole_number("jobs", jobs, 1)
    if given is not None and statements and not any(map(_reads_batch, statements)):
        raise ValueError(
            f"batch: it has no part in {', '.join(s.name for s in statements[:3])}"
            f"{' …' * (len(statements) > 3)}; leave it out"
        )
    if experiment is not None and not any(map(trains, statements)):
        raise ValueError("experiment: nothing that is asked trains networks; leave it out")
    stated = (*statements, *(statement for statement, _ in known))
    whole = Context(
        seed,
        shared,
        given,
        progress=progress,
        thorough=thorough,
        experiment=experiment,
        declared=declared_levels(stated, level, experiment),
    )
    return _results(statements, whole, budget, refused, known, jobs, checked)


def _results(
    statements: tuple[Statement, ...],
    whole: Context,
    budget: float | None,
    refused: Callable[[Statement, ClaimError], None] | None,
    known: Sequence[tuple[Statement, Verdict]],
    jobs: int,
    checked: Callable[[Statement], None],
) -> Generator[Result]:
    """A result for each statement that makes sense; the budget runs from the first that is asked
    for.
    """
    deadline = None if budget is None else time.monotonic() + budget
    asked = (*statements, *(statement for statement, _ in known))
    sharing = [s for s in asked if s.name not in whole.declared]
    share = replace(whole.share(sum(len(s.checks) for s in sharing)), deadline=deadline)
    verdicts = {statement.name: verdict for statement, verdict in known}
    with closing(gathered(statements, share, jobs, checked)) as findings:
        for statement, finding in findings:
            if isinstance(finding, Refusal):
                told, error = finding.told, finding.error
                if told is None or (refused is None and isinstance(error, ClaimError)):
                    raise error
                if refused is None:
                    raise told from error
                refused(statement, told)
                continue
            result = _result(statement, finding, share, verdicts)
            verdicts[statement.name] = result.verdict
            yield result


def _result(
    statement: Statement,
    found: list[Evidence],
    context: Context,
    verdicts: Mapping[str, Verdict],
) -> Result:
    """What was established of a statement, given the verdicts on those before it."""
    about = [e for e in found if not e.apart]
    if (proved := proof_evidence(statement)) is not None:
        # of a batch where the claim says nothing, that is the verdict, whatever is proved of
        # others;
        # and a proof that refutes is of some input, not of this one
        silent = all(e.verdict in (Verdict.VACUOUS, Verdict.OUTSIDE) for e in about)
        apart = context.batch is not None and (silent or proved.verdict is Verdict.REFUTED)
        found.append(replace(proved, apart=apart))
        about += [] if apart else [proved]
    own = overall(about) if about else Verdict.OUTSIDE
    limits = {
        name: inherited(own, verdicts[name]) for name in statement.depends_on if name in verdicts
    }
    missing = "" if proved is not None else lapsed(statement)
    unread = "the batch has no part in this claim; what is known of it stands apart"
    return Result(
        statement,
        weakest([own, *limits.values()]),
        tuple(found),
        with_batch=context.batch is not None,
        weakened_by=tuple(name for name, limit in limits.items() if limit is not own),
        notes=tuple(note for note in (missing, "" if about else unread) if note),
        level=context.declared.get(statement.name),
    )


def _reads_batch(statement: Statement) -> bool:
    return any(takes_batch(check) for check in statement.checks)


def _stated(names: Asked) -> list[str | Statement]:
    """Names and statements as they are, claims as the statements they make. What is neither is left
    to `select`.
    """
    if isinstance(names, str | Statement | Claim) or not isinstance(names, Iterable):
        names = [names]
    return [name.statement() if isinstance(name, Claim) else name for name in names]


def verify(
    names: Asked = (),
    *,
    batch: object = None,
    seed: int = 0,
    level: float | None = None,
    budget: float | None = None,
    jobs: int = 1,
    thorough: bool = False,
    experiment: Experiment | None = None,
) -> Results:
    """Check statements (families, theorems or full names; by default everything but the families
    that are to be named) and return their results.

    ``names``: names, `Statement` objects and conjectures, one or several:
    ``verify(gap_law)``, ``verify(["FAMILY.THEOREM", gap_law])``. ``batch``: None for the inputs
    each check lays out, or a (d, n) array, samples as columns, or a ``Batch``. ``seed``:
    nonnegative integer; the same call gives the same verdicts. ``level`` in (0, 1): probability
    that the whole run reports any false verdict, split evenly over its checks. Without it that is
    1e-6 for all statements but those whose family declares a level for each, which its results
    tell: the probability of any false verdict is the sum. ``budget``: seconds
    after which sampling stops and what is undecided is reported as such; None for no limit.
    ``jobs``: processes that check theorems side by side, forked from this one; results do not
    depend on it (on systems other than Linux, which fork at a risk, this process does all).
    ``thorough``: sampled means are followed to their full power, at the same error level, where a
    verdict needs fewer replicas. ``experiment``: on which images, where and at which sizes networks
    are trained, for statements that train some. A
    statement inherits the weakest verdict of those it depends on, among the statements of this run.

    Raises ``ValueError``/``TypeError`` at the door, naming the argument; so does a batch that has a
    part in nothing that is asked, and a name that is none.

    Cost: what the checks draw: milliseconds for a claim that is decided exactly, minutes for a
    large family.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> [result.verdict.value for result in verify(STATEMENT, seed=1)]
        ['certified']
        >>> verify(STATEMENT, level=2)
        Traceback (most recent call last):
        simulators.arguments.ArgumentError: level=2: want a probability between 0 and 1, ...
    """
    return Results(
        verify_each(
            names,
            batch=batch,
            seed=seed,
            level=level,
            budget=budget,
            jobs=jobs,
            thorough=thorough,
            experiment=experiment,
        )
    )


def _read(batch: object) -> Batch | None:
    if batch is None or isinstance(batch, Batch):
        return batch
    array = validate_batch(batch)
    return Batch.of(
        array, f"array of {array.shape[1]} samples (columns) of dimension {array.shape[0]}"
    )


def _settings(seed: int, level: float, budget: float | None) -> tuple[int, float, float | None]:
    """The settings of a run as they are used. Raises ``ArgumentError`` for one that cannot be."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ArgumentError(Argument("seed", seed), ": want a nonnegative integer")
    if not isinstance(level, int | float | np.floating) or not SMALLEST_LEVEL <= level < 1:
        wanted = f": want a probability between 0 and 1, {SMALLEST_LEVEL} or more"
        raise ArgumentError(Argument("level", level), wanted)
    real = isinstance(budget, int | float) and not isinstance(budget, bool)
    if budget is not None and not (real and budget > 0 and isfinite(budget)):
        wanted = ": want a positive, finite number of seconds"
        raise ArgumentError(Argument("budget", budget), wanted)
    return int(seed), float(level), budget


def environment(seed: int, level: float, batch: Batch | None) -> dict[str, Any]:
    """What a report must say to be repeated: versions, seed, error budget, batch.

    - ``seed``, ``level``: of the run, as `verify` takes them
    - ``batch``: the user's, told by its description, digest and size; None for none

    Example:
        >>> found = environment(7, 1e-6, None)
        >>> found["seed"], found["error_budget"], found["batch"]
        (7, 1e-06, None)
    """
    packages = (
        "batchnorm-theorems",
        "numpy",
        "scipy",
        "sympy",
        "torch",
        "python-flint",
        "hypothesis",
    )
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "seed": seed,
        "error_budget": level,
        "versions": {p: version(p) for p in packages},
        "batch": None
        if batch is None
        else {
            "description": batch.description,
            "sha256": batch.digest,
            "samples": batch.array.shape[1],
            "dimension": batch.array.shape[0],
        },
    }
