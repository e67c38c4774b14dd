"""One statement beside one network: what is assumed, what is predicted, what is seen.

Statements about means over networks are compared with one network, and say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from theorems.family import FamilyError
from theorems.inspection.backward_pass import Gradients
from theorems.inspection.condition import Floats, Measures
from theorems.inspection.forward_pass import Call
from theorems.inspection.predictions import Simulated
from theorems.inspection.recognition import Recognised
from theorems.inspection.stages import Stage
from theorems.registry import brought, tolerated

__all__ = [
    "Finding",
    "Reading",
    "Remedy",
    "Watched",
    "findings",
    "mean_at_most",
    "remedies",
]


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
    fail at this width and depth. Where neither number is there, the statement is about networks of
    this make, and nothing that it speaks of is measured.
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

    ``batch`` and each of ``features`` are (d, n), one sample per column. ``simulation`` is what was
    simulated of the chain, or why nothing was; ``gradients`` what becomes of them, or why none were
    measured.
    """

    recognised: Recognised
    calls: Sequence[Call]
    stages: Sequence[Stage]
    batch: Floats
    features: Sequence[Floats]
    measures: Sequence[Measures]
    seed: int
    simulation: Simulated | str = "not simulated"
    gradients: Gradients | str = "not measured"

    @property
    def course(self) -> str:
        """What becomes of gradients from layer to layer, in a word; empty where none were seen."""
        return "" if isinstance(self.gradients, str) else self.gradients.layered.value

    @property
    def actions(self) -> set[str]:
        """What happens after the weights in any of the judged layers."""
        return {action for stage in self.stages for action in stage.actions}

    @property
    def normalised(self) -> bool:
        """Whether a judged layer normalises: its batch, or its samples each alone."""
        return any(action == "batchnorm" or "Norm" in action for action in self.actions)

    @property
    def batchnormed(self) -> bool:
        """Whether a judged layer normalises its batch."""
        return any(action.lower().startswith("batchnorm") for action in self.actions)

    @property
    def residual(self) -> bool:
        """Whether a skip connection is added to what a judged layer gives."""
        return self.branches > 0

    @property
    def branches(self) -> int:
        """How many judged layers end in a sum with something else, as a residual branch does."""
        return sum("residual" in stage.actions or bool(stage.joined) for stage in self.stages)


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
            healthy one, nor to one of which the steps of time alone are not steady.
    """
    found: list[Remedy] = []
    timely = state in {"exploding", "vanishing"} and watched.course == "steady"
    offered = state not in {"healthy", "not judged"} and not timely
    for part in brought("remedies") if offered else ():
        with tolerated(part, "a remedy"):
            said = part.item(watched, state)
            if strange := [item for item in said if not isinstance(item, Remedy)]:
                raise FamilyError(f"{strange[0]!r}: want a theorems.inspection.finding.Remedy")
            found += said
    return found
