"""Piecewise affine networks from PyTorch modules, with the statistics of a batch or frozen ones.

Read are Linear, Conv2d, BatchNorm1d and BatchNorm2d, AvgPool2d, AdaptiveAvgPool2d, ReLU, LeakyReLU,
absolute values, Flatten, Dropout (off) and sums of branches, in a Sequential or in a forward of
your own that Torch can trace. Anything else is refused by name.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray
from scipy.sparse import csr_array

from simulators.arguments import one_of, require
from simulators.lazy import torch
from simulators.splines.convolution import Pair, Window, convolution, pooling
from simulators.splines.network import Network
from simulators.splines.operations import (
    Activation,
    Affine,
    Normalisation,
    Operation,
    Scaling,
    Sum,
)
from simulators.splines.rationals import rational, rationals

if TYPE_CHECKING:
    from torch import fx, nn

__all__ = ["UnreadableNetworkError", "read_network"]

Floats = NDArray[np.float64]
Statistics: TypeAlias = Literal["train", "frozen", "none"]
Shape = tuple[int, ...]

_SMALLEST, _LARGEST = 1e-100, 1e100
_LARGEST_READ = 1e150  # by batch normalisation: squares of it are floats
_READ = (
    "Linear, Conv2d, BatchNorm1d, BatchNorm2d, AvgPool2d, AdaptiveAvgPool2d, ReLU, LeakyReLU, "
    "abs, Flatten, Dropout and sums are read"
)


class UnreadableNetworkError(ValueError):
    """A network that is not read as piecewise affine; one line names the layer and says why.

    Example:
        >>> str(UnreadableNetworkError("2: Tanh is not piecewise affine"))
        '2: Tanh is not piecewise affine'
    """


def read_network(module: nn.Module, batch: Floats, statistics: Statistics = "train") -> Network:
    """A module as a piecewise affine network on its flattened input.

    Weights are taken exactly as they are stored. Batch normalisation has the statistics of the
    batch (``"train"``, its running ones unchanged), its running ones (``"frozen"``), or is left out
    (``"none"``). With the batch's, means before the first activation are exact rationals; other
    means, and all scales 1/√(σ² + ε), are their float64 values.

    Args:
        module: left as it is, in whatever mode.
        batch: (N, …), samples along the first axis; of it only the shape of a sample is used but
            for the batch's statistics.
        statistics: of batch normalisation.

    Raises:
        UnreadableNetworkError: a layer is of another kind, or does not fit its input.

    Example:
        >>> network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
        >>> read_network(network, np.zeros((1, 2))).widths
        (3,)
        >>> read_network(torch.nn.Tanh(), np.zeros((1, 2)))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        simulators.splines.torch_networks.UnreadableNetworkError: Tanh is not read; Linear, ...
    """
    one_of("statistics", statistics, ("train", "frozen", "none"))
    array = np.asarray(batch, dtype=np.float64)
    require(
        array.ndim >= 2 and array.size > 0,
        f"batch of shape {array.shape}: want (N, ...), samples along the first axis",
        UnreadableNetworkError,
    )
    _require_range("batch: an entry", array)
    return _Reader(array, statistics).read(module)


@dataclass(frozen=True)
class _Value:
    """A tensor of the forward: the number of its storage, and the shape of a sample of it."""

    storage: int
    shape: Shape


_SIZE = object()
"""What a forward asks about the size of a batch."""


@dataclass(eq=False)
class _Reader:
    batch: Floats
    statistics: Statistics
    operations: list[Operation] = field(default_factory=list)
    samples: list[Floats] = field(default_factory=list)
    means: dict[int, fmpq_mat | None] = field(default_factory=dict)
    #: the number of the value that each storage holds now: what works in place changes it
    held: list[int] = field(default_factory=lambda: [0])
    exact: bool = False
    rounded: bool = False

    def read(self, module: nn.Module) -> Network:
        count = len(self.batch)
        shape = self.batch.shape[1:]
        flat = self.batch.reshape(count, -1)
        self.samples.append(np.ascontiguousarray(flat.T))
        traced = _traced(module)
        modules = dict(traced.named_modules())
        known: dict[fx.Node, object] = {}
        output: object = None
        for node in traced.graph.nodes:
            if node.op == "placeholder":
                require(
                    not known,
                    f"forward takes {node.name!r} as well; want one input",
                    UnreadableNetworkError,
                )
                known[node] = _Value(0, shape)
            elif node.op == "output":
                output = known.get(node.args[0])
            else:
                arguments = [known.get(a, a) if _is_node(a) else a for a in node.args]
                known[node] = self._node(node, modules, arguments)
        if not isinstance(output, _Value):
            raise UnreadableNetworkError("forward: gives more than one output; want one tensor")
        if self._number(output) != len(self.operations):  # what is read last comes last
            self._add(_identity(self._number(output), output.shape), output.shape)
        require(
            self.operations, "the network has no layer; want one at least", UnreadableNetworkError
        )
        return Network(flat.shape[1], tuple(self.operations), self._remarks())

    def _remarks(self) -> tuple[str, ...]:
        found = []
        if self.exact:
            found.append("means over the batch before the first activation are exact")
        if self.rounded:
            found.append("deeper means over the batch are their float64 values")
        return tuple(found)

    def _node(
        self, node: fx.Node, modules: Mapping[str, nn.Module], arguments: Sequence[object]
    ) -> object:
        if node.op == "call_module":
            name = str(node.target)
            layer = modules[name]
            place = name.partition(".")[2]
            place = f"{place}: " if place else ""
            source = arguments[0] if arguments else None
            require(
                isinstance(source, _Value),
                f"{place}{type(layer).__name__} reads no tensor of the network",
                UnreadableNetworkError,
            )
            return self._layer(place, layer, _value(source))
        if node.op in ("call_function", "call_method"):
            return self._function(node, arguments)
        raise UnreadableNetworkError(f"{node.target}: a tensor of its own is not read; {_READ}")

    def _layer(self, place: str, layer: nn.Module, source: _Value) -> _Value:
        nn = torch.nn
        kind = type(layer).__name__
        require(
            not layer._forward_hooks and not layer._forward_pre_hooks,
            f"{place}{kind} has a forward hook, as of weight_norm, prune or what is lazy, which is "
            "not read; remove it",
            UnreadableNetworkError,
        )
        if isinstance(layer, (nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d)):
            return source
        if isinstance(layer, nn.Flatten):
            whole = layer.start_dim == 1 and layer.end_dim in (-1, len(source.shape))
            require(whole, f"{place}Flatten: want start_dim=1, end_dim=-1", UnreadableNetworkError)
            return _flat(source)
        if isinstance(layer, nn.ReLU):
            return self._activation(source, 0.0, place, layer.inplace)
        if isinstance(layer, nn.LeakyReLU):
            return self._activation(source, float(layer.negative_slope), place, layer.inplace)
        if isinstance(layer, nn.Linear):
            return self._linear(place, layer, source)
        if isinstance(layer, nn.Conv2d):
            return self._convolution(place, layer, source)
        if isinstance(layer, nn.AvgPool2d):
            return self._average(place, layer, source)
        if isinstance(layer, nn.AdaptiveAvgPool2d):
            return self._adaptive(place, layer, source)
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            return self._normalised(place, layer, source)
        raise UnreadableNetworkError(f"{place}{kind} is not read; {_READ}")

    def _function(self, node: fx.Node, arguments: Sequence[object]) -> object:
        name = getattr(node.target, "__name__", str(node.target))
        source = arguments[0] if arguments else None
        options = dict(node.kwargs)
        if name in ("size", "getattr", "getitem", "dim"):
            return _SIZE
        if isinstance(source, _Value):
            # the last argument of relu() and leaky_relu(); those with a trailing _ work in place
            asked = any(each is True for each in [*arguments, options.get("inplace")])
            inplace = asked or name.endswith("_")
            if name in ("relu", "relu_"):
                return self._activation(source, 0.0, node.name, inplace)
            if name in ("leaky_relu", "leaky_relu_"):
                slope = [*arguments[1:2], options.get("negative_slope", 0.01)][0]
                if isinstance(slope, (int, float)):
                    return self._activation(source, float(slope), node.name, inplace)
            if name in ("abs", "abs_", "absolute"):
                return self._activation(source, -1.0, node.name, inplace)
            if name == "flatten" and [*arguments[1:], *options.values()] == [1]:
                return _flat(source)
            if name in ("view", "reshape") and len(arguments) == 3 and arguments[2] == -1:
                return _flat(source)
            if name in ("dropout", "contiguous"):
                return source
            if name in ("add", "iadd", "add_") and len(arguments) == 2 and not options:
                return self._sum(source, arguments[1], name != "add")
        raise UnreadableNetworkError(f"{node.name}: {name}() is not read as it is used; {_READ}")

    def _number(self, value: _Value) -> int:
        return self.held[value.storage]

    @np.errstate(over="ignore", invalid="ignore")
    def _add(self, operation: Operation, shape: Shape, over: _Value | None = None) -> _Value:
        """What an operation gives, in a storage of its own, or written ``over`` another's."""
        self.operations.append(operation)
        reads = [self.samples[k] for k in operation.reads]
        self.samples.append(operation.of_samples(reads))
        if over is not None:
            self.held[over.storage] = len(self.operations)
            return _Value(over.storage, shape)
        return self._stored(len(self.operations), shape)

    def _stored(self, number: int, shape: Shape) -> _Value:
        self.held.append(number)
        return _Value(len(self.held) - 1, shape)

    def _activation(self, source: _Value, slope: float, place: str, inplace: bool) -> _Value:
        require(
            math.isfinite(slope),
            f"{place.removesuffix(': ')}: negative_slope={slope}: want a finite number",
            UnreadableNetworkError,
        )
        operation = Activation(self._number(source), slope, place.removesuffix(": "))
        return self._add(operation, source.shape, source if inplace else None)

    def _sum(self, left: _Value, right: object, inplace: bool) -> _Value:
        if not isinstance(right, _Value) or left.shape != right.shape:
            raise UnreadableNetworkError(
                "a sum of tensors of other shapes, or with a number, is not read"
            )
        operation = Sum(self._number(left), self._number(right))
        return self._add(operation, left.shape, left if inplace else None)

    def _linear(self, place: str, layer: nn.Linear, source: _Value) -> _Value:
        weights = _array(place, layer.weight)
        require(
            source.shape == (layer.in_features,),
            f"{place}Linear({layer.in_features}, …) reads samples of shape {source.shape}; "
            "flatten them, or give a batch that fits",
            UnreadableNetworkError,
        )
        offset = _array(place, layer.bias) if layer.bias is not None else np.zeros(len(weights))
        return self._add(Affine(self._number(source), weights, offset), (len(weights),))

    def _convolution(self, place: str, layer: nn.Conv2d, source: _Value) -> _Value:
        image = _image(place, layer, source, layer.in_channels)
        require(
            layer.padding_mode == "zeros",
            f"{place}Conv2d: padding_mode={layer.padding_mode!r} is not read; want 'zeros'",
            UnreadableNetworkError,
        )
        size, dilation = _pair(layer.kernel_size), _pair(layer.dilation)
        if layer.padding == "same":
            total = [d * (k - 1) for k, d in zip(size, dilation, strict=True)]
            before = (total[0] // 2, total[1] // 2)
            behind = (total[0] - before[0], total[1] - before[1])
        else:
            before = behind = (0, 0) if isinstance(layer.padding, str) else _pair(layer.padding)
        window = Window(size, image, _pair(layer.stride), before, behind, dilation)
        _require_places(place, layer, window)
        kernel = _array(place, layer.weight)
        matrix = convolution(kernel, window, layer.groups)
        bias = _array(place, layer.bias) if layer.bias is not None else np.zeros(len(kernel))
        offset = np.repeat(bias, int(np.prod(window.places)))
        operation = Affine(self._number(source), matrix, offset)
        return self._add(operation, (len(kernel), *window.places))

    def _average(self, place: str, layer: nn.AvgPool2d, source: _Value) -> _Value:
        image = _image(place, layer, source, None)
        padding = _pair(layer.padding)
        require(
            not layer.ceil_mode and (layer.count_include_pad or padding == (0, 0)),
            f"{place}AvgPool2d: ceil_mode, and padding that is not counted, are not read",
            UnreadableNetworkError,
        )
        size = _pair(layer.kernel_size)
        window = Window(size, image, _pair(layer.stride), padding, padding)
        _require_places(place, layer, window)
        return self._pooled(source, window, layer.divisor_override or size[0] * size[1])

    def _adaptive(self, place: str, layer: nn.AdaptiveAvgPool2d, source: _Value) -> _Value:
        image = _image(place, layer, source, None)
        wanted = layer.output_size
        pair = wanted if isinstance(wanted, tuple) else (wanted, wanted)
        places = tuple(image[k] if pair[k] is None else int(pair[k] or 1) for k in (0, 1))
        require(
            all(image[k] % places[k] == 0 for k in (0, 1)),
            f"{place}AdaptiveAvgPool2d: {image} is no multiple of {places}",
            UnreadableNetworkError,
        )
        size = (image[0] // places[0], image[1] // places[1])
        return self._pooled(source, Window(size, image, size), size[0] * size[1])

    def _pooled(self, source: _Value, window: Window, divisor: int) -> _Value:
        channels = source.shape[0]
        matrix = pooling(channels, window)
        operation = Affine(self._number(source), matrix, np.zeros(matrix.shape[0]), divisor)
        return self._add(operation, (channels, *window.places))

    def _normalised(
        self, place: str, layer: nn.BatchNorm1d | nn.BatchNorm2d, source: _Value
    ) -> _Value:
        channels, kind = layer.num_features, type(layer).__name__
        require(
            source.shape[:1] == (channels,),
            f"{place}{kind}({channels}) reads samples of shape {source.shape}",
            UnreadableNetworkError,
        )
        if self.statistics == "none":  # as a copy: what follows in place leaves the source alone
            return self._stored(self._number(source), source.shape)
        _require_range(f"{place}{kind}: eps", np.array([layer.eps]))
        positions = int(np.prod(source.shape[1:], dtype=int))
        if self.statistics == "train":
            means, variances = self._batch_moments(place, source, channels)
        else:
            if layer.running_mean is None or layer.running_var is None:
                raise UnreadableNetworkError(
                    f"{place}{kind} keeps no running statistics; use those of the batch"
                )
            means = rationals(_array(place, layer.running_mean, "running_mean"))
            variances = _array(place, layer.running_var, "running_var")
        running = None
        if self.statistics == "frozen":
            running = (tuple(means), tuple(rationals(variances)))
            _require_variances(f"{place}{kind}: running_var", variances, float(layer.eps))
        variances = variances + float(layer.eps)
        constant = np.flatnonzero(~(variances > 0))
        require(
            not len(constant),
            f"{place}{kind}: feature {[*constant, 0][0]} is constant over the batch and eps=0",
            UnreadableNetworkError,
        )
        one, zero = np.ones(channels), np.zeros(channels)
        gains = rationals(one if layer.weight is None else _array(place, layer.weight))
        offsets = rationals(zero if layer.bias is None else _array(place, layer.bias))
        scales = [g * s for g, s in zip(gains, rationals(1 / np.sqrt(variances)), strict=True)]
        shifts = [b - m * s for b, m, s in zip(offsets, means, scales, strict=True)]
        unrounded = Normalisation(
            tuple(gains), tuple(offsets), rational(layer.eps), positions, running
        )
        operation = Scaling(
            self._number(source),
            _repeated(scales, positions),
            _repeated(shifts, positions),
            unrounded,
        )
        return self._add(operation, source.shape)

    def _batch_moments(
        self, place: str, source: _Value, channels: int
    ) -> tuple[list[fmpq], Floats]:
        """Means and variances by channel, over samples and positions."""
        values = self.samples[self._number(source)].reshape(channels, -1)
        require(
            values.shape[1] > 1,
            f"{place}batch normalisation of one value a feature; give a larger batch",
            UnreadableNetworkError,
        )
        require(
            np.abs(values).max() < _LARGEST_READ,
            f"{place}batch normalisation reads a value that is not finite, or beyond "
            f"{_LARGEST_READ:g}",
            UnreadableNetworkError,
        )
        constant = (values == values[:, :1]).all(axis=1)
        rounded = np.where(constant, values[:, 0], values.mean(axis=1))
        variances = ((values - rounded[:, None]) ** 2).mean(axis=1)
        exact = self._exact_mean(self._number(source))
        if exact is None:
            self.rounded = True
            return rationals(rounded), variances
        self.exact = True
        positions = exact.nrows() // channels
        columns = [exact[i, 0] for i in range(exact.nrows())]
        blocks = (columns[c * positions : (c + 1) * positions] for c in range(channels))
        return [sum(block, fmpq(0)) / positions for block in blocks], variances

    def _exact_mean(self, number: int) -> fmpq_mat | None:
        """The batch's mean of a value, exactly; None after an activation."""
        if number not in self.means:
            self.means[number] = self._found_mean(number)
        return self.means[number]

    def _found_mean(self, number: int) -> fmpq_mat | None:
        if number == 0:
            rows = self.samples[0]
            means = [sum(rationals(row), fmpq(0)) / len(row) for row in rows]
            return fmpq_mat(len(means), 1, means)
        operation = self.operations[number - 1]
        if isinstance(operation, Activation):
            return None
        reads = [self._exact_mean(k) for k in operation.reads]
        known = [each for each in reads if each is not None]
        return operation.exactly(known) if len(known) == len(reads) else None


def _traced(module: nn.Module) -> fx.GraphModule:
    from torch import fx

    class InPlace(fx.Proxy):  # of Torch's own, += makes a new tensor
        def __iadd__(self, other: object) -> fx.Proxy:
            return self.tracer.create_proxy("call_function", operator.iadd, (self, other), {})

    class Tracer(fx.Tracer):
        def proxy(self, node: fx.Node) -> fx.Proxy:
            return InPlace(node, self)

    tracer = Tracer()
    try:
        graph = tracer.trace(torch.nn.Sequential(module))
    except (
        Exception
    ) as error:  # the user's own forward may do anything with what stands for a tensor
        said = " ".join(str(error).split())[:120]
        raise UnreadableNetworkError(
            f"{type(module).__name__}: Torch cannot trace its forward ({said}); write it without "
            "branches that depend on values"
        ) from None
    return fx.GraphModule(tracer.root, graph)


def _is_node(value: object) -> bool:
    from torch import fx

    return isinstance(value, fx.Node)


def _flat(source: _Value) -> _Value:
    """A view of the same storage."""
    return _Value(source.storage, (int(np.prod(source.shape)),))


def _value(source: object) -> _Value:
    if not isinstance(source, _Value):
        raise UnreadableNetworkError("a layer reads no tensor of the network")
    return source


def _identity(source: int, shape: Shape) -> Affine:
    from scipy.sparse import eye_array

    count = int(np.prod(shape))
    return Affine(source, csr_array(eye_array(count)), np.zeros(count))


def _array(place: str, tensor: torch.Tensor, words: str = "a weight") -> Floats:
    """A tensor's entries as float64, exactly; refuses what no float analysis can bound."""
    require(
        not tensor.is_meta and not tensor.is_complex(),
        f"{place}{words} has no real numbers; give it some first",
        UnreadableNetworkError,
    )
    found: Floats = np.array(tensor.detach().cpu().double().numpy())
    _require_range(f"{place}{words}", found)
    return found


def _require_range(words: str, array: Floats) -> None:
    """Raise unless all numbers are 0, or such that products of some of them are floats."""
    sizes = np.abs(array[array != 0])
    require(
        np.isfinite(array).all() and (sizes > _SMALLEST).all() and (sizes < _LARGEST).all(),
        f"{words} is not finite, or beyond {_SMALLEST:g} … {_LARGEST:g} in size",
        UnreadableNetworkError,
    )


def _require_variances(words: str, variances: Floats, eps: float) -> None:
    """Raise unless no variance is negative, and none is 0 beside eps=0."""
    bad = np.flatnonzero((variances < 0) | (variances + eps <= 0))
    first = int([*bad, 0][0])
    wanted = "0 or more" if eps > 0 else f"more than 0, as eps={eps:g}"
    require(
        not len(bad),
        f"{words} of feature {first} is {variances[first]:g}; want {wanted}",
        UnreadableNetworkError,
    )


def _image(place: str, layer: nn.Module, source: _Value, channels: int | None) -> Pair:
    fits = len(source.shape) == 3 and channels in (None, source.shape[0])
    wanted = "C" if channels is None else channels
    require(
        fits,
        f"{place}{type(layer).__name__} reads samples of shape {source.shape}; "
        f"want ({wanted}, rows, columns)",
        UnreadableNetworkError,
    )
    return source.shape[1], source.shape[2]


def _require_places(place: str, layer: nn.Module, window: Window) -> None:
    require(
        min(window.places) > 0,
        f"{place}{type(layer).__name__}: a window of {window.size} does not fit {window.image}",
        UnreadableNetworkError,
    )


def _pair(value: int | Sequence[int]) -> Pair:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


def _repeated(values: Sequence[fmpq], times: int) -> tuple[fmpq, ...]:
    return tuple(np.repeat(np.array(values, dtype=object), times).tolist())
