"""What Rocq established when it last did, valid only while everything it rests on is as it was.

For every statement the record holds the digest of the file that the kernel accepted, which contains
the printed statement, and for every source file its digest. A statement whose print has changed, or
whose theorem's file or a file that it imports has, is no longer proved: ``theorems prove``
establishes it again, ``--record`` writes it down.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from simulators.documents import DocumentError, Schema1, read_json, structured
from simulators.regular_files import UnreadableFileError
from theorems.evidence import Recorded
from theorems.proofs.bridge import Audit, check_file, neighbours_file
from theorems.proofs.printer import UnprintableError
from theorems.proofs.rocq import SOURCES, closure, excess, file_of
from theorems.statement import Evidence, Proof, Statement, Verdict

__all__ = [
    "RECORDED",
    "ProofRecord",
    "RecordError",
    "compose",
    "evidence",
    "lapsed",
    "read",
    "recorded",
]

RECORDED = SOURCES / "certificate.json"
SCHEMA = 1
_LARGEST = 10_000_000


class RecordError(ValueError):
    """The record cannot be trusted; the message says why."""


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest(content: Mapping[str, object]) -> str:
    plain = {key: value for key, value in content.items() if key != "digest"}
    return _sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode())


def _tie(statement: Statement) -> str:
    """The digest of what ties a statement to its theorem: the kernel's inputs, or, by name, words
    and formulas.

    By name no kernel compares: a change is noticed, and whoever records anew answers for it.
    """
    proof = _proof(statement)
    if proof.link == "kernel":
        return _sha256((check_file(statement) + neighbours_file([statement])).encode())
    parts = (
        proof.theorem,
        proof.gloss,
        proof.leaves,
        str(statement.lhs),
        statement.relation,
        str(statement.rhs),
        *(str(a.relation) for a in statement.assumptions),
        *(f"{v.symbol} {v.domain} {v.size}" for v in statement.variables),
        *(f"{name} {meaning}" for name, meaning in statement.definitions.items()),
    )
    return _sha256("\n".join(parts).encode())


def _proof(statement: Statement) -> Proof:
    if statement.proof is None:
        raise ValueError(f"{statement.name}: no theorem speaks for it")
    return statement.proof


def compose(audit: Audit, date: str, root: Path = SOURCES) -> dict[str, object]:
    """The record of an audit that stands, as JSON. Raises ``ValueError`` for one that does not.

    - ``date``: of today, YYYY-MM-DD
    - ``root``: where the sources are that were audited
    """
    if not audit.stands:
        raise ValueError("what is not proved cannot be recorded")
    needed = set().union(*(closure(file_of(theorem), root) for theorem in audit.theorems))
    content: dict[str, object] = {
        "schema": SCHEMA,
        "date": date,
        "rocq": audit.rocq,
        "sources": {name: _sha256((root / name).read_bytes()) for name in sorted(needed)},
        "theorems": {name: list(axioms) for name, axioms in sorted(audit.theorems.items())},
        "statements": {
            f.statement.name: {
                "theorem": f.proof.theorem,
                "link": f.proof.link,
                "tie": _tie(f.statement),
                **({"says": f.says} if f.says else {}),
            }
            for f in sorted(audit.results, key=lambda f: f.statement.name)
        },
    }
    return content | {"digest": _digest(content)}


@dataclass(frozen=True)
class _Tied:
    """What is on record for one statement; ``says`` is what ``Check`` printed for its theorem."""

    theorem: str
    link: str
    tie: str
    says: str = ""


@dataclass(frozen=True)
class _File:
    schema: Schema1
    digest: str
    date: str
    rocq: str
    sources: Mapping[str, str]
    theorems: Mapping[str, tuple[str, ...]]
    statements: Mapping[str, _Tied]


@dataclass(frozen=True)
class ProofRecord:
    """A record that has been read, beside the sources it is about."""

    file: _File
    root: Path = SOURCES

    @property
    def date(self) -> str:
        return self.file.date

    @property
    def rocq(self) -> str:
        return self.file.rocq

    def objection(self, statement: Statement) -> str:
        """Why the record does not cover the statement as it is now; empty if it does.

        Raises ``ValueError`` for a statement that names no theorem. Cost: the statement is printed,
        and the sources that its theorem rests on are read.
        """
        proof = _proof(statement)
        entry = self.file.statements.get(statement.name)
        if entry is None:
            return "it was not recorded"
        if (entry.theorem, entry.link) != (proof.theorem, proof.link):
            return "another theorem or link was recorded"
        try:
            if entry.tie != _tie(statement):
                return "the statement, or what ties it to its theorem, has changed"
        except UnprintableError as error:
            return f"it can no longer be printed ({error})"
        own = file_of(proof.theorem)
        for name in closure(own, self.root) if (self.root / own).is_file() else (own,):
            path = self.root / name
            if not path.is_file() or _sha256(path.read_bytes()) != self.file.sources.get(name):
                return f"{name} has changed"
        more = excess(proof.theorem, self.axioms(proof))
        return f"it rests on {', '.join(more)}" if more else ""

    def axioms(self, proof: Proof) -> tuple[str, ...]:
        """The axioms that the proof's theorem rested on.

        Of one that is not on record, words that are no axiom, so that it is objected to.
        """
        return self.file.theorems.get(proof.theorem, ("nothing known of its axioms",))

    def says(self, statement: Statement) -> str:
        """What ``Check`` printed for the theorem of a statement that is tied by name.

        Empty for one tied by the kernel, and for one that is not on record.
        """
        entry = self.file.statements.get(statement.name)
        return "" if entry is None else entry.says


def read(path: Path = RECORDED, root: Path = SOURCES) -> ProofRecord:
    """The record in ``path``.

    Raises `RecordError` if it is missing, malformed or altered.
    """
    try:
        content = structured(read_json(path, _LARGEST), dict[str, object], "the record")
        file = structured(content, _File)
    except (UnreadableFileError, DocumentError) as error:
        raise RecordError(f"{path.name}: {error}") from None
    if file.digest != _digest(content):
        raise RecordError(f"{path.name}: altered, its digest does not match its content")
    return ProofRecord(file, root)


@cache
def recorded() -> ProofRecord | str:
    """The record of the package, or why there is none. Read once.

    Example:
        >>> recorded().rocq
        '8.16.1'
    """
    try:
        return read()
    except RecordError as error:
        return str(error)


def evidence(statement: Statement, record: ProofRecord | None = None) -> Evidence | None:
    """The proof as evidence, if the record covers the statement as it is now; None otherwise.

    ``record`` is by default the package's.
    """
    if (proof := statement.proof) is None:
        return None
    began = time.perf_counter()
    found = _covering(statement, record)
    if isinstance(found, str):
        return None
    axioms = found.axioms(proof)
    return Evidence(
        method="proof",
        verdict=Verdict.REFUTED if proof.refutes else Verdict.PROVED,
        summary=summary(proof, axioms),
        # the kernel rejects the same theorem for the neighbour; by name there is nothing to try
        sentinel=Verdict.REFUTED if proof.link == "kernel" else Verdict.OUTSIDE,
        partial=bool(proof.leaves),
        seconds=time.perf_counter() - began,
        details=Recorded(
            {
                "theorem": proof.theorem,
                "link": proof.link,
                "axioms": list(axioms),
                "rocq": found.rocq,
                "recorded": found.date,
                **({"gloss": proof.gloss} if proof.gloss else {}),
                **({"leaves": proof.leaves} if proof.leaves else {}),
            }
        ),
    )


def lapsed(statement: Statement, record: ProofRecord | None = None) -> str:
    """Why a proof that the statement names does not count now, in one line.

    Empty if it does, or none is named. ``record`` is by default the package's.
    """
    if (proof := statement.proof) is None:
        return ""
    found = _covering(statement, record)
    name = proof.theorem.rpartition(".")[2]
    told = f"the recorded proof {name} does not count: {found}; theorems prove checks it again"
    return told if isinstance(found, str) else ""


def _covering(statement: Statement, record: ProofRecord | None) -> ProofRecord | str:
    """The record, if it covers the statement as it is now; else why it does not."""
    found = recorded() if record is None else record
    return found if isinstance(found, str) else found.objection(statement) or found


def summary(proof: Proof, axioms: tuple[str, ...]) -> str:
    """One line: what the theorem does for the statement, and how the two are tied.

    Example:
        >>> summary(Proof(theorem="BatchNorm.common.Sums.cauchy_schwarz"), ())
        'kernel-checked for all sizes: cauchy_schwarz (no axioms)'
    """
    name = proof.theorem.rpartition(".")[2]
    rests = "no axioms" if not axioms else f"{len(axioms)} classical axioms"
    if proof.leaves:
        return f"a part, by name: {name} ({rests}); leaves {proof.leaves}"
    if proof.link == "name":
        return f"{name} ({rests}), tied by name only"
    how = "negation proved" if proof.refutes else "kernel-checked"
    return f"{how} for all sizes: {name} ({rests})"
