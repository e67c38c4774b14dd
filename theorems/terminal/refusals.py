"""Bad usage and input, told in one line on standard error."""

from __future__ import annotations

import contextlib
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["UsageError", "refuse", "refuse_each", "refusing"]

#: Of a refusal, which quotes what was given: a name may have thousands of characters.
_LONGEST_LINE = 1200


class UsageError(ValueError):
    """Bad usage or input; the message is one line: argument, value, remedy."""


@contextlib.contextmanager
def refusing(
    kinds: type[Exception] | tuple[type[Exception], ...] = (ValueError, TypeError),
) -> Iterator[None]:
    """Inside, an error of these kinds speaks of what the user gave; outside, it is a defect and
    keeps its traceback.
    """
    try:
        yield
    except kinds as error:
        raise UsageError(str(error)) from None


def refuse(words: str) -> None:
    """One line on standard error, in the words of the command line."""
    from theorems.terminal.screen import console

    text = " ".join(words.split())
    text = re.sub(r"(?<!\S)(layout|take|seed|level|budget)='?([^\s':;,]+)'?", r"--\1 \2", text)
    text = text.replace("few with take", "few with --take")
    if len(text) > _LONGEST_LINE:
        text = f"{text[: _LONGEST_LINE // 2]} … {text[-_LONGEST_LINE // 2 :]}"
    console(errors=True).print(f"theorems: {text}", soft_wrap=True)


def refuse_each(refused: Iterable[str]) -> None:
    """Every refused claim in a line of its own."""
    for line in refused:
        refuse(line)
