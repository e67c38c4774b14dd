"""The cluster family as data: what is printed to Rocq, and that wrong versions of each claim are
refuted.
"""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import sympy as sp

from theorems import Statement, Verdict, get, library
from theorems.checking.pointwise import Pointwise, admitted, decide
from theorems.families.cluster.notation import A, Y, Z, i, j, k, m, n, r, s
from theorems.proofs.printer import UnprintableError, proposition
from theorems.statement import Sentinel
from theorems.verification import verify

ORTHOGONAL = get("cluster.two_block_invariance:orthogonal")
VALUES = get("cluster.rescaled_values:first")
STABILITY = get("cluster.symmetric_fixed_point:stability")
EXACT = tuple(
    x
    for x in library()
    if x.family == "cluster"
    and [type(check) for check in x.checks] == [Pointwise]
    and x.expected is Verdict.CERTIFIED
)

GOLDEN = {
    ORTHOGONAL.name: r"""
forall (R : realFieldType) (n : nat) (m : nat) (d : nat) (p : nat) (W : 'I_p -> 'I_d -> R) (c : 'I_d -> R) """
    r"""(o : 'I_d -> R) (s : R) (i : 'I_n) (j : 'I_n) (X : 'I_d -> 'I_n -> R) (A : 'I_p -> 'I_n -> R) """
    r"""(Z : 'I_p -> 'I_n -> R) (Y : 'I_p -> 'I_n -> R),
  (2 <= n)%N ->
  (1 <= m)%N ->
  (m < n)%N ->
  (1 <= d)%N ->
  (1 <= p)%N ->
  (i < m)%N ->
  (m <= j)%N ->
  (forall (q : 'I_d) (j_ : 'I_n), X q j_ = (if (j_ < m)%N then c q else o q)) ->
  (forall (r : 'I_p) (j_ : 'I_n), A r j_ = \sum_(q < d) W r q * X q j_) ->
  (forall (r : 'I_p) (j_ : 'I_n), Z r j_ = A r j_ - (\sum_(k < n) A r k) / n%:R) ->
  (forall (r : 'I_p) (j_ : 'I_n), Y r j_ = s * Num.max 0 (Z r j_)) ->
  \sum_(r < p) Y r i * Y r j = 0""",
    STABILITY.name: """
(forall (n : nat) (rho : R) (kappa : R) (slope : R),
  (3 <= n)%N ->
  rho = - / (INR n - 1) ->
  kappa = (rho * (PI - acos rho) + sqrt (1 - rho ^ 2)) / PI ->
  slope = 1 - acos rho / PI ->
  INR n * slope / (INR n - 1) < 1 - kappa)""",
}


@pytest.mark.parametrize("name", GOLDEN)
def test_printed_statements(name: str) -> None:
    statement = get(name)
    assert statement.proof is not None
    assert proposition(statement, structure=statement.proof.structure) == GOLDEN[name].strip()


def test_sums_over_coqs_reals_are_big_operators() -> None:
    text = proposition(get("cluster.symmetric_fixed_point:one_step"), structure="R")
    assert r"(forall (i_ : 'I_n) (j_ : 'I_n), G i_ j_ = (if i_ == j_ then a else b)) ->" in text
    assert r"\big[Rplus/0]_(k < n) F k k = \big[Rplus/0]_(k < n) G k k ->" in text
    assert r"+ (\big[Rplus/0]_(k < n) \big[Rplus/0]_(l < n) G k l) / INR n ^ 2 - " in text


def changed(statement: Statement, **parts: Any) -> Statement:
    return replace(statement, sentinel=Sentinel("other", rhs=sp.Integer(5)), **parts)


def redefined(name: Any, meaning: sp.Expr) -> dict[Any, Any]:
    return {**ORTHOGONAL.definitions, name: sp.Lambda((r, j), meaning)}


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ({"rhs": sp.acos(s)}, "acos has no printed form"),
        ({"rhs": sp.Piecewise((s, s > 0))}, "has no value where"),
        ({"rhs": sp.Piecewise((s, (s < 0) | (s > 1)), (0, True))}, "no comparison by"),
        ({"rhs": Z[i, j]}, "is read at"),
    ],
)
def test_what_mathcomp_lacks_is_refused(part: Mapping[str, Any], reason: str) -> None:
    with pytest.raises(UnprintableError, match=reason):
        proposition(changed(ORTHOGONAL, **part))


@pytest.mark.parametrize(
    "wrong",
    [
        changed(ORTHOGONAL, rhs=sp.Rational(1, 10**6)),
        changed(ORTHOGONAL, definitions=redefined(Y, s * Z[r, j])),  # without ReLU
        changed(
            ORTHOGONAL, definitions=redefined(Y, s * sp.Max(Z[r, j] + sp.Rational(1, 1000), 0))
        ),  # biased
        changed(
            ORTHOGONAL, definitions=redefined(Z, A[r, j] - sp.Sum(A[r, k], (k, 0, n - 1)) / (2 * n))
        ),
        changed(
            VALUES,
            rhs=sp.Piecewise(
                (sp.sqrt((n - m) / n), sp.Symbol("v", real=True) < sp.Symbol("u", real=True)),
                (0, True),
            ),
        ),
        changed(STABILITY, lhs=STABILITY.lhs * n / (n - 1) * sp.Rational(6, 5)),
    ],
    ids=lambda x: x.name,
)
def test_a_wrong_version_is_refuted(wrong: Statement) -> None:
    (result,) = verify([replace(wrong, proof=None)])
    assert result.verdict is Verdict.REFUTED


@pytest.mark.parametrize("statement", EXACT, ids=lambda x: x.name)
def test_corners_are_decided_and_the_sentinel_falls(statement: Statement) -> None:
    (check,) = statement.checks
    assert isinstance(check, Pointwise)
    corners = replace(
        check, examples=5
    )  # the corners are what is asked about; a full run draws 200
    found = corners(replace(statement, checks=(corners,)), _context())
    assert (found.verdict, found.sentinel) == (Verdict.CERTIFIED, Verdict.REFUTED)


def _context() -> Any:
    from theorems.context import Context

    return Context(0, 1e-9)


def test_a_family_needs_a_shape_and_as_many_indices() -> None:
    with pytest.raises(ValueError, match="the family Y needs a shape"):
        replace(ORTHOGONAL, definitions={**ORTHOGONAL.definitions, Y: sp.Lambda((r,), s)})
    with pytest.raises(ValueError, match="the family B needs a shape"):
        replace(
            ORTHOGONAL,
            definitions={**ORTHOGONAL.definitions, sp.IndexedBase("B"): sp.Lambda((r,), s)},
        )


def test_a_row_that_ties_is_outside_the_rescaled_claims() -> None:
    statement = get("cluster.two_block_invariance:rescaled_orthogonal")
    one = (Fraction(1),)
    tie = {"n": 2, "m": 1, "d": 1, "p": 1, "W": (one,), "c": one, "o": one, "i": 0, "j": 1}
    assert admitted(statement, tie) is False
    other = {**tie, "o": (Fraction(2),)}
    assert admitted(statement, other) is True
    assert decide(statement, lambda: other).holds is True
