"""A desk's settings for a vendor, as this machine has them."""

from __future__ import annotations

import os
from typing import NamedTuple

from entrypoints.cli.exits import CliError
from shared.adapters.crm_connectors import setting_prefix, vendor_class
from shared.adapters.crm_vendor import VendorConnector

_PUBLIC = "FRONTDESK_PUBLIC_URL"


class Configured(NamedTuple):
    """What is set for a desk and a vendor.

    Attributes:
        prefix: How the settings' names begin.
        values: By the last part of the name, in the environment or in local.settings.json.
        public_url: Where the outside reaches the app; empty when that is not set.
    """

    prefix: str
    connector: type[VendorConnector]
    values: dict[str, str]
    public_url: str

    @property
    def missing(self) -> tuple[str, ...]:
        """Names without which the webhook answers 404."""
        return tuple(name for name in self.connector.needs if not self.values.get(name))

    @property
    def writes(self) -> tuple[str, ...]:
        """What is needed for tickets: of several sets the one that lacks least."""
        sets = self.connector.writes
        return min(sets, key=lambda names: sum(not self.values.get(name) for name in names))


def configured(desk: str, vendor: str) -> Configured:
    """What is set here for a desk and a vendor.

    Raises:
        CliError: local.settings.json cannot be read.
    """
    known = all_settings()
    prefix = setting_prefix(desk, vendor)
    values = {n.removeprefix(prefix): v.strip() for n, v in known.items() if n.startswith(prefix)}
    public = known.get(_PUBLIC, "").rstrip("/")
    return Configured(prefix, vendor_class(vendor), values, public)


def all_settings() -> dict[str, str]:
    """What the environment and local.settings.json say; the environment wins.

    Raises:
        CliError: local.settings.json cannot be read.
    """
    from devkit.setup import SetupError, local_settings

    try:
        known = local_settings()
    except SetupError as error:
        raise CliError(str(error)) from None
    return known | {name: value for name, value in os.environ.items() if value.strip()}


def path_of(desk: str, vendor: str) -> str:
    """The webhook's path."""
    return f"/api/webhooks/{desk}/{vendor}"
