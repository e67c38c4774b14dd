"""The network of 50 layers that is timed is one of 50 layers, and inspected as a whole."""

from __future__ import annotations

from bench.inspection_times import timed


def test_every_convolution_of_the_fifty_layers_is_judged() -> None:
    found, clock, processor = timed(small=False)
    assert found.hidden == 53, "the stem, three in each of 16 blocks, four on skip connections"
    assert found.parameters.total == 25_557_032, "as published"
    assert found.state == "healthy"
    assert min(clock, processor) > 0
