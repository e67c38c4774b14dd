"""``theorems regions``: what it writes, prints and refuses."""

from __future__ import annotations

import csv
import json
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from theorems.cli import main
from theorems.inspection import regions
from theorems.inspection.decisions import decide, decide_by_minibatches, minibatch_networks
from theorems.inspection.regions import find_regions, look_at, named_slice

pytest.importorskip("matplotlib")

MODEL = """
import torch
from torch import nn

def build():
    return nn.Sequential(
        nn.Linear(2, 5), nn.BatchNorm1d(5), nn.ReLU(),
        nn.Linear(5, 4), nn.BatchNorm1d(4), nn.LeakyReLU(0.1), nn.Linear(4, 3),
    )

def straight():
    return nn.Linear(2, 1)

def tanh():
    return nn.Sequential(nn.Linear(2, 2), nn.Tanh())

def plain():
    return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))

def undecided():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU())

def running(value, eps=1e-5):
    module = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3, eps=eps), nn.ReLU())
    module[1].running_var[2] = value
    return module

def negative():
    return running(-1.0)

def zero():
    return running(0.0, eps=0.0)

def constant():
    return nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1, eps=0.0))

def unknown():
    return running(float("nan"))
"""
COMMAND = ["regions", "model.py:build", "--batch", "batch.npy", "--out", "out"]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    samples = np.random.default_rng(0).standard_normal((20, 2))
    samples[10:] = samples[0]
    np.save("batch.npy", samples)
    Path("model.py").write_text(MODEL)


def test_it_writes_what_it_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND, "--minibatch", "8"]) == 0
    printed = capsys.readouterr().out
    summary = json.loads(Path("out/summary.json").read_text())
    with Path("out/regions.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    shapes = json.loads(Path("out/regions.geojson").read_text())["features"]
    with Path("out/folds.csv").open(newline="") as stream:
        bends = list(csv.DictReader(stream))
    assert f"{summary['regions']:,}" in printed
    assert summary["complete"] is True
    assert summary["euler"] == 2
    assert [layer["regions"] for layer in summary["layers"]] == [10, summary["regions"]]
    assert len(rows) == len(shapes) == summary["regions"]
    assert len(bends) == summary["folds"]["count"]
    total = (2 * summary["square"]["half_side"]) ** 2
    assert sum(float(row["area"]) for row in rows) == pytest.approx(total)
    assert len({row["pattern"] for row in rows}) == len(rows)
    assert {len(row["pattern"]) for row in rows} == {10}
    for shape in shapes:
        ring = shape["geometry"]["coordinates"][0]
        assert ring[0] == ring[-1]
    assert Path("out/regions.png").read_bytes()[:4] == b"\x89PNG"
    assert Path("out/regions.svg").read_text().startswith("<?xml")


def test_a_row_tells_the_networks_output_where_it_is() -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    found = find_regions(look_at(module.double(), np.eye(2)))
    outputs = found.partition.outputs
    assert outputs is not None
    for region in range(found.partition.regions):
        corners = found.partition.points[found.partition.corners(region)]
        u, v = corners.mean(axis=0)
        told = outputs.values[:, :, region] @ [1.0, u, v]
        wanted = module(torch.tensor([[u, v]])).detach().numpy()[0]
        np.testing.assert_allclose(told, wanted, atol=1e-12)


def test_the_same_seed_writes_the_same_files() -> None:
    contents = []
    for folder in ("one", "other"):
        arguments = [*COMMAND[:-1], folder, "--seed", "5", "--minibatch", "8"]
        assert main(arguments) == 0
        contents.append({p.name: p.read_bytes() for p in Path(folder).iterdir()})
    assert contents[0] == contents[1]
    assert len(contents[0]) == 6


def test_a_network_without_boundaries_and_a_budget_that_ends(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([word.replace("build", "straight") for word in COMMAND]) == 0
    assert json.loads(Path("out/summary.json").read_text())["regions"] == 1
    capsys.readouterr()
    assert main([*COMMAND, "--budget", "1e-9"]) == 1
    assert "not complete" in capsys.readouterr().out
    summary = json.loads(Path("out/summary.json").read_text())
    assert (summary["complete"], summary["regions"]) == (False, 1)
    assert Path("out/regions.png").is_file()


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals as POSIX has them")
def test_an_interruption_keeps_what_was_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C before unit 2 of layer 2: what was found is written, status 130."""
    find = regions.find_regions

    def interrupted(*given: object, **options: object) -> regions.Regions:
        def at(layer: int, unit: int, count: int) -> None:
            if (layer, unit) == (1, 0):
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
                while not options["stop"]():
                    time.sleep(0.01)

        return find(*given, **(options | {"progress": at}))

    monkeypatch.setattr(regions, "find_regions", interrupted)
    assert main(COMMAND) == 130
    assert "interrupted before unit 2 of layer 2" in capsys.readouterr().out
    summary = json.loads(Path("out/summary.json").read_text())
    assert summary["complete"] is False
    assert summary["regions"] >= 10
    assert Path("out/regions.png").is_file()


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--slice", "0,0"], "two different coordinates"),
        (["--slice", "0,5"], "two different coordinates"),
        (["--slice", "0,1,99"], "samples 0 to 19"),
        (["--slice", "0,0,1"], "on a line"),
        (["--slice", "sideways"], "want PCA"),
        (["--half-side", "-1"], "want a positive number"),
        (["--budget", "nan"], "want a positive number"),
        (["--bn", "none", "--minibatch", "4"], "leave one out"),
        (["--minibatch", "21"], "the batch has 20 samples"),
        (["--minibatch", "1"], "want a whole number"),
        (["--bn", "half"], "invalid choice"),
        (["--checkpoint", "gone.pt"], "gone.pt"),
        (["--out", "model.py"], "not a directory"),
    ],
)
def test_bad_options_are_refused_in_a_line(
    extra: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*COMMAND, *extra]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("function", "extra", "words"),
    [
        ("plain", ["--minibatch", "4"], "no batch normalisation"),
        ("undecided", ["--minibatch", "4"], "ends with an activation"),
        ("negative", ["--bn", "frozen"], "running_var of feature 2 is -1; want 0 or more"),
        ("zero", ["--bn", "frozen"], "running_var of feature 2 is 0; want more than 0, as eps=0"),
        ("unknown", ["--bn", "frozen"], "running_var is not finite"),
        ("build", ["--half-side", "1e-40"], "so small a square"),
        (
            "constant",
            ["--minibatch", "2"],
            "of a mini-batch, 1: BatchNorm1d: feature 0 is constant",
        ),
    ],
)
def test_what_an_option_cannot_mean_for_a_network_is_refused_in_a_line(
    function: str, extra: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*(word.replace("build", function) for word in COMMAND), *extra]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1
    assert not Path("out").exists()


def test_a_network_without_normalisation_is_told_as_such() -> None:
    assert main([word.replace("build", "plain") for word in COMMAND]) == 0
    assert json.loads(Path("out/summary.json").read_text())["statistics"] == "none"


def test_what_is_not_piecewise_affine_is_refused_by_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([word.replace("build", "tanh") for word in COMMAND]) == 2
    assert "1: Tanh is not read" in capsys.readouterr().err


def test_planes_by_name() -> None:
    batch = np.random.default_rng(1).standard_normal((9, 4))
    assert named_slice(None, batch).labels == ("PC 1", "PC 2")
    assert named_slice(None, batch[:, :2]).labels == ("x0", "x1")
    through = named_slice("3,1,4", batch)
    np.testing.assert_allclose(through.point(0.0, 1.0), batch[4])
    np.testing.assert_allclose(
        through.coordinates(batch[[3, 1, 4]]), [[0, 0], [1, 0], [0, 1]], atol=1e-12
    )


@pytest.mark.parametrize("classes", [1, 2, 3])
def test_decisions_on_a_grid_are_the_networks(classes: int) -> None:
    torch.manual_seed(classes)
    layers = [torch.nn.Linear(2, classes), torch.nn.BatchNorm1d(classes)]
    module = torch.nn.Sequential(*layers).double()
    batch = np.random.default_rng(2).standard_normal((12, 2))
    found = find_regions(look_at(module, batch))
    seen = decide(found.partition.network, found.partition.plane, (0.0, 0.0), 2.0, runs=1000)
    points = np.stack(np.meshgrid(seen.first, seen.second), axis=-1).reshape(-1, 2)
    outputs = found.partition.network(points)
    wanted = outputs[:, 0] > 0 if classes == 1 else outputs.argmax(axis=1)
    np.testing.assert_array_equal(seen.classes.ravel(), wanted)
    if classes > 2:
        np.testing.assert_array_equal(seen.margins.argmax(axis=0), seen.classes)
    whole = minibatch_networks(module, batch, size=12, count=2)
    moved = decide_by_minibatches(whole, found.view.plane, seen)
    assert moved.disagreement is not None
    assert moved.disagreement.max() == 0  # mini-batches of the whole batch
    parts = minibatch_networks(module, batch, size=4, count=3)
    moved = decide_by_minibatches(parts, found.view.plane, seen)
    assert moved.disagreement is not None
    assert 0 < moved.disagreement.max() <= 1
