"""Sweeps that go back: gradients in stores and tables, resumed like any other, refusals."""

import csv
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sweep_samples import grid

from simulators import batchnorm_chain, simulate
from simulators.batches import gaussian_batch
from simulators.sweeps.dispatch import sweep
from simulators.sweeps.export import export
from simulators.sweeps.grid import GridError
from simulators.sweeps.running_times import calibrate
from simulators.sweeps.store import Store
from simulators.trajectory import Trajectory

BACK = {
    "chain": "batchnorm(relu)",
    "width": 16,
    "observables": ["gradient_norm", "orthogonality_gap", "gradient_gram"],
    "backward": "gaussian",
    "seeds": "0..2",
}


@pytest.fixture(scope="module")
def threads():
    with ThreadPoolExecutor(1) as executor:
        yield executor


def gradient(folder: Path) -> np.ndarray:
    found = np.random.default_rng(1).standard_normal((16, 3))
    np.save(folder / "G.npy", found)
    return found


def test_a_sweep_measures_gradients_as_a_direct_call_does(tmp_path, threads):
    given = gradient(tmp_path)
    for text, backward in (("gaussian", "gaussian"), (str(tmp_path / "G.npy"), given)):
        with Store(tmp_path / f"{Path(text).stem}.db") as store:
            wanted = grid(**BACK | {"backward": text}).runs()
            assert sweep(wanted.values(), store, workers=threads).computed == 3
            for row in store.rows():
                found = Trajectory.from_bytes(row.data)
                alone = simulate(
                    batchnorm_chain(16, "relu"),
                    gaussian_batch(16, 3, 0),
                    depth=4,
                    seed=wanted[row.key].seed,
                    observables=BACK["observables"],
                    backward=backward,
                )
                for name in BACK["observables"]:
                    assert np.array_equal(found[name], alone[name])
                assert found.backward == alone.backward == json.loads(row.parameters)["backward"]


def test_a_second_start_does_only_what_is_missing(tmp_path, threads):
    gradient(tmp_path)
    with Store(tmp_path / "x.db") as store:
        assert sweep(grid(**BACK), store, workers=threads).computed == 3
        assert sweep(grid(**BACK | {"seeds": "0..4"}), store, workers=threads).computed == 2
        other = BACK | {"backward": str(tmp_path / "G.npy")}
        assert sweep(grid(**other), store, workers=threads).computed == 3
        assert sweep(grid(**other), store, workers=threads).computed == 0


def test_a_forward_run_has_the_key_that_it_had():
    """What earlier releases stored is found again."""
    [run] = grid(seeds=0).runs().values()
    assert "backward" not in run.parameters()
    assert run.key == "d88acb94d7f47d43efe236430609a1a07fafebc6bd8152d7da861a0176661039"


def test_a_table_says_what_went_back_where_something_did(tmp_path, threads):
    with Store(tmp_path / "x.db") as store:
        sweep(grid(seeds=0), store, workers=threads)
        export(store, tmp_path / "forward.csv")
        sweep(grid(**BACK | {"seeds": 0}), store, workers=threads)
        export(store, tmp_path / "both.csv")
    rows = {
        name: list(csv.DictReader((tmp_path / f"{name}.csv").read_text().splitlines()))
        for name in ("forward", "both")
    }
    assert "backward" not in rows["forward"][0]
    assert {row["backward"] for row in rows["both"]} == {"", "gaussian"}
    assert all((row["gradient_norm"] != "") == (row["backward"] != "") for row in rows["both"])


def test_how_long_the_way_back_takes_is_reckoned(tmp_path):
    gradient(tmp_path)
    runs = grid(**BACK | {"backward": str(tmp_path / "G.npy"), "seeds": 0}).runs().values()
    times = calibrate(runs)
    assert all(times.seconds(run) > 0 for run in runs)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"backward": None}, "'gradient_norm' reads the backward pass; give backward"),
        ({"observables": "orthogonality_gap"}, "is read by none of the observables"),
        ({"backward": "uniform"}, "want gaussian, readout, or a .npy file"),
        ({"backward": "missing.npy"}, "no such file"),
        ({"backward": 3}, "give a text"),
        ({"backward": "G.npy", "width": [16, 32]}, r"backward has shape \(16, 3\)"),
        ({"backward": "vector.npy"}, "want a matrix"),
        ({"backward": "nan.npy"}, "not finite"),
        ({"engine": "factor"}, "reads the backward pass, which needs all rows"),
    ],
)
def test_what_cannot_go_back_is_refused_in_one_line(tmp_path, monkeypatch, fields, words):
    monkeypatch.chdir(tmp_path)
    gradient(tmp_path)
    np.save("vector.npy", np.ones(3))
    np.save("nan.npy", np.full((16, 3), np.nan))
    with pytest.raises(GridError, match=words) as refused:
        grid(**BACK | fields).runs()
    assert "\n" not in str(refused.value)
