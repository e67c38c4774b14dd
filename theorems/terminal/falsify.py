"""What ``theorems falsify`` does: attack claims, say what broke and how to see it again, or what was tried in vain."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.text import Text

from simulators.batches import Batch
from theorems.registry import select
from theorems.statement import Evidence, Quantifier, Statement, Verdict
from theorems.terminal.claims import CORPUS, claim_words, corpus_of, given_claim, stated
from theorems.terminal.outcome import batch_line
from theorems.terminal.screen import duration, field, heading, paragraph, verdict_text
from theorems.terminal.typesetting import words
from theorems.verification import LEVEL, Result, verify_each
from theorems.witnesses import Corpus
from theorems.workbench.conjecture import Conjecture
from theorems.workbench.library import attackable
from theorems.workbench.loading import is_file_name
from theorems.workbench.parsing import ClaimError

__all__ = ["Target", "falsify", "targets"]


class Target:
    """A statement whose only check is falsification, and the words that mean it on the command line."""

    def __init__(self, statement: Statement, *words: str) -> None:
        self.statement, self.words = statement, words


def targets(args: argparse.Namespace) -> tuple[list[Target], list[str], list[str]]:
    """What the names, files and claim of a command line mean, what among it has no inputs to search, what no sense.

    Raises ``ValueError`` for what means nothing, or if nothing is left.
    """
    corpus = corpus_of(args)
    found: list[Target] = []
    left_out: list[str] = []
    refused: list[str] = []

    def searched(claim: Conjecture) -> Statement:
        # a claim about an exponent has no search, and needs no statement to be left out
        return claim.statement(corpus=corpus, only=claim.quantifier is not Quantifier.LIMIT)

    def add(claim: Conjecture, statement: Statement, *words: str) -> None:
        if claim.quantifier is Quantifier.LIMIT:
            left_out.append(f"{claim.family}.{claim.name}, a claim about an exponent: nothing to search")
        else:
            found.append(Target(statement, *words))
    for name in args.names:
        if is_file_name(name):
            claims, lines = stated(name, searched)
            refused += lines
            for claim, statement in claims:
                add(claim, statement, f"{name.partition('::')[0]}::{claim.name}")
            continue
        for statement in select([name]):
            if (target := attackable(statement, Corpus(corpus))) is not None:
                found.append(Target(target, statement.name))
            else:
                left_out.append(f"{statement.name}, decided by algebra or on given paths: nothing to search")
    if (given := given_claim(args)) is not None:
        add(given, searched(given), *claim_words(args))
    if not found and refused:
        raise ClaimError("; ".join(refused))
    if not found:
        raise ClaimError("; ".join(left_out) + "; use theorems verify" if left_out else
                         "name what to attack: FILE.py::NAME, a statement of the library, or --claim TEXT")
    return found, left_out, refused


def falsify(out: Console, chosen: Iterable[Target], args: argparse.Namespace, progress: Callable[[str], None],
            batch: Batch | None = None, note: Callable[[dict[str, Any]], None] = lambda _: None,
            refused: Callable[[Statement, ClaimError], None] | None = None) -> bool:
    """Attack each and print what came of it at once; True if only what was expected to fall fell, and nothing else.

    ``note`` is handed the result of each, as JSON has it, as soon as it is there; ``refused``, if given, what turns
    out to make no sense on the way.
    """
    listed = list(chosen)
    if batch is not None:
        field(out, "Batch", batch_line(batch))
        out.print()
    results = verify_each([t.statement for t in listed], batch=batch, seed=args.seed, level=args.level,
                          budget=args.budget, progress=progress, refused=refused)
    by_statement = {id(target.statement): target for target in listed}
    wrong = count = 0
    for result in results:
        target, count = by_statement[id(result.statement)], count + 1
        note(_entry(target, result, args))
        wrong += not _print(out, target, result, args)
    paragraph(out, Text(f"{count - wrong} as expected, {wrong} not", style="bold red" if wrong else "bold green"))
    return not wrong


def _search(result: Result) -> Evidence:
    # a claim about a mean that is not there is not searched, and its check says why
    return next((e for e in result.evidence if e.method == "search"), result.evidence[0])


def _as_expected(result: Result) -> bool:
    """It fell if that was expected; if not, the search was no blind one."""
    evidence = _search(result)
    if evidence.verdict is Verdict.OUTSIDE:
        return result.statement.expected is Verdict.OUTSIDE
    fell = evidence.verdict is Verdict.REFUTED
    return fell == (result.statement.expected is Verdict.REFUTED) and (fell or evidence.sentinel is Verdict.REFUTED)


def _entry(target: Target, result: Result, args: argparse.Namespace) -> dict[str, Any]:
    """One result as ``verify --json`` has it, of the search alone, with the claim and the command that repeats it."""
    evidence, s = _search(result), result.statement
    found = replace(result, verdict=evidence.verdict, evidence=(evidence,)).as_json()
    return found | {"claim": f"{s.lhs} {s.relation} {s.rhs}", "assumptions": [a.words for a in s.assumptions],
                    "as_expected": _as_expected(result), "replay": _again(target, args)}


def _print(out: Console, target: Target, result: Result, args: argparse.Namespace) -> bool:
    evidence, s = _search(result), result.statement
    fell, outside = (evidence.verdict is word for word in (Verdict.REFUTED, Verdict.OUTSIDE))
    found = verdict_text(evidence.verdict) if fell or outside else Text("no counterexample")
    out.print(heading(s.name), Text("  "), found, sep="")
    field(out, "  Claim", words(s.title))
    if fell:
        _print_fallen(out, target, evidence, args)
    elif outside:
        field(out, "  Not tried", evidence.summary)
    else:
        field(out, "  Tried", evidence.summary.removeprefix("no counterexample: ") + (
            "; the batch has no part in it" * (evidence.apart and "the batch" not in evidence.summary)))
        fallen = evidence.sentinel is Verdict.REFUTED
        field(out, "  Sentinel", f"{s.sentinel.words}: {'refuted by the same search' if fallen else 'survived too'}")
    field(out, "  Time", duration(evidence.seconds))
    out.print()
    return _as_expected(result)


def _print_fallen(out: Console, target: Target, evidence: Evidence, args: argparse.Namespace) -> None:
    details = evidence.details
    limit = ", in the limit of width, hence false at some finite width" if details["kind"] == "width limit" else ""
    fault, _, rest = evidence.summary.partition(" at ")
    field(out, "  Witness", rest.partition(":")[0])
    field(out, "  Undefined" if fault == "undefined" else "  Margin", f"{details['margin']}{limit}")
    field(out, "  Found by", f"{details['attack']}{', apart from the batch' * evidence.apart}")
    if "kept" in details:
        _unbroken(out, "  Kept", str(details["kept"]))
    if "not_kept" in details:
        field(out, "  Not kept", str(details["not_kept"]))
    _unbroken(out, "  Again", _again(target, args))


def _again(target: Target, args: argparse.Namespace) -> str:
    """The command that finds the same witness again: everything that differs from the defaults, and the seed."""
    options = ["--seed", str(args.seed)]
    options += [] if args.level == LEVEL else ["--level", repr(args.level)]
    options += [] if args.corpus == str(CORPUS) else ["--corpus", args.corpus]
    for name in ("batch", "layout", "take"):
        options += [] if (value := getattr(args, name)) is None else [f"--{name}", str(value)]
    return shlex.join(("theorems", "falsify", *target.words, *options))


def _unbroken(out: Console, name: str, text: str) -> None:
    """A path or command on one line, however long, so that it can be copied."""
    out.print(Text(name.ljust(14), style="dim"), Text(text), sep="", soft_wrap=True)

