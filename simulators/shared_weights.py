"""Two chains on the same weights: whether they can be, and by which engine.

The engine dense draws every matrix of weights entry by entry, so that two chains that draw the same
layers from one seed have the same weights. The engine rows draws images of what a layer is given:
two chains then have the same normals, and not the same weights. What is claimed of both laws, each
by itself, does not tell the difference, nor does the mean of a difference, whose variance is as
small or smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from simulators.chains import Chain
from simulators.layers import Bias, DrawingLayer, WeightLayer
from simulators.observables import Observable
from simulators.simulate import choose_engine, rows_obstacle

__all__ = ["engine_of_all", "weights_apart"]


def weights_apart(chain: Chain, other: Chain, inputs: int) -> str | None:
    """Where two chains draw other weights, in words; None if they draw the same.

    ``inputs`` ≥ 1 are the rows of the batch. Layers are compared in order by what they draw:
    biases, or weights of one law and size. Their deviations may differ.

    Example:
        >>> from simulators.chains import batchnorm_chain, residual_chain, vanilla_chain
        >>> print(weights_apart(batchnorm_chain(8), vanilla_chain(8, "tanh"), 8))
        None
        >>> apart = weights_apart(batchnorm_chain(8), residual_chain(8, 0.5, "rademacher"), 8)
        >>> print(apart.partition(" and ")[0])
        drawing layer 1 is Linear(width=8, law='gaussian') in one
    """
    pairs = zip_longest(_drawing(chain, inputs), _drawing(other, inputs))
    for number, (ours, theirs) in enumerate(pairs, start=1):
        if (ours and ours[1]) != (theirs and theirs[1]):
            words = (f"{each[0]!r}" if each else "nothing" for each in (ours, theirs))
            return f"drawing layer {number} is " + " in one and ".join(words) + " in the other"
    return None


def _drawing(chain: Chain, inputs: int) -> list[tuple[DrawingLayer, tuple[object, ...]]]:
    """The layers of a block that draw, and what each draws, for an input of so many rows."""
    found: list[tuple[DrawingLayer, tuple[object, ...]]] = []
    for layer, width in zip(chain.layers, chain.widths(inputs), strict=True):
        if isinstance(layer, WeightLayer):
            found.append((layer, (layer.law, inputs, width)))
        elif isinstance(layer, Bias):
            found.append((layer, ("bias", width)))
        inputs = width
    return found


def engine_of_all(
    chains: Sequence[Chain],
    measures: Sequence[Observable],
    batch_shape: tuple[int, int],
    *,
    jointly: bool = False,
    tangents: int = 0,
) -> str:
    """The engine that runs several chains from one batch, so that seeds give them the same draws.

    - ``chains``: one at least, of the same weights
    - ``measures``: what is measured of any; ``batch_shape``: (d₀, n)
    - ``jointly``: whether it counts how the networks of one draw go together, so that the weights
      themselves must be shared
    - ``tangents``: how many come along with each

    For one chain that of `simulators.simulate.choose_engine`, but that a batch of few rows, which
    is mapped once, does not decide about all other layers. For several rows, where it is exact:
    what two networks are made of the same normals by factor soon has little in common, as each goes
    on from a factor of its own.

    Example:
        >>> from simulators.chains import rescale_chain, vanilla_chain
        >>> pair = rescale_chain(64), vanilla_chain(64, "relu")
        >>> [engine_of_all(pair, [], (8, 8), jointly=jointly) for jointly in (True, False)]
        ['dense', 'rows']
    """
    if len(chains) == 1:
        rows, n = batch_shape
        wide = rows if tangents else max(rows, chains[0].widths(rows)[-1])
        return choose_engine("auto", chains[0], measures, 1, (wide, n), tangents)[0]
    obstacles = [rows_obstacle(chain, batch_shape, tangents) for chain in chains]
    return "dense" if jointly or any(obstacles) else "rows"
