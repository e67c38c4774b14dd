"""Every test of the theorems runs with the guard of the error budget around its checks, and may draw fewer inputs."""

from collections.abc import Iterator

import pytest
from budget_guard import guarded
from hypothesis import settings


@pytest.fixture(scope="session", autouse=True)
def budget() -> Iterator[None]:
    """No check spends more error probability than it was given."""
    with guarded():
        yield


@pytest.fixture
def few_draws() -> Iterator[None]:
    """Conjectures draw a tenth of the usual inputs: for tests of what is done with a verdict, not of how one is found.

    A profile that a test loads is gone after it.
    """
    before = settings.get_current_profile_name()
    settings.register_profile("few", max_examples=10)
    settings.load_profile("few")
    yield
    settings.load_profile(before)
