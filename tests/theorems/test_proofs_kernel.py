"""What Rocq's kernel says: true statements pass, changed ones do not, and assumed theorems are noticed.

Needs Rocq: skipped without it, except on CI, where it must be there.
"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sympy as sp

from tests.theorems.rocq_here import rocq_or_skip
from theorems import Statement, get, library
from theorems.cli import main
from theorems.families.orthogonality.notation import i, lam, n, s, sig
from theorems.proofs import record as records
from theorems.proofs.bridge import check_file, establish, neighbours_file, skeleton
from theorems.proofs.rocq import (
    ALLOWED,
    SOURCES,
    Rocq,
    RocqError,
    axioms_in,
    file_of,
    forbidden,
    installed,
    is_leaf,
)
from theorems.statement import Assumption

GAP = get("orthogonality.gap_vs_smallest_eigenvalue:sharp")
UNIT = get("orthogonality.unit_frobenius")
FALSE_STEP = get("orthogonality.iterative_initialisation:as_printed")
#: One for each family and kind of numbers: `theorems prove`, which the gate runs as well, goes through them all.
TIED = tuple(
    {
        (x.family, x.proof.structure): x
        for x in library()
        if x.proof is not None and x.proof.link == "kernel"
    }.values()
)
KEPT = (
    "common/Sums.v",
    "orthogonality/GapSharp.v",
    "orthogonality/UnitFrobenius.v",
    "orthogonality/IterativeInitialisation.v",
)


def scratch_copy(root: Path, kept: tuple[str, ...] = KEPT) -> Path:
    """Some files of the development, by themselves."""
    for name in kept:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SOURCES / name, root / name)
    lines = (SOURCES / "_CoqProject").read_text(encoding="utf-8").splitlines()
    (root / "_CoqProject").write_text(
        "\n".join([x for x in lines if not x.endswith(".v")] + list(kept)) + "\n", encoding="utf-8"
    )
    modules = {f"BatchNorm.{name[:-2].replace('/', '.')}" for name in kept}
    names = (SOURCES / "EXPORTED").read_text(encoding="utf-8").splitlines()
    (root / "EXPORTED").write_text(
        "\n".join(x for x in names if x.rpartition(".")[0] in modules) + "\n", encoding="utf-8"
    )
    return root


@pytest.fixture(scope="session")
def rocq() -> Rocq:
    """Those files, built where ``theorems prove`` builds them, once for all workers and runs."""
    found = rocq_or_skip()
    found.build(KEPT)
    return found


def changed(statement: Statement, **change: Any) -> Statement:
    return replace(statement, **change)


def domain(statement: Statement, index: int, to: sp.Set) -> tuple[Any, ...]:
    kept = list(statement.variables)
    kept[index] = replace(kept[index], domain=to)
    return tuple(kept)


# --- the kernel compares --------------------------------------------------------------------------

CHANGES = {
    "a constant, 1e-7 smaller": changed(GAP, rhs=GAP.rhs * (1 - sp.Rational(1, 10**7))),
    "a constant, even if larger": changed(GAP, rhs=GAP.rhs * 2),
    "a power of n": changed(GAP, rhs=GAP.rhs / sp.sqrt(n)),
    "the direction": changed(GAP, relation=">="),
    "strictness": changed(GAP, relation="<"),
    "an exponent": changed(GAP, lhs=sp.sqrt(sp.Sum((lam[i] - 1 / n) ** 3, (i, 0, n - 1)))),
    "a dropped assumption": changed(GAP, assumptions=()),
    "a wider domain": changed(GAP, variables=domain(GAP, 1, sp.Interval(-1, 1))),
    "the largest for the smallest": changed(GAP, definitions={s: "max_i lambda[i]"}),
    "another side": changed(UNIT, rhs=UNIT.rhs + 1),
    "an assumption weakened": changed(
        UNIT,
        assumptions=(
            replace(
                UNIT.assumptions[0],
                relation=sp.Ge(UNIT.assumptions[0].relation.lhs, 0, evaluate=False),
            ),
        ),
    ),
    "one size less": changed(UNIT, variables=domain(UNIT, 1, sp.Range(0, sp.oo))),
    "an exponent under a negation": changed(
        FALSE_STEP, lhs=sp.Sum(sig[i] ** 3, (i, 0, n - 1)) ** 3
    ),
    "a theorem for its negation": changed(
        FALSE_STEP, proof=replace(FALSE_STEP.proof, refutes=False)
    ),  # type: ignore[type-var]
}


def together(files: Iterable[str]) -> str:
    """One file for several, a module each: loading the libraries takes longer than what is asked."""
    return "\n".join(
        f"Module file_{number}.\n{text}\nEnd file_{number}." for number, text in enumerate(files)
    )


def axioms_of_each(rocq: Rocq, files: Iterable[str]) -> list[tuple[str, ...]]:
    """What files that end in one ``Print Assumptions`` each rest on."""
    marked = [f'Goal True. idtac "== file". Abort.\n{text}' for text in files]
    return [
        axioms_in(part) for part in rocq.compile("check", together(marked)).split("== file")[1:]
    ]


def test_the_kernel_accepts_what_is_proved(rocq: Rocq) -> None:
    proved = [GAP, UNIT, FALSE_STEP]
    assert axioms_of_each(rocq, map(check_file, proved)) == [()] * len(proved)


def refused(changes: Iterable[Statement]) -> str:
    """One file for all changes of a statement; ``Fail`` is an error where what it guards succeeds."""
    files = [check_file(changed) for changed in changes]
    lines = [max((text.partition("Definition check :")[0] for text in files), key=len)]
    for number, text in enumerate(files):
        definition = text[text.index("Definition check :") : text.index("Print Assumptions")]
        claim = definition[: definition.rindex("\n  := ")]
        # stated first: it is the type that the kernel refuses, not the text
        lines += [
            claim.replace("check :", f"stated_{number} : Prop :=") + ".",
            f"Fail {definition}",
        ]
    return "\n".join(lines)


def changes_of(statement: Statement) -> list[Statement]:
    return [changed for changed in CHANGES.values() if changed.name == statement.name]


def test_the_kernel_rejects_what_is_changed(rocq: Rocq) -> None:
    changes = [changes_of(statement) for statement in (GAP, UNIT, FALSE_STEP)]
    assert min(map(len, changes)) > 1
    assert sum(map(len, changes)) == len(CHANGES)
    rocq.compile("changes", together(map(refused, changes)))


def test_a_change_that_changes_nothing_is_noticed(rocq: Rocq) -> None:
    """At every place: there, and nowhere else, is it ``Fail`` that fails."""
    changes, files = changes_of(UNIT), []
    for place in range(len(changes) + 1):
        given = refused([*changes[:place], UNIT, *changes[place:]])
        before, *guarded = given.split("Fail Definition")
        files.append(
            before
            + "".join(
                f"{'Fail ' if at == place else ''}Fail Definition{text}"
                for at, text in enumerate(guarded)
            )
        )
    rocq.compile("changes", together(files))
    with pytest.raises(RocqError, match="has not failed"):
        rocq.compile("changes", refused([*changes, UNIT]))


@pytest.mark.full  # `theorems prove`, which the gate runs, goes through them all
def test_tied_statements_and_no_neighbour_of_them(tmp_path: Path) -> None:
    found = rocq_or_skip()
    audit = establish(TIED, found)
    assert {f.statement.name: f.problem for f in audit.results} == {x.name: "" for x in TIED}
    assert all(
        set(f.axioms) <= (ALLOWED if is_leaf(f.proof.theorem) else set()) for f in audit.results
    )
    assert any(f.axioms for f in audit.results)
    assert audit.stands


def test_a_neighbour_that_passes_is_a_defect(rocq: Rocq) -> None:
    script = "move=> R d n A d1 n1 nz; rewrite ?addr0; exact: (THEOREM d1 n1 nz)"
    true = replace(UNIT.sentinel, rhs=sp.Add(UNIT.rhs, 0, evaluate=False))
    weak = replace(UNIT, proof=replace(UNIT.proof, script=script), sentinel=true)  # type: ignore[type-var]
    audit = establish([weak], rocq)
    assert not audit.stands
    assert "its false neighbour passes" in audit.results[0].problem
    # the same theorem by the same script, beside a neighbour that is false
    rocq.compile("neighbours", neighbours_file([replace(weak, sentinel=UNIT.sentinel)]))


LOOSE = [
    replace(GAP, proof=replace(GAP.proof, script=script))  # type: ignore[type-var]
    for script in (
        "by move=> R n l s n1 l01 least reached sum1; rewrite -sqrtrM ?subr_ge0 ?ler1n // [(_ - 1) * _]mulrC; "
        "have := THEOREM n1 l01 least reached sum1",  # closes what is left by search
        "by move=> R n l s n1; rewrite -sqrtrM ?subr_ge0 ?ler1n // [(_ - 1) * _]mulrC; apply: THEOREM",  # False will do
        "move=> R n l s n1 l01 least reached sum1; (have n0 : 0 <= n%:R - 1 :> R by rewrite subr_ge0 ler1n); "
        "rewrite -(sqrtrM _ n0) [(_ - 1) * _]mulrC; exact: (THEOREM _ l01 least reached sum1)",  # n1 from the context
    )
]


def test_loose_scripts_prove_the_statement(rocq: Rocq) -> None:
    assert axioms_of_each(rocq, map(check_file, LOOSE)) == [()] * len(LOOSE)


@pytest.mark.parametrize("loose", LOOSE, ids=["introduces", "contradicts", "picks"])
def test_a_script_that_takes_another_hypothesis_is_a_defect(loose: Statement, rocq: Rocq) -> None:
    with pytest.raises(RocqError, match="has not failed"):
        rocq.compile("neighbours", neighbours_file([loose]))


def test_a_hypothesis_that_python_adds_is_noticed() -> None:
    """One file: statements with ``n > n + 1`` before or behind their assumptions, stated, then
    refused.
    """
    found, heads, bodies = rocq_or_skip(), dict[str, None](), []
    for name in (
        "cluster.rescaled_values:first",
        "splines.minibatch_jitter:mean_variance",
        "splines.total_least_squares:identity",
        "orthogonality.gap_vs_smallest_eigenvalue:sharp",
    ):
        statement = get(name)
        size = statement.variables[0].symbol
        more = Assumption(sp.Gt(size, size + 1, evaluate=False), "contradicts itself")
        for assumptions in ((*statement.assumptions, more), (more, *statement.assumptions)):
            head, _, rest = check_file(replace(statement, assumptions=assumptions)).partition(
                "Definition check :"
            )
            claim, _, value = rest.partition("Print Assumptions")[0].rpartition("\n  := ")
            heads |= dict.fromkeys(line for line in head.splitlines() if line.startswith("Require"))
            bodies += [
                f"Definition stated_{len(bodies)} : Prop :={claim}.",
                f"Fail Definition check :{claim} := {value}",
            ]
    found.build([file_of(head.removeprefix("Require ").removesuffix(".") + ".x") for head in heads])
    found.compile(
        "added",
        "\n".join(
            [
                "From mathcomp Require Import all_ssreflect all_algebra.",
                *heads,
                "Import Order.Theory GRing.Theory Num.Theory.",
                "Local Open Scope ring_scope.",
                *bodies,
                "",
            ]
        ),
    )


# --- the audit sees what is assumed ---------------------------------------------------------------


UNIT_FILE = "orthogonality/UnitFrobenius.v"


def assumed(how: str, text: str) -> str:
    """The file with its first theorem assumed."""
    start, end = text.index("Theorem unit_frobenius "), text.index("Qed.") + len("Qed.")
    head = text[start : text.index("Proof.", start)]
    if how == "Axiom":
        found = head.replace("Theorem unit_frobenius", "Axiom unit_frobenius : forall", 1).replace(
            " :\n", ",\n", 1
        )
    elif how == "Admitted":
        found = f"{head}Proof. Admitted."
    else:  # outside a section this is an axiom by another name
        found = f"Variable wished : False.\n{head}Proof. by case: wished. Qed."
    return text[:start] + found + text[end:]


ASSUMED = {"Axiom": "unit_frobenius", "Admitted": "unit_frobenius", "Variable": "wished"}


@pytest.mark.parametrize("how", ASSUMED)
def test_an_assumption_is_noticed(how: str, tmp_path: Path) -> None:
    found = rocq_or_skip(root=scratch_copy(tmp_path / "root"), workspace=tmp_path / "built")
    path = found.root / UNIT_FILE
    path.write_text(assumed(how, path.read_text(encoding="utf-8")), encoding="utf-8")
    audit = establish([UNIT], found)
    assert not audit.stands
    assert how in audit.results[0].problem
    with pytest.raises(ValueError, match="cannot be recorded"):
        records.compose(audit, "2026-01-31", found.root)
    assert forbidden(found.root) == [f"{UNIT_FILE}: {how}"]


def test_were_the_word_overlooked_the_kernels_own_list_would_still_tell(tmp_path: Path) -> None:
    (tmp_path / "root/orthogonality").mkdir(parents=True)
    root = scratch_copy(tmp_path / "root", ())
    text = (SOURCES / UNIT_FILE).read_text(encoding="utf-8")
    with (root / "_CoqProject").open("a", encoding="utf-8") as project:
        for how in ASSUMED:
            (root / f"orthogonality/{how}.v").write_text(assumed(how, text), encoding="utf-8")
            print(f"orthogonality/{how}.v", file=project)
    found = rocq_or_skip(root=root, workspace=tmp_path / "built")
    found.build()
    names = {how: f"BatchNorm.orthogonality.{how}.unit_frobenius" for how in ASSUMED}
    told = found.assumptions(list(names.values()))
    for how, name in names.items():
        assert [axiom.rpartition(".")[2] for axiom in told[name]] == [ASSUMED[how]]


def test_a_proof_that_does_not_compile_is_said(tmp_path: Path) -> None:
    found = rocq_or_skip(root=scratch_copy(tmp_path / "root"), workspace=tmp_path / "built")
    path = found.root / "orthogonality/UnitFrobenius.v"
    path.write_text(path.read_text(encoding="utf-8").replace("Qed.", "idtac.", 1), encoding="utf-8")
    audit = establish([UNIT], found)
    assert not audit.stands
    assert "Error" in audit.problem
    assert "\n" not in audit.problem


def test_a_theorem_that_is_not_exported_does_not_count(rocq: Rocq) -> None:
    audit = establish(
        [replace(UNIT, proof=replace(UNIT.proof, theorem="BatchNorm.rank.Missing.thm"))], rocq
    )  # type: ignore[type-var]
    assert not audit.stands
    assert "not in EXPORTED" in audit.problem


# --- the command ----------------------------------------------------------------------------------


def test_exported_skeletons_compile(rocq: Rocq, tmp_path: Path) -> None:
    files = {}
    for name in (
        "orthogonality.gap_vs_smallest_eigenvalue:sharp",
        "orthogonality.unit_frobenius",
        "orthogonality.convexity:corrected",
    ):
        target = tmp_path / "open.v"
        assert main(["prove", "--export", name, str(target)]) == 0
        text = target.read_text(encoding="utf-8")
        assert text == skeleton(get(name))
        theorem = name.partition(".")[2].replace(":", "_")
        files[theorem] = f"{text}Print Assumptions {theorem}.\n"
        target.unlink()
    assert axioms_of_each(rocq, files.values()) == [(theorem,) for theorem in files]


def test_prove_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    rocq_or_skip()
    assert main(["prove", "orthogonality.unit_frobenius", "orthogonality.width_scaling"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "✓ proved kernel none" in printed
    assert "unit_frobenius (orthogonality/UnitFrobenius.v)" in printed
    assert "No theorem orthogonality.width_scaling" in printed
    assert "1 of 1 proofs stand" in printed


def test_every_development_and_version_is_built_in_a_place_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def found(version: str, root: Path) -> Path:
        for name in ("coqc", "coq_makefile", "make"):
            (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
            (tmp_path / name).chmod(0o755)
        return installed(root).workspace

    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    one, other = tmp_path / "one", tmp_path / "other"
    places = [found(version, root) for version in ("8.20", "9.0") for root in (one, other)]
    assert found("8.20", one) == places[0]
    assert len(set(places)) == 4
    assert not any(a in b.parents for a in places for b in places)
    assert all((tmp_path / "cache") in place.parents for place in places)
    assert installed(one, tmp_path / "here").workspace == tmp_path / "here"
    monkeypatch.chdir(tmp_path)  # programs run in the workspace, and a relative place is not in it
    here = installed(Path("one"), Path("here"))
    assert (here.root, here.workspace) == (one, tmp_path / "here")


def test_without_rocq_the_recorded_certificate_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["prove", "orthogonality"]) == 0
    printed, errors = capsys.readouterr()
    assert "apt-get install --no-install-recommends coq " in " ".join(errors.split())
    assert "nothing was established anew" in " ".join(printed.split())
    assert "✓ proved" in printed
    assert main(["prove", "--record", "2026-01-31"]) == 2
    assert "apt-get install" in capsys.readouterr().err


def test_without_rocq_a_stale_certificate_is_no_proof(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    stale = replace(GAP, rhs=2 * GAP.rhs)
    monkeypatch.setattr("theorems.registry.library", lambda *_: (stale,))
    assert main(["prove"]) == 1
    printed = capsys.readouterr().out
    assert "✗ open" in printed
    assert "has changed" in printed
    assert records.evidence(stale) is None


def test_a_missing_certificate_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("theorems.commands.prove.recorded", lambda: "certificate.json: not JSON")
    assert main(["prove"]) == 1
    assert "no certificate to show: certificate.json: not JSON" in capsys.readouterr().err
