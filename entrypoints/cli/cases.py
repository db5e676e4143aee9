"""``cases``: the listing, newest first."""

from __future__ import annotations

import argparse
import json
import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from entrypoints.cli import local
from entrypoints.cli.exits import DONE
from entrypoints.cli.terminal import Ink, Part, Screen, Terminal, clip, pad

if TYPE_CHECKING:
    from shared.domain.case import IndexEntry

EXAMPLES = """\
examples:
  ./frontdesk cases
  ./frontdesk cases --desk hotel --sentiment Negative
  ./frontdesk cases --status escalated --limit 5 --json | jq '.cases[].case_id'
"""
STATUSES = (
    "open",
    "working",
    "answered",
    "waiting_customer",
    "escalated",
    "resolved",
    "cancelled",
)
_LIMIT = 20
_STATUS_STYLES = {"escalated": "yellow", "answered": "green", "resolved": "green"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--desk", metavar="NAME", help="only this desk's")
    parser.add_argument("--status", choices=STATUSES, metavar="STATUS", help=", ".join(STATUSES))
    parser.add_argument(
        "--sentiment",
        type=str.capitalize,
        choices=("Positive", "Negative"),
        help="only cases of this sentiment",
    )
    parser.add_argument(
        "--limit", type=int, default=_LIMIT, metavar="N", help=f"how many (default {_LIMIT})"
    )
    parser.add_argument("--cursor", metavar="C", help="go on where an earlier listing ended")
    parser.add_argument("--json", action="store_true", help="print the page as JSON")
    local.add_address(parser)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Print one page of cases."""
    with local.reach(args, screen.err, model=False) as api:
        page = api.cases(
            desk=args.desk,
            status=args.status,
            sentiment=args.sentiment,
            limit=args.limit,
            cursor=args.cursor,
        )
    if args.json:
        screen.json(json.dumps(page, ensure_ascii=False, indent=2))
        return DONE
    from shared.domain.case import IndexEntry

    entries = [IndexEntry.model_validate(entry) for entry in page["cases"]]
    if entries:
        table(entries, screen.out, datetime.now(UTC))
    else:
        screen.err.line("no such cases" if _filtered(args) else _NONE_YET)
    if page.get("next"):
        screen.out.line(Ink(f"more: ./frontdesk cases {_next_page(args, page['next'])}", "dim"))
    return DONE


_NONE_YET = 'no cases yet: ./frontdesk ask --desk hotel "My room is dirty and nobody came."'


def _next_page(args: argparse.Namespace, cursor: str) -> str:
    given = {"--desk": args.desk, "--status": args.status, "--sentiment": args.sentiment}
    given |= {"--limit": None if args.limit == _LIMIT else str(args.limit), "--cursor": cursor}
    return shlex.join(part for option, value in given.items() if value for part in (option, value))


def _filtered(args: argparse.Namespace) -> bool:
    return any((args.desk, args.status, args.sentiment, args.cursor))


def table(entries: list[IndexEntry], out: Terminal, now: datetime) -> None:
    """Aligned columns; the subject takes what the width leaves. Ids are cut on a terminal."""
    rows = [
        (
            entry.case_id[:8] if out.live else entry.case_id,
            age((now - entry.created_at).total_seconds()),
            entry.desk,
            entry.status,
            entry.sentiment or "-",
            entry.urgency or "-",
        )
        for entry in entries
    ]
    heads = ("CASE", "AGE", "DESK", "STATUS", "SENTIMENT", "URGENCY")
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    titles = "  ".join(pad(head, width) for head, width in zip(heads, widths, strict=True))
    out.line(Ink(f"{titles}  SUBJECT", "dim"))
    for entry, row in zip(entries, rows, strict=True):
        texts = [pad(text, width) for text, width in zip(row, widths, strict=True)]
        line: list[Part] = [f"{texts[0]}  {texts[1]}  {texts[2]}  "]
        line += [Ink(texts[3], _STATUS_STYLES.get(entry.status, "cyan")), "  "]
        line += [Ink(texts[4], "red" if entry.sentiment == "Negative" else "green"), "  "]
        line += [f"{texts[5]}  ", Ink(f"{entry.reason}  " if entry.reason else "", "red")]
        line += [entry.subject]
        out.line(*(clip(line, out.width) if out.live else line))


def age(seconds: float) -> str:
    """How long ago, roughly: ``40 s``, ``5 min``, ``3 h``, ``12 d``."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
