"""``theorems falsify``, ``verify`` on files and ``--claim``, and the shipped examples."""

import json
import os
import shlex
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from theorems import Verdict, conjecture, verify
from theorems.checking.search import ExactAdversary
from theorems.cli import main
from theorems.context import Context
from theorems.workbench.loading import load

pytestmark = pytest.mark.usefixtures("few_draws")

CLAIMS = """
from theorems import conjecture
true = conjecture("x**2 <= 2*x", x="[0, 2]")
false = conjecture("x**2 <= x", x="[0, 2]")
known = conjecture("x**2 <= x", x="[0, 2]", expected="refuted")
slope = conjecture("abs(slope + 1/2) <= 1/5", quantifier="limit", observable="orthogonality_gap", chain="rescale", n=3,
                   d="32..64", ell=4)
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory of the user's, with one file of claims."""
    (tmp_path / "my_claims.py").write_text(CLAIMS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    printed, errors = capsys.readouterr()
    assert printed == ""
    assert errors.startswith("theorems: ")
    assert errors.count("\n") == 1
    return errors


def test_a_false_claim_falls_is_kept_and_is_seen_again_at_once(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["falsify", "my_claims.py::false"]) == 1
    printed = capsys.readouterr().out
    assert "Witness     x = 2" in printed
    assert "4.00000 > 2.00000" in printed
    again = (
        next(line for line in printed.splitlines() if "Again" in line).split("theorems ")[1].split()
    )
    (path,) = (project / ".theorems" / "witnesses").iterdir()
    assert f".theorems/witnesses/{path.name}" in printed
    before = path.read_bytes()
    assert main(again) == 1
    assert "witness of an earlier run" in capsys.readouterr().out
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "chain", ["'residual', gamma='1/2'", "lambda width: residual_chain(width, 0.5)"]
)
def test_widths_without_such_a_chain_are_passed_over(
    chain: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "narrow.py").write_text(f"""
from simulators import residual_chain
from theorems import conjecture
narrow = conjecture("effective_rank <= n - (n - 1)/10**6", chain={chain}, n="1..2", d="1..4", ell=1)
""")
    assert main(["falsify", "narrow.py", "--budget", "20"]) == 0
    assert "differential evolution" in " ".join(capsys.readouterr().out.split())


def test_a_witness_at_a_width_without_such_a_chain_is_passed_over() -> None:
    claim = conjecture(
        "effective_rank >= 1 + gamma", chain="residual", n="1..2", d="1..4", ell=1, gamma="1/2"
    )
    statement = claim.statement(only=True)
    item = {"n": Fraction(1), "d": Fraction(1), "ell": Fraction(1), "spectrum": (Fraction(1),)}
    (search,) = statement.checks
    item = search.adversary.design.completed(item)
    tried: dict[str, int] = {}
    found = search.adversary.hunt(statement, Context(0, 1e-6), [item], tried)
    assert tried["witness of an earlier run"] == 1
    assert found is None or found.attack != "witness of an earlier run"


def test_the_exit_status_is_about_what_was_expected(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["falsify", "my_claims.py::true"]) == 0
    assert "refuted by the same search" in " ".join(capsys.readouterr().out.split())
    assert main(["falsify", "my_claims.py::known"]) == 0
    assert main(["falsify", "my_claims.py::known", "my_claims.py::false"]) == 1
    assert "1 as expected, 1 not" in capsys.readouterr().out


def test_verify_replays_the_corpus_first_and_says_how_claims_fell(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["verify", "my_claims.py::false"]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "my_claims.false (my_claims.py): false at x = 2 (4.00000 > 2.00000)" in printed
    assert main(["verify", "my_claims.py::false"]) == 1
    assert "by witness of an earlier run" in " ".join(capsys.readouterr().out.split())


def test_a_claim_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["falsify", "--claim", "x**2 <= x", "--where", "x=[0, 2]", "--expected", "refuted"])
        == 0
    )
    printed = capsys.readouterr().out
    again = shlex.split(
        next(line for line in printed.splitlines() if "Again" in line).partition("theorems ")[2]
    )
    assert main(again) == 0
    assert "witness of an earlier run" in capsys.readouterr().out
    assert main(["verify", "--claim", "x**2 <= 2*x", "--where", "x=[0, 2]"]) == 0
    assert (
        main(
            [
                "verify",
                "--claim",
                "orthogonality_gap <= sqrt(n*(n-1))*smallest_eigenvalue_gap",
                "--over",
                "spectra",
                "--where",
                "n=2..4",
            ]
        )
        == 0
    )
    assert "given.claim" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["falsify"], "name what to attack"),
        (["falsify", "nowhere.py"], "no such file"),
        (["falsify", "my_claims.py::fals"], "did you mean false"),
        (["falsify", "orthogonality.decey"], "did you mean orthogonality.decay"),
        (["falsify", "orthogonality.convexity:conclusion"], "nothing to search"),
        (["falsify", "my_claims.py::slope"], "an exponent"),
        (["falsify", "--claim", "x <= 9**9**9", "--where", "x=[0, 1]"], "exponents are at most"),
        (["falsify", "--claim", "__import__('os')", "--where", "x=[0, 1]"], "compares nothing"),
        (["falsify", "--claim", "x <= 1", "--where", "x"], "NAME=DOMAIN"),
        (["falsify", "--claim", "x <= 1", "--where", "x=[1, 0]"], "empty"),
        (["falsify", "--claim", "x <= 1", "--where", "x=1", "--where", "x=2"], "declared twice"),
        (["falsify", "--claim", "x <= 1", "--where", "chain=1"], "meaning of its own"),
        (["verify", "--where", "x=1"], "add --claim"),
        (
            ["verify", "--claim", "x <= 2", "--where", "x=[0, 1]", "--chain", "rescal"],
            "did you mean 'rescale'",
        ),
        (["falsify", "my_claims.py::true", "--level", "2"], "--level 2"),
        (["verify", "my_claims.py::true", "my_claims.py::true"], "two claims of that name"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert words in one_line(capsys)


def test_what_cannot_be_attacked_is_named_beside_what_can(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert (
        main(
            [
                "falsify",
                "my_claims.py::known",
                "my_claims.py::slope",
                "orthogonality.convexity:conclusion",
            ]
        )
        == 0
    )
    printed, errors = capsys.readouterr()
    assert "my_claims.known  refuted" in printed
    assert "not attacked: my_claims.slope" in errors
    assert "not attacked: orthogonality.convexity:conclusion" in errors


@pytest.mark.parametrize("command", ["falsify", "verify"])
def test_a_claims_own_code_that_fails_during_the_run_is_one_clear_line(
    command: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "mine.py").write_text("""
from theorems import conjecture
def late(k):
    return {13: None, 17: 0.5}[k] if k in (13, 17) else k
claim = conjecture("late <= k + 1", k="1..100", computed={"late": late})
""")
    assert main([command, "mine.py"]) == 2
    errors = capsys.readouterr().err
    assert "late" in errors
    assert "came out as a" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("command", ["falsify", "verify"])
def test_a_claim_that_leaves_during_the_run_does_not_end_it_well(
    command: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "mine.py").write_text("""
from theorems import conjecture
claim = conjecture("late <= k + 1", k="1..100", computed={"late": lambda k: exit() if k in (13, 17) else k})
""")
    assert main([command, "mine.py"]) == 2
    assert "SystemExit" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["falsify", "verify"])
def test_a_corrupted_corpus_is_named_and_stops_the_run(
    command: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = project / ".theorems" / "witnesses"
    corpus.mkdir(parents=True)
    bad = corpus / "my_claims.true-0123456789ab.toml"
    bad.write_text("schema = 1\nstatement = ")
    assert main([command, "my_claims.py::true"]) == 2
    assert str(bad.relative_to(project)) in one_line(capsys)
    assert bad.exists()
    assert main([command, "my_claims.py::known"]) == 0  # whose own witnesses are whole


def test_a_corpus_that_cannot_be_written_costs_no_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    assert main(["falsify", "my_claims.py::known"]) == 0
    assert "Not kept" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("corpus", "words"),
    [
        ("file", "file: not a directory"),
        ("file/inside", "file/inside: not a directory"),
        ("", "--corpus ''"),
    ],
)
@pytest.mark.parametrize("command", ["falsify", "verify"])
def test_a_corpus_that_is_no_directory_is_refused(
    command: str, corpus: str, words: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "file").write_text("")
    assert main([command, "my_claims.py::known", "--corpus", corpus]) == 2
    assert words in one_line(capsys)


def test_claims_as_text_keep_their_witnesses_apart(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = project / ".theorems" / "witnesses"
    for claim, where, again in (
        ("x**2 <= x", "x=[0, 2]", 1),
        (" x**2<=x ", "x = [0,2]", 1),
        ("x**2 <= x", "x=[0, 3]", 2),
        ("x**3 <= x", "x=[0, 2]", 3),
    ):
        assert main(["falsify", "--claim", claim, "--where", where]) == 1
        printed = capsys.readouterr().out
        assert len(list(corpus.iterdir())) == again
        # the second is the first in other words, and meets its witness; the others meet none
        assert ("witness of an earlier run" in printed) == (claim[0] == " ")
    names = {path.name.split("-")[0] for path in corpus.iterdir()}
    assert len(names) == 3
    assert all(name.startswith("given.claim_") for name in names)


def test_the_command_that_replays_is_read_as_it_was_meant(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(
            [
                "falsify",
                "--claim=-x<=-1",
                "--where",
                "x=[0, 2]",
                "--assume=-x<=-1/4",
                "--corpus",
                "kept",
                "--level",
                "1e-3",
                "--seed",
                "7",
            ]
        )
        == 1
    )
    printed = capsys.readouterr().out
    again = shlex.split(
        next(line for line in printed.splitlines() if "Again" in line).partition("theorems ")[2]
    )
    assert again[-6:] == ["--seed", "7", "--level", "0.001", "--corpus", "kept"]
    assert main(again) == 1
    assert "witness of an earlier run" in capsys.readouterr().out
    assert len(list((project / "kept").iterdir())) == 1


# --- the shipped examples -------------------------------------------------------------------------


def test_the_examples_are_one_true_one_false_one_open(project: Path) -> None:
    claims = {c.name: c for c in load("examples").conjectures}
    assert list(claims) == ["symmetric_cosine", "first_layer_rate", "rank_law"]
    found = verify([c.statement(corpus=project / "corpus") for c in claims.values()])
    results = {r.statement.theorem: r for r in found}
    assert [r.verdict for r in results.values()] == [
        Verdict.CERTIFIED,
        Verdict.REFUTED,
        Verdict.SUPPORTED,
    ]
    assert all(r.as_expected for r in results.values())
    witness = results["first_layer_rate"].evidence[0].details["witness"]
    assert witness == {"n": "2", "ell": "1", "spectrum": ["2/3", "1/3"]}


def test_the_examples_are_named_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "examples::rank_law"]) == 0
    assert "effective_rank" in capsys.readouterr().out
    assert main(["falsify", "examples::first_layer_rate"]) == 0
    assert "(2/3, 1/3)" in capsys.readouterr().out


# --- batches and JSON -----------------------------------------------------------------------------


RANK = """
from theorems import conjecture
rank = conjecture("effective_rank <= 3/2", over="matrices", n=2, d=3)
gap = conjecture("x**2 <= 2*x", x="[0, 2]")
"""


def test_json_holds_claims_witnesses_margins_and_what_was_tried(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "mine.py").write_text(RANK)
    np.save("batch.npy", np.array([[3.0, 0.0, 0.25], [1.0, 2.0, 0.0]]))
    assert (
        main(
            [
                "falsify",
                "mine.py",
                "my_claims.py::slope",
                "--json",
                "out.json",
                "--seed",
                "3",
                "--batch",
                "batch.npy",
            ]
        )
        == 1
    )
    printed = capsys.readouterr().out
    found = json.loads((project / "out.json").read_text(), parse_constant=pytest.fail)
    assert "Written: " in printed
    assert (
        found["schema"],
        found["environment"]["seed"],
        found["environment"]["error_budget"],
    ) == (1, 3, 1e-6)
    assert "from batch.npy" in found["environment"]["batch"]["description"]
    assert found["not_attacked"] == [
        "my_claims.slope, a claim about an exponent: nothing to search"
    ]
    assert "interrupted" not in found
    fallen, standing = found["results"]
    (evidence,) = fallen["evidence"]
    assert (fallen["statement"], fallen["verdict"]) == ("mine.rank", "refuted")
    assert fallen["claim"] == "effective_rank <= 3/2"
    assert not fallen["as_expected"]
    matrix = [[Fraction(x) for x in row] for row in evidence["witness"]["matrix"]]
    gram = [[sum(row[i] * row[j] for row in matrix) for j in range(2)] for i in range(2)]
    assert (gram[0][0] + gram[1][1]) ** 2 > Fraction(3, 2) * sum(x * x for row in gram for x in row)
    assert evidence["margin"].endswith("> 1.50000")
    assert (evidence["attack"], evidence["tried"]) == ("the batch", {"the batch": 1})
    assert Path(evidence["kept"]).exists()
    assert (standing["verdict"], standing["as_expected"]) == ("inconclusive", True)
    assert standing["evidence"][0]["tried"]["corner inputs"] > 0
    assert standing["evidence"][0]["apart"]  # the batch has no part in it
    replay = shlex.split(fallen["replay"])
    assert replay[-4:] == ["--seed", "3", "--batch", "batch.npy"]
    assert main(replay[1:]) == 1
    assert "witness of an earlier run" in capsys.readouterr().out


def test_an_interrupted_search_leaves_what_it_found(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "mine.py").write_text(RANK)
    real = ExactAdversary.hunt

    def stopped(self: Any, statement: Any, *rest: Any) -> Any:
        if statement.theorem == "gap":
            raise KeyboardInterrupt
        return real(self, statement, *rest)

    monkeypatch.setattr(ExactAdversary, "hunt", stopped)
    assert main(["falsify", "mine.py", "--json", "out.json"]) == 130
    found = json.loads((project / "out.json").read_text())
    assert found["interrupted"] is True
    assert [r["statement"] for r in found["results"]] == ["mine.rank"]


def test_json_that_cannot_be_written_in_the_end_is_one_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("theorems.commands.falsify.write_json", full)
    assert main(["falsify", "my_claims.py::known", "--json", "out.json"]) == 3
    printed, errors = capsys.readouterr()
    assert "my_claims.known  refuted" in printed
    assert "out.json: cannot be written: No space left on device" in errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--json", "no/such/out.json"], "make it first"),
        (["--json", "my_claims.py"], "would take its place"),
        (["--batch", "nowhere.npy"], "no such file"),
        (["--take", "2"], "add --batch"),
    ],
)
def test_falsify_refuses_before_anything_runs(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["falsify", "my_claims.py::known", *arguments]) == 2
    assert words in one_line(capsys)


def test_falsify_starts_statements_of_the_library_from_the_batch(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save("batch.npy", np.array([[3.0, 0.0, 0.25], [1.0, 2.0, 0.0]]))
    main(
        [
            "falsify",
            "orthogonality.gap_vs_smallest_eigenvalue:sharp",
            "--batch",
            "batch.npy",
            "--json",
            "out.json",
        ]
    )
    (result,) = json.loads((project / "out.json").read_text())["results"]
    assert result["evidence"][0]["tried"]["the batch"] == 1
