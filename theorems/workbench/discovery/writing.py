"""A file of claims that ``theorems falsify``, ``theorems verify`` and pytest take."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from theorems.statement import Verdict
from theorems.workbench.discovery.bounds import Bound
from theorems.workbench.parsing import refuse

__all__ = ["claims_text", "names_of"]

_HEAD = '''"""{title}

{words}
"""

{imports}
'''


def names_of(bounds: Sequence[Bound], quantities: Sequence[str]) -> list[str]:
    """A name for each bound, of the quantity that it is of and its place.

    Args:
        bounds: in order.
        quantities: the texts of the quantities asked about.
    """
    found = []
    for place, bound in enumerate(bounds, 1):
        stem = re.sub(r"\W+", "_", quantities[bound.comparison.of]).strip("_")
        stem = stem if stem[:1].isalpha() else f"claim_{stem}"
        found.append(f"{stem[:40]}_{place}")
    return found


def claims_text(
    bounds: Sequence[Bound],
    options: Mapping[str, object],
    quantities: Sequence[str],
    *,
    title: str,
    words: str,
) -> str:
    """The file, as text.

    Args:
        bounds: in order.
        options: what `theorems.conjecture` takes beside a claim.
        quantities: the texts of the quantities asked about.
        title: the first line of its docstring.
        words: what else the docstring says.

    Raises:
        ClaimError: for what no file can name: a chain or a function that is not a text.
    """
    computed = options.get("computed") or {}
    refuse(
        (not isinstance(computed, Mapping), "computed=: want functions by name"),
        (
            any(callable(value) for value in options.values()),
            "a chain that is a function has no name that a file of claims could give; put it under "
            "@named_chain() and give its name",
        ),
    )
    functions = dict(computed) if isinstance(computed, Mapping) else {}
    brought, given = _brought(functions)
    imports = ["from simulators.own_words import bring"] if brought else []
    imports.append("from theorems import conjecture")
    text = _HEAD.format(title=title, words=words, imports="\n".join(imports))
    text += "".join(f"\n{line}\n" for line in brought)
    for name, bound in zip(names_of(bounds, quantities), bounds, strict=True):
        text += f"\n# {described(bound)}\n{name} = conjecture(\n    {_literal(bound.claim)},\n"
        rest = {key: value for key, value in options.items() if key != "computed"}
        text += "".join(f"    {key}={_literal(value)},\n" for key, value in rest.items())
        if given:
            text += f"    computed={given},\n"
        if bound.verdict is Verdict.INCONCLUSIVE:
            text += f"    expected={_literal(bound.verdict.value)},\n"
        text += ")\n"
    return text


def described(bound: Bound) -> str:
    """What a bound is worth, in words.

    Args:
        bound: as `theorems.discover` gives it.
    """
    law = "the extreme itself" if bound.exact else "touched"
    if bound.approached:
        law = "approached by the largest sizes, to within 2 %"
    return f"{law} at {bound.touched:.0%} of the sizes, {bound.tightness:.0%} tight over inputs"


def _brought(functions: Mapping[str, Callable[..., object]]) -> tuple[list[str], str]:
    """Lines that bring the functions a claim computes with, and the dict of them."""
    lines: dict[str, str] = {}
    entries = []
    for name, function in functions.items():
        code = getattr(function, "__code__", None)
        file, own = getattr(code, "co_filename", ""), getattr(function, "__name__", "")
        refuse(
            (
                not file.endswith(".py") or not own.isidentifier(),
                f"{name} is a function that no file declares; define it in one, by def",
            )
        )
        module = lines.setdefault(file, f"words_{len(lines)}" if lines else "words")
        entries.append(f'"{name}": {module}.{own}')
    return (
        [f"{module} = bring({_literal(_relative(file))})" for file, module in lines.items()],
        f"{{{', '.join(entries)}}}" if entries else "",
    )


def _relative(file: str) -> str:
    """The path from here, where the file is here or below; else the whole path."""
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else file


def _literal(value: object) -> str:
    """A value as Python writes it, texts between double quotes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, tuple):
        inner = ", ".join(map(_literal, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)
