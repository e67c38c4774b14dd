"""Work shared over threads: all of it done, failures passed on, BLAS left as it was."""

import threading

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from simulators.workers import cores, run_all, until


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_every_job_runs_once_in_threads_with_one_for_blas():
    seen, lock = [], threading.Lock()

    def job(number):
        def run(stop):
            with lock:
                seen.append((number, threading.current_thread().name, blas_threads()))

        return run

    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        run_all([job(number) for number in range(20)], workers=3)
        assert blas_threads() == before
    assert sorted(number for number, _, _ in seen) == list(range(20))
    assert all(name.startswith("replicas") for _, name, _ in seen)
    assert all(set(threads) == {1} for _, _, threads in seen)


@pytest.mark.parametrize(("jobs", "workers"), [(1, 4), (5, 1)])
def test_a_single_job_or_worker_stays_in_this_thread(jobs, workers):
    names = []
    run_all([lambda stop: names.append(threading.current_thread())] * jobs, workers)
    assert names == [threading.current_thread()] * jobs


def test_overlapping_runs_leave_blas_as_it_was():
    entered, leave = threading.Event(), threading.Event()

    def wait(stop):
        entered.set()
        assert leave.wait(10)

    before = blas_threads()
    other = threading.Thread(target=run_all, args=([wait, wait], 2))
    other.start()
    assert entered.wait(10)
    run_all([lambda stop: None] * 2, 2)
    assert set(blas_threads()) == {1}  # the other is still inside
    leave.set()
    other.join(10)
    assert blas_threads() == before


def test_a_failure_is_raised_and_stops_the_others():
    stopped = threading.Event()

    def endless(stop):
        for _ in until(stop, iter(int, 1)):
            pass
        stopped.set()

    def failing(stop):
        raise ArithmeticError("no")

    with pytest.raises(ArithmeticError, match="no"):
        run_all([endless, failing, endless], 2)
    assert stopped.is_set()


def test_until_ends_early_only_when_told():
    stop = threading.Event()
    assert list(until(stop, range(5))) == [0, 1, 2, 3, 4]
    stop.set()
    assert list(until(stop, range(5))) == []


def test_there_is_a_core():
    assert cores() >= 1
