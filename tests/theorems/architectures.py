"""Small networks of the kinds that are in use, for the tests of what inspection judges in each."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear as apply_linear
from torch.utils.checkpoint import checkpoint

WIDTH = 8


def linear() -> nn.Linear:
    return nn.Linear(WIDTH, WIDTH)


def convolution(inputs: int, outputs: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False, groups=groups)


def head(inputs: int = WIDTH) -> nn.Linear:
    return nn.Linear(inputs, 3)


# --- convolutional ------------------------------------------------------------------------------


class BasicBlock(nn.Module):
    """Two convolutions around a skip connection, strided between stages."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = convolution(inputs, outputs, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.norm2 = convolution(outputs, outputs), nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride > 1:
            shorter = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.shortcut = nn.Sequential(shorter, nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class ResNet(nn.Module):
    """A stem, and stages of blocks, each of half the resolution."""

    def __init__(self, blocks: int = 2, stages: int = 2, channels: int = 4) -> None:
        super().__init__()
        self.stem, self.norm = convolution(1, channels), nn.BatchNorm2d(channels)
        made: list[nn.Module] = []
        for stage in range(stages):
            strides = [1 if stage == 0 else 2, *[1] * (blocks - 1)]
            for stride in strides:
                made.append(BasicBlock(channels, channels * stride, stride))
                channels *= stride
        self.blocks, self.head = nn.Sequential(*made), head(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(torch.relu(self.norm(self.stem(x))))
        out: Tensor = self.head(x.mean(dim=(2, 3)))
        return out


class PreActivation(nn.Module):
    """x + conv(relu(norm(x))), the sum untouched."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = convolution(1, 4)
        self.norms = nn.ModuleList([nn.BatchNorm2d(4) for _ in range(3)])
        self.convs = nn.ModuleList([convolution(4, 4) for _ in range(3)])
        self.head = head(4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for norm, conv in zip(self.norms, self.convs, strict=True):
            x = x + conv(torch.relu(norm(x)))
        out: Tensor = self.head(torch.relu(x).mean(dim=(2, 3)))
        return out


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down, self.deep = convolution(1, 4), convolution(4, 8, stride=2)
        self.up, self.merge = nn.ConvTranspose2d(8, 4, 2, stride=2), convolution(8, 4)
        self.out = nn.Conv2d(4, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        shallow = torch.relu(self.down(x))
        raised = torch.relu(self.up(torch.relu(self.deep(shallow))))
        out: Tensor = self.out(torch.relu(self.merge(torch.cat([shallow, raised], dim=1))))
        return out


class DenseNet(nn.Module):
    """A dense block and its transition."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = convolution(1, 4)
        self.layers = nn.ModuleList([convolution(4 * (k + 1), 4) for k in range(3)])
        self.norms = nn.ModuleList([nn.BatchNorm2d(4 * (k + 1)) for k in range(3)])
        self.transition, self.head = nn.Conv2d(16, 8, 1), head()

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for norm, layer in zip(self.norms, self.layers, strict=True):
            x = torch.cat([x, layer(torch.relu(norm(x)))], dim=1)
        x = torch.relu(nn.functional.avg_pool2d(self.transition(x), 2))
        out: Tensor = self.head(x.flatten(1)[:, :WIDTH])
        return out


class Separable(nn.Module):
    """Depthwise and pointwise convolutions, with squeeze and excitation."""

    def __init__(self) -> None:
        super().__init__()
        self.expand, self.depthwise = nn.Conv2d(1, 8, 1), convolution(8, 8, groups=8)
        self.squeeze, self.excite = nn.Linear(8, 2), nn.Linear(2, 8)
        self.project, self.head = nn.Conv2d(8, 4, 1), head(4)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.silu(self.depthwise(nn.functional.silu(self.expand(x))))
        scale = torch.sigmoid(self.excite(torch.relu(self.squeeze(x.mean(dim=(2, 3))))))
        x = self.project(x * scale[:, :, None, None])
        out: Tensor = self.head(x.mean(dim=(2, 3)))
        return out


class Reversible(nn.Module):
    """Two halves of the channels, each changed by the other."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.ModuleList([nn.Linear(WIDTH // 2, WIDTH // 2) for _ in range(4)])

    def forward(self, x: Tensor) -> Tensor:
        a, b = x.chunk(2, dim=1)
        for first, second in zip(self.maps[::2], self.maps[1::2], strict=True):
            a = a + torch.relu(first(b))
            b = b + torch.relu(second(a))
        return torch.cat([a, b], dim=1)


class ScaledBranches(nn.Module):
    """No normalisation: branches that begin at a learnt multiple."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.ModuleList([linear() for _ in range(3)])
        self.gains = nn.ParameterList([torch.full((), 0.5) for _ in range(3)])
        self.head = head()

    def forward(self, x: Tensor) -> Tensor:
        for gain, layer in zip(self.gains, self.maps, strict=True):
            x = x + gain * torch.relu(layer(x))
        out: Tensor = self.head(x)
        return out


class Causal(nn.Module):
    """Dilated convolutions in time, padded at the left."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv1d(4, 4, 2, dilation=2**level) for level in range(3)])

    def forward(self, x: Tensor) -> Tensor:
        for level, conv in enumerate(self.convs):
            x = torch.relu(conv(nn.functional.pad(x, (2**level, 0)))) + x
        return x


# --- attention and tokens -------------------------------------------------------------------------


class SelfAttention(nn.Module):
    """Queries, keys and values by one map, through Torch's scaled product."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), linear()

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (2, -1)).transpose(1, 2).chunk(3, dim=-1)
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out


class PreNormBlock(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.RMSNorm(WIDTH)
        self.attention = SelfAttention()
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 16), nn.GELU(), nn.Linear(16, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class Transformer(nn.Module):
    """Norms first, positions added, the last norm before the head."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.places = nn.Embedding(11, WIDTH), nn.Parameter(torch.randn(5, WIDTH))
        self.blocks = nn.Sequential(*[PreNormBlock() for _ in range(2)])
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 11, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.norm(self.blocks(self.table(x) + self.places)))
        return out


class VisionTransformer(nn.Module):
    """Patches by a strided convolution, and a token of the class."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, WIDTH, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, WIDTH))
        self.block, self.head = PreNormBlock(), head()

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = self.block(torch.cat([self.token.expand(len(x), -1, -1), x], dim=1))
        out: Tensor = self.head(x[:, 0])
        return out


class Mixer(nn.Module):
    """Maps across places and maps across features in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.across, self.within = nn.Linear(5, 5), linear()
        self.norm, self.head = nn.LayerNorm(WIDTH), head()

    def forward(self, x: Tensor) -> Tensor:
        y = self.across(self.norm(x).transpose(1, 2))
        x = x + nn.functional.gelu(y).transpose(1, 2)
        x = x + nn.functional.gelu(self.within(x))
        out: Tensor = self.head(x.mean(dim=1))
        return out


class Masked(nn.Module):
    """Numbers of tokens, and a mask with −∞ at what is not to be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.attention, self.head = nn.Embedding(11, WIDTH), SelfAttention(), head()

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        x = self.attention(self.table(tokens), mask)
        out: Tensor = self.head(torch.relu(x).mean(dim=1))
        return out


class Unrolled(nn.Module):
    """A recurrent network of linear maps, its state carried by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer, self.head = linear(), linear(), head()

    def forward(self, x: Tensor) -> Tensor:
        state = torch.zeros(len(x), WIDTH)
        for step in x.unbind(dim=1):
            state = torch.tanh(self.inner(state) + self.outer(step))
        out: Tensor = self.head(state)
        return out


class Bag(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.bag, self.inner, self.head = nn.EmbeddingBag(11, WIDTH), linear(), head()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(torch.relu(self.inner(self.bag(x))))
        return out


# --- gates, mixtures and sets ---------------------------------------------------------------------


class Highway(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.maps, self.gates = (nn.ModuleList([linear() for _ in range(2)]) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        for layer, gate in zip(self.maps, self.gates, strict=True):
            share = torch.sigmoid(gate(x))
            x = share * torch.tanh(layer(x)) + (1 - share) * x
        return x


class Gated(nn.Module):
    """SwiGLU."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.gate, self.down, self.head = linear(), linear(), linear(), head()

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.down(nn.functional.silu(self.gate(x)) * self.up(x))
        out: Tensor = self.head(x)
        return out


class SoftMixture(nn.Module):
    """Two branches, mixed by shares that a third gives."""

    def __init__(self) -> None:
        super().__init__()
        self.shares, self.one, self.other = nn.Linear(WIDTH, 2), linear(), linear()
        self.head = head()

    def forward(self, x: Tensor) -> Tensor:
        shares = torch.softmax(self.shares(x), dim=1)
        mixed = shares[:, :1] * torch.relu(self.one(x)) + shares[:, 1:] * torch.relu(self.other(x))
        out: Tensor = self.head(mixed)
        return out


class HardMixture(nn.Module):
    """Each sample goes through the one expert that it is sent to."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.router = linear(), nn.Linear(WIDTH, 2)
        self.experts, self.head = nn.ModuleList([linear() for _ in range(2)]), head()

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.inner(x))
        chosen = self.router(x).argmax(dim=1)
        out = torch.zeros_like(x)
        for place, expert in enumerate(self.experts):
            sent = chosen == place
            out[sent] = torch.relu(expert(x[sent]))
        result: Tensor = self.head(out)
        return result


class Maxout(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner, self.head = nn.Linear(WIDTH, 3 * WIDTH), head()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.inner(x).unflatten(1, (3, WIDTH)).amax(dim=1))
        return out


class Sets(nn.Module):
    """A function of sets: each member alike, then their sum."""

    def __init__(self) -> None:
        super().__init__()
        self.member, self.whole, self.head = linear(), linear(), head()

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.member(x)).sum(dim=1)
        out: Tensor = self.head(torch.relu(self.whole(x)))
        return out


class Graph(nn.Module):
    """Features spread along fixed edges between the places of a sample."""

    def __init__(self) -> None:
        super().__init__()
        edges = torch.eye(5).roll(1, dims=0)
        self.register_buffer("edges", (torch.eye(5) + edges + edges.T) / 3)
        self.first, self.second, self.head = linear(), linear(), head()

    def forward(self, x: Tensor) -> Tensor:
        for layer in (self.first, self.second):
            x = torch.relu(torch.einsum("pq,nqd->npd", self.edges, layer(x)))
        out: Tensor = self.head(x.mean(dim=1))
        return out


class Multiplied(nn.Module):
    """Weights of the network's own, through ``einsum``."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(2, WIDTH, WIDTH))
        self.first, self.head = linear(), head()

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        for weight in self.weights:
            x = torch.relu(torch.einsum("nd,ed->ne", x, weight))
        out: Tensor = self.head(x)
        return out


# --- shared, borrowed and made weights ------------------------------------------------------------


class Autoencoder(nn.Module):
    """The decoder's weights are the encoder's, transposed."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.narrow = linear(), nn.Linear(WIDTH, 4)

    def forward(self, x: Tensor) -> Tensor:
        code = torch.relu(self.narrow(torch.relu(self.encoder(x))))
        back = torch.relu(apply_linear(code, self.narrow.weight.T))
        return apply_linear(back, self.encoder.weight.T)


class Variational(nn.Module):
    """Two maps make a mean and a spread, between which chance is drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.mean, self.spread = linear(), nn.Linear(WIDTH, 4), nn.Linear(WIDTH, 4)
        self.decoder, self.out = nn.Linear(4, WIDTH), linear()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = torch.relu(self.encoder(x))
        mean, spread = self.mean(x), self.spread(x)
        code = mean + torch.randn_like(mean) * torch.exp(spread / 2)
        return self.out(torch.relu(self.decoder(code))), mean, spread


class Siamese(nn.Module):
    """One encoder for two inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.head = nn.Sequential(linear(), nn.ReLU(), linear()), head(WIDTH)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        out: Tensor = self.head((self.encoder(left) - self.encoder(right)).abs())
        return out


class TwoTowers(nn.Module):
    """An image and a vector, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.sees, self.reads, self.both = convolution(1, 4, stride=4), linear(), nn.Linear(24, 8)
        self.head = head()

    def forward(self, *, image: Tensor, vector: Tensor) -> Tensor:
        seen = torch.relu(self.sees(image)).flatten(1)
        x = torch.cat([seen, torch.relu(self.reads(vector))], dim=1)
        out: Tensor = self.head(torch.relu(self.both(x)))
        return out


class Hyper(nn.Module):
    """One map's weights are what another network gives."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.code = linear(), nn.Parameter(torch.randn(4))
        self.maker, self.head = nn.Linear(4, WIDTH * WIDTH), head()

    def forward(self, x: Tensor) -> Tensor:
        weight = self.maker(self.code).unflatten(0, (WIDTH, WIDTH))
        out: Tensor = self.head(torch.relu(apply_linear(torch.relu(self.first(x)), weight)))
        return out


class Rerun(nn.Module):
    """Parts whose values are forgotten and computed again for gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = linear(), linear(), head()

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        x = checkpoint(lambda y: torch.relu(self.second(y)), x, use_reentrant=False)
        out: Tensor = self.head(x)
        return out


# --- outputs --------------------------------------------------------------------------------------


@dataclass
class Answer:
    logits: Tensor
    features: Tensor


class InDataclass(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner, self.head = linear(), head()

    def forward(self, x: Tensor) -> Answer:
        x = torch.relu(self.inner(x))
        return Answer(self.head(x), x)


class InDict(nn.Module):
    """Heads at two depths, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = linear(), linear()
        self.early, self.late = head(), head()

    def forward(self, x: Tensor) -> dict[str, Tensor | list[Tensor]]:
        x = torch.relu(self.first(x))
        early = self.early(x)
        return {"late": self.late(torch.relu(self.second(x))), "early": [early]}


# --- numbers --------------------------------------------------------------------------------------


class Complex(nn.Module):
    """A Fourier transform, and a complex map, in the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.first = linear()
        self.middle = nn.Linear(WIDTH // 2 + 1, WIDTH // 2 + 1, dtype=torch.complex64)
        self.last, self.head = linear(), head()

    def forward(self, x: Tensor) -> Tensor:
        x = torch.fft.irfft(self.middle(torch.fft.rfft(torch.relu(self.first(x)))), n=WIDTH)
        out: Tensor = self.head(torch.relu(self.last(x)))
        return out


def lazily(shape: tuple[int, ...]) -> nn.Module:
    """Maps that take their shapes from the first batch, which they have seen."""
    made = nn.Sequential(nn.LazyLinear(WIDTH), nn.ReLU(), nn.LazyLinear(WIDTH), nn.ReLU(), head())
    made(torch.zeros(shape))
    return made


def normalised(norm: type[nn.Module]) -> nn.Module:
    """Three convolutions with this norm of 4 channels after each."""
    parts = [(convolution(4 if k else 1, 4), norm) for k in range(3)]
    made: list[nn.Module] = []
    for conv, kind in parts:
        made += [conv, nn.GroupNorm(2, 4) if kind is nn.GroupNorm else kind(4), nn.ReLU()]
    return nn.Sequential(*made, nn.Flatten(), nn.Linear(256, 3))


def stacked(*parts: nn.Module) -> nn.Module:
    """Three maps, each followed by these, and a head."""
    return nn.Sequential(*[nn.Sequential(linear(), *parts) for _ in range(3)], head())
