"""Mutants put into functions that are loaded already, so that tests collected once serve them all.

Each mutant is a fork of a pytest that has collected every test and run none. Only the body of a
function can be changed so, and only of one that did not run while modules were loaded, as what it
made then is not made again. What cannot be put in is left to be run from the start.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from inspect import CO_OPTIMIZED
from types import CodeType, FrameType, FunctionType

import pytest

from tests.mutation.runner import (
    CRASHED,
    ROOM,
    SURVIVED,
    Copy,
    Outcome,
    enter,
    forked,
    limited,
    read,
)

__all__ = ["Loaded", "changed", "swap"]

#: The status of a fork in which no loaded function has the code that is to change.
_NOTHING = 71
_NOT_PUT_IN = "could not be put in"


def changed(before: str, after: str, file: str) -> dict[CodeType, CodeType]:
    """The functions of a source whose code differs, each with its new one; ``file`` is where the source lies.

    Empty if more differs: what the module or the body of a class does, of which only lines may
    move.
    """
    pairs = _pairs(*(compile(text, file, "exec", dont_inherit=True) for text in (before, after)))
    different = {old: new for old, new in pairs if old != new}
    functions = {old: new for old, new in different.items() if old.co_flags & CO_OPTIMIZED}
    whole = all(_does(old) == _does(new) for old, new in different.items() if old not in functions)
    return functions if whole else {}


def _does(code: CodeType) -> tuple[bytes, tuple[str, ...], list[str]]:
    """What a code does by itself, wherever it stands and whatever the codes within it do."""
    constants = [c.co_qualname if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return code.co_code, code.co_names, constants


def _pairs(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    yield old, new
    inner = [[c for c in code.co_consts if isinstance(c, CodeType)] for code in (old, new)]
    if [c.co_qualname for c in inner[0]] == [c.co_qualname for c in inner[1]]:
        for pair in zip(*inner, strict=True):
            yield from _pairs(*pair)


def swap(codes: Mapping[CodeType, CodeType], file: str) -> int:
    """Give the loaded functions of ``file`` their new code; how many there were."""
    gc.unfreeze()  # what is put out of the collector's sight is out of this one's too
    found = [
        f for f in gc.get_objects() if type(f) is FunctionType and f.__code__.co_filename == file
    ]
    swapped = 0
    for function in found:
        new = codes.get(function.__code__)
        if new is not None and new.co_freevars == function.__code__.co_freevars:
            function.__code__ = new
            swapped += 1
    return swapped


class Loaded:
    """A pytest in this process that has collected ``files`` and is asked about one mutant after
    another.
    """

    def __init__(self, copy: Copy, room: float = ROOM) -> None:
        self.copy = copy
        self.room = room
        self._items: dict[str, pytest.Item] = {}
        self._ran: set[tuple[str, str, int]] = set()
        self._clean: dict[str, bool] = {}
        self._work: Callable[[], None] = lambda: None

    def serve(self, files: Sequence[str], work: Callable[[], None]) -> None:
        """Collect ``files`` in the copy, then do ``work``, which calls `test`."""
        enter(self.copy.folder)
        self._work = work
        sys.setprofile(self._note)
        pytest.main(
            ["-qq", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=line", *files],
            plugins=[self],
        )
        sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(str(self.copy.folder)):
            self._ran.add((code.co_filename, code.co_qualname, code.co_firstlineno))

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Do the work in the place of running the tests."""
        sys.setprofile(None)
        self._items = {item.nodeid: item for item in session.items}
        self._work()
        return True

    def test(self, path: str, text: str, seconds: Mapping[str, float]) -> Outcome | None:
        """What the tests named in ``seconds``, in that order, say of a file changed to ``text``; None if not known.

        A test that fails among others has noticed the mutant if it fails alone too, and passes
        alone without it.
        """
        file = str(self.copy.folder / path)
        codes = changed(self.copy.text(path), text, file)
        if not codes or any((file, c.co_qualname, c.co_firstlineno) in self._ran for c in codes):
            return None
        known = {name: cpu for name, cpu in seconds.items() if name in self._items}
        self.copy.write(path, text)  # for what starts a Python of its own
        outcome, guilty = self._run(known, codes, file)
        sure = outcome.why != _NOT_PUT_IN
        if outcome.why == "failed":
            sure = self._run({guilty: known[guilty]}, codes, file)[0] == outcome and self._passes(
                guilty, known[guilty]
            )
        self.copy.restore(path)
        return outcome if sure else None

    def _passes(self, name: str, cpu: float) -> bool:
        if name not in self._clean:
            self._clean[name] = self._run({name: cpu}, {}, "")[0].word == SURVIVED
        return self._clean[name]

    def _run(
        self, seconds: Mapping[str, float], codes: Mapping[CodeType, CodeType], file: str
    ) -> tuple[Outcome, str]:
        """How the tests end in a fork with the new code, and the one that failed."""
        note = self.copy.folder / ".failed"
        note.unlink(missing_ok=True)

        def run() -> int:
            if codes and not swap(codes, file):
                return _NOTHING
            items = [self._items[name] for name in seconds]
            for item, following in zip(items, [*items[1:], None], strict=True):
                limited(seconds[item.nodeid], self.room)
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if item.session.testsfailed:
                    note.write_text(item.nodeid, encoding="utf-8")
                    return 1
            return 0

        status = forked(run, self.copy.folder)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) in (CRASHED, _NOTHING):
            return Outcome(SURVIVED, _NOT_PUT_IN), ""
        return read(status), note.read_text(encoding="utf-8") if note.exists() else ""
