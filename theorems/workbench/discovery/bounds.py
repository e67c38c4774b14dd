"""Bounds of simple form with the best constants that nothing measured refutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from theorems.statement import Verdict
from theorems.workbench.discovery.comparisons import Comparison
from theorems.workbench.discovery.extremes import Extremes
from theorems.workbench.discovery.fitting import Fitter
from theorems.workbench.discovery.forms import Form, Sizes
from theorems.workbench.discovery.measurements import Table

__all__ = ["Bound", "Fallen", "Fitted", "bounds_on"]

#: What is exact is known to this.
EXACT = 1e-7
#: What a tick of weight costs in the order of bounds.
_COST = 0.03
#: A constant that is rounded outward leaves this much.
_NEARLY = 0.02
#: Means are known to some per cent.
_SAMPLED = 0.02


@dataclass(frozen=True)
class Bound:
    """A bound that nothing measured refutes, as a claim and with what it is worth.

    - ``claim``: as `theorems.conjecture` reads it
    - ``relation``: "<=", ">=", or "==" where both are the extremes themselves
    - ``form``: what stands in sizes
    - ``exact``: whether the form is the extreme itself at all sizes that were looked at
    - ``approached``: whether no size reaches it, and the largest ones come nearest
    - ``touched``: the share of these sizes at which some input touches it, or nearly
    - ``tightness``: quantity over bound (bound over quantity, of a lower one), the mean over inputs
    - ``weight``: how much there is to write
    - ``verdict``: as of ``theorems verify``; None until it was attacked
    - ``tried``: what attacked it in vain, in words

    Example:
        >>> from theorems import discover
        >>> found = discover("parameters", of="k*x*(1 - x)", k="1..9", x="[0, 1]", relation="<=")
        >>> found.bounds[0].claim, found.bounds[0].touched
        ('k*x*(1 - x) <= k/4', 1.0)
    """

    claim: str
    relation: str
    comparison: Comparison
    form: Form
    exact: bool
    touched: float
    tightness: float
    logarithms: NDArray[np.float64] = field(repr=False, compare=False)
    approached: bool = False
    verdict: Verdict | None = None
    tried: str = ""

    @property
    def weight(self) -> int:
        return self.form.weight + self.comparison.weight

    @property
    def score(self) -> float:
        """What bounds are ordered by: how often and how nearly they touch, less what they weigh."""
        return self.touched + self.tightness - _COST * self.weight


@dataclass(frozen=True)
class Fallen:
    """A bound that was proposed and does not stand.

    - ``claim``: as a claim is written
    - ``words``: what refutes it; or that it says nothing, or has no value somewhere
    """

    claim: str
    words: str


@dataclass(frozen=True)
class Fitted:
    """The bounds on one comparison, and those that fell at sizes kept back."""

    bounds: tuple[Bound, ...]
    fallen: tuple[Fallen, ...]


def bounds_on(
    table: Table,
    comparison: Comparison,
    found: Extremes,
    choices: Sequence[Mapping[str, Fraction]],
    *,
    up: bool,
) -> Fitted:
    """Fit forms to the extremes of a comparison.

    Args:
        table: what was measured.
        comparison: what is compared with a form.
        found: its extremes, which have an end.
        choices: of sizes, one for each group.
        up: whether upper bounds are wanted.
    """
    groups = _groups(choices, comparison)
    known = groups[np.isfinite(found.logarithms[groups])]
    if len(known) < 1:
        return Fitted((), ())
    sizes = _columns([choices[group] for group in known], comparison)
    values = np.exp(found.logarithms[known])
    fitter = Fitter(sizes)
    law = None if table.question.sampled else fitter.exact(values, EXACT)
    tolerance = _SAMPLED if table.question.sampled else EXACT
    held, fell = ([law], []) if law is not None else fitter.touching(values, tolerance, up=up)
    near = []
    if law is None and not table.question.sampled:
        near = fitter.approached(values, up=up)
    relation = "<=" if up else ">="
    kept: list[Bound] = []
    for form in [*held, *near]:
        lasting = law is form or not form.factors
        if comparison.rate and not (lasting and _moves(form, sizes, up=up)):
            continue
        gap = np.log(values) - np.log(form.values(sizes))
        touched = float(np.mean(np.abs(gap) < (EXACT * 10 if law is form else _NEARLY)))
        bound = _bound(table, comparison, form, relation, exact=law is form, touched=touched)
        kept.append(replace(bound, approached=form in near))
    fallen = [_fallen(table, comparison, form, relation, values, sizes) for form in fell]
    return Fitted(tuple(kept), tuple(fallen))


def _fallen(
    table: Table,
    comparison: Comparison,
    form: Form,
    relation: str,
    values: NDArray[np.float64],
    sizes: Sizes,
) -> Fallen:
    """A form that does not hold at the sizes kept back, with where it fails most."""
    says = form.values(sizes)
    gap = np.log(values) - np.log(says)
    worst = int(np.argmax(gap if relation == "<=" else -gap))
    where = ", ".join(f"{name} = {x[worst]:g}" for name, x in sizes.items())
    words = f"the sizes kept back: {values[worst]:.6g} against {says[worst]:.6g} at {where}"
    return Fallen(comparison.claim(table.question, relation, form), words)


def _groups(choices: Sequence[Mapping[str, Fraction]], comparison: Comparison) -> NDArray[np.int64]:
    """The choices of sizes that count: of rates, those at the first layer that is looked at."""
    if not comparison.rate:
        return np.arange(len(choices))
    first = min(each["ell"] for each in choices)
    return np.array([k for k, each in enumerate(choices) if each["ell"] == first], dtype=np.int64)


def _columns(choices: Sequence[Mapping[str, Fraction]], comparison: Comparison) -> Sizes:
    names = [name for name in choices[0] if not (comparison.rate and name == "ell")]
    return {name: np.array([float(each[name]) for each in choices]) for name in names}


def _moves(form: Form, sizes: Sizes, *, up: bool) -> bool:
    """Whether what a layer changes by is below 1 everywhere (above 1, of a lower bound)."""
    values = form.values(sizes)
    return bool((values < 1 - EXACT).all() if up else (values > 1 + EXACT).all())


def _bound(
    table: Table,
    comparison: Comparison,
    form: Form,
    relation: str,
    *,
    exact: bool,
    touched: float,
) -> Bound:
    claim = comparison.claim(table.question, relation, form)
    says = comparison.bounds(table, form)
    with np.errstate(all="ignore"):
        gap = np.log(table.column(comparison.of)) - says
    shares = np.exp(-np.abs(gap[np.isfinite(gap)]))
    tightness = float(shares.mean()) if len(shares) else 0.0
    return Bound(claim, relation, comparison, form, exact, touched, tightness, says)
