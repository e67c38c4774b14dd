"""How the networks of a whole experiment are trained: on which images, where, and kept in what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from simulators.sweeps.store import Store
from simulators.training.data import Images
from simulators.training.networks import Design
from simulators.training.rows import NetworkRun, train_into
from simulators.training.train import Recipe, Trained, require_room, train

__all__ = ["Experiment", "Plan"]


@dataclass(frozen=True)
class Experiment:
    """The circumstances under which networks are trained.

    - ``images``: what they learn
    - ``full``: whether at the sizes that were published, each network alone; else at small ones,
      many at once
    - ``device``: Torch's
    - ``store``: the path of a store where networks are found, and kept when they are done; or None
    - ``existing``: whether the store was made before, so that one that is missing was taken away,
      which is an error; else it is made

    Example:
        >>> from simulators.training import images_from
        >>> usual = Experiment(images_from())
        >>> recipe = Recipe(steps=1, samples=64)
        >>> usual.trained(Design(1, 8), recipe, [(0,), (1,)]).losses.shape
        (2, 2)
    """

    images: Images
    full: bool = False
    device: str = "cpu"
    store: Path | None = None
    existing: bool = False

    def trained(
        self,
        design: Design,
        recipe: Recipe,
        seeds: Sequence[tuple[int, ...]],
        progress: Callable[[str], None] = lambda _: None,
    ) -> Trained:
        """What came of a network for each seed, whether found or trained now.

        Args:
            design: what they are.
            recipe: how they are trained.
            seeds: entropy of each.
            progress: told how far it has come.

        Raises:
            TrainingError: what cannot be trained here, in one line.
            StoreError: a store that cannot be used.
        """
        if self.store is None:
            return train(design, recipe, self.images, seeds, device=self.device, progress=progress)
        with Store(self.store, create=not self.existing) as store:
            return train_into(
                store,
                design,
                recipe,
                self.images,
                seeds,
                together=1 if self.full else len(seeds),
                device=self.device,
                progress=progress,
            )


@dataclass(frozen=True, eq=False)
class Plan(Experiment):
    """An experiment that trains nothing and notes what would be trained.

    - ``runs``: by their keys

    Example:
        >>> from simulators.training import images_from
        >>> plan = Plan.of(Experiment(images_from()))
        >>> plan.trained(Design(1, 8), Recipe(steps=1, samples=64), [(0,), (1,)]).losses.tolist()
        [[1.0, 1.0], [1.0, 1.0]]
        >>> len(plan.runs)
        2
    """

    runs: dict[str, NetworkRun] = field(default_factory=dict)

    @classmethod
    def of(cls, experiment: Experiment) -> Plan:
        """The plan of an experiment, still empty.

        Args:
            experiment: what would train.
        """
        return cls(**{each.name: getattr(experiment, each.name) for each in fields(experiment)})

    def trained(
        self,
        design: Design,
        recipe: Recipe,
        seeds: Sequence[tuple[int, ...]],
        progress: Callable[[str], None] = lambda _: None,
    ) -> Trained:
        """Ones in the place of what would come of the networks, which are noted.

        Args:
            design: what they are.
            recipe: how they would be trained.
            seeds: entropy of each.
            progress: told nothing.

        Raises:
            TrainingError: what cannot be trained here, in one line.
        """
        require_room(design, recipe, self.images, 1 if self.full else len(seeds), self.device)
        store = self.store and self.store.absolute()
        for seed in seeds:
            run = NetworkRun(design, recipe, self.images, seed, self.device, store)
            self.runs[run.key] = run
        times, each = np.ones((len(seeds), recipe.checkpoints + 1)), np.ones(len(seeds))
        return Trained(
            losses=times,
            gaps=times,
            ranks=times,
            accuracy=each,
            test_accuracy=each,
            margin=each,
            moved=np.ones((len(seeds), design.depth)),
            growth=each,
            diverged=np.full(len(seeds), -1),
        )
