"""How Frontdesk speaks HTTP: JSON in and out, errors as application/problem+json (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, TypeVar
from uuid import UUID

import azure.functions as func
from pydantic import AfterValidator, BaseModel, StrictStr, ValidationError

from entrypoints.running import wordless
from shared.errors import ConfigError, RequestError, RetryableError
from shared.telemetry import logger

Handler = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]
Body = TypeVar("Body", bound=BaseModel)

#: A message of 256 KiB whose every character is escaped in JSON stays below this.
MAX_BODY = 2 * 1024 * 1024
_RETRY_AFTER = 5
_log = logger("http")


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the API: function_app.py turns it into a function."""

    name: str
    method: str
    path: str
    handler: Handler
    auth: func.AuthLevel = func.AuthLevel.FUNCTION


def _clean(text: str) -> str:
    if "\x00" in text:
        raise ValueError("contains a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("contains half a surrogate pair; send valid Unicode") from None
    return text


#: A string that can be stored: valid Unicode without NUL.
Clean = Annotated[StrictStr, AfterValidator(_clean)]


def answering(handler: Handler) -> Handler:
    """The handler with our errors turned into problem+json; a bug is still raised."""

    @wraps(handler)
    async def wrapped(req: func.HttpRequest) -> func.HttpResponse:
        try:
            with wordless():
                return await handler(req)
        except RequestError as error:
            return _problem(error.status, error.title, error.detail, error.retry_after)
        except RetryableError as error:
            _log.warning("storage did not answer", extra={"code": error.code})
            retry = max(_RETRY_AFTER, round(error.retry_after))
            return _problem(503, "Try again later", "Storage does not answer right now.", retry)
        except ConfigError as error:
            _log.error("not configured", extra={"problem": str(error)})
            return _problem(503, "Not configured", "The operator's log says what is missing.", 60)

    return wrapped


def json_answer(body: object, status: int = 200, **headers: str) -> func.HttpResponse:
    """A JSON answer."""
    return func.HttpResponse(
        json.dumps(body, ensure_ascii=False),
        status_code=status,
        mimetype="application/json",
        headers=headers,
    )


def read_body(req: func.HttpRequest, model: type[Body]) -> Body:
    """The request's JSON body.

    Raises:
        RequestError: 400 not UTF-8 or not JSON, 413 too large, 422 wrong fields.
    """
    raw = req.get_body()
    if len(raw) > MAX_BODY:
        raise RequestError(413, "Body too large", f"{MAX_BODY} bytes is the most.")
    try:
        return model.model_validate(json.loads(raw.decode()))
    except UnicodeDecodeError as error:
        raise RequestError(
            400, "Not UTF-8", f"The body is not UTF-8 at byte {error.start}."
        ) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise RequestError(400, "Not JSON", f"The body is not valid JSON at {where}.") from None
    except RecursionError:
        raise RequestError(400, "Not JSON", "The body is nested too deeply.") from None
    except ValidationError as error:
        known = ", ".join(model.model_fields)
        said = "; ".join(_say(problem, known) for problem in error.errors(include_input=False))
        raise RequestError(422, "Wrong fields", said) from None


def idempotency_key(req: func.HttpRequest) -> str | None:
    """The Idempotency-Key header, which makes sending a request again safe."""
    key: str | None = req.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise RequestError(400, "Bad Idempotency-Key", "Use 1 to 255 printable ASCII characters.")
    return key


def case_id_of(req: func.HttpRequest) -> str:
    """The case id in the path, in its one spelling."""
    try:
        return str(UUID(req.route_params["case_id"]))
    except ValueError:
        raise RequestError(404, "No such case", "A case id is a UUID.") from None


def choice_of(req: func.HttpRequest, name: str, allowed: tuple[Any, ...]) -> Any:
    """A query parameter with a closed set of values; None when it is not given."""
    value = req.params.get(name)
    if value and value not in allowed:
        raise RequestError(400, f"Unknown {name}", f"{name} is one of: {', '.join(allowed)}.")
    return value or None


def limit_of(req: func.HttpRequest) -> int:
    """The query parameter ``limit``: 1 to 100, 20 when it is not given."""
    given = req.params.get("limit", "20")
    if not (given.isascii() and given.isdigit() and 1 <= int(given[:6]) <= 100):
        raise RequestError(400, "Bad limit", "limit is a whole number from 1 to 100.")
    return int(given)


def _problem(status: int, title: str, detail: str, retry_after: int | None) -> func.HttpResponse:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return func.HttpResponse(
        json.dumps(body, ensure_ascii=False),
        status_code=status,
        mimetype="application/problem+json",
        headers={} if retry_after is None else {"Retry-After": str(retry_after)},
    )


def _say(problem: Any, known: str) -> str:
    where = ".".join(str(part) for part in problem["loc"]) or "body"
    # A field's name comes from the caller too.
    shown = where.encode("ascii", "replace").decode()[:60]
    if problem["type"] == "extra_forbidden":
        return f"{shown}: unknown field; known are {known}"
    if problem["type"] == "model_type":
        return f"{shown}: must be a JSON object"
    return f"{shown}: {problem['msg']}"
