"""How the script that measures inspection's errors counts them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.inspection_alarms import HEALTHY, Outcome, inspected, main, rates_of
from bench.networks import usual

SICK = """
import torch
from torch import nn
def wide(seed):
    torch.manual_seed(seed)
    parts = [part for _ in range(30) for part in (nn.Linear(32, 32), nn.ReLU())]
    return nn.Sequential(*parts), torch.randn(16, 32), ("collapsing", "vanishing")
def mistaken(seed):
    return (*wide(seed)[:2], ("exploding",))
SICK = {"default": wide, "of another kind": mistaken}
HEALTHY = {"not at all": wide}
LISTED = [wide]
"""


def outcome(state: str, *right: str, kind: str = "one") -> Outcome:
    return Outcome(kind, 0, state, right, "")


def test_errors_are_those_of_the_sort() -> None:
    told = [outcome("healthy"), outcome("dead"), outcome("refused", kind="two")]
    one, two, both = rates_of(told, sick=False)
    assert (one.networks, one.errors, two.errors, both.errors) == (2, 1, 1, 2)
    assert both.told == {"healthy": 1, "dead": 1, "refused": 1}
    assert both.low < 2 / 3 < both.high
    assert rates_of(told, sick=True)[-1].errors == 1
    mistaken = [outcome("dead", "collapsing"), outcome("healthy", "collapsing")]
    assert (
        rates_of(mistaken, sick=True)[-1].errors,
        rates_of(mistaken, sick=True)[-1].another,
    ) == (
        1,
        1,
    )


def test_where_the_detector_fails_that_is_counted_and_the_run_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(module: object, batch: object) -> None:
        raise ZeroDivisionError("float division by zero")

    monkeypatch.setattr("bench.inspection_alarms.inspect", fail)
    kind = next(iter(HEALTHY))
    told = inspected({kind: HEALTHY[kind]}, 2)
    assert [each.state for each in told] == ["raised", "raised"]
    assert told[0].verdict == "ZeroDivisionError: float division by zero"
    for sick in (False, True):
        assert (rates_of(told, sick=sick)[-1].errors, rates_of(told, sick=sick)[-1].another) == (
            2,
            0,
        )


@pytest.mark.parametrize("kind", HEALTHY)
def test_each_healthy_kind_is_told_healthy_at_its_first_seeds(kind: str) -> None:
    """The kinds together pass a test that errs on one network in a hundred."""
    told = inspected({kind: HEALTHY[kind]}, 2)
    assert [each.seed for each in told] == [0, 1]
    assert all(each.kind == kind for each in told)
    assert sum(each.state != "healthy" for each in told) <= 1, told


@pytest.mark.parametrize("kind", usual.HEALTHY)
def test_usual_networks_are_followed_without_a_fault(kind: str) -> None:
    module, batch = usual.HEALTHY[kind](0)
    assert module(batch).isfinite().all()
    (told,) = inspected({kind: usual.HEALTHY[kind]}, 1)
    assert told.state not in ("raised", "refused", "not judged"), told


def test_sick_networks_come_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sick.py").write_text(SICK, encoding="utf-8")
    files = ["--sick", "sick.py", "--healthy", "sick.py"]
    assert main([*files, "--networks", "2", "--out", "out.json"]) == 0
    printed = capsys.readouterr().out
    assert "not at all: 2 false alarms in 2 (15.81% to 100.00%); 2 vanishing" in printed
    assert "default: 0 missed alarms in 1 (0.00% to 97.50%); 1 vanishing" in printed
    assert "1 vanishing; 1 told another sickness" in printed
    told = json.loads(Path("out.json").read_text(encoding="utf-8"))
    assert told["sick"]["rates"][-1]["errors"] == 0
    assert {each["seed"] for each in told["healthy"]["outcomes"]} == {0, 1}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        ("SICK = [1]", "want SICK, a mapping"),
        ("SICK = {'a': 1}", "want SICK, a mapping"),
        ("1/0", "ZeroDivisionError"),
        ("", "want SICK, a mapping"),
    ],
)
def test_a_file_that_will_not_do_is_status_2(
    content: str | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sick.py"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    assert main(["--sick", str(file)]) == 2
    assert words in capsys.readouterr().err
