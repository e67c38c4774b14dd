"""Every pair and its target."""

import pytest

from bench.pair import totalled
from bench.pairs import PAIRS, TOTALS


def marked(pairs):
    """The pairs as parameters, those of the short form marked."""
    return [
        pytest.param(pair, id=pair.name, marks=[pytest.mark.short] if pair.short else [])
        for pair in pairs
    ]


@pytest.mark.parametrize("pair", marked(PAIRS))
def test_ratio(benchmark, kept, pair):
    found = kept.ratio(pair)
    benchmark.pedantic(pair.ours.call, rounds=1)
    benchmark.extra_info.update(ratio=found.found.value, target=found.target)
    assert found.meets, kept.lines[-1]


@pytest.mark.parametrize("total", TOTALS, ids=lambda total: total.name)
def test_ratio_of_totals(kept, total):
    found = totalled(total, [kept.ratio(pair) for pair in total.pairs])
    kept.keep(found)
    assert found.meets, kept.lines[-1]
