"""The mutation command by itself: what it changes, what counts as caught, what may not fall."""

from __future__ import annotations

import ast
import json
import signal
import time
from pathlib import Path

import pytest

from tests.mutation import known, sites
from tests.mutation.__main__ import main
from tests.mutation.loaded import Loaded
from tests.mutation.operators import KINDS, PLANTED, Mutant, mutants
from tests.mutation.reach import Reach
from tests.mutation.runner import KILLED, SURVIVED, Copy, Outcome, fork, forked
from tests.mutation.score import Tally, equivalents, fallen, read, share, tally, write

SOURCE = '''
"""Words of 3 and 4."""
__all__ = ["one"]
LIMIT: int = 3


def one(context, level, x=2):
    """At most 7."""
    if x <= 1 and not level:
        raise ValueError(f"{x} of {4 + 4}")
    part = interval(x, level / 2)
    rest = context.share(5)
    claim(verdict=found, sentinel=Verdict.INCONCLUSIVE, assumptions=(a, b), relation="<=")
    return {"verdict": found.value} if (-x * 2.5).lower() >= 0 else Verdict.CERTIFIED
'''


def changes(**given: bool) -> set[tuple[str, str, str]]:
    return {(m.kind, m.before, m.after) for m in mutants("a.py", SOURCE, **given)}


def test_every_operator_changes_what_it_is_for() -> None:
    found = changes(balls=True, transforms=True)
    assert {
        ("budget", "level / 2", "level"),
        ("budget", "5", "1"),
        ("verdict", "found", "Verdict.SUPPORTED"),
        ("verdict", "Verdict.INCONCLUSIVE", "Verdict.REFUTED"),
        ("verdict", "found.value", '"supported"'),
        ("verdict", "Verdict.CERTIFIED", "Verdict.INCONCLUSIVE"),
        ("ball", "(-x * 2.5).lower()", "(-x * 2.5).mid()"),
        ("ball", "(-x * 2.5).lower() >= 0", "((-x * 2.5).lower()).mid() >= 0"),
        ("transform", "2.5", "(2.4875)"),
        ("constant", "2.5", "2.525"),
        ("off by one", "3", "4"),
        ("off by one", "3", "2"),
        ("comparison", "x <= 1", "x < 1"),
        ("comparison", "x <= 1", "x > 1"),
        ("comparison", '"<="', '"<"'),
        ("sign", "-x", "x"),
        ("factor", "-x * 2.5", "(-x)"),
        ("factor", "-x * 2.5", "2.5"),
        ("assumption", "(a, b)", "(b,)"),
        ("assumption", "(a, b)", "(a,)"),
        ("assumption", "not level", "level"),
        ("assumption", "x <= 1 and not level", "((x <= 1))"),
    } <= found
    assert {kind for kind, _, _ in found} == set(KINDS)


def test_words_exports_and_errors_are_left_alone() -> None:
    touched = {before for _, before, _ in changes()}
    assert not {"7", "4", '"one"'} & touched
    assert not any("4 + 4" in before for before in touched)


def test_every_mutant_of_the_sources_can_be_read_and_is_named_once() -> None:
    keys: list[str] = []
    for path in sites.files():
        text = (sites.ROOT / path).read_text(encoding="utf-8")
        found = sites.in_file(path)
        keys += [m.key for m in found]
        for mutant in found[::40]:
            ast.parse(mutant.apply(text))
            assert mutant.apply(text) != text
            assert mutant.path in mutant.diff(text)
    assert len(set(keys)) == len(keys)


def test_the_kinds_that_once_passed_unseen_are_among_the_planted() -> None:
    """A budget not split, a hard-wired sentinel, JSON that says supported, the middle of a ball,
    -1.99 for -2.
    """
    found = {(m.path, m.kind) for m in sites.chosen((), planted=True, sample=0, seed=0)}
    assert {
        ("theorems/checking/scaling.py", "budget"),
        ("theorems/checking/medians.py", "budget"),
        ("theorems/families/cluster/emergence.py", "budget"),
        ("theorems/checking/pointwise.py", "verdict"),
        ("theorems/checking/width_limit.py", "verdict"),
        ("theorems/verification.py", "verdict"),
        ("theorems/families/orthogonality/branching.py", "ball"),
        ("simulators/streams.py", "transform"),
    } <= found


def test_a_sample_is_the_same_for_its_seed() -> None:
    one, again, other = (
        sites.chosen((), planted=False, sample=20, seed=seed) for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other
    assert not {m.kind for m in one} & set(PLANTED)


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Copy:
    """A copy of a small tree of its own."""
    root = tmp_path / "root"
    (root / "tests").mkdir(parents=True)
    (root / "number.py").write_text("def double(x):\n    return 2 * x\n")
    (root / "tests/test_number.py").write_text(
        "from number import double\ndef test_two():\n    assert double(1) == 2\ndef test_none():\n    pass\n"
    )
    (root / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    monkeypatch.setattr("tests.mutation.runner.ROOT", root)
    import subprocess

    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    made = Copy(tmp_path / "copy")
    made.root = root  # type: ignore[attr-defined]
    return made


def run(copy: Copy, text: str, *names: str, room: float = 30) -> Outcome:
    copy.text("number.py")
    copy.write("number.py", text)
    found = copy.test({f"tests/test_number.py::{name}": 0.0 for name in names}, room)
    copy.restore("number.py")
    return found


def test_a_mutant_is_caught_by_a_test_that_fails_an_import_or_the_work_limit(copy: Copy) -> None:
    two = ("test_two", "test_none")
    assert run(copy, "def double(x):\n    return 2 * x\n", *two) == Outcome(SURVIVED, "")
    assert run(copy, "def double(x):\n    return 3 * x\n", *two) == Outcome(KILLED, "failed")
    assert run(copy, "def double(x):\n    return 3 * x\n", "test_none") == Outcome(SURVIVED, "")
    assert run(copy, "1 / 0\n", *two).word == KILLED
    endless = "def double(x):\n    while True:\n        x += 1\n"
    assert run(copy, endless, *two, room=2) == Outcome(KILLED, "work limit")
    for folder in (copy.root, copy.folder):  # type: ignore[attr-defined]
        assert (folder / "number.py").read_text() == "def double(x):\n    return 2 * x\n"


LOADED = """
from functools import cache, wraps
def double(x, by=2):
    return by * x
@cache
def triple(x):
    return 3 * x
def shifted(by):
    def shift(x):
        return x + by
    return shift
class Squares:
    @property
    def four(self):
        return 4 + 0
def early():
    return 5 + 0
FIVE = early()
up = shifted(1)
SEVEN = max(
    7, 0
)
def last():
    return 8
"""
ASKING = """
import gc
import number
gc.freeze()
def test_double(): assert number.double(1) == 2
def test_triple(): assert number.triple(1) == 3
def test_up(): assert number.up(1) == 2
def test_four(): assert number.Squares().four == 4
def test_five(): assert number.FIVE == 5
def test_early(): assert number.early() == 5
def test_seven(): assert number.SEVEN == 7
"""


def test_a_mutant_is_put_into_what_is_loaded_where_that_shows_it_whole(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.mutation.runner._PATIENCE", 3600)  # work is to end it, at any load
    copy.write("number.py", LOADED)
    copy.write("tests/test_number.py", ASKING)
    answer = copy.folder / "answer.json"
    names = [
        f"tests/test_number.py::test_{n}"
        for n in ("double", "triple", "up", "four", "five", "early", "seven")
    ]
    changes = {
        "by * x": "by + x",
        "3 * x": "4 * x",
        "x + by": "x - by",
        "4 + 0": "5 + 0",
        "return by * x": "while x: pass",
        "return 3": "return 3.0 +  0",
        "by=2": "by=3",
        "5 + 0": "6 + 0",
        "shifted(1)": "shifted(2)",
        "max(\n    7, 0\n)": "8",
    }

    def ask() -> int:
        found: dict[str, str | None] = {}
        loaded = Loaded(copy, room=1)

        def work() -> None:
            for before, after in changes.items():
                outcome = loaded.test(
                    "number.py", LOADED.replace(before, after), dict.fromkeys(names, 0.0)
                )
                found[before] = outcome and outcome.why

        loaded.serve(["tests/test_number.py"], work)
        answer.write_text(json.dumps(found))
        return 0

    forked(ask, copy.folder)
    inside = dict.fromkeys(("by * x", "3 * x", "4 + 0"), "failed")
    from_the_start = dict.fromkeys(("x + by", "by=2", "5 + 0", "shifted(1)", "max(\n    7, 0\n)"))
    assert (
        json.loads(answer.read_text())
        == inside | {"return by * x": "work limit", "return 3": ""} | from_the_start
    )
    assert copy.text("number.py") == LOADED


def test_what_waits_for_ever_is_ended_by_the_clock(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.mutation.runner._PATIENCE", 0)

    def waiting() -> int:
        time.sleep(3600)
        return 0

    assert fork(waiting, copy.folder, 1) & 0x7F == signal.SIGALRM


def test_the_nearest_tests_run_first_and_none_is_left_out() -> None:
    reach = Reach()
    for number in range(6):
        name = f"tests/test_{number}.py"
        sources = {f"s{source}.py": {"1": [0, 1]} for source in range(6 - number)}
        seconds = {f"{name}::a": number, f"{name}::b": 9 - number}
        reach.add({"seconds": seconds, "lines": sources, "early": {}})
    tests = reach.tests(Mutant("s0.py", "sign", "f", 1, 1, 0, 1, "x", "-x", 1))
    first, rest = reach.stages(tests)
    assert {test.partition("::")[0] for test in first} == {
        f"tests/test_{n}.py" for n in (2, 3, 4, 5)
    }
    assert sorted(first + rest) == sorted(tests)
    assert len(tests) == 12
    assert first == [test for test in tests if test in first]  # the quickest first, still
    assert reach.stages(first) == [first]


def test_tests_that_a_cache_or_an_import_may_hide_from_a_line_run_too() -> None:
    """``a`` runs line 1, and what ``b`` of the same file would is in a cache by then; line 2 runs
    on import too.
    """
    reach = Reach()
    statements = "tests/theorems/test_the_ledger.py"
    for name, lines in (("tests/test_0.py", {"1": [0], "2": [0]}), ("tests/test_1.py", {"3": [0]})):
        seconds = {f"{name}::a": 2, f"{name}::b": 1}
        reach.add({"seconds": seconds, "lines": {"s.py": lines}, "early": {"s.py": [2]}})
    reach.add({"seconds": {f"{statements}::a": 3}, "lines": {}, "early": {}})

    def tests(line: int, where: str = "f", within: float = 60) -> list[str]:
        return reach.tests(Mutant("s.py", "sign", where, line, line, 0, 1, "x", "-x", 1), within)

    assert tests(1) == ["tests/test_0.py::a", "tests/test_0.py::b"]
    assert tests(1, within=2) == ["tests/test_0.py::a"]
    everywhere = ["tests/test_0.py::a", "tests/test_1.py::a", f"{statements}::a"]
    everywhere += ["tests/test_0.py::b", "tests/test_1.py::b"]
    assert tests(2) == tests(4) == tests(1, "module") == tests(1, "f.Class") == everywhere


def test_the_file_named_after_a_module_comes_first_whole() -> None:
    """Tests that run no line of a module read its constants, and quick ones would cut them off."""
    reach = Reach()
    for name, lines in (("tests/test_a.py", {"1": [0]}), ("tests/test_s.py", {"1": [0]})):
        seconds = {f"{name}::a": 5, f"{name}::constant": 40}
        reach.add({"seconds": seconds, "lines": {"s.py": lines}, "early": {}})
    mutant = Mutant("s.py", "sign", "module", 1, 1, 0, 1, "x", "-x", 1)
    own = ["tests/test_s.py::a", "tests/test_s.py::constant"]
    assert reach.tests(mutant, 60) == [*own, "tests/test_a.py::a"]


@pytest.mark.parametrize("names", [sites._BALLS, sites._TRANSFORMS, sites._NOT])
def test_files_of_a_kind_are_files_there_are(names: tuple[str, ...]) -> None:
    """A file that is renamed would lose its mutants without a word."""
    every = [p for pattern in sites._FILES for p in sites.ROOT.glob(pattern)]
    assert [name for name in names if not any(p.match(name) for p in every)] == []


def outcomes() -> list[tuple[object, Outcome]]:
    found = [m for m in mutants("a.py", SOURCE) if m.kind == "budget"]
    return [(found[0], Outcome(KILLED, "failed")), (found[1], Outcome(SURVIVED, ""))]


def test_the_score_may_not_fall(tmp_path: Path) -> None:
    path = tmp_path / "score.json"
    good, bad = {"a.py: budget": Tally(3, 0, 1)}, {"a.py: budget": Tally(2, 1, 1)}
    write("planted", good, [], {}, path)
    assert fallen(good, read(path)["planted"]) == []
    assert fallen(bad, read(path)["planted"]) == [
        "a.py: budget: 2 killed and 1 survived, on record 3 and 0"
    ]
    assert fallen(
        {"b.py: budget": Tally(1, 1)}, read(path)["planted"]
    )  # a new file starts without survivors
    write("planted", bad, ["a.py::f::budget::x -> y#1"], {}, path)
    write("sample", {"b.py: sign": Tally(1, 1)}, ["b.py::f::sign::x -> y#1"], {"seed": 0}, path)
    record = json.loads(path.read_text())
    assert record["score"] == 0.6
    assert record["by kind"]["budget"] == {"killed": 2, "survived": 1, "equivalent": 1}
    write("planted", good, [], {}, path)
    assert read(path)["planted survivors"] == []
    assert read(path)["sample survivors"] == ["b.py::f::sign::x -> y#1"]


def test_an_equivalent_mutant_needs_a_reason_and_counts_only_while_it_survives(
    tmp_path: Path,
) -> None:
    path = tmp_path / "equivalent.toml"
    found = outcomes()
    keys = [m.key for m, _ in found]  # type: ignore[attr-defined]
    path.write_text(
        "".join(
            f'[[mutant]]\nkey = {json.dumps(key)}\nreason = "nothing reads it, see the caller"\n'
            for key in keys
        )
    )
    known = equivalents(path)
    cells = tally(found, known)  # type: ignore[arg-type]
    assert cells == {"a.py: budget": Tally(1, 0, 1)}
    assert share(cells) == 1.0
    path.write_text(f'[[mutant]]\nkey = {json.dumps(keys[0])}\nreason = "none"\n')
    with pytest.raises(ValueError, match="no reason"):
        equivalents(path)


def test_the_list_of_equivalent_mutants_is_about_mutants_there_are() -> None:
    every = {m.key for path in sites.files() for m in sites.in_file(path)}
    assert [key for key in equivalents() if key not in every] == []


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "nothing to do"),
        (["--sample", "-1"], 2, "--sample"),
        (["--planted", "--only", "theorems/cli.py"], 2, "no such file"),
        (["--planted", "--tests", "tests/none.py"], 2, "no such file"),
        (["--planted", "--shards", "0"], 2, "--shards"),
        (["--planted", "--within", "nan"], 2, "--within nan"),
        (["--planted", "--within", "-3"], 2, "--within -3"),
    ],
)
def test_bad_usage_is_refused(
    arguments: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        found = main(arguments)
    except SystemExit as error:
        found = int(str(error.code))
    assert found == status
    assert said in capsys.readouterr().err


def test_the_mutants_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--planted", "--only", "theorems/checking/medians.py", "--list"]) == 0
    out = capsys.readouterr().out
    assert "+ level" not in out.splitlines()
    assert "theorems/checking/medians.py:" in out
    assert "mutants" in out.splitlines()[-1]


SOURCE_OF_ONE = "def up(x):\n    return x + 1\n"
TESTS_OF_ONE = "def test_up():\n    assert up(1) == 2\n"
MORE = "\n\n# moved, and laid out anew\ndef test_down(): assert down(1) == 0\ndef test_up(): assert (up(1)\n  == 2)\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of one source and one file of tests, of which outcomes are known."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_up.py").write_text(TESTS_OF_ONE)
    (tmp_path / "up.py").write_text(SOURCE_OF_ONE)
    for name in ("known.ROOT", "reach.ROOT"):
        monkeypatch.setattr(f"tests.mutation.{name}", tmp_path)
    monkeypatch.setattr("tests.mutation.known._OUTCOMES", tmp_path / "outcomes.jsonl")
    monkeypatch.setattr("tests.mutation.known._DEFINED", tmp_path / "defined")
    return tmp_path


@pytest.mark.parametrize(
    ("file", "text", "tests", "held"),
    [
        ("tests/test_up.py", TESTS_OF_ONE, ["up"], {KILLED, SURVIVED}),
        ("tests/test_up.py", MORE, ["up", "down"], {KILLED}),
        ("tests/helpers.py", "ONE = 1\n", ["up"], {KILLED}),
        ("tests/test_up.py", TESTS_OF_ONE.replace("== 2", "> 0"), ["up"], set()),
        ("tests/test_up.py", MORE.replace("(1)", "(3)"), ["up", "down"], set()),
        ("tests/test_up.py", "", [], set()),
        ("up.py", SOURCE_OF_ONE + "\nup(3)\n", ["up"], set()),
    ],
    ids=["the same", "more tests", "a helper", "weaker", "other", "none", "another source"],
)
def test_what_was_killed_stays_so_where_tests_are_only_added(
    tree: Path, file: str, text: str, tests: list[str], held: set[str]
) -> None:
    (mutant, *_) = mutants("up.py", SOURCE_OF_ONE)
    before = known.bases({mutant: ["tests/test_up.py::test_up"]})[mutant]
    (tree / file).write_text(text)
    now = known.bases({mutant: [f"tests/test_up.py::test_{name}" for name in tests]})
    for word in (KILLED, SURVIVED):
        known.forget()
        known.keep(before, Outcome(word, "failed"))
        assert (mutant in known.recall(now)) == (word in held), word


def test_an_outcome_that_an_interrupt_cut_off_is_not_known(tree: Path) -> None:
    (mutant, *_) = mutants("up.py", SOURCE_OF_ONE)
    now = known.bases({mutant: ["tests/test_up.py::test_up"]})
    known.keep(now[mutant], Outcome(KILLED, "failed"))
    written = (tree / "outcomes.jsonl").read_text()
    (tree / "outcomes.jsonl").write_text(written[: len(written) // 2])
    assert known.recall(now) == {}
