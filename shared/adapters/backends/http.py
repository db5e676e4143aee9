"""Backend ``http``: a request to the desk's own service.

The service honours our idempotency key: the same key again is the same action, for at least a day.
It may be any address at a host that the desk lists, or, when the desk file names none, the one that
a setting names for the desk; `./frontdesk actions serve` is such a service.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import Field

from shared.adapters.action_texts import action_of, gap_problems, gap_values
from shared.adapters.backends import Around, Backend, Shape, setting_name
from shared.adapters.guarded_http import GuardedHttp
from shared.domain.reply_address import service_problem
from shared.domain.templates import fill, gaps
from shared.domain.written import Line, Name, Part
from shared.errors import PermanentError, UncertainError

if TYPE_CHECKING:
    from shared.domain.stage import Action
    from shared.ports import EffectCall

_DAY = 24 * 3600.0
_SETTING = "FRONTDESK_ACTIONS_URL"
#: What a service may be at when the desk file does not say.
_PATH = "/desks/{desk}/actions/{action}"
Header = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,60}$")]


class Options(Part):
    """How one action is asked for.

    Attributes:
        url: The address, with gaps for arguments in its path and query. Unset: that of a setting,
            with ``path`` behind it.
        path: With gaps; behind the address of the setting.
        body: JSON whose texts may have gaps; a text that is one gap alone keeps the value's type.
        secret: Name of the secret that the request carries.
        auth_header: Where it carries it.
        auth_scheme: What stands before it.
        key_header: Where our idempotency key stands.
        expect: Statuses that mean that it happened.
    """

    url: Line | None = None
    path: Line | None = None
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    body: dict[str, Any] | None = None
    secret: Name | None = None
    auth_header: Header = "Authorization"
    auth_scheme: Line | Literal[""] = "Bearer"
    key_header: Header = "Idempotency-Key"
    expect: Annotated[
        tuple[Annotated[int, Field(ge=200, le=299)], ...], Field(min_length=1, max_length=10)
    ] = (200, 201, 202, 204)


class HttpBackend(Backend):
    """The backend."""

    options = Options

    def problems(self, said: Options, shape: Shape) -> Iterable[tuple[str, str]]:
        """What is wrong with the options for this action."""
        if said.url and said.path:
            yield "path", "is for addresses from a setting; write it into url"
        if said.url and (wrong := _address_problem(said.url, shape)):
            yield "url", wrong
        if said.path and not said.path.startswith("/"):
            yield "path", "must begin with /"
        for field, text in (("url", said.url), ("path", said.path)):
            if text:
                yield from gap_problems(field, text, shape, whole=True)
        for text in _texts(said.body):
            yield from gap_problems("body", text, shape, whole=False)

    def missing(self, said: Options, shape: Shape, around: Around) -> str:
        """Why it cannot be sent in this installation."""
        base = around.address_of(shape.desk)
        if not said.url and not base:
            return f"no address: set {_SETTING} or {_SETTING}_{setting_name(shape.desk)}"
        if not said.url:
            wrong = service_problem(base, shape.desk, shape.hosts, development=around.development)
            if wrong:
                return f"{_SETTING} {wrong}"
        if said.secret and setting_name(said.secret) not in around.secrets:
            return f"no secret: set FRONTDESK_ACTION_SECRET_{setting_name(said.secret)}"
        return ""

    async def reach(self, said: Options, shape: Shape, around: Around) -> str:
        """The host takes connections, with a certificate that we trust; nothing is sent."""
        address = said.url.partition("{")[0] if said.url else around.address_of(shape.desk)
        return f"{await GuardedHttp().reach(address)} takes connections"

    def sink(self, around: Around) -> HttpActions:
        """What sends the requests."""
        return HttpActions(around)


class HttpActions:
    """Sink ``action-http``.

    Args:
        http: What sends a request.
    """

    kind: Literal["keyed", "queryable", "unkeyed"] = "keyed"
    window = _DAY

    def __init__(self, around: Around, http: GuardedHttp | None = None) -> None:
        self._around = around
        self._http = http or GuardedHttp()

    async def send(self, call: EffectCall) -> str:
        action, known = action_of(call)
        said = Options.model_validate(known.backend.options)
        values = gap_values(call, action)
        address = self._address(call, said, values)
        body = _body(call, said, action, values)
        status = await self._http.send(
            said.method, address, json.dumps(body).encode(), self._headers(call, said)
        )
        if status not in said.expect:
            # It answered that it took it, only not as agreed: never a plain refusal.
            raise UncertainError("unexpected_status", f"HTTP {status}")
        return f"HTTP {status}"

    async def find(self, call: EffectCall) -> str | None:
        """Never asked: the service knows our key."""
        return None

    def _address(self, call: EffectCall, said: Options, values: dict[str, Any]) -> str:
        template = said.url or self._around.address_of(call.desk.name).rstrip("/") + (
            said.path or _PATH
        )
        address = fill(template, values, _encoded)
        wrong = service_problem(
            address,
            call.desk.name,
            call.desk.service_hosts,
            development=self._around.development,
        )
        if wrong:
            raise PermanentError("address_refused", f"the address {wrong}")
        return address

    def _headers(self, call: EffectCall, said: Options) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Frontdesk",
            said.key_header: call.idempotency_key,
        }
        if said.secret:
            secret = self._around.secrets.get(setting_name(said.secret), "")
            if not secret:
                name = f"FRONTDESK_ACTION_SECRET_{setting_name(said.secret)}"
                raise PermanentError("action_secret_missing", f"set {name}, then replay")
            headers[said.auth_header] = f"{said.auth_scheme} {secret}".strip()
        return headers


def _body(call: EffectCall, said: Options, action: Action, values: dict[str, Any]) -> Any:
    if said.body is not None:
        return _filled(said.body, values)
    return {
        "case_id": call.case.case_id,
        "turn": call.request.turn,
        "arguments": action.arguments,
    }


def _filled(part: Any, values: dict[str, Any]) -> Any:
    """A copy with its gaps filled; what is one gap without a value is left out."""
    if isinstance(part, dict):
        filled = {name: _filled(value, values) for name, value in part.items()}
        return {name: value for name, value in filled.items() if value is not None}
    if isinstance(part, list | tuple):
        return [_filled(value, values) for value in part]
    if isinstance(part, str):
        alone = gaps(part)
        if len(alone) == 1 and part == f"{{{alone[0]}}}":
            return values.get(alone[0])
        return fill(part, values)
    return part


def _encoded(text: str) -> str:
    # "." and ".." alone name another place, however they are encoded.
    if text.strip(".") == "":
        raise PermanentError("argument_unusable", "an argument cannot stand in an address")
    return quote(text, safe="")


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list | tuple):
        for value in part:
            yield from _texts(value)
    elif isinstance(part, str):
        yield part


def _address_problem(url: str, shape: Shape) -> str:
    base = url.partition("{")[0]
    if not urlsplit(base).path:
        return "must name its host without a gap, such as https://pms.example.com/rooms/{room}"
    try:
        plain = fill(url, {}, lambda _: "x")
    except ValueError as error:
        return str(error)
    if wrong := service_problem(plain, shape.desk, shape.hosts, development=False):
        return wrong
    return ""


BACKEND = HttpBackend()
