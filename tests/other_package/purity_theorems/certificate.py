"""The kind "uniform purity": the uniform spectrum of a stated size attains the bound."""

from __future__ import annotations

from collections.abc import Iterator

import flint

from theorems.certificates.document import EXACT, Certificate, CertificateError, versions
from theorems.certificates.kind import Kind, Offer, demand, demand_fields, named, stem
from theorems.certificates.numbers import entry, whole_of
from theorems.statement import Statement

__all__ = ["UNIFORM"]

NAME = "uniform purity"
_CONCLUSION = "attained"


def _claim(statement: Statement, n: int) -> str:
    return f"{statement.title}: with equality at the uniform spectrum of n = {n}"


def _recheck(certificate: Certificate) -> str:
    statement = named(certificate)
    n = whole_of(entry(certificate.inputs, "n", "inputs"), "inputs.n", 1, 10**6)
    demand_fields(certificate, ("n",))
    demand(certificate, claim=_claim(statement, n), conclusion=_CONCLUSION)
    if n * flint.fmpq(1, n) ** 2 != flint.fmpq(1, n):
        raise CertificateError("claim: false")
    return certificate.claim


def _offers(statement: Statement) -> Iterator[Offer]:
    if statement.name == "purity.lower_bound":
        certificate = Certificate(
            kind=NAME,
            statement=statement.name,
            claim=_claim(statement, 5),
            inputs={"n": 5},
            precision=EXACT,
            enclosures={},
            conclusion=_CONCLUSION,
            versions=versions("python-flint"),
        )
        yield Offer(f"{stem(statement)}.uniform5", "equality, n = 5", lambda progress: certificate)


UNIFORM = Kind(NAME, "the uniform spectrum attains the bound", _recheck, _offers)
