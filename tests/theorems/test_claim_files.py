"""Files of claims: what is found in them, and what is said of a bad one."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theorems import ClaimError
from theorems.workbench.loading import load

GOOD = """from theorems import conjecture
first = conjecture("x <= 1/2", x="[0, 1/2]")
second = conjecture("x <= 1/3", x="[0, 1/2]")
"""


def test_a_file_gives_its_claims_by_the_names_of_its_variables(tmp_path: Path) -> None:
    path = tmp_path / "my_claims.py"
    path.write_text(GOOD)
    assert [(c.family, c.name) for c in load(str(path))] == [("my_claims", "first"), ("my_claims", "second")]
    assert [c.name for c in load(f"{path}::second")] == ["second"]
    with pytest.raises(ClaimError, match="no conjecture 'secnd'; did you mean second"):
        load(f"{path}::secnd")


def test_claims_in_lists_and_tables_are_found_too(tmp_path: Path) -> None:
    path = tmp_path / "my_claims.py"
    path.write_text(GOOD + """many = [conjecture(f"x <= {k}", x=f"[0, {k}]") for k in (2, 3)] + [first, None]
table = {"a b": conjecture("x <= 2", x="[0, 1]"), 3: conjecture("x <= 3", x="[0, 1]", name="named")}
""")
    assert [c.name for c in load(str(path))] == ["first", "second", "many_0", "many_1", "table_a_b", "named"]
    assert [c.relation.rhs for c in load(f"{path}::many_1")] == [3]


@pytest.mark.parametrize(("text", "words"), [
    ("x = 1\n", "states no conjecture"), ("def f(:\n", "line 1: not Python"),
    ("import nothing_of_the_kind\n", "line 1: ModuleNotFoundError"),
    ("\n1/0\n", "line 2: ZeroDivisionError"), ("raise SystemExit(3)\n", "SystemExit: 3"),
    ("\0", "line 1: not Python"),
    ("class E(Exception):\n    def __str__(self): 1/0\nraise E\n", "line 3: E: its text cannot be shown"),
    ("class E(SystemExit):\n    def __str__(self): raise SystemExit\nraise E\n", "line 3: E: its text"),
    ("class E(BaseException): pass\nraise E\n", "line 2: E$"), ("import sys\nsys.path.pop(0)\n", "no conjecture"),
    ("raise ValueError('a\\nb')\n", "line 1: ValueError: a b$"),
    (GOOD + 'third = conjecture("x <= 1", x="[0, 2]", name="first")\n', "two conjectures are named 'first'"),
    ('from theorems import conjecture\n\nconjecture("x <= z", x="[0, 1]", name="a")\n', "line 3: a: 'z' is neither"),
])
def test_a_bad_file_gives_one_clear_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(ClaimError, match=words) as caught:
        load(str(path))
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ClaimError, match=r"nowhere\.py: no such file"):
        load("nowhere.py::a")


@settings(deadline=20_000, max_examples=60)
@given(st.data())
def test_a_file_that_was_damaged_gives_claims_or_one_clear_line(data: st.DataObject) -> None:
    where = data.draw(st.integers(0, len(GOOD) - 1))
    length = data.draw(st.integers(0, 12))
    inserted = data.draw(st.text(alphabet="()[]'\"=,.:x01\n\t\x00é", max_size=4))
    with TemporaryDirectory() as directory:
        path = Path(directory) / "damaged.py"
        path.write_text(GOOD[:where] + inserted + GOOD[where + length:], encoding="utf-8")
        try:
            load(str(path))
        except ClaimError as error:
            refusal = str(error)
        else:
            refusal = ""
    assert "\n" not in refusal
