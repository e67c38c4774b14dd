"""The page of an inspection: in a browser, and what a reader learns from it alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from browser import Browser, browser
from torch import nn

from theorems import inspect
from theorems.cli import main
from theorems.inspection.page import FILES, render, write_page
from theorems.inspection.report import Inspection

pytest.importorskip("matplotlib")

MODEL = """
from torch import nn
def deep():
    parts = [part for _ in range(20) for part in (nn.Linear(8, 8), nn.ReLU())]
    return nn.Sequential(*parts, nn.Linear(8, 3))
def short(): return nn.Sequential(nn.Linear(8, 8), nn.Tanh())
"""
RUN = {
    "command": "theorems inspect 'my nets.py:deep' --batch <mine>.npy",
    "commit": "0123abc",
    "date": "2026-01-02T03:04:05Z",
    "system": "a machine",
    "cores": 2,
}


class Named(nn.Module):
    """A deep network of ReLU, a layer of which has a name that is mark-up."""

    def __init__(self) -> None:
        super().__init__()
        for number in range(20):
            self.add_module(f"<b>{number}" if number == 3 else f"map{number}", nn.Linear(16, 16))
        self.add_module("head", nn.Linear(16, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        *maps, head = self.children()
        for layer in maps:
            x = torch.relu(layer(x))
        out: torch.Tensor = head(x)
        return out


@pytest.fixture(scope="module")
def found() -> Inspection:
    torch.manual_seed(0)
    return inspect(Named(), torch.randn(8, 16))


@pytest.fixture(scope="module")
def page(found: Inspection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inspection")
    written = write_page(found, folder, batch="8 samples", seed=5, run=RUN)
    assert [path.name for path in written] == list(FILES)
    return written[0]


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with browser() as shown:
        yield shown


def text_of(page: Path) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page.read_text(encoding="utf-8"))).split())


def test_it_stands_alone_and_is_the_same_every_time(
    found: Inspection, page: Path, tmp_path: Path
) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href)="(?!#)', text)
    again = write_page(found, tmp_path, batch="8 samples", seed=5, run=RUN)[0]
    assert again.read_text(encoding="utf-8") == text


def test_every_text_is_escaped(found: Inspection, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "<b>3" not in text
    assert "&lt;b&gt;3" in text
    assert "<mine>" not in text
    assert found.layers[3].name == "<b>3"


def test_verdict_causes_and_remedies_are_told(found: Inspection, page: Path) -> None:
    text = text_of(page)
    first, *others = found.verdict.split("; ")
    assert first[1:] in text
    assert all(words in text for words in others)
    assert found.remedies
    whole = page.read_text(encoding="utf-8")
    for remedy in found.remedies:
        assert remedy.words in text
        assert f'href="#s-{remedy.statement.replace(":", "-")}"' in whole
    assert "Results that apply to a network of this make" in text
    assert "depth 20 without normalisation: gradients shrink by" in text


def test_what_is_within_brackets_is_told_in_one_piece() -> None:
    def deep() -> nn.Module:
        return nn.Sequential(*[nn.Linear(16, 16) for _ in range(20)], nn.Linear(16, 3))

    torch.manual_seed(0)
    text = render(inspect(deep(), torch.randn(8, 16), others=[deep(), deep()]), [])
    headline = text.partition("<h1>")[2].partition("</h1>")[0]
    assert "by random output gradients; mean over 3 initialisations: " in headline
    assert headline.count("(") == headline.count(")")


def test_statements_come_with_verdict_formula_and_command(found: Inspection, page: Path) -> None:
    whole = page.read_text(encoding="utf-8")
    name = found.remedies[0].statement
    section = whole[whole.index(f'<details class="statement" data-of="s-{name.split(":")[0]}') :]
    section = section[: section.index("</details>")]
    assert re.search(r'class="chip (proved|certified|supported)"', section)
    assert "<math" in section
    assert f"theorems verify {name}" in section


def test_every_layer_and_every_column_is_there_and_explained(found: Inspection, page: Path) -> None:
    whole = page.read_text(encoding="utf-8")
    table = whole[whole.index('<table class="layers">') : whole.index("</table>")]
    assert table.count("<tr") == len(found.layers) + 2  # heads, and the batch
    heads = re.findall(r'<abbr title="([^"]+)">', table)
    below = whole[whole.index("</table>") :]
    assert len(heads) == 11
    assert all(f"<dd>{meaning}</dd>" in below for meaning in heads)


def test_predictions_stand_beside_what_was_measured(found: Inspection, page: Path) -> None:
    assert not isinstance(found.simulation, str)
    text = text_of(page)
    for line in found.simulation.lines:
        assert f"{line.quantity} {line.measured:.4g} " in text
    assert "they are compared all the same" in text
    assert "statements whose assumptions are not met" in text


def test_how_it_was_made_is_told(page: Path) -> None:
    text = text_of(page)
    for words in ("seed 5", "0123abc", "2026-01-02", "a machine, 2 cores", "8 samples", "torch 2"):
        assert words in text
    assert "theorems inspect &#39;my nets.py:deep&#39;" in page.read_text(encoding="utf-8")
    assert "mean over 8 random output gradients" in text


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [420, 1400])
def test_nothing_overflows_and_colours_follow_the_system(
    window: Browser, page: Path, width: int, dark: bool
) -> None:
    window.look(width=width, dark=dark)
    window.go(page)
    assert window.run("document.documentElement.scrollWidth") <= width
    paper = window.run("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)")
    assert not window.said
    assert all(address.startswith(("file:", "data:", "about:")) for address in window.requested)


def test_it_is_accessible(window: Browser, page: Path) -> None:
    window.look()
    window.go(page)
    levels = window.run("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.localName[1])")
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert window.run("[...document.querySelectorAll('svg')].every(s => s.ariaLabel)")
    assert window.run("[...document.querySelectorAll('table')].every(t => t.caption)")
    ids = window.run("[...document.querySelectorAll('[id]')].map(item => item.id)")
    assert len(ids) == len(set(ids))
    lost = window.run(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
        ".filter(name => !document.getElementById(name))"
    )
    assert lost == []


def test_a_link_opens_the_statement_that_it_leads_to(window: Browser, page: Path) -> None:
    window.look()
    window.go(page)
    link = "document.querySelector('#remedies a.name')"
    anchor = window.run(f"{link}.getAttribute('href').slice(1)")
    assert not window.run(f"document.getElementById('{anchor}').closest('details').open")
    window.run(f"{link}.click()")
    window.wait(f"document.getElementById('{anchor}').closest('details').open")


def test_what_is_copied_is_the_command(window: Browser, page: Path) -> None:
    window.go(page)
    assert window.run("document.querySelector('#run code').textContent") == RUN["command"]


def test_a_network_without_chain_gradients_or_remedies_has_a_page() -> None:
    torch.manual_seed(0)

    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.map = nn.Linear(8, 8)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.tanh(self.map(x)).detach()

    seen = inspect(Cut(), torch.eye(8))
    assert isinstance(seen.gradients, str)
    text = render(seen, [])
    assert "<h1>Healthy: " in text
    assert seen.gradients in text
    assert "Not simulated: " in text


def test_recurrent_modules_and_tokens_are_told_on_the_page() -> None:
    torch.manual_seed(0)

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.LSTM(8, 8, batch_first=True)
            self.attend = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
            self.head = nn.Linear(8, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.head(self.attend(self.cell(x)[0]))
            return out

    seen = inspect(Both(), torch.randn(6, 5, 8))
    assert {what for what, _ in seen.besides} >= {"recurrent", "tokens"}
    text = unescape(render(seen, []))
    assert all(f"<dt>{what}</dt><dd>{words}</dd>" in text for what, words in seen.besides)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL, encoding="utf-8")
    np.save("batch.npy", np.random.default_rng(0).standard_normal((6, 8)))
    np.save("narrow.npy", np.ones((6, 3)))
    return tmp_path


def test_the_command_writes_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["inspect", "model.py:deep", "--batch", "batch.npy", "--report", "out/page"]
    assert main(given) == 1
    assert "out/page/index.html" in capsys.readouterr().out
    assert sorted(item.name for item in (folder / "out/page").iterdir()) == sorted(FILES)
    text = (folder / "out/page/index.html").read_text(encoding="utf-8")
    assert "theorems inspect model.py:deep --batch batch.npy --report out/page" in text
    assert "6 samples (rows) of dimension 8 from batch.npy" in text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["model.py:deep", "--batch", "narrow.npy", "--report", "new/page"], "module fails"),
        (["model.py:deep", "--batch", "no.npy", "--report", "new/page"], "no such file"),
        (["model.py:none", "--batch", "batch.npy", "--report", "new"], "has no 'none'"),
        (["model.py:deep", "--batch", "batch.npy", "--seed", "x", "--report", "new"], "--seed"),
        (["model.py:deep", "--batch", "batch.npy", "--report", "model.py"], "not a directory"),
        (["model.py:deep", "--batch", "batch.npy", "--report", ""], "not a directory"),
        (["model.py:deep", "--batch", "batch.npy", "--report", 300 * "a"], "name another place"),
        (["model.py:deep", "--batch", "batch.npy", "--report", "model.py/in"], "cannot be made"),
        (
            ["model.py:deep", "--batch", "batch.npy", "--report", ".", "--plot", "rank.png"],
            "is what --plot writes itself",
        ),
        (
            ["model.py:deep", "--batch", "batch.npy", "--report", ".", "--json", "index.html"],
            "is what --json writes itself",
        ),
    ],
)
def test_what_is_refused_leaves_nothing_behind(
    given: list[str], words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.rglob("*"))
    assert main(["inspect", *given]) == 2
    printed, errors = capsys.readouterr()
    assert printed == ""
    assert errors.count("\n") == 1
    assert words in errors
    after = [item for item in folder.rglob("*") if "__pycache__" not in item.parts]
    assert sorted(after) == before
