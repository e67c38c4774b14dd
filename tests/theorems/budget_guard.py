"""In every test, whatever check runs, and however deep: the levels of the intervals it asks for stay
within its own, its evidence claims no other error level, and follows from what it found.

The guard stands around every check class of the package and around all that spends error
probability. What a check asks for while it runs is added up; a check that runs another pays for it
too.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from evidence_guard import consistent

from theorems.checking import confidence_intervals
from theorems.checking.confidence_sequence import BoundedMean
from theorems.statement import Check
from theorems.workbench import everywhere

__all__ = ["BudgetError", "check_classes", "guarded", "spending", "watched"]

#: Levels are split by division, and added up again.
_ROUNDING = 1e-9


class BudgetError(AssertionError):
    """A check spent more error probability than it was given, or says that it had more."""


#: Where checks live, or what they spend with.
_PACKAGES = ("checking", "certificates", "workbench", "families")


def _modules() -> list[ModuleType]:
    """Every module of those packages, and whatever else of ours is loaded."""
    for package in _PACKAGES:
        root = importlib.import_module(f"theorems.{package}")
        for found in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
            importlib.import_module(found.name)
    return [module for name, module in sorted(sys.modules.items()) if name.startswith("theorems.")]


def check_classes() -> tuple[type, ...]:
    """Every class of the package whose instances are called with a statement and a context."""
    found = {
        thing
        for module in _modules()
        for thing in vars(module).values()
        if inspect.isclass(thing)
        and thing is not Check
        and thing.__module__.startswith("theorems.")
        and inspect.isfunction(vars(thing).get("__call__"))
        and list(inspect.signature(vars(thing)["__call__"]).parameters)[:3]
        == ["self", "statement", "context"]
    }
    return tuple(sorted(found, key=lambda kind: f"{kind.__module__}.{kind.__qualname__}"))


_running: list[list[float]] = []


def spending(level: float) -> None:
    """Put down that so much error probability is spent, by every check that is running."""
    for spent in _running:
        spent.append(float(level))


def watched(call: Callable[..., Any], kind: type) -> Callable[..., Any]:
    """A check's ``__call__`` that raises `BudgetError` when it spends more than its level, or
    claims more.
    """

    @functools.wraps(call)
    def watching(self: Any, statement: Any, context: Any) -> Any:
        spent: list[float] = []
        _running.append(spent)
        try:
            found = call(self, statement, context)
        finally:
            _running.pop()
        if sum(spent) > context.level * (1 + _ROUNDING):
            raise BudgetError(
                f"{kind.__name__} asked for {len(spent)} intervals at levels that add up to "
                f"{sum(spent):.3g}, and was given {context.level:.3g}"
            )
        if found.details.get("level", 0.0) > context.level * (1 + _ROUNDING):
            raise BudgetError(
                f"{kind.__name__} claims the error level {found.details['level']:.3g}, "
                f"and was given {context.level:.3g}"
            )
        consistent(statement, found)
        return found

    return watching


def _paying(function: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(function)

    @functools.wraps(function)
    def paying(*arguments: Any, **named: Any) -> Any:
        spending(signature.bind(*arguments, **named).arguments["level"])
        return function(*arguments, **named)

    return paying


@contextmanager
def guarded() -> Iterator[None]:
    """Inside, every check raises `BudgetError` when it spends more than its level."""
    undo: list[tuple[Any, str, Any]] = []

    def put(owner: Any, name: str, value: Any) -> None:
        undo.append((owner, name, vars(owner)[name]))
        setattr(owner, name, value)

    for kind in check_classes():
        put(kind, "__call__", watched(vars(kind)["__call__"], kind))
    put(BoundedMean, "__init__", _paying(BoundedMean.__init__))
    for function in (
        confidence_intervals.median_interval,
        confidence_intervals.clopper_pearson,
        everywhere.largest_share,
    ):
        paying = _paying(function)
        for module in _modules():
            for name in [name for name, thing in vars(module).items() if thing is function]:
                put(module, name, paying)
    try:
        yield
    finally:
        for owner, name, value in reversed(undo):
            setattr(owner, name, value)
