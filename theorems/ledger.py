"""What was established, by what, from which seed: kept in a file and compared on every run.

A ledger is JSON that a person can read and a version control system can merge: one entry for every statement, under
its name, with the digest of its text. What a run found is compared entry by entry; nothing gets worse unseen.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import sympy as sp

from simulators.regular_files import UnreadableFileError, read_regular
from theorems.statement import Assumption, Statement, Variable, Verdict
from theorems.verification import Result

__all__ = [
    "DEFAULT",
    "Change",
    "Entry",
    "Ledger",
    "LedgerError",
    "compare",
    "differences",
    "digest",
    "entry_of",
    "parts",
    "read",
    "reworded",
]

#: The ledger that ``theorems verify`` compares with when it lies in the current directory.
DEFAULT = "theorems-ledger.json"
SCHEMA = 1
#: Tightness without an interval is the same number if it agrees so far; libraries round differently.
_SAME = 1e-6
_LARGEST_FILE = 50_000_000
#: What stands between the words of a part and the digest of its exact form.
_MARK = " #"
_NOTHING = "nothing"


class LedgerError(ValueError):
    """The ledger cannot be read; the message names file, place and remedy."""


@dataclass(frozen=True)
class Entry:
    """What is on record for one statement.

    ``evidence`` holds (method, verdict) pairs, ``tightness`` the value and the ends of its interval (three equal
    numbers where it was computed and not sampled), ``versions`` those of the libraries the numbers came from,
    ``claim`` the statement part by part (see :func:`parts`), empty in older ledgers.
    """

    digest: str
    verdict: Verdict
    evidence: tuple[tuple[str, Verdict], ...]
    tightness: tuple[float, float, float] | None
    seed: int
    level: float
    versions: Mapping[str, str]
    claim: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """One difference between the record and a run. ``worse`` turns the run red, the rest is told."""

    statement: str
    what: str  # "verdict" | "evidence" | "text" | "tightness" | "removed" | "new"
    recorded: str
    found: str
    worse: bool


def digest(statement: Statement) -> str:
    """SHA-256 of all that a statement claims: its symbols, domains, definitions, assumptions, sides, false neighbour.

    Words that do not change the claim (title, remark, source) and the checks are left out.
    """
    neighbour = statement.neighbour_sides
    parts = (
        statement.name,
        statement.quantifier.value,
        statement.relation,
        statement.chain,
        *statement.observables,
        *(sp.srepr(side) for side in (statement.lhs, statement.rhs, *neighbour)),
        *(
            f"{sp.srepr(v.symbol)} {sp.srepr(v.domain)} {[sp.srepr(x) for x in v.size]}"
            for v in statement.variables
        ),
        *(f"{a.along} {sp.srepr(a.relation)}" for a in statement.assumptions),
        *(f"defined {sp.srepr(c.relation)}" for c in statement.conditions_read),
        *(f"{sp.srepr(name)} {_text(meaning)}" for name, meaning in statement.definitions.items()),
        "" if statement.ceiling is None else sp.srepr(statement.ceiling),
        statement.expected.value,
    )
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def _text(meaning: sp.Basic | str) -> str:
    return meaning if isinstance(meaning, str) else sp.srepr(meaning)


# --- a statement part by part -------------------------------------------------------------------


def parts(statement: Statement) -> dict[str, str]:
    """Every part of what a statement claims, by name: its words, and a short digest of its exact form.

    Two statements that claim different things differ in a part, unless only the order of their symbols or
    assumptions does.
    """
    left, right = statement.neighbour_sides
    found = {
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
    }
    found |= {f"symbol {v.name}": _variable(v) for v in statement.variables}
    found |= {f"assumption {sp.sstr(a.relation)}": _assumption(a) for a in statement.assumptions}
    found |= {
        f"defined where {sp.sstr(c.relation)}": f"{c.words}{_MARK}{_short(sp.srepr(c.relation))}"
        for c in statement.conditions_read
    }
    found |= {
        f"definition of {name}": f"{_symbol(name)}: {meaning if isinstance(meaning, str) else _written(meaning)}"
        for name, meaning in statement.definitions.items()
    }
    return found


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(name, before, now) in words for every part that differs; what is not there is ``nothing``.

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
            new_words += " (the same words, another exact form: the assumptions of a symbol, or what is evaluated)"
        found.append((name, words, new_words))
    return found


def _written(expression: sp.Basic) -> str:
    return f"{sp.sstr(expression)}{_MARK}{_short(sp.srepr(expression))}"


def _symbol(symbol: sp.Basic) -> str:
    """A symbol with what SymPy assumes of it, which decides how a claim is simplified."""
    assumed = getattr(symbol, "_assumptions_orig", {})
    return (
        ", ".join(f"{'' if value else 'not '}{name}" for name, value in sorted(assumed.items()))
        or "any"
    )


def _variable(variable: Variable) -> str:
    size = f", one for each of {', '.join(map(sp.sstr, variable.size))}" if variable.size else ""
    exact = sp.srepr(sp.Tuple(variable.symbol, variable.domain, *variable.size))
    return f"in {sp.sstr(variable.domain)}{size}; {_symbol(variable.symbol)}{_MARK}{_short(exact)}"


def _assumption(assumption: Assumption) -> str:
    return f"along the {assumption.along}{_MARK}{_short(sp.srepr(assumption.relation))}"


def _short(exact: str) -> str:
    return hashlib.sha256(exact.encode()).hexdigest()[:8]


def entry_of(result: Result, *, seed: int, level: float, versions: Mapping[str, str]) -> Entry:
    """What a result would put on record."""
    value, interval = result.tightness, result.tightness_interval
    tightness = None
    if value is not None and math.isfinite(value):
        tightness = (value, *(interval or (value, value)))
    return Entry(
        digest(result.statement),
        result.verdict,
        tuple((e.method, e.verdict) for e in result.evidence),
        tightness,
        seed,
        level,
        dict(versions),
        parts(result.statement),
    )


# --- comparison ---------------------------------------------------------------------------------------------


def compare(
    ledger: Ledger,
    results: Sequence[Result],
    *,
    seed: int,
    level: float,
    versions: Mapping[str, str],
) -> tuple[Change, ...]:
    """Every difference between the record and what was found, statement by statement."""
    changes: list[Change] = []
    for result in results:
        now = entry_of(result, seed=seed, level=level, versions=versions)
        before = ledger.entries.get(result.statement.name)
        if before is None:
            changes.append(
                Change(result.statement.name, "new", "nothing", now.verdict.value, False)
            )
        else:
            changes += reworded(before, result.statement)
            changes += _differences(result.statement.name, before, now)
    return tuple(changes)


def reworded(entry: Entry, statement: Statement) -> list[Change]:
    """What a statement says otherwise than on record: each symbol, assumption, definition or side by name."""
    if entry.digest == digest(statement):
        return []
    told = (
        [
            Change(statement.name, "text", f"{part}: {before}", f"{part}: {now}", True)
            for part, before, now in differences(entry.claim, parts(statement))
        ]
        if entry.claim
        else []
    )
    if told:
        return told
    why = (
        "the order of its symbols or assumptions"
        if entry.claim
        else "by parts, which this ledger does not hold"
    )
    return [
        Change(statement.name, "text", f"{entry.digest[:12]}, {why}", digest(statement)[:12], True)
    ]


def _differences(name: str, before: Entry, now: Entry) -> list[Change]:
    found: list[Change] = []
    if before.verdict is not now.verdict:
        found.append(
            Change(
                name,
                "verdict",
                before.verdict.value,
                now.verdict.value,
                _worse(before.verdict, now.verdict),
            )
        )
    elif lost := _lost(before, now):
        found.append(
            Change(
                name,
                "evidence",
                _listed(before.evidence),
                f"{_listed(now.evidence)}; lost {lost}",
                True,
            )
        )
    if before.digest == now.digest and (moved := _moved(before, now)):
        found.append(Change(name, "tightness", *moved, True))
    return found


def _worse(before: Verdict, now: Verdict) -> bool:
    """A weaker verdict, or one on the other side: to or from ``refuted`` nothing passes unseen."""
    if before is now:
        return False
    if Verdict.REFUTED in (before, now):
        return True
    order = list(Verdict)
    return order.index(now) > order.index(before)


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


def _moved(before: Entry, now: Entry) -> tuple[str, str] | None:
    """Tightness beyond its interval; without intervals, another number from the same seed and libraries."""
    if before.tightness is None or now.tightness is None:
        return (
            None
            if before.tightness == now.tightness
            else (_range(before.tightness), _range(now.tightness))
        )
    (_, low, high), (_, low_now, high_now) = before.tightness, now.tightness
    slack = _SAME * max(abs(high), abs(high_now))
    if low_now <= high + slack and low <= high_now + slack:
        return None
    sampled = low < high or low_now < high_now
    # a sampled number without an interval also moves with the share of the error budget, so it is not compared
    repeated = (before.seed, dict(before.versions)) == (now.seed, dict(now.versions)) and not any(
        method == "simulation" for method, _ in (*before.evidence, *now.evidence)
    )
    return (_range(before.tightness), _range(now.tightness)) if sampled or repeated else None


def _range(tightness: tuple[float, float, float] | None) -> str:
    if tightness is None:
        return "none"
    value, low, high = tightness
    return f"{value:.6g}" if low == high else f"{value:.4g} in [{low:.4g}, {high:.4g}]"


# --- the file -----------------------------------------------------------------------------------------------


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
    ) -> Ledger:
        """The record after accepting ``results`` and the removal of the statements ``gone``; the rest is kept."""
        dropped = set(gone)
        found = {name: entry for name, entry in self.entries.items() if name not in dropped}
        found |= {
            r.statement.name: entry_of(r, seed=seed, level=level, versions=versions)
            for r in results
        }
        return replace(self, entries=found)

    def removed(self, families: Iterable[str], known: Iterable[str]) -> tuple[Change, ...]:
        """Entries of these families that no statement has any more."""
        names, wanted = set(known), set(families)
        return tuple(
            Change(name, "removed", entry.verdict.value, "no such statement", True)
            for name, entry in self.entries.items()
            if name not in names and name.partition(".")[0] in wanted
        )

    def as_json(self) -> dict[str, Any]:
        """Plain data, sorted by name; library versions are told once for all entries that share them."""
        environments: dict[str, dict[str, str]] = {}
        statements = {}
        for name, entry in sorted(self.entries.items()):
            versions = dict(sorted(entry.versions.items()))
            key = hashlib.sha256(json.dumps(versions).encode()).hexdigest()[:8]
            environments[key] = versions
            statements[name] = {
                "digest": entry.digest,
                "verdict": entry.verdict.value,
                "evidence": [f"{method}: {verdict.value}" for method, verdict in entry.evidence],
                "tightness": None
                if entry.tightness is None
                else [float(f"{x:.12g}") for x in entry.tightness],
                "seed": entry.seed,
                "level": entry.level,
                **({"claim": dict(entry.claim)} if entry.claim else {}),
                "environment": key,
            }
        return {
            "schema": SCHEMA,
            "environments": dict(sorted(environments.items())),
            "statements": statements,
        }


def read(path: Path | str) -> Ledger:
    """The ledger in ``path``. Raises :class:`LedgerError`, one line that names what is wrong and where."""
    path = Path(path)
    try:
        content = json.loads(
            read_regular(path, _LARGEST_FILE).decode("utf-8"),
            parse_constant=_no_constant,
            object_pairs_hook=_unique,
        )
    except UnreadableFileError as error:
        raise LedgerError(f"{path}: {error}; name a ledger") from None
    except (ValueError, RecursionError) as error:
        reason = str(error).split("\n")[0] if isinstance(error, LedgerError) else "not JSON"
        raise LedgerError(reason if reason.startswith(str(path)) else f"{path}: {reason}") from None
    return Ledger(_Reader(str(path)).entries(content))


def _no_constant(word: str) -> None:
    raise ValueError(word)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a merge that kept two entries of one name has not been resolved."""
    names = [name for name, _ in pairs]
    if (
        twice := next((name for name in names if names.count(name) > 1), None)
        if len(set(names)) < len(names)
        else None
    ):
        raise LedgerError(f"{twice!r} is given twice")
    return dict(pairs)


class _Reader:
    """Takes a ledger apart, naming the place of whatever does not fit."""

    def __init__(self, path: str) -> None:
        self.path = path

    def entries(self, content: Any) -> dict[str, Entry]:
        top = self._mapping(content, "the ledger")
        if top.get("schema") != SCHEMA or isinstance(top.get("schema"), bool):
            raise self._error("schema", top.get("schema"), f"{SCHEMA}")
        environments = {
            key: self._texts(value, f"environments.{key}")
            for key, value in self._mapping(top.get("environments"), "environments").items()
        }
        statements = self._mapping(top.get("statements"), "statements")
        return {
            name: self._entry(value, f"statements.{name}", environments)
            for name, value in statements.items()
        }

    def _entry(
        self, value: Any, place: str, environments: Mapping[str, Mapping[str, str]]
    ) -> Entry:
        given = self._mapping(value, place)
        key = self._string(given.get("environment"), f"{place}.environment")
        if key not in environments:
            raise self._error(f"{place}.environment", key, "one of the environments")
        seed = given.get("seed")
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise self._error(f"{place}.seed", seed, "a nonnegative whole number")
        level = self._number(given.get("level"), f"{place}.level")
        evidence = given.get("evidence")
        if not isinstance(evidence, list):
            raise self._error(f"{place}.evidence", evidence, "a list of 'method: verdict'")
        return Entry(
            self._string(given.get("digest"), f"{place}.digest"),
            self._verdict(given.get("verdict"), f"{place}.verdict"),
            tuple(self._evidence(item, f"{place}.evidence") for item in evidence),
            self._tightness(given.get("tightness"), f"{place}.tightness"),
            seed,
            level,
            environments[key],
            self._texts(given.get("claim", {}), f"{place}.claim"),
        )

    def _texts(self, value: Any, place: str) -> dict[str, str]:
        return {
            name: self._string(text, f"{place}.{name}")
            for name, text in self._mapping(value, place).items()
        }

    def _tightness(self, value: Any, place: str) -> tuple[float, float, float] | None:
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 3:
            raise self._error(place, value, "null, or a value and the two ends of its interval")
        middle, low, high = (self._number(x, place) for x in value)
        if low > high:
            raise self._error(place, value, "an interval with its lower end first")
        return middle, low, high

    def _evidence(self, value: Any, place: str) -> tuple[str, Verdict]:
        method, colon, verdict = self._string(value, place).partition(": ")
        if not colon:
            raise self._error(place, value, "'method: verdict'")
        return method, self._verdict(verdict, place)

    def _verdict(self, value: Any, place: str) -> Verdict:
        try:
            return Verdict(value)
        except ValueError:
            raise self._error(place, value, f"one of {', '.join(Verdict)}") from None

    def _number(self, value: Any, place: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._error(place, value, "a number")
        try:
            found = float(value)
        except OverflowError:
            found = math.inf
        if not math.isfinite(found):  # JSON has no infinity, but 1e999 is read as one
            raise self._error(place, "a number beyond all floats", "a number")
        return found

    def _string(self, value: Any, place: str) -> str:
        if not isinstance(value, str):
            raise self._error(place, value, "text")
        return value

    def _mapping(self, value: Any, place: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._error(place, value, "an object")
        return value

    def _error(self, place: str, value: Any, want: str) -> LedgerError:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else f"{shown[:57]}…"
        # names in the file are part of the place, and may hold line ends
        return LedgerError(" ".join(f"{self.path}: {place} is {shown}; want {want}".split()))
