"""Arrays from .npy, .npz and .csv files, refusing what is not plainly an array of numbers.

NumPy's own loader is not used: it may unpickle, and trusts the size that a damaged header claims.
What a file claims to hold is compared with what can be held before anything is unpacked.
"""

from __future__ import annotations

import csv
import math
import os
import zipfile
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from simulators.arguments import Argument, ArgumentError, require, told, whole_number
from simulators.regular_files import DAMAGE, obstacle

__all__ = ["LARGEST", "BatchError", "Stored", "count_of", "file_of", "keys_of", "read_array"]

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

    Example:
        >>> print(BatchError("my.npy: ", Argument("take", 9), " of 3 samples; take at most 3"))
        my.npy: take=9 of 3 samples; take at most 3
    """


class _RefusalError(Exception):
    """Why a file is refused, without its name: the parts of a `BatchError`."""


@dataclass(frozen=True)
class Stored:
    """What was read: the ``array``, the ``shape`` it has in the file, of which samples may have
    been left, and notes.

    ``notes`` say what of the file was taken for something other than numbers of samples.

    Example:
        >>> Stored(np.eye(2), (2, 9)).notes
        ()
    """

    array: NDArray[Any]
    shape: tuple[int, ...]
    notes: tuple[str, ...] = ()


def read_array(
    name: str, *, axis: int = 0, take: int | None = None, truths: bool = False
) -> Stored:
    """The array in file ``name``, as stored; ``"file.npz:key"`` picks one array of an archive.

    With ``take``, only the first so many entries along ``axis``, or all if there are fewer; of an
    .npy file and, along axis 0, of a .csv file no more is read. With ``truths`` an array of truth
    values is taken too.

    Raises `BatchError` when the file is missing, not a regular file, of another suffix, damaged, of
    more than `LARGEST` bytes of numbers, or holds anything other than one array of plain scalars.
    Dimensions and values are left to the caller.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     np.save(f"{folder}/batch.npy", np.eye(3))
        ...     read_array(f"{folder}/batch.npy", take=2).array.shape
        (2, 3)
    """
    try:
        found = _read(name, axis, take)
        require(
            truths or found.array.dtype.kind != "b",
            f"entries of type {found.array.dtype}; save an array of real numbers",
            error=_RefusalError,
        )
    except _RefusalError as refusal:
        raise BatchError(f"{name}: ", *refusal.args) from None
    except OSError as error:
        raise BatchError(
            f"{name}: cannot be read: {error.strerror or error}; check the file"
        ) from None
    return found


def _read(name: str, axis: int, take: int | None) -> Stored:
    path, key = _split(name)
    suffix = os.path.splitext(path)[1].lower()
    words = obstacle(path)
    if words == "no such file":
        raise _RefusalError(f"{words}; check the path (or write 'digits' for the built-in batch)")
    require(words is None, f"{words}; name a .npy, .npz or .csv file", error=_RefusalError)
    if suffix == ".csv":
        return _read_csv(path, axis, take)
    if suffix == ".npz":
        return _read_npz(path, key, axis, take)
    require(
        suffix == ".npy",
        f"suffix {suffix!r} is unknown; store the batch as .npy, .npz or .csv",
        error=_RefusalError,
    )
    with open(path, "rb") as stream:
        return _read_npy(stream, os.path.getsize(path), axis, take)


def count_of(name: str, take: object, available: int) -> int:
    """How many samples ``take`` means of those ``available`` in the file ``name``: all for None.

    Raises `BatchError` for what is not there, and for what is no number.

    Example:
        >>> count_of("my.npy", None, 7), count_of("my.npy", 3, 7)
        (7, 3)
    """
    if take is None:
        return available
    argument = Argument("take", take)
    try:
        count = whole_number("take", take, 1)
    except TypeError:
        raise BatchError(f"{name}: ", argument, " is not a whole number of samples") from None
    except ValueError:
        count = 0
    if not 1 <= count <= available:
        raise BatchError(
            f"{name}: ", argument, f" of {available} samples; take between 1 and {available}"
        )
    return count


def file_of(name: str) -> str:
    """The file that a batch named ``name`` is read from, without the key of an archive.

    Example:
        >>> file_of("runs.npz:start")
        'runs.npz'
    """
    return _split(name)[0]


def keys_of(name: str) -> tuple[str, ...]:
    """The arrays in the archive ``name``, in order; none of what is no archive, or names a key.

    Example:
        >>> keys_of("runs.npz:start"), keys_of("digits")
        ((), ())
    """
    path, key = _split(name)
    if key is not None or os.path.splitext(path)[1].lower() != ".npz" or obstacle(path) is not None:
        return ()
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple(info.filename.removesuffix(".npy") for info in archive.infolist())
    except (*DAMAGE, OSError):  # the reader says what is wrong
        return ()


def _split(name: str) -> tuple[str, str | None]:
    path, mark, key = name.rpartition(".npz:")
    return (path + ".npz", key) if mark and not os.path.exists(name) else (name, None)


def _require_size(count: int) -> None:
    if count > LARGEST:
        raise _RefusalError(
            f"{count} bytes of numbers, and at most {LARGEST} are held; keep the first few with ",
            Argument("take"),
        )


# --- .npy -----------------------------------------------------------------------------------------


def _read_npy(stream: IO[bytes], size: int, axis: int, take: int | None) -> Stored:
    """An .npy stream of ``size`` bytes. The header is checked before any data are touched."""
    shape, order, dtype = _npy_header(stream)
    offset = stream.tell()
    expected = offset + math.prod(shape) * dtype.itemsize
    _require_whole(size, expected)
    kept = list(shape)
    if take is not None and axis < len(shape):
        kept[axis] = min(kept[axis], take)
    _require_size(math.prod(kept) * dtype.itemsize)
    if math.prod(shape) == 0:
        return Stored(np.empty(kept, dtype), shape)
    if isinstance(stream, zipfile.ZipExtFile):
        data = stream.read(expected - offset)
        _require_whole(len(data) + offset, expected)
        stored: NDArray[Any] = np.ndarray(shape, dtype, data, order=order)
    else:
        stored = np.memmap(stream, dtype, "r", offset, shape, order)
    return Stored(np.array(stored[tuple(map(slice, kept))]), shape)


def _require_whole(size: int, expected: int) -> None:
    require(
        size >= expected,
        f"truncated: {size} bytes of {expected}; save or copy it again",
        error=_RefusalError,
    )


def _npy_header(stream: IO[bytes]) -> tuple[tuple[int, ...], Literal["C", "F"], np.dtype]:
    start = stream.read(8)
    require(
        start[:1] != b"\x80",
        "a pickle, refused because loading one runs code; use numpy.save",
        error=_RefusalError,
    )
    require(
        start[:6] == np.lib.format.MAGIC_PREFIX,
        "not an .npy array (no NumPy signature); write it with numpy.save",
        error=_RefusalError,
    )
    stream.seek(0)
    try:
        version = np.lib.format.read_magic(stream)
        # only structured arrays with names outside Latin-1 need version 3
        require(
            version in ((1, 0), (2, 0)),
            f".npy version {version}, not (1, 0) or (2, 0); save plain numbers",
            error=_RefusalError,
        )
        old = version == (1, 0)
        read = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(stream)
        whole = not any(isinstance(length, bool) or length < 0 for length in shape)
        require(whole, f"shape {shape}")
    except DAMAGE as error:  # NumPy reads the header as Python
        raise _RefusalError(f"truncated or damaged: {_line(error)}; save it again") from None
    require(
        not dtype.hasobject,
        "an object array, refused because its data are pickled; save real numbers",
        error=_RefusalError,
    )
    require(
        dtype.names is None and dtype.kind in "fiub",
        f"entries of type {_line(dtype)}; save an array of real numbers",
        error=_RefusalError,
    )
    return shape, "F" if fortran else "C", dtype


# --- .npz -----------------------------------------------------------------------------------------


def _read_npz(path: str, key: str | None, axis: int, take: int | None) -> Stored:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            listed = ", ".join([*members][:_NAMES_TOLD]) or "none"
            if len(members) > _NAMES_TOLD:
                listed += ", …"
            require(
                key is not None or len(members) == 1,
                f"{len(members)} arrays, {listed}; name one as {path}:KEY",
                error=_RefusalError,
            )
            chosen = next(iter(members)) if key is None else key
            require(
                chosen in members,
                f"no array {chosen!r}; the file has {listed}",
                error=_RefusalError,
            )
            # zipfile gives no more than that, whatever the data would unpack to
            size = members[chosen].file_size
            require(
                size <= LARGEST,
                (
                    f"{size} bytes when unpacked, and at most {LARGEST} are; save the array as "
                    ".npy, of which a part can be read"
                ),
                error=_RefusalError,
            )
            with archive.open(members[chosen]) as stream:
                return _read_npy(stream, size, axis, take)
    except DAMAGE as error:
        words = f"damaged or no .npz archive: {_line(error)}; use numpy.savez"
        raise _RefusalError(words) from None


# --- .csv -----------------------------------------------------------------------------------------


def _read_csv(path: str, axis: int, take: int | None) -> Stored:
    numbers = array("d")  # as compact as the array that is made of it
    most = math.inf if take is None else take
    count = 0
    try:
        with open(path, newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(_lines(stream))
            rows = (cells for cells in reader if any(map(str.strip, cells)))
            head = next(rows, [])
            headed = _are_headings(head)
            first = int(headed and len(head) > 1 and head[0].strip() in _INDEX_HEADINGS)
            last = first + take if axis == 1 and take is not None else None
            for cells in rows if headed else chain([head], rows):
                require(
                    len(cells) == len(head),
                    (
                        f"line {reader.line_num} has {len(cells)} cells, the first has {len(head)}"
                        "; every line needs the same number"
                    ),
                    error=_RefusalError,
                )
                count += 1
                if axis == 1 or count <= most:  # else counted, no more
                    numbers.extend(_numbers(reader.line_num, cells[first:last], first))
                    _require_size(numbers.itemsize * len(numbers))
            if head and not count:
                raise _RefusalError(_no_sample(head))
    except (UnicodeDecodeError, csv.Error) as error:
        words = f"not comma-separated text: {_line(error)}; save it as UTF-8 .csv"
        raise _RefusalError(words) from None
    kept = int(count if axis == 1 else min(count, most))
    stored = np.array(numbers, dtype=np.float64).reshape(kept, len(numbers) // max(kept, 1))
    index = f"the column headed {''.join(head[:1]).strip()!r} was taken for pandas' index and "
    return Stored(stored, (count, len(head) - first), (f"{index}left out",) * first)


def _lines(stream: IO[str]) -> Iterator[str]:
    """The lines of a file, none of them longer than a line can reasonably be."""
    words = f"a line of {LONGEST_LINE} characters or more; save the array as .npy"
    while line := stream.readline(LONGEST_LINE):
        require(len(line) < LONGEST_LINE, words, error=_RefusalError)
        yield line


def _are_headings(cells: Sequence[str]) -> bool:
    """Whether a first line holds names of columns; that of an index may be empty, and pandas
    numbers the others.
    """
    plain = [cell.strip() for cell in cells]
    counted = [str(k) for k in range(len(cells))]
    require(
        len(cells) <= 2 or plain != counted,
        (
            "line 1 counts 0, 1, 2, …: headings that pandas wrote, or a sample? write it with "
            "header=False, or headings with letters"
        ),
        error=_RefusalError,
    )
    indexed = plain[:1] != [] and plain[0] in _INDEX_HEADINGS and plain[1:] == counted[:-1]
    return indexed or all(_number(cell) is None for cell in cells)


def _no_sample(head: Sequence[str]) -> str:
    """Why a file is refused of which the first line is the only one, and no numbers."""
    cells = ", ".join(told(cell.strip()) for cell in head[:_NAMES_TOLD])
    more = ", …" * (len(head) > _NAMES_TOLD)
    return f"only a line of headings, {cells}{more}; want a line of numbers for each sample"


def _numbers(line: int, cells: Sequence[str], first: int) -> list[float]:
    found = []
    for column, cell in enumerate(cells, start=first + 1):
        number = _number(cell)
        if number is None:
            raise _RefusalError(
                f"line {line}, column {column}: {told(cell)} is not a number; separate numbers by "
                "commas, with a point for decimals"
            )
        found.append(number)
    return found


def _number(cell: str) -> float | None:
    try:
        return None if "_" in cell else float(cell)  # float() would read 1_0 as ten
    except ValueError:
        return None


def _line(found: object) -> str:
    return " ".join(str(found).split())[:200]
