"""The report: files, the page, the door. Every text of a document is only text."""

from __future__ import annotations

import html.parser
import json
import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from PIL import Image
from report_samples import PRINTED, sample_document, simulate_little

from simulators.arrays import Floats
from theorems import verify
from theorems.registry import Part, families, refused, rescan
from theorems.report import available, read_document, validate_document, write_report
from theorems.report.inlining import inlined
from theorems.report.page import LEGEND, render
from theorems.report.pictures import Picture
from theorems.report.style import COLOURS
from theorems.statement import Verdict
from theorems.typesetting import number
from theorems.verification import LEVEL, environment

HOSTILE = '</title><script>alert("x")</script><img src=x onerror=y>&amp;\'"'


@pytest.fixture
def document() -> dict[str, Any]:
    return sample_document()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    simulate_little(monkeypatch)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files of one report, to be looked at and left alone."""
    with pytest.MonkeyPatch.context() as patch:
        simulate_little(patch)
        before = dict(matplotlib.rcParams)
        files = write_report(sample_document(), tmp_path_factory.mktemp("report") / "made" / "here")
        assert dict(matplotlib.rcParams) == before
    return files


FILES = ["index.html"] + [
    f"{name}.{kind}"
    for name in ("gap_against_depth", "printed_bound_crossed", "width_scaling")
    for kind in ("png", "svg")
]


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small")
def test_everything_is_written_and_again_the_same(
    document: dict[str, Any], written: list[Path], tmp_path: Path
) -> None:
    assert [p.name for p in written] == FILES
    with matplotlib.rc_context(
        {"font.size": 30.0, "svg.hashsalt": None}
    ):  # a user's settings change nothing
        again = write_report(document, tmp_path / "again")
    for first, second in zip(written, again, strict=True):
        assert first.read_bytes() == second.read_bytes(), first.name


def test_pictures_are_pictures(written: list[Path]) -> None:
    for path in written[1:]:
        if path.suffix == ".png":
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB"))
            assert min(pixels.shape[:2]) > 700
            assert (
                0.01 < np.mean(pixels.min(axis=2) < 200) < 0.6
            )  # neither blank nor drowned in ink
        else:
            root = ElementTree.parse(path).getroot()
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            assert "Date" not in path.read_text(encoding="utf-8")


# --- partial documents ----------------------------------------------------------------------------


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        ([], []),
        ([4], ["width_scaling"]),
        ([1], ["gap_against_depth"]),
        ([0], ["gap_against_depth", "printed_bound_crossed"]),
        ([6], []),
    ],
)
def test_some_statements_give_a_report_of_those(
    document: dict[str, Any], kept: list[int], expected: list[str], tmp_path: Path
) -> None:
    document["results"] = [document["results"][i] for i in kept]
    written = write_report(document, tmp_path)
    assert [p.stem for p in written[1:] if p.suffix == ".svg"] == expected
    text = written[0].read_text(encoding="utf-8")
    assert ("No statement was checked" in text) == (not kept)


def test_a_real_run_passes_the_door(tmp_path: Path) -> None:
    results = [r.as_json() for r in verify(["orthogonality.iterative_initialisation:as_printed"])]
    value = {"schema": 1, "environment": environment(0, LEVEL, None), "results": results}
    file = tmp_path / "run.json"
    file.write_text(json.dumps(value), encoding="utf-8")
    (page,) = write_report(read_document(file), tmp_path)
    assert "4/5, 3/5" in page.read_text(encoding="utf-8")


# --- the page -------------------------------------------------------------------------------------


class Reader(html.parser.HTMLParser):
    """Every tag must close, ids must be unique, and links must lead to an id of the page."""

    VOID = frozenset({"meta", "wbr", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self.stack.append(tag)
        for key, value in attrs:
            assert not key.startswith("on")
            if key == "id":
                self.ids.append(value or "")
            if key in ("href", "xlink:href", "src"):
                self.links.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.stack.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] not in ("style", "script"):
            self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.stack == []
    assert len(set(reader.ids)) == len(reader.ids)
    assert all(link[:1] == "#" and link[1:] in reader.ids for link in reader.links)
    assert reader.tags.count("script") == 1
    assert not {"img", "link", "iframe"} & set(reader.tags)
    return reader


def test_page_stands_alone_and_names_everything(written: list[Path]) -> None:
    page = written[0].read_text(encoding="utf-8")
    reader = read(page)
    assert reader.tags.count("svg") == 3
    assert "7 statements, all as expected" in reader.text
    for name in (
        PRINTED,
        "orthogonality.width_scaling",
        "orthogonality.activation_conjecture:tanh",
    ):
        assert name in reader.text
        assert f"title of {name}" in reader.text
    for word in ("10⁻⁶", "seed", "half the bound: refuted", "81/1600", *LEGEND.values()):
        assert word in reader.text
    assert set(LEGEND) == set(Verdict)


def test_page_escapes_every_text(document: dict[str, Any]) -> None:
    def poisoned(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                k: v if k in ("verdict", "expected", "sentinel") else poisoned(v)
                for k, v in value.items()
            }
        if isinstance(value, list):
            return [poisoned(v) for v in value]
        return HOSTILE if isinstance(value, str) else value

    document["results"] = document["results"][:1]
    document["results"][0]["evidence"][0] |= {HOSTILE: HOSTILE, "nested": {HOSTILE: [HOSTILE]}}
    document["environment"]["batch"] = {"description": "x", "sha256": "y"}
    value = validate_document(poisoned(document))
    reader = read(render(value, [Picture("p", HOSTILE, HOSTILE, "<svg></svg>")]))
    assert reader.text.count('alert("x")') > 10


def test_page_says_what_was_not_expected(document: dict[str, Any]) -> None:
    document["results"][3] |= {"verdict": "inconclusive", "as_expected": False}
    document["results"][4]["evidence"][0]["sentinel"] = "supported"
    reader = read(render(document, []))
    assert "7 statements, 1 not as expected" in reader.text
    assert "orthogonality.width_scaling: inconclusive, expected supported" in reader.text
    assert reader.text.count("false neighbour survived") == 2  # in the table and in its section


def test_page_says_what_weakened_a_verdict(document: dict[str, Any]) -> None:
    assert "weakened by" not in render(document, [])
    document["results"][0]["weakened_by"] = ["a.b:c"]
    assert "<dt>weakened by</dt><dd>a.b:c</dd>" in render(document, [])


def test_page_says_that_a_run_was_interrupted(document: dict[str, Any]) -> None:
    assert "was interrupted" not in read(render(document, [])).text
    assert (
        "was interrupted"
        in read(render(validate_document(document | {"interrupted": True}), [])).text
    )


def test_inlined_pictures_share_outlines_and_styles_and_follow_the_page() -> None:
    """An outline is told by what it is, not by its id, and stands in the first that has it."""
    svg = (
        '<?xml version="1.0"?><svg width="7pt" height="5pt" viewBox="0 0 7 5"><metadata><a>b</a></metadata>'
        '<defs>\n <path id="m" d="M 0 {}"/>\n</defs><defs><path id="again" d="M 0 {}"/></defs>'
        f'<g id="a"><use xlink:href="#m" style="fill: {COLOURS["sharp"]}"/>'
        '<clipPath id="c"/><path clip-path="url(#c)" style="fill: #ffffff"/></g></svg>'
    )
    texts = {"one": svg.format(1, 1), "two": svg.format(1, 1), "three": svg.format(2, 2)}
    found = inlined([Picture(name, "t", "c", text) for name, text in texts.items()])
    for name, outline in (("one", "0"), ("two", "0"), ("three", "1")):
        for piece_ in (
            f'href="#outline-{outline}"',
            f'id="{name}-c"',
            f"url(#{name}-c)",
            "<g><use",
            'class="k0"',
            'class="k1"',
            'viewBox="0 0 7 5"',
        ):
            assert piece_ in found[name]
        for gone in ("metadata", "<?xml", "7pt", "5pt"):
            assert gone not in found[name]
    assert [text.count("<path id") for text in found.values()] == [1, 0, 1]
    rules = "<style>.k0{fill: var(--sharp)}.k1{fill: none}</style>"
    assert [text.count(rules) for text in found.values()] == [1, 0, 0]
    assert not any("style=" in text for text in found.values())


def test_an_inlined_path_is_the_same_within_a_tenth() -> None:
    """Of every command that Matplotlib writes, read back by Matplotlib."""
    draw = np.random.default_rng(5)
    counts = {"M": 1, "L": 1, "Q": 2, "C": 3, "z": 0}
    commands = ["M", *draw.choice(["L", "Q", "C"], 300), "z", "L", "M", *"LLz"]
    path = " \n".join(
        " ".join([command, *(f"{value:.6f}" for value in draw.normal(0, 300, 2 * counts[command]))])
        for command in commands
    )
    (short,) = inlined([Picture("p", "", "", f'<svg><path d="{path}"/></svg>')]).values()
    found = re.search(' d="([^"]*)"', short)
    assert found is not None
    assert len(found[1]) < 0.75 * len(path)
    assert np.abs(followed(found[1]) - followed(path)).max() <= 0.05 + 1e-9


@pytest.mark.parametrize("more", ["", "; stroke-opacity: 0.5"])
def test_inlined_lines_that_are_drawn_alike_are_one_path_unless_translucent(more: str) -> None:
    line = f'<path d="M 0 {{}} L 1 2" style="fill: none; stroke: #000000{more}"/>'
    other = '<path d="M 0 9 L 1 2" style="fill: none; stroke: #111111"/>'
    svg = f"<svg>{line.format(3)}{line.format(4)}{other}{line.format(5)}</svg>"
    (found,) = inlined([Picture("p", "", "", svg)]).values()
    drawn = re.findall(' d="([^"]*)"', found)
    alike = ["M0 3l1-1", "M0 4l1-2"]
    assert drawn == [*(alike if more else ["".join(alike)]), "M0 9l1-7", "M0 5l1-3"]


def followed(path: str) -> Floats:
    """The points of a path of M, L, Q, C and z, each told by itself or from where it is drawn."""
    points, here, start = [], np.zeros(2), np.zeros(2)
    for command, told in re.findall("([MLQCz])([^MLQCz]*)", path, re.IGNORECASE):
        if command == "z":
            here = start
            continue
        numbers = re.findall(r"-?[0-9]*\.?[0-9]+", told)
        after = np.array(numbers, dtype=float).reshape(-1, 2) + here * command.islower()
        points.extend(after)
        here = after[-1]
        start = here if command == "M" else start
    return np.array(points)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (1, "1"),
        (0.123456, "0.1235"),
        (1e-6, "10⁻⁶"),
        (8.1321e-5, "8.132·10⁻⁵"),
        (-0.5, "−0.5"),
        (math.inf, "∞"),
        (math.nan, "not a number"),
        (1722.0, "1722"),
        (2.5e20, "2.5·10²⁰"),
    ],
)
def test_numbers_are_short(value: Any, text: str) -> None:
    assert number(value) == text


# --- the door -------------------------------------------------------------------------------------

BREAKS = [
    (("schema",), 2, "schema is 2; want 1"),
    (("schema",), None, "schema is None"),
    (("interrupted",), "yes", "interrupted is 'yes'; want true or false"),
    (("results",), {}, "results is {}; want a list"),
    (("environment",), None, "environment is None; want an object"),
    (("environment", "seed"), True, "environment.seed is True"),
    (("environment", "seed"), -1, "environment.seed is -1; want a whole number from 0"),
    (("environment", "seed"), 10**400, "environment.seed is 1000"),
    (("environment", "versions", "numpy"), 2, r"environment.versions.numpy is 2; want text"),
    (("environment", "batch"), {}, "environment.batch.description: missing"),
    (("results", 1), 3, r"results\[1\] is 3; want an object"),
    (("results", 1, "verdict"), "true", r"results\[1\].verdict is 'true'; want one of proved"),
    (("results", 1, "as_expected"), 1, r"results\[1\].as_expected is 1"),
    (("results", 1, "evidence"), "x", r"results\[1\].evidence is 'x'; want a list"),
    (("refused",), "a line", "refused is 'a line'; want a list"),
    (("refused",), [3], r"refused\[0\] is 3; want text"),
    (("results", 1, "notes"), {"a": "note"}, r"results\[1\].notes is .*; want a list"),
    (("results", 1, "notes"), ["a note", None], r"results\[1\].notes\[1\] is None; want text"),
    (("results", 1, "weakened_by"), [[]], r"results\[1\].weakened_by\[0\] is \[\]; want text"),
    (("results", 0, "evidence", 0, "axioms"), "none", r"\[0\].axioms is 'none'; want a list"),
    (("results", 0, "evidence", 0, "axioms"), [1], r"\[0\].axioms\[0\] is 1; want text"),
    (("results", 0, "evidence", 0, "gloss"), 1, r"evidence\[0\].gloss is 1; want text"),
    (("results", 0, "evidence", 0, "leaves"), None, r"evidence\[0\].leaves is None; want text"),
    (("results", 0, "evidence", 0, "paths"), 1, r"evidence\[0\].paths is 1; want a list"),
    (("results", 0, "evidence", 0, "paths", 0), {}, r"paths\[0\].n: missing"),
    (("results", 3, "evidence", 0, "slope"), [1], r"slope is \[1\]; want two ends"),
    (("results", 3, "evidence", 0, "slope"), ..., "no slope"),
    (
        ("results", 3, "evidence", 0, "widths", 1, "interval"),
        [0, "x"],
        r"widths\[1\].interval\[1\] is 'x'; want a number",
    ),
]


@pytest.mark.parametrize(("place", "value", "message"), BREAKS)
def test_broken_documents_are_refused(
    document: dict[str, Any], place: tuple[Any, ...], value: Any, message: str, tmp_path: Path
) -> None:
    assert validate_document(document) is document  # accepted until broken
    inner: Any = document
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    if value is ...:
        del inner[place[-1]]
    with pytest.raises(ValueError, match=message) as caught:
        write_report(document, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("key", ["schema", "environment", "results"])
def test_missing_keys_are_named(document: dict[str, Any], key: str) -> None:
    del document[key]
    with pytest.raises(ValueError, match=f"{key}: missing"):
        validate_document(document)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"\x89PNG"])
def test_files_that_are_no_json_are_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"run\.json: not JSON.*; write it again with"):
        read_document(file)


def test_files_that_are_missing_or_something_else_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gone\.json: cannot be read: no such file"):
        read_document(tmp_path / "gone.json")
    file = tmp_path / "number.json"
    file.write_bytes(b"9" * 5000)
    with pytest.raises(ValueError, match=r"json: the document is a number beyond all floats; want"):
        read_document(file)
    file = tmp_path / "list.json"
    file.write_text("[]")
    with pytest.raises(
        ValueError, match=r"list\.json: the document is \[\]; want an object; write it"
    ):
        read_document(file)


# --- figures side by side -------------------------------------------------------------------------


@pytest.mark.usefixtures("small")
def test_the_files_are_the_same_however_many_jobs_draw_them(
    document: dict[str, Any], written: list[Path], tmp_path: Path
) -> None:
    again = write_report(document, tmp_path / "again", jobs=2)
    assert [path.name for path in again] == FILES
    for first, second in zip(written, again, strict=True):
        assert first.read_bytes() == second.read_bytes(), first.name


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_figure_of_ours_that_fails_is_a_defect_whoever_draws_it_and_of_others_is_refused(
    jobs: int, document: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: object) -> None:
        raise ZeroDivisionError("a figure")

    known = next(iter(families()))
    parts = [Part(known, "", lambda _: None), Part(known, "theirs 1.0", failing)]
    monkeypatch.setattr("theorems.report.pictures.brought", lambda *_: parts)
    assert [path.name for path in write_report(document, tmp_path, jobs=jobs)] == ["index.html"]
    assert any("theirs 1.0" in line and "a figure" in line for line in refused())
    rescan()
    parts.append(Part(known, "", failing))
    with pytest.raises(ZeroDivisionError, match="a figure"):
        write_report(document, tmp_path, jobs=jobs)
    rescan()


# --- without matplotlib ---------------------------------------------------------------------------


def test_without_matplotlib_the_remedy_is_named(
    document: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert available() is None
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    remedy = available()
    assert remedy is not None
    assert "pip install 'batchnorm-theorems[report]'" in remedy
    assert "\n" not in remedy
    with pytest.raises(ModuleNotFoundError, match=r"batchnorm-theorems\[report\]"):
        write_report(document, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_matplotlib_is_imported_only_to_draw() -> None:
    code = "import sys, theorems, theorems.report; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0


def test_numbers_that_json_does_not_have_are_refused(tmp_path):
    path = tmp_path / "run.json"
    path.write_text('{"schema": 1, "environment": {}, "results": [], "extra": NaN}')
    with pytest.raises(ValueError, match="not JSON"):
        read_document(path)
