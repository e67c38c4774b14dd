"""The figure of the rank: the points are the evidence, the curves the spectra of the chains."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from report_samples import result

from simulators import residual_chain, vanilla_chain
from theorems.families.rank import rank_figure
from theorems.report import style
from theorems.verification import LEVEL, environment


def row(d: int, gamma: str, middle: float, **more: Any) -> dict[str, Any]:
    return {
        "d": d,
        "gamma": gamma,
        "weights": "gaussian",
        "median r_bar": middle,
        "low r_bar": 0.9 * middle,
        "high r_bar": 1.2 * middle,
        "verdict": "supported",
    } | more


def document(*rows: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema": 1,
        "environment": environment(3, LEVEL, None),
        "results": [result(rank_figure.NAME, {"readouts": list(rows)})],
    }


ROWS = (row(32, "∞", 5.0), row(8, "∞", 2.3), row(8, "0.1", 2.6))


def test_points_and_bars_are_those_of_the_evidence() -> None:
    found = rank_figure.ranks(document(*ROWS))
    assert sorted(found) == ["0.1", "∞"]
    np.testing.assert_allclose(found["∞"], [[8, 32], [2.3, 5.0], [2.07, 4.5], [2.76, 6.0]])
    drawn = rank_figure.draw(document(*ROWS))
    assert drawn is not None
    axes = drawn.figure.axes[0]
    bars = {bar.get_label(): bar for bar in axes.containers}
    line, _, (segments,) = bars["γ = ∞"]
    np.testing.assert_allclose(line.get_ydata(), [2.3, 5.0])
    np.testing.assert_allclose(
        [s[:, 1] for s in segments.get_segments()], [[2.07, 2.76], [4.5, 6.0]]
    )
    guides = {x.get_label(): x for x in axes.get_lines()}
    for name, value in (("√d", 2.0), ("√d/3", 2 / 3), ("d: full rank", 4.0)):
        x, y = map(np.asarray, guides[name].get_data())
        np.testing.assert_allclose(y, value * (x / 4) ** (1 if "full" in name else 0.5))


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "inconclusive"},
        {"weights": "uniform"},
        {"low r_bar": None},
        {"median r_bar": -1.0},
        {"gamma": "7"},
    ],
)
def test_what_the_run_left_open_is_not_drawn(change: dict[str, Any]) -> None:
    found = rank_figure.ranks(document(*ROWS, row(16, "∞", 3.3) | change))
    assert 16 not in found["∞"][0]
    assert "7" not in found


def test_without_the_statement_there_is_no_figure() -> None:
    assert (
        rank_figure.draw({"schema": 1, "environment": environment(3, LEVEL, None), "results": []})
        is None
    )
    assert rank_figure.draw(document()) is None


def crosses(*rows: dict[str, Any]) -> list[tuple[float, float]]:
    drawn = rank_figure.draw(document(*rows))
    assert drawn is not None
    return [
        tuple(point)
        for line in drawn.figure.axes[0].get_lines()
        if line.get_label() == "γ = 0.01, published loop"
        for point in np.asarray(line.get_xydata())
    ]


def test_the_loop_of_the_source_stands_beside_the_points() -> None:
    found = crosses(*ROWS)
    for (x, y), width in zip(found, (8, 32), strict=True):
        assert y == rank_figure.published(width, 3)
        assert width < x < 1.2 * width
        assert width**0.5 / 3 < y < width
    assert crosses(row(256, "0.1", 15.0), row(512, "0.1", 20.0)) == []


def test_the_spectrum_recovers_with_normalisation_and_collapses_without() -> None:
    kept = rank_figure.spectra(residual_chain(rank_figure.WIDTH, math.inf), 3)
    lost = rank_figure.spectra(vanilla_chain(rank_figure.WIDTH), 3)
    for spectrum in (kept, lost):
        assert spectrum.shape == (rank_figure.DEPTH + 1, rank_figure.WIDTH)
        np.testing.assert_allclose(spectrum.sum(axis=1), rank_figure.WIDTH)
        assert spectrum[0, 1] < 1e-4
    assert kept[-1, 1] > 1
    assert lost[-1, 1] < 1e-3
    drawn = rank_figure.draw(document(*ROWS))
    assert drawn is not None
    for axes, spectrum in zip(drawn.figure.axes[1:], (kept, lost), strict=True):
        (first,) = [x for x in axes.get_lines() if x.get_label() == "λ_1"]
        np.testing.assert_allclose(first.get_ydata(), spectrum[:, 0])


def test_the_figure_is_written(tmp_path: Any) -> None:
    drawn = rank_figure.draw(document(*ROWS))
    assert drawn is not None
    assert all(path.stat().st_size > 0 for path in style.save(drawn, tmp_path))
