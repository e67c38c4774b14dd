"""Figures as parts of one page: in its colours, with ids of their own, and as short as they can be.

What Matplotlib writes of a figure is half digits that nobody sees and outlines of letters that
every figure has again. Of a whole run the page would be too large to be sent around.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape

from theorems.report.pictures import Picture

__all__ = ["inlined"]

#: The colours of ``theorems.report.style``, as variables of the page that follow light and dark.
_RECOLOURED = {
    "#24292f": "var(--ink)",
    "#59636e": "var(--muted)",
    "#d8dee4": "var(--grid)",
    "#ffffff": "none",
    "#0072b2": "var(--measured)",
    "#d55e00": "var(--as-printed)",
    "#009e73": "var(--corrected)",
    "#b0489a": "var(--sharp)",
}
#: Coordinates are whole numbers of these parts of a point, or of a letter's own unit.
_PARTS = 10
_PAIR = r"(?:\s+-?[\d.]+){2}"
#: A path as Matplotlib writes it; any other is left as it is.
_PATH = re.compile(rf"(?:\s*(?:[ML]{_PAIR}|Q(?:{_PAIR}){{2}}|C(?:{_PAIR}){{3}}|z))*\s*")

#: Lines that follow each other and are drawn alike; of translucent ones crossings would be lighter.
_ALIKE = re.compile(
    r'<path d="[^"]*"(?P<how> (?:(?!opacity)[^>])*fill: none(?:(?!opacity)[^>])*)/>'
    r'(?:<path d="[^"]*"(?P=how)/>)+'
)


def inlined(pictures: Iterable[Picture]) -> dict[str, str]:
    """The SVG of each picture, by its name, as parts of one page.

    There is no prologue; ids are the picture's own, but for outlines of letters and markers, which
    pictures share, as they do classes for how a thing is drawn: the first that has one brings it.
    Coordinates are rounded to a tenth of a point, and lines that are drawn alike are one path.
    Cost: a second for a million characters.

    Example:
        >>> inlined([Picture("p", "title", "", '<?xml?><svg><clipPath id="a"/></svg>')])
        {'p': '<svg role="img" aria-label="title"><clipPath id="p-a"/></svg>'}
    """
    outlines: dict[str, str] = {}
    looks: dict[str, str] = {}
    return {picture.name: _with_classes(_inlined(picture, outlines), looks) for picture in pictures}


def _inlined(picture: Picture, outlines: dict[str, str]) -> str:
    """The SVG of a picture; ``outlines`` are the ids of those that the page has, and grow."""
    svg = picture.svg[picture.svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)  # no link leads there
    svg = re.sub(r">\s+<", "><", svg)
    svg = re.sub(r'(?<= d=")[^"]*', lambda found: _shorter(found[0]), svg)
    svg = re.sub(
        r'(?<= [xy]=")-?\d+\.\d+|(?<= transform="translate\()-?\d+\.\d+',
        lambda found: _written(_parts(found[0])),
        svg,
    )
    svg = _ALIKE.sub(_joined, svg).replace("xlink:href", "href")
    svg = _with_ids_of_the_page(svg, picture.name, outlines)
    for colour, variable in _RECOLOURED.items():
        svg = svg.replace(colour, variable)
    for size in ("width", "height"):
        svg = re.sub(rf'<svg([^>]*?) {size}="[^"]*"', r"<svg\1", svg, count=1)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(picture.title)}"', 1)


def _with_classes(svg: str, looks: dict[str, str]) -> str:
    """The same with a class in the place of each style; ``looks`` are those that the page has, by
    style, and are added to.

    >>> _with_classes('<svg><path style="fill: none"/></svg>', {})
    '<svg><style>.k0{fill: none}</style><path class="k0"/></svg>'
    """
    there = len(looks)
    svg = re.sub(
        r'(?<= )style="([^"]*)"',
        lambda found: f'class="{looks.setdefault(found[1], f"k{len(looks)}")}"',
        svg,
    )
    rules = "".join(f".{name}{{{style}}}" for style, name in list(looks.items())[there:])
    head = svg.index(">") + 1
    return f"{svg[:head]}<style>{rules}</style>{svg[head:]}" if rules else svg


def _with_ids_of_the_page(svg: str, name: str, outlines: dict[str, str]) -> str:
    """What a path is called depends on what it is alone; one that is there already is left out."""
    own: dict[str, str] = {}
    there = set(outlines.values())
    for called, outline in re.findall(r'<path id="([^"]*)"([^>]*)/>', svg):
        own[called] = outlines.setdefault(outline, f"outline-{len(outlines)}")

    def once(found: re.Match[str]) -> str:
        if found[1] in there:
            return ""
        there.add(found[1])
        return found[0]

    svg = re.sub(
        r'(\bid="|href="#|url\(#)([^")]*)',
        lambda found: found[1] + own.get(found[2], f"{name}-{found[2]}"),
        svg,
    )
    svg = re.sub(r'<path id="([^"]*)"[^>]*/>', once, svg)
    return svg.replace("<defs></defs>", "")


def _joined(found: re.Match[str]) -> str:
    """One path in the place of several."""
    lines = re.findall(r'(?<= d=")[^"]*', found[0])
    return f'<path d="{"".join(lines)}"{found["how"]}/>'


# --- coordinates ----------------------------------------------------------------------------------


def _parts(coordinate: str) -> int:
    return round(float(coordinate) * _PARTS)


def _written(parts: int) -> str:
    """A coordinate in as few characters as there may be.

    >>> [_written(parts) for parts in (0, -5, 12, 120)]
    ['0', '-.5', '1.2', '12']
    """
    text = f"{parts / _PARTS:.1f}".rstrip("0").rstrip(".")
    return re.sub(r"^(-?)0\.", r"\1.", text)


def _shorter(path: str) -> str:
    """The same path, rounded, each point told from the one before.

    >>> _shorter("M 10.001 20 L 11.2 19.5 L 11 19 z")
    'M10 20l1.2-.5l-.2-.5z'
    """
    return "".join(_steps(path)) if _PATH.fullmatch(path) else path


def _steps(path: str) -> Iterator[str]:
    here = start = (0, 0)
    for command, told in re.findall(r"([MLQCz])([^MLQCz]*)", path):
        if command == "z":
            here = start
            yield command
            continue
        values = [_parts(text) for text in told.split()]
        points = list(zip(values[::2], values[1::2], strict=True))
        if command == "M":
            start = points[0]
            numbers = list(start)
        else:
            command = command.lower()
            numbers = [value - here[k % 2] for k, value in enumerate(values)]
        here = points[-1]
        yield command + " ".join(map(_written, numbers)).replace(" -", "-")
