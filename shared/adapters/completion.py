"""A chat completion as it came back: the parts that are read, and whether it can be used."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, ValidationError

from shared.adapters.model_errors import filtered_by
from shared.domain.stage import Usage
from shared.errors import PermanentError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.settings import Price

_DATE_OF_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")


class _PromptDetails(BaseModel):
    cached_tokens: int | None = None


class _CompletionDetails(BaseModel):
    reasoning_tokens: int | None = None


class _Tokens(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message = _Message()
    finish_reason: str | None = None
    content_filter_results: Any = None


class Completion(BaseModel):
    """What is read of a chat completion; providers add fields at will."""

    choices: list[_Choice] = Field(min_length=1)
    id: str | None = None
    model: str | None = None
    usage: _Tokens | None = None

    def used(self, prices: Mapping[str, Price], deployment: str) -> Usage:
        """What the call used and cost, by the price of the deployment or else of the model."""
        tokens = self.usage or _Tokens()
        prompt, answer = tokens.prompt_tokens_details, tokens.completion_tokens_details
        cached = (prompt and prompt.cached_tokens) or 0
        model = self.model or ""
        named = (deployment, model, _DATE_OF_SNAPSHOT.sub("", model))
        price = next((prices[name] for name in named if name in prices), None)
        cost = None
        if price and self.usage:
            cost = price.of(tokens.prompt_tokens, tokens.completion_tokens, cached)
        return Usage(
            calls=1,
            prompt_tokens=tokens.prompt_tokens,
            cached_tokens=cached,
            completion_tokens=tokens.completion_tokens,
            reasoning_tokens=(answer and answer.reasoning_tokens) or 0,
            cost=cost,
        )

    def text(self, stage: str, limit: int, usage: Usage, request_id: str) -> str:
        """What the model wrote, if it wrote all that it wanted to.

        Args:
            stage: For the names of the settings in the errors.
            limit: The most tokens that the answer was allowed.
            usage: What the call used; goes with the errors, since it is paid for.
            request_id: What the provider's support will ask for; goes with the errors too.

        Raises:
            PermanentError: ``content_filter_output``, ``truncated``, ``refusal``,
                ``empty_answer``.
        """
        choice = self.choices[0]
        code = detail = ""
        if choice.finish_reason == "content_filter":
            code, detail = "content_filter_output", filtered_by(choice.content_filter_results)
        elif choice.finish_reason == "length":
            code = "truncated"
            detail = (
                f"stopped at {limit} tokens, {usage.reasoning_tokens} of them reasoning; "
                f"FRONTDESK_MAX_OUTPUT_TOKENS_{stage.upper()} allows more"
            )
        elif choice.message.refusal:
            code, detail = "refusal", "the model declined to answer"
        elif not (choice.message.content or "").strip():
            code, detail = "empty_answer", "the model answered without any text"
        if code:
            named = f"request {request_id}" if request_id else ""
            raise PermanentError(code, "; ".join(filter(None, (detail, named))), usage)
        return choice.message.content or ""


def read_completion(body: bytes, content_type: str) -> Completion:
    """The completion in the body of an answer with HTTP status 200.

    Raises:
        RetryableError: ``connection_lost`` for JSON that breaks off, ``provider_error`` for
            anything else, such as the page of a proxy.
    """
    try:
        return Completion.model_validate_json(body)
    except ValidationError as error:
        broken = error.errors(include_input=False)[0]["type"] == "json_invalid"
    if broken and "json" in content_type:
        raise RetryableError("connection_lost", detail="the answer's JSON breaks off")
    raise RetryableError("provider_error", detail="HTTP 200, but not with a chat completion")
