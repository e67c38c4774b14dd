"""A false neighbour that is placed by what was seen says something that some law has: where the
bound would leave the range of what is compared, it stays before the end of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given
from hypothesis import strategies as st

from simulators import Chain
from simulators.layers import Activation, LayerNorm, Linear
from simulators.observables import OBSERVABLES, observable
from theorems import Verdict, conjecture, verify
from theorems.statement import ClaimError, Statement
from theorems.templates.expectation import STATEMENT
from theorems.workbench.ranged_neighbours import Ends, Sides, toward_end, turned_about
from theorems.workbench.sentinels import derive

SIZES: dict[str, Any] = dict(chain="rescale", n=2, d=8, ell=1)


@pytest.fixture(autouse=True)
def words() -> Iterator[None]:
    with OBSERVABLES.restored():

        @observable(floor=0, ceiling=1)
        def uniform(H: Any) -> Any:
            """The rank of one entry among normal ones: uniform on [0, 1], nearly"""
            entry = H[..., 0, 0] / (H[..., 0] ** 2).sum(-1) ** 0.5
            return 0.5 + 0.5 * np.sign(entry) * (abs(entry) ** 0.5)

        @observable(floor=0, ceiling=1)
        def one(H: Any) -> Any:
            """1, of every network"""
            return 0 * H[..., 0, 0] + 1

        @observable(floor=0, ceiling=1)
        def nothing(H: Any) -> Any:
            """0, of every network"""
            return 0 * H[..., 0, 0]

        @observable(floor=1, ceiling=2)
        def high(H: Any) -> Any:
            """1 and a share of the norm of a sample in one entry"""
            return 1.9 + 0.1 * H[..., 0, 0] ** 2 / (H[..., 0] ** 2).sum(-1)

        yield


def stated(text: str, **more: Any) -> Statement:
    return conjecture(text, name="c", **{**SIZES, **more}).statement(falsify=False)


#: Both directions; what is seen at an end, next to it, and far from it; means, medians and
#: probabilities; of floors other than 0.
TRUE = [
    "probability(uniform >= 1/100) >= 9/10",
    "probability(uniform < 1/100) <= 1/10",
    "probability(uniform >= 1/2) >= 1/3",
    "probability(uniform >= 1/2) <= 9/10",
    "probability(one >= 1/2) >= 99/100",
    "probability(nothing >= 1/2) <= 1/100",
    "probability(high >= 19/10) >= 9/10",
    "one >= 9/10",
    "nothing <= 1/10",
    "high >= 3/2",
    "high <= 199/100",
    "median(high) >= 17/10",
    "median(one) >= 1/2",
    "abs(probability(one >= 1/2) - 9/10) <= 3/20",
]


@pytest.mark.parametrize("text", TRUE)
def test_a_true_claim_about_a_bounded_number_has_a_neighbour_that_may_hold(text: str) -> None:
    claim = conjecture(text, name="c", **SIZES)
    statement = claim.statement(falsify=False)
    assert claim.design is not None
    right = float(statement.neighbour.rhs)
    if statement.sentinel.lhs is None:
        low, high = claim.design.ends(claim.design.numbers(claim.design.items(statement)[0]))
        assert low <= right <= high
    (found,) = verify([statement])
    assert found.verdict is Verdict.SUPPORTED
    assert found.evidence[0].sentinel is Verdict.REFUTED


def test_so_has_one_about_a_chain_with_layer_normalisation() -> None:
    def gelu(width: int) -> Chain:
        return Chain((Linear(width), LayerNorm(), Activation("gelu")))

    statement = stated("probability(effective_rank <= 19/10) >= 9/10", chain=gelu, d=16, ell=16)
    assert 0.9 < float(statement.neighbour.rhs) < 1
    (found,) = verify([statement])
    assert found.verdict is Verdict.SUPPORTED
    assert found.evidence[0].sentinel is Verdict.REFUTED


GIVEN = [
    ("one >= 1/2", "2", "falls whatever is measured: it is 2 at n=2"),
    ("probability(one >= 1/2) >= 1/2", "3/2", "what is compared lies in [0, 1]"),
    ("high <= 3/2", "1/2", "it is 0.5 at"),
    ("median(high) == 3/2", "5/2", "it is 2.5 at"),
    ("one >= 1/2", "1/4", "follows from the claim"),
    ("one >= 1/2", "1/2", "follows from the claim"),
    ("one == 1/2", "1/2", "follows from the claim"),
    ("log_norm <= 9", "10", "follows from the claim"),
    ("one >= 1/2", "one", "names one, which a bound cannot depend on"),
    ("one >= 1/2", "sqrt(n - 3)", "has no value at n=2"),
]


@pytest.mark.parametrize(("text", "sentinel", "said"), GIVEN)
def test_a_neighbour_of_the_author_that_tells_nothing_is_refused(
    text: str, sentinel: str, said: str
) -> None:
    with pytest.raises(ClaimError, match=re.escape(said)) as refused:
        conjecture(text, name="c", sentinel=sentinel, **SIZES)
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith("c: sentinel=")


@pytest.mark.parametrize(
    ("text", "sentinel"),
    [("one >= 1/2", "1"), ("high <= 199/100", "3/2"), ("median(high) == 3/2", "1")],
)
def test_one_that_may_hold_is_taken(text: str, sentinel: str) -> None:
    assert stated(text, sentinel=sentinel).sentinel.rhs == sp.Rational(sentinel)


def test_so_it_is_for_claims_about_every_input_and_about_exponents() -> None:
    spectra: dict[str, Any] = dict(over="spectra", n="2..4", name="c")
    with pytest.raises(ClaimError, match="falls whatever is measured: it is -1 at n=2"):
        conjecture("orthogonality_gap <= 1/2", sentinel="-1", **spectra)
    with pytest.raises(ClaimError, match="follows from the claim"):
        conjecture("x**2 <= 1", over="parameters", x="[0, 2]", sentinel="2")
    slope: dict[str, Any] = dict(chain="rescale", n=2, d="16..64", ell=4, quantifier="limit")
    for bound, words in (("-1", "falls whatever"), ("1", "follows from")):
        with pytest.raises(ClaimError, match=words):
            conjecture(
                "abs(slope + 1/2) <= 1/20",
                observable="orthogonality_gap",
                sentinel=bound,
                assume="smallest_eigenvalue_0 >= 1/4",
                **slope,
            )


def test_an_equality_that_its_range_leaves_no_neighbour_is_refused() -> None:
    for options in (dict(over="spectra"), dict(chain="rescale", d=8, ell=1)):
        with pytest.raises(ClaimError, match="vacuous everywhere: effective_rank lies in"):
            conjecture("effective_rank == 1", n=1, name="c", **options)
    with pytest.raises(ClaimError, match=r"no false neighbour was found .* give sentinel='…'"):
        derive(sp.S.One, "==", [(1, 1), (1, 1)], sampled=False, ends=[(1, 1), (0, 1)])


def test_ends_that_depend_on_sizes_count_as_they_are_at_each_size() -> None:
    n = sp.Symbol("n", integer=True, positive=True)
    equal = conjecture("effective_rank == 1", over="spectra", n="1..4", name="c").statement()
    assert equal.sentinel.rhs == n / 2 + sp.Rational(1, 2)
    tight = stated("effective_rank >= 19*n/20", n="2..4", d=256, ell=8)
    for size in (2, 3, 4):
        right = float(tight.bound(n=size, d=256)), float(tight.neighbour.bound(n=size, d=256))
        assert right[0] < right[1] < size


def test_the_neighbour_of_a_limit_is_false_of_every_start_where_they_are_not_forgotten() -> None:
    """Equal samples keep the cosine 1; others come to some .9 in a dozen layers."""
    statement = stated(
        "limit(cosine) >= 1/2", chain="vanilla(relu)", d=64, ell="12..14", assume="alive"
    )
    assert statement.sentinel.words.startswith("the other way about")
    (found,) = verify([statement])
    assert found.verdict is Verdict.SUPPORTED
    assert found.evidence[0].sentinel is Verdict.REFUTED


FALSE = [
    "probability(uniform >= 1/2) >= 9/10",
    "probability(nothing >= 1/2) >= 9/10",
    "probability(one >= 1/2) <= 1/100",
    "nothing >= 9/10",
    "high >= 199/100",
    "probability(uniform >= 1/2) == 9/10",
    "nothing == 9/10",
    "one == 0",
]


@pytest.mark.parametrize("text", FALSE)
def test_so_has_a_false_one(text: str) -> None:
    statement = stated(text)
    assert statement.sentinel.lhs is None
    low = 1 if "high" in text else 0
    assert low <= float(statement.neighbour.rhs) <= low + 1
    (found,) = verify([statement])
    assert found.verdict is Verdict.REFUTED
    assert found.evidence[0].sentinel is Verdict.REFUTED


def test_what_was_seen_at_the_end_of_the_range_leaves_the_claim_turned_about() -> None:
    sentinel = stated("probability(one >= 1/2) >= 9/10").sentinel
    assert sentinel.words.startswith("the other way about, with the bound 13/14: what was seen")


@pytest.mark.parametrize("text", ["absolute_cosine >= 1/2", "probability(cosine >= 1/2) >= 9/10"])
def test_a_claim_turned_about_falls_in_the_search_and_on_a_batch_as_well(text: str) -> None:
    """Means of cosines are carried on from the layers before, probabilities are not."""
    made = conjecture(text, name="c", chain="vanilla(relu)", n=2, d=64, ell=32).statement()
    batch = np.ones((64, 2)) + 0.01 * np.random.default_rng(0).standard_normal((64, 2))
    for options in ({}, {"batch": batch}):
        (found,) = verify([made], **options)
        assert found.verdict is Verdict.SUPPORTED
        assert {each.sentinel for each in found.evidence} == {Verdict.REFUTED}


def test_the_neighbour_of_a_claim_about_every_input_stays_in_the_range() -> None:
    about: dict[str, Any] = dict(over="spectra", n=2, assume="effective_rank >= 199/100")
    statement = conjecture("effective_rank >= 3/2", name="c", **about).statement(falsify=False)
    assert statement.sentinel.lhs is not None  # only the end of the range is looked at
    assert 1 <= -float(statement.neighbour.rhs) <= 2
    (found,) = verify([statement])
    assert found.verdict in (Verdict.SUPPORTED, Verdict.CERTIFIED)
    assert found.evidence[0].sentinel is Verdict.REFUTED


# --- any bounds, wherever they were met -----------------------------------------------------------


@st.composite
def looks(draw: st.DrawFn) -> tuple[list[tuple[float, float]], list[Ends]]:
    low = draw(st.sampled_from([-1.0, 0.0, 1.0, 0.3]))
    high = low + draw(st.sampled_from([1.0, 2.0, 1e-3, 50.0]))
    shares = st.sampled_from([0.0, 1.0, 0.5, 1e-7, 1 - 1e-7]) | st.floats(0.0, 1.0)
    count = draw(st.integers(1, 4))
    right = low + draw(shares) * (high - low)
    seen = [(low + draw(shares) * (high - low), right) for _ in range(count)]
    return seen, [(low, high)] * count


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize("relation", ["<=", ">=", "<", ">"])
@given(looks())
def test_a_neighbour_lies_in_the_range_and_is_false_of_what_was_seen(
    relation: str, sampled: bool, looked: tuple[list[tuple[float, float]], list[Ends]]
) -> None:
    seen, ends = looked
    (low, high), right = ends[0], seen[0][1]
    lower = relation in (">=", ">")
    found, lefts = _placed(sp.Rational(right), relation, seen, ends, sampled), [x for x, _ in seen]
    if found is not None:
        slack = 1e-7 * max(abs(low), abs(high))
        assert low - slack <= found <= high + slack
        assert min(lefts) < found if lower else found < max(lefts)
        return
    statement = _with(relation)
    turned, finer = turned_about(statement, seen, ends)
    assert turned.rhs is not None
    assert 0 < finer <= 0.1
    # minus the number is claimed to be beyond minus the bound
    assert low <= -float(turned.rhs) <= high


@given(looks())
def test_so_does_that_of_an_equality(
    looked: tuple[list[tuple[float, float]], list[Ends]],
) -> None:
    seen, ends = looked
    (low, high), right = ends[0], seen[0][1]
    assume(low <= 0.7 * right <= high)
    found = derive(sp.Rational(right), "==", seen, sampled=True, span=high - low, ends=ends)
    assert found is not None
    assert found.rhs is not None
    assert low <= float(found.rhs) <= high


def _with(relation: str) -> Statement:
    return replace(STATEMENT, relation=relation)


def _placed(
    rhs: sp.Expr, relation: str, seen: Sides, ends: Sequence[Ends], sampled: bool
) -> float | None:
    found = derive(rhs, relation, seen, sampled=sampled, ends=ends)
    if found is None:
        beyond = toward_end(rhs, relation, seen, ends, sampled=sampled)
        found = None if beyond is None else beyond[0]
    return None if found is None or found.rhs is None else float(found.rhs)
