"""Statements with a file each, and the templates: each stands, says what it should, and runs."""

from __future__ import annotations

import doctest
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import pytest

from theorems import Quantifier, Statement, Verdict, verify
from theorems.checking.expectation import Expectation
from theorems.checking.pointwise import Pointwise
from theorems.families import FAMILIES
from theorems.registry import unasked
from theorems.report.document import document_of
from theorems.report.style import Drawing
from theorems.templates import KINDS

PARTS = ("Problem. ", "Method. ", "Guarantee. ", "Reference. ", "Example:")


def files() -> list[ModuleType]:
    """Every module of the families' folders of statements, and what ``theorems new`` writes."""
    found = [import_module(f"theorems.templates.{kind}") for kind in KINDS]
    for reference in FAMILIES:
        folder = import_module(f"{reference.partition(':')[0]}.statements")
        names = sorted(each.name for each in iter_modules(folder.__path__))
        found += [import_module(f"{folder.__name__}.{name}") for name in names]
    return found


FILES = files()
CASES = [pytest.param(s, file, id=s.name) for file in FILES for s in file.STATEMENTS]
#: Those that are verified where nothing is named; the others take minutes.
UNASKED = [case for case in CASES if unasked([case.values[0]])]
each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.STATEMENTS[0].name)


@pytest.mark.parametrize(("statement", "file"), UNASKED)
def test_it_is_as_expected_and_its_sentinel_falls(statement: Statement, file: ModuleType) -> None:
    (result,) = verify([statement])
    assert result.as_expected
    assert result.weak_sentinels == ()
    evidence = [e for e in result.evidence if e.method != "proof"]
    assert evidence
    assert all(e.sentinel is Verdict.REFUTED for e in evidence)
    pointwise = any(isinstance(check, Pointwise) for check in statement.checks)
    if pointwise and result.verdict is not Verdict.REFUTED:  # which stops at its first witness
        assert evidence[0].details["decided"] > 100, "the inputs that are proposed do not count"


@each_file
def test_it_is_named_after_its_file(file: ModuleType) -> None:
    if file.__name__.startswith("theorems.templates."):
        return
    _, _, family, _, name = file.__name__.split(".")
    assert {(s.family, s.theorem) for s in file.STATEMENTS} == {(family, name)}


@pytest.mark.parametrize(("statement", "file"), CASES)
def test_it_says_of_itself_what_its_checks_do(statement: Statement, file: ModuleType) -> None:
    for check in statement.checks:
        if isinstance(check, Expectation):
            of_laws = () if check.estimator is None else (Quantifier.LAW,)
            assert statement.quantifier in (Quantifier.EXPECTATION, *of_laws)
            names = (x if isinstance(x, str) else x.name for x in check.observables)
            assert set(statement.observables) == set(names)
        if isinstance(check, Pointwise):
            assert statement.quantifier is Quantifier.POINTWISE


@each_file
def test_it_says_what_a_reader_wants_to_know(file: ModuleType) -> None:
    text = file.__doc__ or ""
    places = [text.find(f"\n\n{part}") for part in PARTS]
    assert -1 not in places, f"want paragraphs {', '.join(PARTS)}"
    assert places == sorted(places)
    assert len(text.splitlines()[0]) <= 120


@each_file
def test_its_example_runs(file: ModuleType) -> None:
    failed, tried = doctest.testmod(file)
    assert (failed, tried > 0) == (0, True)


@each_file
def test_its_figures_are_drawn_of_a_run(file: ModuleType) -> None:
    empty = document_of([], seed=0, level=1e-6, batch=None)
    whole = document_of(
        verify(file.STATEMENTS) if file.FIGURES else [], seed=0, level=1e-6, batch=None
    )
    for draw in file.FIGURES:
        assert draw(empty) is None
        assert isinstance(draw(whole), Drawing)
