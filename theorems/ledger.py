"""What was established, by what, from which seed: kept in a file and compared on every run.

A ledger is JSON that a person can read and a version control system can merge: one entry for every
statement, under its name, with the digest of its text. What a run found is compared entry by entry;
nothing gets worse unseen. The library's own lies beside this module.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import sympy as sp

from simulators.documents import DocumentError, Schema1, Wanted, read_json, structured
from simulators.regular_files import UnreadableFileError
from theorems.grounds import Grounds, moved
from theorems.statement import Statement, Variable, Verdict
from theorems.verification import Result

__all__ = [
    "DEFAULT",
    "LIBRARY",
    "Change",
    "Entry",
    "Ledger",
    "LedgerError",
    "compare",
    "default_path",
    "differences",
    "differing",
    "digest",
    "entry_of",
    "outcomes",
    "parts",
    "read",
    "reworded",
]

#: The ledger that ``theorems verify`` compares with when it lies in the current directory.
DEFAULT = "theorems-ledger.json"
#: The library's own, compared with where the library is developed.
LIBRARY = Path(__file__).with_name("ledger.json")
SCHEMA = 1
#: Tightness without an interval is the same number if it agrees so far; libraries round apart.
_SAME = 1e-6
_LARGEST_FILE = 50_000_000
#: What stands between the words of a part and the digest of its exact form.
_MARK = " #"
_NOTHING = "nothing"
#: Among the versions of libraries; what it does is told by the digests of its code.
_OURS = "batchnorm-theorems"


class LedgerError(ValueError):
    """The ledger cannot be read; the message names file, place and remedy."""


@dataclass(frozen=True)
class Entry:
    """What is on record for one statement.

    - ``evidence``: (method, verdict) pairs
    - ``tightness``: the value and the ends of its interval; three equal numbers where it was
      computed and not sampled
    - ``versions``: of the libraries the numbers came from
    - ``claim``: the statement part by part (see `parts`), empty in older ledgers
    - ``grounds``: what the verdict rested on, None in older ledgers
    """

    digest: str
    verdict: Verdict
    evidence: tuple[tuple[str, Verdict], ...]
    tightness: tuple[float, float, float] | None
    seed: int
    level: float
    versions: Mapping[str, str]
    claim: Mapping[str, str] = field(default_factory=dict)
    grounds: Grounds | None = None


@dataclass(frozen=True)
class Change:
    """One difference between the record and a run.

    - ``what``: "verdict", "evidence", "text", "tightness", "removed" or "new"
    - ``worse``: it turns the run red; the rest is told
    """

    statement: str
    what: str
    recorded: str
    found: str
    worse: bool = True


# --- what a statement says ------------------------------------------------------------------------


def digest(statement: Statement) -> str:
    """SHA-256 of all that a statement claims: symbols, domains, definitions, assumptions, sides,
    false neighbour.

    Words that do not change the claim (title, remark, source) and the checks are left out.

    Args:
        statement: of the library, or a stated claim.
    """
    said = (
        statement.name,
        statement.quantifier.value,
        statement.relation,
        statement.chain,
        *statement.observables,
        *map(sp.srepr, (statement.lhs, statement.rhs, *statement.neighbour_sides)),
        *(
            f"{sp.srepr(v.symbol)} {sp.srepr(v.domain)} {list(map(sp.srepr, v.size))}"
            for v in statement.variables
        ),
        *(f"{a.along} {sp.srepr(a.relation)}" for a in statement.assumptions),
        *(f"defined {sp.srepr(c.relation)}" for c in statement.conditions_read),
        *(
            f"{sp.srepr(name)} {meaning if isinstance(meaning, str) else sp.srepr(meaning)}"
            for name, meaning in statement.definitions.items()
        ),
        "" if statement.ceiling is None else sp.srepr(statement.ceiling),
        statement.expected.value,
    )
    return hashlib.sha256("\n".join(map(str, said)).encode()).hexdigest()


def parts(statement: Statement) -> dict[str, str]:
    """Every part of what a statement claims, by name: its words, and a short digest of its exact
    form.

    Two statements that claim different things differ in a part, unless only the order of their
    symbols or assumptions does.

    Args:
        statement: of the library, or a stated claim.
    """
    left, right = statement.neighbour_sides
    return {
        "quantifier": statement.quantifier.value,
        "relation": statement.relation,
        "chain": statement.chain or _NOTHING,
        "observables": ", ".join(statement.observables) or _NOTHING,
        "expected": statement.expected.value,
        "left side": _written(statement.lhs),
        "right side": _written(statement.rhs),
        "left side of the false neighbour": _written(left),
        "right side of the false neighbour": _written(right),
        "ceiling": _NOTHING if statement.ceiling is None else _written(statement.ceiling),
        **{f"symbol {v.name}": _variable(v) for v in statement.variables},
        **{
            f"assumption {sp.sstr(a.relation)}": f"along the {a.along}{_short(a.relation)}"
            for a in statement.assumptions
        },
        **{
            f"defined where {sp.sstr(c.relation)}": f"{c.words}{_short(c.relation)}"
            for c in statement.conditions_read
        },
        **{
            f"definition of {name}": f"{_assumed_of(name)}: "
            f"{meaning if isinstance(meaning, str) else _written(meaning)}"
            for name, meaning in statement.definitions.items()
        },
    }


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(name, before, now) in words for every part that differs; what is not there is ``nothing``.

    Args:
        before: the parts on record, as `parts` gives them.
        now: those of the statement as it is.

    >>> differences({"relation": "<="}, {"relation": "<", "assumption x > 0": "along the input"})
    [('relation', '<=', '<'), ('assumption x > 0', 'nothing', 'along the input')]
    """
    found = []
    for name in dict.fromkeys((*before, *now)):
        old, new = before.get(name, _NOTHING), now.get(name, _NOTHING)
        if old == new:
            continue
        words, new_words = (text.partition(_MARK)[0] for text in (old, new))
        if words == new_words:
            new_words += (
                " (the same words, another exact form: the assumptions of a symbol, "
                "or what is evaluated)"
            )
        found.append((name, words, new_words))
    return found


def _written(expression: sp.Basic) -> str:
    return f"{sp.sstr(expression)}{_short(expression)}"


def _variable(variable: Variable) -> str:
    size = f", one for each of {', '.join(map(sp.sstr, variable.size))}" if variable.size else ""
    exact = _short(sp.Tuple(variable.symbol, variable.domain, *variable.size))
    return f"in {sp.sstr(variable.domain)}{size}; {_assumed_of(variable.symbol)}{exact}"


def _assumed_of(symbol: sp.Basic) -> str:
    """What SymPy assumes of a symbol, which decides how a claim is simplified."""
    assumed = sorted(getattr(symbol, "_assumptions_orig", {}).items())
    return ", ".join(f"{'' if value else 'not '}{name}" for name, value in assumed) or "any"


def _short(exact: sp.Basic) -> str:
    return f"{_MARK}{hashlib.sha256(sp.srepr(exact).encode()).hexdigest()[:8]}"


def entry_of(
    result: Result,
    *,
    seed: int,
    level: float,
    versions: Mapping[str, str],
    grounds: Grounds | None = None,
) -> Entry:
    """What a result would put on record.

    - ``seed``, ``level``: of the run that found it; a level of its own stands in the run's place
    - ``versions``: of the libraries that its numbers came from
    - ``grounds``: what it rests on (`theorems.grounds.grounds_of`), if that is to be told
    """
    value = result.tightness
    tightness = None
    if value is not None and math.isfinite(value):
        tightness = (value, *(result.tightness_interval or (value, value)))
    return Entry(
        digest(result.statement),
        result.verdict,
        tuple((e.method, e.verdict) for e in result.evidence),
        tightness,
        seed,
        level if result.level is None else result.level,
        dict(versions),
        parts(result.statement),
        grounds,
    )


# --- comparison -----------------------------------------------------------------------------------


def compare(
    ledger: Ledger,
    results: Sequence[Result],
    *,
    seed: int,
    level: float,
    versions: Mapping[str, str],
) -> tuple[Change, ...]:
    """Every difference between the record and what was found, statement by statement.

    ``seed``, ``level`` and ``versions`` are those of the run, as in `entry_of`.

    Example:
        >>> from theorems.registry import library
        >>> found = Result(library()[0], Verdict.SUPPORTED, ())
        >>> compare(Ledger({}), [found], seed=0, level=1e-6, versions={})[0].what
        'new'
    """
    changes: list[Change] = []
    for result in results:
        name = result.statement.name
        now = entry_of(result, seed=seed, level=level, versions=versions)
        if (before := ledger.entries.get(name)) is None:
            changes.append(Change(name, "new", "nothing", now.verdict.value, worse=False))
        else:
            changes += reworded(before, result.statement)
            changes += outcomes(name, before, now)
    return tuple(changes)


def differing(
    entry: Entry | None,
    statement: Statement,
    grounds: Grounds,
    *,
    seed: int,
    level: float,
    versions: Mapping[str, str],
) -> list[str]:
    """Why what is on record of a statement need not hold now, in words; empty if it does.

    - ``entry``: what is on record, if anything
    - ``grounds``: what a verdict rests on now, `theorems.grounds.grounds_of`
    - ``seed``, ``level``, ``versions``: of the run that would establish it again

    Example:
        >>> from theorems.registry import library
        >>> same = {"seed": 0, "level": 1e-6, "versions": {}}
        >>> differing(None, library()[0], Grounds(""), **same)
        ['it is not on record']
    """
    if entry is None:
        return ["it is not on record"]
    found = ["what it claims"] if entry.digest != digest(statement) else []
    found += ["the seed"] if entry.seed != seed else []
    found += ["the error level"] if entry.level != level else []
    for name in sorted({*entry.versions, *versions} - {_OURS}):
        if (now := versions.get(name, _NOTHING)) != entry.versions.get(name):
            found.append(f"{name} {now}")
    if entry.grounds is None:
        return [*found, "its code is not on record"]
    return found + moved(entry.grounds, grounds)


def reworded(entry: Entry, statement: Statement) -> list[Change]:
    """What a statement says otherwise than on record: each symbol, assumption, definition or side
    by name.
    """
    now = digest(statement)
    if entry.digest == now:
        return []
    why = "by parts, which this ledger does not hold"
    if entry.claim:
        told = differences(entry.claim, parts(statement))
        why = "the order of its symbols or assumptions"
        if told:
            return [
                Change(statement.name, "text", f"{part}: {words}", f"{part}: {new_words}")
                for part, words, new_words in told
            ]
    return [Change(statement.name, "text", f"{entry.digest[:12]}, {why}", now[:12])]


def outcomes(name: str, before: Entry, now: Entry) -> list[Change]:
    """What was found otherwise than on record: verdict, evidence, tightness of the same claim.

    - ``name``: of the statement that both are of

    Example:
        >>> then = Entry("", Verdict.CERTIFIED, (), None, 0, 1e-6, {})
        >>> [change.what for change in outcomes("mine.claim", then, replace(then, seed=1))]
        []
        >>> outcomes("mine.claim", then, replace(then, verdict=Verdict.SUPPORTED))[0].worse
        True
    """
    found: list[Change] = []
    if before.verdict is not now.verdict:
        worse = _worse(before.verdict, now.verdict)
        found.append(Change(name, "verdict", before.verdict.value, now.verdict.value, worse))
    elif lost := _lost(before, now):
        left = f"{_listed(now.evidence)}; lost {lost}"
        found.append(Change(name, "evidence", _listed(before.evidence), left))
    if before.digest == now.digest and _moved(before, now):
        ranges = _range(before.tightness), _range(now.tightness)
        found.append(Change(name, "tightness", *ranges))
    return found


def _worse(before: Verdict, now: Verdict) -> bool:
    """A weaker verdict, or one on the other side: to or from ``refuted`` nothing passes unseen."""
    if before is now:
        return False
    order = list(Verdict)
    return Verdict.REFUTED in (before, now) or order.index(now) > order.index(before)


def _lost(before: Entry, now: Entry) -> str:
    """Evidence on record that a run no longer gives, or gives more weakly."""
    left = list(now.evidence)
    missing = []
    for method, verdict in before.evidence:
        same = [e for e in left if e[0] == method and not _worse(verdict, e[1])]
        if same:
            left.remove(same[0])
        else:
            missing.append((method, verdict))
    return _listed(missing)


def _listed(evidence: Iterable[tuple[str, Verdict]]) -> str:
    return ", ".join(f"{method}: {verdict.value}" for method, verdict in evidence)


def _moved(before: Entry, now: Entry) -> bool:
    """Tightness beyond its interval; without intervals, another number from the same seed and
    libraries.
    """
    if before.tightness is None or now.tightness is None:
        return before.tightness != now.tightness
    (_, low, high), (_, low_now, high_now) = before.tightness, now.tightness
    slack = _SAME * max(abs(high), abs(high_now))
    if low_now <= high + slack and low <= high_now + slack:
        return False
    if low < high or low_now < high_now:
        return True
    # a sampled number without an interval also moves with the share of the error budget
    sampled = any(method == "simulation" for method, _ in (*before.evidence, *now.evidence))
    same_run = before.seed == now.seed and dict(before.versions) == dict(now.versions)
    return same_run and not sampled


def _range(tightness: tuple[float, float, float] | None) -> str:
    if tightness is None:
        return "none"
    value, low, high = tightness
    return f"{value:.6g}" if low == high else f"{value:.4g} in [{low:.4g}, {high:.4g}]"


# --- the file -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ledger:
    """Entries by statement name."""

    entries: Mapping[str, Entry]

    def updated(
        self,
        results: Sequence[Result],
        *,
        seed: int,
        level: float,
        versions: Mapping[str, str],
        gone: Iterable[str] = (),
        grounds: Mapping[str, Grounds] | None = None,
    ) -> Ledger:
        """The record after accepting ``results`` and the removal of the statements ``gone``; the
        rest is kept.

        - ``grounds``: what each result rests on, by the name of its statement
        """
        dropped = set(gone)
        found = {name: entry for name, entry in self.entries.items() if name not in dropped}
        found |= {
            r.statement.name: entry_of(
                r,
                seed=seed,
                level=level,
                versions=versions,
                grounds=(grounds or {}).get(r.statement.name),
            )
            for r in results
        }
        return replace(self, entries=found)

    def removed(self, families: Iterable[str], known: Iterable[str]) -> tuple[Change, ...]:
        """Entries of these families that no statement has any more.

        - ``families``: names of those that were looked at
        - ``known``: full names of all statements there are
        """
        names, wanted = set(known), set(families)
        return tuple(
            Change(name, "removed", entry.verdict.value, "no such statement")
            for name, entry in self.entries.items()
            if name not in names and name.partition(".")[0] in wanted
        )

    def as_json(self) -> dict[str, object]:
        """Plain data, sorted by name; library versions, and the digests of code, are told once for
        all entries that share them.
        """
        environments: dict[str, dict[str, str]] = {}
        code: dict[str, dict[str, str]] = {}
        statements = {}
        for name, entry in sorted(self.entries.items()):
            key = _kept(entry.versions, environments)
            ends = entry.tightness
            grounds = entry.grounds
            statements[name] = {
                "digest": entry.digest,
                "verdict": entry.verdict.value,
                "evidence": [f"{method}: {verdict.value}" for method, verdict in entry.evidence],
                "tightness": ends and [float(f"{x:.12g}") for x in ends],
                "seed": entry.seed,
                "level": entry.level,
                **({"claim": dict(entry.claim)} if entry.claim else {}),
                "environment": key,
                **({} if grounds is None else {"grounds": _rests(grounds, code)}),
            }
        return {
            "schema": SCHEMA,
            "environments": dict(sorted(environments.items())),
            **({"code": dict(sorted(code.items()))} if code else {}),
            "statements": statements,
        }


def _kept(words: Mapping[str, str], known: dict[str, dict[str, str]]) -> str:
    """The key under which words are told once for all that share them."""
    found = dict(sorted(words.items()))
    key = hashlib.sha256(json.dumps(found).encode()).hexdigest()[:8]
    known[key] = found
    return key


def _rests(grounds: Grounds, code: dict[str, dict[str, str]]) -> dict[str, str]:
    told = {"checks": grounds.checks, "proof": grounds.proof, "witnesses": grounds.witnesses}
    return {name: text for name, text in told.items() if text} | {"code": _kept(grounds.code, code)}


def _ends_in_verdict(text: str) -> bool:
    return text.partition(": ")[2] in list(Verdict)


_Found = Annotated[str, Wanted("'method: verdict'", _ends_in_verdict)]
_Evidence = Annotated[list[_Found], Wanted("a list of 'method: verdict'")]
_Seed = Annotated[int, Wanted("a nonnegative whole number", lambda seed: seed >= 0)]
_Ends = Annotated[
    tuple[float, float, float],
    Wanted("null, or a value and the two ends of its interval", lambda x: len(x) == 3),
]
_Interval = Annotated[
    _Ends, Wanted("an interval with its lower end first", lambda ends: ends[1] <= ends[2])
]


@dataclass(frozen=True)
class _Rests:
    """What a verdict rested on, as it stands in the file; ``code`` is a key of the file's."""

    checks: str
    code: str
    proof: str = ""
    witnesses: str = ""


@dataclass(frozen=True)
class _Written:
    """An entry as it stands in the file."""

    digest: str
    verdict: Verdict
    evidence: _Evidence
    seed: _Seed
    level: float
    environment: str
    tightness: _Interval | None = None
    claim: Mapping[str, str] = field(default_factory=dict)
    grounds: _Rests | None = None


@dataclass(frozen=True)
class _File:
    schema: Schema1
    environments: Mapping[str, Mapping[str, str]]
    statements: Mapping[str, _Written]
    code: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def default_path() -> Path:
    """The ledger of the current directory: the user's own, or where the library is developed its.

    The user's, ``DEFAULT``, if neither is there.
    """
    here = Path.cwd()
    if not os.path.lexists(DEFAULT) and LIBRARY.resolve().parents[1] == here.resolve():
        return Path(LIBRARY.parent.name, LIBRARY.name)
    return Path(DEFAULT)


def read(path: Path | str) -> Ledger:
    """The ledger in ``path``.

    Raises `LedgerError`, one line that names what is wrong and where.
    """
    try:
        file = structured(read_json(path, _LARGEST_FILE), _File, "the ledger")
        return Ledger(
            {
                name: _entry(f"statements.{name}", entry, file)
                for name, entry in file.statements.items()
            }
        )
    except UnreadableFileError as error:
        raise LedgerError(f"{path}: {error}; name a ledger") from None
    except DocumentError as error:
        raise LedgerError(f"{path}: {error}") from None


def _entry(place: str, written: _Written, file: _File) -> Entry:
    if (key := written.environment) not in file.environments:
        raise DocumentError(f"{place}.environment is {key!r}; want one of the environments")
    evidence = (text.partition(": ") for text in written.evidence)
    return Entry(
        written.digest,
        written.verdict,
        tuple((method, Verdict(verdict)) for method, _, verdict in evidence),
        written.tightness,
        written.seed,
        written.level,
        file.environments[key],
        written.claim,
        _grounds(place, written.grounds, file.code),
    )


def _grounds(
    place: str, written: _Rests | None, code: Mapping[str, Mapping[str, str]]
) -> Grounds | None:
    if written is None:
        return None
    if (key := written.code) not in code:
        raise DocumentError(f"{place}.grounds.code is {key!r}; want one of the code")
    return Grounds(written.checks, written.proof, written.witnesses, code[key])
