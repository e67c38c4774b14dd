"""The certificate file: what is malformed or altered is refused in one line, and what is false
falls by itself.
"""

import dataclasses
import json

import flint
import pytest

from theorems.certificates import kinds
from theorems.certificates.document import (
    Certificate,
    CertificateError,
    UnreadableError,
    read,
    write,
)
from theorems.certificates.instances import at_input, crossing
from theorems.certificates.numbers import ball_of, ball_text, rational_of, rational_text
from theorems.checking.width_limit import WidthLimit
from theorems.families.orthogonality.contraction_boxes import certify
from theorems.registry import get

F = flint.fmpq
STEP = "orthogonality.iterative_initialisation:as_printed"
CONTRACTION = "orthogonality.contraction:sharp"


@pytest.fixture(scope="module")
def witness():
    return at_input(get(STEP), {"n": 2, "sigma": [F(4, 5), F(3, 5)]})


@pytest.fixture(scope="module")
def boxes():
    return certify(3, F(6, 5), CONTRACTION)


@pytest.fixture(scope="module")
def crossed():
    statement = get("orthogonality.decay:as_printed")
    check = next(c for c in statement.checks if isinstance(c, WidthLimit))
    return crossing(statement, next(s for s in check.starts if s.n == 32), 109, check.precision)


def saved(tmp_path, content):
    path = tmp_path / "certificate.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def contents(certificate):
    return json.loads(json.dumps({**certificate.content, "digest": certificate.digest}))


def changed(certificate, **fields):
    """Altered by somebody who knows how to redo the digest: a new certificate has its own."""
    return dataclasses.replace(certificate, **fields)


@pytest.mark.parametrize(
    ("name", "stems"),
    [
        (
            "orthogonality.decay:as_printed",
            {f"orthogonality.decay.as_printed.crossing-n{n}" for n in (8, 16, 32)},
        ),
        ("orthogonality.decay:corrected", set()),
    ],
)
def test_crossings_are_offered_of_refuted_bounds_alone(name, stems):
    found = [offer.stem for offer in kinds.offers([get(name)])]
    offered = [stem for stem in found if "crossing" in stem]
    assert len(offered) == len(stems)
    assert set(offered) == stems


def test_what_is_written_is_read_and_stands(tmp_path, witness, boxes, crossed):
    for certificate in (witness, boxes, crossed):
        path = tmp_path / "c.json"
        write(path, certificate)
        assert read(path) == certificate
        assert kinds.recheck(read(path))


@pytest.mark.parametrize(
    "field",
    [
        "kind",
        "statement",
        "claim",
        "inputs",
        "precision",
        "enclosures",
        "conclusion",
        "versions",
        "digest",
    ],
)
def test_an_altered_field_does_not_match_the_digest(tmp_path, witness, field):
    content = contents(witness)
    value = content[field]
    content[field] = (
        {int: 1, str: "x"}[type(value)] + value
        if not isinstance(value, dict)
        else {**value, "x": "1"}
    )
    with pytest.raises(CertificateError, match=r"certificate\.json: digest: does not match"):
        read(saved(tmp_path, content))
    del content[field]
    with pytest.raises(UnreadableError, match=rf"certificate\.json: {field}: missing"):
        read(saved(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "not JSON"),
        ("[]", "want an object"),
        ('{"schema": 2}', "schema"),
        ('{"schema": true}', "schema"),
        ('{"schema": 1, "schema": 1}', "given twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": NaN}', "no number"),
        ('{"schema": ' + "1" * 10_000 + "}", "schema is a number beyond all floats; want 1"),
        ('{"schema": 1}', "missing"),
    ],
)
def test_what_is_no_certificate_is_unreadable(tmp_path, content, words):
    with pytest.raises(UnreadableError, match=words) as refusal:
        read(saved(tmp_path, content))
    assert "\n" not in str(refusal.value)


def test_files_that_cannot_be_read_are_refused(tmp_path, witness):
    whole = json.dumps(contents(witness))
    for cut in range(0, len(whole), 37):
        with pytest.raises(UnreadableError):
            read(saved(tmp_path, whole[:cut]))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path, words in (
        (tmp_path / "none", "no such file"),
        (tmp_path, "directory"),
        (tmp_path / "binary", "UTF-8"),
    ):
        with pytest.raises(UnreadableError, match=words):
            read(path)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("kind", 3, "kind is 3; want text"),
        ("kind", "", "kind is ''; want the name of a kind"),
        ("claim", None, "claim is None; want text"),
        ("precision", "128", "precision is '128'; want a whole number"),
        ("precision", True, "precision"),
        ("precision", -1, "bits"),
        ("precision", 10**9, "bits"),
        ("inputs", [], r"inputs is \[\]; want an object"),
        ("inputs", {"at": 0.5}, "is a float"),
        ("inputs", {"at": None}, "inputs.at"),
        ("inputs", {"at": 10**30}, r"inputs\.at: an integer of more than 18 digits"),
        ("enclosures", {"lhs": [0.1, 0.2]}, "is a float"),
        ("versions", {"python": 3}, "versions.python"),
        ("statement", "\ud800", "Unicode"),
    ],
)
def test_fields_of_the_wrong_type_are_named(tmp_path, witness, field, value, words):
    with pytest.raises(UnreadableError, match=words):
        read(saved(tmp_path, {**contents(witness), field: value}))


@pytest.mark.parametrize(
    "text", ["1/0", "0.5", "1e3", "", "1/-2", "٣", "1" * 5000, "1*2^999999", 1, 0.5, None, ["1"]]
)
def test_only_exact_numbers_are_read(text):
    with pytest.raises(UnreadableError, match=r"^here: "):
        rational_of(text, "here")


def test_balls_are_written_by_their_exact_ends():
    with flint.ctx.workprec(100):
        ball = flint.arb(1) / 3
        low, high = (rational_of(end, "end") for end in ball_text(ball))
        assert low < F(1, 3) < high
        assert high - low < F(1, 2**98)
        assert ball_of(ball_text(ball), "x").contains(ball)
    assert rational_of(rational_text(F(-3, 7)), "x") == F(-3, 7)
    with pytest.raises(UnreadableError, match="above its high end"):
        ball_of(["2", "1"], "x")
    with pytest.raises(ValueError, match="not finite"):
        ball_text(flint.arb("inf"))


# --- altered with the digest redone ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "vote"}, "not known"),
        ({"kind": "small sizes"}, "inputs.sizes: missing"),
        ({"statement": "orthogonality.iterative_initialisation:corrected"}, "claim: says"),
        ({"statement": "nothing"}, "no statement"),
        ({"statement": "orthogonality.decay:sharp"}, "inputs.at"),
        ({"claim": "anything"}, "claim: says"),
        ({"conclusion": "holds there"}, "conclusion: says"),
        ({"inputs": {"at": {"n": "2", "sigma": ["1", "0"]}}}, "claim: says"),
        ({"inputs": {"at": {"n": "2", "sigma": ["4/5", "4/5"]}}}, "assumption does not hold"),
        ({"inputs": {"at": {"n": "2", "sigma": ["-4/5", "3/5"]}}}, "not in"),
        ({"inputs": {"at": {"n": "3", "sigma": ["4/5", "3/5"]}}}, "want 3 entries"),
        ({"inputs": {"at": {"n": "9999999", "sigma": ["4/5", "3/5"]}}}, "a size above"),
        ({"inputs": {"at": {"n": "3/2", "sigma": ["4/5", "3/5"]}}}, "inputs.at"),
        ({"inputs": {"at": {"n": ["2"], "sigma": "1"}}}, "inputs.at"),
        ({"inputs": {"at": {"n": "2"}}}, "want values of"),
        ({"inputs": {}}, "inputs.at: missing"),
        ({"enclosures": {}}, "lhs: missing"),
        ({"enclosures": {"lhs": ["0", "0"], "rhs": ["0", "1"]}}, "lhs: recorded"),
        ({"precision": 1}, "precision"),
        (
            {"inputs": {"at": {"n": "2", "sigma": ["4/5", "3/5"]}, "for": "every n"}},
            "inputs.for: not known",
        ),
        (
            {"enclosures": {"lhs": ["0", "1"], "rhs": ["0", "1"], "gap": ["7", "8"]}},
            "enclosures.gap: not known",
        ),
    ],
)
def test_an_altered_witness_is_refused_by_the_recomputation(witness, fields, words):
    with pytest.raises(CertificateError, match=words) as refusal:
        kinds.recheck(changed(witness, **fields))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "around",
    [lambda x: {"a": x}, lambda x: [x], lambda x: {"a": [x]}],
    ids=["maps", "lists", "both"],
)
def test_what_is_nested_too_deeply_is_refused_however_it_is_nested(boxes, around):
    levels = 2 if around("1") == {"a": ["1"]} else 1
    value = "1"
    for _ in range(30 // levels - 1):
        value = around(value)
    assert dataclasses.replace(boxes, inputs={"a": value}).inputs == {"a": value}
    with pytest.raises(UnreadableError, match="inputs: nested more than 30 deep"):
        dataclasses.replace(boxes, inputs={"a": around(around(around(value)))})


def test_a_coarse_precision_admits_no_false_enclosure():
    statement = get("orthogonality.gap_vs_smallest_eigenvalue:sharp")
    made = at_input(statement, {"n": 2, "lambda": [F(3, 4), F(1, 4)]}, precision=10)
    kinds.recheck(made)
    narrow = {**made.enclosures, "rhs": ["35361/100000", "35362/100000"]}  # √2/4 = 0.353553…
    with pytest.raises(CertificateError, match="rhs: recorded"):
        kinds.recheck(changed(made, enclosures=narrow))


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"kappa": "1201/1000"}, "has 6/5"),
        ({"n": 4}, "kappa"),
        ({"n": 9}, "kappa"),
        ({"n": 10}, "whole number from 2 to 9"),
        ({"n": "3"}, "n:"),
        ({"kappa": 1.2}, "float"),
        ({"tree": ""}, "ends early"),
        ({"tree": "v"}, "not settled by rule 'v'"),
        ({"tree": "c"}, "not settled by rule 'c'"),
        ({"tree": "x"}, "not settled by rule 'x'"),
        ({"tree": "7"}, "neither"),
        ({"tree": 5}, "want text"),
    ],
)
def test_an_altered_cover_is_refused_by_the_recomputation(boxes, inputs, words):
    with pytest.raises(CertificateError, match=words):
        kinds.recheck(changed(boxes, inputs={**boxes.inputs, **inputs}))


@pytest.mark.parametrize(
    ("precision", "marks"), [(129, 1), (1000, 1), (40, 60_001), (128, 5860), (80, 20_000)]
)
def test_a_cover_that_would_cost_too_much_is_refused_before_it_costs_anything(
    boxes, precision, marks, monkeypatch
):
    monkeypatch.setattr(
        "theorems.families.orthogonality.contraction_boxes.walk",
        lambda *_: pytest.fail("it was walked"),
    )
    with pytest.raises(
        UnreadableError, match="precision: .* to 128" if precision > 128 else "characters at"
    ):
        kinds.recheck(
            changed(boxes, precision=precision, inputs={**boxes.inputs, "tree": "v" * marks})
        )


@pytest.mark.parametrize(("precision", "marks"), [(40, 60_000), (128, 5859), (80, 15_000)])
def test_a_cover_of_twice_the_boxes_that_a_search_may_leave_is_walked(
    boxes, precision, marks, monkeypatch
):
    def walked(problem, tree, *_):
        raise ValueError(f"walked {len(tree)} at {problem.precision} bits")

    monkeypatch.setattr("theorems.families.orthogonality.contraction_boxes.walk", walked)
    with pytest.raises(CertificateError, match=f"walked {marks} at .* bits"):
        kinds.recheck(
            changed(boxes, precision=precision, inputs={**boxes.inputs, "tree": "v" * marks})
        )


def test_a_cover_of_another_constant_or_with_a_box_left_out_is_refused(boxes):
    tree = boxes.inputs["tree"]
    larger = changed(boxes, statement="", inputs={**boxes.inputs, "kappa": "1201/1000"})
    for forged in (
        larger,
        changed(boxes, inputs={**boxes.inputs, "tree": tree[:-1]}),
        changed(boxes, inputs={**boxes.inputs, "tree": tree + "v"}),
        changed(boxes, enclosures={"least_margin": ["1", "2"]}),
        changed(boxes, statement="orthogonality.decay:sharp"),
        changed(boxes, claim=boxes.claim.replace("n = 3", "n = 4")),
    ):
        with pytest.raises(CertificateError):
            kinds.recheck(forged)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"layer": 108}, "first at layer 108"),
        ({"layer": 110}, "first at layer 110"),
        ({"layer": -1}, "whole number"),
        ({"eigenvalues": ["1/32", "1/32"]}, "distinct"),
        ({"eigenvalues": ["1/64", "1/31"]}, "add up to 1"),
        ({"eigenvalues": ["0", "1/31"]}, "want positive ones"),
        ({"multiplicities": [1]}, "two lists"),
        ({"multiplicities": [1, 0]}, "multiplicities"),
        ({"multiplicities": [1, 10**6 + 1]}, "from 1 to 1000000"),
        ({"eigenvalues": ["9/400", "391/12400"]}, "does not cross"),
    ],
)
def test_an_altered_crossing_is_refused_by_the_recomputation(crossed, inputs, words):
    with pytest.raises(CertificateError, match=words):
        kinds.recheck(changed(crossed, inputs={**crossed.inputs, **inputs}))


def test_a_statement_whose_symbols_the_inputs_do_not_settle_has_no_witness():
    # p_n is an integral: no exact number of the variables
    forged = Certificate(
        kind="instance",
        statement=CONTRACTION,
        claim="",
        precision=64,
        inputs={"at": {"n": "2", "lambda": ["1/2", "1/2"]}},
        enclosures={},
        conclusion="refuted",
        versions={},
    )
    with pytest.raises(CertificateError, match="not decided by values of its variables"):
        kinds.recheck(forged)
