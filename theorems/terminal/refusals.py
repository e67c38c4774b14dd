"""Bad usage and input, told in one line on standard error."""

from __future__ import annotations

import contextlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from simulators.arguments import Argument

__all__ = ["UsageError", "refuse", "refuse_each", "refusing"]

#: Of a refusal, which quotes what was given: a name may have thousands of characters.
_LONGEST_LINE = 1200


class UsageError(ValueError):
    """Bad usage or input, in one line of ``parts``: argument, value, remedy.

    The arguments that an ``ArgumentError`` of the library names stand among the parts.
    """

    def __init__(self, *parts: str | Argument) -> None:
        super().__init__("".join(map(str, parts)))
        self.parts = parts

    def worded(self, spell: Callable[[Argument], str]) -> str:
        """The line, with every argument of the library as ``spell`` writes it."""
        return "".join(part if isinstance(part, str) else spell(part) for part in self.parts)


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
        raise UsageError(*getattr(error, "parts", (str(error),))) from None


def refuse(words: str) -> None:
    """One line on standard error."""
    from theorems.terminal.screen import console

    text = " ".join(words.split())
    if len(text) > _LONGEST_LINE:
        text = f"{text[: _LONGEST_LINE // 2]} … {text[-_LONGEST_LINE // 2 :]}"
    console(errors=True).print(f"theorems: {text}", soft_wrap=True)


def refuse_each(refused: Iterable[str]) -> None:
    """Every refused claim in a line of its own."""
    for line in refused:
        refuse(line)
