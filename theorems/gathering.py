"""Gathering evidence: every check of each statement, in this process or side by side in several.

A theorem is the unit of work, as its variants share samples; where there are fewer theorems than
processes, a variant is. What a check finds depends on the
statement, the seed, its share of the level and the batch, and on nothing that other theorems leave
behind, so that it is the same in whichever process, beside whatever, in whatever order.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate, chain, groupby
from typing import TypeAlias, cast

from simulators.workers import one_blas_thread
from theorems.context import Context
from theorems.error_words import in_words, line_in
from theorems.evidence import Evidence
from theorems.registry import package_of
from theorems.running_times import expected_seconds
from theorems.statement import Check, ClaimError, Statement
from theorems.worker_processes import Ending, can_fork, portable, side_by_side

__all__ = ["Finding", "Gathered", "Refusal", "gathered", "takes_batch", "trains"]

#: Seconds between two words that a worker sends of what it is doing.
_BETWEEN_WORDS = 0.05


@dataclass(frozen=True)
class Refusal:
    """That a check failed: ``told`` to the author, if it is theirs; ``error`` is what it raised."""

    told: ClaimError | None
    error: BaseException

    def __reduce__(self) -> tuple[type[Refusal], tuple[object, object]]:
        """As it is sent by a worker: whatever was raised, with its traceback."""
        told = None if self.told is None else ClaimError(str(self.told))
        return Refusal, (told, portable(self.error))


#: What came of a statement's checks.
Finding: TypeAlias = list[Evidence] | Refusal
Gathered: TypeAlias = Generator[tuple[Statement, Finding]]


def takes_batch(check: Check) -> bool:
    """Whether a user's batch has a part in a check; one that does not say takes it.

    - ``check``: any of a statement's ``checks``, also of another package

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> takes_batch(STATEMENT.checks[0])  # what it proposes is laid out, and no batch
        False
    """
    return bool(getattr(check, "takes_batch", True))


def trains(statement: Statement) -> bool:
    """Whether a check of a statement trains networks, and so takes an experiment.

    - ``statement``: of any family

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> trains(STATEMENT)
        False
    """
    return any(getattr(check, "trains", False) for check in statement.checks)


def gathered(
    statements: Sequence[Statement],
    context: Context,
    jobs: int,
    checked: Callable[[Statement], None],
) -> Gathered:
    """What the checks of each statement found, in the order of the statements.

    Args:
        statements: those of a theorem one after the other.
        context: of every check, with its share of the level.
        jobs: processes at most; with one, or nothing to share out, the work is done in this one.
        checked: told of each statement when its checks are done, which may be before its turn.

    Where it is interrupted, what was found of later statements is handed out before
    ``KeyboardInterrupt`` is raised.
    """
    theorems = [tuple(group) for _, group in groupby(statements, key=_theorem)]
    if jobs == 1 or len(statements) == 1 or not can_fork():
        return _in_turn(theorems, context, checked)
    variants = [(statement,) for statement in statements]
    return _in_processes(variants if len(theorems) < jobs else theorems, context, jobs, checked)


def _theorem(statement: Statement) -> tuple[str, str]:
    return statement.family, statement.theorem


def _in_turn(
    theorems: Iterable[Sequence[Statement]],
    context: Context,
    checked: Callable[[Statement], None],
) -> Gathered:
    for theorem in theorems:
        context.memory.clear()  # samples are shared between the variants of one theorem only
        for statement in theorem:
            finding = _found(statement, context)
            checked(statement)
            yield statement, finding


def _found(statement: Statement, context: Context) -> Finding:
    try:
        return _evidence(statement, context)
    except Exception as error:
        return Refusal(_told(statement, error), error)


def _evidence(statement: Statement, context: Context) -> list[Evidence]:
    """What every check of a statement says of it."""
    found = []
    context = context.of(statement.name, len(statement.checks))
    for check in statement.checks:
        context.progress(statement.name)
        began = time.perf_counter()
        apart = context.batch is not None and not takes_batch(check)
        with one_blas_thread():
            evidence = check(statement, replace(context, batch=None) if apart else context)
        found.append(
            replace(
                evidence,
                seconds=time.perf_counter() - began,
                beside=(),
                apart=apart or evidence.apart,
            )
        )
        found += [replace(other, apart=True) for other in evidence.beside]
    return found


def _told(statement: Statement, error: Exception) -> ClaimError | None:
    """What is told of a check that failed; None if it is ours."""
    if isinstance(error, ClaimError):
        return error
    author = _author(statement, error)
    return ClaimError(f"a check of {author} fails: {in_words(error)}") if author else None


def _author(statement: Statement, error: Exception) -> str:
    """Whose check failed: a package, or a file that is the statement's own; empty if ours."""
    if package := package_of(statement):
        return f"package {package}"
    module = sys.modules.get(f"theorems.families.{statement.family}.statements.{statement.theorem}")
    if module is None or not module.__file__ or isinstance(error, MemoryError):
        return ""
    line = line_in(module.__file__, error)
    return f"{module.__file__}{f', line {line},' if line else ''}"


# --- side by side ---------------------------------------------------------------------------------

#: What a worker sends: what it is doing; or, of the statement of that place in its theorem, what
#: was found, None where that cannot be sent.
_Message: TypeAlias = str | tuple[int, Finding | None]


def _in_processes(
    theorems: Sequence[Sequence[Statement]],
    context: Context,
    jobs: int,
    checked: Callable[[Statement], None],
) -> Gathered:
    found: dict[int, Finding] = {}  # of statements whose turn has not come, by their number
    statements = list(chain.from_iterable(theorems))
    firsts = list(accumulate(map(len, theorems), initial=0))
    costs = [sum(map(expected_seconds, theorem)) for theorem in theorems]
    broken = len(theorems)  # the first theorem with a defect, behind which nothing is begun
    turn = 0

    def choose(seat: int, waiting: Sequence[int]) -> int | None:
        """One worker goes in order, so that verdicts come from the start on; the others take what
        takes longest, so that all end together.
        """
        open_ = [number for number in waiting if number < broken]
        if not open_ or seat == 0:
            return next(iter(open_), None)
        return max(open_, key=lambda number: costs[number])

    def due() -> Iterator[int]:
        nonlocal turn
        while turn in found:
            turn += 1
            yield turn - 1

    tasks = [partial(_task, theorem, context) for theorem in theorems]
    with closing(side_by_side(tasks, jobs, choose)) as messages:
        try:
            for number, message in messages:
                place = firsts[number] + sum(
                    each in found for each in range(firsts[number], firsts[number + 1])
                )
                if isinstance(message, str):
                    context.progress(message)
                    continue
                if message is Ending.DONE:
                    continue
                if isinstance(message, BaseException):  # of what no check may raise, and no defect
                    finding: Finding | None = Refusal(None, message)
                else:
                    at, finding = cast("tuple[int, Finding | None]", message)
                    place = firsts[number] + at
                if finding is None:
                    finding = _found(statements[place], context)
                if isinstance(finding, Refusal) and finding.told is None:
                    broken = min(broken, number)
                found[place] = finding
                checked(statements[place])
                for ready in due():
                    yield statements[ready], found[ready]
        except KeyboardInterrupt:
            messages.close()
            yield from _rest(statements, found, turn)
            raise


def _rest(statements: Sequence[Statement], found: Mapping[int, Finding], turn: int) -> Gathered:
    """What was found of statements whose turn had not come when the run was interrupted.

    Left out are those that depend on one that was not reached: their verdict would be too strong.
    """
    unknown = {s.name for number, s in enumerate(statements) if number not in found}
    for number, statement in enumerate(statements[turn:], start=turn):
        if number in found and not isinstance(found[number], Refusal):
            if unknown.isdisjoint(statement.depends_on):
                yield statement, found[number]
            else:
                unknown.add(statement.name)


def _task(theorem: Sequence[Statement], context: Context, send: Callable[[object], None]) -> None:
    """In a worker: send what is being done, and what was found of each statement."""
    last = 0.0

    def progress(words: str) -> None:
        nonlocal last
        if (now := time.monotonic()) - last > _BETWEEN_WORDS:
            last = now
            send(words)

    context.memory.clear()
    here = replace(context, progress=progress)
    for place, statement in enumerate(theorem):
        finding = _found(statement, here)
        try:
            send((place, finding))
        except OSError:
            raise
        except Exception:  # whatever the pickling of another package's evidence raises
            send((place, None))
