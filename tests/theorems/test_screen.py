"""Numbers as text, and fields: by value."""

from __future__ import annotations

import pytest
from consoles import plain, printed

from theorems.terminal.screen import duration, field, ratio, sensitivity, shortened


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (0.0, "0.000"),
        (0.46770717, "0.468"),
        (1.0, "1.000"),
        (8.1e-05, "8.1e-05"),
        (1234.5, "1.2e+03"),
    ],
)
def test_ratio(value: float | None, expected: str) -> None:
    assert ratio(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (0.0, "exact"),
        (0.0972, "0.097"),
        (0.5, "0.5"),
        (1.0, "≥ 1"),
        (float("inf"), "≥ 1"),
    ],
)
def test_sensitivity(value: float | None, expected: str) -> None:
    assert sensitivity(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.04, "0.0 s"), (59.9, "59.9 s"), (60, "1 min 00 s"), (205.7, "3 min 25 s")],
)
def test_duration(value: float, expected: str) -> None:
    assert duration(value) == expected


def test_shortened_keeps_both_ends() -> None:
    assert shortened("a  b\nc", 10) == "a b c"
    long = "".join(chr(97 + k % 26) for k in range(200))
    assert len(shortened(long, 60)) <= 60
    assert shortened(long, 60).startswith(long[:30])
    assert shortened(long, 60).endswith(long[-16:])


def test_field_wraps_beside_its_margin() -> None:
    out = plain(34)
    field(out, "Name", "one two three four five six seven")
    assert printed(out) == "Name          one two three four\n              five six seven\n"
