"""What a claim may speak of by name: observables of the catalogue that are numbers, and its chains.

Ranges, meanings and exact evaluations are those of `simulators.observables.OBSERVABLES`. Exact
values come as rationals, radicals, or balls where the spectrum itself is a ball.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial

import flint
import sympy as sp

from simulators.arguments import kind_of
from simulators.arrays import Array
from simulators.chains import CHAINS, Chain, ChainParameter, NamedChain, read_chain
from simulators.exact import Number
from simulators.observables import OBSERVABLES, NamedObservable, Observable, parametrised
from simulators.ranges import RangeError
from theorems.checking.drawn_networks import OTHER
from theorems.definedness import Condition
from theorems.error_words import in_words
from theorems.workbench.exact_values import Eigenvalues, GramMatrix, Spectrum, SymbolicEigenvalues
from theorems.workbench.parsing import ClaimError, nearest, read_expression, refuse

__all__ = [
    "ALIVE",
    "ENTRIES",
    "QUANTITIES",
    "Computed",
    "Quantity",
    "chain_kind",
    "computed_quantity",
    "d",
    "ell",
    "n",
    "quantity",
]

n = sp.Symbol("n", integer=True, positive=True)
d = sp.Symbol("d", integer=True, positive=True)
ell = sp.Symbol("ell", integer=True, nonnegative=True)

#: After what is measured at the batch.
_AT_BATCH = "_0"

#: The entries of H, as a claim about every matrix may name them.
ENTRIES = sp.IndexedBase("A", real=True)


@dataclass(frozen=True)
class Quantity:
    """An observable of the catalogue that is a number, as a claim speaks of it.

    ``value`` is that of its parameter, None without one. ``of_spectrum(eigenvalues, d)`` and
    ``of_gram(C, d)`` evaluate it exactly; they are None where it cannot be read off these.
    ``nonnegative`` says that no entry of H is negative, which may narrow its range.

    What is measured of a gradient is random at the batch as well: with ``at_batch`` it is that of
    the gradient there, in a network of ell layers, or of the tangent there, which may be drawn.
    With ``of_other`` it is that of the second chain of a comparison.

    Example:
        >>> quantity("effective_rank").range_in(["n"])
        (1, n)
        >>> [q.name for q in quantity("gradient_norm").readings]
        ['gradient_norm', 'gradient_norm_0', 'other.gradient_norm', 'other.gradient_norm_0']
    """

    kind: NamedObservable
    value: Fraction | None = None
    nonnegative: bool = False
    at_batch: bool = False
    of_other: bool = False

    @property
    def _given(self) -> tuple[Fraction, ...]:
        return () if self.value is None else (self.value,)

    @property
    def name(self) -> str:
        plain = self.kind.name if self.value is None else f"{self.kind.name}({self.value})"
        return f"{OTHER * self.of_other}{plain}{_AT_BATCH * self.at_batch}"

    @property
    def meaning(self) -> str:
        found, parameter = self.kind.meaning, self.kind.parameter
        if parameter is not None:
            found = found.replace(f"{{{parameter.name}}}", str(self.value))
        return f"{found}{', at the batch' * self.at_batch}{', of the other chain' * self.of_other}"

    @property
    def backward(self) -> bool:
        """Whether it is of a gradient, or of the whole pass back, as a tangent kernel is."""
        return self.kind.goes_back

    @property
    def tangent(self) -> bool:
        """Whether it is of tangents, which go forward."""
        return self.kind.goes_along

    @property
    def derived(self) -> bool:
        """Whether it is of gradients or tangents, which are given beside the start."""
        return self.backward or self.tangent

    @property
    def readings(self) -> tuple[Quantity, ...]:
        """What it is of a network where that is random: itself and, of a gradient or tangent, that
        at the batch; then the same of the other chain.
        """
        places = (self, replace(self, at_batch=True)) if self.derived else (self,)
        return (*places, *(replace(q, of_other=True) for q in places))

    @property
    def samples(self) -> int:
        """The fewest samples that it is defined for: 2 of a cosine, 1 of most."""
        return self.kind.samples

    @property
    def wide(self) -> bool:
        """Whether its value depends on the width d as well."""
        return self.kind.wide

    @property
    def floor(self) -> sp.Expr:
        """The least that it can be, in terms of n and d; minus infinity where none is declared.

        Example:
            >>> quantity("effective_rank").floor, quantity("log_norm").floor
            (1, -oo)
        """
        return -sp.oo if self._ends[0] is None else self._end(self._ends[0])

    @property
    def ceiling(self) -> sp.Expr:
        """The greatest that it can be, in terms of n and d; infinity where none is declared.

        Example:
            >>> quantity("effective_rank").ceiling, quantity("log_norm").ceiling
            (Min(d, n), oo)
        """
        return sp.oo if self._ends[1] is None else self._end(self._ends[1])

    @property
    def _ends(self) -> tuple[object, object]:
        narrowed = self.kind.nonnegative if self.nonnegative else None
        return narrowed or (self.kind.floor, self.kind.ceiling)

    def _end(self, told: object) -> sp.Expr:
        return _formula(str(told(*self._given) if callable(told) else told))

    @property
    def wants(self) -> Condition | None:
        """What the entries A of H must meet for it to have a value; None where it always has one.

        Samples that are 0 have no angle: of a cosine, the entries of two columns.
        """
        if not self.kind.present:
            return None
        return _samples_present(self.kind.present, self.kind.absent)

    @property
    def of_spectrum(self) -> Callable[[Spectrum, int], Number] | None:
        evaluate = self.kind.of_spectrum
        if evaluate is None:
            return None
        return lambda values, width: evaluate(Eigenvalues(values, width), *self._given)

    @property
    def of_gram(self) -> Callable[[flint.fmpq_mat, int], Number] | None:
        evaluate = self.kind.of_gram
        if evaluate is None:
            return None

        def of_gram(products: flint.fmpq_mat, width: int) -> Number:
            present = self.kind.present
            needed = range(products.nrows()) if isinstance(present, str) else present
            if any(products[k, k] == 0 for k in needed):
                return flint.arb.nan()
            return evaluate(GramMatrix(products, width), *self._given)

        return of_gram

    def in_eigenvalues(self, size: sp.Symbol) -> sp.Expr | None:
        """The same as a formula in eigenvalues; None where it takes more than these.

        - ``size``: the symbol that stands for their number
        """
        if self.kind.of_spectrum is None or self.wide:
            return None
        return self.kind.of_spectrum(SymbolicEigenvalues(size, d), *self._given)

    @property
    def symbol(self) -> sp.Symbol:
        sign = {"nonnegative": True} if replace(self, nonnegative=False).floor >= 0 else {}
        return sp.Symbol(self.name, real=True, **sign)

    @property
    def at_start(self) -> sp.Symbol:
        """What stands in a claim for the same quantity of the start of a chain, or of a path.

        Example:
            >>> quantity("effective_rank").at_start
            effective_rank_0
        """
        return sp.Symbol(f"{self.name}_0", **self.symbol.assumptions0)

    def range_in(self, declared: Collection[str]) -> tuple[sp.Expr, sp.Expr | None]:
        """Floor and ceiling in terms of the declared sizes; no ceiling where it takes one that is
        not.
        """
        top = self.ceiling if "d" in declared else self.ceiling.subs(d, sp.oo)
        known = {str(s) for s in top.free_symbols} <= set(declared)
        return self.floor, top if known and top != sp.oo else None

    @property
    def observable(self) -> Observable:
        """How the simulator measures it, as an `Observable` that refuses in a claim's words.

        Raises:
            ClaimError: where a trial contradicts what the observable declares that it reads; and,
                when it measures, for a value outside its range.
        """
        return _observable(self.kind, self.value)


@cache
def _observable(kind: NamedObservable, value: Fraction | None) -> Observable:
    try:
        found = kind.measured if value is None else kind.at(float(value))
    except ValueError as error:  # reads="gram", which a trial contradicts
        raise ClaimError(str(error)) from None
    return replace(found, function=partial(_refusing, found.name, found.function))


def _refusing(name: str, measure: Callable[..., Array], H: Array, **named: object) -> Array:
    try:
        values = measure(H, **named)
    except MemoryError:
        raise
    except RangeError as error:
        raise ClaimError(str(error)) from None
    except Exception as error:  # of the author's code
        raise ClaimError(f"observable {name!r} raised {type(error).__name__}: {error}") from error
    shape, want = getattr(values, "shape", None), H.shape[:-2]
    if shape != want:
        raise ClaimError(f"observable {name!r} gave shape {shape}; a claim wants a number, {want}")
    return values


@cache
def _formula(text: str) -> sp.Expr:
    return read_expression(text, {"n": n, "d": d})


@cache
def _samples_present(some: tuple[int, ...] | str, words: str) -> Condition:
    """That these samples, or all of them, are not 0."""
    row, column = sp.symbols("i j", integer=True, nonnegative=True)

    def energy(sample: int | sp.Symbol) -> sp.Expr:
        return sp.Sum(ENTRIES[row, sample] ** 2, (row, 0, d - 1))

    if isinstance(some, str):
        gone = sp.Eq(energy(column), 0, evaluate=False)
        missing = sp.Piecewise((-1, gone), (0, True), evaluate=False)
        return Condition(sp.Ge(sp.Sum(missing, (column, 0, n - 1)), 0, evaluate=False), words)
    return Condition(sp.Ne(sp.Mul(*map(energy, some)), 0, evaluate=False), words)


class _Quantities(Mapping[str, Quantity]):
    """The observables without a parameter that are numbers, as quantities, by name."""

    def _kinds(self) -> list[NamedObservable]:
        plain = [kind for kind in OBSERVABLES.values() if kind.parameter is None]
        return [kind for kind in plain if kind.unclaimable is None]

    def __getitem__(self, name: str) -> Quantity:
        if name not in iter(self):
            raise KeyError(name)
        return Quantity(OBSERVABLES[name])

    def __iter__(self) -> Iterator[str]:
        return (kind.name for kind in self._kinds())

    def __len__(self) -> int:
        return len(self._kinds())


QUANTITIES: Mapping[str, Quantity] = _Quantities()
#: The assumption ``alive``, of H, or of every layer of a path.
ALIVE = sp.Eq(QUANTITIES["alive"].symbol, 1, evaluate=False)


#: What the name of a function that builds a chain has, and that of the chain has not.
_SUFFIX = re.compile(r"(?<=\w)_chain(?=\(|$)")
#: Numbers as they are written; a long exponent would stand for a number with as many digits.
_WRITTEN = re.compile(r"[-+]?\d{0,40}(\.\d{0,40})?([eE][-+]?\d{1,2})?(/\d{1,40})?", re.ASCII)


def quantity(name: str) -> Quantity:
    """The quantity of that name, ``soft_rank(1/2)``, ``gradient_norm_0`` and
    ``other.effective_rank`` included.

    Raises `ClaimError` with the nearest name.

    Example:
        >>> quantity("soft_rank(0.5)").name
        'soft_rank(1/2)'
    """
    if not isinstance(name, str):
        raise ClaimError(f"{name!r} is no name of a quantity; want one such as 'orthogonality_gap'")
    if name.startswith(OTHER):
        return replace(quantity(name.removeprefix(OTHER)), of_other=True)
    early = OBSERVABLES.get(name.removesuffix(_AT_BATCH).partition("(")[0])
    if name.endswith(_AT_BATCH) and early is not None and (early.goes_back or early.goes_along):
        return replace(quantity(name.removesuffix(_AT_BATCH)), at_batch=True)
    if name in QUANTITIES:
        return QUANTITIES[name]
    base, bracket, rest = name.partition("(")
    kind = OBSERVABLES.get(base)
    examples = [f"{each}(1/2)" for each in parametrised()]
    if kind is None or (bracket and (kind.parameter is None or not rest.endswith(")"))):
        raise ClaimError(f"no quantity {name!r}{nearest(name, [*QUANTITIES, *examples])}")
    if kind.unclaimable is not None:
        raise ClaimError(f"{kind.unclaimable}; use {', '.join(QUANTITIES)}")
    if kind.parameter is None:
        raise ClaimError(f"no quantity {name!r}{nearest(name, QUANTITIES)}")
    low, high, wanted = kind.parameter.low, kind.parameter.high, kind.parameter.wanted
    role = kind.parameter.role.removeprefix(f"{base} ")
    written = rest.removesuffix(")").strip()
    refuse((not bracket, f"{base} needs its {role}: write {base}(1/2)"))
    try:
        value = Fraction(written if _WRITTEN.fullmatch(written) else "")
    except (ValueError, ZeroDivisionError):
        words = "is a number and no symbol" if written.isidentifier() else "is a number"
        raise ClaimError(f"{name[:60]!r}: the {role} {words}, such as {base}(1/2)") from None
    refuse((not low <= value <= high, f"{name!r}: the {role} lies {wanted}"))
    return Quantity(kind, value)


_EXACT = (int, Fraction, flint.fmpq, flint.fmpz, flint.arb, sp.Expr)


@dataclass(frozen=True)
class Computed:
    """A quantity that the author computes, exactly or in balls, from symbols of the claim."""

    name: str
    function: Callable[..., Number]
    arguments: tuple[str, ...]

    @property
    def symbol(self) -> sp.Symbol:
        return sp.Symbol(self.name, real=True)

    @property
    def meaning(self) -> str:
        """What it is, for people: the first line of the function's docstring, or what it is
        computed from.
        """
        computed = f"computed from {', '.join(self.arguments) or 'nothing'}"
        lines = (self.function.__doc__ or computed).strip().splitlines() or [computed]
        return lines[0].rstrip(".")

    def at(self, values: Mapping[str, Number]) -> Number:
        """The value, at the ball precision of the moment.

        - ``values``: of all symbols; whole numbers go to the function as ``int``

        Raises `ClaimError` for what is not exact, and for whatever the function raises.
        """
        given = {
            a: int(values[a]) if Fraction(values[a]).denominator == 1 else values[a]
            for a in self.arguments
        }
        try:
            found = self.function(**given)
        except (Exception, SystemExit) as error:  # the author's code
            at = ", ".join(f"{k}={v}" for k, v in given.items())
            raise ClaimError(f"{self.name} at {at}: {in_words(error)}") from None
        if isinstance(found, bool) or not isinstance(found, _EXACT):
            raise ClaimError(
                f"{self.name} came out as {kind_of(found)}; return a Fraction, a SymPy "
                "radical or a flint.arb that encloses it"
            )
        if isinstance(found, sp.Expr) and (
            found.free_symbols or found.is_real is False or found.atoms(sp.Float)
        ):
            raise ClaimError(
                f"{self.name} came out as {str(found)[:60]}, which is no exact real number"
            )
        return found


def computed_quantity(
    name: str, function: Callable[..., Number], declared: Collection[str]
) -> Computed:
    """The quantity of that name, a function of declared symbols.

    Raises `ClaimError` unless all its parameters are among them.

    Example:
        >>> computed_quantity("twice", lambda n: 2 * n, ["n"]).at({"n": Fraction(3)})
        6
    """
    refuse((not callable(function), f"computed: {name} is no function"))
    try:
        arguments = tuple(inspect.signature(function).parameters)
    except ValueError:
        raise ClaimError(
            f"computed: {name} does not tell its parameters; wrap it in a function that does"
        ) from None
    for argument in arguments:
        refuse(
            (
                argument not in declared,
                f"computed: {name} takes {argument!r}, which is not "
                f"declared{nearest(argument, declared)}",
            )
        )
    return Computed(name, function, arguments)


def chain_kind(given: str | Callable[..., Chain]) -> NamedChain:
    """A chain by name, or by a function of the width, and of further numbers by name.

    Raises `ClaimError` with the nearest name, and for a function that is none of a width.

    Example:
        >>> chain_kind("residual").numbers
        ('gamma',)
    """
    if isinstance(given, str):
        name = _SUFFIX.sub("", given.replace(" ", ""), count=1)
        try:
            return replace(read_chain(name, open_numbers=True), name=name)
        except ValueError as error:
            raise ClaimError(str(error)) from None
    refuse(
        (
            isinstance(given, Chain),
            f"chain={given!r} has one width; give a function of the width: "
            "lambda width: Chain(...)",
        ),
        (
            not callable(given),
            f"chain={given!r}: want a name ({', '.join(CHAINS)}) or a function of the width that "
            "returns a Chain",
        ),
    )
    try:
        names = list(inspect.signature(given).parameters)
    except (TypeError, ValueError):
        names = []
    refuse(
        (
            names[:1] not in (["width"], ["d"]),
            f"chain: its first parameter is the width, named 'width'; it has {names}",
        )
    )

    def build(width: int, **settings: float) -> Chain:
        try:
            made = given(width, **settings)
        except (Exception, SystemExit) as error:  # the author's code
            raise ClaimError(f"chain at width {width}: {in_words(error)}") from None
        if not isinstance(made, Chain):
            raise ClaimError(
                f"chain: a function of the width that returns a Chain; at {width} it returned "
                f"{kind_of(made)}"
            )
        return made

    parameters = tuple(map(ChainParameter, names[1:]))
    found = NamedChain(getattr(given, "__name__", "chain"), "", build, parameters, listed=False)
    found.example  # noqa: B018 - refuses what is no such function
    return found
