"""The stationary rank: what counts as forgotten, the paths under it, and claims that fall where
they should.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy as sp

from simulators import effective_rank, simulate, soft_rank
from simulators.chains import residual_chain
from theorems import Statement, Verdict, get
from theorems.context import Context
from theorems.families.rank import average
from theorems.families.rank.average import (
    NETWORKS,
    SMALL_GAMMA,
    Exponent,
    median_ranks,
    median_soft_ranks,
)
from theorems.families.rank.networks import (
    AFFORDABLE,
    BURN_IN,
    CORRELATION,
    TAUS,
    WINDOW,
    Network,
    nearly_equal_rows,
    ranks,
    relaxation,
)
from theorems.verification import verify

LOWER, UNIT, SOFT, EXPONENT, SMALL = (
    get(f"rank.average_rank:{variant}")
    for variant in ("lower", "unit_constant", "soft_rank", "exponent", "small_gamma")
)
SIGNS = Network(8, math.inf, "rademacher", replicas=48)
#: Small enough for seconds, of the kind the statements run.
FEW = (
    Network(8, math.inf, replicas=200),
    Network(8, 0.3, replicas=200),
    Network(16, 0.3, "rademacher", replicas=60),
)


def with_checks(statement: Statement, *checks: Any) -> Statement:
    return replace(statement, checks=checks)


def test_the_ranks_are_the_observables() -> None:
    H = np.random.default_rng(0).standard_normal((5, 7, 7))
    found = ranks(H, width=7) * math.sqrt(7)
    np.testing.assert_allclose(found[:, 0], effective_rank(H), rtol=1e-10)
    for place, tau in enumerate(TAUS, start=1):
        np.testing.assert_allclose(found[:, place], soft_rank(H, tau), rtol=1e-12)


def test_the_second_start_is_of_low_rank() -> None:
    H = nearly_equal_rows(16)
    np.testing.assert_allclose(
        H @ H.T / 16, np.full((16, 16), CORRELATION) + 0.1 * np.eye(16), atol=1e-12
    )
    assert effective_rank(H) < 1.3


def test_averages_are_taken_after_the_burn_in_over_both_starts() -> None:
    network, context = Network(6, 0.5, replicas=5), Context(3, 1e-6)
    found = network.run(context)
    every = relaxation(6, 0.5)
    path = simulate(
        residual_chain(6, 0.5),
        np.eye(6),
        depth=every * (BURN_IN + WINDOW),
        every=every,
        replicas=5,
        engine="dense",
        dtype="float32",
        observables=("effective_rank",),
        seed=context.stream("stationary", network.label),
    )["effective_rank"]
    expected = path[:, 1 + BURN_IN :].mean(axis=1) / math.sqrt(6)
    np.testing.assert_allclose(found.averages[0, :, 0], expected, rtol=1e-5)
    assert found.averages.shape == (2, 5, 1 + len(TAUS))
    assert network.run(context) is found  # once for all variants


def test_a_short_run_says_that_its_start_is_not_forgotten() -> None:
    short = Network(8, 0.01, replicas=10, layers=70).run(Context(0, 1e-6))
    assert short.apart > 0.5
    assert "not forgotten after 40 layers" in short.obstacle
    assert Network(8, 1.0, replicas=100).run(Context(0, 1e-6)).obstacle == ""


def test_correlated_layers_are_worth_less_than_their_number() -> None:
    slow = Network(8, 0.01, replicas=100, layers=700).run(Context(0, 1e-6))
    quick = Network(8, 1.0, replicas=100).run(Context(0, 1e-6))
    assert slow.effective < 1.5 * 100
    assert quick.effective > 1.8 * 100


def test_the_lower_bound_stands_and_a_third_is_no_half_again() -> None:
    (result,) = verify([with_checks(LOWER, median_ranks(FEW))])
    assert result.verdict is Verdict.SUPPORTED
    assert result.as_expected
    wrong = replace(
        LOWER, rhs=sp.sqrt(average.d) * sp.Rational(11, 10), checks=(median_ranks(FEW),)
    )
    assert verify([wrong])[0].verdict is Verdict.REFUTED


def test_the_constant_one_is_refuted_at_small_widths() -> None:
    (result,) = verify([with_checks(UNIT, median_ranks(FEW[:2]))])
    assert result.verdict is Verdict.REFUTED
    assert result.as_expected


def test_the_soft_rank_is_above_on_every_path() -> None:
    (result,) = verify([with_checks(SOFT, median_soft_ranks(FEW))])
    assert result.as_expected
    rows = result.evidence[0].details["readouts"]
    assert len(rows) == len(FEW) * len(TAUS)
    assert all(row["least margin at a layer"] >= 0 for row in rows)
    # at τ → 1 the factor vanishes; without it the claim fails
    without = replace(SOFT, rhs=sp.Integer(2), checks=(median_soft_ranks(FEW),))
    assert verify([without])[0].verdict is Verdict.REFUTED


def test_the_exponent_is_a_half_and_not_one() -> None:
    networks = tuple(Network(width, 0.5, replicas=150) for width in (8, 64))
    (result,) = verify([replace(EXPONENT, rhs=sp.Rational(1, 5), checks=(Exponent(networks),))])
    assert result.as_expected
    one = replace(
        EXPONENT,
        lhs=sp.Abs(average.beta - 1),
        sentinel=replace(EXPONENT.sentinel, lhs=EXPONENT.lhs),
        rhs=sp.Rational(1, 5),
        checks=(Exponent(networks),),
    )
    assert verify([one])[0].verdict is Verdict.REFUTED


def test_an_exponent_of_networks_that_remember_is_open() -> None:
    networks = (Network(8, 0.01, replicas=60, layers=70), Network(16, 0.5, replicas=60))
    (result,) = verify([with_checks(EXPONENT, Exponent(networks))])
    assert result.verdict is Verdict.INCONCLUSIVE
    (on_batch,) = verify([with_checks(EXPONENT, Exponent(networks))], batch=np.eye(8))
    assert on_batch.verdict is Verdict.OUTSIDE
    assert "needs several" in on_batch.evidence[0].summary
    (few,) = verify(
        [
            with_checks(
                EXPONENT, Exponent((Network(8, 1.0, replicas=9), Network(16, 1.0, replicas=9)))
            )
        ]
    )
    assert "too few networks" in few.evidence[0].summary
    few.as_json()


def test_small_branches_are_left_open() -> None:
    (result,) = verify([with_checks(SMALL, median_ranks((Network(8, 1e-3, layers=700),)))])
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.as_expected
    (row,) = result.evidence[0].details["readouts"]
    assert row["medians r_bar"][0] > 2 * row["medians r_bar"][1]  # the starts, apart
    assert "10% allowed" in row["obstacle"]
    assert "effective_layers" not in row


def test_what_is_too_much_to_draw_is_named_and_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Network, "run", lambda *_: pytest.fail("it ran"))
    (result,) = verify([with_checks(SMALL, median_ranks((Network(512, 0.01),)))])
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "not run: 8e+10 weights to draw" in result.evidence[0].summary


def test_every_cell_of_the_widths_and_branches_is_run_or_left_open() -> None:
    cells = {(n.width, n.gamma) for n in (*NETWORKS, *SMALL_GAMMA) if n.law == "gaussian"}
    wanted = {
        (width, gamma)
        for width in (8, 16, 32, 64, 128, 256, 512)
        for gamma in (1e-3, 0.01, 0.1, 1.0, math.inf)
    }
    # the remark says so; at d = 8 the bound is below 1, and cannot fail
    assert wanted - cells == {(512, 1.0), (512, math.inf), (8, 0.01)}
    assert all(n.weights <= AFFORDABLE for n in NETWORKS)


def test_a_batch_is_run_at_the_size_of_branch_that_the_claim_is_about() -> None:
    (result,) = verify(
        [with_checks(SMALL, median_ranks((), Network(8, 1e-3, layers=70)))], batch=np.eye(9)
    )
    (row,) = result.evidence[0].details["readouts"]
    assert (row["d"], row["gamma"], row["verdict"]) == (9, "0.001", Verdict.INCONCLUSIVE)


def test_a_square_batch_of_full_rank_is_a_start_and_another_is_outside() -> None:
    batch = np.random.default_rng(1).standard_normal((12, 12))
    (result,) = verify([LOWER], batch=batch)
    assert result.verdict is Verdict.SUPPORTED
    assert [row["d"] for row in result.evidence[0].details["readouts"]] == [12]
    for wrong in (batch[:, :5], np.ones((6, 6))):
        assert verify([LOWER], batch=wrong)[0].verdict is Verdict.OUTSIDE


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((1, 0.1), "width=1; a rank needs 2 rows"), ((0, 0.1), "width=0 is below 1"),
     ((8, -0.1), "gamma=-0.1"), ((8, math.nan), "gamma=nan"), ((8, 0.0), "gamma=0"),
     ((8, 0.1, "cauchy"), "law 'cauchy'"), ((8, 0.1, "gaussian", 48, 3), "layers=3"),
     ((8, 0.1, "gaussian", 0), "replicas=0"), ((8, 0.1, "gaussian", 1), "replicas=1")],
)  # fmt: skip
def test_what_is_no_network_is_refused_by_name(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Network(*arguments)


def test_two_rows_are_a_network() -> None:
    assert Network(2, 0.1).width == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None, 0.1), "width=None"),
        ((8, 0.1, "gaussian", 1.5), "replicas=1.5"),
        ((8, 0.1, "gaussian", 48, "x"), "layers='x'"),
    ],
)
def test_what_is_no_number_is_refused_by_name(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Network(*arguments)


def _rank_modulo(matrix: np.ndarray, prime: int = 2**31 - 1) -> int:
    """The rank over the integers modulo a prime: at most the rank over the rationals, and rarely
    less.
    """
    rows, rank = matrix.copy() % prime, 0
    for column in range(rows.shape[1]):
        pivots = [k for k in range(rank, len(rows)) if rows[k, column]]
        if not pivots:
            continue
        rows[[rank, pivots[0]]] = rows[[pivots[0], rank]]
        rows[rank] = rows[rank] * pow(int(rows[rank, column]), -1, prime) % prime
        below = rows[rank + 1 :]
        rows[rank + 1 :] = (below - np.outer(below[:, column], rows[rank])) % prime
        rank += 1
    return rank


def test_signs_alone_lose_rank_for_good_and_floats_do_not_say_otherwise() -> None:
    """W is singular in every other layer at d = 8; rescaling rows changes no rank, so whole numbers
    tell it.
    """
    assert all((n.width, n.gamma, n.law) != (8, math.inf, "rademacher") for n in NETWORKS)
    draws, ranks = np.random.default_rng(0), []
    for _ in range(20):
        product = np.eye(8, dtype=object)
        for _ in range(60):
            product = draws.choice([-1, 1], (8, 8)).astype(object) @ product % (2**31 - 1)
        ranks.append(_rank_modulo(product))
    assert max(ranks) < 8
    assert np.mean(ranks) < 6.5
    found = SIGNS.run(Context(0, 1e-6))
    assert np.isnan(found.averages).any(), "some samples are spoiled, and said to be"
