"""Small sizes by z3: proofs, exact counterexamples, and what it must leave open or refuse."""

import dataclasses
from fractions import Fraction

import pytest
import sympy as sp

from theorems.certificates import kinds, small_sizes
from theorems.certificates.document import CertificateError, UncheckableError, UndecidedError
from theorems.certificates.instances import at_input
from theorems.checking import smt
from theorems.checking.declared import exact_values
from theorems.checking.pointwise import refutes
from theorems.checking.smt import MissingSolverError, UntranslatableError, ask, translate
from theorems.registry import get
from theorems.statement import (
    Assumption,
    Quantifier,
    Sentinel,
    Source,
    Statement,
    Variable,
    Verdict,
)

x = sp.Symbol("x", real=True)
y = sp.Symbol("y", real=True)
NAMES = (
    "orthogonality.gap_vs_smallest_eigenvalue:sharp",
    "orthogonality.iterative_initialisation:corrected",
    "orthogonality.unit_frobenius",
    "orthogonality.convexity:conclusion",
)


def sizes_of(statement, n):
    return {
        v.name: n if v.name == "n" else 2
        for v in statement.variables
        if isinstance(v.domain, sp.Range)
    }


UNIT = sp.Interval(-1, 1)


def made(lhs, relation, rhs, *assumptions, domain=UNIT):
    return Statement(
        family="f",
        theorem="t",
        title="t",
        quantifier=Quantifier.POINTWISE,
        source=Source("ours", ""),
        variables=(Variable(x, domain, "x"), Variable(y, domain, "y")),
        lhs=lhs,
        relation=relation,
        rhs=rhs,
        sentinel=Sentinel("off", rhs=rhs - 1),
        expected=Verdict.CERTIFIED,
        checks=(),
        assumptions=tuple(Assumption(a, str(a)) for a in assumptions),
    )


@pytest.mark.parametrize("name", NAMES)
def test_true_statements_are_proved_at_size_three(name):
    pytest.importorskip("z3")
    statement = get(name)
    answer = ask(statement, sizes_of(statement, 3))
    assert answer.holds is True
    assert answer.witness is None


@pytest.mark.parametrize("name", [*NAMES[:3], "orthogonality.gaussian_distance:as_printed"])
def test_false_neighbours_fall_at_size_two_by_an_exact_input(name):
    pytest.importorskip("z3")
    neighbour = get(name).neighbour
    answer = ask(neighbour, sizes_of(neighbour, 2))
    assert answer.holds is False
    assert refutes(neighbour, answer.witness)
    assert not refutes(get(name), answer.witness)


def test_the_printed_step_falls_on_the_unit_sphere():
    pytest.importorskip("z3")
    statement = get("orthogonality.iterative_initialisation:as_printed")
    answer = ask(statement, {"n": 3})
    assert answer.holds is False
    assert sum(v * v for v in answer.witness["sigma"]) == 1
    assert all(isinstance(v, Fraction) for v in answer.witness["sigma"])


@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        (made(sp.Max(x, y), ">=", (x + y) / 2), True),
        (made(sp.Max(x, y), ">", (x + y) / 2), False),
        (made(sp.Min(x, y), "<=", (x + y) / 2), True),
        (made(sp.Abs(x + y), "<=", sp.Abs(x) + sp.Abs(y)), True),
        (made(sp.Abs(x - y), "<=", sp.Abs(x) - sp.Abs(y)), False),
        (made(sp.Piecewise((x, x > 0), (-x, True)), "==", sp.Abs(x)), True),
        (made(sp.sqrt(x**2), "==", x), False),
        (made(sp.sqrt(1 + x) * sp.sqrt(1 - x), "<=", sp.Integer(1)), True),
        (made(sp.cbrt(1 + x), "<=", 1 + x / 3), True),
        (made(x**2 + y**2, ">=", 2 * x * y), True),
        (made(1 / (2 + x), ">=", sp.Rational(1, 3)), True),
        (made(1 / sp.sqrt(2 + x), "<=", 1 / (2 + x)), False),
        (made(x, "<", sp.Integer(1)), False),
        (made(x, "<", sp.Integer(1), domain=sp.Interval.open(-1, 1)), True),
        (made(x * y, "<=", sp.Rational(1, 2), sp.Eq(x**2 + y**2, 1)), True),
        (made(x * y, "<=", sp.Rational(49, 100), sp.Eq(x**2 + y**2, 1)), False),
        (made(x - y, "<=", sp.Integer(0), sp.Eq(x, y)), True),
        # a root in a root is another root
        (made(sp.sqrt(1 + sp.sqrt(x)), ">=", sp.Rational(3, 2), domain=sp.Interval(0, 10)), False),
        # what is defined only in one case is asked of that case alone
        (made(sp.Piecewise((1 / x, x > 0), (0, True)), ">=", sp.Integer(1)), False),
        (made(sp.Piecewise((1 / x, x > 0), (1, True)), ">=", sp.Integer(1)), True),
        (made(sp.Piecewise((sp.sqrt(x), x > 0), (sp.sqrt(-x), True)), "<=", sp.Integer(1)), True),
        (made(sp.Piecewise((x, (x > 0) & (x < y)), (y, True)), "<=", y), True),
    ],
)
def test_every_construction_is_translated(statement, verdict):
    pytest.importorskip("z3")
    answer = ask(statement, {})
    assert answer.holds is verdict
    assert (answer.witness is not None) == (verdict is False)


def test_an_entry_of_a_family_is_no_scalar_of_a_similar_name():
    pytest.importorskip("z3")
    entry, family, k = (
        sp.Symbol("a_0", real=True),
        sp.IndexedBase("a", real=True),
        sp.Symbol("k", integer=True),
    )
    statement = dataclasses.replace(
        made(x, "<=", y),
        lhs=entry,
        rhs=sp.Sum(family[k], (k, 0, 1)) + 1,
        sentinel=Sentinel("off", rhs=entry - 1),
        variables=(
            Variable(entry, UNIT, "a_0"),
            Variable(family, UNIT, "a", size=(sp.Integer(2),)),
        ),
    )
    assert ask(statement, {}).holds is False  # a_0 = 1, a = (-1, -1): and true if a[0] were a_0


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        (made(x, "==", sp.Integer(0), sp.Eq(x**2, sp.Rational(1, 2))), {"x": (2, 0, -1)}),
        (
            made(
                (x**2 - sp.Rational(1, 2)) ** 2 + (y**3 - sp.Rational(1, 3)) ** 2,
                ">",
                sp.Integer(0),
            ),
            {"x": (2, 0, -1), "y": (3, 0, 0, -1)},
        ),
    ],
)
def test_a_solution_without_a_rational_input_near_it_is_exact(statement, where):
    pytest.importorskip("z3")
    answer = ask(statement, {})
    assert (answer.holds, answer.words) == (False, "false at an algebraic input")
    for name, coefficients in where.items():
        assert answer.witness[name].coefficients == coefficients[::-1]
    with pytest.raises(UndecidedError, match="rational ones only"):
        small_sizes.certify(statement, {})


def test_a_claim_about_nothing_is_not_proved():
    pytest.importorskip("z3")
    answer = ask(made(x, ">=", sp.Integer(5), sp.Gt(x**2, 2)), {})
    assert answer.holds is None
    assert "meets the assumptions" in answer.words


def test_a_solver_that_gives_up_leaves_the_claim_open():
    pytest.importorskip("z3")
    answer = ask(get("orthogonality.gaussian_distance:sharp"), {"n": 4}, work=300_000)
    assert answer.holds is None
    assert "gave up" in answer.words


def test_what_is_not_polynomial_is_refused():
    for name in ("orthogonality.contraction:sharp", "orthogonality.decay:sharp"):
        with pytest.raises(UntranslatableError, match="not a claim about its variables alone"):
            translate(get(name), {"n": 2})
    pytest.importorskip("z3")
    with pytest.raises(UntranslatableError, match="no polynomial"):
        ask(made(sp.exp(x), ">=", 1 + x), {})


@pytest.mark.parametrize("sizes", [{}, {"n": 0}, {"n": 2, "m": 3}])
def test_sizes_are_checked(sizes):
    with pytest.raises(ValueError, match="n"):
        translate(get("orthogonality.gap_vs_smallest_eigenvalue:sharp"), sizes)


def test_an_input_outside_domain_or_assumption_refutes_nothing():
    statement = get("orthogonality.iterative_initialisation:as_printed")
    assert refutes(statement, {"n": 2, "sigma": [Fraction(4, 5), Fraction(3, 5)]})
    for sigma in (
        [Fraction(4, 5), Fraction(4, 5)],
        [Fraction(4, 5), Fraction(-3, 5)],
        [Fraction(1), Fraction(0)],
    ):
        assert not refutes(statement, {"n": 2, "sigma": sigma})
    gap = get("orthogonality.gap_vs_smallest_eigenvalue:sharp")
    assert exact_values(gap, {"n": 2, "lambda": [Fraction(3, 4), Fraction(1, 4)]})["s"] == Fraction(
        1, 4
    )


# --- the certificate ------------------------------------------------------------------------------


def test_a_proof_at_a_size_is_checked_again_by_asking_again():
    pytest.importorskip("z3")
    certificate = small_sizes.certify(get(NAMES[1]), {"n": 2})
    assert "z3" in kinds.recheck(certificate)
    forged = dataclasses.replace(
        certificate, statement="orthogonality.iterative_initialisation:as_printed"
    )
    forged = dataclasses.replace(
        forged, claim=small_sizes.claim_at(get(forged.statement), {"n": 2})
    )
    with pytest.raises(CertificateError, match="false, z3"):
        kinds.recheck(forged)
    for fields, words in (
        ({"claim": ""}, "claim"),
        ({"conclusion": "true"}, "conclusion"),
        ({"inputs": {"sizes": {"n": 20}}}, "claim"),
        ({"inputs": {"sizes": {"n": 21}}}, r"inputs\.sizes\.n: .* from 0 to 20"),
        ({"inputs": {"sizes": []}}, r"inputs\.sizes"),
        ({"inputs": {"sizes": {"m": 2}}}, "claim"),
        ({"precision": 64}, "precision"),
    ):
        with pytest.raises(CertificateError, match=f"^{words}"):
            kinds.recheck(dataclasses.replace(certificate, **fields))


def test_a_false_claim_becomes_an_exact_witness():
    pytest.importorskip("z3")
    certificate = small_sizes.certify(
        get("orthogonality.iterative_initialisation:as_printed"), {"n": 2}
    )
    assert (certificate.kind, certificate.conclusion) == ("instance", "refuted")
    assert kinds.recheck(certificate)


def test_without_z3_a_proof_cannot_be_checked_and_the_remedy_is_named(monkeypatch):
    pytest.importorskip("z3")
    certificate = small_sizes.certify(get(NAMES[1]), {"n": 2})
    monkeypatch.setitem(__import__("sys").modules, "z3", None)
    with pytest.raises(MissingSolverError, match=r"pip install 'batchnorm-theorems\[smt\]'"):
        smt.solver()
    with pytest.raises(UncheckableError, match="pip install"):
        kinds.recheck(certificate)


def test_only_sizes_in_the_domains_are_offered():
    statement = get("cluster.one_dimensional_reduction:outlier_norm")  # about n >= 3
    assert [offer.stem for offer in small_sizes.KINDS[0].offers(statement)] == [
        "cluster.one_dimensional_reduction.outlier_norm.size3"
    ]


# --- definitions that build on definitions, and indices -------------------------------------------


MOMENTS = {"N": 3, "b": 2, "x": [Fraction(1), Fraction(2), Fraction(4)]}
ARRANGED = {
    "N": 2,
    "d": 1,
    "z": [[Fraction(1)], [Fraction(4)]],
    "m": 2,
    "W": [[Fraction(2)], [Fraction(3)]],
    "r": 1,
}


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("splines.minibatch_jitter:mean_variance", MOMENTS),
        ("splines.central_arrangement:common", ARRANGED),
    ],
)
def test_a_claim_is_decided_where_definitions_build_on_others_and_an_index_is_given(name, at):
    statement = get(name)
    made = at_input(statement, at)
    assert made.conclusion == "holds there"
    assert kinds.recheck(made)
    assert not refutes(statement, at)
    assert refutes(statement.neighbour, at)


def test_an_index_beyond_its_family_is_refused():
    with pytest.raises(CertificateError, match=r"r = 2 is not in Range\(0, 2, 1\)"):
        at_input(get("splines.central_arrangement:common"), {**ARRANGED, "r": 2})
    with pytest.raises(CertificateError, match="b = 4 is not in"):
        at_input(get("splines.minibatch_jitter:mean_variance"), {**MOMENTS, "b": 4})


def test_a_family_too_large_to_be_filled_in_is_refused():
    with pytest.raises(CertificateError, match="more than 1000 entries"):
        at_input(
            get("cluster.symmetric_fixed_point:one_step"),
            {"n": 32, "a": 2, "b": 1, "t": 1, "i": 0, "j": 0},
        )


def test_an_average_over_too_many_draws_is_refused():
    with pytest.raises(CertificateError, match="more than 100000 draws"):
        at_input(
            get("splines.minibatch_jitter:mean"),
            {"N": 40, "b": 20, "x": [Fraction(k) for k in range(40)]},
        )


def test_a_proof_for_the_first_index_is_checked_again():
    pytest.importorskip("z3")
    (offer, _) = small_sizes.KINDS[0].offers(get("splines.central_arrangement:common"))
    made = offer.make(lambda words: None)
    assert made.inputs == {"sizes": {"N": 2, "d": 2, "m": 2, "r": 0}}
    assert "z3" in kinds.recheck(made)
    beyond = {"sizes": {"N": 2, "d": 2, "m": 2, "r": 2}}
    with pytest.raises(CertificateError, match=r"inputs\.sizes: r=.*number of the unit"):
        kinds.recheck(
            dataclasses.replace(
                made,
                inputs=beyond,
                claim=small_sizes.claim_at(
                    get("splines.central_arrangement:common"), beyond["sizes"]
                ),
            )
        )


@pytest.mark.parametrize("variant", ["mean_variance", "variance"])
def test_moments_are_decided_at_a_size_and_their_neighbours_fall(variant):
    pytest.importorskip("z3")
    statement = get(f"splines.minibatch_jitter:{variant}")
    assert ask(statement, {"N": 3, "b": 2}).holds
    answer = ask(statement.neighbour, {"N": 3, "b": 2})
    assert answer.holds is False
    assert refutes(statement.neighbour, answer.witness)


def test_two_blocks_stay_equal_at_a_size():
    pytest.importorskip("z3")
    statement, sizes = (
        get("cluster.two_block_invariance:within_first"),
        {"n": 3, "m": 2, "d": 1, "p": 1, "r": 0, "i": 0, "j": 1},
    )
    assert ask(statement, sizes).holds
    assert ask(statement.neighbour, sizes).holds is False


def test_what_is_no_polynomial_is_refused_before_a_solver_is_asked():
    with pytest.raises(UntranslatableError, match="no polynomial"):
        translate(get("cluster.symmetric_fixed_point:stability"), {"n": 3})


def test_what_would_take_for_ever_to_open_is_refused():
    with pytest.raises(ValueError, match="their product is above 1000"):
        translate(get("splines.residual_variance:identity"), {"N": 40, "d": 40})
    with pytest.raises(UntranslatableError, match="more than 1000 draws"):
        translate(get("splines.minibatch_jitter:replacement_mean"), {"N": 20, "b": 20})


def test_the_claim_leaves_out_where_a_root_or_a_quotient_is_undefined():
    words = small_sizes.claim_at(get("orthogonality.unit_frobenius"), {"n": 2, "d": 2})
    assert words.endswith("at which every root and quotient is defined")


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("splines.scale_free:length", {"N": 3, "d": 2, "r": 0}),
        (
            "cluster.two_block_invariance:within_first",
            {"n": 3, "m": 2, "d": 2, "p": 2, "r": 0, "i": 0, "j": 1},
        ),
        (
            "cluster.two_block_invariance:orthogonal",
            {"n": 3, "m": 2, "d": 2, "p": 2, "i": 0, "j": 2},
        ),
    ],
)
def test_sizes_and_indices_that_are_offered(name, sizes):
    assert small_sizes.sizes_at(get(name), 3) == sizes


def test_nothing_is_offered_without_a_batch_size():
    statement = get("rank.soft_rank_lower_bound:sharp")
    assert small_sizes.sizes_at(statement, 2) is None
    assert list(small_sizes.KINDS[0].offers(statement)) == []
