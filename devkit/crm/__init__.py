"""The other side of each connector: what a vendor sends, and a stand-in of its API on loopback.

The counterpart of ``shared/adapters/crm/<vendor>.py`` is ``devkit/crm/<vendor>.py``, found by its
name. It is written from the vendor's documentation and shares no line with the connector: both the
tests and ``./frontdesk webhook send`` make their deliveries here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from devkit.crm.counterpart import Counterpart


def counterpart_of(vendor: str) -> type[Counterpart[Any]]:
    """A vendor's counterpart; the name is that of a connector."""
    found: type[Counterpart[Any]] = import_module(f"{__name__}.{vendor}").Counterpart
    return found
