"""Taking times."""

import time


def seconds(action):
    """Wall-clock time of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def best_of(rounds, *actions):
    """The shortest time of each action, the actions taking turns."""
    times = [[seconds(action) for action in actions] for _ in range(rounds)]
    return [min(column) for column in zip(*times, strict=True)]
