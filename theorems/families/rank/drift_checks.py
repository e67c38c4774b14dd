"""The drift of ‖M‖_F² in γ: its second order derived, exactly and for every width, and seen in
simulation.

Derived from the definition of the residual chain.
H⁺ = BN-rows((I + γW)H), so M⁺_ij = A_ij/√(A_ii A_jj) with A = (I + V)M(I + V)ᵀ, V = γW, and
F(V) = Σ_ij A_ij²/(A_ii A_jj). Entries of W that are uncorrelated, centred and of variance 1 average
the second order of F to γ²/2 Σ_ab ∂²F/∂V_ab² at V = 0: half its Laplacian. Symmetric laws have no
third order.

Seen by pairs ±W, at a γ so small that the fourth order is bounded, not fitted.
Of one pair of rows let u be the unit vectors and v their speeds, |v| ≤ ρ. For |z| ≤ 1/(3ρ) the
squared cosine of u_i + z v_i and u_j + z v_j is analytic and at most ((1 + 1/3)/(1 - 1/3))⁴ = 16.
By Cauchy its even coefficients beyond z² add up to at most 16 q²/(1-q) at z = γ, with q = (3ργ)².
Its second difference is at most γ² max |f''|/2, and f'' = 2c'² + 2cc''. The unit vectors have
derivatives of at most ρ' = ρ/(1 - ργ) and 2ρ'², so |c'| ≤ 2ρ', |c''| ≤ 6ρ'², and the second
difference is at most 10 γ² ρ'².
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product
from typing import TypeAlias

import numpy as np
import scipy
import sympy as sp
from sympy.polys.rings import PolyElement

from simulators.antithetic import antithetic_layer
from simulators.arguments import require, told
from simulators.observables import effective_rank
from theorems.checking.check import CheckBase, Floats
from theorems.checking.confidence_sequence import BoundedMean
from theorems.context import Context
from theorems.evidence import Recorded
from theorems.families.rank.inputs import too_narrow
from theorems.statement import Evidence, Statement, Verdict, combine

__all__ = [
    "Derivation",
    "LabelledBatch",
    "Paired",
    "every_width",
    "fourth_order",
    "invariants",
    "second_difference",
    "second_order",
]

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
    require(
        sizes and set(sizes) == {len(sizes)},
        f"matrix has {len(sizes)} rows of lengths {told(sizes)}; give (d, d) with d ≥ 1",
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
                    f"{told(matrix[j][i])} in entry ({j}, {i}); give a symmetric one"
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
            f"and compared as a polynomial in the entries of M for d = {_listed(self.widths)}"
        )

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        if context.array is not None and (reason := too_narrow(context.array)):
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
        >>> ring = sp.ring("y", sp.QQ)[0]
        >>> value(sp.Symbol("x") ** 2 + 1, {"x": ring(2)}, ring.zero)
        5
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


# --- in simulation --------------------------------------------------------------------------------

#: The largest |entry| of the bounded laws.
_LARGEST = {"rademacher": 1.0, "uniform": math.sqrt(3)}
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class LabelledBatch:
    """A batch, whose rows are first rescaled to diag M = 1, and the law of the weights."""

    label: str
    batch: Floats  # (d, n), no zero row
    law: str


def fourth_order(width: int, speed: float, gamma: float) -> float:
    """Bound on the part of ½[F(γ) + F(-γ)] - F(0) beyond γ², over γ².

    For rows no faster than ``speed`` = ρ; infinite unless 3ργ < 1.

    Example:
        >>> fourth_order(2, 10.0, 0.1)
        inf
    """
    q = (3 * speed * gamma) ** 2
    return width * (width - 1) * 16 * q**2 / (1 - q) / gamma**2 if q < 1 else math.inf


def second_difference(width: int, speed: float, gamma: float) -> float:
    """Bound on |½[F(γ) + F(-γ)] - F(0)|/γ² for rows no faster than ``speed`` = ρ, ργ < 1.

    Example:
        >>> second_difference(2, 1.0, 0.5)
        80.0
    """
    return width * (width - 1) * 10 * (speed / (1 - speed * gamma)) ** 2


#: What is told of one start, by name.
_Row = dict[str, float | str]


class _Plan:
    """What is known of a start before a weight is drawn: truth's inputs, γ, the range and the
    systematic error.

    Speeds above ``speed`` occur with Gaussian weights only, and such draws count as 0. ``slack``
    bounds by how much the mean of what is sampled misses that of the second order: for those draws,
    for the fourth order, for rounding.
    """

    def __init__(self, start: LabelledBatch, resolution: float) -> None:
        batch = start.batch / np.abs(start.batch).max(axis=1, keepdims=True)
        batch = batch / np.linalg.norm(batch, axis=1, keepdims=True)
        self.batch = batch
        m = batch @ batch.T
        square = m @ m
        d, n = batch.shape
        self.values = {
            "d": float(d),
            "F": float(np.trace(square)),
            "T_3": float(np.sum(square * m)),
            "Q": float(np.sum(np.diag(square) ** 2)),
        }
        self.scale = resolution * d**2
        top = float(np.linalg.eigvalsh(m)[-1]) * (1 + 4 * d * _EPS)  # ‖v_i‖² ≤ λ_max ‖W_i‖²
        self.slack = 0.0
        if start.law == "gaussian":
            # ‖W_i‖² is χ² with d degrees of freedom, and E[χ²; χ² > cut] = d P(χ²_(d+2) > cut)
            worth = 10 * d**4 * top  # 10 ρ² for each of d(d-1) pairs, ρ² ≤ Σ_i λ_max ‖W_i‖²
            cut = float(scipy.stats.chi2.isf(min(self.scale / 1e3 / worth, 0.5), d + 2))
            self.speed = math.sqrt(top * cut)
            self.slack = worth * float(scipy.stats.chi2.sf(cut, d + 2))
        else:
            # what is measured rounds
            self.speed = math.sqrt(top * d) * _LARGEST[start.law] * (1 + 4 * (d + n) * _EPS)
        # the fourth order takes a fifth of the resolution
        self.gamma = math.sqrt(self.scale / 5 / (17 * 81 * self.speed**4 * d * (d - 1)))
        self.slack += fourth_order(d, self.speed, self.gamma) + self._rounding(d, n)
        self.reach = second_difference(d, self.speed, self.gamma) + self._rounding(d, n)

    def _rounding(self, d: int, n: int) -> float:
        """First-order bound, doubled, on the rounding of F(γ) + F(-γ) - 2F(0), each a sum of d²
        squared cosines.
        """
        return 4 * d**2 * (2 * n + d**2 + 16) * _EPS / self.gamma**2


@dataclass(frozen=True)
class Paired(CheckBase):
    """Confidence sequences for the mean of (½[F(γ) + F(-γ)] - F(0))/γ² against ``rhs``, start by
    start.

    ``starts(batch)`` lays out the work; ``batch`` is the user's (d, n) array or None.
    ``resolution``, in units of d², is how narrow an interval is asked for: what it supports is
    equality to within twice that. ``draws`` limits the pairs of one start.
    """

    method = "simulation"
    starts: Callable[[Floats | None], Iterable[LabelledBatch]]
    resolution: float = 0.05
    draws: int = 2**21
    first: int = 2**14
    entries: int = 2**21  # of W drawn at once
    widest: int = 16

    def words(self, statement: Statement) -> str:
        return (
            "simulation: pairs ±W at a γ for which the fourth order is bounded, up to "
            f"{self.draws:,} of them, until a confidence sequence is within {self.resolution:g} "
            "d²; a user's batch, rows rescaled, becomes the start"
        )

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        starts = list(self.starts(context.array))
        if reasons := [reason for start in starts if (reason := self._refusal(start))]:
            return self.outside(reasons[0])
        rows = []
        for start in starts:
            context.progress(f"{statement.name}: {start.label}, {start.law}")
            rows.append(self._run(statement, start, context.share(len(starts))))
        verdicts = [Verdict(str(row["verdict"])) for row in rows]
        verdict = combine(verdicts)
        fallen = sum(row["sentinel"] == Verdict.REFUTED for row in rows)
        summary = f"{len(rows)} drifts by pairs ±W, each to within {2 * self.resolution:.0%} of d²"
        if verdict is Verdict.REFUTED:
            bad = next(row for row in rows if row["verdict"] == Verdict.REFUTED)
            summary = (
                f"{bad['start']}: drift in [{bad['low']:.4g}, {bad['high']:.4g}], claimed "
                f"{bad['claimed']:.4g}"
            )
        elif open_rows := [row for row in rows if row["verdict"] == Verdict.INCONCLUSIVE]:
            first = open_rows[0]
            summary = (
                f"{len(open_rows)} of {len(rows)} drifts undecided: {first['law']} weights, "
                f"half-width {first['half_width']:.3g} after {first['pairs']:,} pairs, "
                f"{first['asked']:.3g} asked"
            )
        return Evidence(
            method=self.method,
            verdict=verdict,
            summary=summary,
            sentinel=Verdict.REFUTED if fallen else Verdict.INCONCLUSIVE,
            power=max(
                (
                    float(row["half_width"]) / abs(float(row["claimed"]))
                    for row in rows
                    if row["claimed"]
                ),
                default=None,
            ),
            details=Recorded(
                {
                    "seed": context.seed,
                    "engine": "antithetic",
                    "dtype": "float64",
                    "level": context.level,
                    "sentinel_refuted_on": fallen,
                    "readouts": rows,
                }
            ),
        )

    def _refusal(self, start: LabelledBatch) -> str:
        """Why a start is not simulated; empty if it is."""
        if not np.abs(start.batch).max(axis=1).all():
            return f"{start.label} has a zero row, which cannot be rescaled"
        width = len(start.batch)
        if width == 1:
            return f"{start.label} has d = 1: a rank needs 2 rows or more"
        return (
            f"{start.label} has d = {width}: too wide to draw W a million times"
            if width > self.widest
            else ""
        )

    def _run(self, statement: Statement, start: LabelledBatch, context: Context) -> _Row:
        plan = _Plan(start, self.resolution)
        claimed, neighbour = (
            float(s.bound(**plan.values)) for s in (statement, statement.neighbour)
        )
        sequence = BoundedMean(-plan.reach, plan.reach, context.level, reference=claimed)
        most = max(1, self.entries // len(start.batch) ** 2)
        size, stage = min(self.first, most), 0

        def ends() -> tuple[float, float]:
            low, high = sequence.interval
            return low - plan.slack, high + plan.slack

        def judge(value: float) -> Verdict:
            low, high = ends()
            if low > high or ((high - low) / 2 > plan.scale and low <= value <= high):
                return Verdict.INCONCLUSIVE
            return Verdict.SUPPORTED if low <= value <= high else Verdict.REFUTED

        while sequence.count < self.draws and not context.expired:
            size = min(size, self.draws - sequence.count)
            sequence.update(
                _differences(
                    start,
                    plan,
                    size,
                    context.stream(
                        statement.family, statement.theorem, start.label, start.law, stage
                    ),
                )
            )
            if judge(claimed) is not Verdict.INCONCLUSIVE and judge(neighbour) is Verdict.REFUTED:
                break
            size, stage = min(2 * size, most), stage + 1
        low, high = ends()
        return {
            "start": start.label,
            "law": start.law,
            **plan.values,
            "claimed": claimed,
            "neighbour": neighbour,
            "verdict": judge(claimed).value,
            "sentinel": judge(neighbour).value,
            "mean": sequence.mean,
            "low": low,
            "high": high,
            "half_width": (high - low) / 2,
            "asked": plan.scale,
            "slack": plan.slack,
            "gamma": plan.gamma,
            "pairs": sequence.count,
        }


def _differences(start: LabelledBatch, plan: _Plan, draws: int, seed: tuple[int, ...]) -> Floats:
    plus, minus, speeds = antithetic_layer(
        plan.batch, plan.gamma, draws=draws, seed=seed, law=start.law
    )
    d = plan.batch.shape[0]
    rest = antithetic_layer(plan.batch, 0.0, draws=1, law=start.law)[0]
    moved = d**2 * (
        (1 / effective_rank(plus) + 1 / effective_rank(minus)) / 2 - 1 / effective_rank(rest)
    )
    return np.asarray(np.where(speeds <= plan.speed, moved / plan.gamma**2, 0.0))
