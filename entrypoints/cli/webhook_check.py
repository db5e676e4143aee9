"""``webhook check``: what is set for a desk and a vendor, what is missing, what to paste where."""

from __future__ import annotations

import argparse
from pathlib import Path

from entrypoints.cli.api import Api, UnreachableError
from entrypoints.cli.exits import DONE, FAILED
from entrypoints.cli.terminal import Ink, Part, Screen, Terminal, pad
from entrypoints.cli.webhook_settings import Configured, configured, path_of

_ROOT = Path(__file__).resolve().parents[2]
#: Settings whose values are addresses, and may be shown.
_SHOWN = ("URL", "LOGIN")


def check(args: argparse.Namespace, screen: Screen) -> int:
    """Print it; the exit code says whether everything is there."""
    found, out = configured(args.desk, args.vendor), screen.out
    out.line(Ink(f"{args.vendor} for the desk {args.desk}", "bold"))
    base = args.url or found.public_url or "https://YOUR-APP"
    out.line("  paste   ", Ink(base.rstrip("/") + path_of(args.desk, args.vendor), "cyan"),
        found.connector.query)  # fmt: skip
    out.line("  where   ", found.connector.paste)
    if not args.url and not found.public_url:
        out.line(
            Ink("          YOUR-APP is where the vendor reaches you: FRONTDESK_PUBLIC_URL", "dim")
        )
    page = f"docs/crm/{args.vendor}.md"
    out.line("  how     ", page)
    out.line()
    if args.url:
        return _elsewhere(args, out)
    problems = [*_settings(found, out)]
    _rest(args, found, out)
    _running(args, found, out)
    out.line()
    if problems:
        out.line(Ink(f"not complete: {', '.join(problems)}", "red"))
        out.line(Ink("they go into local.settings.json, in Azure into the app's settings", "dim"))
        return FAILED
    try_it = f"./frontdesk webhook send {args.vendor} --desk {args.desk} --ticket ONE-OF-YOURS"
    out.line(Ink("complete", "green"), f"; try it: {try_it}")
    return DONE


def _settings(found: Configured, out: Terminal) -> list[str]:
    """A line a setting; the names of those that are missing or of no use."""
    wanted = {*found.connector.needs, *found.writes}
    others = {name for names in found.connector.writes for name in names} - wanted
    wrong = _of_no_use(found)
    width = max(len(name) for name in found.connector.settings)
    problems: list[str] = []
    for name, what in found.connector.settings.items():
        value = found.values.get(name, "")
        if name in others and not value:
            continue
        said: tuple[Part, ...]
        if name in wrong:
            sign, said = Ink(out.glyph("✗", "x"), "red"), (wrong[name],)
        elif value:
            shown = value if name in _SHOWN else "set"
            sign, said = Ink(out.glyph("✓", "+"), "green"), (shown,)
        elif name in wanted:
            sign, said = Ink(out.glyph("✗", "x"), "red"), (f"{found.prefix}{name}: {what}",)
        else:
            sign, said = Ink(out.glyph("·", "-"), "dim"), (Ink(f"not set: {what}", "dim"),)
        if name in wrong or (name in wanted and not value):
            problems.append(f"{found.prefix}{name}")
        out.line("  ", sign, f" {pad(name, width)}  ", *said)
    for name in sorted(set(found.values) - set(found.connector.settings)):
        out.line("  ", Ink(out.glyph("·", "-"), "yellow"), f" {found.prefix}{name} is no setting")
    return problems


def _of_no_use(found: Configured) -> dict[str, str]:
    """What is wrong with settings that are there, by their names."""
    from shared.adapters.crm_api import address_of
    from shared.adapters.crm_vendor import Access
    from shared.errors import ConfigError, PermanentError

    access = Access(found.prefix, found.values, development=True)
    wrong: dict[str, str] = {}
    if not found.missing:
        try:
            found.connector(access)
        except ConfigError as error:
            name, _, why = str(error).removeprefix(found.prefix).partition(": ")
            wrong[name] = why
    for name in _SHOWN:
        if found.values.get(name):
            try:
                address_of(access, found.values[name])
            except PermanentError:
                wrong[name] = "must begin with https://"
    return wrong


def _rest(args: argparse.Namespace, found: Configured, out: Terminal) -> None:
    """What the desk's file and the vendor add to it."""
    from shared.adapters.crm_connectors import is_polled
    from shared.adapters.desk_files import load_desks
    from shared.errors import ConfigError

    try:
        desk = load_desks(_ROOT / "desks").get(args.desk)
    except ConfigError as error:
        out.line("  ", Ink(out.glyph("✗", "x"), "red"), f" {error}")
        return
    if desk:
        rules = desk.crm
        also = [what for what, on in (("note", rules.note), ("labels", rules.labels)) if on]
        out.line(f"    writes back: the reply as {rules.reply}; {' and '.join(also) or 'no more'}")
    if is_polled(args.vendor, found.values):
        out.line("    looks every five minutes for what webhooks lost")


def _running(args: argparse.Namespace, found: Configured, out: Terminal) -> None:
    api = Api(f"http://127.0.0.1:{args.port}")
    try:
        if not api.healthy():
            out.line(Ink(f"    nothing runs on {api.url}: ./frontdesk run starts it", "dim"))
            return
    except UnreachableError as error:
        out.line(Ink(f"    {error}", "yellow"))
        return
    knows = _knows(args, api)
    if knows:
        out.line(f"    the Frontdesk on {api.url} has a secret")
    else:
        again = "" if found.missing else ": start it again"
        out.line(Ink(f"    the Frontdesk on {api.url} has no secret{again}", "yellow"))


def _elsewhere(args: argparse.Namespace, out: Terminal) -> int:
    """Of a Frontdesk elsewhere only this can be seen from here."""
    api = Api(args.url, args.key)
    if _knows(args, api):
        out.line(Ink("it has a secret for this desk and vendor", "green"))
        out.line(Ink("its other settings show where they are set: check there", "dim"))
        return DONE
    out.line(Ink("it has no secret for this desk and vendor, or not all that goes with it", "red"))
    return FAILED


def _knows(args: argparse.Namespace, api: Api) -> bool:
    """Whether an unsigned delivery is refused, and not unknown."""
    return api.deliver(path_of(args.desk, args.vendor), b"", {}).status == 401
