"""Which bounds are worth showing: the best ones first, none that better ones imply.

The heuristic is Fajtlowicz's, of his program Graffiti ("Dalmatian"), which TxGraffiti uses as well:
a bound is kept if at some input it says more than every better one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from theorems.workbench.discovery.bounds import Bound
from theorems.workbench.discovery.question import Question

__all__ = ["identities_joined", "ranked", "says_more"]

#: A bound says more where it is nearer by this, relatively.
_NEARER = 0.02


def identities_joined(bounds: Sequence[Bound], question: Question) -> list[Bound]:
    """The bounds, with an equality in the place of two that bound a quantity from both sides by
    the same form, which is the extreme itself on either.

    Args:
        bounds: in any order.
        question: what was asked.
    """
    exact = [bound for bound in bounds if bound.exact]
    lower = {(each.comparison, each.form) for each in exact if each.relation == ">="}
    upper = [each for each in exact if each.relation == "<="]
    both = {(each.comparison, each.form) for each in upper} & lower
    found = [each for each in bounds if not each.exact or (each.comparison, each.form) not in both]
    for bound in upper:
        if (bound.comparison, bound.form) in both:
            claim = bound.comparison.claim(question, "==", bound.form)
            found.append(replace(bound, claim=claim, relation="=="))
    return found


def ranked(bounds: Sequence[Bound]) -> list[Bound]:
    """The bounds, best first: by how often and how nearly they touch, less what they weigh.

    Args:
        bounds: in any order; equals are ordered by their texts.
    """
    return sorted(bounds, key=lambda bound: (-round(bound.score, 9), bound.weight, bound.claim))


def says_more(bound: Bound, better: Sequence[Bound]) -> bool:
    """Whether a bound is nearer at some input than each of those that are better.

    Args:
        bound: one that may be kept.
        better: those kept before it, of any quantity and either direction.
    """
    rivals = [
        each
        for each in better
        if each.comparison.of == bound.comparison.of and each.relation in (bound.relation, "==")
    ]
    if not rivals:
        return True
    sign = -1.0 if bound.relation == ">=" else 1.0
    # where a rival says nothing it is infinitely far
    theirs = [
        np.where(np.isnan(each.logarithms), np.inf, sign * each.logarithms) for each in rivals
    ]
    ours = np.where(np.isnan(bound.logarithms), np.inf, sign * bound.logarithms)
    nearest = np.min(theirs, axis=0)
    with np.errstate(invalid="ignore"):
        return bool((ours < nearest - _NEARER).any())
