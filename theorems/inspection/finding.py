"""One statement beside one network: what is assumed, what is predicted, what is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from theorems.inspection.judging import Floats, Measures
from theorems.inspection.recognition import Recognised
from theorems.inspection.stages import Stage
from theorems.inspection.watching import Call

__all__ = ["Finding", "Reading", "Watched"]


@dataclass(frozen=True)
class Reading:
    """One quantity in plain words, its predicted value or bound, and its value in this network."""

    quantity: str
    predicted: float
    measured: float


@dataclass(frozen=True)
class Finding:
    """A statement and this network: whether its assumptions are met, what it predicts, what is seen.

    ``measured`` is to be at most ``predicted``. Where the statement is no upper bound, ``measured`` is a distance from
    what it says, or a quotient, as ``why`` tells, and ``readings`` has the plain quantities. ``holds`` is None where
    the assumptions are not met, or nothing could be seen to fail at this width and depth.
    """

    statement: str
    met: bool
    why: str
    predicted: float | None = None
    measured: float | None = None
    holds: bool | None = None
    readings: tuple[Reading, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {**self.__dict__, "readings": [dict(reading.__dict__) for reading in self.readings]}


@dataclass(frozen=True)
class Watched:
    """What the families look at: the chain, all calls, and the judged layers' stages, features and measures.

    ``batch`` and each of ``features`` are (d, n), one sample per column.
    """

    recognised: Recognised
    calls: Sequence[Call]
    stages: Sequence[Stage]
    batch: Floats
    features: Sequence[Floats]
    measures: Sequence[Measures]
    seed: int
