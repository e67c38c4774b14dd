"""What the command does with hostile surroundings: streams that fail, signals, terminals that
obey what is printed.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from theorems.cli import main
from theorems.terminal.streams import harmless, spelled

COMMAND = [sys.executable, "-m", "theorems.cli"]
ROOT = Path(__file__).parents[2]
GAP = "orthogonality.gap_vs_smallest_eigenvalue:sharp"
CHEAP = "orthogonality.iterative_initialisation:as_printed"
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and pipes as POSIX has them")


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line for the shell in which ``theorems`` is the command of this project."""
    script = f'theorems() {{ "{sys.executable}" -m theorems.cli "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=120,
        env=os.environ | environment,
        check=False,
    )


# --- outputs that cannot be written ---------------------------------------------------------------


@POSIX
@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        (
            "theorems list rank >/dev/full",
            3,
            "standard output: cannot be written: No space left on device",
        ),
        (
            "theorems --help >/dev/full",
            3,
            "standard output: cannot be written: No space left on device",
        ),
        ("theorems list rank >&-", 3, "standard output: closed"),
        ("theorems --version >&-", 3, "standard output: closed"),
        (
            "theorems --help 1</dev/null",
            3,
            "standard output: cannot be written: Bad file descriptor",
        ),
        (
            "theorems verify " + CHEAP + " --json out.json >/dev/full 2>/dev/null; echo $? >&2",
            0,
            "3",
        ),
        ("theorems --help 2>/dev/full | head -n 1", 0, ""),
        ("theorems --help <&- | tail -n 1", 0, ""),
        ("theorems verify " + CHEAP + " 2>&- | tail -n 1", 0, ""),
        ("theorems list rank 2>/dev/null | head -n 1; exit ${PIPESTATUS[0]}", 141, ""),
    ],
)
def test_streams_that_fail_end_in_one_line_and_their_status(
    line: str, status: int, said: str
) -> None:
    found = shell(line)
    assert found.returncode == status, found.stderr
    assert "Traceback" not in found.stderr
    assert len(found.stderr.splitlines()) == bool(said), found.stderr
    assert said in found.stderr
    if "out.json" in line:
        assert json.loads(Path("out.json").read_text(encoding="utf-8"))["results"], (
            "what was found is lost"
        )


# --- interruptions --------------------------------------------------------------------------------


@POSIX
@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_signals_print_and_save_what_was_established(name: str, status: int) -> None:
    process = subprocess.Popen(
        [
            *COMMAND,
            "verify",
            CHEAP,
            "orthogonality.concentration",
            "--json",
            "out.json",
            "--ledger",
            "ledger.json",
            "--update-ledger",
        ],
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if process.stderr is None:
        pytest.fail("no pipes")
    first = process.stderr.readline()  # the first statement is done, the second takes seconds
    process.send_signal(getattr(signal, name))
    printed, errors = process.communicate(timeout=120)
    assert first.startswith("[1/3]")
    assert process.returncode == status, errors
    assert "Traceback" not in errors
    assert ":as_printed   ✓ refuted" in printed
    assert "Interrupted after 1 of 3 statements." in printed
    found = json.loads(Path("out.json").read_text(encoding="utf-8"))
    assert found["interrupted"] is True
    assert [r["variant"] for r in found["results"]] == ["as_printed"]
    assert list(json.loads(Path("ledger.json").read_text(encoding="utf-8"))["statements"]) == [
        CHEAP
    ]


@POSIX
@pytest.mark.parametrize(
    ("module", "arguments", "name", "status"),
    [
        ("theorems.commands.command_line", ["list", "rank"], "SIGINT", 130),
        ("numpy", ["list", "rank"], "SIGINT", 130),
        ("sympy", ["list", "rank"], "SIGINT", 130),
        ("hypothesis", ["falsify", "examples"], "SIGINT", 130),
        ("torch", ["inspect", "model.py:build", "--batch", "digits"], "SIGINT", 130),
        ("theorems.commands.command_line", ["list", "rank"], "SIGTERM", 143),
        ("numpy", ["list", "rank"], "SIGTERM", 143),
    ],
)
def test_a_signal_during_imports_is_no_traceback(
    module: str, arguments: list[str], name: str, status: int
) -> None:
    """It comes exactly when the module is looked for."""
    script = f"""
import os, signal, sys
class Pressing:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.{name})
sys.meta_path.insert(0, Pressing())
from theorems.cli import main
sys.exit(main({arguments!r}))
"""
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert (found.returncode, found.stdout, found.stderr) == (status, "", "")


def test_a_signal_that_a_library_swallows_is_no_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def swallowing(argv: object) -> int:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise RuntimeError("could not do it") from None
        return 0

    monkeypatch.setattr("theorems.commands.command_line.run", swallowing)
    assert main([]) == 130
    assert capsys.readouterr() == ("", "")


# --- terminals and encodings ----------------------------------------------------------------------


@pytest.mark.parametrize("columns", ["0", "1", "-5", "²", "1e3", "999999999999", "٣", ""])
def test_a_width_that_is_none_prints_everything(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("LINES", columns)
    assert main(["verify", CHEAP]) == 0
    printed = capsys.readouterr().out
    assert ":as_printed   ✓ refuted" in printed
    assert max(map(len, printed.splitlines())) <= 120


SPELLED = ["show", "orthogonality.unit_frobenius", "orthogonality.decay:sharp"]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp437"])
def test_an_encoding_without_the_symbols_spells_them(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr("sys.stdout", stream)
    assert main(SPELLED) == 0
    stream.flush()
    printed = " ".join(stream.buffer.getvalue().decode(encoding).split())  # type: ignore[attr-defined]
    assert "?" not in printed
    assert "\\u" not in printed
    assert (
        "E V(H_{l+1}) <= " in printed or encoding == "cp437"
    )  # which has a character of its own for ≤
    assert "in {1, 2, " in printed


def test_the_encoding_of_the_process_is_what_counts() -> None:
    done = subprocess.run(
        [*COMMAND, *SPELLED],
        capture_output=True,
        timeout=120,
        check=False,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert "E V(H_{l+1}) <= " in " ".join(done.stdout.decode("ascii").split())


@pytest.mark.parametrize(
    ("character", "said"),
    [
        ("≤", "<="),
        ("σ", "sigma"),
        ("Δ", "Delta"),
        ("λ", "lambda"),
        ("₁", "_1"),
        ("²", "^2"),
        ("½", "1/2"),
        ("√", "sqrt"),
        ("é", "e"),
        ("ﬁ", "fi"),
        ("␛", "\\x1b"),
        ("␡", "\\x7f"),
        ("\udcff", "\\xff"),
        ("\ud800", "\\ud800"),
        ("漢", "\\u6f22"),
        ("𝔸", "A"),
        ("🙂", "\\U0001f642"),
        ("�", "?"),
    ],
)
def test_every_character_has_a_spelling_in_ascii(character: str, said: str) -> None:
    assert spelled(character) == said
    assert character.encode("ascii", "theorems.spelled").decode() == said


def test_words_do_not_run_into_each_other_when_spelled() -> None:
    assert "cα√n ≤ σₙ²".encode("ascii", "theorems.spelled") == b"c alpha sqrt n <= sigma_n^2"


def test_nothing_that_is_printed_is_obeyed_by_a_terminal() -> None:
    everything = "".join(map(chr, range(0x3000)))
    shown = harmless(everything)
    assert len(shown) == len(everything)
    obeyed = {
        c
        for c in shown
        if unicodedata.category(c) == "Cc"
        or unicodedata.bidirectional(c)
        in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "B")
    }
    assert obeyed <= {"\n", "\t"}


ESCAPE = "\x1b]0;taken\x07\x1b[2J\x9b31m\u202e"
HOSTILE_CLAIMS = f"""
from theorems import conjecture
@conjecture(x="[0, 1]", name="claim")
def claim(x):
    return "x <= 1"
claim.title = {ESCAPE!r}
other = conjecture("x <= 2 + y", x="[0, 1]", y="[0, 1]")
raise ValueError({ESCAPE!r})
"""


def _hostile_files() -> None:
    Path(f"{ESCAPE}.csv").write_text("1,2\n", encoding="utf-8")
    Path("cells.csv").write_text(f"1,2\n3,{ESCAPE}\n", encoding="utf-8")
    Path("claims.py").write_text(HOSTILE_CLAIMS, encoding="utf-8")
    Path("titled.py").write_text(HOSTILE_CLAIMS.partition("raise")[0], encoding="utf-8")
    Path("model.py").write_text(
        f"def build():\n    raise ValueError({ESCAPE!r})\n", encoding="utf-8"
    )
    Path("grid.toml").write_text(
        f"chain = {json.dumps(ESCAPE)}\nwidth = 4\nbatch = 2\ndepth = 1\n", encoding="utf-8"
    )
    Path("ledger.json").write_text(json.dumps({"schema": ESCAPE}), encoding="utf-8")
    Path("certificate.json").write_text(
        json.dumps({"schema": 1, "kind": ESCAPE, "claim": ESCAPE}), encoding="utf-8"
    )
    assert main(["verify", CHEAP, "--json", "run.json"]) == 0
    found = json.loads(Path("run.json").read_text(encoding="utf-8"))
    found["results"][0]["evidence"][0]["summary"] = ESCAPE
    Path("run.json").write_text(json.dumps(found), encoding="utf-8")
    Path("batch.csv").write_text("1,2\n3,4\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["verify", ESCAPE], 2),
        (["verify", CHEAP, "--batch", f"{ESCAPE}.csv"], 0),
        (["verify", CHEAP, "--batch", "cells.csv"], 2),
        (["verify", "claims.py"], 2),
        (["show", "titled.py"], 0),
        (["list", "titled.py"], 0),
        (["verify", CHEAP, "--ledger", "ledger.json"], 2),
        (["recheck", "certificate.json"], 2),
        (["sweep", "grid.toml", "--store", "s.db"], 2),
        (["show", CHEAP, "--json", "run.json"], 0),
        (["inspect", "model.py:build", "--batch", "batch.csv"], 2),
        (["verify", "--claim", ESCAPE], 2),
        (["falsify", "titled.py::claim", "--corpus", ESCAPE], 0),
        (["verify", f"--{ESCAPE}"], 2),
    ],
)
def test_escape_sequences_from_files_and_names_do_not_reach_the_terminal(
    arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    _hostile_files()
    capsys.readouterr()
    found = main(arguments)
    printed, errors = capsys.readouterr()
    assert found == status, errors
    assert not set(ESCAPE[:1] + "\x07\x9b\u202e") & set(printed + errors)
    if status == 2:
        assert len(errors.splitlines()) == 1, errors


def test_a_name_that_is_no_text_is_printed_and_written(capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(b"\xff.csv")
    Path(name).write_text("1,0\n0,1\n", encoding="utf-8")
    assert main(["verify", GAP, "--batch", name, "--json", "out.json"]) == 0
    environment = json.loads(Path("out.json").read_text(encoding="utf-8"))["environment"]
    assert "\\udcff.csv" in environment["batch"]["description"]
