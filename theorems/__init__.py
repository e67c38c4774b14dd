"""Statements about batch normalisation in random deep networks, and what can be said for each.

- ``library()``, ``get(name)``, ``select(names)``: the statements
- ``verify(names, batch=..., seed=..., level=..., budget=...)``: check them
- ``inspect(module, batch)``: what the theory says of a network of your own
- ``Statement``, ``Evidence``, ``Verdict`` and what they are made of
"""

from theorems.inspection import inspect
from theorems.registry import UnknownNameError, get, library, select
from theorems.statement import Assumption, Evidence, Quantifier, Sentinel, Source, Statement, Variable, Verdict
from theorems.verification import Result, verify

__all__ = [
    "Assumption",
    "Evidence",
    "Quantifier",
    "Result",
    "Sentinel",
    "Source",
    "Statement",
    "UnknownNameError",
    "Variable",
    "Verdict",
    "get",
    "inspect",
    "library",
    "select",
    "verify",
]
