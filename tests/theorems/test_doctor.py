"""``theorems doctor``: what it says of a part is so: there, too old, half there or missing."""

from __future__ import annotations

import json
import platform
import stat
import tomllib
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from theorems.cli import main
from theorems.commands import doctor
from theorems.commands.doctor import PARTS, Blas, Finding, Package, examine
from theorems.proofs.record import ProofRecord, recorded
from theorems.proofs.rocq import INSTALL, LIBRARIES
from theorems.registry import get

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: Extras for those who work on this project; the others are for its users.
OURS = {"docs", "test", "dev"}


def part(name: str) -> Finding:
    return next(p for p in PARTS if p.name == name).look()


def without(name: str, monkeypatch: pytest.MonkeyPatch, version: str = "") -> None:
    """The package ``name`` is not installed, or in another ``version``."""
    real = metadata.version

    def found(asked: str) -> str:
        if asked != name:
            return real(asked)
        if not version:
            raise metadata.PackageNotFoundError(asked)
        return version

    monkeypatch.setattr(metadata, "version", found)


def test_every_extra_for_users_is_an_optional_part() -> None:
    ways = [p.get for p in PARTS]
    for extra in PROJECT["optional-dependencies"].keys() - OURS:
        assert f"pip install 'batchnorm-theorems[{extra}]'" in ways
    assert INSTALL in ways


def test_what_is_there_is_told_with_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for name in ("numpy", "torch", "z3-solver", "matplotlib", "distributed", "pyarrow"):
        assert f"{name} {metadata.version(name)}" in told
    assert f"Python {platform.python_version()}" in told


@pytest.mark.parametrize(
    ("name", "distribution", "extra"),
    [
        ("z3", "z3-solver", "smt"),
        ("matplotlib", "matplotlib", "report"),
        ("scikit-learn", "scikit-learn", "digits"),
        ("Dask", "distributed", "dask"),
        ("pyarrow", "pyarrow", "parquet"),
    ],
)
def test_a_missing_part_is_told_with_how_to_get_it(
    name: str,
    distribution: str,
    extra: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    without(distribution, monkeypatch)
    assert not part(name).present
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert f"{distribution} missing" in " ".join(out.split())
    assert f"get it by: pip install 'batchnorm-theorems[{extra}]'" in out


def test_a_part_that_is_too_old_is_not_present(monkeypatch: pytest.MonkeyPatch) -> None:
    without("z3-solver", monkeypatch, "4.8")
    found = part("z3")
    assert not found.present
    assert "z3-solver 4.8 (wanted >=" in found.words


def test_a_package_of_the_core_that_is_too_old_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without("sympy", monkeypatch, "1.5")
    assert main(["doctor"]) == 0
    assert "sympy 1.5 (wanted >=" in " ".join(capsys.readouterr().out.split())


def compiler(folder: Path, libraries: Path) -> None:
    """Programs of the names that Rocq's have, whose libraries are in a folder."""
    says = f'case "$1" in -where) echo {libraries};; *) echo 8.16.1;; esac'
    for name in ("coqc", "coq_makefile", "make"):
        path = folder / name
        path.write_text(f"#!/bin/sh\n{says}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_no_rocq_or_one_without_libraries_is_not_present(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert part("Rocq") == Finding(False, "coqc, coq_makefile, make not found")
    compiler(tmp_path, tmp_path)
    for folder in LIBRARIES:
        assert not part("Rocq").present
        (tmp_path / "user-contrib" / folder).mkdir(parents=True)
    assert part("Rocq") == Finding(True, "Rocq 8.16.1")
    (tmp_path / "user-contrib" / "Interval").rmdir()
    assert part("Rocq") == Finding(False, "Rocq 8.16.1 without libcoq-interval")


@pytest.mark.parametrize(
    ("build", "devices", "present"), [("None", 2, False), ("'12.4'", 0, False), ("'12.4'", 2, True)]
)
def test_cuda_takes_a_build_and_a_device(
    build: str, devices: int, present: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "version.py").write_text(f"cuda = {build}\n", encoding="utf-8")
    folder = tmp_path / "torch-2.6.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Name: torch\nVersion: 2.6\n", encoding="utf-8")
    installed = metadata.PathDistribution(folder)
    monkeypatch.setattr(metadata, "distribution", lambda name: installed)
    monkeypatch.setattr(doctor, "_cuda_devices", lambda: devices)
    found = part("CUDA")
    assert found.present == present
    assert found.words.endswith(f"devices of the driver: {devices}")


@pytest.mark.parametrize(
    ("blas", "flags", "hinted"),
    [
        (Blas("openblas", "0.3.31", "Haswell", 2), "fma avx512f", True),
        (Blas("openblas", "0.3.31", "SkylakeX", 2), "fma avx512f", False),
        (Blas("openblas", "0.3.31", "Haswell", 2), "fma avx2", False),
        (Blas("mkl", "2024", "", 2), "fma avx512f", False),
    ],
)
def test_a_slower_kernel_is_hinted_at_only_where_a_faster_one_would_run(
    blas: Blas, flags: str, hinted: bool
) -> None:
    assert bool(blas.hint(flags, "")) == hinted
    assert ("as OPENBLAS_CORETYPE=Haswell says" in blas.hint(flags, "Haswell")) == hinted


def test_a_proof_that_the_record_does_not_cover_is_told_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = examine()
    assert before.lapsed == {}
    record = recorded()
    assert isinstance(record, ProofRecord)
    name = "orthogonality.contraction:sharp"
    statements = dict(record.file.statements)
    statements[name] = replace(statements[name], tie="another")
    other = replace(record, file=replace(record.file, statements=statements))
    monkeypatch.setattr(doctor, "recorded", lambda: other)
    assert main(["doctor"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"{name}: {other.objection(get(name))}" in told
    assert f"of {before.proofs} statements with a theorem {before.proofs - 1} are" in told
    monkeypatch.setattr(doctor, "recorded", lambda: "no record at all")
    assert set(examine().lapsed.values()) == {"no record at all"}


def test_all_that_is_printed_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json", str(tmp_path / "found.json")]) == 0
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert found["schema"] == 1
    assert {p.name for p in PARTS} == set(found["parts"])
    assert found["core"]["numpy"]["version"] == metadata.version("numpy")
    assert all(package["fits"] and package["wanted"] for package in found["core"].values())
    told = " ".join(capsys.readouterr().out.split())
    for each in found["parts"].values():
        assert each["words"] in told
    assert main(["doctor", "--json", str(tmp_path / "no" / "found.json")]) == 2


def test_a_package_that_is_not_installed_fits_nothing() -> None:
    assert not Package("numpy", "", ">=2.0").fits
    assert str(Package("numpy", "", ">=2.0")) == "numpy missing (wanted >=2.0)"
