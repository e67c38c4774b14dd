"""Taking times in turns, by two clocks.

What is compared is measured in one run, one after the other in every round, and the order is
rotated from round to round: a machine that gets slower meanwhile slows all of it alike.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["LEAST", "Action", "Clocks", "Seconds", "in_turns", "timed"]

Action = Callable[[], object]

LEAST = 0.02
"""Seconds of processor time that one measurement takes at least: an action that takes less is
repeated."""


@dataclass(frozen=True)
class Clocks:
    """What time it is, in seconds: ``wall`` as a user waits, ``cpu`` as this process works.

    The second adds up all threads, and stands still while another process has the core.
    """

    wall: Callable[[], float] = time.perf_counter
    cpu: Callable[[], float] = time.process_time


@dataclass(frozen=True)
class Seconds:
    """How long one thing took in each round, by both clocks; of the same length, in order."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]

    def each(self, amount: float) -> Seconds:
        """The same for one unit of what was done ``amount`` times.

        Example:
            >>> Seconds((2.0,), (1.0,)).each(2)
            Seconds(wall=(1.0,), cpu=(0.5,))
        """
        return Seconds(tuple(t / amount for t in self.wall), tuple(t / amount for t in self.cpu))


def timed(action: Action, clocks: Clocks, repeats: int = 1) -> tuple[float, float]:
    """Seconds that one of so many calls took: wall clock, and processor."""
    wall, cpu = clocks.wall(), clocks.cpu()
    for _ in range(repeats):
        action()
    return (clocks.wall() - wall) / repeats, (clocks.cpu() - cpu) / repeats


def in_turns(
    actions: Sequence[Action],
    rounds: int,
    clocks: Clocks | None = None,
    least: float = LEAST,
    pauses: Sequence[float] = (),
) -> list[Seconds]:
    """The times of every action in every round.

    - ``actions``: what is timed; each is called once before, which does not count and tells how
      often it is to be repeated
    - ``rounds``: how many measurements of each
    - ``least``: processor seconds that a measurement takes at least
    - ``pauses``: seconds to wait after each action, where one leaves threads behind that spin and
      would be charged to the next; none by default

    Example:
        >>> one, other = in_turns([lambda: sum(range(9)), lambda: sum(range(99))], 3, least=1e-3)
        >>> len(one.wall), len(other.cpu)
        (3, 3)
    """
    clocks = clocks or Clocks()
    waits = list(pauses) or [0.0] * len(actions)
    repeats = []
    for action, wait in zip(actions, waits, strict=True):
        _, first = timed(action, clocks)
        time.sleep(wait)
        repeats.append(max(1, math.ceil(least / first)) if first > 0 else 1)
    found: list[list[tuple[float, float]]] = [[] for _ in actions]
    order = list(range(len(actions)))
    for turn in range(rounds):
        shift = turn % len(order)
        for index in order[shift:] + order[:shift]:
            found[index].append(timed(actions[index], clocks, repeats[index]))
            time.sleep(waits[index])
    return [
        Seconds(tuple(wall for wall, _ in each), tuple(cpu for _, cpu in each)) for each in found
    ]
