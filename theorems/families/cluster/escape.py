"""How long a random start stays near the symmetric configuration, by width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from simulators import recenter_relu_chain, simulate
from simulators.batches import gaussian_batch
from theorems.checking.confidence_sequence import BoundedMean
from theorems.checking.expectation import Floats
from theorems.checking.lost_samples import Known, spoiled_words
from theorems.context import Context
from theorems.evidence import Recorded
from theorems.families.cluster.notation import FAMILY, OURS
from theorems.statement import Evidence, Quantifier, Sentinel, Statement, Verdict

__all__ = ["STATEMENTS", "EscapeTimes", "escape_layers"]

RATIO = sp.Symbol("T_ratio", nonnegative=True)


def escape_layers(lone: Floats, window: int) -> Floats:
    """The first layer from which one sample is the lone outlier for ``window`` layers; the depth if there is none.

    ``lone`` has shape (replicas, depth + 1), as :func:`simulators.observables.lone_outlier` gives it.
    """
    depth = lone.shape[1] - 1
    # at layer l + 1 as at layer l
    same = np.asarray((lone[:, 1:] == lone[:, :-1]) & (lone[:, 1:] >= 0))
    runs = np.asarray(
        np.lib.stride_tricks.sliding_window_view(same, window - 1, axis=1).all(axis=2)
    )
    return np.asarray(np.where(runs.max(axis=1), runs.argmax(axis=1), depth), dtype=np.float64)


@dataclass(frozen=True)
class EscapeTimes:
    """Mean escape layers, cut off at ``depth``, for networks of ``widths``; the claim compares the two named last.

    ``widths`` maps each width to its number of replicas, fixed in advance; ``compared`` is (wide, narrow). Cutting
    off only lowers the mean of the wide network, if no other is cut off as often.
    """

    size: int
    widths: tuple[tuple[int, int], ...]
    compared: tuple[int, int]
    depth: int
    window: int

    def words(self, statement: Statement) -> str:
        """For ``theorems show``."""
        return (
            f"simulation: confidence intervals for mean escape layers, cut off at {self.depth}, at widths "
            f"{', '.join(str(width) for width, _ in self.widths)}; a user's batch is left alone"
        )

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        if context.batch is not None:
            return Evidence(
                method="simulation",
                verdict=Verdict.OUTSIDE,
                sentinel=Verdict.OUTSIDE,
                summary="the claim is about random starts",
            )
        rows: list[dict[str, Any]] = []
        for width, replicas in self.widths:
            if context.expired:
                break
            context.progress(f"{statement.name}: d={width}")
            rows.append(self._row(statement, width, replicas, context))
        times = {row["width"]: row for row in rows}
        wide, narrow = self.compared
        low, high = 0.0, np.inf
        if {wide, narrow} <= times.keys():
            low = times[wide]["low"] / times[narrow]["high"]
            high = times[wide]["high"] / times[narrow]["low"]
        spoiled = sum(row.get("spoiled", 0) for row in rows)
        verdict, sentinel = (
            self._judge(float(side), low, high) for side in (statement.rhs, statement.neighbour.rhs)
        )
        return Evidence(
            method="simulation",
            verdict=verdict,
            sentinel=sentinel,
            summary=f"mean layers at d = {wide} over those at d = {narrow} in [{low:.3g}, {high:.3g}]"
            + (f"; {spoiled_words(spoiled, sum(r['replicas'] for r in rows))}" if spoiled else ""),
            tightness=float(statement.rhs) / low if low > 0 else None,
            power=(high - low) / high if np.isfinite(high) else None,
            details=Recorded(
                {
                    "seed": context.seed,
                    "level": context.level,
                    "n": self.size,
                    "depth": self.depth,
                    "window": self.window,
                    "escape": rows,
                }
            ),
        )

    def _row(
        self, statement: Statement, width: int, replicas: int, context: Context
    ) -> dict[str, Any]:
        run = simulate(
            recenter_relu_chain(width),
            gaussian_batch(width, self.size, seed=self.size),
            depth=self.depth,
            replicas=replicas,
            seed=context.stream(statement.family, statement.theorem, width),
            observables=("lone_outlier",),
        )
        layers = escape_layers(run["lone_outlier"], self.window)
        mean = BoundedMean(0.0, float(self.depth), context.share(len(self.widths)).level)
        known = Known.at(run, layers, (0.0, float(self.depth)))
        mean.update(known.low, known.high)
        low, high = mean.interval
        spoiled = {"spoiled": int(known.spoiled.sum())} if known.spoiled.any() else {}
        return {
            **spoiled,
            "width": width,
            "replicas": replicas,
            "mean": float(layers.mean()),
            "low": low,
            "high": high,
            "median": float(np.median(layers)),
            "cut_off": float((layers == self.depth).mean()),
        }

    @staticmethod
    def _judge(bound: float, low: float, high: float) -> Verdict:
        return (
            Verdict.SUPPORTED
            if low >= bound
            else Verdict.REFUTED
            if high < bound
            else Verdict.INCONCLUSIVE
        )


ESCAPE = Statement(
    family=FAMILY,
    theorem="emergence",
    variant="escape_time",
    quantifier=Quantifier.EXPECTATION,
    source=OURS,
    title="The outlier comes later the wider the network: n = 8, E T at d = 2000 is at least 5/4 of that at d = 250",
    variables=(),
    definitions={
        RATIO: "E min(T, 400) at d = 2000 over that at d = 250, T the layer from which one "
        "sample is the lone outlier for 20 layers"
    },
    lhs=RATIO,
    relation=">=",
    rhs=sp.Rational(5, 4),
    sentinel=Sentinel("ten times as late", rhs=sp.Integer(10)),
    chain="recenter_relu",
    observables=("lone_outlier",),
    expected=Verdict.SUPPORTED,
    checks=(
        EscapeTimes(8, ((250, 512), (500, 128), (1000, 64), (2000, 160)), (2000, 250), 400, 20),
    ),
    remark="The symmetric configuration is stable at infinite width, so chance must carry the network past the "
    "separatrix; a fluctuation that large is the rarer the wider it is.",
)

STATEMENTS: tuple[Statement, ...] = (ESCAPE,)
