"""Signs of units where batch normalisation divides by the square root itself, not by a float of it.

Elsewhere here, scales 1/√(σ² + ε) and deeper means are float64 values, read as the rationals they
are: exact, but of a network that is a little off the one that is written. Here every mean, variance
and root over the batch is enclosed in balls, at a precision that is raised until signs are known.

Guarantee. A sign that is told is that of the network as written, for exactly the weights, ε and
samples as they are stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import arb, arb_mat, ctx, fmpq
from numpy.typing import NDArray

from simulators.arguments import require
from simulators.splines.network import Network
from simulators.splines.operations import Activation, Affine, Floats, Normalisation, Scaling, Sum
from simulators.splines.rationals import rational

__all__ = ["TrueSigns", "enclosed_values", "true_signs"]

#: Bits that are tried, one after another, for signs that are open.
PRECISIONS = (64, 128, 256, 512)


@dataclass(frozen=True, eq=False)
class TrueSigns:
    """Signs at M points: of every unit of every activation, in order.

    - ``signs`` (M, units): -1, 0, 1; 0 where it is not known as well
    - ``known`` (M, units): whether it is

    Example:
        >>> known = np.array([[True]])
        >>> TrueSigns(np.array([[1]], np.int8), known).known.all()
        np.True_
    """

    signs: NDArray[np.int8]
    known: NDArray[np.bool_]


def true_signs(network: Network, batch: Floats, points: Floats) -> TrueSigns:
    """The signs of all units at points, with true square roots.

    A unit that is 0 at a point is known to be only where nothing is rounded on the way, as where a
    dead unit feeds it; else it stays open, as does a unit nearer to 0 than the precision tells.

    Args:
        network: as `read_network` gives it for the batch.
        batch: (N, …), whose statistics batch normalisation has; not looked at where they are
            frozen.
        points: (M, D), a point a row.

    Raises:
        ValueError: samples or points have other than D coordinates, or are not finite.

    Cost: that of the network at N + M samples, in balls, for each precision: small networks.

    Example:
        >>> from simulators.lazy import torch
        >>> from simulators.splines.torch_networks import read_network
        >>> layers = [torch.nn.Linear(1, 1), torch.nn.BatchNorm1d(1), torch.nn.ReLU()]
        >>> batch = np.array([[0.0], [1.0]])
        >>> network = read_network(torch.nn.Sequential(*layers), batch)
        >>> found = true_signs(network, batch, np.array([[0.25], [0.75]]))
        >>> found.known.tolist(), bool(found.signs[0, 0] == -found.signs[1, 0])
        ([[True], [True]], True)
    """
    found = TrueSigns(np.zeros((0, 0), np.int8), np.zeros((0, 0), np.bool_))
    for precision in PRECISIONS:
        values = enclosed_values(network, batch, points, precision)
        read = [values[each.source] for each in network.activations]
        rows = [[_sign(x) for x in row] for matrix in read for row in matrix]
        table = np.array(rows, dtype=np.int8).reshape(len(rows), len(points)).T
        found = TrueSigns(np.where(table == _OPEN, 0, table).astype(np.int8), table != _OPEN)
        if found.known.all():
            break
    return found


def enclosed_values(
    network: Network, batch: Floats, points: Floats, precision: int = 128
) -> list[list[list[arb]]]:
    """Every value of the network at points, in balls, with true square roots.

    Args:
        network: as `read_network` gives it for the batch.
        batch: (N, …), whose statistics batch normalisation has.
        points: (M, D), a point a row.
        precision: in bits.

    Returns:
        For each value, its features, and of each M balls; the first value is the input.

    Raises:
        ValueError: samples or points have other than D coordinates, or are not finite.

    Example:
        >>> from simulators.splines.operations import Affine
        >>> layer = Affine(0, np.array([[0.5]]), np.array([1.0]))
        >>> enclosed_values(Network(1, (layer,)), np.ones((1, 1)), np.array([[4.0]]))[1]
        [[3.00000000000000]]
    """
    rows = [_rows("batch", batch, network.inputs), _rows("points", points, network.inputs)]
    samples, columns = len(rows[0]), np.concatenate(rows).T
    with ctx.workprec(precision):
        values = [[[arb(rational(x)) for x in row] for row in columns]]
        for operation in network.operations:
            read = [values[k] for k in operation.reads]
            match operation:
                case Affine():
                    values.append(_affine(operation, read[0]))
                case Scaling(of=Normalisation() as normalisation):
                    values.append(_normalised(normalisation, read[0], samples))
                case Scaling():
                    values.append(_scaled(operation.scale, operation.shift, read[0]))
                case Activation():
                    slope = arb(rational(operation.slope))
                    values.append([[_activated(x, slope) for x in row] for row in read[0]])
                case Sum():
                    pairs = zip(*read, strict=True)
                    values.append([[a + b for a, b in zip(*pair, strict=True)] for pair in pairs])
    return [[row[samples:] for row in value] for value in values]


def _rows(name: str, samples: Floats, wanted: int) -> Floats:
    array = np.asarray(samples, dtype=np.float64)
    flat = array.reshape(len(array), -1) if array.ndim > 1 and array.size else array
    require(
        flat.ndim == 2 and flat.shape[1] == wanted and np.isfinite(flat).all(),
        f"{name} of shape {array.shape}: want finite samples of {wanted} coordinates, one a row",
    )
    return flat


def _affine(operation: Affine, rows: Sequence[Sequence[arb]]) -> list[list[arb]]:
    weights = operation.entries()
    image = arb_mat(weights) * arb_mat([list(row) for row in rows])
    return [
        [image[i, j] + shift for j in range(image.ncols())]
        for i, shift in enumerate(map(arb, operation.offsets))
    ]


def _normalised(
    made_of: Normalisation, rows: Sequence[Sequence[arb]], samples: int
) -> list[list[arb]]:
    """Channel by channel; the first ``samples`` columns are the batch."""
    found = []
    for channel, (gain, offset) in enumerate(zip(made_of.gains, made_of.offsets, strict=True)):
        first = channel * made_of.positions
        block = rows[first : first + made_of.positions]
        if made_of.running is None:
            seen = [x for row in block for x in row[:samples]]
            mean = sum(seen, arb(0)) / len(seen)
            variance = sum(((x - mean) ** 2 for x in seen), arb(0)) / len(seen)
        else:
            mean, variance = (arb(each[channel]) for each in made_of.running)
        scale = arb(gain) / (variance + arb(made_of.eps)).sqrt()
        found += [[(x - mean) * scale + arb(offset) for x in row] for row in block]
    return found


def _scaled(
    scale: Sequence[fmpq], shift: Sequence[fmpq], rows: Sequence[Sequence[arb]]
) -> list[list[arb]]:
    lines = zip(scale, shift, rows, strict=True)
    return [[arb(factor) * x + arb(term) for x in row] for factor, term, row in lines]


def _activated(x: arb, slope: arb) -> arb:
    """An enclosure of x where x ≥ 0 and of slope times x elsewhere: between its ends and 0."""
    if x >= 0:
        return x
    if x <= 0:
        return slope * x
    return arb(0).union(x.upper()).union(slope * x.lower())


_OPEN = 2


def _sign(x: arb) -> int:
    """-1, 0, 1, or ``_OPEN``."""
    if x > 0 or x < 0:
        return 1 if x > 0 else -1
    return 0 if x == 0 else _OPEN
