"""Stand-ins of the two issue trackers, whose indexes are late."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from devkit.crm.stand_in import Answer, RefusedError, basic, only
from tests.support.ticket_api import LOOK, TicketApi


class JiraTickets(TicketApi):
    """One project's issues by number.

    Attributes:
        unindexed: How many of the newest issues the index of JQL does not show yet.
        prioritised: Whether the project has the field priority.
    """

    vendor = "jira"
    credentials: ClassVar[Mapping[str, str]] = {"EMAIL": "bot@example.com", "TOKEN": "secret"}
    queue = "OPS"
    receipt = r"OPS-1 http://127\.0\.0\.1:\d+/browse/OPS-1"

    def __init__(self) -> None:
        super().__init__()
        self.issues: dict[int, dict[str, Any]] = {}
        self.unindexed = 0
        self.prioritised = True

    def authorised(self, request: web.Request, raw: bytes) -> bool:
        return request.headers.get("Authorization") == basic("bot@example.com", "secret")

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        match method, path:
            case "POST", "/rest/api/3/issue":
                return self._made(only(body, "fields")["fields"])
            case "POST", "/rest/api/3/search/jql":
                return {"issues": self._search(only(body, "jql", "fields", "maxResults"))}
            case "POST", "/rest/api/3/issue/bulkfetch":
                keys = only(body, "issueIdsOrKeys", "fields")["issueIdsOrKeys"]
                assert 0 < len(keys) <= 100
                there = [n for n in self.issues if f"OPS-{n}" in keys]
                return {"issues": [self._issue(n) for n in there]}
            case "GET", "/rest/api/3/mypermissions":
                if query["projectKey"] != "OPS":
                    raise RefusedError(404, "", {"errorMessages": ["No project"], "errors": {}})
                right = {"havePermission": self.prioritised}
                return {"permissions": {query["permissions"]: right}}
        raise RefusedError(404, "no such resource")

    def _made(self, fields: dict[str, Any]) -> Answer:
        known = {"project", "issuetype", "summary", "description", "labels", "priority"}
        wrong = {name: f"{name} cannot be set" for name in set(fields) - known}
        if fields["project"] != {"key": "OPS"}:
            wrong["project"] = f"valid project is required, not for {fields['summary']}"
        if fields["issuetype"] not in ({"name": "Task"}, {"name": "Incident"}):
            wrong["issuetype"] = "Specify a valid issue type"
        names = ("Highest", "High", "Medium", "Low", "Lowest")
        if "priority" in fields:
            priced = fields["priority"].get("name") in names and self.prioritised
            wrong |= {} if priced else {"priority": "Field 'priority' cannot be set."}
        if wrong:
            raise RefusedError(400, "", {"errorMessages": [], "errors": wrong})
        assert 0 < len(fields["summary"]) <= 255
        assert "\n" not in fields["summary"]
        assert all(re.fullmatch(r"\S{1,255}", label) for label in fields["labels"])
        _check_document(fields["description"])
        number = max(self.issues, default=0) + 1
        self.issues[number] = fields
        self.ledger.append(fields["labels"][0])
        url = f"{self.url}/rest/api/3/issue/{10000 + number}"
        return Answer(201, {"id": str(10000 + number), "key": f"OPS-{number}", "self": url})

    def _search(self, body: dict[str, Any]) -> list[Any]:
        indexed = sorted(self.issues, reverse=True)[self.unindexed :]
        labelled = re.fullmatch(r'project = "OPS" AND labels = "([\w-]+)"', body["jql"])
        if labelled:
            indexed = [n for n in indexed if labelled[1] in self.issues[n]["labels"]]
        else:
            assert body["jql"] == 'project = "OPS" ORDER BY key DESC'
        return [self._issue(n) for n in indexed[: body["maxResults"]]]

    def _issue(self, number: int) -> dict[str, Any]:
        labels = self.issues[number]["labels"]
        return {"id": str(10000 + number), "key": f"OPS-{number}", "fields": {"labels": labels}}

    def others(self, count: int) -> None:
        """What other people opened meanwhile."""
        first = max(self.issues, default=0) + 1
        self.issues |= {n: {"labels": []} for n in range(first, first + count)}

    def shown(self) -> tuple[str, str]:
        fields = self.issues[max(self.issues)]
        return fields["summary"], _words(fields["description"])


def _check_document(node: Any, inside: str = "") -> None:
    """As far as we use it: https://developer.atlassian.com/cloud/jira/platform/apis/document/"""
    match node["type"]:
        case "doc":
            assert inside == ""
            assert node["version"] == 1
        case "paragraph":
            assert inside == "doc"
        case "text":
            assert inside == "paragraph"
            assert isinstance(node["text"], str)
            assert node["text"]
            for mark in node.get("marks", ()):
                href = mark["attrs"]["href"]
                assert href.startswith("https://")
                assert mark == {"type": "link", "attrs": {"href": href}}
        case kind:
            assert (kind, inside) == ("hardBreak", "paragraph")
    for child in node.get("content", ()):
        _check_document(child, node["type"])


def _words(node: Any) -> str:
    if node["type"] == "text":
        return str(node["text"])
    end = {"paragraph": "\n\n", "hardBreak": "\n"}.get(node["type"], "")
    return "".join(map(_words, node.get("content", ()))) + end


class GithubTickets(TicketApi):
    """One repository's issues, with no search at all. Without the right to push, no labels.

    Attributes:
        pushes: Whether the token may push.
        issues: Oldest first.
    """

    vendor = "github"
    credentials: ClassVar[Mapping[str, str]] = {"TOKEN": "secret"}
    queue = "acme/operations"
    receipt = r"#1 https://github\.com/acme/operations/issues/1"
    now = datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC)

    def __init__(self) -> None:
        super().__init__()
        self.issues: list[dict[str, Any]] = []
        self.pushes = True
        self.given = 0

    @cached_property
    def key(self) -> rsa.RSAPrivateKey:
        """The app's."""
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def app(self) -> dict[str, str]:
        """Settings of an app instead of a token."""
        private = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        own = {"APP": "Iv23x", "KEY": private.replace("\n", "\\n"), "INSTALLATION": "77"}
        return {"TOKEN": "", **own}

    def authorised(self, request: web.Request, raw: bytes) -> bool:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or "X-GitHub-Api-Version" not in request.headers:
            return False
        if not request.path.startswith("/app/"):
            return token == "secret" or (self.given > 0 and token == f"ghs_{self.given}")
        claims = jwt.decode(token, self.key.public_key(), algorithms=["RS256"])
        return bool(claims["iss"] == "Iv23x" and claims["exp"] - claims["iat"] <= 600)

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        match method, path:
            case "POST", "/app/installations/77/access_tokens":
                self.given += 1
                return Answer(201, {"token": f"ghs_{self.given}", "expires_at": "in an hour"})
            case "GET", "/repos/acme/operations":
                return {"has_issues": True, "permissions": {"push": self.pushes}}
            case "GET", "/repos/acme/operations/issues":
                return self._listed(query)
            case "POST", "/repos/acme/operations/issues":
                return self._made(only(body, "title", "body", "labels"))
        raise RefusedError(404, "Not Found")

    def _listed(self, query: Mapping[str, str]) -> list[Any]:
        asked = (query["state"], query["sort"], query["direction"])
        assert asked == ("all", "created", "desc")
        size = int(query["per_page"])
        assert size <= 100
        found = [issue for issue in self.issues if issue["updated_at"] >= query["since"]]
        first = size * (int(query["page"]) - 1)
        return found[::-1][first : first + size]

    def _made(self, wanted: dict[str, Any]) -> Answer:
        if "broken" in wanted["title"]:
            errors = [{"resource": "Issue", "field": "title", "code": "invalid"}]
            raise RefusedError(422, "", {"message": "Validation Failed", "errors": errors})
        assert 0 < len(wanted["title"]) <= 256
        assert len(wanted["body"]) <= 65536
        assert all(0 < len(label) <= 50 for label in wanted["labels"])
        reference = re.search(r"<!-- frontdesk: (\S+) -->\Z", wanted["body"])
        assert reference is not None
        self.others(1)
        self.issues[-1] |= {"body": wanted["body"], "title": wanted["title"]}
        self.issues[-1]["labels"] = wanted["labels"] if self.pushes else []
        self.ledger.append(reference[1])
        return Answer(201, self.issues[-1])

    def others(self, count: int, at: datetime | None = None) -> None:
        """What other people opened."""
        at_text = f"{at or self.now:%Y-%m-%dT%H:%M:%SZ}"
        for _ in range(count):
            number = len(self.issues) + 1
            self.issues.append(
                {
                    "number": number,
                    "html_url": f"https://github.com/acme/operations/issues/{number}",
                    "title": "Other",
                    "body": None,
                    "created_at": at_text,
                    "updated_at": at_text,
                }
            )

    def shown(self) -> tuple[str, str]:
        return self.issues[-1]["title"], self.issues[-1]["body"]


def lively(markdown: str) -> list[str]:
    """Mentions, references, links and HTML that GitHub would make of a text, code left out.

    https://docs.github.com/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
    """
    blocks = re.compile(
        r"^(`{3,})[^`\n]*\n.*?^\1`*[ \t]*$|`[^`\n]+`|<!--.*?-->", re.MULTILINE | re.DOTALL
    )
    text = blocks.sub("", markdown).replace(f"<{LOOK}>", "")
    live = r"@[A-Za-z0-9]|#\d|\bGH-\d|https?://|\bwww\.|\b[0-9a-f]{7,40}\b|<[a-z/!]|\]\("
    return re.findall(live, text)
