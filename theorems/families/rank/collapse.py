"""Without normalisation the rank collapses, at a rate known exactly; uncentred weights break
normalisation, and so does leaving out its rescaling (after D20).
"""

from __future__ import annotations

import math
from functools import partial

import flint
import sympy as sp

from simulators import Chain, residual_chain, vanilla_chain
from simulators.layers import Activation, Layer, Linear, Normalize, Recenter, Rescale, Residual
from simulators.lyapunov import leading_exponents
from theorems.checking.medians import Case, Floats, Medians, Sample
from theorems.context import Context
from theorems.expressions import compiled
from theorems.families.rank.average import WIDTH
from theorems.families.rank.networks import LARGEST, Compared, rank_symbol, side_by_side
from theorems.families.rank.notation import FAMILY, OURS, d, d20
from theorems.statement import Quantifier, Sentinel, Source, Statement, Variable, Verdict

__all__ = ["GAP", "LEADING_EXPONENT", "STATEMENTS", "growths", "normalised_by"]

gap, lambda_1 = sp.symbols("gap lambda_1", real=True)
gamma = sp.Symbol("gamma", positive=True)
BRANCH = Variable(gamma, sp.Interval.open(0, sp.oo), "size of the residual branch")
NEWMAN = Source(
    "Newman, Commun. Math. Phys. 103 (1986)", "the Lyapunov spectrum of Gaussian products"
)

#: log σ_2 - log σ_1 gained per layer, for W of independent normal entries.
GAP = (sp.digamma((d - 1) / 2) - sp.digamma(d / 2)) / 2
LEADING_EXPONENT = (sp.log(2) + sp.digamma(d / 2)) / 2


def _growth(width: int, size: float, depth: int, networks: int, context: Context) -> Sample:
    """Both leading growth rates of independent networks, by QR after every layer."""
    seed = context.stream("growth", width, size)
    rates = context.remembered(
        ("growth", width, size, depth, networks),
        partial(leading_exponents, width, size, depth=depth, replicas=networks, seed=seed),
    )
    notes: dict[str, object] = {"layers": depth, "networks": networks, "dtype": "float64"}
    if size == math.inf:
        with flint.ctx.workprec(128):
            notes["exact gap"] = compiled(GAP, (d,)).balls(width).str(20)
    return Sample({"gap": [rates[:, 1] - rates[:, 0]], "lambda_1": [rates[:, 0]]}, notes=notes)


def growths(networks: tuple[tuple[int, float, int, int], ...]) -> Medians:
    """Growth rates of ``networks``: width, size of the branch, layers and replicas of each case.

    They take no batch: a growth rate has no start.

    Example:
        >>> [case.label for case in growths(((2, inf, 100, 5),)).cases(None)]
        ['d=2, 100 layers']
    """

    def cases(batch: Floats | None) -> list[Case]:
        found = []
        for width, size, depth, count in networks:
            branch = {} if size == math.inf else {"gamma": size}
            told = "".join(f"γ={size:g}, " for size in branch.values())
            draw = partial(_growth, width, size, depth, count)
            label = f"d={width}, {told}{depth} layers"
            found.append(Case(label, {"d": width, **branch}, draw, 2))
        return found

    return Medians(cases, resolution=0.05)


inf = math.inf
PLAIN = (
    (2, inf, 20_000, 200),
    (3, inf, 20_000, 200),
    (8, inf, 100_000, 48),
    (16, inf, 20_000, 200),
)
BRANCHED = (
    (4, 1.0, 5_000, 100),
    (8, 3.0, 5_000, 100),
    (8, 0.3, 10_000, 100),
    (8, 0.1, 20_000, 100),
    (32, 0.3, 10_000, 100),
)
GAP_WORDS = (
    "lim (1/ℓ) log(σ_2/σ_1) of the product of ℓ layers: the second Lyapunov exponent less the first"
)
RATE = gamma**2 / (1 + 2 * d * gamma**2)

_collapse = partial(
    Statement,
    family=FAMILY,
    theorem="vanilla_collapse",
    quantifier=Quantifier.LIMIT,
    chain="vanilla",
    expected=Verdict.SUPPORTED,
)
COLLAPSE = (
    _collapse(
        variant="gaussian",
        title="Without normalisation (1/ℓ) log(σ_2/σ_1) → ½[ψ((d-1)/2) - ψ(d/2)] < 0, so r → 1",
        source=NEWMAN,
        variables=(WIDTH,),
        definitions={gap: GAP_WORDS},
        lhs=gap,
        relation="==",
        rhs=GAP,
        sentinel=Sentinel(
            "half an integer off: ψ(d/2) - ψ((d+1)/2)",
            rhs=(sp.digamma(d / 2) - sp.digamma((d + 1) / 2)) / 2,
        ),
        checks=(growths(PLAIN),),
    ),
    _collapse(
        variant="leading_exponent",
        title="The leading exponent of H → WH is ½[log 2 + ψ(d/2)]",
        source=NEWMAN,
        variables=(WIDTH,),
        definitions={lambda_1: "lim (1/ℓ) log σ_1 of the product of ℓ layers, W_ij ~ N(0, 1)"},
        lhs=lambda_1,
        relation="==",
        rhs=LEADING_EXPONENT,
        sentinel=Sentinel("½[log 2 + ψ((d+1)/2)]", rhs=(sp.log(2) + sp.digamma((d + 1) / 2)) / 2),
        checks=(growths(PLAIN),),
    ),
    _collapse(
        variant="residual",
        title="With residual branches the rank collapses too: gap ≤ -½ γ²/(1 + 2dγ²)",
        source=OURS,
        variables=(WIDTH, BRANCH),
        definitions={gap: GAP_WORDS + "; layers H + γWH"},
        lhs=gap,
        relation="<=",
        rhs=-RATE / 2,
        sentinel=Sentinel("gap ≤ -4 γ²/(1 + 2dγ²)", rhs=-4 * RATE),
        checks=(growths(BRANCHED),),
        remark="No closed form is known for finite γ > 0. As γ → ∞ the gap is that of H → WH, "
        "about -1/(2d).",
    ),
)

r_vanilla, r_bn = rank_symbol("vanilla"), rank_symbol("bn")


def plain_and_rescaled(size: float) -> tuple[Compared, Compared]:
    """The chain without normalisation and with rows rescaled, of residual branches of that size.

    Example:
        >>> [str(one.symbol) for one in plain_and_rescaled(inf)]
        ['r_vanilla', 'r_bn']
    """

    def plain(width: int) -> Chain:
        return vanilla_chain(width) if size == inf else Chain((Residual(size), Normalize()))

    return Compared(r_vanilla, plain), Compared(r_bn, lambda width: residual_chain(width, size))


RANK_ONE = _collapse(
    variant="rank",
    title="Without normalisation r ≤ 1.01 after 24d layers, γ = ∞ and 3/10, from orthogonal "
    "samples",
    source=d20("introduction"),
    variables=(WIDTH,),
    observables=("effective_rank",),
    lhs=r_vanilla,
    relation="<=",
    definitions={
        r_vanilla: "median of r(H_24d) without normalisation",
        r_bn: "the same with rows rescaled",
    },
    rhs=sp.Rational(101, 100),
    sentinel=Sentinel("so it is with rows rescaled", lhs=r_bn),
    checks=tuple(
        side_by_side(plain_and_rescaled(size), (8, 16, 32), lambda width: 24 * width)
        for size in (inf, 0.3)
    ),
)

r_uncentred, r_centred = rank_symbol("uncentred"), rank_symbol("centred")


def uncentred_and_centred(size: float) -> tuple[Compared, Compared]:
    """The residual chain with weights from U[0, 2a], and from U[-a, a], with branches of that size.

    Example:
        >>> [str(one.symbol) for one in uncentred_and_centred(1.0)]
        ['r_uncentred', 'r_centred']
    """
    return (
        Compared(r_uncentred, lambda width: residual_chain(width, size, "uniform_positive")),
        Compared(r_centred, lambda width: residual_chain(width, size, "uniform")),
    )


UNCENTRED = Statement(
    family=FAMILY,
    theorem="uncentred_weights",
    quantifier=Quantifier.LIMIT,
    source=d20("Figure 6"),
    title="Weights from U[0, 2a] break batch normalisation: r ≤ 1.01 after 64 layers from "
    "orthogonal samples, γ = ∞, 1 and 1/10",
    variables=(WIDTH,),
    chain="residual",
    observables=("effective_rank",),
    definitions={
        r_uncentred: "median of r(H_64) for W_ij ~ U[0, 2a]",
        r_centred: "the same for W_ij ~ U[-a, a]",
    },
    lhs=r_uncentred,
    relation="<=",
    rhs=sp.Rational(101, 100),
    sentinel=Sentinel("the same with centred weights", lhs=r_centred),
    expected=Verdict.SUPPORTED,
    checks=tuple(
        side_by_side(uncentred_and_centred(size), (8, 32, 64), lambda width: 64)
        for size in (inf, 1.0, 0.1)
    ),
    remark="The scale a cancels at γ = ∞; otherwise a = √3, which makes the variance 1.",
)

# --- which part of batch normalisation keeps the rank: rescaling the rows, not subtracting the mean
# ---

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


def normalised_by(symbol: sp.Symbol, before: tuple[Layer, ...]) -> Compared:
    """A chain that is normalised by the parts that ``symbol`` of `PARTS` stands for.

    ``before`` are the layers ahead of its weights.

    Example:
        >>> normalised_by(r_bare, ()).chain(8).widths(8)
        (8, 8)
    """
    return Compared(symbol, lambda width: Chain((*before, Linear(width), *PARTS[symbol])))


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
    common = partial(
        Statement,
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
            side_by_side(
                [normalised_by(symbol, before) for symbol in PARTS],
                widths,
                lambda width: 8 * width,
                domain,
            ),
        ),
        remark=remark,
    )
    kept, lost = variants
    return (
        common(
            variant=kept,
            title=f"{network}: from orthogonal samples rescaling keeps r ≥ √d/3 after 8d layers, "
            "with mean subtraction or not",
            lhs=sp.Min(r_both, r_rescale),
            relation=">=",
            rhs=sp.sqrt(d) / 3,
            sentinel=Sentinel("mean subtraction alone keeps it", lhs=r_recentre),
        ),
        common(
            variant=lost,
            title=f"{network}: from orthogonal samples mean subtraction alone lets the rank "
            "collapse, r ≤ 1.1 after 8d layers",
            lhs=r_recentre,
            relation="<=",
            rhs=sp.Rational(11, 10),
            sentinel=Sentinel("so does rescaling alone", lhs=r_rescale),
        ),
    )


ABLATION = (
    *_pair("Linear network", ("rescaling", "recentring"), (), *LINEAR),
    *_pair(
        "ReLU network, d = 32 … 64",
        ("relu_rescaling", "relu_recentring"),
        (Activation("relu"),),
        *RELU,
        "Observed before the activation, run at d = n = 32 and 64. √d is no law with ReLU: with "
        "rescaling alone r stops at 7 to 8, which √d/3 passes between d = 512 and 1024, and with "
        "mean subtraction too it peaks near d = 128 (a few networks each). At d = n = 16 mean "
        "subtraction alone does not settle: r stays spread over 1 … 3, its median near 1.1, from "
        "128 to 2048 layers. In narrower networks ReLU may leave H = 0.",
    ),
)
STATEMENTS = (*COLLAPSE, RANK_ONE, UNCENTRED, *ABLATION)
