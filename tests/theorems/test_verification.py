"""Runs of the library: repeatable, split budget, doors, and when a result is as expected."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy as sp
from broken import only

import theorems.verification as MODULE
from simulators.batches import Batch
from theorems import Evidence, Result, Sentinel, Statement, Verdict, get, select, verify
from theorems.checking.expectation import Expectation
from theorems.checking.pointwise import Pointwise
from theorems.context import Context
from theorems.verification import LEVEL, environment, overall, verify_each

V = Verdict
CHEAP = [
    "orthogonality.gap_vs_smallest_eigenvalue",
    "orthogonality.convexity:as_printed",
    "orthogonality.iterative_initialisation:as_printed",
]
SAMPLED = [f"orthogonality.concentration:{form}" for form in ("as_printed", "sharp")]

Offer = Callable[[tuple[Statement, ...]], None]


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Makes ``verify`` run these statements, whatever it is asked for."""
    return lambda statements: monkeypatch.setattr(MODULE, "select", lambda names: statements)


def small(*names: str) -> tuple[Statement, ...]:
    """Statements with their sampled checks restricted to n = 2, from the uniform start, at width 8."""
    return tuple(
        replace(s, checks=tuple(only(c, "n=2 uniform", "d=8") for c in s.checks))
        for s in select(names)
    )


def quick(*names: str) -> list[Statement]:
    """Statements whose exact checks look at the family's own corners and a few draws."""
    return [
        replace(
            s,
            checks=tuple(
                replace(c, examples=20, walks=False) if isinstance(c, Pointwise) else c
                for c in s.checks
            ),
        )
        for s in select(names)
    ]


def evidence(verdict: Verdict, sentinel: Verdict = V.REFUTED, **more: Any) -> Evidence:
    return Evidence(
        **{"method": "simulation", "summary": "", "verdict": verdict, "sentinel": sentinel, **more}
    )


def result(expected: Verdict, *found: Evidence, batch: bool = False) -> Result:
    statement = replace(get("orthogonality.contraction:sharp"), expected=expected)
    return Result(statement, overall(found), found, batch)


def plain(results: tuple[Result, ...]) -> list[Any]:
    return [
        {k: v for k, v in r.as_json().items() if k not in ("seconds", "evidence")} for r in results
    ]


def test_the_same_call_gives_the_same_results() -> None:
    first, second = (plain(verify(quick(*CHEAP), seed=3)) for _ in range(2))
    assert first == second
    assert all(entry["as_expected"] for entry in first)


def test_seeds_change_samples_and_not_verdicts(offer: Offer) -> None:
    offer(small(SAMPLED[0]))
    (one,), (two,) = verify(seed=1), verify(seed=2)
    assert one.verdict is two.verdict is V.SUPPORTED
    means = [r.evidence[0].details["readouts"][0]["mean"] for r in (one, two)]
    assert means[0] != means[1]


def test_variants_alone_and_together_agree(offer: Offer) -> None:
    """What is shared between variants must not change what each is told."""
    statements = small(*SAMPLED)
    offer(statements)
    together = verify(level=1e-6)
    for statement, shared in zip(statements, together, strict=True):
        offer((statement,))
        (alone,) = verify(level=0.5e-6)
        assert alone.evidence[0].details["readouts"] == shared.evidence[0].details["readouts"]


class Recorder:
    """A check that only notes how it was called."""

    def __init__(self, spent: list[Context]) -> None:
        self.spent = spent

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        self.spent.append(context)
        return evidence(V.SUPPORTED)


@pytest.mark.parametrize("counts", [(1,), (2, 1), (3, 1, 2)])
def test_the_error_level_is_split_over_all_checks(offer: Offer, counts: tuple[int, ...]) -> None:
    spent: list[Context] = []
    base = get("orthogonality.contraction:sharp")
    statements = tuple(
        replace(base, theorem=f"t{k}", checks=(Recorder(spent),) * c) for k, c in enumerate(counts)
    )
    offer(statements)
    found = verify(level=1e-3)
    assert [len(r.evidence) for r in found] == list(counts)
    assert len(spent) == sum(counts)
    assert sum(c.level for c in spent) <= 1e-3 * (1 + 1e-15)
    assert sum(c.share(7).level for c in spent) * 7 <= 1e-3 * (1 + 1e-15)


def test_samples_are_forgotten_between_theorems(offer: Offer) -> None:
    spent: list[Context] = []
    seen = []

    class Remembering(Recorder):
        def __call__(self, statement: Statement, context: Context) -> Evidence:
            seen.append(sorted(context.memory))
            context.memory[statement.name] = 1
            return super().__call__(statement, context)

    base = get("orthogonality.contraction:sharp")
    names = [("f", "a", "x"), ("f", "a", "y"), ("f", "b", ""), ("g", "b", "")]
    statements = tuple(
        replace(base, family=f, theorem=t, variant=v, checks=(Remembering(spent),))
        for f, t, v in names
    )
    offer(statements)
    verify()
    assert seen == [[], ["f.a:x"], [], []]


@pytest.mark.parametrize("seed", [-1, 1.0, True, "0", None])
def test_bad_seeds(seed: Any) -> None:
    with pytest.raises(ValueError, match=f"^seed={re.escape(repr(seed))}:"):
        verify(CHEAP, seed=seed)


@pytest.mark.parametrize("level", [0, 1, -0.1, 1.5, float("nan"), "1e-6", True])
def test_bad_levels(level: Any) -> None:
    with pytest.raises(ValueError, match=f"^level={re.escape(repr(level))}:"):
        verify(CHEAP, level=level)


@pytest.mark.parametrize("budget", [0, -1, float("nan"), "9", True])
def test_bad_budgets(budget: Any) -> None:
    with pytest.raises(ValueError, match=f"^budget={re.escape(repr(budget))}:"):
        verify(CHEAP, budget=budget)


def test_doors_are_at_the_call_and_not_at_the_first_result() -> None:
    with pytest.raises(ValueError, match="seed="):
        verify_each(CHEAP, seed=-1)
    with pytest.raises(ValueError, match="all zero"):
        verify_each(CHEAP, batch=np.zeros((3, 2)))


def test_good_arguments() -> None:
    spent: list[Context] = []
    statement = replace(get("orthogonality.convexity:corrected"), checks=(Recorder(spent),))
    for change in (
        {"seed": np.int64(3)},
        {"level": 0.5},
        {"level": 1e-300},
        {"budget": 1},
        {"budget": 0.5},
    ):
        assert verify([statement], **change)[0].evidence[0].verdict is V.SUPPORTED
    seeds, levels = [c.seed for c in spent], [c.level for c in spent]
    assert seeds == [3, 0, 0, 0, 0]
    assert levels == [LEVEL, 0.5, 1e-300, LEVEL, LEVEL]
    assert [c.deadline is None for c in spent] == [True, True, True, False, False]


def test_a_spent_budget_leaves_sampled_claims_open(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    monkeypatch.setattr(
        "theorems.checking.drawn_networks.simulate",
        lambda *_, replicas, **__: drawn.append(replicas),
    )
    results = verify(["orthogonality.one_step_drift", "orthogonality.odd_activations"], budget=1e-9)
    assert {r.verdict for r in results} == {V.INCONCLUSIVE}
    assert not any(r.as_expected for r in results)
    assert drawn == []
    json.dumps([r.as_json() for r in results], allow_nan=False)


def test_an_interrupted_run_keeps_what_it_has() -> None:
    several = verify_each(["orthogonality.convexity"])
    assert next(several).statement.name == "orthogonality.convexity:as_printed"
    assert next(several).verdict is V.PROVED


# --- what a result says ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "found", "good", "good_on_a_batch"),
    [
        (V.SUPPORTED, V.SUPPORTED, True, True),
        (V.SUPPORTED, V.CERTIFIED, True, True),
        (V.SUPPORTED, V.PROVED, True, True),
        (V.CERTIFIED, V.SUPPORTED, False, False),
        (V.CERTIFIED, V.PROVED, True, True),
        (V.SUPPORTED, V.INCONCLUSIVE, False, False),
        (V.SUPPORTED, V.REFUTED, False, False),
        (V.SUPPORTED, V.VACUOUS, False, True),
        (V.SUPPORTED, V.OUTSIDE, False, True),
        (V.REFUTED, V.REFUTED, True, True),
        (V.REFUTED, V.SUPPORTED, False, True),
        (V.REFUTED, V.CERTIFIED, False, True),
        (V.REFUTED, V.INCONCLUSIVE, False, True),
    ],
)
def test_as_expected(expected: Verdict, found: Verdict, good: bool, good_on_a_batch: bool) -> None:
    assert result(expected, evidence(found)).as_expected is good
    assert result(expected, evidence(found), batch=True).as_expected is good_on_a_batch


@pytest.mark.parametrize(
    "sentinel", [V.SUPPORTED, V.CERTIFIED, V.INCONCLUSIVE, V.VACUOUS, V.OUTSIDE]
)
def test_a_sentinel_that_survives_spoils_the_result(sentinel: Verdict) -> None:
    weak = result(
        V.SUPPORTED, evidence(V.SUPPORTED), evidence(V.SUPPORTED, sentinel, method="certificate")
    )
    assert weak.weak_sentinels == ("certificate",)
    assert not weak.as_expected
    on_batch = result(V.SUPPORTED, evidence(V.SUPPORTED, sentinel), batch=True)
    assert on_batch.as_expected is not sentinel.holds, (
        "upheld is a defect anywhere, open is a matter of power"
    )


def test_a_check_that_is_silent_needs_no_sentinel() -> None:
    silent = result(
        V.SUPPORTED,
        evidence(V.SUPPORTED),
        evidence(V.VACUOUS, V.VACUOUS),
        evidence(V.OUTSIDE, V.OUTSIDE),
    )
    assert silent.weak_sentinels == ()
    assert silent.as_expected


def test_a_proof_and_a_refutation_contradict() -> None:
    both = result(V.REFUTED, evidence(V.PROVED, method="proof"), evidence(V.REFUTED))
    assert both.contradictory
    assert both.verdict is V.REFUTED
    assert not both.as_expected
    assert not result(V.REFUTED, evidence(V.CERTIFIED), evidence(V.REFUTED)).contradictory


def test_the_proof_of_a_part_contradicts_nothing() -> None:
    part = evidence(V.PROVED, method="proof", partial=True)
    assert not result(V.REFUTED, part, evidence(V.REFUTED)).contradictory


def test_a_proof_by_name_has_no_neighbour_to_try() -> None:
    assert result(V.PROVED, evidence(V.PROVED, V.OUTSIDE, method="proof")).weak_sentinels == ()
    assert result(V.PROVED, evidence(V.PROVED, V.SUPPORTED, method="proof")).weak_sentinels == (
        "proof",
    )


def test_a_refutation_whose_neighbour_stands_is_weak() -> None:
    assert result(V.REFUTED, evidence(V.REFUTED, V.SUPPORTED)).weak_sentinels == ("simulation",)
    assert result(V.REFUTED, evidence(V.INCONCLUSIVE, V.INCONCLUSIVE)).weak_sentinels == ()


@pytest.mark.parametrize("verdict", V)
def test_json_says_the_verdict_of_every_part(verdict: Verdict) -> None:
    found = Result(
        get("orthogonality.contraction:sharp"), verdict, (evidence(verdict, verdict),)
    ).as_json()
    assert found["verdict"] == verdict.value
    (piece,) = found["evidence"]
    assert (piece["verdict"], piece["sentinel"]) == (verdict.value, verdict.value)


@pytest.mark.parametrize(
    ("found", "proved", "of_batch", "of_all"),
    [
        (V.VACUOUS, V.PROVED, V.VACUOUS, V.PROVED),
        (V.OUTSIDE, V.PROVED, V.OUTSIDE, V.PROVED),
        (V.SUPPORTED, V.PROVED, V.PROVED, V.PROVED),
        (V.INCONCLUSIVE, V.PROVED, V.PROVED, V.PROVED),
        (V.SUPPORTED, V.REFUTED, V.SUPPORTED, V.REFUTED),
    ],
)
def test_a_proof_says_nothing_of_a_batch_on_which_the_claim_is_silent_or_of_which_it_is_not(
    offer: Offer,
    monkeypatch: pytest.MonkeyPatch,
    found: Verdict,
    proved: Verdict,
    of_batch: Verdict,
    of_all: Verdict,
) -> None:
    monkeypatch.setattr(MODULE, "proof_evidence", lambda _: evidence(proved, method="proof"))
    offer((replace(get(NEEDED), checks=(lambda *_: evidence(found),)),))
    assert verify()[0].verdict is of_all
    assert verify(batch=np.eye(2))[0].verdict is of_batch


def test_a_claim_in_which_the_batch_has_no_part_is_outside(
    offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Apart:
        takes_batch = False

        def __call__(self, statement: Statement, context: Context) -> Evidence:
            assert context.batch is None
            return evidence(V.SUPPORTED)

    reads = replace(get(NEEDED), proof=None, checks=(lambda *_: evidence(V.SUPPORTED),))
    offer((reads, replace(reads, theorem="other", checks=(Apart(),))))
    first, second = verify(batch=np.eye(2))
    assert (first.verdict, second.verdict) == (V.SUPPORTED, V.OUTSIDE)
    assert second.evidence[0].apart
    assert any("no part in this claim" in note for note in second.notes)


def test_partial_evidence_refutes_but_does_not_carry() -> None:
    part, whole = evidence(V.CERTIFIED, partial=True), evidence(V.INCONCLUSIVE)
    assert overall([part, whole]) is V.INCONCLUSIVE
    assert overall([evidence(V.REFUTED, partial=True), evidence(V.SUPPORTED)]) is V.REFUTED
    assert overall([part, evidence(V.VACUOUS)]) is V.VACUOUS
    assert overall([part]) is V.CERTIFIED


def test_numbers_of_a_result() -> None:
    found = result(
        V.SUPPORTED,
        evidence(V.SUPPORTED, tightness=0.5, power=0.1, seconds=1.0),
        evidence(V.SUPPORTED, tightness=0.7, seconds=2.0),
    )
    assert (found.tightness, found.power, found.seconds) == (0.7, 0.1, 3.0)
    assert result(V.SUPPORTED, evidence(V.SUPPORTED)).tightness is None


def test_results_are_json() -> None:
    statements = quick("orthogonality.convexity:as_printed", "orthogonality.contraction")
    for found in verify(statements, batch=np.diag([1.0, 2.0])):
        entry = json.loads(json.dumps(found.as_json(), allow_nan=False))
        assert f"{entry['statement']}:{entry['variant']}" == found.statement.name
        assert entry["evidence"][0]["sentinel"] == "refuted"
        assert entry["verdict"] == found.verdict.value


def test_the_environment_names_what_a_repeat_needs() -> None:
    batch = Batch.of(np.eye(2), "two")
    found = environment(4, LEVEL, batch)
    assert (found["seed"], found["error_budget"]) == (4, 1e-6)
    assert found["batch"] == {
        "description": "two",
        "sha256": batch.digest,
        "samples": 2,
        "dimension": 2,
    }
    assert {"numpy", "sympy", "python-flint"} <= set(found["versions"])
    assert environment(0, LEVEL, None)["batch"] is None


@pytest.mark.parametrize(("door", "value"), [("level", 1e-322), ("budget", float("inf"))])
def test_values_that_would_fail_in_the_middle_of_a_run_are_refused_at_the_door(
    door: str, value: float
) -> None:
    with pytest.raises(ValueError, match=door):
        verify_each(["orthogonality.convexity:as_printed"], **{door: value})


def test_a_changed_statement_is_checked_like_one_of_the_library() -> None:
    true = get("orthogonality.gap_vs_smallest_eigenvalue:sharp")
    false = replace(
        true,
        rhs=true.rhs * sp.Rational(999_999_999, 10**9),
        sentinel=Sentinel("half", rhs=true.rhs / 2),
    )
    assert [r.verdict for r in verify([true, false])] == [
        true.proof and Verdict.PROVED,
        Verdict.REFUTED,
    ]


@pytest.mark.parametrize("names", [5, [5], None])
def test_names_of_another_kind_are_refused(names: object) -> None:
    with pytest.raises(TypeError, match="names"):
        verify(names)  # type: ignore[arg-type]  # that is the point


def test_a_run_out_of_time_says_that_nothing_was_sampled() -> None:
    sharp = get("orthogonality.decay:sharp")
    sampled_alone = [c for c in sharp.checks if isinstance(c, Expectation)]
    (result,) = verify([replace(sharp, checks=tuple(sampled_alone))], budget=1e-3)
    (sampled,) = (e for e in result.evidence if e.method == "simulation")
    assert "not sampled: out of time" in sampled.summary
    assert not result.weak_sentinels


def test_the_tightness_of_a_statement_refuted_by_sampling_is_where_it_is_refuted() -> None:
    sharp = get("orthogonality.one_step_drift:sharp")
    (result,) = verify([replace(sharp, rhs=sharp.rhs / 2)])
    assert result.verdict is Verdict.REFUTED
    assert result.tightness is not None
    assert result.tightness > 1


@pytest.mark.parametrize("value", [-5, float("nan"), True, "0.05", None])
def test_values_of_defined_symbols_are_checked(value: object) -> None:
    with pytest.raises(ValueError, match="Vhat_1"):
        get("orthogonality.decay:sharp").bound(n=8, d=10**6, alpha=0.1, ell=50, Vhat_1=value)


DEPENDENT, NEEDED = "orthogonality.gaussian_limit:sharp", "orthogonality.decay:sharp"


@pytest.mark.parametrize(
    ("needed", "own", "found"),
    [
        (V.PROVED, V.CERTIFIED, V.CERTIFIED),
        (V.SUPPORTED, V.CERTIFIED, V.SUPPORTED),
        (V.REFUTED, V.SUPPORTED, V.INCONCLUSIVE),
        (V.INCONCLUSIVE, V.PROVED, V.INCONCLUSIVE),
        (V.VACUOUS, V.CERTIFIED, V.CERTIFIED),
        (V.OUTSIDE, V.PROVED, V.PROVED),
        (V.REFUTED, V.REFUTED, V.REFUTED),
        (V.REFUTED, V.VACUOUS, V.VACUOUS),
        (V.SUPPORTED, V.OUTSIDE, V.OUTSIDE),
    ],
)
def test_a_statement_inherits_the_weakest_verdict_of_those_it_depends_on(
    offer: Offer, needed: Verdict, own: Verdict, found: Verdict
) -> None:
    def told(name: str, verdict: Verdict) -> Statement:
        return replace(
            get(name), proof=None, expected=verdict, checks=(lambda *_: evidence(verdict),)
        )

    offer((told(NEEDED, needed), told(DEPENDENT, own)))
    first, second = verify()
    assert (first.verdict, first.weakened_by) == (needed, ())
    assert (second.verdict, second.weakened_by) == (found, () if found is own else (NEEDED,))
    assert second.as_json()["weakened_by"] == list(second.weakened_by)
    assert second.as_expected is (found is own)
    offer((told(DEPENDENT, own),))
    assert verify()[0].verdict is own


def test_weakness_goes_down_a_chain_of_dependencies(offer: Offer) -> None:
    names = ("orthogonality.one_step_drift:sharp", NEEDED, DEPENDENT)
    verdicts = (V.REFUTED, V.SUPPORTED, V.SUPPORTED)
    offer(
        tuple(
            replace(get(n), proof=None, checks=(lambda *_, v=v: evidence(v),))
            for n, v in zip(names, verdicts, strict=True)
        )
    )
    assert [r.verdict for r in verify()] == [V.REFUTED, V.INCONCLUSIVE, V.INCONCLUSIVE]


def _piece(verdict: Verdict, tightness: float | None = None, *, partial: bool = False) -> Evidence:
    return Evidence(
        method="search",
        verdict=verdict,
        summary="",
        sentinel=Verdict.REFUTED,
        tightness=tightness,
        tightness_interval=None if tightness is None else (tightness, tightness),
        power=tightness,
        partial=partial,
    )


def test_a_refuted_statement_is_as_tight_as_where_it_is_refuted() -> None:
    pieces = (
        _piece(Verdict.INCONCLUSIVE, 3.0),
        _piece(Verdict.REFUTED, 2.0),
        _piece(Verdict.SUPPORTED, 5.0),
    )
    result = Result(get("orthogonality.contraction:sharp"), Verdict.REFUTED, pieces)
    assert (result.tightness, result.tightness_interval, result.power) == (2.0, (2.0, 2.0), 2.0)


def test_partial_evidence_gives_way_to_whole_evidence() -> None:
    pieces = (_piece(Verdict.SUPPORTED, 3.0, partial=True), _piece(Verdict.SUPPORTED, 2.0))
    result = Result(get("orthogonality.contraction:sharp"), Verdict.SUPPORTED, pieces)
    assert (result.tightness, result.tightness_interval, result.power) == (2.0, (2.0, 2.0), 2.0)


@pytest.mark.parametrize(
    ("pieces", "verdict"),
    [
        ([(Verdict.PROVED, True), (Verdict.CERTIFIED, True)], Verdict.CERTIFIED),
        ([(Verdict.PROVED, True), (Verdict.SUPPORTED, False)], Verdict.SUPPORTED),
        ([(Verdict.PROVED, True)], Verdict.INCONCLUSIVE),
        ([(Verdict.PROVED, False), (Verdict.SUPPORTED, False)], Verdict.PROVED),
        ([(Verdict.REFUTED, True), (Verdict.CERTIFIED, False)], Verdict.REFUTED),
        ([(Verdict.CERTIFIED, True), (Verdict.INCONCLUSIVE, False)], Verdict.INCONCLUSIVE),
        ([(Verdict.SUPPORTED, True), (Verdict.CERTIFIED, True)], Verdict.SUPPORTED),
        ([], Verdict.INCONCLUSIVE),
    ],
)
def test_the_proof_of_a_part_proves_no_whole(
    pieces: list[tuple[Verdict, bool]], verdict: Verdict
) -> None:
    assert overall([_piece(word, partial=partial) for word, partial in pieces]) is verdict
