"""A case's rows, and the one place that says how far each stage and effect is, and what is due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from shared.domain.case import EffectPhase
from shared.domain.progress import EffectProgress, Phase, Progress, Stored
from shared.domain.proposed import Proposed, effect_key_of, proposed
from shared.domain.rows import (
    ActRow,
    DigestRow,
    EffectRow,
    GatheredRow,
    MessageRow,
    ReceivedRow,
    Row,
    StageRow,
    TargetRow,
    effect_key,
    opened_at,
    stage_key,
)
from shared.domain.stage import EffectRequest, Fetched, PlannedStage

#: Who asks for the effects of a target: not a stage, but the clock.
SLA = "sla"
#: Likewise, for the effects of a digest.
DIGEST = "digest"
#: Likewise, for the effects of a round.
ROUND = "round"


class Partition:
    """All rows of one case, as one query returned them.

    Args:
        case_id: The partition key.
        stored: The rows in any order. Rows without a ``case`` row are a half-made intake.
    """

    def __init__(self, case_id: str, stored: Iterable[Stored]) -> None:
        self.case_id = case_id
        self.stored = {item.row.key: item for item in stored}

    def with_row(self, row: Row, etag: str) -> Partition:
        """The partition as it is after one row was written."""
        changed = Partition(self.case_id, ())
        changed.stored = {**self.stored, row.key: Stored(row, etag)}
        return changed

    @cached_property
    def received(self) -> ReceivedRow | None:
        item = self.stored.get("case")
        return item.row if item and isinstance(item.row, ReceivedRow) else None

    @cached_property
    def digest(self) -> DigestRow | None:
        """What the partition of a digest has instead of a case."""
        item = self.stored.get("digest")
        return item.row if item and isinstance(item.row, DigestRow) else None

    @cached_property
    def gathered(self) -> tuple[GatheredRow, ...]:
        """What the partition of a round has instead of a case: its list, in order."""
        found = [i.row for i in self.stored.values() if isinstance(i.row, GatheredRow)]
        return tuple(sorted(found, key=lambda row: row.n))

    @property
    def closing(self) -> GatheredRow | None:
        """The number that closes a round's list; None while it is open."""
        last = self.gathered[-1] if self.gathered else None
        return last if last and last.member is None else None

    @property
    def apart(self) -> bool:
        """True for the partition of a digest or a round, which is no case and in no listing."""
        return self.digest is not None or bool(self.gathered)

    @property
    def desk(self) -> str | None:
        """The desk's name; None when there is neither a case, a digest nor a round."""
        if self.digest:
            return self.digest.digest.desk
        if self.gathered:
            return self.gathered[0].desk
        return self.received.desk if self.received else None

    @cached_property
    def messages(self) -> tuple[MessageRow, ...]:
        found = [i.row for i in self.stored.values() if isinstance(i.row, MessageRow)]
        return tuple(sorted(found, key=lambda row: row.turn))

    def message(self, turn: int) -> MessageRow:
        """The message that began a turn."""
        return next(message for message in self.messages if message.turn == turn)

    @cached_property
    def acts(self) -> tuple[ActRow, ...]:
        found = [i.row for i in self.stored.values() if isinstance(i.row, ActRow)]
        return tuple(sorted(found, key=lambda row: row.n))

    @cached_property
    def stage_rows(self) -> tuple[StageRow, ...]:
        found = [i.row for i in self.stored.values() if isinstance(i.row, StageRow)]
        return tuple(sorted(found, key=lambda row: row.key))

    @cached_property
    def effect_rows(self) -> tuple[EffectRow, ...]:
        found = [i.row for i in self.stored.values() if isinstance(i.row, EffectRow)]
        return tuple(sorted(found, key=lambda row: row.key))

    @cached_property
    def target_rows(self) -> tuple[TargetRow, ...]:
        found = [i.row for i in self.stored.values() if isinstance(i.row, TargetRow)]
        return tuple(sorted(found, key=lambda row: row.at))

    @property
    def version(self) -> int:
        """Counts what people did to the case: it grows with each message and each act."""
        return len(self.messages) + len(self.acts)

    @cached_property
    def openers(self) -> tuple[MessageRow | ActRow, ...]:
        """The messages and acts, each of which opened or reopened the case, in order of time."""
        return tuple(sorted((*self.messages, *self.acts), key=opened_at))

    @cached_property
    def resolved_up_to(self) -> int:
        """The last turn that a person called resolved; 0 for none."""
        return max((act.turn for act in self.acts if act.act == "resolve"), default=0)

    @property
    def seen_up_to(self) -> int:
        """The last turn that was there when a person last did something; 0 for none."""
        return max((act.turn for act in self.acts), default=0)

    @cached_property
    def cancelled(self) -> bool:
        return any(act.act == "cancel" for act in self.acts)

    @cached_property
    def progress(self) -> tuple[Progress, ...]:
        """Every planned stage of every turn, in the order of turns and plans."""
        return tuple(p for message in self.messages for p in self._turn_progress(message))

    def stage(self, turn: int, stage: str) -> Progress | None:
        """The progress of one stage; None when the turn's plan has no such stage."""
        return next((p for p in self.progress if p.turn == turn and p.plan.stage == stage), None)

    def said(self, message: MessageRow) -> MessageRow:
        """A message with the customer's words in it, also when they had to be fetched.

        It has none when they turned out to be in another turn.
        """
        found = self._fetched.get(message.turn)
        if found is None:
            return message
        names = ("text", "blob", "signals", "asks_for_human", "masked")
        return message.model_copy(update={name: getattr(found, name) for name in names})

    def empty(self, turn: int) -> str:
        """Why there was nothing to do in a turn; empty when there was, or nobody knows yet."""
        found = self._fetched.get(turn)
        return found.nothing if found else ""

    @cached_property
    def taken_in(self) -> frozenset[str]:
        """What senders call the messages that the case or one before it holds, also fetched."""
        sent = {m.delivery_id for m in self.messages if m.delivery_id}
        sent = sent.union(*(m.elsewhere for m in self.messages))
        return frozenset(sent.union(*(found.ids for found in self._fetched.values())))

    def fetched_before(self, message: MessageRow) -> bool:
        """Whether another turn fetched the very message that this turn's delivery brought."""
        others = (found for turn, found in self._fetched.items() if turn != message.turn)
        return any(message.delivery_id in found.ids for found in others)

    @cached_property
    def _fetched(self) -> dict[int, Fetched]:
        rows = (p.row for p in self.progress if p.phase == "finished" and p.row)
        found = {row.turn: row.writes.fetched for row in rows if row.writes.fetched}
        in_time = next((act.fetched for act in self.acts if act.act == "cancel"), None)
        return {turn: found[turn] for turn in found if in_time is None or turn in in_time}

    @property
    def fetched_turns(self) -> tuple[int, ...]:
        """The turns whose words were fetched and are there."""
        return tuple(sorted(self._fetched))

    @property
    def repeat_customer(self) -> bool:
        """Whether the customer has had a case before, as it was found when he was first known."""
        known = self.received is not None and self.received.repeat_customer
        return known or any(found.repeat_customer for found in self._fetched.values())

    @cached_property
    def actions(self) -> tuple[Proposed, ...]:
        """Every action that a stage kept, once by id."""
        current = {(p.turn, p.plan.stage): p.generation for p in self.progress}
        closed = self.messages[-1].turn if self.cancelled else self.resolved_up_to
        return proposed(self.stage_rows, current, self.acts, closed_up_to=closed)

    def action(self, action_id: str) -> Proposed | None:
        """The action of that id; None when no stage kept one."""
        return next((a for a in self.actions if a.action.id == action_id), None)

    @cached_property
    def to_do(self) -> tuple[Proposed, ...]:
        """The actions that a person is to carry out by hand and has not ticked off."""
        return self._left_to_people({e.request.key: e for e in self.effects})

    def _left_to_people(self, effects: Mapping[str, EffectProgress]) -> tuple[Proposed, ...]:
        left = (a for a in self.actions if a.by_hand and a.open and a.ticked is None)
        sent = {key for key, effect in effects.items() if effect.goes_on}
        return tuple(a for a in left if effect_key_of(a.action.id) not in sent)

    @cached_property
    def effects(self) -> tuple[EffectProgress, ...]:
        """Every effect that a stage at rest, an act or a target asks for, once by key."""
        found: dict[str, EffectProgress] = {}
        asking = [
            (row.stage, row.finished_at or row.claimed_at, row.effects)
            for row in self.stage_rows
            if row.state in ("finished", "parked")
        ]
        asking += [(act.act, act.at, act.asks) for act in self.acts]
        asking += [(SLA, target.at, target.effects) for target in self.target_rows]
        if self.digest:
            asking.append((DIGEST, self.digest.digest.made_at, self.digest.effects))
        if self.closing:
            asking.append((ROUND, self.closing.at, self.closing.effects))
        waiting = {a.action.id for a in self.actions if a.waits}
        for asked_by, at, requests in asking:
            for request in requests:
                # What came to nothing may be asked for again, under the same key: once is enough.
                known = found.get(request.key)
                if known is None or known.phase == "moot":
                    asks = bool(request.awaits) and request.about != "undone"
                    moot = asks and waiting.isdisjoint(request.awaits)
                    moot = moot or (request.while_answered and not self._rests_with(request.turn))
                    found[request.key] = self._effect_progress(request, asked_by, at, moot=moot)
        to_do = {a.action.id for a in self._left_to_people(found)}
        for key, progress in found.items():
            request = progress.request
            if request.about == "undone" and progress.row is None:
                if to_do.isdisjoint(request.awaits):
                    found[key] = replace(progress, phase="moot", due_at=None)
            elif request.instead_of and progress.row is None:
                found[key] = self._stand_in(progress, found)
        return tuple(found.values())

    def _stand_in(
        self, progress: EffectProgress, found: dict[str, EffectProgress]
    ) -> EffectProgress:
        """The same, due once one of the effects that it stands in for has failed for good."""
        others = [found[key] for key in progress.request.instead_of if key in found]
        if any(other.failed for other in others):
            return progress
        rests = all(other.at_rest for other in others)
        return replace(progress, phase="moot" if rests else "waiting", due_at=None)

    def _rests_with(self, turn: int) -> bool:
        """Whether the case was answered in that turn, needs nobody, and has no message since."""
        if any(m.turn > turn and not self.empty(m.turn) for m in self.messages):
            return False
        stages = [p for p in self.progress if not self.empty(p.turn)]
        calm = all(p.phase in ("finished", "skipped") for p in stages) and not any(
            p.row.writes.escalated or p.row.writes.should_escalate for p in stages if p.row
        )
        replied = {row.request.key for row in self.effect_rows if row.state == "done"}
        asked = {r.key for p in stages if p.row for r in p.row.effects if r.key == f"reply-{turn}"}
        failed = any(row.state in ("refused", "uncertain") for row in self.effect_rows)
        waits = any(action.waits for action in self.actions)
        return calm and asked <= replied and not failed and not waits and not self.resolved_up_to

    def effect(self, key: str) -> EffectProgress | None:
        """The progress of one effect; None when nobody asks for it."""
        return next((e for e in self.effects if e.request.key == key), None)

    def action_effect(self, action_id: str) -> EffectProgress | None:
        """The effect that carries an action out; None when nothing asks for it."""
        return self.effect(effect_key_of(action_id))

    def due_effects(self, now: datetime) -> tuple[EffectProgress, ...]:
        """The effects that may be claimed at ``now``."""
        return tuple(e for e in self.effects if e.due_at is not None and e.due_at <= now)

    def started(self, turn: int) -> datetime:
        """When the turn's work began, UTC: its message, or the latest replay in it."""
        times = [m.received_at for m in self.messages if m.turn == turn]
        times += [
            act.at
            for act in self.acts
            if act.act == "replay" and any(name.startswith(f"{turn}:") for name in act.stages)
        ]
        return max(times)

    def due(self, now: datetime) -> tuple[Progress, ...]:
        """The stages that may be claimed at ``now``: not blocked, not leased, not at rest."""
        if self.received is None or self.cancelled:
            return ()
        return tuple(p for p in self.progress if p.due_at is not None and p.due_at <= now)

    @property
    def settled(self) -> bool:
        """True when all is at rest, waits for a person, or for an hour that a wake names."""
        return (
            self.desk is not None
            and (not self.gathered or self.closing is not None)
            and (self.cancelled or all(p.due_at is None for p in self.progress))
            and all(e.due_at is None or e.dormant for e in self.effects)
        )

    @property
    def ended(self) -> bool:
        """True when the case has its answer and nothing failed: only a new message reopens it."""
        resting = all(p.phase in ("finished", "skipped") for p in self.progress)
        quiet = all(e.phase in ("done", "moot") for e in self.effects)
        waits = any(a.waits for a in self.actions) or bool(self.to_do)
        return self.cancelled or (resting and quiet and not waits)

    def _turn_progress(self, message: MessageRow) -> list[Progress]:
        done: dict[str, Progress] = {}
        again = [act for act in self.acts if act.act == "replay"]
        for plan in message.plan:
            replays = [a for a in again if f"{message.turn}:{plan.stage}" in a.stages]
            generation = len(replays)
            item = self.stored.get(stage_key(message.turn, plan.stage, generation))
            row = item.row if item and isinstance(item.row, StageRow) else None
            before = [done[name] for name in plan.after if name in done]
            phase, due_at = self._phase(plan, row, before)
            if row is None and any(_came_to_nothing(p) for p in done.values()):
                phase, due_at = "skipped", None
            if phase == "waiting" and due_at is None and all(_resolved(p) for p in before):
                times = [message.received_at]
                times += [p.row.finished_at for p in before if p.row and p.row.finished_at]
                due_at = max([*times, *(a.at for a in replays)])
            done[plan.stage] = Progress(plan, message.turn, generation, phase, row, due_at)
        return list(done.values())

    def _effect_progress(
        self, request: EffectRequest, asked_by: str, asked_at: datetime, *, moot: bool
    ) -> EffectProgress:
        replays = [a for a in self.acts if a.act == "replay" and request.key in a.effects]
        generation = len(replays)
        item = self.stored.get(effect_key(request.key, generation))
        row = item.row if item and isinstance(item.row, EffectRow) else None
        # Two stages may ask for one key: what had begun goes on as it began.
        request = row.request if row else request
        phase: EffectPhase = row.state if row else "moot" if moot else "waiting"
        due_at: datetime | None = None
        if row is None and not self.cancelled and not moot:
            # A cancelled case begins nothing; what had begun is brought to its end.
            due_at = max([request.not_before or asked_at, asked_at, *(a.at for a in replays)])
        elif row and row.state == "attempting":
            due_at = row.lease_until
        elif (
            row
            and row.state == "deferred"
            and (row.ambiguous or row.gathered or not self.cancelled)
        ):
            due_at = row.not_before
        return EffectProgress(request, asked_by, generation, phase, row, due_at)

    @staticmethod
    def _phase(
        plan: PlannedStage, row: StageRow | None, before: list[Progress]
    ) -> tuple[Phase, datetime | None]:
        if row is None:
            if plan.only_if and all(_resolved(p) for p in before) and _declined(plan, before):
                return "skipped", None
            return "waiting", None
        match row.state:
            case "working":
                return "working", row.lease_until
            case "deferred":
                return "deferred", row.not_before or row.lease_until
            case state:
                return state, None


def _came_to_nothing(progress: Progress) -> bool:
    """Whether a stage found that the turn holds nothing for us: then the rest of it is skipped."""
    fetched = progress.row.writes.fetched if progress.row else None
    return progress.phase == "finished" and fetched is not None and bool(fetched.nothing)


def _resolved(progress: Progress) -> bool:
    return progress.phase in ("finished", "skipped")


def _declined(plan: PlannedStage, before: list[Progress]) -> bool:
    said = [getattr(p.row.writes, plan.only_if or "", None) for p in before if p.row]
    return False in said and True not in said
