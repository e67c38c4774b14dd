"""The command line of ``theorems``: the parser of all verbs, and running the one that is asked
for.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, NoReturn

from theorems.commands import KEPT, VERBS
from theorems.terminal.exit_statuses import AS_EXPECTED, BAD_INPUT, UsageError

if TYPE_CHECKING:
    from simulators.arguments import Argument

__all__ = ["parse", "run"]


class _Parser(argparse.ArgumentParser):
    """A parser that raises `UsageError` where argparse would print and exit."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} ({self.prog} --help)")


class _Version(argparse.Action):
    """``--version``, which looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import version

        print(f"theorems {version('batchnorm-theorems')}")
        parser.exit()


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of a command line of these words, of which one verb is imported: the one asked
    for.
    """
    found = _Parser(
        prog="theorems",
        allow_abbrev=False,
        description="The theory of batch normalisation in random deep networks, "
        "checked statement by statement.",
        epilog="A NAME is a family, a theorem (family.theorem), one form of it "
        "(family.theorem:variant), or claims of yours: FILE.py or FILE.py::NAME.",
    )
    found.add_argument(
        "--version", action=_Version, nargs=0, help="show program's version number and exit"
    )
    verbs = found.add_subparsers(dest="command", metavar="COMMAND", required=True)
    asked = next((word for word in words if not word.startswith("-")), None)
    for verb, meaning in VERBS.items():
        sentence = f"{meaning[0].upper()}{meaning[1:]}."
        parser = verbs.add_parser(verb, help=meaning, description=sentence, allow_abbrev=False)
        if verb == asked:
            module = import_module(f"theorems.commands.{verb}")
            module.add_arguments(parser)
            parser.set_defaults(run=module.run)
    return found


def parse(words: Sequence[str], into: argparse.Namespace | None = None) -> argparse.Namespace:
    """The options of a command line, ``into`` a namespace if one is given; nothing runs.

    Raises ``UsageError`` for one that is not understood, and ``SystemExit`` after ``--help``.

    >>> parse(["verify", "rank", "--seed", "7"]).names
    ['rank']
    """
    return _parser(words).parse_args(words, into)


def run(argv: Sequence[str] | None) -> int:
    """Run a command line (the process's by default) and return its exit status; a refusal is told
    in one line.

    Raises ``OutputError`` for what could not be written, and anything else for a defect.

    >>> run(["falsify"])
    2
    """
    # next to nothing of what is loaded at a start is garbage: looking for it is a tenth of the time
    gc.set_threshold(100_000)
    if argv is not None:
        return _run(argv)
    words = sys.argv[1:]
    if not words or words[0] not in KEPT:
        return _run(words)
    from theorems.commands.kept_pages import printed

    return printed(words, partial(_run, words))


def _run(words: Sequence[str]) -> int:
    args = argparse.Namespace(words=tuple(words))
    try:
        try:
            parse(words, args)
        except SystemExit:  # --help and --version have been printed
            return AS_EXPECTED
        _bring_words(getattr(args, "module", None) or ())
        status: int = args.run(args)
        if registry := sys.modules.get("theorems.registry"):
            # what other packages brought and could not be used, a line each
            from theorems.terminal.screen import refuse_each

            refuse_each(registry.refused())
        return status
    except UsageError as error:
        from theorems.terminal.screen import refuse

        refuse(error.worded(lambda argument: _option(argument, vars(args), words)))
        return BAD_INPUT


def _bring_words(modules: Sequence[str]) -> None:
    """Run the modules that bring words of the user's own."""
    if not modules:
        return
    from simulators.own_words import OwnWordsError, bring

    try:
        for module in modules:
            bring(module)
    except OwnWordsError as error:
        raise UsageError(f"--module {error}") from None


def _option(argument: Argument, options: Mapping[str, object], words: Sequence[str]) -> str:
    """An argument of the library as the verb with these options takes it.

    ``take=4`` is ``--take 4`` there; a real number stands as it was typed, before any rounding.
    """
    option = f"--{argument.name}"
    if argument.name not in options:
        return str(argument)
    if not argument.has_value:
        return option
    typed = [text for word, text in pairwise(words) if word == option]
    typed += [word.removeprefix(f"{option}=") for word in words if word.startswith(f"{option}=")]
    as_typed = isinstance(argument.value, float) and len(typed) == 1
    return f"{option} {typed[0] if as_typed else argument.value}"
