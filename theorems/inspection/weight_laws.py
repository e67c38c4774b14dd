"""The law that weights look drawn from, and whether they look independent: tests on the weights
themselves.

Independent entries of one law pass all of them, but for one network in some 500:

- entries: Kolmogorov–Smirnov, layer by layer and pooled
- one layer: John's statistic of sphericity tr(S²)/tr(S)², S = WWᵀ, which for independent entries is
  nearly normal about a known mean (Ledoit and Wolf 2002, Wang and Yao 2013); sums and lengths of
  rows and columns; values used twice
- two layers: the scalar products of W, of its transpose and of the Gram matrices where they meet;
  values in common

What passes may still be dependent; it is not seen to be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from scipy.sparse import csr_array
from torch import Tensor

from simulators.weights import LAWS

__all__ = ["law_of", "values_in_common"]

Floats = NDArray[np.float64]

_SIGNIFICANT = 1e-3  # of all tests of laws together; below this a law is rejected
_DEPENDENT = 1e-3  # of all tests of independence together
_POOLED = 100_000  # entries whose law is tested, from all layers alike
_NARROW = (torch.bfloat16, torch.float16)
_SMALLEST = 8  # rows and columns from which on sums and sphericity are nearly normal
_BLOCK = 1024  # rows and columns at most that are tested for independence
_MARKS = 2000  # values of a layer, or somewhat more, that are looked for in others
_SINGULAR = "singular values"
_SPHERICITY = 6.0  # deviations that it is allowed, as its tails are heavier than normal


def law_of(weights: Sequence[tuple[str, Tensor]]) -> tuple[str, str | None]:
    """The law of these weights, named, and None; or an empty law and why they are not independent
    draws of one.

    ``weights`` are the layers' names with their weights, of any shapes, the first axis being that
    of the outputs.

    Sources: Ledoit and Wolf (2002), Wang and Yao (2013), for the test of sphericity.

    >>> generator = torch.Generator().manual_seed(0)
    >>> law_of([("0", torch.randn(64, 64, generator=generator))])
    ('gaussian', None)
    >>> law_of([("0", torch.zeros(64, 64))])
    ('', "'0' has weights that are all zero")
    """
    matrices: list[tuple[str, Floats]] = []
    for name, weight in weights:
        if (coarse := _coarse(weight)) is not None:
            return "", f"{name!r} {coarse}"
        matrix = weight.detach().double().cpu().numpy().reshape(weight.shape[0], -1)
        spread = float(np.sqrt(np.mean(matrix**2)))
        if spread == 0:
            return "", f"{name!r} has weights that are all zero"
        products = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
        if min(matrix.shape) > 1 and np.allclose(
            products, products[0, 0] * np.eye(len(products)), atol=1e-5
        ):
            return "", f"{name!r} has orthogonal weights, whose entries are not independent"
        matrices.append((name, matrix / spread))
    law, objection = _entries([matrix for _, matrix in matrices])
    if objection is None:
        objection = _dependence(matrices, float(_laws()[law].stats("k")))
    return ("", objection) if objection is not None else (law, None)


def _laws() -> dict[str, Any]:
    """The centred laws of the catalogue that have a distribution, frozen, by name."""
    return {
        name: law.distribution()
        for name, law in LAWS.items()
        if law.distribution is not None and law.mean == 0
    }


def _coarse(weight: Tensor) -> str | None:
    """Whether the weights are of low precision, or were before they were widened."""
    for narrow in _NARROW:
        if weight.dtype is narrow or torch.equal(weight.to(narrow).to(weight.dtype), weight):
            held = str(narrow).removeprefix("torch.")
            return (
                f"has weights in {held}, which are no draws of a continuous law"
                if weight.any()
                else None
            )
    return None


def _entries(matrices: Sequence[Floats]) -> tuple[str, str | None]:
    """The law of the entries, each layer's scaled to mean square 1."""
    rng = np.random.default_rng(
        0
    )  # which entries are looked at has nothing to do with their values
    share = max(_POOLED // len(matrices), 100)
    samples = [
        matrix.ravel() if matrix.size <= share else rng.choice(matrix.ravel(), share, replace=False)
        for matrix in matrices
    ]
    pooled = np.concatenate(samples)
    found = {name: float(stats.kstest(pooled, law.cdf).pvalue) for name, law in _laws().items()}
    best = max(found, key=lambda name: found[name])
    alone = min(float(stats.kstest(sample, _laws()[best].cdf).pvalue) for sample in samples) * len(
        samples
    )
    if min(found[best], alone) < _SIGNIFICANT:
        pooled_words = " and ".join(f"{value:.1g}" for value in found.values())
        return (
            best,
            f"its weights look neither Gaussian nor uniform around zero: p = {pooled_words}",
        )
    return best, None


def _dependence(matrices: Sequence[tuple[str, Floats]], excess: float) -> str | None:
    """Why the entries do not look independent, None if nothing was seen."""
    blocks = [(name, matrix[:_BLOCK, :_BLOCK]) for name, matrix in matrices]
    marks = [_marks(block) for _, block in blocks]
    for (name, _), values in zip(blocks, marks, strict=True):
        if len(np.unique(values)) < len(values) / 2:
            return (
                f"the weights of {name!r} are not independent: most values are used more than once"
            )
    common = values_in_common(marks)
    counts = np.array([len(values) for values in marks])
    for one, other in np.argwhere(np.triu(common > np.minimum.outer(counts, counts) / 2, 1)):
        return (
            f"the weights of {blocks[one][0]!r} and {blocks[other][0]!r} are not independent: they "
            "have most "
            "values in common"
        )
    seen: list[tuple[str, str, float]] = []
    for name, block in blocks:
        seen += [(repr(name), *test) for test in _one_layer(block, excess)]
    for (one_name, a), (other_name, b) in combinations(blocks, 2):
        seen += [(f"{one_name!r} and {other_name!r}", *test) for test in _two_layers(a, b)]
    for (one_name, a), (other_name, b) in pairwise(blocks):
        names = f"{one_name!r} and {other_name!r}"
        seen += [(names, *test) for test in _where_they_meet(a, b, excess)]
    allowed = float(stats.norm.isf(_DEPENDENT / (2 * max(len(seen), 1))))
    for names, what, value in seen:
        limit = max(allowed, _SPHERICITY) if what == _SINGULAR else allowed
        if abs(value) > limit:
            return (
                f"the weights of {names} do not look independent: their {what} are "
                f"{abs(value):.3g} standard "
                f"deviations off, and {limit:.3g} are allowed"
            )
    return None


def _marks(block: Floats) -> NDArray[np.uint32]:
    """The values without their signs, some thousand of them, chosen by their last digits and not by
    their places.
    """
    bits = np.abs(block).astype(np.float32).ravel().view(np.uint32)
    return np.asarray(bits[bits % max(1, bits.size // _MARKS) == 0])


def values_in_common(marks: Sequence[NDArray[np.uint32]]) -> NDArray[np.int64]:
    """How many values each two layers share, (layers, layers); a layer shares all of its own with
    itself.

    Cost: a sort of all values, and a product of sparse matrices.

    >>> values_in_common([np.uint32([1, 2, 3]), np.uint32([3, 4])])
    array([[3, 1],
           [1, 2]])
    """
    own = [np.unique(values) for values in marks]
    layer = np.repeat(np.arange(len(own)), [len(values) for values in own])
    place = np.unique(np.concatenate(own), return_inverse=True)[1]
    held = csr_array(
        (np.ones(len(place), dtype=np.int64), (layer, place)), shape=(len(own), len(place))
    )
    return np.asarray((held @ held.T).toarray())


def _one_layer(matrix: Floats, excess: float) -> Iterator[tuple[str, float]]:
    """What is tested of one layer, and by how many standard deviations it is off."""
    short = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    m, k = short.shape
    if m < _SMALLEST:
        return
    for what, table in (("rows", matrix), ("columns", matrix.T)):
        count = table.shape[1]
        sums = float(np.square(table.sum(axis=1)).sum()) / count
        yield f"sums of {what}", _deviation(sums, len(table))
        roots = np.cbrt(np.square(table).mean(axis=1))  # nearly normal, after Wilson and Hilferty
        spread = len(table) * float(roots.var()) * 9 * count / (2 + excess)
        yield f"lengths of {what}", _deviation(spread, len(table) - 1)
    gram = short @ short.T
    sphericity = m * float(np.square(gram).sum()) / float(np.trace(gram)) ** 2 - 1
    yield _SINGULAR, (k * sphericity - m - 1 + 2 / m - excess) / 2


def _deviation(value: float, freedom: int) -> float:
    """The normal deviate that is as improbable as this value of a χ² variable."""
    above, below = stats.chi2.sf(value, freedom), stats.chi2.cdf(value, freedom)
    return float(stats.norm.isf(above) if above < below else stats.norm.ppf(below))


def _two_layers(a: Floats, b: Floats) -> Iterator[tuple[str, float]]:
    """The scalar products of the one with the other and with its transpose."""
    if a.shape == b.shape:
        yield "scalar products", float((a * b).sum()) / math.sqrt(a.size)
    if a.shape == b.T.shape:
        yield "scalar products, one transposed,", float((a * b.T).sum()) / math.sqrt(a.size)


def _where_they_meet(a: Floats, b: Floats, excess: float) -> Iterator[tuple[str, float]]:
    """‖BA‖² less its mean, given A: large or small where B sees what A gives most of."""
    if b.shape[1] != a.shape[0] or min(a.shape) < _SMALLEST:
        return
    gram = a @ a.T
    gram -= np.trace(gram) / len(gram) * np.eye(len(gram))
    variance = len(b) * (2 * np.square(gram).sum() + excess * np.square(np.diag(gram)).sum())
    if variance > 0:
        yield "products", float(((b @ gram) * b).sum() / math.sqrt(variance))
