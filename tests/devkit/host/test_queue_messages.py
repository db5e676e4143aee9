"""What a queue function receives, what its outputs become, and starting one by hand."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def wire(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


@pytest.mark.parametrize(
    ("body", "attribute", "value"),
    [
        ('{"id": "mine"}', "id", "mine"),
        ('{"ID": 5}', "id", "5"),
        ('{"DequeueCount": 41}', "dequeue_count", 41),
        ('{"popreceipt": true}', "pop_receipt", "True"),
        ('{"id": {"a": 1}}', "id", "{'a': 1}"),
    ],
)
async def test_body_properties_override_metadata_whatever_their_case(
    sink: Callable[..., Path],
    hosting: Callable[..., Any],
    queues: Any,
    eventually: Any,
    body: str,
    attribute: str,
    value: Any,
) -> None:
    queue = await queues.create("in")
    await queue.send_message(wire(body))

    async with hosting(sink()) as running:
        await eventually(lambda: running.app.seen)

        assert getattr(running.app.seen[0], attribute) == value
        assert running.app.seen[0].get_body().decode() == body


@pytest.mark.parametrize("body", ['{"id": null}', '{"id": [1]}', '[{"id": "x"}]', '{"id": "x"'])
async def test_other_bodies_leave_metadata_alone(
    sink: Callable[..., Path], hosting: Callable[..., Any], queues: Any, eventually: Any, body: str
) -> None:
    queue = await queues.create("in")
    sent = await queue.send_message(wire(body))

    async with hosting(sink()) as running:
        await eventually(lambda: running.app.seen)

        assert running.app.seen[0].id == sent.id


OUTPUTS = """
    import azure.functions as func

    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
    tail = []

    @app.route("put", methods=["POST"])
    @app.queue_output("out", "%OUT%", "AzureWebJobsStorage")
    async def put(req: func.HttpRequest, out: func.Out[str]) -> str:
        body = req.get_body()
        out.set(body if req.params.get("as") == "bytes" else body.decode())
        return "put"

    @app.queue_trigger("msg", "%IN%", "AzureWebJobsStorage")
    @app.queue_output("$return", "%TAIL%", "AzureWebJobsStorage")
    def forward(msg: func.QueueMessage) -> str:
        return msg.get_body().decode()

    @app.queue_trigger("msg", "%TAIL%", "AzureWebJobsStorage")
    async def on_tail(msg: func.QueueMessage) -> None:
        tail.append(msg.get_body())
"""


@pytest.mark.parametrize(
    ("path", "body", "messages"),
    [
        ("/api/put", "plain text", ["plain text"]),
        ("/api/put", '{"b":1}', ['{"b": 1}']),
        ("/api/put", '["x", {"y": "ü"}, 3]', ["x", '{"y": "ü"}', "3"]),
        ("/api/put?as=bytes", '{"b":1}', ['{"b":1}']),
        ("/api/put", "{not json}", []),
    ],
)
async def test_queue_outputs_rewrite_text_that_looks_like_json(
    sink: Callable[..., Path],
    hosting: Callable[..., Any],
    queues: Any,
    path: str,
    body: str,
    messages: list[str],
) -> None:
    out = await queues.create("out")

    async with hosting(sink(source=OUTPUTS)) as running:
        status, _ = await running.send("POST", path, data=body.encode())

    found = [base64.b64decode(m.content).decode() for m in await out.peek_messages(32)]
    assert found == messages
    assert status == (200 if messages else 500)


async def test_a_return_value_goes_to_its_queue_which_is_made_on_demand(
    sink: Callable[..., Path], hosting: Callable[..., Any], queues: Any, eventually: Any
) -> None:
    queue = await queues.create("in")
    queues.client(queues.name("tail"))
    await queue.send_message(wire("pass it on"))

    async with hosting(sink(source=OUTPUTS)) as running:
        await eventually(lambda: running.app.tail == [b"pass it on"])


async def test_a_queue_function_is_started_by_hand(
    sink: Callable[..., Path], hosting: Callable[..., Any], queues: Any, eventually: Any
) -> None:
    await queues.create("in")

    async with hosting(sink()) as running:
        by_hand = await running.send("POST", "/admin/functions/ON_IN", json={"input": "by hand"})
        await eventually(lambda: running.app.seen)

    assert by_hand == (202, "")
    assert running.app.seen[0].get_body() == b"by hand"


async def test_a_returned_value_without_a_return_binding_fails_the_invocation(
    sink: Callable[..., Path], hosting: Callable[..., Any], queues: Any, eventually: Any
) -> None:
    queue = await queues.create("in")
    await queue.send_message(wire("anything"))
    source = """
        import azure.functions as func
        app = func.FunctionApp()

        @app.queue_trigger("msg", "%IN%", "AzureWebJobsStorage")
        async def on_in(msg: func.QueueMessage):
            return "who would take this"
    """

    async with hosting(sink(source=source, maxDequeueCount=1)):
        await eventually(lambda: queues.poisoned("in"), [wire("anything")])
