"""Global state that a test may leave behind is put back after it."""

import signal
from collections.abc import Iterator

import flint
import pytest

# A shell starts what it puts into the background deaf to Ctrl-C, and children inherit that: tests of Ctrl-C need ears.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def ball_precision() -> Iterator[None]:
    """Every test starts at flint's default precision, and one that leaks its own fails."""
    before = flint.ctx.prec
    yield
    after, flint.ctx.prec = flint.ctx.prec, before
    assert after == before, f"flint.ctx.prec was left at {after} bits, and was {before}"
