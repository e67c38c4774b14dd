"""The examples in docstrings of `simulators` run, and give what they say."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import simulators

MODULES = [
    "simulators",
    *(m.name for m in pkgutil.walk_packages(simulators.__path__, "simulators.")),
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    modules = map(importlib.import_module, MODULES)
    assert sum(bool(test.examples) for m in modules for test in finder.find(m)) > 30


@pytest.mark.parametrize("name", sorted({*simulators.__all__} - {"mean_field"}))
def test_every_public_name_has_an_example(name: str) -> None:
    assert ">>>" in (inspect.getdoc(getattr(simulators, name)) or "")
