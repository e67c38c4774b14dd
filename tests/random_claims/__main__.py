"""Random claims whose truth is known, given to the suite: what it says of them, and whether it may.

    python -m tests.random_claims --count 500 --seed 0        (an hour or so on two cores)

Status 1 if a verdict asserts something false, or too few claims are decided. Each claim is seeded
by the seed and its number, so that one of them is repeated by ``--only NUMBER``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from random import Random

from tests.random_claims import chain_claims, inputs_claims
from tests.random_claims.claims import CRASHED, REFUSED, RandomClaim, Truth, right, wrong

#: Of each kind so many must be decided rightly; the rest may be left open, none decided wrongly.
SHARES = {Truth.TRUE: 0.90, Truth.FALSE: 0.95, Truth.THIN: 0.90, Truth.UNDEFINED: 1.0}
#: One claim in so many is about a chain.
_CHAINS = 5


def claim(seed: int, number: int) -> RandomClaim:
    """The claim of that number."""
    rng = Random(f"{seed}/{number}")
    return (chain_claims if number % _CHAINS == 0 else inputs_claims).make(rng)


def verdict(made: RandomClaim, seed: int) -> tuple[str, str]:
    """The suite's word for it, and its reason."""
    from theorems import ClaimError, conjecture, verify

    try:
        stated = conjecture(made.text, name="claim", **made.options).statement()
        (result,) = verify([stated], seed=seed)
    except ClaimError as error:
        return REFUSED, str(error)
    except Exception as error:  # a crash is a finding
        return CRASHED, f"{type(error).__name__}: {error}"
    return result.verdict.value, "; ".join(e.summary for e in result.evidence)


def judged(arguments: tuple[int, int]) -> tuple[int, RandomClaim, str, str]:
    """Number, claim, verdict and reason: what one worker does."""
    seed, number = arguments
    made = claim(seed, number)
    return number, made, *verdict(made, seed)


def report(found: list[tuple[int, RandomClaim, str, str]]) -> Iterator[str]:
    """The shares, kind by kind."""
    for truth in Truth:
        of_kind = [(made, word) for _, made, word, _ in found if made.truth is truth]
        if not of_kind:
            continue
        words = Counter(word for _, word in of_kind)
        good = sum(right(truth, word) for _, word in of_kind)
        false = sum(wrong(truth, word) for _, word in of_kind)
        counts = ", ".join(f"{word} {count}" for word, count in words.most_common())
        yield (
            f"{truth.value:<24} {len(of_kind):>4}  right {good / len(of_kind):7.1%}  "
            f"wrong {false}  "
            f"at least {SHARES[truth]:.0%} right wanted: {counts}"
        )


def passes(found: list[tuple[int, RandomClaim, str, str]]) -> bool:
    """No verdict asserts something false, and enough are right."""
    for truth in Truth:
        words = [word for _, made, word, _ in found if made.truth is truth]
        if any(wrong(truth, word) for word in words):
            return False
        if words and sum(right(truth, word) for word in words) < SHARES[truth] * len(words):
            return False
    return True


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 if it passes."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.random_claims", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, metavar="NUMBER")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write claims and verdicts")
    given = parser.parse_args(arguments)
    for name, least in (("count", 1), ("jobs", 1), ("only", 0)):
        value = getattr(given, name)
        if value is not None and value < least:
            parser.error(f"--{name} {value}: want a whole number of at least {least}")
    numbers = range(given.count) if given.only is None else [given.only]
    found = []
    with ProcessPoolExecutor(given.jobs) as pool:
        for number, made, word, reason in pool.map(judged, [(given.seed, k) for k in numbers]):
            found.append((number, made, word, reason))
            mark = "WRONG" if wrong(made.truth, word) else "" if right(made.truth, word) else "open"
            if mark or given.only is not None:
                print(
                    f"{number:>4} {mark:<5} {made.call}\n"
                    f"     {made.truth.value} ({made.why}): {word}, {reason}",
                    flush=True,
                )
    print("\n".join(report(found)))
    if given.json is not None:
        given.json.write_text(
            json.dumps(
                [
                    {"number": number, **asdict(made), "verdict": word, "reason": reason}
                    for number, made, word, reason in found
                ],
                indent=1,
            ),
            encoding="utf-8",
        )
    return 0 if passes(found) else 1


if __name__ == "__main__":
    sys.exit(main())
