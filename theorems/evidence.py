"""What a check found: a verdict, how tight and how sensitive it was, and what was seen.

What was seen is a `Details`, of a class of its own for each kind of check, defined beside
the check. Here they are written as JSON and read back; a kind of check says how its refutation
reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum, StrEnum
from functools import cached_property
from typing import Any, Self

__all__ = [
    "Details",
    "Evidence",
    "Recorded",
    "Verdict",
    "beside",
    "combine",
    "read_details",
    "typed",
    "weakest",
]


class Verdict(StrEnum):
    """What a check established, strongest first; `refuted` is the last.

    Example:
        >>> [verdict.value for verdict in Verdict if verdict.holds]
        ['proved', 'certified', 'supported']
    """

    PROVED = "proved"  # kernel-checked for all sizes
    CERTIFIED = "certified"  # exact or ball arithmetic, for the instances named
    SUPPORTED = "supported"  # by a confidence bound, or of all but a share of inputs, at a level
    VACUOUS = "vacuous"  # the bound cannot fail there
    OUTSIDE = "outside"  # the assumption is not met
    INCONCLUSIVE = "inconclusive"
    REFUTED = "refuted"

    @property
    def holds(self) -> bool:
        """Whether it speaks for the claim: of ``proved``, ``certified`` and ``supported``, and no
        other.

        Example:
            >>> Verdict.SUPPORTED.holds, Verdict.VACUOUS.holds, Verdict.INCONCLUSIVE.holds
            (True, False, False)
        """
        return self in (Verdict.PROVED, Verdict.CERTIFIED, Verdict.SUPPORTED)


_STRENGTH = {verdict: rank for rank, verdict in enumerate(Verdict)}


def combine(verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict from several findings on the same claim.

    A refutation wins over everything, a proof over everything else. Otherwise the weakest finding
    that speaks counts; ``vacuous`` and ``outside`` are silent unless nothing else was found.

    Example:
        >>> combine([Verdict.CERTIFIED, Verdict.SUPPORTED, Verdict.VACUOUS]).value
        'supported'
    """
    for decisive in (Verdict.REFUTED, Verdict.PROVED):
        if decisive in verdicts:
            return decisive
    speaking = [v for v in verdicts if v not in (Verdict.VACUOUS, Verdict.OUTSIDE)]
    return weakest(speaking or verdicts or [Verdict.INCONCLUSIVE])


def weakest(verdicts: Iterable[Verdict]) -> Verdict:
    """The last of them in the order of `Verdict`.

    Example:
        >>> weakest([Verdict.PROVED, Verdict.SUPPORTED]).value
        'supported'
    """
    return max(verdicts, key=_STRENGTH.__getitem__)


@dataclass(frozen=True)
class Details(Mapping[str, Any]):
    """What a check saw, beside verdict and summary: a frozen dataclass, one for each kind of check.

    As a mapping it is the JSON that it is written as: a key for each field, but for fields left at
    their default, which are left out, and for fields that are `beside` the others, whose own
    keys take their place.

    Example:
        >>> @dataclass(frozen=True)
        ... class Counted(Details):
        ...     decided: int
        ...     open: int = 0
        >>> dict(Counted(3)), Counted(3, 1)["open"]
        ({'decided': 3}, 1)
    """

    @cached_property
    def json(self) -> dict[str, Any]:
        """What is written: texts, numbers, lists and mappings, by key, in the order of the fields.

        Verdicts are their words and tuples lists. Made once, at the first call.
        """
        found: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if each.metadata.get("beside"):
                found |= _plain(value or {})
            elif each.default is MISSING or value != each.default:
                found[each.name] = _plain(value)
        return found

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Self:
        """Details of this kind from what they were written as.

        Raises ``TypeError`` or ``ValueError`` for what is of another kind.
        """
        left, given = dict(found), {}
        for each in sorted(fields(cls), key=lambda f: f.metadata.get("beside", 0)):
            kind = each.metadata.get("kind")
            if not each.metadata.get("beside"):
                if each.name in left:
                    given[each.name] = _typed(left.pop(each.name), kind)
            elif kind is None:
                given[each.name], left = left, {}
            elif own := {f.name: left.pop(f.name) for f in fields(kind) if f.name in left}:
                given[each.name] = kind.read(own)
        return cls(**given)

    def fell(self, at: Callable[[Any], str]) -> str:
        """How the claim fell, in a sentence; empty where the summary says it. ``at`` writes an
        input.
        """
        return f"false at {at(self['witness'])}" if "witness" in self else ""

    def __getitem__(self, key: str) -> Any:
        return self.json[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.json)

    def __len__(self) -> int:
        return len(self.json)


@dataclass(frozen=True)
class Recorded(Details):
    """Plain data by name, of a check that has no kind of its own."""

    data: Mapping[str, Any] = field(default_factory=dict, metadata={"beside": 2})


def typed(kind: Callable[[Any], object]) -> dict[str, object]:
    """The metadata of a field that holds values of ``kind``, one or a tuple of them.

    - ``kind``: called with what JSON holds, gives the value: a class, or `read_details`

    Example:
        >>> typed(Verdict)
        {'kind': <enum 'Verdict'>}
    """
    return {"kind": kind}


def beside(kind: type[Details] | None = None) -> dict[str, object]:
    """The metadata of a field whose keys stand beside the others: details of ``kind``, or a
    mapping.
    """
    return {"beside": 2 if kind is None else 1, "kind": kind}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _typed(value: Any, kind: Callable[[Any], object] | None) -> Any:
    if kind is None or value is None:
        return value
    return tuple(map(kind, value)) if isinstance(value, list | tuple) else kind(value)


def read_details(found: Mapping[str, Any]) -> Details:
    """Details from the JSON they were written as, of the kind that is written so; else as they are.

    Where several kinds are, it is the one that names most of the keys. Nothing is lost: what is
    returned is written as ``found`` again.

    Example:
        >>> read_details({"seed": 0, "words": "of another package"})
        Recorded(data={'seed': 0, 'words': 'of another package'})
    """
    best: Details = Recorded(found)
    named = 0
    for kind in Details.__subclasses__():
        try:
            details = kind.read(found)
        except (TypeError, ValueError):
            continue
        known = sum(f.name in found for f in fields(kind))
        if known > named and details.json == found:
            best, named = details, known
    return best


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One piece of evidence: what was done, what it showed, how tight, how sensitive, from which
    seed.

    ``tightness`` is measured / bound where the bound is non-trivial, bound / measured for a lower
    bound, so that 1 is the tight end; ``tightness_interval`` is its confidence interval where it
    was sampled. Where inputs were drawn it reaches from the tightest of those laid out to the
    tightest of all: Hypothesis draws also the constants of the user's modules that are loaded, so
    the upper end is not the same in every process. ``power`` is the smallest relative violation of
    the bound that this check would have caught on every instance it decided (0 for exact
    arithmetic; in units of the exponent for a slope; for independent draws of inputs, the share of
    inputs that would have had to violate). ``sentinel`` is what the same check with the same budget
    said of the false neighbour. ``partial`` evidence sees only a part of what is claimed (one path,
    for an expectation over all starts): it can refute the statement but not carry it. Where a user
    gives a batch, ``apart`` evidence was found without it, and has no part in the verdict, which is
    about the batch; a check that reads the batch hands over as ``beside`` what it found apart from
    it. ``details`` has what else was seen: `Details` of the check's own kind; plain data by
    name becomes `Recorded`.

    Example:
        >>> found = Evidence(
        ...     method="search",
        ...     verdict=Verdict.REFUTED,
        ...     summary="at x = 1",
        ...     sentinel=Verdict.REFUTED,
        ... )
        >>> found.partial, found.tightness
        (False, None)
    """

    method: str  # "proof" | "certificate" | "symbolic" | "simulation" | "search" | "sampling"
    verdict: Verdict
    summary: str
    sentinel: Verdict
    tightness: float | None = None
    tightness_interval: tuple[float, float] | None = None
    power: float | None = None
    partial: bool = False
    seconds: float = 0.0
    details: Details = field(default_factory=Recorded)
    apart: bool = False
    beside: tuple[Evidence, ...] = ()

    def __post_init__(self) -> None:
        given: Mapping[str, Any] = self.details
        if not isinstance(given, Details):
            object.__setattr__(self, "details", read_details(given))

    def as_json(self, sentinel_claim: str) -> dict[str, Any]:
        """The evidence as JSON writes it, its details beside its own keys.

        - ``sentinel_claim``: what the false neighbour says, in words
        """
        return {
            "method": self.method,
            "verdict": self.verdict.value,
            "summary": self.summary,
            "sentinel": self.sentinel.value,
            "sentinel_claim": sentinel_claim,
            "tightness": self.tightness,
            "power": self.power,
            "seconds": round(self.seconds, 3),
            "partial": self.partial,
            "apart": self.apart,
            **self.details.json,
        }
