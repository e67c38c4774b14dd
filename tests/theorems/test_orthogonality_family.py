"""The whole family, run once as a user would: what theory says of each statement, and that the checks could tell.

Error budget of the run: 1e-6 for any false verdict, on a fixed seed, so that a failure repeats.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from theorems import Result, Statement, Verdict, library
from theorems.verification import verify_each

#: Verdicts as the theory has them, written down here and not read from the statements.
CERTIFIED = """unit_frobenius gap_vs_smallest_eigenvalue:as_printed gap_vs_smallest_eigenvalue:sharp
    gaussian_distance:identity gaussian_distance:as_printed gaussian_distance:sharp iterative_initialisation:corrected
    iterative_initialisation:conclusion convexity:corrected convexity:conclusion contraction:as_printed
    contraction:sharp"""
SUPPORTED = """concentration:as_printed concentration:sharp smallest_eigenvalue_concentration one_step_drift:as_printed
    one_step_drift:sharp decay:corrected decay:sharp gaussian_limit:corrected gaussian_limit:sharp
    averaged_stability:as_printed averaged_stability:sharp width_scaling vanilla_alignment:vanilla
    vanilla_alignment:batchnorm odd_activations:tanh odd_activations:sin activation_conjecture:relu
    activation_conjecture:tanh activation_conjecture:sin activation_conjecture:sigmoid
    activation_conjecture:sigmoid_collapse"""
REFUTED = """decay:as_printed gaussian_limit:as_printed iterative_initialisation:as_printed convexity:as_printed
    activation_conjecture:as_printed"""
TABLE = {
    f"orthogonality.{name}": verdict
    for verdict, names in (
        (Verdict.CERTIFIED, CERTIFIED),
        (Verdict.SUPPORTED, SUPPORTED),
        (Verdict.REFUTED, REFUTED),
    )
    for name in names.split()
}


def test_the_table_is_about_this_family() -> None:
    assert len(TABLE) == 38
    declared = {s.name: s.expected for s in library() if s.family == "orthogonality"}
    assert declared.items() >= TABLE.items()


def readouts(result: Result) -> list[Mapping[str, Any]]:
    return [
        row
        for e in result.evidence
        if e.method == "simulation"
        for row in e.details.get("readouts", ())
    ]


def false_bound(statement: Statement, row: Mapping[str, Any]) -> float:
    neighbour = statement.neighbour
    names = {v.name for v in neighbour.variables} | {str(x) for x in neighbour.rhs.free_symbols}
    return float(neighbour.bound(**{k: v for k, v in row.items() if k in names}))


def check_sampled(result: Result) -> None:
    """Claims about means: seen where they could fail, and against a neighbour that could have been
    true.
    """
    statement, rows = result.statement, readouts(result)
    spoke = [row for row in rows if row["verdict"] == Verdict.SUPPORTED]
    assert spoke, f"{statement.name}: no readout where the bound says something"
    for row in spoke:
        assert row["low"] <= row["mean"] <= row["high"]
        bound = float(statement.bound(**{k: v for k, v in row.items() if k in _names(statement)}))
        assert row["bound"] == bound
        if statement.relation == "<=":
            assert row["high"] <= bound
            assert bound < statement.top(**{k: v for k, v in row.items() if k in _names(statement)})
        if "paths_in_event" in row:
            assert 0 < row["paths_in_event"] <= row["replicas"]
    fallen = [row for row in rows if row["sentinel"] == Verdict.REFUTED]
    # a bound on a nonnegative mean that is positive could hold; the sampled mean says it does not
    assert any(false_bound(statement, row) > 0 for row in fallen), (
        f"{statement.name}: sentinel falls trivially"
    )


def _names(statement: Statement) -> set[str]:
    ceiling = statement.ceiling.free_symbols if statement.ceiling is not None else set()
    return {v.name for v in statement.variables} | {
        str(x) for x in statement.rhs.free_symbols | ceiling
    }


@pytest.mark.full  # the gate has the command line compare the same run with the ledger
def test_the_whole_family() -> None:
    results = {r.statement.name: r for r in verify_each(["orthogonality"], seed=0)}

    # what exact arithmetic certifies here instance by instance, Rocq has proved for all sizes
    stronger = {name: Verdict.PROVED if v is Verdict.CERTIFIED else v for name, v in TABLE.items()}
    assert {name: results[name].verdict for name in stronger} == stronger
    for name, result in results.items():
        assert all(
            e.sentinel is Verdict.REFUTED
            for e in result.evidence
            if e.details.get("link") != "name"
        ), name
        assert result.as_expected, name
        assert result.weak_sentinels == (), name
        json.dumps(result.as_json(), allow_nan=False)
        if readouts(result) and result.verdict is Verdict.SUPPORTED:
            check_sampled(result)

    # Theorem 1: both kinds of evidence, and every n where its mended bound is to speak
    decay = results["orthogonality.decay:corrected"]
    assert [(e.verdict, e.partial) for e in decay.evidence] == [
        (Verdict.CERTIFIED, True),
        (Verdict.SUPPORTED, False),
        (Verdict.PROVED, True),
    ]
    assert {row["n"] for row in readouts(decay) if row["verdict"] == Verdict.SUPPORTED} == {2, 4, 8}
    printed = results["orthogonality.decay:as_printed"].evidence[0]
    crossed = {path["n"]: path["crossing_layer"] for path in printed.details["paths"]}
    assert {16, 32} <= {n for n, layer in crossed.items() if layer is not None}
    # Appendix E: the counterexample is one
    witness = (
        results["orthogonality.iterative_initialisation:as_printed"].evidence[0].details["witness"]
    )
    assert witness == ["4/5", "3/5"]
    assert (64 + 27) ** 2 / 125**2 > ((256 + 81) / 625) ** 2
