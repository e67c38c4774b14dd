"""Many networks of one shape as one: parameters with an axis of replicas in front.

A replica is a network with weights of its own, from a seed of its own; it is trained on batches of
its own. A product of all their weights with all their batches is one batched product, and a sum of
their losses has the gradient of each in its own part, so that one optimiser trains them all as each
would be trained alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from simulators.arguments import one_of, real_number, require, whole_number
from simulators.lazy import torch
from simulators.training.initialisation import orthogonalising_weight

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["INITIALISATIONS", "NORMALISATIONS", "Design", "Networks"]

INITIALISATIONS = ("he", "xavier", "orthogonal", "uncentred", "iterative")
"""What weights hidden layers begin with."""

NORMALISATIONS = ("none", "batch", "recentre", "rescale", "frozen")
"""What is done to each unit's values over a batch, before the activation."""

_EPS = 1e-5

_SEEN_BY_CONVOLUTIONS = 32
"""Samples whose patches make iterative weights of convolutions."""

#: Of one layer, of each unit: what is taken off, and what it is divided by; ``(replicas, 1, width)``.
Statistics: TypeAlias = "tuple[Tensor, Tensor]"


@dataclass(frozen=True)
class Design:
    """A multilayer perceptron, or a network of convolutions: its shape, its normalisation, the
    weights it begins with.

    - ``depth``: hidden layers; ``width``: units in each, or channels
    - ``normalisation``: ``"none"``; ``"batch"``, of mean and variance; ``"recentre"`` or
      ``"rescale"``, half of it; ``"frozen"``, by the statistics that the samples to be learnt from
      have at initialisation, which are then constants
    - ``initialisation``: ``"he"``, ``"xavier"``, ``"orthogonal"``, as ``torch.nn.init`` has them;
      ``"uncentred"``, uniform on [0, 2/√d]; ``"iterative"``, as
      `simulators.training.iterative_orthogonal_`
    - ``activation``: ``"relu"``, ``"tanh"`` or ``"identity"``
    - ``ascent``: steps of gradient ascent on the effective rank of the last hidden layer before
      training begins
    - ``kernel``: 0, a perceptron; else hidden layers are convolutions of so many pixels a side, an
      odd number, which keep the size of the image; normalisation is of a channel, over samples and
      pixels

    Biases begin at zero, and the last layer, of all that the last hidden one gives, as Xavier has
    it.

    Raises ``ValueError`` or ``TypeError``, in one line, for what is none of these.

    Example:
        >>> Design(depth=4, width=32, normalisation="batch").initialisation
        'he'
        >>> Design(depth=4, width=8, kernel=3).units((1, 8, 8))
        512
    """

    depth: int
    width: int
    normalisation: str = "none"
    initialisation: str = "he"
    activation: str = "relu"
    ascent: int = 0
    kernel: int = 0

    def __post_init__(self) -> None:
        whole_number("depth", self.depth, 1)
        whole_number("width", self.width, 1)
        whole_number("ascent", self.ascent, 0)
        whole_number("kernel", self.kernel, 0)
        odd = self.kernel == 0 or self.kernel % 2
        require(odd, f"kernel={self.kernel}: give 0, a perceptron, or an odd number of pixels")
        one_of("normalisation", self.normalisation, NORMALISATIONS)
        one_of("initialisation", self.initialisation, INITIALISATIONS)
        one_of("activation", self.activation, _ACTIVATIONS)

    def units(self, shape: Sequence[int]) -> int:
        """How many numbers a hidden layer gives of an image.

        Args:
            shape: of the image: channels, height, width.
        """
        return self.width * (math.prod(shape[1:]) if self.kernel else 1)


_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": lambda x: torch.relu(x),
    "tanh": lambda x: torch.tanh(x),
    "identity": lambda x: x,
}


@dataclass(eq=False)
class Networks:
    """Replicas of a `Design` with their parameters.

    - ``weights``: of each layer ``(replicas, inputs, outputs)``, of a convolution ``(replicas,
      outputs, inputs, kernel, kernel)``; ``biases``: ``(replicas, 1, outputs)``
    - ``shape``: of an image, channels, height and width, where there are convolutions
    - ``frozen``: of each hidden layer the constants that stand for a batch's statistics, or none

    Example:
        >>> design = Design(depth=2, width=8)
        >>> generators = [torch.Generator().manual_seed(seed) for seed in (1, 2, 3)]
        >>> nets = Networks.drawn(design, torch.randn(3, 5, 4), classes=10, generators=generators)
        >>> nets.outputs(torch.randn(3, 6, 4)).shape
        torch.Size([3, 6, 10])
    """

    design: Design
    weights: list[Tensor]
    biases: list[Tensor]
    frozen: list[Statistics] = field(default_factory=list)
    shape: Sequence[int] = ()

    @classmethod
    def drawn(
        cls,
        design: Design,
        samples: Tensor,
        classes: int,
        generators: Sequence[Generator],
        shape: Sequence[int] = (),
    ) -> Networks:
        """Networks at initialisation.

        Args:
            design: their shape.
            samples: ``(replicas, n, d)``, on which initialisations and statistics that need
                samples are made.
            classes: how many outputs there are.
            generators: of random numbers, one a replica.
            shape: of an image, ``(channels, height, width)``; convolutions need it.

        Example:
            >>> generators = [torch.Generator().manual_seed(seed) for seed in (1, 1)]
            >>> samples = torch.ones(2, 5, 4)
            >>> nets = Networks.drawn(Design(depth=1, width=3), samples, 10, generators)
            >>> torch.equal(nets.weights[0][0], nets.weights[0][1])  # of the same seed
            True
        """
        found = cls(design, [], [], shape=shape)
        given = samples
        with torch.no_grad():
            for number in range(design.depth):
                weight = _initial(design, given, generators, found._image(number))
                found.weights.append(weight)
                found.biases.append(weight.new_zeros(len(weight), 1, design.width))
                if design.normalisation == "frozen":
                    found.frozen.append(_statistics("batch", found._product(number, given)))
                given = found._layer(number, given)
            units = design.units(shape)
            last = _each(generators, (classes, units), torch.nn.init.xavier_normal_)
            last = last.mT.contiguous()
            found.weights.append(last.to(samples))
            found.biases.append(samples.new_zeros(len(samples), 1, classes))
        return found

    @property
    def parameters(self) -> list[Tensor]:
        """Weights and biases, for an optimiser."""
        return [*self.weights, *self.biases]

    def hidden(self, samples: Tensor) -> list[Tensor]:
        """The representations after each hidden layer, ``(replicas, n, width)``.

        Args:
            samples: ``(replicas, n, d)``.
        """
        found: list[Tensor] = []
        for number in range(self.design.depth):
            found.append(self._layer(number, found[-1] if found else samples))
        return found

    def outputs(self, samples: Tensor, like: Tensor | None = None) -> Tensor:
        """The last layer's values, ``(replicas, n, classes)``.

        Args:
            samples: ``(replicas, n, d)``.
            like: samples whose statistics stand for those of the batch; the batch's own by default.
        """
        for number in range(self.design.depth):
            if like is None:
                samples = self._layer(number, samples)
            else:
                samples, like = self._layer(number, samples, like), self._layer(number, like)
        return torch.baddbmm(self.biases[-1], samples, self.weights[-1])

    def with_constants(self, like: Tensor) -> Networks:
        """The same networks, with constants in the place of a batch's statistics; their parameters
        ask for no gradients.

        Args:
            like: samples, ``(replicas, n, d)``, whose statistics these are.

        Example:
            >>> generators = [torch.Generator().manual_seed(1)]
            >>> samples = torch.randn(1, 5, 4, generator=generators[0])
            >>> nets = Networks.drawn(Design(2, 8, "batch"), samples, 10, generators)
            >>> torch.equal(nets.with_constants(samples).outputs(samples), nets.outputs(samples))
            True
        """
        weights, biases = ([each.detach() for each in kind] for kind in (self.weights, self.biases))
        frozen = list(self.frozen)
        found = replace(self, weights=weights, biases=biases, frozen=frozen)
        if frozen or self.design.normalisation == "none":
            return found
        with torch.no_grad():
            for number in range(self.design.depth):
                values = self._product(number, like)
                frozen.append(_statistics(self.design.normalisation, values))
                like = self._layer(number, like)
        return replace(found, frozen=frozen)

    def unit_boundaries(self, samples: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Of each hidden layer the values of its units before normalisation, of a channel their
        mean over pixels, ``(replicas, n, width)``; and where, by the statistics of these samples,
        a unit turns on, ``(replicas, width)``.

        Args:
            samples: ``(replicas, n, d)``, one batch of each replica.

        Example:
            >>> generators = [torch.Generator().manual_seed(1)]
            >>> samples = torch.randn(1, 5, 4, generator=generators[0])
            >>> nets = Networks.drawn(Design(1, 8, "batch"), samples, 10, generators)
            >>> ((values, place),) = nets.unit_boundaries(samples)
            >>> torch.allclose(values.mean(dim=1), place, atol=1e-6)
            True
        """
        found = []
        with torch.no_grad():
            for number in range(self.design.depth):
                values = self._product(number, samples)
                shift, scale = _statistics(self.design.normalisation, values)
                place = shift.flatten(1) - self.biases[number].flatten(1) * scale.flatten(1)
                found.append((values.flatten(3).mean(dim=3) if values.dim() > 3 else values, place))
                samples = self._layer(number, samples)
        return found

    def inverse_squares(self, number: int) -> Tensor:
        """1/‖w‖² of each unit of a hidden layer, ``(replicas, width)``.

        Args:
            number: of the layer, from 0.

        Example:
            >>> generators = [torch.Generator().manual_seed(1)]
            >>> nets = Networks.drawn(Design(1, 8), torch.ones(1, 5, 4), 10, generators)
            >>> nets.inverse_squares(0).shape
            torch.Size([1, 8])
        """
        weight = self.weights[number].detach()
        of_each = weight.flatten(2) if self.design.kernel else weight.mT
        return 1 / of_each.square().sum(dim=2)

    def _layer(self, number: int, samples: Tensor, like: Tensor | None = None) -> Tensor:
        design = self.design
        values = self._product(number, samples)
        if self.frozen:
            shift, scale = self.frozen[number]
            values = (values - shift) / scale
        elif design.normalisation != "none":
            over = values if like is None else self._product(number, like)
            shift, scale = _statistics(design.normalisation, over)
            values = (values - shift) / scale
        bias = self.biases[number]
        if not design.kernel:
            return _ACTIVATIONS[design.activation](values + bias)
        return _ACTIVATIONS[design.activation](values + bias[..., None]).flatten(2)

    def _product(self, number: int, samples: Tensor) -> Tensor:
        """A hidden layer's weights with samples: ``(replicas, n, width)``, or with convolutions
        ``(replicas, n, width, pixels)``.
        """
        weight = self.weights[number]
        if not self.design.kernel:
            return torch.bmm(samples, weight)
        # one replica at a time: the last bits of grouped convolutions depend on how many there are
        images = samples.reshape(*samples.shape[:2], *self._image(number))
        products = [
            torch.nn.functional.conv2d(each, kernels, padding="same").flatten(2)
            for each, kernels in zip(images, weight, strict=True)
        ]
        return torch.stack(products)

    def _image(self, number: int) -> tuple[int, ...]:
        """The shape of what a hidden layer reads of a sample, where it is a convolution."""
        if not self.design.kernel:
            return ()
        channels = self.design.width if number else self.shape[0]
        return (channels, *self.shape[1:])


def _statistics(normalisation: str, values: Tensor) -> Statistics:
    """What each unit's values over a batch give, ``(replicas, n, width)``, or each channel's,
    ``(replicas, n, width, pixels)``.
    """
    over = (1, 3)[: values.dim() - 2]
    shift = values.mean(dim=over, keepdim=True)
    if normalisation == "recentre":
        return shift, torch.ones_like(shift)
    if normalisation == "rescale":
        shift = torch.zeros_like(shift)
    return shift, ((values - shift).square().mean(dim=over, keepdim=True) + _EPS).sqrt()


def _each(
    generators: Sequence[Generator],
    shape: tuple[int, ...],
    fill: Callable[..., Tensor],
    **settings: object,
) -> Tensor:
    """Weights of every replica, as ``torch.nn.init`` fills them: ``(replicas, *shape)``."""
    return torch.stack([fill(torch.empty(shape), generator=g, **settings) for g in generators])


def _initial(
    design: Design, given: Tensor, generators: Sequence[Generator], image: tuple[int, ...]
) -> Tensor:
    """The weights of a hidden layer that gets the values ``given``, ``(replicas, n, inputs)``; of a
    convolution those that gets images of that shape.
    """
    shape: tuple[int, ...] = (design.width, given.shape[-1])
    if design.kernel:
        shape = (design.width, image[0], design.kernel, design.kernel)
    init = torch.nn.init
    fill: Callable[..., Tensor]
    settings: dict[str, object] = {}
    if design.initialisation == "iterative":
        found = _orthogonalised(design, given, generators, image).reshape(-1, *shape)
    else:
        if design.initialisation == "he":
            fill, settings = init.kaiming_normal_, {"nonlinearity": "relu"}
        elif design.initialisation == "xavier":
            fill = init.xavier_normal_
        elif design.initialisation == "orthogonal":
            fill, settings = init.orthogonal_, {"gain": 2**0.5}
        else:
            fill, settings = init.uniform_, {"a": 0.0, "b": 2 / math.prod(shape[1:]) ** 0.5}
        found = _each(generators, shape, fill, **settings).to(given)
    return found if design.kernel else found.mT.contiguous()


def _orthogonalised(
    design: Design, given: Tensor, generators: Sequence[Generator], image: tuple[int, ...]
) -> Tensor:
    """Weights that bring samples nearer to orthogonality, ``(replicas, width, inputs)``; of a
    convolution its patches.
    """
    made = []
    for samples, generator in zip(given, generators, strict=True):
        read = samples.T
        if design.kernel:
            images = samples[:_SEEN_BY_CONVOLUTIONS].reshape(-1, *image)
            patches = torch.nn.functional.unfold(images, design.kernel, padding=design.kernel // 2)
            read = patches.transpose(0, 1).flatten(1)
        made.append(orthogonalising_weight(read, design.width, generator=generator))
    return torch.stack(made)


def require_positive(name: str, value: object) -> float:
    """``value`` as a positive, finite number.

    Args:
        name: the argument's.
        value: what it got.

    Example:
        >>> require_positive("learning_rate", 0.1)
        0.1
    """
    number = real_number(name, value, "a positive number")
    require(0 < number < float("inf"), f"{name}={number!r}: give a positive, finite number")
    return number
