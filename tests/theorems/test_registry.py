"""Look-ups by family, theorem and full name, with suggestions."""

import pytest

from theorems import UnknownNameError, get, library, select


def test_names_are_unique_and_in_one_order() -> None:
    names = [s.name for s in library()]
    assert len(set(names)) == len(names)
    assert library() is library()


@pytest.mark.parametrize("statement", library(), ids=lambda s: s.name)
def test_every_statement_is_found_by_its_name(statement: object) -> None:
    assert get(statement.name) is statement


def test_names_select_in_library_order_and_once() -> None:
    assert select([]) == library()
    assert select(["orthogonality"]) == tuple(s for s in library() if s.family == "orthogonality")
    decay = select(["orthogonality.decay"])
    assert [s.variant for s in decay][:3] == ["as_printed", "corrected", "sharp"]
    assert {s.theorem for s in decay} == {"decay"}
    mixed = select(
        ["orthogonality.decay:sharp", "orthogonality.decay", "orthogonality.unit_frobenius"]
    )
    assert [s.name for s in mixed] == ["orthogonality.unit_frobenius", *(s.name for s in decay)]
    assert select("orthogonality.decay") == decay, "one name need not be wrapped"


@pytest.mark.parametrize(
    ("wrong", "suggestion"),
    [
        ("orthogonality.decya", "orthogonality.decay"),
        ("decay", "orthogonality.decay"),
        ("ortogonality", "orthogonality"),
        ("orthogonality.decay:correct", "orthogonality.decay:corrected"),
    ],
)
def test_the_nearest_name_is_suggested(wrong: str, suggestion: str) -> None:
    for look_up in (get, lambda name: select([name])):
        with pytest.raises(UnknownNameError, match=f"did you mean .*{suggestion}"):
            look_up(wrong)


def test_a_hopeless_name_says_where_to_look() -> None:
    with pytest.raises(UnknownNameError, match="theorems list"):
        get("zzzzzzzz")


def test_an_ambiguous_name_lists_the_variants() -> None:
    with pytest.raises(UnknownNameError, match=r"as_printed, .*corrected, .*sharp"):
        get("orthogonality.decay")
    assert get("orthogonality.width_scaling").variant == ""


def test_dependencies_exist_and_come_first() -> None:
    names = [statement.name for statement in library()]
    for place, statement in enumerate(library()):
        for name in statement.depends_on:
            assert name in names[:place]
