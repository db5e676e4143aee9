"""``chaos``: real hosts over a real Azurite, killed while they work."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from entrypoints.cli.exits import DONE, FAILED, CliError
from entrypoints.cli.terminal import Ink

if TYPE_CHECKING:
    from entrypoints.cli.terminal import Screen

EXAMPLES = """\
examples:
  ./frontdesk chaos --cases 30 --kills 10
  ./frontdesk chaos --cases 300 --kills 100 --seed 7      about ten minutes
  ./frontdesk chaos --cases 30 --kills 0 --faults none

Exit code 1 when anything was lost, done twice, done without its yes or paid for without need. Logs,
mails and the rows of such cases are in .frontdesk/chaos/SEED.
"""
_SHOWN = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--cases", type=_count, default=30, help="cases to open (30)")
    parser.add_argument("--kills", type=_count, default=10, help="hosts to kill (10)")
    parser.add_argument("--seed", type=_count, default=1, help="of faults and customers (1)")
    parser.add_argument("--hosts", type=_hosts, default=3, help="hosts that share the work (3)")
    parser.add_argument(
        "--faults",
        choices=("all", "none"),
        default="all",
        help="whether model, mail server, CRM and storage fail too (all)",
    )


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Do one run and print its verdict."""
    import asyncio

    from devkit.azurite import AzuriteError
    from devkit.processes import ProcessError
    from devkit.setup import layout

    try:
        from tests.chaos.run import Order
        from tests.chaos.run import run as unfold
    except ModuleNotFoundError as error:
        raise CliError(
            f"chaos needs the repository and its test packages; {error.name} is missing"
        ) from None
    folder = layout().state / "chaos" / str(args.seed)
    order = Order(
        cases=args.cases,
        kills=args.kills,
        seed=args.seed,
        folder=folder,
        hosts=args.hosts,
        faults=args.faults == "all",
    )
    try:
        verdict, line = asyncio.run(unfold(order, lambda said: screen.err.line(Ink(said, "dim"))))
    except (AzuriteError, ProcessError, RuntimeError) as error:
        raise CliError(f"the run could not be made: {error}") from None
    screen.out.line(Ink(line, "green" if verdict.good else "red"))
    if verdict.good:
        return DONE
    found = [(where, what) for where, all_ in verdict.violations.items() for what in all_]
    for where, what in found[:_SHOWN]:
        screen.out.line(f"  {where}: {what}")
    if len(found) > _SHOWN:
        screen.out.line(f"  and {len(found) - _SHOWN} more")
    screen.out.line(f"Logs and rows: {folder}")
    return FAILED


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 1_000_000):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1000000")
    return int(text)


def _hosts(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 20):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 20")
    return int(text)
