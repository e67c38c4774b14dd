"""A piecewise affine network: operations in order, evaluated at samples in floats and exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpq, fmpq_mat

from simulators.splines.operations import Activation, Floats, Operation
from simulators.splines.rationals import sign_of

__all__ = ["Network", "last_reads"]


@dataclass(frozen=True, eq=False)
class Network:
    """Operations in the order in which they are carried out; the last gives the output.

    - ``inputs``: the dimension D of the input
    - ``remarks``: lines for the reader, such as which statistics are exact

    Example:
        >>> from simulators.splines.operations import Affine
        >>> layer = Affine(0, np.array([[1.0], [-1.0]]), np.array([0.0, 1.0]))
        >>> network = Network(1, (layer, Activation(1, 0.0)))
        >>> network(np.array([[0.5]])).tolist(), network.widths
        ([[0.5, 0.5]], (2,))
        >>> network.exactly([fmpq(1, 3)])
        [1/3, 2/3]
    """

    inputs: int
    operations: tuple[Operation, ...]
    remarks: tuple[str, ...] = ()

    @property
    def activations(self) -> tuple[Activation, ...]:
        """The activations, first to last: the layers that the regions are counted by."""
        return tuple(each for each in self.operations if isinstance(each, Activation))

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of units of each activation."""
        probe = self.values(np.zeros((1, self.inputs)))
        return tuple(len(probe[each.source]) for each in self.activations)

    @np.errstate(over="ignore", invalid="ignore")
    def values(self, points: Floats) -> list[Floats]:
        """All values at float samples, each of shape (n, N).

        Args:
            points: (N, D), a sample a row.
        """
        values = [np.ascontiguousarray(points.T)]
        for operation in self.operations:
            values.append(operation.of_samples([values[k] for k in operation.reads]))
        return values

    def __call__(self, points: Floats) -> Floats:
        """The output (N, outputs) at float samples (N, D)."""
        return self.values(points)[-1].T

    def exactly(self, point: Sequence[fmpq]) -> list[fmpq]:
        """The output at a rational point of D coordinates.

        Args:
            point: D rationals.
        """
        values = [fmpq_mat(self.inputs, 1, list(point))]
        for operation in self.operations:
            if isinstance(operation, Activation):
                source = values[operation.source]
                signs = [sign_of(source[i, 0]) for i in range(source.nrows())]
                values.append(operation.exactly_where(source, signs))
            else:
                values.append(operation.exactly([values[k] for k in operation.reads]))
        return [values[-1][i, 0] for i in range(values[-1].nrows())]


def last_reads(operations: Sequence[Operation]) -> Mapping[int, int]:
    """The number of the last operation that reads each value; what none reads is left out.

    Example:
        >>> from simulators.splines.operations import Sum
        >>> last_reads([Sum(0, 0), Sum(0, 1)])
        {0: 1, 1: 1}
    """
    return {k: i for i, operation in enumerate(operations) for k in operation.reads}
