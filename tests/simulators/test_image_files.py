"""Standard image sets: small files of their formats are read, and what is wrong is told in a line."""

from __future__ import annotations

import gzip
import pickle
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulators.training import images_from, images_in
from simulators.training.image_files import DataError, read_idx_images

SIZES = {"train": 5, "t10k": 3}


def pixels(count: int, size: int) -> bytes:
    return np.random.default_rng(count).integers(0, 256, count * size, dtype=np.uint8).tobytes()


def labels(count: int) -> bytes:
    return bytes(number % 10 for number in range(count))


def header(*numbers: int) -> bytes:
    return np.array(numbers, ">u4").tobytes()


def idx_folder(folder: Path) -> Path:
    for part, count in SIZES.items():
        images = header(2051, count, 28, 28) + pixels(count, 28 * 28)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(images)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(header(2049, count) + labels(count))
    return folder


def records_of(labels: Iterable[int], seed: int) -> bytes:
    """Of CIFAR-10's binary version, with images that are others for each seed."""
    generator = np.random.default_rng(seed)
    return b"".join(bytes([label]) + generator.bytes(3072) for label in labels)


def cifar_folder(folder: Path) -> Path:
    names = [f"data_batch_{number}" for number in range(1, 6)]
    for place, name in enumerate([*names, "test_batch"]):
        first = bytes([place]) + pixels(1, 3072)
        (folder / f"{name}.bin").write_bytes(first + records_of([9], place))
    return folder


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_idx_files_are_read_as_they_are_and_compressed(tmp_path: Path, name: str) -> None:
    idx_folder(tmp_path)
    plain = images_from(name, tmp_path)
    assert plain.training.images.shape == (5, 1, 28, 28)
    assert plain.test.labels.tolist() == [0, 1, 2]
    first = pixels(5, 784)[28]
    assert plain.training.images[0, 0, 1, 0] == np.float32(first) / np.float32(255)
    for file in tmp_path.iterdir():
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    for file in tmp_path.iterdir():  # of several members, as compressors in parallel write them
        whole = gzip.decompress(file.read_bytes())
        parts = (whole[:9], b"", whole[9:300], whole[300:])
        file.write_bytes(b"".join(map(gzip.compress, parts)))
    packed = images_from(name, tmp_path)
    assert np.array_equal(packed.training.images, plain.training.images)
    assert packed.name == name


def test_cifar_is_read_plane_by_plane(tmp_path: Path) -> None:
    found = images_from("cifar-10", cifar_folder(tmp_path))
    assert found.training.images.shape == (10, 3, 32, 32)
    assert found.dimension == 3072
    assert found.training.labels.tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
    assert found.test.labels.tolist() == [5, 9]
    green = pixels(1, 3072)[1024]
    assert found.training.images[0, 1, 0, 0] == np.float32(green) / np.float32(255)


def test_features_are_centred_by_what_is_learnt_from(tmp_path: Path) -> None:
    found = images_from("mnist", idx_folder(tmp_path))
    rows = found.features(found.training)
    assert np.allclose(rows.mean(axis=0), 0, atol=1e-6)
    assert np.isclose(rows.std(axis=0).max(), 1)
    assert not np.allclose(found.features(found.test).mean(axis=0), 0, atol=1e-2)


def changed(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        file = folder / name
        file.write_bytes(change(file.read_bytes()))

    return act


def swapped(first: str, second: str) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        one, other = folder / first, folder / second
        kept = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(kept)

    return act


def copied(source: str, target: str) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        (folder / target).write_bytes((folder / source).read_bytes())

    return act


def both_swapped(folder: Path) -> None:
    for kind in ("images-idx3", "labels-idx1"):
        swapped(f"train-{kind}-ubyte", f"t10k-{kind}-ubyte")(folder)


def compressed(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        file = folder / "train-images-idx3-ubyte"
        packed = b"".join(map(gzip.compress, (file.read_bytes()[:99], file.read_bytes()[99:])))
        (folder / f"{file.name}.gz").write_bytes(change(packed))
        file.unlink()

    return act


def relabelled(name: str, place: int, labels: list[int]) -> Callable[[Path], None]:
    """Other labels, from that byte on."""
    end = place + len(labels)
    return changed(name, lambda data: data[:place] + bytes(labels) + data[end:])


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
BLACK = bytes(5 * 28 * 28)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (changed(IMAGES, lambda data: data[:-1]), r"truncated: 3935 bytes, want 3936"),
        (changed(IMAGES, lambda data: data + b"x"), r"too long: 3937 bytes, want 3936"),
        (
            changed(IMAGES, lambda data: data[:16] + BLACK),
            r"all 5 images to learn from are the same; copy their file again",
        ),
        (changed(IMAGES, lambda data: data[:10]), r"truncated: 10 bytes, .* header"),
        (changed(IMAGES, lambda data: b""), r"truncated: 0 bytes"),
        (changed(IMAGES, lambda data: b"\x80\x04" + data[2:]), r"magic number \d+ \(no IDX"),
        (
            changed(IMAGES, lambda data: header(2051, 5, 14, 56) + data[16:]),
            r"images of 14 by 56 pixels; want 28 by 28",
        ),
        (
            changed(IMAGES, lambda data: header(2051, 2**32 - 1, 28, 28) + data[16:]),
            r"truncated: 3936 bytes, want 336",
        ),
        (changed(LABELS, lambda data: data[:-1] + bytes([10])), r"label 10 of sample 4; want"),
        (
            changed(LABELS, lambda data: header(2049, 4) + data[8:-1]),
            r"4 labels, and train-images-idx3-ubyte has 5 images",
        ),
        (
            changed(LABELS, lambda data: header(2049, 0)),
            r"it holds nothing",
        ),
        (swapped(IMAGES, LABELS), r"magic number 2049 \(IDX labels\), want 2051 .* swapped\?"),
        (swapped(LABELS, "t10k-labels-idx1-ubyte"), r"3 labels, and train-images.* has 5 images"),
        (both_swapped, r"5 test images and 3 to learn from; .* swapped\?"),
        (compressed(lambda data: data[:-20]), r"truncated: the compressed data end early"),
        (compressed(lambda data: data + b"no member"), r"damaged: Not a gzipped file"),
        (compressed(lambda data: data[:-4] + bytes(4)), r"damaged: Incorrect length of data"),
        (relabelled(LABELS, 8, [3] * 5), r"the labels of all 5 images to learn from are 3; want"),
        (relabelled("t10k-labels-idx1-ubyte", 8, [0] * 3), r"all 3 test images are 0; want two"),
        (lambda folder: (folder / LABELS).unlink(), r"no such file; copy the standard file there"),
    ],
)
def test_a_damaged_or_swapped_idx_file_is_one_line(
    tmp_path: Path, damage: Callable[[Path], None], words: str
) -> None:
    damage(idx_folder(tmp_path))
    with pytest.raises(DataError, match=words) as refusal:
        images_from("mnist", tmp_path)
    assert "\n" not in str(refusal.value)
    assert str(tmp_path) in str(refusal.value)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (changed("data_batch_2.bin", lambda data: data[:-5]), r"6141 bytes, 3068 more than whole"),
        (changed("data_batch_2.bin", lambda data: b""), r"it holds nothing"),
        (changed("data_batch_2.bin", lambda data: b"\x0b" + data[1:]), r"label 11 of sample 0"),
        (
            changed("data_batch_3.bin", lambda data: pickle.dumps({"labels": [1, 2]})),
            r"a pickle, refused because loading one runs code; use the binary version",
        ),
        (lambda folder: (folder / "test_batch.bin").unlink(), r"test_batch.bin: no such file"),
        (
            changed("data_batch_4.bin", lambda data: data[:3073]),
            r"data_batch_4.bin: truncated: 1 records, want 2, as data_batch_1.bin has; copy",
        ),
        (
            changed("test_batch.bin", lambda data: data[:3073]),
            r"test_batch.bin: truncated: 1 records, want 2, as",
        ),
        (
            changed("data_batch_1.bin", lambda data: data[:3073] * 10_001),
            r"data_batch_1.bin: too long: 10001 records of 3073 bytes, want 10000",
        ),
        (
            changed("data_batch_1.bin", lambda data: data * 5_000),
            r"data_batch_2.bin: truncated: 2 records, want 10000, as data_batch_1.bin has",
        ),
        (
            copied("data_batch_2.bin", "data_batch_4.bin"),
            r"data_batch_4.bin: the images of data_batch_2.bin again; copy the file again",
        ),
        (
            copied("data_batch_2.bin", "test_batch.bin"),
            r"test_batch.bin: the images of data_batch_2",
        ),
    ],
)
def test_a_damaged_cifar_file_is_one_line(
    tmp_path: Path, damage: Callable[[Path], None], words: str
) -> None:
    damage(cifar_folder(tmp_path))
    with pytest.raises(DataError, match=words) as refusal:
        images_from("cifar-10", tmp_path)
    assert "\n" not in str(refusal.value)


CIFAR_TEST = [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]
MNIST_TEST = [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
TESTED = {"mnist": MNIST_TEST, "fashion-mnist": [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]}


def test_files_of_the_two_parts_that_are_swapped_are_known_by_their_labels(tmp_path: Path) -> None:
    """Where they are as long as one another, and their lengths do not tell."""
    cifar, mnist = tmp_path / "cifar", tmp_path / "mnist"
    cifar.mkdir()
    for place, file in enumerate(cifar_folder(cifar).iterdir(), 1):
        labels = CIFAR_TEST if file.name == "data_batch_3.bin" else range(10)
        file.write_bytes(records_of(labels, place))
    told = r"data_batch_3.bin: begins with the labels of the test images of cifar-10; .* swapped\?"
    with pytest.raises(DataError, match=told):
        images_in(cifar)
    swapped("data_batch_3.bin", "test_batch.bin")(cifar)
    assert images_in(cifar).test.labels.tolist() == CIFAR_TEST
    mnist.mkdir()
    with pytest.raises(DataError, match=r"train-labels.* labels of the test images of mnist;"):
        images_in(labelled(mnist, MNIST_TEST))


@pytest.mark.parametrize(
    "name",
    ["data_batch_1.bin", "test_batch.bin", "train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
)
def test_a_missing_file_among_the_others_is_named(tmp_path: Path, name: str) -> None:
    made = cifar_folder if name.endswith(".bin") else idx_folder
    (made(tmp_path) / name).unlink()
    with pytest.raises(DataError, match=f"{name}: no such file; copy the standard file there"):
        images_in(tmp_path)


def test_a_part_of_a_set_is_told_as_one(tmp_path: Path) -> None:
    words = images_in(cifar_folder(tmp_path)).words
    assert "10 of 50000 images to learn from, 2 of 10000 for the test" in words


def test_a_compressed_file_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.training.image_files._LARGEST", 1000)
    file = tmp_path / "bomb.gz"
    file.write_bytes(gzip.compress(bytes(100_000)))
    with pytest.raises(DataError, match="unpacks to more than 1000 bytes"):
        read_idx_images(file)
    file.write_bytes(gzip.compress(header(66051, 1, 28, 28)))
    with pytest.raises(DataError, match="magic number 66051"):
        read_idx_images(file)


def test_a_set_is_known_and_has_its_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="did you mean 'mnist'"):
        images_from("mnits")
    with pytest.raises(ValueError, match="folder=None: 'cifar-10' is read from a folder"):
        images_from("cifar-10")
    with pytest.raises(ValueError, match="the digits are in scikit-learn; leave it out"):
        images_from("digits", tmp_path)
    with pytest.raises(DataError, match="no such folder; name the one with the files of mnist"):
        images_from("mnist", tmp_path / "nowhere")
    (tmp_path / "file").write_bytes(b"")
    for name, words in (("file", "a file and no folder"), ("x" * 300, "too long")):
        with pytest.raises(DataError, match=f"{words}; name the one with the files of the images"):
            images_in(tmp_path / name)
    for read in (images_in, lambda folder: images_from("mnist", folder)):
        with pytest.raises(DataError, match="folder='' is no name of a folder; name the one"):
            read("")


def test_the_digits_are_split_one_in_five() -> None:
    digits = images_from()
    assert digits.training.count + digits.test.count == 1797
    for part in (digits.training, digits.test):
        assert set(part.labels.tolist()) == set(range(10))
        assert part.images.min() == 0
        assert part.images.max() == 1


FIRST = {
    "mnist": [5, 0, 4, 1, 9, 2, 1, 3, 1, 4],
    "fashion-mnist": [9, 0, 0, 3, 0, 2, 7, 2, 5, 5],
    "mnist-format": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
}


def labelled(folder: Path, first: list[int]) -> Path:
    """A folder of twelve images that begin with these labels."""
    idx_folder(folder)
    images = header(2051, 12, 28, 28) + pixels(12, 28 * 28)
    (folder / "train-images-idx3-ubyte").write_bytes(images)
    (folder / "train-labels-idx1-ubyte").write_bytes(header(2049, 12) + bytes([*first, 1, 2]))
    return folder


@pytest.mark.parametrize("name", FIRST)
def test_a_folder_says_which_set_it_holds(tmp_path: Path, name: str) -> None:
    found = images_in(labelled(tmp_path, FIRST[name]))
    assert found.name == name
    counts = (
        "12 images to learn from, 3"
        if name == "mnist-format"
        else ("12 of 60000 images to learn from, 3 of 10000")
    )
    assert found.words.startswith(f"{name} from {tmp_path}: {counts} for the test, sha256 ")


def test_a_folder_of_another_set_than_named_is_refused(tmp_path: Path) -> None:
    labelled(tmp_path, FIRST["fashion-mnist"])
    with pytest.raises(DataError, match=r"these are the labels of fashion-mnist, not of mnist"):
        images_from("mnist", tmp_path)


@pytest.mark.parametrize(
    ("learnt", "tested"), [("mnist", "fashion-mnist"), ("fashion-mnist", "mnist")]
)
def test_parts_of_two_sets_are_refused(tmp_path: Path, learnt: str, tested: str) -> None:
    labelled(tmp_path, FIRST[learnt])
    images = header(2051, 10, 28, 28) + pixels(10, 28 * 28)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(images)
    file = tmp_path / "t10k-labels-idx1-ubyte"
    file.write_bytes(header(2049, 10) + bytes(TESTED[tested]))
    told = f"labels to learn from are those of {learnt}, those of the test {tested}'s; copy"
    with pytest.raises(DataError, match=told):
        images_in(tmp_path)
    file.write_bytes(header(2049, 10) + bytes(TESTED[learnt]))
    assert images_in(tmp_path).name == learnt


def test_a_folder_of_no_set_or_of_two_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no standard files; want train-images-idx3-ubyte"):
        images_in(tmp_path)
    assert images_in(cifar_folder(tmp_path)).name == "cifar-10"
    idx_folder(tmp_path)
    with pytest.raises(DataError, match=r"files of CIFAR-10 and of MNIST; name a folder with one"):
        images_in(tmp_path)


def test_a_folder_that_may_not_be_entered_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not that the files of two sets are in it, none of which can be looked for."""
    monkeypatch.setattr("simulators.training.data.access", lambda path, mode: False)
    for read in (images_in, lambda folder: images_from("mnist", folder)):
        with pytest.raises(
            DataError, match=r": may not be entered; give yourself the right to, or"
        ):
            read(cifar_folder(tmp_path))


def test_images_are_pickled_as_where_they_are(tmp_path: Path) -> None:
    found = images_in(cifar_folder(tmp_path))
    packed = pickle.dumps(found)
    assert len(packed) < 1000
    assert pickle.loads(packed).digest == found.digest
    by_hand = replace(found, folder=None, name="mine")
    assert pickle.loads(pickle.dumps(by_hand)).digest == found.digest
    other = replace(found, test=found.training)
    with pytest.raises(DataError, match="other images than were asked for"):
        pickle.loads(pickle.dumps(other))
