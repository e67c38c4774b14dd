"""Statements about batch normalisation in random deep networks, and what can be said for each.

- ``library()``, ``get(name)``, ``select(names)``: the statements
- ``Family``: a family of statements, and how another package brings one
- ``verify(names, batch=..., seed=..., level=..., budget=...)``: check them
- ``inspect(module, batch)``: what the theory says of a network of your own
- ``watch_training(module, batch)``: what becomes of it while it is trained
- ``conjecture``: state a claim of your own
- ``discover``: have bounds proposed, attacked and ranked
- ``Statement``, ``Evidence``, ``Verdict`` and what they are made of

Names are imported when they are first used: the pytest plugin is loaded in runs that never use
them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theorems.family import Family
    from theorems.inspection import inspect, watch_training
    from theorems.registry import UnknownNameError, get, library, select
    from theorems.statement import (
        Assumption,
        ClaimError,
        Evidence,
        Quantifier,
        Sentinel,
        Source,
        Statement,
        Variable,
        Verdict,
    )
    from theorems.verification import Result, verify
    from theorems.workbench.conjecture import Conjecture, conjecture
    from theorems.workbench.discovery import Bound, Discovery, discover

__all__ = [
    "Assumption",
    "Bound",
    "ClaimError",
    "Conjecture",
    "Discovery",
    "Evidence",
    "Family",
    "Quantifier",
    "Result",
    "Sentinel",
    "Source",
    "Statement",
    "UnknownNameError",
    "Variable",
    "Verdict",
    "conjecture",
    "discover",
    "get",
    "inspect",
    "library",
    "select",
    "verify",
    "watch_training",
]

_HOME = {
    "Family": "theorems.family",
    **dict.fromkeys(("UnknownNameError", "get", "library", "select"), "theorems.registry"),
    **dict.fromkeys(("Result", "verify"), "theorems.verification"),
    **dict.fromkeys(("Conjecture", "conjecture"), "theorems.workbench.conjecture"),
    **dict.fromkeys(("Bound", "Discovery", "discover"), "theorems.workbench.discovery"),
    **dict.fromkeys(("inspect", "watch_training"), "theorems.inspection"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'theorems' has no attribute {name!r}")
    return getattr(import_module(_HOME.get(name, "theorems.statement")), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
