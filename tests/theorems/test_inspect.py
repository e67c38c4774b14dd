"""``theorems inspect``: what it prints and writes, how it ends, what it refuses."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from theorems.cli import main
from theorems.inspection.loading import load_batch, load_network

MODEL = """
import torch
from torch import nn
import helper
ready = nn.Linear(8, 8)
number = 3
def layers(*makers):
    parts = []
    for _ in range(helper.DEPTH):
        weights = nn.Linear(16, 16, bias=False)
        nn.init.normal_(weights.weight)
        parts += [weights, *(make() for make in makers)]
    return nn.Sequential(*parts)
def healthy(): return layers(lambda: nn.BatchNorm1d(16), nn.ReLU)
def collapsing(): return nn.Sequential(layers(nn.ReLU), layers(nn.ReLU))
def failing(): raise RuntimeError("two\\nlines")
def leaving(): raise SystemExit(3)
def wrong(): return [1]
def demanding(width): return nn.Linear(width, width)
"""


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    Path("model.py").write_text(MODEL, encoding="utf-8")
    Path("helper.py").write_text("DEPTH = 12\n", encoding="utf-8")
    rng = np.random.default_rng(0)
    np.save("good.npy", rng.standard_normal((8, 16)))
    np.save("line.npy", np.ones(3))
    np.save("images.npy", np.ones((4, 1, 4, 4)))
    np.save("nan.npy", np.full((4, 16), np.nan))
    np.save("narrow.npy", rng.standard_normal((8, 5)))
    Path("broken.py").write_text("def build(:\n", encoding="utf-8")
    Path("text.txt").write_text("nothing", encoding="utf-8")


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["inspect", *arguments]) == 2
    printed, errors = capsys.readouterr()
    assert printed == ""
    assert errors.startswith("theorems: ")
    assert errors.count("\n") == 1
    return errors


def test_a_healthy_network_is_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "model.py:healthy", "--batch", "good.npy", "--json", "out.json"]) == 0
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert lines[0].split() == [
        "layer",
        "width",
        "gap",
        "rank",
        "soft",
        "outlier",
        "grad",
        "does",
    ]
    assert "weights → batchnorm → relu" in lines[2]
    assert "healthy: effective rank" in printed
    assert "as one of them" in printed or "unlike them" in printed
    assert "batch statistics as in training" in printed
    found = json.loads(Path("out.json").read_text(encoding="utf-8"))
    assert (found["schema"], found["condition"], found["since"], found["hidden"]) == (
        1,
        "healthy",
        None,
        12,
    )
    assert [layer["name"] for layer in found["layers"]] == [str(3 * k) for k in range(12)]
    assert all(1 <= layer["effective_rank"] <= 8 for layer in found["layers"])
    assert found["simulation"]["replicas"] == 99


def test_a_collapsing_network_is_status_1_and_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    assert main(["inspect", "model.py:collapsing", "--batch", "good.npy", "--plot", "out.png"]) == 1
    assert "collapsing at layer" in capsys.readouterr().out
    assert Path("out.png").read_bytes().startswith(b"\x89PNG")


def test_a_seed_gives_the_same_network_every_time(capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for seed in ("1", "1", "2"):
        assert main(["inspect", "model.py:healthy", "--batch", "good.npy", "--seed", seed]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != printed[2]


def test_a_checkpoint_is_loaded_and_never_run(capsys: pytest.CaptureFixture[str]) -> None:
    state = load_network("model.py:healthy", 5).state_dict()
    torch.save(state, "weights.pt")
    torch.save({"state_dict": state, "epoch": 3}, "wrapped.pt")
    outputs = []
    for arguments in (
        ["--seed", "5"],
        ["--checkpoint", "weights.pt"],
        ["--checkpoint", "wrapped.pt"],
    ):
        assert main(["inspect", "model.py:healthy", "--batch", "good.npy", *arguments]) == 0
        outputs.append(capsys.readouterr().out.split("Gradients")[0])
    assert outputs[0] == outputs[1] == outputs[2]

    class Harm:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, ("harmed",)

    torch.save({"state_dict": Harm()}, "harm.pt")
    with open("harm.pkl", "wb") as stream:
        pickle.dump(Harm(), stream)
    for name in ("harm.pt", "harm.pkl"):
        assert name in refused(
            ["model.py:healthy", "--batch", "good.npy", "--checkpoint", name], capsys
        )
    assert not Path("harmed").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["model.py", "--batch", "good.npy"], ["model.py:build"]),
        (["no.py:build", "--batch", "good.npy"], ["no.py", "no such file"]),
        (["model.py:helthy", "--batch", "good.npy"], ["'helthy'", "did you mean healthy"]),
        (["model.py:a b", "--batch", "good.npy"], ["model.py:build"]),
        (["model.py:failing", "--batch", "good.npy"], ["RuntimeError", "two lines"]),
        (["model.py:leaving", "--batch", "good.npy"], ["SystemExit"]),
        (["model.py:wrong", "--batch", "good.npy"], ["what it gives is a list; give a"]),
        (["model.py:demanding", "--batch", "good.npy"], ["TypeError", "width"]),
        (["model.py:number", "--batch", "good.npy"], ["an int; give a function"]),
        (["broken.py:build", "--batch", "good.npy"], ["broken.py", "SyntaxError"]),
        (["text.txt:build", "--batch", "good.npy"], ["text.txt", "not a Python file"]),
        (["model.py:healthy", "--batch", "no.npy"], ["no.npy", "no such file"]),
        (["model.py:healthy", "--batch", "line.npy"], ["line.npy", "(3,)"]),
        (["model.py:healthy", "--batch", "nan.npy"], ["not finite"]),
        (["model.py:healthy", "--batch", "narrow.npy"], ["(8, 5)", "module fails"]),
        (
            ["model.py:healthy", "--batch", "images.npy", "--layout", "columns"],
            ["--layout columns", "(4, 1, 4, 4)"],
        ),
        (
            ["model.py:healthy", "--batch", "good.npy", "--take", "9"],
            ["--take 9", "between 1 and 8"],
        ),
        (["model.py:healthy", "--batch", "good.npy", "--take", "2"], ["2 sample(s)", "at least 3"]),
        (["model.py:healthy", "--batch", "good.npy", "--take", "x"], ["--take", "'x'"]),
        (["model.py:healthy", "--batch", "good.npy", "--seed", "-1"], ["--seed", "'-1'"]),
        (["model.py:healthy", "--batch", "good.npy", "--plot", "x.txt"], ["--plot", "'.txt'"]),
        (
            ["model.py:healthy", "--batch", "good.npy", "--json", "no/x.json"],
            ["--json", "make it first"],
        ),
        (
            ["model.py:healthy", "--batch", "good.npy", "--checkpoint", "no.pt"],
            ["no.pt", "no such file"],
        ),
        (["model.py:healthy", "--batch", "good.npy", "--checkpoint", "text.txt"], ["text.txt"]),
        (["model.py:healthy"], ["--batch"]),
    ],
)
def test_bad_usage(
    arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    errors = refused(arguments, capsys)
    assert all(word in errors for word in words), errors


def test_a_checkpoint_of_another_network_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(load_network("model.py:ready").state_dict(), "other.pt")
    torch.save([1, 2], "list.pt")
    assert "does not fit" in refused(
        ["model.py:healthy", "--batch", "good.npy", "--checkpoint", "other.pt"], capsys
    )
    assert "holds a list" in refused(
        ["model.py:healthy", "--batch", "good.npy", "--checkpoint", "list.pt"], capsys
    )


def test_batches_have_their_samples_first() -> None:
    assert load_batch("good.npy").array.shape == (8, 16)
    assert load_batch("good.npy", "columns", 3).array.shape == (3, 8)
    images = load_batch("images.npy", take=2)
    assert images.array.shape == (2, 1, 4, 4)
    assert (
        images.description == "first 2 of 4 samples (rows) of dimension 1 × 4 × 4 from images.npy"
    )
    pytest.importorskip("sklearn")
    assert load_batch("digits", take=5).array.shape == (5, 64)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    content=st.binary(max_size=80) | st.text(max_size=40).map(str.encode),
    target=st.text(max_size=12),
)
def test_any_file_and_target_are_refused_in_one_line(
    content: bytes, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("fuzzed.py").write_bytes(b"raise Exception\n" + content)
    Path("fuzzed.pt").write_bytes(content)
    refused(["fuzzed.py:build", "--batch", "good.npy"], capsys)
    refused(["--batch", "good.npy", "--", target], capsys)
    refused(["model.py:ready", "--batch", "good.npy", "--checkpoint", "fuzzed.pt"], capsys)


@pytest.mark.parametrize("depth", [3, 12])
def test_the_table_folds_at_80_columns(
    depth: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("helper.py").write_text(f"DEPTH = {depth}\n", encoding="utf-8")
    monkeypatch.setenv("COLUMNS", "80")
    main(["inspect", "model.py:healthy", "--batch", "good.npy"])
    table, _, below = capsys.readouterr().out.partition("\n\n")
    assert table.splitlines()[0].split()[-1] == "does"
    assert all(len(line) <= 80 for line in [*table.splitlines(), *below.splitlines()])
    assert "Columns       gap: orthogonality gap" in below
    assert "Counted       a sample is a row of the batch" in below
