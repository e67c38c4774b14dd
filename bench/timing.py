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


def per_layer(run, layers, rounds=3):
    """Seconds a layer takes: ``run(depth)`` with twice so many layers and with so many, which share
    their start; of each the shortest.
    """
    few, many = best_of(rounds, lambda: run(layers), lambda: run(2 * layers))
    return (many - few) / layers
