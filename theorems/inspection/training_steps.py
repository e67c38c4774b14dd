"""A network watched while it is trained: what `inspect` measures, at chosen steps.

A step is one of an optimiser of Torch that holds a parameter of the network; of a loop without
optimiser, a call of `TrainingWatch.step`. At each chosen one the network runs on one and the same
batch, forward and backward, and is left as it was, so that training goes on as if nobody had
looked.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from html import escape

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

from simulators.arguments import whole_number
from theorems.inspection.backward_pass import Gradients, Loss, gradients
from theorems.inspection.condition import measure
from theorems.inspection.forward_pass import watch
from theorems.inspection.inputs import Batch, InspectionError
from theorems.inspection.report import Layer, as_columns
from theorems.inspection.stages import Stage, hidden_stages, stages
from theorems.notebook import table
from theorems.typesetting import number

__all__ = ["Snapshot", "TrainingWatch", "watch_training"]


@dataclass(frozen=True)
class Snapshot:
    """What was measured after so many steps, of the judged layers alone.

    ``norms`` is the root mean square of the entries of what each layer gives, ``moved`` the change
    of its weights ‖W − W₀‖ / ‖W₀‖ since watching began, NaN where there are none to compare with.
    ``gradients`` is what becomes of gradients, or why none were measured; its ``norms``, ``dead``
    and ``saturated`` are of the same layers first.
    """

    step: int
    layers: tuple[Layer, ...]
    norms: tuple[float, ...]
    moved: tuple[float, ...]
    gradients: Gradients | str

    def rows(self) -> list[dict[str, object]]:
        """A row for each layer: the number of steps, of the layer from 1, its name and numbers."""
        seen = self.gradients
        blank = [math.nan] * len(self.layers)
        norms, dead, saturated = (
            (blank, blank, blank)
            if isinstance(seen, str)
            else (seen.norms, seen.dead, seen.saturated)
        )
        return [
            {
                "step": self.step,
                "layer": place + 1,
                "name": layer.name,
                "does": layer.does,
                **asdict(layer.measures),
                "condition": layer.measures.condition.value,
                "norm": self.norms[place],
                "moved": self.moved[place],
                "gradient_norm": norms[place],
                "dead": dead[place],
                "saturated": saturated[place],
            }
            for place, layer in enumerate(self.layers)
        ]


@dataclass
class TrainingWatch:
    """What is seen of a network in training: ``snapshots`` in the order of steps.

    ``steps`` counts those done, chosen or not. ``unmeasured`` has the chosen ones at which nothing
    could be measured, with the reason, as where weights have become infinite.
    """

    module: nn.Module
    batch: Batch
    every: int | Collection[int] = 1
    loss: Loss | None = None
    statistics: str = "batch"
    steps: int = 0
    snapshots: list[Snapshot] = field(default_factory=list)
    unmeasured: list[tuple[int, str]] = field(default_factory=list)
    _start: dict[str, Tensor] = field(default_factory=dict, repr=False)

    def step(self) -> None:
        """A step was done. Optimisers of Torch tell it themselves."""
        self.steps += 1
        if self._chosen():
            try:
                self.look()
            except InspectionError as error:
                self.unmeasured.append((self.steps, str(error)))

    def look(self) -> Snapshot:
        """Measure now.

        Raises:
            InspectionError: what `theorems.inspect` refuses.

        Cost: that of `theorems.inspect` without its simulations.
        """
        passage = watch(self.module, self.batch, self.statistics)
        found = stages(passage)
        hidden = hidden_stages(self.module, passage, found)
        if not self._start:
            self._start = {
                stage.call.label: stage.call.weight.clone()
                for stage in hidden
                if stage.call.weight is not None
            }
        seen = Snapshot(
            self.steps,
            tuple(Layer.of(stage, measure(as_columns(stage.features))) for stage in hidden),
            tuple(float(stage.features.double().square().mean().sqrt()) for stage in hidden),
            tuple(self._moved(stage) for stage in hidden),
            gradients(self.module, passage, found, self.statistics, loss=self.loss),
        )
        self.snapshots.append(seen)
        return seen

    def columns(self) -> dict[str, list[object]]:
        """What was measured, a column each with an entry for every layer of every snapshot.

        ``pandas.DataFrame(seen.columns())`` makes a table of it, as does any library of tables.

        Example:
            >>> import torch
            >>> network = nn.Sequential(nn.Linear(8, 8), nn.ReLU())
            >>> with watch_training(network, torch.eye(8)) as seen:
            ...     pass
            >>> seen.columns()["step"], seen.columns()["name"]
            ([0], ['0'])
        """
        rows = [row for snapshot in self.snapshots for row in snapshot.rows()]
        return {key: [row[key] for row in rows] for key in (rows[0] if rows else ())}

    def __repr__(self) -> str:
        many = f"{self.steps} step{'' if self.steps == 1 else 's'}"
        return f"<TrainingWatch of {many}, {len(self.snapshots)} looked at>"

    def _repr_html_(self) -> str:
        heads = ("step", "effective rank", "gap", "moved", "‖∂L/∂y‖", "factor a layer back")
        rows = [_summary(snapshot) for snapshot in self.snapshots]
        failed = "".join(f"<p>step {step}: {escape(why)}</p>" for step, why in self.unmeasured)
        said = "Of the last judged layer; gradients of the first."
        return f"<div>{table(heads, rows)}<p>{said}</p>{failed}</div>"

    def _chosen(self) -> bool:
        if isinstance(self.every, int):
            return self.steps % self.every == 0
        return self.steps in self.every

    def _moved(self, stage: Stage) -> float:
        now, start = stage.call.weight, self._start.get(stage.call.label)
        if now is None or start is None or now.shape != start.shape:
            return math.nan
        size = float(start.double().norm())
        return float((now.double() - start.double()).norm()) / size if size else math.nan


@contextlib.contextmanager
def watch_training(
    module: nn.Module,
    batch: Batch,
    *,
    every: int | Collection[int] = 1,
    loss: Loss | None = None,
    statistics: str = "batch",
) -> Iterator[TrainingWatch]:
    """Watch ``module`` while the block trains it: forward and backward, at chosen steps.

    Measured is at the start, and after every so many steps of any of Torch's optimisers that holds
    a parameter of ``module``; of a loop without one, call ``step()`` of what is given. Parameters,
    buffers, gradients, modes, hooks and Torch's random state are left as they were, so that
    training goes the same way watched and unwatched. What is registered with Torch is gone after
    the block, also if it raises.

    Args:
        module: as `theorems.inspect` takes it.
        batch: (n, …), n ≥ 3, the same at each look; as `theorems.inspect` takes it. It need not be
            one that is trained on.
        every: a look after every so many steps, at least 1; or the numbers of the steps looked at,
            such as ``(1, 10, 100)``.
        loss: of what the module gives on the batch, to a tensor of one number; without it gradients
            start from standard normal ones of all outputs, the same at each look.
        statistics: ``"batch"``, batchnorm as in training, dropout off; or ``"running"``.

    Raises:
        ValueError: at the door what `theorems.inspect` refuses, and an ``every`` below 1. Later
            what cannot be measured is noted in ``unmeasured``, and training goes on.
        TypeError: no module, or an ``every`` of another type.

    Cost: each look that of `theorems.inspect` without simulations; one copy of the judged weights.

    Example:
        >>> import torch
        >>> _ = torch.manual_seed(0)
        >>> network = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
        >>> optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
        >>> x = torch.randn(32, 8)
        >>> with watch_training(network, x[:8], every=2) as seen:
        ...     for _ in range(5):
        ...         optimiser.zero_grad()
        ...         network(x).square().mean().backward()
        ...         optimiser.step()
        >>> seen.steps, [snapshot.step for snapshot in seen.snapshots]
        (5, [0, 2, 4])
        >>> seen.snapshots[0].moved, seen.snapshots[2].moved > (0.0,)
        ((0.0,), True)
    """
    if isinstance(every, Collection) and not isinstance(every, str | bytes):
        chosen: int | Collection[int] = {whole_number("every", step, 0) for step in every}
    else:
        chosen = whole_number("every", every, 1)
    seen = TrainingWatch(module, batch, chosen, loss, statistics)
    seen.look()

    def after(optimiser: Optimizer, args: object, kwargs: object) -> None:
        own = set(map(id, module.parameters()))
        groups = (group["params"] for group in optimiser.param_groups)
        if any(id(item) in own for params in groups for item in params):
            seen.step()

    handle = register_optimizer_step_post_hook(after)
    try:
        yield seen
    finally:
        handle.remove()


def _summary(snapshot: Snapshot) -> list[str]:
    """A row for a person: the last layer forward, the first one backward."""
    last, seen = snapshot.layers[-1].measures, snapshot.gradients
    back = (math.nan, math.nan) if isinstance(seen, str) else (seen.norms[0], seen.rate)
    values = (last.effective_rank, last.gap, snapshot.moved[-1], *back)
    return [
        str(snapshot.step),
        *(number(None if math.isnan(value) else value) for value in values),
    ]
