"""What clients talk to: the engine's API with bounded requests and OpenAI's error bodies."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devkit.local_model.bounds import bound_request
from devkit.local_model.engine import MODEL_ID, Engine


def front(engine: Engine, max_output: int) -> Starlette:
    """The app for ``/v1/chat/completions``, ``/v1/models`` and ``/health``.

    Args:
        engine: Where the work is done.
        max_output: Most tokens of one answer.
    """
    client = httpx2.AsyncClient(
        base_url=engine.url,
        headers={"authorization": f"Bearer {engine.key}"},
        timeout=None,
        limits=httpx2.Limits(max_connections=None),
        trust_env=False,
    )

    async def complete(request: Request) -> Response:
        try:
            body = await request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return _refuse(400, "invalid_json", "The body must be a JSON object.")
        bounded = bound_request(body, max_output)
        call = asyncio.create_task(client.post("/v1/chat/completions", json=bounded))
        gone = asyncio.create_task(_disconnected(request))
        # A caller that gave up must free its slot: the engine stops when our connection closes.
        await asyncio.wait({call, gone}, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        if not call.done():
            call.cancel()
            return Response(status_code=499)
        return _passed_on(call)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    return Starlette(
        routes=[
            Route("/v1/chat/completions", complete, methods=["POST"]),
            Route("/v1/models", _models),
            Route("/health", _health),
        ],
        lifespan=lifespan,
    )


async def _models(_: Request) -> Response:
    model = {"id": MODEL_ID, "object": "model", "created": 0, "owned_by": "HuggingFaceTB"}
    return JSONResponse({"object": "list", "data": [model]})


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _passed_on(call: asyncio.Task[httpx2.Response]) -> Response:
    try:
        answer = call.result()
    except httpx2.HTTPError as problem:
        return _refuse(503, "engine_unreachable", f"The model does not answer: {problem!r}")
    if answer.is_success:
        return Response(answer.content, media_type=answer.headers.get("content-type"))
    error = _engine_error(answer)
    code = str(error.get("type") or answer.status_code)
    if code == "exceed_context_size_error":
        code = "context_length_exceeded"
    return _refuse(answer.status_code, code, str(error.get("message", "")))


def _engine_error(answer: httpx2.Response) -> dict[str, Any]:
    try:
        error = json.loads(answer.content)["error"]
    except (ValueError, KeyError, TypeError):
        return {"message": answer.text}
    return error if isinstance(error, dict) else {"message": str(error)}


def _refuse(status: int, code: str, message: str) -> Response:
    kind = "invalid_request_error" if status < 500 else "server_error"
    error = {"message": message, "type": kind, "param": None, "code": code}
    return JSONResponse({"error": error}, status_code=status)
