"""The mail of a digest: plain text and HTML that a phone and a screen reader can read. Pure.

Customers and models wrote some of what is in it: cut, made visible and escaped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from zoneinfo import ZoneInfo

from shared.domain.digest import Counts, Digest, FailedChannel, Named, NamedCase
from shared.domain.letter_text import Letter, visible
from shared.domain.notices import Block, Item, Look, Notice

_STYLE = """
body { margin: 0; background: #f2f4f7; color: #1b2430; font: 16px/1.5 system-ui, sans-serif; }
main { margin: 0 auto; max-width: 40rem; padding: 1rem; background: #fff; overflow-wrap: anywhere; }
h1 { font-size: 1.35rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; }
p { margin: .25rem 0; } .quiet { color: #4a5668; font-size: .9rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .4rem; border-bottom: 1px solid #d9dfe7; }
td { text-align: right; font-variant-numeric: tabular-nums; }
td, thead th { white-space: nowrap; } th { font-weight: 400; }
thead th { font-weight: 600; } thead th + th { text-align: right; }
ol { margin: 0; padding: 0; list-style: none; }
li { border-left: 4px solid #8794a6; padding: .4rem .75rem; margin: .5rem 0; background: #f7f9fb; }
li.critical { border-color: #b3261e; } li.high { border-color: #b45309; }
a { color: #0b57a4; text-decoration: underline; }
""".strip()
_LINE = 300
_NOTHING = "Nothing to report: nobody wrote, and nobody waits."
_PLAIN: tuple[tuple[str, str], ...] = (
    ("Messages handled", "messages"),
    ("Answered without a person", "answered"),
    ("Escalated to a person", "escalated"),
    ("Resolved", "resolved"),
    ("Cancelled", "cancelled"),
    ("Targets at risk", "at_risk"),
    ("Targets missed", "breached"),
    ("Replies held back", "held_back"),
    ("Turns that could not be finished", "parked"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One count, and the change against the window before; empty when there was none."""

    name: str
    value: str
    change: str


@dataclass(frozen=True, slots=True)
class Section:
    """A list of cases with its heading.

    Attributes:
        clock: What the time of each is, such as ``waits since``.
    """

    heading: str
    clock: str
    named: Named


def digest_letter(digest: Digest, look: Look) -> Letter:
    """The mail.

    Args:
        look: Where to see a case by its id: a URL, or a command.
    """
    subject = subject_of(digest)
    return Letter(subject, _as_text(digest, look), _as_html(digest, subject, look))


def digest_notice(digest: Digest, look: Look) -> Notice:
    """The same for a chat."""
    counted = [
        f"{f.name}: {f.value}{f' ({f.change})' if f.change else ''}" for f in figures(digest)
    ]
    blocks = []
    for section in sections(digest):
        said = ((case, *said_of(case, section, digest)) for case in section.named.first)
        items = tuple(Item(what, about, where=look(case.case_id)) for case, what, about in said)
        heading = f"{section.heading} ({section.named.total:,})"
        blocks.append(Block(heading, items, more(section)))
    return Notice(
        subject=subject_of(digest),
        opening=period(digest),
        lines=(*counted, *((_NOTHING,) if digest.nothing else ())),
        blocks=tuple(blocks),
        notes=notes(digest),
        rest="the mail and the stored copy have all of it.",
    )


def subject_of(digest: Digest) -> str:
    """One line: what is most pressing."""
    title = visible(" ".join(digest.title.split()), 60)
    found = [
        f"{digest.breached.total} late" if digest.breached.total else "",
        f"{digest.waiting.total} to decide" if digest.waiting.total else "",
        f"{digest.to_do.total} to do by hand" if digest.to_do.total else "",
        f"{digest.counts.escalated} escalated" if digest.counts.escalated else "",
    ]
    said = ", ".join(filter(None, found)) or ("nothing to report" if digest.nothing else "quiet")
    return f"[{title}] digest: {said}"


def period(digest: Digest) -> str:
    """The window by the desk's own clock."""
    zone = ZoneInfo(digest.time_zone)
    start, end = (at.astimezone(zone) for at in (digest.start, digest.end))
    return f"{start:%a %d %b %Y %H:%M} to {end:%a %d %b %Y %H:%M} ({digest.time_zone})"


def figures(digest: Digest) -> tuple[Figure, ...]:
    """The counts, those that are zero now and before left out."""
    now, before = digest.counts, digest.before
    found = [
        Figure(name, f"{getattr(now, field):,}", _change(now, before, field))
        for name, field in _PLAIN
        if getattr(now, field) or (before and getattr(before, field))
    ]
    if now.usage.calls or (before and before.usage.calls):
        found.append(Figure("Model calls", f"{now.usage.calls:,}", _delta(_calls, now, before)))
        found.append(Figure("Tokens", f"{_tokens(now):,.0f}", _delta(_tokens, now, before)))
    if now.usage.cost is not None:
        found.append(Figure("Cost", f"{now.usage.cost:,.2f}", ""))
    found += [Figure(f"Failures: {code}", f"{n:,}", "") for code, n in now.failures.items()]
    return tuple(found)


def sections(digest: Digest) -> tuple[Section, ...]:
    """The lists that are not empty, the most pressing first."""
    every = (
        Section("Targets missed", "due", digest.breached),
        Section("Targets at risk", "due", digest.at_risk),
        Section("Waiting for a decision", "asked", digest.waiting),
        Section("To do by hand", "since", digest.to_do),
        Section("Could not be finished", "stopped", digest.parked),
        Section("Escalated in this period", "at", digest.escalated),
    )
    return tuple(section for section in every if section.named.total)


def notes(digest: Digest) -> tuple[str, ...]:
    """What is to be known beside counts and lists."""
    found = [f"{digest.backlog:,} cases wait for a person." if digest.backlog else ""]
    found.append("More cases wait than were looked at." if digest.unread else "")
    found += [_undelivered(failed, digest) for failed in digest.undelivered]
    found.append("A demonstration model wrote some of this." if digest.demo else "")
    return tuple(filter(None, found))


def _undelivered(failed: FailedChannel, digest: Digest) -> str:
    zone = ZoneInfo(digest.time_zone)
    may = "may not have reached" if failed.state == "uncertain" else "did not reach"
    what = f"The digest of {failed.end.astimezone(zone):%a %d %b %H:%M} {may} {failed.channel}"
    return f"{what} ({failed.reason}): see ./frontdesk parked."


def said_of(case: NamedCase, section: Section, digest: Digest) -> tuple[str, str]:
    """What to say of a case: what it is about, and when and why it is in the list."""
    what = visible(" ".join(case.what.split()), _LINE) or "(no summary)"
    why = visible(" ".join(case.why.split()), _LINE)
    at = f"{case.since.astimezone(ZoneInfo(digest.time_zone)):%d %b %H:%M}"
    age = _age(digest.made_at - case.since)
    urgency = f"{case.urgency}; " if case.urgency in ("critical", "high") else ""
    return what, f"{urgency}{section.clock} {at} ({age}){f'; {why}' if why else ''}"


def more(section: Section) -> str:
    """How many cases of a list are not named; empty for none."""
    left = section.named.total - len(section.named.first)
    return f"and {left:,} more" if left else ""


def _age(time: timedelta) -> str:
    minutes = int(abs(time).total_seconds() // 60)
    said = (
        f"{minutes // 1440} d {minutes % 1440 // 60} h" if minutes >= 1440
        else f"{minutes // 60} h {minutes % 60} min" if minutes >= 60
        else f"{minutes} min"
    )  # fmt: skip
    return f"in {said}" if time < timedelta() else f"{said} ago"


def _calls(counts: Counts) -> float:
    return counts.usage.calls


def _tokens(counts: Counts) -> float:
    return counts.usage.prompt_tokens + counts.usage.completion_tokens


def _change(now: Counts, before: Counts | None, field: str) -> str:
    return _delta(lambda counts: getattr(counts, field), now, before)


def _delta(of: Callable[[Counts], float], now: Counts, before: Counts | None) -> str:
    if before is None:
        return ""
    change = of(now) - of(before)
    return f"{change:+,.0f}" if change else "same"


def _as_text(digest: Digest, look: Look) -> str:
    blocks = [f"{visible(digest.title, 60)}: digest\n{period(digest)}"]
    if digest.nothing:
        blocks.append(_NOTHING)
    if found := figures(digest):
        width = max(len(figure.name) for figure in found)
        blocks.append("\n".join(_figure_line(figure, width) for figure in found))
    for section in sections(digest):
        lines = [f"{section.heading} ({section.named.total:,})"]
        for case in section.named.first:
            what, about = said_of(case, section, digest)
            lines.append(f"- {what}\n  {about}\n  {look(case.case_id)}")
        blocks.append("\n".join(filter(None, [*lines, more(section)])))
    blocks += ["\n".join(notes(digest))] if notes(digest) else []
    return "\n\n".join(blocks) + "\n"


def _figure_line(figure: Figure, width: int) -> str:
    change = f"  ({figure.change})" if figure.change else ""
    return f"{figure.name.ljust(width)}  {figure.value}{change}"


def _as_html(digest: Digest, subject: str, look: Look) -> str:
    parts = [f"<h1>{escape(visible(digest.title, 60))}: digest</h1>"]
    parts.append(f'<p class="quiet">{escape(period(digest))}</p>')
    if digest.nothing:
        parts.append(f"<p>{_NOTHING}</p>")
    if found := figures(digest):
        rows = "".join(
            f'<tr><th scope="row">{escape(f.name)}</th><td>{f.value}</td><td>{f.change}</td></tr>\n'
            for f in found
        )
        head = (
            '<tr><th scope="col">What</th><th scope="col">Now</th><th scope="col">Change</th></tr>'
        )
        parts.append(f"<table>\n<thead>{head}</thead>\n<tbody>\n{rows}</tbody>\n</table>")
    for section in sections(digest):
        items = "".join(_item(case, section, digest, look) for case in section.named.first)
        parts.append(f"<h2>{section.heading} ({section.named.total:,})</h2>\n<ol>\n{items}</ol>")
        parts += [f'<p class="quiet">{more(section)}</p>'] if more(section) else []
    parts += [f"<p>{escape(note)}</p>" for note in notes(digest)]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(subject)}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def _item(case: NamedCase, section: Section, digest: Digest, look: Look) -> str:
    what, about = said_of(case, section, digest)
    where = escape(look(case.case_id))
    # A link says where it leads: all of them being called "look" helps nobody.
    link = (
        f'<a href="{where}">Case {escape(case.case_id[:8])}</a>'
        if where.startswith(("https://", "http://"))
        else f"<code>{where}</code>"
    )
    return (
        f'<li class="{case.urgency or "normal"}"><p dir="auto">{escape(what)}</p>'
        f'<p class="quiet" dir="auto">{escape(about)}</p><p>{link}</p></li>\n'
    )
