"""The cost model: right in shape exactly, right in scale roughly."""

import time
from dataclasses import replace

import numpy as np
import pytest
from sweep_samples import grid
from threadpoolctl import threadpool_limits

from simulators.costs import calibrate, features, rough_seconds


def one(**fields):
    (run,) = grid(seeds=0, **fields).runs().values()
    return run


def test_work_grows_as_the_engines_do():
    gram = one(width=64, batch=8, depth=10, replicas=3)
    assert features(gram) == pytest.approx(30 * np.array([1, 64 * 8, 64 * 64]))
    dense = replace(gram, engine="dense")
    assert features(dense) == pytest.approx(30 * np.array([1, 64**2, 64**2 * 8]))
    assert rough_seconds(replace(gram, depth=20)) == pytest.approx(2 * rough_seconds(gram))


@pytest.mark.parametrize("fields", [
    {"chain": "rescale", "width": 2000, "batch": 16, "depth": 60},
    {"chain": "residual(0.1)", "width": 192, "batch": 16, "depth": 60},
    {"chain": "rescale", "width": 8, "batch": 8, "depth": 60, "engine": "mean_field"},
])
def test_predictions_have_the_right_size(fields):
    """Within a factor of eight, on a machine that others use too; a wrong power of the width would miss by more."""
    run = one(**fields)
    costs = calibrate([replace(run, width=2 * run.width), run])
    seconds = []
    with threadpool_limits(1):  # as in a worker
        for _ in range(3):
            began = time.perf_counter()
            run.perform()
            seconds.append(time.perf_counter() - began)
    assert 1 / 8 < costs.seconds(run) / sorted(seconds)[1] < 8


def test_a_chain_that_was_not_measured_has_no_cost():
    with pytest.raises(KeyError):
        calibrate([one()]).seconds(one(chain="vanilla"))
