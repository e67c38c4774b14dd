"""``python -m tests.built_site DIR``: the built pages ask no network, have every public name,
and show examples as such.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import simulators
import theorems

__all__ = ["faults"]

#: What a page loads by itself; a link that a reader may follow is no such thing.
LOADED = re.compile(
    r"<(?:script|img|iframe|source)[^>]*\ssrc=\"(https?:)?//|<link[^>]*\shref=\"(https?:)?//"
)
IMPORTED = re.compile(r"url\([\"']?(https?:)?//|@import\s+[\"'](https?:)?//")
#: An example that was taken for a quotation, and the mark-up of another documentation tool.
BROKEN = re.compile(r"<blockquote>|:(?:class|func|meth|mod|attr|data|exc|obj):(?:`|<code>)")


def faults(directory: Path) -> list[str]:
    """What is wrong with a built site, in one line each."""
    pages = {path: path.read_text(encoding="utf-8") for path in directory.rglob("*.html")}
    if not pages:
        return [f"{directory} has no page"]
    sheets = {path: path.read_text(encoding="utf-8") for path in directory.rglob("*.css")}
    found = [path for path, text in pages.items() if LOADED.search(text)]
    found += [path for path, text in sheets.items() if IMPORTED.search(text)]
    documented = set(re.findall(r"id=\"([\w.]+)\"", "\n".join(pages.values())))
    public = [(package, name) for package in (simulators, theorems) for name in package.__all__]
    missing = [
        f"{package.__name__}.{name}"
        for package, name in public
        if documented.isdisjoint({f"{package.__name__}.{name}", home(getattr(package, name))})
    ]
    return [
        *(f"{path} loads from a network" for path in found),
        *(f"{path} shows mark-up for text" for path, text in pages.items() if BROKEN.search(text)),
        *(f"{name} is not in the reference" for name in missing),
    ]


def home(thing: object) -> str:
    """Where a module, class or function is defined."""
    if isinstance(thing, ModuleType):
        return thing.__name__
    return f"{thing.__module__}.{getattr(thing, '__qualname__', '')}"


if __name__ == "__main__":
    told = faults(Path(sys.argv[1]))
    print("\n".join(told) or f"{sys.argv[1]}: complete, and asks no network")
    sys.exit(1 if told else 0)
