"""The emulator's HTTP side: paths, api-versions, keys, and what a request gets for an answer."""

import asyncio
import json
import re
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.types import Receive, Scope, Send

from devkit.emulator import api_errors
from devkit.emulator.api_errors import ApiError
from devkit.emulator.chat_request import ChatRequest, PathStyle
from devkit.emulator.checks import check_messages, check_request
from devkit.emulator.completion import PromptCache, complete, count_prompt, stream
from devkit.emulator.delivery import Reply, deliver
from devkit.emulator.rules import Rules
from devkit.emulator.script import Script, Then

#: Requests that are kept for tests to look at; older ones are forgotten.
KEPT_REQUESTS = 10_000

_DATED = re.compile(r"/openai/deployments/([^/]+)/chat/completions")
_UNDATED: dict[str, PathStyle] = {
    "/openai/v1/chat/completions": "v1",
    "/v1/chat/completions": "openai",
}
_LISTINGS: dict[str, PathStyle] = {
    "/openai/models": "dated",
    "/openai/v1/models": "v1",
    "/v1/models": "openai",
}
_API_VERSION = re.compile(r"20\d\d-[01]\d-[0-3]\d(-preview)?")
_KEY_HEADERS = frozenset({"api-key", "authorization"})


@dataclass(slots=True)
class Received:
    """A request as it arrived, and what became of it.

    Attributes:
        method: HTTP method.
        path: Path without the query.
        query: Query parameters.
        headers: Headers by their names in lower case; the value of a key is ``[key]``.
        body: The parsed JSON body, or None where it is none.
        rule: Name of the rule that decided; empty for the usual answer.
        status: HTTP status of the answer; 0 before it, and where the connection was ended.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any = field(repr=False)
    rule: str = ""
    status: int = 0


class EmulatorApp:
    """The ASGI app.

    Args:
        script: What to answer.
        on_answer: Called with every request once its answer is decided.
    """

    def __init__(
        self, script: Script, on_answer: Callable[[Received], None] = lambda _: None
    ) -> None:
        self.requests: deque[Received] = deque(maxlen=KEPT_REQUESTS)
        self._on_answer = on_answer
        self.use(script)

    def use(self, script: Script) -> None:
        """Go on with another script; its counts start anew, what was received is kept."""
        self._rules = Rules(script)
        self._cache = PromptCache()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        raw = await _read(receive)
        received = Received(
            method=scope["method"],
            path=scope["path"],
            query=dict(parse_qsl(scope["query_string"].decode("latin-1"))),
            headers={n: "[key]" if n in _KEY_HEADERS else v for n, v in headers.items()},
            body=_parse(raw),
        )
        self.requests.append(received)
        try:
            reply = await self._answer(received, headers)
        except ApiError as error:
            reply = Reply(error.status, _json(error.body), error.headers)
        received.status = reply.status if reply.ending != "none" else 0
        self._on_answer(received)
        request_id = str(uuid.uuid4())
        named = {"x-request-id": request_id, "apim-request-id": request_id}
        await deliver(reply, named, receive, send)

    async def _answer(self, received: Received, headers: dict[str, str]) -> Reply:
        rules = self._rules
        script = rules.script
        style, deployment = _place(received)
        _check_api_version(style, received.query.get("api-version"))
        _check_key(style, headers, script.keys)
        if received.method == "GET":
            return Reply(200, _json(_listing(script)))
        check_messages(received.body)
        deployment = deployment or received.body.get("model")
        if script.deployments and deployment not in script.deployments:
            raise api_errors.unknown_deployment(style, str(deployment))
        name = str(deployment)
        request = ChatRequest(style, name, script.deployments.get(name, name), received.body)

        received.rule, then = rules.choose(request)
        await asyncio.sleep(rules.seconds(_first(then.latency_ms, script.latency_ms)))
        _fail(request, then)
        if then.respond:
            given = then.respond
            body = given.body.encode() if isinstance(given.body, str) else _json(given.body)
            return Reply(given.status, body, given.headers)
        if then.fault in ("hang", "drop"):
            return Reply(0, b"", ending="none", seconds=then.seconds if then.fault == "hang" else 0)
        check_request(request, structured_output=script.structured_output)
        tokens = count_prompt(request)
        if tokens > script.context_tokens:
            raise api_errors.context_too_long(script.context_tokens, tokens)
        obey = bool(_first(then.obey, script.obey))
        completion = complete(request, then, self._cache.cached_tokens(request), obey=obey)
        return _reply(request, then, completion)


def _place(received: Received) -> tuple[PathStyle, str]:
    """Path style of a request, and its deployment where the path names it."""
    if received.method == "GET" and received.path in _LISTINGS:
        return _LISTINGS[received.path], ""
    if received.method == "POST" and received.path in _UNDATED:
        return _UNDATED[received.path], ""
    found = _DATED.fullmatch(received.path)
    if received.method != "POST" or not found:
        raise api_errors.resource_not_found()
    return "dated", unquote(found[1])


def _check_api_version(style: PathStyle, version: str | None) -> None:
    if style == "dated" and not _API_VERSION.fullmatch(version or ""):
        raise api_errors.resource_not_found()
    if style == "v1" and version not in (None, "v1", "preview", "latest"):
        raise api_errors.api_version_not_supported()


def _check_key(style: PathStyle, headers: dict[str, str], keys: frozenset[str]) -> None:
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    given = {key for key in (headers.get("api-key"), bearer) if key}
    if not (given & keys if keys else given):
        raise api_errors.wrong_key(style)


def _fail(request: ChatRequest, then: Then) -> None:
    """Raise the scripted error, if the script wants one."""
    if then.fault == "rate_limited":
        raise api_errors.rate_limited(then)
    if then.fault == "quota_exhausted":
        raise api_errors.quota_exhausted()
    if then.fault == "server_error":
        raise api_errors.server_error(then)
    if then.fault == "content_filter_input":
        raise api_errors.content_filtered(then)
    if then.fault == "context_length":
        tokens = count_prompt(request)
        raise api_errors.context_too_long(min(tokens - 1, 272_000), tokens)
    if then.fault == "no_structured_output" and request.format:
        raise api_errors.no_structured_output(str(request.format.get("type")))
    if then.fault == "wrong_key":
        raise api_errors.wrong_key(request.style)
    if then.fault == "unknown_deployment":
        raise api_errors.unknown_deployment(request.style, request.deployment)


def _reply(request: ChatRequest, then: Then, completion: dict[str, Any]) -> Reply:
    if request.body.get("stream"):
        options = request.body.get("stream_options")
        with_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        body = b"".join(stream(completion, with_usage=with_usage))
        headers = {"content-type": "text/event-stream; charset=utf-8"}
    else:
        body, headers = _json(completion), {}
    if then.fault == "broken_off":
        return Reply(200, body[: len(body) // 2], headers)
    if then.fault == "half_body":
        return Reply(200, body, headers, ending="half")
    if then.fault == "trickle":
        return Reply(200, body, headers, ending="trickle", seconds=then.seconds)
    return Reply(200, body, headers)


def _listing(script: Script) -> dict[str, Any]:
    names = script.deployments or {"gpt-5.4-mini": "gpt-5.4-mini"}
    models = [{"id": n, "object": "model", "created": 0, "owned_by": "emulator"} for n in names]
    return {"object": "list", "data": models}


def _first(wanted: Any, otherwise: Any) -> Any:
    return otherwise if wanted is None else wanted


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


async def _read(receive: Receive) -> bytes:
    parts = []
    while (message := await receive())["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(parts)
