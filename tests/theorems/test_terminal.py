"""Typesetting, numbers as text, and what a table says: by value, on small cases written out by hand."""

from __future__ import annotations

import io
import re
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
import sympy as sp
from rich.console import Console
from rich.text import Text

from simulators.batches import Batch, gaussian_batch
from theorems.checking.width_limit import FollowedPath, FollowedPaths
from theorems.commands.arguments import batch_line
from theorems.commands.show import print_statement
from theorems.commands.verify import Run, how_it_fell, print_outcome, reasons
from theorems.registry import get, library
from theorems.statement import Evidence, Statement, Variable, Verdict
from theorems.terminal import typesetting
from theorems.terminal.progress import Meter
from theorems.terminal.screen import duration, field, ratio, sensitivity, shortened
from theorems.terminal.typesetting import block, claim, domain, inline, notation, words
from theorems.verification import Result

n, d, ell, alpha, Vhat_1 = sp.symbols("n d ell alpha Vhat_1", positive=True)
i = sp.Symbol("i", integer=True)
lam = sp.IndexedBase("lambda", real=True)


def columns(line: str) -> int:
    return sum(not unicodedata.combining(letter) for letter in line)


def plain(width: int = 80) -> Console:
    return Console(
        file=io.StringIO(), width=width, color_system=None, markup=False, highlight=False
    )


def printed(out: Console) -> str:
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


# --- one line -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (
            2 * (1 - 2 * alpha / 3) ** ell + 3 * n / (alpha * sp.sqrt(d)),
            "2·(1 - 2·α/3)^ℓ + 3·n/(α·√d)",
        ),
        (1 / n - Vhat_1, "1/n - V̂₁"),
        (sp.sqrt(1 - 1 / n), "√(1 - 1/n)"),
        (1 / sp.sqrt(n), "1/√n"),
        (2 - 2 / sp.sqrt(n), "2 - 2/√n"),
        (1 / (4 * n**2), "1/(4·n²)"),
        (n ** sp.Rational(3, 2), "n^(3/2)"),
        (sp.Sum((lam[i] - 1 / n) ** 2, (i, 0, n - 1)), "Σᵢ (λᵢ - 1/n)²"),
        (sp.Sum(lam[i], (i, 0, n - 1)) ** -2, "1/(Σᵢ λᵢ)²"),
        (sp.Sum(lam[i], (i, 0, n - 1)) * sp.Sum(lam[i] ** 2, (i, 0, n - 1)), "(Σᵢ λᵢ)·(Σᵢ λᵢ²)"),
        (sp.Product(lam[i], (i, 0, n - 1)), "∏ᵢ λᵢ"),
        (sp.Abs(sp.Symbol("beta") + sp.Rational(1, 2)), "|β + 1/2|"),
        (sp.Ge(sp.sqrt(alpha), d), "√α ≥ d"),
        (sp.Ne(n, 1), "n ≠ 1"),
    ],
)
def test_inline(expression: Any, expected: str) -> None:
    assert inline(expression) == expected


def test_inline_puts_definitions_in_place() -> None:
    assert inline(2 * Vhat_1, {"Vhat_1": "V̂(H₁)"}) == "2·V̂(H₁)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("V̂(H_1)", "V̂(H₁)"),
        ("σ_n(H_k) ≥ α", "σₙ(Hₖ) ≥ α"),
        ("sigma_n^2", "σₙ²"),
        ("min_i lambda[i]", "minᵢ λ[i]"),
        ("n^(-1/2)", "n^(-1/2)"),
        ("H_{ℓ+1}", "H_{ℓ+1}"),
        ("‖H‖_F", "‖H‖_F"),
        ("as_printed", "as_printed"),
        ("well, alphabet, room", "well, alphabet, room"),
        ("10^12", "10¹²"),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("symbol", "place", "expected"),
    [
        (n, sp.Range(1, sp.oo), "n ∈ {1, 2, …}"),
        (n, sp.Range(2, 9), "n ∈ {2, 3, …, 8}"),
        (alpha, sp.Interval.Lopen(0, 1 / sp.sqrt(n)), "α ∈ (0, 1/√n]"),
        (alpha, sp.Interval(0, 1), "α ∈ [0, 1]"),
        (alpha, sp.Interval.Lopen(0, sp.oo), "α ∈ (0, ∞)"),
        (alpha, sp.Interval.Ropen(0, 1), "α ∈ [0, 1)"),
    ],
)
def test_domain(symbol: sp.Symbol, place: sp.Set, expected: str) -> None:
    assert domain(Variable(symbol, place, "")) == expected


def test_domain_of_a_family() -> None:
    assert domain(Variable(lam, sp.Interval(0, 1), "", size=(n,))) == "λᵢ ∈ [0, 1]"
    assert domain(Variable(sp.IndexedBase("A"), sp.Reals, "", size=(d, n))) == "Aᵢⱼ ∈ ℝ"


# --- blocks -------------------------------------------------------------------------------------------------


def test_claim_of_the_decay_theorem() -> None:
    assert claim(get("orthogonality.decay:as_printed"), 76) == [
        "                                                     ℓ",
        "                                            ⎛    2⋅α⎞    3⋅n",
        "E[V(H_{ℓ+1}) · 1{the assumption holds}] ≤ 2⋅⎜1 - ───⎟  + ────",
        "                                            ⎝     3 ⎠    α⋅√d",
    ]


def test_claim_keeps_the_symbol_where_the_words_do_not_fit() -> None:
    lines = claim(get("orthogonality.decay:sharp"), 76)
    assert any(line.startswith("E_V ≤ ") for line in lines)
    assert any("V̂(H₁)" in line for line in lines)


@pytest.mark.parametrize("width", [40, 56, 76, 96, 116])
@pytest.mark.parametrize("statement", library(), ids=lambda s: s.name)
def test_no_claim_is_wider_than_asked(statement: Statement, width: int) -> None:
    lines = claim(statement, width)
    assert max(columns(line) for line in lines) <= width


def test_a_long_relation_breaks_at_its_sign_and_at_its_terms() -> None:
    terms = [sp.Symbol(f"term{k}" * 3) for k in range(4)]
    lines = block(sp.Le(n, sum(terms), evaluate=False), 40)
    assert lines[0] == "n"
    assert lines[2].startswith("  ≤ ")
    assert all(line.startswith("  + ") for line in lines[4::2])
    assert max(map(len, lines)) <= 40


def test_negative_terms_keep_their_sign_when_a_side_is_broken() -> None:
    long, longer = sp.symbols("abcdefghijkl mnopqrstuvwx")
    assert block(sp.Eq(d, long - longer, evaluate=False), 20) == [
        "d",
        "",
        "  = abcdefghijkl",
        "",
        "  - mnopqrstuvwx",
    ]


def test_named_parts_are_the_expression() -> None:
    """What the letters stand for, put back, is what was to be printed."""
    x = sp.Symbol("x", positive=True)
    large = (1 + x * (2 + x) / (3 + x)) ** 2 + sp.sqrt(x)
    expression = large**3 + large ** sp.Rational(1, 3) * (1 + 1 / large)
    lines = block(expression, 30)
    assert any(re.match(r"\s*a₁ =", line) for line in lines)
    assert max(map(len, lines)) <= 30


def test_the_last_resort_is_wrapped_text() -> None:
    huge = sum(sp.Symbol(f"x{k}") ** sp.Symbol(f"y{k}") for k in range(30)) ** sp.Rational(1, 7)
    lines = block(huge, 30)
    assert max(map(len, lines)) <= 30
    assert len(lines) > 3


def test_only_short_definitions_replace_their_symbol() -> None:
    decay = get("orthogonality.decay:sharp")
    assert notation(decay) == {"Vhat_1": "V̂(H₁)"}
    assert (
        notation(
            replace(
                decay, definitions=dict.fromkeys(decay.definitions, "the gap of the first layer")
            )
        )
        == {}
    )


def test_positive_terms_come_first() -> None:
    assert typesetting.block(1 / n - alpha, 40)[1] == "─ - α"


# --- numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (0.0, "0.000"),
        (0.46770717, "0.468"),
        (1.0, "1.000"),
        (8.1e-05, "8.1e-05"),
        (1234.5, "1.2e+03"),
    ],
)
def test_ratio(value: float | None, expected: str) -> None:
    assert ratio(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (0.0, "exact"),
        (0.0972, "0.097"),
        (0.5, "0.5"),
        (1.0, "≥ 1"),
        (float("inf"), "≥ 1"),
    ],
)
def test_sensitivity(value: float | None, expected: str) -> None:
    assert sensitivity(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.04, "0.0 s"), (59.9, "59.9 s"), (60, "1 min 00 s"), (205.7, "3 min 25 s")],
)
def test_duration(value: float, expected: str) -> None:
    assert duration(value) == expected


def test_shortened_keeps_both_ends() -> None:
    assert shortened("a  b\nc", 10) == "a b c"
    long = "".join(chr(97 + k % 26) for k in range(200))
    assert len(shortened(long, 60)) <= 60
    assert shortened(long, 60).startswith(long[:30])
    assert shortened(long, 60).endswith(long[-16:])


def test_field_wraps_beside_its_margin() -> None:
    out = plain(34)
    field(out, "Name", "one two three four five six seven")
    assert printed(out) == "Name          one two three four\n              five six seven\n"


# --- outcome ------------------------------------------------------------------------------------------------


def finding(**given: Any) -> Evidence:
    return Evidence(
        **{
            "method": "search",
            "verdict": Verdict.REFUTED,
            "summary": "somewhere",
            "sentinel": Verdict.REFUTED,
        }
        | given
    )


def test_a_crossing_is_told_with_layer_and_both_sides() -> None:
    def path(n: int, layer: int | None) -> FollowedPath:
        return FollowedPath(
            n=n,
            start=["1/4", "3/4"],
            multiplicities=[n // 2, n // 2],
            parameters={},
            crossing_layer=layer,
            tightness=1.0,
            last_layer=110,
            lhs="[3.45667898e-8 +/- 4e-20]",
            rhs="[3.44439e-8 +/- 4e-20]",
            verdict=Verdict.CERTIFIED if layer is None else Verdict.REFUTED,
        )

    followed = FollowedPaths(128, 300, (path(16, 110), path(32, None)))
    found = how_it_fell(get("orthogonality.decay:as_printed"), [finding(details=followed)])
    assert found == (
        "the certified width-limit path crosses the bound at layer 110 for n = 16 "
        "(3.45668e-08 > 3.44439e-08)"
    )


@pytest.mark.parametrize(
    ("name", "witness", "expected"),
    [
        (
            "orthogonality.iterative_initialisation:as_printed",
            ["4/5", "3/5"],
            "false at σ = (4/5, 3/5)",
        ),
        ("orthogonality.unit_frobenius", [["1", "0"], ["2", "1"]], "false at A = ((1, 0), (2, 1))"),
        (
            "orthogonality.convexity:as_printed",
            {"n": 2, "theta": "1/50"},
            "false at n = 2, θ = 1/50",
        ),
    ],
)
def test_a_witness_is_told_by_its_symbol(name: str, witness: Any, expected: str) -> None:
    assert how_it_fell(get(name), [finding(details={"witness": witness})]) == expected


def test_a_refutation_by_sampling_is_told_by_its_summary() -> None:
    evidence = [
        finding(verdict=Verdict.SUPPORTED, summary="fine"),
        finding(summary="mean in [2, 3], bound 1"),
    ]
    assert (
        how_it_fell(get("orthogonality.concentration:as_printed"), evidence)
        == "mean in [2, 3], bound 1"
    )


def test_reasons_name_every_defect_and_nothing_else() -> None:
    statement = get("orthogonality.convexity:corrected")
    run = Run(1, 0, 1e-6)
    sound = Result(statement, Verdict.CERTIFIED, (finding(verdict=Verdict.CERTIFIED),))
    assert sound.as_expected
    assert reasons(sound, run) == ""
    weak = Result(
        statement,
        Verdict.CERTIFIED,
        (finding(verdict=Verdict.CERTIFIED, sentinel=Verdict.CERTIFIED),),
    )
    assert reasons(weak, run) == "its false neighbour survived: search"
    lower = Result(statement, Verdict.SUPPORTED, (finding(verdict=Verdict.SUPPORTED),))
    assert reasons(lower, run) == "only supported, expected certified"


def test_batch_line_spells_out_the_convention() -> None:
    batch = Batch.of(gaussian_batch(7, 2, seed=0), "two samples")
    assert batch_line(batch) == "two samples; as the 7 × 2 matrix H, one sample per column"
    assert "own inputs" in batch_line(None)


@pytest.mark.parametrize("width", [80, 99, 100, 120])
def test_the_table_fits_and_lines_up(width: int) -> None:
    results = [
        Result(
            s,
            s.expected,
            (finding(verdict=s.expected, summary="many means by confidence sequence " * 3),),
        )
        for s in library()
    ]
    out = plain(width)
    print_outcome(out, results, Run(len(results), 0, 1e-6))
    lines = printed(out).splitlines()
    assert max(columns(line) for line in lines) <= width
    assert all(line == line.rstrip() for line in lines)
    rows = [line for line in lines if "✓ " in line and "0.0 s" in line]
    assert len(rows) == len(library())
    assert len({line.index("✓") for line in rows}) == 1
    assert len({line.index("0.0 s") for line in rows}) == 1


# --- page and progress --------------------------------------------------------------------------------------


def test_an_unknown_check_is_described_by_its_docstring() -> None:
    class CoinToss:
        """Tosses ``n`` coins.

        More about it.
        """

        def __call__(self, statement: Statement, context: Any) -> Evidence:
            return finding()

    out = plain()
    print_statement(out, replace(get("orthogonality.width_scaling"), checks=(CoinToss(),)))
    assert "Attacked by   coin toss: Tosses n coins." in printed(out).splitlines()


def test_every_check_of_the_library_is_described_in_words() -> None:
    for statement in library():
        out = plain(400)
        print_statement(out, statement)
        after = printed(out).split("Attacked by")[1]
        assert re.match(
            r"\s+(exact arithmetic|simulation|width limit|computer algebra|enclosures in balls): ",
            after,
        )


def test_progress_without_a_terminal_is_one_line_per_statement() -> None:
    out = plain(40)
    with Meter(out, 12) as meter:
        meter.at("something")
        meter.done(
            Result(
                get("orthogonality.convexity:as_printed"), Verdict.REFUTED, (finding(seconds=1.25),)
            )
        )
        meter.done(Result(get("orthogonality.convexity:corrected"), Verdict.REFUTED, (finding(),)))
    assert printed(out).splitlines() == [
        "[ 1/12] orthogonality.convexity:as_printed: refuted (1.2 s)",
        "[ 2/12] orthogonality.convexity:corrected: refuted, not as expected (0.0 s)",
    ]


def test_progress_on_a_terminal_is_one_live_line_that_goes_away() -> None:
    out = Console(
        file=io.StringIO(), width=80, force_terminal=True, color_system=None, markup=False
    )
    with Meter(out, 2) as meter:
        meter.at("orthogonality.decay:sharp: " + "x" * 200)
        meter.done(Result(get("orthogonality.convexity:as_printed"), Verdict.REFUTED, (finding(),)))
    seen = Text.from_ansi(printed(out)).plain
    assert "1/2" in seen
    assert "…" in seen
    assert max(columns(line) for line in seen.splitlines()) <= 80
