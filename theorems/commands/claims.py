"""Claims on the command line: files of conjectures among the names, and one claim given as text."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulators.chains import CHAINS
from theorems.registry import families, select
from theorems.statement import ClaimError, Statement
from theorems.terminal.exit_statuses import UsageError
from theorems.terminal.screen import refuse

if TYPE_CHECKING:
    from theorems.workbench.conjecture import Conjecture

__all__ = [
    "CORPUS",
    "add_claim_options",
    "asked",
    "claim_files",
    "claim_words",
    "corpus_of",
    "given_claim",
    "is_file_name",
    "refusals_told",
    "stated",
    "wholly_asked",
]

#: Where witnesses are kept, in the user's project.
CORPUS = Path(".theorems") / "witnesses"

_OPTIONS = (
    ("chain", "NAME", "the chain it is about: {chains}, …"),
    ("over", "WHAT", "without a chain: spectra, matrices or parameters"),
    ("quantifier", "WORD", "expectation (with a chain), pointwise (without), limit, 'mean field'"),
    ("observable", "NAME", "for the limit: the quantity whose slope is claimed"),
    ("event", "TEXT", "what the probability is of"),
    ("sentinel", "TEXT", "the right side of a false neighbour; measured by default"),
    ("expected", "VERDICT", "the verdict that counts as success (supported)"),
)


def add_claim_options(parser: argparse.ArgumentParser) -> None:
    """``--claim TEXT`` and what belongs to it."""
    group = parser.add_argument_group(
        "a claim as text", "read by a strict parser; nothing in it is ever run"
    )
    group.add_argument("--claim", metavar="TEXT", help="as in 'orthogonality_gap <= 3*d**-0.5'")
    group.add_argument(
        "--where",
        action="append",
        metavar="NAME=DOMAIN",
        help="declare a symbol: n=2..8 (whole numbers), 'alpha=(0, 1/n]' (real), gamma=0.1",
    )
    group.add_argument(
        "--assume", action="append", metavar="TEXT", help="a relation that inputs meet"
    )
    chains = ", ".join(next(chain.variants).name for chain in CHAINS.values())
    for name, metavar, words in _OPTIONS:
        group.add_argument(f"--{name}", metavar=metavar, help=words.format(chains=chains))
    parser.add_argument(
        "--corpus", metavar="DIR", default=str(CORPUS), help=f"where witnesses are kept ({CORPUS})"
    )


def is_file_name(text: str) -> bool:
    """Whether a name on the command line means a file of claims rather than a statement of the
    library.
    """
    head = text.partition("::")[0]
    return "::" in text or head.endswith(".py") or head == "examples"


def asked(args: argparse.Namespace) -> tuple[tuple[Statement, ...], list[str]]:
    """The statements that the names, files and claim of a command line mean.

    Beside it, one line for every claim of a file that makes no sense, so that the others can be
    checked. Raises ``ValueError`` in one line for what means nothing, and if nothing else is left.
    """
    found: list[str | Statement] = []
    refused: list[str] = []
    for name in args.names:
        if not is_file_name(name):
            found.append(name)
            continue
        claims, lines = stated(name, lambda claim: claim.statement(corpus=corpus_of(args)))
        found += [statement for _, statement in claims]
        refused += lines
    if (claim := given_claim(args)) is not None:
        found.append(claim.statement(corpus=corpus_of(args)))
    names = [s.name for s in found if isinstance(s, Statement)]
    if doubled := next((n for n in names if names.count(n) > 1), None):
        raise UsageError(f"{doubled}: two claims of that name; rename one, or run one at a time")
    if refused and not found:
        raise UsageError("; ".join(refused))
    return select(found), refused


def stated(
    name: str, make: Callable[[Conjecture], Statement]
) -> tuple[list[tuple[Conjecture, Statement]], list[str]]:
    """The claims of a file, each with the statement that ``make`` gives, and a line for each that
    is refused.

    Raises ``ValueError`` in one line for a file that cannot be run.
    """
    from theorems.workbench.loading import load

    loaded = load(name)
    found: list[tuple[Conjecture, Statement]] = []
    refused = list(loaded.refused)
    for claim in loaded.conjectures:
        try:
            found.append((claim, make(claim)))
        except ClaimError as error:
            if "::" in name:
                raise
            refused.append(f"{claim.family}.{claim.name}: {error}")
    return found, refused


def refusals_told(refused: list[str]) -> Callable[[Statement, ClaimError], None]:
    """What tells of a claim that makes no sense while it is checked, and adds it to ``refused``."""

    def tell(statement: Statement, error: ClaimError) -> None:
        refused.append(f"{statement.name}: {error}")
        refuse(refused[-1])

    return tell


def claim_files(args: argparse.Namespace) -> list[str]:
    """The files of claims among the names of a command line."""
    heads = [name.partition("::")[0] for name in args.names if is_file_name(name)]
    if "examples" not in heads:
        return heads
    from theorems.workbench.loading import EXAMPLES

    return [str(EXAMPLES) if head == "examples" else head for head in heads]


def wholly_asked(
    args: argparse.Namespace, statements: Iterable[Statement], refused: Sequence[str] = ()
) -> frozenset[str]:
    """The families among ``statements`` of which a command line leaves out none that its files
    declare.

    That goes for families of the library too, whose other statements are known without being asked
    for; it does not
    for ``FILE.py::NAME`` or a claim as text, nor where claims of files were ``refused``, of which
    nothing is known.
    """
    whole = [name for name in args.names if is_file_name(name) and "::" not in name and not refused]
    files = {re.sub(r"\W", "_", Path(name).stem) for name in whole}
    return frozenset({s.family for s in statements} & (files | {f.name for f in families()}))


def claim_words(args: argparse.Namespace) -> list[str]:
    """The words of a command line that give the claim."""
    given = [
        ("claim", args.claim),
        *((option, text) for option in ("where", "assume") for text in getattr(args, option) or ()),
    ]
    given += [(name, value) for name, *_ in _OPTIONS if (value := getattr(args, name)) is not None]
    words: list[str] = []
    for name, value in given:
        # a value that begins with a minus would be taken for an option
        words += [f"--{name}={value}"] if value.startswith("-") else [f"--{name}", value]
    return words


def corpus_of(args: argparse.Namespace) -> Path:
    """Where witnesses are kept. Raises ``ValueError`` for a name without letters, which would mean
    this directory.
    """
    given = getattr(args, "corpus", str(CORPUS))
    if not given:
        raise UsageError(f"--corpus {given!r}: want the name of a directory; it is made if missing")
    return Path(given)


def given_claim(args: argparse.Namespace) -> Conjecture | None:
    """The claim given as text, if there is one. Raises ``ValueError`` in one line for options that
    do not fit.
    """
    if getattr(args, "claim", None) is None:
        for option in ("where", "assume", *(name for name, *_ in _OPTIONS)):
            if getattr(args, option, None) is not None:
                raise UsageError(
                    f"--{option}: says more about a claim, and there is none; add --claim TEXT"
                )
        return None
    from theorems.workbench.conjecture import conjecture
    from theorems.workbench.naming import name_of

    symbols: dict[str, Any] = {}
    for text in args.where or ():
        name, equals, domain = text.partition("=")
        if not equals or not name.strip() or not domain.strip():
            raise UsageError(f"--where {text!r}: want NAME=DOMAIN, such as n=2..8")
        if name.strip() in symbols:
            raise UsageError(f"--where {text!r}: {name.strip()} is declared twice")
        symbols[name.strip()] = domain.strip()
    taken = {
        "claim",
        "name",
        "title",
        "assume",
        "computed",
        "draw",
        *(name for name, *_ in _OPTIONS),
    }
    reserved = taken & symbols.keys()
    if reserved:
        raise UsageError(
            f"--where {reserved.pop()}=…: that word has a meaning of its own; use another"
        )
    options: dict[str, Any] = {
        name: value for name, *_ in _OPTIONS if (value := getattr(args, name)) is not None
    }
    found: Conjecture = conjecture(
        args.claim, assume=tuple(args.assume or ()), name="claim", **options, **symbols
    )
    found.module, found.file, found.name = "given", None, name_of(found)
    return found
