"""The door: every batch that may not enter is told why, and every one that may enters unchanged."""

import tracemalloc
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from simulators import requirements, simulate
from simulators.batches import validate_batch
from simulators.chains import (
    batchnorm_chain,
    recenter_relu_chain,
    rescale_activation_chain,
    rescale_chain,
    residual_chain,
    vanilla_chain,
)
from simulators.engines import round_trip
from simulators.requirements import Extent, require_affordable, require_runnable


@pytest.mark.parametrize(
    ("batch", "error", "message"),
    [
        (np.zeros((3, 2)), ValueError, "batch is all zero"),
        (np.array([[1.0, np.nan], [1.0, 1.0]]), ValueError, "nan in sample 1, entry 0"),
        (np.array([[1.0], [-np.inf]]), ValueError, "-inf in sample 0, entry 1"),
        (np.ones((2, 2), complex), TypeError, "complex128; give real numbers"),
        (torch.ones(2, 2, dtype=torch.complex64), TypeError, "give real numbers"),
        (np.ones((2, 2), bool), TypeError, "type bool"),
        (np.array([["a", "b"]]), TypeError, "give real numbers"),
        (np.array([[2**53 + 1]]), ValueError, "beyond 2"),
        (np.array([[2**64 - 1]], np.uint64), ValueError, "beyond 2"),
        (torch.tensor([[-(2**53) - 1]]), ValueError, "beyond 2"),
        ([[2**70]], TypeError, "object"),
        (np.empty((0, 3)), ValueError, r"empty, of shape \(0, 3\)"),
        (np.empty((3, 0)), ValueError, "empty"),
        (np.ones(3), ValueError, r"shape \(3,\); give two axes"),
        (np.float64(3), ValueError, r"shape \(\)"),
        (np.ones((2, 2, 2)), ValueError, r"shape \(2, 2, 2\)"),
        ([[1.0, 2.0], [3.0]], ValueError, "ragged"),
        (np.array([[1.0, None]]), TypeError, "object"),
        (None, TypeError, "object"),
        (np.array([[np.longdouble("1e4000")]]), ValueError, "inf in sample 0"),
        (np.ones((3, 4)), ValueError, "4 samples of dimension 3, and at most 3"),
    ],
)
def test_bad_batches_are_refused(batch, error, message):
    with pytest.raises(error, match=message):
        validate_batch(batch)


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
    values = validate_batch(batch)
    assert values.dtype == np.float64
    assert (values == np.eye(3, 2)).all()


@pytest.mark.parametrize("entry", [2**53, -(2**53), 2**52 + 1])
def test_integers_that_float64_holds_are_accepted(entry):
    assert validate_batch(np.array([[entry]]))[0, 0] == entry


def test_the_batch_is_copied():
    batch = np.eye(3, 2)
    validate_batch(batch)[0, 0] = 5
    assert batch[0, 0] == 1


def test_a_chain_narrower_than_the_batch_is_refused():
    with pytest.raises(ValueError, match="n=4 samples, more than the width 3"):
        require_runnable(np.ones((8, 4)), rescale_chain(3), "float64")
    require_runnable(np.ones((4, 4)), rescale_chain(4), "float64")


def test_a_residual_chain_of_another_width_is_refused():
    with pytest.raises(ValueError, match="receives 5 rows"):
        require_runnable(np.ones((5, 2)), residual_chain(4, 0.1), "float64")


@pytest.mark.parametrize("chain", [batchnorm_chain(4), recenter_relu_chain(4)])
@pytest.mark.parametrize("batch", [np.ones((4, 3)), np.arange(4.0)[:, None]])
def test_a_batch_that_recentring_annihilates_is_refused(chain, batch):
    with pytest.raises(ValueError, match="Recenter leaves nothing"):
        require_runnable(batch, chain, "float64")
    require_runnable(batch, rescale_chain(4), "float64")
    require_runnable(np.eye(4, 3), chain, "float64")


@pytest.mark.parametrize("scale", [1e-60, 1e60])
def test_what_float32_cannot_hold_is_refused(scale):
    with pytest.raises(ValueError, match="outside float32"):
        require_runnable(np.full((2, 2), scale), rescale_chain(2), "float32")
    require_runnable(np.full((2, 2), scale), rescale_chain(2), "float64")


def test_overflow_where_the_scale_matters_is_refused():
    huge = np.full((2, 2), 1e307)
    with pytest.raises(ValueError, match="products with weights overflow float64"):
        require_runnable(huge, vanilla_chain(2, "tanh"), "float64")
    require_runnable(huge, vanilla_chain(2, "relu"), "float64")
    require_runnable(np.full((2, 2), 1e300), rescale_activation_chain(2, "tanh"), "float64")


BACK = {
    "forward": {"observables": ["log_norm"]},
    "gradients": {"observables": ["log_gradient_norm"], "backward": "gaussian"},
    "tangent kernel": {"observables": ["tangent_kernel"], "backward": "readout"},
}


@pytest.mark.parametrize("measured", BACK)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kept", [1, 2**29])
@pytest.mark.parametrize(("engine", "width"), [("rows", 2**16), ("dense", 512)])
def test_what_is_told_of_memory_is_needed(engine, width, kept, dtype, measured, monkeypatch):
    """No more than that, and a third at least of a run's peak, where it goes back."""
    told = []
    monkeypatch.setattr(round_trip, "KEPT_BYTES", kept)
    monkeypatch.setattr(requirements, "require_memory", lambda needed, what: told.append(needed))
    run = partial(
        simulate, batchnorm_chain(width, "tanh"), depth=5, every=5, engine=engine, dtype=dtype,
        **BACK[measured],
    )  # fmt: skip
    batch = np.random.default_rng(0).standard_normal((width, 4))
    tracemalloc.start()
    run(batch)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert told[0] <= peak
    if measured != "forward":
        assert told[0] >= peak / 3


def test_a_way_back_that_no_memory_holds_is_refused_at_the_door(monkeypatch):
    """Ten representations and more, where the way forward has four."""
    chain, shape = batchnorm_chain(10**7), (10**7, 8)
    monkeypatch.setattr(requirements, "memory", lambda: 10 * 8 * 10**7 * 8)
    extent = Extent(replicas=1, layers=50, depth=50)
    require_affordable("rows", chain, shape, extent)
    for gradients in (1, 9):
        with pytest.raises(ValueError, match=r"needs \d+(\.\d+)? GiB of memory or more"):
            require_affordable("rows", chain, shape, replace(extent, gradients=gradients))
