"""The door: every batch that may not enter is told why, and every one that may enters unchanged."""

import numpy as np
import pytest
import torch

from simulators.chains import (
    batchnorm_chain,
    recenter_relu_chain,
    rescale_activation_chain,
    rescale_chain,
    residual_chain,
    vanilla_chain,
)
from simulators.door import admit, read_batch


@pytest.mark.parametrize(
    ("batch", "error", "message"),
    [
        (np.zeros((3, 2)), ValueError, "batch is zero"),
        (np.array([[1.0, np.nan]]), ValueError, r"batch\[0, 1\] is nan"),
        (np.array([[1.0], [-np.inf]]), ValueError, r"batch\[1, 0\] is -inf"),
        (np.ones((2, 2), complex), TypeError, "complex128; give real numbers"),
        (torch.ones(2, 2, dtype=torch.complex64), TypeError, "give real numbers"),
        (np.ones((2, 2), bool), TypeError, "batch has dtype bool"),
        (np.array([["a", "b"]]), TypeError, "give real numbers"),
        (np.array([[2**53 + 1]]), ValueError, "9007199254740993, which float64 cannot"),
        (np.array([[2**64 - 1]], np.uint64), ValueError, "18446744073709551615"),
        (torch.tensor([[-(2**53) - 1]]), ValueError, "-9007199254740993"),
        ([[2**70]], TypeError, "Python objects"),
        (np.empty((0, 3)), ValueError, r"shape \(0, 3\) is empty"),
        (np.empty((3, 0)), ValueError, "empty"),
        (np.ones(3), ValueError, r"shape \(3,\); give \(d, n\)"),
        (np.float64(3), ValueError, r"shape \(\)"),
        (np.ones((2, 2, 2)), ValueError, r"shape \(2, 2, 2\)"),
        ([[1.0, 2.0], [3.0]], ValueError, "ragged"),
        (np.array([[1.0, None]]), TypeError, "Python objects"),
        (None, TypeError, "Python objects"),
        (np.array([[np.longdouble("1e4000")]]), ValueError, "is inf"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_bad_batches_are_refused(batch, error, message):
    with pytest.raises(error, match=message):
        read_batch(batch)


@pytest.mark.parametrize(
    "batch",
    [
        np.eye(3, 2),
        np.eye(3, 2, dtype=np.float32),
        np.eye(3, 2, dtype=np.int8),
        np.asfortranarray(np.eye(3, 2)),
        np.eye(3, 2).tolist(),
        torch.eye(3, 2),
        torch.eye(3, 2, dtype=torch.bfloat16),
        torch.eye(3, 2, dtype=torch.int64),
        torch.eye(3, 2, requires_grad=True),
    ],
)
def test_good_batches_are_read_as_float64(batch):
    values = read_batch(batch)
    assert values.dtype == np.float64
    assert (values == np.eye(3, 2)).all()


@pytest.mark.parametrize("entry", [2**53, -(2**53), 2**60, 2**63 - 1024])
def test_integers_that_float64_holds_are_accepted(entry):
    assert read_batch(np.array([[entry]]))[0, 0] == entry


def test_the_batch_is_copied():
    batch = np.eye(3, 2)
    read_batch(batch)[0, 0] = 5
    assert batch[0, 0] == 1


def test_too_many_samples_are_refused_with_the_likely_remedy():
    with pytest.raises(ValueError, match=r"give batch\.T, otherwise at most 3"):
        admit(np.ones((3, 4)), rescale_chain(8), "float64")
    with pytest.raises(ValueError, match="n=4 samples, more than the width 3"):
        admit(np.ones((8, 4)), rescale_chain(3), "float64")
    admit(np.ones((4, 4)), rescale_chain(4), "float64")


def test_a_residual_chain_of_another_width_is_refused():
    with pytest.raises(ValueError, match="receives 5 rows"):
        admit(np.ones((5, 2)), residual_chain(4, 0.1), "float64")


@pytest.mark.parametrize("chain", [batchnorm_chain(4), recenter_relu_chain(4)])
@pytest.mark.parametrize("batch", [np.ones((4, 3)), np.arange(4.0)[:, None]])
def test_a_batch_that_recentring_annihilates_is_refused(chain, batch):
    with pytest.raises(ValueError, match="Recenter leaves nothing"):
        admit(batch, chain, "float64")
    admit(batch, rescale_chain(4), "float64")
    admit(np.eye(4, 3), chain, "float64")


@pytest.mark.parametrize("scale", [1e-60, 1e60])
def test_what_float32_cannot_hold_is_refused(scale):
    with pytest.raises(ValueError, match="outside float32"):
        admit(np.full((2, 2), scale), rescale_chain(2), "float32")
    admit(np.full((2, 2), scale), rescale_chain(2), "float64")


def test_overflow_where_the_scale_matters_is_refused():
    huge = np.full((2, 2), 1e307)
    with pytest.raises(ValueError, match="products with weights overflow float64"):
        admit(huge, vanilla_chain(2, "tanh"), "float64")
    admit(huge, vanilla_chain(2, "relu"), "float64")
    admit(np.full((2, 2), 1e300), rescale_activation_chain(2, "tanh"), "float64")
