"""Treatments that are compared: networks trained by the same seeds, batch by batch the same.

What a treatment gives is kept while the process lasts, so that statements share it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulators.arguments import require
from simulators.sweeps.store import StoreError
from simulators.training import Design, Experiment, Recipe, TrainingError, images_from
from theorems.checking.medians import Case, Medians, Sample
from theorems.context import Context
from theorems.statement import ClaimError

if TYPE_CHECKING:
    from simulators.training import Trained

__all__ = [
    "Curve",
    "Treatment",
    "along_training",
    "compared",
    "curve",
    "loss",
    "losses_at",
    "nothing_done",
    "over",
    "progress_over",
    "rank_correlation",
    "shuffled",
    "told",
]

Floats = NDArray[np.float64]
#: What is measured of a treatment, of each network.
Measure = Callable[["Treatment", Context], Floats]
#: What each seed gave of a series of treatments, for a figure, as JSON.
Curve = Mapping[str, object]

SEEDS = 32
"""Networks of each treatment: the median's interval at the usual level leaves out the outermost."""


@dataclass(frozen=True)
class Sizes:
    """Of a published experiment: units of each layer, samples of a batch, epochs over all images.

    Example:
        >>> PUBLISHED.width
        800
    """

    width: int
    batch_size: int
    epochs: int

    def of(self, design: Design, recipe: Recipe, samples: int) -> tuple[Design, Recipe]:
        """A design and its recipe at these sizes; as they are where no step is made.

        - ``design``, ``recipe``: at small sizes, whose depth and rate are kept
        - ``samples``: images that there are to learn from

        Example:
            >>> design, recipe = PUBLISHED.of(Design(20, 64), Recipe(150), 50_000)
            >>> design.depth, design.width, recipe.steps
            (20, 800, 3000)
        """
        if not recipe.steps:
            return design, recipe
        steps = self.epochs * (samples // self.batch_size)
        longer = replace(recipe, steps=steps, batch_size=self.batch_size, samples=samples)
        return replace(design, width=self.width), longer


PUBLISHED = Sizes(width=800, batch_size=500, epochs=30)
"""Of DJB21's Figures 3 and 4, by the authors' notebook; there 5 networks are trained, or 4."""


_AS_PUBLISHED = (
    f"as published: width {PUBLISHED.width}, batches of {PUBLISHED.batch_size}, "
    f"{PUBLISHED.epochs} epochs over all images"
)


@cache
def _usual() -> Experiment:
    return Experiment(images_from("digits"))


@dataclass(frozen=True)
class Treatment:
    """Networks of a design, trained by a recipe on the digits or on the images of an experiment.

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
        """What came of its networks, at the seed and in the experiment of the context. Which images
        one that diverged has right is the class of NaN, and no answer: its shares are NaN.
        """

        def tell(words: str) -> None:
            context.progress(f"{self.design.depth} layers, {words}")

        stream = context.stream("training", self.weights)
        return _trained(self, stream, context.experiment or _usual(), _Quiet(tell))


class _Quiet:
    """A function that takes no part in what is remembered."""

    def __init__(self, call: Callable[[str], None]) -> None:
        self.call = call

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Quiet)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=128)
def _trained(
    treatment: Treatment, stream: tuple[int, ...], experiment: Experiment, told: _Quiet
) -> Trained:
    seeds = [(*stream, number) for number in range(treatment.seeds)]
    design, recipe = _sized(treatment, experiment)
    try:
        found = experiment.trained(design, recipe, seeds, told.call)
    except (TrainingError, StoreError) as error:
        raise ClaimError(str(error)) from None
    learnt, tested = (
        np.where(found.settled, shares, np.nan) for shares in (found.accuracy, found.test_accuracy)
    )
    return replace(found, accuracy=learnt, test_accuracy=tested)


def told(treatment: Treatment, experiment: Experiment) -> str:
    """What networks of a treatment are, how they are trained and on what, in words; not how deep.

    - ``treatment``: of which
    - ``experiment``: on whose images, and at which sizes

    Example:
        >>> told(Treatment(Design(1, 8), Recipe(steps=5, learning_rate=0.1)), _usual())
        '8 units, 5 steps of 64 at rate 0.1, 512 images of digits, 32 seeds'
        >>> told(Treatment(Design(1, 8, kernel=3), Recipe(steps=0)), _usual())
        '8 channels, no step, 512 images of digits, 32 seeds'
    """
    design, recipe = _sized(treatment, experiment)
    steps = f"{recipe.steps} steps of {recipe.batch_size} at rate {recipe.learning_rate:g}"
    return (
        f"{design.width} {'channels' if design.kernel else 'units'}, "
        f"{steps if recipe.steps else 'no step'}, "
        f"{recipe.samples} images of {experiment.images.name}, {treatment.seeds} seeds"
    )


def _sized(treatment: Treatment, experiment: Experiment) -> tuple[Design, Recipe]:
    """What is trained in an experiment."""
    if not experiment.full:
        return treatment.design, treatment.recipe
    images = experiment.images
    require(
        images.training.count >= PUBLISHED.batch_size,
        f"{images.place}: {images.training.count} images to learn from, fewer than the "
        f"{PUBLISHED.batch_size} of a published batch; give a folder with the whole set, or leave "
        "out --full",
        TrainingError,
    )
    return PUBLISHED.of(treatment.design, treatment.recipe, images.training.count)


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
    """What measures the loss of one treatment over that of another, seed by seed. Where both count
    as a guess, as where both diverged, nothing was compared: it is NaN, which is counted as any
    number.

    - ``treated``, ``control``: the two

    Example:
        >>> few = Treatment(Design(1, 16), Recipe(steps=50, samples=64, learning_rate=0.1))
        >>> over(few, few)(Context(0, 1e-6)).max()
        np.float64(1.0)
    """

    def measure(context: Context) -> Floats:
        above, below = loss(treated, context), loss(control, context)
        learnt = np.minimum(above, below) < math.log(10)
        found: Floats = np.divide(above, below, out=np.full_like(above, np.nan), where=learnt)
        return found

    return measure


def nothing_done(control: Treatment) -> Callable[[Context], Floats]:
    """What measures a treatment that does nothing: other seeds of the control, over it.

    - ``control``: what is compared with

    Example:
        >>> few = Treatment(Design(1, 16), Recipe(steps=50, samples=64, learning_rate=0.1))
        >>> bool(nothing_done(few)(Context(0, 1e-6)).std() > 0)
        True
    """
    return over(replace(control, weights="other"), control)


def progress_over(deep: Treatment, shallow: Treatment) -> Callable[[Context], Floats]:
    """What measures the progress of one treatment over that of another, seed by seed: by how much
    the loss at the end is below that of a guess. Where the latter made none it is NaN, which is
    counted as any number.

    - ``deep``, ``shallow``: the two

    Example:
        >>> few = Treatment(Design(1, 16), Recipe(steps=50, samples=64, learning_rate=0.1))
        >>> progress_over(few, few)(Context(0, 1e-6)).max()
        np.float64(1.0)
    """

    def measure(context: Context) -> Floats:
        above, below = (math.log(10) - loss(each, context) for each in (deep, shallow))
        found: Floats = np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
        return found

    return measure


def rank_correlation(first: Sequence[Floats], second: Sequence[Floats]) -> Floats:
    """Spearman's rank correlation of two quantities over a list of treatments, of each seed; NaN
    where one of them is constant, as where all diverged, which is counted as any number.

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
    found: Floats = np.divide(products, scale, out=np.full_like(products, np.nan), where=scale > 0)
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


def curve(panel: str, series: str, points: Mapping[str, Floats] | Mapping[int, Floats]) -> Curve:
    """What each seed gave of a series of treatments, for a figure.

    - ``panel``: what is measured, in words; ``series``: of which treatments
    - ``points``: where each stands, a number or a word, and its values, ``(seeds,)``

    Five digits are kept. What is not finite is None.

    Example:
        >>> curve("loss", "He", {4: np.array([0.1234567, np.nan])})["values"]
        [[0.12346, None]]
    """
    rows = [[_digits(float(value)) for value in values] for values in points.values()]
    return {"panel": panel, "series": series, "at": [*points], "values": rows}


def _digits(value: float) -> float | None:
    return float(f"{value:.5g}") if math.isfinite(value) else None


def losses_at(
    panel: str, series: str, treatments: Mapping[int, Treatment]
) -> Callable[[Context], Curve]:
    """What gives the losses at the end against what treatments differ in.

    - ``panel``, ``series``: as of `curve`
    - ``treatments``: by what they differ in, such as the number of layers

    Example:
        >>> few = Treatment(Design(1, 8), Recipe(steps=1, samples=64))
        >>> losses_at("loss", "He", {1: few})(Context(0, 1e-6))["at"]
        [1]
    """

    def measure(context: Context) -> Curve:
        return curve(panel, series, {at: loss(each, context) for at, each in treatments.items()})

    return measure


def along_training(
    panel: str, series: str, treatment: Treatment, measured: str = "losses"
) -> Callable[[Context], Curve]:
    """What gives a quantity against the steps of training, at the checkpoints of the recipe.

    - ``panel``, ``series``: as of `curve`
    - ``treatment``: of which
    - ``measured``: ``"losses"``, ``"gaps"`` or ``"ranks"`` of `simulators.training.Trained`

    Example:
        >>> few = Treatment(Design(1, 8), Recipe(steps=4, samples=64, checkpoints=2))
        >>> along_training("loss", "He", few)(Context(0, 1e-6))["at"]
        [0, 2, 4]
    """

    def measure(context: Context) -> Curve:
        _, recipe = _sized(treatment, context.experiment or _usual())
        found = getattr(treatment.trained(context), measured)
        parts = range(recipe.checkpoints + 1)
        steps = [recipe.steps * part // recipe.checkpoints for part in parts]
        return curve(panel, series, dict(zip(steps, found.T, strict=True)))

    return measure


def compared(
    label: str,
    values: Mapping[str, float],
    measures: Mapping[str, Callable[[Context], Floats]],
    of: Treatment,
    resolution: float = 0.01,
    published: bool = True,
    curves: Sequence[Callable[[Context], Curve]] = (),
) -> Medians:
    """A check of the medians over seeds of what is measured.

    - ``label``: of what is compared, in words
    - ``values``: of the statement's variables there
    - ``measures``: for each sampled symbol what gives it, ``(seeds,)``
    - ``of``: the treatment that is claimed about, whose sizes stand in the evidence
    - ``resolution``: of an equality, as of `Medians`
    - ``published``: whether a full experiment is at the sizes `PUBLISHED`, or small as well
    - ``curves``: what its evidence holds for figures

    Example:
        >>> few = Treatment(Design(1, 8), Recipe(steps=1, samples=64))
        >>> check = compared("nothing", {"L": 1}, {"x": lambda context: np.ones(40)}, few)
        >>> [case.label for case in check.cases(None)]
        ['nothing']
    """

    def draw(context: Context) -> Sample:
        experiment = context.experiment or _usual()
        full = experiment.full and published
        here = replace(context, experiment=replace(experiment, full=full))
        notes: dict[str, object] = {
            "images": experiment.images.words,
            "sizes": _AS_PUBLISHED if full else "as stated",
        }
        if curves:
            notes["curves"] = [each(here) for each in curves]
        return Sample(
            {name: [measure(here)] for name, measure in measures.items()},
            notes=notes,
            sizes={"d": PUBLISHED.width} if full else {},
            place=told(of, replace(experiment, full=full)),
        )

    case = Case(label, values, draw, share=len(measures))
    return Medians(lambda batch: [case], resolution=resolution, trains=True)
