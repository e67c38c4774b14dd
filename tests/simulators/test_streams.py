"""Streams: reproducible, and independent of how replicas are counted, grouped and drawn."""

import numpy as np
import pytest
import torch
from numpy.random import SFC64, SeedSequence
from scipy.stats import kstest, norm

from simulators.backend import NumpyBackend, TorchBackend, select
from simulators.streams import (
    BLOCK,
    DeviceStreams,
    HostStreams,
    Piece,
    pack,
    replica_groups,
    replica_sequence,
    root_sequence,
    row_blocks,
)
from simulators.weights import LAWS, law_of

NAMED = [law.example for law in LAWS.values()]


def drawn(backend, pieces, seed=0, engine="factor"):
    return [
        np.array(backend.numpy(entries))
        for entries in backend.draws(SeedSequence(seed), engine, pieces)
    ]


@pytest.mark.parametrize(
    ("seed", "error", "message"),
    [
        (-1, ValueError, "seed=-1 is below 0"),
        (1.0, TypeError, "seed=1.0 is a float"),
        (None, TypeError, "seed=None"),
        (True, TypeError, "seed=True"),
        ("12", TypeError, "seed='12'"),
        ((), ValueError, "empty"),
        ((1, -2), ValueError, "seed item=-2"),
    ],
)
def test_bad_seeds_are_refused(seed, error, message):
    with pytest.raises(error, match=message):
        root_sequence(seed)


@pytest.mark.parametrize("seed", [0, 2**200, np.int64(3), (1, 2), [5], SeedSequence(4)])
def test_good_seeds_are_accepted(seed):
    assert isinstance(root_sequence(seed), SeedSequence)


def test_a_seed_sequence_is_read_and_not_advanced():
    root = SeedSequence(4)
    root_sequence(root)
    replica_sequence(root, "factor", 3)
    assert root.n_children_spawned == 0


def test_streams_are_the_spawned_children_of_the_seed():
    engines = SeedSequence(9).spawn(4)
    for number, engine in enumerate(("dense", "factor", "lyapunov", "rows")):
        child = engines[number].spawn(3)[2]
        ours = replica_sequence(SeedSequence(9), engine, 2)
        assert (ours.generate_state(4) == child.generate_state(4)).all()


ROOTS = [
    SeedSequence(0),
    SeedSequence(2**70 + 3),
    SeedSequence([1, 2, 3, 2**40, 0, 7, 8]),
    SeedSequence([0]),
    SeedSequence(np.array([3, 2**33])),
    SeedSequence(5, spawn_key=(3, 2**33)),
    SeedSequence(9, pool_size=8),
    SeedSequence(3).spawn(2)[1],
]


@pytest.mark.parametrize("root", ROOTS, ids=str)
@pytest.mark.parametrize("engine", ["dense", "rows backward"])
def test_streams_that_are_started_together_are_those_started_one_by_one(root, engine):
    """NumPy's own seeding is the reference: whatever the root is made of, to the last replica."""
    for replicas in (range(5), range(7, 30, 3), range(2**32 - 3, 2**32), range(0)):
        found = HostStreams(root, engine, replicas).state
        wanted = [SFC64(replica_sequence(root, engine, i)).state for i in replicas]
        assert [list(each["state"]["state"]) for each in found] == [
            list(each["state"]["state"]) for each in wanted
        ]


def test_replicas_engines_and_seeds_have_different_streams():
    states = {
        tuple(replica_sequence(SeedSequence(seed), engine, replica).generate_state(4))
        for seed in range(3)
        for engine in ("dense", "factor", "rows")
        for replica in range(50)
    }
    assert len(states) == 450


@pytest.mark.parametrize("law", NAMED)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_entries_depend_neither_on_grouping_nor_on_pieces(law, dtype):
    backend = NumpyBackend(dtype)
    together = drawn(backend, [Piece(range(6), (40, 30, 20), law)])[0]
    apart = [
        drawn(backend, [Piece(range(start, start + 2), (size,), law) for size in (40, 30, 20)])
        for start in (0, 2, 4)
    ]
    assert (together == np.concatenate([np.concatenate(group, axis=1) for group in apart])).all()
    assert together.dtype == dtype


def test_groups_drawn_in_one_run_continue_no_other_stream():
    backend = NumpyBackend("float64")
    pieces = [Piece(range(0, 2), (5,), "gaussian"), Piece(range(2, 4), (5,), "gaussian")]
    one, two = drawn(backend, pieces)
    assert (
        np.concatenate([one, two]) == drawn(backend, [Piece(range(4), (5,), "gaussian")])[0]
    ).all()


def test_torch_on_the_host_draws_the_entries_of_numpy():
    pieces = [Piece(range(3), (10, 6), "gaussian"), Piece(range(3), (8,), "rademacher")]
    for ours, theirs in zip(
        drawn(NumpyBackend("float32"), pieces),
        drawn(TorchBackend("float32", "cpu"), pieces),
        strict=True,
    ):
        assert (ours == theirs).all()


def test_device_streams_do_not_depend_on_grouping_nor_on_pieces():
    # The class for CUDA, run where every machine has a generator.
    root = SeedSequence(0)
    together, apart = torch.empty(30), torch.empty(30)
    DeviceStreams(root, "factor", range(5), "cpu").fill(3, together, "gaussian", (10, 20))
    streams = DeviceStreams(root, "factor", range(3, 5), "cpu")
    streams.fill(0, apart[:10], "gaussian", (10,))
    streams.fill(0, apart[10:], "gaussian", (20,))
    assert torch.equal(together, apart)


@pytest.mark.parametrize("streams", ["host", "device"])
@pytest.mark.parametrize("law", NAMED)
def test_entries_have_the_mean_and_variance_of_their_law(streams, law):
    count = 200_000
    mean = law_of(law).mean
    if streams == "host":
        (drawn_entries,) = drawn(NumpyBackend("float64"), [Piece(range(1), (count,), law)])
        entries = torch.from_numpy(drawn_entries[0])
    elif law_of(law).source == law:
        entries = torch.empty(count, dtype=torch.float64)
        DeviceStreams(SeedSequence(1), "dense", range(1), "cpu").fill(0, entries, law, (count,))
    else:
        pytest.skip("made of another law, which is drawn")
    # Six deviations of the estimates: false alarms below 1e-8 each.
    fourth = {"student_t(5)": 9, "sparse(0.1)": 30}.get(law, 3)
    assert abs(entries.mean().item() - mean) < 6 / count**0.5
    assert abs(((entries - mean) ** 2).mean().item() - 1) < 6 * ((fourth - 1) / count) ** 0.5
    support = {"uniform": 3**0.5, "rademacher": 1.0, "uniform_positive": 2 * 3**0.5}
    assert entries.abs().max().item() <= support.get(law, 1e9)


def test_thousands_of_generators_are_made_on_the_way():
    pieces = [Piece(group, (4,), "gaussian") for group in replica_groups(3000, 4, 1000)]
    assert sum(len(entries) for entries in drawn(NumpyBackend("float64"), pieces)) == 3000


def test_a_failing_thread_says_so():
    with pytest.raises(ValueError, match="negative dimensions"):
        drawn(NumpyBackend("float64"), [Piece(range(1), (-4,), "gaussian")])


def test_an_abandoned_run_leaves_no_thread_waiting():
    draws = NumpyBackend("float64").draws(
        SeedSequence(0), "factor", [Piece(range(2), (50,), "gaussian")] * 10
    )
    next(draws)
    draws.close()


@pytest.mark.parametrize(
    ("rows", "size", "blocks"), [(10, 4, (4, 4, 2)), (8, 4, (4, 4)), (3, 4, (3,))]
)
def test_row_blocks(rows, size, blocks):
    assert row_blocks(rows, size) == blocks


def test_replica_groups_fill_the_limit_or_are_single():
    assert replica_groups(7, 10, 30) == [range(0, 3), range(3, 6), range(6, 7)]
    assert replica_groups(2, 100, 30) == [range(0, 1), range(1, 2)]


def test_pack_splits_only_where_it_must():
    units = [(4, "gaussian"), (2, "gaussian"), (2, "uniform"), (2, "uniform")]
    assert [piece.units for piece in pack(units, range(2), 16)] == [(4, 2), (2, 2)]


def test_pack_keeps_the_order_the_law_and_the_limit():
    units = [(4, "gaussian"), (4, "gaussian"), (4, "gaussian"), (9, "gaussian"), (1, "uniform")]
    pieces = list(pack(units, range(2), 16))
    assert [(piece.units, piece.law) for piece in pieces] == [
        ((4, 4), "gaussian"),
        ((4,), "gaussian"),
        ((9,), "gaussian"),
        ((1,), "uniform"),
    ]


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (None, "float64"),
        ("float32", "float32"),
        (np.float32, "float32"),
        (np.dtype("f8"), "float64"),
        (float, "float64"),
        (torch.float32, "float32"),
        (torch.float64, "float64"),
    ],
)
def test_dtypes_are_accepted_by_any_of_their_names(dtype, name):
    assert select(dtype, None, None).dtype == name


@pytest.mark.parametrize(
    "dtype", ["float16", "single precision", np.int64, torch.float16, np.complex128, 7]
)
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(ValueError, match="give 'float32' or 'float64'"):
        select(dtype, None, None)


def test_devices_are_checked():
    assert isinstance(select(None, None, None), NumpyBackend)
    assert select(None, "cpu", None) == TorchBackend("float64", "cpu")
    assert select(None, torch.device("cpu"), None).device == "cpu"
    assert select(None, None, torch.zeros(1)).device == "cpu"
    for device in ("cuda:99", "meta", "nonsense", 3.5):
        with pytest.raises(ValueError, match="available are cpu"):
            select(None, device, None)


@pytest.mark.parametrize("law", ["gaussian", "rademacher"])
@pytest.mark.parametrize(
    "sizes", [(1, 7, 64, 65, 3), (130, 130, 130, 2), (2, 70_000, 70_000, 131_073, 131_073)]
)
def test_units_that_end_within_a_word_start_the_next_at_a_whole_one(law, sizes):
    """However units are gathered in calls, each has the entries it has in a call of its own."""
    together = np.empty((2, sum(sizes)), np.float32)
    HostStreams(SeedSequence(4), "dense", range(2)).fill(0, together, law, sizes)
    streams, apart = HostStreams(SeedSequence(4), "dense", range(2)), []
    for size in sizes:
        entries = np.empty((2, size), np.float32)
        streams.fill(0, entries, law)
        apart.append(entries)
    assert (together == np.concatenate(apart, axis=1)).all()


@pytest.mark.parametrize(
    ("law", "dtype", "entries"),
    [
        ("rademacher", "float32", 64),
        ("rademacher", "float64", 64),
        ("gaussian", "float32", 2),
        ("gaussian", "float64", 1),
        ("uniform", "float64", 1),
    ],
)
def test_a_unit_spends_the_words_it_needs_and_no_more(law, dtype, entries):
    def second(size):
        """What comes after a first unit of so many entries."""
        out = np.empty((1, size + 64), dtype)
        HostStreams(SeedSequence(4), "dense", range(1)).fill(0, out, law, (size, 64))
        return out[:, size:]

    assert (second(1) == second(entries)).all()
    assert (second(1) != second(entries + 1)).any()


@pytest.mark.parametrize("unit", [100, 1000, 400_000])
def test_normals_in_float32_are_normal_and_independent(unit):
    """Kolmogorov's distance, tails, and correlation of neighbours and of halves: pairs share a
    word or a block.
    """
    count = 400_000
    entries = np.empty(count, np.float32)
    HostStreams(SeedSequence(6), "dense", range(1)).fill(
        0, entries, "gaussian", (unit,) * (count // unit)
    )
    wide = entries.astype(float)
    assert kstest(wide, "norm").pvalue > 1e-6
    block = min(unit, 2 * BLOCK)
    neighbours = wide.reshape(-1, 2).T
    halves = wide[: count // block * block].reshape(-1, 2, block // 2).swapaxes(0, 1).reshape(2, -1)
    for power in (1, 2):
        for first, second in (neighbours**power, halves**power):
            assert abs(np.corrcoef(first, second)[0, 1]) < 6 / len(first) ** 0.5
    beyond = (abs(wide) > 3).mean()
    assert abs(beyond - 2 * norm.sf(3)) < 6 * (2 * norm.sf(3) / count) ** 0.5
    assert abs(wide).max() < 6.5
    # A wrong scale of the radius, by 2 %, is seen.
    assert kstest(1.02 * wide, "norm").pvalue < 1e-3


def test_signs_use_every_bit_of_a_word():
    signs = np.empty((1, 64 * 4000))
    HostStreams(SeedSequence(6), "dense", range(1)).fill(0, signs, "rademacher")
    words = signs.reshape(-1, 64)
    assert (abs(words.mean(axis=0)) < 6 / 4000**0.5).all()
    covariance = words.T @ words / 4000 - np.eye(64)
    assert abs(covariance).max() < 6.5 / 4000**0.5


def test_groups_are_as_many_as_workers():
    assert replica_groups(7, 1, 100, 3) == [range(0, 3), range(3, 6), range(6, 7)]
    assert replica_groups(2, 1, 100, 3) == [range(0, 1), range(1, 2)]
    assert replica_groups(7, 50, 100, 2) == [range(0, 2), range(2, 4), range(4, 6), range(6, 7)]


@pytest.mark.parametrize("ahead", [False, True])
def test_drawing_ahead_changes_no_entry(ahead):
    pieces = [Piece(range(2), (9, 4), "gaussian"), Piece(range(2), (5,), "rademacher"),
              Piece(range(2, 3), (8,), "uniform")]  # fmt: skip
    draws = [
        np.array(each)
        for each in NumpyBackend("float32").draws(SeedSequence(1), "dense", pieces, ahead=ahead)
    ]
    for one, other in zip(
        draws, drawn(TorchBackend("float32", "cpu"), pieces, seed=1, engine="dense"), strict=True
    ):
        assert (one == other).all()


@pytest.mark.parametrize("law", NAMED)
@pytest.mark.parametrize("there", [1, 2])
def test_entries_do_not_depend_on_the_cores_there_are(law, there, monkeypatch):
    """With one, nothing is drawn ahead; with more, threads take several narrow rows at once."""
    monkeypatch.setattr("simulators.backend._AT_ONCE", 40)
    monkeypatch.setattr("simulators.workers._cores_there", lambda: there)
    pieces = [Piece(range(9), (9, 4), law), Piece(range(9), (64,), law)]
    alone = [HostStreams(SeedSequence(0), "factor", range(k, k + 1)) for k in range(9)]
    found = drawn(NumpyBackend("float64"), pieces)
    source = law_of(law).source
    for piece, entries in zip(pieces, found, strict=True):
        for stream, row in zip(alone, entries, strict=True):
            wanted = np.empty((1, sum(piece.units)))
            stream.fill(0, wanted, source, piece.units)
            if law_of(law).quantile is None:
                assert (row == wanted[0]).all()
        assert np.isfinite(entries).all()


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("backend", [NumpyBackend("float64"), TorchBackend("float64", "cpu")])
def test_entries_to_be_kept_stay_as_they_were_drawn(backend, ahead):
    pieces = [Piece(range(2), (9, 4), "gaussian")] * 4
    draws = backend.draws(SeedSequence(1), "rows", pieces, ahead=ahead, kept=True)
    kept = [(entries, backend.numpy(entries).copy()) for entries in draws]
    assert all((backend.numpy(entries) == drawn).all() for entries, drawn in kept)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_sign_is_a_bit_of_the_stream(dtype):
    """In order, the lowest first; among so many bytes each of the 256 occurs."""
    words, root = 2**13, SeedSequence(5)
    (signs,) = drawn(NumpyBackend(dtype), [Piece(range(1), (64 * words,), "rademacher")], seed=5)
    raw = SFC64(replica_sequence(root, "factor", 0)).random_raw(words).astype("<u8")
    octets = raw.view(np.uint8)
    assert len(np.unique(octets)) == 256
    bits = np.unpackbits(octets, bitorder="little")
    assert (signs[0] == np.where(bits == 1, 1, -1)).all()
