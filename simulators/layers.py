"""The layers a chain is built of: small frozen values, checked when they are made.

A representation is handled sample-major, as ``rows`` of shape ``(..., n, m)``: the entry
``[..., j, i]`` is coordinate i of sample j, so that the long axis is contiguous. `RowLayer` is the
base of those that map it; `Linear` and `Residual` are applied by the engines, which draw the
weights.

A new layer is one class, here or in a module of yours, that extends `RowLayer` and says what holds
of it; what it leaves out is taken not to hold, so that the engines assume nothing, and what it says
is tried before it runs (`simulators.layer_trials`):

    @dataclass(frozen=True)
    class Halve(RowLayer):
        '''H → H/2'''
        response = ScaleResponse.LINEAR
        each_row = each_sample = turns_with_samples = keeps_span = odd = True

        def on_rows(self, rows, xp, width):
            return rows / 2

Gradients go back through it by Torch's autograd, unless it says how itself, which is quicker:

        def pullback(self, rows, gradient, xp, width):
            return gradient / 2

So do tangents, forward, unless it has a `pushforward` of its own, or says ``self_adjoint = True``:
that its derivative is a symmetric matrix, so that a pullback does for both.

Raised by every layer at construction: `TypeError` for an argument of the wrong type, `ValueError`
for one out of range, each naming argument, value and remedy.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import TypeAlias

import numpy as np

from simulators.activations import ACTIVATIONS, ActivationFunction, activation_of
from simulators.arguments import one_of, real_number, require, told, whole_number
from simulators.arrays import Array, Namespace
from simulators.autograd import pulled_back, pushed_forward
from simulators.catalogue import Catalogue, summary
from simulators.weights import LAWS, GivenLaw, law_of

__all__ = [
    "ACTIVATIONS",
    "LAWS",
    "LAYERS",
    "Activation",
    "ActivationFunction",
    "Bias",
    "DrawingLayer",
    "GroupNorm",
    "Layer",
    "LayerKind",
    "LayerNorm",
    "Linear",
    "Normalize",
    "RMSNorm",
    "Recenter",
    "Rescale",
    "Residual",
    "RowLayer",
    "ScaleResponse",
    "WeightLayer",
    "frobenius_norm",
    "scaled_to",
]

# Beyond 1/eps of float64 the identity term of a residual layer is below rounding.
LARGEST_GAMMA = 2.0**52


class ScaleResponse(Enum):
    """What multiplying the input by s > 0 does to the output.

    Example:
        >>> Recenter().response
        <ScaleResponse.LINEAR: 'multiplies it by s'>
    """

    FREE = "nothing"
    LINEAR = "multiplies it by s"
    BOUND = "changes its shape"


@dataclass(frozen=True)
class LayerKind:
    """A class of layers, as the catalogue lists it.

    ``name`` is that of the class ``made_by``; ``meaning`` its docstring's first paragraph.

    Example:
        >>> LAYERS["Recenter"].made_by is Recenter
        True
    """

    name: str
    meaning: str
    made_by: type[_Traits]


LAYERS: Catalogue[LayerKind] = Catalogue("layer")
"""The classes of layers, by name."""


class _Traits:
    """What engines and claims must know of a layer, as attributes of its class or of its values."""

    response: ScaleResponse = ScaleResponse.BOUND
    each_row: bool = False  # every row of H is mapped by itself, by any m of the rows at a time
    each_sample: bool = False  # every sample is mapped by itself, whatever the others are
    turns_with_samples: bool = False  # HV, V orthogonal, becomes the image of H times V, in law
    keeps_span: bool = False  # of the images of the samples: linear up to the scale of rows
    odd: bool = False  # a sample of the other sign becomes one of the other sign
    recentres: bool = False  # the batch mean is subtracted
    nonnegative: bool = False  # no entry of the image is negative, of any H
    keeps_nonnegative: bool = False  # nor is one where none of H is

    def __repr__(self) -> str:
        """Of a layer that is no dataclass, whose own says more."""
        return f"{type(self).__name__}()"

    def __init_subclass__(cls, *, listed: bool = True) -> None:
        super().__init_subclass__()
        if listed:
            LAYERS.add(LayerKind(cls.__name__, summary(cls), cls), cls)


@dataclass(frozen=True, repr=False)
class Linear(_Traits):
    """H → WH, W of shape ``(width, d)`` of law ``law``, entries of variance std²/width.

    - ``law``: a name in `simulators.weights.LAWS`, with a number in brackets where it takes one, as
      in ``"student_t(5)"``; or a function ``(rng, shape)`` that draws W·√width/std
    - ``std``: σ_w > 0

    The scale cancels wherever rows are rescaled; at ``std`` = 1 a chain without normalisation keeps
    E‖WH‖_F² = ‖H‖_F² for the zero-mean laws. ``uniform_positive`` is U[0, 2a] with a = √(3/width),
    so its mean is a. An orthogonal W keeps ‖H‖_F itself if it is not wider than high.

    Example:
        >>> Linear(8, "rademacher").sees_rows
        True
    """

    width: int
    law: GivenLaw = "gaussian"
    std: float = 1.0

    response = ScaleResponse.LINEAR
    each_sample = turns_with_samples = keeps_span = odd = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", whole_number("width", self.width, 1))
        object.__setattr__(self, "law", _law_as_given(self.law))
        std = real_number("std", self.std, "a σ_w > 0")
        require(0 < std < math.inf, f"std={told(self.std)} is not a number σ_w > 0")
        object.__setattr__(self, "std", std)

    def __repr__(self) -> str:
        spread = "" if self.std == 1 else f", std={self.std!r}"
        return f"Linear(width={self.width!r}, law={_told_law(self.law)}{spread})"

    @property
    def scale(self) -> float:
        """What entries of variance 1 are multiplied by: std/√width.

        Example:
            >>> Linear(4, std=3).scale
            1.5
        """
        scale: float = self.std * self.width**-0.5
        return scale

    @property
    def sees_rows(self) -> bool:
        """Whether more of its input than the Gram matrix tells in what comes out.

        It does unless the weights are Gaussian, or orthogonal, whose laws no rotation of the rows
        of H changes.
        """
        return self.law not in ("gaussian", "orthogonal")

    def width_after(self, rows: int) -> int:
        """The number of rows of WH, for an H of ``rows`` ≥ 1 rows.

        Example:
            >>> Linear(8).width_after(5)
            8
        """
        return self.width


@dataclass(frozen=True, repr=False)
class Residual(_Traits):
    """H → H + γWH, W square of law ``law``, entries of variance 1; γ = ∞ means WH alone.

    ``law`` is as in `Linear`. ``gamma``, kept as a `float`, is in [0, 2⁵²] or infinite. ``width``,
    if given, is the number of rows the layer insists on.

    Example:
        >>> Residual(0.1, width=8).width_after(8)
        8
    """

    gamma: float
    law: GivenLaw = "gaussian"
    width: int | None = None

    response = ScaleResponse.LINEAR
    each_sample = turns_with_samples = keeps_span = odd = True

    def __post_init__(self) -> None:
        gamma = real_number("gamma", self.gamma, "a γ ≥ 0, or math.inf")
        require(
            gamma >= 0,
            f"gamma={told(self.gamma)} is not ≥ 0; its sign cancels in law, so use |gamma|",
        )
        require(
            not LARGEST_GAMMA < gamma < math.inf,
            f"gamma={told(self.gamma)} exceeds 2**52: H is lost in rounding; use math.inf",
        )
        object.__setattr__(self, "gamma", gamma)
        object.__setattr__(self, "law", _law_as_given(self.law))
        if self.width is not None:
            object.__setattr__(self, "width", whole_number("width", self.width, 1))

    def __repr__(self) -> str:
        return f"Residual(gamma={self.gamma!r}, law={_told_law(self.law)}, width={self.width!r})"

    @property
    def sees_rows(self) -> bool:
        """Whether more of its input than the Gram matrix tells in what comes out.

        It does for a finite γ, as H itself is added, and for weights that are not Gaussian.
        """
        return self.law not in ("gaussian", "orthogonal") or self.gamma < math.inf

    def width_after(self, rows: int) -> int:
        """``rows``. Raises `ValueError` unless that is the width the layer insists on.

        ``rows`` ≥ 1 are those of H, which is added, so that there are as many of the sum.
        """
        if self.width not in (None, rows):
            raise ValueError(
                f"{self!r} receives {rows} rows; it adds its input to its output, so give it "
                f"{self.width} rows, or width={rows}"
            )
        return rows


@dataclass(frozen=True)
class Bias(_Traits):
    """H → H + b1ᵀ, b of i.i.d. normal entries of variance std², one for each row: σ_b.

    ``std`` ≥ 0 is kept as a `float`.

    Example:
        >>> Bias(0.5).added(np.zeros((1, 2, 3)), np.array([[2.0, 0.0, -1.0]])).tolist()
        [[[1.0, 0.0, -0.5], [1.0, 0.0, -0.5]]]
    """

    std: float

    each_sample = True

    def __post_init__(self) -> None:
        std = real_number("std", self.std, "a σ_b ≥ 0")
        require(0 <= std < math.inf, f"std={told(self.std)} is not a number σ_b ≥ 0")
        object.__setattr__(self, "std", std)

    def added(self, rows: Array, normals: Array) -> Array:
        """``rows``, ``(..., n, m)``, with std times the ``normals``, ``(..., m)``, added to every
        sample; a new array.

        Cost: O(n m).
        """
        return rows + self.std * normals[..., None, :]


class RowLayer(_Traits, ABC, listed=False):
    """A map of H without weights, on H sample-major; every subclass is in the catalogue `LAYERS`.

    Attributes of a subclass, or of its values, say what holds of it; see the module.

    Example:
        >>> with LAYERS.restored():
        ...     @dataclass(frozen=True)
        ...     class Halve(RowLayer):
        ...         '''H → H/2'''
        ...         response = ScaleResponse.LINEAR
        ...         def on_rows(self, rows, xp, width):
        ...             return rows / 2
        ...     LAYERS["Halve"].meaning
        'H → H/2'
    """

    self_adjoint: bool = False  # its derivative is a symmetric matrix, at every H

    def require_width(self, width: int) -> None:
        """Raise `ValueError` for a number of rows, ``width`` ≥ 1, that the layer cannot map.

        By default any will do.

        Example:
            >>> GroupNorm(3).require_width(6)
        """

    @abstractmethod
    def on_rows(self, rows: Array, xp: Namespace, width: int) -> Array:
        """The image of ``rows``, ``(..., n, m)``, of the same shape; it may be written into
        ``rows``.

        m = ``width``, or fewer if the layer maps `each_row` by itself; ``xp`` is the namespace of
        the array library.
        """

    def pullback(self, rows: Array, gradient: Array, xp: Namespace, width: int) -> Array:
        """∂L/∂H at H = ``rows``, for ``gradient`` = ∂L/∂(image of H), ``(..., n, m)`` all three.

        ``rows`` are what `on_rows` was given, before it wrote into them; both arrays may be
        overwritten. m, ``xp`` and ``width`` are as `on_rows` has them.

        By Torch's autograd through `on_rows`, unless a subclass says how. Raises `TypeError` where
        Torch cannot follow it; see `simulators.autograd`.

        Example:
            >>> rows, gradient = np.array([[3.0, 0.0], [4.0, 0.0]]), np.ones((2, 2))
            >>> Rescale("variance").pullback(rows, gradient, np, 2).round(3).tolist()
            [[0.045, 0.0], [-0.034, 0.0]]
        """
        return pulled_back(
            lambda tensor, torch: self.on_rows(tensor, torch, width), rows, gradient, repr(self)
        )

    def with_pullback(
        self, rows: Array, xp: Namespace, width: int
    ) -> tuple[Array, Callable[[Array], Array]]:
        """What `on_rows` gives, ``rows`` left as they are, and `pullback` there.

        A subclass may say how both are had for less. Cost: that of `on_rows`, and O(n m).

        Args:
            rows: Hᵀ, ``(..., n, m)``.
            xp: the namespace of its library.
            width: of the layer, of which m rows are here.

        Example:
            >>> image, back = Rescale("variance").with_pullback(np.array([[3.0], [4.0]]), np, 1)
            >>> image.round(3).tolist(), back(np.array([[0.0], [1.0]])).round(3).tolist()
            ([[0.849], [1.131]], [[-0.136], [0.102]])
        """
        image = self.on_rows(xp.asarray(rows, copy=True), xp, width)
        return image, lambda gradient: self.pullback(rows, gradient, xp, width)

    def pushforward(self, rows: Array, tangent: Array, xp: Namespace, width: int) -> Array:
        """The derivative at H = ``rows`` along Ḣ = ``tangent``, a Jacobian-vector product,
        ``(..., n, m)`` all three.

        Both arrays may be overwritten. m, ``xp`` and ``width`` are as `on_rows` has them.

        By `pullback` where the layer is `self_adjoint`, else by Torch's autograd through `on_rows`,
        unless a subclass says how. Raises `TypeError` where Torch cannot follow it; see
        `simulators.autograd`.

        Example:
            >>> rows, tangent = np.array([[3.0], [4.0]]), np.array([[4.0], [-3.0]])
            >>> Rescale("variance").pushforward(rows, tangent, np, 1).round(3).tolist()
            [[1.131], [-0.849]]
        """
        if self.self_adjoint:
            return self.pullback(rows, tangent, xp, width)
        return pushed_forward(
            lambda tensor, torch: self.on_rows(tensor, torch, width), rows, tangent, repr(self)
        )

    def with_pushforward(
        self, rows: Array, xp: Namespace, width: int
    ) -> tuple[Array, Callable[[Array], Array]]:
        """What `on_rows` gives, ``rows`` left as they are, and `pushforward` there.

        Cost: that of `on_rows`, and O(n m).

        Args:
            rows: Hᵀ, ``(..., n, m)``.
            xp: the namespace of its library.
            width: of the layer, of which m rows are here.

        Example:
            >>> image, forward = Activation("sin").with_pushforward(np.zeros((1, 1)), np, 1)
            >>> image.tolist(), forward(np.array([[2.0]])).tolist()
            ([[0.0]], [[2.0]])
        """
        if self.self_adjoint:
            return self.with_pullback(rows, xp, width)
        image = self.on_rows(xp.asarray(rows, copy=True), xp, width)
        return image, lambda tangent: self.pushforward(rows, tangent, xp, width)


@dataclass(frozen=True)
class Recenter(RowLayer):
    """H → HJ: every row minus its mean over the batch.

    Differences from the first sample are taken before the mean: for samples that nearly agree they
    are exact, so that what comes out is as accurate as what went in, and exactly zero where all
    samples are equal.

    Example:
        >>> Recenter().on_rows(np.array([[1.0, 4.0], [3.0, 4.0]]), np, 2).tolist()
        [[-1.0, 0.0], [1.0, 0.0]]
    """

    response = ScaleResponse.LINEAR
    each_row = keeps_span = recentres = self_adjoint = True

    def on_rows(self, rows: Array, xp: Namespace, width: int) -> Array:
        """Overwrites and returns ``rows`` of shape ``(..., n, m)``, any m of the rows of H.

        Cost: O(n m).
        """
        return _centred(rows, xp)

    def pullback(self, rows: Array, gradient: Array, xp: Namespace, width: int) -> Array:
        """GJ for ``gradient`` = G, ``(..., n, m)``: centring is its own adjoint.

        Cost: O(n m).
        """
        return self.on_rows(gradient, xp, width)


@dataclass(frozen=True)
class Rescale(RowLayer):
    """Every row to one norm: width^{-1/2}, so that ‖H‖_F = 1 (``"frobenius"``), or √n
    (``"variance"``).

    A row of zeros stays zero: it has no direction to keep. Rows of any other representable scale
    come out with full relative accuracy.

    Example:
        >>> Rescale("variance").on_rows(np.array([[3.0], [4.0]]), np, 1).round(3).tolist()
        [[0.849], [1.131]]
    """

    unit: str = "frobenius"

    response = ScaleResponse.FREE
    each_row = turns_with_samples = keeps_span = odd = keeps_nonnegative = self_adjoint = True

    def __post_init__(self) -> None:
        one_of("unit", self.unit, ("frobenius", "variance"))

    def on_rows(self, rows: Array, xp: Namespace, width: int) -> Array:
        """Overwrites and returns ``rows``, ``(..., n, m)``: m of the ``width`` rows. Cost:
        O(n m).
        """
        return _of_norm(self._target(rows, width), rows, xp)

    def pullback(self, rows: Array, gradient: Array, xp: Namespace, width: int) -> Array:
        """t/‖x‖ · (g − u⟨u, g⟩) for every row x of ``rows`` and g of ``gradient``, ``(..., n, m)``;
        u = x/‖x‖, and t is the norm that rows are given.

        Zero for a row of zeros, where the map has no derivative: the row stays zero, and moves
        nothing. Full relative accuracy of ‖g‖t/‖x‖ at any scale of x. Cost: O(n m).
        """
        return _back_from_norm(self._target(rows, width), rows, gradient, xp)

    def with_pullback(
        self, rows: Array, xp: Namespace, width: int
    ) -> tuple[Array, Callable[[Array], Array]]:
        """What `on_rows` gives, and `pullback` there, with the norms taken once.

        Args:
            rows: Hᵀ, ``(..., n, m)``, which is left as it is.
            xp: the namespace of its library.
            width: of the layer, of which m are here.

        Returns:
            The image, ``(..., n, m)``, and a function that takes a gradient there to that before.

        Cost: O(n m).

        Example:
            >>> image, back = Rescale().with_pullback(np.array([[3.0], [4.0]]), np, 1)
            >>> image.round(3).tolist(), back(np.array([[4.0], [-3.0]])).round(3).tolist()
            ([[0.6], [0.8]], [[0.8], [-0.6]])
        """
        target, (norms, peaks) = self._target(rows, width), _norms(rows, xp)
        image = (rows if peaks is None else rows / peaks) * (target / norms)
        return image, lambda gradient: _back_from(target, norms, peaks, rows, gradient, xp)

    def factors(self, rows: Array, xp: Namespace, width: int) -> Array:
        """What each row is to be multiplied by, ``(..., 1, m)``, zero for a row of zeros. Cost: O(n
        m).
        """
        squares = _row_squares(rows, xp)
        if _all_are_safe(squares, xp):
            return self._target(rows, width) / xp.sqrt(squares)
        peaks = _or_infinity(xp.max(xp.abs(rows), axis=-2, keepdims=True), xp)
        norms = xp.sqrt(_or_infinity(_row_squares(rows / peaks, xp), xp))
        return self._target(rows, width) / norms / peaks

    def _target(self, rows: Array, width: int) -> float:
        norm: float = width**-0.5 if self.unit == "frobenius" else rows.shape[-2] ** 0.5
        return norm


@dataclass(frozen=True, repr=False)
class Activation(RowLayer):
    """H → F(H), entry by entry, with F one of `ACTIVATIONS` or a function of your own.

    - ``name``: one of these names, with a number in brackets where F takes one, as in
      ``"leaky_relu(0.1)"``; or the function F of arrays of NumPy or of Torch, such as ``np.tanh``
    - ``derivative``: F′, such a function too; by default what the catalogue has, or what Torch's
      autograd gives
    - ``homogeneous``: whether F(sx) = sF(x) for every s > 0; by default as the catalogue says, or
      a trial on points finds

    Raises `ValueError` for an unknown name, and for a function, derivative or homogeneity that a
    trial refutes (`simulators.activations.ActivationFunction.require_as_told`); `TypeError` for
    what is neither text nor function.

    Example:
        >>> Activation("relu").on_rows(np.array([[-1.0, 2.0]]), np, 2).tolist()
        [[0.0, 2.0]]
        >>> Activation(np.tanh), Activation(np.abs).homogeneous
        (Activation(tanh), True)
    """

    name: str | Callable[..., Array]
    derivative: Callable[..., Array] | None = None
    homogeneous: bool | None = None

    each_row = each_sample = self_adjoint = True

    def __post_init__(self) -> None:
        entry = self.entry
        if isinstance(self.name, str):
            object.__setattr__(self, "name", entry.name)
        told_of_it = {
            "homogeneous": entry.homogeneous,
            "response": ScaleResponse.LINEAR if entry.homogeneous else ScaleResponse.BOUND,
            "turns_with_samples": self.name == "identity",
            "keeps_span": self.name == "identity",
            "odd": entry.odd,
            "nonnegative": entry.nonnegative,
            "keeps_nonnegative": entry.nonnegative,
        }
        for trait, holds in told_of_it.items():
            object.__setattr__(self, trait, holds)

    @property
    def entry(self) -> ActivationFunction:
        """F with what is known of it: of the catalogue, or as trials found it.

        Example:
            >>> Activation("relu").entry.vanishes, Activation(np.sin).entry.odd
            (True, True)
        """
        return activation_of(self.name, self.derivative, self.homogeneous)

    def on_rows(self, rows: Array, xp: Namespace, width: int) -> Array:
        """F of ``rows``, any m of the rows of H, shape ``(..., n, m)``.

        Cost: O(n m). Raises `ValueError` where F, tried when it first meets arrays of this library,
        is not what it was said to be.
        """
        entry = self.entry
        entry.require_as_told(xp)
        return entry.function(rows, xp)

    def pullback(self, rows: Array, gradient: Array, xp: Namespace, width: int) -> Array:
        """F′(H) times ``gradient``, entry by entry; ``(..., n, m)``, as ``rows``.

        Cost: O(n m).
        """
        entry = self.entry
        entry.require_as_told(xp)
        return gradient * entry.slopes(rows, xp)

    def __repr__(self) -> str:
        named = isinstance(self.name, str)
        given = [f"name={self.name!r}" if named else self.entry.name]
        if self.derivative is not None:
            given.append(f"derivative={getattr(self.derivative, '__name__', self.derivative)}")
        return f"Activation({', '.join(given)})"


@dataclass(frozen=True)
class Normalize(RowLayer):
    """H → sH, one s > 0 for the whole layer, such that ‖H‖_F² = d n. A zero H stays zero.

    Example:
        >>> Normalize().on_rows(np.array([[3.0, 0.0], [0.0, 4.0]]), np, 2).tolist()
        [[1.2, 0.0], [0.0, 1.6]]
    """

    response = ScaleResponse.FREE
    turns_with_samples = keeps_span = odd = keeps_nonnegative = self_adjoint = True

    def on_rows(self, rows: Array, xp: Namespace, width: int) -> Array:
        """sH for ``rows`` of shape ``(..., n, width)``: all of the rows of H.

        Cost: O(n width).
        """
        return scaled_to((width * rows.shape[-2]) ** 0.5, rows, frobenius_norm(rows, xp), xp)

    def pullback(self, rows: Array, gradient: Array, xp: Namespace, width: int) -> Array:
        """√(dn)/‖H‖ · (G − U⟨U, G⟩) for ``gradient`` = G, ``(..., n, width)``, and U = H/‖H‖; zero
        where H is, as in `Rescale`.

        Cost: O(n width).
        """
        norm = frobenius_norm(rows, xp)
        units = scaled_to(1.0, rows, norm, xp)
        gradient -= units * xp.sum(units * gradient, axis=(-2, -1), keepdims=True)
        return scaled_to((width * rows.shape[-2]) ** 0.5, gradient, norm, xp)


@dataclass(frozen=True)
class LayerNorm(RowLayer):
    """Every sample h → √d (h − h̄)/‖h − h̄‖, h̄ its mean over the d rows: layer normalisation.

    A sample whose entries are all equal becomes zero. Differences are taken from its first entry
    before its mean, so that samples of any scale come out with the accuracy of their differences.

    Example:
        >>> LayerNorm().on_rows(np.array([[3.0, 1.0], [5.0, 5.0]]), np, 2).round(3).tolist()
        [[1.0, -1.0], [0.0, 0.0]]
    """

    response = ScaleResponse.FREE
    each_sample = odd = self_adjoint = True

    def on_rows(self, rows: Array, xp: Namespace, width: int) -> Array:
        """The image of ``rows`` of shape ``(..., n, width)``, all of the rows of H; may overwrite
        them.

        Cost: O(n width).
        """
        return _at_norm(width**0.5, _centred(rows.mT, xp), xp).mT

    def pullback(self, rows: Array, gradient: Array, xp: Namespace, width: int) -> Array:
        """√d/‖c‖ · (g − ḡ − u⟨u, g⟩) for every sample, c = h − h̄, u = c/‖c‖ and g of ``gradient``,
        ``(..., n, width)``; zero where c is.

        Cost: O(n width).
        """
        centred = _centred(rows.mT, xp)
        return _back_from_norm(width**0.5, centred, _centred(gradient.mT, xp), xp).mT


@dataclass(frozen=True)
class RMSNorm(RowLayer):
    """Every sample h → √d h/‖h‖: root-mean-square normalisation. A zero sample stays zero.

    Samples of any representable scale come out with full relative accuracy.

    Example:
        >>> RMSNorm().on_rows(np.array([[3.0, 4.0], [0.0, 0.0]]), np, 2).round(3).tolist()
        [[0.849, 1.131], [0.0, 0.0]]
    """

    response = ScaleResponse.FREE
    each_sample = odd = keeps_nonnegative = self_adjoint = True

    def on_rows(self, rows: Array, xp: Namespace, width: int) -> Array:
        """The image of ``rows`` of shape ``(..., n, width)``, all of the rows of H; may overwrite
        them.

        Cost: O(n width).
        """
        return _at_norm(width**0.5, rows.mT, xp).mT

    def pullback(self, rows: Array, gradient: Array, xp: Namespace, width: int) -> Array:
        """√d/‖h‖ · (g − u⟨u, g⟩) for every sample h, u = h/‖h‖ and g of ``gradient``,
        ``(..., n, width)``; zero where h is.

        Cost: O(n width).
        """
        return _back_from_norm(width**0.5, rows.mT, gradient.mT, xp).mT


@dataclass(frozen=True)
class GroupNorm(RowLayer):
    """`LayerNorm` of each of ``groups`` equal blocks of consecutive rows by itself.

    ``groups`` ≥ 1 must divide the number of rows, and leave two or more to a block: one row alone
    would become zero.

    Example:
        >>> GroupNorm(2).on_rows(np.array([[3.0, 1.0, 7.0, 7.0]]), np, 4).round(3).tolist()
        [[1.0, -1.0, 0.0, 0.0]]
    """

    groups: int

    response = ScaleResponse.FREE
    each_sample = odd = self_adjoint = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", whole_number("groups", self.groups, 1))

    def require_width(self, width: int) -> None:
        """Raise `ValueError` unless ``width`` ≥ 1 rows make `groups` blocks of two or more.

        Example:
            >>> GroupNorm(3).require_width(8)
            Traceback (most recent call last):
            ValueError: GroupNorm(groups=3) receives 8 rows; want 3 equal blocks of 2 rows or more
        """
        require(
            width % self.groups == 0 and width >= 2 * self.groups,
            f"{self!r} receives {width} rows; want {self.groups} equal blocks of 2 rows or more",
        )

    def on_rows(self, rows: Array, xp: Namespace, width: int) -> Array:
        """The image of ``rows`` of shape ``(..., n, width)``, all of the rows of H; may overwrite
        them.

        Cost: O(n width).
        """
        blocks = self._blocks(rows, xp)
        image = _at_norm(blocks.shape[-2] ** 0.5, _centred(blocks, xp), xp)
        return xp.reshape(image.mT, tuple(rows.shape))

    def pullback(self, rows: Array, gradient: Array, xp: Namespace, width: int) -> Array:
        """That of `LayerNorm`, block by block, for ``gradient`` of shape ``(..., n, width)``.

        Cost: O(n width).
        """
        blocks, back = self._blocks(rows, xp), self._blocks(gradient, xp)
        target = blocks.shape[-2] ** 0.5
        found = _back_from_norm(target, _centred(blocks, xp), _centred(back, xp), xp)
        return xp.reshape(found.mT, tuple(rows.shape))

    def _blocks(self, rows: Array, xp: Namespace) -> Array:
        """The blocks as columns, ``(..., n, width/groups, groups)``."""
        return xp.reshape(rows, (*rows.shape[:-1], self.groups, -1)).mT


def _law_as_given(law: object) -> GivenLaw:
    """A name as it is spelled in full, or the function. Raises as `law_of` does."""
    found = law_of(law)
    return law if callable(law) else found.name


def _told_law(law: GivenLaw) -> str:
    return repr(law) if isinstance(law, str) else law_of(law).name


WeightLayer: TypeAlias = Linear | Residual
DrawingLayer: TypeAlias = WeightLayer | Bias
"""What draws random numbers; an engine needs to know how."""
Layer: TypeAlias = DrawingLayer | RowLayer


def frobenius_norm(rows: Array, xp: Namespace) -> Array:
    """‖H‖_F of each matrix in ``(..., n, m)``, shape ``(..., 1, 1)``, at any representable
    scale.

    Cost: O(n m).

    Args:
        rows: ``(..., n, m)``, real floating, of the library of ``xp``.
        xp: the namespace of its library, such as ``numpy``.

    Example:
        >>> frobenius_norm(np.array([[3.0, 4.0]]), np).tolist()
        [[5.0]]
    """
    squares = _all_squares(rows, xp)
    if _all_are_safe(squares, xp):
        return xp.sqrt(squares)
    peak = xp.max(xp.abs(rows), axis=(-2, -1), keepdims=True)
    scaled = rows / _or_infinity(peak, xp)
    return xp.where(_safe(squares, xp), xp.sqrt(squares), peak * xp.sqrt(_all_squares(scaled, xp)))


def scaled_to(norm: float, rows: Array, present: Array, xp: Namespace) -> Array:
    """``rows``, ``(..., n, m)``, times norm/present, and zero where the ``present`` norm,
    ``(..., 1, 1)``, is.

    Args:
        norm: what the norm becomes, at least 0.
        rows: ``(..., n, m)``.
        present: what it is, ``(..., 1, 1)``.
        xp: the namespace of their library, such as ``numpy``.

    Example:
        >>> scaled_to(1.0, np.array([[3.0, 4.0]]), np.array([[5.0]]), np).tolist()
        [[0.6, 0.8]]
    """
    # Two steps: the quotient of the norms alone could overflow where the product does not.
    return norm * (rows / _or_infinity(present, xp))


def _centred(rows: Array, xp: Namespace) -> Array:
    """Overwrites ``rows``, ``(..., n, m)``, with their differences from the mean over n, formed
    from those from the first.
    """
    rows -= xp.asarray(rows[..., :1, :], copy=True)
    rows -= xp.mean(rows, axis=-2, keepdims=True)
    return rows


def _of_norm(target: float, rows: Array, xp: Namespace) -> Array:
    """Overwrites ``rows``, ``(..., n, m)``, each of n entries, with their multiples of norm
    ``target``; a zero one stays zero.
    """
    squares = _row_squares(rows, xp)
    if not _all_are_safe(squares, xp):
        peaks = _or_infinity(xp.max(xp.abs(rows), axis=-2, keepdims=True), xp)
        # other rows keep their bits, whatever is beside them
        rows /= xp.where(_safe(squares, xp), 1.0, peaks)
        squares = _or_infinity(_row_squares(rows, xp), xp)
    rows *= target / xp.sqrt(squares)
    return rows


def _at_norm(target: float, rows: Array, xp: Namespace) -> Array:
    """What `_of_norm` gives, in a new array, which Torch's autograd follows on any view."""
    norms, peaks = _norms(rows, xp)
    return (rows if peaks is None else rows / peaks) * (target / norms)


def _back_from_norm(target: float, rows: Array, gradient: Array, xp: Namespace) -> Array:
    """t/‖x‖ · (g − u⟨u, g⟩) for every row x and g of ``gradient``, u = x/‖x‖; zero where x is."""
    return _back_from(target, *_norms(rows, xp), rows, gradient, xp)


def _back_from(
    target: float, norms: Array, peaks: Array | None, rows: Array, gradient: Array, xp: Namespace
) -> Array:
    """The same, overwriting ``gradient``, by what `_norms` gives for the rows."""
    units = (rows if peaks is None else rows / peaks) * (1 / norms)
    along = xp.einsum("...ji,...ji->...i", units, gradient)[..., None, :]
    units *= along
    gradient -= units
    gradient *= target / norms
    if peaks is not None:  # in steps: a product that is representable has none that overflow before
        gradient /= peaks
    return gradient


def _norms(rows: Array, xp: Namespace) -> tuple[Array, Array | None]:
    """Two factors of the norm of each row, ``(..., 1, m)``, infinite for a row of zeros; None for
    the second where it is one.
    """
    squares = _row_squares(rows, xp)
    if _all_are_safe(squares, xp):
        return xp.sqrt(squares), None
    largest = _or_infinity(xp.max(xp.abs(rows), axis=-2, keepdims=True), xp)
    peaks = xp.where(_safe(squares, xp), 1.0, largest)
    return xp.sqrt(_or_infinity(_row_squares(rows / peaks, xp), xp)), peaks


def _row_squares(rows: Array, xp: Namespace) -> Array:
    """Sums over the samples, ``(..., 1, m)``, in one pass."""
    with np.errstate(over="ignore"):  # `_all_are_safe` looks at what came out
        return xp.einsum("...ji,...ji->...i", rows, rows)[..., None, :]


def _all_squares(rows: Array, xp: Namespace) -> Array:
    """Sums over samples and rows, ``(..., 1, 1)``."""
    with np.errstate(over="ignore"):
        return xp.sum(rows * rows, axis=(-2, -1), keepdims=True)


def _safe(squares: Array, xp: Namespace) -> Array:
    """Whether each sum of squares has neither lost accuracy to underflow nor overflowed; false for
    a zero one.
    """
    return (squares >= _least_safe_square(xp, squares.dtype)) & (squares < math.inf)


def _all_are_safe(squares: Array, xp: Namespace) -> bool:
    """`_safe` of them all, in two quick passes."""
    if isinstance(squares, np.ndarray):  # for few squares, `np.min` takes twice as long to call
        lowest, highest = np.minimum.reduce(squares, None), np.maximum.reduce(squares, None)
    else:
        lowest, highest = xp.min(squares), xp.max(squares)
    return bool(lowest >= _least_safe_square(xp, squares.dtype)) and bool(highest < math.inf)


@cache
def _least_safe_square(xp: Namespace, dtype: object) -> float:
    """Terms that underflow are below the rounding of a sum of at least this."""
    limits = xp.finfo(dtype)
    return float(limits.smallest_normal) / float(limits.eps)


def _or_infinity(norms: Array, xp: Namespace) -> Array:
    """Zero replaced by ∞, so that dividing a zero vector by its norm gives zero, quietly."""
    return xp.where(norms > 0, norms, math.inf)
