"""``theorems sweep``: its arguments, what it prints, and how it ends."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.filesize import decimal
from rich.text import Text

from simulators.arguments import require
from simulators.chains import CHAINS
from simulators.observables import OBSERVABLES
from simulators.sweeps.dispatch import Outcome, SweepError, sweep
from simulators.sweeps.executors import ClusterError, Run, Workers, dask_cluster, local_processes
from simulators.sweeps.export import (
    ExportError,
    UnwritableTableError,
    export,
    require_apart,
    require_format,
)
from simulators.sweeps.grid import Grid, SweepRun, read_grid
from simulators.sweeps.store import Store, StoreError, UnwritableStoreError
from simulators.weights import LAWS
from theorems.commands.arguments import add_word_options, require_file, whole_option
from theorems.commands.arguments import require_apart as apart_from
from theorems.terminal.exit_statuses import (
    AS_EXPECTED,
    INTERRUPTED,
    NOT_AS_EXPECTED,
    OutputError,
    UsageError,
    refusing,
)
from theorems.terminal.progress import SweepMeter
from theorems.terminal.screen import console, duration, field, fields, paragraph

__all__ = ["add_arguments", "run", "stopped", "swept"]

#: What may end a sweep that runs, and those among it that are about an output.
_STOPPED = (StoreError, ClusterError, ExportError, SweepError)
_UNWRITABLE = (UnwritableStoreError, UnwritableTableError)

_AXES = {
    "chain": "such as {chains}",
    "width": "such as 64 256",
    "batch": "sizes n of normal batches, files, or digits",
    "depth": "such as 100",
    "weights": "laws: {laws}",
    "seeds": "such as 0..9",
    "observables": "such as {observables}",
}
_SINGLE = ("replicas", "engine", "dtype", "batch_seed", "layout")
_BACKWARD = "what gradients are at the last layer: gaussian, readout, or a .npy file (width, n)"
_TANGENTS = (
    "what tangents are at the batch: gaussian, gaussian(k), or a .npy file (d, n) or (k, d, n)"
)
_SHOWN = 5  # failures printed in full


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "grid",
        nargs="?",
        metavar="GRID.toml",
        help="the grid; the options below replace its fields",
    )
    parser.add_argument(
        "--store", required=True, metavar="FILE", help="where results are kept; made if missing"
    )
    known = {
        "chains": shlex.join(chain.spelling for chain in CHAINS.values()),
        "laws": shlex.join(law.example for law in LAWS.values()),
        "observables": shlex.join(each.example for each in OBSERVABLES.values()),
    }
    for name, words in _AXES.items():
        parser.add_argument(f"--{name}", nargs="+", metavar="VALUE", help=words.format_map(known))
    for name in _SINGLE:
        parser.add_argument(
            f"--{name.replace('_', '-')}", metavar="VALUE", help="one value, not varied"
        )
    parser.add_argument("--backward", metavar="VALUE", help=_BACKWARD)
    parser.add_argument("--tangents", metavar="VALUE", help=_TANGENTS)
    add_word_options(parser)
    parser.add_argument("--workers", metavar="N", help="local processes (one per core)")
    parser.add_argument(
        "--dask", metavar="ADDRESS", help="use the Dask cluster of this scheduler instead"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would run and how long it takes, no more"
    )
    parser.add_argument(
        "--export",
        metavar="FILE",
        help="then write the results as .csv or .parquet; without a grid, "
        "write all that the store holds",
    )


def run(args: argparse.Namespace) -> int:
    with refusing():
        runs = _prepare(args)
    with stopped():
        return _carry_out(runs, args)


@contextlib.contextmanager
def stopped() -> Iterator[None]:
    """Inside, what ends a sweep is told in one line, as of an input or of an output."""
    with refusing(_STOPPED):
        try:
            yield
        except _UNWRITABLE as error:
            raise OutputError(str(error)) from None


def _prepare(args: argparse.Namespace) -> Mapping[str, SweepRun] | None:
    """The runs that are asked for, None for all that the store holds, once everything is checked.

    Raises ``ValueError`` or ``TypeError``. Puts the count of workers and the table into ``args``.
    """
    given = {
        name: value
        for name in (*_AXES, *_SINGLE, "backward", "tangents")
        if (value := getattr(args, name)) is not None
    }
    args.table = None
    if args.export is not None:
        require_format(args.export)
        require_apart(args.export, args.store)
        args.table = require_file("--export", args.export)
    require(
        args.dask is None or args.workers is None,
        f"--workers {args.workers}: the cluster at --dask {args.dask} has its own; leave one out",
        UsageError,
    )
    if args.workers is not None:
        args.workers = whole_option("--workers", args.workers, 1)
    runs: Mapping[str, SweepRun] | None = None
    if args.grid is not None:
        runs = read_grid(args.grid, **given).runs()
    elif given:
        runs = Grid.of(given).runs()
    elif args.table is None or args.dry_run:
        raise UsageError("sweep: no grid; give GRID.toml, or --chain, --width, --batch and --depth")
    if args.export is not None:
        files = {run.batch.file for run in (runs or {}).values() if run.batch.file is not None}
        read = {"the grid": args.grid, **{f"the batch {f}": f for f in sorted(files)}}
        last = {run.backward.file for run in (runs or {}).values() if run.backward is not None}
        along = {run.tangents.file for run in (runs or {}).values() if run.tangents is not None}
        read |= {f"the gradient {f}": f for f in last} | {f"the tangent {f}": f for f in along}
        apart_from("--export", args.export, read)
    return runs


def _carry_out(runs: Mapping[str, SweepRun] | None, args: argparse.Namespace) -> int:
    """Run, or say what would run; the exit status. Raises what is in `_STOPPED`."""
    out = console()
    for words in dict.fromkeys(run.batch.description for run in (runs or {}).values()):
        fields(out, {"Batch": words})
    if args.dry_run and runs is not None:
        _print_plan(out, runs, args)
        return AS_EXPECTED
    status = AS_EXPECTED
    with Store(args.store, create=runs is not None) as store:
        if runs is not None:
            status = swept(out, runs, store, args.workers, args.dask)
        if args.table is not None and status != INTERRUPTED:
            rows = export(store, args.table, runs)
            field(out, "Table", f"{args.table}, {rows} rows")
    return status


def swept(
    out: Console,
    runs: Mapping[str, Run],
    store: Store,
    workers: int | None,
    dask: str | None,
    pace: float | None = None,
) -> int:
    """Do the runs that a store lacks, with a meter, and print how that ended; the exit status.

    Args:
        out: where the outcome is printed.
        runs: by their keys.
        store: where results go.
        workers: local processes, one per core by default.
        dask: the address of a scheduler, or None.
        pace: as of `simulators.sweeps.sweep`.

    Raises:
        StoreError, ClusterError, SweepError: what ends a sweep.
    """
    meter = SweepMeter(console(errors=True))
    try:
        with _crew(workers, dask) as crew, meter:
            outcome = sweep(
                runs.values(),
                store,
                workers=contextlib.nullcontext(crew),
                progress=meter.at,
                pace=pace,
            )
    except KeyboardInterrupt:
        paragraph(out, Text(f"Interrupted: {_kept(store, runs)}; start again to do the rest."))
        return INTERRUPTED
    except SweepError as error:
        raise SweepError(f"{error} ({_kept(store, runs)})") from None
    _print_outcome(out, outcome, store)
    return NOT_AS_EXPECTED if outcome.failures else AS_EXPECTED


@contextlib.contextmanager
def _crew(workers: int | None, dask: str | None) -> Iterator[Workers]:
    if dask is None:
        with local_processes(workers) as crew:
            yield crew
        return
    with _quiet_dask(), dask_cluster(dask) as crew:
        yield crew


@contextlib.contextmanager
def _quiet_dask() -> Iterator[None]:
    """What matters of its log is said in one line. Its import sets up its loggers, some with levels
    of their own.
    """
    with contextlib.suppress(ImportError):
        import distributed  # noqa: F401
    names = [
        name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"
    ]
    levels = {chatter: chatter.level for chatter in map(logging.getLogger, names)}
    for chatter in levels:
        chatter.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for chatter, level in levels.items():
            chatter.setLevel(level)


def _kept(store: Store, runs: Mapping[str, Run]) -> str:
    return (
        f"{len(store.finished() & runs.keys())} of {len(runs)} results are stored in {store.path}"
    )


def _print_outcome(out: Console, outcome: Outcome, store: Store) -> None:
    parts = [f"{outcome.found} in the store already", f"{outcome.computed} computed"]
    if outcome.elsewhere:
        parts.append(f"{outcome.elsewhere} by another process")
    if outcome.failures:
        parts.append(f"{len(outcome.failures)} failed")
    field(out, "Runs", f"{outcome.total}: {', '.join(parts)}")
    for line in list(outcome.failures.values())[:_SHOWN]:
        field(out, "Failed", Text(line, style="red"))
    if (more := len(outcome.failures) - _SHOWN) > 0:
        field(out, "", f"and {more} more; a second start tries them again")
    size = decimal(store.path.stat().st_size)
    fields(out, {"Store": f"{store.path}, {size}", "Time": duration(outcome.seconds)})


def _print_plan(out: Console, runs: Mapping[str, SweepRun], args: argparse.Namespace) -> None:
    from simulators.sweeps.running_times import calibrate

    there: set[str] = set()
    if os.path.exists(args.store) and os.path.getsize(args.store):
        with Store(args.store, create=False) as store:
            there = store.finished()
    missing = [run for key, run in runs.items() if key not in there]
    old = len(runs) - len(missing)
    field(out, "Runs", f"{len(runs)}, of which {old} in the store already")
    if not missing:
        return
    engines = Counter(run.engine for run in missing)
    costs = calibrate(missing)
    seconds = [costs.seconds(run) for run in missing]
    longest = max(range(len(missing)), key=seconds.__getitem__)
    with _crew(args.workers, args.dask) as crew:
        count = crew.count
    wall = max(sum(seconds) / count, seconds[longest])
    entries = sum(run.replicas * (run.depth + 1) * len(run.observables) for run in missing)
    growth = decimal(8 * entries + 3000 * len(missing))
    fields(
        out,
        {
            "Engines": ", ".join(f"{name} {number}" for name, number in engines.items()),
            "One core": f"{duration(sum(seconds))}, within a factor of two or so, "
            "from short measured runs",
            f"{count} worker{'' if count == 1 else 's'}": f"{duration(wall)} at best",
            "Longest run": f"{duration(seconds[longest])}: {missing[longest]}",
            "Store": f"{args.store}, grows by {growth} or more",
        },
    )
