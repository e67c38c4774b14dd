"""Every test of the theorems runs with the guard of the error budget around its checks, and may
draw fewer inputs.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from budget_guard import guarded
from hypothesis import settings


@pytest.fixture(scope="session", autouse=True)
def budget() -> Iterator[None]:
    """No check spends more error probability than it was given."""
    with guarded():
        yield


@pytest.fixture(autouse=True)
def one_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command run in this process has all its checks here, where tests see what they do, unless
    it is given ``--jobs``.
    """
    monkeypatch.setattr("theorems.commands.verify.cores", lambda: 1)
    monkeypatch.setattr("theorems.commands.report.cores", lambda: 1)


@contextmanager
def drawing(count: int) -> Iterator[None]:
    """Conjectures draw so many inputs, and twice as many independent ones, of the usual 100."""
    before = settings.get_current_profile_name()
    settings.register_profile("fewer", max_examples=count)
    settings.load_profile("fewer")
    try:
        yield
    finally:
        settings.load_profile(before)


@pytest.fixture
def few_draws() -> Iterator[None]:
    """A tenth of the usual inputs: for tests of what is done with a verdict, not of how one is
    found.
    """
    with drawing(10):
        yield


@pytest.fixture
def some_draws() -> Iterator[None]:
    """A fifth of the usual inputs: as few as still support a claim at the usual level."""
    with drawing(20):
        yield
