"""Treatments that are compared: networks trained by the same seeds, batch by batch the same.

What a treatment gives is kept while the process lasts, so that statements share it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulators.training import Design, Recipe, images_from, train
from theorems.checking.medians import Case, Medians, Sample
from theorems.context import Context

if TYPE_CHECKING:
    from simulators.training import Trained

__all__ = [
    "Treatment",
    "compared",
    "loss",
    "nothing_done",
    "over",
    "rank_correlation",
    "shuffled",
]

Floats = NDArray[np.float64]
#: What is measured of a treatment, of each network.
Measure = Callable[["Treatment", Context], Floats]

SEEDS = 32
"""Networks of each treatment: the median's interval at the usual level leaves out the outermost."""


@dataclass(frozen=True)
class Treatment:
    """Networks of a design, trained by a recipe on the digits.

    - ``weights``: ``"paired"``, of the seeds that all treatments share, or ``"other"``, of others:
      a treatment that does nothing
    - ``seeds``: how many networks there are

    Example:
        >>> few = Treatment(Design(1, 8), Recipe(steps=1, samples=64))
        >>> few.trained(Context(0, 1e-6)).losses.shape
        (32, 2)
    """

    design: Design
    recipe: Recipe
    weights: str = "paired"
    seeds: int = SEEDS

    def trained(self, context: Context) -> Trained:
        """What came of its networks, at the seed of the context."""

        def told(words: str) -> None:
            context.progress(f"{self.design.depth} layers, {words}")

        return _trained(self, context.stream("training", self.weights), _Quiet(told))


class _Quiet:
    """A function that takes no part in what is remembered."""

    def __init__(self, call: Callable[[str], None]) -> None:
        self.call = call

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Quiet)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=128)
def _trained(treatment: Treatment, stream: tuple[int, ...], told: _Quiet) -> Trained:
    seeds = [(*stream, number) for number in range(treatment.seeds)]
    images = images_from("digits")
    return train(treatment.design, treatment.recipe, images, seeds, progress=told.call)


def loss(treatment: Treatment, context: Context) -> Floats:
    """Training loss at the end, in nats: at most log 10, that of a guess, which is also what is
    counted of a network that diverged.

    - ``treatment``: what the networks are, and how they are trained
    - ``context``: whose seed is taken

    Example:
        >>> few = Treatment(Design(1, 8), Recipe(steps=1, samples=64, learning_rate=1e9))
        >>> bool(loss(few, Context(0, 1e-6)).max() <= math.log(10))
        True
    """
    found: Floats = np.fmin(treatment.trained(context).losses[:, -1], math.log(10))
    return found


def over(treated: Treatment, control: Treatment) -> Callable[[Context], Floats]:
    """What measures the loss of one treatment over that of another, seed by seed.

    - ``treated``, ``control``: the two

    Example:
        >>> few = Treatment(Design(1, 8), Recipe(steps=1, samples=64))
        >>> over(few, few)(Context(0, 1e-6)).max()
        np.float64(1.0)
    """

    def measure(context: Context) -> Floats:
        found: Floats = loss(treated, context) / loss(control, context)
        return found

    return measure


def nothing_done(control: Treatment) -> Callable[[Context], Floats]:
    """What measures a treatment that does nothing: other seeds of the control, over it.

    - ``control``: what is compared with

    Example:
        >>> few = Treatment(Design(1, 8), Recipe(steps=1, samples=64))
        >>> bool(nothing_done(few)(Context(0, 1e-6)).std() > 0)
        True
    """
    return over(replace(control, weights="other"), control)


def rank_correlation(first: Sequence[Floats], second: Sequence[Floats]) -> Floats:
    """Spearman's rank correlation of two quantities over a list of treatments, of each seed; 0
    where one of them is constant.

    - ``first``, ``second``: of each treatment its values, ``(seeds,)``

    Example:
        >>> rank_correlation([np.array([1.0]), np.array([2.0])], [np.array([5.0]), np.array([7.0])])
        array([1.])
    """
    from scipy.stats import rankdata

    ranks = [rankdata(np.stack(each), axis=0) for each in (first, second)]
    a, b = (each - each.mean(axis=0) for each in ranks)
    scale = np.sqrt((a * a).sum(axis=0) * (b * b).sum(axis=0))
    products: Floats = (a * b).sum(axis=0)
    found: Floats = np.divide(products, scale, out=np.zeros_like(products), where=scale > 0)
    return found


def shuffled(values: Sequence[Floats], context: Context) -> list[Floats]:
    """The same values, for each seed in an order of its own over the treatments.

    - ``values``: of each treatment its values, ``(seeds,)``
    - ``context``: whose seed is taken

    Example:
        >>> found = shuffled([np.zeros(2), np.ones(2)], Context(0, 1e-6))
        >>> np.sum(found, axis=0).tolist()
        [1.0, 1.0]
    """
    generator = np.random.default_rng(context.stream("shuffled"))
    return list(generator.permuted(np.stack(values), axis=0))


def compared(
    label: str,
    values: Mapping[str, float],
    measures: Mapping[str, Callable[[Context], Floats]],
    resolution: float = 0.01,
) -> Medians:
    """A check of the medians over seeds of what is measured.

    - ``label``: of what is compared, in words
    - ``values``: of the statement's variables there
    - ``measures``: for each sampled symbol what gives it, ``(seeds,)``
    - ``resolution``: of an equality, as of `Medians`

    Example:
        >>> check = compared("nothing", {"L": 1}, {"x": lambda context: np.ones(40)})
        >>> [case.label for case in check.cases(None)]
        ['nothing']
    """

    def draw(context: Context) -> Sample:
        return Sample({name: [measure(context)] for name, measure in measures.items()})

    case = Case(label, values, draw, share=len(measures))
    return Medians(lambda batch: [case], resolution=resolution)
