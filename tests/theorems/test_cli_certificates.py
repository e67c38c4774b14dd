"""``theorems certify`` and ``theorems recheck``, and the certificates that come with the package."""

import json
from dataclasses import replace
from pathlib import Path

import flint
import pytest
import sympy as sp

import theorems.families
from theorems.certificates.document import CertificateError, read
from theorems.certificates.kinds import kinds, offers, recheck
from theorems.cli import main
from theorems.context import Context
from theorems.families.orthogonality.contraction_boxes import ContractionBoxes, certify
from theorems.registry import get, library
from theorems.statement import Verdict

STEP = "orthogonality.iterative_initialisation:as_printed"
SHIPPED = sorted(Path(theorems.families.__file__).parent.glob("*/certificates/*.json"))
SHARP = get("orthogonality.contraction:sharp")


@pytest.fixture
def made(tmp_path, capsys):
    assert main(["certify", STEP, "--out", str(tmp_path / "new")]) == 0
    assert capsys.readouterr().out.startswith(
        "made orthogonality.iterative_initialisation.as_printed.witness: "
    )
    (path,) = (tmp_path / "new").iterdir()
    return path


def test_what_certify_writes_recheck_holds(made, capsys):
    assert main(["recheck", str(made)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("holds ")
    assert out.count("\n") == 1


def test_recheck_tells_refused_from_unreadable(made, tmp_path, capsys):
    content = json.loads(made.read_text(encoding="utf-8"))
    altered, broken = tmp_path / "altered.json", tmp_path / "broken.json"
    altered.write_text(json.dumps({**content, "claim": "more"}), encoding="utf-8")
    broken.write_text(made.read_text(encoding="utf-8")[:200], encoding="utf-8")
    assert main(["recheck", str(made), str(altered)]) == 1
    assert "refused " in capsys.readouterr().out
    assert main(["recheck", str(made), str(broken)]) == 2
    printed, errors = capsys.readouterr()
    assert printed.startswith("holds ")
    assert printed.count("\n") == errors.count("\n") == 1
    assert errors.startswith(f"theorems: {broken}: ")
    assert main(["recheck", str(altered), str(broken)]) == 1
    printed, errors = capsys.readouterr()
    assert printed.count("\n") == errors.count("\n") == 1


def test_recheck_refuses_what_is_no_certificate_as_other_verbs_do(tmp_path, capsys):
    missing, other = str(tmp_path / "none.json"), tmp_path / "list.json"
    other.write_text("[]", encoding="utf-8")
    for name, words in ((missing, "cannot be read: no such file"), (str(other), "want")):
        assert main(["recheck", name]) == 2
        printed, errors = capsys.readouterr()
        assert printed == ""
        assert errors.startswith(f"theorems: {name}: ")
        assert words in errors
        assert errors.count("\n") == 1


def test_certificates_that_write_the_factor_one_hold_still():
    certificate = certify(2, flint.fmpq(1), "orthogonality.contraction:sharp")
    assert "(1 - σ_n²)" in certificate.claim
    former = replace(certificate, claim=certificate.claim.replace("(1 - σ", "(1 - 1 σ"))
    assert recheck(certificate).replace("(1 - σ", "(1 - 1 σ") == recheck(former)
    with pytest.raises(CertificateError, match="claim"):
        recheck(replace(certificate, claim=certificate.claim.replace("(1 - σ", "(1 - 2 σ")))


def test_certify_without_a_place_writes_nothing_and_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["certify", STEP]) == 0
    assert "add --out DIR" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["certify", "orthogonality.contractio"], "did you mean"),
        (["recheck"], "FILE"),
        (
            ["certify", "orthogonality.width_scaling"],
            "no certificate is made for orthogonality.width_scaling",
        ),
        (["certify", STEP, "--out", __file__], "not a directory"),
    ],
)
def test_refusals_are_one_line(arguments, words, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_names_of_files_are_unique_and_every_kind_offers_something():
    stems = [offer.stem for offer in offers(library())]
    assert len(set(stems)) == len(stems)
    assert {read(path).kind for path in SHIPPED} == set(kinds())


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path, id=path.stem, marks=[pytest.mark.full] * path.stem.endswith(("n5", "n6", "n64"))
        )
        for path in SHIPPED
    ],
)
def test_what_comes_with_the_package_stands(path):
    certificate = read(path)
    if certificate.kind == "small sizes":
        pytest.importorskip("z3")
    assert recheck(certificate)


def test_boxes_as_evidence_speak_for_the_statement_and_against_its_neighbour():
    found = ContractionBoxes((2, 3))(SHARP, Context(seed=0, level=1e-6))
    assert (found.verdict, found.sentinel, found.partial) == (
        Verdict.CERTIFIED,
        Verdict.REFUTED,
        True,
    )


@pytest.mark.parametrize("factor", [sp.Rational(1001, 1000), sp.Rational(9, 10)])
def test_boxes_are_no_evidence_for_another_constant(factor):
    n, s = sp.Symbol("n", integer=True, positive=True), sp.Symbol("s", nonnegative=True)
    other = replace(
        SHARP,
        rhs=(1 - factor * 2 * n / (n + 2) * s) * (1 / n - s),
        sentinel=replace(SHARP.sentinel, rhs=(1 - 3 * s) * (1 / n - s)),
    )
    assert (
        ContractionBoxes((2,))(other, Context(seed=0, level=1e-6)).verdict is Verdict.INCONCLUSIVE
    )


def test_boxes_are_no_evidence_for_a_bound_of_another_form():
    other = replace(SHARP, rhs=SHARP.rhs**2)
    found = ContractionBoxes((2,))(other, Context(seed=0, level=1e-6))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "its bound is not" in found.summary
