"""No activation has a smaller factor than none: at every n ≥ 4 it is at least (n - 2)/(n - 3).

Problem. At every batch size, which activation makes gradients grow least under batch normalisation?

Method. A row after the activation, recentred, is a map y of the direction u on the unit sphere of
1^⊥, of dimension n - 2. Of its derivative back propagation takes the squared norm: the factor is
E‖∇y‖²/((n-3) E‖y‖²). With m_k the weight of y on harmonics of degree k, of which the sphere's
Laplacian makes k(k + n - 3) times that, it is Σ k(k+n-3) m_k/((n-3) Σ m_k), k ≥ 1, since E y = 0
by symmetry among the samples. (With a_k² the weight of φ(√(n-1) v): m_k ∝ a_k²(1 - P_k(-1/(n-1))),
as in `batchnorm_factor`.) Poincaré's inequality on the sphere, term by term: Rocq proves it for
every number of degrees. The formula is compared in balls with that of `batchnorm_factor`.

Guarantee. The factor of every activation at every n ≥ 4 is at least (n-2)/(n-3), with equality for
affine ones alone; of an even one at least 2(n-1)/(n-3). So gradients explode at every finite batch
size, whatever the activation; as n → ∞ it is Σ k c_k²/Σ c_k² again (`activation_limit`).

Reference. Ours; (n-2)/(n-3) for no activation is Y19's (arXiv 1902.08129).

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['least', 'affine', 'even', 'formula']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import partial

import flint
import sympy as sp

from simulators.lazy import composite
from simulators.lazy import strategies as st
from theorems.checking.enclosures import Enclosed
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.gradient.enclosures import polynomial_factor, smooth_factor
from theorems.families.gradient.notation import (
    FAMILY,
    OURS,
    ROCQ,
    SAMPLES,
    i,
    k,
    m,
    n,
    w,
)
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

__all__ = ["FIGURES", "STATEMENTS"]

Item = Mapping[str, object]
Weights = Sequence[int | Fraction]


def _item(size: int, weights: Weights) -> Item:
    return {"n": size, "m": len(weights), "w": tuple(map(Fraction, weights))}


@composite
def _inputs(draw: st.DrawFn, first: int = 7, others: int = 7) -> Item:
    """A batch size and up to 7 weights, the first at most ``first``, the others ``others``."""
    weights = [draw(st.fractions(0, first, max_denominator=20))]
    rest = st.fractions(0, others, max_denominator=20)
    weights += draw(st.lists(rest, min_size=1, max_size=6))
    item = _item(draw(st.integers(4, 60)), weights)
    return {**item, "i": draw(st.integers(1, len(weights) - 1))}


def _corners() -> list[Item]:
    """Weight on degree 1 alone, where the bound is attained, on degree 2 alone, and on both."""
    weights: tuple[Weights, ...] = ((1, 0), (0, 1), (1, Fraction(1, 1000)))
    return [{**_item(size, each), "i": 1} for size in (4, 8) for each in weights]


_ALL = (k, 0, m - 1)
_gradient = sp.Sum((k + 1) * (k + n - 2) * w[k], _ALL)
_norm = sp.Sum(w[k], _ALL)
_COUNT = Variable(m, sp.Range(1, sp.oo), "number of degrees, from 1 on")
_WEIGHTS = Variable(w, sp.Interval(0, sp.oo), "weight on harmonics of degree k + 1", size=(m,))

_harmonic = partial(
    Statement,
    family=FAMILY,
    theorem="harmonic_factor",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(SAMPLES, _COUNT, _WEIGHTS),
    expected=Verdict.CERTIFIED,
    chain="batchnorm",
)

LEAST = _harmonic(
    variant="least",
    title="Σ k(k+n-3) m_k ≥ (n-2) Σ m_k: no activation has a factor below (n-2)/(n-3)",
    lhs=_gradient,
    relation=">=",
    rhs=(n - 2) * _norm,
    sentinel=Sentinel("one part in a million more", rhs=(1 + NUDGE) * (n - 2) * _norm),
    checks=(Pointwise(as_given, _inputs, _corners, examples=110),),
    proof=Proof(
        theorem=f"{ROCQ}.harmonic_least",
        script="move=> R n m w n4 m1; (have _ : (1 <= m)%N := m1); exact: (THEOREM n4)",
    ),
)
AFFINE = _harmonic(
    variant="affine",
    title="Equality leaves no weight on degrees from 2 on: φ is affine",
    variables=(SAMPLES, _COUNT, _WEIGHTS, Variable(i, sp.Range(1, m), "k - 1 for a k ≥ 2")),
    assumptions=(Assumption(sp.Eq(_gradient, (n - 2) * _norm), "the factor is (n-2)/(n-3)"),),
    lhs=w[i],
    relation="==",
    rhs=sp.Integer(0),
    sentinel=Sentinel("a millionth of all weight", rhs=NUDGE * _norm),
    checks=(Pointwise(as_given, partial(_inputs, others=0), _corners, examples=110),),
    proof=Proof(
        theorem=f"{ROCQ}.harmonic_equality",
        script="move=> R n m w i n4 m1 w0 i1 same; (have _ : (1 <= m)%N := m1); "
        "exact: (THEOREM n4 w0 same i1)",
    ),
)
EVEN = _harmonic(
    variant="even",
    title="Without weight on degree 1, as for even φ, the factor is at least 2(n-1)/(n-3)",
    assumptions=(Assumption(sp.Eq(w[0], 0), "no weight on degree 1"),),
    lhs=_gradient,
    relation=">=",
    rhs=2 * (n - 1) * _norm,
    sentinel=Sentinel("one part in a million more", rhs=2 * (1 + NUDGE) * (n - 1) * _norm),
    checks=(Pointwise(as_given, partial(_inputs, first=0), _corners, examples=110),),
    proof=Proof(
        theorem=f"{ROCQ}.harmonic_even",
        link="name",
        gloss="for n ≥ 4 and weights w_k ≥ 0, k < m, with w_0 = 0: "
        "2(n-1) Σ w_k ≤ Σ (k+1)(k+n-2) w_k",
    ),
)

# --- the formula ----------------------------------------------------------------------------------

by_entries, by_degrees = sp.symbols("by_entries by_degrees", real=True)


def _both(size: int) -> Mapping[str, flint.arb]:
    """The factor of z² + z³ in both ways, which needs degrees up to 3 alone."""
    name = "z^2 + z^3"
    return {
        "by_entries": smooth_factor(name, size),
        "by_degrees": polynomial_factor(name, 3, size),
    }


FORMULA = _harmonic(
    variant="formula",
    title="Σ k(k+n-3) m_k/((n-3) Σ m_k) is the factor by entries, at φ = z² + z³",
    quantifier=Quantifier.MEAN_FIELD,
    variables=(SAMPLES,),
    definitions={
        by_entries: "the factor as in batchnorm_factor",
        by_degrees: "Σ k(k+n-3) m_k/((n-3) Σ m_k)",
    },
    lhs=sp.Abs(by_entries - by_degrees),
    relation="<=",
    rhs=sp.Rational(1, 10**10),
    sentinel=Sentinel(
        "one part in a million more", lhs=sp.Abs(by_entries * (1 + NUDGE) - by_degrees)
    ),
    checks=(Enclosed((4, 5, 8, 16, 32), _both),),
)

STATEMENTS = (LEAST, AFFINE, EVEN, FORMULA)
FIGURES = ()
