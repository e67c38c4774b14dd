"""Claims about gradients: what they mean, what is decided of them and what is not, and refusals.

Linear batch normalisation: E‖G‖² grows by (n - 2)/(n - 3) a layer (Yang et al. 2019), at n = 8 by
6/5; with ReLU by 1.78819. Verdicts of sampled claims have error level 1e-6 each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulators import batchnorm_chain, simulate
from simulators.by_depth import Gradients, simulate_depths
from simulators.observables import OBSERVABLES, observable
from theorems import ClaimError, Verdict, conjecture, verify
from theorems.statement import Quantifier
from theorems.workbench.conjecture import name_of

LINEAR: dict[str, Any] = dict(
    chain="batchnorm(identity)",
    backward="gaussian",
    n=8,
    d=128,
    ell="2..6",
    assume="orthogonality_gap_0 <= 1/100",
)
SHALLOW = LINEAR | {"d": 32, "ell": 2}


def verdict(claim: str, **options: Any) -> tuple[str, str]:
    """The word for a claim and its evidence; a sentinel that survives what is decided fails."""
    stated = conjecture(claim, name="claim", **options).statement(falsify=False)
    (result,) = verify([stated])
    if result.verdict in (Verdict.SUPPORTED, Verdict.REFUTED):
        assert not result.weak_sentinels, claim
    return result.verdict.value, "; ".join(e.summary for e in result.evidence)


@pytest.mark.parametrize(
    ("chain", "claim", "word"),
    [
        ("batchnorm(identity)", "2*rate(median(gradient_norm_0)) <= log(6/5) + 1/10", "supported"),
        ("batchnorm(identity)", "2*rate(median(gradient_norm_0)) <= log(6/5) - 1/10", "refuted"),
        ("batchnorm(relu)", "2*rate(median(gradient_norm_0)) >= log(1.78819) - 1/10", "supported"),
        ("batchnorm(relu)", "2*rate(median(gradient_norm_0)) >= log(1.78819) + 1/5", "refuted"),
    ],
)
def test_gradients_explode_by_the_factor_of_the_width_limit_and_by_no_other(
    chain: str, claim: str, word: str
) -> None:
    assert verdict(claim, **LINEAR | {"chain": chain})[0] == word


@pytest.mark.parametrize(
    ("claim", "word"),
    [
        ("median(log_gradient_norm_0 - log_gradient_norm) <= 1", "supported"),
        ("median(log_gradient_norm_0 - log_gradient_norm) >= 1", "refuted"),
        ("probability(gradient_norm_0 > gradient_norm) >= 1/2", "supported"),
        ("quantile(gradient_norm_0/gradient_norm, 1/10) >= 1/2", "supported"),
        ("2*median(log_gradient_norm) <= log(d*n) + 1/10", "refused"),
    ],
)
def test_what_needs_no_range_is_decided(claim: str, word: str) -> None:
    if word == "refused":  # G at the last layer is what backward= says
        with pytest.raises(ClaimError, match="write log_gradient_norm_0 for that at the batch"):
            conjecture(claim, name="claim", **SHALLOW)
    else:
        assert verdict(claim, **SHALLOW)[0] == word


@pytest.mark.parametrize(
    "claim",
    [
        "gradient_norm_0**2 <= 2*d*n*(6/5)**ell",
        "gradient_norm_0 <= 1000",
        "variance(log_gradient_norm_0) <= 1",
        "log_gradient_norm_0 <= 10",
    ],
)
def test_a_mean_without_a_range_stays_open_and_says_what_would_decide(claim: str) -> None:
    word, told = verdict(claim, **SHALLOW)
    assert word == "inconclusive"
    assert "has no" in told
    assert "median(" in told
    assert "probability" in told


def test_a_gradient_with_a_range_has_a_mean() -> None:
    with OBSERVABLES.restored():

        @observable(floor="1/n", ceiling=1, reads="backward")
        def largest_share(G: Any) -> Any:
            """the largest share that a sample has in the squared gradient"""
            squares = (G * G).sum(axis=-2)
            return squares.max(axis=-1) / squares.sum(axis=-1)

        assert verdict("largest_share_0 <= 1/2", **SHALLOW)[0] == "supported"
        assert verdict("largest_share_0 >= 1/2", **SHALLOW)[0] == "refuted"


def test_a_network_of_ell_layers_goes_back_from_layer_ell() -> None:
    """Each depth is a network of its own, the first layers of the deepest."""
    norm = OBSERVABLES["gradient_norm"].measured
    gap = OBSERVABLES["orthogonality_gap"].measured
    chain, start = batchnorm_chain(16, "tanh"), np.eye(16, 4)
    found = simulate_depths(
        chain,
        start,
        Gradients("gaussian", (3, 1), frozenset({"gradient_norm"})),
        observables=(norm, gap),
        replicas=4,
        seed=5,
    )
    for depth in (1, 3):
        alone = simulate(
            chain,
            start,
            depth=depth,
            observables=(norm, gap),
            backward="gaussian",
            replicas=4,
            seed=5,
        )
        assert (found["gradient_norm"][:, depth] == alone["gradient_norm"][:, 0]).all()
        assert (found["orthogonality_gap"][:, depth] == alone["orthogonality_gap"][:, -1]).all()
        assert (found.rounding[:, depth] == alone.rounding.max(axis=1)).all()


def test_batches_of_claims_about_gradients_have_as_many_rows_as_the_chain_is_wide() -> None:
    claim = conjecture("median(gradient_norm_0) <= 9", name="c", **SHALLOW)
    instances = list(claim.design.instances(claim.statement(falsify=False), None))
    assert instances
    for instance in instances:
        assert instance.start.shape == (32, 8)
        assert np.mean(instance.start**2) == pytest.approx(1.0)
        assert instance.engine == "rows"


@pytest.mark.parametrize("given", ["array", "function", "list"])
def test_the_last_gradient_is_given_in_every_form(given: str) -> None:
    array = np.random.default_rng(0).standard_normal((32, 8))
    form = {"array": array, "function": lambda H: H**3, "list": array.tolist()}[given]
    claim = "median(log_gradient_norm_0) <= 8"
    assert verdict(claim, **SHALLOW | {"backward": form})[0] == "supported"


def test_a_gradient_that_is_cancelled_decides_nothing() -> None:
    """What all samples have in common is projected out, and so is what scales a row."""
    for backward in (np.ones((32, 8)), lambda H: H):
        options = SHALLOW | {"backward": backward}
        word, told = verdict("median(log_gradient_norm_0) <= 8", **options)
        assert word == "inconclusive"
        assert "spoiled by rounding" in told


def test_a_claim_that_has_no_name_is_named_by_its_gradient_too() -> None:
    forms: list[Any] = ["gaussian", np.ones((32, 8)), np.eye(32, 8), lambda H: H]
    claims = [
        conjecture("median(gradient_norm_0) <= 9", **SHALLOW | {"backward": form}) for form in forms
    ]
    assert len({name_of(claim) for claim in claims}) == len(forms)
    assert claims[0].quantifier is Quantifier.LAW


FORWARD = {name: value for name, value in SHALLOW.items() if name != "backward"}


@pytest.mark.parametrize(
    ("claim", "options", "words"),
    [
        ("median(gradient_norm_0) <= 1", FORWARD, "reads the backward pass: say what"),
        ("orthogonality_gap <= 1", SHALLOW, "backward= has no effect"),
        ("median(gradient_gram_0) <= 1", SHALLOW, "gradient_gram"),
        ("median(gradient_norm_0) <= 1", SHALLOW | {"backward": "uniform"}, "'uniform' is unknown"),
        ("median(gradient_norm_0) <= 1", SHALLOW | {"backward": np.ones((8, 8))}, "want that of H"),
        (
            "median(gradient_norm_0) <= 1",
            SHALLOW | {"backward": np.ones((32, 8)), "d": "32..64"},
            "of several sizes",
        ),
        (
            "median(gradient_norm_0) <= 1",
            SHALLOW | {"assume": "gradient_norm_0 <= 1"},
            "gradient_norm_0 is random",
        ),
        ("gradient_norm <= 1", {"over": "matrices", "n": 2, "d": 2}, "no exact evaluation"),
        ("x <= 1", {"over": "parameters", "x": "[0, 1]", "backward": "gaussian"}, "give chain="),
        (
            "cosine <= 1/2",
            {"chain": "vanilla(relu)", "quantifier": "mean field", "n": 2, "ell": 1}
            | {"backward": "gaussian"},
            "gradients in random networks",
        ),
        ("rate(median(median(gradient_norm_0))) <= 1", SHALLOW | {"ell": "2..4"}, "stands within"),
    ],
)
def test_what_makes_no_sense_of_gradients_is_refused_in_one_line(
    claim: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ClaimError, match=words) as refused:
        conjecture(claim, name="c", **options)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda H: H[..., :1], "gave shape"),
        (lambda H: H * np.inf, "not finite"),
        (lambda H: 1 / 0, "division by zero"),
        (lambda H: 3.0, "it must give one like it"),
    ],
)
def test_a_last_gradient_that_is_none_is_told_in_one_line(function: Any, words: str) -> None:
    claim = conjecture("median(gradient_norm_0) <= 1", name="c", **SHALLOW | {"backward": function})
    with pytest.raises(ClaimError, match=words):
        claim.statement(falsify=False)
