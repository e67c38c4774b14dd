"""False neighbours of sampled claims are false where they are used.

Of an equality, in a search, on a batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sympy as sp

from simulators import Chain
from simulators.layers import Linear, Rescale
from simulators.observables import OBSERVABLES, observable
from theorems import Verdict, conjecture, verify
from theorems.workbench.sentinels import derive

SIZES: dict[str, Any] = dict(chain="rescale", n=2, d=8, ell=1)


@pytest.fixture(autouse=True)
def words() -> Iterator[None]:
    with OBSERVABLES.restored():

        @observable(floor=0, ceiling=1)
        def half(H: Any) -> Any:
            """1/2, of every network"""
            return 0 * H[..., 0, 0] + 0.5

        yield


@pytest.mark.parametrize(
    ("seen", "right"),
    [
        ([1.0], "13/10"),
        ([0.5, 2.0], "13/10"),  # false either way
        ([1.31, 1.2], "7/10"),
        ([1.29], "7/10"),
        ([3.0], "7/10"),
        ([0.7], "13/10"),
    ],
)
@pytest.mark.parametrize("value", [1, -2, sp.Rational(1, 7)])
def test_the_neighbour_of_an_equality_is_away_from_what_was_seen(
    seen: list[float], right: str, value: Any
) -> None:
    sides = [(x * float(value), float(value)) for x in seen]
    found = derive(sp.sympify(value), "==", sides, sampled=True)
    assert found.rhs == sp.Rational(right) * value


@pytest.mark.parametrize("value", ["5/13", "1/2", "2/3"])
def test_the_neighbour_of_an_equality_falls_whatever_the_truth(value: str) -> None:
    """At 5/13 the truth is three tenths larger."""
    claim = conjecture(f"half == {value}", name="c", **SIZES).statement(falsify=False)
    (found,) = verify([claim])
    assert found.verdict is (Verdict.SUPPORTED if value == "1/2" else Verdict.REFUTED)
    assert found.evidence[0].sentinel is Verdict.REFUTED


def test_a_search_sees_an_equality_that_is_false_of_what_does_not_vary() -> None:
    claim = conjecture("half == 1/2", name="c", **SIZES).statement(only=True)
    (found,) = verify([claim])
    assert found.evidence[0].sentinel is Verdict.REFUTED
    (found,) = verify([conjecture("half == 3/5", name="c", **SIZES).statement(only=True)])
    assert found.verdict is Verdict.REFUTED


# --- on a batch -----------------------------------------------------------------------------------


CLAIMS: dict[str, dict[str, Any]] = {
    # of samples that are nearly equal the sides are as well; of those of the lay-out they are not
    "orthogonality_gap <= other.orthogonality_gap": dict(
        chain="batchnorm(relu)", other="vanilla(relu)", n=8, d=64, ell=2
    ),
    "orthogonality_gap <= 3/4": dict(chain="rescale", n=4, d=64, ell=2),
    "abs(median(orthogonality_gap) - 3/10) <= 1/5": dict(chain="rescale", n=4, d=64, ell=2),
}


@pytest.mark.parametrize("text", CLAIMS)
def test_the_neighbour_is_false_on_the_batch_of_which_the_verdict_is(text: str) -> None:
    options = CLAIMS[text]
    generator = np.random.default_rng(0)
    n = options["n"]
    batch = np.ones((16, n)) + 0.2 * generator.standard_normal((16, n))
    claim = conjecture(text, name="c", **options).statement(falsify=False)
    (found,) = verify([claim], batch=batch)
    assert found.as_expected
    (evidence,) = found.evidence
    assert evidence.sentinel is Verdict.REFUTED
    # that of a number near another is the same on every start
    assert ("false neighbour there: " in evidence.summary) is not text.startswith("abs(")


def test_a_batch_that_lies_outside_places_nothing() -> None:
    made = conjecture("orthogonality_gap <= 3/4", name="c", chain="rescale", n=4, d=64, ell=2)
    claim = made.statement(falsify=False)
    (found,) = verify([claim], batch=np.random.default_rng(0).standard_normal((16, 5)))
    assert found.verdict is Verdict.OUTSIDE


@pytest.mark.parametrize(("law", "each"), [("gaussian", 16 * 2), ("uniform", 16 * 16)])
def test_the_numbers_that_a_claim_may_draw_are_counted_as_its_networks_draw_them(
    law: str, each: int
) -> None:
    def build(width: int) -> Chain:
        return Chain((Linear(width, law=law), Rescale("frobenius")))

    claim = conjecture("orthogonality_gap <= 1/2", chain=build, n=2, d=16, ell=8, name="c")
    assert claim.design is not None
    assert {one.normals for one in claim.design.instances(claim.draft, None)} == {8 * each}
