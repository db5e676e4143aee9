"""Queue functions: polling, settling, poison queues, renewal, stopping and outages."""

import asyncio
import base64
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devkit.azurite import Azurite


def wire(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


async def test_a_message_is_delivered_once_and_deleted(
    sink: Callable[..., Path], hosting: Callable[..., Any], queues: Any, eventually: Any
) -> None:
    queue = await queues.create("in")
    sent = await queue.send_message(wire("héllo"))

    async with hosting(sink()) as running:
        await eventually(lambda: running.app.seen)
        (message,) = running.app.seen
        await eventually(lambda: queues.count(queue), 0)

    assert message.get_body().decode() == "héllo"
    assert message.id == sent.id
    assert message.dequeue_count == 1
    assert message.pop_receipt
    assert message.insertion_time == sent.inserted_on
    assert message.expiration_time == sent.expires_on
    assert message.time_next_visible > message.insertion_time


async def test_plain_text_messages_with_encoding_none(
    sink: Callable[..., Path], hosting: Callable[..., Any], queues: Any, eventually: Any
) -> None:
    queue = await queues.create("in")
    await queue.send_message('{"a": 1}')

    async with hosting(sink(messageEncoding="none")) as running:
        await eventually(lambda: running.app.seen)

        assert running.app.seen[0].get_json() == {"a": 1}


async def test_a_failing_message_returns_until_it_is_poison(
    sink: Callable[..., Path], hosting: Callable[..., Any], queues: Any, eventually: Any
) -> None:
    queue = await queues.create("in")
    await queue.send_message(wire("fail"), time_to_live=3600)

    async with hosting(sink(maxDequeueCount=3)) as running:
        await eventually(lambda: queues.poisoned("in"), [wire("fail")])
        await eventually(lambda: queues.count(queue), 0)
        (moved,) = await queues.client(queues.name("in") + "-poison").peek_messages()

    assert [message.dequeue_count for message in running.app.seen] == [1, 2, 3]
    days = (moved.expires_on - moved.inserted_on).total_seconds() / 86_400
    assert days == pytest.approx(7)


async def test_visibility_timeout_delays_the_next_delivery(
    sink: Callable[..., Path], hosting: Callable[..., Any], queues: Any, eventually: Any
) -> None:
    queue = await queues.create("in")
    await queue.send_message(wire("fail"))

    async with hosting(sink(visibilityTimeout="00:00:01")) as running:
        await eventually(lambda: running.app.seen)
        failed = time.monotonic()
        await eventually(lambda: len(running.app.seen) > 1)

    assert time.monotonic() - failed > 0.8


async def test_a_message_delivered_too_often_already_is_not_invoked(
    sink: Callable[..., Path], hosting: Callable[..., Any], queues: Any, eventually: Any
) -> None:
    queue = await queues.create("in")
    await queue.send_message(wire("worn out"))
    taken = await queue.receive_message(visibility_timeout=60)
    await queue.update_message(taken, visibility_timeout=0)

    async with hosting(sink(maxDequeueCount=1)) as running:
        await eventually(lambda: queues.poisoned("in"), [wire("worn out")])
        assert running.app.seen == []


async def test_a_message_that_is_not_base64_goes_to_poison_untouched(
    sink: Callable[..., Path], hosting: Callable[..., Any], queues: Any, eventually: Any
) -> None:
    queue = await queues.create("in")
    await queue.send_message("not base64 <&> at all!")

    async with hosting(sink()) as running:
        await eventually(lambda: queues.poisoned("in"), ["not base64 <&> at all!"])
        assert running.app.seen == []


async def test_a_message_that_is_not_utf8_fails_like_any_other(
    sink: Callable[..., Path], hosting: Callable[..., Any], queues: Any, eventually: Any
) -> None:
    queue = await queues.create("in")
    await queue.send_message(wire(b"\xff\xfe"))

    async with hosting(sink(maxDequeueCount=2)) as running:
        await eventually(lambda: queues.poisoned("in"), [wire(b"\xff\xfe")])
        assert running.app.seen == []


async def test_a_poison_queue_has_no_poison_queue_and_keeps_a_failure_hidden(
    sink: Callable[..., Path], hosting: Callable[..., Any], queues: Any, eventually: Any
) -> None:
    await queues.create("in")
    poison = queues.client(queues.name("in") + "-poison")
    await poison.create_queue()
    await poison.send_message(wire("fail"))

    async with hosting(sink({"IN": poison.queue_name}, maxDequeueCount=1)) as running:
        await eventually(lambda: running.app.seen)
        running.host._wake_queue(poison.queue_name)
        await asyncio.sleep(0.5)

        assert len(running.app.seen) == 1
        assert await queues.count(poison) == 1


async def test_concurrency_is_batch_size_plus_threshold(
    sink: Callable[..., Path], hosting: Callable[..., Any], queues: Any, eventually: Any
) -> None:
    queue = await queues.create("in")
    for number in range(9):
        await queue.send_message(wire(f"hold {number}"))

    async with hosting(sink(batchSize=4, newBatchThreshold=1)) as running:
        await eventually(lambda: len(running.app.running) == 4)
        await asyncio.sleep(0.3)
        assert len(running.app.running) == 4
        running.app.release.set()
        await eventually(lambda: len(running.app.running) == 9)


async def test_a_running_message_is_renewed_and_deleted_with_its_new_receipt(
    sink: Callable[..., Path], hosting: Callable[..., Any], queues: Any, eventually: Any
) -> None:
    queue = await queues.create("in")
    await queue.send_message(wire("hold"))

    async with hosting(sink(), lease=1.0) as running:
        await eventually(lambda: running.app.running)
        await asyncio.sleep(1.7)
        running.app.release.set()
        await eventually(lambda: queues.count(queue), 0)
        assert len(running.app.seen) == 1


async def test_stopping_waits_for_what_runs_and_gives_back_what_does_not_end(
    sink: Callable[..., Path], hosting: Callable[..., Any], queues: Any, eventually: Any
) -> None:
    queue = await queues.create("in")
    await queue.send_message(wire("hold"))

    async with hosting(sink(), grace=0.3) as running:
        await eventually(lambda: running.app.running)
        stopped = time.monotonic()
    assert 0.25 < time.monotonic() - stopped < 3

    returned = await queue.receive_message()
    assert returned is not None
    assert returned.dequeue_count == 2


async def test_a_missing_queue_is_polled_until_it_is_there(
    sink: Callable[..., Path],
    hosting: Callable[..., Any],
    queues: Any,
    eventually: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with hosting(sink()) as running:
        await asyncio.sleep(0.3)
        queue = await queues.create("in")
        await queue.send_message(wire("late"))
        await eventually(lambda: running.app.seen)

    own = [record for record in caplog.records if record.name == "devkit.host"]
    assert not [record for record in own if record.levelno >= logging.WARNING]


async def test_an_outage_is_logged_once_and_ends_by_itself(
    sink: Callable[..., Path],
    hosting: Callable[..., Any],
    queues: Any,
    azurite: Azurite,
    eventually: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A relay in front of the real storage is cut and mended."""
    target = azurite.connection_string.partition("QueueEndpoint=http://")[2].partition("/")[0]
    open_ = True

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not open_:
            writer.close()
            return
        address, port = target.split(":")
        back_reader, back_writer = await asyncio.open_connection(address, int(port))

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while open_ and (chunk := await source.read(65536)):
                sink.write(chunk)
            sink.close()

        await asyncio.gather(pump(reader, back_writer), pump(back_reader, writer))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    relayed = azurite.connection_string.replace(
        f"QueueEndpoint=http://{target}", f"QueueEndpoint=http://127.0.0.1:{port}"
    )
    queue = await queues.create("in")

    def lines(text: str) -> list[Any]:
        return [record for record in caplog.records if record.message.startswith(text)]

    async with hosting(sink({"AzureWebJobsStorage": relayed})) as running:
        await queue.send_message(wire("before"))
        await eventually(lambda: queues.count(queue), 0)
        open_ = False
        await eventually(lambda: lines("storage does not answer"))
        await queue.send_message(wire("after"))
        await asyncio.sleep(0.6)
        open_ = True
        await eventually(lambda: len(running.app.seen) == 2)
    server.close()

    assert len(lines("storage does not answer")) == 1
    assert len(lines("storage answers again")) == 1


CHAIN = """
    import os
    import azure.functions as func
    from azure.storage.queue import TextBase64EncodePolicy
    from azure.storage.queue.aio import QueueClient

    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
    seen = []

    @app.route("send", methods=["POST"])
    async def send(req: func.HttpRequest) -> str:
        queue = QueueClient.from_connection_string(
            os.environ["AzureWebJobsStorage"], os.environ["IN"],
            message_encode_policy=TextBase64EncodePolicy())
        async with queue:
            await queue.send_message(req.get_body().decode())
        return "sent"

    @app.queue_trigger("msg", "%IN%", "AzureWebJobsStorage")
    async def on_in(msg: func.QueueMessage) -> None:
        seen.append(msg.get_body())
"""


async def test_a_message_sent_by_a_request_is_found_before_the_polling_interval(
    sink: Callable[..., Path], hosting: Callable[..., Any], queues: Any, eventually: Any
) -> None:
    await queues.create("in")

    async with hosting(sink(source=CHAIN, maxPollingInterval="00:01:00")) as running:
        running.host._queues["on_in"]._delay = 60  # as after minutes without a message
        await asyncio.sleep(0.4)
        await running.send("POST", "/api/send", data="next")
        await eventually(lambda: running.app.seen)
