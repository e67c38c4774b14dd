"""Training many networks at once, with what is worth knowing of each before, while and after."""

from __future__ import annotations

import itertools
import json
import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray

from simulators.arguments import one_of, require, told, whole_number
from simulators.backend import select
from simulators.lazy import torch
from simulators.observables import effective_rank, orthogonality_gap
from simulators.regular_files import DAMAGE, obstacle
from simulators.requirements import require_memory
from simulators.training.boundaries import boundary_movement, margins
from simulators.training.checkpoints import CheckpointError, read_checkpoint, write_checkpoint
from simulators.training.data import Images
from simulators.training.networks import Design, Networks, require_positive

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "Recipe",
    "Trained",
    "TrainingError",
    "decisive",
    "multiply_adds",
    "require_room",
    "seconds_a_multiply_add",
    "train",
]

_log = logging.getLogger(__name__)

_VERSION = 3
"""What outcomes of another meaning of design and recipe, or of other code, are told apart by."""

OPTIMISERS = ("sgd", "adam")
STATISTICS = ("minibatch", "whole")
LABELS = ("true", "shuffled")

_FASTEST = {"sgd": 3e38, "adam": 3e37}
"""Learning rates beyond which Torch's float32 has no step: Adam's first is the rate over 1 - 0.9."""

_ASCENT_RATE = 3e-3
"""Of Adam, in the steps of gradient ascent on the rank."""

_PART = 10**12
"""Multiply-adds between two checkpoints of a long run: a minute or a few of a core."""

_BATCHES_SEEN = 32
"""Mini-batches over which the movement of boundaries is measured."""

_BETWEEN_WORDS = 0.5
"""Seconds between two words of how far a run has come."""


class TrainingError(ValueError):
    """Training that this machine cannot do. One line: what, what is wanting, the remedy.

    Example:
        >>> print(TrainingError("4 networks: the memory of cuda:0 does not hold them; train fewer"))
        4 networks: the memory of cuda:0 does not hold them; train fewer
    """


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    - ``steps``: of the optimiser; ``batch_size``: samples in each
    - ``learning_rate``: constant, at most 3e38, 3e37 of Adam, so that float32 holds its steps;
      ``optimiser``: ``"sgd"`` or ``"adam"``, Torch's
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
        rate = require_positive("learning_rate", self.learning_rate)
        one_of("optimiser", self.optimiser, OPTIMISERS)
        fastest = _FASTEST[self.optimiser]
        require(
            rate <= fastest,
            f"learning_rate={rate!r}: beyond what float32 holds of {self.optimiser}; give at most "
            f"{fastest:g}",
        )
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
    - ``margin``: at the end, the median over the probe's samples of their distance to the decision
      boundary, as `simulators.training.boundaries.margins` has it, ``(replicas,)``
    - ``moved``: at the end, how far 32 mini-batches move the boundaries of each hidden layer's
      units, as `simulators.training.boundaries.boundary_movement` has it, ``(replicas, depth)``
    - ``growth``: at initialisation, the logarithm of the squared norm of the loss's gradient at the
      first hidden layer over that at the last, ``(replicas,)``
    - ``diverged``: the step in which the loss was first not finite, or -1

    Example:
        >>> from simulators.training.data import images_from
        >>> recipe = Recipe(steps=8, samples=64, learning_rate=1e30)
        >>> train(Design(1, 8), recipe, images_from(), [(0,), (1,)]).settled
        array([False, False])
    """

    losses: NDArray[np.float64]
    gaps: NDArray[np.float64]
    ranks: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]
    margin: NDArray[np.float64]
    moved: NDArray[np.float64]
    growth: NDArray[np.float64]
    diverged: NDArray[np.int64]

    def to_bytes(self, number: int = 0) -> bytes:
        """One replica as JSON; a number that overflowed is told by its name there.

        Args:
            number: of the replica.

        Example:
            >>> from simulators.training.data import images_from
            >>> one = train(Design(1, 8), Recipe(steps=0, samples=64), images_from(), [(0,)])
            >>> bool((Trained.joined([one.to_bytes()]).losses == one.losses).all())
            True
        """
        values = {each.name: getattr(self, each.name)[number].tolist() for each in fields(self)}
        return json.dumps(values).encode()

    @classmethod
    def joined(cls, replicas: Iterable[bytes]) -> Trained:
        """Replicas that `to_bytes` gave, together.

        Args:
            replicas: at least one, of one recipe.
        """
        read = [json.loads(each) for each in replicas]
        return cls(**{f.name: np.array([row[f.name] for row in read]) for f in fields(cls)})

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
    unfinished: Path | None = None,
) -> Trained:
    """Train a network for each seed, all at once.

    Args:
        design: what the networks are.
        recipe: how they are trained.
        images: what they learn.
        seeds: entropy of each, whole numbers from 0. Of equal seeds, designs that differ get the
            same batches in the same order.
        device: Torch's.
        progress: told the step, the median loss, how many diverged and, on the way, the time left.
        unfinished: a file in which a long run is kept every some minutes of work, and from which it
            goes on after a kill, to the same numbers to the bit. One that cannot be read, is
            damaged or of another run, Torch or kind of device is passed over, with a line in the
            log, and one that cannot be written is not. Give each run one of its own, and remove it
            once what came of the run is safe.

    Returns:
        What came of each. One whose loss stops being finite is recorded, and does no harm to the
        others; where all did, training stops.

    Raises:
        ValueError: a device that is not there; in one line.
        TrainingError: a recipe of more samples than the images have, or more than the memory of
            this machine or of the device; in one line.

    Cost: `multiply_adds`.

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
    place = require_room(design, recipe, images, len(seeds), device)
    with _one_thread(), _memory_told(f"{len(seeds)} networks of {design}", place):
        run = _Run(design, recipe, images, seeds, place, progress)
        if unfinished is not None and obstacle(unfinished) != "no such file":
            try:
                run.resume(unfinished)
            except CheckpointError as error:
                _log.warning("%s; passed over, and the run starts again", error)
                run = _Run(design, recipe, images, seeds, place, progress)
        return run.outcome(unfinished)


def require_room(
    design: Design, recipe: Recipe, images: Images, replicas: int = 1, device: str = "cpu"
) -> str:
    """The name of the device, once networks can be trained there.

    Args:
        design: what the networks are.
        recipe: how they are trained.
        images: what they learn.
        replicas: how many are trained at once.
        device: Torch's.

    Raises:
        ValueError: a device that is not there; in one line.
        TrainingError: a recipe of more samples than the images have, or more than the memory of
            this machine or of the device; in one line.

    Example:
        >>> from simulators.training.data import images_from
        >>> require_room(Design(2, 16), Recipe(10), images_from())
        'cpu'
    """
    there = images.training.count
    require(
        recipe.samples <= there,
        f"samples={recipe.samples}: {images.place} has {there} to learn from; give more images, or "
        "ask for fewer samples",
        TrainingError,
    )
    place = select("float32", device).device
    units, most = design.units(_shape(images)), max(recipe.batch_size, recipe.probe)
    graph = recipe.samples if recipe.statistics == "whole" else most
    weights = (design.width * max(design.kernel, 1)) ** 2
    values = design.depth * (6 * graph * units + 4 * weights) + 3 * units * recipe.samples
    needed = 4 * replicas * values
    what = f"{replicas} networks of depth {design.depth} and width {design.width}"
    try:
        require_memory(needed, what)
    except ValueError as error:
        raise TrainingError(str(error)) from None
    if place != "cpu":
        total = torch.cuda.get_device_properties(place).total_memory
        require(
            needed <= total,
            f"{what}: needs {needed / 2**30:.3g} GiB or more, and {place} has "
            f"{total / 2**30:.3g}; train on the CPU, or less",
            TrainingError,
        )
    return place


def decisive(
    design: Design,
    recipe: Recipe,
    images: Images,
    seed: Sequence[int],
    device: str = "cpu",
) -> dict[str, object]:
    """All that decides what comes of a network, as a JSON value: also the kind of device and the
    version of Torch, whose last bits differ.

    Args:
        design: what it is.
        recipe: how it is trained.
        images: what it learns.
        seed: its entropy.
        device: Torch's; its kind counts, and not its number.

    Example:
        >>> from simulators.training.data import images_from
        >>> found = decisive(Design(2, 8), Recipe(10), images_from(), (0, 1), "cuda:1")
        >>> found["device"], found["seed"], found["torch"] == str(torch.__version__)
        ('cuda', [0, 1], True)
    """
    return {
        "training": _VERSION,
        "design": asdict(design),
        "recipe": asdict(recipe),
        "images": images.digest,
        "seed": list(seed),
        "device": torch.device(device).type,
        "torch": str(torch.__version__),
    }


def multiply_adds(design: Design, recipe: Recipe, images: Images) -> float:
    """Multiply-adds of one network, forward and back, without what is measured.

    Args:
        design: what it is.
        recipe: how it is trained.
        images: what it learns.

    Example:
        >>> from simulators.training.data import images_from
        >>> multiply_adds(Design(1, 10), Recipe(steps=1, batch_size=10), images_from())
        22200.0
    """
    shape, like = _shape(images), recipe.samples if recipe.statistics == "whole" else 0
    inputs = shape[0] * design.kernel**2 if design.kernel else images.dimension
    layers = [inputs, *[design.width * max(design.kernel, 1) ** 2] * (design.depth - 1)]
    units = design.units(shape)
    products = units * (sum(layers) + images.classes)
    return 3.0 * recipe.steps * (recipe.batch_size + like) * products


def seconds_a_multiply_add(
    design: Design, recipe: Recipe, images: Images, device: str = "cpu"
) -> float:
    """Seconds that a multiply-add of training takes here, from two steps after a first one.

    What comes before training, as an initialisation on samples, and what is measured are left out.

    Args:
        design: what is trained.
        recipe: how.
        images: what it learns.
        device: Torch's.

    Raises:
        ValueError, TrainingError: as `train`.

    Cost: three steps.

    Example:
        >>> from simulators.training.data import images_from
        >>> seconds_a_multiply_add(Design(2, 16), Recipe(100), images_from()) > 0
        True
    """
    plain = replace(design, initialisation="he", ascent=0)
    few = replace(recipe, steps=2, samples=recipe.batch_size)
    place = require_room(plain, few, images, 1, device)
    with _one_thread(), _memory_told(f"a network of {design}", place):
        run = _Run(plain, few, images, [(0,)], place, lambda _: None)
        run.advance(1)
        began = time.perf_counter()
        run.advance(3)
        seconds = time.perf_counter() - began
    return seconds / multiply_adds(plain, few, images)


def _shape(images: Images) -> tuple[int, ...]:
    """Of one image: channels, height, width."""
    return images.training.images.shape[1:]


@contextmanager
def _memory_told(what: str, device: str) -> Iterator[None]:
    """An error in one line where memory ends on the way."""
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError):
        raise TrainingError(
            f"{what}: the memory of {device} does not hold them; train fewer at once"
        ) from None


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
        self.decisive = decisive(design, recipe, images, [], device)
        self.decisive["seed"] = [list(seed) for seed in seeds]
        streams = [SeedSequence(tuple(seed)).spawn(4) for seed in seeds]
        weights, batches, labels, others = (
            list(map(_generator, each)) for each in zip(*streams, strict=True)
        )
        self.batches, self.others = (
            [self._indices(generator) for generator in each] for each in (batches, others)
        )
        learnt = images.features(images.training.first(recipe.samples))
        self.features = torch.from_numpy(learnt).to(device)
        targets = torch.from_numpy(images.training.labels[: recipe.samples])
        self.labels = targets.expand(self.replicas, -1).to(device)
        if recipe.labels == "shuffled":
            orders = [torch.randperm(recipe.samples, generator=g) for g in labels]
            self.labels = torch.stack([targets[order] for order in orders]).to(device)
        self.test = torch.from_numpy(images.features(images.test)).to(device)
        self.test_labels = torch.from_numpy(images.test.labels).to(device)
        self.whole = self._for_all(self.features)
        self.nets = Networks.drawn(design, self.whole, images.classes, weights, _shape(images))
        self.whole_statistics = recipe.statistics == "whole" and design.normalisation != "none"
        step = max(recipe.steps, 1)
        self.part = math.ceil(
            _PART * step / max(self.replicas * multiply_adds(design, recipe, images), 1)
        )
        self.step = 0
        self.measured: list[tuple[NDArray[np.float64], ...]] = []
        self.diverged = np.full(self.replicas, -1)
        self._told = 0.0
        self._began = time.monotonic(), self.step

    def _for_all(self, samples: Tensor) -> Tensor:
        return samples.expand(self.replicas, -1, -1)

    def _indices(self, generator: Any) -> Iterator[list[int]]:
        """Batches of a replica: Torch's sampler, epoch after epoch."""
        data = torch.utils.data
        sampler = data.RandomSampler(range(self.recipe.samples), generator=generator)
        while True:
            yield from data.BatchSampler(sampler, self.recipe.batch_size, drop_last=True)

    def _chosen(self, batches: Sequence[Iterator[list[int]]]) -> Tensor:
        """The next batch of each replica, ``(replicas, batch_size)``."""
        return torch.tensor([next(indices) for indices in batches])

    def outcome(self, unfinished: Path | None) -> Trained:
        """Train, and measure; kept in ``unfinished`` on the way, if that is given."""
        if not self.measured:
            if self.design.ascent:
                self._raise_rank()
            self.growth = self._growth()
            self.measured.append(self._measured())
        marks = [self._step_of(part) for part in range(1, self.recipe.checkpoints + 1)]
        self._began = time.monotonic(), self.step
        for mark in marks[len(self.measured) - 1 :]:
            while self.step < mark:
                self.advance(min(mark, (self.step // self.part + 1) * self.part))
                if unfinished is not None and self.step % self.part == 0:
                    self._keep(unfinished)
            self.measured.append(self._measured())
            self.diverged[~np.isfinite(self.measured[-1][0]) & (self.diverged < 0)] = self.step
            self._tell(self.measured[-1][0])
        losses, gaps, ranks = (np.stack(each, axis=1) for each in zip(*self.measured, strict=True))
        return Trained(
            losses,
            gaps,
            ranks,
            *self._accuracies(),
            margin=self._margin(),
            moved=self._moved(),
            growth=self.growth,
            diverged=self.diverged,
        )

    def _tell(self, losses: NDArray[np.floating[Any]]) -> None:
        """How far it has come, and how long the rest takes at this pace."""
        self._told = time.monotonic()
        (began, first), lost = self._began, self.diverged >= 0
        words = "all" if lost.all() else f"loss {np.median(losses[~lost]):.3g}"
        words += f", {lost.sum()} diverged" if lost.any() else ""
        if first < self.step < self.recipe.steps:
            pace = (self._told - began) / (self.step - first)
            words += f", about {pace * (self.recipe.steps - self.step):.0f} s left"
        self.progress(f"step {self.step} of {self.recipe.steps}: {words}")

    def _keep(self, file: Path) -> None:
        """Put all that the rest depends on into a file, in one piece; what cannot be is not."""
        state = {
            "step": self.step,
            "parameters": [each.detach() for each in self.nets.parameters],
            "frozen": [list(pair) for pair in self.nets.frozen],
            "optimiser": self._optimiser().state_dict(),
            "diverged": torch.from_numpy(self.diverged),
            "growth": torch.from_numpy(self.growth),
            "measured": [[torch.from_numpy(each) for each in row] for row in self.measured],
        }
        with suppress(OSError, RuntimeError):
            write_checkpoint(file, self.decisive, state)

    def resume(self, file: Path) -> None:
        """Go to where a file was left. After `CheckpointError` this run is of no use any more."""
        state = read_checkpoint(file, self.decisive, str(self.features.device))
        try:
            self._take_up(state)
        except DAMAGE:
            raise CheckpointError(f"{file}: not the state of such a run") from None

    def _take_up(self, state: Mapping[str, Any]) -> None:
        with torch.no_grad():
            for mine, kept in zip(self.nets.parameters, state["parameters"], strict=True):
                mine.copy_(kept)
            for pair, kept_pair in zip(self.nets.frozen, state["frozen"], strict=True):
                for constant, kept in zip(pair, kept_pair, strict=True):
                    constant.copy_(kept)
        self._optimiser().load_state_dict(state["optimiser"])
        self.step = state["step"]
        self.diverged, self.growth = (
            state[name].numpy(force=True) for name in ("diverged", "growth")
        )
        self.measured = [tuple(each.numpy(force=True) for each in row) for row in state["measured"]]
        for indices in self.batches:
            next(itertools.islice(indices, self.step, self.step), None)

    def _step_of(self, checkpoint: int) -> int:
        return self.recipe.steps * checkpoint // self.recipe.checkpoints

    def _optimiser(self) -> Any:
        parameters = [p.requires_grad_() for p in self.nets.parameters]
        if not hasattr(self, "_made"):
            kind = torch.optim.Adam if self.recipe.optimiser == "adam" else torch.optim.SGD
            self._made = kind(parameters, lr=self.recipe.learning_rate)
        return self._made

    def advance(self, last: int) -> None:
        """Train up to a step."""
        optimiser = self._optimiser()
        rows = torch.arange(self.replicas)[:, None]
        like = self.whole if self.whole_statistics else None
        for step in range(self.step, last):
            if (self.diverged >= 0).all():
                break
            chosen = self._chosen(self.batches)
            outputs = self.nets.outputs(self.features[chosen], like)
            losses = _losses(outputs, self.labels[rows, chosen])
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(losses.sum())
            optimiser.step()
            found = losses.detach().cpu().numpy()
            self.diverged[~np.isfinite(found) & (self.diverged < 0)] = step
            self.step = step + 1
            if time.monotonic() - self._told > _BETWEEN_WORDS:
                self._tell(found)
        self.step = last

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

    def _margin(self) -> NDArray[np.float64]:
        """See `Trained.margin`."""
        probe = self.recipe.probe
        samples = self._for_all(self.features[:probe])
        found = margins(self.nets, samples, self.labels[:, :probe], self.whole)
        return found.median(dim=1).values.double().numpy(force=True)

    def _moved(self) -> NDArray[np.float64]:
        """See `Trained.moved`."""
        batches = [self._chosen(self.others) for _ in range(_BATCHES_SEEN)]
        found = boundary_movement(self.nets, self.whole, batches)
        return found.double().numpy(force=True)


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
