"""Certificates over boxes that come with the package, as evidence of ``theorems verify``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from theorems.certificates.document import read
from theorems.certificates.kind import stem
from theorems.context import Context
from theorems.evidence import Recorded
from theorems.families.orthogonality import contraction_boxes as boxes
from theorems.families.orthogonality.branching import CounterexampleFound, Problem, cover
from theorems.statement import Evidence, Statement, Verdict

__all__ = ["DATA", "ContractionBoxes"]

#: Where they are; ``theorems certify --out`` wrote them.
DATA = Path(__file__).parent / "certificates"


@dataclass(frozen=True)
class ContractionBoxes:
    """Boxes that cover every spectrum of a few sizes, each settled by enclosures: shipped, and checked again here.

    Partial evidence: it speaks of the batch sizes ``sizes`` only. The false neighbour falls to a spectrum that the
    same branch and bound finds at the smallest size. A statement whose constant is not that of its certificates has
    no evidence in them: inconclusive.
    """

    sizes: tuple[int, ...]

    def words(self, statement: Statement) -> str:
        """What ``theorems show`` says of it."""
        sizes = ", ".join(map(str, self.sizes))
        return f"enclosures in balls: boxes that cover every spectrum of n = {sizes}, shipped and checked again"

    @property
    def takes_batch(self) -> bool:
        """Whether a user's batch has a part in it."""
        return False

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        refused = ""
        for n in self.sizes:
            context.progress(f"{statement.name}: boxes, n={n}")
            try:
                certificate = read(DATA / f"{stem(statement)}.n{n}.json")
                boxes.require_about(certificate, statement, n)
                boxes.recheck(certificate)
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
                Problem(self.sizes[0], boxes.constant(neighbour, self.sizes[0]), boxes.PRECISION),
                boxes.MOST_BOXES,
            )
        except CounterexampleFound as found:
            return Verdict.REFUTED, ", ".join(map(str, reversed(found.point)))
        except (ArithmeticError, ValueError):  # left open, or a bound of another form
            return Verdict.INCONCLUSIVE, ""
        return Verdict.CERTIFIED, ""
