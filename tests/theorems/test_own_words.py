"""Words from outside the package on the command line: ``--module`` of falsify, verify and sweep."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from simulators import own_words
from simulators.activations import ACTIVATIONS
from simulators.chains import CHAINS
from simulators.layers import LAYERS
from simulators.observables import OBSERVABLES
from simulators.own_words import OwnWordsError, bring, brought
from simulators.sweeps.store import Store
from simulators.trajectory import Trajectory
from simulators.weights import LAWS
from theorems.cli import main

MINE = '''
from dataclasses import dataclass

from array_api_compat import array_namespace

from simulators import Chain, activation, named_chain, observable
from simulators.layers import Activation, Linear, Rescale, RowLayer, ScaleResponse


@dataclass(frozen=True)
class Halved(RowLayer):
    """H → H/2"""

    response = ScaleResponse.LINEAR
    each_row = turns_with_samples = keeps_span = odd = True

    def on_rows(self, rows, xp, width):
        return rows / 2


@activation(odd=True)
def softsign(rows, xp):
    """x/(1 + |x|)"""
    return rows / (1 + xp.abs(rows))


@named_chain()
def halved_chain(width, activation="softsign"):
    """H⁺ = F(BN(WH)/2)"""
    return Chain((Linear(width), Rescale("variance"), Halved(), Activation(activation)))


@observable(floor=1, ceiling="min(n, d)", reads="gram")
def stable_rank(H):
    """‖H‖_F²/‖H‖²"""
    xp = array_namespace(H)
    squares = xp.linalg.svdvals(H) ** 2
    return xp.sum(squares, axis=-1) / squares[..., 0]
'''
SIZES = ["--where", "n=2", "--where", "d=16", "--where", "ell=1"]
ABOUT = ["--chain", "halved(softsign)", *SIZES]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(own_words, "_BROUGHT", {})
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    with ExitStack() as undo:
        for catalogue in (ACTIVATIONS, CHAINS, LAWS, LAYERS, OBSERVABLES):
            undo.enter_context(catalogue.restored())
        yield


def test_claims_on_own_words_are_decided(capsys: pytest.CaptureFixture[str]) -> None:
    claim = ["--module", "mine.py", "--claim"]
    assert main(["verify", *claim, "stable_rank <= 19/10", *ABOUT]) == 0
    assert "supported" in capsys.readouterr().out
    assert main(["falsify", *claim, "stable_rank <= 21/20", *ABOUT]) == 1
    printed = capsys.readouterr().out
    again = next(line for line in printed.splitlines() if "theorems falsify" in line)
    words = shlex.split(again[again.index("theorems falsify") :])
    assert words[words.index("--module") + 1] == "mine.py"
    assert main(words[1:]) == 1


@pytest.mark.parametrize("chain", ["damped", "damped_chain", "damped(weak)", "damped_chain(weak)"])
def test_a_text_that_a_chain_takes_is_at_its_default_or_in_brackets(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, chain: str
) -> None:
    with (tmp_path / "mine.py").open("a", encoding="utf-8") as file:
        file.write(
            "\n\n@named_chain()\ndef damped_chain(width, how='strong'):\n    'BN(WH)'\n"
            "    assert how in ('strong', 'weak')\n"
            "    return Chain((Linear(width), Rescale('variance')))\n"
        )
    claim = ["--module", "mine.py", "--claim", "stable_rank <= 19/10", "--chain", chain, *SIZES]
    assert main(["verify", *claim]) == 0
    assert "supported" in capsys.readouterr().out


def test_a_file_named_beside_a_claim_brings_its_words_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The command that is printed says the claim and the file, not the claims of the file."""
    with (tmp_path / "mine.py").open("a", encoding="utf-8") as file:
        file.write(
            "\n\nfrom theorems import conjecture\n\nother = conjecture('x <= 2', x='[0, 1]')\n"
        )
    claim = ["--claim", "stable_rank <= 21/20", *ABOUT]
    assert main(["falsify", "mine.py", *claim]) == 1
    printed = capsys.readouterr().out
    again = next(line for line in printed.splitlines() if "theorems falsify" in line)
    words = shlex.split(again[again.index("theorems falsify") :])
    assert words[words.index("--module") + 1] == "mine.py"
    with ExitStack() as undo:  # as a process of its own finds it
        for catalogue in (CHAINS, LAYERS, OBSERVABLES, ACTIVATIONS):
            undo.enter_context(catalogue.restored())
        assert main(words[1:]) == 1
    assert "given.claim" in capsys.readouterr().out


def test_workers_of_a_sweep_know_them(tmp_path: Path) -> None:
    """In processes of their own, and the results are those of this one."""
    fields = ["--chain", "halved(softsign)", "--width", "16", "--batch", "3", "--depth", "4"]
    asked = [*fields, "--observables", "stable_rank", "--seeds", "0..3", "--workers", "2"]
    assert main(["sweep", "--module", "mine.py", "--store", "runs.db", *asked]) == 0
    with Store(tmp_path / "runs.db") as store:
        stored = [Trajectory.from_bytes(row.data) for row in store.rows()]
    assert len(stored) == 4
    assert all((run["stable_rank"] >= 1 - 1e-9).all() for run in stored)


@pytest.mark.parametrize("verb", ["falsify", "verify"])
@pytest.mark.parametrize(
    ("module", "text", "words"),
    [
        ("none.py", None, "none.py: no such file; give a file of Python that declares words"),
        ("bad.py", "x = 1\nx.nothing\n", "bad.py, line 2: AttributeError: 'int' object has no"),
        ("bad.py", "def f(:\n", "bad.py, line 1: SyntaxError: "),
        ("bad.py", "raise SystemExit(3)\n", "bad.py, line 1: SystemExit: 3"),
        ("not.a.module", None, "not.a.module: ModuleNotFoundError: No module named 'not'"),
        (
            "bad.py",
            "from simulators import activation\n@activation(odd=True)\n"
            "def even(rows, xp):\n    'cos x'\n    return xp.cos(rows)\n",
            "bad.py, line 2: ValueError: activation 'even' is declared odd, but",
        ),
    ],
)
def test_a_module_that_cannot_be_had_is_refused_in_one_line(
    verb: str,
    module: str,
    text: str | None,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if text is not None:
        (tmp_path / module).write_text(text, encoding="utf-8")
    assert main([verb, "--module", module, "--claim", "cosine <= 1", *ABOUT]) == 2
    printed = capsys.readouterr()
    (said,) = printed.err.strip().splitlines()
    assert re.search(re.escape(f"--module {words}"), said), said
    assert "even" not in ACTIVATIONS


def test_a_module_runs_once_and_is_known_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "count.py").write_text("import sys\nsys.ran = getattr(sys, 'ran', 0) + 1\n")
    import sys

    try:
        first = bring("count.py")
        assert bring(str(tmp_path / "count.py")) is first
        assert sys.ran == 1  # type: ignore[attr-defined]
    finally:
        del sys.ran  # type: ignore[attr-defined]
    assert str(tmp_path / "count.py") in brought()
    with pytest.raises(OwnWordsError, match=r"none\.py: no such file"):
        bring("none.py")


@pytest.mark.parametrize(
    ("told_of_it", "body", "said"),
    [
        ("floor=0, ceiling=1", "raise KeyError('oops')", "'mine' raised KeyError: 'oops'"),
        ("floor=0, ceiling=1", "return 0 * H[..., 0, :]", "'mine' gave shape"),
        ("floor=0, ceiling=1, reads='gram'", "return 1.0 * (H[..., 0, 0] > 0)", "reads='gram'"),
    ],
)
def test_an_observable_that_breaks_ends_a_claim_in_one_line(
    told_of_it: str,
    body: str,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "broken.py"
    file.write_text(
        "from simulators import observable\n"
        f"@observable({told_of_it})\ndef mine(H):\n    'mine'\n    {body}\n"
    )
    sizes = ["--where", "n=2", "--where", "d=8", "--where", "ell=1", "--corpus", str(tmp_path)]
    claim = ["--claim", "mine <= 1/2", "--chain", "rescale", *sizes]
    with OBSERVABLES.restored():
        assert main(["falsify", "--module", str(file), *claim]) == 2
    told = capsys.readouterr().err
    assert said in " ".join(told.split())
    assert "defect" not in told


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise RuntimeError('oops')", "chain 'broken' at width 2: RuntimeError: oops"),
        ("return None", "chain 'broken' gave a NoneType at width 2; want a Chain"),
    ],
)
def test_a_chain_that_breaks_ends_a_claim_in_one_line(
    body: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "breaks.py"
    file.write_text(
        "from simulators import named_chain\n"
        f"@named_chain()\ndef broken(width):\n    'broken'\n    {body}\n"
    )
    sizes = ["--where", "n=2", "--where", "d=8", "--where", "ell=1", "--corpus", str(tmp_path)]
    claim = ["--claim", "orthogonality_gap <= 1/2", "--chain", "broken", *sizes]
    with CHAINS.restored():
        assert main(["falsify", "--module", str(file), *claim]) == 2
    told = capsys.readouterr().err
    assert said in " ".join(told.split())
    assert "defect" not in told
