"""From what an author writes to symbols, domains and relations; everything that can be refused
before a run is here.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain as chained
from itertools import product
from keyword import iskeyword
from types import SimpleNamespace
from typing import TypeAlias

import sympy as sp
from sympy.core.relational import Relational
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import BooleanAtom

from simulators.arguments import kind_of
from simulators.chains import NamedChain
from simulators.exact import Number
from simulators.observables import parametrised
from theorems.algebraic import fraction
from theorems.checking.drawn_networks import OTHER
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
    Names,
    Relation,
    nearest,
    read_claim,
    refuse,
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

__all__ = [
    "Declaration",
    "WrittenClaim",
    "declare",
    "facing",
    "read_quantifier",
    "relation_of",
    "require_labels",
    "turned",
]

#: What an author may give for a claim, an event or an assumption.
WrittenClaim: TypeAlias = str | sp.Basic | bool | Callable[..., str | sp.Basic]

_SIZES = {"n": n, "d": d, "ell": ell}
#: What ranges over all sizes when the author says nothing.
_ALL = "1.."
_FLIPPED = {"<=": ">=", "<": ">", ">=": "<=", ">": "<", "==": "==", "!=": "!="}
FARTHEST = 10**30
#: A sum of more terms is not evaluated, which goes term by term; sizes without end are tried up to
#: CUT and no more.
MOST_TERMS, CUT = 10**4, 400
PROBABILITY = sp.Symbol("probability", nonnegative=True)
SLOPE = sp.Symbol("slope", real=True)
#: How one member of each is written.
_FAMILIES: Mapping[sp.Basic, str] = {LAMBDA: "lam[0]", ENTRIES: "A[0, 0]"}
#: Names that have a meaning of their own, beside those of quantities and functions.
_RESERVED = {
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
_LONGEST_LABEL = 200


def read_quantifier(given: object) -> Quantifier | None:
    """The quantifier of that name, in any case, with spaces or underscores.

    - ``given``: None and a quantifier come back as they are

    Raises `ClaimError` with the nearest name.

    Example:
        >>> read_quantifier("mean_field")
        <Quantifier.MEAN_FIELD: 'mean field'>
    """
    if given is None or isinstance(given, Quantifier):
        return given
    words = str(given).replace("_", " ").strip().lower()
    known = [q.value for q in Quantifier]
    refuse((words not in known, f"quantifier={given!r} is none{nearest(words, known)}"))
    return Quantifier(words)


@dataclass(frozen=True)
class Declaration:
    """Symbols with domains in order, constants, and every name a claim may use.

    - ``names``: of symbols, quantities, constants and families, with what SymPy calls them
    - ``quantities``: those with a number in their name that a text has mentioned
    - ``compares``: whether there is a second chain
    """

    domains: tuple[Domain, ...]
    constants: Mapping[str, Fraction]
    names: Names
    computed: tuple[Computed, ...] = ()
    quantities: dict[str, Quantity] = field(default_factory=dict)
    compares: bool = False

    def with_parameters(self, text: str) -> Names:
        """The names, with every quantity with a number in its name that the text mentions.

        Such as soft_rank(1/2); at the start it is soft_rank(1/2)_0.

        Args:
            text: a claim, an event, an assumption or a side as its author wrote it.
        """
        found = dict(self.names)
        written = rf"\b({'|'.join(parametrised())})(_0)?\s*\(([^()]*)\)(_0)?"
        for base, early, given, late in re.findall(written, text):
            plain = re.sub(r"\s", "", given)
            asked = quantity(f"{base}({plain})")
            self.quantities[asked.name] = asked
            start = bool(early or late)
            spelled = f"{base}{'_0' * start}({plain})"
            found[spelled] = asked.at_start if start else asked.symbol
            theirs = replace(asked, of_other=True)
            if self.compares and (asked.derived or not start):
                found[f"{OTHER}{spelled}"] = theirs.at_start if start else theirs.symbol
        return found

    def used(self, *expressions: sp.Basic) -> tuple[tuple[Quantity, ...], tuple[Quantity, ...]]:
        """The quantities that expressions name.

        - ``expressions``: of SymPy

        Returns those at the object itself or at layer ell, gradients and tangents at the batch
        among them, and those at the start.
        """
        names = set(map(str, set().union(*(e.free_symbols for e in expressions))))
        known = {**QUANTITIES, **self.quantities}.values()
        every = chained.from_iterable(q.readings for q in known)
        return (
            tuple(q for q in every if q.name in names),
            tuple(q for q in known if f"{q.name}_0" in names and not q.derived),
        )

    def check(self, *expressions: sp.Basic, also: Iterable[str] = ()) -> None:
        """Refuse what cannot be decided of a claim, an event or an assumption.

        - ``expressions``: the sides, as SymPy holds them
        - ``also``: names of statistics, which they may name too

        Raises `ClaimError` for symbols that are neither declared nor quantities, floats, what is no
        real number or has no exact evaluation, and sums of too many terms.
        """
        own = {*self.quantities, *(f"{q}_0" for q in self.quantities), *also}
        if self.compares:
            every = chained.from_iterable(q.readings for q in self.quantities.values())
            own |= {q.name for q in every}
        known = {str(s) for s in self.names.values()} | own - {"pi"}
        for expression in expressions:
            sums = expression.atoms(sp.Sum, sp.Product)
            bound = set(map(str, chained.from_iterable(s.variables for s in sums)))
            free = {str(s) for s in expression.free_symbols if not isinstance(s, sp.Indexed)}
            stray = min(free - known - bound, default=None)
            floats = expression.atoms(sp.Float)
            if stray is not None:
                raise ClaimError(
                    f"{stray!r} is neither declared nor a quantity{nearest(stray, sorted(known))}"
                )
            if floats:
                raise ClaimError(
                    f"{floats.pop()} is a float, not exact; write a fraction, or the claim as text"
                )
            _require_exact(expression)
            _require_few_terms(expression, self.domains)


def declare(
    symbols: Mapping[str, object],
    over: str | None,
    chain: NamedChain | None,
    computed: Mapping[str, Callable[..., Number]],
    other: NamedChain | None = None,
) -> Declaration:
    """Read the domains in order.

    - ``symbols``: domains as the author wrote them, by name
    - ``over``: what the claim is about every one of; None if it is about a sampled chain
    - ``computed``: functions of declared symbols, by name
    - ``other``: a second chain, whose quantities are named ``other.NAME``

    Sizes that are not given take all values; a chain's parameters must be given. Raises
    `ClaimError` for what cannot be understood.

    Example:
        >>> found = declare({"n": "2..4", "alpha": "(0, 1/n]"}, "spectra", None, {})
        >>> [domain.law for domain in found.domains]
        ['n uniform from 2 to 4', 'alpha uniform from 0 to 1/n']
    """
    refuse(
        (
            not isinstance(computed, Mapping),
            f"computed={computed!r}: want a dict of functions by name",
        ),
        (bool(computed) and chain is not None, "computed= is for claims without a chain"),
        (
            over == "paths" and "d" in symbols,
            f"d={symbols.get('d')!r}: at infinite width there is none; leave it out",
        ),
    )
    free = {"spectra": ["n"], "paths": ["n"], "matrices": ["n", "d"]}.get(over or "", [])
    given = dict.fromkeys(free, _ALL) | dict(symbols)
    chains = tuple(each for each in (chain, other) if each is not None)
    for each in chains:
        _require_chain_symbols(given, over, each)
    names: dict[str, sp.Basic] = {}
    domains: list[Domain] = []
    constants: dict[str, Fraction] = {}
    for name in dict.fromkeys([*(k for k in _SIZES if k in given), *given]):
        _require_name(name)
        place = read_domain(name, given[name], names)
        if name not in _SIZES and not isinstance(place, sp.Set):
            refuse(
                (
                    not place.is_Rational,
                    f"{name}={given[name]!r}: a fixed value is a rational number",
                )
            )
            constants[name] = fraction(place)
            names[name] = place
            continue
        domains.append(_domain(name, place, given[name]))
        names[name] = domains[-1].symbol
    _require_reach(domains)
    for about in chains or (None,):
        _require_fit(domains, about)
    for q in QUANTITIES.values():
        names |= {q.name: q.symbol, f"{q.name}_0": q.at_start}
        if other is not None:
            names |= {each.name: each.symbol for each in q.readings if each.of_other}
    names |= {"probability": PROBABILITY, "slope": SLOPE, "lam": LAMBDA, "A": ENTRIES, "pi": sp.pi}
    declared = [x.name for x in domains]
    extra = tuple(computed_quantity(name, f, declared) for name, f in computed.items())
    for one in extra:
        _require_name(one.name)
        refuse((one.name in names, f"computed=: {one.name!r} is declared as a symbol already"))
        names[one.name] = one.symbol
    return Declaration(tuple(domains), constants, names, extra, compares=other is not None)


def _require_chain_symbols(
    given: Mapping[str, object], over: str | None, chain: NamedChain
) -> None:
    needed = {"n": ("batch size", "2..8"), "ell": ("depth", "8..32")}
    if over is None:  # at infinite width there is no d
        needed["d"] = ("width", "64..4096")
    needed |= dict.fromkeys(chain.numbers, (f"parameter of the chain {chain.name}", "[1/100, 1]"))
    for name, (meaning, example) in needed.items():
        refuse(
            (
                name not in given,
                f"no {name}, the {meaning}: declare it, for example {name}='{example}'",
            )
        )


def _require_name(name: str) -> None:
    measured = (*QUANTITIES, *parametrised())
    taken = {*measured, *(f"{q}_0" for q in measured), *(f"E_{q}" for q in measured), *_RESERVED}
    refuse(
        (
            not isinstance(name, str) or not name.isidentifier(),
            f"{name!r} cannot be declared: it is no name of letters, digits and _",
        ),
        (
            name in taken or iskeyword(name),
            f"{name!r} cannot be declared: it has a meaning of its own",
        ),
    )


def _domain(name: str, place: sp.Basic, given: object) -> Domain:
    if name not in _SIZES:
        return Domain(_symbol(name, place), place)
    if not isinstance(place, sp.Set) and place.is_Integer:
        place = sp.Range(place, place + 1)
    least = 0 if name == "ell" else 1
    whole = isinstance(place, sp.Range)
    refuse(
        (not whole, f"{name}={given!r}: sizes are whole numbers, as in {name}='2..8'"),
        (whole and place.inf < least, f"{name}={given!r}: {name} is at least {least}"),
    )
    return Domain(_SIZES[name], place)


def _symbol(name: str, place: sp.Set) -> sp.Symbol:
    whole = isinstance(place, sp.Range)
    low = place.inf if whole else place.start
    assumptions = {"integer" if whole else "real": True}
    if low.is_positive or (low == 0 and not whole and place.left_open):
        assumptions["positive"] = True
    elif low.is_nonnegative:
        assumptions["nonnegative"] = True
    return sp.Symbol(name, **assumptions)


def _require_reach(domains: Iterable[Domain]) -> None:
    """Numbers are tried in floats first, which must hold them and their powers."""
    for domain in domains:
        refuse(
            (
                any(end.is_Rational and abs(end) > FARTHEST for end in domain.limits),
                f"{domain.name}: an end beyond 10**{len(str(FARTHEST)) - 1} is too far to try; "
                f"leave it out, as in {domain.name}='16..' or {domain.name}='[0, oo)'",
            )
        )


def _require_fit(domains: Iterable[Domain], chain: NamedChain | None) -> None:
    """Samples must fit into the width somewhere, and the chain be about such a width."""
    ends = {x.name: x.ends({}) for x in domains if x.name in ("n", "d")}
    if "d" not in ends:
        return
    widest = ends["d"][1]
    least = ends["n"][0] if "n" in ends else widest
    wanted = chain.least if chain is not None else widest
    refuse(
        (
            widest < wanted,
            f"d={widest}: the chain {chain and chain.name} needs {wanted} rows or more, as ranks "
            "do; declare d='64..4096', say",
        ),
        (
            least > widest,
            f"the domain is empty: n ≥ {least} samples never fit into a width d ≤ {widest}",
        ),
    )


def relation_of(claim: WrittenClaim, declaration: Declaration, what: str = "the claim") -> Relation:
    """A relation from text, SymPy, or a function of named symbols that returns either.

    - ``what``: what it is, for what is said of it

    Text is read before any simplification: ``x**2/x`` is undefined at 0. A SymPy relation is what
    SymPy made of it, ``x``; its conditions are those that can still be seen, unevaluated parts
    included. Raises `ClaimError` for what is none, or names what is not declared.

    Example:
        >>> declared = declare({"x": "[0, 1]"}, "parameters", None, {})
        >>> str(relation_of("x**2 <= x", declared))
        'x**2 <= x'
    """
    if callable(claim) and not isinstance(claim, sp.Basic):
        claim = _called(claim, declaration)
    if isinstance(claim, str):
        found = read_claim(claim, declaration.with_parameters(claim))
    elif isinstance(claim, Relational):
        seen = conditions_of(claim, _family_sizes(declaration))
        found = Relation(claim.lhs, claim.rel_op, claim.rhs, seen)
    elif isinstance(claim, bool) or claim in (sp.true, sp.false):
        raise ClaimError(
            f"{what} is always {str(bool(claim)).lower()}, by its symbols alone or because "
            "Python's == compared the formulas; write sp.Eq(a, b), or the claim as text"
        )
    else:
        raise ClaimError(
            f"{what} is {kind_of(claim)}; want text or a SymPy relation, such as x <= y"
        )
    declaration.check(found.lhs, found.rhs, also=map(str, found.statistics))
    for statistic in found.statistics:
        declaration.check(*statistic.sides, *statistic.parameters)
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
    Relational,
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
                "acos, Abs, sign, Min, Max, pi, finite sums and products; it has "
                f"{type(part).__name__}"
            )
        if isinstance(part, sp.Rational) and max(abs(int(part.p)), int(part.q)).bit_length() > BITS:
            raise ClaimError(f"a number has more than {BITS} bits")
        power = part.exp if isinstance(part, sp.Pow) and part.exp.is_Rational else sp.S.One
        if max(abs(power), power.q) > HIGHEST:
            raise ClaimError(f"{_short(part)}: exponents are at most {HIGHEST}")
        if isinstance(part, sp.Piecewise):
            try:
                branches(part)
            except TypeError as error:
                raise ClaimError(str(error)) from None


def _require_place(part: sp.Indexed) -> None:
    form = _FAMILIES.get(part.base, "")
    counted = all(i.is_Integer and i >= 0 for i in part.indices if i.is_number)
    refuse(
        (not form, f"{part.base} is no family here; known are {', '.join(_FAMILIES.values())}"),
        (
            len(part.indices) != form.count(",") + 1 or not counted,
            f"{part}: places are counted from 0, as in {form}",
        ),
    )


def _require_few_terms(expression: sp.Basic, domains: Iterable[Domain]) -> None:
    """Refuse sums and products, which are evaluated term by term, of more terms than can be."""
    ends = {x.name: x.limits for x in domains}
    for part in expression.atoms(sp.Sum, sp.Product):
        count, inside = sp.S.One, dict(ends)
        for index, low, high in reversed(part.limits):
            inside[str(index)] = (_farthest(low, inside, min), _farthest(high, inside, max))
            count *= inside[str(index)][1] - inside[str(index)][0] + 1
        # a sum inside a sum is among the parts, and counts for every term of the outer one
        nested = part.function.atoms(sp.Sum, sp.Product) - {part}
        most = sp.sqrt(MOST_TERMS) if nested else MOST_TERMS
        if count > most:
            words = "no last term" if count == sp.oo else f"up to {_short(count)} terms"
            raise ClaimError(
                f"{_short(part)} has {words} on this domain, and at most {int(most)} are added one "
                "by one; write its closed form, or bound its limits"
            )


def _farthest(
    limit: sp.Expr, ends: Mapping[str, tuple[sp.Expr, sp.Expr]], choice: Callable[..., sp.Expr]
) -> sp.Expr:
    """The limit of a sum at whichever ends of its symbols' ranges is farthest out.

    Sizes without end are cut off.
    """
    # an author's own symbol has other assumptions than the declared one of its name
    symbols = sorted((s for s in limit.free_symbols if str(s) in ends), key=str)
    reached = []
    for symbol in symbols:
        low, high = ends[str(symbol)]
        endless = high == sp.oo and str(symbol) in _SIZES
        reached.append((low, sp.Max(low, CUT) if endless else high))
    corners = [limit.subs(dict(zip(symbols, corner, strict=True))) for corner in product(*reached)]
    numbers = [value for value in corners if value.is_extended_real and value.is_number]
    return choice(numbers) if numbers else sp.S.Zero


def require_labels(name: object, title: object) -> None:
    """Refuse a name or title that could not be printed on one line, or written to a file.

    None stands for none. Raises `ClaimError`.

    Args:
        name: of the claim, letters, digits and _; empty for none.
        title: one line of printable characters.

    Example:
        >>> require_labels("gap law", None)
        Traceback (most recent call last):
        theorems.statement.ClaimError: name='gap law': want letters, digits and _, as in gap_law
    """
    for what, text in (("name", name), ("title", title)):
        plain = isinstance(text, str) and text.isprintable() and len(text) <= _LONGEST_LABEL
        refuse(
            (
                text is not None and not plain,
                f"{what}={repr(text)[:80]}: want one line, of at most {_LONGEST_LABEL} printable "
                "characters",
            ),
            (
                what == "name" and isinstance(text, str) and text != "" and not text.isidentifier(),
                f"name={text!r}: want letters, digits and _, as in gap_law",
            ),
        )


def _short(part: sp.Basic) -> str:
    text = str(part)
    return text if len(text) <= 60 else text[:57] + "…"


def _called(function: Callable[..., str | sp.Basic], declaration: Declaration) -> str | sp.Basic:
    kinds = (
        inspect.iscoroutinefunction,
        inspect.isgeneratorfunction,
        inspect.isasyncgenfunction,
    )
    refuse(
        (
            any(kind(function) for kind in kinds),
            "the function is async or a generator; write a plain one that returns the relation",
        )
    )
    arguments: dict[str, object] = {}
    theirs = {
        name.removeprefix(OTHER): symbol
        for name, symbol in declaration.names.items()
        if name.startswith(OTHER)
    }
    for name, parameter in inspect.signature(function).parameters.items():
        plain = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        refuse((not plain, f"the parameter {name!r}: list the symbols one by one"))
        if theirs and f"{name}." == OTHER:
            arguments[name] = SimpleNamespace(**theirs)
            continue
        refuse(
            (
                name not in declaration.names,
                f"the parameter {name!r} is neither declared nor a quantity"
                f"{nearest(name, declaration.names)}",
            )
        )
        arguments[name] = declaration.names[name]
    return function(**arguments)


def turned(relation: Relation) -> Relation:
    """The same with its sides exchanged.

    Args:
        relation: of any sign.

    Example:
        >>> str(turned(Relation(sp.Integer(1), "<", sp.Symbol("x"))))
        'x > 1'
    """
    flipped = _FLIPPED[relation.relation]
    return replace(relation, lhs=relation.rhs, relation=flipped, rhs=relation.lhs)


def facing(relation: Relation, symbol: sp.Symbol) -> Relation:
    """The relation with ``symbol`` alone on its left.

    Raises `ClaimError` if it is not alone on a side.

    Args:
        relation: with the symbol alone on one of its sides.
        symbol: which is to stand on the left.

    Example:
        >>> x = sp.Symbol("x")
        >>> str(facing(Relation(sp.Integer(1), "<", x), x))
        'x > 1'
    """
    if relation.lhs == symbol:
        return relation
    if relation.rhs == symbol:
        return turned(relation)
    raise ClaimError(
        f"write the claim with {symbol} alone on one side, as in '{symbol} <= …'; here it stands "
        f"in {relation}"
    )
