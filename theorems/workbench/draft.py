"""A stated claim as a `Statement`, every symbol of it with a domain or a meaning."""

from __future__ import annotations

import sympy as sp

from theorems.definedness import Condition, distinct
from theorems.statement import Quantifier, Sentinel, Source, Statement, Variable, Verdict
from theorems.workbench.declaration import PROBABILITY, SLOPE
from theorems.workbench.exact_values import LAMBDA
from theorems.workbench.gradients import gradient_words
from theorems.workbench.measured_side import StatedClaim
from theorems.workbench.quantities import ALIVE, ENTRIES, Quantity, quantity
from theorems.workbench.spaces import Space
from theorems.workbench.tangents import tangent_words

__all__ = ["draft_of"]

_MEANINGS = {"n": "batch size", "d": "width", "ell": "layer"}


def draft_of(
    claim: StatedClaim,
    space: Space,
    ranged: Quantity | None,
    *,
    family: str,
    name: str,
    title: str,
    place: str,
    expected: Verdict,
) -> Statement:
    """The claim as a statement, with a sentinel that only holds the place and no check.

    Args:
        claim: with its assumptions.
        space: what it ranges over.
        ranged: the quantity that is compared with a bound, in the range that the chain leaves it;
            None where anything else is.
        family: the first part of the statement's name.
        name: the second part: letters, digits and _; "claim" where it is empty.
        title: one line for people.
        place: where it was stated, for its source.
        expected: the verdict that its author expects.

    Returns:
        The statement.

    Example:
        >>> from theorems import conjecture
        >>> draft = conjecture("x**2 >= x", over="parameters", x="[1, 2]", name="grows").draft
        >>> str(draft.claim), [str(each.symbol) for each in draft.variables], draft.checks
        ('x**2 >= x', ['x'], ())
    """
    relation, left = claim.relation, _left(claim)
    return Statement(
        family=family,
        theorem=name or "claim",
        title=title,
        quantifier=claim.subject.quantifier,
        source=Source("conjecture", place),
        variables=_variables(claim, space),
        lhs=left,
        relation=relation.relation,
        rhs=relation.rhs,
        assumptions=claim.assumptions,
        definitions=_definitions(claim, space),
        chain=", other ".join(each.name for each in claim.subject.chains) or None,
        observables=_observed(claim),
        ceiling=_ceiling(claim, space, ranged),
        sentinel=Sentinel("not yet measured", lhs=left + 1, rhs=relation.rhs + 2),
        expected=expected,
        checks=(),
        defined=_conditions(claim, space),
    )


def _left(claim: StatedClaim) -> sp.Expr:
    """The measured side as it is printed: a mean is a symbol of its own."""
    if claim.estimand is not None and claim.quantity is not None:
        return sp.Symbol(f"E_{claim.quantity.name}", **claim.quantity.symbol.assumptions0)
    return claim.relation.lhs


def _conditions(claim: StatedClaim, space: Space) -> tuple[Condition, ...]:
    """Where the sides have a value: as was read, and as quantities of a matrix want it."""
    over = claim.subject.over
    asked = over == "matrices" and all(a.relation != ALIVE for a in claim.assumptions)
    wanted = [q.wants for q in space.measured if q.wants is not None and asked]
    return distinct([*wanted, *claim.relation.conditions])


def _variables(claim: StatedClaim, space: Space) -> tuple[Variable, ...]:
    """Every symbol with its domain, and the families that the sides name."""
    found = [Variable(x.symbol, x.set, _MEANINGS.get(x.name, "parameter")) for x in space.domains]
    conditions = (c.relation for c in _conditions(claim, space))
    sides = [claim.relation.lhs, claim.relation.rhs, *conditions]
    families = set().union(*(side.atoms(sp.IndexedBase) for side in sides))
    size, wide = (claim.declaration.names.get(name) for name in ("n", "d"))
    if LAMBDA in families:
        meaning = "eigenvalues of C/‖H‖², descending"
        found.append(Variable(LAMBDA, sp.Interval(0, 1), meaning, size=(size,)))
    if ENTRIES in families:
        found.append(Variable(ENTRIES, sp.Reals, "entries of H", size=(wide, size)))
    return tuple(found)


def _definitions(claim: StatedClaim, space: Space) -> dict[sp.Symbol, sp.Expr | str]:
    """What every other symbol stands for."""
    subject = claim.subject
    place = "layer ell" if subject.over == "paths" else "H"
    found: dict[sp.Symbol, sp.Expr | str] = {
        q.symbol: f"{q.meaning} of {place}" for q in space.measured
    }
    found |= {c.symbol: c.meaning for c in space.computed}
    found |= {q.at_start: f"{q.meaning} of the start" for q in space.started}
    given = "at layer ell, given the start"
    if subject.backward is not None:
        given += f" and a gradient there that is {gradient_words(subject.backward)}"
    if subject.tangents is not None:
        given += f" and a tangent at the start that is {tangent_words(subject.tangents)}"
    if claim.of_paths_alive:
        given += ", over paths that are alive"
        found[ALIVE.lhs] = f"{quantity('alive').meaning}, at a layer"
    if claim.estimand is not None and claim.quantity is not None:
        found[_left(claim)] = f"E[{claim.quantity.name}] {given}"
    elif claim.event is not None:
        found[PROBABILITY] = f"P[{claim.event}] {given}"
    elif claim.estimand is not None:
        found |= {s.symbol: f"{s.meaning} {given}" for s in claim.estimand.statistics}
    elif subject.quantifier is Quantifier.LIMIT and claim.quantity is not None:
        found[SLOPE] = (
            f"slope of log E[{claim.quantity.name}] against log d, over the widths in the domain"
        )
    for assumption in claim.assumptions:
        if assumption.along == "law":
            moment = claim.moments[assumption.words]
            found[assumption.relation.lhs] = f"the {moment.kind} of {moment.of} {given}"
    return found


def _ceiling(claim: StatedClaim, space: Space, ranged: Quantity | None) -> sp.Expr | None:
    """Where an upper bound says nothing."""
    limit = claim.subject.quantifier is Quantifier.LIMIT
    if claim.relation.relation not in ("<=", "<") or limit:
        return None
    if claim.estimand is not None and claim.quantity is None:
        return sp.S.One if claim.event is not None else None
    return ranged.range_in({x.name for x in space.domains})[1] if ranged else None


def _observed(claim: StatedClaim) -> tuple[str, ...]:
    if claim.quantity is not None:
        return (claim.quantity.name,)
    if claim.estimand is None or claim.event is not None:
        return ()
    return tuple(q.name for q in claim.declaration.used(*claim.read)[0])
