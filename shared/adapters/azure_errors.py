"""What the Azure SDKs raise, translated into what the runner does about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

from shared.errors import ConflictError, FrontdeskError, PermanentError, RetryableError

#: The longest that one storage operation may take, its retries included.
OPERATION_SECONDS = 6.0

_MISSING = "storage_missing"
_MISSING_CODES = ("TableNotFound", "QueueNotFound", "ContainerNotFound")
_RETRYABLE = {
    401: "storage_refused",
    403: "storage_refused",
    408: "storage_unavailable",
    409: "storage_busy",  # other than AlreadyExists: it is still being deleted
    429: "storage_busy",
    500: "storage_unavailable",
    502: "storage_unavailable",
    503: "storage_busy",
    504: "storage_unavailable",
}
_TOO_LARGE_CODES = ("EntityTooLarge", "PropertyValueTooLarge", "RequestBodyTooLarge")
_Answer = TypeVar("_Answer")


@asynccontextmanager
async def storage_errors() -> AsyncIterator[None]:
    """Bounds the storage calls inside and translates what they raise.

    Raises:
        RetryableError: ``storage_unavailable`` (down, slow, broken off), ``storage_busy``
            (throttled), ``storage_refused`` (401 or 403; a rotated key must park nothing) or
            ``storage_missing`` (no such table, queue or container yet).
        ConflictError: It exists already, or its ETag changed.
        PermanentError: ``row_too_large``.
    """
    try:
        async with asyncio.timeout(OPERATION_SECONDS):
            yield
    except (AzureError, TimeoutError, ConnectionError) as error:
        said = _translate(error)
        if said is None:
            raise
        raise said from error


async def ensure(create: Callable[[], Awaitable[object]]) -> None:
    """Creates a table, queue or container and is content when it is there already."""
    with suppress(ConflictError):
        async with storage_errors():
            await create()


async def write_ensured(
    write: Callable[[], Awaitable[_Answer]], create: Callable[[], Awaitable[object]]
) -> _Answer:
    """Writes, and once more when the table, queue or container had to be created first."""
    try:
        return await write()
    except RetryableError as error:
        if error.code != _MISSING:
            raise
    await ensure(create)
    return await write()


def _translate(error: Exception) -> FrontdeskError | None:
    """The verdict; None for what can only be a mistake of ours."""
    match error:
        case IncompleteReadError() | ServiceRequestError() | ServiceResponseError():
            return RetryableError("storage_unavailable", detail=type(error).__name__)
        case TimeoutError() | ConnectionError():
            return RetryableError("storage_unavailable", detail=type(error).__name__)
        case HttpResponseError(status_code=int(status)):
            return _of_status(status, error)
        case ClientAuthenticationError():
            return RetryableError("storage_refused", detail=type(error).__name__)
    return None


def _of_status(status: int, error: HttpResponseError) -> FrontdeskError | None:
    # The storage SDKs put the service's code here, the tables SDK sometimes only into the text.
    code = getattr(error, "error_code", None)
    detail, text = f"HTTP {status}", f"{getattr(code, 'value', code)} {error}"
    if any(name in text for name in _TOO_LARGE_CODES):
        return PermanentError("row_too_large", detail)
    # Not only with 409: a queue that is there already answers 204.
    if status == 412 or "AlreadyExists" in text:
        return ConflictError(detail)
    missing = any(name in text for name in _MISSING_CODES)
    said = _MISSING if missing else _RETRYABLE.get(status)
    if status < 400:
        # The service did its work, and what it answered cannot be read.
        said = "storage_unavailable"
    return RetryableError(said, _retry_after(error), detail) if said else None


def _retry_after(error: HttpResponseError) -> float:
    headers = getattr(error.response, "headers", {})
    for name, seconds in (("x-ms-retry-after-ms", 0.001), ("Retry-After", 1.0)):
        value = headers.get(name, "")
        if value.isdigit():
            return int(value) * seconds
    return 0.0
