"""The circumstances of a check: seed, share of the error budget, batch, deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from simulators.batches import Batch

if TYPE_CHECKING:
    from simulators.training import Experiment

__all__ = ["Context"]


Found = TypeVar("Found")


def _silent(_: str) -> None:
    return None


@dataclass(frozen=True)
class Context:
    """The circumstances of one check.

    ``level`` is the probability of a false verdict this check may spend. ``deadline`` is a value of
    ``time.monotonic()`` after which a check stops sampling and reports what it has. ``memory``
    holds samples that the variants of one theorem share. ``progress`` is told what is being done.
    ``thorough``: a check that samples goes on to its full power where a verdict needs less.
    ``experiment``: on which images, where and at which sizes networks are trained; None for what
    a check takes by default. ``declared`` has the level of each statement that does not share that
    of the run, by name.

    Example:
        >>> whole = Context(seed=0, level=1e-6)
        >>> whole.share(4).level, whole.expired
        (2.5e-07, False)
    """

    seed: int
    level: float
    batch: Batch | None = None
    deadline: float | None = None
    progress: Callable[[str], None] = _silent
    memory: dict[Hashable, Any] = field(default_factory=dict)
    thorough: bool = False
    experiment: Experiment | None = None
    declared: Mapping[str, float] = field(default_factory=dict)

    @property
    def array(self) -> NDArray[np.float64] | None:
        """The user's batch, (d, n) in float64 with a sample in each column; None where there is
        none.
        """
        return None if self.batch is None else self.batch.array

    def remembered(self, key: Hashable, make: Callable[[], Found]) -> Found:
        """Make something once for all variants of a theorem.

        Args:
            key: what it is known by; hashable.
            make: makes it, without arguments.

        Returns:
            What ``make`` gave when this key was first asked for, by whichever variant.

        Example:
            >>> context = Context(seed=0, level=1e-6)
            >>> context.remembered("answer", lambda: 42), context.remembered("answer", lambda: 43)
            (42, 42)
        """
        if key not in self.memory:
            self.memory[key] = make()
        found: Found = self.memory[key]
        return found

    def stream(self, *names: object) -> tuple[int, ...]:
        """Entropy for ``SeedSequence``: the run's seed, then one word per name.

        Example:
            >>> a, b = (Context(7, 1e-6).stream(name) for name in ("a", "b"))
            >>> a[0] == b[0] == 7, a[1] == b[1]
            (True, False)
        """
        return (self.seed, *(crc32(str(name).encode()) for name in names))

    def share(self, parts: int) -> Context:
        """The same circumstances with an equal part of the error budget.

        Args:
            parts: into how many the level is split; fewer than 1 count as 1.

        Returns:
            A context of ``level / parts``. Samples are remembered in the same ``memory``.
        """
        return replace(self, level=self.level / max(parts, 1))

    def of(self, name: str, checks: int) -> Context:
        """The circumstances of one check of a statement, which may have a level of its own.

        Args:
            name: of the statement.
            checks: how many it has, over which its own level is split.

        Example:
            >>> own = Context(seed=0, level=1e-9, declared={"mine.claim": 1e-3})
            >>> own.of("mine.claim", 2).level, own.of("mine.other", 2).level
            (0.0005, 1e-09)
        """
        if name not in self.declared:
            return self
        return replace(self, level=self.declared[name]).share(checks)

    @property
    def expired(self) -> bool:
        """Whether the time that a user allowed is up; never where none was given."""
        return self.deadline is not None and time.monotonic() > self.deadline
