"""``replay``: run what could not be finished, or what is named, again."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from entrypoints.cli import local, parked
from entrypoints.cli.api import Api, RefusedError
from entrypoints.cli.exits import DONE, FAILED, UsageError
from entrypoints.cli.question import read_line
from entrypoints.cli.table import short_id
from entrypoints.cli.terminal import Ink, Screen
from entrypoints.cli.which import add_case, digest_of, whole_id
from entrypoints.cli.who import add_who, signed

if TYPE_CHECKING:
    from shared.domain.case import IndexEntry

EXAMPLES = """\
examples:
  ./frontdesk replay 3f2a9c1b                     everything of it that failed
  ./frontdesk replay 3f2a9c1b --stage sentiment   this stage, and those after it
  ./frontdesk replay 3f2a9c1b --stage 1:sentiment of the first turn, not of the latest
  ./frontdesk replay 3f2a9c1b --effect escalated-1
  ./frontdesk replay --all-parked --reason "the model is back"
  ./frontdesk replay digest:hotel:2026-03-29T0600Z                 channels that were refused
  ./frontdesk replay digest:hotel:2026-03-29T0600Z --effect slack  this one, uncertain or not

What was done before stays in the case. An effect is sent with the idempotency key that it had. One
that is uncertain may have happened already: look at its receiver first, where that matters.
"""
_MOST = 1000
_LIMIT = 100
_PAGE = 100
_LATER = "no stack is running: what runs again begins when one does (./frontdesk run)"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_case(parser, "?", digests=True)
    parser.add_argument(
        "--stage", action="append", default=[], metavar="S", help="a stage; may be repeated"
    )
    parser.add_argument(
        "--effect",
        action="append",
        default=[],
        metavar="KEY",
        help="an effect, or a channel of a digest; may be repeated",
    )
    parser.add_argument(
        "--all-parked", action="store_true", help="every case that ./frontdesk parked lists"
    )
    parser.add_argument(
        "--limit",
        type=int,
        default=_LIMIT,
        metavar="N",
        help=f"how many with --all-parked (default {_LIMIT}, {_MOST} at most)",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask whether to")
    add_who(parser, reason=False)
    local.add_address(parser)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Replay one case or all parked ones, and say of each what runs again."""
    _check(args)
    with local.reach(args, screen.err, work=False, later=_LATER) as api:
        if args.all_parked:
            return _replay_parked(api, args, screen)
        if digest := digest_of(args.case):
            desk, window = digest
            body = {**signed(args), "window": window, "channels": args.effect}
            _say(args.case, api.act_on_digest(desk, "replay", body)["replayed"], screen)
            again = f"look again: ./frontdesk digest {desk} --window {window}"
            screen.err.line(Ink(again, "dim"))
            return DONE
        case_id = whole_id(api, args.case)
        body = {**signed(args), "stages": args.stage, "effects": args.effect}
        _say(case_id, api.act(case_id, "replay", body)["replayed"], screen)
        screen.err.line(Ink(f"look again: ./frontdesk show {case_id[:8]}", "dim"))
    return DONE


def _check(args: argparse.Namespace) -> None:
    if args.all_parked == (args.case is not None):
        raise UsageError("which case? Give CASE, or --all-parked, one of the two")
    if args.all_parked and (args.stage or args.effect):
        raise UsageError("--stage and --effect are for one CASE; --all-parked runs what failed")
    if args.case and digest_of(args.case) and args.stage:
        raise UsageError("a digest has no stages; --effect names one of its channels")
    if not 1 <= args.limit <= _MOST:
        raise UsageError(f"--limit is a number from 1 to {_MOST}")
    if args.all_parked and not args.yes and not sys.stdin.isatty():
        raise UsageError("nobody is here to be asked: say --yes to run all parked cases again")


def _replay_parked(api: Api, args: argparse.Namespace, screen: Screen) -> int:
    entries, more, digests = _parked(api, args.limit)
    if digests:
        screen.err.line("digests are sent again one by one, by the names in ./frontdesk parked")
    if not entries:
        screen.err.line("no case is parked" if digests else "nothing is parked")
        return DONE
    if not args.yes and not _agreed(entries, screen):
        screen.err.line("nothing was replayed")
        return FAILED
    left = 0
    for entry in entries:
        try:
            answer = api.act(entry.case_id, "replay", signed(args))
        except RefusedError as error:
            if error.status not in (404, 409):
                raise
            # Others may have dealt with it since it was listed.
            screen.out.line(f"{short_id(entry.case_id, screen.out)}  ", Ink(str(error), "yellow"))
            left += 1
        else:
            _say(entry.case_id, answer["replayed"], screen)
    screen.err.line(f"{len(entries) - left} of {len(entries)} cases run again")
    if more:
        screen.err.line("more are parked: say it again for the next ones")
    return FAILED if left else DONE


def _parked(api: Api, limit: int) -> tuple[list[IndexEntry], bool, bool]:
    """Up to ``limit`` parked cases, each once; whether there are more, and digests."""
    from shared.domain.case import IndexEntry

    found: dict[str, IndexEntry] = {}
    cursor: str | None = None
    digests = False
    while True:
        page = api.parked(limit=min(_PAGE, limit - len(found)), cursor=cursor)
        entries = [IndexEntry.model_validate(entry) for entry in page["cases"]]
        found |= {entry.case_id: entry for entry in entries}
        digests = digests or bool(page.get("digests"))
        cursor = page.get("next")
        if cursor is None or len(found) >= limit:
            return list(found.values()), cursor is not None, digests


def _agreed(entries: list[IndexEntry], screen: Screen) -> bool:
    parked.listing(entries, screen.err, datetime.now(UTC))
    cases = "this case" if len(entries) == 1 else f"these {len(entries)} cases"
    return (read_line(f"Run what failed in {cases} again? [y/N] ") or "").lower() in ("y", "yes")


def _say(case_id: str, names: list[str], screen: Screen) -> None:
    out = screen.out
    out.line(Ink(short_id(case_id, out), "bold"), f"  runs again: {', '.join(names)}")
