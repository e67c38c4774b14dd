"""What a stated claim is checked on: the space of its inputs, and the design of what is sampled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain as chained

import hypothesis
import sympy as sp
from hypothesis.strategies import SearchStrategy

from simulators.chains import NamedChain
from simulators.engines.mean_field import GramMap
from simulators.shared_weights import weights_apart
from theorems.checking.drawn_networks import OTHER
from theorems.statement import Statement
from theorems.workbench.design import Design
from theorems.workbench.domains import Domain
from theorems.workbench.estimands import Estimand, Statistic
from theorems.workbench.exact_values import LAMBDA
from theorems.workbench.examination import (
    require_chain_parameters,
    require_effects,
    require_working_assumptions,
)
from theorems.workbench.gradients import given_gradient
from theorems.workbench.gram_paths import followed
from theorems.workbench.measured_side import StatedClaim
from theorems.workbench.parsing import ClaimError, refuse
from theorems.workbench.quantities import ENTRIES, Quantity, quantity
from theorems.workbench.spaces import Space
from theorems.workbench.subject import Subject
from theorems.workbench.tangents import given_tangent

__all__ = ["design_of", "require_all_declared_used", "require_several", "space_of"]

#: For one network of a sampled claim, of which a hundred or more are drawn: a core's minute or so.
MOST_OPERATIONS = 10**12


def space_of(claim: StatedClaim, draw: SearchStrategy[object] | None = None) -> Space:
    """What the claim ranges over: inputs, or the starts of a chain.

    Args:
        claim: with its assumptions.
        draw: a Hypothesis strategy of dicts, one exact value per symbol, in the place of the usual
            draws. Only for a claim about every input.

    Returns:
        The space.

    Raises:
        ClaimError: for a start where there is no chain, for eigenvalues and entries of what has
            none, and for a strategy that draws no inputs of the claim.

    Cost: one draw, where ``draw`` is given.

    Example:
        >>> from theorems import conjecture
        >>> conjecture("x**2 >= x", over="parameters", x="[1, 2]").space.names
        {'x'}
    """
    subject, declaration = claim.subject, claim.declaration
    conditions = chained(claim.relation.conditions, *(a.conditions for a in claim.assumptions))
    sides = [claim.relation.lhs, claim.relation.rhs]
    sides += [a.relation for a in claim.assumptions] + [c.relation for c in conditions]
    if claim.sentinel is not None:
        sides.append(claim.sentinel)
    measured, started = declaration.used(*sides, *claim.read)
    families = set().union(*(side.atoms(sp.IndexedBase) for side in sides))
    stray = next((family for family in (LAMBDA, ENTRIES) if family in families), None)
    refuse(
        (
            bool(started) and subject.chain is None,
            f"{started and started[0].name}_0 is a quantity of a chain's start, and there is "
            "no chain",
        ),
        (
            subject.over == "parameters" and stray is not None,
            f"{stray} belongs to over='spectra' or over='matrices'",
        ),
        (
            subject.sampled and draw is not None,
            "draw= is for claims about every input; starts of a chain are restricted by assume=",
        ),
    )
    layers = _layers(subject, measured)
    whole = layers is not None or any(q.of_spectrum is None for q in started)
    if not subject.sampled:
        found = Space(
            subject.over,
            declaration.domains,
            measured,
            started,
            declaration.computed,
            draw,
            whole,
            layers,
        )
        if draw is not None:
            _require_draws(found, draw)
        return found
    asked = measured if claim.quantity is None else (*measured, claim.quantity)
    for example in (each.example for each in subject.chains):
        whole = whole or example.sees_rows or not example.turns_with_samples
    whole = whole or any(q.of_spectrum is None for q in asked)
    return Space("spectra", declaration.domains, (), started, whole=whole)


def _layers(subject: Subject, measured: Sequence[Quantity]) -> GramMap | None:
    """The map that paths at infinite width follow, where spectra alone do not tell."""
    if subject.chain is None or subject.over != "paths":
        return None
    spectral = subject.chain.mean_field and all(q.of_spectrum is not None for q in measured)
    return None if spectral else followed(subject.chain)


def _require_draws(space: Space, draw: SearchStrategy[object]) -> None:
    """Look at one draw before anything runs."""
    refuse((not isinstance(draw, SearchStrategy), f"draw={draw!r} is no Hypothesis strategy"))
    quiet = hypothesis.settings(
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.find(space.authored(draw), lambda _: True, settings=quiet)


def design_of(claim: StatedClaim, space: Space) -> Design:
    """Starts, sizes and readings of a claim about random weights.

    Args:
        claim: with its assumptions, about what is sampled.
        space: that of its starts, as `space_of` gives it.

    Returns:
        The design; nothing is simulated.

    Raises:
        ClaimError: for networks too large to be drawn, two chains that cannot have the same
            weights, or are one, gradients or tangents that do not fit, and slopes over less than
            two values.

    Example:
        >>> from theorems import conjecture
        >>> claim = conjecture("orthogonality_gap <= 1/2", chain="rescale", n=2, d=64, ell=4)
        >>> [observable.name for observable in claim.design.observables]
        ['orthogonality_gap']
    """
    subject = claim.subject
    used: tuple[Quantity, ...] = () if claim.quantity is None else (claim.quantity,)
    estimand = claim.estimand
    if estimand is None:  # of an exponent, which is that of a mean
        estimand = Estimand.of(Statistic("mean", used[0].symbol))
    elif claim.quantity is None:
        used, _ = claim.declaration.used(*claim.read)
    if subject.chain is None or not used:
        raise ClaimError(
            "the event names no quantity of layer ell; write event='effective_rank >= 2'"
        )
    _require_drawable(claim.declaration.domains)
    if claim.of_paths_alive:
        names = ("alive",) if subject.other is None else ("alive", f"{OTHER}alive")
        living = next((q.name for q in used if q.name in names), None)
        refuse((living is not None, f"{living} is 1 where assume='alive' holds; write 1 for it"))
        used = (*used, *map(quantity, names))
    if subject.other is not None:
        _require_same_weights(subject.chain, subject.other)
    backward = subject.backward
    if backward is not None:
        backward = given_gradient(backward, space.domain("d"), space.domain("n"))
    tangents = subject.tangents
    if tangents is not None:
        tangents = given_tangent(tangents, space.domain("d"), space.domain("n"))
    design = Design(
        subject.chain,
        space,
        claim.quantity,
        estimand,
        tuple(replace(q.observable, name=q.name) for q in used),
        settings=claim.declaration.constants,
        backward=backward,
        tangents=tangents,
        other=subject.other,
    )
    if estimand.spans:
        _require_side_by_side(design)
    layers = design.layers({"ell": design.deepest})
    refuse(
        (
            estimand.along and len(layers) < 2,
            f"{estimand} is a slope over layers, and ell has only {layers[0]}: declare some, "
            "as in ell='8..32'",
        )
    )
    return design


def _require_drawable(domains: Sequence[Domain]) -> None:
    """Raise `ClaimError` if one network of the smallest sizes is too much to draw."""
    least = {x.name: int(x.ends({})[0]) for x in domains if x.name in ("n", "d", "ell")}
    operations = max(least["d"], least["n"]) * least["n"] ** 2 * least["ell"]
    if operations > MOST_OPERATIONS:
        sizes = ", ".join(f"{name} ≥ {value}" for name, value in least.items())
        raise ClaimError(
            f"{sizes}: one network takes {operations:.2g} operations, and at most "
            f"{MOST_OPERATIONS:.0e} are spent on each of many; declare smaller sizes"
        )


def _require_same_weights(chain: NamedChain, other: NamedChain) -> None:
    """Raise `ClaimError` for two chains that draw other weights, and for one with itself."""
    width = max(4, chain.least, other.least)
    values = [dict.fromkeys((*chain.numbers, *other.numbers), x) for x in (0.25, 0.5)]
    numbers = values[-1]
    refuse(
        (
            all(chain(width, each) == other(width, each) for each in values),
            f"other={other.name!r} is the chain itself, on the same weights: both are equal in "
            "every network; give another chain",
        )
    )
    apart = weights_apart(chain(width, numbers), other(width, numbers), width)
    refuse(
        (
            apart is not None,
            f"the chains {chain.name} and {other.name} cannot have the same weights: {apart}",
        )
    )


def _require_side_by_side(design: Design) -> None:
    """Refuse a slope over a range that has no geometric sequence."""
    over = design.estimand.over
    if over is None:
        return
    low, high = design.space.domain(over).ends({})
    refuse(
        (
            not 0 < low < high < math.inf,
            f"{design.estimand}: a slope needs several values of {over}, above 0 and with an "
            f"end; it has {low} to {high}",
        )
    )


def require_several(design: Design, statement: Statement) -> None:
    """Refuse a slope over one value, or a bracket of one start, where assumptions leave one.

    Args:
        design: what the claim is sampled on.
        statement: the claim, with its assumptions.

    Raises:
        ClaimError: where networks are read side by side, and nowhere on the lay-out are there two.

    Example:
        >>> from theorems import conjecture
        >>> conjecture("abs(exponent(orthogonality_gap, d) + 1) <= 1/2", chain="rescale", n=2,
        ...            d="64..256", ell=4, assume="d <= 64", name="claim")
        Traceback (most recent call last):
        theorems.statement.ClaimError: claim: ... takes several values of d, and ...
    """
    if not design.estimand.spans:
        return
    over = design.estimand.over
    what = "starts" if over is None else f"values of {over}"
    groups = design.groups(statement, design.items(statement))
    refuse(
        (
            not any(len(group) > 1 for group in groups),
            f"{design.estimand} takes several {what}, and the domain and the assumptions leave one",
        )
    )


def require_all_declared_used(
    claim: StatedClaim,
    space: Space,
    symbols: Mapping[str, object],
    written: Sequence[object],
) -> None:
    """Refuse what was declared or assumed and does nothing.

    Args:
        claim: with its assumptions.
        space: what it ranges over.
        symbols: domains as the author wrote them, by name.
        written: claim, event and assumptions as the author wrote them.

    Raises:
        ClaimError: for a symbol, a computed quantity, an assumption or a parameter of a chain on
            which nothing depends.

    Example:
        >>> from theorems import conjecture
        >>> conjecture("x**2 >= x", over="parameters", x="[1, 2]", assume="x >= 0", name="claim")
        Traceback (most recent call last):
        theorems.statement.ClaimError: claim: the assumption x >= 0 has no effect: ...
    """
    relations = [claim.relation, *(a.relation for a in claim.assumptions)]
    if claim.event is not None:
        relations.append(claim.event)
    sides = list(chained.from_iterable((r.lhs, r.rhs) for r in relations))
    sides += claim.read
    require_effects(claim.declaration, symbols, sides, written, _taken(claim.subject, space))
    quantities = {q.symbol: q for q in space.measured}
    quantities |= {q.at_start: q for q in space.started}
    require_working_assumptions(claim.assumptions, space.domains, quantities)
    for each in claim.subject.chains:
        require_chain_parameters(each, space.domains)


def _taken(subject: Subject, space: Space) -> set[str]:
    """Symbols that the chain, or the object the claim is about, cannot do without."""
    if subject.over == "paths":
        return {"n", "ell"}
    if subject.chain is not None:
        return {"n", "d", "ell", *chained.from_iterable(c.numbers for c in subject.chains)}
    if subject.over == "parameters":
        return set()
    wide = subject.over == "matrices" or any(q.wide for q in space.measured)
    return {"n", "d"} if wide else {"n"}
