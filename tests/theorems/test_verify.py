"""What a run of ``theorems verify`` prints: how statements fell, reasons, the table."""

from __future__ import annotations

from typing import Any

import pytest
from consoles import columns, finding, plain, printed

from simulators.batches import Batch, gaussian_batch
from theorems.checking.width_limit import FollowedPath, FollowedPaths
from theorems.commands.arguments import batch_line
from theorems.commands.verify import (
    Run,
    VerdictTable,
    how_it_fell,
    print_closing,
    print_refuted,
    reasons,
)
from theorems.registry import get, library
from theorems.statement import Verdict
from theorems.verification import Result


def test_a_crossing_is_told_with_layer_and_both_sides() -> None:
    def path(n: int, layer: int | None) -> FollowedPath:
        return FollowedPath(
            n=n,
            start=["1/4", "3/4"],
            multiplicities=[n // 2, n // 2],
            parameters={},
            crossing_layer=layer,
            tightness=1.0,
            last_layer=110,
            lhs="[3.45667898e-8 +/- 4e-20]",
            rhs="[3.44439e-8 +/- 4e-20]",
            verdict=Verdict.CERTIFIED if layer is None else Verdict.REFUTED,
        )

    followed = FollowedPaths(128, 300, (path(16, 110), path(32, None)))
    found = how_it_fell(get("orthogonality.decay:as_printed"), [finding(details=followed)])
    assert found == (
        "the certified width-limit path crosses the bound at layer 110 for n = 16 "
        "(3.45668e-08 > 3.44439e-08)"
    )


@pytest.mark.parametrize(
    ("name", "witness", "expected"),
    [
        (
            "orthogonality.iterative_initialisation:as_printed",
            ["4/5", "3/5"],
            "false at σ = (4/5, 3/5)",
        ),
        ("orthogonality.unit_frobenius", [["1", "0"], ["2", "1"]], "false at A = ((1, 0), (2, 1))"),
        (
            "orthogonality.convexity:as_printed",
            {"n": 2, "theta": "1/50"},
            "false at n = 2, θ = 1/50",
        ),
    ],
)
def test_a_witness_is_told_by_its_symbol(name: str, witness: Any, expected: str) -> None:
    assert how_it_fell(get(name), [finding(details={"witness": witness})]) == expected


def test_a_refutation_by_sampling_is_told_by_its_summary() -> None:
    evidence = [
        finding(verdict=Verdict.SUPPORTED, summary="fine"),
        finding(summary="mean in [2, 3], bound 1"),
    ]
    assert (
        how_it_fell(get("orthogonality.concentration:as_printed"), evidence)
        == "mean in [2, 3], bound 1"
    )


def test_reasons_name_every_defect_and_nothing_else() -> None:
    statement = get("orthogonality.convexity:corrected")
    run = Run(1, 0, 1e-6)
    sound = Result(statement, Verdict.CERTIFIED, (finding(verdict=Verdict.CERTIFIED),))
    assert sound.as_expected
    assert reasons(sound, run) == ""
    weak = Result(
        statement,
        Verdict.CERTIFIED,
        (finding(verdict=Verdict.CERTIFIED, sentinel=Verdict.CERTIFIED),),
    )
    assert reasons(weak, run) == "its false neighbour survived: search"
    lower = Result(statement, Verdict.SUPPORTED, (finding(verdict=Verdict.SUPPORTED),))
    assert reasons(lower, run) == "only supported, expected certified"


def test_batch_line_spells_out_the_convention() -> None:
    batch = Batch.of(gaussian_batch(7, 2, seed=0), "two samples")
    assert batch_line(batch) == "two samples; as the 7 × 2 matrix H, one sample per column"
    assert "own inputs" in batch_line(None)


@pytest.mark.parametrize("width", [80, 99, 100, 120])
def test_the_table_fits_and_lines_up(width: int) -> None:
    results = [
        Result(
            s,
            s.expected,
            (finding(verdict=s.expected, summary="many means by confidence sequence " * 3),),
        )
        for s in library()
    ]
    out = plain(width)
    table = VerdictTable(out, library())
    for result in results:
        table.add(result)
    print_refuted(out, results)
    print_closing(out, results, Run(len(results), 0, 1e-6))
    lines = printed(out).splitlines()
    assert max(columns(line) for line in lines) <= width
    assert all(line == line.rstrip() for line in lines)
    rows = [line for line in lines if "✓ " in line and "0.0 s" in line]
    assert len(rows) == len(library())
    assert len({line.index("✓") for line in rows}) == 1
    assert len({line.index("0.0 s") for line in rows}) == 1


@pytest.mark.parametrize("verdict", Verdict)
def test_a_row_is_the_same_whatever_rows_come_later(verdict: Verdict) -> None:
    """A row is printed before the later verdicts are known, so that it cannot depend on them."""
    first, last = get("orthogonality.convexity:as_printed"), get("orthogonality.decay:sharp")
    out = plain(100)
    table = VerdictTable(out, [first, last])
    table.add(Result(first, Verdict.REFUTED, (finding(),)))
    before = printed(out)
    table.add(Result(last, verdict, (finding(verdict=verdict),)))
    assert ":as_printed" in before
    after = printed(out)
    assert after.startswith(before)
    rows = [line for line in after.splitlines() if " s " in line]
    assert len({line.index(" s ") for line in rows}) == 1
