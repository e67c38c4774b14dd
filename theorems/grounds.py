"""What a verdict rests on, each with a digest: the claim, its checks, its proof, the witnesses
against it, the code that decides it, and the libraries.

A verdict on record stands for as long as its grounds are the same; ``theorems verify --changed``
establishes those again whose grounds are not.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simulators.own_words import brought
from theorems.code_digests import Code, code_read
from theorems.proofs.record import evidence as proof_evidence
from theorems.registry import families
from theorems.statement import Statement
from theorems.witnesses import Corpus

__all__ = ["Grounds", "grounds_of", "moved"]

_OURS = ("theorems", "simulators")
#: What turns the evidence of any statement into its verdict.
_DECIDES = "theorems.verification"
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


@dataclass(frozen=True)
class Grounds:
    """What a verdict rests on, beside the claim itself.

    - ``checks``, ``proof``, ``witnesses``: digests; empty where there is none
    - ``code``: the digest of each module that has a part in it, by name; that of a file of claims
      is ``file NAME``
    """

    checks: str
    proof: str = ""
    witnesses: str = ""
    code: Mapping[str, str] = field(default_factory=dict)


def grounds_of(
    statement: Statement, *, file: Path | None = None, corpus: Path | None = None
) -> Grounds:
    """What a verdict on a statement rests on now.

    - ``file``: for a claim, the file that states it
    - ``corpus``: where witnesses against claims are kept

    Cost: reading the code that it needs, some 10 ms a module, once in a process.

    Example:
        >>> from theorems.registry import library
        >>> grounds = grounds_of(library()[0])
        >>> "theorems.verification" in grounds.code
        True
    """
    proved = proof_evidence(statement)
    stating = set(_stating(statement))
    kept = [] if corpus is None or stating else Corpus(corpus).of(statement.name)
    files = [] if file is None else [file.resolve()]
    if not stating:  # claims may be about words of one's own
        files += [Path(name) for name in brought() if name.endswith(".py")]
    checks = {type(check).__module__ for check in statement.checks}
    return Grounds(
        _short(_told(statement.checks)),
        "" if proved is None else _short(f"{proved.verdict} {proved.partial} {proved.summary}"),
        _short(*sorted(witness.digest for witness in kept)) if kept else "",
        _code(sorted({_DECIDES} | checks | stating), files),
    )


def moved(before: Grounds, now: Grounds) -> list[str]:
    """What differs between two grounds, in words; empty if they are the same.

    Example:
        >>> moved(Grounds("a", code={"theorems.context": "1"}), Grounds("b"))
        ['its checks', 'theorems.context']
    """
    parts = {"checks": "its checks", "proof": "its proof", "witnesses": "witnesses against it"}
    found = [words for name, words in parts.items() if getattr(before, name) != getattr(now, name)]
    names = sorted({*before.code, *now.code})
    return found + [name for name in names if before.code.get(name) != now.code.get(name)]


def _told(checks: Sequence[object]) -> str:
    """Checks with what they were given, but for where they lie in memory."""
    return _ADDRESS.sub("", repr(checks))


def _short(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:8]


def _stating(statement: Statement) -> Iterator[str]:
    """The modules that hold a statement of the library; of any other none."""
    family = next((each for each in families() if each.name == statement.family), None)
    for item in () if family is None else family.statements:
        head, _, name = item.partition(":") if isinstance(item, str) else ("", "", "")
        for module, held in list(sys.modules.items()):
            if not head and item is statement:
                values = list(vars(held).values())
            elif head and (module == head or module.startswith(f"{head}.")):
                values = [vars(held).get(name)]
            else:
                continue
            if any(_holds(value, statement) for value in values):
                yield module


def _holds(value: object, statement: Statement) -> bool:
    return value is statement or (
        isinstance(value, tuple) and any(each is statement for each in value)
    )


def _code(modules: Iterable[str], files: Sequence[Path]) -> dict[str, str]:
    """The digests of modules, of files, and of all that these import."""
    names = list(modules)
    tops = {name.partition(".")[0] for name in (*names, *_OURS)}
    places = {top: _place(top) for top in tops}
    for file in files:
        beside = [*file.parent.glob("*.py"), *file.parent.glob("*/__init__.py")]
        places = {_named(path).name: _named(path) for path in beside} | places
        names.append(f"file {file.stem}")
        places[names[-1]] = file.with_suffix("")
    return code_read(Code(tuple(sorted(places.items()))), names)


def _place(top: str) -> Path:
    """Where a package or module lies that has been imported, without the suffix ``.py``."""
    return _named(Path(sys.modules[top].__file__ or ""))


def _named(source: Path) -> Path:
    return source.parent if source.name == "__init__.py" else source.with_suffix("")
