"""``theorems verify`` on images of a folder, at other sizes, and into a store."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from simulators.sweeps.store import Row, Store
from simulators.training import (
    Design,
    Experiment,
    Recipe,
    TrainingError,
    images_from,
    images_in,
)
from theorems import get, verify
from theorems.cli import main
from theorems.commands.experiment import planned
from theorems.families.training import runs
from theorems.families.training.runs import Treatment, compared, nothing_done, over
from theorems.statement import ClaimError, Statement, Verdict

TORCH = str(torch.__version__)
SMALL = Treatment(
    Design(2, 16), Recipe(steps=60, batch_size=16, samples=64, learning_rate=0.2, probe=8)
)
STILL = replace(SMALL, recipe=replace(SMALL.recipe, learning_rate=1e-12))
CLAIM = replace(
    get("training.uncentred_weights"),
    checks=(
        compared(
            "small", {"L": 2, "d": 16}, {"R": over(STILL, SMALL), "R_0": nothing_done(SMALL)}, STILL
        ),
    ),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The digits, three times as large, in MNIST's format."""
    place = tmp_path / "images"
    place.mkdir()
    digits = images_from()
    for part, found in (("train", digits.training), ("t10k", digits.test)):
        large = np.zeros((found.count, 28, 28), np.uint8)
        large[:, 2:26, 2:26] = np.kron(found.images[:, 0] * 255, np.ones((1, 3, 3)))
        for kind, magic, data in (
            ("images-idx3", (2051, found.count, 28, 28), large),
            ("labels-idx1", (2049, found.count), found.labels.astype(np.uint8)),
        ):
            header = np.array(magic, ">u4").tobytes()
            (place / f"{part}-{kind}-ubyte").write_bytes(header + data.tobytes())
    return place


@pytest.fixture
def small_claim(monkeypatch: pytest.MonkeyPatch) -> Statement:
    """The claim in the place of whatever is asked for."""
    monkeypatch.setattr("theorems.commands.verify.asked", lambda args: ((CLAIM,), []))
    return CLAIM


def rows_of(file: Path) -> list[dict[str, object]]:
    (result,) = json.loads(file.read_text())["results"]
    (evidence,) = result["evidence"]
    found: list[dict[str, object]] = evidence["readouts"]
    return found


@pytest.mark.usefixtures("small_claim")
def test_images_of_a_folder_are_learnt_and_stand_in_the_evidence(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And are found again in the store, to the same evidence, but not by another Torch."""
    words = ["verify", "training", "--data", str(folder), "--store", str(tmp_path / "runs.db")]
    assert main([*words, "--json", str(tmp_path / "first.json")]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "1438 images to learn from, 359 for the test, sha256" in told
    assert main([*words, "--json", str(tmp_path / "again.json")]) == 0
    first, again = (rows_of(tmp_path / f"{name}.json") for name in ("first", "again"))
    assert first == again
    assert first[0]["images"] == images_in(folder).words
    with Store(tmp_path / "runs.db") as store:
        assert len(store.finished()) == 3 * 32
    monkeypatch.setattr(torch, "__version__", "1.0")
    assert main([*words, "--json", str(tmp_path / "other.json")]) == 0
    told = " ".join(capsys.readouterr().out.split())
    of_another = f"of networks asked for it has 96 on cpu by Torch {TORCH}; they stay, and are"
    assert f"{of_another} trained again, on cpu by Torch 1.0" in told
    with Store(tmp_path / "runs.db") as store:
        assert len(store.finished()) == 2 * 3 * 32
    digits, other = (
        verify(CLAIM, experiment=each) for each in (None, Experiment(images_in(folder)))
    )
    medians = [found[0].evidence[0].details["readouts"][0]["median R"] for found in (digits, other)]
    assert medians[0] != medians[1] == first[0]["median R"]


@pytest.mark.usefixtures("small_claim")
def test_a_full_run_is_trained_by_workers_judged_and_found_again(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(runs, "PUBLISHED", runs.Sizes(width=8, batch_size=200, epochs=4))
    store = str(tmp_path / "runs.db")
    words = ["verify", "training", "--full", "--data", str(folder), "--store", store, "--jobs", "1"]
    for there, made in ((0, 96), (96, 0)):
        file = tmp_path / f"{there}.json"
        assert main([*words, "--json", str(file)]) in (0, 1)
        printed = capsys.readouterr()
        told = " ".join(printed.out.split())
        assert f"Runs 96: {there} in the store already, {made} computed" in told
        assert "sizes as published" in told
        assert bool(re.search(r"^\[0/96\] about .* left$", printed.err, re.M)) is bool(made)
    first, again = (rows_of(tmp_path / f"{name}.json") for name in (0, 96))
    assert first == again
    assert first[0]["d"] == 8, "the width that was trained, and not that of the statement"
    assert str(first[0]["sizes"]).startswith("as published")


@pytest.mark.filterwarnings("default")
@pytest.mark.usefixtures("small_claim")
def test_a_full_run_is_trained_by_a_cluster(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """To the same evidence as by processes of this machine, which judge what the cluster left."""
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(runs, "PUBLISHED", runs.Sizes(width=8, batch_size=200, epochs=1))
    words = ["verify", "training", "--full", "--data", str(folder)]
    words += ["--store", str(tmp_path / "runs.db")]
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as cluster:
        given = ["--dask", cluster.scheduler_address, "--json", str(tmp_path / "cluster.json")]
        assert main([*words, *given]) in (0, 1)
    told = " ".join(capsys.readouterr().out.split())
    assert "Runs 96: 0 in the store already, 96 computed" in told
    assert main([*words, "--jobs", "1", "--json", str(tmp_path / "here.json")]) in (0, 1)
    assert "96 in the store already, 0 computed" in " ".join(capsys.readouterr().out.split())
    assert rows_of(tmp_path / "cluster.json") == rows_of(tmp_path / "here.json")
    assert not (tmp_path / "runs.db.unfinished").exists()


def test_a_plan_knows_every_network_of_a_full_run(folder: Path) -> None:
    full = Experiment(images_in(folder), full=True)
    found = planned([get("training.depth_and_gap:lowered"), CLAIM], 0, full)
    sizes = {(run.design.depth, run.design.width, run.recipe.steps) for run in found.values()}
    assert sizes == {(20, 800, 60), (20, 64, 0), (2, 800, 60)}
    assert len(found) == 2 * 64 + 3 * 32
    as_stated = planned([get("training.minibatch_jitter:five_points")], 0, full)
    assert {run.recipe.batch_size for run in as_stated.values()} == {8}
    assert {run.design.width for run in as_stated.values()} == {64}


def swapped(folder: Path) -> None:
    first, second = (folder / f"train-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1"))
    data = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(data)


def truncated(folder: Path) -> None:
    file = folder / "t10k-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-1])


def mislabelled(folder: Path) -> None:
    file = folder / "train-labels-idx1-ubyte"
    file.write_bytes(file.read_bytes()[:-1] + bytes([10]))


def missing(folder: Path) -> None:
    (folder / "t10k-labels-idx1-ubyte").unlink()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (swapped, "are two files swapped?"),
        (truncated, "truncated"),
        (mislabelled, "label"),
        (missing, "no such file"),
    ],
)
@pytest.mark.usefixtures("small_claim")
def test_a_bad_file_is_one_line_before_anything_runs(
    folder: Path,
    harm: Callable[[Path], None],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    harm(folder)
    assert main(["verify", "training", "--data", str(folder)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert words in told.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--data nowhere", "nowhere: no such folder"),
        ("--device cuda:9", "device='cuda:9' is not on this machine; available are cpu"),
        ("--device abacus", "device='abacus' is no Torch device"),
        ("--device=", "--device '': is empty; give NAME"),
        ("--device cpu:7", "device='cpu:7' is not on this machine; available are cpu"),
        ("--store=", "--store '': is empty; give FILE"),
        ("--data=", "--data '': is empty; give FOLDER"),
        ("--dask=", "--dask '': is empty; give ADDRESS"),
        ("--full --store runs.db", "add --data FOLDER"),
        ("--full --data images", "add --store FILE"),
        ("--dask host:1", "a cluster is for --full"),
        ("--store nowhere/runs.db", "no directory 'nowhere'"),
        ("--device cpu --update-ledger", "leave out --device"),
        ("--store runs.db --json runs.db", "is the store itself"),
    ],
)
@pytest.mark.usefixtures("small_claim", "folder")
def test_what_cannot_be_is_one_line(
    options: str,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["verify", "training", *options.split()]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert words in told.err


@pytest.mark.usefixtures("small_claim")
@pytest.mark.parametrize("full", [False, True])
def test_a_store_that_is_deleted_on_the_way_is_one_line_and_nothing_is_lost(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    full: bool,
) -> None:
    monkeypatch.setattr(runs, "PUBLISHED", runs.Sizes(width=8, batch_size=200, epochs=4))
    store = tmp_path / "runs.db"
    words = ["verify", "training", "--store", str(store), "--data", str(folder), "--jobs", "1"]
    words += ["--full"] * full
    put, puts = Store.put, list[int]()

    def put_into_what_is_gone(opened: Store, rows: Sequence[Row]) -> int:
        puts.append(len(rows))
        if len(puts) == 2:
            store.unlink()
        return put(opened, rows)

    def no_room(*_: object) -> float:
        raise TrainingError("the memory does not hold it")

    # a pace that cannot be had is no reason to stop before anything is done
    monkeypatch.setattr("simulators.training.rows.seconds_a_multiply_add", no_room)
    monkeypatch.setattr(Store, "put", put_into_what_is_gone)
    assert main(words) == (3 if full else 2)
    line = capsys.readouterr().err.splitlines()[-1]
    rescued = tmp_path / "runs.db.rescued"
    assert f"{store}: moved or deleted while it was in use; its results, " in line
    assert f"are in {rescued}: rename that to runs.db and start again" in line
    with Store(rescued, create=False) as kept:
        assert len(kept.finished()) >= sum(puts[:2])


def test_a_store_that_is_gone_between_two_treatments_is_not_made_anew(tmp_path: Path) -> None:
    experiment = Experiment(images_from(), store=tmp_path / "runs.db", existing=True)
    with pytest.raises(ClaimError, match="no such store; check the path"):
        verify(CLAIM, experiment=experiment)
    assert not (tmp_path / "runs.db").exists()


@pytest.mark.usefixtures("small_claim")
def test_too_little_memory_and_too_few_images_are_one_line(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["verify", "training", "--full", "--data", str(folder)]
    words += ["--store", str(tmp_path / "runs.db")]
    for sizes, told in (
        (runs.Sizes(10**6, 500, 1), "and this machine has"),
        (
            runs.Sizes(8, 2000, 1),
            f"from {folder}: 1438 images to learn from, fewer than the 2000 of a published batch; "
            "give a folder with the whole set, or leave out --full",
        ),
    ):
        monkeypatch.setattr(runs, "PUBLISHED", sizes)
        assert main(words) == 2
        line = capsys.readouterr().err
        assert len(line.splitlines()) == 1
        assert told in line


def test_nothing_that_trains_takes_no_experiment(capsys: pytest.CaptureFixture[str]) -> None:
    name = "orthogonality.convexity:conclusion"
    assert main(["verify", name, "--store", "runs.db"]) == 2
    assert "nothing that is asked trains networks" in capsys.readouterr().err
    with pytest.raises(ValueError, match="nothing that is asked trains networks"):
        verify(name, experiment=Experiment(images_from()))


def test_a_store_that_cannot_be_used_is_told_of_the_claim(tmp_path: Path) -> None:
    (tmp_path / "runs.db").write_bytes(b"no store")
    with pytest.raises(ClaimError, match="not a store"):
        verify(CLAIM, experiment=Experiment(images_from(), store=tmp_path / "runs.db"))
    assert verify(CLAIM)[0].verdict is Verdict.SUPPORTED
