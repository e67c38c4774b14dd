"""How much gradients grow on their way back, in networks that are simulated.

The gradient at the last layer is standard normal and independent of the network. Means are exact
laws at finite width, from starts where these are known; growths a layer are medians over
independent networks, for what holds at infinite width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from simulators import Chain, Trajectory, simulate
from theorems.checking.drawn_networks import Gradients
from theorems.checking.estimates import KurtosisMean
from theorems.checking.expectation import Expectation, Instance
from theorems.checking.medians import Case, Medians, Sample
from theorems.context import Context
from theorems.statement import Statement

__all__ = ["Network", "a_layer", "centred", "growth_of_means", "growth_of_medians", "orthonormal"]

Floats = NDArray[np.floating[Any]]
NORM = "gradient_norm"


def orthonormal(width: int, size: int) -> Floats:
    """A batch (width, size) of orthonormal samples, of squared norm ``width`` each.

    Example:
        >>> orthonormal(4, 2).shape
        (4, 2)
    """
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((width, size)))[0]
    scaled: Floats = basis * width**0.5
    return scaled


def centred(width: int, size: int) -> Floats:
    """The same with rows of mean 0: HᵀH is a multiple of I - 11ᵀ/n.

    Example:
        >>> bool(abs(centred(4, 3).sum(axis=1)).max() < 1e-12)
        True
    """
    found = orthonormal(width, size)
    shifted: Floats = found - found.mean(axis=1, keepdims=True)
    return shifted


@dataclass(frozen=True)
class Network:
    """Networks of ``depth`` blocks of a ``chain`` from a ``start``, (d₀, n).

    - ``values``: of the statement's variables there
    - ``replicas``: networks, where medians are taken

    Example:
        >>> from simulators import rescale_chain
        >>> Network(rescale_chain(8), orthonormal(8, 2), 1, {"n": 2, "d": 8}).label
        'n=2, d=8'
    """

    chain: Chain
    start: Floats
    depth: int
    values: Mapping[str, float]
    replicas: int = 100

    @property
    def label(self) -> str:
        """Its sizes in words."""
        return ", ".join(f"{name}={value:g}" for name, value in self.values.items())

    @property
    def entries(self) -> int:
        """Entries of the gradient at the last layer: E‖G‖² there."""
        return int(self.chain.widths(len(self.start))[-1]) * int(self.start.shape[1])


# --- means ----------------------------------------------------------------------------------------


def growth_of_means(networks: Sequence[Network], kurtosis: float, resolution: float) -> Expectation:
    """A check of E‖G_0‖²/E‖G_ℓ‖², of networks of ``depth`` layers each.

    Args:
        networks: where it is claimed.
        kurtosis: what that of ‖G_0‖² is assumed not to exceed, above 1.
        resolution: half-width of its interval, relative to what is claimed.

    Returns:
        A check whose verdicts tell that assumption.
    """

    def instances(statement: Statement, batch: Floats | None) -> Iterator[Instance]:
        for network in networks:
            yield Instance(
                label=network.label,
                chain=network.chain,
                start=network.start,
                depth=network.depth,
                readouts=(network.values,),
                support=(0.0, np.inf),
                data={"entries": network.entries},
                gradients=Gradients("gaussian", (network.depth,), frozenset({NORM})),
            )

    return Expectation(
        instances,
        _ratio,
        (NORM,),
        resolution=resolution,
        first=1024,
        follows_batch=False,
        estimator=partial(_mean, kurtosis),
        assumed=f"the kurtosis of ‖G_0‖² is at most {kurtosis:g}",
    )


def _ratio(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    found: Floats = trajectory[NORM][:, instance.depth] ** 2 / instance.data["entries"]
    return found[:, None]


def _mean(
    kurtosis: float,
    side: sp.Expr,
    instance: Instance,
    values: Mapping[str, float],
    level: float,
    reference: float | None,
) -> KurtosisMean:
    return KurtosisMean(level, kurtosis)


# --- medians --------------------------------------------------------------------------------------


def growth_of_medians(
    networks: Sequence[Network], symbol: str, read: Callable[[Floats, int], Floats]
) -> Medians:
    """A check of what ``read`` makes of ‖G_ℓ‖² of a network, in half of all networks.

    Args:
        networks: where it is claimed.
        symbol: what the statement calls it.
        read: of ‖G_0‖² … ‖G_L‖², (replicas, L + 1), and L, one number a replica.

    Returns:
        A check that leaves a user's batch alone.
    """

    def draw(network: Network, context: Context) -> Sample:
        run = simulate(
            network.chain,
            network.start,
            depth=network.depth,
            replicas=network.replicas,
            seed=context.seed,
            observables=(NORM,),
            backward="gaussian",
        )
        return Sample({symbol: [read(run[NORM] ** 2, network.depth)]})

    def cases(batch: Floats | None) -> list[Case]:
        return [Case(net.label, net.values, partial(draw, net), 2) for net in networks]

    return Medians(cases)


def a_layer(squares: Floats, depth: int) -> Floats:
    """The growth a layer in the inner half of a network, as `growth_of_medians` reads it.

    The layers next to the batch have not reached the fixed point of the forward pass, and those
    next to the last not that of the gradient.

    Args:
        squares: ‖G_0‖² … ‖G_L‖², (replicas, L + 1).
        depth: L ≥ 4.

    Returns:
        The geometric mean of ‖G_ℓ‖²/‖G_{ℓ+1}‖² over these layers, (replicas,).

    Example:
        >>> a_layer(np.array([[9.0, 8.0, 4.0, 2.0, 3.0]]), 4).tolist()
        [2.0]
    """
    first, last = depth // 4, depth - depth // 4
    found: Floats = (squares[:, first] / squares[:, last]) ** (1 / (last - first))
    return found
