"""The outlier fixed point at infinite width: which batch sizes have it, where it is born, and that
it is stable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import flint
import sympy as sp

from simulators.engines.mean_field.outlier_enclosure import reduced_map_enclosure
from simulators.engines.mean_field.recenter_relu import recenter_relu_map_enclosure
from simulators.lazy import strategies as st
from theorems.checking.enclosures import Enclosed, Part
from theorems.checking.pointwise import Pointwise
from theorems.families.cluster import jacobian
from theorems.families.cluster.fixed_points import find, one_apart
from theorems.families.cluster.large_batches import FIRST, cells, enclose
from theorems.families.cluster.notation import FAMILY, OURS, n
from theorems.families.cluster.saddle_node import saddle_node
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["BEYOND", "SAMPLED", "STATEMENTS", "parts"]

N = sp.Symbol("N", integer=True, nonnegative=True)
D, U, X, R, R_1 = sp.symbols("D U X R R_1", real=True)
nu = sp.Symbol("nu", positive=True)

#: Sizes above `FIRST` that are enclosed one by one as well.
SAMPLED = (100, 1000, 10**4, 10**5, 10**6)
BEYOND = (*range(FIRST), *SAMPLED)
#: What an enclosure of an identity may miss it by; the balls are some 1e-50 wide.
NOTHING = sp.Rational(1, 10**40)


def _size(least: int) -> Variable:
    return Variable(n, sp.Range(least, sp.oo), "batch size")


def parts(names: Mapping[str, str]) -> Iterator[Part]:
    """All n ≥ `FIRST` at once, with the fields of `large_batches.Enclosure` that ``names`` maps to
    symbols.
    """
    for low, high in cells():
        ends = [Fraction(int(x.p), int(x.q)) for x in (low, high)]
        label = (
            f"n≥{1 / ends[1]}"
            if not ends[0]
            else f"{float(1 / ends[1]):.5g}≤n≤{float(1 / ends[0]):.5g}"
        )

        def values(low: flint.fmpq = low, high: flint.fmpq = high) -> Mapping[str, Any]:
            enclosed = enclose(low, high)
            return {symbol: getattr(enclosed, field) for symbol, field in names.items()}

        yield Part(label, values, *ends)


# --- the reduction to one number ------------------------------------------------------------------


def _reduced(item: tuple[int, Fraction, int]) -> Mapping[str, Any]:
    """How far the layer on Gram matrices is from y ↦ f_n(y), and from a wrong cluster cosine."""
    size, share, shift = item
    y = share * (size - 1)
    inner = (y - 1) / (size - 2)
    gram = one_apart(size, Fraction(1), inner, -y, (size - 1) * y)
    shifted = [[entry + shift for entry in row] for row in gram]  # the same after recentring
    layer = recenter_relu_map_enclosure(shifted, precision=flint.ctx.prec)
    means = [sum(row, flint.arb(0)) / size for row in layer]
    mean = sum(means, flint.arb(0)) / size
    K = [[layer[i][j] - means[i] - means[j] + mean for j in range(size)] for i in range(size)]
    new = -K[0][-1] / K[0][0]
    expected = reduced_map_enclosure(
        flint.arb(flint.fmpq(y.numerator, y.denominator)), size, precision=flint.ctx.prec
    )
    worst, wrong = abs(new - expected), flint.arb(0)
    for i in range(size - 1):
        misses = [
            K[i][-1] / K[0][0] + new,
            K[-1][-1] / K[0][0] - (size - 1) * new,
            *(K[i][j] / K[0][0] - (new - 1) / (size - 2) for j in range(i)),
        ]
        for miss in misses:
            worst = worst.max(abs(miss))
        for j in range(i):
            wrong = wrong.max(abs(K[i][j] / K[0][0] - (new - 1) / (size - 1)))
    return {"n": size, "R": worst, "R_1": wrong}


def _reduced_inputs() -> st.SearchStrategy[tuple[int, Fraction, int]]:
    return st.tuples(
        st.integers(3, 12), st.fractions(Fraction(1, 1000), Fraction(999, 1000)), st.integers(0, 9)
    )


REDUCED = Statement(
    family=FAMILY,
    theorem="reduced_map",
    title="On n - 1 exchangeable samples and one other the layer is y ↦ f_n(y)",
    quantifier=Quantifier.MEAN_FIELD,
    source=OURS,
    variables=(_size(3),),
    chain="recenter_relu",
    definitions={
        R: "the largest deviation, over the entries of K = JG⁺J after one layer from y, of "
        "K_oo/K_cc from "
        "(n-1)y⁺, of K_co/K_cc from -y⁺, of the cluster's cosines from (y⁺-1)/(n-2), and of y⁺ "
        "from f_n(y)",
        R_1: "the deviation of the cluster's cosines from (y⁺-1)/(n-1)",
    },
    lhs=R,
    relation="<=",
    rhs=NOTHING,
    sentinel=Sentinel("cosine (y-1)/(n-1) in the cluster", lhs=R_1),
    expected=Verdict.CERTIFIED,
    checks=(
        Pointwise(
            _reduced,
            _reduced_inputs,
            lambda: ((size, Fraction(k, 8), k) for size in (3, 4, 6, 7, 16) for k in range(1, 8)),
            examples=60,
        ),
    ),
)

# --- Jacobians ------------------------------------------------------------------------------------


def _symmetric_residuals(size: int) -> Mapping[str, Any]:
    edges, _ = jacobian.symmetric_eigenvalues(size)
    return {
        "R": jacobian.symmetric_residual(size),
        "R_1": jacobian.symmetric_residual(size, edges=edges * (size - 1) / size),
    }


SYMMETRIC_SPECTRUM = Statement(
    family=FAMILY,
    theorem="symmetric_spectrum",
    title="The layer's eigenvalues at the symmetric point: 0, κ′n/((1-κ)(n-1)), "
    "[(n-2)(1-κ+ρκ′)+2κ′]/[(n-1)(1-κ)]",
    quantifier=Quantifier.MEAN_FIELD,
    source=OURS,
    variables=(_size(3),),
    definitions={
        R: "largest entry of J·DT(X)·J - λJXJ, along a basis X of all symmetric n×n matrices, DT "
        "in balls",
        R_1: "the same with the first eigenvalue κ′/(1-κ)",
    },
    lhs=R,
    relation="<=",
    rhs=NOTHING,
    sentinel=Sentinel("first eigenvalue κ′/(1-κ), without n/(n-1)", lhs=R_1),
    expected=Verdict.CERTIFIED,
    chain="recenter_relu",
    checks=(Enclosed((*range(3, 17), 24), _symmetric_residuals),),
    remark="ρ = -1/(n-1). DT is the first Taylor coefficient of the map as it is defined, entry by "
    "entry, in balls.",
)


def _outlier_residuals(size: int) -> Mapping[str, Any]:
    return {
        "R": jacobian.outlier_residual(size),
        "R_1": jacobian.outlier_residual(size, norms_move=False),
    }


OUTLIER_JACOBIAN = Statement(
    family=FAMILY,
    theorem="outlier_jacobian",
    title="Permutations split the layer's derivative at the outlier into f_n′, κ′/(1-H) and n-2 "
    "equal 2×2 blocks",
    quantifier=Quantifier.MEAN_FIELD,
    source=OURS,
    variables=(_size(7),),
    definitions={
        R: "largest entry of J·DT(X)·J less what the blocks give, along a basis X of all symmetric "
        "n×n "
        "matrices, DT in balls, and of the 2×2 block's trace and determinant less those of the "
        "spectrum",
        R_1: "the same with the blocks of a layer whose cosines ignore that norms move",
    },
    lhs=R,
    relation="<=",
    rhs=NOTHING,
    sentinel=Sentinel("a Jacobian that leaves out how norms move", lhs=R_1),
    expected=Verdict.CERTIFIED,
    chain="recenter_relu",
    checks=(Enclosed((*range(7, 17), 24), _outlier_residuals),),
)

# --- the outlier fixed point ----------------------------------------------------------------------

_outlier: dict[str, Any] = dict(
    family=FAMILY,
    theorem="outlier_fixed_point",
    quantifier=Quantifier.MEAN_FIELD,
    source=OURS,
    chain="recenter_relu",
    expected=Verdict.CERTIFIED,
)


def _others(threshold: int) -> sp.Expr:
    return sp.Piecewise((2, n >= threshold), (0, True))


COUNT = Statement(
    variant="count",
    title="Besides the symmetric and the two-block point f_n has two fixed points if n ≥ 7, else "
    "none",
    variables=(_size(3),),
    definitions={N: "number of fixed points of f_n on (0, n-1] other than 1/(n-1) and n-1"},
    lhs=N,
    relation="==",
    rhs=_others(7),
    sentinel=Sentinel("the threshold is n ≥ 6", rhs=_others(6)),
    checks=(
        Enclosed(
            BEYOND, lambda size: {"N": find(size).others}, lambda: parts({"N": "fixed_points"})
        ),
    ),
    remark="Every fixed point is isolated: e(ψ) = 0 in an angle in which f_n has no square root at "
    "either end. The "
    "symmetric point is a simple zero of e, so it is counted apart.",
    **_outlier,
)
SADDLE_NODE = Statement(
    variant="saddle_node",
    title="With n real, the two are born in a saddle-node at ν = 6.107075…, between 6 and 7",
    variables=(),
    definitions={
        nu: "the n at which f_n(y) = y has a double solution other than at the two-block "
        "point; for real n in [4, ν) there is none, in (ν, 7] there are two"
    },
    lhs=sp.Abs(nu - sp.Rational(6107075, 10**6)),
    relation="<=",
    rhs=sp.Rational(1, 10**6),
    sentinel=Sentinel("ν = 6.107080", lhs=sp.Abs(nu - sp.Rational(610708, 10**5))),
    checks=(Enclosed(parts=lambda: [Part("real n from 4 to 7", lambda: {"nu": saddle_node().n})]),),
    **_outlier,
)


def _decay(size: int) -> Mapping[str, Any]:
    return {"D": size * (1 - _present(find(size).outlier).spectrum.radius)}


def _growth(size: int) -> Mapping[str, Any]:
    return {"U": size * (_present(find(size).separatrix).spectrum.slope - 1)}


def _distance(size: int) -> Mapping[str, Any]:
    return {"X": size**2 * (_present(find(size).separatrix).angle.cos() - flint.fmpq(1, size - 1))}


def _present(point: Any) -> Any:
    if point is None:
        raise ValueError("this batch size has no such point")
    return point


STABLE = Statement(
    variant="stable",
    title="The outlier attracts all Gram matrices near it: spectral radius at most 1 - 3/(8n)",
    variables=(_size(7),),
    definitions={D: "n(1 - spectral radius) of the layer on Gram matrices at the outlier point"},
    lhs=D,
    relation=">=",
    rhs=sp.Rational(3, 8),
    sentinel=Sentinel("1 - 1/(2n), false at n = 7", rhs=sp.Rational(1, 2)),
    checks=(Enclosed(BEYOND, _decay, lambda: parts({"D": "decay"})),),
    depends_on=("cluster.outlier_jacobian",),
    remark="The radius is f_n′ for every n enclosed one by one, and is 1 - 1/n + O(1/n²).",
    **_outlier,
)
REPELLING = Statement(
    variant="repelling",
    title="The separatrix repels: slope at least 1 + 1/(5n)",
    variables=(_size(7),),
    definitions={U: "n(f_n′ - 1) at the fixed point between the outlier and the symmetric one"},
    lhs=U,
    relation=">=",
    rhs=sp.Rational(1, 5),
    sentinel=Sentinel("1 + 1/(4n), false at n = 7", rhs=sp.Rational(1, 4)),
    checks=(Enclosed(BEYOND, _growth, lambda: parts({"U": "growth"})),),
    **_outlier,
)
CLOSING_IN = Statement(
    variant="closing_in",
    title="The separatrix closes in on the symmetric point: cosines differ by at most 4/n²",
    variables=(_size(7),),
    lhs=X,
    relation="<=",
    rhs=sp.Integer(4),
    definitions={
        X: "n²(cos ψ - 1/(n-1)) at the separatrix, -cos ψ being the cosine between outlier and "
        "cluster after "
        "recentring, -1/(n-1) that of the symmetric point"
    },
    sentinel=Sentinel("by 3/n², false at n = 7", rhs=sp.Integer(3)),
    checks=(Enclosed(BEYOND, _distance, lambda: parts({"X": "distance"})),),
    remark="X tends to π - 2, its value where 1/n = 0, which the ball for n ≥ 4096 contains.",
    **_outlier,
)

STATEMENTS: tuple[Statement, ...] = (
    REDUCED,
    SYMMETRIC_SPECTRUM,
    OUTLIER_JACOBIAN,
    COUNT,
    SADDLE_NODE,
    STABLE,
    REPELLING,
    CLOSING_IN,
)
