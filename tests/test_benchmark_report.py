"""The benchmarks' document, page and history."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bench.pairs import PAIRS, TOTALS
from bench.report import (
    RELEASES,
    Run,
    entry,
    read_history,
    read_run,
    rendered,
    with_release,
    write_history,
    write_report,
    write_run,
)
from bench.report.comparison import compared
from bench.report.document import Absent
from bench.report.numbers import number, seconds
from simulators.documents import DocumentError
from tests.synthetic_times import ENVIRONMENT, whole_run


class Page(HTMLParser):
    """What a page asks for, where it links to, and whether its elements close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.names: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.addresses += [given[key] or "" for key in ("href", "src") if key in given]
        self.names += [given["id"] or ""] if "id" in given else []
        if tag not in {"meta", "link"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    run = replace(whole_run(), absent=(Absent("a peer", "does not import"),))
    write_run(tmp_path / "run.json", run)
    assert read_run(tmp_path / "run.json") == run


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("schema",), 2, "schema is 2; want 1"),
        (("ratios", 0, "against"), "nothing", "ratios\\[0\\].against is 'nothing'; want one of"),
        (("ratios", 0, "ours", "cpu", 1), -1, "ours.cpu.* want a positive number"),
        (("growth", 0, "sizes"), [10, 10], "want two or more"),
        (("environment", "cores"), 0, "want a whole number, 1 or more"),
    ],
)
def test_a_document_that_is_none_is_refused(
    tmp_path: Path, place: tuple[str | int, ...], value: object, words: str
) -> None:
    path = tmp_path / "run.json"
    write_run(path, whole_run())
    document = json.loads(path.read_text())
    inner = document
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=words):
        read_run(path)


def test_the_page_stands_alone_and_its_links_lead_somewhere(tmp_path: Path) -> None:
    text = write_report(whole_run(), tmp_path).read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert {each for each in page.addresses if not each.startswith("#")} == {"data:,"}
    assert {each[1:] for each in page.addresses if each.startswith("#")} <= set(page.names)
    assert "<script" not in text
    assert "@import" not in text
    assert "url(" not in text


def test_the_page_says_what_was_found() -> None:
    run = whole_run()
    text = rendered(run, [entry(run)])
    assert "4 of 5 targets met" in text
    assert "1 missed" in text
    assert "factor against a &lt;loop&gt;" in text, "texts of a run are escaped"
    for ratio in run.ratios:
        found = ratio.found
        ends = f"{number(found.low)} … {number(found.high)}"
        assert f'{number(found.value)} <span class="ends">({ends})</span>' in text
    for words in ("256 MiB", "a family", "3 of 20", ENVIRONMENT.commit, "openblas 0.3 (Haswell)"):
        assert str(words) in text
    assert "float64" in text
    assert "float32" in text


def test_the_page_tells_what_is_worse() -> None:
    run = whole_run()
    slower = [
        replace(each, ours=replace(each.ours, cpu=tuple(2 * t for t in each.ours.cpu)))
        for each in run.ratios[:2]
    ]
    text = rendered(run, [entry(run)], compared([*slower, *run.ratios[2:]], run, 1.1))
    assert "1 of 2 worse" in text, "the loop's is told and not judged"
    assert text.count("not judged") == 1
    assert "0 of 2 worse" in rendered(run, [entry(run)], compared(run.ratios, run, 1.1))


def test_a_run_of_nothing_has_a_page() -> None:
    run = Run(ENVIRONMENT, True)
    assert Page(rendered(run, [entry(run)])).open == []


def test_every_run_of_a_folder_is_in_its_history(tmp_path: Path) -> None:
    run = whole_run()
    for _ in range(2):
        page = write_report(run, tmp_path).read_text(encoding="utf-8")
    history = read_history(tmp_path / "history.jsonl")
    assert history == [entry(run)] * 2
    assert history[0].load == ENVIRONMENT.load
    releases = {name for each in read_history(RELEASES) for name in each.ratios}
    assert page.count("<polyline") == len(releases | {each.name for each in run.ratios})


def test_a_release_has_one_line_and_others_keep_theirs(tmp_path: Path) -> None:
    now = entry(whole_run())
    earlier, again = replace(now, version="0.0.9"), replace(now, date="2027-01-01")
    found = with_release(with_release([earlier], now), again)
    assert found == [earlier, again]
    write_history(tmp_path / "history.jsonl", found)
    assert read_history(tmp_path / "history.jsonl") == found


def test_a_line_that_is_no_run_is_refused_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    write_history(path, [entry(whole_run())])
    with open(path, "a", encoding="utf-8") as stream:
        stream.write('{"version": "1", "ratios": {"a": [1, 2]}}\n')
    with pytest.raises(DocumentError, match="line 2: "):
        read_history(path)


def test_the_history_of_the_repository_is_one_and_knows_no_version_twice() -> None:
    versions = [each.version for each in read_history(RELEASES)]
    assert len(versions) == len(set(versions)) > 0


def test_pairs_have_names_of_their_own_and_each_section_a_short_one() -> None:
    names = [each.name for each in (*PAIRS, *TOTALS)]
    assert len(names) == len(set(names))
    short = [each for each in PAIRS if each.short]
    assert {"factor", "rows", "dense"} <= {each.about for each in short}
    assert {"float64", "float32"} <= {each.dtype for each in short}


@pytest.mark.parametrize(
    ("x", "words"),
    [(1234.5, "1230"), (99.96, "100"), (1.0, "1.00"), (0.01234, "0.0123"), (1.234e-9, "1.2e-09")],
)
def test_numbers_have_three_digits(x: float, words: str) -> None:
    assert number(x) == words


@pytest.mark.parametrize(
    ("x", "words"), [(2.0, "2.00 s"), (0.25, "250 ms"), (3.2e-5, "32.0 µs"), (4e-9, "4.00 ns")]
)
def test_times_have_a_unit_of_few_digits(x: float, words: str) -> None:
    assert seconds(x) == words
    assert re.fullmatch(r"[\d.]+ (s|ms|µs|ns)", words)
