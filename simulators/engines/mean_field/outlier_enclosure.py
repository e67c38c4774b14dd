"""The reduction of `outlier` in balls, with derivatives: Taylor series over the ball they are
given.

An angle comes as an `arb_series`, whose first coefficient is a ball of points; the coefficients of
the result then enclose value, derivative, … at every one of them. Functions with a removable
singularity at 0 are evaluated as hypergeometric ones, without division.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb, arb_series, ctx, fmpq

from simulators.engines.mean_field.recenter_relu import arc_cosine_enclosure


@dataclass(frozen=True)
class SpectrumEnclosure:
    """The Jacobian's eigenvalues at a fixed point, but for 0: see `outlier`.

    ``slope`` on invariant matrices, ``within`` on cluster matrices, ``trace`` and ``determinant``
    of the 2 × 2 block and the larger modulus ``block_radius`` of its eigenvalues, ``radius`` the
    largest modulus of all.

    Example:
        >>> spectrum_enclosure(arb("0.7"), 9).within > 0
        True
    """

    slope: arb
    within: arb
    trace: arb
    determinant: arb
    block_radius: arb
    radius: arb


def variable(point: arb, terms: int = 2) -> arb_series:
    """The series of the identity at ``point``, with ``terms`` coefficients; `series_length` must
    allow them.

    Example:
        >>> variable(arb(2)).coeffs()
        [2.00000000000000, 1.00000000000000]
    """
    return arb_series([point, arb(1)], terms)


def entire(a: fmpq, z: arb_series) -> arb_series:
    """₀F₁(; a; z) = Σ z^k/((a)_k k!): what is left of sines and cosines when powers are divided
    out.

    ``a`` is a rational that is no whole number ≤ 0; the result has the length of ``z``.

    Example:
        >>> entire(fmpq(1, 2), variable(arb(0)))[0]
        1.00000000000000
    """
    centre = z[0]
    coefficients, factor = [], arb(1)
    for m in range(z.prec):
        coefficients.append(centre.hypgeom_0f1(arb(a + m)) * factor)
        factor /= arb(a + m) * (m + 1)
    steps = z.coeffs()[1:]
    if not steps:
        return arb_series(coefficients[:1], z.prec)
    return arb_series(coefficients, z.prec)(arb_series([arb(0), *steps], z.prec))


def sine_defect_series(angle: arb_series) -> arb_series:
    """sin ψ − ψ cos ψ.

    ``angle`` is any series; there is no division, so that balls may contain 0.

    Example:
        >>> sine_defect_series(variable(arb(0)))[0].contains(0)
        True
    """
    return angle * angle * angle * entire(fmpq(5, 2), -angle * angle / 4) / 3


def share_series(phi: arb_series) -> arb_series:
    """H(φ)/φ, H = (sin φ − φ cos φ)/(π(1 − cos φ)): analytic for |φ| < 2π, 2/(3π) at 0.

    ``phi`` is a series; see `excess_series` for H.

    Example:
        >>> share_series(variable(arb(0)))[0].overlaps(2 / (3 * arb.pi()))
        True
    """
    sinc = entire(fmpq(3, 2), -phi * phi / 16)  # of φ/2
    return 2 * entire(fmpq(5, 2), -phi * phi / 4) / (3 * arb.pi() * sinc * sinc)


def cluster_angle_series(angle: arb_series, n: arb | arb_series) -> arb_series:
    """φ, from sin(φ/2) = √((n − 1)/(2(n − 2))) sin ψ, for real n > 3, or n = 3 exactly.

    ``angle`` is the series of ψ in [0, π/2); ``n`` may be a ball or a series, too.

    Example:
        >>> cluster_angle_series(variable(arb(0)), arb(3)).coeffs()[1]
        2.00000000000000
    """
    if isinstance(n, arb) and n == 3:
        return 2 * angle
    return 2 * (((n - 1) / (2 * (n - 2))).sqrt() * angle.sin()).asin()


def excess_series(angle: arb_series, n: arb | arb_series) -> arb_series:
    """e(ψ) of `outlier`, whose zeros in (0, π/2) are the fixed points; e is analytic beyond both
    ends.

    Arguments are those of `cluster_angle_series`.

    Example:
        >>> symmetric = (arb(1) / 4).acos()
        >>> excess_series(variable(symmetric), arb(5))[0].contains(0)
        True
    """
    phi = cluster_angle_series(angle, n)
    H = phi * share_series(phi)
    c = angle.cos()
    pi = arb.pi()
    return c * c * ((n + 1) * H - 2 + 2 * angle / pi) + H / (n - 1) - (2 * angle).sin() / pi


def reduced_map_enclosure(y: arb, n: int, *, precision: int = 128) -> arb:
    """A ball that contains f_n(y) for every y of the ball in (0, n − 1), n ≥ 3.

    Raises ``ValueError`` for a ball that is not certainly inside. Cost: some twenty functions of a
    few microseconds.

    Args:
        y: the coordinate, a ball.
        n: samples, at least 3.
        precision: in bits.

    Example:
        >>> reduced_map_enclosure(arb(1) / 4, 5).overlaps(arb(1) / 4)  # the symmetric point stays
        True
    """
    if not (y > 0 and y < n - 1):
        raise ValueError(f"y = {y} is not certainly inside (0, {n - 1})")
    with ctx.workprec(precision + 32):
        square = y / (n - 1)
        angle = arb_series([square.sqrt().acos()], 1)
        phi = cluster_angle_series(angle, arb(n))
        product = n * n * (1 - phi * share_series(phi))[0] * square
        growth = product / (product + (n - 1) * excess_series(angle, arb(n))[0])
        return (n - 1) / (1 + (1 / square - 1) * growth)


def cosines_enclosure(angle: arb, n: int) -> tuple[arb, arb]:
    """The cosines of the Gram matrix, after ReLU, at ψ = ``angle``: in the cluster, and with the
    outlier.

    ``angle`` is a ball in (0, π/2), ``n`` ≥ 3. Raises `ValueError` where a cosine is none.

    Example:
        >>> inner, outer = cosines_enclosure((arb(1) / 4).acos(), 5)
        >>> inner.overlaps(outer)
        True
    """
    phi = cluster_angle_series(arb_series([angle], 1), arb(n))[0]
    return arc_cosine_enclosure(phi.cos()), arc_cosine_enclosure(-angle.cos())


def spectrum_enclosure(angle: arb, n: int) -> SpectrumEnclosure:
    """The Jacobian's eigenvalues at a zero of e in the ball ``angle``, at flint's current
    precision.

    ``n`` ≥ 3. The formulas are those in the docstring of `outlier`.

    Example:
        >>> found = spectrum_enclosure((arb(1) / 9).acos(), 10)
        >>> found.radius < 1  # the symmetric point attracts
        True
    """
    excess = excess_series(variable(angle), arb(n))
    phi = cluster_angle_series(arb_series([angle], 1), arb(n))
    pi = arb.pi()
    s, c = angle.sin_cos()
    h = 1 - (phi * share_series(phi))[0]
    inner = phi[0]
    slope = 1 - (n - 1) * excess[1] * s / (2 * n * n * h * c)
    trace, determinant = block_invariants(inner, angle, h, 1 / arb(n))
    block = larger_modulus(trace, determinant)
    within = (1 - inner / pi) / h
    radius = abs(slope).max(block)
    return SpectrumEnclosure(
        slope, within, trace, determinant, block, radius.max(within) if n > 4 else radius
    )


def block_rows(phi: arb, angle: arb, reciprocal: arb) -> tuple[arb, arb]:
    """σ_α/n and σ_β/n of the 2 × 2 block, its row sums before recentring, at (φ, ψ) and 1/n, which
    may contain 0.

    ``phi``, ``angle`` and ``reciprocal`` are balls.

    Example:
        >>> alpha, beta = block_rows(arb(1), arb(1), arb(0))
        >>> beta.contains(1 - 2 / arb.pi())
        True
    """
    pi = arb.pi()
    k, k_o, bend = 1 - phi / pi, angle / pi, phi.sin() / pi
    weight = (1 - reciprocal) * (2 * angle).sin() / (4 * pi)
    return (
        reciprocal * (1 - k_o) + (1 - 3 * reciprocal) * bend / 2 + weight,
        (1 - 3 * reciprocal) * (k - k_o),
    )


def block_invariants(phi: arb, angle: arb, h: arb, reciprocal: arb) -> tuple[arb, arb]:
    """Trace and determinant of the 2 × 2 block at (φ, ψ) and 1/n, h = 1 − H(φ).

    Arguments are balls, as those of `block_rows`; ``reciprocal`` may contain 0.

    Example:
        >>> trace, determinant = block_invariants(arb(1), arb(1), arb(1), arb(0))
        >>> trace.is_finite() and determinant.is_finite()
        True
    """
    k, bend = 1 - phi / arb.pi(), phi.sin() / arb.pi()
    row_a, row_b = block_rows(phi, angle, reciprocal)
    return (1 - 2 * row_a + k - row_b) / h, (k - 2 * k * row_a - (1 - bend) * row_b) / (h * h)


def larger_modulus(trace: arb, determinant: arb) -> arb:
    """The larger modulus of the zeros of x² − trace·x + determinant, as a ball.

    ``trace`` and ``determinant`` are enclosures. Of real zeros the larger in size is at least the
    root of a positive determinant, which is the modulus of those that are not real and then at
    least |trace|/2.

    Example:
        >>> larger_modulus(arb(1), arb(-6)).contains(3)
        True
    """
    discriminant = trace * trace / 4 - determinant
    real = abs(trace) / 2 + discriminant.nonnegative_part().sqrt()
    return real.max(determinant.nonnegative_part().sqrt())
