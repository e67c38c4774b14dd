"""Nearly two blocks: how fast the spread within a block grows, relative to the distance between the
blocks.

A recentred row is (n-m)δ/n on the first block and -mδ/n on the other, with δ = ⟨w, c-o⟩. Half of
the rows pass the first block, so of a small squared distance within it half is left; of ‖c-o‖² what
is left is ((n-m)² + m²)/(2n²). Their ratio grows by n²/(m² + (n-m)²).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import flint
import numpy as np
import sympy as sp

from simulators import Trajectory, recenter_relu_chain
from simulators.engines.mean_field import recenter_relu_map_enclosure
from simulators.lazy import strategies as st
from simulators.observables import Observable
from theorems.checking.expectation import Floats, Instance
from theorems.checking.pointwise import Pointwise
from theorems.families.cluster.norms import two_block_batch
from theorems.families.cluster.notation import BATCH, FAMILY, NUDGE, OURS, ROCQ, FromOwnStarts, m, n
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Variable, Verdict

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["STATEMENTS"]

growth = n**2 / (m**2 + (n - m) ** 2)
e = sp.Symbol("e", positive=True)
GROWTH = sp.Symbol("r", nonnegative=True)
SHARE = sp.Symbol("E_q", nonnegative=True)
_SPLIT = Variable(m, sp.Range(2, n), "columns in the first block, the one with a spread")
_SIZE = Variable(n, sp.Range(3, sp.oo), "batch size")
_SPREAD = Variable(e, sp.Interval.open(0, 1), "‖h₁-h₂‖²/‖h₁-o‖² for two samples of the first block")

# --- infinite width, in balls ---------------------------------------------------------------------


def _gram(item: Mapping[str, Any]) -> list[list[Fraction]]:
    """m columns c + √(s/2) eᵢ, eᵢ orthonormal and orthogonal to c and o, and n - m columns o."""
    size, first, s = item["n"], item["m"], item["s"]
    product, others = item["product"], size - first
    found = [[Fraction(1)] * first + [product] * others for _ in range(first)]
    found += [[product] * first + [item["norm"]] * others for _ in range(others)]
    for i in range(first):
        found[i][i] += s / 2
    return found


def _relative(gram: list[list[Any]]) -> Any:
    """‖h₁-h₂‖²/‖h₁-h_n‖²."""

    def distance(i: int, j: int) -> Any:
        return gram[i][i] + gram[j][j] - 2 * gram[i][j]

    return distance(0, 1) / distance(0, -1)


def _growth_values(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The growth in balls; a small spread costs digits, so the layer is enclosed with more."""
    start = _gram(item)
    before = _relative(start)
    after = recenter_relu_map_enclosure(start, precision=flint.ctx.prec + 200)
    with flint.ctx.workprec(flint.ctx.prec + 200):
        ratio = _relative(after) / flint.arb(flint.fmpq(before.numerator, before.denominator))
    return {"n": item["n"], "m": item["m"], "e": before, "r": ratio}


def _items() -> SearchStrategy[Mapping[str, Any]]:
    return st.integers(3, 9).flatmap(
        lambda size: st.fixed_dictionaries(
            {
                "n": st.just(size),
                "m": st.integers(2, size - 1),
                "s": st.integers(4, 40).map(lambda k: Fraction(1, 10**k)),
                "norm": st.fractions(Fraction(1, 2), 3, max_denominator=9),
                "product": st.fractions(0, Fraction(1, 2), max_denominator=9),
            }
        )
    )


def _every_split() -> list[dict[str, Any]]:
    return [
        {
            "n": size,
            "m": first,
            "s": Fraction(1, 10**k),
            "norm": Fraction(1),
            "product": Fraction(0),
        }
        for size in range(3, 11)
        for first in range(2, size)
        for k in (4, 30)
    ]


_growth: dict[str, Any] = dict(
    family=FAMILY,
    theorem="spread_growth",
    source=OURS,
    chain="recenter_relu",
)
MEAN_FIELD = Statement(
    variant="mean_field",
    quantifier=Quantifier.MEAN_FIELD,
    title="At infinite width a small spread grows by n²/(m²+(n-m)²) a layer, up to 4√e",
    variables=(_SIZE, _SPLIT, _SPREAD),
    definitions={GROWTH: "growth of ‖h₁-h₂‖²/‖h₁-o‖² in one layer"},
    lhs=sp.Abs(GROWTH - growth),
    relation="<=",
    rhs=4 * sp.sqrt(e),
    expected=Verdict.CERTIFIED,
    sentinel=Sentinel(
        "n²/(m²+(n-m)²), one part in a million larger", lhs=sp.Abs(GROWTH - (1 + NUDGE) * growth)
    ),
    checks=(Pointwise(_growth_values, _items, _every_split, examples=40),),
    remark="Extrapolated to zero spread: e runs down to 1e-40, where 4√e leaves no room. The error "
    "is of order √e, "
    "from the rows in which the two samples differ in sign.",
    **_growth,
)

# --- which split is the least unstable ------------------------------------------------------------


def _splits() -> SearchStrategy[Mapping[str, Any]]:
    return st.integers(3, 10**6).flatmap(
        lambda size: st.fixed_dictionaries({"n": st.just(size), "m": st.integers(1, size - 1)})
    )


# the theorems do without 2 <= n, which is spelled out so that the kernel compares it too
_SCRIPT = "move=> R n m n2 m1 mn; (have _ : (2 <= n)%N := n2); exact: (@THEOREM R n m m1 mn)"
LEAST = Statement(
    variant="lone_least",
    quantifier=Quantifier.POINTWISE,
    title="Of all splits the lone outlier is the least unstable: n²/(m²+(n-m)²) ≥ n²/((n-1)²+1)",
    variables=(BATCH, Variable(m, sp.Range(1, n), "columns in the first block")),
    lhs=growth,
    relation=">=",
    rhs=n**2 / ((n - 1) ** 2 + 1),
    expected=Verdict.CERTIFIED,
    sentinel=Sentinel(
        "and even by a part in a million", rhs=(1 + NUDGE) * n**2 / ((n - 1) ** 2 + 1)
    ),
    checks=(
        Pointwise(
            lambda item: item,
            _splits,
            lambda: [{"n": size, "m": first} for size in range(2, 40) for first in range(1, size)],
            examples=200,
        ),
    ),
    proof=Proof(theorem=f"{ROCQ}.SpreadGrowth.growth_least", script=_SCRIPT),
    **_growth,
)
UNSTABLE = Statement(
    variant="unstable",
    quantifier=Quantifier.POINTWISE,
    title="Every split is unstable: n²/(m²+(n-m)²) > 1",
    variables=(BATCH, Variable(m, sp.Range(1, n), "columns in the first block")),
    lhs=growth,
    relation=">",
    rhs=sp.Integer(1),
    sentinel=Sentinel("by a tenth", rhs=sp.Rational(11, 10)),
    expected=Verdict.CERTIFIED,
    checks=LEAST.checks,
    proof=Proof(theorem=f"{ROCQ}.SpreadGrowth.growth_above_one", script=_SCRIPT),
    **_growth,
)

# --- finite width ---------------------------------------------------------------------------------

WIDTH, STEP = 1000, 1e-4


def _distances(H: Any, *, width: int) -> Any:
    """‖h₁-h₂‖² and ‖h₁-h_n‖², over their sum."""
    found = ((H[..., [0, 0]] - H[..., [1, -1]]) ** 2).sum(-2)
    return found / found.sum(-1)[..., None]


_DISTANCES = Observable("distances", _distances, gram=True)


def _finite(statement: Statement, batch: Floats | None) -> Iterator[Instance]:
    if batch is not None:
        return  # the claim is about other starts
    for size, first in ((3, 2), (5, 2), (5, 3), (5, 4), (10, 5), (10, 9), (30, 29)):
        start = two_block_batch(WIDTH, first, size, seed=size)
        start[:, :first] += STEP * np.random.default_rng(first).standard_normal((WIDTH, first))
        yield Instance(
            f"n={size}, m={first}",
            recenter_relu_chain(WIDTH),
            start,
            1,
            ({"n": size, "m": first},),
            (0.0, 1.0),
        )


def _share(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    """r/(1 + r), r the growth in one network."""
    within, across = np.moveaxis(trajectory.values["distances"], -1, 0)
    ratio = within / across
    r = ratio[:, 1] / ratio[:, 0]
    found: Floats = (r / (1 + r))[:, None]
    return found


FINITE = Statement(
    variant="finite",
    quantifier=Quantifier.EXPECTATION,
    title="At width 1000 the spread grows by n²/(m²+(n-m)²) on average, as far as can be told",
    variables=(_SIZE, _SPLIT),
    definitions={SHARE: "E[r/(1+r)], r the growth of ‖h₁-h₂‖²/‖h₁-o‖² in one layer"},
    lhs=SHARE,
    relation="==",
    rhs=growth / (1 + growth),
    expected=Verdict.SUPPORTED,
    observables=("distances",),
    sentinel=Sentinel("no growth: 1/2", rhs=sp.Rational(1, 2)),
    checks=(FromOwnStarts(_finite, _share, (_DISTANCES,), resolution=0.01),),
    remark="r/(1+r) is bounded, which r is not. Its mean is off g/(1+g) by some 1/d, below what is "
    "resolved.",
    **_growth,
)

STATEMENTS: tuple[Statement, ...] = (MEAN_FIELD, LEAST, UNSTABLE, FINITE)
