"""Sweeps that take tangents along: in stores and tables, resumed like any other, refusals."""

import csv
import json
from concurrent.futures import ThreadPoolExecutor

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

ALONG = {
    "chain": "batchnorm(relu)",
    "width": 16,
    "observables": ["tangent_norm", "gradient_norm"],
    "tangents": "gaussian(2)",
    "backward": "gaussian",
    "seeds": "0..1",
}


def test_a_sweep_takes_tangents_as_a_direct_call_does(tmp_path):
    given = np.random.default_rng(1).standard_normal((16, 3))
    np.save(tmp_path / "T.npy", given)
    with ThreadPoolExecutor(1) as threads, Store(tmp_path / "x.db") as store:
        for text, tangents in (("gaussian(2)", "gaussian(2)"), (str(tmp_path / "T.npy"), given)):
            wanted = grid(**ALONG | {"tangents": text}).runs()
            assert sweep(wanted.values(), store, workers=threads).computed == 2
            assert sweep(wanted.values(), store, workers=threads).computed == 0
            for row in (each for each in store.rows() if each.key in wanted):
                found = Trajectory.from_bytes(row.data)
                alone = simulate(
                    batchnorm_chain(16, "relu"),
                    gaussian_batch(16, 3, 0),
                    depth=4,
                    seed=wanted[row.key].seed,
                    observables=ALONG["observables"],
                    backward="gaussian",
                    tangents=tangents,
                )
                for name in ALONG["observables"]:
                    assert np.array_equal(found[name], alone[name])
                assert found.tangents == alone.tangents == json.loads(row.parameters)["tangents"]
        export(store, tmp_path / "table.csv")
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    told = {(row["tangents"][:5], row["tangent_norm.1"] != "") for row in rows}
    assert told == {("gauss", True), ("array", False)}


def test_how_long_tangents_take_is_reckoned(tmp_path):
    np.save(tmp_path / "T.npy", np.ones((16, 3)))
    for tangents in ("gaussian(2)", str(tmp_path / "T.npy")):
        runs = grid(**ALONG | {"tangents": tangents, "seeds": 0}).runs().values()
        assert all(calibrate(runs).seconds(run) > 0 for run in runs)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tangents": None}, "'tangent_norm' reads tangents; give tangents, as 'gaussian'"),
        ({"observables": "gradient_norm"}, "are read by none of the observables"),
        ({"tangents": "uniform"}, r"want gaussian, gaussian\(k\), or a .npy file"),
        ({"tangents": "gaussian(0)"}, r"want gaussian, gaussian\(k\), or a .npy file"),
        ({"tangents": "missing.npy"}, "no such file"),
        ({"tangents": 3}, "give a text"),
        ({"tangents": "T.npy", "width": [16, 32]}, r"has shape \(16, 3\); want that of the batch"),
        ({"tangents": "vector.npy"}, r"want \(d, n\), or \(k, d, n\)"),
        ({"tangents": "nan.npy"}, "not finite"),
        ({"engine": "rows", "tangents": "gaussian(9)"}, "30 columns, more than the 16 rows"),
    ],
)
def test_what_cannot_come_along_is_refused_in_one_line(tmp_path, monkeypatch, fields, words):
    monkeypatch.chdir(tmp_path)
    np.save("T.npy", np.ones((16, 3)))
    np.save("vector.npy", np.ones(3))
    np.save("nan.npy", np.full((16, 3), np.nan))
    with pytest.raises(GridError, match=words) as refused:
        grid(**ALONG | fields).runs()
    assert "\n" not in str(refused.value)
