"""The most memory that a simulation holds, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

from bench.report.document import Memory

__all__ = ["GIB", "SIMULATIONS", "Simulation", "peak"]

GIB, SEED = 2**30, 11

_SCRIPT = """
import json, resource, sys, time
from pathlib import Path
import numpy as np
from simulators import *
from simulators.chains import Chain
from simulators.layers import Recenter, Rescale, Residual

def held():
    if Path("/proc/self/status").exists():  # what getrusage says there is also of who started this
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

batch = np.random.default_rng({seed}).standard_normal({shape})
before, start = held(), time.perf_counter()
simulate({chain}, batch, seed={seed}, {options})
print(json.dumps(dict(seconds=time.perf_counter() - start, peak=held(), before=before)))
"""


@dataclass(frozen=True)
class Simulation:
    """A call of `simulate`, as text: of a chain, from a batch of a shape, with options.

    ``most`` is the memory in bytes that its process may hold, everything imported.
    """

    name: str
    about: str
    chain: str
    shape: tuple[int, int]
    options: str
    most: int | None = 2 * GIB
    short: bool = False


def peak(simulation: Simulation) -> Memory:
    """Run it in a process of its own, and read what the system says that it held at most."""
    script = _SCRIPT.format(
        seed=SEED,
        shape=simulation.shape,
        chain=simulation.chain,
        options=simulation.options,
    )
    outcome = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    found = json.loads(outcome.stdout)
    return Memory(
        simulation.name,
        simulation.about,
        found["peak"],
        found["before"],
        found["seconds"],
        simulation.most,
    )


_RESIDUAL = "Chain((Residual(0.1), Recenter(), Rescale()))"

SIMULATIONS = (
    Simulation(
        "factor, width 10⁶, n = 8, 100 layers",
        "factor",
        "rescale_chain(10**6)",
        (10**6, 8),
        "depth=100, engine='factor'",
    ),
    Simulation(
        "rows, width 10⁶, n = 8, 50 layers",
        "rows",
        _RESIDUAL,
        (10**6, 8),
        "depth=50, every=50, engine='rows'",
    ),
    Simulation(
        "rows forward and back, width 10⁶, n = 8, 50 layers",
        "rows forward and back",
        "batchnorm_chain(10**6, 'tanh')",
        (10**6, 8),
        "depth=50, every=50, engine='rows', observables=['log_gradient_norm'], backward='gaussian'",
    ),
    *(
        Simulation(
            f"{engine}, width 4096, n = 8, 10 layers",
            engine,
            _RESIDUAL if engine != "factor" else "rescale_chain(4096)",
            (4096, 8),
            f"depth=10, every=10, engine={engine!r}",
            None,
            short=True,
        )
        for engine in ("factor", "rows", "dense")
    ),
)
