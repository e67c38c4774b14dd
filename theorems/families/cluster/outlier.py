"""One sample and n - 1 alike ones: one number describes them, and at infinite width it has an
outlier fixed point: for which batch sizes, where it is born, that it is stable, and at which angle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import partial, reduce
from itertools import product
from typing import TypeAlias

import flint
import numpy as np
import sympy as sp

from simulators.engines.mean_field.outlier_enclosure import (
    cosines_enclosure,
    reduced_map_enclosure,
)
from simulators.engines.mean_field.recenter_relu import recenter_relu_map_enclosure
from simulators.lazy import strategies as st
from theorems.checking.enclosures import Enclosed, Part
from theorems.checking.pointwise import Pointwise
from theorems.families.cluster import jacobian
from theorems.families.cluster.fixed_points import Point, find, one_apart, saddle_node
from theorems.families.cluster.large_batches import FIRST, cells, enclose
from theorems.families.cluster.notation import FAMILY, OURS, ROCQ, n
from theorems.statement import (
    NUDGE,
    Assumption,
    Proof,
    Quantifier,
    Sentinel,
    Statement,
    Variable,
    Verdict,
)

__all__ = ["BEYOND", "SAMPLED", "STATEMENTS", "parts"]

N = sp.Symbol("N", integer=True, nonnegative=True)
D, U, X, R, R_1, tau = sp.symbols("D U X R R_1 tau", real=True)
nu = sp.Symbol("nu", positive=True)

#: Sizes above `FIRST` that are enclosed one by one as well.
SAMPLED = (100, 1000, 10**4, 10**5, 10**6)
BEYOND = (*range(FIRST), *SAMPLED)
#: What an enclosure of an identity may miss it by; the balls are some 1e-50 wide.
NOTHING = sp.Rational(1, 10**40)


Values: TypeAlias = Mapping[str, flint.arb | int]


def _size(least: int) -> Variable:
    return Variable(n, sp.Range(least, sp.oo), "batch size")


def _read(names: Mapping[str, str], low: flint.fmpq, high: flint.fmpq) -> Values:
    enclosed = enclose(low, high)
    return {symbol: getattr(enclosed, field) for symbol, field in names.items()}


def parts(names: Mapping[str, str]) -> Iterator[Part]:
    """All n ≥ `FIRST` at once, with the fields of `large_batches.Enclosure` that ``names`` maps to
    symbols.

    Example:
        >>> next(parts({"D": "decay"})).label
        'n≥4096'
    """
    for low, high in cells():
        ends = [Fraction(int(x.p), int(x.q)) for x in (low, high)]
        label = f"n≥{1 / ends[1]}"
        if ends[0]:
            label = f"{float(1 / ends[1]):.5g}≤n≤{float(1 / ends[0]):.5g}"
        yield Part(label, partial(_read, names, low, high), *ends)


# --- the reduction to one number ------------------------------------------------------------------

K_cc, K_x, K_co, K_oo, y = sp.symbols("K_cc K_x K_co K_oo y", real=True)


def _recentred_inputs() -> st.SearchStrategy[Mapping[str, Fraction | int]]:
    return st.fixed_dictionaries(
        {
            "n": st.integers(3, 1000),
            "y": st.fractions(Fraction(1, 1000), 1000, max_denominator=1000),
            "K_cc": st.fractions(Fraction(1, 100), 100, max_denominator=100),
        }
    )


def _recentred(item: Mapping[str, Fraction]) -> Mapping[str, Fraction]:
    """The four numbers of K, from its y and its scale, by the two row sums."""
    size, product = item["n"], -item["y"] * item["K_cc"]
    return {
        "n": size,
        "K_cc": item["K_cc"],
        "K_co": product,
        "K_oo": -(size - 1) * product,
        "K_x": -(item["K_cc"] + product) / (size - 2),
    }


def _reduction(
    variant: str,
    title: str,
    lhs: sp.Expr,
    rhs: sp.Expr,
    place: str,
    sentinel: Sentinel,
    shape: str = "",
) -> Statement:
    theorem = f"{ROCQ}.OneDimensionalReduction"
    return Statement(
        family=FAMILY,
        theorem="one_dimensional_reduction",
        variant=variant,
        title=title,
        source=OURS,
        quantifier=Quantifier.POINTWISE,
        definitions={y: -K_co / K_cc},
        lhs=lhs,
        relation="==",
        rhs=rhs,
        variables=(
            Variable(n, sp.Range(3, sp.oo), "batch size"),
            Variable(
                K_cc, sp.Interval.open(0, sp.oo), "squared norm of each of the n - 1, recentred"
            ),
            Variable(K_x, sp.Reals, "inner product of two of them"),
            Variable(
                K_co,
                sp.Interval.open(-sp.oo, 0),
                "inner product of one of them and the other sample",
            ),
            Variable(K_oo, sp.Reals, "squared norm of the other sample, recentred"),
        ),
        assumptions=(
            Assumption(sp.Eq(K_oo + (n - 1) * K_co, 0), "the other sample's row of K sums to 0"),
            Assumption(sp.Eq(K_cc + (n - 2) * K_x + K_co, 0), "so do the rows of the n - 1"),
        ),
        chain="recenter_relu",
        sentinel=sentinel,
        expected=Verdict.CERTIFIED,
        checks=(Pointwise(_recentred, _recentred_inputs, examples=100),),
        proof=Proof(
            theorem=f"{theorem}.one_dimensional_numbers",
            structure="rcfType",
            script="move=> R n K_cc K_x K_co K_oo y n3 c0 o0 defy rowo rowc; rewrite -mulNr in "
            f"defy; rewrite addrC mulrC in rowo; rewrite addrAC mulrC in rowc; {shape}exact: "
            f"(THEOREM n3 c0 o0 rowo rowc defy){place}",
            also=(f"{theorem}.one_dimensional_reduction", f"{theorem}.one_dimensional_range"),
        ),
    )


REDUCTIONS = (
    _reduction(
        "outlier_norm",
        "K_oo/K_cc = (n-1) y",
        K_oo / K_cc,
        (n - 1) * y,
        ".1",
        Sentinel("n y", rhs=n * y),
        "rewrite [RHS]mulrC; ",
    ),
    _reduction(
        "cluster_correlation",
        "The cluster's correlation is (y-1)/(n-2)",
        K_x / K_cc,
        (y - 1) / (n - 2),
        ".2.1",
        Sentinel("(y-1)/(n-1)", rhs=(y - 1) / (n - 1)),
    ),
    _reduction(
        "outlier_correlation",
        "The correlation across is -√(y/(n-1))",
        K_co / sp.sqrt(K_cc * K_oo),
        -sp.sqrt(y / (n - 1)),
        ".2.2",
        Sentinel("one part in a million less", rhs=-sp.sqrt((1 - NUDGE) * y / (n - 1))),
    ),
)


def _reduced(item: tuple[int, Fraction, int]) -> Values:
    """How far the layer on Gram matrices is from y ↦ f_n(y), and from a wrong cluster cosine."""
    size, share, shift = item
    y = share * (size - 1)
    inner = (y - 1) / (size - 2)
    gram = one_apart(size, Fraction(1), inner, -y, (size - 1) * y)
    shifted = np.array(gram, dtype=object) + shift  # the same after recentring
    layer = recenter_relu_map_enclosure(shifted.tolist(), precision=flint.ctx.prec)
    means = [sum(row, flint.arb(0)) / size for row in layer]
    mean = sum(means, flint.arb(0)) / size
    across = np.array(means, dtype=object)
    centred = np.array(layer, dtype=object) - across[:, None] - across + mean
    K = centred / centred[0, 0]
    new = -K[0, -1]
    ball = flint.arb(flint.fmpq(y.numerator, y.denominator))
    expected = reduced_map_enclosure(ball, size, precision=flint.ctx.prec)
    misses, wrong = [new - expected], [flint.arb(0)]
    for i in range(size - 1):
        misses += [K[i, -1] + new, K[-1, -1] - (size - 1) * new]
        misses += [*(K[i, :i] - (new - 1) / (size - 2))]
        wrong += [*(K[i, :i] - (new - 1) / (size - 1))]
    return {"n": size, "R": _largest(misses), "R_1": _largest(wrong)}


def _largest(misses: Iterable[flint.arb]) -> flint.arb:
    return reduce(flint.arb.max, map(abs, misses))


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
        "K_oo/K_cc from (n-1)y⁺, of K_co/K_cc from -y⁺, of the cluster's cosines from "
        "(y⁺-1)/(n-2), and of y⁺ from f_n(y)",
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
            lambda: [
                (size, Fraction(k, 8), k) for size, k in product((3, 4, 6, 7, 16), range(1, 8))
            ],
            examples=60,
        ),
    ),
)

# --- Jacobians ------------------------------------------------------------------------------------


def _symmetric_residuals(size: int) -> Values:
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


def _outlier_residuals(size: int) -> Values:
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
        "n×n matrices, DT in balls, and of the 2×2 block's trace and determinant less those of the "
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

_outlier = partial(
    Statement,
    family=FAMILY,
    theorem="outlier_fixed_point",
    quantifier=Quantifier.MEAN_FIELD,
    source=OURS,
    chain="recenter_relu",
    expected=Verdict.CERTIFIED,
)


def _others(threshold: int) -> sp.Expr:
    return sp.Piecewise((2, n >= threshold), (0, True))


COUNTED = (
    _outlier(
        variant="count",
        title="Besides the symmetric and the two-block point f_n has two fixed points if n ≥ 7, "
        "else none",
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
        remark="Every fixed point is isolated: e(ψ) = 0 in an angle in which f_n has no square "
        "root at either end. The symmetric point is a simple zero of e, so it is counted apart.",
    ),
    _outlier(
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
        checks=(
            Enclosed(parts=lambda: [Part("real n from 4 to 7", lambda: {"nu": saddle_node().n})]),
        ),
    ),
)


def _decay(size: int) -> Values:
    return {"D": size * (1 - _present(find(size).outlier).spectrum.radius)}


def _growth(size: int) -> Values:
    return {"U": size * (_present(find(size).separatrix).spectrum.slope - 1)}


def _distance(size: int) -> Values:
    return {"X": size**2 * (_present(find(size).separatrix).angle.cos() - flint.fmpq(1, size - 1))}


def _present(point: Point | None) -> Point:
    if point is None:
        raise ValueError("this batch size has no such point")
    return point


STABILITY = (
    _outlier(
        variant="stable",
        title="The outlier attracts all Gram matrices near it: spectral radius at most 1 - 3/(8n)",
        variables=(_size(7),),
        definitions={
            D: "n(1 - spectral radius) of the layer on Gram matrices at the outlier point"
        },
        lhs=D,
        relation=">=",
        rhs=sp.Rational(3, 8),
        sentinel=Sentinel("1 - 1/(2n), false at n = 7", rhs=sp.Rational(1, 2)),
        checks=(Enclosed(BEYOND, _decay, lambda: parts({"D": "decay"})),),
        depends_on=("cluster.outlier_jacobian",),
        remark="The radius is f_n′ for every n enclosed one by one, and is 1 - 1/n + O(1/n²).",
    ),
    _outlier(
        variant="repelling",
        title="The separatrix repels: slope at least 1 + 1/(5n)",
        variables=(_size(7),),
        definitions={U: "n(f_n′ - 1) at the fixed point between the outlier and the symmetric one"},
        lhs=U,
        relation=">=",
        rhs=sp.Rational(1, 5),
        sentinel=Sentinel("1 + 1/(4n), false at n = 7", rhs=sp.Rational(1, 4)),
        checks=(Enclosed(BEYOND, _growth, lambda: parts({"U": "growth"})),),
    ),
    _outlier(
        variant="closing_in",
        title="The separatrix closes in on the symmetric point: cosines differ by at most 4/n²",
        variables=(_size(7),),
        lhs=X,
        relation="<=",
        rhs=sp.Integer(4),
        definitions={
            X: "n²(cos ψ - 1/(n-1)) at the separatrix, -cos ψ being the cosine between outlier and "
            "cluster after recentring, -1/(n-1) that of the symmetric point"
        },
        sentinel=Sentinel("by 3/n², false at n = 7", rhs=sp.Integer(3)),
        checks=(Enclosed(BEYOND, _distance, lambda: parts({"X": "distance"})),),
        remark="X tends to π - 2, its value where 1/n = 0, which the ball for n ≥ 4096 contains.",
    ),
)

# --- the cluster's angle is 3π/n to first order, with the next order ------------------------------


def _stretch(size: int, angle: flint.arb, shift: int) -> Values:
    return {"tau": size**2 * ((size + shift) * angle / (3 * flint.arb.pi()) - 1)}


def _before(size: int) -> Values:
    return _stretch(size, _present(find(size).outlier).cluster_angle, 1)


def _after(size: int) -> Values:
    cosines = cosines_enclosure(_present(find(size).outlier).angle, size)
    return _stretch(size, cosines[0].acos(), 2)


_BEFORE = {
    tau: "n²((n+1)φ/(3π) - 1), φ the angle within the cluster at the outlier fixed point, after "
    "recentring"
}
_angle = partial(
    Statement,
    family=FAMILY,
    theorem="angle_law",
    quantifier=Quantifier.MEAN_FIELD,
    source=OURS,
    relation="<=",
    expected=Verdict.CERTIFIED,
    chain="recenter_relu",
    depends_on=("cluster.outlier_fixed_point:count",),
)
ANGLE = (
    _angle(
        variant="recentred",
        title="The cluster's angle is 3π/(n+1) up to a factor 1 ± 4/n², so n times it tends to 3π",
        variables=(_size(7),),
        definitions=_BEFORE,
        lhs=sp.Abs(tau),
        rhs=sp.Integer(4),
        sentinel=Sentinel("a factor 1 ± 3/n², false at n = 7", rhs=sp.Integer(3)),
        checks=(Enclosed(BEYOND, _before, lambda: parts({"tau": "stretch"})),),
    ),
    _angle(
        variant="next_order",
        title="That factor is 1 + (3π²/20 - 1)/n² to next order: within 1/(20n²) for n ≥ 1024",
        variables=(_size(1024),),
        definitions=_BEFORE,
        lhs=sp.Abs(tau - (3 * sp.pi**2 / 20 - 1)),
        rhs=sp.Rational(1, 20),
        sentinel=Sentinel(
            "constant 3π²/20 - 9/10", lhs=sp.Abs(tau - (3 * sp.pi**2 / 20 - sp.Rational(9, 10)))
        ),
        checks=(Enclosed(BEYOND, _before, lambda: parts({"tau": "stretch"})),),
        remark="The difference is some 29/n; the ball for n ≥ 4096 contains the constant.",
    ),
    _angle(
        variant="after_relu",
        title="After ReLU the cluster's angle is 3π/(n+2) up to a factor 1 ± 2/n²",
        variables=(_size(7),),
        lhs=sp.Abs(tau),
        rhs=sp.Integer(2),
        definitions={
            tau: "n²((n+2)φ⁺/(3π) - 1), cos φ⁺ the cosine in the cluster of the fixed point's Gram "
            "matrix"
        },
        sentinel=Sentinel("a factor 1 ± 1/n², false at n = 7", rhs=sp.Integer(1)),
        checks=(Enclosed(BEYOND, _after, lambda: parts({"tau": "stretch_after"})),),
    ),
)

STATEMENTS: tuple[Statement, ...] = (
    *REDUCTIONS,
    REDUCED,
    SYMMETRIC_SPECTRUM,
    OUTLIER_JACOBIAN,
    *COUNTED,
    *STABILITY,
    *ANGLE,
)
