"""``python -m tests.distributions DIR``: the wheel and the sdist in DIR carry what they should.

The wheel is the two packages as the repository has them, with every file that they read, and no
test. The sdist is the repository.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from email import message_from_bytes
from pathlib import Path

__all__ = ["faults", "tracked"]

ROOT = Path(__file__).parents[1]
PACKAGES = ("simulators", "theorems")
#: In the wheel whatever else changes: files that no import would miss until somebody needs them.
NEEDED = (
    "simulators/py.typed",
    "theorems/py.typed",
    "theorems/ledger.json",
    "theorems/proofs/_CoqProject",
    "theorems/proofs/certificate.json",
    "theorems/proofs/check.sh",
    "theorems/proofs/common/Sums.v",
    "theorems/templates/pointwise.py",
    "theorems/report/templates/page.html",
    "theorems/running_times.json",
)
#: What the metadata must say, by header.
TOLD = {
    "Name": "batchnorm-theorems",
    "License-Expression": "MIT",
    "License-File": "LICENSE",
    "Requires-Python": ">=3.11",
}


def tracked() -> list[str]:
    """Every file of the repository but those that speak to git alone."""
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = [name for name in done.stdout.split("\0") if name]
    return [name for name in names if Path(name).name != ".gitignore"]


def faults(folder: Path, repository: Iterable[str]) -> list[str]:
    """What is wrong with the distributions in a folder, in one line each.

    - ``repository``: the files that are tracked, relative to its root
    """
    wheels, sdists = sorted(folder.glob("*.whl")), sorted(folder.glob("*.tar.gz"))
    if (len(wheels), len(sdists)) != (1, 1):
        return [f"{folder} has {len(wheels)} wheels and {len(sdists)} sdists; want one of each"]
    files = set(repository)
    return _of_wheel(wheels[0], files) + _of_sdist(sdists[0], files)


def _of_wheel(path: Path, files: set[str]) -> list[str]:
    with zipfile.ZipFile(path) as wheel:
        names = [name for name in wheel.namelist() if not name.endswith("/")]
        (about,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
        metadata = message_from_bytes(wheel.read(f"{about}/METADATA"))
        entries = wheel.read(f"{about}/entry_points.txt").decode()
    carried = {name for name in names if not name.startswith(f"{about}/")}
    wanted = {name for name in files if name.split("/")[0] in PACKAGES}
    commands = ("theorems = theorems.cli:main", "theorems = theorems.pytest_plugin")
    return [
        *_difference("the wheel", carried, wanted),
        *(f"the wheel lacks {name}" for name in NEEDED if name not in carried & wanted),
        *(
            f"the wheel says {name}: {metadata[name]}; want {value}"
            for name, value in TOLD.items()
            if metadata[name] != value
        ),
        *(f"the wheel lacks the entry point {line}" for line in commands if line not in entries),
        *(["the wheel has no licence"] if f"{about}/licenses/LICENSE" not in names else []),
    ]


def _of_sdist(path: Path, files: set[str]) -> list[str]:
    with tarfile.open(path) as sdist:
        inside = [m.name.partition("/")[2] for m in sdist.getmembers() if not m.isdir()]
    made = {"PKG-INFO", "setup.cfg"}
    carried = {name for name in inside if name not in made and ".egg-info/" not in name}
    return _difference("the sdist", carried, files)


def _difference(what: str, carried: set[str], wanted: set[str]) -> list[str]:
    return [
        *(f"{what} lacks {name}" for name in sorted(wanted - carried)),
        *(
            f"{what} carries {name}, which the repository has not"
            for name in sorted(carried - wanted)
        ),
    ]


if __name__ == "__main__":
    told = faults(Path(sys.argv[1]), tracked())
    print("\n".join(told) or f"{sys.argv[1]}: wheel and sdist carry what they should")
    sys.exit(1 if told else 0)
