"""What a claim may speak of by name: observables with their ranges and exact values, and chains.

Every observable here is a number that depends on H through the spectrum of its Gram matrix or through cosines. Exact
values come as rationals, radicals, or balls where the spectrum itself is a ball.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import flint
import sympy as sp

from simulators import chains
from simulators.chains import Chain
from simulators.layers import ACTIVATIONS
from simulators.observables import REGISTRY, Observable, resolve
from theorems.algebraic import root_of
from theorems.definedness import Condition
from theorems.error_words import in_words
from theorems.workbench.parsing import ClaimError, nearest

__all__ = ["ALIVE", "CHAINS", "ENTRIES", "QUANTITIES", "ChainKind", "Computed", "Quantity", "chain_kind",
           "computed_quantity", "d", "ell", "n", "quantity"]

n = sp.Symbol("n", integer=True, positive=True)
d = sp.Symbol("d", integer=True, positive=True)
ell = sp.Symbol("ell", integer=True, nonnegative=True)

Spectrum = Sequence[Any]  # fmpq or arb, summing to 1
Rows = Sequence[Sequence[Fraction]]


@dataclass(frozen=True)
class Quantity:
    """An observable with its range, [floor, ceiling] in terms of n and d, and its exact evaluations.

    ``of_spectrum(eigenvalues, d)`` and ``of_gram(C, d)`` are None where the quantity cannot be read off them exactly.
    ``wants`` is what the entries A of H must meet for it to have a value.
    """

    name: str
    meaning: str
    floor: sp.Expr
    ceiling: sp.Expr
    of_spectrum: Callable[[Spectrum, int], Any] | None = None
    of_gram: Callable[[flint.fmpq_mat, int], Any] | None = None
    samples: int = 1  # the fewest it is defined for
    wide: bool = False  # its value depends on the width d as well
    wants: Condition | None = None

    @property
    def symbol(self) -> sp.Symbol:
        return sp.Symbol(self.name, real=True, nonnegative=True) if self.floor >= 0 else sp.Symbol(self.name, real=True)

    @property
    def at_start(self) -> sp.Symbol:
        """The same quantity of the input of the chain."""
        return sp.Symbol(f"{self.name}_0", **self.symbol.assumptions0)

    def range_in(self, declared: Collection[str]) -> tuple[sp.Expr, sp.Expr | None]:
        """Floor and ceiling in terms of the declared sizes; no ceiling where it takes one that is not."""
        top = self.ceiling if "d" in declared else self.ceiling.subs(d, sp.oo)
        return self.floor, None if top == sp.oo or not {str(s) for s in top.free_symbols} <= set(declared) else top

    @property
    def observable(self) -> Observable:
        """How the simulator measures it."""
        if "(" in self.name:
            return resolve(f"soft_rank({float(Fraction(self.name[10:-1]))!r})")
        return resolve(self.name)


def _root(x: Any) -> Any:
    """Exact where x is rational or algebraic (a radical), enclosed where it is a ball."""
    if isinstance(x, sp.Expr):
        return sp.sqrt(x)
    if isinstance(x, flint.fmpq):
        return root_of(Fraction(int(x.p), int(x.q)), 2)
    return x.sqrt() if x >= 0 else flint.arb(0).union(x.abs_upper().sqrt())  # a ball about 0, of something nonnegative


def _squares(values: Sequence[Any]) -> Any:
    return sum((v * v for v in values), sp.Integer(0) if isinstance(values[0], sp.Expr) else flint.fmpq(0))


def _share(values: Spectrum) -> Any:
    """1/n, in the kind of number that the eigenvalues are."""
    return sp.Rational(1, len(values)) if isinstance(values[0], sp.Expr) else flint.fmpq(1, len(values))


def _least(values: Spectrum) -> Any:
    if isinstance(values[0], sp.Expr):  # they descend
        return values[-1]
    if all(isinstance(v, flint.fmpq) for v in values):
        return min(values)
    found = flint.arb(values[0])
    for value in values[1:]:
        found = found.min(flint.arb(value))
    return found


def _gap(eigenvalues: Spectrum, _: int) -> Any:
    share = _share(eigenvalues)
    return _root(_squares([e - share for e in eigenvalues]))


def _entries(gram: flint.fmpq_mat) -> list[list[Any]]:
    trace = sum((gram[i, i] for i in range(gram.nrows())), flint.fmpq(0))
    return [[gram[i, j] / trace for j in range(gram.ncols())] for i in range(gram.nrows())]


def _gap_of_gram(gram: flint.fmpq_mat, _: int) -> Any:
    entries, size = _entries(gram), gram.nrows()
    return _root(_squares([x - (flint.fmpq(1, size) if i == j else 0) for i, row in enumerate(entries)
                           for j, x in enumerate(row)]))


def _cosine(gram: flint.fmpq_mat, i: int = 0, j: int = 1) -> Any:
    product = gram[i, i] * gram[j, j]
    if product == 0:
        return flint.arb.nan()  # a zero sample has none
    return sp.Rational(int(gram[i, j].p), int(gram[i, j].q)) / _root(product)


def _mean_cosine(gram: flint.fmpq_mat, _: int) -> Any:
    size = gram.nrows()
    pairs = [abs(_cosine(gram, i, j)) for i in range(size) for j in range(i)]
    return sum(pairs) / len(pairs)


def _soft_rank(tau: Fraction, eigenvalues: Spectrum, width: int) -> Any:
    if tau == 0:
        return flint.fmpq(width)
    threshold = flint.fmpq(tau.numerator, tau.denominator)
    above = [width * e >= threshold for e in eigenvalues]
    if any(not a and not width * e < threshold for a, e in zip(above, eigenvalues, strict=True)):
        return flint.arb(sum(above)).union(flint.arb(len(above)))  # a ball reaches across the threshold
    return flint.fmpq(sum(above))


def _samples_present(some: Sequence[int] | None, words: str) -> Condition:
    """That these samples, or all of them, are not 0."""
    row, column = sp.symbols("i j", integer=True, nonnegative=True)
    energy = [sp.Sum(ENTRIES[row, k] ** 2, (row, 0, d - 1)) for k in (some or [column])]
    if some is None:
        missing = sp.Piecewise((-1, sp.Eq(energy[0], 0, evaluate=False)), (0, True), evaluate=False)
        return Condition(sp.Ge(sp.Sum(missing, (column, 0, n - 1)), 0, evaluate=False), words)
    return Condition(sp.Ne(sp.Mul(*energy), 0, evaluate=False), words)


#: The entries of H, as a claim about every matrix may name them.
ENTRIES = sp.IndexedBase("A", real=True)
_PAIR = _samples_present((0, 1), "a sample that is 0 has no cosine")
_EVERY = _samples_present(None, "a sample that is 0 has no cosine")
_TOP = sp.sqrt(1 - 1 / n)
QUANTITIES: Mapping[str, Quantity] = {q.name: q for q in (
    Quantity("orthogonality_gap", "‖C/‖H‖² - I/n‖_F, the distance from orthogonal samples", sp.S.Zero, _TOP,
             _gap, _gap_of_gram),
    Quantity("smallest_eigenvalue", "the smallest eigenvalue of C/‖H‖²", sp.S.Zero, 1 / n,
             lambda e, _: _least(e)),
    Quantity("smallest_eigenvalue_gap", "1/n minus the smallest eigenvalue of C/‖H‖²", sp.S.Zero, 1 / n,
             lambda e, _: _share(e) - _least(e)),
    Quantity("effective_rank", "(Tr M)²/‖M‖_F², how many directions the samples fill", sp.S.One, sp.Min(n, d),
             lambda e, _: 1 / _squares(e),
             lambda g, _: 1 / _squares([x for row in _entries(g) for x in row])),
    Quantity("cosine", "the cosine between the first two samples", -sp.S.One, sp.S.One,
             None, lambda g, _: _cosine(g), samples=2, wants=_PAIR),
    Quantity("absolute_cosine", "the absolute cosine between the first two samples", sp.S.Zero, sp.S.One,
             None, lambda g, _: abs(_cosine(g)), samples=2, wants=_PAIR),
    Quantity("mean_absolute_cosine", "the mean absolute cosine over pairs of samples", sp.S.Zero, sp.S.One,
             None, _mean_cosine, samples=2, wants=_EVERY),
    Quantity("alive", "1 where every sample has a unit that is not 0, else 0", sp.S.Zero, sp.S.One,
             None, lambda g, _: flint.fmpq(all(g[i, i] != 0 for i in range(g.nrows())))),
)}
#: The assumption ``alive``, of H, or of every layer of a path.
ALIVE = sp.Eq(QUANTITIES["alive"].symbol, 1, evaluate=False)
_SHAPES = {name: "an n × n matrix" if name == "gram" else "a vector of n numbers"
           for name in REGISTRY if name not in QUANTITIES}


#: Thresholds as they are written; a long exponent would stand for a number with as many digits.
_THRESHOLD = re.compile(r"[-+]?\d{0,40}(\.\d{0,40})?([eE][-+]?\d{1,2})?(/\d{1,40})?", re.ASCII)


def quantity(name: str) -> Quantity:
    """The quantity of that name, ``soft_rank(tau)`` included. Raises :class:`ClaimError` with the nearest name."""
    if not isinstance(name, str):
        raise ClaimError(f"{name!r} is no name of a quantity; want one such as 'orthogonality_gap'")
    if name in QUANTITIES:
        return QUANTITIES[name]
    if name.startswith("soft_rank(") and name.endswith(")"):
        given = name[10:-1].strip()
        try:
            if not _THRESHOLD.fullmatch(given):
                raise ValueError
            tau = Fraction(given)
        except (ValueError, ZeroDivisionError):
            raise ClaimError(f"{name[:60]!r}: the threshold is a number, such as soft_rank(1/2)") from None
        if not 0 <= tau <= 1:
            raise ClaimError(f"{name!r}: the threshold lies in [0, 1]")
        return Quantity(f"soft_rank({tau})", f"the number of eigenvalues of M that are at least {tau}, M of trace d",
                        sp.S.Zero, d if tau == 0 else sp.Min(n, d), partial(_soft_rank, tau), wide=True)
    if name == "soft_rank":
        raise ClaimError("soft_rank needs its threshold: write soft_rank(1/2)")
    if name in _SHAPES:
        raise ClaimError(f"{name} is {_SHAPES[name]}, and a claim compares numbers; use {', '.join(QUANTITIES)}")
    raise ClaimError(f"no quantity {name!r}{nearest(name, [*QUANTITIES, 'soft_rank(1/2)'])}")


_EXACT = (int, Fraction, flint.fmpq, flint.fmpz, flint.arb, sp.Expr)


@dataclass(frozen=True)
class Computed:
    """A quantity that the author computes, exactly or in balls, from symbols of the claim."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]

    @property
    def symbol(self) -> sp.Symbol:
        return sp.Symbol(self.name, real=True)

    @property
    def meaning(self) -> str:
        lines = (self.function.__doc__ or "").strip().splitlines()
        return lines[0].rstrip(".") if lines else f"computed from {', '.join(self.arguments) or 'nothing'}"

    def at(self, values: Mapping[str, Any]) -> Any:
        """The value, at the ball precision of the moment. Raises :class:`ClaimError` for what is not exact."""
        given = {a: int(values[a]) if Fraction(values[a]).denominator == 1 else values[a] for a in self.arguments}
        try:
            found = self.function(**given)
        except (Exception, SystemExit) as error:  # the author's code
            at = ", ".join(f"{k}={v}" for k, v in given.items())
            raise ClaimError(f"{self.name} at {at}: {in_words(error)}") from None
        if isinstance(found, bool) or not isinstance(found, _EXACT):
            raise ClaimError(f"{self.name} came out as a {type(found).__name__}; return a Fraction, a SymPy radical or "
                             "a flint.arb that encloses it")
        if isinstance(found, sp.Expr) and (found.free_symbols or found.is_real is False or found.atoms(sp.Float)):
            raise ClaimError(f"{self.name} came out as {str(found)[:60]}, which is no exact real number")
        return found


def computed_quantity(name: str, function: Any, declared: Collection[str]) -> Computed:
    """The quantity of that name. Raises :class:`ClaimError` unless its parameters are declared symbols."""
    if not callable(function):
        raise ClaimError(f"computed: {name} is no function")
    try:
        arguments = tuple(inspect.signature(function).parameters)
    except ValueError:
        raise ClaimError(f"computed: {name} does not tell its parameters; wrap it in a function that does") from None
    for argument in arguments:
        if argument not in declared:
            raise ClaimError(f"computed: {name} takes {argument!r}, which is not declared{nearest(argument, declared)}")
    return Computed(name, function, arguments)


@dataclass(frozen=True)
class ChainKind:
    """A chain by name: ``build(width, **settings)``; ``parameters`` are symbols of a claim that it takes as numbers."""

    name: str
    build: Callable[..., Chain]
    parameters: tuple[str, ...] = ()
    square: bool = False  # the batch must have ``width`` rows
    recentres: bool = False
    least: int = 1  # the fewest rows it is about
    mean_field: bool = False  # its map at infinite width is known on spectra

    def __call__(self, width: int, values: Mapping[str, Any]) -> Chain:
        return self.build(width, **{p: float(values[p]) for p in self.parameters})

    @property
    def example(self) -> Chain:
        """The chain at a small width, which has the layers of all."""
        return self.build(4, **dict.fromkeys(self.parameters, 0.5))


CHAINS: Mapping[str, ChainKind] = {kind.name: kind for kind in (
    ChainKind("rescale", chains.rescale_chain, mean_field=True),
    ChainKind("residual", chains.residual_chain, ("gamma",), square=True, least=2),
    ChainKind("recenter_relu", chains.recenter_relu_chain, recentres=True),
    ChainKind("batchnorm", chains.batchnorm_chain, recentres=True),
    ChainKind("vanilla", chains.vanilla_chain),
    *(ChainKind(f"{base}({a})", partial(getattr(chains, f"{base}_chain"), activation=a), recentres=base == "batchnorm")
      for base in ("batchnorm", "vanilla", "rescale_activation") for a in ACTIVATIONS),
)}


def chain_kind(given: Any) -> ChainKind:
    """A chain by name, or by a function ``width -> Chain``. Raises :class:`ClaimError` with the nearest name."""
    if isinstance(given, str):
        name = given.replace(" ", "").removesuffix("_chain")
        if name in CHAINS:
            return CHAINS[name]
        plain = [k for k in CHAINS if "(" not in k]
        raise ClaimError(f"no chain {given!r}{nearest(name, [*CHAINS] if '(' in name else plain)}")
    if isinstance(given, Chain):
        raise ClaimError(f"chain={given!r} has one width; give a function of the width: lambda width: Chain(...)")
    if not callable(given):
        raise ClaimError(f"chain={given!r}: want a name ({', '.join(k for k in CHAINS if '(' not in k)}) or a function "
                         "of the width that returns a Chain")
    try:
        names = list(inspect.signature(given).parameters)
    except (TypeError, ValueError):
        names = []
    if not names or names[0] not in ("width", "d"):
        raise ClaimError(f"chain: its first parameter is the width, named 'width'; it has {names}")

    def build(width: int, **settings: float) -> Chain:
        try:
            made = given(width, **settings)
        except (Exception, SystemExit) as error:  # the author's code
            raise ClaimError(f"chain at width {width}: {in_words(error)}") from None
        if not isinstance(made, Chain):
            raise ClaimError(f"chain: a function of the width that returns a Chain; at {width} it returned "
                             f"{type(made).__name__}")
        return made
    made = build(4, **dict.fromkeys(names[1:], 0.5))
    square = any(getattr(layer, "gamma", math.inf) < math.inf for layer in made.layers)
    return ChainKind(getattr(given, "__name__", "chain"), build, tuple(names[1:]), square, made.recentres)
