"""Where a run came from: the command, the commit of the sources, the date, the machine."""

from __future__ import annotations

import datetime
import json
import os
import platform
import shlex
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

__all__ = ["commit", "provenance"]

_ROOT = Path(__file__).resolve().parents[2]


def provenance(words: Sequence[str]) -> dict[str, object]:
    """What must be known of a run, beside its seed and versions, to repeat it.

    - ``words``: those of the command line after ``theorems``

    Cost: two calls of git where the library is a clone.

    Example:
        >>> found = provenance(["verify", "my claims.py"])
        >>> found["command"], sorted(found)
        ("theorems verify 'my claims.py'", ['command', 'commit', 'cores', 'date', 'system'])
    """
    now = datetime.datetime.now(datetime.UTC)
    return {
        "command": shlex.join(["theorems", *words]),
        "commit": commit(),
        "date": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "system": platform.platform(),
        "cores": os.cpu_count(),
    }


def commit(root: Path = _ROOT) -> str | None:
    """The commit of the library's sources, and whether they differ from it; None if it is unknown.

    - ``root``: the folder that holds the package

    Of a clone git tells it, of a package installed from a repository its metadata.
    """
    if (root / ".git").exists():
        head = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
        return head and head + (" with changes" if changed else "")
    try:
        told = distribution("batchnorm-theorems").read_text("direct_url.json")
        found = json.loads(told or "{}").get("vcs_info", {}).get("commit_id")
    except (PackageNotFoundError, ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
