"""The healthy set builds, the same for a seed, and what decides on training tells flat from not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from bench.networks.healthy import HEALTHY
from bench.trainable import main, read_kinds, trains


def test_every_kind_is_its_seed_and_leaves_the_stream_of_torch_alone() -> None:
    before = torch.random.get_rng_state()
    for name, build in HEALTHY.items():
        network, batch = build(1)
        again, same = build(1)
        weights = zip(network.parameters(), again.parameters(), strict=True)
        assert torch.equal(batch, same), name
        assert all(torch.equal(one, other) for one, other in weights), name
        assert 8 <= len(batch) <= 48, name
    assert torch.equal(before, torch.random.get_rng_state())


def test_sizes_differ_with_the_seed() -> None:
    for name, build in HEALTHY.items():
        assert len({build(seed)[1].shape for seed in range(6)}) > 1, name


@pytest.mark.parametrize("outputs", [1, 5, 40])
@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_a_sound_network_trains_and_stays_as_it_was(outputs: int, optimiser: str) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, outputs))
    before = [parameter.clone() for parameter in network.parameters()]
    assert trains(network, torch.randn(16, 16), 0, optimiser=optimiser)
    assert all(map(torch.equal, before, network.parameters()))


def test_flat_and_frozen_networks_do_not_train() -> None:
    flat = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
    for parameter in flat.parameters():
        nn.init.zeros_(parameter)
    assert not trains(flat, torch.randn(12, 8), 0)
    assert not trains(nn.Linear(8, 3).requires_grad_(False), torch.randn(12, 8), 0)
    with torch.no_grad():
        flat[0].weight.fill_(torch.nan)
    assert not trains(flat, torch.randn(12, 8), 0)


def test_bad_input_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="optimiser is 'lbfgs'"):
        trains(nn.Linear(2, 2), torch.randn(8, 2), 0, optimiser="lbfgs")
    with pytest.raises(ValueError, match="must have 8 rows"):
        trains(nn.Flatten(0), torch.randn(8, 2), 0)
    (tmp_path / "neither.py").write_text("KINDS = {}\n")
    with pytest.raises(ValueError, match="must define HEALTHY or SICK"):
        read_kinds(tmp_path / "neither.py")
    for bad in (["missing.py"], ["missing.py", "--seeds", "0"]):
        with pytest.raises(SystemExit) as ended:
            main(bad)
        assert ended.value.code == 2
    capsys.readouterr()


def test_a_set_of_sick_networks_is_read_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sick.py").write_text(
        "import torch\n"
        "def sound(seed): return torch.nn.Linear(9, 2), torch.randn(8, 9), ('vanishing',)\n"
        "def frozen(seed): return torch.nn.Flatten(), torch.randn(8, 9), ('collapsing',)\n"
        "SICK = {'sound': sound, 'frozen': frozen}\n"
    )
    assert main([str(tmp_path / "sick.py"), "--seeds", "1"]) == 0
    out = capsys.readouterr().out
    assert out == "  1 of 1  sound\n  0 of 1  frozen\n1 of 2 train (adam)\n"
