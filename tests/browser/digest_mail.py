"""The digest's mail in a real browser, at the width of a phone. Run by name: it needs chromium.

``python -m pytest tests/browser/digest_mail.py``; with DIGEST_SCREENSHOT=FILE it draws the picture
in docs/digests.md.
"""

from __future__ import annotations

import os

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from shared.domain.digest import Digest
from shared.domain.digest_letter import digest_letter
from shared.domain.letter_text import where_to_look
from tests.browser.conftest import PHONE
from tests.support.digests import END, a_digest

EMPTY = Digest(
    desk="hotel", title="Harbour Lane Hotel", time_zone="Europe/Berlin", start=END, end=END,
    made_at=END,
)  # fmt: skip
DIGESTS = {
    "usual": (a_digest(), "https://desk.example.com"),
    "empty": (EMPTY, ""),
    "huge": (a_digest(10_000, what="W" * 300, why="<script>alert(1)</script>" * 9), ""),
}


@pytest.mark.parametrize("name", DIGESTS)
def test_a_digest_fits_a_phone_and_a_screen_reader(page: Page, name: str) -> None:
    digest, url = DIGESTS[name]
    alerts: list[str] = []
    page.on("dialog", lambda dialog: alerts.append(dialog.message))
    page.set_content(digest_letter(digest, lambda case_id: where_to_look(url, case_id)).html)

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.locator("h1").count() == 1
    assert page.locator("script").count() == 0
    assert alerts == []
    if name == "usual" and (shot := os.environ.get("DIGEST_SCREENSHOT")):
        page.screenshot(path=shot)
