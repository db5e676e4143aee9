"""Effect calls to hand to sinks: a case of a hotel, as the engine would pass it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shared.domain.case import ActionState, ActionView, SupportCase, Turn
from shared.domain.contacts import Contact
from shared.domain.desk import Desk
from shared.domain.desk_action import CatalogueAction
from shared.domain.rows import Channel
from shared.domain.stage import Action, EffectRequest
from shared.ports import EffectCall

CASE_ID = "0b0b7c62-3a51-5d4e-9d0c-6f6f1f0a2b3c"
KEY = f"{CASE_ID}-reply-1"
_AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def a_desk(**more: Any) -> Desk:
    action = CatalogueAction(name="refund", description="Pays back.", when="Charged wrongly.")
    return Desk.model_validate(
        {
            "name": "hotel",
            "title": "Harbour Lane Hotel",
            "scene": "A hotel.",
            "actions": (action,),
            "tell": (Contact(name="Duty", email="duty@hotel.example.com"),),
            **more,
        }
    )


def an_action(name: str, state: ActionState = "waiting", **more: Any) -> ActionView:
    return ActionView(id=f"{name}-1-0", name=name, turn=1, asked_at=_AT, state=state, **more)


def a_case(**more: Any) -> SupportCase:
    query = more.pop("customer_query", "Room 4 is dirty and I was charged twice.")
    return SupportCase(
        **{
            "case_id": CASE_ID,
            "support_context": "A hotel.",
            "customer_query": query,
            "support_response": "We are sorry and look into it.",
            "sentiment": "Negative",
            "urgency": "high",
            "risks": ("legal",),
            "summary": "Room 4 is dirty and was charged twice.",
            "decision": ("escalate: negative sentiment",),
            "actions": (
                an_action("refund", arguments={"amount": 50}, reason="charged twice"),
                an_action("send_housekeeping", arguments={"room": "4"}, state="under_way"),
            ),
            "escalated": True,
            "language": "en",
            "desk": "hotel",
            "status": "escalated",
            "channel": Channel(source="crm", external_id="T-77"),
            "turns": (Turn(turn=1, text=query, received_at=_AT),),
            "created_at": _AT,
            "updated_at": _AT,
            **more,
        }
    )


#: What a desk file says of the backends that need to be told something.
_OPTIONS: dict[str, dict[str, Any]] = {
    "email": {"to": ("till@hotel.example.com",), "subject": "{action}", "text": "Pay back."},
    "python": {"function": "carry_out"},
}


def a_call(
    *to: str,
    key: str = KEY,
    case: SupportCase | None = None,
    desk: Desk | None = None,
    action: str = "",
) -> EffectCall:
    """A call; with ``action`` one of an action of that backend, such as ``ticket jira``."""
    request = EffectRequest(key="reply-1", sink="any", to=to, turn=1)
    if action:
        action, _, system = action.partition(" ")
        backend = {
            "type": action,
            **_OPTIONS.get(action, {}),
            **({"system": system} if system else {}),
        }
        known = CatalogueAction.model_validate(
            {"name": "refund", "description": "Pays back.", "when": "Wrong.", "backend": backend}
        )
        desk = desk or a_desk(actions=(known,))
        carried = Action(id="refund-1-0", name="refund", backend=action)
        request = request.model_copy(update={"action": carried, "to": ()})
    return EffectCall(
        idempotency_key=key, request=request, about=case or a_case(), desk=desk or a_desk()
    )
