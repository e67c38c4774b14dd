"""The cost model on a clock that counts work: what it fits is what was spent. Real seconds:
``pytest bench``.
"""

from dataclasses import replace

import numpy as np
import pytest
from sweep_samples import grid

from simulators.sweeps import running_times as MODULE
from simulators.sweeps.running_times import calibrate, features, rough_seconds


def one(**fields):
    (run,) = grid(seeds=0, **fields).runs().values()
    return run


def test_work_grows_as_the_engines_do():
    gram = one(width=64, batch=8, depth=10, replicas=3)
    assert features(gram) == pytest.approx(30 * np.array([1, 64 * 8, 64 * 64]))
    dense = replace(gram, engine="dense")
    assert features(dense) == pytest.approx(30 * np.array([1, 64**2, 64**2 * 8]))
    assert rough_seconds(replace(gram, depth=20)) == pytest.approx(2 * rough_seconds(gram))


@pytest.mark.parametrize(
    "fields",
    [
        {"chain": "rescale", "width": 2000, "batch": 16, "depth": 60},
        {"chain": "residual(0.1)", "width": 192, "batch": 16, "depth": 60, "engine": "dense"},
        {"chain": "residual(0.1)", "width": 2000, "batch": 16, "depth": 60},
        {"chain": "rescale", "width": 8, "batch": 8, "depth": 60, "engine": "mean_field"},
    ],
)
def test_predictions_are_what_the_same_work_costs(fields, monkeypatch):
    """Each probe costs a fixed price a layer, a normal and a product, whatever the machine does
    meanwhile.
    """
    clock = [0.0]

    def price(run):
        d, n = run.width, run.batch.n
        entries = {"dense": d * d, "mean_field": n * n}.get(run.engine, d * n)
        products = {"dense": d * d * n, "mean_field": 0}.get(run.engine, d * n * n)
        return run.depth * run.replicas * (3e-5 + 2e-9 * entries + 7e-10 * products)

    def perform(run):
        clock[0] += price(run)

    run = one(**fields)
    monkeypatch.setattr(MODULE.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(type(run), "perform", perform)
    costs = calibrate([replace(run, width=2 * run.width), run])
    assert costs.seconds(run) == pytest.approx(price(run), rel=1e-6)


def test_a_chain_that_was_not_measured_has_no_cost():
    with pytest.raises(KeyError):
        calibrate([one()]).seconds(one(chain="vanilla"))
