"""Claims "for every start" meet starts that differ in more than their spectrum, and say over which they speak."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulators import simulate
from simulators.starts import Start, corner_axes, corner_samples
from simulators.strategies import corner_spectra
from theorems import Verdict, conjecture, get, verify
from theorems.checking.expectation import Expectation
from theorems.cli import main
from theorems.context import Context
from theorems.witnesses import Corpus, Witness
from theorems.workbench.adversaries import MeanAdversary, StartAdversary
from theorems.workbench.design import Design
from theorems.workbench.parsing import ClaimError
from theorems.workbench.starts import (
    covering_array,
    gram_of,
    plainer,
    read_start,
    shown_start,
)

ANGLE: dict[str, Any] = dict(chain="vanilla(identity)", n=2, d="64..128", ell="1..2", name="c")
HALF = Fraction(1, 2)


def design_of(claim: str, **options: Any) -> tuple[Any, Design]:
    """The statement of a claim about a mean, and its lay-out."""
    made = conjecture(claim, **{"name": "c", **options})
    assert made.design is not None
    return made.statement(falsify=False), made.design


def verdict_of(claim: str, **options: Any) -> Any:
    return verify([conjecture(claim, name="c", **options).statement(falsify=False)])[0]


# --- the arrays -----------------------------------------------------------------------------------


def pairs(rows: Any) -> set[Any]:
    return {pair for row in rows for pair in combinations(enumerate(row), 2)}


@pytest.mark.parametrize(
    "levels", [[3], [2, 2], [5, 4, 3], [2, 2, 5, 5, 5, 4], [2, 3, 1, 4, 2, 5, 4]]
)
def test_a_covering_array_shows_every_pair_of_levels(levels: list[int]) -> None:
    rows = covering_array(levels, lambda _: True)
    whole = list(product(*map(range, levels)))
    assert set(rows) <= set(whole)
    assert pairs(rows) == pairs(whole)
    largest = sorted(levels)[-2:]
    assert len(rows) <= 2 * int(np.prod(largest))


def test_a_covering_array_keeps_to_what_is_allowed_and_misses_no_pair_that_is() -> None:
    def allowed(row: tuple[int, ...]) -> bool:
        return row[2] < 2 or row[3] > 2

    levels = [2, 2, 5, 5, 5, 4]
    rows = covering_array(levels, allowed)
    assert all(map(allowed, rows))
    assert pairs(rows) == pairs(filter(allowed, product(*map(range, levels))))
    assert covering_array(levels, lambda _: False) == []


# --- the lay-out ----------------------------------------------------------------------------------

SEEING_MORE = [
    ("cosine >= -1/10", dict(chain="rescale")),
    ("effective_rank >= 11/10", dict(chain="batchnorm(tanh)")),
    ("effective_rank >= 11/10", dict(chain="vanilla(relu)")),
    ("orthogonality_gap <= 7/10", dict(chain="recenter_relu")),
    ("effective_rank >= 11/10", dict(chain="residual", gamma="1/10")),
    ("probability >= 1/2", dict(chain="rescale", event="absolute_cosine <= 9/10")),
    ("orthogonality_gap <= 7/10", dict(chain="rescale", assume="cosine_0 >= -9/10")),
]


@pytest.mark.parametrize(("claim", "options"), SEEING_MORE)
def test_where_more_than_the_spectrum_counts_all_coordinates_vary(
    claim: str, options: dict[str, Any]
) -> None:
    statement, design = design_of(claim, **options, n="4..6", d="32..64", ell=1)
    items = design.items(statement)
    starts = [read_start(item["start"]) for item in items]
    assert len({s.spectrum for s in starts}) >= 3
    assert len({(s.axes, s.mirrors) for s in starts}) >= 5
    assert any(x < 0 for s in starts for x in s.scales)
    assert any(len(set(s.copies)) < s.size for s in starts)
    assert any(len({abs(x) for x in s.scales}) > 1 for s in starts)
    assert len(items) <= 60
    for instance in design.instances(statement, None):
        trajectory = simulate(instance.chain, instance.start, depth=1, observables=("gram",))
        assert np.isfinite(trajectory.values["gram"]).all()


def test_two_starts_of_one_spectrum_are_told_apart_by_every_coordinate() -> None:
    """Basis, signs, copies and scales each change what a chain that sees them gives; none is idle."""
    statement, design = design_of(
        "cosine >= -1/10", **{k: v for k, v in ANGLE.items() if k != "name"}
    )
    seen = {}
    for item in design.items(statement):
        gram = gram_of(item["start"])
        seen[gram[0][1] ** 2 / gram[0][0] / gram[1][1] * (1 if gram[0][1] > 0 else -1)] = item
    assert min(seen) == -1
    assert max(seen) == 1
    assert 0 in seen
    assert len(seen) >= 5


def test_spectra_alone_are_laid_out_where_nothing_else_counts() -> None:
    statement, design = design_of(
        "orthogonality_gap <= 7/10", chain="rescale", n="4..6", d="32..64", ell=1
    )
    assert all("spectrum" in item for item in design.items(statement))
    turned = np.array(Start(corner_spectra(4)["distinct"], corner_axes(4)["mean first"]).batch(4))
    plain = np.array(Start(corner_spectra(4)["distinct"]).batch(4))
    gaps = [
        simulate(design.chain(32, {}), batch, depth=1, replicas=4000, seed=k)["orthogonality_gap"][
            :, 1
        ]
        for k, batch in enumerate((turned, plain))
    ]
    deviation = np.sqrt(sum(x.var() / len(x) for x in gaps))
    assert abs(gaps[0].mean() - gaps[1].mean()) < 5 * deviation  # two-sided error 6e-7


def test_a_lay_out_is_of_the_assumptions_it_is_asked_for() -> None:
    statement, design = design_of(
        "orthogonality_gap <= 7/10",
        chain="rescale",
        n="2..3",
        d="32..64",
        ell=1,
        assume="smallest_eigenvalue_0 >= 1/10",
    )
    fewer = design.items(statement)
    assert len(design.items(replace(statement, assumptions=()))) > len(fewer) > 0
    assert design.items(statement) == fewer


def test_starts_at_which_a_quantity_is_undefined_are_left_out() -> None:
    statement, design = design_of(
        "cosine >= -9/10", chain="batchnorm(tanh)", n="2..4", d="32..64", ell=1
    )
    for item in design.items(statement):
        gram = np.array([[float(x) for x in row] for row in gram_of(item["start"])])
        centre = np.eye(len(gram)) - 1 / len(gram)
        assert (np.diag(gram) > 0).all()
        assert (np.diag(centre @ gram @ centre) > 1e-12 * np.trace(gram)).all()
    equal = {
        "n": Fraction(2),
        "d": Fraction(32),
        "ell": Fraction(1),
        "start": shown_start(Start((HALF, HALF), (), (), *corner_samples(2)["x, x"])),
    }
    assert not design.allows(statement, equal)


# --- the verdicts ---------------------------------------------------------------------------------


def test_x_and_minus_x_refute_a_bound_on_the_cosine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "verify",
        "--claim",
        "cosine >= -1/10",
        "--chain",
        "vanilla(identity)",
        "--where",
        "n=2",
        "--where",
        "d=256..512",
        "--where",
        "ell=1..2",
        "--corpus",
        str(tmp_path),
    ]
    assert main(arguments) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "refuted" in printed
    assert "samples x, -x" in printed
    (path,) = tmp_path.iterdir()
    start = tomllib.loads(path.read_text())["input"]["start"]
    assert start == {
        "spectrum": ["1/2", "1/2"],
        "axes": [["1", "0"], ["0", "1"]],
        "copies": [0, 0],
        "scales": ["1", "-1"],
    }
    assert main(["falsify", *arguments[1:]]) == 1
    assert "witness of an earlier run" in " ".join(capsys.readouterr().out.split())


FALSE = [
    (
        "mean_absolute_cosine <= 9/10",
        dict(chain="vanilla(identity)", n="3..4", d="32..64", ell=1),
    ),  # x, x
    (
        "effective_rank >= 3/2",
        dict(chain="vanilla(relu)", n="3..4", d="64..128", ell=1),
    ),  # a sample 100 times larger
    ("absolute_cosine <= 3/4", dict(chain="vanilla(tanh)", n=2, d="64..128", ell="1..2")),
    ("mean_absolute_cosine <= 9/10", dict(chain="batchnorm(tanh)", n="3..4", d="32..64", ell=2)),
    ("probability >= 1/2", dict(chain="rescale", n=2, d="64..128", ell=1, event="cosine >= -1/2")),
]


@pytest.mark.parametrize(("claim", "options"), FALSE)
def test_what_is_false_off_the_spectrum_is_refuted_by_the_lay_out_alone(
    claim: str, options: dict[str, Any]
) -> None:
    assert verdict_of(claim, **options).verdict is Verdict.REFUTED


def test_a_true_claim_is_supported_and_says_over_which_starts() -> None:
    result = verdict_of(
        "cosine >= -1/10", **{k: v for k, v in ANGLE.items() if k != "name"}, assume="cosine_0 >= 0"
    )
    assert result.verdict is Verdict.SUPPORTED
    assert not result.weak_sentinels
    (evidence,) = result.evidence
    assert evidence.summary.endswith(evidence.details["scope"])
    for words in (
        "instances: spectra ",
        "bases diagonal",
        "mean first",
        "samples ",
        "x, x",
        "scales ",
        "n = 2;",
        "d = 64, 128;",
        "ell = 1, 2",
    ):
        assert words in evidence.details["scope"], words
    assert "x, -x" not in evidence.details["scope"]  # whose cosine is -1


def test_the_budget_is_split_over_every_readout() -> None:
    made = conjecture("cosine >= -1/10", **ANGLE, assume="cosine_0 >= 0")
    statement = made.statement(falsify=False)
    assert made.design is not None
    spent: list[float] = []
    (check,) = statement.checks

    def noted(instance: Any, size: int, stage: int, _: Any, context: Any) -> Any:
        spent.append(context.level)
        raise KeyboardInterrupt

    readouts = sum(len(i.readouts) for i in made.design.instances(statement, None))
    object.__setattr__(check, "draw", noted)
    with pytest.raises(KeyboardInterrupt):
        check(statement, Context(0, 1e-6))
    assert spent == [pytest.approx(1e-6 / (2 * readouts))]


# --- assumptions ----------------------------------------------------------------------------------


ASSUMED = [
    "cosine_0 >= 0",
    "cosine_0 <= -99/100",
    "mean_absolute_cosine_0 <= 1/2",
    "effective_rank_0 >= 3",
    "smallest_eigenvalue_0 >= 1/100",
    "absolute_cosine_0 == 1",
    "orthogonality_gap_0 <= 1/3",
    "cosine_0 >= 1/2",
    "soft_rank(1/2)_0 >= 2",
]


@pytest.mark.parametrize("assumption", ASSUMED)
def test_an_assumption_may_speak_of_any_quantity_at_the_start(assumption: str) -> None:
    statement, design = design_of(
        "mean_absolute_cosine <= 9/10",
        chain="batchnorm(tanh)",
        n="4..5",
        d="32..64",
        ell=1,
        assume=assumption,
    )
    items = design.items(statement)
    assert len(items) >= 4
    name, relation, bound = assumption.split()
    name = "soft_rank(0.5)" if name.startswith("soft") else name.removesuffix("_0")
    for item in items:
        gram = np.array([[float(x) for x in row] for row in gram_of(item["start"])])
        values, vectors = np.linalg.eigh(gram)
        batch = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
        batch = np.vstack([batch, np.zeros((int(item["d"]) - len(batch), len(batch)))])
        (value,) = simulate(
            design.chain(int(item["d"]), {}), batch, depth=1, observables=(name,)
        ).values[name][:, 0]
        sign = {">=": 1, "<=": -1, "==": 0}[relation]
        gap = value - float(Fraction(bound))
        assert sign * gap > -1e-9 if sign else abs(gap) < 1e-9


def test_assumptions_are_decided_exactly_at_the_edge() -> None:
    """Spectrum (199/200, 1/200) in the basis that begins with the mean: the cosine is 99/100,
    neither more nor less.
    """
    edge = {
        "n": Fraction(2),
        "d": Fraction(64),
        "ell": Fraction(1),
        "start": shown_start(Start(corner_spectra(2)["one small"], corner_axes(2)["mean first"])),
    }
    for assumption, met in (
        ("cosine_0 >= 99/100", True),
        ("cosine_0 > 99/100", False),
        ("cosine_0 == 99/100", True),
        ("smallest_eigenvalue_0 >= 1/200", True),
        ("smallest_eigenvalue_0 > 1/200", False),
    ):
        statement, design = design_of(
            "cosine >= -99/100",
            **{k: v for k, v in ANGLE.items() if k != "name"},
            assume=assumption,
        )
        assert design.allows(statement, edge) is met, assumption


def test_starts_are_sought_where_no_named_one_meets_the_assumptions() -> None:
    statement, design = design_of(
        "absolute_cosine <= 9/10",
        chain="vanilla(relu)",
        n=3,
        d="32..64",
        ell=1,
        assume=["cosine_0 >= 31/100", "cosine_0 <= 32/100"],
    )
    found = {item["start"]["spectrum"] for item in design.items(statement)}
    assert found
    for item in design.items(statement):
        gram = gram_of(item["start"])
        cosine = float(gram[0][1]) / np.sqrt(float(gram[0][0] * gram[1][1]))
        assert 0.31 <= cosine <= 0.32


@pytest.mark.parametrize(
    ("assumption", "words"),
    [
        ("cosine_0 >= 2", "nothing meets the assumptions"),
        ("cosine >= 0", "write cosine_0, not cosine"),
    ],
)
def test_an_assumption_that_cannot_be_met_is_refused_in_words_that_fit(
    assumption: str, words: str
) -> None:
    with pytest.raises(ClaimError, match=words):
        conjecture("cosine >= -1/10", **ANGLE, assume=assumption)


def test_at_infinite_width_an_assumption_may_speak_of_angles_and_a_claim_is_told_what_is_followed() -> (
    None
):
    options: dict[str, Any] = dict(chain="rescale", n=3, ell=3, quantifier="mean field")
    held = verdict_of("orthogonality_gap >= 1/50", **options, assume="cosine_0 >= 9/10")
    assert held.verdict in (
        Verdict.SUPPORTED,
        Verdict.INCONCLUSIVE,
    )  # few draws may meet the assumption
    assert (
        verdict_of("orthogonality_gap <= 4/5", **options, assume="cosine_0 >= 9/10").verdict
        is Verdict.REFUTED
    )
    away = "smallest_eigenvalue_0 >= 1/100"
    assert verdict_of("cosine >= 0", **options, assume=away).verdict is Verdict.REFUTED
    with pytest.raises(ClaimError, match="assume= such points away") as caught:
        conjecture("cosine >= 0", **options)  # ranks that are nearly less cannot be followed
    assert "\n" not in str(caught.value)


def test_a_batch_is_held_against_assumptions_about_angles() -> None:
    claim = conjecture("cosine >= -1/10", **{**ANGLE, "d": 64}, assume="cosine_0 >= 0").statement(
        falsify=False
    )
    inside = verify([claim], batch=np.array([[1.0, 1.0], [0.0, 1.0]]))[0]
    assert inside.verdict is Verdict.SUPPORTED
    assert verify([claim], batch=np.array([[1.0, -1.0], [0.0, 1.0]]))[0].verdict is Verdict.OUTSIDE


# --- the search -----------------------------------------------------------------------------------


def test_the_search_moves_every_coordinate_of_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Start] = []
    real = MeanAdversary.pilot

    def noted(self: Any, statement: Any, item: Any) -> float:
        seen.append(read_start(item["start"]))
        return -1.0 if len(seen) > 400 else real(self, statement, item)

    statement = conjecture("cosine >= -99/100", **ANGLE, assume="cosine_0 >= -9/10").statement(
        only=True
    )
    (check,) = statement.checks
    monkeypatch.setattr(MeanAdversary, "pilot", noted)
    around = Context(0, 1e-6, progress=lambda _: seen.clear())  # told as each attack begins
    tried: dict[str, int] = {}
    assert check.adversary.hunt(statement, around, [], tried) is None
    assert list(tried)[-1] == "differential evolution over starts"
    for coordinate, least in (
        ("spectrum", 9),
        ("axes", 3),
        ("mirrors", 9),
        ("copies", 2),
        ("scales", 9),
    ):
        assert len({getattr(start, coordinate) for start in seen}) >= least, coordinate


def test_a_witness_is_shrunk_to_plain_samples() -> None:
    tangled = Start(
        corner_spectra(5)["distinct"],
        corner_axes(5)["pairs first"],
        ((Fraction(1), Fraction(2), Fraction(0), Fraction(1), Fraction(1)),),
        (0, 0, 2, 3, 4),
        tuple(map(Fraction, ("3", "-2", "1", "5", "1"))),
    )
    item = {"n": Fraction(5), "d": Fraction(97), "ell": Fraction(7), "start": shown_start(tangled)}

    def opposite(candidate: Any) -> bool:
        if int(candidate["n"]) != len(candidate["start"]["spectrum"]) or candidate["d"] < 8:
            return False
        gram = gram_of(candidate["start"])
        return len(gram) > 1 and gram[0][1] < 0 and gram[0][1] ** 2 == gram[0][0] * gram[1][1]

    found = plainer(item, opposite)
    assert found["n"] == 2
    assert read_start(found["start"]) == Start(
        (HALF, HALF), (), (), (0, 0), (Fraction(1), Fraction(-1))
    )


def test_witnesses_of_an_earlier_format_are_still_replayed(tmp_path: Path) -> None:
    """A spectrum alone stood for the diagonal basis, and under chains that see more for the mean
    direction first.
    """
    claim = conjecture(
        "effective_rank >= 9/5", name="c", chain="batchnorm(tanh)", n=2, d="64..128", ell=1
    )
    spectrum = corner_spectra(2)["one small"]
    old = {"n": Fraction(2), "d": Fraction(64), "ell": Fraction(1), "spectrum": spectrum}
    statement = claim.statement(corpus=tmp_path, only=True)
    Corpus(tmp_path).keep(Witness(statement.name, "as it was", old, "mean"))
    assert claim.design is not None
    full = claim.design.completed(old)
    assert read_start(full["start"]) == Start(spectrum, corner_axes(2)["mean first"])
    (search,) = claim.statement(corpus=tmp_path, only=True).checks
    assert search(statement, Context(0, 1e-6)).details["attack"] == "witness of an earlier run"


def test_a_witness_of_another_claim_of_that_name_is_passed_over(tmp_path: Path) -> None:
    claim = conjecture("cosine >= -1/10", **ANGLE)
    statement = claim.statement(corpus=tmp_path, only=True)
    base = {"n": Fraction(2), "d": Fraction(64), "ell": Fraction(1)}
    for start in (
        {"spectrum": (HALF, HALF), "axes": ((HALF, HALF), (HALF, HALF))},
        {"spectrum": (HALF,)},
        {"gram": ((HALF, HALF),)},
        HALF,
    ):
        Corpus(tmp_path).keep(Witness(statement.name, "another", base | {"start": start}, "mean"))
    (search,) = claim.statement(corpus=tmp_path, only=True).checks
    found = search(statement, replace(Context(0, 1e-6)))
    assert found.verdict is Verdict.REFUTED
    assert found.details["attack"] != "witness of an earlier run"


# --- the library ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("orthogonality.vanilla_alignment:vanilla", True),  # of a cosine
        (
            "orthogonality.averaged_stability:sharp",
            False,
        ),  # of spectra, under a chain that turns with its samples
    ],
)
def test_the_search_of_a_library_statement_moves_what_counts(name: str, whole: bool) -> None:
    statement = get(name)
    adversary = StartAdversary(next(c for c in statement.checks if isinstance(c, Expectation)))
    starts = [read_start(item["start"]) for item in adversary.starts(statement) if "start" in item]
    assert bool(starts) is whole
    if whole:
        assert len({(s.axes, s.mirrors) for s in starts}) > 4
        assert any(x < 0 for s in starts for x in s.scales)
        assert any(len(set(s.copies)) < s.size for s in starts)
        assert any(len({abs(x) for x in s.scales}) > 1 for s in starts)


def test_a_verdict_of_the_library_names_the_instances_it_speaks_of() -> None:
    statement = get("orthogonality.vanilla_alignment:batchnorm")
    (check,) = (c for c in statement.checks if isinstance(c, Expectation))
    fewer = replace(check, replicas=64, instances=lambda *given: list(check.instances(*given))[:2])
    scope = fewer(statement, Context(0, 1e-2)).details["scope"]
    assert scope.startswith("2 instances: d=32, 64 layers, eigenvalues ")
    assert "d=128, 64 layers" in scope


def test_a_claim_about_an_exponent_says_from_which_start() -> None:
    claim = conjecture(
        "abs(slope + 1/2) <= 1/5",
        name="c",
        quantifier="limit",
        observable="orthogonality_gap",
        chain="rescale",
        n=3,
        d="32..64",
        ell=4,
    )
    (check,) = claim.statement(falsify=False).checks
    found = replace(check, rounds=1, replicas=8)(claim.statement(falsify=False), Context(0, 1e-2))
    assert found.summary.endswith("from one start: n = 3, uniform; ell = 4")
