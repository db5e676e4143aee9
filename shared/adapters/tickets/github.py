"""Ticket system ``github``: an issue of a repository.

Our reference is the last line of the issue's text, a comment that readers do not see. Search would
find it late; the list of the repository's issues is not of the search index, so it is read from the
newest back to when the case began. Not by label: without the right to push, labels are left out
without a word. What others wrote stands in a code block, where no @name, #number or address does
anything.
https://docs.github.com/rest/issues/issues
https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from shared.adapters.crm_api import Headers, Pass
from shared.adapters.crm_vendor import part, text_of
from shared.adapters.github_app import InstallationPass
from shared.adapters.ticket_vendor import VendorTickets, number_and_address, rows_of
from shared.errors import PermanentError, RetryableError

if TYPE_CHECKING:
    from shared.ports.tickets import Ticket

HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
#: Fifty issues of the greatest length are still an answer that is read.
_PAGE, _PAGES = 50, 40
_SKEW = timedelta(minutes=5)
_LINE_CHARS = 100
_TICKS = re.compile(r"`{3,}")
#: What would be a mention, a reference or a link in a title.
_LIVE = re.compile(r"(@|#|\bGH-|://|\bwww\.)", re.IGNORECASE)
_JOINER = "\u2060"


class Github(VendorTickets):
    """Issues of repositories that one token can write to."""

    name = "github"
    settings: ClassVar[Mapping[str, str]] = {
        "URL": "the API, when it is not https://api.github.com",
        "TOKEN": "a token with read and write of issues; or instead, an app's:",
        "APP": "the app's client id or app id",
        "KEY": "its private key, PEM; line breaks may be written as \\n",
        "INSTALLATION": "number of its installation",
        "QUEUE": "the repository, such as acme/operations",
    }
    needs = ()
    form = (re.compile(r"[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}"), "acme/operations")
    queued = True
    base = "https://api.github.com"

    @classmethod
    def lacks(cls, access: Any, queue: str) -> str:
        """As for every vendor; one of two ways to log in."""
        way = ("APP", "KEY", "INSTALLATION") if access.values.get("APP") else ("TOKEN",)
        lacking = (name for name in way if not access.values.get(name, "").strip())
        name = next(lacking, "")
        return (name and f"set {access.prefix}{name}") or super().lacks(access, queue)

    def authorization(self) -> Headers | Pass:
        if self.access.values.get("APP"):
            base = None if self.access.values.get("URL") else self.base
            return InstallationPass(self.access, base, HEADERS)
        return self._headers

    async def look_up(self, ticket: Ticket, queue: str) -> str | None:
        since = (ticket.since or ticket.at) - _SKEW
        query = {
            "state": "all",
            "sort": "created",
            "direction": "desc",
            "since": f"{since:%Y-%m-%dT%H:%M:%SZ}",
            "per_page": str(_PAGE),
        }
        for page in range(1, _PAGES + 1):
            rows = rows_of(await self.api.read(f"/repos/{queue}/issues", page=str(page), **query))
            for row in rows:
                if text_of(part(row, "body")).rstrip().endswith(_marker(ticket)):
                    return _receipt(row)
            if len(rows) < _PAGE or text_of(part(rows[-1], "created_at")) < query["since"]:
                return None
        raise RetryableError("ticket_lookup_too_long", detail=f"over {_PAGE * _PAGES} issues")

    async def make(self, ticket: Ticket, queue: str) -> str:
        labels = [*ticket.labels, *([f"priority: {ticket.priority}"] if ticket.priority else ())]
        wanted = {
            "title": _LIVE.sub(rf"\1{_JOINER}", ticket.title),
            "body": _body(ticket),
            "labels": labels,
        }
        return _receipt(await self.api.write("POST", f"/repos/{queue}/issues", wanted))

    async def look(self, queue: str) -> str:
        said = await self.api.read(f"/repos/{queue}")
        if part(said, "has_issues") is not True or part(said, "archived") is True:
            raise PermanentError("ticket_refused", f"{queue} takes no issues")
        pushes = part(said, "permissions", "push") is True
        return f"reads {queue}" if pushes else f"reads {queue}; labels need the right to push"

    def named_in(self, said: Any) -> set[str]:
        errors = part(said, "errors")
        rows = errors if isinstance(errors, list) else []
        return {text_of(part(row, "field")) for row in rows}

    async def _headers(self) -> Mapping[str, str]:
        return {**HEADERS, "Authorization": f"Bearer {self.access.need('TOKEN')}"}


def _marker(ticket: Ticket) -> str:
    return f"<!-- frontdesk: {ticket.reference} -->"


def _receipt(found: Any) -> str:
    number = part(found, "number")
    return number_and_address(number and f"#{number}", text_of(part(found, "html_url")))


def _body(ticket: Ticket) -> str:
    lines = [
        part
        for line in ticket.text.split("\n")
        for part in textwrap.wrap(line, _LINE_CHARS, break_on_hyphens=False) or [""]
    ]
    text = "\n".join(lines)
    fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(text)), default=0))
    look = f"<{ticket.look}>" if ticket.look.startswith("https://") else f"`{ticket.look}`"
    return f"{fence}text\n{text}\n{fence}\n\nThe whole case: {look}\n\n{_marker(ticket)}"


TICKETS = Github
