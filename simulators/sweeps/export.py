"""Results of a store as a table, in CSV or Parquet: one row per run, replica and layer.

Columns: what the run was (chain, weights, width, n, batch, depth, seed, engine, dtype), what
produced it (batch_sha256, seconds, the versions of Python, NumPy, Torch and this package), where
the row stands (replica, layer; layer 0 is the batch), whether rounding spoiled it (1, else 0; empty
where an earlier release did not estimate that), then one column per observable, or ``name.0``,
``name.1``, … for one with several entries, row by row. A run that was not asked for an observable
leaves its columns empty.
"""

from __future__ import annotations

import csv
import importlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

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
_PLACE = ("replica", "layer", "spoiled")
_WHOLE = ("width", "n", "depth", "replica", "layer", "spoiled")


class ExportError(ValueError):
    """A table that cannot be written. The message is one line: the file, what is wrong, the
    remedy.
    """


class UnwritableTableError(ExportError):
    """The table cannot be written where it should go."""


def require_format(path: str | os.PathLike[str]) -> None:
    """Raise `ExportError` unless ``path`` ends in .csv, or in .parquet and pyarrow is installed."""
    suffix = Path(path).suffix.lower()
    require(
        suffix in (".csv", ".parquet"),
        f"{path}: suffix {suffix!r} is unknown; name a .csv or .parquet file",
        ExportError,
    )
    if suffix == ".parquet":
        _pyarrow()


def require_apart(path: str | os.PathLike[str], store: str | os.PathLike[str]) -> None:
    """Raise `ExportError` if the table would take the place of the store it comes from."""
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
    """
    require_format(path)
    require_apart(path, store.path)
    chosen = None if keys is None else list(keys)
    observed = (_observed(_trajectory(row)) for row in store.rows(chosen))
    names = sorted(set(chain.from_iterable(observed)), key=_natural)
    write = _write_csv if Path(path).suffix.lower() == ".csv" else _write_parquet
    try:
        with replacing(path) as draft:
            rows = write(draft, names, (_columns(row) for row in store.rows(chosen)))
    except OSError as error:
        raise UnwritableTableError(
            f"{path}: cannot be written: {error.strerror or error}; name another file"
        ) from None
    return rows


def _pyarrow() -> tuple[ModuleType, ModuleType]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise ExportError(
            "Parquet needs pyarrow; install it with: pip install 'batchnorm-theorems[parquet]', "
            "or name "
            "a .csv file"
        ) from None


def _trajectory(row: Row) -> Trajectory:
    try:
        return Trajectory.from_bytes(row.data)
    except ValueError as error:
        raise ExportError(f"run {row.key[:12]} cannot be read: {error}") from None


def _observed(trajectory: Trajectory) -> dict[str, Any]:
    """Name -> entries in the order of replicas and layers; several names for an observable with
    several entries.
    """
    found: dict[str, Any] = {}
    for name, values in trajectory.values.items():
        entries = values.reshape(values.shape[0] * values.shape[1], -1)
        if values.ndim == 2:
            found[name] = entries[:, 0]
        else:
            found |= {f"{name}.{number}": entries[:, number] for number in range(entries.shape[1])}
    return found


def _natural(name: str) -> tuple[str, int]:
    base, _, number = name.rpartition(".")
    return (base, int(number)) if base and number.isdigit() else (name, -1)


def _columns(row: Row) -> tuple[int, dict[str, Any]]:
    """The rows of one run: how many, and its columns, a scalar standing for a constant one."""
    parameters, trajectory = json.loads(row.parameters), _trajectory(row)
    batch = parameters["batch"]
    label = f"gaussian, seed {batch['seed']}" if "gaussian" in batch else "file"
    layers = trajectory.depth + 1
    count = trajectory.replicas * layers
    constants = {
        **{name: parameters[name] for name in ("chain", "weights", "width", "depth")},
        "seed": str(parameters["seed"]),
        "n": trajectory.batch_shape[1],
        "batch": label,
        "engine": trajectory.engine,
        "dtype": trajectory.dtype,
        "batch_sha256": trajectory.batch_sha256,
        "seconds": row.seconds,
        **{f"{name}_version": trajectory.versions[name] for name in _VERSIONS},
    }
    places = {
        "replica": np.repeat(np.arange(trajectory.replicas), layers),
        "layer": np.tile(np.arange(layers), trajectory.replicas),
        "spoiled": _spoiled(trajectory),
    }
    return count, {**constants, **places, **_observed(trajectory)}


def _spoiled(trajectory: Trajectory) -> np.ndarray[Any, Any]:
    """1, 0, or None where it is not known, in the order of replicas and layers."""
    found = trajectory.spoiled.astype(int).astype(object)
    found[np.isnan(trajectory.rounding)] = None
    return found.reshape(-1)


def _header(names: Sequence[str]) -> list[str]:
    return [*_RUN, *(f"{name}_version" for name in _VERSIONS), *_PLACE, *names]


def _write_csv(path: Path, names: Sequence[str], runs: Iterator[tuple[int, dict[str, Any]]]) -> int:
    header, total = _header(names), 0
    with open(path, "x", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        for count, columns in runs:
            full = [_repeated(columns.get(name, ""), count, np.ndarray.tolist) for name in header]
            writer.writerows(zip(*full, strict=True))
            total += count
    return total


def _write_parquet(
    path: Path, names: Sequence[str], runs: Iterator[tuple[int, dict[str, Any]]]
) -> int:
    arrow, parquet = _pyarrow()
    header, total = _header(names), 0

    def kind(name: str) -> Any:
        if name in names or name == "seconds":
            return arrow.float64()
        return arrow.int64() if name in _WHOLE else arrow.string()

    schema = arrow.schema([(name, kind(name)) for name in header])
    with parquet.ParquetWriter(path, schema) as writer:
        for count, columns in runs:
            full = [
                arrow.array(
                    _repeated(columns.get(name), count, lambda values: values), type=kind(name)
                )
                for name in header
            ]
            writer.write_table(arrow.table(full, schema=schema))
            total += count
    return total


def _repeated(value: Any, count: int, convert: Callable[[np.ndarray[Any, Any]], Any]) -> Any:
    return convert(value) if isinstance(value, np.ndarray) else [value] * count
