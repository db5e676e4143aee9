"""``actions check``: desk files are valid, and whatever they name can be reached. Does nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from entrypoints.cli.exits import DONE, FAILED, UsageError
from entrypoints.cli.table import table
from entrypoints.cli.terminal import Ink, Part, Screen, Terminal
from entrypoints.cli.webhook_settings import all_settings

if TYPE_CHECKING:
    from shared.adapters.backends import Around
    from shared.adapters.desk_backends import Ask

_DESKS = Path(__file__).resolve().parents[2] / "desks"
#: Attempts at once, so that thirty actions at one service are no storm.
_AT_ONCE = 4


class Found(NamedTuple):
    """One line of the report.

    Attributes:
        where: File and line.
        what: The action, or ``escalation``.
        by: The backend.
        fine: Whether it can be carried out.
        said: What was found, or what is wrong.
    """

    where: str
    desk: str
    what: str
    by: str
    fine: bool
    said: str


def check(desks: Sequence[str], screen: Screen, *, as_json: bool, folder: Path = _DESKS) -> int:
    """Print a line for everything; the exit code says whether all is well.

    Args:
        desks: Which desks; empty for all.
    """
    from shared.adapters.desk_files import asks_in, load_desks
    from shared.adapters.memory import MemoryTickets
    from shared.bootstrap import surroundings
    from shared.errors import ConfigError

    try:
        known = load_desks(folder).names
        if unknown := set(desks) - set(known):
            raise UsageError(f"no desk {min(unknown)}: there are {', '.join(known)}")
        # As the hosts on this machine say; a service on loopback is then no mistake.
        settings = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"} | all_settings()
        around = replace(surroundings(settings), ledger=MemoryTickets())
    except ConfigError as error:
        return _invalid(str(error), screen, as_json=as_json)
    asked = [
        (where, ask)
        for where, ask in asks_in(folder, around)
        if not desks or ask.shape.desk in desks
    ]
    found = asyncio.run(_tried(asked, around))
    if as_json:
        screen.json(json.dumps([one._asdict() for one in found], ensure_ascii=False, indent=2))
    else:
        _print(found, screen.out)
    return DONE if all(one.fine for one in found) else FAILED


def _invalid(said: str, screen: Screen, *, as_json: bool) -> int:
    """What is wrong with files or settings: nothing can be tried before that is mended."""
    if as_json:
        screen.json(json.dumps([{"fine": False, "said": line} for line in said.splitlines()]))
    else:
        for line in said.splitlines():
            screen.out.line(Ink(screen.out.glyph("✗", "x"), "red"), f" {line}")
    return FAILED


async def _tried(asked: list[tuple[str, Ask]], around: Around) -> list[Found]:
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(where: str, ask: Ask) -> Found:
        async with room:
            fine, said = await _try(ask, around)
        return Found(where, ask.shape.desk, ask.shape.action, ask.name, fine, said)

    return list(await asyncio.gather(*(one(where, ask) for where, ask in asked)))


async def _try(ask: Ask, around: Around) -> tuple[bool, str]:
    from shared.errors import PermanentError, RetryableError, UncertainError

    if ask.lacks:
        return False, f"left to people: {ask.lacks}"
    try:
        return True, await ask.backend.reach(ask.options, ask.shape, around)
    except (RetryableError, PermanentError, UncertainError) as error:
        return False, str(error)


def _print(found: list[Found], out: Terminal) -> None:
    rows: list[tuple[Part, ...]] = [
        (
            one.where,
            Ink(one.what, "cyan"),
            one.by,
            Ink(out.glyph("✓", "+"), "green") if one.fine else Ink(out.glyph("✗", "x"), "red"),
            one.said,
        )
        for one in found
    ]
    if rows:
        table(("WHERE", "ACTION", "BY", "", "FOUND"), rows, out)
    bad = sum(not one.fine for one in found)
    out.line()
    if bad:
        out.line(Ink(f"{bad} of {len(found)} cannot be carried out as the desk files say", "red"))
        if any("no address: set FRONTDESK_ACTIONS_URL" in one.said for one in found):
            run = "./frontdesk run starts a stand-in for services that have no address"
            out.line(Ink(run, "dim"))
    else:
        out.line(Ink("all desk files are valid; all that they name can be reached", "green"))
