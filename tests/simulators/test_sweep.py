"""Sweeps: every run once, whatever becomes of the workers."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from contextlib import closing, nullcontext
from pathlib import Path

import numpy as np
import pytest
from sweep_samples import Deadly, Failing, Large, Slow, as_, grid

from simulators.sweeps.dispatch import Outcome, SweepError, Tally, sweep
from simulators.sweeps.executors import Done, Workers, local_processes, perform
from simulators.sweeps.running_times import rough_seconds
from simulators.sweeps.store import Store, StoreError
from simulators.trajectory import Trajectory


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "results.db") as opened:
        yield opened


@pytest.fixture(scope="module")
def threads():
    with ThreadPoolExecutor(2) as executor:
        yield executor


def claims(store: Store) -> int:
    with closing(sqlite3.connect(store.path)) as other:
        return other.execute("SELECT count(*) FROM claims").fetchone()[0]


@pytest.mark.parametrize("count", [1, 3])
def test_local_processes_compute_what_a_direct_call_does(store, count):
    wanted = grid(chain=["rescale", "vanilla(tanh)"], seeds="0..3", replicas=2).runs()
    outcome = sweep(wanted.values(), store, workers=local_processes(count))
    assert (outcome.total, outcome.found, outcome.computed, outcome.failures) == (8, 0, 8, {})
    for row in store.rows():
        expected, found = wanted[row.key].perform(), Trajectory.from_bytes(row.data)
        assert np.array_equal(found["orthogonality_gap"], expected["orthogonality_gap"])
        assert (found.seed, found.engine, found.dtype) == (expected.seed, "factor", "float64")
        assert found.versions["numpy"] == np.__version__
    assert claims(store) == 0


def test_a_second_start_does_only_what_is_missing(store, threads):
    assert sweep(grid(seeds="0..3"), store, workers=threads).computed == 4
    outcome = sweep(grid(seeds="0..9"), store, workers=threads)
    assert (outcome.found, outcome.computed) == (4, 6)
    assert sweep(grid(), store, workers=threads).computed == 0


def test_where_a_pace_is_known_the_time_left_is_told_before_anything_is_done(store, threads):
    seen: list[Tally] = []
    runs = grid(seeds="0..9")
    work = sum(rough_seconds(run) for run in runs.runs().values())
    sweep(runs, store, workers=threads, progress=seen.append, pace=1e9)
    workers = Workers.given(threads).count
    assert seen[0].settled == 0
    assert seen[0].remaining == pytest.approx(1e9 * work / workers, rel=1e-3)
    assert seen[-1].settled == seen[-1].total == 10
    sweep(runs, store, workers=threads, progress=seen.append, pace=1e9)
    assert seen[-1].remaining is None


def test_progress_adds_up(store, threads):
    seen: list[Tally] = []
    sweep(
        [as_(Slow, run) for run in grid().runs().values()],
        store,
        workers=threads,
        progress=seen.append,
    )
    settled = [tally.settled for tally in seen]
    assert settled == sorted(settled)
    assert settled[-1] == seen[-1].total == 10
    assert seen[-1].remaining == pytest.approx(0, abs=1e-9)
    assert any(tally.remaining for tally in seen)


def test_a_failing_run_is_reported_and_the_others_done(store, threads):
    runs = list(grid().runs().values())
    runs[3] = as_(Failing, runs[3])
    outcome = sweep(runs, store, workers=threads)
    assert outcome.computed == 9
    assert outcome.failures == {runs[3].key: f"{runs[3]}: ArithmeticError: no such thing"}
    assert claims(store) == 0, "another process may try"
    assert sweep(grid(), store, workers=threads).computed == 1


def test_a_run_that_kills_its_worker_is_given_up_and_no_other(store):
    runs = list(grid().runs().values())
    runs[2], runs[7] = as_(Deadly, runs[2]), as_(Deadly, runs[7])
    outcome = sweep(runs, store, workers=local_processes(2))
    assert set(outcome.failures) == {runs[2].key, runs[7].key}
    assert all("died whenever it was tried" in said for said in outcome.failures.values())
    assert outcome.computed == 8


def test_workers_that_never_finish_anything_end_the_sweep(store, monkeypatch):
    monkeypatch.setattr("simulators.sweeps.dispatch.FRUITLESS", 4)
    runs = [as_(Deadly, run) for run in grid(seeds="0..19").runs().values()]
    with pytest.raises(SweepError, match="broke 4 times before a run finished"):
        sweep(runs, store, workers=local_processes(1))
    assert claims(store) == 0


class Fragile(Executor):
    """Takes two runs and dies at the third, as a pool does whose worker was killed meanwhile."""

    def __init__(self) -> None:
        self.taken: list[Future[Done]] = []

    def submit(self, function, /, *arguments):
        if len(self.taken) == 2:
            for future in self.taken:
                future.set_exception(BrokenExecutor("killed"))
            raise BrokenExecutor("killed")
        self.taken.append(Future())
        return self.taken[-1]


def test_one_death_is_counted_once(store, threads):
    remade = []

    def remake():
        remade.append(threads)
        return threads

    workers = Workers(Fragile(), 2, "fragile", remake=remake)
    outcome = sweep(grid(), store, workers=nullcontext(workers))
    assert (outcome.computed, outcome.failures) == (10, {})
    assert len(remade) == 1


def test_a_broken_executor_of_the_caller_is_not_replaced(store):
    runs = [as_(Deadly, run) for run in grid().runs().values()]
    with ProcessPoolExecutor(1) as executor, pytest.raises(SweepError, match="not ours to replace"):
        sweep(runs, store, workers=executor)


def test_a_worker_of_another_version_is_noticed(store, threads, monkeypatch):
    monkeypatch.setattr(
        "simulators.sweeps.dispatch.perform", lambda run, limit: Done("another key", b"", 0.0)
    )
    outcome = sweep(grid(), store, workers=threads)
    assert len(outcome.failures) == 10
    assert all("another version" in said for said in outcome.failures.values())
    assert store.finished() == set()


def test_a_full_disk_ends_the_sweep_and_keeps_the_rest(store, threads):
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages + 6}")
    wanted = grid(seeds="0..99")
    with pytest.raises(StoreError, match="the disk is full"):
        sweep(wanted, store, workers=threads)
    kept = len(store.finished())
    assert 0 < kept < 100
    store.check()
    store._db.execute(f"PRAGMA max_page_count = {10**6}")
    assert claims(store) == 0
    outcome = sweep(wanted, store, workers=threads)
    assert (outcome.found, outcome.computed) == (kept, 100 - kept)


def test_an_interrupt_stores_what_is_finished_and_frees_the_rest(store, threads):
    runs = [as_(Slow, run) for run in grid(seeds="0..49").runs().values()]

    def interrupt(tally: Tally) -> None:
        if tally.computed >= 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(runs, store, workers=threads, progress=interrupt)
    kept = len(store.finished())
    assert 5 <= kept < 50
    assert claims(store) == 0
    assert sweep(runs, store, workers=threads).computed == 50 - kept


def test_ctrl_c_ends_long_runs_at_once(tmp_path):
    """The signal goes to the whole group, as a terminal sends it."""
    script = textwrap.dedent("""
        import sys
        from simulators.sweeps.executors import local_processes
        from simulators.sweeps.store import Store
        from simulators.sweeps.dispatch import sweep
        from sweep_samples import Endless, as_, grid
        runs = list(grid(seeds="0..4").runs().values())
        runs[1:3] = [as_(Endless, run) for run in runs[1:3]]
        with Store(sys.argv[1]) as store:
            try:
                told = lambda tally: print(tally.computed, flush=True)
                sweep(runs, store, workers=local_processes(3), progress=told)
            except KeyboardInterrupt:
                print("interrupted", len(store.finished()))
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "x.db")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment(),
    )
    assert process.stdout is not None
    while process.stdout.readline().strip() != "3":
        pass
    workers = children(process.pid)
    assert len(workers) >= 3
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)  # the runs themselves would take hours
    assert out.splitlines()[-1] == "interrupted 3"
    assert "Traceback" not in err
    assert gone(workers)


@pytest.mark.parametrize("round_", range(3))
def test_a_result_on_its_way_is_never_cut_off(round_):
    """Else the thread that reads it waits for the rest, and the process never ends."""
    before = set(threading.enumerate())
    with local_processes(2) as workers:
        runs = [as_(Large, run) for run in grid(seeds=f"0..{5 + round_}").runs().values()]
        waiting = [workers.submit(perform, run) for run in runs]
        while not any(future.done() for future in waiting):
            time.sleep(0.005)
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
        assert not thread.is_alive(), f"{thread.name} still waits for a worker that is gone"


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.2, 0.3])
def test_ctrl_c_while_workers_start_is_quiet(tmp_path, delay):
    script = textwrap.dedent("""
        import sys
        from simulators.sweeps.store import Store
        from simulators.sweeps.dispatch import sweep
        from sweep_samples import grid
        with Store(sys.argv[1]) as store:
            print("go", flush=True)
            try:
                sweep(grid(seeds="0..9999"), store)
            except KeyboardInterrupt:
                sys.exit(7)
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "x.db")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment(),
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.2 + delay)  # the grid is planned first
    os.killpg(process.pid, signal.SIGINT)
    err = process.communicate(timeout=120)[1]
    assert (process.returncode, err) == (7, "")


def test_two_processes_share_the_work_and_do_nothing_twice(tmp_path):
    """Each begins once both are there, however long the machine takes to start them."""
    ready = tmp_path / "ready"
    ready.mkdir()
    script = textwrap.dedent("""
        import os
        import sys
        import time
        from pathlib import Path
        from concurrent.futures import ThreadPoolExecutor
        import simulators.sweeps.dispatch as module
        from simulators.sweeps.store import Store
        from sweep_samples import Slow, as_, grid
        done = []
        def noting(run, threads):
            done.append(run.seed)
            return perform(run, threads)
        perform, module.perform = module.perform, noting
        runs = [as_(Slow, run) for run in grid(seeds="0..59").runs().values()]
        Path(sys.argv[2], str(os.getpid())).touch()
        while len(os.listdir(sys.argv[2])) < 2:
            time.sleep(0.01)
        with Store(sys.argv[1]) as store, ThreadPoolExecutor(2) as executor:
            outcome = module.sweep(runs, store, workers=executor)
        assert outcome.found + outcome.computed + outcome.elsewhere == 60
        print(*done)
    """)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "x.db"), str(ready)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        for _ in range(2)
    ]
    shares = [
        [int(seed) for seed in process.communicate(timeout=120)[0].split()] for process in started
    ]
    assert sorted(shares[0] + shares[1]) == list(range(60))
    assert all(shares), "both took part"


def test_claims_of_a_dead_process_run_out(store, threads):
    wanted = grid(seeds="0..3").runs()
    store.claim(list(wanted), "dead", 0.6)
    waited: list[int] = []
    outcome = sweep(
        wanted.values(),
        store,
        workers=threads,
        lease=0.6,
        progress=lambda tally: waited.append(tally.computed),
    )
    assert outcome.computed == 4
    assert 0 in waited, "none was taken while the dead process held them"


def test_claims_are_renewed_while_a_run_takes_long(store, threads):
    ready = threading.Event()

    def slowly(run, limit):
        ready.wait(10)
        return perform(run, limit)

    with Store(store.path) as other, pytest.MonkeyPatch.context() as patch:
        patch.setattr("simulators.sweeps.dispatch.perform", slowly)
        outcomes: list[Outcome] = []
        seen: list[tuple[str, ...]] = []
        keys = list(grid(seeds=0).runs())

        def look(tally: Tally) -> None:
            if tally.elapsed > 1.0 and not ready.is_set():
                seen.append(other.claim(keys, "other", 60).busy)
                ready.set()

        outcomes.append(sweep(grid(seeds=0), store, workers=threads, lease=0.4, progress=look))
    assert seen == [tuple(keys)], "after more than twice the lease it is still ours"
    assert outcomes[0].computed == 1


def test_workers_use_one_thread_each(store):
    with local_processes(1) as crew:
        info = crew.executor.submit(limited).result()
    assert set(info) == {1}


def limited() -> list[int]:
    from threadpoolctl import threadpool_info

    perform(next(iter(grid(seeds=0).runs().values())), 1)
    return [pool["num_threads"] for pool in threadpool_info()]


@pytest.mark.parametrize("count", [0, -1, 1.5])
def test_a_bad_number_of_workers_is_refused(count):
    with pytest.raises((ValueError, TypeError), match="workers="), local_processes(count):
        pass


@pytest.mark.parametrize("lease", [0, -1, float("nan")])
def test_a_bad_lease_is_refused(lease, store, threads):
    with pytest.raises(ValueError, match="lease="):
        sweep(grid(), store, workers=threads, lease=lease)


def test_a_lease_of_another_type_is_refused(store, threads):
    with pytest.raises(TypeError, match="lease='5' is not a real number; give seconds"):
        sweep(grid(), store, workers=threads, lease="5")


def environment() -> dict[str, str]:
    here = Path(__file__).parent
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parents[1])])}


def children(pid: int) -> list[int]:
    """Worker processes of a process, from the system's table."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == pid and b"spawn_main" in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                pass
    return found


def test_a_worker_whose_parent_died_while_it_started_ends() -> None:
    script = """
import multiprocessing, os, time
from simulators.sweeps.executors import _enter
lifeline, held = multiprocessing.Pipe(duplex=False)
held.close()
_enter(lifeline, os.getpid(), 1)  # the parent it had is no parent of it
time.sleep(30)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (1, b"")


def gone(pids: list[int], patience: float = 60.0) -> bool:
    """Whether these processes end; one that is still importing notices its parent's death only
    afterwards.
    """
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if not any(map(_alive, pids)):
            return True
        time.sleep(0.05)
    return False


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
