"""Mean effective ranks beside their bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from theorems.report.document import evidence_of, find
from theorems.report.style import COLOURS, Drawing, drawing, new_figure

__all__ = ["draw"]


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """One point for each start; None if the statement was not run."""
    if (found := find(document, "purity.recentred")) is None:
        return None
    (evidence,) = evidence_of(found, "readouts")
    rows = evidence["readouts"]
    with drawing():
        figure = new_figure(4, 3)
        axes = figure.add_subplot()
        axes.plot(
            [row["bound"] for row in rows],
            [row["mean"] for row in rows],
            "o",
            color=COLOURS["measured"],
        )
        axes.set(xlabel="n - 1", ylabel="mean effective rank")
    return Drawing(
        "purity", "Recentred ranks", "Means of the effective rank against n - 1.", figure
    )
