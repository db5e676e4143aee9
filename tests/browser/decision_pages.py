"""The pages behind the links in mails, in a real browser on a phone. Run by name: needs chromium.

The browser talks to the handlers of the decision API over HTTP on loopback; behind them is the
whole app over memory ports. ``python -m pytest tests/browser/decision_pages.py``; with
DECISION_SCREENSHOTS=FOLDER each page is drawn.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import azure.functions as func
import pytest
from aiohttp import web
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from entrypoints import decision_api
from entrypoints.http_protocol import answering
from shared.domain.approval_links import Claim
from shared.domain.stage import Approval
from tests.browser.conftest import PHONE
from tests.support.proposals import proposing
from tests.support.world import World

T = TypeVar("T")
LONG = "W" * 300
#: https://www.w3.org/WAI/WCAG22/Understanding/reflow.html
NARROW = 320
HOSTILE = f"<script>alert(1)</script> <img src=https://evil.example.com/x> {LONG} \u202egnp"
_HANDLERS = {route.name: answering(route.handler) for route in decision_api.ROUTES}


class Site:
    """The decision API on loopback, with a world of its own, in a thread's event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.world: World = self.run(self._made())
        self.case_id: str = self.run(self._case())
        self.url: str = self.run(self._served())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs something in the site's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def close(self) -> None:
        self.run(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def link(self, name: str, level: Approval = "human", hours: float = 1) -> str:
        """The link to one action's decision."""
        return f"{self.url}/api/decide/{self.run(self._token(name, level, hours))}"

    def rows(self) -> dict[str, str]:
        """Every row of the case and its version."""
        stored = self.run(self.world.store.read(self.case_id)).stored
        return {key: row.etag for key, row in stored.items()}

    def states(self) -> dict[str, str]:
        return {a.name: a.state for a in self.run(self.world.case(self.case_id)).actions}

    def deliver(self) -> None:
        self.run(self.world.deliver())

    async def _made(self) -> World:
        script = proposing(("pay", {"amount": 40}), ("close", {}), ("call", {}))
        answer = script["escalation"]
        assert isinstance(answer, dict)
        for action in answer["actions"]:
            action["reason"] = HOSTILE
        return World(script)

    async def _case(self) -> str:
        case_id = await self.world.open(f"I was charged twice. {HOSTILE}", desk="acting")
        await self.world.deliver()
        return case_id

    async def _token(self, name: str, level: Approval, hours: float) -> str:
        actions = (await self.world.case(self.case_id)).actions
        action = next(a.id for a in actions if a.name == name)
        until = self.world.clock.now() + timedelta(hours=hours)
        return self.world.app.links.token(Claim(self.case_id, action, level, until))

    async def _served(self) -> str:
        app = web.Application()
        app.router.add_route("*", "/api/decide/{token}", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _take(self, request: web.Request) -> web.Response:
        asked = func.HttpRequest(
            method=request.method,
            url=str(request.url),
            headers=dict(request.headers),
            params=dict(request.query),
            route_params=dict(request.match_info),
            body=await request.read(),
        )
        said = await _HANDLERS["decide" if request.method == "POST" else "decision"](asked)
        headers = {**said.headers, "Content-Type": "text/html; charset=utf-8"}
        return web.Response(body=said.get_body(), status=said.status_code, headers=headers)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    made = Site()

    async def frontdesk() -> Any:
        return made.world.app

    monkeypatch.setattr(decision_api, "frontdesk", frontdesk)
    yield made
    made.close()


def check(page: Page, name: str) -> None:
    """What holds for each page, by day and by night."""
    for width in (NARROW, PHONE):
        page.set_viewport_size({"width": width, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    assert page.locator("h1").count() == 1
    assert page.locator("script, img, iframe").count() == 0
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}, {scheme}: {found.generate_report()}"
        if folder := os.environ.get("DECISION_SCREENSHOTS"):
            shot = Path(folder) / f"{name}-{scheme}.png"
            page.screenshot(path=shot, full_page=True)
    page.emulate_media(color_scheme="light")


def visit(page: Page, link: str) -> int:
    """Opens a link; returns the status."""
    response = page.goto(link)
    assert response is not None
    return response.status


def heading(page: Page) -> str:
    return page.locator("h1").inner_text()


def test_a_page_loads_nothing_runs_nothing_and_changes_nothing(site: Site, page: Page) -> None:
    before = site.rows()
    asked: list[str] = []
    alerts: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: alerts.append(dialog.message))
    links = [site.link("pay"), site.link("close", "management"), site.link("call")]
    for name, link in zip(("pay", "close", "call"), links, strict=True):
        for _ in range(3):
            assert visit(page, link) == 200
        check(page, name)
    assert site.rows() == before, "looking is no decision"
    assert set(asked) == set(links), "nothing else is loaded"
    assert alerts == []


def test_a_button_decides_once_and_going_back_decides_nothing_more(site: Site, page: Page) -> None:
    page.goto(site.link("pay"))
    assert heading(page) == "Shall this be carried out?"
    page.get_by_label("Your name").fill("Ana <b>")
    page.get_by_label("Reason (optional)").fill("charged twice")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("h1")).to_have_text("Approved: pay")
    check(page, "approved")
    site.deliver()
    once = site.rows()
    assert len(site.world.backend.ledger) == 1

    page.reload()
    page.go_back()
    assert heading(page) == "Already decided", "nothing of it is kept by the browser"
    assert "Ana <b>" in page.locator("main").inner_text()
    check(page, "used")
    site.deliver()
    assert site.rows() == once
    assert len(site.world.backend.ledger) == 1


def test_an_impatient_finger_approves_once(site: Site, page: Page) -> None:
    page.goto(site.link("pay"))
    page.get_by_label("Your name").fill("Ana")
    page.get_by_role("button", name="Approve").dblclick()
    expect(page.locator("h1")).to_have_text("Approved: pay")
    site.deliver()
    assert len(site.world.backend.ledger) == 1


def test_the_enter_key_in_a_field_decides_nothing(site: Site, page: Page) -> None:
    before = site.rows()
    page.goto(site.link("pay"))
    for label in ("Your name", "Reason (optional)"):
        page.get_by_label(label).fill("Ana")
        page.get_by_label(label).press("Enter")
        page.wait_for_timeout(200)
    assert heading(page) == "Shall this be carried out?"
    assert site.rows() == before


def test_the_form_can_be_filled_in_and_sent_with_the_keyboard_alone(site: Site, page: Page) -> None:
    page.goto(site.link("pay"))
    for key in ("Tab", "A", "n", "a", "Tab", "Tab", "Tab"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.textContent") == "Reject"
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Rejected: pay")
    check(page, "rejected")


def test_without_a_name_nothing_is_decided_and_the_page_says_what_is_missing(
    site: Site, page: Page
) -> None:
    before = site.rows()
    page.goto(site.link("pay"))
    page.get_by_role("button", name="Approve").click()
    assert page.locator("input:invalid").get_attribute("id") == "by", "the browser asks for it"
    page.evaluate("document.getElementById('by').removeAttribute('required')")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert")).to_have_text("Write your name, then choose.")
    check(page, "nameless")
    assert site.rows() == before


def test_what_is_done_by_hand_is_ticked_off(site: Site, page: Page) -> None:
    page.goto(site.link("call"))
    assert heading(page) == "Is it done?"
    page.get_by_label("Your name").fill("Eve")
    page.get_by_role("button", name="Yes, done").click()
    expect(page.locator("h1")).to_have_text("Done: call")
    check(page, "done")
    assert site.states()["call"] == "done"


def test_links_that_are_no_longer_good_say_what_to_do(site: Site, page: Page) -> None:
    good, expired = site.link("pay"), site.link("pay", hours=-1)
    altered = good[:-8] + "AAAA" + good[-4:]
    theirs = site.link("close")
    site.run(site.world.app.acts.cancel(site.case_id, "bob", "over"))
    before = site.rows()
    for name, link, status, title, advice in (
        ("expired", expired, 410, "This link has expired", "./frontdesk approve"),
        ("altered", altered, 404, "This link is not valid", "Open it from the mail once more"),
        ("cancelled", good, 409, "The case was cancelled", "Nothing more of it is carried out"),
        ("management", theirs, 403, "Not yours to decide", "somebody from management"),
    ):
        assert visit(page, link) == status
        assert heading(page) == title
        assert advice in page.locator("main").inner_text()
        assert page.locator("form").count() == 0
        check(page, name)
    assert site.rows() == before


def test_a_case_that_is_cancelled_while_the_page_is_open_is_told(
    site: Site, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": PHONE, "height": 740})
    page.goto(site.link("pay"))
    site.run(site.world.app.acts.cancel(site.case_id, "bob", "over"))
    page.get_by_label("Your name").fill("Ana")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("h1")).to_have_text("The case was cancelled")
    page.close()
    site.deliver()
    assert site.world.backend.ledger == []
