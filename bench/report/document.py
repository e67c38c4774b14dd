"""What a run of the benchmarks found, as one document: classes, and the JSON they are kept in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from bench.intervals import Interval, median_interval
from bench.report.numbers import number
from bench.timing import Seconds
from simulators.documents import Schema1, Wanted, plain, read_json, structured, write_json

__all__ = [
    "Absent",
    "Against",
    "Environment",
    "Growth",
    "Memory",
    "Ratio",
    "Run",
    "Side",
    "Verdicts",
    "read_run",
    "write_run",
]

MOST_BYTES = 2**24
"""A longer file is no document of a run."""

Text = Annotated[str, Wanted("text", lambda text: bool(text))]
Positive = Annotated[float, Wanted("a positive number", lambda x: 0 < x < math.inf)]
Whole = Annotated[int, Wanted("a whole number, 1 or more", lambda x: x >= 1)]


class Against(StrEnum):
    """What a measurement of ours is compared with."""

    LOOP = "published loop"
    PEER = "peer"
    DENSE = "dense weights"
    NORMALS = "random numbers"
    OURS = "another of ours"

    @property
    def judged(self) -> bool:
        """Whether runs are judged by such ratios: what took turns with ours costs the same in every
        process.

        Loops that ask the system for fresh megabytes in every layer do not: one of Torch's took 109
        or 150 ms, as its memory lay, with the same numbers.
        """
        return self in (Against.NORMALS, Against.OURS)

    @property
    def faster(self) -> bool:
        """Whether a ratio says how many times faster ours is; else what it costs in such units."""
        return self is not Against.NORMALS


@dataclass(frozen=True)
class Side:
    """One of the things that took turns.

    - ``words``: what it is; ``wall``, ``cpu``: seconds of each round for one unit of work
    """

    words: Text
    wall: tuple[Positive, ...]
    cpu: tuple[Positive, ...]

    def __post_init__(self) -> None:
        if len(self.wall) != len(self.cpu) or not self.wall:
            raise ValueError(
                f"{self.words}: {len(self.wall)} rounds by the wall clock and {len(self.cpu)} by "
                "the processor's; want as many, and one or more"
            )

    @classmethod
    def of(cls, words: str, seconds: Seconds) -> Side:
        """A side from its times."""
        return cls(words, seconds.wall, seconds.cpu)


@dataclass(frozen=True)
class Ratio:
    """Ours and one or more others, interleaved.

    - ``name``: unique in a run; ``about``: the engine or part of ours; ``dtype``: of ours
    - ``unit``: the work that the seconds are for
    - ``others``: of several, the quickest counts against the target, and the first, which has one
      thread whatever the machine, is the one that runs are compared by
    - ``target``: at least so many times faster, or at most so many times the cost; None for none
    - ``looks``: how often it was measured; more than once where the first looked worse
    """

    name: Text
    against: Against
    about: Text
    dtype: Text
    unit: Text
    ours: Side
    others: tuple[Side, ...]
    target: Positive | None = None
    looks: Whole = 1

    def __post_init__(self) -> None:
        if not self.others:
            raise ValueError(f"{self.name}: nothing that it is compared with")
        for other in self.others:
            if len(other.wall) != len(self.ours.wall):
                raise ValueError(
                    f"{self.name}: {len(other.wall)} rounds of {other.words} and "
                    f"{len(self.ours.wall)} of ours; want as many"
                )

    @property
    def quickest(self) -> Side:
        """Of the others, the one with the smallest median by the wall clock."""
        return min(self.others, key=lambda side: sorted(side.wall)[len(side.wall) // 2])

    @property
    def found(self) -> Interval:
        """The median over rounds, by the wall clock, against the quickest of the others."""
        return self.against_side(self.quickest)

    def against_side(self, other: Side) -> Interval:
        """The ratio to one of the others: how many times faster, or what it costs."""
        logs = [
            math.log(theirs / ours) for ours, theirs in zip(self.ours.wall, other.wall, strict=True)
        ]
        if not self.against.faster:
            logs = [-each for each in logs]
        interval = median_interval(logs)
        return Interval(*(math.exp(x) for x in (interval.value, interval.low, interval.high)))

    @property
    def log_costs(self) -> list[float]:
        """Log of the processor time of ours over that of the first other, round by round."""
        return [
            math.log(ours / theirs)
            for ours, theirs in zip(self.ours.cpu, self.others[0].cpu, strict=True)
        ]

    @property
    def standing(self) -> str:
        """Whether the target is ``met`` or ``missed``, ``open`` where its interval holds it."""
        if self.target is None:
            return "no target"
        found = self.found
        if found.low <= self.target <= found.high:
            return "open"
        return "met" if (found.value > self.target) is self.against.faster else "missed"

    @property
    def summary(self) -> str:
        """The ratio in one line."""
        found = self.found
        words = "times faster" if self.against.faster else "times the cost"
        ends = f"{number(found.low)} … {number(found.high)}"
        line = f"{self.name}: {number(found.value)} {words} ({ends})"
        return line if self.target is None else f"{line}; target {self.target:g}, {self.standing}"

    @property
    def meets(self) -> bool:
        """Whether the estimate itself keeps to the target; true where there is none."""
        if self.target is None:
            return True
        value = self.found.value
        return value >= self.target if self.against.faster else value <= self.target


@dataclass(frozen=True)
class Growth:
    """How the cost grows with one of the sizes.

    - ``variable``: width, samples, depth, replicas or regions; ``sizes``: its values
    - ``seconds``: processor seconds of each round, one for each size
    - ``most``: the exponent that it should not exceed; None for none
    """

    name: Text
    variable: Text
    about: Text
    sizes: tuple[Whole, ...]
    seconds: tuple[tuple[Positive, ...], ...]
    most: Positive | None = None

    def __post_init__(self) -> None:
        if len(set(self.sizes)) < 2:
            raise ValueError(f"{self.name}: sizes {self.sizes}; want two or more")
        for each in self.seconds:
            if len(each) != len(self.sizes):
                raise ValueError(
                    f"{self.name}: {len(each)} times of a round for {len(self.sizes)} sizes"
                )

    @property
    def found(self) -> Interval:
        """The exponent fitted to each round by least squares in logs: the median over rounds."""
        return median_interval([self._slope(each) for each in self.seconds])

    def _slope(self, seconds: tuple[float, ...]) -> float:
        sizes, times = [math.log(x) for x in self.sizes], [math.log(t) for t in seconds]
        middle = sum(sizes) / len(sizes)
        weights = [x - middle for x in sizes]
        return sum(w * t for w, t in zip(weights, times, strict=True)) / sum(
            w * x for w, x in zip(weights, sizes, strict=True)
        )

    @property
    def standing(self) -> str:
        """Whether the exponent stays below ``most``, in the words of `Ratio.standing`."""
        if self.most is None:
            return "no target"
        found = self.found
        if found.low <= self.most <= found.high:
            return "open"
        return "met" if found.value < self.most else "missed"


@dataclass(frozen=True)
class Memory:
    """The most memory that a process of its own held, in bytes.

    ``before`` is what it held with everything imported and the batch made; ``most`` is the limit.
    """

    name: Text
    about: Text
    peak: Whole
    before: Whole
    seconds: Positive
    most: Whole | None = None

    @property
    def standing(self) -> str:
        """Whether the peak stays below ``most``."""
        if self.most is None:
            return "no target"
        return "met" if self.peak < self.most else "missed"


@dataclass(frozen=True)
class Verdicts:
    """How long the verdicts of one family took, in a process of its own, start-up included.

    - ``statements``: how many were verified, of ``of``; ``first``, ``all``: seconds to the first
      verdict and to the last
    """

    family: Text
    statements: Whole
    of: Whole
    first: Positive
    all: Positive


@dataclass(frozen=True)
class Absent:
    """What could not be measured here, and why."""

    name: Text
    why: Text


@dataclass(frozen=True)
class Environment:
    """What a ratio depends on beyond the code, and when it was measured.

    - ``commit``: of the sources, with ``+`` where they were changed; None outside a clone
    - ``blas``: each library of products, with its kernel; ``threads``: of each of them and of Torch
    - ``load``: processes that wanted a core in the minute before the run, and in its last
    """

    date: Text
    commit: str | None
    versions: Mapping[str, str]
    processor: Text
    cores: Whole
    blas: tuple[str, ...]
    threads: Mapping[str, int]
    load: tuple[float, ...] = ()

    @property
    def machine(self) -> str:
        """What two runs should share for their ratios to be like, in one line."""
        threads = ", ".join(f"{name} {count}" for name, count in self.threads.items())
        return f"{self.processor}, {self.cores} cores; {', '.join(self.blas)}; threads: {threads}"


@dataclass(frozen=True)
class Run:
    """All that one run of the benchmarks established."""

    environment: Environment
    short: bool
    ratios: tuple[Ratio, ...] = ()
    growth: tuple[Growth, ...] = ()
    memory: tuple[Memory, ...] = ()
    verdicts: tuple[Verdicts, ...] = ()
    absent: tuple[Absent, ...] = ()
    schema: Schema1 = 1

    def ratio(self, name: str) -> Ratio | None:
        """The ratio of that name, if it was measured."""
        return next((each for each in self.ratios if each.name == name), None)


def read_run(path: Path | str) -> Run:
    """The run in a file that `write_run` wrote.

    Raises ``OSError`` and ``ValueError`` with one line that says what is wrong with the file.
    """
    return structured(read_json(path, MOST_BYTES), Run, "the run")


def write_run(path: Path, run: Run) -> None:
    """Write ``run`` to ``path`` as JSON, replacing it in one step."""
    write_json(path, plain(asdict(run)))
