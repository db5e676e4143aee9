"""What a successful call sends back: the answer, damaged where the script says so, and its cost."""

import hashlib
import json
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from devkit.emulator.answers import Author, PoliteAuthor, write_answer
from devkit.emulator.api_errors import filter_results
from devkit.emulator.chat_request import ChatRequest
from devkit.emulator.obedience import ObedientAuthor
from devkit.emulator.script import Then

#: Azure caches the beginning of a prompt from this many tokens on, in steps of 128.
#: Source: https://learn.microsoft.com/azure/ai-services/openai/how-to/prompt-caching
_CACHED_FROM = 1024
_CACHED_STEP = 128
_REMEMBERED_PREFIXES = 256


def count_tokens(text: str) -> int:
    """Tokens by rule of thumb: one per four bytes of UTF-8. English is within a fifth of it."""
    return (len(text.encode("utf-8", "replace")) + 3) // 4


def count_prompt(request: ChatRequest) -> int:
    """Tokens of the prompt: the texts and four for each message's frame. Schemas are free."""
    texts = count_tokens(request.system) + count_tokens(request.user)
    return texts + 4 * len(request.body["messages"])


class PromptCache:
    """Which system messages a deployment has seen, the last 256 of them."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def cached_tokens(self, request: ChatRequest) -> int:
        """Tokens of the prompt that the provider would take from its cache."""
        tokens = count_tokens(request.system)
        if tokens < _CACHED_FROM:
            return 0
        prefix = f"{request.deployment}\n{request.system}"
        key = hashlib.sha256(prefix.encode("utf-8", "replace")).digest()
        seen = key in self._seen
        self._seen[key] = None
        self._seen.move_to_end(key)
        if len(self._seen) > _REMEMBERED_PREFIXES:
            self._seen.popitem(last=False)
        return tokens // _CACHED_STEP * _CACHED_STEP if seen else 0


def complete(request: ChatRequest, then: Then, cached: int, *, obey: bool) -> dict[str, Any]:
    """The body of a completion.

    Args:
        request: The request.
        then: What the script wants.
        cached: Tokens of the prompt that count as cached.
        obey: Whether the answer obeys the customer's text.
    """
    text = _text(request, then, ObedientAuthor(request) if obey else PoliteAuthor(request))
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    finish = "stop"
    room = None if request.max_output is None else request.max_output - then.reasoning_tokens
    if then.fault == "refusal":
        message.update(content=None, refusal=then.text)
    elif then.fault == "content_filter_output":
        message["content"], finish = None, "content_filter"
    elif then.fault == "truncated" or (room is not None and count_tokens(text) > room):
        kept = len(text) // 2 if room is None else min(max(room, 0) * 4, len(text) // 2)
        message["content"], finish = text[:kept], "length"
    written = count_tokens(message["content"] or message["refusal"] or "") + then.reasoning_tokens
    results = filter_results(then if finish == "content_filter" else None, prompt=False)
    choice = {
        "index": 0,
        "finish_reason": finish,
        "logprobs": None,
        "message": message,
        "content_filter_results": results,
    }
    prompt = count_prompt(request)
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": then.model or request.model,
        "choices": [] if then.fault == "empty_choices" else [choice],
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": filter_results()}],
        "system_fingerprint": "fp_emulator",
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": written,
            "total_tokens": prompt + written,
            "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": then.reasoning_tokens},
        },
    }


def stream(completion: dict[str, Any], *, with_usage: bool) -> Iterator[bytes]:
    """A completion as server-sent events: the text in pieces of 20 characters.

    Args:
        completion: The body of a completion.
        with_usage: Whether the client asked for the usage at the end.
    """
    usage, choices = completion.pop("usage"), completion.pop("choices")
    frame = {**completion, "object": "chat.completion.chunk", "choices": []}
    for choice in choices:
        text = choice["message"]["content"] or ""
        pieces = [text[at : at + 20] for at in range(0, len(text), 20)]
        deltas = [{**choice["message"], "content": ""}, *({"content": piece} for piece in pieces)]
        for delta in deltas:
            yield _event({**frame, "choices": [{"index": 0, "delta": delta}]})
        end = {"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}
        yield _event({**frame, "choices": [end]})
    if with_usage:
        yield _event({**frame, "usage": usage})
    yield b"data: [DONE]\n\n"


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _text(request: ChatRequest, then: Then, author: Author) -> str:
    if then.content is not None:
        text = then.content
    else:
        written = write_answer(request, author)
        if then.answer is not None:
            written = {**(written or {}), **then.answer}
        text = author.prose() if written is None else json.dumps(written, ensure_ascii=False)
    match then.fault:
        case "malformed_json":
            return text[:-1] + ", oops"
        case "fenced_json":
            return f"```json\n{text}\n```"
        case "prose_json":
            return f"Sure, here it is:\n\n{text}\n\nLet me know if you need anything else."
        case "empty_answer":
            return ""
        case _:
            return text
