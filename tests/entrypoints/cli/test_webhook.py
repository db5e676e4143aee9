"""``webhook send`` and ``check``: what is sent, what is said about it, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug import Response

from devkit import setup
from entrypoints.cli import local
from entrypoints.cli.api import Api
from shared.adapters.crm_connectors import VENDORS, vendor_class
from shared.adapters.crm_vendor import Access
from shared.domain.inbound import Delivery, InboundMessage
from shared.errors import UnverifiedError

CASE_ID = "3f2a9c1b-1111-4222-8333-444455556666"
SECRET = "a-secret-of-a-zendesk-webhook"
ZENDESK = "FRONTDESK_CRM_HOTEL_ZENDESK_"
ACCOUNT = {"SECRET": SECRET, "URL": "https://acme.zendesk.com", "TOKEN": "t0ken", "EMAIL": "a@b.c"}
UNVERIFIED = {"title": "Not verified", "detail": "The signature is missing or wrong."}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "local_settings", dict)
    monkeypatch.delenv("FRONTDESK_PUBLIC_URL", raising=False)


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def set_all(values: dict[str, str], prefix: str = ZENDESK) -> None:
        for name, value in values.items():
            monkeypatch.setenv(prefix + name, value)

    return set_all


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, frontdesk: Any) -> SimpleNamespace:
    """A stack of the command's own, which it may prepare."""
    made = SimpleNamespace(settings=None)

    @contextmanager
    def reach(args: Any, progress: Any, *, prepare: Any) -> Iterator[Api]:
        prepare(made)
        yield Api(frontdesk.url)

    monkeypatch.setattr(local, "reach", reach)
    return made


def answer(status: int, body: dict[str, Any]) -> Response:
    import json

    return Response(json.dumps(body), status, mimetype="application/json")


def read(vendor: str, delivery: Delivery, **values: str) -> InboundMessage:
    """The only message of a delivery that the connector with these settings verifies."""
    connector = vendor_class(vendor)(Access("P_", values))
    connector.verify(delivery, datetime.now(UTC))
    [message] = connector.read(delivery)
    return message


def test_a_delivery_is_signed_sent_and_followed(
    cli: Any, frontdesk: Any, make_case: Any, configure: Any
) -> None:
    configure(ACCOUNT)
    frontdesk.cases = [make_case()]

    ended = cli("webhook", "send", "zendesk", "--desk", "hotel", "--url", frontdesk.url,
        "--subject", "Room 12", "--text", "It is dirty.", "--ticket", "35436")  # fmt: skip

    assert ended.code == 0, ended.err
    [delivery] = frontdesk.delivered
    message = read("zendesk", delivery, SECRET=SECRET)
    assert (message.ticket_id, message.text) == ("35436", "Room 12\n\nIt is dirty.")
    assert "202 ACCEPTED" in ended.out
    assert "taken in" in ended.out
    assert "We are sorry about your room." in ended.out
    assert "look at ticket 35436 on https://acme.zendesk.com" in ended.out
    assert not any(secret in ended.out + ended.err for secret in (SECRET, "t0ken"))


def test_the_same_delivery_twice_is_a_duplicate(
    cli: Any, frontdesk: Any, make_case: Any, configure: Any
) -> None:
    configure(ACCOUNT)
    frontdesk.cases = [make_case()]
    counts = ({"accepted": 1}, {"redelivered": 1})
    frontdesk.answers = [answer(202, {"cases": [CASE_ID], "counts": one}) for one in counts]

    ended = cli("webhook", "send", "zendesk", "--desk", "hotel", "--url", frontdesk.url, "--twice")

    assert ended.code == 0
    first, second = frontdesk.delivered
    assert (first.body, first.headers) == (second.body, second.headers)
    assert ended.out.index("taken in") < ended.out.index("a duplicate: known already")


def test_a_bad_signature_has_to_be_refused(cli: Any, frontdesk: Any, configure: Any) -> None:
    configure(ACCOUNT)
    frontdesk.answers = [answer(401, UNVERIFIED)]
    command = ("webhook", "send", "zendesk", "--desk", "hotel", "--url", frontdesk.url)

    ended = cli(*command, "--bad-signature")

    assert ended.code == 0
    assert "refused: Not verified The signature is missing or wrong." in ended.out
    with pytest.raises(UnverifiedError):
        read("zendesk", frontdesk.delivered[0], SECRET=SECRET)

    ended = cli(*command, "--bad-signature")
    assert (ended.code, "a forged delivery was taken in" in ended.err) == (1, True)

    frontdesk.answers = [answer(404, {"title": "No such webhook"})]
    assert cli(*command, "--bad-signature").code == 1, "it was not looked at"


@pytest.mark.parametrize(
    ("status", "said"), [(401, "signs with the secret that is set here"), (404, "webhook check")]
)
def test_what_is_refused_says_what_to_look_at(
    cli: Any, frontdesk: Any, configure: Any, status: int, said: str
) -> None:
    configure(ACCOUNT)
    frontdesk.answers = [answer(status, UNVERIFIED)]

    ended = cli("webhook", "send", "zendesk", "--desk", "hotel", "--url", frontdesk.url)

    assert (ended.code, said in ended.out) == (1, True)


def test_what_storage_could_not_take_is_sent_again(
    cli: Any, frontdesk: Any, make_case: Any, configure: Any
) -> None:
    configure(ACCOUNT)
    frontdesk.cases = [make_case()]
    busy = Response("{}", 503, {"Retry-After": "0"}, "application/problem+json")
    frontdesk.answers = [busy]

    ended = cli("webhook", "send", "zendesk", "--desk", "hotel", "--url", frontdesk.url)

    assert ended.code == 0
    first, second = frontdesk.delivered
    assert first.body == second.body
    assert "sent again, as vendors do" in ended.out


def test_a_colleagues_answer_opens_nothing(cli: Any, frontdesk: Any, configure: Any) -> None:
    configure(ACCOUNT)
    frontdesk.answers = [answer(202, {"cases": [], "counts": {"ignored": 1}})]

    ended = cli("webhook", "send", "zendesk", "--desk", "hotel", "--url", frontdesk.url,
        "--event", "colleague", "--ticket", "35436")  # fmt: skip

    assert ended.code == 0
    assert "ignored: not a customer's words" in ended.out
    assert read("zendesk", frontdesk.delivered[0], SECRET=SECRET).kind == "ignored"


def test_a_vendors_own_acknowledgement_is_read_by_its_headers(
    cli: Any, frontdesk: Any, make_case: Any, configure: Any
) -> None:
    configure({"SECRET": "s" * 32, "ORGANIZATION": "00D000000000001AAA"},
        "FRONTDESK_CRM_HOTEL_SALESFORCE_")  # fmt: skip
    frontdesk.cases = [make_case()]
    headers = {"Frontdesk-Cases": CASE_ID, "Frontdesk-Counts": "accepted=1"}
    frontdesk.answers = [Response("<Ack/>", 200, headers, "text/xml")]

    ended = cli("webhook", "send", "salesforce", "--desk", "hotel", "--url", frontdesk.url)

    assert ended.code == 0, ended.err
    assert "We are sorry about your room." in ended.out
    [delivery] = frontdesk.delivered
    read("salesforce", delivery, SECRET="s" * 32, ORGANIZATION="00D000000000001AAA")


def test_json_is_the_case_and_nothing_else(
    cli: Any, frontdesk: Any, make_case: Any, configure: Any
) -> None:
    import json

    configure(ACCOUNT)
    frontdesk.cases = [make_case()]
    ended = cli("webhook", "send", "zendesk", "--desk", "hotel", "--url", frontdesk.url, "--json")
    assert json.loads(ended.out)["case_id"] == CASE_ID


def test_without_a_secret_a_running_stack_is_sent_nothing(cli: Any, frontdesk: Any) -> None:
    port = frontdesk.url.rpartition(":")[2]
    for where in (("--port", port), ("--url", frontdesk.url)):
        ended = cli("webhook", "send", "zendesk", "--desk", "hotel", *where)
        assert ended.code == 2
        assert len(ended.err.splitlines()) == 1
        assert f"set {ZENDESK}SECRET in " in ended.err
    assert frontdesk.delivered == []


@pytest.mark.parametrize("event", ["new", "reply", "colleague"])
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_stack_of_our_own_gets_a_stand_in_for_what_is_not_set(
    cli: Any, frontdesk: Any, make_case: Any, stack: SimpleNamespace, vendor: str, event: str
) -> None:
    frontdesk.cases = [make_case()]

    ended = cli("webhook", "send", vendor, "--desk", "hotel", "--event", event)

    assert ended.code == 0, ended.err
    assert f"{vendor} is not set for hotel: a throw-away secret" in ended.err
    assert "of the stand-in" in ended.out
    prefix = f"FRONTDESK_CRM_HOTEL_{vendor.upper()}_"
    values = {name.removeprefix(prefix): value for name, value in stack.settings.items()}
    assert values["URL"].startswith("http://127.0.0.1:")
    opened, *later = [read(vendor, delivery, **values) for delivery in frontdesk.delivered]
    assert opened.from_customer
    assert [m.ticket_id for m in later if m.ticket_id] == [
        opened.ticket_id for m in later if m.ticket_id
    ]
    if event == "reply":
        assert [m.from_customer for m in later] == [True]
    if event == "colleague":
        assert [m.from_customer and not m.fetch for m in later] == [False]
    assert values["SECRET"] not in ended.out + ended.err


def test_an_account_that_is_set_is_used_unless_it_is_to_be_spared(
    cli: Any, frontdesk: Any, make_case: Any, stack: SimpleNamespace, configure: Any
) -> None:
    configure(ACCOUNT)
    frontdesk.cases = [make_case()]

    ended = cli("webhook", "send", "zendesk", "--desk", "hotel")
    assert (ended.code, stack.settings) == (0, None)
    assert "has no such ticket to write into: name one of yours with --ticket" in ended.out

    ended = cli("webhook", "send", "zendesk", "--desk", "hotel", "--stand-in")
    assert ended.code == 0
    assert "its secret, and a stand-in" in ended.err
    assert stack.settings[f"{ZENDESK}SECRET"] == SECRET
    assert stack.settings[f"{ZENDESK}TOKEN"] != ACCOUNT["TOKEN"]


@pytest.mark.parametrize(
    ("vendor", "settings", "arguments"),
    [
        ("chatwoot", {"SECRET": "s"}, ("--ticket", "abc")),
        ("chatwoot", {"SECRET": "s", "ACCOUNT": "acme"}, ()),
        ("hubspot", {"SECRET": "s"}, ("--ticket", "abc")),
        ("standard", {"SECRET": "whsec_x"}, ()),
        ("salesforce", {"SECRET": "s", "ORGANIZATION": "00D"}, ("--text", "half \ud800")),
    ],
)
def test_what_a_vendor_cannot_send_is_one_line(
    cli: Any,
    frontdesk: Any,
    configure: Any,
    vendor: str,
    settings: dict[str, str],
    arguments: tuple[str, ...],
) -> None:
    configure(settings, f"FRONTDESK_CRM_HOTEL_{vendor.upper()}_")

    ended = cli("webhook", "send", vendor, "--desk", "hotel", "--url", frontdesk.url, *arguments)

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert f"{vendor} cannot send that: look at --ticket" in ended.err
    assert frontdesk.delivered == []


def test_without_a_key_it_says_how_to_look(cli: Any, frontdesk: Any, configure: Any) -> None:
    configure(ACCOUNT)
    frontdesk.answers = [answer(202, {"cases": ["no-such"], "counts": {"accepted": 1}})]
    frontdesk.server.expect_request("/api/cases/no-such").respond_with_data("", 401)

    ended = cli("webhook", "send", "zendesk", "--desk", "hotel", "--url", frontdesk.url)

    assert ended.code == 0
    assert f"FRONTDESK_KEY=… ./frontdesk show no-such --url {frontdesk.url}" in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("send", "zendeks", "--desk", "hotel"), "the vendors are chatwoot, dynamics365,"),
        (("check", "zendesk", "--desk", "motel"), "the desks are bank, default, hotel,"),
        (("check", "zendesk"), "which desk? Give --desk bank|default|hotel|"),
    ],
)
def test_what_is_not_known_is_told_with_what_is(
    cli: Any, arguments: tuple[str, ...], said: str
) -> None:
    ended = cli("webhook", *arguments)
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert said in ended.err


def test_check_is_content_when_all_is_there_and_shows_no_secret(
    cli: Any, configure: Any, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    configure(ACCOUNT)
    monkeypatch.setenv("FRONTDESK_PUBLIC_URL", "https://desk.example.com/")

    ended = cli("webhook", "check", "zendesk", "--desk", "hotel", "--port", str(free_port))

    assert ended.code == 0, ended.out
    assert "https://desk.example.com/api/webhooks/hotel/zendesk\n" in ended.out
    assert "Admin Center → " in ended.out
    assert "✓ URL     https://acme.zendesk.com" in ended.out
    assert not any(ACCOUNT[name] in ended.out for name in ("SECRET", "TOKEN", "EMAIL"))


@pytest.mark.parametrize("vendor", VENDORS)
def test_check_names_what_is_missing(cli: Any, free_port: int, vendor: str) -> None:
    ended = cli("webhook", "check", vendor, "--desk", "hotel", "--port", str(free_port))

    connector = vendor_class(vendor)
    assert ended.code == 1
    *_, last, where = ended.out.splitlines()
    assert "local.settings.json" in where
    for name in {*connector.needs, *connector.writes[0]}:
        assert f"FRONTDESK_CRM_HOTEL_{vendor.upper()}_{name}" in last
    assert f"docs/crm/{vendor}.md" in ended.out


def test_check_takes_either_of_two_ways_to_write(cli: Any, configure: Any, free_port: int) -> None:
    values = {"SECRET": "s", "URL": "https://acme.service-now.com", "CLIENT_ID": "c"}
    configure(values, "FRONTDESK_CRM_HOTEL_SERVICENOW_")
    check = ("webhook", "check", "servicenow", "--desk", "hotel", "--port", str(free_port))

    last = cli(*check).out.splitlines()[-2]
    assert last == "not complete: FRONTDESK_CRM_HOTEL_SERVICENOW_CLIENT_SECRET"
    configure({"CLIENT_SECRET": "x"}, "FRONTDESK_CRM_HOTEL_SERVICENOW_")
    assert cli(*check).code == 0


def test_check_finds_values_of_no_use(cli: Any, configure: Any, free_port: int) -> None:
    configure(
        {"SECRET": "whsec_short", "URL": "http://acme.example.com", "URI": "x"},
        "FRONTDESK_CRM_HOTEL_STANDARD_",
    )

    ended = cli("webhook", "check", "standard", "--desk", "hotel", "--port", str(free_port))

    assert ended.code == 1
    assert "whsec_short" not in ended.out
    assert "not whsec_ and 24 to 64 bytes in base64" in ended.out
    assert "must begin with https://" in ended.out
    assert "FRONTDESK_CRM_HOTEL_STANDARD_URI is no setting" in ended.out


def test_check_sees_what_the_running_stack_was_started_with(
    cli: Any, frontdesk: Any, configure: Any
) -> None:
    configure(ACCOUNT)
    check = ("webhook", "check", "zendesk", "--desk", "hotel")
    port = frontdesk.url.rpartition(":")[2]
    for status, said in ((401, "has a secret"), (404, "has no secret: start it again")):
        frontdesk.answers = [answer(status, UNVERIFIED)]
        ended = cli(*check, "--port", port)
        assert (ended.code, said in ended.out) == (0, True)


@pytest.mark.parametrize(("status", "code"), [(401, 0), (404, 1)])
def test_check_of_a_frontdesk_elsewhere_asks_it(
    cli: Any, frontdesk: Any, status: int, code: int
) -> None:
    frontdesk.answers = [answer(status, UNVERIFIED)]

    ended = cli("webhook", "check", "zendesk", "--desk", "hotel", "--url", frontdesk.url)

    assert ended.code == code
    assert f"{frontdesk.url}/api/webhooks/hotel/zendesk" in ended.out
    assert [delivery.body for delivery in frontdesk.delivered] == [b""]
