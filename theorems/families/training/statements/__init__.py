"""Statements with a file each, found by being here; ``theorems new training.NAME`` writes one.

A file has a tuple ``STATEMENTS``, and may have a tuple ``FIGURES`` of functions that draw.
"""

from theorems.family import of_each_file

__all__ = ["FIGURES", "STATEMENTS"]

STATEMENTS = of_each_file(__name__, __path__, "STATEMENTS")
FIGURES = of_each_file(__name__, __path__, "FIGURES")
