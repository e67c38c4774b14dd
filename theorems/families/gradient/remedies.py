"""What is offered a network whose gradients explode or vanish."""

from __future__ import annotations

from theorems.inspection.finding import Remedy, Watched

__all__ = ["remedies"]


def remedies(watched: Watched, state: str) -> list[Remedy]:
    """Another normalisation and skip connections, or another variance of the weights."""
    wrong = {state, watched.course}
    if not wrong & {"exploding", "vanishing"}:
        return []
    found = []
    # no statement says which weights would do around skip connections
    plain = not watched.normalised and not watched.residual
    if "exploding" in wrong and watched.batchnormed:
        if not watched.residual:
            words = (
                "skip connections around the normalised branches: gradients then grow as a power "
                "of depth, at most as its square"
            )
            found.append(Remedy(words, "gradient.residual_growth:upper"))
        words = (
            "layer normalisation in place of batch normalisation: ‖G‖² is kept but for some 12/d a "
            "layer, with ReLU"
        )
        found.append(Remedy(words, "gradient.layernorm_factor:relu_upper"))
    elif plain and "relu" in watched.actions:
        words = "weights of variance 2/d, after He: with ReLU they keep E‖G‖² at every width"
        found.append(Remedy(words, "gradient.vanilla_factor"))
    elif plain:
        words = (
            "weights nearer to those that keep the signal's length, where χ₁ is least: without "
            "mean of the activation it is at least 1 there"
        )
        found.append(Remedy(words, "gradient.critical_factor:no_mean"))
    return found
