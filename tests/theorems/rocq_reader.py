"""Printed Rocq read back: the notations of mathcomp's ring scope, and of Coq's reals, at the levels they are declared.

Written apart from the printer and from SymPy. A text is parsed by precedence, refused where Rocq
would group it otherwise than parentheses say, and evaluated in long floats. As in mathcomp, 1/0 and
the root of a negative number are 0, and subtraction of naturals stops at 0.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mpmath

__all__ = ["Proposition", "read", "term"]

Env = Mapping[str, Any]
Node = Callable[[Env], Any]

_TOKENS = re.compile(
    r"""\s*(?:(\\sum_\(|\\prod_\(|\\big\[Rplus/0\]_\(|'I_|'C\(|%:R|%N|:>|\^-1|\^\+|<=|!=|==|&&|->|`\||
    [-+*/^<=():,~{}|\#]|\d+|[A-Za-z](?:[\w'.]*[\w'])?))""",
    re.VERBOSE,
)
_INFIX = {
    "^+": (29, 28),
    "^": (30, 30),
    "*": (40, 39),
    "/": (40, 39),
    "&&": (40, 39),
    "+": (50, 49),
    "-": (50, 49),
    "<=": (70, 69),
    "<": (70, 69),
    "=": (70, 69),
    "==": (70, 69),
    "!=": (70, 69),
}
_ATOM = 9  # what stands as an argument


@dataclass(frozen=True)
class Proposition:
    """``binders`` are names with the text of their types; the rest tell, at values by name, whether
    they hold.
    """

    binders: tuple[tuple[str, str], ...]
    hypotheses: tuple[Node, ...]
    conclusion: Node
    sides: tuple[Node, Node]
    negated: bool


def term(text: str, *, reals: bool = False) -> Node:
    """One term, of mathcomp's ring scope, or over Coq's reals."""
    parser = _Parser(text, reals)
    node = parser.expression(200)
    parser.end()
    return node


def read(text: str, *, reals: bool = False) -> Proposition:
    """A printed statement. Raises ``SyntaxError`` for what is none."""
    parser = _Parser(text, reals)
    binders = [] if reals else parser.field()
    apart = not binders  # the field by itself, or Coq's reals: the rest stands in parentheses
    negated = apart and parser.accept("~")
    if apart:
        parser.expect("(")
        parser.expect("forall")
        binders = parser.binders()
    parts = []
    while True:
        parts.append(parser.relation())
        if not parser.accept("->"):
            break
    if apart:
        parser.expect(")")
    parser.end()
    *hypotheses, (conclusion, sides) = parts
    if sides is None:
        raise SyntaxError("the conclusion is no relation")
    return Proposition(
        tuple(binders), tuple(node for node, _ in hypotheses), conclusion, sides, negated
    )


class _Parser:
    def __init__(self, text: str, reals: bool) -> None:
        self.reals = reals
        self.tokens: list[str] = []
        place, text = 0, text.rstrip()
        while place < len(text):
            match = _TOKENS.match(text, place)
            if match is None:
                raise SyntaxError(f"no token at {text[place : place + 20]!r}")
            self.tokens.append(match.group(1))
            place = match.end()
        self.place = 0

    # --- tokens -----------------------------------------------------------------------------------

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self) -> str:
        if self.place >= len(self.tokens):
            raise SyntaxError("ends early")
        self.place += 1
        return self.tokens[self.place - 1]

    def accept(self, token: str) -> bool:
        found = self.peek() == token
        self.place += found
        return found

    def expect(self, token: str) -> None:
        if not self.accept(token):
            raise SyntaxError(
                f"want {token!r} before {' '.join(self.tokens[self.place : self.place + 8])!r}"
            )

    def end(self) -> None:
        if self.peek():
            raise SyntaxError(f"more: {' '.join(self.tokens[self.place : self.place + 8])!r}")

    # --- propositions -----------------------------------------------------------------------------

    def field(self) -> list[tuple[str, str]]:
        """``forall (R : field) …`` as one list of binders, or ``forall R : field,`` before a
        negation.
        """
        self.expect("forall")
        if self.accept("("):
            self.place -= 1
            found = self.binders()
        else:
            self.expect("R")
            self.expect(":")
            found = [("R", self.take())]
            self.expect(",")
        if found[0][0] != "R" or found[0][1] not in ("realFieldType", "rcfType"):
            raise SyntaxError(f"a field comes first, not {found[0]}")
        return found[1:]

    def binders(self) -> list[tuple[str, str]]:
        found = []
        while self.accept("("):
            name, depth, words = self.take(), 1, []
            self.expect(":")
            while depth:
                word = self.take()
                depth += (word in ("(", "'C(")) - (word == ")")
                words.append(word)
            found.append((name, " ".join(words[:-1])))
        self.expect(",")
        return found

    def relation(self) -> tuple[Node, tuple[Node, Node] | None]:
        """A hypothesis or the conclusion; with its sides if it is one comparison of reals."""
        start = self.place
        try:
            left = self.expression(69)
            sign = self.peek()
            if sign in ("<=", "<", "=", "!="):
                self.take()
                right = self.expression(69)
                if self.peek() not in ("<=", "<"):
                    if self.accept(":>"):
                        self.expect("R")
                    return _compared(sign, left, right), (left, right)
        except SyntaxError:
            pass
        self.place = start
        return self.expression(98), None

    def quantified(self, word: str) -> Node:
        """``forall i : 'I_n, …``; several binders stand in parentheses."""
        bound: list[tuple[str, Node]] = []
        if self.peek() == "(":
            while self.accept("("):
                name = self.take()
                self.expect(":")
                bound.append((name, self.ordinal()))
                self.expect(")")
        else:
            name = self.take()
            self.expect(":")
            bound.append((name, self.ordinal()))
        self.expect(",")
        body = self.expression(200)
        names = [name for name, _ in bound]

        def holds(env: Env) -> bool:
            ranges = [range(size(env)) for _, size in bound]
            every = all if word == "forall" else any
            found = (dict(zip(names, places, strict=True)) for places in itertools.product(*ranges))
            return every(body({**env, **places}) for places in found)

        return holds

    def ordinal(self) -> Node:
        """``'I_n`` or ``'I_(…)``: the size."""
        self.expect("'I_")
        return self.prefix(nat=True)[0]

    # --- terms ------------------------------------------------------------------------------------

    def expression(self, most: int, nat: bool = False) -> Node:
        node, level = self.prefix(nat)
        if level > most:
            raise SyntaxError(f"needs parentheses: level {level} where {most} is the most")
        while (sign := self.peek()) in _INFIX and (found := _INFIX[sign])[0] <= most:
            own, below = found
            if level > (own - 1 if sign == "^" or own == 70 else own):
                raise SyntaxError(f"{sign} after a term of level {level}")
            if (sign == "^") is not self.reals and sign in ("^", "^+"):
                raise SyntaxError(f"{sign} belongs to the other scope")
            self.take()
            right = self.expression(below, nat or sign in ("^+", "^"))
            if own == 70 and self.peek() in ("<=", "<"):
                second, other = self.take(), self.expression(69, nat)
                node = _both(_compared(sign, node, right), _compared(second, right, other))
            else:
                node = (
                    _compared(sign, node, right)
                    if own == 70
                    else _operation(sign, node, right, self.reals)
                )
            level = own
        return node

    def prefix(self, nat: bool = False) -> tuple[Node, int]:
        word = self.peek()
        if word == "-":
            self.take()
            inner = self.expression(35, nat)
            return (lambda env: -inner(env)), 35
        if word == "/" and self.reals:
            self.take()
            divisor = self.expression(35, nat)
            return (lambda env: _inverse(divisor(env))), 35
        if word in ("\\sum_(", "\\prod_(", "\\big[Rplus/0]_("):
            return self.big(self.take())
        if word == "if":
            self.take()
            test = self.expression(200)
            self.expect("then")
            first = self.expression(200)
            self.expect("else")
            second = self.expression(200)
            return (lambda env: first(env) if test(env) else second(env)), 200
        if word in ("forall", "exists"):
            self.take()
            return self.quantified(word), 200
        return self.postfix(nat)

    def postfix(self, nat: bool) -> tuple[Node, int]:
        node, level, applied = self.atom(nat)
        node, level = self._marks(node, level)
        arguments = []
        while applied and level == 0 and self._starts_argument():
            argument, own, _ = self.atom(nat)
            arguments.append(self._marks(argument, own)[0])
        if arguments:
            head = node
            node, level = (lambda env: head(env)(*(a(env) for a in arguments))), 10
        return node, level

    def _marks(self, node: Node, level: int) -> tuple[Node, int]:
        while self.peek() in ("%:R", "^-1"):
            inner = node
            if self.take() == "%:R":
                if level > 2:
                    raise SyntaxError("%:R after a term that is none of naturals")
                node, level = (lambda env, inner=inner: mpmath.mpf(_natural(inner(env)))), 2  # type: ignore[misc]
            else:
                node, level = (lambda env, inner=inner: _inverse(inner(env))), 3  # type: ignore[misc]
        return node, level

    def _starts_argument(self) -> bool:
        word = self.peek()
        return word in ("(", "`|", "'C(") or (
            bool(re.match(r"\d|[A-Za-z]", word))
            and word not in ("then", "else", "in", "if", "forall", "exists")
        )

    def atom(self, nat: bool) -> tuple[Node, int, bool]:
        word = self.take()
        if word.isdigit():
            value = int(word)
            marked = self.peek() == "%:R"
            if marked and value > 1000:
                raise SyntaxError(f"{value}%:R is a unary number")
            if not (marked or nat or self.reals or value < 2 or self._within_naturals()):
                raise SyntaxError(f"{value} stands for no element of a ring")
            return (lambda env: value), 0, False
        if word == "(":
            inner = self.expression(200, nat)
            self.expect(")")
            if self.accept("%N"):
                return (lambda env: inner({**env, "%N": True})), 0, False
            return inner, 0, False
        if word == "`|":
            size = self.expression(200)
            self.expect("|")
            return (lambda env: abs(size(env))), 0, False
        if word == "'C(":
            count = self.expression(200, True)
            self.expect(",")
            drawn = self.expression(200, True)
            self.expect(")")
            return (lambda env: math.comb(count(env), drawn(env))), 0, False
        if not re.match(r"[A-Za-z]", word):
            raise SyntaxError(f"{word!r} begins no term")
        if word in _FUNCTIONS:
            return (lambda env: _FUNCTIONS[word]), 0, True
        if word == "PI" and self.reals:
            return (lambda env: +mpmath.pi), 0, False
        return (lambda env: env[word]), 0, True

    def _within_naturals(self) -> bool:
        """Whether the innermost parenthesis that is open closes with ``%N``, or tells what an index
        runs over.
        """
        depth = 0
        for place in range(self.place, len(self.tokens)):
            depth += (self.tokens[place].endswith("(")) - (self.tokens[place] == ")")
            if depth < 0:
                return self.tokens[place + 1 : place + 2] == ["%N"]
        return False

    def big(self, word: str) -> tuple[Node, int]:
        level = {"\\sum_(": 41, "\\prod_(": 36, "\\big[Rplus/0]_(": 36}[word]
        name = self.take()
        over = self.range(name)
        self.expect(")")
        body = self.expression(level)

        def total(env: Env) -> Any:
            values = [body({**env, name: place}) for place in over(env)]
            return mpmath.fprod(values) if word == "\\prod_(" else mpmath.fsum(values)

        return total, level

    def range(self, name: str) -> Node:
        """What an index runs over: below a size, the members of a set, all sets of a size, all
        functions.
        """
        if self.accept("<"):
            size = self.expression(69, True)
            return lambda env: range(size(env))
        if self.accept("in"):
            members = self.take()
            return lambda env: sorted(env[members])
        self.expect(":")
        self.expect("{")
        if self.accept("ffun"):
            source = self.ordinal()
            self.expect("->")
            target = self.ordinal()
            self.expect("}")
            return lambda env: [
                tuple.__getitem__.__get__(image)
                for image in itertools.product(range(target(env)), repeat=source(env))
            ]
        self.expect("set")
        among = self.ordinal()
        self.expect("}")
        for token in ("|", "#", "|", name, "|", "=="):
            self.expect(token)
        size = self.expression(69, True)
        return lambda env: list(itertools.combinations(range(among(env)), size(env)))


def _natural(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise TypeError(f"{value!r} is no natural number")
    return value


def _inverse(value: Any) -> Any:
    return 1 / mpmath.mpf(value) if value else mpmath.mpf(0)


def _root(value: Any) -> Any:
    return mpmath.sqrt(value) if value > 0 else mpmath.mpf(0)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Num.sqrt": _root,
    "sqrt": _root,
    "acos": lambda x: mpmath.acos(max(min(x, 1), -1)),
    "Num.max": max,
    "Num.min": min,
    "Num.sg": mpmath.sign,
    "INR": lambda n: mpmath.mpf(_natural(n)),
}


def _both(first: Node, second: Node) -> Node:
    return lambda env: first(env) and second(env)


def _compared(sign: str, left: Node, right: Node) -> Node:
    def holds(env: Env) -> bool:
        a, b = left(env), right(env)
        same = _close(a, b)
        return {
            "<=": a < b or same,
            "<": a < b and not same,
            "=": same,
            "==": same,
            "!=": not same,
        }[sign]

    return holds


def _close(a: Any, b: Any) -> bool:
    return a == b or abs(a - b) <= mpmath.mpf(10) ** -60 * (abs(a) + abs(b))


def _operation(sign: str, left: Node, right: Node, reals: bool) -> Node:
    def value(env: Env) -> Any:
        a, b = left(env), right(env)
        if sign == "&&":
            return a and b
        if sign in ("^+", "^"):
            return a ** _natural(b) if isinstance(a, int) else mpmath.mpf(a) ** _natural(b)
        if sign == "/":
            return a * _inverse(b)
        if sign == "-":
            return max(a - b, 0) if "%N" in env else a - b
        return a + b if sign == "+" else a * b

    return value
