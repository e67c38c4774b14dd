"""Which of the family's results are about networks like a user's, and what they offer it.

Results of training are about perceptrons with ReLU, or convolutions with ReLU, at a depth and a
width. They are told of networks of the same make that are at least as deep: nothing is measured.
"""

from __future__ import annotations

import math

from torch import nn

from theorems.inspection.finding import Finding, Remedy, Watched

__all__ = ["findings", "remedies"]

_DEEP, _XAVIER, _SHALLOW, _BATCHNORM, _STALLED, _UNCENTRED = 15, 32, 4, 16, 48, 10
"""Hidden layers of the networks that were trained, in the order of `findings`."""
_NEAR = 1.1  # times Xavier's σ_w = 1, that weights no larger than his may be
_OFF = 5  # standard errors of a mean that is not 0


def findings(watched: Watched) -> list[Finding]:
    """The results that apply, each with why; none that do not.

    Args:
        watched: the network.
    """
    depth, maps = len(watched.stages), _maps(watched)
    if maps is None or not _of_relu(watched) or watched.residual:
        return []
    if watched.batchnormed:
        return _normalised(watched, depth) if maps is nn.Linear else []
    if watched.normalised or depth < _DEEP:
        return []
    found = []
    alone = f"depth {depth} without normalisation{_shrinking(watched)}"
    if maps is nn.Linear:
        why = (
            f"{alone}; iterative orthogonal initialisation is available, with which {_DEEP} layers "
            "make at least half of the progress of 5 in training"
        )
        found.append(_applying("iterative_orthogonalisation:progress_kept", why))
        if depth >= _XAVIER and _scale(watched) <= _NEAR:
            why = (
                f"{alone}, weights no larger than Xavier's: {_XAVIER} such layers make at most a "
                "tenth of the progress of 4 in training"
            )
            found.append(_applying("depth_and_trainability:plain", why))
    else:
        why = (
            f"{alone}; iterative orthogonal initialisation is available, with which {_DEEP} layers "
            "of convolutions make at least half of the progress of 5 in training"
        )
        found.append(_applying("convolutional:progress_kept", why))
    return found


def remedies(watched: Watched, state: str) -> list[Remedy]:
    """Against gradients that vanish, where nothing is normalised and no branch is skipped.

    Args:
        watched: the network.
        state: what is wrong with it, in one word.
    """
    maps = _maps(watched)
    vanishing = "vanishing" in {state, watched.course}
    if not vanishing or watched.normalised or watched.residual:
        return []
    if maps is None or not _of_relu(watched):
        return []
    words = (
        "in training, networks of ReLU with iterative orthogonal initialisation, "
        f"simulators.training.iterative_orthogonal_(module, batch): {_DEEP} layers make at least "
        "half of the progress of 5"
    )
    kind = "iterative_orthogonalisation" if maps is nn.Linear else "convolutional"
    return [Remedy(words, f"training.{kind}:progress_kept")]


def _normalised(watched: Watched, depth: int) -> list[Finding]:
    """Of perceptrons with batch normalisation and ReLU."""
    alone = f"{depth} layers with batch normalisation{_shrinking(watched)}"
    if _uncentred(watched):
        why = (
            f"{alone}; the mean of the weights is not 0: of {_UNCENTRED} such layers the loss in "
            "training is at least twice that of centred ones"
        )
        return [_applying("uncentred_weights", why)] if depth >= _UNCENTRED else []
    if depth >= _STALLED:
        why = (
            f"{alone}; {_STALLED} such layers make at most half of the progress of 8 by plain "
            "gradient descent, as their gradients grow"
        )
        return [_applying("gradient_growth:stalled", why)]
    if _SHALLOW <= depth <= _BATCHNORM:
        why = (
            f"{alone}; {_BATCHNORM} such layers make at least three quarters of the progress of 4 "
            "in training"
        )
        return [_applying("depth_and_trainability:batchnorm", why)]
    return []


def _applying(name: str, why: str) -> Finding:
    return Finding(f"training.{name}", True, why)


def _maps(watched: Watched) -> type[nn.Module] | None:
    """The kind of all judged maps, which results are about; None for others and for several."""
    kinds = {stage.call.kind for stage in watched.stages}
    for kind in (nn.Linear, nn.Conv2d):
        if kinds == {kind.__name__}:
            flat = kind is not nn.Linear or all(s.features.ndim == 2 for s in watched.stages)
            return kind if flat else None
    return None


def _of_relu(watched: Watched) -> bool:
    """Whether all judged layers have maps of their own, and the same happens after each of these:
    ReLU, and before it batch normalisation or nothing. What comes after the last may differ.
    """
    kinds = [stage.actions for stage in watched.stages]
    kind = kinds[0]
    own = len({id(stage.call.module) for stage in watched.stages}) == len(kinds)
    plain = kind == ("relu",) or (len(kind) == 2 and kind[0].lower().startswith("batchnorm"))
    return (
        own
        and plain
        and kind[-1] == "relu"
        and kinds[-1][: len(kind)] == kind
        and all(other == kind for other in kinds[:-1])
    )


def _shrinking(watched: Watched) -> str:
    """What gradients do, in words, where they were measured and do not stay as they are."""
    seen = watched.gradients
    if isinstance(seen, str) or not math.isfinite(seen.rate) or abs(math.log(seen.rate)) < 0.02:
        return ""
    return f": gradients {'shrink' if seen.rate < 1 else 'grow'} by {seen.rate:.2g} a layer"


def _scale(watched: Watched) -> float:
    """The largest σ_w of a map: √inputs times the root mean square of its weights."""
    weights = [stage.call.weight for stage in watched.stages]
    kept = [item.double() for item in weights if item is not None]
    return max(
        (math.sqrt(item[0].numel() * float(item.square().mean())) for item in kept),
        default=math.inf,
    )


def _uncentred(watched: Watched) -> bool:
    """Whether the weights of most maps have a mean that is not 0, beyond chance."""
    weights = [stage.call.weight for stage in watched.stages]
    kept = [item.double() for item in weights if item is not None and item.numel() > 1]
    off = [
        abs(float(item.mean())) > _OFF * float(item.std()) / math.sqrt(item.numel())
        for item in kept
    ]
    return sum(off) > len(off) / 2
