"""What a claim about a mean, a probability or an exponent is sampled on: starts, widths, depths, chain parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from simulators import Trajectory
from simulators.batches import spectrum_batch
from simulators.observables import Observable
from simulators.strategies import corner_spectra
from theorems.checking.expectation import Expectation, Floats, Instance
from theorems.checking.pointwise import admitted
from theorems.checking.scaling import Scaling
from theorems.expressions import arguments_of, compiled
from theorems.statement import Statement
from theorems.workbench.parsing import ClaimError, Relation
from theorems.workbench.quantities import ChainKind, Quantity
from theorems.workbench.spaces import Item, Space

__all__ = ["Design", "exponent_check", "sampling_check"]

#: Ranges of sampled quantities are widened by this, relatively: float64 may overshoot them by rounding.
ROUNDING = 1e-9
#: Random numbers one start, width and depth may use.
NORMALS = 150_000_000
#: Sizes at which a claim without an upper end is sampled; the mean-field limit and the search go further.
_WIDEST, _LARGEST, _DEEPEST = 2048, 16, 64
_STARTS = ("uniform", "one small", "dominant", "distinct")


@dataclass(frozen=True)
class Design:
    """A chain, the quantity or event read at layer ell, and the space of starts and sizes the claim ranges over.

    Items of ``space`` (spectra) hold n, d, ell, chain parameters and the spectrum of the start, which is put on the
    diagonal, or, where the chain sees more than the spectrum, into the basis that begins with the mean direction.
    """

    chain: ChainKind
    space: Space
    quantity: Quantity | None
    event: Relation | None = None
    observables: tuple[Observable, ...] = ()
    turned: bool = False
    settings: Mapping[str, Fraction] = field(default_factory=dict)

    def start(self, item: Item) -> Floats:
        """The (d0, n) batch of an item."""
        size, width = int(item["n"]), int(item["d"])
        found: Floats = spectrum_batch(item["spectrum"], width if self.chain.square else size)
        return found @ _basis(size).T if self.turned else found

    def instance(self, item: Item, depths: Sequence[int] = ()) -> Instance:
        """One start with a readout at each depth, the item's own by default."""
        numbers = {k: float(v) for k, v in self.space.values(dict(item)).items() if k != "lambda"}
        plain = {k: float(v) for k, v in self.settings.items()}
        readouts = tuple(numbers | {"ell": float(at)} for at in depths or (int(item["ell"]),))
        shown = ", ".join(f"{x.name}={item[x.name]}" for x in self.space.domains if x.name != "ell")
        return Instance(f"{shown}, start {_named(item['spectrum'])}", self.chain(int(item["d"]), plain | numbers),
                        self.start(item), int(max(r["ell"] for r in readouts)), readouts, self.support(item))

    def support(self, item: Item) -> tuple[float, float]:
        """The range of the sampled quantity."""
        if self.quantity is None:
            return 0.0, 1.0
        low, high = (_number(e, item) for e in (self.quantity.floor, self.quantity.ceiling))
        return low - ROUNDING * abs(low), high + ROUNDING * abs(high) + 1e-12

    def items(self, statement: Statement) -> list[Item]:
        """The lay-out: lowest and highest n and d, corner starts, corners of the parameters dealt out in turn."""
        found: list[Item] = []
        by_name = {x.name: x for x in self.space.domains}
        least = max(self.quantity.samples if self.quantity else 1, 2)
        for n in _pair(by_name["n"], _LARGEST, least):
            for d in _pair(by_name["d"], _WIDEST, n):
                corners = corner_spectra(n) if n > 1 else {"uniform": (Fraction(1),)}
                for name in [s for s in _STARTS if s in corners]:
                    item: dict[str, Any] = {"n": Fraction(n), "d": Fraction(d),
                                            "ell": Fraction(_pair(by_name["ell"], _DEEPEST, 1)[-1])}
                    for domain in self.space.parameters:
                        options = domain.corners(item)
                        item[domain.name] = options[len(found) % len(options)] if options else Fraction(0)
                    found.append(item | {"spectrum": corners[name]})
        return [x for x in found if self.allows(statement, x)]

    def allows(self, statement: Statement, item: Item) -> bool:
        """Whether an item is in the domain and meets every assumption, exactly."""
        if not self.space.contains(item) or item["n"] > item["d"] or item["ell"] < 1:
            return False
        if self.chain.recentres and sum(x > 0 for x in item["spectrum"]) < 2:
            return False  # equal samples, or none left once recentred
        return admitted(statement, self.space.values(item)) is True

    def instances(self, statement: Statement, batch: Floats | None) -> Iterable[Instance]:
        """The lay-out of the check; a user's batch, if it fits the domain, takes the place of the starts."""
        ell = next(x for x in self.space.domains if x.name == "ell")
        depths = sorted({max(k, 1) for k in _pair(ell, _DEEPEST, 1)})
        for item in self.items(statement):
            if batch is None and (kept := [k for k in depths if self.speaks(statement, {**item, "ell": Fraction(k)})]):
                yield self.instance(item, kept)
        if batch is not None:
            yield from self._of_batch(statement, batch, depths)

    def speaks(self, statement: Statement, item: Item) -> bool:
        """Whether an item is allowed, and a lower bound is not below the least value there."""
        if not self.allows(statement, item):
            return False
        if statement.relation not in (">=", ">"):
            return True  # an upper bound that says nothing is reported as vacuous
        return _number(statement.rhs, {k: v for k, v in self.space.values(item).items() if k != "lambda"}) > (
            self.support(item)[0] + 1e-12)

    def _of_batch(self, statement: Statement, batch: Floats, depths: Sequence[int]) -> Iterator[Instance]:
        size = batch.shape[1]
        values = np.linalg.svd(batch / np.abs(batch).max(), compute_uv=False)[:size] ** 2
        whole = [Fraction(float(x)) for x in values]
        spectrum = tuple(x / sum(whole) for x in whole)
        seen = set()
        for item in self.items(statement):
            d = int(item["d"])
            moved = {**item, "n": Fraction(size), "spectrum": spectrum}
            if (self.chain.square and batch.shape[0] != d) or d in seen or not self.speaks(statement, moved):
                continue
            seen.add(d)
            made = self.instance(moved, [k for k in depths if self.speaks(statement, {**moved, "ell": Fraction(k)})])
            yield Instance(f"batch {batch.shape[0]}×{size}, d={d}", made.chain, batch, made.depth, made.readouts,
                           made.support)

    def sample(self, statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
        """(replicas, readouts): the quantity, or whether the event happened, at each depth."""
        columns = []
        for values in instance.readouts:
            at = int(values["ell"])
            if self.event is None:
                columns.append(trajectory.values[self.observables[0].name][:, at])
                continue
            given = dict(values) | {o.name: trajectory.values[o.name][:, at] for o in self.observables}
            left, right = (compiled(side, arguments_of(side)).floats(*(given[str(s)] for s in arguments_of(side)))
                           for side in (self.event.lhs, self.event.rhs))
            happened = {"<=": np.less_equal, "<": np.less, ">=": np.greater_equal, ">": np.greater,
                        "==": np.equal, "!=": np.not_equal}[self.event.relation](left, right)
            columns.append(np.broadcast_to(happened, trajectory.replicas).astype(np.float64))
        return np.stack(columns, axis=1)


def sampling_check(design: Design, resolution: float) -> Expectation:
    """Confidence sequences over the lay-out."""
    return Expectation(design.instances, design.sample, design.observables, resolution=resolution, normals=NORMALS)


def exponent_check(design: Design, slope: sp.Symbol, statement: Statement) -> Scaling:
    """An interval for the exponent over five widths of the domain, from its first start. Raises :class:`ClaimError`."""
    low, high = (float(e) for e in next(x for x in design.space.domains if x.name == "d").ends({}))
    item = design.items(statement)[0]
    widths = sorted({round(w) for w in np.geomspace(max(low, float(item["n"])), min(high, float(_WIDEST)), 5)})
    if len(widths) < 2:
        raise ClaimError(f"a slope needs several widths; d has only {widths}")

    def instances(batch: Floats | None) -> list[Instance]:
        return [design.instance({**item, "d": Fraction(w)}) for w in widths] if batch is None else []

    def sample(trajectory: Trajectory) -> Floats:
        found: Floats = trajectory.values[design.observables[0].name][:, -1]
        return found
    return Scaling(slope, instances, sample, design.observables, replicas=1000)


def _pair(domain: Any, most: int, least: int) -> list[int]:
    low, high = (int(e) for e in domain.ends({}))
    low = max(low, least)
    return sorted({min(low, max(high, least)), max(low, min(high, most))})


def _number(expression: sp.Expr, item: Item) -> float:
    names = arguments_of(expression)
    return float(compiled(expression, names).floats(*(float(item[str(s)]) for s in names)))


def _named(spectrum: Sequence[Fraction]) -> str:
    for name, corner in corner_spectra(len(spectrum)).items():
        if tuple(spectrum) == tuple(corner):
            return name
    return "(" + ", ".join(f"{float(x):.4g}" for x in spectrum) + ")"


def _basis(size: int) -> Floats:
    """An orthogonal matrix whose first column is the mean direction (Helmert's)."""
    found = np.zeros((size, size))
    found[:, 0] = 1 / math.sqrt(size)
    for k in range(1, size):
        found[:k, k], found[k, k] = 1 / math.sqrt(k * (k + 1)), -k / math.sqrt(k * (k + 1))
    return found


