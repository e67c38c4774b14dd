"""What is drawn for one start of a sampled claim: networks of a chain, and where the claim asks for
them their gradients and tangents, and those of a second chain on the same weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulators import Chain, Trajectory, simulate
from simulators.by_depth import Gradients, simulate_depths
from simulators.first_tangents import Forward
from simulators.observables import Observable, resolve
from simulators.streams import Seed
from theorems.checking.check import Floats
from theorems.statement import ClaimError

__all__ = ["OTHER", "Gradients", "Networks", "StartingTangents"]

#: Before the names of what is measured of the second chain.
OTHER = "other."


@dataclass(frozen=True, eq=False)
class StartingTangents:
    """What tangents are at the batch, as `simulators.simulate` takes it; the observables named in
    ``at_batch`` are read of them there.

    Example:
        >>> StartingTangents("gaussian", frozenset({"tangent_norm_0"})).first
        'gaussian'
    """

    first: Forward
    at_batch: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Networks:
    """Networks of ``depth`` blocks of a ``chain`` from a ``start``, (d₀, n), one sample a column.

    - ``gradients``: which gradients are read, if any
    - ``other``: a second chain, from the same start on the same weights
    - ``engine``, ``dtype``: as `simulators.simulate` takes them; gradients are in float64
    - ``tangents``: those that go forward along with H, if any; in float64, too

    Example:
        >>> from simulators import rescale_chain
        >>> pair = Networks(rescale_chain(8), np.eye(8, 2), 3, other=rescale_chain(8))
        >>> names = ("orthogonality_gap", "other.orthogonality_gap")
        >>> found = pair.simulated([replace(resolve(names[0]), name=name) for name in names], 5, 0)
        >>> bool((found[names[0]] == found[names[1]]).all())  # the same weights
        True
    """

    chain: Chain
    start: Floats
    depth: int
    gradients: Gradients | None = None
    other: Chain | None = None
    engine: str = "auto"
    dtype: str = "float64"
    tangents: StartingTangents | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """What tells them from others, hashable: simulations under one key may be shared.

        Networks of equal starts, entry by entry, and equal chains have one key; `Gradients` and
        tangents are told apart by identity, as a function among them can be by nothing else.
        """
        start = self.start.tobytes()
        given, runs = (self.gradients, self.tangents), (self.engine, self.dtype)
        return self.chain, start, self.depth, *given, self.other, *runs

    def simulated(
        self, observables: Sequence[str | Observable], replicas: int, seed: Seed
    ) -> Trajectory:
        """A simulation of all that is measured.

        - ``observables``: those of the second chain under names that begin with `OTHER`
        - ``replicas`` ≥ 1; ``seed``: as `simulators.simulate` takes it

        Both chains stand in one trajectory, whose rounding errors are those of the worse. Values
        are in float64 whatever the networks were simulated in, which the trajectory tells as its
        ``dtype``. Raises `ClaimError` for gradients at the last layer, and tangents at the batch,
        that are none.
        """
        if self.other is None:
            return self._of(self.chain, observables, replicas, seed)
        measures = [resolve(each) for each in observables]
        theirs = [each for each in measures if each.name.startswith(OTHER)]
        ours = [each for each in measures if each not in theirs]
        first = self._of(self.chain, ours, replicas, seed)
        second = self._of(self.other, theirs, replicas, seed)
        return replace(
            first,
            values={**first.values, **second.values},
            rounding=np.maximum(first.rounding, second.rounding),
            chain=f"{first.chain}, other {second.chain}",
        )

    def _of(
        self, chain: Chain, observables: Sequence[str | Observable], replicas: int, seed: Seed
    ) -> Trajectory:
        gradients, along = self.gradients, self.tangents
        if gradients is not None and not any(resolve(each).backward for each in observables):
            gradients = None
        if along is not None and not any(resolve(each).jvp for each in observables):
            along = None
        if gradients is None and along is None:
            found = self._simulated(chain, observables, replicas, seed, self.dtype)
            return found if self.dtype == "float64" else _widened(found)
        first = None if along is None else along.first
        try:
            if gradients is None:
                found = self._simulated(chain, observables, replicas, seed, tangents=first)
            else:
                found = simulate_depths(
                    chain,
                    self.start,
                    gradients,
                    observables=[resolve(each) for each in observables],
                    replicas=replicas,
                    seed=seed,
                    engine=self.engine,
                    tangents=first,
                )
        except (TypeError, ValueError) as error:
            raise ClaimError(str(error)) from None
        return found if along is None else _from_the_batch(found, along.at_batch)

    def _simulated(
        self,
        chain: Chain,
        observables: Sequence[str | Observable],
        replicas: int,
        seed: Seed,
        dtype: str = "float64",
        tangents: Forward | None = None,
    ) -> Trajectory:
        return simulate(
            chain,
            self.start,
            depth=self.depth,
            replicas=replicas,
            seed=seed,
            observables=observables,
            engine=self.engine,
            dtype=dtype,
            tangents=tangents,
        )


def _from_the_batch(found: Trajectory, names: frozenset[str]) -> Trajectory:
    """The same, what is of those names at the batch standing in every column."""
    early = {
        name: np.repeat(values[:, :1], values.shape[1], axis=1)
        for name, values in found.values.items()
        if name in names
    }
    return replace(found, values={**found.values, **early})


def _widened(found: Trajectory) -> Trajectory:
    """Values in float64, so that nothing that is reckoned from them rounds as they do."""
    widened = {name: values.astype(np.float64) for name, values in found.values.items()}
    return replace(found, values=widened)
