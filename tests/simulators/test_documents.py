"""Documents: what fits is taken as it is, what does not is named with the whole way to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated

import pytest

from simulators.documents import (
    DocumentError,
    Schema1,
    Wanted,
    plain,
    read_json,
    require_fields,
    structured,
    write_json,
)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Size(Enum):
    SMALL = 1


Share = Annotated[float, Wanted("a share", lambda x: 0 <= x <= 1)]


@dataclass(frozen=True)
class Part:
    name: str
    count: int
    share: Share = 0.5
    colours: tuple[Colour, ...] = ()
    size: Size | None = None
    given: bool = False
    anything: object = None


@dataclass(frozen=True)
class Whole:
    schema: Schema1
    parts: Mapping[str, list[Part]]


def whole(**changes: object) -> dict[str, object]:
    return {"schema": 1, "parts": {"a.b": [{"name": "x", "count": 2, **changes}]}}


def test_what_fits_is_taken_as_it_is() -> None:
    part = {"share": 1, "colours": ["red"], "size": 1, "given": True, "anything": [None]}
    found = structured(whole(**part, beyond=3), Whole)
    wanted = Part("x", 2, 1.0, (Colour.RED,), Size.SMALL, True, [None])
    assert found == Whole(1, {"a.b": [wanted]})
    assert isinstance(found.parts["a.b"][0].colours[0], Colour)
    require_fields(wanted)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": 3}, "name is 3; want text"),
        ({"name": "\ud800"}, "name is '\\ud800'; want Unicode text"),
        ({"count": "2"}, "count is '2'; want a whole number"),
        ({"count": True}, "count is True; want a whole number"),
        ({"count": 2.0}, "count is 2.0; want a whole number"),
        ({"given": 1}, "given is 1; want true or false"),
        ({"share": "x"}, "share is 'x'; want a share"),
        ({"share": True}, "share is True; want a share"),
        ({"share": 2}, "share is 2; want a share"),
        ({"share": 10**400}, "share is a number beyond all floats; want a share"),
        ({"colours": "red"}, "colours is 'red'; want a list"),
        ({"colours": ["red", "green"]}, "colours[1] is 'green'; want one of red, blue"),
        ({"colours": [["red"]]}, "colours[0] is ['red']; want one of red, blue"),
        ({"size": 2}, "size is 2; want one of 1"),
        ({"name": {"x": "y" * 100}}, f"name is {{'x': '{'y' * 52}…; want text"),
    ],
)
def test_what_does_not_fit_is_named_with_the_way_to_it(
    change: dict[str, object], words: str
) -> None:
    with pytest.raises(DocumentError) as refused:
        structured(whole(**change), Whole)
    assert str(refused.value) == f"parts.a.b[0].{words}"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "the grid is []; want an object"),
        ({"parts": {}}, "schema: missing"),
        ({"schema": 2, "parts": {}}, "schema is 2; want 1"),
        ({"schema": True, "parts": {}}, "schema is True; want 1"),
        ({"schema": 1, "parts": []}, "parts is []; want an object"),
        ({"schema": 1, "parts": {"a\nb": 1}}, "parts.a b is 1; want a list"),
        ({"schema": 1, "parts": {"a": [{"name": "x"}]}}, "parts.a[0].count: missing"),
    ],
)
def test_the_whole_is_refused_in_one_line(value: object, words: str) -> None:
    with pytest.raises(DocumentError) as refused:
        structured(value, Whole, "the grid")
    assert str(refused.value) == words


def test_a_record_made_by_hand_answers_for_its_fields() -> None:
    with pytest.raises(DocumentError, match="count is None; want a whole number"):
        require_fields(Part("x", None))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Ordered:
    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise LookupError("out of order")


@pytest.mark.parametrize("nested", [False, True])
def test_what_a_class_finds_wrong_itself_is_raised_as_it_is(nested: bool) -> None:
    value = {"low": 2, "high": 1}
    with pytest.raises(LookupError, match="out of order"):
        structured([value] if nested else value, list[Ordered] if nested else Ordered)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "at line 1"),
        (b'{"a":\n', "at line 2"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": -Infinity}', "-Infinity is no number"),
    ],
)
def test_what_is_not_json_is_said(data: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(DocumentError, match=f"^not JSON.*{words}"):
        read_json(tmp_path / "file", 10**6)


def test_a_name_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text('{"a": {"b": 1, "c": 2, "b": 3}}')
    with pytest.raises(DocumentError, match="'b' is given twice"):
        read_json(tmp_path / "file", 10**6)


def test_a_number_of_more_digits_than_python_reads_is_beyond_all_floats(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(f"[{'9' * 5000}, 1e999, {'9' * 300}]")
    longest, infinite, long = read_json(tmp_path / "file", 10**6)  # type: ignore[misc]
    assert longest == infinite == float("inf")
    assert long == 10**300 - 1


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    value = {"ℓ": [1, 0.5, None, True, "\x00"], "b": {}}
    write_json(tmp_path / "file", value)
    assert read_json(tmp_path / "file", 10**6) == value
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "file", {"a": float("nan")})
    assert json.loads((tmp_path / "file").read_text(encoding="utf-8")) == value
    assert plain({"a": float("nan"), 1: (2, Path("x"))}) == {"a": None, "1": [2, "x"]}
