"""Runs one statement, possibly broken on purpose, as the run of the whole library would."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from theorems.checking.expectation import Expectation
from theorems.context import Context
from theorems.statement import Statement
from theorems.verification import Result, overall

LEVEL = 1e-6


def run(
    statement: Statement,
    checks: Iterable[Any] | None = None,
    batch: Any = None,
    level: float = LEVEL,
) -> Result:
    context = Context(0, level, batch)
    found = tuple(
        check(statement, context) for check in (statement.checks if checks is None else checks)
    )
    return Result(statement, overall(found), found, batch is not None)


def only(check: Expectation, *words: str) -> Expectation:
    """The check restricted to the instances whose label contains all ``words``."""

    def instances(statement: Statement, batch: Any) -> list[Any]:
        kept = [
            i for i in check.instances(statement, batch) if all(word in i.label for word in words)
        ]
        assert kept, f"no instance of {statement.name} has {words} in its label"
        return kept

    return replace(check, instances=instances)
