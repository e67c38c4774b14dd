"""Libraries that are imported when they are first used, because they take long to load and little
of what imports them ever calls them: listing statements draws no input, and NumPy needs no Torch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    import torch
    from hypothesis import strategies
    from hypothesis.strategies import DrawFn, SearchStrategy

__all__ = ["composite", "strategies", "torch"]

_P = ParamSpec("_P")
_T = TypeVar("_T")


class _Lazy(ModuleType):
    """A module that is imported when something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)


if not TYPE_CHECKING:
    #: ``hypothesis.strategies``
    strategies = _Lazy("hypothesis.strategies")
    #: Torch itself
    torch = _Lazy("torch")


def composite(
    draw_one: Callable[Concatenate[DrawFn, _P], _T],
) -> Callable[_P, SearchStrategy[_T]]:
    """``hypothesis.strategies.composite``, for functions that stand in a module.

    ``draw_one`` takes ``draw`` first. Hypothesis is imported when a strategy is made.

    Example:
        >>> @composite
        ... def pairs(draw, most):
        ...     return draw(strategies.integers(0, most)), draw(strategies.booleans())
        >>> strategy = pairs(3)
    """

    @wraps(draw_one)
    def strategy(*args: _P.args, **kwargs: _P.kwargs) -> SearchStrategy[_T]:
        return strategies.composite(draw_one)(*args, **kwargs)

    return strategy
