"""Workers and the main process of a sweep are killed at random: nothing finished is lost or doubled."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
from sweep_samples import grid
from test_sweep import children, environment, gone

from simulators.store import Store
from simulators.trajectory import Trajectory

RUNS = grid(width=64, batch=8, depth=300, seeds="0..79", replicas=2).runs()
SCRIPT = textwrap.dedent("""
    import sys
    from simulators.executors import local_processes
    from simulators.store import Store
    from simulators.sweep import sweep
    from sweep_samples import grid
    runs = grid(width=64, batch=8, depth=300, seeds="0..79", replicas=2).runs()
    with Store(sys.argv[1]) as store:
        outcome = sweep(runs.values(), store, workers=local_processes(2), lease=0.5)
    sys.exit(3 if outcome.failures else 0)  # a run that was hit thrice, and is left to the next start
""")


def start(path: Path) -> subprocess.Popen[bytes]:
    with open(path.with_suffix(".log"), "wb") as log:  # no pipe: a worker left behind would hold it open
        return subprocess.Popen([sys.executable, "-c", SCRIPT, str(path)], stdout=log, stderr=log, env=environment())


def stored(path: Path) -> dict[str, bytes]:
    with Store(path) as store:
        return {row.key: row.data for row in store.rows()}


def test_nothing_finished_is_lost_or_doubled(tmp_path: Path) -> None:
    chance = random.Random(int.from_bytes(os.urandom(4)))
    victims = ["main"] * 9 + ["worker"] * 14
    chance.shuffle(victims)
    victims.insert(0, "worker")  # the last: what was lost with it, this very process must make good
    sweeps = 0
    while victims:
        path = tmp_path / f"{sweeps}.db"
        sweeps += 1
        process, known = start(path), dict[str, bytes]()
        while process.poll() is None:
            time.sleep(chance.uniform(0.05, 0.5))
            workers = children(process.pid)
            if not victims or process.poll() is not None or (victims[-1] == "worker" and not workers):
                continue
            if victims.pop() == "worker":
                os.kill(chance.choice(workers), signal.SIGKILL)
                continue
            process.kill()
            process.wait()
            assert gone(workers), "workers end with their parent"
            found = stored(path)
            assert known.items() <= found.items(), "what was stored stays, to the bit"
            known = found
            process = start(path)
        while process.wait() == 3:
            process = start(path)
        assert process.returncode == 0, path.with_suffix(".log").read_text()
        complete = stored(path)
        assert known.items() <= complete.items()
        assert complete.keys() == RUNS.keys(), "nothing is missing, and nothing is there twice"
    for key in chance.sample(sorted(RUNS), 5):
        expected, found = RUNS[key].perform(), Trajectory.from_bytes(complete[key])
        assert np.array_equal(found["orthogonality_gap"], expected["orthogonality_gap"])
