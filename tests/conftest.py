"""Global state that a test may leave behind is put back after it."""

from collections.abc import Iterator

import flint
import pytest


@pytest.fixture(autouse=True)
def ball_precision() -> Iterator[None]:
    """Every test starts at flint's default precision, and one that leaks its own fails."""
    before = flint.ctx.prec
    yield
    after, flint.ctx.prec = flint.ctx.prec, before
    assert after == before, f"flint.ctx.prec was left at {after} bits, and was {before}"
