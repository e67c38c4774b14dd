"""A grid of simulations: what is varied, and the runs it stands for, each with a key made of its
content.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain as chained
from itertools import product
from typing import Any

from simulators.activations import ACTIVATIONS
from simulators.arguments import ArgumentError, kind_of, one_of, require, told, whole_number
from simulators.arrays import Floats
from simulators.backend import select
from simulators.batch_files import file_of
from simulators.batches import Layout, gaussian_batch, read_batch
from simulators.catalogue import Catalogue, source_of
from simulators.chains import CHAINS, Chain, read_chain
from simulators.engines.round_trip import gradients_carried
from simulators.first_tangents import FirstTangents, read_first_tangents
from simulators.last_gradient import LastGradient, read_last_gradient
from simulators.layers import LAYERS, Activation
from simulators.observables import OBSERVABLES, resolve
from simulators.regular_files import UnreadableFileError, read_regular
from simulators.requirements import Extent, require_affordable, require_runnable
from simulators.simulate import choose_engine, engine_named, simulate
from simulators.trajectory import Trajectory
from simulators.weights import LAWS, law_of

__all__ = [
    "FIELDS",
    "Grid",
    "GridError",
    "RunBackward",
    "RunBatch",
    "RunTangents",
    "SweepRun",
    "read_grid",
]

FORMAT = 2
"""Part of every key. Raise it when the same parameters would give other numbers."""

_ENGINE_IN_KEYS = {"factor": "gram"}
"""Its name when the first stores were written: their results are found again."""

MOST_RUNS = 10**6
_LARGEST_FILE = 10**7


class GridError(ArgumentError):
    """A grid that cannot be run. The message is one line: the field, what it got, what it wants.

    Example:
        >>> str(GridError("width is missing; a grid needs chain, width, batch and depth"))
        'width is missing; a grid needs chain, width, batch and depth'
    """


@dataclass(frozen=True)
class RunBatch:
    """The batch of a run: ``n`` standard normal samples drawn from ``seed``, or the ``array`` of a
    ``file``.

    ``description`` says of a file what was read.

    Example:
        >>> RunBatch(3, seed=1).of_width(8).shape
        (8, 3)
    """

    n: int
    seed: int = 0
    array: Floats | None = field(default=None, compare=False, repr=False)
    sha256: str | None = None
    file: str | None = field(default=None, compare=False, repr=False)
    description: str = field(default="", compare=False, repr=False)

    def of_width(self, width: int) -> Floats:
        """The batch (d₀, n); normal samples have dimension ``width``.

        The array of a file has the dimension that it has.
        """
        return gaussian_batch(width, self.n, self.seed) if self.array is None else self.array

    def parameters(self) -> dict[str, object]:
        """What identifies it, as JSON.

        Example:
            >>> RunBatch(3).parameters()
            {'gaussian': 3, 'seed': 0}
        """
        if self.array is None:
            return {"gaussian": self.n, "seed": self.seed}
        return {"shape": list(self.array.shape), "sha256": self.sha256}


@dataclass(frozen=True)
class RunBackward:
    """The gradient at the last layer of a run: in ``words``, with the ``array`` of a ``file``.

    Example:
        >>> RunBackward.of("gaussian").words
        'gaussian'
    """

    words: str
    array: Floats | None = field(default=None, compare=False, repr=False)
    file: str | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, text: object) -> RunBackward:
        """What a text means: a word that `simulators.simulate` knows, or a .npy file (d, n).

        Raises `TypeError` for what is no text, `ValueError` for anything else.

        Args:
            text: "gaussian", "readout" or the path of a file.
        """
        require(isinstance(text, str), f"backward={told(text)}: give a text", TypeError)
        found = read_last_gradient(str(text))
        if isinstance(found, str):
            return cls(found)
        d, n = found.shape
        return cls(LastGradient.of(found, (d, n)).words, found, str(text))

    @property
    def given(self) -> str | Floats:
        """The gradient as `simulators.simulate` takes it: the word, or the array (d, n) of the
        file.
        """
        return self.words if self.array is None else self.array


@dataclass(frozen=True)
class RunTangents:
    """The tangents at the batch of a run: in ``words``, with the ``array`` of a ``file``.

    Example:
        >>> RunTangents.of("gaussian(2)").words
        'gaussian(2)'
    """

    words: str
    array: Floats | None = field(default=None, compare=False, repr=False)
    file: str | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, text: object) -> RunTangents:
        """What a text means: a word that `simulators.simulate` knows, or a .npy file (d, n), or
        (k, d, n) of several.

        Raises `TypeError` for what is no text, `ValueError` for anything else.

        Args:
            text: "gaussian", "gaussian(k)" or the path of a file.
        """
        require(isinstance(text, str), f"tangents={told(text)}: give a text", TypeError)
        found = read_first_tangents(str(text))
        if isinstance(found, str):
            return cls(found)
        return cls(
            FirstTangents.of(found, (found.shape[-2], found.shape[-1])).words, found, str(text)
        )

    @property
    def given(self) -> str | Floats:
        """The tangents as `simulators.simulate` takes them: the word, or the array of the file."""
        return self.words if self.array is None else self.array

    def count(self, shape: tuple[int, int]) -> int:
        """How many they are, for a batch of the ``shape`` (d, n). Raises `ValueError` where they
        do not fit.
        """
        return FirstTangents.of(self.given, shape).count


@dataclass(frozen=True)
class SweepRun:
    """One simulation: everything its result depends on, and nothing else. Plain values, so it
    pickles.

    Example:
        >>> fields = {"chain": "rescale", "width": 8, "batch": 3, "depth": 4, "seeds": 7}
        >>> [run] = Grid.of(fields).runs().values()
        >>> str(run), run.engine
        ('rescale, width 8, n 3, depth 4, seed 7', 'factor')
    """

    chain: str
    weights: str
    width: int
    batch: RunBatch
    depth: int
    replicas: int
    seed: int
    observables: tuple[str, ...]
    engine: str
    dtype: str
    backward: RunBackward | None = None
    tangents: RunTangents | None = None

    def built(self) -> Chain:
        """The chain, with its law of weights.

        A `Chain` of the run's width.
        """
        return _chain(self.chain, self.weights, self.width)

    def parameters(self) -> dict[str, object]:
        """What the result depends on, as a JSON value.

        Where words of the user's own are used, digests of their sources are among them.
        """
        own = {name: _sha256(source) for name, source in self.own_sources().items()}
        given = {"backward": self.backward, "tangents": self.tangents}
        plain = {name: value for name, value in vars(self).items() if name not in given}
        return {
            **plain,
            **{name: value.words for name, value in given.items() if value is not None},
            **({"own": own} if own else {}),
            "format": FORMAT,
            "layers": repr(self.built()),
            "batch": self.batch.parameters(),
            "observables": list(self.observables),
            "engine": _ENGINE_IN_KEYS.get(self.engine, self.engine),
        }

    def own_sources(self) -> dict[str, str]:
        """The source of each word of the run that is not of this package, by its kind and name.

        A definition that changes under one name would otherwise find the results of the former.
        """
        layers = self.built().layers
        activations = [layer for layer in layers if isinstance(layer, Activation)]
        used: tuple[tuple[Catalogue[Any], Iterable[str]], ...] = (
            (CHAINS, [self.chain.partition("(")[0]]),
            (LAYERS, [type(layer).__name__ for layer in layers]),
            (ACTIVATIONS, [str(layer.name).partition("(")[0] for layer in activations]),
            (LAWS, [self.weights.partition("(")[0]]),
            (OBSERVABLES, [name.partition("(")[0] for name in self.observables]),
        )
        found: dict[str, str] = {}
        for catalogue, names in used:
            for name, text in catalogue.sources(names).items():
                found[f"{catalogue.kind} {name}"] = text
        for function in chained.from_iterable((a.name, a.derivative) for a in activations):
            if callable(function) and (text := source_of(function)):
                found[f"function {getattr(function, '__qualname__', '')}"] = text
        return found

    @property
    def key(self) -> str:
        """sha256 of the parameters in canonical JSON, in hexadecimal.

        Two runs have one key if, and only if, they give the same numbers.
        """
        return _sha256(canonical(self.parameters()))

    def __str__(self) -> str:
        law = "" if self.weights == "gaussian" else f", {self.weights} weights"
        return (
            f"{self.chain}, width {self.width}, n {self.batch.n}, depth {self.depth}{law}, seed "
            f"{self.seed}"
        )

    def perform(self) -> Trajectory:
        """Simulate; the trajectory. Raises what `simulate` raises, and costs what it costs.

        Cost: that of `simulate`.
        """
        return simulate(
            self.built(),
            self.batch.of_width(self.width),
            depth=self.depth,
            replicas=self.replicas,
            seed=self.seed,
            observables=self.observables,
            engine=self.engine,
            dtype=self.dtype,
            backward=None if self.backward is None else self.backward.given,
            tangents=None if self.tangents is None else self.tangents.given,
        )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(value: object) -> str:
    """JSON in the one spelling that is digested and stored.

    Args:
        value: plain data: texts, numbers, lists and mappings.

    Example:
        >>> canonical({"b": 1, "a": "σ"})
        '{"a":"\\\\u03c3","b":1}'
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


@dataclass(frozen=True)
class Grid:
    """Every combination of these values is a run; make one with `Grid.of`.

    Cells that share a seed share random streams where their sizes agree, so differences between
    them are paired; runs with different seeds, and replicas within one, are independent.

    Example:
        >>> len(Grid.of({"chain": ["rescale", "vanilla(tanh)"], "width": [8, 16], "batch": 3,
        ...              "depth": 4, "seeds": "0..9"}))
        40
    """

    chain: tuple[str, ...]
    width: tuple[int, ...]
    batch: tuple[RunBatch, ...]
    depth: tuple[int, ...]
    weights: tuple[str, ...]
    seeds: tuple[int, ...]
    replicas: int
    observables: tuple[str, ...]
    engine: str
    dtype: str
    backward: RunBackward | None = None
    tangents: RunTangents | None = None

    @classmethod
    def of(cls, fields: Mapping[str, object]) -> Grid:
        """A grid from plain values. A field takes one value or a list; whole numbers also as text,
        ``"0..9"``.

        - ``chain``: as a text names it, ``"rescale"``, ``"batchnorm(relu)"``,
          ``"vanilla(tanh)"``; ``width``, ``depth``: whole numbers ≥ 1
        - ``batch``: a whole number n, for n standard normal samples of dimension ``width`` drawn
          from ``batch_seed`` (0); a .npy, .npz or .csv file; ``"digits"`` or ``"digits:20"``
        - ``layout``: how files store their samples, as ``"rows"`` (the default) or ``"columns"``
        - ``weights``: laws of `simulators.weights.LAWS` (gaussian); ``seeds``: whole numbers ≥ 0
          (0)
        - not varied: ``replicas`` (1), ``observables`` measured in every run (orthogonality_gap),
          ``engine`` (auto), ``dtype`` (float64), ``backward``: "gaussian", "readout" or a .npy file
          (width, n), what the gradient is at the last layer; where observables read gradients, and
          only there; so ``tangents``: "gaussian", "gaussian(k)" or a .npy file (d, n) or (k, d, n)

        Raises `GridError` for anything else, naming the field.

        Example:
            >>> fields = {"chain": "rescale", "width": [8, "16"], "batch": "2..4", "depth": 3}
            >>> len(Grid.of(fields))
            6
        """
        if not isinstance(fields, Mapping):
            raise GridError(f"grid={told(fields)} is {kind_of(fields)}; give a table of fields")
        try:
            for name in fields:
                one_of("field", name, FIELDS)
            for name in ("chain", "width", "batch", "depth"):
                words = f"{name} is missing; a grid needs chain, width, batch and depth"
                require(name in fields, words)
            return cls._of({**_DEFAULTS, **fields})
        except (TypeError, ValueError) as error:
            raise GridError(*ArgumentError.parts_of(error)) from None

    @classmethod
    def _of(cls, given: Mapping[str, object]) -> Grid:
        batch_seed = _one_number("batch_seed", given["batch_seed"], 0)
        one_of("layout", given["layout"], ("rows", "columns"))
        layout: Layout = "rows" if given["layout"] == "rows" else "columns"
        observables = _texts("observables", given["observables"], "such as 'effective_rank'")
        backward = None if given["backward"] is None else RunBackward.of(given["backward"])
        reading = [item for item in observables if resolve(item).backward]
        require(
            backward is not None or not reading,
            f"observables: {reading[0] if reading else ''!r} reads the backward pass; give "
            "backward, as 'gaussian'",
        )
        require(
            backward is None or reading,
            f"backward={told(given['backward'])} is read by none of the observables; add "
            "'gradient_norm', or leave it out",
        )
        tangents = None if given["tangents"] is None else RunTangents.of(given["tangents"])
        along = [item for item in observables if resolve(item).jvp]
        require(
            tangents is not None or not along,
            f"observables: {along[0] if along else ''!r} reads tangents; give tangents, as "
            "'gaussian'",
        )
        require(
            tangents is None or along,
            f"tangents={told(given['tangents'])} are read by none of the observables; add "
            "'tangent_norm', or leave them out",
        )
        laws = _listed("weights", given["weights"])
        grid = cls(
            chain=tuple(read_chain(item).name for item in _listed("chain", given["chain"])),
            width=_numbers("width", given["width"], 1),
            batch=tuple(_batches(given["batch"], batch_seed, layout)),
            depth=_numbers("depth", given["depth"], 1),
            weights=tuple(law_of(item, "weights").name for item in laws),
            seeds=_numbers("seeds", given["seeds"], 0),
            replicas=_one_number("replicas", given["replicas"], 1),
            observables=observables,
            engine=engine_named(given["engine"]),
            dtype=select(given["dtype"], None).dtype,
            backward=backward,
            tangents=tangents,
        )
        for name in ("chain", "width", "batch", "depth", "weights", "seeds", "observables"):
            twice, times = Counter(getattr(grid, name)).most_common(1)[0]
            require(times == 1, f"{name} lists {twice!r} twice; give every value once", GridError)
        words = f"grid of {len(grid)} runs; at most {MOST_RUNS} are handled, so split it"
        require(len(grid) <= MOST_RUNS, words, GridError)
        return grid

    def __len__(self) -> int:
        axes = (self.chain, self.width, self.batch, self.depth, self.weights, self.seeds)
        return math.prod(len(axis) for axis in axes)

    def runs(self) -> dict[str, SweepRun]:
        """All runs by key, in the order of the grid, seeds innermost.

        Raises `GridError` for a combination that cannot run, such as more samples than width.
        """
        found: dict[str, SweepRun] = {}
        measures = [resolve(name) for name in self.observables]
        for text, width, batch, depth, law in product(
            self.chain, self.width, self.batch, self.depth, self.weights
        ):
            try:
                chain = _chain(text, law, width)
                _admit(chain, batch, width, self.dtype)
                shape = (width if batch.array is None else len(batch.array), batch.n)
                gradients = 0
                if self.backward is not None:
                    LastGradient.of(self.backward.given, (chain.widths(shape[0])[-1], batch.n))
                    kernel = any(measure.tangent for measure in measures)
                    gradients = gradients_carried(chain, batch.n, kernel)
                count = 0 if self.tangents is None else self.tangents.count(shape)
                engine, _ = choose_engine(self.engine, chain, measures, self.replicas, shape, count)
                require_affordable(
                    engine,
                    chain,
                    (shape[0], shape[1] * (1 + count)),
                    Extent(
                        replicas=self.replicas,
                        layers=depth,
                        depth=depth,
                        observables=len(measures),
                        gradients=gradients,
                    ),
                    self.dtype,
                )
            except ValueError as error:
                raise GridError(
                    f"chain={text!r}, width={width}, batch of n={batch.n}: {error}"
                ) from None
            for seed in self.seeds:
                run = SweepRun(
                    text,
                    law,
                    width,
                    batch,
                    depth,
                    self.replicas,
                    seed,
                    self.observables,
                    engine,
                    self.dtype,
                    self.backward,
                    self.tangents,
                )
                found[run.key] = run
        return found


_DEFAULTS = {
    "weights": "gaussian",
    "seeds": 0,
    "replicas": 1,
    "observables": "orthogonality_gap",
    "engine": "auto",
    "dtype": "float64",
    "batch_seed": 0,
    "layout": "rows",
    "backward": None,
    "tangents": None,
}
FIELDS = ("chain", "width", "batch", "depth", *_DEFAULTS)
"""What a grid may say, see `Grid.of`."""


def read_grid(path: str | os.PathLike[str], **overrides: object) -> Grid:
    """The grid in a TOML file of at most 10 MB, with some fields replaced.

    The fields are those of `Grid.of`. Raises `GridError`, naming the file and the field.

    Args:
        path: of the file.
        overrides: fields by name, in the place of those of the file.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     with open(f"{folder}/grid.toml", "w") as file:
        ...         _ = file.write('chain = "rescale"\\nwidth = [8, 16]\\nbatch = 3\\ndepth = 4')
        ...     len(read_grid(f"{folder}/grid.toml", seeds="0..4"))
        10
    """
    try:
        fields = tomllib.loads(read_regular(path, _LARGEST_FILE).decode("utf-8"))
    except UnreadableFileError as error:
        raise GridError(f"{os.fspath(path)}: {error}; name a TOML file") from None
    except (ValueError, RecursionError) as error:
        raise GridError(f"{os.fspath(path)}: not TOML: {error}") from None
    try:
        return Grid.of({**fields, **overrides})
    except GridError as error:
        raise GridError(f"{os.fspath(path)}: {error}") from None


def _listed(name: str, value: object) -> tuple[object, ...]:
    items: tuple[object, ...] = (value,)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        items = tuple(value)
    require(items, f"{name} is an empty list; give at least one value", GridError)
    return items


def _texts(name: str, value: object, such_as: str) -> tuple[str, ...]:
    found = []
    for item in _listed(name, value):
        if not isinstance(item, str):
            raise GridError(f"{name} contain {told(item)}; give names, {such_as}")
        found.append(item)
    return tuple(found)


def _numbers(name: str, value: object, least: int) -> tuple[int, ...]:
    """One axis of whole numbers, from numbers and texts such as ``"64"`` and ``"0..9"``."""
    spreads = (_spread(name, item, least) for item in _listed(name, value))
    return tuple(chained.from_iterable(spreads))


def _spread(name: str, item: object, least: int) -> Iterable[int]:
    if not isinstance(item, str):
        return (whole_number(name, item, least),)
    span = re.fullmatch(r"\s*(\d{1,30})\s*(?:\.\.\s*(\d{1,30})\s*)?", item, re.ASCII)
    if span is None:
        raise GridError(
            f"{name}={item!r} is not a whole number; give one ≥ {least}, or a range such as '0..9'"
        )
    first = whole_number(name, int(span[1]), least)
    last = first if span[2] is None else int(span[2])
    require(
        first <= last < first + MOST_RUNS,
        f"{name}={item!r} is an empty range or has more than {MOST_RUNS} numbers; give one "
        "like '0..9'",
        GridError,
    )
    return range(first, last + 1)


def _one_number(name: str, value: object, least: int) -> int:
    numbers = _numbers(name, value, least)
    require(
        len(numbers) == 1,
        f"{name} has {len(numbers)} values and is not varied; give one",
        GridError,
    )
    return numbers[0]


def _batches(value: object, seed: int, layout: Layout) -> Iterator[RunBatch]:
    """The batches that are meant: several for a range of sizes."""
    for item in _listed("batch", value):
        if isinstance(item, str) and not re.fullmatch(r"[\s\d.]+", item):
            yield _stored(item, layout)
        else:
            yield from (RunBatch(n, seed) for n in _spread("batch", item, 1))


def _stored(item: str, layout: Layout) -> RunBatch:
    digits = re.fullmatch(r"digits(?::(\d{1,9}))?", item, re.ASCII)
    take = None if digits is None or digits[1] is None else int(digits[1])
    try:
        batch = read_batch("digits" if digits else item, layout=layout, take=take)
    except ValueError as error:
        raise GridError(f"batch={item!r}: ", *ArgumentError.parts_of(error)) from None
    file = None if digits else file_of(item)
    n = batch.array.shape[1]
    return RunBatch(n, 0, batch.array, batch.digest, file, batch.description)


def _chain(text: str, law: str, width: int) -> Chain:
    return read_chain(text).build(width).with_law(law)


def _admit(chain: Chain, batch: RunBatch, width: int, dtype: str) -> None:
    """Raise `ValueError` unless the chain takes the batch. Normal samples are not drawn for it."""
    if batch.array is not None:
        require_runnable(batch.array, chain, dtype)
    elif batch.n > width:
        raise ValueError(f"{batch.n} samples are more than the width; give at most {width}")
