"""Tasks side by side in processes forked from this one, and what they send while they run.

A forked process has all that this one has, also what no file holds: functions made on the way,
claims and words of the user's, what is imported. Where a system cannot fork safely, which is
everywhere but on Linux, `can_fork` says so and the caller does the tasks itself.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from types import FrameType
from typing import Any, NoReturn, TypeAlias

from simulators.workers import use_cores
from theorems.error_words import in_words

__all__ = ["Ending", "Task", "WorkerDiedError", "can_fork", "portable", "side_by_side"]

#: What is to be done; it is given a function that sends what can be pickled to the parent.
Task: TypeAlias = Callable[[Callable[[object], None]], None]

#: Seconds that a worker which is told to end may take to leave things in order.
_GRACE = 0.5


class Ending(Enum):
    """The last that is heard of a task: it returned."""

    DONE = "done"


class WorkerDiedError(RuntimeError):
    """A worker process ended in the middle of a task, by a signal or out of memory.

    Example:
        >>> str(WorkerDiedError.of(-9))
        'a worker process was ended by signal 9 (SIGKILL), as for want of memory'
    """

    @classmethod
    def of(cls, code: int | None) -> WorkerDiedError:
        """The error that tells of an exit code.

        Args:
            code: as `multiprocessing` gives it: a status, minus the number of a signal, or None.

        Returns:
            An error that names the status or the signal.
        """
        if code is None or code >= 0:
            return cls(f"a worker process ended with status {code}")
        name = signal.Signals(-code).name
        why = ", as for want of memory" if name == "SIGKILL" else ""
        return cls(f"a worker process was ended by signal {-code} ({name}){why}")


def can_fork() -> bool:
    """Whether processes can be forked here without harm to libraries that have threads of their
    own.

    On Linux alone: Windows has no fork, and system libraries of macOS do not survive one.
    """
    return sys.platform == "linux"


@dataclass
class _Worker:
    process: ForkProcess
    connection: Connection
    seat: int
    task: int | None = None


def side_by_side(
    tasks: Sequence[Task], jobs: int, choose: Callable[[int, Sequence[int]], int | None]
) -> Generator[tuple[int, object]]:
    """Do the tasks, up to ``jobs`` at once, and yield what each sends, with its number, as it
    comes.

    The last of a task is ``Ending.DONE``, what it raised, or a `WorkerDiedError`. Closing the
    iterator, or whatever is raised in it, ends the workers at once.

    Args:
        tasks: what is to be done; what they raise is sent as it is, so it must be picklable.
        jobs: processes at once, at least 1.
        choose: the next task of a worker, by its seat (from 0 to jobs - 1) and the numbers of
            those that nobody has begun, in order; None for no more.

    Example:
        >>> squares = [lambda send, k=k: send(k * k) for k in range(3)]
        >>> sorted(side_by_side(squares[:2], 2, lambda seat, waiting: waiting[0]), key=str)
        [(0, 0), (0, <Ending.DONE: 'done'>), (1, 1), (1, <Ending.DONE: 'done'>)]
    """
    waiting = list(range(len(tasks)))
    workers: dict[Connection, _Worker] = {}

    def occupied(seat: int, worker: _Worker | None) -> bool:
        """Whether there was a task for this seat, which a worker has now."""
        number = choose(seat, waiting) if waiting else None
        if number is None:
            return False
        waiting.remove(number)
        if worker is None:
            worker = _forked(tasks, seat, list(workers))
            workers[worker.connection] = worker
        worker.task = number
        with contextlib.suppress(OSError):  # one that died meanwhile is told of below
            worker.connection.send(number)
        return True

    try:
        for seat in range(min(jobs, len(tasks))):
            occupied(seat, None)
        while workers:
            for connection in wait(list(workers)):
                if not isinstance(connection, Connection):
                    continue
                worker = workers[connection]
                number = worker.task
                try:
                    message = connection.recv()
                except (EOFError, OSError):
                    del workers[connection]
                    worker.process.join()
                    if number is not None:
                        yield number, WorkerDiedError.of(worker.process.exitcode)
                    occupied(worker.seat, None)
                    continue
                if number is not None:
                    yield number, message
                if message is Ending.DONE or isinstance(message, BaseException):
                    worker.task = None
                    if not occupied(worker.seat, worker):
                        del workers[connection]
                        connection.close()  # it ends by itself
                        worker.process.join()
    finally:
        _end(workers.values())


def _end(workers: Any) -> None:
    """End workers that may be in the middle of something."""
    left = list(workers)
    for worker in left:
        worker.process.terminate()
    deadline = time.monotonic() + _GRACE
    for worker in left:
        worker.process.join(max(deadline - time.monotonic(), 0.0))
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        worker.connection.close()


def _forked(tasks: Sequence[Task], seat: int, others: Sequence[Connection]) -> _Worker:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_work, args=(tasks, theirs, (ours, *others), os.getpid()), daemon=True
    )
    with warnings.catch_warnings():
        # of threads in this process, whose locks a child might find taken: it uses none of theirs
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    theirs.close()
    return _Worker(process, ours, seat)


# --- in the worker --------------------------------------------------------------------------------


def _work(
    tasks: Sequence[Task], connection: Connection, inherited: Sequence[Connection], parent: int
) -> None:
    """Do the tasks whose numbers come, until no more do, or there is no parent any more."""
    with contextlib.suppress(_EndedError, EOFError, OSError):
        _settle()
        for other in inherited:
            other.close()  # held by the parent alone, so that its end is noticed
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
        while True:
            number = connection.recv()
            try:
                tasks[number](connection.send)
            except _EndedError:
                raise
            except BaseException as error:
                connection.send(portable(error))
            else:
                connection.send(Ending.DONE)


def portable(error: BaseException) -> object:
    """What is sent for an error: it comes out as the error, caused by the text of its traceback.

    One that cannot be pickled comes out as a `RuntimeError` in the same words.

    Example:
        >>> import pickle
        >>> pickle.loads(pickle.dumps(portable(ValueError("no"))))
        ValueError('no')
    """
    trace = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return _Traced(RuntimeError(in_words(error)), trace)
    return _Traced(error, trace)


class TracebackError(Exception):
    """The cause of an error of a worker: its traceback there, as text."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


@dataclass(frozen=True)
class _Traced:
    """An error which is another's after the way through a pipe."""

    error: BaseException
    trace: str

    def __reduce__(self) -> tuple[Callable[..., BaseException], tuple[BaseException, str]]:
        return _caused, (self.error, self.trace)


def _caused(error: BaseException, trace: str) -> BaseException:
    error.__cause__ = TracebackError(trace)
    return error


class _EndedError(BaseException):
    """The parent wants this process to end."""


def _ended(number: int, frame: FrameType | None) -> NoReturn:
    raise _EndedError


def _settle() -> None:
    """Signals, streams and threads of a forked process."""
    signal.signal(signal.SIGTERM, _ended)
    for name in ("SIGINT", "SIGHUP"):  # the parent's to handle, who gets them too
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    # the streams of the parent may be in use by a thread of its that is none here
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        with contextlib.suppress(OSError):
            stream = open(  # noqa: SIM115
                descriptor, "w", encoding="utf-8", errors="backslashreplace", closefd=False
            )
            setattr(sys, name, stream)
    use_cores(1)
    os.environ["OMP_NUM_THREADS"] = "1"  # of what is imported from now on
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)  # its pool of threads does not outlive a fork


def _end_with(parent: int) -> None:
    """End this process with its parent, also one that is killed."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
