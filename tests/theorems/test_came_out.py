"""The page "What came out" says of every statement what the library says."""

from __future__ import annotations

import re

import pytest
from newcomers import new

from tests.theorems.came_out import PAGE, named, refreshed
from theorems.registry import UnknownNameError, library, package_of
from theorems.statement import Verdict

TEXT = PAGE.read_text(encoding="utf-8")


def test_verdicts_are_those_of_the_library() -> None:
    assert refreshed(TEXT) == TEXT, "python -m tests.theorems.came_out"
    assert len(named(TEXT)) > 40
    assert len(set(named(TEXT))) == len(named(TEXT)), "a statement has two rows"


def test_every_row_of_a_table_is_read() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("|")]
    tables = TEXT.count("\n|---")
    assert (
        len(re.findall(r"^\| .* \| `.*` \| .+ \|$", TEXT, re.MULTILINE)) == len(rows) - 2 * tables
    )


def test_every_family_has_a_row() -> None:
    own = {s.family for s in library() if not package_of(s)}
    assert {name.partition(".")[0] for name in named(TEXT)} >= own


def test_what_is_false_as_stated_is_there() -> None:
    refuted = {s.name for s in library() if s.expected is Verdict.REFUTED and not package_of(s)}
    if missing := sorted(refuted - set(named(TEXT))):
        new(f"{', '.join(missing)}: refuted, and not in docs/{PAGE.name}")


def test_a_verdict_that_is_not_so_any_more_is_noticed() -> None:
    row = "| what | `rank.average_rank:unit_constant` | supported |"
    assert refreshed(row) == row.replace("supported", "refuted")
    with pytest.raises(UnknownNameError):
        refreshed(row.replace("unit_constant", "unit_konstant"))
