"""Networks trained at once are each as alone; what diverges is recorded; rows survive kills."""

from __future__ import annotations

import hashlib
import importlib
import io
import os
import random
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_sweep import environment

from simulators.sweeps.grid import canonical
from simulators.sweeps.store import Row, Store
from simulators.training import (
    Design,
    Recipe,
    Trained,
    TrainingError,
    images_from,
    train,
    train_into,
)
from simulators.training.networks import INITIALISATIONS, NORMALISATIONS, Networks
from simulators.training.rows import NetworkRun, row_key, trained_otherwise

TRAINING = importlib.import_module("simulators.training.train")
TORCH = str(torch.__version__)
DIGITS = images_from()
SHORT = Recipe(steps=8, samples=64, batch_size=16, probe=8, checkpoints=2)
SMALL = Design(depth=3, width=12)


def generators(count: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


def same(one: Trained, other: Trained, tolerance: float = 0.0) -> None:
    for each in fields(Trained):
        a, b = getattr(one, each.name), getattr(other, each.name)
        assert np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True), each.name


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
@pytest.mark.parametrize("initialisation", ["he", "iterative"])
def test_a_network_among_others_is_as_alone(normalisation: str, initialisation: str) -> None:
    design = replace(SMALL, normalisation=normalisation, initialisation=initialisation)
    together = train(design, SHORT, DIGITS, [(1, 0), (1, 1), (1, 2)])
    alone = train(design, SHORT, DIGITS, [(1, 1)])
    for each in fields(Trained):
        many, one = getattr(together, each.name)[1], getattr(alone, each.name)[0]
        assert np.allclose(many, one, rtol=1e-3, atol=1e-4, equal_nan=True), each.name
    assert not np.allclose(together.losses[0], together.losses[2])


@pytest.mark.parametrize("normalisation", ["none", "batch"])
def test_convolutions_are_those_of_torch(normalisation: str) -> None:
    """Against a `torch.nn` module of the same weights: outputs, and gradients."""
    shape, samples = (2, 5, 4), torch.randn(3, 7, 40, generator=torch.Generator().manual_seed(5))
    design = Design(2, 6, normalisation, kernel=3)
    nets = Networks.drawn(design, samples, 4, generators(3), shape)
    outputs = nets.outputs(samples)
    for number in range(3):
        layers: list[torch.nn.Module] = []
        for weight in nets.weights[:2]:
            convolution = torch.nn.Conv2d(*weight.shape[2:0:-1], 3, padding=1, bias=False)
            convolution.weight.data = weight[number].clone()
            layers.append(convolution)
            if normalisation == "batch":
                layers.append(torch.nn.BatchNorm2d(6))
            layers.append(torch.nn.ReLU())
        net = torch.nn.Sequential(*layers, torch.nn.Flatten())
        wanted = net(samples[number].reshape(7, *shape)) @ nets.weights[2][number]
        assert torch.allclose(outputs[number], wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("initialisation", INITIALISATIONS)
def test_convolutions_begin_as_said(initialisation: str) -> None:
    design = Design(2, 64, initialisation=initialisation, kernel=3)
    samples = torch.randn(1, 40, 64, generator=torch.Generator().manual_seed(5))
    second = Networks.drawn(design, samples, 4, generators(1), (1, 8, 8)).weights[1][0]
    matrix = second.flatten(1).double()
    inputs = 64 * 9
    if initialisation in ("he", "xavier"):
        wanted = 2 / (inputs if initialisation == "he" else 2 * inputs)
        assert float(matrix.var()) == pytest.approx(wanted, rel=0.05)
    elif initialisation == "uncentred":
        assert float(matrix.mean()) == pytest.approx(1 / inputs**0.5, rel=0.02)
    elif initialisation == "orthogonal":
        assert torch.allclose(matrix @ matrix.T, 2 * torch.eye(64).double(), atol=1e-4)
    else:
        found = Networks.drawn(design, samples, 4, generators(1), (1, 8, 8))
        values = found._product(0, samples[:, :32])
        assert float(values.square().mean()) == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize("kernel", [0, 3])
def test_a_row_does_not_depend_on_its_group(kernel: int) -> None:
    """To the bit, so that what a store has of a network is what training it alone would give."""
    design = Design(2, 12, "batch", kernel=kernel)
    seeds = [(1, number) for number in range(5)]
    together = train(design, SHORT, DIGITS, seeds)
    for group in (seeds[:1], seeds[1:3], seeds[4:]):
        found = train(design, SHORT, DIGITS, group)
        first = seeds.index(group[0])
        for each in fields(Trained):
            part = getattr(together, each.name)[first : first + len(group)]
            assert np.array_equal(part, getattr(found, each.name)), each.name


def test_convolutions_train() -> None:
    design = Design(2, 4, "batch", kernel=3)
    together = train(design, SHORT, DIGITS, [(1, 0), (1, 1)])
    assert (together.losses[:, -1] < together.losses[:, 0]).all()
    with pytest.raises(ValueError, match="kernel=2: give 0, a perceptron, or an odd number"):
        Design(2, 4, kernel=2)


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_many_at_once_follow_a_plain_training_loop(optimiser: str) -> None:
    """Against a `torch.nn` module with the same weights and batches, step by step."""
    recipe = replace(SHORT, optimiser=optimiser, learning_rate=0.02)
    design = replace(SMALL, normalisation="batch")
    found = train(design, recipe, DIGITS, [(3, 0), (3, 1)])
    features = torch.from_numpy(DIGITS.features(DIGITS.training))[:64]
    labels = torch.from_numpy(DIGITS.training.labels)[:64]
    for number, seed in enumerate([(3, 0), (3, 1)]):
        streams = [
            torch.Generator().manual_seed(int(s.generate_state(1, np.uint64)[0] >> 1))
            for s in np.random.SeedSequence(seed).spawn(3)
        ]
        nets = Networks.drawn(design, features[None], 10, streams[:1])
        layers: list[torch.nn.Module] = []
        for weight in nets.weights:
            linear = torch.nn.Linear(*weight.shape[1:], bias=False)
            linear.weight.data = weight[0].T.clone()
            norm = torch.nn.BatchNorm1d(weight.shape[2], track_running_stats=False)
            norm.weight.requires_grad_(False)
            layers += [linear, norm, torch.nn.ReLU()]
        last = torch.nn.Linear(12, 10)
        last.weight.data = nets.weights[-1][0].T.clone()
        last.bias.data.zero_()
        module = torch.nn.Sequential(*layers[:-3], last)
        kind = torch.optim.Adam if optimiser == "adam" else torch.optim.SGD
        stepping = kind([p for p in module.parameters() if p.requires_grad], lr=0.02)
        sampler = torch.utils.data.RandomSampler(range(64), generator=streams[1])
        batches = torch.utils.data.BatchSampler(sampler, 16, drop_last=True)
        for _ in range(2):
            for batch in batches:
                stepping.zero_grad()
                torch.nn.functional.cross_entropy(module(features[batch]), labels[batch]).backward()
                stepping.step()
        loss = torch.nn.functional.cross_entropy(module(features), labels)
        assert found.losses[number, -1] == pytest.approx(loss.item(), rel=1e-3)


def test_equal_seeds_give_equal_runs_and_equal_batches() -> None:
    same(train(SMALL, SHORT, DIGITS, [(5,)]), train(SMALL, SHORT, DIGITS, [(5,)]))
    still = replace(SHORT, learning_rate=1e-30)
    true = train(SMALL, still, DIGITS, [(5,)])
    shuffled = train(SMALL, replace(still, labels="shuffled"), DIGITS, [(5,)])
    assert true.losses[0, 0] != shuffled.losses[0, 0]
    assert np.array_equal(true.gaps, shuffled.gaps), "the same weights"


def test_what_diverges_is_recorded_and_harms_no_other() -> None:
    wild = replace(SHORT, learning_rate=1e30)
    told: list[str] = []
    found = train(SMALL, wild, DIGITS, [(0,), (1,)], progress=told.append)
    assert (found.diverged > 0).all()
    assert not found.settled.any()
    assert not np.isfinite(found.losses[:, -1]).any()
    assert np.isfinite(found.losses[:, 0]).all()
    assert told[-1] == "step 8 of 8: all, 2 diverged"
    nets = Networks.drawn(
        SMALL,
        torch.from_numpy(DIGITS.features(DIGITS.test))[:9].expand(2, -1, -1),
        10,
        generators(2),
    )
    nets.weights[0][0] = float("nan")
    outputs = nets.outputs(torch.ones(2, 4, 64))
    assert outputs[0].isnan().all()
    assert outputs[1].isfinite().all()


def test_what_diverges_in_the_last_step_is_recorded_too() -> None:
    found = train(SMALL, replace(SHORT, steps=1, learning_rate=1e38), DIGITS, [(0,), (1,)])
    assert not np.isfinite(found.losses[:, -1]).any()
    assert found.diverged.tolist() == [1, 1]


@pytest.mark.parametrize(("optimiser", "rate"), TRAINING._FASTEST.items())
def test_the_highest_rate_diverges_and_is_no_error(optimiser: str, rate: float) -> None:
    recipe = replace(SHORT, learning_rate=rate, optimiser=optimiser)
    assert not train(SMALL, recipe, DIGITS, [(0,), (1,)]).settled.any()


def test_frozen_statistics_are_those_of_batch_normalisation_at_initialisation() -> None:
    samples = torch.from_numpy(DIGITS.features(DIGITS.training))[:32].expand(2, -1, -1)
    frozen, batch = (
        Networks.drawn(replace(SMALL, normalisation=each), samples, 10, generators(2))
        for each in ("frozen", "batch")
    )
    assert torch.allclose(frozen.outputs(samples), batch.outputs(samples), atol=1e-5)
    part = samples[:, :8]
    assert torch.allclose(frozen.outputs(part), batch.outputs(part, samples), atol=1e-5)
    assert not torch.allclose(frozen.outputs(part), batch.outputs(part), atol=1e-2)


@pytest.mark.parametrize("initialisation", INITIALISATIONS)
def test_layers_begin_as_said(initialisation: str) -> None:
    design = Design(depth=1, width=64, initialisation=initialisation)
    samples = torch.from_numpy(DIGITS.features(DIGITS.training))[:128].expand(3, -1, -1)
    weight = Networks.drawn(design, samples, 10, generators(3)).weights[0].double()
    square = {"he": 2 / 64, "xavier": 1 / 64, "orthogonal": 2 / 64, "uncentred": 4 / 64 / 3}
    if initialisation in square:
        assert float(weight.square().mean()) == pytest.approx(square[initialisation], rel=0.05)
    if initialisation == "uncentred":
        assert 0 <= float(weight.min()) < float(weight.max()) <= 2 / 8
    if initialisation == "iterative":
        before, after = (
            torch.linalg.svdvals(x.double()) for x in (samples, samples @ weight.float())
        )
        reached = before[0] > 1e-4
        assert torch.allclose(
            after[0][reached] ** 2 / before[0][reached], after[:1, 0] ** 2 / before[:1, 0]
        )


def test_ascent_raises_the_rank() -> None:
    deep = Design(depth=8, width=24, initialisation="xavier")
    still = replace(SHORT, steps=0, checkpoints=1)
    before, after = (
        train(replace(deep, ascent=steps), still, DIGITS, [(0,), (1,)]) for steps in (0, 30)
    )
    assert (after.ranks[:, 0] > 1.5 * before.ranks[:, 0]).all()


def test_whole_statistics_leave_out_the_jitter() -> None:
    """With batches that are the whole, the two are the same."""
    recipe = replace(SHORT, batch_size=64)
    design = replace(SMALL, normalisation="batch")
    usual = train(design, recipe, DIGITS, [(0,)])
    same(usual, train(design, replace(recipe, statistics="whole"), DIGITS, [(0,)]), 1e-3)
    jittered = train(design, SHORT, DIGITS, [(0,)])
    whole = train(design, replace(SHORT, statistics="whole"), DIGITS, [(0,)])
    assert abs(jittered.losses[0, -1] - whole.losses[0, -1]) > 1e-3


def test_what_cannot_be_trained_is_one_line() -> None:
    with pytest.raises(ValueError, match="samples=5000: digits has 1438 to learn from; give more"):
        train(SMALL, replace(SHORT, samples=5000), DIGITS, [(0,)])
    for device, words in (
        ("cuda:9", "is not on this machine"),
        ("cpu:7", "is not on"),
        ("", "is no"),
    ):
        with pytest.raises(ValueError, match=f"device='{device}' {words}"):
            train(SMALL, SHORT, DIGITS, [(0,)], device=device)
    with pytest.raises(ValueError, match="seeds are none"):
        train(SMALL, SHORT, DIGITS, [])
    with pytest.raises(ValueError, match="seeds: an entry=-1 is below 0"):
        train(SMALL, SHORT, DIGITS, [(0,), (-1,)])
    with pytest.raises(TypeError, match=r"seeds hold 1; give for each a sequence"):
        train(SMALL, SHORT, DIGITS, [1, 2])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"depth 3 and width 10000000: needs .* GiB of memory"):
        train(replace(SMALL, width=10**7), SHORT, DIGITS, [(0,)])
    with pytest.raises(ValueError, match="unknown normalisation 'bach'; did you mean 'batch'"):
        Design(3, 8, normalisation="bach")
    with pytest.raises(ValueError, match=r"learning_rate=-1\.0: give a positive, finite number"):
        Recipe(10, learning_rate=-1.0)
    with pytest.raises(ValueError, match=r"learning_rate=4e\+38: beyond .* of sgd; .* most 3e\+38"):
        Recipe(10, learning_rate=4e38)
    with pytest.raises(
        ValueError, match=r"learning_rate=1e\+38: beyond .* of adam; .* most 3e\+37"
    ):
        Recipe(10, learning_rate=1e38, optimiser="adam")
    with pytest.raises(ValueError, match="samples=8 is below 64"):
        Recipe(10, samples=8)


class StoppedError(Exception):
    """In the place of a kill."""


KEPT = [
    (SMALL, "sgd", "true"),
    (replace(SMALL, normalisation="batch"), "adam", "shuffled"),
    (replace(SMALL, normalisation="frozen", initialisation="iterative"), "adam", "true"),
    (replace(SMALL, ascent=3), "sgd", "true"),
]


@pytest.mark.parametrize(("design", "optimiser", "labels"), KEPT)
@pytest.mark.parametrize("part", [1, 3])
def test_a_run_goes_on_from_where_it_was_left_to_the_same_bits(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    design: Design,
    optimiser: str,
    labels: str,
    part: int,
) -> None:
    """Stopped after each of its checkpoints, the same run started again and again."""
    recipe = replace(SHORT, optimiser=optimiser, labels=labels, steps=11, checkpoints=3)
    seeds, file = [(2, 0), (2, 1)], tmp_path / "kept" / "run.pt"
    whole = train(design, recipe, DIGITS, seeds)
    adds = TRAINING.multiply_adds(design, recipe, DIGITS)
    monkeypatch.setattr(TRAINING, "_PART", part * len(seeds) * adds / recipe.steps * 0.999)
    keep, made = TRAINING._Run._keep, []

    def keep_and_stop(run: Any, path: Path) -> None:
        keep(run, path)
        made.append(run.step)
        raise StoppedError

    monkeypatch.setattr(TRAINING._Run, "_keep", keep_and_stop)
    while True:
        try:
            found = train(design, recipe, DIGITS, seeds, unfinished=file)
            break
        except StoppedError:
            assert file.is_file()
    assert made == list(range(part, 12, part))
    same(whole, found)


class Code:
    """What runs a command where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("exit 1",)


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A function that trains, and leaves the checkpoint of the last step of the first half."""
    monkeypatch.setattr(TRAINING, "_PART", 4 * TRAINING.multiply_adds(SMALL, SHORT, DIGITS) / 8)

    def leave(design: Design = SMALL, recipe: Recipe = SHORT, seed: int = 5) -> Path:
        file = tmp_path / "run.pt"
        train(design, replace(recipe, steps=8), DIGITS, [(seed,)], unfinished=file)
        return file

    return leave


def passed_over(file: Path, caplog: pytest.LogCaptureFixture) -> str:
    """The line about a file that is passed over: the run is as if it were not there, and replaces
    it.
    """
    caplog.clear()
    whole = train(SMALL, SHORT, DIGITS, [(5,)])
    same(train(SMALL, SHORT, DIGITS, [(5,)], unfinished=file), whole)
    (record,) = caplog.records
    line = record.getMessage()
    assert line.startswith(f"{file}: ")
    assert line.endswith("; passed over, and the run starts again")
    assert "\n" not in line
    caplog.clear()
    same(train(SMALL, SHORT, DIGITS, [(5,)], unfinished=file), whole)
    assert not caplog.records, "a good one is in its place"
    return line


@pytest.mark.parametrize("value", [{}, [1.0], "text", Code(), {"step": 7}])
def test_a_file_of_another_kind_is_passed_over(
    left: Callable[..., Path], caplog: pytest.LogCaptureFixture, value: object
) -> None:
    """Nothing in it is unpickled, unless its digest and its run are right, and then no code is."""
    file, buffer = left(), io.BytesIO()
    torch.save(value, buffer)
    file.write_bytes(buffer.getvalue())
    assert "no checkpoint of this release" in passed_over(file, caplog)
    header = file.read_bytes().split(b"\n", 3)[2]
    rest = header + b"\n" + buffer.getvalue()
    digest = hashlib.sha256(rest).hexdigest().encode()
    file.write_bytes(b"\n".join((b"batchnorm-theorems checkpoint 1", digest, rest)))
    assert re.search("damaged|not the state of such a run", passed_over(file, caplog))


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"batchnorm-theorems checkpoint 1\n"])
def test_text_is_passed_over(
    left: Callable[..., Path], caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    file = left()
    file.write_bytes(content)
    assert re.search("damaged|no checkpoint", passed_over(file, caplog))


@pytest.mark.parametrize("place", [40, 110, 200, 900, 5000, -1])
def test_a_flipped_bit_is_noticed(
    left: Callable[..., Path], caplog: pytest.LogCaptureFixture, place: int
) -> None:
    file = left()
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)
    assert "damaged, with another content than was written" in passed_over(file, caplog)
    file.write_bytes(file.read_bytes()[:place])
    assert "damaged" in passed_over(file, caplog)


def test_a_checkpoint_of_another_run_is_passed_over(
    left: Callable[..., Path], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words, arguments in (
        ("of another run: design=", {"design": replace(SMALL, normalisation="batch")}),
        ("of another run: design=", {"design": replace(SMALL, depth=4)}),
        ("of another run: recipe=", {"recipe": replace(SHORT, learning_rate=0.1)}),
        ("of another run: seed=[[6]], want [[5]]", {"seed": 6}),
    ):
        assert words in passed_over(left(**arguments), caplog)
    monkeypatch.setattr(torch, "__version__", "1.0")
    file = left()
    monkeypatch.undo()
    monkeypatch.setattr(TRAINING, "_PART", 4 * TRAINING.multiply_adds(SMALL, SHORT, DIGITS) / 8)
    assert "of another run: torch='1.0', want" in passed_over(file, caplog)


def test_a_checkpoint_that_cannot_be_written_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "run.pt").write_bytes(b"")
    nowhere = tmp_path / "run.pt" / "below.pt"
    same(
        train(SMALL, SHORT, DIGITS, [(5,)], unfinished=nowhere), train(SMALL, SHORT, DIGITS, [(5,)])
    )


@pytest.mark.parametrize(("device", "version"), [("cuda", None), ("cpu", "1.0")])
def test_rows_of_another_device_or_torch_are_left_and_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, version: str | None
) -> None:
    key = row_key(SMALL, SHORT, DIGITS, (5,))
    assert key == row_key(SMALL, SHORT, DIGITS, (5,), "cpu")
    with Store(tmp_path / "runs.db") as store:
        mine = train_into(store, SMALL, SHORT, DIGITS, [(5,)])
        with monkeypatch.context() as patch:
            patch.setattr(torch, "__version__", version or torch.__version__)
            other = NetworkRun(SMALL, SHORT, DIGITS, (5,), device)
            assert other.key != key
            assert trained_otherwise(store, {other.key: other}) == {("cpu", TORCH): 1}
        run = NetworkRun(SMALL, SHORT, DIGITS, (5,))
        assert not trained_otherwise(store, {key: run}), "it is there"
        store.put([Row(other.key, canonical(other.parameters()), b"other", 1.0)])
        same(train_into(store, SMALL, SHORT, DIGITS, [(5,)]), mine)
        assert store.finished() == {key, other.key}


def test_a_store_leaves_nothing_unfinished_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TRAINING, "_PART", 1.0)
    with Store(tmp_path / "runs.db") as store:
        found = train_into(store, SMALL, SHORT, DIGITS, [(5,)])
    same(found, train(SMALL, SHORT, DIGITS, [(5,)]))
    assert [each.name for each in tmp_path.iterdir()] == ["runs.db"]


def test_what_a_kill_left_of_a_draft_is_removed_once_its_run_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TRAINING, "_PART", 1.0)
    folder = tmp_path / "runs.db.unfinished"
    folder.mkdir()
    (folder / ".0123.draft").write_bytes(b"half of a checkpoint")
    with Store(tmp_path / "runs.db") as store:
        train_into(store, SMALL, SHORT, DIGITS, [(5,)])
    assert not folder.exists()


def test_on_the_way_loss_and_time_left_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TRAINING, "_BETWEEN_WORDS", -1.0)
    told: list[str] = []
    train(SMALL, SHORT, DIGITS, [(5,)], progress=told.append)
    assert re.fullmatch(r"step 3 of 8: loss [\d.]+, about \d+ s left", told[2])
    assert re.fullmatch(r"step 8 of 8: loss [\d.]+", told[-1])


def test_a_pace_is_that_of_some_steps() -> None:
    """Of any network, whatever comes before its steps, and of one that makes none."""
    for design in (SMALL, replace(SMALL, initialisation="iterative", ascent=5)):
        for recipe in (SHORT, replace(SHORT, steps=0), replace(SHORT, statistics="whole")):
            assert NetworkRun(design, recipe, DIGITS, (0,)).pace() > 0


def test_memory_that_ends_on_the_way_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate\n2 GiB")

    monkeypatch.setattr(TRAINING, "_Run", ended)
    with pytest.raises(TrainingError, match=r"^1 networks of .*: the memory of cpu does not hold"):
        train(SMALL, SHORT, DIGITS, [(5,)])


#: Trains sixty networks into a store, in this process or in a worker; with a checkpoint every two
#: steps.
SCRIPT = textwrap.dedent("""
    import sys
    from simulators.sweeps import Store, local_processes, sweep
    from simulators.training import Design, Recipe, images_from, train_into
    from simulators.training.rows import NetworkRun
    sys.modules["simulators.training.train"]._PART = 1e5
    recipe, design = Recipe(steps=8, samples=64, batch_size=16, probe=8, checkpoints=2), Design(3, 12)
    if __name__ == "__main__":
        with Store(sys.argv[1]) as store:
            print("open", flush=True)
            seeds = [(7, number) for number in range(60)]
            if sys.argv[2] == "here":
                train_into(store, design, recipe, images_from(), seeds, together=1)
            else:
                digits = images_from()
                runs = [NetworkRun(design, recipe, digits, seed, store=store.path) for seed in seeds]
                sweep(runs, store, workers=local_processes(1), lease=0.5)
""")


@pytest.mark.parametrize(
    ("way", "kills", "latest"),
    [
        ("here", 1, 0.5),
        pytest.param("here", 20, 0.5, marks=pytest.mark.full),
        pytest.param("worker", 20, 8.0, marks=pytest.mark.full),
    ],
)
def test_after_kills_nothing_finished_is_lost_or_doubled(
    tmp_path: Path, way: str, kills: int, latest: float
) -> None:
    """Killed at random times once it is under way, so many times, and started again each time; into
    a new store where it ended by itself before.
    """
    script, chance = tmp_path / "script.py", random.Random(os.urandom(8))
    script.write_text(SCRIPT)
    seeds = [(7, number) for number in range(60)]
    expected, stores = train(SMALL, SHORT, DIGITS, seeds), 0
    while kills > 0:
        path, known, stores, finished = (
            tmp_path / f"{stores}.db",
            dict[str, bytes](),
            stores + 1,
            False,
        )
        while not finished:
            command = [sys.executable, str(script), str(path), way]
            with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as process:
                assert process.stdout is not None
                assert process.stdout.readline() == b"open\n"
                if kills > 0:
                    time.sleep(chance.uniform(0, latest))
                    process.kill()
                status = process.wait()
            assert status in (0, -signal.SIGKILL)
            finished = status == 0
            kills -= not finished
            with Store(path) as store:
                found = {row.key: row.data for row in store.rows()}
            assert known.items() <= found.items(), "what was finished stays, to the bit"
            known = found
        assert len(known) == 60, "nothing is missing, and nothing is there twice"
        with Store(path) as store:
            same(train_into(store, SMALL, SHORT, DIGITS, seeds), expected)
            assert len(store.finished()) == 60
