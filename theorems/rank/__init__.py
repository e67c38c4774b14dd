"""The rank family: batch normalisation keeps the rank of deep random representations (D20)."""

from theorems.rank import ablation, average, collapse
from theorems.statement import Statement

STATEMENTS: tuple[Statement, ...] = (*average.STATEMENTS, *collapse.STATEMENTS, *ablation.STATEMENTS)
