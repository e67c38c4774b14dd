"""How cost grows, and the memory that is held at most."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from _pytest.mark import ParameterSet
from pytest_benchmark.fixture import BenchmarkFixture

from bench.growth import GROWTHS, Sizes, grown
from bench.kept import Kept
from bench.memory import GIB, SIMULATIONS, Simulation, peak


def marked(cases: Sequence[Sizes] | Sequence[Simulation]) -> list[ParameterSet]:
    """The cases as parameters, those of the short form marked."""
    return [
        pytest.param(each, id=each.name, marks=[pytest.mark.short] if each.short else [])
        for each in cases
    ]


@pytest.mark.parametrize("sizes", marked(GROWTHS))
def test_growth(benchmark: BenchmarkFixture, kept: Kept, sizes: Sizes) -> None:
    found = grown(sizes)
    benchmark.pedantic(sizes.run, (sizes.sizes[0], sizes.amounts[0]), rounds=1)
    kept.growth.append(found)
    slope = found.found
    line = f"{found.name}: exponent {slope.value:.2f} ({slope.low:.2f} … {slope.high:.2f})"
    kept.lines.append(line + (f"; at most {found.most:g}" if found.most else ""))
    kept.require(found.most is None or slope.value <= found.most, kept.lines[-1])


@pytest.mark.parametrize("simulation", marked(SIMULATIONS))
def test_memory(benchmark: BenchmarkFixture, kept: Kept, simulation: Simulation) -> None:
    found = benchmark.pedantic(peak, (simulation,), rounds=1)
    kept.memory.append(found)
    kept.lines.append(
        f"{found.name}: peak {found.peak / GIB:.2f} GiB, {found.before / GIB:.2f} before; "
        f"{found.seconds:.1f} s" + (f"; limit {found.most / GIB:g} GiB" if found.most else "")
    )
    kept.require(found.most is None or found.peak < found.most, kept.lines[-1])
