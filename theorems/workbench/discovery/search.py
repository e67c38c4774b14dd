"""``discover``: propose bounds, attack them, keep what stands and says something of its own."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from simulators.chains import Chain
from simulators.exact import Number
from theorems.workbench.discovery.bounds import Bound, Fallen, bounds_on
from theorems.workbench.discovery.comparisons import Comparison, comparisons
from theorems.workbench.discovery.extremes import Extremes, extremes
from theorems.workbench.discovery.inputs import Proposed, choices, proposals
from theorems.workbench.discovery.measurements import Row, Table, measured, simulated
from theorems.workbench.discovery.optimisation import furthest
from theorems.workbench.discovery.question import Question, read_question
from theorems.workbench.discovery.ranking import identities_joined, ranked, says_more
from theorems.workbench.discovery.refuting import attacked
from theorems.workbench.discovery.writing import claims_text
from theorems.workbench.parsing import nearest, refuse

__all__ = ["Discovery", "Search", "discover", "searched"]

_RELATIONS = {"<=": (True,), ">=": (False,), "both": (True, False)}
#: Bounds that are attacked for each one that is shown, at most.
_ATTACKS = 3
#: With more comparisons than these only the plain ones are optimised over inputs.
_OPTIMISED = 12
Sizes = Mapping[str, Fraction]


@dataclass(frozen=True)
class Discovery:
    """What was found.

    - ``bounds``: that stood, best first
    - ``fallen``: that were proposed and do not stand, each with why
    - ``without``: what has no bound of these forms, with what shows it, in words
    - ``looked``: how many inputs were looked at
    - ``sizes``: at which sizes, in words
    - ``ended_early``: whether the budget ended first: there may be more bounds, and constants were
      tried less
    - ``claims``: a file of claims, as text; empty without bounds

    Example:
        >>> found = discover("parameters", of="k/x", k="1..9", x="(0, 1]")
        >>> [bound.claim for bound in found.bounds]
        ['k/x >= k']
        >>> found.without
        ('no upper bound of k/x: it grows without end, 9e+09 at k = 9',)
    """

    bounds: tuple[Bound, ...]
    fallen: tuple[Fallen, ...]
    without: tuple[str, ...]
    looked: int
    sizes: str
    ended_early: bool
    claims: str = field(repr=False)

    def write(self, path: str | Path) -> None:
        """Write the file of claims, which ``theorems falsify`` and pytest take.

        Args:
            path: of the file, which is replaced.
        """
        Path(path).write_text(self.claims, encoding="utf-8")


class Search:
    """One search, which can be broken off: `bounds` gives what stands, one at a time.

    Args:
        question: what is asked.
        up: which directions are wanted: True for upper bounds.
        seed: of everything random.
        most: bounds wanted, at most.
        progress: told what the search is busy with.
        budget: seconds after which no more is optimised or attacked; None for no limit.
    """

    def __init__(
        self,
        question: Question,
        up: Iterable[bool],
        *,
        seed: int,
        most: int,
        progress: Callable[[str], None],
        budget: float | None = None,
    ) -> None:
        self.question, self.up, self.seed, self.most = question, tuple(up), seed, most
        self.progress, self.budget = progress, budget
        self.deadline = math.inf
        self.ended_early = False
        self.choices = choices(question)
        self.found: list[Bound] = []
        self.fallen: list[Fallen] = []
        self.without: list[str] = []
        self.looked = 0

    @property
    def result(self) -> Discovery:
        """What has been found so far."""
        bounds = tuple(ranked(self.found))
        return Discovery(
            bounds,
            tuple(self.fallen),
            tuple(self.without),
            self.looked,
            self._sizes,
            self.ended_early,
            self._claims(bounds),
        )

    @property
    def _sizes(self) -> str:
        """The values of every size, in words."""
        names = [domain.name for domain in self.question.sizes]
        values = {name: sorted({each[name] for each in self.choices}) for name in names}
        return "; ".join(f"{name} = {', '.join(map(str, found))}" for name, found in values.items())

    def _late(self) -> bool:
        """Whether the budget has ended, which is remembered."""
        self.ended_early = self.ended_early or time.monotonic() > self.deadline
        return self.ended_early

    def _claims(self, bounds: tuple[Bound, ...]) -> str:
        if not bounds:
            return ""
        quantities = [side.text for side in self.question.of]
        return claims_text(
            bounds,
            self.question.options,
            quantities,
            title="Bounds proposed by ``theorems discover``: not refuted so far, and not proved.",
            words=f"Looked at {self.looked} inputs, {self._sizes}.\n"
            "Each was attacked as by ``theorems falsify``.",
        )

    def bounds(self) -> Iterator[Bound]:
        """What stands and says more than what came before it, one at a time."""
        if self.budget is not None:
            self.deadline = time.monotonic() + self.budget
        table = self._measured()
        self.looked = len(table.rows)
        proposed = ranked(self._proposed(table))
        attacks = 0
        for bound in proposed:
            if len(self.found) == self.most or attacks == _ATTACKS * self.most:
                return
            if not says_more(bound, self.found):
                continue
            if self._late():
                return
            self.progress(f"attacking {bound.claim}")
            attacks += 1
            outcome = attacked(bound, self.question.options, seed=self.seed)
            if isinstance(outcome, Fallen):
                self.fallen.append(outcome)
            else:
                self.found.append(outcome)
                yield outcome

    # --- measuring --------------------------------------------------------------------------------

    def _measured(self) -> Table:
        if self.question.sampled:
            return self._simulated()
        rows: list[Row] = []
        for group, sizes in enumerate(self.choices):
            self.progress(f"looking at {_shown(sizes)}")
            rows += measured(self.question, proposals(self.question, sizes), group)
        table = Table(self.question, tuple(rows))
        refuse((not rows, "nothing meets the assumptions: none of the inputs looked at does"))
        return self._optimised(table)

    def _simulated(self) -> Table:
        """Each start once, down to the deepest layer."""
        together: dict[tuple[tuple[str, Fraction], ...], dict[int, int]] = {}
        for group, sizes in enumerate(self.choices):
            rest = tuple((name, value) for name, value in sizes.items() if name != "ell")
            together.setdefault(rest, {})[int(sizes["ell"])] = group
        rows: list[Row] = []
        for rest, groups in together.items():
            deepest = dict(rest) | {"ell": Fraction(max(groups))}
            self.progress(f"simulating {_shown(deepest)}")
            starts = list(proposals(self.question, deepest))
            rows += simulated(self.question, starts, groups, seed=self.seed)
        refuse((not rows, "nothing meets the assumptions: none of the starts looked at does"))
        return Table(self.question, tuple(rows))

    def _optimised(self, table: Table) -> Table:
        """With the inputs at which comparisons go beyond what was looked at."""
        every = [each for each in comparisons(self.question) if each.makes_sense(table)]
        if len(every) > _OPTIMISED:
            every = [each for each in every if each.weight <= 2]
        items: dict[int, list[Proposed]] = {}
        for comparison in every:
            self.progress(f"optimising {comparison.words(self.question)}")
            for up in self.up:
                found = extremes(table, comparison, len(self.choices), up=up)
                if found.endless is not None:
                    continue
                for group, sizes in enumerate(self.choices):
                    if not np.isfinite(found.logarithms[group]) or self._late():
                        continue
                    known = float(found.logarithms[group])
                    item = furthest(
                        self.question, comparison, sizes, known, up=up, seed=self.seed + group
                    )
                    if item is not None:
                        items.setdefault(group, []).append(Proposed(item))
        rows = list(table.rows)
        for group, proposed in items.items():
            rows += measured(self.question, proposed, group)
        return Table(self.question, tuple(rows))

    # --- proposing --------------------------------------------------------------------------------

    def _proposed(self, table: Table) -> list[Bound]:
        bounds: list[Bound] = []
        for comparison in comparisons(self.question):
            if not comparison.makes_sense(table):
                continue
            self.progress(f"fitting {comparison.words(self.question)}")
            for up in self.up:
                found = extremes(table, comparison, len(self.choices), up=up)
                if found.endless is not None:
                    self.without.append(self._endless(table, comparison, found, up=up))
                    continue
                fitted = bounds_on(table, comparison, found, self.choices, up=up)
                bounds += fitted.bounds
                self.fallen += fitted.fallen
        return identities_joined(bounds, self.question)

    def _endless(self, table: Table, comparison: Comparison, found: Extremes, *, up: bool) -> str:
        row = found.endless or 0
        value = table.column(comparison.of)[row]
        if value >= 0:
            value = float(np.exp(np.clip(comparison.logarithms(table)[row], -1000.0, 700.0)))
        sizes = _shown(self.choices[table.rows[row].group])
        words = comparison.words(self.question)
        if value < 0:
            f = self.question.of[comparison.of].text
            return f"no positive lower bound of {words}: {f} is {value:.3g} at {sizes}"
        direction, way = ("upper", "grows") if up else ("lower", "falls")
        return f"no {direction} bound of {words}: it {way} without end, {value:.3g} at {sizes}"


def _shown(sizes: Sizes) -> str:
    return ", ".join(f"{name} = {value}" for name, value in sizes.items())


def searched(
    subject: str | Callable[..., Chain],
    of: str | Iterable[str],
    against: str | Iterable[str] = (),
    *,
    relation: str = "both",
    assume: str | Iterable[str] = (),
    computed: Mapping[str, Callable[..., Number]] | None = None,
    seed: int = 0,
    most: int = 5,
    budget: float | None = None,
    progress: Callable[[str], None] = lambda _: None,
    symbols: Mapping[str, object],
) -> Search:
    """A search that has not begun; arguments are those of `discover`, ``symbols`` the domains.

    Raises:
        ClaimError: in one line, for what makes no sense.
    """
    refuse(
        (relation not in _RELATIONS, f"relation={relation!r}{nearest(str(relation), _RELATIONS)}"),
        (not isinstance(most, int) or most < 1, f"most={most!r}: want a whole number ≥ 1"),
        (not isinstance(seed, int) or seed < 0, f"seed={seed!r}: want a whole number ≥ 0"),
        (
            budget is not None and not (isinstance(budget, int | float) and 0 < budget < math.inf),
            f"budget={budget!r}: want a positive number of seconds, or None",
        ),
    )
    question = read_question(
        subject, of, against, assume=assume, computed=computed, symbols=symbols
    )
    up = _RELATIONS[relation]
    return Search(question, up, seed=seed, most=most, progress=progress, budget=budget)


def discover(
    subject: str | Callable[..., Chain],
    *,
    of: str | Iterable[str],
    against: str | Iterable[str] = (),
    relation: str = "both",
    assume: str | Iterable[str] = (),
    computed: Mapping[str, Callable[..., Number]] | None = None,
    seed: int = 0,
    most: int = 5,
    budget: float | None = None,
    progress: Callable[[str], None] = lambda _: None,
    **symbols: object,
) -> Discovery:
    """Propose bounds of simple form, attack each, and return what stands.

    A bound is a constant times powers of sizes n + k, sums and differences of sizes, and powers of
    references, with small rational exponents; or such a form for what every layer changes by. Its
    constant is the best that no input looked at refutes: corners, inputs very near degenerate ones,
    and those that optimisation finds. What stands is not proved.

    Args:
        subject: "spectra", "matrices" or "parameters" for bounds at every input; or a chain as
            `theorems.conjecture` takes it: of means over random weights, and at infinite width
            where no ``d`` is declared.
        of: what bounds are wanted of: names of quantities, or formulas in them, a text or several.
        against: by what else than sizes, likewise; of a chain, ``x_0`` is x at the start.
        relation: "<=", ">=" or "both".
        assume: relations that inputs, or starts, meet.
        computed: further quantities without a chain: functions of declared symbols that return
            exact numbers or balls.
        seed: of everything random; the same seed gives the same bounds.
        most: bounds wanted, at most.
        budget: seconds after which no more is optimised or attacked; None for no limit. What is
            found then depends on the clock.
        progress: told what the search is busy with.
        symbols: domains by name, ``n="2..8"``; layers are ``ell="1..8"`` if not declared.

    Returns:
        The bounds, what fell, and what has none.

    Raises:
        ClaimError: a ``ValueError``, in one line, for what makes no sense.

    Cost: seconds to a minute, most of it the attacks on ``most`` bounds.

    Example:
        >>> found = discover("spectra", of="orthogonality_gap", against="smallest_eigenvalue_gap",
        ...                  relation="<=", n="2..5", most=1)
        >>> found.bounds[0].claim
        'orthogonality_gap <= sqrt(n*(n - 1))*smallest_eigenvalue_gap'
    """
    search = searched(
        subject,
        of,
        against,
        relation=relation,
        assume=assume,
        computed=computed,
        seed=seed,
        most=most,
        budget=budget,
        progress=progress,
        symbols=symbols,
    )
    for _ in search.bounds():
        pass
    return search.result
