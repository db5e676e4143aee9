"""Digests to show and to send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.digest import MOST_NAMED, Counts, Digest, Named, NamedCase
from shared.domain.stage import Usage

END = datetime(2026, 3, 30, 6, tzinfo=UTC)
_WHAT = (
    "Room 12 smells of gas, the guest has left the building.",
    "Guest was charged twice for two nights and threatens with a lawyer.",
    "Heating in room 31 has not worked since yesterday evening.",
    "Family of four was given a room with one bed.",
    "Breakfast was cold and nobody answered at the front desk.",
)


def named(total: int, why: str, what: str = "", hours: int = 5) -> Named:
    first = tuple(
        NamedCase(
            case_id=f"{n:08d}-0000-4000-8000-000000000000",
            since=END - timedelta(hours=hours + n),
            urgency=("critical", "high", "normal", "low")[n % 4],
            what=what or _WHAT[n % len(_WHAT)],
            why=why,
        )
        for n in range(min(total, MOST_NAMED))
    )
    return Named(total=total, first=first)


def a_digest(size: int = 3, what: str = "", why: str = "", **more: Any) -> Digest:
    """A digest with ``size`` cases in each list."""
    usage = Usage(calls=size * 9, prompt_tokens=size * 4000, completion_tokens=700, cost=1.25)
    counts = Counts(
        messages=size * 3, answered=size * 2, escalated=size, resolved=size, breached=size,
        failures={"rate_limited": 4, "content_filter": 1}, usage=usage,
    )  # fmt: skip
    before = Counts(messages=size * 2, answered=size, escalated=size + 2, usage=usage)
    given: dict[str, Any] = {
        "desk": "hotel",
        "title": "Harbour Lane Hotel",
        "time_zone": "Europe/Berlin",
        "start": END - timedelta(hours=23),
        "end": END,
        "made_at": END + timedelta(minutes=5),
        "counts": counts,
        "before": before,
        "escalated": named(size, why or "risk: safety; urgency: critical", what),
        "waiting": named(size, why or "refund_guest (amount: 80), because charged twice", what),
        "to_do": named(size, why or "call_guest (topic: refund), because he asked for it", what),
        "breached": named(size, why or "resolution", what),
        "at_risk": named(size, why or "first reply", what, hours=-20),
        "parked": named(size, why or "sentiment: refusal", what),
        "backlog": size + 4,
    }
    return Digest(**{**given, **more})
