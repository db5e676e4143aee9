"""A call of the model, an answer to it, and the adapter pointed at a local server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from pytest_httpserver import HTTPServer

from shared.adapters.azure_openai import OpenAIModel
from shared.domain.stage import ChatMessage
from shared.ports import ModelCall
from shared.settings import read_settings

SCHEMA = {
    "type": "object",
    "properties": {"sentiment": {"type": "string", "enum": ["Positive", "Negative"]}},
    "required": ["sentiment"],
    "additionalProperties": False,
}
CALL = ModelCall(
    stage="sentiment",
    messages=(
        ChatMessage(role="system", content="Judge the tone."),
        ChatMessage(role="user", content='{"message": "My steak is still raw."}'),
    ),
    output_name="sentiment_output",
    output_schema=SCHEMA,
    timeout=10,
)
ANSWER = '{"sentiment": "Negative"}'
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-5.4-mini-2026-03-17",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ANSWER}}
    ],
    "usage": {
        "prompt_tokens": 1200,
        "completion_tokens": 50,
        "total_tokens": 1250,
        "prompt_tokens_details": {"cached_tokens": 1024},
        "completion_tokens_details": {"reasoning_tokens": 30},
    },
}


@asynccontextmanager
async def model_at(server: HTTPServer, **environ: str) -> AsyncIterator[OpenAIModel]:
    at = {"OPENAI_BASE_URL": server.url_for("/v1"), "OPENAI_MODEL": "m", "OPENAI_API_KEY": "k"}
    model = OpenAIModel(
        read_settings(environ if "AZURE_OPENAI_ENDPOINT" in environ else at | environ)
    )
    async with aclosing(model):
        yield model
