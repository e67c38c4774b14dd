"""What is named on the command line where a file is wanted: pipes, devices, names that no file
may have.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from theorems.cli import main

CHEAP = "orthogonality.iterative_initialisation:as_printed"
POSIX = pytest.mark.skipif(os.name != "posix", reason="pipes and devices as POSIX has them")
BATCH = ["--batch", "batch.npy"]

#: Command lines that read FILE, and its suffix.
READING = [
    (["verify", CHEAP, "--batch", "FILE"], ".npy"),
    (["verify", CHEAP, "--batch", "FILE"], ".npz"),
    (["verify", CHEAP, "--batch", "FILE"], ".csv"),
    (["verify", CHEAP, "--batch", "FILE:key"], ".npz"),
    (["verify", CHEAP, "--ledger", "FILE"], ".json"),
    (["verify", CHEAP, "--ledger", "FILE", "--update-ledger"], ".json"),
    (["verify", "FILE"], ".py"),
    (["falsify", "FILE::claim"], ".py"),
    (["list", "FILE"], ".py"),
    (["show", CHEAP, "--json", "FILE"], ".json"),
    (["report", "FILE", "--out", "out"], ".json"),
    (["inspect", "FILE:build", *BATCH], ".py"),
    (["inspect", "model.py:build", *BATCH, "--checkpoint", "FILE"], ".pt"),
    (["inspect", "model.py:build", "--batch", "FILE"], ".npy"),
    (["regions", "FILE:build", *BATCH, "--out", "out"], ".py"),
    (["regions", "model.py:build", "--batch", "FILE", "--out", "out"], ".npy"),
    (["sweep", "FILE", "--store", "s.db"], ".toml"),
    (["sweep", "--export", "out.csv", "--store", "FILE"], ".db"),
    (["recheck", "FILE"], ".json"),
]
#: Command lines that write FILE.
WRITING = [
    (["verify", CHEAP, "--json", "FILE"], ".json"),
    (["verify", CHEAP, "--report", "FILE"], ""),
    (["falsify", CHEAP, "--json", "FILE"], ".json"),
    (["falsify", "claims.py", "--corpus", "FILE"], ""),
    (["certify", CHEAP, "--out", "FILE"], ""),
    (["prove", "--export", CHEAP, "FILE"], ".v"),
    (["inspect", "model.py:build", *BATCH, "--plot", "FILE"], ".png"),
    (["inspect", "model.py:build", *BATCH, "--json", "FILE"], ".json"),
    (["regions", "model.py:build", *BATCH, "--out", "FILE"], ""),
    (["sweep", "--export", "FILE", "--store", "s.db"], ".csv"),
]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("batch.npy", np.random.default_rng(0).standard_normal((4, 8)))
    Path("model.py").write_text("from torch import nn\ndef build(): return nn.Linear(8, 8)\n")
    Path("claims.py").write_text(
        "from theorems import conjecture\nclaim = conjecture('x <= 1', x='[0, 1]')\n"
    )


def refused(
    arguments: list[str],
    name: str,
    capsys: pytest.CaptureFixture[str],
    statuses: tuple[int, ...] = (2,),
) -> str:
    given = [word.replace("FILE", name) for word in arguments]
    assert main(given) in statuses
    errors = capsys.readouterr().err
    assert len(errors.splitlines()) == 1, errors
    assert "Traceback" not in errors
    return errors


@POSIX
@pytest.mark.parametrize(("arguments", "suffix"), READING)
@pytest.mark.parametrize("kind", ["pipe", "device", "loop", "directory"])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(
    arguments: list[str], suffix: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"given{suffix}"
    if kind == "pipe":
        os.mkfifo(name)
    elif kind == "directory":
        Path(name).mkdir()
    else:
        Path(name).symlink_to("/dev/zero" if kind == "device" else name)
    refused(arguments, name, capsys)


@pytest.mark.parametrize(("arguments", "suffix"), [*READING, *WRITING])
@pytest.mark.parametrize("length", [300, 5000])
def test_names_that_no_file_may_have_are_refused_in_one_line(
    arguments: list[str], suffix: str, length: int, capsys: pytest.CaptureFixture[str]
) -> None:
    if {"--plot", "--report", "regions"} & {*arguments}:
        pytest.importorskip("matplotlib")
    said = refused(arguments, "n" * length + suffix, capsys)
    assert len(said) < 2000


@pytest.mark.parametrize("length", [300, 5000])
@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", "NAME"],
        ["show", "orthogonality.NAME"],
        ["verify", "claims.py::NAME"],
        ["verify", CHEAP, "--NAME"],
        ["NAME"],
        ["verify", "--claim", "NAME <= 1"],
        ["verify", "--claim", "x <= 1", "--where", "NAME=[0, 1]"],
        ["sweep", "--store", "s.db", "--chain", "NAME"],
        ["verify", "--claim", "x <= 1", "--chain", "NAME"],
        ["verify", CHEAP, "--seed", "NAME"],
        ["inspect", "model.py:NAME", *BATCH],
        ["sweep", "--store", "s.db", "--dask", "NAME"],
    ],
)
def test_long_names_of_anything_are_told_in_one_line_that_can_be_read(
    arguments: list[str], length: int, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [word.replace("NAME", "n" * length) for word in arguments]
    assert main(given) == 2
    errors = capsys.readouterr().err
    assert len(errors.splitlines()) == 1
    assert len(errors) < 2000
