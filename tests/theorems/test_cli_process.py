"""The command as a process of its own: exit status, signals, pipes, streams."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from theorems.cli import main

COMMAND = [sys.executable, "-m", "theorems.cli"]
CHEAP = "orthogonality.iterative_initialisation:as_printed"
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and pipes as POSIX has them")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=120,
        env=os.environ | {"COLUMNS": "80"} | environment,
        check=False,
    )


def test_exit_statuses() -> None:
    good = run("--version")
    assert (good.returncode, good.stdout[:11], good.stderr) == (0, "theorems 0.", "")
    bad = run("verify", CHEAP, "--level", "2")
    assert (bad.returncode, bad.stdout, len(bad.stderr.splitlines())) == (2, "", 1)


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colour_only_where_it_is_wanted(
    environment: dict[str, str],
    coloured: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (environment | {"TERM": "xterm-256color"}).items():
        monkeypatch.setenv(name, value)
    assert main(["list"]) == 0
    assert ("\x1b" in capsys.readouterr().out) is coloured


def test_a_stream_without_unicode_is_no_reason_to_fail() -> None:
    found = run("show", "orthogonality.decay:sharp", PYTHONIOENCODING="ascii")
    assert (found.returncode, found.stderr) == (0, "")


@POSIX
def test_a_reader_that_goes_away_is_no_reason_to_complain() -> None:
    process = subprocess.Popen(
        [*COMMAND, "show", "orthogonality"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    if process.stdout is None or process.stderr is None:
        pytest.fail("no pipes")
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=120) == 141
    assert errors == b""


@POSIX
def test_ctrl_c_prints_what_was_established(tmp_path: Path) -> None:
    target = tmp_path / "run.json"
    process = subprocess.Popen(
        [*COMMAND, "verify", CHEAP, "orthogonality.concentration", "--json", str(target)],
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"COLUMNS": "80"},
    )
    if process.stdout is None or process.stderr is None:
        pytest.fail("no pipes")
    lines = [process.stdout.readline() for _ in range(3)]  # the second statement takes seconds
    told = process.stderr.readline()  # which follows the row
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate(timeout=120)
    assert ":as_printed   ✓ refuted" in lines[2], "verdicts come one by one"
    assert told.startswith("[1/3]")
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "Interrupted after 1 of 3 statements." in printed
    found = json.loads(target.read_text(encoding="utf-8"))
    assert found["interrupted"] is True
    assert [r["variant"] for r in found["results"]] == ["as_printed"]


def test_help_exits_with_zero(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("list", "show", "verify", "report"))
