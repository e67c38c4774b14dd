"""Small residual branches leave samples nearer to orthogonal than layers without a residual do.

Problem. `stationary_law` of the family orthogonality says how far n samples stay from orthogonal
where every layer draws anew, d E V² → (n-1)(n+2)²/(4n(n+1)). A residual chain H + γWH of small γ
makes the same steps, smaller; is its stationary state the same?

Method. As d → ∞ the rows, rescaled to unit vectors u, diffuse on the sphere: u moves by
√s x - ½s|x|²u … with x ~ N(0, C), s = γ²d. Alone, with C = I/n, an average of uuᵀ would forget at
the rate s and have the variance (1 - 1/n)/d of independent rows. But noise follows C: to first
order in C - I/n the mean step is -4(C² - E(uᵀCu)uuᵀ)s = -(4/(n+2)) s (C - I/n). The noise is the
same, the rate 4/(n+2) of it, so the variance is (n+2)/4 times as large. Networks with γ = 1/20 are
averaged over layers, once their start is forgotten.

Guarantee. As d → ∞ and then γ²d → 0, d E V² → (n-1)(n+2)/(4n): less by the factor (n+1)/(n+2)
than without residual, and 1/r = 1/n + (n-1)(n+2)/(4nd). At γ²d = 16/100 and the sizes tried
it is within 1/10 of that.

Reference. Ours; after D20 (arXiv 2003.01652). Derived for fixed n to first order, and sampled.

Example:

    >>> [float(STATEMENTS[0].bound(n=size)) for size in (2, 4)]
    [0.55, 1.2375]
"""

from __future__ import annotations

from functools import partial

import numpy as np
import sympy as sp

from simulators import residual_chain, simulate
from theorems.checking.lost_samples import rounding_of
from theorems.checking.medians import Case, Floats, Medians, Sample
from theorems.context import Context
from theorems.families.rank.batches import SIZES
from theorems.families.rank.notation import FAMILY, OURS, n
from theorems.statement import Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

spread = sp.Symbol("v_bar", nonnegative=True)
GAMMA, WIDTH = 1 / 20, 64
#: Relaxation times, of (n+2)/(4γ²d) layers, before averaging begins and during it; networks.
BURN_IN, WINDOW, NETWORKS, EVERY = 8, 80, 96, 4


def _averages(size: int, context: Context) -> Sample:
    """d V² averaged over layers, of every network."""
    relaxation = round((size + 2) / (4 * GAMMA**2 * WIDTH) / EVERY)
    first, last = BURN_IN * relaxation, (BURN_IN + WINDOW) * relaxation
    run = simulate(
        residual_chain(WIDTH, GAMMA),
        np.eye(WIDTH, size),
        depth=EVERY * last,
        every=EVERY,
        replicas=NETWORKS,
        dtype="float32",
        observables=("orthogonality_gap",),
        seed=context.stream("small branch", size),
    )
    gaps = np.asarray(run["orthogonality_gap"], dtype=np.float64)[:, first + 1 :]
    found = WIDTH * (gaps**2).mean(axis=1)
    found[run.spoiled[:, -1]] = np.nan
    notes: dict[str, object] = {
        "networks": NETWORKS,
        "burn_in": EVERY * first,
        "layers averaged": f"{EVERY * (last - first)}, seen every {EVERY}",
    }
    return Sample({"v_bar": [found]}, rounding=2 * rounding_of(run), notes=notes)


def _cases(batch: Floats | None) -> list[Case]:
    return [
        Case(f"d={WIDTH}, n={size}, γ=1/20", {"d": WIDTH, "n": size}, partial(_averages, size), 1)
        for size in ((2, 4) if batch is None else ())
    ]


_limit = (n - 1) * (n + 2) / (4 * n)
_branch = partial(
    Statement,
    family=FAMILY,
    theorem="small_branch",
    quantifier=Quantifier.LIMIT,
    source=OURS,
    variables=SIZES,
    chain="residual(0.05)",
    observables=("orthogonality_gap",),
    definitions={
        spread: f"d V² averaged over {WINDOW} relaxation times of (n+2)/(4γ²d) layers, after "
        f"{BURN_IN}, γ = 1/20; its median over networks"
    },
    lhs=spread,
    expected=Verdict.SUPPORTED,
    checks=(Medians(_cases, wants="the claim is made of orthogonal samples"),),
)

STATEMENTS = (
    _branch(
        variant="upper",
        title="Small residual branches: d V² ≤ (11/10)(n-1)(n+2)/(4n): n = 2, 4 at d = 64",
        relation="<=",
        rhs=sp.Rational(11, 10) * _limit,
        sentinel=Sentinel("(n-1)(n+2)/(5n)", rhs=sp.Rational(4, 5) * _limit),
    ),
    _branch(
        variant="lower",
        title="Small residual branches: d V² ≥ (9/10)(n-1)(n+2)/(4n): n = 2, 4 at d = 64",
        relation=">=",
        rhs=sp.Rational(9, 10) * _limit,
        sentinel=Sentinel(
            "the law without residual", rhs=(n - 1) * (n + 2) ** 2 / (4 * n * (n + 1))
        ),
    ),
)
FIGURES = ()
