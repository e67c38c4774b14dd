"""What finite networks do from random starts: a lone outlier appears and stays, unless rows are
rescaled.

A sample is a lone outlier at a layer if its largest cosine with the others is below the smallest
among the others: no threshold, no scale, and at most one such sample. It has emerged by layer L if
one and the same sample is the lone outlier at each of the last K layers. The margin g, zero in the
definition, asks for that much between the two cosines, and shows what the choice matters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import sympy as sp

from simulators import Chain, Trajectory, batchnorm_chain, recenter_relu_chain
from simulators.batches import gaussian_batch
from simulators.engines.mean_field import outlier_fixed_point
from simulators.observables import Observable, lone_outlier
from theorems.checking.expectation import Floats, Instance
from theorems.families.cluster.norms import two_block_batch
from theorems.families.cluster.notation import FAMILY, OURS, FromOwnStarts, d, n
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["STATEMENTS", "stays"]

L, K = sp.symbols("L K", integer=True, positive=True)
g = sp.Symbol("g", nonnegative=True)
PROBABILITY = sp.Symbol("P_lone", nonnegative=True)
RANGE = sp.Symbol("E_range", nonnegative=True)
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


def stays(lone: Floats, layer: int, window: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether one sample was the lone outlier throughout the ``window`` layers up to ``layer``, by
    replica.

    ``lone`` has shape (replicas, depth + 1), as :func:`simulators.observables.lone_outlier` gives
    it.
    """
    last = lone[:, layer - window + 1 : layer + 1]
    found: np.ndarray[Any, np.dtype[np.bool_]] = (last[:, 0] >= 0) & (last == last[:, :1]).all(
        axis=1
    )
    return found


def _random_starts(cases: tuple[_Case, ...]) -> Any:
    def instances(statement: Statement, batch: Floats | None) -> Iterator[Instance]:
        if batch is not None:
            return  # the claim is about other starts
        for case in cases:
            start = gaussian_batch(max(case.d, case.n), case.n, seed=case.n)
            values = tuple(
                {"n": case.n, "d": case.d, "L": case.layers, "K": window, "g": margin}
                for window in case.windows
                for margin in case.margins
            )
            yield Instance(
                f"n={case.n}, d={case.d}",
                recenter_relu_chain(case.d),
                start,
                case.layers,
                values,
                (0.0, 1.0),
            )

    return instances


def _persistent(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    """Whether an outlier has emerged, as 0 or 1, for each window and margin."""
    return np.stack(
        [
            stays(trajectory.values[f"lone_outlier({v['g']})"], int(v["L"]), int(v["K"])).astype(
                float
            )
            for v in instance.readouts
        ],
        axis=1,
    )


_HALF, _TENTH = sp.Rational(1, 2), sp.Rational(1, 10)
_emergence: dict[str, Any] = dict(
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
OUTLIER = Statement(
    variant="outlier",
    title="From a random start a lone outlier emerges and stays for n ≥ 7, at the widths and "
    "layers tried: P ≥ 1/2",
    relation=">=",
    rhs=sp.Piecewise((_HALF, n >= 7), (0, True)),
    sentinel=Sentinel("for n ≥ 6 as well", rhs=sp.Piecewise((_HALF, n >= 6), (0, True))),
    checks=(
        FromOwnStarts(
            _random_starts(
                (
                    _Case(6, 700, 1000, _ROBUST, (0.0, MARGIN)),
                    _Case(7, 700, 1000, _ROBUST, (0.0, MARGIN)),
                    _Case(8, 1000, 800, _ROBUST, (0.0, MARGIN)),
                    _Case(10, 1000, 600, _ROBUST, (0.0, MARGIN)),
                    _Case(10, 2000, 600, (50,)),
                    _Case(16, 1000, 400, _ROBUST, (0.0, MARGIN)),
                    _Case(16, 2000, 300, (50,)),
                    _Case(32, 400, 300, _ROBUST, (0.0, MARGIN)),
                )
            ),
            _persistent,
            _LONE,
            resolution=1.0,
            first=48,
            replicas=128,
            normals=650_000_000,
        ),
    ),
    remark="A window between two time scales: too narrow a network (n = 7, d = 100) loses the "
    "outlier again, and "
    "the wider it is the longer it stays near the symmetric point, which is stable at infinite "
    "width "
    "(emergence:wide). One Gaussian batch for each n and d; chance is in the weights.",
    **_emergence,
)
NONE = Statement(
    variant="none",
    title="No lone outlier stays for n ≤ 6: P ≤ 1/10",
    relation="<=",
    rhs=sp.Piecewise((_TENTH, n <= 6), (1, True)),
    sentinel=Sentinel("nor for n = 8", rhs=sp.Piecewise((_TENTH, n <= 8), (1, True))),
    checks=(
        FromOwnStarts(
            _random_starts(
                (
                    *(
                        _Case(size, width, 400, (100,))
                        for size in (4, 5, 6)
                        for width in (100, 300)
                    ),
                    _Case(6, 1000, 300, (100,)),
                    _Case(8, 300, 300, (100,)),
                )
            ),
            _persistent,
            _LONE[:1],
            resolution=1.0,
            replicas=400,
            normals=500_000_000,
        ),
    ),
    **_emergence,
)
WIDE = Statement(
    variant="wide",
    title="The wider the network, the later: at n = 8 and layer 250, P ≤ 1/2 for d ≥ 4000",
    relation="<=",
    rhs=sp.Piecewise((_HALF, d >= 4000), (1, True)),
    sentinel=Sentinel("for d ≥ 300 as well", rhs=sp.Piecewise((_HALF, d >= 300), (1, True))),
    checks=(
        FromOwnStarts(
            _random_starts((_Case(8, 300, 250, (20,)), _Case(8, 4000, 250, (20,)))),
            _persistent,
            _LONE[:1],
            resolution=1.0,
            first=64,
            replicas=128,
            normals=600_000_000,
        ),
    ),
    **_emergence,
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
    found: Floats = np.linalg.cholesky(gram).T * norms
    return found


def _from_outlier(cases: tuple[_Case, ...]) -> Any:
    def instances(statement: Statement, batch: Floats | None) -> Iterator[Instance]:
        if batch is not None:
            return  # the claim is about other starts
        for case in cases:
            values = {"n": case.n, "d": case.d, "L": case.layers, "K": case.windows[0], "g": 0.0}
            yield Instance(
                f"n={case.n}, d={case.d}",
                recenter_relu_chain(case.d),
                _outlier_start(case.n),
                case.layers,
                (values,),
                (0.0, 1.0),
            )

    return instances


TRANSIENT = Statement(
    variant="transient",
    title="Started with a lone outlier, n ≥ 8 keep it for 300 layers (P ≥ 1/2)",
    relation=">=",
    rhs=sp.Piecewise((_HALF, n >= 8), (0, True)),
    sentinel=Sentinel("n = 6 keeps it as well", rhs=sp.Piecewise((_HALF, n >= 6), (0, True))),
    checks=(
        FromOwnStarts(
            _from_outlier(tuple(_Case(size, 1000, 300, (300,)) for size in (6, 8, 16))),
            _persistent,
            _LONE[:1],
            resolution=1.0,
            first=96,
            replicas=96,
        ),
    ),
    remark="Started at the outlier fixed point of infinite width; n = 6 has none, and starts at "
    "the angles of n = 7.",
    **_emergence,
)

# --- full batch normalisation ---------------------------------------------------------------------


def _tight(width: int, size: int) -> Floats:
    """A lone outlier beside a cluster that is 1e-3 wide."""
    noise = np.random.default_rng(size).standard_normal((width, size))
    found: Floats = two_block_batch(width, size - 1, size, seed=size) + 1e-3 * noise
    return found


def _normalised(statement: Statement, batch: Floats | None) -> Iterator[Instance]:
    if batch is not None:
        return  # the claim is about other starts
    for size in (4, 8, 16, 32):
        for width in (100, 400, 1600):
            chain: Chain = batchnorm_chain(width)
            yield Instance(
                f"n={size}, d={width}",
                chain,
                _tight(width, size),
                20,
                ({"n": size, "d": width, "L": 20},),
                (0.0, 1.0 + 1e-9),
            )


def _last_range(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    # after ReLU no cosine is negative
    found: Floats = trajectory.values["cosine_range"][:, -1][:, None]
    return found


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
        FromOwnStarts(
            _normalised,
            _last_range,
            ("cosine_range",),
            resolution=1.0,
            replicas=4000,
            normals=800_000_000,
        ),
    ),
    remark="n ≤ 32, started from a lone outlier and a cluster 1e-3 wide. So a simulation of full "
    "batch normalisation "
    "does not show the phenomenon, and refutes nothing.",
)

STATEMENTS: tuple[Statement, ...] = (OUTLIER, NONE, WIDE, TRANSIENT, RESTORED)
