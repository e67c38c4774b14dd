"""What a layer multiplies by its weight: rows of a ``Linear``, patches of a convolution, pixels of a
transposed one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from simulators.arguments import kind_of, require
from simulators.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

    Convolution: TypeAlias = nn.Conv1d | nn.Conv2d | nn.Conv3d
    Transposed: TypeAlias = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d
    Layer: TypeAlias = nn.Linear | Convolution | Transposed

__all__ = [
    "KINDS",
    "as_layer",
    "joined_weight",
    "outputs_of",
    "patches_of",
    "require_fit",
]

_CONVOLUTIONS = ("Conv1d", "Conv2d", "Conv3d")
_TRANSPOSED = ("ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d")
KINDS = ("Linear", *_CONVOLUTIONS, *_TRANSPOSED)
"""Names in ``torch.nn`` of the layers that are read."""


def _is_one_of(module: object, names: Sequence[str]) -> bool:
    return isinstance(module, tuple(getattr(torch.nn, name) for name in names))


def as_layer(module: nn.Module) -> Layer | None:
    """The module where it is one of `KINDS`, and None where it is another.

    Example:
        >>> as_layer(torch.nn.ReLU()) is None
        True
    """
    return module if _is_one_of(module, KINDS) else None  # type: ignore[return-value]


def _transposed(layer: Layer) -> bool:
    return _is_one_of(layer, _TRANSPOSED)


def require_fit(layer: Layer, given: object, where: str) -> Tensor:
    """What a layer is given, where it can read that.

    Args:
        layer: of `KINDS`.
        given: what it is called with.
        where: the layer as an error names it.

    Raises:
        TypeError: no tensor of real floating-point numbers.
        ValueError: a layout, device, dtype or shape that the layer does not read.

    Example:
        >>> require_fit(torch.nn.Linear(3, 2), torch.ones(4, 5), "layer 'a'")
        Traceback (most recent call last):
        ValueError: batch: layer 'a' gets shape (4, 5), and reads (…, 3); give a batch that fits
    """
    if not isinstance(given, torch.Tensor) or not given.is_floating_point():
        kind = given.dtype if isinstance(given, torch.Tensor) else kind_of(given)
        raise TypeError(f"batch: {where} gets {kind}, and reads real floating-point numbers")
    weight = layer.weight
    require(
        weight.is_floating_point() and weight.itemsize > 1,
        f"module: {where} has weights of {weight.dtype}; give real numbers of 16 bits or more",
        TypeError,
    )
    require(weight.numel(), f"module: {where} has a weight of shape {tuple(weight.shape)}, empty")
    require(
        given.layout is torch.strided and not given.is_nested,
        f"batch: {where} gets a sparse or nested tensor, and reads dense ones",
    )
    require(
        given.device == weight.device,
        f"batch: {where} gets what is on {given.device}, and is on {weight.device}; move one",
    )
    require(
        given.dtype == weight.dtype or torch.is_autocast_enabled(given.device.type),
        f"batch: {where} gets {given.dtype}, and has weights of {weight.dtype}; give one dtype",
    )
    _require_shape(layer, given, where)
    return given


def _require_shape(layer: Layer, given: Tensor, where: str) -> None:
    shape = tuple(given.shape)
    if isinstance(layer, torch.nn.Linear):
        fits, wanted = shape[-1:] == (layer.in_features,), f"(…, {layer.in_features})"
    else:
        axes = len(layer.kernel_size)
        fits = len(shape) in (axes + 1, axes + 2) and shape[-axes - 1] == layer.in_channels
        sizes = ", ".join(("depth", "height", "width")[-axes:])
        wanted = f"(n, {layer.in_channels}, {sizes})"
    require(fits, f"batch: {where} gets shape {shape}, and reads {wanted}; give a batch that fits")
    if _is_one_of(layer, _CONVOLUTIONS):
        _require_size(layer, shape, where)  # type: ignore[arg-type]
    elif _transposed(layer):
        _require_output(layer, shape, where)  # type: ignore[arg-type]


def _require_size(layer: Convolution, shape: tuple[int, ...], where: str) -> None:
    """Raise ``ValueError`` for an image without a patch, or that its padding cannot extend."""
    axes = len(layer.kernel_size)
    image = shape[-axes:]
    pads = layer._reversed_padding_repeated_twice
    for axis, size in enumerate(image):
        ends = pads[2 * (axes - axis) - 2 : 2 * (axes - axis)]
        covered = layer.dilation[axis] * (layer.kernel_size[axis] - 1) + 1
        require(
            size + sum(ends) >= covered,
            f"batch: {where} gets images of size {image}, and its kernel covers {covered} on axis "
            f"{axis}, where with padding there are {size + sum(ends)}; give larger images",
        )
        most = {"reflect": size - 1, "circular": size}.get(layer.padding_mode, math.inf)
        require(
            max(ends) <= most,
            f"batch: {where} gets images of size {image}, and its {layer.padding_mode} padding "
            f"of {max(ends)} on axis {axis} allows {most}; give larger images",
        )


def _require_output(layer: Transposed, shape: tuple[int, ...], where: str) -> None:
    """Raise ``ValueError`` for an image of which the padding leaves nothing."""
    image = shape[-len(layer.kernel_size) :]
    for axis, size in enumerate(image):
        covered = layer.dilation[axis] * (layer.kernel_size[axis] - 1) + layer.output_padding[axis]
        pad = layer.padding[axis]
        left = (size - 1) * layer.stride[axis] + 1 + covered - 2 * int(pad)
        require(
            left > 0,
            f"batch: {where} gets images of size {image}, of which its padding of {pad} leaves "
            f"nothing on axis {axis}; give larger images",
        )


def patches_of(layer: Layer, given: Tensor) -> list[Tensor]:
    """What a layer multiplies by its weight, a ``(d, n)`` for each group, in float64.

    - ``layer``: of `KINDS`
    - ``given``: what it is called with, in one piece or many, that fits

    Of a ``Linear`` n is the number of rows, of a convolution that of patches, of a transposed one
    that of pixels.

    Example:
        >>> convolution = torch.nn.Conv2d(2, 4, 3, groups=2)
        >>> [tuple(part.shape) for part in patches_of(convolution, torch.ones(5, 2, 4, 4))]
        [(9, 20), (9, 20)]
    """
    exact = given.double()
    if isinstance(layer, torch.nn.Linear):
        return [exact.reshape(-1, layer.in_features).T]
    images = exact if given.dim() == len(layer.kernel_size) + 2 else exact[None]
    inside = layer.in_channels // layer.groups
    if not _transposed(layer):
        size = inside * math.prod(layer.kernel_size)
        unit = torch.eye(size, dtype=exact.dtype, device=exact.device)
        reading = unit.reshape(size, inside, *layer.kernel_size).repeat(
            layer.groups, *(1 for _ in layer.weight.shape[1:])
        )
        images, inside = layer._conv_forward(images, reading, None), size
    return [part.transpose(0, 1).reshape(inside, -1) for part in torch.split(images, inside, dim=1)]


def outputs_of(layer: Layer) -> int:
    """Rows of the matrix that a group of a layer multiplies by; of a transposed convolution, how
    many entries of its output a pixel is added to.

    Example:
        >>> outputs_of(torch.nn.Conv2d(4, 6, 3, groups=2))
        3
    """
    if isinstance(layer, torch.nn.Linear):
        return layer.out_features
    outputs = layer.out_channels // layer.groups
    return outputs * math.prod(layer.kernel_size) if _transposed(layer) else outputs


def joined_weight(layer: Layer, parts: Sequence[Tensor], given: Tensor, gain: float) -> Tensor:
    """The weight of a layer from the matrices of its groups, in their dtype.

    - ``layer``: of `KINDS`
    - ``parts``: a matrix ``(outputs_of(layer), d)`` for each group
    - ``given``: what it is called with
    - ``gain``: the root mean square of its output; of others than transposed convolutions, in whose
      output pixels overlap, that is the matrices' own

    Example:
        >>> layer, parts = torch.nn.Conv1d(2, 12, 1, groups=2), [torch.ones(6, 1)] * 2
        >>> tuple(joined_weight(layer, parts, torch.ones(1, 2, 5), gain=1.0).shape)
        (12, 1, 1)
    """
    if not _transposed(layer):
        return torch.cat(list(parts)).reshape(layer.weight.shape)
    weight = torch.cat([part.T.contiguous() for part in parts]).reshape(layer.weight.shape)
    axes = len(layer.kernel_size)  # type: ignore[arg-type]
    apply = getattr(torch.nn.functional, f"conv_transpose{axes}d")
    output = apply(
        given.to(weight.dtype),
        weight,
        None,
        layer.stride,
        layer.padding,
        layer.output_padding,
        layer.groups,
        layer.dilation,
    )
    rescaled: Tensor = weight * (gain / output.square().mean().sqrt())
    return rescaled
