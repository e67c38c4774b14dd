"""Weights that bring the samples of a batch nearer to orthogonality, layer by layer.

After DJB21 (arXiv 2106.03970), Appendix E: a layer whose input has the singular value
decomposition H = U diag(σ) Vᵀ takes the weight c Q diag(σ)^(-1/2) Uᵀ, with any Q of orthonormal
columns. Its output then has the singular values c σ^(1/2), and an orthogonality gap of
1/(Σσ)² - 1/n, for Σσ² = 1, that is never above that of its input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from simulators.arguments import kind_of, real_number, require
from simulators.lazy import torch

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

__all__ = ["iterative_orthogonal_", "orthogonalising_weight", "random_orthonormal"]

_Module = TypeVar("_Module", bound="nn.Module")


def random_orthonormal(
    shape: tuple[int, ...], generator: Generator | None = None, device: str = "cpu"
) -> Tensor:
    """Matrices with orthonormal columns, uniformly distributed, in float64.

    Args:
        shape: ``(..., rows, columns)``, with at least as many rows as columns.
        generator: of random numbers; Torch's own by default.
        device: where they are drawn, that of the generator.

    Example:
        >>> q = random_orthonormal((2, 5, 3))
        >>> bool(torch.allclose(q.mT @ q, torch.eye(3, dtype=q.dtype)))
        True
    """
    drawn = torch.randn(shape, generator=generator, dtype=torch.float64, device=device)
    q, r = torch.linalg.qr(drawn)
    found: Tensor = q * torch.diagonal(r, dim1=-2, dim2=-1).sgn()[..., None, :]
    return found


def orthogonalising_weight(
    inputs: Tensor, outputs: int, *, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """The weight that takes the singular values σ of its input to multiples of σ^(1/2).

    Args:
        inputs: ``(..., d, n)``, a sample in each column; not all zero.
        outputs: rows of the weight. Where they are fewer than the rank of the input, only its
            leading singular directions are kept.
        gain: the root mean square of the output's entries on this input.
        generator: of the orthonormal factor; Torch's own by default.

    Returns:
        ``(..., outputs, d)``, in the dtype of the input. Directions that no sample has a part in
        are mapped like the leading one, which changes nothing on this input.

    Cost: a QR of the input and a singular value decomposition of d by min(d, n), in float64.

    Example:
        >>> h = torch.tensor([[4.0, 0.0], [0.0, 1.0]])
        >>> w = orthogonalising_weight(h, 2)
        >>> sigma = torch.linalg.svdvals(w @ h)
        >>> round(float(sigma[0] / sigma[1]), 5)
        2.0
    """
    h = inputs.double()
    d, n = h.shape[-2:]
    triangular = torch.linalg.qr(h.mT, mode="r").R
    left, found, _ = torch.linalg.svd(triangular.mT, full_matrices=True)
    sigma = torch.nn.functional.pad(found, (0, d - found.shape[-1]))
    kept = min(outputs, d)
    largest = sigma[..., :1]
    # No more is moved by rounding the entries, whose norm is at most √min(d, n) of the largest.
    reached = sigma > largest * min(d, n) ** 0.5 * torch.finfo(inputs.dtype).eps
    factors = torch.where(reached, sigma, largest).rsqrt()[..., :kept]
    square = (sigma * reached)[..., :kept].sum(dim=-1)
    scale = gain * (outputs * n / square).sqrt()
    q = random_orthonormal((*h.shape[:-2], outputs, kept), generator, str(h.device))
    weight: Tensor = q * (scale[..., None] * factors)[..., None, :] @ left[..., :kept].mT
    return weight.to(inputs.dtype)


def iterative_orthogonal_(
    module: _Module, batch: Tensor, *, gain: float = 1.0, generator: Generator | None = None
) -> _Module:
    """Fill the weights of every ``Linear`` and ``Conv2d`` inside a module so that the samples of a
    batch come nearer to orthogonality from layer to layer; biases become zero.

    The batch goes through the module once. A layer takes its weights when the batch reaches it,
    from its input there, as `orthogonalising_weight` makes them; what stands between layers,
    activations or normalisation, is left as it is. A sample of a convolution is a patch.

    Args:
        module: any that calls its layers one after the other. A layer that is called twice takes
            its weights at the first call; one that is not called, or not through its ``forward``,
            keeps what it has.
        batch: what the module takes: ``(n, d)``, or ``(n, channels, height, width)``.
        gain: the root mean square of what each layer gives, before its activation; positive.
        generator: of random numbers, on the device of the batch; Torch's own by default.

    Returns:
        The module itself, in the manner of ``torch.nn.init``. Buffers, such as running means, and
        gradients are as before.

    Raises:
        TypeError: ``module`` is no module, or ``batch`` no tensor of real numbers.
        ValueError: a ``gain`` that is not positive and finite; one sample without an axis for
            more; a layer, which is named, whose input does not fit it, is zero or not finite; or a
            module without a layer that the batch reaches.

    Cost: one pass through the module, and a singular value decomposition a layer.

    Reference: DJB21 (arXiv 2106.03970), Appendix E and Fig. 4.

    Example:
        >>> nn = torch.nn
        >>> net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16))
        >>> batch = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
        >>> _ = iterative_orthogonal_(net, batch, generator=torch.Generator().manual_seed(1))
        >>> round(net(batch).square().mean().item(), 4)
        1.0
    """
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"module is {kind_of(module)}; give a torch.nn.Module")
    if not isinstance(batch, torch.Tensor) or not batch.is_floating_point():
        dtype = f" of {batch.dtype}" if isinstance(batch, torch.Tensor) else ""
        raise TypeError(
            f"batch is {kind_of(batch)}{dtype}; give a tensor of floating-point numbers"
        )
    shape = tuple(batch.shape)
    require(batch.dim() > 1, f"batch of shape {shape}: want samples as rows, (n, …)")
    scale = real_number("gain", gain, "a positive number")
    require(0 < scale < float("inf"), f"gain={gain!r}: give a positive, finite number")
    layers = {
        layer: name
        for name, layer in module.named_modules()
        if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d)
    }
    waiting = dict(layers)
    buffers = {name: buffer.clone() for name, buffer in module.named_buffers()}

    def take(layer: nn.Linear | nn.Conv2d, given: tuple[Tensor, ...]) -> None:
        if layer not in waiting:
            return
        name = waiting.pop(layer)
        where = f"layer {name!r}" if name else "the layer"
        _require_fit(layer, given[0], where)
        for part, patches in enumerate(_patches(layer, given[0])):
            usable = bool(torch.isfinite(patches).all()) and bool(patches.any())
            require(usable, f"batch: {where} gets zeros or what is not finite; give another batch")
            rows = _rows(layer, part)
            weight = orthogonalising_weight(patches, len(rows), gain=scale, generator=generator)
            rows.copy_(weight.reshape(rows.shape))
        if layer.bias is not None:
            layer.bias.zero_()

    hooks = [layer.register_forward_pre_hook(take) for layer in layers]
    try:
        with torch.no_grad():
            module(batch)
            for name, buffer in module.named_buffers():
                buffer.copy_(buffers[name])
    finally:
        for hook in hooks:
            hook.remove()
    require(len(waiting) < len(layers), "module: the batch reaches no Linear and no Conv2d in it")
    return module


def _require_fit(layer: nn.Linear | nn.Conv2d, given: Tensor, where: str) -> None:
    """Raise ``ValueError`` for an input that the layer does not read."""
    shape = tuple(given.shape)
    if isinstance(layer, torch.nn.Linear):
        fits, wanted = shape[-1:] == (layer.in_features,), f"(…, {layer.in_features})"
    else:
        fits = len(shape) in (3, 4) and shape[-3] == layer.in_channels
        wanted = f"(n, {layer.in_channels}, height, width)"
    require(fits, f"batch: {where} gets shape {shape}, and reads {wanted}; give a batch that fits")


def _patches(layer: nn.Linear | nn.Conv2d, given: Tensor) -> list[Tensor]:
    """What a layer multiplies by its weight, ``(d, n)``; of a convolution one for each group."""
    if isinstance(layer, torch.nn.Linear):
        return [given.reshape(-1, given.shape[-1]).T]
    inside = layer.in_channels // layer.groups
    size = inside * layer.kernel_size[0] * layer.kernel_size[1]
    reading = torch.nn.Conv2d(
        inside,
        size,
        cast("tuple[int, int]", layer.kernel_size),
        cast("tuple[int, int]", layer.stride),
        cast("tuple[int, int]", layer.padding),
        cast("tuple[int, int]", layer.dilation),
        bias=False,
        padding_mode=layer.padding_mode,
        device=given.device,
        dtype=given.dtype,
    )
    reading.weight.copy_(torch.eye(size).reshape(reading.weight.shape))
    images = given if given.dim() == 4 else given[None]
    parts = torch.chunk(images, layer.groups, dim=1)
    return [reading(part).transpose(0, 1).reshape(size, -1) for part in parts]


def _rows(layer: nn.Linear | nn.Conv2d, part: int) -> Tensor:
    """The rows of the weight that belong to a group."""
    if isinstance(layer, torch.nn.Linear):
        return layer.weight
    outside = layer.out_channels // layer.groups
    return layer.weight[part * outside : (part + 1) * outside]
