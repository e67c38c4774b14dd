"""The kind "contraction over boxes": one mean-field layer contracts V̂, for every spectrum of a
given size.

It speaks for ``contraction``, and for the deterministic part of ``one_step_drift``: with H given, E
C⁺ has the spectrum p(σ²), so that V̂(E C⁺) = 1/n - p_n, and the drift bounds it by the same factor.
What remains of the drift is the noise, E[V̂⁺] - V̂(E C⁺), which no certificate of this kind
touches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import sympy as sp
from flint import fmpq

from simulators.arguments import require
from theorems.certificates.document import (
    Certificate,
    CertificateError,
    UndecidedError,
    UnreadableError,
    read,
    versions,
)
from theorems.certificates.kind import (
    Kind,
    Offer,
    Progress,
    demand,
    demand_fields,
    demand_overlap,
    named,
    stem,
)
from theorems.certificates.numbers import ball_text, entry, rational_of, rational_text, whole_of
from theorems.context import Context
from theorems.evidence import Recorded
from theorems.families.orthogonality.branching import (
    CounterexampleFound,
    Problem,
    Settled,
    cover,
    walk,
)
from theorems.families.orthogonality.notation import d, s
from theorems.families.orthogonality.notation import n as symbol_n
from theorems.registry import get
from theorems.statement import Evidence, Statement, Verdict

__all__ = [
    "DATA",
    "KINDS",
    "MOST_BOXES",
    "PRECISION",
    "SIZES",
    "ContractionBoxes",
    "certify",
    "constant",
    "recheck",
    "require_about",
]

NAME = "contraction over boxes"
#: Where those that come with the package are; ``theorems certify --out`` wrote them.
DATA = Path(__file__).parent / "certificates"
#: Batch sizes that are offered; others up to ``MOST_SAMPLES`` can be asked for.
SIZES = (2, 3, 4, 5, 6)
MOST_SAMPLES = 9
PRECISION = 40
#: More bits are refused: nothing here needs them, and a box costs as much as the square of its
#: precision.
MOST_BITS = 128
#: A search is given up after so many boxes.
MOST_BOXES = 30_000
#: Boxes times bits squared that are checked again, twice what a search may leave: minutes.
MOST_WORK = 2 * MOST_BOXES * PRECISION**2

_COVERS = {
    "orthogonality.contraction": "",
    "orthogonality.one_step_drift": "The part of the drift that is not noise: ",
}


def constant(statement: Statement, n: int) -> fmpq:
    """κ of the statement's bound (1 - κ s)(1/n - s), at this n and with the noise aside (width →
    ∞).

    Raises ``ValueError`` for a statement whose bound has another form.
    """
    bound = sp.expand(sp.limit(statement.rhs, d, sp.oo).subs(symbol_n, n))
    kappa = bound.coeff(s, 2)
    if not kappa.is_Rational or sp.expand(bound - (1 - kappa * s) * (sp.Rational(1, n) - s)) != 0:
        raise ValueError(
            f"{statement.name}: its bound is not (1 - κ s)(1/n - s) in the width limit"
        )
    return fmpq(int(kappa.p), int(kappa.q))


#: Covers found in this process: two statements ask for the same.
_FOUND: dict[Problem, tuple[str, Settled]] = {}


def _covered(problem: Problem, progress: Progress) -> tuple[str, Settled]:
    def boxes(number: int) -> None:
        if number % 50 == 0:
            progress(f"n={problem.n}: {number} boxes")

    if problem not in _FOUND:
        _FOUND[problem] = cover(problem, MOST_BOXES, boxes)
    return _FOUND[problem]


def _claim(statement: str, n: int, kappa: fmpq, factor: str | None = None) -> str:
    """What is certified; ``factor`` is how κ is written, where it is not left out for 1."""
    part = _COVERS.get(statement.partition(":")[0], "")
    if factor is None:
        factor = "" if kappa == 1 else f"{rational_text(kappa)} "
    return (
        f"{part}1/n - p_n ≤ (1 - {factor}σ_n²)(1/n - σ_n²) for n = {n} and every "
        "spectrum σ_1² ≥ … ≥ σ_n² ≥ 0 of sum 1"
    )


_CONCLUSION = "holds on the whole simplex"


def certify(
    n: int, kappa: fmpq, statement: str = "", progress: Progress = lambda _: None
) -> Certificate:
    """The certificate for batch size ``n`` and constant ``kappa``.

    Seconds for n ≤ 4, some 40 s for n = 6. Raises `CertificateError` with a spectrum if the
    claim is false, or if no cover was found.
    """
    try:
        tree, settled = _covered(Problem(n, kappa, PRECISION), progress)
    except CounterexampleFound as found:
        raise CertificateError(
            f"{_claim(statement, n, kappa)}: false at σ² = "
            f"({', '.join(map(str, reversed(found.point)))})"
        ) from None
    except ArithmeticError as error:
        raise UndecidedError(f"{_claim(statement, n, kappa)}: undecided, {error}") from None
    return Certificate(
        kind=NAME,
        statement=statement,
        claim=_claim(statement, n, kappa),
        inputs={"n": n, "kappa": rational_text(kappa), "tree": tree},
        precision=PRECISION,
        enclosures={"least_margin": ball_text(settled.margin)},
        conclusion=_CONCLUSION,
        versions=versions("python-flint"),
    )


def recheck(certificate: Certificate) -> str:
    """Walk over the boxes again; one line says what they show.

    Raises `CertificateError` for a certificate that its boxes do not bear out, or of a claim
    that is not its statement's. Cost: as the search for the boxes, less what it tried in vain.
    """
    n = whole_of(entry(certificate.inputs, "n", "inputs"), "inputs.n", 2, MOST_SAMPLES)
    kappa = rational_of(entry(certificate.inputs, "kappa", "inputs"), "inputs.kappa")
    tree = entry(certificate.inputs, "tree", "inputs")
    whole_of(certificate.precision, "precision", 10, MOST_BITS)
    most = min(2 * MOST_BOXES, MOST_WORK // certificate.precision**2)
    if not isinstance(tree, str) or len(tree) > most:
        raise UnreadableError(
            f"inputs.tree: want text of at most {most} characters at {certificate.precision} bits"
        )
    if certificate.statement:
        require_about(certificate, named(certificate), n)
    try:
        settled = walk(Problem(n, kappa, certificate.precision), tree)
    except ValueError as error:
        raise CertificateError(f"inputs.tree: {error}") from None
    demand_fields(certificate, ("n", "kappa", "tree"), ("least_margin",))
    former = _claim(certificate.statement, n, kappa, f"{rational_text(kappa)} ")
    if certificate.claim != former:  # which wrote the factor 1
        demand(certificate, claim=_claim(certificate.statement, n, kappa))
    demand(certificate, conclusion=_CONCLUSION)
    demand_overlap(certificate, "least_margin", settled.margin)
    count = settled.counts
    return (
        f"{certificate.claim}; {len(tree) // 2 + 1} boxes: {count['v']} by value, {count['s']} by "
        f"slope, {count['c']} by curvature, {count['x']} empty"
    )


def require_about(certificate: Certificate, statement: Statement, n: int) -> None:
    """Refuse a certificate with another constant than the statement has at ``n``, and a statement
    of another claim.
    """
    require(
        f"{statement.family}.{statement.theorem}" in _COVERS,
        f"statement: {statement.name} is no claim about one layer of the mean field",
        CertificateError,
    )
    model = get(f"{statement.family}.{statement.theorem}:sharp")
    for part in ("quantifier", "variables", "definitions", "assumptions", "lhs", "relation"):
        require(
            getattr(statement, part) == getattr(model, part),
            f"statement: the {part} of {statement.name} are not those the boxes speak of",
            CertificateError,
        )
    wanted = {"n": n, "kappa": rational_text(constant(statement, n))}
    for name, value in wanted.items():
        if (found := certificate.inputs.get(name)) != value:
            raise CertificateError(
                f"inputs.{name}: {found}, but {statement.name} has {value} at n = {n}"
            )


def _certified(statement: Statement, n: int, progress: Progress) -> Certificate:
    return certify(n, constant(statement, n), statement.name, progress)


def _offers(statement: Statement) -> Iterator[Offer]:
    if f"{statement.family}.{statement.theorem}" not in _COVERS:
        return
    for n in SIZES:
        yield Offer(
            f"{stem(statement)}.n{n}",
            f"over boxes, n = {n}",
            partial(_certified, statement, n),
        )


KINDS = (
    Kind(
        NAME,
        "one mean-field layer contracts V̂ for every spectrum of a size, by branch and bound",
        recheck,
        _offers,
    ),
)


# --- as evidence of a run -------------------------------------------------------------------------


@dataclass(frozen=True)
class ContractionBoxes:
    """Boxes that cover every spectrum of a few sizes, each settled by enclosures: shipped, and
    checked again here.

    Partial evidence: it speaks of the batch sizes ``sizes`` only. The false neighbour falls to a
    spectrum that the same branch and bound finds at the smallest size. A statement whose constant
    is not that of its certificates has no evidence in them: inconclusive.
    """

    sizes: tuple[int, ...]

    def words(self, statement: Statement) -> str:
        """What ``theorems show`` says of it, for the ``statement``.

        Example:
            >>> ContractionBoxes((2, 3)).words(None)[:43]
            'enclosures in balls: boxes that cover every'
        """
        sizes = ", ".join(map(str, self.sizes))
        return (
            f"enclosures in balls: boxes that cover every spectrum of n = {sizes}, shipped and "
            "checked again"
        )

    @property
    def takes_batch(self) -> bool:
        """Whether a user's batch has a part in it: it has none.

        The boxes cover every spectrum of a size, whatever the batch.
        """
        return False

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        refused = ""
        for n in self.sizes:
            context.progress(f"{statement.name}: boxes, n={n}")
            try:
                certificate = read(DATA / f"{stem(statement)}.n{n}.json")
                require_about(certificate, statement, n)
                recheck(certificate)
            except ValueError as error:  # refused, or a bound of another form
                refused = str(error)
                break
        neighbour, witness = self._attack(statement.neighbour)
        told = ", ".join(map(str, self.sizes))
        return Evidence(
            method="certificate",
            verdict=Verdict.INCONCLUSIVE if refused else Verdict.CERTIFIED,
            sentinel=neighbour,
            summary=refused
            or f"every spectrum of n = {told}: boxes that enclosures settle, checked again",
            power=None if refused else 0.0,
            partial=True,
            details=Recorded({"sizes": list(self.sizes), "sentinel_witness": witness}),
        )

    def _attack(self, neighbour: Statement) -> tuple[Verdict, str]:
        try:
            cover(
                Problem(self.sizes[0], constant(neighbour, self.sizes[0]), PRECISION),
                MOST_BOXES,
            )
        except CounterexampleFound as found:
            return Verdict.REFUTED, ", ".join(map(str, reversed(found.point)))
        except (ArithmeticError, ValueError):  # left open, or a bound of another form
            return Verdict.INCONCLUSIVE, ""
        return Verdict.CERTIFIED, ""
