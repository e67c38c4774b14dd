"""Claims about dual kernels, JH24's four cases among them, as anyone states them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint
import pytest

from simulators.engines.mean_field import kernel_map
from theorems import conjecture, verify
from theorems.statement import Verdict


def kernel(name: str) -> Callable[[Fraction], flint.arb]:
    """κ in balls, at the precision that a claim is decided in."""

    def kappa(rho: Fraction) -> flint.arb:
        return kernel_map(name).ball(rho, precision=int(flint.ctx.prec))

    return kappa


def distance(rho: Fraction, ell: int) -> flint.arb:
    """|ρ_ℓ − 1/2| of κ = .3 + .1 ρ + .6 ρ², whose fixed point 1/2 is"""
    found = flint.arb(flint.fmpq(rho.numerator, rho.denominator))
    for _ in range(ell):
        found = (3 + found + 6 * found * found) / 10
    return abs(found - flint.arb(1) / 2)


SINE_SLOPE = "2*exp(1)/(exp(2) - 1)"  # κ′(0) of sin, 1/sinh 1
CASES: dict[str, tuple[str, dict[str, Any], Verdict]] = {
    "no value at 0": (
        f"abs(kappa)/(1 - abs(kappa)) <= abs(rho)/((1 - abs(rho))*(2 - {SINE_SLOPE}))",
        dict(over="parameters", rho="[-9/10, 9/10]", computed={"kappa": kernel("sin")}),
        Verdict.SUPPORTED,
    ),
    "no value at 0, too sharp": (
        f"abs(kappa)/(1 - abs(kappa)) <= abs(rho)/((1 - abs(rho))*(21/10 - {SINE_SLOPE}))",
        dict(over="parameters", rho="[-9/10, 9/10]", computed={"kappa": kernel("sin")}),
        Verdict.REFUTED,
    ),
    "slope below 1": (
        "kappa >= 1 - (exp(2) - 1)/(exp(2) + 1)*(1 - rho)",
        dict(over="parameters", rho="[-1, 1]", computed={"kappa": kernel("cos")}),
        Verdict.SUPPORTED,
    ),
    "slope 1": (
        "(1 - cosine)*(1 + (1/2 - 1/pi)*ell*(1 - cosine_0)) <= 1 - cosine_0",
        dict(
            chain="vanilla(relu)",
            quantifier="mean field",
            n=2,
            ell="1..40",
            assume=("cosine_0 >= 0", "cosine_0 <= 99/100"),
        ),
        Verdict.SUPPORTED,
    ),
    "slope above 1, as restated": (
        "distance <= (rho - 1/2)/(1 - rho)*(7/10)**ell",
        dict(
            over="parameters",
            rho="[3/5, 999/1000]",
            ell="1..40",
            computed={"distance": distance},
        ),
        Verdict.REFUTED,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_claims_about_kernels_get_their_verdicts(case):
    claim, options, expected = CASES[case]
    assert verify(conjecture(claim, name="claim", **options))[0].verdict is expected
