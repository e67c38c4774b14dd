"""The Jacobian of the layer on Gram matrices, differentiated in balls and compared with its closed
form.

The derivative in a direction X is the first Taylor coefficient of the map at G + tX, computed entry
by entry from the map's definition (`layer_derivative`): it shares no formula with the closed forms.
Along a basis of all symmetric n × n matrices it fixes the whole Jacobian. The bases are sorted by
how permutations act on them; matrices are exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial, reduce
from itertools import chain, combinations, combinations_with_replacement, product

from flint import arb, arb_mat, arb_series, ctx, fmpq, fmpq_mat

from simulators.engines.mean_field.outlier_enclosure import block_rows
from simulators.engines.mean_field.recenter_relu import arc_cosine_enclosure
from theorems.families.cluster.fixed_points import PRECISION, Point, find, one_apart

__all__ = ["layer_derivative", "outlier_residual", "symmetric_eigenvalues", "symmetric_residual"]


def layer_derivative(gram: arb_mat, direction: arb_mat) -> arb_mat:
    """The derivative of the layer at ``gram`` in ``direction``, both n × n and symmetric.

    The layer here scales its result to the trace of ``gram``, so that scale is no direction of its
    own. Cosines off the diagonal must be certainly inside (−1, 1). Cost: n²/2 series of two terms,
    20 µs each.
    """
    n, zero = gram.nrows(), arb_series([], 2)
    pairs = zip(gram.entries(), direction.entries(), strict=True)
    entries = [arb_series(list(pair), 2) for pair in pairs]
    means = [sum(entries[n * i : n * (i + 1)], zero) / n for i in range(n)]
    mean = sum(means, zero) / n
    places = product(range(n), repeat=2)
    K = [x - means[i] - means[j] + mean for x, (i, j) in zip(entries, places, strict=True)]
    layer = list(K)
    roots = [norm.sqrt() for norm in K[:: n + 1]]
    pi = arb.pi()
    for i, j in combinations(range(n), 2):
        scale = roots[i] * roots[j]
        rho = K[n * i + j] / scale
        image = scale * ((1 - rho * rho).sqrt() + (pi - rho.acos()) * rho) / pi
        layer[n * i + j] = layer[n * j + i] = image
    factor = gram.trace() / sum(layer[:: n + 1], zero)
    return arb_mat(n, n, [(factor * x)[1] for x in layer])


# --- directions -----------------------------------------------------------------------------------


def _kernel(n: int) -> Iterator[fmpq_mat]:
    """e_i 1ᵀ + 1 e_iᵀ, which recentring removes."""
    for i in range(n):
        X = fmpq_mat(n, n)
        for j in range(n):
            X[i, j] += 1
            X[j, i] += 1
        yield X


def _edges(n: int, members: int) -> Iterator[fmpq_mat]:
    """Zero diagonal and row sums, within the first ``members``: one for each edge that a star and a
    triangle leave.
    """
    for i, j in combinations(range(members), 2):
        if i == 0 or (i, j) == (1, 2):
            continue
        X = fmpq_mat(n, n)
        for a, b, sign in ((i, j, 1), (0, i, -1), (0, j, -1), (0, 1, 1), (0, 2, 1), (1, 2, -1)):
            X[a, b] += sign
            X[b, a] += sign
        yield X


def _pattern(n: int, members: int, other: int, alpha: int, beta: int) -> fmpq_mat:
    """K_ii = αv_i, K_ij = β(v_i + v_j) for the first ``members``, v = e_0 − e_other, rows completed
    to sum zero.
    """
    v = [fmpq((i == 0) - (i == other)) for i in range(members)]
    X = fmpq_mat(n, n)
    for i in range(members):
        for j in range(members):
            X[i, j] = alpha * v[i] if i == j else beta * (v[i] + v[j])
    for i in range(members, n):
        for j in range(members):
            X[i, j] = X[j, i] = -(alpha + (members - 2) * beta) * v[j]
    return X


def _check_basis(directions: Sequence[fmpq_mat]) -> None:
    n = directions[0].nrows()
    places = list(combinations_with_replacement(range(n), 2))
    rows = [X[place] for X, place in product(directions, places)]
    entries = fmpq_mat(len(directions), len(places), rows)
    if not len(directions) == entries.rank() == n * (n + 1) // 2:
        raise ArithmeticError(
            f"n={n}: {len(directions)} directions of rank {entries.rank()} are no basis"
        )


def _centred(X: arb_mat) -> arb_mat:
    n = X.nrows()
    J = arb_mat(n, n, [fmpq(int(i == j)) - fmpq(1, n) for i, j in product(range(n), repeat=2)])
    return J * X * J


def _largest(matrix: arb_mat) -> arb:
    return reduce(arb.max, map(abs, matrix.entries()), arb(0))


# --- the symmetric fixed point --------------------------------------------------------------------


def symmetric_eigenvalues(n: int) -> tuple[arb, arb]:
    """κ′n/((1 − κ)(n − 1)) and [(n − 2)(1 − κ + ρκ′) + 2κ′]/[(n − 1)(1 − κ)] at ρ = −1/(n − 1).

    The layer's eigenvalues on matrices of zero row sums that change angles alone, and norms, for
    ``n`` ≥ 3 samples.

    Example:
        >>> all(value < 1 for value in symmetric_eigenvalues(4))
        True
    """
    rho = -1 / arb(n - 1)
    slope = 1 - rho.acos() / arb.pi()
    kappa = (1 - rho * rho).sqrt() / arb.pi() + slope * rho
    return (
        slope * n / ((1 - kappa) * (n - 1)),
        ((n - 2) * (1 - kappa + rho * slope) + 2 * slope) / ((n - 1) * (1 - kappa)),
    )


def symmetric_residual(n: int, edges: arb | None = None, norms: arb | None = None) -> arb:
    """The largest entry by which the Jacobian at the symmetric point misses its closed-form
    spectrum.

    Along a basis X of all symmetric matrices, J·DT(X)·J is compared with λJXJ: λ = 0 on the kernel
    of X ↦ JXJ and on the fixed point itself, ``edges`` on matrices of zero diagonal and row sums,
    ``norms`` on those that change norms; both are `symmetric_eigenvalues` unless given. DT and
    J·DT·J have the same eigenvalues but for zeros, as DT depends on JXJ only.
    """
    with ctx.workprec(PRECISION):
        known = symmetric_eigenvalues(n)
        edges = known[0] if edges is None else edges
        values = (arb(0), edges, known[1] if norms is None else norms)
        images = _symmetric_images(n)
        misses = (_largest(moved - values[part] * given) for given, moved, part in images)
        return reduce(arb.max, misses, arb(0))


@lru_cache(maxsize=2)
def _symmetric_images(n: int) -> list[tuple[arb_mat, arb_mat, int]]:
    """JXJ and J·DT(X)·J for a basis, and the part X belongs to: kernel and scale, edges, norms."""
    rho = -1 / arb(n - 1)
    cosine = arc_cosine_enclosure(rho)
    gram = arb_mat(n, n, [arb(1) if i == j else cosine for i, j in product(range(n), repeat=2)])
    # within zero row sums, norms change by α = −(n − 2)β
    parts = (
        (*_kernel(n), _diagonal([1] * n)),
        tuple(_edges(n, n)),
        tuple(_pattern(n, n, a, 2 - n, 1) for a in range(1, n)),
    )
    _check_basis(list(chain.from_iterable(parts)))
    found: list[tuple[arb_mat, arb_mat, int]] = []
    for number, part in enumerate(parts):
        found += [(*_image(gram, X), number) for X in part]
    return found


def _image(gram: arb_mat, direction: fmpq_mat) -> tuple[arb_mat, arb_mat]:
    """JXJ and J·DT(X)·J."""
    X = arb_mat(direction)
    return _centred(X), _centred(layer_derivative(gram, X))


# --- the outlier ----------------------------------------------------------------------------------


def outlier_residual(n: int, *, norms_move: bool = True) -> arb:
    """The largest entry by which the Jacobian at the outlier point misses its blocks, along a basis
    as above.

    Counted in: by how much the trace and the determinant behind the enclosed spectrum miss those of
    the 2 × 2 block. With ``norms_move`` False the block leaves out that the cosines' norms move: a
    wrong Jacobian. Raises ``ValueError`` where there is no outlier point.
    """
    point = _point(n)
    with ctx.workprec(PRECISION):
        gram, h = _outlier_gram(point, n)
        block = _block(point, n, h, norms_move)
        spectrum = point.spectrum
        kernel, edges, alone, pairs, invariant = _outlier_images(n)
        worst = _largest(layer_derivative(gram, gram))  # scale
        worst = worst.max(abs(block.trace() - spectrum.trace)).max(
            abs(block.det() - spectrum.determinant)
        )
        for _, moved in kernel:
            worst = worst.max(_largest(moved))
        for given, moved in edges:
            worst = worst.max(_largest(moved - given * spectrum.within))
        for first, second in zip(alone, pairs, strict=True):
            for k, (_, moved) in enumerate((first, second)):
                worst = worst.max(
                    _largest(moved - first[0] * block[0, k] - second[0] * block[1, k])
                )
        K = _centred(gram)
        for given, moved in invariant:
            worst = worst.max(abs(_y_rate(K, moved) - spectrum.slope * _y_rate(K, given)))
        return worst


@lru_cache(maxsize=2)
def _outlier_images(n: int) -> list[list[tuple[arb_mat, arb_mat]]]:
    """JXJ and J·DT(X)·J for a basis at the outlier: kernel, edges, norms α alone, pairs β, matrices
    all invariant.
    """
    gram, _ = _outlier_gram(_point(n), n)
    parts = [
        list(_kernel(n)),
        list(_edges(n, n - 1)),
        [_pattern(n, n - 1, a, 1, 0) for a in range(1, n - 1)],
        [_pattern(n, n - 1, a, 0, 1) for a in range(1, n - 1)],
        [_diagonal([1] * (n - 1) + [0]), _diagonal([0] * (n - 1) + [1])],
    ]
    _check_basis(list(chain.from_iterable(parts)))
    return [list(map(partial(_image, gram), part)) for part in parts]


def _point(n: int) -> Point:
    point = find(n).outlier
    if point is None:
        raise ValueError(f"n={n} has no outlier point")
    return point


def _diagonal(entries: Sequence[int]) -> fmpq_mat:
    X = fmpq_mat(len(entries), len(entries))
    for i, entry in enumerate(entries):
        X[i, i] = fmpq(entry)
    return X


def _outlier_gram(point: Point, n: int) -> tuple[arb_mat, arb]:
    """The fixed point as an n × n matrix up to a factor, which the layer's derivative does not see,
    and h, by which a layer multiplies JGJ there.
    """
    r, y = (point.y - 1) / (n - 2), point.y
    inner, outer = (
        arc_cosine_enclosure(r),
        (y * (n - 1)).sqrt() * arc_cosine_enclosure(-(y / (n - 1)).sqrt()),
    )
    h = (1 - inner) / (1 - r)
    rows = one_apart(n, arb(1), inner, outer, (n - 1) * y)
    return arb_mat(rows), h


def _block(point: Point, n: int, h: arb, norms_move: bool) -> arb_mat:
    pi = arb.pi()
    phi, angle, share = point.cluster_angle, point.angle, 1 / arb(n)
    row_a, row_b = block_rows(phi, angle, share)
    bend = phi.sin() / pi
    if not norms_move:
        row_a, bend = share * (1 - angle / pi), arb(0)
    entries = [[1 - 2 * row_a, -2 * row_b], [bend / 2 - row_a, 1 - phi / pi - row_b]]
    return arb_mat(entries) / h


def _y_rate(K: arb_mat, change: arb_mat) -> arb:
    """The change of y = −K_co/K_cc."""
    n = K.nrows()
    return (K[0, n - 1] * change[0, 0] / K[0, 0] - change[0, n - 1]) / K[0, 0]
