"""SymPy expressions as Rocq terms, spelled out: of mathcomp's ring scope, or over Coq's reals.

Over Coq's own real numbers there are pi and arccos; sums are mathcomp's big operators of
``Rplus``, whose indices have the same types as in the rest of the development. The order of terms
and factors is fixed here and does not depend on SymPy's: numbers, symbols, members of families,
roots, powers, sums; what is subtracted after what is added; one fraction bar.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import sympy as sp

from theorems.expressions import branches
from theorems.minibatch_averages import Average, AverageWithoutReplacement, BatchSum

__all__ = ["REALS", "Formulas", "RealFormulas", "UnprintableError", "binder_names"]

#: What a proof names as its structure to be printed over Coq's reals.
REALS = "R"

# Precedence levels of the notations, loosest last; an argument printed at a looser level gets
# parentheses.
_ATOM, _INVERSE, _APPLIED, _POWER, _MINUS = 0, 3, 10, 29, 35
_TIMES, _BIG, _PLUS, _LOOSEST = 40, 41, 50, 200

_KEYWORDS = frozenset(
    (
        "as",
        "at",
        "by",
        "cofix",
        "do",
        "else",
        "end",
        "exists",
        "exists2",
        "fix",
        "for",
        "forall",
        "fun",
        "if",
        "in",
        "is",
        "let",
        "match",
        "of",
        "return",
        "then",
        "using",
        "where",
        "with",
        "Prop",
        "Set",
        "SProp",
        "Type",
        "R",
        "nat",
        # and what is printed over Coq's reals: a variable of that name would stand for the constant
        "INR",
        "PI",
        "Rplus",
        "acos",
        "sqrt",
    )
)
_RELATIONS = {"<=": "<=", "<": "<", ">=": "<=", ">": "<", "==": "=", "!=": "!="}
_TESTS = {(sp.Eq,): "==", (sp.Ne,): "!=", (sp.Lt, sp.Gt): "<", (sp.Le, sp.Ge): "<="}
#: Whole numbers above this are printed in base 1000: a literal of ``nat`` is unary.
_LARGEST = 1000


class UnprintableError(ValueError):
    """What was to be printed has no form in Rocq; the message says what."""


Term = tuple[str, int]


def binder_names(symbols: Sequence[str]) -> dict[str, str]:
    """A Rocq identifier for every symbol, all different.

    Example:
        >>> binder_names(["sigma", "in", "Vhat_1", "λ"])
        {'sigma': 'sigma', 'in': 'in_', 'Vhat_1': 'Vhat_1', 'λ': 'x_'}
    """
    found: dict[str, str] = {}
    for symbol in symbols:
        name = re.sub(r"\W", "_", symbol, flags=re.ASCII)
        if not re.match(r"[A-Za-z]", name):
            name = f"x{name}"
        while name in _KEYWORDS or name in found.values():
            name += "_"
        found[symbol] = name
    return found


def _within(term: Term, level: int) -> str:
    text, own = term
    return text if own <= level else f"({text})"


class Formulas:
    """Prints expressions in the variables named; ``roots`` tells whether a square root was met.

    - ``names``: of the symbols in Rocq
    - ``naturals``: variables of type ``nat``, with their least value
    - ``sizes``: families, with the extents of their indices
    - ``indices``: variables that are indices, with what they run below
    """

    #: The notation of sums, its level, and that of what may stand under it without parentheses.
    _SUM = ("\\sum", _BIG, _TIMES)

    def __init__(
        self,
        names: Mapping[str, str],
        naturals: Mapping[str, int],
        sizes: Mapping[str, tuple[sp.Expr, ...]],
        indices: Mapping[str, sp.Expr] | None = None,
    ) -> None:
        self._names, self._naturals, self._sizes = names, naturals, sizes
        #: By the symbol of an index: its name, and the size it runs below.
        self._bound: dict[str, tuple[str, sp.Expr]] = {
            i: (names[i], size) for i, size in (indices or {}).items()
        }
        #: By the symbol of a batch: its name, and how it is drawn.
        self._batches: dict[str, tuple[str, Average]] = {}
        self.roots = False

    # --- relations, types, names ------------------------------------------------------------------

    def relation(self, sign: str, lhs: sp.Expr, rhs: sp.Expr) -> str:
        """``lhs sign rhs``; ``>`` and ``>=`` are turned round, as mathcomp does.

        - ``sign``: one of ``<=``, ``<``, ``>=``, ``>``, ``==``, ``!=``

        Raises `UnprintableError` for a side without printed form.

        Example:
            >>> x = sp.Symbol("x")
            >>> Formulas({"x": "x"}, {}, {}).relation(">=", x**2, sp.Integer(0))
            '0 <= x ^+ 2'
        """
        left, right = self.real(lhs), self.real(rhs)
        if sign in (">", ">="):
            left, right = right, left
        free = {str(s) for s in lhs.free_symbols | rhs.free_symbols}
        typed = bool((free & self._names.keys()) - self._naturals.keys() - self._bound.keys())
        return f"{left} {_RELATIONS[sign]} {right}" + ("" if typed else " :> R")

    def ordinal(self, size: sp.Expr) -> str:
        """The type of an index below ``size``, an expression in whole-numbered variables.

        Example:
            >>> n = sp.Symbol("n")
            >>> Formulas({"n": "n"}, {"n": 1}, {}).ordinal(n - 1)
            "'I_((n - 1)%N)"
        """
        text = self.natural(size)
        return f"'I_{text}" if re.fullmatch(r"\w+", text) else f"'I_({text})"

    def entries(self, family: str, meaning: sp.Lambda) -> str:
        """What every member of a family is equal to, for all indices.

        - ``family``: its symbol, of which ``sizes`` has the extents
        - ``meaning``: the member at indices, as many as there are extents
        """
        outer, sizes = dict(self._bound), self._sizes[family]
        names = []
        for index, size in zip(meaning.variables, sizes, strict=True):
            names.append(self._index_name(str(index)))
            self._bound[str(index)] = (names[-1], size)
        value = self.real(meaning.expr)
        self._bound = outer
        member = " ".join((self._names[family], *names))
        return f"(forall {self.binders(names, sizes)}, {member} = {value})"

    def binders(self, names: Sequence[str], sizes: Sequence[sp.Expr]) -> str:
        """Indices with their types, in parentheses if there are several.

        - ``names``: in Rocq; ``sizes``: what each runs below
        """
        typed = [f"{name} : {self.ordinal(size)}" for name, size in zip(names, sizes, strict=True)]
        return typed[0] if len(typed) == 1 else " ".join(f"({one})" for one in typed)

    def fresh_indices(self, count: int) -> tuple[str, ...]:
        """Names of indices that nothing else has.

        Args:
            count: how many, at most six.

        Returns:
            The first of i, j, k, l, p, q that are free, one that is taken with a ``_`` behind.
        """
        taken = set(self._names.values()) | {name for name, _ in self._bound.values()}
        letters = (letter if letter not in taken else f"{letter}_" for letter in "ijklpq")
        return tuple(name for name in letters if name not in taken)[:count]

    def natural(self, expression: sp.Expr) -> str:
        """An expression of type ``nat``, without the scope's mark unless it is compound.

        Raises `UnprintableError` for one that may be negative or no whole number.
        """
        text, compound = self._natural(sp.sympify(expression))
        return f"({text})%N" if compound else text

    def _natural(self, e: sp.Expr) -> tuple[str, bool]:
        """The text, and whether it is compound."""
        if e.is_Integer and e >= 0:
            return str(e), False
        whole = self._naturals.keys() | self._bound
        if isinstance(e, sp.Symbol) and str(e) in whole:
            return self._whole_numbered(str(e))[0], False
        terms = sp.Add.make_args(e)
        constant = sum((t for t in terms if t.is_Integer), sp.Integer(0))
        parts, least = [], constant
        for term in sorted((t for t in terms if not t.is_Integer), key=str):
            coefficient, rest = term.as_coeff_Mul()
            if not (coefficient.is_Integer and coefficient > 0 and str(rest) in whole):
                raise UnprintableError(f"{e} is not seen to be a natural number")
            name, smallest = self._whole_numbered(str(rest))
            parts.append(name if coefficient == 1 else f"{coefficient} * {name}")
            least += coefficient * smallest
        if not parts or least < 0:
            raise UnprintableError(f"{e} may be negative, and is used as a natural number")
        text = " + ".join(parts)
        if constant == 0:
            return text, True
        return f"{text} {'-' if constant < 0 else '+'} {abs(constant)}", True

    def _whole_numbered(self, symbol: str) -> tuple[str, int]:
        """The name and the least value of a whole number.

        An index that is bound hides a variable of its name.
        """
        if symbol in self._bound and self._bound[symbol][0] != self._names.get(symbol):
            return self._bound[symbol][0], 0
        return self._names[symbol], self._naturals.get(symbol, 0)

    # --- real terms -------------------------------------------------------------------------------

    def real(self, expression: sp.Expr) -> str:
        """An expression of the field's type, at a level that fits beside a relation.

        Raises `UnprintableError` for a function without printed form.

        Example:
            >>> x, y = sp.symbols("x y")
            >>> Formulas({"x": "x", "y": "y"}, {}, {}).real(x / 2 - y)
            'x / 2%:R - y'
        """
        return _within(self._term(sp.sympify(expression)), _PLUS)

    def _term(self, e: sp.Expr) -> Term:
        match e:
            case sp.Rational():
                return self._rational(e)
            case sp.Symbol():
                return self._symbol(e)
            case sp.Indexed():
                return self._member(e)
            case sp.Add():
                return self._sum_of(e)
            case sp.Mul() | sp.Pow():
                return self._fraction(e)
            case sp.Sum() | sp.Product():
                return self._big(e)
            case Average():
                return self._average(e)
            case BatchSum():
                return self._batch_sum(e)
            case sp.sign():
                return f"Num.sg {self._argument(e.args[0])}", _APPLIED
            case sp.Max() | sp.Min():
                return self._extreme(e)
            case sp.Abs():
                return f"`|{self.real(e.args[0])}|", _ATOM
            case sp.Piecewise():
                return self._cases(e)
        raise UnprintableError(f"{type(e).__name__} has no printed form: {sp.sstr(e)}")

    def _argument(self, e: sp.Expr) -> str:
        """As the argument of a function."""
        return _within(self._term(e), _INVERSE)

    def _rational(self, e: sp.Rational) -> Term:
        if e < 0:
            return f"- {_within(self._rational(-e), _MINUS)}", _MINUS
        if e.q != 1:
            return self._quotient(
                [self._whole(int(e.p))] if e.p != 1 else [], [self._whole(int(e.q))]
            )
        return self._whole(int(e))

    def _whole(self, value: int) -> Term:
        if value <= _LARGEST:
            return (str(value) if value < 2 else f"{value}%:R"), _ATOM
        head, tail = divmod(value, _LARGEST)
        product = f"{_within(self._whole(head), _TIMES)} * {_LARGEST}%:R", _TIMES
        return (f"{product[0]} + {self._whole(tail)[0]}", _PLUS) if tail else product

    def _symbol(self, e: sp.Symbol) -> Term:
        name = str(e)
        if name in self._bound:
            return f"{self._bound[name][0]}%:R", _ATOM
        if name in self._naturals:
            return f"{self._names[name]}%:R", _ATOM
        if name in self._sizes or name not in self._names:
            raise UnprintableError(f"{name} stands outside its family or its sum")
        return self._names[name], _ATOM

    def _member(self, e: sp.Indexed) -> Term:
        family = str(e.base.label)
        for index, size in zip(e.indices, self._sizes.get(family, ()), strict=True):
            if str(index) not in self._bound or self._bound[str(index)][1] != size:
                raise UnprintableError(
                    f"{e} is read at {index}, which does not run over 0 … {size} - 1"
                )
        return " ".join(
            (self._names[family], *(self._bound[str(i)][0] for i in e.indices))
        ), _APPLIED

    def _sum_of(self, e: sp.Add) -> Term:
        # free of SymPy's own order: what is added first, members of families before the rest,
        # numbers behind
        def place(term: sp.Expr) -> tuple[bool, bool, bool, str]:
            return _negative(term), bool(term.is_number), not term.has(sp.Indexed), sp.sstr(term)

        text = ""
        for term in sorted(e.args, key=place):
            negative = _negative(term)
            part = _within(self._term(-term if negative else term), _TIMES)
            if negative and not text and part.startswith("\\prod"):
                part = f"({part})"  # a minus in front binds tighter than a product over an index
            text += f" {'-' if negative else '+'} {part}"
        return text.removeprefix(" + ").removeprefix(" "), _PLUS

    def _fraction(self, e: sp.Expr) -> Term:
        """A product or a power: its factors above and below one fraction bar."""
        if _negative(e):
            return f"- {_within(self._term(-e), _MINUS)}", _MINUS
        above: list[tuple[int, str, Term]] = []
        below: list[tuple[int, str, Term]] = []
        for factor in sp.Mul.make_args(e):
            if factor.is_Rational:
                above += [(0, "", self._whole(int(factor.p)))] if factor.p != 1 else []
                below += [(0, "", self._whole(int(factor.q)))] if factor.q != 1 else []
                continue
            base, exponent = (
                factor.as_base_exp() if isinstance(factor, sp.Pow) else (factor, sp.S.One)
            )
            inverted = exponent.could_extract_minus_sign()
            size = -exponent if inverted else exponent
            term = self._rank(base, size), sp.sstr(factor), self._power(base, size)
            (below if inverted else above).append(term)
        return self._quotient([t for *_, t in sorted(above)], [t for *_, t in sorted(below)])

    @staticmethod
    def _rank(base: sp.Expr, exponent: sp.Expr) -> int:
        """The place of a factor in the order of the printed ones, after the numbers."""
        if exponent != 1:
            return 3
        kinds = (sp.Symbol, sp.Indexed, sp.Pow, sp.Sum, sp.Product)
        return 1 + [*(isinstance(base, kind) for kind in kinds), True].index(True)

    def _quotient(self, above: Sequence[Term], below: Sequence[Term]) -> Term:
        if not below:
            return _product(above)
        denominator = _product(below)
        if not above:
            return f"{_within(denominator, _INVERSE)}^-1", _INVERSE
        return f"{_within(_product(above), _TIMES)} / {_within(denominator, _POWER)}", _TIMES

    def _power(self, base: sp.Expr, exponent: sp.Expr) -> Term:
        """``base`` to a nonnegative exponent, a natural number or half of one."""
        if exponent == 1:
            return self._term(base)
        if not _natural_looking(exponent):
            if not _natural_looking(2 * exponent):
                raise UnprintableError(
                    f"the exponent {exponent} is neither a natural number nor half of one"
                )
            self.roots = True
            root: Term = (f"Num.sqrt {self._argument(base)}", _APPLIED)
            return root if exponent == sp.Rational(1, 2) else self._raised(root, 2 * exponent)
        return self._raised(self._term(base), exponent)

    def _raised(self, base: Term, exponent: sp.Expr) -> Term:
        return f"{_within(base, _APPLIED)} ^+ {self.natural(sp.expand(exponent))}", _POWER

    def _big(self, e: sp.Sum | sp.Product) -> Term:
        sign, level, inside = self._SUM if isinstance(e, sp.Sum) else ("\\prod", 36, _POWER)
        outer = dict(self._bound)
        heads = []
        for index, first, last in reversed(e.limits):
            if first != 0:
                raise UnprintableError(
                    f"the index {index} starts at {first}; only 0 … n - 1 is printed"
                )
            size = sp.expand(last + 1)
            text, compound = self._natural(size)
            name = self._index_name(str(index))
            heads.append(f"{sign}_({name} < {f'({text})%N' if compound else text})")
            self._bound[str(index)] = (name, size)
        body = self._term(e.function)
        self._bound = outer
        nested = isinstance(e.function, type(e))
        return f"{' '.join(heads)} {body[0] if nested else _within(body, inside)}", level

    def _average(self, e: Average) -> Term:
        """Over all sets of ``size`` indices, or all functions from ``size`` places to indices."""
        name, population = self._index_name(str(e.batch)), self.ordinal(e.population)
        if isinstance(e, AverageWithoutReplacement):
            drawn = f"{{set {population}}} | #|{name}| == {self.natural(e.size)}"
            count = f"'C({self._natural(e.population)[0]}, {self._natural(e.size)[0]})%:R"
        else:
            drawn = f"{{ffun {self.ordinal(e.size)} -> {population}}}"
            count = self._raised(self._term(e.population), e.size)[0]
        outer = dict(self._batches)
        self._batches[str(e.batch)] = (name, e)
        body = _within(self._term(e.function), _TIMES)
        self._batches = outer
        return f"(\\sum_({name} : {drawn}) {body}) / {count}", _TIMES

    def _batch_sum(self, e: BatchSum) -> Term:
        if str(e.batch) not in self._batches:
            raise UnprintableError(f"{e.batch} is summed over outside the average over its draws")
        batch, drawn = self._batches[str(e.batch)]
        name, outer = self._index_name(str(e.index)), dict(self._bound)
        if isinstance(drawn, AverageWithoutReplacement):
            head, member = f"{name} in {batch}", name
        else:
            head, member = f"{name} < {self.natural(drawn.size)}", f"({batch} {name})"
        self._bound[str(e.index)] = (member, drawn.population)
        body = _within(self._term(e.function), _TIMES)
        self._bound = outer
        return f"\\sum_({head}) {body}", _BIG

    def _index_name(self, symbol: str) -> str:
        bound = (*self._bound.values(), *self._batches.values())
        taken = {*self._names.values(), *(name for name, _ in bound)}
        name = binder_names([symbol])[symbol]
        while name in taken:
            name += "_"
        return name

    def _extreme(self, e: sp.Max | sp.Min) -> Term:
        function = "Num.max" if isinstance(e, sp.Max) else "Num.min"
        terms = [self._argument(a) for a in sorted(e.args, key=sp.sstr)]
        text = terms[-1]
        for term in reversed(terms[:-1]):
            text = f"{function} {term} {text if text == terms[-1] else f'({text})'}"
        return text, _APPLIED

    def _cases(self, e: sp.Piecewise) -> Term:
        try:
            *given, (value, _) = branches(e)
        except TypeError as error:
            raise UnprintableError(str(error)) from None
        text = self.real(value)
        for value, comparisons in reversed(given):
            tests = [self._comparison(c) for c in comparisons]
            level = _LOOSEST if len(tests) == 1 else _ATOM
            test = " && ".join(sorted(_within(t, level) for t in tests))
            text = f"if {test} then {self.real(value)} else {text}"
        return text, _LOOSEST

    def _comparison(self, e: sp.core.relational.Relational) -> Term:
        """One that Rocq decides: between whole numbers, or in the field."""
        left, right = (e.rhs, e.lhs) if isinstance(e, sp.Gt | sp.Ge) else (e.lhs, e.rhs)
        sign = next(s for kinds, s in _TESTS.items() if isinstance(e, kinds))
        if {str(s) for s in e.free_symbols} <= self._bound.keys() | self._naturals.keys():
            text = f"{self.natural(left)} {sign} {self.natural(right)}"
            return (text, _LOOSEST) if sign in ("==", "!=") else (f"({text})%N", _ATOM)
        return f"{self.real(left)} {sign} {self.real(right)}", _LOOSEST


class RealFormulas(Formulas):
    """As `Formulas`, with the notations of ``R_scope``, and with pi and arccos."""

    _SUM = ("\\big[Rplus/0]", _BIG, _POWER)  # in parentheses wherever it is not alone

    def _term(self, e: sp.Expr) -> Term:
        match e:
            case sp.pi:
                return "PI", _ATOM
            case sp.acos():
                return f"acos {self._argument(e.args[0])}", _APPLIED
            case sp.Max() | sp.Min() | sp.Product():
                raise UnprintableError(
                    f"{type(e).__name__} has no printed form over Coq's reals: {sp.sstr(e)}"
                )
        return super()._term(e)

    def _whole(self, value: int) -> Term:
        return str(value), _ATOM

    def _symbol(self, e: sp.Symbol) -> Term:
        text, level = super()._symbol(e)
        name = text.removesuffix("%:R")
        return (text, level) if name == text else (f"INR {name}", _APPLIED)

    def _power(self, base: sp.Expr, exponent: sp.Expr) -> Term:
        text, level = super()._power(base, exponent)
        return text.replace("Num.sqrt", "sqrt"), level

    def _raised(self, base: Term, exponent: sp.Expr) -> Term:
        return f"{_within(base, _APPLIED)} ^ {self.natural(sp.expand(exponent))}", _POWER

    def _quotient(self, above: Sequence[Term], below: Sequence[Term]) -> Term:
        text, level = super()._quotient(above, below)
        if level != _INVERSE:
            return text, level
        inverse = text.endswith("^-1")
        return (f"/ {text.removesuffix('^-1')}", _MINUS) if inverse else (text, _TIMES)


def _product(factors: Sequence[Term]) -> Term:
    if len(factors) < 2:
        return factors[0] if factors else ("1", _ATOM)
    first, *rest = factors
    head = _within(first, _POWER if first[1] == _MINUS else _TIMES)
    return " * ".join((head, *(_within(factor, _POWER) for factor in rest))), _TIMES


def _negative(term: sp.Expr) -> bool:
    """The term has a negative number in front."""
    return bool(term.as_coeff_Mul()[0].is_negative)


def _natural_looking(exponent: sp.Expr) -> bool:
    """Every coefficient of the expanded exponent is a whole number."""
    return all(t.as_coeff_Mul()[0].is_Integer for t in sp.Add.make_args(sp.expand(exponent)))
