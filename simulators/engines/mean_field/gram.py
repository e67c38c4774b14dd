"""The map of Gram matrices at infinite width, for every chain of layers that has one.

At width d → ∞ the rows of a representation H are independent, all of one law in R^n, and K = HᵀH/d
is the mean of hhᵀ over that law (Neal 1996; Matthews et al., Yang, for several layers). A layer
changes the law, and for some the mean is known again:

| layer | law of a row h | K |
|---|---|---|
| `Linear`, Gaussian or Haar | N(0, K) | times σ_w² and the ratio of the widths |
| `Bias` | normal if it was, else no name | K + σ_b² 11ᵀ |
| `Recenter` | its image under J = I − 11ᵀ/n | JKJ |
| `Activation` φ, after Gaussian rows | no name | E φ(h)φ(h)ᵀ, dual kernels: `kernels` |
| `Rescale` after Gaussian rows | √n h/‖h‖ | an integral: `directions` |
| `Activation` of degree 1, after those | no name | the same integral |
| `Normalize` | scaled | K n/tr K |
| `RMSNorm` | normal if it was, else no name | K_ij/√(K_ii K_jj) |
| `LayerNorm`, `GroupNorm` | as `RMSNorm` | the same of E hhᵀ − E h E hᵀ |
| `Residual` γ | N(0, K), as γ²d outgrows 1 | K(1 + γ²d) |

A chain has no map where K does not tell what comes next, and is refused with the layer and the
reason. In floats, and in balls where every layer has an enclosure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from itertools import product
from typing import Any, ClassVar, TypeAlias

import numpy as np
from flint import arb, arb_mat, ctx
from numpy.typing import ArrayLike

from simulators.arguments import kind_of, require, told
from simulators.arrays import Floats
from simulators.chains import Chain
from simulators.engines.mean_field.directions import (
    UndecidedError,
    direction_moments,
    direction_moments_enclosure,
)
from simulators.engines.mean_field.kernels import DualKernel, HomogeneousKernel, kernel_map
from simulators.engines.mean_field.recenter_relu import admit_grams, read_gram
from simulators.engines.mean_field.rescale import Exact
from simulators.layers import (
    Activation,
    Bias,
    GroupNorm,
    Layer,
    LayerNorm,
    Linear,
    Normalize,
    Recenter,
    Rescale,
    Residual,
    RMSNorm,
    ScaleResponse,
    WeightLayer,
)
from simulators.weights import law_of

__all__ = ["GramMap", "gram_map", "gram_obstacle"]

Matrix: TypeAlias = Any
"""(..., n, n) of float64, or (n, n) of objects that are balls."""

_GUARD_BITS = 32
_NOTHING = "gram: all samples agree to rounding, so that Recenter leaves nothing of them"
_LOST = 16 * float(np.finfo(np.float64).eps)
_IDENTITY = HomogeneousKernel("identity", 1.0, -1.0)


class Rows(Enum):
    """What is known of the law of a row, beyond its second moments.

    Example:
        >>> Rows.GAUSSIAN.value
        'normal'
    """

    GIVEN = "the batch's own"
    GAUSSIAN = "normal"
    DIRECTION = "normal ones rescaled to one norm"
    OTHER = "images under an activation"
    SHIFTED = "moved by normal offsets"


class _NoMap(Exception):
    """Why a layer has no map of Gram matrices here."""


@dataclass(frozen=True)
class _State:
    """The law of the rows after some layers.

    - ``means``: how means are taken
    - ``known``: E hhᵀ; None for directions, of which it is an integral that may not be asked for
    - ``first``: E h E hᵀ, None where it is not known
    - ``covariance``: of directions, that of the normal rows they were, up to scale
    - ``size``: of directions, their squared norm
    - ``centred``: whether every row sums to 0 over the batch
    - ``alike``: a number for each sample, the same for samples that are certainly equal; () where
      nothing is known
    - ``growing``: whether the entries grow without bound with the width
    """

    means: Arithmetic
    rows: Rows
    known: Matrix | None
    width: int
    first: Matrix | None = None
    covariance: Matrix | None = None
    size: Any = 1
    centred: bool = False
    alike: tuple[int, ...] = ()
    growing: bool = False

    @cached_property
    def second(self) -> Matrix:
        """E hhᵀ"""
        if self.known is not None:
            return self.known
        return self.size * self.means.directions(_IDENTITY, self.covariance, self)

    def scaled(self, factor: Any) -> _State:
        """All rows times √factor."""
        first = None if self.first is None else factor * self.first
        known = None if self.known is None else factor * self.known
        return replace(self, known=known, first=first, size=factor * self.size)

    def normal(self, second: Matrix, width: int, *, growing: bool = False) -> _State:
        """Normal rows of these second moments, centred if these are."""
        return _State(
            self.means,
            Rows.GAUSSIAN,
            second,
            width,
            first=0 * second,
            centred=self.centred,
            alike=self.alike,
            growing=growing,
        )


class _Floats:
    """Means over normal rows and over directions, in floats."""

    exact = False

    @staticmethod
    def moments(kernel: DualKernel, covariance: Matrix) -> Matrix:
        return kernel.moments(covariance)

    @staticmethod
    def directions(kernel: HomogeneousKernel, covariance: Matrix, state: _State) -> Matrix:
        stack = covariance.reshape(-1, *covariance.shape[-2:])
        found = [direction_moments(matrix, kernel) for matrix in stack]
        return np.stack(found).reshape(covariance.shape)

    @staticmethod
    def means(kernel: DualKernel, covariance: Matrix) -> Matrix:
        """E φ(h_i) E φ(h_j): the kernel of independent variables."""
        variances = np.maximum(np.diagonal(covariance, axis1=-2, axis2=-1), 0.0)  # rounding
        zeros = np.zeros_like(covariance)
        first, second = np.broadcast_arrays(variances[..., :, None], variances[..., None, :])
        return kernel.covariance(first, second, zeros)


class _Balls:
    """The same in balls, at FLINT's precision of the moment."""

    exact = True

    @staticmethod
    def moments(kernel: DualKernel, covariance: Matrix) -> Matrix:
        return _objects(kernel.moments_enclosure(covariance.tolist()))

    @staticmethod
    def directions(kernel: HomogeneousKernel, covariance: Matrix, state: _State) -> Matrix:
        return _objects(
            direction_moments_enclosure(
                covariance.tolist(),
                kernel,
                precision=int(ctx.prec) - _GUARD_BITS,
                image=_image_of(state.alike or tuple(range(len(covariance))), state.centred),
            )
        )

    @staticmethod
    def means(kernel: DualKernel, covariance: Matrix) -> Matrix:
        variances = [x if x >= 0 else x.nonnegative_part() for x in np.diagonal(covariance)]
        zero, n = arb(0), len(variances)
        products = [kernel.covariance_ball(q, r, zero) for q, r in product(variances, repeat=2)]
        return _objects([products[i : i + n] for i in range(0, n * n, n)])


Arithmetic: TypeAlias = "_Floats | _Balls"


def _image_of(alike: tuple[int, ...], centred: bool) -> arb_mat:
    """Orthonormal columns, (n, r), that span the rows in which these samples agree, with sum 0 if
    ``centred``: Helmert's, of classes of equal samples.
    """
    counts = [alike.count(label) for label in dict.fromkeys(alike)]
    places = [list(dict.fromkeys(alike)).index(label) for label in alike]
    columns = [] if centred else [[arb(1) / arb(len(alike)).sqrt() for _ in alike]]
    for k in range(1, len(counts)):
        before, here = sum(counts[:k]), counts[k]
        norm = arb(before * here * (before + here)).sqrt()
        entry = {True: here / norm, False: -before / norm}
        columns.append([entry[place < k] if place <= k else arb(0) for place in places])
    return arb_mat(columns).transpose()


def _objects(rows: Sequence[Sequence[arb]]) -> Matrix:
    found = np.empty((len(rows), len(rows)), dtype=object)
    for i, row in enumerate(rows):
        found[i, :] = row
    return found


# --- one entry a layer ----------------------------------------------------------------------------


def _linear(layer: Linear, state: _State, means: Arithmetic) -> _State:
    _require_normal(layer)
    std = arb(layer.std) if means.exact else layer.std
    second = state.second * (std * std * _ratio(state.width, layer.width, means))
    return state.normal(second, layer.width)


def _require_normal(layer: WeightLayer) -> None:
    if layer.law not in ("gaussian", "orthogonal"):
        raise _NoMap(
            f"its weights are {law_of(layer.law).name}, and the map is that of independent normal "
            "ones: of few rows, as a batch may have, no others make normal ones, whatever the width"
        )


def _bias(layer: Bias, state: _State, means: Arithmetic) -> _State:
    """Offsets have mean 0 over the rows, so that E h stays."""
    if layer.std == 0:
        return state
    std = arb(layer.std) if means.exact else layer.std
    normal = state.rows is Rows.GAUSSIAN
    return replace(
        state,
        rows=Rows.GAUSSIAN if normal else Rows.SHIFTED,
        known=state.second + std * std,
        covariance=None,
        size=1,
        centred=False,
    )


def _ratio(numerator: int, denominator: int, means: Arithmetic) -> Any:
    return arb(numerator) / denominator if means.exact else numerator / denominator


def _residual(layer: Residual, state: _State, means: Arithmetic) -> _State:
    if layer.law != "gaussian":
        raise _NoMap(
            f"its weights are {law_of(layer.law).name}: images are not normal in the first layer"
        )
    if layer.width is None and state.width == 0:
        raise _NoMap("its width is not told; give width=")
    if layer.gamma == 0:
        return state
    width = state.width
    if layer.gamma == math.inf:
        second = state.second * width
    else:
        gamma = arb(layer.gamma) if means.exact else layer.gamma
        second = state.second * (1 + gamma * gamma * width)
    return state.normal(second, width, growing=True)


def _recenter(layer: Recenter, state: _State, means: Arithmetic) -> _State:
    if state.centred:
        return state
    if state.rows is Rows.DIRECTION:
        raise _NoMap("rows of one norm, recentred, are no longer of one norm, nor normal")
    second = _left(state.second, _centred(state.second), means)
    first = None if state.first is None else _centred(state.first)
    return replace(state, known=second, first=first, centred=True)


def _centred(matrix: Matrix) -> Matrix:
    n = matrix.shape[-1]
    means = matrix.sum(axis=-1) / n
    total = np.asarray(means.sum(axis=-1) / n)
    found = matrix - means[..., :, None] - means[..., None, :] + total[..., None, None]
    return (found + found.swapaxes(-1, -2)) / 2


def _trace(matrix: Matrix) -> Matrix:
    """(..., 1, 1)"""
    return np.asarray(np.trace(matrix, axis1=-2, axis2=-1))[..., None, None]


def _left(before: Matrix, after: Matrix, means: Arithmetic) -> Matrix:
    """What `Recenter` left; in floats NaN where it is rounding."""
    if means.exact:
        require(after.trace() > 0, _NOTHING, UndecidedError)
        return after
    lost = _trace(after) <= _LOST * before.shape[-1] * _trace(before)
    return np.where(lost, np.nan, after)


def _rescale(layer: Rescale, state: _State, means: Arithmetic) -> _State:
    size = _ratio(1, state.width, means) if layer.unit == "frobenius" else state.second.shape[-1]
    if state.rows is Rows.DIRECTION:
        return state.scaled(size / state.size)
    if state.rows is not Rows.GAUSSIAN:
        raise _NoMap(
            f"rows are {state.rows.value}, and the law of their directions is not told by a Gram "
            "matrix; put it after Gaussian weights"
        )
    return _State(
        means,
        Rows.DIRECTION,
        None,
        state.width,
        first=0 * state.second,
        covariance=state.second,
        size=size,
        centred=state.centred,
        alike=state.alike,
    )


def _activation(layer: Activation, state: _State, means: Arithmetic) -> _State:
    kernel = kernel_map(layer.entry)
    if isinstance(kernel, HomogeneousKernel) and kernel.linear:
        return state.scaled(kernel.up * kernel.up) if kernel.up != 1 else state
    if state.rows is Rows.DIRECTION:
        if not isinstance(kernel, HomogeneousKernel):
            raise _NoMap(
                f"{kernel.name} is not homogeneous, F(sx) = sF(x) for s > 0, so that rows rescaled "
                "to one norm give integrals in more than one dimension"
            )
        second = state.size * means.directions(kernel, state.covariance, state)
        return _State(means, Rows.OTHER, second, state.width, alike=state.alike)
    if state.rows is not Rows.GAUSSIAN:
        raise _NoMap(
            f"rows are {state.rows.value}, and a Gram matrix does not tell what {kernel.name} "
            "makes of them; put it after Gaussian weights"
        )
    if state.growing and not isinstance(kernel, HomogeneousKernel):
        raise _NoMap(
            f"entries of H + γWH have variances 1 + γ²d times those of H, which grow with the "
            f"width, and {kernel.name} is not homogeneous"
        )
    second = means.moments(kernel, state.second)
    first = means.means(kernel, state.second)
    return _State(
        means,
        Rows.OTHER,
        second,
        state.width,
        first=first,
        alike=state.alike,
        growing=state.growing,
    )


def _normalize(layer: Normalize, state: _State, means: Arithmetic) -> _State:
    scaled = state.scaled(state.second.shape[-1] / _trace(state.second))
    return replace(scaled, growing=False)


def _layer_norm(layer: LayerNorm | GroupNorm, state: _State, means: Arithmetic) -> _State:
    """Of every sample over infinitely many rows; so is a block of them."""
    if state.first is None:
        raise _NoMap(
            f"rows are {state.rows.value}, and their mean, which it subtracts, is not told by a "
            "Gram matrix"
        )
    centred = replace(state, known=state.second - state.first, first=0 * state.first)
    return _of_unit_samples(centred, means)


def _rms_norm(layer: RMSNorm, state: _State, means: Arithmetic) -> _State:
    return _of_unit_samples(state, means)


def _of_unit_samples(state: _State, means: Arithmetic) -> _State:
    """Each sample over its root mean square, from which a mean was taken that may be there."""
    second, n = state.second, state.second.shape[-1]
    squares = np.diagonal(second, axis1=-2, axis2=-1)
    present = squares > 0
    if means.exact and not all(present[k] or squares[k] == 0 for k in range(n)):
        raise ValueError("gram: a sample may be constant to rounding, which has no direction")
    norms = np.sqrt(np.where(present, squares, squares + 1))
    scale = norms[..., :, None] * norms[..., None, :]
    found = second / scale
    places = np.arange(n)
    one = arb(1) if means.exact else 1.0
    found[..., places, places] = np.where(present, one, squares)
    return _State(
        means,
        Rows.GAUSSIAN if state.rows is Rows.GAUSSIAN else Rows.OTHER,
        found,
        state.width,
        first=None if state.first is None else state.first / scale,
        alike=state.alike,
    )


_STEPS: dict[type, Callable[[Any, _State, Arithmetic], _State]] = {
    Linear: _linear,
    Bias: _bias,
    Residual: _residual,
    Recenter: _recenter,
    Rescale: _rescale,
    Activation: _activation,
    Normalize: _normalize,
    LayerNorm: _layer_norm,
    GroupNorm: _layer_norm,
    RMSNorm: _rms_norm,
}


# --- the map --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GramMap:
    """One block of ``chain`` at infinite width: K = HᵀH/d to K⁺, when called.

    d is the width of the block's output. `gram_map` makes it.

    Example:
        >>> from simulators.chains import vanilla_chain
        >>> gram_map(vanilla_chain(8, "relu"))(np.eye(2)).round(4).tolist()
        [[0.5, 0.1592], [0.1592, 0.5]]
    """

    chain: Chain
    layers: ClassVar[tuple[str, ...]] = tuple(kind.__name__ for kind in _STEPS)

    def __call__(self, gram: ArrayLike) -> Floats:
        """K⁺ in float64, of the shape of ``gram``, ``(..., n, n)``; symmetric.

        ``gram`` is real, symmetric and positive semidefinite up to rounding; n ≥ 2 where the chain
        recentres. Absolute error some 1e-14·tr K a layer, and of rows rescaled to one norm some
        1e-14·n. Cost: n² values of a dual kernel for each activation, and some 500 times as many
        after rows were rescaled.

        Raises ``TypeError`` when entries are not real numbers; ``ValueError`` when the shape does
        not fit, for NaN, for what is asymmetric or indefinite beyond rounding, and where `Recenter`
        would leave nothing.
        """
        given = np.asarray(gram)
        matrices, _ = admit_grams(given, least=2 if self.chain.recentres else 1)
        found = self.follow(matrices)
        require(np.isfinite(found).all(), _NOTHING)
        return found.reshape(given.shape)

    def follow(self, grams: Floats) -> Floats:
        """K⁺ of matrices (k, n, n) that are not looked at: what has no image becomes NaN.

        For paths, whose later layers are Gram matrices anyway.

        Args:
            grams: float64, n samples each.

        Example:
            >>> from simulators.chains import batchnorm_chain
            >>> gram_map(batchnorm_chain(8)).follow(np.ones((1, 2, 2))).tolist()
            [[[nan, nan], [nan, nan]]]
        """
        return np.asarray(self._image(grams, _Floats()))

    def enclosure(
        self,
        gram: Sequence[Sequence[Exact]],
        *,
        precision: int = 128,
        alike: tuple[int, ...] = (),
    ) -> list[list[arb]]:
        """Balls that contain the entries of K⁺ for every K of ``gram``.

        ``gram`` is n rows of n entries, `int`, `Fraction`, `fmpq` or `arb`; symmetric, which balls
        may leave open; that it is positive semidefinite is not tested. ``alike`` are n numbers, the
        same for samples that are equal, which balls do not tell: less is lost of them where rows
        are rescaled. For an exact K radii are some 2^-precision. Cost: n² values of a dual kernel
        in balls, some microseconds each; after rows were rescaled some 0.1·precision² times as
        many.

        Raises ``ValueError`` where the chain has no enclosure, with the reason (`unenclosed`), and
        as a call does; ``TypeError`` for a float.

        Args:
            gram: a Gram matrix, n × n.
            precision: in bits.
            alike: n numbers, the same for samples that are equal.

        Example:
            >>> from simulators.chains import batchnorm_chain
            >>> relu = gram_map(batchnorm_chain(8, "relu"))
            >>> relu.enclosure([[1, 0, 0], [0, 1, 0], [0, 0, 1]])[0][0].contains(arb(1) / 2)
            True
        """
        require(self.unenclosed is None, f"{self.chain!r} has no enclosure: {self.unenclosed}")
        with ctx.workprec(precision + _GUARD_BITS):
            matrix = _objects(read_gram(gram, least=2 if self.chain.recentres else 1))
            found: list[list[arb]] = self._image(matrix, _Balls(), alike).tolist()
        return found

    @cached_property
    def unenclosed(self) -> str | None:
        """Why there are no balls; None where there are.

        The reason of the first activation that has none.
        """
        kernels = [
            kernel_map(layer.entry) for layer in self.chain.layers if isinstance(layer, Activation)
        ]
        return next((kernel.unenclosed for kernel in kernels if kernel.unenclosed), None)

    @property
    def quick(self) -> bool:
        """Whether layers are enclosed by formulas alone: no expansion, none after `Rescale`.

        `Rescale` itself is an integral, too.
        """
        layers = self.chain.layers
        kernels = [kernel_map(layer.entry) for layer in layers if isinstance(layer, Activation)]
        integral = any(isinstance(layer, Rescale) for layer in layers)
        return not integral and all(kernel.closed for kernel in kernels)

    def factors(self, batch: Floats, depth: int, loss: float) -> tuple[list[Floats], Floats]:
        """Factors R of HᵀH = RRᵀ after each of ``depth`` blocks, (n, n), and errors, (depth + 1,).

        ``batch`` is (d₀, n), finite and not zero. HᵀH is d times K, d the width of the chain; where
        a block multiplies its input's scale by a scalar and never fixes it, HᵀH has trace 1.

        ``loss`` is the share of K that rounding may move in a block. Errors are how far K over its
        trace is then moved, followed along on two neighbours, of lesser and of greater cosines;
        entry 0 is that of the batch. Cost: that of three calls a block.

        Example:
            >>> from simulators.chains import vanilla_chain
            >>> [R], errors = gram_map(vanilla_chain(2, "relu")).factors(np.eye(2), 1, 1e-16)
            >>> (R @ R.T).round(4).tolist(), bool((errors < 1e-15).all())
            ([[0.5, 0.1592], [0.1592, 0.5]], True)
        """
        largest, scale = float(np.abs(batch).max()), self.chain.scaling
        unit = batch / largest
        gram = unit.T @ unit
        if scale is ScaleResponse.BOUND:
            gram *= largest * (largest / _width(self.chain))
        gram = (gram + gram.T) / 2
        three = _neighbours(np.stack([gram] * 3), loss)
        found, errors = [], [_apart(three)]
        for _ in range(depth):
            three = self(three)
            if scale is ScaleResponse.LINEAR:
                three /= np.trace(three, axis1=1, axis2=2)[:, None, None]
            values, vectors = np.linalg.eigh(three[0])
            size = 1 if scale is ScaleResponse.LINEAR else _width(self.chain)
            found.append(vectors * np.sqrt(size * np.maximum(values, 0.0)))
            three = _neighbours(three, loss)
            errors.append(_apart(three))
        return found, np.minimum(1.0, np.maximum.accumulate(errors))

    def _image(self, matrix: Matrix, means: Arithmetic, alike: tuple[int, ...] = ()) -> Matrix:
        state = _State(means, Rows.GIVEN, matrix, _width(self.chain), alike=alike)
        for layer in self.chain.layers:
            state = _step(layer, state, means)
        return state.second


def _width(chain: Chain) -> int:
    """The number of rows that a block gives, and receives from the second on; 0 if unknown."""
    told_widths = [getattr(layer, "width", None) for layer in chain.layers]
    return next((width for width in reversed(told_widths) if width is not None), 0)


def _neighbours(three: Floats, loss: float) -> Floats:
    """A Gram matrix as it is, one a little nearer to its diagonal, one nearer to collinear."""
    same, apart, together = three
    norms = np.sqrt(np.diagonal(together))
    return np.stack(
        [
            same,
            (1 - loss) * apart + loss * np.diag(np.diagonal(apart)),
            (1 - loss) * together + loss * np.outer(norms, norms),
        ]
    )


def _apart(three: Floats) -> float:
    shares = three / np.trace(three, axis1=1, axis2=2)[:, None, None]
    return float(abs(shares[1:] - shares[0]).max())


def _step(layer: Layer, state: _State, means: Arithmetic) -> _State:
    step = _STEPS.get(type(layer))
    if step is None:
        raise _NoMap(
            f"{layer!r}: of this layer no map of Gram matrices is known; known are "
            f"{', '.join(GramMap.layers)}"
        )
    try:
        return step(layer, state, means)
    except _NoMap as reason:
        raise _NoMap(f"{layer!r}: {reason}") from None


def gram_map(chain: Chain) -> GramMap:
    """The map of K = HᵀH/d by one block of ``chain`` at infinite width.

    Raises ``TypeError`` for what is no `Chain`; ``ValueError`` for one that has no such map, with
    the layer and the reason.

    Example:
        >>> from simulators.chains import batchnorm_chain
        >>> gram_map(batchnorm_chain(8, "tanh"))
        Traceback (most recent call last):
        ValueError: no map of Gram matrices at infinite width: Activation(name='tanh'): \
tanh is not homogeneous, F(sx) = sF(x) for s > 0, so that rows rescaled to one norm give \
integrals in more than one dimension
    """
    require(
        isinstance(chain, Chain),
        f"chain={told(chain)} is {kind_of(chain)}; give a Chain",
        TypeError,
    )
    obstacle = gram_obstacle(chain)
    require(obstacle is None, f"no map of Gram matrices at infinite width: {obstacle}")
    return GramMap(chain)


def gram_obstacle(chain: Chain) -> str | None:
    """Why ``chain`` has no map of Gram matrices; None where it has one.

    Example:
        >>> from simulators.chains import residual_chain
        >>> gram_obstacle(residual_chain(8, 0.5)), gram_obstacle(residual_chain(8, 0.5, "uniform"))
        (None, "Residual(gamma=0.5, law='uniform', width=8): its weights are uniform: images are \
not normal in the first layer")
    """
    try:
        GramMap(chain)(_PROBE)
    except _NoMap as reason:
        return str(reason)
    return None


_PROBE = np.array([[1.0, 0.25, 0.0], [0.25, 1.0, 0.5], [0.0, 0.5, 1.0]])
