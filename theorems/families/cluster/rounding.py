"""The same in float64: the simulator's own layers, drawn with all their weights, keep the blocks
orthogonal exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from simulators import Chain, Trajectory, batchnorm_chain, recenter_relu_chain
from simulators.observables import Observable
from theorems.checking.expectation import Floats, Instance
from theorems.families.cluster.norms import two_block_batch
from theorems.families.cluster.notation import BATCH, BLOCK, FAMILY, OURS, FromOwnStarts
from theorems.statement import Quantifier, Sentinel, Statement, Verdict

__all__ = ["STATEMENTS"]

EXACT = sp.Symbol("P_zero", nonnegative=True)
SPLITS = ((2, 1), (3, 2), (7, 3), (10, 9), (10, 1))
WIDTH, DEPTH = 16, 3


def _orthogonal(H: Floats, *, width: int, first: int) -> Floats:
    """Whether every product of a sample of the first block and one of the other is 0.0 to the last
    bit.
    """
    products = np.swapaxes(H[..., :first], -1, -2) @ H[..., first:]
    found: Floats = np.asarray(
        np.abs(products).max(axis=(-2, -1), initial=0.0) == 0.0, dtype=np.float64
    )
    return found


def _observable(first: int) -> Observable:
    # of H itself: a factor of it has other products in floats
    return Observable(f"orthogonal({first})", partial(_orthogonal, first=first), gram=False)


def _instances(chain: Callable[[int], Chain]) -> Any:
    def instances(statement: Statement, batch: Floats | None) -> Iterator[Instance]:
        if batch is not None:
            return  # the claim is about other starts
        for size, first in SPLITS:
            start = two_block_batch(WIDTH, first, size, seed=size)
            yield Instance(
                f"n={size}, m={first}",
                chain(WIDTH),
                start,
                DEPTH,
                ({"n": size, "m": first},),
                (0.0, 1.0),
            )

    return instances


def _throughout(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    found: Floats = trajectory.values[f"orthogonal({int(instance.readouts[0]['m'])})"][:, 1:]
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
            FromOwnStarts(
                _instances(chain),
                _throughout,
                tuple(_observable(first) for first in sorted({first for _, first in SPLITS})),
                resolution=0.005,
                replicas=20_000,
            ),
        ),
        remark="Of the two factors of each product one is 0.0, unless a row's two values agree to "
        "rounding: then the "
        "mean of equal numbers may round to another number, and both blocks may pass.",
    )


STATEMENTS: tuple[Statement, ...] = (
    _in_floats("in_floats", "layer", recenter_relu_chain, "recenter_relu"),
    _in_floats("rescaled_in_floats", "rescaled layer", batchnorm_chain, "batchnorm"),
)
