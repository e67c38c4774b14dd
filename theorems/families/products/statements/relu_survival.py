"""A sample lives through ReLU layers of widths n_ℓ with probability ∏(1 - 2^-n_ℓ) ≥ 1 - Σ2^-n_ℓ.

Problem. Where no unit of a ReLU layer is active, the sample is 0 from there on. How likely is that?

Method. The sum over the number of active units, and the product over layers, in exact rationals at
corners and at widths drawn by Hypothesis. Rocq proves both for all widths; simulated networks are
counted for the product.

Guarantee. Each layer of n units keeps a living sample alive with probability 1 - 2^-n; after layers
of widths n_ℓ it lives with probability 1 - Σ2^-n_ℓ at least, equality for one layer.

Reference. Ours; after H18. Weights of any symmetric law without atoms will do.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['layer', 'bound', 'network']
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp

from simulators import Trajectory, vanilla_chain
from simulators.lazy import strategies as st
from theorems.checking.expectation import Expectation, Instance
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.products import inputs
from theorems.families.products.notation import FAMILY, LAYERS, OURS, ROCQ, WIDTH, L, i, n
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

Floats = npt.NDArray[np.floating[Any]]

alive = sp.Symbol("alive", nonnegative=True)
w = sp.IndexedBase("w", integer=True, positive=True)


def with_survivors(item: Mapping[str, Any]) -> inputs.Item:
    """A width with the probability that some unit is active.

    Example:
        >>> with_survivors({"n": 2})["alive"]
        Fraction(3, 4)
    """
    active = inputs.active_probabilities(item["n"])
    return {**item, "alive": sum(active[1:], Fraction(0))}


def corners() -> list[inputs.Item]:
    """Widths 1, 2 and 20."""
    return [{"n": size} for size in (1, 2, 20)]


def network_corners() -> list[inputs.Item]:
    """One layer, where both sides are equal, and three."""
    return [{"L": len(widths), "w": widths} for widths in ((1,), (4,), (2, 3, 4))]


def networks() -> st.SearchStrategy[inputs.Item]:
    """Widths of 1 to 8 layers.

    Example:
        >>> networks().validate()
    """
    widths = st.lists(st.integers(1, 12), min_size=1, max_size=8)
    return widths.map(lambda each: {"L": len(each), "w": tuple(each)})


def instances(statement: Statement, batch: Floats | None) -> Iterator[Instance]:
    """One sample through 1 to 8 layers of 1 to 4 units; a user's batch is left alone."""
    for width, depth in ((1, 1), (2, 3), (3, 5), (4, 8)):
        yield Instance(
            label=f"n={width}, L={depth}",
            chain=vanilla_chain(width, "relu"),
            start=np.ones((width, 1)),
            depth=depth,
            readouts=({"n": width, "L": depth},),
            support=(0.0, 1.0),
        )


def sample(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    """1 for a replica that lives through the last layer, 0 for one that does not."""
    last: Floats = trajectory["alive"][:, -1:]
    return last


_survives = partial(Statement, family=FAMILY, theorem="relu_survival", source=OURS)
_lost = sp.Sum(2 ** (-w[i]), (i, 0, L - 1))

STATEMENTS = (
    _survives(
        variant="layer",
        title="Some of n units is active with probability 1 - 2^-n",
        quantifier=Quantifier.POINTWISE,
        variables=(WIDTH,),
        definitions={alive: "Σ_{b ≥ 1} C(n, b) 2^-n"},
        lhs=alive,
        relation="==",
        rhs=1 - 2 ** (-n),
        sentinel=Sentinel("1 - 2^-(n+1)", rhs=1 - 2 ** (-n - 1)),
        expected=Verdict.CERTIFIED,
        checks=(Pointwise(with_survivors, partial(inputs.sizes, n=200), corners, walks=False),),
        proof=Proof(
            theorem=f"{ROCQ}.survival_layer",
            link="name",
            gloss="Σ_{b ≥ 1} C(n, b) 2^-n = 1 - 2^-n for every n",
        ),
    ),
    _survives(
        variant="bound",
        title="∏(1 - 2^-n_ℓ) ≥ 1 - Σ2^-n_ℓ",
        quantifier=Quantifier.POINTWISE,
        variables=(
            LAYERS,
            Variable(w, sp.Range(1, sp.oo), "widths of the layers", size=(L,)),
        ),
        lhs=sp.Product(1 - 2 ** (-w[i]), (i, 0, L - 1)),
        relation=">=",
        rhs=1 - _lost,
        sentinel=Sentinel("a thousandth of the sum less", rhs=1 - sp.Rational(999, 1000) * _lost),
        expected=Verdict.CERTIFIED,
        checks=(Pointwise(as_given, networks, network_corners, walks=False),),
        proof=Proof(
            theorem=f"{ROCQ}.survival",
            link="name",
            gloss="1 - Σ 2^-w_l ≤ ∏(1 - 2^-w_l) for any widths w_l, as many as there are layers",
        ),
    ),
    _survives(
        variant="network",
        title="A sample lives through L ReLU layers of n units with probability (1 - 2^-n)^L",
        quantifier=Quantifier.EXPECTATION,
        variables=(WIDTH, LAYERS),
        definitions={alive: "probability that h_L ≠ 0"},
        lhs=alive,
        relation="==",
        rhs=(1 - 2 ** (-n)) ** L,
        chain="vanilla",
        observables=("alive",),
        sentinel=Sentinel("(1 - 2^-n)^(L+1)", rhs=(1 - 2 ** (-n)) ** (L + 1)),
        expected=Verdict.SUPPORTED,
        checks=(Expectation(instances, sample, ("alive",)),),
    ),
)
FIGURES = ()
