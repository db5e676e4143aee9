"""Ticket system ``jira``: an issue of a Jira Cloud project, over REST API v3.

Our reference is a label. JQL finds it, but its index is late, "a few seconds to minutes", and only
issues whose ids are known can be reconciled. So what JQL does not find is looked for among the
newest keys of the project too, read one by one from where issues are kept: keys are counted up, and
one that was made a moment ago is among them. An entity property would need an app of its own to be
found by.
https://developer.atlassian.com/cloud/jira/platform/search-and-reconcile/
https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-post
https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from shared.adapters.crm_api import Headers, basic
from shared.adapters.crm_vendor import part, text_of
from shared.adapters.ticket_vendor import (
    RefusedTicketError,
    VendorTickets,
    names_in,
    number_and_address,
    rows_of,
)
from shared.domain.outbound import mark_of
from shared.errors import PermanentError, RetryableError

if TYPE_CHECKING:
    from shared.ports.tickets import Ticket

_PRIORITY_OF = {"low": "Low", "normal": "Medium", "high": "High", "critical": "Highest"}
#: Keys of one bulk fetch, the most that Jira takes, and how many of them may be known already.
_AT_ONCE, _KNOWN = 100, 50
_ROUNDS = 3


class Jira(VendorTickets):
    """One Jira Cloud site."""

    name = "jira"
    settings: ClassVar[Mapping[str, str]] = {
        "URL": "the site, such as https://acme.atlassian.net",
        "EMAIL": "the account that the API token belongs to",
        "TOKEN": "its API token",
        "QUEUE": "key of the project, such as OPS",
        "TYPE": "the issues' type; without it Task",
        "SITE": "where people open issues, when it is not URL",
    }
    needs = ("URL", "EMAIL", "TOKEN")
    form = (re.compile(r"[A-Z][A-Z0-9_]{1,99}"), "OPS, the key of a project")
    queued = True

    def authorization(self) -> Headers:
        return self._headers

    async def look_up(self, ticket: Ticket, queue: str) -> str | None:
        label = mark_of(ticket.reference)
        found = await self._search(f'project = "{queue}" AND labels = "{label}"', 1)
        found = found or await self._among_the_newest(queue, label)
        return self._receipt(found[0]) if found else None

    async def make(self, ticket: Ticket, queue: str) -> str:
        wanted: dict[str, Any] = {
            "project": {"key": queue},
            "issuetype": {"name": self.access.values.get("TYPE", "") or "Task"},
            "summary": ticket.title,
            "description": _document(ticket),
            "labels": [mark_of(ticket.reference), *ticket.labels],
        }
        if ticket.priority:
            wanted["priority"] = {"name": _PRIORITY_OF[ticket.priority]}
        try:
            return await self._post(wanted)
        except RefusedTicketError as error:
            # Projects may have other priorities, or none on their screens.
            if error.fields != {"priority"}:
                raise
        del wanted["priority"]
        return await self._post(wanted)

    async def look(self, queue: str) -> str:
        right = "CREATE_ISSUES"
        said = await self.api.read("/rest/api/3/mypermissions", projectKey=queue, permissions=right)
        if part(said, "permissions", right, "havePermission") is not True:
            raise PermanentError("ticket_access_refused", f"may not create issues in {queue}")
        return f"may create issues in {queue}"

    def named_in(self, said: Any) -> set[str]:
        return names_in(part(said, "errors"))

    async def _post(self, fields: Mapping[str, Any]) -> str:
        answer = await self.api.write("POST", "/rest/api/3/issue", {"fields": fields})
        return self._receipt(text_of(part(answer, "key")))

    async def _search(self, jql: str, most: int) -> list[str]:
        asked = {"jql": jql, "fields": ["labels"], "maxResults": most}
        answer = await self.api.ask("/rest/api/3/search/jql", asked)
        return [text_of(part(row, "key")) for row in rows_of(part(answer, "issues"))]

    async def _among_the_newest(self, queue: str, label: str) -> list[str]:
        newest = await self._search(f'project = "{queue}" ORDER BY key DESC', 1)
        number = newest[0].rpartition("-")[2] if newest else "0"
        first = max(int(number) - _KNOWN, 0) + 1 if number.isdecimal() else 1
        for _ in range(_ROUNDS):
            keys = [f"{queue}-{n}" for n in range(first, first + _AT_ONCE)]
            asked = {"issueIdsOrKeys": keys, "fields": ["labels"]}
            answer = await self.api.ask("/rest/api/3/issue/bulkfetch", asked)
            rows = rows_of(part(answer, "issues"))
            for row in rows:
                if label in (part(row, "fields", "labels") or ()):
                    return [text_of(part(row, "key"))]
            there = {text_of(part(row, "key")) for row in rows}
            if there.isdisjoint(keys[_KNOWN:]):
                return []
            first += _AT_ONCE
        raise RetryableError("ticket_lookup_unreliable", detail="the index is far behind")

    def _receipt(self, key: str) -> str:
        site = self.access.values.get("SITE", "") or self.access.need("URL")
        return number_and_address(key, f"{site.rstrip('/')}/browse/{key}")

    async def _headers(self) -> Mapping[str, str]:
        return basic(self.access.need("EMAIL"), self.access.need("TOKEN"))


def _document(ticket: Ticket) -> dict[str, Any]:
    """Atlassian's document format: its texts are shown as they are, mentions and markup too."""
    blocks = [_paragraph(block.split("\n")) for block in ticket.text.split("\n\n") if block.strip()]
    look: dict[str, Any] = {"type": "text", "text": ticket.look}
    if ticket.look.startswith("https://"):
        look["marks"] = [{"type": "link", "attrs": {"href": ticket.look}}]
    return {
        "type": "doc",
        "version": 1,
        "content": [*blocks, {"type": "paragraph", "content": [look]}],
    }


def _paragraph(lines: list[str]) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    for line in lines:
        # A text may not be empty.
        content += [{"type": "hardBreak"}] if content else []
        content += [{"type": "text", "text": line}] if line else []
    return {"type": "paragraph", "content": content}


TICKETS = Jira
