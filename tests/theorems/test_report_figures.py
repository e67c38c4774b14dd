"""The figures of the report: what is drawn is what the statements and the evidence say."""

from __future__ import annotations

import copy
import math
from typing import Any

import flint
import numpy as np
import pytest
from report_samples import sample_document, simulate_little

from simulators.engines.mean_field import rescale_path_enclosure
from theorems import get
from theorems.families.orthogonality import decay_figures as decay
from theorems.families.orthogonality import one_step_figure as one_step
from theorems.families.orthogonality import scaling_figure as scaling
from theorems.report import validate_document
from theorems.report.style import drawing, new_figure


@pytest.fixture
def document() -> dict[str, Any]:
    return sample_document()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    simulate_little(monkeypatch)


def line(axes: Any, label: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    found = [x for x in axes.get_lines() if x.get_label() == label]
    assert len(found) == 1, f"{label}: {[x.get_label() for x in axes.get_lines()]}"
    return np.asarray(found[0].get_xdata()), np.asarray(found[0].get_ydata())


@pytest.mark.usefixtures("small")
def test_gap_figure_draws_the_statements_own_bounds(document: dict[str, Any]) -> None:
    drawn = decay.draw_gap(document)
    assert drawn is not None
    panels = (decay.MAIN, *decay.SMALL)
    for axes, panel in zip(drawn.figure.axes, panels, strict=True):
        smallest = panel.share / panel.n
        known = {
            "as_printed": {"alpha": math.sqrt(smallest)},
            "corrected": {"alpha": smallest},
            "sharp": {"alpha": smallest, "Vhat_1": 1 / panel.n - smallest},
        }
        values = []
        for variant, symbols in known.items():
            layers, drawn_values = line(axes, variant)
            np.testing.assert_array_equal(layers, np.arange(decay.DEPTH + 1))
            expected = get(f"orthogonality.decay:{variant}").bound(
                n=panel.n, d=panel.width, ell=layers, **symbols
            )
            np.testing.assert_allclose(drawn_values, expected, rtol=1e-12)
            values.append(drawn_values)
        assert not np.allclose(values[0], values[1])
        assert not np.allclose(values[1], values[2])
        measured, limit = line(axes, "measured")[1], line(axes, "width limit")[1]
        assert measured[0] == pytest.approx(limit[0], rel=1e-6)  # in float32
        np.testing.assert_allclose(
            measured, panel.run("factor", 3, panel.replicas)["orthogonality_gap"].mean(axis=0)
        )
        (vacuous,) = [p for p in axes.patches if p.get_gid() == f"vacuous-{panel.n}"]
        assert vacuous.get_y() == pytest.approx(math.sqrt(1 - 1 / panel.n))


@pytest.mark.parametrize("panel", [decay.MAIN, *decay.SMALL], ids=lambda p: f"n={p.n}")
@pytest.mark.parametrize("variant", decay.VARIANTS)
def test_every_drawn_bound_says_something_where_it_is_drawn(
    panel: decay.Panel, variant: str
) -> None:
    statement = get(f"orthogonality.decay:{variant}")
    values = decay.parameters(statement, panel, panel.width_limit())
    layer = decay.first_speaking_layer(statement, panel.width, values)
    assert layer is not None
    assert layer < decay.DEPTH
    assert not statement.trivial(d=panel.width, ell=layer, **values)
    assert layer == 0 or statement.trivial(d=panel.width, ell=layer - 1, **values)
    width = decay.smallest_speaking_width(statement, values)
    assert width is not None
    assert not statement.trivial(d=width, ell=10**6, **values)
    assert statement.trivial(d=width - 1, ell=10**6, **values)


def test_a_bound_that_never_speaks_is_said_to_be_silent() -> None:
    statement = get("orthogonality.decay:corrected")
    assert decay.first_speaking_layer(statement, 64, {"n": 4, "alpha": 0.2}) is None
    assert decay.smallest_speaking_width(statement, {"n": 4, "alpha": 1e-12}) is None


def test_crossing_figure_shows_the_certified_path_and_the_bounds_without_noise(
    document: dict[str, Any],
) -> None:
    drawn = decay.draw_crossing(document)
    assert drawn is not None
    above, below = drawn.figure.axes
    layers, path = line(above, "certified path")
    starts = [flint.fmpq(81, 1600), flint.fmpq(1519, 24000)]
    for layer, balls in zip(range(5), rescale_path_enclosure(starts, [1, 15], 4), strict=True):
        smallest, other = (float(b.mid()) for b in balls)
        assert path[layer] == pytest.approx(
            math.sqrt((smallest - 1 / 16) ** 2 + 15 * (other - 1 / 16) ** 2), rel=1e-9
        )
    ratio = line(below, "as_printed")[1]
    np.testing.assert_allclose(path / ratio, 2 * (1 - 2 / 3 * 9 / 40) ** layers, rtol=1e-9)
    assert int(np.argmax(ratio > 1)) == 110
    assert (line(below, "corrected")[1] < 1).all()
    assert (line(below, "sharp")[1] < 1).all()
    assert "layer 110" in above.get_title(loc="left")


def test_crossing_figure_refuses_a_path_that_does_not_cross_where_it_says(
    document: dict[str, Any],
) -> None:
    record = document["results"][0]["evidence"][0]["paths"][0]
    for key, value in (
        ("crossing_layer", 100),
        ("start", ["x", "y"]),
        ("start", ["-1", "2"]),
        ("multiplicities", [1, 14]),
        ("parameters", {}),
        ("parameters", {"n": "16", "alpha": "7"}),
    ):
        broken = copy.deepcopy(document)
        broken["results"][0]["evidence"][0]["paths"][0] = record | {key: value}
        with pytest.raises(
            ValueError, match=r"decay:as_printed \(n=16\) cannot be followed"
        ) as caught:
            decay.draw_crossing(broken)
        assert "\n" not in str(caught.value)


def test_scaling_figure_draws_the_evidence(document: dict[str, Any]) -> None:
    found = scaling.draw(document)
    assert found is not None
    assert len(found.figure.axes) == 4
    (relu, tanh) = scaling.curves(document, scaling._GROUPS[1].members)
    assert (relu.label, tanh.label) == ("relu", "tanh")
    np.testing.assert_allclose(relu.means * np.sqrt(relu.widths), 1.7)
    assert relu.slope == (-0.55, -0.45)
    notes = [t.get_text() for axes in found.figure.axes for t in axes.texts]
    assert any("collapse to rank one" in note for note in notes)
    document["results"].pop()
    without = scaling.draw(document)
    assert without is not None
    assert not any("collapse" in t.get_text() for axes in without.figure.axes for t in axes.texts)


def test_a_fit_that_sampling_left_open_is_not_drawn(document: dict[str, Any]) -> None:
    for place, change in ((4, {"slope": [None, None]}), (5, {"widths": [], "slope": None})):
        document["results"][place]["evidence"][0] |= change
    document["results"][3]["evidence"][0]["widths"][1]["interval"] = [0.0, None]
    validate_document(document)
    assert scaling.draw(document) is None


def test_figures_are_unknown_to_pyplot(document: dict[str, Any]) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    with drawing():
        figure = new_figure(2, 1)
    assert type(figure.canvas).__name__ == "FigureCanvasAgg"
    assert scaling.draw(document) is not None
    assert pyplot.get_fignums() == []


def test_one_layer_lies_below_its_bounds_and_touches_the_sharp_ones(
    document: dict[str, Any],
) -> None:
    document = copy.deepcopy(document)
    names = [
        f"orthogonality.{theorem}:{variant}"
        for theorem in ("contraction", "one_step_drift")
        for variant in ("as_printed", "sharp", "harmonic")
    ]
    some = document["results"][0]
    parts = [name.split(":") for name in names]
    document["results"] = [{**some, "statement": x, "variant": variant} for x, variant in parts]
    drawn = one_step.draw(document)
    assert drawn is not None
    assert drawn.statements == tuple(names)
    contraction, drift = drawn.figure.axes
    truths = [line(contraction, kind)[1] for kind in one_step._KINDS]
    bounds = {name: line(contraction, name)[1] for name in ("as printed", "sharp", "harmonic")}
    shares = one_step.SHARES
    np.testing.assert_allclose(bounds["sharp"], 1 - 2 * 4 / 6 * shares / 4, rtol=1e-12)
    np.testing.assert_allclose(bounds["harmonic"], 1 / (1 + 2 * shares / 4), rtol=1e-9)
    for truth in truths:
        assert (truth < bounds["harmonic"]).all()
        assert (bounds["harmonic"] < bounds["sharp"]).all()
        assert (bounds["sharp"] < bounds["as printed"]).all()
        assert truth[-1] == pytest.approx(bounds["harmonic"][-1], rel=0.03)
    means = one_step.measured_shares(3).mean(axis=1)
    at = np.linspace(0.05, 0.95, 10)
    noisy = line(drift, "harmonic")
    assert (means < np.interp(at, *noisy)).all()
    assert not (means < np.interp(at, shares, bounds["harmonic"])).all()  # without the noise


def test_one_layer_is_not_drawn_of_a_run_without_it(document: dict[str, Any]) -> None:
    assert one_step.draw({**document, "results": []}) is None
