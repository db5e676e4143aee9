"""All vendors whose tests are the same: the stand-in and what makes its deliveries, by name."""

from __future__ import annotations

from typing import Any

from tests.support.bench import Bench
from tests.support.freshdesk import FreshdeskApi, FreshdeskBench
from tests.support.intercom import IntercomApi, IntercomBench
from tests.support.vendor_api import VendorApi

BENCHES: dict[str, tuple[type[VendorApi], type[Bench[Any]]]] = {
    "freshdesk": (FreshdeskApi, FreshdeskBench),
    "intercom": (IntercomApi, IntercomBench),
}
