"""The second order of ‖M⁺‖_F² in γ, from the definition of the residual chain: exactly, and for
every width at once.

H⁺ = BN-rows((I + γW)H), so M⁺_ij = A_ij/√(A_ii A_jj) with A = (I + V)M(I + V)ᵀ, V = γW, and
F(V) = Σ_ij A_ij²/(A_ii A_jj). Entries of W that are uncorrelated, centred and of variance 1 average
the second order of F to γ²/2 Σ_ab ∂²F/∂V_ab² at V = 0: half its Laplacian. Symmetric laws have no
third order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product
from typing import TypeAlias

import numpy as np
import sympy as sp
from sympy.polys.rings import PolyElement

from simulators.arguments import told
from theorems.checking.check import CheckBase
from theorems.context import Context
from theorems.evidence import Recorded
from theorems.families.rank.inputs import too_narrow
from theorems.statement import Evidence, Statement, Verdict

__all__ = ["Derivation", "invariants", "second_order"]

Ring: TypeAlias = Fraction | PolyElement  # and whatever else has +, - and *
Jet = tuple[Ring, Ring, Ring]  # coefficients of 1, t, t²


def _times(x: Jet, y: Jet) -> Jet:
    return x[0] * y[0], x[0] * y[1] + x[1] * y[0], x[0] * y[2] + x[1] * y[1] + x[2] * y[0]


def _inverse(x: Jet) -> Jet:
    """1/x for a jet that starts at 1."""
    return x[0], -x[1], x[1] * x[1] - x[2]


def _require_symmetric(matrix: Sequence[Sequence[Ring]]) -> None:
    """Raise unless a matrix is square, not empty, and equal to its transpose in its own ring. Cost:
    O(d²).
    """
    try:
        sizes = list(map(len, matrix))
        entries: list[Ring] = []
        for row, size in zip(matrix, sizes, strict=True):
            entries += [row[j] for j in range(size)]
    except (TypeError, LookupError):
        raise TypeError(
            f"matrix={told(matrix)} is no sequence of rows; give (d, d) with d ≥ 1"
        ) from None
    if not sizes or set(sizes) != {len(sizes)}:
        raise ValueError(
            f"matrix has {len(sizes)} rows of lengths {told(sizes)}; give (d, d) with d ≥ 1"
        )
    for entry in entries:
        if getattr(entry, "shape", ()) or not (
            hasattr(entry, "__sub__") and hasattr(entry, "__mul__")
        ):
            raise TypeError(
                f"matrix contains {told(entry)}; give numbers, or what else has +, - and *"
            )
    for i, row in enumerate(matrix):
        for j in range(i + 1):
            if not row[j] == matrix[j][i]:  # nor is NaN
                raise ValueError(
                    f"matrix has {told(row[j])} in entry ({i}, {j}) (from 0) and "
                    f"{told(matrix[j][i])} in "
                    f"entry ({j}, {i}); give a symmetric one"
                )


def second_order(matrix: Sequence[Sequence[Ring]]) -> Ring:
    """Σ_ab ½ ∂²F/∂V_ab² at V = 0, for a symmetric matrix M with diag M = 1. Cost: O(d³) ring
    operations.

    Along V = t E_ab row a of A moves by t times row b:
    A_ij = M_ij + t (δ_ia M_bj + δ_ja M_ib) + t² δ_ia δ_ja M_bb.

    Raises `TypeError` for what is no matrix, `ValueError` for one that is not square, not exactly
    symmetric, or with another diagonal. It need not be positive semidefinite, which a ring cannot
    say: the derivatives exist, and the drift is the stated polynomial, at every symmetric M with
    diag M = 1.
    """
    _require_symmetric(matrix)
    for i, row in enumerate(matrix):
        if not row[i] == 1:
            raise ValueError(
                f"matrix has {told(row[i])} in entry ({i}, {i}) (from 0); give one with diagonal 1"
            )
    size, total = len(matrix), matrix[0][0] - matrix[0][0]
    zero = total

    def entry(i: int, j: int, a: int, b: int) -> Jet:
        first = (matrix[b][j] if i == a else zero) + (matrix[i][b] if j == a else zero)
        return matrix[i][j], first, matrix[b][b] if i == j == a else zero

    for a, b in product(range(size), repeat=2):
        norm = _inverse(entry(a, a, a, b))
        for j in range(size):
            if j != a:  # the terms (a, j) and (j, a); no other moves, and (a, a) stays 1
                moved = entry(a, j, a, b)
                total = total + 2 * _times(_times(moved, moved), norm)[2]
    return total


def invariants(matrix: Sequence[Sequence[Ring]]) -> dict[str, Ring]:
    """‖M‖_F², Tr M³ and Σ_i (M²)_ii² of a symmetric matrix, as ``F``, ``T_3`` and ``Q``. Any
    diagonal will do.

    Raises `TypeError` for what is no matrix, `ValueError` for one that is not square or not exactly
    symmetric.
    """
    _require_symmetric(matrix)
    entries = np.array(matrix, dtype=object)
    square = entries @ entries
    diagonal = np.diagonal(square)
    return {"F": diagonal.sum(), "Q": (diagonal**2).sum(), "T_3": (square * entries.T).sum()}


def every_width() -> sp.Expr:
    """The half Laplacian for every d, in d, F, T_3 and Q: one pair (i, j), one direction (i, b),
    then sums.

    With m = M_ij, x = M_bj, y = M_ib the pair's term is (m + tx)²/(1 + 2ty + t²), also where b is i
    or j. Its t² is a polynomial whose monomials, summed over all i, j and b, are closed loops of M.
    Pairs with i = j, where m = 1 and x = y, do not move and are taken off; row j moves as row i
    does.
    """
    d, squares, cube, rows = sp.symbols("d F T_3 Q")
    m, x, y, t = sp.symbols("m x y t")
    term = sp.Poly(
        sp.series((m + t * x) ** 2 / (1 + 2 * t * y + t**2), t, 0, 3).removeO().coeff(t, 2), m, x, y
    )
    # Σ_ijb of M_ij^e M_bj^f M_ib^g, by (e, f, g)
    loops = {(0, 2, 0): d * squares, (2, 0, 0): d * squares, (1, 1, 1): cube, (2, 0, 2): rows}
    # Σ_ib of M_ib^g, by g
    diagonal = {(0,): d**2, (2,): squares}
    everywhere = sum(c * loops[powers] for powers, c in term.terms())
    taken_off = sum(
        c * diagonal[powers] for powers, c in sp.Poly(term.as_expr().subs({m: 1, x: y}), y).terms()
    )
    return sp.expand(2 * (everywhere - taken_off))


@dataclass(frozen=True)
class Derivation(CheckBase):
    """``rhs``, a polynomial in d, F, T_3 and Q, is the half Laplacian: for every d by loops, and
    entry by entry.

    The first certifies. The second opens both sides as polynomials in the entries of M for each of
    ``widths``, and shares no step with the first; two polynomials that differ do so at some M near
    the identity, so that refutes. A user's batch has no part in it, unless it has one row: then it
    is outside.
    """

    method = "symbolic"
    widths: tuple[int, ...] = (2, 3, 4, 5)

    def words(self, statement: Statement) -> str:
        return (
            "computer algebra: half the Laplacian of ‖M⁺‖_F² in the weights, derived for every d, "
            "and compared "
            f"as a polynomial in the entries of M for d = {_listed(self.widths)}"
        )

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        if context.batch is not None and (reason := too_narrow(context.batch.array)):
            return self.outside(reason)
        verdict, summary = self._judge(statement)
        sentinel, found = self._judge(statement.neighbour)
        return Evidence(
            method=self.method,
            verdict=verdict,
            summary=summary,
            sentinel=sentinel,
            power=0.0 if verdict.holds else None,
            details=Recorded(
                {
                    "derived": sp.sstr(every_width()),
                    "entrywise": list(self.widths),
                    "sentinel_found": found,
                }
            ),
        )

    def _judge(self, statement: Statement) -> tuple[Verdict, str]:
        for width in self.widths:
            if self._differs(statement, width):
                return (
                    Verdict.REFUTED,
                    f"as polynomials in the entries of M the sides differ at d = {width}",
                )
        stated = statement.rhs.subs({s: sp.Symbol(str(s)) for s in statement.rhs.free_symbols})
        if sp.expand(stated - every_width()) != 0:
            return Verdict.INCONCLUSIVE, f"the general sum gives {sp.sstr(every_width())}"
        return Verdict.CERTIFIED, (
            f"derived for every d; the same polynomial in the entries of M for d = "
            f"{_listed(self.widths)}"
        )

    @staticmethod
    def _differs(statement: Statement, width: int) -> bool:
        pairs = list(combinations(range(width), 2))
        ring = sp.ring([f"M{i}{j}" for j, i in pairs], sp.QQ)[0]
        entries = np.full((width, width), ring.one)
        for (i, j), entry in zip(pairs, ring.gens, strict=True):
            entries[i, j] = entries[j, i] = entry
        matrix = entries.tolist()
        return bool(
            second_order(matrix)
            != value(statement.rhs, {"d": ring(width), **invariants(matrix)}, ring.zero)
        )


def value(polynomial: sp.Expr, values: Mapping[str, Ring], zero: Ring) -> Ring:
    """A polynomial with rational coefficients at elements of a ring, whose ``zero`` is given.

    Example:
        >>> value(sp.Symbol("x") ** 2 + 1, {"x": Fraction(2)}, Fraction(0))
        MPQ(5,1)
    """
    symbols = sorted(polynomial.free_symbols, key=str)
    total = zero
    for powers, coefficient in sp.Poly(polynomial, *symbols).terms():
        term = zero + sp.QQ(int(coefficient.p), int(coefficient.q))
        for symbol, power in zip(symbols, powers, strict=True):
            term = term * values[str(symbol)] ** power
        total = total + term
    return total


def _listed(widths: Sequence[int]) -> str:
    return ", ".join(map(str, widths))
