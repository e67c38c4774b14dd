"""A user's batch in claims about every input: decided exactly, whatever its spectrum."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest

from simulators.batches import Batch
from simulators.strategies import corner_matrices
from theorems import Verdict, conjecture, verify
from theorems.context import Context
from theorems.workbench.everywhere import Everywhere
from theorems.workbench.exact_values import (
    AlgebraicSpectrum,
    KnownSpectrum,
    eigenvalues_of,
    gram_matrix,
)

pytestmark = pytest.mark.usefixtures("few_draws")

GAUSSIAN = np.random.default_rng(0).standard_normal((6, 3))
BATCHES: dict[str, Any] = {
    "gaussian": GAUSSIAN,
    "diagonal": np.diag([3.0, 4.0, 0.0]),
    "one sample": np.ones((4, 1)),
    "rank one": np.outer(np.arange(1.0, 6), [1, 2, -1]),
    "repeated": GAUSSIAN[:, [0, 0, 1]],
    "tiny": GAUSSIAN * 1e-150,
    "ill-conditioned": GAUSSIAN @ np.diag([1.0, 1e-9, 1e-12]),
}


def exact(batch: Any) -> tuple[tuple[Fraction, ...], ...]:
    return tuple(tuple(map(Fraction, row)) for row in batch.tolist())


def spectrum_of(rows: tuple[tuple[Fraction, ...], ...]) -> KnownSpectrum:
    return eigenvalues_of(gram_matrix(rows))


def given(batch: Any) -> Context:
    return Context(0, 1e-6, Batch.of(np.asarray(batch, float), "a batch"))


@pytest.mark.parametrize("name", BATCHES)
def test_the_spectrum_of_a_batch_encloses_what_is_computed_in_floats(name: str) -> None:
    batch = BATCHES[name] / np.abs(BATCHES[name]).max()
    want = np.sort(np.linalg.svd(batch, compute_uv=False) ** 2)[::-1][: batch.shape[1]]
    found = spectrum_of(exact(BATCHES[name]))
    now = (
        found.now()
        if isinstance(found, AlgebraicSpectrum)
        else [flint.fmpq(x.numerator, x.denominator) for x in found]
    )
    assert len(found) == len(now) == batch.shape[1]
    np.testing.assert_allclose(
        [float(flint.arb(x).mid()) for x in now], want / want.sum(), atol=1e-14
    )
    assert sum(map(flint.arb, now), flint.arb(0)).contains(1)
    if isinstance(found, AlgebraicSpectrum):
        assert sum(found.rounded()) == 1
        assert "about (" in str(found)


def test_rational_spectra_are_rationals() -> None:
    assert spectrum_of(exact(np.diag([3.0, 4.0, 0.0]))) == (Fraction(16, 25), Fraction(9, 25), 0)
    assert spectrum_of(exact(np.ones((4, 2)))) == (1, 0)
    assert isinstance(
        spectrum_of(exact(np.array([[1.0, 1.0], [0.0, 1.0]]))), AlgebraicSpectrum
    )  # (3 ± √5)/6
    assert all(len(spectrum_of(rows)) == 2 for rows in corner_matrices(3, 2).values())


def test_irrational_eigenvalues_sharpen_with_the_precision_and_balls_that_overlap_cover_all() -> (
    None
):
    golden = spectrum_of(exact(np.array([[1.0, 1.0], [0.0, 1.0]])))
    assert isinstance(golden, AlgebraicSpectrum)
    for precision in (64, 512):
        with flint.ctx.workprec(precision):
            truth = (3 + flint.arb(5).sqrt()) / 6
            assert golden.now()[0].overlaps(truth)
            assert golden.now()[0].rad() < flint.arb(2) ** (8 - precision)
    # 1/2, and the roots of x² - x + 1/4 - 2·10^-40, closer to it than 30 bits can tell
    close = AlgebraicSpectrum((((-1, 2), 1), ((10**40 - 8, -4 * 10**40, 4 * 10**40), 1)))
    with flint.ctx.workprec(30):
        if not close.now()[0] > close.now()[2]:
            assert all(flint.arb(x).contains(flint.fmpq(1, 2)) for x in close.now())
    with flint.ctx.workprec(512):
        first, middle, last = close.now()
        assert first > middle > last


CLAIMS: dict[str, tuple[str, dict[str, Any]]] = {
    "matrices": ("effective_rank >= 1/(1/n + orthogonality_gap**2)", dict(over="matrices")),
    "spectra": ("orthogonality_gap <= sqrt(n*(n-1))*smallest_eigenvalue_gap", dict(over="spectra")),
    "paths": (
        "orthogonality_gap <= orthogonality_gap_0",
        dict(chain="rescale", quantifier="mean field", n="1..3", ell=1),
    ),
    "with a parameter": ("x*effective_rank <= n", dict(over="matrices", x="[0, 1]")),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_true_claims_hold_of_every_batch(claim: str) -> None:
    text, options = CLAIMS[claim]
    stated = conjecture(text, name="c", **options)
    statement = stated.statement(falsify=False)
    (check,) = statement.checks
    assert isinstance(check, Everywhere)
    alone = replace(check, draws=60, attack=replace(check.attack, corners=tuple, examples=1))
    for name in ("gaussian", "diagonal", "one sample", "rank one"):
        assert stated.space.of_batch(BATCHES[name])
        found = alone(statement, given(BATCHES[name]))
        assert found.details["batch"] == "certified"
        assert found.summary == "the batch decided exactly"
        assert len(found.beside) == 1


@pytest.mark.parametrize(
    ("text", "options", "name"),
    [
        ("effective_rank <= 3/2", dict(over="matrices", n=3, d=6), "gaussian"),
        ("smallest_eigenvalue <= 1/10**6", dict(over="spectra", n=3), "gaussian"),
        ("orthogonality_gap <= 1/3", dict(over="spectra", n=3), "diagonal"),
        (
            "orthogonality_gap <= 1/10",
            dict(chain="rescale", quantifier="mean field", n=3, ell="0..1"),
            "gaussian",
        ),
    ],
    ids=["matrix", "balls", "rational", "path"],
)
def test_a_batch_refutes_what_is_false_of_it(text: str, options: Any, name: str) -> None:
    stated = conjecture(text, name="c", **options)
    statement = stated.statement(falsify=False)
    found = statement.checks[0](statement, given(BATCHES[name]))
    assert found.verdict is Verdict.REFUTED
    assert found.details["batch"] == "refuted"
    search = stated.statement(only=True)
    broken = search.checks[0](search, given(BATCHES[name]))
    assert broken.verdict is Verdict.REFUTED
    assert broken.details["attack"] == "the batch"
    assert "about" not in str(broken.details["witness"])  # rationals, which can be kept


@pytest.mark.parametrize(
    "options",
    [
        dict(over="matrices", n="1..2"),
        dict(over="matrices", d="7..9"),
        dict(over="matrices", assume="orthogonality_gap <= 1/10**9"),
        dict(over="spectra", n="4..9"),
    ],
    ids=str,
)
def test_a_batch_outside_the_domain_or_the_assumptions_is_outside(options: Any) -> None:
    (found,) = verify(
        [
            conjecture(
                "effective_rank >= 1/(1/n + orthogonality_gap**2)", name="c", **options
            ).statement(falsify=False)
        ],
        batch=GAUSSIAN,
    )
    assert found.verdict is Verdict.OUTSIDE
    assert found.as_expected  # of a batch, that is a result
    assert "the batch lies outside" in found.evidence[0].summary


def test_a_claim_about_parameters_says_that_the_batch_has_no_part_in_it() -> None:
    with pytest.raises(ValueError, match="batch: it has no part in test_spaces\\.c; leave it out"):
        verify([conjecture("x <= 1", x="[0, 1/2]", name="c").statement()], batch=GAUSSIAN)


def test_a_mean_is_refuted_from_the_batch() -> None:
    stated = conjecture(
        "effective_rank >= n/2", chain="rescale", n=3, d="16..32", ell="1..2", name="c"
    )
    search = stated.statement(only=True)
    broken = search.checks[0](search, given(BATCHES["rank one"]))
    assert broken.verdict is Verdict.REFUTED
    assert broken.details["attack"] == "the batch"
    assert broken.details["witness"]["batch"] == "a batch"


@pytest.mark.parametrize(
    ("claim", "second", "verdict"),
    [
        ("orthogonality_gap <= orthogonality_gap_0", [0.5, 1.0], "certified"),
        ("orthogonality_gap <= orthogonality_gap_0", [-0.5, 1.0], "outside"),
        ("orthogonality_gap <= 1/100", [0.5, 1.0], "refuted"),
    ],
)
def test_a_batch_is_a_start_also_where_more_than_its_spectrum_counts(
    claim: str, second: list[float], verdict: str
) -> None:
    stated = conjecture(
        claim,
        chain="rescale",
        quantifier="mean field",
        n=2,
        ell="1..2",
        assume="cosine_0 >= 0",
        name="c",
    )
    assert stated.space.whole
    found = stated.statement()
    for check in found.checks:
        evidence = check(found, given(np.transpose([[1.0, 0.0], second])))
        assert evidence.details.get("batch", verdict) == verdict
        if verdict == "refuted":  # and no shrinking has made another batch of it
            assert evidence.verdict is Verdict.REFUTED
            start = evidence.details["witness"]["start"]
            assert start == {"gram": [["1", "1/2"], ["1/2", "5/4"]]}
