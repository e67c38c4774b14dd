"""What a verdict rests on: all that has a part in it is counted, and a change in any is told."""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import FrameType

import pytest

from theorems import verify
from theorems.cli import main
from theorems.grounds import Grounds, grounds_of, moved
from theorems.ledger import DEFAULT, read
from theorems.registry import get
from theorems.statement import Statement

ROOT = Path(__file__).parents[2]
SAMPLED = "orthogonality.one_step_drift:as_printed"
EXACT = "rank.soft_rank_lower_bound:sharp"
ENCLOSED = "cluster.angle_law:recentred"


def executed(statement: Statement) -> set[str]:
    """The modules of ours of which a function runs while the statement is checked."""
    files: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            files.add(frame.f_code.co_filename)

    gc.collect()  # what an earlier test left half done ends here, and not while it is looked at
    before = sys.getprofile()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        verify(statement)
    finally:
        sys.setprofile(before)
        threading.setprofile(None)
    paths = [Path(file) for file in files if Path(file).is_relative_to(ROOT)]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    ours = {name for name in names if name.startswith(("theorems.", "simulators."))}
    return {name.removesuffix(".__init__") for name in ours}


@pytest.mark.parametrize("name", [SAMPLED, EXACT, ENCLOSED])
def test_all_that_runs_is_counted(name: str) -> None:
    statement = get(name)
    counted = set(grounds_of(statement).code)
    ran = executed(statement)
    assert len(ran) > 10
    assert ran <= counted
    # what shows results, or is for others, has no part in them
    assert not any(each.startswith(("theorems.report", "theorems.commands")) for each in counted)


def test_families_do_not_rest_on_each_other() -> None:
    assert not any(
        name.startswith("theorems.families.rank") for name in grounds_of(get(SAMPLED)).code
    )


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (Grounds("x", "p", "w", {"m": "1"}), ["its checks"]),
        (Grounds("c", "x", "w", {"m": "1"}), ["its proof"]),
        (Grounds("c", "p", "x", {"m": "1"}), ["witnesses against it"]),
        (Grounds("c", "p", "w", {"m": "2"}), ["m"]),
        (Grounds("c", "p", "w", {"m": "1", "n": "1"}), ["n"]),
        (Grounds("c", "p", "w", {}), ["m"]),
        (Grounds("c", "p", "w", {"m": "1"}), []),
    ],
)
def test_each_ground_that_moved_is_told(now: Grounds, told: list[str]) -> None:
    assert moved(Grounds("c", "p", "w", {"m": "1"}), now) == told


def test_other_settings_of_a_check_are_other_grounds() -> None:
    statement = get(EXACT)
    (first, *rest) = statement.checks
    other = replace(statement, checks=(replace(first, examples=3), *rest))
    assert moved(grounds_of(statement), grounds_of(other))[0] == "its checks"


# --- theorems verify --changed --------------------------------------------------------------------


def verified(root: Path, *options: str) -> str:
    """What is printed of two statements of two families, of which one has to do with engines."""
    done = subprocess.run(
        [sys.executable, "-m", "theorems", "verify", EXACT, ENCLOSED, *options],
        cwd=root,
        env={"PYTHONPATH": str(root), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    # another claim than that which is on record, without its proof, has the weaker verdict
    assert done.returncode == ("what it claims" in done.stdout), done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, with a ledger."""
    root = tmp_path_factory.mktemp("sources")
    for package in ("theorems", "simulators"):
        shutil.copytree(
            ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    verified(root, "--ledger", "mine.json", "--update-ledger")
    return root


@pytest.mark.parametrize(
    ("file", "before", "after", "again", "reason"),
    [
        ("simulators/engines/factor.py", "The factor engine", "Our engine", [], ""),
        ("theorems/report/page.py", "__all__ =", "_MORE = 1\n__all__ =", [], ""),
        (
            "simulators/engines/factor.py",
            "__all__ =",
            "_MORE = 1\n__all__ =",
            [ENCLOSED],
            "simulators.engines.factor: ",
        ),
        (
            "theorems/families/rank/soft_rank.py",
            'Assumption(sp.Eq(_trace, d), "Tr M = d"),',
            'Assumption(sp.Eq(_trace, d), "Tr M = d"), Assumption(sp.Gt(d, 1), "d > 1"),',
            [EXACT],
            "what it claims, its proof, theorems.families.rank.soft_rank: ",
        ),
        (
            "theorems/families/rank/inputs.py",
            "d = 1, where",
            "d is 1, where",
            [EXACT],
            "theorems.families.rank.inputs: ",
        ),
    ],
    ids=["words of an engine", "a room apart", "an engine", "an assumption", "a helper"],
)
def test_what_a_change_touches_is_established_again(
    file: str, before: str, after: str, again: list[str], reason: str, sources: Path
) -> None:
    path = sources / file
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, after), encoding="utf-8")
    try:
        out = verified(sources, "--ledger", "mine.json", "--changed")
    finally:
        path.write_text(text, encoding="utf-8")
    assert f"{len(again)} of 2 statements since mine.json" in out
    assert reason in out
    assert [name for name in (EXACT, ENCLOSED) if f"{name}\n" in out] == again


@pytest.mark.parametrize("arguments", [["--changed"], ["--changed", "--ledger", "mine.json"]])
def test_without_a_ledger_there_is_nothing_to_go_by(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["verify", EXACT, *arguments]) == 2
    told = capsys.readouterr().err
    assert "--update-ledger" in told
    assert told.count("\n") == 1


@pytest.mark.usefixtures("few_draws")
def test_a_claim_rests_on_its_file_and_what_that_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ends.py").write_text("END = 2\n", encoding="utf-8")
    claims = (
        "from ends import END\nfrom theorems import conjecture\n"
        'mine = conjecture("x**2 <= 2*x", x=f"[0, {END}]")\n'
    )
    Path("claims.py").write_text(claims, encoding="utf-8")

    def told(*options: str) -> str:
        sys.modules.pop("ends", None)
        assert main(["verify", "claims.py", *options]) == 0
        return capsys.readouterr().out

    told("--update-ledger")
    assert "file claims" in read(DEFAULT).entries["claims.mine"].grounds.code
    assert "0 of 1 statements" in told("--changed")
    Path("claims.py").write_text(f"# mine\n{claims}", encoding="utf-8")
    assert "0 of 1 statements" in told("--changed")
    Path("ends.py").write_text("END = 1 + 1\n", encoding="utf-8")
    assert "ends: claims.mine" in told("--changed")
    told("--update-ledger")
    assert "0 of 1 statements" in told("--changed")
    assert "the seed: claims.mine" in told("--changed", "--seed", "3")
