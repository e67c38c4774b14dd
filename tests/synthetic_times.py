"""Clocks that tell what a cost model says, and runs of benchmarks whose truth is known.

No test asserts a time: in these, a round costs what is declared, times noise like that of a real
machine. All of a round share how slow the machine is; each side has noise of its own; and each run
has a little bias of its own, as memory lies otherwise in another process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from bench.report import Against, Environment, Growth, Memory, Ratio, Run, Side, Verdicts
from bench.timing import Clocks, Seconds

ENVIRONMENT = Environment(
    date="2026-01-02 03:04 UTC",
    commit="0123456789ab",
    versions={"python": "3.11.7", "batchnorm-theorems": "0.1.0"},
    processor="a processor",
    cores=2,
    blas=("openblas 0.3 (Haswell)",),
    threads={"openblas": 2, "torch": 2},
    load=(0.5, 0.6),
)


@dataclass
class ModelledClock:
    """Time passes only where an action says that it took some."""

    now: float = 0.0
    calls: list[str] = field(default_factory=list)

    def action(self, name: str, cost: float) -> Callable[[], None]:
        """An action that takes ``cost`` seconds by this clock."""

        def act() -> None:
            self.now += cost
            self.calls.append(name)

        return act

    @property
    def clocks(self) -> Clocks:
        """Both clocks, which agree."""
        return Clocks(lambda: self.now, lambda: self.now)


@dataclass
class Machine:
    """Where synthetic runs are taken.

    - ``noise``: deviation of one side's log time in a round
    - ``bias``: deviation of a run's log ratio, the same in all its rounds
    - ``busy``: share of rounds in which another process has the core for half of the time
    """

    generator: np.random.Generator
    noise: float = 0.02
    bias: float = 0.01
    busy: float = 0.0

    def sides(self, ours: float, other: float, rounds: int) -> tuple[Seconds, Seconds]:
        """Times of two things of these costs, taken in turns."""
        draw = self.generator
        common = np.exp(draw.normal(0, 0.3) + np.cumsum(draw.normal(0, 0.05, rounds)))
        bias = np.exp(draw.normal(0, self.bias))
        found = []
        for cost in (ours * bias, other):
            cpu = cost * common * np.exp(np.abs(draw.normal(0, self.noise, rounds)))
            wall = cpu * np.where(draw.random(rounds) < self.busy, 2.0, 1.0)
            found.append(Seconds(tuple(map(float, wall)), tuple(map(float, cpu))))
        return found[0], found[1]

    def ratio(self, name: str, ours: float, other: float = 1.0, rounds: int = 9) -> Ratio:
        """A measured pair of these costs."""
        mine, theirs = self.sides(ours, other, rounds)
        return Ratio(
            name,
            Against.NORMALS,
            "factor",
            "float64",
            "a layer",
            Side.of("ours", mine),
            (Side.of("the normals", theirs),),
        )

    def run(self, costs: Mapping[str, float]) -> Run:
        """A run of several pairs, each with what ours costs."""
        ratios = tuple(self.ratio(name, cost) for name, cost in costs.items())
        return Run(ENVIRONMENT, True, ratios)


def whole_run() -> Run:
    """A run with something of everything, the same each time."""
    machine = Machine(np.random.default_rng(0))
    loop, normals = machine.sides(1.0, 90.0, 9), machine.sides(1.5, 1.0, 9)
    doubled = tuple(tuple(1e-4 * (1 + k / 50) * size for size in (10, 100)) for k in range(9))
    return Run(
        ENVIRONMENT,
        False,
        ratios=(
            Ratio(
                "factor against a <loop>",
                Against.LOOP,
                "factor",
                "float64",
                "an experiment",
                Side.of("simulate", loop[0]),
                (Side.of("the loop", loop[1]),),
                target=100.0,
            ),
            *(
                Ratio(
                    f"factor, {dtype}, against its normals",
                    Against.NORMALS,
                    "factor",
                    dtype,
                    "a layer",
                    Side.of("simulate", normals[0]),
                    (Side.of("drawing", normals[1]),),
                    target=2.5,
                )
                for dtype in ("float64", "float32")
            ),
        ),
        growth=(Growth("factor against width", "width", "factor", (10, 100), doubled, 1.1),),
        memory=(Memory("factor, width 10⁶", "factor", 2**28, 2**26, 3.0, 2**31),),
        verdicts=(Verdicts("a family", 3, 20, 2.5, 10.0),),
    )
