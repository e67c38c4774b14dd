"""``theorems regions``: its arguments, what it prints, what it writes."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.text import Text

from simulators.arguments import require
from simulators.documents import plain, write_json
from theorems.commands.arguments import (
    add_network_options,
    given_network,
    positive_option,
    require_directory,
    require_plots,
    whole_option,
)
from theorems.terminal.exit_statuses import (
    AS_EXPECTED,
    INTERRUPTED,
    NOT_AS_EXPECTED,
    UsageError,
    refusing,
    writing,
)
from theorems.terminal.progress import live_line
from theorems.terminal.screen import (
    Column,
    console,
    duration,
    field,
    fields,
    paragraph,
    print_columns,
)

if TYPE_CHECKING:
    from torch import nn

    from simulators.splines.network import Network
    from theorems.inspection.decisions import Decisions
    from theorems.inspection.regions import Regions, View

__all__ = ["add_arguments", "run"]

_NARROWEST = 34  # columns; a narrower terminal breaks the lines itself
_MINIBATCHES = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_network_options(parser, "mini-batches")
    parser.add_argument(
        "--out", required=True, metavar="DIR", help="where pictures and tables go; made if missing"
    )
    parser.add_argument(
        "--slice",
        metavar="PLANE",
        help="PCA, two coordinates such as 0,1, or three samples such as 0,4,7 "
        "(the two coordinates there are, or PCA)",
    )
    parser.add_argument(
        "--bn",
        choices=("train", "frozen", "none"),
        default="train",
        help="batch normalisation with the batch's statistics, its running ones, or left out "
        "(train)",
    )
    parser.add_argument(
        "--half-side",
        metavar="X",
        help="half the side of the square, in coordinates of the plane (so that all samples are "
        "in)",
    )
    parser.add_argument(
        "--minibatch",
        metavar="N",
        help=f"show how the decision moves over {_MINIBATCHES} mini-batches of N samples",
    )
    parser.add_argument(
        "--budget", metavar="SECONDS", help="stop cutting after so long, with what was found"
    )


def run(args: argparse.Namespace) -> int:
    with refusing():
        return _regions(args)


def _regions(args: argparse.Namespace) -> int:
    """Find, print and write; the exit status. Raises ``ValueError`` or ``TypeError``."""
    size = None if args.minibatch is None else whole_option("--minibatch", args.minibatch, 2)
    half_side = positive_option("--half-side", args.half_side)
    seconds = positive_option("--budget", args.budget)
    require(
        size is None or args.bn == "train",
        f"--minibatch {args.minibatch}: says whose statistics to use, and --bn {args.bn} has "
        "others; leave one out",
        UsageError,
    )
    require_plots()
    from theorems.inspection.loading import load_batch
    from theorems.inspection.regions import look_at

    batch, module, seed = given_network(args, load_batch)
    array = np.asarray(batch.array, dtype=np.float64)
    require(
        size is None or size <= len(array),
        f"--minibatch {args.minibatch}: the batch has {len(array)} samples",
        UsageError,
    )
    view = look_at(module, array, plane=args.slice, statistics=args.bn, half_side=half_side)
    minibatches = [] if size is None else _minibatches(size, module, array, view.network, seed)
    directory = require_directory("--out", args.out)  # once nothing more can be refused
    began = time.monotonic()
    found, interrupted = _found(view, seconds)
    gone = time.monotonic() - began
    out = console(narrowest=_NARROWEST)
    _print(out, found, batch.description, gone)
    with writing(directory):  # first what stays if the picture does not come to its end
        _write(found, directory)
    seen = _seen(found, minibatches)
    with writing(directory):
        _draw(found, seen, directory)
    field(
        out, "Written", f"regions.png, .svg, .csv, .geojson, folds.csv, summary.json in {args.out}"
    )
    if found.partition.complete:
        return AS_EXPECTED
    layer, unit = found.partition.reached
    why = "interrupted" if interrupted else f"the budget of {args.budget} s ended"
    words = f"not complete: {why} before unit {unit + 1} of layer {layer + 1}"
    paragraph(out, Text(words, style="bold yellow"))
    return INTERRUPTED if interrupted else NOT_AS_EXPECTED


def _minibatches(
    size: int, module: nn.Module, array: np.ndarray, network: Network, seed: int
) -> list[Network]:
    """The network with the statistics of mini-batches of ``size`` samples; `UsageError` unless it
    decides something, and mini-batches may move it.
    """
    from torch import nn

    from theorems.inspection.decisions import decides, minibatch_networks

    why = ""
    if not any(isinstance(each, (nn.BatchNorm1d, nn.BatchNorm2d)) for each in module.modules()):
        why = "the network has no batch normalisation, and is the same for every batch"
    elif not decides(network):
        why = "the network ends with an activation, so that its outputs are no decision"
    require(not why, f"--minibatch {size}: {why}; leave it out", UsageError)
    try:
        return minibatch_networks(module, array, size=size, count=_MINIBATCHES, seed=seed)
    except ValueError as error:
        raise UsageError(f"--minibatch {size}: of a mini-batch, {error}") from error


def _found(view: View, seconds: float | None) -> tuple[Regions, bool]:
    """The regions, and whether finding them was interrupted; they are then those found so far."""
    from theorems.inspection.regions import find_regions

    stopping, ready = threading.Event(), threading.Event()

    def find() -> Regions:
        ready.wait()
        return find_regions(
            view,
            seconds=seconds,
            stop=stopping.is_set,
            progress=lambda layer, unit, count: at(
                f"layer {layer + 1}, unit {unit + 1}: {count:,} regions"
            ),
        )

    with ExitStack() as leaving:
        at = leaving.enter_context(live_line(console(errors=True), ""))
        # beside, so that an interruption finds a mesh that is whole
        beside = leaving.enter_context(ThreadPoolExecutor(1))
        leaving.callback(ready.set)
        leaving.callback(stopping.set)
        running = beside.submit(find)
        try:
            ready.set()  # not before an interruption is seen to
            return running.result(), False
        except KeyboardInterrupt:
            stopping.set()
            ready.set()
            return running.result(), True


def _seen(found: Regions, minibatches: Sequence[Network]) -> Decisions | None:
    """What the network decides, where its outputs decide and all its units were gone through."""
    from theorems.inspection.decisions import decide, decide_by_minibatches, decides

    view = found.view
    if not found.partition.complete or not decides(view.network):
        return None
    runs = 1 + len(minibatches)
    whole = decide(view.network, view.plane, view.centre, view.half_side, runs)
    return decide_by_minibatches(minibatches, view.plane, whole) if minibatches else whole


def _print(out: Console, found: Regions, batch: str, gone: float) -> None:
    partition = found.partition
    counts = [f"{count:,}" for count in found.counts]
    done = slice(len(counts))
    if counts:
        columns = [
            Column("layer", [str(k + 1) for k in range(len(counts))], right=True),
            Column("activation", found.layer_names[done], folds=True),
            Column("units", list(map(str, partition.network.widths[done])), right=True),
            Column("regions", counts, right=True),
        ]
        print_columns(out, columns)
        out.print()
    told = found.as_json()
    first, second = partition.plane.labels
    (u, v), half = found.view.centre, found.view.half_side
    square = f"{u:g} ± {half:g} × {v:g} ± {half:g} of {first}, {second}"
    bends = f"{len(found.bends.angles):,}"
    if len(found.bends.angles):
        bends += f", on average by {np.degrees(found.bends.angles.mean()):.1f}°"
    fields(
        out,
        {
            "Batch": batch,
            "Plane": f"{square}, in dimension {partition.plane.dimension}",
            "Regions": f"{partition.regions:,}, in {duration(gone)}; of all signs of units at "
            f"vertices, {partition.exact_signs:,} were decided in rationals",
            "Folds": bends,
            "Near samples": _density(told["boundary_per_area"]),
        },
    )
    if partition.network.remarks:
        field(out, "Statistics", "; ".join(partition.network.remarks))


def _density(told: object) -> str:
    """Boundary per area near the samples, beside that of the whole square."""
    if not isinstance(told, dict) or not told["everywhere"]:
        return "no boundary"
    ratio = told["near_samples"] / told["everywhere"]
    return (
        f"{ratio:.3g} times the boundary per area of the whole square (radius {told['radius']:g})"
    )


def _write(found: Regions, directory: Path) -> None:
    """Tables and summary. Raises ``OSError``."""
    from theorems.inspection.regions import write_regions

    write_regions(found, directory)
    write_json(directory / "summary.json", plain(found.as_json()))


def _draw(found: Regions, seen: Decisions | None, directory: Path) -> None:
    """The picture. Raises ``OSError``."""
    from theorems.inspection.regions_figure import draw_regions
    from theorems.report.style import Drawing, save

    save(Drawing("regions", "", "", draw_regions(found, seen)), directory)
