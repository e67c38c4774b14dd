"""Claims about expectations, and other numbers of a law, decided by anytime-valid confidence
sequences on simulated replicas.

A check lays out instances (a start, a chain, a depth) with one or more readouts each. Every readout
is one claim about a bounded mean; sampling stops when its verdict is clear and its interval narrow
enough, or at the stated limit. The false neighbour is judged on the same samples, and each has an
equal part of the error level, as has how often a path assumption is met, where there is one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain as chained
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp

from simulators import Chain, Trajectory
from simulators.layers import WeightLayer
from simulators.observables import Observable
from simulators.weights import law_of
from theorems.checking.check import Floats, SampledCheck, SampledRows
from theorems.checking.confidence_sequence import (
    BoundedMean,
    Estimator,
    decide_at_least,
    decide_at_most,
    decide_equal,
    equal_within,
)
from theorems.checking.drawn_networks import Gradients, Networks, StartingTangents
from theorems.checking.lost_samples import (
    Known,
    spoiled_words,
    undefined_words,
    without_value,
)
from theorems.context import Context
from theorems.evidence import Details, Evidence, Verdict, beside, combine, typed
from theorems.expressions import compiled
from theorems.number_systems import ORDER
from theorems.statement import Statement

__all__ = ["Expectation", "Floats", "Instance", "MeanRow", "at_layer", "event"]

Bools = npt.NDArray[np.bool_]
#: How often it is reckoned what open means still need, and how many times the replicas of an
#: instance may then be spent on it; by how much more than is reckoned.
_ROUNDS, _MOST, _MORE = 3, 10, 1.25
#: So many times its first draws are looked at of every instance, before more is of any.
_LOOK = 32
#: Draws after which a number is given up if its estimate has never left its bound, and a condition
#: that not one replica in so many meets.
_GIVEN_UP, _RAREST = 4096, 1000
#: Where no more is drawn than is needed: how many random numbers a stage costs beyond which the
#: next draws a quarter as much and not as much again, how many the first costs, and how many
#: replicas it draws at least.
_DEAR, _DEAR_AT_FIRST, _FEWEST = 1_000_000, 200_000_000, 8
#: As how many numbers one counts that a quantile function gives, of a Student law as of others.
_QUANTILE_COST = 8
#: Why no more is drawn of a number that is open.
_RARELY = "hardly a replica meets the condition"
_SPOILED = "spoiled samples leave it open"
_HELD = "within rounding the estimate stays on the bound"


@dataclass(frozen=True)
class Instance:
    """One start for one chain. ``readouts`` holds the symbol values of each claim read off it.

    - ``label``: its name in the evidence; the stream of random numbers is of the label
    - ``start``: (d₀, n), one sample a column; ``depth``: blocks of the chain
    - ``readouts``: for each mean that is claimed of it, a number for every variable of the
      statement
    - ``support``: the least and the largest value that one sample can take, which must be true
    - ``data``: whatever the function that samples wants to know of it
    - ``beside``: others of as many readouts, whose networks are read beside each of this, in places
      of their own
    - ``gradients``, ``tangents``: which of these are read, if any; ``other``: a second chain from
      the same start on the same weights; ``engine``: what runs them

    Example:
        >>> from simulators import rescale_chain
        >>> claimed = ({"n": 2, "d": 8},)
        >>> one = Instance("n=2", rescale_chain(8), np.eye(4, 2), 10, claimed, (0.0, 1.0))
        >>> one.width, one.normals
        (8, 160)
    """

    label: str
    chain: Chain
    start: Floats  # (d0, n)
    depth: int
    readouts: tuple[Mapping[str, float], ...]
    support: tuple[float, float]  # range of the sampled quantity
    data: Mapping[str, Any] = field(default_factory=dict)
    gradients: Gradients | None = None
    other: Chain | None = None
    engine: str = "auto"
    beside: tuple[Instance, ...] = ()
    tangents: StartingTangents | None = None

    @property
    def bundle(self) -> tuple[Instance, ...]:
        """This instance, and those whose networks are read beside it, in that order."""
        return (self, *self.beside)

    @property
    def networks(self) -> Networks:
        """The networks that are simulated of this instance alone, without those ``beside`` it."""
        given = self.gradients, self.other, self.engine
        return Networks(self.chain, self.start, self.depth, *given, tangents=self.tangents)

    @property
    def width(self) -> int:
        """The number of rows after the last layer of a block, from this start on: of a chain
        without weight layers as many as the start has.
        """
        return int(self.chain.widths(self.start.shape[0])[-1])

    @property
    def normals(self) -> int:
        """Random numbers one replica costs in the exact-in-law engine: width · samples · depth; in
        the engine dense width · width · depth. Gradients cost as much again, at each depth, and a
        tangent as much as the samples do; an entry that a quantile function gives counts as
        several.
        """
        inputs = 0
        if self.engine == "dense":
            inputs = min(self.start.shape[0], self.width) if self.depth == 1 else self.width
        columns = int(self.start.shape[1]) * (1 if self.tangents is None else 2)
        each = self.width * max(columns, inputs)
        if any(_by_quantile(layer) for layer in self.chain.layers):
            each *= _QUANTILE_COST
        own = each * (self.depth if self.gradients is None else 2 * sum(self.gradients.depths))
        return own + sum(one.normals for one in self.beside)


def _by_quantile(layer: object) -> bool:
    """Whether it draws weights by the quantile function of their law."""
    return isinstance(layer, WeightLayer) and law_of(layer.law).quantile is not None


def event(statement: Statement, layers: Mapping[str, Floats], values: Mapping[str, float]) -> Bools:
    """Where the path assumptions hold, elementwise over ``layers`` (one array per symbol, all of a
    shape).

    ``values`` gives the other symbols.
    """
    met = np.ones(np.shape(next(iter(layers.values()))), dtype=bool)
    for relation in statement.along_path:
        names = tuple(sorted(relation.free_symbols, key=str))
        given = [layers.get(str(s), values.get(str(s))) for s in names]
        left, right = (
            compiled(side, names).floats(*given) for side in (relation.lhs, relation.rhs)
        )
        met = met & ORDER[relation.rel_op](left, right)
    return met


def at_layer(
    observable: str, layer: int = -1
) -> Callable[[Statement, Trajectory, Instance], Floats]:
    """What `Expectation` samples where its instances have one readout: an observable at a layer.

    - ``observable``: the name of one number a replica, among those that are simulated
    - ``layer``: a column of the trajectory, 0 for the start itself; the last by default

    Returns a function that gives (replicas, 1) values.

    Example:
        >>> from simulators import rescale_chain, simulate
        >>> run = simulate(rescale_chain(8), np.eye(8, 2), depth=3, replicas=5)
        >>> at_layer("orthogonality_gap")(None, run, None).shape
        (5, 1)
    """

    def sample(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
        return np.asarray(trajectory[observable][:, layer])[:, None]

    return sample


@dataclass(frozen=True, kw_only=True)
class Measured(Details):
    """A mean that was measured, or what stands in its place: its interval [low, high], over how
    many replicas, and what that is worth.

    - ``tightness``: measured / bound, or its inverse for a lower bound
    - ``power``: half the interval over the bound
    """

    mean: float
    low: float
    high: float
    replicas: int
    tightness: float | None
    power: float | None
    spoiled: int = 0
    paths_in_event: int | None = None


@dataclass(frozen=True, kw_only=True)
class MeanRow(Details):
    """What one readout says: the bound at its symbols, both verdicts, the mean where there is one.

    ``cut`` by the clock; of the samples, ``undefined`` had no value, ``discarded`` did not meet the
    condition. ``of`` is what is measured in the mean's place; ``given_up`` says why no more was
    drawn of one that is open, where not all was drawn that could be.
    """

    instance: str
    symbols: Mapping[str, float] = field(metadata=beside())
    bound: float
    verdict: Verdict = field(metadata=typed(Verdict))
    sentinel: Verdict = field(metadata=typed(Verdict))
    cut: bool = False
    measured: Measured | None = field(default=None, metadata=beside(Measured))
    undefined: int = 0
    discarded: int = 0
    of: str = "mean"
    given_up: str = ""

    @property
    def replicas(self) -> int:
        """How many replicas the mean was taken over; 0 where none was, as of what is vacuous."""
        return 0 if self.measured is None else self.measured.replicas


@dataclass(frozen=True)
class Expectation(SampledCheck):
    """Confidence sequences for ``lhs`` at every readout of every instance.

    ``instances(statement, batch)`` lays out the work: ``batch`` is the user's (d, n) array or None.
    ``sample(statement, trajectory, instance)`` gives (replicas, readouts) values inside
    ``instance.support``; ``covered``, of the same shape, says which replicas met the path
    assumption, for the report. ``resolution`` is the half-width, relative to the bound, at which
    sampling stops. ``enough``, where given, is a wider one that will do once the neighbour is
    decided too, and beyond ``normals`` random numbers nothing is narrowed any more; a thorough run
    goes on to ``resolution``. ``follows_batch`` tells whether a user's batch becomes the start;
    ``replicas`` and ``normals`` limit the replicas and random numbers one instance may use;
    ``scope`` says in words over which instances the verdict speaks. ``kept``, of the shape of the
    samples, says which
    replicas the mean is taken over, for a mean given an event of the path: the others are
    discarded, and those that are left are independent draws from the conditional law. A sample that
    is NaN has no value; then the mean has none, and the verdict is ``outside``. ``last(instance)``
    is the last layer that each readout looks at, of the instance by default: what rounding spoiled
    by then may be anything, NaN and to be discarded included, and counts as the worst value for
    either side.

    ``observables`` are what is simulated, names or functions, as `simulators.simulate` takes them,
    in ``dtype``: float32 takes half the time or less, and its rounding is in every interval. A
    thorough run simulates in float64, as is every gradient.

    ``known`` gives, in the place of ``sample``, what is known of each value once rounding is taken
    into account. ``estimator(side, instance, values, level, reference)`` makes the confidence
    sequence of what the left side of the statement, or of its neighbour, says, where that is
    another number than the mean, from samples that may have an axis more; ``noun`` is what it is.
    With ``shares``, instances that are decided early leave what they did not spend of their
    ``normals`` to others, as far as that should decide them, and a claim that is refuted at one
    instance is not sampled on at the others. ``assumed`` says in words what is
    taken for granted of the laws of the samples, and is told with every verdict; ``open_words``
    why samples may leave a mean open however many there are, and is told with such a verdict.
    ``placed(statement, batch)`` gives the statement with a neighbour that is false on the user's
    batch, where its own may not be, and the check that judges both.

    Example:
        >>> from theorems.templates.expectation import STATEMENT, instances, sample
        >>> check = Expectation(instances, sample, ("orthogonality_gap",), resolution=0.5)
        >>> found = check(STATEMENT, Context(0, 1e-3))
        >>> found.verdict.value, found.sentinel.value
        ('supported', 'refuted')
    """

    instances: Callable[[Statement, Floats | None], Iterable[Instance]]
    sample: Callable[[Statement, Trajectory, Instance], Floats]
    observables: tuple[str | Observable, ...]
    covered: Callable[[Statement, Trajectory, Instance], Bools] | None = None
    resolution: float = 0.1
    enough: float | None = None
    replicas: int = 100_000
    normals: int = 300_000_000
    first: int = 32
    follows_batch: bool = True
    scope: Callable[[Sequence[Instance]], str] | None = None
    kept: Callable[[Statement, Trajectory, Instance], Bools] | None = None
    last: Callable[[Instance], Sequence[int]] | None = None
    known: Callable[[Statement, Trajectory, Instance], Known] | None = None
    estimator: (
        Callable[[sp.Expr, Instance, Mapping[str, float], float, float | None], Estimator] | None
    ) = None
    noun: str = "mean"
    shares: bool = False
    assumed: str = ""
    open_words: str = ""
    placed: Callable[[Statement, Floats], tuple[Statement, Expectation]] | None = None
    dtype: str = "float64"

    @property
    def takes_batch(self) -> bool:
        return self.follows_batch

    def words(self, statement: Statement) -> str:
        instances = [] if self.scope is None else list(self.instances(statement, None))
        scope = "" if self.scope is None else f"; {self.scope(instances)}"
        sooner = (
            f", of {self.enough:g} where the false neighbour is decided (not with --thorough),"
            if self.enough is not None
            else ""
        )
        return (
            f"simulation: a confidence sequence for every {self.noun}, up to "
            f"{self.replicas:,} replicas, stopped at a half-width of {self.resolution:g} of the "
            f"bound{sooner} or at a refutation{scope}; a user's batch "
            f"{'becomes the start' if self.follows_batch else 'is left alone'}"
        )

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        if self.placed is not None and context.array is not None:
            moved, check = self.placed(statement, context.array)
            found = check(moved, context)
            if moved.sentinel == statement.sentinel:
                return found
            words = f"false neighbour there: {moved.sentinel.words}"
            return replace(found, summary=f"{found.summary}; {words}")
        instances = list(self.instances(statement, context.array))
        parts = (2 if self.covered is None else 3) * sum(len(i.readouts) for i in instances)
        runs = [_Run(self, statement, each, context.share(parts)) for each in instances]
        for number, run in enumerate(runs):
            place = f"{run.instance.label} ({number + 1}/{len(runs)})"
            context.progress(f"{statement.name}: {place}")
            run.sample(min(run.limit, _LOOK * self.first) if self.shares else run.limit)
        if self.shares:
            self._go_on(statement, runs, context)
            self._share_out(statement, runs, context)
        rows = list(chained.from_iterable(run.rows() for run in runs))
        engine = next((run.engine for run in reversed(runs) if run.engine), "")
        scope = (self.scope or _labels)(instances) if instances else None
        return self.of_means(statement, rows, engine, context, scope)

    def _go_on(self, statement: Statement, runs: Sequence[_Run], context: Context) -> None:
        """Draw on where a claim is open, as far as each instance may, what should be decided
        soonest first: until it is refuted somewhere, which the others do not change.
        """
        waiting = sorted(runs, key=lambda run: run.missing)
        for run in waiting:
            if self._fallen(runs):
                return
            if run.open_trials:
                context.progress(f"{statement.name}: {run.instance.label}, on to {run.limit:,}")
                run.sample(run.limit)

    def _fallen(self, runs: Sequence[_Run]) -> bool:
        """Whether the claim is refuted somewhere, and its neighbour."""
        trials = chained.from_iterable(run.trials for run in runs)
        words = [(each.verdict(self.resolution), each.sentinel(self.resolution)) for each in trials]
        return all(Verdict.REFUTED in found for found in zip(*words, strict=True))

    def _share_out(self, statement: Statement, runs: Sequence[_Run], context: Context) -> None:
        """Spend what decided instances left of their random numbers on those that are open: where
        it should decide, the cheapest first.
        """
        shares = sum(len(run.instance.bundle) for run in runs)
        left = self.normals * shares - sum(run.spent for run in runs)
        for _ in range(0 if self._fallen(runs) else _ROUNDS):
            open_ = [(run.missing, place) for place, run in enumerate(runs) if run.open_trials]
            for missing, place in sorted(open_):
                run = runs[place]
                cost = missing * max(run.instance.normals, 1)
                most = _MOST * self.replicas
                if context.expired or not 0 < cost <= left or run.drawn + missing > most:
                    continue
                context.progress(f"{statement.name}: {run.instance.label}, {missing:.0f} more")
                before = run.spent
                run.sample(run.drawn + math.ceil(missing))
                left -= run.spent - before

    def known_of(self, statement: Statement, trajectory: Trajectory, instance: Instance) -> Known:
        """What is known of each value that the means are taken of, rounding taken into account.

        Args:
            statement: the claim.
            trajectory: a simulation of the instance's networks.
            instance: what was simulated.

        Returns:
            Both ends of each value, shape (replicas, readouts), with an axis more where ``known``
            gives several numbers a readout. Values that rounding spoiled have the ends of the
            instance's ``support``.

        Raises:
            ValueError: where ``sample`` gives another number of columns than there are readouts.
        """
        if self.known is not None:
            return self.known(statement, trajectory, instance)
        return Known.at(
            trajectory,
            self._sampled(statement, trajectory, instance, len(instance.readouts)),
            instance.support,
            None if self.last is None else self.last(instance),
        )

    def _sampled(
        self,
        statement: Statement,
        trajectory: Trajectory,
        instance: Instance,
        readouts: int,
    ) -> Floats:
        """A column for each readout, as ``sample`` gives them."""
        found = self.sample(statement, trajectory, instance)
        if found.ndim != 2 or found.shape[1] != readouts:
            raise ValueError(
                f"sample() has the shape {found.shape}: want a row for each replica and "
                f"{readouts} column(s), one for each readout"
            )
        return found

    def draw(
        self, instance: Instance, size: int, stage: int, statement: Statement, context: Context
    ) -> Trajectory:
        """Simulate one stage of an instance; the variants of a theorem share it.

        Args:
            instance: what is simulated, without those beside it.
            size: replicas, at least 1.
            stage: which one, from 0; each has a stream of random numbers of its own.
            statement: of whose theorem the stream is. Variants have the same.
            context: the seed of the run, and what was simulated before.

        Returns:
            The trajectory of ``observables``, ``size`` replicas.

        Cost: at most ``size`` times the instance's ``normals`` random numbers the first time,
        nothing again.
        """
        seed = context.stream(statement.family, statement.theorem, instance.label, stage)
        networks = replace(instance.networks, dtype=self._precision(context))
        return context.remembered(
            (instance.label, networks.key, size, stage, self.observables),
            lambda: networks.simulated(self.observables, size, seed),
        )

    def _precision(self, context: Context) -> str:
        """The dtype that networks run in."""
        return "float64" if context.thorough else self.dtype

    def of_means(
        self,
        statement: Statement,
        rows: Sequence[MeanRow],
        engine: str,
        context: Context,
        scope: str | None = None,
    ) -> Evidence:
        """What the rows say together; ``scope`` says of what, and is None where nothing was laid
        out.
        """
        undefined = next((row for row in rows if row.undefined), None)
        verdict = combine([row.verdict for row in rows])
        if undefined is not None or not rows:
            verdict = Verdict.OUTSIDE  # claimed of a mean that is not there, whatever others are
        told = _told(statement, rows, verdict, self.resolution)
        if self.assumed and verdict in (Verdict.REFUTED, Verdict.SUPPORTED):
            told = f"assuming {self.assumed}, which nothing here tests: {told}"
        if self.open_words and verdict is Verdict.INCONCLUSIVE:
            told = f"{told}; {self.open_words}"
        if scope and self.scope is not None and verdict is not Verdict.REFUTED:
            told = f"{told}; {scope}"
        deciding = verdict in (Verdict.REFUTED, Verdict.SUPPORTED)
        decided = [r for r in rows if deciding and r.verdict is verdict and r.measured is not None]
        details = SampledRows(
            seed=context.seed,
            engine=engine,
            dtype=self._precision(context),
            level=context.level,
            sentinel_refuted_on=sum(row.sentinel is Verdict.REFUTED for row in rows),
            readouts=rows,
            scope=scope,
        )
        measured = [row.measured for row in decided if row.measured is not None]
        found = self.of_rows(verdict, told, rows, measured, details)
        return replace(found, tightness_interval=_tightness_interval(statement, decided))


#: Instances that are named one by one.
_NAMED = 12
#: What may become of a mean.
_UNSAMPLED, _EMPTIED = "not sampled: out of time", "with no replica left"
_CUT = "cut short: out of time"


def _labels(instances: Sequence[Instance]) -> str:
    """Over which instances a verdict speaks: their labels, and the eigenvalues of their starts over
    their sum.
    """
    names = [f"{i.label}, eigenvalues {_eigenvalues(i.start)}" for i in instances[:_NAMED]]
    more = f"; and {len(instances) - _NAMED} more" if len(instances) > _NAMED else ""
    return f"{len(instances)} instance{'s' * (len(instances) > 1)}: " + "; ".join(names) + more


def _eigenvalues(start: Floats) -> str:
    squares = np.linalg.svd(start / np.abs(start).max(), compute_uv=False)[: start.shape[1]] ** 2
    shares = squares / squares.sum()
    return f"{shares[0]:.3g}" if np.ptp(shares) <= 1e-12 else f"{shares[0]:.3g} … {shares[-1]:.3g}"


class _Run:
    """The sampling of one instance, which can be continued: how many replicas were ``drawn``, of at
    most ``limit`` unless others leave more, and which trials are open.
    """

    def __init__(
        self, check: Expectation, statement: Statement, instance: Instance, context: Context
    ) -> None:
        self.check, self.statement, self.instance = check, statement, instance
        self.context = context
        self.trials = [
            _Trial(check, statement, instance, values, context.level)
            for values in instance.readouts
        ]
        self.open_trials = [t for t in self.trials if not t.vacuous]
        self.sparing = check.enough is not None and not context.thorough
        self.engine, self.drawn, self._size, self._stage = "", 0, check.first, 0
        normals = check.normals * len(instance.bundle)
        most = min(check.replicas, normals // max(instance.normals, 1))
        self.limit = max(check.first, most)
        if self.sparing:
            self._size = min(check.first, max(self._within(_DEAR_AT_FIRST), _FEWEST))

    def _within(self, normals: int) -> int:
        """As many replicas as cost so many random numbers at most."""
        return normals // max(self.instance.normals, 1)

    @property
    def spent(self) -> int:
        """Random numbers drawn so far."""
        return self.drawn * self.instance.normals

    @property
    def missing(self) -> float:
        """How many more replicas should decide all that is open; infinite where none would."""
        wanted = [trial.wanted(self.check.resolution) for trial in self.open_trials]
        return max(_MORE * max(wanted, default=0.0) - 1, 0.0) * self.drawn

    def sample(self, limit: int) -> None:
        """Draw replicas, stage by stage, until no trial is open, or so many were drawn."""
        check, instance = self.check, self.instance
        while self.open_trials and self.drawn < limit and not self.context.expired:
            size = min(self._size, limit - self.drawn)
            runs = [
                check.draw(one, size, self._stage, self.statement, self.context)
                for one in instance.bundle
            ]
            self.engine = runs[0].engine
            self._observe(runs)
            self.drawn += size
            enough = None
            if self.sparing:  # what is dear is not followed for the sake of power
                dear = self.spent >= check.normals
                enough = _Enough(math.inf if dear else check.enough or 0.0, told=not dear)
            self.open_trials = [
                t for t in self.open_trials if not t.settled(check.resolution, enough)
            ]
            self._size, self._stage = self.drawn, self._stage + 1
            if self.sparing:  # where replicas are dear, not many more than are needed
                self._size = max(min(self.drawn, self._within(_DEAR)), self.drawn // 4, 1)
        for trial in self.open_trials:
            trial.cut = self.drawn < limit

    def _observe(self, runs: Sequence[Trajectory]) -> None:
        check, statement, instance = self.check, self.statement, self.instance
        pairs = list(zip(runs, instance.bundle, strict=True))
        known = [check.known_of(statement, run, one) for run, one in pairs]
        values = known[0] if len(known) == 1 else Known.beside(known)
        inside = None if check.covered is None else check.covered(statement, runs[0], instance)
        kept = np.ones(values.spoiled.shape, dtype=np.bool_)
        if check.kept is not None:
            kept = np.all([check.kept(statement, run, one) for run, one in pairs], axis=0)
        for position, trial in enumerate(self.trials):
            if trial in self.open_trials:
                low, high = values.low[:, position], values.high[:, position]
                spoiled = values.spoiled[:, position]
                counts = trial.sift(low, kept[:, position], spoiled)
                met = None if inside is None else inside[counts, position]
                trial.observe(low[counts], high[counts], spoiled[counts], met)

    def rows(self) -> list[MeanRow]:
        """What each readout says."""
        return [trial.row(self.check.resolution) for trial in self.trials]


@dataclass(frozen=True)
class _Enough:
    """When no more is drawn of a mean that clears its bound: at a half-width relative to that, and
    if the neighbour is ``told`` as well.
    """

    half_width: float
    told: bool


class _Trial:
    """One readout: its bound, its false neighbour's bound, the confidence sequence of its mean."""

    def __init__(
        self,
        check: Expectation,
        statement: Statement,
        instance: Instance,
        values: Mapping[str, float],
        level: float,
    ) -> None:
        self.label, self.noun, self.estimator = instance.label, check.noun, check.estimator
        self.half_known = bool(check.open_words)
        self.met = self.spoiled = 0
        self.held = True  # whether the estimate was the bound at every look, as far as one can tell
        self.undefined = self.discarded = 0
        self.cut = False  # out of time: a refutation stands, and nothing else is said
        self.relation = statement.relation
        self.values = dict(values)
        self.bound = float(statement.bound(**_used(statement, values)))
        self.false_bound = float(statement.neighbour.bound(**_used(statement.neighbour, values)))
        self.vacuous = bool(statement.trivial(**values))
        # same samples, same level, each aimed at its own bound
        aims = (None if self.vacuous else bound for bound in (self.bound, self.false_bound))
        self.sequence: Estimator
        self.false_sequence: Estimator
        if check.estimator is None:
            self.sequence, self.false_sequence = (
                BoundedMean(*instance.support, level, reference=aim) for aim in aims
            )
        else:
            self.sequence, self.false_sequence = (
                check.estimator(side, instance, values, level, aim)
                for side, aim in zip((statement.lhs, statement.neighbour.lhs), aims, strict=True)
            )
            upper = self.relation in ("<=", "<")
            self.vacuous = self.vacuous or (upper and self.bound >= self.sequence.upper)
        # of how often the path assumption holds
        events = check.covered is not None
        self.event_sequence = BoundedMean(0.0, 1.0, level, reference=0.0) if events else None

    def sift(self, column: Floats, kept: Bools, spoiled: Bools) -> Bools:
        """Which samples count: those that are kept and have a value. The others are counted by what
        they lack.

        A spoiled one always counts: one too many that is the worst for either side costs certainty
        and no more.
        """
        missing = kept & without_value(column) & ~spoiled
        self.discarded += int((~kept & ~spoiled).sum())
        self.undefined += int(missing.sum())
        return (kept | spoiled) & ~missing

    def observe(
        self, low: Floats, high: Floats, spoiled: Bools, inside: Bools | None = None
    ) -> None:
        self.spoiled += int(spoiled.sum())
        self.sequence.update(low, high)
        self.false_sequence.update(low, high)
        self.held = self.held and self._holds_bound
        if self.event_sequence is not None and inside is not None:
            self.event_sequence.update(inside & ~spoiled, inside | spoiled)
            self.met += int((inside & ~spoiled).sum())

    def _judge(self, sequence: Estimator, bound: float, resolution: float) -> Verdict:
        if sequence.count == 0:
            return Verdict.VACUOUS if self.vacuous else Verdict.INCONCLUSIVE
        if self.relation == "==":
            word = decide_equal(sequence, bound, resolution)
        else:
            word = (decide_at_most if self.relation in ("<=", "<") else decide_at_least)(
                sequence, bound
            )
        strict = self.relation in ("<", ">") and bound in sequence.interval
        if word == "supported" and not strict:
            return Verdict.SUPPORTED
        return Verdict.REFUTED if word == "refuted" else Verdict.INCONCLUSIVE

    def verdict(self, resolution: float) -> Verdict:
        return self._judge(self.sequence, self.bound, resolution)

    def sentinel(self, resolution: float) -> Verdict:
        return self._judge(self.false_sequence, self.false_bound, resolution)

    def settled(self, resolution: float, enough: _Enough | None = None) -> bool:
        """Whether no more is drawn of it: at a half-width of ``resolution`` of the bound, or where
        it is ``enough``.
        """
        if self.undefined or self._rarely_kept:
            return True
        verdict = self.verdict(resolution)
        if verdict is Verdict.SUPPORTED:
            if self._cannot_fail and self.sentinel(resolution) is not Verdict.INCONCLUSIVE:
                return True
            told = self.estimator is not None and self.sentinel(resolution) is Verdict.REFUTED
            if enough is not None and self._narrow(enough.half_width):
                open_ = enough.told and self.sentinel(resolution) is Verdict.INCONCLUSIVE
                told = told or not open_
            return told or self._narrow(resolution)
        return verdict is Verdict.REFUTED or self._out_of_reach or bool(self._given_up(resolution))

    @property
    def _cannot_fail(self) -> bool:
        """Whether no number in the range is beyond the bound, so that only the neighbour is
        told.
        """
        if self.relation in ("<=", "<"):
            return self.bound >= self.sequence.upper
        return self.relation in (">=", ">") and self.bound <= self.sequence.lower

    def _given_up(self, resolution: float) -> str:
        """Why more draws would leave it open, in words; empty where they may tell."""
        if self._rarely_kept:
            return _RARELY
        if self._hopeless:
            return _SPOILED
        return _HELD if self._on_the_bound(resolution) else ""

    def wanted(self, resolution: float) -> float:
        """By what the replicas drawn would have to be multiplied for a verdict, as half-widths
        shrink with their root; 0 where there is one.
        """
        if self.verdict(resolution) is not Verdict.INCONCLUSIVE:
            return 0.0
        half = self.sequence.half_width
        apart = abs(self.sequence.estimate - self.bound)
        if self.relation == "==":
            apart = max(apart, equal_within(self.sequence, self.bound, resolution))
        return max((half / apart) ** 2, 1.0) if apart > 0 and math.isfinite(half) else math.inf

    def _narrow(self, resolution: float) -> bool:
        """Whether the interval tells the neighbour as well, whose bound is a share of this one
        away; or where signs are mixed, a share of the distance that was measured.
        """
        if self.relation == "==":
            return True  # what is supported is narrow
        wide, estimate = resolution * abs(self.bound), self.sequence.estimate
        if self.estimator is not None and min(self.bound, estimate) <= 0:
            wide = abs(estimate - self.bound) / 10
        return self.sequence.half_width <= wide

    @property
    def _rarely_kept(self) -> bool:
        """Whether so few replicas meet what the mean is conditioned on that nothing will come of
        it.
        """
        return self.discarded >= _GIVEN_UP and _RAREST * self.sequence.count < self.discarded

    @property
    def _hopeless(self) -> bool:
        """Whether so much is spoiled that the bound lies between the best and the worst that the
        mean could be.
        """
        low, high = self.sequence.estimates
        return 8 * self.spoiled >= self.sequence.count and low <= self.bound <= high

    @property
    def _holds_bound(self) -> bool:
        """Whether the bound is where the estimate lies, as far as rounding tells, that of sums over
        all draws included.
        """
        low, high = self.sequence.estimates
        span = self.sequence.upper - self.sequence.lower
        size = max(abs(x) for x in (self.bound, low, high, span) if math.isfinite(x))
        off = float(np.finfo(np.float64).eps) * self.sequence.count * size
        return math.isnan(low) or low - off <= self.bound <= high + off

    def _on_the_bound(self, resolution: float) -> bool:
        """Whether the estimate has held the bound at every look so far, so that all that was drawn
        is the bound, or rounding leaves open on which side of it the number is: as that of the
        difference of two networks that cannot differ.

        An equality is open so only where rounding is wider than what it allows. Draws that are an
        end of the range, exactly, tell of no rounding: one that is not refutes, and may come.
        """
        low, high = self.sequence.estimates
        if self.sequence.count < _GIVEN_UP or not self.held:
            return False
        if self.relation == "==":
            return (high - low) / 2 > equal_within(self.sequence, self.bound, resolution)
        return low < high or self.sequence.lower < self.bound < self.sequence.upper

    @property
    def _out_of_reach(self) -> bool:
        """Whether the interval has no end on the side that would have to be bounded, and the other
        end is not on its way to refute.
        """
        low, high = self.sequence.interval
        endless = {"<=": high, "<": high, ">=": low, ">": low}.get(self.relation, high - low)
        if not self.half_known or math.isfinite(endless) or self.sequence.count < _GIVEN_UP:
            return False
        apart = self.sequence.estimate - self.bound
        past = {"<=": apart > 0, "<": apart > 0, ">=": apart < 0, ">": apart < 0}
        return not past.get(self.relation, low > self.bound or high < self.bound)

    def _tightness(self, mean: float) -> float | None:
        """Measured / bound, or bound / measured for a lower bound, so that 1 is always the tight
        end.
        """
        over, under = (self.bound, mean) if self.relation in (">=", ">") else (mean, self.bound)
        return over / under if under > 0 else None

    def row(self, resolution: float) -> MeanRow:
        verdict, sentinel = self.verdict(resolution), self.sentinel(resolution)
        if self.cut:
            verdict, sentinel = (
                v if v is Verdict.REFUTED else Verdict.INCONCLUSIVE for v in (verdict, sentinel)
            )
        if self.event_sequence is not None and verdict is Verdict.SUPPORTED:
            if self.met + self.spoiled == 0:  # no replica met the assumption: nothing was seen
                verdict = sentinel = Verdict.OUTSIDE
            # too seldom met for the bound to fail, were the quantity there as large as it can be
            elif self.event_sequence.interval[1] * self.sequence.upper <= self.bound:
                verdict = sentinel = Verdict.VACUOUS
        if self.undefined:
            verdict = sentinel = Verdict.OUTSIDE
        open_ = verdict is Verdict.INCONCLUSIVE and not self.cut
        return MeanRow(
            instance=self.label,
            symbols=self.values,
            bound=self.bound,
            verdict=verdict,
            sentinel=sentinel,
            cut=self.cut,
            measured=self._measured(),
            undefined=self.undefined,
            discarded=self.discarded,
            of=self.noun,
            given_up=self._given_up(resolution) if open_ else "",
        )

    def _measured(self) -> Measured | None:
        if not self.sequence.count:
            return None
        low, high = self.sequence.interval
        half = self.sequence.half_width
        return Measured(
            mean=self.sequence.estimate,
            low=low,
            high=high,
            replicas=self.sequence.count,
            tightness=self._tightness(self.sequence.estimate),
            power=half / abs(self.bound) if self.bound and math.isfinite(half) else None,
            spoiled=self.spoiled,
            paths_in_event=None if self.event_sequence is None else self.met,
        )


def _used(statement: Statement, values: Mapping[str, float]) -> dict[str, float]:
    """The values the right side needs, and those of variables, whose domains are checked."""
    needed = {v.name for v in statement.variables} | {str(x) for x in statement.rhs.free_symbols}
    return {k: v for k, v in values.items() if k in needed}


def _told(
    statement: Statement, rows: Sequence[MeanRow], verdict: Verdict, resolution: float
) -> str:
    """What the rows say together, in words."""
    undefined = next((row for row in rows if row.undefined), None)
    if verdict is Verdict.VACUOUS:
        found = "the bound cannot fail at any affordable width"
    elif undefined is not None:
        found = _without_value(undefined)
    elif verdict is Verdict.OUTSIDE:
        found = "no path met the assumption" if rows else "the batch does not meet the assumptions"
    elif verdict is Verdict.REFUTED:
        found = _where(next(row for row in rows if row.verdict is Verdict.REFUTED))
    else:
        found = _counted(statement, rows, verdict, resolution)
        found += _undecided(rows) if verdict is Verdict.INCONCLUSIVE else ""
    replicas = sum(row.replicas for row in rows)
    if discarded := sum(row.discarded for row in rows):
        found += (
            f"; {discarded} of {discarded + replicas} replicas discarded: "
            "they do not meet what is assumed along the path"
        )
    spoiled = sum(row.measured.spoiled for row in rows if row.measured is not None)
    return found + (f"; {spoiled_words(spoiled, replicas)}" if spoiled else "")


def _where(row: MeanRow) -> str:
    """Where a mean lies beside its bound."""
    low, high = (
        (math.nan, math.nan) if row.measured is None else (row.measured.low, row.measured.high)
    )
    return f"{row.instance}: {row.of} in [{low:.4g}, {high:.4g}], bound {row.bound:.4g}"


def _undecided(rows: Sequence[MeanRow]) -> str:
    """The first mean whose interval holds its bound, if there is one, and why it was given up."""
    found = (
        row
        for row in rows
        if row.verdict is Verdict.INCONCLUSIVE
        and row.measured is not None
        and row.measured.low <= row.bound <= row.measured.high
    )
    row = next(found, None)
    if row is None:
        return ""
    how = f"given up, as {row.given_up}, at" if row.given_up else "undecided at"
    return f"; {how} {_where(row)}"


def _counted(
    statement: Statement, rows: Sequence[MeanRow], verdict: Verdict, resolution: float
) -> str:
    """How many means spoke, and what became of the others."""
    became = Counter(map(_became, rows))
    spoke = became[""] + became[_CUT]
    found = f"{_plural(spoke, rows)} by confidence sequence"
    if statement.relation == "==" and verdict is Verdict.SUPPORTED:
        found += f", equal to within {2 * resolution:.0%}"  # decide_equal promises no more
        if any(row.bound == 0 for row in rows):
            found += f", and to 0 within {resolution / 5:.0%} of the range"
    others = (Verdict.VACUOUS.value, Verdict.OUTSIDE.value, _UNSAMPLED, _EMPTIED, _CUT)
    return found + "".join(f", {became[words]} {words}" for words in others if became[words])


def _plural(count: int, rows: Sequence[MeanRow]) -> str:
    """So many of what is measured."""
    noun = next((row.of for row in rows), "mean")
    many = noun.removesuffix("y") + "ies" if noun.endswith("y") else f"{noun}s"
    return f"{count} {noun if count == 1 else many}"


def _became(row: MeanRow) -> str:
    """What became of a mean that did not speak to its end; empty for one that did."""
    if row.verdict in (Verdict.VACUOUS, Verdict.OUTSIDE):
        return row.verdict.value
    if row.measured is None:
        return _EMPTIED if row.discarded else _UNSAMPLED
    return _CUT if row.cut and row.verdict is Verdict.INCONCLUSIVE else ""


def _without_value(row: MeanRow) -> str:
    depth = f", ell={row.symbols['ell']:g}" if "ell" in row.symbols else ""
    count = row.replicas + row.undefined
    return undefined_words(row.undefined, count, f"{row.instance}{depth}", row.of)


def _tightness_interval(
    statement: Statement, rows: Sequence[MeanRow]
) -> tuple[float, float] | None:
    """Where the largest tightness over the readouts lies, by the intervals of their means."""
    found = []
    for row in rows:
        if row.measured is None or row.measured.tightness is None:
            continue
        low, high = row.measured.low, row.measured.high
        if statement.relation not in (">=", ">"):
            found.append((low / row.bound, high / row.bound))
        elif low > 0:
            found.append((row.bound / high, row.bound / low))
        else:
            return None
    if not found:
        return None
    return max(low for low, _ in found), max(high for _, high in found)
