"""Values outside the range of their observable are refused, on every sample; rounding is not."""

from __future__ import annotations

from typing import Any

import array_api_compat.torch
import numpy as np
import pytest
from array_api_compat import array_namespace

from simulators.catalogue import Parameter
from simulators.chains import rescale_chain, residual_chain
from simulators.observables import OBSERVABLES, observable
from simulators.ranges import RangeError, end_at, require_within
from simulators.simulate import simulate

BATCH = np.random.default_rng(0).standard_normal((16, 4))


def largest(H: Any) -> Any:
    """the largest entry"""
    xp = array_namespace(H)
    return xp.max(xp.abs(H), axis=(-2, -1))


@pytest.mark.parametrize("library", [np.asarray, array_api_compat.torch.asarray])
@pytest.mark.parametrize(
    ("floor", "ceiling", "words"),
    [
        (0, "1/1000", r"outside its range \[0, 0.001\] at n = 4, d = 16"),
        (2, 3, r"outside its range \[2, 3\]"),
        (None, 1e-3, r"outside its range \[−∞, 0.001\]"),
        ("sqrt(n)", None, r"outside its range \[2, ∞\]"),
    ],
)
@pytest.mark.parametrize("plain", [True, False])
def test_a_value_outside_its_range_is_refused_in_one_line(
    floor: Any, ceiling: Any, words: str, plain: bool, library: Any
) -> None:
    """Of an observable in the catalogue, and of a plain function that has the attributes."""

    def shown(H: Any) -> Any:
        """the largest entry"""
        return largest(H) / 2**4

    with OBSERVABLES.restored():
        given: Any = shown
        if plain:
            shown.floor, shown.ceiling = floor, ceiling  # type: ignore[attr-defined]
        else:
            observable(floor=floor, ceiling=ceiling)(shown)
            given = "shown"
        with pytest.raises(RangeError, match=f"observable 'shown' gave .*{words}") as caught:
            simulate(rescale_chain(16), library(BATCH), depth=2, observables=(given,))
    assert "\n" not in str(caught.value)


def test_one_sample_among_many_is_enough() -> None:
    """A rare violation, at one layer of one replica."""
    seen: list[float] = []

    def gathered(H: Any) -> Any:
        found = largest(H)
        seen.extend(found[:, :].ravel().tolist())
        return found

    chain = residual_chain(16, 0.5)
    options: dict[str, Any] = {"depth": 20, "replicas": 30, "seed": 4}
    simulate(chain, BATCH, observables=(gathered,), **options)
    second, first = sorted(set(seen))[-2:]

    def allowed(H: Any) -> Any:
        return largest(H)

    allowed.ceiling = first  # type: ignore[attr-defined]
    simulate(chain, BATCH, observables=(allowed,), **options)

    def exceeded(H: Any) -> Any:
        return largest(H)

    exceeded.ceiling = (first + second) / 2  # type: ignore[attr-defined]
    with pytest.raises(RangeError, match="'exceeded' gave"):
        simulate(chain, BATCH, observables=(exceeded,), **options)


def test_the_range_may_depend_on_a_parameter() -> None:
    with OBSERVABLES.restored():

        @observable(
            floor=0,
            ceiling=lambda p: f"n**{1 / p}",
            parameter=Parameter("p", "shown", 1, 9, "2"),
        )
        def shown(H: Any, p: float) -> Any:
            """a norm of ones, of order {p}"""
            xp = array_namespace(H)
            return xp.sum(xp.ones_like(H[..., 0, :]), axis=-1) ** (1 / 2)

        simulate(rescale_chain(16), BATCH, depth=1, observables=("shown(2)",))
        with pytest.raises(RangeError, match=r"'shown\(4\)' gave 2, outside its range \[0, 1.414"):
            simulate(rescale_chain(16), BATCH, depth=1, observables=("shown(4)",))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rounding_is_let_through_and_no_more(dtype: str) -> None:
    eps = float(np.finfo(dtype).eps)
    require_within("x", np.array([1 + 16 * eps, np.nan], dtype), 0, 1, 4, 16)
    require_within("x", np.array([-16 * eps], dtype), 0, 1, 4, 16)
    for value in (1 + 1e5 * eps, -1e5 * eps, np.inf):
        with pytest.raises(RangeError):
            require_within("x", np.array([0.5, value], dtype), 0, 1, 4, 16)
    with pytest.raises(RangeError):
        require_within("x", np.array([3]), 0, 2, 4, 16)


@pytest.mark.parametrize(
    ("end", "value"),
    [
        (None, None),
        (0.25, 0.25),
        ("min(n, d)", 4.0),
        ("-sqrt(d)/2", -2.0),
        ("n**2 - 1", 15.0),
        ("log(exp(max(n, d)))", 16.0),
    ],
)
def test_ends_are_numbers_or_formulas_in_the_sizes(end: Any, value: float | None) -> None:
    assert end_at(end, 4, 16) == value


@pytest.mark.parametrize(
    "end", ["m", "sqrt(", "n.real", "__import__('os')", "1/(n - n)", "sqrt(-n)", ""]
)
def test_a_range_that_is_no_formula_is_refused_where_it_is_declared(end: str) -> None:
    with OBSERVABLES.restored(), pytest.raises(ValueError, match="want a number, or a formula"):
        observable(floor=0, ceiling=end)(largest)
