"""Pictures of the page as SVG text, coloured by its style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bench.intervals import Interval
from bench.report.document import Growth
from bench.report.numbers import number, seconds

__all__ = ["Scale", "axis", "bar", "growth_chart", "scale_of", "sparkline"]

_WIDTH, _HEIGHT = 220, 22
_EDGE = 6


@dataclass(frozen=True)
class Scale:
    """A logarithmic scale from ``low`` to ``high`` over the width of a bar."""

    low: float
    high: float

    def at(self, x: float) -> float:
        """The place of ``x``, in units of the picture."""
        share = math.log(x / self.low) / math.log(self.high / self.low)
        return _EDGE + share * (_WIDTH - 2 * _EDGE)


def scale_of(values: Sequence[float], least: float = 1.0) -> Scale:
    """A scale that holds all of ``values``, with some room on both sides.

    Its ends are at least a factor ``least`` apart, so that small differences look small.
    """
    low, high = min(values), max(values)
    room = max((high / low) ** 0.06, 1.05, math.sqrt(least * low / high))
    return Scale(low / room, high * room)


def axis(scale: Scale) -> Markup:
    """The scale of the bars below it: numbers at powers of ten, or more where few."""
    low, high = math.log10(scale.low), math.log10(scale.high)
    ticks = "".join(
        f'<text x="{scale.at(10**y):.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{10**y:.3g}</text>'
        f'<line class="grid" x1="{scale.at(10**y):.1f}" x2="{scale.at(10**y):.1f}" '
        f'y1="{_HEIGHT - 4}" y2="{_HEIGHT}"/>'
        for y in _ticks(low, high)
    )
    return Markup(
        f'<svg class="bar axis" viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true">{ticks}</svg>'
    )


def bar(found: Interval, target: float | None, standing: str, scale: Scale) -> Markup:
    """An interval with its estimate, and a line where the target is."""
    middle = _HEIGHT / 2
    low, high, at = scale.at(found.low), scale.at(found.high), scale.at(found.value)
    one = (
        f'<line class="one" x1="{scale.at(1):.1f}" x2="{scale.at(1):.1f}" y1="0" y2="{_HEIGHT}"/>'
        if scale.low < 1 < scale.high
        else ""
    )
    aim = (
        f'<line class="target" x1="{scale.at(target):.1f}" x2="{scale.at(target):.1f}" '
        f'y1="1" y2="{_HEIGHT - 1}"/>'
        if target is not None
        else ""
    )
    label = f"{number(found.value)}, from {number(found.low)} to {number(found.high)}"
    label += f"; target {number(target)}" if target is not None else ""
    return Markup(
        f'<svg class="bar {standing.split()[0]}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{label}">{one}{aim}'
        f'<line class="reach" x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}"/>'
        f'<circle cx="{at:.1f}" cy="{middle}" r="4"/></svg>'
    )


def sparkline(values: Sequence[Interval | None]) -> Markup:
    """Ratios of successive runs, None where a run has none: joined points."""
    known = [(k, each) for k, each in enumerate(values) if each is not None]
    ends = [x for _, each in known for x in (each.low, each.high)]
    scale = scale_of(ends, least=2.0)
    step = (_WIDTH - 2 * _EDGE) / max(1, len(values) - 1)

    def height(x: float) -> float:
        return _HEIGHT - _HEIGHT * (scale.at(x) - _EDGE) / (_WIDTH - 2 * _EDGE)

    places = [(_EDGE + k * step, each) for k, each in known]
    line = " ".join(f"{x:.1f},{height(each.value):.1f}" for x, each in places)
    reaches = "".join(
        f'<line class="reach" x1="{x:.1f}" x2="{x:.1f}" y1="{height(each.low):.1f}" '
        f'y2="{height(each.high):.1f}"/><circle cx="{x:.1f}" cy="{height(each.value):.1f}" r="3"/>'
        for x, each in places
    )
    label = ", ".join(number(each.value) for _, each in known)
    return Markup(
        f'<svg class="bar" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f'<polyline class="join" points="{line}"/>{reaches}</svg>'
    )


def growth_chart(growth: Growth) -> Markup:
    """Seconds against the size, both logarithmic: medians, and the fitted line."""
    width, height, left, right, top, bottom = 340, 210, 62, 24, 12, 40
    medians = [sorted(each)[len(each) // 2] for each in zip(*growth.seconds, strict=True)]
    slope = growth.found.value
    xs, ys = [math.log10(size) for size in growth.sizes], [math.log10(t) for t in medians]
    level = sum(ys) / len(ys) - slope * sum(xs) / len(xs)
    fitted = [level + slope * x for x in (xs[0], xs[-1])]
    floor, ceiling = min(*ys, *fitted) - 0.25, max(*ys, *fitted) + 0.12

    def across(x: float) -> float:
        return left + (x - xs[0]) / (xs[-1] - xs[0]) * (width - left - right)

    def up(y: float) -> float:
        return height - bottom - (y - floor) / (ceiling - floor) * (height - bottom - top)

    ticks = "".join(
        f'<text x="{across(x):.1f}" y="{height - bottom + 16}" text-anchor="middle">'
        f"{_size(size)}</text>"
        for x, size in zip(xs, growth.sizes, strict=True)
    )
    heights = "".join(
        f'<line class="grid" x1="{left}" x2="{width - right}" y1="{up(y):.1f}" y2="{up(y):.1f}"/>'
        f'<text x="{left - 6}" y="{up(y) + 4:.1f}" text-anchor="end">{seconds(10**y)}</text>'
        for y in _ticks(floor, ceiling)
    )
    points = "".join(
        f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="4"/>'
        for x, y in zip(xs, ys, strict=True)
    )
    return Markup(
        f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="seconds against {growth.variable}, exponent {slope:.2f}">{heights}{ticks}'
        f'<text x="{(left + width - right) / 2}" y="{height - 6}" text-anchor="middle">'
        f"{growth.variable}</text>"
        f'<line class="reach" x1="{across(xs[0]):.1f}" y1="{up(fitted[0]):.1f}" '
        f'x2="{across(xs[-1]):.1f}" y2="{up(fitted[1]):.1f}"/>{points}</svg>'
    )


def _size(size: int) -> str:
    """A size in few characters: large powers of ten as such.

    Example:
        >>> _size(400), _size(10**5)
        ('400', '10⁵')
    """
    power = len(str(size)) - 1
    if size >= 10**4 and size == 10**power:
        return "10" + str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return str(size)


def _ticks(floor: float, ceiling: float) -> list[float]:
    """Powers of ten in between, or places between them where there are fewer than two."""
    for parts in ((0.0,), (0.0, math.log10(3)), (0.0, math.log10(2), math.log10(5))):
        found = [
            decade + part
            for decade in range(math.floor(floor), math.ceil(ceiling) + 1)
            for part in parts
            if floor <= decade + part <= ceiling
        ]
        if len(found) >= 2:
            return found
    return [floor, ceiling]
