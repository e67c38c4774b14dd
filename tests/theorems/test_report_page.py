"""The page of a report in a browser, and what a reader learns from it alone."""

from __future__ import annotations

import copy
import io
import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Browser, browser
from PIL import Image
from report_samples import PRINTED, result, sample_document

from simulators.documents import plain
from theorems import get, verify
from theorems.context import Context
from theorems.ledger import Ledger
from theorems.report.chart import chart
from theorems.report.comparison import Earlier, compared, read_earlier
from theorems.report.document import document_of, full_name
from theorems.report.page import render
from theorems.report.pictures import Picture
from theorems.report.sections import Section, sections
from theorems.report.summary import (
    best_constants,
    foundation,
    matrix,
    refuted_besides,
    says_nothing_at,
    vacuous_bounds,
    wrong_as_printed,
)
from theorems.verification import LEVEL

MISPRINT = "orthogonality.iterative_initialisation"
PROOF = "orthogonality.contraction:sharp"
RUN = {
    "command": f"theorems verify {MISPRINT} --seed 5",
    "commit": "0123abc",
    "date": "2026-01-02T03:04:05Z",
    "system": "a machine",
    "cores": 2,
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """A cheap real run, with some results laid out by hand."""
    found = verify([MISPRINT, "orthogonality.gap_vs_smallest_eigenvalue", PROOF], seed=5)
    made = document_of(found, seed=5, level=LEVEL, batch=None, run=RUN)
    made["results"] += sample_document()["results"]
    vacuous = {"instance": "n=2, d=8", "bound": 2.0, "verdict": "vacuous"}
    speaks = vacuous | {"bound": 0.5, "mean": 0.2, "low": 0.1, "high": 0.3, "verdict": "supported"}
    place = next(r for r in made["results"] if r["statement"] == "orthogonality.decay")
    place["source"] = "D (arXiv 0000.00000), Theorem 1"
    place["evidence"][1]["readouts"] = [vacuous, speaks, speaks]
    exact = {"method": "search", "tightest_at": "1/" + 300 * "7"}
    made["results"].append(result("my_claims.law", exact))
    return made


@pytest.fixture(scope="module")
def page(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "index.html"
    svg = '<svg viewBox="0 0 9 6" width="9pt"><path d="M0 0H9"/></svg>'
    about = "orthogonality", ("orthogonality.decay",)
    file.write_text(render(document, [Picture("one", "A figure", "caption", svg, *about)]))
    return file


@pytest.fixture(scope="module")
def shared() -> Iterator[Browser]:
    with browser() as found:
        yield found


@pytest.fixture
def window(shared: Browser, page: Path) -> Iterator[Browser]:
    """The page at 1400 px in light colours; nothing of it may have complained or asked for more."""
    shared.said.clear()
    shared.look()
    shared.go(page)
    yield shared
    assert shared.said == []
    assert set(shared.requested) <= {page.as_uri(), "about:blank"}


def shown(window: Browser) -> list[str]:
    rows = "[...document.querySelectorAll('.statements tbody tr')].filter(r => !r.hidden)"
    return list(window.run(f"{rows}.map(r => r.querySelector('a.name').textContent)"))


def choose(window: Browser, **values: str) -> None:
    for name, value in values.items():
        window.run(
            f"(() => {{ const c = document.querySelector('.filters').elements.{name};"
            f"c.value = {value!r}; c.dispatchEvent(new Event('input', {{bubbles: true}})); }})()"
        )


# --- in the browser -------------------------------------------------------------------------------


def test_every_filter_shows_what_is_asked_for_and_no_other(
    window: Browser, document: dict[str, Any]
) -> None:
    found = sections(document)
    everything = [section.name for section in found]
    assert shown(window) == everything
    for asked, fits in (
        ({"verdict": "refuted"}, lambda s: s.verdict == "refuted"),
        ({"family": "my_claims"}, lambda s: s.family == "my_claims"),
        ({"evidence": "proof"}, lambda s: "proof" in s.methods),
        ({"quantifier": "pointwise"}, lambda s: s.result["quantifier"] == "pointwise"),
        ({"words": "CONTRACTION sharp"}, lambda s: "contraction:sharp" in s.name),
        ({"words": "appendix"}, lambda s: "Appendix" in s.result["source"]),
        (
            {"verdict": "proved", "evidence": "certificate", "words": "gap_vs"},
            lambda s: s.verdict == "proved" and "certificate" in s.methods and "gap_vs" in s.name,
        ),
    ):
        window.run("document.querySelector('.filters').reset()")
        choose(window, **asked)
        expected = [section.name for section in found if fits(section)]
        assert 0 < len(expected) < len(everything)
        window.wait(f"document.querySelector('output').textContent.startsWith('{len(expected)} ')")
        assert shown(window) == expected
        wholes = "[...document.querySelectorAll('details.statement')].filter(d => !d.hidden)"
        assert window.run(f"{wholes}.length") == len(expected)
    choose(window, words="no such word")
    assert shown(window) == []
    assert "No statement" in window.run("document.querySelector('.nothing').innerText")
    window.run("document.querySelector('button.clear').click()")
    window.wait("document.querySelector('output').textContent.split(' ')[0] !== '0'")
    assert shown(window) == everything


def test_a_number_of_the_matrix_shows_those_statements(window: Browser) -> None:
    button = "document.querySelector('.pick[data-family=orthogonality][data-verdict=refuted]')"
    count = int(window.run(f"{button}.textContent"))
    window.run(f"{button}.click()")
    assert len(shown(window)) == count
    window.run("document.querySelector('button[type=reset]').click()")


def test_columns_sort_up_and_down_and_back(window: Browser) -> None:
    before = shown(window)
    head = "document.querySelector('th[data-key=name] button')"
    window.run(f"{head}.click()")
    assert shown(window) == sorted(before)
    assert window.run(f"{head}.parentElement.ariaSort") == "ascending"
    window.run(f"{head}.click()")
    assert shown(window) == sorted(before, reverse=True)
    window.run(f"{head}.click()")
    assert shown(window) == before
    window.run("document.querySelector('th[data-key=tightness] button').click()")
    script = "[...document.querySelectorAll('.statements tbody tr')].map(r => r.dataset.tightness)"
    values = [math.inf if text == "" else float(text) for text in window.run(script)]
    assert values == sorted(values)  # what has none comes last


@pytest.mark.parametrize("name", [f"{MISPRINT}:as_printed", "my_claims.law", PROOF])
def test_a_deep_link_opens_its_statement(window: Browser, page: Path, name: str) -> None:
    anchor = "s-" + name.replace(":", "-")
    whole = f"document.getElementById('{anchor}').closest('details')"
    assert window.run(f"{whole}.open") is False
    window.go(page, f"#{anchor}")
    assert window.run(f"{whole}.open") is True
    assert 0 <= window.run(f"{whole}.getBoundingClientRect().top") < 300
    assert window.run("document.querySelectorAll('details.statement[open]').length") == 1
    # the same link again after it was closed, and while a filter hides it
    window.run(f"{whole}.open = false")
    choose(window, words="no such word")
    window.run(f"document.querySelector('.statements a[href=\"#{anchor}\"]').click()")
    window.wait(f"{whole}.open && !{whole}.hidden")


@pytest.mark.parametrize("fragment", ["#%", "#%zz", "#s-nothing", "#"])
def test_a_link_that_leads_nowhere_says_nothing(window: Browser, page: Path, fragment: str) -> None:
    window.go(page, fragment)
    assert window.run("document.querySelectorAll('details.statement[open]').length") == 0


def test_a_deep_link_opens_its_statement_without_scripts(window: Browser, page: Path) -> None:
    window.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        window.go(page, "#s-my_claims.law")
        assert window.run("document.getElementById('s-my_claims.law').closest('details').open")
        assert window.run("getComputedStyle(document.querySelector('.filters')).display") == "none"
    finally:
        window.call("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [320, 420, 1400])
def test_nothing_overflows_and_colours_follow_the_system(
    window: Browser, page: Path, width: int, dark: bool
) -> None:
    window.look(width=width, dark=dark)
    window.go(page)
    window.run("document.querySelectorAll('details').forEach(d => { d.open = true })")
    # a list of names, as of what was not run, has nowhere to break but in a name
    window.run(
        "document.querySelector('main ul').innerHTML += `<li>${'long_name:'.repeat(30)}</li>`"
    )
    assert window.run("document.documentElement.scrollWidth") <= width
    beyond = (
        "[...document.querySelectorAll('main *')].filter(e => "
        "e.getBoundingClientRect().right > innerWidth + 1 && "
        "!e.closest('.wide, .formula, .plot, .scrolls, .whole, .code, .unseen, math'))"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    assert window.run(beyond) == []
    pixels = np.asarray(Image.open(io.BytesIO(window.picture())).convert("L"))
    assert bool(np.median(pixels) < 128) is dark
    colours = (
        "(({color, backgroundColor}) => [color, backgroundColor])(getComputedStyle(document.body))"
    )
    ink, paper = (sum(map(int, re.findall(r"\d+", c)[:3])) / 3 for c in window.run(colours))
    assert (ink > paper) is dark
    assert abs(ink - paper) > 150


def test_in_print_everything_is_open(window: Browser) -> None:
    closed = "document.querySelectorAll('main details:not([open])').length"
    before = window.run(closed)
    assert before > 0
    window.run("dispatchEvent(new Event('beforeprint'))")
    assert window.run(closed) == 0
    window.run("dispatchEvent(new Event('afterprint'))")
    assert window.run(closed) == before
    # and without its scripts as well, by style alone
    window.look(medium="print", dark=True)
    seen = (
        "[...document.querySelectorAll('main details')].filter(d => "
        "d.lastElementChild.getBoundingClientRect().height > 0).length"
    )
    assert window.run(seen) == window.run("document.querySelectorAll('main details').length")
    assert window.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert window.printed().startswith(b"%PDF")


def test_a_print_with_a_filter_on_says_what_it_leaves_out(
    window: Browser, document: dict[str, Any]
) -> None:
    note = "document.querySelector('.left-out')"
    drawn = f"{note}.getBoundingClientRect().height > 0"
    choose(window, verdict="refuted", words="decay")
    fits = [s for s in sections(document) if s.verdict == "refuted" and "decay" in s.name]
    assert shown(window) == [s.name for s in fits]
    assert window.run(drawn) is False  # on a screen the filter itself is seen
    window.look(medium="print")
    assert window.run(drawn) is True
    assert window.run(f"{note}.textContent") == (
        "Printed with a filter, verdict: refuted, words: decay: "
        f"{len(fits)} of {len(document['results'])} statements follow, and the others are left out."
    )
    window.run("document.querySelector('button.clear').click()")
    window.wait(f"!{drawn}")


def test_an_outline_is_drawn_while_the_figure_that_brought_it_is_hidden(
    shared: Browser, document: dict[str, Any], tmp_path: Path
) -> None:
    svg = (
        '<svg viewBox="0 0 9 6"><defs><path id="m" d="M 0 0 L 9 0 L 9 6 z"/></defs>'
        '<use href="#m"/></svg>'
    )
    about = {"one": "orthogonality", "two": "my_claims"}
    pictures = [Picture(name, name, "", svg, family) for name, family in about.items()]
    page = tmp_path / "page.html"
    page.write_text(render(document, pictures), encoding="utf-8")
    shared.look()
    shared.go(page)
    choose(shared, family="my_claims")
    widths = [
        shared.run(f"document.querySelector('#{name} use').getBoundingClientRect().width")
        for name in about
    ]
    assert widths[0] == 0
    assert widths[1] > 100
    assert shared.run("document.querySelectorAll('#two path').length") == 0


def test_it_is_used_by_keyboard_alone(window: Browser) -> None:
    window.press("Tab", 9)
    assert window.run("document.activeElement.className") == "skip"
    window.run("document.querySelector('details.statement summary').focus()")
    window.press("Enter", 13)
    window.wait("document.querySelector('details.statement').open")
    window.run("document.querySelector('th[data-key=name] button').focus()")
    window.press("Enter", 13)
    window.wait("document.querySelector('th[data-key=name]').ariaSort === 'ascending'")
    unreached = (
        "[...document.querySelectorAll('.wide, .formula, .plot, pre')]"
        ".filter(e => e.tabIndex !== 0).length"
    )
    assert window.run(unreached) == 0


def test_what_is_copied_is_the_command(window: Browser, page: Path) -> None:
    window.go(page, f"#s-{PROOF.replace(':', '-')}")
    window.run(
        "(() => { window.kept = []; navigator.clipboard.writeText = async t => { kept.push(t) };"
        "document.querySelector('details[open] .again .copy').click() })()"
    )
    window.wait("kept.length === 1")
    assert window.run("kept[0]") == f"theorems verify {PROOF} --seed 5"
    assert window.run("document.querySelector('[role=status]').textContent") == "copied"
    # once more before the button says again what it does
    button = "document.querySelector('details[open] .again .copy')"
    window.run(f"{button}.click()")
    window.wait(f"kept.length === 2 && {button}.textContent === 'copy'")


def test_it_is_read_out_in_words(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for table in re.findall(r"<table.*?</table>", text, re.DOTALL):
        assert "<caption" in table
        assert all("scope=" in head for head in re.findall(r"<th\b[^>]*>", table))
    assert all(math.startswith('<math alttext="') for math in re.findall(r"<math.*?</math>", text))
    assert '<nav class="contents" aria-label="Contents">' in text


# --- what a reader learns -------------------------------------------------------------------------


def only(document: dict[str, Any], name: str) -> Section:
    (found,) = [section for section in sections(document) if section.name == name]
    return found


def test_what_is_wrong_as_printed_stands_first(document: dict[str, Any], page: Path) -> None:
    first, second = wrong_as_printed(sections(document))
    assert first.printed.name == f"{MISPRINT}:as_printed"
    assert first.corrected is not None
    assert first.corrected.name == f"{MISPRINT}:corrected"
    assert [other.name for other in first.others] == [f"{MISPRINT}:conclusion"]
    assert first.printed.how_it_fell[0] == "violated at [4/5, 3/5]"
    assert second.printed.name == PRINTED
    assert second.sharp is not None
    text = page.read_text(encoding="utf-8")
    assert text.index('id="wrong"') < text.index('id="vacuous"') < text.index('id="constants"')
    assert text.index('id="constants"') < text.index('id="matrix"') < text.index('id="statements"')


@pytest.mark.parametrize("source", ["ours", "after DJB21 (arXiv 2106.03970), restated"])
def test_what_nobody_printed_is_no_misprint(document: dict[str, Any], source: str) -> None:
    found = [replace(s, result=s.result | {"source": source}) for s in sections(document)]
    assert wrong_as_printed(found) == []
    assert len(refuted_besides(found)) == 2


def test_vacuous_bounds_are_told_with_their_places(document: dict[str, Any]) -> None:
    (found,) = vacuous_bounds(sections(document))
    assert (found.printed.name, found.vacuous, found.tested) == (PRINTED, 1, 3)
    assert (found.silent, found.speaking) == (("n=2, d=8",), ())
    assert found.published == ()  # the statement of that title is not the library's


@pytest.mark.parametrize(
    ("name", "sizes", "expected"),
    [
        (PRINTED, {"n": 4, "d": 512}, True),
        (PRINTED, {"n": 4, "d": 2**16}, False),
        ("orthogonality.decay:sharp", {"n": 4, "d": 512}, False),
        ("orthogonality.concentration:as_printed", {"n": 4, "d": 512}, False),
        ("rank.soft_rank_lower_bound:as_printed", {"d": 4}, False),  # a lower bound
        (PRINTED, {"n": 4, "unheard of": 1}, False),
    ],
)
def test_where_its_source_experimented_a_bound_says_something_or_nothing(
    name: str, sizes: dict[str, int], expected: bool
) -> None:
    section = Section(result(name), get(name))
    assert says_nothing_at(section, sizes) is expected
    assert says_nothing_at(Section(result(name)), sizes) is False


def test_published_sizes_are_told_with_the_bound() -> None:
    statement = get(PRINTED)
    told = result(PRINTED, title=statement.title, source=str(statement.source))
    (found,) = vacuous_bounds([Section(told, statement)])
    assert found.published[-1] == "n = 4, d = 512"
    assert len(found.published) == found.sizes == 6


def test_best_constants_are_the_sharp_forms_beside_the_printed(document: dict[str, Any]) -> None:
    found = best_constants(sections(document))
    names = {constant.sharp.name: constant.printed for constant in found}
    gap = names["orthogonality.gap_vs_smallest_eigenvalue:sharp"]
    assert gap is not None
    assert gap.tightness == "0.4677"
    assert names["orthogonality.contraction:sharp"] is None  # its printed form was not run


def test_a_form_of_another_name_that_holds_stands_beside_the_sharp_one() -> None:
    names = [f"orthogonality.decay:{form}" for form in ("as_printed", "sharp", "harmonic")]
    (found,) = best_constants([Section(result(name)) for name in names])
    assert found.printed is not None
    assert [other.name for other in found.others] == names[2:]


def test_the_matrix_counts_every_statement_once(document: dict[str, Any]) -> None:
    rows = matrix(sections(document))
    assert sum(row.counts.total() for row in rows) == len(document["results"])
    assert [row.family for row in rows] == ["orthogonality", "my_claims"]
    assert [bool(row.title) for row in rows] == [True, False]


@pytest.mark.parametrize(
    ("name", "change", "cell", "words"),
    [
        (f"{MISPRINT}:as_printed", {}, "1.823 × bound", "exceeded by that factor"),
        (f"{MISPRINT}:as_printed", {"tightness": 0.3}, "–", "reach that share of the bound"),
        ("orthogonality.gap_vs_smallest_eigenvalue:sharp", {}, "attained", "1: attained"),
        ("my_claims.law", {}, "0.5", "0.5: the nearest"),
    ],
)
def test_a_tightness_says_what_it_means(
    document: dict[str, Any], name: str, change: dict[str, Any], cell: str, words: str
) -> None:
    section = only(document, name)
    section = replace(section, result=section.result | change)
    assert section.tightness == cell
    assert words in section.tightness_in_words(section.result["tightness"])


def test_an_equality_has_no_tightness() -> None:
    statement = get("orthogonality.gaussian_distance:identity")
    equal = result(statement.name, tightness=1.015, tightness_interval=[0.9, 1.1])
    section = Section(equal, statement)
    assert section.tightness == "equality"
    assert "[0.9, 1.1]" in section.tightness_in_words(1.015, sampled=True)
    assert "[0.9, 1.1]" not in section.tightness_in_words(1.015)  # a range of inputs
    assert "[0.9, 1.1]" not in section.tightness_in_words(0.7, sampled=True)  # of other evidence
    assert section.tightness_in_words(1.0) == "an equality: the two sides agree"


def test_a_sentinel_without_a_say_is_explained_and_not_red(document: dict[str, Any]) -> None:
    (proof,) = [p for p in only(document, PROOF).pieces if p.theorem]
    assert proof.found["sentinel"] == "outside"
    assert not proof.sentinel_survived
    assert "tied to the statement by its name" in proof.sentinel


def test_a_proof_shows_its_theorem_and_every_axiom(document: dict[str, Any], page: Path) -> None:
    (theorem,) = [p.theorem for p in only(document, PROOF).pieces if p.theorem]
    assert theorem.text.startswith("Theorem contraction_sharp (n : nat)")
    assert theorem.text.endswith(".")
    assert len(theorem.axioms) == 5
    assert all(meaning for _, meaning in theorem.axioms)
    text = page.read_text(encoding="utf-8")
    assert "excluded middle" in text
    assert "It rests on no axiom" in text


def test_the_command_of_a_statement_is_as_thorough_as_the_run(document: dict[str, Any]) -> None:
    whole = document["environment"] | {"thorough": True}
    page = render(document | {"environment": whole}, [])
    assert f"theorems verify {PROOF} --seed 5 --thorough</code>" in page
    assert "samples were followed to their full power" in page


def test_a_run_that_stopped_after_some_seconds_does_not_promise_the_same_numbers() -> None:
    results = verify(["orthogonality.one_step_drift:sharp"], level=1e-3)
    promise, warning = "With the same versions", "this, without that limit, may draw more"
    for budget, said, unsaid in ((None, promise, warning), (600.0, warning, promise)):
        run = document_of(results, seed=0, level=1e-3, batch=None, budget=budget)
        page = render(run, [])
        assert said in page
        assert unsaid not in page


def test_a_statement_alone_gives_the_numbers_it_had_in_the_run() -> None:
    found = document_of(verify(["cluster.norm_ratio"], seed=3), seed=3, level=1e-5, batch=None)
    for section in sections(found):
        level = 1e-5 if section.level is None else section.level
        (alone,) = plain([r.as_json() for r in verify(section.name, seed=3, level=level)])
        assert [untimed(e) for e in alone["evidence"]] == [
            untimed(e) for e in section.result["evidence"]
        ]


def untimed(evidence: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in evidence.items() if key != "seconds"}


def test_the_axioms_of_all_proofs_stand_together(document: dict[str, Any], page: Path) -> None:
    found = foundation(sections(document))
    assert f"{MISPRINT}:corrected" in [section.name for section in found.free]
    assert len(found.axioms) == 5
    for name, meaning, resting in found.axioms:
        assert meaning
        assert [section.name for section in resting] == [PROOF], name
    assert 'id="axioms"' in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["orthogonality.vanilla_alignment:batchnorm", PROOF])
def test_the_command_of_a_statement_gives_its_share_of_the_level(name: str) -> None:
    statement = get(name)
    share = Context(0, LEVEL).share(131).level
    pieces = [{"method": "simulation", "level": share, "tightness": None} for _ in statement.checks]
    section = Section(result(name, *pieces), statement, shipped=True)
    level = section.level
    assert level is not None
    assert Context(0, level).share(len(statement.checks)).level == share
    assert section.command == f"theorems verify {name}"


def test_a_claim_of_a_users_file_is_told_from_the_document_alone(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    whole = text[text.index('id="s-my_claims.law"') :]
    whole = whole[: whole.index('class="statement"')] if 'class="statement"' in whole else whole
    assert "<math" not in whole
    assert RUN["command"] in whole
    assert "777777…777777 (300 digits)" in whole  # and the digits are there, folded
    assert 300 * "7" in whole


def test_what_a_user_claims_is_shown_where_the_statement_is_at_hand() -> None:
    statement = replace(get(PROOF), family="my_claims")
    claims = document_of(verify(statement), seed=0, level=LEVEL, batch=None)
    assert "<math" not in render(claims, [])
    assert "<math" in render(claims, [], [statement])


def test_another_statement_of_that_name_is_not_shown(document: dict[str, Any]) -> None:
    claims = document["claims"] | {PROOF: document["claims"][PROOF] | {"digest": "other"}}
    section = only(document | {"claims": claims}, PROOF)
    assert section.statement is None
    assert section.changed
    assert section.claim == document["claims"][PROOF]["claim"]
    assert section.command == ""
    assert any("has changed since the run" in value for _, value in section.facts)


def test_documents_of_older_versions_are_shown(document: dict[str, Any]) -> None:
    older = {key: document[key] for key in ("schema", "environment", "results")}
    assert only(older, PROOF).statement is get(PROOF)
    assert "did not write down" in render(older, [])


def test_the_page_tells_its_command_commit_date_and_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for told in ("command", "commit", "date", "system"):
        assert str(RUN[told]) in text


def test_no_script_runs_but_its_own(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/=]{44}'", text)


# --- against what was known before ----------------------------------------------------------------


def test_against_itself_nothing_is_otherwise(document: dict[str, Any], tmp_path: Path) -> None:
    earlier = _earlier(document, tmp_path)
    found = compared(document, sections(document), earlier)
    assert (found.changes, found.new, found.unseen) == ((), (), ())
    assert found.same == len(document["results"])


@pytest.mark.parametrize("told", [True, False], ids=["with digests", "of an older version"])
def test_what_is_otherwise_is_told_statement_by_statement(
    document: dict[str, Any], tmp_path: Path, told: bool
) -> None:
    before = copy.deepcopy(document)
    results = {full_name(r): r for r in before["results"]}
    results[PROOF]["verdict"] = "certified"
    results[PRINTED]["verdict"] = "supported"
    results["my_claims.law"]["tightness"] = 0.25
    gone = results[f"{MISPRINT}:as_printed"]
    gone["statement"], gone["variant"] = "gone.away", ""
    if told:
        before["claims"][f"{MISPRINT}:corrected"]["digest"] = "of another claim"
    else:
        del before["claims"]
    found = compared(document, sections(document), _earlier(before, tmp_path))
    changes = {
        section.name: [(change.what, change.worse) for change in told]
        for section, told in found.changes
    }
    assert changes == {
        PROOF: [("verdict", False)],
        PRINTED: [("verdict", True)],
        "my_claims.law": [("tightness", True)],
    } | ({f"{MISPRINT}:corrected": [("text", True)]} if told else {})
    assert [section.name for section in found.new] == [f"{MISPRINT}:as_printed"]
    assert found.unseen == ("gone.away",)
    assert found.differing == {*changes, f"{MISPRINT}:as_printed"}


def test_a_run_is_compared_with_a_ledger(document: dict[str, Any], tmp_path: Path) -> None:
    found = verify([MISPRINT], seed=5)
    here = document_of(found, seed=5, level=LEVEL, batch=None)
    kept = Ledger({}).updated(found[1:], seed=5, level=LEVEL, versions={})
    file = tmp_path / "ledger.json"
    file.write_text(json.dumps(kept.as_json()), encoding="utf-8")
    told = compared(here, sections(here), read_earlier(file))
    assert [section.name for section in told.new] == [f"{MISPRINT}:as_printed"]
    assert (told.name, told.same, told.changes) == ("ledger.json", 2, ())


@pytest.mark.parametrize("content", ["{", "[]", '{"statements": 3}', '{"schema": 1}'])
def test_what_is_neither_run_nor_ledger_is_refused(content: str, tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"other\.json: ") as caught:
        read_earlier(file)
    assert "\n" not in str(caught.value)


def test_only_what_is_otherwise_can_be_shown(
    shared: Browser, document: dict[str, Any], tmp_path: Path
) -> None:
    before = copy.deepcopy(document)
    before["results"][0]["verdict"] = "inconclusive"
    file = tmp_path / "compared.html"
    file.write_text(render(document, [], earlier=_earlier(before, tmp_path)), encoding="utf-8")
    shared.go(file)
    assert len(shown(shared)) == len(document["results"])
    shared.run("document.querySelector('input[name=changed]').click()")
    assert shown(shared) == [full_name(document["results"][0])]
    assert shared.said == []


def _earlier(document: dict[str, Any], folder: Path) -> Earlier:
    file = folder / "earlier.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return read_earlier(file)


# --- the chart of means ---------------------------------------------------------------------------


def row(mean: float) -> dict[str, Any]:
    interval = {"low": mean / 2, "high": 2 * mean}
    return {"bound": 1.0, "mean": mean, "verdict": "supported"} | interval


def test_a_mean_nearer_its_bound_stands_nearer_the_line() -> None:
    drawn = chart([row(0.1), row(0.5), {"bound": 3.0, "verdict": "vacuous"}], "<=")
    assert drawn is not None
    far, near, silent = drawn.marks
    assert None not in (far.y, near.y, near.low, near.high)
    assert abs(near.y - drawn.bound) < abs(far.y - drawn.bound)
    assert near.high < near.y < near.low  # heights run down
    assert (silent.y, silent.verdict) == (None, "vacuous")


@pytest.mark.parametrize(("relation", "side"), [("<=", "above"), (">=", "below"), ("==", None)])
def test_the_side_on_which_the_claim_fails_is_shaded(relation: str, side: str | None) -> None:
    drawn = chart([row(0.5), row(2.0)], relation)
    assert drawn is not None
    if side is None:
        assert drawn.violated is None
    else:
        assert drawn.violated is not None
        assert drawn.bound == drawn.violated[1 if side == "above" else 0]


def test_a_median_is_drawn_where_the_tightness_is_of_it() -> None:
    found = {"median r": 4.0, "low r": 3.0, "high r": 5.0, "bound": 2.0, "tightness": 0.5}
    assert chart([found, found], ">=") is not None
    assert chart([found | {"tightness": 0.51}] * 2, ">=") is not None  # of an end of its interval
    assert chart([found | {"tightness": 0.9}] * 2, ">=") is None


def test_readouts_without_means_give_no_chart() -> None:
    for broken in ([], [row(0.5)], [{"bound": None}] * 3, [row(0.5) | {"mean": None}] * 2):
        assert chart(broken, "<=") is None
