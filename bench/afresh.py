"""A pair measured in a process of its own: ``python -m bench.afresh NAME`` prints it as JSON.

How memory lies makes a process slower or faster at one thing for as long as it lives, by a third at
worst: to measure again in the same process would find the same.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict

from bench.pair import Pair, measured, slower
from bench.pairs import PAIRS
from bench.report import Ratio
from simulators.documents import plain, structured

__all__ = ["afresh"]


def afresh(pair: Pair) -> Ratio:
    """``pair``, one of `PAIRS` or such a one slowed down, measured in another process."""
    command = [sys.executable, "-m", "bench.afresh", pair.name, str(pair.slowed)]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    return structured(json.loads(found.stdout), Ratio, "the ratio")


if __name__ == "__main__":
    name, share = sys.argv[1:]
    chosen = next(pair for pair in PAIRS if pair.name == name)
    print(json.dumps(plain(asdict(measured(slower(chosen, float(share)))))))
