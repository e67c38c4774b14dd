"""Chains: a block of layers repeated at every depth, and the named chains of the theory.

Sources: DJB21 (arXiv 2106.03970) for the rescale chains and their activations, D20 (arXiv 2003.01652) for
the residual chain, N24 (arXiv 2412.02843) for recenter–ReLU.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from simulators.arguments import real_number, told, whole_number
from simulators.layers import (
    ACTIVATIONS,
    Activation,
    Layer,
    Linear,
    Normalize,
    Recenter,
    Rescale,
    Residual,
    WeightLayer,
)


class Scaling(Enum):
    """What multiplying the input of a block by s > 0 does to its output."""

    FREE = "nothing"
    LINEAR = "multiplies it by s"
    BOUND = "changes its shape"


@dataclass(frozen=True)
class Chain:
    """One block, a nonempty tuple of layers applied left to right, repeated ``depth`` times by `simulate`.

    The representation is observed after each block. The first block maps the batch, d₀ rows, to the block's
    width. Raises `TypeError` when ``layers`` are not layers, `ValueError` when none of them draws weights.
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if isinstance(self.layers, Layer) or not hasattr(self.layers, "__iter__"):
            raise TypeError(f"layers={told(self.layers)} is not a sequence of layers; write ({told(self.layers)},)")
        object.__setattr__(self, "layers", tuple(self.layers))
        for layer in self.layers:
            if not isinstance(layer, Layer):
                raise TypeError(f"layers contain {told(layer)}, which is no layer; see simulators.layers")
        if not any(isinstance(layer, Linear | Residual) for layer in self.layers):
            raise ValueError(f"layers={self.layers!r} draw no weights; add a Linear or a Residual layer")

    def widths(self, rows: int) -> tuple[int, ...]:
        """The number of rows after each layer, for an input of ``rows`` rows.

        Raises `ValueError` when a residual layer of stated width receives another.
        """
        widths = []
        for layer in self.layers:
            if isinstance(layer, Linear):
                rows = layer.width
            elif isinstance(layer, Residual) and layer.width not in (None, rows):
                raise ValueError(
                    f"{layer!r} receives {rows} rows; it adds its input to its output, so give it "
                    f"{layer.width} rows, or width={rows}"
                )
            widths.append(rows)
        return tuple(widths)

    @property
    def scaling(self) -> Scaling:
        """How the block responds to the scale of its input."""
        scaling = Scaling.LINEAR
        for layer in self.layers:
            if isinstance(layer, Rescale | Normalize):
                scaling = Scaling.FREE
            elif isinstance(layer, Activation) and not layer.homogeneous and scaling is Scaling.LINEAR:
                return Scaling.BOUND
        return scaling

    @property
    def forgotten_factors(self) -> tuple[bool, ...]:
        """For each layer, whether any s > 0 that multiplies its output is taken out before other weights apply."""
        forgotten, later = [], False
        for layer in reversed(self.layers):
            forgotten.append(later)
            if isinstance(layer, Rescale | Normalize):
                later = True
            elif isinstance(layer, WeightLayer) or (isinstance(layer, Activation) and not layer.homogeneous):
                later = False  # before weights, factors of several layers would multiply up
        return tuple(reversed(forgotten))

    @property
    def turns_with_samples(self) -> bool:
        """Whether H⁺V comes out of HV, in law, for every orthogonal V: then spectra alone determine spectra."""
        return all(
            isinstance(layer, Linear | Residual | Rescale | Normalize)
            or (isinstance(layer, Activation) and layer.name == "identity")
            for layer in self.layers
        )

    @property
    def sees_rows(self) -> bool:
        """Whether the Gram matrix of the batch leaves open what comes out: UH may do as H does not, U orthogonal."""
        first = next(layer for layer in self.layers if isinstance(layer, Linear | Residual))
        return first.law != "gaussian" or (isinstance(first, Residual) and first.gamma < math.inf)

    @property
    def recentres(self) -> bool:
        """Whether some layer subtracts the batch mean."""
        return any(isinstance(layer, Recenter) for layer in self.layers)

    @property
    def leading_recenter(self) -> int | None:
        """The number of the `Recenter` that nothing but weights precedes in the block; None if there is none.

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

        Only that way round does the cancellation of a common mean meet no rounding error of the product.
        """
        layers = list(self.layers)
        for end in range(1, len(layers)):
            at = end
            while at and isinstance(layers[at], Recenter) and isinstance(layers[at - 1], WeightLayer):
                layers[at - 1], layers[at] = layers[at], layers[at - 1]
                at -= 1
        return Chain(tuple(layers))

    @property
    def opening(self) -> Chain:
        """The block as it acts on an input that is centred already, if it would centre that first of all."""
        at = self.leading_recenter
        return self if at is None else Chain(self.layers[:at] + self.layers[at + 1 :])

    @property
    def linear(self) -> bool:
        """Whether every activation is the identity, so that the span of the samples is only mapped."""
        return all(layer.name == "identity" for layer in self.layers if isinstance(layer, Activation))

    @property
    def homogeneous(self) -> bool:
        """Whether every activation commutes with positive scalars."""
        return all(layer.homogeneous for layer in self.layers if isinstance(layer, Activation))

    @property
    def odd(self) -> bool:
        """Whether a sample of the other sign keeps the other sign, whatever the rest of the batch."""
        return not self.recentres and all(
            ACTIVATIONS[layer.name].odd for layer in self.layers if isinstance(layer, Activation))


def rescale_chain(width: int) -> Chain:
    """H⁺ = d^{-1/2} BN(WH), BN(A) = diag(AAᵀ)^{-1/2} A: linear batchnorm without mean subtraction (DJB21)."""
    return Chain((Linear(width), Rescale("frobenius")))


def rescale_activation_chain(width: int, activation: str) -> Chain:
    """Q⁺ = d^{-1/2} BN(W F(Q)), observed on Q (DJB21, Appendix F)."""
    return Chain((Activation(activation), Linear(width), Rescale("frobenius")))


def residual_chain(width: int, gamma: float, law: str = "gaussian") -> Chain:
    """H⁺ = BN-rows(H + γWH), unit-variance W of any ``law``, diag M = 1 (D20). γ = ∞ means WH alone.

    For finite γ the batch itself must have ``width`` rows. Raises `TypeError` or `ValueError`, naming the argument:
    ``width`` ≥ 2, as a rank needs two rows, and ``gamma`` and ``law`` as `Residual` has them.
    """
    if whole_number("width", width, 1) == 1:
        raise ValueError(f"width={width}: the rescaled row is 1 or -1 times the last one; a rank needs 2 rows or more")
    if real_number("gamma", gamma, "a γ ≥ 0, or math.inf") == math.inf:
        return Chain((Linear(width, law), Rescale("variance")))
    return Chain((Residual(gamma, law, width), Rescale("variance")))


def recenter_relu_chain(width: int) -> Chain:
    """H⁺ = s·ReLU(WHJ), s one scalar per layer that keeps ‖H‖_F² = d n (after N24)."""
    return Chain((Linear(width), Recenter(), Activation("relu"), Normalize()))


def batchnorm_chain(width: int, activation: str = "relu") -> Chain:
    """H⁺ = F(BN-rows(WHJ)) with rows of norm √n before the activation F: batchnorm as networks use it."""
    return Chain((Linear(width), Recenter(), Rescale("variance"), Activation(activation)))


def vanilla_chain(width: int, activation: str = "identity") -> Chain:
    """H⁺ = F(WH), entries of W of variance 1/width: no normalisation."""
    return Chain((Linear(width), Activation(activation)))
