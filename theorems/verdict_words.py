"""Tightness and power in words: what they mean depends on the claim and on its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from theorems.evidence import Verdict
from theorems.typesetting import number

__all__ = ["is_equality", "power_word", "summed", "tightness_sentence", "tightness_word"]

#: So near to 1 a tightness is that of a bound which is attained.
_ATTAINED = 1e-9
_EQUALITIES = ("==", "!=")


def is_equality(relation: str) -> bool:
    """Whether a claim of that relation has no better or worse constants.

    >>> is_equality("=="), is_equality("<=")
    (True, False)
    """
    return relation in _EQUALITIES


def tightness_word(value: float | None, relation: str, verdict: str) -> str:
    """The tightness in a column of numbers: a word where no tightness is meant.

    - ``relation``: of the claim, ``<=`` and the like; empty where it is not known
    - ``verdict``: of the statement

    >>> tightness_word(0.5, "<=", "proved"), tightness_word(1.0, "<=", "proved")
    ('0.5', 'attained')
    >>> tightness_word(1.5, "<=", "refuted"), tightness_word(1.015, "==", "supported")
    ('1.5 × bound', 'equality')
    """
    if value is None:
        return "–"
    if verdict == Verdict.REFUTED:
        return f"{number(value)} × bound" if value > 1 and not is_equality(relation) else "–"
    if is_equality(relation):
        return "equality"
    return "attained" if abs(value - 1) < _ATTAINED else number(value)


def tightness_sentence(
    value: float, relation: str, verdict: str, interval: tuple[float, float] | None = None
) -> str:
    """What a tightness means, in a sentence without its full stop.

    - ``relation``, ``verdict``: as in `tightness_word`
    - ``interval``: its confidence interval, where it was sampled

    >>> tightness_sentence(1.5, "<=", "refuted")
    '1.5: the bound is exceeded by that factor'
    """
    text = number(value)
    ends = ""
    if interval and interval[0] != interval[1]:
        ends = f"[{number(interval[0])}, {number(interval[1])}]"
    if is_equality(relation):
        if abs(value - 1) < _ATTAINED:
            return "an equality: the two sides agree"
        told = f" with confidence interval {ends}" if ends else ""
        return f"an equality: one side is {text} of the other where they differ most{told}"
    if verdict == Verdict.REFUTED:
        if value > 1:
            return f"{text}: the bound is exceeded by that factor"
        return f"{text}: the other inputs tried reach that share of the bound, and no more"
    if abs(value - 1) < _ATTAINED:
        return "1: attained, so that no smaller constant would do at this input"
    told = f", confidence interval {ends}" if ends else ""
    return f"{text}: the nearest that an input came to the bound{told}; 1 would attain it"


def summed(own: Sequence[float | None]) -> str:
    """What a run's error budget is the sum of, to follow it; empty where all verdicts share one.

    - ``own``: of each verdict its own level, or None where it shares that of the run

    >>> summed([1e-3, 1e-3]), summed([1e-3, None]), summed([None])
    (', 0.001 for each of 2 statements', ', with 0.001 for 1 statement', '')
    """
    counts = Counter(level for level in own if level is not None)
    told = [
        f"{level:g} for {f'each of {count} statements' if count > 1 else '1 statement'}"
        for level, count in counts.items()
    ]
    if not told:
        return ""
    return f", {'with ' * (None in own)}{' and '.join(told)}"


def power_word(value: float | None) -> str:
    """The power in a column of numbers: *exact* where any violation would have been seen.

    >>> power_word(0.0), power_word(0.0123), power_word(None)
    ('exact', '0.0123', '–')
    """
    return "exact" if value == 0 else number(value)
