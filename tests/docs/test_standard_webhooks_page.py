"""The program that docs/crm/standard.md prints sends what the connector takes."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from devkit.crm.standard import Counterpart
from shared.adapters.crm_connectors import vendor_class
from shared.adapters.crm_vendor import Access
from shared.domain.inbound import Delivery

PAGE = Path(__file__).resolve().parents[2] / "docs" / "crm" / "standard.md"


def test_the_program_on_the_page_is_understood(httpserver: HTTPServer) -> None:
    secret = Counterpart.new_secret()
    connector = vendor_class("standard")(Access("P_", {"SECRET": secret}))
    said: list[tuple[str, str, str]] = []

    def take(request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        delivery = Delivery(request.url, headers, request.data)
        connector.verify(delivery, datetime.now(UTC))
        said.extend((m.kind, m.ticket_id, m.text) for m in connector.read(delivery))
        return Response("{}", 202)

    httpserver.expect_request("/api/webhooks/hotel/standard").respond_with_handler(take)
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    program = re.sub("^   ", "", found[1], flags=re.MULTILINE)
    program = program.replace("http://127.0.0.1:7071", httpserver.url_for("").rstrip("/"))
    environ = {"FRONTDESK_CRM_HOTEL_STANDARD_SECRET": secret}
    ran = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert said == [("new", "T-77", "Room 12\n\nIt is dirty.")]
