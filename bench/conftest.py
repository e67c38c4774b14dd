"""What every benchmark records, and the summary printed after them.

Run with ``pytest bench``: a few minutes. Every ratio is of two things measured in one run, in turns where
they are short, so that a slow or busy machine slows both.
"""

import os
import platform
from importlib.metadata import version

import pytest

SUMMARY = pytest.StashKey[list[str]]()


@pytest.fixture
def report(request, benchmark):
    """Keep one line for the summary, and the numbers behind it with the saved benchmark."""

    def keep(line, **numbers):
        request.config.stash.setdefault(SUMMARY, []).append(line)
        benchmark.extra_info.update(numbers, **machine())

    return keep


def machine():
    """Versions and cores, saved with every benchmark."""
    return {
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "batchnorm-theorems": version("batchnorm-theorems"),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
    }


def pytest_terminal_summary(terminalreporter, config):
    lines = config.stash.get(SUMMARY, [])
    if lines:
        terminalreporter.section("measured, seeds as in the files")
        terminalreporter.line(", ".join(f"{name} {value}" for name, value in machine().items()))
        for line in lines:
            terminalreporter.line(line)
