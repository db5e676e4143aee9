"""A message to a desk's people before it has the form of a mail or of a chat's cards. Pure.

Others wrote some of what is in it: whoever makes one masks it and cuts it, and whoever shows one
shows it as plain text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from zoneinfo import ZoneInfo

from shared.domain.gathering import Gathering
from shared.domain.letter_text import Letter, link, visible

Look = Callable[[str], str]
_SAID = {"critical": "Critical", "high": "High", "normal": "Normal"}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of a list.

    Attributes:
        about: What is said of it, less loudly.
        what: What its link is called.
        where: A URL, or a command; empty for neither.
    """

    text: str
    about: str = ""
    what: str = "Open"
    where: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A list with its heading; ``more`` says how many are not in it."""

    heading: str
    items: tuple[Item, ...]
    more: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """The message.

    Attributes:
        subject: One line.
        opening: What it is about, and of when.
        lines: Plain statements, such as counts.
        notes: What else is to be known, at the end.
        rest: Where the others are when a chat has no room for all of it.
    """

    subject: str
    opening: str
    lines: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    notes: tuple[str, ...] = ()
    rest: str = "the listing of cases has all of it."


def gathered_notice(gathering: Gathering, look: Look) -> Notice:
    """The message that stands for many: all of them, the most severe first."""
    title, count = visible(" ".join(gathering.title.split()), 60), len(gathering.members)
    end = f"{gathering.end.astimezone(ZoneInfo(gathering.time_zone)):%a %d %b %H:%M}"
    cases = f"{count:,} message{'' if count == 1 else 's'}"
    if gathering.why == "quiet":
        opening = f"{title}: {cases} came for you while it was quiet, until {end}."
    else:
        opening = f"{title}: {cases} came for you in a short time, until {end}."
    before = f"{gathering.before:,} before them came one by one." if gathering.before else ""
    blocks = []
    for severity, heading in _SAID.items():
        items = tuple(
            Item(visible(m.what, 300) or "(no summary)", visible(m.why, 300), where=look(m.case_id))
            for m in gathering.members
            if m.severity == severity
        )
        if items:
            blocks.append(Block(f"{heading} ({len(items):,})", items))
    return Notice(
        subject=f"[{title}] {cases} for you",
        opening=opening,
        lines=(before,) if before else (),
        blocks=tuple(blocks),
    )


def notice_letter(notice: Notice) -> Letter:
    """The message as a mail."""
    return Letter(notice.subject, "\n\n".join(_as_text(notice)) + "\n", _as_html(notice))


def _as_text(notice: Notice) -> Iterable[str]:
    yield notice.opening
    if notice.lines:
        yield "\n".join(notice.lines)
    for block in notice.blocks:
        said = ("\n  ".join(filter(None, (i.text, i.about, i.where))) for i in block.items)
        yield "\n".join(filter(None, (block.heading, *(f"- {item}" for item in said), block.more)))
    if notice.notes:
        yield "\n".join(notice.notes)


def _as_html(notice: Notice) -> str:
    parts = [f"<p><strong>{escape(notice.opening)}</strong></p>"]
    parts += [f"<p>{escape(line)}</p>" for line in notice.lines]
    for block in notice.blocks:
        items = "".join(f'<li dir="auto">{_item(item)}</li>\n' for item in block.items)
        parts.append(f"<h2>{escape(block.heading)}</h2>\n<ul>\n{items}</ul>")
        parts += [f"<p>{escape(block.more)}</p>"] if block.more else []
    parts += [f"<p>{escape(note)}</p>" for note in notice.notes]
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        f"<title>{escape(notice.subject)}</title></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _item(item: Item) -> str:
    where = link(item.where, item.what) if item.where else ""
    return "<br>\n".join(filter(None, (escape(item.text), escape(item.about), where)))
