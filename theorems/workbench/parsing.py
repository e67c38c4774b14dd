"""Claims and expressions given as text, read by a whitelist over Python's grammar. Nothing is ever
evaluated.

A text means what it says before any simplification: where a denominator in it is 0, or a root or
logarithm in it is of a negative number, it has no value, also where SymPy cancels that part. 0**0
is 1.

What is allowed: numbers (exactly as written: 0.1 is 1/10), declared names, + - * / **, unary minus,
one comparison, the functions of ``FUNCTIONS``, and where a claim is about random weights the
statistics of `theorems.workbench.estimands.STATISTICS`; where it compares two chains, the
quantities of the second as ``other.orthogonality_gap``. Everything else is refused with a
`ClaimError` that says where.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate
from typing import TypeAlias

import sympy as sp

from simulators.arguments import did_you_mean, require
from simulators.observables import OBSERVABLES, parametrised
from theorems.algebraic import fraction
from theorems.checking.drawn_networks import OTHER
from theorems.definedness import Condition, distinct, of_function, of_power, of_quotient
from theorems.statement import ClaimError
from theorems.workbench.estimands import STATISTICS, Statistic
from theorems.workbench.given_laws import GIVEN_LAWS, GivenLaw

__all__ = [
    "FUNCTIONS",
    "ClaimError",
    "Relation",
    "nearest",
    "read_claim",
    "read_expression",
    "refuse",
]

#: Longer texts are refused, and deeper or larger expressions.
LONGEST, DEEPEST, LARGEST = 2000, 40, 300
#: Numerators, denominators and integer powers of numbers may have so many bits.
BITS = 4096
#: Symbols may be raised to powers of at most this size.
HIGHEST = 1000


@dataclass(frozen=True)
class Relation:
    """A comparison as it was written: ``lhs relation rhs``, with ``relation`` one of <= < >= > ==
    !=.

    ``conditions`` say where both sides have a value. SymPy simplifies the sides (x**2/x is x), so
    they are taken from the syntax: x**2/x wants x != 0. ``statistics`` are those that the sides
    name, as ``median(x)``; their own conditions are with them.

    Example:
        >>> str(Relation(sp.Symbol("x"), "<=", sp.Integer(1)))
        'x <= 1'
    """

    lhs: sp.Expr
    relation: str
    rhs: sp.Expr
    conditions: tuple[Condition, ...] = ()
    statistics: tuple[Statistic, ...] = ()

    def __str__(self) -> str:
        return f"{self.lhs} {self.relation} {self.rhs}"


#: The functions a text may call, with the number of arguments (0: one or more).
FUNCTIONS: Mapping[str, tuple[Callable[..., sp.Expr], int]] = {
    "sqrt": (sp.sqrt, 1),
    "log": (sp.log, 1),
    "exp": (sp.exp, 1),
    "acos": (sp.acos, 1),
    "abs": (sp.Abs, 1),
    "Abs": (sp.Abs, 1),
    "Min": (sp.Min, 0),
    "Max": (sp.Max, 0),
    "min": (sp.Min, 0),
    "max": (sp.Max, 0),
}
_VERBS = {
    "sqrt": "takes the root of",
    "log": "takes the logarithm of",
    "acos": "takes the arc cosine of",
}
#: Statistics that take more than what is read.
_SECOND = ("quantile", "exponent", "kolmogorov")
_COMPARISONS: Mapping[type[ast.cmpop], str] = {
    ast.LtE: "<=",
    ast.Lt: "<",
    ast.GtE: ">=",
    ast.Gt: ">",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
#: Statistics of which there are slopes; of nothing else than a mean where none is named.
_SLOPED = ("mean", "median", "quantile")
Names: TypeAlias = Mapping[str, sp.Basic]


def read_claim(text: str, names: Names) -> Relation:
    """``lhs relation rhs`` from text.

    - ``text``: at most 2000 characters of plain ASCII
    - ``names``: what it may name, with what SymPy calls it

    Raises `ClaimError` saying where it is no claim.

    Example:
        >>> read_claim("x**2/x <= 0.1", {"x": sp.Symbol("x", real=True)}).rhs
        1/10
    """
    node = _tree(text)
    if not isinstance(node, ast.Compare):
        raise ClaimError(
            f"{text!r} compares nothing; write a claim such as 'orthogonality_gap <= sqrt(n/d)'"
        )
    relation = _COMPARISONS.get(type(node.ops[0]), "")
    refuse(
        (len(node.ops) != 1, f"{text!r} compares more than two sides; give one claim each"),
        (
            not relation,
            f"{text!r}: want one of {' '.join(_COMPARISONS.values())} between the sides",
        ),
    )
    reader = _Reader(text, names)
    left, right = reader.read(node.left), reader.read(node.comparators[0])
    found = tuple(reader.statistics.values())
    return Relation(left, relation, right, distinct(reader.conditions), found)


def read_expression(text: str, names: Names) -> sp.Expr:
    """An exact expression from text.

    - ``text``, ``names``: as `read_claim` takes them

    Raises `ClaimError` saying where it is none.

    Example:
        >>> read_expression("2*n**2/3", {"n": sp.Symbol("n", positive=True)})
        2*n**2/3
    """
    reader = _Reader(text, names)
    found = reader.read(_tree(text))
    for statistic in reader.statistics.values():
        raise ClaimError(f"{statistic} is no number that is known; it stands in claims alone")
    return found


def refuse(*cases: tuple[object, str]) -> None:
    """Raise `ClaimError` in the words of the first case that is true.

    - ``cases``: what may be wrong, whether it is, and what to say of it

    Example:
        >>> refuse((False, "too few"), (True, "too many"))
        Traceback (most recent call last):
        theorems.statement.ClaimError: too many
    """
    for wrong, words in cases:
        require(not wrong, words, ClaimError)


def nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean …?`` with the nearest known words, or the known ones if none is near.

    Args:
        word: what was written.
        known: the words that would do.

    Example:
        >>> nearest("rescal", ["rescale", "residual"])
        '; did you mean rescale or residual?'
    """
    options = list(known)
    if hint := did_you_mean(word, options, most=2, cutoff=0.5, spell=str):
        return f"; {hint}"
    return f"; known here: {', '.join(options)}" if options else ""


def _tree(text: str) -> ast.expr:
    if not isinstance(text, str):
        raise ClaimError(f"{text!r} is no text")
    refuse(
        (len(text) > LONGEST, f"the text has {len(text)} characters; at most {LONGEST} are read")
    )
    flat = _flat(text)
    stray = next((c for c in flat if not (c.isascii() and c.isprintable())), None)
    # Python's own parser recurses; a text this short cannot exhaust it unless it nests to no
    # purpose
    nested = accumulate((c in "([{") - (c in ")]}") for c in flat)
    deepest = max(nested, default=0)
    refuse(
        (
            not flat,
            "the text is empty; write a claim such as 'orthogonality_gap <= sqrt(n/d)'",
        ),
        (
            stray is not None,
            f"{flat!r}: {stray!r} is not read; write plain ASCII, such as <=, sqrt, alpha",
        ),
        (
            re.search(r"(?<![=<>!])=(?![=])", flat) is not None,
            f"{flat!r}: a single = is no comparison; write ==",
        ),
        ("^" in flat, f"{flat!r}: ^ is no power; write **"),
        (
            deepest > DEEPEST,
            f"the text nests {deepest} brackets; at most {DEEPEST} are read",
        ),
    )
    try:
        with warnings.catch_warnings(action="ignore"):  # what is odd is refused, in one line
            return ast.parse(flat, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        place = ""
        if isinstance(error, SyntaxError) and error.text:
            rest = error.text.strip()[max((error.offset or 1) - 1, 0) :]
            place = f" at {rest[:20]!r}"
        raise ClaimError(f"{flat!r} is not a formula{place}") from None


def _flat(text: str) -> str:
    """On one line, and with the start's mark before the number in a quantity's name:
    soft_rank(1/2)_0 is read as soft_rank_0(1/2).
    """
    named = "|".join(parametrised())
    return re.sub(rf"\b({named})\s?(\([^()]*\))_0\b", r"\1_0\2", " ".join(text.split()))


class _Reader:
    """One text being read, with what is left of its allowance."""

    def __init__(self, text: str, names: Names) -> None:
        self.text = _flat(text)
        self.names = names
        self.left = LARGEST
        #: What must hold for every part read so far to have a value, whatever SymPy makes of it.
        self.conditions: list[Condition] = []
        #: The statistics read so far, by name, and the one that is being read.
        self.statistics: dict[str, Statistic] = {}
        self.within = ""

    def read(self, node: ast.expr, depth: int = 0) -> sp.Expr:
        self.left -= 1
        refuse(
            (depth > DEEPEST, f"the formula nests deeper than {DEEPEST} levels; name a part of it"),
            (self.left < 0, f"the formula has more than {LARGEST} parts; shorten it"),
        )
        match node:
            case ast.Constant():
                return self._number(node)
            case ast.Name():
                return self._name(node.id)
            case ast.UnaryOp(op=ast.USub()):
                return -self.read(node.operand, depth + 1)
            case ast.UnaryOp(op=ast.UAdd()):
                return self.read(node.operand, depth + 1)
            case ast.BinOp():
                return self._binary(node, depth)
            case ast.Call():
                return self._call(node, depth)
            case ast.Attribute(value=ast.Name(id="other")):
                return self._name(f"other.{node.attr}")
        raise ClaimError(
            f"{self._source(node)!r} is not read; allowed are numbers, declared names, + - * / **, "
            f"brackets and {', '.join(FUNCTIONS)}"
        )

    def _source(self, node: ast.AST) -> str:
        found = ast.get_source_segment(self.text, node) or self.text
        return found if len(found) <= 60 else found[:57] + "…"

    def _words(self, node: ast.AST, verb: str, part: ast.AST) -> str:
        return f"{self._source(node)} {verb} {self._source(part)}"

    def _number(self, node: ast.Constant) -> sp.Expr:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise ClaimError(f"{self._source(node)!r} is no number")
        written = self._source(node).replace("_", "")
        exponent = re.search(r"[eE]([+-]?\d+)$", written)
        if len(written) > 200 or (
            exponent and abs(int(exponent[1])) > 400 and not written.startswith("0x")
        ):
            raise ClaimError(f"{written!r} is too long or too large a number")
        try:
            value = Fraction(node.value) if isinstance(node.value, int) else Fraction(written)
        except ValueError:
            raise ClaimError(f"{written!r} is no number that can be read exactly") from None
        return _bounded(sp.Rational(value.numerator, value.denominator), written)

    def _name(self, name: str) -> sp.Expr:
        if name in self.names:
            return self.names[name]
        refuse((name in FUNCTIONS, f"{name} is a function; write {name}(...)"))
        if name.startswith(OTHER):
            self._refuse_other(name)
        kind = OBSERVABLES.get(name.removesuffix("_0"))
        if kind is not None and kind.unclaimable is not None:
            raise ClaimError(kind.unclaimable)
        raise ClaimError(f"{name!r} is neither declared nor a quantity{nearest(name, self.names)}")

    def _refuse_other(self, name: str) -> None:
        """Raise `ClaimError` for a quantity of the second chain that there is not."""
        theirs = [known for known in self.names if known.startswith(OTHER)]
        early = name.removesuffix("_0")
        refuse(
            (
                not theirs,
                f"{name}: of which chain? give it beside chain=, as other='vanilla(relu)'",
            ),
            (
                early != name and early in self.names,
                f"{name}: both chains go from the same batch; write {name.removeprefix(OTHER)}",
            ),
            (True, f"no quantity {name!r}{nearest(name, theirs)}"),
        )

    def _call(self, node: ast.Call, depth: int) -> sp.Expr:
        name = node.func.id if isinstance(node.func, ast.Name) else None
        if name is not None and name in STATISTICS:
            return self._statistic(name, node, depth)
        if name is None or name not in FUNCTIONS:
            # soft_rank(1/2) is one quantity with a number in its name
            written = re.sub(r"\s", "", self._source(node))
            if written in self.names or written.startswith(OTHER):
                return self._name(written)
            raise ClaimError(
                f"{self._source(node)!r}: no function {ast.unparse(node.func)[:40]!r}"
                f"{nearest(name or '', [*FUNCTIONS, *STATISTICS])}"
            )
        function, arity = FUNCTIONS[name]
        source = repr(self._source(node))
        starred = any(isinstance(a, ast.Starred) for a in node.args)
        refuse(
            (bool(node.keywords) or starred, f"{source}: arguments are plain formulas"),
            (
                len(node.args) not in ((arity,) if arity else range(1, LARGEST)),
                f"{source}: {name} takes {arity or 'one or more'} argument(s)",
            ),
        )
        arguments = [self.read(a, depth + 1) for a in node.args]
        refuse(
            (
                name == "exp" and arguments[0].is_number and abs(float(arguments[0])) > HIGHEST,
                f"{source}: too large an exponent",
            )
        )
        verb = _VERBS.get(name, "is of")
        self.conditions += of_function(name, arguments, self._words(node, verb, node.args[0]))
        return self._real(function(*arguments), node)

    def _statistic(self, name: str, node: ast.Call, depth: int) -> sp.Symbol:
        """A number of the law of what stands in its brackets."""
        source, form = repr(self._source(node)), STATISTICS[name]
        of = self._required(name, node)
        sloped = name in ("rate", "exponent")
        inner = of if sloped and isinstance(of, ast.Call) and _called(of) in _SLOPED else node
        of = self._required(_called(inner), inner)
        outer, self.conditions, self.within = self.conditions, [], f"{name}(…)"
        share = self._share(inner, depth)
        against = self.read(node.args[1], depth + 1) if name == "exponent" else None
        refuse(
            (
                against is not None and (not against.is_Symbol or str(against) == "n"),
                f"{source}: an exponent is in the width d or the layer ell, or in a parameter of "
                f"the chain, as in {form}",
            )
        )
        size = None if against is None else str(against)
        law = self._law(node.args[1], depth + 1) if name == "kolmogorov" else None
        read = self._compared(of, depth + 1) if name == "probability" else self.read(of, depth + 1)
        found = Statistic(name, read, distinct(self.conditions), share, size, law)
        self.conditions, self.within = outer, ""
        if (known := self.statistics.get(str(found))) is not None:
            found = replace(found, conditions=distinct([*known.conditions, *found.conditions]))
        self.statistics[str(found)] = found
        return found.symbol

    def _required(self, name: str, node: ast.Call) -> ast.expr:
        """What a statistic is of, once it is seen to be written as it should be."""
        source, form = repr(self._source(node)), STATISTICS[name]
        plain = not node.keywords and len(node.args) == 1 + (name in _SECOND)
        of = node.args[0] if node.args else node
        refuse(
            (
                bool(self.within),
                f"{source} stands within {self.within}, and is no random number there; a statistic "
                "is of what one network gives",
            ),
            (not plain, f"{source}: write {form}"),
            (
                isinstance(of, ast.Compare) is not (name == "probability"),
                f"{source}: {name} is of {'an event' if name == 'probability' else 'a quantity'}, "
                f"as in {form}",
            ),
        )
        return of

    def _share(self, node: ast.Call, depth: int) -> Fraction | None:
        """The probability below a median or quantile; None of what is neither."""
        name = _called(node)
        if name != "quantile":
            return Fraction(1, 2) if name == "median" else None
        level = self.read(node.args[1], depth + 1)
        refuse(
            (
                not level.is_Rational or not 0 < level < 1,
                f"{self._source(node)!r}: a quantile is at a number inside (0, 1), the probability "
                f"below it; want {STATISTICS[name]}",
            )
        )
        return fraction(level)

    def _law(self, node: ast.expr, depth: int) -> GivenLaw:
        """A law by name, with its parameters."""
        name = (
            node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        )
        if not isinstance(node, ast.Call) or name not in GIVEN_LAWS:
            raise ClaimError(
                f"{self._source(node)!r} is no law{nearest(name, GIVEN_LAWS)}; write one as "
                f"{STATISTICS['kolmogorov']}"
            )
        wanted = GIVEN_LAWS[name]
        refuse(
            (
                bool(node.keywords) or len(node.args) != len(wanted),
                f"{self._source(node)!r}: {name} takes {len(wanted)}: {', '.join(wanted)}",
            )
        )
        return GivenLaw(name, tuple(self.read(part, depth) for part in node.args))

    def _compared(self, node: ast.expr, depth: int) -> sp.Basic:
        """The event that a comparison describes."""
        sign = _COMPARISONS.get(type(node.ops[0]), "") if isinstance(node, ast.Compare) else ""
        if not isinstance(node, ast.Compare) or len(node.ops) != 1 or not sign:
            raise ClaimError(f"{self._source(node)!r}: an event compares two sides, as x > 1/10")
        sides = (self.read(part, depth) for part in (node.left, node.comparators[0]))
        return sp.Rel(*sides, sign, evaluate=False)

    def _binary(self, node: ast.BinOp, depth: int) -> sp.Expr:
        left, right = self.read(node.left, depth + 1), self.read(node.right, depth + 1)
        match node.op:
            case ast.Add():
                found = left + right
            case ast.Sub():
                found = left - right
            case ast.Mult():
                found = left * right
            case ast.Div():
                if right == 0:
                    raise ClaimError(f"{self._source(node)!r} divides by zero")
                self.conditions += of_quotient(right, self._words(node, "divides by", node.right))
                found = left / right
            case ast.Pow():
                found = self._power(left, right, node)
            case _:
                raise ClaimError(f"{self._source(node)!r}: allowed between formulas are + - * / **")
        return self._real(found, node)

    def _power(self, base: sp.Expr, exponent: sp.Expr, node: ast.BinOp) -> sp.Expr:
        if exponent.is_Rational:
            refuse(
                (
                    abs(exponent) > HIGHEST or exponent.q > HIGHEST,
                    f"{self._source(node)!r}: exponents are at most {HIGHEST}",
                )
            )
            if base.is_Rational:
                size = max(abs(int(base.p)), int(base.q)).bit_length() * abs(float(exponent))
                refuse((size > BITS, f"{self._source(node)!r} has more than {BITS} bits"))
                refuse((base == 0 and exponent < 0, f"{self._source(node)!r} divides by zero"))
        elif exponent.is_number:
            raise ClaimError(
                f"{self._source(node)!r}: raise to a rational power, or a positive base to a "
                "variable one"
            )
        if exponent.is_Rational or base.is_nonnegative:
            verb = "divides by" if exponent.is_negative else "raises"
            if exponent.is_Rational and exponent.q > 1:
                verb = "takes the root of"
            self.conditions += of_power(base, exponent, self._words(node, verb, node.left))
        else:
            words = self._words(node, "raises to a variable power the base", node.left)
            self.conditions += (Condition(sp.Gt(base, 0, evaluate=False), words),)
        found = base**exponent
        if any(p.exp.is_Rational and abs(p.exp) > HIGHEST for p in found.atoms(sp.Pow)):
            raise ClaimError(f"{self._source(node)!r}: exponents are at most {HIGHEST}")
        return found

    def _real(self, value: sp.Expr, node: ast.expr) -> sp.Expr:
        if value.is_number and (value.is_real is not True or value.is_finite is False):
            raise ClaimError(f"{self._source(node)!r} is not a real number")
        return _bounded(value, self._source(node))


def _called(node: ast.Call) -> str:
    """The name that is called; empty where that is no plain one."""
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _bounded(value: sp.Expr, source: str) -> sp.Expr:
    for number in value.atoms(sp.Rational):
        if max(abs(int(number.p)), int(number.q)).bit_length() > BITS:
            raise ClaimError(f"{source!r} has more than {BITS} bits")
    return value
