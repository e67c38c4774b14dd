"""What a claim about random weights is sampled on: starts, widths, depths, chain parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain, islice, product
from typing import Any, TypeAlias

import flint
import numpy as np
import sympy as sp
from numpy.typing import NDArray
from sympy.core.relational import Relational

from simulators import Chain, Trajectory
from simulators.batches import spectrum_batch
from simulators.chains import NamedChain
from simulators.engines.factor import other_weights
from simulators.exact import Number
from simulators.first_tangents import Forward
from simulators.last_gradient import Backward
from simulators.layers import (
    Activation,
    Bias,
    Linear,
    Normalize,
    Recenter,
    Rescale,
    Residual,
    RMSNorm,
    ScaleResponse,
    WeightLayer,
)
from simulators.observables import Observable
from simulators.shared_weights import engine_of_all
from simulators.starts import Start, corner_axes, named
from simulators.strategies import corner_spectra
from simulators.weights import law_of
from theorems.checking.ascent import evolve
from theorems.checking.confidence_sequence import Estimator
from theorems.checking.drawn_networks import OTHER, Gradients, StartingTangents
from theorems.checking.expectation import Expectation, Floats, Instance
from theorems.checking.lost_samples import Known
from theorems.checking.pointwise import admitted
from theorems.checking.scaling import Scaling
from theorems.definedness import Condition
from theorems.expressions import arguments_of
from theorems.float_intervals import Interval
from theorems.statement import Statement
from theorems.workbench.domains import Domain, floats_at
from theorems.workbench.estimands import Estimand
from theorems.workbench.gram_paths import leaves_samples
from theorems.workbench.parsing import ClaimError, Relation, refuse
from theorems.workbench.quantities import Quantity, quantity
from theorems.workbench.spaces import Item, Space
from theorems.workbench.starts import (
    StartLevels,
    covering_array,
    gram_of,
    is_batch,
    read_start,
    shown_batch,
    shown_start,
    start_levels,
)

__all__ = ["Design", "ends_within", "exponent_check", "kills", "sampling_check"]

_Points: TypeAlias = NDArray[np.float64]

#: Ranges of sampled quantities are widened by this, relatively: float64 may overshoot them.
ROUNDING = 1e-9
#: And by this where the floor is that of nonnegative H, which floats do not keep exactly.
_BELOW = 1e-12
#: Random numbers one start, width and depth may use.
NORMALS = 150_000_000
#: Sizes at which a claim without an upper end is sampled; the mean-field limit and the search go
#: further.
_WIDEST, _LARGEST, _DEEPEST = 2048, 16, 64
_STARTS = ("uniform", "one small", "dominant", "distinct", "repeated", "singular")
_ALIVE = "alive"
#: Corners of a chain parameter that a lay-out deals out, at most.
_OPTIONS = 5
#: Where assumptions leave fewer starts of one size, so many are looked for; this often, at random
#: and by evolution.
_FEW, _DRAWS, _GENERATIONS, _MEMBERS = 4, 100, 40, 24
#: Networks for a rough estimate of the mean of a quantity, and of what sees more of its law.
_PILOTS, _MORE_PILOTS = 24, 400
#: Parts of these by which their noise is measured.
_PARTS = 8
_ENDS = ("low", "high")
#: Marks an instance that is read beside another.
_BESIDE = "beside"
#: What means from every start over some layers say of what comes after: the mean over as many
#: layers, some layers deeper, is the mean of these over the law of the layer that far down, and the
#: mean under a stationary law is that over this law.
_FOREVER = (
    "the means over these layers lie there from these starts; where they do from every start that "
    "the chain comes to, those over deeper layers and under every stationary law do"
)
#: Layers that a rate is read of, at most.
_LAYERS = 9
#: Floats leave an assumption open within this; what is undefined misses it by so much.
_NEAR, _FAR = 1e-6, 10.0
#: Plurals of the coordinates of a start.
_PLURALS = {
    "spectrum": "spectra",
    "basis": "bases",
    "samples": "samples",
    "scales": "scales",
    "rows": "rows",
}


@dataclass(frozen=True)
class Design:
    """A chain, what is read at layer ell, and the starts and sizes the claim ranges over.

    - ``space``: its items hold n, d, ell, chain parameters and the start: a spectrum put on the
      diagonal where chain and quantities see no more than that, else a whole ``start``
    - ``estimand``: what the claim compares with a bound; ``quantity``: that whose mean it is, None
      where it is anything else
    - ``observables``: what is simulated: the quantity or those of the estimand, then ``alive``
      where the law is that of paths on which no sample dies
    - ``settings``: constants that the author declared
    - ``backward``: what the gradient at layer ell is, where gradients are read; ``tangents``: what
      the tangent at the batch is, where tangents are
    - ``other``: a second chain, from the same starts on the same weights
    - ``neighbour``: what the false neighbour compares, where that is another number of the same
      readings

    The lay-out is the full product of lowest and highest n and d with the corner spectra in the
    first case. In the second it is a covering array over n, d, spectrum, eigenbasis, signs and
    copies, scales and chain parameters: every pair of levels of two of them is there (for pairs
    that the assumptions allow), in some 30 instances instead of some thousand. All depths are read
    off one simulation. The error budget is split over every readout there is.

    Of every method, ``statement`` is the claim or its false neighbour, ``item`` an input of the
    ``space``, ``instance`` what is simulated of one, ``trajectory`` such a simulation, and
    ``values`` a number for every symbol at a readout.

    Example:
        >>> from theorems import conjecture
        >>> claim = conjecture("orthogonality_gap <= 1/2", chain="rescale", n=2, d=64, ell=4)
        >>> claim.design.chain.name, claim.design.space.about, claim.design.mortal
        ('rescale', 'spectrum', False)
    """

    chain: NamedChain
    space: Space
    quantity: Quantity | None
    estimand: Estimand
    observables: tuple[Observable, ...] = ()
    settings: Mapping[str, Fraction] = field(default_factory=dict)
    backward: Backward | None = None
    tangents: Forward | None = None
    other: NamedChain | None = None
    neighbour: Estimand | None = None
    _layouts: dict[object, list[Item]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    # --- what both chains are, where there are two ------------------------------------------------

    @property
    def chains(self) -> tuple[NamedChain, ...]:
        """The chain, and the other one after it where there is one."""
        return (self.chain,) if self.other is None else (self.chain, self.other)

    @property
    def square(self) -> bool:
        """Whether a start has as many rows as the chain is wide; see `NamedChain.square`."""
        return any(chain.square for chain in self.chains)

    @property
    def tall(self) -> bool:
        """Whether starts are laid out with as many rows as the chain is wide: also for gradients
        and tangents, of which a batch of n rows shows a part that no layer in the midst of a
        network has.
        """
        return self.square or self.derived

    @property
    def derived(self) -> bool:
        """Whether gradients or tangents are read."""
        return self.backward is not None or self.tangents is not None

    @property
    def recentres(self) -> bool:
        """Whether some layer of a chain subtracts the batch mean: equal samples leave none."""
        return any(chain.recentres for chain in self.chains)

    # --- one input --------------------------------------------------------------------------------

    def start(self, item: Item) -> Floats:
        """The (d0, n) batch of an item.

        d0 is d for a chain without a first layer of its own, and where gradients or tangents are
        read; else n, or m times as many where its rows are stacked m times. Of these the scale of a
        batch counts: entries are then of mean square 1, where no sample is rescaled.
        """
        size, width = int(item["n"]), int(item["d"])
        if "start" in item:
            start = read_start(item["start"])
            found = start.batch(width if self.tall else size * start.repeats)
        else:
            found = spectrum_batch(item["spectrum"], width if self.tall else size)
        return math.sqrt(size * width) * found if self.derived else found

    def completed(self, item: Item) -> Item:
        """An item with its start in full; one of an earlier version gives its spectrum alone.

        It then stood for the diagonal basis under the chains rescale, residual and vanilla, and for
        the basis that begins with the mean direction under any other.
        """
        if not self.space.whole or "spectrum" not in item:
            return item
        diagonal = self.chain.name in ("rescale", "residual", "vanilla")
        axes = corner_axes(len(item["spectrum"])).get("diagonal" if diagonal else "mean first", ())
        rest = {k: v for k, v in item.items() if k != "spectrum"}
        return rest | {"start": shown_start(Start(tuple(item["spectrum"]), axes))}

    def instance(
        self, item: Item, depths: Sequence[int] = (), batch: Floats | None = None
    ) -> Instance:
        """What is simulated of an item, with a readout at each depth.

        - ``depths``: the item's own by default
        - ``batch``: the user's, in the place of the start
        """
        numbers = self.numbers(item)
        readouts = tuple(numbers | {"ell": float(at)} for at in depths or (int(item["ell"]),))
        settings = {k: float(v) for k, v in self.settings.items()} | numbers
        start, names = batch, {}
        if start is None:
            start, names = self.start(item), _named(item)
            words = [
                text if part == "spectrum" else f"{part} {text}" for part, text in names.items()
            ]
            shown = [f"{x.name}={item[x.name]}" for x in self.space.domains if x.name != "ell"]
            label = f"{', '.join(shown)}, start {', '.join(words)}"
        else:
            label = f"batch {start.shape[0]}×{start.shape[1]}, d={item['d']}"
        width, depth = int(item["d"]), int(max(r["ell"] for r in readouts))
        own = self.chain(width, settings)
        other = None if self.other is None else self.other(width, settings)
        gradients = self._gradients(readouts)
        engine, tangents = "auto", None
        if self.tangents is not None:
            early = frozenset(q.name for q in self.quantities if q.at_batch and q.tangent)
            tangents = StartingTangents(self.tangents, early)
        if self.derived or other is not None:
            pair = (own,) if other is None else (own, other)
            engine = self._engine(pair, (start.shape[0], start.shape[1]))
        elif other_weights(own) is not None:
            engine = "dense"  # as auto would, and counted so
        return Instance(
            label,
            own,
            start,
            depth,
            readouts,
            self.support(item),
            {"start": names},
            gradients,
            other,
            engine,
            tangents=tangents,
        )

    def _gradients(self, readouts: Sequence[Mapping[str, float]]) -> Gradients | None:
        """Those that are read, in networks of as many layers as a readout looks at."""
        if self.backward is None:
            return None
        depths = sorted(set(chain.from_iterable(map(self.layers, readouts))))
        at_batch = frozenset(q.name for q in self.quantities if q.at_batch and q.backward)
        return Gradients(self.backward, tuple(depths), at_batch)

    def _engine(self, chains: Sequence[Chain], shape: tuple[int, int]) -> str:
        """What runs the chains. Where it counts how two networks of one draw go together, that is
        by the weights themselves.
        """
        theirs = {q.symbol for q in self.quantities if q.of_other}
        ours = {q.symbol for q in self.quantities if not q.of_other}
        apart = all(statistic.apart(ours, theirs) for statistic in self.estimand.statistics)
        jointly = self.other is not None and (self.alive or not apart)
        along = int(self.tangents is not None)
        return engine_of_all(chains, self.observables, shape, jointly=jointly, tangents=along)

    def support(self, item: Item) -> tuple[float, float]:
        """The range of what a claim compares with its bound: of the quantity, or of the estimand.

        - ``item``: gives n and d

        Returns floor and ceiling, moved apart by what float64 may overshoot them.
        """
        if self.quantity is not None:
            return _range(self.quantities[0], item)
        return self.ends(self.numbers(item))

    def ends(
        self, values: Mapping[str, float], estimand: Estimand | None = None
    ) -> tuple[float, float]:
        """The range of what a claim compares with its bound at a readout, moved apart as by
        `support`.

        Args:
            values: of every symbol at the readout.
            estimand: what is compared, of the same readings; that of the claim by default.

        Returns:
            Floor and ceiling, infinite where there is none.
        """
        return (estimand or self.estimand).range(self.reach(values))

    @property
    def event(self) -> Relation | None:
        """What the claim gives the probability of; None where it is about any other number of a
        law.

        Example:
            >>> from theorems import conjecture
            >>> sizes = dict(chain="rescale", n=2, d=64, ell=4)
            >>> claim = conjecture("probability(cosine >= 1/2) <= 1/3", **sizes)
            >>> str(claim.design.event)
            'cosine >= 1/2'
        """
        alone = self.estimand.alone
        if alone is None or not isinstance(alone.of, Relational):
            return None
        return Relation(alone.of.lhs, alone.of.rel_op, alone.of.rhs, alone.conditions)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What is read of layer ell, in the order of ``observables`` and in the range that the
        chain leaves.

        After ReLU, for one, samples are nonnegative, and so are cosines.
        """
        known = (quantity(o.name) for o in self.observables)
        ours, theirs = (each.example.nonnegative for each in (self.chains[0], self.chains[-1]))
        return tuple(replace(q, nonnegative=theirs if q.of_other else ours) for q in known)

    def reach(self, values: Mapping[str, float]) -> dict[str, Interval | float]:
        """The values, and the range of every quantity of layer ell.

        - ``values``: of every symbol, by name
        """
        return {**values, **{q.name: Interval(*_range(q, values)) for q in self.quantities}}

    def numbers(self, item: Item) -> dict[str, float]:
        """Every symbol and quantity of the start in floats.

        Args:
            item: an input of the ``space``: exact values of n, d, ell, chain parameters and the
                start.

        Returns:
            A float for each name, eigenvalues left out.
        """
        values = self.space.values(item)
        return {name: float(value) for name, value in values.items() if name != "lambda"}

    def bound(self, statement: Statement, values: Mapping[str, float]) -> float:
        """The right side at one readout; NaN or infinite where floats give no number.

        - ``values``: of every symbol, and of quantities of the start, by name

        Raises ``ValueError`` for values outside their domains.
        """
        names = {v.name for v in statement.variables}
        names |= {str(s) for s in statement.rhs.free_symbols}
        with np.errstate(all="ignore"):
            return float(statement.bound(**{k: v for k, v in values.items() if k in names}))

    # --- the lay-out ------------------------------------------------------------------------------

    def items(self, statement: Statement) -> list[Item]:
        """The lay-out, at the greatest depth: see the class.

        Where assumptions leave few starts, more are drawn. Made once for the same assumptions, as
        claim and sentinel, pilot, check and search all ask for it.
        """
        asked = statement.assumptions, tuple(statement.definitions.items()), flint.ctx.prec
        if asked not in self._layouts:
            self._layouts[asked] = self._laid_out(statement)
        return list(self._layouts[asked])

    def _laid_out(self, statement: Statement) -> list[Item]:
        most = int(self.space.domain("n").ends({})[1])
        least = max(min(2, most), *(q.samples for q in self.quantities))
        ell = Fraction(self.deepest)
        d = self.space.domain("d")
        batches = ends_within(self.space.domain("n"), _LARGEST, least)
        sizes = [(n, ends_within(d, _WIDEST, n)) for n in batches]
        found: list[Item] = []
        if self.space.whole:
            found = self._covering(statement, sizes, ell)
        else:
            for n, widths in sizes:
                for width, spectrum in product(widths, _spectra(n).values()):
                    item = {"n": Fraction(n), "d": Fraction(width), "ell": ell}
                    levels = [len(found)] * len(self.space.parameters)
                    found.append(self.parametrised(item, levels) | {"spectrum": spectrum})
            found = [x for x in found if self.allows(statement, x)]
        if not self.space.started:
            return found
        for n, widths in sizes:
            there = len({str(x[self.space.about]) for x in found if x["n"] == n})
            if there < _FEW:  # more are drawn, at the smallest width
                found += self._admitted(statement, *self._points(n, widths, ell), _FEW - there)
        return found or self._evolved(statement, *sizes[0], ell)

    def parametrised(self, item: Item, levels: Sequence[int]) -> dict[str, Number]:
        """The item with chain parameters at corners of their domains.

        - ``levels``: which corner of each parameter, counted round
        """
        found = dict(item)
        for domain, level in zip(self.space.parameters, levels, strict=True):
            options = domain.corners(found)
            found[domain.name] = options[level % len(options)] if options else Fraction(0)
        return found

    def levels(
        self, n: int, widest: int, spectra: Mapping[str, tuple[Fraction, ...]]
    ) -> StartLevels:
        """The levels of a start for this chain.

        - ``n``: the batch size
        - ``widest``: so many rows fit at every width that is laid out
        - ``spectra``: n nonnegative numbers each, of sum 1
        """
        examples = [each.example for each in self.chains]
        repeats = {"as they are": 1}
        if any(example.sees_rows for example in examples) and widest // n > 1:
            repeats["stacked"] = widest // n
        bound = any(example.scaling is ScaleResponse.BOUND for example in examples)
        return start_levels(n, spectra, scaled=bound, repeats=repeats)

    def _covering(
        self, statement: Statement, sizes: list[tuple[int, list[int]]], ell: Fraction
    ) -> list[Item]:
        """Items that show every pair of levels of sizes, start and chain parameters."""
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
            start = shown_start(levels[row[0]].at(row[2:7]))
            return self.parametrised(place, row[7:]) | {"start": start}

        rows = covering_array(counts, lambda row: self._admits(statement, item(row)))
        return list({str(found): found for found in map(item, rows)}.values())

    def _points(
        self, n: int, widths: Sequence[int], ell: Fraction
    ) -> tuple[dict[str, Fraction], _Points]:
        """Sizes, and where starts of n samples are drawn from the cube."""
        sizes = {"n": Fraction(n), "d": Fraction(widths[0]), "ell": ell}
        return sizes, np.random.default_rng(n).random((_DRAWS, self.space.coordinates(sizes)))

    def _admitted(
        self, statement: Statement, sizes: Mapping[str, Fraction], points: _Points, most: int
    ) -> list[Item]:
        """The first items at these points that meet the assumptions."""
        items = (self.space.item(sizes, u) for u in points)
        return list(islice((item for item in items if self._admits(statement, item)), most))

    def _evolved(
        self, statement: Statement, n: int, widths: Sequence[int], ell: Fraction
    ) -> list[Item]:
        """Starts at which differential evolution on what is short of the assumptions meets them."""
        sizes, points = self._points(n, widths, ell)

        def score(given: _Points) -> _Points:
            return -np.array([self._short(statement, self.space.item(sizes, u)) for u in given])

        near = points[np.argsort(-score(points))[:_MEMBERS]]
        ends = evolve(score, points.shape[1], seed=n, generations=_GENERATIONS, initial=near)
        found = self._admitted(statement, sizes, ends, _FEW)
        return [{**item, "d": Fraction(d)} for item, d in product(found, widths)]

    # --- which inputs count -----------------------------------------------------------------------

    def _admits(self, statement: Statement, item: Item) -> bool:
        """As `allows`, which takes much longer for what floats show to be far off."""
        return self._short(statement, item) <= _NEAR and self.allows(statement, item)

    def _short(self, statement: Statement, item: Item) -> float:
        """By how much an item misses the assumptions, relatively and in floats."""
        values = {x.name: float(item[x.name]) for x in self.space.domains}
        of_start = {q.at_start for q in self.space.started}
        relations = [a.relation for a in statement.assumptions if a.along == "input"]
        early = sum(_shortfall(r, values) for r in relations if not r.free_symbols & of_start)
        late = [r for r in relations if r.free_symbols & of_start]
        if early > _NEAR or not late:
            return early
        start = self.start(item)
        for q in self.space.started:
            if start.shape[1] >= q.samples:
                value = q.observable.function(start, width=int(item["d"]))
                values[f"{q.name}_0"] = float(value)
        return early + sum(_shortfall(r, values) for r in late)

    def allows(self, statement: Statement, item: Item) -> bool:
        """Whether an item is in the domain, its quantities are defined, and it meets every
        assumption, exactly.
        """
        if not self.space.contains(item) or item["n"] > item["d"] or item["ell"] < 1:
            return False
        if (self.estimand.along or self.estimand.lasting) and item["ell"] != self.deepest:
            return False
        if self.space.whole:
            defined = self._defined(item)
        else:  # recentred samples that are equal leave none
            defined = not self.recentres or sum(x > 0 for x in item["spectrum"]) > 1
        return defined and admitted(statement, self.space.values(item)) is True

    def _defined(self, item: Item) -> bool:
        """Whether rows suffice, samples are left once recentred, and angles are of nonzero ones."""
        shown = item["start"]
        if self.tall and not is_batch(shown):
            start = read_start(shown)
            if start.size * start.repeats > int(item["d"]):
                return False
        gram = gram_of(shown)
        measured = self.quantities
        squares = [row[k] for k, row in enumerate(gram)]
        if any(q.samples > 1 for q in (*measured, *self.space.started)) and not all(squares):
            return False
        paired = any(q.samples > 1 for q in measured)
        return not self.recentres or leaves_samples(gram, recentres=True, paired=paired)

    def speaks(self, statement: Statement, item: Item) -> bool:
        """Whether an item is allowed, and a lower bound is above the least value there.

        An upper bound that says nothing speaks all the same: it is reported as vacuous.
        """
        if not self.allows(statement, item):
            return False
        if statement.relation not in (">=", ">"):
            return True  # an upper bound that says nothing is reported as vacuous
        other = self.neighbour
        if other is not None and statement.lhs == other.expression:
            least = self.ends(self.numbers(item), other)[0]
        else:
            least = self.support(item)[0]
        return _number(statement.rhs, self.space.values(item)) > least + 1e-12

    # --- what the check is given ------------------------------------------------------------------

    def instances(self, statement: Statement, batch: Floats | None) -> Iterable[Instance]:
        """The lay-out of the check, with readouts at the depths at which the claim speaks.

        - ``batch``: the user's, (d, n); where it fits the domain it takes the starts' place
        """
        depths = ends_within(self.space.domain("ell"), _DEEPEST, 1)
        if self.estimand.along or self.estimand.lasting:
            depths = [self.deepest]
        items = self.items(statement)
        if batch is not None:
            items = self._of_batch(statement, batch)
        for first, *others in self.groups(statement, items):
            kept = [k for k in depths if self.speaks(statement, {**first, "ell": Fraction(k)})]
            if kept or batch is not None:
                found = self.instance(first, kept, batch)
                yield self._side_by_side(found, [self.instance(each, kept) for each in others])

    def groups(self, statement: Statement, items: Sequence[Item]) -> list[list[Item]]:
        """Items whose networks are read side by side.

        Args:
            statement: the claim, whose assumptions every item must meet.
            items: inputs of the ``space``.

        Returns:
            All starts of a size together, where the claim is of what comes after any number of
            layers; one start at up to five values of what a slope is over; else each item by
            itself. Groups of one are left out of the first two.
        """
        over = self.estimand.over
        if not self.estimand.spans:
            return [[item] for item in items]
        found: dict[str, list[Item]] = {}
        for item in items:
            varied = self.space.about if over is None else over
            alike = found.setdefault(str({k: v for k, v in item.items() if k != varied}), [])
            if over is None or not alike:
                alike.append(item)
        if over is not None:
            found = {key: self._sizes(statement, alike[0], over) for key, alike in found.items()}
        return [alike for alike in found.values() if len(alike) > 1]

    def _sizes(self, statement: Statement, item: Item, over: str) -> list[Item]:
        """An item at up to five values of a size or of a parameter, in a geometric sequence."""
        low, high = (float(end) for end in self.space.domain(over).ends(item))
        if over == "d":
            low, high = max(low, float(item["n"])), min(high, float(_WIDEST))
        places = np.geomspace(low, high, 5) if 0 < low < high < math.inf else ()
        whole = over == "d"
        values = {round(x) if whole else Fraction(x).limit_denominator(10**6) for x in places}
        moved = [{**item, over: Fraction(value)} for value in sorted(values)]
        return [each for each in moved if self.allows(statement, each)]

    def _side_by_side(self, first: Instance, others: Sequence[Instance]) -> Instance:
        """An instance with others beside it, of which it is told by what is theirs in common."""
        if not others:
            return first
        beside = tuple(replace(one, data={**one.data, _BESIDE: True}) for one in others)
        over = self.estimand.over
        label = f"{first.label.partition(', start ')[0]}, from {1 + len(others)} starts"
        if over is not None:
            label = f"{first.label}, {over} up to {others[-1].readouts[0][over]:g}"
        return replace(first, label=label, beside=beside)

    def _of_batch(self, statement: Statement, batch: Floats) -> list[Item]:
        """One item for each width of the lay-out that a batch of this shape can have."""
        rows, size = batch.shape
        values = np.linalg.svd(batch / np.abs(batch).max(), compute_uv=False)[:size] ** 2
        shares = [Fraction(float(x)) for x in values]
        start: dict[str, Any] = {"spectrum": tuple(x / sum(shares) for x in shares)}
        if self.space.whole:
            start = {"start": shown_batch(batch) | start}
        found: dict[int, Item] = {}
        for item in self.items(statement):
            d = int(item["d"])
            moved = {**item, "n": Fraction(size), **start}
            fits = d not in found and (not self.square or rows == d)
            if fits and self.speaks(statement, moved):
                found[d] = moved
        return list(found.values())

    def scope(self, instances: Sequence[Instance]) -> str:
        """Over which starts, sizes and depths the instances speak, in words.

        - ``instances``: those that were sampled, as `instances` gives them

        Empty for those of a batch.
        """
        members = list(chain.from_iterable(i.bundle for i in instances))
        starts = [i.data["start"] for i in members]
        parts = []
        for part, plural in _PLURALS.items():
            names = list(dict.fromkeys(_family(start[part]) for start in starts if part in start))
            if names and part in ("samples", "scales", "rows"):
                names = ["as they are"] * any(part not in start for start in starts) + names
            if names:
                parts.append(f"{plural} {' / '.join(names)}")
        if not parts:
            return ""
        if not self.space.whole:
            parts.insert(1, "in one basis, as chain and quantity see no more than spectra")
        readouts = list(chain.from_iterable(i.readouts for i in members))
        for domain in self.space.domains:
            numbers = sorted({values[domain.name] for values in readouts})
            if domain.name == "ell" and self.estimand.lasting:
                numbers = list(map(float, self.layers(readouts[0])))
            parts.append(f"{domain.name} = {', '.join(f'{x:g}' for x in numbers)}")
        if self.estimand.lasting:
            parts.append(_FOREVER)
        return f"{len(members)} instances: " + "; ".join(parts)

    def kept(
        self, statement: Statement, trajectory: Trajectory, instance: Instance
    ) -> NDArray[np.bool_]:
        """Which paths count, up to each depth: those that are alive, where that is assumed.

        Returns booleans, (replicas, readouts).
        """
        depths = [int(values["ell"]) for values in instance.readouts]
        if not self.alive:
            return np.ones((trajectory.replicas, len(depths)), dtype=bool)
        living = np.all([trajectory.values[name] != 0 for name in self._living], axis=0)
        return np.stack([living[:, : at + 1].all(axis=1) for at in depths], axis=1)

    @property
    def mortal(self) -> bool:
        """Whether a sample that is not 0 may become 0 with positive probability: through ReLU, or
        weights whose law has atoms.
        """
        layers = list(chain.from_iterable(each.example.layers for each in self.chains))
        return any(
            isinstance(layer, Activation) and layer.entry.vanishes for layer in layers
        ) or any(isinstance(layer, WeightLayer) and law_of(layer.law).atoms for layer in layers)

    @property
    def fatal(self) -> Condition | None:
        """A condition of what is read that fails where a sample is dead, as samples are with
        positive probability; None where there is none, or only the living count.
        """
        if self.alive:
            return None
        dead = {
            f"{OTHER * (number > 0)}{_ALIVE}"
            for number, each in enumerate(self.chains)
            if kills(each.example)
        }
        for condition in chain.from_iterable(x.conditions for x in self.estimand.statistics):
            free = condition.relation.free_symbols
            if len(free) != 1 or not {str(symbol) for symbol in free} <= dead:
                continue
            if condition.relation.subs(dict.fromkeys(free, 0)) == sp.false:
                return condition
        return None

    @property
    def alive(self) -> bool:
        """Whether it is about paths on which no sample dies, as ``assume="alive"`` says."""
        return bool(self._living)

    @property
    def _living(self) -> list[str]:
        """The observables that say whether all samples are alive, where that is assumed."""
        names = (o.name for o in self.observables[1:])
        return [name for name in names if name in (_ALIVE, f"{OTHER}{_ALIVE}")]

    def sample(self, statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
        """What is read at each depth, (replicas, readouts); with a last axis for the places of an
        estimand that takes several.

        NaN where it is undefined, or rounding leaves open what it is. Raises `ClaimError` for a
        value outside the range of a quantity, which its author declared.
        """
        if self.quantity is not None:
            return np.stack([self._column(trajectory, 0, v) for v in instance.readouts], axis=1)
        known = self.known(statement, trajectory, instance)
        found = np.array(known.low)
        found[known.spoiled] = np.nan
        apart = known.high > known.low
        found[apart] = found[apart] / 2 + known.high[apart] / 2
        return found

    def _column(self, trajectory: Trajectory, place: int, values: Mapping[str, float]) -> Floats:
        """The values of an observable at a readout, within the range of the quantity."""
        name = self.observables[place].name
        found: Floats = trajectory.values[name][:, int(values["ell"])]
        low, high = _range(self.quantities[place], values)
        if (outside := found[(found < low - _BELOW) | (found > high)]).size:
            raise ClaimError(
                f"{name} came out as {outside[0]:.6g}, outside the range "
                f"[{low:.6g}, {high:.6g}] that it is declared with; correct its floor or ceiling"
            )
        return np.maximum(found, low)

    def known(self, statement: Statement, trajectory: Trajectory, instance: Instance) -> Known:
        """What is known of `sample`, once rounding is taken into account.

        A reading of which rounding leaves open whether it has a value is spoiled. Raises as
        `sample` does.
        """
        depths = [int(values["ell"]) for values in instance.readouts]
        if self.quantity is not None:
            found = self.sample(statement, trajectory, instance)
            return Known.at(trajectory, found, instance.support, depths)
        beside = _BESIDE in instance.data
        rows = [self._readings(trajectory, values, beside) for values in instance.readouts]
        low = np.stack([row.low for row in rows], axis=1)
        high = np.stack([row.high for row in rows], axis=1)
        return Known.between(low, high, np.stack([row.spoiled for row in rows], axis=1))

    @property
    def deepest(self) -> int:
        """The last layer that is laid out: the last of the domain up to 64, or its first."""
        return ends_within(self.space.domain("ell"), _DEEPEST, 1)[-1]

    def layers(self, values: Mapping[str, Any]) -> list[int]:
        """The layers that a readout reads: its own; of what takes many, up to nine from the least
        of the domain on.
        """
        last = int(values["ell"])
        if not (self.estimand.along or self.estimand.lasting):
            return [last]
        first = max(int(self.space.domain("ell").ends({})[0]), 1)
        return sorted({round(x) for x in np.linspace(first, last, _LAYERS)})

    def _readings(self, trajectory: Trajectory, values: Mapping[str, float], beside: bool) -> Known:
        """What each statistic reads at one readout, (replicas, places); ``beside`` another network
        those that span several.
        """
        layers = self.layers(values)
        spoiled = np.zeros(trajectory.replicas, dtype=bool)
        lows, highs, ends = [], [], []
        seen = {layer: self._seen(trajectory, {**values, "ell": layer}) for layer in layers}
        for statistic in self.estimand.statistics:
            if beside and not statistic.spans:
                continue
            read = []
            for layer in layers if statistic.along or statistic.lasting else layers[-1:]:
                least, greatest = statistic.reach(self.reach({**values, "ell": layer}))
                given, lost = seen[layer]
                reading, open_ = statistic.known(given)
                read.append(reading.within(least, greatest))
                ends.append((least, greatest))
                spoiled = spoiled | lost | open_
            if statistic.lasting:  # the mean over the layers, in the range that each has
                ends = ends[: -len(read) + 1] if len(read) > 1 else ends
                total = sum(read[1:], start=read[0])
                read = [(total / float(len(read))).within(*ends[-1])]
            lows += [np.broadcast_to(each.low, spoiled.shape) for each in read]
            highs += [np.broadcast_to(each.high, spoiled.shape) for each in read]
        low, high = np.stack(lows, axis=1), np.stack(highs, axis=1)
        low[spoiled], high[spoiled] = zip(*ends, strict=True)
        if len(ends) == 1 and self.estimand.alone is not None:
            low, high = low[:, 0], high[:, 0]
        return Known.between(low, high, spoiled)

    def _seen(
        self, trajectory: Trajectory, values: Mapping[str, float]
    ) -> tuple[dict[str, Interval | float], NDArray[np.bool_]]:
        """Every symbol, and what each quantity is known to lie in at a layer; and what is
        spoiled.
        """
        found: dict[str, Interval | float] = dict(values)
        spoiled = np.zeros(trajectory.replicas, dtype=bool)
        for place, one in enumerate(self.quantities):
            column = self._column(trajectory, place, values)[:, None]
            known = Known.at(trajectory, column, _range(one, values), [int(values["ell"])])
            found[one.name] = Interval(known.low[:, 0], known.high[:, 0])
            spoiled = spoiled | known.spoiled[:, 0]
        return found, spoiled

    def estimand_of(self, side: sp.Expr) -> Estimand:
        """What a left side compares: that of the claim, or of its false neighbour.

        Args:
            side: the left side of one of them.

        Returns:
            ``neighbour`` for its own expression, ``estimand`` for any other.
        """
        other = self.neighbour
        return other if other is not None and side == other.expression else self.estimand

    def joined(
        self, statement: Statement, runs: Sequence[Trajectory], instance: Instance
    ) -> NDArray[np.float64]:
        """What `sample` reads of networks side by side.

        Args:
            statement: the claim.
            runs: a simulation for each of the instance's ``bundle``, in its order, of as many
                replicas.
            instance: what was simulated.

        Returns:
            Shape (replicas, readouts) as of `sample`, where there is one network alone; else with a
            last axis, in which the places of each network follow those of the one before.

        Raises:
            ClaimError: as `sample`.
        """
        read = [
            self.sample(statement, run, one) for run, one in zip(runs, instance.bundle, strict=True)
        ]
        if len(read) == 1:
            return np.asarray(read[0], dtype=np.float64)
        return np.concatenate([each.reshape(*each.shape[:2], -1) for each in read], axis=2)

    def _members(
        self, instance: Instance, values: Mapping[str, float]
    ) -> list[Mapping[str, float]]:
        """The values of each network that is read side by side at a readout."""
        if not self.estimand.spans:
            return []
        places = zip(*(one.readouts for one in instance.bundle), strict=True)
        return list(next(each for each in places if each[0]["ell"] == values["ell"]))

    def estimate(
        self,
        samples: NDArray[np.float64],
        values: Mapping[str, float],
        estimand: Estimand,
        instance: Instance,
        toward: int = 0,
    ) -> float:
        """What an estimand of these readings would be if these samples were all there are.

        - ``samples``: (networks,) or (networks, places), as `sample` gives them at a readout, one
          at least, none NaN
        - ``values``: of the readout, which is one of the ``instance``
        - ``toward``: which of what starts leave open, as `Estimand.rough` takes it
        """
        members = self._members(instance, values)
        return estimand.rough(values, samples, self.layers(values), members, toward)

    def standard_error(
        self,
        samples: NDArray[np.float64],
        values: Mapping[str, float],
        estimand: Estimand,
        instance: Instance,
    ) -> float:
        """By how much `estimate`, of the same arguments, may be off, as parts of it differ.

        Two samples at least; infinite where some parts have none.
        """
        blocks = np.array_split(samples, min(_PARTS, len(samples)))
        parts = [self.estimate(each, values, estimand, instance) for each in blocks]
        error = float(np.std(parts)) / math.sqrt(max(len(parts) - 1, 1))
        return error if math.isfinite(error) else math.inf

    @property
    def pilots(self) -> int:
        """Networks for a rough estimate: 24, and 400 where the estimand `sees_more` of a law than a
        mean.
        """
        return _MORE_PILOTS if self.sees_more else _PILOTS

    @property
    def sees_more(self) -> bool:
        """Whether the estimand sees more of a law than the mean of a quantity, or a probability."""
        return self.quantity is None and self.event is None

    def beside(self, neighbour: Estimand) -> Design:
        """The same design, with what the false neighbour of the claim compares.

        Args:
            neighbour: a number of the same readings.

        Returns:
            A design that shares the lay-outs already made.
        """
        found = replace(self, neighbour=neighbour)
        found._layouts.update(self._layouts)
        return found

    def estimator(
        self,
        side: sp.Expr,
        instance: Instance,
        values: Mapping[str, float],
        level: float,
        aim: float | None,
    ) -> Estimator:
        """A confidence sequence for what a left side says at a readout.

        Args:
            side: the left side of the claim, or of its false neighbour.
            instance: what is simulated.
            values: of every symbol at the readout, which is one of the instance.
            level: error probability, inside (0, 1).
            aim: near which the interval must be sharp; None lets the first samples say where.

        Returns:
            One that takes what `known` gives at the readout; of several networks, side by side.

        Raises:
            ClaimError: for a statistic that samples bound on no side.
        """
        estimand = self.estimand_of(side)
        members = [self.reach(each) for each in self._members(instance, values)]
        return estimand.estimator(self.reach(values), level, aim, self.layers(values), members)


#: Layers after which all units of a sample may still be negative at once, or of either sign.
_LEAVE_SIGNS = (Recenter, Rescale, Normalize, RMSNorm, Bias)
#: Layers under which a sample that is 0 stays so.
_KEEP_ZERO = (Linear, Residual, Rescale, Normalize, RMSNorm)


def kills(block: Chain) -> bool:
    """Whether a block makes a sample 0 with positive probability, whatever its width: by Gaussian
    weights, which make all its units negative at once, and ReLU after them.

    False where it is not known.

    Example:
        >>> from simulators import batchnorm_chain, vanilla_chain
        >>> [kills(block) for block in (vanilla_chain(8, "relu"), batchnorm_chain(8, "tanh"))]
        [True, False]
    """
    negative = dead = False
    for layer in block.layers:
        if isinstance(layer, Linear | Residual):
            negative = layer.law == "gaussian"
        elif isinstance(layer, Activation):
            relu = layer.entry.vanishes and layer.entry.homogeneous and layer.entry.nonnegative
            dead, negative = relu and (negative or dead), False
            continue
        elif not isinstance(layer, _LEAVE_SIGNS):
            negative = False
        dead = dead and isinstance(layer, _KEEP_ZERO)
    return dead


def sampling_check(design: Design, resolution: float) -> Expectation:
    """Confidence sequences over the lay-out.

    - ``resolution``: the half-width, relative to the bound, at which sampling stops
    """
    plain = design.quantity is not None and design.neighbour is None
    return Expectation(
        design.instances,
        design.sample,
        design.observables,
        resolution=resolution,
        normals=NORMALS,
        scope=design.scope,
        kept=design.kept if design.alive else None,
        last=lambda instance: [int(values["ell"]) for values in instance.readouts],
        known=None if plain else design.known,
        estimator=None if plain else design.estimator,
        noun=design.estimand.noun,
        shares=True,
        follows_batch=not design.estimand.spans,
    )


def exponent_check(design: Design, slope: sp.Symbol, statement: Statement) -> Scaling:
    """An interval for the exponent over five widths of the domain, from the first start laid out.

    - ``slope``: the symbol that stands for the exponent

    Raises `ClaimError` for fewer than two widths.
    """
    low, high = (float(e) for e in design.space.domain("d").ends({}))
    item = design.items(statement)[0]
    between = np.geomspace(max(low, float(item["n"])), min(high, float(_WIDEST)), 5)
    widths = sorted({round(w) for w in between})
    refuse((len(widths) < 2, f"a slope needs several widths; d has only {widths}"))

    def instances(batch: Floats | None) -> list[Instance]:
        if batch is not None:
            return []
        return [design.instance({**item, "d": Fraction(w)}) for w in widths]

    def sample(trajectory: Trajectory) -> Floats:
        found: Floats = trajectory.values[design.observables[0].name][:, -1]
        return found[(trajectory.values[_ALIVE] != 0).all(axis=1)] if design.alive else found

    plain = design.instance(item).label.partition(", start ")[2]
    scope = f"from one start: n = {item['n']}, {plain}; ell = {item['ell']}"
    return Scaling(slope, instances, sample, design.observables, replicas=1000, scope=scope)


def ends_within(domain: Domain, most: int, least: int) -> list[int]:
    """The ends of a domain of whole numbers, ascending; one number where they meet.

    - ``most``, ``least``: what is beyond them is left out, as far as the domain allows

    Example:
        >>> ends_within(Domain(sp.Symbol("n"), sp.Range(1, 65)), 16, 2)
        [2, 16]
    """
    low, high = (int(e) for e in domain.ends({}))
    low = max(low, least)
    return sorted({min(low, max(high, least)), max(low, min(high, most))})


def _range(measured: Quantity, values: Mapping[str, Any]) -> tuple[float, float]:
    """Floor and ceiling of a quantity, moved apart by what float64 may overshoot them.

    - ``values``: numbers, of n and d among others
    """
    low = -math.inf if measured.floor == -sp.oo else _number(measured.floor, values)
    high = math.inf if measured.ceiling == sp.oo else _number(measured.ceiling, values)
    if measured.floor != replace(measured, nonnegative=False).floor:
        low -= _BELOW  # an engine that carries a factor of HᵀH forms sums of both signs
    return low - ROUNDING * abs(low), high + ROUNDING * abs(high) + 1e-12


def _number(expression: sp.Expr, item: Item) -> float:
    values = {str(s): float(item[str(s)]) for s in arguments_of(expression)}
    return float(floats_at(expression, values))


def _shortfall(relation: Relational, values: Mapping[str, float]) -> float:
    """By how much floats miss a relation, relatively; ``_FAR`` where a side is undefined."""
    left, right = (float(floats_at(side, values)) for side in (relation.lhs, relation.rhs))
    upper, lower = left - right, right - left
    gaps = {"<=": upper, "<": upper, ">=": lower, ">": lower, "==": abs(upper)}
    gap = gaps.get(relation.rel_op, 0.0)
    return max(gap, 0.0) / (abs(left) + abs(right) + 1e-9) if math.isfinite(gap) else _FAR


def _spectra(n: int) -> dict[str, tuple[Fraction, ...]]:
    """The spectra of a lay-out."""
    return {name: spectrum for name, spectrum in corner_spectra(n).items() if name in _STARTS}


def _named(item: Item) -> dict[str, str]:
    """The start in words, by coordinate."""
    if "start" in item:
        return named(read_start(item["start"]))
    return {"spectrum": named(Start(tuple(item["spectrum"])))["spectrum"]}


def _family(name: str) -> str:
    """A name of a level; what was drawn goes by that."""
    drawn = name.startswith(("(", "×(")) or " mirror" in name or " copied, " in name
    return "drawn" if drawn else name
