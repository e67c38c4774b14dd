"""What a test reports of a statement that is new, in place of turning red."""

from __future__ import annotations

from importlib import import_module
from typing import NoReturn

import pytest

from theorems.families import FAMILIES

#: How the reason of such a skip begins; ``tests/conftest.py`` prints them at the end of a run.
MARK = "new: "


def new(words: str) -> NoReturn:
    """End the test: what it asks is not on record yet, and ``words`` say so and what to do."""
    pytest.skip(MARK + words)


def with_own_file() -> frozenset[str]:
    """Names of the statements that have a file each: no table of these tests knows them."""
    folders = [f"{reference.partition(':')[0]}.statements" for reference in FAMILIES]
    found = [import_module(folder).STATEMENTS for folder in folders]
    return frozenset(s.name for statements in found for s in statements)
