"""`sweep`: many runs over any executor, into a store that keeps what is finished and is asked what
is missing.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

from simulators.arguments import real_number, require
from simulators.own_words import brought
from simulators.sweeps.executors import Done, Run, Telling, Workers, local_processes, perform
from simulators.sweeps.grid import Grid, canonical
from simulators.sweeps.running_times import rough_seconds
from simulators.sweeps.store import Row, Store

__all__ = ["Outcome", "SweepError", "Tally", "sweep"]

LEASE = 15.0
"""Seconds after which the claims of a process that died are free again."""

ATTEMPTS = 3
"""A run whose worker died so often is given up; the last time no other run is under way, which
might be the cause.
"""

FRUITLESS = 10
"""Pools that may break one after another before any run finishes."""

_INTERVAL = 0.1  # seconds between reports of progress
# Seconds of work kept waiting beside the workers, so that they never wait for a commit.
_BUFFER = 0.5


class SweepError(RuntimeError):
    """A sweep that cannot go on; everything finished is in the store. The message is one line.

    Example:
        >>> str(SweepError("2 local processes: lost"))
        '2 local processes: lost'
    """


@dataclass(frozen=True)
class Tally:
    """Where a sweep stands: ``total`` runs, of which ``found`` in the store at the start,
    ``computed`` here, ``elsewhere`` by another process meanwhile, ``failed``. ``remaining``
    estimates seconds, None at first where no pace is known; ``last`` is what came of the run that
    finished last, where its kind says so.

    ``elapsed`` is in seconds.

    Example:
        >>> Tally(10, 4, 3, 1, 1, elapsed=2.0, remaining=None).settled
        9
    """

    total: int
    found: int
    computed: int
    elsewhere: int
    failed: int
    elapsed: float
    remaining: float | None
    last: str = ""

    @property
    def settled(self) -> int:
        """Runs that need nothing more.

        ``total`` when the sweep is over.
        """
        return self.found + self.computed + self.elsewhere + self.failed


@dataclass(frozen=True)
class Outcome:
    """How a sweep ended. ``failures`` says in one line why a run has no result; a second start
    tries again.

    Example:
        >>> Outcome(3, 1, 2, 0, failures={}, seconds=0.5).computed
        2
    """

    total: int
    found: int
    computed: int
    elsewhere: int
    failures: Mapping[str, str]
    seconds: float


def sweep(
    runs: Grid | Iterable[Run],
    store: Store,
    *,
    workers: AbstractContextManager[Workers] | Executor | None = None,
    lease: float = LEASE,
    progress: Callable[[Tally], None] | None = None,
    pace: float | None = None,
) -> Outcome:
    """Compute the runs that ``store`` lacks, and store each as it finishes, longest first.

    - ``workers``: `local_processes` (the default, one per core) or `dask_cluster`; or any
      `concurrent.futures` executor, which is used as it is, not shut down, and not replaced when it
      breaks
    - ``lease``: seconds; another process may take over a run whose owner has not renewed its claim
      for so long
    - ``progress``: called with a `Tally` at least every second
    - ``pace``: where known, the seconds that a worker takes for what
      `simulators.sweeps.running_times.rough_seconds` calls one; the time left is told by it until
      the first run is done

    Any number of processes may share a store: each run is claimed by one, and a result is stored
    once. A worker that dies is replaced and its run tried again, `ATTEMPTS` times. Ctrl-C raises
    `KeyboardInterrupt` after storing what is finished. In a script, call it under
    ``if __name__ == "__main__":``, as processes are spawned.

    Raises `SweepError` when workers cannot be had or a cluster is lost, `StoreError` when the store
    cannot be written, for a full disk say; both leave in the store all that was put there.
    `TypeError` or `ValueError` for a ``lease`` that is no positive number.

    Words of modules that `simulators.own_words.bring` has run are known to the workers too.

    Args:
        runs: a grid, or runs one by one; those that are in the store are not computed.
        store: where results go.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> from tempfile import TemporaryDirectory
        >>> fields = {"chain": "rescale", "width": 8, "batch": 3, "depth": 4, "seeds": "0..9"}
        >>> grid = Grid.of(fields)
        >>> with TemporaryDirectory() as folder, ThreadPoolExecutor(1) as pool:
        ...     with Store(f"{folder}/runs.db") as store:
        ...         sweep(grid, store, workers=pool).computed
        10
    """
    lease = real_number("lease", lease, "seconds, more than 0")
    require(lease > 0, f"lease={lease!r} is not positive; give seconds")
    wanted: Mapping[str, Run]
    wanted = runs.runs() if isinstance(runs, Grid) else {run.key: run for run in runs}
    if workers is None:
        workers = local_processes()
    with (
        workers
        if not isinstance(workers, Executor)
        else contextlib.nullcontext(Workers.given(workers)) as crew
    ):
        return _Sweep(wanted, store, crew, lease, progress, pace).run()


class _Sweep:
    def __init__(
        self,
        runs: Mapping[str, Run],
        store: Store,
        crew: Workers,
        lease: float,
        progress: Callable[[Tally], None] | None,
        pace: float | None,
    ) -> None:
        self._runs, self._store, self._crew, self._lease = runs, store, crew, lease
        self._progress, self._pace = progress, pace
        self._perform = partial(perform, modules=brought()) if brought() else perform
        self._owner = uuid.uuid4().hex
        self._work = {key: rough_seconds(run) for key, run in runs.items()}
        there = store.finished()
        self._waiting = deque(
            sorted((key for key in runs if key not in there), key=lambda key: -self._work[key])
        )
        self._found = len(runs) - len(self._waiting)
        self._alone: deque[str] = deque()  # runs that may kill their worker
        self._solo: str | None = None  # the last one started alone
        self._busy: list[str] = []  # claimed by another process
        self._running: dict[Future[Done], str] = {}
        self._unsaved: list[Row] = []
        self._deaths: Counter[str] = Counter()
        self._failures: dict[str, str] = {}
        self._computed = self._elsewhere = self._fruitless = 0
        self._seconds = 0.0
        self._done_work = 0.0
        self._left = sum(self._work[key] for key in self._waiting)
        self._began = self._renewed = time.monotonic()
        self._reported = 0.0
        self._last = ""

    def run(self) -> Outcome:
        if self._pace is not None:
            self._report()
        try:
            while self._waiting or self._alone or self._running or self._busy:
                self._submit()
                self._collect(min(1.0, self._lease / 4))
                self._renew()
                if time.monotonic() - self._reported > _INTERVAL:
                    self._report()
        finally:
            self._leave()
        self._report()
        return Outcome(
            len(self._runs),
            self._found,
            self._computed,
            self._elsewhere,
            dict(self._failures),
            time.monotonic() - self._began,
        )

    def _submit(self) -> None:
        """Hand claimed runs to the workers, up to the window; a suspect only when nothing else
        runs.
        """
        if self._solo in self._running.values():
            return
        if self._alone:
            if not self._running:
                self._solo = self._alone.popleft()
                self._start(self._solo)
            return
        if not self._waiting and self._busy:
            self._waiting, self._busy = deque(self._busy), []
        while self._waiting and (room := self._window() - len(self._running)) > 0:
            asked = [self._waiting.popleft() for _ in range(min(room, len(self._waiting)))]
            claims = self._store.claim(asked, self._owner, self._lease)
            self._elsewhere += len(claims.finished)
            self._left -= sum(self._work[key] for key in claims.finished)
            self._busy += claims.busy
            for number, key in enumerate(claims.ours):
                if not self._start(key):
                    self._waiting.extendleft(reversed(claims.ours[number:]))
                    return

    def _window(self) -> int:
        """Runs under way at once: two for each worker, more while runs are shorter than the
        buffer.
        """
        average = self._seconds / self._computed if self._computed else _BUFFER
        return self._crew.count * (1 + min(64, max(1, round(_BUFFER / max(average, 1e-4)))))

    def _start(self, key: str) -> bool:
        """Submit a run; False if the pool turned out to be broken, and the run is still to do."""
        try:
            self._running[self._crew.submit(self._perform, self._runs[key])] = key
        except BrokenExecutor as error:
            # with what it was doing, so that its death is not taken for a second one when that
            # comes back
            self._suspect(self._drain())
            self._replace_pool(error)
            if key != self._solo:
                return False
            self._alone.append(key)
        return True

    def _collect(self, patience: float) -> None:
        """Wait for something to finish, and store all that has."""
        if not self._running:
            if self._busy and not self._waiting:
                time.sleep(min(patience, 0.2))  # for the other process
            return
        done, _ = wait(self._running, timeout=patience, return_when=FIRST_COMPLETED)
        suspects: list[str] = []
        broken: BrokenExecutor | None = None
        for future in done:
            key = self._running[future]
            try:
                self._finish(key, future.result())
            except self._crew.deaths as error:
                suspects.append(key)
                broken = error if isinstance(error, BrokenExecutor) else broken
            except CancelledError:
                raise SweepError(
                    f"{self._crew.words}: lost; what was finished is stored, so start again"
                ) from None
            except Exception as error:
                self._fail(
                    key, f"{type(error).__name__}: {' '.join(str(error).split()) or 'no message'}"
                )
            del self._running[future]
        self._save()
        if broken is not None:
            suspects += self._drain()
        self._suspect(suspects)
        if broken is not None:
            self._replace_pool(broken)

    def _drain(self) -> list[str]:
        """Take what a broken pool still holds: results that came in time are kept, the other keys
        returned.
        """
        wait(self._running)
        lost = []
        for future, key in self._running.items():
            try:
                self._finish(key, future.result())
            except Exception:
                lost.append(key)
        self._running.clear()
        self._save()
        return lost

    def _suspect(self, keys: Sequence[str]) -> None:
        """Try again those under way when a worker died: together first, then one at a time, then no
        more.
        """
        for key in keys:
            self._deaths[key] += 1
            if self._deaths[key] >= ATTEMPTS:
                self._fail(
                    key,
                    "its worker died whenever it was tried, the last time alone: out of memory, "
                    "or killed",
                )
            elif self._deaths[key] == ATTEMPTS - 1:
                self._alone.append(key)
            else:
                self._waiting.appendleft(key)

    def _replace_pool(self, error: BrokenExecutor) -> None:
        self._fruitless += 1
        require(
            self._fruitless < FRUITLESS,
            f"{self._crew.words}: broke {FRUITLESS} times before a run finished; are workers "
            "out of "
            'memory, or is sweep called outside `if __name__ == "__main__":`?',
            SweepError,
        )
        require(
            self._crew.replace(),
            f"the executor broke and is not ours to replace: {error}; what was finished is stored",
            SweepError,
        )

    def _finish(self, key: str, done: Done) -> None:
        if done.key != key:
            self._fail(
                key,
                "its worker runs another version of this package, or of Torch; install the same "
                "ones there",
            )
            return
        run = self._runs[key]
        parameters = canonical(run.parameters())
        self._last = run.told(done.data) if isinstance(run, Telling) else ""
        self._unsaved.append(Row(key, parameters, done.data, done.seconds))
        self._seconds += done.seconds
        self._done_work += self._work[key]
        self._left -= self._work[key]
        self._fruitless = 0

    def _save(self) -> None:
        if self._unsaved:
            new = self._store.put(self._unsaved)
            self._computed += new
            self._elsewhere += len(self._unsaved) - new
            self._unsaved = []

    def _fail(self, key: str, why: str) -> None:
        self._failures[key] = f"{self._runs[key]}: {why}"
        self._left -= self._work[key]
        self._store.release(self._owner, (key,))

    def _renew(self) -> None:
        if time.monotonic() - self._renewed > self._lease / 3:
            self._renewed = time.monotonic()
            self._store.renew(self._owner, self._lease)

    def _report(self) -> None:
        if self._progress is None:
            return
        self._reported = time.monotonic()
        elapsed = self._reported - self._began
        remaining = self._remaining(elapsed)
        self._progress(
            Tally(
                len(self._runs),
                self._found,
                self._computed,
                self._elsewhere,
                len(self._failures),
                elapsed,
                remaining,
                self._last,
            )
        )

    def _remaining(self, elapsed: float) -> float | None:
        """Seconds that are left, by what is done, or else by the pace that was given, as long as
        that does not say less than nothing.
        """
        left = max(self._left, 0.0)
        if self._done_work:
            return elapsed * left / self._done_work
        if self._pace is None or not left:
            return None
        expected = self._pace * left / self._crew.count - elapsed
        return expected if expected > 0 else None

    def _leave(self) -> None:
        """Also when interrupted: store what has finished, and let others have the rest."""
        # What brought us here, a full disk say, is what matters; each step is worth trying whatever
        # became of the last.
        with contextlib.suppress(Exception):
            for future, key in self._running.items():
                if future.done() and not future.cancelled() and future.exception() is None:
                    self._finish(key, future.result())
            self._save()
        with contextlib.suppress(Exception):
            self._store.release(self._owner)
