"""The mean over directions: E[φ(u) φ(u)ᵀ], u = z/‖z‖ with z ~ N(0, Σ) and φ positively homogeneous.

This is what rows rescaled to one norm leave of Gaussian ones. As φ(u) φ(u)ᵀ = φ(z) φ(z)ᵀ/‖z‖² and
1/‖z‖² = ∫_0^∞ exp(−s‖z‖²) ds,

    E[φ(u) φ(u)ᵀ] = ∫_0^∞ det(I + 2sΣ)^(−1/2) E φ(w) φ(w)ᵀ ds,   w ~ N(0, S),  S = Σ(I + 2sΣ)^(−1),

and the mean under the integral is a dual kernel in closed form (`simulators.engines.mean_field.
kernels`). For φ the identity it is the map of spectra of the rescale chain. Source: Yang et al.,
A Mean Field Theory of Batch Normalization, ICLR 2019, arXiv 1902.08129, Appendix F.

The integral is summed by the trapezoidal rule in log s, as `simulators.engines.mean_field.rescale`
does, whose bounds hold here too. Let L be the larger of |φ(1)| and |φ(−1)|, so that |φ(x)| ≤ L|x|:

- *the step*: for complex s the integrand E[φ(z_i) φ(z_j) exp(−s‖z‖²)] is analytic in Re s > 0 and
  at most its value with absolute values at Re s = |s| cos(arg s): the rule's error is at most
  L² E|z_i z_j|/‖z‖² ≤ L² times `step_error`.
- *below*: the integrand is at most L² √(Σ_ii Σ_jj), so the nodes below t add up to at most t times
  that.
- *above*: S_ii ≤ 1/(2s), so the integrand times s is at most L²/2 det(I + 2sΣ)^(−1/2), which falls
  past the last node t at least as (s/t)^(−G), G = t tr S(t): those nodes add up to at most
  L² det(I + 2tΣ)^(−1/2)/(2G).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from flint import arb, arb_mat, ctx

from simulators.arguments import require
from simulators.arrays import Floats
from simulators.engines.mean_field.kernels import HomogeneousKernel
from simulators.engines.mean_field.rescale import (
    FLOAT_STEP,
    float_ends,
    node_grid,
    rescale_map,
    step_error,
)

__all__ = ["UndecidedError", "direction_moments", "direction_moments_enclosure"]

_CHUNK_ENTRIES = 1 << 20
_GUARD_BITS = 32
_LEAST_BITS = 8
_LOST = 8 * float(np.finfo(np.float64).eps)
"""Times n and the largest eigenvalue: what is below is rounding, and counts as zero."""


class UndecidedError(ValueError):
    """Balls are too wide to tell that there is a matrix to speak of.

    Example:
        >>> str(UndecidedError("trace [+/- inf], not certainly positive"))
        'trace [+/- inf], not certainly positive'
    """


def direction_moments(covariance: Floats, kernel: HomogeneousKernel) -> Floats:
    """E[φ(u) φ(u)ᵀ], (n, n), for the ``covariance`` Σ, (n, n), and the ``kernel`` of φ.

    Σ is symmetric, positive semidefinite up to rounding, and not zero. Absolute error some 1e-15·n.
    Cost: some 500 nodes or more, n² values of the kernel each.

    All NaN for a Σ with NaN. Raises ``ValueError`` for a Σ that is zero.

    Example:
        >>> from simulators.engines.mean_field.kernels import kernel_map
        >>> direction_moments(np.eye(2), kernel_map("relu")).round(4).tolist()
        [[0.25, 0.0796], [0.0796, 0.25]]
    """
    if not np.isfinite(covariance).all():
        return np.full_like(covariance, np.nan)
    spectrum, basis = np.linalg.eigh(covariance)
    largest = float(spectrum[-1])
    require(largest > 0, "covariance is zero, and has no directions")
    ratios = spectrum / largest
    live = ratios > _LOST * len(ratios)
    ratios, basis = ratios[live], basis[:, live]
    if kernel.linear:
        return np.asarray(kernel.up**2 * (basis * rescale_map(ratios)) @ basis.T)
    first, last = float_ends(
        np.array([ratios.sum()]), np.array([ratios.min()]), np.array([len(ratios)])
    )
    count = math.ceil((last[0] - first[0]) / FLOAT_STEP) + 1
    nodes = first[0] + FLOAT_STEP * np.arange(count)
    size = max(1, _CHUNK_ENTRIES // len(basis) ** 2)
    total = np.zeros((len(basis), len(basis)))
    for start in range(0, count, size):
        log_s = nodes[start : start + size, None]
        slopes = 2 * np.exp(log_s) * ratios
        weights = np.exp(log_s[:, 0] - np.log1p(slopes).sum(axis=1) / 2)
        inner = (basis * (ratios / (1 + slopes))[:, None, :]) @ basis.T
        total += np.einsum("s,sij->ij", weights, kernel.moments(inner))
    return FLOAT_STEP * total


def direction_moments_enclosure(
    covariance: list[list[arb]],
    kernel: HomogeneousKernel,
    *,
    precision: int,
    image: arb_mat | None = None,
) -> list[list[arb]]:
    """Balls that contain the entries of E[φ(u) φ(u)ᵀ] for every Σ of ``covariance``, n × n balls.

    Of a Σ that is positive semidefinite and has a positive trace; radii are some 2^-precision for
    an exact one of rank 2 or more. ``image``, (n, r), has orthonormal columns that span the image
    of Σ or more, all of R^n by default: where less is known of a Σ of rank 1 its radii come out as
    their roots. Cost: some 0.1·precision² nodes, a solution of n equations and n² values of the
    kernel each.

    Raises `UndecidedError` where the trace is not certainly positive.

    Example:
        >>> from simulators.engines.mean_field.kernels import kernel_map
        >>> identity = [[arb(i == j) for j in range(2)] for i in range(2)]
        >>> found = direction_moments_enclosure(identity, kernel_map("relu"), precision=60)
        >>> found[0][0].contains(arb(1) / 4), abs(found[0][1] * 4 * arb.pi() - 1) < 1e-12
        (True, True)
    """
    n = len(covariance)
    with ctx.workprec(precision + _GUARD_BITS):
        trace = sum((covariance[i][i] for i in range(n)), arb(0))
        require(
            trace > 0,
            f"covariance has trace {trace}, not certainly positive: it has no directions",
            UndecidedError,
        )
        sigma = arb_mat([list(row) for row in covariance]) * (1 / trace)
        rotated = _Rotated.of(sigma, image)
        goal = (precision + 4) * math.log(2)
        step, _ = node_grid([arb(1)], [1], goal)
        first, ratio, enough = arb(-goal).exp(), step.exp(), arb(goal).exp()
        places = list(combinations_with_replacement(range(n), 2))
        sums = dict.fromkeys(places, arb(0))
        s, beyond = first, arb(1)
        while True:
            damped = rotated.damped(s)
            if damped is None:  # wide entries leave open whether it is positive: what is summed so
                break  # far counts, and what was to come is bounded
            root, inner = damped
            moments = kernel.moments_enclosure(inner.tolist())
            for i, j in places:
                sums[i, j] += s / root * moments[i][j]
            fall = s * sum((inner[i, i] for i in range(n)), arb(0))
            beyond = 1 / (2 * fall * root)
            if root > enough:
                break
            s *= ratio
        result = [[arb(0)] * n for _ in range(n)]
        for i, j in places:
            below = first * (sigma[i, i] * sigma[j, j]).abs_upper().sqrt()
            left = arb(kernel.steepest) ** 2 * (below + beyond + step_error(step))
            result[i][j] = result[j][i] = step * sums[i, j] + arb(0, left.abs_upper())
    return result


@dataclass(frozen=True)
class _Rotated:
    """Σ of trace 1 in a basis V that is nearly its eigenbasis, where I + 2sΣ does not cancel.

    ``square`` is VᵀV, ``inside`` VᵀΣV; both are exact up to the radii of Σ, whatever V is.
    """

    basis: arb_mat
    square: arb_mat
    inside: arb_mat
    volume: arb

    @staticmethod
    def of(sigma: arb_mat, image: arb_mat | None) -> _Rotated:
        if image is None:
            image = _identity(sigma.nrows())
        sigma = image.transpose() * sigma * image
        middles = np.array([float(x.mid()) for x in sigma.entries()])
        middles = middles.reshape(sigma.nrows(), -1)
        require(np.isfinite(middles).all(), "covariance has entries that are not finite")
        turn = arb_mat(np.linalg.eigh((middles + middles.T) / 2)[1].tolist())
        square = turn.transpose() * turn
        return _Rotated(image * turn, square, turn.transpose() * sigma * turn, square.det())

    def damped(self, s: arb) -> tuple[arb, arb_mat] | None:
        """det(I + 2sΣ)^(1/2) and S; None where the entries of Σ are too wide for that."""
        matrix = self.square + self.inside * (2 * s)
        determinant = matrix.det() / self.volume
        if not determinant > 0 or determinant.rel_accuracy_bits() < _LEAST_BITS:
            return None
        try:
            # S = V X Vᵀ, X = (VᵀV)^(−1) VᵀΣV M^(−1) = ((VᵀV)^(−1) − M^(−1))/2s, M = VᵀV + 2s VᵀΣV
            if s < 1:
                middle = self.square.solve(matrix.solve(self.inside).transpose())
            else:
                inverse = _identity(matrix.nrows())
                middle = (self.square.inv() - matrix.solve(inverse)) * (1 / (2 * s))
        except ZeroDivisionError:
            return None
        return determinant.sqrt(), self.basis * middle * self.basis.transpose()


def _identity(n: int) -> arb_mat:
    return arb_mat(np.eye(n).tolist())
