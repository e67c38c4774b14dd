"""A claim whose truth is known by construction, and what its verdict may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Truth(StrEnum):
    """What is known of a claim before anything looks at it."""

    TRUE = "true with a margin"
    FALSE = "false by a margin"
    THIN = "false at isolated points"
    UNDEFINED = "undefined somewhere"


@dataclass(frozen=True)
class RandomClaim:
    """Text and options for ``conjecture``, the truth, and why it is known."""

    text: str
    options: Mapping[str, str]
    truth: Truth
    why: str
    sampled: bool = field(default=False)  # about the mean of a chain

    @property
    def call(self) -> str:
        """The claim as one would type it."""
        given = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        return f"conjecture({self.text!r}, {given})"


#: Words that stand beside the verdicts: a claim refused at the door, and a crash.
REFUSED, CRASHED = "refused", "crashed"

HOLDS = ("proved", "certified", "supported")


def wrong(truth: Truth, verdict: str) -> bool:
    """Whether the verdict asserts something false: the suite must never say this."""
    if verdict == CRASHED:
        return True
    if truth is Truth.TRUE:
        return verdict == "refuted"
    return verdict in HOLDS


def right(truth: Truth, verdict: str) -> bool:
    """Whether the verdict says what is known; ``inconclusive`` is neither right nor wrong."""
    if truth is Truth.TRUE:
        return verdict in HOLDS
    if truth is Truth.UNDEFINED:
        return verdict in (REFUSED, "refuted", "outside")
    return verdict == "refuted"
