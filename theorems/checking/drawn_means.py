"""Claims about means of bounded numbers that are drawn otherwise than from a chain of layers, decided
by confidence sequences.

Each case says how to draw independent numbers, and between what they certainly lie. The claim and
its neighbour are judged on the same numbers, each at an equal part of the error level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from theorems.checking.check import Floats, SampledCheck, SampledRows
from theorems.checking.confidence_sequence import (
    BoundedMean,
    decide_at_least,
    decide_at_most,
    decide_equal,
)
from theorems.checking.expectation import MeanRow, Measured
from theorems.context import Context
from theorems.evidence import Evidence, Verdict, combine
from theorems.statement import Statement

__all__ = ["DrawnMeans", "MeanCase"]

_FIRST = 256
_WORDS = {
    "supported": Verdict.SUPPORTED,
    "refuted": Verdict.REFUTED,
    "undecided": Verdict.INCONCLUSIVE,
}


@dataclass(frozen=True)
class MeanCase:
    """One mean. ``values`` are the symbols that the right side needs.

    - ``draw(seed, size)``: (size,) independent numbers, ``seed`` as NumPy's ``SeedSequence`` takes
      it
    - ``support``: the least and the largest that one can be, which must be true
    - ``most``: how many are drawn at most

    Example:
        >>> import numpy as np
        >>> case = MeanCase("m = 2", {"m": 2.0}, lambda seed, size: np.ones(size), (0.0, 2.0))
        >>> case.draw((0,), 3).tolist()
        [1.0, 1.0, 1.0]
    """

    label: str
    values: Mapping[str, float]
    draw: Callable[[tuple[int, ...], int], Floats]
    support: tuple[float, float]
    most: int = 400_000


class _Followed:
    """One side of a claim at a case: its bound, and the confidence sequence that is held to it."""

    def __init__(self, claim: Statement, case: MeanCase, level: float, resolution: float) -> None:
        needed = {str(symbol) for symbol in claim.rhs.free_symbols}
        needed |= {variable.name for variable in claim.variables}
        self.relation, self.resolution = claim.relation, resolution
        self.bound = float(claim.bound(**{k: v for k, v in case.values.items() if k in needed}))
        self.sequence = BoundedMean(*case.support, level, reference=self.bound)

    @property
    def verdict(self) -> Verdict:
        """What the numbers drawn so far say."""
        if self.relation == "==":
            return _WORDS[decide_equal(self.sequence, self.bound, self.resolution)]
        decide = decide_at_most if self.relation in ("<=", "<") else decide_at_least
        return _WORDS[decide(self.sequence, self.bound)]


@dataclass(frozen=True)
class DrawnMeans(SampledCheck):
    """Confidence sequences for ``lhs`` at every case, drawn on until claim and neighbour are decided.

    - ``cases(batch)``: lays out the work; a user's batch has no part in it
    - ``resolution``: an equality is supported to twice so much of its value

    The neighbour has the left side of the claim; what falls is its right side. Cost: that of the
    draws, doubled until all is decided or the case's ``most`` is reached.

    Example:
        >>> import numpy as np
        >>> from theorems.templates.expectation import STATEMENT
        >>> case = MeanCase(
        ...     "n=4", {"n": 4, "d": 64}, lambda seed, size: np.full(size, 0.1), (0.0, 1.0)
        ... )
        >>> found = DrawnMeans(lambda batch: [case])(STATEMENT, Context(0, 1e-6))
        >>> found.verdict.value, found.sentinel.value
        ('supported', 'refuted')
    """

    cases: Callable[[Floats | None], Iterable[MeanCase]]
    resolution: float = 0.02

    @property
    def takes_batch(self) -> bool:
        return False

    def words(self, statement: Statement) -> str:
        return (
            "simulation: a confidence sequence for the mean in every case that is laid out, drawn on "
            "until the claim and its neighbour are decided; a user's batch is left alone"
        )

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        cases = list(self.cases(None))
        part = context.share(2 * len(cases)).level
        rows: list[MeanRow] = []
        for number, case in enumerate(cases):
            context.progress(f"{statement.name}: {case.label} ({number + 1}/{len(cases)})")
            rows.append(self._row(statement, case, context, part))
        verdict = combine([row.verdict for row in rows])
        decided = [row.measured for row in rows if row.verdict is verdict and row.measured]
        details = SampledRows(
            seed=context.seed,
            level=context.level,
            sentinel_refuted_on=sum(row.sentinel is Verdict.REFUTED for row in rows),
            readouts=rows,
        )
        return self.of_rows(verdict, _told(statement, rows, verdict), rows, decided, details)

    def _row(self, statement: Statement, case: MeanCase, context: Context, level: float) -> MeanRow:
        claim, neighbour = (
            _Followed(each, case, level, self.resolution)
            for each in (statement, statement.neighbour)
        )
        stage, size = 0, _FIRST
        open_ = Verdict.INCONCLUSIVE
        while claim.sequence.count < case.most and not context.expired:
            if open_ not in (claim.verdict, neighbour.verdict):
                break
            seed = context.stream(statement.family, statement.theorem, case.label, stage)
            size = min(size, case.most - claim.sequence.count)
            values = context.remembered(
                (statement.theorem, case.label, stage, size),
                partial(case.draw, seed, size),
            )
            claim.sequence.update(values)
            neighbour.sequence.update(values)
            stage, size = stage + 1, claim.sequence.count
        cut = context.expired and open_ in (claim.verdict, neighbour.verdict)
        return MeanRow(
            instance=case.label,
            symbols=case.values,
            bound=claim.bound,
            verdict=claim.verdict,
            sentinel=neighbour.verdict,
            cut=cut,
            measured=_measured(claim),
        )


def _measured(claim: _Followed) -> Measured | None:
    sequence, bound = claim.sequence, claim.bound
    if not sequence.count:
        return None
    low, high = sequence.interval
    over, under = (
        (bound, sequence.mean) if claim.relation in (">=", ">") else (sequence.mean, bound)
    )
    return Measured(
        mean=sequence.mean,
        low=low,
        high=high,
        replicas=sequence.count,
        tightness=over / under if under > 0 else None,
        power=sequence.half_width / abs(bound) if bound else None,
    )


def _told(statement: Statement, rows: list[MeanRow], verdict: Verdict) -> str:
    """What the rows say together, in words; of one that refutes or is open, which."""
    found = f"{len(rows)} mean{'s' * (len(rows) != 1)} by confidence sequence"
    if verdict is Verdict.SUPPORTED:
        return found
    row = next(row for row in rows if row.verdict is verdict)
    if row.measured is None:
        return f"{found}; {row.instance}: nothing was drawn"
    ends = f"[{row.measured.low:.4g}, {row.measured.high:.4g}]"
    return f"{found}; {row.instance}: mean in {ends}, bound {row.bound:.4g}"
