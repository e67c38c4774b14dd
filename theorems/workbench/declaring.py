"""From what an author writes to symbols, domains and relations; everything that can be refused
before a run is here.
"""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from keyword import iskeyword
from typing import Any

import sympy as sp
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import BooleanAtom

from simulators.chains import NamedChain
from simulators.observables import parametrised
from theorems.definedness import conditions_of
from theorems.expressions import branches
from theorems.statement import Quantifier
from theorems.workbench.domains import Domain, read_domain
from theorems.workbench.exact_values import LAMBDA
from theorems.workbench.parsing import (
    BITS,
    FUNCTIONS,
    HIGHEST,
    ClaimError,
    Relation,
    nearest,
    read_claim,
)
from theorems.workbench.quantities import (
    ENTRIES,
    QUANTITIES,
    Computed,
    Quantity,
    computed_quantity,
    d,
    ell,
    n,
    quantity,
)

__all__ = ["Declaration", "declare", "read_quantifier", "relation_of", "require_labels"]

_SIZES = {"n": n, "d": d, "ell": ell}
#: What ranges over all sizes when the author says nothing.
_DEFAULTS = {"n": "1..", "d": "1.."}
_RELATIONS: Mapping[type, str] = {
    sp.Le: "<=",
    sp.Lt: "<",
    sp.Ge: ">=",
    sp.Gt: ">",
    sp.Eq: "==",
    sp.Ne: "!=",
}
_FLIPPED = {"<=": ">=", "<": ">", ">=": "<=", ">": "<", "==": "==", "!=": "!="}
FARTHEST = 10**30
#: A sum of more terms is not evaluated, which goes term by term; sizes without end are tried up to
#: CUT and no more.
MOST_TERMS, CUT = 10**4, 400
PROBABILITY = sp.Symbol("probability", nonnegative=True)
SLOPE = sp.Symbol("slope", real=True)
#: How one member of each is written.
_FAMILIES: Mapping[sp.Basic, str] = {LAMBDA: "lam[0]", ENTRIES: "A[0, 0]"}
_LONGEST_LABEL = 200


def read_quantifier(given: Any) -> Quantifier | None:
    """The quantifier of that name. Raises :class:`ClaimError` with the nearest."""
    if given is None or isinstance(given, Quantifier):
        return given
    words = str(given).replace("_", " ").strip().lower()
    try:
        return Quantifier(words)
    except ValueError:
        raise ClaimError(
            f"quantifier={given!r} is none{nearest(words, [q.value for q in Quantifier])}"
        ) from None


@dataclass(frozen=True)
class Declaration:
    """Symbols with domains in order, constants, and every name a claim may use."""

    domains: tuple[Domain, ...]
    constants: Mapping[str, Fraction]
    names: Mapping[str, Any]
    computed: tuple[Computed, ...] = ()
    quantities: dict[str, Quantity] = field(default_factory=dict)

    def with_parameters(self, text: str) -> Mapping[str, Any]:
        """The names, with every quantity with a number in its name that the text mentions, such as
        soft_rank(1/2); at the start it is soft_rank(1/2)_0.
        """
        found = dict(self.names)
        written = rf"\b({'|'.join(parametrised())})(_0)?\s*\(([^()]*)\)(_0)?"
        for base, early, number, late in re.findall(written, text):
            plain = re.sub(r"\s", "", number)
            asked = quantity(f"{base}({plain})")
            self.quantities[asked.name] = asked
            at_start = bool(early or late)
            found[f"{base}{'_0' * at_start}({plain})"] = (
                asked.at_start if at_start else asked.symbol
            )
        return found

    def used(self, *expressions: sp.Basic) -> tuple[tuple[Quantity, ...], tuple[Quantity, ...]]:
        """Quantities that the expressions name, as they are and at the start."""
        names = set(map(str, set().union(*(e.free_symbols for e in expressions))))
        known = {**QUANTITIES, **self.quantities}
        return (
            tuple(q for q in known.values() if q.name in names),
            tuple(q for q in known.values() if f"{q.name}_0" in names),
        )

    def check(self, *expressions: sp.Basic) -> None:
        """Refuse symbols that are neither declared nor quantities, and floats."""
        own = {*self.quantities, *(f"{q}_0" for q in self.quantities)}
        known = {str(s) for s in self.names.values()} | own - {"pi"}
        for expression in expressions:
            free = {str(s) for s in expression.free_symbols if not isinstance(s, sp.Indexed)}
            sums = expression.atoms(sp.Sum, sp.Product)
            bound = set(map(str, itertools.chain.from_iterable(s.variables for s in sums)))
            for stray in sorted(free - known - bound):
                raise ClaimError(
                    f"{stray!r} is neither declared nor a quantity{nearest(stray, sorted(known))}"
                )
            if floats := expression.atoms(sp.Float):
                raise ClaimError(
                    f"{floats.pop()} is a float, not exact; write a fraction, or the claim as text"
                )
            _require_exact(expression)
            _require_few_terms(expression, self.domains)


def declare(
    symbols: Mapping[str, Any],
    over: str | None,
    chain: NamedChain | None,
    computed: Mapping[str, Any],
) -> Declaration:
    """Read the domains in order. Sizes that are not given take all values; a chain's parameters
    must be given.
    """
    given = dict(symbols)
    if not isinstance(computed, Mapping):
        raise ClaimError(f"computed={computed!r}: want a dict of functions by name")
    if computed and chain is not None:
        raise ClaimError("computed= is for claims without a chain")
    if over == "paths" and "d" in given:
        raise ClaimError(f"d={given['d']!r}: at infinite width there is none; leave it out")
    if over in ("spectra", "paths"):
        given.setdefault("n", _DEFAULTS["n"])
    if over == "matrices":
        given = {"n": given.pop("n", _DEFAULTS["n"]), "d": given.pop("d", _DEFAULTS["d"]), **given}
    if chain is not None:
        needed: dict[str, tuple[str, str]] = {
            "n": ("batch size", "2..8"),
            "ell": ("depth", "8..32"),
            **({"d": ("width", "64..4096")} if over is None else {}),
            **dict.fromkeys(chain.numbers, (f"parameter of the chain {chain.name}", "[1/100, 1]")),
        }
        for name, (meaning, example) in needed.items():
            if name not in given and (
                name != "d" or over is None
            ):  # at infinite width there is none
                raise ClaimError(
                    f"no {name}, the {meaning}: declare it, for example {name}='{example}'"
                )
    sizes = {k: given[k] for k in ("n", "d", "ell") if k in given}
    names: dict[str, Any] = {}
    domains: list[Domain] = []
    constants: dict[str, Fraction] = {}
    for name, value in (sizes | {k: v for k, v in given.items() if k not in sizes}).items():
        _require_name(name)
        place = read_domain(name, value, names)
        if name in sizes and (chain is not None or over is not None or isinstance(place, sp.Range)):
            domains.append(_size(name, place, value))
        elif isinstance(place, sp.Expr) and not isinstance(place, sp.Set):
            if not place.is_Rational:
                raise ClaimError(f"{name}={value!r}: a fixed value is a rational number")
            constants[name] = Fraction(int(place.p), int(place.q))
            names[name] = place
            continue
        else:
            domains.append(Domain(_symbol(name, place), place))
        names[name] = domains[-1].symbol
    for domain in domains:
        _require_reach(domain)
    _fit(domains, chain)
    for q in QUANTITIES.values():
        names |= {q.name: q.symbol, f"{q.name}_0": q.at_start}
    names |= {"probability": PROBABILITY, "slope": SLOPE, "lam": LAMBDA, "A": ENTRIES, "pi": sp.pi}
    extra = tuple(
        computed_quantity(name, function, [x.name for x in domains])
        for name, function in computed.items()
    )
    for one in extra:
        _require_name(one.name)
        if one.name in names:
            raise ClaimError(f"computed=: {one.name!r} is declared as a symbol already")
        names[one.name] = one.symbol
    return Declaration(tuple(domains), constants, names, extra)


def _require_name(name: str) -> None:
    measured = (*QUANTITIES, *parametrised())
    taken = {
        *measured,
        *(f"{q}_0" for q in measured),
        *(f"E_{q}" for q in measured),
        "probability",
        "slope",
        "lam",
        "lambda",
        "A",
        "pi",
        "oo",
        "inf",
        "spectrum",
        "start",
        "matrix",
        *FUNCTIONS,
    }
    if not isinstance(name, str) or not name.isidentifier():
        raise ClaimError(f"{name!r} cannot be declared: it is no name of letters, digits and _")
    if name in taken or iskeyword(name):
        raise ClaimError(f"{name!r} cannot be declared: it has a meaning of its own")


def _size(name: str, place: Any, value: Any) -> Domain:
    if isinstance(place, sp.Expr) and not isinstance(place, sp.Set) and place.is_Integer:
        place = sp.Range(place, place + 1)
    if not isinstance(place, sp.Range):
        raise ClaimError(f"{name}={value!r}: sizes are whole numbers, as in {name}='2..8'")
    least = 0 if name == "ell" else 1
    if place.inf < least:
        raise ClaimError(f"{name}={value!r}: {name} is at least {least}")
    return Domain(_SIZES[name], place)


def _symbol(name: str, place: sp.Set) -> sp.Symbol:
    low = place.inf if isinstance(place, sp.Range) else place.start
    low_open = isinstance(place, sp.Interval) and bool(place.left_open)
    positive = bool(low.is_positive) or (low == 0 and low_open)
    assumptions: dict[str, bool] = (
        {"integer": True} if isinstance(place, sp.Range) else {"real": True}
    )
    if positive:
        assumptions["positive"] = True
    elif low.is_nonnegative:
        assumptions["nonnegative"] = True
    return sp.Symbol(name, **assumptions)


def _require_reach(domain: Domain) -> None:
    """Numbers are tried in floats first, which must hold them and their powers."""
    ends = (domain.set.inf, domain.set.sup) if domain.whole else (domain.set.start, domain.set.end)
    for end in ends:
        if end.is_Rational and abs(end) > FARTHEST:
            raise ClaimError(
                f"{domain.name}: an end beyond 10**{len(str(FARTHEST)) - 1} is too far to try; "
                "leave it "
                f"out, as in {domain.name}='16..' or {domain.name}='[0, oo)'"
            )


def _fit(domains: Iterable[Domain], chain: NamedChain | None) -> None:
    """Samples must fit into the width somewhere, and the chain be about such a width."""
    by_name = {x.name: x for x in domains}
    if chain is not None and "d" in by_name and (widest := by_name["d"].ends({})[1]) < chain.least:
        raise ClaimError(
            f"d={widest}: the chain {chain.name} needs {chain.least} rows or more, as ranks do; "
            "declare "
            "d='64..4096', say"
        )
    if {"n", "d"} <= by_name.keys():
        least, most = by_name["n"].ends({})[0], by_name["d"].ends({})[1]
        if least > most:
            raise ClaimError(
                f"the domain is empty: n ≥ {least} samples never fit into a width d ≤ {most}"
            )


def relation_of(claim: Any, declaration: Declaration, what: str = "the claim") -> Relation:
    """A relation from text, SymPy, or a function of named symbols that returns either.

    Text is read before any simplification: ``x**2/x`` is undefined at 0. A SymPy relation is what
    SymPy made of it, ``x``; its conditions are those that can still be seen, unevaluated parts
    included.
    """
    if callable(claim) and not isinstance(claim, sp.Basic):
        claim = _called(claim, declaration)
    if isinstance(claim, str):
        found = read_claim(claim, declaration.with_parameters(claim))
    elif isinstance(claim, sp.core.relational.Relational):
        seen = conditions_of(claim, _family_sizes(declaration))
        found = Relation(claim.lhs, _RELATIONS[type(claim)], claim.rhs, seen)
    elif isinstance(claim, bool) or claim in (sp.true, sp.false):
        raise ClaimError(
            f"{what} is always {str(bool(claim)).lower()}, by its symbols alone or because "
            "Python's == "
            "compared the formulas; write sp.Eq(a, b), or the claim as text"
        )
    else:
        raise ClaimError(
            f"{what} is a {type(claim).__name__}; want text or a SymPy relation, such as x <= y"
        )
    declaration.check(found.lhs, found.rhs)
    return found


def _family_sizes(declaration: Declaration) -> Mapping[str, tuple[sp.Expr, ...]]:
    """The extents of the families that a claim may speak of."""
    size, wide = (declaration.names.get(name, symbol) for name, symbol in (("n", n), ("d", d)))
    return {str(LAMBDA): (size,), str(ENTRIES): (wide, size)}


#: What every arithmetic here can evaluate.
_KNOWN = (
    sp.Symbol,
    sp.Rational,
    sp.Add,
    sp.Mul,
    sp.Pow,
    sp.log,
    sp.exp,
    sp.acos,
    sp.Abs,
    sp.sign,
    sp.Min,
    sp.Max,
    sp.Sum,
    sp.Product,
    sp.Piecewise,
    ExprCondPair,
    sp.core.relational.Relational,
    BooleanAtom,
    sp.And,
    sp.Tuple,
    sp.Indexed,
    sp.IndexedBase,
    sp.Idx,
    type(sp.pi),
    type(sp.E),
)
_UNREAL = (type(sp.I), type(sp.oo), type(-sp.oo), type(sp.nan), type(sp.zoo))


def _require_exact(expression: sp.Basic) -> None:
    """Refuse what is no real number, what cannot be evaluated exactly, and numbers and powers of
    excessive size.
    """
    for part in sp.preorder_traversal(expression):
        if isinstance(part, _UNREAL):
            raise ClaimError(f"{part} is not a real number, and a claim compares real numbers")
        if isinstance(part, sp.IndexedBase) and part == expression:
            raise ClaimError(
                f"{part} is a whole family; write one of it, such as {_FAMILIES[part]}"
            )
        if isinstance(part, sp.Indexed):
            _require_place(part)
        if not isinstance(part, _KNOWN):
            raise ClaimError(
                f"{_short(expression)} cannot be evaluated exactly; known here: sqrt, log, exp, "
                "acos, "
                f"Abs, sign, Min, Max, pi, finite sums and products; it has {type(part).__name__}"
            )
        if isinstance(part, sp.Rational) and max(abs(int(part.p)), int(part.q)).bit_length() > BITS:
            raise ClaimError(f"a number has more than {BITS} bits")
        if (
            isinstance(part, sp.Pow)
            and part.exp.is_Rational
            and max(abs(part.exp), part.exp.q) > HIGHEST
        ):
            raise ClaimError(f"{_short(part)}: exponents are at most {HIGHEST}")
        if isinstance(part, sp.Piecewise):
            try:
                branches(part)
            except TypeError as error:
                raise ClaimError(str(error)) from None


def _require_few_terms(expression: sp.Basic, domains: Iterable[Domain]) -> None:
    """Refuse sums and products, which are evaluated term by term, of more terms than can be."""
    ends = {
        x.name: (x.set.inf, x.set.sup) if x.whole else (x.set.start, x.set.end) for x in domains
    }
    for part in expression.atoms(sp.Sum, sp.Product):
        count, inside = sp.S.One, dict(ends)
        for index, low, high in reversed(part.limits):
            inside[str(index)] = (_farthest(low, inside, min), _farthest(high, inside, max))
            count *= inside[str(index)][1] - inside[str(index)][0] + 1
        # a sum inside a sum is among the parts, and counts for every term of the outer one
        nested = [inner for inner in part.function.atoms(sp.Sum, sp.Product) if inner != part]
        most = MOST_TERMS if not nested else sp.sqrt(MOST_TERMS)
        if count > most:
            words = "no last term" if count == sp.oo else f"up to {_short(count)} terms"
            raise ClaimError(
                f"{_short(part)} has {words} on this domain, and at most {int(most)} are added one "
                "by "
                "one; write its closed form, or bound its limits"
            )


def _farthest(
    limit: sp.Expr, ends: Mapping[str, tuple[sp.Expr, sp.Expr]], choice: Callable[..., sp.Expr]
) -> sp.Expr:
    """The limit of a sum at whichever ends of its symbols' ranges is farthest out; sizes without
    end are cut off.
    """
    # an author's own symbol has other assumptions than the declared one of its name
    symbols = sorted((s for s in limit.free_symbols if str(s) in ends), key=str)
    corners = [
        limit.subs(dict(zip(symbols, corner, strict=True)))
        for corner in product(*(_cut(str(s), ends[str(s)]) for s in symbols))
    ]
    numbers = [value for value in corners if value.is_extended_real and value.is_number]
    return choice(numbers) if numbers else sp.S.Zero


def _cut(name: str, ends: tuple[sp.Expr, sp.Expr]) -> tuple[sp.Expr, sp.Expr]:
    low, high = ends
    return (low, sp.Max(low, CUT)) if high == sp.oo and name in _SIZES else ends


def _require_place(part: sp.Indexed) -> None:
    form = _FAMILIES.get(part.base)
    if form is None:
        raise ClaimError(
            f"{part.base} is no family here; known are {', '.join(_FAMILIES.values())}"
        )
    if len(part.indices) != form.count(",") + 1 or any(
        i.is_number and not (i.is_Integer and i >= 0) for i in part.indices
    ):
        raise ClaimError(f"{part}: places are counted from 0, as in {form}")


def require_labels(name: Any, title: Any) -> None:
    """Refuse a name or title that could not be printed on one line, or written to a file. None
    stands for none.
    """
    for what, text in (("name", name), ("title", title)):
        if text is not None and not (
            isinstance(text, str) and text.isprintable() and len(text) <= _LONGEST_LABEL
        ):
            raise ClaimError(
                f"{what}={repr(text)[:80]}: want one line, of at most {_LONGEST_LABEL} printable "
                "characters"
            )
    if name and not name.isidentifier():
        raise ClaimError(f"name={name!r}: want letters, digits and _, as in gap_law")


def _short(part: sp.Basic) -> str:
    text = str(part)
    return text if len(text) <= 60 else text[:57] + "…"


def _called(function: Callable[..., Any], declaration: Declaration) -> Any:
    if (
        inspect.iscoroutinefunction(function)
        or inspect.isgeneratorfunction(function)
        or (inspect.isasyncgenfunction(function))
    ):
        raise ClaimError(
            "the function is async or a generator; write a plain one that returns the relation"
        )
    arguments = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ClaimError(f"the parameter {name!r}: list the symbols one by one")
        if name not in declaration.names:
            raise ClaimError(
                f"the parameter {name!r} is neither declared nor a quantity"
                f"{nearest(name, declaration.names)}"
            )
        arguments[name] = declaration.names[name]
    return function(**arguments)


def facing(relation: Relation, symbol: sp.Symbol) -> Relation:
    """The relation with ``symbol`` alone on its left. Raises :class:`ClaimError` if it is not alone
    on a side.
    """
    if relation.lhs == symbol:
        return relation
    if relation.rhs == symbol:
        return Relation(
            relation.rhs, _FLIPPED[relation.relation], relation.lhs, relation.conditions
        )
    raise ClaimError(
        f"write the claim with {symbol} alone on one side, as in '{symbol} <= …'; here it stands "
        "in "
        f"{relation.lhs} {relation.relation} {relation.rhs}"
    )
