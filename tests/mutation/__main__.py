"""``python -m tests.mutation``: which planted errors the tests notice.

    python -m tests.mutation --planted --sample 300          all of it: some two hours on two cores
    python -m tests.mutation --planted --only theorems/checking/medians.py
    python -m tests.mutation --list --planted                the mutants, without running any
    python -m tests.mutation --planted --sample 300 --resume go on where an interrupted run stopped
    python -m tests.mutation --planted --record              put the score on record

Exit status: 0 if no score is below the one on record, 1 otherwise, 2 for bad usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.mutation.known import Basis, bases, forget, keep, recall
from tests.mutation.loaded import Loaded
from tests.mutation.operators import PLANTED, Mutant
from tests.mutation.reach import CACHE, Reach, files_of_tests, measure
from tests.mutation.runner import KILLED, SURVIVED, Copy, Outcome, preload
from tests.mutation.score import equivalents, fallen, read, share, tally, write
from tests.mutation.sites import ROOT, chosen


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--planted", action="store_true", help="every mutant of the kinds a verdict stands on"
    )
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="and N of the others")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="PATH",
        help="mutate this file or folder only",
    )
    parser.add_argument(
        "--tests",
        action="append",
        default=[],
        metavar="FILE",
        help="against this file of tests only: what it kills, all of them kill",
    )
    parser.add_argument("--list", action="store_true", help="print the mutants and stop")
    parser.add_argument(
        "--resume", action="store_true", help="keep what is known of mutants that were run before"
    )
    parser.add_argument("--record", action="store_true", help="put the score on record")
    parser.add_argument(
        "--within",
        type=float,
        default=60,
        metavar="SECONDS",
        help="try the quickest tests of a mutant that take so much CPU in all, 60 by default",
    )
    parser.add_argument(
        "--shards", type=int, default=2, metavar="N", help="processes side by side, 2 by default"
    )
    args = parser.parse_args(arguments)
    if not args.planted and not args.sample:
        parser.error("nothing to do: give --planted, --sample N, or both")
    if args.sample < 0 or args.shards < 1:
        parser.error("--sample and --shards want whole numbers of at least 0 and 1")
    if not args.within > 0:
        parser.error(f"--within {args.within}: want seconds of CPU above 0")
    if unknown := [name for name in args.tests if name not in files_of_tests()]:
        parser.error(f"--tests {unknown[0]}: no such file of tests, relative to the root")
    return args


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    args = _parsed(arguments)
    try:
        mutants = chosen(args.only, planted=args.planted, sample=args.sample, seed=args.seed)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if args.list:
        for mutant in mutants:
            print(mutant.diff((ROOT / mutant.path).read_text(encoding="utf-8")))
        print(f"{len(mutants)} mutants")
        return 0
    try:
        outcomes = _run(mutants, args)
    except KeyboardInterrupt:
        print("interrupted; --resume goes on from here", file=sys.stderr)
        return 130
    return _report(outcomes, args)


def _run(mutants: Sequence[Mutant], args: argparse.Namespace) -> list[tuple[Mutant, Outcome]]:
    CACHE.mkdir(exist_ok=True)
    preload()
    files = files_of_tests(args.tests)
    _in_shards(args.shards, lambda shard, copy: measure(copy, files[shard :: args.shards], _told))
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        reach = measure(Copy(Path(folder)), files, _told)  # by now from the cache
    # once: sources may change while this runs
    resting = bases({m: reach.tests(m) for m in mutants})
    if not args.resume:
        forget()
    print(f"{len(mutants)} mutants, {len(recall(resting))} known from before", flush=True)
    for step in (_first, _judge):
        known = recall(resting)
        left = [m for m in mutants if m not in known]
        _in_shards(
            args.shards,
            lambda shard, copy, step=step, left=left: step(
                left[shard :: args.shards], resting, reach, args.within, copy
            ),
        )
    known = recall(resting)
    return [(m, known[m]) for m in mutants]


def _told(line: str) -> None:
    print(line, flush=True)


def _in_shards(count: int, work) -> None:  # type: ignore[no-untyped-def]
    """Do ``work(shard, copy)`` in so many processes, each with a copy of the tree."""
    children = []
    for shard in range(count):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
                    work(shard, Copy(Path(folder)))
                code = 0
            except KeyboardInterrupt:
                code = 130
            finally:
                sys.stdout.flush()
                os._exit(code)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    if 130 in codes:
        raise KeyboardInterrupt
    if any(codes):
        raise RuntimeError("a shard ended early; its error is above")


def _first(
    mutants: Sequence[Mutant],
    resting: Mapping[Mutant, Basis],
    reach: Reach,
    within: float,
    copy: Copy,
) -> None:
    """Judge the mutants that can be put into what is loaded once; of the others nothing is said."""

    def work() -> None:
        for mutant in mutants:
            tests = reach.tests(mutant, within)
            outcome = (
                loaded.test(
                    mutant.path,
                    mutant.apply(copy.text(mutant.path)),
                    {test: reach.seconds[test] for test in tests},
                )
                if tests
                else None
            )
            if outcome is None:
                _shown("?")
            else:
                _told_of(mutant, resting[mutant], outcome, len(tests))

    loaded = Loaded(copy)
    loaded.serve(
        sorted({test.partition("::")[0] for m in mutants for test in reach.tests(m, within)}), work
    )


def _judge(
    mutants: Sequence[Mutant],
    resting: Mapping[Mutant, Basis],
    reach: Reach,
    within: float,
    copy: Copy,
) -> None:
    for mutant in mutants:
        tests = reach.tests(mutant, within)
        outcome = Outcome(SURVIVED, "no test reaches it")
        copy.write(mutant.path, mutant.apply(copy.text(mutant.path)))
        for stage in filter(None, reach.stages(tests)):
            outcome = copy.test({test: reach.seconds[test] for test in stage})
            if outcome.word == KILLED:
                break
        copy.restore(mutant.path)
        _told_of(mutant, resting[mutant], outcome, len(tests))


def _told_of(mutant: Mutant, rests_on: Basis, outcome: Outcome, tests: int) -> None:
    _shown("." if outcome.word == KILLED else f"\nsurvived {tests} tests: {mutant.key}\n")
    keep(rests_on, outcome)


def _shown(sign: str) -> None:
    print(sign, end="", flush=True)


def _report(outcomes: Sequence[tuple[Mutant, Outcome]], args: argparse.Namespace) -> int:
    reasons = equivalents()
    status = 0
    print()
    for part, kinds in (("planted", True), ("sample", False)):
        found = [(m, o) for m, o in outcomes if (m.kind in PLANTED) is kinds]
        if not found:
            continue
        survivors = [m for m, o in found if o.word == SURVIVED and m.key not in reasons]
        for mutant in survivors:
            print(mutant.diff((ROOT / mutant.path).read_text(encoding="utf-8")))
            print(f"  {mutant.key}")
        now = tally(found, reasons)
        worse = fallen(now, read()[part])
        killed = sum(cell.killed for cell in now.values())
        equivalent = sum(cell.equivalent for cell in now.values())
        print(
            f"{part}: {len(found)} mutants, {killed} killed, {len(survivors)} survived, {equivalent} equivalent: "
            f"score {share(now):.1%}"
        )
        for line in worse:
            print(f"  below the record: {line}")
        if args.record:
            note = {"seed": args.seed, "sample": args.sample} if part == "sample" else {}
            write(part, now, [m.key for m in survivors], note)
        elif worse:
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
