"""The desks of the simulated world, and when their digests end."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, get_args
from zoneinfo import ZoneInfo

from shared.domain.approvals import Approvals
from shared.domain.contacts import Contact
from shared.domain.desk import CrmRules, Desk, Desks
from shared.domain.desk_action import CatalogueAction
from shared.domain.digest import Counts, FiledDigest
from shared.domain.promises import Promise
from shared.domain.stage import Urgency
from tests.simulation.permissions import AUTOMATIC, MOST
from tests.simulation.world import START

if TYPE_CHECKING:
    from tests.simulation.scenario import Digests, Tickets

#: Desks with digests, and their time zones.
DIGESTED = {"hotel": "Europe/Berlin", "busy": "Asia/Kathmandu"}
#: The desk ``busy``'s window ends so long after that of ``hotel``.
_LATER = timedelta(minutes=12)
#: No clock of the zones above is changed while a schedule lasts. Schedules begin on a Wednesday.
_DAYS: dict[str, tuple[str, ...]] = {
    "hotel": ("every_day",),
    "busy": ("thursday", "friday", "sunday"),
}
_WEEKDAYS = {"thursday": 3, "friday": 4, "sunday": 6}
#: From the end of a window until it is closed by every clock.
_CLOSED = timedelta(minutes=6)


def planned_ends(desk: str, digests: Digests, until: datetime) -> list[datetime]:
    """Ends of the desk's windows from nine days before the start on, without the product's code."""
    first = START + timedelta(minutes=digests.at) + (_LATER if desk == "busy" else timedelta())
    every = (first + timedelta(days=n) for n in range(-9, 20))
    wanted = {_WEEKDAYS[day] for day in _DAYS[desk] if day in _WEEKDAYS} or set(range(7))
    zone = ZoneInfo(DIGESTED[desk])
    return [e for e in every if e <= until and e.astimezone(zone).weekday() in wanted]


def filed_before(desk: str, digests: Digests) -> FiledDigest:
    """The desk's last digest before the start."""
    start, end = planned_ends(desk, digests, START)[-2:]
    return FiledDigest(desk=desk, start=start, end=end, sealed_at=end + _CLOSED, counts=Counts())


def days_later(digests: Digests) -> float:
    """Seconds from the start until days have passed and their last windows are closed."""
    time = timedelta(days=digests.days, minutes=digests.at) + _LATER + _CLOSED
    return time.total_seconds()


@lru_cache
def simulated_desks(digests: Digests | None, tickets: Tickets) -> Desks:
    """The desks of a schedule; the one called default has neither digests nor tickets."""
    hotel = _hotel("hotel", tickets)
    desks = [_hotel("default", ""), hotel, _busy(hotel)]
    return Desks(tuple(_with_digest(desk, digests) if digests else desk for desk in desks))


def _with_digest(desk: Desk, digests: Digests) -> Desk:
    if desk.name not in DIGESTED:
        return desk
    zone = DIGESTED[desk.name]
    end = START + timedelta(minutes=digests.at) + (_LATER if desk.name == "busy" else timedelta())
    plan = {
        "at": f"{end.astimezone(ZoneInfo(zone)):%H:%M}",
        "days": _DAYS[desk.name],
        "email": (f"lead@{desk.name}.example",),
        "slack": desk.name == "hotel",
    }
    return Desk.model_validate({**dict(desk), "time_zone": zone, "digest": plan})


def _hotel(name: str, tickets: Tickets) -> Desk:
    amount = {"name": "amount", "type": "number", "description": "How much", "minimum": 0}
    said: dict[str, Any] = {"description": "Does it.", "when": "Wanted.", "backend": "http"}
    ticket = {"type": "ticket", "system": tickets, "title": "Help in {place}"}
    actions = (
        said
        | {
            "name": "send_help",
            "approval": "auto",
            "arguments": ({"name": "place", "description": "Where"},),
            "backend": ticket if tickets else "http",
        },
        said
        | {"name": "pay", "arguments": (amount,), "money": {"argument": "amount", "most": MOST}},
        said
        | {
            "name": "gift",
            "approval": "auto",
            "arguments": (amount,),
            "money": {"argument": "amount", "automatic": AUTOMATIC, "most": MOST},
        },
    )
    more: dict[str, Any] = {"escalation": {"ticket": tickets}} if tickets else {}
    return Desk(
        name=name,
        title=name,
        scene=f"The {name}.",
        actions=tuple(map(CatalogueAction.model_validate, actions)),
        tell=(
            Contact(name="Desk", email="desk@hotel.example"),
            Contact(name="Boss", email="boss@hotel.example", about="management"),
        ),
        approvals=Approvals(remind_after="10m", escalate_after="20m"),
        callback_hosts=("crm.example.com",),
        crm=CrmRules(turns_alone=2),
        sla=tuple(
            Promise(urgency=urgency, first_reply="5m", resolution="10m")
            for urgency in get_args(Urgency)
        ),
        **more,
    )


def _busy(desk: Desk) -> Desk:
    """A desk with rules of its own, where much comes at once and nights are quiet."""
    wish = {"action": "gift", "arguments": {"amount": 5}}
    help_ = {"action": "send_help", "arguments": {"place": "lobby"}}
    rules = (
        {"name": "good", "when": {"sentiment": "Positive"}, "then": {"ask_for_review": True}},
        {"name": "cost", "when": {"words": ("costly",)}, "then": {"propose": (wish,)}},
        {"name": "bad", "when": {"words": ("bad",)}, "then": {"propose": (help_,)}},
        {"name": "more", "when": {"writes_again": True}, "then": {"tell": ("Boss",)}},
        {"name": "regular", "when": {"repeat_customer": True}, "then": {"tags": ("regular",)}},
    )
    more = {
        "name": "busy",
        "tell": (
            {"name": "Desk", "email": "desk@busy.example"},
            {"name": "Room", "channel": "slack", "quiet": "night"},
            {"name": "Last", "email": "last@busy.example", "fallback": True},
            {"name": "Boss", "email": "boss@busy.example", "about": "management"},
        ),
        "windows": ({"name": "night", "every_day": "23:30-0:30"},),
        "flood": {"more_than": 1, "within": "10m"},
        "reactions": rules,
        "review": {"after": "30m", "texts": ({"language": "en", "text": "Please do."},)},
    }
    return Desk.model_validate({**dict(desk), **more})
