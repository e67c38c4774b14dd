"""Code as a digest sees it: what it does and what it imports, whatever it says and how it looks."""

from __future__ import annotations

from pathlib import Path

import pytest

from theorems.code_digests import Code, code_read


def read(folder: Path, *names: str, **files: str) -> dict[str, str]:
    """The code of ``p.a``, or of ``names``, in a package ``p`` of these modules."""
    (folder / "p").mkdir(parents=True, exist_ok=True)
    for name, text in {"__init__": "", **files}.items():
        (folder / "p" / f"{name}.py").write_text(text, encoding="utf-8")
    return code_read(Code((("p", folder / "p"),)), names or ["p.a"])


BEFORE = 'LIMIT = 1\n\n\ndef f(x, y=2):\n    """Doubles."""\n    return x * y\n'


@pytest.mark.parametrize(
    "after",
    [
        BEFORE.replace('"""Doubles."""', '"""Twice as much."""'),
        BEFORE.replace('    """Doubles."""\n', ""),
        '"""What it is for."""\n' + BEFORE,
        BEFORE.replace("x * y", "(x  *  y)  # a product"),
        BEFORE.replace("\n\n\n", "\n"),
    ],
)
def test_words_and_layout_are_no_part_of_it(after: str, tmp_path: Path) -> None:
    assert read(tmp_path / "after", a=after) == read(tmp_path / "before", a=BEFORE)


@pytest.mark.parametrize(
    "after",
    [
        BEFORE.replace("LIMIT = 1", "LIMIT = 2"),
        BEFORE.replace("LIMIT = 1", "LIMIT = 1.0"),
        BEFORE.replace("LIMIT = 1", "LIMIT = '1'"),
        BEFORE.replace("y=2", "y=3"),
        BEFORE.replace("x * y", "x + y"),
        BEFORE.replace("x * y", "y * x"),
        BEFORE.replace("return x * y", "x * y"),
        BEFORE.replace("def f", "@staticmethod\ndef f"),
        BEFORE + "'a text that is no docstring'\n",
    ],
)
def test_all_that_it_does_is(after: str, tmp_path: Path) -> None:
    assert read(tmp_path / "after", a=after) != read(tmp_path / "before", a=BEFORE)


@pytest.mark.parametrize(
    "text",
    [
        "import p.b",
        "from p import b",
        "from p.b import f",
        "from . import b",
        "from .b import f",
        "def g():\n    from p.b import f",
        "try:\n    import numpy\nexcept ImportError:\n    from p.b import f",
        "import p.c",
    ],
)
def test_what_is_imported_anywhere_counts(text: str, tmp_path: Path) -> None:
    def found(folder: Path, b: str) -> dict[str, str]:
        return read(folder, a=text, b=b, c="from p.b import f")

    before = found(tmp_path / "before", "f = 1")
    assert {"p.a", "p.b"} <= set(before)
    assert found(tmp_path / "same", "f = 1") == before
    assert found(tmp_path / "after", "f = 2") != before


def test_what_is_for_type_checkers_does_not(tmp_path: Path) -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.b import f\n"
    assert set(read(tmp_path / "if", a=text, b="f = 1")) == {"p.a"}
    assert set(read(tmp_path / "else", a=f"{text}else:\n    import p.b\n", b="")) == {"p.a", "p.b"}


@pytest.mark.parametrize("typed", [False, True])
def test_a_name_that_is_handed_on_leads_to_where_it_is_made(typed: bool, tmp_path: Path) -> None:
    names = "from p.q.one import f\nfrom p.q.two import g\n"
    if typed:  # as a package that imports them when they are first used
        names = "if TYPE_CHECKING:\n" + "".join(f"    {line}\n" for line in names.splitlines())
    for folder, asked in (("one", "f"), ("both", "f, g")):
        inside = tmp_path / folder / "p" / "q"
        inside.mkdir(parents=True)
        (inside / "__init__.py").write_text(names, encoding="utf-8")
        (inside / "one.py").write_text("f = 1", encoding="utf-8")
        (inside / "two.py").write_text("g = 1", encoding="utf-8")
        found = set(read(tmp_path / folder, a=f"from p.q import {asked}"))
        assert found == {"p.a", "p.q.one"} | ({"p.q.two"} if folder == "both" else set())


def test_circles_and_what_is_not_ours_end_the_search(tmp_path: Path) -> None:
    code = {"a": "import numpy, p.b, nowhere.at.all", "b": "from p.a import f"}
    assert set(read(tmp_path, **code)) == {"p.a", "p.b"}


def test_a_name_of_no_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'p\.z': no module of p"):
        read(tmp_path, "p.z")
