"""Benchmarks in pairs: ours, and what it is compared with, taking turns in one run.

- `bench.pair`, `bench.pairs`: a pair, and those that are measured, one module a subject
- `bench.growth`, `bench.memory`, `bench.verdict_times`: exponents, peaks, time to verdict
- `bench.timing`, `bench.intervals`: taking turns by two clocks; intervals for any law of the noise
- `bench.report`: the document of a run, comparison with a stored one, page, history

``pytest bench`` runs them; its options are in ``bench/conftest.py``.
"""
