"""Confidence sequences on a chain whose mean is known: each verdict reached, for the right reason.

The fake observable of replica i at layer l is uniform on [0, 1/2] times l, drawn by the chain itself, so that the
mean after one layer is 1/4. Every sampled verdict below has error level 1e-6: together below 2e-5.
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy as sp

from simulators import rescale_chain, simulate
from theorems import Assumption, Sentinel, Statement, Variable, Verdict, get
from theorems.checking import drawn_networks, expectation
from theorems.checking.expectation import Expectation, Instance, MeanRow, at_layer, event
from theorems.checking.lost_samples import undefined_words
from theorems.context import Context
from theorems.families.orthogonality.decay import AFFORDABLE
from theorems.families.orthogonality.inputs import WIDTHS, two_level
from theorems.families.orthogonality.notation import alpha, n, s

MEAN = 0.25
E_F = sp.Symbol("E_F")
LEVEL = 1e-6


def context(**more: Any) -> Context:
    return Context(0, LEVEL, **more)


class FakeTrajectory:
    engine = "fake"

    def __init__(self, values: np.ndarray) -> None:
        self.values = {"f": values}
        self.rounding = np.zeros(values.shape)


@pytest.fixture
def seeds(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, int]]:
    """Replaces the simulator by uniforms on [0, 1/2]; records what was asked for."""
    asked: list[tuple[Any, int]] = []

    def fake(
        chain: Any, start: Any, *, depth: int, replicas: int, seed: Any, **_: Any
    ) -> FakeTrajectory:
        asked.append((seed, replicas))
        return FakeTrajectory(np.random.default_rng(seed).random((replicas, depth + 1)) / 2)

    monkeypatch.setattr(drawn_networks, "simulate", fake)
    return asked


R = sp.Rational
LOW = R(3, 20)


def statement(bound: Any, sentinel: Any = LOW, relation: str = "<=", **more: Any) -> Statement:
    base = get("orthogonality.one_step_drift:sharp")
    return replace(
        base,
        variables=(),
        definitions={E_F: ""},
        lhs=E_F,
        relation=relation,
        rhs=sp.sympify(bound),
        sentinel=Sentinel("", rhs=sp.sympify(sentinel)),
        **{"ceiling": R(1, 2), **more},
    )


def check(readouts: int = 1, support: tuple[float, float] = (0.0, 0.5), **more: Any) -> Expectation:
    def instances(_: Statement, batch: Any) -> list[Instance]:
        return [Instance("one", rescale_chain(4), np.eye(4), readouts, ({},) * readouts, support)]

    def sample(_: Statement, trajectory: Any, instance: Instance) -> np.ndarray:
        values: np.ndarray = trajectory.values["f"][:, 1:]
        return values

    settings = {"replicas": 4000, "resolution": 0.05, **more}
    return Expectation(instances, sample, ("f",), **settings)


@pytest.mark.parametrize(
    ("bound", "relation", "verdict"),
    [
        (R(3, 10), "<=", Verdict.SUPPORTED),
        (R(1, 5), "<=", Verdict.REFUTED),
        (R(1, 4), "<=", Verdict.INCONCLUSIVE),
        (R(1, 5), ">=", Verdict.SUPPORTED),
        (R(3, 10), ">=", Verdict.REFUTED),
        (R(1, 4), ">=", Verdict.INCONCLUSIVE),
        (R(1, 4), "==", Verdict.SUPPORTED),
        (R(1, 5), "==", Verdict.REFUTED),
        (R(6, 10), "<=", Verdict.VACUOUS),
        (R(3, 10), "<", Verdict.SUPPORTED),
        (R(1, 5), ">", Verdict.SUPPORTED),
    ],
)
def test_every_verdict_is_reached(
    seeds: list[Any], bound: Any, relation: str, verdict: Verdict
) -> None:
    if relation in (">=", ">"):
        claim = statement(bound, R(31, 100), relation, ceiling=None)
    else:
        claim = statement(bound, R(3, 20), relation)
    evidence = check(replicas=40_000)(claim, context())
    assert evidence.verdict is verdict
    assert evidence.sentinel is (Verdict.VACUOUS if verdict is Verdict.VACUOUS else Verdict.REFUTED)
    assert bool(seeds) is (verdict is not Verdict.VACUOUS), (
        "a bound that cannot fail costs no samples"
    )


@pytest.fixture
def constant(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replaces the simulator by one whose samples are all known to lie between two numbers."""

    def become(low: float, high: float, spoiled: bool = False) -> None:
        def fake(chain: Any, start: Any, *, depth: int, replicas: int, **_: Any) -> FakeTrajectory:
            trajectory = FakeTrajectory(np.full((replicas, depth + 1), (low + high) / 2))
            trajectory.rounding += 1.0 if spoiled else high - low
            return trajectory

        monkeypatch.setattr(drawn_networks, "simulate", fake)

    return become


@pytest.mark.parametrize(
    ("relation", "verdict"), [("<", Verdict.INCONCLUSIVE), ("<=", Verdict.SUPPORTED)]
)
def test_a_strict_claim_is_not_supported_by_a_tie(
    constant: Callable[..., None], relation: str, verdict: Verdict
) -> None:
    constant(0.0, 0.5, spoiled=True)
    claim = statement(R(1, 2), relation=relation, ceiling=None)
    evidence = check(replicas=8, first=8)(claim, context())
    (row,) = evidence.details["readouts"]
    assert row["high"] == row["bound"]
    assert evidence.verdict is verdict


@pytest.mark.parametrize("shares", [True, False])
@pytest.mark.parametrize("false", [True, False])
def test_what_is_refuted_at_one_instance_is_not_sampled_on_at_others(
    seeds: list[Any], shares: bool, false: bool
) -> None:
    """Of one instance the mean is the bound, of the other 1/10 more, if the claim is false."""
    starts = {"near": 0.0, "beyond": 0.1 * false}

    def sample(_: Statement, trajectory: Any, instance: Instance) -> np.ndarray:
        return np.asarray(trajectory.values["f"][:, 1:] + starts[instance.label])

    instances = [
        Instance(label, rescale_chain(4), np.eye(4), 1, ({},), (0.0, 0.7)) for label in starts
    ]
    plain = check(replicas=20_000, shares=shares, first=32, normals=10**6)
    both = replace(plain, instances=lambda *_: instances, sample=sample)
    found = both(statement(R(1, 4), ceiling=None), context())
    near, beyond = found.details["readouts"]
    assert found.verdict is (Verdict.REFUTED if false else Verdict.INCONCLUSIVE)
    assert found.sentinel is Verdict.REFUTED
    assert near["replicas"] == (1024 if shares and false else 20_000)
    # what is drawn is the same, however it is put off
    alone = replace(both, shares=False)(statement(R(1, 4), ceiling=None), context())
    assert beyond == alone.details["readouts"][1]


@pytest.mark.parametrize("hopeless", [True, False])
def test_sampling_stops_where_what_is_spoiled_leaves_no_hope(
    constant: Callable[..., None], hopeless: bool
) -> None:
    constant(0.05, 0.05, spoiled=hopeless)
    evidence = check(resolution=1e-9, first=1000)(statement(R(3, 10)), context())
    assert evidence.verdict is (Verdict.INCONCLUSIVE if hopeless else Verdict.SUPPORTED)
    # the narrow interval that is wanted is not there
    assert evidence.details["readouts"][0]["replicas"] == (1000 if hopeless else 4000)


def test_a_refutation_outlives_the_budget_and_nothing_else_does(
    constant: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    constant(0.25, 0.25)
    claim, patient = statement(R(3, 10)), check(resolution=1e-9, first=2000)
    evidence = patient(claim, context())
    assert (evidence.verdict, evidence.sentinel) == (Verdict.SUPPORTED, Verdict.REFUTED)
    clock = itertools.chain([0.0], itertools.repeat(2.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    evidence = patient(claim, context(deadline=1.0))
    assert evidence.details["readouts"][0]["replicas"] == 2000
    assert (evidence.verdict, evidence.sentinel) == (Verdict.INCONCLUSIVE, Verdict.REFUTED)


@pytest.mark.parametrize(
    ("often", "verdict"),  # of 1000 paths; with three in five or more it could fail
    [(10, Verdict.VACUOUS), (600, Verdict.SUPPORTED), (1000, Verdict.SUPPORTED)],
)
def test_an_event_too_rare_for_the_bound_to_fail_is_vacuous(
    constant: Callable[..., None], often: int, verdict: Verdict
) -> None:
    constant(0.1, 0.1)
    inside = (np.random.default_rng(0).permutation(1000) < often)[:, None]
    covered = check(covered=lambda *_: inside, first=1000, replicas=1000)
    (row,) = covered(statement(R(3, 10)), context()).details["readouts"]
    assert row["verdict"] == verdict
    assert row["sentinel"] == verdict
    assert row["paths_in_event"] == often


def test_a_bound_that_cannot_fail_needs_no_layers(seeds: list[Any]) -> None:
    start = Instance("the start", rescale_chain(4), np.eye(4), 0, ({},), (0.0, 0.5))
    evidence = replace(check(), instances=lambda *_: [start])(statement(R(6, 10)), context())
    assert evidence.verdict is Verdict.VACUOUS
    assert seeds == []


def test_outside_when_nothing_is_laid_out(seeds: list[Any]) -> None:
    evidence = replace(check(), instances=lambda *_: [])(statement(R(3, 10)), context())
    assert evidence.verdict is Verdict.OUTSIDE
    assert seeds == []


@pytest.mark.parametrize("met", [True, False])
def test_an_event_that_no_replica_meets_supports_nothing(seeds: list[Any], met: bool) -> None:
    covered = check(covered=lambda _, t, i: np.full((len(t.values["f"]), 1), met))
    restricted = replace(covered, sample=lambda _, t, i: t.values["f"][:, 1:] * met)
    evidence = restricted(statement(R(3, 10)), context())
    assert evidence.verdict is (Verdict.SUPPORTED if met else Verdict.OUTSIDE)
    row = evidence.details["readouts"][0]
    assert row["paths_in_event"] == (row["replicas"] if met else 0)


def row(verdict: str, sentinel: str = "refuted", **more: Any) -> MeanRow:
    """A readout with a mean, as it is written in JSON."""
    written = {
        "instance": "one",
        "bound": 0.4,
        "verdict": verdict,
        "sentinel": sentinel,
        "mean": 0.2,
        "low": 0.1,
        "high": 0.3,
        "replicas": 10,
        "tightness": 0.5,
        "power": 0.25,
        **more,
    }
    return MeanRow.read(written)


def silent(verdict: str, **more: Any) -> MeanRow:
    """A readout without one."""
    written = {"instance": "two", "bound": 0.4, "verdict": verdict, "sentinel": verdict, **more}
    return MeanRow.read(written)


@pytest.mark.parametrize(
    ("rows", "verdict", "tightness", "summary"),
    [
        (
            [row("supported"), row("supported", tightness=0.8)],
            Verdict.SUPPORTED,
            0.8,
            "2 means by confidence sequence",
        ),
        (
            [row("supported"), silent("vacuous"), silent("outside"), silent("outside")],
            Verdict.SUPPORTED,
            0.5,
            "1 mean by confidence sequence, 1 vacuous, 2 outside",
        ),
        (
            [row("supported"), row("refuted", tightness=0.2)],
            Verdict.REFUTED,
            0.2,
            "one: mean in [0.1, 0.3], bound 0.4",
        ),
        (
            [row("supported"), row("inconclusive", cut=True), row("refuted", cut=True)],
            Verdict.REFUTED,
            0.5,
            "one: mean in [0.1, 0.3], bound 0.4",
        ),
        (
            [row("supported"), row("inconclusive", cut=True), row("inconclusive")],
            Verdict.INCONCLUSIVE,
            None,
            "3 means by confidence sequence, 1 cut short: out of time",
        ),
        (
            [
                row("supported"),
                row("inconclusive", high=0.5),
                row("inconclusive", low=0.3, high=0.6),
            ],
            Verdict.INCONCLUSIVE,
            None,
            "3 means by confidence sequence; undecided at one: mean in [0.1, 0.5], bound 0.4",
        ),
        (
            [row("supported"), silent("inconclusive", cut=True)],
            Verdict.INCONCLUSIVE,
            None,
            "1 mean by confidence sequence, 1 not sampled: out of time",
        ),
        (
            [row("supported"), silent("inconclusive", discarded=9)],
            Verdict.INCONCLUSIVE,
            None,
            "1 mean by confidence sequence, 1 with no replica left; 9 of 19 replicas discarded: they do not meet "
            "what is assumed along the path",
        ),
        (
            [silent("vacuous")],
            Verdict.VACUOUS,
            None,
            "the bound cannot fail at any affordable width",
        ),
        ([row("outside")], Verdict.OUTSIDE, None, "no path met the assumption"),
        ([], Verdict.OUTSIDE, None, "the batch does not meet the assumptions"),
        (
            [row("refuted"), row("outside", undefined=3, ell=2)],
            Verdict.OUTSIDE,
            None,
            undefined_words(3, 13, "one, ell=2"),
        ),
    ],
)
def test_the_evidence_says_what_the_readouts_say(
    rows: list[MeanRow], verdict: Verdict, tightness: float | None, summary: str
) -> None:
    found = check().of_means(statement(R(3, 10)), rows, "gram", context())
    assert (found.verdict, found.tightness, found.summary) == (verdict, tightness, summary)
    assert found.power == (None if tightness is None else 0.25)


def test_an_equality_is_supported_to_within_twice_the_resolution() -> None:
    for word in ("supported", "inconclusive"):
        found = check().of_means(statement(R(3, 10), relation="=="), [row(word)], "", context())
        assert ("equal to within 10%" in found.summary) is (word == "supported")


@pytest.mark.parametrize(
    ("sentinels", "verdict", "count"),
    [
        (["supported", "refuted", "inconclusive", "refuted"], Verdict.REFUTED, 2),
        (["supported", "inconclusive", "vacuous"], Verdict.INCONCLUSIVE, 0),
        (["supported", "vacuous", "outside"], Verdict.SUPPORTED, 0),
        (["vacuous", "outside"], Verdict.VACUOUS, 0),
    ],
)
def test_a_neighbour_falls_where_it_falls_on_some_readout_and_stands_where_on_all(
    sentinels: list[str], verdict: Verdict, count: int
) -> None:
    rows = [row("supported", sentinel) for sentinel in sentinels]
    found = check().of_means(statement(R(3, 10)), rows, "", context())
    assert (found.sentinel, found.details["sentinel_refuted_on"]) == (verdict, count)


def test_the_scope_names_starts_by_their_eigenvalues_over_their_sum(seeds: list[Any]) -> None:
    starts = [np.eye(4), 3 * np.diag([1.0, 2.0])]
    instances = [Instance("one", rescale_chain(4), start, 1, ({},), (0.0, 0.5)) for start in starts]
    found = replace(check(), instances=lambda *_: instances)(statement(R(3, 10)), context())
    said = "2 instances: one, eigenvalues 0.25; one, eigenvalues 0.8 … 0.2"
    assert found.details["scope"] == said


@pytest.mark.parametrize(("bound", "told"), [(R(3, 10), True), (R(1, 5), False)])
def test_the_scope_is_told_of_all_but_a_refutation(
    seeds: list[Any], bound: Any, told: bool
) -> None:
    found = check(scope=lambda _: "over one start")(statement(bound), context())
    assert found.summary.endswith("; over one start") is told
    assert found.details["scope"] == "over one start"


def test_a_value_outside_its_support_is_an_error(seeds: list[Any]) -> None:
    with pytest.raises(ValueError, match="the range claimed for it is wrong"):
        check(support=(0.0, 0.3))(statement(R(1, 5), ceiling=None), context())


def test_samples_of_another_shape_are_an_error(seeds: list[Any]) -> None:
    several = replace(check(), sample=lambda _, t, __: t.values["f"])
    with pytest.raises(ValueError, match=r"shape \(\d+, 2\): want a row .* and 1 column"):
        several(statement(R(1, 5), ceiling=None), context())


def test_sampling_stops_at_the_limit_and_when_it_is_clear(seeds: list[Any]) -> None:
    row = check(replicas=1000)(statement(R(1, 4)), context()).details["readouts"][0]
    assert row["replicas"] == 1000
    assert row["verdict"] == Verdict.INCONCLUSIVE
    row = check(replicas=10**6, resolution=0.5)(
        statement(R(1, 2), ceiling=None), context()
    ).details["readouts"][0]
    assert row["replicas"] < 4000
    seeds.clear()
    check(normals=16 * 64, first=8)(statement(R(1, 4)), context())
    assert sum(replicas for _, replicas in seeds) == 64, "16 normals a replica"


@pytest.mark.parametrize(("discarded", "given_up"), [(5000, False), (5001, True)])
def test_sampling_is_given_up_once_less_than_one_replica_in_a_thousand_is_kept(
    seeds: list[Any], discarded: int, given_up: bool
) -> None:
    def kept(_: Statement, trajectory: Any, instance: Instance) -> np.ndarray:
        return np.arange(len(trajectory.values["f"]))[:, None] < 5

    first = discarded + 5
    found = check(kept=kept, first=first, replicas=2 * first)(statement(R(1, 4)), context())
    assert found.verdict is Verdict.INCONCLUSIVE
    assert (len(seeds) == 1) is given_up


def test_a_deadline_stops_sampling(seeds: list[Any]) -> None:
    evidence = check()(statement(R(3, 10)), context(deadline=time.monotonic() - 1))
    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert evidence.sentinel is Verdict.INCONCLUSIVE
    assert seeds == []


def test_stages_are_independent_and_double(seeds: list[Any]) -> None:
    check(first=32)(statement(R(1, 4)), context())
    assert len({seed for seed, _ in seeds}) == len(seeds)
    totals = list(itertools.accumulate(replicas for _, replicas in seeds))
    assert totals == [*(32 * 2**k for k in range(7)), 4000]


def test_variants_share_samples_and_nothing_else(seeds: list[Any]) -> None:
    shared = context(memory={})
    first = check()(statement(R(3, 10)), shared)
    drawn = len(seeds)
    second = check()(statement(R(29, 100), variant="other"), shared)
    alone = check()(statement(R(29, 100), variant="other"), context(memory={}))
    assert second.details["readouts"] == alone.details["readouts"], "whether drawn or remembered"
    assert len(seeds) - drawn > 0, "the last run drew its own"
    assert first.details["readouts"][0]["mean"] != MEAN
    other = check()(statement(R(29, 100), theorem="other"), context(memory={}))
    assert other.details["readouts"][0]["mean"] != alone.details["readouts"][0]["mean"], (
        "another theorem, other seeds"
    )


@pytest.mark.parametrize("readouts", [1, 2, 5])
def test_the_error_level_is_split_over_readouts_and_neighbours(
    monkeypatch: pytest.MonkeyPatch, seeds: list[Any], readouts: int
) -> None:
    spent: list[float] = []
    real = expectation.BoundedMean

    def recorded(lower: float, upper: float, level: float, reference: float | None = None) -> Any:
        spent.append(level)
        return real(lower, upper, level, reference)

    monkeypatch.setattr(expectation, "BoundedMean", recorded)
    check(readouts=readouts)(statement(R(3, 10)), context())
    assert len(spent) == 2 * readouts
    assert sum(spent) <= LEVEL * (1 + 1e-15)


@pytest.mark.parametrize(
    ("relation", "want"),
    [
        (sp.Ge(s, alpha), [False, True, True]),
        (sp.Gt(s, alpha), [False, False, True]),
        (sp.Le(s, alpha), [True, True, False]),
        (sp.Lt(s, alpha), [True, False, False]),
        (sp.Ge(n * s, alpha * n), [False, True, True]),
    ],
)
def test_events_read_the_relation_of_the_assumption(relation: Any, want: list[bool]) -> None:
    base = get("orthogonality.decay:sharp")
    claim = replace(
        base,
        assumptions=(
            Assumption(relation, "", along="path"),
            Assumption(sp.Ge(s, 9), "not a path's"),
        ),
    )
    layers = {"s": np.array([[0.1, 0.2, 0.3]])}
    assert event(claim, layers, {"alpha": 0.2, "n": 4}).tolist() == [want]


@pytest.mark.parametrize("name", ["decay", "gaussian_limit"])
@pytest.mark.parametrize("form", ["as_printed", "corrected"])
def test_layers_and_events_are_counted_as_the_theorem_does(name: str, form: str) -> None:
    """Column c of a trajectory is H_{c+1}. The gap is read at H_{ℓ+1}, the printed distance at H_ℓ; the event
    is about H_1 … H_ℓ."""
    claim = get(f"orthogonality.{name}:{form}")
    probe = claim.checks[1]
    instance = probe.instances(claim, None)[0]
    columns = instance.depth + 1
    observed = "orthogonality_gap" if name == "decay" else "gaussian_distance"
    for values in instance.readouts:
        layer = int(values["ell"])
        position = instance.readouts.index(values)
        threshold = values["alpha"] ** 2 if form == "as_printed" else values["alpha"]
        for broken in range(columns):  # the one layer whose σ_n is too small, as its column
            smallest = np.full((1, columns), 1.0)
            smallest[0, broken] = threshold * 0.99
            trajectory = FakeTrajectory(np.zeros((1, columns)))
            trajectory.values = {
                observed: np.arange(1.0, columns + 1)[None],
                "smallest_eigenvalue": smallest,
            }
            known = probe.known(claim, trajectory, instance)
            inside = broken + 1 > layer  # H_{broken+1} is beyond H_ℓ
            at = layer if (name, form) == ("gaussian_limit", "as_printed") else layer + 1
            ends = known.low[0, position], known.high[0, position]
            assert ends == ((at, at) if inside else (0.0, 0.0))
            if not inside:  # as far from α as rounding may have moved it: either
                trajectory.rounding = np.full((1, columns), 0.02 * threshold)
                known = probe.known(claim, trajectory, instance)
                assert known.low[0, position] == 0.0 < known.high[0, position]


@pytest.mark.parametrize("form", ["as_printed", "sharp"])
def test_averages_of_a_batch_are_read_where_they_speak_if_that_can_be_afforded(form: str) -> None:
    claim = get(f"orthogonality.averaged_stability:{form}")
    few, many = (claim.checks[0].instances(claim, two_level(size, 0.5))[0] for size in (5, 10))
    for instance in (few, many):
        assert instance.normals <= AFFORDABLE
    assert claim.bound(**few.readouts[0]) < claim.top(**few.readouts[0])
    assert claim.trivial(**many.readouts[0])
    assert many.width == WIDTHS[0]


@pytest.mark.parametrize(("form", "first"), [("as_printed", 1), ("sharp", 0)])
def test_averages_run_over_the_stated_layers(form: str, first: int) -> None:
    claim = get(f"orthogonality.averaged_stability:{form}")
    probe = claim.checks[0]
    instance = probe.instances(claim, None)[0]
    size, length = instance.start.shape[1], int(instance.readouts[0]["L"])
    smallest = np.linspace(0.0, 1 / size, instance.depth + 1)[None]
    trajectory = FakeTrajectory(smallest)
    trajectory.values = {"smallest_eigenvalue": smallest}
    gaps = [1 / size - smallest[0, k] for k in range(first, first + length)]
    want = sum(gap * (1 / size - gap) for gap in gaps) / length
    assert probe.sample(claim, trajectory, instance)[0, 0] == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("layer", [0, 1, -1])
def test_a_sample_read_off_a_layer_is_the_observable_at_that_layer(layer: int) -> None:
    start = np.eye(8, 2)
    instance = Instance("n=2", rescale_chain(8), start, 3, ({"n": 2, "d": 8},), (0.0, 1.0))
    run = simulate(instance.chain, start, depth=3, replicas=4, observables=("orthogonality_gap",))
    claim = get("orthogonality.width_scaling")
    found = at_layer("orthogonality_gap", layer)(claim, run, instance)
    assert found.tolist() == run["orthogonality_gap"][:, [layer]].tolist()
    if layer == -1:
        assert found.tolist() == at_layer("orthogonality_gap")(claim, run, instance).tolist()


# --- what decided instances leave to open ones ----------------------------------------------------

BOUND = sp.Symbol("b", real=True)


def shared(near: float, shares: bool, **more: Any) -> tuple[Statement, Expectation]:
    """Thirty means far below their bounds, and one at ``near``; 512 replicas each."""
    domain = Variable(BOUND, sp.Interval(0, 1), "bound")
    claim = replace(statement(R(1, 4)), ceiling=None, variables=(domain,))
    claim = replace(claim, rhs=BOUND, sentinel=Sentinel("", rhs=BOUND / 2))

    def instances(_: Statement, batch: Any) -> list[Instance]:
        return [
            Instance(f"{k}", rescale_chain(4), np.eye(4), 1, ({"b": bound},), (0.0, 0.5))
            for k, bound in enumerate([0.45] * 30 + [near])
        ]

    one = check(resolution=0.5, normals=512 * 16, shares=shares, **more)
    return claim, replace(one, instances=instances)


def test_open_means_are_decided_with_what_decided_ones_left(seeds: list[tuple[Any, int]]) -> None:
    """At a margin of 0.01 some 7000 replicas decide, and each instance has 512 of its own."""
    word = {}
    for shares in (False, True):
        seeds.clear()
        claim, one = shared(0.26, shares)
        word[shares] = one(claim, context()).verdict
        assert sum(count for _, count in seeds) <= 31 * 512
        assert (sum(count for _, count in seeds) > 31 * 32 + 512) is shares
    assert word == {False: Verdict.INCONCLUSIVE, True: Verdict.SUPPORTED}


@pytest.mark.parametrize("near", [0.2501, 0.25])
def test_nothing_is_spent_on_what_all_that_is_left_would_not_decide(
    seeds: list[tuple[Any, int]], near: float
) -> None:
    asked = {}
    for shares in (False, True):
        seeds.clear()
        claim, one = shared(near, shares)
        assert one(claim, context()).verdict is Verdict.INCONCLUSIVE
        asked[shares] = list(seeds)
    assert asked[True] == asked[False]


def test_what_is_shared_spends_no_more_of_the_level(seeds: list[tuple[Any, int]]) -> None:
    """The confidence sequences are those there were: no interval is made anew."""
    claim, one = shared(0.26, True)
    rows = one(claim, context()).details["readouts"]
    (row,) = [row for row in rows if row["b"] == 0.26]
    assert row["replicas"] > 512
    assert row["low"] <= MEAN <= row["high"] <= 0.26


def test_out_of_time_what_was_established_stands_and_nothing_more_is_drawn(
    seeds: list[tuple[Any, int]],
) -> None:
    claim, one = shared(0.26, True)
    found = one(claim, context(deadline=0.0))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert seeds == []


# --- no more replicas than the verdict needs ------------------------------------------------------


def replicas_of(seeds: list[tuple[Any, int]]) -> int:
    return sum(replicas for _, replicas in seeds)


def test_a_mean_is_followed_no_further_than_its_verdict_and_its_neighbour_need(
    seeds: list[tuple[Any, int]],
) -> None:
    """At the same level, with the same verdicts; a thorough run is one that knows no other way."""
    claim = statement(R(3, 10))
    usual = check(resolution=0.02, replicas=100_000)
    other = replace(usual, enough=0.5)
    as_before = usual(claim, context())
    all_of_them = replicas_of(seeds)
    seeds.clear()
    thorough = other(claim, context(thorough=True))
    assert replicas_of(seeds) == all_of_them
    assert thorough.details == as_before.details
    seeds.clear()
    found = other(claim, context())
    assert replicas_of(seeds) < all_of_them / 4
    verdicts = (Verdict.SUPPORTED, Verdict.REFUTED)
    assert (found.verdict, found.sentinel) == (thorough.verdict, thorough.sentinel) == verdicts
    assert thorough.power is not None
    assert found.power is not None
    assert thorough.power <= 0.02 < found.power <= 0.5


def test_where_the_neighbour_is_open_a_mean_is_followed_to_its_resolution(
    seeds: list[tuple[Any, int]],
) -> None:
    found = check(enough=0.5, replicas=100_000)(statement(R(3, 10), R(1, 4)), context())
    assert found.sentinel is Verdict.INCONCLUSIVE
    assert found.power is not None
    assert found.power <= 0.05


def test_an_equality_is_followed_as_far_as_it_is_claimed(seeds: list[tuple[Any, int]]) -> None:
    claim = statement(R(1, 4), relation="==")
    found = check(enough=0.5, replicas=100_000)(claim, context())
    assert found.verdict is Verdict.SUPPORTED
    assert found.power is not None
    assert found.power <= 0.1


@pytest.mark.parametrize(
    ("bound", "verdict"), [(R(49, 100), Verdict.SUPPORTED), (R(26, 100), Verdict.INCONCLUSIVE)]
)
def test_random_numbers_beyond_the_limit_are_for_verdicts_and_not_for_power(
    bound: Any,
    verdict: Verdict,
    seeds: list[tuple[Any, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A replica costs 16 random numbers here, and the limit is at ten of them; 200 are drawn
    nevertheless, if a verdict needs them.
    """
    monkeypatch.setattr(expectation, "_DEAR_AT_FIRST", 16 * 8)
    monkeypatch.setattr(expectation, "_DEAR", 16 * 8)
    sparing = check(normals=16 * 10, first=200, resolution=0.001, enough=0.001)
    found = sparing(statement(bound, R(1, 4)), context())
    assert found.verdict is verdict
    assert (replicas_of(seeds) == 200) is (verdict is Verdict.INCONCLUSIVE)
    assert 10 <= replicas_of(seeds) <= 200


def test_dear_replicas_are_drawn_a_few_more_at_a_time(
    seeds: list[tuple[Any, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expectation, "_DEAR", 16 * 100)
    check(resolution=0.001, enough=0.001, replicas=1000)(statement(R(3, 10)), context())
    drawn, sizes = 0, [replicas for _, replicas in seeds]
    for size in sizes[:-1]:
        if drawn:
            assert size == (drawn if drawn <= 100 else max(drawn // 4, 100))
        drawn += size
    assert len({tuple(seed) for seed, _ in seeds}) == len(seeds), "every stage has its own stream"


@pytest.mark.parametrize("thorough", [False, True])
def test_networks_in_float32_give_intervals_that_hold_those_in_float64(thorough: bool) -> None:
    """The mean lies in both intervals, of other networks, and rounding widens one of them."""
    instance = Instance(
        "n=2", rescale_chain(64), np.eye(64, 2), 3, ({"n": 2, "d": 64},), (0.0, 1.0)
    )
    probe = replace(
        Expectation(lambda *_: [instance], at_layer("orthogonality_gap"), ("orthogonality_gap",)),
        dtype="float32",
        replicas=256,
    )
    claim = get("orthogonality.one_step_drift:sharp")
    run = probe.draw(instance, 256, 0, claim, context(thorough=thorough))
    values = run["orthogonality_gap"]
    assert (run.dtype, values.dtype) == ("float64" if thorough else "float32", np.float64)
    known = probe.known_of(claim, run, instance)
    wide = known.high - known.low
    assert ((wide > 1e-8) == (not thorough)).all()
    assert (wide < 1e-4).all()


def test_where_only_the_neighbour_can_fail_no_more_is_drawn_than_it_needs(
    seeds: list[tuple[Any, int]],
) -> None:
    """A mean of [0, 1] is never below 0, and no interval is narrow relative to that bound."""
    claim = statement(R(0), R(1, 2), relation=">=")
    found = check(replicas=100_000)(claim, context())
    assert (found.verdict, found.sentinel) == (Verdict.SUPPORTED, Verdict.REFUTED)
    assert sum(count for _, count in seeds) < 1000
