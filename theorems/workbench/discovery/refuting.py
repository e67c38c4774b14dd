"""Every bound is attacked by what attacks a user's claims: corners, z3, ascent, evolution,
Hypothesis, independent draws, simulations. What falls is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from theorems.statement import ClaimError, Verdict
from theorems.verification import verify_each
from theorems.workbench.conjecture import Conjecture, conjecture
from theorems.workbench.discovery.bounds import Bound, Fallen

__all__ = ["attacked", "stated_claim"]


def stated_claim(claim: str, options: Mapping[str, object], name: str) -> Conjecture:
    """A claim of a discovery, as its author could have stated it.

    Args:
        claim: its text.
        options: what `theorems.conjecture` takes beside it.
        name: letters, digits and _.

    Raises:
        ClaimError: as `theorems.conjecture`.

    Example:
        >>> options = {"over": "parameters", "k": "1..9"}
        >>> stated_claim("k <= k**2", options, "squares").quantifier.value
        'pointwise'
    """
    given: dict[str, Any] = dict(options)
    found: Conjecture = conjecture(claim, name=name, **given)
    return found


def attacked(bound: Bound, options: Mapping[str, object], *, seed: int) -> Bound | Fallen:
    """Try to refute a bound.

    Args:
        bound: that nothing measured refutes.
        options: how its claim is stated.
        seed: of the attack.

    Returns:
        The bound with its verdict and what was tried in vain; or what became of it: refuted with
        the witness, said by the range of the quantity alone, or without a value.

    Cost: that of ``theorems verify`` of one claim.
    """
    try:
        statement = stated_claim(bound.claim, options, "bound").statement()
        result = next(iter(verify_each([statement], seed=seed)))
    except ClaimError as error:
        return Fallen(bound.claim, str(error).removeprefix("bound: "))
    if result.verdict in (Verdict.REFUTED, Verdict.OUTSIDE, Verdict.VACUOUS):
        against = next(e for e in result.evidence if e.verdict is result.verdict)
        return Fallen(bound.claim, against.summary)
    tried = "; ".join(e.summary.removeprefix("no counterexample: ") for e in result.evidence)
    return replace(bound, verdict=result.verdict, tried=tried)
