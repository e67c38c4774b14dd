"""Hypothesis as a search for one input: what it draws depends on the seed alone, and what it found
is never lost.

Hypothesis mixes constants of the modules that happen to be loaded into its draws, so that the same
seed draws other inputs in another process; here it does not. A test that fails once and then passes
(out of time, say) makes it raise ``Flaky``; here the input that failed is kept, and decided again
by who asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


__all__ = ["search"]

Item = TypeVar("Item")


#: Hypothesis' own method that draws constants.
_CONSTANTS = "_maybe_draw_constant"


class _EnoughError(BaseException):
    """Ends Hypothesis' run at once; it would take an ``Exception`` for a failure of the test."""


class _FoundError(Exception):
    """Tells Hypothesis that an input is what is looked for, so that it shrinks it."""


@contextmanager
def _seeded() -> Iterator[None]:
    """Draws come from the seed, and from nothing that the process happens to hold."""
    from hypothesis.internal.conjecture.providers import HypothesisProvider

    usual = getattr(HypothesisProvider, _CONSTANTS, None)
    if usual is None:  # a version without them, or with other ways
        yield
        return
    setattr(HypothesisProvider, _CONSTANTS, lambda *_, **__: None)
    try:
        yield
    finally:
        setattr(HypothesisProvider, _CONSTANTS, usual)


def search(
    strategy: SearchStrategy[Item],
    wanted: Callable[[Item], bool],
    *,
    seed: int,
    examples: int,
    targeted: bool = False,
    over: Callable[[], bool] = lambda: False,
) -> Item | None:
    """The simplest input met at which ``wanted`` is true, among ``examples`` drawn and what they
    shrink to; or None.

    ``targeted``: ``wanted`` calls ``hypothesis.target``. Nothing more is drawn once it is ``over``.
    What ``wanted`` or the strategy raises is passed on.

    Example:
        >>> from hypothesis import strategies as st
        >>> search(st.integers(0, 1000), lambda x: x * x > 50, seed=0, examples=50)
        8
    """
    import hypothesis
    from hypothesis.errors import Flaky

    found: list[Item] = []

    def examine(item: Item) -> None:
        if wanted(item):
            found.append(item)
            raise _FoundError
        if over():
            raise _EnoughError

    phases = [
        hypothesis.Phase.generate,
        *[hypothesis.Phase.target] * targeted,
        hypothesis.Phase.shrink,
    ]
    quiet = hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=phases,
    )
    with _seeded():
        try:
            hypothesis.seed(seed)(quiet(hypothesis.given(strategy)(examine)))()
        except (_FoundError, _EnoughError):
            pass
        except Flaky:
            if not found:
                raise
    return found[-1] if found else None
