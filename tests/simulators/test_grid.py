"""Grids: what they stand for, what keys are made of, and what is refused."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulators.sweeps.grid as module
from simulators import residual_chain, simulate
from simulators.batches import gaussian_batch
from simulators.sweeps.grid import FIELDS, Grid, GridError, SweepRun, read_grid

SMALL = {"chain": "rescale", "width": 8, "batch": 3, "depth": 4}


def only(**fields) -> SweepRun:
    (run,) = Grid.of({**SMALL, **fields}).runs().values()
    return run


def test_a_grid_is_the_product_of_its_axes():
    grid = Grid.of(
        {
            **SMALL,
            "chain": ["rescale", "vanilla(tanh)"],
            "width": [8, "16"],
            "batch": [2, "3..4"],
            "weights": ["gaussian", "uniform"],
            "seeds": "0..4",
            "depth": [1, 2],
        }
    )
    runs = grid.runs()
    assert len(runs) == len(grid) == 2 * 2 * 3 * 2 * 5 * 2
    assert {run.batch.n for run in runs.values()} == {2, 3, 4}
    assert {run.seed for run in runs.values()} == set(range(5))
    assert all(key == run.key for key, run in runs.items())


def test_the_engine_is_settled_beforehand():
    assert only().engine == "factor"
    assert only(weights="uniform").engine == "dense"
    assert only(chain="residual(0.5)").engine == "rows"
    assert only(chain="residual(0.5)", width=6).engine == "dense"
    assert only(engine="factor").key == only().key


def test_keys_are_those_of_stores_written_when_the_engine_had_its_former_name():
    """The digest was printed by the release before the engine gram was called factor."""
    assert only().key == "d88acb94d7f47d43efe236430609a1a07fafebc6bd8152d7da861a0176661039"
    with pytest.warns(DeprecationWarning, match="'factor'"):
        assert only(engine="gram").key == only().key


def test_a_run_is_the_simulation_it_says():
    run = only(
        chain="residual(0.5)",
        weights="uniform",
        replicas=2,
        seeds=7,
        observables=["effective_rank"],
        dtype="float32",
        batch_seed=3,
    )
    chain = residual_chain(8, 0.5)
    chain = replace(chain, layers=(replace(chain.layers[0], law="uniform"), *chain.layers[1:]))
    expected = simulate(
        chain,
        gaussian_batch(8, 3, 3),
        depth=4,
        replicas=2,
        seed=7,
        observables=("effective_rank",),
        dtype="float32",
    )
    found = run.perform()
    assert np.array_equal(found["effective_rank"], expected["effective_rank"])
    assert (found.chain, found.seed, found.dtype) == (expected.chain, expected.seed, "float32")


def test_every_parameter_is_in_the_key(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", np.eye(3, 8))
    np.save(tmp_path / "b.npy", 2 * np.eye(3, 8))
    base = only()
    others = [
        only(chain="vanilla"),
        only(width=9),
        only(batch=2),
        only(depth=5),
        only(weights="uniform"),
        only(weights="rademacher"),
        only(seeds=1),
        only(replicas=2),
        only(observables="effective_rank"),
        only(engine="dense"),
        only(dtype="float32"),
        only(batch_seed=1),
        only(batch=str(tmp_path / "a.npy")),
        only(batch=str(tmp_path / "b.npy")),
        only(chain="residual(0.1)"),
        only(chain="residual(0.2)"),
    ]
    keys = {run.key for run in (base, *others)}
    assert len(keys) == 1 + len(others)
    monkeypatch.setattr(module, "FORMAT", module.FORMAT + 1)
    assert base.key not in keys


def test_the_key_of_a_file_is_its_content(tmp_path):
    for name in ("a.npy", "b.npy"):
        np.save(tmp_path / name, np.eye(3, 8))
    assert only(batch=str(tmp_path / "a.npy")).key == only(batch=str(tmp_path / "b.npy")).key


def test_keys_stay_what_they_were():
    """A changed key would make every store start anew: then raise FORMAT, and change this."""
    assert only().key == "d88acb94d7f47d43efe236430609a1a07fafebc6bd8152d7da861a0176661039"


def test_chains_have_one_spelling():
    assert only(chain=" residual( 1e-1 ) ").key == only(chain="residual(0.1)").key
    assert only(chain="batchnorm").chain == only(chain="batchnorm(relu)").chain == "batchnorm(relu)"


def test_a_run_survives_pickling():
    run = only(batch="digits:4") if pytest.importorskip("sklearn") else only()
    assert pickle.loads(pickle.dumps(run)).key == run.key


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"widht": 3}, ["'widht'", "did you mean 'width'"]),
        ({"width": 0}, ["width=0", "≥ 1"]),
        ({"width": 2.5}, ["width=2.5", "integer"]),
        ({"width": True}, ["width=True"]),
        ({"width": []}, ["width", "empty"]),
        ({"width": "wide"}, ["width='wide'", "range"]),
        ({"width": [8, 8]}, ["width", "8", "twice"]),
        ({"width": "9..3"}, ["'9..3'", "empty range"]),
        ({"seeds": "0..9999999999"}, ["seeds", "1000000"]),
        ({"seeds": -1}, ["seeds=-1", "≥ 0"]),
        ({"seeds": "0..999999", "depth": [1, 2]}, ["2000000 runs", "split"]),
        ({"chain": "resale"}, ["'resale'", "did you mean 'rescale'"]),
        ({"chain": 3}, ["chain=3"]),
        ({"chain": "rescale(relu)"}, ["no argument"]),
        ({"chain": "residual"}, ["gamma", "residual(0.1)"]),
        ({"chain": "residual(much)"}, ["'much'", "not a number"]),
        ({"chain": "residual(-1)"}, ["gamma"]),
        ({"chain": "residual(0.1)", "width": 1, "batch": 1}, ["width=1", "2 rows or more"]),
        ({"chain": "vanilla(tan)"}, ["'tan'", "tanh"]),
        ({"chain": "vanilla(relu"}, ["is not a chain"]),
        ({"batch": 9}, ["width=8", "n=9", "at most 8"]),
        ({"batch": "no.npy"}, ["no.npy", "no such file"]),
        ({"batch": None}, ["batch=None"]),
        ({"batch": "digits:0"}, ["take=0"]),
        ({"weights": "cauchy"}, ["weights", "'cauchy'"]),
        ({"weights": "uniform", "engine": "factor"}, ["engine='factor'"]),
        ({"observables": "rank"}, ["'rank'"]),
        ({"observables": [len]}, ["give names"]),
        ({"observables": "soft_rank(2)"}, ["tau=2.0"]),
        ({"engine": "fast"}, ["engine", "'fast'"]),
        ({"dtype": "float16"}, ["dtype='float16'"]),
        ({"replicas": [1, 2]}, ["replicas", "not varied"]),
    ],
)
def test_what_is_refused(fields, said):
    with pytest.raises(GridError) as caught:
        Grid.of({**SMALL, **fields}).runs()
    text = str(caught.value)
    assert "\n" not in text
    assert all(word in text for word in said), text


@pytest.mark.parametrize("missing", ["chain", "width", "batch", "depth"])
def test_a_missing_axis_is_named(missing):
    with pytest.raises(GridError, match=f"{missing} is missing"):
        Grid.of({name: value for name, value in SMALL.items() if name != missing})


def test_a_file_is_read_and_named_in_errors(tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text('chain = "rescale"\nwidth = [8, 16]\nbatch = 3\ndepth = 4\n', encoding="utf-8")
    assert read_grid(path, width="32").width == (32,)
    path.write_text("chain = [", encoding="utf-8")
    with pytest.raises(GridError, match=r"grid\.toml: not TOML"):
        read_grid(path)
    path.write_text("wide = 3", encoding="utf-8")
    with pytest.raises(GridError, match=r"grid\.toml: unknown field 'wide'"):
        read_grid(path)
    with pytest.raises(GridError, match=r"missing\.toml: cannot be read: no such file"):
        read_grid(tmp_path / "missing.toml")
    path.write_bytes(b"a = " + b"[" * 5000)
    with pytest.raises(GridError, match="not TOML"):
        read_grid(path)


WORDS = st.sampled_from(
    ["rescale", "vanilla(tanh)", "residual(nan)", "0..3", "digits:3", "gram", "../x.npy"]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=4))
def test_any_fields_give_a_grid_or_one_line(fields):
    try:
        runs, said = len(Grid.of({**SMALL, **fields}).runs()), ""
    except GridError as error:
        runs, said = 0, str(error)
    assert bool(runs) != bool(said)
    assert "\n" not in said


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_file_gives_a_grid_or_one_line(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "fuzzed.toml"
    path.write_bytes(content)
    with pytest.raises(GridError):
        read_grid(path)
