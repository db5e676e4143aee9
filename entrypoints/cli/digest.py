"""``digest``: what a desk's next digest says, an earlier one, or one that is sent now."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from entrypoints.cli import local
from entrypoints.cli.exits import DONE, CliError, UsageError
from entrypoints.cli.terminal import Ink, Screen

EXAMPLES = """\
examples:
  ./frontdesk digest hotel                          what the next one would say by now
  ./frontdesk digest hotel --preview digest.html    the same as the mail that people get
  ./frontdesk digest hotel --window 2026-03-29T0600Z
  ./frontdesk digest hotel --send                   send it now; the next one begins there

A window is named after its end, in UTC. Only --send sends anything.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("desk", metavar="DESK", help="the desk's name")
    parser.add_argument("--window", metavar="W", help="a digest that was sent, with its receipts")
    parser.add_argument("--preview", metavar="FILE", type=Path, help="write the mail's HTML here")
    parser.add_argument("--send", action="store_true", help="send it now")
    parser.add_argument("--json", action="store_true", help="print the digest as JSON")
    local.add_address(parser)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Print a digest, or send one."""
    if args.send and args.window:
        raise UsageError("--window is of a digest that was sent; leave it out to send the next one")
    with local.reach(args, screen.err, work=args.send) as api:
        window = args.window
        if args.send:
            sent = api.send_digest(args.desk)
            window = sent["digest"].rpartition(":")[2]
        found = api.digest(args.desk, window)
    if args.preview:
        try:
            args.preview.write_text(found["letter"]["html"], "utf-8")
        except OSError as error:
            raise CliError(f"cannot write {args.preview}: {error.strerror}") from None
    if args.json:
        screen.json(json.dumps(found["digest"], ensure_ascii=False, indent=2))
        return DONE
    screen.out.text(found["letter"]["text"], indent=0)
    for effect in found["effects"]:
        said = effect["receipt"] or effect.get("reason", "")
        screen.out.line(Ink(effect["key"], "cyan"), f"  {effect['state']}  {said}")
    for act in found.get("acts", []):
        why = f": {act['reason']}" if act["reason"] else ""
        what = ", ".join(act["effects"])
        screen.out.line(f"{act['at'][:16]}  {act['act']} {what} by {act['by']}{why}")
    if args.send:
        screen.err.line(f"sent as {window}; look at its receipts with --window {window}")
    return DONE
