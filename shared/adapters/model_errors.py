"""What a model endpoint's failures mean: each by name, and what the runner does about it.

docs/provider-failures.md is the same table in words. Messages of providers are read to classify
and never kept: some servers repeat the customer's text or a part of the key in them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from shared.domain.stage import Usage
from shared.errors import PermanentError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import openai

#: Seconds to wait for a person to put right a key, a role, a deployment or a quota. Parking would
#: leave every case of those minutes for people; a new deployment also takes minutes to be known.
OPERATOR_PAUSE = 60.0
#: What only an operator can put right; these are logged as errors.
OPERATOR_CODES = frozenset({"wrong_key", "unknown_deployment", "quota_exhausted"})

_LONGEST_WAIT = 3600.0
_HARMLESS = re.compile(r"[\w.:/\[\]-]{1,80}")
_SECONDS = re.compile(r"\d{1,9}(\.\d+)?")
_CONTEXT = re.compile(
    r"context (length|window|size)|reduce the length|too many tokens", re.IGNORECASE
)
_FORMAT = re.compile(r"response.?format|json_schema|json_object|structured output", re.IGNORECASE)
_UNKNOWN_CODES = frozenset({"deploymentnotfound", "model_not_found"})
_CONTEXT_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error"})
_FILTER_CODES = frozenset({"content_filter", "invalid_prompt"})
#: Causes of a failure before the request was sent.
_NOT_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol"})
_SEVERITIES = frozenset({"safe", "low", "medium", "high"})


def connection_failure(error: openai.APIConnectionError) -> RetryableError:
    """The verdict on a call that got no answer, or only a part of one."""
    cause = type(error.__cause__).__name__
    code = "timeout" if "Timeout" in cause else "connection_lost"
    return RetryableError(code, 0, cause, Usage() if cause in _NOT_SENT else None)


def status_failure(error: openai.APIStatusError) -> RetryableError | PermanentError:
    """The verdict on an answer whose HTTP status is not 200.

    Azure bills whatever it worked on, filtered prompts too, and nothing that it turned away before.
    Source: https://learn.microsoft.com/azure/ai-foundry/openai/how-to/manage-costs
    """
    free = Usage()
    status, headers = error.status_code, error.response.headers
    facts = _facts(error)
    codes = {str(found).lower() for found in (error.code, error.type) if found}
    if status == 429:
        if "insufficient_quota" in codes:
            return RetryableError("quota_exhausted", OPERATOR_PAUSE, facts, free)
        return RetryableError("rate_limited", retry_after(headers), facts, free)
    if status in {408, 409} or status >= 500:
        return RetryableError("provider_error", retry_after(headers), facts)
    # A redirect is not followed: it would carry the customer's text to an address nobody set.
    if status == 404 or status < 400 or codes & _UNKNOWN_CODES:
        return RetryableError("unknown_deployment", OPERATOR_PAUSE, facts, free)
    if status in {401, 403}:
        return RetryableError("wrong_key", OPERATOR_PAUSE, facts, free)
    return PermanentError(*_refused(error, codes, facts))


def _refused(error: openai.APIStatusError, codes: set[str], facts: str) -> tuple[str, str]:
    body = error.body if isinstance(error.body, dict) else {}
    inner = body.get("innererror")
    inner = inner if isinstance(inner, dict) else {}
    if codes & _FILTER_CODES or inner.get("code") == "ResponsibleAIPolicyViolation":
        found = inner.get("content_filter_result") or inner.get("content_filter_results")
        return "content_filter_input", "; ".join(filter(None, (filtered_by(found), facts)))
    if error.status_code == 413 or codes & _CONTEXT_CODES or _CONTEXT.search(error.message):
        return "context_too_long", facts
    return "bad_request", facts


def refuses_format(error: openai.APIStatusError) -> bool:
    """Whether the endpoint does not have this way of structured output, as some do not.

    A schema that it calls invalid is another matter: that is a fault of ours to be seen.
    """
    said = f"{error.param} {error.message}"
    return (
        error.status_code in {400, 422}
        and _FORMAT.search(said) is not None
        and "invalid schema" not in said.lower()
    )


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that the endpoint asked to wait, at most an hour; 0 where it asked for none.

    Azure OpenAI sends ``retry-after-ms`` beside ``Retry-After``, which is in seconds or a date.
    Source: https://learn.microsoft.com/azure/ai-services/openai/how-to/provisioned-get-started
    """
    exact, given = headers.get("retry-after-ms", ""), headers.get("retry-after", "")
    if _SECONDS.fullmatch(exact):
        wait = float(exact) / 1000
    elif _SECONDS.fullmatch(given):
        wait = float(given)
    else:
        # Counted from the endpoint's own clock: ours may be wrong.
        now = _instant(headers.get("date", "")) or datetime.now(UTC)
        wait = ((_instant(given) or now) - now).total_seconds()
    return min(max(wait, 0.0), _LONGEST_WAIT)


def _instant(http_date: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(http_date)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def filtered_by(results: Any) -> str:
    """What a content filter found, such as ``hate=high, jailbreak=detected``; never the text."""
    if not isinstance(results, dict):
        return ""
    found = {name: what for name, what in results.items() if isinstance(what, dict)}
    return ", ".join(
        f"{name}={what['severity'] if what.get('severity') in _SEVERITIES else 'detected'}"
        for name, what in sorted(found.items())
        if what.get("filtered") and _HARMLESS.fullmatch(str(name))
    )


def _facts(error: openai.APIStatusError) -> str:
    """Status, code, parameter and request id: what an operator and the provider's support need."""
    named = {
        "code": error.code or error.type,
        "param": error.param,
        "request": request_id(error.response.headers),
    }
    kept = [
        f"{name} {what}" for name, what in named.items() if _HARMLESS.fullmatch(str(what or ""))
    ]
    return ", ".join([f"HTTP {error.status_code}", *kept])


def request_id(headers: Mapping[str, str], named: str | None = None) -> str:
    """The name that the provider's support knows a call by; empty where the answer has none.

    Args:
        named: How the body names the call, for where the headers do not.
    """
    found = headers.get("x-request-id") or headers.get("apim-request-id") or named or ""
    return found if _HARMLESS.fullmatch(found) else ""
