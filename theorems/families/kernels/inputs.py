"""Exact inputs of the family's claims: the weights of a kernel, and a correlation.

Inputs are mappings by symbol name. Corners: the kernels ρ, ρ², ½ + ½ρ² and mixtures, at
correlations -1, 0, ½, next to 1 and 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import product

from simulators.lazy import composite
from simulators.lazy import strategies as st
from simulators.strategies import CLOSE

__all__ = ["Item", "corners", "kernels", "of_slope_one", "of_slope_one_corners", "without_constant"]

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
    return st.one_of(st.fractions(-1, 1, max_denominator=60), near)


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
    share = draw(st.fractions(0, 1, max_denominator=20))
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
