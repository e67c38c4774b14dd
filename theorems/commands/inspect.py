"""``theorems inspect``: its arguments, what it prints, what it writes."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from simulators.arguments import require
from simulators.batch_files import file_of
from simulators.documents import plain, write_json
from theorems.commands.arguments import (
    add_network_options,
    given_network,
    new_directory,
    require_apart,
    require_file,
    require_plots,
)
from theorems.terminal.exit_statuses import (
    AS_EXPECTED,
    NOT_AS_EXPECTED,
    UNDECIDED,
    UsageError,
    refusing,
    writing,
)
from theorems.terminal.screen import Column, console, field, fields, paragraph, print_columns

if TYPE_CHECKING:
    from torch import nn

    from theorems.inspection.condition import Measures
    from theorems.inspection.predictions import Simulated
    from theorems.inspection.report import Inspection
    from theorems.inspection.stages import NotJudged

__all__ = ["add_arguments", "run"]

_NARROWEST = 34  # columns; a narrower terminal breaks the lines itself
_PICTURES = (".png", ".svg", ".pdf")
_MOST_ROWS = 24
_STYLES = {
    "healthy": "green",
    "collapsing": "red",
    "clustering": "yellow",
    "dead": "red",
    "exploding": "red",
    "vanishing": "red",
    "saturated": "red",
    "not judged": "yellow",
}
_STATUSES = {"healthy": AS_EXPECTED, "not judged": UNDECIDED}
_OTHERS = 4
_COLUMNS = (
    "gap: orthogonality gap, 0 for orthogonal samples; rank: effective rank; soft: soft rank, "
    "τ = 0.5; outlier: the largest share of a sample in the recentred energy; grad: ‖∂L/∂y‖ of "
    "what the layer's map gives"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    more = "; an archive of several arrays is several inputs, the samples first"
    add_network_options(parser, "simulations", more)
    parser.add_argument(
        "--statistics",
        choices=("batch", "running"),
        default="batch",
        help="batchnorm as in training (batch), or everything as in evaluation (running)",
    )
    parser.add_argument("--json", metavar="FILE", help="write all that was measured to FILE")
    parser.add_argument(
        "--report",
        metavar="DIR",
        help="write a page of all of it into DIR, which is made if missing, with its figures",
    )
    parser.add_argument(
        "--plot",
        metavar="FILE",
        help="draw rank, gap and gradients along depth, as .png, .svg or .pdf",
    )


def run(args: argparse.Namespace) -> int:
    with refusing():
        return _STATUSES.get(_inspect(args), NOT_AS_EXPECTED)


def _inspect(args: argparse.Namespace) -> str:
    """Try where to write, and inspect; the network's state. Raises ``ValueError`` or
    ``TypeError``.
    """
    target = None if args.json is None else require_file("--json", args.json)
    picture = None if args.plot is None else _picture(args.plot)
    read = {
        "the network": args.network.rpartition(":")[0],
        "the batch": file_of(args.batch),
        "the checkpoint": args.checkpoint,
    }
    for option, text in (("--json", args.json), ("--plot", args.plot)):
        if text is not None:
            require_apart(option, text, read)
            read[f"what {option} writes"] = text
    with contextlib.nullcontext() if args.report is None else _page_folder(args.report, read) as at:
        return _inspected(args, target, picture, at)


def _page_folder(text: str, others: Mapping[str, str | None]) -> AbstractContextManager[Path]:
    """The folder of the page, none of whose files is one of the ``others``."""
    require_plots()
    from theorems.inspection.page import FILES

    for name in FILES:
        require_apart("--report", os.path.join(text, name), others)
    return new_directory("--report", text)


def _inspected(
    args: argparse.Namespace, target: Path | None, picture: Path | None, folder: Path | None
) -> str:
    """Inspect, print, and write to the places that are given; the network's state."""
    from theorems.inspection import inspect
    from theorems.inspection.loading import load_inputs

    (batch, described), module, seed = given_network(args, load_inputs)
    others = [] if args.checkpoint is not None else _redrawn(args.network, module, seed)
    found = inspect(module, batch, statistics=args.statistics, seed=seed, others=others)
    out = console(narrowest=_NARROWEST)
    _print(out, found, described)
    if target is not None:
        with writing(target):
            write_json(target, plain(found.as_json()))
        field(out, "Written", str(target))
    if picture is not None:
        from theorems.inspection.figure import draw
        from theorems.report.style import drawing

        figure = draw(found)
        with drawing(), writing(picture):
            figure.savefig(picture, dpi=160)
        field(out, "Written", str(picture))
    if folder is not None:
        from theorems.inspection.page import write_page
        from theorems.report.provenance import provenance

        with writing(folder):
            page, *_ = write_page(
                found, folder, batch=described, seed=seed, run=provenance(args.words)
            )
        field(out, "Written", str(page))
    return found.state


def _redrawn(target: str, module: nn.Module, seed: int) -> list[nn.Module]:
    """The network with weights of other seeds; none where its own code fixes them."""
    from theorems.inspection.loading import load_network

    found = [load_network(target, seed + k) for k in range(1, _OTHERS + 1)]
    own = list(module.parameters())
    for other in found:
        pairs = list(zip(own, other.parameters(), strict=False))
        alike = all(a.shape == b.shape for a, b in pairs)
        if not alike or all(bool((a == b).all()) for a, b in pairs):
            return []
    return found


def _picture(text: str) -> Path:
    require_plots()
    suffix = Path(text).suffix
    require(
        suffix.lower() in _PICTURES,
        f"--plot {text!r}: suffix {suffix!r} is unknown; name a .png, .svg or .pdf file",
        UsageError,
    )
    return require_file("--plot", text)


def _print(out: Console, found: Inspection, batch: str) -> None:
    print_columns(out, _layers(found))
    if found.not_judged:
        out.print()
        print_columns(out, _left_out(found))
    out.print()
    mode = (
        "batch statistics as in training, dropout off"
        if found.statistics == "batch"
        else "running statistics, as in evaluation"
    )
    parameters = found.parameters
    fields(
        out,
        {
            "Batch": f"{batch}; {mode}",
            "Counted": found.counted,
            "Columns": _COLUMNS,
            "Parameters": f"{parameters.judged} of {parameters.total} are of layers judged",
            "Chain": found.recognised.sentence,
        },
    )
    _print_backward(out, found)
    for what, words in found.besides:
        field(out, what.capitalize(), words)
    _print_predictions(out, found)
    for remedy in found.remedies:
        field(out, "Remedy", f"{remedy.words} ({remedy.statement})")
    paragraph(out, Text(found.verdict, style=f"bold {_STYLES[found.state]}"))


def _layers(found: Inspection) -> list[Column]:
    """What was measured, the batch first; of very many layers the first and the last."""
    seen = found.gradients
    norms = [math.nan] * len(found.layers) if isinstance(seen, str) else seen.norms
    rows = [_row(0, "batch", "", found.batch, math.nan)]
    for number, (layer, norm) in enumerate(zip(found.layers, norms, strict=True), start=1):
        does = layer.does if number <= found.hidden else f"{layer.role}, not judged"
        rows.append(_row(number, layer.name, does, layer.measures, norm))
    if (more := len(rows) - _MOST_ROWS) > 0:
        half = _MOST_ROWS // 2
        rows[half : len(rows) - half] = [["…", f"{more} more", *[""] * 8]]
    done: list[Text] = []
    previous = ""
    for row in rows:
        did = str(row[-1])
        done.append(Text("as above" if did and did == previous else did, style="dim"))
        previous = did if row[0] != "…" else previous
    numbers, names, *measured, conditions, _ = zip(*rows, strict=True)
    titles = ("width", "gap", "rank", "soft", "outlier", "grad")
    return [
        Column("", numbers, right=True),
        Column("layer", names, folds=True, narrowest=8),
        *(Column(name, cells, right=True) for name, cells in zip(titles, measured, strict=True)),
        Column("", conditions),
        Column("does", done, folds=True, narrowest=10),
    ]


def _row(number: int, name: str, does: str, seen: Measures, norm: float) -> list[str | Text]:
    # a batch has no depth to collapse along
    low = number == 0 and seen.word == "collapsing"
    condition = "low rank" if low else seen.word
    return [
        str(number),
        name,
        str(seen.width),
        _number(seen.gap),
        _number(seen.effective_rank),
        _number(seen.soft_rank, ".0f"),
        _number(seen.outlier_share, ".0%"),
        _number(norm, ".0e"),
        Text(condition, style=_STYLES[seen.word]),
        does,
    ]


def _left_out(found: Inspection) -> list[Column]:
    """Every module that holds parameters and was not judged, together with those of its kind."""
    alike: dict[str, list[NotJudged]] = {}
    for item in found.not_judged:
        alike.setdefault(f"{item.kind}: {item.reason}", []).append(item)
    return [
        Column("not judged", list(map(_names, alike.values())), folds=True),
        Column("parameters", list(map(_parameters, alike.values())), right=True),
        Column("because", [Text(why, style="dim") for why in alike], folds=True),
    ]


def _names(items: Iterable[NotJudged]) -> str:
    return ", ".join(item.name for item in items)


def _parameters(items: Iterable[NotJudged]) -> str:
    return str(sum(item.parameters for item in items))


def _print_backward(out: Console, found: Inspection) -> None:
    """How gradients grow, and the layers with the largest shares of dead and saturated units."""
    seen = found.gradients
    if isinstance(seen, str):
        field(out, "Gradients", seen)
        return
    field(out, "Gradients", f"{seen.sentence}; {seen.word}, of {seen.loss}")
    units = [
        _largest(found, *each) for each in (("dead", seen.dead), ("saturated", seen.saturated))
    ]
    if any(units):
        field(out, "Units", "; ".join(filter(None, units)))


def _largest(found: Inspection, what: str, shares: Sequence[float]) -> str:
    """The layer with the largest share of units that are so, in words; none if all are zero."""
    known = [0.0 if math.isnan(share) else share for share in shares]
    worst = max(range(len(known)), key=known.__getitem__)
    if known[worst] == 0:
        return ""
    return f"{what} {known[worst]:.0%} at most, in layer {worst + 1} ({found.layers[worst].name!r})"


def _print_predictions(out: Console, found: Inspection) -> None:
    seen = found.simulation
    if isinstance(seen, str):
        field(out, "Not simulated", seen)
    else:
        _print_simulated(out, seen, found.hidden)
    outside: dict[str, list[str]] = {}
    for finding in found.findings:
        if not finding.met:
            outside.setdefault(finding.why, []).append(finding.statement)
        elif finding.predicted is not None and finding.measured is not None:
            verdict = {None: "says nothing", True: "holds", False: "fails"}[finding.holds]
            sign = "≤" if finding.measured <= finding.predicted else ">"
            compared = f"{finding.measured:.3g} {sign} {finding.predicted:.3g} ({finding.why})"
            field(out, "Statement", f"{finding.statement}: {verdict}, {compared}")
        else:
            field(out, "Applies", f"{finding.statement}: {finding.why}")
    for why, names in outside.items():
        field(out, "Outside", f"{', '.join(names)}: {why}")


def _print_simulated(out: Console, seen: Simulated, hidden: int) -> None:
    """What was simulated, if not the whole network, and each quantity beside the replicas."""
    stretch = seen.stretch
    if stretch.differs or stretch.layers < hidden:
        where = f"layers {stretch.first + 1} to {stretch.end} are {stretch.words}"
        but = f", but for {'; '.join(stretch.differs)}; compared all the same"
        field(out, "Nearly", where + (but if stretch.differs else ""))
    first, *others = (
        f"{line.quantity} {line.measured:.4g}, {'as one of them' if line.holds else 'unlike them'}: "
        f"{line.predicted.min():.4g} to {line.predicted.max():.4g}"
        for line in seen.lines
    )
    chance = f"(p = {seen.p_value:.2g}, level {seen.level:g})"
    field(out, "Simulated", f"{first} in {len(seen.means)} networks of this chain {chance}")
    field(out, "Also", "; ".join(others))


def _number(value: float, form: str = ".3f") -> str:
    return f"{value:{form}}" if math.isfinite(value) else "–"
