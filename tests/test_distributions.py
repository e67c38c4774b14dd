"""What is handed out: checks of wheel and sdist see what is missing or too much; versions agree."""

from __future__ import annotations

import io
import re
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.distributions import NEEDED, TOLD, faults
from tests.lowest_versions import lowest, normal, required

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: A repository, and what a build makes of it.
REPOSITORY = [*NEEDED, "tests/test_one.py", "README.md", "LICENSE"]
METADATA = "".join(f"{name}: {value}\n" for name, value in TOLD.items())
ABOUT = "batchnorm_theorems-0.1.0.dist-info"
GENERATED = {
    f"{ABOUT}/METADATA": METADATA,
    f"{ABOUT}/entry_points.txt": "[console_scripts]\ntheorems = theorems.cli:main\n"
    "[pytest11]\ntheorems = theorems.pytest_plugin\n",
    f"{ABOUT}/licenses/LICENSE": "",
    f"{ABOUT}/RECORD": "",
}


def built(folder: Path, wheel: dict[str, str], sdist: list[str]) -> list[str]:
    """The faults of distributions with these files."""
    with zipfile.ZipFile(folder / "one.whl", "w") as archive:
        for name, text in wheel.items():
            archive.writestr(name, text)
    with tarfile.open(folder / "one.tar.gz", "w:gz") as archive:
        for name in sdist:
            archive.addfile(tarfile.TarInfo(f"batchnorm_theorems-0.1.0/{name}"), io.BytesIO())
    return faults(folder, REPOSITORY)


WHEEL = {**dict.fromkeys(NEEDED, ""), **GENERATED}
SDIST = [*REPOSITORY, "PKG-INFO", "setup.cfg", "batchnorm_theorems.egg-info/SOURCES.txt"]


def test_distributions_that_carry_what_they_should_have_no_fault(tmp_path: Path) -> None:
    assert built(tmp_path, WHEEL, SDIST) == []


@pytest.mark.parametrize("name", [*NEEDED, f"{ABOUT}/licenses/LICENSE"])
def test_a_file_that_the_wheel_lacks_is_noticed(name: str, tmp_path: Path) -> None:
    assert built(tmp_path, {k: v for k, v in WHEEL.items() if k != name}, SDIST) != []


@pytest.mark.parametrize("name", ["tests/test_one.py", "theorems/moved.py", "build/lib/x.py"])
def test_a_file_that_the_wheel_should_not_carry_is_noticed(name: str, tmp_path: Path) -> None:
    told = f"the wheel carries {name}, which the repository has not"
    found = built(tmp_path, {**WHEEL, name: ""}, SDIST)
    assert [line.partition(",")[0] for line in found] == [told.partition(",")[0]]


@pytest.mark.parametrize("change", ["License-Expression: MIT", "theorems = theorems.pytest_plugin"])
def test_metadata_that_say_something_else_are_noticed(change: str, tmp_path: Path) -> None:
    wheel = {name: text.replace(change, "") for name, text in WHEEL.items()}
    assert built(tmp_path, wheel, SDIST) != []


def test_an_sdist_that_is_not_the_repository_is_noticed(tmp_path: Path) -> None:
    assert built(tmp_path, WHEEL, SDIST[1:]) == [f"the sdist lacks {SDIST[0]}"]
    assert built(tmp_path, WHEEL, [*SDIST, "report/page.html"]) == [
        "the sdist carries report/page.html, which the repository has not"
    ]


def test_one_wheel_and_one_sdist_are_wanted(tmp_path: Path) -> None:
    assert "0 wheels and 0 sdists" in faults(tmp_path, REPOSITORY)[0]


# --- versions -------------------------------------------------------------------------------------


def requirements() -> list[Requirement]:
    """Of the project with all its extras, its own name left out."""
    extras = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *(line for lines in extras.values() for line in lines)]
    return [r for r in map(Requirement, lines) if r.name != PROJECT["name"]]


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_every_requirement_says_from_which_version_on_and_the_pinned_one_will_do(
    requirement: Requirement,
) -> None:
    assert lowest(requirement).startswith(f"{requirement.name}==")
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    versions = {normal(name): version for name, version in pins.items()}
    assert requirement.specifier.contains(versions[normal(requirement.name)])


def test_the_lowest_versions_are_of_all_that_an_extra_brings() -> None:
    project = {
        "name": "ours",
        "dependencies": ["numpy>=2.0"],
        "optional-dependencies": {"smt": ["z3-solver>=4.12"], "test": ["ours[smt]", "build>=1,<2"]},
    }
    names = ["numpy==2.0", "z3-solver==4.12", "build==1"]
    assert list(map(lowest, required(project, "test"))) == names


@pytest.mark.parametrize("line", ["numpy", "numpy==2.0", "numpy<3"])
def test_a_requirement_without_a_lowest_version_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="want one >="):
        lowest(Requirement(line))


def test_the_version_is_the_same_wherever_it_is_told() -> None:
    """In the metadata, in what is to be cited, and as a release of the changelog."""
    version = PROJECT["version"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(rf"^version: {re.escape(version)}$", citation, re.MULTILINE)
    (date,) = re.findall(r'^date-released: "([\d-]+)"$', citation, re.MULTILINE)
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", changes, re.MULTILINE)[:2] == [
        "Unreleased",
        f"{version} ({date})",
    ]
