"""Gaussian layers lose isometry: E Tr(JᵀJ)²/d = ((d+2)(1+2/d)^ℓ - (d-1)(1-1/d)^ℓ)/3, not 1.

Problem. J is the derivative of ℓ linear layers of width d, weights of variance 1/d: a product of
Gaussian matrices. E JᵀJ = I. How far from 1 are its eigenvalues, squared singular values, on
average, and which share of n orthonormal samples is left as directions?

Method. Given C = HᵀH, C⁺ is 1/d times a sum of d independent yyᵀ, y of covariance C: E Tr C⁺² =
(1 + 1/d) Tr C² + (Tr C)²/d and E(Tr C⁺)² = (Tr C)² + (2/d) Tr C². The pair has the eigenvectors
(1, 1) and (1, -2), with 1 + 2/d and 1 - 1/d. The recursion is iterated in exact rationals; networks
are simulated; Rocq solves the recursion for all sizes, and proves both bounds.

Guarantee. From n orthonormal samples E Tr C²/n = ((n+2)(1+2/d)^ℓ - (n-1)(1-1/d)^ℓ)/3. For all of
J, n = d, it lies between 1 + ℓ(1 + 1/d) and (1+2/d)^ℓ (1 + ℓ(d-1)/(d+2)), equality at ℓ ≤ 1: the
variance of squared singular values is the depth ℓ at infinite width, with orthogonal weights 0. The
ratio of means E(Tr C)²/E Tr C², the effective rank, falls from n to 1 like ((d-1)/(d+2))^ℓ, so
within some d/3 layers. Means are what rare networks make: of a typical one `rank.vanilla_collapse`.

Reference. Ours; after the theory of dynamical isometry at infinite width (Pennington, Schoenholz,
Ganguli 2017, which was not read).

Example:

    >>> [round(float(SQUARE.bound(n=8, d=8, ell=depth)), 3) for depth in (0, 1, 2)]
    [1.0, 2.125, 3.422]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import sympy as sp

from simulators import Trajectory, vanilla_chain
from simulators.lazy import composite
from simulators.lazy import strategies as st
from theorems.checking.estimates import KurtosisMean
from theorems.checking.expectation import Expectation, Instance
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.products import inputs
from theorems.families.products.notation import FAMILY, OURS, d, n
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Variable, Verdict

if TYPE_CHECKING:
    from theorems.report.style import Drawing

__all__ = ["FIGURES", "SQUARE", "STATEMENTS", "draw"]

Floats = npt.NDArray[np.floating[Any]]

#: Where the theorems are in the Rocq development.
ROCQ = "BatchNorm.products.DynamicalIsometry"
#: What the kurtosis of Tr C² is assumed not to exceed where networks are simulated.
_KURTOSIS = 100
#: Deepest network, widest, and most samples that Hypothesis draws.
_DEEPEST, _WIDEST = 40, 40

ell = sp.Symbol("ell", integer=True, nonnegative=True)
square = sp.Symbol("square", positive=True)
trace = sp.Symbol("trace", positive=True)


def values(item: Mapping[str, Any]) -> inputs.Item:
    """Sizes with E Tr C²/n and E(Tr C)²/n after the layers, by the recursion.

    Example:
        >>> values({"n": 2, "d": 4, "ell": 1})["square"]
        Fraction(7, 4)
    """
    share = Fraction(1, item["d"])
    squares, traces = Fraction(1), Fraction(item["n"])
    for _ in range(item["ell"]):
        squares, traces = (1 + share) * squares + share * traces, traces + 2 * share * squares
    return {**item, "square": squares, "trace": traces}


def corners() -> list[inputs.Item]:
    """As many samples as units or fewer, to depth 12."""
    sizes = ((1, 1), (2, 2), (1, 4), (3, 8), (8, 8))
    return [{"n": k, "d": width, "ell": depth} for k, width in sizes for depth in (0, 1, 2, 12)]


@composite
def _sizes(draw: st.DrawFn) -> inputs.Item:
    width = draw(st.integers(1, _WIDEST))
    return {
        "n": draw(st.integers(1, width)),
        "d": width,
        "ell": draw(st.integers(0, _DEEPEST)),
    }


def jacobian_corners() -> list[inputs.Item]:
    """Depths 0 to 12 at widths 1, 2 and 50."""
    return [{"d": width, "ell": depth} for width in (1, 2, 50) for depth in (0, 1, 2, 12)]


def jacobian_sizes() -> st.SearchStrategy[inputs.Item]:
    """Widths from 1, depths from 0.

    Example:
        >>> jacobian_sizes().validate()
    """
    return st.fixed_dictionaries(
        {"d": st.integers(1, _WIDEST), "ell": st.integers(0, _DEEPEST)},
    )


def instances(statement: Statement, batch: Floats | None) -> Iterator[Instance]:
    """Two layers of 8 and of 16 units, as many orthonormal samples as units."""
    for width, depth in ((8, 2), (16, 2)):
        yield Instance(
            label=f"n=d={width}, ℓ={depth}",
            chain=vanilla_chain(width, "identity"),
            start=np.eye(width),
            depth=depth,
            readouts=({"n": width, "d": width, "ell": depth},),
            support=(0.0, np.inf),
        )


def sample(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    """Tr C²/n at the last layer, (replicas, 1): ‖H‖⁴ over the effective rank and n."""
    last = instance.depth
    fourth = np.exp(4 * trajectory["log_norm"][:, last])
    found: Floats = fourth / (trajectory["effective_rank"][:, last] * instance.start.shape[1])
    return found[:, None]


def _mean(
    side: sp.Expr,
    instance: Instance,
    values: Mapping[str, float],
    level: float,
    reference: float | None,
) -> KurtosisMean:
    return KurtosisMean(level, _KURTOSIS)


def _solved(which: str) -> Proof:
    """The proof that solves the recursion; ``which`` says what of it a variant is."""
    return Proof(
        theorem=f"{ROCQ}.isometry_moments",
        link="name",
        gloss="s_0 = 1, t_0 = n, s⁺ = (1 + 1/d)s + t/d, t⁺ = t + 2s/d: the closed forms of s_ℓ and "
        f"t_ℓ for every n, d and ℓ, of which {which}; that a layer's means are these is taken for "
        "granted",
    )


_SAMPLES = Variable(n, sp.Range(1, sp.oo), "orthonormal samples, no more than units")
_WIDTH = Variable(d, sp.Range(1, sp.oo), "width of every layer")
_DEPTH = Variable(ell, sp.Range(0, sp.oo), "number of layers")

_grows, _shrinks = (1 + 2 / d) ** ell, (1 - 1 / d) ** ell
_squares = ((n + 2) * _grows - (n - 1) * _shrinks) / 3
_traces = ((n + 2) * _grows + 2 * (n - 1) * _shrinks) / 3
_whole = ((d + 2) * _grows - (d - 1) * _shrinks) / 3
_least = 1 + ell * (1 + 1 / d)
_most = _grows * (1 + ell * (d - 1) / (d + 2))

_isometry = partial(Statement, family=FAMILY, theorem="dynamical_isometry", source=OURS)
_recursion = partial(
    _isometry,
    quantifier=Quantifier.POINTWISE,
    variables=(_SAMPLES, _WIDTH, _DEPTH),
    relation="==",
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(values, _sizes, corners, walks=False),),
)
_jacobian = partial(
    _isometry,
    quantifier=Quantifier.POINTWISE,
    variables=(_WIDTH, _DEPTH),
    lhs=_whole,
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, jacobian_sizes, jacobian_corners, walks=False),),
)

SQUARE = _recursion(
    variant="square",
    title="E Tr C²/n = ((n+2)(1+2/d)^ℓ - (n-1)(1-1/d)^ℓ)/3 after ℓ Gaussian layers",
    definitions={square: "E Tr C²/n after ℓ Gaussian layers of width d, by its recursion"},
    lhs=square,
    rhs=_squares,
    sentinel=Sentinel("1 + nℓ/d, of infinite width", rhs=1 + n * ell / d),
    proof=_solved("E Tr C²/n is s_ℓ"),
)


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """E Tr(JᵀJ)²/d against depth at three widths, and at infinite width; None if not run."""
    from theorems.report.document import find
    from theorems.report.style import COLOURS, MUTED, Drawing, drawing, new_figure

    if find(document, SQUARE.name) is None:
        return None
    depths = np.arange(0, 65)
    with drawing():
        figure = new_figure(4, 3)
        axes = figure.add_subplot()
        for width, style in ((16, ":"), (64, "--"), (256, "-")):
            means = [float(SQUARE.bound(n=width, d=width, ell=int(each))) for each in depths]
            axes.plot(depths, means, style, color=COLOURS["sharp"], label=f"Gaussian, d = {width}")
        axes.plot(depths, 1 + depths, color=COLOURS["measured"], label="1 + ℓ, d → ∞")
        axes.plot(depths, np.ones(len(depths)), color=MUTED, label="orthogonal weights")
        axes.set(xlabel="layers ℓ", ylabel="mean of squared eigenvalues of JᵀJ", yscale="log")
        axes.legend()
    title = "Gaussian layers lose isometry"
    return Drawing("dynamical_isometry", title, "1 where J is an isometry.", figure)


STATEMENTS = (
    SQUARE,
    _recursion(
        variant="trace",
        title="E(Tr C)²/n = ((n+2)(1+2/d)^ℓ + 2(n-1)(1-1/d)^ℓ)/3 after ℓ Gaussian layers",
        definitions={trace: "E(Tr C)²/n after ℓ Gaussian layers of width d, by its recursion"},
        lhs=trace,
        rhs=_traces,
        sentinel=Sentinel("n, as of infinite width", rhs=n),
        proof=_solved("E(Tr C)²/n is t_ℓ"),
    ),
    _jacobian(
        variant="lower",
        title="E Tr(JᵀJ)²/d ≥ 1 + ℓ(1 + 1/d): isometry is lost by a layer's worth in every layer",
        relation=">=",
        rhs=_least,
        sentinel=Sentinel("1 + ℓ(1 + 2/d)", rhs=1 + ell * (1 + 2 / d)),
        proof=Proof(
            theorem=f"{ROCQ}.isometry_lower",
            script="move=> R d ell d1; rewrite -mulrBl [_ * _ + 1]addrC [_^-1 + 1]addrC "
            "[2%:R / _ + 1]addrC ![_ ^+ ell * _]mulrC; exact: (@THEOREM R d ell d1)",
        ),
    ),
    _jacobian(
        variant="upper",
        title="E Tr(JᵀJ)²/d ≤ (1+2/d)^ℓ (1 + ℓ(d-1)/(d+2))",
        relation="<=",
        rhs=_most,
        sentinel=Sentinel("one part in a thousand less", rhs=sp.Rational(999, 1000) * _most),
        proof=Proof(
            theorem=f"{ROCQ}.isometry_upper",
            script="move=> R d ell d1; rewrite -mulrBl [2%:R / _ + 1]addrC [_ / _ + 1]addrC "
            "[_ ^+ ell * (d%:R + _)]mulrC [_ ^+ ell * (d%:R - _)]mulrC; "
            "exact: (@THEOREM R d ell d1)",
        ),
    ),
    _isometry(
        variant="networks",
        title="E Tr C²/n of networks is what the recursion says",
        quantifier=Quantifier.EXPECTATION,
        variables=(_SAMPLES, _WIDTH, _DEPTH),
        definitions={square: "E Tr C²/n after ℓ Gaussian layers of width d"},
        lhs=square,
        relation="==",
        rhs=_squares,
        chain="vanilla(identity)",
        observables=("log_norm", "effective_rank"),
        sentinel=Sentinel("1 + nℓ/d, of infinite width", rhs=1 + n * ell / d),
        expected=Verdict.SUPPORTED,
        checks=(
            Expectation(
                instances,
                sample,
                ("log_norm", "effective_rank"),
                resolution=0.08,
                first=4096,
                follows_batch=False,
                estimator=_mean,
                assumed=f"the kurtosis of Tr C² is at most {_KURTOSIS}",
            ),
        ),
    ),
)
FIGURES = (draw,)
