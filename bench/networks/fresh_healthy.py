"""Healthy networks of well-known designs, by one who did not know the detector's rules.

    python -m bench.trainable bench/networks/fresh_healthy.py --seeds 2
    python -m bench.inspection_alarms --healthy bench/networks/fresh_healthy.py --out alarms.json

``HEALTHY`` maps names to functions of a seed, each of which returns a network and a batch of 8 to
48 samples, as `theorems.inspect` takes them. The designs are those of textbooks, tutorials and
known repositories, at their usual initialisation and at sizes that train in seconds; the seed draws
width, depth, samples and whether images are noise or digits. Those of images are in
``bench.networks.fresh_healthy_images``.

That they are healthy rests on training alone: at seeds 0 to 3 every one memorises random labels as
`bench.trainable.trains` asks with Adam, and none had to be dropped. With SGD, tried at seed 0, all
do but the network in network and SqueezeNet, which have neither norms nor skips.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from typing import Any

import torch
from torch import Tensor, cat, nn
from torch.nn.utils.parametrizations import weight_norm

from bench.networks import fresh_healthy_pieces as p
from bench.networks.fresh_healthy_images import IMAGES
from bench.networks.fresh_healthy_pieces import Made, Make, Net, Seq


def _runge_kutta(m: Any, x: Tensor) -> Any:
    x, h = m.first(x), 0.2
    for _ in range(5):
        a = m.field(x)
        b = m.field(x + h / 2 * a)
        c = m.field(x + h / 2 * b)
        x = x + h / 6 * (a + 2 * b + 2 * c + m.field(x + h * c))
    return m.last(x)


def _bert(r: Random, w: int, d: int) -> Made:
    w, length = 2 * w, r.randint(8, 30)
    net = Net(
        lambda m, x: m.head(m.blocks(m.norm(m.embed(x) + m.position))[:, 0]),
        embed=nn.Embedding(60, w),
        position=p.position(length, w),
        norm=Seq(nn.LayerNorm(w), nn.Dropout(0.1)),
        blocks=p.encoder(w, d, first=False),
        head=Seq(nn.Linear(w, w), nn.Tanh(), nn.Dropout(0.1), nn.Linear(w, 2)),
    )
    return p.init(net, p.small), p.tokens(r, 60, length)


def _sentiment_transformer(r: Random, w: int, d: int) -> Made:
    """Torch's own initialisation, sines for positions, mean of the states."""
    return Net(
        lambda m, x: m.head(m.blocks(m.embed(x) * w**0.5 + m.sines).mean(1)),
        embed=nn.Embedding(60, w),
        sines=p.sines(20, w),
        blocks=p.encoder(w, d, "relu", first=False),
        head=nn.Linear(w, 4),
    ), p.tokens(r, 60, 20)


def _translator(r: Random, w: int, d: int) -> Made:
    """Encoder and decoder: the first half of the tokens is the source, the rest the target."""
    core = nn.Transformer(w, 4, d, d, 2 * w, 0.1, batch_first=True)
    net = Net(
        lambda m, x: m.out(
            m.core(m.embed(x[:, :10]) + m.sines, m.embed(x[:, 10:]) + m.sines, tgt_mask=m.mask)
        ),
        embed=nn.Embedding(40, w),
        sines=p.sines(10, w),
        mask=nn.Transformer.generate_square_subsequent_mask(10),
        core=core,
        out=nn.Linear(w, 40),
    )
    for weights in net.parameters():
        if weights.dim() > 1:
            nn.init.xavier_uniform_(weights)
    return net, p.tokens(r, 40, 20)


def _recurrent(r: Random, w: int, d: int, kind: str) -> Made:
    """Tokens, a recurrent layer or two, and the last state or the mean."""
    both = r.random() < 0.5
    rnn = getattr(nn, kind)(w, w, r.randint(1, 2), batch_first=True, bidirectional=both)
    mean = both or r.random() < 0.5
    return Net(
        lambda m, x: m.head((lambda h: h.mean(1) if mean else h[:, -1])(m.rnn(m.embed(x))[0])),
        embed=nn.Embedding(50, w),
        rnn=rnn,
        head=nn.Linear(2 * w if both else w, 5),
    ), p.tokens(r, 50, r.randint(6, 24))


def _wavenet(r: Random, w: int, d: int) -> Made:
    layers = range(d + 2)
    return Net(
        p.wave_run,
        first=nn.Conv1d(1, w, 1),
        gated=nn.ModuleList(nn.Conv1d(w, 2 * w, 2, dilation=2**i) for i in layers),
        out=nn.ModuleList(nn.Conv1d(w, w, 1) for _ in layers),
        last=Seq(nn.ReLU(), nn.Conv1d(w, w, 1), nn.ReLU(), nn.Conv1d(w, 16, 1)),
    ), p.signals(r, 1, 64)


def _tcn(r: Random, w: int, d: int) -> Made:
    def block(i: int) -> Net:
        a, gap = (2, 1) if i == 0 else (w, 2**i)
        pad = nn.ConstantPad1d((2 * gap, 0), 0.0)
        convs = [weight_norm(nn.Conv1d(c, w, 3, dilation=gap)) for c in (a, w)]
        body = [Seq(pad, conv, nn.ReLU(), nn.Dropout(0.1)) for conv in convs]
        return p.residual(Seq(*body), nn.Conv1d(a, w, 1) if a != w else None, nn.ReLU())

    net = Net(lambda m, x: m.head(m.blocks(x)[:, :, -1]), blocks=p.stack(d, block))
    net.head = nn.Linear(w, 6)
    return net, p.signals(r, 2, r.randint(20, 50))


def _siren(r: Random, w: int, d: int) -> Made:
    net = p.mlp(2, *[w] * (d + 1), 3, act=lambda: Net(lambda m, x: torch.sin(30 * x)))
    for i, layer in enumerate(m for m in net.modules() if isinstance(m, nn.Linear)):
        bound = 1 / 2 if i == 0 else math.sqrt(6 / w) / 30
        nn.init.uniform_(layer.weight, -bound, bound)
    return net, 2 * torch.rand(p.samples(r), 2) - 1


def _pointnet(r: Random, w: int, d: int) -> Made:
    """With the network that turns the cloud, the identity at first."""

    def shared(a: int, b: int) -> Seq:
        return Seq(nn.Conv1d(a, b, 1), nn.BatchNorm1d(b), nn.ReLU())

    turn = nn.Linear(w, 9)
    nn.init.zeros_(turn.weight)
    turn.bias.data.copy_(torch.eye(3).flatten())
    return Net(
        lambda m, x: m.head(m.body((x @ m.turn(m.look(x.mT).amax(2)).view(-1, 3, 3)).mT).amax(2)),
        look=Seq(shared(3, w), shared(w, w)),
        turn=turn,
        body=Seq(shared(3, w), shared(w, w), shared(w, 2 * w)),
        head=Seq(nn.Linear(2 * w, w), nn.BatchNorm1d(w), nn.ReLU(), nn.Linear(w, 8)),
    ), p.points(r)


def _actor_critic(r: Random, w: int, d: int) -> Made:
    """PPO's: orthogonal, the policy's last layer small."""
    actor, critic = (p.init(p.mlp(8, 64, 64, many, act=nn.Tanh), p.orthogonal) for many in (4, 1))
    nn.init.orthogonal_(actor[-1].weight, 0.01)
    nn.init.orthogonal_(critic[-1].weight, 1.0)
    both = Net(lambda m, x: (m.actor(x), m.critic(x)), actor=actor, critic=critic)
    return both, torch.randn(p.samples(r), 8)


def _entity_embeddings(r: Random, w: int, d: int) -> Made:
    sizes = nn.ModuleList(nn.Embedding(20, 8) for _ in range(4))
    hidden = [Seq(nn.Linear(w, w), nn.ReLU(), nn.BatchNorm1d(w)) for _ in range(d - 1)]
    return Net(
        lambda m, x: m.body(
            cat([m.norm(x[:, :8]), *(e(x[:, 8 + i].long()) for i, e in enumerate(m.codes))], 1)
        ),
        codes=sizes,
        norm=nn.BatchNorm1d(8),
        body=Seq(nn.Linear(40, w), nn.ReLU(), nn.BatchNorm1d(w), *hidden, nn.Linear(w, 2)),
    ), p.mixed(r)


def _factorised(r: Random, w: int, d: int) -> Made:
    """DeepFM: a linear part, pairwise products and a deep part over the same embeddings."""
    return Net(
        lambda m, x: (
            lambda e: (
                m.linear(x).sum(1)
                + (e.sum(1).square() - e.square().sum(1)).sum(1, keepdim=True) / 2
                + m.deep(e.flatten(1))
            )
        )(m.embed(x)),
        linear=nn.Embedding(100, 1),
        embed=p.init(nn.Embedding(100, 16), nn.init.xavier_uniform_),
        deep=p.mlp(96, w, w, 1),
    ), p.tokens(r, 100, 6)


def _towers(r: Random, w: int, d: int) -> Made:
    """Users and items, each an embedding and a perceptron, and the scalar product."""
    towers = [Seq(nn.Embedding(80, 32), p.mlp(32, w, 32)) for _ in range(2)]
    return Net(
        lambda m, x: (m.user(x[:, 0]) * m.item(x[:, 1])).sum(1, keepdim=True),
        user=towers[0],
        item=towers[1],
    ), p.tokens(r, 80, 2)


def _multimodal(r: Random, w: int, d: int) -> Made:
    """An image and a caption of eight tokens in one row, fused late."""
    images = p.images(r, 1, 16).flatten(1)
    captions = torch.randint(30, (len(images), 8)).float()
    return Net(
        lambda m, x: m.head(
            cat([m.image(x[:, :256].view(-1, 1, 16, 16)), m.text(x[:, 256:].long()).mean(1)], 1)
        ),
        image=Seq(p.conv(1, w, 3, 2), p.conv(w, w, 3, 2), p.head(w, w)),
        text=Seq(nn.Embedding(30, w), nn.Linear(w, w), nn.ReLU()),
        head=Seq(nn.ReLU(), nn.Dropout(0.2), p.mlp(2 * w, w, 5)),
    ), cat([images, captions], 1)


def _mlp_kind(r: Random, w: int, d: int, act: Callable[[], nn.Module]) -> Made:
    return p.mlp(30, *[w] * d, 2, act=act), p.table(r)


def _selu(r: Random, w: int, d: int) -> Made:
    layers = [Seq(nn.Linear(w, w), nn.SELU(), nn.AlphaDropout(0.05)) for _ in range(d + 2)]
    return p.init(Seq(nn.Linear(30, w), nn.SELU(), *layers, nn.Linear(w, 2)), p.lecun), p.table(r)


def _denoiser(r: Random, w: int, d: int) -> Made:
    """A diffusion model of points: the time, in the last column, enters through sines."""
    zero = p.init(nn.Linear(w, 2), nn.init.zeros_)
    x = cat([torch.randn(n := p.samples(r), 2), torch.randint(1000, (n, 1)).float()], 1)
    return Net(
        lambda m, x: m.last(m.body(m.first(x[:, :2]) + m.time(m.sines[x[:, 2].long()]))),
        sines=p.sines(1000, w),
        time=Seq(nn.Linear(w, w), nn.SiLU(), nn.Linear(w, w)),
        first=nn.Linear(2, w),
        body=p.stack(d, lambda _: p.residual(Seq(nn.LayerNorm(w), p.mlp(w, w, w, act=nn.SiLU)))),
        last=Seq(nn.SiLU(), zero),
    ), x


def _fourier(r: Random, w: int, d: int) -> Made:
    """NeRF's: positions through sines and cosines of six octaves."""
    octaves = math.pi * 2.0 ** torch.arange(6)
    return Net(
        lambda m, x: (lambda a: m.body(cat([x, a.sin().flatten(1), a.cos().flatten(1)], 1)))(
            x[:, :, None] * m.octaves
        ),
        octaves=octaves,
        body=p.mlp(39, *[w] * (d + 1), 4),
    ), 2 * torch.rand(p.samples(r), 3) - 1


def _flow(r: Random, w: int, d: int) -> Made:
    nets = nn.ModuleList(p.mlp(3, w, w, 6) for _ in range(2 * d))
    return Net(p.couple_run, nets=nets), torch.randn(p.samples(r), 6)


def _experts(r: Random, w: int, d: int) -> Made:
    experts = nn.ModuleList(p.mlp(w, 2 * w, w, act=nn.GELU) for _ in range(4))
    mixture = Net(
        lambda m, x: (
            torch.stack([e(x) for e in m.experts], 2) * m.gate(x).softmax(1)[:, None]
        ).sum(2),
        experts=experts,
        gate=nn.Linear(w, 4),
    )
    return Seq(nn.Linear(30, w), p.residual(mixture), nn.LayerNorm(w), nn.Linear(w, 3)), p.table(r)


def _set_transformer(r: Random, w: int, d: int) -> Made:
    body = p.encoder(w, 2, "relu", first=False)
    return Seq(nn.Linear(3, w), body, p.cross(w), nn.Flatten(), nn.Linear(8 * w, 4)), p.points(
        r, 16
    )


def _graph_net(r: Random, w: int, d: int, run: Callable[[Any, Tensor], Any]) -> Made:
    pairs = [(8, w)] + [(w, w)] * (d - 1)
    if run is p.gin_run:
        layers = nn.ModuleList(
            Seq(nn.Linear(a, b), nn.ReLU(), nn.Linear(b, b), nn.LayerNorm(b)) for a, b in pairs
        )
    else:
        layers = nn.ModuleList(p.init(nn.Linear(*pair), nn.init.xavier_uniform_) for pair in pairs)
    scores = nn.ModuleList(nn.Linear(w, 2, bias=False) for _ in pairs * (run is p.gat_run))
    return Net(run, layers=layers, scores=scores, head=nn.Linear(w, 4)), p.graphs(r)


def _text_cnn(r: Random, w: int, d: int) -> Made:
    convs = [
        Seq(nn.Conv1d(w, w, k), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten()) for k in (3, 4, 5)
    ]
    net = Seq(nn.Embedding(60, w), Net(lambda m, x: x.mT), p.concat(*convs), nn.Dropout())
    return net.append(nn.Linear(3 * w, 3)), p.tokens(r, 60, 20)


def _speech(r: Random, w: int, d: int) -> Made:
    """M5 of the tutorial of torchaudio."""

    def block(a: int, b: int, k: int, s: int) -> Seq:
        return Seq(nn.Conv1d(a, b, k, s), nn.BatchNorm1d(b), nn.ReLU(), nn.MaxPool1d(2))

    net = Seq(block(1, w, 40, 8), block(w, w, 3, 1), block(w, 2 * w, 3, 1))
    return net.extend([nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(2 * w, 12)]), p.signals(
        r, 1, 512
    )


def _separable_speech(r: Random, w: int, d: int) -> Made:
    """QuartzNet's blocks, a symbol for each frame."""

    def block(_: int) -> Net:
        conv = Seq(nn.Conv1d(w, w, 11, padding=5, groups=w), nn.Conv1d(w, w, 1, bias=False))
        return p.residual(Seq(conv, nn.BatchNorm1d(w)), after=nn.ReLU())

    first = Seq(nn.Conv1d(16, w, 11, 2, 5, bias=False), nn.BatchNorm1d(w), nn.ReLU())
    return Seq(first, p.stack(d, block), nn.Conv1d(w, 28, 1)), p.signals(r, 16, 40)


def _wave_features(r: Random, w: int, d: int) -> Made:
    """wav2vec 2.0's encoder of raw sound, group norm in its first layer only."""
    layers = [nn.Conv1d(1, w, 10, 5, bias=False), nn.GroupNorm(w, w), nn.GELU()]
    for _ in range(d):
        layers += [nn.Conv1d(w, w, 3, 2, bias=False), nn.GELU()]
    return p.init(Seq(*layers), nn.init.kaiming_normal_), p.signals(r, 1, 512)


def _crnn(r: Random, w: int, d: int) -> Made:
    return Net(
        lambda m, x: m.head(m.rnn(m.convs(x).flatten(1, 2).mT)[0]),
        convs=Seq(p.conv(1, w), nn.MaxPool2d(2), p.conv(w, w), nn.MaxPool2d((2, 1))),
        rnn=nn.LSTM(4 * w, w, batch_first=True, bidirectional=True),
        head=nn.Linear(2 * w, 11),
    ), p.images(r, 1, 16)


def _attentive(r: Random, w: int, d: int) -> Made:
    return Net(
        p.attend_run,
        embed=nn.Embedding(40, w),
        encoder=nn.GRU(w, w, batch_first=True),
        decoder=nn.GRU(w, w, batch_first=True),
        align=nn.Linear(w, w, bias=False),
        out=nn.Linear(2 * w, 40),
    ), p.tokens(r, 40, r.randint(6, 15))


def _transducer(r: Random, w: int, d: int) -> Made:
    frames = p.signals(r, 8, 20).mT
    said = torch.randint(20, (len(frames), 20, 1)).float()
    return Net(
        p.transducer_run,
        encoder=nn.LSTM(8, w, 2, batch_first=True),
        embed=nn.Embedding(20, w),
        predictor=nn.LSTM(w, w, batch_first=True),
        a=nn.Linear(w, w),
        b=nn.Linear(w, w),
        joint=nn.Linear(w, 20),
    ), cat([frames, said], 2)


def _series_transformer(r: Random, w: int, d: int) -> Made:
    net = Net(
        lambda m, x: m.blocks(m.first(x.mT) + m.sines)[:, -1],
        first=nn.Linear(3, w),
        sines=p.sines(24, w),
        blocks=p.encoder(w, d, "relu", first=False),
    )
    return Seq(net, nn.Linear(w, 1)), p.signals(r, 3, 24)


def _sensors(r: Random, w: int, d: int) -> Made:
    return Net(
        lambda m, x: m.head(m.rnn(x.mT)[1][0][-1]),
        rnn=nn.LSTM(6, w, r.randint(1, 2), batch_first=True),
        head=Seq(nn.Dropout(0.2), nn.Linear(w, 6)),
    ), p.signals(r, 6, r.randint(15, 30))


def _atari(r: Random, w: int, d: int) -> Made:
    """A duelling network on MinAtar's binary boards."""
    return Net(
        lambda m, x: (lambda h: m.value(h) + m.gain(h) - m.gain(h).mean(1, keepdim=True))(
            m.body(x)
        ),
        body=Seq(nn.Conv2d(4, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(1024, 128), nn.ReLU()),
        value=nn.Linear(128, 1),
        gain=nn.Linear(128, 6),
    ), (torch.rand(p.samples(r), 4, 10, 10) < 0.1).float()


def _policy(r: Random, w: int, d: int) -> Made:
    """SAC's actor: mean and clipped log deviation."""
    body = Seq(p.mlp(11, 2 * w, 2 * w), nn.ReLU())
    return Net(
        lambda m, x: (lambda h: (m.mean(h), m.log_deviation(h).clamp(-20, 2)))(m.body(x)),
        body=body,
        mean=nn.Linear(2 * w, 3),
        log_deviation=nn.Linear(2 * w, 3),
    ), torch.randn(p.samples(r), 11)


def _seeded(make: Make) -> Callable[[int], Made]:
    def build(seed: int) -> Made:
        torch.manual_seed(seed)
        r = Random(seed)
        return make(r, r.choice((16, 24, 32, 48, 64)), r.randint(2, 4))

    return build


_KINDS: dict[str, Make] = {
    "perceptron, ReLU": partial(_mlp_kind, act=nn.ReLU),
    "perceptron, Mish": partial(_mlp_kind, act=nn.Mish),
    "perceptron, GELU": partial(_mlp_kind, act=nn.GELU),
    "perceptron, softplus": partial(_mlp_kind, act=nn.Softplus),
    "self-normalising": _selu,
    "diffusion": _denoiser,
    "RealNVP": _flow,
    "physics-informed": lambda r, w, d: (
        p.init(p.mlp(2, *[w] * (d + 1), 1, act=nn.Tanh), nn.init.xavier_normal_),
        torch.rand(p.samples(r), 2),
    ),
    "SIREN": _siren,
    "NeRF": _fourier,
    "neural ODE": lambda r, w, d: (
        Net(
            _runge_kutta,
            first=nn.Linear(30, w),
            field=p.mlp(w, w, w, act=nn.Tanh),
            last=nn.Linear(w, 2),
        ),
        p.table(r),
    ),
    "GPT-2": p.gpt,
    "RMS norm and SwiGLU": partial(p.gpt, llama=True),
    "BERT": _bert,
    "transformer of text": _sentiment_transformer,
    "transformer of series": _series_transformer,
    "translator": _translator,
    "RNN": partial(_recurrent, kind="RNN"),
    "GRU": partial(_recurrent, kind="GRU"),
    "LSTM": partial(_recurrent, kind="LSTM"),
    "LSTM of sensors": _sensors,
    "GRU with attention": _attentive,
    "RNN transducer": _transducer,
    "CRNN": _crnn,
    "text CNN": _text_cnn,
    "fastText": lambda r, w, d: (
        Seq(nn.EmbeddingBag(80, w, mode="mean"), nn.Linear(w, 4)),
        p.tokens(r, 80, 12),
    ),
    "temporal convolutions": _tcn,
    "WaveNet": _wavenet,
    "N-BEATS": lambda r, w, d: (
        Net(p.beats_run, blocks=nn.ModuleList(p.mlp(30, w, w, w, 36) for _ in range(d))),
        p.signals(r, 1, 30),
    ),
    "M5": _speech,
    "QuartzNet": _separable_speech,
    "wav2vec": _wave_features,
    "entity embeddings": _entity_embeddings,
    "tabular ResNet": lambda r, w, d: (
        Seq(
            nn.Linear(30, w),
            p.stack(
                d,
                lambda _: p.residual(
                    Seq(
                        nn.BatchNorm1d(w),
                        nn.Linear(w, 2 * w),
                        nn.ReLU(),
                        nn.Dropout(0.1),
                        nn.Linear(2 * w, w),
                    )
                ),
            ),
            nn.BatchNorm1d(w),
            nn.ReLU(),
            nn.Linear(w, 2),
        ),
        p.table(r),
    ),
    "DeepFM": _factorised,
    "two towers": _towers,
    "mixture of experts": _experts,
    "GCN": partial(_graph_net, run=p.gcn_run),
    "GIN": partial(_graph_net, run=p.gin_run),
    "GAT": partial(_graph_net, run=p.gat_run),
    "PointNet": _pointnet,
    "deep sets": lambda r, w, d: (
        Seq(p.mlp(3, w, w, act=nn.ELU), Net(lambda m, x: x.mean(1)), p.mlp(w, w, 4, act=nn.ELU)),
        p.points(r),
    ),
    "set transformer": _set_transformer,
    "actor and critic": _actor_critic,
    "duelling Q-network": _atari,
    "soft actor": _policy,
    "image and caption": _multimodal,
}
HEALTHY: Mapping[str, Callable[[int], Made]] = {
    name: _seeded(make) for name, make in (IMAGES | _KINDS).items()
}
