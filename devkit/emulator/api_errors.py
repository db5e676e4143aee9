"""The error bodies of Azure OpenAI, as its clients see them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from devkit.emulator.chat_request import PathStyle
from devkit.emulator.script import Then


@dataclass(eq=False)
class ApiError(Exception):
    """A request is answered with an error.

    Attributes:
        status: HTTP status.
        error: What the body's ``error`` holds.
        headers: Further headers.
    """

    status: int
    error: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body."""
        return {"error": self.error}


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """A 400 for a request that is not valid."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return ApiError(400, error)


def resource_not_found() -> ApiError:
    """A 404: no such path, which is also what a missing or unknown api-version gets."""
    return ApiError(404, {"code": "404", "message": "Resource not found"})


def api_version_not_supported() -> ApiError:
    """A 400 for a dated api-version on the v1 path."""
    return ApiError(400, {"code": "BadRequest", "message": "API version not supported"})


def wrong_key(style: PathStyle) -> ApiError:
    """A 401."""
    if style == "openai":
        message = "Incorrect API key provided. You can find your API key in your account."
        error = {"message": message, "type": "invalid_request_error", "param": None}
        return ApiError(401, {**error, "code": "invalid_api_key"})
    message = (
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide "
        "a valid key for an active subscription and use a correct regional API endpoint for your "
        "resource."
    )
    return ApiError(401, {"code": "401", "message": message})


def unknown_deployment(style: PathStyle, name: str) -> ApiError:
    """A 404 for a deployment or model that does not exist."""
    if style == "openai":
        message = f"The model `{name}` does not exist or you do not have access to it."
        error = {"message": message, "type": "invalid_request_error", "param": None}
        return ApiError(404, {**error, "code": "model_not_found"})
    message = (
        "The API deployment for this resource does not exist. If you created the deployment within "
        "the last 5 minutes, please wait a moment and try again."
    )
    return ApiError(404, {"code": "DeploymentNotFound", "message": message})


def rate_limited(then: Then) -> ApiError:
    """A 429 with the hint that the script asks for."""
    message = (
        "Requests to the ChatCompletions_Create Operation have exceeded the token rate limit of "
        f"your current pricing tier. Please retry after {then.retry_after_s:g} seconds."
    )
    return ApiError(429, {"code": "429", "message": message}, _retry_headers(then))


def quota_exhausted() -> ApiError:
    """A 429 that no waiting helps."""
    message = "You exceeded your current quota, please check your plan and billing details."
    kind = "insufficient_quota"
    return ApiError(429, {"message": message, "type": kind, "param": None, "code": kind})


def server_error(then: Then) -> ApiError:
    """A 5xx; with a hint when the script names the seconds."""
    message = "The server had an error processing your request. Sorry about that!"
    error = {"message": message, "type": "server_error", "param": None, "code": None}
    hint = _retry_headers(then) if "retry_after_s" in then.model_fields_set else {}
    return ApiError(then.status, error, hint)


def content_filtered(then: Then) -> ApiError:
    """The 400 of the content filter on the prompt."""
    message = (
        "The response was filtered due to the prompt triggering Azure OpenAI's content management "
        "policy. Please modify your prompt and retry. To learn more about our content filtering "
        "policies please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766"
    )
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": filter_results(then)}
    error = {"message": message, "type": None, "param": "prompt", "code": "content_filter"}
    return ApiError(400, {**error, "status": 400, "innererror": inner})


def context_too_long(limit: int, tokens: int) -> ApiError:
    """The 400 for more prompt than the model takes."""
    message = (
        f"This model's maximum context length is {limit} tokens. However, your messages resulted "
        f"in {tokens} tokens. Please reduce the length of the messages."
    )
    return invalid(message, "messages", "context_length_exceeded")


def no_structured_output(kind: str) -> ApiError:
    """The 400 of a model that does not have this response format."""
    message = f"Invalid parameter: 'response_format' of type '{kind}' is not supported with this "
    return invalid(message + "model.", "response_format")


def filter_results(then: Then | None = None, *, prompt: bool = True) -> dict[str, Any]:
    """The verdicts of the content filter, all safe but what the script names.

    Args:
        then: What was found, or None where nothing was.
        prompt: Whether they are about a prompt, which is also searched for jailbreaks.
    """
    results: dict[str, Any] = {
        name: {"filtered": False, "severity": "safe"}
        for name in ("hate", "self_harm", "sexual", "violence")
    }
    if prompt:
        results["jailbreak"] = {"filtered": False, "detected": False}
    if then and then.category == "jailbreak":
        results["jailbreak"] = {"filtered": True, "detected": True}
    elif then:
        results[then.category] = {"filtered": True, "severity": then.severity}
    return results


def _retry_headers(then: Then) -> dict[str, str]:
    seconds = then.retry_after_s
    match then.retry_form:
        case "seconds":
            return {"retry-after": str(round(seconds))}
        case "http_date":
            at = datetime.now(UTC) + timedelta(seconds=seconds)
            return {"retry-after": format_datetime(at, usegmt=True)}
        case "ms":
            return {"retry-after-ms": str(round(seconds * 1000))}
        case "none":
            return {}
