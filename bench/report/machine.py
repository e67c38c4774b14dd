"""What ratios depend on beyond the code: machine, threads, kernels, versions, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch
from threadpoolctl import threadpool_info

from bench.report.document import Environment
from simulators.workers import cores

__all__ = ["environment"]

_PACKAGES = ("batchnorm-theorems", "numpy", "scipy", "torch", "pytest-benchmark")
_ROOT = Path(__file__).parents[2]


def environment() -> Environment:
    """All of it, at this moment."""
    pools = threadpool_info()
    return Environment(
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        commit=_commit(),
        versions={
            "python": platform.python_version(),
            **{package: version(package) for package in _PACKAGES},
        },
        processor=_processor(),
        cores=cores(),
        # in an order of their own: libraries are loaded now in this one, now in that
        blas=tuple(
            sorted(
                f"{pool['internal_api']} {pool['version']} ({pool.get('architecture', '?')})"
                for pool in pools
                if pool["user_api"] == "blas"
            )
        ),
        threads={
            **dict(sorted((pool["internal_api"], int(pool["num_threads"])) for pool in pools)),
            "torch": torch.get_num_threads(),
        },
        load=load(),
    )


def load() -> tuple[float, ...]:
    """Processes that wanted a core, over the last minute; empty where the system does not say."""
    return (round(os.getloadavg()[0], 2),) if hasattr(os, "getloadavg") else ()


def _processor() -> str:
    """The processor's model, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names and names[0] else platform.machine()


def _commit() -> str | None:
    """The commit of the sources, with ``+`` where files differ from it; None outside a clone."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        changed = "+" if git("status", "--porcelain", "--untracked-files=no") else ""
        return git("rev-parse", "--short=12", "HEAD") + changed
    except (OSError, subprocess.CalledProcessError):
        return None
