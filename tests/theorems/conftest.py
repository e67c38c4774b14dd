"""Every test of the theorems runs with the guard of the error budget around its checks."""

from collections.abc import Iterator

import pytest
from budget_guard import guarded


@pytest.fixture(scope="session", autouse=True)
def budget() -> Iterator[None]:
    """No check spends more error probability than it was given."""
    with guarded():
        yield
