"""The contributor's path: ``theorems new``, and that a statement in a file needs no edit elsewhere."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from theorems.cli import main
from theorems.error_words import line_in
from theorems.family import Family, FamilyError, of_each_file
from theorems.templates import KINDS, written
from theorems.templates.pointwise import STATEMENT as POINTWISE
from theorems.verification import verify_each

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
#: What the guide has a reader run, in its order.
COMMANDS = [
    shlex.split(line, comments=True)[1:]
    for block in re.findall(r"<!-- run: contributing -->\n```sh\n(.*?)```", GUIDE, re.DOTALL)
    for line in re.findall(r"^theorems .*", block, re.MULTILINE)
]
FOLDER = Path("theorems", "families", "orthogonality", "statements")
#: Tests that start processes or Rocq, and look at no statement of the library by itself.
APART = ("test_new.py", "test_proofs_kernel.py", "test_other_families.py", "test_pytest_plugin.py")


# --- the command --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_it_writes_the_template_under_the_name(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "rank.mine", "--kind", kind, "--out", str(tmp_path)]) == 0
    path = tmp_path / "mine.py"
    text = path.read_text(encoding="utf-8")
    assert text == written(kind, "rank", "mine")
    assert 'family="rank"' in text
    assert 'theorem="mine"' in text
    assert "_name" not in text.replace("__name__", "")
    printed = capsys.readouterr().out
    for words in (str(path), "theorems verify rank.mine", "theorems show rank.mine", "-k mine"):
        assert words in printed.replace("\n", "")


def test_it_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text("kept", encoding="utf-8")
    assert main(["new", "rank.mine", "--out", str(tmp_path)]) == 2
    assert "exists, and is left as it is" in capsys.readouterr().err
    assert (tmp_path / "mine.py").read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rank"], "want FAMILY.NAME"),
        (["ran.mine"], "did you mean 'rank'?"),
        (["zzz.mine"], "families are orthogonality, rank"),
        (["rank.drift"], "is a statement already"),
        (["rank."], "is no name of a theorem"),
        (["rank.Mine"], "is no name of a theorem"),
        (["rank.mine:sharp"], "variants are told in it"),
        (["rank.class"], "is no name of a theorem"),
        (["rank.../x"], "is no name of a theorem"),
        (["rank.mine", "--out", "/nowhere/at/all"], "no directory"),
        (["rank.mine", "--kind", "limit"], "invalid choice: 'limit'"),
        ([], "FAMILY.NAME"),
    ],
)
def test_what_it_refuses_is_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_it_writes_into_no_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in ("site-packages", "clone"):
        package = f"family_in_{place.replace('-', '_')}"
        folder = tmp_path / place / package
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("STATEMENTS = ()\n", encoding="utf-8")
        monkeypatch.syspath_prepend(folder.parent)
        statements = (f"{package}:STATEMENTS",)
        family = Family(name="pure", title="pure", sources=(), statements=statements)
        monkeypatch.setattr("theorems.commands.new.families", lambda family=family: (family,))
        status = main(["new", "pure.mine"])
        assert status == (2 if place == "site-packages" else 0)
        assert (folder / "mine.py").exists() == (status == 0)
        assert ("--out DIR" in capsys.readouterr().err) == (status == 2)


def test_a_kind_without_a_template_is_refused() -> None:
    with pytest.raises(ValueError, match="kind='limit': want one of pointwise, expectation"):
        written("limit", "rank", "mine")


def test_a_file_whose_list_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine_statements"
    folder.mkdir()
    for name, text in (("__init__", ""), ("a", "S = (1, 2)"), ("b", ""), ("c", "S = [3]")):
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(FamilyError, match=r"mine_statements\.c has S=\[3\]: want a tuple"):
        of_each_file("mine_statements", [str(folder)], "S")
    statement = "from theorems.templates.pointwise import STATEMENT as S"
    for number, (text, words) in enumerate(
        (
            (statement, r"x0 has a statement as S: want a tuple, S = \(STATEMENT,\) with a comma"),
            ("\nS = (lamb,)", r"x1\.py, line 2: NameError: name 'lamb' is not defined"),
            ("\n\nS = (1 2)", r"x2\.py, line 3: SyntaxError: "),
            ("raise ValueError('it is 3')", r"x3\.py, line 1: it is 3"),
            ("\nimport nothing.there", r"x4\.py, line 2: ModuleNotFoundError: "),
        )
    ):
        (folder / "c.py").rename(folder / f"x{number}.py")
        (folder / f"x{number}.py").write_text(text, encoding="utf-8")
        with pytest.raises(FamilyError, match=words):
            of_each_file("mine_statements", [str(folder)], "S")
        (folder / f"x{number}.py").rename(folder / "c.py")
    (folder / "c.py").unlink()
    assert of_each_file("mine_statements", [str(folder)], "S") == (1, 2)


def test_a_check_that_fails_is_told_with_its_file_and_the_others_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "broken.py"
    path.write_text("\n\ndef check(statement, context):\n    return lost\n", encoding="utf-8")
    name = "theorems.families.orthogonality.statements.broken"
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, name, module)
    sound = replace(POINTWISE, family="orthogonality")
    broken = replace(sound, theorem="broken", checks=(module.check,))
    told: list[str] = []
    found = [
        result.statement.name
        for result in verify_each(
            [broken, sound], refused=lambda statement, error: told.append(str(error))
        )
    ]
    assert found == [sound.name]
    (line,) = told
    assert f"a check of {path}, line 4, fails: NameError: name 'lost' is not defined" in line


def test_lines_of_another_file_are_not_those_of_an_error() -> None:
    with pytest.raises(ValueError, match="no number") as caught:
        int("no number")
    assert line_in(__file__, caught.value) is not None
    assert line_in("elsewhere.py", caught.value) is None


# --- in a copy of the sources -------------------------------------------------------------------


def looks_at_all(path: Path) -> list[str]:
    """The tests of a module that go through the library or a family by themselves, by node id."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    wanted = (
        "library()",
        "offers(",
        "select(['orthogonality'])",
        "LEDGER.entries)",
        "TABLE",
        "BROKEN",
    )
    return [
        f"{path.relative_to(ROOT)}::{node.name}"
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        if any(
            words in ast.unparse(ast.Module(body=node.body, type_ignores=[])) for words in wanted
        )
    ]


def in_copy(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env={**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"},
    )


PYTEST = ("pytest", "-q", "-n", "0", "-p", "no:cacheprovider")
NEW = ("initialisation_never_hurts", "gap_of_twelve_layers")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources after what the guide has a reader do: its example, and an expectation."""
    root = tmp_path_factory.mktemp("copy")
    for name in ("simulators", "theorems", "tests"):
        shutil.copytree(
            ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.db")
        )
    for name in (
        "pyproject.toml",
        "README.md",
        "CONTRIBUTING.md",
        ".ci",
        "docs",
    ):
        (root / name).symlink_to(ROOT / name)
    before = {path.stem for path in (root / FOLDER).glob("*.py")}
    for command in COMMANDS:
        if command[0] == "new":
            made = in_copy(root, "theorems.cli", *command)
            assert made.returncode == 0, made.stderr
    (example,) = re.findall(r"<!-- example: ([\w.]+) -->\n```python\n(.*?)```", GUIDE, re.DOTALL)
    name, text = example
    (root / FOLDER / f"{name.partition('.')[2]}.py").write_text(text, encoding="utf-8")
    assert {path.stem for path in (root / FOLDER).glob("*.py")} - before == set(NEW)
    return root


def judged(run: subprocess.CompletedProcess[str]) -> None:
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr
    assert " passed" in run.stdout
    assert "new statements" in run.stdout
    for name in NEW:
        assert f"orthogonality.{name} is not in theorems/ledger.json" in run.stdout


def test_the_doors_and_the_ledger_take_a_new_statement(copy: Path) -> None:
    files = [f"tests/theorems/test_{name}.py" for name in ("registry", "the_ledger", "statement")]
    judged(in_copy(copy, *PYTEST, *files, "-k", " or ".join(NEW)))


@pytest.mark.full  # minutes; the gate's quick brother is above
def test_no_test_turns_red_for_a_new_statement(copy: Path) -> None:
    modules = [
        path
        for path in sorted((ROOT / "tests" / "theorems").glob("test_*.py"))
        if path.name not in APART
    ]
    every = [
        str(path.relative_to(ROOT))
        for path in modules
        if "library" in path.read_text(encoding="utf-8")
    ]
    every.append("tests/theorems/test_statement_files.py")
    judged(in_copy(copy, *PYTEST, *every, "-k", " or ".join(NEW)))
    whole = [node for path in modules for node in looks_at_all(path)]
    assert len(whole) > 10
    found = in_copy(copy, *PYTEST, *whole)
    assert found.returncode == 0, found.stdout[-6000:] + found.stderr


@pytest.mark.full
def test_it_is_reported_with_its_figure_and_its_proof_stands(copy: Path) -> None:
    for command in COMMANDS:
        if command[0] != "new":
            run = in_copy(copy, "theorems.cli", *command)
            assert run.returncode == 0, run.stdout + run.stderr
    assert {command[0] for command in COMMANDS} == {"new", "show", "verify"}
    assert (copy / "report" / "initialisation_never_hurts.svg").is_file()
    assert "1 not on record" in run.stdout
    if shutil.which("coqc") is None and os.environ.get("CI") != "true":
        pytest.skip("Rocq is not installed")
    proof = in_copy(copy, "theorems.cli", "prove", f"orthogonality.{NEW[0]}")
    assert proof.returncode == 0, proof.stdout + proof.stderr
    assert "1 of 1 proofs stand" in proof.stdout
