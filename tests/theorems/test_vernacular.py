"""What the Rocq sources may not say: every breach is found, from Python and from the shell, and
nothing else is.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from theorems.proofs import rocq
from theorems.proofs.vernacular import Breach, breaches, project_breaches, stripped

FILE = "rank/DriftInequality.v"

BREACHES = {
    "Axiom wished : False.": "Axiom",
    "  Local Axiom wished : False.": "Axiom",
    "#[local] Axiom wished : False.": "Axiom",
    "Polymorphic Axiom wished : False.": "Axiom",
    "Definition one := 1. Axioms (wished : False).": "Axioms",
    "Parameter wished : False.": "Parameter",
    "Global Parameters wished : False.": "Parameters",
    "Conjecture wished : False.": "Conjecture",
    "Hypothesis wished : False.": "Hypothesis",
    "Local Hypotheses wished : False.": "Hypotheses",
    "Variable wished : False.": "Variable",
    "Definition one := 1. Variables (wished : False).": "Variables",
    "Context (wished : False).": "Context",
    "Section S. Variable a : nat. End S. Variable wished : False.": "Variable",
    "Module M. Variable wished : False. End M.": "Variable",
    "Module Type T. Section S. End S. Hypothesis wished : False. End T.": "Hypothesis",
    "Section S.\nModule N := Nat.\nEnd S.\nHypothesis wished : False.": "Hypothesis",
    "Lemma wished : False. Proof. Admitted.": "Admitted",
    "Lemma wished : False. Proof. split; admit. Defined.": "admit",
    "Lemma wished : False. Proof. now (try (intros; give_up)). Qed.": "give_up",
    "Admit Obligations.": "Admit Obligations",
    "Declare Module M : T.": "Declare Module",
    "Unset Guard Checking.": "Unset Guard Checking",
    "Local Unset\n  Positivity  Checking.": "Unset Positivity Checking",
    "#[export] Unset Universe Checking.": "Unset Universe Checking",
    "#[bypass_check(guard)] Fixpoint wished (n : nat) : False := wished n.": "bypass_check",
    'Load "elsewhere.v".': "Load",
    'Declare ML Module "plugin".': "Declare ML Module",
    'Definition a := "(*". Axiom wished : False. Definition b := "*)".': "Axiom",
    '(* "*)" *) Axiom wished : False.': "Axiom",
}

HARMLESS = (
    "(* Axiom, admit, (* Admitted *) Variable *) Definition a := 1.",
    'Definition a := "Axiom. Admitted. Variable x.".',
    'Definition a := "a "" Axiom".',
    "Section S. Variables (n : nat). Hypothesis n1 : n = 1. Lemma a : n = 1. Proof. exact: n1. Qed. End S.",
    "Section S. Section T. End T. Context (n : nat). End S.",
    "Section S. Module N := Nat. Variable a : nat. End S.",
    "Lemma admits_all axiom_free Variable' := 1.",
    "Lemma a : forall parameter hypothesis : nat, True. Proof. by []. Qed.",
)


@pytest.mark.parametrize(("text", "word"), BREACHES.items(), ids=list(BREACHES))
def test_every_breach_is_found(text: str, word: str) -> None:
    assert [breach.word for breach in breaches(text)] == [word]


@pytest.mark.parametrize("text", HARMLESS)
def test_comments_strings_sections_and_longer_names_are_no_breach(text: str) -> None:
    assert breaches(text) == []


def test_a_breach_names_its_line() -> None:
    assert breaches("(* one\n two *)\n\nLemma a : b.\nAdmitted.\nAxiom c : d.") == [
        Breach(5, "Admitted"),
        Breach(6, "Axiom"),
    ]


def test_what_is_blanked_out_keeps_its_lines() -> None:
    text = 'a (* b\n (* " *) " c *) d *) "e\n(*" f'
    assert stripped(text).split() == ["a", "f"]
    assert len(stripped(text)) == len(text)
    assert stripped(text).count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "line",
    [
        "-type-in-type",
        "-arg -type-in-type",
        "-impredicative-set",
        "-arg -noinit",
        "-R ../elsewhere Elsewhere",
        "-Q ../elsewhere BatchNorm",
        "-arg -lv",
        "a.v b.v",
    ],
)
def test_options_that_weaken_the_kernel_or_bring_in_text_are_found(line: str) -> None:
    assert project_breaches(f"-Q . BatchNorm\n{line}\na.v\n") == [Breach(2, line)]
    assert project_breaches("-Q . BatchNorm\n# -R a b\n-arg -w\n-arg -one,-two\n\na/B.v\n") == []
    assert project_breaches(f"-arg -w\n-arg -one\n{line}\n") == [Breach(3, line)]
    assert project_breaches("-arg -w\n-arg -type-in-type\n") == [Breach(2, "-arg -type-in-type")]


@pytest.fixture(scope="module")
def development(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The development by itself, to be altered."""
    root = tmp_path_factory.mktemp("development") / "proofs"
    shutil.copytree(
        rocq.SOURCES, root, ignore=shutil.ignore_patterns("__pycache__", "*.vo*", "*.glob", ".*")
    )
    return root


def checked(root: Path, tools: Path) -> subprocess.CompletedProcess[str]:
    """What the script says, with a ``coq_makefile`` that only reports that it was reached."""
    maker = tools / "coq_makefile"
    maker.write_text(
        "#!/bin/sh\necho 'the sources were let through' >&2\nexit 7\n", encoding="utf-8"
    )
    maker.chmod(0o755)
    path = f"{tools}:/usr/bin:/bin"
    return subprocess.run(
        ["sh", root / "check.sh"], env={"PATH": path}, capture_output=True, text=True, check=False
    )


def test_the_script_lets_the_sources_through(development: Path, tmp_path: Path) -> None:
    done = checked(development, tmp_path)
    assert (done.returncode, done.stderr.strip()) == (7, "the sources were let through")
    assert rocq.forbidden(development) == []


@pytest.mark.parametrize(("text", "word"), BREACHES.items(), ids=list(BREACHES))
def test_the_script_stops_at_every_breach(
    text: str, word: str, development: Path, tmp_path: Path
) -> None:
    path = development / FILE
    before = path.read_text(encoding="utf-8")
    try:
        path.write_text(f"{before}\n{text}\n", encoding="utf-8")
        done = checked(development, tmp_path)
        assert done.returncode == 1
        assert f"{FILE}:" in done.stderr
        assert f": {word}\n" in done.stderr
        assert "let through" not in done.stderr
        assert rocq.forbidden(development) == [f"{FILE}: {word}"]
    finally:
        path.write_text(before, encoding="utf-8")


def test_the_script_stops_at_an_option(development: Path, tmp_path: Path) -> None:
    path = development / "_CoqProject"
    before = path.read_text(encoding="utf-8")
    try:
        path.write_text(f"{before}-arg -type-in-type\n", encoding="utf-8")
        done = checked(development, tmp_path)
        assert done.returncode == 1
        assert "_CoqProject:" in done.stderr
        assert rocq.forbidden(development) == ["_CoqProject: -arg -type-in-type"]
    finally:
        path.write_text(before, encoding="utf-8")
