"""The evidence of a run in which nothing went wrong, for tests that plant what would be wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.digest import digest_id
from shared.domain.fold import index_entry
from shared.domain.outbound import mark_of
from shared.domain.partition import Partition
from shared.domain.progress import Stored
from shared.domain.proposed import carry_out
from shared.domain.rows import (
    ActRow,
    Channel,
    DigestRow,
    EffectRow,
    MessageRow,
    ReceivedRow,
    Row,
    StageRow,
)
from shared.domain.stage import Action, EffectRequest, PlannedStage, StageEvent, Writes
from shared.pipeline.limits import Limits
from tests.chaos.evidence import (
    Books,
    Call,
    Carried,
    Decision,
    Evidence,
    Promise,
    Reply,
    Words,
    token,
)
from tests.support.digests import a_digest

CASE = "11111111-1111-4111-8111-111111111111"
DIGEST = digest_id("hotel", "2026-03-04T0630Z")
CRM_CASE = "22222222-2222-4222-8222-222222222222"
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
TEXT = f"{token(1, 1)} My room is dirty."
TICKET_TEXT = f"{token(2, 1)} Thank you."
REPLY = EffectRequest(key="reply-1", sink="callback", to=("https://crm.example.com",), turn=1)
MAIL = EffectRequest(key="escalated-1", sink="email", to=("desk@hotel.example",), turn=1)
FREE = Action(
    id="send_tow_truck-1-aaaaaaaaaa", name="send_tow_truck", arguments={"place": "here"},
    verdict="execute", backend="http",
)  # fmt: skip
ASKED = Action(id="refund-1-bbbbbbbbbb", name="refund", arguments={"amount": 30.0}, backend="http")
(TOW,) = carry_out([FREE], 1)
(PAY,) = carry_out([ASKED.model_copy(update={"verdict": "execute"})], 1)
NOTE = EffectRequest(key="note-1", sink="zendesk", to=("T-1",), turn=1)
SUMMARY = EffectRequest(key="email", sink="email", to=("boss@hotel.example",), turn=0)
LABELS = EffectRequest(key="labels-1", sink="zendesk", to=("T-1",), turn=1)
CLAIM = {"epoch": 1, "owner": "a", "lease_until": NOW, "attempts": 1, "claimed_at": NOW}


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def events(*what: tuple[float, int, str]) -> tuple[StageEvent, ...]:
    return tuple(
        StageEvent.model_validate({"at": at(when), "epoch": epoch, "event": event})
        for when, epoch, event in what
    )


def a_stage(**more: Any) -> StageRow:
    fields: dict[str, Any] = {
        **CLAIM,
        "turn": 1,
        "stage": "customer_query",
        "state": "finished",
        "finished_at": at(3),
        "writes": Writes(support_response="We are sorry."),
        "actions": (FREE, ASKED),
        "effects": (REPLY, MAIL, TOW),
        "events": events((1, 1, "claimed"), (3, 1, "finished")),
    }
    return StageRow.model_validate(fields | more)


def an_effect(request: EffectRequest, **more: Any) -> EffectRow:
    fields: dict[str, Any] = {
        **CLAIM,
        "request": request,
        "state": "done",
        "first_at": NOW,
        "finished_at": at(5),
        "events": events((4, 1, "claimed"), (5, 1, "done")),
    }
    return EffectRow.model_validate(fields | more)


def a_yes(**more: Any) -> ActRow:
    fields: dict[str, Any] = {"n": 1, "act": "approve", "by": "ana", "at": at(6), "turn": 1}
    return ActRow.model_validate(fields | {"action": ASKED.id, "asks": (PAY,)} | more)


def carried(action: Action, **more: Any) -> Carried:
    """A line of the service's ledger."""
    key = f"{CASE}-action-{action.id}"
    fields: dict[str, Any] = {"sink": "action-http", "key": key, "at": at(7)}
    return Carried(**fields | {"name": action.name, "arguments": action.arguments} | more)


def a_ticket() -> Partition:
    """The case of a ticket, with a note and labels in it."""
    plan = PlannedStage(stage="sentiment", role="agent", objective="Judges.")
    message = MessageRow(
        turn=1,
        text=f"Room 4\n\n{TICKET_TEXT}",
        size=9,
        fingerprint="f",
        delivery_id="m-1",
        received_at=NOW,
        plan=(plan,),
    )
    channel = Channel(source="zendesk", external_id="T-1", connected=True)
    received = ReceivedRow(desk="hotel", scene="A hotel.", channel=channel, created_at=NOW)
    stage = a_stage(
        stage="sentiment",
        writes=Writes(sentiment="Positive", support_response="Thanks."),
        actions=(),
        effects=(NOTE, LABELS),
    )
    rows: list[Row] = [received, message, stage, an_effect(NOTE), an_effect(LABELS)]
    return Partition(CRM_CASE, [Stored(row, "") for row in rows])


def a_sealed_digest() -> Partition:
    """A desk's digest, and that it was sent."""
    row = DigestRow(digest=a_digest(0), effects=(SUMMARY,))
    return Partition(DIGEST, [Stored(row, ""), Stored(an_effect(SUMMARY), "")])


def clean() -> Evidence:
    """One case that was answered, its reply posted, its mail sent, and two actions carried out.

    And one of a CRM, with a note in its ticket.
    """
    plan = PlannedStage(stage="customer_query", role="agent", objective="Answers.")
    message = MessageRow(
        turn=1,
        text=TEXT,
        size=len(TEXT),
        fingerprint="f",
        delivery_id="d",
        received_at=NOW,
        plan=(plan,),
    )
    received = ReceivedRow(desk="hotel", scene="A hotel.", channel=Channel(), created_at=NOW)
    done = [an_effect(request) for request in (REPLY, MAIL, TOW, PAY)]
    rows: list[Row] = [received, message, a_stage(), *done, a_yes()]
    view = Partition(CASE, [Stored(row, "") for row in rows])
    return Evidence(
        limits=Limits(),
        cases={CASE: view, CRM_CASE: a_ticket(), DIGEST: a_sealed_digest()},
        promises=[Promise(1, CASE, "d", TEXT)],
        calls=[Call(at(1.5).timestamp(), 1, 1, "customer_query", 200)],
        applied=[f"{CASE}-reply-1"],
        replies=[Reply(f"{CASE}-reply-1", CASE, 1, "We are sorry.")],
        mails=[f"{CASE}-escalated-1", f"{DIGEST}-email".replace(":", "_")],
        carried=[carried(FREE), carried(ASKED)],
        decisions=[Decision(CASE, ASKED.id, "approve", by_link=True)],
        words=[Words("zendesk", "hotel", "T-1", TICKET_TEXT)],
        books={"zendesk": Books("queryable", [mark_of(f"{CRM_CASE}-note-1")], mark_of)},
        listed=[("answered", index_entry(view)), ("answered", index_entry(a_ticket()))],
    )
