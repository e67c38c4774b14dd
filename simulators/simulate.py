"""`simulate`: run a chain on a batch and measure it after every block."""

from __future__ import annotations

import hashlib
import math
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import version
from itertools import islice
from threading import Event
from typing import Any

import array_api_compat
import numpy as np

from simulators.affordable import require_affordable
from simulators.arguments import one_of, told, whole_number
from simulators.backend import Backend, select
from simulators.batches import validate_batch
from simulators.centring import centred
from simulators.chains import Chain
from simulators.engines import dense, gram, mean_field
from simulators.engines.rounding import (
    ROUNDINGS,
    Copies,
    Outlook,
    Representation,
    Watch,
    arrival_error,
)
from simulators.layers import Rescale, ScaleResponse
from simulators.observables import Array, Observable, resolve
from simulators.runnable import require_runnable
from simulators.streams import root_sequence
from simulators.trajectory import Trajectory
from simulators.workers import run_all, until

ENGINES = ("auto", "dense", "gram", "mean_field")

BUFFER_ENTRIES = 2**17
"""Entries of representations gathered before they are measured together."""


def simulate(
    chain: Chain,
    batch: Any,
    *,
    depth: int,
    replicas: int = 1,
    seed: Any = 0,
    observables: Iterable[Any] | Mapping[str, Any] = ("orthogonality_gap",),
    engine: str = "auto",
    dtype: Any = None,
    device: Any = None,
    every: int = 1,
) -> Trajectory:
    """Run ``replicas`` independent copies of ``chain`` on ``batch`` for ``depth`` blocks, measuring
    as they go.

    - ``batch``: (d₀, n), one sample per column, n ≤ d₀ and n ≤ every width; real, finite, not zero.
      A Torch tensor, or a ``device``, selects Torch; NumPy otherwise
    - ``seed``: integer ≥ 0, a sequence of them, or a `numpy.random.SeedSequence`. Replica i depends
      on the seed, the engine and i alone; the same call gives the same bits on the same machine
    - ``observables``: names, or functions of ``H`` of shape ``(..., d, n)``, in a tuple or as name
      -> either; see `simulators.observables.resolve`
    - ``engine``: ``"gram"`` where it is exact, ``"dense"`` for anything, ``"mean_field"`` for a
      rescale chain of infinite width, ``"auto"`` for the first of gram and dense that applies
    - ``dtype``: float32 or float64 (the default)
    - ``every``: measure after every so many blocks, a divisor of ``depth``; what is not measured is
      not paid for

    Where a block multiplies its input's scale by a scalar and never fixes it (a vanilla chain with
    identity or ReLU), the representation is kept at ‖H‖_F = 1 from the first block on, which no
    depth overflows: its scale is then not observable. Every other chain is observed at its true
    scale.

    The entries of ``batch`` are taken at their word: what the samples have in common is subtracted
    exactly, equal samples stay equal. Where float arithmetic cannot follow all the same,
    `Trajectory.rounding` says by how much, and `Trajectory.spoiled` which replicas speak for
    nothing from which layer on.

    Cost per layer and replica: O(width · n²) for gram, O(width · d · n) for dense. Memory beyond
    the batch and the values is a few MiB for gram; for dense O(width · n) and at most some 80 MiB
    per core.

    Raises `TypeError` or `ValueError` at the door, naming the argument, what it got and what it
    wants; also for what no machine can do, see `simulators.affordable`.

    Example:
        >>> from simulators import rescale_chain
        >>> gaps = simulate(rescale_chain(64), np.eye(64, 4), depth=10, replicas=3, every=5)
        >>> gaps["orthogonality_gap"].shape, gaps.engine
        ((3, 3), 'gram')
    """
    if not isinstance(chain, Chain):
        raise TypeError(
            f"chain={told(chain)} is a {type(chain).__name__}; give a Chain: rescale_chain(64)"
        )
    depth = whole_number("depth", depth, 1)
    replicas = whole_number("replicas", replicas, 1)
    if depth % whole_number("every", every, 1):
        raise ValueError(
            f"every={every} does not divide depth={depth}; give a divisor, so that the last block "
            "is seen"
        )
    one_of("engine", engine, ENGINES)
    root = root_sequence(seed)
    measures = _measures(observables)
    backend = select(dtype, device, batch if array_api_compat.is_torch_array(batch) else None)
    values = validate_batch(batch)
    require_runnable(values, chain, backend.dtype)
    name, reason = choose_engine(engine, chain, measures, replicas)
    require_affordable(
        name,
        chain,
        values.shape,
        layers=depth // every,
        replicas=replicas,
        observables=len(measures),
    )

    record = _Record(measures, replicas, depth // every, backend)
    record.first(values)
    width = chain.widths(values.shape[0])[-1]
    rounding = np.empty((replicas, depth // every + 1))

    def follow(
        group: range, representations: Iterator[Representation], outlook: Outlook, stop: Event
    ) -> None:
        watch = Watch(outlook, len(group), depth, every, backend)
        seen = islice(until(stop, watch.over(representations)), every - 1, None, every)
        record.follow(group, seen, width)
        rounding[group.start : group.stop] = watch.errors

    if name == "mean_field":
        paths, rounding[0] = _mean_field(values, depth, every)
        scale = 1.0 if chain.layers[-1] == Rescale("frobenius") else width * values.shape[1]
        factors = (backend.array(math.sqrt(scale) * each[None]) for each in paths)
        record.follow(range(1), islice(factors, every - 1, None, every), width)
    else:
        start, copies, outlook = _begun(
            chain, values, backend, carried=name == "gram" and gram.carries_rows(chain)
        )
        run = gram.run if name == "gram" else dense.run
        runs = run(chain, start, copies, depth=depth, replicas=replicas, root=root, backend=backend)
        jobs = (partial(follow, group, representations, outlook) for group, representations in runs)
        if name == "dense":
            run_all(list(jobs), backend.workers)
        else:
            for job in jobs:
                job(Event())
    # Column 0 is measured on the batch as it is, where nothing is centred yet.
    rounding[:, 0] = _arrival(values, backend)
    return Trajectory(
        values=record.values,
        rounding=rounding,
        engine=name,
        engine_reason=reason,
        chain=repr(chain),
        depth=depth,
        every=every,
        replicas=replicas,
        dtype=backend.dtype,
        device=backend.device,
        seed={
            "entropy": _plain_entropy(root.entropy),
            "spawn_key": [int(key) for key in root.spawn_key],
        },
        batch_shape=values.shape,
        batch_sha256=hashlib.sha256(values.astype("<f8").tobytes()).hexdigest(),
        versions=_versions(),
    )


@cache
def _versions() -> dict[str, str]:
    """Read once: looking up a package's version takes milliseconds."""
    packages = {name: version(name) for name in ("numpy", "torch", "batchnorm-theorems")}
    return {"python": platform.python_version(), **packages}


def _measures(observables: Iterable[Any] | Mapping[str, Any]) -> list[Observable]:
    if (
        isinstance(observables, str)
        or callable(observables)
        or not isinstance(observables, Iterable)
    ):
        raise TypeError(
            f"observables={told(observables)} is not a tuple or mapping; write "
            f"({told(observables)},)"
        )
    if isinstance(observables, Mapping):
        measures = [replace(resolve(item), name=str(name)) for name, item in observables.items()]
    else:
        measures = [resolve(item) for item in observables]
    names = [measure.name for measure in measures]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"observables are named {names}; give at least one, each of another name")
    return measures


def choose_engine(
    engine: str, chain: Chain, measures: Sequence[Observable], replicas: int
) -> tuple[str, str]:
    """The engine that `simulate` runs, and why. Raises `ValueError` when the one asked for does not
    apply.
    """
    if engine == "dense":
        return engine, "asked for"
    opaque = [measure.name for measure in measures if not measure.gram]
    unmeasurable = None
    if opaque:
        unmeasurable = (
            f"observable {opaque[0]!r} is not declared gram_invariant, so a factor may not do"
        )
    if engine == "mean_field":
        obstacle = _mean_field_obstacle(chain, replicas) or unmeasurable
        if obstacle is not None:
            raise ValueError(f"engine='mean_field' does not apply: {obstacle}")
        return engine, "asked for"
    obstacle = gram.obstacle(chain) or unmeasurable
    if engine == "gram":
        if obstacle is not None:
            raise ValueError(f"engine='gram' is not exact here: {obstacle}; use engine='dense'")
        return engine, "asked for"
    if obstacle is not None:
        return "dense", f"gram is not exact here: {obstacle}"
    return "gram", "exact in law: Gaussian weights, no residual, observables of the Gram matrix"


def _mean_field_obstacle(chain: Chain, replicas: int) -> str | None:
    if not chain.has_spectral_limit:
        return f"its map is known for a Gaussian Linear followed by Rescale, not for {chain!r}"
    if replicas != 1:
        return f"it is deterministic, so replicas={replicas} would be equal; give replicas=1"
    return None


def _begun(
    chain: Chain, batch: np.ndarray[Any, Any], backend: Backend, *, carried: bool
) -> tuple[Array, Copies, Outlook]:
    """H₀ᵀ as an engine begins with it, ``(1, n, d₀)``, the samples in it that remain equal, and
    what to watch.
    """
    started = batch if chain.leading_recenter is None else centred(batch)
    if carried and np.count_nonzero(started.any(axis=1)) <= started.shape[1]:
        started = _nonzero_rows(started)
    exponent = 0
    if chain.scaling is not ScaleResponse.BOUND:
        # A power of two is exact, and keeps squares of the first layer's entries representable.
        exponent = math.frexp(float(abs(started).max()))[1]
    rows = backend.array(np.ldexp(started, -exponent).T[None])
    arrived = np.ldexp(backend.numpy(rows)[0].T.astype(np.float64), exponent)
    copies = Copies.among(batch, chain)  # of HJ, rounded, samples may be equal that are not
    return rows, copies, Outlook.of(chain, started, arrived, copies, backend.dtype, carried=carried)


def _nonzero_rows(batch: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """(n, n): the rows of a batch that are not zero, of which there are at most n, with zeros for
    what is missing.
    """
    rows = batch[batch.any(axis=1)]
    return np.concatenate([rows, np.zeros((batch.shape[1] - len(rows), batch.shape[1]))])


def _arrival(batch: np.ndarray[Any, Any], backend: Backend) -> float:
    return arrival_error(
        batch, backend.numpy(backend.array(batch)).astype(np.float64), backend.dtype
    )


def _mean_field(
    batch: np.ndarray[Any, Any], depth: int, every: int
) -> tuple[list[np.ndarray[Any, Any]], np.ndarray[Any, Any]]:
    """Factors Rᵀ = V diag(√λ) of trace 1 after each layer, and the errors of every ``every``-th,
    the batch's first.

    At infinite width the right singular vectors V stay, and λ⁺ = p(λ). What rounding may have made
    of the batch's smallest singular values is followed along: twice, from both ends of where they
    may lie.
    """
    _, sigma, right = np.linalg.svd(batch / np.abs(batch).max(), full_matrices=False)
    off = ROUNDINGS * batch.shape[1] * float(np.finfo(np.float64).eps) * sigma[0]
    spectra = np.stack([sigma, sigma + off, np.maximum(sigma - off, 0.0)]) ** 2
    factors, errors = [], [off]
    for layer in range(1, depth + 1):
        spectra = mean_field.rescale_map(spectra)
        factors.append(right.T * np.sqrt(spectra[0]))
        if layer % every == 0:
            errors.append(float(np.abs(spectra[1:] - spectra[0]).max()))
    return factors, np.minimum(1.0, np.maximum.accumulate(errors))


class _Record:
    """Measures representations as they come, several blocks together, and keeps what was
    measured.
    """

    def __init__(
        self, measures: list[Observable], replicas: int, layers: int, backend: Backend
    ) -> None:
        self.values: dict[str, np.ndarray[Any, Any]] = {}
        self._measures = measures
        self._shape = (replicas, layers + 1)
        self._backend = backend

    def first(self, batch: np.ndarray[Any, Any]) -> None:
        """Column 0, from the batch (d₀, n)."""
        self._measure(
            slice(None), slice(0, 1), self._backend.array(batch[None, None]), batch.shape[0]
        )

    def follow(self, group: range, representations: Iterator[Array], width: int) -> None:
        """All other columns of the replicas in ``group``, from arrays Hᵀ, or factors of it."""
        replicas = slice(group.start, group.stop)
        buffer, start, filled = None, 1, 0
        for rows in representations:
            if buffer is None:
                layers = min(self._shape[1] - 1, max(1, BUFFER_ENTRIES // math.prod(rows.shape)))
                buffer = self._backend.xp.stack([rows] * layers, axis=1)
            buffer[:, filled] = rows
            filled += 1
            if filled == layers or start + filled == self._shape[1]:
                held = buffer[:, :filled].mT
                self._measure(replicas, slice(start, start + filled), held, width)
                start, filled = start + filled, 0

    def _measure(self, replicas: slice, columns: slice, H: Array, width: int) -> None:
        for measure in self._measures:
            result = measure.function(H, width=width)
            if not array_api_compat.is_array_api_obj(result) or result.shape[:2] != H.shape[:2]:
                got = f"shape {tuple(result.shape)}" if hasattr(result, "shape") else repr(result)
                raise ValueError(
                    f"observable {measure.name!r} gave {got} for H of shape {tuple(H.shape)}; it "
                    "must give "
                    f"an array that keeps the leading axes {tuple(H.shape[:2])}"
                )
            measured = self._backend.numpy(result)
            if measured.dtype.kind not in "biufc":
                raise TypeError(
                    f"observable {measure.name!r} gave {measured.dtype} entries; give numbers"
                )
            if measure.name not in self.values:
                self.values[measure.name] = np.empty(
                    (*self._shape, *measured.shape[2:]), measured.dtype
                )
            self.values[measure.name][replicas, columns] = measured


def _plain_entropy(entropy: Any) -> int | list[int]:
    return [int(word) for word in entropy] if isinstance(entropy, Iterable) else int(entropy)
