"""Runs that do what real ones should not, in a module of their own, which workers can import."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass

from simulators.sweeps.grid import Grid, SweepRun
from simulators.trajectory import Trajectory


def grid(**fields: object) -> Grid:
    return Grid.of(
        {"chain": "rescale", "width": 8, "batch": 3, "depth": 4, "seeds": "0..9", **fields}
    )


@dataclass(frozen=True)
class Deadly(SweepRun):
    """Kills its worker."""

    def perform(self) -> Trajectory:
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)
        raise RuntimeError("survived")


@dataclass(frozen=True)
class Failing(SweepRun):
    """Raises, in two lines."""

    def perform(self) -> Trajectory:
        raise ArithmeticError("no such\nthing")


@dataclass(frozen=True)
class Slow(SweepRun):
    """Takes a while, of which it tells nobody."""

    def perform(self) -> Trajectory:
        time.sleep(0.05)
        return super().perform()


@dataclass(frozen=True)
class Large(SweepRun):
    """A result that takes longer to hand back than to make."""

    def perform(self) -> Trajectory:
        return Ballast()  # type: ignore[return-value]


class Ballast:
    def to_bytes(self) -> bytes:
        return bytes(200_000_000)


@dataclass(frozen=True)
class Endless(SweepRun):
    def perform(self) -> Trajectory:
        threading.Event().wait(60)
        raise RuntimeError("waited")


def as_(kind: type[SweepRun], run: SweepRun) -> SweepRun:
    return kind(**{name: getattr(run, name) for name in SweepRun.__dataclass_fields__})
