"""Statements checked side by side in processes: the same results, and how such a run ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_verification import quick, small

import theorems.registry as LIBRARY
import theorems.verification as RUNNING
from simulators.workers import cores
from theorems import Evidence, Statement, Verdict, get, verify
from theorems.cli import main
from theorems.context import Context
from theorems.statement import ClaimError
from theorems.verification import verify_each
from theorems.worker_processes import WorkerDiedError, can_fork

pytestmark = pytest.mark.skipif(not can_fork(), reason="no fork here")

Check = Callable[[Statement, Context], Evidence]
SOME = "orthogonality.iterative_initialisation:as_printed"


def evidence(**given: Any) -> Evidence:
    told = {"method": "search", "verdict": Verdict.CERTIFIED, "summary": str(os.getpid())}
    return Evidence(**({"sentinel": Verdict.REFUTED} | told | given))


def at_once(statement: Statement, context: Context) -> Evidence:
    return evidence()


def forever(statement: Statement, context: Context) -> Evidence:
    while True:
        time.sleep(0.01)


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[str]]:
    """Makes theorems t0, t1, … of these checks the whole library; returns their names."""
    monkeypatch.chdir(tmp_path)

    def offer(*checks: Check, **changes: dict[int, Any]) -> list[str]:
        base = replace(get(SOME), proof=None, variant="", expected=Verdict.CERTIFIED)
        made = [replace(base, theorem=f"t{k}", checks=(c,)) for k, c in enumerate(checks)]
        for name, values in changes.items():
            for k, value in values.items():
                made[k] = replace(made[k], **{name: value})
        monkeypatch.setattr(LIBRARY, "library", lambda *_: tuple(made))
        return [s.name for s in made]

    return offer


def apart_from_time(results: Sequence[Any]) -> list[Any]:
    found = json.loads(json.dumps([r if isinstance(r, dict) else r.as_json() for r in results]))
    for each in [*found, *(e for r in found for e in r["evidence"])]:
        del each["seconds"]
    return found


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("waited for a minute")


def alive(process: int) -> bool:
    """Whether a process computes; one that ended and that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2]
    except OSError:
        return False
    return state.split()[0] != "Z"


# --- results --------------------------------------------------------------------------------------


def test_results_do_not_depend_on_the_number_of_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact, searched and sampled evidence, and what depends on another statement."""
    statements = (
        *quick("orthogonality.gap_vs_smallest_eigenvalue", "orthogonality.convexity"),
        *small("orthogonality.concentration"),
    )
    last = replace(statements[-1], depends_on=(statements[0].name,))
    statements = (*statements[:-1], last)
    monkeypatch.setattr(RUNNING, "select", lambda names: statements)
    alone = apart_from_time(verify())
    assert len(alone) == len(statements)
    for jobs in (2, 3):
        assert apart_from_time(verify(jobs=jobs)) == alone


def test_a_batch_and_a_seed_reach_every_job(monkeypatch: pytest.MonkeyPatch) -> None:
    statements = quick(
        "orthogonality.gap_vs_smallest_eigenvalue", "orthogonality.gaussian_distance:sharp"
    )
    monkeypatch.setattr(RUNNING, "select", lambda names: statements)
    batch = [[1.0, 0.5], [0.0, 1.0]]
    alone, beside = (apart_from_time(verify(batch=batch, seed=3, jobs=j)) for j in (1, 2))
    assert alone == beside


def test_theorems_are_checked_side_by_side_and_told_in_order(
    offer: Callable[..., list[str]], tmp_path: Path
) -> None:
    """The first ends only when the second, checked by somebody else, was told as checked."""
    names = offer(lambda statement, context: waiting(names[1]), at_once, at_once)
    checked: list[str] = []

    def waiting(name: str) -> Evidence:
        wait_for((tmp_path / name).exists)
        return evidence()

    def note(statement: Statement) -> None:
        checked.append(statement.name)
        (tmp_path / statement.name).touch()

    results = list(verify_each(jobs=2, checked=note))
    assert [r.statement.name for r in results] == names
    assert sorted(checked) == names
    assert checked[0] == "orthogonality.t1"
    processes = {r.evidence[0].summary for r in results}
    assert str(os.getpid()) not in processes
    assert len(processes) == 2


def test_variants_of_a_theorem_share_their_samples_in_every_job(
    offer: Callable[..., list[str]],
) -> None:
    def remembering(statement: Statement, context: Context) -> Evidence:
        seen = sorted(map(str, context.memory))
        context.memory[statement.name] = 1
        return evidence(summary=", ".join(seen))

    offer(
        *[remembering] * 4,
        theorem={0: "a", 1: "a", 2: "b", 3: "c"},
        variant={0: "x", 1: "y"},
    )
    seen = [r.evidence[0].summary for r in verify(jobs=2)]
    assert seen == ["", "orthogonality.a:x", "", ""]


def test_variants_are_checked_side_by_side_where_there_are_fewer_theorems_than_jobs(
    offer: Callable[..., list[str]], tmp_path: Path
) -> None:
    def waiting(statement: Statement, context: Context) -> Evidence:
        wait_for((tmp_path / "second").exists)
        return evidence()

    def telling(statement: Statement, context: Context) -> Evidence:
        (tmp_path / "second").write_text("checked", encoding="utf-8")
        return evidence()

    names = offer(waiting, telling, theorem={0: "a", 1: "a"}, variant={0: "x", 1: "y"})
    assert [r.statement.name for r in verify(jobs=2)] == names


def test_one_job_checks_in_the_process_that_asks(offer: Callable[..., list[str]]) -> None:
    """Which a call of the library does unless it is told otherwise."""
    offer(at_once, at_once)
    assert {r.evidence[0].summary for r in verify()} == {str(os.getpid())}


def test_a_job_uses_one_core(
    offer: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.workers._cores_there", lambda: 8)
    offer(*[lambda statement, context: evidence(summary=str(cores()))] * 2)
    assert [r.evidence[0].summary for r in verify(jobs=2)] == ["1", "1"]
    assert cores() == 8


def test_evidence_that_cannot_be_sent_is_found_again_here(
    offer: Callable[..., list[str]],
) -> None:
    """Of another package's check, which need not know of processes."""

    def unsendable(statement: Statement, context: Context) -> Evidence:
        return evidence(details={"made by": lambda: None})

    offer(unsendable, at_once)
    first, second = verify(jobs=2)
    assert first.evidence[0].summary == str(os.getpid())
    assert second.evidence[0].summary != str(os.getpid())


def test_every_job_hears_of_the_budget_and_tells_what_it_does(
    offer: Callable[..., list[str]],
) -> None:
    def asking(statement: Statement, context: Context) -> Evidence:
        context.progress(f"at {statement.name}")
        return evidence(summary=f"{context.expired}")

    names = offer(asking, asking)
    told: list[str] = []
    results = list(verify_each(jobs=2, budget=1e-9, progress=told.append))
    assert [r.evidence[0].summary for r in results] == ["True", "True"]
    assert set(names) <= set(told)


def test_own_words_claims_and_witnesses_of_the_users_are_known_to_every_job(
    tmp_path: Path,
) -> None:
    words = (
        "from simulators import activation\n"
        "@activation()\n"
        "def softer(x, xp):\n"
        '    """a soft step"""\n'
        "    return x / (1 + xp.abs(x))\n"
    )
    claims = (
        "from theorems import conjecture\n"
        'one = conjecture("cosine <= 9/10", chain="vanilla(softer)", n=2, d="8..16", ell="1")\n'
        'two = conjecture("x**2 - x <= -1/5", over="parameters", x="[0, 1]")\n'
        'three = conjecture("x**2 - x <= -1/4", over="parameters", x="[0, 1]")\n'
    )
    found, witnesses = [], []
    for jobs in ("1", "3"):
        place = tmp_path / jobs
        place.mkdir()
        (place / "words.py").write_text(words, encoding="utf-8")
        (place / "claims.py").write_text(claims, encoding="utf-8")
        arguments = ["claims.py", "--module", "words.py", "--json", "run.json", "--jobs", jobs]
        command = [sys.executable, "-m", "theorems.cli", "verify", *arguments]
        run = subprocess.run(command, cwd=place, capture_output=True, check=False)
        assert run.returncode == 1, run.stderr
        written = json.loads((place / "run.json").read_text(encoding="utf-8"))
        found.append(apart_from_time(written["results"]))
        kept = sorted((place / ".theorems" / "witnesses").iterdir())
        witnesses.append({file.name: file.read_bytes() for file in kept})
    assert [r["verdict"] for r in found[0]] == ["refuted"] * 3
    assert found[0] == found[1]
    assert len(witnesses[0]) == 3
    assert witnesses[0] == witnesses[1]


@pytest.mark.parametrize("thorough", [False, True])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_thorough_run_is_one_in_every_check(
    thorough: bool, jobs: int, offer: Callable[..., list[str]], tmp_path: Path
) -> None:
    offer(*[lambda statement, context: evidence(summary=str(context.thorough))] * 2)
    wanted = [str(thorough)] * 2
    assert [r.evidence[0].summary for r in verify(jobs=jobs, thorough=thorough)] == wanted
    target = tmp_path / "run.json"
    arguments = ["verify", f"--jobs={jobs}", "--json", str(target)]
    assert main([*arguments, *["--thorough"] * thorough]) == 0
    written = json.loads(target.read_text(encoding="utf-8"))["results"]
    assert [r["evidence"][0]["summary"] for r in written] == wanted


# --- failures -------------------------------------------------------------------------------------


class OwnError(Exception):
    """With an ``__init__`` of its own, which pickling does not know."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def broken(statement: Statement, context: Context) -> Evidence:
    raise ValueError("a defect")


def strange(statement: Statement, context: Context) -> Evidence:
    raise OwnError(1, 2)


def killed(statement: Statement, context: Context) -> Evidence:
    os.kill(os.getpid(), signal.SIGKILL)
    return forever(statement, context)


def leaving(statement: Statement, context: Context) -> Evidence:
    sys.exit("the check leaves")


@pytest.mark.parametrize(
    ("check", "error", "words"),
    [
        (broken, ValueError, "a defect"),
        (strange, RuntimeError, "OwnError: 1 and 2"),
        (killed, WorkerDiedError, r"signal 9 \(SIGKILL\)"),
        (leaving, SystemExit, "the check leaves"),
    ],
)
def test_a_job_that_fails_is_told_when_its_turn_has_come(
    check: Check, error: type[BaseException], words: str, offer: Callable[..., list[str]]
) -> None:
    names = offer(at_once, at_once, check, at_once)
    told: list[str] = []
    with pytest.raises(error, match=words):
        told.extend(result.statement.name for result in verify_each(jobs=2))
    assert told == names[:2]


@pytest.mark.parametrize(
    ("check", "words"), [(broken, "ValueError: a defect"), (killed, "WorkerDiedError: a worker")]
)
def test_a_job_that_fails_is_a_defect_in_one_line_with_its_traceback(
    check: Check,
    words: str,
    offer: Callable[..., list[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    offer(at_once, check)
    target = tmp_path / "run.json"
    assert main(["verify", "--jobs", "2", "--json", str(target)]) == 70
    printed, errors = capsys.readouterr()
    assert "✓ certified" in printed
    line = errors.splitlines()[-1]
    assert f"a defect of ours, {words}" in line
    kept = Path(line.rpartition("with ")[2])
    text = kept.read_text(encoding="utf-8")
    kept.unlink()
    assert ("in broken" in text) is (check is broken)
    written = json.loads(target.read_text(encoding="utf-8"))
    assert written["interrupted"] is True
    assert [r["statement"] for r in written["results"]] == ["orthogonality.t0"]


def senseless(statement: Statement, context: Context) -> Evidence:
    raise ClaimError(f"{statement.name} makes no sense")


def test_a_claim_without_sense_is_told_in_order_and_leaves_the_others(
    offer: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    offer(at_once, senseless, at_once, senseless)
    assert main(["verify", "--jobs", "2"]) == 2
    printed, errors = capsys.readouterr()
    told = [line for line in errors.splitlines() if "sense" in line]
    assert told == [
        f"theorems: orthogonality.t{k}: orthogonality.t{k} makes no sense" for k in (1, 3)
    ]
    assert printed.count("✓ certified") == 2
    with pytest.raises(ClaimError, match="t1 makes no sense"):
        verify(jobs=2)


@pytest.mark.parametrize("jobs", [0, -1, 1.5, True, "2", None])
def test_bad_numbers_of_jobs_are_refused_at_the_door(jobs: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^jobs="):
        verify_each(SOME, jobs=jobs)


@pytest.mark.parametrize("jobs", ["0", "-1", "1.5", "two", ""])
def test_bad_numbers_of_jobs_are_told_by_their_option(
    jobs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", SOME, f"--jobs={jobs}"]) == 2
    printed, errors = capsys.readouterr()
    assert printed == ""
    assert errors == f"theorems: --jobs {jobs!r}: want a whole number ≥ 1\n"


# --- interruptions --------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_of_several_jobs_keeps_all_it_established_and_ends_them(
    number: int,
    status: int,
    offer: Callable[..., list[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Also what came of a later statement while an earlier one was being checked, but for one that
    depends on what is not known.
    """
    process = tmp_path / "process"

    def endless(statement: Statement, context: Context) -> Evidence:
        process.write_text(str(os.getpid()), encoding="utf-8")
        return forever(statement, context)

    def signalling(statement: Statement, context: Context) -> Evidence:
        wait_for(lambda: process.exists() and bool(process.read_text(encoding="utf-8")))
        os.kill(os.getppid(), number)
        return forever(statement, context)

    names = offer(endless, at_once, at_once, signalling, depends_on={2: ("orthogonality.t0",)})
    target = tmp_path / "run.json"
    assert main(["verify", "--jobs", "2", "--json", str(target)]) == status
    printed = capsys.readouterr().out
    assert printed.endswith(
        "Interrupted after 1 of 4 statements.\n1 statement as expected, 0 not\n"
    )
    written = json.loads(target.read_text(encoding="utf-8"))
    assert written["interrupted"] is True
    assert [r["statement"] for r in written["results"]] == [names[1]]
    assert not alive(int(process.read_text(encoding="utf-8")))


def test_a_run_that_nobody_goes_on_with_ends_its_jobs(
    offer: Callable[..., list[str]], tmp_path: Path
) -> None:
    process = tmp_path / "process"

    def endless(statement: Statement, context: Context) -> Evidence:
        process.write_text(str(os.getpid()), encoding="utf-8")
        return forever(statement, context)

    offer(at_once, endless)
    results = verify_each(jobs=2)
    next(results)
    wait_for(lambda: process.exists() and bool(process.read_text(encoding="utf-8")))
    results.close()
    assert not alive(int(process.read_text(encoding="utf-8")))


_KILLED = """
import os, pathlib, sys, time
from dataclasses import replace
import theorems.registry
from theorems import get, verify

def endless(statement, context):
    pathlib.Path(statement.theorem).write_text(str(os.getpid()))
    while True:
        time.sleep(0.01)

base = replace(get({some!r}), proof=None, checks=(endless,))
both = tuple(replace(base, theorem=name) for name in ("one", "two"))
theorems.registry.library = lambda *_: both
verify(jobs=2)
"""


def test_jobs_end_with_their_parent_however_it_ends(tmp_path: Path) -> None:
    run = subprocess.Popen([sys.executable, "-c", _KILLED.format(some=SOME)], cwd=tmp_path)
    files = [tmp_path / name for name in ("one", "two")]
    wait_for(lambda: all(f.exists() and f.read_text(encoding="utf-8") for f in files))
    run.kill()
    run.wait()
    wait_for(lambda: not any(alive(int(f.read_text(encoding="utf-8"))) for f in files))
