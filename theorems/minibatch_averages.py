"""Averages over every batch drawn from a population, as SymPy nodes that are finite and exact.

The population is 0 … N - 1. A batch is bound like the index of a sum, and what depends on it says
so through `BatchSum`:

>>> import sympy as sp
>>> N, b, B, i = sp.symbols("N b B i")
>>> x = sp.IndexedBase("x")
>>> mean = AverageWithoutReplacement(BatchSum(x[i], i, B) / b, B, b, N)
>>> mean.subs({N: 3, b: 2}).doit()
x[0]/3 + x[1]/3 + x[2]/3
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import sympy as sp

__all__ = ["Average", "AverageWithReplacement", "AverageWithoutReplacement", "BatchSum"]


T = TypeVar("T")


class BatchSum(sp.Expr):  # type: ignore[misc]
    """The sum of ``function`` over the members ``index`` of ``batch``.

    Each counts as often as it was drawn. Example: that of this module.
    """

    is_real = True

    def __new__(cls, function: sp.Expr | int, index: sp.Symbol, batch: sp.Symbol) -> BatchSum:
        made: BatchSum = super().__new__(cls, *map(sp.sympify, (function, index, batch)))
        return made

    @property
    def function(self) -> sp.Expr:
        return self.args[0]

    @property
    def index(self) -> sp.Symbol:
        return self.args[1]

    @property
    def batch(self) -> sp.Symbol:
        return self.args[2]

    @property
    def free_symbols(self) -> set[sp.Basic]:
        free: set[sp.Basic] = self.function.free_symbols - {self.index}
        return free | {self.batch}

    def over(self, members: Iterable[int]) -> sp.Expr:
        """The sum over members that are known.

        Args:
            members: of the population, from 0; each counts as often as it is there.

        Returns:
            ``function`` at each of them, added up; 0 of none.

        Example:
            >>> i, B = sp.symbols("i B")
            >>> BatchSum(sp.IndexedBase("x")[i], i, B).over([2, 2])
            2*x[2]
        """
        return sp.Add(*(self.function.xreplace({self.index: sp.Integer(m)}) for m in members))


class Average(sp.Expr):  # type: ignore[misc]
    """The mean of ``function`` over all batches of ``size`` members, all equally likely.

    - ``batch``: the bound symbol
    - ``population``: how many there are to draw from

    The two subclasses say which batches there are. Sizes for which there is none have no average:
    ``ZeroDivisionError``. Cost: one evaluation of ``function`` a batch.
    """

    is_real = True

    def __new__(
        cls,
        function: sp.Expr | int,
        batch: sp.Symbol,
        size: sp.Expr | int,
        population: sp.Expr | int,
    ) -> Average:
        parts = map(sp.sympify, (function, batch, size, population))
        made: Average = super().__new__(cls, *parts)
        return made

    @property
    def function(self) -> sp.Expr:
        return self.args[0]

    @property
    def batch(self) -> sp.Symbol:
        return self.args[1]

    @property
    def size(self) -> sp.Expr:
        return self.args[2]

    @property
    def population(self) -> sp.Expr:
        return self.args[3]

    @property
    def free_symbols(self) -> set[sp.Basic]:
        free: set[sp.Basic] = self.function.free_symbols - {self.batch}
        return free.union(self.size.free_symbols, self.population.free_symbols)

    @staticmethod
    def batches(population: Sequence[T], size: int) -> Iterator[tuple[T, ...]]:
        """Every batch, all equally likely.

        Args:
            population: whom to draw from.
            size: how many are drawn, at least 0.

        Returns:
            An iterator over tuples of ``size`` members, in the order of the population.
        """
        raise NotImplementedError

    @staticmethod
    def count(population: int, size: int) -> int:
        """How many batches there are.

        Args:
            population: how many there are to draw from.
            size: how many are drawn.

        Returns:
            The number of tuples that `batches` gives: 0 where there are none.
        """
        raise NotImplementedError

    def doit(self, **hints: bool) -> sp.Expr:
        """The average written out, where the numbers of members are known; else itself, its parts
        done.

        Args:
            hints: as SymPy's own ``doit`` takes them.

        Returns:
            A sum over all batches, over their number; NaN for sizes of which there is none.

        Cost: one term for each batch.
        """
        opened = super().doit(**hints)
        if not (opened.size.is_Integer and opened.population.is_Integer):
            return opened
        population, size = int(opened.population), int(opened.size)
        terms = (opened._of(members) for members in self.batches(range(population), size))
        return sp.Add(*terms) / self.count(population, size)

    def _of(self, members: Sequence[int]) -> sp.Expr:
        return self.function.replace(
            lambda e: isinstance(e, BatchSum) and e.batch == self.batch, lambda e: e.over(members)
        )


class AverageWithoutReplacement(Average):
    """All C(N, b) sets of b members are equally likely.

    Example:
        >>> list(AverageWithoutReplacement.batches("xyz", 2))
        [('x', 'y'), ('x', 'z'), ('y', 'z')]
    """

    @staticmethod
    def batches(population: Sequence[T], size: int) -> Iterator[tuple[T, ...]]:
        return itertools.combinations(population, size)

    @staticmethod
    def count(population: int, size: int) -> int:
        return math.comb(population, size)


class AverageWithReplacement(Average):
    """All N^b sequences of b members are equally likely.

    Example:
        >>> AverageWithReplacement.count(3, 2)
        9
    """

    @staticmethod
    def batches(population: Sequence[T], size: int) -> Iterator[tuple[T, ...]]:
        return itertools.product(population, repeat=size)

    @staticmethod
    def count(population: int, size: int) -> int:
        return int(population**size)
