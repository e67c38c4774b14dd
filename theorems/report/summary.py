"""What a reader wants first: wrong as printed, vacuous, best constants; then families by verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from theorems.registry import families
from theorems.report.sections import Section
from theorems.statement import Verdict

__all__ = [
    "Constant",
    "Misprint",
    "Row",
    "Silence",
    "best_constants",
    "matrix",
    "refuted_besides",
    "vacuous_where_tested",
    "wrong_as_printed",
]

#: Variants by what the library calls them.
PRINTED, CORRECTED, SHARP = "as_printed", "corrected", "sharp"


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

    - ``where``: each instance with its vacuous readouts and all its readouts
    - ``sharp``: the sharp form of the same theorem, whose share is told beside it
    """

    printed: Section
    vacuous: int
    tested: int
    where: tuple[tuple[str, int, int], ...]
    sharp: Section | None


@dataclass(frozen=True)
class Constant:
    """A sharp form that holds, beside the printed one."""

    sharp: Section
    printed: Section | None


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


def vacuous_where_tested(found: Sequence[Section]) -> list[Silence]:
    """Published bounds that cannot fail at some places where the run tested them.

    >>> vacuous_where_tested([])
    []
    """
    silent = []
    for printed in found:
        if not printed.published or not (printed.vacuous or printed.verdict == Verdict.VACUOUS):
            continue
        tested = Counter(str(row.get("instance", "")) for row in printed.readouts)
        vacuous = Counter(str(row.get("instance", "")) for row in printed.vacuous)
        where = tuple((name, vacuous[name], count) for name, count in tested.items())
        sharp = _siblings(printed, found).get(SHARP)
        silent.append(Silence(printed, len(printed.vacuous), len(printed.readouts), where, sharp))
    return silent


def best_constants(found: Sequence[Section]) -> list[Constant]:
    """Sharp forms that hold, in the order of the run.

    >>> best_constants([])
    []
    """
    return [
        Constant(section, _siblings(section, found).get(PRINTED))
        for section in found
        if section.result["variant"] == SHARP and section.holds
    ]


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
