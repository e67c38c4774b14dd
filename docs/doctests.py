"""A hook of mkdocs: examples in docstrings become highlighted code.

Markdown by itself takes lines that begin with ``>>>`` for quotations.
"""

import re
from collections.abc import Iterator

from markdown import Extension, Markdown
from markdown.preprocessors import Preprocessor
from mkdocs.config.defaults import MkDocsConfig

_FENCE = re.compile(r"\s*(```|~~~)")


class _Fenced(Preprocessor):
    """Puts fences around every run of lines from ``>>>`` to the next empty one."""

    def run(self, lines: list[str]) -> list[str]:
        return list(self._fenced(lines))

    def _fenced(self, lines: list[str]) -> Iterator[str]:
        indent, inside = None, False
        for line in (*lines, ""):
            inside ^= indent is None and bool(_FENCE.match(line))
            if indent is None and not inside and line.lstrip().startswith(">>> "):
                indent = line[: len(line) - len(line.lstrip())]
                yield f"{indent}```pycon"
            elif indent is not None and not line.strip():
                yield f"{indent}```"
                indent = None
            yield line


class _Doctests(Extension):
    def extendMarkdown(self, md: Markdown) -> None:
        md.preprocessors.register(_Fenced(md), "doctests", 30)  # before fences are looked for


def on_config(config: MkDocsConfig) -> None:
    config.markdown_extensions.append(_Doctests())
