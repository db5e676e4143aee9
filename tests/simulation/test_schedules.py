"""The product under seeded schedules of faults, and the simulator itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.simulation import campaign
from tests.simulation.__main__ import main
from tests.simulation.faults import PinnedFaults
from tests.simulation.mutants import MUTANTS
from tests.simulation.scenario import BASE
from tests.simulation.schedule import of_seed, run

PROCESSES = 1


@pytest.mark.timeout(900)
@pytest.mark.parametrize("first", range(0, 1000, 250))
def test_nothing_is_lost_or_done_twice_in_random_schedules(first: int) -> None:
    with campaign.spread(PROCESSES) as over:
        totals = campaign.at_random(over, range(first, first + 250))
    assert [failure.replay for failure in totals.failures] == []
    assert totals.schedules == 250
    assert (totals.lost, totals.duplicated, totals.avoidable) == (0, 0, 0)
    assert totals.crashes > 62
    assert totals.uncertain < 0.05 * totals.effects


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("story", "least"), [("escalated", 600), ("answered", 100), ("fetched", 600)]
)
def test_no_single_fault_at_any_call_does_harm(story: str, least: int) -> None:
    with campaign.spread(PROCESSES) as over:
        totals = campaign.singles(over, [story])
    assert [failure.replay for failure in totals.failures] == []
    assert totals.schedules == totals.faults > least


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mistake", MUTANTS)
def test_every_known_mistake_is_found(mistake: str) -> None:
    with campaign.spread(PROCESSES) as over:
        schedules, found = campaign.hunt(over, mistake, 1200)
    assert schedules
    assert found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("escalated", "escalated"),
        ("answered", "answered"),
        ("cancelled", "cancelled"),
        ("ticket", "escalated"),
        ("thin", "escalated"),
        ("digest", "escalated"),
        ("tickets", "escalated"),
    ],
)
def test_undisturbed_scenarios_end_as_they_should(name: str, expected: str) -> None:
    result = run(name, BASE[name], 0, PinnedFaults({}), record=True)
    assert result.findings.violations == []
    assert any(f"index.put       {expected}" in line for line in result.history)


def test_a_seed_gives_the_same_schedule_in_every_process() -> None:
    code = (
        "from tests.simulation.schedule import of_seed\n"
        "import hashlib\n"
        "lines = [line for s in (5, 6, 7) for line in of_seed(s, record=True).history]\n"
        "print(hashlib.sha256('\\n'.join(lines).encode()).hexdigest())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_a_failing_schedule_shrinks_to_faults_that_still_fail() -> None:
    mutant = MUTANTS["no-sweeper"]
    seed = next(n for n in range(100) if of_seed(n, mutant=mutant).findings.violations)
    pins = of_seed(seed, mutant=mutant).fired
    assert of_seed(seed, mutant=mutant, pins=pins).findings.violations


def test_the_command_prints_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--schedules", "20", "--jobs", "1"]) == 0
    said = capsys.readouterr().out
    assert "0 lost, 0 duplicated, 0 avoidably paid" in said


def test_the_command_shows_one_schedule(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--scenario", "answered", "--pin", "post#1.3=crash_after"]) == 0
    said = capsys.readouterr().out
    assert "<== crash_after" in said
    assert "process" in said


@pytest.mark.parametrize(
    "arguments",
    [["--faults", "rain"], ["--schedules", "none"], ["--mutant", "x"], ["--pin", "a=b"]],
)
def test_bad_options_are_refused_in_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    said = capsys.readouterr().err
    assert (ended.value.code, said.count("\n")) == (2, 1)
