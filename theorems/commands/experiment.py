"""What ``theorems verify`` takes for statements that train networks: on which images, at which
sizes, where, and into which store; and their training before a full run is judged.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from simulators.arguments import require
from theorems.context import Context
from theorems.gathering import trains
from theorems.statement import Statement
from theorems.terminal.exit_statuses import AS_EXPECTED, UsageError

if TYPE_CHECKING:
    from simulators.sweeps.store import Store
    from simulators.training import Experiment
    from simulators.training.rows import NetworkRun

__all__ = ["GivenExperiment", "add_experiment_options", "given_experiment", "planned", "train_all"]

_OPTIONS = (
    ("data", "FOLDER", "learn from its standard files: MNIST, Fashion-MNIST, CIFAR-10 (digits)"),
    ("store", "FILE", "keep each network that is trained, and find it again; made if missing"),
    ("device", "NAME", "Torch's, such as cuda (cpu)"),
    ("dask", "ADDRESS", "with --full: train on the Dask cluster of this scheduler"),
)


@dataclass(frozen=True)
class GivenExperiment:
    """The experiment of a command line.

    - ``experiment``: None where no option speaks of one
    - ``elsewhere``: the options that make its networks others than the library's own
    - ``runs``: every network that the statements would train, by its key
    - ``unused``: what the store has of them that is of another device or Torch, in words
    """

    experiment: Experiment | None = None
    elsewhere: str = ""
    runs: Mapping[str, NetworkRun] = field(default_factory=dict)
    unused: str = ""

    @property
    def on_the_cpu(self) -> bool:
        """Whether processes of this machine may train side by side."""
        return self.experiment is None or self.experiment.device == "cpu"

    @property
    def words(self) -> str:
        """What is learnt, and how, in words; empty where nothing was said of it."""
        if self.experiment is None:
            return ""
        given = self.experiment
        words = [given.images.words, "sizes as published" if given.full else "", given.device]
        return "; ".join(filter(None, [*words, f"kept in {given.store}" if given.store else ""]))


def add_experiment_options(parser: argparse.ArgumentParser) -> None:
    """``--data``, ``--full``, ``--store``, ``--device`` and ``--dask``.

    >>> parser = argparse.ArgumentParser()
    >>> add_experiment_options(parser)
    >>> given = parser.parse_args(["--data", "cifar", "--full", "--store", "runs.db"])
    >>> given.data, given.full, given.store, given.device, given.dask
    ('cifar', True, 'runs.db', None, None)
    """
    group = parser.add_argument_group("statements that train networks")
    group.add_argument(
        "--full", action="store_true", help="at the sizes of the publications: hours or days"
    )
    for name, metavar, words in _OPTIONS:
        group.add_argument(f"--{name}", metavar=metavar, help=words)


def planned(
    statements: Sequence[Statement], seed: int, experiment: Experiment
) -> Mapping[str, NetworkRun]:
    """Every network that the checks of statements would train, by its key; none is trained.

    Args:
        statements: of any family.
        seed: of the run.
        experiment: under which they would be trained.

    Raises:
        TrainingError: what cannot be trained here, in one line.
    """
    from simulators.training.experiment import Plan

    plan = Plan.of(experiment)
    for statement in statements:
        for check in statement.checks:
            if getattr(check, "trains", False):
                check(statement, Context(seed, 0.5, experiment=plan))
    return plan.runs


def given_experiment(args: argparse.Namespace, statements: Sequence[Statement]) -> GivenExperiment:
    """The experiment that a command line gives, once its files, device, memory and store are there.

    Raises ``ValueError`` in one line.

    Args:
        args: of `add_experiment_options`, with a ``seed``.
        statements: that are asked.
    """
    options = [f"--{name}" for name, *_ in _OPTIONS if getattr(args, name) is not None]
    options += ["--full"] * args.full
    for name, metavar, words in _OPTIONS:
        require(
            getattr(args, name) != "",
            f"--{name} '': is empty; give {metavar} ({words}), or leave it out",
            UsageError,
        )
    if not options:
        return GivenExperiment()
    asked = [statement for statement in statements if trains(statement)]
    for stands, words in (
        (asked, "nothing that is asked trains networks; name statements that do"),
        (not args.full or args.data, "what was published is of images in files; add --data FOLDER"),
        (not args.full or args.store, "it takes hours, and is to survive a kill; add --store FILE"),
        (args.dask is None or args.full, "a cluster is for --full; leave it out"),
    ):
        require(stands, f"{', '.join(options)}: {words}", UsageError)
    from simulators.backend import select
    from simulators.sweeps.store import Store
    from simulators.training import Experiment, images_from, images_in

    device = select("float32", "cpu" if args.device is None else args.device).device
    images = images_from() if args.data is None else images_in(args.data)
    store = None if args.store is None else Path(args.store)
    experiment = Experiment(images, args.full, device, store)
    runs = planned(asked, args.seed, experiment)
    unused = ""
    if store is not None:
        with Store(store) as opened:
            unused = _unused(opened, runs)
        experiment = replace(experiment, existing=True)
    other = [option for option in options if option not in ("--store", "--dask")]
    return GivenExperiment(experiment, ", ".join(other), runs, unused)


def _unused(store: Store, runs: Mapping[str, NetworkRun]) -> str:
    """What is said of rows that another kind of device or another Torch has trained."""
    from simulators.training.rows import trained_otherwise

    found = trained_otherwise(store, runs)
    if not found:
        return ""
    kinds = ", ".join(
        f"{count} on {device} by Torch {version}" for (device, version), count in found.items()
    )
    now = next(iter(runs.values())).parameters()
    return (
        f"of networks asked for it has {kinds}; they stay, and are trained again, on "
        f"{now['device']} by Torch {now['torch']}"
    )


def train_all(out: Console, given: GivenExperiment, jobs: int, dask: str | None) -> int:
    """Train what the store lacks, by processes or a cluster; the exit status. How long it takes is
    told from the start, by some steps of the largest network on this machine.

    Args:
        out: where the outcome is printed.
        given: a full experiment.
        jobs: processes of this machine, where there is no cluster.
        dask: the address of a scheduler, or None.
    """
    from simulators.sweeps.store import Store
    from simulators.training.rows import unfinished
    from theorems.commands.sweep import stopped, swept

    experiment = given.experiment
    if experiment is None or experiment.store is None:
        return AS_EXPECTED
    with stopped(), Store(experiment.store) as store:
        there = store.finished()
        missing = [run for key, run in given.runs.items() if key not in there]
        pace = _pace(missing) if missing else None
        status = swept(out, given.runs, store, None if dask else jobs, dask, pace)
    if status == AS_EXPECTED:
        shutil.rmtree(unfinished(experiment.store, []).parent, ignore_errors=True)
    return status


def _pace(runs: Sequence[NetworkRun]) -> float | None:
    """That of the largest; None where this machine cannot do what workers may."""
    from simulators.training import TrainingError

    try:
        return max(runs, key=lambda run: run.rough_seconds).pace()
    except TrainingError:
        return None
