"""How one layer moves the moments m_k = Tr Cᵏ of a batch, to two orders in 1/√d.

Problem. The rescale chain maps C = HᵀH, of trace 1, to C⁺ = (1/d) Σ uuᵀ, an average over d
independent directions u = C^½ g/|C^½ g|. What is E m_k⁺ where m_k = a_k d^((1-k)/2), as in
stationary chains?

Method. E C⁺ has the eigenvalues p_i = λ_i E[g_i²/Σλg²]; with cumulants of Σλg²,
p_i = λ_i (1 - 2λ_i + 2m_2 + 8λ_i² - 12 m_2 λ_i - 8m_3 + 12m_2² + …). Of the k factors of Tr (C⁺)ᵏ
two that share a u split the trace, (k/2d) Σ m_i m_{k-i} in all; at the next order come its
corrections, k(k-1)/2 choices less, and three factors of one u or two pairs that do not cross,
k(k-1)/6 Σ m_i m_j m_l/d².

Guarantee. d^(k/2) E[m_k⁺ - m_k] = L_k + N_k/√d + O(1/d), with
L_k = (k/2) Σ_{0<i<k} a_i a_{k-i} - 2k(a_{k+1} - a_2 a_k) and `next_order` for N_k. L_k = 0 for all
k is the recursion of `semicircle_moments`; N_k gives `batch_next_order`. Sampled for k = 2, 3, 4.

Reference. Ours. The expansion is formal, and derived again by computer algebra in
`moment_expansion`; `drift` is the same second moment at small γ.

Example:

    >>> flat = {k: Fraction(1, 4) ** (k - 1) for k in range(1, 8)}
    >>> leading_order(2, flat), next_order(2, flat)
    (Fraction(1, 1), Fraction(-1, 4))
    >>> leading_order(3, flat), next_order(3, flat)
    (Fraction(3, 4), Fraction(13, 16))
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np
import sympy as sp
from array_api_compat import array_namespace

from simulators import rescale_chain, simulate
from simulators.arrays import Array, Namespace
from simulators.observables import Observable, gram
from theorems.checking.lost_samples import rounding_of
from theorems.checking.medians import Case, Floats, Medians, Sample
from theorems.context import Context
from theorems.families.rank.batches import SIZES
from theorems.families.rank.notation import FAMILY, OURS, d, k
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS", "Moments", "leading_order", "next_order"]

#: a_k by k, from a_1 = 1 on.
Moments = Mapping[int, Fraction]


def _convolved(a: Moments, order: int) -> Fraction:
    """Σ_{0<i<k} a_i a_{k-i}."""
    return sum((a[i] * a[order - i] for i in range(1, order)), Fraction(0))


def leading_order(order: int, a: Moments) -> Fraction:
    """L_k: what a layer adds to m_k, in units of d^(-k/2).

    ``a`` must reach k + 1.

    Example:
        >>> leading_order(2, {1: Fraction(1), 2: Fraction(1), 3: Fraction(5, 4)})
        Fraction(0, 1)
    """
    return Fraction(order, 2) * _convolved(a, order) - 2 * order * (a[order + 1] - a[2] * a[order])


def next_order(order: int, a: Moments) -> Fraction:
    """N_k: its correction, in units of d^(-(k+1)/2).

    ``a`` must reach k + 2. Cost: O(k²).

    Example:
        >>> next_order(1, {1: Fraction(1), 2: Fraction(3), 3: Fraction(2)})
        Fraction(0, 1)
    """
    choices = Fraction(order * (order - 1), 2)
    # of p_i^k: its second order, and the square of its first
    found = order * (
        8 * a[order + 2]
        - 8 * a[3] * a[order]
        - 12 * a[2] * a[order + 1]
        + 12 * a[2] ** 2 * a[order]
    )
    found += choices * 4 * (a[order + 2] - 2 * a[2] * a[order + 1] + a[2] ** 2 * a[order])
    found -= choices * a[order]
    for i in range(1, order):
        j = order - i
        # E (uᵀ C^(i-1) u)(uᵀ C^(j-1) u) beside its leading order, and what p is beside λ in it
        pair = 2 * a[order] + 6 * a[2] * a[i] * a[j] - 4 * a[i + 1] * a[j] - 4 * a[i] * a[j + 1]
        pair += 2 * (i - 1) * (a[2] * a[i] - a[i + 1]) * a[j]
        pair += 2 * (j - 1) * (a[2] * a[j] - a[j + 1]) * a[i]
        found += Fraction(order, 2) * pair + choices / 3 * a[i] * _convolved(a, j)
    return found


#: Orders of the moments that are sampled, batches, and groups of networks.
ORDERS, GROUPS, GROUP = (2, 3, 4), 40, 256


def powers(H: Array, *, width: int) -> Array:
    """d^((k-1)/2) m_k for k in `ORDERS`, from one spectrum; shape (..., len(ORDERS)).

    ``H``: (..., width, n), or a thin factor of it.

    Example:
        >>> powers(np.eye(4), width=4).tolist()
        [0.5, 0.25, 0.125]
    """
    xp: Namespace = array_namespace(H)
    found = xp.linalg.eigvalsh(gram(H))
    scaled = math.sqrt(width) * found / xp.sum(found, axis=-1, keepdims=True)
    square = scaled * scaled
    sums = [xp.sum(each, axis=-1) for each in (square, square * scaled, square * square)]
    return xp.stack(sums, axis=-1) / math.sqrt(width)


_POWERS = Observable("powers", powers, gram=True)


@dataclass(frozen=True)
class Layer:
    """One layer from a batch whose eigenvalues lie evenly between λ and 2λ."""

    width: int
    size: int

    @property
    def eigenvalues(self) -> tuple[Fraction, ...]:
        """Those of C, of sum 1."""
        values = [1 + Fraction(place, self.size) for place in range(self.size)]
        return tuple(value / sum(values) for value in values)

    def moments(self, most: int) -> Moments:
        """a_1 … a_``most``; the width is a square number."""
        root = math.isqrt(self.width)
        return {
            order: sum(value**order for value in self.eigenvalues) * root ** (order - 1)
            for order in range(1, most + 1)
        }

    def run(self, context: Context) -> tuple[Floats, float]:
        """√d times the change of every scaled moment, averaged in groups; (groups, orders)."""
        key = ("one layer", self.width, self.size)
        return context.remembered(key, partial(self._run, context))

    def _run(self, context: Context) -> tuple[Floats, float]:
        start = np.zeros((self.width, self.size))
        roots = [math.sqrt(value) for value in self.eigenvalues]
        start[: self.size] = np.diag(roots)
        run = simulate(
            rescale_chain(self.width),
            start,
            depth=1,
            replicas=GROUPS * GROUP,
            observables=(_POWERS,),
            seed=context.stream("one layer", self.width, self.size),
        )
        change = math.sqrt(self.width) * (run["powers"][:, 1] - run["powers"][:, 0])
        return change.reshape(GROUPS, GROUP, len(ORDERS)).mean(axis=1), rounding_of(run)


LAYERS = (Layer(64, 8), Layer(256, 16), Layer(256, 24))
drift, leading, following = sp.symbols("drift L N", real=True)
#: What is left over, at most, in units of k² a_k/d.
LEFT = 4


def _cases(batch: Floats | None) -> list[Case]:
    def draw(layer: Layer, place: int, context: Context) -> Sample:
        changes, rounding = layer.run(context)
        notes: dict[str, object] = {"networks": GROUPS * GROUP, "in groups of": GROUP}
        return Sample({"drift": [changes[:, place]]}, rounding=rounding, notes=notes)

    found = []
    for layer in LAYERS if batch is None else ():
        for place, order in enumerate(ORDERS):
            a = layer.moments(order + 2)
            known = {
                "d": layer.width,
                "n": layer.size,
                "k": order,
                "a_k": float(a[order]),
                "L": float(leading_order(order, a)),
                "N": float(next_order(order, a)),
            }
            label = f"d={layer.width}, n={layer.size}, k={order}"
            found.append(Case(label, known, partial(draw, layer, place), 1))
    return found


a_k = sp.Symbol("a_k", nonnegative=True)
_rest = LEFT * k**2 * a_k / d
_recursion = partial(
    Statement,
    family=FAMILY,
    theorem="moment_recursion",
    quantifier=Quantifier.EXPECTATION,
    source=OURS,
    variables=(*SIZES, Variable(k, sp.Range(2, sp.oo), "order of the moment")),
    chain="rescale",
    definitions={
        drift: f"d^(k/2) (m_k⁺ - m_k), averaged over {GROUP} networks; its median over groups",
        leading: "L_k = (k/2) Σ_{0<i<k} a_i a_{k-i} - 2k(a_{k+1} - a_2 a_k)",
        following: "N_k, its next order",
        a_k: "d^((k-1)/2) m_k of the batch",
    },
    lhs=drift,
    expected=Verdict.SUPPORTED,
    checks=(Medians(_cases, wants="the claim is made of batches of its own"),),
)
TRIED = "k = 2, 3, 4; n = 8 at d = 64, n = 16, 24 at d = 256"

STATEMENTS = (
    _recursion(
        variant="above",
        title=f"d^(k/2) E[m_k⁺ - m_k] ≤ L_k + N_k/√d + 4k² a_k/d: {TRIED}",
        relation="<=",
        rhs=leading + following / sp.sqrt(d) + _rest,
        sentinel=Sentinel(
            "one u shared by two factors left out", rhs=leading - k * a_k / 2 + _rest
        ),
    ),
    _recursion(
        variant="below",
        title=f"d^(k/2) E[m_k⁺ - m_k] ≥ L_k + N_k/√d - 4k² a_k/d: {TRIED}",
        relation=">=",
        rhs=leading + following / sp.sqrt(d) - _rest,
        sentinel=Sentinel("L_k alone, with no remainder", rhs=leading),
    ),
)
FIGURES = ()
