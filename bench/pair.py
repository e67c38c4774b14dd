"""Two things that take turns: ours, and what it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace

import torch
from threadpoolctl import threadpool_limits

from bench.report.document import Against, Ratio, Side
from bench.timing import Action, Clocks, in_turns
from simulators.workers import use_cores

__all__ = [
    "ROUNDS",
    "Pair",
    "Total",
    "Work",
    "measured",
    "one_thread",
    "slowed",
    "slower",
    "totalled",
]

ROUNDS, JUDGED_ROUNDS = 9, 15
"""Measurements of each side: 9 give an interval at level 0.04. Ratios by which runs are judged have
more, so that the bound of a change lies near its estimate."""


SETTLING = 0.25
"""Seconds after which threads of BLAS and OpenMP that found no more work have gone to sleep."""


@dataclass(frozen=True)
class Work:
    """Something that takes time.

    - ``words``: what it is; ``action``: a call of it; ``amount``: units of work that a call does
    - ``threads``: whether BLAS and Torch keep all their threads; else they have one each
    - ``cores``: how many the engines use at most, so that one is all in one thread; None for all
    - ``elsewhere``: processor seconds that other processes have worked for it so far, if any do
    """

    words: str
    action: Action
    amount: float = 1.0
    threads: bool = False
    cores: int | None = None
    elsewhere: Callable[[], float] | None = None

    def call(self) -> None:
        """Do it, with the threads it is to have."""
        with nullcontext() if self.threads else one_thread(), _at_most(self.cores):
            self.action()


@dataclass(frozen=True)
class Pair:
    """Ours and what it is compared with, in the words of `Ratio`.

    - ``short``: whether the short form measures it
    - ``required``: whether a run fails that misses the target; else it is told
    - ``slowed``: the share of its processor time that was added to ours, see `slower`
    """

    name: str
    against: Against
    about: str
    unit: str
    ours: Work
    others: tuple[Work, ...]
    dtype: str = "float64"
    target: float | None = None
    short: bool = False
    required: bool = True
    slowed: float = 0.0


@dataclass(frozen=True)
class Total:
    """Several pairs with like sides and one unit of work, added up."""

    name: str
    pairs: tuple[Pair, ...]
    target: float | None = None


@contextmanager
def _at_most(cores: int | None) -> Iterator[None]:
    """So many cores for the engines."""
    use_cores(cores)
    try:
        yield
    finally:
        use_cores(None)


@contextmanager
def one_thread() -> Iterator[None]:
    """BLAS and Torch with one thread each, as the engines' own groups of replicas have it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)


def measured(pair: Pair, clocks: Clocks | None = None) -> Ratio:
    """The times of ``pair``, in turns, for a unit of work each."""
    works = [pair.ours, *pair.others]
    if pair.ours.elsewhere is not None:
        clocks = _with_elsewhere(clocks or Clocks(), pair.ours.elsewhere)
    rounds = JUDGED_ROUNDS if pair.against.judged else ROUNDS
    times = in_turns(
        [work.call for work in works],
        rounds,
        clocks,
        pauses=[SETTLING if work.threads else 0.0 for work in works],
    )
    ours, *others = (
        Side.of(work.words, seconds.each(work.amount))
        for work, seconds in zip(works, times, strict=True)
    )
    return Ratio(
        pair.name, pair.against, pair.about, pair.dtype, pair.unit, ours, tuple(others), pair.target
    )


def _with_elsewhere(clocks: Clocks, elsewhere: Callable[[], float]) -> Clocks:
    """Clocks that count what other processes work, too."""
    return replace(clocks, cpu=lambda: clocks.cpu() + elsewhere())


def slowed(action: Action, share: float, clocks: Clocks | None = None) -> Action:
    """The same, and then as much work as takes that share of its processor time again.

    Example:
        >>> from time import process_time
        >>> slowed(lambda: sum(range(1000)), 0.25)()
    """
    cpu = (clocks or Clocks()).cpu

    def act() -> None:
        start = cpu()
        action()
        end = start + (1 + share) * (cpu() - start)
        while cpu() < end:
            pass

    return act


def slower(pair: Pair, share: float) -> Pair:
    """The pair with ours taking that share of its processor time more; 0 leaves it as it is."""
    if not share:
        return pair
    ours = replace(pair.ours, action=slowed(pair.ours.action, share))
    return replace(pair, ours=ours, slowed=share)


def totalled(total: Total, parts: Sequence[Ratio]) -> Ratio:
    """The ratio of sums: the seconds of the parts of ``total`` added up, round by round."""
    first = parts[0]
    return replace(
        first,
        name=total.name,
        ours=_added([each.ours for each in parts]),
        others=tuple(_added(sides) for sides in zip(*(each.others for each in parts), strict=True)),
        target=total.target,
        looks=max(each.looks for each in parts),
    )


def _added(sides: Sequence[Side]) -> Side:
    return Side(
        sides[0].words,
        tuple(map(sum, zip(*(each.wall for each in sides), strict=True))),
        tuple(map(sum, zip(*(each.cpu for each in sides), strict=True))),
    )
