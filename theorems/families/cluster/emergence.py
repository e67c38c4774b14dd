"""What finite networks do from random starts: a lone outlier appears and stays, unless rows are
rescaled.

A sample is a lone outlier at a layer if its largest cosine with the others is below the smallest
among the others: no threshold, no scale, and at most one such sample. It has emerged by layer L if
one and the same sample is the lone outlier at each of the last K layers. The margin g, zero in the
definition, asks for that much between the two cosines, and shows what the choice matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from simulators import Trajectory, batchnorm_chain, recenter_relu_chain, simulate
from simulators.batches import gaussian_batch
from simulators.engines.mean_field import outlier_fixed_point
from simulators.observables import Observable, lone_outlier
from theorems.checking.check import CheckBase
from theorems.checking.confidence_sequence import BoundedMean
from theorems.checking.expectation import Floats, Instance, at_layer
from theorems.checking.lost_samples import Known, spoiled_words
from theorems.context import Context
from theorems.evidence import Recorded
from theorems.families.cluster.notation import FAMILY, OURS, d, from_own_starts, n
from theorems.families.cluster.two_blocks import two_block_batch
from theorems.statement import Evidence, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["STATEMENTS", "EscapeTimes", "escape_layers", "stays"]

L, K = sp.symbols("L K", integer=True, positive=True)
g, PROBABILITY, RANGE, RATIO = sp.symbols("g P_lone E_range T_ratio", nonnegative=True)
_VARIABLES = (
    Variable(n, sp.Range(4, sp.oo), "batch size; of three samples one always stands apart"),
    Variable(d, sp.Range(1, sp.oo), "width"),
    Variable(L, sp.Range(1, sp.oo), "layers"),
)
_WINDOW = (
    Variable(K, sp.Range(1, sp.oo), "layers through which the outlier must be the same"),
    Variable(
        g, sp.Interval.Ropen(0, 2), "margin between its largest cosine and the others' smallest"
    ),
)

MARGIN = 0.05


def _by_margin(margin: float) -> Observable:
    return Observable(
        f"lone_outlier({margin})", lambda H, width: lone_outlier(H, margin), gram=True
    )


_LONE = (_by_margin(0.0), _by_margin(MARGIN))


class _Case(NamedTuple):
    """n samples at width d, observed at a layer, with the numbers of layers K that the outlier must
    have stayed.
    """

    n: int
    d: int
    layers: int
    windows: tuple[int, ...]
    margins: tuple[float, ...] = (0.0,)


def stays(lone: Floats, layer: int, window: int) -> NDArray[np.bool_]:
    """Whether one sample was the lone outlier throughout the ``window`` layers up to ``layer``, by
    replica.

    ``lone`` has shape (replicas, depth + 1), as `simulators.observables.lone_outlier` gives
    it.

    Example:
        >>> stays(np.array([[1, 2, 2], [2, 2, -1]]), layer=2, window=2).tolist()
        [True, False]
    """
    last = lone[:, layer - window + 1 : layer + 1]
    return np.asarray((last[:, 0] >= 0) & (last == last[:, :1]).all(axis=1))


def _laid_out(start: Callable[[_Case], Floats], cases: Sequence[_Case]) -> Iterator[Instance]:
    for case in cases:
        values = {"n": case.n, "d": case.d, "L": case.layers}
        readouts = tuple(
            {**values, "K": window, "g": margin}
            for window, margin in product(case.windows, case.margins)
        )
        label, chain = f"n={case.n}, d={case.d}", recenter_relu_chain(case.d)
        yield Instance(label, chain, start(case), case.layers, readouts, (0.0, 1.0))


def _random_start(case: _Case) -> Floats:
    return gaussian_batch(max(case.d, case.n), case.n, seed=case.n)


def _persistent(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    """Whether an outlier has emerged, as 0 or 1, for each window and margin."""
    columns = [
        stays(trajectory.values[f"lone_outlier({v['g']})"], int(v["L"]), int(v["K"]))
        for v in instance.readouts
    ]
    return np.stack(columns, axis=1).astype(np.float64)


_HALF, _TENTH = sp.Rational(1, 2), sp.Rational(1, 10)
_emergence = partial(
    Statement,
    family=FAMILY,
    theorem="emergence",
    quantifier=Quantifier.PROBABILITY,
    source=OURS,
    lhs=PROBABILITY,
    variables=_VARIABLES + _WINDOW,
    chain="recenter_relu",
    observables=("lone_outlier",),
    expected=Verdict.SUPPORTED,
    definitions={
        PROBABILITY: "P[one sample is the lone outlier at each of the K layers up to layer L]"
    },
)
_ROBUST = (50, 100)
OUTLIER = _emergence(
    variant="outlier",
    title="From a random start a lone outlier emerges and stays for n ≥ 7, at the widths and "
    "layers tried: P ≥ 1/2",
    relation=">=",
    rhs=sp.Piecewise((_HALF, n >= 7), (0, True)),
    sentinel=Sentinel("for n ≥ 6 as well", rhs=sp.Piecewise((_HALF, n >= 6), (0, True))),
    checks=(
        from_own_starts(
            partial(
                _laid_out,
                _random_start,
                (
                    _Case(6, 700, 1000, _ROBUST, (0.0, MARGIN)),
                    _Case(7, 700, 1000, _ROBUST, (0.0, MARGIN)),
                    _Case(8, 1000, 800, _ROBUST, (0.0, MARGIN)),
                    _Case(10, 1000, 600, _ROBUST, (0.0, MARGIN)),
                    _Case(10, 2000, 600, (50,)),
                    _Case(16, 1000, 400, _ROBUST, (0.0, MARGIN)),
                    _Case(16, 2000, 300, (50,)),
                    _Case(32, 400, 300, _ROBUST, (0.0, MARGIN)),
                ),
            ),
            _persistent,
            _LONE,
            resolution=1.0,
            first=48,
            replicas=128,
            normals=650_000_000,
            dtype="float32",
        ),
    ),
    remark="A window between two time scales: too narrow a network (n = 7, d = 100) loses the "
    "outlier again, and the wider it is the longer it stays near the symmetric point, which is "
    "stable at infinite width (emergence:wide). One Gaussian batch for each n and d; chance is in "
    "the weights.",
)
EMERGENCE = (
    _emergence(
        variant="none",
        title="No lone outlier stays for n ≤ 6: P ≤ 1/10",
        relation="<=",
        rhs=sp.Piecewise((_TENTH, n <= 6), (1, True)),
        sentinel=Sentinel("nor for n = 8", rhs=sp.Piecewise((_TENTH, n <= 8), (1, True))),
        checks=(
            from_own_starts(
                partial(
                    _laid_out,
                    _random_start,
                    (
                        *(_Case(n, d, 400, (100,)) for n, d in product((4, 5, 6), (100, 300))),
                        _Case(6, 1000, 300, (100,)),
                        _Case(8, 300, 300, (100,)),
                    ),
                ),
                _persistent,
                _LONE[:1],
                resolution=1.0,
                replicas=400,
                normals=500_000_000,
                dtype="float32",
            ),
        ),
    ),
    _emergence(
        variant="wide",
        title="The wider the network, the later: at n = 8 and layer 250, P ≤ 1/2 for d ≥ 4000",
        relation="<=",
        rhs=sp.Piecewise((_HALF, d >= 4000), (1, True)),
        sentinel=Sentinel("for d ≥ 300 as well", rhs=sp.Piecewise((_HALF, d >= 300), (1, True))),
        checks=(
            from_own_starts(
                partial(
                    _laid_out,
                    _random_start,
                    (_Case(8, 300, 250, (20,)), _Case(8, 4000, 250, (20,))),
                ),
                _persistent,
                _LONE[:1],
                resolution=1.0,
                first=64,
                replicas=128,
                normals=600_000_000,
                dtype="float32",
            ),
        ),
    ),
)

# --- n = 6: what stays for n ≥ 8 goes -------------------------------------------------------------


def _outlier_start(size: int) -> Floats:
    """(n, n) batch at the outlier fixed point of infinite width; below n = 7 there is none, and 7's
    angles serve.
    """
    point = outlier_fixed_point(max(size, 7))
    if point is None:
        raise RuntimeError("no outlier fixed point at n = 7")
    gram = np.full((size, size), point.cluster_cosine)
    gram[-1, :] = gram[:, -1] = point.outlier_cosine
    np.fill_diagonal(gram, 1.0)
    norms = np.ones(size)
    norms[-1] = point.norm_ratio**0.5
    return np.asarray(np.linalg.cholesky(gram).T * norms)


TRANSIENT = _emergence(
    variant="transient",
    title="Started with a lone outlier, n ≥ 8 keep it for 300 layers (P ≥ 1/2)",
    relation=">=",
    rhs=sp.Piecewise((_HALF, n >= 8), (0, True)),
    sentinel=Sentinel("n = 6 keeps it as well", rhs=sp.Piecewise((_HALF, n >= 6), (0, True))),
    checks=(
        from_own_starts(
            partial(
                _laid_out,
                lambda case: _outlier_start(case.n),
                [_Case(size, 1000, 300, (300,)) for size in (6, 8, 16)],
            ),
            _persistent,
            _LONE[:1],
            resolution=1.0,
            first=96,
            replicas=96,
            dtype="float32",
        ),
    ),
    remark="Started at the outlier fixed point of infinite width; n = 6 has none, and starts at "
    "the angles of n = 7.",
)

# --- full batch normalisation ---------------------------------------------------------------------


def _tight(width: int, size: int) -> Floats:
    """A lone outlier beside a cluster that is 1e-3 wide."""
    noise = np.random.default_rng(size).standard_normal((width, size))
    return np.asarray(two_block_batch(width, size - 1, size, seed=size) + 1e-3 * noise)


def _normalised() -> Iterator[Instance]:
    for size, width in product((4, 8, 16, 32), (100, 400, 1600)):
        label, chain = f"n={size}, d={width}", batchnorm_chain(width)
        readouts = ({"n": size, "d": width, "L": 20},)
        # after ReLU no cosine is negative
        yield Instance(label, chain, _tight(width, size), 20, readouts, (0.0, 1.0 + 1e-9))


RESTORED = Statement(
    family=FAMILY,
    theorem="rescaling_restores_symmetry",
    source=OURS,
    quantifier=Quantifier.EXPECTATION,
    title="Full batch normalisation forgets the outlier: after 20 layers all cosines agree to "
    "within 8/√d",
    variables=_VARIABLES,
    definitions={RANGE: "E[largest - smallest cosine of two samples] at layer L"},
    lhs=RANGE,
    relation="<=",
    rhs=8 / sp.sqrt(d),
    ceiling=sp.Integer(1),
    chain="batchnorm",
    observables=("cosine_range",),
    sentinel=Sentinel("to within 1/√d", rhs=1 / sp.sqrt(d)),
    expected=Verdict.SUPPORTED,
    checks=(
        from_own_starts(
            _normalised,
            at_layer("cosine_range"),
            ("cosine_range",),
            resolution=1.0,
            replicas=4000,
            normals=800_000_000,
            dtype="float32",
        ),
    ),
    remark="n ≤ 32, started from a lone outlier and a cluster 1e-3 wide. So a simulation of full "
    "batch normalisation does not show the phenomenon, and refutes nothing.",
)

# --- how long a random start stays near the symmetric configuration, by width ---------------------


def escape_layers(lone: Floats, window: int) -> Floats:
    """The first layer from which one sample is the lone outlier for ``window`` layers.

    ``lone`` has shape (replicas, depth + 1), as `simulators.observables.lone_outlier` gives
    it. Returns (replicas,); the depth where there is no such layer.

    Example:
        >>> escape_layers(np.array([[1, 2, 2, 2], [1, 2, 1, 2]]), window=2).tolist()
        [1.0, 3.0]
    """
    depth = lone.shape[1] - 1
    # at layer l + 1 as at layer l
    same = np.asarray((lone[:, 1:] == lone[:, :-1]) & (lone[:, 1:] >= 0))
    runs = np.lib.stride_tricks.sliding_window_view(same, window - 1, axis=1).all(axis=2)
    return np.asarray(np.where(runs.max(axis=1), runs.argmax(axis=1), depth), dtype=np.float64)


@dataclass(frozen=True)
class EscapeTimes(CheckBase):
    """Mean escape layers, cut off at ``depth``, for networks of ``widths``; the claim compares the
    two named last.

    ``widths`` maps each width to its number of replicas, fixed in advance; ``compared`` is (wide,
    narrow). Cutting off only lowers the mean of the wide network, if no other is cut off as often.
    """

    method = "simulation"
    size: int
    widths: tuple[tuple[int, int], ...]
    compared: tuple[int, int]
    depth: int
    window: int

    def words(self, statement: Statement) -> str:
        widths = ", ".join(str(width) for width, _ in self.widths)
        return (
            f"simulation: confidence intervals for mean escape layers, cut off at {self.depth}, at "
            f"widths {widths}; a user's batch is left alone"
        )

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        if context.batch is not None:
            return self.outside("the claim is about random starts")
        rows: list[dict[str, float]] = []
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
        spoiled = int(sum(row.get("spoiled", 0) for row in rows))
        replicas = int(sum(row["replicas"] for row in rows))
        verdict, sentinel = (
            self._judge(float(side), low, high) for side in (statement.rhs, statement.neighbour.rhs)
        )
        return Evidence(
            method=self.method,
            verdict=verdict,
            sentinel=sentinel,
            summary=f"mean layers at d = {wide} over those at d = {narrow} in [{low:.3g}, "
            f"{high:.3g}]" + (f"; {spoiled_words(spoiled, replicas)}" if spoiled else ""),
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
    ) -> dict[str, float]:
        run = simulate(
            recenter_relu_chain(width),
            gaussian_batch(width, self.size, seed=self.size),
            depth=self.depth,
            replicas=replicas,
            seed=context.stream(statement.family, statement.theorem, width),
            observables=("lone_outlier",),
            dtype="float64" if context.thorough else "float32",
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
        if low >= bound:
            return Verdict.SUPPORTED
        return Verdict.REFUTED if high < bound else Verdict.INCONCLUSIVE


ESCAPE = Statement(
    family=FAMILY,
    theorem="emergence",
    variant="escape_time",
    quantifier=Quantifier.EXPECTATION,
    source=OURS,
    title="The outlier comes later the wider the network: n = 8, E T at d = 2000 is at least 5/4 "
    "of that at d = 250",
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
    remark="The symmetric configuration is stable at infinite width, so chance must carry the "
    "network past the separatrix; a fluctuation that large is the rarer the wider it is.",
)

STATEMENTS: tuple[Statement, ...] = (OUTLIER, *EMERGENCE, TRANSIENT, RESTORED, ESCAPE)
