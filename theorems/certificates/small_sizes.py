"""The kind "small sizes": a claim about polynomials and roots, decided by z3 at given sizes.

Where the claim is true the certificate is z3's word for it, and is checked again by asking z3
again: no proof object that could be read without it. Where it is false the certificate is an exact
witness (``instances``), which needs no z3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy as sp

from theorems.certificates.document import (
    EXACT,
    Certificate,
    CertificateError,
    UncheckableError,
    UndecidedError,
    UnreadableError,
    versions,
)
from theorems.certificates.instances import at_input
from theorems.certificates.kind import Kind, Offer, Progress, demand, demand_fields, named, stem
from theorems.certificates.numbers import entry, whole_of
from theorems.checking.declared import determined
from theorems.checking.smt import Answer, MissingSolverError, UntranslatableError, ask, translate
from theorems.statement import Quantifier, Statement, Verdict

__all__ = ["KINDS", "SIZES", "certify", "claim_at", "sizes_at"]

NAME = "small sizes"
#: Batch sizes that are offered; every other size (the width) is 2, and indices are the first.
SIZES = (2, 3)
_BATCH_SIZES = ("n", "N")
_LARGEST = 20
#: What z3 may spend to make a certificate, in its own units, and to check one again: more, for
#: another version of z3.
MAKING, CHECKING = 1_000_000, 10_000_000
_CONCLUSION = "proved at these sizes, on the word of the solver"


def _asked(statement: Statement, sizes: Mapping[str, int], work: int) -> Answer:
    try:
        return ask(statement, sizes, work=work)
    except MissingSolverError as error:
        raise UncheckableError(f"needs the solver: {error}") from None
    except UntranslatableError as error:
        raise CertificateError(f"statement: not for the solver: {error}") from None
    except ValueError as error:
        raise CertificateError(f"inputs.sizes: {error}") from None


def claim_at(statement: Statement, sizes: Mapping[str, int]) -> str:
    """What is claimed of the statement at these sizes, in words.

    ``sizes`` are the values of the whole-numbered variables, by name.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> claim_at(STATEMENT, {"n": 2}).partition(": for ")[2].partition(" and")[0]
        'n = 2'
    """
    given = ", ".join(f"{name} = {size}" for name, size in sorted(sizes.items()))
    return (
        f"{statement.title}: for {given} and all values of the other variables within domains and "
        "assumptions at which every root and quotient is defined"
    )


def certify(statement: Statement, sizes: Mapping[str, int]) -> Certificate:
    """A proof at these sizes, or an exact witness against the claim, as a certificate.

    ``sizes`` are the values of the whole-numbered variables, by name. Raises
    `CertificateError` if z3 leaves it open with ``MAKING`` units of work, or is not
    installed. Cost: some seconds at most.
    """
    answer, claim = _asked(statement, sizes, MAKING), claim_at(statement, sizes)
    if answer.witness is not None and "algebraic" in answer.words:
        raise UndecidedError(f"{claim}: {answer.words}, and a certificate holds rational ones only")
    if answer.witness is not None:
        return at_input(statement, answer.witness)
    if answer.holds is None:
        raise UndecidedError(f"{claim}: undecided, {answer.solver} {answer.words}")
    return Certificate(
        kind=NAME,
        statement=statement.name,
        claim=claim,
        inputs={"sizes": dict(sizes)},
        precision=EXACT,
        enclosures={},
        conclusion=_CONCLUSION,
        versions=versions("sympy", "z3-solver"),
    )


def _recheck(certificate: Certificate) -> str:
    statement = named(certificate)
    given = entry(certificate.inputs, "sizes", "inputs")
    if not isinstance(given, Mapping):
        raise UnreadableError("inputs.sizes: want a whole number for each size")
    if certificate.precision != EXACT:
        raise CertificateError(f"precision: z3 works exactly; want {EXACT}")
    sizes = {
        name: whole_of(size, f"inputs.sizes.{name}", 0, _LARGEST) for name, size in given.items()
    }
    demand_fields(certificate, ("sizes",))
    demand(certificate, claim=claim_at(statement, sizes), conclusion=_CONCLUSION)
    answer = _asked(statement, sizes, CHECKING)
    if answer.holds is False:
        raise CertificateError(
            f"claim: false, {answer.solver} found an input that exact arithmetic confirms"
        )
    if answer.holds is None:
        raise CertificateError(f"claim: {answer.solver} could not decide it again: {answer.words}")
    return f"{certificate.claim}: {answer.words} ({answer.solver})"


def sizes_at(statement: Statement, n: int) -> dict[str, int] | None:
    """A number for each whole-numbered variable; None without batch size.

    Indices that run over the same are different.

    Raises ``ValueError`` if ``n`` is outside its domain.
    """
    whole = [v for v in statement.variables if isinstance(v.domain, sp.Range)]
    if not any(v.name in _BATCH_SIZES for v in whole):
        return None
    sizes: dict[str, int] = {}
    for place, variable in enumerate(whole):
        known = {v.symbol: sizes[v.name] for v in whole[:place]}
        domain = variable.domain.subs(known)
        alike = sum(v.domain == variable.domain for v in whole[:place])
        first = [int(domain.start) + k for k in range(alike, -1, -1)]
        tried = [n] if variable.name in _BATCH_SIZES else first
        if tried is first and variable.domain.start.is_Integer and variable.domain.start > 0:
            tried = [2, *first]
        found = next((value for value in tried if domain.contains(value) == sp.true), None)
        if found is None:
            raise ValueError(f"{variable.name}: none of {tried} is in {domain}")
        sizes[variable.name] = found
    return sizes


def _offers(statement: Statement) -> Iterator[Offer]:
    if (
        statement.quantifier is not Quantifier.POINTWISE
        or statement.expected is Verdict.REFUTED
        or not determined(statement)
    ):
        return
    for n in SIZES:
        try:
            if (sizes := sizes_at(statement, n)) is None:
                return
            translate(statement, sizes)
        except UntranslatableError:
            return
        except ValueError:  # outside a domain of this statement
            continue

        def make(progress: Progress, sizes: Mapping[str, int] = sizes, n: int = n) -> Certificate:
            progress(f"asking z3 at n={n}")
            return certify(statement, sizes)

        yield Offer(f"{stem(statement)}.size{n}", f"by z3, n = {n}", make)


KINDS = (
    Kind(
        NAME, "a claim about polynomials and roots, decided by z3 at small sizes", _recheck, _offers
    ),
)
