"""Two blocks of equal columns, any weights: the layer keeps them and makes them orthogonal."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.families.cluster import inputs
from theorems.families.cluster.notation import (
    BATCH,
    BLOCK,
    FAMILY,
    FIRST,
    INPUT,
    NO_ZERO_ROW,
    NUDGE,
    OTHER,
    OURS,
    OUTPUT,
    ROCQ,
    ROW,
    SCALE,
    WEIGHTS,
    Y,
    i,
    in_first,
    in_other,
    j,
    k,
    layer,
    m,
    n,
    p,
    r,
    rescaled_layer,
)
from theorems.statement import Assumption, Proof, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["STATEMENTS"]

_ALL = (BATCH, BLOCK, INPUT, OUTPUT, WEIGHTS, FIRST, OTHER)
#: Hypotheses that the theorem does without, spelled out, so that the kernel compares them too.
_SIZES = (
    r"(have _ : [/\ (2 <= n)%N, (1 <= m)%N, (m < n)%N, (1 <= d)%N & (1 <= p)%N] "
    r":= And5 n2 m1 mn d1 p1); "
)
_ROWS = r"(have _ : 0 < \prod_(k < p) Q k := rows); "
_SAME = (
    r"(have defY' a b : Y a b = s * Num.max (A a b - (\sum_(k < n) A a k) / n%:R) 0 by rewrite "
    r"defY defZ maxC); ",
    "THEOREM defX defA defY'",
)
_SAME_RESCALED = (
    r"(have defY' a b : Y a b = Num.max (Z a b / Num.sqrt ((\sum_(k < n) Z a k ^+ 2) / n%:R)) 0 "
    "by rewrite defY defQ maxC); ",
    "THEOREM defX defA defZ defY'",
)


def _invariance(rescaled: bool, within: str) -> Statement:
    """One of the three claims, of the layer with or without rescaling."""
    words = "rescaled layer" if rescaled else "layer"
    if within:
        column, tied = (in_first, "hi hj") if within == "first" else (in_other, "!ltnNge hi hj")
        claim: dict[str, Any] = dict(
            title=f"The {words} keeps the {within} block's columns equal",
            lhs=Y[r, i],
            rhs=Y[r, j],
            sentinel=Sentinel("equal but for one part in a million", rhs=(1 + NUDGE) * Y[r, j]),
        )
        places: tuple[Variable, ...] = (ROW, column(i), column(j))
        end = f"apply: ({{}}).1; by rewrite {tied}"
    else:
        claim = dict(
            title=f"The {words} makes the two blocks orthogonal: ⟨c′, o′⟩ = 0",
            lhs=sp.Sum(Y[r, i] * Y[r, j], (r, 0, p - 1)),
            rhs=sp.Integer(0),
            sentinel=Sentinel(
                "⟨c′, o′⟩ is a millionth of ‖c′‖² + ‖o′‖²",
                rhs=NUDGE * sp.Sum(Y[r, i] ** 2 + Y[r, j] ** 2, (r, 0, p - 1)),
            ),
        )
        places, end = (in_first(i), in_other(j)), "exact: (({}).2 i j hi hj)"
    reshaped, facts = _SAME_RESCALED if rescaled else _SAME
    kind = f"within_{within}" if within else "orthogonal"
    scale, row, square = "" if rescaled else "s ", "r " if within else "", "Q " if rescaled else ""
    names = f"R n m d p W c o {scale}{row}i j X A Z {square}Y n2 m1 mn d1 p1 hi hj defX defA defZ "
    names += "defQ defY rows" if rescaled else "defY"
    return Statement(
        family=FAMILY,
        theorem="two_block_invariance",
        variant=f"rescaled_{kind}" if rescaled else kind,
        source=OURS,
        quantifier=Quantifier.POINTWISE,
        relation="==",
        definitions=rescaled_layer if rescaled else layer,
        variables=(
            BATCH,
            BLOCK,
            INPUT,
            OUTPUT,
            WEIGHTS,
            FIRST,
            OTHER,
            *(() if rescaled else (SCALE,)),
            *places,
        ),
        assumptions=(NO_ZERO_ROW,) if rescaled else (),
        expected=Verdict.CERTIFIED,
        chain="batchnorm" if rescaled else "recenter_relu",
        checks=(
            Pointwise(
                lambda item: item,
                lambda: inputs.layer_inputs(within),
                lambda: inputs.layer_corners(within, ties=not rescaled),
                examples=60 if rescaled else 150,
            ),
        ),
        proof=Proof(
            theorem=f"{ROCQ}.TwoBlocks.two_block_invariance_{'rescaled_' if rescaled else ''}indexed",
            script=f"move=> {names}; "
            f"{_SIZES}{_ROWS if rescaled else ''}{reshaped}{end.format(facts)}",
            also=(f"{ROCQ}.TwoBlocks.two_block_invariance{'_rescaled' if rescaled else ''}",),
        ),
        **claim,
    )


# --- the values after rescaling, in one row -------------------------------------------------------

u, v, mean_square, odds = (sp.Symbol(name, real=True) for name in ("u", "v", "Q", "a"))
x, z, y = (sp.IndexedBase(name, shape=(n,), real=True) for name in "xzy")
_ROW_OF_TWO = {
    x: sp.Lambda((j,), sp.Piecewise((u, j < m), (v, True))),
    z: sp.Lambda((j,), x[j] - sp.Sum(x[k], (k, 0, n - 1)) / n),
    mean_square: sp.Sum(z[k] ** 2, (k, 0, n - 1)) / n,
    y: sp.Lambda((j,), sp.Max(z[j] / sp.sqrt(mean_square), 0)),
}


def _values(block: str) -> Statement:
    first = block == "first"
    larger, ratio, words = (
        (v < u, (n - m) / m, "√((n-m)/m)") if first else (u < v, m / (n - m), "√(m/(n-m))")
    )
    cases = "hj" if first else "ltnNge hj"
    return Statement(
        family=FAMILY,
        theorem="rescaled_values",
        variant=block,
        source=OURS,
        quantifier=Quantifier.POINTWISE,
        title=f"With rescaling, entries of the {block} block are {words} where its value is the "
        f"larger, else 0",
        variables=(
            BATCH,
            BLOCK,
            Variable(u, sp.Reals, "the row's value on the first block"),
            Variable(v, sp.Reals, "the row's value on the other"),
            in_first(j) if first else in_other(j),
        ),
        definitions={**_ROW_OF_TWO, odds: ratio},
        assumptions=(Assumption(sp.Ne(u, v), "the blocks differ"),),
        lhs=y[j],
        relation="==",
        rhs=sp.Piecewise((sp.sqrt(odds), larger), (0, True)),
        chain="batchnorm",
        sentinel=Sentinel(
            "√(n/m) and √(n/(n-m)), as if only one block were recentred",
            rhs=sp.Piecewise((sp.sqrt(odds + 1), larger), (0, True)),
        ),
        expected=Verdict.CERTIFIED,
        checks=(
            Pointwise(
                lambda item: item,
                lambda: inputs.row_inputs(block),
                lambda: inputs.row_corners(block),
                examples=100,
            ),
        ),
        proof=Proof(
            theorem=f"{ROCQ}.TwoBlocks.rescaled_values",
            script=r"move=> R n m u v j x z Q y a n2 m1 mn hj defx defz defQ defy -> uv; "
            r"(have _ : (2 <= n)%N /\ u != v := conj n2 uv); "
            r"(have defy' b : y b = Num.max (z b / Num.sqrt ((\sum_(k < n) z k ^+ 2) / n%:R)) 0 "
            f"by rewrite defy defQ maxC); rewrite (THEOREM m1 mn defx defz defy') {cases}; exact: "
            f"erefl",
            also=(
                f"{ROCQ}.TwoBlocks.rescaled_values_alternative",
                f"{ROCQ}.TwoBlocks.rescaled_values_layer",
            ),
        ),
    )


STATEMENTS: tuple[Statement, ...] = (
    *(
        _invariance(rescaled, within)
        for rescaled in (False, True)
        for within in ("first", "other", "")
    ),
    _values("first"),
    _values("other"),
)
