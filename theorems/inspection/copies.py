"""Parameters that are equal at the start though they are of different modules: copies of one layer,
as ``nn.TransformerEncoder`` makes them, are no independent draws.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["Group", "copies", "in_words"]

#: Names of parameters with equal entries, in the order of the module's.
Group = tuple[str, ...]

_SHOWN = 3


def copies(module: nn.Module) -> tuple[Group, ...]:
    """The groups of weights with equal entries, which no random draw has twice.

    Args:
        module: of whose parameters those of two axes or more are compared, each once; what is one
            number throughout, as scales of a normalisation are, is left out.

    Cost: a sum of each parameter, and a comparison of those whose sums agree.

    Example:
        >>> inner = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
        >>> encoder = nn.TransformerEncoder(inner, 2, enable_nested_tensor=False)
        >>> copies(encoder)[-1]
        ('layers.0.linear2.weight', 'layers.1.linear2.weight')
    """
    alike: dict[tuple[object, ...], list[list[tuple[str, Tensor]]]] = {}
    for name, item in module.named_parameters():
        weight = item.detach()
        if weight.ndim < 2 or not weight.numel() or bool((weight == weight.flatten()[0]).all()):
            continue
        key = (weight.shape, weight.dtype, weight.device, complex(weight.sum()))
        groups = alike.setdefault(key, [])
        own = next((group for group in groups if torch.equal(group[0][1], weight)), None)
        if own is None:
            groups.append([(name, weight)])
        else:
            own.append((name, weight))
    return tuple(
        tuple(name for name, _ in group)
        for groups in alike.values()
        for group in groups
        if len(group) > 1
    )


def in_words(groups: Sequence[Group]) -> str:
    """Which weights are equal, by the modules that hold them, and what to do; empty for none.

    >>> in_words([("a.0.in.weight", "a.1.in.weight"), ("a.0.out.weight", "a.1.out.weight")])
    "weights of 'a.1' are equal to those of 'a.0' at the start; copies are no independent draws: \
draw each anew"
    """
    held = list(dict.fromkeys(map(_holders, groups)))
    told = []
    for first, *others in held[:_SHOWN]:
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        names = ", ".join(map(repr, others[:_SHOWN])) + more
        told.append(f"weights of {names} are equal to those of {first!r} at the start")
    if len(held) > _SHOWN:
        told.append(f"and {len(held) - _SHOWN} more such")
    return f"{'; '.join(told)}; copies are no independent draws: draw each anew" if told else ""


def _holders(group: Group) -> Group:
    """The names without the components at the end that are common to all, but for the first."""
    parts = [name.split(".") for name in group]
    common = 0
    shortest = min(map(len, parts))
    while common < shortest - 1 and len({name[-1 - common] for name in parts}) == 1:
        common += 1
    return tuple(".".join(name[: len(name) - common]) for name in parts)
