"""`simulate`: run a chain on a batch and measure it after every block."""

from __future__ import annotations

import hashlib
import math
import platform
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import version
from itertools import islice
from threading import Event
from typing import TypeAlias

import numpy as np
from array_api_compat import device as device_of
from array_api_compat import is_array_api_obj
from numpy.typing import ArrayLike, NDArray

from simulators.arguments import kind_of, one_of, require, told, whole_number
from simulators.arrays import Array, Floats
from simulators.backend import Backend, select
from simulators.batches import centred, validate_batch
from simulators.chains import Chain
from simulators.engines import dense, factor, mean_field, rows
from simulators.engines.derivatives import Accompanied, Tangents
from simulators.engines.round_trip import (
    Itinerary,
    RoundTrip,
    gradients_carried,
    kept_entries,
    kept_together,
)
from simulators.engines.rounding import (
    ROUNDINGS,
    Copies,
    Outlook,
    Representation,
    Watch,
    arrival_error,
)
from simulators.first_tangents import FirstTangents, Forward
from simulators.last_gradient import Backward, LastGradient
from simulators.layers import Rescale, ScaleResponse
from simulators.observables import Observable, resolve
from simulators.requirements import (
    Extent,
    require_affordable,
    require_representable,
    require_runnable,
)
from simulators.streams import Seed, root_sequence
from simulators.trajectory import Trajectory
from simulators.workers import run_all, until

__all__ = [
    "ENGINES",
    "Measurable",
    "choose_engine",
    "engine_named",
    "rows_obstacle",
    "simulate",
]

ENGINES = ("auto", "dense", "factor", "rows", "mean_field")

_WIDE = 2
"""Times n, or the columns of all gradients of a replica: a width from which on drawing images is
quicker than drawing weights."""

BUFFER_ENTRIES = 2**17
"""Entries of representations gathered before they are measured together."""

Measurable: TypeAlias = str | Observable | Callable[..., Array]
"""What `simulators.observables.resolve` takes for an observable."""


def simulate(
    chain: Chain,
    batch: ArrayLike,
    *,
    depth: int,
    replicas: int = 1,
    seed: Seed = 0,
    observables: Iterable[Measurable] | Mapping[str, Measurable] = ("orthogonality_gap",),
    engine: str = "auto",
    dtype: object = None,
    device: object = None,
    every: int = 1,
    backward: Backward | None = None,
    tangents: Forward | None = None,
) -> Trajectory:
    """Run ``replicas`` independent copies of ``chain`` on ``batch`` for ``depth`` blocks, measuring
    as they go.

    - ``batch``: (d₀, n), one sample per column, n ≤ d₀ and n ≤ every width; real, finite, not zero.
      A Torch tensor, or a ``device``, selects Torch; NumPy otherwise
    - ``seed``: integer ≥ 0, a sequence of them, or a `numpy.random.SeedSequence`. Replica i depends
      on the seed, the engine and i alone; the same call gives the same bits on the same machine
    - ``observables``: names, or functions of ``H`` of shape ``(..., d, n)``, in a tuple or as name
      -> either; see `simulators.observables.resolve`. NaN stands for no value, as of a cosine with
      a sample that is 0, and is let through, but for a function that has a value nowhere: NaN for
      the batch, and for a matrix of normal entries
    - ``engine``: ``"factor"`` where it is exact, ``"rows"`` for any chain of Gaussian weights and
      any observable, ``"dense"`` for anything, ``"mean_field"`` for the limit of infinite width, of
      a chain that `simulators.mean_field.gram_map` knows, ``"auto"`` for the quickest of factor,
      rows and dense that applies.
      ``"gram"``, the former name of factor, does as well, with a `DeprecationWarning`
    - ``dtype``: float32 or float64 (the default)
    - ``every``: measure after every so many blocks, a divisor of ``depth``; what is not measured is
      not paid for
    - ``backward``: what G_L = ∂L/∂H_L is, for observables of the gradients G_ℓ = ∂L/∂H_ℓ such as
      ``"gradient_norm"``, and of ``"tangent_kernel"``: ``"gaussian"``, standard normal for each
      replica; ``"readout"``, one normal vector of variance 1/d for all samples, as of f(x) =
      a·h_L(x); an array (d, n); or a function of H_L, ``(..., d, n)``, to an array like it. Their
      column j belongs to layer j · ``every`` as all others do, column 0 to the batch. At a kink,
      and for a row of zeros that is rescaled, the derivative is taken to be 0
    - ``tangents``: what Ḣ₀ is, for observables of tangents such as ``"tangent_norm"``: Ḣ_ℓ is the
      derivative of H_ℓ along Ḣ₀, a Jacobian-vector product. ``"gaussian"``, standard normal for
      each replica; an array (d₀, n); or a function of the batch to one. Of several,
      ``"gaussian(k)"`` or (k, d₀, n), observables are handed ``(..., k, d, n)``, and their values
      have an axis for k

    Where a block multiplies its input's scale by a scalar and never fixes it (a vanilla chain with
    identity or ReLU), the representation is kept at ‖H‖_F = 1 from the first block on, which no
    depth overflows: of its scale ``"log_norm"`` knows. A function ``backward`` is given it like
    that; G_ℓ do not depend on the scale otherwise. Every other chain is observed at its true scale.

    The entries of ``batch`` are taken at their word: what the samples have in common is subtracted
    exactly, equal samples stay equal. Where float arithmetic cannot follow all the same,
    `Trajectory.rounding` says by how much, and `Trajectory.spoiled` which replicas speak for
    nothing from which layer on. With ``backward``, every layer of a replica is as good as its last
    one at best, and as its gradients from there on.

    The engines rows and dense go backward, exact in law jointly with the forward pass: rows by
    conditioning on what it drew, at O(width · n²), dense by the weights themselves, kept or
    drawn once more. The forward numbers for a seed are the same with and without. In a run with
    a tangent kernel for which outputs go back one by one, gradients are other numbers of the same
    law.

    So they take tangents forward, jointly with H and with gradients: weights see [H Ḣ], whose image
    has a known law; so (k + 1)n ≤ d₀ and every width for rows, whose numbers for a seed are then
    others. A layer costs as one of (k + 1)n samples does.

    Cost per layer and replica: O(width · n²) for factor and rows, O(width · d · n) for dense;
    backward some two or three times as much again, and n + 1 times that with ``"tangent_kernel"``
    where samples interact (for rows, O(width · n⁴)). Memory beyond the batch and the values is a
    few MiB per core for factor, O(width · n) for rows; for dense O(width · n) and at most some
    80 MiB per core. Backward half a GiB more at most for what is kept, or some O(width · n ·
    depth^(1/4)) where that is more; for dense the weights of one block, if they are more; and for a
    tangent kernel where samples interact, some 4n representations at work.

    Raises `TypeError` or `ValueError` at the door, naming the argument, what it got and what it
    wants; also for what no machine can do, see `simulators.requirements`.

    Example:
        >>> from simulators import rescale_chain
        >>> gaps = simulate(rescale_chain(64), np.eye(64, 4), depth=10, replicas=3, every=5)
        >>> gaps["orthogonality_gap"].shape, gaps.engine
        ((3, 3), 'factor')
        >>> run = simulate(rescale_chain(64), np.eye(64, 4), depth=10, replicas=3, every=5,
        ...                observables=["gradient_norm"], backward="gaussian")
        >>> run["gradient_norm"].shape, run.engine
        ((3, 3), 'rows')
        >>> run = simulate(rescale_chain(64), np.eye(64, 4), depth=10, every=5, tangents="gaussian",
        ...                observables=["tangent_norm"])
        >>> run["tangent_norm"].shape, run.engine
        ((1, 3), 'rows')
    """
    require(
        isinstance(chain, Chain),
        f"chain={told(chain)} is {kind_of(chain)}; give a Chain: rescale_chain(64)",
        TypeError,
    )
    depth = whole_number("depth", depth, 1)
    replicas = whole_number("replicas", replicas, 1)
    require(
        depth % whole_number("every", every, 1) == 0,
        f"every={every} does not divide depth={depth}; give a divisor, so that the last block "
        "is seen",
    )
    engine = engine_named(engine)
    root = root_sequence(seed)
    measures = _measures(observables)
    backend = select(dtype, device, batch)
    values = validate_batch(batch)
    require_runnable(values, chain, backend.dtype)
    first = _first_tangents(tangents, measures, values)
    count = 0 if first is None else first.count
    name, reason = choose_engine(engine, chain, measures, replicas, values.shape, count)
    layers, n = depth // every, values.shape[1]
    width = chain.widths(len(values))[-1]
    last = _last_gradient(backward, measures, (width, n))
    if last is not None and last.fixed is not None:
        require_representable("backward", last.fixed, backend.dtype)
    if first is not None and first.fixed is not None:
        for each in first.fixed:
            require_representable("tangents", each, backend.dtype)
    kernel = any(measure.tangent for measure in measures)
    gradients = gradients_carried(chain, n, kernel) if last is not None else 0
    require_affordable(
        name,
        chain,
        (len(values), n * (1 + count)),
        Extent(
            replicas=replicas,
            layers=layers,
            depth=depth,
            observables=len(measures),
            gradients=gradients,
        ),
        backend.dtype,
    )

    record = _Record(measures, (replicas, layers + 1), every, width, backend, first)
    record.start(values)
    if name == "mean_field":
        factors, record.rounding[:, 1:] = _mean_field(chain, values, depth, every)
        record.keep(range(1), (backend.array(each[None]) for each in factors))
    else:
        carried = name == "factor" and factor.carries_rows(chain)
        start, copies, outlook, exponent = _begun(chain, values, backend, carried=carried)
        record.exponent = exponent
        ahead = None if first is None else first.at(root, backend)
        record.ahead = ahead
        if last is None:
            run: dict[str, Callable[..., Iterator[tuple[range, Iterator[Representation]]]]] = {
                "factor": factor.run,
                "rows": partial(rows.run, tangents=ahead, exponent=exponent),
                "dense": partial(dense.run, tangents=ahead, exponent=exponent),
            }
            runs = run[name](
                chain, start, copies, depth=depth, replicas=replicas, root=root, backend=backend
            )
            jobs = [partial(record.watch, group, found, outlook) for group, found in runs]
        else:
            engine_of = {"rows": rows, "dense": dense}[name]
            columns = n * (1 + count)
            shape = 1, max(columns, n * gradients), len(values)
            groups = engine_of.groups(chain, shape, replicas, backend.workers)
            if backend.device == "cpu":
                sizes = len(values), columns
                kept = kept_entries(engine_of.JOURNEY, chain, sizes, depth, backend.dtype)
                groups = kept_together(groups, kept, backend.dtype)
            sharing = min(len(groups), backend.workers)
            trip = partial(
                RoundTrip,
                engine_of.JOURNEY,
                Itinerary(chain, start, copies, depth, exponent, ahead),
                root=root,
                backend=backend,
                sharing=sharing,
                kernel=kernel,
            )
            jobs = [
                partial(record.there_and_back, group, partial(trip, replicas=group), outlook, last)
                for group in groups
            ]
        workers = backend.workers
        if name == "factor":
            workers = factor.side_by_side(chain, start.shape, replicas, workers)
        run_all(jobs, workers)
    return Trajectory(
        values=record.values,
        rounding=record.rounding,
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
        backward=None if last is None else last.words,
        tangents=None if first is None else first.words,
    )


def _last_gradient(
    backward: object, measures: Sequence[Observable], shape: tuple[int, int]
) -> LastGradient | None:
    """What ``backward`` means, if anything is to be measured of it.

    Raises `ValueError` unless observables read gradients exactly where there are any.
    """
    reading = [measure.name for measure in measures if measure.backward]
    require(
        backward is not None or not reading,
        f"observable {reading[0] if reading else ''!r} reads the backward pass; "
        "give backward='gaussian', an array, or a function of H_L",
    )
    if backward is None:
        return None
    last = LastGradient.of(backward, shape)
    require(
        reading,
        f"backward={last.words!r} is read by none of the observables; "
        "add 'gradient_norm', or leave it out",
    )
    return last


def _first_tangents(
    tangents: object, measures: Sequence[Observable], batch: Floats
) -> FirstTangents | None:
    """What ``tangents`` mean, if anything is to be measured of them.

    Raises `ValueError` unless observables read tangents exactly where there are any.
    """
    reading = [measure.name for measure in measures if measure.jvp]
    require(
        tangents is not None or not reading,
        f"observable {reading[0] if reading else ''!r} reads tangents; "
        "give tangents='gaussian', an array like the batch, or a function of it",
    )
    if tangents is None:
        return None
    first = FirstTangents.along(tangents, batch)
    require(
        reading,
        f"tangents={first.words!r} are read by none of the observables; "
        "add 'tangent_norm', or leave them out",
    )
    return first


@cache
def _versions() -> dict[str, str]:
    """Read once: looking up a package's version takes milliseconds."""
    packages = {name: version(name) for name in ("numpy", "torch", "batchnorm-theorems")}
    return {"python": platform.python_version(), **packages}


def _measures(observables: Iterable[Measurable] | Mapping[str, Measurable]) -> list[Observable]:
    alone = isinstance(observables, str) or callable(observables)
    if alone or not isinstance(observables, Iterable):
        shown = told(observables)
        raise TypeError(f"observables={shown} is not a tuple or mapping; write ({shown},)")
    if isinstance(observables, Mapping):
        measures = [replace(resolve(item), name=str(name)) for name, item in observables.items()]
    else:
        measures = [resolve(item) for item in observables]
    names = [measure.name for measure in measures]
    require(
        names and len(set(names)) == len(names),
        f"observables are named {names}; give at least one, each of another name",
    )
    return measures


def engine_named(name: object) -> str:
    """The engine of that name, one of `ENGINES`; ``"gram"`` is the former name of ``"factor"``,
    and says so in a `DeprecationWarning`.

    Raises `TypeError` for what is no text, `ValueError` for another name, with the nearest.

    Example:
        >>> engine_named("factor")
        'factor'
    """
    if name == "gram":
        warnings.warn("engine 'gram' is called 'factor' now", DeprecationWarning, stacklevel=3)
        return "factor"
    one_of("engine", name, ENGINES)
    return str(name)


def choose_engine(
    engine: str,
    chain: Chain,
    measures: Sequence[Observable],
    replicas: int,
    batch_shape: tuple[int, int],
    tangents: int = 0,
) -> tuple[str, str]:
    """The engine that `simulate` runs where ``engine`` of `ENGINES` is asked for, and why.

    ``measures`` are the observables, ``replicas`` ≥ 1 their number of runs, ``batch_shape`` is
    (d₀, n), ``tangents`` ≥ 0 how many come along: rows is quicker than dense where widths are more
    than twice n, or (k + 1)n with k tangents, or n(n + 1) for a tangent kernel of samples that
    interact. Raises `ValueError` when the one asked for does not apply, with the reason.

    Example:
        >>> from simulators.chains import rescale_chain, residual_chain
        >>> gap = resolve("orthogonality_gap")
        >>> [choose_engine("auto", chain, [gap], 1, (8, n))[0]
        ...  for chain in (rescale_chain(8), residual_chain(8, 0.1)) for n in (2, 8)]
        ['factor', 'factor', 'rows', 'dense']
    """
    opaque = [measure for measure in measures if not measure.gram]
    unmeasurable = None
    if opaque:
        unmeasurable = f"observable {opaque[0].name!r} " + (
            "is not declared gram_invariant, so a factor may not do"
            if not opaque[0].backward and not opaque[0].jvp
            else f"reads {'tangents' if opaque[0].jvp else 'the backward pass'}, which needs all "
            "rows of H, not a factor of them"
        )
    if engine == "dense":
        return engine, "asked for"
    if engine == "mean_field":
        obstacle = _mean_field_obstacle(chain, replicas) or unmeasurable
        require(obstacle is None, f"engine='mean_field' does not apply: {obstacle}")
        return engine, "asked for"
    obstacle = factor.obstacle(chain) or unmeasurable
    if engine == "auto":
        if obstacle is None:
            return (
                "factor",
                "exact in law: Gaussian weights, no residual, observables of the Gram matrix",
            )
        # of the second block: few rows of the batch cost either engine as little
        widths = chain.widths(chain.widths(batch_shape[0])[-1])
        width, n = min(widths), batch_shape[1]
        gradients = gradients_carried(chain, n, any(measure.tangent for measure in measures))
        columns = n * max(gradients, 1 + tangents)
        if rows_obstacle(chain, batch_shape, tangents) is None and width > _WIDE * columns:
            return "rows", f"exact in law: Gaussian weights; factor is not exact here: {obstacle}"
        return "dense", f"factor is not exact here: {obstacle}"
    by_rows = rows_obstacle(chain, batch_shape, tangents)
    if engine == "rows":
        obstacle = by_rows
    others = "'dense'" if by_rows is not None else "'rows' or 'dense'"
    require(
        obstacle is None, f"engine={engine!r} is not exact here: {obstacle}; use engine={others}"
    )
    return engine, "asked for"


def rows_obstacle(chain: Chain, batch_shape: tuple[int, int], tangents: int) -> str | None:
    """Why the engine rows does not apply to ``chain`` from a batch of ``batch_shape`` (d₀, n) with
    so many ``tangents``, in words; None if it does.

    Example:
        >>> from simulators.chains import residual_chain
        >>> rows_obstacle(residual_chain(8, 0.1), (8, 4), 2)
        '4 samples with 2 tangents each are 12 columns, more than the 8 rows that they have'
    """
    height, n = batch_shape
    narrowest, columns = min(height, *chain.widths(height)), n * (1 + tangents)
    if columns > narrowest:
        return (
            f"{n} samples with {tangents} tangents each are {columns} columns, more than the "
            f"{narrowest} rows that they have"
        )
    return rows.obstacle(chain)


def _mean_field_obstacle(chain: Chain, replicas: int) -> str | None:
    if not chain.has_spectral_limit and (reason := mean_field.gram_obstacle(chain)) is not None:
        return f"no map of Gram matrices is known: {reason}"
    if replicas != 1:
        return f"it is deterministic, so replicas={replicas} would be equal; give replicas=1"
    return None


def _begun(
    chain: Chain, batch: Floats, backend: Backend, *, carried: bool
) -> tuple[Array, Copies, Outlook, int]:
    """H₀ᵀ as an engine begins with it, ``(1, n, d₀)``, the samples in it that remain equal, what to
    watch, and by which power of two it was divided.
    """
    started = batch if chain.leading_recenter is None else centred(batch)
    nonzero = started[started.any(axis=1)]
    n = batch.shape[1]
    if carried and len(nonzero) <= n:
        # (n, n): as many rows of zeros as are missing
        started = np.concatenate([nonzero, np.zeros((n - len(nonzero), n))])
    exponent = 0
    if chain.scaling is not ScaleResponse.BOUND:
        # A power of two is exact, and keeps squares of the first layer's entries representable.
        exponent = math.frexp(float(abs(started).max()))[1]
    start = backend.array(np.ldexp(started, -exponent).T[None])
    arrived = np.ldexp(backend.numpy(start)[0].T.astype(np.float64), exponent)
    copies = Copies.among(batch, chain)  # of HJ, rounded, samples may be equal that are not
    return (
        start,
        copies,
        Outlook.of(chain, started, arrived, copies, backend.dtype, carried=carried),
        exponent,
    )


def _mean_field(chain: Chain, batch: Floats, depth: int, every: int) -> tuple[list[Floats], Floats]:
    """Factors Rᵀ of HᵀH = RᵀR after each layer, and the errors of every ``every``-th.

    Where spectra have a map of their own, λ⁺ = p(λ), the right singular vectors V stay, and Rᵀ =
    V diag(√λ) up to scale. What rounding may have made of the batch's smallest singular values is
    followed along: twice, from both ends of where they may lie.
    """
    loss = ROUNDINGS * batch.shape[1] * float(np.finfo(np.float64).eps)
    if not chain.has_spectral_limit:
        found, moved = mean_field.gram_map(chain).factors(batch, depth, loss)
        return found, moved[every::every]
    width = chain.widths(len(batch))[-1]
    scale = 1.0 if chain.layers[-1] == Rescale("frobenius") else width * batch.shape[1]
    _, sigma, right = np.linalg.svd(batch / np.abs(batch).max(), full_matrices=False)
    off = loss * sigma[0]
    spectra = np.stack([sigma, sigma + off, np.maximum(sigma - off, 0.0)]) ** 2
    factors, errors = [], [off]
    for _ in range(depth):
        spectra = mean_field.rescale_map(spectra)
        factors.append(math.sqrt(scale) * (right.T * np.sqrt(spectra[0])))
        errors.append(np.abs(spectra[1:] - spectra[0]).max())
    seen = np.array(errors)[::every]
    return factors, np.minimum(1.0, np.maximum.accumulate(seen))[1:]


class _Record:
    """Measures representations as they come, several blocks together, and keeps what was measured.

    ``values`` are those of each observable, ``rounding`` the errors, ``(replicas, columns)`` each:
    column 0 from the batch, column j after block j · ``every``.
    """

    def __init__(
        self,
        measures: Sequence[Observable],
        shape: tuple[int, int],
        every: int,
        width: int,
        backend: Backend,
        first: FirstTangents | None = None,
    ) -> None:
        self.values: dict[str, NDArray[np.generic]] = {}
        self.rounding = np.empty(shape)
        self.exponent = 0
        self.ahead: Tangents | None = None
        self._first = first
        self._along = [measure for measure in measures if measure.jvp]
        self._forward = [
            measure for measure in measures if not measure.backward and not measure.jvp
        ]
        self._backward = [measure for measure in measures if measure.backward]
        self._tangent = [measure for measure in self._backward if measure.tangent]
        self._backward = [measure for measure in self._backward if not measure.tangent]
        self._order = [measure.name for measure in measures]
        self._every, self._width = every, width
        self._backend = backend
        self._log_scale = np.zeros(shape)
        self._moved = np.zeros(shape)  # tangents, by rounding

    def start(self, batch: Floats) -> None:
        """Column 0, from the batch (d₀, n) as it is, where nothing is centred yet.

        The same for all replicas, with the error of its arrival in the dtype. What measures
        gradients is tried on it.
        """
        H = self._backend.array(batch[None, None])
        everywhere = slice(None), slice(0, 1)
        self._measure(self._forward, everywhere, H, len(batch), self._log_scale[:1, :1])
        self._measure(self._backward, everywhere, H, len(batch), self._log_scale[:1, :1])
        K = _in_float64(np.eye(batch.shape[1])[None, None], H, self._backend)
        self._measure(self._tangent, everywhere, K, self._width, self._log_scale[:1, :1])
        if self._first is not None:
            d, n = batch.shape
            held = _in_float64(np.eye(n, d)[None], H, self._backend)
            held = self._backend.xp.astype(held, H.dtype)
            held = self._backend.xp.broadcast_to(held, (self._first.count, n, d))
            T, scale = self._first.standing(held, np.zeros(len(held), np.int64), self._backend)
            self._measure(self._along, everywhere, T, self._width, scale)
        self.values = {name: self.values[name] for name in self._order}
        self._require_values(batch.shape)
        arrived = self._backend.numpy(H)[0, 0].astype(np.float64)
        self.rounding[:, 0] = arrival_error(batch, arrived, self._backend.dtype)

    def _require_values(self, shape: tuple[int, ...]) -> None:
        """Raise `ValueError` for an observable that is NaN at the batch, of this shape, and at a
        matrix of normal entries.
        """
        normal = np.random.default_rng(0).standard_normal(shape)
        for measure in (*self._forward, *self._backward, *self._along, *self._tangent):
            found = self.values[measure.name]
            if found.dtype.kind not in "fc" or not np.isnan(found[0, 0]).all():
                continue
            tried = normal.T @ normal if measure.tangent else normal
            H = self._backend.array(tried[None, None])
            scale = _in_float64(np.zeros((1, 1)), H, self._backend)
            told = {"log_scale": scale} if measure.scaled else {}
            again = self._backend.numpy(measure.function(H, width=self._width, **told))
            require(
                not np.isnan(again).all(),
                f"observable {measure.name!r} gave NaN for the batch, and for a matrix of normal "
                "entries; it must give numbers",
            )

    def watch(
        self,
        group: range,
        representations: Iterator[Representation],
        outlook: Outlook,
        stop: Event,
    ) -> None:
        """All other columns of the replicas in ``group``, until ``stop`` is set.

        ``representations`` are those of every block, as engines make them; ``outlook`` says which
        of them are looked at for rounding.
        """
        depth = (self.rounding.shape[1] - 1) * self._every
        watch = Watch(outlook, len(group), depth, self._every, self._backend)
        noted = self._noted(group, representations)
        replicas = slice(group.start, group.stop)
        if self.ahead is not None and self._first is not None:
            T = self.ahead.start(group)
            T = self._backend.xp.reshape(T, (-1, *T.shape[-2:]))
            self._measure_tangents(group, 0, T, np.zeros(len(T), np.int64))
        self.keep(group, until(stop, watch.over(noted)))
        found = np.maximum(watch.errors, self._moved[replicas])
        self.rounding[replicas, 1:] = found[:, 1:]

    def there_and_back(
        self,
        group: range,
        begin: Callable[[], RoundTrip],
        outlook: Outlook,
        last: LastGradient,
        stop: Event,
    ) -> None:
        """The same, and what measures gradients, in all columns of the replicas in ``group``.

        What rounding makes of a gradient counts for everything in its column, and so does what it
        has made of the last representation, on which all gradients depend.
        """
        trip = begin()
        self.watch(group, trip.representations(), outlook, stop)
        if stop.is_set():
            return
        replicas = slice(group.start, group.stop)
        least = self.rounding[replicas, -1].copy()
        depth = (self.rounding.shape[1] - 1) * self._every
        gradients = until(stop, trip.gradients(last.at(trip, self._backend), least))
        for layer, gradient in zip(range(depth, -1, -1), gradients, strict=False):
            if layer % self._every == 0:
                column = layer // self._every
                columns = replicas, slice(column, column + 1)
                scale = np.asarray(math.log(2) * gradient.exponents, np.float64)[:, None]
                G = gradient.rows.mT[:, None]
                self._measure(self._backward, columns, G, G.shape[-2], scale)
                error = gradient.error if self._backward else least
                if trip.kernel is not None:
                    error = np.maximum(error, trip.kernel.error)
                    scale = np.asarray(math.log(2) * trip.kernel.exponents, np.float64)[:, None]
                    K = trip.kernel.products[:, None]
                    self._measure(self._tangent, columns, K, self._width, scale)
                self.rounding[replicas, column] = error

    def keep(self, group: range, blocks: Iterator[Array]) -> None:
        """The values of the replicas in ``group``, from arrays Hᵀ, or factors of it, after each
        block.
        """
        replicas, layers = slice(group.start, group.stop), self.rounding.shape[1] - 1
        buffer, start, filled = None, 1, 0
        for block in islice(blocks, self._every - 1, None, self._every):
            if buffer is None:
                room = min(layers, max(1, BUFFER_ENTRIES // math.prod(block.shape)))
                buffer = self._backend.xp.stack([block] * room, axis=1)
            buffer[:, filled] = block
            filled += 1
            if filled == room or start + filled == layers + 1:
                held = buffer[:, :filled].mT
                columns = slice(start, start + filled)
                scale = self._log_scale[replicas, columns]
                self._measure(self._forward, (replicas, columns), held, self._width, scale)
                start, filled = start + filled, 0

    def _noted(
        self, group: range, representations: Iterator[Representation]
    ) -> Iterator[Representation]:
        """The representations, the scales of those that are measured noted down."""
        for layer, found in enumerate(representations, start=1):
            if found.log_scale is not None and layer % self._every == 0:
                column = layer // self._every
                scale = found.log_scale + math.log(2) * self.exponent
                self._log_scale[group.start : group.stop, column] = scale
            tangents = found.tangents if isinstance(found, Accompanied) else None
            if tangents is not None and layer % self._every == 0:
                self._measure_tangents(
                    group, layer // self._every, tangents.rows, tangents.exponents
                )
                error = tangents.error.reshape(len(group), -1).max(axis=1)
                self._moved[group.start : group.stop, layer // self._every] = error
            yield found

    def _measure_tangents(
        self, group: range, column: int, rows: Array, exponents: NDArray[np.int64]
    ) -> None:
        """What is measured of tangents, ``(g · count, n, d)`` over 2 to the power of
        ``exponents``.
        """
        if self._first is None:
            return
        T, scale = self._first.standing(rows, exponents, self._backend)
        place = slice(group.start, group.stop), slice(column, column + 1)
        self._measure(self._along, place, T, T.shape[-2], scale)

    def _measure(
        self,
        measures: Sequence[Observable],
        place: tuple[slice, slice],
        H: Array,
        width: int,
        log_scale: Floats,
    ) -> None:
        """What is measured of ``H``, of gradients or tangents, ``(replicas, columns, ..., d, n)``,
        that stand for themselves times the exponential of ``log_scale``.
        """
        for measure in measures:
            scale = _in_float64(log_scale, H, self._backend) if measure.scaled else None
            held, told_of_it = H, {} if scale is None else {"log_scale": scale}
            if (measure.backward or measure.jvp) and scale is None and log_scale.any():
                held = _unscaled(H, log_scale, self._backend)
            result = measure.function(held, width=width, **told_of_it)
            leading = tuple(H.shape[:-2])
            if not is_array_api_obj(result) or result.shape[: len(leading)] != leading:
                got = f"shape {tuple(result.shape)}" if hasattr(result, "shape") else repr(result)
                raise ValueError(
                    f"observable {measure.name!r} gave {got} for H of shape {tuple(H.shape)}; it "
                    f"must give an array that keeps the leading axes {leading}"
                )
            measured = self._backend.numpy(result)
            require(
                measured.dtype.kind in "biufc",
                f"observable {measure.name!r} gave {measured.dtype} entries; give numbers",
                TypeError,
            )
            if measure.name not in self.values:
                shape = (*self.rounding.shape, *measured.shape[2:])
                self.values[measure.name] = np.empty(shape, measured.dtype)
            self.values[measure.name][place] = measured


def _in_float64(values: Floats, like: Array, backend: Backend) -> Array:
    """The values in float64, beside the array."""
    xp = backend.xp
    return xp.asarray(values, dtype=xp.float64, device=device_of(like))


def _unscaled(G: Array, log_scale: Floats, backend: Backend) -> Array:
    """G itself, ∞ where that is beyond its dtype; in two steps, as its scale alone may be."""
    with np.errstate(over="ignore"):
        half = _in_float64(np.exp(log_scale / 2), G, backend)[..., None, None]
        half = backend.xp.astype(half, G.dtype)
        return G * half * half


def _plain_entropy(entropy: int | Sequence[int] | None) -> int | list[int]:
    return [int(word) for word in entropy] if isinstance(entropy, Iterable) else int(entropy or 0)
