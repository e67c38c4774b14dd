"""Batches: what is read is what was stored, and bad input is refused in one line that says what to
do.
"""

from __future__ import annotations

import builtins
import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from simulators.batches import BatchError, read_batch, validate_batch

STORED = np.array([[1.0, 2.0], [0.5, -3.0], [1e-300, 1e300]])


def npy_bytes(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def csv_text(array: np.ndarray) -> str:
    return "".join(", ".join(map(repr, row)) + "\n" for row in array.tolist())


def write(path: Path, content: bytes | str) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def savez(path: Path, **arrays: np.ndarray) -> str:
    np.savez(path, **arrays)
    return str(path)


WRITERS: dict[str, Callable[[Path, np.ndarray], str]] = {
    "npy": lambda folder, array: write(folder / "my.npy", npy_bytes(array)),
    "npy, Fortran order": lambda folder, array: write(
        folder / "my.npy", npy_bytes(np.asfortranarray(array))
    ),
    "npy, big endian": lambda folder, array: write(
        folder / "my.npy", npy_bytes(array.astype(">f8"))
    ),
    "npz": lambda folder, array: savez(folder / "my.npz", batch=array),
    "npz, by key": lambda folder, array: (
        savez(folder / "my.npz", batch=array, other=array + 1) + ":batch"
    ),
    "csv": lambda folder, array: write(folder / "my.csv", csv_text(array)),
    "csv, headings": lambda folder, array: write(
        folder / "my.CSV",
        "\ufeff"
        + ", ".join("abc"[: array.shape[1]])
        + "\r\n\r\n"
        + csv_text(array).replace("\n", "\r\n"),
    ),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_files_are_read_as_stored(tmp_path: Path, writer: str) -> None:
    name = WRITERS[writer](tmp_path, STORED)
    batch = read_batch(name, layout="columns")
    np.testing.assert_array_equal(batch.array, STORED)
    assert batch.array.dtype == np.float64
    assert batch.array.flags.c_contiguous
    assert batch.description == f"2 samples (columns) of dimension 3 from {os.path.basename(name)}"
    assert batch.labels is None


@pytest.mark.parametrize("writer", WRITERS)
def test_rows_are_samples_unless_said_otherwise(tmp_path: Path, writer: str) -> None:
    name = WRITERS[writer](tmp_path, STORED.T)
    batch = read_batch(name)
    np.testing.assert_array_equal(batch.array, STORED)
    assert "2 samples (rows)" in batch.description


def test_digest_follows_the_values_and_the_shape(tmp_path: Path) -> None:
    columns = read_batch(write(tmp_path / "a.npy", npy_bytes(STORED)), layout="columns")
    rows = read_batch(write(tmp_path / "b.npy", npy_bytes(STORED.T)), layout="rows")
    square = np.arange(4.0).reshape(2, 2)
    one = read_batch(write(tmp_path / "c.npy", npy_bytes(square.reshape(1, 4))))
    two = read_batch(write(tmp_path / "d.npy", npy_bytes(square)))
    assert columns.digest == rows.digest
    assert len(columns.digest) == 64
    assert len({columns.digest, one.digest, two.digest}) == 3


def test_take_keeps_the_first_samples(tmp_path: Path) -> None:
    name = write(tmp_path / "wide.npy", npy_bytes(np.arange(12.0).reshape(2, 6)))
    batch = read_batch(name, layout="columns", take=2)
    np.testing.assert_array_equal(batch.array, [[0, 1], [6, 7]])
    assert batch.description == "first 2 of 6 samples (columns) of dimension 2 from wide.npy"
    assert read_batch(os.path.relpath(name), take=1).array.shape == (6, 1)
    assert read_batch(Path(name), take=np.int64(1)).array.shape == (6, 1)


def test_digits_are_the_ten_first_images() -> None:
    pytest.importorskip("sklearn", reason="the digits extra is not installed")
    batch = read_batch("digits")
    assert batch.array.shape == (64, 10)
    assert batch.labels == tuple(range(10))
    assert (
        batch.description == "first 10 of 1797 samples of dimension 64 from scikit-learn's digits"
    )
    assert set(np.unique(batch.array)) <= set(range(17))
    np.testing.assert_array_equal(
        read_batch("digits", take=3, layout="rows").array, batch.array[:, :3]
    )
    assert np.linalg.matrix_rank(batch.array) == 10
    for take, message in ((65, "65 samples of dimension 64"), (1798, "between 1 and 1797")):
        with pytest.raises(BatchError, match=message):
            read_batch("digits", take=take)


def test_digits_without_scikit_learn_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name.startswith("sklearn"):
            raise ImportError(name)
        return real_import(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BatchError, match=r"pip install 'batchnorm-theorems\[digits\]'"):
        read_batch("digits")


class Boom:
    """Unpickling this would be seen."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("a pickle was loaded",))


def encrypted_zip() -> bytes:
    content = bytearray()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("batch.npy", npy_bytes(STORED))
    content += stream.getvalue()
    content[6] |= 1  # the encryption flag, in the local header and in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def damaged_zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("batch.npy", npy_bytes(STORED))
    content = bytearray(stream.getvalue())
    content[content.index(b"\x93NUMPY") + 140] ^= (
        0xFF  # a byte of data: the checksum no longer fits
    )
    return bytes(content)


def zip_of(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name + ".npy", content)
    return stream.getvalue()


HEADER_3 = b"\x93NUMPY\x03\x00" + npy_bytes(STORED)[8:]
STRUCTURED = npy_bytes(np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]))
LARGE_CLAIM = npy_bytes(STORED).replace(b"(3, 2), ", b"(300000000000, 20), ", 1)

BAD_FILES: dict[str, tuple[str, bytes | str, str]] = {
    "unknown suffix": ("my.txt", "1,2", "suffix '.txt' is unknown"),
    "no suffix": ("my", "1,2", "suffix '' is unknown"),
    "empty npy": ("my.npy", b"", "not an .npy array"),
    "text in npy": ("my.npy", "1,2", "not an .npy array"),
    "zip in npy": ("my.npy", zip_of(a=b""), "not an .npy array"),
    "pickle in npy": ("my.npy", pickle.dumps(Boom()), "a pickle, refused"),
    "object array": (
        "my.npy",
        npy_bytes(np.array([[Boom()]], dtype=object)),
        "object array, refused",
    ),
    "truncated header": ("my.npy", npy_bytes(STORED)[:40], "truncated or damaged"),
    "only the signature": ("my.npy", b"\x93NUMPY", "truncated or damaged"),
    "damaged header": (
        "my.npy",
        npy_bytes(STORED).replace(b"{'descr'", b"{!descr'"),
        "truncated or damaged",
    ),
    "truncated data": ("my.npy", npy_bytes(STORED)[:-1], "truncated: 175 bytes of 176"),
    "header claiming terabytes": ("my.npy", LARGE_CLAIM, "truncated: "),
    "version 3": ("my.npy", HEADER_3, r"version \(3, 0\)"),
    "structured": ("my.npy", STRUCTURED, "entries of type"),
    "complex": ("my.npy", npy_bytes(STORED + 1j), "entries of type complex128"),
    "text array": ("my.npy", npy_bytes(np.array([["a"]])), "entries of type <U1"),
    "booleans": ("my.npy", npy_bytes(STORED > 0), "entries of type bool"),
    "dates": (
        "my.npy",
        npy_bytes(np.array([["2020-01-01"]], dtype="M8[D]")),
        "entries of type datetime64",
    ),
    "large integers": ("my.npy", npy_bytes(np.array([[2**53 + 1]])), "beyond 2\\^53"),
    "large negative integers": ("my.npy", npy_bytes(np.array([[-(2**60)]])), "beyond 2\\^53"),
    "scalar": ("my.npy", npy_bytes(np.array(1.0)), r"shape \(\)"),
    "1-D": ("my.npy", npy_bytes(np.ones(3)), r"shape \(3,\)"),
    "3-D": ("my.npy", npy_bytes(np.ones((2, 2, 2))), r"shape \(2, 2, 2\)"),
    "empty": ("my.npy", npy_bytes(np.ones((3, 0))), "is empty"),
    "zero": ("my.npy", npy_bytes(np.zeros((3, 2))), "all zero"),
    "NaN": ("my.npy", npy_bytes(np.array([[1.0, 1], [1, np.nan]])), "nan in sample 1, entry 1"),
    "infinite": (
        "my.npy",
        npy_bytes(np.array([[1.0, -np.inf], [1, 1]])),
        "-inf in sample 1, entry 0",
    ),
    "wide": ("my.npy", npy_bytes(STORED.T), "did you store samples as rows.*layout='rows'"),
    "not a zip": ("my.npz", npy_bytes(STORED), "no .npz archive"),
    "truncated zip": ("my.npz", zip_of(a=npy_bytes(STORED))[:-8], "no .npz archive"),
    "damaged zip": ("my.npz", damaged_zip(), "damaged or no .npz"),
    "encrypted zip": ("my.npz", encrypted_zip(), "damaged or no .npz"),
    "several arrays": ("my.npz", zip_of(a=b"", b=b""), "2 arrays, a, b; name one as .*my.npz:KEY"),
    "no array": ("my.npz", zip_of(), "0 arrays, none"),
    "pickle in npz": ("my.npz", zip_of(a=pickle.dumps(Boom())), "a pickle, refused"),
    "truncated in npz": ("my.npz", zip_of(a=npy_bytes(STORED)[:-1]), "truncated: 175 bytes of 176"),
    "ragged csv": ("my.csv", "1,2\n\n3,4,5\n", "line 3 has 3 cells, the first has 2"),
    "word in csv": ("my.csv", "a,b\n1,2\n3,x\n", "line 3, column 2: 'x' is not a number"),
    "two lines of headings": ("my.csv", "a,b\nc,d\n", "line 2, column 1"),
    "half a heading": ("my.csv", "a,2\n", "line 1, column 1"),
    "semicolons": ("my.csv", "a;b\n1;2\n", "'1;2' is not a number"),
    "underscores": ("my.csv", "1_0,2\n", "'1_0' is not a number"),
    "NaN in csv": ("my.csv", "1,nan\n2,3\n", "nan in sample 1, entry 0"),
    "overflow in csv": ("my.csv", "1,1e400\n2,3\n", "inf in sample 1, entry 0"),
    "empty csv": ("my.csv", "", "is empty"),
    "headings only": ("my.csv", "a,b\n", "only a line of headings, 'a', 'b'; want a line of"),
    "one word": ("my.csv", "x\n", "only a line of headings, 'x'; want a line of numbers"),
    "binary csv": ("my.csv", b"\xff\xfe1,2", "not comma-separated text"),
    "huge cell": ("my.csv", "1" * 200_000, "not comma-separated text"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_are_refused_in_one_line(tmp_path: Path, case: str) -> None:
    file, content, message = BAD_FILES[case]
    name = write(tmp_path / file, content)
    with pytest.raises(BatchError, match=message) as caught:
        read_batch(name, layout="columns")
    text = str(caught.value)
    assert text.startswith(name)
    assert "\n" not in text
    assert ";" in text  # what was found; the remedy


def test_refusals_that_depend_on_the_arguments(tmp_path: Path) -> None:
    name = write(tmp_path / "my.npy", npy_bytes(STORED))
    archive = savez(tmp_path / "my.npz", a=STORED, b=STORED)
    for call, message in (
        (lambda: read_batch(str(tmp_path)), "a directory"),
        (lambda: read_batch(str(tmp_path / "none.npy")), "no such file"),
        (lambda: read_batch("digit"), "write 'digits'"),
        (lambda: read_batch(archive + ":c"), "no array 'c'; the file has a, b"),
        (lambda: read_batch(str(tmp_path / "none.npz:a")), "no such file"),
        (
            lambda: read_batch(name, layout="rows"),
            "did you store samples as columns.*layout='columns'",
        ),
        (lambda: read_batch(name, take=0), "take=0 of 3"),
        (lambda: read_batch(name, take=4), "take=4 of 3"),
        (lambda: read_batch(name, layout="columns", take=3), "take=3 of 2"),
        (lambda: read_batch(name, take=1.5), "whole number"),  # type: ignore[arg-type]
    ):
        with pytest.raises(BatchError, match=message):
            call()
    with pytest.raises(ValueError, match="layout='row'"):
        read_batch(name, layout="row")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="layout=array"):
        read_batch(name, layout=STORED)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "message"), [(3, "source=3 is an int"), (STORED, "source=array")]
)
def test_what_names_no_file_is_refused(source: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        read_batch(source)


def test_unreadable_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = write(tmp_path / "my.npy", npy_bytes(STORED))

    def denied(*args: Any, **kwargs: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(builtins, "open", denied)
    with pytest.raises(BatchError, match="cannot be read: Permission denied"):
        read_batch(name)


@pytest.mark.parametrize(
    "batch",
    [
        STORED,
        STORED.tolist(),
        STORED[:, :1].astype(np.float32),
        np.asfortranarray(STORED),
        np.array([[2**53], [-(2**53)]]),
        np.array([[0.0, 1.0], [0.0, 0.0]]),
        np.full((2, 1), 5e-324),
        torch.from_numpy(STORED),
        torch.ones(3, 2, dtype=torch.bfloat16, requires_grad=True),
        torch.ones(2, 1).int(),
    ],
)
def test_the_door_accepts(batch: Any) -> None:
    array = validate_batch(batch)
    expected = (
        batch.detach().double().numpy() if isinstance(batch, torch.Tensor) else np.asarray(batch)
    )
    np.testing.assert_array_equal(array, expected)
    assert array.dtype == np.float64
    assert not np.shares_memory(array, expected)


@pytest.mark.parametrize(
    ("batch", "error", "message"),
    [
        (STORED * 1j, TypeError, "complex128"),
        (torch.ones(2, 2, dtype=torch.complex64).conj(), TypeError, "complex64"),
        (STORED.astype(object), TypeError, "object"),
        ([[10**400]], TypeError, "object"),
        (None, TypeError, "object"),
        ("digits", TypeError, "<U6"),
        ([[True]], TypeError, "bool"),
        ([[1.0], [1.0, 2.0]], ValueError, "ragged"),
        ([], ValueError, "two axes"),
        (np.ones((2, 2, 2)), ValueError, "two axes"),
        (np.ones((2, 0)), ValueError, "empty"),
        (np.zeros((2, 2)), ValueError, "all zero"),
        ([[np.nan]], ValueError, "nan in sample 0"),
        ([[2**53 + 1]], ValueError, "integers beyond"),
        (np.array([[2**64 - 1]], dtype=np.uint64), ValueError, "integers beyond"),
        (np.array([[np.longdouble("1e4000")]]), ValueError, "inf in sample 0"),
        (STORED.T, ValueError, "3 samples of dimension 2.*transpose"),
    ],
)
def test_the_door_refuses(batch: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=rf"^start .*{message}"):
        validate_batch(batch, name="start")


# --- hostile files
# -------------------------------------------------------------------------------------------


def bomb(path: Path, claimed: str) -> str:
    """A gigabyte of zeros in an archive of a megabyte, whose header claims so many rows of 1024
    doubles.
    """
    start = npy_bytes(np.zeros((1, 1024)))[:128].replace(
        b"(1, 1024), ", f"({claimed}, 1024), ".encode()
    )
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("batch.npy", "w", force_zip64=True) as member,
    ):
        member.write(start[:128])
        for _ in range(1024):
            member.write(bytes(2**20))
    return str(path)


def test_an_archive_is_refused_by_the_size_it_declares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = bomb(tmp_path / "my.npz", "131072")
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("it was unpacked"))
    for take in (None, 1):
        with pytest.raises(
            BatchError, match="1073741952 bytes when unpacked, and at most 268435456"
        ):
            read_batch(name, take=take)


def sparse(path: Path, start: bytes, size: int) -> str:
    path.write_bytes(start)
    os.truncate(path, size)
    return str(path)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("line.csv", "a line of 16777216 characters or more"),
        ("wide.npy", "keep the first few with take"),
        ("narrow.npy", "keep the first few with take"),
    ],
)
def test_a_file_of_absurd_size_is_refused_before_it_is_read(
    tmp_path: Path, file: str, message: str
) -> None:
    rows = "99999999" if file == "narrow.npy" else "00009999"
    columns = "8" if file == "narrow.npy" else "99999999"
    header = npy_bytes(np.zeros((1, 1)))[:128].replace(
        b"(1, 1), }                    ", f"({int(rows)}, {columns}), }}".ljust(29).encode()
    )
    start = b"1," if file == "line.csv" else header
    with pytest.raises(BatchError, match=message):
        read_batch(sparse(tmp_path / file, start, 10**13))


def test_of_a_long_file_only_what_is_taken_is_read(tmp_path: Path) -> None:
    header = npy_bytes(np.zeros((1, 1)))[:128].replace(
        b"(1, 1), }                    ", b"(99999999, 8), }".ljust(29)
    )
    name = sparse(tmp_path / "long.npy", header + np.eye(3, 8).tobytes(), 128 + 99999999 * 64)
    batch = read_batch(name, take=3)
    np.testing.assert_array_equal(batch.array, np.eye(8, 3))
    assert "first 3 of 99999999 samples (rows) of dimension 8" in batch.description


@pytest.mark.parametrize("kind", ["pipe", "device", "link to a device"])
@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv"])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(
    tmp_path: Path, kind: str, suffix: str
) -> None:
    path = tmp_path / f"my{suffix}"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(BatchError, match="and no file"):
        read_batch(str(path))


@pytest.mark.parametrize(
    "name", ["a" * 300 + ".npy", "a" * 5000 + ".csv", "a" * 300 + ".npz:" + "k" * 300, "\0.npy"]
)
def test_names_that_no_file_may_have_are_refused(name: str) -> None:
    with pytest.raises(BatchError, match=r"name too long|null character"):
        read_batch(name)


@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_whatever_is_damaged_is_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    """Every byte of the header, and of the directory of an archive, replaced by a few others."""
    whole = npy_bytes(STORED.T) if kind == "npy" else zip_of(batch=npy_bytes(STORED.T))
    places = (
        range(128)
        if kind == "npy"
        else (*range(60), *range(whole.index(b"PK\x01\x02"), len(whole)))
    )
    told = []
    for place in places:
        for byte in (0x00, 0x28, 0x2D, 0x39, 0x5C, 0xFF):
            name = write(
                tmp_path / f"my.{kind}", whole[:place] + bytes([byte]) + whole[place + 1 :]
            )
            try:
                read_batch(name)
            except BatchError as error:
                told.append(str(error))
    assert len(told) > len(places)
    assert not [line for line in told if "\n" in line]


@pytest.mark.parametrize(
    ("header", "index"),
    [
        (",a,b", "0"),
        (",0,1", "0"),
        ("Unnamed: 0,a,b", "0"),
        ("index,a,b", "first"),
        ('"",a,b', "'x'"),
    ],
)
def test_the_index_that_pandas_writes_is_no_data(tmp_path: Path, header: str, index: str) -> None:
    batch = read_batch(write(tmp_path / "my.csv", f"{header}\n{index},1,2\n1,3,4.5\n"))
    np.testing.assert_array_equal(batch.array, [[1, 3], [2, 4.5]])
    assert "taken for pandas' index and left out" in batch.description


def test_columns_that_pandas_numbers_are_no_sample(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="line 1 counts 0, 1, 2, …"):
        read_batch(write(tmp_path / "my.csv", "0,1,2\n1,3,4\n"))


def test_a_square_file_says_how_it_was_taken(tmp_path: Path) -> None:
    name = write(tmp_path / "my.npy", npy_bytes(np.array([[1.0, 2], [3, 4]])))
    for layout, first in (("rows", [1, 2]), ("columns", [1, 3])):
        batch = read_batch(name, layout=layout)
        np.testing.assert_array_equal(batch.array[:, 0], first)
        assert f"2 samples ({layout}) of dimension 2" in batch.description
        assert f"a square file taken so: its {layout} are the samples" in batch.description


def test_of_a_table_in_columns_the_first_are_taken(tmp_path: Path) -> None:
    name = write(tmp_path / "my.csv", ",a,b,c\n0,1,2,3\n1,4,5,6\n")
    batch = read_batch(name, layout="columns", take=2)
    np.testing.assert_array_equal(batch.array, [[1, 2], [4, 5]])
    assert "first 2 of 3 samples (columns) of dimension 2" in batch.description
