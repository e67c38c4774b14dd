"""The README: its outputs are what its commands print, its links lead somewhere, it is short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.readme_output import BLOCK, README, printed, without_times

ROOT = Path(__file__).parents[1]
TEXT = README.read_text(encoding="utf-8")
#: The pages that a reader may open where they lie, beside those that mkdocs checks.
PAGES = [README, ROOT / "CONTRIBUTING.md"]


def missing_links(page: Path, text: str) -> list[str]:
    """Targets of links that are no file here; addresses elsewhere are not looked up."""
    targets = re.findall(r"\]\(([^)#\s]+)[^)\s]*\)", text)
    return [t for t in targets if "://" not in t and not (page.parent / t).exists()]


@pytest.mark.parametrize("block", BLOCK.findall(TEXT), ids=lambda block: block[0])
def test_what_the_readme_shows_is_what_the_command_prints(block: tuple[str, str, str]) -> None:
    command, _, shown = block
    assert without_times(printed(command)) == without_times(shown), (
        "python -m tests.readme_output writes it anew"
    )


def test_there_is_an_output_and_its_command_is_the_one_that_the_reader_runs() -> None:
    (block,) = BLOCK.findall(TEXT)
    (run,) = re.findall(r"<!-- ci:run -->\n```sh\n(.*)\n```", TEXT)
    assert run.endswith(f"&& {block[0]}")


def test_another_verdict_or_number_is_no_matter_of_time() -> None:
    shown = BLOCK.findall(TEXT)[0][2]
    assert without_times(shown) != without_times(shown.replace("refuted", "supported", 1))
    assert without_times(shown) != without_times(shown.replace("1.007", "1.008", 1))
    assert without_times("in 16.9 s now") == without_times("in  3.0 s now")
    assert without_times("in 1 min 05 s now") == without_times("in 44 s now")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    assert missing_links(page, page.read_text(encoding="utf-8")) == []


def test_a_link_that_leads_nowhere_is_noticed() -> None:
    text = "[one](docs/nowhere.md#x) [two](CONTRIBUTING.md) [three](https://example.org)"
    assert missing_links(README, text) == ["docs/nowhere.md"]


def test_the_readme_is_short() -> None:
    """What it is, a command, its output, a picture, the tests, links: the rest is in docs/."""
    assert len(TEXT.splitlines()) <= 100
