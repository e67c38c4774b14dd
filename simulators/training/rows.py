"""Training runs as rows of a store: each is kept when it is done, and none is done twice.

A row is one network. It is known by its design, its recipe, the digest of its images, its seed, and
the kind of device and version of Torch that it was trained by; a second start finds what the first
has finished, whenever and however that ended.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from simulators.arguments import whole_number
from simulators.sweeps.grid import canonical
from simulators.sweeps.store import Row, Store
from simulators.training.data import Images
from simulators.training.networks import Design
from simulators.training.train import (
    Recipe,
    Trained,
    decisive,
    multiply_adds,
    seconds_a_multiply_add,
    train,
)

__all__ = ["NetworkRun", "row_key", "train_into", "trained_otherwise", "unfinished"]

#: What the same network may differ in from one row to another.
_CIRCUMSTANCES = ("training", "device", "torch")

#: Multiply-adds of a core, within a factor of ten.
_A_SECOND = 2e10


def row_key(
    design: Design, recipe: Recipe, images: Images, seed: Sequence[int], device: str = "cpu"
) -> str:
    """The key of a run in a store: sha256 of `simulators.training.train.decisive`.

    Args:
        design: what the network is.
        recipe: how it is trained.
        images: what it learns.
        seed: its entropy.
        device: Torch's.

    Example:
        >>> from simulators.training.data import images_from
        >>> key = row_key(Design(2, 8), Recipe(10), images_from(), (0, 1))
        >>> len(key), key == row_key(Design(2, 8), Recipe(10), images_from(), (0, 2))
        (64, False)
    """
    words = canonical(decisive(design, recipe, images, seed, device))
    return hashlib.sha256(words.encode()).hexdigest()


def train_into(
    store: Store,
    design: Design,
    recipe: Recipe,
    images: Images,
    seeds: Sequence[Sequence[int]],
    *,
    together: int = 32,
    device: str = "cpu",
    progress: Callable[[str], None] = lambda _: None,
) -> Trained:
    """As `simulators.training.train.train`, with a store that keeps every network when it is done.

    What another kind of device or another version of Torch has put there stays, and is not taken
    for the same: the networks are trained again, and their rows stand beside it.

    Args:
        store: where runs are found, and put.
        design: what the networks are.
        recipe: how they are trained.
        images: what they learn.
        seeds: entropy of each, no two alike.
        together: how many are trained at once, at least 1; all of them are put into the store in
            one transaction. A kill loses at most some minutes of what they had done, as a long
            run is kept on the way in a folder beside the store.
        device: Torch's.
        progress: told the step, the median loss and how many diverged.

    Returns:
        What came of each seed, in their order, whether found or trained now.

    Raises:
        ValueError: as `simulators.training.train.train`.
        simulators.sweeps.store.StoreError: a store that cannot be used any more.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from simulators.training.data import images_from
        >>> recipe = Recipe(steps=2, samples=64)
        >>> with TemporaryDirectory() as folder, Store(f"{folder}/runs.db") as store:
        ...     first = train_into(store, Design(1, 8), recipe, images_from(), [(0,), (1,)])
        ...     again = train_into(store, Design(1, 8), recipe, images_from(), [(1,), (0,)])
        ...     len(store.finished()), bool((first.losses[::-1] == again.losses).all())
        (2, True)
    """
    whole_number("together", together, 1)
    keys = [row_key(design, recipe, images, seed, device) for seed in seeds]
    there = store.finished()
    missing = [place for place, key in enumerate(keys) if key not in there]
    for first in range(0, len(missing), together):
        places = missing[first : first + together]
        began = time.perf_counter()
        group = [seeds[place] for place in places]
        file = unfinished(store.path, [keys[place] for place in places])
        found = train(
            design, recipe, images, group, device=device, progress=progress, unfinished=file
        )
        seconds = (time.perf_counter() - began) / len(group)
        store.put(
            [
                Row(
                    keys[place],
                    canonical(decisive(design, recipe, images, seeds[place], device)),
                    found.to_bytes(number),
                    seconds,
                )
                for number, place in enumerate(places)
            ]
        )
        _forget(file)
    return Trained.joined(row.data for row in store.rows(keys))


def _forget(file: Path) -> None:
    """Remove what is kept of a run that is done, with drafts that a kill left beside it. Where
    another process is writing such a draft, that run is kept a few minutes later.
    """
    with suppress(OSError):
        for left in (file, *file.parent.glob(".*.draft")):
            left.unlink(missing_ok=True)
        file.parent.rmdir()


def unfinished(store: Path, keys: Iterable[str]) -> Path:
    """The file in which a long run is kept while it lasts, in a folder beside the store.

    Args:
        store: the path of the store.
        keys: of the networks that are trained together.

    Example:
        >>> unfinished(Path("runs.db"), ["key"]).parent
        PosixPath('runs.db.unfinished')
    """
    name = hashlib.sha256(" ".join(keys).encode()).hexdigest()
    return store.with_name(f"{store.name}.unfinished") / f"{name}.pt"


@dataclass(frozen=True)
class NetworkRun:
    """The training of one network, as `simulators.sweeps.sweep` hands it to a worker.

    - ``design``, ``recipe``, ``images``, ``seed``: as of `train_into`; images from a folder are
      read again by the worker, from a folder of the same name
    - ``device``: Torch's; ``store``: its path, beside which a long run is kept while it lasts

    Example:
        >>> from simulators.training.data import images_from
        >>> run = NetworkRun(Design(2, 8), Recipe(10, samples=64), images_from(), (0, 1))
        >>> str(run), Trained.joined([run.perform().to_bytes()]).losses.shape
        ('2 layers of 8 units, none, he, seed 0 1', (1, 2))
    """

    design: Design
    recipe: Recipe
    images: Images
    seed: tuple[int, ...]
    device: str = "cpu"
    store: Path | None = None

    @property
    def key(self) -> str:
        """See `row_key`."""
        return row_key(self.design, self.recipe, self.images, self.seed, self.device)

    def parameters(self) -> dict[str, object]:
        """What the result depends on, as a JSON value."""
        return decisive(self.design, self.recipe, self.images, self.seed, self.device)

    @property
    def rough_seconds(self) -> float:
        """Seconds of a core, right in order."""
        return multiply_adds(self.design, self.recipe, self.images) / _A_SECOND

    def pace(self) -> float:
        """Seconds that take here what `rough_seconds` calls one, by some steps of it.

        Raises what `simulators.training.train.train` raises.
        """
        adds = seconds_a_multiply_add(self.design, self.recipe, self.images, self.device)
        return adds * _A_SECOND

    def __str__(self) -> str:
        design = self.design
        return (
            f"{design.depth} layers of {design.width} units, {design.normalisation}, "
            f"{design.initialisation}, seed {' '.join(map(str, self.seed))}"
        )

    def told(self, data: bytes) -> str:
        """The loss that it ended at, in words.

        Args:
            data: what came of it, as bytes.
        """
        found = Trained.joined([data])
        if not found.settled[0]:
            return f"diverged at step {found.diverged[0]}"
        return f"loss {found.losses[0, -1]:.3g} after {self.design.depth} layers"

    def perform(self) -> Trained:
        """Train it. Raises what `simulators.training.train.train` raises."""
        file = None if self.store is None else unfinished(self.store, [self.key])
        return train(
            self.design,
            self.recipe,
            self.images,
            [self.seed],
            device=self.device,
            unfinished=file,
        )


def trained_otherwise(store: Store, runs: Mapping[str, NetworkRun]) -> Counter[tuple[str, str]]:
    """Of the runs that a store lacks: rows of the same networks that another kind of device or
    another version of Torch has put there, counted by these two.

    Args:
        store: that is asked.
        runs: by their keys.

    Cost: one reading of the store.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from simulators.training.data import images_from
        >>> here, there = (
        ...     NetworkRun(Design(1, 8), Recipe(0, samples=64), images_from(), (0,), device)
        ...     for device in ("cpu", "cuda")
        ... )
        >>> with TemporaryDirectory() as folder, Store(f"{folder}/runs.db") as store:
        ...     _ = store.put([Row(here.key, canonical(here.parameters()), b"", 1.0)])
        ...     [device for device, _ in trained_otherwise(store, {there.key: there})]
        ['cpu']
    """
    there = store.finished()
    missing = {_network(run.parameters()) for key, run in runs.items() if key not in there}
    found: Counter[tuple[str, str]] = Counter()
    for row in store.rows() if missing else ():
        of_row = json.loads(row.parameters)
        if "training" in of_row and row.key not in runs and _network(of_row) in missing:
            found[of_row.get("device", "unknown"), of_row.get("torch", "unknown")] += 1
    return found


def _network(parameters: Mapping[str, object]) -> str:
    """What a network is, whatever trained it."""
    return canonical({name: parameters[name] for name in parameters if name not in _CIRCUMSTANCES})
