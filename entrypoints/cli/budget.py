"""``budget``: what every desk may use of the model, and what it used on a day."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from entrypoints.cli import local
from entrypoints.cli.exits import DONE
from entrypoints.cli.table import table
from entrypoints.cli.terminal import Ink, Part, Screen

EXAMPLES = """\
examples:
  ./frontdesk budget
  ./frontdesk budget --day 2026-01-31 --json | jq '.desks[] | {desk, day}'

Limits are settings and parts of desk files: docs/budgets.md. Days are by UTC; a desk whose day has
no limit is not counted. What is reserved is settled when those at work are done.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--day", metavar="DATE", help="this day by UTC (default today)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    local.add_address(parser)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Print a line a desk."""
    with local.reach(args, screen.err, work=False) as api:
        said = api.budget(args.day)
    if args.json:
        screen.json(json.dumps(said, ensure_ascii=False, indent=2))
        return DONE
    heads = ("DESK", "A CASE", "A DAY", "RESERVED", f"USED {said['day']}")
    table(heads, [_row(desk) for desk in said["desks"]], screen.out)
    return DONE


def _row(desk: Mapping[str, Any]) -> tuple[Part, ...]:
    day = desk["day"]
    if day is None:
        return desk["desk"], _amount(desk["case"]), Ink("no limit", "dim"), "", ""
    limit, used = day["limit"], day["used"]
    full = any(limit[what] is not None and (used[what] or 0) >= limit[what] for what in limit)
    return (
        desk["desk"],
        _amount(desk["case"]),
        _amount(limit),
        _amount(day["reserved"]),
        Ink(_amount(used), "red") if full else _amount(used),
    )


def _amount(amount: Mapping[str, Any]) -> str:
    tokens = "" if amount["tokens"] is None else f"{amount['tokens']:,} tokens"
    cost = "" if amount["cost"] is None else f"cost {amount['cost']:,.2f}"
    return ", ".join(part for part in (tokens, cost) if part) or "no limit"
