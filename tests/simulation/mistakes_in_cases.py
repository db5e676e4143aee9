"""Mistakes in how a case is stored, marked, listed and found again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from shared.adapters.memory import MemoryCaseStore
from shared.domain.partition import Partition
from shared.domain.progress import Stored
from shared.domain.rows import EffectRow, MessageRow, ReceivedRow, Row, StageRow
from shared.errors import ConflictError, RetryableError
from shared.pipeline import acts, effects, intake, parking, runner, writing
from shared.pipeline.advance import Advancer
from tests.simulation.world import instantly

if TYPE_CHECKING:
    from shared.domain.case import IndexEntry
    from shared.ports import CaseStore
    from tests.simulation.simulation import Simulation


def _advancers(simulation: Simulation) -> list[Advancer]:
    return [process.app.runner._advancer for process in simulation.world.processes]


def limits(simulation: Simulation, stack: ExitStack, **changed: Any) -> None:
    """Other limits for every part of the product."""
    for process in simulation.world.processes:
        app = process.app
        parts = (app.runner, app.runner._preparing, app.budgets)
        for part in (*parts, app.effects, app.parking, app.sweeper):
            part._limits = replace(part._limits, **changed)


def takes_itself_for_another(simulation: Simulation, stack: ExitStack) -> None:
    """Whoever finds the customer known has another case of his before him, be it the same."""
    first, kept = simulation.customers.first, simulation.customers.inner._first

    async def another(desk: str, customer: str, case_id: str) -> str:
        known = (desk, customer) in kept
        found = await first(desk, customer, case_id)
        return "another" if known else found

    stack.enter_context(patch.object(simulation.customers, "first", another))


def no_sweeper(simulation: Simulation, stack: ExitStack) -> None:
    async def nothing() -> dict[str, int]:
        return {"nudged": 0, "parked": 0}

    for process in simulation.world.processes:
        stack.enter_context(patch.object(process.app.sweeper, "sweep", nothing))


def no_open_mark(simulation: Simulation, stack: ExitStack) -> None:
    put = simulation.index.put

    async def unmarked(entry: IndexEntry) -> None:
        if entry.status != "open":
            await put(entry)

    stack.enter_context(patch.object(simulation.index, "put", unmarked))


def mark_after_row(simulation: Simulation, stack: ExitStack) -> None:
    """The open mark is set once the row is written, not before."""
    put, insert = simulation.index.put, simulation.store.insert
    waiting: dict[str, IndexEntry] = {}

    async def later(entry: IndexEntry) -> None:
        if entry.status == "open":
            waiting[entry.case_id] = entry
        else:
            await put(entry)

    async def then(case_id: str, row: Row) -> str:
        etag = await insert(case_id, row)
        if case_id in waiting and not isinstance(row, StageRow | EffectRow):
            await put(waiting.pop(case_id))
        return etag

    stack.enter_context(patch.object(simulation.index, "put", later))
    stack.enter_context(patch.object(simulation.store, "insert", then))


def unguarded(simulation: Simulation, stack: ExitStack, which: Callable[[Row], bool]) -> None:
    """These rows are written over whatever is there."""
    insert, replace_ = simulation.store.insert, simulation.store.replace
    inner = simulation.store.inner

    def over(case_id: str, row: Row) -> str:
        there = instantly(inner.read(case_id)).stored.get(row.key)
        return there.etag if there else ""

    async def write(case_id: str, row: Row, etag: str = "") -> str:
        if not which(row):
            return await (replace_(case_id, row, etag) if etag else insert(case_id, row))
        for _ in range(9):
            there = over(case_id, row)
            try:
                return await (replace_(case_id, row, there) if there else insert(case_id, row))
            except ConflictError:
                continue
        raise RetryableError("simulated")

    stack.enter_context(patch.object(simulation.store, "insert", write))
    stack.enter_context(patch.object(simulation.store, "replace", write))


def no_etag_on_claim(simulation: Simulation, stack: ExitStack) -> None:
    unguarded(simulation, stack, lambda row: isinstance(row, StageRow) and row.state == "working")


def no_fence_on_commit(simulation: Simulation, stack: ExitStack) -> None:
    unguarded(simulation, stack, lambda row: isinstance(row, StageRow) and row.state != "working")


def no_fence_on_effects(simulation: Simulation, stack: ExitStack) -> None:
    unguarded(simulation, stack, lambda row: isinstance(row, EffectRow))


def no_second_query(simulation: Simulation, stack: ExitStack) -> None:
    for advancer in _advancers(simulation):

        async def blind(
            expected: Partition, turn: int, stage: str, advancer: Advancer = advancer
        ) -> None:
            remembering = Advancer(
                _Remembers(expected), advancer._index, advancer._journal, advancer._nudges
            )
            await remembering.after_stage(expected, turn, stage)

        stack.enter_context(patch.object(advancer, "after_stage", blind))


class _Remembers(MemoryCaseStore):
    """A store that says what was read before."""

    def __init__(self, view: Partition) -> None:
        super().__init__()
        self._view = view

    async def read(self, case_id: str) -> Partition:
        return self._view


def early_acknowledge(simulation: Simulation, stack: ExitStack) -> None:
    simulation.host.early_acknowledge = True


def one_mark_for_all(simulation: Simulation, stack: ExitStack) -> None:
    """A message that reopens a case sets the mark that is there already."""
    mark_open = {advancer: advancer.mark_open for advancer in _advancers(simulation)}
    for advancer, marking in mark_open.items():

        async def same(view: Partition, row: Any, marking: Any = marking) -> IndexEntry:
            mark: IndexEntry = await marking(view, view.messages[0])
            return mark

        stack.enter_context(patch.object(advancer, "mark_open", same))


def unconfirmed_settling(simulation: Simulation, stack: ExitStack) -> None:
    """The index follows a view that nobody read again after it was listed."""
    for advancer in _advancers(simulation):
        listing, settle = advancer._list, advancer.settle

        async def settled(
            view: Partition, listed: Any = None, listing: Any = listing, settle: Any = settle
        ) -> None:
            if view.settled:
                await settle(view, await listing(view))

        async def after_effect(expected: Partition, settled: Any = settled) -> None:
            await settled(expected)

        stack.enter_context(patch.object(advancer, "settle", settled))
        stack.enter_context(patch.object(advancer, "after_effect", after_effect))


def _writes(stack: ExitStack, write: Any) -> None:
    for module in (acts, effects, intake, parking, runner):
        stack.enter_context(patch.object(module, "write", write))


def no_reading_back(simulation: Simulation, stack: ExitStack) -> None:
    """A conflict is taken for a lost race, although the write may have been our own."""

    async def write(store: CaseStore, case_id: str, row: Row, over: Stored | None) -> str | None:
        try:
            if over is None:
                return await store.insert(case_id, row)
            return await store.replace(case_id, row, over.etag)
        except ConflictError:
            return None

    _writes(stack, write)


def case_row_first(simulation: Simulation, stack: ExitStack) -> None:
    """The case row is written before the message that it stands for."""
    held: dict[str, MessageRow] = {}
    true = writing.write

    async def write(store: CaseStore, case_id: str, row: Row, over: Stored | None) -> str | None:
        if isinstance(row, MessageRow) and row.turn == 1:
            held[case_id] = row
            return "held"
        etag = await true(store, case_id, row, over)
        if isinstance(row, ReceivedRow) and case_id in held:
            await true(store, case_id, held.pop(case_id), None)
        return etag

    _writes(stack, write)


def accepted_too_early(simulation: Simulation, stack: ExitStack) -> None:
    """202 although the write failed: it will surely work in a moment."""
    true = writing.write

    async def write(store: CaseStore, case_id: str, row: Row, over: Stored | None) -> str | None:
        try:
            return await true(store, case_id, row, over)
        except RetryableError:
            return "surely"

    stack.enter_context(patch.object(intake, "write", write))


def forgets_delivery_ids(simulation: Simulation, stack: ExitStack) -> None:
    """A follow-up that is delivered twice is two messages."""
    for process in simulation.world.processes:
        follow_up = process.app.intake.follow_up

        async def anonymous(
            case_id: str, text: str, _: str | None = None, follow_up: Any = follow_up
        ) -> Any:
            return await follow_up(case_id, text)

        stack.enter_context(patch.object(process.app.intake, "follow_up", anonymous))


def accepts_any_body(simulation: Simulation, stack: ExitStack) -> None:
    """A key that comes again with another body is answered with 202."""
    stack.enter_context(patch.object(intake, "_fingerprint", lambda *_: "the same"))


def keeps_orphans(simulation: Simulation, stack: ExitStack) -> None:
    """Marks that announce a row which never came stay for ever."""
    limits(simulation, stack, orphan_age=1e9)


def hasty_with_orphans(simulation: Simulation, stack: ExitStack) -> None:
    """A mark goes before the row that it announces had time to come."""
    limits(simulation, stack, orphan_age=0.0)


def drops_garbage(simulation: Simulation, stack: ExitStack) -> None:
    async def nothing(*_: Any) -> None:
        return None

    for process in simulation.world.processes:
        stack.enter_context(patch.object(process.app.ward, "keep", nothing))
