"""Every pair and its target."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from _pytest.mark import ParameterSet
from pytest_benchmark.fixture import BenchmarkFixture

from bench.kept import Kept
from bench.pair import Pair, Total, totalled
from bench.pairs import PAIRS, TOTALS


def marked(pairs: Sequence[Pair]) -> list[ParameterSet]:
    """The pairs as parameters, those of the short form marked."""
    return [
        pytest.param(pair, id=pair.name, marks=[pytest.mark.short] if pair.short else [])
        for pair in pairs
    ]


@pytest.mark.parametrize("pair", marked(PAIRS))
def test_ratio(benchmark: BenchmarkFixture, kept: Kept, pair: Pair) -> None:
    found = kept.ratio(pair)
    benchmark.pedantic(pair.ours.call, rounds=1)
    benchmark.extra_info.update(ratio=found.found.value, target=found.target)
    kept.require(found.meets or not pair.required, found.summary)


@pytest.mark.parametrize("total", TOTALS, ids=lambda total: total.name)
def test_ratio_of_totals(kept: Kept, total: Total) -> None:
    found = totalled(total, [kept.ratio(pair) for pair in total.pairs])
    kept.keep(found)
    kept.require(found.meets, found.summary)
