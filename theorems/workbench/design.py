"""What a claim about a mean, a probability or an exponent is sampled on: starts, widths, depths, chain parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Any

import flint
import numpy as np
import sympy as sp
from numpy.typing import NDArray

from simulators import Trajectory
from simulators.activations import ACTIVATIONS
from simulators.batches import spectrum_batch
from simulators.chains import NamedChain
from simulators.layers import Activation, ScaleResponse, WeightLayer
from simulators.observables import Observable
from simulators.starts import Start, corner_axes, named
from simulators.strategies import corner_spectra
from simulators.weights import LAWS
from theorems.checking.ascent import evolve
from theorems.checking.expectation import Expectation, Floats, Instance
from theorems.checking.pointwise import admitted
from theorems.checking.scaling import Scaling
from theorems.expressions import arguments_of, compiled
from theorems.statement import Statement
from theorems.workbench.covering_array import covering_array
from theorems.workbench.parsing import ClaimError, Relation
from theorems.workbench.quantities import Quantity, quantity
from theorems.workbench.spaces import Item, Space
from theorems.workbench.start_items import gram_of, gram_of_batch, is_batch, read_start, shown_start
from theorems.workbench.start_layout import StartLevels, start_levels

__all__ = ["Design", "exponent_check", "sampling_check"]

_Points = NDArray[np.float64]

#: Ranges of sampled quantities are widened by this, relatively: float64 may overshoot them by rounding.
ROUNDING = 1e-9
#: Random numbers one start, width and depth may use.
NORMALS = 150_000_000
#: Sizes at which a claim without an upper end is sampled; the mean-field limit and the search go further.
_WIDEST, _LARGEST, _DEEPEST = 2048, 16, 64
_STARTS = ("uniform", "one small", "dominant", "distinct", "repeated", "singular")
_ALIVE = "alive"
_COMPARED = {
    "<=": np.less_equal,
    "<": np.less,
    ">=": np.greater_equal,
    ">": np.greater,
    "==": np.equal,
    "!=": np.not_equal,
}
#: Corners of a chain parameter that a lay-out deals out, at most.
_OPTIONS = 5
#: Where assumptions leave fewer starts of one size, so many are looked for; this often, at random and by evolution.
_FEW, _DRAWS, _GENERATIONS, _MEMBERS = 4, 100, 40, 24
#: Floats leave an assumption open within this; what is undefined misses it by so much.
_NEAR, _FAR = 1e-6, 10.0


@dataclass(frozen=True)
class Design:
    """A chain, the quantity or event read at layer ell, and the space of starts and sizes the claim ranges over.

    Items of ``space`` hold n, d, ell, chain parameters and the start: a spectrum put on the diagonal where chain and
    quantities see no more than that, else a whole ``start``.

    The lay-out is the full product of lowest and highest n and d with the corner spectra in the first case. In the
    second it is a covering array over n, d, spectrum, eigenbasis, signs and copies, scales and chain parameters: every
    pair of levels of two of them is there (for pairs that the assumptions allow), in some 30 instances instead of some
    thousand. All depths are read off one simulation. The error budget is split over every readout there is.
    """

    chain: NamedChain
    space: Space
    quantity: Quantity | None
    event: Relation | None = None
    observables: tuple[Observable, ...] = ()
    settings: Mapping[str, Fraction] = field(default_factory=dict)
    _layouts: dict[Any, list[Item]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def start(self, item: Item) -> Floats:
        """The (d0, n) batch of an item."""
        size, width = int(item["n"]), int(item["d"])
        if "start" in item:
            start = read_start(item["start"])
            return start.batch(width if self.chain.square else size * start.repeats)
        found: Floats = spectrum_batch(item["spectrum"], width if self.chain.square else size)
        return found

    def completed(self, item: Item) -> Item:
        """An item with its start in full; one of an earlier version is given by its spectrum alone.

        It then stood for the diagonal basis under the chains rescale, residual and vanilla, and for the basis that
        begins with the mean direction under any other.
        """
        if not self.space.whole or "spectrum" not in item:
            return item
        basis = (
            "diagonal" if self.chain.name in ("rescale", "residual", "vanilla") else "mean first"
        )
        axes = corner_axes(len(item["spectrum"])).get(basis, ())
        rest = {k: v for k, v in item.items() if k != "spectrum"}
        return rest | {"start": shown_start(Start(tuple(item["spectrum"]), axes))}

    def instance(
        self, item: Item, depths: Sequence[int] = (), batch: Floats | None = None
    ) -> Instance:
        """One start with a readout at each depth, the item's own by default; or the user's batch in its place."""
        numbers = {k: float(v) for k, v in self.space.values(dict(item)).items() if k != "lambda"}
        plain = {k: float(v) for k, v in self.settings.items()}
        readouts = tuple(numbers | {"ell": float(at)} for at in depths or (int(item["ell"]),))
        names = {} if batch is not None else _named(item)
        shown = ", ".join(f"{x.name}={item[x.name]}" for x in self.space.domains if x.name != "ell")
        words = [text if part == "spectrum" else f"{part} {text}" for part, text in names.items()]
        label = (
            f"{shown}, start {', '.join(words)}"
            if batch is None
            else (f"batch {batch.shape[0]}×{batch.shape[1]}, d={item['d']}")
        )
        chain, start = (
            self.chain(int(item["d"]), plain | numbers),
            self.start(item) if batch is None else batch,
        )
        return Instance(
            label,
            chain,
            start,
            int(max(r["ell"] for r in readouts)),
            readouts,
            self.support(item),
            {"start": names},
        )

    def support(self, item: Item) -> tuple[float, float]:
        """The range of the sampled quantity."""
        if self.quantity is None:
            return 0.0, 1.0
        low, high = (_number(e, item) for e in (self.quantity.floor, self.quantity.ceiling))
        return low - ROUNDING * abs(low), high + ROUNDING * abs(high) + 1e-12

    def items(self, statement: Statement) -> list[Item]:
        """The lay-out, at the greatest depth: see the class. Where assumptions leave few starts, more are drawn.

        Made once for the same assumptions, as claim and sentinel, pilot, check and search all ask for it.
        """
        asked = statement.assumptions, tuple(statement.definitions.items()), flint.ctx.prec
        if asked not in self._layouts:
            self._layouts[asked] = self._laid_out(statement)
        return list(self._layouts[asked])

    def _laid_out(self, statement: Statement) -> list[Item]:
        by_name = {x.name: x for x in self.space.domains}
        least = max(self.quantity.samples if self.quantity else 1, 2)
        ell = Fraction(_pair(by_name["ell"], _DEEPEST, 1)[-1])
        found: list[Item] = []
        sizes = [(n, _pair(by_name["d"], _WIDEST, n)) for n in _pair(by_name["n"], _LARGEST, least)]
        if self.space.whole:
            found = self._covering(statement, sizes, ell)
        else:
            for n, widths in sizes:
                for d, spectrum in product(widths, _spectra(n).values()):
                    item = {"n": Fraction(n), "d": Fraction(d), "ell": ell}
                    found.append(
                        self._parametrised(item, [len(found)] * len(self.space.parameters))
                        | {"spectrum": spectrum}
                    )
            found = [x for x in found if self.allows(statement, x)]
        if self.space.started:
            for n, widths in sizes:
                there = len({str(_object(x)) for x in found if x["n"] == n})
                if there < _FEW:
                    found += self._drawn(statement, n, widths, ell, _FEW - there)
        if self.space.started and not found:
            found = self._evolved(statement, *sizes[0], ell)
        return found

    def _parametrised(self, item: Mapping[str, Any], levels: Sequence[int]) -> dict[str, Any]:
        """The item with chain parameters at these of their corners, counted round."""
        found = dict(item)
        for domain, level in zip(self.space.parameters, levels, strict=True):
            options = domain.corners(found)
            found[domain.name] = options[level % len(options)] if options else Fraction(0)
        return found

    def levels(
        self, n: int, widest: int, spectra: Mapping[str, tuple[Fraction, ...]]
    ) -> StartLevels:
        """The levels of a start of n samples for this chain, at widths of at least ``widest``."""
        example = self.chain.example
        repeats = {"as they are": 1}
        if example.sees_rows and widest // n > 1:
            repeats["stacked"] = widest // n
        return start_levels(
            n, spectra, scaled=example.scaling is ScaleResponse.BOUND, repeats=repeats
        )

    def _covering(
        self, statement: Statement, sizes: list[tuple[int, list[int]]], ell: Fraction
    ) -> list[Item]:
        """Items that show every pair of levels of n, d, the start's coordinates and the chain's parameters."""
        levels = [self.levels(n, min(widths), _spectra(n)) for n, widths in sizes]
        counts = [
            len(sizes),
            max(len(widths) for _, widths in sizes),
            *map(max, zip(*(x.counts for x in levels), strict=True)),
            *[_OPTIONS] * len(self.space.parameters),
        ]

        def item(row: Sequence[int]) -> Item:
            n, widths = sizes[row[0]]
            place = {"n": Fraction(n), "d": Fraction(widths[row[1] % len(widths)]), "ell": ell}
            return self._parametrised(place, row[7:]) | {
                "start": shown_start(levels[row[0]].at(row[2:7]))
            }

        rows = covering_array(counts, lambda row: self._admits(statement, item(row)))
        return list({str(found): found for found in map(item, rows)}.values())

    def _points(
        self, n: int, widths: Sequence[int], ell: Fraction
    ) -> tuple[dict[str, Fraction], _Points]:
        """Sizes, and where starts of n samples are drawn from the cube."""
        sizes = {"n": Fraction(n), "d": Fraction(widths[0]), "ell": ell}
        return sizes, np.random.default_rng(n).random((_DRAWS, self.space.coordinates(sizes)))

    def _drawn(
        self, statement: Statement, n: int, widths: Sequence[int], ell: Fraction, most: int
    ) -> list[Item]:
        """Starts drawn at random that meet the assumptions, at most so many, at the smallest width."""
        sizes, points = self._points(n, widths, ell)
        items = (self.space.item(sizes, u) for u in points)
        return _first((item for item in items if self._admits(statement, item)), most)

    def _evolved(
        self, statement: Statement, n: int, widths: Sequence[int], ell: Fraction
    ) -> list[Item]:
        """Starts that meet the assumptions, where differential evolution on what is short of them ends."""
        sizes, points = self._points(n, widths, ell)

        def score(given: _Points) -> _Points:
            return -np.array([self._short(statement, self.space.item(sizes, u)) for u in given])

        near = points[np.argsort(-score(points))[:_MEMBERS]]
        ends = evolve(score, points.shape[1], seed=n, generations=_GENERATIONS, initial=near)
        items = (self.space.item(sizes, u) for u in ends)
        found = _first((item for item in items if self._admits(statement, item)), _FEW)
        return [{**item, "d": Fraction(d)} for item in found for d in widths]

    def _admits(self, statement: Statement, item: Item) -> bool:
        """As :meth:`allows`, which takes much longer for what floats show to be far from the assumptions."""
        return self._short(statement, item) <= _NEAR and self.allows(statement, item)

    def _short(self, statement: Statement, item: Item) -> float:
        """By how much an item misses the assumptions, relatively and in floats; 0 where it meets them."""
        values = {x.name: float(item[x.name]) for x in self.space.domains}
        of_start = {q.at_start for q in self.space.started}
        relations = [a.relation for a in statement.assumptions if a.along == "input"]
        early = sum(_shortfall(r, values) for r in relations if not r.free_symbols & of_start)
        late = [r for r in relations if r.free_symbols & of_start]
        if early > _NEAR or not late:
            return early
        start = self.start(item)
        values |= {
            f"{q.name}_0": float(q.observable.function(start, width=int(item["d"])))
            for q in self.space.started
            if start.shape[1] >= q.samples
        }
        return early + sum(_shortfall(r, values) for r in late)

    def allows(self, statement: Statement, item: Item) -> bool:
        """Whether an item is in the domain, its quantities are defined, and it meets every assumption, exactly."""
        if not self.space.contains(item) or item["n"] > item["d"] or item["ell"] < 1:
            return False
        if self.space.whole:
            if not self._defined(item):
                return False
        elif self.chain.recentres and sum(x > 0 for x in item["spectrum"]) < 2:
            return False  # equal samples, or none left once recentred
        return admitted(statement, self.space.values(item)) is True

    def _defined(self, item: Item) -> bool:
        """Whether rows suffice, samples are left once recentred, and those whose angle is asked for are not zero."""
        shown = item["start"]
        if (
            self.chain.square
            and not is_batch(shown)
            and (read_start(shown).size * read_start(shown).repeats > int(item["d"]))
        ):
            return False
        gram = gram_of(shown)
        squares = [row[k] for k, row in enumerate(gram)]
        angles = [q for q in (*self._measured, *self.space.started) if q.samples > 1]
        if angles and not all(squares):
            return False
        if not self.chain.recentres:
            return True
        size = len(gram)
        means = [sum(row) / size for row in gram]
        middle = sum(means) / size
        left = [square - 2 * mean + middle for square, mean in zip(squares, means, strict=True)]
        return all(left) if any(q.samples > 1 for q in self._measured) else any(left)

    @property
    def _measured(self) -> tuple[Quantity, ...]:
        return tuple(quantity(o.name) for o in self.observables)

    def instances(self, statement: Statement, batch: Floats | None) -> Iterable[Instance]:
        """The lay-out of the check; a user's batch, if it fits the domain, takes the place of the starts."""
        ell = next(x for x in self.space.domains if x.name == "ell")
        depths = sorted({max(k, 1) for k in _pair(ell, _DEEPEST, 1)})
        for item in self.items(statement):
            if batch is None and (
                kept := [k for k in depths if self.speaks(statement, {**item, "ell": Fraction(k)})]
            ):
                yield self.instance(item, kept)
        if batch is not None:
            yield from self._of_batch(statement, batch, depths)

    def speaks(self, statement: Statement, item: Item) -> bool:
        """Whether an item is allowed, and a lower bound is not below the least value there."""
        if not self.allows(statement, item):
            return False
        if statement.relation not in (">=", ">"):
            return True  # an upper bound that says nothing is reported as vacuous
        return _number(
            statement.rhs, {k: v for k, v in self.space.values(item).items() if k != "lambda"}
        ) > (self.support(item)[0] + 1e-12)

    def _of_batch(
        self, statement: Statement, batch: Floats, depths: Sequence[int]
    ) -> Iterator[Instance]:
        size = batch.shape[1]
        values = np.linalg.svd(batch / np.abs(batch).max(), compute_uv=False)[:size] ** 2
        shares = [Fraction(float(x)) for x in values]
        spectrum = tuple(x / sum(shares) for x in shares)
        start = (
            {"start": {"gram": gram_of_batch(batch), "spectrum": spectrum}}
            if self.space.whole
            else {"spectrum": spectrum}
        )
        seen = set()
        for item in self.items(statement):
            d = int(item["d"])
            moved = {**item, "n": Fraction(size)} | start
            if (
                (self.chain.square and batch.shape[0] != d)
                or d in seen
                or not self.speaks(statement, moved)
            ):
                continue
            seen.add(d)
            yield self.instance(
                moved,
                [k for k in depths if self.speaks(statement, {**moved, "ell": Fraction(k)})],
                batch,
            )

    def scope(self, instances: Sequence[Instance]) -> str:
        """Over which starts, sizes and depths the instances speak, in words."""
        parts = []
        for part in ("spectrum", "basis", "samples", "scales", "rows"):
            names = list(
                dict.fromkeys(
                    _family(i.data["start"][part]) for i in instances if part in i.data["start"]
                )
            )
            if names:
                plain = part in ("samples", "scales", "rows") and any(
                    part not in i.data["start"] for i in instances
                )
                parts.append(f"{_PLURALS[part]} {' / '.join(['as they are'] * plain + names)}")
        if not parts:
            return ""
        readouts = [values for i in instances for values in i.readouts]
        shown = [x.name for x in self.space.domains]
        parts += [
            f"{name} = {', '.join(f'{x:g}' for x in sorted({r[name] for r in readouts}))}"
            for name in shown
        ]
        if not self.space.whole:
            parts.insert(1, "in one basis, as chain and quantity see no more than spectra")
        return f"{len(instances)} instances: " + "; ".join(parts)

    def kept(
        self, statement: Statement, trajectory: Trajectory, instance: Instance
    ) -> NDArray[np.bool_]:
        """(replicas, readouts): which paths, up to each depth, are alive, where that is assumed; else all."""
        depths = [int(values["ell"]) for values in instance.readouts]
        if not self.alive:
            return np.ones((trajectory.replicas, len(depths)), dtype=bool)
        living = trajectory.values[_ALIVE] != 0
        return np.stack([living[:, : at + 1].all(axis=1) for at in depths], axis=1)

    @property
    def mortal(self) -> bool:
        """Whether a sample that is not 0 may become 0 with positive probability: through ReLU, or
        weights whose law has atoms.
        """
        layers = self.chain.example.layers
        return any(
            isinstance(layer, Activation) and ACTIVATIONS[layer.name].vanishes for layer in layers
        ) or any(isinstance(layer, WeightLayer) and LAWS[layer.law].atoms for layer in layers)

    @property
    def alive(self) -> bool:
        """Whether the mean is taken over paths on which no sample dies."""
        return any(o.name == _ALIVE for o in self.observables[1:])

    def sample(self, statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
        """(replicas, readouts): the quantity, or whether the event happened, at each depth; NaN where undefined."""
        columns = []
        for values in instance.readouts:
            at = int(values["ell"])
            if self.event is None:
                columns.append(trajectory.values[self.observables[0].name][:, at])
                continue
            given = dict(values) | {
                o.name: trajectory.values[o.name][:, at] for o in self.observables
            }
            with np.errstate(all="ignore"):
                left, right, *wanted = (
                    compiled(side, arguments_of(side)).floats(
                        *(given[str(s)] for s in arguments_of(side))
                    )
                    for side in (
                        self.event.lhs,
                        self.event.rhs,
                        *(c.relation.lhs for c in self.event.conditions),
                    )
                )
            happened = np.where(
                np.isnan(left) | np.isnan(right),
                np.nan,
                _COMPARED[self.event.relation](left, right),
            )
            for condition, value in zip(self.event.conditions, wanted, strict=True):
                happened = np.where(
                    _COMPARED[condition.relation.rel_op](value, 0), happened, np.nan
                )
            columns.append(np.broadcast_to(happened, trajectory.replicas).astype(np.float64))
        found = np.stack(columns, axis=1)
        low, high = instance.support
        if (outside := found[(found < low) | (found > high)]).size:
            raise ClaimError(
                f"{self.observables[0].name} came out as {outside[0]:.6g}, outside the range "
                f"[{low:.6g}, {high:.6g}] that it is declared with; correct its floor or ceiling"
            )
        return found


def sampling_check(design: Design, resolution: float) -> Expectation:
    """Confidence sequences over the lay-out."""
    return Expectation(
        design.instances,
        design.sample,
        design.observables,
        resolution=resolution,
        normals=NORMALS,
        scope=design.scope,
        kept=design.kept if design.alive else None,
        last=lambda instance: [int(values["ell"]) for values in instance.readouts],
    )


def exponent_check(design: Design, slope: sp.Symbol, statement: Statement) -> Scaling:
    """An interval for the exponent over five widths of the domain, from the first start of the lay-out.

    Raises :class:`ClaimError` for fewer than two widths.
    """
    low, high = (float(e) for e in next(x for x in design.space.domains if x.name == "d").ends({}))
    item = design.items(statement)[0]
    widths = sorted(
        {round(w) for w in np.geomspace(max(low, float(item["n"])), min(high, float(_WIDEST)), 5)}
    )
    if len(widths) < 2:
        raise ClaimError(f"a slope needs several widths; d has only {widths}")

    def instances(batch: Floats | None) -> list[Instance]:
        return (
            [design.instance({**item, "d": Fraction(w)}) for w in widths] if batch is None else []
        )

    def sample(trajectory: Trajectory) -> Floats:
        found: Floats = trajectory.values[design.observables[0].name][:, -1]
        return found[(trajectory.values[_ALIVE] != 0).all(axis=1)] if design.alive else found

    plain = design.instance(item).label.partition(", start ")[2]
    scope = f"from one start: n = {item['n']}, {plain}; ell = {item['ell']}"
    return Scaling(slope, instances, sample, design.observables, replicas=1000, scope=scope)


def _pair(domain: Any, most: int, least: int) -> list[int]:
    low, high = (int(e) for e in domain.ends({}))
    low = max(low, least)
    return sorted({min(low, max(high, least)), max(low, min(high, most))})


def _number(expression: sp.Expr, item: Item) -> float:
    names = arguments_of(expression)
    return float(compiled(expression, names).floats(*(float(item[str(s)]) for s in names)))


def _shortfall(relation: sp.core.relational.Relational, values: Mapping[str, float]) -> float:
    """By how much floats miss a relation, relatively; ``_FAR`` where a side is undefined."""
    left, right = (_number(side, values) for side in (relation.lhs, relation.rhs))
    gaps = {
        "<=": left - right,
        "<": left - right,
        ">=": right - left,
        ">": right - left,
        "==": abs(left - right),
    }
    gap = gaps.get(relation.rel_op, 0.0)
    return max(gap, 0.0) / (abs(left) + abs(right) + 1e-9) if math.isfinite(gap) else _FAR


def _spectra(n: int) -> dict[str, tuple[Fraction, ...]]:
    """The spectra of a lay-out."""
    return {name: spectrum for name, spectrum in corner_spectra(n).items() if name in _STARTS}


def _object(item: Item) -> Any:
    return item["start"] if "start" in item else item["spectrum"]


def _named(item: Item) -> dict[str, str]:
    """The start in words, by coordinate."""
    if "start" in item:
        return named(read_start(item["start"]))
    return {"spectrum": named(Start(tuple(item["spectrum"])))["spectrum"]}


_PLURALS = {
    "spectrum": "spectra",
    "basis": "bases",
    "samples": "samples",
    "scales": "scales",
    "rows": "rows",
}


def _family(name: str) -> str:
    """A name of a level; what was drawn goes by that."""
    return (
        "drawn"
        if name.startswith(("(", "×(")) or " mirror" in name or " copied, " in name
        else name
    )


def _first(items: Iterator[Item], most: int) -> list[Item]:
    return [item for item, _ in zip(items, range(most), strict=False)]
