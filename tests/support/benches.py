"""All vendors whose tests are the same: the stand-in and what makes its deliveries, by name."""

from __future__ import annotations

from typing import Any

from tests.support.bench import Bench
from tests.support.dynamics365 import Dynamics365Api, Dynamics365Bench
from tests.support.freshdesk import FreshdeskApi, FreshdeskBench
from tests.support.hubspot import HubspotApi, HubspotBench
from tests.support.intercom import IntercomApi, IntercomBench
from tests.support.salesforce import SalesforceApi, SalesforceBench
from tests.support.servicenow import ServicenowApi, ServicenowBench
from tests.support.vendor_api import VendorApi

BENCHES: dict[str, tuple[type[VendorApi], type[Bench[Any]]]] = {
    "dynamics365": (Dynamics365Api, Dynamics365Bench),
    "freshdesk": (FreshdeskApi, FreshdeskBench),
    "hubspot": (HubspotApi, HubspotBench),
    "intercom": (IntercomApi, IntercomBench),
    "salesforce": (SalesforceApi, SalesforceBench),
    "servicenow": (ServicenowApi, ServicenowBench),
}
