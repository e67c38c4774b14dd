"""How often a comparison errs on this machine, as it is: ``python -m bench.error_rates``.

    python -m bench.error_rates --comparisons 20 --out rates      some half an hour
    python -m bench.error_rates --comparisons 20 --out rates --busy 1     with a core loaded
    python -m bench.error_rates --comparisons 0 --out rates --record      what DIR holds, on record

Each comparison is between two runs of the short form's judged ratios, one after the other, in
processes of their own, as ``pytest bench --bench-short --bench-compare FILE --bench-fail-if-worse
1.1`` makes it. Nothing changed between them: any ratio that is told worse is a false alarm. Then,
against the same stored run, every call of one engine is made to take a quarter more processor time,
and the comparison is to tell it; so for two engines each time, all of them in turn.

Exit status: 0; 2 for bad usage.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.kept import Kept
from bench.pair import slower
from bench.pairs import PAIRS
from bench.report import environment, read_run, write_run
from bench.report.page import ERROR_RATES
from simulators.documents import DocumentError, plain, read_json, structured, write_json

__all__ = ["ENGINES", "MOST", "SLOWER", "Outcome", "Rates", "planted_in", "rates_of"]

MOST, SLOWER = 1.1, 0.25
ENGINES = ("factor", "rows", "rows forward and back", "tangent kernel", "mean_field", "dense")
SHORT = tuple(pair for pair in PAIRS if pair.short and pair.against.judged)


@dataclass(frozen=True)
class Outcome:
    """What one comparison told.

    - ``false_alarms``: ratios told worse where nothing had changed
    - ``caught``: for each engine, whether its planted slowdown was told
    - ``busy``: processes that this script kept busy beside it; ``load``: of the machine meanwhile
    """

    false_alarms: tuple[str, ...]
    caught: Mapping[str, bool]
    busy: int
    load: tuple[float, ...]


@dataclass(frozen=True)
class Rates:
    """Counts over comparisons of one kind: how many, and how many erred."""

    words: str
    unchanged: int
    false_alarms: int
    planted: int
    caught: int


def planted_in(number: int) -> tuple[str, ...]:
    """The engines that are slowed after run ``number``.

    Example:
        >>> planted_in(1), planted_in(4)
        (('rows', 'mean_field'), ('rows', 'mean_field'))
    """
    return ENGINES[number % 3 :: 3]


def rates_of(outcomes: Sequence[Outcome]) -> list[Rates]:
    """The counts, apart for each number of processes that were kept busy."""
    found = []
    for busy in sorted({each.busy for each in outcomes}):
        chosen = [each for each in outcomes if each.busy == busy]
        loads = [x for each in chosen for x in each.load]
        words = f"{busy} kept busy" if busy else "as found"
        if loads:
            words += f"; load {min(loads):.1f} to {max(loads):.1f}"
        caught = [told for each in chosen for told in each.caught.values()]
        found.append(
            Rates(
                words,
                len(chosen),
                sum(bool(each.false_alarms) for each in chosen),
                len(caught),
                sum(caught),
            )
        )
    return found


# --- one comparison, in a process of its own ------------------------------------------------------


def _compared(folder: Path, number: int, busy: int) -> None:
    """Take run ``number`` and compare it with the one before, if there is one."""
    before = folder / f"run-{number - 1}.json"
    kept = Kept(True, environment(), read_run(before) if before.exists() else None, MOST)
    for pair in SHORT:
        kept.ratio(pair)
    caught = {engine: _caught(kept, engine) for engine in planted_in(number) if kept.stored}
    comparison, run = kept.comparison(), kept.run()
    if comparison is not None:
        outcome = Outcome(
            tuple(each.name for each in comparison.worse), caught, busy, run.environment.load
        )
        write_json(folder / f"outcome-{number}.json", plain(asdict(outcome)))
    write_run(folder / f"run-{number}.json", run)


def _caught(kept: Kept, engine: str) -> bool:
    """Whether a slowdown of this engine is told, against the same stored run."""
    planted = Kept(True, kept.before, kept.stored, MOST)
    for pair in SHORT:
        if pair.about == engine:
            planted.ratio(slower(pair, SLOWER))
    comparison = planted.comparison()
    return comparison is not None and bool(comparison.worse)


# --- all of them ----------------------------------------------------------------------------------


@contextmanager
def _kept_busy(count: int) -> Iterator[None]:
    """So many processes that want a core all the time."""
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for each in spinning:
            each.kill()
            each.wait()


def _outcomes(folder: Path) -> list[Outcome]:
    paths = sorted(folder.glob("outcome-*.json"))
    return [structured(read_json(path, 2**16), Outcome, path.name) for path in paths]


def _recorded(rates: Sequence[Rates]) -> None:
    here = environment()
    write_json(
        ERROR_RATES,
        {
            "date": here.date.split()[0],
            "machine": f"{here.processor}, {here.cores} cores",
            "most": MOST,
            "slower": SLOWER,
            "conditions": [asdict(each) for each in rates],
        },
    )


def _whole(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text}: want a whole number, {least} or more")
        return int(text)

    return read


def main(arguments: Sequence[str] | None = None) -> int:
    """Take runs, compare each with the one before, and print how often that erred."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.error_rates",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--comparisons", type=_whole(0), default=20, metavar="N")
    parser.add_argument("--busy", type=_whole(0), default=0, metavar="N", help="cores kept busy")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="goes on there")
    parser.add_argument("--record", action="store_true", help="for the page of a report")
    parser.add_argument("--one", type=_whole(0), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.one is not None:
        _compared(given.out, given.one, given.busy)
        return 0
    try:
        given.out.mkdir(parents=True, exist_ok=True)
        done = len(list(given.out.glob("run-*.json")))
        last = done + given.comparisons + (done == 0 < given.comparisons)
        with _kept_busy(given.busy):
            for number in range(done, last):
                options = ["--one", str(number), "--busy", str(given.busy)]
                subprocess.run(
                    [sys.executable, "-m", "bench.error_rates", "--out", given.out, *options],
                    check=True,
                )
                print(json.dumps([asdict(each) for each in rates_of(_outcomes(given.out))[-1:]]))
        rates = rates_of(_outcomes(given.out))
    except (OSError, DocumentError) as error:
        parser.error(f"--out {given.out}: {error}")
    for each in rates:
        print(
            f"{each.words}: {each.false_alarms} false alarms in {each.unchanged} unchanged "
            f"comparisons; {each.caught} of {each.planted} planted slowdowns caught"
        )
    if given.record:
        _recorded(rates)
    return 0


if __name__ == "__main__":
    sys.exit(main())
