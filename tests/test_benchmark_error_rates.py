"""The script that measures how often a comparison errs: its counts, planted slowdown, door."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from bench import error_rates
from bench.afresh import afresh
from bench.error_rates import ENGINES, SHORT, SLOWER, Outcome, main, rates_of
from bench.pair import slowed, slower
from bench.report import entry, rendered
from bench.timing import Clocks
from simulators.documents import plain
from tests.synthetic_times import ModelledClock, whole_run


def outcome(*alarms: str, caught: bool = True, busy: int = 0, load: float = 1.0) -> Outcome:
    return Outcome(alarms, {"factor": True, "rows": caught}, busy, (load, load + 1))


def test_a_comparison_with_any_false_alarm_counts_once() -> None:
    (found,) = rates_of([outcome(), outcome("a", "b"), outcome(caught=False)])
    assert (found.unchanged, found.false_alarms) == (3, 1)
    assert (found.planted, found.caught) == (6, 5)


def test_busy_machines_are_counted_apart() -> None:
    found = rates_of([outcome(busy=1, load=2.0), outcome(), outcome(load=0.5)])
    assert [(each.words, each.unchanged) for each in found] == [
        ("as found; load 0.5 to 2.0", 2),
        ("1 kept busy; load 2.0 to 3.0", 1),
    ]


def test_what_is_slowed_takes_so_much_more_and_still_does_its_work() -> None:
    clock = ModelledClock()

    def cpu() -> float:
        clock.now += 1e-4  # looking takes a little
        return clock.now

    action = slowed(clock.action("work", 2.0), SLOWER, Clocks(cpu=cpu))
    action()
    assert clock.calls == ["work"]
    assert clock.now == pytest.approx(2.5, abs=1e-3)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_has_ratios_to_be_caught_by(engine: str) -> None:
    assert any(pair.about == engine for pair in SHORT)


def test_rates_on_record_stand_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "error_rates.json"
    monkeypatch.setattr(error_rates, "ERROR_RATES", record)
    for number in (1, 2):
        path = tmp_path / f"outcome-{number}.json"
        found = outcome("a") if number == 1 else outcome()
        path.write_text(json.dumps(plain(asdict(found))))
    assert main(["--comparisons", "0", "--out", str(tmp_path), "--record"]) == 0
    assert "1 false alarms in 2 unchanged comparisons; 4 of 4 planted" in capsys.readouterr().out
    run = whole_run()
    page = rendered(run, [entry(run)], rates=json.loads(record.read_text()))
    assert "1 of 2" in page
    assert "4 of 4" in page


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--comparisons", "-1", "--out", "x"], "-1: want a whole number, 0 or more"),
        (["--busy", "much", "--out", "x"], "much: want a whole number, 0 or more"),
        ([], "--out"),
    ],
)
def test_bad_usage_is_refused(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2
    assert words in capsys.readouterr().err


def test_a_folder_that_cannot_be_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit) as refused:
        main(["--comparisons", "0", "--out", str(tmp_path / "file")])
    assert refused.value.code == 2
    assert "file: " in capsys.readouterr().err


def test_a_pair_is_measured_in_another_process_as_in_this_one_and_slowed_as_told() -> None:
    pair = next(pair for pair in SHORT if pair.about == "confidence sequence")
    found = afresh(slower(pair, 1.0))
    assert (found.name, found.ours.words) == (pair.name, pair.ours.words)
    assert len(found.ours.cpu) == len(afresh(pair).ours.cpu) > 9
