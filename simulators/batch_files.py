"""Arrays from .npy, .npz and .csv files, refusing what is not plainly an array of numbers.

NumPy's own loader is not used: it may unpickle, and trusts the size that a damaged header claims.
"""

from __future__ import annotations

import csv
import math
import os
import zipfile
import zlib
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray


class BatchError(ValueError):
    """A batch that cannot be read. The message is one line: the file, what was found, the remedy."""


def read_array(name: str) -> NDArray[Any]:
    """The array in file ``name``, as stored; ``"file.npz:key"`` picks one array of an archive.

    Raises `BatchError` when the file is missing, not a regular file, of another suffix, damaged, or holds
    anything other than one array of plain scalars. Dimensions and values are left to the caller.
    """
    path, key = _split(name)
    suffix = os.path.splitext(path)[1].lower()
    if os.path.isdir(path):
        raise BatchError(f"{name}: a directory; name a .npy, .npz or .csv file")
    if not os.path.exists(path):
        raise BatchError(f"{name}: no such file; check the path (or write 'digits' for the built-in batch)")
    if suffix not in (".npy", ".npz", ".csv"):
        raise BatchError(f"{name}: suffix {suffix!r} is unknown; store the batch as .npy, .npz or .csv")
    try:
        if suffix == ".csv":
            return _read_csv(name, path)
        if suffix == ".npz":
            return _read_npz(name, path, key)
        with open(path, "rb") as stream:
            return _read_npy(name, stream, os.path.getsize(path))
    except OSError as error:
        raise BatchError(f"{name}: cannot be read: {error.strerror or error}; check the file") from None


def file_of(name: str) -> str:
    """The file that a batch named ``name`` is read from, without the key of an archive."""
    return _split(name)[0]


def _split(name: str) -> tuple[str, str | None]:
    path, mark, key = name.rpartition(".npz:")
    return (path + ".npz", key) if mark and not os.path.exists(name) else (name, None)


def _read_npy(name: str, stream: IO[bytes], size: int) -> NDArray[Any]:
    """An .npy stream of ``size`` bytes. The header is checked before any data are touched."""
    start = stream.read(8)
    if start[:6] != np.lib.format.MAGIC_PREFIX:
        if start[:1] == b"\x80":
            raise BatchError(f"{name}: a pickle, refused because loading one runs code; use numpy.save")
        raise BatchError(f"{name}: not an .npy array (no NumPy signature); write it with numpy.save")
    stream.seek(0)
    try:
        version = np.lib.format.read_magic(stream)
        header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in header:  # only structured arrays with names outside Latin-1 need version 3
            raise BatchError(f"{name}: .npy version {version}, not (1, 0) or (2, 0); save plain numbers")
        shape, _, dtype = header[version](stream)
    except ValueError as error:
        if isinstance(error, BatchError):
            raise
        raise BatchError(f"{name}: truncated or damaged: {_line(error)}; save it again") from None
    if dtype.hasobject:
        raise BatchError(f"{name}: an object array, refused because its data are pickled; save real numbers")
    if dtype.names is not None or dtype.kind not in "fiu":
        raise BatchError(f"{name}: entries of type {_line(dtype)}; save an array of real numbers")
    expected = stream.tell() + math.prod(shape) * dtype.itemsize
    if size < expected:
        raise BatchError(f"{name}: truncated: {size} bytes of {expected}; save or copy it again")
    stream.seek(0)
    array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    return array


def _read_npz(name: str, path: str, key: str | None) -> NDArray[Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            if key is None and len(members) != 1:
                raise BatchError(
                    f"{name}: {len(members)} arrays, {', '.join(members) or 'none'}; name one as {path}:KEY"
                )
            chosen = next(iter(members)) if key is None else key
            if chosen not in members:
                raise BatchError(f"{name}: no array {chosen!r}; the file has {', '.join(members) or 'none'}")
            with archive.open(members[chosen]) as stream:
                return _read_npy(name, stream, members[chosen].file_size)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise BatchError(f"{name}: damaged or no .npz archive: {_line(error)}; use numpy.savez") from None


def _read_csv(name: str, path: str) -> NDArray[np.float64]:
    rows: list[list[float]] = []
    width = 0
    try:
        with open(path, newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(stream)
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                first = width == 0
                if first:
                    width = len(cells)
                if len(cells) != width:
                    raise BatchError(
                        f"{name}: line {reader.line_num} has {len(cells)} cells, the first has {width}; "
                        "every line needs the same number"
                    )
                numbers = [_number(cell) for cell in cells]
                if first and all(number is None for number in numbers):
                    continue  # headings
                row = [number for number in numbers if number is not None]
                if len(row) < width:
                    column = numbers.index(None)
                    raise BatchError(
                        f"{name}: line {reader.line_num}, column {column + 1}: {cells[column]!r} is not a "
                        "number; separate numbers by commas, with a point for decimals"
                    )
                rows.append(row)
    except (UnicodeDecodeError, csv.Error) as error:
        raise BatchError(f"{name}: not comma-separated text: {_line(error)}; save it as UTF-8 .csv") from None
    return np.array(rows, dtype=np.float64).reshape(len(rows), width)


def _number(cell: str) -> float | None:
    try:
        return None if "_" in cell else float(cell)  # float() would read 1_0 as ten
    except ValueError:
        return None


def _line(found: object) -> str:
    return " ".join(str(found).split())
