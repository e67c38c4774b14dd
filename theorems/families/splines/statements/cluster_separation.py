"""A boundary through the midpoint of two tight clusters separates them: with which probability?

Problem. Two clusters of K points, within δ of centres u and v that are 2r apart; a unit with
Gaussian weight whose boundary goes through the midpoint of u and v. How likely is it that some
point is on the other side than the rest of its cluster?

Method. A point within δ of its centre and that centre are seen from distance r under an angle of
arcsin(δ/r) at most, so that a boundary goes between them with probability arcsin(δ/r)/π at most
(`separation_probability`); there are 2K points, and Rocq proves the union bound. Layers with batch
normalisation on clusters with points where they are seen under that angle are simulated.

Guarantee. P[not separated] ≤ (2K/π) arcsin(δ/r) for r > δ, with equality for K = 1, which is less
than the printed (2/π)(2K-1)/(r/δ-1) and than (2/π)(2K-1) arctan(1/(r/δ-1)) from its proof: .319
against .637 and .634 at K = 5, r/δ = 10.

Reference. R26 (PMLR 334), Theorem 2; the sharper bound is ours.

Example:

    >>> [round(float(STATEMENTS[place].bound(K=5, s=10)), 3) for place in (0, 2, 3)]
    [0.319, 0.634, 0.637]
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import sympy as sp

from simulators.lazy import strategies as st
from theorems.checking.expectation import Expectation, Instance
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.splines.notation import FAMILY, ROCQ
from theorems.families.splines.units import Bools, observe, placed, share
from theorems.statement import Proof, Quantifier, Sentinel, Source, Statement, Variable, Verdict

if TYPE_CHECKING:
    from theorems.report.style import Drawing

__all__ = ["FIGURES", "STATEMENTS", "clusters", "draw"]

Floats = npt.NDArray[np.floating[Any]]
Item = Mapping[str, Fraction | int]

K = sp.Symbol("K", integer=True, positive=True)
s = sp.Symbol("s", positive=True)
missed = sp.Symbol("missed", nonnegative=True)

#: Points a cluster, and r/δ.
_TRIED = ((1, 3), (1, 10), (2, 10), (5, 10), (5, 40))


def clusters(size: int, ratio: float, lean: float = 1.0) -> list[list[float]]:
    """Two clusters about u and -u, u = (r/δ, 0, …), whose points lean as far as δ = 1 allows.

    Points lie off the axis along one further coordinate each; the first of both clusters along the
    same one, on one side, so that K = 1 attains the bound.

    Args:
        size: points of a cluster, K.
        ratio: r/δ, above 1.
        lean: the angle under which 0 sees a point and its centre, over arcsin(δ/r); at most 1.

    Returns:
        2K points of K + 1 coordinates, the first cluster first.

    Example:
        >>> [[round(x, 3) for x in point] for point in clusters(1, 2.0)]
        [[1.5, 0.866], [-1.5, 0.866]]
    """
    angle = lean * math.asin(1 / ratio)
    sine, cosine = math.sin(angle), math.cos(angle)
    found = []
    for side, place in product((1, -1), range(size)):
        point = [0.0] * (size + 1)
        point[0] = side * ratio * cosine**2
        point[place + 1] = ratio * cosine * sine
        found.append(point)
    return found


def not_separated(H: Floats) -> Bools:
    """Where a unit has not one cluster on one side and the other on the other."""
    signs = H[..., :-1] > 0
    size = signs.shape[-1] // 2
    first, second = signs[..., :size], signs[..., size:]
    apart = first.all(-1) & ~second.any(-1) | ~first.any(-1) & second.all(-1)
    return np.asarray(~apart)


def instances(
    statement: Statement,
    batch: Floats | None,
    tried: Sequence[tuple[int, int]] = _TRIED,
    lean: float = 1.0,
) -> Iterator[Instance]:
    """Clusters of 1 to 5 points, 3 to 40 times as far from the middle as they are wide."""
    for size, ratio in tried:
        symbols = {"K": size, "s": ratio}
        named = {str(each.symbol): symbols[str(each.symbol)] for each in statement.variables}
        yield placed(f"K={size}, r/δ={ratio}", clusters(size, ratio, lean), named)


def _numbers() -> st.SearchStrategy[Item]:
    ratios = st.integers(7, 600).map(lambda whole: Fraction(whole, 6))
    return st.fixed_dictionaries({"K": st.integers(1, 50), "s": ratios})


def _corners() -> list[Item]:
    return [{"K": size, "s": Fraction(ratio)} for size, ratio in ((1, 100), (1, 2), (5, 10))]


_NAME = "not_separated"
_arcsine = sp.pi / 2 - sp.acos(1 / s)
_arctangent = sp.acos((s - 1) / sp.sqrt((s - 1) ** 2 + 1))
_printed = 2 * (2 * K - 1) / (sp.pi * (s - 1))
_from_proof = 2 * (2 * K - 1) * _arctangent / sp.pi
_sharp = 2 * K * _arcsine / sp.pi

_POINTS = Variable(K, sp.Range(1, sp.oo), "points of a cluster")


def _ratio(least: int) -> Variable:
    return Variable(s, sp.Interval.open(least, sp.oo), "r/δ")


_THEOREM = Source("R26", "Theorem 2")
_OURS = Source("ours", "")
_clusters = partial(Statement, family=FAMILY, theorem="cluster_separation")
_missed = partial(
    _clusters,
    quantifier=Quantifier.EXPECTATION,
    definitions={missed: "probability that a boundary does not separate the clusters"},
    lhs=missed,
    expected=Verdict.SUPPORTED,
    chain="batchnorm(identity)",
    observables=(_NAME,),
    ceiling=sp.Integer(1),
)


def _sampled(tried: Sequence[tuple[int, int]] = _TRIED, lean: float = 1.0) -> tuple[Expectation]:
    laid_out = partial(instances, tried=tried, lean=lean)
    observable = observe(_NAME, not_separated)
    sample = partial(share, _NAME)
    return (Expectation(laid_out, sample, (observable,), follows_batch=False),)


STATEMENTS = (
    _missed(
        variant="sharp",
        title="Two clusters are not separated with probability (2K/π) arcsin(δ/r) or less",
        source=_OURS,
        variables=(_POINTS, _ratio(1)),
        relation="<=",
        rhs=_sharp,
        sentinel=Sentinel("four fifths as much", rhs=sp.Rational(4, 5) * _sharp),
        checks=_sampled(lean=0.9),
        depends_on=("splines.separation_probability:law",),
        proof=Proof(
            theorem=f"{ROCQ}.ClusterSeparation.cluster_separation",
            link="name",
            gloss="if each of 2K points leaves its centre with probability q at most, clusters "
            "about opposite centres are not separated with probability 2K q at most",
            leaves="that q = arcsin(δ/r)/π: the law of a unit at two samples",
            also=(f"{ROCQ}.ClusterSeparation.cluster_separation_refined",),
        ),
    ),
    _missed(
        variant="attained",
        title="Clusters of one point each: (2/π) arcsin(δ/r) where both lean to one side",
        source=_OURS,
        variables=(_ratio(1),),
        relation="==",
        rhs=2 * _arcsine / sp.pi,
        sentinel=Sentinel("a quarter more", rhs=sp.Rational(5, 2) * _arcsine / sp.pi),
        checks=_sampled(_TRIED[:2]),
        depends_on=("splines.separation_probability:law",),
    ),
    _missed(
        variant="from_its_proof",
        title="Two clusters are not separated with probability (2/π)(2K-1) arctan(1/(r/δ-1)) or "
        "less",
        source=_THEOREM,
        variables=(_POINTS, _ratio(2)),
        relation="<=",
        rhs=_from_proof,
        sentinel=Sentinel("four fifths as much", rhs=sp.Rational(4, 5) * _from_proof),
        checks=_sampled(),
        depends_on=("splines.cluster_separation:sharp",),
    ),
    _missed(
        variant="printed",
        title="Two clusters are not separated with probability (2/π)(2K-1)/(r/δ-1) or less",
        source=_THEOREM,
        variables=(_POINTS, _ratio(2)),
        relation="<=",
        rhs=_printed,
        sentinel=Sentinel("four fifths as much", rhs=sp.Rational(4, 5) * _printed),
        checks=_sampled(),
        depends_on=("splines.cluster_separation:sharp",),
    ),
    _clusters(
        variant="sharper",
        title="(2K/π) arcsin(δ/r) is less than the bound from the proof, wherever r > δ",
        quantifier=Quantifier.POINTWISE,
        source=_OURS,
        variables=(_POINTS, _ratio(1)),
        lhs=_sharp,
        relation="<",
        rhs=_from_proof,
        sentinel=Sentinel("a hundredth less", rhs=sp.Rational(99, 100) * _from_proof),
        expected=Verdict.CERTIFIED,
        checks=(Pointwise(as_given, _numbers, _corners, walks=False),),
        proof=Proof(
            theorem=f"{ROCQ}.leaf.ClusterBounds.sharper",
            link="name",
            gloss="(2K/π) arcsin(1/s) < (2/π)(2K-1) arctan(1/(s-1)) for K ≥ 1 and s > 1",
            also=(f"{ROCQ}.leaf.ClusterBounds.arcsine_below",),
        ),
    ),
)


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """Bounds for five points a cluster, and shares of units; None if that was not run."""
    from theorems.report.document import evidence_of, find
    from theorems.report.style import COLOURS, Drawing, drawing, new_figure

    name = STATEMENTS[0].name
    found = evidence_of(find(document, name), "readouts")
    rows = [row for each in found for row in each["readouts"] if row.get("high") is not None]
    if not rows:
        return None
    most = max(int(row["K"]) for row in rows)
    shown = [row for row in rows if row["K"] == most]
    ratios = np.geomspace(5, 100, 101)
    with drawing():
        figure = new_figure(4, 3)
        axes = figure.add_subplot()
        ours, printed = STATEMENTS[0], STATEMENTS[3]
        axes.plot(
            ratios, printed.bound(K=most, s=ratios), color=COLOURS["as_printed"], label="printed"
        )
        axes.plot(ratios, ours.bound(K=most, s=ratios), color=COLOURS["sharp"], label="sharper")
        axes.errorbar(
            [row["s"] for row in shown],
            [row["mean"] for row in shown],
            yerr=np.array([[x["mean"] - x["low"], x["high"] - x["mean"]] for x in shown]).T,
            fmt="o",
            color=COLOURS["measured"],
            label="measured",
        )
        axes.set(xlabel="r/δ", ylabel="not separated", xscale="log", yscale="log")
        axes.legend()
    return Drawing(
        "cluster_separation",
        "How often a boundary cuts a cluster",
        f"Two clusters of {most} points; bars: where the share of units is known to lie.",
        figure,
        (name,),
    )


FIGURES = (draw,)
