"""What words of a stream become, entry by entry, by the formulas written down again, in double
precision.

Statistics would not tell a factor of 1.99 from 2; the formulas tell one in a hundred thousand.
"""

import numpy as np
import pytest
import torch
from numpy.random import SFC64, Generator, SeedSequence
from scipy.stats import norm

from simulators.streams import HostStreams, from_uniform, replica_sequence

SEED = SeedSequence(20260101)
COUNTS = (2, 64, 126, 128, 130, 1000, 2**17 + 6)


def words(count: int, replica: int = 0) -> np.ndarray:
    """The raw words of one replica's stream."""
    return SFC64(replica_sequence(SEED, "factor", replica)).random_raw(count)


def filled(law: str, dtype: str, count: int, replica: int = 0, units=None) -> np.ndarray:
    out = np.empty((1, count), dtype)
    HostStreams(SEED, "factor", range(replica, replica + 1)).fill(0, out, law, units)
    return out[0].astype(np.float64)


def box_muller(block: np.ndarray) -> np.ndarray:
    """One block of words by the textbook: of its halves of words the first half are angles, the
    others radii.

    Cosines come first, sines behind. Where a block is short, all of them alternate.
    """
    halves = block.astype("<u8").view("<u4")
    count = len(block)
    angles, radii = (
        (halves[0::2], halves[1::2]) if count < 2**6 else (halves[:count], halves[count:])
    )
    radius = np.sqrt(-2 * np.log((radii.astype(np.float64) + 0.5) / 2.0**32))
    angle = np.pi * angles.view("<i4").astype(np.float64) / 2.0**31
    pair = np.stack([radius * np.cos(angle), radius * np.sin(angle)])
    return pair.T.reshape(-1) if count < 2**6 else pair.reshape(-1)


@pytest.mark.parametrize("count", COUNTS)
def test_normals_of_single_precision_are_box_and_mullers_of_their_words(count):
    every = words(count // 2)
    wanted = np.concatenate(
        [box_muller(every[start : start + 2**15]) for start in range(0, count // 2, 2**15)]
    )
    found = filled("gaussian", "float32", count)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=2e-5)
    assert (found @ found) / (wanted @ wanted) == pytest.approx(1, abs=1e-6)


def test_normals_of_double_precision_are_numpys():
    generator = Generator(SFC64(replica_sequence(SEED, "factor", 2)))
    np.testing.assert_array_equal(
        filled("gaussian", "float64", 1001, replica=2), generator.standard_normal(1001)
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("law", ["uniform", "uniform_positive"])
def test_uniform_entries_are_an_interval_of_length_two_root_three(law, dtype):
    u = Generator(SFC64(replica_sequence(SEED, "factor", 1))).random(
        999, dtype=np.dtype(dtype).type
    )
    shift = 0.5 if law == "uniform" else 0.0
    wanted = np.sqrt(12.0) * (u.astype(np.float64) - shift)
    np.testing.assert_allclose(filled(law, dtype, 999, replica=1), wanted, rtol=1e-6, atol=2e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_signs_are_the_bits_of_the_words_lowest_first(dtype):
    bits = [(int(word) >> place) & 1 for word in words(5, 3) for place in range(64)]
    assert filled("rademacher", dtype, 320, replica=3).tolist() == [2.0 * bit - 1 for bit in bits]


@pytest.mark.parametrize(
    ("law", "wanted"),
    [
        ("uniform", lambda u: np.sqrt(12) * (u - 0.5)),
        ("uniform_positive", lambda u: np.sqrt(12) * u),
        ("rademacher", lambda u: np.where(u < 0.5, -1.0, 1.0)),
    ],
)
def test_uniforms_of_a_device_become_the_same_laws(law, wanted):
    u = np.array([0.0, 0.1, 0.25, 0.4999, 0.5, 0.75, 0.999])
    np.testing.assert_allclose(from_uniform(torch.tensor(u), law).numpy(), wanted(u), rtol=1e-12)


@pytest.mark.parametrize("law", ["gaussian", "uniform", "rademacher"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_moments_are_those_of_variance_one(law, dtype):
    """Mean, variance and fourth moment over four million entries, within six deviations of the
    estimate.
    """
    count = 2**22
    x = filled(law, dtype, count, replica=4)
    fourth = {"gaussian": 3.0, "uniform": 9 / 5, "rademacher": 1.0}[law]
    eighth = {"gaussian": 105.0, "uniform": 9.0, "rademacher": 1.0}[law]
    for power, mean, square in ((1, 0.0, 1.0), (2, 1.0, fourth), (4, fourth, eighth)):
        deviation = max(np.sqrt((square - mean**2) / count), 1e-6)
        assert abs((x**power).mean() - mean) < 6 * deviation


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tails_are_normal(dtype):
    count = 2**22
    x = np.abs(filled("gaussian", dtype, count, replica=5))
    for far in (1.0, 2.0, 3.0, 4.0):
        share = 2 * norm.sf(far)
        assert abs((x > far).mean() - share) < 6 * np.sqrt(share * (1 - share) / count)
