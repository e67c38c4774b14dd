"""SymPy expressions as people read them, in the field's habits.

- ``unicode``: blocks of Unicode that fit a width, single lines, and running text, for terminals;
  its functions are those of this module
- ``short_numbers``: numbers in few digits
- ``mathml``: presentation MathML, for pages and notebooks
"""

from theorems.typesetting.short_numbers import number
from theorems.typesetting.unicode import (
    Names,
    block,
    claim,
    domain,
    inline,
    notation,
    symbol,
    words,
)

__all__ = ["Names", "block", "claim", "domain", "inline", "notation", "number", "symbol", "words"]
