"""The command, run in this process: what it prints, what it writes, how it exits."""

from __future__ import annotations

import io
import json
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import sympy as sp

import theorems.registry as LIBRARY
import theorems.report
import theorems.verification as RUNNING
from theorems.cli import main
from theorems.registry import get, library
from theorems.statement import Evidence, Sentinel, Statement, Verdict

GAP = "orthogonality.gap_vs_smallest_eigenvalue"
STEPS = "orthogonality.iterative_initialisation"
CHEAP = f"{STEPS}:as_printed"


@pytest.fixture(autouse=True)
def eighty_columns_and_no_ledger(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def strict(path: Path) -> Any:
    """The JSON value in a file, refusing NaN and infinities."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{path} holds {word}")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def offer(monkeypatch: pytest.MonkeyPatch, *statements: Statement) -> None:
    """Make these statements, without their proofs, the whole library, for the command and for the
    run.
    """
    bare = tuple(replace(s, proof=None) for s in statements)
    monkeypatch.setattr(LIBRARY, "library", lambda *_: bare)


class _Finding:
    """A check that says what it is told to say."""

    def __init__(self, **given: Any) -> None:
        self.given = {
            "method": "search",
            "verdict": Verdict.CERTIFIED,
            "summary": "as told",
            "sentinel": Verdict.REFUTED,
        } | given

    def __call__(self, statement: Statement, context: Any) -> Evidence:
        context.progress(statement.name)
        return Evidence(**self.given)


# --- list and show --------------------------------------------------------------------------------


def test_list_shows_every_statement(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    printed, errors = capsys.readouterr()
    assert errors == ""
    lines = printed.splitlines()
    for family, number in Counter(s.family for s in library()).items():
        assert any(line.split() == [family, str(number), "statements"] for line in lines)
    position = 0
    for statement in library():
        position = lines.index(f"{statement.family}.{statement.theorem}", position and 0)
        row = next(
            line
            for line in lines[position + 1 :]
            if line.startswith(f"  :{statement.variant}") or not statement.variant
        )
        assert statement.expected.value in row
        assert statement.quantifier.value in row


@pytest.mark.parametrize("width", [80, 120])
def test_list_and_show_fit_the_width_in_plain_text(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["list"]) == 0
    assert main(["show", "orthogonality"]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    # combining characters (V̂, r̄) take no column
    printed = "".join(each for each in printed if not unicodedata.combining(each))
    assert max(map(len, printed.splitlines())) <= width


def test_list_of_one_theorem_lists_only_its_forms(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", GAP]) == 0
    printed = capsys.readouterr().out
    assert ":as_printed" in printed
    assert ":sharp" in printed
    assert "decay" not in printed


def test_show_prints_all_that_is_known_of_a_statement(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "orthogonality.decay:as_printed"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for expected in (
        "Theorem 1",
        "α ∈ (0, 1/√n]",
        "lower bound on σₙ along the path",
        "ℓ ∈ {0, 1, …}",
        "σₙ(Hₖ) ≥ α for every k ≤ ℓ",
        "expectation",
        "rescale",
        "orthogonality_gap",
        "√(1 - 1/n)",
        "three times the depth",
        "refuted",
        ":corrected (supported)",
        ":sharp (supported)",
        "orthogonality.one_step_drift:sharp",
        "The proof uses σₙ² ≥ α",
        "width limit:",
        "layers from n = ",
        "simulation:",
    ):
        assert expected in printed


def test_show_of_a_theorem_shows_all_its_variants(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", GAP]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"{GAP}:as_printed" in lines
    assert f"{GAP}:sharp" in lines


def test_show_adds_the_evidence_of_an_earlier_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "run.json"
    assert main(["verify", CHEAP, "--seed", "5", "--json", str(target)]) == 0
    capsys.readouterr()
    assert main(["show", STEPS, "--json", str(target)]) == 0
    printed = capsys.readouterr().out
    assert "seed 5" in printed
    assert "violated at [4/5, 3/5]" in printed
    assert printed.count("did not check this statement") == 2


# --- verify ---------------------------------------------------------------------------------------


class Run(NamedTuple):
    """What one run printed and wrote."""

    printed: str
    errors: str
    written: Any
    files: list[str]


@pytest.fixture(scope="module")
def two_theorems(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run over two theorems, at which several tests look."""
    folder = tmp_path_factory.mktemp("two")
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(folder)
        patch.setenv("COLUMNS", "80")
        for name in ("NO_COLOR", "FORCE_COLOR"):
            patch.delenv(name, raising=False)
        assert main(["verify", GAP, STEPS, "--seed", "3", "--json", "run.json"]) == 0
    return Run(
        out.getvalue(),
        err.getvalue(),
        strict(folder / "run.json"),
        [p.name for p in folder.iterdir()],
    )


def test_verify_prints_table_refutations_and_closing_line(two_theorems: Run) -> None:
    printed, errors = two_theorems.printed, two_theorems.errors
    assert "\x1b" not in printed + errors
    lines = printed.splitlines()
    assert lines[0].split() == ["verdict", "tightness", "power", "time"]
    row = lines[lines.index(STEPS) + 1]
    assert row.split()[:3] == [":as_printed", "✓", "refuted"]
    assert "σ = (4/5, 3/5)" in " ".join(printed.split())
    assert "any false verdict in this run: at most 1e-06" in printed
    assert "Seed          3" in printed
    assert lines[-1] == "5 statements as expected, 0 not"
    assert [line.split("]")[0] for line in errors.splitlines()] == [f"[{k}/5" for k in range(1, 6)]


def test_verify_at_a_wide_terminal_puts_evidence_in_a_column(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["verify", GAP]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[-1] == "evidence"
    assert "inputs decided exactly" in lines[2]
    assert max(map(len, lines)) <= 120


def test_json_is_valid_and_as_documented(two_theorems: Run) -> None:
    found = two_theorems.written
    assert found["schema"] == 1
    assert found["environment"]["seed"] == 3
    assert found["environment"]["error_budget"] == 1e-6
    assert "interrupted" not in found
    assert [(r["statement"], r["variant"], r["verdict"]) for r in found["results"]] == [
        (f"{s.family}.{s.theorem}", s.variant, {"certified": "proved"}.get(s.expected, s.expected))
        for s in library()
        if f"{s.family}.{s.theorem}" in (GAP, STEPS)
    ]
    pieces = [e for r in found["results"] for e in r["evidence"]]
    assert all(
        e["method"] and (e["sentinel"] == "refuted" or e.get("link") == "name") for e in pieces
    )
    assert sum(e["method"] == "proof" for e in pieces) == len(found["results"])
    assert two_theorems.files == ["run.json"], "no draft is left behind"


def test_same_command_twice_gives_the_same_verdicts(two_theorems: Run, tmp_path: Path) -> None:
    """Whatever else was checked in the same run."""
    target = tmp_path / "again.json"
    assert main(["verify", GAP, CHEAP, "--seed", "3", "--json", str(target)]) == 0
    again = strict(target)["results"]

    def told(results: list[Any]) -> list[Any]:
        return [
            (r["statement"], r["variant"], r["verdict"], [e["summary"] for e in r["evidence"]])
            for r in results
        ]

    names = [(r["statement"], r["variant"]) for r in again]
    first = [r for r in two_theorems.written["results"] if (r["statement"], r["variant"]) in names]
    assert len(names) == 3
    assert told(first) == told(again)


def test_numbers_json_cannot_hold_become_null(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = {
        "power": float("inf"),
        "tightness": float("nan"),
        "details": {
            "rows": (np.float64("nan"), np.int64(3)),
            "half": sp.Rational(1, 2),
            "array": np.eye(1),
        },
    }
    offer(monkeypatch, replace(get(CHEAP), checks=(_Finding(**odd),), expected=Verdict.CERTIFIED))
    target = tmp_path / "run.json"
    assert main(["verify", "--json", str(target)]) == 0
    (piece,) = strict(target)["results"][0]["evidence"]
    assert (piece["power"], piece["tightness"]) == (None, None)
    assert (piece["rows"], piece["half"], piece["array"]) == ([None, 3], "1/2", [[1.0]])


@pytest.mark.parametrize(("layout", "shape"), [("columns", (6, 3)), ("rows", (3, 6))])
def test_batch_says_what_was_read_and_how(
    layout: str, shape: tuple[int, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "mine.npy"
    np.save(source, np.random.default_rng(0).standard_normal(shape))
    target = tmp_path / "run.json"
    arguments = [
        "verify",
        f"{GAP}:sharp",
        "--batch",
        str(source),
        "--layout",
        layout,
        "--json",
        str(target),
    ]
    assert main(arguments) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert (
        f"3 samples ({layout}) of dimension 6 from mine.npy; as the 6 × 3 matrix H, one sample per column"
        in printed
    )
    assert strict(target)["environment"]["batch"]["description"].startswith("3 samples")


def test_take_keeps_the_first_samples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "mine.csv"
    np.savetxt(source, np.random.default_rng(0).standard_normal((4, 4)), delimiter=",")
    assert main(["verify", f"{GAP}:sharp", "--batch", str(source), "--take", "3"]) == 0
    assert "first 3 of 4 samples" in capsys.readouterr().out


def test_digits_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    assert main(["verify", f"{GAP}:sharp", "--batch", "digits", "--take", "3"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "first 3 of 1797 samples" in printed
    assert "as the 64 × 3 matrix H" in printed


# --- a run that is not as expected ----------------------------------------------------------------


def test_a_broken_constant_turns_the_run_red(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = get(f"{GAP}:sharp")
    offer(monkeypatch, get(CHEAP), replace(sound, rhs=sound.rhs * sp.Rational(9, 10)))
    target = tmp_path / "run.json"
    assert main(["verify", "--json", str(target)]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "✗ refuted" in printed
    assert f"1 statement as expected, 1 not: {GAP}:sharp (refuted, expected certified)" in printed
    assert [r["as_expected"] for r in strict(target)["results"]] == [True, False]


def test_a_surviving_sentinel_turns_the_run_red(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = get(f"{GAP}:sharp")
    offer(monkeypatch, replace(sound, sentinel=Sentinel("weaker, hence true", rhs=2 * sound.rhs)))
    assert main(["verify"]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "0 statements as expected, 1 not" in printed
    assert "its false neighbour survived: certificate" in printed


def test_a_contradiction_turns_the_run_red(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    both = (_Finding(verdict=Verdict.PROVED, method="proof"), _Finding(verdict=Verdict.REFUTED))
    offer(monkeypatch, replace(get(CHEAP), checks=both))
    assert main(["verify"]) == 1
    assert "proved and refuted at once" in " ".join(capsys.readouterr().out.split())


def test_a_weaker_verdict_turns_the_run_red(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(
        monkeypatch,
        replace(
            get(CHEAP), checks=(_Finding(verdict=Verdict.SUPPORTED),), expected=Verdict.CERTIFIED
        ),
    )
    assert main(["verify"]) == 1
    assert "only supported, expected certified" in " ".join(capsys.readouterr().out.split())


def test_an_undecided_statement_names_the_budget(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, replace(get(CHEAP), checks=(_Finding(verdict=Verdict.INCONCLUSIVE),)))
    assert main(["verify", "--budget", "2"]) == 1
    assert "inconclusive, expected refuted; the budget was 2 s" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_defect_in_a_check_keeps_its_traceback_and_what_was_established(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(statement: Statement, context: Any) -> Evidence:
        raise ValueError("a defect, not a user's mistake")

    offer(monkeypatch, get(CHEAP), replace(get(f"{GAP}:sharp"), checks=(broken,)))
    target = tmp_path / "run.json"
    assert main(["verify", "--json", str(target)]) == 70
    printed, errors = capsys.readouterr()
    assert "✓ refuted" in printed
    line = errors.splitlines()[-1]
    assert "a defect of ours, ValueError: a defect, not a user's mistake" in line
    assert f"theorems verify --json {target}" in line
    kept = Path(line.rpartition("with ")[2])
    text = kept.read_text(encoding="utf-8")
    kept.unlink()
    assert "Traceback" in text
    assert "in broken" in text
    assert strict(target)["interrupted"] is True


class _Looking:
    """A check that looks at what has reached a file so far."""

    def __init__(self, file: Path) -> None:
        self.file, self.seen = file, ""

    def __call__(self, statement: Statement, context: Any) -> Evidence:
        self.seen = self.file.read_text(encoding="utf-8")
        return _Finding(verdict=Verdict.CERTIFIED)(statement, context)


def test_a_verdict_is_out_before_the_next_check_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where standard output is a file or a pipe, which Python buffers."""
    place = tmp_path / "printed"
    looking = _Looking(place)
    offer(monkeypatch, get(CHEAP), replace(get(f"{GAP}:sharp"), checks=(looking,)))
    with place.open("w", encoding="utf-8") as stream, redirect_stdout(stream):
        assert main(["verify"]) == 0
    assert ":as_printed   ✓ refuted" in looking.seen
    assert "certified" not in looking.seen
    assert place.read_text(encoding="utf-8").startswith(looking.seen)


def test_the_table_is_out_before_the_report_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, seen = tmp_path / "printed", []

    def write_report(document: dict[str, Any], directory: Path, *_: Any) -> list[Path]:
        seen.append(place.read_text(encoding="utf-8"))
        return [directory / "index.html"]

    monkeypatch.setattr(theorems.report, "write_report", write_report)
    with place.open("w", encoding="utf-8") as stream, redirect_stdout(stream):
        assert main(["verify", CHEAP, "--report", str(tmp_path / "out")]) == 0
    assert ":as_printed   ✓ refuted" in seen[0]
    assert "false at σ = (4/5, 3/5)" in seen[0]
    assert "Written" not in seen[0]


class _Gone(io.StringIO):
    """A stream whose reader has gone away."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


@pytest.mark.parametrize("written", [False, True])
def test_a_run_whose_reader_goes_away_ends_unless_it_writes_files(
    written: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def noted(statement: Statement, context: Any) -> Evidence:
        ran.append(statement.name)
        return _Finding(verdict=Verdict.CERTIFIED)(statement, context)

    names = [f"{GAP}:as_printed", f"{GAP}:sharp"]
    offer(monkeypatch, *(replace(get(name), checks=(noted,)) for name in names))
    target = tmp_path / "run.json"
    with redirect_stdout(_Gone()):
        assert main(["verify", *(("--json", str(target)) if written else ())]) == 141
    assert ran == names[: 2 if written else 1]
    if written:
        found = strict(target)
        assert len(found["results"]) == 2
        assert "interrupted" not in found


# --- Ctrl-C ---------------------------------------------------------------------------------------


def _interrupting(statement: Statement, context: Any) -> Evidence:
    raise KeyboardInterrupt


def test_an_interrupted_run_keeps_what_it_established(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(
        monkeypatch,
        get(CHEAP),
        replace(get(f"{GAP}:sharp"), checks=(_interrupting,)),
        get(f"{GAP}:as_printed"),
    )
    target = tmp_path / "run.json"
    assert main(["verify", "--json", str(target)]) == 130
    assert capsys.readouterr().out.endswith(
        "Interrupted after 1 of 3 statements.\n1 statement as expected, 0 not\n"
    )
    assert (found := strict(target))["interrupted"] is True
    assert len(found["results"]) == 1


def test_an_interrupt_before_the_first_result_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, replace(get(CHEAP), checks=(_interrupting,)))
    assert main(["verify"]) == 130
    assert "Interrupted after 0 of 1 statements." in capsys.readouterr().out


def test_an_interrupt_while_the_report_is_drawn_keeps_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(theorems.report, "write_report", interrupted)
    target = tmp_path / "run.json"
    assert main(["verify", CHEAP, "--json", str(target), "--report", str(tmp_path / "out")]) == 130
    assert capsys.readouterr().out.splitlines()[-1] == "1 statement as expected, 0 not"
    assert len(strict(target)["results"]) == 1


def test_a_full_disk_keeps_the_table_and_the_old_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "run.json"
    target.write_text("earlier", encoding="utf-8")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    assert main(["verify", CHEAP, "--json", str(target)]) == 3
    printed, errors = capsys.readouterr()
    assert printed.splitlines()[-1] == "1 statement as expected, 0 not"
    assert "No space left on device" in errors.splitlines()[-1]
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]
    assert target.read_text(encoding="utf-8") == "earlier"


# --- report ---------------------------------------------------------------------------------------


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], Path]]:
    """The calls of ``write_report``, which writes nothing here."""
    calls: list[tuple[dict[str, Any], Path]] = []

    def write_report(document: dict[str, Any], directory: Path, *_: Any) -> list[Path]:
        calls.append((document, Path(directory)))
        return [Path(directory) / "index.html"]

    report = theorems.report
    monkeypatch.setattr(report, "write_report", write_report)
    return calls


def test_verify_hands_the_report_the_json_document(
    tmp_path: Path, written: list[tuple[dict[str, Any], Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    target, folder = tmp_path / "run.json", tmp_path / "new" / "report"
    assert main(["verify", CHEAP, "--json", str(target), "--report", str(folder)]) == 0
    assert written == [(strict(target), folder)]
    assert "index.html" in capsys.readouterr().out


def test_report_renders_an_earlier_run(
    tmp_path: Path, written: list[tuple[dict[str, Any], Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "run.json"
    assert main(["verify", CHEAP, "--json", str(target)]) == 0
    assert main(["report", str(target), "--out", str(tmp_path / "out")]) == 0
    assert written == [(strict(target), tmp_path / "out")]


def test_a_report_is_compared_with_an_earlier_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, folder = tmp_path / "run.json", tmp_path / "out"
    assert main(["verify", CHEAP, "--json", str(target)]) == 0
    command = ["report", str(target), "--out", str(folder), "--against"]
    assert main([*command, str(target)]) == 0
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "Otherwise than in run.json" in page
    assert f"theorems verify {CHEAP} --json" in page  # the command of the run
    capsys.readouterr()
    assert main([*command, str(tmp_path / "gone.json")]) == 2
    assert "gone.json: cannot be read" in capsys.readouterr().err


def test_missing_matplotlib_is_noticed_before_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    def started(*_: Any) -> Iterator[None]:
        yield pytest.fail("the run started")

    monkeypatch.setattr(RUNNING, "_results", started)
    assert main(["verify", CHEAP, "--report", str(tmp_path / "out")]) == 2
    errors = capsys.readouterr().err
    assert "pip install 'batchnorm-theorems[report]'" in errors
    assert len(errors.splitlines()) == 1
    assert not (tmp_path / "out").exists()
