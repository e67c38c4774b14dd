"""A comparison with a stored run: unchanged ratios pass, a planted slowdown is told with exit 1.

The command runs on times that follow a cost model; how often a real machine errs is measured by
``python -m bench.error_rates``.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cattrs  # noqa: F401  # before a run within this one: what that imports is forgotten after it
import numpy as np
import pytest
from scipy.stats import binomtest

import bench.kept
from bench.report import Against, Ratio, Run, Side, read_run, write_run
from bench.report.comparison import compared
from bench.timing import Seconds
from tests.synthetic_times import ENVIRONMENT, Machine

pytest_plugins = ["pytester"]

COSTS = {f"pair {k}": 1.0 + k / 4 for k in range(18)}
MOST = 1.1
TRIALS = 400


def with_worse(costs: dict[str, float], name: str, factor: float) -> dict[str, float]:
    return {**costs, name: factor * costs[name]}


@pytest.mark.parametrize("busy", [0.0, 0.5])
def test_unchanged_runs_give_an_alarm_at_most_once_in_twenty(busy: float) -> None:
    machine = Machine(np.random.default_rng(4), busy=busy)
    alarms = sum(
        bool(compared(machine.run(COSTS).ratios, machine.run(COSTS), MOST).worse)
        for _ in range(TRIALS)
    )
    assert binomtest(alarms, TRIALS, 0.05, "less").pvalue < 0.01


def test_a_limit_that_the_noise_reaches_is_not_kept_quiet() -> None:
    """The check can raise a false alarm: with biases as large as the limit it does."""
    machine = Machine(np.random.default_rng(5), bias=0.15)
    assert compared(machine.run(COSTS).ratios, machine.run(COSTS), MOST).worse


@pytest.mark.parametrize("busy", [0.0, 0.5])
def test_a_planted_slowdown_of_a_quarter_is_caught_nine_times_in_ten(busy: float) -> None:
    machine = Machine(np.random.default_rng(6), busy=busy)
    caught = 0
    for _ in range(TRIALS):
        worse = compared(
            machine.run(with_worse(COSTS, "pair 3", 1.25)).ratios, machine.run(COSTS), MOST
        ).worse
        caught += "pair 3" in [each.name for each in worse]
    assert binomtest(caught, TRIALS, 0.9, "greater").pvalue < 0.01


def test_a_slower_machine_is_no_slowdown() -> None:
    draw = np.random.default_rng(7)
    stored = Machine(draw).run(COSTS)

    def thrice(side: Side) -> Side:
        seconds = Seconds(side.wall, side.cpu).each(1 / 3)
        return Side.of(side.words, seconds)

    now = [
        replace(each, ours=thrice(each.ours), others=tuple(map(thrice, each.others)))
        for each in Machine(draw).run(COSTS).ratios
    ]
    assert compared(now, stored, MOST).worse == ()


def test_what_only_one_run_has_is_named() -> None:
    machine = Machine(np.random.default_rng(8))
    found = compared(machine.run({"a": 1, "b": 1}).ratios, machine.run({"b": 1, "c": 1}), MOST)
    assert [each.name for each in found.changes] == ["b"]
    assert (found.new, found.gone) == (("a",), ("c",))


# --- as a command ---------------------------------------------------------------------------------

CONFTEST = """
import numpy as np
from bench import kept as machinery
from bench.conftest import *
from tests.synthetic_times import Machine

MACHINE = Machine(np.random.default_rng({seed}))
LOOKS = []


def modelled(pair):
    LOOKS.append(pair.name)
    return MACHINE.ratio(pair.name, pair.ours.action() if len(LOOKS) > {lucky} else 2.0)


machinery.measured = machinery.afresh = modelled
"""
TESTS = """
import pytest
from bench.pair import Pair, Work
from bench.report import Against

COSTS = {costs!r}


@pytest.mark.short
@pytest.mark.parametrize("name", COSTS)
def test_ratio(kept, name):
    ours = Work("ours", lambda: COSTS[name])
    others = (Work("the normals", lambda: None),)
    found = kept.ratio(Pair(name, Against.NORMALS, "factor", "a layer", ours, others))
    kept.require(found.found.value < {most}, found.summary)


def test_that_takes_long(kept):
    kept.lines.append("the long one ran")
"""
FEW = {"factor": 1.0, "rows": 2.0}


def benchmarks(
    pytester: pytest.Pytester,
    *arguments: str,
    costs: dict[str, float] = FEW,
    seed: int = 1,
    lucky: int = 0,
    most: float = 100.0,
) -> pytest.RunResult:
    pytester.makeconftest(CONFTEST.format(seed=seed, lucky=lucky))
    pytester.makepyfile(test_pairs=TESTS.format(costs=costs, most=most))
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


@pytest.fixture(autouse=True)
def real_measurements_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """The inner runs, in this process, put a model in their place."""
    monkeypatch.setattr(bench.kept, "measured", bench.kept.measured)
    monkeypatch.setattr(bench.kept, "afresh", bench.kept.afresh)


@pytest.fixture
def stored(pytester: pytest.Pytester) -> str:
    """A run to compare with, as the command writes it."""
    assert benchmarks(pytester, "--bench-report", "before").ret == 0
    return "before/bench.json"


def test_an_unchanged_run_passes(pytester: pytest.Pytester, stored: str) -> None:
    result = benchmarks(pytester, "--bench-compare", stored, "--bench-fail-if-worse", "1.1", seed=2)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["0 of 2 worse"])


def test_a_planted_slowdown_fails_with_its_reason(pytester: pytest.Pytester, stored: str) -> None:
    slower = with_worse(FEW, "rows", 1.25)
    result = benchmarks(
        pytester, "--bench-compare", stored, "--bench-fail-if-worse", "1.1", costs=slower, seed=2
    )
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["worse: rows: 1.2? times the cost of the stored run, at least 1.* allowed 1.1"]
    )
    result.stdout.no_fnmatch_line("worse: factor*")
    result.stdout.fnmatch_lines(["1 of 2 worse"])


def test_a_missed_target_fails_in_one_line_but_not_a_run_that_is_compared(
    pytester: pytest.Pytester, stored: str
) -> None:
    missed = benchmarks(pytester, most=1.5)
    assert missed.ret == 1
    missed.stdout.fnmatch_lines(["rows: 1.* times the cost (1.*)"])
    assert benchmarks(pytester, "--bench-compare", stored, most=1.5).ret == 0


def test_without_a_limit_changes_are_told_and_nothing_fails(
    pytester: pytest.Pytester, stored: str
) -> None:
    result = benchmarks(pytester, "--bench-compare", stored, costs=with_worse(FEW, "rows", 2))
    assert result.ret == 0
    result.stdout.fnmatch_lines(["rows: 2.* times the cost*", "no limit was set*"])


def test_what_looks_worse_is_measured_afresh_and_judged_by_that(
    pytester: pytest.Pytester, stored: str
) -> None:
    """The first look costs twice what it did, all later ones what they did."""
    result = benchmarks(
        pytester,
        "--bench-compare",
        stored,
        "--bench-fail-if-worse",
        "1.1",
        "--bench-report",
        "after",
        seed=2,
        lucky=1,
    )
    assert result.ret == 0
    looks = {each.name: each.looks for each in read_run(pytester.path / "after/bench.json").ratios}
    assert looks == {"factor": 2, "rows": 1}


def test_a_run_that_shares_nothing_with_the_stored_one_fails(
    pytester: pytest.Pytester, stored: str
) -> None:
    result = benchmarks(
        pytester, "--bench-compare", stored, "--bench-fail-if-worse", "1.1", costs={"other": 1.0}
    )
    assert result.ret == 1
    result.stdout.fnmatch_lines(["worse: nothing to judge*"])


def test_another_machine_is_told(pytester: pytest.Pytester) -> None:
    machine = Machine(np.random.default_rng(1))
    other = replace(ENVIRONMENT, processor="an abacus")
    write_run(pytester.path / "old.json", replace(machine.run(FEW), environment=other))
    result = benchmarks(pytester, "--bench-compare", "old.json")
    result.stdout.fnmatch_lines(["another machine: an abacus*"])


def test_the_short_form_leaves_out_what_takes_long(pytester: pytest.Pytester) -> None:
    benchmarks(pytester, "--bench-short").stdout.no_fnmatch_line("the long one ran")
    benchmarks(pytester).stdout.fnmatch_lines(["the long one ran"])


NOT_A_RUN = {
    "missing.json": (None, "No such file|no such file"),
    "empty.json": ("", "not JSON"),
    "other.json": ('{"schema": 1}', "environment: missing"),
    "folder": (Path, "directory"),
}


@pytest.mark.parametrize("name", NOT_A_RUN)
def test_a_file_that_is_no_run_is_refused_in_one_line(pytester: pytest.Pytester, name: str) -> None:
    content, words = NOT_A_RUN[name]
    if content is Path:
        (pytester.path / name).mkdir()
    elif content is not None:
        (pytester.path / name).write_text(str(content))
    result = benchmarks(pytester, "--bench-compare", name)
    refused(result, f"--bench-compare {name}: .*({words})")


def test_a_run_without_ratios_is_refused(pytester: pytest.Pytester) -> None:
    write_run(pytester.path / "none.json", Run(ENVIRONMENT, True))
    refused(benchmarks(pytester, "--bench-compare", "none.json"), "a run without ratios")


@pytest.mark.parametrize("given", ["1", "0.5", "nan", "inf", "much", "-2"])
def test_a_limit_that_is_none_is_refused(pytester: pytest.Pytester, given: str) -> None:
    result = benchmarks(pytester, f"--bench-fail-if-worse={given}")
    refused(result, f"--bench-fail-if-worse {given}: want a finite number above 1")


def test_a_limit_without_a_run_is_refused(pytester: pytest.Pytester) -> None:
    refused(
        benchmarks(pytester, "--bench-fail-if-worse", "1.1"), "give --bench-compare FILE as well"
    )


def test_a_folder_that_cannot_be_made_is_refused(pytester: pytest.Pytester) -> None:
    (pytester.path / "file").write_text("")
    refused(benchmarks(pytester, "--bench-report", "file"), "--bench-report file: ")


def test_a_history_that_is_none_is_refused(pytester: pytest.Pytester) -> None:
    (pytester.path / "out").mkdir()
    (pytester.path / "out/history.jsonl").write_text(json.dumps({"version": 1}))
    refused(benchmarks(pytester, "--bench-report", "out"), "line 1: version is 1; want text")


def test_benchmarks_side_by_side_are_refused(pytester: pytest.Pytester) -> None:
    refused(benchmarks(pytester, "-n", "2"), "run them without -n")


def refused(result: pytest.RunResult, words: str) -> None:
    assert result.ret == 4
    said = [line for line in result.stderr.lines if line]
    assert len(said) == 1, said
    result.stderr.re_match_lines([f"ERROR: .*{words}"])


def test_documents_at_odds_with_themselves_are_refused(tmp_path: Path) -> None:
    machine = Machine(np.random.default_rng(1))
    whole = machine.ratio("a", 1.0)
    short = Side.of("other", Seconds((1.0,), (1.0,)))
    with pytest.raises(ValueError, match="1 rounds of other and 9 of ours"):
        Ratio("a", Against.LOOP, "factor", "float64", "a layer", whole.ours, (short,))
    with pytest.raises(ValueError, match="1 rounds by the wall clock and 2"):
        Side("a side", (1.0,), (1.0, 2.0))
    with pytest.raises(ValueError, match="nothing that it is compared with"):
        Ratio("a", Against.LOOP, "factor", "float64", "a layer", whole.ours, ())
