"""Tests, and the longer trials that ``.ci/full`` runs: python -m tests.random_claims."""
