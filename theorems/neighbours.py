"""Claims published next to the theory of batch normalisation, each with the verdict that it gets.

    theorems falsify neighbours               theorems show neighbours::relu_alignment

A source that is known here by no more than its abstract is said to be. Networks are as small as
shows it, so that a verdict takes seconds; copy a claim to try it at sizes of your own.
"""

from array_api_compat import array_namespace

from simulators import Chain, named_chain, observable
from simulators.layers import Activation, Linear, Rescale, RMSNorm
from theorems import conjecture

__all__ = [
    "gelu_fixed_point",
    "isometry_of_every_layer",
    "kept_tangents",
    "linear_gradients",
    "linear_tangents",
    "log_norm_spread",
    "normalised_samples",
    "odds_of_every_layer",
    "orthogonal_weights",
    "rank_of_relu_layers",
    "relu_against_none",
    "relu_alignment",
    "relu_alignment_as_printed",
    "relu_gradients",
    "relu_survival",
    "stationary_gap",
    "student_weights",
]

# a file of claims needs no annotations
# mypy: disable-error-code="no-untyped-def"


# --- infinite width: what becomes of the angle between two samples --------------------------------

relu_alignment = conjecture(
    "cosine >= 1 - 9*pi**2/(2*ell**2)",
    chain="vanilla(relu)",
    quantifier="mean field",
    n=2,
    ell="1..200",
    assume="cosine_0 >= 0",
    title="ReLU layers align samples: 1 - cosine ≤ 9π²/(2ℓ²), from any cosine ≥ 0 (ours)",
)

relu_alignment_as_printed = conjecture(
    "1 - cosine <= (1 - cosine_0)/(1 + (1/2 - 1/pi)*ell*(1 - cosine_0))",
    chain="vanilla(relu)",
    quantifier="mean field",
    n=2,
    ell="1..200",
    assume="cosine_0 <= 99/100",
    title="1 - ρ_ℓ ≤ (1 - ρ_0)/(1 + αℓ(1 - ρ_0)), α = 1 - κ(0) - κ'(0) (Joudaki, Hofmann 2024)",
)


@named_chain()
def gelu_rms(width):
    """H⁺ = RMSNorm(gelu(WH)), entries of W of variance 1/width"""
    return Chain((Linear(width), Activation("gelu"), RMSNorm()))


gelu_fixed_point = conjecture(
    "abs(cosine - 0.7604) <= 1/1000",
    chain="gelu_rms",
    quantifier="mean field",
    n=2,
    ell="150..200",
    assume=("cosine_0 >= -9/10", "cosine_0 <= 9/10"),
    title="Under GELU and RMSNorm samples neither align nor part: cosines go to 0.7604 (ours)",
)

# --- normalised samples ---------------------------------------------------------------------------

#: Of two samples of squared norms a, b and cosine ρ: exactly, as LayerNorm and RMSNorm do it.
normalised_samples = conjecture(
    "4*a*b*(1 - rho**2)/(a + b)**2 <= 1 - rho**2",
    a="(0, 100]",
    b="(0, 100]",
    rho="[-1, 1]",
    expected="certified",
    title="Normalising samples brings them nearer an isometry (Joudaki, Daneshmand, Bach 2023)",
)


@observable(
    floor=0,
    ceiling=1,
    reads="gram",
    of_gram=lambda c: 4 * (c[0, 0] * c[1, 1] - c[0, 1] ** 2) / (c[0, 0] + c[1, 1]) ** 2,
)
def pair_isometry(H):
    """4 det C/(tr C)², C of the first two samples: 1 where they are orthogonal and of one norm"""
    xp = array_namespace(H)
    squares = xp.linalg.svdvals(H[..., :2]) ** 2
    return 4 * xp.prod(squares, axis=-1) / xp.sum(squares, axis=-1) ** 2


@named_chain()
def rms_erf(width):
    """H⁺ = erf(RMSNorm(WH)), entries of W of variance 1/width"""
    return Chain((Linear(width), RMSNorm(), Activation("erf")))


isometry_of_every_layer = conjecture(
    "log(pair_isometry) >= log(pair_isometry_0)/(2 - 2/(3*(pi/2 - acos(2/3))))**ell",
    chain="rms_erf",
    quantifier="mean field",
    n=2,
    ell="1..20",
    assume="pair_isometry_0 >= 1/10000",
    expected="refuted",
    title="In every layer the isometry gap falls by β = 2 - c₁²/Σc_k² (the rate of "
    "Joudaki, Daneshmand, Bach 2023, read without its constant)",
)

odds_of_every_layer = conjecture(
    "abs(cosine)*(1 - abs(cosine_0))*(2 - 2/(3*(pi/2 - acos(2/3))))**ell"
    " <= abs(cosine_0)*(1 - abs(cosine))",
    chain="rms_erf",
    quantifier="mean field",
    n=2,
    ell="1..20",
    assume=("abs(cosine_0) <= 99/100", "abs(cosine_0) >= 1/100"),
    title="|ρ|/(1 - |ρ|) falls by 2 - κ'(0) in every layer, κ(0) = 0 (Joudaki, Hofmann 2024)",
)

# --- gradients ------------------------------------------------------------------------------------

linear_gradients = conjecture(
    "2*rate(median(gradient_norm_0)) <= log((n - 2)/(n - 3)) + 1/10",
    chain="batchnorm(identity)",
    backward="gaussian",
    n=8,
    d=128,
    ell="2..6",
    assume="orthogonality_gap_0 <= 1/100",
    title="Squared gradients grow by (n - 2)/(n - 3) a layer (Yang et al. 2019, of their mean)",
)

linear_tangents = conjecture(
    "abs(2*rate(median(tangent_norm)) - log((n - 2)/(n - 3))) <= 1/10",
    chain="batchnorm(identity)",
    tangents="gaussian",
    n=8,
    d=64,
    ell="2..6",
    assume="orthogonality_gap_0 == 0",
    title="Squared tangents grow on their way forward as gradients do on their way back (ours)",
)

kept_tangents = conjecture(
    "2*rate(median(tangent_norm)) <= 1/10",
    chain="batchnorm(identity)",
    tangents="gaussian",
    n=8,
    d=64,
    ell="2..6",
    assume="orthogonality_gap_0 == 0",
    expected="refuted",
    title="Normalised layers keep the norms of tangents, as they keep those of samples (ours)",
)

relu_gradients = conjecture(
    "2*rate(median(gradient_norm_0)) >= log(1.78819) - 1/10",
    chain="batchnorm(relu)",
    backward="gaussian",
    n=8,
    d=128,
    ell="2..6",
    assume="orthogonality_gap_0 <= 1/100",
    title="With ReLU, at n = 8, by 1.78819 or more (after Yang et al. 2019, in closed form)",
)

relu_against_none = conjecture(
    "median(gradient_norm_0) <= median(other.gradient_norm_0)",
    chain="batchnorm(identity)",
    other="batchnorm(relu)",
    backward="gaussian",
    n=8,
    d=32,
    ell=6,
    assume="orthogonality_gap_0 <= 1/100",
    title="On the same weights gradients explode faster with ReLU than without (ours)",
)

# --- one sample through ReLU layers of width d, weights of variance 2/d --------------------------

log_norm_spread = conjecture(
    "abs(variance(2*log_norm)/(5*ell/d) - 1) <= 1/4",
    chain="vanilla(relu)",
    n=1,
    d=64,
    ell=4,
    assume=("alive", "kurtosis(log_norm) <= 5"),
    title="var log‖h‖² is 5ℓ/d, nearly (Hanin, Nica: products of random matrices)",
)

relu_survival = conjecture(
    "alive == (1 - 2**(-d))**ell",
    chain="vanilla(relu)",
    n=1,
    d="2..4",
    ell="1..6",
    title="A sample lives through ℓ ReLU layers with probability (1 - 2^-d)^ℓ (Hanin, Rolnick)",
)

# --- other weights --------------------------------------------------------------------------------


@named_chain()
def rescale_student(width):
    """H⁺ = d^{-1/2} BN(WH), entries of W of Student's law with five degrees of freedom"""
    return Chain((Linear(width, law="student_t(5)"), Rescale("frobenius")))


student_weights = conjecture(
    "orthogonality_gap <= sqrt(n/d)",
    chain="rescale_student",
    n=2,
    d="16..32",
    ell="8..12",
    assume="smallest_eigenvalue_0 >= 1/(2*n)",
    title="Student's weights orthogonalise as Gaussian ones do: E V ≤ √(n/d) deep down (ours)",
)


@named_chain()
def rescale_haar(width):
    """H⁺ = d^{-1/2} BN(WH), W a Haar-distributed orthogonal matrix"""
    return Chain((Linear(width, law="orthogonal"), Rescale("frobenius")))


orthogonal_weights = conjecture(
    "pair_isometry >= 9/8*pair_isometry_0",
    chain="rescale_haar",
    n=2,
    d=2,
    ell=1,
    assume=("pair_isometry_0 >= 1/10", "pair_isometry_0 <= 1/2"),
    title="So does normalising units, with orthogonal weights (after Meterez et al. 2023)",
)

# --- the law deep down ----------------------------------------------------------------------------

stationary_gap = conjecture(
    "kolmogorov(d*orthogonality_gap**2*2*n*(n + 1)/(n + 2), chi2((n - 1)*(n + 2)/2)) <= 1/10",
    chain="rescale",
    n="2..4",
    d=256,
    ell=16,
    assume="smallest_eigenvalue_0 >= 1/(2*n)",
    title="Deep down d·V² has the law of χ² times (n + 2)/(2n(n + 1)), nearly (ours)",
)

# --- ranks -----------------------------------------------------------------------------


@observable(floor=0, ceiling="min(n, d)", reads="gram")
def numerical_rank(H):
    """the number of singular values above 1e-10 times the largest"""
    xp = array_namespace(H)
    values = xp.linalg.svdvals(H)
    return xp.sum(xp.astype(values > 1e-10 * values[..., :1], H.dtype), axis=-1)


rank_of_relu_layers = conjecture(
    "abs(numerical_rank - n*(1 - (1 - 2/pi)**ell)) <= 3",
    chain="vanilla(relu)",
    n=20,
    d=64,
    ell=1,
    assume="smallest_eigenvalue_0 >= 1/(2*n)",
    expected="refuted",
    title="ℓ ReLU layers have rank n(1 - (1 - 2/π)^ℓ) + O(e^-cn) (arXiv 2507.07675, abstract)",
)
