"""In networks of the kinds in use every parameter is judged, or named with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import architectures as zoo
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from theorems import inspect
from theorems.cli import main
from theorems.inspection.inputs import InspectionError
from theorems.inspection.loading import load_inputs

_seeded = torch.Generator().manual_seed(0)
FLAT = torch.randn(12, 8, generator=_seeded)
TOKENS = torch.randn(12, 5, 8, generator=_seeded)
IMAGES = torch.randn(6, 1, 8, 8, generator=_seeded)
SERIES = torch.randn(12, 4, 10, generator=_seeded)
NUMBERS = torch.randint(0, 11, (12, 5), generator=_seeded)
CAUSAL = torch.triu(torch.full((5, 5), -torch.inf), diagonal=1)

HEAD = {"head": "maps to the outputs"}
STACK = ({"0.0", "1.0", "2.0"}, {"3": "maps to the outputs"})


def stacked(*parts: nn.Module) -> Callable[[], nn.Module]:
    return lambda: zoo.stacked(*parts)


#: name: how it is built, its batch, what is judged, and of what is not a part of the reason
ZOO: dict[str, tuple[Callable[[], Any], Any, set[str], dict[str, str]]] = {
    "residual stages": (
        zoo.ResNet,
        IMAGES,
        {
            "stem",
            *[f"blocks.{block}.conv{k}" for block in range(3) for k in (1, 2)],
            "blocks.2.shortcut.0",
            "blocks.3.conv1",
        },
        {"blocks.3.conv2": "is pooled", "blocks.3.norm2": "is pooled", **HEAD},
    ),
    "activation first": (
        zoo.PreActivation,
        IMAGES,
        {"stem", "convs.0", "convs.1"},
        {"convs.2": "is pooled", **HEAD},
    ),
    "U-Net": (
        zoo.UNet,
        IMAGES,
        {"down", "deep", "up", "merge"},
        {"out": "maps to the outputs"},
    ),
    "dense block and transition": (
        zoo.DenseNet,
        IMAGES,
        {"stem", "layers.0", "layers.1", "layers.2"},
        {"transition": "is pooled", **HEAD},
    ),
    "separable, with squeeze and excitation": (
        zoo.Separable,
        IMAGES,
        {"expand", "depthwise", "squeeze", "excite"},
        {"project": "is pooled", **HEAD},
    ),
    "group norm": (
        lambda: zoo.normalised(nn.GroupNorm),
        IMAGES,
        {"0", "3", "6"},
        {"10": "maps to the outputs"},
    ),
    "instance norm": (
        lambda: zoo.normalised(nn.InstanceNorm2d),
        IMAGES,
        {"0", "3", "6"},
        {"10": "maps to the outputs"},
    ),
    "batch norm of images": (
        lambda: zoo.normalised(nn.BatchNorm2d),
        IMAGES,
        {"0", "3", "6"},
        {"10": "maps to the outputs"},
    ),
    "dilated in time": (zoo.Causal, SERIES, {"convs.0", "convs.1", "convs.2"}, {}),
    "reversible": (zoo.Reversible, FLAT, {f"maps.{k}" for k in range(4)}, {}),
    "normalisation-free": (
        zoo.ScaledBranches,
        FLAT,
        {"maps.0", "maps.1", "maps.2"},
        {"gains": "in the code of another", **HEAD},
    ),
    "transformer, norm first": (
        zoo.Transformer,
        NUMBERS,
        {
            f"blocks.{k}.{part}"
            for k in range(2)
            for part in ("attention.qkv", "attention.out", "mlp.0", "mlp.2")
        },
        {
            "Transformer": "its own code",
            "table": "looks rows up",
            "blocks.0.norm1": "acts on nothing",
            **HEAD,
        },
    ),
    "transformer, norm last": (
        lambda: nn.Sequential(
            *[nn.TransformerEncoderLayer(8, 2, 16, batch_first=True) for _ in range(2)]
        ),
        TOKENS,
        {"0.linear1", "0.linear2", "1.linear1", "1.linear2"},
        {"0.norm1": "acts on nothing"},
    ),
    "vision transformer": (
        zoo.VisionTransformer,
        IMAGES,
        {"patches", "block.attention.qkv", "block.attention.out", "block.mlp.0"},
        {"VisionTransformer": "its own code", "block.mlp.2": "is pooled", **HEAD},
    ),
    "mixer": (
        zoo.Mixer,
        TOKENS,
        {"across"},
        {"within": "is pooled", "norm": "acts on nothing", **HEAD},
    ),
    "unrolled in time": (zoo.Unrolled, TOKENS, {"inner", "outer"}, HEAD),
    "bag of tokens": (zoo.Bag, NUMBERS, {"inner"}, {"bag": "looks rows up", **HEAD}),
    "highway": (zoo.Highway, FLAT, {"maps.0", "maps.1", "gates.0", "gates.1"}, {}),
    "gated": (zoo.Gated, FLAT, {"up", "gate", "down"}, HEAD),
    "soft mixture": (zoo.SoftMixture, FLAT, {"shares", "one", "other"}, HEAD),
    "hard mixture": (
        zoo.HardMixture,
        FLAT,
        {"inner"},
        {
            "router": "chooses by what it gives",
            "experts.0": "first axis does not hold",
            "experts.1": "first axis does not hold",
            **HEAD,
        },
    ),
    "maxout": (zoo.Maxout, FLAT, {"inner"}, HEAD),
    "sets": (zoo.Sets, TOKENS, {"member", "whole"}, HEAD),
    "graph": (zoo.Graph, TOKENS, {"first"}, {"second": "is pooled", **HEAD}),
    "weights multiplied by einsum": (
        zoo.Multiplied,
        FLAT,
        {"first", "weights[0]", "weights[1]"},
        HEAD,
    ),
    "tied autoencoder": (zoo.Autoencoder, FLAT, {"encoder", "narrow", "narrow.weight"}, {}),
    "variational": (
        zoo.Variational,
        FLAT,
        {"encoder", "mean", "spread", "decoder"},
        {"out": "maps to the outputs"},
    ),
    "weights made by a network": (
        zoo.Hyper,
        FLAT,
        {"first", "maker.weight"},
        HEAD,
    ),
    "computed again for gradients": (zoo.Rerun, FLAT, {"first", "second"}, HEAD),
    "dataclass": (zoo.InDataclass, FLAT, {"inner"}, HEAD),
    "dict of heads": (
        zoo.InDict,
        FLAT,
        {"first", "second"},
        {"early": "maps to the outputs", "late": "maps to the outputs"},
    ),
    "complex numbers": (
        zoo.Complex,
        FLAT,
        {"first", "last"},
        {"middle": "complex64, not real", **HEAD},
    ),
    "shapes from a first batch": (
        lambda: zoo.lazily((2, 8)),
        FLAT,
        {"0", "2"},
        {"4": "maps to the outputs"},
    ),
    "slope learnt": (stacked(nn.PReLU()), FLAT, *STACK),
    "dropout": (stacked(nn.ReLU(), nn.Dropout(0.5)), FLAT, *STACK),
    "self-normalising": (stacked(nn.SELU(), nn.AlphaDropout(0.1)), FLAT, *STACK),
    "batch norm of nothing but the batch": (
        stacked(nn.BatchNorm1d(8, affine=False, track_running_stats=False), nn.Tanh()),
        FLAT,
        *STACK,
    ),
    "batch norm of other settings": (
        lambda: nn.Sequential(
            zoo.linear(), nn.BatchNorm1d(8, momentum=None, eps=1e-3), nn.Tanh(), zoo.head()
        ),
        FLAT,
        {"0"},
        {"3": "maps to the outputs"},
    ),
    "double": (lambda: zoo.stacked(nn.ReLU()).double(), FLAT, *STACK),
    "half": (lambda: zoo.stacked(nn.ReLU()).half(), FLAT, *STACK),
    "bfloat16": (lambda: zoo.stacked(nn.ReLU()).bfloat16(), FLAT, *STACK),
    "frozen": (lambda: zoo.stacked(nn.ReLU()).requires_grad_(False), FLAT, *STACK),
    "orthogonal by parametrisation": (
        lambda: nn.Sequential(
            parametrizations.orthogonal(zoo.linear()), nn.ReLU(), zoo.linear(), nn.ReLU()
        ),
        FLAT,
        {"0", "2"},
        {},
    ),
    "scripted in part": (
        lambda: nn.Sequential(
            zoo.linear(), torch.jit.script(nn.Sequential(zoo.linear(), nn.ReLU())), zoo.linear()
        ),
        FLAT,
        {"0"},
        {"1.0": "compiled by torch.jit", "2": "maps to the outputs"},
    ),
    "siamese": (zoo.Siamese, (FLAT, FLAT.flip(0)), {"encoder.0", "encoder.2"}, HEAD),
    "two towers by name": (
        zoo.TwoTowers,
        {"image": torch.randn(12, 1, 8, 8, generator=_seeded), "vector": FLAT},
        {"sees", "reads", "both"},
        HEAD,
    ),
    "tokens and a mask": (
        zoo.Masked,
        (NUMBERS.numpy().astype(">i2"), CAUSAL.numpy()),
        {"attention.qkv"},
        {"table": "looks rows up", "attention.out": "is pooled", **HEAD},
    ),
}


@pytest.mark.filterwarnings(
    "ignore:.*torch.jit.*:DeprecationWarning", "ignore:.*torch.jit.*:FutureWarning"
)
@pytest.mark.parametrize("name", ZOO)
def test_every_parameter_is_judged_or_named_with_the_reason(name: str) -> None:
    build, batch, judged, left_out = ZOO[name]
    torch.manual_seed(1)
    module = build()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    found = inspect(module, batch)
    hidden = found.layers[: found.hidden]
    assert {layer.name.partition(" ")[0] for layer in hidden} == judged
    named = {item.name: item.reason for item in found.not_judged}
    assert set(named) == set(left_out)
    assert all(part in named[key] for key, part in left_out.items()), named
    total = sum(parameter.numel() for parameter in module.parameters())
    assert found.parameters.total == found.parameters.judged + found.parameters.not_judged == total
    after = module.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())


# --- what goes in -------------------------------------------------------------------------------


def test_several_inputs_go_in_by_place_by_name_and_in_one_piece() -> None:
    torch.manual_seed(1)
    towers = zoo.TwoTowers()
    image, vector = IMAGES.repeat(2, 1, 1, 1), FLAT

    class InOnePiece(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.towers = towers

        def forward(self, given: dict[str, torch.Tensor]) -> torch.Tensor:
            out: torch.Tensor = self.towers(**given)
            return out

    by_name = inspect(towers, {"image": image, "vector": vector})
    whole = inspect(InOnePiece(), {"image": image.numpy(), "vector": vector.numpy()})
    ranks = [[layer.measures.effective_rank for layer in each.layers] for each in (by_name, whole)]
    assert ranks[0] == ranks[1]
    assert by_name.samples == 12


def test_whole_numbers_stay_whole_where_the_network_takes_them() -> None:
    torch.manual_seed(1)
    module = zoo.Bag()
    known = inspect(module, NUMBERS).as_json()
    for kind in (np.uint8, ">i4", np.int64):
        assert inspect(module, NUMBERS.numpy().astype(kind)).as_json() == known
    flat = zoo.stacked(nn.ReLU())
    whole = np.arange(96).reshape(12, 8)
    assert inspect(flat, whole).as_json() == inspect(flat, whole.astype(float)).as_json()


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        ((FLAT, FLAT[:3].T * torch.inf), r"batch\[1\] has entries that are not finite"),
        ((FLAT * torch.inf, FLAT), r"batch\[0\] has entries that are not finite"),
        ({"left": FLAT[:2], "right": FLAT}, r"batch\['left'\] has 2 sample\(s\)"),
        ({"left": FLAT[:, 0], "right": FLAT}, r"batch\['left'\] has shape \(12,\)"),
        ((FLAT, FLAT[:5]), "module fails after 'encoder"),
        ({}, "batch holds no arrays"),
        (np.full((12, 8), 2**63, dtype=np.uint64), "above those of 64 bits"),
    ],
)
def test_inputs_that_will_not_do_are_refused_by_name(batch: Any, words: str) -> None:
    with pytest.raises(InspectionError, match=words):
        inspect(zoo.Siamese(), batch)


def test_numbers_out_of_a_tables_range_are_said_to_be() -> None:
    with pytest.raises(InspectionError, match=r"of whole numbers, .* not in the valid range"):
        inspect(zoo.Bag(), NUMBERS.numpy() + 11)


MODEL = """
import sys
sys.path[:0] = [{folder!r}]
from architectures import Masked, Siamese, TwoTowers
"""


def test_an_archive_of_several_arrays_is_several_inputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = str(Path(zoo.__file__).parent)
    Path("model.py").write_text(MODEL.format(folder=folder), encoding="utf-8")
    numbers = NUMBERS.numpy()
    np.savez("masked.npz", numbers, CAUSAL.numpy().astype(">f8"))
    np.savez("towers.npz", image=IMAGES.numpy(), vector=FLAT.numpy()[:6])
    for build, file, said in (
        ("Masked", "masked.npz", "first 9 of 12 samples (rows) from masked.npz: arr_0 9 × 5"),
        ("TwoTowers", "towers.npz", "6 samples (rows) from towers.npz: image 6 × 1 × 8 × 8"),
    ):
        take = ["--take", "9"] if build == "Masked" else []
        arguments = ["inspect", f"model.py:{build}", "--batch", file, *take, "--json", "out.json"]
        assert main(arguments) in {0, 1}
        printed = " ".join(capsys.readouterr().out.split())
        assert said in printed
        found = json.loads(Path("out.json").read_text(encoding="utf-8"))
        assert found["samples"] == (9 if take else 6)
    assert (
        main(["inspect", "model.py:Siamese", "--batch", "towers.npz", "--layout", "columns"]) == 2
    )
    assert "whose samples are rows" in capsys.readouterr().err


class Padding(torch.nn.Module):
    """Takes truth values and one number beside the samples."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = torch.nn.Linear(8, 8)

    def forward(self, x: torch.Tensor, padding: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        assert (padding.dtype, scale.shape) == (torch.bool, ())
        return torch.relu(self.inner(x.masked_fill(padding, 0.0) * scale))


def test_an_archive_may_hold_truth_values_and_a_number_behind_the_samples(tmp_path: Path) -> None:
    flat, odd = FLAT.numpy(), str(tmp_path / "odd.npz")
    np.savez(odd, x=flat, padding=flat > 1, scale=np.array(2.0, dtype=">f4"))
    batch, words = load_inputs(odd, take=9)
    assert words.endswith("odd.npz: x 9 × 8, padding 9 × 8, scale one number")
    assert inspect(Padding(), batch).samples == 9
    for name, second, refusal in (
        ("pickled", np.array([{1: 2}], dtype=object), "an object array, refused because its data"),
        ("text", np.full(12, "a"), "entries of type <U1; save an array of real numbers"),
        ("complex", flat + 1j, "entries of type complex64; save an array of real numbers"),
    ):
        path = str(tmp_path / f"{name}.npz")
        np.savez(path, x=flat, second=second)
        with pytest.raises(ValueError, match=refusal):
            load_inputs(path)
    np.savez(odd, padding=flat > 1, x=flat)
    with pytest.raises(ValueError, match="padding: entries of type bool"):
        load_inputs(odd)
