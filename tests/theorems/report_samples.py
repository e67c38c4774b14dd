"""Documents of runs for the tests of the report, laid out by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from theorems.families.orthogonality import decay_figures as decay
from theorems.verification import LEVEL, environment

PRINTED = "orthogonality.decay:as_printed"


def result(name: str, *evidence: dict[str, Any], **changes: Any) -> dict[str, Any]:
    statement, _, variant = name.partition(":")
    return {
        "statement": statement,
        "variant": variant,
        "title": f"title of {name}",
        "quantifier": "expectation",
        "source": "ours",
        "verdict": "supported",
        "expected": "supported",
        "as_expected": True,
        "tightness": 0.5,
        "power": 0.1,
        "seconds": 1.5,
        "evidence": [piece() | e for e in evidence or ({},)],
    } | changes


def piece() -> dict[str, Any]:
    return {
        "method": "simulation",
        "verdict": "supported",
        "summary": "3 means",
        "sentinel": "refuted",
        "sentinel_claim": "half the bound",
        "tightness": None,
        "power": None,
        "seconds": 1.5,
    }


def path_record(alpha: Fraction, crossing_layer: int | None) -> dict[str, Any]:
    smallest = Fraction(81, 1600)
    return {
        "n": 16,
        "start": [str(smallest), str((1 - smallest) / 15)],
        "multiplicities": [1, 15],
        "parameters": {"n": "16", "alpha": str(alpha), "Vhat_1": str(Fraction(1, 16) - smallest)},
        "crossing_layer": crossing_layer,
        "tightness": 0.9,
        "verdict": "refuted",
    }


def widths_record(constant: float) -> dict[str, Any]:
    return {
        "slope": [-0.55, -0.45],
        "widths": [
            {
                "width": w,
                "mean": constant / w**0.5,
                "interval": [0.9 * constant / w**0.5, 1.2 * constant / w**0.5],
                "count": 100,
            }
            for w in (32, 64, 128)
        ],
    }


def sample_document() -> dict[str, Any]:
    """Every figure's evidence, by hand: the crossing at layer 110 is the library's own certified
    result.
    """
    return {
        "schema": 1,
        "environment": environment(3, LEVEL, None),
        "results": [
            result(
                PRINTED,
                {"paths": [path_record(Fraction(9, 40), 110)], "precision_bits": 128},
                {
                    "readouts": [
                        {"instance": "n=4", "alpha": 0.5, "bound": 1.25, "verdict": "supported"}
                    ]
                },
                verdict="refuted",
                expected="refuted",
            ),
            result(
                "orthogonality.decay:corrected", {"paths": [path_record(Fraction(81, 1600), None)]}
            ),
            result("orthogonality.decay:sharp", {"paths": [path_record(Fraction(81, 1600), None)]}),
            result("orthogonality.width_scaling", widths_record(1.14)),
            result("orthogonality.activation_conjecture:relu", widths_record(1.7)),
            result("orthogonality.activation_conjecture:tanh", widths_record(1.6)),
            result("orthogonality.activation_conjecture:sigmoid_collapse"),
        ],
    }


def simulate_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gap figure at widths that simulate at once."""
    monkeypatch.setattr(decay, "MAIN", decay.Panel(4, 0.5, 512, 3))
    monkeypatch.setattr(
        decay, "SMALL", (decay.Panel(2, 0.25, 256, 3), decay.Panel(8, 0.75, 128, 2))
    )
