"""A statement part by part, so that a record can say which of its symbols, assumptions or sides has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import sympy as sp

from theorems.statement import Assumption, Statement, Variable

__all__ = ["differences", "parts"]

#: What stands between the words of a part and the digest of its exact form.
_MARK = " #"
_NOTHING = "nothing"


def parts(statement: Statement) -> dict[str, str]:
    """Every part of what a statement claims, by name: its words, and a short digest of its exact form.

    Two statements that claim different things differ in a part, unless only the order of their symbols or
    assumptions does.
    """
    left, right = statement.neighbour_sides
    found = {
        "quantifier": statement.quantifier.value,
        "relation": statement.relation,
        "chain": statement.chain or _NOTHING,
        "observables": ", ".join(statement.observables) or _NOTHING,
        "expected": statement.expected.value,
        "left side": _written(statement.lhs),
        "right side": _written(statement.rhs),
        "left side of the false neighbour": _written(left),
        "right side of the false neighbour": _written(right),
        "ceiling": _NOTHING if statement.ceiling is None else _written(statement.ceiling),
    }
    found |= {f"symbol {v.name}": _variable(v) for v in statement.variables}
    found |= {f"assumption {sp.sstr(a.relation)}": _assumption(a) for a in statement.assumptions}
    found |= {
        f"defined where {sp.sstr(c.relation)}": f"{c.words}{_MARK}{_short(sp.srepr(c.relation))}"
        for c in statement.conditions_read
    }
    found |= {
        f"definition of {name}": f"{_symbol(name)}: {meaning if isinstance(meaning, str) else _written(meaning)}"
        for name, meaning in statement.definitions.items()
    }
    return found


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(name, before, now) in words for every part that differs; what is not there is ``nothing``.

    >>> differences({"relation": "<="}, {"relation": "<", "assumption x > 0": "along the input"})
    [('relation', '<=', '<'), ('assumption x > 0', 'nothing', 'along the input')]
    """
    found = []
    for name in dict.fromkeys((*before, *now)):
        old, new = before.get(name, _NOTHING), now.get(name, _NOTHING)
        if old == new:
            continue
        words, new_words = (text.partition(_MARK)[0] for text in (old, new))
        if words == new_words:
            new_words += " (the same words, another exact form: the assumptions of a symbol, or what is evaluated)"
        found.append((name, words, new_words))
    return found


def _written(expression: sp.Basic) -> str:
    return f"{sp.sstr(expression)}{_MARK}{_short(sp.srepr(expression))}"


def _symbol(symbol: sp.Basic) -> str:
    """A symbol with what SymPy assumes of it, which decides how a claim is simplified."""
    assumed = getattr(symbol, "_assumptions_orig", {})
    return (
        ", ".join(f"{'' if value else 'not '}{name}" for name, value in sorted(assumed.items()))
        or "any"
    )


def _variable(variable: Variable) -> str:
    size = f", one for each of {', '.join(map(sp.sstr, variable.size))}" if variable.size else ""
    exact = sp.srepr(sp.Tuple(variable.symbol, variable.domain, *variable.size))
    return f"in {sp.sstr(variable.domain)}{size}; {_symbol(variable.symbol)}{_MARK}{_short(exact)}"


def _assumption(assumption: Assumption) -> str:
    return f"along the {assumption.along}{_MARK}{_short(sp.srepr(assumption.relation))}"


def _short(exact: str) -> str:
    return hashlib.sha256(exact.encode()).hexdigest()[:8]
