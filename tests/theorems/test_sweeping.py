"""``theorems sweep``: what it prints, how it ends, what it refuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.sweeps.store import Store
from theorems.cli import main

AXES = ["--chain", "rescale", "--width", "8", "--batch", "3", "--depth", "4"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 2
    printed, errors = capsys.readouterr()
    assert printed == ""
    assert errors.startswith("theorems: ")
    assert errors.count("\n") == 1
    return errors


def test_gradients_are_swept_once_it_is_said_what_they_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["sweep", "--chain", "batchnorm(relu)", "--width", "16", "--batch", "3", "--depth", "4"]
    words += ["--observables", "gradient_norm", "--store", "x.db", "--workers", "1"]
    assert "give backward, as 'gaussian'" in refused(words, capsys)
    words += ["--backward", "gaussian"]
    assert main([*words, "--dry-run"]) == 0
    assert main([*words, "--export", "x.csv"]) == 0
    assert main(words) == 0
    assert "1 in the store already, 0 computed" in said(capsys)


def test_a_sweep_and_its_second_start(capsys: pytest.CaptureFixture[str]) -> None:
    Path("g.toml").write_text(
        'chain = ["rescale", "vanilla(tanh)"]\nwidth = 8\nbatch = 3\ndepth = 4\nseeds = "0..2"\n'
    )
    start = ["sweep", "g.toml", "--store", "x.db", "--workers", "1"]
    assert main([*start, "--dry-run"]) == 0
    assert "Runs 6, of which 0 in the store already Engines factor 6 One core" in said(capsys)
    assert not Path("x.db").exists(), "a dry run leaves nothing"
    assert main([*start, "--export", "x.csv"]) == 0
    assert "Runs 6: 0 in the store already, 6 computed" in (printed := said(capsys))
    assert "x.csv, 30 rows" in printed
    assert main([*start, "--seeds", "0..3", "--dry-run"]) == 0
    assert "Runs 8, of which 6 in the store already" in said(capsys)
    assert main([*start, "--seeds", "0..3"]) == 0
    assert "Runs 8: 6 in the store already, 2 computed" in said(capsys)
    assert main(["sweep", "--store", "x.db", "--export", "all.csv"]) == 0
    assert "all.csv, 40 rows" in said(capsys)
    assert main([*start, "--dry-run"]) == 0
    assert said(capsys) == "Runs 6, of which 6 in the store already"


def test_a_failed_run_is_status_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The width is beyond any machine, and with a blind door only the worker finds out."""
    monkeypatch.setattr("simulators.sweeps.grid.require_affordable", lambda *_, **__: None)
    arguments = ["sweep", *AXES, "--store", "x.db", "--workers", "1", "--width", "8", str(2**60)]
    assert main(arguments) == 1
    printed = said(capsys)
    assert "1 computed, 1 failed" in printed
    assert f"Failed rescale, width {2**60}, n 3, depth 4, seed 0:" in printed


def test_ctrl_c_is_status_130_and_keeps_what_is_finished(tmp_path: Path) -> None:
    """A run takes too long for all of them to end before the first is seen."""
    arguments = [
        "sweep",
        *AXES,
        "--store",
        "x.db",
        "--workers",
        "2",
        "--width",
        "64",
        "--depth",
        "20000",
        "--seeds",
        "0..299",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "theorems.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.2)
        if Path("x.db").exists() and kept():
            break
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert f"Interrupted: {kept()} of 300 results are stored in x.db; start again" in out
    assert err == ""
    assert 0 < kept() < 300


def test_a_full_disk_is_one_line_and_keeps_what_is_stored(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The system lets no file grow beyond 60 kB, in the main process as on a disk that is full."""
    arguments = ["sweep", *AXES, "--store", "x.db", "--workers", "1", "--seeds", "0..39"]
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000));"
        f"from theorems.cli import main; sys.exit(main({arguments!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("theorems: x.db: the disk failed or is full")
    assert done.stderr.count("\n") == 1
    before = kept()
    assert 0 < before < 40
    assert main(arguments) == 0
    assert f"{before} in the store already, {40 - before} computed" in said(capsys)


def kept() -> int:
    with Store("x.db") as store:
        return len(store.finished())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["--store"]),
        (["--store", "x.db"], ["no grid", "GRID.toml"]),
        (["missing.toml", "--store", "x.db"], ["missing.toml", "no such file"]),
        (["--store", "x.db", "--export", "x.csv"], ["no such store"]),
        (["--store", "x.db", "--export", "x.txt", *AXES], ["'.txt'"]),
        (["--store", "x.csv", "--export", "./x.csv", *AXES], ["the store itself"]),
        (["--store", "x.db", "--export", "no/x.csv", *AXES], ["--export", "make it first"]),
        (["--store", ".", *AXES], ["a directory"]),
        (["--store", "no/x.db", *AXES], ["no directory"]),
        (["--store", "x.db", *AXES, "--workers", "0"], ["--workers", "'0'", "≥ 1"]),
        (["--store", "x.db", *AXES, "--workers", "many"], ["--workers", "'many'"]),
        (
            ["--store", "x.db", *AXES, "--workers", "2", "--dask", "tcp://x:1"],
            ["--workers 2", "leave one out"],
        ),
        (["--store", "x.db", *AXES, "--width", "2"], ["3 samples", "at most 2"]),
        (
            ["--store", "x.db", *AXES, "--chain", "residual(0.1)", "--width", "1", "--batch", "1"],
            ["width=1", "a rank needs 2 rows or more"],
        ),
        (["--store", "x.db", *AXES, "--seeds", "one"], ["seeds='one'"]),
        (["--store", "x.db", "--chain", "rescale"], ["width is missing"]),
        (
            ["--store", "x.db", *AXES, "--dask", "tcp://127.0.0.1:notaport"],
            ["dask", "notaport", "not an address"],
        ),
    ],
)
def test_bad_usage(
    arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    if "--dask" in arguments:
        pytest.importorskip("distributed")
    errors = refused(["sweep", *arguments], capsys)
    assert all(word in errors for word in words), errors


def test_a_damaged_store_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    start = ["sweep", *AXES, "--store", "x.db", "--workers", "1"]
    assert main(start) == 0
    capsys.readouterr()
    content = Path("x.db").read_bytes()
    assert b"\x93NUMPY" in content
    Path("x.db").write_bytes(content.replace(b"\x93NUMPY", b"\x92NUMPY"))
    assert "x.db: damaged" in refused(start, capsys)
    assert "x.db: damaged" in refused([*start, "--dry-run"], capsys)


TEXT = st.sampled_from(
    [
        "rescale",
        "vanilla(tanh)",
        "8",
        "0..3",
        "-1",
        "digits",
        "x.npy",
        "gram",
        "float32",
        "(",
        "5e3",
    ]
) | st.text(max_size=6)
OPTIONS = st.sampled_from(
    [
        "chain",
        "width",
        "batch",
        "depth",
        "weights",
        "seeds",
        "observables",
        "replicas",
        "engine",
        "dtype",
        "batch-seed",
        "workers",
    ]
)


@pytest.mark.filterwarnings("ignore:engine 'gram' is called")
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.dictionaries(OPTIONS, TEXT, max_size=3), grid=st.none() | st.binary(max_size=30))
def test_any_arguments_are_planned_or_refused_in_one_line(
    changes: dict[str, str], grid: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only checked and planned, by a store that refuses to open, so that nothing large is run."""
    arguments = [
        "sweep",
        *AXES,
        *(f"--{name}={value}" for name, value in changes.items()),
        "--store",
        ".",
    ]
    if grid is not None:
        Path("fuzzed.toml").write_bytes(grid)
        arguments.insert(1, "fuzzed.toml")
    refused(arguments, capsys)


def test_a_cluster_that_is_lost_says_so_in_one_line() -> None:
    """Dask's own threads log their tracebacks; its import, which has to come first, would turn that
    on again.
    """
    pytest.importorskip("distributed")
    script = """
import contextlib, logging
from theorems.commands import sweep
@contextlib.contextmanager
def lost(address):
    import distributed
    for name in ("distributed", "distributed.client", "distributed.nanny"):
        logging.getLogger(name).error("Traceback of %s", name)
    yield
    raise RuntimeError("lost")
sweep.dask_cluster = lost
with contextlib.suppress(RuntimeError), sweep._crew(None, "tcp://x:1"):
    pass
assert logging.getLogger("distributed.client").isEnabledFor(logging.ERROR)  # as it was
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert (done.returncode, done.stderr) == (0, "")
