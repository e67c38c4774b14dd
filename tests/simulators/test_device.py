"""Every engine on a device whose numbers are drawn there: the law of the host's, and its promises.

Where there is no CUDA device the same path is gone through on Torch's CPU, drawn by Torch.
Two samples are compared as in `test_laws`.
"""

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

from simulators import simulate
from simulators.backend import TorchBackend
from simulators.chains import (
    Chain,
    batchnorm_chain,
    recenter_relu_chain,
    rescale_chain,
    residual_chain,
    vanilla_chain,
)
from simulators.engines import round_trip
from simulators.layers import Linear, Recenter, Rescale
from simulators.streams import DeviceStreams
from tests.simulators.test_laws import BATCH, CRITICAL, DEPTHS, OBSERVABLES, REPLICAS

WIDTH = len(BATCH)
RUNS = [
    ("factor", rescale_chain(WIDTH)),
    ("factor", recenter_relu_chain(WIDTH)),
    ("rows", residual_chain(WIDTH, 0.5)),
    ("rows", batchnorm_chain(WIDTH, "tanh")),
    ("dense", vanilla_chain(WIDTH, "sin")),
    ("dense", Chain((Linear(WIDTH, "rademacher"), Recenter(), Rescale()))),
]


@pytest.fixture(
    params=[
        "cpu",
        pytest.param(
            "cuda",
            marks=pytest.mark.skipif(
                not torch.cuda.is_available(), reason="no CUDA device on this machine"
            ),
        ),
    ]
)
def device(request, monkeypatch):
    """A device whose numbers are drawn on it, as no CPU's are otherwise."""

    def drawn_there(self, root, engine, pieces, *, ahead=True, streams=None, kept=False):
        return self.device_draws(root, engine, pieces, streams=streams)

    def streams_there(self, root, engine, replicas):
        return DeviceStreams(root, engine, replicas, self.device)

    monkeypatch.setattr(TorchBackend, "draws", drawn_there)
    monkeypatch.setattr(TorchBackend, "streams", streams_there)
    return request.param


def sample(engine, chain, **options):
    settings = {"depth": max(DEPTHS), "replicas": REPLICAS, "observables": OBSERVABLES}
    return simulate(chain, BATCH, engine=engine, **{**settings, **options})


def farthest(one, other):
    """The largest distance D over observables and depths."""
    return max(
        ks_2samp(one[name][:, depth], other[name][:, depth], method="asymp").statistic
        for name in OBSERVABLES
        for depth in DEPTHS
    )


@pytest.mark.parametrize(("engine", "chain"), RUNS, ids=repr)
def test_what_is_drawn_on_a_device_has_the_law_of_the_hosts(engine, chain, device):
    there, here = sample(engine, chain, device=device), sample(engine, chain, seed=1)
    assert there.device.startswith(device)
    assert there.engine == engine
    assert farthest(there, here) < CRITICAL


@pytest.mark.parametrize(("engine", "chain"), RUNS, ids=repr)
def test_a_replica_on_a_device_does_not_depend_on_how_many_run(engine, chain, device):
    many, few = (sample(engine, chain, device=device, replicas=count) for count in (5, 2))
    for name in OBSERVABLES:
        np.testing.assert_array_equal(many[name][:2], few[name])


@pytest.mark.parametrize(("engine", "chain"), RUNS, ids=repr)
def test_another_seed_gives_other_numbers_on_a_device(engine, chain, device):
    one, other = (sample(engine, chain, device=device, replicas=2, seed=seed) for seed in (0, 1))
    assert not np.any(one["orthogonality_gap"][:, 1:] == other["orthogonality_gap"][:, 1:])


@pytest.mark.parametrize("engine", ["rows", "dense"])
@pytest.mark.parametrize("kept", [round_trip.KEPT_BYTES, 2000])
def test_gradients_on_a_device_have_the_law_of_the_hosts(engine, kept, device, monkeypatch):
    """Also where the forward pass is gone through again, by the same numbers."""
    monkeypatch.setattr(round_trip, "KEPT_BYTES", kept)
    options = {"observables": ["log_gradient_norm"], "backward": "gaussian", "depth": 5}
    chain = residual_chain(WIDTH, 0.5)
    there = sample(engine, chain, device=device, **options)
    here = sample(engine, chain, seed=1, **options)
    for layer in (0, 3):
        found = ks_2samp(
            there["log_gradient_norm"][:, layer],
            here["log_gradient_norm"][:, layer],
            method="asymp",
        )
        assert found.statistic < CRITICAL


@pytest.mark.parametrize("engine", ["rows", "dense"])
@pytest.mark.parametrize("chain", [batchnorm_chain(WIDTH), vanilla_chain(WIDTH, "relu")], ids=repr)
def test_tangent_kernels_on_a_device_have_the_law_of_the_hosts(engine, chain, device):
    options = {"observables": ["tangent_kernel"], "backward": "readout", "depth": 2}
    there, here = (
        sample(engine, chain, seed=seed, device=place, **options)["tangent_kernel"][:, 0]
        for seed, place in ((0, device), (1, None))
    )
    for i, j in ((0, 0), (0, 1)):
        assert ks_2samp(there[:, i, j], here[:, i, j], method="asymp").statistic < CRITICAL


@pytest.mark.parametrize("engine", ["rows", "dense"])
def test_tangents_on_a_device_have_the_law_of_the_hosts(engine, device):
    options = {"observables": ["log_tangent_norm", "log_gradient_norm"], "depth": 4}
    options |= {"tangents": "gaussian(2)", "backward": "gaussian", "engine": engine}
    options |= {"replicas": REPLICAS}
    chain, batch = residual_chain(24, 0.5), np.random.default_rng(0).standard_normal((24, 3))
    there = simulate(chain, batch, device=device, **options)
    here = simulate(chain, batch, seed=1, **options)
    for name, layer in (("log_tangent_norm", 0), ("log_tangent_norm", 4), ("log_gradient_norm", 0)):
        pair = (run[name][:, layer].reshape(REPLICAS, -1)[:, -1] for run in (there, here))
        assert ks_2samp(*pair, method="asymp").statistic < CRITICAL


def test_sentinel_uncentred_weights_on_a_device_are_caught(device, monkeypatch):
    chain = residual_chain(WIDTH, 0.5)
    here = sample("rows", chain, seed=1)
    right = TorchBackend.device_draws

    def uncentred(self, root, engine, pieces, **options):
        for entries in right(self, root, engine, pieces, **options):
            yield entries + 1

    monkeypatch.setattr(TorchBackend, "device_draws", uncentred)
    assert farthest(sample("rows", chain, device=device), here) > CRITICAL
