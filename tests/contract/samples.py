"""Rows and index entries for the contract suite."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.case import IndexEntry
from shared.domain.rows import (
    ActRow,
    Channel,
    GatheredRow,
    Member,
    MessageRow,
    ReceivedRow,
    StageRow,
    WindowRow,
)
from shared.domain.stage import EffectRequest, PlannedStage, Round

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def received(scene: str = "A hotel") -> ReceivedRow:
    return ReceivedRow(
        desk="hotel", scene=scene, channel=Channel(), created_at=NOON, fingerprint="f" * 64
    )


def message(turn: int = 1, text: str = "My room is dirty.") -> MessageRow:
    plan = (PlannedStage(stage="sentiment", role="Analyst", objective="Tell the mood"),)
    return MessageRow(
        turn=turn,
        text=text,
        size=len(text.encode()),
        received_at=NOON,
        plan=plan,
        fingerprint="f" * 64,
    )


def stage(owner: str = "worker-1", epoch: int = 1, **more: Any) -> StageRow:
    return StageRow(
        turn=1,
        stage="sentiment",
        state="working",
        epoch=epoch,
        owner=owner,
        lease_until=NOON + timedelta(seconds=90),
        attempts=epoch,
        claimed_at=NOON,
        **more,
    )


def act(n: int = 1) -> ActRow:
    return ActRow(n=n, act="cancel", by="ada", at=NOON, reason="asked on the phone")


def gathered(n: int = 1) -> GatheredRow:
    end = NOON + timedelta(minutes=10)
    round_ = Round(id="round.hotel.x.flood", desk="hotel", who="Duty", end=end, why="flood")
    member = Member(case_id="c1", effect="escalated-1", generation=0, severity="high")
    asked = EffectRequest(
        key="escalated-1", sink="email", to=("duty@example.com",), turn=1, round=round_
    )
    return GatheredRow(n=n, desk="hotel", round=round_, member=member, at=NOON, asked=asked)


def window() -> WindowRow:
    return WindowRow(start=NOON - timedelta(days=1), end=NOON)


def entry(case_id: str, minute: float = 0, **more: Any) -> IndexEntry:
    at = NOON + timedelta(minutes=minute)
    fields = {"desk": "hotel", "status": "open", "created_at": at, "updated_at": at}
    return IndexEntry.model_validate({"case_id": case_id, **fields, **more})
