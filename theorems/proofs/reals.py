"""SymPy expressions as terms over Coq's own real numbers, for theorems about pi and arccos.

The operations are those of Coq's ``Reals``; sums are mathcomp's big operators of ``Rplus``, whose indices have the
same types as in the rest of the development.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from theorems.proofs.formulas import (
    _APPLIED,
    _ATOM,
    _BIG,
    _INVERSE,
    _POWER,
    _TIMES,
    Formulas,
    Term,
    UnprintableError,
    _within,
)

__all__ = ["REALS", "RealFormulas"]

#: What a proof names as its structure to be printed here.
REALS = "R"
_OPPOSITE = 35


class RealFormulas(Formulas):
    """As :class:`Formulas`, with the notations of ``R_scope``, and with pi and arccos."""

    _SUM = ("\\big[Rplus/0]", _BIG, _POWER)  # in parentheses wherever it is not alone

    def _term(self, e: sp.Expr) -> Term:
        if e == sp.pi:
            return "PI", _ATOM
        if isinstance(e, sp.acos):
            return f"acos {_within(self._term(e.args[0]), _INVERSE)}", _APPLIED
        if isinstance(e, sp.Max | sp.Min | sp.Product):
            raise UnprintableError(
                f"{type(e).__name__} has no printed form over Coq's reals: {sp.sstr(e)}"
            )
        return super()._term(e)

    def _whole(self, value: int) -> Term:
        return str(value), _ATOM

    def _symbol(self, e: sp.Symbol) -> Term:
        text, level = super()._symbol(e)
        return (
            (f"INR {text.removesuffix('%:R')}", _APPLIED) if text.endswith("%:R") else (text, level)
        )

    def _power(self, base: sp.Expr, exponent: sp.Expr) -> Term:
        text, level = super()._power(base, exponent)
        return text.replace("Num.sqrt", "sqrt"), level

    def _raised(self, base: Term, exponent: sp.Expr) -> Term:
        return f"{_within(base, _APPLIED)} ^ {self.natural(sp.expand(exponent))}", _POWER

    def _quotient(self, above: Sequence[Term], below: Sequence[Term]) -> Term:
        text, level = super()._quotient(above, below)
        if level == _INVERSE and text.endswith("^-1"):
            return f"/ {text.removesuffix('^-1')}", _OPPOSITE
        return text, level if level != _INVERSE else _TIMES
