"""An event loop that only moves when it is turned by hand: no clock, no sockets, no threads."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from contextvars import Context
from typing import Any

Later = Callable[[float, Callable[..., object]], None]


class HandLoop(asyncio.AbstractEventLoop):
    """Runs asyncio tasks, one step at a time and always in the same order.

    Args:
        time: Virtual seconds.
        later: Calls back after virtual seconds.
        begun: Told of each new task.
    """

    def __init__(
        self,
        time: Callable[[], float],
        later: Later,
        begun: Callable[[asyncio.Task[Any]], None],
    ) -> None:
        self._ready: deque[tuple[Context | None, Callable[..., object], tuple[Any, ...]]] = deque()
        self._time = time
        self._later = later
        self._begun = begun
        self._dropping = False
        self.troubles: list[str] = []

    def turn(self) -> None:
        """Runs until every task waits for something outside."""
        ready = self._ready
        while ready:
            context, callback, args = ready.popleft()
            if context is None:
                callback(*args)
            else:
                context.run(callback, *args)

    def drop(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        """Ends tasks as the death of their process would: nothing of them runs any more."""
        self._dropping = True
        for task in tasks:
            if task.done():
                task._log_traceback = False
            else:
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                coroutine = task.get_coro()
                assert coroutine is not None
                coroutine.close()
        self._dropping = False

    def time(self) -> float:
        return self._time()

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Any, *, name: str | None = None, context: Context | None = None, **_: Any
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=self, name=name or "simulated", context=context)
        if context is None:
            self._begun(task)
        else:
            context.run(self._begun, task)
        return task

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> None:
        if not self._dropping:
            self._ready.append((context, callback, args))

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)

        def ring() -> None:
            if not handle.cancelled():
                handle._run()

        self._later(max(0.0, when - self.time()), ring)
        return handle

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Called by handles; a cancelled one stays silent when it rings."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.troubles.append(f"{context.get('message')}: {context.get('exception')!r}")
