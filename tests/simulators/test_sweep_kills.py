"""Workers and the main process of a sweep are killed at random: nothing finished is lost or
doubled.
"""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from sweep_samples import grid
from test_sweep import children, environment, gone

from simulators.sweeps.dispatch import FRUITLESS
from simulators.sweeps.store import Store
from simulators.trajectory import Trajectory

RUNS = grid(width=64, batch=8, depth=300, seeds="0..79", replicas=2).runs()
SCRIPT = textwrap.dedent("""
    import sys
    from simulators.sweeps.executors import local_processes
    from simulators.sweeps.store import Store
    from simulators.sweeps.dispatch import sweep
    from sweep_samples import grid
    runs = grid(width=64, batch=8, depth=300, seeds="0..79", replicas=2).runs()
    with Store(sys.argv[1]) as store:
        outcome = sweep(runs.values(), store, workers=local_processes(2), lease=0.5)
    # a run that was hit thrice, and is left to the next start
    sys.exit(3 if outcome.failures else 0)
""")


def start(path: Path) -> subprocess.Popen[bytes]:
    with open(
        path.with_suffix(".log"), "wb"
    ) as log:  # no pipe: a worker left behind would hold it open
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(path)], stdout=log, stderr=log, env=environment()
        )


def stored(path: Path) -> dict[str, bytes]:
    with Store(path) as store:
        return {row.key: row.data for row in store.rows()}


class Killer:
    """Picks what to kill, and when, from a seed; of the workers never so many in a row that the
    sweep may give up.

    A sweep gives up after ``FRUITLESS`` deaths before any run finishes. Deaths that were
    counted before a run was seen to finish may have come after it, hence half of that.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.victims = ["main"] * 9 + ["worker"] * 14
        self.chance.shuffle(self.victims)
        self.victims.insert(
            0, "worker"
        )  # the last: what was lost with it, this very process must make good
        self.in_a_row = 0
        self.finished = 0

    def worker(self, workers: list[int], path: Path) -> bool:
        """Kill one of these processes; False if none was there, or if the sweep must finish a run
        first.
        """
        if not workers:
            return False
        with Store(path) as store:
            finished = len(store.finished())
        self.in_a_row = self.in_a_row if finished == self.finished else 0
        self.finished = finished
        if self.in_a_row >= FRUITLESS // 2 - 1:
            return False
        try:
            os.kill(self.chance.choice(workers), signal.SIGKILL)
        except ProcessLookupError:  # it ended since it was listed
            return False
        self.in_a_row += 1
        return True


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Of the kills: another on every run, told when the test fails, taken from the environment to
    repeat it.
    """
    given = os.environ.get("SWEEP_KILLS_SEED")
    found = int.from_bytes(os.urandom(4)) if given is None else int(given)
    request.node.add_report_section("call", "seed", f"SWEEP_KILLS_SEED={found}")
    return found


def test_nothing_finished_is_lost_or_doubled(tmp_path: Path, seed: int) -> None:
    killer = Killer(seed)
    sweeps = 0
    while killer.victims:
        path = tmp_path / f"{sweeps}.db"
        sweeps += 1
        process, known = start(path), dict[str, bytes]()
        while process.poll() is None:
            time.sleep(killer.chance.uniform(0.05, 0.5))
            workers = children(process.pid)
            if not killer.victims or process.poll() is not None:
                continue
            if killer.victims[-1] == "worker":
                if killer.worker(workers, path):
                    killer.victims.pop()
                continue
            killer.victims.pop()
            process.kill()
            process.wait()
            assert gone(workers), "workers end with their parent"
            found = stored(path)
            assert known.items() <= found.items(), "what was stored stays, to the bit"
            known = found
            process = start(path)
            killer.in_a_row = 0
        while process.wait() == 3:
            process = start(path)
        assert process.returncode == 0, path.with_suffix(".log").read_text()
        complete = stored(path)
        assert known.items() <= complete.items()
        assert complete.keys() == RUNS.keys(), "nothing is missing, and nothing is there twice"
    for key in killer.chance.sample(sorted(RUNS), 5):
        expected, found = RUNS[key].perform(), Trajectory.from_bytes(complete[key])
        assert np.array_equal(found["orthogonality_gap"], expected["orthogonality_gap"])
