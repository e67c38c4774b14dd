"""Names for claims that have none of their own: claims given as text are told apart by what they say."""

from __future__ import annotations

import hashlib

from theorems.workbench.conjecture import Conjecture
from theorems.workbench.parsing import Relation

__all__ = ["name_of"]


def name_of(claim: Conjecture) -> str:
    """``claim_`` and eight hexadecimal digits, of everything that is claimed, as it was read.

    Spaces and the order of assumptions make no difference, nor do sentinel and expected verdict, which claim nothing.
    """
    parts = [
        claim.quantifier.value,
        claim.over if claim.chain is None else claim.chain.name,
        _told(claim.relation),
        *(f"{x.symbol} in {x.set}" for x in claim.space.domains),
        *(f"{name} = {value}" for name, value in sorted(claim.declaration.constants.items())),
        *sorted(str(a.relation) for a in claim.assumptions),
    ]
    conditions = [*claim.relation.conditions, *(c for a in claim.assumptions for c in a.conditions)]
    parts += sorted(f"defined where {c.relation}" for c in conditions)
    if claim.event is not None:
        parts.append(f"event {_told(claim.event)}")
    if claim.quantity is not None:
        parts.append(f"about {claim.quantity.name}")
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return f"claim_{digest[:8]}"


def _told(relation: Relation) -> str:
    return f"{relation.lhs} {relation.relation} {relation.rhs}"
