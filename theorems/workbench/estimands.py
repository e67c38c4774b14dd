"""What a claim says of the law of a quantity over random weights: its mean, its median, …

A *reading* is what one network gives: a number, as ``log(orthogonality_gap)``, or whether something
happens, as ``orthogonality_gap > 1/10``. A *statistic* is a number of its law, and an *estimand*
the function of statistics that a claim compares with a bound.

- ``mean(x)``, and ``x`` alone: the expectation; of a range that is known, by betting; of half a
  range, on that side; else by a moment that is assumed
- ``probability(x > 1/10)``: of an event, by betting
- ``variance(x)``: of a range that is known, by betting on half the squared differences of pairs;
  else from below, and from above by a kurtosis that is assumed
- ``rate(x)``, ``exponent(x, ell)``: the least-squares slope of log E x against the layer, or its
  logarithm, over the layers of the domain; of a range that is known, by betting on each mean
- ``exponent(x, d)``: the same slope against the logarithm of the width, or of a parameter of the
  chain, of networks of several of these
- ``stationary(x)``, ``limit(x)``: E x under any stationary law, or where it tends to with depth, by
  the means of x from every start
- ``rate(median(x))``, ``exponent(quantile(x, 9/10), ell)``: the same of a quantile, whatever the
  law
- ``quantile(x, 9/10)``, ``median(x)``: by order statistics, whatever the law; where several numbers
  are quantiles, because the law has gaps, the claim is about every one of them
- ``kolmogorov(x, chi2(k))``: the greatest difference of the distribution function from a given one,
  by that of the empirical one, whatever the law
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import sympy as sp
from sympy.core.relational import Relational

from theorems.checking.confidence_sequence import AimedMean, BoundedMean, Estimator
from theorems.checking.estimates import (
    Bracket,
    EstimatedFunction,
    KolmogorovDistance,
    KurtosisMean,
    LogSlope,
    PairedVariance,
    Quantile,
    log_slope,
)
from theorems.checking.moments import CatoniMean, OneSidedMean
from theorems.definedness import Condition
from theorems.expressions import arguments_of, compiled
from theorems.float_intervals import Interval, order
from theorems.number_systems import ORDER
from theorems.statement import ClaimError
from theorems.workbench.given_laws import GivenLaw

__all__ = ["MOMENTS", "STATISTICS", "Estimand", "Moment", "Statistic", "enclosed"]

#: The statistics that a text may call, with what they take beside a quantity.
STATISTICS: Mapping[str, str] = MappingProxyType(
    {
        "mean": "mean(orthogonality_gap)",
        "median": "median(orthogonality_gap)",
        "quantile": "quantile(orthogonality_gap, 9/10)",
        "variance": "variance(orthogonality_gap)",
        "probability": "probability(orthogonality_gap > 1/10)",
        "rate": "rate(orthogonality_gap)",
        "exponent": "exponent(orthogonality_gap, d)",
        "kolmogorov": "kolmogorov(orthogonality_gap, normal(0, 1))",
        "kurtosis": "kurtosis(log_norm)",
        "stationary": "stationary(orthogonality_gap)",
        "limit": "limit(orthogonality_gap)",
    }
)
#: Those that may be assumed, of readings without a range.
MOMENTS = ("kurtosis", "variance")

#: What some are called, in a word.
_NOUNS = {"kolmogorov": "distance", "stationary": "stationary mean"}
#: Of so many quantities every corner is looked at.
_CORNERS = 4

Ends = tuple[float, float]
Values = Mapping[str, "Interval | float"]


def enclosed(expression: sp.Expr, values: Values) -> Interval:
    """What an expression certainly lies in.

    - ``values``: floats and intervals of floats, by name of its symbols

    Example:
        >>> x = sp.Symbol("x", nonnegative=True)
        >>> found = enclosed(sp.log(x), {"x": Interval(0.0, 1.0)})
        >>> float(found.low), bool(found.high >= 0)
        (-inf, True)
    """
    names = arguments_of(expression)
    found = compiled(expression, names).intervals(*(values[str(name)] for name in names))
    return found if isinstance(found, Interval) else Interval(found)


def _failing(relation: Relational, values: Values) -> npt.NDArray[np.bool_]:
    """Where a comparison with 0 fails at all ends and in the middle of what is known.

    An interval that meets 0 may be that of x - |x|, which is 0 at every x > 0.
    """
    names = [str(name) for name in arguments_of(relation.lhs)]
    wide = [name for name in names if isinstance(values[name], Interval)][:_CORNERS]
    found: npt.NDArray[np.bool_] = np.ones((), dtype=bool)
    for corner in (*product((0.0, 1.0), repeat=len(wide)), (0.5,) * len(wide)):
        at = dict(zip(wide, corner, strict=True))
        given = {name: _between(values[name], at.get(name, 0.5)) for name in names}
        with np.errstate(all="ignore"):
            met = ORDER[relation.rel_op](_floats(relation.lhs, given), 0)
            found = found & np.logical_not(met)
    return found


def _floats(
    expression: sp.Expr, values: Mapping[str, npt.NDArray[np.float64]]
) -> npt.NDArray[np.float64]:
    names = arguments_of(expression)
    return np.asarray(compiled(expression, names).floats(*(values[str(name)] for name in names)))


def _between(value: Interval | float, share: float) -> npt.NDArray[np.float64]:
    """A point of an interval, its ends exactly."""
    if not isinstance(value, Interval):
        return np.asarray(value)
    if share in (0.0, 1.0):
        return value.high if share else value.low
    return value.low + share * (value.high - value.low)


@dataclass(frozen=True)
class Moment:
    """The most that a moment of a reading is assumed to be.

    - ``kind``: one of `MOMENTS`; ``of``: the reading
    - ``most``: in symbols of the claim

    Example:
        >>> x = sp.Symbol("x", real=True)
        >>> assumed = Moment("variance", x, sp.Integer(2))
        >>> assumed.scaled(1 - 3 * x, {x}), assumed.scaled(x**2, {x})
        (3, None)
    """

    kind: str
    of: sp.Expr
    most: sp.Expr

    def scaled(self, reading: sp.Expr, random: Collection[sp.Symbol]) -> sp.Expr | None:
        """How many times the size of the reading assumed of another one has, up to what is not
        random; None for one that is no multiple of it.

        - ``random``: the symbols that are
        """
        mine, theirs = (_core(each, random) for each in (self.of, reading))
        quotient = sp.cancel(theirs / mine) if mine != 0 else sp.S.Zero
        if quotient == 0 or quotient.free_symbols & set(random):
            return None
        return sp.Abs(quotient)

    def at(self, factor: sp.Expr, values: Values) -> float:
        """The bound for a reading that is ``factor`` times as large.

        - ``values``: of every symbol

        Raises `ClaimError` for a number that is none that a moment can have.
        """
        most = self.most if self.kind == "kurtosis" else self.most * factor**2
        found = float(enclosed(most, values).high)
        least = 1.0 if self.kind == "kurtosis" else 0.0
        if not least < found < math.inf:
            raise ClaimError(
                f"the assumption {self.kind}({self.of}) <= {self.most} says {found:g} at "
                f"{_told(values)}: want a number above {least:g}"
            )
        return found


def _core(reading: sp.Expr, random: Collection[sp.Symbol]) -> sp.Expr:
    """The part of a sum that is random."""
    terms = sp.Add.make_args(sp.expand(reading))
    return sp.Add(*(term for term in terms if term.free_symbols & set(random)))


def _told(values: Values) -> str:
    numbers = ((k, v) for k, v in values.items() if not isinstance(v, Interval))
    return ", ".join(f"{name}={number:g}" for name, number in numbers)


@dataclass(frozen=True)
class Statistic:
    """A number of the law of a reading.

    - ``kind``: one of `STATISTICS`
    - ``of``: what is read, an expression; of a probability, a comparison
    - ``conditions``: where a reading has a value, as its text says it
    - ``share``: of a quantile, or the slope of one, the probability below it; ``size``: of an
      exponent, in which; ``law``: of a distance, from which
    - ``moment``: what is assumed of a reading without a range, with the factor by which this one
      is larger

    Example:
        >>> x = sp.Symbol("x", real=True)
        >>> str(Statistic("quantile", x**2, share=Fraction(9, 10)))
        'quantile(x**2, 9/10)'
    """

    kind: str
    of: sp.Expr | Relational
    conditions: tuple[Condition, ...] = ()
    share: Fraction | None = None
    size: str | None = None
    law: GivenLaw | None = None
    moment: tuple[Moment, sp.Expr] | None = None

    def __str__(self) -> str:
        level = f", {self.share}" if self.kind == "quantile" else ""
        level = f", {self.size or self.law}" if self.size or self.law else level
        return f"{self.kind}({self._sloped}{level})"

    @property
    def _sloped(self) -> str:
        """What is read, or of a slope that of which it is."""
        of_quantile = self.slope and self.share is not None
        return f"quantile({self.of}, {self.share})" if of_quantile else str(self.of)

    @property
    def symbol(self) -> sp.Symbol:
        """What stands for it in a claim: real, and nonnegative where its kind or its reading says
        so.

        Example:
            >>> spread = Statistic("variance", sp.Symbol("x", real=True)).symbol
            >>> spread, spread.is_nonnegative
            (variance(x), True)
        """
        known = self.kind in ("variance", "probability", "kolmogorov", "kurtosis")
        known = known or (not self.slope and bool(self.of.is_nonnegative))
        sign = {"nonnegative": True} if known else {}
        return sp.Symbol(str(self), real=True, **sign)

    @property
    def meaning(self) -> str:
        """What it is, in words, as definitions of a statement tell it.

        Example:
            >>> Statistic("rate", sp.Symbol("x", positive=True)).meaning
            'least-squares slope of log E[x] against the layer'
        """
        match self.kind:
            case "mean":
                return f"E[{self.of}]"
            case "probability":
                return f"P[{self.of}]"
            case "quantile":
                return f"every {self.share} quantile of {self.of}"
            case "rate":
                return f"least-squares slope of log {self._sloped_words} against the layer"
            case "exponent":
                return f"least-squares slope of log {self._sloped_words} against log {self.size}"
            case "stationary":
                return f"E[{self.of}] under every stationary law of the chain"
            case "limit":
                return f"what E[{self.of}] tends to as depth grows, if it does"
            case "kolmogorov":
                return f"Kolmogorov distance of the law of {self.of} from {self.law}"
        return f"the {self.kind} of {self.of}"

    @property
    def _sloped_words(self) -> str:
        return f"E[{self.of}]" if self.share is None else self._sloped

    @property
    def slope(self) -> bool:
        """Whether it is the slope of a logarithm: a rate or an exponent."""
        return self.kind in ("rate", "exponent")

    @property
    def along(self) -> bool:
        """Whether it is a slope over the layers of one network: a rate, or an exponent in ell."""
        return self.slope and self.size in (None, "ell")

    @property
    def over(self) -> str | None:
        """The size, or the parameter, over values of which it is a slope; None where it is of one
        network.
        """
        return self.size if self.slope and not self.along else None

    @property
    def lasting(self) -> bool:
        """Whether it is of what comes after any number of layers, from any start: stationary, or a
        limit.
        """
        return self.kind in ("stationary", "limit")

    @property
    def spans(self) -> bool:
        """Whether it is read of several networks side by side: from all starts, or at several
        sizes.
        """
        return self.lasting or self.over is not None

    def abscissae(self, numbers: Sequence[float]) -> npt.NDArray[np.float64]:
        """Against what the logarithm of the mean at each of some layers, or sizes, stands.

        Args:
            numbers: the layers of a rate; the layers, sizes or parameters, all positive, of an
                exponent.

        Returns:
            Shape (k,): the numbers of a rate, the logarithms of those of an exponent.
        """
        found = np.asarray(numbers, dtype=np.float64)
        return found if self.kind == "rate" else np.log(found)

    @property
    def sides(self) -> tuple[sp.Expr, ...]:
        """What is read: one expression, or both sides of the event of a probability."""
        return tuple(self.of.args) if isinstance(self.of, Relational) else (self.of,)

    def apart(self, ours: Collection[sp.Symbol], theirs: Collection[sp.Symbol]) -> bool:
        """Whether it is a number of the law of some quantities and that of others, each by itself,
        however they go together.

        Example:
            >>> x, y = sp.symbols("x y", real=True)
            >>> [Statistic(kind, x - y).apart({x}, {y}) for kind in ("mean", "variance")]
            [True, False]
        """
        linear = self.share is None and self.kind in ("mean", "rate", "exponent")
        read = sp.Add.make_args(sp.expand(self.of)) if linear else (self.of,)
        parts = [part.free_symbols for part in read]
        return not any(part & set(ours) and part & set(theirs) for part in parts)

    @property
    def parameters(self) -> tuple[sp.Expr, ...]:
        """What it takes beside what is read: the parameters of the law that a distance is from."""
        return () if self.law is None else self.law.arguments

    def known(self, values: Values) -> tuple[Interval, npt.NDArray[np.bool_]]:
        """Its reading, of every network, and where that may have no value.

        - ``values``: of every symbol, and what each quantity is known to lie in

        Returns the intervals, NaN where there is certainly no value, and where there may be none.
        """
        if isinstance(self.of, Relational):
            left, right = (enclosed(side, values) for side in self.sides)
            surely, perhaps = order(left, self.of.rel_op, right)
            missing = left.undefined | right.undefined
            found = Interval(surely.astype(np.float64), perhaps.astype(np.float64))
        else:
            found = enclosed(self.of, values)
            missing = found.undefined
        open_ = np.zeros_like(missing)
        for condition in self.conditions:
            relation = condition.relation
            met, perhaps = order(enclosed(relation.lhs, values), relation.rel_op, 0.0)
            gone = ~perhaps | _failing(relation, values)
            missing, open_ = missing | gone, open_ | (~gone & ~met)
        low, high = (np.where(missing, np.nan, end) for end in (found.low, found.high))
        return Interval(low, high), open_

    def reach(self, values: Values) -> Ends:
        """The least and the greatest that can be read.

        - ``values``: of every symbol, and the range of each quantity
        """
        if isinstance(self.of, Relational):
            return 0.0, 1.0
        found = enclosed(self.of, values)
        if found.undefined:
            return -math.inf, math.inf
        least = 0.0 if self.of.is_nonnegative else -math.inf
        return max(float(found.low), least), float(found.high)

    def range(self, values: Values) -> Ends:
        """The least and the greatest that the statistic itself can be.

        Args:
            values: of every symbol, and the range of each quantity.

        Returns:
            Both ends: of a mean or a quantile those of `reach`; (0, ((b - a)/2)²) of the variance
            of a reading in [a, b]; (0, 1) of a probability or distance; infinite of a slope.
        """
        if self.slope:
            return -math.inf, math.inf
        if self.law is not None:
            return 0.0, 1.0
        low, high = self.reach(values)
        return (0.0, (high - low) ** 2 / 4) if self.kind == "variance" else (low, high)

    def sides_known(self, values: Values) -> tuple[bool, bool]:
        """Whether samples can bound it from below, and from above.

        Args:
            values: of every symbol, and the range of each quantity.

        Returns:
            Both: true of quantiles, distances and what a moment is assumed of; of a mean where the
            range has that end, and of a slope of means where it has both; of a variance from below
            always, and from above where the range is finite.
        """
        if self.share is not None or self.law is not None or self.moment is not None:
            return True, True
        low, high = map(math.isfinite, self.reach(values))
        if self.kind == "variance":
            return True, low and high
        return (low and high, low and high) if self.slope else (low, high)

    def estimator(
        self,
        values: Values,
        level: float,
        reference: float | None,
        layers: Sequence[int],
        members: Sequence[Values] = (),
    ) -> Estimator:
        """A confidence sequence for it, of level ``level``, sharp near ``reference``.

        ``values`` as of `reach`, ``layers`` those that are read, ``members`` the values of each of
        the networks that are read side by side; without a reference its bets are placed by its
        first samples. Raises `ClaimError` for what `sides_known` bounds on no
        side.
        """
        low, high = self.reach(values)
        share = None if self.share is None else float(self.share)
        if self.over is not None and members:
            return self._over_members(level, share, members)
        if self.lasting and len(members) > 1:
            part = level / len(members)
            means = (self._mean(*self.reach(m), m, part, reference) for m in members)
            return Bracket(list(means))
        if self.along and share is not None:
            return LogSlope(self.abscissae(layers), low, high, level, share)
        if share is not None:
            return Quantile(share, level, low, high)
        if self.law is not None:
            plain = {k: float(v) for k, v in values.items() if not isinstance(v, Interval)}
            return KolmogorovDistance(self.law.distribution(plain), level)
        if not any(self.sides_known(values)):
            raise ClaimError(f"{self}: its range [{low:g}, {high:g}] is unbounded at these values")
        if self.along:

            def follow(place: int, part: float) -> Estimator:
                there = {**values, "ell": float(layers[place])}
                return self._mean(low, high, there, part, None)

            return LogSlope(self.abscissae(layers), low, high, level, None, follow)
        if self.kind == "variance":
            return PairedVariance(low, high, level, reference, self._most(low, high, values))
        return self._mean(low, high, values, level, reference)

    def _over_members(
        self, level: float, share: float | None, members: Sequence[Values]
    ) -> Estimator:
        """A confidence sequence for a slope over networks that are read side by side."""
        numbers = [float(m[self.over or ""]) for m in members]  # type: ignore[arg-type]

        def follow(place: int, part: float) -> Estimator:
            low, high = self.reach(members[place])
            if share is not None:
                return Quantile(share, part, low, high)
            return self._mean(low, high, members[place], part, None)

        return LogSlope(self.abscissae(numbers), -math.inf, math.inf, level, share, follow)

    def _most(self, low: float, high: float, values: Values) -> float | None:
        """What is assumed of its moment; None where nothing is, or a range makes it needless."""
        if self.moment is None or math.isfinite(high - low):
            return None
        moment, factor = self.moment
        return moment.at(factor, values)

    def _mean(
        self, low: float, high: float, values: Values, level: float, reference: float | None
    ) -> Estimator:
        """A confidence sequence for the mean of a reading in [low, high]."""
        most = self._most(low, high, values)
        if most is not None and self.moment is not None:
            assumed = self.moment[0].kind
            return KurtosisMean(level, most) if assumed == "kurtosis" else CatoniMean(level, most)
        if not math.isfinite(high - low):
            return OneSidedMean(low, high, level, reference)
        if reference is None:
            return AimedMean(low, high, level)
        return BoundedMean(low, high, level, reference)

    def rough(
        self,
        values: Mapping[str, float],
        readings: npt.NDArray[np.float64],
        layers: Sequence[int],
        members: Sequence[Mapping[str, float]] = (),
    ) -> float:
        """What it would be if these were all networks there are.

        - ``values``: of every symbol; ``members``: of every network that is read side by side
        - ``readings``: (networks,), one at least; (networks, layers) where it is read of many, and
          (networks, members)
        """
        share = None if self.share is None else float(self.share)
        if self.over is not None and members:
            return log_slope(self.abscissae([m[self.over] for m in members]), readings, share)
        if self.along:
            return log_slope(self.abscissae(layers), readings, share)
        if share is not None:
            return float(np.quantile(readings, share))
        if self.law is not None:
            distance = KolmogorovDistance(self.law.distribution(values), 0.5)
            distance.update(readings)
            return distance.estimate
        return float(readings.var() if self.kind == "variance" else readings.mean())

    def rough_ends(
        self,
        values: Mapping[str, float],
        readings: npt.NDArray[np.float64],
        layers: Sequence[int],
        members: Sequence[Mapping[str, float]] = (),
    ) -> Ends:
        """The least and the greatest that it would be; arguments as of `rough`.

        Those differ for what comes after any number of layers alone: from some start each is.
        """
        if self.lasting and readings.ndim > 1:
            means = readings.mean(axis=0)
            return float(means.min()), float(means.max())
        found = self.rough(values, readings, layers, members)
        return found, found


@dataclass(frozen=True)
class Estimand:
    """The function of statistics that a claim compares with a bound.

    - ``expression``: in the symbols of ``statistics`` and of the claim

    Example:
        >>> spread = Statistic("variance", sp.Symbol("x", real=True))
        >>> Estimand.of(spread).range({"x": Interval(0.0, 1.0)})
        (0.0, 0.25)
    """

    expression: sp.Expr
    statistics: tuple[Statistic, ...]

    @classmethod
    def of(cls, statistic: Statistic) -> Estimand:
        """The estimand that is one statistic, and no function of it.

        Args:
            statistic: what is estimated.

        Returns:
            It, under its own symbol; its `alone` is the statistic.
        """
        return cls(statistic.symbol, (statistic,))

    def __str__(self) -> str:
        return str(self.expression)

    @property
    def alone(self) -> Statistic | None:
        """The statistic that it is; None where it is a function of one or several."""
        first = self.statistics[0]
        return first if self.expression == first.symbol else None

    @property
    def noun(self) -> str:
        """What it is, in a word: "mean", "distance", …; "number" of a function."""
        if self.alone is None:
            return "number"
        return _NOUNS.get(self.alone.kind, self.alone.kind)

    def sides_known(self, values: Values) -> tuple[bool, bool]:
        """Whether samples can bound it from below, and from above, as far as its form tells.

        ``values`` as of `Statistic.reach`.
        """
        if self.alone is not None:
            return self.alone.sides_known(values)
        ends = {}
        for statistic in self.statistics:
            below, above = statistic.sides_known(values)
            ends[str(statistic)] = Interval(1.0 if below else -math.inf, 2.0 if above else math.inf)
        found = enclosed(self.expression, {**values, **ends})
        return bool(np.isfinite(found.low)), bool(np.isfinite(found.high))

    @property
    def along(self) -> bool:
        """Whether a statistic of it is a slope over the layers of one network."""
        return any(statistic.along for statistic in self.statistics)

    @property
    def lasting(self) -> bool:
        """Whether a statistic of it is of what comes after any number of layers, from any start."""
        return any(statistic.lasting for statistic in self.statistics)

    @property
    def over(self) -> str | None:
        """The size or parameter over which a slope in it is taken; None where none is, or over
        layers.
        """
        return next((s.over for s in self.statistics if s.over is not None), None)

    @property
    def spans(self) -> bool:
        """Whether a statistic of it is read of several networks side by side."""
        return any(statistic.spans for statistic in self.statistics)

    def range(self, values: Values) -> Ends:
        """The least and the greatest that it can be, as far as interval arithmetic tells.

        Args:
            values: of every symbol, and the range of each quantity.

        Returns:
            Both ends; infinite where the function may have no value.
        """
        if self.alone is not None:
            return self.alone.range(values)
        ranges = {str(s): Interval(*s.range(values)) for s in self.statistics}
        found = enclosed(self.expression, {**values, **ranges})
        if found.undefined:
            return -math.inf, math.inf
        return float(found.low), float(found.high)

    def unbounded(self, values: Values) -> Statistic | None:
        """A mean of what has no range: no number of samples bounds it on any side.

        ``values`` as of `Statistic.reach`.
        """
        return next((s for s in self.statistics if not any(s.sides_known(values))), None)

    def half_known(self, values: Values) -> Statistic | None:
        """The first statistic that samples bound on one side and not on the other.

        Args:
            values: of every symbol, and the range of each quantity.

        Returns:
            The statistic; None where there is none, which leaves no side of the claim open for
            ever.
        """
        return next((s for s in self.statistics if s.sides_known(values).count(True) == 1), None)

    @property
    def moments(self) -> tuple[Moment, ...]:
        """What is assumed of the laws of what is read, each assumption once."""
        return tuple(dict.fromkeys(s.moment[0] for s in self.statistics if s.moment is not None))

    def estimator(
        self,
        values: Values,
        level: float,
        reference: float | None,
        layers: Sequence[int],
        members: Sequence[Values] = (),
    ) -> Estimator:
        """A confidence sequence for it; arguments as of `Statistic.estimator`.

        The level is split equally over its statistics.
        """
        if self.alone is not None:
            return self.alone.estimator(values, level, reference, layers, members)
        share = level / len(self.statistics)
        parts = {str(s): s.estimator(values, share, None, layers, members) for s in self.statistics}
        names = {str(x) for x in self.expression.free_symbols} - set(parts)
        given = {name: values[name] for name in names}
        return EstimatedFunction(
            lambda ends: enclosed(self.expression, {**given, **ends}),
            parts,
            self.range(values),
            self.columns(layers, len(members)),
        )

    def columns(self, layers: Sequence[int], members: int) -> list[list[int]]:
        """The places that each statistic takes of an observation: all of the first of the networks
        that are read side by side, then those of each other that spans them.

        - ``members``: how many are read side by side, 0 for one
        """
        own = [len(layers) if statistic.along else 1 for statistic in self.statistics]
        starts = np.cumsum([0, *own])
        spanning = [s for s in self.statistics if s.spans]
        found = []
        for statistic, first, count in zip(self.statistics, starts, own, strict=False):
            columns = list(range(int(first), int(first) + count))
            if statistic.spans:
                ahead = int(starts[-1]) + spanning.index(statistic)
                columns += [ahead + len(spanning) * k for k in range(max(members - 1, 0))]
            found.append(columns)
        return found

    def rough(
        self,
        values: Mapping[str, float],
        readings: npt.NDArray[np.float64],
        layers: Sequence[int],
        members: Sequence[Mapping[str, float]] = (),
        toward: int = 0,
    ) -> float:
        """What it would be if these were all networks there are.

        - ``values``: of every symbol; ``members``: of every network that is read side by side
        - ``readings``: of each statistic in its `columns`, (networks, places), or (networks,) where
          there is one
        - ``toward``: of what starts leave open the least if it is -1, the greatest if it is 1, and
          the middle if it is 0
        """
        alone = self.alone
        if alone is not None:
            low, high = alone.rough_ends(values, readings, layers, members)
        else:
            taken, found = readings.reshape(len(readings), -1), {}
            places = self.columns(layers, len(members))
            for statistic, columns in zip(self.statistics, places, strict=True):
                read = taken[:, columns if len(columns) > 1 else columns[0]]
                ends = statistic.rough_ends(values, read, layers, members)
                found[str(statistic)] = Interval(*ends)
            between = enclosed(self.expression, {**values, **found})
            low, high = float(between.low), float(between.high)
        return (low, (low + high) / 2, high)[1 + toward]
