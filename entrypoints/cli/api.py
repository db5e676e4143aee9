"""The HTTP API as the terminal uses it.

``http.client`` instead of a larger library: it knows no proxies, which would only be in the way of
127.0.0.1, and loads in 30 ms, and that only when something is sent: ``--help`` is to be quick.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

from entrypoints.cli.exits import BAD_USAGE, FAILED, CliError

if TYPE_CHECKING:
    from http.client import HTTPResponse

_EXAMPLE = "http://127.0.0.1:7071"
_STRANGER = "what answers at that address is no Frontdesk"
_OUR_FAULT = (400, 404, 413, 422)
_ATTEMPTS = 4
_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0


class UnreachableError(CliError):
    """Nothing usable answers at the address."""


class RefusedError(CliError):
    """The API answered with an error.

    Args:
        status: The HTTP status.
        said: Title and detail of its problem+json body.
        retry_after: Seconds after which it wants to be asked again, if it said so.
    """

    def __init__(self, status: int, said: str, retry_after: float | None = None) -> None:
        super().__init__(said, BAD_USAGE if status in _OUR_FAULT else FAILED)
        self.status = status
        self.retry_after = retry_after


class Answer(NamedTuple):
    """An HTTP answer; ``seconds`` is how long it took."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes
    seconds: float


class Api:
    """Client of one Frontdesk.

    Args:
        url: Base address, such as ``http://127.0.0.1:7071``.
        key: Function key, sent as ``x-functions-key``; empty for none.
        timeout: Seconds for one answer.
    """

    def __init__(self, url: str, key: str = "", timeout: float = 15.0) -> None:
        parts = urlsplit(url if "//" in url else f"//{url}", scheme="http")
        try:
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError as error:
            raise CliError(f"--url {url}: {error}", BAD_USAGE) from None
        if parts.scheme not in ("http", "https") or not self._host:
            raise CliError(f"--url {url}: not an address such as {_EXAMPLE}", BAD_USAGE)
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._prefix = parts.path.rstrip("/")
        self._tls = parts.scheme == "https"
        self._key = key
        self._timeout = timeout

    def healthy(self) -> bool:
        """True when a Frontdesk answers and says that it is well.

        Raises:
            UnreachableError: Something answers that is no Frontdesk, or one that is not well.
        """
        try:
            answer = self._send("GET", "/api/health")
        except UnreachableError:
            return False
        except RefusedError as error:
            if error.status == 503:
                raise UnreachableError(f"{self.url} answers but is not well: {error}") from None
            raise UnreachableError(
                f"{self.url} is in use by something else ({error}); choose another with --port"
            ) from None
        return isinstance(answer, dict) and "status" in answer

    def receive(self, about: dict[str, str], query: str) -> str:
        """Hand in a customer's message and return the new case's id.

        Sent again after a lost connection or a 503; the Idempotency-Key makes that safe.

        Args:
            about: ``{"desk": name}`` or ``{"support_context": scene}``.
            query: What the customer wrote.
        """
        body = {**about, "customer_query": query, "channel": {"source": "cli"}}
        answer = self._hand_in("/api/cases", body)
        return str(_part(answer, "case_id"))

    def follow_up(self, case_id: str, query: str) -> None:
        """Hand in the customer's next message to a case; sent again as ``receive`` does."""
        with _about(case_id):
            answer = self._hand_in(f"{_path(case_id)}/messages", {"customer_query": query})
        _part(answer, "case_id")

    def case(self, case_id: str) -> dict[str, Any]:
        """The SupportCase as JSON."""
        with _about(case_id):
            answer: dict[str, Any] = self._send("GET", _path(case_id))
        _part(answer, "case_id")
        return answer

    def cases(self, **filters: str | int | None) -> dict[str, Any]:
        """A page of the listing: ``{"cases": [IndexEntry…], "next": cursor or None}``."""
        return self._page("/api/cases", "cases", filters)

    def parked(self, **page: str | int | None) -> dict[str, Any]:
        """A page, as ``cases`` has it, of those that could not be finished.

        Its ``digests`` are channels that failed: ``{desk, window, channel, state, reason, at}``.
        """
        return self._page("/api/parked", "cases", page)

    def quarantine(self, limit: int) -> dict[str, Any]:
        """Kept queue messages: ``{"messages": [{id, queue, reason, body, at}…]}``."""
        return self._page("/api/quarantine", "messages", {"limit": limit})

    def budget(self, day: str | None) -> dict[str, Any]:
        """Limits and use: ``{"day", "desks": [{desk, case, day}…]}``."""
        return self._page("/api/budget", "desks", {"day": day})

    def digest(self, desk: str, window: str | None) -> dict[str, Any]:
        """A digest: ``{"digest", "effects", "acts", "letter"}``.

        An effect is ``{key, state, receipt, reason}``, an act ``{act, by, at, reason, effects}``.
        """
        path = f"/api/digests/{quote(desk, safe='')}"
        return self._page(path, "letter", {"window": window})

    def send_digest(self, desk: str) -> dict[str, Any]:
        """Sends a desk's digest now: ``{"desk", "digest"}``."""
        answer: dict[str, Any] = self._send("POST", f"/api/digests/{quote(desk, safe='')}", {})
        _part(answer, "digest")
        return answer

    def act(self, case_id: str, act: str, body: dict[str, Any]) -> dict[str, Any]:
        """A person's act on a case: cancel, resolve or replay. Sent once.

        Args:
            case_id: Which case.
            act: The last part of its path.
            body: ``{"by", "reason"}``, for a replay also ``{"stages", "effects"}``.
        """
        with _about(case_id):
            answer: dict[str, Any] = self._send("POST", f"{_path(case_id)}/{act}", body)
        _part(answer, "case_id")
        return answer

    def act_on_digest(self, desk: str, act: str, body: dict[str, Any]) -> dict[str, Any]:
        """A person's act on a digest: replay or resolve. Sent once.

        Args:
            body: ``{"by", "reason", "window"}``, for a replay also ``{"channels"}``.
        """
        path = f"/api/digests/{quote(desk, safe='')}/{act}"
        answer: dict[str, Any] = self._send("POST", path, body)
        _part(answer, "window")
        return answer

    def approvals(self, **page: str | int | None) -> dict[str, Any]:
        """A page, as ``cases`` has it, of those in which an action waits for people."""
        return self._page("/api/approvals", "cases", page)

    def decide(self, case_id: str, action: str, act: str, body: dict[str, str]) -> dict[str, Any]:
        """A decision on an action: approve, reject or done. Returns the action as it is now."""
        path = f"{_path(case_id)}/actions/{quote(action, safe='')}/{act}"
        answer: dict[str, Any] = _part(self._send("POST", path, body), "action")
        return answer

    def deliver(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """A webhook's delivery, once, as it is: without our key, whatever the answer.

        Raises:
            UnreachableError: Nothing answers.
        """
        began = time.monotonic()
        answer, text = self._exchange("POST", path, body, dict(headers))
        return Answer(
            answer.status, answer.reason, dict(answer.headers), text, time.monotonic() - began
        )

    def desks(self) -> list[str]:
        """Names of the desks."""
        desks = _part(self._send("GET", "/api/desks"), "desks")
        return [str(_part(desk, "name")) for desk in desks]

    def _page(self, path: str, part: str, query: dict[str, str | int | None]) -> dict[str, Any]:
        given = {name: value for name, value in query.items() if value is not None}
        answer: dict[str, Any] = self._send("GET", f"{path}?{urlencode(given)}" if given else path)
        _part(answer, part)
        return answer

    def _hand_in(self, path: str, body: dict[str, Any]) -> Any:
        key = uuid4().hex
        for left in reversed(range(_ATTEMPTS)):
            pause = _PAUSE_SECONDS
            try:
                return self._send("POST", path, body, {"Idempotency-Key": key})
            except UnreachableError:
                if not left:
                    raise
            except RefusedError as error:
                pause = error.retry_after or pause
                if error.status not in (429, 503) or not left or pause > _LONGEST_PAUSE_SECONDS:
                    raise
            time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        sent = {"Accept": "application/json", **(headers or {})}
        if self._key:
            sent["x-functions-key"] = self._key
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        answer, text = self._exchange(method, path, content, sent)
        if answer.status >= 300:
            raise RefusedError(answer.status, _problem(answer, text), _seconds(answer))
        try:
            return json.loads(text)
        except ValueError:
            raise RefusedError(answer.status, _STRANGER) from None

    def _exchange(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str]
    ) -> tuple[HTTPResponse, bytes]:
        import http.client

        kind = http.client.HTTPSConnection if self._tls else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=self._timeout)
        try:
            connection.request(method, self._prefix + path, content, headers)
            answer = connection.getresponse()
            return answer, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(f"{self.url} does not answer ({_reason(error)})") from None
        finally:
            connection.close()


def _path(case_id: str) -> str:
    return f"/api/cases/{quote(case_id, safe='')}"


@contextmanager
def _about(case_id: str) -> Iterator[None]:
    try:
        yield
    except RefusedError as error:
        if error.status == 404:
            raise RefusedError(404, f"there is no case {case_id}") from None
        raise


def _part(answer: Any, name: str) -> Any:
    try:
        return answer[name]
    except (TypeError, KeyError):
        raise RefusedError(200, _STRANGER) from None


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


def _problem(answer: HTTPResponse, text: bytes) -> str:
    """What a problem+json body says, on one line; the bare status for any other body."""
    try:
        problem = json.loads(text)
        said = ": ".join(str(problem[part]) for part in ("title", "detail") if problem.get(part))
    except (ValueError, TypeError, AttributeError):
        said = ""
    if answer.status in (401, 403) and not said:
        said = "a key is needed: set FRONTDESK_KEY"
    return said or f"HTTP {answer.status} {answer.reason}"


def _seconds(answer: HTTPResponse) -> float | None:
    value = answer.getheader("Retry-After", "")
    return float(value) if value.isdigit() else None
