"""Claims that fail on a thin set, or far out: algebraic ones are decided exactly, with algebraic
witnesses.
"""

import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sympy as sp

from theorems import Verdict, conjecture, verify
from theorems.algebraic import (
    Root,
    number,
    root_of,
    sign,
    true,
)
from theorems.checking.real_line import Outcome, decide_on_line
from theorems.witnesses import Corpus, CorpusError, Witness
from theorems.workbench import everywhere
from theorems.workbench.whole_domain import Settled

x = sp.Symbol("x", real=True)
R = sp.Rational
SQRT2 = Root((-2, 0, 1), 2)
LEVEL = 1e-6


def run(claim: str, falsify: bool = False, **options: Any) -> Any:
    (result,) = verify(
        [conjecture(claim, name="c", **options).statement(falsify=falsify)], level=LEVEL
    )
    return result


def witness(found: Any) -> Any:
    return next(e.details["witness"] for e in found.evidence if "witness" in e.details)


# --- verdicts -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("few_draws")
@pytest.mark.parametrize(
    ("claim", "options", "where"),
    [
        ("(x**2-2)**2 > 0", dict(x="[0, 2]"), {"x": "root 2 of x**2 - 2 (1.41421356237)"}),
        ("k <= 999999", dict(k="1.."), {"k": "1000000"}),
        ("k >= -10**12", dict(k="(-oo, 5]"), None),
        ("x < sqrt(2)", dict(x="[0, sqrt(2)]"), {"x": "root 2 of x**2 - 2 (1.41421356237)"}),
        ("0**abs(x-1/3) <= 1/2", dict(x="[0, 1]"), {"x": "1/3"}),
        (
            "(x**5 - x - 1)**2 > 0",
            dict(x="[0, 2]"),
            {"x": "root 1 of x**5 - x - 1 (1.16730397826)"},
        ),
        (
            "abs(max(x, 1-x) - sqrt(3)/2) > 0",
            dict(x="[0, 1/2]"),
            {"x": "root 1 of 4*x**2 - 8*x + 1 (0.133974596216)"},
        ),
        ("(orthogonality_gap**2 - 1/3)**2 > 0", dict(over="spectra", n=2), None),
        (
            "(x**n - 1/2)**2 > 0",
            dict(x="[3/5, 1]", n="1.."),
            {"n": "2", "x": "root 2 of 2*x**2 - 1 (0.707106781187)"},
        ),
        ("sqrt(x) + sqrt(1 - x) < sqrt(2)", dict(x="[0, 1]"), {"x": "1/2"}),
        ("(x - 1)*(k*x - 1) >= 0", dict(x="[0, 1)", k="2.."), None),
    ],
    ids=str,
)
def test_a_claim_false_on_a_thin_set_is_refuted(claim: str, options: Any, where: Any) -> None:
    found = run(claim, **options)
    assert found.verdict is Verdict.REFUTED
    assert not found.weak_sentinels
    if where is not None:
        assert witness(found) == where


def test_a_claim_that_misses_by_very_little_is_refuted_with_a_rational_witness() -> None:
    found = run("abs(x**3-2) >= 1/10**80", x="[0, 2]")
    assert found.verdict is Verdict.REFUTED
    assert abs(Fraction(witness(found)["x"]) ** 3 - 2) < Fraction(1, 10**80)


@pytest.mark.usefixtures("few_draws")
@pytest.mark.parametrize(
    ("claim", "options"),
    [
        ("(x**2+y**2-3)**2 > 0", dict(x="[0, 2]", y="[0, 2]")),
        ("(x**2-2)**2 + (y**3-3)**2 > 0", dict(x="[0, 2]", y="[0, 2]")),
        ("(effective_rank - 3/2)**2 > 0", dict(over="spectra", n="3..3")),
        ("x*y <= 10**20", dict(x="[0, oo)", y="[0, oo)")),
    ],
    ids=str,
)
def test_thin_sets_of_two_numbers_are_found_by_z3(claim: str, options: Any) -> None:
    pytest.importorskip("z3")
    assert run(claim, **options).verdict is Verdict.REFUTED


@pytest.mark.usefixtures("few_draws")
@pytest.mark.parametrize(
    ("claim", "options"),
    [
        ("(x**2-2)**2 > 0", dict(x="[0, sqrt(2))")),
        ("(x**2-2)**2 >= 0", dict(x="(-oo, oo)")),
        ("x**4 - 3*x**3 + x >= -100", dict(x="(-oo, oo)")),
        ("sqrt(x + 2*sqrt(x) + 1) <= sqrt(x) + 1", dict(x="[0, oo)")),
        ("abs(x**3-2) >= 1/10**80", dict(x="[0, 2]", assume="abs(x - 2**(1/3)) >= 1/10**30")),
        ("(k**2 - 2)**2 > 0", dict(k="1..")),
        ("x*(1-x) <= 1/4", dict(x="[0, 1]")),
        ("smallest_eigenvalue <= 1/n - orthogonality_gap**2/(4*n)", dict(over="spectra", n=2)),
    ],
    ids=str,
)
def test_a_true_claim_that_touches_is_certified(claim: str, options: Any) -> None:
    found = run(claim, **options)
    assert found.verdict is Verdict.CERTIFIED
    assert found.as_expected


def test_an_algebraic_claim_in_few_numbers_that_stays_open_is_not_supported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "theorems.workbench.whole_domain.decide_on_line", lambda *_, **__: Outcome(None)
    )
    monkeypatch.setattr(everywhere, "solved", lambda *_: Settled())
    found = run("(x**2-2)**2 > 0", x="[0, 2]")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "says nothing of thin sets" in found.evidence[0].summary


@pytest.mark.parametrize(
    ("claim", "options"),
    [
        ("log(k) <= 60", dict(k="1..")),
        ("log(1 + x**2) <= 1000", dict(x="(-oo, oo)")),
        ("exp(-x) >= 1/10**900 - 1/10**901", dict(x="[0, oo)")),
        ("log(x) <= y + 100", dict(x="[1, oo)", y="[0, 1]")),
    ],
    ids=str,
)
def test_far_ends_are_tried(claim: str, options: Any) -> None:
    assert run(claim, **options).verdict is Verdict.REFUTED


@pytest.mark.parametrize("claim", ["(exp(x)-2)**2 > 0", "abs(exp(x)-2) > 0"])
def test_a_strict_claim_whose_sides_meet_or_nearly_is_left_open(claim: str) -> None:
    """At log 2, which no arithmetic here can tell from its neighbours."""
    found = run(claim, x="[0, 1]")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "the sides meet, or nearly, at x ≈ 0.693147" in found.evidence[0].summary


@pytest.mark.parametrize(
    ("claim", "domain"), [("log(1+x) < x", "(0, 1]"), ("exp(x) >= 1 + x", "[-1, 1]")]
)
def test_sides_that_meet_where_they_may_do_no_harm(claim: str, domain: str) -> None:
    assert run(claim, x=domain).verdict is Verdict.SUPPORTED


def test_a_smooth_claim_that_misses_by_very_little_is_refuted() -> None:
    found = run("(exp(x)-2)**2 >= 1/10**80", x="[0, 1]")
    assert found.verdict is Verdict.REFUTED
    assert abs(float(Fraction(witness(found)["x"])) - 0.693147180559945) < 1e-14


@pytest.mark.parametrize(
    ("claim", "options"),
    [
        ("1/(x**2-2)**2 >= 0", dict(x="[0, 2]")),
        ("x/(x**2-2)*(x**2-2) <= 2", dict(x="[0, 2]")),
    ],
    ids=str,
)
def test_a_claim_undefined_at_an_algebraic_number_is_refuted_there(
    claim: str, options: Any
) -> None:
    found = run(claim, **options)
    assert found.verdict is Verdict.REFUTED
    assert "undefined at {x: root 2 of x**2 - 2" in found.evidence[0].summary


def test_long_rationals_under_a_root_are_not_factored() -> None:
    """SymPy fails on some, and never ends on others."""
    long = Fraction(10**60 + 7, 3**130)
    root = root_of(long, 2)
    assert sign(root**2 - number(long)) == 0
    assert root_of(Fraction(49, 4), 2) == R(7, 2)
    found = run("n*smallest_eigenvalue + orthogonality_gap <= 191/150", over="spectra", n="2..7")
    assert found.verdict is Verdict.SUPPORTED


@pytest.mark.parametrize("claim", ["(x**2-2)**2 > 0", "(orthogonality_gap**2 - 1/3)**2 > 0"])
def test_algebraic_witnesses_are_printed_kept_and_replayed(claim: str, tmp_path: Path) -> None:
    options: dict[str, Any] = (
        dict(x="[0, 2]") if "x" in claim.replace("1/3", "") else dict(over="spectra", n=2)
    )
    stated = conjecture(claim, name="c", **options)
    (first,) = verify([stated.statement(corpus=tmp_path, only=True)])
    assert first.verdict is Verdict.REFUTED
    assert "0 <= 0 (by exact decision on the real line)" in first.evidence[0].summary
    assert "root 2 of " in first.evidence[0].summary
    statement = stated.statement(corpus=tmp_path, only=True)
    (kept,) = Corpus(tmp_path).of(statement.name)
    numbers = [
        v
        for value in kept.input.values()
        for v in (value if isinstance(value, tuple) else (value,))
    ]
    assert any(isinstance(v, Root) for v in numbers)
    (again,) = verify([statement])
    assert "by witness of an earlier run" in again.evidence[0].summary


# --- the line -------------------------------------------------------------------------------------


def test_random_claims_on_the_line_agree_with_their_construction() -> None:
    """A product of squares touches 0 where it was built to, a positive amount on it touches
    nowhere.
    """
    generator = random.Random(20)
    for _ in range(60):
        roots = [
            Fraction(generator.randint(-9, 9), generator.randint(1, 5))
            for _ in range(generator.randint(1, 3))
        ]
        power = generator.choice([2, 3])  # at the square or cube root of it
        target = sp.Mul(*[(x**power - R(r.numerator, r.denominator)) ** 2 for r in roots])
        real = [r for r in roots if r >= 0 or power == 3]
        kind = generator.choice(["touch", "strict", "lifted", "sunk"])
        claim = {
            "touch": sp.Ge(target, 0, evaluate=False),
            "strict": sp.Gt(target, 0, evaluate=False),
            "lifted": sp.Gt(target + R(1, 10**40), 0, evaluate=False),
            "sunk": sp.Ge(sp.sqrt(target), R(1, 10**40), evaluate=False),
        }[kind]
        found = decide_on_line(claim, [], x)
        assert found.holds is (kind in ("touch", "lifted") or not real), (claim, found)
        if found.witness is not None:
            assert true(claim, {x: found.witness}) is False


@pytest.mark.parametrize(
    ("claim", "where"),
    [
        (sp.Le(sp.Min(1 / x, 1), 1, evaluate=False), 0),
        (sp.Ge(sp.sqrt(x**2 - R(1, 2)), 0, evaluate=False), 0),
        (sp.Ge(sp.Abs(1 / (2 * x**2 - 1)), 0, evaluate=False), Root((-1, 0, 2), 2)),
    ],
)
def test_a_number_at_which_a_side_is_undefined_is_named(claim: Any, where: Any) -> None:
    found = decide_on_line(claim, [sp.Ge(x, 0, evaluate=False), sp.Le(x, 1, evaluate=False)], x)
    assert (found.holds, found.undefined) == (None, where)


@pytest.mark.parametrize(
    ("claim", "least", "want"),
    [
        (sp.Ge(sp.sqrt(x**2 + 2 * x + 1), x + 1, evaluate=False), -1, True),
        (sp.Le(sp.sqrt(x**2 + 2 * x + 1), x + 1, evaluate=False), -2, False),
        (sp.Gt(sp.cbrt(x**3 + 3 * x**2 + 3 * x + 1), x, evaluate=False), -1, True),
        (sp.Eq(sp.sqrt(8 * x + 8), sp.sqrt(2) * sp.sqrt(4 * x + 4), evaluate=False), -1, True),
        (sp.Gt((sp.sqrt(x**2 + 2 * x + 1) + x + 1) * (7 * x - 22) ** 2, 0), 0, False),
    ],
    ids=str,
)
def test_radicals_that_are_rational_with_another_sign_are_decided(
    claim: Any, least: int, want: bool
) -> None:
    """Of sides that some conjugate of the radicals makes equal everywhere, the norm vanishes."""
    found = decide_on_line(claim, [sp.Ge(x, least, evaluate=False)], x)
    assert found.holds is want
    assert found.witness is None or true(claim, {x: found.witness}) is False


def test_whole_powers_are_no_radicals_however_many() -> None:
    squares = sum((x - k) ** 2 for k in range(9))  # least at 4, where they are 60
    for least, want in ((60, True), (61, False)):
        assert decide_on_line(sp.Ge(squares, least, evaluate=False), [], x).holds is want


def test_a_degree_is_as_high_however_it_is_written() -> None:
    def decided(target: Any) -> bool:
        return decide_on_line(sp.Ge(target, 0, evaluate=False), [], x).holds is not None

    even = range(60, 200, 2)
    ways = (
        lambda k: x**k,
        lambda k: x ** (k // 2) * (x ** (k // 2) + 1),
        lambda k: sp.sqrt(x**k + 1, evaluate=False),
    )
    assert {max(k for k in even if decided(way(k))) for way in ways} == {120}


def test_what_is_not_algebraic_or_too_large_is_left_open() -> None:
    assert decide_on_line(sp.Le(sp.exp(x), 3, evaluate=False), [], x).holds is None
    assert decide_on_line(sp.Le(x**500, 3, evaluate=False), [], x).holds is None
    nothing = decide_on_line(
        sp.Le(x, 3, evaluate=False), [sp.Gt(x, 1, evaluate=False), sp.Lt(x, 0, evaluate=False)], x
    )
    assert (nothing.holds, nothing.nothing) == (None, True)


# --- numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["root 3 of [-2, 0, 1]", "root 1 of [-4, 0, 1]", "root 1 of [2, 0, 1]", "root 1 of [1]"]
)
def test_a_kept_root_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    path = Corpus(tmp_path).keep(Witness("f.c", "x <= 1", {"x": SQRT2}))
    path.write_text(path.read_text().replace("root 2 of [-2, 0, 1]", text))
    with pytest.raises(CorpusError, match="not made of exact rationals"):
        Corpus(tmp_path).of("f.c")
