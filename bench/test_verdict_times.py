"""How long the verdicts of each family take."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.kept import Kept
from bench.verdict_times import families, verdict_times


@pytest.mark.short
@pytest.mark.parametrize("family", families())
def test_verdict_times(benchmark: BenchmarkFixture, kept: Kept, family: str) -> None:
    found = benchmark.pedantic(verdict_times, (family, kept.short), rounds=1)
    kept.verdicts.append(found)
    kept.lines.append(
        f"{family}: first verdict after {found.first:.1f} s, {found.statements} of {found.of} "
        f"after {found.all:.1f} s"
    )
