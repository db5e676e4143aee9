"""Pages: escaped, without anything from elsewhere, and complete."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.case import SupportCase
from shared.domain.pages import HEADERS, decided_page, decision_page, trouble_page
from tests.support.effect_calls import a_case, a_desk, an_action

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=y>\u202e"


class Page(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    @property
    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def hostile(text: str) -> SupportCase:
    action = an_action("refund", arguments={"why": text}, reason=text, rule=text)
    return a_case(customer_query=text, summary=text, actions=(action,))


def shown(text: str, wrong: str = "") -> Page:
    case = hostile(text)
    return Page(decision_page(case, a_desk(title="Hotel"), case.actions[0], wrong))


def test_the_page_says_what_is_decided_and_has_a_form_that_decides_it() -> None:
    page = shown("Room 4 is dirty.")
    for words in ("Shall this be carried out?", "Pays back.", "refund", "Room 4 is dirty."):
        assert words in page.words
    assert page.named("form") == [{"method": "post"}]
    enter, *buttons = page.named("button")
    assert "disabled" in enter, "the enter key in a field decides nothing"
    assert [b["value"] for b in buttons] == ["approve", "reject"]
    labels = {label["for"] for label in page.named("label")}
    assert labels == {i["id"] for i in page.named("input")} == {"by", "reason"}
    assert page.named("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.named(
        "meta"
    )


def test_what_is_done_by_hand_has_one_button() -> None:
    case = a_case(actions=(an_action("call", "to_do"),))
    page = Page(decision_page(case, a_desk(), case.actions[0]))
    assert [b.get("value") for b in page.named("button")] == [None, "done"]


def test_hostile_text_stays_text() -> None:
    plain, evil = shown("x", "x"), shown(EVIL, EVIL)
    assert evil.tags == plain.tags
    assert "<script>alert(1)</script>" in evil.words
    assert "\u202e" not in evil.words
    trouble = Page(trouble_page(EVIL, EVIL))
    assert trouble.tags == {"html", "head", "meta", "title", "style", "body", "main", "h1", "p"}


@given(st.text())
def test_no_text_breaks_a_page(text: str) -> None:
    assert shown(text, text).tags <= shown("x", "x").tags | {"h2", "blockquote", "dd", "dt"}


def test_nothing_is_loaded_and_only_our_style_applies() -> None:
    case = hostile("Room 4 is dirty.")
    action = case.actions[0]
    pages = (
        decision_page(case, a_desk(), action),
        decided_page(a_desk(), an_action("refund", "done"), "approved"),
        trouble_page("No", "No."),
    )
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    for html in pages:
        assert not re.search(r"\b(src|href|action|on\w+)=", html)
        style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
        assert style
        digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in policy
