"""XML from outside: what is read, and what is refused with a place and none of its words."""

from __future__ import annotations

import time

import pytest

from shared.adapters.crm_xml import xml_of
from shared.errors import RequestError


def test_names_lose_their_namespaces_and_text_stays() -> None:
    root = xml_of(
        b'<s:a xmlns:s="urn:s" xmlns:x="urn:x"><s:b x:type="sf:Case">1 &lt; 2 &#233;</s:b></s:a>'
    )
    assert (root.tag, root.findtext("b")) == ("a", "1 < 2 é")
    assert root.find("b").get("type") == "sf:Case"  # type: ignore[union-attr]


BOMB = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (f'<!DOCTYPE x [<!ENTITY a0 "ha">{BOMB}]><x>&a8;</x>'.encode(), "DTD"),
        (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "DTD"),
        (b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><x/>', "DTD"),
        (b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/p"> %p;]><x/>', "DTD"),
        ("<!DOCTYPE x []><x/>".encode("utf-16"), "DTD"),
        (b"<x>&e;</x>", "line 1"),
        (b"<x><y></x>", "line 1"),
        (b"", "no element"),
        (b"<x/><y/>", "line 1"),
        (b"<x>\xff</x>", "line 1"),
        (b"<x>\x00</x>", "line 1"),
        (b'<?xml version="1.0" encoding="nonsense"?><x/>', "encoding"),
        (b"<a>" * 33 + b"</a>" * 33, "nested"),
    ],
)  # fmt: skip
def test_what_is_refused_is_named(body: bytes, why: str) -> None:
    with pytest.raises(RequestError, match=why) as caught:
        xml_of(body)
    assert caught.value.status == 400
    assert "passwd" not in caught.value.detail


@pytest.mark.parametrize(
    "piece", [b"<a/>", b"<a>", b"x", b"&lt;", b"<!-- -->", b"<a b='1' c='2'/>"]
)
def test_a_megabyte_is_read_or_refused_in_linear_time(piece: bytes) -> None:
    body = b"<x>" + piece * (1024 * 1024 // len(piece)) + b"</x>"
    started = time.process_time()
    try:
        xml_of(body)
    except RequestError as error:
        assert "nested" in error.detail  # noqa: PT017 - either is fine, only slowly is not
    assert time.process_time() - started < 10
