"""Finds connectors by name: the file ``crm/{vendor}.py``, loaded when it is first used."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module

from shared.adapters import crm
from shared.adapters.crm_vendor import Access, VendorConnector
from shared.ports.crm import Connector
from shared.telemetry import logger

PREFIX = "FRONTDESK_CRM_"
VENDORS = tuple(sorted(module.name for module in pkgutil.iter_modules(crm.__path__)))
_log = logger("crm")


def vendor_class(vendor: str) -> type[VendorConnector]:
    """A vendor's connector; the name is one of ``VENDORS``."""
    found: type[VendorConnector] = import_module(f"{crm.__name__}.{vendor}").Connector
    return found


def setting_prefix(desk: str, vendor: str) -> str:
    """How the settings of a desk and vendor begin: ``FRONTDESK_CRM_HOTEL_ZENDESK_``."""
    return f"{PREFIX}{_capitals(desk)}_{vendor.upper()}_"


def is_polled(vendor: str, values: Mapping[str, str]) -> bool:
    """Whether a vendor with these settings, by the last part of their names, is polled."""
    if not values:
        return False
    made_by = vendor_class(vendor)
    return made_by.polls and all(values.get(name) for name in made_by.poll_needs)


class CrmConnectors:
    """Every connector that is configured, each made once.

    Args:
        settings: What was set, by what follows ``FRONTDESK_CRM_``.
        desks: Names of all desks.
    """

    def __init__(
        self, settings: Mapping[str, str], desks: Iterable[str], *, development: bool = False
    ) -> None:
        self._settings = settings
        self._desks = tuple(desks)
        self._development = development
        self._made: dict[tuple[str, str], Connector | None] = {}
        known = tuple(
            setting_prefix(desk, vendor).removeprefix(PREFIX)
            for desk in self._desks
            for vendor in VENDORS
        )
        for name in settings:
            if not name.startswith(known):
                _log.warning(
                    "a setting is for no desk and vendor", extra={"setting": PREFIX + name}
                )

    def get(self, desk: str, vendor: str) -> Connector | None:
        if vendor not in VENDORS or desk not in self._desks:
            return None
        if (desk, vendor) not in self._made:
            self._made[desk, vendor] = self._make(desk, vendor)
        return self._made[desk, vendor]

    def polled(self) -> Sequence[tuple[str, str]]:
        pairs = ((desk, vendor) for desk in self._desks for vendor in VENDORS)
        return [
            (desk, vendor)
            for desk, vendor in pairs
            if is_polled(vendor, self._values(desk, vendor)) and self.get(desk, vendor)
        ]

    def _make(self, desk: str, vendor: str) -> Connector | None:
        values = self._values(desk, vendor)
        made_by = vendor_class(vendor) if values else None
        if made_by is None or not all(values.get(name) for name in made_by.needs):
            return None
        access = Access(setting_prefix(desk, vendor), values, development=self._development)
        return made_by(access)

    def _values(self, desk: str, vendor: str) -> dict[str, str]:
        prefix = setting_prefix(desk, vendor).removeprefix(PREFIX)
        return {
            name.removeprefix(prefix): value
            for name, value in self._settings.items()
            if name.startswith(prefix)
        }


def _capitals(desk: str) -> str:
    return desk.upper().replace("-", "_")
