"""What several verbs take: options, names of statements, claims of files and as text, and files
that are written, all checked before anything runs.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import re
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from simulators.arguments import require
from simulators.chains import CHAINS
from theorems.registry import families, select
from theorems.shipped_claims import SHIPPED
from theorems.statement import ClaimError, Statement
from theorems.terminal.exit_statuses import UsageError
from theorems.terminal.screen import refuse

if TYPE_CHECKING:
    from torch import nn

    from simulators.batches import Batch, Layout
    from theorems.workbench.conjecture import Conjecture

__all__ = [
    "CORPUS",
    "add_batch_options",
    "add_claim_options",
    "add_names",
    "add_network_options",
    "add_run_options",
    "add_word_options",
    "asked",
    "batch_line",
    "claim_family",
    "claim_words",
    "corpus_of",
    "given_batch",
    "given_claim",
    "given_network",
    "is_file_name",
    "new_directory",
    "positive_option",
    "refusals_told",
    "require_apart",
    "require_directory",
    "require_file",
    "require_plots",
    "result_file",
    "stated",
    "whole_option",
    "wholly_asked",
]

Inputs = TypeVar("Inputs")

#: Where witnesses are kept, in the user's project.
CORPUS = Path(".theorems") / "witnesses"


_CLAIM_OPTIONS = (
    ("chain", "NAME", "the chain it is about: {chains}, …"),
    ("other", "NAME", "a second chain, on the same weights: its quantities are other.NAME"),
    (
        "backward",
        "FILE",
        "for gradients, what they are at layer ell: gaussian, readout, or a .npy (d, n)",
    ),
    (
        "tangents",
        "FILE",
        "for tangents, what they are at the batch: gaussian, or a .npy (d, n)",
    ),
    ("over", "WHAT", "without a chain: spectra, matrices or parameters"),
    ("quantifier", "WORD", "expectation (with a chain), pointwise (without), limit, 'mean field'"),
    ("observable", "NAME", "for the limit: the quantity whose slope is claimed"),
    ("event", "TEXT", "what the probability is of"),
    ("sentinel", "TEXT", "the right side of a false neighbour; measured by default"),
    ("expected", "VERDICT", "the verdict that counts as success (supported)"),
)


def add_names(parser: argparse.ArgumentParser, words: str = "only these; all by default") -> None:
    """Any number of names of statements, as ``names``; ``words`` are their help.

    >>> parser = argparse.ArgumentParser()
    >>> add_names(parser)
    >>> parser.parse_args(["family.theorem"]).names
    ['family.theorem']
    """
    parser.add_argument("names", nargs="*", metavar="NAME", help=words)


def add_batch_options(parser: argparse.ArgumentParser, words: str) -> None:
    """``--batch`` and how its file is read; ``words`` say what it is for.

    >>> parser = argparse.ArgumentParser()
    >>> add_batch_options(parser, "check on this batch")
    >>> parser.parse_args(["--batch", "digits", "--take", "4"])
    Namespace(batch='digits', layout=None, take=4)
    """
    parser.add_argument(
        "--batch", metavar="FILE", help=f"{words}: a .npy, .npz or .csv file, or 'digits'"
    )
    parser.add_argument(
        "--layout",
        choices=("rows", "columns"),
        help="how FILE stores its samples (default: rows)",
    )
    parser.add_argument(
        "--take", type=_whole, metavar="N", help="use only the first N samples of the batch"
    )


def add_network_options(parser: argparse.ArgumentParser, random: str, files: str = "") -> None:
    """The network of the user's that is looked at, its samples, weights and seed; ``random`` says
    what beside the weights is drawn from it, ``files`` what else the file of samples may be.

    >>> parser = argparse.ArgumentParser()
    >>> add_network_options(parser, "mini-batches")
    >>> given = parser.parse_args(["model.py:build", "--batch", "digits"])
    >>> given.network, given.batch, given.layout, given.take, given.checkpoint, given.seed
    ('model.py:build', 'digits', 'rows', None, None, '0')
    """
    parser.add_argument(
        "network",
        metavar="model.py:build",
        help="your Python file, which is run, and the function in it that builds the network",
    )
    parser.add_argument(
        "--batch",
        required=True,
        metavar="FILE",
        help=f"a .npy, .npz or .csv file, samples along the first axis, or 'digits'{files}",
    )
    parser.add_argument(
        "--layout",
        choices=("rows", "columns"),
        default="rows",
        help="how FILE stores its samples, where it is a matrix (rows)",
    )
    parser.add_argument("--take", metavar="N", help="use only the first N samples")
    parser.add_argument(
        "--checkpoint", metavar="FILE", help="load these weights first; nothing in FILE is run"
    )
    parser.add_argument(
        "--seed", default="0", metavar="N", help=f"of the network's weights and of {random} (0)"
    )


def given_network(
    args: argparse.Namespace, read: Callable[[str, Layout, int | None], Inputs]
) -> tuple[Inputs, nn.Module, int]:
    """What ``read`` makes of the file of samples, the network with its weights, and the seed, of
    `add_network_options`. Raises ``ValueError`` or ``TypeError`` in one line.
    """
    from theorems.inspection.loading import load_checkpoint, load_network

    seed = whole_option("--seed", args.seed, 0)
    take = None if args.take is None else whole_option("--take", args.take, 1)
    inputs = read(args.batch, args.layout, take)
    module = load_network(args.network, seed)
    if args.checkpoint is not None:
        load_checkpoint(module, args.checkpoint)
    return inputs, module, seed


def add_word_options(parser: argparse.ArgumentParser) -> None:
    """``--module``, any number of times: what brings chains, layers, laws, activations and
    observables of one's own. The command line runs them before all else.

    >>> parser = argparse.ArgumentParser()
    >>> add_word_options(parser)
    >>> parser.parse_args(["--module", "mine.py", "--module", "my.words"]).module
    ['mine.py', 'my.words']
    """
    parser.add_argument(
        "--module",
        action="append",
        metavar="FILE.py",
        help="run this file, or installed module, which declares words of your own: chains, "
        "layers, laws, activations, observables",
    )


def add_run_options(
    parser: argparse.ArgumentParser, activity: str, level: float, declared: bool = False
) -> None:
    """``--seed``, ``--budget`` in seconds for an ``activity`` such as sampling, and ``--level``
    with its default, a probability; None where statements may have levels that are ``declared``.
    """
    parser.add_argument(
        "--seed", type=_whole, default=0, metavar="N", help="the seed of everything random (0)"
    )
    parser.add_argument(
        "--budget",
        type=_real,
        metavar="SECONDS",
        help=f"stop {activity} after so long (no limit)",
    )
    own = "; for each statement of a family that declares a level, that one" * declared
    parser.add_argument(
        "--level",
        type=_real,
        default=None if declared else level,
        metavar="P",
        help=f"probability of any false verdict in the whole run ({level:g}{own})",
    )


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _real(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def whole_option(option: str, text: str, least: int) -> int:
    """``text`` as a whole number of at least ``least``; `UsageError` names ``option``.

    >>> whole_option("--workers", "0", 1)
    Traceback (most recent call last):
        ...
    theorems.terminal.exit_statuses.UsageError: --workers '0': want a whole number ≥ 1
    """
    require(
        text.isascii() and text.isdigit() and len(text) <= 18 and int(text) >= least,
        f"{option} {text!r}: want a whole number ≥ {least}",
        UsageError,
    )
    return int(text)


def positive_option(option: str, text: str | None) -> float | None:
    """``text`` as a positive number, None without one; `UsageError` names ``option``.

    >>> positive_option("--budget", "-1")
    Traceback (most recent call last):
        ...
    theorems.terminal.exit_statuses.UsageError: --budget '-1': want a positive number
    """
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    require(0 < number < math.inf, f"{option} {text!r}: want a positive number", UsageError)
    return number


def given_batch(args: argparse.Namespace) -> Batch | None:
    """The batch of a command line, (d, n), if it gives one. Raises ``ValueError`` in one line.

    >>> given_batch(argparse.Namespace(batch=None, layout=None, take=4))
    Traceback (most recent call last):
        ...
    theorems.terminal.exit_statuses.UsageError: --take 4: says how to read a batch, and there ...
    """
    if args.batch is None:
        for option in ("layout", "take"):
            if (value := getattr(args, option)) is not None:
                raise UsageError(
                    f"--{option} {value}: says how to read a batch, and there is none; "
                    "add --batch FILE"
                )
        return None
    require(
        args.batch != "digits" or args.layout is None,
        f"--layout {args.layout}: the digits are no file with a layout; leave it out",
        UsageError,
    )
    from simulators.batches import read_batch

    return read_batch(args.batch, layout=args.layout or "rows", take=args.take)


def batch_line(batch: Batch | None) -> str:
    """What was read, and how: the convention is always spelled out.

    >>> batch_line(None)
    'none given: every check lays out its own inputs'
    """
    if batch is None:
        return "none given: every check lays out its own inputs"
    d, n = batch.array.shape
    return f"{batch.description}; as the {d} × {n} matrix H, one sample per column"


def require_plots() -> None:
    """Raise `UsageError` with the remedy where no plots can be drawn.

    >>> require_plots()  # with the extra ``report``
    """
    from theorems.report import available

    if (remedy := available()) is not None:
        raise UsageError(remedy)


# --- names and claims -----------------------------------------------------------------------------


def add_claim_options(parser: argparse.ArgumentParser) -> None:
    """``--claim TEXT`` and what belongs to it, ``--corpus`` included.

    >>> parser = argparse.ArgumentParser()
    >>> add_claim_options(parser)
    >>> parser.parse_args(["--claim", "x <= 1", "--where", "x=(0, 1)"]).where
    ['x=(0, 1)']
    """
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
    for name, metavar, words in _CLAIM_OPTIONS:
        group.add_argument(f"--{name}", metavar=metavar, help=words.format(chains=chains))
    parser.add_argument(
        "--corpus", metavar="DIR", default=str(CORPUS), help=f"where witnesses are kept ({CORPUS})"
    )


def is_file_name(text: str) -> bool:
    """Whether a name on the command line means a file of claims rather than a statement of the
    library.

    >>> is_file_name("my_claims.py::gap_law"), is_file_name("family.theorem")
    (True, False)
    """
    head = text.partition("::")[0]
    return "::" in text or head.endswith(".py") or head in SHIPPED


def claim_family(text: str) -> str:
    """The family that the claims of a file are of.

    >>> claim_family("claims/my-claims.py::gap_law")
    'my_claims'
    """
    return re.sub(r"\W", "_", Path(text.partition("::")[0]).stem)


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
    require(not refused or found, "; ".join(refused), UsageError)
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
    """What tells of a claim that makes no sense while it is checked, in a line on standard error,
    and adds the line to ``refused``.
    """

    def tell(statement: Statement, error: ClaimError) -> None:
        refused.append(f"{statement.name}: {error}")
        refuse(refused[-1])

    return tell


def wholly_asked(
    args: argparse.Namespace, statements: Iterable[Statement], refused: Collection[str] = ()
) -> frozenset[str]:
    """The families among ``statements`` of which a command line leaves out none that its files
    declare.

    That goes for families of the library too, whose other statements are known without being asked
    for; it does not for ``FILE.py::NAME`` or a claim as text, nor where claims of files were
    ``refused``, of which nothing is known.
    """
    whole = [name for name in args.names if is_file_name(name) and "::" not in name and not refused]
    files = {claim_family(name) for name in whole}
    return frozenset({s.family for s in statements} & (files | {f.name for f in families()}))


def claim_words(args: argparse.Namespace) -> list[str]:
    """The words of a command line that give the claim.

    >>> claim_words(argparse.Namespace(claim="x <= 1", where=["x=(0, 1)"], assume=None))
    ['--claim', 'x <= 1', '--where', 'x=(0, 1)']
    """
    given = [("claim", args.claim)]
    for option in ("where", "assume"):
        given += [(option, text) for text in getattr(args, option) or ()]
    words: list[str] = []
    for name, value in [*given, *_given_options(args).items()]:
        # a value that begins with a minus would be taken for an option
        words += [f"--{name}={value}"] if value.startswith("-") else [f"--{name}", value]
    return words


def _given_options(args: argparse.Namespace) -> dict[str, str]:
    found = {name: getattr(args, name, None) for name, *_ in _CLAIM_OPTIONS}
    return {name: value for name, value in found.items() if value is not None}


def corpus_of(args: argparse.Namespace) -> Path:
    """Where witnesses are kept. Raises ``ValueError`` for a name without letters, which would mean
    this directory.

    >>> str(corpus_of(argparse.Namespace()))
    '.theorems/witnesses'
    """
    given = getattr(args, "corpus", str(CORPUS))
    require(
        given,
        f"--corpus {given!r}: want the name of a directory; it is made if missing",
        UsageError,
    )
    return Path(given)


def given_claim(args: argparse.Namespace) -> Conjecture | None:
    """The claim given as text, if there is one. Raises ``ValueError`` in one line for options that
    do not fit.
    """
    options = _given_options(args)
    if getattr(args, "claim", None) is None:
        beside = [name for name in ("where", "assume") if getattr(args, name, None) is not None]
        for name in (*beside, *options):
            raise UsageError(
                f"--{name}: says more about a claim, and there is none; add --claim TEXT"
            )
        return None
    from theorems.workbench.conjecture import conjecture, name_of

    symbols: dict[str, str] = {}
    for text in args.where or ():
        name, equals, domain = (part.strip() for part in text.partition("="))
        require(
            equals and name and domain,
            f"--where {text!r}: want NAME=DOMAIN, such as n=2..8",
            UsageError,
        )
        require(name not in symbols, f"--where {text!r}: {name} is declared twice", UsageError)
        symbols[name] = domain
    taken = {"claim", "name", "title", "assume", "computed", "draw"}
    taken |= {name for name, *_ in _CLAIM_OPTIONS}
    if reserved := taken & symbols.keys():
        raise UsageError(
            f"--where {reserved.pop()}=…: that word has a meaning of its own; use another"
        )
    assumed = tuple(args.assume or ())
    back = given_backward(options.pop("backward", None))
    read = {**options, **back, **given_tangents(options.pop("tangents", None))}
    found: Conjecture = conjecture(
        args.claim, assume=assumed, name="claim", computed=None, draw=None, **read, **symbols
    )
    found.module, found.file, found.name = "given", None, name_of(found)
    return found


def given_backward(text: str | None) -> dict[str, Any]:
    """What ``--backward`` gives, as an argument: none without it. Raises ``ValueError`` in one
    line.

    >>> given_backward("gaussian")
    {'backward': 'gaussian'}
    """
    if text is None:
        return {}
    from simulators.last_gradient import read_last_gradient

    return {"backward": read_last_gradient(text)}


def given_tangents(text: str | None) -> dict[str, Any]:
    """What ``--tangents`` gives, as an argument: none without it. Raises ``ValueError`` in one
    line.

    >>> given_tangents("gaussian")
    {'tangents': 'gaussian'}
    """
    if text is None:
        return {}
    from simulators.first_tangents import read_first_tangents

    return {"tangents": read_first_tangents(text)}


# --- files that are written: tried before a verb runs, so that nothing is lost at its end ---------


def require_file(option: str, text: str) -> Path:
    """``text`` as a path that a file can be written to, seen by trying; ``ValueError`` names
    ``option``.

    >>> require_file("--json", "/no/such/out.json")
    Traceback (most recent call last):
        ...
    theorems.terminal.exit_statuses.UsageError: --json '/no/such/out.json': no directory ...
    """
    path = Path(os.path.realpath(text))
    _require_name(option, text)
    free = not path.exists() or (path.is_file() and os.access(path, os.W_OK))
    for stands, words in (
        (text and not path.is_dir(), "a directory; name a file in it"),
        (path.parent.is_dir(), f"no directory {str(path.parent)!r}; make it first"),
        (free, "exists and cannot be replaced; name another file"),
    ):
        require(stands, f"{option} {text!r}: {words}", UsageError)
    _try_writing(option, text, path.parent)
    return path


def require_apart(option: str, text: str, others: Mapping[str, str | None]) -> None:
    """Raise ``ValueError`` if writing ``text`` would take the place of another file of the same
    command line.

    ``others`` are paths by what they are; None stands for one that was not given.

    >>> require_apart("--json", "H.npy", {"the batch": "./H.npy"})
    Traceback (most recent call last):
        ...
    theorems.terminal.exit_statuses.UsageError: --json 'H.npy': is the batch itself, and ...
    """
    for what, other in others.items():
        require(
            other is None or not _same(text, other),
            f"{option} {text!r}: is {what} itself, and would take its place; name another file",
            UsageError,
        )


def _same(text: str, other: str) -> bool:
    if os.path.exists(text) and os.path.exists(other):
        return os.path.samefile(text, other)
    return os.path.realpath(text) == os.path.realpath(other)


def result_file(args: argparse.Namespace) -> Path | None:
    """Where ``--json`` is written, which may be nothing that is read; None without that option.

    Raises ``ValueError`` in one line.
    """
    if args.json is None:
        return None
    from simulators.batch_files import file_of

    read: dict[str, str | None]
    read = {f"the file of claims {path}": path for path in _claim_files(args.names)}
    if args.batch is not None:
        read["the batch"] = file_of(args.batch)
    read["the store"] = getattr(args, "store", None)
    require_apart("--json", args.json, read)
    return require_file("--json", args.json)


def _claim_files(names: Iterable[str]) -> list[str]:
    """The files of claims among the names of a command line."""
    heads = [name.partition("::")[0] for name in names if is_file_name(name)]
    return [str(SHIPPED.get(head, head)) for head in heads]


def require_directory(option: str, text: str) -> Path:
    """``text`` as a directory that can be written to, made if missing; ``ValueError`` names
    ``option``.

    >>> require_directory("--report", "")
    Traceback (most recent call last):
        ...
    theorems.terminal.exit_statuses.UsageError: --report '': not a directory; name one, ...
    """
    path = Path(text)
    _require_name(option, text)
    require(
        text and (not path.exists() or path.is_dir()),
        f"{option} {text!r}: not a directory; name one, it is made if missing",
        UsageError,
    )
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{option} {text!r}: cannot be made: {error.strerror}; name another directory"
        ) from None
    _try_writing(option, text, path)
    return path


@contextlib.contextmanager
def new_directory(option: str, text: str) -> Iterator[Path]:
    """`require_directory`, which is gone again where it was made and the block comes to no end.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with contextlib.suppress(ValueError), new_directory("--report", f"{folder}/a/b"):
    ...         raise ValueError
    ...     os.listdir(folder)
    []
    """
    _require_name(option, text)
    path = Path(text)
    missing = [each for each in (path, *path.parents) if not each.exists()]
    directory = require_directory(option, text)
    try:
        yield directory
    except BaseException:
        with contextlib.suppress(OSError):  # what holds something stays
            for each in missing:
                each.rmdir()
        raise


def _require_name(option: str, text: str) -> None:
    """Raise ``ValueError`` for a name that the system takes for none, too long for instance."""
    try:
        os.lstat(text or ".")
    except (FileNotFoundError, NotADirectoryError):
        return  # told in its place
    except OSError as error:
        raise UsageError(f"{option} {text!r}: {error.strerror}; name another place") from None


def _try_writing(option: str, text: str, directory: Path) -> None:
    probe = directory / f".theorems-{uuid.uuid4().hex[:8]}"
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise UsageError(
            f"{option} {text!r}: cannot be written: {error.strerror}; name another place"
        ) from None
