"""Bad usage and input: exit status 2 and exactly one line on standard error, before anything runs."""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import theorems.verification as RUNNING
from theorems.cli import main

CHEAP = "orthogonality.iterative_initialisation:as_printed"


def started(*_: Any) -> Iterator[None]:
    """In place of the run: a generator, so that it does nothing before its first result is asked
    for.
    """
    yield pytest.fail("the run started")


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of good and bad files as the working directory; running anything is a failure."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(RUNNING, "_results", started)
    np.save("good.npy", np.random.default_rng(0).standard_normal((3, 5)))
    np.save("tall.npy", np.ones((5, 3)))
    np.save("objects.npy", np.array([[1, None]], dtype=object), allow_pickle=True)
    np.save("nan.npy", np.array([[1.0, np.nan], [0.0, 1.0]]))
    np.save("zero.npy", np.zeros((3, 2)))
    np.save("line.npy", np.ones(3))
    Path("pickle.npy").write_bytes(pickle.dumps([1, 2]))
    Path("ragged.csv").write_text("1,2\n3\n", encoding="utf-8")
    Path("words.csv").write_text("1,2\nthree,4\n", encoding="utf-8")
    Path("cut.npy").write_bytes(Path("good.npy").read_bytes()[:-8])
    Path("batch.txt").write_text("1 2\n", encoding="utf-8")
    Path("a_file").write_text("", encoding="utf-8")
    Path("a_folder").mkdir()
    Path("not.json").write_text("{", encoding="utf-8")
    Path("other.json").write_text(json.dumps({"schema": 2}), encoding="utf-8")
    Path("empty.json").write_text(json.dumps({"schema": 1}), encoding="utf-8")


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 2
    printed, errors = capsys.readouterr()
    assert printed == ""
    assert len(errors.splitlines()) == 1, errors
    assert errors.startswith("theorems: ")
    return errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], ["COMMAND"]),
        (["proof"], ["'proof'", "prove"]),
        (["prove", "orthogonality.decy"], ["'orthogonality.decy'", "orthogonality.decay"]),
        (["prove", "--record", "today"], ["'today'", "YYYY-MM-DD"]),
        (
            ["prove", "orthogonality", "--record", "2026-01-31"],
            ["all statements", "leave out orthogonality"],
        ),
        (["prove", "--export"], ["--export"]),
        (["prove", "--export", "orthogonality.gap"], ["'orthogonality.gap'", "did you mean"]),
        (["prove", "--export", "orthogonality.unit_frobenius", "a.v", "b.v"], ["NAME FILE"]),
        (
            ["prove", "--export", "orthogonality.unit_frobenius", "nowhere/a.v"],
            ["nowhere", "make it first"],
        ),
        (["prove", "--export", "orthogonality.decay:sharp"], ["expectation", "only pointwise"]),
        (["prove", "--export", "orthogonality.contraction:sharp"], ["Integral", "no printed form"]),
        (
            ["prove", "--record", "2026-01-31", "--export", "orthogonality.unit_frobenius"],
            ["leave out the rest"],
        ),
        (["show"], ["NAME"]),
        (["list", "orthogonality.decy"], ["'orthogonality.decy'", "orthogonality.decay"]),
        (["show", "decay"], ["'decay'", "orthogonality.decay"]),
        (["verify", "orthogonality.gap:sharp"], ["'orthogonality.gap:sharp'", "did you mean"]),
        (["verify", "--colour"], ["--colour", "--help"]),
        (["verify", "--leve", "0.1"], ["--leve"]),
    ],
)
def test_bad_usage(
    arguments: list[str], said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    errors = refused(arguments, capsys)
    assert all(word in errors for word in said)


@pytest.mark.parametrize(
    ("option", "value", "remedy"),
    [
        ("--level", "0", "between 0 and 1"),
        ("--level", "1e-400", "--level 1e-400: want a probability between 0 and 1"),
        ("--level", "1", "between 0 and 1"),
        ("--level", "-0.5", "between 0 and 1"),
        ("--level", "nan", "between 0 and 1"),
        ("--level", "inf", "between 0 and 1"),
        ("--level", "small", "not a number"),
        ("--seed", "-1", "nonnegative"),
        ("--seed", "1.5", "whole number"),
        ("--seed", "nan", "whole number"),
        ("--budget", "0", "positive"),
        ("--budget", "-2", "positive"),
        ("--budget", "nan", "positive"),
        ("--budget", "soon", "not a number"),
        ("--take", "some", "whole number"),
        ("--take", "2", "add --batch"),
        ("--layout", "rows", "add --batch"),
        ("--layout", "diagonal", "'rows'"),
    ],
)
def test_bad_numbers(
    option: str, value: str, remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    errors = refused(["verify", CHEAP, option, value], capsys)
    assert option in errors
    assert value in errors
    assert remedy in errors


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["missing.npy"], ["missing.npy", "no such file"]),
        ([""], ["no such file"]),
        (["a_folder"], ["directory"]),
        (["batch.txt"], [".npy, .npz or .csv"]),
        (["ragged.csv"], ["line 2"]),
        (["words.csv"], ["'three'"]),
        (["nan.npy"], ["nan", "finite"]),
        (["zero.npy"], ["all zero"]),
        (["line.npy"], ["(3,)", "two-dimensional"]),
        (["cut.npy"], ["truncated"]),
        (["pickle.npy"], ["pickle", "refused"]),
        (["objects.npy"], ["pickled", "refused"]),
        (["tall.npy"], ["5 samples of dimension 3", "--layout columns", "--take"]),
        (["good.npy", "--layout", "columns"], ["--layout rows"]),
        (["good.npy", "--take", "0"], ["--take 0", "between 1 and 3"]),
        (["good.npy", "--take", "4"], ["--take 4", "between 1 and 3"]),
        (["digits", "--layout", "rows"], ["--layout rows", "leave it out"]),
        (["digits", "--take", "65"], ["65 samples of dimension 64"]),
    ],
)
def test_bad_batches(given: list[str], said: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    if given[0] == "digits":
        pytest.importorskip("sklearn")
    errors = refused(["verify", CHEAP, "--batch", *given], capsys)
    assert all(word in errors for word in said), errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["verify", CHEAP, "--batch", "good.npy", "--take", "9"],
            "good.npy: --take 9 of 3 samples",
        ),
        (
            [
                "sweep",
                "--store",
                "s.db",
                "--chain",
                "rescale",
                "--width",
                "8",
                "--depth",
                "1",
                "--batch",
                "tall.npy",
            ],
            "pass --layout columns; or keep the first few with take",
        ),
        (["list", "nothing level=3 take=2"], "'nothing level=3 take=2'"),
        (["list", "keep the few with take"], "'keep the few with take'"),
    ],
)
def test_arguments_of_the_library_are_spelled_as_options_of_the_verb_and_what_was_given_is_quoted(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(arguments, capsys)


def test_digits_without_scikit_learn_name_the_remedy(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    assert "batchnorm-theorems[digits]" in refused(["verify", CHEAP, "--batch", "digits"], capsys)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--json", "no/such/run.json", "make it first"),
        ("--json", "a_folder", "name a file"),
        ("--json", "", "name a file"),
        ("--json", os.devnull, "name another file"),
        ("--json", "a_file/run.json", "no directory"),
        ("--report", "a_file", "not a directory"),
        ("--report", "a_file/report", "cannot be made"),
        ("--report", "", "not a directory"),
    ],
)
def test_places_that_cannot_be_written(
    option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    errors = refused(["verify", CHEAP, option, value], capsys)
    assert option in errors
    assert value in errors
    assert said in errors


@pytest.mark.parametrize("option", ["--json", "--report"])
def test_a_folder_without_permission(
    option: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")

    def denied(path: Path, **_: Any) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(
        Path, "touch", denied
    )  # a superuser, who may write anywhere, runs this test too
    value = "a_folder/run.json" if option == "--json" else "a_folder"
    errors = refused(["verify", CHEAP, option, value], capsys)
    assert "cannot be written: Permission denied" in errors


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.json", "cannot be read"),
        ("not.json", "not JSON"),
        ("other.json", "schema is 2"),
        ("empty.json", "missing"),
        ("good.npy", "not JSON"),
    ],
)
@pytest.mark.parametrize("command", ["report", "show"])
def test_files_that_are_no_document_of_a_run(
    command: str, name: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (
        ["report", name, "--out", "out"] if command == "report" else ["show", CHEAP, "--json", name]
    )
    errors = refused(arguments, capsys)
    assert name in errors
    assert said in errors
    assert not Path("out").exists()


def test_the_report_directory_is_not_made_for_a_refused_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    refused(["verify", "nonsense", "--report", "out"], capsys)
    refused(["verify", CHEAP, "--level", "2", "--report", "out"], capsys)
    assert not Path("out").exists()


CLAIMS = "from theorems import conjecture\nclaim = conjecture('x <= 1', x='[0, 2]')\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify", CHEAP, "--batch", "good.npy", "--json", "good.npy"], "is the batch itself"),
        (["verify", CHEAP, "--batch", "linked.npy", "--json", "good.npy"], "is the batch itself"),
        (["verify", CHEAP, "--batch", "many.npz:H", "--json", "./many.npz"], "is the batch itself"),
        (["verify", "mine.py", "--json", "mine.py"], "is the file of claims mine.py itself"),
        (
            ["verify", CHEAP, "mine.py::claim", "--json", "a_folder/../mine.py"],
            "is the file of claims mine.py itself",
        ),
        (
            ["inspect", "mine.py:build", "--batch", "good.npy", "--json", "good.npy"],
            "is the batch itself",
        ),
        (
            ["inspect", "mine.py:build", "--batch", "good.npy", "--json", "mine.py"],
            "is the network itself",
        ),
        (
            [
                "inspect",
                "mine.py:build",
                "--batch",
                "good.npy",
                "--checkpoint",
                "w.png",
                "--plot",
                "w.png",
            ],
            "is the checkpoint itself",
        ),
        (
            [
                "inspect",
                "mine.py:build",
                "--batch",
                "good.npy",
                "--json",
                "x.png",
                "--plot",
                "x.png",
            ],
            "is what --json writes itself",
        ),
        (
            [
                "sweep",
                "--store",
                "s.db",
                "--chain",
                "rescale",
                "--width",
                "8",
                "--depth",
                "1",
                "--batch",
                "good.csv",
                "--export",
                "good.csv",
            ],
            "is the batch good.csv itself",
        ),
        (["sweep", "grid.csv", "--store", "s.db", "--export", "grid.csv"], "is the grid itself"),
    ],
)
def test_what_is_read_is_never_replaced(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if "--plot" in arguments:
        pytest.importorskip("matplotlib")
    Path("mine.py").write_text(CLAIMS)
    Path("linked.npy").symlink_to("good.npy")
    Path("good.csv").write_text("1,0\n0,1\n")
    Path("w.png").write_text("")
    Path("grid.csv").write_text("chain = 'rescale'\nwidth = 8\nbatch = 2\ndepth = 1\n")
    np.savez("many.npz", H=np.eye(3))
    before = {path: path.read_bytes() for path in Path().iterdir() if path.is_file()}
    assert said in refused(arguments, capsys)
    assert {path: path.read_bytes() for path in Path().iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "an empty file"), (b"\0" * 9, "w.pt: "), (b"PK\3\4", "w.pt: ")]
)
def test_checkpoints_that_hold_nothing_are_told(
    content: bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("model.py").write_text("from torch import nn\ndef build(): return nn.Linear(3, 3)\n")
    Path("w.pt").write_bytes(content)
    errors = refused(
        ["inspect", "model.py:build", "--batch", "good.npy", "--checkpoint", "w.pt"], capsys
    )
    assert said in errors
    assert not errors.rstrip().endswith(":")


@pytest.mark.parametrize(
    "raised",
    [
        "class E(Exception):\n    def __str__(self): 1/0\nraise E\n",
        "class E(BaseException): pass\nraise E\n",
        "raise GeneratorExit\n",
    ],
)
@pytest.mark.parametrize(
    "command",
    [["verify", "mine.py"], ["inspect", "mine.py:build", "--batch", "good.npy"]],
    ids=["verify", "inspect"],
)
def test_a_file_may_raise_anything(
    raised: str, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine.py").write_text(raised)
    assert "mine.py" in refused(command, capsys)
