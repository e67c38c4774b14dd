"""Attention: tokens of a sample that become alike, and a softmax that picks one of them.

Tokens are columns as samples are elsewhere. Those of a sample are *collapsed* where their effective
rank is below √r* and their mean |cos| above cos(½ arccos κ), the yardsticks of `condition` for as
many samples: nearer to one common line than to the fixed point, by both. A network's tokens are
where at least three quarters of its samples' are so where they leave the last block, and fewer than
a quarter where they came in.

A row of attention is *saturated* where one token has more than 0.99 of it: what its scores receive
of any gradient is at most 1 % then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from theorems.inspection.condition import Floats, collinear
from theorems.inspection.dataflow import Node, upstream
from theorems.inspection.forward_pass import Passage

__all__ = ["PICKED", "Tokens", "picked", "soft_choices", "tokens_of"]

PICKED = 0.99
"""Of a row of attention, above which it is saturated."""
_MANY = 0.75  # of the samples
_SAMPLES = 32  # of which tokens are compared, at most
_FEWEST = 3  # tokens
_SOFT = frozenset({"_softmax", "_safe_softmax"})
_FUSED = "_scaled_dot_product"


@dataclass(frozen=True)
class Tokens:
    """Of the tokens within a sample, in the mean over samples: |cos| of two, where they come in and
    where they leave, and the share of samples whose tokens are collapsed there, in the end beyond
    what can be learned from.

    ``tokens`` is how many a sample has, ``width`` their dimension.
    """

    tokens: int
    width: int
    cosine_before: float
    cosine_after: float
    collapsed_before: float
    collapsed_after: float

    @property
    def collapsed(self) -> bool:
        """Whether the network makes them so."""
        return self.collapsed_after >= _MANY and self.collapsed_before < 1 - _MANY

    @property
    def sentence(self) -> str:
        """In words.

        >>> Tokens(8, 16, 0.2, 0.998, 0.0, 1.0).sentence
        'tokens of a sample have a mean |cos| of 0.998 in the end, 0.2 at first'
        """
        return (
            f"tokens of a sample have a mean |cos| of {self.cosine_after:.3g} in the end, "
            f"{self.cosine_before:.3g} at first"
        )


def tokens_of(passage: Passage, heads: Sequence[Node]) -> Tokens | None:
    """The tokens of a network with attention, where they come in and where they leave it; None
    without attention, and where tokens are not along one axis.

    Args:
        passage: forward.
        heads: what the maps to the outputs receive; tokens are looked at no later.

    Cost: O(T² d) for each of at most 32 samples with T tokens of dimension d.
    """
    nodes = upstream(passage.outputs)
    calls = [call for call in passage.calls if isinstance(call.module, nn.MultiheadAttention)]
    if passage.unfollowed is not None or not (calls or any(map(_attends, nodes))):
        return None
    n = len(passage.batch)
    shapes = {call.gave.shape[1:] for call in (*passage.places, *calls) if call.gave.ndim == 3}
    last = max((node.order for node in heads), default=None)
    found = sorted(
        (
            node
            for node in nodes
            if node.fed
            and node.value.ndim == 3
            and node.value.shape[0] == n
            and node.value.shape[1:] in shapes
            and node.value.is_floating_point()
            and (last is None or node.order <= last)
        ),
        key=lambda node: node.order,
    )
    if not found or found[-1].value.shape[1] < _FEWEST:
        return None
    after = found[-1]
    before = next(node for node in found if node.value.shape == after.value.shape)
    cosine, collapsed, _ = _alike(before.seen)
    cosine_after, _, lost = _alike(after.seen)
    _, tokens, width = after.value.shape
    return Tokens(tokens, width, cosine, cosine_after, collapsed, lost)


def _attends(node: Node) -> bool:
    """Whether it is made by attention: probabilities of tokens, or of a fused product."""
    return (node.kind in _SOFT and node.value.ndim >= 3) or node.kind.startswith(_FUSED)


def _alike(values: Tensor) -> tuple[float, float, float]:
    """Mean |cos| of two tokens of a sample, and the shares of samples whose tokens are collapsed,
    and of those that leave too little to learn from.
    """
    seen = np.array([collinear(_columns(sample)) for sample in values[:_SAMPLES]], dtype=float)
    cosine, collapsed, lost = seen.mean(axis=0)
    return float(cosine), float(collapsed), float(lost)


def _columns(sample: Tensor) -> Floats:
    return np.ascontiguousarray(sample.double().cpu().numpy().T)


def soft_choices(passage: Passage) -> list[tuple[str, float]]:
    """The share of saturated rows of each softmax of tokens in the network's own code, by a name.

    Example:
        >>> from theorems.inspection.forward_pass import watch
        >>> class Own(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.q = nn.Linear(4, 4)
        ...     def forward(self, x):
        ...         return torch.softmax(100 * x @ x.mT, dim=-1) @ self.q(x)
        >>> soft_choices(watch(Own(), torch.eye(4).expand(3, 4, 4), "batch"))
        [('softmax 1', 1.0)]
    """
    nodes = sorted(
        (node for node in upstream(passage.outputs) if node.fed and _attends(node)),
        key=lambda node: node.order,
    )
    found: list[tuple[str, float]] = []
    for node in nodes:
        weights = node.seen
        if node.kind.startswith(_FUSED):
            fused = [item.seen for item in node.made_from if item.fed]
            if len(fused) < 2 or fused[0].ndim != 4 or fused[0].shape[-1] != fused[1].shape[-1]:
                continue
            q, k = fused[:2]
            weights = torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, dim=-1)
        found.append((f"softmax {len(found) + 1}", picked(weights)))
    return found


def picked(weights: Tensor) -> float:
    """Share of the rows along the last axis, of those that choose among several, of which one entry
    has more than `PICKED`; 0 without such rows.

    >>> picked(torch.tensor([[1.0, 0.0], [0.5, 0.5]])), picked(torch.ones(3, 1))
    (0.5, 0.0)
    """
    if weights.shape[-1] < 2:
        return 0.0
    return float((weights.amax(dim=-1) > PICKED).double().mean())
