"""Input batches: the reader's own file, the digits that ship with scikit-learn, and named synthetic
starts.

Everywhere a batch is a real (d, n) array with one sample per column, 1 ≤ n ≤ d, finite and not all
zero. A zero sample among others is allowed: the theory asks for H ≠ 0 only, and such a batch is
merely singular. So is any scale that float64 can hold.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from array_api_compat import is_torch_array
from numpy.typing import NDArray

from simulators.arguments import (
    Argument,
    ArgumentError,
    kind_of,
    real_number,
    require,
    told,
    whole_number,
)
from simulators.arrays import Floats
from simulators.batch_files import BatchError, Stored, count_of, read_array
from simulators.streams import root_sequence

__all__ = [
    "Batch",
    "BatchError",
    "batch_of_gram",
    "centred",
    "collinear_batch",
    "described",
    "dominant_spectrum",
    "gaussian_batch",
    "read_batch",
    "spectrum_batch",
    "two_level_spectrum",
    "validate_batch",
]

Layout = Literal["columns", "rows"]
Number = TypeVar("Number", float, Fraction)

_LARGEST_EXACT_INTEGER = 2**53

_COARSE = 2.0**-4
"""A difference below this share of its row's largest may have lost bits that matter."""


@dataclass(frozen=True)
class Batch:
    """A batch and where it came from.

    ``array`` is (d, n) float64, samples as columns. ``description`` says in one line what was read.
    ``digest`` is the sha256, in hexadecimal, of the shape and the values. ``labels`` holds one
    class per sample, if known.

    Example:
        >>> batch = Batch.of(np.eye(3, 2), "two orthogonal samples")
        >>> batch.array.shape, len(batch.digest)
        ((3, 2), 64)
    """

    array: Floats
    description: str
    digest: str
    labels: tuple[int, ...] | None = None

    @classmethod
    def of(cls, array: Floats, description: str, labels: tuple[int, ...] | None = None) -> Batch:
        """A batch of a validated (d, n) array, with its digest.

        ``array`` is (d, n), from `validate_batch`; ``description`` one line; ``labels`` one
        whole number a sample.
        """
        shape = "x".join(map(str, array.shape))
        content = f"float64 {shape} ".encode() + array.astype("<f8").tobytes()
        return cls(array, description, hashlib.sha256(content).hexdigest(), labels)


def validate_batch(batch: object, *, name: str = "batch") -> Floats:
    """The one door for batches: ``batch`` as a new (d, n) float64 array, or an error that names it
    ``name``.

    Takes NumPy arrays, Torch tensors on any device, and nested sequences of real numbers.

    Raises `TypeError` for entries that are not real numbers (complex, objects, text, booleans),
    `ValueError` for a ragged, empty, not two-dimensional or all-zero batch, for NaN and infinite
    entries, for integers that float64 cannot hold, and for more samples than dimensions.

    Cost: O(d n), and a copy.

    Example:
        >>> validate_batch([[1, 2], [0, 1]]).dtype
        dtype('float64')
    """
    return _validated(batch, name, "samples are columns: pass the transpose if yours are rows")


def read_batch(
    source: str | os.PathLike[str], *, layout: Layout = "rows", take: int | None = None
) -> Batch:
    """A batch from ``"digits"`` or from a .npy, .npz or .csv file.

    ``layout`` says whether the file stores one sample per row, as usual in files, or per column, as
    the array of a batch does; digits ignore it. ``take`` keeps the first so many samples; by
    default all, and of the digits the first ten images, which show 0 to 9. An .npz with several
    arrays is read as ``"file.npz:key"``. A .csv holds comma-separated numbers, rounded to float64,
    after at most one line of headings; an index that pandas wrote is left out. The description says
    what was read. Pickled data are refused, never loaded.

    Raises `BatchError`, a `ValueError`, whose one line names the file, what was found there and the
    remedy; also when digits are asked for without scikit-learn. `ValueError` for another
    ``layout``, `TypeError` for a ``source`` that is no path.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     np.save(f"{folder}/my.npy", np.eye(5, 7))
        ...     read_batch(f"{folder}/my.npy", take=4).description
        'first 4 of 5 samples (rows) of dimension 7 from my.npy'
    """
    if not isinstance(source, str | os.PathLike):
        raise TypeError(
            f"source={told(source)} is {kind_of(source)}; give 'digits' or the path of a file"
        )
    if not isinstance(layout, str) or layout not in ("columns", "rows"):
        raise ArgumentError(
            Argument("layout", layout), "; give 'columns' or 'rows', as the file stores its samples"
        )
    if source == "digits":
        return _read_digits(10 if take is None else take)
    name = os.fspath(source)
    axis = 0 if layout == "rows" else 1
    # whatever take is else is told once the file has been seen
    most = max(int(take), 1) if isinstance(take, int | np.integer) else None
    stored = read_array(name, axis=axis, take=most)
    require(
        len(stored.shape) == 2,
        f"{name}: an array of shape {stored.shape}; store a two-dimensional one",
        BatchError,
    )
    available = stored.shape[axis]
    samples = stored.array.T if layout == "rows" else stored.array
    count_of(name, take, available)
    other = "rows" if layout == "columns" else "columns"
    array = _validated_file(
        samples,
        name,
        f"did you store samples as {other}? pass ",
        Argument("layout", other),
        "; or keep the first few with ",
        Argument("take"),
    )
    return Batch.of(array, described(name, stored, layout, array.shape[1], array.shape[0]))


def described(name: str, stored: Stored, layout: Layout, n: int, dimension: int | str) -> str:
    """What was read of a file in one line: how many samples of which dimension, and how they lie in
    it.

    ``stored`` is what was read of the file ``name``, ``n`` the samples that are kept.

    Args:
        name: of the file, whose last part is told.
        stored: what was read of it.
        layout: "rows" or "columns": which of them are samples.
        n: samples that are kept, of those in the file.
        dimension: of a sample, a number or words.

    Example:
        >>> described("a/my.csv", Stored(np.eye(2, 3), (2, 3)), "rows", 2, 3)
        '2 samples (rows) of dimension 3 from my.csv'
    """
    available = stored.shape[0 if layout == "rows" else 1]
    kept = f"first {n} of {available}" if n < available else f"{n}"
    plural = "" if n == available == 1 else "s"
    words = f"{kept} sample{plural} ({layout}) of dimension {dimension} from {Path(name).name}"
    if len(stored.shape) == 2 and stored.shape[0] == stored.shape[1]:
        words += f", a square file taken so: its {layout} are the samples"
    return "; ".join((words, *stored.notes))


def _read_digits(take: int) -> Batch:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise BatchError(
            "digits: they come with scikit-learn, which is missing; pip install "
            "'batchnorm-theorems[digits]'"
        ) from error
    images, labels = load_digits(return_X_y=True)
    count = count_of("digits", take, len(images))
    array = _validated_file(images[:count].T, "digits", "take at most 64")
    description = (
        f"first {count} of {len(images)} samples of dimension 64 from scikit-learn's digits"
    )
    return Batch.of(array, description, tuple(int(label) for label in labels[:count]))


def _validated_file(batch: object, name: str, *too_many: str | Argument) -> Floats:
    try:
        return _validated(batch, f"{name}: the batch", *too_many)
    except (TypeError, ValueError) as error:
        raise BatchError(*ArgumentError.parts_of(error)) from None


def _validated(batch: object, name: str, *too_many: str | Argument) -> Floats:
    array = _real_array(batch, name)
    require(array.ndim == 2, f"{name} has shape {array.shape}; give two axes, (dimension, samples)")
    d, n = array.shape
    require(array.size, f"{name} is empty, of shape {array.shape}; give at least one sample")
    require(
        array.dtype.kind not in "iu"
        or (
            int(array.max()) <= _LARGEST_EXACT_INTEGER
            and int(array.min()) >= -_LARGEST_EXACT_INTEGER
        ),
        f"{name} has integers beyond 2^53, which float64 cannot hold; rescale them",
    )
    with np.errstate(over="ignore"):  # a long double may overflow, and is then reported below
        values = np.array(array, dtype=np.float64, order="C")
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        i, j = (int(index) for index in bad[0])
        raise ValueError(
            f"{name} has {values[i, j]} in sample {j}, entry {i} (from 0), one of {len(bad)}"
            " such entries; all must be finite"
        )
    require(values.any(), f"{name} is all zero; at least one sample must not be")
    if n > d:
        raise ArgumentError(
            f"{name} has {n} samples of dimension {d}, and at most {d} are allowed; ", *too_many
        )
    return values


def _real_array(batch: Any, name: str) -> NDArray[Any]:
    if is_torch_array(batch):
        tensor = batch.detach().cpu().resolve_conj()
        # NumPy has no bfloat16
        batch = (tensor.double() if tensor.is_floating_point() else tensor).numpy()
    try:
        array = np.asarray(batch)
    except ValueError:
        raise ValueError(f"{name} is ragged or not an array; give rows of one length") from None
    require(
        array.dtype.kind in "fiu",
        f"{name} has entries of type {array.dtype}; give real numbers",
        TypeError,
    )
    return array


def gaussian_batch(d: int, n: int, seed: int) -> Floats:
    """(d, n) independent standard normal entries; ``seed`` as for `simulators.simulate`.

    Raises `ValueError` unless 1 ≤ n ≤ d, and for a negative seed; `TypeError` for what is no whole
    number.

    Args:
        d: rows, the dimension of a sample, at least n.
        n: samples, at least 1.
        seed: a whole number ≥ 0, a sequence of such, or a NumPy ``SeedSequence``.

    Example:
        >>> gaussian_batch(4, 2, seed=1).shape
        (4, 2)
    """
    d, n = _sizes(d, n)
    return np.random.default_rng(root_sequence(seed)).standard_normal((d, n))


def collinear_batch(d: int, n: int, spread: float, seed: int) -> Floats:
    """(d, n) samples near one random unit vector, every two of them ``spread`` > 0 apart.

    With s = spread/√2 the singular values are s + √n, once, and s, n − 1 times. Raises `ValueError`
    unless 1 ≤ n ≤ d and ``spread`` is positive and finite; `TypeError` for what is no number.

    Args:
        d: rows, the dimension of a sample, at least n.
        n: samples, at least 1.
        spread: the distance of every two samples, above 0.
        seed: as `gaussian_batch` takes it.

    Example:
        >>> one, other = collinear_batch(5, 2, spread=0.01, seed=1).T
        >>> round(float(np.linalg.norm(one - other)), 6)
        0.01
    """
    spread = real_number("spread", spread, "a positive, finite one")
    require(0 < spread < math.inf, f"spread={spread} is not positive and finite")
    directions = np.linalg.qr(gaussian_batch(d, n, seed)).Q
    common = directions.sum(axis=1, keepdims=True) / math.sqrt(n)
    return np.asarray(common + spread / math.sqrt(2) * directions)


def spectrum_batch(eigenvalues: Sequence[float | Fraction], d: int) -> Floats:
    """(d, n) batch with HᵀH = diag(eigenvalues): their roots on the diagonal, zeros elsewhere.

    Raises `ValueError` unless 1 ≤ n ≤ d and the eigenvalues are finite, nonnegative and not all
    zero; `TypeError` for what is no sequence of real numbers.

    Args:
        eigenvalues: n of HᵀH, in the order of the samples; their roots are rounded to float64.
        d: rows, at least n.

    Example:
        >>> spectrum_batch((Fraction(1, 4), 0), 3).tolist()
        [[0.5, 0.0], [0.0, 0.0], [0.0, 0.0]]
    """
    wanted = "finite, nonnegative numbers, not all zero"
    require(
        not isinstance(eigenvalues, str | bytes) and isinstance(eigenvalues, Iterable),
        f"eigenvalues={told(eigenvalues)} is {kind_of(eigenvalues)}; give {wanted}",
        TypeError,
    )
    values = [
        real_number(f"eigenvalues[{k}]", value, wanted) for k, value in enumerate(eigenvalues)
    ]
    d, _ = _sizes(d, len(values))
    for k, value in enumerate(values):
        require(
            0 <= value < math.inf,
            f"eigenvalues[{k}]={value} is negative or infinite; give {wanted}",
        )
    require(any(values), f"eigenvalues are all zero; give {wanted}")
    batch = np.zeros((d, len(values)))
    np.fill_diagonal(batch, np.sqrt(values))
    return batch


def batch_of_gram(M: object) -> Floats:
    """A (d, d) batch H with HHᵀ/d = M: rows of norm √d, whose cosines are the entries of M.

    ``M`` is real and symmetric, (d, d) with d ≥ 2, positive semidefinite, with ones on the
    diagonal, each up to rounding. Raises `TypeError` or `ValueError` naming what it is not.

    Cost: O(d³). D20's rank is that of M.

    Example:
        >>> H = batch_of_gram([[1.0, 0.5], [0.5, 1.0]])
        >>> (H @ H.T / 2).round(3).tolist()
        [[1.0, 0.5], [0.5, 1.0]]
    """
    matrix = _real_array(M, "M")
    require(
        matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1] and len(matrix) >= 2,
        f"M has shape {matrix.shape}; give (d, d) with d ≥ 2",
    )
    with np.errstate(over="ignore"):  # a long double may overflow, and is then reported below
        matrix = matrix.astype(np.float64)
    bad = np.argwhere(~np.isfinite(matrix))
    if len(bad):
        raise ValueError(
            f"M has {_entry(matrix, *bad[0])}, one of {len(bad)} such entries; all must be finite"
        )
    rounding = 8 * len(matrix) * np.finfo(np.float64).eps
    off = abs(np.diagonal(matrix) - 1)
    if off.max() > rounding:
        i = off.argmax()
        raise ValueError(
            f"M has {_entry(matrix, i, i)}, {off[i]:.3g} from 1; scale its rows and columns"
        )
    apart = abs(matrix - matrix.T)
    if apart.max() > rounding:
        i, j = np.unravel_index(apart.argmax(), apart.shape)
        raise ValueError(
            f"M has {_entry(matrix, i, j)} and {_entry(matrix, j, i)}; a Gram matrix is symmetric"
        )
    eigenvalues, vectors = np.linalg.eigh(matrix)
    require(
        eigenvalues[0] >= -rounding * len(matrix),
        f"M has the eigenvalue {eigenvalues[0]:.3g}; a Gram matrix has none below 0",
    )
    batch: Floats = vectors * np.sqrt(len(matrix) * np.maximum(eigenvalues, 0))
    return batch


def _entry(matrix: Floats, i: Any, j: Any) -> str:
    return f"{matrix[i, j]} in entry ({i}, {j}) (from 0)"


def two_level_spectrum(n: int, smallest: Number) -> tuple[Number, ...]:
    """n eigenvalues, descending, of sum 1: the last is ``smallest``, the others are equal.

    Exact when ``smallest`` is a Fraction. Raises `ValueError` unless n ≥ 2 and 0 ≤ smallest ≤ 1/n;
    `TypeError` for what is no number.

    Args:
        n: eigenvalues, at least 2.
        smallest: the last of them, in [0, 1/n].

    Example:
        >>> two_level_spectrum(3, Fraction(1, 5))
        (Fraction(2, 5), Fraction(2, 5), Fraction(1, 5))
    """
    _check_smallest(n, smallest)
    return ((1 - smallest) / (n - 1),) * (n - 1) + (smallest,)


def dominant_spectrum(n: int, smallest: Number) -> tuple[Number, ...]:
    """n eigenvalues, descending, of sum 1: one dominant, the other n − 1 equal to ``smallest``.

    Exact when ``smallest`` is a Fraction. Raises `ValueError` unless n ≥ 2 and 0 ≤ smallest ≤ 1/n;
    `TypeError` for what is no number.

    Args:
        n: eigenvalues, at least 2.
        smallest: all but the first of them, in [0, 1/n].

    Example:
        >>> dominant_spectrum(3, Fraction(1, 5))
        (Fraction(3, 5), Fraction(1, 5), Fraction(1, 5))
    """
    _check_smallest(n, smallest)
    return (1 - (n - 1) * smallest,) + (smallest,) * (n - 1)


def _check_smallest(n: int, smallest: float | Fraction) -> None:
    whole_number("n", n, 2)
    real_number("smallest", smallest, f"one in [0, 1/{n}]")
    require(
        0 <= smallest <= Fraction(1, n) or smallest == 1 / n,
        f"smallest={smallest} is not in [0, 1/{n}]",
    )


def _sizes(d: int, n: int) -> tuple[int, int]:
    d, n = whole_number("d", d, 1), whole_number("n", n, 1)
    require(n <= d, f"n={n} samples of dimension d={d}; a batch needs 1 ≤ n ≤ d")
    return d, n


def centred(batch: Floats) -> Floats:
    """HJ for a finite ``batch`` H, (d, n): every row minus its mean over the samples.

    The entries of ``batch`` are taken at their word. Each sample of HJ has a relative error of a
    few units in the last place, also where it is small beside the others, or beside what all have
    in common; it is zero exactly where it should be. Where an entry exceeds 2¹⁰⁰⁰ the result is
    HJ/2²⁴, lest it overflow. Cost: O(d n), and O(n) more for every entry that cancels.

    Example:
        >>> centred(np.array([[1.0, 1.0 + 2**-52]])) * 2**53
        array([[-1.,  1.]])
    """
    # sums of n entries then stay finite
    shrink = 2.0**-24 if np.abs(batch).max() > 2.0**1000 else 1.0
    values = batch * shrink
    n = values.shape[1]
    shifted = values - values[:, :1]
    found: Floats = shifted - shifted.mean(axis=1, keepdims=True)
    peaks = np.abs(shifted).max(axis=1, keepdims=True)
    largest = np.abs(found).max(axis=0, keepdims=True)
    doubtful = (np.abs(found) < _COARSE * peaks) & (peaks > largest)
    for row, column in np.argwhere(doubtful):
        entries = values[row].tolist()
        found[row, column] = math.fsum([entries[column]] * n + [-x for x in entries]) / n
    return found
