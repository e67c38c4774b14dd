"""One statement beside one network: what is assumed, what is predicted, what is seen.

Statements about means over networks are compared with one network, and say so. A recognised chain
is also simulated from the same batch; whether the network is one of its draws is a Monte Carlo test
(Barnard 1963) of the gap averaged over depth: under the chain's law its rank among the replicas is
uniform, so the level is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulators import simulate
from simulators.engines import factor
from theorems.family import FamilyError
from theorems.inspection.condition import Floats, Measures
from theorems.inspection.forward_pass import Call
from theorems.inspection.recognition import Recognised
from theorems.inspection.stages import Stage
from theorems.registry import brought, tolerated

__all__ = [
    "Finding",
    "Reading",
    "Remedy",
    "Simulated",
    "Watched",
    "findings",
    "mean_at_most",
    "remedies",
    "simulated",
]

_REPLICAS = (99, 19)
_MOST_WORK = 4e8  # in entries drawn, a few seconds; beyond it fewer replicas are simulated


@dataclass(frozen=True)
class Reading:
    """One quantity in plain words, its predicted value or bound, and its value in this network."""

    quantity: str
    predicted: float
    measured: float


@dataclass(frozen=True)
class Remedy:
    """What the theory offers against what is wrong with a network, in words, and the statement that
    it rests on, by its full name.
    """

    words: str
    statement: str


@dataclass(frozen=True)
class Finding:
    """A statement and this network: whether its assumptions are met, what it predicts, what is
    seen.

    ``measured`` is to be at most ``predicted``. Where the statement is no upper bound, ``measured``
    is a distance from what it says, or a quotient, as ``why`` tells, and ``readings`` has the plain
    quantities. ``holds`` is None where the assumptions are not met, or nothing could be seen to
    fail at this width and depth.
    """

    statement: str
    met: bool
    why: str
    predicted: float | None = None
    measured: float | None = None
    holds: bool | None = None
    readings: tuple[Reading, ...] = ()


def mean_at_most(
    statement: str,
    what: str,
    bound: float,
    value: float,
    ceiling: float,
    readings: tuple[Reading, ...] = (),
) -> Finding:
    """What an upper bound on a mean over networks says beside the ``value`` of one of them.

    - ``statement``: its full name; ``what``: in words, what is bounded
    - ``ceiling``: what no value exceeds: a bound that reaches it is vacuous

    Example:
        >>> mean_at_most("a.b", "gap", bound=0.5, value=0.2, ceiling=1.0).holds
        True
        >>> mean_at_most("a.b", "gap", bound=1.5, value=0.2, ceiling=1.0).holds is None
        True
    """
    if bound >= ceiling:
        why = f"{what}; the bound is vacuous at this width"
        return Finding(statement, True, why, bound, value)
    why = f"{what}; bounds a mean over networks, and this is one"
    return Finding(statement, True, why, bound, value, value <= bound, readings)


@dataclass(frozen=True)
class Watched:
    """What the families look at: the chain, all calls, and the judged layers' stages, features and
    measures.

    ``batch`` and each of ``features`` are (d, n), one sample per column.
    """

    recognised: Recognised
    calls: Sequence[Call]
    stages: Sequence[Stage]
    batch: Floats
    features: Sequence[Floats]
    measures: Sequence[Measures]
    seed: int

    @property
    def actions(self) -> set[str]:
        """What happens after the weights in any of the judged layers."""
        return {action for stage in self.stages for action in stage.actions}

    @property
    def normalised(self) -> bool:
        """Whether a judged layer normalises: its batch, or its samples each alone."""
        return any(action == "batchnorm" or "Norm" in action for action in self.actions)

    @property
    def residual(self) -> bool:
        """Whether a skip connection is added to what a judged layer gives."""
        return "residual" in self.actions or any(stage.joined for stage in self.stages)


@dataclass(frozen=True)
class Simulated:
    """The recognised chain from the same batch: gaps (replicas, depth + 1), and the test of this
    network's, ``measured``, the mean over its layers.
    """

    gaps: Floats
    measured: float
    p_value: float
    level: float

    @property
    def holds(self) -> bool:
        return self.p_value > self.level

    @property
    def means(self) -> Floats:
        """The gap averaged over depth, the batch left out, for each replica: shape (replicas,)."""
        return np.asarray(self.gaps[:, 1:].mean(axis=1))

    def as_json(self) -> dict[str, object]:
        return {
            "replicas": len(self.gaps),
            "mean_gap": self.measured,
            "simulated_mean_gap": float(self.means.mean()),
            "simulated_range": [float(self.means.min()), float(self.means.max())],
            "p_value": self.p_value,
            "level": self.level,
            "holds": self.holds,
        }


def simulated(
    recognised: Recognised, batch: Floats, seen: Sequence[Measures], seed: int
) -> Simulated | str:
    """Simulate the recognised chain from the network's batch; or say why not.

    Args:
        recognised: the chain, if there is one.
        batch: (d₀, n), one sample per column.
        seen: of each judged layer of the network.
        seed: of the simulation.

    Cost: some seconds; of wide networks fewer replicas are simulated.

    Example:
        >>> simulated(Recognised("not recognised", None, "its widths differ"), np.eye(4), [], 0)
        'its widths differ'
    """
    if recognised.chain is None:
        return recognised.obstacle or "no chain"
    d, n = batch.shape
    width, depth = seen[0].width, len(seen)
    if n > min(d, width):
        return (
            f"{n} samples are more than the smallest width {min(d, width)}, "
            "and the simulators take no more"
        )
    thin = factor.obstacle(recognised.chain) is None
    work = depth * (width * n * n / 8 if thin else width * width)
    replicas = next((count for count in _REPLICAS if count * work < _MOST_WORK), _REPLICAS[-1])
    run = simulate(recognised.chain, batch, depth=depth, replicas=replicas, seed=seed)
    if run.spoiled.any():
        spoiled = int(run.spoiled[:, -1].sum())
        return f"rounding spoils {spoiled} of {replicas} simulated networks from this batch"
    gaps = run["orthogonality_gap"]
    means = gaps[:, 1:].mean(axis=1)
    measured = float(np.mean([item.gap for item in seen]))
    beyond = 1 + min(int((means <= measured).sum()), int((means >= measured).sum()))
    p_value = min(1.0, 2 * beyond / (replicas + 1))
    return Simulated(gaps, measured, p_value, level=2 / (replicas + 1))


def findings(watched: Watched) -> list[Finding]:
    """What each family has to say of a network.

    What another package's family says is left out where it fails, and
    ``theorems.registry.refused()`` tells why.
    """
    found: list[Finding] = []
    for part in brought("findings"):
        with tolerated(part, "a finding"):
            said = part.item(watched)
            if strange := [item for item in said if not isinstance(item, Finding)]:
                raise FamilyError(f"{strange[0]!r}: want a theorems.inspection.finding.Finding")
            found += said
    return found


def remedies(watched: Watched, state: str) -> list[Remedy]:
    """What each family offers against what is wrong with a network.

    What another package's family says is left out where it fails, as in `findings`.

    Args:
        watched: the network.
        state: what it is, in one word, as `Inspection.state` has it; nothing is offered to a
            healthy one.
    """
    found: list[Remedy] = []
    for part in brought("remedies") if state != "healthy" else ():
        with tolerated(part, "a remedy"):
            said = part.item(watched, state)
            if strange := [item for item in said if not isinstance(item, Remedy)]:
                raise FamilyError(f"{strange[0]!r}: want a theorems.inspection.finding.Remedy")
            found += said
    return found
