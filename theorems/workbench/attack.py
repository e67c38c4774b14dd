"""How a stated claim is attacked: the check that decides it, and who searches against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import hypothesis

from theorems.checking.expectation import Expectation
from theorems.checking.pointwise import Pointwise
from theorems.checking.search import Adversary
from theorems.statement import Check, Quantifier, Statement
from theorems.workbench.adversaries import MeanAdversary, exact_adversary
from theorems.workbench.carried_readings import with_carried_means
from theorems.workbench.declaration import SLOPE
from theorems.workbench.design import Design, exponent_check, sampling_check
from theorems.workbench.everywhere import Everywhere
from theorems.workbench.measured_side import StatedClaim
from theorems.workbench.spaces import Item, Space

__all__ = [
    "adversary_against_all",
    "adversary_against_mean",
    "check_of_all",
    "check_of_samples",
    "corners_of",
]


def corners_of(space: Space, tightest: Sequence[Item]) -> list[Item]:
    """The inputs that are tried first.

    Args:
        space: what a claim about every input ranges over.
        tightest: inputs at which floats say that the claim is tight.

    Returns:
        Its corners and those; those alone where an input takes long to decide.

    Example:
        >>> from theorems import conjecture
        >>> space = conjecture("x**2 >= x", over="parameters", x="[1, 2]").space
        >>> corners_of(space, [{"x": 1}])[-1]
        {'x': 1}
    """
    return [*(space.corners() if space.quick else ()), *tightest]


def check_of_all(space: Space, corners: Callable[[], list[Item]]) -> Check:
    """The check of a claim about every input.

    Args:
        space: what it ranges over.
        corners: the inputs that are tried first, as `corners_of` gives them.

    Returns:
        A check that goes through the whole domain where that can be done, and else draws inputs:
        as many as Hypothesis's ``max_examples`` says, twice, and fewer where each takes long.

    Example:
        >>> from theorems import conjecture
        >>> claim = conjecture("x**2 >= x", over="parameters", x="[1, 2]")
        >>> type(check_of_all(claim.space, claim.space.corners)).__name__
        'Everywhere'
    """
    most, slow = _most_examples(), space.over == "paths"
    attack = Pointwise(
        space.values,
        space.strategy,
        corners,
        examples=8 if slow else most,
        given=None if space.over == "parameters" else space.of_batch,
        walks=False,
    )
    return Everywhere(space, attack, min(2 * most, 40) if slow else 2 * most)


def _most_examples() -> int:
    return max(hypothesis.settings().max_examples, 1)


def adversary_against_all(space: Space, corners: Callable[[], list[Item]]) -> Adversary:
    """Who searches for an input against a claim about every one.

    Args:
        space: what it ranges over.
        corners: the inputs that are tried first, as `corners_of` gives them.

    Returns:
        An adversary that looks near a user's batch as well, where the claim is about matrices or
        spectra.

    Example:
        >>> from theorems import conjecture
        >>> claim = conjecture("x**2 >= x", over="parameters", x="[1, 2]")
        >>> adversary_against_all(claim.space, claim.space.corners).given is None
        True
    """
    given = None if space.over == "parameters" else partial(space.of_batch, nearby=True)
    return replace(exact_adversary(space, corners, _most_examples()), given=given)


def check_of_samples(
    claim: StatedClaim, statement: Statement, design: Design, resolution: float, open_words: str
) -> Check:
    """The check of a claim about random weights.

    Args:
        claim: as it is read.
        statement: its draft.
        design: what it is sampled on, with what its false neighbour compares.
        resolution: the half-width, relative to the bound, at which sampling stops; above 0.
        open_words: why the claim stays open where it does; empty if samples bound it on both sides.

    Returns:
        A check by confidence sequences; for an exponent of the width, by fits.

    Example:
        >>> from theorems import conjecture
        >>> claim = conjecture("orthogonality_gap <= 1/2", chain="rescale", n=2, d=64, ell=4)
        >>> [type(check).__name__ for check in claim.statement(falsify=False).checks]
        ['Expectation']
    """
    if claim.subject.quantifier is Quantifier.LIMIT:
        return exponent_check(design, SLOPE, statement)
    check = sampling_check(design, resolution)
    check = replace(check, assumed=", ".join(claim.moments), open_words=open_words)
    return with_carried_means(check, design, claim.relation.relation)


def adversary_against_mean(design: Design, check: Check) -> Adversary | None:
    """Who searches for a start and sizes against a claim about random weights.

    Args:
        design: what it is sampled on.
        check: that of the claim, which decides what is found.

    Returns:
        The adversary; None for an exponent and for what is read of several networks side by side,
        as one start, or one size, refutes nothing of several.

    Example:
        >>> from theorems import conjecture
        >>> claim = conjecture("orthogonality_gap <= 1/2", chain="rescale", n=2, d=64, ell=4)
        >>> check = claim.statement(falsify=False).checks[0]
        >>> type(adversary_against_mean(claim.design, check)).__name__
        'MeanAdversary'
    """
    if design.estimand.spans or not isinstance(check, Expectation):
        return None
    return MeanAdversary(design, check)
