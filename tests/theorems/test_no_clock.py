"""No verdict by the clock: none without a budget, and with one the same verdict or
``inconclusive``.
"""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import cache
from itertools import count
from typing import Any

import pytest
from hypothesis import strategies as st

from theorems import Verdict, conjecture, verify
from theorems.checking.hypothesis_search import search
from theorems.checking.pointwise import Pointwise
from theorems.context import Context
from theorems.statement import Statement

pytestmark = pytest.mark.usefixtures("some_draws")

CLAIMS = [
    (
        "smallest_eigenvalue <= 1/n - orthogonality_gap**2/(4*n)",
        dict(over="spectra", n="2..4"),
        Verdict.CERTIFIED,
    ),
    ("sqrt(x*y) <= (x + y)/2", dict(x="[0, 10]", y="[0, 10]"), Verdict.CERTIFIED),
    ("exp(x) >= 1 + x - 1/100", dict(x="[-1, 1]"), Verdict.CERTIFIED),
    ("n**2 <= 2**n + 1", dict(n="1..90"), Verdict.CERTIFIED),
    ("exp(x) >= 1 + x", dict(x="[-1, 1]"), Verdict.SUPPORTED),
    ("exp(-10**8*(x-314159/1000003)**2) <= 1/2", dict(x="[0, 1]"), Verdict.REFUTED),
    ("effective_rank <= 2", dict(over="matrices", n="1..3", d="1..3"), Verdict.REFUTED),
    (
        "orthogonality_gap <= 3*sqrt(n/d)",
        dict(chain="rescale", n=2, d="64..128", ell=16, assume="smallest_eigenvalue_0 >= 1/(8*n)"),
        Verdict.SUPPORTED,
    ),
    ("orthogonality_gap <= 1/100", dict(chain="rescale", n=2, d="64..128", ell=8), Verdict.REFUTED),
]


class Clock:
    """Time that moves by ``step`` whenever it is asked for."""

    def __init__(self, step: float) -> None:
        self.step, self.asked = step, count()

    def __call__(self) -> float:
        return 1e6 + self.step * next(self.asked)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    def run(step: float) -> None:
        for name in ("monotonic", "perf_counter", "time"):
            monkeypatch.setattr(time, name, Clock(step))

    yield run
    monkeypatch.undo()


@cache
def stated(number: int, falsify: bool) -> Statement:
    """The statement of a claim in the list."""
    claim, options, _ = CLAIMS[number]
    return conjecture(claim, name="c", **options).statement(falsify=falsify)


@pytest.mark.parametrize("step", [0.0, 1000.0], ids=["stopped", "racing"])
@pytest.mark.parametrize(("claim", "options", "want"), CLAIMS, ids=[c for c, *_ in CLAIMS])
def test_without_a_budget_no_clock_has_a_say(
    claim: str, options: dict[str, Any], want: Verdict, step: float, clock: Callable[[float], None]
) -> None:
    if want is Verdict.CERTIFIED and ("sqrt" in claim or "spectra" in options.values()):
        pytest.importorskip("z3")
    clock(step)
    (result,) = verify([conjecture(claim, name="c", **options).statement()])
    assert result.verdict is want


@pytest.mark.parametrize("looks", [0, 1, 30, 300])
@pytest.mark.parametrize("number", range(len(CLAIMS)), ids=[c for c, *_ in CLAIMS])
def test_what_a_budget_cuts_says_inconclusive(
    number: int, looks: int, clock: Callable[[float], None]
) -> None:
    """Out of time at the so-manyth look at the clock, wherever that is."""
    statement = stated(number, looks % 2 == 0)
    clock(1.0)
    (result,) = verify([statement], budget=looks + 0.5)
    assert result.verdict in (CLAIMS[number][2], Verdict.INCONCLUSIVE)


def test_products_are_of_one_thread_whatever_the_machine_has() -> None:
    from threadpoolctl import threadpool_info, threadpool_limits

    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    def look(statement: Any, context: Context) -> Any:
        seen.append(threads())
        return statement.checks[1](statement, context)

    seen: list[set[int]] = []
    claim = conjecture("x <= 2*x", x="0..3", name="c").statement()
    with threadpool_limits(limits=2, user_api="blas"):
        outside = threads()
        verify([replace(claim, checks=(look, *claim.checks[1:]))])
        assert threads() == outside
    assert seen == [{1}]


def test_a_budget_that_is_spent_stops_draws_and_corners() -> None:
    seen: list[Any] = []

    def values(x: int) -> dict[str, int]:
        seen.append(x)
        return {"x": x}

    statement = conjecture("x >= 0", x="0..9", name="c").statement(falsify=False)
    check = Pointwise(values, lambda: st.integers(0, 9), lambda: range(5))
    found = check(statement, Context(0, 1e-6, deadline=0.0))
    assert (found.verdict, seen) == (Verdict.INCONCLUSIVE, [])
    assert "out of time" in found.summary


def test_a_violation_is_not_lost_where_time_runs_out_while_it_is_shrunk() -> None:
    met: list[int] = []

    def violates(x: int) -> bool:
        met.append(x)
        return (
            x > 100 and sum(x > 100 for x in met) == 1
        )  # and never again, as where the budget is spent

    assert search(st.integers(0, 10**6), violates, seed=0, examples=50) == next(
        x for x in met if x > 100
    )


@pytest.mark.parametrize(
    ("last", "kept"), [(5, (None,)), (23, range(102, 10**6 + 1)), (500, (101,))]
)
def test_nothing_is_drawn_once_a_search_is_over(last: int, kept: Collection[int | None]) -> None:
    """Over after some draws, or while what was found is shrunk: then that is kept."""
    met: list[int] = []

    def violates(x: int) -> bool:
        met.append(x)
        return x > 100 and len(met) > 20

    simplest = search(
        st.integers(0, 10**6), violates, seed=0, examples=1000, over=lambda: len(met) >= last
    )
    assert simplest in kept
    assert len(met) <= last


def test_what_is_drawn_owes_nothing_to_the_modules_that_are_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from hypothesis.internal.conjecture import providers

    def drawn() -> list[int]:
        found: list[int] = []
        search(st.integers(0, 10**9), lambda x: bool(found.append(x)), seed=3, examples=300)
        return found

    first = drawn()
    loaded = providers.Constants(integers={k * 1001 for k in range(200)})  # type: ignore[arg-type]
    monkeypatch.setattr(providers, "_get_local_constants", lambda: loaded)
    monkeypatch.setattr(providers, "CONSTANTS_CACHE", {})
    assert drawn() == first
