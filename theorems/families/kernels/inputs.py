"""Exact inputs of the family's claims: the weights of a kernel, and a correlation.

Inputs are mappings by symbol name. Corners: the kernels ρ, ρ², ½ + ½ρ² and mixtures, at
correlations -1, 0, ½, next to 1 and 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import flint

from simulators.lazy import composite
from simulators.lazy import strategies as st
from simulators.strategies import CLOSE, fractions_between

__all__ = [
    "Item",
    "corners",
    "fixed_point_alone",
    "kernels",
    "of_slope_one",
    "of_slope_one_corners",
    "path_corners",
    "path_end",
    "paths",
    "weights_alone",
    "with_pairs",
    "without_constant",
]

#: Values by symbol name.
Item = Mapping[str, object]

CORRELATIONS = (Fraction(-1), Fraction(0), Fraction(1, 2), 1 - CLOSE, Fraction(1))


def _item(weights: Iterable[Fraction], rho: Fraction) -> Item:
    weights = tuple(weights)
    return {"m": len(weights), "c": weights, "rho": rho}


def _scaled(weights: Sequence[Fraction | int], total: Fraction | int = 1) -> tuple[Fraction, ...]:
    return tuple(Fraction(weight) * total / sum(weights) for weight in weights)


def _correlations() -> st.SearchStrategy[Fraction]:
    near = st.sampled_from((1 - CLOSE, CLOSE - 1, CLOSE))
    return st.one_of(fractions_between(Fraction(-1), Fraction(1), 60), near)


def _positive(size: int) -> st.SearchStrategy[tuple[int, ...]]:
    whole = st.one_of(st.integers(0, 12), st.sampled_from((0, 0, 10**6)))
    return st.tuples(*(whole,) * size).filter(any)


@composite
def kernels(draw: st.DrawFn) -> Item:
    """A kernel of 2 to 8 weights and a correlation.

    Example:
        >>> kernels().validate()
    """
    weights = draw(st.integers(2, 8).flatmap(_positive))
    return _item(_scaled(weights), draw(_correlations()))


@composite
def without_constant(draw: st.DrawFn) -> Item:
    """A kernel with κ(0) = 0, and a correlation.

    Example:
        >>> without_constant().validate()
    """
    weights = draw(st.integers(1, 7).flatmap(_positive))
    return _item((Fraction(0), *_scaled(weights)), draw(_correlations()))


@composite
def of_slope_one(draw: st.DrawFn) -> Item:
    """A kernel with κ′(1) = 1, and a correlation.

    Example:
        >>> of_slope_one().validate()
    """
    weights = draw(st.integers(1, 6).flatmap(_positive))
    share = draw(fractions_between(Fraction(0), Fraction(1), 20))
    return _item(_slope_one(weights, share), draw(_correlations()))


def _slope_one(higher: Sequence[int], share: Fraction) -> tuple[Fraction, ...]:
    """Weights with Σ c_k = Σ k c_k = 1; ``share`` is Σ_{k≥2} k c_k, ``higher`` are c_2, c_3, … up
    to a factor.
    """
    whole = sum(power * weight for power, weight in enumerate(higher, start=2))
    upper = [Fraction(weight) * share / whole for weight in higher]
    constant = sum((power * weight for power, weight in enumerate(upper, start=1)), Fraction(0))
    return (constant, 1 - share, *upper)


def corners(*kernels: tuple[Fraction | int, ...]) -> list[Item]:
    """Each kernel at each of the correlations of the module.

    Example:
        >>> len(corners((0, 1), (0, 0, 1)))
        10
    """
    return [_item(_scaled(each), rho) for each, rho in product(kernels, CORRELATIONS)]


def of_slope_one_corners() -> list[Item]:
    """Kernels with κ′(1) = 1, from ρ itself to ½ + ½ρ².

    Example:
        >>> of_slope_one_corners()[0]["c"]
        (Fraction(0, 1), Fraction(1, 1), Fraction(0, 1))
    """
    found = (
        ((1,), Fraction(0)),
        ((1,), Fraction(1)),
        ((1, 1), Fraction(1, 2)),
        ((0, 1), Fraction(1)),
    )
    return [
        _item(_slope_one(higher, share), rho)
        for (higher, share), rho in product(found, CORRELATIONS)
    ]


@composite
def with_pairs(draw: st.DrawFn) -> Item:
    """A kernel of 2 to 8 weights, and numbers x, y and t in [0, 1].

    Example:
        >>> with_pairs().validate()
    """
    weights = _scaled(draw(st.integers(2, 8).flatmap(_positive)))
    share = fractions_between(Fraction(0), Fraction(1), 60)
    return {"m": len(weights), "c": weights, **{name: draw(share) for name in ("x", "y", "t")}}


def weights_alone(item: Item) -> Item:
    """A kernel without its correlation, for claims that speak of none.

    Example:
        >>> weights_alone({"m": 2, "c": (0, 1), "rho": 1})
        {'m': 2, 'c': (0, 1)}
    """
    return {name: item[name] for name in ("m", "c")}


# --- kernels with a fixed point -------------------------------------------------------------------


def _fixed(
    higher: Sequence[int], share: Fraction, fixed: Fraction, rho: Fraction, ell: int
) -> Item:
    """Weights with Σ c_k = 1 and Σ c_k s^k = s; ``higher`` are c_2, c_3, … up to a factor, and
    ``share`` says which part of the largest possible factor they have.
    """
    upper = list(map(Fraction, higher))
    missing = sum(weight * (1 - fixed**power) for power, weight in enumerate(upper, start=2))
    upper = [weight * share * (1 - fixed) / missing for weight in upper]
    total = sum(upper, Fraction(0))
    moved = sum((weight * fixed**power for power, weight in enumerate(upper, start=2)), Fraction(0))
    linear = 1 - (total - moved) / (1 - fixed)
    weights = (1 - total - linear, linear, *upper)
    return {"m": len(weights), "c": weights, "rho_star": fixed, "rho_0": rho, "ell": ell}


@composite
def paths(draw: st.DrawFn) -> Item:
    """A kernel with a rational fixed point below 1, a start and a depth of up to 40 layers.

    Example:
        >>> paths().validate()
    """
    higher = draw(st.integers(1, 6).flatmap(_positive))
    share = draw(fractions_between(Fraction(0), Fraction(1), 20))
    fixed = draw(fractions_between(Fraction(0), Fraction(19, 20), 20))
    start = draw(_correlations().filter(lambda rho: abs(rho) < 1))
    return _fixed(higher, share, fixed, start, draw(st.integers(1, 40)))


def path_corners() -> list[Item]:
    """The kernel .3 + .1ρ + .6ρ² next to alignment, of 22 layers and one, ρ itself, and ρ² + ρ³.

    Example:
        >>> path_corners()[0]["c"]
        (Fraction(3, 10), Fraction(1, 10), Fraction(3, 5))
    """
    half, near = Fraction(1, 2), Fraction(999, 1000)
    tenths = (Fraction(3, 10), Fraction(1, 10), Fraction(3, 5))
    quadratic = {"m": 3, "c": tenths, "rho_star": half}
    return [
        {**quadratic, "rho_0": near, "ell": 22},
        {**quadratic, "rho_0": -near, "ell": 1},
        {"m": 2, "c": (Fraction(0), Fraction(1)), "rho_star": half, "rho_0": Fraction(0), "ell": 3},
        # weights of sum 2, for whoever leaves out that it is 1
        {"m": 4, "c": (0, 0, 1, 1), "rho_star": Fraction(0), "rho_0": near, "ell": 6},
    ]


#: Beyond so many digits of a path's rationals it is followed in balls.
_LONGEST = 2000


def path_end(item: Mapping[str, Any]) -> Item:
    """A path with ``rho_l``, where its correlation ends: exact, or in a ball where the exact
    number would be long.

    Example:
        >>> path_end({"c": (0, 0, 1), "rho_0": Fraction(1, 2), "ell": 2})["rho_l"]
        1/16
    """
    weights = [flint.fmpq(*Fraction(weight).as_integer_ratio()) for weight in item["c"]]
    rho = flint.fmpq(*Fraction(item["rho_0"]).as_integer_ratio())
    for _ in range(int(item["ell"])):
        if isinstance(rho, flint.fmpq) and rho.height_bits() > _LONGEST:
            rho = flint.arb(rho)
        value = flint.fmpq(0)
        for weight in reversed(weights):
            value = value * rho + weight
        rho = value
    return {**item, "rho_l": rho}


def fixed_point_alone(item: Item) -> Item:
    """A kernel with its fixed point, for claims that speak of no path.

    Example:
        >>> fixed_point_alone(path_corners()[2])["rho_star"]
        Fraction(1, 2)
    """
    return {name: item[name] for name in ("m", "c", "rho_star")}
