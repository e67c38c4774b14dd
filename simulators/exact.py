"""What an exact evaluation of an observable is given: the spectrum, or the Gram matrix, exactly.

Claims about every input are decided in rationals, radicals or balls. An observable that can be
evaluated so says how in terms of the two protocols here, once for all kinds of numbers; whoever
decides claims brings the numbers (`theorems.workbench.exact_values`). `Number` stands for whatever
they are: it has + - * / and comparisons, and mixes with whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

__all__ = ["ExactGram", "ExactSpectrum", "Number"]

Number: TypeAlias = Any


class ExactSpectrum(Protocol):
    """The n eigenvalues λ of C/‖H‖_F², of sum 1, with C = HᵀH.

    ``n`` is their number and ``width`` the number d of rows of H.

    Example:
        >>> from fractions import Fraction
        >>> class Uniform:
        ...     n, width, share, least = 2, 3, Fraction(1, 2), Fraction(1, 2)
        ...
        ...     def sum(self, term):
        ...         return 2 * term(self.share)
        >>> from simulators.observables import OBSERVABLES
        >>> OBSERVABLES["effective_rank"].of_spectrum(Uniform())
        Fraction(2, 1)
    """

    n: Number
    width: Number

    @property
    def share(self) -> Number:
        """1/n.

        The mean of the eigenvalues.
        """

    @property
    def least(self) -> Number:
        """The smallest eigenvalue.

        That is λ_n, in [0, 1/n].
        """

    def sum(self, term: Callable[[Number], Number]) -> Number:
        """The sum of ``term(λ)`` over all eigenvalues.

        ``term`` maps a number to a number, by + − · / and whole powers.
        """

    def root(self, x: Number) -> Number:
        """√x, of an x ≥ 0.

        Exact where numbers are algebraic, a ball else.
        """

    def count(self, threshold: Number) -> Number:
        """How many eigenvalues λ have dλ ≥ ``threshold``.

        ``threshold`` is a rational in [0, 1]; in balls that leave it open there is no answer.
        """


class ExactGram(Protocol):
    """The n × n Gram matrix C/‖H‖_F², of trace 1. Its entries are rational.

    ``n`` is its size and ``width`` the number d of rows of H.

    Example:
        >>> from fractions import Fraction
        >>> class Orthogonal:
        ...     n, width, share = 2, 3, Fraction(1, 2)
        ...
        ...     def __getitem__(self, place):
        ...         return self.share * (place[0] == place[1])
        >>> from simulators.observables import OBSERVABLES
        >>> OBSERVABLES["effective_rank"].of_gram(Orthogonal())
        Fraction(2, 1)
    """

    n: int
    width: int

    def __getitem__(self, place: tuple[int, int]) -> Number:
        """The entry in row i and column j, counted from 0."""

    @property
    def share(self) -> Number:
        """1/n.

        The mean of the diagonal.
        """

    def root(self, x: Number) -> Number:
        """√x, of an x ≥ 0.

        Exact where numbers are algebraic, a ball else.
        """

    def cosine(self, i: int, j: int) -> Number:
        """The cosine between samples i and j, where neither is 0; undefined otherwise.

        The entry over the root of the product of the two norms, in [−1, 1].

        Args:
            i: the number of a sample, from 0.
            j: that of another.
        """

    def signed_square(self, i: int, j: int) -> Number:
        """The square of the cosine between samples i and j, with its sign: a rational, in the order
        of the cosines.

        Args:
            i: the number of a sample, from 0.
            j: that of another.
        """
