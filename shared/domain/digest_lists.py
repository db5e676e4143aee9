"""The lists of a digest: in which order, and what is said of each case that they name. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from shared.domain.case import IndexEntry, SupportCase
from shared.domain.digest import MOST_NAMED, Named, NamedCase
from shared.domain.gathering import shown
from shared.domain.journal import JournalEntry

#: Since when a case is in a list, and why.
About = Callable[[IndexEntry, SupportCase | None], tuple[datetime, str]]


def oldest(entries: Iterable[IndexEntry]) -> list[IndexEntry]:
    """Those first whose case began first."""
    return sorted(entries, key=lambda entry: (entry.created_at, entry.case_id))


def due(entry: IndexEntry) -> datetime:
    """When the next of its targets is missed, UTC."""
    return entry.due_at or entry.created_at


def to_do_since(entry: IndexEntry) -> datetime:
    """Since when a person is to carry out the oldest of its actions by hand, UTC."""
    return entry.to_do_since or entry.created_at


def named_cases(
    entries: Sequence[IndexEntry], cases: Mapping[str, SupportCase], about: About
) -> Named:
    """The list of these entries.

    Args:
        cases: Those of the first entries, by id; one that is missing is named by its entry.
    """
    first = []
    for entry in entries[:MOST_NAMED]:
        since, why = about(entry, cases.get(entry.case_id))
        first.append(
            NamedCase(
                case_id=entry.case_id,
                since=since,
                urgency=entry.urgency,
                what=_words(cases.get(entry.case_id), entry.subject),
                why=shown(why),
            )
        )
    return Named(total=len(entries), first=tuple(first))


def escalations(entries: Sequence[JournalEntry], cases: Mapping[str, SupportCase]) -> Named:
    """The list of what went to a person."""
    first = tuple(
        NamedCase(
            case_id=entry.case_id,
            since=entry.at,
            urgency=entry.urgency,
            what=_words(cases.get(entry.case_id), ""),
            why=shown("; ".join(entry.about)),
        )
        for entry in entries[:MOST_NAMED]
    )
    return Named(total=len(entries), first=first)


def proposals(state: Literal["waiting", "to_do"]) -> About:
    """Since when the oldest action of a state is in it, and what each does, with its reason."""

    def about(entry: IndexEntry, case: SupportCase | None) -> tuple[datetime, str]:
        found = [action for action in case.actions if action.state == state] if case else []
        if not found:
            waits = state == "waiting"
            since = entry.created_at if waits else to_do_since(entry)
            return since, ", ".join(entry.waiting if waits else entry.to_do)
        said = []
        for action in found:
            given = ", ".join(f"{name}: {value}" for name, value in action.arguments.items())
            why = f", because {action.reason}" if action.reason else ""
            said.append(f"{action.name}{f' ({given})' if given else ''}{why}")
        return min(action.decided_at or action.asked_at for action in found), "; ".join(said)

    return about


def missed(entry: IndexEntry, case: SupportCase | None) -> tuple[datetime, str]:
    """When its next target is missed, and which targets run."""
    running = [t for t in case.targets if t.stopped_at is None] if case else []
    return due(entry), ", ".join(t.target.replace("_", " ") for t in running)


def stopped(entry: IndexEntry, _: SupportCase | None) -> tuple[datetime, str]:
    """When it stopped, and what could not be finished."""
    return entry.updated_at, entry.reason


def _words(case: SupportCase | None, subject: str) -> str:
    return shown((case.summary or case.customer_query) if case else subject)
