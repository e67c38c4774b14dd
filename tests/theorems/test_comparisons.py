"""Claims that compare two chains on the same weights: meaning, verdicts both ways, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulators import Chain, batchnorm_chain, rescale_chain, residual_chain, vanilla_chain
from simulators.layers import Bias, Linear
from simulators.observables import Observable, resolve
from simulators.shared_weights import engine_of_all, weights_apart
from theorems import ClaimError, Verdict, cli, conjecture, verify
from theorems.checking.drawn_networks import Networks
from theorems.statement import Quantifier
from theorems.workbench.conjecture import name_of

#: Two samples that are orthogonal: ReLU brings them together, layer by layer, and rescaling rows
#: keeps them apart.
PAIR: dict[str, Any] = dict(
    chain="rescale",
    other="vanilla(relu)",
    n=2,
    d=32,
    ell=8,
    assume="smallest_eigenvalue_0 >= 1/4",
)
ALIVE = ("alive", "smallest_eigenvalue_0 >= 1/4")


def verdict(claim: Any, **options: Any) -> tuple[str, str]:
    """The word for a claim and its evidence; a sentinel that survives what is decided fails."""
    stated = conjecture(claim, name="claim", **PAIR | options).statement(falsify=False)
    (result,) = verify([stated])
    if result.verdict in (Verdict.SUPPORTED, Verdict.REFUTED):
        assert not result.weak_sentinels, claim
    return result.verdict.value, "; ".join(e.summary for e in result.evidence)


@pytest.mark.parametrize(
    ("claim", "options", "word"),
    [
        ("orthogonality_gap <= other.orthogonality_gap", {}, "supported"),
        ("orthogonality_gap >= other.orthogonality_gap", {}, "refuted"),
        ("other.orthogonality_gap - orthogonality_gap >= 1/10", {}, "supported"),
        ("mean(orthogonality_gap) <= mean(other.orthogonality_gap)/2 + 1/10", {}, "supported"),
        ("median(orthogonality_gap/other.orthogonality_gap) <= 1", {"assume": ALIVE}, "supported"),
        (
            "probability(orthogonality_gap <= other.orthogonality_gap) >= 3/4",
            {"assume": ALIVE},
            "supported",
        ),
        (
            "probability(orthogonality_gap <= other.orthogonality_gap) <= 1/2",
            {"assume": ALIVE},
            "refuted",
        ),
        (
            "probability >= 1/2",
            {"event": "smallest_eigenvalue > other.smallest_eigenvalue"},
            "supported",
        ),
    ],
)
def test_two_chains_are_compared_both_ways(claim: str, options: Any, word: str) -> None:
    assert verdict(claim, **options)[0] == word


def test_networks_that_cannot_differ_are_given_up_early() -> None:
    """Of one direction there is one gap, whatever the chain: no difference is seen, ever."""
    options = PAIR | dict(assume="smallest_eigenvalue_0 == 0", other="vanilla(identity)", ell=2)
    claim = conjecture("orthogonality_gap <= other.orthogonality_gap", name="c", **options)
    (result,) = verify([claim.statement(falsify=False)])
    assert result.verdict is Verdict.INCONCLUSIVE
    rows = result.evidence[0].details["readouts"]
    assert rows
    assert all(row["replicas"] <= 3 * 4096 for row in rows)


def test_gradients_of_two_chains_are_compared() -> None:
    """Those of batch normalisation explode faster with ReLU than without."""
    options = dict(chain="batchnorm(identity)", other="batchnorm(relu)", n=8, d=32, ell=6)
    options |= dict(backward="gaussian", assume="orthogonality_gap_0 <= 1/100")
    assert verdict("median(gradient_norm_0) <= median(other.gradient_norm_0)", **options)[0] == (
        "supported"
    )
    assert verdict("median(gradient_norm_0/other.gradient_norm_0) >= 1", **options)[0] == "refuted"


def test_the_claim_of_a_function_names_the_other_chain_as_an_argument() -> None:
    def closer(orthogonality_gap: Any, other: Any) -> Any:
        """Rescaling keeps samples further apart than ReLU"""
        return orthogonality_gap <= other.orthogonality_gap

    claims = [
        conjecture(c, **PAIR) for c in (closer, "orthogonality_gap <= other.orthogonality_gap")
    ]
    assert str(claims[0].relation) == str(claims[1].relation)
    assert claims[0].title == "Rescaling keeps samples further apart than ReLU"
    assert {claim.quantifier for claim in claims} == {Quantifier.COMPARISON}
    assert claims[0].statement(falsify=False).chain == "rescale, other vanilla(relu)"


def test_a_claim_that_has_no_name_is_named_by_both_chains() -> None:
    claim = "orthogonality_gap <= other.orthogonality_gap"
    others = ("vanilla(relu)", "vanilla(tanh)")
    assert len({name_of(conjecture(claim, **PAIR | {"other": other})) for other in others}) == 2


def simulated(chain: Chain, other: Chain, names: tuple[str, ...], engine: str) -> dict[str, Any]:
    pair = Networks(chain, np.eye(16, 3), 6, other=other, engine=engine)
    measures = [
        Observable(prefix + name, resolve(name).function, gram=resolve(name).gram)
        for prefix in ("", "other.")
        for name in names
    ]
    return dict(pair.simulated(measures, 200, 3).values)


def test_quantities_with_a_number_are_compared_too() -> None:
    claim = conjecture("soft_rank(1/2) <= other.soft_rank(0.5)", name="c", **PAIR)
    names = {q.name for q in claim.design.quantities}
    assert names == {"soft_rank(1/2)", "other.soft_rank(1/2)"}
    assert claim.relation.lhs == claim.estimand.statistics[0].symbol


@pytest.mark.parametrize("engine", ["rows", "dense"])
def test_pairs_vary_less_in_their_difference_than_apart(engine: str) -> None:
    name = "orthogonality_gap"
    chains = batchnorm_chain(16, "relu"), batchnorm_chain(16, "leaky_relu(0.1)")
    found = simulated(*chains, (name,), engine)
    first, second = found[name][:, -1], found[f"other.{name}"][:, -1]
    assert not np.array_equal(first, second)
    assert np.var(first - second) < (np.var(first) + np.var(second)) / 2


def test_what_counts_jointly_is_drawn_by_the_weights_themselves() -> None:
    claims = {
        "orthogonality_gap <= other.orthogonality_gap": "rows",
        "orthogonality_gap**2 <= 2*other.orthogonality_gap": "rows",
        "median(orthogonality_gap) <= median(other.orthogonality_gap)": "rows",
        "orthogonality_gap*other.orthogonality_gap <= 1/4": "dense",
        "median(orthogonality_gap - other.orthogonality_gap) <= 1/4": "dense",
        "probability(orthogonality_gap <= other.orthogonality_gap) >= 1/4": "dense",
    }
    for text, engine in claims.items():
        options = PAIR | {"d": 32, "chain": "residual(0.5)"}
        claim = conjecture(text, name="c", **options)
        instances = list(claim.design.instances(claim.statement(falsify=False), None))
        assert {instance.engine for instance in instances} == {engine}, text
        assert instances[0].normals == 8 * 32 * (2 if engine == "rows" else 32), text


def test_the_same_chain_twice_has_the_same_weights() -> None:
    for engine in ("rows", "dense"):
        found = simulated(*[batchnorm_chain(16)] * 2, ("orthogonality_gap",), engine)
        assert np.array_equal(found["orthogonality_gap"], found["other.orthogonality_gap"])


def test_which_chains_have_the_same_weights() -> None:
    same = [rescale_chain(8), vanilla_chain(8, "relu"), batchnorm_chain(8), residual_chain(8, 0.5)]
    for chain in same:
        assert weights_apart(same[0], chain, 8) is None
    apart = [
        Chain((Linear(8), Bias(0.5))),
        Chain((Linear(8), Linear(8))),
        Chain((Linear(16),)),
        same[0].with_law("rademacher"),
    ]
    for chain in apart:
        assert "drawing layer" in str(weights_apart(same[0], chain, 8))
    assert weights_apart(Chain((Linear(8, std=2.0),)), Chain((Linear(8),)), 8) is None


def test_the_engine_of_all_is_exact_for_each() -> None:
    gap, entries = resolve("orthogonality_gap"), Observable("x", lambda H, width: H, gram=False)
    thin, wide = (3, 3), (256, 3)
    pair = rescale_chain(256), vanilla_chain(256, "relu")
    assert engine_of_all(pair[:1], [gap], thin) == "factor"
    assert engine_of_all(pair[:1], [entries], thin) == "rows"
    assert engine_of_all(pair, [gap], thin) == "rows"
    assert engine_of_all((pair[0], residual_chain(256, 0.5)), [gap], wide) == "rows"
    signs = tuple(chain.with_law("rademacher") for chain in pair)
    assert engine_of_all(signs, [gap], thin) == "dense"


@pytest.mark.parametrize(
    ("claim", "options", "words"),
    [
        ("orthogonality_gap <= 1/2", {}, "other= has no effect"),
        ("other.orthogonality_gap <= 1/2", {}, "chain= has no effect"),
        ("orthogonality_gap <= other.gap", {}, "no quantity 'other.gap'"),
        ("orthogonality_gap <= other.soft_rank(3)", {}, "the threshold lies"),
        (
            "orthogonality_gap <= other.orthogonality_gap_0",
            {},
            "both chains go from the same batch",
        ),
        ("orthogonality_gap <= other.orthogonality_gap", {"other": None}, "of which chain"),
        ("soft_rank(1/2) <= other.soft_rank(1/2)", {"other": None}, "of which chain"),
        ("orthogonality_gap <= other.orthogonality_gap", {"other": "vanila(relu)"}, "vanilla"),
        ("orthogonality_gap <= other.orthogonality_gap", {"other": "residual"}, "no gamma"),
        (
            "orthogonality_gap <= other.orthogonality_gap",
            {"other": "rescale"},
            "other='rescale' is the chain itself, on the same weights",
        ),
        (
            "median(orthogonality_gap) <= median(other.orthogonality_gap)",
            {"chain": "vanilla(relu)", "other": "vanilla( relu )"},
            "both are equal in every network",
        ),
        (
            "orthogonality_gap <= other.orthogonality_gap",
            {"assume": "other.orthogonality_gap <= 1"},
            "other.orthogonality_gap is random",
        ),
        (
            "orthogonality_gap <= other.orthogonality_gap",
            {"quantifier": "expectation"},
            "has 'comparison'",
        ),
        (
            "orthogonality_gap <= other.orthogonality_gap",
            {"quantifier": "mean field", "d": None},
            "same random weights",
        ),
        ("abs(exponent(other.orthogonality_gap, d)) <= 1", {"d": "16..64"}, "of one chain"),
        (
            "orthogonality_gap <= other.orthogonality_gap",
            {"other": lambda width: rescale_chain(width).with_law("rademacher")},
            "cannot have the same weights",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(
    claim: str, options: dict[str, Any], words: str
) -> None:
    given = {name: value for name, value in (PAIR | options).items() if value is not None}
    with pytest.raises(ClaimError, match=words) as refused:
        conjecture(claim, name="c", **given)
    assert "\n" not in str(refused.value)


def test_a_second_chain_without_a_first_is_refused() -> None:
    with pytest.raises(ClaimError, match="give chain="):
        conjecture("x <= 1", over="parameters", x="[0, 1]", other="rescale", name="c")


def test_comparisons_are_attacked_on_the_command_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    words = ["falsify", "--claim", "orthogonality_gap >= other.orthogonality_gap"]
    words += ["--chain", "rescale", "--other", "vanilla(relu)", "--corpus", str(tmp_path)]
    words += ["--where", "n=2", "--where", "d=16", "--where", "ell=4"]
    assert cli.main(words) == 1
    printed = capsys.readouterr().out
    assert "refuted" in printed
    assert "--other 'vanilla(relu)'" in printed
    assert cli.main([*words, "--expected", "refuted"]) == 0
    assert cli.main([*words[:-6], "--other", "rescal"]) == 2
