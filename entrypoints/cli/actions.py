"""``actions``: a ready-made service for a desk's actions, what it has done, and a check of all."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from entrypoints.cli.exits import DONE, UsageError
from entrypoints.cli.local import port_or_any
from entrypoints.cli.table import table
from entrypoints.cli.terminal import Ink, Screen

EXAMPLES = """\
examples:
  ./frontdesk actions serve hotel --port 7072    an endpoint for each action of the hotel
  ./frontdesk actions serve                      for every desk, on any free port
  ./frontdesk actions ledger                     what was carried out
  ./frontdesk actions check hotel                whether its file is valid and its backends answer
  FRONTDESK_ACTIONS_URL=http://127.0.0.1:7072 ./frontdesk run    have them sent there

The service is made from the catalogue: it takes what the desk file allows, honours our idempotency
key, and shows GET /ledger and GET /openapi.json. It is for trying a desk before its real service
exists. ./frontdesk run and ask start one by themselves unless FRONTDESK_ACTIONS_URL is set.

check carries nothing out: it connects to services and mail servers, and reads from ticket systems
as the desk would. Exit codes of check: 0 all is well, 1 something is wrong, 2 no such desk.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "what",
        choices=("serve", "ledger", "check"),
        help="serve until Ctrl-C, list what was carried out, or check what would be",
    )
    parser.add_argument("desk", nargs="*", metavar="DESK", help="which desks (default: every one)")
    parser.add_argument(
        "--port", type=port_or_any, default=0, help="on 127.0.0.1 (default: any free one)"
    )
    parser.add_argument("--json", action="store_true", help="print what is listed as JSON")


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Serve, list, or check."""
    if args.what == "check":
        from entrypoints.cli.actions_check import check

        return check(args.desk, screen, as_json=args.json)
    from devkit.setup import layout

    file = layout().state / "actions.jsonl"
    return _serve(args, file) if args.what == "serve" else _ledger(args, file, screen)


def _serve(args: argparse.Namespace, ledger: Path) -> int:
    from devkit.actions import serve
    from devkit.setup import ROOT
    from shared.adapters.desk_files import load_desks
    from shared.domain.service_document import service_document
    from shared.errors import ConfigError

    try:
        desks = load_desks(ROOT / "desks")
    except ConfigError as error:
        raise UsageError(str(error)) from None
    if unknown := set(args.desk) - set(desks.names):
        raise UsageError(f"no desk {min(unknown)}: there are {', '.join(desks.names)}")
    chosen = [desk for desk in desks.every if desk.name in args.desk or not args.desk]
    return serve(service_document(chosen), ledger, args.port)


def _ledger(args: argparse.Namespace, file: Path, screen: Screen) -> int:
    from dataclasses import asdict

    from devkit.actions import read_ledger

    entries = read_ledger(file)
    if args.json:
        screen.json(json.dumps([asdict(e) for e in entries], ensure_ascii=False, indent=2))
        return DONE
    rows = [
        (
            str(entry.number),
            entry.at[:19].replace("T", " "),
            entry.path.split("/")[2],
            Ink(entry.path.rpartition("/")[2], "cyan"),
            json.dumps(entry.body.get("arguments", {}), ensure_ascii=False),
            str(entry.body.get("case_id", ""))[:8],
        )
        for entry in entries
    ]
    if rows:
        table(("NO", "WHEN (UTC)", "DESK", "ACTION", "ARGUMENTS", "CASE"), rows, screen.out)
    else:
        screen.err.line("nothing was carried out yet")
    return DONE
