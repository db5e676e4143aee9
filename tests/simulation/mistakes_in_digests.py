"""Mistakes in digests: windows that overlap, leave a gap, or close over what is still under way."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from shared.domain.digest import DIGESTS, FiledDigest
from shared.domain.rows import DigestRow, Row
from shared.pipeline import digests
from shared.pipeline.digests import Digests
from tests.simulation.mistakes_in_cases import unguarded

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation


def seals_over_what_is_there(simulation: Simulation, stack: ExitStack) -> None:
    """Of two that seal one window, the second does so once more."""
    unguarded(simulation, stack, lambda row: isinstance(row, DigestRow))


def windows_from_the_clock(simulation: Simulation, stack: ExitStack) -> None:
    """A window is the last period by the clock, whatever was sealed before."""

    async def nothing(*_: Any) -> None:
        return None

    stack.enter_context(patch.object(Digests, "_last_end", nothing))


def agrees_on_no_end(simulation: Simulation, stack: ExitStack) -> None:
    """Two windows that begin together may end at two times."""

    async def as_wanted(self: Digests, desk: Any, window: Any) -> Any:
        return window

    stack.enter_context(patch.object(Digests, "_agreed", as_wanted))


def looks_after_no_digest(simulation: Simulation, stack: ExitStack) -> None:
    true = simulation.index.wake

    async def only_of_cases(wake: Any) -> None:
        if not wake.case_id.startswith(DIGESTS):
            await true(wake)

    stack.enter_context(patch.object(simulation.index, "wake", only_of_cases))


def files_before_it_seals(simulation: Simulation, stack: ExitStack) -> None:
    """The next window begins where one ends that nobody may ever have sealed."""
    insert = simulation.store.insert

    async def filed_first(case_id: str, row: Row) -> str:
        if isinstance(row, DigestRow):
            said = {name: getattr(row.digest, name) for name in ("desk", "start", "end", "counts")}
            await simulation.journal.file(FiledDigest(sealed_at=row.digest.made_at, **said))
        return await insert(case_id, row)

    stack.enter_context(patch.object(simulation.store, "insert", filed_first))


def closes_over_workers(simulation: Simulation, stack: ExitStack) -> None:
    """A window is closed although who began in it has not stored what came of it."""
    stack.enter_context(patch.object(digests, "_unfixed", lambda *_: False))


def closes_over_acts(simulation: Simulation, stack: ExitStack) -> None:
    """A window is closed although somebody announced an act of its time and did not write it."""
    true = Digests._moving

    async def written(*about: Any) -> Any:
        found = await true(*about)
        return found and replace(found, unwritten=False)

    stack.enter_context(patch.object(Digests, "_moving", written))


def looks_at_no_open_case(simulation: Simulation, stack: ExitStack) -> None:
    """Only the journal is read, in which nothing is of cases that are not settled."""

    async def nothing(*_: Any) -> Any:
        return digests._Moving(())

    stack.enter_context(patch.object(Digests, "_moving", nothing))
