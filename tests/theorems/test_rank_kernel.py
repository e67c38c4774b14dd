"""What the kernel says of the rank family: its statements pass, changed ones do not. Needs Rocq."""

from dataclasses import replace

import pytest
import sympy as sp

from tests.theorems.test_proofs_kernel import domain, refused, rocq_or_skip, scratch_copy
from theorems import Statement, get
from theorems.families.rank.notation import d, i, lam, tau
from theorems.proofs.bridge import check_file, establish
from theorems.proofs.rocq import Rocq

PRINTED = get("rank.soft_rank_lower_bound:as_printed")
SHARP = get("rank.soft_rank_lower_bound:sharp")
DRIFT = get("rank.drift_inequality")
RESCALED = get("rank.drift_inequality_rescaled")
KEPT = ("common/Sums.v", "rank/SoftRankLowerBound.v", "rank/DriftInequality.v")


@pytest.fixture(scope="module")
def rocq(tmp_path_factory: pytest.TempPathFactory) -> Rocq:
    found = rocq_or_skip(
        root=scratch_copy(tmp_path_factory.mktemp("root"), KEPT),
        workspace=tmp_path_factory.mktemp("built"),
    )
    found.build()
    return found


def counting(case: sp.Piecewise, statement: Statement = PRINTED) -> Statement:
    return replace(
        statement, rhs=statement.rhs.xreplace({sp.Piecewise((1, lam[i] >= tau), (0, True)): case})
    )


CHANGES: dict[str, Statement] = {
    "an exponent": replace(PRINTED, lhs=PRINTED.lhs / (1 - tau)),
    "a constant": replace(PRINTED, lhs=PRINTED.lhs * (1 + sp.Rational(1, 10**7))),
    "the direction": replace(PRINTED, relation=">="),
    "the side that counts": counting(sp.Piecewise((1, lam[i] <= tau), (0, True))),
    "ties": counting(sp.Piecewise((1, lam[i] > tau), (0, True))),
    "the branches": counting(sp.Piecewise((0, lam[i] >= tau), (1, True))),
    "what each counts": counting(sp.Piecewise((sp.Rational(99, 100), lam[i] >= tau), (0, True))),
    "the rest": counting(sp.Piecewise((1, lam[i] >= tau), (-1, True))),
    "the trace": replace(PRINTED, assumptions=()),
    "thresholds beyond 1": replace(PRINTED, variables=domain(PRINTED, 2, sp.Interval(0, 3))),
    "the sharp constant": replace(SHARP, lhs=SHARP.lhs * (1 + sp.Rational(1, 10**7))),
    "the sharp form's count": counting(sp.Piecewise((1, lam[i] > tau), (0, True)), SHARP),
    "the sharp form's width": replace(SHARP, lhs=SHARP.lhs * d),
    "the cube's constant": replace(DRIFT, rhs=DRIFT.rhs * (1 - sp.Rational(1, 10**7))),
    "the squares' exponent": replace(DRIFT, lhs=DRIFT.lhs**2),
    "the diagonal": replace(DRIFT, assumptions=()),
    "the rescaled cube's constant": replace(
        RESCALED, rhs=RESCALED.rhs * (1 - sp.Rational(1, 10**7))
    ),
    "the rescaled direction": replace(RESCALED, relation=">="),
    "zero rows": replace(RESCALED, assumptions=()),
}


@pytest.mark.parametrize("statement", [PRINTED, SHARP, DRIFT, RESCALED], ids=lambda s: s.name)
def test_the_kernel_accepts_what_is_proved(statement: Statement, rocq: Rocq) -> None:
    assert rocq.axioms_of(check_file(statement)) == ()


@pytest.mark.parametrize("statement", [PRINTED, SHARP, DRIFT, RESCALED], ids=lambda s: s.name)
def test_the_kernel_rejects_what_is_changed(statement: Statement, rocq: Rocq) -> None:
    changes = [changed for changed in CHANGES.values() if changed.name == statement.name]
    assert len(changes) > 2
    rocq.compile("changes", refused(changes))


def test_the_matrix_form_is_said_to_be_a_part(rocq: Rocq) -> None:
    audit = establish([get("rank.soft_rank_lower_bound:matrix")], rocq)
    (found,) = audit.results
    assert audit.stands
    assert not any(audit.theorems.values())
    assert "diagonalisation" in found.proof.leaves
    assert "diag_mx" in found.says
