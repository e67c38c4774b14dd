"""What is compared with a form in sizes: a quantity over powers of references, or what a layer
makes of such a product.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from theorems.workbench.discovery.constants import ONE
from theorems.workbench.discovery.forms import Form, power_text, product_text
from theorems.workbench.discovery.measurements import Table
from theorems.workbench.discovery.question import Question

__all__ = ["Comparison", "comparisons"]

Floats = NDArray[np.float64]
_ONE, _HALF = Fraction(1), Fraction(1, 2)
#: Exponents of one reference, and of each of two.
_ALONE = (_ONE, _HALF, Fraction(2), -_ONE, -_HALF)
_TOGETHER = (_ONE, -_ONE, _HALF)
#: Exponents of a reference in a product whose change by a layer is looked at.
_CARRIED = (-_ONE, _ONE, -_HALF, _HALF)


@dataclass(frozen=True)
class Comparison:
    """A quantity f, powers of references g, and whether layers are compared.

    - ``of``: which quantity
    - ``powers``: references by their number, with exponents
    - ``rate``: False for f against a form times Πg^e; True for the factor by which a layer changes
      f·Πg^e
    """

    of: int
    powers: tuple[tuple[int, Fraction], ...] = ()
    rate: bool = False

    @property
    def weight(self) -> int:
        """How much there is to write beside the form: 1 a reference, and 1 for an exponent other
        than 1.
        """
        return sum(1 + (exponent != 1) for _, exponent in self.powers) + self.rate

    def words(self, question: Question) -> str:
        """What is compared, for people.

        - ``question``: what is asked
        """
        text = question.of[self.of].text
        sign = 1 if self.rate else -1
        powers = [(question.against[k].text, sign * e) for k, e in self.powers]
        if powers:
            text = product_text(ONE, [(text, _ONE), *powers])
        return f"{text} from layer to layer" if self.rate else text

    def logarithms(self, table: Table, errors: float = 0.0) -> Floats:
        """Those of what is compared with a form, (rows,); of rates the geometric mean over layers.

        NaN where something has no value or two sides are 0; infinite where one side is.

        - ``errors``: by how many standard errors f is moved up
        """
        first = len(table.question.of)
        with np.errstate(all="ignore"):
            found = np.log(table.column(self.of, errors=errors))
            sign = 1.0 if self.rate else -1.0
            for place, exponent in self.powers:
                found += sign * float(exponent) * np.log(table.column(first + place))
            if not self.rate:
                return found
            found -= self._start(table)
            return np.asarray(found / table.sizes["ell"])

    def makes_sense(self, table: Table) -> bool:
        """Whether no reference is negative anywhere, nor, of a rate, the quantity at the start.

        Else a claim could not be multiplied by them.
        """
        first = len(table.question.of)
        columns = [table.column(first + place) for place, _ in self.powers]
        if self.rate:
            columns += [table.column(first + place, start=True) for place, _ in self.powers]
            columns.append(table.column(self.of, start=True))
        return not any(bool((column < 0).any()) for column in columns)

    def _start(self, table: Table) -> Floats:
        """The logarithm of f·Πg^e at the start, (rows,)."""
        first = len(table.question.of)
        found = np.log(table.column(self.of, start=True))
        for place, exponent in self.powers:
            found += float(exponent) * np.log(table.column(first + place, start=True))
        return found

    def bounds(self, table: Table, form: Form) -> Floats:
        """The logarithm of what a form says of f itself, (rows,).

        - ``form``: what the comparison is bounded by
        """
        with np.errstate(all="ignore"):
            says = np.log(form.values(table.sizes))
            if self.rate:
                says = table.sizes["ell"] * says + self._start(table)
            first = len(table.question.of)
            sign = -1.0 if self.rate else 1.0
            for place, exponent in self.powers:
                says = says + sign * float(exponent) * np.log(table.column(first + place))
            return np.asarray(says)

    def claim(self, question: Question, relation: str, form: Form) -> str:
        """The claim that a form bounds it, as `theorems.conjecture` reads it: without a quotient of
        quantities, so that it has a value wherever they have.

        - ``relation``: "<=" or ">="
        """
        if self.rate:
            return self._rate_claim(question, relation, form)
        mean = question.sampled and any(question.against[k].random for k, _ in self.powers)
        f = question.of[self.of].text
        left = [f"mean({f})" if mean else power_text(f, _ONE)]
        right = [(factor.base, factor.exponent) for factor in form.factors]
        for place, exponent in self.powers:
            side = question.against[place]
            now = f"mean({side.text})" if mean and side.random else side.text
            if exponent > 0:
                right.append((now, exponent))
            else:
                left.append(power_text(now, -exponent))
        whole = "*".join(left) if mean or len(left) > 1 else f
        return f"{whole} {relation} {product_text(form.constant, right)}"

    def _rate_claim(self, question: Question, relation: str, form: Form) -> str:
        f = question.of[self.of]
        left = [power_text(f.text, _ONE)]
        right = [f"({form.text})**ell", power_text(f.start_text, _ONE)]
        for place, exponent in self.powers:
            side = question.against[place]
            now, start = (power_text(t, abs(exponent)) for t in (side.text, side.start_text))
            left.append(now if exponent > 0 else start)
            right.append(start if exponent > 0 else now)
        return f"{'*'.join(left)} {relation} {'*'.join(right)}"


def comparisons(question: Question) -> Iterator[Comparison]:
    """Everything that is tried, plain first.

    Args:
        question: what is asked.

    Example:
        >>> from theorems.workbench.discovery.question import read_question
        >>> asked = read_question("spectra", "orthogonality_gap", "effective_rank",
        ...                       symbols={"n": "2..4"})
        >>> [each.words(asked) for each in comparisons(asked)][:2]
        ['orthogonality_gap', 'orthogonality_gap/effective_rank']
    """
    for of in range(len(question.of)):
        yield Comparison(of)
        yield from _with_references(question, of, _ALONE, _TOGETHER, rate=False)
        if question.follows_layers and not question.sampled:
            yield Comparison(of, rate=True)
            yield from _with_references(question, of, _CARRIED, (), rate=True)


def _with_references(
    question: Question,
    of: int,
    alone: Sequence[Fraction],
    together: Sequence[Fraction],
    *,
    rate: bool,
) -> Iterator[Comparison]:
    places = [k for k, side in enumerate(question.against) if side.random or not rate]
    for place, exponent in product(places, alone):
        yield Comparison(of, ((place, exponent),), rate)
    for one, two in combinations(places, 2):
        for first, second in product(together, together):
            yield Comparison(of, ((one, first), (two, second)), rate)
