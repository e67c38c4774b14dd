"""Samples read off one layer: one column, the layer asked for, the last by default."""

import numpy as np
import pytest

from simulators import rescale_chain, simulate
from theorems import get
from theorems.checking.expectation import Instance
from theorems.checking.layer_readings import at_layer


@pytest.mark.parametrize("layer", [0, 1, -1])
def test_a_sample_is_the_observable_at_that_layer(layer: int) -> None:
    start = np.eye(8, 2)
    instance = Instance("n=2", rescale_chain(8), start, 3, ({"n": 2, "d": 8},), (0.0, 1.0))
    run = simulate(instance.chain, start, depth=3, replicas=4, observables=("orthogonality_gap",))
    claim = get("orthogonality.width_scaling")
    found = at_layer("orthogonality_gap", layer)(claim, run, instance)
    assert found.tolist() == run["orthogonality_gap"][:, [layer]].tolist()
    if layer == -1:
        assert found.tolist() == at_layer("orthogonality_gap")(claim, run, instance).tolist()
