"""Has Rocq's kernel compare each printed statement with its theorem, and audits the axioms."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain

from theorems.proofs.formulas import REALS
from theorems.proofs.printer import UnprintableError, beside, proposition
from theorems.proofs.rocq import Rocq, RocqError, excess, exported, file_of, forbidden
from theorems.statement import Proof, Statement, Verdict

__all__ = ["Audit", "ProofResult", "check_file", "establish", "neighbours_file", "skeleton"]

_MATHCOMP = "From mathcomp Require Import all_ssreflect all_algebra"
_REALS = "From Coq Require Import Reals Lra.\nFrom mathcomp Require Import all_ssreflect."
_LEMMAS = "Import Order.Theory GRing.Theory Num.Theory."
_SCOPE = "Local Open Scope ring_scope."


def check_file(statement: Statement, name: str = "check") -> str:
    """The file whose one definition has the printed statement as its type and the theorem as value.

    The theorem's module is required and not imported, so that none of its notations can change what
    the text means.

    Raises `UnprintableError` for a statement without printed form, ``ValueError`` for one
    without theorem.
    """
    proof = _proof(statement)
    text = proposition(statement, negated=proof.refutes, structure=proof.structure)
    lines = *_preamble([proof]), _definition(text, proof, name), f"Print Assumptions {name}.", ""
    return "\n".join(lines)


def _proof(statement: Statement) -> Proof:
    if statement.proof is None or statement.proof.link != "kernel":
        raise ValueError(f"{statement.name}: no theorem is tied to it by the kernel")
    return statement.proof


def _preamble(proofs: Sequence[Proof]) -> list[str]:
    modules = dict.fromkeys(p.theorem.rpartition(".")[0] for p in proofs)
    required = [f"Require {module}." for module in modules]
    if all(p.structure == REALS for p in proofs):
        return [_REALS, *required, "Local Open Scope R_scope."]
    scripts = " ".join(p.script for p in proofs)
    ring = " ring" if "ring" in scripts or "field" in scripts else ""
    lemmas = [_LEMMAS] if scripts.strip() else []
    return [f"{_MATHCOMP}{ring}.", *required, *lemmas, _SCOPE]


def _definition(text: str, proof: Proof, name: str) -> str:
    value = f"@{proof.theorem}"
    if proof.script:
        value = f"ltac:({proof.script.replace('THEOREM', proof.theorem)})"
    return f"Definition {name} :\n  {_indented(text)}\n  := {value}."


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")


def neighbours_file(statements: Sequence[Statement]) -> str:
    """What the same theorems, by the same scripts, must not do for: propositions beside the
    statements.

    They are the false neighbours, and each statement with one hypothesis more or another
    (``beside``). Most of these follow from the statement, so a script that closes goals by search,
    or drops a hypothesis unseen, would carry the theorem over to them, and what Python adds or
    changes there would go unnoticed.
    """
    proofs = [_proof(s) for s in statements]
    lines = _preamble(proofs)
    for number, (statement, proof) in enumerate(zip(statements, proofs, strict=True)):
        printed = partial(proposition, negated=proof.refutes, structure=proof.structure)
        others = beside(statement, negated=proof.refutes, structure=proof.structure)
        for case, text in enumerate((printed(statement.neighbour), *others)):
            # stated first: what cannot even be read as a proposition is not rejected as one
            lines += [
                f"Definition stated_{number}_{case} : Prop :=\n  {_indented(text)}.",
                f"Fail {_definition(text, proof, 'changed')}",
            ]
    return "\n".join((*lines, ""))


_SKELETON = f"""\
(* OPEN: stated, not proved. {{name}}
   {{title}}
   Source: {{source}}

   Printed from the Python statement by theorems prove --export; no part of the build. \
Replace Admitted by a
   proof ended by Qed, put the file beside the others in theorems/proofs, name it in _CoqProject \
and its
   theorem in EXPORTED and in the statement's proof field: then theorems prove checks it. *)

{_MATHCOMP} ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

{_LEMMAS}
{_SCOPE}

Theorem {{theorem}} :
  {{claim}}.
Proof.
Admitted.
"""


def skeleton(statement: Statement) -> str:
    """A file that states the claim and leaves the proof open, for a user to start from.

    Raises `UnprintableError` where there is no printed form.
    """
    title = statement.title.replace("(*", "( *").replace("*)", "* )")
    return _SKELETON.format(
        name=statement.name,
        title=title.replace('"', "'"),  # Rocq lexes its comments
        source=statement.source,
        theorem="_".join((statement.theorem, statement.variant)).rstrip("_"),
        claim=_indented(proposition(statement)),
    )


# --- establishing ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class ProofResult:
    """What Rocq said of one statement's proof; ``problem`` is empty if it stands."""

    statement: Statement
    proof: Proof
    problem: str = ""
    axioms: tuple[str, ...] = ()
    says: str = ""
    seconds: float = 0.0

    @property
    def file(self) -> str:
        return file_of(self.proof.theorem)

    @property
    def verdict(self) -> Verdict:
        """What a standing proof makes of the statement; of a part only, if it leaves something.

        ``inconclusive`` where there is a problem.
        """
        if self.problem:
            return Verdict.INCONCLUSIVE
        return Verdict.REFUTED if self.proof.refutes else Verdict.PROVED


@dataclass(frozen=True)
class Audit:
    """The results for the statements asked for, and the axioms of every theorem looked at."""

    results: tuple[ProofResult, ...]
    theorems: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rocq: str = ""
    problem: str = ""

    @property
    def stands(self) -> bool:
        return not self.problem and not any(f.problem for f in self.results) and not self.excess

    @property
    def excess(self) -> dict[str, tuple[str, ...]]:
        """By theorem, the axioms that it rests on and may not, of those theorems that have such.

        Empty where every proof stands on admitted axioms alone.
        """
        found = {name: excess(name, axioms) for name, axioms in self.theorems.items()}
        return {name: axioms for name, axioms in found.items() if axioms}


def establish(
    statements: Iterable[Statement],
    rocq: Rocq,
    *,
    everything: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Audit:
    """Build what the statements' proofs need, compare, and audit.

    - ``everything``: audit all exported theorems
    - ``progress``: told what is being done

    Never raises for a proof that fails: its result, or the audit, says what is wrong. Cost: about
    three seconds a statement, and half a minute to build everything anew.
    """
    proved = [(s, s.proof) for s in statements if s.proof is not None]
    names = list(chain.from_iterable((p.theorem, *p.also) for _, p in proved))
    try:
        theorems = _built(rocq, names, everything, progress)
    except RocqError as error:
        problem = str(error)
        fallen = tuple(ProofResult(s, p, problem) for s, p in proved)
        return Audit(fallen, {}, rocq.version, problem)
    says = _said(rocq, [p.theorem for _, p in proved if p.link == "name"])

    def look(pair: tuple[Statement, Proof]) -> ProofResult:
        statement, proof = pair
        progress(statement.name)
        axioms, said = theorems.get(proof.theorem), says.get(proof.theorem, "")
        return _look(statement, proof, rocq, axioms, said)

    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(look, proved))
    return Audit(tuple(_sentinels(results, rocq)), theorems, rocq.version)


def _built(
    rocq: Rocq, names: Sequence[str], everything: bool, progress: Callable[[str], None]
) -> dict[str, tuple[str, ...]]:
    """Build what the theorems need; their axioms, and with ``everything`` those of all exported."""
    if words := forbidden(rocq.root):
        raise RocqError(f"assumed, not proved: {'; '.join(words)}")
    known = exported(rocq.root)
    if unlisted := sorted(set(names).difference(known)):
        raise RocqError(f"not in EXPORTED: {', '.join(unlisted)}")
    wanted = tuple(dict.fromkeys((*names, *(known if everything else ()))))
    progress("building")
    rocq.build(() if everything else sorted({file_of(name) for name in wanted}))
    progress("axioms")
    return rocq.assumptions(wanted)


def _said(rocq: Rocq, theorems: Sequence[str]) -> dict[str, str]:
    try:
        return rocq.says(theorems)
    except RocqError:
        return {}  # shown beside a gloss; nothing rests on it


def _look(
    statement: Statement, proof: Proof, rocq: Rocq, axioms: tuple[str, ...] | None, says: str
) -> ProofResult:
    if axioms is None:
        return ProofResult(statement, proof, f"no theorem {proof.theorem}")
    began = time.perf_counter()
    problem = ""
    if proof.link == "kernel":
        try:
            found = rocq.axioms_of(check_file(statement))
            axioms = tuple(dict.fromkeys((*axioms, *found)))
        except UnprintableError as error:
            problem = str(error)
        except RocqError as error:
            problem = f"the kernel rejects the printed statement: {error}"
    if not problem and (more := excess(proof.theorem, axioms)):
        problem = f"rests on {', '.join(more)}"
    return ProofResult(statement, proof, problem, axioms, says, time.perf_counter() - began)


def _sentinels(results: list[ProofResult], rocq: Rocq) -> list[ProofResult]:
    """The same theorems must not do for the false neighbours."""
    weak: set[str] = set()
    for real in (False, True):  # over Coq's reals in a file of their own
        tied = [
            f.statement
            for f in results
            if f.proof.link == "kernel" and not f.problem and (f.proof.structure == REALS) == real
        ]
        if tied and not _rejected(tied, rocq):
            weak |= {s.name for s in tied if not _rejected([s], rocq)}
    problem = (
        "its false neighbour passes as well, or itself with another hypothesis, or has no print"
    )
    return [replace(f, problem=problem) if f.statement.name in weak else f for f in results]


def _rejected(statements: Sequence[Statement], rocq: Rocq) -> bool:
    try:
        rocq.compile("neighbours", neighbours_file(statements))
    except (RocqError, UnprintableError):
        return False
    return True
