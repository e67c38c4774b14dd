"""Which part of batch normalisation keeps the rank: rescaling the rows, not subtracting the mean
(after D20).
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from simulators import Chain
from simulators.layers import Activation, Layer, Linear, Normalize, Recenter, Rescale
from theorems.families.rank.arms import LARGEST, Arm, arms, rank_symbol
from theorems.families.rank.notation import FAMILY, d, d20
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["STATEMENTS"]

#: The widths that are run, and those that the claims are about, as far as batches go.
LINEAR = (16, 32, 64), range(16, LARGEST + 1)
RELU = (32, 64), range(32, 65)

r_both, r_rescale, r_recentre, r_bare = map(rank_symbol, ("both", "rescale", "recentre", "bare"))
#: A layer without rescaling keeps the size of H by one scalar, which no rank sees.
PARTS: dict[sp.Symbol, tuple[Layer, ...]] = {
    r_both: (Recenter(), Rescale("variance")),
    r_rescale: (Rescale("variance"),),
    r_recentre: (Recenter(), Normalize()),
    r_bare: (Normalize(),),
}
MEANINGS = {
    r_both: "median of r(H_8d) with mean subtraction and rescaling",
    r_rescale: "with rescaling alone",
    r_recentre: "with mean subtraction alone",
    r_bare: "with neither",
}


def _arm(symbol: sp.Symbol, before: tuple[Layer, ...]) -> Arm:
    return Arm(symbol, lambda width: Chain((*before, Linear(width), *PARTS[symbol])))


def _pair(
    network: str,
    variants: tuple[str, str],
    before: tuple[Layer, ...],
    widths: tuple[int, ...],
    domain: range,
    remark: str = "",
) -> tuple[Statement, Statement]:
    """What rescaling keeps, and what mean subtraction alone does not."""
    width = Variable(
        d, sp.Range(domain.start, sp.oo if domain[-1] == LARGEST else domain.stop), "width"
    )
    common: dict[str, Any] = dict(
        family=FAMILY,
        theorem="normalisation_ablation",
        quantifier=Quantifier.LIMIT,
        source=d20("experiments"),
        variables=(width,),
        chain="batchnorm",
        observables=("effective_rank",),
        definitions=MEANINGS,
        expected=Verdict.SUPPORTED,
        checks=(
            arms(
                [_arm(symbol, before) for symbol in PARTS], widths, lambda width: 8 * width, domain
            ),
        ),
        remark=remark,
    )
    kept, lost = variants
    return (
        Statement(
            variant=kept,
            title=f"{network}: from orthogonal samples rescaling keeps r ≥ √d/3 after 8d layers, "
            f"with "
            "mean subtraction or not",
            lhs=sp.Min(r_both, r_rescale),
            relation=">=",
            rhs=sp.sqrt(d) / 3,
            sentinel=Sentinel("mean subtraction alone keeps it", lhs=r_recentre),
            **common,
        ),
        Statement(
            variant=lost,
            title=f"{network}: from orthogonal samples mean subtraction alone lets the rank "
            f"collapse, "
            "r ≤ 1.1 after 8d layers",
            lhs=r_recentre,
            relation="<=",
            rhs=sp.Rational(11, 10),
            sentinel=Sentinel("so does rescaling alone", lhs=r_rescale),
            **common,
        ),
    )


STATEMENTS = (
    *_pair("Linear network", ("rescaling", "recentring"), (), *LINEAR),
    *_pair(
        "ReLU network, d = 32 … 64",
        ("relu_rescaling", "relu_recentring"),
        (Activation("relu"),),
        *RELU,
        "Observed before the activation, run at d = n = 32 and 64. √d is no law with ReLU: with "
        "rescaling alone r "
        "stops at 7 to 8, which √d/3 passes between d = 512 and 1024, and with mean subtraction "
        "too it peaks near "
        "d = 128 (a few networks each). At d = n = 16 mean subtraction alone does not settle: r "
        "stays spread over "
        "1 … 3, its median near 1.1, from 128 to 2048 layers. In narrower networks ReLU may leave "
        "H = 0.",
    ),
)
