"""What the library's checks look at is what their labels, ranges and words say, and no less."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import hypothesis
import numpy as np
import pytest
import sympy as sp
from hypothesis import HealthCheck
from layouts import RECORD, digests
from newcomers import new

from simulators import rescale_chain
from theorems import Assumption, Sentinel, get, library
from theorems.checking.declared import DeclaredInputs
from theorems.checking.expectation import Expectation, Instance
from theorems.checking.hypothesis_search import search
from theorems.checking.pointwise import Pointwise, admitted
from theorems.families.cluster import inputs as cluster_inputs
from theorems.families.orthogonality.inputs import one_layer
from theorems.registry import package_of
from theorems.statement import Statement, Variable

RECORDED = json.loads(RECORD.read_text(encoding="utf-8"))
HOW = "python -m tests.theorems.layouts"


OWN = [statement for statement in library() if not package_of(statement)]


@pytest.mark.parametrize("statement", OWN, ids=lambda statement: statement.name)
def test_what_is_looked_at_is_on_record(statement: Statement) -> None:
    recorded = RECORDED["layouts"].get(statement.name)
    if recorded is None:
        new(f"what the checks of {statement.name} look at is not on record: {HOW}")
    found = digests(statement)
    if hypothesis.__version__ != RECORDED["hypothesis"]:  # draws are those of a version
        recorded, found = (
            {name: digest for name, digest in those.items() if not name.endswith("drawn")}
            for those in (recorded, found)
        )
    changed = sorted(name for name, _ in recorded.items() ^ found.items())
    assert not changed, (
        f"{statement.name}: its checks look at other inputs than on record ({'; '.join(changed)}). "
        f"A change that was not meant is to be undone. After one that was: {HOW}"
    )


EVERY_INPUT = [
    pytest.param(statement, check, id=f"{statement.name}-{number}")
    for statement in library()
    for number, check in enumerate(statement.checks)
    if isinstance(check, Pointwise)
]


@pytest.mark.parametrize(("statement", "check"), EVERY_INPUT)
def test_what_a_family_proposes_meets_what_is_assumed(statement: Statement, check: Any) -> None:
    """The declared domains are walked too, so that no verdict need tell of proposals that all lie
    outside.
    """
    met: list[Any] = []
    search(check.inputs(), lambda item: met.append(item) is not None, seed=0, examples=12)
    values = [check.values(item) for item in met]
    assert sum(admitted(statement, given) is True for given in values) >= len(met) / 2


def instances(name: str) -> list[Instance]:
    """What the sampling check of a statement lays out by itself."""
    statement = get(name)
    (check,) = [c for c in statement.checks if isinstance(c, Expectation)]
    found = list(check.instances(statement, None))
    assert found
    return found


def shares(start: np.ndarray) -> np.ndarray:
    """The eigenvalues of a start over their sum, smallest last."""
    squares = np.linalg.svd(start, compute_uv=False) ** 2
    return np.asarray(squares / squares.sum())


@pytest.mark.parametrize("variant", ["as_printed", "sharp"])
def test_the_range_of_an_averaged_product_is_the_one_it_can_reach(variant: str) -> None:
    for instance in instances(f"orthogonality.averaged_stability:{variant}"):
        n = instance.start.shape[1]
        smallest = np.linspace(0, 1 / n, 1001)
        assert instance.support[0] == 0
        assert instance.support[1] == pytest.approx((smallest * (1 / n - smallest)).max(), rel=1e-8)


@pytest.mark.parametrize("variant", ["as_printed", "sharp"])
def test_the_range_of_a_deviation_is_the_one_it_can_reach(variant: str) -> None:
    """C⁺ is furthest from its mean at rank one."""
    for instance in instances(f"orthogonality.concentration:{variant}"):
        mean = np.diag(np.linalg.eigvalsh(instance.data["expected_gram"]))
        corners = [np.diag(row) for row in np.eye(len(mean))]
        furthest = max(np.sum((corner - mean) ** 2) for corner in corners)
        assert instance.support[0] == 0
        assert instance.support[1] == pytest.approx(furthest, rel=1e-6)


@pytest.mark.parametrize("name", ["decay:as_printed", "decay:sharp", "gaussian_limit:corrected"])
def test_what_a_bound_is_told_of_a_start_is_what_it_is(name: str) -> None:
    for instance in instances(f"orthogonality.{name}"):
        n = instance.start.shape[1]
        gap = 1 / n - shares(instance.start)[-1]
        for row in instance.readouts:
            assert row["n"] == n
            assert instance.chain == rescale_chain(row["d"])
            assert row["Vhat_1"] == pytest.approx(gap, rel=1e-9, abs=1e-15)


def test_starts_of_one_layer_have_spectra_of_sum_one() -> None:
    for label, start in one_layer(None):
        assert np.sum(start**2) == pytest.approx(1), label


def test_a_start_has_the_cosine_its_label_says() -> None:
    (paired,) = [c for c in get("rank.drift").checks if type(c).__name__ == "Paired"]
    for start in paired.starts(None):
        cosine = float(start.label.rpartition(" ")[2])
        rows = start.batch / np.linalg.norm(start.batch, axis=1, keepdims=True)
        gram = rows @ rows.T
        assert gram[~np.eye(len(gram), dtype=bool)] == pytest.approx(cosine)


@pytest.mark.parametrize(("within", "ties"), [*product(("", "first", "other"), (True, False))])
def test_corners_of_two_blocks_hold_every_split_sign_and_tie(within: str, ties: bool) -> None:
    found = cluster_inputs.layer_corners(within, ties=ties)
    least = {"": 1, "first": 2, "other": 1}[within], {"": 1, "first": 1, "other": 2}[within]
    splits = {(n, m) for n in range(2, 9) for m in range(least[0], n - least[1] + 1)}
    assert {(item["n"], item["m"]) for item in found} == splits
    signs = set()
    for item in found:
        for row in item["W"]:
            difference = sum(w * (c - o) for w, c, o in zip(row, item["c"], item["o"], strict=True))
            signs.add((difference > 0) - (difference < 0))
    assert signs == ({-1, 0, 1} if ties else {-1, 1})


@pytest.mark.parametrize("within", ["first", "other", ""])
def test_two_columns_of_a_block_are_two_and_lie_in_it(within: str) -> None:
    met: list[Any] = []

    @hypothesis.settings(
        max_examples=60, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @hypothesis.given(cluster_inputs.layer_inputs(within))
    def look(item: Any) -> None:
        met.append(item)

    look()
    for item in met:
        first = [column < item["m"] for column in (item["i"], item["j"])]
        assert item["i"] != item["j"]
        assert first == {"first": [True, True], "other": [False, False], "": [True, False]}[within]
    assert len(met) > 30
    assert {item["n"] for item in met} <= set(range(2, 8))


@pytest.mark.parametrize("name", ["decay:sharp", "averaged_stability:sharp"])
@pytest.mark.parametrize("batch", [np.ones((3, 1)), 1e-5 * np.ones((3, 1))])
def test_a_single_sample_moves_nowhere_and_is_not_simulated(name: str, batch: np.ndarray) -> None:
    statement = get(f"orthogonality.{name}")
    (check,) = [c for c in statement.checks if isinstance(c, Expectation)]
    assert list(check.instances(statement, batch)) == []


SLOPES = [s for s in library() if s.sentinel.words.startswith("slope within ")]


@pytest.mark.parametrize("statement", SLOPES, ids=lambda statement: statement.name)
def test_a_false_slope_is_the_one_its_words_say(statement: Statement) -> None:
    words = re.fullmatch(r"slope within (\S+) of (\S+)", statement.sentinel.words)
    assert words is not None
    reach, slope = map(sp.Rational, words.groups())
    left, right = statement.neighbour_sides
    (beta,) = left.free_symbols
    assert left.subs(beta, slope) == 0
    assert right == left.subs(beta, slope + reach) == reach


def test_inputs_meet_an_equality_of_what_is_defined() -> None:
    x, y, q = sp.symbols("x y q", real=True)
    unit = sp.Interval(0, 1)
    statement = replace(
        get("orthogonality.gap_vs_smallest_eigenvalue:sharp"),
        variables=(Variable(x, unit, "x"), Variable(y, unit, "y")),
        definitions={q: x + y / 3},
        assumptions=(Assumption(sp.Eq(q, sp.Rational(2, 3)), "q is 2/3"),),
        lhs=x,
        rhs=q,
        sentinel=Sentinel("", rhs=sp.S.Zero),
        proof=None,
        ceiling=None,
    )
    corners = DeclaredInputs(statement, dict).corners()
    meet = [item for item in corners if item["x"] + item["y"] / 3 == Fraction(2, 3)]
    assert len(meet) > len(corners) / 4
