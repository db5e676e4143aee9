"""Runs one function once: arguments, time limit, outputs, and its line in the log."""

import asyncio
import functools
import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import azure.functions as func
from azure.functions.queue import QueueMessageOutConverter

from devkit.host.app import HostedFunction, QueueBinding

logger = logging.getLogger("devkit.host")


@func.Context.register
@dataclass(frozen=True)
class InvocationContext:
    """The `context` argument of a handler; the local host has no trace or retry to tell of."""

    function_name: str
    function_directory: str
    invocation_id: str
    thread_local_storage: threading.local = field(default_factory=threading.local)
    trace_context: None = None
    retry_context: None = None


class OutValue:
    """An `azure.functions.Out` parameter."""

    def __init__(self) -> None:
        self._value: Any = None

    def set(self, value: Any) -> None:
        self._value = value

    def get(self) -> Any:
        return self._value


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended: with a value, or with the error that failed it."""

    value: Any = None
    error: Exception | None = None


Invoke = Callable[[HostedFunction, Callable[[], Any]], Awaitable[Outcome]]


class Invoker:
    """Runs handlers: async ones on the loop, sync ones on a thread pool.

    Args:
        app_dir: folder of the function app.
        timeout: `functionTimeout`, seconds; None for no limit.
        send: puts message bodies on a queue, for output bindings.
        on_end: called after each invocation.
    """

    def __init__(
        self,
        app_dir: str,
        timeout: float | None,
        send: Callable[[QueueBinding, bytes], Awaitable[None]],
        on_end: Callable[[], None],
    ) -> None:
        self._app_dir = app_dir
        self._timeout = timeout
        self._send = send
        self._on_end = on_end
        threads = int(os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT") or 0) or None
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="function")

    async def invoke(
        self,
        function: HostedFunction,
        decode: Callable[[], Any],
        encode: Callable[[Any], Any] = lambda value: value,
    ) -> Outcome:
        """Run the handler once and log how it went.

        Args:
            function: what to run.
            decode: makes the trigger's argument; if it raises, the invocation fails.
            encode: turns the return value into what the trigger needs; likewise.

        Returns:
            The encoded value or the error; only cancellation raises.
        """
        started = time.perf_counter()
        result = "cancelled"
        error: Exception | None = None
        try:
            value = encode(await self._run(function, decode()))
            result = "succeeded"
            return Outcome(value=value)
        except Exception as raised:  # noqa: BLE001 - a handler may raise anything
            result, error = "failed", raised
            return Outcome(error=raised)
        finally:
            logger.log(
                logging.ERROR if error else logging.INFO,
                "invocation",
                extra={
                    "function": function.name,
                    "result": result,
                    "duration_ms": round((time.perf_counter() - started) * 1000, 1),
                },
                exc_info=error,
            )
            self._on_end()

    async def _run(self, function: HostedFunction, argument: Any) -> Any:
        outs = {o.argument: OutValue() for o in function.outputs if o.argument != "$return"}
        arguments: dict[str, Any] = {function.argument: argument, **outs}
        if function.wants_context:
            invocation_id = str(uuid.uuid4())
            arguments["context"] = InvocationContext(function.name, self._app_dir, invocation_id)
        value = await self._call(function, arguments)
        if value is not None and not function.returns:
            raise RuntimeError("the handler returned a value but has no $return binding")
        for output in function.outputs:
            sent = value if output.argument == "$return" else outs[output.argument].get()
            for body in _message_bodies(sent):
                await self._send(output, body)
        return value

    async def _call(self, function: HostedFunction, arguments: dict[str, Any]) -> Any:
        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                if function.is_async:
                    return await function.handler(**arguments)
                call = functools.partial(function.handler, **arguments)
                return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        except TimeoutError:
            if not limit.expired():
                raise
            # The real host would now restart the worker and lose everything in flight; failing
            # this one invocation is as near as a single process can come.
            raise TimeoutError(f"functionTimeout of {self._timeout:g} s is over") from None

    def close(self) -> None:
        """Stop taking sync calls; threads still in a handler are left to the process's end."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _message_bodies(value: Any) -> list[bytes]:
    """Messages that a queue output binding makes of a value.

    As in the host, text that looks like JSON is parsed and written anew, and a JSON array
    becomes one message per element; bytes are sent as they are.
    """
    if value is None:
        return []
    datum = QueueMessageOutConverter.encode(value, expected_type=None)
    if datum.type == "bytes":
        return [datum.value]
    text = datum.value.strip()
    if not (text.startswith("{") and text.endswith("}")) and not (
        text.startswith("[") and text.endswith("]")
    ):
        return [datum.value.encode()]
    parsed = json.loads(text)
    items = parsed if isinstance(parsed, list) else [parsed]
    return [
        (item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)).encode()
        for item in items
    ]
