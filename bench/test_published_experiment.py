"""The experiment of DJB21, Fig. 2, as a notebook runs it and as this package does.

n = 4, widths 16 to 512, 20 replicas of 500 layers of the rescale chain, mean gap over depth.
"""

import numpy as np
from scipy.stats import t
from timing import best_of, seconds

from simulators import rescale_chain, simulate

WIDTHS = (16, 32, 64, 128, 256, 512)
SAMPLES, REPLICAS, LAYERS = 4, 20, 500
SEED = 2021
LEVEL = 1e-6  # of a false alarm, over the six comparisons of means


def batch(width):
    return np.random.default_rng([SEED, width]).standard_normal((width, SAMPLES))


def by_notebook(width, normal):
    """Mean gap over depth of every replica: a width × width matrix per layer."""
    start, means = batch(width), np.zeros(REPLICAS)
    for replica in range(REPLICAS):
        H = start / np.linalg.norm(start)
        for _ in range(LAYERS):
            H = normal(width, width) @ H
            H /= np.linalg.norm(H, axis=1, keepdims=True) * np.sqrt(width)
            means[replica] += np.linalg.norm(H.T @ H - np.eye(SAMPLES) / SAMPLES) / LAYERS
    return means


def by_simulate():
    """Mean gap over depth, ``(widths, replicas)``, by the factor engine in float64."""
    options = {"depth": LAYERS, "replicas": REPLICAS, "seed": SEED, "engine": "factor"}
    trajectories = [simulate(rescale_chain(width), batch(width), **options) for width in WIDTHS]
    return np.array(
        [trajectory["orthogonality_gap"][:, 1:].mean(axis=1) for trajectory in trajectories]
    )


def test_a_hundred_times_faster_than_the_notebook_with_the_same_means(benchmark, report):
    np.random.seed(SEED)  # noqa: NPY002 - the generator that notebooks use
    generator = np.random.default_rng(SEED)
    notebook, legacy, modern, turns = [], 0.0, 0.0, []
    for width in WIDTHS:
        legacy += seconds(lambda width=width: notebook.append(by_notebook(width, np.random.randn)))
        modern += seconds(
            lambda width=width: by_notebook(width, lambda *d: generator.standard_normal(d))
        )
        turns.append(seconds(by_simulate))
    gram = float(np.median(turns))

    results = benchmark.pedantic(by_simulate, rounds=1)
    for width, ours, theirs in zip(WIDTHS, results, notebook, strict=True):
        # Means of 20 replicas; Bonferroni over the widths.
        difference = ours.mean() - theirs.mean()
        spread = np.sqrt((ours.var(ddof=1) + theirs.var(ddof=1)) / REPLICAS)
        reach = t.ppf(1 - LEVEL / (2 * len(WIDTHS)), REPLICAS - 1) * spread
        report(f"width {width}: mean gap {ours.mean():.5f} by gram, {theirs.mean():.5f} by the notebook, "
               f"difference {difference:+.1e} within ±{reach:.1e}")  # fmt: skip
        assert abs(difference) <= reach
    report(
        f"published experiment: {legacy / gram:.0f} times faster than the notebook, {legacy:.1f} s against "
        f"{gram:.3f} s ({modern / gram:.0f} times if it uses default_rng, {modern:.1f} s); target 100",
        legacy=legacy,
        modern=modern,
        gram=gram,
        seed=SEED,
    )
    assert legacy / gram >= 100


def test_within_the_cost_of_its_normals(benchmark, report):
    def draw():
        buffer = np.empty(2**13)
        for width in WIDTHS:
            for replica in range(REPLICAS):
                generator = np.random.Generator(np.random.SFC64([SEED, replica]))
                for _ in range(width * SAMPLES * LAYERS // len(buffer)):
                    generator.standard_normal(out=buffer)

    drawing, running = best_of(5, draw, by_simulate)
    benchmark.pedantic(by_simulate, rounds=1)
    report(
        f"published experiment: {running / drawing:.2f} times the cost of drawing its normals; target 2.5",
        drawing=drawing,
        running=running,
        seed=SEED,
    )
    assert running / drawing <= 2.5
