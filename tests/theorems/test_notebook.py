"""Results show themselves in a notebook, and in one line where text is all there is."""

from __future__ import annotations

import re
import xml.dom.minidom
from dataclasses import replace

import numpy as np
import pytest
import torch

from theorems import Evidence, Verdict, get, verify
from theorems.inspection import inspect
from theorems.verification import Result, Results

THEOREM = "orthogonality.iterative_initialisation"
HOSTILE = "</td><script>alert(1)</script>"


@pytest.fixture(scope="module")
def results() -> Results:
    found = verify(THEOREM)
    assert isinstance(found, tuple)
    return found


def test_the_repr_of_every_result_is_one_line(results: Results) -> None:
    for result in results:
        text = repr(result)
        assert "\n" not in text
        assert len(text) < 120
        assert result.statement.name in text
        assert result.verdict.value in text
    assert repr(results[0]) == f"<{THEOREM}:as_printed: refuted, tightness 1.823 × bound>"


def test_a_result_shows_its_formula_and_every_piece_of_evidence(results: Results) -> None:
    for result in results:
        text = result._repr_html_()
        xml.dom.minidom.parseString(text)  # every tag closes
        assert "<math" in text
        assert text.count("<tr>") == len(result.evidence)
        assert result.statement.name in text


def test_results_show_themselves_as_a_table_with_a_row_each(results: Results) -> None:
    text = results._repr_html_()
    xml.dom.minidom.parseString(text)
    assert text.count("<tr>") == 1 + len(results)
    assert all('scope="' in head for head in re.findall("<th [^>]*>", text))


def test_texts_are_only_text() -> None:
    statement = replace(get(f"{THEOREM}:corrected"), title=HOSTILE, expected=Verdict.PROVED)
    piece = Evidence(
        method=HOSTILE, verdict=Verdict.CERTIFIED, summary=HOSTILE, sentinel=Verdict.REFUTED
    )
    result = Result(statement, Verdict.INCONCLUSIVE, (piece,))
    for text in (result._repr_html_(), Results([result])._repr_html_()):
        xml.dom.minidom.parseString(text)
        assert "<script" not in text
        assert "expected proved" in text


def test_an_inspection_shows_every_layer_and_finding() -> None:
    layers = [torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 8), torch.nn.ReLU()]
    found = inspect(torch.nn.Sequential(*layers, torch.nn.Linear(8, 2)), np.eye(4)[:3])
    text = found._repr_html_()
    xml.dom.minidom.parseString(text)
    assert text.count('<th scope="row"') == len(found.layers) + len(found.findings)
    assert repr(found) == f"<Inspection of {len(found.layers)} layers: {found.verdict}>"
    assert "\n" not in repr(found)
