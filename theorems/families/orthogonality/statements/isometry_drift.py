"""One layer of any width lowers the isometry gap -log det(nC) by its gain, up to the noise of an
orthogonal start; so time averages of V² are O(1/d), from any start of full rank, with no assumption
on the path.

Problem. DJB21 bounds the gap after ℓ layers if σ_n stays large along the path, and on average over
layers only with an error of order 1/√d. What holds at finite width from any start of full rank?

Method. Let D(H) = -log det(nC), which is 0 for orthogonal samples and else positive, and let v_k be
the directions of the rows of W, d ≥ n. Then C⁺ = C^(1/2) (Σ_k c_k v_k v_kᵀ) C^(1/2)/d with
c_k = 1/(v_kᵀ C v_k), and log det(Σ c_k v_k v_kᵀ) is convex in log c: it lies above its tangent at
c = 1, whose slopes are the leverages ω_k = v_kᵀ(Σ v v ᵀ)⁻¹v_k, of sum n. Hence, for every W,

    D(H⁺) ≤ D(H) + D(U⁺) + Σ_k ω_k log(n v_kᵀ C v_k),    U orthogonal, on the same W.

A rotation of all rows changes no ω_k, so ω_k is independent of the direction v_k:

    E D(H⁺) ≤ D(H) - G(H) + E D(U⁺),    G(H) = -n E log(n vᵀ C v) ≥ 0.

The noise: log det is concave in the weights, so lengthening the directions to Gaussian rows gives
E D(U⁺) ≤ δ = Σ_{i<n} (log(d/2) - ψ((d-i)/2)), about n(n+1)/(2d). The gain: log y is at most
(y-1) - (y-1)²/(2n) for 0 < y ≤ n (`log_gain`), and E(n vᵀ C v - 1)² = 2n V²/(n+2)
(`quadratic_form_variance`), so G ≥ n V²/(n+2). Summed over layers, as D ≥ 0, this is `average`.

Checked by simulation: both starts in one network, so that their difference has a range.

Guarantee. `drift`: the display, for d ≥ n. `average`: (1/L) Σ_{k<L} E V(H_k)² ≤
(1 + 2/n)(D(H_0)/L + δ), for every start of full rank, every L and d ≥ n: at stationarity the right
order in d, and within a factor 2n(n+1)²/((n-1)(n+2)) of `stationary_law:mean`. It needs rows whose
joint law no common rotation changes, for the noise Gaussian ones.

Reference. Ours, after DJB21 (arXiv 2106.03970), Theorem 1 and Appendix B.1; the isometry gap is
that of JDB23 (arXiv 2305.18399).

Example:

    >>> round(float(AVERAGE.bound(n=2, d=100, L=1000, D_0=1.0)), 4)
    0.0624
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp
from array_api_compat import array_namespace

from simulators import Trajectory, rescale_chain
from simulators.arrays import Array, Namespace
from simulators.observables import Observable
from theorems.checking.expectation import Expectation, Floats, Instance, at_layer
from theorems.families.orthogonality import inputs
from theorems.families.orthogonality.notation import (
    BATCH,
    DEPTH,
    FAMILY,
    OURS,
    ROCQ,
    d,
    depth,
    n,
)
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Variable, Verdict

if TYPE_CHECKING:
    from theorems.report.style import Drawing

__all__ = [
    "AVERAGE",
    "DRIFT",
    "FIGURES",
    "STATEMENTS",
    "difference_of_halves",
    "draw",
    "gain",
    "paired",
]

E_D = sp.Symbol("E_D", real=True)
D_0, D_H, G_H, E_A = sp.symbols("D_0 D_H G_H E_A", nonnegative=True)
i = sp.Symbol("i", integer=True, nonnegative=True)
_WIDTH = Variable(d, sp.Range(n, sp.oo), "width, at least the batch size")


def _spectrum(start: Floats) -> Floats:
    singular = np.linalg.svd(start / np.abs(start).max(), compute_uv=False)
    return np.asarray(singular**2 / np.sum(singular**2), dtype=np.float64)


def _isometry_gap(spectrum: Floats) -> float:
    """-log det(nC)."""
    return max(-float(np.sum(np.log(len(spectrum) * spectrum))), 0.0)


def gain(spectrum: Floats) -> float:
    """G = -n E log(n Σ λ_i v_i²), v a uniform direction, by quadrature to some ten digits.

    - ``spectrum``: (n,) positive numbers of sum 1

    With g Gaussian, E log Σ λ_i g_i² = ∫ (e^(-t) - ∏(1 + 2tλ_i)^(-1/2))/t dt, and
    E log |g|² = ψ(n/2) + log 2.

    Example:
        >>> abs(gain(np.full(4, 1 / 4))) < 1e-9, round(gain(np.array([1 / 8, 7 / 8])), 3)
        (True, 0.371)
    """
    from scipy.integrate import quad
    from scipy.special import digamma

    size = len(spectrum)

    def integrand(x: float) -> float:
        t = math.exp(x)  # dt/t = dx
        return math.exp(-t) - math.exp(-0.5 * float(np.sum(np.log1p(2 * t * spectrum))))

    logarithm = quad(integrand, -60, 0, limit=200)[0] + quad(integrand, 0, 200, limit=200)[0]
    return -size * float(math.log(size) + logarithm - digamma(size / 2) - math.log(2))


# --- one layer ------------------------------------------------------------------------------------


def difference_of_halves(H: Array, *, width: int) -> Array:
    """D of the first half of the samples less D of the second, each half with rows of length 1.

    ``H``: (..., width, 2n).

    Example:
        >>> float(difference_of_halves(np.tile(np.eye(2), 2), width=2))
        0.0
    """
    xp: Namespace = array_namespace(H)
    half = H.shape[-1] // 2

    def logarithm(block: Array) -> Array:
        squares = xp.sum(block * block, axis=-1, keepdims=True)
        rows = block / xp.sqrt(xp.where(squares > 0, squares, xp.ones_like(squares)))
        return xp.linalg.slogdet(xp.matmul(xp.matrix_transpose(rows), rows))[1]

    return logarithm(H[..., half:]) - logarithm(H[..., :half])


_DIFFERENCE = Observable("isometry_difference", difference_of_halves, gram=False)


def paired(sizes: Iterable[int], batch: Floats | None) -> Iterator[tuple[str, Floats, Floats]]:
    """Label, halves and spectrum of starts of such sizes, or of the batch: a start and its
    orthogonal polar factor as the two halves of one batch, (d₀, 2n).

    Example:
        >>> [(label, halves.shape) for label, halves, _ in paired((2,), None)]
        [('n=2', (4, 4))]
    """
    given = [(f"n={size}", inputs.two_level(size, 0.1)) for size in sizes]
    if batch is not None:
        given = [(f"batch {batch.shape[0]}×{batch.shape[1]}", batch)]
    for label, start in given:
        spectrum = _spectrum(start)
        size = len(spectrum)
        if size == 1 or start.shape[0] < size or spectrum[-1] <= 1e-15:
            continue  # nothing moves, or dependent samples: no gap to speak of
        left, _, right = np.linalg.svd(start, full_matrices=False)
        halves = np.concatenate((start / np.linalg.norm(start), left @ right), axis=1)
        padding = np.zeros((max(2 * size - len(halves), 0), 2 * size))
        yield label, np.concatenate((halves, padding)), spectrum


def _pairs(statement: Statement, batch: Floats | None) -> list[Instance]:
    """Starts beside their polar factors, with what one layer can make of them."""
    found = []
    for label, halves, spectrum in paired((2, 4), batch):
        size = len(spectrum)
        gap, ends = _isometry_gap(spectrum), size * np.log(size * spectrum[[-1, 0]])
        values = {"n": size, "D_H": gap, "G_H": gain(spectrum)}
        # each c_k lies between 1/λ_1 and 1/λ_n
        support = (gap + float(ends[0]) - 1e-6, gap + float(ends[1]) + 1e-6)
        found += [
            Instance(
                f"{label}, d={width}",
                rescale_chain(width),
                halves,
                1,
                ({**values, "d": width},),
                support,
            )
            for width in (2 * size, 4 * size, 32 * size)
        ]
    return found


DRIFT = Statement(
    family=FAMILY,
    theorem="isometry_drift",
    variant="drift",
    title="E[D(H⁺) - D(U⁺) | H] ≤ D(H) - G(H), D = -log det(nC), U orthogonal, on the same W",
    quantifier=Quantifier.EXPECTATION,
    source=OURS,
    variables=(BATCH, _WIDTH, Variable(D_H, sp.Interval(0, sp.oo), "D(H) = -log det(nC)")),
    definitions={
        E_D: "E[D(H⁺) - D(U⁺) | H]",
        G_H: "G(H) = -n E log(n vᵀCv), v a uniform direction",
    },
    chain="rescale",
    observables=("isometry_difference",),
    lhs=E_D,
    relation="<=",
    rhs=D_H - G_H,
    sentinel=Sentinel("twice and a half the gain", rhs=D_H - sp.Rational(5, 2) * G_H),
    expected=Verdict.SUPPORTED,
    checks=(
        Expectation(
            _pairs,
            at_layer(_DIFFERENCE.name, 1),
            (_DIFFERENCE,),
            resolution=0.02,
            enough=1 / 3,
            dtype="float32",
        ),
    ),
    remark="For every W the difference is at most D(H) + Σ_k ω_k log(n v_kᵀ C v_k). Near "
    "orthogonality G is 2/(n+2) of D, and twice that is what a layer really takes.",
)

# --- many layers ----------------------------------------------------------------------------------

#: δ: the mean of -log det of a Wishart matrix over its degrees of freedom.
_noise = sp.Sum(sp.log(d / 2) - sp.digamma((d - i) / 2), (i, 0, n - 1))
_bound = (1 + 2 / n) * (D_0 / depth + _noise)


def _paths(statement: Statement, batch: Floats | None) -> list[Instance]:
    """Starts near dependence, as long as it takes until they weigh little in the bound."""
    given = [(f"n={size}", inputs.two_level(size, 1e-4)) for size in (2, 4)]
    if batch is not None:
        given = [(f"batch {batch.shape[0]}×{batch.shape[1]}", batch)]
    found = []
    for label, start in given:
        spectrum = _spectrum(start)
        size = len(spectrum)
        if size == 1 or start.shape[0] < size or spectrum[-1] <= 1e-15:
            continue
        values = {"n": size, "D_0": _isometry_gap(spectrum)}
        found += [
            Instance(
                f"{label}, d={width}, {layers} layers",
                rescale_chain(width),
                start,
                layers - 1,
                ({**values, "d": width, "L": layers},),
                (0.0, 1 - 1 / size + 1e-9),
            )
            for width, layers in ((16 * size, 1024), (64 * size, 256))
        ]
    return found


def _averaged(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    squares = trajectory.values["orthogonality_gap"] ** 2
    return np.asarray(np.mean(squares, axis=1))[:, None]


AVERAGE = Statement(
    family=FAMILY,
    theorem="isometry_drift",
    variant="average",
    title="(1/L) Σ_{k<L} E V(H_k)² ≤ (1 + 2/n)(D(H_0)/L + δ), δ ≈ n(n+1)/(2d), from any full rank",
    quantifier=Quantifier.EXPECTATION,
    source=OURS,
    variables=(
        BATCH,
        _WIDTH,
        DEPTH,
        Variable(D_0, sp.Interval(0, sp.oo), "D(H_0) = -log det(nC), finite for full rank"),
    ),
    definitions={E_A: "E[(1/L) Σ_{k=0}^{L-1} V(H_k)²]"},
    chain="rescale",
    observables=("orthogonality_gap",),
    lhs=E_A,
    relation="<=",
    rhs=_bound,
    ceiling=1 - 1 / n,
    sentinel=Sentinel("a thirtieth of it", rhs=_bound / 30),
    expected=Verdict.SUPPORTED,
    depends_on=(
        "orthogonality.isometry_drift:drift",
        "orthogonality.log_gain",
        "orthogonality.quadratic_form_variance",
    ),
    checks=(
        Expectation(
            _paths,
            _averaged,
            ("orthogonality_gap",),
            resolution=0.05,
            enough=1 / 3,
            dtype="float32",
        ),
    ),
    proof=Proof(
        theorem=f"{ROCQ}.IsometryDrift.averaged_gap",
        link="name",
        gloss="if E D(H⁺) ≤ D(H) - n V(H)²/(n+2) + δ and D ≥ 0 at every state, the average of V² "
        "over L layers is at most (1 + 2/n)(D(H_0)/L + δ)",
        leaves="the drift, isometry_drift:drift, and what δ is",
        also=(
            f"{ROCQ}.IsometryDrift.quadratic_form_variance",
            f"{ROCQ}.leaf.LogGain.log_gain",
        ),
    ),
    remark="No assumption on the path. With (n-1-log n)/(n-1)² for 1/(2n) in the gain the factor is "
    "(n+2)(n-1)²/(2n²(n-1-log n)) for 1 + 2/n: sharper by 0.81 at n = 2, 0.70 at n = 4.",
)


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """Measured averages against their bounds; None if they were not run."""
    from theorems.report.document import evidence_of, find
    from theorems.report.style import COLOURS, INK, Drawing, drawing, new_figure

    found = evidence_of(find(document, AVERAGE.name), "readouts")
    rows = [row for one in found for row in one["readouts"] if row.get("mean") is not None]
    if not rows:
        return None
    with drawing():
        figure = new_figure(4.2, 3.2)
        axes = figure.add_subplot()
        bounds = np.array([row["bound"] for row in rows], dtype=float)
        means = np.array([row["mean"] for row in rows], dtype=float)
        span = np.array([means.min() / 2, bounds.max() * 2])
        axes.plot(span, span, color=INK, linewidth=1.0, linestyle=(0, (1, 1.6)), label="equality")
        axes.plot(bounds, means, "o", color=COLOURS["measured"], label="measured")
        axes.set(xscale="log", yscale="log", xlabel="bound", ylabel="average of E V²")
        axes.legend()
    return Drawing(
        "isometry_drift",
        "Time averages of V² from starts near dependence",
        "Each point is one width and depth; no assumption is made on the path.",
        figure,
        (AVERAGE.name,),
    )


STATEMENTS = (DRIFT, AVERAGE)
FIGURES = (draw,)
