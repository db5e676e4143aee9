"""Mail by Azure Communication Services, against a stand-in that checks what the service does."""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from pytest_httpserver import HTTPServer

from devkit.crm.stand_in import Fault
from devkit.loopback import LoopbackServer
from shared.adapters import acs
from shared.adapters.acs import AcsMailer, Resource, operation_of
from shared.adapters.clocks import ManualClock, SystemClock
from shared.adapters.email import EmailSink
from shared.adapters.mail import parse_sender
from shared.bootstrap import surroundings
from shared.domain.approval_links import ApprovalLinks
from shared.errors import ConfigError, PermanentError, RetryableError, UncertainError
from shared.ports import Clock
from tests.support.acs import KEY as ACCESS_KEY
from tests.support.acs import SENDER, TOKEN, CommunicationServices
from tests.support.effect_calls import CASE_ID, KEY, a_call

SECRET = b"s" * 32
OPERATION = operation_of(SECRET, KEY)
DUTY, BOSS = "duty@hotel.example.com", "boss@hotel.example.com"
SEND, LOOK = "POST /emails:send", f"GET /emails/operations/{OPERATION}"


@pytest.fixture
async def service() -> AsyncIterator[CommunicationServices]:
    async with CommunicationServices() as running:
        yield running


def a_mailer(
    connection: str, *, clock: Clock | None = None, secret: bytes = SECRET, total: float = 5.0
) -> AcsMailer:
    resource, sender = Resource.parse(connection, ""), parse_sender(f"Desk <{SENDER}>")
    return AcsMailer(resource, sender, clock or SystemClock(), secret, total=total)


def a_sink(service: CommunicationServices, **more: Any) -> EmailSink:
    links = ApprovalLinks(b"s" * 32, "")
    return EmailSink(a_mailer(service.connection_string, **more), "", ManualClock(), links)


async def test_a_mail_is_handed_in_signed_and_named(service: CommunicationServices) -> None:
    receipt = await a_sink(service).send(a_call(DUTY, BOSS))

    assert service.refused == []
    assert receipt == f"{OPERATION} Running"
    [mail] = service.mails
    assert mail["senderAddress"] == SENDER
    assert mail["recipients"] == {"to": [{"address": DUTY}, {"address": BOSS}]}
    assert mail["content"]["subject"].startswith("[Harbour Lane Hotel] high: Room 4 is dirty")
    for part in ("plainText", "html"):
        assert "charged twice" in mail["content"][part]
    assert mail["headers"] == {
        "Message-ID": f"<{KEY}@desk.example.com>",
        "References": f"<{CASE_ID}@desk.example.com>",
        "Auto-Submitted": "auto-generated",
    }
    assert mail["userEngagementTrackingDisabled"] is True


async def test_a_signature_by_another_key_is_refused_and_the_operator_is_told(
    service: CommunicationServices, caplog: pytest.LogCaptureFixture
) -> None:
    other = service.connection_string.replace(ACCESS_KEY, "b3RoZXI=")

    with pytest.raises(RetryableError, match="mail_access_refused: HTTP 401 Denied") as caught:
        await a_mailer(other).deliver(KEY, [DUTY], "Hi", "text", thread="t")

    assert (caught.value.retry_after, service.refused) == (60, ["signature"])
    [told] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert told.message == "the mail service does not accept us"
    assert service.mails == []


async def test_a_clock_that_is_wrong_is_refused_for_now(service: CommunicationServices) -> None:
    late = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))

    with pytest.raises(RetryableError, match="mail_access_refused"):
        await a_sink(service, clock=late).send(a_call(DUTY))

    assert service.refused == ["date"]


@pytest.mark.parametrize(
    ("status", "error", "said", "pause"),
    [
        (400, PermanentError, "mail_refused: HTTP 400 Code400", 0),
        (401, RetryableError, "mail_access_refused: HTTP 401 Code401", 60),
        (403, RetryableError, "mail_access_refused: HTTP 403 Code403", 60),
        (404, PermanentError, "mail_refused: HTTP 404 Code404", 0),
        (409, UncertainError, "mail_in_doubt: HTTP 409 Code409", 60),
        (413, PermanentError, "mail_refused: HTTP 413 Code413", 0),
        (429, RetryableError, "mail_deferred: HTTP 429 Code429", 37),
        (500, UncertainError, "mail_in_doubt: HTTP 500 Code500", 60),
        (503, UncertainError, "mail_in_doubt: HTTP 503 Code503", 60),
        (302, PermanentError, "mail_refused: HTTP 302 Code302", 0),
    ],
)
async def test_each_refusal_by_its_name(
    service: CommunicationServices, status: int, error: type[Exception], said: str, pause: float
) -> None:
    service.faults.append(Fault(status, {"Retry-After": "37"}))

    with pytest.raises(error) as caught:
        await a_sink(service).send(a_call(DUTY))

    assert str(caught.value) == said
    waits = getattr(caught.value, "retry_after", getattr(caught.value, "unseen", 0))
    assert (waits, service.mails) == (pause, [])


async def test_a_sender_whose_domain_is_not_the_resources_is_refused(
    service: CommunicationServices,
) -> None:
    sender = parse_sender("somebody@else.example.com")
    mailer = AcsMailer(Resource.parse(service.connection_string, ""), sender, SystemClock(), SECRET)

    with pytest.raises(PermanentError, match="mail_refused: HTTP 404 DomainNotLinked"):
        await mailer.deliver(KEY, [DUTY], "Hi", "text", thread="t")


async def test_an_address_that_a_header_could_misread_is_refused_before_it_is_sent(
    service: CommunicationServices,
) -> None:
    with pytest.raises(PermanentError, match="address_refused"):
        await a_sink(service).send(a_call("a@x.example>\nBcc: b@x.example"))

    assert service.requests == []


async def test_hostile_words_reach_no_header(service: CommunicationServices) -> None:
    await a_mailer(service.connection_string).deliver(
        f"{KEY}\r\nBcc: all@evil.example", [DUTY], "Hi", "text", thread="a\nb"
    )

    [mail] = service.mails
    assert set("".join(mail["headers"].values())).isdisjoint("\r\n")


@pytest.mark.parametrize("fault", [Fault(cut=True), Fault(cut=True, keep=True), Fault(hang=True)])
async def test_a_lost_answer_is_looked_up(service: CommunicationServices, fault: Fault) -> None:
    sink = a_sink(service, total=1.0)
    service.faults.append(fault)
    with pytest.raises(UncertainError, match="answer_lost") as caught:
        await sink.send(a_call(DUTY))
    assert caught.value.unseen == 60

    found = await sink.find(a_call(DUTY))

    assert found == (f"{OPERATION} Running" if fault.keep else None)
    assert service.requests == [SEND, LOOK]


async def test_an_id_that_another_mail_has_is_in_doubt_and_then_found(
    service: CommunicationServices,
) -> None:
    sink = a_sink(service)
    await sink.send(a_call(DUTY))

    with pytest.raises(UncertainError, match="mail_in_doubt: HTTP 409 Conflict"):
        await sink.send(a_call(BOSS))

    assert await sink.find(a_call(BOSS))
    assert len(service.mails) == 1


@pytest.mark.parametrize("status", ["Failed", "Canceled"])
async def test_a_mail_that_the_service_gave_up_is_no_success(
    service: CommunicationServices, status: str
) -> None:
    sink = a_sink(service)
    await sink.send(a_call(DUTY))
    service.statuses[OPERATION] = status

    with pytest.raises(PermanentError, match=f"mail_failed: {OPERATION} {status}"):
        await sink.find(a_call(DUTY))


@pytest.mark.parametrize("status", [400, 401, 409, 429, 500])
async def test_a_look_up_that_is_refused_says_nothing_of_the_mail(
    service: CommunicationServices, status: int
) -> None:
    service.faults.append(Fault(status))

    with pytest.raises(RetryableError):
        await a_sink(service).find(a_call(DUTY))


async def test_a_404_that_is_not_the_services_own_says_nothing_either() -> None:
    class Proxy(LoopbackServer):
        async def _take(self, request: web.Request) -> web.StreamResponse:
            return web.Response(status=404, text="<h1>Not Found</h1>")

    async with Proxy() as proxy:
        with pytest.raises(RetryableError, match="mail_look_up_failed: HTTP 404"):
            await a_mailer(f"endpoint={proxy.url};accesskey={ACCESS_KEY}").find(KEY)


async def test_a_closed_port_has_surely_not_taken_it(free_port: int) -> None:
    mailer = a_mailer(f"endpoint=http://127.0.0.1:{free_port}/;accesskey={ACCESS_KEY}")

    with pytest.raises(RetryableError, match="receiver_unreachable"):
        await mailer.deliver(KEY, [DUTY], "Hi", "text", thread="t")


async def test_a_greeting_sends_nothing(service: CommunicationServices) -> None:
    assert await a_mailer(service.connection_string).greet() == "127.0.0.1 takes our credentials"
    with pytest.raises(RetryableError, match="mail_access_refused"):
        await a_mailer(service.connection_string.replace(ACCESS_KEY, "b3RoZXI=")).greet()

    assert service.mails == []


@asynccontextmanager
async def of_identity(service: CommunicationServices) -> AsyncIterator[AcsMailer]:
    mailer = AcsMailer(Resource.parse("", service.url), parse_sender(SENDER), SystemClock(), SECRET)
    yield mailer
    await mailer.aclose()


@pytest.fixture
def identity(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> HTTPServer:
    """The identity endpoint of App Service is emulated; azure-identity is the real one."""
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    monkeypatch.setenv("IDENTITY_ENDPOINT", httpserver.url_for("/msi/token"))
    monkeypatch.setenv("IDENTITY_HEADER", "header")
    monkeypatch.delenv("AZURE_CLIENT_ID", raising=False)
    return httpserver


async def test_the_apps_identity_sends_where_only_an_endpoint_is_set(
    service: CommunicationServices, identity: HTTPServer
) -> None:
    token = {"access_token": TOKEN, "expires_on": "4102444800", "token_type": "Bearer"}
    identity.expect_request("/msi/token").respond_with_json(
        {**token, "resource": "https://communication.azure.com"}
    )

    async with of_identity(service) as mailer:
        await mailer.deliver(KEY, [DUTY], "Hi", "text", thread="t")
        assert await mailer.find(KEY)

    asked = [request.args["resource"] for request, _ in identity.log]
    assert asked == ["https://communication.azure.com"]
    assert len(service.mails) == 1


async def test_an_identity_without_a_token_is_told_to_the_operator(
    service: CommunicationServices, identity: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    identity.expect_request("/msi/token").respond_with_json({"message": "no identity"}, 400)

    async with of_identity(service) as mailer:
        with pytest.raises(RetryableError, match="wrong_key: Entra ID") as caught:
            await mailer.deliver(KEY, [DUTY], "Hi", "text", thread="t")

    assert caught.value.retry_after == 60
    assert "no token to send mail with" in caplog.messages


@pytest.mark.usefixtures("identity")
async def test_an_identity_that_hangs_is_given_up_before_the_mail_is_sent(
    service: CommunicationServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acs, "_TOKEN_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/msi/token"
        monkeypatch.setenv("IDENTITY_ENDPOINT", address)
        async with of_identity(service) as mailer:
            with pytest.raises(RetryableError, match="connection_lost: Entra ID: TimeoutError"):
                await mailer.deliver(KEY, [DUTY], "Hi", "text", thread="t")

    assert service.requests == []


@pytest.mark.parametrize(
    ("connection", "endpoint", "setting"),
    [
        ("", "desk.communication.azure.com", "FRONTDESK_ACS_ENDPOINT"),
        ("", "http://desk.communication.azure.com", "FRONTDESK_ACS_ENDPOINT"),
        ("", "https://desk.communication.azure.com/emails", "FRONTDESK_ACS_ENDPOINT"),
        ("", "https://10.0.0.1", "FRONTDESK_ACS_ENDPOINT"),
        ("endpoint=https://desk.communication.azure.com/", "", "FRONTDESK_ACS_CONNECTION_STRING"),
        ("accesskey=aHVzaA==", "", "FRONTDESK_ACS_CONNECTION_STRING"),
        ("endpoint=https://a.b/;accesskey=hush!", "", "FRONTDESK_ACS_CONNECTION_STRING"),
        ("aHVzaA==", "", "FRONTDESK_ACS_CONNECTION_STRING"),
        (
            "endpoint=https://a.b/;accesskey=aHVzaA==",
            "https://a.b",
            "FRONTDESK_ACS_ENDPOINT: unset",
        ),
    ],
)
def test_a_wrong_setting_stops_the_start_and_no_key_is_repeated(
    connection: str, endpoint: str, setting: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{setting}") as stopped:
        Resource.parse(connection, endpoint)

    assert "hush" not in str(stopped.value)
    assert "aHVz" not in str(stopped.value)


def test_the_key_is_in_no_repr() -> None:
    found = Resource.parse("Endpoint=https://Desk.communication.azure.com/;AccessKey=aHVzaA==", "")

    assert found == Resource("https://desk.communication.azure.com", b"hush")
    assert "hush" not in repr(found)


async def test_another_installations_mail_is_not_taken_for_ours(
    service: CommunicationServices,
) -> None:
    ours, theirs = (a_mailer(service.connection_string, secret=bytes([n])) for n in (1, 2))
    await theirs.deliver("digest:hotel:2026-03-29T0600Z-email", [DUTY], "Hi", "a", thread="t")

    assert await ours.find("digest:hotel:2026-03-29T0600Z-email") is None
    await ours.deliver("digest:hotel:2026-03-29T0600Z-email", [DUTY], "Hi", "b", thread="t")
    assert len(service.mails) == 2


def test_a_mails_operation_is_the_same_for_ever() -> None:
    assert operation_of(b"a secret", "a key") == "34c26949-ff90-5f7a-b5af-92e5b662ed36"


SMTP = {"FRONTDESK_SMTP_URL": "smtp://mail.example.com", "FRONTDESK_MAIL_FROM": SENDER}
ENDPOINT = {"FRONTDESK_ACS_ENDPOINT": "https://desk.communication.azure.com"}


def test_mail_goes_one_way_only() -> None:
    assert isinstance(surroundings({**ENDPOINT, "FRONTDESK_MAIL_FROM": SENDER}).mailer, AcsMailer)
    with pytest.raises(ConfigError, match=r"FRONTDESK_SMTP_URL: .* Unset it .* FRONTDESK_ACS_END"):
        surroundings(SMTP | ENDPOINT)
    with pytest.raises(ConfigError, match="FRONTDESK_MAIL_FROM"):
        surroundings(ENDPOINT)
