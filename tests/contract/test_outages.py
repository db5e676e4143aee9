"""What the real adapters do when storage is down, slow, busy, or refuses us."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from azure.core.exceptions import HttpResponseError
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from shared.adapters.azure_clients import AzureStorage, StorageAddress
from shared.adapters.table_layout import entry_entity
from shared.domain.nudge import Nudge, queue_name
from shared.errors import ConfigError, ConflictError, PermanentError, RetryableError
from tests.contract import samples
from tests.contract.conftest import Proxied

JSON = "application/json"


def every_operation(storage: AzureStorage) -> list[Awaitable[object]]:
    """One of each, on a stage whose queue is there."""
    return [
        storage.cases.read("c1"),
        storage.cases.insert("c1", samples.message(turn=7)),
        storage.cases.replace("c1", samples.message(), 'W/"x"'),
        storage.index.put(samples.entry("c1")),
        storage.index.remove(samples.entry("c1"), ["open", "answered"]),
        storage.index.page(["hotel", "bank"], ["open", "answered"], None, None, 10),
        storage.index.open_entries(10),
        storage.nudges.send(Nudge("c1", 1, storage._prefix)),
        storage.texts.put("c1/m-0001", "text"),
        storage.texts.get("c1/m-0001"),
        storage.texts.delete("c1/m-0002"),
        storage.ensure([]),
    ]


async def failures(operations: list[Awaitable[object]]) -> list[object]:
    return await asyncio.gather(*operations, return_exceptions=True)


@pytest.mark.parametrize("way", ["down", "stalled"])
async def test_an_outage_is_told_within_eight_seconds_and_the_same_clients_recover(
    proxied: Proxied, way: str
) -> None:
    storage = proxied.storage
    await storage.ensure([queue_name(storage._prefix)])
    await storage.cases.insert("c1", samples.message())
    await storage.texts.put("c1/m-0001", "before")

    for proxy in proxied.all:
        if way == "down":
            await proxy.down()
        else:
            proxy.stalled = True
    began = time.monotonic()
    said = await failures(every_operation(storage))
    took = time.monotonic() - began

    assert [getattr(error, "code", error) for error in said] == ["storage_unavailable"] * len(said)
    assert took < 8

    for proxy in proxied.all:
        if way == "down":
            await proxy.up()
        else:
            proxy.stalled = False
    await storage.cases.insert("c1", samples.message(turn=2))
    assert [m.turn for m in (await storage.cases.read("c1")).messages] == [1, 2]
    await storage.index.put(samples.entry("c1"))
    assert await storage.index.open_entries(10) == [samples.entry("c1")]
    await storage.nudges.send(Nudge("c1", 1, storage._prefix))
    assert await storage.texts.get("c1/m-0001") == "before"


class Service:
    """Stands for the storage service where Azurite cannot play it; answers by a function."""

    def __init__(self, server: HTTPServer) -> None:
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Response] = lambda _: Response(status=500)
        server.expect_request(re.compile(".*")).respond_with_handler(self._respond)
        url = server.url_for("/account")
        key = base64.b64encode(b"key").decode()
        services = ";".join(f"{kind}Endpoint={url}" for kind in ("Table", "Queue", "Blob"))
        self.address = StorageAddress(
            f"DefaultEndpointsProtocol=http;AccountName=account;AccountKey={key};{services}"
        )

    def _respond(self, request: Request) -> Response:
        self.requests.append(request)
        return self.answer(request)


@pytest.fixture
def service(httpserver: HTTPServer) -> Service:
    return Service(httpserver)


@pytest.fixture
async def storage(service: Service) -> AsyncIterator[AzureStorage]:
    storage = AzureStorage(service.address, "frontdesk")
    yield storage
    await storage.aclose()


def refusal(status: int, code: str = "Code", headers: dict[str, str] | None = None) -> Response:
    """An error as the table service words it."""
    body = {"odata.error": {"code": code, "message": {"lang": "en-US", "value": "No."}}}
    return Response(json.dumps(body), status, headers, content_type="application/json")


async def test_what_an_answer_means_for_the_runner(service: Service, storage: AzureStorage) -> None:
    expected = {
        401: (RetryableError, "storage_refused"),
        403: (RetryableError, "storage_refused"),
        404: (RetryableError, "storage_missing"),
        408: (RetryableError, "storage_unavailable"),
        409: (RetryableError, "storage_busy"),
        412: (ConflictError, "412"),
        413: (PermanentError, "row_too_large"),
        429: (RetryableError, "storage_busy"),
        500: (RetryableError, "storage_unavailable"),
        502: (RetryableError, "storage_unavailable"),
        503: (RetryableError, "storage_busy"),
        504: (RetryableError, "storage_unavailable"),
    }
    codes = {404: "TableNotFound", 409: "TableBeingDeleted", 413: "RequestBodyTooLarge"}

    def answer(request: Request) -> Response:
        status = int(re.findall(r"status(\d+)", request.args["$filter"])[0])
        return refusal(status, codes.get(status, "Code"))

    service.answer = answer
    said = await failures([storage.cases.read(f"status{status}") for status in expected])

    for (kind, text), error in zip(expected.values(), said, strict=True):
        assert isinstance(error, kind)
        assert text in str(error)


async def test_an_answer_that_only_a_mistake_of_ours_can_cause_is_raised_as_it_is(
    service: Service, storage: AzureStorage
) -> None:
    service.answer = lambda _: refusal(400, "InvalidInput")

    with pytest.raises(HttpResponseError):
        await storage.cases.read("c1")


async def test_a_long_wait_that_the_service_asks_for_is_passed_on_and_not_slept(
    service: Service, storage: AzureStorage
) -> None:
    service.answer = lambda _: refusal(503, "ServerBusy", {"Retry-After": "30"})
    began = time.monotonic()

    said = await failures(
        [
            storage.cases.read("c1"),
            storage.cases.insert("c1", samples.message()),
            storage.index.put(samples.entry("c1")),
            storage.nudges.send(Nudge("c1", 1, "sentiment")),
        ]
    )

    assert [getattr(error, "code", error) for error in said] == ["storage_busy"] * 4
    assert [getattr(error, "retry_after", None) for error in said] == [30] * 4
    assert time.monotonic() - began < 5


async def test_a_short_hiccup_is_not_noticed(service: Service, storage: AzureStorage) -> None:
    def answer(_: Request) -> Response:
        first = len(service.requests) == 1
        return refusal(500) if first else Response('{"value": []}', content_type=JSON)

    service.answer = answer

    assert (await storage.cases.read("c1")).stored == {}
    assert len(service.requests) == 2


async def test_an_answer_that_cannot_be_read_is_an_outage(
    service: Service, storage: AzureStorage
) -> None:
    service.answer = lambda _: Response('{"value": [', content_type=JSON)

    with pytest.raises(RetryableError, match="storage_unavailable"):
        await storage.cases.read("c1")


async def test_a_filtered_listing_hands_out_a_cursor_instead_of_scanning_on(
    service: Service, storage: AzureStorage
) -> None:
    # The service looks at 1,000 entries an answer; here none of the first 12,000 match.
    wanted = samples.entry("c1", sentiment="Negative", status="answered")

    def answer(request: Request) -> Response:
        looked_at = int(request.args.get("NextRowKey", "0"))
        if looked_at == 12:
            entity = entry_entity(wanted, "answered")
            return Response(json.dumps({"value": [entity]}), content_type=JSON)
        headers = {
            "x-ms-continuation-NextPartitionKey": "opaque",
            "x-ms-continuation-NextRowKey": str(looked_at + 1),
        }
        return Response('{"value": []}', headers=headers, content_type=JSON)

    service.answer = answer

    first, cursor = await storage.index.page(["hotel"], ["answered"], "Negative", None, 10)
    asked_first = len(service.requests)
    second, end = await storage.index.page(["hotel"], ["answered"], "Negative", cursor, 10)

    assert first == []
    assert asked_first == 8
    assert second == [wanted]
    assert end is None
    assert len(service.requests) == 13


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (StorageAddress(), "AzureWebJobsStorage__tableServiceUri"),
        (StorageAddress("nonsense"), "AzureWebJobsStorage: "),
        (StorageAddress("AccountName=a"), "AzureWebJobsStorage: "),
        (StorageAddress(table_uri="https://a.table.core.windows.net"), "queueServiceUri"),
        (StorageAddress(table_uri="http://a.table.core.windows.net"), "HTTPS"),
    ],
)
async def test_a_wrong_address_says_what_to_set(address: StorageAddress, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        AzureStorage(address, "frontdesk")


async def test_an_identity_serves_all_three_services() -> None:
    storage = AzureStorage(
        StorageAddress(
            table_uri="https://account.table.core.windows.net",
            queue_uri="https://account.queue.core.windows.net",
            blob_uri="https://account.blob.core.windows.net",
            client_id="00000000-0000-0000-0000-000000000000",
        ),
        "frontdesk",
    )
    assert storage.texts._container.credential is storage._identity
    await storage.aclose()


def test_a_connection_string_is_not_shown() -> None:
    assert "secret" not in repr(StorageAddress("AccountKey=secret"))
