"""Training runs as rows of a store: each is kept when it is done, and none is done twice.

A row is one network. It is known by its design, its recipe, the digest of its images and its seed;
a second start finds what the first has finished, whenever and however that ended.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from functools import cache

import numpy as np

from simulators.arguments import whole_number
from simulators.sweeps.grid import canonical
from simulators.sweeps.store import Row, Store
from simulators.training.data import Images
from simulators.training.networks import Design
from simulators.training.train import Recipe, Trained, train

__all__ = ["row_key", "train_into"]

#: What rows of another meaning of design and recipe are told apart by.
_VERSION = 1


def row_key(design: Design, recipe: Recipe, images: Images, seed: Sequence[int]) -> str:
    """The key of a run in a store: sha256 of all that decides what comes of it.

    Args:
        design: what the network is.
        recipe: how it is trained.
        images: what it learns.
        seed: its entropy.

    Example:
        >>> from simulators.training.data import images_from
        >>> key = row_key(Design(2, 8), Recipe(10), images_from(), (0, 1))
        >>> len(key), key == row_key(Design(2, 8), Recipe(10), images_from(), (0, 2))
        (64, False)
    """
    words = canonical(_parameters(design, recipe, images, seed))
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

    Args:
        store: where runs are found, and put.
        design: what the networks are.
        recipe: how they are trained.
        images: what they learn.
        seeds: entropy of each, no two alike.
        together: how many are trained at once, at least 1; all of them are put into the store in
            one transaction, so that a kill loses at most so many.
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
    keys = [row_key(design, recipe, images, seed) for seed in seeds]
    there = store.finished()
    missing = [place for place, key in enumerate(keys) if key not in there]
    for first in range(0, len(missing), together):
        places = missing[first : first + together]
        began = time.perf_counter()
        group = [seeds[place] for place in places]
        found = train(design, recipe, images, group, device=device, progress=progress)
        seconds = (time.perf_counter() - began) / len(group)
        store.put(
            [
                Row(
                    keys[place],
                    canonical(_parameters(design, recipe, images, seeds[place])),
                    _packed(found, number),
                    seconds,
                )
                for number, place in enumerate(places)
            ]
        )
    return _joined(json.loads(row.data) for row in store.rows(keys))


def _parameters(
    design: Design, recipe: Recipe, images: Images, seed: Sequence[int]
) -> dict[str, object]:
    return {
        "training": _VERSION,
        "design": asdict(design),
        "recipe": asdict(recipe),
        "images": _digest(images),
        "seed": list(seed),
    }


@cache
def _digest(images: Images) -> str:
    found = hashlib.sha256(images.name.encode())
    for part in (images.training, images.test):
        found.update(str(part.images.shape).encode())
        found.update(part.images.tobytes() + part.labels.tobytes())
    return found.hexdigest()


def _packed(found: Trained, number: int) -> bytes:
    """One replica as JSON; a number that overflowed is told by its name there."""
    values = {each.name: getattr(found, each.name)[number].tolist() for each in fields(Trained)}
    return json.dumps(values).encode()


def _joined(rows: Iterable[Mapping[str, object]]) -> Trained:
    each = list(rows)
    return Trained(**{f.name: np.array([row[f.name] for row in each]) for f in fields(Trained)})
