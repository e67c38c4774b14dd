"""Two blocks of equal columns, any weights: the layer keeps them and makes them orthogonal, in
float64 too, by the simulator's layers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product, starmap

import numpy as np
import sympy as sp

from simulators import Chain, Trajectory, batchnorm_chain, recenter_relu_chain
from simulators.observables import Observable
from theorems.checking.expectation import Floats, Instance
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
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
    from_own_starts,
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
from theorems.families.cluster.one_layer import two_block_batch
from theorems.statement import Assumption, Proof, Quantifier, Sentinel, Statement, Variable, Verdict

_INVARIANCE = f"{ROCQ}.TwoBlocks.two_block_invariance"
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
        claim = partial(
            Statement,
            title=f"The {words} keeps the {within} block's columns equal",
            lhs=Y[r, i],
            rhs=Y[r, j],
            sentinel=Sentinel("equal but for one part in a million", rhs=(1 + NUDGE) * Y[r, j]),
        )
        places: tuple[Variable, ...] = (ROW, column(i), column(j))
        end = f"apply: ({{}}).1; by rewrite {tied}"
    else:
        claim = partial(
            Statement,
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
    return claim(
        family=FAMILY,
        theorem="two_block_invariance",
        variant=f"rescaled_{kind}" if rescaled else kind,
        source=OURS,
        quantifier=Quantifier.POINTWISE,
        relation="==",
        definitions=rescaled_layer if rescaled else layer,
        variables=(*_ALL, *(() if rescaled else (SCALE,)), *places),
        assumptions=(NO_ZERO_ROW,) if rescaled else (),
        expected=Verdict.CERTIFIED,
        chain="batchnorm" if rescaled else "recenter_relu",
        checks=(
            Pointwise(
                as_given,
                partial(inputs.layer_inputs, within),
                partial(inputs.layer_corners, within, ties=not rescaled),
                examples=60 if rescaled else 150,
            ),
        ),
        proof=Proof(
            theorem=f"{_INVARIANCE}_{'rescaled_' if rescaled else ''}indexed",
            script=f"move=> {names}; "
            f"{_SIZES}{_ROWS if rescaled else ''}{reshaped}{end.format(facts)}",
            also=(f"{_INVARIANCE}{'_rescaled' if rescaled else ''}",),
        ),
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
                as_given,
                partial(inputs.row_inputs, block),
                partial(inputs.row_corners, block),
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


# --- in float64
# ------------------------------------------------------------------------------------

EXACT = sp.Symbol("P_zero", nonnegative=True)
SPLITS = ((2, 1), (3, 2), (7, 3), (10, 9), (10, 1))
WIDTH, DEPTH = 16, 3


def _orthogonal(H: Floats, *, width: int, first: int) -> Floats:
    """Whether every product of a sample of the first block and one of the other is 0.0 to the last
    bit.
    """
    products = np.swapaxes(H[..., :first], -1, -2) @ H[..., first:]
    largest = np.abs(products).max(axis=(-2, -1), initial=0.0)
    return np.asarray(largest == 0.0, dtype=np.float64)


def _observable(first: int) -> Observable:
    # of H itself: a factor of it has other products in floats
    return Observable(f"orthogonal({first})", partial(_orthogonal, first=first), gram=False)


def _in_blocks(chain: Callable[[int], Chain]) -> Iterator[Instance]:
    for size, first in SPLITS:
        start = two_block_batch(WIDTH, first, size, seed=size)
        readouts = ({"n": size, "m": first},)
        label = f"n={size}, m={first}"
        yield Instance(label, chain(WIDTH), start, DEPTH, readouts, (0.0, 1.0))


def _throughout(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    found = trajectory.values[f"orthogonal({int(instance.readouts[0]['m'])})"][:, 1:]
    return np.asarray(found.min(axis=1)[:, None])


def _in_floats(variant: str, words: str, chain: Callable[[int], Chain], name: str) -> Statement:
    return Statement(
        family=FAMILY,
        theorem="two_block_invariance",
        variant=variant,
        quantifier=Quantifier.PROBABILITY,
        source=OURS,
        title=f"In float64 the {words} keeps ⟨c′, o′⟩ = 0.0 to the last bit, three layers long",
        chain=name,
        variables=(BATCH, BLOCK),
        lhs=EXACT,
        relation="==",
        rhs=sp.Integer(1),
        expected=Verdict.SUPPORTED,
        definitions={
            EXACT: "P[every product across the blocks is 0.0 at layers 1, 2 and 3], Gaussian "
            "weights"
        },
        sentinel=Sentinel("once in fifty networks it is not", rhs=sp.Rational(49, 50)),
        checks=(
            from_own_starts(
                partial(_in_blocks, chain),
                _throughout,
                list(map(_observable, sorted({first for _, first in SPLITS}))),
                resolution=0.005,
                replicas=20_000,
            ),
        ),
        remark="Of the two factors of each product one is 0.0, unless a row's two values agree to "
        "rounding: then the "
        "mean of equal numbers may round to another number, and both blocks may pass.",
    )


STATEMENTS: tuple[Statement, ...] = (
    *starmap(_invariance, product((False, True), ("first", "other", ""))),
    _values("first"),
    _values("other"),
    _in_floats("in_floats", "layer", recenter_relu_chain, "recenter_relu"),
    _in_floats("rescaled_in_floats", "rescaled layer", batchnorm_chain, "batchnorm"),
)
