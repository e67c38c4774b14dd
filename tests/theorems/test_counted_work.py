"""What would take for ever is refused at the door by counting its work; what is next to it is
not.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import sympy as sp

import simulators.requirements as requirements
from simulators import rescale_chain, residual_chain, simulate
from simulators.sweeps.grid import Grid, GridError
from simulators.sweeps.running_times import calibrate
from theorems import ClaimError, conjecture
from theorems.cli import main

i, j, k = sp.symbols("i j k", integer=True)
x = sp.Symbol("x", real=True)

SUMS = {
    "a sum of a billion terms": (sp.Sum(i, (i, 1, 10**9)), "up to 1000000000 terms"),
    "a product of as many": (sp.Product(1 + x / i, (i, 1, 10**9)), "up to 1000000000 terms"),
    "a double sum": (sp.Sum(i * j, (i, 1, 1000), (j, 1, 1000)), "up to 1000000 terms"),
    "a sum inside a sum": (
        sp.Sum(i * sp.Sum(j, (j, 1, 1000)), (i, 1, 1000)),
        "terms on this domain",
    ),
    "a triangle": (sp.Sum(i * j, (i, 1, j), (j, 1, 1000)), "up to 1000000 terms"),
    "a sum up to a symbol": (sp.Sum(i, (i, 1, k)), "up to 1000000 terms"),
    "a sum far out": (sp.Sum(i, (i, -(10**9), k)), "up to 1001000001 terms"),
    "a sum of falling limits": (sp.Sum(i, (i, -k, 0)), "up to 1000001 terms"),
    "a sum under a root": (sp.sqrt(sp.Sum(i, (i, 1, 10**7)) + 1), "up to 10000000 terms"),
}


@pytest.mark.parametrize("case", SUMS)
@pytest.mark.parametrize("side", ["left", "right", "assumption"])
def test_sums_of_too_many_terms_are_refused(case: str, side: str) -> None:
    expression, words = SUMS[case]
    claim = {
        "left": sp.Ge(expression, x, evaluate=False),
        "right": sp.Le(x, expression, evaluate=False),
        "assumption": sp.Le(x, k),
    }[side]
    assume = sp.Le(x, expression, evaluate=False) if side == "assumption" else ()
    with pytest.raises(ClaimError, match=words):
        conjecture(claim, x="[0, 1]", k="1..1000000", assume=assume)


def test_a_sum_without_last_term_is_refused() -> None:
    with pytest.raises(ClaimError, match="no last term"):
        conjecture(sp.Le(x, sp.Sum(i, (i, 1, k)), evaluate=False), x="[0, 1]", k="1..")


@pytest.mark.parametrize(
    "expression",
    [
        sp.Sum(i, (i, 1, 100)),
        sp.Sum(i * j, (i, 1, j), (j, 1, 9)),
        sp.Product(1 + 1 / i, (i, 1, 50)),
    ],
)
def test_sums_of_few_terms_are_not(expression: sp.Expr) -> None:
    conjecture(sp.Le(x, expression + 1), x="[0, 1]")


def test_a_sum_over_the_samples_goes_with_sizes_left_open() -> None:
    """Which are tried up to a few dozen."""
    energy = sp.Sum(
        sp.IndexedBase("lambda", real=True)[i],
        (i, 0, sp.Symbol("n", integer=True, positive=True) - 1),
    )
    assert conjecture(sp.Le(energy, 2), over="spectra").over == "spectra"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"over": "matrices", "n": "100", "d": "100"}, "1000000 products"),
        ({"over": "matrices", "n": "2..8", "d": "100000"}, "400000 products"),
        ({"over": "matrices", "n": "40"}, "64000 products"),
        ({"over": "spectra", "n": "500..1000"}, "500 eigenvalues"),
        (
            {"chain": "rescale", "quantifier": "mean field", "n": "500", "ell": "1..4"},
            "2000 eigenvalues times layers",
        ),
        (
            {"chain": "rescale", "quantifier": "mean field", "n": "2..4", "ell": "1000000"},
            "2000000 eigenvalues",
        ),
        (
            {"chain": "rescale", "n": "4000", "d": "1000000", "ell": "16"},
            "one network takes 2.6e+14 operations",
        ),
    ],
)
def test_objects_too_large_to_be_decided_are_refused_before_anything_runs(
    options: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ClaimError, match=re.escape(words)):
        conjecture("orthogonality_gap <= 9/10", **options)
    where = [f"--where={name}={options[name]}" for name in ("n", "d", "ell") if name in options]
    rest = [
        word
        for name in ("over", "chain", "quantifier")
        if name in options
        for word in (f"--{name}", options[name])
    ]
    assert (
        main(["verify", "--claim", "orthogonality_gap <= 9/10", *where, *rest, "--budget", "5"])
        == 2
    )
    errors = capsys.readouterr().err
    assert words in errors
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"over": "matrices", "n": "2", "d": "1000"},
        {"over": "spectra", "n": "200"},
        {"chain": "rescale", "n": "2..64", "d": "64..", "ell": "16"},
        {"chain": "rescale", "quantifier": "mean field", "n": "2..500", "ell": "1..1000"},
    ],
)
def test_domains_that_reach_far_but_begin_small_are_not(options: dict[str, Any]) -> None:
    conjecture("orthogonality_gap <= 1/2", **options)


# --- simulations ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chain", "settings", "words"),
    [
        (
            rescale_chain(10**12),
            {},
            r"width=1000000000000 with n=4 samples: one layer draws 4e\+12",
        ),
        (
            residual_chain(10**6, 0.1),
            {"engine": "dense"},
            r"one layer draws 1e\+12 numbers \(engine='dense'\)",
        ),
        (rescale_chain(8), {"depth": 10**13}, "GiB of memory or more"),
        (rescale_chain(8), {"replicas": 10**13}, "GiB of memory or more"),
        (rescale_chain(8), {"depth": 10**15, "engine": "mean_field"}, "GiB of memory or more"),
    ],
)
def test_simulations_beyond_any_machine_are_refused(
    chain: Any, settings: dict[str, Any], words: str
) -> None:
    batch = np.eye(10**6 if "residual" in repr(chain).lower() else 8, 4)
    with pytest.raises(ValueError, match=words):
        simulate(chain, batch, **{"depth": 1, **settings})


def test_memory_is_that_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    simulate(rescale_chain(64), np.eye(64, 4), depth=2)
    monkeypatch.setattr(requirements, "memory", lambda: 1000)
    with pytest.raises(ValueError, match="this machine has"):
        simulate(rescale_chain(64), np.eye(64, 4), depth=2)


def test_a_grid_beyond_any_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"chain": "rescale", "batch": 8, "depth": 4}
    with pytest.raises(
        GridError, match=r"width=1000000000000, batch of n=8: .* at most 1e\+11 are drawn"
    ):
        Grid.of({**fields, "width": 10**12}).runs()
    monkeypatch.setattr(requirements, "memory", lambda: 2**34)
    with pytest.raises(
        GridError, match=r"needs 59\.6 GiB of memory or more, and this machine has 16"
    ):
        Grid.of({**fields, "width": 10**6, "batch": 4000}).runs()


def test_a_dry_run_measures_small_batches_whatever_the_grid_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(requirements, "memory", lambda: 2**63)
    runs = list(
        Grid.of({"chain": "rescale", "width": 10**6, "batch": 4000, "depth": 10}).runs().values()
    )
    measured: list[int] = []
    perform = type(runs[0]).perform
    monkeypatch.setattr(
        type(runs[0]), "perform", lambda run: (measured.append(run.batch.n), perform(run))[1]
    )
    assert calibrate(runs).seconds(runs[0]) > 0
    assert sorted(set(measured)) == [8, 32]
