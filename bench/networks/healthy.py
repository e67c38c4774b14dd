"""Healthy networks as practitioners build them, written without knowing how they are inspected.

    python -m bench.inspection_alarms --networks 500 --healthy bench/networks/healthy.py
    python -m bench.trainable bench/networks/healthy.py --seeds 3

``HEALTHY`` maps names to functions of a seed, each of which returns a network at its usual
initialisation and a batch, 8 to 48 samples of noise or of something real. Seeds draw width, depth,
samples and batch. Every network gives one tensor: heads and moments stand side by side, as columns.

Healthy means that it trains, as `bench.trainable` decides, and nothing else. By Adam all do, 759
of 759 of 69 kinds at seeds 0 to 10, so no kind was dropped or made shallower. By SGD with momentum
337 of 345 do at seeds 0 to 4: SkipInit in none of five, Fixup in two of five.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench.networks.healthy_images import IMAGES
from bench.networks.healthy_perceptrons import PERCEPTRONS
from bench.networks.healthy_sequences import SEQUENCES
from bench.networks.pieces import Built

HEALTHY: Mapping[str, Callable[[int], Built]] = {**IMAGES, **PERCEPTRONS, **SEQUENCES}
