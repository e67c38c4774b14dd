"""How cost grows, and the memory that is held at most."""

import pytest

from bench.growth import GROWTHS, grown
from bench.memory import GIB, SIMULATIONS, peak


def marked(cases):
    """The cases as parameters, those of the short form marked."""
    return [
        pytest.param(each, id=each.name, marks=[pytest.mark.short] if each.short else [])
        for each in cases
    ]


@pytest.mark.parametrize("sizes", marked(GROWTHS))
def test_growth(benchmark, kept, sizes):
    found = grown(sizes)
    benchmark.pedantic(sizes.run, (sizes.sizes[0], sizes.amounts[0]), rounds=1)
    kept.growth.append(found)
    slope = found.found
    line = f"{found.name}: exponent {slope.value:.2f} ({slope.low:.2f} … {slope.high:.2f})"
    kept.lines.append(line + (f"; at most {found.most:g}" if found.most else ""))
    assert found.most is None or slope.value <= found.most, kept.lines[-1]


@pytest.mark.parametrize("simulation", marked(SIMULATIONS))
def test_memory(benchmark, kept, simulation):
    found = benchmark.pedantic(peak, (simulation,), rounds=1)
    kept.memory.append(found)
    kept.lines.append(
        f"{found.name}: peak {found.peak / GIB:.2f} GiB, {found.before / GIB:.2f} before; "
        f"{found.seconds:.1f} s" + (f"; limit {found.most / GIB:g} GiB" if found.most else "")
    )
    assert found.most is None or found.peak < found.most, kept.lines[-1]
