"""How the cost of a layer, or of a run, grows with one size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from bench.pair import ROUNDS, one_thread
from bench.pairs import random_numbers
from bench.report.document import Growth
from bench.timing import Clocks, in_turns
from simulators import rescale_chain, simulate
from simulators.splines import linear_regions
from simulators.splines.network import Network
from simulators.splines.operations import Activation, Affine, Operation
from simulators.splines.slices import coordinate_slice

__all__ = ["GROWTHS", "Sizes", "grown"]

SEED = 11


@dataclass(frozen=True)
class Sizes:
    """A size that varies, and what is run at each.

    - ``variable``: width, samples, depth, replicas or regions
    - ``run(size, amount)``: work of so large an ``amount``; ``amounts``: of each size. Where
      ``started`` is true, what counts is the difference between twice the amount and that, so that
      neither start nor batch has a part in it
    - ``most``: the exponent that it should not exceed
    """

    name: str
    variable: str
    about: str
    sizes: tuple[int, ...]
    run: Callable[[int, int], object]
    amounts: tuple[int, ...]
    most: float | None
    started: bool = True
    short: bool = False


def grown(sizes: Sizes, rounds: int = ROUNDS, clocks: Clocks | None = None) -> Growth:
    """The processor time of one unit of the amount at each size, all sizes in turns.

    Raises ``ValueError`` where in some round twice the amount took no longer: the amounts are too
    small for this clock.
    """
    pairs = list(zip(sizes.sizes, sizes.amounts, strict=True))
    actions = [partial(sizes.run, size, amount) for size, amount in pairs]
    if sizes.started:
        actions += [partial(sizes.run, size, 2 * amount) for size, amount in pairs]
    with one_thread():
        times = [each.cpu for each in in_turns(actions, rounds, clocks)]
    few, many = times[: len(pairs)], times[len(pairs) :]
    taken = np.subtract(many, few) if sizes.started else np.array(few)
    if not (taken > 0).all():
        raise ValueError(f"{sizes.name}: in a round twice the amount took no longer; want more")
    each = taken / np.array(sizes.amounts)[:, None]
    return Growth(
        sizes.name,
        sizes.variable,
        sizes.about,
        sizes.sizes,
        tuple(tuple(map(float, times)) for times in each.T),
        sizes.most,
    )


def _thin(width: int, samples: int, layers: int, replicas: int = 1) -> object:
    """The rescale chain by the engine factor."""
    batch = np.random.default_rng(SEED).standard_normal((samples, samples))
    return simulate(
        rescale_chain(width),
        batch,
        depth=layers,
        every=layers,
        replicas=replicas,
        seed=SEED,
        engine="factor",
    )


def _amounts(sizes: Sequence[int], entries: float, least: int) -> tuple[int, ...]:
    """Layers at each size that draw about so many normals a sample, at least so many of them."""
    return tuple(max(least, round(entries / size)) for size in sizes)


def _regions(half_sides: Mapping[int, float], regions: int, times: int) -> object:
    """Linear regions of a network 2-64-64-64 with ReLU, so many on a square of that half-side."""
    draws = np.random.default_rng(SEED)
    operations: list[Operation] = []
    for fan in (2, 64, 64):
        weights = draws.standard_normal((64, fan)) * (2 / fan) ** 0.5
        operations.append(Affine(len(operations), weights, 0.5 * draws.standard_normal(64)))
        operations.append(Activation(len(operations), 0.0))
    network = Network(2, tuple(operations))
    square = half_sides[regions] * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    for _ in range(times):
        found = linear_regions(network, coordinate_slice(2), square).regions
        if found != regions:
            raise ValueError(f"{found} linear regions, want {regions}")
    return regions


_HALF_SIDES = {1885: 0.25, 5244: 0.5, 9285: 1.0, 14699: 4.0}
_WIDE, _MANY = (10**3, 10**4, 10**5), (4, 8, 16, 32, 64)

GROWTHS = (
    Sizes(
        "factor: a layer against the width, n = 8",
        "width",
        "factor",
        _WIDE,
        lambda width, layers: _thin(width, 8, layers),
        _amounts(_WIDE, 4e5, 4),
        1.1,
        short=True,
    ),
    Sizes(
        "factor: a layer against the samples, width 10⁴",
        "samples",
        "factor",
        _MANY,
        lambda n, layers: _thin(10**4, n, layers),
        _amounts(_MANY, 100, 2),
        2,
        short=True,
    ),
    Sizes(
        "factor: a run against the depth, width 1000, n = 8",
        "depth",
        "factor",
        (100, 200, 400, 800),
        lambda depth, _: _thin(1000, 8, depth),
        (1, 1, 1, 1),
        1.1,
        started=False,
        short=True,
    ),
    Sizes(
        "factor: a layer against the replicas, width 512, n = 4",
        "replicas",
        "factor",
        (4, 16, 64, 256),
        lambda replicas, layers: _thin(512, 4, layers, replicas),
        (160, 40, 20, 10),
        1.1,
        short=True,
    ),
    Sizes(
        "splines: linear regions of a network 2-64-64-64",
        "regions",
        "splines",
        tuple(_HALF_SIDES),
        partial(_regions, _HALF_SIDES),
        (1, 1, 1, 1),
        1.2,
        started=False,
        short=True,
    ),
    Sizes(
        "rows: a layer against the width, n = 8",
        "width",
        "rows",
        _WIDE,
        random_numbers.rows,
        _amounts(_WIDE, 4e5, 16),
        1.1,
        short=True,
    ),
    Sizes(
        "rows forward and back: a layer against the width, n = 8",
        "width",
        "rows forward and back",
        _WIDE,
        random_numbers.gradients,
        _amounts(_WIDE, 4e5, 4),
        1.1,
    ),
    Sizes(
        "dense: a layer and network against the width, d = n",
        "width",
        "dense",
        (32, 64, 128, 256),
        lambda width, _: random_numbers.dense(width, "float64"),
        tuple(
            replicas * layers for replicas, layers in map(random_numbers.shape, (32, 64, 128, 256))
        ),
        None,
        started=False,
    ),
)
