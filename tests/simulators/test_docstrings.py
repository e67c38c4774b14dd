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


def public_names(module: str) -> list[str]:
    """The functions and classes that a module defines for others."""
    found = inspect.getmembers(importlib.import_module(module))
    return [
        name
        for name, value in found
        if (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module
        and not name.startswith("_")
    ]


@pytest.mark.parametrize("module", MODULES)
def test_every_public_function_and_class_shows_an_example(module: str) -> None:
    names = public_names(module)
    found = importlib.import_module(module)
    assert [name for name in names if ">>>" not in (getattr(found, name).__doc__ or "")] == []
