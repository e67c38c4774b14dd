"""Figures of the family that trains: drawn from the evidence of a run, without training."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from simulators.training import Design, Recipe
from theorems import get
from theorems.checking.medians import within
from theorems.context import Context
from theorems.evidence import Details
from theorems.families.training.figures import LEVEL, Figure, curves_of
from theorems.families.training.runs import Treatment, compared, curve
from theorems.family import Family
from theorems.registry import families
from theorems.report.values import columns

SEEDS = np.arange(40.0)
CURVES = [
    curve("loss", "He", {2: SEEDS, 4: SEEDS + 1}),
    curve("loss", "other", {2: SEEDS, 4: np.where(SEEDS < 30, np.nan, SEEDS)}),
    curve("accuracy", "at the end", {"one": SEEDS, "two": SEEDS}),
]


def document(theorem: str = "depth_and_gap") -> dict[str, Any]:
    """A run of one statement whose evidence has those curves."""
    evidence = {"readouts": [{"curves": CURVES}, {}]}
    proof = {"method": "proof"}
    results = [
        {"statement": f"training.{theorem}", "evidence": [evidence, proof]},
        {"statement": "training.another", "evidence": [proof]},
    ]
    found: dict[str, Any] = json.loads(json.dumps({"results": results}))
    return found


FIGURE = Figure("depth_and_gap", "Title", "Claimed.", "Small.", across={"loss": "layers"})


def test_medians_and_their_intervals_are_drawn_panel_by_panel() -> None:
    drawn = FIGURE(document())
    assert drawn is not None
    loss, accuracy = drawn.figure.axes
    assert (loss.get_ylabel(), loss.get_xlabel()) == ("loss", "layers")
    assert (accuracy.get_ylabel(), accuracy.get_xlabel()) == ("accuracy", "")
    line, _, (bars,) = loss.containers[0]
    assert line.get_ydata().tolist() == [19.5, 20.5]
    low, high = within(SEEDS, LEVEL)
    assert bars.get_segments()[0][:, 1] == pytest.approx([low, high])
    assert "Claimed. Small. Points: medians over 40 seeds" in drawn.caption
    assert drawn.statements == ("training.depth_and_gap",)


def test_a_series_has_one_colour_in_every_panel_and_long_names_a_line_each() -> None:
    names = ("a name of twenty let", "another of fourteen")
    words = {"one": SEEDS, "two": SEEDS}
    curves = [
        *(curve("loss", series, {2: SEEDS, 4: SEEDS}) for series in names),
        curve("accuracy", names[1], words),
        *(curve("margin", series, words) for series in names[::-1]),
    ]
    value = document()
    value["results"][0]["evidence"][0]["readouts"] = [{"curves": curves}]
    drawn = FIGURE(value)
    assert drawn is not None
    loss, accuracy, margin = drawn.figure.axes
    colours = [
        {each.get_label(): each[0].get_color() for each in axes.containers}
        for axes in (loss, accuracy, margin)
    ]
    assert colours[0] == colours[2]
    assert colours[1].items() <= colours[0].items()
    assert accuracy.get_legend() is None, "one series of words needs no name"
    drawn.figure.draw_without_rendering()
    tops = [text.get_window_extent().y0 for text in margin.get_legend().get_texts()]
    assert tops[0] > tops[1]


def test_where_most_diverged_nothing_is_drawn() -> None:
    drawn = FIGURE(document())
    assert drawn is not None
    line, _, _ = drawn.figure.axes[0].containers[1]
    assert line.get_ydata()[0] == 19.5
    assert np.isnan(line.get_ydata()[1])


def test_without_curves_there_is_no_figure() -> None:
    assert FIGURE(document("uncentred_weights")) is None
    assert curves_of({"results": []}, "depth_and_gap") == []


def test_a_table_leaves_out_what_a_figure_draws() -> None:
    assert columns([{"n": 2, "curves": CURVES}]) == [("n", True)]


def test_evidence_holds_the_curves_of_its_check_and_is_read_again() -> None:
    small = Treatment(Design(2, 16), Recipe(steps=1))
    check = compared(
        "small", {"L": 2, "d": 16}, {"R": lambda c: SEEDS + 3}, small, curves=[lambda c: CURVES[0]]
    )
    found = check(get("training.normalisation_parts:recentring"), Context(0, 1e-3))
    (row,) = found.details["readouts"]
    assert row["curves"] == [{**CURVES[0], "at": [2, 4]}]
    assert isinstance(found.details, Details)
    assert type(found.details).read(found.details.json).json == found.details.json


def _training() -> Family:
    (found,) = [family for family in families() if family.name == "training"]
    return found


def test_every_theorem_of_the_family_has_a_figure() -> None:
    figures = _training().load("figures")
    theorems = {statement.theorem for statement in _training().load("statements")}
    assert sorted(figure.theorem for figure in figures) == sorted(theorems)
