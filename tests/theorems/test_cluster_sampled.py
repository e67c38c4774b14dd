"""The cluster family's sampled claims, on small budgets: true versions stand, wrong ones are
refuted.
"""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sympy as sp

from simulators import batchnorm_chain, recenter_relu_chain, simulate
from simulators.engines.mean_field import outlier_fixed_point
from theorems import Statement, Verdict, get, library
from theorems.checking.expectation import Expectation, Instance
from theorems.context import Context
from theorems.families.cluster import emergence, two_blocks
from theorems.families.cluster.notation import m, n
from theorems.statement import Sentinel
from theorems.verification import verify

#: Written down here and not read from the statements.
EXPECTED = {
    "two_block_invariance:in_floats": Verdict.SUPPORTED,
    "two_block_invariance:rescaled_in_floats": Verdict.SUPPORTED,
    "norm_ratio:gaussian": Verdict.SUPPORTED,
    "norm_ratio:uniform": Verdict.SUPPORTED,
    "norm_ratio:rademacher": Verdict.SUPPORTED,
    "norm_ratio:asymmetric": Verdict.REFUTED,
    "spread_growth:mean_field": Verdict.CERTIFIED,
    "spread_growth:lone_least": Verdict.CERTIFIED,
    "spread_growth:unstable": Verdict.CERTIFIED,
    "spread_growth:finite": Verdict.SUPPORTED,
    "emergence:outlier": Verdict.SUPPORTED,
    "emergence:none": Verdict.SUPPORTED,
    "emergence:wide": Verdict.SUPPORTED,
    "emergence:transient": Verdict.SUPPORTED,
    "emergence:escape_time": Verdict.SUPPORTED,
    "rescaling_restores_symmetry": Verdict.SUPPORTED,
}


def test_the_table_is_what_is_declared() -> None:
    declared = {
        x.name.removeprefix("cluster."): x.expected for x in library() if x.family == "cluster"
    }
    assert declared.items() >= EXPECTED.items()


def judged(
    statement: Statement, check: Expectation, level: float = 1e-6
) -> tuple[Verdict, Verdict]:
    found = check(statement, Context(0, level))
    return found.verdict, found.sentinel


def narrowed(statement: Statement, keep: Any, **limits: Any) -> Expectation:
    """The statement's check on the instances that ``keep`` lets through."""
    (check,) = statement.checks
    assert isinstance(check, Expectation)
    return replace(
        check, instances=lambda s, b: [x for x in check.instances(s, b) if keep(x)], **limits
    )


def test_a_stay_is_one_sample_through_the_whole_window() -> None:
    lone = np.array(
        [[-1, 2, 2, 2], [2, 2, 0, 2], [0, 0, 0, 0], [-1, -1, -1, -1], [np.nan, 1, 1, 1]]
    )
    assert emergence.stays(lone, 3, 3).tolist() == [True, False, True, False, True]
    assert emergence.stays(lone, 3, 4).tolist() == [False, False, True, False, False]
    assert emergence.stays(lone, 2, 2).tolist() == [True, False, True, False, True]
    assert emergence.stays(lone, 3, 1).tolist() == [True, True, True, False, True]


def test_the_escape_layer_is_the_first_of_a_long_enough_run() -> None:
    lone = np.array(
        [[-1, 2, 2, 2, 0], [2, 2, 0, 1, 1], [0, 0, 0, 0, 0], [-1, -1, -1, -1, -1], [0, 1, 2, 2, 2]]
    )
    assert emergence.escape_layers(lone, 3).tolist() == [1, 4, 0, 4, 2]
    assert emergence.escape_layers(lone, 2).tolist() == [1, 0, 0, 4, 2]


def test_escape_times_compare_two_widths() -> None:
    check = emergence.EscapeTimes(12, ((40, 64), (400, 64)), (400, 40), 120, 10)
    longer = replace(get("cluster.emergence:escape_time"), rhs=sp.Rational(1, 5))
    found = check(longer, Context(0, 1e-4))
    assert (found.verdict, found.sentinel) == (Verdict.SUPPORTED, Verdict.REFUTED)
    narrow, wide = found.details["escape"]
    assert (narrow["width"], wide["width"]) == (40, 400)
    low, high = wide["low"] / narrow["high"], wide["high"] / narrow["low"]
    assert found.tightness == pytest.approx(1 / 5 / low)
    assert found.power == pytest.approx(1 - low / high)
    assert check(replace(longer, rhs=sp.Integer(9)), Context(0, 1e-4)).verdict is Verdict.REFUTED
    assert check(longer, Context(0, 1e-4, deadline=0.0)).verdict is Verdict.INCONCLUSIVE


def test_blocks_are_apart_in_a_network_if_they_are_at_every_layer() -> None:
    for variant in ("in_floats", "rescaled_in_floats"):
        statement = get(f"cluster.two_block_invariance:{variant}")
        (check,) = statement.checks
        instance = check.instances(statement, None)[0]
        first = int(instance.readouts[0]["m"])
        seen = np.array([[0, 1, 1, 1], [1, 1, 0, 1], [1, 0, 1, 1], [1, 1, 1, 0], [1, 1, 1, 1.0]])
        found = check.sample(
            statement, SimpleNamespace(values={f"orthogonal({first})": seen}), instance
        )
        assert found.tolist() == [[1], [0], [0], [0], [1]]


def test_an_outlier_emerges_and_the_false_threshold_falls() -> None:
    cases = (emergence._Case(6, 100, 300, (50,)), emergence._Case(12, 100, 200, (20,)))
    check = Expectation(
        lambda statement, batch: emergence._laid_out(emergence._random_start, cases),
        emergence._persistent,
        emergence._LONE[:1],
        resolution=1.0,
        first=128,
        replicas=256,
    )
    assert judged(get("cluster.emergence:outlier"), check) == (Verdict.SUPPORTED, Verdict.REFUTED)
    inverted = replace(
        get("cluster.emergence:outlier"),
        relation="<=",
        rhs=sp.Rational(1, 2),
        sentinel=Sentinel("0", rhs=sp.S.Zero),
    )
    assert judged(inverted, check)[0] is Verdict.REFUTED


def test_the_start_at_the_outlier_is_the_fixed_point() -> None:
    start = emergence._outlier_start(9)
    point = outlier_fixed_point(9)
    assert point is not None
    gram = start.T @ start
    assert gram[0, 0] == pytest.approx(1)
    assert gram[0, 1] == pytest.approx(point.cluster_cosine)
    assert gram[8, 8] == pytest.approx(point.norm_ratio)
    assert gram[0, 8] / np.sqrt(gram[8, 8]) == pytest.approx(point.outlier_cosine)
    assert (
        simulate(recenter_relu_chain(16), start, depth=1, observables=("lone_outlier",))[
            "lone_outlier"
        ][0, 0]
        == 8
    )


def test_rescaling_restores_symmetry_and_its_absence_does_not() -> None:
    check = narrowed(emergence.RESTORED, lambda x: x.label == "n=16, d=400")
    assert judged(emergence.RESTORED, check) == (Verdict.SUPPORTED, Verdict.REFUTED)

    def without(statement: Statement, batch: Any) -> list[Instance]:
        return [
            replace(x, chain=recenter_relu_chain(400)) for x in check.instances(statement, batch)
        ]

    assert judged(emergence.RESTORED, replace(check, instances=without))[0] is Verdict.REFUTED
    assert repr(batchnorm_chain(400)) in {
        repr(x.chain) for x in check.instances(emergence.RESTORED, None)
    }


@pytest.mark.parametrize("variant", ["gaussian", "uniform", "rademacher"])
def test_the_norm_ratio_of_symmetric_laws(variant: str) -> None:
    statement = get(f"cluster.norm_ratio:{variant}")
    check = narrowed(statement, lambda x: x.label in ("n=5, m=4", "n=5, m=1"), resolution=0.05)
    assert judged(statement, check) == (Verdict.SUPPORTED, Verdict.REFUTED)
    wrong = replace(statement, rhs=sp.Rational(3, 5), sentinel=Sentinel("1", rhs=sp.S.One))
    assert judged(wrong, check)[0] is Verdict.REFUTED


def test_without_symmetry_the_norm_ratio_fails() -> None:
    (result,) = verify(["cluster.norm_ratio:asymmetric"])
    assert result.verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    "wrong",
    [n**2 / (m**2 + (n - m) ** 2 + 1), n / m, 2 * two_blocks.growth, sp.Integer(1)],
    ids=str,
)
def test_another_growth_is_refuted(wrong: sp.Expr) -> None:
    other = replace(
        two_blocks.MEAN_FIELD,
        lhs=sp.Abs(two_blocks.GROWTH - wrong),
        sentinel=Sentinel("0", lhs=sp.S.Zero),
    )
    (check,) = other.checks
    found = replace(check, examples=3)(other, Context(0, 1e-6))  # type: ignore[type-var]
    assert found.verdict is Verdict.REFUTED


def test_the_spread_grows_at_finite_width() -> None:
    check = narrowed(
        two_blocks.FINITE, lambda x: x.label in ("n=3, m=2", "n=5, m=3"), resolution=0.05
    )
    assert judged(two_blocks.FINITE, check) == (Verdict.SUPPORTED, Verdict.REFUTED)


@pytest.mark.parametrize(
    "name",
    [
        "norm_ratio:gaussian",
        "emergence:outlier",
        "spread_growth:finite",
        "two_block_invariance:in_floats",
    ],
)
def test_claims_about_other_starts_have_no_use_for_a_batch(name: str) -> None:
    with pytest.raises(ValueError, match=f"it has no part in cluster.{name}; leave it out"):
        verify([f"cluster.{name}"], batch=np.eye(4))


def test_two_block_batches() -> None:
    batch = two_blocks.two_block_batch(6, 2, 5, seed=1)
    assert batch.shape == (6, 5)
    assert (batch[:, :2] == batch[:, [0]]).all()
    assert (batch[:, 2:] == batch[:, [4]]).all()
    assert not np.allclose(batch[:, 0], batch[:, 4])
