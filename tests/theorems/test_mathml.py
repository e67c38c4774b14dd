"""MathML: well formed for every statement, and by value on small cases written out by hand."""

from __future__ import annotations

import re
import xml.dom.minidom
from html import unescape
from typing import Any

import pytest
import sympy as sp

from theorems.minibatch_averages import (
    AverageWithoutReplacement,
    AverageWithReplacement,
    BatchSum,
)
from theorems.registry import library
from theorems.statement import Variable
from theorems.typesetting import mathml

n, d, k = sp.symbols("n d k", integer=True, positive=True)
x, y = sp.symbols("x y", real=True)
i, j = sp.symbols("i j", integer=True)
lam = sp.IndexedBase("lambda", real=True)


def shown(text: str) -> str:
    """What stands between the tags, without the signs that are not seen."""
    return unescape(re.sub(r"<[^>]*>", "", text)).replace("\N{INVISIBLE TIMES}", "")


@pytest.mark.parametrize("statement", library(), ids=lambda s: s.name)
def test_every_statement_is_well_formed(statement: Any) -> None:
    printed = [mathml.claim(statement), *map(mathml.domain, statement.variables)]
    printed += [mathml.mathml(a.relation) for a in statement.assumptions]
    for name, meaning in statement.definitions.items():
        if isinstance(meaning, sp.Basic):
            printed.append(mathml.definition(name, meaning))
    for text in printed:
        whole = xml.dom.minidom.parseString(text).documentElement
        assert whole.tagName == "math"
        assert whole.getAttribute("alttext")
        assert "&" not in re.sub(r"&(lt|gt|amp|quot);", "", text)  # HTML's entities are no XML
        assert not re.search(r">[A-Za-z]+\(", text), "a function that nobody sets"


@pytest.mark.parametrize(
    ("expression", "markup"),
    [
        (sp.Symbol("ell"), "<mi>ℓ</mi>"),
        (sp.Symbol("alpha_1"), "<msub><mi>α</mi><mn>1</mn></msub>"),
        (
            sp.Symbol("Vhat_1"),
            '<msub><mover accent="true"><mi>V</mi><mo>^</mo></mover><mn>1</mn></msub>',
        ),
        (sp.Symbol("r_bar"), '<mover accent="true"><mi>r</mi><mo>¯</mo></mover>'),
        (lam[i], "<msub><mi>λ</mi><mrow><mi>i</mi></mrow></msub>"),
        (sp.Rational(1, 10**8), "<msup><mn>10</mn><mn>-8</mn></msup>"),
        (sp.Lt(x, y, evaluate=False), "<mrow><mi>x</mi><mo>&lt;</mo><mi>y</mi></mrow>"),
        (sp.Ge(x, y, evaluate=False), "<mrow><mi>x</mi><mo>≥</mo><mi>y</mi></mrow>"),
    ],
)
def test_small_expressions(expression: Any, markup: str) -> None:
    assert re.sub(r"^<math [^>]*>|</math>$", "", mathml.mathml(expression)) == markup


@pytest.mark.parametrize(
    ("expression", "seen"),
    [
        (1 / n - x, "1n-x"),  # what is positive comes first
        (sp.Sum(lam[i] ** 2, (i, 0, n - 1)), "∑i=0n-1λi2"),
        (sp.Sum(lam[i] - 1 / n, (i, 0, n - 1)), "∑i=0n-1(λi-1n)"),
        (sp.Sum(lam[i], (i, 0, n - 1)) ** 2, "(∑i=0n-1λi)2"),
        (sp.Sum(lam[i], (i, 0, j), (j, 0, n - 1)), "∑j=0n-1∑i=0jλi"),  # the outer one outside
        (sp.Product(lam[i], (i, 0, n - 1)), "∏i=0n-1λi"),
        (sp.Piecewise((1, x >= y), (0, True)), "{1if\u00a0x≥y0otherwise"),
        (sp.digamma(d / 2), "ψ(d2)"),
        (sp.acos(x), "arccos(x)"),
        (BatchSum(lam[i], i, sp.Symbol("B")), "∑i∈Bλi"),
        (AverageWithoutReplacement(x, sp.Symbol("B"), k, n), "E|B|=k(x)"),
        (AverageWithReplacement(x, sp.Symbol("B"), k, n), "EB∈{0…n-1}k(x)"),
    ],
)
def test_what_is_seen(expression: Any, seen: str) -> None:
    assert shown(mathml.mathml(expression)) == seen


def test_names_are_no_markup() -> None:
    hostile = sp.Symbol("<script>alert(1)</script>")
    for text in (
        mathml.mathml(hostile + 1),
        mathml.mathml(x, {"x": "<b>&"}),
        mathml.domain(Variable(hostile, sp.Reals, "hostile")),
    ):
        xml.dom.minidom.parseString(text)
        assert "<script" not in text
        assert "<b>" not in text


@pytest.mark.parametrize(
    ("place", "seen"),
    [
        (sp.Reals, "x∈ℝ"),
        (sp.Interval.Lopen(0, 1 / n), "x∈(0,1n]"),
        (sp.Interval(0, sp.oo), "x∈[0,∞)"),
        (sp.Range(2, 5), "x∈{2,3,4}"),
        (sp.Range(2, 3), "x∈{2}"),
        (sp.Range(2, 100), "x∈{2,3,…,99}"),
        (sp.Range(n, sp.oo), "x∈{n,n+1,…}"),
    ],
)
def test_domains(place: Any, seen: str) -> None:
    assert shown(mathml.domain(Variable(sp.Symbol("x"), place, "some"))) == seen


def test_families_show_an_entry() -> None:
    assert shown(mathml.domain(Variable(lam, sp.Interval(0, 1), "some", (n, n)))) == "λi,j∈[0,1]"
    family = sp.IndexedBase("h", shape=(n,))
    assert shown(mathml.definition(family, sp.Lambda(i, i + 1))) == "hi=i+1"


def test_a_wide_claim_loses_nothing_in_its_rows() -> None:
    wide = [s for s in library() if "<mtable displaystyle" in mathml.claim(s)]
    assert wide
    for statement in wide:
        whole = shown(mathml.mathml(statement.claim, mathml.notation(statement)))
        assert sorted(shown(mathml.claim(statement))) == sorted(whole)
