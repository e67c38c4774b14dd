"""What is noted on the way forward: copies that nothing overwrites, with room or without."""

import numpy as np
import pytest

from simulators.backend import NumpyBackend, TorchBackend
from simulators.engines import notes
from simulators.engines.notes import Mapping, Notes
from simulators.layers import Recenter, Rescale


@pytest.mark.parametrize("backend", [NumpyBackend("float32"), TorchBackend("float64", "cpu")])
@pytest.mark.parametrize("room", [0, 1, 12, 29, 10**3])
def test_copies_stay_as_they_were_taken(backend, room):
    log, random = Notes(backend, room), np.random.default_rng(room)
    kept = []
    for shape in ((2, 3, 2), (1, 2, 2, 3), (2, 3, 1), (5,)):
        given = backend.array(random.standard_normal(shape))
        kept.append((log.kept(given), backend.numpy(given).copy()))
        given[...] = 0.0
    for found, expected in kept:
        assert found.dtype == backend.array(expected).dtype
        np.testing.assert_array_equal(backend.numpy(found), expected)


def test_much_is_kept_in_pieces(monkeypatch):
    monkeypatch.setattr(notes, "WHOLE_BYTES", 0)
    monkeypatch.setattr(notes, "PIECE_ENTRIES", 10)
    test_copies_stay_as_they_were_taken(NumpyBackend("float64"), 10**3)


def test_of_a_centring_no_rows_are_kept():
    """Its gradients depend on none; those of layers beside it do."""
    log, rows = Notes(NumpyBackend("float64"), 100), np.ones((1, 2, 3))
    for layers in ([Recenter()], [Recenter(), Rescale()]):
        log.begin()
        log.mapped(layers, rows, drawn=False)
    first, second = (step for way in log.ways for step in way if isinstance(step, Mapping))
    assert first.rows is None
    assert second.rows is not None


def test_products_are_of_what_weights_were_about_to_be_applied_to():
    backend, rows = NumpyBackend("float64"), np.ones((1, 2, 3))
    asked = Notes(backend, 0, lambda H: (H @ H.mT, np.zeros(1, np.int64)))
    assert Notes(backend, 0).products_of(rows) is None
    assert asked.products_of(rows)[0].tolist() == [[[3.0, 3.0], [3.0, 3.0]]]
