"""A short chaos run on real hosts and a real Azurite, and the verb that does long ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from entrypoints.cli import chaos
from tests.chaos.clocks import HURRIED
from tests.chaos.run import Order, run


def quietly(said: str) -> None:
    pass


@pytest.mark.timeout(240)
async def test_nothing_is_lost_or_done_twice_while_hosts_are_killed(tmp_path: Path) -> None:
    order = Order(
        cases=25, kills=6, seed=7, folder=tmp_path / "run", hosts=2, clocks=HURRIED, rest_limit=90
    )

    verdict, line = await run(order, quietly)

    assert dict(verdict.violations) == {where: [] for where in verdict.violations}, line
    assert (verdict.lost, verdict.duplicated, verdict.avoidable) == (0, 0, 0)
    assert (verdict.unallowed, verdict.carried > 0, verdict.decided > 0) == (0, True, True)
    assert verdict.words > 0 < verdict.written
    assert verdict.digests > 0
    assert verdict.cases == 25
    assert line.startswith("25 cases, 6 kills of 2 hosts, 1 storage restarts, ")


@pytest.mark.timeout(240)
async def test_without_faults_nothing_is_uncertain(tmp_path: Path) -> None:
    order = Order(
        cases=8, kills=0, seed=7, folder=tmp_path / "run", hosts=2, faults=False, clocks=HURRIED
    )

    verdict, line = await run(order, quietly)

    assert verdict.good, line
    assert verdict.uncertain == verdict.cut_off == 0
    assert verdict.effects > 0


@pytest.mark.parametrize("arguments", [["--kills", "-1"], ["--hosts", "0"], ["--faults", "some"]])
def test_bad_options_are_refused(arguments: list[str]) -> None:
    import argparse

    parser: Any = argparse.ArgumentParser(exit_on_error=False)
    chaos.arguments(parser)
    with pytest.raises((argparse.ArgumentError, SystemExit)):
        parser.parse_args(arguments)
