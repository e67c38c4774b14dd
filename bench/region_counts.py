"""Linear regions counted here and by relucent, on the same networks: ``python -m
bench.region_counts``.

    python -m bench.region_counts                    50 random networks; a minute or two
    python -m bench.region_counts --networks 0 --widths 2-6-6-6-6 2-32-32 2-64-64    some minutes

relucent 1.0.0 (AGPL) is for comparison only, and is no dependency: ``pip install relucent==1.0.0``
in an environment of its own. It enumerates regions breadth first, in floats and with a commercial
solver; ours are those of exact signs on a square that holds every crossing. Each network is counted
by both, one after the other, so that a busy machine slows both.

Exit status: 0 where all counts agree; 1 where one does not; 2 for bad usage, or without relucent.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np

from bench.pair import one_thread
from bench.pairs.peers import network, regions_by_exact_signs, regions_by_peer, relucent_or_why
from bench.timing import Clocks, timed

__all__ = ["Counted", "counted", "main", "random_widths"]

#: Hidden layers, and units of each, of the random networks.
LAYERS, UNITS = (1, 3), (2, 6)


@dataclass(frozen=True)
class Counted:
    """A network's regions by both, and the seconds that each took by the wall clock.

    Example:
        >>> Counted((2, 3, 1), 7, 7, 0.5, 2.0).ratio
        4.0
    """

    widths: tuple[int, ...]
    ours: int
    theirs: int
    our_seconds: float
    their_seconds: float

    @property
    def ratio(self) -> float:
        """How many times as long relucent took."""
        return self.their_seconds / self.our_seconds

    def __str__(self) -> str:
        counts = f"{self.ours:,} regions"
        if self.ours != self.theirs:
            counts += f", {self.theirs:,} by relucent"
        times = f"{self.our_seconds:.3f} s, relucent {self.their_seconds:.2f} s"
        return f"{'-'.join(map(str, self.widths))}: {counts}; {times}, {self.ratio:.0f} times"


def random_widths(number: int) -> tuple[int, ...]:
    """The widths of random network ``number``: two inputs, one to three layers, one output.

    Example:
        >>> random_widths(0)[0], random_widths(0)[-1]
        (2, 1)
    """
    draws = np.random.default_rng(number)
    layers = int(draws.integers(LAYERS[0], LAYERS[1] + 1))
    return (2, *draws.integers(UNITS[0], UNITS[1] + 1, layers).tolist(), 1)


def counted(relucent: Any, widths: tuple[int, ...], seed: int) -> Counted:
    """Both counts of one network, and what they took.

    Args:
        relucent: the module.
        widths: of inputs, hidden layers and outputs.
        seed: of the weights, as Torch draws them.
    """
    module = network(widths, seed)
    found: dict[str, int] = {}

    def ours() -> None:
        found["ours"] = regions_by_exact_signs(module)

    def theirs() -> None:
        with redirect_stderr(StringIO()):  # it tells on how many workers it runs
            found["theirs"] = regions_by_peer(relucent, module)

    seconds = [timed(action, Clocks())[0] for action in (ours, theirs)]
    return Counted(widths, found["ours"], found["theirs"], *seconds)


def _chosen(
    networks: int, given: Sequence[tuple[int, ...]]
) -> Iterator[tuple[tuple[int, ...], int]]:
    for number in range(networks):
        yield random_widths(number), number
    for widths in given:
        yield (*widths, 1), 0


def _widths(text: str) -> tuple[int, ...]:
    parts = text.split("-")
    if len(parts) < 2 or not all(part.isdecimal() and int(part) for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r}: want widths such as 2-32-32")
    if parts[0] != "2":
        raise argparse.ArgumentTypeError(f"{text!r}: want 2 inputs")
    return tuple(map(int, parts))


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}: want a whole number from 0")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Count, print a line for each network and one for all; the exit status."""
    parser = argparse.ArgumentParser("python -m bench.region_counts", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--networks", type=_number, default=50, help="random networks (50)")
    parser.add_argument(
        "--widths", type=_widths, nargs="*", default=[], help="inputs and layers, such as 2-32-32"
    )
    args = parser.parse_args(arguments)
    relucent = relucent_or_why()
    if isinstance(relucent, str):
        print(f"relucent: {relucent}", file=sys.stderr)
        return 2
    found: list[Counted] = []
    with one_thread():
        for widths, seed in _chosen(args.networks, args.widths):
            found.append(counted(relucent, widths, seed))
            print(found[-1], flush=True)
    if not found:
        return 0
    same = sum(each.ours == each.theirs for each in found)
    ratios = [each.ratio for each in found]
    print(
        f"{same} of {len(found)} counts agree; relucent took {np.median(ratios):.0f} times as long "
        f"(median; {min(ratios):.0f} to {max(ratios):.0f})"
    )
    return 0 if same == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
