"""The initialiser on modules of every kind: as proved where it can be, one line and nothing changed
where not.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize, prune, spectral_norm, weight_norm

from simulators import orthogonality_gap
from simulators.training import iterative_orthogonal_
from simulators.training.layer_inputs import as_layer, patches_of


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def drawn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Normal numbers about a common mean, so that samples start far from orthogonal."""
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(1, *shape[1:], generator=generator, dtype=torch.float64)
    noise = torch.randn(*shape, generator=generator, dtype=torch.float64)
    return (mean + 0.3 * noise).to(dtype)


def old_weight_norm(layer: nn.Module, dim: int | None = 0) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return weight_norm(layer, dim=dim)  # type: ignore[arg-type]


def gap(columns: Tensor) -> float:
    return float(orthogonality_gap(columns.detach().double()))


def gap_after(columns: Tensor) -> float:
    sigma = torch.linalg.svdvals(columns.detach().double())
    sigma = sigma / sigma.norm()
    return float(max(1 / sigma.sum() ** 2 - 1 / columns.shape[1], 0) ** 0.5)


def contributions(layer: Any, patches: list[Tensor]) -> list[Tensor]:
    """What the effective weight makes of patches, group by group."""
    parts = layer.weight.detach().double().chunk(len(patches))
    if isinstance(layer, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d):
        matrices = [part.flatten(1).T for part in parts]
    else:
        matrices = [part.flatten(1) for part in parts]
    return [matrix @ each for matrix, each in zip(matrices, patches, strict=True)]


def falls_as_proved(module: nn.Module, *batch: Any, tolerance: float = 1e-5, **kw: Any) -> int:
    """Compare every layer's gaps with the theory; how many were compared."""
    seen: list[tuple[float, float, float]] = []

    def look(layer: Any, args: tuple[Tensor, ...], kwargs: dict[str, Tensor]) -> None:
        patches = patches_of(layer, args[0] if args else kwargs["input"])
        for before, after in zip(patches, contributions(layer, patches), strict=True):
            seen.append((gap(before), gap_after(before), gap(after)))

    hooks = [
        each.register_forward_pre_hook(look, with_kwargs=True)
        for each in module.modules()
        if as_layer(each) is not None
    ]
    with torch.no_grad():
        module(*batch, **kw)
    for hook in hooks:
        hook.remove()
    for before, predicted, after in seen:
        assert after == pytest.approx(predicted, abs=tolerance)
        assert after <= before + tolerance
    return len(seen)


def state(module: nn.Module) -> dict[str, Any]:
    """All that a refusal must leave alone."""
    found: dict[str, Any] = {"random": torch.get_rng_state()}
    for name, each in module.named_modules():
        found[f"{name} kind"] = type(each)
        found[f"{name} training"] = each.training
        for kind in ("_forward_pre_hooks", "_forward_hooks", "_forward_pre_hooks_with_kwargs"):
            found[f"{name} {kind}"] = list(getattr(each, kind))
        found[f"{name} attributes"] = sorted(vars(each))
        for key, value in [*each._parameters.items(), *each._buffers.items(), *vars(each).items()]:
            if isinstance(value, Tensor):
                found[f"{name}.{key} is"] = (id(value), type(value), value.requires_grad)
                if not nn.parameter.is_lazy(value) and not value.is_meta:
                    found[f"{name}.{key}"] = value.detach().clone()
    return found


def unchanged(before: dict[str, Any], after: dict[str, Any]) -> bool:
    def same(one: object, other: object) -> bool:
        if isinstance(one, Tensor) and isinstance(other, Tensor):
            return one.dtype == other.dtype and torch.equal(one, other)
        return one == other

    return list(before) == list(after) and all(same(before[key], after[key]) for key in before)


def refused(
    module: nn.Module, batch: Any, words: str, error: type[BaseException] = ValueError, **kw: Any
) -> None:
    """One line with these words, and nothing changed."""
    before = state(module)
    with pytest.raises(error, match=words) as caught:
        iterative_orthogonal_(module, batch, **kw)
    assert "\n" not in str(caught.value)
    assert unchanged(before, state(module))


# --- weights that are made from others ------------------------------------------------------------


@pytest.mark.parametrize(
    "wrap",
    [
        old_weight_norm,
        lambda layer: old_weight_norm(layer, dim=None),
        lambda layer: old_weight_norm(layer, dim=1),
        parametrizations.weight_norm,
        lambda layer: parametrizations.weight_norm(layer, dim=1),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_weight_norm_gives_the_wanted_weight(
    wrap: Callable[[nn.Module], nn.Module], dtype: torch.dtype
) -> None:
    net = nn.Sequential(
        wrap(nn.Linear(10, 12)), nn.ReLU(), wrap(nn.Linear(12, 16)), nn.ReLU(), nn.Linear(16, 16)
    ).to(dtype)
    batch = drawn(6, 10, dtype=dtype)
    parameters = [id(parameter) for parameter in net.parameters()]
    places = [parameter.data_ptr() for parameter in net.parameters()]
    iterative_orthogonal_(net, batch)
    assert falls_as_proved(net, batch, tolerance=20 * torch.finfo(dtype).eps) == 3
    assert [id(parameter) for parameter in net.parameters()] == parameters
    assert [parameter.data_ptr() for parameter in net.parameters()] == places
    first = net[:2](batch).square().mean()
    first.backward()
    assert all(parameter.grad is not None for parameter in net[0].parameters())


def test_a_parametrisation_with_a_right_inverse_is_set_through_it() -> None:
    class Doubled(nn.Module):
        def forward(self, original: Tensor) -> Tensor:
            return 2 * original

        def right_inverse(self, weight: Tensor) -> Tensor:
            return weight / 2

    net = nn.Sequential(nn.Linear(8, 9), nn.Tanh(), nn.Conv1d(1, 4, 3))
    parametrize.register_parametrization(net[0], "weight", Doubled())
    parametrize.register_parametrization(net[0], "weight", Doubled())
    parametrize.register_parametrization(net[2], "bias", Doubled())

    class Images(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = net[2](net[1](net[0](x))[:, None])
            return out

    module = Images()
    iterative_orthogonal_(module, drawn(5, 8))
    assert falls_as_proved(module, drawn(5, 8)) == 2
    assert torch.equal(net[0].weight, 4 * net[0].parametrizations.weight.original)
    assert not net[2].bias.any()


class NoInverse(nn.Module):
    def forward(self, original: Tensor) -> Tensor:
        return original.tanh()


def with_no_inverse(layer: nn.Module) -> nn.Module:
    return parametrize.register_parametrization(layer, "weight", NoInverse())


@pytest.mark.parametrize(
    ("wrap", "by"),
    [
        (spectral_norm, "SpectralNorm"),
        (parametrizations.spectral_norm, "_SpectralNorm"),
        (parametrizations.orthogonal, "_Orthogonal"),
        (
            lambda layer: parametrizations.orthogonal(
                layer, orthogonal_map="cayley", use_trivialization=False
            ),
            "not possible to assign",
        ),
        (lambda layer: prune.l1_unstructured(layer, "weight", 0.5), "L1Unstructured"),
        (with_no_inverse, "right_inverse"),
    ],
)
@pytest.mark.parametrize("training", [True, False])
def test_what_cannot_be_set_is_refused_by_name(
    wrap: Callable[[nn.Module], nn.Module], by: str, training: bool
) -> None:
    net = nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6), wrap(nn.Linear(6, 6)))
    net.train(training)
    refused(net, drawn(5, 6), f"^module: layer '2' does not .* the weight it is given.*{by}")


def tied() -> nn.Module:
    net = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6))
    net[2].weight = net[0].weight
    return net


def tied_by_memory() -> nn.Module:
    net = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6))
    net[2].weight.data = net[0].weight.data.T
    return net


def tied_to_an_embedding() -> nn.Module:
    net = nn.Sequential(nn.Embedding(9, 6), nn.Linear(6, 9, bias=False))
    net[1].weight = net[0].weight
    return net


def tied_in_part() -> nn.Module:
    net = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6))
    both = torch.randn(7, 6)
    net[0].weight, net[2].weight = nn.Parameter(both[:6]), nn.Parameter(both[1:])
    return net


def tied_below_weight_norm() -> nn.Module:
    net = nn.Sequential(*(parametrizations.weight_norm(nn.Linear(6, 6)) for _ in range(2)))
    one, other = (layer.parametrizations.weight for layer in net)
    other.original1 = one.original1
    return net


@pytest.mark.parametrize(
    "make", [tied, tied_by_memory, tied_to_an_embedding, tied_in_part, tied_below_weight_norm]
)
def test_tied_weights_are_refused_by_name(make: Callable[[], nn.Module]) -> None:
    net = make()
    whole = isinstance(net[0], nn.Embedding)  # type: ignore[index]
    batch = torch.arange(5) if whole else drawn(5, 6)
    refused(net, batch, r"^module: layer '\d' shares its weight, .* and .* are one")


def test_neighbours_in_one_memory_are_not_tied() -> None:
    net = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6))
    flat = torch.randn(2, 6, 6)
    net[0].weight, net[2].weight = nn.Parameter(flat[0]), nn.Parameter(flat[1])
    iterative_orthogonal_(net, drawn(5, 6))
    assert falls_as_proved(net, drawn(5, 6)) == 2


def test_a_module_of_one_layer_twice_takes_its_weights_at_the_first_call() -> None:
    layer = nn.Linear(6, 6)
    net, batch = nn.Sequential(layer, nn.ReLU(), layer), drawn(5, 6)
    iterative_orthogonal_(net, batch)
    assert gap(layer(batch).T) == pytest.approx(gap_after(batch.T), abs=1e-5)


# --- batches --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.int64, torch.uint8])
@pytest.mark.parametrize("of_module", [torch.float32, torch.bfloat16, torch.float64])
def test_numbers_take_the_dtype_of_the_module(dtype: torch.dtype, of_module: torch.dtype) -> None:
    net = nn.Sequential(nn.Linear(8, 12), nn.Tanh(), nn.Linear(12, 12)).to(of_module)
    batch = (30 * drawn(5, 8)).abs().to(dtype)
    iterative_orthogonal_(net, batch)
    tolerance = 20 * torch.finfo(of_module).eps
    assert falls_as_proved(net, batch.to(of_module), tolerance=tolerance) == 2


def test_whole_numbers_stay_whole_where_they_are_looked_up() -> None:
    net = nn.Sequential(nn.Embedding(20, 8), nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, 12))
    tokens = torch.arange(10).reshape(2, 5)
    table = net[0].weight.detach().clone()
    iterative_orthogonal_(net, tokens)
    assert torch.equal(net[0].weight, table)
    assert falls_as_proved(net, tokens) == 2


def test_a_refusal_of_layers_behind_an_embedding_is_told() -> None:
    net = nn.Sequential(nn.Embedding(20, 6), nn.Linear(6, 6), spectral_norm(nn.Linear(6, 6)))
    refused(net, torch.arange(10).reshape(2, 5), "^module: layer '2' does not take the weight")


def test_a_batch_beyond_the_dtype_is_refused() -> None:
    huge = torch.full((4, 3), 1e200, dtype=torch.float64)
    refused(nn.Linear(3, 3), huge, r"^batch has entries up to 1e\+200, and the module's torch.floa")


def test_the_batch_is_not_written_to() -> None:
    net = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(6, 6))
    batch = drawn(5, 6).requires_grad_()
    kept = batch.detach().clone()
    iterative_orthogonal_(net, batch)
    assert torch.equal(batch, kept)
    assert batch.grad is None


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(6, 8), nn.Linear(4, 8)
        self.join = nn.Linear(8, 8)

    def forward(self, left: Tensor, right: Tensor, *, mask: Tensor | None = None) -> Tensor:
        found: Tensor = self.left(input=left) + self.right(input=right)
        found = found if mask is None else found * mask
        return torch.relu(self.join(input=found))


class OfPair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inside = TwoInputs()

    def forward(self, given: Any) -> Tensor:
        pair = tuple(given.values()) if isinstance(given, dict) else given
        found: Tensor = self.inside(*pair)
        return found


def test_several_inputs_by_place_and_by_name_and_layers_called_by_keyword() -> None:
    left, right = drawn(5, 6), drawn(5, 4, seed=1)
    mask = torch.ones(8, dtype=torch.bool)
    for batch in ((left, right), {"left": left, "right": right}):
        for net in (TwoInputs(), OfPair()):
            iterative_orthogonal_(net, batch)
            inside = net.inside if isinstance(net, OfPair) else net
            assert falls_as_proved(inside, left, right) == 3
    net = TwoInputs()
    iterative_orthogonal_(net, {"left": left.double(), "right": right, "mask": mask})
    assert falls_as_proved(net, left, right, mask=mask) == 3


OTHER = torch.ones(2, 3)


@pytest.mark.parametrize(
    ("module", "batch", "words", "error"),
    [
        (
            nn.Linear(3, 3),
            OTHER.to_sparse(),
            "^batch is sparse, nested or quantised; give",
            ValueError,
        ),
        (
            nn.Linear(3, 3).to(torch.float8_e4m3fn),
            OTHER,
            "^module: the layer has weights of torch.float8_e4m3fn; give real numbers of 16 bits",
            TypeError,
        ),
        (
            nn.ConvTranspose2d(3, 4, 2, padding=1),
            torch.ones(2, 3, 4, 1),
            r"gets images of size \(4, 1\), of which its padding of 1 leaves nothing on axis 1",
            ValueError,
        ),
        (nn.Linear(3, 3), OTHER.to("meta"), "^batch has a shape and no values", ValueError),
        (nn.Linear(3, 3, device="meta"), OTHER, "^module: it has shapes and no v", ValueError),
        (nn.Linear(3, 3), torch.ones(2, 0), r"^batch has shape \(2, 0\), and is empty", ValueError),
        (nn.Linear(3, 3), OTHER[:0], r"^batch has shape \(0, 3\), and is empty", ValueError),
        (nn.Linear(3, 3), OTHER + 0j, "^batch is a Tensor of torch.complex64; give", TypeError),
        (nn.Linear(3, 3), OTHER.numpy(), "^batch is an ndarray; give a tensor", TypeError),
        (nn.Linear(3, 3), (OTHER.numpy(),), r"^batch\[0\] is an ndarray; give a te", TypeError),
        (nn.Linear(3, 3), {}, "^batch is a dict without a tensor; give one", TypeError),
        (nn.Linear(3, 3), (1, None), "^batch is a tuple without a tensor; give", TypeError),
        (
            nn.Linear(3, 3, dtype=torch.complex64),
            OTHER,
            "^module: the layer has weights of torch.complex64; give real",
            TypeError,
        ),
        (
            nn.Conv2d(1, 2, 5),
            torch.ones(3, 1, 4, 6),
            r"^batch: the layer gets images of size \(4, 6\), and its kernel covers 5 on axis 0",
            ValueError,
        ),
        (
            nn.Conv1d(1, 2, 3, dilation=3, padding=1),
            torch.ones(3, 1, 4),
            r"kernel covers 7 on axis 0, where with padding there are 6; give larger images",
            ValueError,
        ),
        (
            nn.Conv2d(1, 2, 3, padding=(1, 4), padding_mode="reflect"),
            torch.ones(3, 1, 5, 4),
            r"reflect padding of 4 on axis 1 allows 3; give larger images",
            ValueError,
        ),
        (
            nn.Linear(3, 3, dtype=torch.float16),
            torch.full((2, 3), 6e-8, dtype=torch.float16),
            "^module: the layer would need entries of its weight up to .*, outside torch.float16",
            ValueError,
        ),
    ],
)
def test_what_cannot_be_is_one_line(
    module: nn.Module, batch: Any, words: str, error: type[Exception]
) -> None:
    refused(module, batch, words, error)


def test_nested_and_quantised_batches_are_one_line() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        nested = torch.nested.nested_tensor([OTHER, OTHER])
        quantised = torch.quantize_per_tensor(OTHER, 0.1, 0, torch.quint8)
    for batch in (nested, quantised):
        refused(nn.Linear(3, 3), batch, "^batch is sparse, nested or quantised; give")


def test_an_empty_layer_is_named() -> None:
    class Nothing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x[:, :0]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        net = nn.Sequential(nn.Linear(3, 3), Nothing(), nn.Linear(0, 3))
    refused(net[2], torch.ones(2, 0), r"^batch has shape \(2, 0\), and is empty; give samples")
    refused(net, OTHER, r"^module: layer '2' has a weight of shape \(3, 0\), empty")


def test_a_generator_and_a_gain_are_looked_at() -> None:
    net = nn.Linear(3, 3)
    refused(
        net, OTHER, "^generator is an int; give a torch.Generator or None", TypeError, generator=3
    )
    refused(net, OTHER, "^gain=inf: give a positive, finite number", gain=math.inf)
    refused(net, OTHER, "outside torch.float32; scale the batch or the gain", gain=1e60)
    refused(net, OTHER, "outside torch.float32; scale the batch or the gain", gain=1e-60)


def test_layers_of_two_dtypes_are_told() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3, dtype=torch.float64))
    refused(net, OTHER, "^batch: layer '1' gets torch.float32, and has weights of torch.float64")


# --- all or nothing -------------------------------------------------------------------------------


class Stops(nn.Module):
    """What raises at a call after it has drawn, counted and changed a buffer."""

    def __init__(self, error: type[BaseException], call: int) -> None:
        super().__init__()
        self.error, self.call = error, call
        self.register_buffer("seen", torch.zeros(()))
        self.calls: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen += torch.randn(())
        self.count = 1
        self.calls.append(1)
        if len(self.calls) == self.call:
            raise self.error("stopped")
        return x


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, ValueError])
@pytest.mark.parametrize("mode", [True, False])
def test_stopped_midway_leaves_all_as_it_was(error: type[BaseException], mode: bool) -> None:
    net = nn.Sequential(
        nn.Linear(6, 6),
        nn.BatchNorm1d(6),
        old_weight_norm(nn.Linear(6, 6)),
        parametrizations.weight_norm(nn.Linear(6, 6)),
        nn.BatchNorm1d(6, momentum=None),
        Stops(error, call=1),
        nn.Linear(6, 6),
    ).train(mode)
    net[4].train(not mode)
    refused(net, drawn(5, 6), "stopped", error)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("call", [1, 2])
@pytest.mark.parametrize("mode", [True, False])
def test_stopped_lazy_layers_are_lazy_again(
    error: type[BaseException], call: int, mode: bool
) -> None:
    net = nn.Sequential(
        nn.Linear(6, 6),
        nn.BatchNorm1d(6),
        nn.Dropout(),
        old_weight_norm(nn.Linear(6, 6)),
        parametrizations.weight_norm(nn.Linear(6, 6)),
        nn.LazyLinear(4),
        nn.LazyBatchNorm1d(),
        Stops(error, call),
    ).train(mode)
    own = torch.Generator().manual_seed(3)
    numbers = own.get_state()
    refused(net, drawn(5, 6), "stopped", error, generator=own)
    assert torch.equal(own.get_state(), numbers)
    net[:7](drawn(5, 6))  # they may still take their shapes
    assert net[5].in_features == 6


def test_a_graph_that_waits_survives_a_refusal() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    loss = net[2](net[1](net[0](OTHER))).square().sum()
    with pytest.raises(ValueError, match="zeros or what is not finite"):
        iterative_orthogonal_(net, OTHER * math.nan)
    loss.backward()
    assert net[0].weight.grad is not None


class Forgiving(nn.Module):
    """A forward that goes on where a layer fails."""

    def __init__(self) -> None:
        super().__init__()
        self.first = parametrizations.orthogonal(nn.Linear(6, 6))
        self.second = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        try:
            found: Tensor = self.first(x)
        except ValueError:
            found = self.second(x)
        return found


def test_a_refusal_is_told_where_the_forward_goes_on() -> None:
    refused(Forgiving(), drawn(5, 6), "^module: layer 'first' does not keep the weight it is given")


class OwnNorm(nn.Module):
    """Batch normalisation that replaces its buffers, and learns its scale from the first batch."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("moving_mean", torch.zeros(6))
        self.scale = nn.Parameter(torch.ones(6))

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return (x - self.moving_mean) * self.scale
        self.moving_mean = 0.9 * self.moving_mean + 0.1 * x.mean(dim=0)
        with torch.no_grad():
            self.scale.copy_(1 / x.std(dim=0))
        return (x - x.mean(dim=0)) * self.scale


@pytest.mark.parametrize("mode", [True, False])
def test_nothing_but_the_layers_changes(mode: bool) -> None:
    net = nn.Sequential(
        nn.Linear(6, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 6), OwnNorm(), nn.Linear(6, 6)
    ).train(mode)
    net[2].train(not mode)
    before = state(net)
    iterative_orthogonal_(net, drawn(5, 6), generator=torch.Generator().manual_seed(0))
    after = state(net)
    changed = {key for key in before if not unchanged({key: before[key]}, {key: after[key]})}
    assert changed == {f"{place}.{name}" for place in (0, 3, 5) for name in ("weight", "bias")}


class Dropping(nn.Module):
    """Dropout of every kind, in training."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(8, 8) for _ in range(3))
        self.drop = nn.AlphaDropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.dropout(self.layers[0](x), 0.5, self.training)
        found: Tensor = self.layers[2](self.drop(self.layers[1](x)))
        return found


def test_dropout_is_off_and_only_the_generator_is_drawn_from() -> None:
    net, batch = Dropping(), drawn(6, 8)
    random = torch.get_rng_state()
    iterative_orthogonal_(net, batch, generator=torch.Generator().manual_seed(0))
    assert torch.equal(torch.get_rng_state(), random)
    assert all(each.training for each in net.modules())
    assert falls_as_proved(net.eval(), batch) == 3


def test_normalisation_keeps_its_mode() -> None:
    norm = nn.BatchNorm1d(8)
    net, batch = nn.Sequential(nn.Linear(8, 8), norm, nn.Linear(8, 8)), drawn(6, 8)
    norm.running_mean = torch.full((8,), 5.0)
    iterative_orthogonal_(net, batch)
    assert falls_as_proved(net, batch) == 2
    iterative_orthogonal_(net.eval(), batch)
    assert falls_as_proved(net, batch) == 2


# --- layers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: nn.Conv1d(4, 30, 3, dilation=2, padding=2), (5, 4, 9)),
        (lambda: nn.Conv2d(4, 40, 3, groups=2, stride=2, padding="valid"), (5, 4, 9, 8)),
        (lambda: nn.Conv2d(3, 40, 3, padding="same", padding_mode="reflect"), (4, 3, 5, 5)),
        (lambda: nn.Conv2d(6, 60, 3, groups=6, bias=False), (4, 6, 5, 5)),
        (lambda: nn.Conv2d(3, 30, (3, 1), dilation=(2, 1), padding=(2, 0)), (4, 3, 5, 5)),
        (lambda: nn.Conv2d(3, 30, 3), (3, 5, 5)),
        (lambda: nn.Conv3d(2, 60, (2, 3, 2), padding=1), (3, 2, 4, 4, 4)),
        (lambda: nn.ConvTranspose1d(6, 4, 3, stride=3), (4, 6, 5)),
        (lambda: nn.ConvTranspose2d(6, 4, 3, padding=1, groups=2), (4, 6, 5, 5)),
        (lambda: nn.ConvTranspose2d(4, 4, 2, 2, output_padding=1), (4, 4, 5, 5)),
        (lambda: nn.ConvTranspose3d(3, 4, 2), (4, 3, 3, 3, 3)),
        (lambda: nn.Linear(4, 5), (2, 3, 7, 4)),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_layer_lowers_the_gap_as_proved(
    make: Callable[[], nn.Module], shape: tuple[int, ...], dtype: torch.dtype
) -> None:
    layer, batch = make().to(dtype), drawn(*shape, dtype=dtype)
    iterative_orthogonal_(layer, batch, gain=1.5)
    tolerance = 20 * torch.finfo(dtype).eps
    assert falls_as_proved(layer, batch, tolerance=tolerance) >= 1
    assert float(layer(batch).detach().square().mean().sqrt()) == pytest.approx(1.5, rel=1e-4)


def test_pixels_that_do_not_overlap_keep_the_gap_that_was_proved() -> None:
    layer, images = nn.ConvTranspose2d(6, 8, 2, stride=2), drawn(4, 6, 3, 3, dtype=torch.float64)
    iterative_orthogonal_(layer.double(), images)
    blocks = nn.functional.unfold(layer(images), 2, stride=2).transpose(0, 1).flatten(1)
    pixels = images.transpose(0, 1).flatten(1)
    assert gap(blocks) == pytest.approx(gap_after(pixels), abs=1e-9)
    assert gap(blocks) < gap(pixels)


def test_channels_last_keeps_its_layout() -> None:
    net = nn.Sequential(nn.Conv2d(3, 30, 3), nn.ReLU(), nn.Conv2d(30, 40, 1))
    net, batch = net.to(memory_format=torch.channels_last), drawn(4, 3, 6, 6)
    strides = [parameter.stride() for parameter in net.parameters()]
    iterative_orthogonal_(net, batch.to(memory_format=torch.channels_last))
    assert [parameter.stride() for parameter in net.parameters()] == strides
    assert falls_as_proved(net, batch) == 2


def test_lazy_layers_take_shape_and_weights() -> None:
    net = nn.Sequential(
        nn.ReLU(inplace=True),
        nn.LazyConv2d(40, 3),
        nn.LazyBatchNorm2d(),
        nn.ReLU(),
        nn.Flatten(),
        nn.LazyLinear(20),
    )
    batch = drawn(4, 3, 5, 5)
    iterative_orthogonal_(net, batch)
    assert type(net[1]) is nn.Conv2d
    assert not net[2].running_mean.any()
    assert not net[2].num_batches_tracked
    assert falls_as_proved(net, batch) == 2


def test_frozen_parameters_are_filled_and_stay_frozen() -> None:
    net, batch = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6)).requires_grad_(False), drawn(5, 6)
    iterative_orthogonal_(net, batch)
    assert falls_as_proved(net, batch) == 2
    assert not any(parameter.requires_grad for parameter in net.parameters())


@pytest.mark.parametrize("inside", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_under_any_mode_of_autograd(inside: Callable[[], Any]) -> None:
    net = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), parametrizations.weight_norm(nn.Linear(6, 6)))
    with inside():
        iterative_orthogonal_(net, drawn(5, 6))
    batch = drawn(5, 6)
    assert falls_as_proved(net, batch) == 2
    net(batch).sum().backward()
    with torch.inference_mode():
        made, given = nn.Linear(6, 6), drawn(5, 6)
    iterative_orthogonal_(made, given)
    assert falls_as_proved(made, given) == 1
    iterative_orthogonal_(net, given)


class GradientInside(nn.Module):
    """A forward that turns autograd on for itself."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        with torch.enable_grad():
            found: Tensor = self.layer(x)
        return found


def test_a_forward_with_autograd_of_its_own() -> None:
    net, batch = GradientInside(), drawn(5, 6)
    iterative_orthogonal_(net, batch)
    assert falls_as_proved(net, batch) == 1
    assert net.layer.weight.is_leaf


def test_wrapped_modules_are_filled_inside() -> None:
    batch = drawn(5, 6)
    compiled = partial(torch.compile, backend="eager")
    for wrap in (nn.DataParallel, compiled):
        net = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6))
        wrapped = wrap(net)
        assert iterative_orthogonal_(wrapped, batch) is wrapped
        assert falls_as_proved(net, batch) == 2
    net = nn.Sequential(nn.Linear(6, 6), compiled(nn.Linear(6, 6)))
    net.compile(backend="eager")
    iterative_orthogonal_(net, batch)
    assert falls_as_proved(nn.Sequential(net[0], net[1]._orig_mod), batch) == 2


def test_scripted_layers_are_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        scripted = torch.jit.script(nn.Sequential(nn.Linear(3, 3)))
    for module in (scripted, nn.Sequential(nn.Linear(3, 3), scripted)):
        with pytest.raises(TypeError, match=r"is scripted, .*; initialise the module before") as it:
            iterative_orthogonal_(module, OTHER)
        assert "\n" not in str(it.value)


def test_layers_inside_a_transformer_are_reached_in_every_mode() -> None:
    for mode in (True, False):
        layer = nn.TransformerEncoderLayer(8, 2, 8, batch_first=True)
        net = nn.TransformerEncoder(layer, 2).train(mode)
        projection = net.layers[0].self_attn.in_proj_weight.detach().clone()
        padding = torch.zeros(4, 5, dtype=torch.bool)
        padding[:, 4] = True
        batch = {"src": drawn(4, 5, 8), "src_key_padding_mask": padding}
        iterative_orthogonal_(net, batch)
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            assert falls_as_proved(net.eval(), **batch) == 4
        finally:
            torch.backends.mha.set_fastpath_enabled(True)
        assert torch.equal(net.layers[0].self_attn.in_proj_weight, projection)


def test_an_expert_without_a_sample_keeps_what_it_has() -> None:
    class Experts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.experts = nn.ModuleList(nn.Linear(6, 6) for _ in range(2))

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([self.experts[0](x), self.experts[1](x[:0])])

    net = Experts()
    before = net.experts[1].weight.clone()
    iterative_orthogonal_(net, drawn(5, 6))
    assert torch.equal(net.experts[1].weight, before)


def test_a_network_under_autocast_is_filled_in_full_precision() -> None:
    net, batch = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8)), drawn(5, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        iterative_orthogonal_(net, batch)
    assert net[2].weight.dtype is torch.float32
    coarse = net[2].weight.detach().bfloat16().float()
    assert not torch.equal(coarse, net[2].weight)
    assert falls_as_proved(net, batch, tolerance=0.05) == 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu() -> None:
    net = nn.Sequential(nn.Conv2d(3, 40, 3), nn.BatchNorm2d(40), nn.ReLU(), nn.Conv2d(40, 60, 1))
    batch = drawn(4, 3, 6, 6)
    refused(net.cuda(), batch, "^batch is on cpu, and the module on cuda:0; move one to the other")
    random = torch.cuda.get_rng_state()
    refused(net, (batch * math.nan).cuda(), "layer '0' gets zeros or what is not finite")
    assert torch.equal(torch.cuda.get_rng_state(), random)
    for generator in (None, torch.Generator("cuda"), torch.Generator()):
        iterative_orthogonal_(nn.DataParallel(net), batch.cuda(), generator=generator)
        assert falls_as_proved(net, batch.cuda()) == 2
