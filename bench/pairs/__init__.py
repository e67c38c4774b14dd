"""The pairs that are measured, one module a subject; and what could not be compared here."""

from bench.pairs import (
    confidence_sequence,
    dense_weights,
    peers,
    published_experiment,
    random_numbers,
)
from bench.pairs.peers import ABSENT

__all__ = ["ABSENT", "PAIRS", "TOTALS"]

PAIRS = (
    *published_experiment.PAIRS,
    *random_numbers.PAIRS,
    *dense_weights.PAIRS,
    *peers.PAIRS,
    *confidence_sequence.PAIRS,
)
TOTALS = dense_weights.TOTALS
