"""A random unit with batch normalisation separates two samples as often as their angle at the mean
says.

Problem. The boundary of a unit with Gaussian weight goes through the mean g of its inputs. With
which probability does it separate two of them, u and v, and when does a unit see both on one side?

Method. Layers with batch normalisation are simulated and their units counted; what that says of the
distances is decided at exact points, in balls. Rocq proves the law's symmetry and the step from
cosine to angle.

Guarantee. η = ∠(u-g, v-g)/π. With m the midpoint, r = ‖u-v‖/2 and ρ = ‖m-g‖: 1 at g = m, at least
(2/π) arctan(r/ρ) ≥ ½ for ρ ≤ r, and at most that beyond. Both are on the positive side with
probability (1-η)/2, and both on the negative one with the same.

Reference. R26 (PMLR 334), Lemma 1; the two equal sides are ours.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['law', 'same_side', 'midpoint', 'near', 'half', 'far']
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import sympy as sp

from theorems.checking.expectation import Expectation, Instance
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.splines.notation import DIMENSION, FAMILY, ROCQ, WEIGHT, d, k, w
from theorems.families.splines.two_points import (
    DISTANCES,
    LENGTHS,
    POINTS,
    a_2,
    b_2,
    corners,
    inner,
    inputs,
    r_2,
    rho_2,
    u,
    v,
)
from theorems.families.splines.units import Bools, observe, placed, share
from theorems.statement import (
    NUDGE,
    Assumption,
    Proof,
    Quantifier,
    Sentinel,
    Source,
    Statement,
    Variable,
    Verdict,
)

if TYPE_CHECKING:
    from theorems.report.style import Drawing

__all__ = ["FIGURES", "STATEMENTS"]

Floats = npt.NDArray[np.floating[Any]]

c = sp.Symbol("c", real=True)
least, together = sp.symbols("cos_0 uv", real=True)
product = sp.Symbol("ab_2", nonnegative=True)
eta, both = sp.symbols("eta both", nonnegative=True)

#: Angles between u and v as the mean sees them: their cosines, exactly.
_COSINES = (-0.96, -0.28, 0.0, 0.6, 0.96)


def instances(statement: Statement, batch: Floats | None) -> Iterator[Instance]:
    """Two points about the mean, at distances 1 and 2, under angles from 16° to 164°."""
    for cosine in _COSINES:
        sine = (1 - cosine**2) ** 0.5
        points = [[1.0, 0.0], [2 * cosine, 2 * sine]]
        yield placed(f"cos = {cosine:g}", points, {"c": cosine})


def separates(H: Floats) -> Bools:
    """Where a unit has the first two samples on two sides."""
    apart: Bools = (H[..., 0] > 0) != (H[..., 1] > 0)
    return apart


def positive(H: Floats) -> Bools:
    """Where a unit has the first two samples on its positive side."""
    alike: Bools = (H[..., 0] > 0) & (H[..., 1] > 0)
    return alike


def _counted(name: str, holds: Callable[[Floats], Bools]) -> tuple[Expectation]:
    observable = observe(name, holds)
    sampled = partial(share, name)
    return (Expectation(instances, sampled, (observable,), resolution=0.05, follows_batch=False),)


def weighted(item: Mapping[str, object]) -> Mapping[str, object]:
    """The point that the two are seen from, as a weight."""
    return {**item, "w": item["g"]}


_SOURCE = Source("R26", "Lemma 1")
_PROOFS = f"{ROCQ}.SeparationProbability"
_separation = partial(Statement, family=FAMILY, theorem="separation_probability")
_law = partial(
    _separation,
    quantifier=Quantifier.EXPECTATION,
    variables=(Variable(c, sp.Interval(-1, 1), "cosine of the angle of u and v at the mean"),),
    relation="==",
    expected=Verdict.SUPPORTED,
    chain="batchnorm(identity)",
)
_angle = sp.acos(c) / sp.pi
LAWS = (
    _law(
        variant="law",
        title="A Gaussian unit separates two samples with probability η = ∠/π at the mean",
        source=_SOURCE,
        definitions={eta: "probability that the boundary separates u and v"},
        lhs=eta,
        rhs=_angle,
        sentinel=Sentinel("a tenth more", rhs=sp.Rational(11, 10) * _angle),
        observables=("separating",),
        checks=_counted("separating", separates),
    ),
    _law(
        variant="same_side",
        title="Two samples are both on the positive side with probability (1 - η)/2",
        source=Source("ours", ""),
        definitions={both: "probability that u and v are both on the positive side"},
        lhs=both,
        rhs=(1 - _angle) / 2,
        sentinel=Sentinel("a tenth more", rhs=sp.Rational(11, 20) * (1 - _angle)),
        observables=("positive",),
        checks=_counted("positive", positive),
        depends_on=("splines.separation_probability:law",),
        proof=Proof(
            theorem=f"{_PROOFS}.same_side",
            link="name",
            gloss="for any law of w that -w has too, and under which no sample is on the boundary: "
            "both are positive with probability (1 - η)/2",
            leaves="that η = ∠/π: the law of a unit at two samples",
            also=(f"{_PROOFS}.other_side",),
        ),
        remark="Nothing of the normal law is used beyond that w and -w have the same.",
    ),
)

_values = sp.Sum(w[k] * u[k], (k, 0, d - 1)), sp.Sum(w[k] * v[k], (k, 0, d - 1))
_middle = sum(_values) / 2
MIDPOINT = _separation(
    variant="midpoint",
    title="At g = m: ⟨w,u-m⟩⟨w,v-m⟩ = -⟨w,u-v⟩²/4, so every unit not normal to u-v separates them",
    quantifier=Quantifier.POINTWISE,
    source=_SOURCE,
    variables=(DIMENSION, WEIGHT, *POINTS[1:3]),
    lhs=(_values[0] - _middle) * (_values[1] - _middle),
    relation="==",
    rhs=-((_values[0] - _values[1]) ** 2) / 4,
    sentinel=Sentinel(
        "one part in a million less", rhs=-(1 - NUDGE) * (_values[0] - _values[1]) ** 2 / 4
    ),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(weighted, partial(inputs, 12), corners),),
    proof=Proof(theorem=f"{_PROOFS}.midpoint"),
)

_LEAF = f"{ROCQ}.leaf.SeparationBounds"
#: The cosine of 2 arctan(r/ρ), and the probability that it is the angle of.
_COSINE = {least: (rho_2 - r_2) / (rho_2 + r_2)}
_distances = sp.acos(least) / sp.pi
_NEAR = Assumption(sp.Le(rho_2, r_2), "ρ ≤ r")
_FAR = Assumption(sp.Ge(rho_2, r_2), "ρ ≥ r")


def _bound(
    variant: str, title: str, within: Assumption, relation: str, rhs: sp.Expr, sentinel: Sentinel
) -> Statement:
    near = within is _NEAR
    return _separation(
        variant=variant,
        title=title,
        quantifier=Quantifier.POINTWISE,
        source=_SOURCE,
        variables=POINTS,
        definitions={
            **DISTANCES,
            **LENGTHS,
            product: a_2 * b_2,
            together: inner,
            c: together / sp.sqrt(product),
            eta: _angle,
            **({} if variant == "half" else _COSINE),
        },
        assumptions=(Assumption(sp.Gt(product, 0), "g is neither u nor v"), within),
        lhs=eta,
        relation=relation,
        rhs=rhs,
        sentinel=sentinel,
        expected=Verdict.CERTIFIED,
        checks=(Pointwise(as_given, partial(inputs, 2 if near else 12), corners),),
        proof=Proof(
            theorem=f"{_LEAF}.{variant}",
            link="name",
            gloss="the bound on the angle from that on its cosine",
            leaves="the bound on the cosine, which the kernel has in splines.separation_angle",
        ),
        remark="That the angle over π is the probability is what `law` says.",
    )


BOUNDS = (
    _bound(
        "near",
        "ρ ≤ r: separated with probability (2/π) arctan(r/ρ) or more",
        _NEAR,
        ">=",
        _distances,
        Sentinel("one part in a million more", rhs=(1 + NUDGE) * _distances),
    ),
    _bound(
        "half",
        "ρ ≤ r: separated with probability ½ or more",
        _NEAR,
        ">=",
        sp.Rational(1, 2),
        Sentinel("one part in a million more", rhs=(1 + NUDGE) / 2),
    ),
    _bound(
        "far",
        "ρ ≥ r: separated with probability (2/π) arctan(r/ρ) or less",
        _FAR,
        "<=",
        _distances,
        Sentinel("one part in a million less", rhs=(1 - NUDGE) * _distances),
    ),
)


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """The share of units that separate two samples, against their angle; None if it was not run."""
    from theorems.report.document import evidence_of, find
    from theorems.report.style import COLOURS, Drawing, drawing, new_figure

    name = LAWS[0].name
    found = evidence_of(find(document, name), "readouts")
    rows = [row for each in found for row in each["readouts"] if row.get("high") is not None]
    if not rows:
        return None
    degrees = np.degrees(np.arccos([row["c"] for row in rows]))
    means = np.array([row["mean"] for row in rows])
    ends = np.array([[row["mean"] - row["low"], row["high"] - row["mean"]] for row in rows])
    with drawing():
        figure = new_figure(4, 3)
        axes = figure.add_subplot()
        axes.plot([0, 180], [0, 1], color=COLOURS["sharp"], label="∠/π")
        axes.plot([0, 180], [0.5, 0], color=COLOURS["sharp"], linestyle="--", label="(1 - ∠/π)/2")
        axes.errorbar(
            degrees, means, yerr=ends.T, fmt="o", color=COLOURS["measured"], label="measured"
        )
        axes.set(
            xlabel="angle at the mean, degrees", ylabel="share of units", xticks=range(0, 181, 45)
        )
        axes.legend()
    return Drawing(
        "separation_probability",
        "How often a unit separates two samples",
        "Units of layers with batch normalisation; bars: where the share is known to lie. Dashed: "
        "both samples on the positive side.",
        figure,
        (name,),
    )


STATEMENTS = (*LAWS, MIDPOINT, *BOUNDS)
FIGURES = (draw,)
