"""What is printed to Rocq means what SymPy says: read back by another reader, and compared at
points.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import mpmath
import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rocq_reader import read, term

from theorems import Statement, get, library
from theorems.minibatch_averages import Average, AverageWithoutReplacement, BatchSum
from theorems.proofs.formulas import Formulas
from theorems.proofs.printer import UnprintableError, proposition
from theorems.statement import Assumption, Sentinel, Variable

n = sp.Symbol("n", integer=True, positive=True)
m = sp.Symbol("m", integer=True, nonnegative=True)
x, y = sp.Symbol("x", real=True), sp.Symbol("y", positive=True)
i, j = sp.symbols("i j", integer=True)
lam = sp.IndexedBase("lambda", real=True)
A = sp.IndexedBase("A", real=True)


@pytest.fixture(autouse=True, scope="module")
def long_floats() -> Iterator[None]:
    """Room for integers of two hundred bits beside differences of their neighbours."""
    with mpmath.workdps(150):
        yield


class Undefined(Exception):
    """Where a side has no value, mathcomp's conventions are its own."""


def value(e: Any, env: Mapping[str, Any]) -> Any:
    """A SymPy expression in long floats, written apart from the library's own evaluation."""
    if isinstance(e, sp.Rational):
        return mpmath.mpf(int(e.p)) / int(e.q)
    if e == sp.pi:
        return +mpmath.pi
    if isinstance(e, sp.Symbol):
        return mpmath.mpf(env[str(e)])
    if isinstance(e, sp.Indexed):
        return env[str(e.base.label)](*(whole(k, env) for k in e.indices))
    if isinstance(e, sp.Add):
        return mpmath.fsum(value(a, env) for a in e.args)
    if isinstance(e, sp.Mul):
        return mpmath.fprod(value(a, env) for a in e.args)
    if isinstance(e, sp.Pow):
        return power(value(e.base, env), value(e.exp, env))
    if isinstance(e, sp.Sum | sp.Product):
        return ranged(e, e.limits, env)
    if isinstance(e, sp.Max | sp.Min):
        return (max if isinstance(e, sp.Max) else min)(value(a, env) for a in e.args)
    if isinstance(e, sp.Abs):
        return abs(value(e.args[0], env))
    if isinstance(e, sp.sign):
        return mpmath.sign(value(e.args[0], env))
    if isinstance(e, sp.acos):
        argument = value(e.args[0], env)
        if abs(argument) > 1:
            raise Undefined
        return mpmath.acos(argument)
    if isinstance(e, sp.Piecewise):
        return next(value(v, env) for v, condition in e.args if truth(condition, env))
    if isinstance(e, Average):
        population, size = whole(e.population, env), whole(e.size, env)
        drawn = (
            itertools.combinations(range(population), size)
            if isinstance(e, AverageWithoutReplacement)
            else itertools.product(range(population), repeat=size)
        )
        values = [value(e.function, {**env, str(e.batch): batch}) for batch in drawn]
        if not values:
            raise Undefined
        return mpmath.fsum(values) / len(values)
    if isinstance(e, BatchSum):
        return mpmath.fsum(value(e.function, {**env, str(e.index): k}) for k in env[str(e.batch)])
    raise NotImplementedError(type(e).__name__)


def ranged(e: sp.Sum | sp.Product, limits: Any, env: Mapping[str, Any]) -> Any:
    """A sum or product over the limits, of which the last is the outermost."""
    if not limits:
        return value(e.function, env)
    *inner, (index, first, last) = limits
    places = range(whole(first, env), whole(last, env) + 1)
    values = [ranged(e, inner, {**env, str(index): k}) for k in places]
    return mpmath.fsum(values) if isinstance(e, sp.Sum) else mpmath.fprod(values)


def power(base: Any, exponent: Any) -> Any:
    whole_exponent = exponent == int(exponent)
    if (base == 0 and exponent < 0) or (base < 0 and not whole_exponent):
        raise Undefined
    return base ** int(exponent) if whole_exponent else mpmath.power(base, exponent)


def whole(e: Any, env: Mapping[str, Any]) -> int:
    found = value(sp.sympify(e), env)
    assert found == int(found)
    return int(found)


def truth(relation: Any, env: Mapping[str, Any]) -> bool:
    if relation in (sp.true, sp.false):
        return bool(relation)
    if isinstance(relation, sp.And):
        return all(truth(part, env) for part in relation.args)
    left, right = (value(side, env) for side in (relation.lhs, relation.rhs))
    same = close(left, right)
    return bool(
        {
            "<=": left < right or same,
            "<": left < right and not same,
            ">=": left > right or same,
            ">": left > right and not same,
            "==": same,
            "!=": not same,
        }[relation.rel_op]
    )


def close(a: Any, b: Any) -> bool:
    return bool(a == b or abs(a - b) <= mpmath.mpf(10) ** -60 * (abs(a) + abs(b)))


def agree(a: Any, b: Any) -> bool:
    """Close, or nothing but the rounding of 150 digits that is left where terms cancel to 0."""
    return close(a, b) or abs(a) + abs(b) <= mpmath.mpf(10) ** -140


# --- expressions ----------------------------------------------------------------------------------


def claim(lhs: sp.Expr) -> Statement:
    """A claim about a real, a positive number, naturals n ≥ 2 and m < n, a family and a matrix."""
    variables = (
        Variable(n, sp.Range(2, sp.oo), "n"),
        Variable(m, sp.Range(0, n), "m"),
        Variable(x, sp.Reals, "x"),
        Variable(y, sp.Interval.open(0, sp.oo), "y"),
        Variable(lam, sp.Reals, "family", size=(n,)),
        Variable(A, sp.Reals, "matrix", size=(n, n)),
    )
    return replace(
        get("orthogonality.gap_vs_smallest_eigenvalue:sharp"),
        theorem="t",
        variant="",
        variables=variables,
        lhs=lhs,
        relation="<=",
        rhs=x + 1,
        definitions={},
        assumptions=(),
        proof=None,
        sentinel=Sentinel("other", rhs=x + 2),
    )


INTEGERS = st.one_of(
    st.integers(-30, 30),
    st.integers(990, 1010),
    st.integers(-2100, 2100),
    st.sampled_from(
        [
            10**6,
            -(10**6),
            10**30,
            -(10**30),
            2**200,
            1 - 2**200,
            2**64 + 1,
            10**9 + 7,
            1000 * 10**12 + 1,
        ]
    ),
)
NUMBERS = INTEGERS.map(sp.Integer) | st.builds(
    lambda p, q: sp.Rational(p, q),
    INTEGERS,
    st.sampled_from([2, 3, 7, 999, 1000, 1001, 10**30, 2**200 + 1]),
)


def sound(e: sp.Expr) -> bool:
    """Made of numbers that are."""
    return not e.has(sp.zoo, sp.nan, sp.oo, -sp.oo, sp.I)


def made(build: Any) -> Any:
    """What ``build`` makes of sound parts, or the first of them where that has no value."""

    def safely(*parts: sp.Expr) -> sp.Expr:
        try:
            found = build(*parts)
        except (TypeError, ZeroDivisionError):
            return parts[0]
        return found if sound(found) else parts[0]

    return safely


def expressions(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        roots = st.sampled_from(
            [sp.Rational(1, 2), sp.Rational(3, 2), sp.Rational(-1, 2), m, m + n, -m]
        )
        return st.one_of(
            st.builds(made(lambda a, b: a + b), inner, inner),
            st.builds(made(lambda a, b, c: a - b + c), *[inner] * 3),
            st.builds(made(lambda a, b: a * b), inner, inner),
            st.builds(made(lambda a, b, c: a * b / c), *[inner] * 3),
            st.builds(
                made(lambda a, k: a**k),
                inner,
                st.sampled_from([sp.Integer(k) for k in (2, 3, -1, -2, -3)]),
            ),
            st.builds(made(lambda a, k: (a if a.is_positive else sp.Abs(a)) ** k), inner, roots),
            inner.map(lambda a: -a),
            inner.map(sp.Abs),
            inner.map(sp.sign),
            st.builds(made(sp.Max), inner, inner),
            st.builds(made(sp.Min), inner, inner),
            st.builds(
                made(lambda a, b, c: sp.Piecewise((a, sp.Lt(b, c, evaluate=False)), (b, True))),
                *[inner] * 3,
            ),
        )

    return st.recursive(leaves, grow, max_leaves=6)


PLAIN = NUMBERS | st.sampled_from([x, y, n, m])
ONE = PLAIN | st.sampled_from([i, lam[i], A[i, i]])
TWO = ONE | st.sampled_from([j, lam[j], A[i, j], A[j, i]])


@st.composite
def sums(draw: st.DrawFn) -> sp.Expr:
    """An expression with a sum or product in it, or one in another."""
    kind, other = (
        draw(st.sampled_from([sp.Sum, sp.Product])),
        draw(st.sampled_from([sp.Sum, sp.Product])),
    )
    inner = draw(expressions(ONE))
    if draw(st.booleans()):
        inner = inner * other(draw(expressions(TWO)), (j, 0, n - 1)) + draw(expressions(ONE))
    whole_sum = kind(inner, (i, 0, n - 1))
    around = draw(expressions(PLAIN))
    found = draw(
        st.sampled_from(
            [
                whole_sum,
                around * whole_sum,
                around - whole_sum,
                whole_sum**2 / (1 + around**2),
                sp.sqrt(1 + whole_sum**2),
                around + whole_sum,
            ]
        )
    )
    # SymPy takes cases out of an inner sum even where their condition names its index, which is then no one's
    assume(found.free_symbols.isdisjoint({i, j}))
    return found


def points(seed: int) -> Iterator[dict[str, Any]]:
    """Values by name; families are functions of their indices."""
    chance = random.Random(seed)

    def number() -> Any:
        return mpmath.mpf(
            chance.choice([chance.randint(-9, 9), chance.randint(-999, 999)])
        ) / chance.randint(1, 17)

    for size in (2, 3):
        family = [number() for _ in range(size)]
        matrix = [[number() for _ in range(size)] for _ in range(size)]
        yield {
            "n": size,
            "m": chance.randrange(size),
            "x": number(),
            "y": abs(number()) + mpmath.mpf(1) / 7,
            "lambda": lambda k, family=family: family[k],
            "A": lambda k, l, matrix=matrix: matrix[k][l],
        }


def agrees(expression: sp.Expr, seed: int) -> None:
    statement = claim(expression)
    try:
        text = proposition(statement)
    except UnprintableError:
        return  # refused with a reason, which says nothing false
    found = read(text)
    for env in points(seed):
        try:
            wanted = value(expression, env)
        except Undefined:
            continue
        printed, last = found.sides[0](env), text.splitlines()[-1].strip()
        assert close(printed, wanted), f"{last} is {printed}, {expression} is {wanted} at {env}"


@settings(max_examples=150, deadline=None)
@given(expressions(PLAIN), st.integers(0, 10**6))
def test_an_expression_read_back_has_its_value(expression: sp.Expr, seed: int) -> None:
    agrees(expression, seed)


@settings(max_examples=30, deadline=None)
@given(sums(), st.integers(0, 10**6))
def test_a_sum_read_back_has_its_value(expression: sp.Expr, seed: int) -> None:
    agrees(expression, seed)


@settings(max_examples=150, deadline=None)
@given(st.integers(-(2**210), 2**210) | INTEGERS, st.integers(1, 2**210) | st.integers(1, 2000))
def test_a_number_read_back_is_itself_to_the_last_digit(p: int, q: int) -> None:
    statement = claim(x + sp.Rational(p, q))
    env = next(points(0)) | {"x": mpmath.mpf(0)}
    with mpmath.workdps(200):
        printed = read(proposition(statement)).sides[0](env)
        assert abs(printed * q - p) <= abs(mpmath.mpf(p)) * mpmath.mpf(10) ** -190
    text = sp.sstr(sp.Rational(p, q))
    assert Fraction(text) == Fraction(p, q)


EDGES = [
    -sp.Product(lam[i], (i, 0, n - 1)),
    -x * sp.Product(lam[i], (i, 0, n - 1)),
    -sp.Product(lam[i], (i, 0, n - 1)) - y,
    -sp.Product(lam[i], (i, 0, n - 1)) * sp.Product(x + i, (i, 0, n - 1)) - 1,
    -(x + 1),
    -(x**2),
    (-x) ** 3,
    -x / y,
    x - (y - (x - y)),
    x - (-y),
    2 * (x + y) * (x - y),
    (x + y) / (x * y + 2),
    1 / (1 / y + 1),
    (x / y) / (y / (x**2 + 1)),
    x / (y * n),
    x * y**-2 / n,
    sp.sqrt(y) ** 3 / y**2,
    -sp.sqrt(y) * x,
    sp.Integer(10) ** 30 * x,
    x / 10**30,
    x - sp.Integer(2) ** 200,
    -(sp.Integer(2) ** 200) * x,
    sp.Rational(-7, 1001) + x,
    sp.Sum(lam[i] - x, (i, 0, n - 1)) - x,
    sp.Sum(lam[i], (i, 0, n - 1)) * x + y,
    -(sp.Sum(lam[i], (i, 0, n - 1)) ** 2),
    sp.Sum(sp.Sum(A[i, j] * lam[j], (j, 0, n - 1)) ** 2, (i, 0, n - 1)),
    sp.Product(1 + lam[i] ** 2, (i, 0, n - 1)) * x,
    sp.Max(x, -y, 3),
    sp.Abs(x - y) ** 3,
    sp.Sum(A[j, j] * sp.Product(lam[i] + j, (i, 0, n - 1)), (j, 0, n - 1)),
    x ** (n - 2),
    x ** (2 * n + m),
    y ** ((n + 1) / 2),
    y**-m,
    (x + 1) ** n / n,
    sp.Sum(i * lam[i], (i, 0, n - 1)),
    sp.Piecewise((x, sp.Le(x, y)), (y, sp.Lt(m, n)), (sp.Integer(5), True)),
]


@pytest.mark.parametrize("expression", EDGES, ids=sp.sstr)
def test_an_edge_read_back_has_its_value(expression: sp.Expr) -> None:
    assert read(proposition(claim(expression)))
    for seed in range(5):
        agrees(expression, seed)


# --- statements -----------------------------------------------------------------------------------


def printable() -> list[Any]:
    found = []
    for statement in library():
        structure = "" if statement.proof is None else statement.proof.structure
        try:
            found.append(
                pytest.param(
                    statement,
                    structure,
                    proposition(statement, structure=structure),
                    id=statement.name,
                )
            )
        except UnprintableError:
            continue
    return found


PRINTED = printable()


def drawn(statement: Statement, chance: random.Random) -> dict[str, Any]:
    """Values of all variables, most within their domains, and of the definitions, most as defined."""
    env: dict[str, Any] = {}
    indices = {
        str(k)
        for side in (statement.lhs, statement.rhs, *(a.relation for a in statement.assumptions))
        for entry in side.atoms(sp.Indexed)
        for k in entry.indices
    }
    for variable in statement.variables:
        shape = [whole(extent, env) for extent in variable.size]
        if isinstance(variable.domain, sp.Range):
            low = whole(variable.domain.start, env)
            high = 4 if variable.domain.stop == sp.oo else whole(variable.domain.stop, env) - 1
            outside = variable.name not in indices and chance.random() < 0.05
            env[variable.name] = (
                max(0, low - 1) if outside else chance.randint(low, max(low, min(high, low + 2)))
            )
        else:
            env[variable.name] = _family(
                shape, lambda domain=variable.domain: _inside(domain, env, chance)
            )
    for name, meaning in statement.definitions.items():
        if isinstance(meaning, sp.Lambda):
            env[str(name)] = _table(meaning, [whole(extent, env) for extent in name.shape], env)
        elif isinstance(meaning, sp.Basic):
            env[str(name)] = value(meaning, env) + (chance.random() < 0.1)
        else:
            which, family = meaning.split("_i ")[0], meaning.split(" ")[1].partition("[")[0]
            size = next(whole(v.size[0], env) for v in statement.variables if v.name == family)
            env[str(name)] = (min if which == "min" else max)(
                env[family](k) for k in range(size)
            ) + (chance.random() < 0.1)
    return env


def _inside(domain: sp.Interval, env: Mapping[str, Any], chance: random.Random) -> Any:
    low = value(domain.start, env) if domain.start.is_finite else mpmath.mpf(-5)
    high = value(domain.end, env) if domain.end.is_finite else max(low, 0) + 5
    step = mpmath.mpf(chance.randint(0, 12)) / 12
    return low - 1 if chance.random() < 0.02 else low + (high - low) * step


def _family(shape: list[int], draw: Any) -> Any:
    if not shape:
        return draw()
    table = {place: draw() for place in itertools.product(*map(range, shape))}
    return lambda *place: table[place]


def _table(meaning: sp.Lambda, shape: list[int], env: Mapping[str, Any]) -> Any:
    table = {
        place: value(
            meaning.expr, {**env, **dict(zip(map(str, meaning.variables), place, strict=True))}
        )
        for place in itertools.product(*map(range, shape))
    }
    return lambda *place: table[place]


def admits(statement: Statement, env: Mapping[str, Any]) -> bool:
    """Domains, definitions and assumptions, as SymPy states them."""
    for v in statement.variables:
        places = itertools.product(*(range(whole(extent, env)) for extent in v.size))
        for place in places:
            given = env[v.name](*place) if v.size else env[v.name]
            if isinstance(v.domain, sp.Range):
                low, high = whole(v.domain.start, env), v.domain.stop
                if given < low or (high != sp.oo and given >= whole(high, env)):
                    return False
                continue
            low, high = v.domain.start, v.domain.end
            for end, sign, is_open in (
                (low, 1, v.domain.left_open),
                (high, -1, v.domain.right_open),
            ):
                if end.is_finite:
                    room = sign * (given - value(end, env))
                    if room < 0 or (is_open and room == 0):
                        return False
    for name, meaning in statement.definitions.items():
        if (
            isinstance(meaning, sp.Basic)
            and not isinstance(meaning, sp.Lambda)
            and not close(env[str(name)], value(meaning, env))
        ):
            return False
        if isinstance(meaning, str):
            family = meaning.split(" ")[1].partition("[")[0]
            size = next(whole(v.size[0], env) for v in statement.variables if v.name == family)
            if env[str(name)] != (min if meaning.startswith("min") else max)(
                env[family](k) for k in range(size)
            ):
                return False
    return all(truth(a.relation, env) for a in statement.assumptions)


@pytest.mark.parametrize(("statement", "structure", "text"), PRINTED)
def test_a_statement_read_back_has_its_sides_and_its_hypotheses(
    statement: Statement, structure: str, text: str
) -> None:
    found = read(text, reals=structure == "R")
    names = [name for name, _ in found.binders]
    symbols = [*(v.name for v in statement.variables), *(str(s) for s in statement.definitions)]
    assert len(set(names)) == len(names)
    used = [s for s in symbols if any(name.rstrip("_") == s.rstrip("_") for name in names)]
    assert len(used) == len(names)
    chance, compared, admitted = random.Random(5), 0, set()
    for _ in range(60):
        try:
            env = drawn(statement, chance)
            printed = {name: env[symbol] for name, symbol in zip(names, used, strict=True)}
            left, right = value(statement.lhs, env), value(statement.rhs, env)
            holds = truth(statement.claim, env)
            meets = admits(statement, env)
        except (Undefined, KeyError, IndexError, ValueError):
            continue
        compared += 1
        sides = [side(printed) for side in found.sides]
        wanted = [right, left] if statement.relation in (">=", ">") else [left, right]
        assert all(itertools.starmap(agree, zip(sides, wanted, strict=True)))
        assert found.conclusion(printed) is holds
        assert all(h(printed) for h in found.hypotheses) is meets
        admitted.add(meets)
        if compared == 30:
            break
    assert compared >= 10
    assert math.isfinite(compared)


def test_a_statement_read_back_says_whether_it_is_denied() -> None:
    statement = get("orthogonality.iterative_initialisation:as_printed")
    assert read(proposition(statement, negated=True)).negated
    assert not read(proposition(statement)).negated


# --- the reader -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("- x ^+ 2", -9),
        ("(- x) ^+ 2", 9),
        ("x - 1 - 1", 1),
        ("x - (1 - 1)", 3),
        ("1 / x / x", Fraction(1, 9)),
        ("- x * x + 1", -8),
        ("x^-1 ^+ 2", Fraction(1, 9)),
        (r"\sum_(i < 3) x * x + 1", 28),
        (r"\prod_(i < 2) x ^+ 2", 81),
        ("2%:R * 1000%:R + 1", 2001),
        ("(2 - 3)%N%:R", 0),
        ("2%:R - 3%:R", -1),
        ("(x - x)^-1", 0),
        ("Num.sqrt (- x)", 0),
        ("`|- x| + 1", 4),
        ("if x <= 1 then 1 else 0", 0),
        ("Num.max 1 (Num.min x 2%:R)", 2),
        ("'C(4, 2)%:R", 6),
        (r"\sum_(B : {set 'I_3} | #|B| == 2) (\sum_(i in B) i%:R)", 6),
        (r"\sum_(B : {ffun 'I_2 -> 'I_3}) (\sum_(i < 2) (B i)%:R)", 18),
    ],
)
def test_the_reader_groups_as_rocq_does(text: str, wanted: Any) -> None:
    exact = Fraction(wanted)
    images = {"x": mpmath.mpf(3)}
    assert close(term(text)(images), mpmath.mpf(exact.numerator) / exact.denominator)


@pytest.mark.parametrize(
    "text",
    [
        "x + ",
        r"x * \sum_(i < 2) x",
        r"x ^+ - 1",
        "2",
        "x + 7",
        "1001%:R",
        "x ^ 2",
        "x $ y",
        "(x",
        "x^-1%:R",
        "x <= y <= x <= y",
        "f x y)",
        "- if x <= 1 then 1 else 0",
        "x ^+ 2 ^+ x ^+ 2 ^ 3",
    ],
)
def test_the_reader_refuses_what_rocq_would(text: str) -> None:
    with pytest.raises(SyntaxError):
        term(text)


def test_a_print_that_means_something_else_is_noticed() -> None:
    """Of a printer that wrote big integers as 0, dropped a sign, or swapped the bar."""
    for wrong, right in (
        ("x + 0", x + 10**30),
        ("x + y", x - y),
        ("y / x", x / y),
        ("x * y ^+ 2", (x * y) ** 2),
        (r"\sum_(i < n) lambda i + x", sp.Sum(lam[i] + x, (i, 0, n - 1))),
    ):
        assert not all(close(term(wrong)(env), value(right, env)) for env in points(3))


def test_assumptions_along_a_path_are_no_hypotheses() -> None:
    with pytest.raises(UnprintableError):
        proposition(replace(claim(x), assumptions=(Assumption(sp.Ge(x, 1), "x", along="path"),)))


def test_a_negative_number_is_no_natural_one() -> None:
    printed = Formulas({}, {}, {})
    assert printed.natural(sp.Integer(0)) == "0"
    for negative in (sp.Integer(-1), sp.Integer(-(10**9))):
        with pytest.raises(UnprintableError):
            printed.natural(negative)


def test_a_member_has_as_many_indices_as_its_family() -> None:
    printed = Formulas({"A": "A", "i": "i", "j": "j"}, {}, {"A": (n, n)}, {"i": n, "j": n})
    assert printed.real(A[i, j]) == "A i j"
    with pytest.raises(ValueError, match="longer"):
        printed.real(A[i])
