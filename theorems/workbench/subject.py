"""What a claim is about: every input, the law of a chain of random weights, or paths at infinite
width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from simulators.chains import Chain, NamedChain
from simulators.first_tangents import Forward
from simulators.last_gradient import Backward
from theorems.statement import Quantifier
from theorems.workbench.declaration import read_quantifier
from theorems.workbench.gram_paths import followed
from theorems.workbench.parsing import nearest, refuse
from theorems.workbench.quantities import chain_kind
from theorems.workbench.spaces import OVER

__all__ = ["Subject", "read_subject"]

#: What is decided by samples.
_SAMPLED = (
    Quantifier.EXPECTATION,
    Quantifier.PROBABILITY,
    Quantifier.LAW,
    Quantifier.COMPARISON,
    Quantifier.LIMIT,
)


@dataclass(frozen=True)
class Subject:
    """What a claim is about.

    - ``quantifier``: as far as is known before the claim is read
    - ``over``: "spectra", "matrices" or "parameters"; "paths" at infinite width, and "spectra" for
      the starts of a chain whose weights are drawn
    - ``chain``, ``other``: the chain and a second one from the same starts on the same weights
    - ``backward``: what the gradient at layer ell is, where gradients are read; ``tangents``: what
      the tangent at the batch is, where tangents are

    Example:
        >>> read_subject(over="spectra").sampled, read_subject("rescale").quantifier.value
        (False, 'expectation')
    """

    quantifier: Quantifier
    over: str
    chain: NamedChain | None = None
    other: NamedChain | None = None
    backward: Backward | None = None
    tangents: Forward | None = None

    @property
    def sampled(self) -> bool:
        """Whether it is about a mean, a probability or an exponent."""
        return self.quantifier in _SAMPLED

    @property
    def chains(self) -> tuple[NamedChain, ...]:
        """The chain and the other one, as far as there are any."""
        return tuple(each for each in (self.chain, self.other) if each is not None)


def read_subject(
    chain: str | Callable[..., Chain] | None = None,
    over: str | None = None,
    quantifier: str | Quantifier | None = None,
    *,
    event: str | None = None,
    other: str | Callable[..., Chain] | None = None,
    backward: Backward | None = None,
    tangents: Forward | None = None,
) -> Subject:
    """What a claim is about, by what its author gave for it.

    Args:
        chain: a name, or a function ``width -> Chain``; None for a claim about every input.
        over: "spectra", "matrices" or "parameters"; None means parameters. Only without a chain.
        quantifier: a quantifier or its name; inferred from ``chain`` and ``event`` if None.
        event: of what the claim gives the probability. Only whether there is one is looked at.
        other: a second chain, as ``chain`` is given.
        backward: the gradient at layer ell, as `simulators.simulate` takes it.
        tangents: the tangent at the batch, as `simulators.simulate` takes it.

    Returns:
        The subject.

    Raises:
        ClaimError: for names of nothing, and for what does not go together, as a pointwise claim
            with a chain.

    Example:
        >>> read_subject("rescale", quantifier="pointwise")
        Traceback (most recent call last):
        theorems.statement.ClaimError: a pointwise claim has no chain; with a chain say ...
    """
    kinds = [None if each is None else chain_kind(each) for each in (chain, other)]
    found = _quantifier(read_quantifier(quantifier), kinds[0], over, event)
    subject = Subject(found, "", kinds[0], kinds[1], backward, tangents)
    _require_random_weights(subject, other)
    return replace(subject, over=_over(subject, over))


def _quantifier(
    given: Quantifier | None, chain: NamedChain | None, over: str | None, event: str | None
) -> Quantifier:
    inferred = Quantifier.EXPECTATION if event is None else Quantifier.PROBABILITY
    found = given or (Quantifier.POINTWISE if chain is None else inferred)
    pointwise, about = found is Quantifier.POINTWISE, found is Quantifier.PROBABILITY
    refuse(
        (
            pointwise and chain is not None,
            "a pointwise claim has no chain; with a chain say quantifier='expectation', or leave "
            "it out",
        ),
        (
            not pointwise and chain is None,
            f"quantifier='{found.value}' is about a chain: give chain='rescale'",
        ),
        (
            over is not None and chain is not None,
            f"over={over!r} is for claims without a chain; with one, starts are restricted by "
            "assume=",
        ),
        (
            event is not None and not about,
            "event= is for a claim about the probability of something",
        ),
        (
            about and event is None,
            "the probability of what? give event='effective_rank >= 2'",
        ),
    )
    if found is Quantifier.MEAN_FIELD and chain is not None and not chain.mean_field:
        followed(chain)
    return found


def _over(subject: Subject, over: str | None) -> str:
    if subject.quantifier is Quantifier.MEAN_FIELD:
        return "paths"
    if subject.chain is not None:
        return "spectra"  # of the starts
    found = over or "parameters"
    refuse((found not in OVER[:3], f"over={over!r}{nearest(str(over), OVER[:3])}"))
    return found


def _require_random_weights(subject: Subject, other: object) -> None:
    """Raise `ClaimError` for a second chain, gradients or tangents, where no weights are drawn."""
    words = {
        "other": "compares two chains on the same random weights",
        "backward": "is for claims about gradients in random networks",
        "tangents": "is for claims about tangents in random networks",
    }
    given = {"other": other, "backward": subject.backward, "tangents": subject.tangents}
    for name, value in given.items():
        shown = f"={value!r}" if isinstance(value, str) else "="
        refuse(
            (
                value is not None and not subject.sampled,
                f"{name}{shown} {words[name]}: give chain=, and no over= or quantifier=",
            )
        )
