"""The model behind Azure OpenAI or any OpenAI-compatible endpoint, called through ``openai``."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from shared.adapters import model_errors
from shared.adapters.breaker import Breaker
from shared.adapters.completion import read_completion
from shared.adapters.entra import EntraTokens
from shared.adapters.model_endpoint import find_endpoint
from shared.domain.stage import Usage
from shared.errors import PermanentError, RetryableError
from shared.ports import ModelAnswer, ModelCall
from shared.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    import httpx2
    import openai
    from opentelemetry.trace import Span

    from shared.settings import ModelSettings

Format = Literal["json_schema", "json_object", "prompt"]

#: What to fall back to where an endpoint does not take a form of structured output.
_SIMPLER: dict[Format, Format] = {"json_schema": "json_object", "json_object": "prompt"}

_BY_SCHEMA = "\n\nAnswer with exactly one JSON object and nothing else, by this JSON schema:\n"
#: More than any chat format adds to a message.
_FRAME_TOKENS = 16

log = logger("model")


class OpenAIModel:
    """One client for all stages, with pooled connections; one try per call.

    Nothing is imported or connected before the first call.

    Args:
        settings: Where the model is, and what each stage asks of it.
        now: Seconds on a clock that only goes forward, for breakers.

    Raises:
        ConfigError: No endpoint is set, or its address, key or version has a wrong form.
    """

    def __init__(self, settings: ModelSettings, now: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._endpoint = find_endpoint(settings)
        self._client: openai.AsyncOpenAI | None = None
        self._tokens: EntraTokens | None = None
        self._formats: dict[str, Format] = {}
        self._breakers: dict[str, Breaker] = {}
        self._now = now

    async def complete(self, call: ModelCall) -> ModelAnswer:
        """Call the model once and return what it wrote.

        Raises:
            RetryableError: ``rate_limited``, ``provider_error``, ``timeout``, ``connection_lost``;
                with a minute's pause ``wrong_key``, ``unknown_deployment``, ``quota_exhausted``;
                ``RESTING`` when the deployment's breaker is open.
            PermanentError: ``truncated``, ``refusal``, ``content_filter_input``,
                ``content_filter_output``, ``context_too_long``, ``bad_request``,
                ``empty_answer``; with ``usage`` where the provider billed the call.
        """
        deployment = self._deployment(call.stage)
        with self._breaker(deployment).call(), self._span(call, deployment) as span:
            client = self._client or self._connect()
            seconds = min(call.timeout, self._settings.timeout_of(call.stage))
            started = time.perf_counter()
            try:
                # A client's own timeout is per read: a trickle of bytes would never end.
                async with asyncio.timeout(seconds):
                    response = await self._ask(client, call, deployment)
            except TimeoutError:
                raise RetryableError("timeout", detail=f"after {seconds:g} s") from None
            latency_ms = round((time.perf_counter() - started) * 1000)

            completion = read_completion(response.content, response.headers.get("content-type", ""))
            usage = completion.used(self._settings.prices, deployment)
            model = completion.model or deployment
            span.set_attributes(
                {
                    "gen_ai.response.model": model,
                    "gen_ai.usage.input_tokens": usage.prompt_tokens,
                    "gen_ai.usage.output_tokens": usage.completion_tokens,
                }
            )
            limit = self._settings.max_output_tokens_of(call.stage)
            request_id = model_errors.request_id(response.headers, completion.id)
            return ModelAnswer(
                text=completion.text(call.stage, limit, usage, request_id),
                usage=usage,
                model=model,
                request_id=request_id,
                latency_ms=latency_ms,
                demo=self._settings.model_quality == "demo",
            )

    def most(self, call: ModelCall) -> Usage:
        """The most that a call can use: a token for each byte of the prompt, all of the answer.

        No tokenizer in use makes more tokens than bytes, and customers write in any script.
        """
        said = sum(len(message.content.encode(errors="replace")) for message in call.messages)
        frames = _FRAME_TOKENS * (len(call.messages) + 1)
        schema = len(json.dumps(call.output_schema)) + len(_BY_SCHEMA)
        prompt, answer = said + frames + schema, self._settings.max_output_tokens_of(call.stage)
        price = self._settings.prices.get(self._deployment(call.stage))
        cost = price.of(prompt, answer) if price else None
        return Usage(calls=1, prompt_tokens=prompt, completion_tokens=answer, cost=cost)

    def pause(self, stage: str) -> float:
        """Seconds that the breaker of the stage's deployment stays open; 0 when it is not."""
        return self._breaker(self._deployment(stage)).pause()

    def _deployment(self, stage: str) -> str:
        return self._settings.stage_deployments.get(stage.upper(), self._endpoint.model)

    def _breaker(self, deployment: str) -> Breaker:
        there = self._breakers.get(deployment)
        if there is None:
            settings = self._settings
            there = self._breakers[deployment] = Breaker(
                deployment, settings.breaker_failures, settings.breaker_seconds, self._now
            )
        return there

    async def aclose(self) -> None:
        """Close the connections. A later call opens new ones."""
        client, self._client = self._client, None
        if client:
            await client.close()
        if self._tokens:
            await self._tokens.aclose()

    async def _ask(
        self, client: openai.AsyncOpenAI, call: ModelCall, deployment: str
    ) -> httpx2.Response:
        """Post the call, with the simpler forms of structured output where they are needed."""
        import httpx2
        import openai

        form = known = self._formats.get(deployment, "json_schema")
        while True:
            try:
                # Not ``chat.completions.create``: checking and building what it types takes as
                # much CPU as all the rest, and Azure's request id is only in the headers.
                response = await client.post(
                    "/chat/completions",
                    cast_to=httpx2.Response,
                    body=self._body(call, deployment, form),
                )
            except openai.APIStatusError as error:
                if form in _SIMPLER and model_errors.refuses_format(error):
                    form = _SIMPLER[form]
                    continue
                failure = model_errors.status_failure(error)
                self._tell_operator(failure, deployment)
                raise failure from None
            except openai.APIConnectionError as error:
                raise model_errors.connection_failure(error) from None
            except UnicodeEncodeError:
                detail = "half a character in the text"
                raise PermanentError("bad_request", detail, Usage()) from None
            if form != known:
                self._formats[deployment] = form
                log.info(
                    "A simpler form of structured output is used for this deployment",
                    extra={"deployment": deployment, "form": form},
                )
            return response

    def _body(self, call: ModelCall, deployment: str, form: Format) -> dict[str, Any]:
        messages = [message.model_dump() for message in call.messages]
        body = {
            "model": deployment,
            "messages": messages,
            "max_completion_tokens": self._settings.max_output_tokens_of(call.stage),
            "reasoning_effort": self._settings.effort_of(call.stage),
            "temperature": self._settings.temperature,
            "seed": self._settings.seed,
        }
        if form == "json_schema":
            wanted = {"name": call.output_name, "strict": True, "schema": call.output_schema}
            body["response_format"] = {"type": form, form: wanted}
        else:
            schema = json.dumps(call.output_schema, ensure_ascii=False)
            messages[0]["content"] += _BY_SCHEMA + schema
        if form == "json_object":
            body["response_format"] = {"type": form}
        return {name: value for name, value in body.items() if value is not None}

    def _connect(self) -> openai.AsyncOpenAI:
        import openai

        at = self._endpoint
        http = openai.DefaultAsyncHttpxClient(
            timeout=None, follow_redirects=False, trust_env=self._settings.proxy_from_environment
        )
        if at.api_version:
            self._client = openai.AsyncAzureOpenAI(
                azure_endpoint=at.base_url,
                api_version=at.api_version,
                api_key=at.key or None,
                azure_ad_token_provider=None if at.key else self._entra_token(),
                max_retries=0,
                http_client=http,
            )
        else:
            self._client = openai.AsyncOpenAI(
                base_url=at.base_url,
                api_key=at.key or self._entra_token(),
                max_retries=0,
                http_client=http,
            )
        return self._client

    def _entra_token(self) -> Callable[[], Awaitable[str]]:
        tokens = self._tokens = EntraTokens(self._endpoint.entra_scope)

        async def token() -> str:
            try:
                return await tokens.token()
            except RetryableError as error:
                failure = RetryableError(error.code, error.retry_after, error.detail, Usage())
                self._tell_operator(failure, self._endpoint.model)
                raise failure from None

        return token

    def _tell_operator(self, failure: RetryableError | PermanentError, deployment: str) -> None:
        if failure.code in model_errors.OPERATOR_CODES:
            log.error(
                "The model's endpoint refuses every call until someone puts it right",
                extra={
                    "code": failure.code,
                    "detail": failure.detail,
                    "endpoint": self._endpoint.host,
                    "deployment": deployment,
                },
            )

    @contextmanager
    def _span(self, call: ModelCall, deployment: str) -> Iterator[Span]:
        """A span by OpenTelemetry's conventions for generative models, without any content.

        Source: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
        """
        from opentelemetry import trace

        with trace.get_tracer("frontdesk").start_as_current_span(
            f"chat {deployment}",
            kind=trace.SpanKind.CLIENT,
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": self._endpoint.provider,
                "gen_ai.request.model": deployment,
                "server.address": self._endpoint.host,
                "frontdesk.stage": call.stage,
            },
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except (RetryableError, PermanentError) as failure:
                span.set_attribute("error.type", failure.code)
                span.set_status(trace.StatusCode.ERROR)
                raise
