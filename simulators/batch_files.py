"""Arrays from .npy, .npz and .csv files, refusing what is not plainly an array of numbers.

NumPy's own loader is not used: it may unpickle, and trusts the size that a damaged header claims.
What a file claims to hold is compared with what can be held before anything is unpacked.
"""

from __future__ import annotations

import csv
import lzma
import math
import operator
import os
import struct
import tokenize
import zipfile
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from simulators.arguments import Argument, ArgumentError, told
from simulators.regular_files import obstacle

__all__ = ["LARGEST", "BatchError", "Stored", "count_of", "file_of", "read_array"]

LARGEST = 2**28
"""Bytes of numbers that are held at once. Larger files can be read in part, but for archives,
which are unpacked.
"""
LONGEST_LINE = 2**24
_NAMES_TOLD = 8
_INDEX_HEADINGS = ("", "index", "Unnamed: 0")


class BatchError(ArgumentError):
    """A batch that cannot be read. The message is one line: the file, what was found, the
    remedy.
    """


@dataclass(frozen=True)
class Stored:
    """What was read: the ``array``, the ``shape`` it has in the file, of which samples may have
    been left, and notes.

    ``notes`` say what of the file was taken for something other than numbers of samples.
    """

    array: NDArray[Any]
    shape: tuple[int, ...]
    notes: tuple[str, ...] = ()


def read_array(name: str, *, axis: int = 0, take: int | None = None) -> Stored:
    """The array in file ``name``, as stored; ``"file.npz:key"`` picks one array of an archive.

    With ``take``, only the first so many entries along ``axis``, or all if there are fewer; of an
    .npy file and, along axis 0, of a .csv file no more is read.

    Raises `BatchError` when the file is missing, not a regular file, of another suffix, damaged, of
    more than `LARGEST` bytes of numbers, or holds anything other than one array of plain scalars.
    Dimensions and values are left to the caller.
    """
    path, key = _split(name)
    suffix = os.path.splitext(path)[1].lower()
    words = obstacle(path)
    if words == "no such file":
        raise BatchError(
            f"{name}: {words}; check the path (or write 'digits' for the built-in batch)"
        )
    if words is not None:
        raise BatchError(f"{name}: {words}; name a .npy, .npz or .csv file")
    if suffix not in (".npy", ".npz", ".csv"):
        raise BatchError(
            f"{name}: suffix {suffix!r} is unknown; store the batch as .npy, .npz or .csv"
        )
    try:
        if suffix == ".csv":
            return _read_csv(name, path, axis, take)
        if suffix == ".npz":
            return _read_npz(name, path, key, axis, take)
        with open(path, "rb") as stream:
            return _read_npy(name, stream, os.path.getsize(path), axis, take)
    except OSError as error:
        raise BatchError(
            f"{name}: cannot be read: {error.strerror or error}; check the file"
        ) from None


def count_of(name: str, take: Any, available: int) -> int:
    """How many samples ``take`` means of those ``available``: all for None.

    Raises `BatchError` for what is not there, and for what is no number.
    """
    if take is None:
        return available
    try:
        count = operator.index(take)
    except TypeError:
        raise BatchError(
            f"{name}: ", Argument("take", take), " is not a whole number of samples"
        ) from None
    if not 1 <= count <= available:
        raise BatchError(
            f"{name}: ",
            Argument("take", take),
            f" of {available} samples; take between 1 and {available}",
        )
    return count


def file_of(name: str) -> str:
    """The file that a batch named ``name`` is read from, without the key of an archive."""
    return _split(name)[0]


def _split(name: str) -> tuple[str, str | None]:
    path, mark, key = name.rpartition(".npz:")
    return (path + ".npz", key) if mark and not os.path.exists(name) else (name, None)


def _part(shape: Sequence[int], axis: int, take: int | None) -> tuple[slice, ...]:
    """The first ``take`` along ``axis`` of an array of this shape; all of one that has no such
    axis.
    """
    if take is None or axis >= len(shape):
        return ()
    return (*(slice(None),) * axis, slice(take))


def _require_size(name: str, count: int) -> None:
    if count > LARGEST:
        raise BatchError(
            f"{name}: {count} bytes of numbers, and at most {LARGEST} are held; keep the first few "
            "with ",
            Argument("take"),
        )


# --- .npy -----------------------------------------------------------------------------------------


def _read_npy(name: str, stream: IO[bytes], size: int, axis: int, take: int | None) -> Stored:
    """An .npy stream of ``size`` bytes. The header is checked before any data are touched."""
    shape, fortran, dtype = _npy_header(name, stream)
    offset = stream.tell()
    expected = offset + math.prod(shape) * dtype.itemsize
    if size < expected:
        raise BatchError(f"{name}: truncated: {size} bytes of {expected}; save or copy it again")
    part = _part(shape, axis, take)
    kept = [
        min(length, take) if part and k == axis and take is not None else length
        for k, length in enumerate(shape)
    ]
    _require_size(name, math.prod(kept) * dtype.itemsize)
    order: Any = "F" if fortran else "C"
    if math.prod(shape) == 0:
        return Stored(np.empty(shape, dtype)[part], shape)
    if isinstance(stream, zipfile.ZipExtFile):
        data = stream.read(expected - offset)
        if len(data) < expected - offset:
            raise BatchError(
                f"{name}: truncated: {len(data) + offset} bytes of {expected}; save or copy it "
                "again"
            )
        stored: NDArray[Any] = np.ndarray(shape, dtype, data, order=order)
    else:
        stored = np.memmap(stream, dtype, "r", offset, shape, order)
    return Stored(np.array(stored[part]), shape)


def _npy_header(name: str, stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    start = stream.read(8)
    if start[:6] != np.lib.format.MAGIC_PREFIX:
        if start[:1] == b"\x80":
            raise BatchError(
                f"{name}: a pickle, refused because loading one runs code; use numpy.save"
            )
        raise BatchError(
            f"{name}: not an .npy array (no NumPy signature); write it with numpy.save"
        )
    stream.seek(0)
    try:
        version = np.lib.format.read_magic(stream)
        header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        if (
            version not in header
        ):  # only structured arrays with names outside Latin-1 need version 3
            raise BatchError(
                f"{name}: .npy version {version}, not (1, 0) or (2, 0); save plain numbers"
            )
        shape, fortran, dtype = header[version](stream)
        if any(isinstance(length, bool) or length < 0 for length in shape):
            raise ValueError(f"shape {shape}")
    except BatchError:
        raise
    except (
        ValueError,
        TypeError,
        SyntaxError,
        tokenize.TokenError,
        ArithmeticError,
        LookupError,
        MemoryError,
        RecursionError,
    ) as error:  # NumPy reads the header as Python, and damage may look like anything
        raise BatchError(f"{name}: truncated or damaged: {_line(error)}; save it again") from None
    if dtype.hasobject:
        raise BatchError(
            f"{name}: an object array, refused because its data are pickled; save real numbers"
        )
    if dtype.names is not None or dtype.kind not in "fiu":
        raise BatchError(f"{name}: entries of type {_line(dtype)}; save an array of real numbers")
    return shape, fortran, dtype


# --- .npz -----------------------------------------------------------------------------------------


def _read_npz(name: str, path: str, key: str | None, axis: int, take: int | None) -> Stored:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            listed = ", ".join(list(members)[:_NAMES_TOLD]) + (
                ", …" if len(members) > _NAMES_TOLD else ""
            )
            if key is None and len(members) != 1:
                raise BatchError(
                    f"{name}: {len(members)} arrays, {listed or 'none'}; name one as {path}:KEY"
                )
            chosen = next(iter(members)) if key is None else key
            if chosen not in members:
                raise BatchError(f"{name}: no array {chosen!r}; the file has {listed or 'none'}")
            member = members[chosen]
            if (
                member.file_size > LARGEST
            ):  # zipfile gives no more than that, whatever the data would unpack to
                raise BatchError(
                    f"{name}: {member.file_size} bytes when unpacked, and at most {LARGEST} are; "
                    "save the "
                    "array as .npy, of which a part can be read"
                )
            with archive.open(member) as stream:
                return _read_npy(name, stream, member.file_size, axis, take)
    except BatchError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        struct.error,
        EOFError,
        RuntimeError,
        ValueError,
        NotImplementedError,
        ArithmeticError,
        LookupError,
        MemoryError,
    ) as error:
        raise BatchError(
            f"{name}: damaged or no .npz archive: {_line(error)}; use numpy.savez"
        ) from None


# --- .csv -----------------------------------------------------------------------------------------


def _read_csv(name: str, path: str, axis: int, take: int | None) -> Stored:
    numbers = array("d")  # as compact as the array that is made of it
    notes: tuple[str, ...] = ()
    width = count = kept = first_column = 0
    try:
        with open(path, newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(_lines(name, stream))
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if not width:
                    width = len(cells)
                    if _are_headings(name, cells):
                        first_column = int(width > 1 and cells[0].strip() in _INDEX_HEADINGS)
                        if first_column:
                            notes = (_left_out(cells[0].strip()),)
                        continue
                if len(cells) != width:
                    raise BatchError(
                        f"{name}: line {reader.line_num} has {len(cells)} cells, the first has "
                        f"{width}; "
                        "every line needs the same number"
                    )
                count += 1
                if axis == 0 and take is not None and count > take:
                    continue  # counted, no more
                kept += 1
                last_column = first_column + take if axis == 1 and take is not None else None
                numbers.extend(_numbers(name, reader.line_num, cells, first_column, last_column))
                _require_size(name, numbers.itemsize * len(numbers))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BatchError(
            f"{name}: not comma-separated text: {_line(error)}; save it as UTF-8 .csv"
        ) from None
    stored = np.array(numbers, dtype=np.float64).reshape(kept, len(numbers) // max(kept, 1))
    return Stored(stored, (count, width - first_column), notes)


def _lines(name: str, stream: IO[str]) -> Iterator[str]:
    """The lines of a file, none of them longer than a line can reasonably be."""
    while line := stream.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise BatchError(
                f"{name}: a line of {LONGEST_LINE} characters or more; save the array as .npy"
            )
        yield line


def _are_headings(name: str, cells: Sequence[str]) -> bool:
    """Whether a first line holds names of columns; that of an index may be empty, and pandas
    numbers the others.
    """
    numbers = [_number(cell) for cell in cells]
    if all(number is None for number in numbers):
        return True
    counted = [cell.strip() for cell in cells]
    if counted[0] in _INDEX_HEADINGS and counted[1:] == [str(k) for k in range(len(cells) - 1)]:
        return True
    if len(cells) > 2 and counted == [str(k) for k in range(len(cells))]:
        raise BatchError(
            f"{name}: line 1 counts 0, 1, 2, …: headings that pandas wrote, or a sample? write it "
            "with "
            "header=False, or headings with letters"
        )
    return False


def _left_out(heading: str) -> str:
    return f"the column headed {heading!r} was taken for pandas' index and left out"


def _numbers(
    name: str, line: int, cells: Sequence[str], first: int, last: int | None
) -> list[float]:
    found = [_number(cell) for cell in cells[first:last]]
    numbers = [number for number in found if number is not None]
    if len(numbers) < len(found):
        column = found.index(None) + first
        raise BatchError(
            f"{name}: line {line}, column {column + 1}: {told(cells[column])} is not a "
            "number; separate numbers by commas, with a point for decimals"
        )
    return numbers


def _number(cell: str) -> float | None:
    try:
        return None if "_" in cell else float(cell)  # float() would read 1_0 as ten
    except ValueError:
        return None


def _line(found: object) -> str:
    return " ".join(str(found).split())[:200]
