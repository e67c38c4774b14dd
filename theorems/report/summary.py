"""What a reader wants first: wrong as printed, vacuous, best constants; families by verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from theorems.registry import families
from theorems.report.sections import Section
from theorems.statement import Verdict

__all__ = [
    "Constant",
    "Foundation",
    "Misprint",
    "Row",
    "Silence",
    "best_constants",
    "foundation",
    "matrix",
    "refuted_besides",
    "says_nothing_at",
    "vacuous_bounds",
    "wrong_as_printed",
]

#: Variants by what the library calls them.
PRINTED, CORRECTED, SHARP = "as_printed", "corrected", "sharp"
#: Points that a symbol takes on the grid, and how far they go where its domain has no end.
_POINTS, _FAR = 33, 1e6


@dataclass(frozen=True)
class Misprint:
    """A published claim that is refuted, and what holds of the same theorem.

    ``others`` are variants that hold, under names of their own.
    """

    printed: Section
    corrected: Section | None
    sharp: Section | None
    others: tuple[Section, ...]


@dataclass(frozen=True)
class Silence:
    """A published bound that says nothing at some of the places where it was tested.

    - ``vacuous``, ``tested``: readouts at which it says nothing, and all
    - ``silent``, ``speaking``: instances at which some readout is vacuous, and the others
    - ``sharp``: the sharp form of the same theorem, whose share is told beside it
    - ``published``: sizes of the source's own experiments at which it says nothing, of ``sizes``
    """

    printed: Section
    vacuous: int
    tested: int
    silent: tuple[str, ...]
    speaking: tuple[str, ...]
    sharp: Section | None
    published: tuple[str, ...] = ()
    sizes: int = 0


@dataclass(frozen=True)
class Constant:
    """A sharp form that holds, beside the printed one.

    ``others`` are variants of the theorem that hold as well, under names of their own: some are
    sharper yet.
    """

    sharp: Section
    printed: Section | None
    others: tuple[Section, ...] = ()


@dataclass(frozen=True)
class Row:
    """A family in the matrix: its name, its title where it is known, results by verdict."""

    family: str
    title: str
    counts: Counter[str]


def _siblings(section: Section, all_of_them: Sequence[Section]) -> dict[str, Section]:
    """The other variants of its theorem in the run, by variant."""
    theorem = section.result["statement"]
    return {
        str(other.result["variant"]): other
        for other in all_of_them
        if other.result["statement"] == theorem and other is not section
    }


def wrong_as_printed(found: Sequence[Section]) -> list[Misprint]:
    """Published claims that the run refutes.

    >>> wrong_as_printed([])
    []
    """
    misprints = []
    for printed in found:
        if printed.verdict != Verdict.REFUTED or not printed.published:
            continue
        holding = {v: s for v, s in _siblings(printed, found).items() if s.holds}
        corrected, sharp = holding.pop(CORRECTED, None), holding.pop(SHARP, None)
        misprints.append(Misprint(printed, corrected, sharp, tuple(holding.values())))
    return misprints


def refuted_besides(found: Sequence[Section]) -> list[Section]:
    """What the run refutes and nobody printed: claims laid out to be false, and users' own.

    >>> refuted_besides([])
    []
    """
    return [s for s in found if s.verdict == Verdict.REFUTED and not s.published]


def vacuous_bounds(found: Sequence[Section]) -> list[Silence]:
    """Published bounds that cannot fail at places where the run tested them, or where their source
    ran its own experiments.

    >>> vacuous_bounds([])
    []
    """
    experiments = {family.name: family.experiments for family in families()}
    silences = []
    for printed in found:
        if not printed.published:
            continue
        sizes = experiments.get(printed.family, ())
        published = tuple(_spelled(size) for size in sizes if says_nothing_at(printed, size))
        if not (published or printed.vacuous or printed.verdict == Verdict.VACUOUS):
            continue
        instances = dict.fromkeys(str(row.get("instance", "")) for row in printed.readouts)
        silent = dict.fromkeys(str(row.get("instance", "")) for row in printed.vacuous)
        silences.append(
            Silence(
                printed,
                len(printed.vacuous),
                len(printed.readouts),
                tuple(silent),
                tuple(name for name in instances if name not in silent),
                _siblings(printed, found).get(SHARP),
                published,
                len(sizes),
            )
        )
    return silences


def says_nothing_at(section: Section, sizes: Mapping[str, int]) -> bool:
    """Whether a bound is vacuous at these sizes, whatever its other symbols are.

    - ``sizes``: values of some of its symbols, by name

    The other symbols go through their domains on a grid; False where the statement is not known,
    has no ceiling, or depends on a symbol without a domain.
    """
    statement = section.statement
    if statement is None or statement.ceiling is None or statement.relation not in ("<=", "<"):
        return False
    needed = {str(x) for x in statement.rhs.free_symbols | statement.ceiling.free_symbols}
    domains = {v.name: v.domain for v in statement.variables if not v.size}
    values: dict[str, NDArray[np.float64]] = {
        name: np.array(float(size)) for name, size in sizes.items()
    }
    free = sorted(needed.difference(sizes))
    if not needed.issubset(domains) or not values.keys() <= domains.keys():
        return False
    given = {v.symbol: sizes[v.name] for v in statement.variables if v.name in sizes}
    for axis, name in enumerate(free):
        ends = domains[name].subs(given)
        if ends.free_symbols:
            return False
        shape = [-1 if place == axis else 1 for place in range(len(free))]
        values[name] = _grid(ends).reshape(shape)
    return bool(np.all(statement.trivial(**values)))


def _grid(domain: sp.Set) -> NDArray[np.float64]:
    """Points of a domain of numbers: its ends where it has them, and between."""
    if isinstance(domain, sp.Range):
        low = float(domain.start)
        high = _FAR if domain.stop == sp.oo else float(domain.stop - 1)
        return np.unique(np.floor(np.linspace(0, 1, _POINTS) ** 4 * (high - low) + low))
    low = -_FAR if domain.start == -sp.oo else float(domain.start)
    high = _FAR if domain.end == sp.oo else float(domain.end)
    points = np.linspace(low, high, _POINTS)
    inside = [bool(domain.contains(sp.Rational(str(point)))) for point in points]
    ends = {0: not domain.left_open, _POINTS - 1: not domain.right_open}
    kept = [ends.get(place, fits) for place, fits in enumerate(inside)]
    return np.asarray(points[kept])


def _spelled(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {size}" for name, size in sizes.items())


def best_constants(found: Sequence[Section]) -> list[Constant]:
    """Sharp forms that hold, in the order of the run.

    >>> best_constants([])
    []
    """
    constants = []
    for section in found:
        if section.result["variant"] == SHARP and section.holds:
            siblings = _siblings(section, found)
            printed, _ = siblings.pop(PRINTED, None), siblings.pop(CORRECTED, None)
            others = tuple(other for other in siblings.values() if other.holds)
            constants.append(Constant(section, printed, others))
    return constants


@dataclass(frozen=True)
class Foundation:
    """What the proofs of a run rest on.

    - ``free``: statements whose theorem rests on no axiom
    - ``axioms``: each axiom, what it says, and the statements whose theorem rests on it
    """

    free: tuple[Section, ...]
    axioms: tuple[tuple[str, str, tuple[Section, ...]], ...]


def foundation(found: Sequence[Section]) -> Foundation:
    """The axioms behind the proofs, by what the run wrote down.

    >>> foundation([])
    Foundation(free=(), axioms=())
    """
    free: list[Section] = []
    resting: dict[tuple[str, str], list[Section]] = {}
    for section in found:
        theorems = [piece.theorem for piece in section.pieces if piece.theorem is not None]
        axioms = dict.fromkeys(chain.from_iterable(theorem.axioms for theorem in theorems))
        if theorems and not axioms:
            free.append(section)
        for axiom in axioms:
            resting.setdefault(axiom, []).append(section)
    return Foundation(
        tuple(free),
        tuple((name, meaning, tuple(on)) for (name, meaning), on in sorted(resting.items())),
    )


def matrix(found: Sequence[Section]) -> list[Row]:
    """The families of the run in its order, with how many statements got which verdict.

    >>> matrix([])
    []
    """
    titles = {family.name: family.title for family in families()}
    counts: dict[str, Counter[str]] = {}
    for section in found:
        counts.setdefault(section.family, Counter())[section.verdict] += 1
    return [Row(name, titles.get(name, ""), count) for name, count in counts.items()]
