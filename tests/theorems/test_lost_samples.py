"""What rounding has spoiled decides nothing, neither way, and the evidence says so.

Verdicts of simulated claims below have error level 1e-6 each.
"""

import csv
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sympy as sp

from simulators import batchnorm_chain, rescale_chain, simulate
from simulators.batches import Batch, gaussian_batch
from simulators.sweeps.export import export
from simulators.trajectory import SPOILED
from theorems import Sentinel, Statement, Verdict, conjecture, get
from theorems.checking import drawn_networks
from theorems.checking.confidence_sequence import BoundedMean, decide_at_least, decide_at_most
from theorems.checking.expectation import Expectation, Instance
from theorems.checking.lost_samples import Known
from theorems.checking.medians import Case, Medians, Sample, within
from theorems.checking.scaling import Scaling
from theorems.context import Context

R = sp.Rational
E_F = sp.Symbol("E_F")
COUNT = 4000


def claim(bound: Any, relation: str = "<=", sentinel: Any = "1/20") -> Statement:
    base = get("orthogonality.one_step_drift:sharp")
    return replace(
        base,
        variables=(),
        definitions={E_F: ""},
        lhs=E_F,
        relation=relation,
        rhs=sp.sympify(bound),
        sentinel=Sentinel("", rhs=sp.sympify(sentinel)),
        ceiling=sp.Integer(2),
    )


def judged(
    monkeypatch: pytest.MonkeyPatch, statement: Statement, rounding: Any, values: Any = 0.25
) -> Any:
    """The evidence of samples that are ``values`` in [0, 1], with errors ``rounding(replicas)``."""

    def fake(*_: Any, replicas: int, **__: Any) -> Any:
        return SimpleNamespace(
            engine="fake",
            values={"f": np.full((replicas, 2), values)},
            rounding=np.stack([np.zeros(replicas), rounding(replicas)], axis=1),
        )

    monkeypatch.setattr(drawn_networks, "simulate", fake)
    check = Expectation(
        lambda *_: [Instance("one", rescale_chain(4), np.eye(4), 1, ({},), (0.0, 1.0))],
        lambda _, trajectory, __: trajectory.values["f"][:, 1:],
        ("f",),
        replicas=COUNT,
    )
    return check(statement, Context(0, 1e-6))


def share(part: float) -> Any:
    """Of the replicas such a part is spoiled, and the others are exact."""
    return lambda replicas: np.where(np.arange(replicas) < part * replicas, 1.0, 0.0)


@pytest.mark.parametrize("relation", ["<=", ">=", "=="])
@pytest.mark.parametrize("bound", [R(1, 10), R(1, 2), R(1, 4)])
def test_a_spoiled_sample_never_decides(
    monkeypatch: pytest.MonkeyPatch, relation: str, bound: Any
) -> None:
    evidence = judged(monkeypatch, claim(bound, relation), share(1.0))
    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert evidence.sentinel is Verdict.INCONCLUSIVE
    row = evidence.details["readouts"][0]
    assert row["spoiled"] == row["replicas"]
    assert f"{row['spoiled']} of {row['replicas']} samples spoiled by rounding" in evidence.summary


@pytest.mark.parametrize(
    ("bound", "relation", "part", "verdict"),
    [
        (R(1, 2), "<=", 0.1, Verdict.SUPPORTED),
        (R(1, 2), "<=", 0.5, Verdict.INCONCLUSIVE),
        (R(1, 10), "<=", 0.1, Verdict.REFUTED),
        (R(1, 10), "<=", 0.8, Verdict.INCONCLUSIVE),
        (R(1, 10), ">=", 0.1, Verdict.SUPPORTED),
        (R(1, 10), ">=", 0.8, Verdict.INCONCLUSIVE),
        (R(1, 2), ">=", 0.1, Verdict.REFUTED),
        (R(1, 2), ">=", 0.5, Verdict.INCONCLUSIVE),
    ],
)
def test_some_spoiled_samples_count_as_the_worst_for_either_side(
    monkeypatch: pytest.MonkeyPatch,
    bound: Any,
    relation: str,
    part: float,
    verdict: Verdict,
) -> None:
    assert judged(monkeypatch, claim(bound, relation), share(part)).verdict is verdict


@pytest.mark.parametrize(("error", "decided"), [(1e-3, "undecided"), (1e-9, "supported")])
def test_a_margin_below_the_rounding_error_decides_nothing(error: float, decided: str) -> None:
    """Values that are 0 to within their error, against a bound of a tenth of a thousandth."""
    bound, count = 1e-4, 10**6
    sequence = BoundedMean(0.0, 1.0, 1e-6, reference=bound)
    known = Known(np.zeros(count), np.full(count, error), (0.0, 1.0))
    sequence.update(known.low, known.high)
    assert decide_at_most(sequence, bound) == decided
    assert (decide_at_least(sequence, bound) == "refuted") is (decided == "supported")


def test_what_is_not_spoiled_is_what_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = judged(monkeypatch, claim(R(1, 2)), lambda replicas: np.full(replicas, 1e-15))
    assert evidence.verdict is Verdict.SUPPORTED
    assert "spoiled" not in evidence.summary
    assert "spoiled" not in evidence.details["readouts"][0]


def test_a_value_outside_its_range_is_still_an_error() -> None:
    known = Known(np.array([-0.5, 1.5, 0.0, 1.0]), np.full(4, 1e-3), (0.0, 1.0))
    assert known.low.tolist() == [-0.5, 1.5 - 1e-3, 0.0, 1.0 - 1e-3]
    assert known.high.tolist() == [-0.5 + 1e-3, 1.5, 1e-3, 1.0]


@pytest.mark.parametrize("lower", [-3.0, -1.0, 0.0, 5.0])
def test_an_error_is_a_part_of_the_range_wherever_that_lies(lower: float) -> None:
    known = Known(np.array([lower + 1]), np.array([1e-3]), (lower, lower + 2))
    assert known.low - lower == pytest.approx(1 - 2e-3)
    assert known.high - lower == pytest.approx(1 + 2e-3)


def test_the_limit_is_where_a_sample_is_spoiled() -> None:
    known = Known(np.full(2, 0.5), np.array([SPOILED, np.nextafter(SPOILED, 0)]), (0.0, 1.0))
    assert known.spoiled.tolist() == [True, False]
    assert (known.low[0], known.high[0]) == (0.0, 1.0)


def test_paths_that_rounding_spoiled_may_have_met_the_assumption(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Were they left out of the count, the event would seem too rare for the bound to fail."""

    def fake(*_: Any, replicas: int, **__: Any) -> Any:
        spoiled = np.arange(replicas) % 20 == 0
        return SimpleNamespace(
            engine="fake",
            values={"f": np.zeros((replicas, 2))},
            rounding=np.stack([spoiled, spoiled], axis=1).astype(float),
        )

    monkeypatch.setattr(drawn_networks, "simulate", fake)
    check = Expectation(
        lambda *_: [Instance("one", rescale_chain(4), np.eye(4), 1, ({},), (0.0, 1.0))],
        lambda _, trajectory, __: trajectory.values["f"][:, 1:],
        ("f",),
        replicas=COUNT,
        covered=lambda _, trajectory, __: np.zeros((len(trajectory.values["f"]), 1), dtype=bool),
    )
    evidence = check(claim(R(1, 5)), Context(0, 1e-6))
    assert evidence.verdict not in (Verdict.OUTSIDE, Verdict.REFUTED)
    assert evidence.details["readouts"][0]["paths_in_event"] == 0


@pytest.mark.parametrize("seed", range(5))
def test_an_interval_covers_what_observations_known_between_two_values_can_be(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.random(3000)
    low, high = values * rng.random(3000), values + (1 - values) * rng.random(3000)
    sequence, below, above = (BoundedMean(0.0, 1.0, 1e-6) for _ in range(3))
    sequence.update(low, high)
    below.update(low)
    above.update(high)
    assert sequence.interval == (below.interval[0], above.interval[1])
    assert sequence.means == pytest.approx((low.mean(), high.mean()))
    with pytest.raises(ValueError, match="up_to"):
        sequence.update([0.5], [0.4])
    with pytest.raises(ValueError, match="up_to"):
        sequence.update([0.5], [0.6, 0.7])


# --- medians and slopes ---------------------------------------------------------------------------


def test_a_median_counts_what_is_spoiled_at_both_ends() -> None:
    values = np.arange(1.0, 101.0)
    plain = within(values, 1e-3)
    lost = np.where(values % 10 == 5, np.nan, values)
    low, high = within(lost, 1e-3)
    assert low < plain[0] < plain[1] < high
    assert within(lost.astype(np.float32), 1e-3) == (low, high)
    assert within(np.full(100, np.nan), 1e-3) == (-np.inf, np.inf)
    assert within(values, 1e-3, 0.01) == pytest.approx((plain[0] * 0.99, plain[1] * 1.01))


@pytest.mark.parametrize(
    ("part", "verdict"),
    [
        (0.0, Verdict.SUPPORTED),
        (0.05, Verdict.SUPPORTED),
        (0.6, Verdict.INCONCLUSIVE),
        (1.0, Verdict.INCONCLUSIVE),
    ],
)
def test_medians_of_spoiled_networks_decide_nothing(part: float, verdict: Verdict) -> None:
    base = get("rank.average_rank:lower")
    values = np.where(np.arange(200) < 200 * part, np.nan, 8.0)

    def cases(_: Any) -> list[Case]:
        return [Case("one", {"d": 64}, lambda __: Sample({"r_bar": [values]}), 1)]

    evidence = Medians(cases)(base, Context(0, 1e-6))
    assert evidence.verdict is verdict
    assert ("spoiled by rounding" in evidence.summary) is (part > 0)
    json.dumps(evidence.details.json, allow_nan=False)


def test_a_slope_of_spoiled_means_is_not_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    beta = sp.Symbol("beta", real=True)
    base = replace(
        get("orthogonality.width_scaling"),
        lhs=sp.Abs(beta + R(1, 2)),
        rhs=R(1, 10),
        sentinel=Sentinel("", lhs=sp.Abs(beta + 2)),
    )

    def run(error: float) -> Any:
        def fake(chain: Any, start: Any, *, replicas: int, **_: Any) -> Any:
            return SimpleNamespace(
                engine="fake",
                rounding=np.full((replicas, 1), error),
                values={"f": np.full((replicas, 1), chain.widths(4)[-1] ** -0.5)},
            )

        monkeypatch.setattr(drawn_networks, "simulate", fake)
        laid_out = [
            Instance(f"d={d}", rescale_chain(d), np.eye(4), 1, (), (0.0, 1.0)) for d in (4, 16, 64)
        ]
        return Scaling(beta, lambda _: laid_out, lambda t: t.values["f"][:, -1], ("f",), 2000)(
            base, Context(0, 1e-6)
        )

    assert run(0.0).verdict is Verdict.SUPPORTED
    spoiled = run(1.0)
    assert spoiled.verdict is Verdict.INCONCLUSIVE
    assert "samples spoiled by rounding" in spoiled.summary


# --- from end to end ------------------------------------------------------------------------------


def _beside_the_mean(n: int, tiny: float) -> Any:
    """Eigenvalue 1 for the mean of the samples, ``tiny`` for all that tells them apart."""
    rows = np.linalg.qr(np.column_stack([np.ones(n), np.eye(n)[:, 1:]])).Q.T
    rows[0] = n**-0.5
    return np.sqrt(np.array([1.0, *[tiny] * (n - 1)]))[:, None] * rows


@pytest.mark.parametrize("bound", [R(2, 5), R(1, 5)])
def test_batchnorm_is_judged_by_what_is_left_of_the_mean(bound: Any) -> None:
    """Mean absolute cosines near 0.3, also where the samples differ by 1e-150 of their length."""
    base = claim(bound, sentinel=R(1, 10))
    check = Expectation(
        lambda *_: [
            Instance(
                "tiny", batchnorm_chain(64), _beside_the_mean(32, 1e-300), 4, ({},), (0.0, 1 + 1e-9)
            )
        ],
        lambda _, trajectory, __: trajectory.values["mean_absolute_cosine"][:, -1:],
        ("mean_absolute_cosine",),
        replicas=2000,
    )
    evidence = check(base, Context(0, 1e-6))
    assert evidence.verdict is (Verdict.SUPPORTED if bound > R(3, 10) else Verdict.REFUTED)
    found = simulate(
        batchnorm_chain(64),
        _beside_the_mean(32, 1e-300),
        depth=4,
        replicas=50,
        engine="dense",
        observables=("mean_absolute_cosine",),
    )
    assert not found.spoiled.any()
    assert found["mean_absolute_cosine"][:, -1].mean() == pytest.approx(0.305, abs=0.02)


def test_a_claim_is_not_refuted_by_a_batch_whose_spectrum_is_lost(tmp_path: Path) -> None:
    """Samples that agree to the last bits: deep in the network the floats show noise, and say
    nothing.
    """
    rng = np.random.default_rng(0)
    mixed = np.linalg.qr(rng.standard_normal((16, 16))).Q @ np.vstack(
        [
            np.diag([1.0, 1e-150, 1e-150]) @ np.linalg.qr(rng.standard_normal((3, 3))).Q,
            np.zeros((13, 3)),
        ]
    )
    made = conjecture(
        "orthogonality_gap >= 4/5", chain="rescale", n="3", d="256", ell="60", sentinel="81/100"
    ).statement(corpus=tmp_path)
    check = next(check for check in made.checks if isinstance(check, Expectation))
    evidence = check(made, Context(0, 1e-6, batch=Batch.of(mixed, "mixed")))
    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert "spoiled by rounding" in evidence.summary


def test_a_spoiled_pilot_promises_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = conjecture(
        "orthogonality_gap <= 1/100", chain="rescale", n="2", d="64", ell="2", sentinel="1/200"
    ).statement(corpus=tmp_path)
    hunter = next(check.adversary for check in made.checks if hasattr(check, "adversary"))
    item = hunter.design.items(made)[0]
    assert hunter.pilot(made, item) > 0
    real = drawn_networks.simulate

    def spoiled(*given: Any, **more: Any) -> Any:
        found = real(*given, **more)
        return replace(found, rounding=np.ones(found.rounding.shape))

    monkeypatch.setattr(drawn_networks, "simulate", spoiled)
    assert hunter.pilot(made, item) == -10.0


def test_a_table_says_what_is_spoiled(tmp_path: Path) -> None:
    from simulators.sweeps.dispatch import sweep
    from simulators.sweeps.grid import Grid
    from simulators.sweeps.store import Store

    batch = gaussian_batch(16, 3, 0)
    batch[:, 2] = batch[:, 0] * (1 + 1e-12)
    np.save(tmp_path / "b.npy", batch.T)
    grid = Grid.of(
        {
            "chain": "rescale",
            "width": 16,
            "batch": str(tmp_path / "b.npy"),
            "depth": 30,
            "dtype": "float32",
            "engine": "dense",
        }
    )
    with Store(tmp_path / "s.db") as store:
        sweep(grid, store)
        export(store, tmp_path / "t.csv")
    with open(tmp_path / "t.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["spoiled"] for row in rows if row["layer"] == "0"] == ["0"]
    assert rows[-1]["spoiled"] == "1"
