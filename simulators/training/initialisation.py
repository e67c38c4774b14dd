"""Weights that bring the samples of a batch nearer to orthogonality, layer by layer.

After DJB21 (arXiv 2106.03970), Appendix E: a layer whose input has the singular value
decomposition H = U diag(σ) Vᵀ takes the weight c Q diag(σ)^(-1/2) Uᵀ, with any Q of orthonormal
columns. Its output then has the singular values c σ^(1/2), and an orthogonality gap of
1/(Σσ)² - 1/n, for Σσ² = 1, that is never above that of its input.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TypeVar

from simulators.arguments import kind_of, real_number, require
from simulators.lazy import torch
from simulators.training.effective_weights import give, require_held, shared_weights
from simulators.training.forward_inputs import Arguments, Batch, arguments_of
from simulators.training.layer_inputs import (
    KINDS,
    as_layer,
    joined_weight,
    outputs_of,
    patches_of,
    require_fit,
)
from simulators.training.state_before import StateBefore, is_lazy, tensors_of

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

    from simulators.training.layer_inputs import Layer

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
    rounding = torch.finfo(inputs.dtype).eps
    made = _orthogonalising(inputs.double(), outputs, rounding, gain, generator)
    return made.to(inputs.dtype)


def _orthogonalising(
    h: Tensor, outputs: int, rounding: float, gain: float, generator: Generator | None
) -> Tensor:
    """The same in float64, of inputs whose entries have a rounding unit."""
    d, n = h.shape[-2:]
    triangular = torch.linalg.qr(h.mT, mode="r").R
    left, found, _ = torch.linalg.svd(triangular.mT, full_matrices=True)
    sigma = torch.nn.functional.pad(found, (0, d - found.shape[-1]))
    kept = min(outputs, d)
    largest = sigma[..., :1]
    # No more is moved by rounding the entries, whose norm is at most √min(d, n) of the largest.
    reached = sigma > largest * min(d, n) ** 0.5 * rounding
    factors = torch.where(reached, sigma, largest).rsqrt()[..., :kept]
    square = (sigma * reached)[..., :kept].sum(dim=-1)
    scale = gain * (outputs * n / square).sqrt()
    source = h.device if generator is None else generator.device
    q = random_orthonormal((*h.shape[:-2], outputs, kept), generator, str(source)).to(h.device)
    weight: Tensor = q * (scale[..., None] * factors)[..., None, :] @ left[..., :kept].mT
    return weight


def iterative_orthogonal_(
    module: _Module, batch: Batch, *, gain: float = 1.0, generator: Generator | None = None
) -> _Module:
    """Fill the weights of every linear layer and convolution inside a module so that the samples of
    a batch come nearer to orthogonality from layer to layer; biases become zero.

    The batch goes through the module once. A layer takes its weights when the batch reaches it,
    from its input there, as `orthogonalising_weight` makes them; what stands between layers,
    activations or normalisation, is left as it is. Where a layer has at least as many outputs as
    its input has rank, the orthogonality gap V of that input goes to √(1/(Σσ)² - 1/n), for its
    singular values σ with Σσ² = 1, and never rises; with fewer it may.

    - Layers that are filled: ``Linear``, ``Conv1d`` to ``Conv3d``, ``ConvTranspose1d`` to
      ``ConvTranspose3d``, with any groups, dilation and padding, their ``Lazy`` kinds, and
      subclasses, of which the weight is what counts. Of a ``Linear`` a sample is a row, of a
      convolution a patch, group by group; of a transposed one a pixel, and what it gives is counted
      before pixels overlap. All others, such as ``Embedding``, ``Bilinear``, recurrent layers and
      the projections of ``MultiheadAttention``, keep what they have.
    - Weights that are made from others are set through them: by ``weight_norm``, in its hooks or
      as a parametrisation, and by any parametrisation whose ``right_inverse`` gives back the wanted
      weight.
    - A layer that is called twice takes its weights at the first call; one that is not called, or
      not through its ``forward``, or with no sample, keeps what it has.
    - Frozen parameters are filled too, as by ``torch.nn.init``, and stay frozen.
    - Modules run in evaluation mode, dropout off, and so what they do in training alone is not
      reached; but normalisation, that is, what has a buffer named after a mean or a variance, in
      its own mode: of the batch's own statistics in training, of its running ones in evaluation.
    - Compiled modules run uncompiled, and ``DataParallel`` wrappers on one device.

    Args:
        module: any that calls its layers one after the other.
        batch: what the module takes: ``(n, d)``, or ``(n, channels, …)``, on a device of the
            module. Several inputs are a tuple, by place, or a mapping, by name; a tuple or mapping
            that the module's forward does not take apart is handed over in one piece. Numbers take
            the dtype of the module; whole ones stay whole where the module takes them, as an
            ``Embedding`` does. The batch is not changed.
        gain: the root mean square of what each layer gives, before its activation; positive.
        generator: of random numbers, on any device; Torch's own by default.

    Returns:
        The module itself, in the manner of ``torch.nn.init``. All else is as before: other
        parameters, buffers such as running means, modes, hooks and gradients.

    Raises:
        TypeError: ``module`` is no module or a scripted one, ``batch`` holds no tensor of real
            numbers, ``generator`` no generator, or a layer has complex weights.
        ValueError: a ``gain`` that is not positive and finite; a batch that is sparse, empty, on
            another device or on ``meta``, or one sample without an axis for more; a layer, which is
            named, whose input does not fit it, is zero or not finite; whose weight cannot be set, as
            under ``spectral_norm``, ``parametrizations.orthogonal`` or pruning, is shared with
            another module, is empty or out of the range of its dtype; or a module without a layer
            that the batch reaches.

        What the module's own forward raises comes through. Whatever is raised, an interrupt too,
        module and random numbers are as before: parameters, buffers, attributes, modes and hooks.

    Cost: one pass through the module, two where layers are lazy, and a singular value decomposition
    a layer, in float64: O(d² min(d, n) + d n min(d, n)) for n inputs of dimension d. Memory for two
    copies of the module, and for the patches of one layer.

    Source: DJB21 (arXiv 2106.03970), Appendix E and Fig. 4.

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
    scale = real_number("gain", gain, "a positive number")
    require(0 < scale < float("inf"), f"gain={gain!r}: give a positive, finite number")
    if generator is not None and not isinstance(generator, torch.Generator):
        raise TypeError(f"generator is {kind_of(generator)}; give a torch.Generator or None")
    inner = _unwrapped(module)
    _require_watchable(inner)
    *whole, last = arguments_of(inner, batch)
    if not any(_fill(inner, each, scale, generator, tentative=True) for each in whole):
        _fill(inner, last, scale, generator, tentative=False)
    return module


def _unwrapped(module: nn.Module) -> nn.Module:
    """What a compiled module or one for many devices is made from."""
    parallel = torch.nn.parallel
    while True:
        if isinstance(module, parallel.DataParallel | parallel.DistributedDataParallel):
            module = module.module
        elif "_orig_mod" in module._modules:  # a compiled one's; importing its class takes seconds
            module = module.get_submodule("_orig_mod")
        else:
            return module


def _require_watchable(module: nn.Module) -> None:
    """Refuse what has no values, and scripted layers, which call no hooks of Python."""
    for name, each in module.named_modules():
        where = f"its {name!r}" if name else "it"
        scripted = isinstance(each, torch.jit.ScriptModule)
        require(
            not scripted or getattr(each, "original_name", "") not in KINDS,
            f"module: {where} is scripted, and its layers cannot be watched; initialise the module "
            "before torch.jit",
            TypeError,
        )
        require(
            scripted or not any(tensor.is_meta for tensor in tensors_of(each)),
            f"module: {where} has shapes and no values, on the device 'meta'; load or initialise "
            "it first",
        )


def _fill(
    module: nn.Module,
    arguments: Arguments,
    gain: float,
    generator: Generator | None,
    *,
    tentative: bool,
) -> bool:
    """Fill the weights of a module in one pass; leave all as it was where that fails.

    A tentative pass that fails before any layer reads real numbers is no error: it returns False.
    """
    held = [tensor for each in module.modules() for tensor in tensors_of(each)]
    inference = any(not is_lazy(tensor) and tensor.is_inference() for tensor in held)
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(inference))
        stack.enter_context(torch.no_grad())
        if "torch._dynamo" in sys.modules:  # otherwise nothing was compiled
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        stack.enter_context(_every_layer_called())
        before = StateBefore(module, generator)
        filling = None
        try:
            start = before
            if any(map(is_lazy, held)):
                given = arguments.copied()  # which a module may write to
                with _modes(module, normalising=False):
                    module(*given.args, **given.kwargs)
                start = StateBefore(module, generator)
            filling = _Filling(module, start, gain, generator)
            filling.run(arguments)
        except BaseException as error:
            before.put_back()
            began = filling is not None and filling.began
            if tentative and not began and isinstance(error, Exception):
                return False
            raise
    return True


@contextmanager
def _every_layer_called() -> Iterator[None]:
    """Without the fast path of Transformer layers, which calls no layer inside them."""
    path = torch.backends.mha
    enabled = path.get_fastpath_enabled()
    try:
        path.set_fastpath_enabled(False)
        yield
    finally:
        path.set_fastpath_enabled(enabled)


@contextmanager
def _modes(module: nn.Module, *, normalising: bool) -> Iterator[None]:
    """Modules in evaluation mode; but what keeps means or variances in its own, if asked."""
    modes = {each: each.training for each in module.modules()}
    for each in modes:
        if not (normalising and _normalises(each)):
            each.training = False
    try:
        yield
    finally:
        for each, mode in modes.items():
            each.training = mode


def _normalises(module: nn.Module) -> bool:
    return any("mean" in name or "var" in name for name in module._buffers)


class _Filling:
    """One pass in which every layer of a module takes its weights as the batch reaches it."""

    def __init__(
        self, module: nn.Module, before: StateBefore, gain: float, generator: Generator | None
    ) -> None:
        self._module, self._before = module, before
        self._gain, self._generator = gain, generator
        self.began = False
        self._refusal: Exception | None = None
        self._shared = shared_weights(module)
        self._waiting = {
            each: f"layer {name!r}" if name else "the layer"
            for name, each in module.named_modules()
            if as_layer(each) is not None
        }
        self._given: list[tuple[nn.Module, str, Tensor, str]] = []
        self._written: set[int] = set()

    def run(self, arguments: Arguments) -> None:
        hooks = [
            layer.register_forward_pre_hook(self._take, with_kwargs=True) for layer in self._waiting
        ]
        with _modes(self._module, normalising=True):
            self._module(*arguments.args, **arguments.kwargs)
        if self._refusal is not None:  # which the module's forward took for one of its own
            raise self._refusal
        for hook in hooks:
            hook.remove()
        require(self._given, "module: the batch reaches no Linear and no convolution in it")
        filled = {layer for layer, *_ in self._given}
        steps = [layer.get_submodule("parametrizations") for layer in filled if _is_made(layer)]
        kept = {each for step in steps for each in step.modules()}
        self._before.put_back_values(self._written, kept)
        for layer, name, wanted, where in self._given:
            require_held(layer, name, wanted, where)

    def _take(self, module: nn.Module, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        layer = as_layer(module)
        if layer is None or module not in self._waiting:
            return
        given = args[0] if args else next(iter(kwargs.values()), None)
        try:
            with torch.no_grad():
                self._fill(layer, given, self._waiting[module])
        except Exception as error:
            self._refusal = self._refusal or error
            raise

    def _fill(self, layer: Layer, given: object, where: str) -> None:
        read = require_fit(layer, given, where)
        self.began = True
        if not read.numel():
            return
        del self._waiting[layer]
        self._set("weight", layer, self._weight(layer, read, where), where)
        if layer.bias is not None:
            self._set("bias", layer, torch.zeros_like(layer.bias), where)

    def _weight(self, layer: Layer, read: Tensor, where: str) -> Tensor:
        """The weight of a layer from what it reads, in float64."""
        parts = []
        for patches in patches_of(layer, read):
            usable = bool(torch.isfinite(patches).all()) and bool(patches.any())
            require(usable, f"batch: {where} gets zeros or what is not finite; give another batch")
            rounding = torch.finfo(read.dtype).eps
            parts.append(
                _orthogonalising(patches, outputs_of(layer), rounding, self._gain, self._generator)
            )
        return joined_weight(layer, parts, read, self._gain)

    def _set(self, name: str, layer: Layer, wanted: Tensor, where: str) -> None:
        for tensor in give(layer, name, wanted, where):
            names = self._shared.get(id(tensor), [])
            require(
                name == "bias" or not names,
                f"module: {where} shares its weight, {' and '.join(names)} are one, and what fills "
                "it would change the other; untie them first",
            )
            self._written.add(id(tensor))
        effective = getattr(layer, name)
        self._given.append((layer, name, wanted.to(effective.dtype), where))


def _is_made(layer: nn.Module) -> bool:
    made: bool = torch.nn.utils.parametrize.is_parametrized(layer)
    return made
