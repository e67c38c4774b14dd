"""SymPy as presentation MathML, by SymPy's own printer with the field's habits.

What the browser shows is printed from the objects that the checks evaluate. Names are escaped:
nothing that a symbol is called can become markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from html.entities import html5
from xml.dom.minidom import Element

import sympy as sp
from sympy.printing.mathml import MathMLPresentationPrinter
from sympy.printing.precedence import PRECEDENCE

from theorems.minibatch_averages import Average, AverageWithoutReplacement, BatchSum
from theorems.statement import Statement, Variable
from theorems.typesetting.unicode import (
    RELATIONS,
    Names,
    PositiveFirst,
    inline,
    notation,
    power_of_ten,
    symbol,
)
from theorems.typesetting.unicode import domain as in_unicode

__all__ = ["claim", "definition", "domain", "mathml"]

#: Modifiers at the end of a name, and what stands above it.
_ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~"}
#: Entities that are not XML's own; a page of HTML knows them, other readers may not.
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;|quot;)([A-Za-z]+;)|&#(?:x([0-9A-Fa-f]+)|(\d+));")
_INDICES = "ijkl"
#: Characters in one line of Unicode from which on a claim is broken at its sign, and a side at its
#: terms.
_WIDE = 60


def mathml(expression: sp.Basic, names: Names | None = None, *, display: bool = False) -> str:
    """A ``<math>`` element, with the same in one line of Unicode as its alternative text.

    - ``names``: what is shown in place of symbols, by their names
    - ``display``: on a line of its own, in display style

    >>> print(mathml(sp.Symbol("ell") ** 2))
    <math alttext="ℓ²"><msup><mi>ℓ</mi><mn>2</mn></msup></math>
    """
    return _element(_printed(expression, names), inline(expression, names), display)


def claim(statement: Statement) -> str:
    """What a statement claims, in display style; a wide one in rows.

    >>> from theorems.templates.pointwise import STATEMENT
    >>> claim(STATEMENT).startswith('<math alttext="Σᵢ λᵢ² ≥ 1/n" display="block">')
    True
    """
    names, relation = notation(statement), statement.claim
    text = inline(relation, names)
    if len(text) <= _WIDE:
        return mathml(relation, names, display=True)
    rows = [*_rows(relation.lhs, "", names), *_rows(relation.rhs, RELATIONS[type(relation)], names)]
    left = '<mtd style="text-align: left">'
    table = "".join(f"<mtr>{left}{row}</mtd></mtr>" for row in rows)
    return _element(f'<mtable displaystyle="true">{table}</mtable>', text, True)


def _rows(side: sp.Expr, lead: str, names: Names) -> Iterator[str]:
    """A side behind its sign; one that is wide by itself, a row for each term."""
    wide = side.is_Add and len(inline(side, names)) > _WIDE
    terms = _Presentation(names)._as_ordered_terms(side) if wide else [side]
    for place, term in enumerate(terms):
        negative = wide and term.could_extract_minus_sign()
        signs = ["-" if negative else "+"]
        if place == 0:
            signs = [lead, "-" * negative]
        before = "".join(f"<mo>{escape(sign)}</mo>" for sign in signs if sign)
        yield f"<mrow>{before}{_printed(-term if negative else term, names)}</mrow>"


def definition(name: sp.Symbol | sp.IndexedBase, meaning: sp.Expr | sp.Lambda) -> str:
    """What a symbol, or each entry of a family, stands for, as an equation.

    >>> x, y = sp.symbols("x y")
    >>> definition(x, 2 * y).startswith('<math alttext="x = 2·y" display="block">')
    True
    """
    if isinstance(meaning, sp.Lambda):
        name, meaning = name[meaning.variables], meaning.expr
    return mathml(sp.Eq(name, meaning, evaluate=False), display=True)


def domain(variable: Variable) -> str:
    """The symbol of a variable with its domain, indexed where there are several.

    >>> width = Variable(sp.Symbol("d"), sp.Range(2, sp.oo), "width")
    >>> re.sub("<[^>]*>", "", domain(width))
    'd∈{2,3,…}'
    """
    shown = variable.symbol
    if variable.size:
        shown = shown[tuple(sp.symbols(list(_INDICES[: len(variable.size)])))]
    place = variable.domain
    if place == sp.Reals:
        where = "<mi>ℝ</mi>"
    elif isinstance(place, sp.Range):
        where = _between("{", list(_members(place)), "}")
    else:
        ends = [_printed(place.start), _printed(place.end)]
        right = ")" if place.end == sp.oo or place.right_open else "]"
        where = _between("(" if place.left_open else "[", ends, right)
    said = f"<mrow>{_printed(shown)}<mo>∈</mo>{where}</mrow>"
    return _element(said, in_unicode(variable), False)


def _members(place: sp.Range) -> Iterator[str]:
    """The members of a range of whole numbers, all of them where they are four at most."""
    count = place.stop - place.start
    if count.is_Integer and count <= 4:
        yield from (_printed(place.start + k) for k in range(int(count)))
        return
    yield from (_printed(place.start), _printed(place.start + 1), "<mo>…</mo>")
    if place.stop != sp.oo:
        yield _printed(place.stop - 1)


def _between(left: str, members: Sequence[str], right: str) -> str:
    inside = "<mo>,</mo>".join(members)
    low, high = (f'<mo stretchy="false">{bracket}</mo>' for bracket in (left, right))
    return f"<mrow>{low}{inside}{high}</mrow>"


def _element(content: str, words: str, display: bool) -> str:
    block = ' display="block"' if display else ""
    return f'<math alttext="{escape(words)}"{block}>{content}</math>'


def _printed(expression: sp.Basic, names: Names | None = None) -> str:
    return _ENTITY.sub(_character, str(_Presentation(names or {}).doprint(expression)))


def _character(found: re.Match[str]) -> str:
    """The character that a reference to an entity or a code point means, unless it is markup."""
    name, code, decimal = found.groups()
    if name:
        return "d" if name == "dd;" else html5.get(name, found[0])
    return escape(chr(int(code, 16) if code else int(decimal)))


class _Presentation(PositiveFirst, MathMLPresentationPrinter):  # type: ignore[misc]
    """SymPy's printer; ``names`` replaces symbols by what they stand for."""

    printmethod = "_nowhere"  # SymPy's indexed symbols would print themselves

    def __init__(self, names: Names) -> None:
        super().__init__()
        self.names = names

    def _made(self, tag: str, *parts: Element | str, **attributes: str) -> Element:
        """An element with elements in it, or with text, which is escaped."""
        made: Element = self.dom.createElement(tag)
        for part in parts:
            if isinstance(part, str):
                made.appendChild(self.dom.createTextNode(escape(part)))
            else:
                made.appendChild(part)
        for name, value in attributes.items():
            made.setAttribute(name, value)
        return made

    def _operator(self, sign: str) -> Element:
        return self._made("mo", sign)

    def _print_Symbol(self, sym: sp.Symbol, style: str = "plain") -> Element:
        if (shown := self.names.get(sym.name)) is not None:
            return self._made("mtext", shown)
        base, *below = sym.name.split("_")
        if below and below[0] in _ACCENTS:
            base, below = base + below[0], below[1:]
        accent = next((a for a in _ACCENTS if base.endswith(a) and base != a), "")
        letter = self._made("mi", symbol(base.removesuffix(accent)))
        if accent:
            letter = self._made("mover", letter, self._operator(_ACCENTS[accent]), accent="true")
        if not below:
            return letter
        tag = "mn" if below[0].isdigit() and len(below) == 1 else "mi"
        return self._made("msub", letter, self._made(tag, " ".join(map(symbol, below))))

    def _print_IndexedBase(self, base: sp.IndexedBase) -> Element:
        return self._print_Symbol(base.label)

    def _print_Indexed(self, expr: sp.Indexed) -> Element:
        inside: list[Element] = []
        for index in expr.indices:
            inside += [self._operator(",")] if inside else []
            inside.append(self._print(index))
        return self._made("msub", self._print(expr.base), self._made("mrow", *inside))

    def _print_Rational(self, expr: sp.Rational) -> Element:
        if power_of_ten(expr):
            exponent = self._made("mn", f"-{len(str(expr.q)) - 1}")
            return self._made("msup", self._made("mn", "10"), exponent)
        printed: Element = super()._print_Rational(expr)
        return printed

    def _print_Relational(self, expr: sp.Basic) -> Element:
        sign = self._operator(RELATIONS[type(expr)])  # SymPy's own is no markup where it is <
        return self._made("mrow", self._print(expr.lhs), sign, self._print(expr.rhs))

    def _print_Sum(self, expr: sp.Sum) -> Element:
        return self._bounded("∑", expr)

    def _print_Product(self, expr: sp.Product) -> Element:
        return self._bounded("∏", expr)

    def _bounded(self, sign: str, expr: sp.Sum | sp.Product) -> Element:
        signs = []
        for index, low, high in reversed(expr.limits):  # the outermost is SymPy's last
            start = self._made("mrow", self._print(index), self._operator("="), self._print(low))
            signs.append(self._made("munderover", self._operator(sign), start, self._print(high)))
        return self._made("mrow", *signs, self._factor(expr.function))

    def _factor(self, expr: sp.Expr) -> Element:
        return self.parenthesize(expr, PRECEDENCE["Mul"], strict=True)

    def parenthesize(self, item: sp.Expr, level: int, strict: bool = False) -> Element:
        """A sign with a body that reaches to the end of its term is closed in, as a factor is."""
        if isinstance(item, sp.Sum | sp.Product | BatchSum) and level >= PRECEDENCE["Mul"]:
            return self._closed(item)
        printed: Element = super().parenthesize(item, level, strict)
        return printed

    def _closed(self, *items: sp.Expr) -> Element:
        return self._made(
            "mrow", self._operator("("), *map(self._print, items), self._operator(")")
        )

    def _print_BatchSum(self, expr: BatchSum) -> Element:
        members = [self._print(expr.index), self._operator("∈"), self._print(expr.batch)]
        sign = self._made("munder", self._operator("∑"), self._made("mrow", *members))
        return self._made("mrow", sign, self._factor(expr.function))

    def _print_Average(self, expr: Average) -> Element:
        batch, size = self._print(expr.batch), self._print(expr.size)
        if isinstance(expr, AverageWithoutReplacement):
            bars = [self._operator("|"), batch, self._operator("|")]
            drawn = [*bars, self._operator("="), size]
        else:
            last = self._print(expr.population - 1)
            inside = [self._operator("{"), self._made("mn", "0"), self._operator("…"), last]
            members = self._made("mrow", *inside, self._operator("}"))
            drawn = [batch, self._operator("∈"), self._made("msup", members, size)]
        sign = self._made("munder", self._made("mi", "E"), self._made("mrow", *drawn))
        return self._made("mrow", sign, self._closed(expr.function))

    def _print_polygamma(self, expr: sp.Expr) -> Element:
        order, argument = expr.args
        psi = self._made("mi", "ψ")
        if order != 0:
            psi = self._made("msup", psi, self._closed(order))
        return self._made("mrow", psi, self._closed(argument))

    def _print_acos(self, expr: sp.acos) -> Element:
        return self._made("mrow", self._made("mi", "arccos"), self._closed(*expr.args))

    def _print_Piecewise(self, expr: sp.Piecewise) -> Element:
        rows = []
        for value, where in expr.args:
            said = self._made("mtext", "otherwise")
            if where != sp.true:
                said = self._made("mrow", self._made("mtext", "if\u00a0"), self._print(where))
            cells = (self._made("mtd", self._print(value)), self._made("mtd", said))
            rows.append(self._made("mtr", *cells))
        return self._made("mrow", self._operator("{"), self._made("mtable", *rows))
