"""What ``theorems new`` writes: one statement that stands as it is, to be turned into yours.

- ``pointwise``: about every input, decided exactly
- ``expectation``: about a mean over random weights, sampled

Each is a module that can be run; ``written`` puts a statement's name in the place of its own.
"""

from pathlib import Path

__all__ = ["KINDS", "written"]

#: The kinds of templates, each a file of this folder.
KINDS = ("pointwise", "expectation")


def written(kind: str, family: str, theorem: str) -> str:
    """The text of the template of that kind, for ``family.theorem``.

    Raises ``ValueError`` for another kind.

    >>> 'family="mine"' in written("pointwise", "mine", "claim")
    True
    """
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r}: want one of {', '.join(KINDS)}")
    text = (Path(__file__).parent / f"{kind}.py").read_text(encoding="utf-8")
    text = text.replace('"family_name"', f'"{family}"').replace('"theorem_name"', f'"{theorem}"')
    return text.replace("family_name.theorem_name", f"{family}.{theorem}")
