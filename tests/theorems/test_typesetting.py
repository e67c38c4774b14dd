"""Typesetting: by value, on small cases written out by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import sympy as sp
from consoles import columns

from theorems import typesetting
from theorems.registry import get, library
from theorems.statement import Statement, Variable
from theorems.typesetting import block, claim, domain, inline, notation, words

n, d, ell, alpha, Vhat_1 = sp.symbols("n d ell alpha Vhat_1", positive=True)
i = sp.Symbol("i", integer=True)
lam = sp.IndexedBase("lambda", real=True)


# --- one line -------------------------------------------------------------------------------------


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


# --- blocks ---------------------------------------------------------------------------------------


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
