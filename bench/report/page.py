"""One page of what a run found, which needs nothing else and asks no network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.intervals import Interval
from bench.report import drawings
from bench.report.comparison import Comparison
from bench.report.document import Against, Growth, Memory, Ratio, Run, Side, write_run
from bench.report.history import RELEASES, Entry, entry, read_history, write_history
from bench.report.numbers import number, seconds

__all__ = ["rendered", "write_report"]

_FOLDER = Path(__file__).parent
ERROR_RATES = _FOLDER.parent / "error_rates.json"
"""What `python -m bench.error_rates --record` measured."""

_WORDS = {
    Against.LOOP: ("Against the published loops", "times faster"),
    Against.PEER: ("Against other libraries", "times faster"),
    Against.DENSE: ("Against drawing every weight", "times faster"),
    Against.NORMALS: ("Against the cost of the random numbers", "times the cost"),
    Against.OURS: ("One of ours against another", "times faster"),
}


@dataclass(frozen=True)
class Group:
    """The ratios of one kind, with the scale that their pictures share."""

    title: str
    unit: str
    ratios: tuple[Ratio, ...]
    scale: drawings.Scale


@dataclass(frozen=True)
class Past:
    """One ratio in successive runs, oldest first; None where it was not measured."""

    name: str
    values: tuple[Interval | None, ...]


def write_report(run: Run, folder: Path, comparison: Comparison | None = None) -> Path:
    """Write ``bench.json``, ``history.jsonl`` and ``index.html`` into ``folder``.

    The run is added to the history of this folder; the page shows it with the repository's.

    Returns the path of the page. Raises ``OSError`` where it cannot be written, and
    ``DocumentError`` for a history that cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    here = folder / "history.jsonl"
    runs = [*read_history(here), entry(run)]
    rates = json.loads(ERROR_RATES.read_text(encoding="utf-8")) if ERROR_RATES.exists() else None
    text = rendered(run, [*read_history(RELEASES), *runs], comparison, rates)
    write_run(folder / "bench.json", run)
    write_history(here, runs)
    page = folder / "index.html"
    page.write_text(text, encoding="utf-8", errors="xmlcharrefreplace")
    return page


def rendered(
    run: Run,
    history: Sequence[Entry],
    comparison: Comparison | None = None,
    rates: Mapping[str, object] | None = None,
) -> str:
    """The whole page as HTML text.

    - ``history``: earlier runs and this one, oldest first
    - ``comparison``: with a stored run, if there was one
    - ``rates``: error rates of comparisons, as `bench.error_rates` records them
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(number=number, seconds=seconds, chart=drawings.growth_chart)
    judged: tuple[Ratio | Growth | Memory, ...] = (*run.ratios, *run.growth, *run.memory)
    standings = [each.standing for each in judged]
    return templates.get_template("page.html").render(
        run=run,
        here=run.environment,
        groups=_groups(run.ratios),
        axis=drawings.axis,
        bar=drawings.bar,
        sparkline=drawings.sparkline,
        tally={word: standings.count(word) for word in ("met", "missed", "open", "no target")},
        both=_side_by_side(run.ratios),
        reach={each.about: each for each in run.ratios if each.about.endswith("alone")},
        past=_past(history),
        history=history,
        comparison=comparison,
        rates=rates,
        median=_median,
        style=(_FOLDER / "page.css").read_text(encoding="utf-8"),
    )


def _median(side: Side) -> float:
    """The middle time by the wall clock, of a unit of work."""
    return sorted(side.wall)[len(side.wall) // 2]


def _groups(ratios: Sequence[Ratio]) -> list[Group]:
    found = []
    for against, (title, unit) in _WORDS.items():
        chosen = tuple(each for each in ratios if each.against is against)
        if chosen:
            ends = [x for each in chosen for x in (each.found.low, each.found.high)]
            targets = [each.target for each in chosen if each.target is not None]
            found.append(Group(title, unit, chosen, drawings.scale_of([*ends, *targets, 1.0])))
    return found


def _side_by_side(ratios: Sequence[Ratio]) -> list[tuple[str, dict[str, Ratio]]]:
    """What was measured against random numbers, by the name without the dtype, then by dtype."""
    found: dict[str, dict[str, Ratio]] = {}
    for each in ratios:
        marked = f", {each.dtype}"
        if each.against is Against.NORMALS and marked in each.name:
            found.setdefault(each.name.replace(marked, ""), {})[each.dtype] = each
    return list(found.items())


def _past(history: Sequence[Entry]) -> list[Past]:
    names = dict.fromkeys(name for each in history for name in each.ratios)
    return [
        Past(
            name,
            tuple(
                Interval(*each.ratios[name]) if name in each.ratios else None for each in history
            ),
        )
        for name in names
    ]
