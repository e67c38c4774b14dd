"""Maps of Gram matrices at infinite width: the widths that they are the limits of, what is known of
them otherwise, their enclosures, and chains that have none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from flint import arb

from simulators.chains import (
    CHAINS,
    Chain,
    batchnorm_chain,
    recenter_relu_chain,
    rescale_activation_chain,
    rescale_chain,
    residual_batchnorm_chain,
    residual_chain,
    vanilla_chain,
)
from simulators.engines.mean_field import (
    gram_map,
    gram_obstacle,
    kernel_map,
    recenter_relu_map,
    rescale_map,
)
from simulators.engines.mean_field.directions import (
    direction_moments,
    direction_moments_enclosure,
)
from simulators.layers import (
    Activation,
    Bias,
    GroupNorm,
    LayerNorm,
    Linear,
    Normalize,
    Recenter,
    Rescale,
    Residual,
    RMSNorm,
)
from simulators.simulate import simulate
from theorems.checking.confidence_intervals import clopper_pearson
from theorems.checking.confidence_sequence import BoundedMean

RNG = np.random.default_rng(11)
SHAPE = RNG.standard_normal((6, 4)) + 0.5
"""A batch of four samples, to be scaled by √d: K = HᵀH/d is then the same at every width."""
GRAM = SHAPE.T @ SHAPE
REPLICAS = 200
LEVEL = 1e-6
WIDTHS = (256, 1024, 4096)

MAPPED: dict[str, Callable[[int], Chain]] = {
    "rescale": rescale_chain,
    "residual": partial(residual_chain, gamma=0.5),
    "residual_batchnorm": partial(residual_batchnorm_chain, gamma=0.5),
    "recenter_relu": recenter_relu_chain,
    **{
        f"batchnorm({name})": partial(batchnorm_chain, activation=name)
        for name in ("relu", "identity")
    },
    **{
        f"vanilla({name})": partial(vanilla_chain, activation=name)
        for name in ("relu", "identity", "tanh", "sigmoid", "sin")
    },
    "layer norm first": lambda d: Chain((Linear(d), LayerNorm(), Activation("relu"))),
    "layer norm last": lambda d: Chain((Linear(d), Activation("relu"), LayerNorm())),
    "group norm": lambda d: Chain((Linear(d), GroupNorm(2), Activation("tanh"))),
    "rms norm": lambda d: Chain((Linear(d, std=0.5), Activation("sigmoid"), RMSNorm())),
    "both norms": lambda d: Chain((Linear(d), Activation("relu"), RMSNorm(), LayerNorm())),
    "wide weights": lambda d: Chain((Linear(d, std=1.5), Activation("sin"))),
    "offsets": lambda d: Chain((Linear(d, std=0.9), Bias(0.5), Activation("tanh"))),
    "offsets of activations": lambda d: Chain((Linear(d), Activation("relu"), Bias(0.7))),
    "offsets, rescaled": lambda d: Chain((Linear(d), Bias(1.0), Rescale("variance"))),
    "offsets, normalised": lambda d: Chain(
        (Bias(0.3), Linear(d), Activation("relu"), Bias(0.5), LayerNorm())
    ),
    "two linear layers": lambda d: Chain(
        (Linear(2 * d), Activation("tanh"), Linear(d), Activation("relu"))
    ),
    "normalised": lambda d: Chain(
        (Linear(d), Normalize(), Activation("sin"), Recenter(), Linear(d), Rescale("variance"))
    ),
}


def batch(width: int) -> np.ndarray:
    rows = np.zeros((width, SHAPE.shape[1]))
    rows[: len(SHAPE)] = math.sqrt(width) * SHAPE
    return rows


def falls(limits: list[np.ndarray], chain: Callable[[int], Chain], depth: int) -> list[float]:
    """For each pair of widths, a lower bound of the probability that the wider is nearer.

    It is at most 1/2 where both are equally far, as they are, nearly, from what is no limit.
    """
    distances = []
    for seed, (width, limit) in enumerate(zip(WIDTHS, limits, strict=True)):
        found = simulate(
            chain(width),
            batch(width),
            depth=depth,
            replicas=REPLICAS,
            seed=seed,
            observables=("gram",),
        )
        distances.append(np.linalg.norm(found["gram"][:, depth] - limit, axis=(1, 2)))
    nearer = (int((b < a).sum()) for a, b in pairwise(distances))
    return [clopper_pearson(count, REPLICAS, LEVEL)[0] for count in nearer]


@pytest.mark.parametrize("name", MAPPED)
def test_wide_chains_come_nearer_to_the_map_the_wider_they_are(name):
    chain, depth = MAPPED[name], 3
    limits = [
        simulate(
            chain(width), batch(width), depth=depth, engine="mean_field", observables=("gram",)
        )["gram"][0, depth]
        for width in WIDTHS
    ]
    assert min(falls(limits, chain, depth)) > 0.5


@pytest.mark.parametrize(
    ("chain", "other"),
    [("vanilla(relu)", "vanilla(identity)"), ("batchnorm(relu)", "batchnorm(identity)")],
)
def test_they_do_not_come_nearer_to_the_map_of_another_chain(chain, other):
    limits = [
        simulate(
            MAPPED[other](width), batch(width), depth=3, engine="mean_field", observables=("gram",)
        )["gram"][0, 3]
        for width in WIDTHS
    ]
    assert falls(limits, MAPPED[chain], 3)[-1] <= 0.5


def test_every_named_chain_is_mapped_or_refused_for_a_reason():
    for name, entry in CHAINS.items():
        for variant in entry.variants:
            chain = variant.example
            mapped = gram_obstacle(chain) is None
            assert mapped == (
                name in ("rescale", "residual", "residual_batchnorm", "recenter_relu", "vanilla")
                or (name == "batchnorm" and chain.layers[-1].homogeneous)
                or (name == "rescale_activation" and chain.linear)
            ), variant.name


# --- what is known otherwise ----------------------------------------------------------------------


def test_one_layer_has_the_mean_of_the_map_at_every_width():
    """The rows of one layer are independent and alike, so that E HᵀH/d is K⁺ exactly."""
    n, width = SHAPE.shape[1], 8
    limit = gram_map(batchnorm_chain(width))(GRAM)

    def second_moment(H):
        return (H[..., 0] * H[..., 1]).mean(axis=-1)

    values = simulate(
        batchnorm_chain(width),
        batch(width),
        depth=1,
        replicas=20_000,
        seed=5,
        observables={"moment": second_moment},
        engine="dense",
    )["moment"][:, 1]
    mean = BoundedMean(-n / 2, n / 2, LEVEL)
    mean.update(values)
    low, high = mean.interval
    assert low <= limit[0, 1] <= high
    assert high - low < 0.1


@pytest.mark.parametrize("n", [4, 8, 16])
def test_batchnorm_with_relu_has_the_symmetric_fixed_point(n):
    """κ_n = ½ − j/2π, theirs by Y19, is the difference of diagonal and other entries."""
    rho = -1 / (n - 1)
    j = math.sqrt(1 - rho * rho) + rho * (math.pi - math.acos(rho))
    layer = gram_map(batchnorm_chain(8))
    fixed = layer(np.eye(n))
    off = fixed[~np.eye(n, dtype=bool)]
    assert abs(np.diagonal(fixed) - 0.5).max() < 1e-14
    assert abs(0.5 - off - (0.5 - j / (2 * math.pi))).max() < 1e-14
    assert abs(off - float(kernel_map("relu")(rho)) / 2).max() < 1e-14
    assert abs(layer(fixed) - fixed).max() < 1e-14

    rows = RNG.standard_normal((2 * n, n))
    path = [rows.T @ rows]
    for _ in range(20):
        path.append(layer(path[-1]))
    distances = [np.linalg.norm(gram - fixed) for gram in path[5:]]
    assert all(after < before for before, after in pairwise(distances))


def test_maps_that_were_known_are_found_again():
    matrix = np.asarray(GRAM)
    relu = gram_map(recenter_relu_chain(8))(matrix)
    assert np.allclose(relu * matrix.trace() / 4, recenter_relu_map(matrix), atol=1e-13)
    values, vectors = np.linalg.eigh(matrix)
    rescaled = (vectors * rescale_map(values)) @ vectors.T
    assert np.allclose(gram_map(rescale_chain(8))(matrix) * 8, rescaled, atol=1e-14)
    assert np.allclose(gram_map(residual_chain(8, 0.5))(matrix) / 4, rescaled, atol=1e-14)
    assert (gram_map(vanilla_chain(8))(matrix) == matrix).all()
    same = gram_map(Chain((Linear(16), Linear(8))))(matrix)
    assert np.allclose(same, matrix, rtol=1e-15)


def test_the_mean_over_directions_is_that_of_the_quadrature_of_spectra():
    """For φ(x) = x + 0·|x|, whose kernel is not taken for linear, by the general integral."""
    bent = kernel_map("relu").__class__("nearly linear", 1.0, -1.0 + 1e-13)
    spectrum = np.array([5.0, 1.0, 0.2, 1e-6])
    basis, _ = np.linalg.qr(RNG.standard_normal((4, 4)))
    found = direction_moments((basis * spectrum) @ basis.T, bent)
    assert np.allclose(found, (basis * rescale_map(spectrum)) @ basis.T, atol=2e-13)


@pytest.mark.parametrize("kernel", ["relu", "identity"])
@pytest.mark.parametrize("scale", [2.0**-300, 2.0**-60, 2.0**300])
def test_the_mean_over_directions_is_the_same_for_every_multiple(kernel, scale):
    """What counts as zero among the eigenvalues is a share of the largest."""
    found, one = (direction_moments(s * GRAM, kernel_map(kernel)) for s in (scale, 1.0))
    assert np.allclose(found, one, rtol=0, atol=1e-14)


def test_one_layer_has_the_scale_of_its_weights():
    wide, plain = (gram_map(Chain((Linear(8, std=std), Activation("relu")))) for std in (1.5, 1.0))
    assert np.allclose(wide(GRAM), 2.25 * plain(GRAM), rtol=1e-14)


def test_offsets_add_their_variance_to_every_entry():
    bare, moved = (
        gram_map(Chain((Linear(8), *offsets, Activation("sin"))))(GRAM)
        for offsets in ((), (Bias(0.5),))
    )
    assert np.allclose(moved, kernel_map("sin").moments(GRAM + 0.25), rtol=1e-14)
    assert not np.allclose(moved, bare, rtol=1e-2)
    after = gram_map(Chain((Linear(8), Activation("sin"), Bias(0.5))))(GRAM)
    assert np.allclose(after, bare + 0.25, rtol=1e-14)
    none = gram_map(Chain((Linear(8), Bias(0), Activation("sin"))))(GRAM)
    assert (none == bare).all()


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_orthogonal_weights_have_the_map_of_gaussian_ones(activation):
    width, depth, replicas = 512, 3, 12
    chain = vanilla_chain(width, activation).with_law("orthogonal")
    limit = simulate(chain, batch(width), depth=depth, engine="mean_field", observables=("gram",))[
        "gram"
    ][0, depth]
    gaussian = simulate(
        vanilla_chain(width, activation),
        batch(width),
        depth=depth,
        engine="mean_field",
        observables=("gram",),
    )["gram"][0, depth]
    assert (limit == gaussian).all()
    found = simulate(
        chain, batch(width), depth=depth, replicas=replicas, seed=2, observables=("gram",)
    )["gram"][:, depth]
    spread = found.std(axis=0, ddof=1) / math.sqrt(replicas)
    assert (abs(found.mean(axis=0) - limit) <= 6 * spread + 2 / width).all()


def test_normalised_samples_have_mean_square_one():
    """Under LayerNorm their mean is 0 besides, which ReLU's is not."""
    rms, centred = (
        gram_map(Chain((Linear(8), Activation("relu"), norm)))(GRAM)
        for norm in (RMSNorm(), LayerNorm())
    )
    for found in (rms, centred):
        assert (np.diagonal(found) == 1).all()
    relu = kernel_map("relu").moments(GRAM)
    means = np.sqrt(np.diagonal(GRAM) / (2 * math.pi))
    scale = np.sqrt(np.diagonal(relu - np.outer(means, means)))
    expected = (relu - np.outer(means, means)) / np.outer(scale, scale)
    assert np.allclose(centred, expected, atol=1e-14)
    twice = gram_map(Chain((Linear(8), Activation("relu"), LayerNorm(), LayerNorm())))(GRAM)
    assert np.allclose(twice, centred, atol=1e-14)
    assert np.allclose(rms, relu / np.sqrt(np.outer(np.diagonal(relu), np.diagonal(relu))))


def test_a_batch_of_grams_is_mapped_one_by_one():
    grams = np.stack([GRAM, np.eye(4), 3 * GRAM])
    layer = gram_map(batchnorm_chain(8))
    together = layer(grams)
    assert together.shape == grams.shape
    for one, image in zip(grams, together, strict=True):
        assert (layer(one) == image).all()


# --- enclosures -----------------------------------------------------------------------------------

EXACT = [[Fraction(x) for x in row] for row in ((2, 1, -1), (1, 3, 0), (-1, 0, 1))]


@pytest.mark.parametrize("name", MAPPED)
def test_floats_lie_in_narrow_balls(name):
    layer = gram_map(MAPPED[name](8))
    floats = layer(np.array(EXACT, dtype=float))
    balls = layer.enclosure(EXACT, precision=80)
    for i in range(3):
        for j in range(3):
            assert float(balls[i][j].rad()) < 1e-10
            assert abs(float((balls[i][j] - float(floats[i, j])).abs_lower())) < 1e-13


def test_balls_are_as_narrow_as_asked_for():
    for name in ("rescale", "recenter_relu", "batchnorm(relu)", "vanilla(relu)", "vanilla(sin)"):
        for precision in (40, 80):
            balls = gram_map(MAPPED[name](8)).enclosure(EXACT, precision=precision)
            assert max(float(x.rad()) for row in balls for x in row) < 2.0 ** (8 - precision)


@pytest.mark.parametrize("name", MAPPED)
def test_a_ball_of_grams_covers_the_image_of_every_one(name):
    layer = gram_map(MAPPED[name](8))
    wide = [[arb(float(x), 1e-3) for x in row] for row in EXACT]
    balls = layer.enclosure(wide, precision=50)
    for shift in (-1e-3, 1e-3):
        moved = np.array(EXACT, dtype=float) + shift * np.array([[1, 0, 1], [0, -1, 0], [1, 0, 1]])
        image = layer(moved)
        for i in range(3):
            for j in range(3):
                assert balls[i][j].overlaps(arb(image[i, j], 1e-13))
    exact = layer.enclosure(EXACT, precision=50)
    assert float(balls[0][1].rad()) > float(exact[0][1].rad())


@pytest.mark.parametrize("kernel", ["relu", "abs", "identity"])
def test_directions_of_singular_covariances_are_enclosed(kernel):
    """Equal samples and opposite ones, and all recentred ones."""
    for rows in ([[1, 1], [1, 1]], [[1, -1], [-1, 1]], [[2, -1, -1], [-1, 2, -1], [-1, -1, 2]]):
        balls = direction_moments_enclosure(
            [[arb(x) for x in row] for row in rows], kernel_map(kernel), precision=64
        )
        floats = direction_moments(np.array(rows, dtype=float), kernel_map(kernel))
        for i, j in np.ndindex(floats.shape):
            assert float(balls[i][j].rad()) < 1e-8
            assert abs(float((balls[i][j] - float(floats[i, j])).abs_lower())) < 1e-15


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chain", "reason"),
    [
        (batchnorm_chain(8, "tanh"), "tanh is not homogeneous, F.sx. = sF.x."),
        (rescale_activation_chain(8, "relu"), "rows are the batch's own"),
        (vanilla_chain(8, "relu").with_law("rademacher"), "its weights are rademacher"),
        (residual_chain(8, 0.5, "uniform"), "its weights are uniform"),
        (Chain((Linear(8), Activation("relu"), Rescale())), "the law of their directions"),
        (Chain((Linear(8), Activation("relu"), Activation("tanh"))), "what tanh makes of them"),
        (Chain((Linear(8), Rescale(), Recenter())), "no longer of one norm"),
        (Chain((Linear(8), Rescale(), Bias(1.0), Activation("relu"))), "moved by normal offsets"),
        (Chain((Bias(1.0), Activation("relu"), Linear(8))), "moved by normal offsets"),
        (Chain((Residual(0.5, width=8), Activation("tanh"))), "grow with the width"),
        (Chain((Residual(0.5), Rescale())), "its width is not told"),
        (Chain((LayerNorm(), Linear(8), Activation("relu"))), "their mean, which it subtracts"),
        (residual_chain(8, 0.0), "the law of their directions"),
    ],
)
def test_chains_without_a_map_are_refused_with_the_reason(chain, reason):
    with pytest.raises(ValueError, match=f"no map of Gram matrices.*{reason}"):
        gram_map(chain)
    assert gram_obstacle(chain) is not None


def test_bad_input_is_refused_in_one_line():
    layer = gram_map(batchnorm_chain(8))
    for bad, words in (
        ([[1.0, 2.0], [2.0, 1.0]], "indefinite"),
        ([[1.0, 0.5], [0.4, 1.0]], "asymmetric"),
        ([[1.0]], "n ≥ 2"),
        ([[math.nan, 0.0], [0.0, 1.0]], "without NaN"),
        (np.ones((3, 3)), "all samples agree"),
    ):
        with pytest.raises(ValueError, match=words):
            layer(bad)
    with pytest.raises(ValueError, match="all samples agree"):
        layer.enclosure([[1, 1], [1, 1]])
    with pytest.raises(TypeError, match="give a Chain"):
        gram_map("vanilla")
    with pytest.raises(TypeError, match="give real numbers"):
        layer(np.eye(3, dtype=complex))
    with pytest.raises(TypeError, match="give int, Fraction"):
        layer.enclosure([[1.0, 0.0], [0.0, 1.0]])
