"""Labelled images to train on: the digits inside scikit-learn, or a standard set in a folder."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from os import X_OK, PathLike, access, fspath
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulators.arguments import one_of, require
from simulators.regular_files import obstacle
from simulators.training.image_files import (
    CIFAR_RECORDS,
    CLASSES,
    DataError,
    read_cifar,
    read_idx_images,
    read_idx_labels,
)

__all__ = ["SETS", "Images", "LabelledImages", "images_from", "images_in"]

#: Every fifth of the digits is kept for the test set.
_KEPT_FOR_TEST = 5

_IDX_KINDS = ("images-idx3", "labels-idx1")

#: What the labels of a standard set begin with: of those to be learnt from, and of the test's.
_FIRST_LABELS = {
    "mnist": ((5, 0, 4, 1, 9, 2, 1, 3, 1, 4), (7, 2, 1, 0, 4, 1, 4, 9, 5, 9)),
    "fashion-mnist": ((9, 0, 0, 3, 0, 2, 7, 2, 5, 5), (9, 2, 1, 1, 6, 1, 4, 6, 5, 7)),
    "cifar-10": ((6, 9, 9, 4, 1, 1, 2, 7, 8, 3), (3, 8, 8, 0, 6, 6, 1, 6, 3, 1)),
}
_LEARNT, _TEST = 0, 1
_PARTS = ("images to learn from", "test images")

_CIFAR_TRAINING = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
_CIFAR_TEST = "test_batch.bin"
_IDX_FILES = tuple(
    f"{part}-{kind}-ubyte" for part, kind in itertools.product(("train", "t10k"), _IDX_KINDS)
)

#: How many images the standard sets have, to be learnt from and for the test.
_WHOLE = {
    "mnist": (60_000, 10_000),
    "fashion-mnist": (60_000, 10_000),
    "cifar-10": (len(_CIFAR_TRAINING) * CIFAR_RECORDS, CIFAR_RECORDS),
}
_MNIST_FORMAT = "mnist-format"


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images and what they show.

    - ``images``: ``(N, channels, height, width)``, in [0, 1]
    - ``labels``: ``(N,)``, whole numbers from 0

    Example:
        >>> LabelledImages(np.zeros((3, 1, 8, 8), np.float32), np.array([0, 1, 2])).count
        3
    """

    images: NDArray[np.float32]
    labels: NDArray[np.int64]

    @property
    def count(self) -> int:
        return len(self.labels)

    def first(self, count: int) -> LabelledImages:
        """The first of them.

        Args:
            count: how many.

        Example:
            >>> images_from("digits").training.first(5).count
            5
        """
        return LabelledImages(self.images[:count], self.labels[:count])


@dataclass(frozen=True, eq=False)
class Images:
    """A set of images to learn from and one to be tested on.

    - ``name``: of the set; ``classes``: how many labels there are
    - ``folder``: where it was read, None where it was not. A set from a folder, and the digits, are
      pickled as where they are, and read again by whoever loads them

    Example:
        >>> digits = images_from("digits")
        >>> digits.training.count, digits.test.count, digits.dimension
        (1438, 359, 64)
    """

    name: str
    training: LabelledImages
    test: LabelledImages
    classes: int = CLASSES
    folder: Path | None = None

    @property
    def words(self) -> str:
        """What was read, in words, with the beginning of its digest. Of a standard set that is not
        there in full: how many of how many.
        """
        there = (self.training.count, self.test.count)
        wholes = _WHOLE.get(self.name, there)
        learnt, tested = (
            str(count) if count == whole else f"{count} of {whole}"
            for count, whole in zip(there, wholes, strict=True)
        )
        return (
            f"{self.place}: {learnt} images to learn from, {tested} for the test, "
            f"sha256 {self.digest[:16]}"
        )

    @property
    def place(self) -> str:
        """Its name and, where it was read from one, its folder.

        Example:
            >>> images_from("digits").place
            'digits'
        """
        return self.name if self.folder is None else f"{self.name} from {self.folder}"

    @cached_property
    def digest(self) -> str:
        """sha256 of images and labels, in hexadecimal."""
        found = hashlib.sha256()
        for part in (self.training, self.test):
            found.update(str(part.images.shape).encode())
            found.update(np.ascontiguousarray(part.images).data)
            found.update(np.ascontiguousarray(part.labels).data)
        return found.hexdigest()

    def __reduce__(self) -> tuple[Callable[..., Images], tuple[object, ...]]:
        if self.folder is None and self.name != "digits":
            return Images, (self.name, self.training, self.test, self.classes)
        return _again, (self.folder and self.folder.absolute(), self.digest)

    @property
    def dimension(self) -> int:
        """Numbers in one image."""
        return int(np.prod(self.training.images.shape[1:]))

    @cached_property
    def _centre_and_scale(self) -> tuple[NDArray[np.float32], np.float32]:
        flat = self.training.images.reshape(self.training.count, -1)
        return flat.mean(axis=0), flat.std(axis=0).max() or np.float32(1)

    def features(self, part: LabelledImages) -> NDArray[np.float32]:
        """The images of ``part`` as rows ``(N, dimension)``: less the mean of the training images,
        over the largest standard deviation that a pixel has among them.

        Args:
            part: the images to be learnt from, those to be tested on, or some of either.

        Example:
            >>> digits = images_from("digits")
            >>> rows = digits.features(digits.training)
            >>> bool(abs(rows.mean(axis=0)).max() < 1e-5), float(rows.std(axis=0).max().round(4))
            (True, 1.0)
        """
        centre, scale = self._centre_and_scale
        return (part.images.reshape(part.count, -1) - centre) / scale


def images_from(name: str = "digits", folder: str | PathLike[str] | None = None) -> Images:
    """A set of labelled images by its name.

    Args:
        name: ``"digits"``: the 1797 images of 8 by 8 pixels inside scikit-learn, of which every
            fifth is for the test; ``"mnist"``, ``"fashion-mnist"``: 28 by 28, ``"cifar-10"``: 3 by
            32 by 32, from a folder.
        folder: where the standard files are: for MNIST and Fashion-MNIST
            ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte``,
            ``t10k-labels-idx1-ubyte``, each as it is or with ``.gz``; for CIFAR-10
            ``data_batch_1.bin`` to ``data_batch_5.bin`` and ``test_batch.bin``, all with 10000
            records, or all with as many fewer, which `Images.words` says. Nothing is downloaded.
            Digits take none.

    Returns:
        The images with their labels, in [0, 1], in the order of the files.

    Raises:
        DataError: a file that is missing, truncated, of another format, with labels that cannot be,
            are of one class or not as many as images, with images that are all the same or those of
            another file of CIFAR-10, or that begins as one of the other part or of another set does;
            more test than training images; in one line.
        ValueError: a name that is none of these, or a folder missing or given in vain.

    Cost: one reading of the files, and four bytes a pixel.

    Example:
        >>> digits = images_from("digits")
        >>> digits.training.images.shape, digits.training.labels[:3].tolist()
        ((1438, 1, 8, 8), [0, 1, 2])
        >>> images_from("mnist")
        Traceback (most recent call last):
        ValueError: folder=None: 'mnist' is read from a folder with its standard files; name it
    """
    one_of("name", name, SETS)
    if name == "digits":
        require(folder is None, f"folder={folder!r}: the digits are in scikit-learn; leave it out")
        return _digits()
    require(
        folder is not None,
        f"folder=None: {name!r} is read from a folder with its standard files; name it",
    )
    return _read(name, _existing(folder or "", name))


def images_in(folder: str | PathLike[str]) -> Images:
    """The set whose standard files a folder has: see `images_from`.

    MNIST and Fashion-MNIST have files of the same names, and are told apart by their first labels;
    one that begins otherwise is called ``"mnist-format"``.

    Args:
        folder: where the files are.

    Raises:
        DataError: as `images_from`, and for a folder with files of none of the sets, or of two.

    Cost: one reading of the files, and four bytes a pixel.

    Example:
        >>> try:
        ...     images_in("/no/such")
        ... except DataError as error:
        ...     print(error)
        /no/such: no such folder; name the one with the files of the images
    """
    place = _existing(folder, "the images")
    cifar = any(_there(place / each) for each in (*_CIFAR_TRAINING, _CIFAR_TEST))
    idx = any(_there(_present(place / each)) for each in _IDX_FILES)
    if cifar and idx:
        raise DataError(f"{place}: files of CIFAR-10 and of MNIST; name a folder with one set")
    if not (cifar or idx):
        raise DataError(
            f"{place}: no standard files; want train-images-idx3-ubyte and its three companions "
            "(MNIST, Fashion-MNIST), or data_batch_1.bin and its five (CIFAR-10, binary version)"
        )
    return _read("cifar-10" if cifar else _MNIST_FORMAT, place)


def _existing(folder: str | PathLike[str], what: str) -> Path:
    """A folder that is there; an empty name is none, and not the folder that one is in."""
    text = fspath(folder)
    wanted = f"name the one with the files of {what}"
    if not text:
        raise DataError(f"folder={text!r} is no name of a folder; {wanted}")
    place = Path(text)
    found = obstacle(place)
    if found != "a directory":
        why = {"no such file": "no such folder", None: "a file and no folder"}.get(found, found)
        raise DataError(f"{place}: {why}; {wanted}")
    if not access(place, X_OK):
        raise DataError(f"{place}: may not be entered; give yourself the right to, or {wanted}")
    return place


def _there(file: Path) -> bool:
    return obstacle(file) != "no such file"


def _read(name: str, place: Path) -> Images:
    """A set from its folder, by its name or, in MNIST's format, by its first labels."""
    training, test = _READERS[name](place)
    if test.count > training.count:
        raise DataError(
            f"{place}: {test.count} test images and {training.count} to learn from; "
            "are the files of the two swapped?"
        )
    for part, words in zip((training, test), _PARTS, strict=True):
        _require_classes(place, part, words)
    known = _known(training.labels, _LEARNT) or name
    tested = _known(test.labels, _TEST) or known
    if tested != known and known != _MNIST_FORMAT:
        raise DataError(
            f"{place}: labels to learn from are those of {known}, those of the test {tested}'s; "
            "copy the files of one set there"
        )
    if name not in (_MNIST_FORMAT, known):
        raise DataError(f"{place}: these are the labels of {known}, not of {name}; name it so")
    return Images(known, training, test, folder=place)


def _known(labels: NDArray[np.int64], part: int) -> str | None:
    """The standard set a part of which begins with these labels."""
    first = tuple(labels[:10].tolist())
    return next((name for name, parts in _FIRST_LABELS.items() if parts[part] == first), None)


def _require_classes(place: Path, part: LabelledImages, what: str) -> None:
    """Raise where there is nothing to tell apart: labels of one class, or images all the same."""
    images, labels = part.images, part.labels
    if (labels == labels[0]).all():
        raise DataError(
            f"{place}: the labels of all {len(labels)} {what} are {labels[0]}; want two classes or "
            "more: copy the file of labels again"
        )
    if (images == images[0]).all():
        raise DataError(f"{place}: all {part.count} {what} are the same; copy their file again")


def _require_of(part: int, labels: NDArray[np.int64], file: Path) -> None:
    """Raise where labels begin as those of the other part of a standard set do."""
    name = _known(labels, 1 - part)
    if name is not None:
        raise DataError(
            f"{file}: begins with the labels of the {_PARTS[1 - part]} of {name}; are the files of "
            "the two swapped?"
        )


@lru_cache(maxsize=2)
def _again(folder: Path | None, digest: str) -> Images:
    """A set that was pickled, from where it was. Raises `DataError` where there is another now."""
    found = images_from() if folder is None else images_in(folder)
    if found.digest != digest:
        raise DataError(f"{folder}: other images than were asked for; give all machines the same")
    return found


def _digits() -> Images:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise DataError(
            "digits: they come with scikit-learn, which is missing; pip install "
            "'batchnorm-theorems[digits]'"
        ) from error
    rows, labels = load_digits(return_X_y=True)
    images = (rows.reshape(-1, 1, 8, 8) / 16).astype(np.float32)
    test = np.arange(len(images)) % _KEPT_FOR_TEST == _KEPT_FOR_TEST - 1
    whole = labels.astype(np.int64)
    return Images(
        "digits",
        LabelledImages(images[~test], whole[~test]),
        LabelledImages(images[test], whole[test]),
    )


def _in_unit_range(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return images.astype(np.float32) / np.float32(255)


def _idx(folder: Path) -> tuple[LabelledImages, LabelledImages]:
    return _idx_part(folder, _IDX_FILES[:2], _LEARNT), _idx_part(folder, _IDX_FILES[2:], _TEST)


def _idx_part(folder: Path, names: Sequence[str], part: int) -> LabelledImages:
    files = [_present(folder / name) for name in names]
    images, labels = read_idx_images(files[0]), read_idx_labels(files[1])
    if len(images) != len(labels):
        raise DataError(
            f"{files[1]}: {len(labels)} labels, and {files[0].name} has {len(images)} images; "
            "are they of one set?"
        )
    _require_of(part, labels, files[1])
    return LabelledImages(_in_unit_range(images), labels)


def _present(file: Path) -> Path:
    """The file itself, or its compressed form where that alone is there."""
    packed = file.with_name(f"{file.name}.gz")
    return packed if _there(packed) and not _there(file) else file


def _cifar(folder: Path) -> tuple[LabelledImages, LabelledImages]:
    files = [folder / name for name in (*_CIFAR_TRAINING, _CIFAR_TEST)]
    images, labels = zip(*map(read_cifar, files), strict=True)
    longest = max(range(len(files)), key=lambda place: len(labels[place]))
    wanted = len(labels[longest])
    for file, found in zip(files, labels, strict=True):
        if len(found) != wanted:
            raise DataError(
                f"{file}: truncated: {len(found)} records, want {wanted}, as "
                f"{files[longest].name} has; copy the file again"
            )
        _require_of(_TEST if file.name == _CIFAR_TEST else _LEARNT, found, file)
    for (one, first), (other, second) in itertools.combinations(zip(files, images, strict=True), 2):
        if np.array_equal(first, second):
            raise DataError(f"{other}: the images of {one.name} again; copy the file again")
    learnt = LabelledImages(
        _in_unit_range(np.concatenate(images[:-1])), np.concatenate(labels[:-1])
    )
    return learnt, LabelledImages(_in_unit_range(images[-1]), labels[-1])


_READERS: dict[str, Callable[[Path], tuple[LabelledImages, LabelledImages]]] = {
    "mnist": _idx,
    "fashion-mnist": _idx,
    "cifar-10": _cifar,
    _MNIST_FORMAT: _idx,
}
SETS = ("digits", *(name for name in _READERS if name != _MNIST_FORMAT))
"""The names that `images_from` knows."""
