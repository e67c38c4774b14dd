"""Ranges of observables where a chain leaves no negative entry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from simulators.chains import Chain, batchnorm_chain, vanilla_chain
from simulators.layers import (
    LAYERS,
    Activation,
    Bias,
    LayerNorm,
    Linear,
    Normalize,
    Recenter,
    Rescale,
    RMSNorm,
    RowLayer,
)
from simulators.observables import OBSERVABLES, observable
from simulators.simulate import simulate
from theorems import conjecture
from theorems.statement import ClaimError

SIZES = dict(n=3, d="16..64", ell="2..4")


@pytest.mark.parametrize(
    ("layers", "nonnegative"),
    [
        ((Activation("relu"),), True),
        ((Activation("sigmoid"),), True),
        ((Activation("softplus"), Rescale("variance")), True),
        ((Activation("abs"), RMSNorm(), Normalize()), True),
        ((Activation("relu"), Recenter()), False),
        ((Activation("relu"), LayerNorm()), False),
        ((Activation("relu"), Bias(1.0)), False),
        ((Activation("relu"), Linear(8)), False),
        ((Activation("relu"), Activation("tanh")), False),
        ((Activation("tanh"), Activation("relu")), True),
        ((Activation(np.abs),), False),  # at points alone
    ],
    ids=repr,
)
def test_the_last_layers_say_whether_entries_may_be_negative(layers, nonnegative):
    assert Chain((Linear(8), *layers)).nonnegative is nonnegative


@pytest.mark.parametrize("engine", ["factor", "rows", "dense"])
@pytest.mark.parametrize("chain", [vanilla_chain(24, "relu"), batchnorm_chain(24, "abs")])
def test_what_is_measured_keeps_to_the_range(chain, engine):
    """From samples x, −x, nearly, and from orthogonal ones."""
    generator = np.random.default_rng(4)
    apart = generator.standard_normal((24, 1)) * [1.0, -1.0, 1.0]
    for batch in (apart + 1e-6 * generator.standard_normal((24, 3)), np.eye(24, 3)):
        names = [name for name, kind in OBSERVABLES.items() if kind.nonnegative is not None]
        run = simulate(chain, batch, depth=4, replicas=64, engine=engine, observables=names)
        for name in names:
            low, high = OBSERVABLES[name].nonnegative
            values = run[name][:, 1:]
            assert values[np.isfinite(values)].min() >= low - 1e-12
            assert values[np.isfinite(values)].max() <= high + 1e-12


def support(claim: str, chain: str) -> tuple[float, float]:
    design = conjecture(claim, name="claim", chain=chain, **SIZES).design
    return design.support(design.items(conjecture(claim, name="c", chain=chain, **SIZES).draft)[0])


def test_a_claim_takes_the_range_that_the_chain_leaves():
    assert support("cosine >= 1/3", "vanilla(relu)") == pytest.approx((0, 1), abs=1e-8)
    assert support("cosine >= 1/3", "vanilla(tanh)") == pytest.approx((-1, 1), abs=1e-8)
    assert support("cosine_range <= 1/3", "batchnorm(relu)") == pytest.approx((0, 1), abs=1e-8)
    assert support("cosine + 1 >= 4/3", "batchnorm(relu)") == pytest.approx((1, 2), abs=1e-8)


@pytest.mark.parametrize(
    "claim", ["cosine >= -1/10", "cosine_range <= 11/10", "probability(cosine >= -1/10) >= 1/2"]
)
def test_a_claim_that_the_range_settles_is_refused(claim):
    conjecture(claim, name="claim", chain="vanilla(tanh)", **SIZES)
    with pytest.raises(ClaimError, match="vacuous everywhere"):
        conjecture(claim, name="claim", chain="vanilla(relu)", **SIZES)


def test_an_own_layer_and_an_own_observable_say_it():
    with LAYERS.restored(), OBSERVABLES.restored():

        @dataclass(frozen=True)
        class Square(RowLayer):
            """H → H², entry by entry"""

            each_row = nonnegative = keeps_nonnegative = True

            def on_rows(self, rows, xp, width):
                return rows * rows

        @observable(floor=-1, ceiling=1, nonnegative=("0", 1))
        def balance(H):
            """the sum of all entries over that of their absolute values"""
            return H.sum(axis=(-2, -1)) / abs(H).sum(axis=(-2, -1))

        def squares(width):
            return Chain((Linear(width), Square(), RMSNorm()))

        design = conjecture("balance >= 1/2", name="claim", chain=squares, **SIZES).design
        assert [q.floor for q in design.quantities] == [0]
        with pytest.raises(ValueError, match=r"'1 \+' at n=3"):
            observable(meaning="no range", nonnegative=("1 +", 1))(lambda H: H)
