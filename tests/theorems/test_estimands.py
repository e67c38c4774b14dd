"""Claims that say more than a mean of one quantity: functions of quantities, probabilities of events,
medians, quantiles, variances and functions of these, with their verdicts and their refusals."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from simulators.observables import OBSERVABLES, observable
from theorems import ClaimError, Verdict, conjecture, verify
from theorems.statement import Quantifier

#: Two orthogonal samples through one layer of width d: the gap is a known variable of order √(1/d).
ORTHOGONAL: dict[str, Any] = dict(
    chain="rescale", n=2, d=16, ell=1, assume="smallest_eigenvalue_0 >= 1/n"
)


def verdict(claim: str, **options: Any) -> tuple[str, str]:
    """The word for a claim and its evidence; a sentinel that survives what is decided fails."""
    stated = conjecture(claim, name="claim", **ORTHOGONAL | options).statement(falsify=False)
    (result,) = verify([stated])
    if result.verdict in (Verdict.SUPPORTED, Verdict.REFUTED):
        assert not result.weak_sentinels, claim
    return result.verdict.value, "; ".join(e.summary for e in result.evidence)


# Exactly: V² is half the squared distance of C/‖H‖² from I/2, and E V² = (1 - 1/n)/d up to O(1/d²).
@pytest.mark.parametrize(
    ("claim", "word"),
    [
        ("orthogonality_gap**2 <= 1/20", "supported"),
        ("orthogonality_gap**2 <= 1/50", "refuted"),
        ("2*orthogonality_gap <= 1/2", "supported"),
        ("1/4 >= orthogonality_gap/2", "supported"),
        ("log(1 + orthogonality_gap) >= 1/10", "supported"),
        ("sqrt(orthogonality_gap) <= 1/10", "refuted"),
        ("smallest_eigenvalue*effective_rank >= 1/2", "supported"),
        ("smallest_eigenvalue >= orthogonality_gap", "supported"),
        ("orthogonality_gap >= smallest_eigenvalue", "refuted"),
        ("smallest_eigenvalue + smallest_eigenvalue_gap == 1/2", "supported"),
        ("mean(orthogonality_gap) <= 1/4", "supported"),
    ],
)
def test_the_mean_of_a_function_of_quantities(claim: str, word: str) -> None:
    assert verdict(claim)[0] == word


@pytest.mark.parametrize(
    ("claim", "word"),
    [
        ("probability(orthogonality_gap > 0.5) <= 0.05", "supported"),
        ("probability(orthogonality_gap > 0.1) <= 0.05", "refuted"),
        ("1/2 <= probability(orthogonality_gap <= 2/5)", "supported"),
        ("median(orthogonality_gap) <= 1/4", "supported"),
        ("median(orthogonality_gap) <= 1/10", "refuted"),
        ("quantile(orthogonality_gap, 0.9) <= 0.4", "supported"),
        ("quantile(orthogonality_gap, 0.9) <= median(orthogonality_gap)", "refuted"),
        ("variance(orthogonality_gap) <= 1/50", "supported"),
        ("variance(orthogonality_gap) <= 1/1000", "refuted"),
        ("variance(2*orthogonality_gap) >= 1/50", "supported"),
        ("variance(orthogonality_gap) <= mean(orthogonality_gap**2)", "supported"),
        ("mean(orthogonality_gap**2) <= mean(orthogonality_gap)**2", "refuted"),
        ("sqrt(variance(orthogonality_gap)) <= mean(orthogonality_gap)", "supported"),
        (
            "probability(orthogonality_gap > 1/10) >= probability(smallest_eigenvalue > 2/5)",
            "supported",
        ),
    ],
)
def test_other_numbers_of_a_law(claim: str, word: str) -> None:
    assert verdict(claim)[0] == word


@pytest.mark.parametrize(
    ("claim", "word"),
    [
        ("rate(orthogonality_gap) <= -1/10", "refuted"),
        ("rate(smallest_eigenvalue) >= -1/4", "supported"),
        ("rate(smallest_eigenvalue) >= 1/4", "refuted"),
        ("exponent(smallest_eigenvalue, ell) >= -1/5", "supported"),
        ("abs(rate(orthogonality_gap) - 1/4) <= 1/2", "supported"),
        ("rate(smallest_eigenvalue) <= mean(effective_rank)", "supported"),
    ],
)
def test_slopes_over_the_layers_of_the_domain(claim: str, word: str) -> None:
    assert verdict(claim, ell="1..4", d=32)[0] == word


def test_a_rate_is_that_of_the_layers_declared_and_of_no_others() -> None:
    claim = conjecture("rate(orthogonality_gap) <= 0", name="c", **ORTHOGONAL | {"ell": "2..40"})
    statement = claim.statement(falsify=False)
    (instance,) = claim.design.instances(statement, None)
    assert [readout["ell"] for readout in instance.readouts] == [40.0]
    layers = claim.design.layers(instance.readouts[0])
    assert (layers[0], layers[-1], len(layers)) == (2, 40, 9)
    (item,) = claim.design.items(statement)
    assert claim.design.allows(statement, item)
    assert not claim.design.allows(statement, item | {"ell": Fraction(20)})


@pytest.mark.parametrize(
    ("claim", "word"),
    [
        ("abs(exponent(orthogonality_gap, d) + 1/2) <= 1/5", "supported"),
        ("exponent(orthogonality_gap, d) <= -1/3", "supported"),
        ("exponent(orthogonality_gap**2, d) <= -4/5", "supported"),
        ("exponent(orthogonality_gap**2, d) <= -6/5", "refuted"),
        ("exponent(median(orthogonality_gap), d) <= -2/5", "supported"),
        ("abs(exponent(d*orthogonality_gap**2, d)) <= 1/5", "supported"),
        (
            "abs(exponent(orthogonality_gap**2, d) - 2*exponent(orthogonality_gap, d)) <= 1/2",
            "supported",
        ),
    ],
)
def test_an_exponent_in_the_width(claim: str, word: str) -> None:
    assert verdict(claim, d="8..64")[0] == word


def test_an_exponent_is_that_of_five_networks_side_by_side() -> None:
    options = ORTHOGONAL | {"d": "8..64", "assume": "smallest_eigenvalue_0 > 0"}
    claim = conjecture("exponent(orthogonality_gap**2, d) <= 1", name="c", **options)
    statement = claim.statement(falsify=False)
    instances = list(claim.design.instances(statement, None))
    assert len(instances) > 1
    for instance in instances:
        assert [one.width for one in instance.bundle] == [8, 13, 23, 38, 64]
        assert len({one.label for one in instance.bundle}) == 5
        assert instance.normals == sum(2 * d for d in (8, 13, 23, 38, 64))
    assert len({instance.label for instance in instances}) == len(instances)
    assert "d = 8, 13, 23, 38, 64" in claim.design.scope(instances)


def test_an_exponent_in_a_parameter_of_the_chain() -> None:
    """From orthogonal samples: of order γ where all rows hold them, of order 1 where some are 0."""
    options = dict(chain="residual", d=8, n=2, ell=1, gamma="[1/50, 1/5]")
    assume = "smallest_eigenvalue_0 >= 1/n"
    claim = "abs(exponent(orthogonality_gap, gamma) - 1/2) <= 1"
    assert verdict(claim, **options, assume=assume)[0] == "supported"
    claim = "exponent(orthogonality_gap, gamma) >= 1/4"
    assert verdict(claim, **options, assume=assume)[0] == "refuted"
    with pytest.raises(ClaimError, match="gamma is none"):
        conjecture(claim, name="c", **ORTHOGONAL, gamma="[1/50, 1/5]")


#: Deep enough to forget a start of full rank.
DEEP: dict[str, Any] = dict(d=64, ell="24..40", assume="smallest_eigenvalue_0 > 0")


@pytest.mark.parametrize(
    ("claim", "word"),
    [
        ("stationary(orthogonality_gap) <= sqrt(n/d)", "supported"),
        ("stationary(orthogonality_gap) <= sqrt(n/d)/10", "refuted"),
        (
            "abs(d*stationary(orthogonality_gap**2) - (n-1)*(n+2)**2/(4*n*(n+1))) <= 1/5",
            "supported",
        ),
        ("limit(orthogonality_gap) >= 1/100", "supported"),
        ("stationary(effective_rank) >= 2 - stationary(orthogonality_gap)", "supported"),
    ],
)
def test_what_is_left_of_a_mean_after_any_number_of_layers(claim: str, word: str) -> None:
    assert verdict(claim, **DEEP)[0] == word


def test_what_starts_still_tell_apart_is_left_open() -> None:
    """After one layer the gaps of the starts lie on either side of the bound."""
    word, why = verdict("stationary(orthogonality_gap) <= 1/4", **DEEP | {"ell": "1..2"})
    assert word == "inconclusive"
    assert "stationary mean in" in why
    assert verdict("limit(orthogonality_gap) >= 1/4", **DEEP | {"ell": "1..2"})[0] == "inconclusive"


def test_starts_are_read_side_by_side_over_the_layers_declared() -> None:
    claim = conjecture("stationary(orthogonality_gap) <= 1/2", name="c", **ORTHOGONAL | DEEP)
    statement = claim.statement(falsify=False)
    (instance,) = claim.design.instances(statement, None)
    assert len(instance.bundle) > 2
    scope = claim.design.scope([instance])
    assert "ell = 24, 26, 28, 30, 32, 34, 36, 38, 40" in scope
    assert "under every stationary law" in scope
    runs = [
        one.networks.simulated(claim.design.observables, 3, (1, k))
        for k, one in enumerate(instance.bundle)
    ]
    read = claim.design.joined(statement, runs, instance)
    assert read.shape == (3, 1, len(runs))
    layers = [24, 26, 28, 30, 32, 34, 36, 38, 40]
    means = [run["orthogonality_gap"][:, layers].mean(axis=1) for run in runs]
    assert np.allclose(read[:, 0], np.stack(means, axis=1))


def test_a_probability_in_the_claim_is_the_same_as_that_of_an_event_beside_it() -> None:
    claims = [
        conjecture("probability(orthogonality_gap > 0.4) <= 0.3", name="c", **ORTHOGONAL),
        conjecture("probability <= 0.3", event="orthogonality_gap > 2/5", name="c", **ORTHOGONAL),
    ]
    rows = [
        verify([claim.statement(falsify=False)])[0].evidence[0].details["readouts"]
        for claim in claims
    ]
    assert [claim.quantifier for claim in claims] == [Quantifier.PROBABILITY] * 2
    assert [row["mean"] for row in rows[0]] == [row["mean"] for row in rows[1]]


def test_the_quantifier_is_that_of_what_is_claimed() -> None:
    wanted = {
        "orthogonality_gap**2 <= 1/20": Quantifier.EXPECTATION,
        "mean(orthogonality_gap)**2 <= mean(orthogonality_gap**2)": Quantifier.EXPECTATION,
        "probability(orthogonality_gap > 1/2) <= 1/20": Quantifier.PROBABILITY,
        "variance(orthogonality_gap) <= 1/50": Quantifier.LAW,
        "median(orthogonality_gap) <= mean(orthogonality_gap)": Quantifier.LAW,
    }
    for claim, quantifier in wanted.items():
        assert conjecture(claim, name="c", **ORTHOGONAL).quantifier is quantifier, claim


def test_a_reading_without_a_value_on_some_networks_has_no_mean() -> None:
    """ReLU networks of width 2 die: then there is no cosine."""
    options = dict(chain="vanilla(relu)", d=2, assume=(), ell=2)
    assert verdict("abs(cosine)*2 <= 3/2", **options)[0] == "outside"
    word, why = verdict("median(cosine) <= 1/2", **options)
    assert word == "outside"
    assert "such a median has no value" in why
    assert verdict("median(abs(cosine)) >= 1/100", **options | {"assume": "alive"})[0] != "outside"


def test_a_reading_that_is_undefined_for_sure_is_outside_and_one_within_rounding_is_not() -> None:
    """The rank of one sample copied is 1: log(r - 1) has a value for none, as far as floats can
    tell.
    """
    options = dict(assume="effective_rank_0 <= 1", ell=2)
    word, why = verdict("median(log(effective_rank - 1)) <= 0", **options)
    assert word == "inconclusive"
    assert "spoiled by rounding" in why
    assert verdict("log(-1 - orthogonality_gap) <= 0")[0] == "outside"
    assert verdict("log(cosine) <= -1", assume="cosine_0 >= 0")[0] == "outside"
    assert verdict("sqrt(orthogonality_gap - 1/10) <= 1/2")[0] == "outside"


def test_an_event_at_the_very_edge_of_rounding_speaks_for_nothing() -> None:
    """The rank of copied samples is 1 exactly; floats put it on either side."""
    options = dict(assume="effective_rank_0 <= 1", ell=2)
    assert verdict("probability(effective_rank > 1) <= 1/2", **options)[0] == "inconclusive"
    assert verdict("probability(effective_rank > 1.01) <= 1/2", **options)[0] == "supported"


@pytest.mark.parametrize(
    ("claim", "side"),
    [
        ("log(orthogonality_gap) >= -3", "no lower bound"),
        ("1/orthogonality_gap <= 20", "no upper bound"),
        ("variance(log(orthogonality_gap)) <= 1", "no lower bound"),
        ("mean(1/orthogonality_gap)*median(orthogonality_gap) <= 20", "no upper bound"),
        ("rate(1/orthogonality_gap) <= 2", "no upper bound"),
        ("log(orthogonality_gap) + 1/orthogonality_gap <= 9", "no lower and no upper bound"),
    ],
)
def test_the_mean_of_what_has_no_range_is_left_open_with_what_would_decide(
    claim: str, side: str
) -> None:
    word, why = verdict(claim, ell="1..4" if "rate" in claim else 1)
    assert word == "inconclusive"
    assert side in why
    assert "median(" in why


@pytest.mark.parametrize(
    ("claim", "word"),
    [
        ("log(orthogonality_gap) <= -1", "supported"),
        ("log(orthogonality_gap) >= -1", "refuted"),
        ("1/orthogonality_gap >= 2", "supported"),
        ("1/orthogonality_gap <= 2", "refuted"),
        ("mean(1/orthogonality_gap)*median(orthogonality_gap) >= 1", "supported"),
        ("variance(log(orthogonality_gap)) >= 1/10", "supported"),
        ("variance(log(orthogonality_gap)) <= 1/10", "refuted"),
    ],
)
def test_half_a_range_decides_on_its_side(claim: str, word: str) -> None:
    assert verdict(claim)[0] == word


#: One sample through He-initialised ReLU layers.
HE: dict[str, Any] = dict(chain="vanilla(relu)", n=1, d=64, ell=4)


@pytest.mark.parametrize(
    ("claim", "assumed", "word"),
    [
        (
            "abs(variance(2*log_norm)/(5*ell/d) - 1) <= 1/4",
            ["kurtosis(log_norm) <= 5"],
            "supported",
        ),
        ("abs(variance(2*log_norm)/(5*ell/d) - 1) <= 1/4", [], "inconclusive"),
        ("abs(variance(2*log_norm)/(2*ell/d) - 1) <= 1/4", [], "refuted"),
        ("abs(variance(2*log_norm)/(2*ell/d) - 1) <= 1/4", ["kurtosis(log_norm) <= 5"], "refuted"),
        ("2*log_norm <= 1/2", ["variance(log_norm) <= 5*ell/d"], "supported"),
        ("2*log_norm <= -4", ["kurtosis(1 - 3*log_norm) <= 5"], "refuted"),
        ("exp(log_norm) <= 1/10", [], "refuted"),
        ("exp(log_norm) >= 1/10", [], "supported"),
    ],
)
def test_a_moment_that_is_assumed_decides_of_what_has_no_range_and_is_named(
    claim: str, assumed: list[str], word: str
) -> None:
    options = HE | {"chain": "vanilla(relu)", "assume": ["alive", *assumed]}
    found, why = verdict(claim, **options)
    assert found == word
    assert why.startswith(f"assuming {assumed[0]}" if assumed else ("1 ", "n=1"))


def test_a_distance_from_a_given_law() -> None:
    """Of d·V² at two samples: χ² of (n - 1)(n + 2)/2 = 2 degrees, scaled by (n + 2)/(2n(n + 1))."""
    scaled = "d*orthogonality_gap**2*2*n*(n + 1)/(n + 2)"
    options = dict(d=256, ell=12)
    law = "chi2((n - 1)*(n + 2)/2)"
    assert verdict(f"kolmogorov({scaled}, {law}) <= 1/20", **options)[0] == "supported"
    assert verdict(f"kolmogorov({scaled}, exponential(2)) <= 1/20", **options)[0] == "supported"
    assert verdict(f"kolmogorov({scaled}, chi2(3)) <= 1/20", **options)[0] == "refuted"
    assert verdict(f"kolmogorov({scaled}, {law}) >= 1/20", **options)[0] == "refuted"


@pytest.mark.parametrize(
    ("claim", "word"),
    [
        ("cosine == 0", "supported"),
        ("cosine + 1/10 == 0", "refuted"),
        ("mean(orthogonality_gap) - sqrt(2)*mean(smallest_eigenvalue_gap) == 0", "supported"),
        ("mean(orthogonality_gap) - mean(smallest_eigenvalue_gap) == 0", "refuted"),
    ],
)
def test_an_equality_with_0_is_told_to_a_share_of_the_range(claim: str, word: str) -> None:
    found, why = verdict(claim)
    assert found == word
    assert word == "refuted" or "to 0 within 2% of the range" in why


def test_a_slope_or_a_distance_near_0_has_a_neighbour_that_falls() -> None:
    options = dict(d=32, ell="1..4")
    for claim in (
        "abs(rate(1 + orthogonality_gap)) <= 1/4",
        "rate(1 + orthogonality_gap) <= 1/4",
        "abs(mean(orthogonality_gap) - sqrt(2)*mean(smallest_eigenvalue_gap)) <= 1/20",
    ):
        assert verdict(claim, **options)[0] == "supported", claim


def test_a_function_of_one_statistic_is_decided() -> None:
    assert verdict("sqrt(variance(orthogonality_gap)) <= 1/5")[0] == "supported"
    assert verdict("2*median(orthogonality_gap) - 1 <= -3/4")[0] == "refuted"


def test_what_has_no_range_is_decided_by_its_median_and_cut_off() -> None:
    assert verdict("median(log(orthogonality_gap)) <= -1")[0] == "supported"
    assert verdict("Max(log(orthogonality_gap), -50) <= -1")[0] == "supported"
    assert verdict("Max(log(orthogonality_gap), -50) <= -3")[0] == "refuted"


@pytest.mark.parametrize(
    ("claim", "options", "words"),
    [
        ("quantile(orthogonality_gap, 1.5) <= 1", {}, r"at a number inside \(0, 1\)"),
        ("quantile(orthogonality_gap, d) <= 1", {}, r"at a number inside \(0, 1\)"),
        ("quantile(orthogonality_gap) <= 1", {}, r"write quantile\(orthogonality_gap, 9/10\)"),
        ("probability(orthogonality_gap) <= 1/2", {}, "probability is of an event"),
        ("probability(0 < orthogonality_gap < 1) <= 1/2", {}, "an event compares two sides"),
        ("median(orthogonality_gap > 1/2) <= 1/2", {}, "median is of a quantity"),
        ("variance(median(orthogonality_gap)) <= 1/2", {}, r"stands within variance\(…\)"),
        ("variance(n) <= 1/2", {}, "of nothing random"),
        ("variance(orthogonality_gap_0) <= 1/2", {}, "of nothing random"),
        (
            "variance(orthogonality_gap) <= orthogonality_gap",
            {},
            r"write mean\(orthogonality_gap\)",
        ),
        ("variance(orthogonality_gap) <= 9", {}, "vacuous everywhere: variance"),
        ("variance(orthogonality_gap) <= -1", {}, "out of range everywhere"),
        ("median(orthogonality_gap) <= 1/4", {"quantifier": "expectation"}, "has 'law'"),
        ("median(orthogonality_gap) <= 1/4", {"quantifier": "mean field", "d": None}, "has none"),
        ("median(orthogonality_gap) <= 1/4", {"event": "n > 1"}, "names no statistic"),
        ("exponent(orthogonality_gap, n) <= 1", {}, "in the width d or the layer ell"),
        ("exponent(orthogonality_gap) <= 1", {}, r"write exponent\(orthogonality_gap, d\)"),
        ("exponent(orthogonality_gap, d) <= d", {"d": "8..64"}, "the claim names d beside it"),
        ("exponent(orthogonality_gap, ell + 1) <= 1", {}, "in the width d or the layer ell"),
        (
            "exponent(orthogonality_gap, d) <= mean(orthogonality_gap)",
            {"d": "8..64"},
            "are not of the same networks",
        ),
        (
            "stationary(orthogonality_gap) <= -exponent(orthogonality_gap, d)",
            {"d": "8..64"},
            "are not of the same networks",
        ),
        ("abs(exponent(orthogonality_gap, d) + 1/2) <= 1/5", {}, "needs several values of d"),
        ("stationary(orthogonality_gap) <= 1/5", {}, "takes several starts"),
        ("stationary(orthogonality_gap/ell) <= 1/5", {}, "names the layer"),
        (
            "stationary(orthogonality_gap - orthogonality_gap_0) <= 1/5",
            {},
            "no start is left after any number of layers",
        ),
        (
            "limit(gradient_norm_0/(1 + gradient_norm_0)) <= 1/5",
            {"backward": "gaussian"},
            "which depends on all layers",
        ),
        ("rate(orthogonality_gap) <= 1", {}, "a slope over layers, and ell has only 1"),
        ("kurtosis(orthogonality_gap) <= 4", {}, "is assumed, and not estimated"),
        (
            "kolmogorov(orthogonality_gap, normal(0)) <= 1/2",
            {},
            "normal takes 2: mean, standard deviation",
        ),
        ("kolmogorov(orthogonality_gap, norml(0, 1)) <= 1/2", {}, "did you mean normal"),
        ("kolmogorov(orthogonality_gap, 3) <= 1/2", {}, "is no law"),
        (
            "kolmogorov(orthogonality_gap, normal(cosine, 1)) <= 1/2",
            {},
            "the law to compare with is given",
        ),
        ("kolmogorov(orthogonality_gap, normal(0, n - 2)) <= 1/2", {}, "is no law: want its mean"),
        (
            "orthogonality_gap <= 1/4",
            {"assume": "kurtosis(orthogonality_gap) <= 4"},
            "to no effect, as it has a range",
        ),
        ("orthogonality_gap <= 1/4", {"assume": "kurtosis(cosine) <= 4"}, "has no effect"),
        ("log(orthogonality_gap) <= 1", {"assume": "4 >= kurtosis(cosine)"}, "from above by what"),
        (
            "log(orthogonality_gap) <= 1",
            {"assume": "kurtosis(log(orthogonality_gap)) <= 1/2"},
            "holds of no law",
        ),
        (
            "log(orthogonality_gap) <= -1",
            {"assume": "kurtosis(log(orthogonality_gap)) <= 2 - n"},
            "says 0 at .* want a number above 1",
        ),
        ("median(gap) <= 1/4", {}, "'gap' is neither declared nor a quantity"),
        ("medan(orthogonality_gap) <= 1/4", {}, "did you mean"),
        ("orthogonality_gap <= 1/4", {"assume": "median(cosine_0) >= 0"}, "nothing is random"),
        ("orthogonality_gap <= 1/4", {"sentinel": "median(cosine)"}, "in claims alone"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    claim: str, options: dict[str, Any], words: str
) -> None:
    given = {k: v for k, v in (ORTHOGONAL | options).items() if v is not None}
    with pytest.raises(ClaimError, match=words) as refusal:
        conjecture(claim, name="c", **given).statement()
    assert "\n" not in str(refusal.value)


def test_a_statistic_of_a_claim_about_every_input_is_refused() -> None:
    with pytest.raises(ClaimError, match="over random weights: give chain='rescale'"):
        conjecture("variance(orthogonality_gap) <= 1", over="spectra", n="2..4", name="c")


def test_functions_of_quantities_are_claimed_of_every_input_too() -> None:
    claim = conjecture(
        "log(effective_rank) >= 1 - 1/effective_rank", over="spectra", n="2..3", name="c"
    )
    assert verify([claim.statement()])[0].verdict.holds


def test_a_value_outside_the_range_declared_is_refused_in_a_function_as_well() -> None:
    with OBSERVABLES.restored():

        @observable(floor=0, ceiling=1, reads="H")
        def overshooting(H: Any) -> Any:
            """two in wide networks"""
            return (2 if H.shape[-2] >= 16 else 1) + 0 * H.sum(axis=(-2, -1))

        with pytest.raises(ClaimError, match=r"overshooting.* 2, outside (the|its) range"):
            conjecture("overshooting**2 <= 1/2", name="c", **ORTHOGONAL).statement()


@pytest.mark.parametrize("claim", ["faint <= 1/2", "sqrt(faint) <= 1/2"])
def test_a_value_that_rounding_takes_below_its_floor_stands_at_it(claim: str) -> None:
    with OBSERVABLES.restored():

        @observable(floor=0, ceiling=1, reads="H")
        def faint(H: Any) -> Any:
            """0 every other time, as an eigenvalue of a singular matrix comes out"""
            return np.where(H[..., 0, 0] > 0, 0.25, -4e-20)

        stated = conjecture(claim, name="claim", **ORTHOGONAL).statement(falsify=False)
        assert verify([stated])[0].verdict is Verdict.SUPPORTED


def test_a_quantity_without_a_range_is_decided_by_its_quantiles_and_by_no_mean() -> None:
    with OBSERVABLES.restored():

        @observable(reads="gram")
        def spread(H: Any) -> Any:
            """the norm of H"""
            return (H * H).sum(axis=(-2, -1)) ** 0.5

        word, why = verdict("spread <= 2", chain="vanilla(identity)", assume="cosine_0 == 0")
        assert word == "inconclusive"
        assert "no lower and no upper bound" in why
        options = dict(chain="vanilla(identity)", assume="smallest_eigenvalue_0 >= 1/n")
        assert verdict("median(spread) <= 3", **options)[0] == "supported"
        assert verdict("median(spread) <= 1/2", **options)[0] == "refuted"
        assert verdict("probability(spread > 5) <= 1/20", **options)[0] == "supported"


def test_a_search_refutes_a_false_claim_about_a_median() -> None:
    claim = conjecture(
        "median(orthogonality_gap) <= 1/10", name="c", chain="rescale", n=2, d="8..16", ell="1..2"
    )
    (result,) = verify([claim.statement(only=True)])
    assert result.verdict is Verdict.REFUTED
    assert "median in" in result.evidence[0].details["margin"]


def test_names_of_claims_tell_statistics_apart() -> None:
    texts = [
        "median(orthogonality_gap) <= 1/4",
        "quantile(orthogonality_gap, 1/4) <= 1/4",
        "variance(orthogonality_gap) <= 1/50",
        "orthogonality_gap**2/orthogonality_gap <= 1/4",
        "mean(orthogonality_gap) <= 1/4",
    ]
    from theorems.workbench.conjecture import name_of

    assert len({name_of(conjecture(text, name="c", **ORTHOGONAL)) for text in texts}) == len(texts)


def test_what_a_statistic_reads_is_evaluated_within_rounding() -> None:
    claim = conjecture("orthogonality_gap**3 + 1/3 <= 1/2", name="c", **ORTHOGONAL)
    from simulators import simulate

    (instance,) = claim.design.instances(claim.statement(falsify=False), None)
    run = simulate(instance.chain, instance.start, depth=1, replicas=50, seed=1)
    known = claim.design.known(claim.statement(falsify=False), run, instance)
    exact = [Fraction(float(v)) ** 3 + Fraction(1, 3) for v in run["orthogonality_gap"][:, 1]]
    assert all(
        a <= x <= b for a, x, b in zip(known.low[:, 0], exact, known.high[:, 0], strict=True)
    )
    assert np.all(known.high - known.low < 1e-14)
