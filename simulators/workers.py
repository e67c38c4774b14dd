"""Threads that share independent work, one core each.

NumPy's generators, ufuncs and products release the interpreter lock, so groups of replicas run side
by side at full speed, as long as the threads of BLAS, which would compete for the same cores, stand
back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from functools import cache
from threading import Event
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

T = TypeVar("T")


def cores() -> int:
    """Cores that this process may use.

    Those the system lets it run on, where it says so; all of the machine elsewhere; and no more
    than `use_cores` was told.

    Example:
        >>> cores() >= 1
        True
    """
    there = _cores_there()
    return there if _most_cores is None else min(there, _most_cores)


def use_cores(most: int | None) -> None:
    """Use so many cores at most in this process, at least 1; None for all there are.

    What is computed does not depend on it.

    Example:
        >>> use_cores(1)
        >>> cores()
        1
        >>> use_cores(None)
    """
    global _most_cores
    _most_cores = most


#: Of this process; None for no limit.
_most_cores: int | None = None


def _cores_there() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_all(jobs: Sequence[Callable[[Event], None]], workers: int) -> None:
    """Run every job, at most ``workers`` at once, each in a thread of its own with one thread for
    BLAS.

    A job is handed an event, and is to return soon once it is set: another has failed, or the
    caller was interrupted. What the first failing job raised is raised here. A single job or worker
    runs in this thread, with the threads of BLAS as they are.

    Example:
        >>> found = []
        >>> run_all([lambda stop, k=k: found.append(k) for k in range(3)], workers=1)
        >>> found
        [0, 1, 2]
    """
    stop = Event()
    if workers == 1 or len(jobs) == 1:
        for job in jobs:
            job(stop)
        return
    # The setting is the whole process's; of callers that overlap, the first keeps and restores it.
    with (
        _blas().limit(limits=1, user_api="blas"),
        ThreadPoolExecutor(workers, thread_name_prefix="replicas") as pool,
    ):
        running = [pool.submit(job, stop) for job in jobs]
        try:
            for each in as_completed(running):
                each.result()
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Products by one thread, so that their last bits do not depend on how many cores there are;
    also a decorator.

    Example:
        >>> import numpy as np
        >>> with one_blas_thread():
        ...     float(np.trace(np.eye(3) @ np.eye(3)))
        3.0
    """
    with _blas().limit(limits=1, user_api="blas"):
        yield


def until(stop: Event, items: Iterable[T]) -> Iterator[T]:
    """``items``, ended early once ``stop`` is set.

    The event is looked at before each item is handed on.

    Example:
        >>> stop = Event()
        >>> for item in until(stop, [1, 2, 3]):
        ...     print(item)
        ...     stop.set()
        1
    """
    for item in items:
        if stop.is_set():
            return
        yield item


@cache
def _blas() -> Any:
    return ThreadpoolController()  # reads the list of loaded libraries: a few milliseconds
