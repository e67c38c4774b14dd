"""With tanh few samples follow a batch law of their own, and 2√d is no transition.

Problem. `batch_law` is about linear layers with rescaled rows. Does it hold for tanh after rows of
norm √n, at least below its transition, and with mean subtraction?

Method. As d → ∞ at fixed n the samples are orthogonal, and C = HᵀH of trace 1 is I/n and noise of
order d^(-1/2). One layer multiplies what is off the diagonal by α and what is on it by β, and adds
noise of size S and T; so 1/r - 1/n → c_n/d, c_n = S/(1 - α²) + T/(1 - β²). These are integrals over
u uniform on the sphere of radius √n in n dimensions, with q = E tanh²u₁, p = E tanh²u₁ tanh²u₂ and
(n-1)/n² of both:

    S = (n-1)p/(nq²),    α = E[2 tanh'(u₁)(u₂/2 - u₁²u₂/n) tanh u₂]/q,
    T = (n-1)(E tanh⁴u₁ - p)/(n²q²),    β = E[tanh u₁ tanh'(u₁)u₁(1 - (u₁² - u₂²)/n)]/q.

For linear layers α = β = n/(n+2), and c_n is the (n-1)(n+2)²/(4n(n+1)) of `batch_law`. For tanh α
does not tend to 1 but to κ'(0) = (E tanh'z)²/E tanh²z = 0.93, z normal, and c_n to
1/(1 - κ'(0)²), 7.45, where that of linear layers grows as n/4.

Guarantee. With L_n = 1/(1/n + c_n/d), r̄ ≥ (1 - 1/d) L_n for all sizes tried and r̄ ≤ (13/12) L_n
for n ≤ 2√d; that is below the law of linear layers for few samples and above it at n = 2√d. With
mean subtraction the same holds of L_{n-1}, n ≥ 3. The sizes tried are in the titles. L_n is right
for few samples only: beyond 2√d networks keep more, 1.2√d at n = 4√d, d = 64, where linear layers
stop at √d.

Reference. Ours, after DJB21 (arXiv 2106.03970). The response is formal, what is below is sampling.
With mean subtraction r tends not to n - 1 but to up to 2.6 % more as d → ∞ at fixed n (3.08 for
n = 4, 8.11 for 9; integrals, n = 3 to 9): tanh gives back a little of the dimension along 1.
Rows of norm d^(-1/2), as the chain `rescale_activation` has them, are so short that tanh is linear
there, and ranks are those of `batch_law`.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['upper', 'lower', 'recentred_upper', 'recentred_lower']
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from simulators import Chain, batchnorm_chain
from simulators.arguments import require, whole_number
from simulators.layers import Activation, Linear, Rescale
from theorems.families.rank.batch_ranks import BatchRun, batch_medians
from theorems.families.rank.batches import CORRECTED, corrected, leading
from theorems.families.rank.notation import FAMILY, OURS, WIDTH, d, n
from theorems.families.rank.statements.batch_law import measured
from theorems.statement import Assumption, Quantifier, Sentinel, Statement, Variable, Verdict

if TYPE_CHECKING:
    from theorems.report.style import Drawing

__all__ = ["FIGURES", "STATEMENTS", "draw", "response"]

#: Of the quadratures: nodes in the length of (u₁, u₂), and angles.
NODES, ANGLES = 80, 128
#: Samples that these are fine enough for.
LARGEST = 128


@cache
def response(size: int) -> float:
    """c_n of n = ``size`` orthogonal samples with tanh: the limit of d(1/r - 1/n) as d → ∞.

    ``size``: 2 to 128, as far as the quadrature is fine enough. Raises ``ValueError`` for others.
    Cost: a millisecond.

    Example:
        >>> [round(response(size), 3) for size in (2, 8, 32)]
        [0.74, 2.885, 5.457]
    """
    require(2 <= whole_number("size", size, 2) <= LARGEST, f"size={size}; want 2 to {LARGEST}")
    if size == 2:
        height, weights = np.zeros((1, 1)), np.ones((1, 1))
    else:
        # (u₁² + u₂²)/n = 1 - y², and y has the density (n-2)y^(n-3)
        nodes, shares = np.polynomial.legendre.leggauss(NODES)
        height = (nodes[:, None] + 1) / 2
        weights = shares[:, None] / 2 * (size - 2) * height ** (size - 3)
    angles = 2 * math.pi * (np.arange(ANGLES) + 0.5) / ANGLES
    length = np.sqrt(size * (1 - height**2))
    one, two = length * np.cos(angles), length * np.sin(angles)

    def mean(values: np.ndarray[Any, Any]) -> float:
        return float(np.sum(weights * values) / ANGLES)

    f, g, slope = np.tanh(one), np.tanh(two), 1 / np.cosh(one) ** 2
    q, p = mean(f**2), mean(f**2 * g**2)
    off = mean(2 * slope * (two / 2 - one**2 * two / size) * g) / q
    along = mean(f * slope * one * (1 - (one**2 - two**2) / size)) / q
    noise = (size - 1) / size * p / q**2
    of_lengths = (size - 1) / size**2 * (mean(f**4) - p) / q**2
    return noise / (1 - off**2) + of_lengths / (1 - along**2)


def _rescaled(width: int) -> Chain:
    return Chain((Linear(width), Rescale("variance"), Activation("tanh")))


def _batchnorm(width: int) -> Chain:
    return batchnorm_chain(width, "tanh")


#: Networks, and layers averaged in units of √d.
FEW, SOME, MANY = (40, 40), (64, 60), (64, 100)
BELOW = tuple(
    BatchRun(width, size, replicas, _rescaled, "tanh", window)
    for width, size, (replicas, window) in (
        (16, 2, MANY),
        (16, 4, MANY),
        (16, 8, MANY),
        (64, 4, MANY),
        (64, 8, MANY),
        (64, 16, SOME),
    )
)
BEYOND = (BatchRun(64, 24, 40, _rescaled, "tanh", 40),)
RECENTRED = tuple(
    BatchRun(width, size, replicas, _batchnorm, "batchnorm, tanh", window)
    for width, size, (replicas, window) in (
        (16, 5, MANY),
        (16, 9, MANY),
        (64, 9, SOME),
        (64, 17, SOME),
    )
)
#: Of a greater width, for a thorough run.
DEAR = tuple(
    BatchRun(256, size, replicas, _rescaled, "tanh", window, dear=True)
    for size, (replicas, window) in ((8, MANY), (16, MANY), (32, FEW))
)
TRIED = "n = 2, 4, 8 at d = 16; 4, 8, 16 at d = 64"
TRIED_ALL = "n = 2, 4, 8 at d = 16; 4, 8, 16, 24 at d = 64"
TRIED_RECENTRED = "n = 5, 9 at d = 16; 9, 17 at d = 64"

r_bar, c_n = sp.symbols("r_bar c_n", nonnegative=True)
_AVERAGE = "over 40√d to 100√d layers, after 30√d, from full rank; its median over networks"
_UPPER, _LOWER = sp.Rational(13, 12), 1 - 1 / d


def _law(size: sp.Expr) -> sp.Expr:
    """L of so many samples, c_n being theirs."""
    return 1 / (1 / size + c_n / d)


def _of(size: int, less: int) -> Mapping[str, float]:
    return {"c_n": response(size - less)}


def _few(least: int, less: int, width: int, size: int) -> bool:
    """Whether there are ``least`` samples, and ``less`` less are 2√d at most."""
    return size >= least and (size - less) ** 2 <= 4 * width


def _many(least: int, width: int, size: int) -> bool:
    return size >= least


_tanh = partial(
    Statement,
    family=FAMILY,
    theorem="batch_law_tanh",
    quantifier=Quantifier.LIMIT,
    source=OURS,
    observables=("effective_rank",),
    lhs=r_bar,
    expected=Verdict.SUPPORTED,
)
_rows = partial(
    _tanh,
    chain="rescale, tanh",
    variables=(WIDTH, Variable(n, sp.Range(2, sp.oo), "batch size, at least 2")),
    definitions={
        r_bar: f"1 over the average of 1/r(H_ℓ), rows of norm √n before tanh, {_AVERAGE}",
        c_n: "limit of d(1/r - 1/n) as d → ∞, by the response of one layer of orthogonal samples",
    },
)
_means = partial(
    _tanh,
    variables=(WIDTH, Variable(n, sp.Range(3, sp.oo), "batch size, at least 3")),
    chain="batchnorm(tanh)",
    definitions={
        r_bar: f"1 over the average of 1/r(H_ℓ), batch normalisation, tanh, {_AVERAGE}",
        c_n: "limit of d(1/r - 1/m) as d → ∞ of m = n - 1 samples without mean subtraction",
    },
)
_known, _known_less = partial(_of, less=0), partial(_of, less=1)
_less_one = sp.Min(n - 1, 2 * sp.sqrt(d))

STATEMENTS = (
    _rows(
        variant="upper",
        title=f"tanh, n ≤ 2√d: r̄ ≤ (13/12)/(1/n + c_n/d): {TRIED}",
        assumptions=(Assumption(sp.Le(n**2, 4 * d), "n ≤ 2√d"),),
        relation="<=",
        rhs=_UPPER * _law(n),
        sentinel=Sentinel("of linear layers", rhs=_UPPER * CORRECTED),
        checks=(
            batch_medians((*BELOW, *DEAR), ("r_bar",), holds=partial(_few, 2, 0), known=_known),
        ),
    ),
    _rows(
        variant="lower",
        title=f"tanh: r̄ ≥ (1 - 1/d)/(1/n + c_n/d): {TRIED_ALL}",
        relation=">=",
        rhs=_LOWER * _law(n),
        sentinel=Sentinel("of linear layers", rhs=_LOWER * CORRECTED),
        checks=(
            batch_medians(
                (*BELOW, *BEYOND, *DEAR), ("r_bar",), holds=partial(_many, 2), known=_known
            ),
        ),
        remark="At n = 24, d = 64 that is above √d, where linear layers stop.",
    ),
    _means(
        variant="recentred_upper",
        title=f"Batch normalisation, tanh, n - 1 ≤ 2√d: r̄ ≤ (13/12) L_(n-1): {TRIED_RECENTRED}",
        assumptions=(Assumption(sp.Le((n - 1) ** 2, 4 * d), "n - 1 ≤ 2√d"),),
        relation="<=",
        rhs=_UPPER * _law(n - 1),
        sentinel=Sentinel("of linear layers", rhs=_UPPER * corrected(_less_one)),
        checks=(
            batch_medians(RECENTRED, ("r_bar",), holds=partial(_few, 3, 1), known=_known_less),
        ),
    ),
    _means(
        variant="recentred_lower",
        title=f"Batch normalisation, tanh: r̄ ≥ (1 - 1/d) L_(n-1): {TRIED_RECENTRED}",
        relation=">=",
        rhs=_LOWER * _law(n - 1),
        sentinel=Sentinel("of linear layers, without next order", rhs=_LOWER * leading(_less_one)),
        checks=(batch_medians(RECENTRED, ("r_bar",), holds=partial(_many, 3), known=_known_less),),
    ),
)


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """r/√d against n/√d with tanh: L_n at two widths, networks, and the law of linear layers; None
    if not run.

    ``document`` is the JSON value of a run.
    """
    from theorems.report.style import COLOURS, INK, MUTED, Drawing, drawing, new_figure

    rows, means = (
        measured(document, f"rank.batch_law_tanh:{name}") for name in ("lower", "recentred_lower")
    )
    if not rows and not means:
        return None
    looks = {16: ("s", COLOURS["measured"]), 64: ("o", COLOURS["sharp"])}
    with drawing():
        figure = new_figure(7.5, 4.2)
        axes = figure.add_subplot()
        scaled = np.linspace(0.02, 3.2, 200)
        linear = np.minimum(scaled, 2)
        axes.plot(scaled, scaled, color=MUTED, linewidth=0.9, label="r = n")
        axes.plot(scaled, linear / (1 + linear**2 / 4), color=INK, label="linear layers, d → ∞")
        for width, (marker, colour) in looks.items():
            root = math.sqrt(width)
            sizes = np.arange(2, int(3.2 * root) + 1)
            law = [1 / (1 / size + response(int(size)) / width) / root for size in sizes]
            axes.plot(sizes / root, law, color=colour, linewidth=0.9, label=f"L_n, d = {width}")
            tables = ((rows, 0, colour, "tanh"), (means, 1, "none", "batchnorm, tanh"))
            for found, less, face, name in tables:
                if (table := found.get(width)) is not None:
                    axes.errorbar(
                        table[0] - less / root,
                        table[1],
                        yerr=[table[1] - table[2], table[3] - table[1]],
                        fmt=marker,
                        color=colour,
                        markerfacecolor=face,
                        label=f"{name}, d = {width}",
                    )
        axes.axvline(2, color=MUTED, linewidth=0.8)
        axes.set(xlim=(0, 3.2), ylim=(0, 1.4), xlabel="m/√d", ylabel="r/√d")
        axes.legend(loc="lower right", ncols=2, framealpha=1)
    return Drawing(
        "batch_law_tanh",
        "The rank of n samples at depth, with tanh",
        "Rows of norm √n, then tanh (filled, m = n), and batch normalisation, then tanh (open, "
        "m = n - 1), from orthogonal samples: 1 over the average of 1/r over layers. Bars: "
        "intervals of medians over networks at the run's error budget. Vertical line: where linear "
        "layers have their transition, m = 2√d.",
        figure,
        ("rank.batch_law_tanh",),
    )


FIGURES = (draw,)
