"""Statements as data: every door seen accepting and refusing, and the table by which findings combine."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy as sp

from theorems import Assumption, Sentinel, Statement, Variable, Verdict, get, library
from theorems.families.orthogonality import notation
from theorems.families.orthogonality.notation import d, n, s
from theorems.statement import combine

DECAY = get("orthogonality.decay:sharp")
V = Verdict

#: For each variable of the library, by name or by family and name: what else must be known, values at both edges,
#: values beyond.
DOORS: dict[str, tuple[Mapping[str, Any], list[Any], list[Any]]] = {
    "splines.N": ({}, [2, 2**62], [0, 1.5]),
    "splines.b": ({"N": 5}, [1, 5], [0, 2.5]),
    "splines.m": ({}, [1, 9], [0, 1.5]),
    "splines.r": ({"N": 3, "m": 3}, [0, 2], [-1, 3, 0.5]),
    "splines.w": ({"d": 2}, [[1e300, -4.0]], []),
    "splines.W": ({"m": 1, "d": 2}, [[[1e300, -4.0]]], []),
    "splines.x": ({"N": 2}, [[1e300, -4.0]], []),
    "splines.y": ({"d": 2}, [[1e300, -4.0]], []),
    "splines.z": ({"N": 1, "d": 2}, [[[1e300, -4.0]]], []),
    "splines.mu": ({}, [-1e300, 1e300], []),
    "splines.c": ({}, [1e-300, 1e300], [0.0, -1.0]),
    "splines.t": ({}, [1e-300, 1e300], [0.0, -1.0]),
    "splines.rho": ({}, [0.0, 1e300], [-1e-300]),
    "d": ({}, [1, 2**62, 7.0], [0, -3, 1.5]),
    "n": ({}, [1, 10], [0, 2.5]),
    "ell": ({}, [0, 9], [-1, 0.5]),
    "L": ({}, [1, 9], [0, 0.5]),
    "alpha": ({"n": 4}, [0.25, 1e-300], [0.0, -0.1, 0.51]),
    "s": ({"n": 4}, [0.0, 0.25], [-1e-300, 0.2500001]),
    "theta": ({}, [1e-300, 1e300], [0.0, -1.0]),
    "delta": ({"n": 4}, [0.0, 0.25], [-0.1, 0.26]),
    "lambda": ({"n": 2}, [[0.0, 1.0]], [[0.5, 1.1], [-0.1, 0.5]]),
    "sigma": ({"n": 2}, [[0.0, 1.0]], [[0.5, 1.1], [-0.1, 0.5]]),
    "A": ({"n": 2, "d": 1}, [[[1e300, -4.0]]], []),
    "rank.lambda": ({"d": 2}, [[0.0, 1e300]], [[0.5, -0.1]]),
    "tau": ({}, [0.0, 1.0], [-1e-300, 1.1]),
    "h": ({"n": 2, "d": 1}, [[[1e300, -4.0]]], []),
}
#: … and for the cluster family, whose letters mean several things, by domain and size.
_SIZES = {"m": 2, "n": 5, "p": 1, "d": 2}
DOMAINS: dict[tuple[str, str], tuple[Mapping[str, Any], list[Any], list[Any]]] = {
    ("Reals", "()"): ({}, [-1e300, 1e300], []),
    ("Reals", "(d,)"): (_SIZES, [[1e300, -4.0]], []),
    ("Reals", "(p, d)"): (_SIZES, [[[1e300, -4.0]]], []),
    ("Interval(0, 1)", "(p,)"): (_SIZES, [[0.0], [1.0]], [[-1e-300], [1.1]]),
    ("Interval.open(0, oo)", "()"): ({}, [1e-300, 1e300], [0.0, -1.0]),
    ("Interval.open(-oo, 0)", "()"): ({}, [-1e-300, -1e300], [0.0, 1.0]),
    ("Range(0, m, 1)", "()"): (_SIZES, [0, 1], [-1, 2, 0.5]),
    ("Range(0, n, 1)", "()"): (_SIZES, [0, 4], [-1, 5, 0.5]),
    ("Range(0, p, 1)", "()"): (_SIZES, [0], [-1, 1, 0.5]),
    ("Range(m, n, 1)", "()"): (_SIZES, [2, 4], [1, 5, 2.5]),
    ("Range(1, n, 1)", "()"): (_SIZES, [1, 4], [0, 5, 1.5]),
    ("Range(1, oo, 1)", "()"): ({}, [1, 2**62], [0, -3, 1.5]),
    ("Range(2, oo, 1)", "()"): ({}, [2, 2**62], [1, 2.5]),
    ("Range(3, oo, 1)", "()"): ({}, [3, 2**62], [2, 3.5]),
    ("Range(4, oo, 1)", "()"): ({}, [4, 2**62], [3, 4.5]),
    ("Range(7, oo, 1)", "()"): ({}, [7, 2**62], [6, 7.5]),
    ("Range(1024, oo, 1)", "()"): ({}, [1024, 2**62], [1023, 1024.5]),
    ("Range(2, n, 1)", "()"): (_SIZES, [2, 4], [1, 5, 2.5]),
    ("Interval.open(0, 1)", "()"): ({}, [1e-300, 0.999], [0.0, 1.0]),
    ("Interval.Ropen(0, 2)", "()"): ({}, [0.0, 1.999], [-1e-300, 2.0]),
    ("Range(16, oo, 1)", "()"): ({}, [16, 10**9], [15, 16.5, -16]),
    ("Range(32, 65, 1)", "()"): ({}, [32, 64], [31, 65, 32.5]),
}
#: The sampled chains of the rank family have doors of their own: enough neurons, a branch of some weight.
SAMPLED = ("Range(2, oo, 1)", "Range(16, oo, 1)", "Range(32, 65, 1)", "Interval.open(0, oo)")
VARIABLES = {(s.name, v.name): v for s in library() for v in s.variables}


def nested(value: Any, shape: tuple[int, ...]) -> Any:
    return np.full(shape, value) if shape else value


@pytest.mark.parametrize("key", VARIABLES, ids=" ".join)
def test_every_variable_takes_its_edges_and_nothing_beyond(key: tuple[str, str]) -> None:
    variable = VARIABLES[key]
    family = key[0].partition(".")[0]
    if family == "cluster" or (family == "rank" and str(variable.domain) in SAMPLED):
        known, inside, beyond = DOMAINS[str(variable.domain), str(variable.size)]
    else:
        known, inside, beyond = DOORS.get(f"{family}.{variable.name}") or DOORS[variable.name]
    floor = 2 if "convexity" in key[0] and variable.name == "n" else 1
    for value in inside:
        if variable.name == "n" and value < floor:
            with pytest.raises(ValueError, match="must lie in"):
                variable.admit({**known, "n": value})
        else:
            variable.admit({**known, variable.name: value})
    shape = np.shape(inside[0])
    for value in [*beyond, *(nested(x, shape) for x in (np.nan, np.inf))]:
        with pytest.raises(ValueError, match=f"{variable.name}.*must lie in"):
            variable.admit({**known, variable.name: value})
    for value in (nested(x, shape) for x in (True, "2", 1j, None)):
        with pytest.raises(ValueError, match="want real numbers"):
            variable.admit({**known, variable.name: value})


def test_the_largest_alpha_depends_on_the_assumption() -> None:
    on_sigma, on_lambda = (get(f"orthogonality.decay:{v}").variables[2] for v in ("as_printed", "corrected"))
    on_sigma.admit({"n": 4, "alpha": 0.5})
    with pytest.raises(ValueError, match="alpha"):
        on_lambda.admit({"n": 4, "alpha": 0.5})


def test_a_family_of_another_size_is_refused() -> None:
    statement = get("orthogonality.gaussian_distance:sharp")
    assert statement.bound(n=2, sigma=[0.6, 0.8]) == pytest.approx(2 * ((0.36 - 0.5) ** 2 + (0.64 - 0.5) ** 2))
    with pytest.raises(ValueError, match="shape"):
        statement.bound(n=2, sigma=[0.6, 0.8, 0.0])


def test_bounds_are_vectorised_and_refuse_the_worst_entry() -> None:
    widths = np.array([1e4, 1e6, 1e8])
    values = DECAY.bound(n=4, d=widths, ell=10, alpha=0.2, Vhat_1=0.01)
    alone = [DECAY.bound(n=4, d=w, ell=10, alpha=0.2, Vhat_1=0.01) for w in widths]
    assert values.tolist() == alone
    assert (np.diff(values) < 0).all()
    with pytest.raises(ValueError, match=r"d=.*-5"):
        DECAY.bound(n=4, d=np.array([10, -5]), ell=10, alpha=0.2, Vhat_1=0.01)


def test_missing_and_unknown_symbols() -> None:
    with pytest.raises(TypeError, match="value needed for Vhat_1, ell"):
        DECAY.bound(n=4, d=100, alpha=0.2)
    with pytest.raises(TypeError, match=r"no symbol epsilon; it has .*alpha"):
        DECAY.bound(n=4, d=100, ell=1, alpha=0.2, Vhat_1=0.1, epsilon=1)


def test_vacuous_exactly_where_the_bound_reaches_the_ceiling() -> None:
    known = {"n": 4, "ell": 400, "alpha": 0.2, "Vhat_1": 0.01}
    assert DECAY.top(**known) == pytest.approx(np.sqrt(0.75))
    widths = np.array([10.0, 1e3, 1e5, 1e7])
    trivial = DECAY.trivial(d=widths, **known)
    assert trivial.tolist() == (DECAY.bound(d=widths, **known) >= np.sqrt(0.75)).tolist()
    assert trivial[0]
    assert not trivial[-1]
    assert get("orthogonality.gap_vs_smallest_eigenvalue:sharp").top(n=4) == np.inf


def test_stray_symbols_are_refused_wherever_they_hide() -> None:
    stray = sp.Symbol("stray")
    family = sp.IndexedBase("loose")
    for change in ({"rhs": DECAY.rhs + stray}, {"lhs": stray}, {"ceiling": stray}, {"rhs": DECAY.rhs * family[0]},
                   {"sentinel": Sentinel("", rhs=stray)}, {"sentinel": Sentinel("", lhs=stray)},
                   {"assumptions": (Assumption(sp.Ge(stray, 0), ""),)}):
        with pytest.raises(ValueError, match="neither variables nor definitions"):
            replace(DECAY, **change)


def test_sentinels_that_change_nothing_are_refused() -> None:
    for sentinel in (Sentinel("none"), Sentinel("the same side", rhs=DECAY.rhs),
                     Sentinel("both the same", lhs=DECAY.lhs, rhs=DECAY.rhs)):
        with pytest.raises(ValueError, match="sentinel changes nothing"):
            replace(DECAY, sentinel=sentinel)


def test_a_name_stands_for_one_thing() -> None:
    alpha, other = sp.Symbol("alpha", positive=True), sp.Symbol("other")
    twin = sp.Symbol("alpha", integer=True)
    with pytest.raises(ValueError, match="two symbols are named alpha"):
        replace(DECAY, rhs=alpha + sp.Sum(twin, (twin, 0, 3)))
    with pytest.raises(ValueError, match="alpha is declared twice"):
        replace(DECAY, definitions={**DECAY.definitions, alpha: "again"})
    with pytest.raises(ValueError, match="declared twice"):
        replace(DECAY, variables=(*DECAY.variables, DECAY.variables[-1]))
    with pytest.raises(ValueError, match="other is defined by other"):  # nothing satisfies it, all would follow
        replace(DECAY, definitions={**DECAY.definitions, other: other + 1})


def test_floats_and_relations_are_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.3.* is a float"):
        replace(DECAY, rhs=DECAY.rhs * 0.3)
    with pytest.raises(ValueError, match="relation='~'"):
        replace(DECAY, relation="~")


def test_the_neighbour_is_the_claim_with_the_sentinel_in_place() -> None:
    for statement in library():
        neighbour = statement.neighbour
        assert (neighbour.lhs, neighbour.rhs) != (statement.lhs, statement.rhs)
        assert (neighbour.neighbour.lhs, neighbour.neighbour.rhs) == (statement.lhs, statement.rhs)
        assert neighbour.assumptions == statement.assumptions
        assert neighbour.name == statement.name


def test_the_claim_prints_both_sides_as_given() -> None:
    assert DECAY.claim.args == (DECAY.lhs, DECAY.rhs)
    assert get("orthogonality.iterative_initialisation:conclusion").claim.rel_op == "<"


@pytest.mark.parametrize(("found", "verdict"), [
    ([], V.INCONCLUSIVE),
    ([V.CERTIFIED], V.CERTIFIED),
    ([V.CERTIFIED, V.SUPPORTED], V.SUPPORTED),
    ([V.PROVED, V.INCONCLUSIVE, V.VACUOUS], V.PROVED),
    ([V.PROVED, V.REFUTED], V.REFUTED),
    ([V.SUPPORTED, V.INCONCLUSIVE], V.INCONCLUSIVE),
    ([V.SUPPORTED, V.VACUOUS, V.OUTSIDE], V.SUPPORTED),
    ([V.VACUOUS, V.OUTSIDE], V.OUTSIDE),
    ([V.VACUOUS, V.INCONCLUSIVE], V.INCONCLUSIVE),
    ([V.REFUTED, V.SUPPORTED, V.VACUOUS], V.REFUTED),
])
def test_findings_combine(found: list[Verdict], verdict: Verdict) -> None:
    assert combine(found) is verdict
    assert combine(found[::-1]) is verdict


def test_only_three_verdicts_speak_for_a_claim() -> None:
    assert {v for v in Verdict if v.holds} == {V.PROVED, V.CERTIFIED, V.SUPPORTED}


def test_a_domain_may_depend_on_variables_declared_before() -> None:
    moving = Variable(sp.Symbol("q"), sp.Interval.open(1 / n, d), "moves")
    moving.admit({"n": np.array([2, 4]), "d": 3, "q": np.array([0.6, 2.9])})
    for value in (0.5, 3.0):
        with pytest.raises(ValueError, match="moves"):
            moving.admit({"n": 2, "d": 3, "q": value})


def _minimal(**change: Any) -> Statement:
    return replace(get("orthogonality.contraction:sharp"), **change)


def test_names() -> None:
    assert _minimal().name == "orthogonality.contraction:sharp"
    assert _minimal(variant="").name == "orthogonality.contraction"
    assert str(_minimal().source).startswith("DJB21")
    assert notation.SMALLEST.symbol == s
