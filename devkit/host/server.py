"""The local host as an object: reads the app, listens, polls, fires, and stops cleanly."""

import asyncio
import contextlib
import logging
import os
import socket
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
from azure.storage.queue import QueueMessage as StoredMessage

from devkit.host import storage
from devkit.host.app import HostedFunction, HttpTrigger, QueueBinding, TimerTrigger, load_app
from devkit.host.errors import StartError
from devkit.host.http_front import HttpFront, HttpLimits, Keys
from devkit.host.invocation import Invoker
from devkit.host.listening import listen
from devkit.host.queue_trigger import POISON_SUFFIX, QueueListener, encode_body, to_queue_message
from devkit.host.routes import RouteTable
from devkit.host.settings import HostOptions, read_host_json, read_local_settings
from devkit.host.storage import QueueStorage
from devkit.host.timer_trigger import (
    ScheduleMonitor,
    TimerListener,
    is_under_a_minute,
    parse_schedule,
)

logger = logging.getLogger("devkit.host")

HOST_KEY_SETTING = "FRONTDESK_HOST_KEY"
MASTER_KEY_SETTING = "FRONTDESK_MASTER_KEY"
_ANSWER_S = 2.0  # for the answers to invocations that were cancelled at the end of the grace
#: As long as the real host's server keeps an idle connection (Kestrel's KeepAliveTimeout). A client
#: that pools connections meets one closed under its feet the oftener, the shorter this is.
_KEEP_ALIVE_S = 130


class LocalHost:
    """Hosts one function app in this process, on the running event loop.

    Args:
        app_dir: the folder with function_app.py and host.json.
        port: TCP port on 127.0.0.1; 0 for any free one.
        listening: a socket that listens already, used in place of `port`.
        enable_auth: whether function and admin routes ask for keys.
        lease: seconds a received queue message stays hidden; renewed at half of it.
        grace: seconds that running invocations get when the host stops.
        limits: what the platform puts on HTTP requests.
    """

    def __init__(
        self,
        app_dir: Path,
        *,
        port: int = 7071,
        listening: socket.socket | None = None,
        enable_auth: bool = False,
        lease: float = 600.0,
        grace: float = 10.0,
        limits: HttpLimits | None = None,
    ) -> None:
        self._app_dir = app_dir.resolve()
        self._port = port
        self._listening = listening
        self._enable_auth = enable_auth
        self._lease = lease
        self._grace = grace
        self._limits = limits or HttpLimits()
        self._queues: dict[str, QueueListener] = {}
        self._timers: dict[str, TimerListener] = {}
        self._by_hand: set[asyncio.Task[object]] = set()
        self.functions: list[HostedFunction] = []

    async def start(self) -> None:
        """Load the app and begin to serve it; local.settings.json goes to the environment.

        Raises:
            StartError: something is wrong with the app, its configuration or the port.
        """
        os.environ.update(read_local_settings(self._app_dir, os.environ))
        self._options = read_host_json(self._app_dir)
        self.functions = load_app(self._app_dir, os.environ)
        self._storage = QueueStorage()
        self._invoker = Invoker(
            str(self._app_dir), self._options.function_timeout, self._send, self._wake
        )
        for function in self.functions:
            if function.has_retry_policy:
                logger.warning("retry policy is ignored", extra={"function": function.name})
            self._add_listener(function, self._options)
        self._routes = RouteTable(self.functions, self._options.route_prefix)
        self._front = HttpFront(
            self._routes,
            self._invoker,
            replace(self._limits, outstanding=self._options.max_outstanding_requests),
            self._keys() if self._enable_auth else None,
            self._fire,
            self._wake,
        )
        self._listening = self._listening or listen(self._port)
        self._server = _Server(self._front, self._grace)
        self._serving = asyncio.create_task(self._server.serve([self._listening]))
        await self._server.ready.wait()
        for queue in self._queues.values():
            queue.start()
        for timer in self._timers.values():
            timer.start()

    async def stop(self) -> None:
        """Stop listening, polling and firing; see the messages in work to their end.

        After the grace time the invocations that still run are cancelled, and their queue
        messages become visible at once.
        """
        self._server.should_exit = True
        await asyncio.gather(
            *(queue.stop(self._grace) for queue in self._queues.values()),
            *(timer.stop(self._grace) for timer in self._timers.values()),
            self._front.stop(self._grace),
            asyncio.wait({self._serving, *self._by_hand}, timeout=self._grace + _ANSWER_S),
        )
        for invocation in self._by_hand:
            invocation.cancel()
        self._invoker.close()
        await self._storage.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Where the host listens, without a slash at the end."""
        if self._listening is None:
            raise RuntimeError("the host has not been started")
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def describe(self) -> Iterator[tuple[str, str, str]]:
        """Name, trigger and route, queue or schedule of every function."""
        routes = {route.function.name: route.template for route in self._routes.routes}
        for function in self.functions:
            trigger = function.trigger
            if isinstance(trigger, HttpTrigger):
                methods = ",".join(sorted(trigger.methods)) or "any"
                yield function.name, "http", f"{methods} {self.url}/{routes[function.name]}"
            elif isinstance(trigger, QueueBinding):
                yield function.name, "queue", trigger.queue
            else:
                yield function.name, "timer", trigger.schedule

    def _add_listener(self, function: HostedFunction, options: HostOptions) -> None:
        trigger = function.trigger
        if isinstance(trigger, QueueBinding):
            poison = trigger.queue + POISON_SUFFIX
            has_poison = not trigger.queue.endswith(POISON_SUFFIX) and len(poison) <= 63
            self._queues[function.name] = QueueListener(
                function,
                self._storage.queue(trigger.connection, trigger.queue),
                self._storage.queue(trigger.connection, poison) if has_poison else None,
                options.queues,
                self._invoker.invoke,
                self._storage,
                self._wake_queue,
                self._lease,
            )
        elif isinstance(trigger, TimerTrigger):
            try:
                schedule = parse_schedule(trigger.schedule)
            except ValueError as error:
                raise StartError(f"Function {function.name}: {error}.") from error
            keeps_status = trigger.use_monitor
            if keeps_status is None:
                keeps_status = not is_under_a_minute(schedule)
            state_dir = Path(os.environ.get("FRONTDESK_STATE") or self._app_dir / ".frontdesk")
            state = state_dir / "timers" / f"{function.name}.json"
            self._timers[function.name] = TimerListener(
                function,
                schedule,
                ScheduleMonitor(state) if keeps_status else None,
                self._invoker.invoke,
                run_on_startup=trigger.run_on_startup,
            )

    def _keys(self) -> Keys:
        host, master = (os.environ.get(k, "") for k in (HOST_KEY_SETTING, MASTER_KEY_SETTING))
        if not host or not master:
            raise StartError(
                f"--enable-auth needs the settings {HOST_KEY_SETTING} and {MASTER_KEY_SETTING}."
            )
        return Keys(host, master)

    def _wake(self) -> None:
        for function in self.functions:
            trigger = function.trigger
            if isinstance(trigger, QueueBinding) and not trigger.queue.endswith(POISON_SUFFIX):
                self._queues[function.name].wake()

    def _wake_queue(self, queue: str) -> None:
        for function in self.functions:
            if isinstance(function.trigger, QueueBinding) and function.trigger.queue == queue:
                self._queues[function.name].wake()

    async def _send(self, output: QueueBinding, body: bytes) -> None:
        queue = self._storage.queue(output.connection, output.queue)
        await storage.send(queue, encode_body(body, is_base64=self._options.queues.base64))

    async def _fire(self, name: str, text: str) -> bool:
        for function in self.functions:
            if function.name.lower() != name.lower() or isinstance(function.trigger, HttpTrigger):
                continue
            if isinstance(function.trigger, TimerTrigger):
                run = self._timers[function.name].fire()
            else:
                run = self._invoke_by_hand(function, text)
            invocation: asyncio.Task[object] = asyncio.create_task(run)
            self._by_hand.add(invocation)
            invocation.add_done_callback(self._by_hand.discard)
            return True
        return False

    async def _invoke_by_hand(self, function: HostedFunction, text: str) -> None:
        now = datetime.now(UTC)
        message = StoredMessage(content=text)
        message.id, message.pop_receipt, message.dequeue_count = str(uuid.uuid4()), "", 1
        message.inserted_on = message.next_visible_on = now
        message.expires_on = now + timedelta(days=7)
        await self._invoker.invoke(function, lambda: to_queue_message(message, text.encode()))


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, and with an event for being ready."""

    def __init__(self, front: HttpFront, grace: float) -> None:
        super().__init__(
            uvicorn.Config(
                front,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=int(grace + _ANSWER_S),
            )
        )
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
