"""Mistakes in claims, leases, model calls and effects."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import PropertyMock, patch

from shared.domain.partition import Partition
from shared.domain.rows import EffectRow, Row
from shared.pipeline.limits import Limits
from tests.simulation.mistakes_in_cases import limits

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation


def _property(stack: ExitStack, owner: type, name: str, value: Any) -> None:
    stack.enter_context(patch.object(owner, name, PropertyMock(return_value=value)))


def no_lease(simulation: Simulation, stack: ExitStack) -> None:
    _property(stack, Limits, "lease", timedelta(0))
    _property(stack, Limits, "last_call", timedelta(seconds=80))


def short_lease(simulation: Simulation, stack: ExitStack) -> None:
    _property(stack, Limits, "lease", timedelta(seconds=30))
    _property(stack, Limits, "last_call", timedelta(seconds=20))


def no_last_check(simulation: Simulation, stack: ExitStack) -> None:
    for process in simulation.world.processes:
        stack.enter_context(patch.object(process.app.runner, "_last_check", lambda row: None))


def _remade_effects(
    simulation: Simulation, stack: ExitStack, change: Callable[[EffectRow], EffectRow]
) -> None:
    for process in simulation.world.processes:
        claimed = process.app.effects._claimed

        def remade(*about: Any, claimed: Any = claimed) -> EffectRow:
            return change(claimed(*about))

        stack.enter_context(patch.object(process.app.effects, "_claimed", remade))


def blind_retry(simulation: Simulation, stack: ExitStack) -> None:
    _remade_effects(simulation, stack, lambda row: row.model_copy(update={"ambiguous": False}))


def no_attempting_mark(simulation: Simulation, stack: ExitStack) -> None:
    """The claim of an effect is not stored, only its outcome."""
    insert, replace_ = simulation.store.insert, simulation.store.replace

    async def put(case_id: str, row: Row) -> str:
        if isinstance(row, EffectRow) and row.state == "attempting":
            return "unstored"
        return await insert(case_id, row)

    async def over(case_id: str, row: Row, etag: str) -> str:
        return await (insert(case_id, row) if etag == "unstored" else replace_(case_id, row, etag))

    stack.enter_context(patch.object(simulation.store, "insert", put))
    stack.enter_context(patch.object(simulation.store, "replace", over))


def no_idempotency_key(simulation: Simulation, stack: ExitStack) -> None:
    """Each attempt has a key of its own; the receiver's ledger still knows what it was for."""
    for sink in simulation.sinks.values():
        inner = sink.inner
        apply = inner._apply

        def fresh(call: Any, apply: Any = apply, inner: Any = inner) -> str:
            true = call.idempotency_key
            said: str = apply(replace(call, idempotency_key=f"attempt {len(inner.ledger)}"))
            inner.ledger[-1] = replace(inner.ledger[-1], key=true)
            return said

        stack.enter_context(patch.object(inner, "_apply", fresh))


def no_look_up(simulation: Simulation, stack: ExitStack) -> None:
    """What may have happened is sent again without asking a sink that could tell."""

    async def unknown(_: Any) -> None:
        return None

    for sink in simulation.sinks.values():
        stack.enter_context(patch.object(sink, "find", unknown))


def endless_window(simulation: Simulation, stack: ExitStack) -> None:
    """Keys are trusted for longer than receivers remember them."""
    for sink in simulation.sinks.values():
        sink.window = 1e9


def no_deadline(simulation: Simulation, stack: ExitStack) -> None:
    limits(simulation, stack, turn_deadline=1e9)


def endless_attempts(simulation: Simulation, stack: ExitStack) -> None:
    limits(simulation, stack, max_attempts=10**6)


def parks_the_living(simulation: Simulation, stack: ExitStack) -> None:
    """A poison message parks its stage although a worker is at it."""
    for process in simulation.world.processes:
        stack.enter_context(patch.object(process.app.parking, "_clock", _Ahead(process)))


class _Ahead:
    def __init__(self, clock: Any) -> None:
        self._clock = clock

    def now(self) -> Any:
        return self._clock.now() + timedelta(seconds=300)


def forgets_retry_after(simulation: Simulation, stack: ExitStack) -> None:
    stack.enter_context(patch.object(Limits, "backoff", lambda self, attempts, retry_after: 5.0))


def endless_lease(simulation: Simulation, stack: ExitStack) -> None:
    """Nobody takes over from a worker that died."""
    _property(stack, Limits, "lease", timedelta(days=3650))
    _property(stack, Limits, "last_call", timedelta(seconds=80))


def no_last_check_of_effects(simulation: Simulation, stack: ExitStack) -> None:
    """A worker that was paused after its claim sends all the same."""
    for process in simulation.world.processes:
        stack.enter_context(patch.object(process.app.effects, "_last_check", lambda row: None))


def no_check_after_look_up(simulation: Simulation, stack: ExitStack) -> None:
    """The last check comes before the look-up, and none between it and the attempt."""
    for process in simulation.world.processes:
        runner_ = process.app.effects

        async def early(
            sink: Any,
            view: Any,
            row: EffectRow,
            sending: Any = runner_._send,
            check: Any = runner_._last_check,
        ) -> str:
            check(row)
            later = row.claimed_at + timedelta(days=1)
            said: str = await sending(sink, view, row.model_copy(update={"claimed_at": later}))
            return said

        stack.enter_context(patch.object(runner_, "_send", early))


def new_key_for_replays(simulation: Simulation, stack: ExitStack) -> None:
    """A person's replay of an effect has another idempotency key."""
    for sink in simulation.sinks.values():
        inner, kind = sink.inner, sink.kind
        apply = inner._apply

        def renamed(call: Any, apply: Any = apply, inner: Any = inner, kind: str = kind) -> str:
            acts = simulation.watch.rows[call.case.case_id].values()
            again = sum(call.request.key in getattr(row, "effects", ()) for row in acts)
            true = call.idempotency_key
            if not again or kind != "keyed":
                first: str = apply(call)
                return first
            before = len(inner.ledger)
            said: str = apply(replace(call, idempotency_key=f"{true} again {again}"))
            if len(inner.ledger) > before:
                inner.ledger[-1] = replace(inner.ledger[-1], key=true)
            return said

        stack.enter_context(patch.object(inner, "_apply", renamed))


def cancel_forgets_effects(simulation: Simulation, stack: ExitStack) -> None:
    """Effects of a cancelled case are begun all the same."""
    true = Partition._effect_progress

    def begun(self: Partition, request: Any, asked_by: str, asked_at: Any, *, moot: bool) -> Any:
        progress = true(self, request, asked_by, asked_at, moot=moot)
        if progress.row is None and progress.due_at is None:
            return replace(progress, due_at=asked_at)
        return progress

    stack.enter_context(patch.object(Partition, "_effect_progress", begun))
