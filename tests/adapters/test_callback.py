from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from shared.adapters.callback import CallbackSecrets, CallbackSink
from shared.adapters.callback_guard import GuardedResolver, is_public
from shared.adapters.clocks import SystemClock
from shared.adapters.guarded_http import GuardedHttp
from shared.errors import ConfigError, PermanentError, RetryableError, UncertainError
from tests.support.certificates import localhost_tls
from tests.support.effect_calls import CASE_ID, KEY, a_call, a_case, a_desk
from tests.support.receiver import SECRET, Fault, Receiver

OTHER = "whsec_" + "YW5vdGhlciBzZWNyZXQgb2YgdGhpcnR5IGJ5dGVzLi4u"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


def a_sink(everyone: str = SECRET, **more: Any) -> CallbackSink:
    by_desk = more.pop("by_desk", {})
    more.setdefault("development", True)
    return CallbackSink(CallbackSecrets(everyone, by_desk), SystemClock(), **more)


class Names(AbstractResolver):
    """Says in turn what a name's addresses are."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        addresses = self.answers.pop(0)
        if not addresses:
            raise OSError(None, "no such name")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


async def test_a_reply_arrives_signed_with_what_a_receiver_needs(receiver: Receiver) -> None:
    case = a_case(status_reason="a person is needed", language="de")

    receipt = await a_sink().send(a_call(receiver.url, case=case))

    assert receipt == "HTTP 200"
    assert receiver.ledger == [KEY]
    [(headers, body)] = receiver.requests
    assert headers["webhook-id"] == KEY
    assert headers["content-type"] == "application/json"
    assert datetime.fromisoformat(body.pop("timestamp")).tzinfo is not None
    assert body == {
        "type": "case.replied",
        "data": {
            "case_id": CASE_ID,
            "turn": 1,
            "external_id": "T-77",
            "desk": "hotel",
            "reply": "We are sorry and look into it.",
            "language": "de",
            "status": "escalated",
            "demo": False,
        },
    }


async def test_a_second_attempt_carries_the_same_id(receiver: Receiver) -> None:
    receiver.faults.append(Fault(keep=True, cut=True))
    with pytest.raises(UncertainError):
        await a_sink().send(a_call(receiver.url))

    await a_sink().send(a_call(receiver.url))

    assert [headers["webhook-id"] for headers, _ in receiver.requests] == [KEY, KEY]
    assert receiver.ledger == [KEY]


@pytest.mark.parametrize("secret", [SECRET, OTHER])
async def test_of_two_secrets_either_verifies(secret: str) -> None:
    async with Receiver(secret) as receiver:
        assert await a_sink(f"{SECRET} {OTHER}").send(a_call(receiver.url)) == "HTTP 200"


async def test_a_desks_own_secret_goes_before_everyones() -> None:
    async with Receiver(OTHER) as receiver:
        sink = a_sink(SECRET, by_desk={"HOTEL_NORTH": OTHER})
        await sink.send(a_call(receiver.url, desk=a_desk(name="hotel-north")))
        with pytest.raises(PermanentError, match="receiver_refused: HTTP 401"):
            await sink.send(a_call(receiver.url))


async def test_without_a_secret_nothing_is_sent(receiver: Receiver) -> None:
    with pytest.raises(PermanentError, match=r"callback_secret_missing.*SECRET_HOTEL, then replay"):
        await a_sink("").send(a_call(receiver.url))

    assert receiver.requests == []


@pytest.mark.parametrize(
    "secret", ["c2VjcmV0", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", SECRET[6:]]
)
def test_a_wrong_secret_stops_the_start_and_is_not_repeated(secret: str) -> None:
    with pytest.raises(ConfigError, match=r"^FRONTDESK_CALLBACK_SECRET_HOTEL: not a") as stopped:
        CallbackSecrets("", {"HOTEL": secret})

    assert "c2" not in str(stopped.value)


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (408, RetryableError, "receiver_busy"),
        (429, RetryableError, "receiver_busy"),
        (503, RetryableError, "receiver_busy"),
        (500, UncertainError, "receiver_failed"),
        (502, UncertainError, "receiver_failed"),
        (504, UncertainError, "receiver_failed"),
        (400, PermanentError, "receiver_refused"),
        (404, PermanentError, "receiver_refused"),
        (410, PermanentError, "receiver_gone"),
        (304, PermanentError, "redirect_refused"),
    ],
)
async def test_what_an_answer_means(
    receiver: Receiver, status: int, error: type[Exception], code: str
) -> None:
    receiver.faults.append(Fault(status))

    with pytest.raises(error, match=f"{code}: HTTP {status}"):
        await a_sink().send(a_call(receiver.url))


@pytest.mark.parametrize(("given", "seconds"), [("7", 7), ("99999999", 3600), ("soon", 0)])
async def test_a_busy_receiver_names_the_pause(
    receiver: Receiver, given: str, seconds: float
) -> None:
    receiver.faults.append(Fault(503, {"Retry-After": given}))

    with pytest.raises(RetryableError) as busy:
        await a_sink().send(a_call(receiver.url))

    assert busy.value.retry_after == seconds


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(receiver: Receiver, status: int) -> None:
    receiver.faults.append(Fault(status, {"Location": receiver.url}))

    with pytest.raises(PermanentError, match="redirect_refused"):
        await a_sink().send(a_call(receiver.url))

    assert len(receiver.requests) == 1


async def test_a_closed_port_has_surely_not_taken_it(free_port: int) -> None:
    with pytest.raises(RetryableError, match="receiver_unreachable"):
        await a_sink().send(a_call(f"http://127.0.0.1:{free_port}/"))


async def test_a_name_that_is_not_found_comes_back_later() -> None:
    sink = a_sink(resolver=lambda: Names([]))

    with pytest.raises(RetryableError, match="receiver_unreachable"):
        await sink.send(a_call("http://localhost/"))


async def test_a_connection_that_takes_too_long_has_surely_not_taken_it() -> None:
    class Slow(Names):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            await asyncio.Event().wait()
            return []

    sink = a_sink(resolver=Slow, connect=0.05, total=5.0)

    with pytest.raises(RetryableError, match="receiver_unreachable"):
        await sink.send(a_call("http://localhost/"))


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("way", ["cut", "hang"])
async def test_a_lost_answer_is_uncertain(receiver: Receiver, way: str, keep: bool) -> None:
    receiver.faults.append(Fault(keep=keep, cut=way == "cut", hang=way == "hang"))

    with pytest.raises(UncertainError, match="answer_lost"):
        await a_sink(total=1.0 if way == "hang" else 5.0).send(a_call(receiver.url))

    assert len(receiver.requests) == 1


async def test_an_endless_answer_is_not_read(receiver: Receiver) -> None:
    receiver.faults.append(Fault(flood=True))

    assert await a_sink().send(a_call(receiver.url)) == "HTTP 200"
    assert receiver.flooded < 20_000_000  # what fits into the sockets on the way


async def test_proxies_of_the_environment_are_not_used(
    receiver: Receiver, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    assert await a_sink().send(a_call(receiver.url)) == "HTTP 200"


async def test_https_needs_a_certificate_that_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, trusted = localhost_tls(tmp_path)
    async with Receiver(tls=server) as receiver:
        with pytest.raises(RetryableError, match="receiver_unreachable"):
            await a_sink().send(a_call(receiver.url))
        assert receiver.requests == []

        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        assert await a_sink().send(a_call(receiver.url)) == "HTTP 200"


async def test_an_address_that_the_desk_no_longer_allows_is_refused(receiver: Receiver) -> None:
    with pytest.raises(PermanentError, match="address_refused: reply_address must begin"):
        await a_sink(development=False).send(a_call(receiver.url))

    assert receiver.requests == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["2606:4700::1", "::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["fe80::1%2"],
    ],
)
async def test_a_listed_name_that_leads_inside_is_refused(
    receiver: Receiver, addresses: list[str]
) -> None:
    desk = a_desk(callback_hosts=(f"inside.example.com:{receiver.port}",))
    sink = a_sink(resolver=lambda: Names(addresses))

    with pytest.raises(PermanentError, match=r"address_refused: inside\.example\.com is at"):
        await sink.send(a_call(f"https://inside.example.com:{receiver.port}/", desk=desk))


async def test_localhost_that_is_elsewhere_is_refused() -> None:
    with pytest.raises(PermanentError, match=r"address_refused: localhost is at 10\.0\.0\.1"):
        await a_sink(resolver=lambda: Names(["10.0.0.1"])).send(a_call("http://localhost/"))


async def test_a_name_is_resolved_once_and_that_address_is_used(receiver: Receiver) -> None:
    names = Names(["127.0.0.1"], ["169.254.169.254"])

    await a_sink(resolver=lambda: names).send(a_call(receiver.url))

    assert names.asked == 1
    assert receiver.ledger == [KEY]


async def test_public_addresses_pass_the_guard() -> None:
    names = Names(["8.8.8.8", "2606:4700::1"])

    found = await GuardedResolver(names).resolve("crm.example.com", 443)

    assert [entry["host"] for entry in found] == ["8.8.8.8", "2606:4700::1"]


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "198.20.0.1", "2606:4700::1111", "2a00:1450::1"]
)
def test_addresses_of_the_public_internet(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",  # carrier-grade NAT
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",  # Azure's host channel
        "169.254.169.254",  # metadata of virtual machines
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:0:8.8.8.8",
        "64:ff9b::7f00:1",  # NAT64
        "64:ff9b:1::7f00:1",
        "100::1",
        "2001::1",  # Teredo
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",  # 6to4
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_addresses_that_are_not(address: str) -> None:
    assert not is_public(address)


async def test_what_is_no_http_answer_is_uncertain() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(b"\x00 what is this\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UncertainError, match="answer_lost"):
            await a_sink().send(a_call(f"http://127.0.0.1:{port}/"))


async def test_reaching_an_address_connects_with_the_same_guard_and_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, trusted = localhost_tls(tmp_path)
    async with Receiver(tls=server) as receiver:
        with pytest.raises(RetryableError, match="receiver_unreachable: SSLCertVerificationError"):
            await GuardedHttp().reach(receiver.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        assert await GuardedHttp().reach(receiver.url) == f"localhost:{receiver.port}"
        both = GuardedHttp(resolver=lambda: Names(["::1", "127.0.0.1"]))
        assert await both.reach(receiver.url), "the name has an address where nobody listens"
        assert receiver.requests == []
    with pytest.raises(RetryableError, match="receiver_unreachable"):
        await GuardedHttp().reach(receiver.url)
    inside = GuardedHttp(resolver=lambda: Names(["8.8.8.8", "169.254.169.254"]))
    with pytest.raises(PermanentError, match=r"address_refused: pms\.example\.com is at"):
        await inside.reach("https://pms.example.com/rooms/")
    with pytest.raises(RetryableError, match="receiver_unreachable"):
        await GuardedHttp(resolver=lambda: Names([])).reach("https://pms.example.com/")
