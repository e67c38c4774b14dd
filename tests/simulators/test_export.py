"""Tables of results: complete, exact, and the same in both formats."""

import csv
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sweep_samples import grid

from simulators.sweeps.dispatch import sweep
from simulators.sweeps.export import ExportError, export
from simulators.sweeps.store import Row, Store
from simulators.training import Design, Recipe, Trained, images_from, train_into
from simulators.trajectory import Trajectory


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    with (
        Store(tmp_path_factory.mktemp("store") / "x.db") as store,
        ThreadPoolExecutor(1) as executor,
    ):
        for batch in (2, 11):
            sweep(
                grid(
                    width=16,
                    batch=batch,
                    seeds="5..6",
                    replicas=2,
                    observables=["orthogonality_gap", "spectrum"],
                ),
                store,
                workers=executor,
            )
        sweep(grid(seeds=0, observables="effective_rank", dtype="float32"), store, workers=executor)
        yield store


def read(path):
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_table_never_takes_the_place_of_its_store(tmp_path):
    with Store(tmp_path / "x.csv") as store:
        sound = (tmp_path / "x.csv").read_bytes()
        (tmp_path / "link.csv").symlink_to("x.csv")
        for name in ("x.csv", "link.csv"):
            with pytest.raises(ExportError, match="the store itself"):
                export(store, tmp_path / name)
    assert (tmp_path / "x.csv").read_bytes() == sound


def test_csv_has_every_number_exactly(filled, tmp_path):
    count = export(filled, tmp_path / "t.csv")
    rows = read(tmp_path / "t.csv")
    assert count == len(rows) == 4 * 2 * 5 + 5
    found = {
        (r["n"], r["seed"], r["replica"], r["layer"]): r for r in rows if r["dtype"] == "float64"
    }
    for stored in filled.rows():
        trajectory = Trajectory.from_bytes(stored.data)
        if trajectory.dtype == "float32":
            continue
        n, seed = trajectory.batch_shape[1], trajectory.seed["entropy"]
        for replica in range(2):
            for layer in range(5):
                r = found[str(n), str(seed), str(replica), str(layer)]
                assert (
                    float(r["orthogonality_gap"]) == trajectory["orthogonality_gap"][replica, layer]
                )
                assert [float(r[f"spectrum.{k}"]) for k in range(n)] == list(
                    trajectory["spectrum"][replica, layer]
                )
                assert all(r[f"spectrum.{k}"] == "" for k in range(n, 11))
                assert r["effective_rank"] == ""
                assert r["batch_sha256"] == trajectory.batch_sha256
                assert (r["engine"], r["numpy_version"]) == ("factor", np.__version__)


def test_columns_are_in_natural_order(filled, tmp_path):
    export(filled, tmp_path / "t.csv")
    names = list(read(tmp_path / "t.csv")[0])
    assert names[-13:] == [
        "effective_rank",
        "orthogonality_gap",
        *(f"spectrum.{k}" for k in range(11)),
    ]


def test_parquet_says_the_same(filled, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    export(filled, tmp_path / "t.csv")
    export(filled, tmp_path / "t.parquet")
    table = parquet.read_table(tmp_path / "t.parquet").to_pylist()
    rows = read(tmp_path / "t.csv")
    assert list(table[0]) == list(rows[0])
    assert [
        {name: "" if value is None else str(value) for name, value in line.items()}
        for line in table
    ] == rows


def test_only_these_runs(filled, tmp_path):
    keys = list(grid(seeds=0, observables="effective_rank", dtype="float32").runs())
    assert export(filled, tmp_path / "t.csv", keys) == 5
    assert "orthogonality_gap" not in read(tmp_path / "t.csv")[0]


def test_an_empty_store_gives_a_heading(tmp_path):
    with Store(tmp_path / "x.db") as store:
        assert export(store, tmp_path / "t.csv") == 0
    assert (tmp_path / "t.csv").read_text().startswith("chain,")


def test_a_failed_export_leaves_the_old_table(filled, tmp_path, monkeypatch):
    target = tmp_path / "t.csv"
    target.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(ExportError, match="No space left"):
        export(filled, target)
    assert target.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.csv"]


def test_what_is_refused(filled, tmp_path, monkeypatch):
    with pytest.raises(ExportError, match=r"'\.txt' is unknown"):
        export(filled, tmp_path / "t.txt")
    with pytest.raises(ExportError, match="cannot be written"):
        export(filled, tmp_path / "missing" / "t.csv")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ExportError, match=r"batchnorm-theorems\[parquet\]"):
        export(filled, tmp_path / "t.parquet")


def test_data_that_are_no_trajectory_are_one_line(tmp_path):
    with Store(tmp_path / "x.db") as store:
        store.put([Row("k" * 64, "{}", b"nothing", 0.0)])
        with pytest.raises(ExportError, match="run kkkkkkkkkkkk cannot be read"):
            export(store, tmp_path / "t.csv")


def test_networks_that_were_trained_are_refused_with_what_reads_them(filled, tmp_path):
    sweeps = list(filled.finished())
    with Store(tmp_path / "both.db") as store:
        store.put(list(filled.rows()))
        train_into(store, Design(1, 8), Recipe(steps=1, samples=64), images_from(), [(0,), (1,)])
        with pytest.raises(ExportError, match=r"was trained, .*Trained\.joined") as refusal:
            export(store, tmp_path / "t.csv")
        assert "\n" not in str(refusal.value)
        assert not (tmp_path / "t.csv").exists()
        assert export(store, tmp_path / "t.csv", sweeps) > 0
        trained = [row for row in store.rows() if row.key not in sweeps]
    assert Trained.joined(row.data for row in trained).losses.shape == (2, 2)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_store_of_an_earlier_release_is_read_and_added_to(tmp_path, name):
    """Written at fb8c900, whose runs have other keys and no estimate of rounding."""
    former = Path(__file__).parent / "former" / "sweep_fb8c900.db"
    path = shutil.copy(former, tmp_path / "x.db")
    with Store(path, create=False) as store, ThreadPoolExecutor(1) as executor:
        store.check()
        old = {row.key for row in store.rows()}
        for chain, engine in (("rescale", "factor"), ("residual(0.1)", "dense")):
            outcome = sweep(
                grid(
                    chain=chain,
                    engine=engine,
                    seeds="0..1",
                    replicas=2,
                    observables=["orthogonality_gap", "spectrum"],
                ),
                store,
                workers=executor,
            )
            assert (outcome.found, outcome.computed) == (0, 2)
        assert len(old) == 4
        assert export(store, tmp_path / name) == 2 * 4 * 2 * 5
        assert {row.key for row in store.rows()} > old
    if name.endswith("csv"):
        rows = read(tmp_path / name)
        told = ("", "0")
    else:
        parquet = pytest.importorskip("pyarrow.parquet")
        rows = parquet.read_table(tmp_path / name).to_pylist()
        told = (None, 0)
    assert [sum(r["spoiled"] == word for r in rows) for word in told] == [40, 40]
    gaps = {}
    for r in rows:
        place = (r["chain"], r["seed"], r["replica"], r["layer"])
        gaps.setdefault(place, []).append(float(r["orthogonality_gap"]))
    assert len(gaps) == 40
    assert all(first == pytest.approx(second, abs=1e-9) for first, second in gaps.values())
