"""Claims about tangents: what they mean, what is decided of them, and refusals.

Under linear batch normalisation E‖Ḣ‖² grows as E‖G‖² does on its way back, by (n - 2)/(n - 3) a
layer (Yang et al. 2019), at n = 8 by 6/5. Verdicts of sampled claims have error level 1e-6 each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulators.observables import OBSERVABLES, observable
from simulators.simulate import simulate
from tests.theorems.test_gradient_claims import verdict
from theorems import ClaimError, conjecture
from theorems.statement import Quantifier
from theorems.workbench.conjecture import name_of

LINEAR: dict[str, Any] = dict(
    chain="batchnorm(identity)",
    tangents="gaussian",
    n=8,
    d=64,
    ell="2..6",
    assume="orthogonality_gap_0 == 0",
)
SHALLOW = LINEAR | {"d": 32, "ell": 2}


@pytest.mark.parametrize(
    ("claim", "word"),
    [
        ("2*rate(median(tangent_norm)) <= log(6/5) + 1/10", "supported"),
        ("2*rate(median(tangent_norm)) <= log(6/5) - 1/10", "refuted"),
        ("median(tangent_norm/tangent_norm_0) <= 2", "supported"),
        ("probability(tangent_norm > tangent_norm_0) >= 1/100", "supported"),
    ],
)
def test_tangents_grow_by_the_factor_of_gradients(claim: str, word: str) -> None:
    assert verdict(claim, **LINEAR)[0] == word


def test_a_mean_without_a_range_stays_open() -> None:
    word, told = verdict("tangent_norm**2 <= 2*tangent_norm_0**2", **SHALLOW)
    assert (word, "has no" in told) == ("inconclusive", True)


def test_a_tangent_with_a_range_has_a_mean() -> None:
    with OBSERVABLES.restored():

        @observable(floor="1/n", ceiling=1, reads="jvp")
        def largest_tangent(T: Any) -> Any:
            """the largest share that a sample has in the squared tangent"""
            squares = (T * T).sum(axis=-2)
            return squares.max(axis=-1) / squares.sum(axis=-1)

        assert verdict("largest_tangent <= 1/2", **SHALLOW)[0] == "supported"
        assert verdict("largest_tangent >= 1/2", **SHALLOW)[0] == "refuted"


def test_what_is_at_the_batch_is_read_there_and_gradients_on_the_same_weights() -> None:
    both = LINEAR | {"backward": "gaussian", "ell": "1..3"}
    claim = conjecture(
        "median(gradient_norm_0*tangent_norm/tangent_norm_0) <= 99", name="c", **both
    )
    (instance, *_) = claim.design.instances(claim.statement(falsify=False), None)
    found = instance.networks.simulated(claim.design.observables, 4, 5)
    alone = simulate(
        instance.chain,
        instance.start,
        depth=3,
        replicas=4,
        seed=5,
        observables=("gradient_norm", "tangent_norm"),
        backward="gaussian",
        tangents="gaussian",
    )
    assert instance.engine == alone.engine == "rows"
    assert (found["tangent_norm"] == alone["tangent_norm"]).all()
    assert (found["tangent_norm_0"] == alone["tangent_norm"][:, :1]).all()
    assert (found["gradient_norm_0"][:, 3] == alone["gradient_norm"][:, 0]).all()
    assert instance.start.shape == (64, 8)
    assert np.mean(instance.start**2) == pytest.approx(1.0)


@pytest.mark.parametrize("given", ["array", "function", "list"])
def test_the_tangent_at_the_batch_is_given_in_every_form(given: str) -> None:
    array = np.random.default_rng(0).standard_normal((32, 8))
    form = {"array": array, "function": lambda H: H[:, ::-1], "list": array.tolist()}[given]
    assert verdict("median(tangent_norm) <= 99", **SHALLOW | {"tangents": form})[0] == "supported"


def test_a_tangent_that_is_cancelled_decides_nothing() -> None:
    """What only rescales the rows moves nothing."""
    word, told = verdict("median(log_tangent_norm) <= 8", **SHALLOW | {"tangents": lambda H: H})
    assert (word, "spoiled by rounding" in told) == ("inconclusive", True)


def test_a_claim_that_has_no_name_is_named_by_its_tangent_too() -> None:
    forms: list[Any] = ["gaussian", np.ones((32, 8)), np.eye(32, 8), lambda H: H]
    claims = [conjecture("median(tangent_norm) <= 9", **SHALLOW | {"tangents": f}) for f in forms]
    assert len({name_of(claim) for claim in claims}) == len(forms)
    assert claims[0].quantifier is Quantifier.LAW


MEDIAN = "median(tangent_norm) <= 1"


@pytest.mark.parametrize(
    ("claim", "options", "words"),
    [
        (MEDIAN, SHALLOW | {"tangents": None}, "reads tangents: say what"),
        ("orthogonality_gap <= 1", SHALLOW, "tangents= has no effect"),
        ("median(tangent_norm_0) <= 1", SHALLOW, "write tangent_norm for that at layer ell"),
        ("median(tangent_gram) <= 1", SHALLOW, "tangent_gram"),
        (MEDIAN, SHALLOW | {"tangents": "uniform"}, "'uniform' is unknown"),
        (MEDIAN, SHALLOW | {"tangents": "gaussian(2)"}, "a claim speaks of one"),
        (MEDIAN, SHALLOW | {"tangents": np.ones((8, 8))}, "want that of the batch"),
        (MEDIAN, SHALLOW | {"tangents": np.ones((32, 8)), "d": "32..64"}, "of several sizes"),
        (MEDIAN, SHALLOW | {"assume": "tangent_norm_0 <= 1"}, "tangent_norm_0 is random"),
        ("tangent_norm <= 1", {"over": "matrices", "n": 2, "d": 2}, "no exact evaluation"),
        ("x <= 1", {"over": "parameters", "x": "[0, 1]", "tangents": "gaussian"}, "give chain="),
    ],
)
def test_what_makes_no_sense_of_tangents_is_refused_in_one_line(
    claim: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ClaimError, match=words) as refused:
        conjecture(claim, name="c", **options)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda H: H[:, :1], "gave shape"),
        (lambda H: np.stack([H, H]), "gave shape"),
        (lambda H: H * np.inf, "not finite"),
        (lambda H: 0 * H, "no entry but 0"),
        (lambda H: 1 / 0, "division by zero"),
        (lambda H: 3.0, "it must give an array like the batch"),
    ],
)
def test_a_tangent_that_is_none_is_told_in_one_line(function: Any, words: str) -> None:
    claim = conjecture(MEDIAN, name="c", **SHALLOW | {"tangents": function})
    with np.errstate(invalid="ignore"), pytest.raises(ClaimError, match=words):
        claim.statement(falsify=False)
