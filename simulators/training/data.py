"""Labelled images to train on: the digits inside scikit-learn, or a standard set in a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from os import PathLike, fspath
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulators.arguments import one_of, require
from simulators.training.image_files import (
    CLASSES,
    DataError,
    read_cifar,
    read_idx_images,
    read_idx_labels,
)

__all__ = ["SETS", "Images", "LabelledImages", "images_from", "images_in"]

#: Every fifth of the digits is kept for the test set.
_KEPT_FOR_TEST = 5

#: What the labels to be learnt from begin with.
_FIRST_LABELS = {
    "mnist": (5, 0, 4, 1, 9, 2, 1, 3, 1, 4),
    "fashion-mnist": (9, 0, 0, 3, 0, 2, 7, 2, 5, 5),
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
        """What was read, in words, with the beginning of its digest."""
        place = "" if self.folder is None else f" from {self.folder}"
        return (
            f"{self.name}{place}: {self.training.count} images to learn from, {self.test.count} "
            f"for the test, sha256 {self.digest[:16]}"
        )

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
            ``data_batch_1.bin`` to ``data_batch_5.bin`` and ``test_batch.bin``. Nothing is
            downloaded. Digits take none.

    Returns:
        The images with their labels, in [0, 1], in the order of the files.

    Raises:
        DataError: a file that is missing, truncated, of another format, with labels that cannot be
            or not as many as images, with more test than training images; in one line.
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
    place = Path(fspath(folder or ""))
    _require_folder(place, name)
    return _read(name, place)


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
    place = Path(fspath(folder))
    _require_folder(place, "the images")
    cifar = (place / "data_batch_1.bin").exists()
    idx = any(_present(place / f"{part}-images-idx3-ubyte").exists() for part in ("train", "t10k"))
    if cifar and idx:
        raise DataError(f"{place}: files of CIFAR-10 and of MNIST; name a folder with one set")
    if not (cifar or idx):
        raise DataError(
            f"{place}: no standard files; want train-images-idx3-ubyte and its three companions "
            "(MNIST, Fashion-MNIST), or data_batch_1.bin and its five (CIFAR-10, binary version)"
        )
    return _read("cifar-10" if cifar else _MNIST_FORMAT, place)


def _require_folder(place: Path, what: str) -> None:
    if not place.is_dir():
        raise DataError(f"{place}: no such folder; name the one with the files of {what}")


def _read(name: str, place: Path) -> Images:
    """A set from its folder, by its name or, in MNIST's format, by its first labels."""
    training, test = _READERS[name](place)
    if test.count > training.count:
        raise DataError(
            f"{place}: {test.count} test images and {training.count} to learn from; "
            "are the files of the two swapped?"
        )
    first = tuple(training.labels[:10].tolist())
    known = next((each for each, labels in _FIRST_LABELS.items() if labels == first), name)
    if name not in (_MNIST_FORMAT, known):
        raise DataError(f"{place}: these are the labels of {known}, not of {name}; name it so")
    return Images(known, training, test, folder=place)


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
    return _idx_part(folder, "train"), _idx_part(folder, "t10k")


def _idx_part(folder: Path, part: str) -> LabelledImages:
    files = [_present(folder / f"{part}-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1")]
    images, labels = read_idx_images(files[0]), read_idx_labels(files[1])
    if len(images) != len(labels):
        raise DataError(
            f"{files[1]}: {len(labels)} labels, and {files[0].name} has {len(images)} images; "
            "are they of one set?"
        )
    return LabelledImages(_in_unit_range(images), labels)


def _present(file: Path) -> Path:
    """The file itself, or its compressed form where that alone is there."""
    packed = file.with_name(f"{file.name}.gz")
    return packed if packed.exists() and not file.exists() else file


def _cifar(folder: Path) -> tuple[LabelledImages, LabelledImages]:
    batches = [read_cifar(folder / f"data_batch_{number}.bin") for number in range(1, 6)]
    images = np.concatenate([found for found, _ in batches])
    labels = np.concatenate([found for _, found in batches])
    test_images, test_labels = read_cifar(folder / "test_batch.bin")
    return (
        LabelledImages(_in_unit_range(images), labels),
        LabelledImages(_in_unit_range(test_images), test_labels),
    )


_READERS: dict[str, Callable[[Path], tuple[LabelledImages, LabelledImages]]] = {
    "mnist": _idx,
    "fashion-mnist": _idx,
    "cifar-10": _cifar,
    _MNIST_FORMAT: _idx,
}
SETS = ("digits", *(name for name in _READERS if name != _MNIST_FORMAT))
"""The names that `images_from` knows."""
