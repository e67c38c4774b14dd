"""The figure of the lone outlier shows what was simulated."""

from typing import Any

import numpy as np
import pytest

from theorems.checking.confidence_intervals import clopper_pearson
from theorems.families.cluster import cluster_figure as figure

DOCUMENT: dict[str, Any] = {
    "environment": {"seed": 1},
    "results": [{"statement": "cluster.emergence", "variant": "outlier", "evidence": []}],
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure, "WIDTH", 64)
    monkeypatch.setattr(figure, "DEPTH", 60)
    monkeypatch.setattr(figure, "REPLICAS", 4)
    monkeypatch.setattr(figure, "CURVES", ((7, 500), (10, 500)))
    figure.share_by_layer.cache_clear()


def test_no_figure_without_the_statement() -> None:
    assert figure.draw({**DOCUMENT, "results": []}) is None


@pytest.mark.usefixtures("small")
def test_what_is_drawn_is_what_was_simulated() -> None:
    drawn = figure.draw(DOCUMENT)
    assert drawn is not None
    assert drawn.name == "lone_outlier"
    axes = drawn.figure.axes
    assert [x.get_title(loc="left") for x in axes[:8:2]] == ["n = 5", "n = 7", "n = 10", "n = 30"]
    found = figure.network(10, 64, 60, 1)
    lines = {str(x.get_label()): np.asarray(x.get_ydata()) for x in axes[4].get_lines()}
    others = [k for k in range(10) if k != found.apart]
    np.testing.assert_allclose(
        lines["with the one apart"], found.cosines[:, found.apart, others].mean(axis=1)
    )
    shares = {str(x.get_label()): np.asarray(x.get_ydata()) for x in axes[8].get_lines()}
    share, low, high = figure.share_by_layer(10, 500, 60, 1)
    np.testing.assert_array_equal(shares["n = 10, d = 500"], share)
    assert ((low <= share) & (share <= high)).all()
    assert (low[-1], high[-1]) == clopper_pearson(round(4 * share[-1]), 4, figure.LEVEL)


def test_the_sample_apart_is_the_one_with_the_small_cosines() -> None:
    cosines = np.tile(np.full((4, 4), 0.8), (8, 1, 1))
    cosines[:, 2, :] = cosines[:, :, 2] = 0.1
    assert figure.Network(cosines, np.ones((8, 4))).apart == 2
