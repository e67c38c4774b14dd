"""Claims about means over random networks, known exactly or to leading order in the width.

- rescale, one layer from orthogonal samples: E V² = (1 - 1/n)/d exactly; layer ℓ adds up
  (n/(n+2))^(2k) of it.
- vanilla(identity): the cosine keeps its start's value up to O(1/√d).
- vanilla(relu): the cosine follows κ(ρ) = (√(1-ρ²) + (π - arccos ρ)ρ)/π, least from ρ = -1.
- residual with d = n: r is at most d, and one small step from orthogonal samples keeps it near.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from random import Random

from scipy.stats import chi2

from tests.random_claims.claims import RandomClaim, Truth

#: Claims are off the known value by a factor of this at least, either way.
_FACTORS = (Fraction(5, 4), Fraction(3, 2), Fraction(2))


def _percent(value: float) -> Fraction:
    return Fraction(round(value * 1000), 1000)


def _of(true: bool) -> Truth:
    return Truth.TRUE if true else Truth.FALSE


def rescaled_gap(rng: Random) -> RandomClaim:
    """The mean gap of a linear chain with rescaling, from orthogonal samples."""
    n, ell = rng.choice([2, 3, 4, 8]), rng.choice([1, 1, 2, 4, 8])
    d = rng.choice([256, 512, 1024])
    ratio = (n / (n + 2)) ** 2
    share = sum(ratio**k for k in range(ell))
    degrees = (n - 1) * (n + 2) / 2
    # V² is close to a multiple of χ² with these degrees of freedom
    mean = (
        math.sqrt(share * (1 - 1 / n) / d)
        * math.sqrt(2 / degrees)
        * math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2))
    )
    true, upper = rng.random() < 0.5, rng.random() < 0.5
    factor = rng.choice(_FACTORS)
    above = true is upper
    scale = Fraction(
        round(1000 * mean * math.sqrt(d) * (float(factor) if above else 1 / float(factor))), 1000
    )
    relation = "<=" if upper else ">="
    return RandomClaim(
        f"orthogonality_gap {relation} {scale}/sqrt(d)",
        {
            "chain": "rescale",
            "n": str(n),
            "d": f"{d}..{2 * d}",
            "ell": str(ell),
            "assume": "smallest_eigenvalue_0 >= 1/n",
        },
        _of(true),
        f"from orthogonal samples the mean is close to {mean:.4g} at d = {d}",
        True,
    )


def kept_cosine(rng: Random) -> RandomClaim:
    """A linear network keeps angles."""
    form = rng.choice(["any", "assumed", "upper"])
    d, ell = rng.choice([512, 1024]), rng.choice([1, 2, 3])
    options = {"chain": "vanilla(identity)", "n": "2", "d": f"{d}..{2 * d}", "ell": str(ell)}
    if form == "any":
        low = _percent(rng.uniform(-0.8, 0.8))
        return RandomClaim(
            f"cosine >= {low}", options, Truth.FALSE, "x and -x keep the cosine -1", True
        )
    if form == "upper":
        high = _percent(rng.uniform(0.2, 0.8))
        return RandomClaim(
            f"absolute_cosine <= {high}", options, Truth.FALSE, "equal samples keep 1", True
        )
    start = _percent(rng.uniform(0.3, 0.7))
    true = rng.random() < 0.5
    low = start - Fraction(1, 5) if true else start + Fraction(1, 5)
    return RandomClaim(
        f"cosine >= {low}",
        options | {"assume": f"cosine_0 >= {start}"},
        _of(true),
        f"the cosine stays near its start, which is {start} or more",
        True,
    )


def contracted(rng: Random) -> RandomClaim:
    """At infinite width the smallest eigenvalue's gap shrinks by the sharp factor of Lemma 8."""
    true = rng.random() < 0.5
    more = 1 + Fraction(rng.randint(1, 30), 100)
    factor = more if true else 1 / more
    return RandomClaim(
        f"smallest_eigenvalue_gap <= {factor}*(1 - 2*n/(n + 2)*smallest_eigenvalue_0)"
        "*smallest_eigenvalue_gap_0",
        {
            "chain": "rescale",
            "quantifier": "mean field",
            "n": f"2..{rng.randint(2, 4)}",
            "ell": "1",
        },
        _of(true),
        "Lemma 8 in its sharp form, tight as the spectrum becomes uniform",
        True,
    )


def likely(rng: Random) -> RandomClaim:
    """The probability of a small gap after one layer from orthogonal samples, by the law of V²."""
    n, d = rng.choice([2, 3, 4]), rng.choice([512, 1024])
    degrees = (n - 1) * (n + 2) / 2
    chance = rng.uniform(0.35, 0.65)
    edge = math.sqrt(chi2.ppf(chance, degrees) * (1 - 1 / n) / degrees)
    true = rng.random() < 0.5
    bound = _percent(chance - 0.2 if true else chance + 0.2)
    return RandomClaim(
        f"probability >= {bound}",
        {
            "chain": "rescale",
            "n": str(n),
            "d": f"{d}..{2 * d}",
            "ell": "1",
            "event": f"orthogonality_gap <= {_percent(edge)}/sqrt(d)",
            "assume": "smallest_eigenvalue_0 >= 1/n",
        },
        _of(true),
        f"its probability is near {chance:.2f}",
        True,
    )


def _kappa(rho: float) -> float:
    return (math.sqrt(1 - rho * rho) + (math.pi - math.acos(rho)) * rho) / math.pi


def aligned_by_relu(rng: Random) -> RandomClaim:
    """ReLU draws samples together, slowest from x and -x."""
    ell, d = rng.choice([2, 3, 4, 6]), rng.choice([512, 1024])
    least = -1.0
    for _ in range(ell):
        least = _kappa(least)
    true = rng.random() < 0.5
    low = _percent(least - 0.12 if true else least + 0.12)
    return RandomClaim(
        f"cosine >= {low}",
        {"chain": "vanilla(relu)", "n": "2", "d": f"{d}..{2 * d}", "ell": str(ell)},
        _of(true),
        f"from x and -x the cosine is near {least:.3f}",
        True,
    )


def residual_rank(rng: Random) -> RandomClaim:
    """The rank of a residual chain: exact bounds, and a layer that hardly moves it."""
    d = rng.choice([8, 12, 16])
    true = rng.random() < 0.5
    share = Fraction(17, 20) if true else Fraction(49, 50)
    options = {
        "chain": "residual",
        "n": str(d),
        "d": str(d),
        "ell": "1" if true else "32",
        "gamma": "1/20" if true else "1/2",
        "assume": "smallest_eigenvalue_0 >= 1/n",
    }
    return RandomClaim(
        f"effective_rank >= {share}*d",
        options,
        _of(true),
        "from orthogonal samples r falls by about 2γ²d a layer, towards √d",
        True,
    )


def dying(rng: Random) -> RandomClaim:
    """A narrow deep ReLU network kills samples: its mean cosine has no value."""
    d, ell = rng.choice([4, 6, 8]), rng.choice([16, 32, 64])
    return RandomClaim(
        f"cosine >= {_percent(rng.uniform(-0.9, -0.1))}",
        {"chain": "vanilla(relu)", "n": "2", "d": f"{d}..{2 * d}", "ell": str(ell)},
        Truth.UNDEFINED,
        "a zero sample has no cosine",
        True,
    )


MAKERS: tuple[tuple[Callable[[Random], RandomClaim], int], ...] = (
    (rescaled_gap, 6),
    (kept_cosine, 5),
    (aligned_by_relu, 3),
    (residual_rank, 2),
    (dying, 3),
    (contracted, 2),
    (likely, 2),
)


def make(rng: Random) -> RandomClaim:
    """One claim of a kind drawn by weight."""
    makers, weights = zip(*MAKERS, strict=True)
    return rng.choices(makers, weights)[0](rng)
