"""Maximisers on the unit cube for the search of counterexamples: they propose, exact arithmetic disposes.

Gradient ascent runs in Torch where the score is differentiable. Elsewhere it is differential evolution from SciPy,
which the project needs anyway: it takes bounds, evaluates a generation at once, copes with the kinks and plateaus of
ranks and minima, and is reproducible from a seed. Nevergrad and CMA would each be a dependency more, for problems of
some ten dimensions and a few thousand evaluations, where they gain little.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import differential_evolution

__all__ = ["ascend", "evolve"]

Floats = npt.NDArray[np.float64]


def ascend(score: Callable[[Any], Any], starts: Floats, *, steps: int = 150, rate: float = 0.05) -> Floats:
    """Points (k, dimensions) that Adam on ``score`` reaches from ``starts``, each the best on its way, in the cube.

    ``score`` maps a float64 Torch tensor (k, dimensions) to (k,), larger is better, and may be NaN. Nothing random.
    """
    import torch

    u = torch.tensor(starts, dtype=torch.float64, requires_grad=True)
    best, best_at = torch.full((len(starts),), -torch.inf, dtype=torch.float64), u.detach().clone()
    adam = torch.optim.Adam([u], lr=rate, maximize=True)
    for step in range(steps):
        adam.zero_grad()
        value = score(u)
        with torch.no_grad():
            better = torch.nan_to_num(value, nan=-torch.inf) > best
            best, best_at = torch.where(better, value, best), torch.where(better[:, None], u, best_at)
        if not value.requires_grad:
            break  # constant
        torch.nan_to_num(value, nan=0.0).sum().backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            if u.grad is not None:
                u.grad.nan_to_num_(0.0, 0.0, 0.0)
            adam.param_groups[0]["lr"] = rate * 0.1 ** (2 * step / steps)
        adam.step()
        with torch.no_grad():
            u.clamp_(0.0, 1.0)
    found: Floats = best_at[torch.argsort(best, descending=True)].numpy()
    return found


def evolve(
    score: Callable[[Floats], Floats], dimensions: int, *, seed: int, generations: int = 60, population: int = 12,
    stop: Callable[[], bool] = lambda: False,
) -> Floats:
    """The points (k, dimensions) that differential evolution ends with, best first.

    ``score`` maps (k, dimensions) to (k,), larger is better. ``stop`` is asked after every generation.
    """
    def loss(u: Floats) -> Floats:
        values = score(np.ascontiguousarray(u.T))
        return -np.nan_to_num(values, nan=-1e9, posinf=1e9, neginf=-1e9)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a flat score is no error
        found = differential_evolution(
            loss, [(0.0, 1.0)] * dimensions, rng=np.random.default_rng(seed), maxiter=generations, popsize=population,
            vectorized=True, updating="deferred", polish=False, tol=0.0, atol=0.0, callback=lambda *_: stop())
    points: Floats = found.population[np.argsort(found.population_energies)]
    return points
