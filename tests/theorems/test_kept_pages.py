"""What ``list`` and ``show`` print again is what they would print, or they print it anew."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from theorems.commands import kept_pages
from theorems.commands.kept_pages import printed
from theorems.registry import GROUP
from theorems.terminal.exit_statuses import AS_EXPECTED, BAD_INPUT


class _Runs:
    """A command that prints another page each time, and counts."""

    def __init__(self, status: int = AS_EXPECTED) -> None:
        self.count, self.status = 0, status

    def __call__(self) -> int:
        self.count += 1
        print(f"page {self.count} ≤ …")
        return self.status


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cache of its own, and a library of one file."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    library = tmp_path / "library"
    (library / "__pycache__").mkdir(parents=True)
    (library / "statements.py").write_text("1\n")
    monkeypatch.setattr(kept_pages, "_folders", lambda: [str(library)])
    return library


def _nothing(_: Path, __: pytest.MonkeyPatch) -> None: ...


def _compiled(library: Path, _: pytest.MonkeyPatch) -> None:
    (library / "__pycache__" / "statements.pyc").write_text("compiled")


def _edited(library: Path, _: pytest.MonkeyPatch) -> None:
    (library / "statements.py").write_text("22\n")


def _touched(library: Path, _: pytest.MonkeyPatch) -> None:
    os.utime(library / "statements.py", ns=(1, 1))


def _added(library: Path, _: pytest.MonkeyPatch) -> None:
    (library / "more.py").write_text("")


def _narrower(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "70")


def _another_encoding(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "latin-1", errors="replace"))


def _another_family(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_pages, "entry_points", lambda group: ["theirs"] * (group == GROUP))


def _another_sympy(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_pages, "version", lambda name: f"{name} 99")


def _damaged(library: Path, _: pytest.MonkeyPatch) -> None:
    for page in (library.parent / "cache").rglob("pages/*"):
        page.write_bytes(b"\xff\xfe")


@pytest.mark.parametrize(
    ("change", "runs"),
    [
        (_nothing, 1),
        (_compiled, 1),
        (_edited, 2),
        (_touched, 2),
        (_added, 2),
        (_narrower, 2),
        (_another_encoding, 2),
        (_another_family, 2),
        (_another_sympy, 2),
        (_damaged, 2),
    ],
)
def test_a_page_is_made_anew_when_what_it_comes_from_has_changed(
    change: Callable[[Path, pytest.MonkeyPatch], None],
    runs: int,
    package: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = _Runs()
    assert printed(["list"], run) == AS_EXPECTED
    change(package, monkeypatch)
    assert printed(["list"], run) == AS_EXPECTED
    assert run.count == runs


@pytest.mark.parametrize(
    ("words", "other"),
    [
        (["list", "rank"], ["list", "splines"]),
        (["show", "rank"], ["list", "rank"]),
        (["list", "a.b:c"], ["list", "a.b", "c"]),
    ],
)
@pytest.mark.usefixtures("package")
def test_other_words_are_another_page(
    words: list[str], other: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run = _Runs()
    for asked in (words, other, words):
        printed(asked, run)
    assert capsys.readouterr().out.split("\n")[:-1] == ["page 1 ≤ …", "page 2 ≤ …", "page 1 ≤ …"]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["list", "claims.py"], AS_EXPECTED),
        (["show", "claims.py::mine"], AS_EXPECTED),
        (["show", "rank", "--json", "run.json"], AS_EXPECTED),
        (["list", "./rank"], AS_EXPECTED),
        (["list", "unknown"], BAD_INPUT),
    ],
)
@pytest.mark.usefixtures("package")
def test_files_options_and_refusals_are_read_anew(words: list[str], status: int) -> None:
    run = _Runs(status)
    assert [printed(words, run), printed(words, run)] == [status, status]
    assert run.count == 2


def test_a_cache_that_cannot_be_written_is_none(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(package / "statements.py"))
    run = _Runs()
    assert [printed(["list"], run), printed(["list"], run)] == [AS_EXPECTED] * 2
    assert run.count == 2


def test_a_kept_page_is_printed_without_sympy_and_fails_as_the_first(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHONIOENCODING": "ascii"}

    def listed(out: int | IO[bytes] = subprocess.PIPE) -> tuple[int, bytes, str]:
        program = """
import sys
from theorems.cli import main
status = main()
print("sympy" in sys.modules, file=sys.stderr)
sys.exit(status)
"""
        done = subprocess.run(
            [sys.executable, "-c", program, "list", "splines"],
            env=environment,
            stdout=out,
            stderr=subprocess.PIPE,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr.decode()

    status, page, loaded = listed()
    assert (status, loaded) == (AS_EXPECTED, "True\n")
    assert b"splines  " in page
    assert listed() == (AS_EXPECTED, page, "False\n")
    with open("/dev/full", "wb") as full:
        status, _, words = listed(out=full)
    assert status == 3
    assert words.startswith("theorems: standard output: cannot be written: No space left")
