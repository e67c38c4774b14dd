"""The pytest plugin, exercised in runs of its own: collection, verdicts, options, workers, and what
it must not do.
"""

import contextlib
import json
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import torch  # noqa: F401  # runs within this process forget what they import, and Torch cannot be imported twice

import theorems.workbench.running  # noqa: F401  # the same
from theorems import pytest_plugin
from theorems.checking.confidence_sequence import BoundedMean
from theorems.cli import main
from theorems.statement import Quantifier
from theorems.verification import LEVEL

with contextlib.suppress(ImportError):
    import z3  # noqa: F401

pytest_plugins = ("pytester",)
pytestmark = pytest.mark.usefixtures("few_draws")
ROOT = Path(__file__).parents[2]
#: Installed with its entry point, the plugin is there already, and may not be loaded twice.
PLUGIN = (
    []
    if entry_points(group="pytest11", value="theorems.pytest_plugin")
    else ["-p", "theorems.pytest_plugin"]
)

FAST = """
from theorems import conjecture
first = conjecture("x**2 <= 2*x", x="[0, 2]")
second = conjecture("x**2 <= 3*x", x="[0, 2]")
false = conjecture("x**2 <= x", x="[0, 2]")
last = conjecture("x**3 <= 4*x", x="[0, 2]")
"""


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest(*PLUGIN, "-p", "no:cacheprovider", "--strict-markers", *arguments)


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def test_claims_are_items_with_verdicts(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        my_claims=FAST + "e = conjecture('x**2 <= x', x='[0, 2]', expected='refuted')\n"
    )
    result = run(pytester, "my_claims.py", "-v")
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(
        ["my_claims.py::first PASSED*", "my_claims.py::false FAILED*", "my_claims.py::e PASSED*"]
    )


def test_a_failure_shows_claim_witness_margin_seed_power_and_replay(
    pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    pytester.makepyfile(my_claims=FAST)
    result = run(pytester, "my_claims.py::false", "--theorem-seed", "5", "--theorem-level", "1e-5")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "claim     my_claims.false: x[*][*]2 <= x",
            "verdict   refuted, expected supported",
            "witness   x = 2",
            "margin*2*",
            "power*",
            "seed      5, error level 1e-05",
            "replay    theorems verify my_claims.py::false --seed 5 --level 1e-05*",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    replay = next(line for line in result.outlines if line.startswith("replay"))
    capsys.readouterr()
    assert main(replay.split()[2:]) == 1
    assert "false at x = 2" in capsys.readouterr().out


def test_the_summary_says_what_was_spent(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(my_claims=FAST)
    result = run(pytester, "my_claims.py")
    result.stdout.fnmatch_lines(
        [
            "4 claims checked: 3 certified, 1 refuted",
            "error budget 1e-06 *split over 4 items; spent: 1e-06",
            "seed 0",
        ]
    )


def test_selection_by_keyword_and_marker_also_splits_the_budget(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(my_claims=FAST)
    run(pytester, "my_claims.py", "-k", "first or second").stdout.fnmatch_lines(
        ["*split over 2 items; spent: 1e-06"]
    )
    run(pytester, "my_claims.py", "-k", "first").stdout.fnmatch_lines(
        ["*split over 1 item; spent: 1e-06"]
    )
    chosen = run(
        pytester,
        "my_claims.py",
        "-m",
        "quantifier_pointwise and cost_low and family_my_claims and theorem",
        "-k",
        "first",
    )
    chosen.assert_outcomes(passed=1, deselected=3)
    run(pytester, "my_claims.py", "-m", "cost_high").assert_outcomes(deselected=4)


def test_markers_are_registered(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--markers")
    for name in (
        "theorem",
        "cost_low",
        "cost_high",
        *(f"quantifier_{q.value.replace(' ', '_')}" for q in Quantifier),
    ):
        result.stdout.fnmatch_lines([f"@pytest.mark.{name}:*"])


def test_statements_of_the_library_are_items(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_other="def test_it(): pass\n")
    result = run(
        pytester,
        "--theorems=orthogonality.gap_vs_smallest_eigenvalue,orthogonality.unit_frobenius",
        "-v",
    )
    result.assert_outcomes(passed=3)  # and nothing else, as no file was named
    result.stdout.fnmatch_lines(["*orthogonality.unit_frobenius PASSED*"])
    both = run(pytester, "--theorems=orthogonality.unit_frobenius", "test_other.py")
    both.assert_outcomes(passed=2)


def test_an_unknown_name_of_the_library_is_bad_usage(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--theorems=orthogonality.decey")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*did you mean orthogonality.decay*"])


@pytest.mark.parametrize(
    "arguments", [("--theorem-level", "2"), ("--theorem-budget", "-1"), ("--theorem-seed", "x")]
)
def test_bad_options_are_bad_usage(pytester: pytest.Pytester, arguments: tuple[str, str]) -> None:
    result = run(pytester, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{arguments[0]} {arguments[1]}*"])


def test_a_claim_that_makes_no_sense_is_shown_at_its_own_line(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        my_claims="from theorems import conjecture\n\n"
        "bad = conjecture('x <= z', x='[0, 1]', name='bad')\n"
    )
    result = run(pytester, "my_claims.py")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["my_claims.py:3: in <module>", "*ClaimError: bad: 'z' is neither declared*"]
    )
    assert "workbench/conjecture.py:" not in result.stdout.str()


def test_claims_imported_from_elsewhere_are_not_collected_twice(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        my_claims=FAST,
        test_uses="from my_claims import first\ndef test_it(verify_claim): verify_claim(first)\n",
    )
    pytester.syspathinsert()
    run(pytester, "test_uses.py", "my_claims.py").assert_outcomes(passed=4, failed=1)


# --- fixtures -------------------------------------------------------------------------------------


def test_fixtures_reach_simulators_and_checkers(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import numpy as np, pytest
        from simulators import rescale_chain
        def test_simulate(simulate, theorem_seed):
            one = simulate(rescale_chain(32), np.eye(3), depth=2)["orthogonality_gap"]
            assert (one == simulate(rescale_chain(32), np.eye(3), depth=2,
                                    seed=theorem_seed)["orthogonality_gap"]).all()
            assert (one != simulate(rescale_chain(32), np.eye(3), depth=2,
                                    seed=theorem_seed + 1)["orthogonality_gap"]).any()
        def test_other_seed(theorem_seed):
            assert theorem_seed != 0
        def test_verify(verify_claim):
            assert verify_claim("orthogonality.gap_vs_smallest_eigenvalue:sharp").verdict == "proved"
            assert verify_claim("x <= 1", x="[0, 2]", expected="refuted").verdict == "refuted"
            with pytest.raises(AssertionError, match="replay|witness"):
                verify_claim("x <= 1", x="[0, 2]")
        def test_fails(verify_claim):
            verify_claim("x <= 1", x="[0, 2]")
        """)
    result = run(pytester)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *claim     *.claim_????????: x <= 1",
            "E *witness   x = *",
            "*.claim_????????: x = 2; again: pytest *",
        ]
    )


def test_a_test_that_checks_twice_stays_within_its_share(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_it(verify_claim):
            for _ in range(5):
                verify_claim("x <= 1", x="[0, 1/2]")
        """)
    spent = re.search(r"spent: (\S+)", run(pytester).stdout.str())
    assert spent is not None
    assert float(spent[1]) < 1e-6


def test_a_claim_of_no_file_is_seen_again_by_its_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_one(verify_claim):
            verify_claim("x <= 1", x="[0, 2]")
        def test_two(verify_claim):
            verify_claim("x <= 1", x="[0, 1/2]")
        """)
    said = re.search(r"again: pytest (.*)", run(pytester, "--theorem-seed", "3").stdout.str())
    assert said is not None
    again = run(pytester, *said[1].split())
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["E *seed      3, error level 2.5e-07"])


def test_a_test_that_is_run_again_is_counted_once(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(my_claims=FAST)
    pytester.makeconftest("""
        from _pytest.runner import runtestprotocol
        def pytest_runtest_protocol(item, nextitem):
            runtestprotocol(item, nextitem=nextitem)
            return True if runtestprotocol(item, nextitem=nextitem) else None
        """)
    run(pytester, "my_claims.py").stdout.fnmatch_lines(
        ["4 claims checked*", "*split over 4 items; spent: 1e-06"]
    )


def test_a_test_without_a_share_of_the_budget_is_told_so(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest
        def test_late(request):
            request.getfixturevalue("verify_claim")("x <= 1", x="[0, 1/2]")
        @pytest.mark.usefixtures("verify_claim")
        def test_said(request):
            request.getfixturevalue("verify_claim")("x <= 1", x="[0, 1/2]")
        """)
    result = run(pytester)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["verify_claim: name it among the test's arguments*"])


def test_a_claim_in_a_class_is_not_left_out_unsaid(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        other="from theorems import conjecture\nx = conjecture('x <= 1', x='[0, 1/2]')\n",
        test_mine="""
        import other
        from theorems import conjecture
        class TestIt:
            borrowed = other.x
            inner = conjecture("x <= 1", x="[0, 1/2]")
            def test_it(self): pass
        """,
    )
    pytester.syspathinsert()
    result = run(pytester, "test_mine.py", "-W", "default")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        ["*cannot collect the conjecture 'inner' in the class TestIt; declare it*"]
    )


def test_claims_in_a_list_are_tests_each(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_mine="""
        from theorems import conjecture
        many = [conjecture(f"x <= {bound}", x="[0, 2]") for bound in (3, 1)]
        """
    )
    result = run(pytester, "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*::many_0 PASSED*", "*::many_1 FAILED*"])


# --- seeds and settings ---------------------------------------------------------------------------


def test_random_seeds_differ_and_are_said(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(my_claims=FAST)
    seeds = set()
    for _ in range(2):
        out = run(pytester, "my_claims.py::first", "--theorem-seed", "random").stdout.str()
        header, summary = (
            re.search(r"theorems: seed (\d+)", out),
            re.search(r"^seed (\d+)$", out, re.MULTILINE),
        )
        assert header is not None
        assert summary is not None
        assert header[1] == summary[1]
        seeds.add(header[1])
    assert len(seeds) == 2


@pytest.mark.parametrize("examples", [7, 200])
def test_the_profile_of_hypothesis_sets_how_many_inputs_are_drawn(
    pytester: pytest.Pytester, examples: int
) -> None:
    pytester.makeconftest(
        "from hypothesis import settings\n"
        f"settings.register_profile('mine', max_examples={examples})\n"
    )
    pytester.makepyfile(
        my_claims="""
        from theorems import conjecture
        a = conjecture("x**2 <= 3*x + y", x="[0, 2]", y="[0, 9]")
        def test_examples():
            check = a.statement(falsify=False).checks[0]
            assert (check.attack.examples, check.draws) == (EXAMPLES, 2 * EXAMPLES)
        """.replace("EXAMPLES", str(examples))
    )
    run(pytester, "my_claims.py", "--hypothesis-profile=mine").assert_outcomes(passed=2)


# --- workers --------------------------------------------------------------------------------------


#: These fall where they are first looked at, so that no worker need import Torch.
FALLING = """
from theorems import conjecture
first = conjecture("x**2 <= 2", x="[0, 2]", expected="refuted")
second = conjecture("x**2 <= 3", x="[0, 2]", expected="refuted")
false = conjecture("x**2 <= x", x="[0, 2]")
last = conjecture("x**3 <= 4", x="[0, 2]", expected="refuted")
"""


def test_workers_give_what_one_process_gives_and_share_one_seed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(my_claims=FALLING)
    pytester.makeconftest(
        "from hypothesis import settings\n"
        "settings.register_profile('few', max_examples=10)\nsettings.load_profile('few')\n"
    )
    spread = run(pytester, "my_claims.py", "-v", "-n", "2", "--theorem-seed", "random")
    spread.assert_outcomes(passed=3, failed=1)

    def of(result: pytest.RunResult, pattern: str) -> list[str]:
        return sorted(re.findall(pattern, result.stdout.str(), re.MULTILINE))

    seed = of(spread, r"^seed (\d+)$")[0]
    assert seed != "0"
    alone = run(pytester, "my_claims.py", "-v", "--theorem-seed", seed)
    for pattern in (
        r"^replay.*$",
        r"^claim .*$",
        r"^witness.*$",
        r"^error budget.*$",
        r"^4 claims checked",
    ):
        assert of(alone, pattern) == of(spread, pattern) != []
    assert set(of(alone, r"my_claims\.py::\w+")) == set(of(spread, r"my_claims\.py::\w+"))


# --- what it must not do --------------------------------------------------------------------------


def test_loading_it_imports_nothing_heavy() -> None:
    script = (
        "import json, sys, pytest, theorems.pytest_plugin; print(json.dumps(sorted(sys.modules)))"
    )
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    modules = json.loads(out)
    heavy = {"sympy", "torch", "numpy", "scipy", "flint", "hypothesis", "rich", "simulators"} & set(
        modules
    )
    assert not heavy
    assert [m for m in modules if m.startswith("theorems")] == [
        "theorems",
        "theorems.pytest_plugin",
    ]


def test_a_run_without_claims_is_untouched(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import sys
        def test_light():
            assert not {"sympy", "torch", "simulators"} & set(sys.modules)
        def test_left_out():
            pass
        """)
    result = pytester.runpytest_subprocess(
        *PLUGIN, "-p", "no:cacheprovider", "--strict-markers", "-k", "light"
    )
    result.assert_outcomes(passed=1, deselected=1)
    assert "claims checked" not in result.stdout.str()


def test_the_plugin_repeats_the_default_level() -> None:
    assert pytest_plugin.LEVEL == LEVEL
    assert BoundedMean(0, 1, LEVEL).level == LEVEL


def test_claims_of_one_file_keep_witnesses_apart(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_a="""
        def test_it(verify_claim):
            for claim in ("x <= 1", "x<=1", "x**2 <= 1"):
                verify_claim(claim, x="[0, 2]", expected="refuted")
            verify_claim("x <= 1", x="[0, 2]", expected="refuted", name="mine")
        """
    )
    run(pytester, "--theorem-corpus", "kept").assert_outcomes(passed=1)
    names = sorted(
        path.name.split("-")[0].split(".")[-1] for path in (pytester.path / "kept").iterdir()
    )
    assert [name.startswith("claim_") for name in names] == [True, True, False]
    assert names[2] == "mine"


def test_a_corpus_that_is_no_directory_is_one_line(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(my_claims=FAST)
    result = run(pytester, "my_claims.py::first", "--theorem-corpus", "my_claims.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["my_claims.py: not a directory; name one*"])
    result.stdout.no_fnmatch_line("*Traceback*")
