"""The expansion of E Tr (C⁺)ᵏ behind `moment_recursion`, derived from the definition by computer
algebra.

Problem. `moment_recursion` and all that follows from it rest on how one layer moves Tr Cᵏ, to two
orders in 1/√d. By hand that is a count of choices and contractions; is it right?

Method. From the definition, without a step of that count: all partitions of the k places into
equal and different directions, normal numbers paired in every way (Isserlis, Wick), closed loops
read as moments (`pairings`). The polynomials in a_2 … a_{k+2} that come out are compared with the
formulas as polynomials.

Guarantee. For k = 2 … 6 and every sequence a: the coefficient of d^(-k/2) in E[m_k⁺ - m_k] is
L_k = (k/2) Σ_{0<i<k} a_i a_{k-i} - 2k(a_{k+1} - a_2 a_k), that of d^(-(k+1)/2) is N_k, `next_order`
of `moment_recursion`. Gaussian weights, rescale chain.

Reference. Ours. That the series may be cut is not claimed.

Example:

    >>> derived(2)
    (4*a_2**2 - 4*a_3 + 1, 28*a_2**3 - 48*a_2*a_3 - a_2 + 20*a_4)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial

import sympy as sp

from theorems.checking.check import ExactCheck, Judgement
from theorems.context import Context
from theorems.evidence import Details, Recorded
from theorems.families.rank.notation import FAMILY, OURS, k
from theorems.families.rank.pairings import expected_moment, moment
from theorems.families.rank.statements.moment_recursion import next_order
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS", "ByPairings", "derived"]

ORDERS = range(2, 7)


@cache
def derived(order: int) -> tuple[sp.Expr, sp.Expr]:
    """What a layer adds to m_k, in units of d^(-k/2), and its correction, as polynomials.

    Example:
        >>> derived(2)[0] - (1 - 4 * moment(3) + 4 * moment(2) ** 2)
        0
    """
    found = expected_moment(order)
    return found[order], found.get(order + 1, sp.Integer(0))


@cache
def _polynomials(order: int) -> Mapping[str, sp.Expr]:
    """What every symbol of the sides is at an order."""
    a = {1: sp.Integer(1)} | {i: moment(i) for i in range(2, order + 3)}
    twice = {j: sum(a[i] * a[j - i] for i in range(1, j)) for j in range(2, order + 1)}
    first, second = derived(order)
    return {
        "k": sp.Integer(order),
        "first": first,
        "second": second,
        "a_2": a[2],
        "a_k": a[order],
        "a_next": a[order + 1],
        "S": twice[order],
        "T": sum((a[i] * twice[order - i] for i in range(1, order - 1)), sp.Integer(0)),
        "N": sp.expand(next_order(order, a)),
    }


@dataclass(frozen=True)
class ByPairings(ExactCheck[None]):
    """Both sides are one polynomial in the a_ℓ, at every order of `ORDERS`."""

    method = "symbolic"

    def words(self, statement: Statement) -> str:
        return (
            "computer algebra: both sides as polynomials in the moments, one of them derived by "
            f"pairings, for k = {ORDERS[0]} … {ORDERS[-1]}"
        )

    def judge(self, claim: Statement, context: Context) -> Judgement[None]:
        """Whether the difference of the sides expands to 0 at every order.

        Cost: some two seconds, once for all claims of a process.
        """
        for order in ORDERS:
            context.progress(f"{claim.name}: k = {order}")
            values = _polynomials(order)
            difference = claim.lhs - claim.rhs
            known = {symbol: values[str(symbol)] for symbol in difference.free_symbols}
            if (left := sp.expand(difference.subs(known))) != 0:
                words = f"at k = {order} the sides differ by {sp.sstr(left)}"
                return Judgement(Verdict.REFUTED, words, None)
        words = f"one polynomial in the moments for k = {ORDERS[0]} … {ORDERS[-1]}"
        return Judgement(Verdict.CERTIFIED, words, None)

    def details(self, found: Judgement[None], fallen: Judgement[None]) -> Details:
        return Recorded(
            {
                "derived": {str(order): sp.sstr(derived(order)) for order in ORDERS},
                "sentinel_found": fallen.words,
            }
        )


first, second, following = sp.symbols("first second N", real=True)
a_2, a_k, a_next, twice, thrice = sp.symbols("a_2 a_k a_next S T", nonnegative=True)
ORDER = Variable(k, sp.Range(ORDERS[0], ORDERS[-1] + 1), "order of the moment")
_SCALED = "a_k = d^((k-1)/2) Tr Cᵏ"

_expansion = partial(
    Statement,
    family=FAMILY,
    theorem="moment_expansion",
    quantifier=Quantifier.EXPECTATION,
    source=OURS,
    variables=(ORDER,),
    chain="rescale",
    relation="==",
    expected=Verdict.CERTIFIED,
    checks=(ByPairings(),),
)

STATEMENTS = (
    _expansion(
        variant="leading",
        title="d^(k/2) E[m_k⁺ - m_k] = (k/2) Σ a_i a_{k-i} - 2k(a_{k+1} - a_2 a_k) + …, k = 2 … 6",
        definitions={
            first: "the coefficient of d^(-k/2) in E[m_k⁺ - m_k], m_k = Tr Cᵏ, derived by pairings",
            a_2: f"√d Tr C²; {_SCALED}",
            a_k: _SCALED,
            a_next: "a_{k+1}",
            twice: "Σ_{0<i<k} a_i a_{k-i}",
        },
        lhs=first,
        rhs=k * twice / 2 - 2 * k * (a_next - a_2 * a_k),
        sentinel=Sentinel(
            "k - 1 in place of k pairs", rhs=(k - 1) * twice / 2 - 2 * k * (a_next - a_2 * a_k)
        ),
    ),
    _expansion(
        variant="next",
        title="The next order of d^(k/2) E[m_k⁺ - m_k] is N_k/√d, k = 2 … 6",
        definitions={
            second: "the coefficient of d^(-(k+1)/2) in E[m_k⁺ - m_k], derived by pairings",
            following: "N_k, the formula of `moment_recursion`",
            thrice: f"Σ a_i a_j a_l over i + j + l = k, {_SCALED}",
        },
        lhs=second,
        rhs=following,
        sentinel=Sentinel(
            "three factors of one u left out", rhs=following - k * (k - 1) * thrice / 6
        ),
    ),
)
FIGURES = ()
