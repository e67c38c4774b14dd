"""Printing statements, reading the development, and the recorded certificate: all that needs no
Rocq.
"""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import sympy as sp
from newcomers import new

from theorems import Statement, Verdict, get, library
from theorems.families.orthogonality.notation import lam, n, s
from theorems.proofs import record as records
from theorems.proofs import rocq
from theorems.proofs.bridge import Audit, check_file, skeleton
from theorems.proofs.printer import UnprintableError, beside, proposition
from theorems.proofs.record import RecordError, compose, evidence, read
from theorems.statement import Assumption, Evidence, Proof, Sentinel, Variable
from theorems.verification import Result, overall, verify

GAP = "orthogonality.gap_vs_smallest_eigenvalue:sharp"
PROVED = tuple(s for s in library() if s.proof is not None)
TIED = tuple(s for s in PROVED if s.proof is not None and s.proof.link == "kernel")

# --- printing -------------------------------------------------------------------------------------

GOLDEN = {
    "orthogonality.gap_vs_smallest_eigenvalue:sharp": r"""
forall (R : rcfType) (n : nat) (lambda : 'I_n -> R) (s : R),
  (1 <= n)%N ->
  (forall i : 'I_n, 0 <= lambda i <= 1) ->
  (forall i : 'I_n, s <= lambda i) ->
  (exists i : 'I_n, s = lambda i) ->
  \sum_(i < n) lambda i = 1 ->
  Num.sqrt (\sum_(i < n) (lambda i - n%:R^-1) ^+ 2) <= Num.sqrt (n%:R - 1) * Num.sqrt n%:R * (n%:R^-1 - s)""",
    "orthogonality.unit_frobenius": r"""
forall (R : realFieldType) (d : nat) (n : nat) (A : 'I_d -> 'I_n -> R),
  (1 <= d)%N ->
  (1 <= n)%N ->
  0 < \prod_(i < d) (\sum_(k < n) A i k ^+ 2) ->
  \sum_(i < d) \sum_(j < n) A i j ^+ 2 / (\sum_(k < n) A i k ^+ 2) = d%:R""",
    "orthogonality.iterative_initialisation:conclusion": r"""
forall (R : realFieldType) (n : nat) (sigma : 'I_n -> R),
  (1 <= n)%N ->
  (forall i : 'I_n, 0 <= sigma i <= 1) ->
  \sum_(i < n) sigma i ^+ 2 = 1 ->
  n%:R * (\sum_(i < n) sigma i ^+ 4) != 1 ->
  0 < \prod_(i < n) sigma i ->
  ((\sum_(i < n) sigma i) ^+ 2)^-1 < \sum_(i < n) sigma i ^+ 4""",
}


@pytest.mark.parametrize("name", GOLDEN)
def test_printed_statements(name: str) -> None:
    assert proposition(get(name)) == GOLDEN[name].strip()


def test_a_negation_is_closed_over_the_field() -> None:
    lines = proposition(
        get("orthogonality.iterative_initialisation:as_printed"), negated=True
    ).splitlines()
    assert lines[:2] == ["forall R : realFieldType,", "  ~ (forall (n : nat) (sigma : 'I_n -> R),"]
    assert lines[-1].endswith(")")


def test_the_checked_file_is_one_definition() -> None:
    text = check_file(get("orthogonality.unit_frobenius"))
    assert text == (
        "From mathcomp Require Import all_ssreflect all_algebra.\n"
        "Require BatchNorm.orthogonality.UnitFrobenius.\nLocal Open Scope ring_scope.\nDefinition check :\n  "
        + proposition(get("orthogonality.unit_frobenius")).replace("\n", "\n  ")
        + "\n  := @BatchNorm.orthogonality.UnitFrobenius.unit_frobenius.\nPrint Assumptions check.\n"
    )


k = sp.Symbol("k", integer=True)
x, y, m = (
    sp.Symbol("x", real=True),
    sp.Symbol("y", positive=True),
    sp.Symbol("m", integer=True, nonnegative=True),
)


SEVEN = sp.Integer(7)


def claim(lhs: sp.Expr, relation: str = "<=", rhs: sp.Expr = SEVEN, **changes: object) -> Statement:
    """A pointwise claim about a real x, a positive y, naturals n >= 2 and m < n, and a family
    lambda.
    """
    variables = (
        Variable(n, sp.Range(2, sp.oo), "n"),
        Variable(m, sp.Range(0, n), "m"),
        Variable(x, sp.Reals, "x"),
        Variable(y, sp.Interval.open(0, sp.oo), "y"),
        Variable(lam, sp.Interval.Ropen(-1, 1 / n), "family", size=(n,)),
    )
    given = {"definitions": {}, "assumptions": (), **changes}
    return replace(
        get(GAP),
        theorem="t",
        variant="",
        variables=variables,
        lhs=lhs,
        relation=relation,
        rhs=rhs,
        sentinel=Sentinel("other", rhs=rhs + 1),
        proof=None,
        **given,
    )  # type: ignore[arg-type]


def ranging(domain: sp.Range) -> str:
    """A claim about naturals k >= 1 and m in the domain, as printed."""
    stated = claim(x)
    whole = (Variable(k, sp.Range(1, sp.oo), "k"), Variable(m, domain, "m"))
    return proposition(replace(stated, variables=(*whole, Variable(x, sp.Reals, "x"))))


@pytest.mark.parametrize(
    ("domain", "printed"),
    [
        (sp.Range(3, sp.oo), ["(3 <= m)%N"]),
        (sp.Range(k, sp.oo), ["(k <= m)%N"]),
        (sp.Range(0, k), ["(m < k)%N"]),
        (sp.Range(k, 2 * k), ["(k <= m)%N", "(m < (2 * k)%N)%N"]),
    ],
    ids=str,
)
def test_ends_of_whole_numbers_are_printed(domain: sp.Range, printed: list[str]) -> None:
    found = ranging(domain)
    assert all(end in found for end in printed)
    assert found.count("->") == 1 + len(printed), "and that k is at least 1"


@pytest.mark.parametrize(
    "domain", [sp.Range(-1, sp.oo), sp.Range(-sp.oo, 3), sp.Range(0, 9, 2)], ids=str
)
def test_whole_numbers_that_are_no_naturals_one_by_one_are_refused(domain: sp.Range) -> None:
    with pytest.raises(UnprintableError, match=r"m ranges over .*, not over natural numbers"):
        ranging(domain)


@pytest.mark.parametrize(
    ("expression", "printed"),
    [
        (sp.Rational(-2, 3) * x, "- (2%:R * x / 3%:R)"),
        (1 - x, "1 - x"),
        (x - 1, "x - 1"),
        (x / y, "x / y"),
        (1 / y, "y^-1"),
        (y**-2, "(y ^+ 2)^-1"),
        (sp.sqrt(y), "Num.sqrt y"),
        (1 / sp.sqrt(y), "(Num.sqrt y)^-1"),
        (y ** sp.Rational(3, 2), "Num.sqrt y ^+ 3"),
        (x**m, "x ^+ m"),
        (x ** (m + n), "x ^+ (m + n)%N"),
        (x ** (n - 2), "x ^+ (n - 2)%N"),
        (y ** ((n + 1) / 2), "Num.sqrt y ^+ (n + 1)%N"),
        (y**-m, "(y ^+ m)^-1"),
        (n * x, "n%:R * x"),
        (n - m * x, "n%:R - m%:R * x"),
        (sp.Max(x, 0), "Num.max 0 x"),
        (abs(x), "`|x|"),
        (sp.Sum(k * lam[k], (k, 0, n - 1)), r"\sum_(k < n) k%:R * lambda k"),
        ((x + y) * y, "y * (x + y)"),
        (sp.Mul(-y, x + y, evaluate=False), "(- y) * (x + y)"),
        (x - (sp.Sum(lam[k], (k, 0, n - 1)) + 1), r"x - (\sum_(k < n) lambda k) - 1"),
        (sp.Integer(10**6) * x, "1000%:R * 1000%:R * x"),
        (sp.Integer(2001) + x, "x + (2%:R * 1000%:R + 1)"),
    ],
)
def test_printed_terms(expression: sp.Expr, printed: str) -> None:
    assert proposition(claim(expression)).splitlines()[-1].strip() == f"{printed} <= 7%:R"


@pytest.mark.parametrize(
    ("relation", "printed"),
    [("<=", "x <= y"), ("<", "x < y"), (">=", "y <= x"), (">", "y < x"), ("==", "x = y")],
)
def test_printed_relations(relation: str, printed: str) -> None:
    assert proposition(claim(x, relation, y)).splitlines()[-1].strip() == printed


def test_printed_domains() -> None:
    assert proposition(claim(x, "<=", y)).splitlines() == [
        "forall (R : realFieldType) (n : nat) (m : nat) (x : R) (y : R) (lambda : 'I_n -> R),",
        "  (2 <= n)%N ->",
        "  (m < n)%N ->",
        "  0 < y ->",
        "  (forall i : 'I_n, - 1 <= lambda i < n%:R^-1) ->",
        "  x <= y",
    ]


def test_one_hypothesis_more_or_another_makes_a_proposition_beside_the_statement() -> None:
    statement = claim(x, "<=", y)
    head, *given, last = proposition(statement).splitlines()
    assert [text.splitlines() for text in beside(statement)] == [
        [head, "  False ->", *given, last],
        [head, "  (0 = 0 :> R) ->", *given, last],
        [head, *given, "  False ->", last],
        [head, *given, "  (0 = 0 :> R) ->", last],
        *([head, *given[:k], "  False ->", *given[k + 1 :], last] for k in range(len(given))),
    ]
    bare = replace(
        statement,
        variables=(Variable(x, sp.Reals, "x"),),
        rhs=x + 1,
        sentinel=Sentinel("other", rhs=x),
    )
    assert len(beside(bare)) == 2
    assert all(
        text.startswith("forall R : realFieldType,\n  ~ (")
        for text in beside(statement, negated=True)
    )


def test_a_claim_about_numbers_alone_says_of_which_field() -> None:
    assert proposition(claim(n**2, "<=", sp.Integer(7))).endswith("n%:R ^+ 2 <= 7%:R :> R")


def test_definitions_become_hypotheses() -> None:
    defined = claim(s, "<=", x, definitions={s: x + 1, sp.Symbol("unused"): "in words"})
    assert "(s : R),\n" in proposition(defined)
    assert "  s = x + 1 ->" in proposition(defined).splitlines()
    largest = claim(s, "<=", x, definitions={s: "max_i lambda[i]"})
    assert "  (forall i : 'I_n, lambda i <= s) ->" in proposition(largest).splitlines()


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (claim(sp.sin(x)), "sin has no printed form"),
        (claim(x ** sp.Rational(1, 3)), "exponent 1/3"),
        (claim(lam[0]), "read at 0"),
        (claim(x ** (m - 1)), "may be negative"),
        (claim(sp.Sum(lam[k], (k, 1, n - 1))), "starts at 1"),
        (claim(sp.Sum(lam[k], (k, 0, n - 2))), "read at k"),
        (claim(s, definitions={s: "something"}), "in words"),
        (
            claim(x, assumptions=(Assumption(sp.Ge(x, 1), "along", along="path"),)),
            "along a random path",
        ),
        (get("orthogonality.decay:sharp"), "expectation"),
        (get("orthogonality.convexity:conclusion"), "Derivative"),
    ],
)
def test_what_cannot_be_printed_is_refused_with_the_reason(
    statement: Statement, reason: str
) -> None:
    with pytest.raises(UnprintableError, match=re.escape(reason)) as error:
        proposition(statement)
    assert str(error.value).startswith(statement.name)


@pytest.mark.parametrize(
    ("condition", "printed"),
    [
        (sp.And(sp.Eq(m, n - 1), m < n), "(m < n)%N && (m == (n - 1)%N)"),
        (
            sp.And(sp.Eq(m + 1, n), sp.Eq(m, n - 2), evaluate=False),
            "(m == (n - 2)%N) && (n == (m + 1)%N)",
        ),
        (sp.And(sp.Eq(m, n - 1), x > 0), "(0 < x) && (m == (n - 1)%N)"),
        (sp.Eq(m, n - 1), "m == (n - 1)%N"),
        (sp.And(m < n, m + 2 > n, evaluate=False), "(m < n)%N && (n < (m + 2)%N)%N"),
    ],
)
def test_every_case_of_several_stands_in_parentheses(condition: sp.Basic, printed: str) -> None:
    text = proposition(claim(sp.Piecewise((x, condition), (y, True)))).splitlines()[-1]
    assert re.search("if (.*) then", text)[1] == printed  # type: ignore[index]


def test_an_index_of_a_sum_hides_a_variable_of_its_name_wherever_it_occurs() -> None:
    printed = proposition(claim(lam[m] + sp.Sum(x ** (m + 1), (m, 0, n - 1))))
    assert printed.splitlines()[-1].strip() == r"lambda m + (\sum_(m_ < n) x ^+ (m_ + 1)%N) <= 7%:R"


def test_no_variable_takes_the_name_of_a_constant_of_the_reals() -> None:
    three = sp.Symbol("PI")
    printed = proposition(claim(three * sp.pi, definitions={three: sp.Integer(3)}), structure="R")
    assert "  PI_ = 3 ->" in printed.splitlines()
    assert printed.splitlines()[-1].strip() == "PI_ * PI <= 7)"


def test_printing_does_not_depend_on_the_order_of_writing() -> None:
    one, other = (
        x * y + n * x,
        sp.Add(sp.Mul(x, n, evaluate=False), sp.Mul(y, x, evaluate=False), evaluate=False),
    )
    assert proposition(claim(one)) == proposition(claim(other))


def test_a_skeleton_is_marked_open() -> None:
    text = skeleton(get(GAP))
    assert text.startswith("(* OPEN: stated, not proved. orthogonality.gap_vs")
    assert text.endswith("Proof.\nAdmitted.\n")
    assert "Theorem gap_vs_smallest_eigenvalue_sharp :" in text


@pytest.mark.parametrize("script", ["exact: t. Admitted", "t) : nat := (0", "(t", "t."])
def test_a_script_is_one_tactic_expression(script: str) -> None:
    with pytest.raises(ValueError, match="one tactic expression"):
        Proof(theorem="BatchNorm.a.B.c", script=script)


def test_a_link_by_name_needs_words() -> None:
    with pytest.raises(ValueError, match="gloss"):
        Proof(theorem="BatchNorm.a.B.c", link="name")
    with pytest.raises(ValueError, match="'kernel' or 'name'"):
        Proof(theorem="BatchNorm.a.B.c", link="hope")
    with pytest.raises(ValueError, match="leaves nothing"):
        Proof(theorem="BatchNorm.a.B.c", leaves="the rest")


# --- the development ------------------------------------------------------------------------------


def test_every_file_is_built_and_every_theorem_exported() -> None:
    files = {p.relative_to(rocq.SOURCES).as_posix() for p in rocq.SOURCES.rglob("*.v")}
    assert files == set(rocq.sources())
    assert {rocq.file_of(name) for name in rocq.exported()} <= files
    spoken = {t for s in PROVED if s.proof for t in (s.proof.theorem, *s.proof.also)}
    assert spoken <= set(rocq.exported())
    for name in rocq.exported():
        text = (rocq.SOURCES / rocq.file_of(name)).read_text(encoding="utf-8")
        assert re.search(rf"\b(Theorem|Lemma|Corollary)\s+{name.rpartition('.')[2]}\b", text), name


def test_nothing_is_assumed_in_the_sources() -> None:
    assert rocq.forbidden() == []


def test_the_shell_script_allows_the_same_axioms() -> None:
    text = (rocq.SOURCES / "check.sh").read_text(encoding="utf-8")
    (allowed,) = re.findall(r"allowed='([^']*)'", text)
    assert set(allowed.split()) == rocq.ALLOWED


def test_imports_are_followed() -> None:
    found = rocq.closure("orthogonality/GapSharp.v")
    assert found == ("common/Sums.v", "orthogonality/GapSharp.v")
    assert "orthogonality/TangentLine.v" in rocq.closure("orthogonality/leaf/Contraction.v")


def test_axioms_are_read_and_what_is_not_understood_counts() -> None:
    assert rocq.axioms_in("Closed under the global context\n") == ()
    printed = "Axioms:\nA.b : forall x,\n  x = x\nc\n  : nat\n"
    assert rocq.axioms_in(printed) == ("A.b", "c")
    assert rocq.axioms_in("Theory: Type hierarchy is collapsed (logic is inconsistent)\n") == (
        "Theory",
    )
    with pytest.raises(rocq.RocqError):
        rocq.axioms_in("\n")


# --- the certificate ------------------------------------------------------------------------------


def recorded() -> records.ProofRecord:
    return read()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The sources and the certificate, to be changed."""
    root = tmp_path / "proofs"
    shutil.copytree(
        rocq.SOURCES, root, ignore=shutil.ignore_patterns("*.py", "__pycache__", "*.vo*", "*.glob")
    )
    return root


@pytest.mark.parametrize("statement", PROVED, ids=lambda s: s.name)
def test_the_recorded_certificate_covers_every_proof(statement: Statement) -> None:
    if statement.name not in recorded().file.statements:
        new(f"the proof of {statement.name} is not on record: theorems prove {statement.name}")
    assert recorded().objection(statement) == "", "run: theorems prove --record DATE"
    found = evidence(statement)
    assert found is not None
    assert found.partial == bool(statement.proof and statement.proof.leaves)


def test_twenty_theorems_speak_for_statements() -> None:
    assert len(PROVED) >= 20
    assert len(TIED) >= 9


@pytest.mark.parametrize(
    "change",
    [
        {"rhs": get(GAP).rhs * sp.Rational(999, 1000)},
        {"relation": "<"},
        {"assumptions": ()},
        {
            "variables": (
                get(GAP).variables[0],
                replace(get(GAP).variables[1], domain=sp.Interval(0, 2)),
            )
        },
        {"sentinel": Sentinel("another", rhs=get(GAP).rhs / 2)},
    ],
    ids=lambda c: next(iter(c)),
)
def test_a_changed_statement_is_not_covered(change: dict[str, object]) -> None:
    changed = replace(get(GAP), **change)  # type: ignore[arg-type]
    assert "has changed" in recorded().objection(changed)
    assert evidence(changed) is None


def test_a_changed_source_is_not_covered(copy: Path) -> None:
    before = read(copy / "certificate.json", copy)
    assert before.objection(get(GAP)) == ""
    path = copy / "common/Sums.v"
    path.write_text(path.read_text(encoding="utf-8") + "\n(* touched *)\n", encoding="utf-8")
    assert before.objection(get(GAP)) == "common/Sums.v has changed"
    assert before.objection(get("orthogonality.unit_frobenius")) == "", "which does not import it"
    (copy / "orthogonality/UnitFrobenius.v").unlink()
    assert "UnitFrobenius.v has changed" in before.objection(get("orthogonality.unit_frobenius"))


@pytest.mark.parametrize(
    "tamper",
    [
        lambda c: c["theorems"].update({get(GAP).proof.theorem: ["assumed"]}),
        lambda c: c.update(date="1999-12-31"),
        lambda c: c["statements"].pop(GAP),
        lambda c: c.pop("digest"),
        lambda c: c.update(schema=2),
        lambda c: c.update(theorems=[]),
    ],
)
def test_a_tampered_certificate_is_refused(tamper: object, copy: Path) -> None:
    path = copy / "certificate.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    tamper(content)  # type: ignore[operator]
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(RecordError):
        read(path, copy)


def test_a_certificate_that_is_missing_or_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no such file"):
        read(tmp_path / "certificate.json")
    (tmp_path / "certificate.json").write_text("{", encoding="utf-8")
    with pytest.raises(RecordError, match="not JSON"):
        read(tmp_path / "certificate.json")


def test_axioms_beyond_the_reals_do_not_count_even_if_recorded() -> None:
    file = recorded().file
    axioms = {**file.theorems, get(GAP).proof.theorem: ("Classical_Prop.classic",)}  # type: ignore[union-attr]
    assumed = records.ProofRecord(replace(file, theorems=axioms))
    assert "rests on" in assumed.objection(get(GAP))


def test_what_does_not_stand_is_not_recorded() -> None:
    with pytest.raises(ValueError, match="cannot be recorded"):
        compose(Audit((), problem="no build"), "2026-01-31")


# --- what a proof does to a verdict ---------------------------------------------------------------


def test_a_proof_makes_the_statement_proved() -> None:
    (result,) = verify([GAP])
    assert result.verdict is Verdict.PROVED
    assert result.as_expected
    piece = result.as_json()["evidence"][-1]
    assert (piece["method"], piece["link"], piece["axioms"], piece["partial"]) == (
        "proof",
        "kernel",
        [],
        False,
    )


def found(verdict: Verdict, *, partial: bool = False, method: str = "simulation") -> Evidence:
    return Evidence(
        method=method, verdict=verdict, summary="", sentinel=Verdict.REFUTED, partial=partial
    )


def test_the_proof_of_a_part_never_carries_the_whole() -> None:
    part = found(Verdict.PROVED, partial=True, method="proof")
    assert overall([found(Verdict.SUPPORTED), part]) is Verdict.SUPPORTED
    assert overall([part]) is Verdict.INCONCLUSIVE
    assert overall([found(Verdict.REFUTED), part]) is Verdict.REFUTED
    assert not Result(get(GAP), Verdict.REFUTED, (found(Verdict.REFUTED), part)).contradictory
    whole = found(Verdict.PROVED, method="proof")
    assert Result(get(GAP), Verdict.REFUTED, (found(Verdict.REFUTED), whole)).contradictory
