"""``webhook send``: one delivery as the vendor would make it, and what became of it."""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from devkit.crm import counterpart_of
from devkit.crm.counterpart import Sent, seen
from devkit.crm.stand_in import serving
from entrypoints.cli import local
from entrypoints.cli.api import Answer, Api, RefusedError
from entrypoints.cli.ask import see_through
from entrypoints.cli.exits import DONE, FAILED, CliError, UsageError
from entrypoints.cli.terminal import Ink, Screen, Terminal
from entrypoints.cli.webhook_settings import Configured, configured, path_of

if TYPE_CHECKING:
    from devkit.crm.counterpart import Counterpart
    from devkit.stack import Stack

_BECAME = {
    "accepted": "taken in",
    "redelivered": "a duplicate: known already, nothing changes",
    "later": "kept, and taken in right after the answer",
    "echo": "ignored: Frontdesk wrote it itself",
    "ignored": "ignored: not a customer's words",
}
_WRITTEN = {"public": "reply to the customer", "note": "internal note", "draft": "draft"}
_BEGAN = "Hello, I have a question."
#: Of one delivery, while storage is not there.
_ATTEMPTS = 3
_LONGEST_PAUSE_SECONDS = 10.0
#: Seconds in which the host writes its log.
_LOG_SECONDS = 2.0


def send(args: argparse.Namespace, screen: Screen) -> int:
    """Send the delivery and show the answer, the case and what was written back."""
    found = configured(args.desk, args.vendor)
    progress = None if args.quiet else screen.err
    with ExitStack() as stands:
        stand_in = _StandIn(args, found, progress, stands)
        with local.reach(args, progress, prepare=stand_in.prepare) as api:
            return _sent(args, screen, api, stand_in)


class _StandIn:
    """What takes the place of what is not set, when the stack is ours to start.

    Attributes:
        vendor: The vendor's counterpart.
        found: What is set.
        serves: Whether its API takes the place of the vendor's.
    """

    def __init__(
        self,
        args: argparse.Namespace,
        found: Configured,
        progress: Terminal | None,
        stands: ExitStack,
    ) -> None:
        made_by = counterpart_of(args.vendor)
        api: Any = made_by.api_type()
        # A ticket that an earlier run wrote into gets messages with other numbers. Seven digits fit
        # into the ids of every vendor.
        api.numbers_from = int(time.time()) % 10**7
        ticket = args.ticket or made_by.new_ticket()
        self.vendor: Counterpart[Any] = made_by(api, found.values, "", ticket)
        self.serves = False
        self.found = found
        self._args, self._progress, self._stands = args, progress, stands

    def prepare(self, stack: Stack) -> None:
        """Has a stack of ours use it, unless an account is set."""
        from shared.adapters.crm_connectors import PREFIX

        found, args, api = self.found, self._args, self.vendor.api
        if not args.stand_in and not found.missing and found.values.get("URL"):
            return
        self._stands.enter_context(serving(api))
        secret = found.values.get("SECRET") or self.vendor.new_secret()
        settings = {PREFIX + n: v for n, v in api.settings(args.desk, secret).items()}
        # A blank is "not set", and keeps local.settings.json from setting it.
        others = {f"{found.prefix}{name}": " " for name in found.connector.settings}
        stack.settings = {**others, **settings}
        self.vendor.settings = {n.removeprefix(found.prefix): v for n, v in settings.items()}
        self.serves = True
        if self._progress:
            whose = "its secret" if found.values.get("SECRET") else "a throw-away secret"
            self._progress.line(
                Ink(f"{args.vendor} is not set for {args.desk}: {whose}, and ", "dim"),
                Ink(f"a stand-in of its API on {api.url}", "dim"),
            )


def _sent(args: argparse.Namespace, screen: Screen, api: Api, stand_in: _StandIn) -> int:
    vendor, found = stand_in.vendor, stand_in.found
    _check_settings(args, api, vendor, found)
    public = api.url if args.url else found.public_url or api.url
    vendor.address = public + path_of(args.desk, args.vendor)
    out = screen.err if args.json else screen.out
    log = None if args.url else _Log()
    if not args.url:
        api.desks()  # A host that has just started builds the app at its first call.
    cases: list[str] = []
    status = 0
    try:
        made = _made(args, vendor)
    except ValueError:
        # A number that is none, a secret that is not base64, text that is no Unicode.
        raise UsageError(
            f"{args.vendor} cannot send that: look at --ticket and --text, and at the settings: "
            f"./frontdesk webhook check {args.vendor} --desk {args.desk}"
        ) from None
    for event, delivery in made:
        about = f"{event}, {vendor.ticket}, {len(delivery.body):,} bytes"
        out.line(Ink(f"{args.vendor}: {about}", "bold"))
        query = f"?{urlencode(delivery.query)}" if delivery.query else ""
        path = path_of(args.desk, args.vendor)
        answer = _delivered(args, api, path + query, delivery, out, log)
        status = answer.status
        cases += _cases(answer)
    if args.bad_signature and status < 300:
        raise CliError("a forged delivery was taken in")
    if args.bad_signature and status == 401:
        out.line(Ink("as it should be: nothing is stored", "green"))
        return DONE
    if status >= 300:
        return FAILED
    if not cases:
        out.line(Ink("no case: there is nothing of a customer in it", "dim"))
        return DONE
    return _follow(args, screen, api, stand_in, cases[0])


def _check_settings(
    args: argparse.Namespace, api: Api, vendor: Counterpart[Any], found: Configured
) -> None:
    """Raises CliError when there is no secret to sign with."""
    lacking = [name for name in found.connector.needs if not vendor.settings.get(name)]
    if not lacking:
        return
    names = ", ".join(found.prefix + name for name in lacking)
    if args.url:
        raise CliError(f"set {names} in the environment to what {api.url} has", 2)
    raise CliError(
        f"the desk {args.desk} has no secret for {args.vendor}: set {names} in "
        f"local.settings.json and start the stack on {api.url} again; or stop it, and this command "
        "starts one with a throw-away secret",
        2,
    )


def _made(args: argparse.Namespace, vendor: Counterpart[Any]) -> list[tuple[str, Sent]]:
    """The deliveries, each with what it tells."""
    if args.bad_signature:
        vendor.settings = {**vendor.settings, "SECRET": vendor.new_secret()}
    if args.event == "new":
        made = [("a new ticket", vendor.opened(args.text, args.subject))]
    else:
        # The stand-in has to know the ticket, and so has Frontdesk.
        began = ("a new ticket", vendor.opened(_BEGAN, args.subject))
        then = (
            ("the customer's next message", vendor.replied(args.text))
            if args.event == "reply"
            else ("a colleague's answer", vendor.answered(args.text))
        )
        made = [then] if args.ticket else [began, then]
    return made + made[-1:] if args.twice else made


def _delivered(
    args: argparse.Namespace, api: Api, path: str, sent: Sent, out: Terminal, log: _Log | None
) -> Answer:
    """The answer to a delivery, which comes again while storage is not there."""
    left = _ATTEMPTS
    while True:
        answer = api.deliver(path, sent.body, sent.headers)
        _say(answer, args, out, log.reason() if log and answer.status in (400, 401) else "")
        left -= 1
        if answer.status != 503 or not left:
            return answer
        time.sleep(min(_retry_after(answer), _LONGEST_PAUSE_SECONDS))
        out.line(Ink("  sent again, as vendors do", "dim"))


def _retry_after(answer: Answer) -> float:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    value = headers.get("retry-after", "")
    return float(value) if value.isdigit() else 0.0


def _cases(answer: Answer) -> list[str]:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if "frontdesk-cases" in headers:
        return [name for name in headers["frontdesk-cases"].split(", ") if name]
    said = _json(answer)
    return [str(name) for name in said.get("cases") or ()]


def _counts(answer: Answer) -> Mapping[str, Any]:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if "frontdesk-counts" in headers:
        pairs = (pair.partition("=") for pair in headers["frontdesk-counts"].split(", ") if pair)
        return {name: count for name, _, count in pairs}
    counts = _json(answer).get("counts")
    return counts if isinstance(counts, dict) else {}


def _json(answer: Answer) -> dict[str, Any]:
    try:
        said = json.loads(answer.body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _say(answer: Answer, args: argparse.Namespace, out: Terminal, why: str) -> None:
    took = f"  {answer.seconds * 1000:.0f} ms"
    style = "green" if answer.status < 300 else "red"
    became = "; ".join(_BECAME.get(name, name) for name in _counts(answer))
    out.line("  ", Ink(f"{answer.status} {answer.reason}", style), Ink(took, "dim"), f"  {became}")
    if answer.status < 300:
        return
    said = _json(answer)
    detail = " ".join(str(said[part]) for part in ("title", "detail") if said.get(part))
    out.line(f"  refused: {why or detail or 'it gave no reason'}")
    if answer.status == 404:
        hint = f"./frontdesk webhook check {args.vendor} --desk {args.desk}"
        out.line(Ink(f"  the stack was started without its settings, or elsewhere: {hint}", "dim"))
    elif answer.status == 401 and not args.bad_signature:
        out.line(Ink("  this command signs with the secret that is set here", "dim"))


def _follow(
    args: argparse.Namespace, screen: Screen, api: Api, stand_in: _StandIn, case_id: str
) -> int:
    if not args.quiet:
        screen.err.line("case ", Ink(case_id, "bold"), f"  {args.desk}")
    try:
        api.case(case_id)
    except RefusedError as error:
        if error.status not in (401, 403):
            raise
        where = f" --url {args.url}" if args.url else ""
        screen.err.line(f"to see it: FRONTDESK_KEY=… ./frontdesk show {case_id}{where}")
        return DONE
    code = see_through(api, case_id, args, screen)
    if args.json:
        return code
    vendor = stand_in.vendor
    if stand_in.serves:
        _report(vendor, screen.out)
        return code
    url = stand_in.found.values.get("URL")
    if url and args.ticket:
        screen.out.line(f"look at ticket {args.ticket} on {url}")
    elif url:
        said = f"ticket {vendor.ticket} is made up, and {url} has no such ticket to write into"
        screen.out.line(f"{said}: name one of yours with --ticket")
    return code


def _report(vendor: Counterpart[Any], out: Terminal) -> None:
    """What stands in the stand-in's ticket now."""
    out.line()
    out.line(Ink(f"Written back into ticket {vendor.ticket} of the stand-in", "bold"))
    for how, text in vendor.written():
        out.line("  ", Ink(_WRITTEN[how], "cyan"))
        shown = seen(text.replace("<br>\n", "<br>")) if vendor.shows_html else text
        out.text(re.sub(r"\n{3,}", "\n\n", shown.strip()), indent=4)
    tags, priority = vendor.labels()
    ours = ", ".join(sorted(tag for tag in tags if tag.startswith("frontdesk")))
    out.line("  ", Ink("tags", "cyan"), f"  {ours or 'none'}")
    out.line("  ", Ink("priority", "cyan"), f"  {'none' if priority is None else priority}")


class _Log:
    """The host's log from now on: only there stands why a delivery was refused."""

    def __init__(self) -> None:
        from devkit.setup import layout

        self._path = layout().logs / "host.log"
        self._from = self._path.stat().st_size if self._path.exists() else 0

    def reason(self) -> str:
        """The reason of the last refusal; empty where the log does not say it in time."""
        deadline = time.monotonic() + _LOG_SECONDS
        while self._path.exists() and time.monotonic() < deadline:
            with self._path.open("rb") as file:
                file.seek(self._from)
                text = file.read().decode(errors="replace")
            if found := re.findall(r"webhook (?:refused|not readable) .*?reason=(.*)", text):
                return str(found[-1])
            time.sleep(0.05)
        return ""
