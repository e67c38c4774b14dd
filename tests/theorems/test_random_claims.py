"""Claims of known truth, a few of the 500 that ``.ci/full`` goes through, and their judge."""

import pytest

from tests.random_claims.__main__ import claim, main, passes, report, verdict
from tests.random_claims.claims import CRASHED, REFUSED, RandomClaim, Truth, right, wrong

#: Of every kind the first few; chains, each of which takes seconds, are left to ``.ci/full``.
FEW = 5
OF_KIND = {
    truth: [k for k in range(1, 100) if claim(0, k).truth is truth and not claim(0, k).sampled]
    for truth in Truth
}
NUMBERS = sorted(number for numbers in OF_KIND.values() for number in numbers[:FEW])


@pytest.mark.parametrize("number", NUMBERS)
def test_nothing_false_is_asserted(number: int) -> None:
    made = claim(0, number)
    word, reason = verdict(made, 0)
    assert not wrong(made.truth, word), (
        f"{made.call} is {made.truth.value}, {made.why}: {word}, {reason}"
    )


@pytest.mark.parametrize("truth", Truth)
@pytest.mark.parametrize(
    "word",
    [
        "proved",
        "certified",
        "supported",
        "refuted",
        "outside",
        "inconclusive",
        "vacuous",
        REFUSED,
        CRASHED,
    ],
)
def test_no_word_is_both_right_and_wrong(truth: Truth, word: str) -> None:
    assert not (right(truth, word) and wrong(truth, word))
    if word in ("inconclusive", "vacuous"):
        assert not right(truth, word)
        assert not wrong(truth, word)


@pytest.mark.parametrize(
    ("truth", "word"),
    [
        (Truth.TRUE, "refuted"),
        (Truth.FALSE, "supported"),
        (Truth.THIN, "certified"),
        (Truth.UNDEFINED, "proved"),
        (Truth.TRUE, CRASHED),
    ],
)
def test_one_false_word_among_many_right_ones_is_red(truth: Truth, word: str) -> None:
    fine = {
        Truth.TRUE: "certified",
        Truth.FALSE: "refuted",
        Truth.THIN: "refuted",
        Truth.UNDEFINED: REFUSED,
    }
    found = [
        (k, RandomClaim("x <= 1", {}, kind, ""), good, "")
        for k, (kind, good) in enumerate(fine.items())
    ] * 50
    assert passes(found)
    assert not passes([*found, (0, RandomClaim("x <= 1", {}, truth, ""), word, "")])
    assert len(list(report(found))) == len(Truth)


def test_too_many_open_ones_are_red() -> None:
    found = [
        (
            0,
            RandomClaim("x <= 1", {}, Truth.TRUE, ""),
            "certified" if k < 89 else "inconclusive",
            "",
        )
        for k in range(100)
    ]
    assert not passes(found)
    assert passes([*found, *found[:20]])


def test_the_same_number_is_the_same_claim() -> None:
    assert [claim(3, k) for k in range(50)] == [claim(3, k) for k in range(50)]
    assert claim(3, 1) != claim(4, 1)


@pytest.mark.parametrize(
    "arguments",
    [["--count", "0"], ["--count", "-3"], ["--jobs", "0"], ["--only", "-1"], ["--count", "abc"]],
)
def test_a_run_over_nothing_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_the_command_prints_shares(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--only", "4", "--jobs", "1"])
    out = capsys.readouterr().out
    assert "conjecture(" in out
    assert "right" in out
    assert status in (0, 1)
