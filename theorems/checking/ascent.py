"""Maximisers on the unit cube, which propose counterexamples; exact arithmetic disposes.

Gradient ascent runs in Torch where the score is differentiable. Elsewhere it is differential
evolution from SciPy, which the project needs anyway: it takes bounds, evaluates a generation at
once, copes with the kinks and plateaus of ranks and minima, and is reproducible from a seed.
Nevergrad and CMA would each be a dependency more, for problems of some ten dimensions and a few
thousand evaluations, where they gain little.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import differential_evolution

from simulators.arrays import Array, Floats

if TYPE_CHECKING:
    import torch

__all__ = ["ascend", "evolve"]


def ascend(
    score: Callable[[torch.Tensor], Array],
    starts: Floats,
    *,
    steps: int = 150,
    rate: float = 0.05,
) -> Floats:
    """Points (k, dimensions) that Adam on ``score`` reaches from ``starts``, the best first.

    Each is the best on its way, in the unit cube. ``score`` maps a float64 Torch tensor (k,
    dimensions) to (k,), larger is better, and may be NaN. Nothing is random.

    Cost: ``steps`` evaluations of the score and its gradient.

    Example:
        >>> found = ascend(lambda u: -((u - 0.25) ** 2).sum(axis=1), np.array([[0.5], [0.9]]))
        >>> bool((abs(found - 0.25) < 0.01).all())
        True
    """
    import torch

    u = torch.tensor(starts, dtype=torch.float64)
    best, best_at = torch.full((len(starts),), -torch.inf, dtype=torch.float64), u.clone()
    mean, square = torch.zeros_like(u), torch.zeros_like(u)
    for step in range(1, steps + 1):
        u.requires_grad_(True)
        value = torch.as_tensor(score(u))
        if not value.requires_grad:
            break  # constant
        (gradient,) = torch.autograd.grad(torch.nan_to_num(value, nan=0.0).sum(), u)
        with torch.no_grad():
            better = torch.nan_to_num(value, nan=-torch.inf) > best
            best, best_at = (
                torch.where(better, value, best),
                torch.where(better[:, None], u, best_at),
            )
            # Adam (Kingma & Ba, 2015), written out: torch.optim takes seconds to import a compiler
            gradient = torch.nan_to_num(gradient, 0.0, 0.0, 0.0)
            mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
            move = (mean / (1 - 0.9**step)) / ((square / (1 - 0.999**step)).sqrt() + 1e-12)
            u = (u + rate * 0.1 ** (2 * step / steps) * move).clamp(0.0, 1.0)
    found: Floats = best_at[torch.argsort(best, descending=True)].numpy()
    return found


def evolve(
    score: Callable[[Floats], Array],
    dimensions: int,
    *,
    seed: int,
    generations: int = 60,
    population: int = 12,
    initial: Floats | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Floats:
    """The points (k, dimensions) that differential evolution ends with, best first.

    ``score`` maps (k, dimensions) to (k,), larger is better. A generation has ``population`` points
    per dimension, or begins with the points ``initial`` (k, dimensions), k ≥ 5. ``stop`` is asked
    after every generation.

    Example:
        >>> found = evolve(lambda u: -abs(u[:, 0] - 0.25), 1, seed=0)
        >>> bool(abs(found[0, 0] - 0.25) < 1e-3)
        True
    """

    def loss(u: Floats) -> Floats:
        values = np.asarray(score(np.ascontiguousarray(u.T)))
        losses: Floats = -np.nan_to_num(values, nan=-1e9, posinf=1e9, neginf=-1e9)
        return losses

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a flat score is no error
        found = differential_evolution(
            loss,
            [(0.0, 1.0)] * dimensions,
            rng=np.random.default_rng(seed),
            maxiter=generations,
            popsize=population,
            vectorized=True,
            updating="deferred",
            polish=False,
            tol=0.0,
            atol=0.0,
            callback=lambda *_: stop(),
            init="latinhypercube" if initial is None else initial,
        )
    points: Floats = found.population[np.argsort(found.population_energies)]
    return points
