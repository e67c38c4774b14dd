"""The pages of ``docs/`` and the guide for contributors: their examples give what they show.

A page is gone through from top to bottom in a directory of its own. ``python`` with ``>>>`` is a
doctest, in one namespace a page; ``console`` is a command line of ``theorems`` with what it prints;
a block with a title is that file. What is shown and not run, because it takes long or installs
something, is at least a command line that is understood.

A page that says ``<!-- needs: rocq -->`` is skipped where Rocq is missing, except on CI.
"""

from __future__ import annotations

import doctest
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import simulators
import theorems
from simulators.activations import ACTIVATIONS
from simulators.chains import CHAINS
from simulators.layers import LAYERS
from simulators.observables import OBSERVABLES
from tests.built_site import faults
from tests.theorems.rocq_here import rocq_or_skip
from theorems.cli import main
from theorems.commands.command_line import parse
from theorems.terminal.exit_statuses import UsageError

ROOT = Path(__file__).parents[1]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "CONTRIBUTING.md"]
FENCE = re.compile(r"^```(\w*)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL
NEEDS_ROCQ = "<!-- needs: rocq -->"
#: A whole file after ``<!-- example: NAME -->`` is run by tests/theorems/test_new.py.
#: Blocks that show no result: installing and long runs, a build file, a piece of another page.
SHOWN = ("sh", "toml")


def blocks(text: str) -> list[tuple[str, str, str]]:
    """Language, title, content of each fenced block but those with a part of another file."""
    found = [(language, title, content) for language, title, content in FENCE.findall(text)]
    return [block for block in found if "--8<--" not in block[2]]


def console(content: str) -> Iterator[tuple[str, str]]:
    """Each command with what it should print."""
    for part in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed


def agrees(wanted: str, printed: str) -> bool:
    return doctest.OutputChecker().check_output(
        wanted, printed, FLAGS & ~doctest.IGNORE_EXCEPTION_DETAIL
    )


@pytest.fixture
def catalogues() -> Iterator[None]:
    """Words that a page brings are gone after it."""
    with ACTIVATIONS.restored(), CHAINS.restored(), LAYERS.restored(), OBSERVABLES.restored():
        yield


def run_page(text: str, capsys: pytest.CaptureFixture[str]) -> int:
    """Run every example, in the present directory, to the first that differs; how many there were."""
    names: dict[str, Any] = {}
    count = 0
    for language, title, content in blocks(text):
        if title:
            Path(title).parent.mkdir(parents=True, exist_ok=True)
            Path(title).write_text(content, encoding="utf-8")
        elif language == "python" and content.startswith(">>>"):
            test = doctest.DocTestParser().get_doctest(content, names, "page", None, 0)
            runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
            told: list[str] = []
            count += runner.run(test, out=told.append, clear_globs=False).attempted
            assert runner.failures == 0, "".join(told)
            names.update(test.globs)
        elif language == "console":
            for command, wanted in console(content):
                program, *arguments = shlex.split(command)
                assert program == "theorems", f"{command!r}: only theorems is run"
                capsys.readouterr()
                main(arguments)
                printed = capsys.readouterr()
                found = printed.out if printed.out else printed.err
                assert agrees(wanted, found), f"$ {command}\n{found}"
                count += 1
        else:
            elsewhere = language == "python" and f"-->\n```python\n{content}" in text
            assert language in SHOWN or elsewhere, f"a block of {language!r} that nothing runs"
    return count


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
@pytest.mark.usefixtures("catalogues")
def test_the_examples_of_a_page_give_what_it_shows(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = page.read_text(encoding="utf-8")
    if NEEDS_ROCQ in text:
        rocq_or_skip()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    run_page(text, capsys)


def commands(text: str) -> list[list[str]]:
    """The command lines of ``theorems`` in blocks that are shown and not run."""
    lines = [
        line
        for language, _, content in blocks(text)
        if language == "sh"
        for line in content.splitlines()
    ]
    parts = [part.strip() for line in lines for part in line.split("&&")]
    return [shlex.split(part, comments=True)[1:] for part in parts if part.startswith("theorems ")]


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_commands_that_are_shown_and_not_run_are_understood(page: Path) -> None:
    for words in commands(page.read_text(encoding="utf-8")):
        parse(words)


def test_a_command_that_nobody_would_understand_is_noticed() -> None:
    text = "```sh\npip install x && theorems verify --jobs 2 rank  # two\ntheorems verfy\n```\n"
    good, bad = commands(text)
    assert good == ["verify", "--jobs", "2", "rank"]
    parse(good)
    for words in (bad, ["verify", "--no-such-option"]):
        with pytest.raises(UsageError):
            parse(words)


@pytest.mark.parametrize(
    "text",
    [
        "```python\n>>> 1 + 1\n3\n\n```\n",
        "```console\n$ theorems --version\nnothing of the kind\n```\n",
        "```console\n$ rm something\n```\n",
        "```ruby\n1 + 1\n```\n",
    ],
)
def test_a_wrong_example_is_noticed(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AssertionError):
        run_page(text, capsys)


def test_there_are_examples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_page("```python\n>>> x = 1\n\n```\n\n```python\n>>> x + 1\n2\n\n```\n", capsys) == 2
    kinds = [
        language for page in PAGES for language, _, _ in blocks(page.read_text(encoding="utf-8"))
    ]
    assert kinds.count("console") >= 6
    assert kinds.count("python") >= 20


def test_the_site_has_every_page_and_asks_no_network() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = set(re.findall(r"([\w/-]+\.md)$", text, re.MULTILINE))
    assert listed == {
        p.relative_to(ROOT / "docs").as_posix() for p in (ROOT / "docs").rglob("*.md")
    }
    assert "font: false" in text
    assert "http" not in text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", '<script async src="https://cdn.example/x.js">'),
        ("a.html", '<link rel="stylesheet" href="//fonts.example/x.css">'),
        ("a.css", "body { background: url(https://example.org/x.png) }"),
        ("a.css", "@import 'https://example.org/x.css';"),
    ],
)
def test_a_site_that_loads_from_a_network_is_noticed(name: str, text: str, tmp_path: Path) -> None:
    assert faults(tmp_path) == [f"{tmp_path} has no page"]
    names = [f"{p.__name__}.{each}" for p in (simulators, theorems) for each in p.__all__]
    public = "".join(f'<a id="{each}">' for each in names)
    page = f'{public}<a href="https://example.org">'
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    assert faults(tmp_path) == []
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert faults(tmp_path) == [f"{tmp_path / name} loads from a network"]
    page = public.replace("theorems.verify", "elsewhere")
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    assert "theorems.verify is not in the reference" in faults(tmp_path)


@pytest.mark.parametrize(
    "text", ["<blockquote>\n<p>1 + 1", "Raises :class:<code>ValueError</code>"]
)
def test_mark_up_that_is_shown_for_text_is_noticed(text: str, tmp_path: Path) -> None:
    (tmp_path / "words.html").write_text(text, encoding="utf-8")
    assert f"{tmp_path / 'words.html'} shows mark-up for text" in faults(tmp_path)
