"""SymPy as Unicode mathematics: blocks that fit a width, and single lines for running text."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import sympy as sp
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.pretty.pretty_symbology import pretty_symbol, pretty_use_unicode, sub
from sympy.printing.pretty.stringpict import line_width, prettyForm
from sympy.printing.str import StrPrinter

from theorems.minibatch_averages import Average, AverageWithoutReplacement, BatchSum
from theorems.statement import Statement, Variable

__all__ = [
    "RELATIONS",
    "Names",
    "PositiveFirst",
    "block",
    "claim",
    "domain",
    "inline",
    "notation",
    "power_of_ten",
    "symbol",
    "words",
]

RELATIONS = {sp.Le: "≤", sp.Lt: "<", sp.Ge: "≥", sp.Gt: ">", sp.Eq: "=", sp.Ne: "≠"}
_WORDS = {
    "ell": "ℓ",
    "sigma": "σ",
    "lambda": "λ",
    "alpha": "α",
    "theta": "θ",
    "delta": "δ",
    "oo": "∞",
}
_POWERS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SUBSCRIPTS = {**sub, "j": "ⱼ"}
#: Parts with fewer operations than this are not worth a letter of their own.
_LARGE = 5
#: Signs with a body that reaches to the end of its term.
_SIGNED = (sp.Sum, sp.Product, BatchSum)

Names = Mapping[str, str]


@contextmanager
def _in_unicode() -> Iterator[None]:
    """SymPy decides by the encoding of standard output when it is imported, and half its printer
    then fails.
    """
    before = pretty_use_unicode(True)
    try:
        yield
    finally:
        pretty_use_unicode(before)


def words(text: str) -> str:
    """Running text with its ASCII mathematics set.

    >>> words("H_1 and sigma_n^2")
    'H₁ and σₙ²'
    """
    text = re.sub(
        r"\b(" + "|".join(_WORDS) + r")(?![A-Za-z])", lambda found: _WORDS[found[1]], text
    )
    index = r"(?<=[\w\u0302])_([a-z0-9])(?![A-Za-z0-9{])"
    text = re.sub(index, lambda found: _SUBSCRIPTS.get(found[1], found[0]), text)
    return re.sub(r"\^(\d+)(?![\w/.])", lambda found: found[1].translate(_POWERS), text)


@_in_unicode()
def symbol(name: str) -> str:
    """One symbol's name as it is printed.

    >>> symbol("ell"), symbol("alpha_1")
    ('ℓ', 'α₁')
    """
    return "ℓ" if name == "ell" else str(pretty_symbol(name))


def _subscript(indices: list[str]) -> str:
    if all(re.fullmatch(r"[a-z0-9]", index) and index in _SUBSCRIPTS for index in indices):
        return "".join(_SUBSCRIPTS[index] for index in indices)
    return "[" + ", ".join(indices) + "]"


def _drawn(average: Average) -> str:
    """The batches of an average: the sets B with |B| = b, or the sequences B in {0 … N - 1}^b."""
    batch, size = inline(average.batch), inline(average.size)
    if isinstance(average, AverageWithoutReplacement):
        return f"|{batch}| = {size}"
    last = f"0 … {inline(average.population - 1)}"
    return (
        f"{batch} ∈ {{{last}}}^{size}" if average.size.is_Atom else f"{batch} ∈ {{{last}}}^({size})"
    )


class PositiveFirst:
    """A printer of 1/n - s rather than -s + 1/n."""

    def _as_ordered_terms(self, expr: sp.Expr, order: str | None = None) -> list[sp.Expr]:
        terms: list[sp.Expr] = super()._as_ordered_terms(expr, order=order)  # type: ignore[misc]
        return sorted(terms, key=lambda term: bool(term.could_extract_minus_sign()))


class _Block(PositiveFirst, PrettyPrinter):  # type: ignore[misc]
    """SymPy's pretty printer with the field's habits; ``names`` replaces symbols by what they stand
    for.
    """

    def __init__(self, names: Names) -> None:
        super().__init__({"use_unicode": True, "wrap_line": False})
        self.names = names

    def _print_Rational(self, expr: sp.Rational) -> prettyForm:
        text = power_of_ten(expr)
        return prettyForm(text) if text else super()._print_Rational(expr)

    def _print_Symbol(self, expr: sp.Symbol, bold_name: bool = False) -> prettyForm:
        return prettyForm(self.names.get(str(expr), symbol(str(expr))))

    def _print_polygamma(self, expr: sp.Expr) -> prettyForm:
        order, argument = expr.args
        return self._print(sp.Function("psi" if order == 0 else f"psi^({order})")(argument))

    def _print_Indexed(self, expr: sp.Indexed) -> prettyForm:
        return prettyForm(
            symbol(str(expr.base)) + _subscript([str(index) for index in expr.indices])
        )

    def _print_BatchSum(self, expr: BatchSum) -> prettyForm:
        body = self._print(expr.function)
        body = prettyForm(*body.parens()) if expr.function.is_Add else body
        return self._over("∑", f"{expr.index} ∈ {expr.batch}", prettyForm(*body.left(" ")))

    def _print_Average(self, expr: Average) -> prettyForm:
        return self._over("E", _drawn(expr), prettyForm(*self._print(expr.function).parens()))

    @staticmethod
    def _over(sign: str, beneath: str, body: prettyForm) -> prettyForm:
        head = prettyForm(*prettyForm(sign).below(prettyForm(beneath)))
        head.baseline = 0
        return prettyForm(*head.right(body), binding=prettyForm.MUL)


def power_of_ten(expr: sp.Rational) -> str:
    """A millionth or less as a power of ten.

    Args:
        expr: any rational number.

    Returns:
        Ten with its exponent raised; empty for what is no such power.

    Example:
        >>> power_of_ten(sp.Rational(1, 10**6)), power_of_ten(sp.Rational(1, 10))
        ('10⁻⁶', '')
    """
    zeros = len(str(expr.q)) - 1
    return (
        "10" + f"-{zeros}".translate(_POWERS)
        if expr.p == 1 and zeros >= 6 and expr.q == 10**zeros
        else ""
    )


class _Line(PositiveFirst, StrPrinter):  # type: ignore[misc]
    """One line: √(n - 1)·λᵢ². Sums run over every index."""

    printmethod = "_nowhere"  # SymPy's indexed symbols would print themselves

    def __init__(self, names: Names) -> None:
        super().__init__()
        self.names = names

    def _print_Symbol(self, expr: sp.Symbol) -> str:
        return self.names.get(str(expr), symbol(str(expr)))

    def _print_Indexed(self, expr: sp.Indexed) -> str:
        return symbol(str(expr.base)) + _subscript([str(index) for index in expr.indices])

    def _print_polygamma(self, expr: sp.Expr) -> str:
        order, argument = expr.args
        return (
            f"ψ({self._print(argument)})" if order == 0 else f"ψ^({order})({self._print(argument)})"
        )

    def _print_Rational(self, expr: sp.Rational) -> str:
        return power_of_ten(expr) or str(super()._print_Rational(expr))

    def _print_Infinity(self, expr: sp.Expr) -> str:
        return "∞"

    def _print_Abs(self, expr: sp.Abs) -> str:
        return f"|{self._print(expr.args[0])}|"

    def _print_Mul(self, expr: sp.Mul) -> str:
        return str(super()._print_Mul(expr)).replace("*", "·")

    def _print_Pow(self, expr: sp.Pow, rational: bool = False) -> str:
        base, exponent = expr.as_base_exp()
        if exponent == sp.Rational(1, 2) or expr.exp == sp.Rational(1, 2):
            radicand = self._print(expr.base)
            return f"√{radicand}" if expr.base.is_Atom else f"√({radicand})"
        if expr.exp == sp.Rational(-1, 2):
            return f"1/{self._print(sp.sqrt(expr.base))}"
        if exponent.is_Integer and int(exponent) > 1:
            return self._closed(base) + str(int(exponent)).translate(_POWERS)
        if isinstance(base, _SIGNED) and exponent.is_Integer:
            power = "" if exponent == -1 else str(-int(exponent)).translate(_POWERS)
            return f"1/{self._closed(base)}{power}"
        return str(super()._print_Pow(expr, rational=rational)).replace("**", "^")

    def _closed(self, expr: sp.Expr) -> str:
        loose = expr.is_Add or expr.is_Mul or isinstance(expr, _SIGNED)
        return f"({self._print(expr)})" if loose else str(self._print(expr))

    def parenthesize(self, item: sp.Expr, level: int, strict: bool = False) -> str:
        if isinstance(item, _SIGNED):
            return self._closed(item)
        return str(super().parenthesize(item, level, strict))

    def _bounded(self, sign: str, expr: sp.Basic) -> str:
        body = self._print(expr.function)
        body = f"({body})" if expr.function.is_Add else body
        return f"{sign}{_subscript([str(index) for index, *_ in expr.limits])} {body}"

    def _print_Sum(self, expr: sp.Sum) -> str:
        return self._bounded("Σ", expr)

    def _print_Product(self, expr: sp.Product) -> str:
        return self._bounded("∏", expr)

    def _print_BatchSum(self, expr: BatchSum) -> str:
        body = self._print(expr.function)
        return f"Σ[{expr.index} ∈ {expr.batch}] {f'({body})' if expr.function.is_Add else body}"

    def _print_Average(self, expr: Average) -> str:
        return f"E[{_drawn(expr)}]({self._print(expr.function)})"

    def _print_Piecewise(self, expr: sp.Piecewise) -> str:
        *cases, (last, _) = expr.args
        return "".join(
            f"{self._print(value)} if {self._print(where)}, " for value, where in cases
        ) + (f"else {self._print(last)}")

    def _print_Max(self, expr: sp.Max) -> str:
        return f"max({', '.join(self._print(a) for a in expr.args)})"

    def _print_Relational(self, expr: sp.Basic) -> str:
        return f"{self._print(expr.lhs)} {RELATIONS[type(expr)]} {self._print(expr.rhs)}"


@_in_unicode()
def inline(expression: sp.Basic, names: Names | None = None) -> str:
    """One line of Unicode mathematics, for running text; ``names`` replaces symbols.

    >>> x = sp.Symbol("x")
    >>> inline(sp.sqrt(x) * (1 - x) ** 2 / 2)
    '√x·(1 - x)²/2'
    """
    return str(_Line(names or {}).doprint(expression)).replace("**", "^").replace("*", "·")


@_in_unicode()
def domain(variable: Variable) -> str:
    """The symbol of a variable with its domain, indexed where there are several.

    >>> domain(Variable(sp.Symbol("alpha"), sp.Interval.Lopen(0, 1), "a probability"))
    'α ∈ (0, 1]'
    """
    place = variable.domain
    if place == sp.Reals:
        where = "ℝ"
    elif isinstance(place, sp.Range):
        last = "" if place.stop == sp.oo else f", {inline(place.stop - 1)}"
        where = f"{{{inline(place.start)}, {inline(place.start + 1)}, …{last}}}"
    else:
        left, right = "(["[not place.left_open], ")]"[not place.right_open]
        right = ")" if place.end == sp.oo else right
        where = f"{left}{inline(place.start)}, {inline(place.end)}{right}"
    if not variable.size:
        return f"{symbol(variable.name)} ∈ {where}"
    indices = "ijkl"[: len(variable.size)]
    return f"{symbol(variable.name)}{_subscript(list(indices))} ∈ {where}"


def notation(statement: Statement) -> dict[str, str]:
    """Symbols that a formula shows by their definition, because it is short and says more, by name:
    V̂(H₁).
    """
    shown = {}
    for name, meaning in statement.definitions.items():
        if isinstance(meaning, str) and re.fullmatch(r"\S{1,3}[(\[].{1,14}[)\]]", meaning):
            shown[str(name)] = words(meaning)
    return shown


def _spelled_left(statement: Statement) -> dict[str, str]:
    """The left side in full, where it is one symbol whose definition is an expression and not a
    comment.
    """
    meaning = statement.definitions.get(statement.lhs) if statement.lhs.is_Symbol else None
    if not isinstance(meaning, str) or len(meaning) > 48:
        return {}
    outside = re.sub(r"\{[^{}]*\}", "", meaning)
    return {} if re.search(r"[≤≥<>=,:;]", outside) else {str(statement.lhs): words(meaning)}


@_in_unicode()
def claim(statement: Statement, width: int) -> list[str]:
    """The claim as lines no longer than ``width``: spelled out if it fits, otherwise broken where a
    reader would.
    """
    names = notation(statement)
    relation = statement.claim
    for shown in (names | _spelled_left(statement), names):
        lines = _lines(_Block(shown)._print(relation))
        if _fits(lines, width):
            return lines
    return block(relation, width, names)


@_in_unicode()
def block(expression: sp.Basic, width: int, names: Names | None = None) -> list[str]:
    """An expression or relation as lines no longer than ``width``.

    Tried in turn: in one piece; a relation broken at its sign and at the terms of its sides;
    repeated and
    large parts named below; one line of text, wrapped.
    """
    printer = _Block(names or {})
    whole = _lines(printer._print(expression))
    if _fits(whole, width):
        return whole
    broken = _broken(printer, expression, width)
    if _fits(broken, width):
        return broken
    named = _named(printer, expression, width)
    if _fits(named, width):
        return named
    return textwrap.wrap(
        inline(expression, names), width, subsequent_indent="    ", break_long_words=False
    )


def _lines(form: prettyForm) -> list[str]:
    return [line.rstrip() for line in str(form).splitlines()]


def _fits(lines: list[str], width: int) -> bool:
    return all(line_width(line) <= width for line in lines)


def _beside(left: prettyForm | str, right: prettyForm) -> prettyForm:
    return prettyForm(
        *prettyForm(left).right(right) if isinstance(left, str) else left.right(right)
    )


def _broken(printer: _Block, expression: sp.Basic, width: int) -> list[str]:
    """The left side, then the relation and the right side, each side broken before its terms as
    needed.
    """
    if not isinstance(expression, sp.core.relational.Relational):
        return _stacked(printer, expression, "", width)
    sign = RELATIONS[type(expression)]
    left = _stacked(printer, expression.lhs, "", width)
    return [*left, "", *_stacked(printer, expression.rhs, f"  {sign} ", width)]


def _stacked(printer: _Block, side: sp.Expr, lead: str, width: int) -> list[str]:
    """``lead`` and the side, filled term by term; further lines hang under the first term."""
    indent = " " * max(len(lead) - 2, 2)
    rows: list[prettyForm] = []
    for term in printer._as_ordered_terms(side) if side.is_Add else [side]:
        sign = "-" if term.could_extract_minus_sign() else "+"
        form = printer._print(-term if sign == "-" else term)
        if not rows:
            head = lead + sign.replace("+", "")
            rows.append(_beside(head, form) if head else form)
            continue
        joined = _beside(_beside(rows[-1], prettyForm(f" {sign} ")), form)
        if _fits(_lines(joined), width):
            rows[-1] = joined
        else:
            rows.append(_beside(f"{indent}{sign} ", form))
    lines: list[str] = []
    for row in rows:
        lines += ([""] if lines else []) + _lines(row)
    return lines


def _named(printer: _Block, expression: sp.Basic, width: int) -> list[str]:
    """The expression with its large repeated parts as letters, explained below it."""
    sides = (
        list(expression.args)
        if isinstance(expression, sp.core.relational.Relational)
        else [expression]
    )
    found, short = sp.cse(sides, symbols=sp.numbered_symbols(cls=sp.Dummy), order="none")
    small: dict[sp.Symbol, sp.Expr] = {}
    large: list[tuple[sp.Symbol, sp.Expr]] = []
    for dummy, part in found:
        opened = part.xreplace(small)
        if opened.count_ops() < _LARGE:
            small[dummy] = opened
        else:
            letter = sp.Symbol(f"a_{len(large) + 1}")
            large.append((letter, opened))
            small[dummy] = letter
    opened_sides = [side.xreplace(small) for side in short]
    whole = type(expression)(*opened_sides, evaluate=False) if len(sides) > 1 else opened_sides[0]
    lines = _lines(printer._print(whole))
    if not _fits(lines, width):
        lines = _broken(printer, whole, width)
    for name, part in large:
        form = _lines(_beside(f"  {symbol(str(name))} = ", printer._print(part)))
        if not _fits(form, width):
            form = [f"  {symbol(str(name))} =", *_stacked(printer, part, "    ", width)]
        lines += ["", *form]
    return lines
