"""local.settings.json, host.json and the %SETTING% references between them and the bindings.

Sources: https://learn.microsoft.com/azure/azure-functions/functions-develop-local and
https://learn.microsoft.com/azure/azure-functions/functions-host-json.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devkit.host.errors import StartError

_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,7})?)?")
_REFERENCE = re.compile(r"%([^%]+)%")


@dataclass(frozen=True)
class QueueOptions:
    """host.json `extensions.queues`; the defaults are those of the real host in Development.

    Attributes:
        batch_size: messages asked for at once, 1 to 32.
        new_batch_threshold: a new batch is fetched once this many or fewer are in work.
        max_dequeue_count: deliveries before a failing message goes to its poison queue.
        visibility_timeout: seconds before a failed message is delivered again.
        max_polling_interval: seconds between two polls of an idle queue, at most.
        base64: whether message bodies are base64 text, else plain text.
    """

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: float = 0.0
    max_polling_interval: float = 2.0
    base64: bool = True


@dataclass(frozen=True)
class HostOptions:
    """What this host reads from host.json.

    Attributes:
        route_prefix: first path segment of every HTTP function; empty for none.
        max_outstanding_requests: HTTP requests held at once before 429; None for no limit.
        function_timeout: seconds an invocation may take; None for no limit.
        queues: see QueueOptions.
    """

    route_prefix: str = "api"
    max_outstanding_requests: int | None = None
    function_timeout: float | None = 1800.0
    queues: QueueOptions = QueueOptions()


class _JsonFile:
    """One JSON object on disk, with errors that carry the file and the line of a key."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text = ""
        try:
            self._text = path.read_text(encoding="utf-8-sig")
            self.content = json.loads(self._text)
        except UnicodeDecodeError as error:
            raise StartError(f"{path}: not UTF-8 text ({error.reason}).") from None
        except json.JSONDecodeError as error:
            raise StartError(f"{path}, line {error.lineno}: not valid JSON: {error.msg}.") from None
        if not isinstance(self.content, dict):
            raise StartError(f"{path}, line 1: must hold a JSON object.")

    def error(self, key: str, problem: str) -> StartError:
        before, found, _ = self._text.partition(json.dumps(key))
        line = before.count("\n") + 1 if found else 1
        return StartError(f"{self._path}, line {line}: {key} {problem}")

    def section(self, *keys: str) -> Mapping[str, Any]:
        value: Any = self.content
        for key in keys:
            value = value.get(key, {})
            if not isinstance(value, dict):
                raise self.error(key, "must be a JSON object.")
        return value  # type: ignore[no-any-return]

    def whole_number(self, section: Mapping[str, Any], key: str, low: int, high: int) -> int | None:
        value = section.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.error(key, f"must be a whole number from {low} to {high}.")
        return value

    def seconds(self, section: Mapping[str, Any], key: str) -> float | None:
        value = section.get(key)
        if value is None:
            return None
        span = time_span(value) if isinstance(value, str) else None
        if span is None:
            raise self.error(key, 'must be a time span such as "00:01:00".')
        return span


def time_span(text: str) -> float | None:
    """Seconds in a .NET time span, `[days.]hh:mm[:ss[.fraction]]`; None if it is not one."""
    match = _TIME_SPAN.fullmatch(text.strip())
    if match is None:
        return None
    days, hours, minutes, seconds, fraction = (float(part or 0) for part in match.groups())
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds + fraction


def read_local_settings(app_dir: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Settings that local.settings.json adds to the environment.

    A non-empty environment variable wins over the file, as under Core Tools.

    Args:
        app_dir: folder of the function app; the file in it is optional.
        environment: the process environment before the app is loaded.

    Returns:
        The variables to add, AZURE_FUNCTIONS_ENVIRONMENT=Development among them.

    Raises:
        StartError: the file is not what Core Tools would accept.
    """
    values: Mapping[str, Any] = {}
    path = app_dir / "local.settings.json"
    if path.is_file():
        file = _JsonFile(path)
        if file.content.get("IsEncrypted"):
            raise file.error("IsEncrypted", "is true; this host reads plain settings only.")
        values = file.section("Values")
        for key, value in values.items():
            if not isinstance(value, str):
                raise file.error(key, "must be a string: put the value in quotes.")
    defaults = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}
    return {k: v for k, v in {**defaults, **values}.items() if not environment.get(k)}


def read_host_json(app_dir: Path) -> HostOptions:
    """host.json of the app, checked; absent settings take the real host's defaults.

    Args:
        app_dir: folder of the function app.

    Raises:
        StartError: the file is missing, is not JSON, or holds a value out of range.
    """
    path = app_dir / "host.json"
    if not path.is_file():
        raise StartError(f'{path} is missing; the least it can hold is {{"version": "2.0"}}.')
    file = _JsonFile(path)
    _override(file.content)
    if file.content.get("version") != "2.0":
        raise file.error("version", 'must be "2.0".')

    http = file.section("extensions", "http")
    prefix = http.get("routePrefix", "api")
    if not isinstance(prefix, str):
        raise file.error("routePrefix", "must be a string.")
    outstanding = file.whole_number(http, "maxOutstandingRequests", -1, 1_000_000)

    timeout: float | None = HostOptions.function_timeout
    if file.content.get("functionTimeout") == "-1":
        timeout = None
    elif "functionTimeout" in file.content:
        timeout = file.seconds(file.content, "functionTimeout") or timeout

    return HostOptions(
        route_prefix=prefix.strip("/"),
        max_outstanding_requests=None if outstanding in (None, -1) else outstanding,
        function_timeout=timeout,
        queues=_queue_options(file),
    )


def _override(content: dict[str, Any]) -> None:
    """Puts ``AzureFunctionsJobHost__extensions__queues__batchSize=1`` and the like over host.json.

    The real host does: https://learn.microsoft.com/azure/azure-functions/functions-host-json
    """
    for name, value in os.environ.items():
        path = name.split("__")
        if path[0] != "AzureFunctionsJobHost" or len(path) < 2:
            continue
        section = content
        for part in path[1:-1]:
            inner = section.setdefault(part, {})
            section = inner if isinstance(inner, dict) else {}
        section[path[-1]] = int(value) if value.lstrip("-").isdigit() else value


def _queue_options(file: _JsonFile) -> QueueOptions:
    queues = file.section("extensions", "queues")
    encoding = queues.get("messageEncoding", "base64")
    if not isinstance(encoding, str) or encoding.lower() not in ("base64", "none"):
        raise file.error("messageEncoding", 'must be "base64" or "none".')
    batch_size = file.whole_number(queues, "batchSize", 1, 32) or QueueOptions.batch_size
    threshold = file.whole_number(queues, "newBatchThreshold", 0, 10_000)
    visibility = file.seconds(queues, "visibilityTimeout")
    return QueueOptions(
        batch_size=batch_size,
        new_batch_threshold=batch_size // 2 if threshold is None else threshold,
        max_dequeue_count=file.whole_number(queues, "maxDequeueCount", 1, 1_000)
        or QueueOptions.max_dequeue_count,
        visibility_timeout=visibility or 0.0,
        max_polling_interval=file.seconds(queues, "maxPollingInterval")
        or QueueOptions.max_polling_interval,
        base64=encoding.lower() == "base64",
    )


def resolve(text: str, settings: Mapping[str, str], where: str) -> str:
    """`text` with every %NAME% replaced by that setting.

    Args:
        text: a queue name, schedule or connection as written in the decorator.
        settings: the environment after local.settings.json was applied.
        where: function and field, for the error.

    Raises:
        StartError: a named setting is missing or empty.
    """

    def value(match: re.Match[str]) -> str:
        found = settings.get(match[1])
        if not found:
            raise StartError(
                f"{where}: the setting {match[1]} is missing; "
                "set it in local.settings.json or in the environment."
            )
        return found

    return _REFERENCE.sub(value, text)
