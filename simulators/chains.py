"""Chains: a block of layers repeated at every depth, and the catalogue of the theory's chains.

A new named chain is one function of the width, here or in a module of yours:

    @named_chain()
    def sine_chain(width, activation="sin"):
        '''H⁺ = F(WHJ): recentred, and never rescaled'''
        return Chain((Linear(width), Recenter(), Activation(activation)))

It is then known as ``"sine"`` to sweeps, claims, inspection, help and refusals.

Sources: DJB21 (arXiv 2106.03970) for the rescale chains and their activations, D20 (arXiv
2003.01652) for the residual chain, N24 (arXiv 2412.02843) for recenter–ReLU.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import product, zip_longest
from typing import SupportsFloat, TypeAlias, TypeVar

from simulators.activations import ACTIVATIONS
from simulators.arguments import kind_of, real_number, require, told, whole_number
from simulators.arrays import Array
from simulators.catalogue import Catalogue, read_entry, summary
from simulators.layers import (
    LAYERS,
    Activation,
    Layer,
    Linear,
    Normalize,
    Recenter,
    Rescale,
    Residual,
    RowLayer,
    ScaleResponse,
    WeightLayer,
)
from simulators.weights import GivenLaw, law_of

__all__ = [
    "CHAINS",
    "Chain",
    "ChainParameter",
    "NamedChain",
    "batchnorm_chain",
    "named_chain",
    "read_chain",
    "recenter_relu_chain",
    "rescale_activation_chain",
    "rescale_chain",
    "residual_batchnorm_chain",
    "residual_chain",
    "vanilla_chain",
]


@dataclass(frozen=True)
class Chain:
    """One block, a nonempty tuple of layers applied left to right, repeated ``depth`` times by
    `simulate`.

    The representation is observed after each block. The first block maps the batch, d₀ rows, to the
    block's width. Raises `TypeError` when ``layers`` are not layers, `ValueError` when none of them
    draws weights.

    Example:
        >>> Chain((Linear(8), Recenter(), Activation("relu"))).recentres
        True
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if isinstance(self.layers, Layer) or not hasattr(self.layers, "__iter__"):
            shown = told(self.layers)
            raise TypeError(f"layers={shown} is not a sequence of layers; write ({shown},)")
        object.__setattr__(self, "layers", tuple(self.layers))
        for layer in self.layers:
            if not isinstance(layer, Layer):
                raise TypeError(
                    f"layers contain {told(layer)}, which is no layer; known are "
                    f"{', '.join(LAYERS)}"
                )
        require(
            any(isinstance(layer, WeightLayer) for layer in self.layers),
            f"layers={self.layers!r} draw no weights; add a Linear or a Residual layer",
        )
        for layer, forgotten in zip(self.layers, self.forgotten_factors, strict=True):
            if isinstance(layer, WeightLayer) and law_of(layer.law).variance == math.inf:
                cancels = forgotten and not (isinstance(layer, Residual) and layer.gamma < math.inf)
                require(
                    cancels,
                    f"{layer!r} has weights without a variance, and their scale shows; give a law "
                    "that has one, or rescale before another layer sees it",
                )

    def widths(self, rows: int) -> tuple[int, ...]:
        """The number of rows after each layer, for an input of ``rows`` rows.

        Raises `ValueError` when a layer receives a number that it does not take.
        """
        widths = []
        for layer in self.layers:
            if isinstance(layer, WeightLayer):
                rows = layer.width_after(rows)
            elif isinstance(layer, RowLayer):
                layer.require_width(rows)
            widths.append(rows)
        return tuple(widths)

    def with_law(self, law: GivenLaw) -> Chain:
        """The same chain, all weights of the ``law`` of that name. Raises as `Linear` does.

        ``law`` is the name of one of `simulators.weights.LAWS`, or a function; see `Linear`.

        Example:
            >>> Chain((Linear(8), Rescale())).with_law("rademacher").layers[0]
            Linear(width=8, law='rademacher')
        """
        return Chain(
            tuple(
                replace(layer, law=law) if isinstance(layer, WeightLayer) else layer
                for layer in self.layers
            )
        )

    @property
    def scaling(self) -> ScaleResponse:
        """How the block responds to the scale of its input.

        FREE where some layer takes the scale out, BOUND where one before it changes its shape.

        Example:
            >>> vanilla_chain(8, "tanh").scaling, rescale_chain(8).scaling
            (<ScaleResponse.BOUND: 'changes its shape'>, <ScaleResponse.FREE: 'nothing'>)
        """
        scaling = ScaleResponse.LINEAR
        for layer in self.layers:
            if layer.response is ScaleResponse.FREE:
                scaling = ScaleResponse.FREE
            elif layer.response is ScaleResponse.BOUND and scaling is ScaleResponse.LINEAR:
                return ScaleResponse.BOUND
        return scaling

    @property
    def forgotten_factors(self) -> tuple[bool, ...]:
        """For each layer, whether any s > 0 that multiplies its output is taken out before other
        weights apply.
        """
        forgotten, later = [], False
        for layer in reversed(self.layers):
            forgotten.append(later)
            if layer.response is ScaleResponse.FREE:
                later = True
            elif isinstance(layer, WeightLayer) or layer.response is ScaleResponse.BOUND:
                later = False  # before weights, factors of several layers would multiply up
        return tuple(reversed(forgotten))

    @property
    def each_sample(self) -> bool:
        """Whether every sample goes through by itself, so that an output for one is moved by no
        other.

        Example:
            >>> vanilla_chain(8, "tanh").each_sample, batchnorm_chain(8).each_sample
            (True, False)
        """
        return all(layer.each_sample for layer in self.layers)

    @property
    def turns_with_samples(self) -> bool:
        """Whether H⁺V comes out of HV, in law, for every orthogonal V: then spectra alone determine
        spectra.
        """
        return all(layer.turns_with_samples for layer in self.layers)

    @property
    def sees_rows(self) -> bool:
        """Whether the Gram matrix of the batch leaves open what comes out: UH may do as H does not,
        U orthogonal.
        """
        return next(layer for layer in self.layers if isinstance(layer, WeightLayer)).sees_rows

    @property
    def recentres(self) -> bool:
        """Whether some layer subtracts the batch mean.

        The samples are then observed up to a common vector.

        Example:
            >>> recenter_relu_chain(8).recentres
            True
        """
        return any(layer.recentres for layer in self.layers)

    @property
    def leading_recenter(self) -> int | None:
        """The number of the `Recenter` that nothing but weights precedes in the block; None if
        there is none.

        As (WH)J = W(HJ), it may act on the input of the block.
        """
        for number, layer in enumerate(self.layers):
            if isinstance(layer, Recenter):
                return number
            if not isinstance(layer, WeightLayer):
                return None
        return None

    @property
    def centring_early(self) -> Chain:
        """The same maps, each `Recenter` ahead of the weights it follows: (WH)J = W(HJ).

        Only that way round does the cancellation of a common mean meet no rounding error of the
        product.
        """
        layers: list[Layer] = []
        for layer in self.layers:
            at = len(layers)
            while at and isinstance(layer, Recenter) and isinstance(layers[at - 1], WeightLayer):
                at -= 1
            layers.insert(at, layer)
        return Chain(tuple(layers))

    @property
    def opening(self) -> Chain:
        """The block as it acts on an input that is centred already, if it would centre that first
        of all.
        """
        at = self.leading_recenter
        return self if at is None else Chain(self.layers[:at] + self.layers[at + 1 :])

    @property
    def linear(self) -> bool:
        """Whether every activation is the identity, so that the span of the samples is only
        mapped.
        """
        return all(layer.keeps_span for layer in self.layers)

    @property
    def homogeneous(self) -> bool:
        """Whether every layer commutes with positive scalars, or takes them out.

        Such a chain sees the directions of the samples, and their norms relative to each other.

        Example:
            >>> vanilla_chain(8, "relu").homogeneous, vanilla_chain(8, "tanh").homogeneous
            (True, False)
        """
        return all(layer.response is not ScaleResponse.BOUND for layer in self.layers)

    @property
    def odd(self) -> bool:
        """Whether a sample of the other sign keeps the other sign, whatever the rest of the
        batch.
        """
        return all(layer.odd for layer in self.layers)

    @property
    def nonnegative(self) -> bool:
        """Whether no entry of what a block gives is negative.

        Some layer sees to it, and none after it loses it.

        Example:
            >>> vanilla_chain(8, "relu").nonnegative, vanilla_chain(8, "tanh").nonnegative
            (True, False)
        """
        found = False
        for layer in self.layers:
            found = layer.nonnegative or (found and layer.keeps_nonnegative)
        return found

    @property
    def has_spectral_limit(self) -> bool:
        """Whether the map of spectra at infinite width is known: a Gaussian `Linear`, `Rescale`.

        See `simulators.mean_field.rescale_map`.

        Example:
            >>> rescale_chain(8).has_spectral_limit
            True
        """
        match self.layers:
            case (Linear(law="gaussian"), Rescale()):
                return True
        return False


@dataclass(frozen=True)
class ChainParameter:
    """A parameter that a named chain takes beside its width.

    - ``names_activation``: whether its values are names of activations
    - ``default``: what a text that leaves it out means; None where it must be written. Where it is
      a text, so are all its values; else they are numbers, unless they name activations

    Example:
        >>> ChainParameter("gamma").read("0.25"), ChainParameter("activation", True, "relu").example
        (0.25, 'relu')
        >>> ChainParameter("kind", default="wide").read("narrow")
        'narrow'
    """

    name: str
    names_activation: bool = False
    default: str | float | None = None

    @property
    def is_text(self) -> bool:
        """Whether its values are texts: names of activations, or others."""
        return self.names_activation or isinstance(self.default, str)

    @property
    def example(self) -> str:
        """A value as a text writes it.

        Its default, or else the first activation there is, or 0.1.
        """
        if self.default is not None:
            return str(self.default)
        return next(iter(ACTIVATIONS)) if self.names_activation else "0.1"

    def read(self, written: str) -> str | float:
        """The value that a text means. Raises `ValueError` for what is no number, or no
        activation.

        Args:
            written: as between the brackets of ``residual(0.1)``.
        """
        if self.names_activation:
            return read_entry(ACTIVATIONS, written).name
        if self.is_text:
            return written
        try:
            return float(written)
        except ValueError:
            raise ValueError(f"{written!r} is not a number") from None


@dataclass(frozen=True)
class NamedChain:
    """A chain of every width, by name.

    - ``build``: ``(width, **parameters)`` to a `Chain`; ``meaning``: what it is, in one line
    - ``parameters``: what ``build`` takes beside the width, in order
    - ``least``: the fewest rows it is about
    - ``listed``: whether it is in the catalogue, so that its layers are the same at every width

    Example:
        >>> CHAINS["residual"].numbers, CHAINS["residual"](8, {"gamma": 0.5}).layers[0]
        (('gamma',), Residual(gamma=0.5, law='gaussian', width=8))
    """

    name: str
    meaning: str
    build: Callable[..., Chain]
    parameters: tuple[ChainParameter, ...] = ()
    least: int = 1
    listed: bool = True

    def __call__(self, width: int, values: Mapping[str, SupportsFloat]) -> Chain:
        """The chain of that width, its numbers taken from ``values`` by name."""
        return self.build(width, **{name: float(values[name]) for name in self.numbers})

    @property
    def numbers(self) -> tuple[str, ...]:
        """The names of the parameters that are numbers.

        In the order in which the chain takes them, after its width.
        """
        return tuple(part.name for part in self.parameters if not part.is_text)

    @cached_property
    def example(self) -> Chain:
        """The chain at a small width, which has the layers of all.

        Of width 4, numbers at 0.5, activations and other texts at their default.
        """
        words = {part.name: part.example for part in self.parameters if part.is_text}
        return self.build(4, **words, **dict.fromkeys(self.numbers, 0.5))

    @property
    def square(self) -> bool:
        """Whether the batch must have as many rows as the chain is wide.

        It must where H itself is added to what the weights make of it.

        Example:
            >>> CHAINS["residual"].square, CHAINS["rescale"].square
            (True, False)
        """
        return any(getattr(layer, "gamma", math.inf) < math.inf for layer in self.example.layers)

    @property
    def recentres(self) -> bool:
        """Whether some layer subtracts the batch mean.

        See `Chain.recentres`; the same at every width.
        """
        return self.example.recentres

    @property
    def mean_field(self) -> bool:
        """Whether its map of spectra at infinite width is known.

        False for a chain that is not in the catalogue, whose layers may differ from width to
        width.
        """
        return self.listed and self.example.has_spectral_limit

    @property
    def spelling(self) -> str:
        """How a text names it, every parameter at its example: ``"vanilla(identity)"``.

        `read_chain` reads it.

        Example:
            >>> CHAINS["residual"].spelling
            'residual(0.1)'
        """
        return _spelled(self.name, [part.example for part in self.parameters])

    @property
    def variants(self) -> Iterator[NamedChain]:
        """The chain with each choice of its activations; numbers stay open.

        A chain without activations comes as it is.

        Example:
            >>> [chain.name for chain in CHAINS["vanilla"].variants][:2]
            ['vanilla(relu)', 'vanilla(tanh)']
        """
        words = [part.name for part in self.parameters if part.names_activation]
        for chosen in product(ACTIVATIONS, repeat=len(words)):
            yield self.bound(dict(zip(words, chosen, strict=True)))

    def bound(self, values: Mapping[str, str | float]) -> NamedChain:
        """The chain with these parameters given, and named with them.

        ``values`` are names of activations and numbers, by the names of parameters.

        Example:
            >>> CHAINS["residual"].bound({"gamma": 0.25}).name
            'residual(0.25)'
        """
        left = tuple(part for part in self.parameters if part.name not in values)
        written = [str(value) for value in values.values()]
        build = partial(self.build, **values)
        return replace(self, name=_spelled(self.name, written), build=build, parameters=left)


CHAINS: Catalogue[NamedChain] = Catalogue("chain")
"""The named chains, by name."""

C = TypeVar("C", bound=Callable[..., Chain])
Activating: TypeAlias = str | Callable[..., Array]
"""An activation by its name, or a function of arrays; see `simulators.layers.Activation`."""


def named_chain(*, least: int = 1) -> Callable[[C], C]:
    """Put the chain that the function below builds into the catalogue.

    Its name is the function's without ``_chain``, its meaning the first line of the docstring. The
    function takes the width; then, if it likes, ``activation``, the name of one, a ``law`` with a
    default, and under any other name numbers, or texts where the default is one. What has a default
    that is neither stays at that.

    - ``least``: the fewest rows that it is about

    Raises `ValueError` for a name that is taken, a function without docstring, and one whose first
    parameter is not ``width``.

    Example:
        >>> with CHAINS.restored():
        ...     @named_chain()
        ...     def damped_chain(width, strength):
        ...         '''H⁺ = H + γWH, nothing rescaled'''
        ...         return Chain((Residual(strength, width=width),))
        ...     read_chain("damped(0.25)").name
        'damped(0.25)'
    """

    def make(function: C) -> NamedChain:
        first, *others = inspect.signature(function).parameters.values()
        require(
            first.name == "width",
            f"chain {function.__name__}: its first parameter is the width; it has {first}",
        )
        parameters = tuple(
            ChainParameter(
                part.name,
                part.name == "activation",
                None if part.default is part.empty else part.default,
            )
            for part in others
            if part.name != "law" and _writable(part.default)
        )
        name = function.__name__.removesuffix("_chain")
        return NamedChain(name, summary(function), function, parameters, least)

    return CHAINS.entry_of(make)


def _writable(default: object) -> bool:
    """Whether a parameter with this default, or with none, has values that a text can write."""
    numbers = isinstance(default, int | float) and not isinstance(default, bool)
    return default is inspect.Parameter.empty or numbers or isinstance(default, str)


def read_chain(text: object, *, open_numbers: bool = False) -> NamedChain:
    """The chain that a text names: ``"rescale"``, ``"residual(0.1)"``, ``"vanilla(tanh)"``,
    ``"vanilla(leaky_relu(0.2))"``.

    What it leaves out is at its default, and the name of what is returned spells everything. The
    name of the function, ``"rescale_chain"``, does as well. With ``open_numbers`` a text without
    arguments leaves the numbers open.

    Raises `ValueError` for what is no such text, an unknown chain or activation, a missing or
    surplus argument, one that the chain refuses, and a chain that cannot be built.

    Args:
        text: a name, with values of its parameters in brackets.
        open_numbers: whether numbers that are left out stay open.

    Example:
        >>> read_chain(" residual( 1e-1 ) ").name, read_chain("vanilla").build(8).widths(5)
        ('residual(0.1)', (8, 8))
    """
    call = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", text) if isinstance(text, str) else None
    if call is None:
        raise ValueError(
            f"chain={told(text)} is not a chain; give one such as 'rescale' or 'vanilla(tanh)'"
        )
    chain = CHAINS.named(call[1] if call[1] in CHAINS else call[1].removesuffix("_chain"))
    inside = (call[2] or "").strip()
    # commas in brackets are an activation's own
    given = [part.strip() for part in re.split(r",(?![^(]*\))", inside)] if inside else []
    if len(given) > len(chain.parameters):
        most = len(chain.parameters) or "no"
        raise ValueError(f"chain={text!r} takes {most} argument; write {chain.spelling!r}")
    values: dict[str, str | float] = {}
    for part, written in zip_longest(chain.parameters, given):
        if written is None and open_numbers and not given and not part.is_text:
            continue
        try:
            value = part.default if written is None else part.read(written)
        except ValueError as error:
            raise ValueError(f"chain={text!r}: {error}; write {chain.spelling!r}") from None
        if value is None:
            raise ValueError(f"chain={text!r} needs its {part.name}; write {chain.spelling!r}")
        values[part.name] = value
    found = chain.bound(values)
    if not found.parameters:
        # refuses a bad argument; the width of a run is refused with the run
        _require_built(found, max(2, chain.least))
    return found


def _require_built(chain: NamedChain, width: int) -> None:
    try:
        made: object = chain.build(width)
    except (TypeError, ValueError):
        raise
    except Exception as error:  # the author's code
        raise ValueError(
            f"chain {chain.name!r} at width {width}: {type(error).__name__}: {error}"
        ) from error
    require(
        isinstance(made, Chain),
        f"chain {chain.name!r} gave {kind_of(made)} at width {width}; want a Chain",
    )


def _spelled(name: str, arguments: Iterable[str]) -> str:
    inside = ", ".join(arguments)
    return f"{name}({inside})" if inside else name


@named_chain()
def rescale_chain(width: int) -> Chain:
    """H⁺ = d^{-1/2} BN(WH), BN(A) = diag(AAᵀ)^{-1/2} A: linear batchnorm without mean subtraction
    (DJB21).

    ``width``: rows d ≥ 1 of every representation but the batch. Raises `TypeError` or `ValueError`,
    naming it.

    Example:
        >>> rescale_chain(8).widths(5)
        (8, 8)
    """
    return Chain((Linear(width), Rescale("frobenius")))


@named_chain()
def rescale_activation_chain(width: int, activation: Activating) -> Chain:
    """Q⁺ = d^{-1/2} BN(W F(Q)), observed on Q (DJB21, Appendix F).

    ``width``: rows d ≥ 1; ``activation``: a name or a function, as `Activation` takes it. Raises
    `TypeError` or `ValueError`, naming the argument.

    Example:
        >>> rescale_activation_chain(8, "tanh").scaling
        <ScaleResponse.BOUND: 'changes its shape'>
    """
    return Chain((Activation(activation), Linear(width), Rescale("frobenius")))


@named_chain(least=2)
def residual_chain(width: int, gamma: float, law: GivenLaw = "gaussian") -> Chain:
    """H⁺ = BN-rows(H + γWH), unit-variance W of any ``law``, diag M = 1 (D20); γ = ∞ means WH
    alone.

    For finite γ the batch itself must have ``width`` rows. Raises `TypeError` or `ValueError`,
    naming the argument: ``width`` ≥ 2, as a rank needs two rows, and ``gamma`` and ``law`` as
    `Residual` has them.

    Example:
        >>> residual_chain(8, 0.1).layers[0]
        Residual(gamma=0.1, law='gaussian', width=8)
    """
    require(
        whole_number("width", width, 1) != 1,
        f"width={width}: the rescaled row is 1 or -1 times the last one; "
        "a rank needs 2 rows or more",
    )
    if real_number("gamma", gamma, "a γ ≥ 0, or math.inf") == math.inf:
        return Chain((Linear(width, law), Rescale("variance")))
    return Chain((Residual(gamma, law, width), Rescale("variance")))


@named_chain(least=2)
def residual_batchnorm_chain(width: int, gamma: float, law: GivenLaw = "gaussian") -> Chain:
    """H⁺ = BN-rows((H + γWH)J): the residual chain as networks use it, recentred too (after D20).

    Arguments and errors are those of `residual_chain`.

    Args:
        width: rows of H, at least 2, the same in every layer.
        gamma: the size of the branch, ≥ 0 or ∞.
        law: of the weights, one of `simulators.weights.LAWS` or a function.

    Example:
        >>> residual_batchnorm_chain(8, 0.1).recentres
        True
    """
    weights, rescale = residual_chain(width, gamma, law).layers
    return Chain((weights, Recenter(), rescale))


@named_chain()
def recenter_relu_chain(width: int) -> Chain:
    """H⁺ = s·ReLU(WHJ), s one scalar per layer that keeps ‖H‖_F² = d n (after N24).

    ``width``: rows d ≥ 1; d is that number. Raises `TypeError` or `ValueError`, naming it.

    Example:
        >>> recenter_relu_chain(8).homogeneous, recenter_relu_chain(8).linear
        (True, False)
    """
    return Chain((Linear(width), Recenter(), Activation("relu"), Normalize()))


@named_chain()
def batchnorm_chain(width: int, activation: Activating = "relu") -> Chain:
    """H⁺ = F(BN-rows(WHJ)) with rows of norm √n before the activation F: batchnorm as networks use
    it.

    ``width``: rows d ≥ 1; ``activation``: a name or a function, as `Activation` takes it. Raises
    `TypeError` or `ValueError`, naming the argument.

    Example:
        >>> batchnorm_chain(8, "tanh").scaling
        <ScaleResponse.FREE: 'nothing'>
    """
    return Chain((Linear(width), Recenter(), Rescale("variance"), Activation(activation)))


@named_chain()
def vanilla_chain(width: int, activation: Activating = "identity") -> Chain:
    """H⁺ = F(WH), entries of W of variance 1/width: no normalisation.

    ``width``: rows d ≥ 1; ``activation``: a name or a function, as `Activation` takes it. Raises
    `TypeError` or `ValueError`, naming the argument.

    Example:
        >>> vanilla_chain(8, "relu").scaling
        <ScaleResponse.LINEAR: 'multiplies it by s'>
    """
    return Chain((Linear(width), Activation(activation)))
