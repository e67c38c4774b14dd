"""The infinite-width map: closed forms, a second rigorous method, balls and paths that stay
narrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import islice, pairwise, product
from typing import Any

import numpy as np
import pytest
from flint import acb, arb, ctx, fmpq
from hypothesis import given, settings

from simulators import strategies
from simulators.batches import dominant_spectrum, two_level_spectrum
from simulators.engines.mean_field import (
    rescale,
    rescale_map,
    rescale_map_enclosure,
    rescale_path_enclosure,
)

BOUNDED = settings(max_examples=40, derandomize=True, deadline=None)
TINY = Fraction(1, 10**300)


def ball(value: Fraction) -> arb:
    return arb(value.numerator) / value.denominator


def relative_radius(enclosure: arb) -> float:
    return float((enclosure.rad() / enclosure.mid()).upper())


def assert_sound(
    enclosures: Iterable[arb], references: Iterable[arb], precision: int = 128
) -> None:
    """Each ball meets its reference, itself a narrow ball, and is no wider than the precision
    asked for.
    """
    with ctx.workprec(precision + 64):
        for enclosure, reference in zip(enclosures, references, strict=True):
            assert relative_radius(reference) < 2.0 ** (4 - precision)
            assert enclosure.overlaps(reference)
            assert relative_radius(enclosure) < 2.0**-precision


def integrated(eigenvalues: Sequence[Fraction], precision: int = 128) -> list[arb]:
    """p by Arb's adaptive integration in v, t = (1 − v²)/(2v²): another integrand, another method."""
    with ctx.workprec(precision + 32):
        values = [ball(value / max(eigenvalues)) for value in eigenvalues]

    def integrand(i: int) -> Callable[[acb, bool], acb]:
        def at(v: acb, analytic: bool) -> acb:
            factors = [v * v + (1 - v * v) * value for value in values]
            product = acb(1)
            for factor in factors:
                product *= factor.sqrt(analytic=analytic)
            return values[i] * v ** (len(values) - 1) / (factors[i] * product)

        return at

    with ctx.workprec(precision + 32):
        goal = arb(2) ** -precision
        return [
            acb.integral(
                integrand(i), 0, 1, rel_tol=goal, abs_tol=goal * value / (4 * len(values))
            ).real
            for i, value in enumerate(values)
        ]


CLOSED_FORMS: dict[str, tuple[tuple[Fraction, ...], Callable[[], list[arb]]]] = {
    # p_i = √λ_i/(√λ_1 + √λ_2), from E[1/(1 + c·tan²)] over a uniform angle
    "two": ((Fraction(9, 10), Fraction(1, 10)), lambda: [arb(3) / 4, arb(1) / 4]),
    "two, irrational": (
        (Fraction(2), Fraction(1)),
        lambda: [1 / (1 + (1 / arb(2)).sqrt()), 1 / (1 + arb(2).sqrt())],
    ),
    "two, far apart": (
        (Fraction(1), TINY),
        lambda: [1 / (1 + ball(TINY).sqrt()), 1 / (1 + ball(1 / TINY).sqrt())],
    ),
    # u = w_1²/‖w‖² has density 1/(2√u) on the sphere in R³, so p_1 = ∫ √u/(1 + u) du
    "three": (
        (Fraction(2), Fraction(1), Fraction(1)),
        lambda: [2 - arb.pi() / 2, *[arb.pi() / 4 - arb(1) / 2] * 2],
    ),
    "uniform": ((Fraction(3),) * 5, lambda: [arb(1) / 5] * 5),
    "one": ((Fraction(7, 3),), lambda: [arb(1)]),
    "zeros": ((Fraction(9), Fraction(1), Fraction(0)), lambda: [arb(3) / 4, arb(1) / 4]),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
@pytest.mark.parametrize("precision", [16, 53, 128, 400])
def test_closed_forms(name: str, precision: int) -> None:
    spectrum, closed_form = CLOSED_FORMS[name]
    enclosures = rescale_map_enclosure(spectrum, precision=precision)
    with ctx.workprec(precision + 64):
        expected = closed_form()
    assert_sound(enclosures[: len(expected)], expected, precision)
    assert all(enclosure == 0 for enclosure in enclosures[len(expected) :])
    floats = rescale_map([float(value) for value in spectrum])
    np.testing.assert_allclose(floats[: len(expected)], [float(p) for p in expected], rtol=1e-15)
    assert not floats[len(expected) :].any()


@pytest.mark.parametrize(
    "spectrum",
    [
        two_level_spectrum(3, Fraction(1, 30)),
        dominant_spectrum(5, Fraction(1, 50)),
        tuple(Fraction(k) for k in (1, 2, 3, 4)),
        (Fraction(1), Fraction(1, 10**6), Fraction(1, 10**12)),
    ],
    ids=["one small", "dominant", "distinct", "spread"],
)
def test_agrees_with_adaptive_integration(spectrum: tuple[Fraction, ...]) -> None:
    assert_sound(rescale_map_enclosure(spectrum), integrated(spectrum))


@BOUNDED
@given(strategies.spectra(1, 6))
def test_every_spectrum(spectrum: tuple[Fraction, ...]) -> None:
    """Balls sum to 1, are narrow, contain the finer ones, and the floats are as accurate as they
    claim.
    """
    enclosures = rescale_map_enclosure(spectrum, precision=100)
    fine = rescale_map_enclosure(spectrum, precision=140)
    floats = rescale_map([float(value) for value in spectrum])
    with ctx.workprec(220):
        assert sum(enclosures, arb(0)).contains(1)
        for value, enclosure, finer, number in zip(spectrum, enclosures, fine, floats, strict=True):
            if value == 0:
                assert enclosure == 0
                assert number == 0
                continue
            assert relative_radius(enclosure) < 2.0**-100
            assert enclosure.contains(finer)
            assert abs(arb(float(number)) - finer) <= finer * (len(spectrum) + 20) * arb(3e-16)
    np.testing.assert_allclose(floats.sum(), 1, rtol=1e-15)


@BOUNDED
@given(strategies.spectra(2, 5, allow_zero=False))
def test_the_map_draws_eigenvalues_together(spectrum: tuple[Fraction, ...]) -> None:
    """The order is kept; unless all are equal, the smallest rises and the largest falls.

    Strictly so once the ratios are within reach of the precision: 1 − 1e-150 is not told from 1.
    """
    p = rescale_map_enclosure(spectrum)
    with ctx.workprec(192):
        for (left, right), (a, b) in zip(pairwise(p), pairwise(spectrum), strict=True):
            assert not left < right
            assert left > right or a == b or b < spectrum[0] / 10**30
        if spectrum[0] != spectrum[-1]:
            assert p[-1] > ball(spectrum[-1])
            assert not p[0] > ball(spectrum[0])
            assert p[0] < ball(spectrum[0]) or spectrum[-1] < spectrum[0] / 10**30


def test_multiplicities_are_a_shorthand() -> None:
    spectrum = (Fraction(3), Fraction(1), Fraction(3), Fraction(1), Fraction(1))
    grouped = rescale_map_enclosure([3, 1], [2, 3])
    assert_sound(rescale_map_enclosure(spectrum), [grouped[place] for place in (0, 1, 0, 1, 1)])
    assert rescale_map_enclosure([2, 0], [4, 9]) == [arb(1) / 4, 0]
    assert_sound(rescale_map_enclosure([fmpq(3), arb(1)], [2, 3]), grouped)


@pytest.mark.parametrize("n", [32, 64])
def test_large_two_level_spectra(n: int) -> None:
    small = Fraction(81, 100 * n)
    p = rescale_map_enclosure([(1 - small) / (n - 1), small], [n - 1, 1])
    with ctx.workprec(200):
        assert ((n - 1) * p[0] + p[1]).contains(1)
    assert max(map(relative_radius, p)) < 1e-38
    np.testing.assert_allclose(
        rescale_map(two_level_spectrum(n, float(small)))[-1], float(p[1]), rtol=1e-14
    )


def test_a_wrong_formula_is_caught() -> None:
    """The comparisons above refuse a neighbour 1e-30 away, and the exponents that a slip would
    give.
    """
    spectrum = (Fraction(2), Fraction(1), Fraction(1))
    right = CLOSED_FORMS["three"][1]()
    with ctx.workprec(192):
        nearby = [p * (1 + arb(10) ** -30) for p in CLOSED_FORMS["three"][1]()]
    with pytest.raises(AssertionError):
        assert_sound(rescale_map_enclosure(spectrum), nearby)
    with pytest.raises(AssertionError):
        assert_sound(rescale_map_enclosure(spectrum), [ball(value / 4) for value in spectrum])
    with pytest.raises(AssertionError):  # a vacuous ball contains the truth and must not pass
        assert_sound([arb(0.5, 0.5)] * 3, right)


SPECTRA_TO_ONE = [([fmpq(1, 2)], [2]), ([fmpq(1, 5)], [5]), ([fmpq(1, 3), fmpq(1, 6)], [1, 4])]


@pytest.mark.parametrize(("exact", "counts"), SPECTRA_TO_ONE)
@pytest.mark.parametrize("t", [0.01, 1.0, 1e30])
def test_what_lies_past_the_last_node_is_bounded_by_the_formula(
    exact: list[fmpq], counts: list[int], t: float
) -> None:
    z = [2 * float(value) * t for value in exact]
    falloff = sum(m * x / (1 + x) for m, x in zip(counts, z, strict=True)) / 2
    product = math.prod((1 + x) ** (-m / 2) for m, x in zip(counts, z, strict=True))
    bound = rescale.tail_bound([arb(value) for value in exact], counts, arb(t))
    assert float(bound) == pytest.approx(product / (2 * falloff), rel=1e-9)


@pytest.mark.parametrize("goal", [4.0, 10.0, 60.0])
@pytest.mark.parametrize(
    ("slopes", "counts"),
    [([2.0], [1]), ([0.5, 1.5], [1, 1]), ([2.0**-40, 1.0], [3, 2]), ([1 / 64, 1.0], [64, 1])],
)
def test_nodes_near_0_taken_together_add_up_to_what_they_do_one_by_one(
    slopes: list[float], counts: list[int], goal: float
) -> None:
    """Within what is left out of the series, which is not nothing."""
    with ctx.workprec(256):
        first, ratio = arb(-goal).exp(), arb("0.07").exp()
        nodes = int((goal - math.log(rescale._NEAR * (2 + sum(counts)))) / 0.07)
        balls = [arb(slope) for slope in slopes]
        found = rescale._near_zero(balls, counts, first, ratio, nodes, goal)
        wanted, t = [arb(0)] * len(balls), first
        for _ in range(nodes):
            factors = [1 + slope * t for slope in balls]
            weight = t
            for factor, count in zip(factors, counts, strict=True):
                weight /= (factor**count).sqrt()
            wanted = [w + weight / factor for w, factor in zip(wanted, factors, strict=True)]
            t *= ratio
        assert (nodes < 1) == all(sum_ == 0 for sum_ in wanted)
        for one, other in zip(found, wanted, strict=True):
            assert one.overlaps(other)
            if nodes > 0:
                left_out = not arb(one.mid()).overlaps(other)
                assert left_out or goal > 20, "so few terms leave something out"
                assert relative_radius(one) < 10 * math.exp(-goal)


@pytest.mark.parametrize("step", [1 / 16, 3 / 16, 2.0])
def test_the_error_of_the_step_is_bounded_by_the_formula(step: float) -> None:
    bound = 2 / (math.cos(1.5) * math.expm1(3 * math.pi / step))
    assert float(rescale.step_error(arb(step))) == pytest.approx(bound, rel=1e-9)


@pytest.mark.parametrize(("exact", "counts"), SPECTRA_TO_ONE)
@pytest.mark.parametrize("goal", [50.0, 2000.0])
def test_step_and_last_node_leave_out_what_they_may_and_hardly_less(
    exact: list[fmpq], counts: list[int], goal: float
) -> None:
    values = [arb(value) for value in exact]
    step, last = rescale.node_grid(values, counts, goal)
    for left_out in (rescale.step_error(step), rescale.tail_bound(values, counts, arb(last).exp())):
        assert -goal - 5 < float(left_out.log()) < -goal


@pytest.mark.parametrize(
    "row", [[1.0, 1.0], [1.0, 1e-300], [1.0, 0.25, 0.5, 1e-3, 1.0], [1.0, 0.0, 0.5]]
)
def test_float_sums_end_where_the_terms_are_below_rounding(row: list[float]) -> None:
    positive = [value for value in row if value]
    first, last = rescale.float_ends(
        np.array([sum(row)]), np.array([min(positive)]), np.array([len(positive)])
    )
    assert -45 - rescale.FLOAT_STEP < first[0] + math.log(sum(row)) <= -45
    assert len(positive) / 2 * (last[0] + math.log(min(positive))) == pytest.approx(45)
    assert (first[0] / rescale.FLOAT_STEP).is_integer()
    assert rescale.step_error(arb(rescale.FLOAT_STEP)) < arb("1e-20")
    assert (16 * rescale.FLOAT_STEP).is_integer()  # multiples of it up to hundreds are exact


def test_float_map_is_vectorised_and_scale_free() -> None:
    rng = np.random.default_rng(0)
    stack = rng.random((3, 4, 5))
    stack[0, 0] = [1, 1e-300, 1e-10, 0, 0]
    mapped = rescale_map(stack)
    assert mapped.shape == stack.shape
    for index in np.ndindex(3, 4):
        np.testing.assert_allclose(mapped[index], rescale_map(stack[index]), rtol=4e-15)
    np.testing.assert_allclose(rescale_map(stack[1:] * 1e300), mapped[1:], rtol=4e-15)
    np.testing.assert_allclose(rescale_map(stack[1:] * 1e-300), mapped[1:], rtol=4e-15)
    np.testing.assert_allclose(rescale_map([3, 3, 6]), rescale_map([1.0, 1.0, 2.0]), rtol=1e-15)
    assert rescale_map(np.empty((0, 3))).shape == (0, 3)


def test_float_map_works_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    spectra = np.random.default_rng(1).random((7, 3))
    whole = rescale_map(spectra)
    monkeypatch.setattr("simulators.engines.mean_field.rescale._CHUNK_ENTRIES", 1)
    np.testing.assert_array_equal(rescale_map(spectra), whole)


@pytest.mark.parametrize("n", [2, 1000])
@pytest.mark.parametrize("smallest", [5e-324, 1e-300, 1e-8])
def test_float_map_at_extreme_sizes(n: int, smallest: float) -> None:
    floats = rescale_map([1.0] * (n - 1) + [smallest])
    p = rescale_map_enclosure([1, Fraction(smallest)], [n - 1, 1])
    bound = (n + 20) * 3e-16
    np.testing.assert_allclose(floats[[0, -1]], [float(p[0]), float(p[1])], rtol=bound, atol=5e-324)
    np.testing.assert_allclose(floats.sum(), 1, rtol=bound)


@pytest.mark.parametrize("n", [16, 32, 64])
def test_two_group_paths_stay_narrow(n: int) -> None:
    start = two_level_spectrum(n, Fraction(81, 100 * n))
    path = list(rescale_path_enclosure([start[0], start[-1]], [n - 1, 1], depth=200))
    assert len(path) == 201
    with ctx.workprec(400):
        assert path[0][1].contains(fmpq(81, 100 * n))
    assert max(relative_radius(p) for layer in path for p in layer) < 1e-36
    smallest = [layer[1] for layer in path]
    assert all(after > before for before, after in pairwise(smallest))
    floats = np.array([float(value) for value in start])
    for layer in path[1:]:
        floats = rescale_map(floats)
        np.testing.assert_allclose(floats[[0, -1]], [float(p) for p in layer], rtol=1e-12)


def test_wide_balls_contain_the_images_of_their_points() -> None:
    """Inclusion of the map and of the path, and balls no wider than the derivative bound says."""
    exact = [Fraction(6), Fraction(2), Fraction(1)]
    wide = [arb(6, 0.006), arb(2, 0.002), arb(1, 0.001)]
    assert all(relative_radius(p) < 4 * 1.1e-3 for p in rescale_map_enclosure(wide))
    for signs in np.ndindex(3, 3, 3):
        point = [
            value * (1 + Fraction(sign - 1, 1000)) for value, sign in zip(exact, signs, strict=True)
        ]
        paths = zip(
            rescale_path_enclosure(wide, None, 4),
            rescale_path_enclosure(point, None, 4),
            strict=True,
        )
        for outer, inner in paths:
            assert all(a.contains(b) for a, b in zip(outer, inner, strict=True))


@pytest.mark.parametrize("large", [1, 9, 1000])
def test_wide_balls_of_many_equal_eigenvalues_contain_the_images_of_their_corners(
    large: int,
) -> None:
    """A row then holds its share of the trace, which moves the more the smaller it has become."""
    counts = [10**6, 10**6]
    outer = rescale_map_enclosure([arb(large, large / 2), arb(1, 0.5)], counts)
    for first, other in product((Fraction(1, 2), Fraction(3, 2)), repeat=2):
        if (large * first) != other:
            inner = rescale_map_enclosure([large * first, other], counts)
            assert all(a.contains(b) for a, b in zip(outer, inner, strict=True))


def test_balls_do_move() -> None:
    """A ball for [λ] must not be the image of its midpoint: this path's corner leaves that one."""
    middle = rescale_map_enclosure([6, 2, 1])
    corner = rescale_map_enclosure([Fraction(6006, 1000), 2, 1])
    assert not middle[0].overlaps(corner[0])


def test_a_path_whose_balls_have_grown_to_zero_stops() -> None:
    """Taking such an eigenvalue for zero would be unsound."""
    path = rescale_path_enclosure([arb(3, 2), arb(2, 1), arb(1, 0.5)], None, 60)
    with pytest.raises(ValueError, match="not certainly positive"):
        list(path)


def test_path_takes_zero_layers_and_is_lazy() -> None:
    (only,) = rescale_path_enclosure([3, 1], None, 0)
    assert [float(value) for value in only] == [0.75, 0.25]
    assert len(list(islice(rescale_path_enclosure([3, 1], None, 10**9), 2))) == 2


def test_flint_precision_is_left_alone() -> None:
    with ctx.workprec(77):
        rescale_map_enclosure([2, 1], precision=200)
        assert ctx.prec == 77
        for _ in rescale_path_enclosure([2, 1], None, 2, precision=200):
            assert ctx.prec == 77  # also while the path is suspended
        for bad in ([2, -1], [0, 0], [arb(1, 2)], [0.5]):
            with pytest.raises((TypeError, ValueError)):
                rescale_map_enclosure(bad, precision=200)
            assert ctx.prec == 77


@pytest.mark.parametrize(
    ("eigenvalues", "error", "message"),
    [
        ([], ValueError, "shape"),
        (3.0, ValueError, "shape"),
        ([0.0, 0.0], ValueError, "row 0 are all zero"),
        ([[1.0, 0.0], [0.0, 0.0]], ValueError, "row 1 are all zero"),
        ([1.0, -1e-9], ValueError, "nonnegative"),
        ([1.0, math.nan], ValueError, "finite"),
        ([1.0, math.inf], ValueError, "finite"),
        ([1.0, 1j], TypeError, "complex"),
        ([Fraction(1)], TypeError, "object"),
        (["1"], TypeError, "U1"),
        ([True], TypeError, "bool"),
    ],
)
def test_float_map_refuses(eigenvalues: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        rescale_map(eigenvalues)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (([],), {}, ValueError, "empty"),
        (([0, 0],), {}, ValueError, "all zero"),
        (([1, -1],), {}, ValueError, "negative"),
        (([arb(1, 1)],), {}, ValueError, "not certainly positive"),
        (([arb("nan")],), {}, ValueError, "not certainly positive"),
        (([arb("inf")],), {}, ValueError, "not certainly positive"),
        (([0.5, 0.5],), {}, TypeError, "Fraction"),
        ((["1"],), {}, TypeError, "str"),
        (([1, 2], [1]), {}, ValueError, "multiplicities"),
        (([1, 2], [1, 0]), {}, ValueError, "multiplicities"),
        (([1, 2], [1, 1.0]), {}, ValueError, "multiplicities"),
        (([1, 2],), {"precision": 1}, ValueError, "precision=1"),
    ],
)
def test_enclosures_refuse(
    arguments: tuple[Any, ...], options: dict[str, int], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        rescale_map_enclosure(*arguments, **options)
    with pytest.raises(error, match=message):
        rescale_path_enclosure(*arguments, *[None][: 2 - len(arguments)], depth=1, **options)


def test_path_refuses_a_negative_depth() -> None:
    with pytest.raises(ValueError, match="depth=-1"):
        rescale_path_enclosure([1], None, -1)
