"""Networks follow the gap's decay at infinite width down to a floor of order 1/√d.

Problem. `gap_decay` holds at infinite width, from any start of full rank. What of networks, after
their last layer, with the best constants and no assumption on the path?

Method. The floor is √(E V²) of `stationary_law`, ½(n+2)√((n-1)/(n(n+1)d)), its next order in 1/d
rounded up. Simulation of E V(H_ℓ) at several depths, from starts near dependence.

Guarantee. E V(H_ℓ) ≤ √(n(n-1))/n² (n/(n+2))^ℓ (1/σ_n²(0) - n) + (1 + n/(2d)) ½(n+2)√((n-1)/(n(n+1)d))
for d ≥ 8n and the starts tried. The rate is that of infinite width and no smaller one holds; of the
floor E V(H_ℓ) reaches more than 9/10, and all of it as n grows.

A proof is lacking. `one_step_drift:harmonic` multiplies V̂ by 1/(1+2σ_n²), a convex function of V̂
that comes to 1 at dependent samples: of its mean no more can be said than of the worst path, so that
one needs how often σ_n is small. `isometry_decay` has that for a power of det C, at a slower rate.

Reference. Ours, after DJB21 (arXiv 2106.03970), Theorem 1.

Example:

    >>> round(float(STATEMENT.bound(n=8, d=64, ell=60, s_0=0.001)), 4)
    0.2072
"""

from __future__ import annotations

import numpy as np
import sympy as sp

from simulators import Trajectory, rescale_chain
from theorems.checking.expectation import Expectation, Floats, Instance
from theorems.families.orthogonality import inputs
from theorems.families.orthogonality.notation import BATCH, FAMILY, OURS, d, ell, n
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

s_0 = sp.Symbol("s_0", positive=True)
E_V = sp.Symbol("E_V", nonnegative=True)
#: Batch size, width, smallest eigenvalue of the start, and the depths that are read.
_TRIED = (
    (4, 64, 1e-2, (12, 16, 40)),
    (4, 64, 1e-4, (24, 40)),
    (8, 64, 1e-3, (30, 60)),
)


def _instances(statement: Statement, batch: Floats | None) -> list[Instance]:
    if batch is not None:
        return []
    found = []
    for size, width, smallest, depths in _TRIED:
        values = {"n": size, "d": width, "s_0": smallest}
        found.append(
            Instance(
                f"n={size}, d={width}, σ_n²(0)={smallest:g}",
                rescale_chain(width),
                inputs.two_level(size, smallest * size),
                max(depths),
                tuple({**values, "ell": layers} for layers in depths),
                (0.0, (1 - 1 / size) ** 0.5 + 1e-6),
                {"depths": depths},
            )
        )
    return found


def _gaps(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    gaps = trajectory.values["orthogonality_gap"]
    return np.asarray(gaps[:, list(instance.data["depths"])], dtype=np.float64)


_path = sp.sqrt(n * (n - 1)) / n**2 * (n / (n + 2)) ** ell * (1 / s_0 - n)
_floor = (1 + n / (2 * d)) * (n + 2) / 2 * sp.sqrt((n - 1) / (n * (n + 1) * d))

STATEMENT = Statement(
    family=FAMILY,
    theorem="finite_width_decay",
    title="E V(H_ℓ) ≤ √(n(n-1))/n² (n/(n+2))^ℓ (1/σ_n²(0) - n) + (1+n/(2d)) ½(n+2)√((n-1)/(n(n+1)d)): "
    "n = 4, 8 at d = 64",
    quantifier=Quantifier.EXPECTATION,
    source=OURS,
    variables=(
        BATCH,
        Variable(d, sp.Range(8 * n, sp.oo), "width, at least 8n"),
        Variable(ell, sp.Range(1, sp.oo), "layers"),
        Variable(s_0, sp.Interval.Lopen(0, 1 / n), "smallest eigenvalue of the start, σ_n²(0)"),
    ),
    definitions={E_V: "E V(H_ℓ)"},
    chain="rescale",
    observables=("orthogonality_gap",),
    lhs=E_V,
    relation="<=",
    rhs=_path + _floor,
    ceiling=sp.sqrt(1 - 1 / n),
    sentinel=Sentinel("9/10 of the floor", rhs=_path + sp.Rational(9, 10) * _floor),
    expected=Verdict.SUPPORTED,
    checks=(
        Expectation(
            _instances,
            _gaps,
            ("orthogonality_gap",),
            resolution=0.02,
            enough=1 / 3,
            dtype="float32",
        ),
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()
