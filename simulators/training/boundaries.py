"""Where trained networks decide: how far samples are from the decision, and how far mini-batches
move the boundaries of hidden units.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulators.lazy import torch
from simulators.training.networks import Networks

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["boundary_movement", "margins"]

_MOVING = ("batch", "recentre")
"""Normalisations that take a batch's mean off, and so move a unit's boundary with it."""


def margins(nets: Networks, samples: Tensor, labels: Tensor, like: Tensor) -> Tensor:
    """Distance of samples to the decision boundary, to first order: ``(replicas, n)``.

    That is the least, over the other classes, of (f_y - f_c)/‖∇(f_y - f_c)‖, where f are the last
    layer's values, y is the label and the gradient is with respect to the sample. It is negative
    where a sample is taken for another class. For a network that is affine between the sample and
    the boundary it is the distance itself.

    Args:
        nets: whose decision it is.
        samples: ``(replicas, n, d)``.
        labels: ``(replicas, n)``.
        like: samples, ``(replicas, N, d)``, whose statistics stand for those of a batch.

    Cost: of a gradient step on the samples for each class.

    Example:
        >>> from simulators.training.networks import Design
        >>> weights = [torch.eye(2)[None], torch.tensor([[[1.0, -1.0], [0.0, 0.0]]])]
        >>> biases = [torch.zeros(1, 1, 2), torch.zeros(1, 1, 2)]
        >>> nets = Networks(Design(1, 2, activation="identity"), weights, biases)
        >>> samples = torch.tensor([[[3.0, 7.0], [-2.0, 7.0]]])
        >>> margins(nets, samples, torch.tensor([[0, 0]]), samples)
        tensor([[ 3., -2.]])
    """
    still = nets.with_constants(like)
    given = samples.detach().clone().requires_grad_()
    outputs = still.outputs(given)
    right = labels[..., None]
    own = outputs.gather(2, right).squeeze(2)
    found = torch.full_like(own, math.inf)
    for number in range(outputs.shape[-1]):
        ahead = own - outputs[..., number]
        (slope,) = torch.autograd.grad(ahead.sum(), given, retain_graph=True)
        distance = (ahead / slope.norm(dim=2)).detach()
        found = torch.where(labels == number, found, torch.minimum(found, distance))
    return found


def boundary_movement(nets: Networks, samples: Tensor, batches: Sequence[Tensor]) -> Tensor:
    """How far mini-batches move the boundaries of hidden units, in units of σ/‖w‖: ``(replicas,
    depth)``.

    In each hidden layer a unit turns on where w·h = μ_B - βσ_B, by mean and standard deviation of
    its values over the batch, and by its bias β. The distance of that boundary from where the
    statistics of all N samples put it is |μ_B - βσ_B - μ + βσ|/‖w‖. Given is its root mean square
    over batches and units, over that of σ/‖w‖ over units. Layers before are normalised by the same
    batch. For batches of b that are drawn without replacement, layers before that stay as they are,
    and biases of zero it would be √((N-b)/(b(N-1))). NaN where normalisation takes no mean off.

    Args:
        nets: whose units.
        samples: ``(replicas, N, d)``, of which batches are made.
        batches: of each ``(replicas, b)``, the samples in it.

    Cost: one pass over all that is in the batches.

    Example:
        >>> from simulators.training.networks import Design
        >>> generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
        >>> samples = torch.randn(2, 64, 4, generator=torch.Generator().manual_seed(0))
        >>> nets = Networks.drawn(Design(2, 8, "batch"), samples, 10, generators)
        >>> every = torch.arange(64).expand(2, -1)
        >>> bool((boundary_movement(nets, samples, [every]) < 1e-6).all())
        True
    """
    shape = samples.shape[0], nets.design.depth
    if nets.design.normalisation not in _MOVING:
        return samples.new_full(shape, math.nan)
    usual = nets.unit_boundaries(samples)
    rows = torch.arange(len(samples))[:, None]
    moved = samples.new_zeros(shape)
    for chosen in batches:
        placed = nets.unit_boundaries(samples[rows, chosen])
        for number, ((_, there), (_, here)) in enumerate(zip(usual, placed, strict=True)):
            squares = (here - there).square() * nets.inverse_squares(number)
            moved[:, number] += squares.mean(dim=1) / len(batches)
    spreads = [
        (values.var(dim=1, correction=0) * nets.inverse_squares(number)).mean(dim=1)
        for number, (values, _) in enumerate(usual)
    ]
    return (moved / torch.stack(spreads, dim=1)).sqrt()
