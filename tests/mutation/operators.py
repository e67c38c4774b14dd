"""The fixed list of operators: what each changes, as new text for one stretch of a source file."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["KINDS", "PLANTED", "Mutant", "mutants"]

#: Kinds of which every site is tried: what a verdict stands on.
PLANTED = ("budget", "verdict", "ball", "transform")
#: All kinds; a seeded sample is taken of the rest.
KINDS = (*PLANTED, "constant", "off by one", "comparison", "sign", "factor", "assumption")

_BOUNDARY = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"}
_OPPOSITE = {
    ast.Lt: ">=",
    ast.LtE: ">",
    ast.Gt: "<=",
    ast.GtE: "<",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
}
_RELATIONS = {"<=": "<", "<": "<=", ">=": ">", ">": ">=", "==": "<="}
#: What a hard-wired verdict is, in the place of each.
_VERDICTS = {
    "REFUTED": "INCONCLUSIVE",
    "INCONCLUSIVE": "SUPPORTED",
    "SUPPORTED": "REFUTED",
    "CERTIFIED": "INCONCLUSIVE",
    "OUTSIDE": "SUPPORTED",
    "VACUOUS": "SUPPORTED",
    "PROVED": "SUPPORTED",
}
_WIRED = {"verdict": "SUPPORTED", "sentinel": "REFUTED"}


@dataclass(frozen=True)
class Mutant:
    """One change: the text from ``start`` to ``end`` of a file becomes ``after``."""

    path: str
    kind: str
    where: str  # the class and function, or "module"
    line: int
    last_line: int
    start: int
    end: int
    before: str
    after: str
    number: int  # of the same change in the same place

    @property
    def key(self) -> str:
        """What names it whatever lines are added above."""
        words = " ".join(self.before.split()), " ".join(self.after.split())
        return f"{self.path}::{self.where}::{self.kind}::{words[0]} -> {words[1]}#{self.number}"

    def apply(self, text: str) -> str:
        """The file with the change. Raises ``ValueError`` if the text is not the one the mutant was
        found in.
        """
        if text[self.start : self.end] != self.before:
            raise ValueError(f"{self.path} has changed since its mutants were listed; start again")
        return text[: self.start] + self.after + text[self.end :]

    def diff(self, text: str) -> str:
        """The lines it changes, before and after."""
        first = text.rfind("\n", 0, self.start) + 1
        last = text.find("\n", self.end)
        old = text[first:last]
        new = text[first : self.start] + self.after + text[self.end : last]
        lines = [
            f"  {sign} {line.strip()}"
            for sign, side in (("-", old), ("+", new))
            for line in side.splitlines()
        ]
        return "\n".join([f"{self.path}:{self.line} ({self.kind})", *lines])


def mutants(path: str, text: str, *, balls: bool = False, transforms: bool = False) -> list[Mutant]:
    """Every mutant of a file; ``balls`` and ``transforms`` say whether it holds comparisons of
    balls, or transforms.
    """
    finder = _Finder(text, balls, transforms)
    finder.visit(ast.parse(text))
    counts: Counter[tuple[str, ...]] = Counter()
    found = []
    for kind, where, node, after in sorted(
        finder.found, key=lambda f: (f[2].lineno, f[2].col_offset, f[0], f[3])
    ):
        start, end = finder.span(node)
        before = text[start:end]
        if before == after:
            continue
        counts[kind, where, before, after] += 1
        found.append(
            Mutant(
                path,
                kind,
                where,
                node.lineno,
                node.end_lineno or node.lineno,
                start,
                end,
                before,
                after,
                counts[kind, where, before, after],
            )
        )
    return found


class _Finder(ast.NodeVisitor):
    def __init__(self, text: str, balls: bool, transforms: bool) -> None:
        self.text, self.balls, self.transforms = text, balls, transforms
        self.found: list[tuple[str, str, ast.expr, str]] = []
        self._scope: list[str] = []
        self._lines = [line.encode() for line in text.splitlines(keepends=True)]
        self._starts = [0]
        for line in text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node stands in the text; the tree counts bytes within a line."""

        def place(line: int, column: int) -> int:
            return self._starts[line - 1] + len(self._lines[line - 1][:column].decode())

        return (
            place(node.lineno, node.col_offset),  # type: ignore[attr-defined]
            place(node.end_lineno, node.end_col_offset),
        )  # type: ignore[attr-defined]

    def _source(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.text[start:end]

    def _closed(self, node: ast.AST) -> str:
        text = self._source(node)
        return (
            text
            if isinstance(node, ast.Name | ast.Constant | ast.Attribute | ast.Call)
            else f"({text})"
        )

    def _add(self, kind: str, node: ast.expr, after: str) -> None:
        self.found.append((kind, ".".join(self._scope) or "module", node, after))

    # --- where nothing is changed -----------------------------------------------------------------

    def _scoped(self, node: ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) -> None:
        self._scope.append(node.name)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for default in (*node.args.defaults, *node.args.kw_defaults):
                if default is not None:
                    self.visit(default)
        for statement in node.body:
            self.visit(statement)
        self._scope.pop()

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _scoped

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        if not any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            self.visit(node.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        pass  # words

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        pass  # words, and no places of their own before Python 3.12

    def visit_If(self, node: ast.If) -> None:
        if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            self.generic_visit(node)

    # --- the operators ----------------------------------------------------------------------------

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Attribute):
            if function.attr == "share" and len(node.args) == 1:
                self._add("budget", node.args[0], "1")
            if function.attr in ("lower", "upper") and not node.args and not node.keywords:
                self._add("ball", node, f"{self._closed(function.value)}.mid()")
        for argument in (*node.args, *(k.value for k in node.keywords)):
            if _is_level(argument):
                self._add("budget", argument, f"(20 * {self._source(argument)})")
        for keyword in node.keywords:
            if keyword.arg in _WIRED:
                self._add("verdict", keyword.value, f"Verdict.{_WIRED[keyword.arg]}")
            if keyword.arg == "assumptions" and isinstance(keyword.value, ast.Tuple):
                for left_out in keyword.value.elts:
                    self._add(
                        "assumption",
                        keyword.value,
                        self._tuple([e for e in keyword.value.elts if e is not left_out]),
                    )
            if keyword.arg == "relation" and getattr(keyword.value, "value", None) in _RELATIONS:
                self._add("comparison", keyword.value, f'"{_RELATIONS[keyword.value.value]}"')
        self.generic_visit(node)

    def _tuple(self, elements: list[ast.expr]) -> str:
        return "(" + "".join(f"{self._source(e)}, " for e in elements).rstrip() + ")"

    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value in _WIRED:
                self._add("verdict", value, f'"{_WIRED[str(key.value)].lower()}"')
        self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg not in ("relation", "expected"):
            self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if (
            isinstance(node.value, ast.Name)
            and node.value.id == "Verdict"
            and node.attr in _VERDICTS
        ):
            self._add("verdict", node, f"Verdict.{_VERDICTS[node.attr]}")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        left, right = self._closed(node.left), self._closed(node.right)
        if isinstance(node.op, ast.Div) and _is_level(node.left):
            self._add("budget", node, left)
        if (
            isinstance(node.op, ast.Add | ast.Sub)
            and not _is_text(node.left)
            and not _is_text(node.right)
        ):
            self._add(
                "sign", node, f"{left} {'-' if isinstance(node.op, ast.Add) else '+'} {right}"
            )
        if isinstance(node.op, ast.Mult | ast.Div | ast.FloorDiv | ast.Pow):
            self._add("factor", node, left)
        if isinstance(node.op, ast.Mult):
            self._add("factor", node, right)
        if isinstance(node.op, ast.Mult | ast.Div | ast.Pow):
            self._nearly(node.left)
            self._nearly(node.right)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._nearly(node.value)
        self.generic_visit(node)

    def _nearly(self, node: ast.expr) -> None:
        """A number of a transform, half a percent off."""
        if self.transforms and isinstance(value := _number(node), int | float) and value:
            self._add("transform", node, f"({value * 0.995!r})")

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.USub):
            self._add("sign", node, self._closed(node.operand))
        if isinstance(node.op, ast.Not):
            self._add("assumption", node, self._closed(node.operand))
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        word = " and " if isinstance(node.op, ast.And) else " or "
        for left_out in node.values:
            rest = word.join(self._closed(v) for v in node.values if v is not left_out)
            self._add("assumption", node, f"({rest})")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        if len(node.ops) == 1:
            left, right, sign = (
                self._closed(node.left),
                self._closed(node.comparators[0]),
                type(node.ops[0]),
            )
            for other in (_BOUNDARY.get(sign), _OPPOSITE[sign]):
                if other is not None:
                    self._add("comparison", node, f"{left} {other} {right}")
            if self.balls and sign in _BOUNDARY and _number(node.comparators[0]) == 0:
                self._add("ball", node, f"({self._source(node.left)}).mid() {_SIGNS[sign]} 0")
        else:
            for place, sign in enumerate(node.ops):
                if type(sign) in _BOUNDARY:
                    signs = [
                        _BOUNDARY[type(s)] if k == place else _SIGNS[type(s)]
                        for k, s in enumerate(node.ops)
                    ]
                    text = self._closed(node.left)
                    for other, value in zip(signs, node.comparators, strict=True):
                        text += f" {other} {self._closed(value)}"
                    self._add("comparison", node, text)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self._add("constant", node, str(not node.value))
        elif isinstance(node.value, int):
            self._add("off by one", node, str(node.value + 1))
            if node.value > 0:
                self._add("off by one", node, str(node.value - 1))
        elif isinstance(node.value, float):
            self._add("constant", node, repr(node.value * 1.01))


_SIGNS = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}


def _is_level(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id == "level") or (
        isinstance(node, ast.Attribute) and node.attr == "level"
    )


def _is_text(node: ast.expr) -> bool:
    return any(
        isinstance(n, ast.JoinedStr) or (isinstance(n, ast.Constant) and isinstance(n.value, str))
        for n in _operands(node)
    )


def _operands(node: ast.expr) -> Iterator[ast.expr]:
    yield node
    if isinstance(node, ast.BinOp):
        yield from _operands(node.left)
        yield from _operands(node.right)


def _number(node: ast.expr) -> int | float | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return None if inner is None else -inner
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
