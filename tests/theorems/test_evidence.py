"""What checks saw is written as JSON, and read back as the same kind, whatever check it was."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from theorems import Evidence, Verdict
from theorems.checking.check import SampledRows
from theorems.checking.enclosures import EnclosedNumbers
from theorems.checking.expectation import MeanRow, Measured
from theorems.checking.lost_samples import UndefinedSamples
from theorems.checking.medians import Compared, MedianRow
from theorems.checking.pointwise import DecidedBatch, DecidedInputs
from theorems.checking.scaling import MeasuredSlope, WidthMean
from theorems.checking.search import Hunt
from theorems.checking.symbolic import Factorised, Simplified
from theorems.checking.width_limit import FollowedPath, FollowedPaths
from theorems.evidence import Details, Recorded, beside, read_details

MEAN = {
    "instance": "n=4",
    "n": 4,
    "d": 64,
    "bound": 0.5,
    "verdict": "supported",
    "sentinel": "refuted",
}
MEASURED = {"mean": 0.2, "low": 0.1, "high": 0.3, "replicas": 32, "tightness": 0.4, "power": None}
MEDIAN = {"instance": "d=8", "d": 8, "verdict": "inconclusive", "sentinel": "inconclusive"}
PATH = {
    "n": 2,
    "start": ["1/4", "3/4"],
    "multiplicities": [1, 1],
    "parameters": {"alpha": "1/4"},
    "crossing_layer": None,
    "tightness": 0.0,
    "last_layer": 0,
    "verdict": "outside",
}
DECIDED = {"decided": 3, "outside": 1, "open": 0}
SLOPE = {"seed": 0, "engine": "gram", "dtype": "float64", "level": 1e-6}
ROWS = {"seed": 0, "level": 1e-6, "sentinel_refuted_on": 0}
HUNT = {"tried": {"corner inputs": 4}, "replayed": 0, "sentinel_witness": None}
FELL = {"witness": {"x": "1/2"}, "margin": "1 > 0", "attack": "corner inputs", "kind": "exact"}

#: Evidence as it was written before it had types, with the kind that it is.
WRITTEN: list[tuple[type[Details], dict[str, Any]]] = [
    (MeanRow, MEAN),
    (MeanRow, {**MEAN, "cut": True, **MEASURED, "spoiled": 2, "paths_in_event": 0, "discarded": 9}),
    (MeanRow, {**MEAN, **MEASURED, "undefined": 3}),
    (Measured, MEASURED),
    (MedianRow, {**MEDIAN, "medians r": [1.0, None], "obstacle": "too dear", "gamma": 0.1}),
    (Compared, {"bound": None, "tightness": None, "power": 0.5}),
    (SampledRows, {**ROWS, "readouts": [{**MEDIAN, "obstacle": "out of time"}]}),
    (
        SampledRows,
        {
            **ROWS,
            "engine": "",
            "dtype": "float64",
            "readouts": [{**MEAN, **MEASURED}],
            "scope": "one",
        },
    ),
    (UndefinedSamples, {"seed": 0, "undefined": 3, "samples": 12, "instance": "n=2, ell=1"}),
    (MeasuredSlope, {**SLOPE, "slope": None, "widths": []}),
    (
        MeasuredSlope,
        {
            **SLOPE,
            "spoiled": 1,
            "slope": [-0.6, -0.4],
            "widths": [{"width": 64, "mean": None, "interval": [0.0, 1.0], "count": 0}],
        },
    ),
    (WidthMean, {"width": 64, "mean": 0.5, "interval": [0.4, 0.6], "count": 32}),
    (DecidedInputs, {**DECIDED, "sentinel_witness": ["1/2", "1/2"], "tightest_at": ["1", "0"]}),
    (DecidedInputs, {**DECIDED, "sentinel_witness": None, "witness": {"n": 2, "theta": "1/50"}}),
    (DecidedBatch, {"batch": "refuted", **DECIDED, "witness": "the batch, 2×2"}),
    (Hunt, HUNT),
    (Hunt, {**HUNT, **FELL, "kept": "witnesses/one.toml"}),
    (Hunt, {**HUNT, **FELL, "not_kept": "the directory cannot be written"}),
    (FollowedPath, PATH),
    (FollowedPath, {**PATH, "crossing_layer": 3, "lhs": "[1 +/- 1e-9]", "rhs": "0.5"}),
    (FollowedPaths, {"precision_bits": 128, "depth": 300, "paths": [PATH]}),
    (
        EnclosedNumbers,
        {"precision_bits": 192, "enclosures": {"n=2": {"x": "[1 +/- 1e-9]"}}, "sentinel_found": ""},
    ),
    (Simplified, {"scale": "n", "sentinel_found": "the sides differ at x = 1"}),
    (Factorised, {"factor": "x", "terms": ["y**2"], "sentinel_witness": None}),
]


@pytest.mark.parametrize(("kind", "written"), WRITTEN)
def test_evidence_of_a_former_version_is_read_as_its_kind(
    kind: type[Details], written: dict[str, Any]
) -> None:
    details = read_details(written)
    assert type(details) is kind
    assert json.loads(json.dumps(details.json)) == written
    assert kind.read(details) == details


def test_every_kind_of_the_checks_is_among_them() -> None:
    kinds = {k for k in Details.__subclasses__() if k.__module__.startswith("theorems.checking")}
    assert kinds == {kind for kind, _ in WRITTEN}


@pytest.mark.parametrize(
    "data",
    [{}, {"words": "of another package"}, {"decided": 3}, {**DECIDED, "more": [1, {"a": 2}]}],
)
def test_what_is_of_no_kind_stays_as_it_is(data: dict[str, Any]) -> None:
    details = read_details(data)
    assert (type(details), dict(details)) == (Recorded, data)


def test_a_check_of_another_package_may_give_plain_data() -> None:
    def found(details: Any) -> Evidence:
        return Evidence(
            method="search",
            verdict=Verdict.REFUTED,
            summary="at 2",
            sentinel=Verdict.REFUTED,
            details=details,
        )

    assert found({"a": 1}).details["a"] == 1
    assert found({"a": 1}).details.fell(str) == ""
    assert found({"a": 1, "witness": 2}).details.fell(str) == "false at 2"
    assert found({**DECIDED, "sentinel_witness": None}).details.decided == 3


def test_a_field_is_written_unless_it_is_what_it_is_by_default() -> None:
    @dataclass(frozen=True)
    class Kind(Details):
        needed: int | None
        verdict: Verdict = Verdict.SUPPORTED
        inner: WidthMean | None = field(default=None, metadata=beside(WidthMean))
        rest: dict[str, int] = field(default_factory=dict, metadata=beside())

    assert dict(Kind(None)) == {"needed": None}
    mean = WidthMean(8, 0.5, (0.4, 0.6), 2)
    full = Kind(1, Verdict.REFUTED, mean, {"a": 2})
    assert dict(full) == {"needed": 1, "verdict": "refuted", **mean, "a": 2}
    assert list(full["interval"]) == [0.4, 0.6]


def test_how_a_claim_fell_is_told_by_the_evidence() -> None:
    assert read_details({**HUNT, **FELL}).fell(str) == "false at {'x': '1/2'} (1 > 0)"
    limit = {**HUNT, **FELL, "kind": "width limit"}
    assert "in the limit of width, hence at some width (1 > 0)" in read_details(limit).fell(str)
    assert read_details(HUNT).fell(str) == ""
    crossed = {
        **PATH,
        "verdict": "refuted",
        "crossing_layer": 3,
        "lhs": "[1 +/- 1e-9]",
        "rhs": "0.5",
    }
    paths = {"precision_bits": 128, "depth": 300, "paths": [PATH, crossed]}
    assert read_details(paths).fell(str) == (
        "the certified width-limit path crosses the bound at layer 3 for n = 2 (1 > 0.5)"
    )
