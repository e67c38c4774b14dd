"""One meaning of a mean of what has no value with positive probability: none, unless it is
conditioned.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy as sp

from simulators import Chain, simulate, vanilla_chain
from simulators.layers import Activation, Bias, LayerNorm, Linear, Recenter, Rescale, RMSNorm
from theorems import ClaimError, conjecture, verify
from theorems.checking.expectation import Expectation, Instance
from theorems.checking.lost_samples import UndefinedMean
from theorems.checking.scaling import Scaling
from theorems.context import Context
from theorems.statement import Quantifier, Sentinel, Source, Statement, Variable, Verdict
from theorems.verification import Result
from theorems.workbench.design import kills

TINY: dict[str, Any] = dict(n=2, d="4..8", ell=16)
RELU = ("vanilla(relu)", "batchnorm(relu)", "recenter_relu", "rescale_activation(relu)")
CONTEXT = Context(seed=3, level=1e-6)


def run(claim: str, **options: Any) -> Result:
    return verify([conjecture(claim, name="c", **options).statement()])[0]


# --- outside, with the share that was seen --------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "options"),
    [
        ("cosine <= 9/10", dict(n=2, d="16..32", ell=200)),
        ("cosine <= 9/10", TINY),
        ("cosine >= 1/2", TINY),
        ("absolute_cosine == 1/2", TINY),
        ("mean_absolute_cosine <= 9/10", TINY | {"n": "2..4"}),
        ("orthogonality_gap <= 1/2", TINY),
        ("effective_rank >= 3/2", TINY),
        ("probability >= 9/10", TINY | {"event": "cosine >= 1/2"}),
        (
            "abs(slope + 1/2) <= 1/4",
            dict(quantifier="limit", observable="cosine", n=2, d="2..64", ell=16),
        ),
    ],
    ids=str,
)
def test_a_mean_of_what_dies_has_no_value(claim: str, options: Any) -> None:
    found = run(claim, chain="vanilla(relu)", **options)
    assert found.verdict is Verdict.OUTSIDE
    assert found.sound
    evidence = found.evidence[0]
    assert (
        f"undefined in {evidence.details['undefined']} of {evidence.details['samples']} samples"
        in evidence.summary
    )
    noun = "probability" if "event" in options else "mean"
    assert f"such a {noun} has no value" in evidence.summary
    assert "assume='alive'" in evidence.summary


@pytest.mark.parametrize("width", [4, 512])
@pytest.mark.parametrize("claim", ["1/alive <= 2", "median(1/alive) <= 2", "log(alive) >= -1"])
def test_what_has_no_value_where_a_sample_is_dead_has_none_at_any_width(
    claim: str, width: int
) -> None:
    """Of a width at which no dead sample will ever be seen, too."""
    found = run(claim, chain="vanilla(relu)", n=2, d=width, ell=1)
    assert found.verdict is Verdict.OUTSIDE
    assert found.sound
    assert "which is 0 with positive probability, as samples die" in found.evidence[0].summary


def test_what_is_alive_is_not_asked_whether_it_is() -> None:
    for claim in ("1/alive <= 2", "probability(alive >= 1) >= 1/2"):
        with pytest.raises(ClaimError, match="alive is 1 where assume='alive' holds"):
            conjecture(claim, chain="vanilla(relu)", assume="alive", n=2, d=8, ell=1, name="c")


def test_what_has_a_value_where_a_sample_is_dead_gets_a_verdict() -> None:
    found = run("1/(2 - alive) <= 3/4", chain="vanilla(relu)", n=2, d=4, ell=8)
    assert found.verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    ("layers", "word"),
    [
        ((Linear(8), Activation("relu")), True),
        ((Linear(8), Recenter(), Rescale("variance"), Activation("relu")), True),
        ((Linear(8), Activation("relu"), Linear(8), RMSNorm()), True),
        ((Linear(8), Bias(1.0), Activation("relu")), True),
        # units that sum to 0 are not negative all at once
        ((Linear(8), LayerNorm(), Activation("relu")), False),
        # what is 0 before it is not after it
        ((Linear(8), Activation("relu"), Bias(1.0)), False),
        ((Linear(8), Activation("relu"), Linear(8), Recenter()), False),
        ((Linear(8), Activation("tanh"), Activation("relu")), False),
        ((Linear(8), Activation("tanh")), False),
        ((Linear(8, "student_t(5)"), Activation("relu")), False),  # not known
    ],
    ids=str,
)
def test_which_blocks_kill_samples(layers: Any, word: bool) -> None:
    """At any width; where it is said, some of many narrow networks do."""
    assert kills(Chain(layers)) is word
    if word:
        narrow = [replace(x, width=2) if isinstance(x, Linear) else x for x in layers]
        run = simulate(Chain(narrow), np.eye(2), depth=1, replicas=200, observables=("alive",))
        assert (run["alive"][:, 1] == 0).any()


@pytest.mark.parametrize("chain", RELU)
def test_every_chain_with_relu_is_looked_at(chain: str) -> None:
    options: dict[str, Any] = dict(n=3, d=3, ell=6, chain=chain)
    found = run("mean_absolute_cosine <= 999/1000", **options)
    assert found.verdict is Verdict.OUTSIDE
    assert (
        conjecture("mean_absolute_cosine <= 999/1000", assume="alive", **options).design is not None
    )


@pytest.mark.parametrize("chain", ["vanilla(identity)", "batchnorm(tanh)", "rescale"])
def test_chains_of_which_no_sample_dies_are_not_looked_at(chain: str) -> None:
    claim = conjecture(
        "absolute_cosine <= 99/100" if chain != "rescale" else "orthogonality_gap <= 7/10",
        n=2,
        d=64,
        ell=1,
        chain=chain,
    )
    assert claim.design is not None
    assert not claim.design.mortal
    (check,) = claim.statement(falsify=False).checks
    assert not isinstance(check, UndefinedMean)


# --- conditioned, a verdict -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("cosine >= 1/2", Verdict.SUPPORTED),
        ("cosine <= 1/2", Verdict.REFUTED),
        ("effective_rank >= 7/4", Verdict.REFUTED),
    ],
)
def test_conditioned_on_paths_that_are_alive_it_gets_a_verdict(
    claim: str, verdict: Verdict
) -> None:
    found = run(claim, chain="vanilla(relu)", assume="alive", **TINY)
    assert found.verdict is verdict
    assert found.sound
    sampled = found.evidence[-1]
    assert sampled.sentinel is Verdict.REFUTED
    assert "replicas discarded" in sampled.summary
    rows = [row for row in sampled.details["readouts"] if row["d"] == 4]
    assert all(row["discarded"] > 0 for row in rows)
    assert all("undefined" not in row for row in rows)


def test_probabilities_and_exponents_are_conditioned_too() -> None:
    given: dict[str, Any] = dict(chain="vanilla(relu)", assume="alive", n=2)
    assert (
        run("probability >= 1/2", event="cosine >= 1/2", d="4..8", ell=16, **given).verdict
        is Verdict.SUPPORTED
    )
    slope = run(
        "abs(slope) <= 1/4", quantifier="limit", observable="cosine", d="4..64", ell=8, **given
    )
    assert slope.verdict is Verdict.SUPPORTED


def test_of_a_condition_that_hardly_any_replica_meets_nothing_is_concluded() -> None:
    claim = conjecture(
        "cosine >= 1/2", chain="vanilla(relu)", assume="alive", n=2, d=2, ell=40, name="c"
    )
    statement = claim.statement(falsify=False)
    (check,) = statement.checks
    assert isinstance(check, Expectation)
    fewer = replace(check, instances=lambda *given: list(check.instances(*given))[:2])
    found = fewer(statement, CONTEXT)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "with no replica left" in found.summary
    rows = found.details["readouts"]
    assert [row["discarded"] for row in rows] == [4096] * 2  # given up early
    assert f"{4096 * 2} of {4096 * 2} replicas discarded" in found.summary


def test_the_conditional_mean_is_that_of_the_replicas_that_are_left() -> None:
    claim = conjecture(
        "cosine >= 1/2", chain="vanilla(relu)", assume="alive", n=2, d=4, ell=3, name="c"
    )
    statement = claim.statement(falsify=False)
    assert claim.design is not None
    instance = next(iter(claim.design.instances(statement, None)))
    seen = simulate(
        instance.chain,
        instance.start,
        depth=3,
        replicas=500,
        seed=1,
        observables=claim.design.observables,
    )
    kept = claim.design.kept(statement, seen, instance)[:, -1]
    dead = np.isnan(
        simulate(
            instance.chain, instance.start, depth=3, replicas=500, seed=1, observables=("cosine",)
        )["cosine"]
    ).any(axis=1)
    assert 0 < dead.sum() < 500
    assert (kept == ~dead).all()  # of two samples, one without a cosine is dead
    assert np.isfinite(claim.design.sample(statement, seen, instance)[kept]).all()


def test_alive_is_every_sample_at_every_layer() -> None:
    """Batchnorm revives a dead sample: what counts is the whole path, up to the layer that is read."""
    claim = conjecture(
        "mean_absolute_cosine <= 99/100",
        chain="batchnorm(relu)",
        assume="alive",
        n=3,
        d=3,
        ell="1..6",
        name="c",
    )
    statement = claim.statement(falsify=False)
    assert claim.design is not None
    instance = next(iter(claim.design.instances(statement, None)))
    seen = simulate(
        instance.chain,
        instance.start,
        depth=6,
        replicas=400,
        seed=1,
        observables=claim.design.observables,
    )
    first, last = claim.design.kept(statement, seen, instance).T
    living = seen["alive"]
    assert ((living[:, 1] == 0) & (living[:, 6] == 1)).any()
    assert (last == living.astype(bool).all(axis=1)).all()
    assert (first >= last).all()


# --- events that have no answer -------------------------------------------------------------------


def test_an_event_without_a_value_has_not_failed_to_happen() -> None:
    """1/soft_rank is undefined where no eigenvalue reaches the threshold; that is neither yes nor
    no.
    """
    found = run(
        "probability >= 1/100",
        event="1/(cosine - abs(cosine)) <= 3",
        chain="vanilla(identity)",
        n=2,
        d=64,
        ell=1,
    )
    assert found.verdict is Verdict.OUTSIDE
    assert "such a probability has no value" in found.evidence[-1].summary


# --- samples without a value, whoever draws them --------------------------------------------------

m = sp.Symbol("m", real=True)


def _statement(check: Any, **changes: Any) -> Statement:
    width = sp.Symbol("width", positive=True, integer=True)
    given: dict[str, Any] = dict(
        family="f",
        theorem="t",
        title="t",
        quantifier=Quantifier.EXPECTATION,
        source=Source("ours", ""),
        variables=(Variable(width, sp.Range(1, sp.oo), "width"),),
        lhs=m,
        relation="<=",
        rhs=sp.Rational(9, 10),
        sentinel=Sentinel("lower", rhs=sp.Rational(1, 10)),
        expected=Verdict.SUPPORTED,
        checks=(check,),
        definitions={m: "a mean"},
    )
    return Statement(**given | changes)


def _instances(*_: Any) -> list[Instance]:
    start = np.eye(2)
    return [
        Instance(f"width {w}", vanilla_chain(w), start, 1, ({"width": float(w)},), (0.0, 1.0))
        for w in (2, 4, 8)
    ]


@pytest.mark.parametrize("share", [1 / 32, 0.5, 1.0])
def test_a_sample_without_a_value_makes_a_check_of_means_outside(share: float) -> None:
    def sample(_: Any, trajectory: Any, instance: Instance) -> Any:
        values = np.full((trajectory.replicas, 1), 0.5)
        if instance.label == "width 4":
            values[: math.ceil(share * trajectory.replicas)] = math.nan
        return values

    check = Expectation(_instances, sample, ("orthogonality_gap",))
    evidence = check(_statement(check), CONTEXT)
    assert evidence.verdict is Verdict.OUTSIDE
    assert f"undefined in {math.ceil(32 * share)} of 32 samples" in evidence.summary
    assert "width 4" in evidence.summary
    assert evidence.tightness is None


def test_a_refutation_elsewhere_does_not_make_up_for_a_mean_that_is_not_there() -> None:
    def sample(_: Any, trajectory: Any, instance: Instance) -> Any:
        return np.full((trajectory.replicas, 1), math.nan if instance.label == "width 4" else 0.99)

    check = Expectation(_instances, sample, ("orthogonality_gap",))
    assert check(_statement(check), CONTEXT).verdict is Verdict.OUTSIDE


def test_a_sample_without_a_value_makes_a_slope_outside() -> None:
    slope = sp.Symbol("slope", real=True)
    check = Scaling(
        slope, _instances, lambda t: np.full(t.replicas, math.nan), ("orthogonality_gap",), 8
    )
    evidence = check(
        _statement(
            check,
            lhs=sp.Abs(slope),
            quantifier=Quantifier.LIMIT,
            definitions={slope: "slope"},
            sentinel=Sentinel("other", lhs=sp.Abs(slope - 5)),
        ),
        CONTEXT,
    )
    assert evidence.verdict is Verdict.OUTSIDE
    assert "undefined in" in evidence.summary


# --- at the door ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "options", "words"),
    [
        (
            "orthogonality_gap <= 1/2",
            dict(chain="rescale", quantifier="mean field", n=2, ell=2),
            "no sample dies",
        ),
        ("x <= 2", dict(x="[0, 1]"), "give chain= or over='matrices'"),
        ("orthogonality_gap <= 1/2", dict(over="spectra", n=2), "give chain= or over='matrices'"),
    ],
)
def test_alive_is_refused_where_there_are_no_samples_to_die(
    claim: str, options: Any, words: str
) -> None:
    with pytest.raises(ClaimError, match=words):
        conjecture(claim, assume="alive", **options)


def test_what_shows_that_a_mean_has_no_value_is_a_check_that_says_so() -> None:
    check = UndefinedMean(3, 12, "n=2, d=4")
    assert "25.0%" in check.words(_statement(check))
    evidence = check(_statement(check), CONTEXT)
    assert (evidence.verdict, evidence.sentinel) == (Verdict.OUTSIDE, Verdict.OUTSIDE)


# --- bounds that have no value --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "options", "point"),
    [
        (
            "orthogonality_gap <= 1/d**(1/(n - 3))",
            dict(n="2..5", d=64),
            "n=3: 1/[(]n - 3[)] divides by n - 3",
        ),
        (
            "orthogonality_gap <= 1/sqrt(d - 100)",
            dict(n=2, d="64..128"),
            "d=64: sqrt[(]d - 100[)] takes the root",
        ),
        ("orthogonality_gap <= n/(d - n)", dict(n="2..8", d="4..64"), "n=4, d=4"),
    ],
)
def test_a_bound_without_a_value_is_refused_where_sizes_alone_show_it(
    claim: str, options: Any, point: str
) -> None:
    with pytest.raises(ClaimError, match=f"undefined at {point}"):
        conjecture(claim, chain="rescale", ell=4, **options)


def test_a_bound_without_a_value_is_refuted_where_the_search_meets_it() -> None:
    """The lay-out stops at width 2048; the search goes on to 16,384."""
    found = run(
        "orthogonality_gap <= 7/10 - 1/100*sqrt(1 - (d/10000)**2)",
        chain="rescale",
        n=2,
        d="64..",
        ell=1,
    )
    assert found.verdict is Verdict.REFUTED
    assert "undefined at" in found.evidence[0].summary
    assert "takes the root of" in found.evidence[0].details["margin"]
