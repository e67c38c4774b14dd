"""Files of claims: what is found in them, and what is said of a bad one."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theorems import ClaimError, Verdict, conjecture, verify
from theorems.cli import main
from theorems.workbench.loading import load

GOOD = """from theorems import conjecture
first = conjecture("x <= 1/2", x="[0, 1/2]")
second = conjecture("x <= 1/3", x="[0, 1/2]")
"""


def test_a_file_gives_its_claims_by_the_names_of_its_variables(tmp_path: Path) -> None:
    path = tmp_path / "my_claims.py"
    path.write_text(GOOD)
    found = load(str(path)).conjectures
    assert [(c.family, c.name) for c in found] == [("my_claims", "first"), ("my_claims", "second")]
    assert [c.name for c in load(f"{path}::second").conjectures] == ["second"]
    with pytest.raises(ClaimError, match="no conjecture 'secnd'; did you mean second"):
        load(f"{path}::secnd")


def test_claims_in_lists_and_tables_are_found_too(tmp_path: Path) -> None:
    path = tmp_path / "my_claims.py"
    path.write_text(
        GOOD
        + """many = [conjecture(f"x <= {k}", x=f"[0, {k}]") for k in (2, 3)] + [first, None]
table = {"a b": conjecture("x <= 2", x="[0, 1]"), 3: conjecture("x <= 3", x="[0, 1]", name="named")}
"""
    )
    names = [c.name for c in load(str(path)).conjectures]
    assert names == ["first", "second", "many_0", "many_1", "table_a_b", "named"]
    assert [c.relation.rhs for c in load(f"{path}::many_1").conjectures] == [3]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\n", "states no conjecture"),
        ("def f(:\n", "line 1: not Python"),
        ("import nothing_of_the_kind\n", "line 1: ModuleNotFoundError"),
        ("\n1/0\n", "line 2: ZeroDivisionError"),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
        ("\0", "line 1: not Python"),
        (
            "class E(Exception):\n    def __str__(self): 1/0\nraise E\n",
            "line 3: E: its text cannot be shown",
        ),
        (
            "class E(SystemExit):\n    def __str__(self): raise SystemExit\nraise E\n",
            "line 3: E: its text",
        ),
        ("class E(BaseException): pass\nraise E\n", "line 2: E$"),
        ("import sys\nsys.path.pop(0)\n", "no conjecture"),
        ("raise ValueError('a\\nb')\n", "line 1: ValueError: a b$"),
        (
            GOOD + 'third = conjecture("x <= 1", x="[0, 2]", name="first")\n',
            "two conjectures are named 'first'",
        ),
        (
            'from theorems import conjecture\n\nconjecture("x <= z", x="[0, 1]", name="a")\n',
            "line 3: a: 'z' is neither",
        ),
    ],
)
def test_a_bad_file_gives_one_clear_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(ClaimError, match=words) as caught:
        load(str(path))
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ClaimError, match=r"nowhere\.py: no such file"):
        load("nowhere.py::a")


@settings(max_examples=60)
@given(st.data())
def test_a_file_that_was_damaged_gives_claims_or_one_clear_line(data: st.DataObject) -> None:
    where = data.draw(st.integers(0, len(GOOD) - 1))
    length = data.draw(st.integers(0, 12))
    inserted = data.draw(st.text(alphabet="()[]'\"=,.:x01\n\t\x00é", max_size=4))
    with TemporaryDirectory() as directory:
        path = Path(directory) / "damaged.py"
        path.write_text(GOOD[:where] + inserted + GOOD[where + length :], encoding="utf-8")
        try:
            refusal = "".join(load(str(path)).refused)
        except ClaimError as error:
            refusal = str(error)
    assert "\n" not in refusal


# --- one claim that makes no sense among others ---------------------------------------------------

MIXED = """from __future__ import annotations
from theorems import ClaimError, conjecture
first = conjecture("x <= 1", x="[0, 1]")
bad = conjecture("x <= z", x="[0, 1]")
@conjecture(y="[0, 1]")
def worse(y):
    return "y <= + * 2"
try:
    conjecture("x <= 1")
except ClaimError:
    handled = True
needy = [bad, first]
late = conjecture("odd <= k + 1", k="1..100", computed={"odd": lambda k: None if k in (47, 59) else k})
last = conjecture("x <= 2", x="[0, 1]")
"""


def test_a_claim_that_makes_no_sense_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "mixed.py"
    path.write_text(MIXED, encoding="utf-8")
    found = load(str(path))
    assert [c.name for c in found.conjectures] == ["first", "late", "last"]
    assert [line.partition("line ")[2].partition(":")[0] for line in found.refused] == [
        "4",
        "5",
        "12",
    ]
    assert "'z' is neither" in found.refused[0]
    assert found.refused[2].endswith("needs bad, which was refused")
    assert load(f"{path}::last").refused == ()
    for name in ("bad", "worse"):
        with pytest.raises(ClaimError, match=r"mixed\.py, line"):
            load(f"{path}::{name}")


@pytest.mark.parametrize("command", ["verify", "falsify", "list", "show"])
def test_the_command_runs_the_other_claims_and_says_which_one_it_refused(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mixed.py").write_text(MIXED, encoding="utf-8")
    running = command in ("verify", "falsify")
    assert main([command, "mixed.py", *(["--json", "out.json"] if running else [])]) == 2
    printed, errors = capsys.readouterr()
    refused = [line for line in errors.splitlines() if line.startswith("theorems: mixed")]
    assert len(refused) == 3 + running  # one of them shows on the way
    assert "Traceback" not in errors
    assert "last" in printed
    if running:
        found = json.loads(Path("out.json").read_text(encoding="utf-8"))
        assert [r["statement"] for r in found["results"]] == ["mixed.first", "mixed.last"]
        assert len(found["refused"]) == 4
        assert "interrupted" not in found


def test_verify_takes_conjectures_as_they_are() -> None:
    claim = conjecture("x <= 1", x="[0, 1]", name="held")
    false = conjecture("x <= 1/2", x="[0, 1]", name="false", expected="refuted")
    assert [r.verdict.holds for r in verify(claim)] == [True]
    names = [r.statement.theorem for r in verify(["orthogonality.unit_frobenius", claim, false])]
    assert names == ["unit_frobenius", "held", "false"]
    assert [r.verdict for r in verify(c for c in (false,))] == [Verdict.REFUTED]
    for wrong in (3, [claim, 3], object()):
        with pytest.raises(TypeError, match="want names"):
            verify(wrong)  # type: ignore[arg-type]


def test_an_unknown_name_is_told_however_the_others_fare(tmp_path: Path) -> None:
    path = tmp_path / "my_claims.py"
    bad = 'from theorems import conjecture\nbad = conjecture("x <= y", x="[0, 1]")\n'
    for text in (bad, bad + GOOD):
        path.write_text(text)
        with pytest.raises(ClaimError, match="no conjecture 'zz'"):
            load(f"{path}::zz")
        with pytest.raises(ClaimError, match="'y' is neither declared"):
            load(f"{path}::bad")
