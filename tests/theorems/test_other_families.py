"""Families that other packages bring: one that works, in every room, and those that are refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from theorems import Verdict, get, inspect, library, select, verify
from theorems.certificates.document import UncheckableError
from theorems.certificates.kinds import kinds, offers, recheck
from theorems.cli import main
from theorems.family import Family, FamilyError
from theorems.registry import GROUP, UnknownNameError, families, refused, rescan
from theorems.statement import ClaimError
from theorems.templates import written

ROOT = Path(__file__).parents[2]
OTHER = ROOT / "tests" / "other_package"
OWN = library()
Install = Callable[..., Path]


def installed(site: Path, package: str, version: str, points: dict[str, str]) -> None:
    """What an installer leaves of a package's metadata in a directory of ``sys.path``."""
    info = site / f"{package.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n", encoding="utf-8"
    )
    lines = "".join(f"{name} = {value}\n" for name, value in points.items())
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}", encoding="utf-8")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a package with these modules and entry points; gone again after the test."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    before = set(sys.modules)

    def installing(package: str, points: dict[str, str], **modules: str) -> Path:
        for name, text in modules.items():
            (site / f"{name}.py").write_text(text, encoding="utf-8")
        installed(site, package, "1.0", points)
        rescan()
        return site

    yield installing
    for name in set(sys.modules) - before:
        if Path(str(getattr(sys.modules[name], "__file__", None) or "")).is_relative_to(tmp_path):
            del sys.modules[name]
    monkeypatch.undo()
    rescan()


def metadata() -> tuple[str, dict[str, str]]:
    project = tomllib.loads((OTHER / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["name"], project["entry-points"][GROUP]


@pytest.fixture
def purity(install: Install, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package beside these tests, as if it were installed."""
    monkeypatch.syspath_prepend(OTHER)
    name, points = metadata()
    return install(name, points)


# --- one that works, in every room --------------------------------------------------------------


def test_its_family_comes_after_ours_and_its_statements_last(purity: Path) -> None:
    assert [family.name for family in families()][-1] == "purity"
    assert library()[: len(OWN)] == OWN
    assert [s.name for s in library()[len(OWN) :]] == ["purity.lower_bound", "purity.recentred"]
    assert get("purity.recentred") is select(["purity"])[1]
    assert refused() == ()


def test_it_is_gone_when_its_package_is(install: Install) -> None:
    assert library() == OWN
    with pytest.raises(UnknownNameError, match="purity"):
        get("purity.recentred")


def test_it_is_listed_and_shown(purity: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    printed = capsys.readouterr()
    assert "purity.lower_bound" in printed.out
    assert "how pure recentred networks leave it (a test)" in " ".join(printed.out.split())
    assert printed.err == ""
    assert main(["show", "purity.recentred"]) == 0
    assert "Recentring leaves a mean effective rank" in " ".join(capsys.readouterr().out.split())


def test_it_is_verified_reported_and_kept_in_a_ledger(
    purity: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = ["--ledger", "new.json", "--update-ledger"]
    told = ["--json", "run.json", "--report", "report"]
    assert main(["verify", "purity", *kept, *told]) == 0, capsys.readouterr().err
    found = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["results"]
    assert [(r["statement"], r["verdict"]) for r in found] == [
        ("purity.lower_bound", "certified"),
        ("purity.recentred", "supported"),
    ]
    assert (tmp_path / "report" / "purity.svg").is_file()
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "Recentred ranks" in page
    assert "purity.recentred" in (tmp_path / "new.json").read_text(encoding="utf-8")
    assert main(["verify", "purity.lower_bound", "--ledger", "new.json"]) == 0, (
        capsys.readouterr().err
    )


def test_a_batch_reaches_its_checks(purity: Path) -> None:
    (result,) = verify("purity.recentred", batch=np.eye(16)[:, :3])
    assert result.verdict is Verdict.SUPPORTED


def test_its_certificates_are_made_and_checked_again(
    purity: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["certify", "purity", "--out", str(tmp_path / "out")]) == 0
    path = tmp_path / "out" / "purity.lower_bound.uniform5.json"
    capsys.readouterr()
    assert main(["recheck", str(path)]) == 0
    assert "uniform spectrum of n = 5" in capsys.readouterr().out
    assert "uniform purity" in kinds()


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(8, 8, bias=False), torch.nn.ReLU(), torch.nn.Linear(8, 8, bias=False)
    )


def test_its_findings_are_among_those_of_an_inspection(purity: Path) -> None:
    found = {finding.statement: finding for finding in inspect(network(), np.eye(8)[:4]).findings}
    assert found["purity.lower_bound"].holds is True
    assert found["purity.lower_bound"].predicted == 4


def test_its_statements_are_tests(purity: Path, tmp_path: Path) -> None:
    """In a process of its own: the plugin, as whoever has both packages runs it."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--theorems=purity", "-p", "no:cacheprovider", "-v"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, purity, OTHER)))},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "purity.recentred PASSED" in run.stdout
    assert "2 claims checked: 1 certified, 1 supported" in run.stdout


# --- those that are refused ---------------------------------------------------------------------

FAMILY = """
from theorems import Family
FAMILY = Family(name={name!r}, title="a family", sources=(), statements={statements})
"""
REFUSED = {
    "missing module": ("mine", "nowhere:FAMILY", "", "nowhere"),
    "missing name": ("mine", "mine:NOTHING", "", "NOTHING"),
    "import error": (
        "mine",
        "mine:FAMILY",
        "raise OSError('no disk\\nat all')",
        "OSError: no disk at all",
    ),
    "exit": ("mine", "mine:FAMILY", "import sys; sys.exit('bye')", "SystemExit: bye"),
    "no family": (
        "mine",
        "mine:FAMILY",
        "FAMILY = 3",
        "mine:FAMILY is an int, not a theorems.Family",
    ),
    "bad name": (
        "mine",
        "mine:FAMILY",
        FAMILY.format(name="My Family", statements=()),
        "want lower-case letters",
    ),
    "ours": (
        "rank",
        "mine:FAMILY",
        FAMILY.format(name="rank", statements=()),
        "another family is named 'rank'",
    ),
    "renamed": (
        "mine",
        "mine:FAMILY",
        FAMILY.format(name="other", statements=()),
        "it names itself 'other'",
    ),
    "no tuple": (
        "mine",
        "mine:FAMILY",
        FAMILY.format(name="mine", statements=[]),
        "statements=[]: want a tuple",
    ),
    "no reference": (
        "mine",
        "mine:FAMILY",
        FAMILY.format(name="mine", statements=("here",)),
        "statements has 'here': want 'package.module:NAME'",
    ),
    "lost reference": (
        "mine",
        "mine:FAMILY",
        FAMILY.format(name="mine", statements=("mine:LOST",)),
        "statements has 'mine:LOST': mine has no LOST",
    ),
    "broken reference": (
        "mine",
        "mine:FAMILY",
        FAMILY.format(name="mine", statements=("gone.away:S",)),
        "ModuleNotFoundError",
    ),
    "no statement": (
        "mine",
        "mine:FAMILY",
        FAMILY.format(name="mine", statements=(3,)),
        "statements have 3",
    ),
    "no statements": (
        "mine",
        "mine:FAMILY",
        FAMILY.format(name="mine", statements=()),
        "it has no statements",
    ),
    "another's": (
        "mine",
        "mine:FAMILY",
        FAMILY.format(name="mine", statements=("purity_theorems.statements:STATEMENTS",)),
        "purity.lower_bound has family='purity'",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_broken_family_is_refused_in_one_line_and_blocks_nothing(
    kind: str,
    install: Install,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name, point, text, words = REFUSED[kind]
    monkeypatch.syspath_prepend(OTHER)
    install("mine-theorems", {name: point}, mine=text)
    assert main(["list"]) == 0
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    for part in ("package mine-theorems 1.0", f"its family {name!r} is refused: ", words):
        assert part in printed.err
    assert library() == OWN
    assert [family.name for family in families()] == list(dict.fromkeys(s.family for s in OWN))
    if name == "mine":
        with pytest.raises(UnknownNameError, match="package mine-theorems") as refusal:
            get("mine.theorem")
        assert "\n" not in str(refusal.value)
    with pytest.raises(UnknownNameError) as elsewhere:
        get(f"{OWN[0].family}.nothing")
    assert "mine-theorems" not in str(elsewhere.value)


def test_of_two_packages_with_one_name_the_second_is_refused(install: Install) -> None:
    text = FAMILY.format(name="twin", statements=())
    install("b-theorems", {"twin": "twin_b:FAMILY"}, twin_b=text)
    install("a-theorems", {"twin": "twin_a:FAMILY"}, twin_a=text)
    assert [family.name for family in families()].count("twin") == 1
    (line,) = refused()
    assert line.startswith("package b-theorems 1.0: its family 'twin' is refused: another family")


PARTS = """
from dataclasses import replace
from theorems import Family
from theorems.certificates.kind import Kind, Offer
from theorems.inspection.finding import Finding
from theorems.report.style import Drawing, drawing, new_figure
from purity_theorems.statements import LOWER_BOUND

def fails(*given):
    raise ArithmeticError("it fails")

S = replace(LOWER_BOUND, family="mine", checks=(fails,))
FAMILY = Family(
    name="mine", title="what it has fails", sources=(), statements=(S,), {part}=({item},))
"""
#: What another package may bring that fails when it is used; the rooms that use it go on without.
FAILING = {
    "figure that raises": ("figures", "fails", "it fails"),
    "figure that is none": (
        "figures",
        "lambda document: 3",
        "3: want a theorems.report.style.Drawing",
    ),
    "figure in a lost module": ("figures", "'gone.away:draw'", "ModuleNotFoundError"),
    "kind that is none": ("certificates", "3", "3: want a theorems.certificates.kind.Kind"),
    "kind of a known name": (
        "certificates",
        "Kind('instance', '', fails, fails)",
        "another kind is named 'instance'",
    ),
    "kind that raises": ("certificates", "Kind('mine', '', fails, fails)", "it fails"),
    "finding that raises": ("findings", "fails", "it fails"),
    "finding that is none": (
        "findings",
        "lambda watched: [3]",
        "3: want a theorems.inspection.finding.Finding",
    ),
}


@pytest.mark.parametrize("kind", FAILING)
def test_a_part_that_fails_is_left_out_and_told(
    kind: str,
    install: Install,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    part, item, words = FAILING[kind]
    monkeypatch.syspath_prepend(OTHER)
    install("mine-theorems", {"mine": "mine:FAMILY"}, mine=PARTS.format(part=part, item=item))
    if part == "figures":
        from theorems.report import write_report
        from theorems.report.document import document_of as document

        empty = document([], seed=0, level=1e-6, batch=None)
        assert write_report(empty, tmp_path / "report")[0].is_file()
    elif part == "certificates":
        assert {offer.stem.rpartition(".")[2] for offer in offers(select(["mine"]))} <= {
            "size2",
            "size3",
        }
        assert "instance" in kinds()
    else:
        assert inspect(network(), np.eye(8)[:4]).findings
    (line,) = refused()
    assert line.startswith("package mine-theorems 1.0: ")
    assert words in line
    assert "mine.lower_bound" in {s.name for s in library()}, (
        "what fails is the part, not the family"
    )


def test_a_check_of_another_package_that_fails_refuses_its_statement_alone(
    install: Install,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.syspath_prepend(OTHER)
    install(
        "mine-theorems", {"mine": "mine:FAMILY"}, mine=PARTS.format(part="figures", item="fails")
    )
    own = OWN[0].name
    assert main(["verify", "mine", own]) == 2
    printed = capsys.readouterr()
    assert (
        "mine.lower_bound: a check of package mine-theorems 1.0 fails: ArithmeticError: it fails"
        in printed.err
    )
    assert own.partition(".")[2].partition(":")[0] in printed.out
    with pytest.raises(ClaimError, match="package mine-theorems"):
        verify(["mine"])


def test_a_kind_that_fails_at_a_certificate_leaves_it_unchecked(
    purity: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = next(
        o for o in offers([get("purity.lower_bound")]) if o.stem.endswith("uniform5")
    ).make(print)
    monkeypatch.setattr("purity_theorems.certificate.whole_of", lambda *given: "5")
    with pytest.raises(
        UncheckableError, match=r"package purity-theorems 1\.0 fails at it: TypeError"
    ):
        recheck(certificate)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": 3}, "name=3"),
        ({"name": "two words"}, "lower-case"),
        ({"title": " "}, "title"),
        ({"title": "two\nlines"}, "one line"),
        ({"sources": "one"}, "sources='one'"),
        ({"figures": ["a:b"]}, "figures"),
        ({"findings": ("a.b",)}, "findings has 'a.b'"),
        ({"experiments": ({"n": "4"},)}, "experiments have {'n': '4'}"),
        ({"experiments": ({"n": 0},)}, "want positive whole numbers"),
    ],
)
def test_a_family_of_another_form_is_refused(changes: dict[str, object], words: str) -> None:
    given = {"name": "mine", "title": "a family", "sources": (), "statements": ()} | changes
    with pytest.raises(FamilyError, match=words) as refusal:
        Family(**given)
    assert "\n" not in str(refusal.value)


def test_a_part_of_no_family_is_refused() -> None:
    with pytest.raises(ValueError, match="part='figure': want one of statements, figures"):
        families()[0].load("figure")


# --- statements with a file each ----------------------------------------------------------------


def test_a_family_without_a_folder_of_statements_is_told_where_a_new_one_goes(
    purity: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "purity.mine"]) == 2
    error = capsys.readouterr().err
    assert "'purity' has no folder of statements with a file each" in error
    assert "--out DIR" in error


def test_a_new_statement_goes_into_the_folder_of_its_family_and_is_found_there(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    family = FAMILY.format(name="mine", statements=("mine_stated:STATEMENTS",))
    site = install("mine-theorems", {"mine": "mine:FAMILY"}, mine=family)
    (site / "mine_stated").mkdir()
    (site / "mine_stated" / "__init__.py").write_text(
        "from theorems.family import of_each_file\n"
        'STATEMENTS = of_each_file(__name__, __path__, "STATEMENTS")\n',
        encoding="utf-8",
    )
    first = written("pointwise", "mine", "first")
    (site / "mine_stated" / "first.py").write_text(first, encoding="utf-8")
    rescan()
    assert main(["new", "mine.second", "--kind", "expectation"]) == 0
    assert (site / "mine_stated" / "second.py").is_file()
    assert "pytest --theorems=mine.second " in capsys.readouterr().out
    assert main(["new", "mine.first"]) == 2
    assert "is a statement already" in capsys.readouterr().err
    del sys.modules["mine_stated"]
    del sys.modules["mine"]
    rescan()
    assert [s.name for s in library() if s.family == "mine"] == ["mine.first", "mine.second"]
