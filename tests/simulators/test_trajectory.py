"""Trajectories: frozen, readable, and the same after a journey through a file."""

import io
import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.random import SeedSequence

from simulators.chains import rescale_chain
from simulators.simulate import simulate
from simulators.trajectory import FORMAT, Trajectory

FORMER = Path(__file__).parent / "former"
"""Files that earlier commits of this repository wrote."""


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@pytest.fixture
def trajectory():
    return simulate(
        rescale_chain(8),
        np.eye(5, 3),
        depth=3,
        replicas=2,
        seed=SeedSequence([2**70, 1], spawn_key=(4,)),
        observables={"V": "orthogonality_gap", "λ/trace": "spectrum"},
    )


def test_a_saved_trajectory_loads_the_same(trajectory, tmp_path):
    path = trajectory.save(tmp_path / "run.npz")
    loaded = Trajectory.load(path)
    assert list(loaded.values) == ["V", "λ/trace"]
    for name in loaded.values:
        assert loaded[name].dtype == trajectory[name].dtype
        assert np.array_equal(loaded[name], trajectory[name])
    assert repr(loaded) == repr(trajectory)
    assert (loaded.seed, loaded.versions) == (trajectory.seed, trajectory.versions)
    assert loaded.batch_shape == trajectory.batch_shape
    assert loaded.engine_reason == trajectory.engine_reason


def test_bytes_are_the_same_every_time_and_read_back(trajectory):
    data = trajectory.to_bytes()
    assert data == trajectory.to_bytes()
    back = Trajectory.from_bytes(data)
    assert all(np.array_equal(back[name], trajectory[name]) for name in trajectory.values)
    with pytest.raises(ValueError, match="not a whole file"):
        Trajectory.from_bytes(data[:-30])


@pytest.mark.parametrize(
    ("backward", "words"),
    [
        ("gaussian", "gaussian"),
        ("readout", "readout"),
        (np.eye(8, 3), "array [0-9a-f]{64}"),
        (np.negative, "negative"),
    ],
    ids=["gaussian", "readout", "array", "function"],
)
def test_a_backward_pass_is_read_back_with_what_it_started_from(backward, words, tmp_path):
    run = simulate(
        rescale_chain(8), np.eye(5, 3), depth=3, backward=backward, observables=["gradient_gram"]
    )
    loaded = Trajectory.load(run.save(tmp_path / "run.npz"))
    assert re.fullmatch(words, loaded.backward)
    assert loaded.backward == run.backward
    assert np.array_equal(loaded["gradient_gram"], run["gradient_gram"])
    assert np.array_equal(loaded.rounding, run.rounding)


def test_a_run_without_one_is_written_as_former_releases_read_it(trajectory, tmp_path):
    with np.load(trajectory.save(tmp_path / "run.npz")) as archive:
        settings = json.loads(str(archive["settings"]))
    assert settings["format"] == FORMAT - 2
    assert "backward" not in settings
    assert Trajectory.load(tmp_path / "run.npz").backward is None


def test_save_writes_the_path_it_is_given_and_nothing_beside(trajectory, tmp_path):
    trajectory.save(tmp_path / "plain")
    trajectory.save(str(tmp_path / "plain"))  # replaces
    assert [path.name for path in tmp_path.iterdir()] == ["plain"]


def test_a_failed_save_leaves_nothing(trajectory, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="disk full"):
        trajectory.save(tmp_path / "run.npz")
    assert list(tmp_path.iterdir()) == []


def test_saving_where_there_is_no_folder_is_an_error(trajectory, tmp_path):
    with pytest.raises(FileNotFoundError):
        trajectory.save(tmp_path / "missing" / "run.npz")


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        Trajectory.load(tmp_path / "missing.npz")


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.3, 0.7, 0.99])
def test_a_truncated_file_is_refused(trajectory, tmp_path, kept):
    path = trajectory.save(tmp_path / "run.npz")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(ValueError, match="not a whole file"):
        Trajectory.load(path)


def test_a_damaged_file_is_refused(trajectory, tmp_path):
    path = trajectory.save(tmp_path / "run.npz")
    content = bytearray(path.read_bytes())
    start = content.index(b"\x93NUMPY") + 130
    content[start] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not a whole file"):
        Trajectory.load(path)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(b"not an archive"),
        lambda path: path.write_bytes(npy(np.eye(2))),
        lambda path: np.savez(path, other=np.eye(2)),
        lambda path: np.savez(path, settings=np.array("{")),
        lambda path: np.savez(path, settings=np.array("[]")),
        lambda path: np.savez(path, settings=np.array(json.dumps({"format": FORMAT}))),
        lambda path: np.savez(path, settings=np.array([{}], dtype=object)),
        lambda path: path.write_bytes(pickle.dumps({"settings": 1})),
    ],
)
def test_another_file_is_refused_and_never_unpickled(tmp_path, write):
    path = tmp_path / "other.npz"
    write(path)
    with pytest.raises(ValueError, match="not a whole file"):
        Trajectory.load(path)


def test_another_format_is_refused(trajectory, tmp_path):
    path = trajectory.save(tmp_path / "run.npz")
    with np.load(path) as archive:
        arrays = dict(archive)
    settings = {**json.loads(str(arrays["settings"])), "format": 99}
    arrays["settings"] = np.array(json.dumps(settings))
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=f"has format 99, and up to {FORMAT} are read"):
        Trajectory.load(path)


def test_a_trajectory_of_an_earlier_release_is_read_and_decides_nothing():
    """Written at f3607ad, in format 1, which said neither how often it measured nor what rounding
    did.
    """
    found = Trajectory.load(FORMER / "trajectory_f3607ad.npz")
    again = simulate(rescale_chain(8), np.eye(5, 3), depth=3, replicas=2, seed=1)
    assert (found.every, found.depth, found.chain) == (1, 3, again.chain)
    assert found.engine == again.engine == "factor"  # its file still says "gram"
    assert found["orthogonality_gap"] == pytest.approx(again["orthogonality_gap"], abs=1e-12)
    assert np.isnan(found.rounding).all()
    assert found.rounding.shape == again.rounding.shape
    assert found.spoiled.all()
    assert not again.spoiled.any()
    assert repr(Trajectory.from_bytes(found.to_bytes())) == repr(found)


def test_a_trajectory_is_frozen(trajectory):
    with pytest.raises(AttributeError):
        trajectory.depth = 4
    with pytest.raises(ValueError, match="read-only"):
        trajectory["V"][0, 0] = 1
    with pytest.raises(TypeError):
        trajectory.values["V"] = None


def test_an_unobserved_name_lists_the_observed(trajectory):
    with pytest.raises(KeyError, match="observed were V, λ/trace"):
        trajectory["v"]


def test_repr_tells_the_run(trajectory):
    for part in (
        "Linear(width=8",
        "V (2, 4)",
        "(5, 3)",
        "factor engine",
        "float64 on cpu",
        str(2**70),
    ):
        assert part in repr(trajectory)
