"""The page of the benchmarks in a browser: nothing asked for, nothing wider than the window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browser import Browser, browser

from bench.report import entry, rendered
from bench.report.comparison import compared
from tests.synthetic_times import whole_run

RATES = {
    "date": "2026-01-02",
    "machine": "a processor, 2 cores",
    "most": 1.1,
    "conditions": [
        {"words": "as found", "unchanged": 20, "false_alarms": 0, "planted": 40, "caught": 39}
    ],
}
TOO_WIDE = """[...document.querySelectorAll("main *")].filter(
    (each) => each.getBoundingClientRect().right > innerWidth + 1 && !each.closest(".wide, pre, svg")
).map((each) => each.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with every section."""
    run = whole_run()
    slower = replace(run.ratios[1], ours=replace(run.ratios[1].ours, cpu=(9.0,) * 9))
    found = compared([run.ratios[0], slower], run, 1.1)
    file = tmp_path_factory.mktemp("page") / "index.html"
    file.write_text(rendered(run, [entry(run)] * 3, found, RATES), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with browser() as found:
        yield found


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [420, 1400])
def test_it_fits_asks_for_nothing_and_says_nothing(
    window: Browser, page: Path, width: int, dark: bool
) -> None:
    window.look(width=width, dark=dark)
    window.go(page)
    assert window.run("document.documentElement.scrollWidth <= innerWidth")
    assert window.run(TOO_WIDE) == []
    assert window.said == []
    assert {each for each in window.requested if not each.startswith("data:")} == {page.as_uri()}
    background = window.run("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") is not dark


def test_each_picture_shows_its_interval_inside(window: Browser, page: Path) -> None:
    window.look()
    window.go(page)
    outside = window.run(
        """[...document.querySelectorAll("svg")].filter((svg) => {
            const box = svg.getBoundingClientRect();
            return [...svg.querySelectorAll("circle, line")].some((mark) => {
                const at = mark.getBoundingClientRect();
                return at.left < box.left - 1 || at.right > box.right + 1
                    || at.top < box.top - 1 || at.bottom > box.bottom + 1;
            });
        }).map((svg) => svg.outerHTML.slice(0, 200))"""
    )
    assert outside == []
    assert window.run("document.querySelectorAll('svg.bar circle').length") >= 3


def test_on_a_narrow_screen_every_number_keeps_its_label(window: Browser, page: Path) -> None:
    window.look(width=420)
    window.go(page)
    bare = window.run(
        """[...document.querySelectorAll("td.num")].filter(
            (cell) => !getComputedStyle(cell, "::before").content.includes(cell.dataset.label)
        ).map((cell) => cell.outerHTML)"""
    )
    assert bare == []
