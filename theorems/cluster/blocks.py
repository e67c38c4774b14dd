"""Two blocks of equal columns, any weights: the layer keeps them and makes them orthogonal."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.cluster import inputs
from theorems.cluster.notation import (
    BATCH,
    BLOCK,
    FAMILY,
    FIRST,
    INPUT,
    NUDGE,
    OTHER,
    OURS,
    OUTPUT,
    ROCQ,
    ROW,
    SCALE,
    WEIGHTS,
    Y,
    Z,
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
_SAME = (r"(have defY' a b : Y a b = s * Num.max (A a b - (\sum_(k < n) A a k) / n%:R) 0 by rewrite defY defZ maxC); ",
         "THEOREM defX defA defY'")
_SAME_RESCALED = (
    r"(have defY' a b : Y a b = Num.max (Z a b / Num.sqrt ((\sum_(k < n) Z a k ^+ 2) / n%:R)) 0 by rewrite defY defQ maxC); ",
    "THEOREM defX defA defZ defY'")


def _invariance(rescaled: bool, within: str) -> Statement:
    """One of the three claims, of the layer with or without rescaling."""
    words = "rescaled layer" if rescaled else "layer"
    if within:
        column, tied = (in_first, "hi hj") if within == "first" else (in_other, "!ltnNge hi hj")
        claim: dict[str, Any] = dict(
            title=f"The {words} keeps the {within} block's columns equal", lhs=Y[r, i], rhs=Y[r, j],
            sentinel=Sentinel("equal but for one part in a million", rhs=(1 + NUDGE) * Y[r, j]))
        places, end = (ROW, column(i), column(j)), f"apply: ({{}}).1; by rewrite {tied}"
    else:
        claim = dict(
            title=f"The {words} makes the two blocks orthogonal: ⟨c′, o′⟩ = 0",
            lhs=sp.Sum(Y[r, i] * Y[r, j], (r, 0, p - 1)), rhs=sp.Integer(0),
            sentinel=Sentinel("⟨c′, o′⟩ is a millionth of ‖c′‖² + ‖o′‖²", rhs=NUDGE * sp.Sum(
                Y[r, i] ** 2 + Y[r, j] ** 2, (r, 0, p - 1))))
        places, end = (in_first(i), in_other(j)), "exact: ({}).2"
    reshaped, facts = _SAME_RESCALED if rescaled else _SAME
    kind = f"within_{within}" if within else "orthogonal"
    names = f"R n m d p W c o {'' if rescaled else 's '}{'r ' if within else ''}i j X A Z {'Q ' if rescaled else ''}Y"
    return Statement(
        family=FAMILY, theorem="two_block_invariance", variant=f"rescaled_{kind}" if rescaled else kind, source=OURS,
        quantifier=Quantifier.POINTWISE, relation="==", definitions=rescaled_layer if rescaled else layer,
        variables=(BATCH, BLOCK, INPUT, OUTPUT, WEIGHTS, FIRST, OTHER, *(() if rescaled else (SCALE,)), *places),
        expected=Verdict.CERTIFIED, chain="batchnorm" if rescaled else "recenter_relu",
        checks=(Pointwise(lambda item: item, lambda: inputs.layer_inputs(within), lambda: inputs.layer_corners(within),
                          examples=60 if rescaled else 150),),
        proof=Proof(
            theorem=f"{ROCQ}.TwoBlocks.two_block_invariance_{'rescaled_' if rescaled else ''}indexed",
            script=f"move=> {names} _ _ _ _ _ hi hj defX defA defZ {'defQ ' if rescaled else ''}defY; {reshaped}{end.format(facts)}",
            also=(f"{ROCQ}.TwoBlocks.two_block_invariance{'_rescaled' if rescaled else ''}",)),
        **claim)


STATEMENTS: tuple[Statement, ...] = tuple(
    _invariance(rescaled, within) for rescaled in (False, True) for within in ("first", "other", ""))
