"""Sweeps on a Dask cluster: a scheduler and workers in processes of their own, on this machine."""

import os
import signal
import sys

import numpy as np
import pytest
from sweep_samples import Deadly, Slow, as_, grid

from simulators.sweeps.dispatch import SweepError, Tally, sweep
from simulators.sweeps.executors import ClusterError, dask_cluster
from simulators.sweeps.store import Store
from simulators.training import Design, Recipe, images_from, train, train_into
from simulators.training.rows import NetworkRun
from simulators.trajectory import Trajectory

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings(
    "default"
)  # what the cluster's own threads warn of is not ours


@pytest.fixture(scope="module")
def cluster():
    import dask

    quick = {"distributed.scheduler.allowed-failures": 1, "distributed.comm.timeouts.connect": "3s"}
    with (
        dask.config.set(quick),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            silence_logs=50,
        ) as started,
    ):
        yield started


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "results.db") as opened:
        yield opened


def pids(address: str) -> list[int]:
    with distributed.Client(address, set_as_default=False) as client:
        return list(client.run(os.getpid).values())


def test_the_cluster_computes_and_the_store_keeps(cluster, store):
    wanted = grid(replicas=2).runs()
    outcome = sweep(wanted.values(), store, workers=dask_cluster(cluster.scheduler_address))
    assert (outcome.computed, outcome.failures) == (10, {})
    for row in store.rows():
        assert (
            Trajectory.from_bytes(row.data)["orthogonality_gap"]
            == wanted[row.key].perform()["orthogonality_gap"]
        ).all()
    assert (
        sweep(wanted.values(), store, workers=dask_cluster(cluster.scheduler_address)).computed == 0
    )


def test_killed_workers_lose_nothing(cluster, store):
    runs = [as_(Slow, run) for run in grid(seeds="0..39").runs().values()]
    victims = pids(cluster.scheduler_address)
    killed = []

    def kill(tally: Tally) -> None:
        if tally.computed >= 5 and victims:
            killed.append(victims.pop())
            os.kill(killed[-1], signal.SIGKILL)

    outcome = sweep(runs, store, workers=dask_cluster(cluster.scheduler_address), progress=kill)
    assert len(killed) == 2
    assert (outcome.computed, outcome.failures) == (40, {})


def test_a_run_that_kills_its_workers_is_given_up(cluster, store):
    runs = list(grid().runs().values())
    runs[0] = as_(Deadly, runs[0])
    outcome = sweep(runs, store, workers=dask_cluster(cluster.scheduler_address))
    assert outcome.computed == 9
    (said,) = outcome.failures.values()
    assert "died whenever it was tried" in said


def test_a_lost_scheduler_ends_the_sweep_and_keeps_the_rest(store):
    runs = [as_(Slow, run) for run in grid(seeds="0..199").runs().values()]
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as own:

        def leave(tally: Tally) -> None:
            if tally.computed >= 5:
                own.close()

        with pytest.raises(SweepError, match="lost; what was finished is stored"):
            sweep(runs, store, workers=dask_cluster(own.scheduler_address), progress=leave)
    assert 5 <= len(store.finished()) < 200


@pytest.mark.parametrize(
    "address",
    [
        "tcp://127.0.0.1:9",
        "tcp://127.0.0.1:99999",
        "nonsense://x:1",
        "127.0.0.1:notaport",
        "",
        "  ",
        "tcp://",
        None,
    ],
)
def test_bad_addresses_are_one_line(address):
    with pytest.raises(ClusterError) as caught, dask_cluster(address, timeout=0.5):
        pass
    assert repr(address) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_scheduler_without_workers_is_refused():
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as empty,
        pytest.raises(ClusterError, match="has no workers; start some: dask worker"),
        dask_cluster(empty.scheduler_address),
    ):
        pass


def test_without_dask_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(ClusterError, match=r"batchnorm-theorems\[dask\]"),
        dask_cluster("tcp://x:1"),
    ):
        pass


def test_the_cluster_trains_networks(cluster, store):
    design, recipe, digits = Design(2, 8), Recipe(steps=4, samples=64), images_from()
    runs = [NetworkRun(design, recipe, digits, (3, k), store=store.path) for k in range(4)]
    last: list[Tally] = []
    workers = dask_cluster(cluster.scheduler_address)
    outcome = sweep(runs, store, workers=workers, progress=last.append)
    assert (outcome.computed, outcome.failures) == (4, {})
    assert last[-1].last.startswith("loss ")
    kept = train_into(store, design, recipe, digits, [run.seed for run in runs])
    assert len(store.finished()) == 4
    alone = [train(design, recipe, digits, [run.seed]).losses[0] for run in runs]
    assert np.array_equal(kept.losses, alone)
