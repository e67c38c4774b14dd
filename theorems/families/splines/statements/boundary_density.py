"""Batch normalisation puts more boundaries and regions near the data than zero or random biases do.

Problem. BB22's first figure: the boundaries of normalised units gather about the data. Compared
with what, by how much, and always?

Method. The same Gaussian weights three times, with the biases of batch normalisation, none, and as
large as the weights, on fresh data. In the plane all regions are enumerated exactly: length of
boundary within a tenth of the half side of the samples, and regions of the square. In 64
dimensions: the distance of samples to the nearest boundary of any layer, and crossings of segments
between samples. Intervals for the median over networks of the ratio, network by network.

Guarantee. Leaky ReLU, two layers of six on rings, a mixture and projected digits, which lie beside
0: half as much boundary again near the samples, or more; more regions, on moons as well. ReLU,
three layers of 16 in 64 dimensions: boundaries are nearer, and segments cut a quarter more often.
On moons, among which 0 lies, zero biases do nearly as well near the samples: batch normalisation
has at most twice as much there.

Reference. BB22 (arXiv 2209.14778), its first figure; the numbers are ours.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['length', 'length_about_zero', 'regions', 'distance', 'crossings']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import sympy as sp

from theorems.checking.medians import Medians
from theorems.families.splines.densities import OTHERS, Setting, available, cases
from theorems.families.splines.notation import FAMILY
from theorems.statement import Quantifier, Sentinel, Source, Statement, Verdict

if TYPE_CHECKING:
    from simulators.splines.random_networks import Treatment
    from theorems.report.style import Drawing

__all__ = ["FIGURES", "STATEMENTS", "draw"]

q = sp.Symbol("q", nonnegative=True)

_TWO_LAYERS, _THREE_LAYERS = (6, 6), (16, 16, 16)
_BESIDE_ZERO = ("rings", "mixture", "digits")
_IN_SPACE = ("clusters in 64 dimensions", "digits in 64 dimensions")


def _settings(
    names: Sequence[str], widths: tuple[int, ...], samples: int, networks: int
) -> list[Setting]:
    return [Setting(name, widths, samples, networks) for name in available(names)]


def _check(
    settings: Sequence[Setting], measure: str, others: Sequence[Treatment] = OTHERS
) -> tuple[Medians]:
    return (Medians(cases(settings, measure, others), wants="the claim brings its own data"),)


_plane = partial(_settings, widths=_TWO_LAYERS, samples=40, networks=64)
_space = partial(_settings, names=_IN_SPACE, widths=_THREE_LAYERS)
_density = partial(
    Statement,
    family=FAMILY,
    theorem="boundary_density",
    quantifier=Quantifier.COMPARISON,
    source=Source("after BB22 (arXiv 2209.14778)", "Figure 1"),
    variables=(),
    lhs=q,
    relation=">=",
    expected=Verdict.SUPPORTED,
)

STATEMENTS = (
    _density(
        variant="length",
        title="Data beside 0: BN has 3/2 times the boundary near samples of zero or random biases",
        definitions={q: "median ratio of boundary lengths near the samples, BN over other"},
        rhs=sp.Rational(3, 2),
        sentinel=Sentinel("ten times", rhs=sp.Integer(10)),
        checks=_check(_plane(_BESIDE_ZERO), "length"),
    ),
    _density(
        variant="length_about_zero",
        title="Moons, among which 0 lies: BN has at most twice the boundary of zero biases",
        definitions={q: "median ratio of boundary lengths near the samples, BN over zero biases"},
        relation="<=",
        rhs=sp.Integer(2),
        sentinel=Sentinel("at most half", rhs=sp.Rational(1, 2)),
        checks=_check(_plane(("moons",)), "length", ("zero",)),
        remark="Boundaries of the first layer all pass through 0 there, as BN's do through the mean.",
    ),
    _density(
        variant="regions",
        title="BN has more regions about the data than zero or random biases",
        definitions={q: "median ratio of the numbers of regions, BN over other"},
        relation=">",
        rhs=sp.Integer(1),
        sentinel=Sentinel("five times as many", rhs=sp.Integer(5)),
        checks=_check(_plane(("moons", *_BESIDE_ZERO)), "regions"),
    ),
    _density(
        variant="distance",
        title="In 64 dimensions samples are nearer to a boundary with BN",
        definitions={q: "median ratio of distances to the nearest boundary, other over BN"},
        relation=">",
        rhs=sp.Integer(1),
        sentinel=Sentinel("five times nearer", rhs=sp.Integer(5)),
        checks=_check(_space(samples=8, networks=180), "distance"),
    ),
    _density(
        variant="crossings",
        title="In 64 dimensions segments between samples are cut 5/4 times as often with BN",
        definitions={q: "median ratio of crossings between samples, BN over other"},
        rhs=sp.Rational(5, 4),
        sentinel=Sentinel("three times as often", rhs=sp.Integer(3)),
        checks=_check(_space(samples=12, networks=80), "crossings"),
    ),
)


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """BB22's figure: boundaries of four layers of six units about moons, with batch normalisation,
    zero and random biases; None if the comparison was not run.

    ``document`` is the JSON value of a run. Cost: a second.
    """
    from theorems.families.splines.density_figure import boundary_figure
    from theorems.report.document import find
    from theorems.report.figure_parts import seed_of
    from theorems.report.style import Drawing

    if find(document, STATEMENTS[0].name) is None:
        return None
    return Drawing(
        "boundary_density",
        "Boundaries about the data",
        "Leaky ReLU, four layers of six units on the moons, the same weights in each row: the "
        "boundaries of a layer over those of earlier ones, the samples on top, and how many regions "
        "there are so far. With batch normalisation boundaries gather about the data, without they "
        "lie where the biases put them.",
        boundary_figure(seed_of(document)),
        ("splines.boundary_density",),
    )


FIGURES = (draw,)
