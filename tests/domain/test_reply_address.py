from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from yarl import URL

from shared.domain.reply_address import check_address
from shared.errors import RequestError
from tests.support.effect_calls import a_desk

DESK = a_desk(callback_hosts=("crm.example.com", "*.partner.example.com", "odd.example.com:8443"))


@pytest.mark.parametrize(
    "url",
    [
        "https://crm.example.com",
        "https://CRM.example.com/replies?case=4&x=a@b",
        "https://crm.example.com:443/",
        "https://odd.example.com:8443/",
        "https://a.partner.example.com/",
        "https://a.b.partner.example.com/",
    ],
)
def test_hosts_that_the_desk_lists_are_taken(url: str) -> None:
    check_address(url, DESK)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://other.example.com/", "callback_hosts"),
        ("https://crm.example.com.evil.com/", "callback_hosts"),
        ("https://evilcrm.example.com/", "callback_hosts"),
        ("https://partner.example.com/", "callback_hosts"),
        ("https://evilpartner.example.com/", "callback_hosts"),
        ("https://crm.example.com:8443/", "crm.example.com:8443 to callback_hosts"),
        ("https://odd.example.com/", "callback_hosts"),
        ("http://crm.example.com/", "must begin with https://"),
        ("http://crm.example.com:443/", "must begin with https://"),
        ("https://localhost/", "full name"),
        ("https://127.0.0.1/", "full name"),
        ("https://2130706433/", "full name"),
        ("https://0x7f000001/", "full name"),
        ("https://0177.0.0.1/", "full name"),
        ("https://127.1/", "full name"),
        ("https://169.254.169.254/metadata", "full name"),
        ("https://0x7f.1/", "full name"),
        ("https://crm.example.com./", "full name"),
        ("https://crm..example.com/", "full name"),
        ("https://intranet/", "full name"),
        ("https://[::1]/", "full name"),
        ("https://[::ffff:127.0.0.1]/", "plain URL"),
        ("https://[fe80::1%25eth0]/", "plain URL"),
        ("https://user@crm.example.com/", "plain URL"),
        ("https://crm.example.com@evil.com/", "plain URL"),
        ("https://crm.example.com:x@evil.com/", "plain URL"),
        ("https://crm.example.com\\@evil.com/", "plain URL"),
        ("https://crm.example.com#@evil.com/", "plain URL"),
        ("https://crm.example.com?@evil.com/", "plain URL"),
        ("https://crm.example.com/a b", "plain URL"),
        ("https://crm.example.com/\r\nX: y", "plain URL"),
        ("https://crm.example.com/\n", "plain URL"),
        (" https://crm.example.com/", "plain URL"),
        ("https://crm.exampl\u212a.com/", "plain URL"),
        ("https://münchen.example.com/", "plain URL"),
        ("https://crm。example.com/", "plain URL"),
        ("https://crm.example.com:70000/", "plain URL"),
        ("https://crm.example.com:0/", "plain URL"),
        ("https:///crm.example.com/", "plain URL"),
        ("https:crm.example.com/", "plain URL"),
        ("ftp://crm.example.com/", "plain URL"),
        ("file:///etc/passwd", "plain URL"),
        ("https://crm.example.com/" + "a" * 2000, "plain URL"),
        ("", "plain URL"),
    ],
)
def test_everything_else_is_refused_with_what_to_do(url: str, said: str) -> None:
    with pytest.raises(RequestError, match="Reply address refused") as refused:
        check_address(url, DESK)

    assert refused.value.status == 422
    assert said in refused.value.detail


@pytest.mark.parametrize(
    "url",
    ["http://localhost:8000/x", "http://127.0.0.1/", "http://[::1]:9000/", "https://localhost/"],
)
def test_loopback_is_taken_in_development_only(url: str) -> None:
    check_address(url, a_desk(), development=True)
    with pytest.raises(RequestError):
        check_address(url, a_desk())


@pytest.mark.parametrize(
    "url", ["http://127.0.0.2/", "http://10.0.0.1/", "http://localhost.example.com/"]
)
def test_development_opens_nothing_but_loopback(url: str) -> None:
    with pytest.raises(RequestError):
        check_address(url, DESK, development=True)


def test_a_desk_without_hosts_takes_no_address() -> None:
    with pytest.raises(RequestError, match="callback_hosts"):
        check_address("https://crm.example.com/", a_desk())


@given(
    st.text(alphabet="htps:/@.#?\\[]%:1e crmxalpo-\t", max_size=12),
    st.sampled_from(["crm.example.com", "[::1]", "127.0.0.1"]),
    st.text(alphabet=":/@.#?\\[]%0159aemo\u3002", max_size=16),
)
def test_what_is_taken_is_read_alike_by_the_client(before: str, host: str, after: str) -> None:
    for url in (f"https://{before}{host}{after}", f"https://{host}{after}"):
        try:
            check_address(url, DESK, development=True)
        except RequestError:
            continue
        read = URL(url)
        assert read.host in ("crm.example.com", "::1", "127.0.0.1", "localhost")
        assert read.user is None


@pytest.mark.parametrize(
    "host", ["crm.example.com", "*.example.com", "a.example.com:8443", "xn--e1a.xn--p1ai"]
)
def test_hosts_that_a_desk_may_list(host: str) -> None:
    assert a_desk(callback_hosts=(host,)).callback_hosts == (host,)


@pytest.mark.parametrize(
    "host",
    [
        "https://crm.example.com",
        "crm.example.com/x",
        "CRM.example.com",
        "*",
        "*.com",
        "crm.*.com",
        "*crm.example.com",
        "localhost",
        "10.0.0.1",
        "crm.example.com:",
        "crm.example.com:0",
        "crm.example.com.",
        "a" * 64 + ".example.com",
    ],
)
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(ValidationError, match="is not a host"):
        a_desk(callback_hosts=(host,))


@pytest.mark.parametrize(
    "more", [{"email": "a,b@x.de"}, {"email": "jörg@x.de"}, {"email": "a..b@x.de"}]
)
def test_addresses_that_mail_cannot_carry_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="is not an e-mail address"):
        a_desk(tell=({"name": "Duty", **more},))
