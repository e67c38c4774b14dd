"""The recenter–ReLU map at infinite width: its kernel, its enclosure, the width it is the limit
of, and bad input.
"""

from __future__ import annotations

import math
import time
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx, fmpq

from simulators import recenter_relu_chain, simulate
from simulators.engines.mean_field import (
    arc_cosine,
    arc_cosine_enclosure,
    recenter_relu_map,
    recenter_relu_map_enclosure,
)

RNG = np.random.default_rng(7)


def gram(n: int, rows: int = 9, copies: tuple[int, ...] = ()) -> np.ndarray:
    H = RNG.standard_normal((*copies, rows, n))
    return H.swapaxes(-1, -2) @ H


def exact(matrix: np.ndarray) -> list[list[Fraction]]:
    return [[Fraction(float(x)) for x in row] for row in matrix]


@pytest.mark.parametrize(
    "rho",
    [
        -1.0,
        math.nextafter(-1, 0),
        -1 + 1e-12,
        -1 + 1e-6,
        -0.9,
        -0.5 - 1e-12,
        -0.5,
        0.0,
        0.3,
        1 - 1e-6,
        math.nextafter(1, 0),
        1.0,
    ],
)
def test_the_kernel_keeps_its_relative_accuracy_up_to_both_ends(rho):
    with ctx.workprec(400):
        true = arc_cosine_enclosure(arb(fmpq(*rho.as_integer_ratio())))
        assert abs(float((true - float(arc_cosine(rho))).mid())) <= 4e-16 * float(true.mid())


def test_the_plain_formula_would_not_keep_it():
    rho = -1 + 1e-6
    plain = (math.sqrt(1 - rho * rho) + (math.pi - math.acos(rho)) * rho) / math.pi
    assert abs(plain / float(arc_cosine(rho)) - 1) > 1e-9


def test_the_kernel_takes_any_shape_and_refuses_what_is_no_cosine():
    assert arc_cosine(np.full((2, 3), -1.0)).shape == (2, 3)
    for bad in (1.0000001, math.nan):
        with pytest.raises(ValueError, match=r"want numbers in \[-1, 1\]"):
            arc_cosine(bad)


def test_the_enclosure_of_the_kernel_covers_a_ball_and_cuts_it_at_the_ends():
    with ctx.workprec(128):
        whole = arc_cosine_enclosure(arb(0, 2))
        assert whole.contains(0)
        assert whole.contains(1)
        assert whole < arb("1.001")
        assert whole > arb("-0.001")
        narrow = arc_cosine_enclosure(arb(0.5, 0.01))
        assert narrow.contains(arb(float(arc_cosine(0.495))))
        assert not narrow.contains(arb(float(arc_cosine(0.52))))
    with pytest.raises(ValueError, match="does not meet"):
        arc_cosine_enclosure(arb(2))


@pytest.mark.parametrize("n", [3, 5, 12])
def test_floats_lie_in_the_balls(n):
    matrix = gram(n)
    matrix = (matrix + matrix.T) / 2
    balls = recenter_relu_map_enclosure(exact(matrix))
    floats = recenter_relu_map(matrix)
    for i in range(n):
        for j in range(n):
            assert float(balls[i][j].rad()) < 1e-30
            assert abs(float(balls[i][j].mid()) - floats[i, j]) < 1e-13 * matrix.trace()


def test_it_is_the_limit_of_wide_layers():
    batch = RNG.standard_normal((6, 5)) + 1
    limit = recenter_relu_map(batch.T @ batch)
    wide = simulate(recenter_relu_chain(200_000), batch, depth=1, observables=("gram",), seed=3)[
        "gram"
    ][0, 1]
    assert np.allclose(wide / np.trace(wide), limit / np.trace(limit), atol=0.01)
    # and not of layers that do not recentre
    norms = np.linalg.norm(batch, axis=0)
    uncentred = np.outer(norms, norms) * arc_cosine(
        np.clip(batch.T @ batch / np.outer(norms, norms), -1, 1)
    )
    assert not np.allclose(wide / np.trace(wide), uncentred / np.trace(uncentred), atol=0.02)


def test_trace_symmetry_scale_and_shift():
    matrix = gram(8)
    layer = recenter_relu_map(matrix)
    assert (layer == layer.T).all()
    assert np.trace(layer) == pytest.approx(np.trace(matrix), rel=1e-14)
    for scale in (1e-200, 1e200):
        assert np.allclose(recenter_relu_map(scale * matrix), scale * layer, rtol=1e-12, atol=0)
    moved = recenter_relu_map(
        matrix + 5
    )  # the same batch, moved: another trace, the same layer up to scale
    assert np.allclose(moved / np.trace(moved), layer / np.trace(layer), rtol=1e-10)


def test_batches_are_mapped_one_by_one():
    stack = gram(4, copies=(2, 3))
    mapped = recenter_relu_map(stack)
    assert mapped.shape == (2, 3, 4, 4)
    assert np.array_equal(mapped[1, 2], recenter_relu_map(stack[1, 2]))


def test_two_exact_blocks_stay_apart():
    matrix = np.diag([0.0] * 4) + 1.0
    matrix[-1] = matrix[:, -1] = 0.0
    matrix[-1, -1] = 9.0
    layer = recenter_relu_map(matrix)
    assert (layer[-1, :-1] < 1e-20).all()  # a cosine of -1 up to rounding
    assert layer[-1, -1] == pytest.approx(9 * layer[0, 0])
    balls = recenter_relu_map_enclosure([[int(x) for x in row] for row in matrix])
    assert balls[0][3].contains(0)
    assert float(balls[0][3].rad()) < 1e-30


def asymmetric() -> np.ndarray:
    matrix = gram(4)
    matrix[0, 1] += 1e-6
    return matrix


def centred_column() -> np.ndarray:
    H = RNG.standard_normal((5, 4))
    H[:, 3] = H[:, :3].mean(axis=1)
    return H.T @ H


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        (gram(2), ValueError, "n ≥ 3"),
        (np.ones((3, 4)), ValueError, "n ≥ 3"),
        (np.ones(3), ValueError, "n ≥ 3"),
        (np.full((3, 3), "x"), TypeError, "real numbers"),
        (np.full((3, 3), math.nan), ValueError, "NaN"),
        (np.full((3, 3), math.inf), ValueError, "finite"),
        (asymmetric(), ValueError, "asymmetric"),
        (np.eye(4) - 0.5, ValueError, "indefinite"),
        (np.zeros((3, 3)), ValueError, "not zero"),
        (np.ones((3, 3)), ValueError, "column 0 .* to rounding, .* zero column"),
        (centred_column(), ValueError, "column 3 .* zero column"),
    ],
)
def test_bad_input_is_refused_by_name(bad, error, words):
    with pytest.raises(error, match=f"gram.*{words}"):
        recenter_relu_map(bad)


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        ([[1, 0], [0, 1]], ValueError, "n ≥ 3"),
        ([[1, 0, 0], [0, 1], [0, 0, 1]], ValueError, "n × n"),
        ([[1, 0, 0], [0, 1, 0.5], [0, 0.5, 1]], TypeError, "0.5 of type float"),
        ([[1, 0, 1], [0, 1, 0], [0, 0, 1]], ValueError, "asymmetric at"),
        ([[1, 1, 1]] * 3, ValueError, "column 0 .* zero column"),
    ],
)
def test_bad_input_of_the_enclosure_is_refused_by_name(bad, error, words):
    with pytest.raises(error, match=words):
        recenter_relu_map_enclosure(bad)


def test_balls_that_leave_open_whether_a_column_is_the_mean_are_refused():
    identity = [[arb(i == j) for j in range(3)] for i in range(3)]
    assert recenter_relu_map_enclosure(identity)[0][0] > 0
    identity[0][0] = arb(1, 3)  # about 1, so that the middle would let it pass
    with pytest.raises(ValueError, match="column 0 of the batch may equal the mean"):
        recenter_relu_map_enclosure(identity)


def test_a_column_is_the_mean_to_rounding_up_to_sixteen_roundings_of_the_largest_square():
    def apart(square):
        """The mean of the batch is 0, exactly."""
        return np.kron(np.diag([1, square]), [[1, -1], [-1, 1]])

    most = 16 * np.finfo(float).eps
    assert np.isfinite(recenter_relu_map(apart(math.nextafter(most, 1)))).all()
    with pytest.raises(ValueError, match=r"column 2 .* to rounding"):
        recenter_relu_map(apart(most))


def test_what_is_off_by_more_than_rounding_is_refused_whatever_its_direction():
    """By n roundings of the largest square in symmetry, by n² in an eigenvalue."""
    eps = np.finfo(float).eps

    def last_two(low, high):
        matrix = np.eye(3)
        matrix[1, 2], matrix[2, 1] = low, high
        return matrix

    recenter_relu_map(last_two(0.5, 0.5 + 3 * eps))
    with pytest.raises(ValueError, match="asymmetric"):
        recenter_relu_map(last_two(0.5, 0.5 + 4 * eps))
    for cosine in (1 + 12 * eps, -1 - 12 * eps):
        with pytest.raises(ValueError, match="indefinite"):
            recenter_relu_map(last_two(cosine, cosine))


def test_rounding_is_no_reason_to_refuse():
    H = RNG.standard_normal((3, 50))  # rank 3: eigenvalues of some -1e-15
    assert np.isfinite(recenter_relu_map(H.T @ H)).all()
    close = np.ones((4, 1)) + 1e-6 * RNG.standard_normal((4, 5))
    assert np.isfinite(recenter_relu_map(close.T @ close)).all()


def test_a_layer_of_a_thousand_samples_costs_a_tenth_of_a_second():
    matrix = gram(1000, 1200)
    times = []
    for _ in range(3):
        began = time.thread_time()
        recenter_relu_map(matrix)
        times.append(time.thread_time() - began)
    assert min(times) < 0.4  # 0.07 s on an idle core; the factor is for a slow or busy one
