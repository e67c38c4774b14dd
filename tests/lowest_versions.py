"""``python -m tests.lowest_versions``: constraints that pin what the tests need at its lowest.

Every requirement of pyproject.toml says by ``>=`` which versions will do; ``.ci/full`` runs the tests
with the first of each. What those require in turn is the newest that fits.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

__all__ = ["lowest", "required"]

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def required(project: Mapping[str, Any], extra: str = "") -> list[Requirement]:
    """What a project requires, with one of its extras, and those that the extra is made of."""
    found = [Requirement(line) for line in project["dependencies"]]
    for line in project["optional-dependencies"].get(extra, ()):
        requirement = Requirement(line)
        if requirement.name != project["name"]:
            found.append(requirement)
        for inner in sorted(requirement.extras) if requirement.name == project["name"] else ():
            found += [r for r in required(project, inner) if r not in found]
    return found


def lowest(requirement: Requirement) -> str:
    """The constraint of the first version that will do.

    Raises ``ValueError`` for a requirement that names none, or several.
    """
    floors = [s.version for s in requirement.specifier if s.operator == ">="]
    if len(floors) != 1:
        raise ValueError(f"{requirement}: want one >= to say from which version on it will do")
    return f"{requirement.name}=={floors[0]}"


def normal(name: str) -> str:
    """A package's name as every way to write it.

    >>> normal("Array_API.compat")
    'array-api-compat'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    declared = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    print("\n".join(map(lowest, required(declared, "test"))))
