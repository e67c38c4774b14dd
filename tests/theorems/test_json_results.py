"""The JSON of a result says what the result says, field by field, for every verdict."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theorems import Evidence, Verdict, get, library
from theorems.report.document import document_of as document
from theorems.verification import Result

STATEMENT = get("orthogonality.gap_vs_smallest_eigenvalue:sharp")
NUMBERS = st.none() | st.floats(0, 10)


@st.composite
def results(draw: st.DrawFn) -> Result:
    evidence = draw(
        st.lists(
            st.builds(
                Evidence,
                method=st.sampled_from(["proof", "certificate", "search", "simulation"]),
                verdict=st.sampled_from(Verdict),
                summary=st.text(max_size=20),
                sentinel=st.sampled_from(Verdict),
                tightness=NUMBERS,
                power=NUMBERS,
                partial=st.booleans(),
                apart=st.booleans(),
                seconds=st.floats(0, 100),
                details=st.dictionaries(
                    st.sampled_from(["seed", "level", "words"]), st.integers(), max_size=2
                ),
            ),
            max_size=3,
        )
    )
    statement = replace(STATEMENT, expected=draw(st.sampled_from(Verdict)))
    return Result(
        statement,
        draw(st.sampled_from(Verdict)),
        tuple(evidence),
        draw(st.booleans()),
        tuple(draw(st.lists(st.sampled_from(["a.b", "a.c"]), max_size=2))),
    )


def _says(result: Result, found: dict[str, Any]) -> None:
    statement = result.statement
    told = {
        "statement": "orthogonality.gap_vs_smallest_eigenvalue",
        "variant": "sharp",
        "title": statement.title,
        "quantifier": statement.quantifier.value,
        "source": str(statement.source),
        "verdict": str(result.verdict),
        "expected": str(statement.expected),
        "as_expected": result.as_expected,
        "tightness": result.tightness,
        "tightness_interval": result.tightness_interval,
        "power": result.power,
        "seconds": round(result.seconds, 3),
        "weakened_by": list(result.weakened_by),
    }
    assert {name: found[name] for name in told} == told
    assert len(found["evidence"]) == len(result.evidence)
    for piece, written in zip(result.evidence, found["evidence"], strict=True):
        assert written == {
            "method": piece.method,
            "verdict": str(piece.verdict),
            "summary": piece.summary,
            "sentinel": str(piece.sentinel),
            "sentinel_claim": statement.sentinel.words,
            "tightness": piece.tightness,
            "power": piece.power,
            "seconds": round(piece.seconds, 3),
            "partial": piece.partial,
            "apart": piece.apart,
            **piece.details,
        }


@given(results())
def test_every_field_of_a_result_is_in_its_json(result: Result) -> None:
    _says(result, result.as_json())


@pytest.mark.parametrize(("verdict", "own", "sentinel"), [*itertools.product(Verdict, repeat=3)])
def test_no_verdict_is_written_as_another(
    verdict: Verdict, own: Verdict, sentinel: Verdict
) -> None:
    piece = Evidence(method="search", verdict=own, summary="", sentinel=sentinel)
    result = Result(replace(STATEMENT, expected=own), verdict, (piece,))
    _says(result, json.loads(json.dumps(result.as_json())))


def test_the_document_holds_the_results_as_they_are() -> None:
    made = [
        Result(
            s,
            verdict,
            (Evidence(method="search", verdict=verdict, summary="", sentinel=Verdict.REFUTED),),
        )
        for s, verdict in zip(library(), itertools.cycle(Verdict), strict=False)
    ]
    found = document(made, seed=3, level=1e-5, batch=None, interrupted=False)
    assert json.loads(json.dumps([r.as_json() for r in made])) == json.loads(
        json.dumps(_listed(found))
    )


def _listed(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The results in a document, whatever it calls them."""
    (listed,) = (
        value
        for value in found.values()
        if isinstance(value, list) and value and "evidence" in value[0]
    )
    return listed
