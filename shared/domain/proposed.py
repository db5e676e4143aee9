"""How far each proposed action is: proposed by which run of the stage, decided on by whom. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.desk_action import BY_HAND
from shared.domain.rows import ActRow, StageRow
from shared.domain.stage import Action, EffectRequest


@dataclass(frozen=True, slots=True)
class Proposed:
    """One action of a case, however often it was proposed.

    Attributes:
        action: As the latest run that proposes it kept it. What an approval saw is in its own row.
        kept_at: UTC.
        current: The latest run of its stage proposes it.
        decision: The approval or rejection.
        ticked: A person's word that it was carried out by hand.
        open: Neither cancelled nor resolved: somebody may still decide.
    """

    action: Action
    turn: int
    kept_at: datetime
    current: bool
    decision: ActRow | None
    ticked: ActRow | None
    open: bool

    @property
    def waits(self) -> bool:
        """True while it waits for somebody's yes."""
        return self.action.verdict == "ask" and self.current and self.open and self.decision is None

    @property
    def goes(self) -> bool:
        """True when it may be carried out: by its own rule, or by a person's yes."""
        if self.decision is not None:
            return self.decision.act == "approve"
        return self.action.verdict == "execute"

    @property
    def by_hand(self) -> bool:
        """True when it goes and nothing but a person carries it out.

        What does is settled with the yes: its backend may be another than when it was proposed.
        """
        if self.decision is not None:
            return self.goes and not any(request.action for request in self.decision.asks)
        return self.goes and self.action.backend == BY_HAND

    @property
    def goes_since(self) -> datetime:
        """When it had its yes, or needed none, UTC."""
        return self.decision.at if self.decision else self.kept_at


def action_id(turn: int, name: str, arguments: Mapping[str, object]) -> str:
    """The same for the same turn, name and arguments; part of the idempotency key."""
    said = json.dumps([turn, name, arguments], sort_keys=True, ensure_ascii=False)
    return f"{name}-{turn}-{hashlib.sha256(said.encode()).hexdigest()[:10]}"


def effect_key_of(action: str) -> str:
    """Key of the effect that carries an action out."""
    return f"action-{action}"


def carry_out(actions: Iterable[Action], turn: int) -> tuple[EffectRequest, ...]:
    """The effects of actions that need no yes, or have it; none for those done by hand."""
    return tuple(
        EffectRequest(
            key=effect_key_of(action.id), sink=sink_of(action.backend), to=(), turn=turn,
            action=action,
        )
        for action in actions
        if action.verdict == "execute" and action.backend != BY_HAND
    )  # fmt: skip


def sink_of(backend: str) -> str:
    """Name of the sink of a backend."""
    return f"action-{backend}"


def proposed(
    rows: Iterable[StageRow],
    current: Mapping[tuple[int, str], int],
    acts: Sequence[ActRow],
    *,
    closed_up_to: int,
) -> tuple[Proposed, ...]:
    """Every action that a finished stage kept, once by id, in the order of turns.

    Args:
        rows: All stage rows, in the order of their keys.
        current: The latest generation of each turn's stage.
        closed_up_to: The last turn in which nobody may decide any more.
    """
    found: dict[str, Proposed] = {}
    for row in rows:
        if row.state != "finished":
            continue
        latest = current.get((row.turn, row.stage)) == row.generation
        for action in row.actions:
            known = found.get(action.id)
            said = [act for act in acts if act.action == action.id]
            found[action.id] = Proposed(
                action=known.action if known and not latest else action,
                turn=row.turn,
                kept_at=known.kept_at if known else row.finished_at or row.claimed_at,
                current=latest,
                decision=next((a for a in said if a.act in ("approve", "reject")), None),
                ticked=next((a for a in said if a.act == "done"), None),
                open=row.turn > closed_up_to,
            )
    return tuple(found.values())
