"""The file formats of the standard image sets: IDX (MNIST, Fashion-MNIST), CIFAR-10's binary one.

A file is checked against what its format says before anything is made of it: its magic number, its
size to the byte, its labels. Nothing is unpickled, and nothing downloaded.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from simulators.arguments import require
from simulators.regular_files import UnreadableFileError, obstacle, read_regular

__all__ = [
    "CIFAR_RECORDS",
    "CLASSES",
    "DataError",
    "read_cifar",
    "read_idx_images",
    "read_idx_labels",
]

CLASSES = 10
"""Classes in each of the standard sets; labels run from 0."""

CIFAR_RECORDS = 10_000
"""Records in each file of CIFAR-10's binary version."""

_SIDE = 28
_IMAGES_MAGIC, _LABELS_MAGIC = 2051, 2049
_MAGIC_OF = {
    _IMAGES_MAGIC: "IDX images",
    _LABELS_MAGIC: "IDX labels",
}
_CIFAR_SHAPE = (3, 32, 32)
_CIFAR_RECORD = 1 + 3 * 32 * 32
_LARGEST = 2**28

_Read = TypeVar("_Read")


class DataError(ValueError):
    """A set of images that cannot be read. One line: the file, what was found, the remedy.

    Example:
        >>> print(DataError("data_batch_1.bin: no such file; copy it into the folder"))
        data_batch_1.bin: no such file; copy it into the folder
    """


class _RefusalError(Exception):
    """Why a file is refused, without its name."""


def read_idx_images(path: Path) -> NDArray[np.uint8]:
    """The images of an IDX file, ``(N, 1, 28, 28)``, each number a grey level in 0 … 255.

    Args:
        path: of the file, as it is or, ending in ``.gz``, compressed.

    Raises:
        DataError: where it is no regular file, of another magic number or image size, or not as
            long as its header says.

    Cost: one reading of the file.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "train-images-idx3-ubyte")
        ...     sizes = np.array([2051, 2, 28, 28], ">u4").tobytes()
        ...     _ = file.write_bytes(sizes + bytes(2 * 28 * 28))
        ...     read_idx_images(file).shape
        (2, 1, 28, 28)
    """
    return _read(path, _idx_images)


def read_idx_labels(path: Path) -> NDArray[np.int64]:
    """The labels of an IDX file, ``(N,)``, each in 0 … 9.

    Args:
        path: of the file, as it is or, ending in ``.gz``, compressed.

    Raises:
        DataError: where it is no regular file, of another magic number, not as long as its header
            says, or has a label above 9.

    Cost: one reading of the file.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "train-labels-idx1-ubyte")
        ...     _ = file.write_bytes(np.array([2049, 3], ">u4").tobytes() + bytes([7, 0, 9]))
        ...     read_idx_labels(file).tolist()
        [7, 0, 9]
    """
    return _read(path, _idx_labels)


def read_cifar(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images ``(N, 3, 32, 32)`` and labels ``(N,)`` of a file of CIFAR-10's binary version.

    Args:
        path: of the file: records of one label and 3072 bytes, the planes red, green, blue. One of
            fewer than the 10000 of a standard file is read too: whether it was cut short is seen
            beside the others of its set, by `simulators.training.images_in`.

    Raises:
        DataError: where it is no regular file, a pickle, no whole number of records or more than
            10000, or has a label above 9.

    Cost: one reading of the file.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "test_batch.bin")
        ...     _ = file.write_bytes(bytes([3]) + bytes(3072))
        ...     images, labels = read_cifar(file)
        >>> images.shape, labels.tolist()
        ((1, 3, 32, 32), [3])
    """
    return _read(path, _cifar)


def _read(path: Path, parse: Callable[[bytes], _Read]) -> _Read:
    """What ``parse`` makes of a file's bytes; each refusal with the name of the file before it."""
    try:
        words = obstacle(path)
        _want(words is None, f"{words}; copy the standard file there")
        data = read_regular(path, _LARGEST)
        return parse(_unpacked(data) if path.suffix == ".gz" else data)
    except (_RefusalError, UnreadableFileError) as refusal:
        raise DataError(f"{path}: {refusal}") from None


def _unpacked(data: bytes) -> bytes:
    """The bytes of a gzip file, of one member or several; no more are unpacked than could be held."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            found = file.read(_LARGEST + 1)
    except EOFError:
        raise _RefusalError(
            "truncated: the compressed data end early; copy the file again"
        ) from None
    except (zlib.error, gzip.BadGzipFile) as error:
        raise _RefusalError(f"damaged: {error}; copy the file again") from None
    _want(len(found) <= _LARGEST, f"unpacks to more than {_LARGEST} bytes; not a standard file")
    return found


def _want(holds: object, message: str) -> None:
    require(holds, message, _RefusalError)


def _idx_header(data: bytes, magic: int, axes: int) -> tuple[int, ...]:
    """The sizes that an IDX header gives, once they fit the bytes behind it."""
    length = 4 * (1 + axes)
    short = f"truncated: {len(data)} bytes, and the header alone has {length}"
    _want(len(data) >= 4, short)
    found = int(np.frombuffer(data[:4], ">u4")[0])
    got = _MAGIC_OF.get(found, "no IDX file of images or labels")
    remedy = "are two files swapped?" if found in _MAGIC_OF else "copy the standard file there"
    _want(
        found == magic,
        f"magic number {found} ({got}), want {magic} ({_MAGIC_OF[magic]}); {remedy}",
    )
    _want(len(data) >= length, short)
    sizes = [int(number) for number in np.frombuffer(data[4:length], ">u4")]
    if axes == 3:
        _want(
            sizes[1:] == [_SIDE, _SIDE],
            f"images of {sizes[1]} by {sizes[2]} pixels; want {_SIDE} by {_SIDE}",
        )
    expected = length + int(np.prod(sizes, dtype=object))
    _want_length(len(data), expected)
    _want(sizes[0], "it holds nothing; copy the standard file there")
    return tuple(sizes)


def _want_length(found: int, expected: int) -> None:
    kind = "truncated" if found < expected else "too long"
    _want(found == expected, f"{kind}: {found} bytes, want {expected}; copy the file again")


def _idx_images(data: bytes) -> NDArray[np.uint8]:
    count, height, width = _idx_header(data, _IMAGES_MAGIC, 3)
    return np.frombuffer(data, np.uint8, offset=16).reshape(count, 1, height, width)


def _idx_labels(data: bytes) -> NDArray[np.int64]:
    _idx_header(data, _LABELS_MAGIC, 1)
    return _labels(np.frombuffer(data, np.uint8, offset=8))


def _labels(found: NDArray[np.uint8]) -> NDArray[np.int64]:
    wrong = np.flatnonzero(found >= CLASSES)
    if wrong.size:
        place = int(wrong[0])
        raise _RefusalError(
            f"label {found[place]} of sample {place}; want labels from 0 to {CLASSES - 1}"
        )
    return found.astype(np.int64)


def _cifar(data: bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    _want(
        data[:2] not in (b"\x80\x02", b"\x80\x03", b"\x80\x04"),
        "a pickle, refused because loading one runs code; use the binary version of CIFAR-10",
    )
    _want(data, "it holds nothing; copy the standard file there")
    over = len(data) % _CIFAR_RECORD
    whole = f"want whole records of {_CIFAR_RECORD}; copy the file of the binary version again"
    _want(not over, f"{len(data)} bytes, {over} more than whole records: {whole}")
    records = np.frombuffer(data, np.uint8).reshape(-1, _CIFAR_RECORD)
    _want(
        len(records) <= CIFAR_RECORDS,
        f"too long: {len(records)} records of {_CIFAR_RECORD} bytes, want {CIFAR_RECORDS}; copy "
        "the file again",
    )
    return records[:, 1:].reshape(-1, *_CIFAR_SHAPE), _labels(records[:, 0])
