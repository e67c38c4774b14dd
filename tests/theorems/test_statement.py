"""Statements as data: every door seen accepting and refusing, and how findings combine."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy as sp

from theorems import Assumption, Sentinel, Statement, Variable, Verdict, get, library
from theorems.families.orthogonality import notation
from theorems.families.orthogonality.notation import d, n, s
from theorems.statement import Source, combine

DECAY = get("orthogonality.decay:sharp")
V = Verdict

#: What the letters in ends and sizes of domains stand for here; 3 for any other.
SIZES = {"d": 2, "m": 2, "n": 4, "N": 5, "p": 1}
Edges = tuple[dict[str, int], list[Any], list[Any]]


def edges(variable: Variable) -> Edges:
    """Of a variable: what else must be known, values at both ends of its domain, values beyond."""
    domain = variable.domain
    letters = {*domain.free_symbols, *(s for extent in variable.size for s in extent.free_symbols)}
    known = {str(s): SIZES.get(str(s), 3) for s in letters}
    numbers = {s: known[str(s)] for s in letters}
    whole = isinstance(domain, sp.Range)
    ends = (domain.start, domain.stop - 1) if whole else (domain.start, domain.end)
    is_open = (False, False) if whole else (domain.left_open, domain.right_open)
    inside: list[float] = []
    beyond: list[float] = []
    for end, excluded, out in zip(ends, is_open, (-np.inf, np.inf), strict=True):
        value = float(sp.sympify(end).subs(numbers))
        if np.isinf(value):
            inside.append(2**62 if whole else float(np.sign(value)) * 1e300)
            continue
        outside = value + np.sign(out) if whole else np.nextafter(value, out)
        inside.append(float(np.nextafter(value, -out)) if excluded else value)
        beyond += [value if excluded else outside, value + 3 * np.sign(out)]
    beyond += [inside[0] + 0.5] if whole else []
    shape = tuple(int(sp.sympify(extent).subs(numbers)) for extent in variable.size)
    return known, [nested(x, shape) for x in inside], [spoiled(x, inside[0], shape) for x in beyond]


def nested(value: Any, shape: tuple[int, ...]) -> Any:
    return np.full(shape, value) if shape else value


def spoiled(value: Any, others: Any, shape: tuple[int, ...]) -> Any:
    """``value`` as the last entry among ``others``."""
    table = np.full(shape, others, dtype=float)
    table[(-1,) * len(shape)] = value
    return table if shape else value


VARIABLES = {(s.name, v.name): v for s in library() for v in s.variables}


@pytest.mark.parametrize("key", VARIABLES, ids=" ".join)
def test_every_variable_takes_its_edges_and_nothing_beyond(key: tuple[str, str]) -> None:
    variable = VARIABLES[key]
    known, inside, beyond = edges(variable)
    for value in inside:
        variable.admit({**known, variable.name: value})
    shape = np.shape(inside[0])
    for value in [*beyond, *(nested(x, shape) for x in (np.nan, np.inf))]:
        with pytest.raises(ValueError, match=f"{variable.name}.*must lie in"):
            variable.admit({**known, variable.name: value})
    for value in (nested(x, shape) for x in (True, "2", 1j, None)):
        with pytest.raises(ValueError, match="want real numbers"):
            variable.admit({**known, variable.name: value})


n_, q = sp.Symbol("n", integer=True, positive=True), sp.Symbol("q")


@pytest.mark.parametrize(
    ("domain", "size", "accepted", "refused"),
    [
        (sp.Range(1, sp.oo), (), [1, 2**62], [0, -2, 1.5]),
        (sp.Range(0, n_), (), [0, 3], [-1, -3, 4, 6, 0.5]),
        (sp.Interval(0, 1 / n_), (), [0.0, 0.25], [-5e-324, -3.0, 0.25000000000000006, 3.25]),
        (sp.Interval.open(0, sp.oo), (), [5e-324, 1e300], [0.0, -3.0]),
        (sp.Interval.Lopen(0, 1), (n_,), [[5e-324] * 4, [1.0] * 4], [[5e-324] * 3 + [0.0]]),
        (sp.Reals, (n_, sp.Integer(2)), [[[-1e300] * 2] * 4, [[1e300] * 2] * 4], []),
    ],
)
def test_edges_are_those_of_the_domain(
    domain: sp.Set, size: Any, accepted: list[Any], refused: list[Any]
) -> None:
    """Written down for a few domains, so that the doors are not judged by themselves alone."""
    _, inside, beyond = edges(Variable(q, domain, "", size=size))
    assert np.allclose(inside, accepted, rtol=1e-15, atol=0)
    assert np.allclose(beyond[: len(refused)], refused, rtol=1e-15, atol=0)
    assert len(refused) in (1, len(beyond))


def test_the_largest_alpha_depends_on_the_assumption() -> None:
    on_sigma, on_lambda = (
        get(f"orthogonality.decay:{v}").variables[2] for v in ("as_printed", "corrected")
    )
    on_sigma.admit({"n": 4, "alpha": 0.5})
    with pytest.raises(ValueError, match="alpha"):
        on_lambda.admit({"n": 4, "alpha": 0.5})


def test_a_family_of_another_size_is_refused() -> None:
    statement = get("orthogonality.gaussian_distance:sharp")
    assert statement.bound(n=2, sigma=[0.6, 0.8]) == pytest.approx(
        2 * ((0.36 - 0.5) ** 2 + (0.64 - 0.5) ** 2)
    )
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
    for change in (
        {"rhs": DECAY.rhs + stray},
        {"lhs": stray},
        {"ceiling": stray},
        {"rhs": DECAY.rhs * family[0]},
        {"sentinel": Sentinel("", rhs=stray)},
        {"sentinel": Sentinel("", lhs=stray)},
        {"assumptions": (Assumption(sp.Ge(stray, 0), ""),)},
    ):
        with pytest.raises(ValueError, match="neither variables nor definitions"):
            replace(DECAY, **change)


def test_sentinels_that_change_nothing_are_refused() -> None:
    for sentinel in (
        Sentinel("none"),
        Sentinel("the same side", rhs=DECAY.rhs),
        Sentinel("both the same", lhs=DECAY.lhs, rhs=DECAY.rhs),
    ):
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
    with pytest.raises(
        ValueError, match="other is defined by other"
    ):  # nothing satisfies it, all would follow
        replace(DECAY, definitions={**DECAY.definitions, other: other + 1})


def test_floats_and_relations_are_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.3.* is a float"):
        replace(DECAY, rhs=DECAY.rhs * 0.3)
    with pytest.raises(ValueError, match="relation='~'"):
        replace(DECAY, relation="~")


def test_a_source_names_where_a_claim_is_printed() -> None:
    with pytest.raises(ValueError, match="paper=' ': want where the claim is printed, or 'ours'"):
        Source(" ", "Theorem 1")
    assert str(Source("ours", "")) == "ours"


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


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
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
    ],
)
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
