"""Linear regions against enumeration by force, and what every subdivision must satisfy exactly."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import comb

import numpy as np
import pytest
from flint import fmpq
from numpy.typing import NDArray

from simulators.splines import Partition, linear_regions
from simulators.splines.lines import Lines
from simulators.splines.mesh import OUTSIDE
from simulators.splines.network import Network
from simulators.splines.operations import Activation, Affine, Operation, Scaling, Sum
from simulators.splines.rationals import rationals
from simulators.splines.slices import Slice, coordinate_slice
from tests.simulators.regions_by_force import Weights, area, by_force

SQUARE = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
PENTAGON = [(0.0, -2.0), (1.5, -0.5), (1.0, 1.0), (-0.75, 1.25), (-2.0, 0.0)]
SLOPES = {"relu": 0.0, "leaky": 0.1, "absolute": -1.0}


def network_of(layers: Sequence[Weights], slope: float) -> Network:
    operations: list[Operation] = []
    for weights, offset in layers:
        operations.append(Affine(len(operations), weights, offset))
        operations.append(Activation(len(operations), slope))
    return Network(layers[0][0].shape[1], tuple(operations))


def regions_of(
    layers: Sequence[Weights],
    slope: float = 0.0,
    polygon: Sequence[tuple[float, float]] = SQUARE,
    plane: Slice | None = None,
) -> Partition:
    network = network_of(layers, slope)
    return linear_regions(network, plane or coordinate_slice(network.inputs), np.array(polygon))


def random_layers(sizes: Sequence[int], seed: int, *, whole: bool = False) -> list[Weights]:
    """Normal weights; or small whole numbers and halves, whose boundaries often coincide."""
    rng = np.random.default_rng(seed)
    if whole:
        return [
            (rng.integers(-2, 3, (m, n)) * 1.0, rng.integers(-1, 2, m) / 2)
            for n, m in pairwise(sizes)
        ]
    return [(rng.standard_normal((m, n)), 0.3 * rng.standard_normal(m)) for n, m in pairwise(sizes)]


def fraction(x: fmpq) -> Fraction:
    return Fraction(int(x.p), int(x.q))


def by_pattern(found: Partition) -> dict[tuple[int, ...], Fraction]:
    patterns = [tuple(row) for row in found.patterns().tolist()]
    assert len({*patterns}) == found.regions
    areas = map(fraction, found.exact_areas())
    return dict(zip(patterns, areas, strict=True))


@pytest.mark.parametrize("whole", [False, True], ids=["normal", "coinciding"])
@pytest.mark.parametrize("sizes", [(2, 4, 3), (2, 3, 2, 2)], ids=str)
@pytest.mark.parametrize("slope", SLOPES.values(), ids=SLOPES.keys())
@pytest.mark.parametrize("polygon", [SQUARE, PENTAGON], ids=["square", "pentagon"])
def test_patterns_and_areas_are_those_found_by_force(
    polygon: list[tuple[float, float]], slope: float, sizes: tuple[int, ...], whole: bool
) -> None:
    for seed in range(3):
        layers = random_layers(sizes, seed, whole=whole)
        found = regions_of(layers, slope, polygon)
        assert by_pattern(found) == by_force(layers, slope, polygon)


HALF = np.array([0.5])
ROW = np.array([[1.0, 0.0]])
DEGENERATE = {
    "zero row": [(np.array([[0.0, 0.0], [1.0, 1.0]]), np.zeros(2))],
    "zero row, not zero": [(np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([-1.0, 0.0]))],
    "twice the same": [(np.array([[1.0, 0.5]] * 2), np.array([0.25, 0.25]))],
    "a multiple": [(np.array([[1.0, 0.1], [-3.0, -0.30000000000000004]]), np.array([0.1, -0.3]))],
    "through a corner": [(np.array([[1.0, 1.0], [1.0, -1.0]]), np.array([0.0, 0.0]))],
    "along a side": [(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1.0, -1.0]))],
    "touches a corner": [(np.array([[1.0, 1.0]]), np.array([2.0]))],
    "concurrent": [(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, -3.0]]), np.zeros(4))],
    "through a crossing by a hair": [
        (np.array([[0.1, 0.3], [0.7, -0.2], [0.8, 0.1]]), np.array([0.0, 0.0, 2.0**-60]))
    ],
    "a plateau": [(ROW, -HALF), (np.array([[1.0], [-1.0]]), np.zeros(2))],
    "deeper, along an older one": [(ROW, HALF), (np.array([[1.0], [2.0]]), np.array([0.0, -1.0]))],
    "nothing crosses": [(np.array([[1.0, 1.0]]), np.array([9.0]))],
}


@pytest.mark.parametrize("layers", DEGENERATE.values(), ids=DEGENERATE.keys())
@pytest.mark.parametrize("slope", SLOPES.values(), ids=SLOPES.keys())
def test_degenerate_networks_are_decided(layers: list[Weights], slope: float) -> None:
    found = regions_of(layers, slope)
    assert by_pattern(found) == by_force(layers, slope, SQUARE)
    assert found.mesh.euler == 2


@pytest.mark.parametrize("whole", [False, True], ids=["normal", "coinciding"])
@pytest.mark.parametrize(
    ("scale", "slope", "half"),
    [
        (1e-90, 0.1, 1.0),
        (1e-90, 0.0, 1e90),
        (1e90, -1.0, 1.0),
        (1e90, 0.1, 1e-90),
        (1.0, 1e-300, 1.0),
        (1.0, -1e300, 1.0),
    ],
)
def test_what_is_beyond_floats_is_decided(
    scale: float, slope: float, half: float, whole: bool
) -> None:
    """Without offsets behind the first layer, so that products of weights underflow or overflow."""
    square = [(half * u, half * v) for u, v in SQUARE]
    for seed in range(3):
        layers = [
            (scale * weights, scale * offset * (k == 0))
            for k, (weights, offset) in enumerate(
                random_layers((2, 3, 3, 2, 2, 2), seed, whole=whole)
            )
        ]
        found = regions_of(layers, slope, square)
        assert by_pattern(found) == by_force(layers, slope, square)


def test_lines_of_other_sizes_meet_where_they_do() -> None:
    """Coefficients whose products underflow: floats that tell of a point tell within the bound."""
    rng = np.random.default_rng(0)
    sizes = 10.0 ** rng.choice([-158, -154, 0, 155], (24, 1))
    rows = [rationals(row) for row in sizes * rng.standard_normal((24, 3))]
    lines = Lines([(c, a, b) for c, a, b in rows], np.array([1.0, 1e-3, 1e5]))
    one, other = np.triu_indices(24, 1)
    points, bounds = lines.meetings(one, other)
    assert np.isfinite(bounds).all()
    for k in range(len(one)):
        exact = lines.exact_meeting(int(one[k]), int(other[k]))
        for axis in range(2):
            gap = abs(fraction(exact[axis]) - Fraction(float(points[k, axis])))
            assert gap <= Fraction(float(bounds[k, axis]))


@pytest.mark.parametrize("units", [1, 2, 5, 40])
def test_counts_of_lines(units: int) -> None:
    """m lines in general position leave 1 + m + C(m, 2) regions, through one point 2m."""
    rng = np.random.default_rng(units)
    weights = rng.standard_normal((units, 2))
    far = [(1e9 * u, 1e9 * v) for u, v in SQUARE]
    general = regions_of([(weights, rng.standard_normal(units))], polygon=far)
    assert general.regions == 1 + units + comb(units, 2)
    central = regions_of([(weights, np.zeros(units))], polygon=far)
    assert central.regions == 2 * units


SEVERAL = [
    (random_layers((2, 6, 5, 4), 1), 0.0),
    (random_layers((2, 6, 5, 4), 2), 0.1),
    (random_layers((2, 5, 5), 3), -1.0),
    (random_layers((2, 6, 5), 4, whole=True), 0.0),
]


@pytest.fixture(params=SEVERAL, ids=lambda each: f"slope {each[1]}")
def several(request: pytest.FixtureRequest) -> Partition:
    layers, slope = request.param
    return regions_of(layers, slope)


def test_areas_add_up_exactly(several: Partition) -> None:
    exact = several.exact_areas()
    assert min(exact) > 0
    assert sum(exact, fmpq(0)) == 4
    np.testing.assert_allclose(several.areas(), [float(fraction(x)) for x in exact], rtol=1e-9)


def test_vertices_are_where_floats_say_within_their_bounds(several: Partition) -> None:
    for vertex in range(several.mesh.vertices):
        exact = several.exact_vertex(vertex)
        for axis in range(2):
            gap = fraction(exact[axis]) - Fraction(float(several.points[vertex, axis]))
            assert abs(gap) <= Fraction(float(several.bounds[vertex, axis]))


def test_euler_and_every_face_is_a_cycle(several: Partition) -> None:
    mesh = several.mesh
    assert mesh.euler == 2
    order, starts = mesh.cycles()
    assert len(order) == np.count_nonzero(mesh.face != OUTSIDE)
    np.testing.assert_array_equal(
        np.repeat(np.arange(mesh.faces) + 1, np.diff(starts)), mesh.face[order]
    )
    np.testing.assert_array_equal(mesh.twin[mesh.twin], np.arange(len(mesh.twin)))
    np.testing.assert_array_equal(mesh.origin[mesh.after], mesh.origin[mesh.twin])


def test_the_network_is_affine_on_each_region(several: Partition) -> None:
    """Exactly: at the corners and the centroid of each."""
    for region in range(several.regions):
        rows = several.exact_output(region)
        corners = [several.exact_vertex(v) for v in several.corners(region)]
        centre = [sum((x[k] for x in corners), fmpq(0)) / len(corners) for k in range(2)]
        for u, v in [*corners, centre]:
            there = several.network.exactly(several.plane.exact_point(u, v))
            assert there == [c + a * u + b * v for c, a, b in rows]


def test_float_maps_are_within_their_errors(several: Partition) -> None:
    found = several.outputs
    assert found is not None
    for region in range(several.regions):
        for unit, row in enumerate(several.exact_output(region)):
            gaps = [
                fraction(x) - Fraction(float(y))
                for x, y in zip(row, found.values[unit, :, region], strict=True)
            ]
            worst = sum(map(abs, gaps), Fraction(0))  # at a corner of the square |u| = |v| = 1
            assert worst <= Fraction(float(found.errors[unit, region]))


def test_neighbours_differ_in_the_sign_of_one_unit() -> None:
    found = regions_of(random_layers((2, 6, 5, 4), 1))
    mesh, patterns = found.mesh, found.patterns()
    here, there = mesh.face, mesh.face[mesh.twin]
    inner = (here != OUTSIDE) & (there != OUTSIDE)
    differ = patterns[here[inner] - 1] != patterns[there[inner] - 1]
    assert set(differ.sum(axis=1).tolist()) == {1}
    lines = mesh.line[inner]
    unit = np.cumsum([0, *found.network.widths])[found.lines.layer[lines]] + found.lines.unit[lines]
    np.testing.assert_array_equal(differ.argmax(axis=1), unit)


def test_floats_alone_would_lose_a_sliver() -> None:
    """Three lines that miss one point by 2⁻⁶⁰ leave a triangle that float coordinates do not show."""
    layers: list[Weights] = DEGENERATE["through a crossing by a hair"]
    found = regions_of(layers)
    assert found.regions == 7
    assert found.exact_signs > 0
    assert 0 < fraction(min(found.exact_areas(), key=fraction)) < Fraction(1, 2**100)


def test_a_run_that_stops_keeps_what_it_found() -> None:
    layers = random_layers((2, 8, 8), 0)
    stopped = linear_regions(
        network_of(layers, 0.0), coordinate_slice(2), np.array(SQUARE), most=12
    )
    assert not stopped.complete
    assert stopped.outputs is None
    assert stopped.regions > 12
    assert stopped.mesh.euler == 2
    np.testing.assert_allclose(stopped.areas().sum(), 4.0)
    none = linear_regions(network_of(layers, 0.0), coordinate_slice(2), np.array(SQUARE), seconds=0)
    assert (none.regions, none.complete, none.reached) == (1, False, (0, 0))


BAD = {
    "two corners": np.zeros((2, 2)),
    "on a line": np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]),
    "not convex": np.array([[0.0, 0.0], [2.0, 0.0], [0.5, 0.5], [0.0, 2.0]]),
    "a star": np.array([[0.0, 3.0], [-2.0, -3.0], [3.0, 1.0], [-3.0, 1.0], [2.0, -3.0]]),
    "nan": np.array([[0.0, 0.0], [1.0, np.nan], [0.0, 1.0]]),
}


@pytest.mark.parametrize("polygon", BAD.values(), ids=BAD.keys())
def test_a_polygon_that_is_none_is_refused_in_a_line(polygon: NDArray[np.float64]) -> None:
    network = network_of(random_layers((2, 2), 0), 0.0)
    with pytest.raises(ValueError, match=r"^polygon") as refused:
        linear_regions(network, coordinate_slice(2), polygon)
    assert "\n" not in str(refused.value)


def test_a_clockwise_polygon_is_turned_round() -> None:
    layers = random_layers((2, 3), 0)
    assert by_pattern(regions_of(layers, polygon=SQUARE[::-1])) == by_pattern(regions_of(layers))


def test_force_sees_what_it_should() -> None:
    """The yardstick itself: one line halves the square, and a polygon has its area."""
    halves = by_force([(np.array([[1.0, 0.0]]), np.zeros(1))], 0.0, SQUARE)
    assert halves == {(1,): 2, (-1,): 2}
    assert area(
        [(Fraction(0), Fraction(0)), (Fraction(1), Fraction(0)), (Fraction(0), Fraction(1))]
    ) == Fraction(1, 2)


def residual(branch: float, slope: float) -> Network:
    """Two layers with a branch that is multiplied by a number before it is added."""
    rng = np.random.default_rng(7)
    first = Affine(0, rng.standard_normal((4, 2)), 0.3 * rng.standard_normal(4))
    within = Affine(2, rng.standard_normal((4, 4)), 0.3 * rng.standard_normal(4))
    scaling = Scaling(3, (fmpq(*branch.as_integer_ratio()),) * 4, (fmpq(0),) * 4)
    last = Affine(6, rng.standard_normal((3, 4)), 0.3 * rng.standard_normal(3))
    operations = (
        first,
        Activation(1, slope),
        within,
        scaling,
        Sum(2, 4),
        Activation(5, slope),
        last,
        Activation(7, slope),
    )
    return Network(2, operations)


@pytest.mark.parametrize("slope", SLOPES.values(), ids=SLOPES.keys())
def test_a_branch_that_adds_nothing_is_seen_without_rationals(slope: float) -> None:
    """A residual branch multiplied by 0, as networks begin: boundaries coincide with older ones."""
    plane, square = coordinate_slice(2), np.array(SQUARE)
    found = linear_regions(residual(0.0, slope), plane, square)
    assert found.exact_signs == 0
    operations = residual(0.0, slope).operations
    weights = [each for each in operations if isinstance(each, Affine)]
    layers = [(each.weights, each.offset) for each in (weights[0], weights[2])]
    if slope == 0:  # twice ReLU is ReLU
        plain = by_force(layers, slope, SQUARE)
        assert sorted(map(fraction, found.exact_areas())) == sorted(plain.values())
    assert sum(found.exact_areas(), fmpq(0)) == 4
    for region in range(found.regions):
        rows = found.exact_output(region)
        for vertex in found.corners(region):
            u, v = found.exact_vertex(vertex)
            there = found.network.exactly([u, v])
            assert there == [c + a * u + b * v for c, a, b in rows]
    assert linear_regions(residual(1.0, slope), plane, square).regions > found.regions
