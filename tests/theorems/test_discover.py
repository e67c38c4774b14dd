"""``theorems discover``: what must be found, what must not, and how it ends."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from statistics import mean
from typing import Any

import flint
import numpy as np
import pytest

from theorems import ClaimError, Discovery, Verdict, discover
from theorems.cli import main
from theorems.workbench.discovery import Fallen, Search, searched
from theorems.workbench.discovery.constants import HEAVIEST, recognised, rounded
from theorems.workbench.discovery.fitting import Fitter
from theorems.workbench.discovery.ranking import ranked, says_more
from theorems.workbench.discovery.refuting import attacked
from theorems.workbench.loading import load

#: A lone outlier under recentring and ReLU, by the library's map at infinite width.
OUTLIER = '''
import flint
from simulators import mean_field


def norm_ratio(n):
    """‖o‖²/‖c‖² after a layer, for n - 1 equal samples c and another one, o"""
    last = n - 1
    gram = [[int((i < last) == (j < last)) for j in range(n)] for i in range(n)]
    after = mean_field.recenter_relu_map_enclosure(gram, precision=int(flint.ctx.prec))
    return after[last][last] / after[0][0]
'''


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")


def claims(found: Discovery) -> list[str]:
    return [bound.claim for bound in found.bounds]


# --- what must be found ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def of_spectra() -> Discovery:
    return discover(
        "spectra", of="orthogonality_gap", against="smallest_eigenvalue_gap", n="2..6", most=2
    )


def test_the_gap_against_the_smallest_eigenvalue(of_spectra: Discovery) -> None:
    assert set(claims(of_spectra)) == {
        "orthogonality_gap <= sqrt(n*(n - 1))*smallest_eigenvalue_gap",
        "orthogonality_gap >= sqrt(n)*smallest_eigenvalue_gap/sqrt(n - 1)",
    }
    assert all(bound.exact and bound.touched == 1 for bound in of_spectra.bounds)
    assert all(bound.verdict is Verdict.SUPPORTED for bound in of_spectra.bounds)


def test_the_rate_at_infinite_width() -> None:
    found = discover(
        "rescale",
        of="smallest_eigenvalue_gap",
        against="smallest_eigenvalue",
        relation="<=",
        n="2..4",
        ell="1..2",
        most=1,
    )
    assert claims(found) == [
        "smallest_eigenvalue_gap*smallest_eigenvalue_0 <= "
        "(n/(n + 2))**ell*smallest_eigenvalue_gap_0*smallest_eigenvalue"
    ]


def test_the_norm_ratio_of_a_lone_outlier(capsys: pytest.CaptureFixture[str]) -> None:
    Path("outlier.py").write_text(OUTLIER, encoding="utf-8")
    words = ["discover", "parameters", "--of", "outlier.py::norm_ratio", "--sizes", "n=3..8"]
    assert main([*words, "--relation", "<=", "--out", "found.py"]) == 0
    assert "norm_ratio <= (n - 1)**2" in capsys.readouterr().out
    # equal in every enclosure, so that none of them decides
    assert 'expected="inconclusive"' in Path("found.py").read_text(encoding="utf-8")
    assert main(["falsify", "found.py"]) == 0


# --- bounds kept back until the forms were settled ------------------------------------------------


def squares(N: int) -> list[Fraction]:
    return [Fraction(k * k) for k in range(N)]


def spread(values: tuple[Fraction, ...] | list[Fraction]) -> Fraction:
    return mean((x - mean(values)) ** 2 for x in values)


def jitter(N: int, b: int) -> Fraction:
    """the variance of a minibatch mean over that of the batch"""
    every = [mean(chosen) for chosen in combinations(squares(N), b)]
    return spread(every) / spread(squares(N))


def shrunk(N: int, b: int) -> Fraction:
    """the mean variance of a minibatch over that of the batch"""
    return mean(map(spread, combinations(squares(N), b))) / spread(squares(N))


def growth(n: int, m: int) -> Fraction:
    """by which a small spread grows next to two blocks of m and n - m equal samples"""
    return Fraction(n * n, m * m + (n - m) ** 2)


def test_the_jitter_of_minibatches() -> None:
    sizes = {"N": "6..9", "b": "2..5", "relation": "<="}
    found = discover("parameters", of="jitter", computed={"jitter": jitter}, **sizes)
    assert claims(found) == ["jitter <= (N - b)/(b*(N - 1))"]
    assert found.bounds[0].verdict is Verdict.CERTIFIED
    found = discover("parameters", of="shrunk", computed={"shrunk": shrunk}, **sizes)
    assert claims(found) == ["shrunk <= N*(b - 1)/(b*(N - 1))"]


def noise(n: int) -> Fraction:
    """d E V^2 of a deep rescaled network, as it is left by a factor n/(n + 2) a layer"""
    return (1 - Fraction(1, n)) / (1 - Fraction(n, n + 2) ** 2)


def lyapunov_gap(d: int) -> flint.arb:
    """half the difference of digamma at d/2 and (d - 1)/2"""
    return (flint.arb(d) / 2).digamma() / 2 - ((flint.arb(d) - 1) / 2).digamma() / 2


def test_the_stationary_law_is_an_equality() -> None:
    found = discover("parameters", of="noise", computed={"noise": noise}, n="2..12")
    assert claims(found) == ["noise == (n - 1)*(n + 2)**2/(4*n*(n + 1))"]
    assert found.bounds[0].verdict is Verdict.CERTIFIED
    assert found.sizes == "n = 2, 3, 4, 5, 6, 8, 12"


def test_limits_are_constants_that_no_size_reaches() -> None:
    found = discover("parameters", of="gap", computed={"gap": lyapunov_gap}, d="2..40", most=2)
    assert set(claims(found)) == {"gap >= 1/(2*(d - 1))", "gap <= d/(2*(d - 1)**2)"}
    assert all(bound.approached and not bound.exact for bound in found.bounds)
    assert "approached by the largest sizes" in found.claims


def test_the_decay_from_every_start_of_full_rank() -> None:
    found = discover(
        "rescale",
        of="1/smallest_eigenvalue - n",
        relation="<=",
        assume="smallest_eigenvalue_0 > 0",
        n="2..4",
        ell="1..2",
        most=1,
    )
    assert claims(found) == [
        "(1/smallest_eigenvalue - n) <= (n/(n + 2))**ell*(1/smallest_eigenvalue_0 - n)"
    ]


def test_a_law_that_is_no_product_is_only_touched() -> None:
    found = discover(
        "parameters", of="growth", computed={"growth": growth}, n="8..20", m="1..7", most=4
    )
    assert "growth <= 2" in claims(found)
    assert not any(bound.exact for bound in found.bounds)


def test_the_soft_rank_against_the_effective_rank() -> None:
    found = discover(
        "spectra", of="soft_rank(1/2)", against="effective_rank", relation=">=", n="1..6", d="4..64"
    )
    # (1 - τ)² + τ(2 - τ)/n at τ = ½: more than the (1 - τ)² of D20, and the best for every n
    assert "soft_rank(1/2) >= (n + 3)*effective_rank/(4*n)" in claims(found)


def test_means_over_random_weights() -> None:
    found = discover(
        "rescale",
        of="orthogonality_gap",
        relation="<=",
        assume="smallest_eigenvalue_0 >= 1/(2*n)",
        n="2..5",
        d="64..256",
        ell="8..8",
        most=1,
    )
    (bound,) = found.bounds
    powers = {factor.base: factor.exponent for factor in bound.form.factors}
    assert powers == {"n": Fraction(1, 2), "d": Fraction(-1, 2)}
    assert 0.5 < bound.form.constant.value < 1


# --- what has no bound ----------------------------------------------------------------------------


def test_what_has_no_bound_is_said_to_have_none(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["discover", "spectra", "--of", "1/smallest_eigenvalue", "--sizes", "n=2..5"]
    assert main([*words, "--relation", "<=", "--out", "none.py"]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "no bound of these forms" in printed
    assert "no upper bound of 1/smallest_eigenvalue: it grows without end" in printed
    assert not Path("none.py").exists()


def test_near_one_point_a_ratio_grows_without_end() -> None:
    found = discover(
        "spectra", of="orthogonality_gap", against="smallest_eigenvalue_gap", relation="<=",
        n="2..4", most=1,
    )  # fmt: skip
    words = "no upper bound of orthogonality_gap/smallest_eigenvalue_gap**2: it grows without end"
    assert any(line.startswith(words) for line in found.without)


def test_what_may_be_negative_has_no_positive_lower_bound() -> None:
    found = discover("matrices", of="cosine", n="2..2", d="2..4", assume="alive", relation=">=")
    assert found.bounds == ()
    assert found.without[0].startswith("no positive lower bound of cosine: cosine is -1")


def test_what_grows_far_out_has_no_bound() -> None:
    found = discover("parameters", of="k*x", k="1..5", x="[0, oo)", relation="<=")
    assert found.bounds == ()
    assert found.without[0].startswith("no upper bound of k*x: it grows without end")


# --- what is false does not stand -----------------------------------------------------------------


def test_a_planted_bound_is_refuted(of_spectra: Discovery) -> None:
    true = next(bound for bound in of_spectra.bounds if bound.relation == "<=")
    planted = replace(true, claim="orthogonality_gap <= (n - 1)*smallest_eigenvalue_gap")
    fallen = attacked(planted, {"over": "spectra", "n": "2..6"}, seed=0)
    assert isinstance(fallen, Fallen)
    assert fallen.words.startswith("violated at n = 2")


def test_a_law_that_fails_where_nobody_looked_falls() -> None:
    def nearly(k: int) -> Fraction:
        """k, but for one value"""
        return Fraction(k + (k == 13))

    found = discover(
        "parameters", of="nearly", computed={"nearly": nearly}, relation="<=", k="2..30"
    )
    assert "nearly <= k" not in claims(found)
    assert any(each.claim == "nearly <= k" and "k = 13" in each.words for each in found.fallen)


def test_a_form_of_the_wrong_power_falls_at_the_sizes_kept_back() -> None:
    n = np.arange(2.0, 9.0)
    held, fell = Fitter({"n": n}).touching(n + 1 / n, 1e-9, up=True)
    assert [form.text for form in held] == ["5*n/4"]
    assert fell[0].text == "50/7"


# --- order ----------------------------------------------------------------------------------------


def test_what_a_better_bound_implies_is_dropped(of_spectra: Discovery) -> None:
    best = next(bound for bound in of_spectra.bounds if bound.relation == "<=")
    weaker = replace(best, claim="weaker", touched=0.0, logarithms=best.logarithms + math.log(2))
    assert ranked([weaker, best]) == [best, weaker]
    assert not says_more(weaker, [best])
    assert says_more(best, [weaker])
    elsewhere = best.logarithms.copy()
    elsewhere[int(np.argmax(elsewhere))] -= 1
    assert says_more(replace(weaker, logarithms=elsewhere), [best])


def test_the_same_seed_gives_the_same() -> None:
    asked: dict[str, Any] = dict(of="k*x*(1 - x)", k="1..9", x="[0, 1]", seed=3)
    first, second = (discover("parameters", **asked) for _ in range(2))
    assert first == second
    assert first.claims == second.claims
    assert claims(first) == ["k*x*(1 - x) <= k/4"]


# --- constants ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.75, "3/4"),
        (math.sqrt(2 / 3), "sqrt(2/3)"),
        (math.pi / 4, "pi/4"),
        (2 / math.pi, "2/pi"),
        (4 / (3 * math.pi), "4/(3*pi)"),
        (9 * math.pi**2 / 2, "9*pi**2/2"),
        (1.0, "1"),
    ],
)
def test_constants_are_recognised(value: float, text: str) -> None:
    found = recognised(value * (1 + 1e-10), 1e-9)
    assert found is not None
    assert found.text == text
    assert found.value == pytest.approx(value, rel=1e-8)


@pytest.mark.parametrize("value", [math.e, 0.123456789, 0.0, -1.0, math.inf, math.nan])
def test_what_is_none_within_the_budget_is_not(value: float) -> None:
    assert recognised(value, 1e-9) is None


@pytest.mark.parametrize("value", [math.e, 0.123456789, 12345.678])
def test_rounding_is_outward(value: float) -> None:
    above, below = (rounded(value, 1e-9, up=up).value for up in (True, False))
    assert value <= above <= 1.02 * value
    assert 0.98 * value <= below <= value


def test_constants_have_a_budget() -> None:
    found = [recognised(k / 128, 1e-9) for k in range(1, 400)]
    assert max(each.weight for each in found if each is not None) <= HEAVIEST


# --- files, interruptions, refusals ---------------------------------------------------------------


def test_what_is_written_is_read_again(of_spectra: Discovery) -> None:
    of_spectra.write("found.py")
    loaded = load("found.py")
    assert loaded.refused == ()
    assert [claim.title for claim in loaded.conjectures] == claims(of_spectra)
    assert main(["falsify", "found.py"]) == 0


def test_an_interruption_keeps_what_was_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = Search.bounds

    def broken_off(search: Search):  # type: ignore[no-untyped-def]
        yield next(whole(search))
        raise KeyboardInterrupt

    monkeypatch.setattr(Search, "bounds", broken_off)
    words = ["discover", "parameters", "--of", "k*x*(1 - x)", "--sizes", "k=1..9, x=[0, 1]"]
    assert main([*words, "--out", "found.py"]) == 130
    assert "Interrupted after 1 bound." in capsys.readouterr().out
    assert "k*x*(1 - x) <= k/4" in Path("found.py").read_text(encoding="utf-8")


def test_what_the_budget_left_undone_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["discover", "parameters", "--of", "k*x*(1 - x)", "--sizes", "k=1..9, x=[0, 1]"]
    assert main([*words, "--budget", "1e-9", "--out", "none.py"]) == 1
    printed = capsys.readouterr().out
    assert "the budget of 1e-9 s ended after 0 bounds" in printed
    assert "no bound of these forms" not in printed
    assert not Path("none.py").exists()


SIZES = ["--sizes", "n=2..5"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["spectra", "--of", "orthogonality_gp", *SIZES], "did you mean orthogonality_gap"),
        (["spectra", "--of", "cosine", *SIZES], "not determined by the spectrum"),
        (["spectra", "--of", "", *SIZES], "name a quantity"),
        (["rescal", "--of", "cosine", *SIZES], "unknown chain 'rescal'"),
        (["spectra", "--of", "orthogonality_gap", "--sizes", "n"], "want NAME=DOMAIN"),
        (["spectra", "--of", "orthogonality_gap", "--sizes", "n=2..5,n=3"], "declared twice"),
        (["parameters", "--of", "x", "--sizes", "x=[0, 1]"], "declare a whole number"),
        (["spectra", "--of", "orthogonality_gap", *SIZES, "--most", "0"], "--most '0'"),
        (["spectra", "--of", "orthogonality_gap", *SIZES, "--out", "no/such.py"], "no directory"),
        (["spectra", "--of", "orthogonality_gap", *SIZES, "--budget", "0"], "--budget '0'"),
        (["spectra", "--of", "soft_rank(tau)", *SIZES, "tau=[0, 1]"], "is a number and no symbol"),
        (["parameters", "--of", "none.py::f", *SIZES], "none.py"),
        (["spectra", "--of", "orthogonality_gap", *SIZES, "--assume", "n >= 9"], "nothing meets"),
    ],
)
def test_bad_input_is_told_in_one_line(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["discover", *words]) == 2
    printed, errors = capsys.readouterr()
    assert printed == ""
    assert errors.startswith("theorems: ")
    assert errors.count("\n") == 1
    assert told in errors


def test_a_function_that_no_file_declares_cannot_be_written() -> None:
    with pytest.raises(ClaimError, match="no file declares"):
        discover("parameters", of="f", computed={"f": lambda k: Fraction(1, k)}, k="1..9", most=1)


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ({"relation": "<"}, "relation='<'"),
        ({"most": 0}, "most=0"),
        ({"seed": -1}, "seed=-1"),
        ({"budget": 0.0}, "budget=0.0"),
    ],
)
def test_bad_arguments_are_refused(argument: dict[str, object], told: str) -> None:
    given: dict[str, Any] = {"symbols": {"n": "2..4"}, **argument}
    with pytest.raises(ClaimError, match=told):
        searched("spectra", "orthogonality_gap", **given)


def test_what_every_bound_would_be_refused_for_is_told_at_once() -> None:
    with pytest.raises(ClaimError, match="no effect"):
        discover("spectra", of="orthogonality_gap", n="2..4", assume="n >= 2")
    with pytest.raises(ClaimError, match=r"k='1\.\.3' has no effect"):
        discover("spectra", of="orthogonality_gap", n="2..4", k="1..3")


def test_a_sharper_contraction_is_found_from_formulas_as_references() -> None:
    found = discover(
        "rescale",
        of="smallest_eigenvalue",
        against=["smallest_eigenvalue_0", "1 + 2*smallest_eigenvalue_0"],
        relation=">=",
        n="2..4",
        ell="1..1",
        most=2,
    )
    wanted = "smallest_eigenvalue*(1 + 2*smallest_eigenvalue_0) >= (n + 2)*smallest_eigenvalue_0/n"
    assert wanted in claims(found)
