"""``theorems falsify``: attack claims, say what broke and how to see it again, or what was tried in
vain.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from rich.console import Console
from rich.text import Text

from simulators.documents import write_json
from theorems.commands.arguments import (
    CORPUS,
    add_batch_options,
    add_claim_options,
    add_names,
    add_run_options,
    add_word_options,
    batch_line,
    claim_words,
    corpus_of,
    given_batch,
    given_claim,
    is_file_name,
    refusals_told,
    result_file,
    stated,
)
from theorems.registry import select
from theorems.report.document import document_of
from theorems.report.provenance import provenance
from theorems.statement import ClaimError, Evidence, Quantifier, Statement, Verdict
from theorems.terminal.exit_statuses import (
    AS_EXPECTED,
    BAD_INPUT,
    NOT_AS_EXPECTED,
    UsageError,
    refusing,
    writing,
)
from theorems.terminal.progress import Meter
from theorems.terminal.screen import (
    console,
    duration,
    field,
    fields,
    heading,
    paragraph,
    refuse_each,
    verdict_text,
)
from theorems.typesetting import words
from theorems.verification import LEVEL, Result, verify_each
from theorems.witnesses import Corpus
from theorems.workbench.adversaries import attackable
from theorems.workbench.conjecture import Conjecture

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_names(parser, "FILE.py, FILE.py::NAME, or of the library")
    add_batch_options(parser, "try this batch first")
    add_claim_options(parser)
    parser.add_argument(
        "--json",
        metavar="FILE",
        help="write what was tried and what broke to FILE: witnesses as exact rationals, margins, "
        "seed; as verify --json does, with the command that repeats each",
    )
    add_run_options(parser, "searching", LEVEL)
    add_word_options(parser)


def run(args: argparse.Namespace) -> int:
    errors = console(errors=True)
    with refusing():
        chosen, left_out, refused = _targets(args)
        batch = given_batch(args)
        meter = Meter(errors, [target.statement for target in chosen])
        # checks its arguments now and runs when the first result is asked for
        pending = verify_each(
            [t.statement for t in chosen],
            batch=batch,
            seed=args.seed,
            level=args.level,
            budget=args.budget,
            progress=meter.at,
            refused=refusals_told(refused),
            checked=meter.checked,
        )
        target = result_file(args)
    for line in left_out:
        errors.print(f"theorems: not attacked: {line}", soft_wrap=True)
    refuse_each(refused)
    out = console()
    results: list[dict[str, object]] = []
    if batch is not None:
        field(out, "Batch", batch_line(batch))
        out.print()
    by_statement = {id(t.statement): t for t in chosen}
    wrong = 0
    try:
        with meter, refusing(ClaimError):  # a claim's own code may fail at an input of the run
            for result in pending:
                found = by_statement[id(result.statement)]
                results.append(_entry(found, result, args))
                with meter.away():
                    _print(out, found, result, args)
                wrong += not _as_expected(result)
            count = f"{len(results) - wrong} as expected, {wrong} not"
            paragraph(out, Text(count, style="bold red" if wrong else "bold green"))
    except KeyboardInterrupt:
        out.print(f"Interrupted after {len(results)} of {len(chosen)} claims.")
        raise
    finally:  # also when interrupted: what fell is not lost with the rest
        if target is not None:
            written = document_of(
                results,
                seed=args.seed,
                level=args.level,
                batch=batch,
                interrupted=len(results) + len(refused) < len(chosen),
                refused=refused,
                run=provenance(args.words),
            )
            with writing(target, "; what was found is printed above"):
                write_json(target, written | {"not_attacked": left_out})
    if target is not None:
        out.print(f"Written: {target}", soft_wrap=True)
    if refused:
        return BAD_INPUT
    return NOT_AS_EXPECTED if wrong else AS_EXPECTED


@dataclass(frozen=True)
class _Target:
    """A statement whose only check is falsification, and the words that mean it on the command
    line.
    """

    statement: Statement
    words: Sequence[str]


def _targets(args: argparse.Namespace) -> tuple[list[_Target], list[str], list[str]]:
    """What the names, files and claim of a command line mean, what among it has no inputs to
    search, what no sense.

    Raises ``ValueError`` for what means nothing, or if nothing is left.
    """
    corpus = corpus_of(args)
    found: list[_Target] = []
    left_out: list[str] = []
    refused: list[str] = []

    def searched(claim: Conjecture) -> Statement:
        # a claim about an exponent has no search, and needs no statement to be left out
        return claim.statement(corpus=corpus, only=claim.quantifier is not Quantifier.LIMIT)

    def add(claim: Conjecture, statement: Statement, words: Sequence[str]) -> None:
        if claim.quantifier is Quantifier.LIMIT:
            name = f"{claim.family}.{claim.name}"
            left_out.append(f"{name}, a claim about an exponent: nothing to search")
        else:
            found.append(_Target(statement, words))

    for name in args.names:
        if is_file_name(name):
            claims, lines = stated(name, searched)
            refused += lines
            for claim, statement in claims:
                add(claim, statement, [f"{name.partition('::')[0]}::{claim.name}"])
            continue
        for statement in select([name]):
            if (target := attackable(statement, Corpus(corpus))) is not None:
                found.append(_Target(target, [statement.name]))
            else:
                decided = "decided by algebra or on given paths: nothing to search"
                left_out.append(f"{statement.name}, {decided}")
    if (given := given_claim(args)) is not None:
        # a file that was named beside it may have brought its words
        files = [name.partition("::")[0] for name in args.names if is_file_name(name)]
        add(given, searched(given), [*claim_words(args), *_bringing(dict.fromkeys(files))])
    if found:
        return found, left_out, refused
    if refused:
        raise UsageError("; ".join(refused))
    if left_out:
        raise UsageError("; ".join(left_out) + "; use theorems verify")
    raise UsageError(
        "name what to attack: FILE.py::NAME, a statement of the library, or --claim TEXT"
    )


def _search(result: Result) -> Evidence:
    # a claim about a mean that is not there is not searched, and its check says why
    return next((e for e in result.evidence if e.method == "search"), result.evidence[0])


def _as_expected(result: Result) -> bool:
    """It fell if that was expected; if not, the search was no blind one."""
    evidence, expected = _search(result), result.statement.expected
    if evidence.verdict is Verdict.OUTSIDE:
        return expected is Verdict.OUTSIDE
    fell = evidence.verdict is Verdict.REFUTED
    return fell == (expected is Verdict.REFUTED) and (fell or evidence.sentinel is Verdict.REFUTED)


def _entry(target: _Target, result: Result, args: argparse.Namespace) -> dict[str, object]:
    """One result as ``verify --json`` has it, of the search alone, with the claim and the command
    that repeats it.
    """
    evidence, s = _search(result), result.statement
    found = replace(result, verdict=evidence.verdict, evidence=(evidence,)).as_json()
    return found | {
        "claim": f"{s.lhs} {s.relation} {s.rhs}",
        "assumptions": [a.words for a in s.assumptions],
        "as_expected": _as_expected(result),
        "replay": _again(target, args),
    }


def _print(out: Console, target: _Target, result: Result, args: argparse.Namespace) -> None:
    evidence, s = _search(result), result.statement
    told = evidence.verdict in (Verdict.REFUTED, Verdict.OUTSIDE)
    found = verdict_text(evidence.verdict) if told else Text("no counterexample")
    out.print(heading(s.name), Text("  "), found, sep="")
    field(out, "  Claim", words(s.title))
    if evidence.verdict is Verdict.REFUTED:
        _print_fallen(out, target, evidence, args)
    elif evidence.verdict is Verdict.OUTSIDE:
        field(out, "  Not tried", evidence.summary)
    else:
        tried = evidence.summary.removeprefix("no counterexample: ")
        if evidence.apart and "the batch" not in evidence.summary:
            tried += "; the batch has no part in it"
        fallen = evidence.sentinel is Verdict.REFUTED
        neighbour = "refuted by the same search" if fallen else "survived too"
        fields(out, {"  Tried": tried, "  Sentinel": f"{s.sentinel.words}: {neighbour}"})
    field(out, "  Time", duration(evidence.seconds))
    out.print()


def _print_fallen(
    out: Console, target: _Target, evidence: Evidence, args: argparse.Namespace
) -> None:
    details = evidence.details
    limit = (
        ", in the limit of width, hence false at some finite width"
        if details["kind"] == "width limit"
        else ""
    )
    fault, _, rest = evidence.summary.partition(" at ")
    field(out, "  Witness", rest.partition(":")[0])
    field(out, "  Undefined" if fault == "undefined" else "  Margin", f"{details['margin']}{limit}")
    field(out, "  Found by", f"{details['attack']}{', apart from the batch' * evidence.apart}")
    if "kept" in details:
        _unbroken(out, "  Kept", str(details["kept"]))
    if "not_kept" in details:
        field(out, "  Not kept", str(details["not_kept"]))
    _unbroken(out, "  Again", _again(target, args))


def _again(target: _Target, args: argparse.Namespace) -> str:
    """The command that finds the same witness again: everything that differs from the defaults, and
    the seed.
    """
    options = ["--seed", str(args.seed)]
    options += [] if args.level == LEVEL else ["--level", repr(args.level)]
    options += [] if args.corpus == str(CORPUS) else ["--corpus", args.corpus]
    options += _bringing(args.module or ())
    for name in ("batch", "layout", "take"):
        options += [] if (value := getattr(args, name)) is None else [f"--{name}", str(value)]
    return shlex.join(("theorems", "falsify", *target.words, *options))


def _unbroken(out: Console, name: str, text: str) -> None:
    """A path or command on one line, however long, so that it can be copied."""
    out.print(Text(name.ljust(14), style="dim"), Text(text), sep="", soft_wrap=True)


def _bringing(modules: Iterable[str]) -> list[str]:
    """The options that bring these modules."""
    return list(chain.from_iterable(("--module", module) for module in modules))
