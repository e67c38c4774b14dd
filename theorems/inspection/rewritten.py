"""Networks that a tool has rewritten, exported, compiled or quantised, and what to give instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from simulators.arguments import kind_of

__all__ = ["COMPILED", "holding_quantised", "of_a_graph", "to_give_instead"]

COMPILED = (
    "is compiled by torch.jit, and what it does inside is not watched; inspect the network before "
    "torch.jit"
)


def to_give_instead(value: object) -> str:
    """What a thing is that is no module, and what is wanted.

    >>> to_give_instead(nn.Linear), to_give_instead({"weight": torch.zeros(2, 2)})
    ('is the class Linear; give an instance, as Linear(...) may be', 'is a dict of weights; load \
them with load_state_dict into the network, and give that')
    """
    if isinstance(value, torch.export.ExportedProgram):
        return "is an ExportedProgram; give the torch.nn.Module from before torch.export"
    if isinstance(value, type) and issubclass(value, nn.Module):
        name = value.__name__
        return f"is the class {name}; give an instance, as {name}(...) may be"
    items = tuple(value.values()) if isinstance(value, Mapping) else ()
    if items and all(isinstance(item, Tensor) for item in items):
        return (
            f"is {kind_of(value)} of weights; load them with load_state_dict into the network, and "
            "give that"
        )
    return f"is {kind_of(value)}; give a torch.nn.Module"


def of_a_graph(module: nn.Module) -> set[str]:
    """The names of modules that only hold the parameters of an exported graph, which does not call
    them.

    >>> class Squared(nn.Module):
    ...     def forward(self, x):
    ...         return x.square()
    >>> of_a_graph(torch.fx.symbolic_trace(Squared()))
    set()
    """
    found = set()
    for name, part in module.named_modules():
        if not isinstance(part, torch.fx.GraphModule):
            continue
        called = {node.target for node in part.graph.nodes if node.op == "call_module"}
        start = f"{name}." if name else ""
        found |= {
            start + inner
            for inner, _ in part.named_modules()
            if inner and not any(inner == each or inner.startswith(f"{each}.") for each in called)
        }
    return found


def holding_quantised(module: nn.Module) -> Iterator[tuple[str, nn.Module, int]]:
    """Modules whose weights are quantised, which are no parameters then: name, module, entries.

    >>> list(holding_quantised(nn.Linear(2, 2)))
    []
    """
    for name, part in module.named_modules():
        if "quantized" not in type(part).__module__:
            continue  # not to be asked for its weight, as a spectral norm moves on when it is
        if not callable(weight := getattr(part, "weight", None)):
            continue
        bias = getattr(part, "bias", None)
        held = [weight(), bias() if callable(bias) else bias]
        yield name, part, sum(item.numel() for item in held if isinstance(item, Tensor))
