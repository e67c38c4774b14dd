"""``theorems new``: write the file of a new statement, which stands as it is, to be changed."""

from __future__ import annotations

import argparse
import keyword
import re
from importlib.util import find_spec
from pathlib import Path

from simulators.arguments import did_you_mean, require
from theorems.family import Family
from theorems.registry import GROUP, families
from theorems.templates import KINDS, written
from theorems.terminal.exit_statuses import AS_EXPECTED, UsageError, refusing, writing
from theorems.terminal.screen import console

__all__ = ["add_arguments", "run"]

#: Folders that pip writes to, and nobody else.
_INSTALLED = {"site-packages", "dist-packages"}
_THEOREM = re.compile(r"[a-z][a-z0-9_]*")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="FAMILY.NAME", help="what the statement is called")
    parser.add_argument(
        "--kind",
        choices=KINDS,
        default=KINDS[0],
        help=f"about every input, or about a mean over random weights ({KINDS[0]})",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="where the file goes; by default the family's folder of statements, in your clone",
    )


def run(args: argparse.Namespace) -> int:
    with refusing():
        family, theorem = _named(args.name)
        folder = _folder(family) if args.out is None else Path(args.out)
        require(folder.is_dir(), f"--out {args.out!r}: no directory; make it first", UsageError)
        path = folder / f"{theorem}.py"
    with writing(path):
        try:
            with open(path, "x", encoding="utf-8") as stream:
                stream.write(written(args.kind, family.name, theorem))
        except FileExistsError:
            raise UsageError(f"{path}: exists, and is left as it is; choose another name") from None
    name = f"{family.name}.{theorem}"
    out = console()
    out.print(f"Written: {path}", soft_wrap=True)
    if args.out is not None:
        out.print("It is found once its STATEMENTS are among those of the family.")
    steps = {
        f"theorems verify {name}": "as it is, it stands; change it to what you claim",
        f"theorems show {name}": "read it as others will",
        _tests(family, theorem): "the tests that every statement gets",
    }
    width = max(map(len, steps))
    for command, words in steps.items():
        out.print(f"  {command:{width}}  {words}", soft_wrap=True)
    return AS_EXPECTED


def _tests(family: Family, theorem: str) -> str:
    """What runs the tests of a statement: ours are in this project, others' in the pytest
    plugin.
    """
    if any(str(reference).startswith(f"{GROUP}.") for reference in family.statements):
        return f"pytest -k {theorem}"
    return f"pytest --theorems={family.name}.{theorem}"


def _named(name: str) -> tuple[Family, str]:
    """The family and the theorem of a new name. Raises ``UsageError``."""
    head, dot, theorem = name.partition(".")
    known = {family.name: family for family in families()}
    require(dot, f"NAME {name!r}: want FAMILY.NAME; families are {', '.join(known)}", UsageError)
    if head not in known:
        near = did_you_mean(head, known) or f"families are {', '.join(known)}"
        raise UsageError(f"NAME {name!r}: no family {head!r}; {near}")
    require(
        _THEOREM.fullmatch(theorem) and not keyword.iskeyword(theorem),
        f"NAME {name!r}: {theorem!r} is no name of a theorem; want lower-case letters, digits "
        "and underscores, as the file is a Python module; variants are told in it",
        UsageError,
    )
    require(
        theorem not in {s.theorem for s in known[head].load("statements")},
        f"NAME {name!r}: is a statement already; theorems show {name}",
        UsageError,
    )
    return known[head], theorem


def _folder(family: Family) -> Path:
    """The folder of a family whose statements have a file each. Raises ``UsageError``."""
    for reference in family.statements:
        spec = find_spec(reference.partition(":")[0]) if isinstance(reference, str) else None
        if spec is not None and spec.submodule_search_locations:
            folder = Path(spec.submodule_search_locations[0])
            require(
                not _INSTALLED & set(folder.parts),
                f"the family {family.name!r} is installed in {folder}, and what is written there "
                "goes with the next upgrade; use a clone (pip install -e .), or say where the "
                "file goes: --out DIR",
                UsageError,
            )
            return folder
    raise UsageError(
        f"the family {family.name!r} has no folder of statements with a file each "
        "(theorems.family.of_each_file); name one among its statements, or say where the file "
        "goes: --out DIR"
    )
