"""How long `theorems.inspect` takes on a network of 50 layers: ``python -m bench.inspection_times``.

The network is that of He and others 2016 with bottleneck blocks, 53 convolutions and a head, the
batch 16 samples of 3 × 32 × 32. It is inspected as the command does it, with four more
initialisations, in two forms: with the stem for photographs, a convolution of stride 2 and pooling,
and with the stem for small pictures, which leaves all 32 × 32 places to the first stage. Printed are
the seconds on the clock and of the processor, of the inspection alone.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from theorems import inspect
from theorems.inspection.report import Inspection

__all__ = ["ResNet50", "timed"]

_STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
_OTHERS = 4


class Bottleneck(nn.Module):
    """1 × 1, 3 × 3 and 1 × 1 convolutions, each normalised, and what is skipped."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = 4 * width
        self.body = nn.Sequential(
            nn.Conv2d(inputs, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.skip = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.skip.append(nn.Conv2d(inputs, outputs, 1, stride, bias=False))
            self.skip.append(nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x)
        y += self.skip(x)
        return torch.relu_(y)


class ResNet50(nn.Module):
    """Of 16 bottleneck blocks in four stages; ``small`` for the stem of small pictures."""

    def __init__(self, small: bool = False, classes: int = 1000) -> None:
        super().__init__()
        size, stride = (3, 1) if small else (7, 2)
        pool = nn.Identity() if small else nn.MaxPool2d(3, 2, 1)
        first = nn.Conv2d(3, 64, size, stride, size // 2, bias=False)
        self.stem = nn.Sequential(first, nn.BatchNorm2d(64), nn.ReLU(inplace=True), pool)
        blocks: list[nn.Module] = []
        inputs = 64
        for width, count, step in _STAGES:
            for place in range(count):
                blocks.append(Bottleneck(inputs, width, step if place == 0 else 1))
                inputs = 4 * width
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.blocks(self.stem(x)))
        return out


def timed(small: bool) -> tuple[Inspection, float, float]:
    """What is seen, and the seconds on the clock and of the processor."""
    torch.manual_seed(0)
    module, batch = ResNet50(small), torch.randn(16, 3, 32, 32)
    others = [ResNet50(small) for _ in range(_OTHERS)]
    clock, processor = time.perf_counter(), time.process_time()
    found = inspect(module, batch, others=others)
    return found, time.perf_counter() - clock, time.process_time() - processor


def main(arguments: Sequence[str] | None = None) -> int:
    for stem in arguments or ("photographs", "small"):
        found, clock, processor = timed(stem == "small")
        print(f"{stem}: {clock:.1f} s, {processor:.1f} s of the processor; {found.verdict}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
