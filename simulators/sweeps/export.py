"""Results of a store as a table, in CSV or Parquet: one row per run, replica and layer.

Columns: what the run was (chain, weights, width, n, batch, depth, seed, engine, dtype), what
produced it (batch_sha256, seconds, the versions of Python, NumPy, Torch and this package), where
the row stands (replica, layer; layer 0 is the batch), whether rounding spoiled it (1, else 0; empty
where an earlier release did not estimate that), then one column per observable, or ``name.0``,
``name.1``, … for one with several entries, row by row; before these ``backward``, what the gradient
was at the last layer, where a run went back, and ``tangents``, what went forward from the batch
beside it. A run that was not asked for an observable
leaves its columns empty.
"""

from __future__ import annotations

import csv
import importlib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np

from simulators.arguments import require
from simulators.regular_files import replacing
from simulators.sweeps.store import Row, Store
from simulators.trajectory import Trajectory

__all__ = ["ExportError", "UnwritableTableError", "export", "require_apart", "require_format"]

_RUN = (
    "chain",
    "weights",
    "width",
    "n",
    "batch",
    "depth",
    "seed",
    "engine",
    "dtype",
    "batch_sha256",
    "seconds",
)
_VERSIONS = ("python", "numpy", "torch", "batchnorm-theorems")
_WORDS = tuple(f"{name}_version" for name in _VERSIONS)
_PLACE = ("replica", "layer", "spoiled")
_GIVEN = ("backward", "tangents")
_WHOLE = ("width", "n", "depth", "replica", "layer", "spoiled")


class ExportError(ValueError):
    """A table that cannot be written. The message is one line: the file, what is wrong, the
    remedy.

    Example:
        >>> str(ExportError("t.xls: suffix '.xls' is unknown; name a .csv or .parquet file"))
        "t.xls: suffix '.xls' is unknown; name a .csv or .parquet file"
    """


class UnwritableTableError(ExportError):
    """The table cannot be written where it should go.

    Example:
        >>> issubclass(UnwritableTableError, ExportError)
        True
    """


def require_format(path: str | os.PathLike[str]) -> None:
    """Raise `ExportError` unless ``path`` ends in .csv, or in .parquet and pyarrow is installed.

    One line names the file, what is wrong and the remedy.

    Example:
        >>> require_format("table.csv")
    """
    suffix = Path(path).suffix.lower()
    require(
        suffix in (".csv", ".parquet"),
        f"{path}: suffix {suffix!r} is unknown; name a .csv or .parquet file",
        ExportError,
    )
    if suffix == ".parquet":
        _pyarrow()


def require_apart(path: str | os.PathLike[str], store: str | os.PathLike[str]) -> None:
    """Raise `ExportError` if the table would take the place of the store it comes from.

    Links are followed.

    Args:
        path: of the table.
        store: of the store.

    Example:
        >>> require_apart("table.csv", "runs.db")
    """
    require(
        os.path.realpath(path) != os.path.realpath(store),
        f"{path}: is the store itself, and a table would take its place; name another file",
        ExportError,
    )


def export(store: Store, path: str | os.PathLike[str], keys: Iterable[str] | None = None) -> int:
    """Write the results with these ``keys``, or all, to ``path`` in one piece; return the number of
    rows.

    Reads the store twice, one run at a time. Raises `ExportError` for a suffix that is not known,
    for the store itself, for Parquet without pyarrow and for a file that cannot be written, and
    `StoreError`.

    Cost: one run in memory at a time.

    Args:
        store: open for reading.
        path: with a suffix that says the format.
        keys: of runs.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder, Store(f"{folder}/runs.db") as store:
        ...     export(store, f"{folder}/table.csv")
        0
    """
    require_format(path)
    require_apart(path, store.path)
    chosen = None if keys is None else list(keys)
    names: set[str] = set()
    given: set[str] = set()
    for trajectory in map(_trajectory, store.rows(chosen)):
        names.update(_observed(trajectory))
        given.update(name for name in _GIVEN if getattr(trajectory, name) is not None)
    told = (name for name in _GIVEN if name in given)
    header = (*_RUN, *_WORDS, *_PLACE, *told, *sorted(names, key=_natural))
    write = _write_csv if Path(path).suffix.lower() == ".csv" else _write_parquet
    try:
        with replacing(path) as draft:
            return write(draft, header, (_columns(row, header) for row in store.rows(chosen)))
    except OSError as error:
        raise UnwritableTableError(
            f"{path}: cannot be written: {error.strerror or error}; name another file"
        ) from None


def _pyarrow() -> tuple[ModuleType, ModuleType]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise ExportError(
            "Parquet needs pyarrow; install it with: pip install 'batchnorm-theorems[parquet]', "
            "or name a .csv file"
        ) from None


def _trajectory(row: Row) -> Trajectory:
    require(
        "training" not in json.loads(row.parameters),
        f"run {row.key[:12]} is a network that was trained, and a table is of simulations; give the "
        "grid of these alone, and read what was trained in Python: "
        "simulators.training.Trained.joined(row.data for row in store.rows())",
        ExportError,
    )
    try:
        return Trajectory.from_bytes(row.data)
    except ValueError as error:
        raise ExportError(f"run {row.key[:12]} cannot be read: {error}") from None


def _observed(trajectory: Trajectory) -> dict[str, list[float]]:
    """Name -> entries in the order of replicas and layers; several names for an observable with
    several entries.
    """
    found: dict[str, list[float]] = {}
    for name, values in trajectory.values.items():
        entries = values.reshape(values.shape[0] * values.shape[1], -1).T.tolist()
        names = [name] if values.ndim == 2 else [f"{name}.{k}" for k in range(len(entries))]
        found |= dict(zip(names, entries, strict=True))
    return found


def _natural(name: str) -> tuple[str, int]:
    base, _, number = name.rpartition(".")
    return (base, int(number)) if base and number.isdigit() else (name, -1)


def _columns(row: Row, header: Sequence[str]) -> list[Sequence[object]]:
    """The rows of one run, column by column; None where it has nothing to say."""
    parameters, trajectory = json.loads(row.parameters), _trajectory(row)
    batch = parameters["batch"]
    layers = trajectory.depth + 1
    count = trajectory.replicas * layers
    constants = {
        **{name: parameters[name] for name in ("chain", "weights", "width", "depth")},
        "seed": str(parameters["seed"]),
        "n": trajectory.batch_shape[1],
        "batch": f"gaussian, seed {batch['seed']}" if "gaussian" in batch else "file",
        "engine": trajectory.engine,
        "dtype": trajectory.dtype,
        "batch_sha256": trajectory.batch_sha256,
        "seconds": row.seconds,
        **{name: getattr(trajectory, name) for name in _GIVEN},
        **{f"{name}_version": trajectory.versions[name] for name in _VERSIONS},
    }
    unknown = np.isnan(trajectory.rounding).ravel().tolist()
    marks = zip(trajectory.spoiled.ravel().tolist(), unknown, strict=True)
    columns: dict[str, Sequence[object]] = {
        **{name: [value] * count for name, value in constants.items()},
        "replica": np.repeat(np.arange(trajectory.replicas), layers).tolist(),
        "layer": np.tile(np.arange(layers), trajectory.replicas).tolist(),
        "spoiled": [None if blank else int(spoiled) for spoiled, blank in marks],
        **_observed(trajectory),
    }
    return [columns.get(name, [None] * count) for name in header]


def _write_csv(path: Path, header: Sequence[str], runs: Iterable[list[Sequence[object]]]) -> int:
    total = 0
    with open(path, "x", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        for columns in runs:
            writer.writerows(zip(*columns, strict=True))
            total += len(columns[0])
    return total


def _write_parquet(
    path: Path, header: Sequence[str], runs: Iterable[list[Sequence[object]]]
) -> int:
    arrow, parquet = _pyarrow()
    kinds = dict.fromkeys((*_RUN, *_WORDS, *_GIVEN), arrow.string()) | dict.fromkeys(
        _WHOLE, arrow.int64()
    )
    kinds["seconds"] = arrow.float64()
    schema = arrow.schema([(name, kinds.get(name, arrow.float64())) for name in header])
    total = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for columns in runs:
            arrays = [
                arrow.array(each, kind) for each, kind in zip(columns, schema.types, strict=True)
            ]
            writer.write_table(arrow.table(arrays, schema=schema))
            total += len(columns[0])
    return total
