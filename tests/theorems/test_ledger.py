"""The record of verdicts: what turns a run red, what is accepted, and files that are no ledger."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import theorems.registry as LIBRARY
from theorems.cli import main
from theorems.ledger import (
    DEFAULT,
    Ledger,
    LedgerError,
    compare,
    default_path,
    digest,
    entry_of,
    parts,
    read,
    reworded,
)
from theorems.registry import get
from theorems.statement import Evidence, Quantifier, Statement, Verdict
from theorems.verification import Result, overall

V = Verdict
VERSIONS = {"numpy": "2.4.6"}
RUN: dict[str, Any] = dict(seed=0, level=1e-6, versions=VERSIONS)
STEPS = "orthogonality.iterative_initialisation:as_printed"


def found(*verdicts: Verdict, statement: Statement | None = None, **more: Any) -> Result:
    evidence = tuple(
        Evidence(method=f"method {k}", verdict=v, summary="", sentinel=V.REFUTED, **more)
        for k, v in enumerate(verdicts)
    )
    return Result(statement or get("orthogonality.contraction:sharp"), overall(evidence), evidence)


def changes(before: Result, now: Result, **run: Any) -> list[tuple[str, bool]]:
    record = Ledger({before.statement.name: entry_of(before, **RUN)})
    return [(c.what, c.worse) for c in compare(record, [now], **(RUN | run))]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ([V.PROVED], [V.PROVED], []),
        ([V.PROVED], [V.CERTIFIED], [("verdict", True)]),
        ([V.CERTIFIED], [V.SUPPORTED], [("verdict", True)]),
        ([V.SUPPORTED], [V.INCONCLUSIVE], [("verdict", True)]),
        ([V.SUPPORTED], [V.VACUOUS], [("verdict", True)]),
        ([V.SUPPORTED], [V.CERTIFIED], [("verdict", False)]),
        ([V.INCONCLUSIVE], [V.SUPPORTED], [("verdict", False)]),
        ([V.SUPPORTED], [V.REFUTED], [("verdict", True)]),
        ([V.INCONCLUSIVE], [V.REFUTED], [("verdict", True)]),
        ([V.REFUTED], [V.SUPPORTED], [("verdict", True)]),
        ([V.REFUTED], [V.REFUTED], []),
        ([V.PROVED, V.CERTIFIED], [V.PROVED], [("evidence", True)]),
        ([V.PROVED, V.CERTIFIED], [V.PROVED, V.SUPPORTED], [("evidence", True)]),
        ([V.PROVED, V.SUPPORTED], [V.PROVED, V.CERTIFIED], []),
        ([V.PROVED], [V.PROVED, V.CERTIFIED], []),
    ],
)
def test_what_is_worse(
    before: list[Verdict], now: list[Verdict], expected: list[tuple[str, bool]]
) -> None:
    assert changes(found(*before), found(*now)) == expected


def test_a_changed_statement_is_noticed_whatever_changed() -> None:
    statement = get("orthogonality.gap_vs_smallest_eigenvalue:sharp")
    size, *others = statement.variables
    same = replace(statement, title="other words", remark="other words")
    assert digest(same) == digest(statement)
    changed = [
        replace(statement, rhs=statement.rhs * (1 + sp.Rational(1, 10**9))),
        replace(statement, relation="<"),
        replace(statement, assumptions=()),
        replace(statement, definitions={**statement.definitions, sp.Symbol("u"): "x"}),
        replace(statement, variables=(replace(size, domain=sp.Range(3, sp.oo)), *others)),
        replace(statement, sentinel=replace(statement.sentinel, rhs=statement.rhs / 2)),
        replace(statement, expected=V.SUPPORTED),
    ]
    digests = {digest(s) for s in changed}
    assert len(digests) == len(changed)
    assert digest(statement) not in digests
    assert changes(found(V.PROVED, statement=statement), found(V.PROVED, statement=changed[0])) == [
        ("text", True)
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: {"rhs": s.rhs + 1}, [("right side: ", "right side: ")]),
        (
            lambda s: {"lhs": 2 * s.lhs},
            [
                ("left side: ", "left side: 2*"),
                ("left side of the false neighbour: ", "left side of the false neighbour: 2*"),
            ],
        ),
        (lambda s: {"relation": "<"}, [("relation: <=", "relation: <")]),
        (
            lambda s: {"assumptions": ()},
            [
                (
                    "assumption Eq(Sum(lambda[i], (i, 0, n - 1)), 1): along the input",
                    "assumption Eq(Sum(lambda[i], (i, 0, n - 1)), 1): nothing",
                )
            ],
        ),
        (
            lambda s: {
                "variables": (replace(s.variables[0], domain=sp.Range(3, sp.oo)), *s.variables[1:])
            },
            [("symbol n: in Range(1, oo, 1)", "symbol n: in Range(3, oo, 1)")],
        ),
        (
            lambda s: {"definitions": {**s.definitions, sp.Symbol("u"): "what comes"}},
            [("definition of u: nothing", "definition of u: any: what comes")],
        ),
        (
            lambda s: {"sentinel": replace(s.sentinel, rhs=s.rhs / 2)},
            [("right side of the false neighbour: ", "right side of the false neighbour: ")],
        ),
        (lambda s: {"expected": V.SUPPORTED}, [("expected: ", "expected: supported")]),
        (
            lambda s: {"quantifier": Quantifier.LIMIT},
            [("quantifier: pointwise", "quantifier: limit")],
        ),
        (lambda s: {"ceiling": sp.Integer(1)}, [("ceiling: ", "ceiling: 1")]),
        (lambda s: {"variables": s.variables[::-1]}, [("", "")]),
    ],
)
def test_a_red_ledger_says_which_part_changed(change: Any, told: list[tuple[str, str]]) -> None:
    statement = get("orthogonality.gap_vs_smallest_eigenvalue:sharp")
    before = entry_of(found(V.PROVED, statement=statement), **RUN)
    said = reworded(before, replace(statement, **change(statement)))
    assert len(said) == len(told)
    for one, (recorded, now) in zip(said, told, strict=True):
        assert one.recorded.startswith(recorded)
        assert one.found.startswith(now)
        assert (one.what, one.worse) == ("text", True)
        assert one.recorded != one.found
    assert reworded(before, statement) == []


def test_a_part_that_reads_the_same_is_told_apart() -> None:
    statement = get("orthogonality.gap_vs_smallest_eigenvalue:sharp")
    there, here = (
        sp.Sum(k, (k, 0, 3))
        for k in (sp.Symbol("q", integer=True), sp.Symbol("q", nonnegative=True))
    )
    assert sp.sstr(there) == sp.sstr(here)
    before = entry_of(found(V.PROVED, statement=replace(statement, ceiling=there)), **RUN)
    (said,) = reworded(before, replace(statement, ceiling=here))
    assert "the same words, another exact form" in said.found


def test_a_ledger_without_parts_still_notices() -> None:
    statement = get("orthogonality.gap_vs_smallest_eigenvalue:sharp")
    old = replace(entry_of(found(V.PROVED, statement=statement), **RUN), claim={})
    assert reworded(old, statement) == []
    (said,) = reworded(old, replace(statement, relation="<"))
    assert "which this ledger does not hold" in said.recorded


def test_every_difference_of_two_statements_is_one_of_their_parts() -> None:
    digests = {
        s.name: digest(replace(s, family="f", theorem="t", variant="")) for s in LIBRARY.library()
    }
    wordings = {s.name: json.dumps(parts(s), sort_keys=True) for s in LIBRARY.library()}
    assert len(set(digests.values())) == len(set(wordings.values()))


@pytest.mark.parametrize(
    ("before", "now", "run", "moved"),
    [
        ((0.5, (0.4, 0.6)), (0.7, (0.55, 0.8)), {}, False),
        ((0.5, (0.4, 0.6)), (0.7, (0.65, 0.8)), {"seed": 9}, True),
        ((0.5, None), (0.5 + 1e-9, None), {}, False),
        ((0.5, None), (0.6, None), {}, True),
        (
            (0.5, None),
            (0.6, None),
            {"seed": 9},
            False,
        ),  # a search with other inputs finds other numbers
        ((0.5, None), (None, None), {}, True),
        ((None, None), (None, None), {}, False),
    ],
)
def test_tightness_may_move_inside_its_interval_only(
    before: Any, now: Any, run: dict[str, Any], moved: bool
) -> None:
    one, two = (
        found(V.SUPPORTED, tightness=value, tightness_interval=interval)
        for value, interval in (before, now)
    )
    assert changes(one, two, **run) == ([("tightness", True)] if moved else [])


def test_a_sampled_number_without_an_interval_is_not_compared() -> None:
    one, two = (
        Result(
            get(STEPS),
            V.SUPPORTED,
            (
                Evidence(
                    method="simulation",
                    verdict=V.SUPPORTED,
                    summary="",
                    sentinel=V.REFUTED,
                    tightness=t,
                ),
            ),
        )
        for t in (0.5, 0.6)
    )
    assert changes(one, two) == []


def test_a_ledger_survives_its_file(tmp_path: Path) -> None:
    results = [
        found(V.PROVED, V.SUPPORTED, tightness=1 / 3, tightness_interval=(0.25, 0.5)),
        found(V.REFUTED, statement=get(STEPS)),
    ]
    ledger = Ledger({}).updated(results, **RUN)
    path = tmp_path / "ledger.json"
    path.write_text(json.dumps(ledger.as_json()), encoding="utf-8")
    assert compare(read(path), results, **RUN) == ()
    assert read(path).as_json() == ledger.as_json()


def test_entries_without_a_statement_are_removed_or_told() -> None:
    entry = entry_of(found(V.PROVED), **RUN)
    ledger = Ledger({"orthogonality.gone": entry, "rank.x": entry})
    told = ledger.removed(["orthogonality"], ["orthogonality.kept"])
    assert [(c.statement, c.what, c.worse) for c in told] == [
        ("orthogonality.gone", "removed", True)
    ]
    assert set(ledger.updated([], **RUN, gone=["orthogonality.gone"]).entries) == {"rank.x"}


# --- files ----------------------------------------------------------------------------------------


def _valid() -> dict[str, Any]:
    return Ledger({}).updated([found(V.SUPPORTED, tightness=0.5)], **RUN).as_json()


def _with(path: Sequence[str], value: Any) -> dict[str, Any]:
    content = _valid()
    inner: Any = content
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return content


ENTRY = ("statements", "orthogonality.contraction:sharp")


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ([], "the ledger"),
        ({}, "schema"),
        (_with(("schema",), 2), "schema"),
        (_with(("schema",), True), "schema"),
        (_with(("statements",), []), "statements"),
        (_with(ENTRY, 3), "contraction:sharp"),
        (_with((*ENTRY, "verdict"), "true"), "verdict"),
        (_with((*ENTRY, "verdict"), []), "verdict"),
        (_with((*ENTRY, "evidence"), "proof"), "evidence"),
        (_with((*ENTRY, "evidence"), ["proof"]), "evidence"),
        (_with((*ENTRY, "evidence"), ["proof: fine"]), "evidence"),
        (_with((*ENTRY, "tightness"), [1, 2]), "tightness"),
        (_with((*ENTRY, "tightness"), [1, 3, 2]), "tightness"),
        (_with((*ENTRY, "tightness"), [1, "2", 3]), "tightness"),
        (_with((*ENTRY, "tightness"), [10**400, 1, 3]), "tightness"),
        (_with((*ENTRY, "seed"), -1), "seed"),
        (_with((*ENTRY, "seed"), True), "seed"),
        (_with((*ENTRY, "level"), None), "level"),
        (_with((*ENTRY, "environment"), "none"), "environment"),
        (_with((*ENTRY, "digest"), 1), "digest"),
        (_with(("environments",), {"x": {"numpy": 2}}), "environments.x.numpy"),
    ],
)
def test_a_bad_ledger_is_refused_by_place(content: Any, place: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(LedgerError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert place in str(caught.value)
    assert "\n" not in str(caught.value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None)
@given(
    place=st.sampled_from(
        [
            ("schema",),
            ("environments",),
            ("statements",),
            ENTRY,
            *((*ENTRY, key) for key in _valid()["statements"][ENTRY[1]]),
        ]
    ),
    value=_JSON,
    cut=st.none() | st.integers(0, 200),
)
def test_fuzzed_ledgers_are_read_or_refused(
    place: Sequence[str], value: Any, cut: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.json"
    path.write_bytes(json.dumps(_with(place, value)).encode("utf-8", "surrogatepass")[:cut])
    try:
        assert isinstance(read(path), Ledger)
    except LedgerError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either outcome is right, and the message is looked at


@pytest.mark.parametrize("place", [("environments",), ("statements",)])
def test_a_name_with_line_ends_is_refused_in_one_line(place: Sequence[str], tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    path.write_text(json.dumps(_with(place, {"a\n\u2028b": None})))
    with pytest.raises(LedgerError) as refused:
        read(path)
    assert len(str(refused.value).splitlines()) == 1


def test_a_number_beyond_all_floats_is_refused(tmp_path: Path) -> None:
    """An infinite interval would let tightness move anywhere."""
    path = tmp_path / "ledger.json"
    path.write_text(
        json.dumps(_with((*ENTRY, "tightness"), [1, 1, 777777])).replace("777777", "1e999")
    )
    with pytest.raises(LedgerError, match="beyond all floats"):
        read(path)


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    path.write_text('{"schema": 1, "environments": {}, "statements": {"a": 1, "a": 2}}')
    with pytest.raises(LedgerError, match="'a' is given twice"):
        read(path)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"{", b"[" * 100_000, b'{"schema": NaN}'])
def test_what_is_not_json_is_said(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    path.write_bytes(data)
    with pytest.raises(LedgerError, match="not JSON"):
        read(path)


# --- the command ----------------------------------------------------------------------------------


class _Finding:
    """A check that says what it is told to say."""

    def __init__(self, **given: Any) -> None:
        self.given = {
            "method": "search",
            "verdict": V.CERTIFIED,
            "summary": "as told",
            "sentinel": V.REFUTED,
        } | given

    def __call__(self, statement: Statement, context: Any) -> Evidence:
        return Evidence(**self.given)


@pytest.fixture
def claim(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Makes a library of one statement whose check finds what it is told, in an empty current
    directory.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def offer(**given: Any) -> None:
        statement = replace(
            get(STEPS), proof=None, expected=V.CERTIFIED, checks=(_Finding(**given),)
        )
        # first what may be imported only now, and would take the other library for its own
        monkeypatch.setattr("theorems.commands.run_ledger.library", lambda *_: (statement,))
        monkeypatch.setattr(LIBRARY, "library", lambda *_: (statement,))

    offer()
    return offer


def test_a_regression_turns_the_run_red(claim: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify"]) == 0
    assert "Ledger" not in capsys.readouterr().out  # there is none yet
    assert main(["verify", "--update-ledger"]) == 0
    assert main(["verify"]) == 0
    assert "1 of 1 as recorded" in capsys.readouterr().out
    claim(verdict=V.INCONCLUSIVE)
    assert main(["verify"]) == 1
    out = capsys.readouterr().out
    assert "Find out why first" in out
    assert "- verdict   certified" in out
    assert "+ verdict   inconclusive" in out
    assert "1 not as the ledger has it" in out


def test_what_is_on_record_counts_as_expected(claim: Any) -> None:
    claim(verdict=V.INCONCLUSIVE)
    assert main(["verify"]) == 1
    assert (
        main(["verify", "--update-ledger"]) == 1
    )  # written, and still not what the statement expects
    assert main(["verify"]) == 0
    claim(verdict=V.INCONCLUSIVE, sentinel=V.SUPPORTED)
    assert main(["verify"]) == 0  # inconclusive evidence has no sentinel to answer for
    claim(sentinel=V.SUPPORTED)
    assert main(["verify"]) == 1  # a surviving sentinel is a defect, whatever is on record


@pytest.mark.usefixtures("few_draws")
def test_claims_that_were_not_asked_for_stay_on_record(
    claim: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'from theorems import conjecture\none = conjecture("x**2 <= 2*x", x="[0, 2]")\n'
    two = 'two = conjecture("x**2 <= 3*x", x="[0, 2]")\n'
    Path("mine.py").write_text(text + two, encoding="utf-8")
    assert main(["verify", "mine.py", "--update-ledger"]) == 0
    assert main(["verify", "--update-ledger"]) == 0  # of the library
    capsys.readouterr()
    assert main(["verify", "mine.py::one"]) == 0  # mine.two exists, and was not asked for
    assert "1 of 1 as recorded; 2 on record not run" in capsys.readouterr().out
    assert main(["verify", "mine.py"]) == 0
    assert "2 of 2 as recorded; 1 on record not run" in capsys.readouterr().out
    Path("mine.py").write_text(text, encoding="utf-8")
    assert main(["verify", "mine.py"]) == 1
    assert "mine.two" in capsys.readouterr().out
    assert main(["verify", "mine.py", "--update-ledger"]) == 0  # told, and accepted
    assert main(["verify", "mine.py"]) == 0


def test_a_better_verdict_is_told_and_passes(
    claim: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    claim(verdict=V.SUPPORTED)
    main(["verify", "--update-ledger", "--ledger", "mine.json"])
    claim()
    assert main(["verify", "--ledger", "mine.json"]) == 0
    assert "+ verdict   certified" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--ledger", "none.json"],
        ["--ledger", "bad.json"],
        ["--ledger", "no/where.json", "--update-ledger"],
        ["--ledger", ""],
        ["--ledger", "", "--update-ledger"],
        ["--ledger", "mine.json", "--update-ledger", "--json", "./mine.json"],
        ["--ledger", "mine.json", "--batch", "batch.npy"],
        ["--update-ledger", "--batch", "batch.npy"],
    ],
)
def test_bad_ledgers_exit_2_in_one_line(
    arguments: list[str], claim: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.json").write_text("{", encoding="utf-8")
    np.save("batch.npy", np.eye(3))
    assert main(["verify", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert "ledger" in captured.err or "bad.json" in captured.err


def test_a_ledger_says_nothing_of_a_batch(claim: Any, capsys: pytest.CaptureFixture[str]) -> None:
    main(["verify", "--update-ledger"])
    np.save("batch.npy", np.eye(3))
    capsys.readouterr()
    main(["verify", "--batch", "batch.npy"])
    assert "Ledger" not in capsys.readouterr().out


# --- which one ------------------------------------------------------------------------------------


def test_a_users_own_ledger_comes_first_and_the_librarys_where_it_is_developed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert default_path() == Path(DEFAULT), "made here by --update-ledger"
    monkeypatch.setattr("theorems.ledger.LIBRARY", tmp_path / "theorems" / "ledger.json")
    assert default_path() == Path("theorems/ledger.json")
    Path(DEFAULT).write_text("{}", encoding="utf-8")
    assert default_path() == Path(DEFAULT)
