"""Training many networks at once, with what is worth knowing of each before, while and after."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray

from simulators.arguments import one_of, require, told, whole_number
from simulators.backend import select
from simulators.lazy import torch
from simulators.observables import effective_rank, orthogonality_gap
from simulators.requirements import require_memory
from simulators.training.data import Images
from simulators.training.networks import Design, Networks, require_positive

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Recipe", "Trained", "train"]

OPTIMISERS = ("sgd", "adam")
STATISTICS = ("minibatch", "whole")
LABELS = ("true", "shuffled")

_ASCENT_RATE = 3e-3
"""Of Adam, in the steps of gradient ascent on the rank."""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    - ``steps``: of the optimiser; ``batch_size``: samples in each
    - ``learning_rate``: constant; ``optimiser``: ``"sgd"`` or ``"adam"``, Torch's
    - ``samples``: how many of the images are learnt from, the first ones
    - ``probe``: how many of them gap and rank are measured on
    - ``checkpoints``: how often, evenly over the steps, losses and gaps are measured
    - ``statistics``: ``"minibatch"``, as usual, or ``"whole"``: batch normalisation by the
      statistics of all samples to be learnt from, in every step
    - ``labels``: ``"true"``, or ``"shuffled"`` among the samples to be learnt from

    Raises ``ValueError`` or ``TypeError``, in one line, for what is none of these.

    Example:
        >>> Recipe(steps=100).batch_size
        64
    """

    steps: int
    batch_size: int = 64
    learning_rate: float = 0.05
    optimiser: str = "sgd"
    samples: int = 512
    probe: int = 32
    checkpoints: int = 1
    statistics: str = "minibatch"
    labels: str = "true"

    def __post_init__(self) -> None:
        whole_number("steps", self.steps, 0)
        whole_number("batch_size", self.batch_size, 2)
        whole_number("samples", self.samples, self.batch_size)
        whole_number("probe", self.probe, 2)
        whole_number("checkpoints", self.checkpoints, 1)
        require_positive("learning_rate", self.learning_rate)
        one_of("optimiser", self.optimiser, OPTIMISERS)
        one_of("statistics", self.statistics, STATISTICS)
        one_of("labels", self.labels, LABELS)


@dataclass(frozen=True, eq=False)
class Trained:
    """What training gave, of each replica. A number that overflowed is as Torch has it, inf or NaN.

    - ``losses``: of all samples learnt from, mean cross-entropy in nats, ``(replicas,
      checkpoints + 1)``, first at initialisation
    - ``gaps``, ``ranks``: orthogonality gap and effective rank of the probe's samples in the last
      hidden layer, at the same times
    - ``accuracy``, ``test_accuracy``: at the end, of the samples learnt from and of the test's
    - ``growth``: at initialisation, the logarithm of the squared norm of the loss's gradient at the
      first hidden layer over that at the last, ``(replicas,)``
    - ``diverged``: the step in which the loss was first not finite, or -1

    Example:
        >>> zeros = np.zeros((2, 2))
        >>> many = Trained(zeros, zeros, zeros, zeros[0], zeros[0], zeros[0], np.array([-1, 3]))
        >>> many.settled
        array([ True, False])
    """

    losses: NDArray[np.float64]
    gaps: NDArray[np.float64]
    ranks: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]
    growth: NDArray[np.float64]
    diverged: NDArray[np.int64]

    @property
    def settled(self) -> NDArray[np.bool_]:
        """Which replicas kept a finite loss."""
        return self.diverged < 0


def train(
    design: Design,
    recipe: Recipe,
    images: Images,
    seeds: Sequence[Sequence[int]],
    *,
    device: str = "cpu",
    progress: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train a network for each seed, all at once.

    Args:
        design: what the networks are.
        recipe: how they are trained.
        images: what they learn.
        seeds: entropy of each, whole numbers from 0. Of equal seeds, designs that differ get the
            same batches in the same order.
        device: Torch's.
        progress: told the step, the median loss and how many diverged.

    Returns:
        What came of each. One whose loss stops being finite is recorded, and does no harm to the
        others; where all did, training stops.

    Raises:
        ValueError: a recipe of more samples than the images have, a device that is not there, or
            more than the memory of this machine; in one line.

    Cost: ``replicas × steps × batch_size × depth × width²`` multiply-adds, six times.

    Example:
        >>> from simulators.training.data import images_from
        >>> recipe = Recipe(steps=30, samples=128, optimiser="adam", learning_rate=0.01)
        >>> found = train(Design(depth=2, width=32), recipe, images_from(), [(0,), (1,)])
        >>> bool((found.losses[:, 1] < found.losses[:, 0]).all()), found.diverged.tolist()
        (True, [-1, -1])
    """
    require(len(seeds), "seeds are none; give at least one")
    for seed in seeds:
        _require_entropy(seed)
    there = images.training.count
    require(
        recipe.samples <= there,
        f"samples={recipe.samples}: {images.name} has {there} to learn from",
    )
    place = select("float32", device).device
    replicas, layers = len(seeds), design.depth
    values = replicas * layers * design.width * (6 * recipe.samples + 4 * design.width)
    require_memory(4 * values, f"{replicas} networks of depth {layers} and width {design.width}")
    with _one_thread():
        return _Run(design, recipe, images, seeds, place, progress).outcome()


def _require_entropy(seed: object) -> None:
    """Raise ``TypeError`` or ``ValueError`` for what is no sequence of whole numbers from 0."""
    if not isinstance(seed, Sequence) or isinstance(seed, str | bytes) or not seed:
        raise TypeError(f"seeds hold {told(seed)}; give for each a sequence, such as (0, 1)")
    for number in seed:
        whole_number("seeds: an entry", number, 0)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Torch's products by one thread: of networks this small more are slower, and last bits would
    depend on how many cores there are.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class _Run:
    """One group of replicas on its way."""

    def __init__(
        self,
        design: Design,
        recipe: Recipe,
        images: Images,
        seeds: Sequence[Sequence[int]],
        device: str,
        progress: Callable[[str], None],
    ) -> None:
        self.recipe, self.design, self.progress = recipe, design, progress
        self.replicas = len(seeds)
        streams = [SeedSequence(tuple(seed)).spawn(3) for seed in seeds]
        weights, batches, labels = (
            list(map(_generator, each)) for each in zip(*streams, strict=True)
        )
        self.batches = [self._indices(generator) for generator in batches]
        features = images.features(images.training)[: recipe.samples]
        self.features = torch.from_numpy(features).to(device)
        targets = torch.from_numpy(images.training.labels[: recipe.samples])
        self.labels = targets.expand(self.replicas, -1).to(device)
        if recipe.labels == "shuffled":
            orders = [torch.randperm(recipe.samples, generator=g) for g in labels]
            self.labels = torch.stack([targets[order] for order in orders]).to(device)
        self.test = torch.from_numpy(images.features(images.test)).to(device)
        self.test_labels = torch.from_numpy(images.test.labels).to(device)
        self.whole = self._for_all(self.features)
        self.nets = Networks.drawn(design, self.whole, images.classes, weights)

    def _for_all(self, samples: Tensor) -> Tensor:
        return samples.expand(self.replicas, -1, -1)

    def _indices(self, generator: Any) -> Iterator[list[int]]:
        """Batches of a replica: Torch's sampler, epoch after epoch."""
        data = torch.utils.data
        sampler = data.RandomSampler(range(self.recipe.samples), generator=generator)
        while True:
            yield from data.BatchSampler(sampler, self.recipe.batch_size, drop_last=True)

    def outcome(self) -> Trained:
        """Train, and measure."""
        if self.design.ascent:
            self._raise_rank()
        growth = self._growth()
        diverged = np.full(self.replicas, -1)
        measured = [self._measured()]
        for part in range(self.recipe.checkpoints):
            first, last = (self._step_of(part), self._step_of(part + 1))
            self._train(first, last, diverged)
            measured.append(self._measured())
            lost = diverged >= 0
            told = "all" if lost.all() else f"loss {np.median(measured[-1][0][~lost]):.3g}"
            told += f", {lost.sum()} diverged" if lost.any() else ""
            self.progress(f"step {last} of {self.recipe.steps}: {told}")
        losses, gaps, ranks = (np.stack(each, axis=1) for each in zip(*measured, strict=True))
        accuracy, test_accuracy = self._accuracies()
        return Trained(losses, gaps, ranks, accuracy, test_accuracy, growth, diverged)

    def _step_of(self, checkpoint: int) -> int:
        return self.recipe.steps * checkpoint // self.recipe.checkpoints

    def _optimiser(self) -> Any:
        parameters = [p.requires_grad_() for p in self.nets.parameters]
        if not hasattr(self, "_made"):
            kind = torch.optim.Adam if self.recipe.optimiser == "adam" else torch.optim.SGD
            self._made = kind(parameters, lr=self.recipe.learning_rate)
        return self._made

    def _train(self, first: int, last: int, diverged: NDArray[np.int64]) -> None:
        optimiser = self._optimiser()
        rows = torch.arange(self.replicas)[:, None]
        for step in range(first, last):
            if (diverged >= 0).all():
                return
            chosen = torch.tensor([next(indices) for indices in self.batches])
            like = None
            if self.recipe.statistics == "whole" and self.design.normalisation != "none":
                like = self.whole
            outputs = self.nets.outputs(self.features[chosen], like)
            losses = _losses(outputs, self.labels[rows, chosen])
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(losses.sum())
            optimiser.step()
            lost = ~np.isfinite(losses.detach().cpu().numpy())
            diverged[lost & (diverged < 0)] = step

    def _raise_rank(self) -> None:
        """Gradient ascent on the effective rank of the probe's samples in the last hidden layer."""
        hidden = [*self.nets.weights[:-1], *self.nets.biases[:-1]]
        optimiser = torch.optim.Adam([p.requires_grad_() for p in hidden], lr=_ASCENT_RATE)
        probe = self._for_all(self.features[: self.recipe.probe])
        for _ in range(self.design.ascent):
            optimiser.zero_grad(set_to_none=True)
            rank = effective_rank(self.nets.hidden(probe)[-1].mT)
            torch.autograd.backward(-torch.as_tensor(rank).log().sum())
            optimiser.step()

    def _growth(self) -> NDArray[np.float64]:
        """See `Trained.growth`: on the probe's samples."""
        probe = self._for_all(self.features[: self.recipe.probe]).clone().requires_grad_()
        hidden = self.nets.hidden(probe)
        ends = [hidden[0], hidden[-1]]
        outputs = torch.baddbmm(self.nets.biases[-1], hidden[-1], self.nets.weights[-1])
        loss = _losses(outputs, self.labels[:, : self.recipe.probe]).sum()
        first, last = torch.autograd.grad(loss, ends)
        squares = [each.double().square().sum(dim=(1, 2)) for each in (first, last)]
        found: NDArray[np.float64] = (squares[0].log() - squares[1].log()).numpy(force=True)
        return found

    def _measured(self) -> tuple[NDArray[np.float64], ...]:
        """Losses, gaps and ranks now."""
        with torch.no_grad():
            losses = _losses(self.nets.outputs(self.whole), self.labels)
            probe = self._for_all(self.features[: self.recipe.probe])
            last = self.nets.hidden(probe)[-1].mT.double()
            found = (losses, orthogonality_gap(last), effective_rank(last))
        return tuple(torch.as_tensor(each).double().numpy(force=True) for each in found)

    def _accuracies(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        with torch.no_grad():
            learnt = self.nets.outputs(self.whole).argmax(dim=-1) == self.labels
            given = self.nets.outputs(self._for_all(self.test), self.whole).argmax(dim=-1)
            shares = [hits.double().mean(dim=1) for hits in (learnt, given == self.test_labels)]
        return shares[0].numpy(force=True), shares[1].numpy(force=True)


def _generator(stream: SeedSequence) -> Any:
    return torch.Generator().manual_seed(int(stream.generate_state(1, np.uint64)[0] >> 1))


def _losses(outputs: Tensor, labels: Tensor) -> Tensor:
    """Of each replica the mean over its samples."""
    each = torch.nn.functional.cross_entropy(
        outputs.flatten(0, 1), labels.flatten(), reduction="none"
    )
    return each.reshape(labels.shape).mean(dim=1)


def chance(images: Images) -> float:
    """The loss of a guess that takes every label for as likely, in nats.

    Args:
        images: whose labels are guessed.

    Example:
        >>> from simulators.training.data import images_from
        >>> round(chance(images_from()), 3)
        2.303
    """
    return math.log(images.classes)
