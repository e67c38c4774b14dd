"""Named values of the coordinates of a start, and the name of a start: what a lay-out is made of
and reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TypeAlias

from simulators.arguments import whole_number
from simulators.starts.axes import corner_axes
from simulators.starts.start import Start, Vector
from simulators.strategies import corner_spectra

__all__ = ["corner_samples", "corner_scales", "named"]

#: Which samples are copied, and their signs.
Samples: TypeAlias = tuple[tuple[int, ...], Vector]

_LARGE, _SMALL = Fraction(100), Fraction(1, 100)


def corner_samples(n: int) -> dict[str, Samples]:
    """Copies and signs of n samples by name, all different: as they are, turned round, twice, and
    x, -x.

    Raises `ValueError` for n < 1.

    >>> corner_samples(2)["x, -x"]
    ((0, 0), (Fraction(1, 1), Fraction(-1, 1)))
    """
    own, plus = tuple(range(whole_number("n", n, 1))), (Fraction(1),) * n
    found: dict[str, Samples] = {"as they are": (own, plus)}
    if n > 1:
        alternating = tuple(Fraction((-1) ** k) for k in own)
        found["signs alternating"] = (own, alternating)
        found["x, x"] = ((0, 0, *own[2:]), plus)
        found["x, -x"] = ((0, 0, *own[2:]), (Fraction(1), Fraction(-1), *plus[2:]))
    if n > 3:
        found["pairs x, -x"] = (tuple(k - k % 2 for k in own), alternating)
    return found


def corner_scales(n: int) -> dict[str, Vector]:
    """Norms of n samples, relative to what the spectrum gives them, by name, all different.

    Raises `ValueError` for n < 1.

    >>> [str(x) for x in corner_scales(3)["first ×100"]]
    ['100', '1', '1']
    """
    rest = (Fraction(1),) * (whole_number("n", n, 1) - 1)
    found = {"as they are": (Fraction(1), *rest)}
    if n > 1:
        found |= {"first ×100": (_LARGE, *rest), "first ×1/100": (_SMALL, *rest)}
    if n > 2:
        found["growing"] = tuple(Fraction(k + 1) for k in range(n))
    return found


def named(start: Start) -> dict[str, str]:
    """A start's coordinates in words: ``spectrum``, ``basis``, ``samples``, ``scales``, ``rows``.

    What is plain is left out, except the spectrum and the basis.

    >>> half, one = Fraction(1, 2), Fraction(1)
    >>> named(Start((half, half), copies=(0, 0), scales=(one, -one)))
    {'spectrum': 'uniform', 'basis': 'diagonal', 'samples': 'x, -x'}
    """
    size = start.size
    mirrored = len(start.mirrors)
    basis = _name(corner_axes(size), start.axes) or "other axes"
    found = {
        "spectrum": _name(corner_spectra(size), start.spectrum) or _numbers(start.spectrum),
        "basis": basis + f" turned by {mirrored} mirror{'s' * (mirrored > 1)}" * (mirrored > 0),
    }
    signs = tuple(Fraction(1 if s > 0 else -1) for s in start.scales)
    samples = _name(corner_samples(size), (start.copies, signs))
    if samples != "as they are":
        copied = size - len(set(start.copies))
        found["samples"] = samples or f"{copied} copied, {signs.count(Fraction(-1))} turned round"
    sizes = tuple(abs(s) for s in start.scales)
    scales = _name(corner_scales(size), sizes) or _multiple(sizes)
    if scales != "as they are":
        found["scales"] = scales
    if start.repeats > 1:
        found["rows"] = f"stacked {start.repeats} times"
    return found


def _name(corners: Mapping[str, object], value: object) -> str:
    return next((name for name, corner in corners.items() if corner == value), "")


def _multiple(sizes: Vector) -> str:
    return f"all ×{sizes[0]}" if len(set(sizes)) == 1 else f"×{_numbers(sizes)}"


def _numbers(values: Vector) -> str:
    return "(" + ", ".join(f"{float(x):.4g}" for x in values) + ")"
