"""``theorems discover``: propose bounds, attack them, print what stands and write it as claims."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from simulators.arguments import require
from simulators.exact import Number
from theorems.commands.arguments import (
    add_word_options,
    positive_option,
    require_file,
    whole_option,
)
from theorems.terminal.exit_statuses import (
    AS_EXPECTED,
    NOT_AS_EXPECTED,
    UsageError,
    refusing,
    writing,
)
from theorems.terminal.progress import live_line
from theorems.terminal.screen import (
    console,
    duration,
    field,
    fields,
    heading,
    paragraph,
    verdict_text,
)

if TYPE_CHECKING:
    from theorems.workbench.discovery import Bound, Discovery, Search

__all__ = ["add_arguments", "run"]

#: What fell and what has no bound is shown so far.
_SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "subject",
        metavar="CHAIN",
        help="a chain; or spectra, matrices or parameters, for bounds at every input",
    )
    parser.add_argument(
        "--of",
        required=True,
        metavar="QUANTITY[,…]",
        help="what bounds are wanted of: quantities, formulas in them, or FILE.py::FUNCTION, a "
        "function of the declared symbols that returns exact numbers or balls",
    )
    parser.add_argument(
        "--against",
        default="",
        metavar="QUANTITY[,…]",
        help="by what else than sizes; NAME_0 is NAME at the start of a chain",
    )
    parser.add_argument(
        "--sizes",
        nargs="+",
        required=True,
        metavar="NAME=DOMAIN",
        help="declare symbols: n=2..8 d=64..512; a chain without d is taken at infinite width",
    )
    parser.add_argument(
        "--assume", action="append", metavar="TEXT", help="a relation that inputs, or starts, meet"
    )
    parser.add_argument(
        "--relation", choices=("<=", ">=", "both"), default="both", help="which bounds (both)"
    )
    parser.add_argument("--most", default="5", metavar="N", help="so many bounds at most (5)")
    parser.add_argument(
        "--out", metavar="FILE.py", help="write what stands as claims, for theorems falsify"
    )
    parser.add_argument(
        "--seed", default="0", metavar="N", help="the seed of everything random (0)"
    )
    parser.add_argument(
        "--budget",
        metavar="SECONDS",
        help="attack no more after so long, and keep what stands (no limit)",
    )
    add_word_options(parser)


def run(args: argparse.Namespace) -> int:
    out, errors = console(), console(errors=True)
    began = time.monotonic()
    most, seed = whole_option("--most", args.most, 1), whole_option("--seed", args.seed, 0)
    budget = positive_option("--budget", args.budget)
    target = None if args.out is None else require_file("--out", args.out)
    with live_line(errors, "") as at, refusing():
        search = _search(args, most, seed, budget, at)
    try:
        with live_line(errors, "") as at, refusing():
            search.progress = at
            for _ in search.bounds():
                pass
    except KeyboardInterrupt:  # what was found is not lost
        out.print(f"Interrupted after {_counted(len(search.found), 'bound')}.")
        _tell(out, search.result, time.monotonic() - began, target)
        raise
    if search.ended_early:
        words = f"the budget of {args.budget} s ended after {_counted(len(search.found), 'bound')}"
        paragraph(out, Text(words, style="bold yellow"))
    elif not search.found:
        paragraph(out, Text("no bound of these forms", style="bold red"))
    _tell(out, search.result, time.monotonic() - began, target)
    return AS_EXPECTED if search.found else NOT_AS_EXPECTED


def _tell(out: Console, found: Discovery, seconds: float, target: Path | None) -> None:
    """Print what was found, and write what stands."""
    _print(out, found, seconds)
    if target is not None and found.bounds:
        with writing(target, "; what was found is printed above"):
            found.write(target)
        out.print(f"Written: {target}", soft_wrap=True)


def _search(
    args: argparse.Namespace,
    most: int,
    seed: int,
    budget: float | None,
    at: Callable[[str], None],
) -> Search:
    from theorems.workbench.discovery import searched

    wanted, computed = _of(args.of)
    return searched(
        args.subject,
        wanted,
        args.against,
        relation=args.relation,
        assume=tuple(args.assume or ()),
        computed=computed,
        seed=seed,
        most=most,
        budget=budget,
        progress=at,
        symbols=_symbols(args.sizes),
    )


def _symbols(given: list[str]) -> dict[str, str]:
    """Domains by name, of words that may hold several between commas.

    >>> _symbols(["n=2..8,", "d=64..512,x=[0, 1]"])
    {'n': '2..8', 'd': '64..512', 'x': '[0, 1]'}
    """
    found: dict[str, str] = {}
    for text in re.split(r",?\s+(?=\w+\s*=)|,(?=\w+\s*=)", " ".join(given)):
        name, equals, domain = (part.strip(" ,") for part in text.partition("="))
        require(
            equals and name and domain,
            f"--sizes {text!r}: want NAME=DOMAIN, such as n=2..8",
            UsageError,
        )
        require(name not in found, f"--sizes {text!r}: {name} is declared twice", UsageError)
        found[name] = domain
    return found


def _of(text: str) -> tuple[str, dict[str, Callable[..., Number]]]:
    """What bounds are wanted of, with the functions that files bring in the place of their names.

    >>> _of("orthogonality_gap")
    ('orthogonality_gap', {})
    """
    computed: dict[str, Callable[..., Number]] = {}
    words = []
    for part in text.split(","):
        file, colons, name = part.strip().partition("::")
        words.append(name if colons else part)
        if colons:
            computed[name] = _function(file, name)
    return ",".join(words), computed


def _function(file: str, name: str) -> Callable[..., Number]:
    from simulators.own_words import OwnWordsError, bring

    try:
        found: Any = getattr(bring(file), name, None)
    except OwnWordsError as error:
        raise UsageError(f"--of {error}") from None
    if not callable(found):
        raise UsageError(f"--of {file}::{name}: the file has no function of that name")
    function: Callable[..., Number] = found
    return function


def _print(out: Console, found: Discovery, seconds: float) -> None:
    for bound in found.bounds:
        _print_bound(out, bound)
    _listed(out, "Dropped", [f"{each.claim}: {each.words}" for each in found.fallen])
    _listed(out, "None", list(found.without))
    out.print()
    stand = f"{_counted(len(found.bounds), 'bound')} not refuted, and not proved"
    outcome = f"{stand}; {len(found.fallen)} dropped"
    looked = f"{_counted(found.looked, 'input')}, {found.sizes}"
    fields(out, {"Looked at": looked, "Outcome": outcome, "Time": duration(seconds)})


def _counted(count: int, word: str) -> str:
    """
    >>> _counted(1, "bound"), _counted(0, "bound")
    ('1 bound', '0 bounds')
    """
    return f"{count} {word}{'' if count == 1 else 's'}"


def _print_bound(out: Console, bound: Bound) -> None:
    from theorems.workbench.discovery.writing import described

    verdict = Text("") if bound.verdict is None else verdict_text(bound.verdict)
    out.print(heading(bound.claim), Text("  "), verdict, sep="", soft_wrap=True)
    field(out, "  Worth", described(bound))
    field(out, "  Tried", bound.tried)


def _listed(out: Console, name: str, lines: list[str]) -> None:
    if not lines:
        return
    out.print()
    for line in lines[:_SHOWN]:
        field(out, name, line)
    if len(lines) > _SHOWN:
        field(out, name, f"… and {len(lines) - _SHOWN} more")
