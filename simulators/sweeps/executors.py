"""Who does the runs of a sweep: spawned local processes, a Dask cluster, or an executor of the
caller's.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from multiprocessing.connection import Connection
from typing import Protocol, runtime_checkable

from threadpoolctl import threadpool_limits

from simulators.arguments import require, whole_number
from simulators.own_words import bring
from simulators.workers import cores, use_cores

__all__ = [
    "ClusterError",
    "Done",
    "Run",
    "Telling",
    "Workers",
    "dask_cluster",
    "local_processes",
    "perform",
]

_ADDRESS = re.compile(r"(?:(?:tcp|tls|ws|wss)://)?(?:\[[0-9a-fA-F:.]+\]|[\w.-]+):\d{1,5}", re.ASCII)


class ClusterError(ValueError):
    """A cluster that cannot be used. The message is one line: the address, what is wrong, the
    remedy.

    Example:
        >>> str(ClusterError("dask 'tcp://host:8786': the scheduler has no workers"))
        "dask 'tcp://host:8786': the scheduler has no workers"
    """


class _Bytes(Protocol):
    """What a run gives: something that is stored as bytes."""

    def to_bytes(self) -> bytes: ...


class Run(Protocol):
    """What a sweep hands to a worker, pickled: a `simulators.sweeps.grid.SweepRun`, or another.

    ``key`` is the sha256 of all that the result depends on, ``parameters`` that as a JSON value;
    ``str`` names it in messages.

    Example:
        >>> from simulators.sweeps.grid import Grid
        >>> run: Run
        >>> (run,) = Grid.of({"chain": "rescale", "width": 8, "batch": 3, "depth": 4}).runs().values()
        >>> len(run.key)
        64
    """

    @property
    def key(self) -> str: ...

    def parameters(self) -> dict[str, object]: ...

    def perform(self) -> _Bytes: ...


@runtime_checkable
class Telling(Protocol):
    """A run that can say in a few words what came of it, given the bytes.

    Example:
        >>> class Counted:
        ...     def told(self, data: bytes) -> str:
        ...         return f"{len(data)} bytes"
        >>> isinstance(Counted(), Telling)
        True
    """

    def told(self, data: bytes) -> str: ...


@dataclass(frozen=True)
class Done:
    """A finished run as its worker hands it back: the key by the worker's own reckoning, the
    result, seconds.

    Example:
        >>> Done("key", b"", 0.1).seconds
        0.1
    """

    key: str
    data: bytes
    seconds: float


def perform(run: Run, threads: int | None, modules: Sequence[str] = ()) -> Done:
    """Do a run, in whatever process this is; with at most so many BLAS threads, for good, unless
    None.

    ``modules`` bring the words of their own that runs may use: see `simulators.own_words.bring`,
    whose error is raised where one cannot be had.

    Args:
        run: what is simulated, or trained.
        threads: of BLAS, at least 1; None leaves them as they are.
        modules: names or paths of modules.

    Example:
        >>> from simulators.sweeps.grid import Grid
        >>> fields = {"chain": "rescale", "width": 8, "batch": 3, "depth": 4}
        >>> [(key, run)] = Grid.of(fields).runs().items()
        >>> perform(run, None).key == key
        True
    """
    if threads is not None:
        _limit_threads(threads)
    for module in modules:
        bring(module)
    with _computing:
        began = time.perf_counter()
        data = run.perform().to_bytes()
        return Done(run.key, data, time.perf_counter() - began)


@cache
def _limit_threads(threads: int) -> None:
    threadpool_limits(limits=threads)


class _Computing:
    """Whether this process is in the middle of runs; it may end there, and not while it hands a
    result back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs = 0
        self._ending = False

    def __enter__(self) -> None:
        with self._lock:
            if self._ending:
                os._exit(1)
            self._runs += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._runs -= 1

    def end(self, parent: int) -> None:
        """End this process: in the middle of a run at once, else before the next one, or once its
        parent is gone.

        A result cut off half-way would leave the parent waiting for the rest, for ever.
        """
        with self._lock:
            self._ending = True
            if self._runs:
                os._exit(1)
        while os.getppid() == parent:
            time.sleep(0.05)
        os._exit(1)


#: Of this process.
_computing = _Computing()


@dataclass
class Workers:
    """An executor, for how many runs at once, with how many threads each, and a new one when it
    breaks.

    ``count`` ≥ 1 runs at once; ``words`` name them in messages; ``deaths`` are what a run
    raises whose worker died; ``remake`` makes a new executor, where that is ours to do.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> with ThreadPoolExecutor(1) as pool:
        ...     Workers.given(pool).replace()
        False
    """

    executor: Executor
    count: int
    words: str
    threads: int | None = field(default=None, kw_only=True)
    deaths: tuple[type[Exception], ...] = field(default=(BrokenExecutor,), kw_only=True)
    remake: Callable[[], Executor] | None = field(default=None, kw_only=True)

    @classmethod
    def given(cls, executor: Executor) -> Workers:
        """The caller's own executor, of an unknown number of workers.

        It is used as it is, and never replaced.

        Args:
            executor: of `concurrent.futures`, running.
        """
        return cls(executor, os.cpu_count() or 1, type(executor).__name__)

    def submit(self, function: Callable[[Run, int | None], Done], run: Run) -> Future[Done]:
        """Have ``function`` do a run. Raises `BrokenExecutor` if the executor is broken.

        Returns a future of what ``function(run, threads)`` returns, such as `perform`.

        Args:
            function: does a run; it must be picklable where workers are processes.
            run: what is done.
        """
        with _interrupts_held_back() if self.remake is not None else contextlib.nullcontext():
            return self.executor.submit(function, run, self.threads)

    def replace(self) -> bool:
        """Put a new executor in the place of a broken one; False if that is not ours to do.

        What the old one was doing is lost.
        """
        if self.remake is None:
            return False
        self.executor = self.remake()
        return True


@contextlib.contextmanager
def local_processes(count: int | None = None, *, threads: int = 1) -> Iterator[Workers]:
    """``count`` spawned processes, one per core by default, each with so many BLAS threads, and
    with as many cores for `simulate` as fall to each.

    They ignore Ctrl-C, which is the parent's to handle, and end with the parent, however it ends.
    Raises `ValueError` for a count or threads below 1.

    Args:
        count: processes, at least 1.
        threads: of BLAS in each, at least 1.

    Example:
        >>> with local_processes(2) as workers:
        ...     workers.count, workers.words
        (2, '2 local processes')
    """
    count = cores() if count is None else whole_number("workers", count, 1)
    whole_number("threads", threads, 1)
    context = multiprocessing.get_context("spawn")
    lifeline, held = context.Pipe(duplex=False)
    made: list[Executor] = []

    def make() -> Executor:
        for old in made:
            old.shutdown(wait=False)
        made[:] = [
            ProcessPoolExecutor(
                count,
                mp_context=context,
                initializer=_enter,
                initargs=(lifeline, os.getpid(), max(1, cores() // count)),
            )
        ]
        return made[0]

    try:
        yield Workers(
            make(),
            count,
            f"{count} local process{'' if count == 1 else 'es'}",
            threads=threads,
            remake=make,
        )
    finally:
        held.close()  # the workers see it and end, even in the middle of a run
        lifeline.close()
        made[0].shutdown(wait=False, cancel_futures=True)


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """A process started inside never sees Ctrl-C, not even before its first line; here it comes
    through afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # The mask is what the process inherits. Python's own handler runs here whichever thread takes
    # the signal, so that it would interrupt a start half-way: it is put off as well.
    held: list[int] = []
    ours = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, lambda number, _: held.append(number)) if ours else None
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.SIG_DFL if handler is None else handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if held:
            signal.raise_signal(signal.SIGINT)


def _enter(lifeline: Connection, parent: int, share: int) -> None:
    use_cores(share)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(lifeline, parent), daemon=True).start()


def _end_with_parent(lifeline: Connection, parent: int) -> None:
    """The parent alone holds the other end; the system closes it when the parent is killed.

    That may be over before a worker has begun, whose parent is another process then.
    """
    with contextlib.suppress(OSError):
        lifeline.poll(None)
    _computing.end(parent)


@contextlib.contextmanager
def dask_cluster(address: str, *, timeout: float = 10.0) -> Iterator[Workers]:
    """The workers of the Dask scheduler at ``address``, such as ``"tcp://host:8786"``.

    They need this package, in the same version. Dask itself replaces workers that die and tries
    their runs again, as often as its ``allowed-failures`` says, before it tells us.

    Raises `ClusterError` when ``dask.distributed`` is not installed, when nobody answers within
    ``timeout`` seconds and when the scheduler has no workers.

    ``timeout`` is in seconds. A context manager, whose `Workers` are the threads of the
    cluster.

    Example:
        >>> with dask_cluster("tcp://host:8786"):  # doctest: +SKIP
        ...     ...
    """
    try:
        from distributed import Client, KilledWorker
    except ImportError:
        raise ClusterError(
            "dask needs dask.distributed; install it with: pip install 'batchnorm-theorems[dask]'"
        ) from None
    # of an empty one Dask makes a local cluster
    if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
        raise ClusterError(
            f"dask {address!r}: not an address; give the scheduler's, such as tcp://host:8786"
        )
    try:
        client = Client(address, timeout=timeout, set_as_default=False)
    except (OSError, ValueError, TypeError, TimeoutError) as error:
        raise ClusterError(
            f"dask {address!r}: no scheduler answers there ({' '.join(str(error).split())})"
        ) from None
    with client:
        threads = sum(client.nthreads().values())
        require(
            threads,
            f"dask {address!r}: the scheduler has no workers; start some: dask worker {address}",
            ClusterError,
        )
        executor = client.get_executor(pure=False)
        try:
            yield Workers(
                executor,
                threads,
                f"dask {address} ({threads} threads)",
                threads=1,
                deaths=(BrokenExecutor, KilledWorker),
            )
        finally:
            executor.shutdown(wait=False)  # cancels what is not done
