"""ServiceNow's own: OAuth instead of a password, and tickets that say too little."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from devkit.crm.servicenow import ServicenowApi
from shared.adapters.crm_connectors import CrmConnectors
from shared.domain.outbound import Labels, Post
from shared.errors import PermanentError
from shared.ports.crm import Connector
from tests.support.benches import ServicenowBench


@pytest.fixture
async def bench() -> AsyncIterator[ServicenowBench]:
    async with ServicenowApi() as api:
        made = ServicenowBench(api)
        made.opened("My room is dirty.")
        yield made


def connector(bench: ServicenowBench, **fields: str) -> Connector:
    settings = {f"HOTEL_SERVICENOW_{k}": v for k, v in fields.items()}
    url = {"HOTEL_SERVICENOW_URL": bench.api.url, "HOTEL_SERVICENOW_SECRET": bench.secret}
    made = CrmConnectors({**url, **settings}, ["hotel"], development=True).get(
        "hotel", "servicenow"
    )
    assert made is not None
    return made


def a_note(bench: ServicenowBench) -> Post:
    return Post(ticket_id=bench.ticket, how="note", text="Seen.", html="Seen.", key="k")


async def test_oauth_takes_the_place_of_a_password(bench: ServicenowBench) -> None:
    api = connector(bench, CLIENT_ID="client", CLIENT_SECRET="hidden")
    await api.post(a_note(bench))
    await api.post(a_note(bench))
    assert (bench.api.tokens, len(bench.written())) == (1, 2)


async def test_a_refresh_token_is_used_where_there_is_one(bench: ServicenowBench) -> None:
    bench.api.token_form = {  # type: ignore[misc]
        "grant_type": "refresh_token",
        "refresh_token": "given",
        "client_id": "client",
        "client_secret": "hidden",
    }
    client = {"CLIENT_ID": "client", "CLIENT_SECRET": "hidden", "REFRESH_TOKEN": "given"}
    await connector(bench, **client).post(a_note(bench))
    assert len(bench.written()) == 1


async def test_a_token_that_is_about_to_end_is_renewed_before(bench: ServicenowBench) -> None:
    bench.api.token_lives = 30  # type: ignore[misc]
    api = connector(bench, CLIENT_ID="client", CLIENT_SECRET="hidden")
    await api.post(a_note(bench))
    await api.post(a_note(bench))
    assert bench.api.tokens == 2


async def test_what_is_not_set_is_named(bench: ServicenowBench) -> None:
    with pytest.raises(PermanentError, match="FRONTDESK_CRM_HOTEL_SERVICENOW_PASSWORD"):
        await connector(bench, USER="frontdesk").post(a_note(bench))


@pytest.mark.parametrize(
    ("now", "urgency", "then"),
    [("3", "normal", "2"), ("1", "normal", "1"), ("2", "critical", "1"), ("3", None, "3")],
)
async def test_an_urgency_is_raised_and_never_lowered(
    bench: ServicenowBench, now: str, urgency: str | None, then: str
) -> None:
    bench.api.incidents[bench.ticket]["urgency"] = now
    labels = Labels(ticket_id=bench.ticket, tags=(), urgency=urgency, key="k")  # type: ignore[arg-type]
    await connector(bench, USER="frontdesk", PASSWORD="secret").label(labels)
    assert bench.labels()[1] == then
