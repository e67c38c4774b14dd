"""What is offered a network whose gradients explode or vanish."""

from __future__ import annotations

from theorems.inspection.finding import Remedy, Watched

__all__ = ["remedies"]


def remedies(watched: Watched, state: str) -> list[Remedy]:
    """Another normalisation and skip connections, or another variance of the weights."""
    if state not in {"exploding", "vanishing"}:
        return []
    found = []
    if state == "exploding" and _batchnorm(watched):
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
    elif "relu" in watched.actions and not watched.normalised:
        words = "weights of variance 2/d, after He: with ReLU they keep E‖G‖² at every width"
        found.append(Remedy(words, "gradient.vanilla_factor"))
    elif not watched.normalised:
        words = (
            "weights nearer to those that keep the signal's length, where χ₁ is least: without "
            "mean of the activation it is at least 1 there"
        )
        found.append(Remedy(words, "gradient.critical_factor:no_mean"))
    return found


def _batchnorm(watched: Watched) -> bool:
    return any(action.lower().startswith("batchnorm") for action in watched.actions)
