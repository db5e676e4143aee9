"""The whole app over memory ports, with real connectors on stand-ins of their vendors."""

from __future__ import annotations

from typing import Any

import pytest

from devkit.crm.stand_in import VendorApi
from entrypoints import webhooks
from shared.adapters.crm_connectors import CrmConnectors
from shared.adapters.memory import MemoryConnectors
from shared.domain.desk import CrmRules, Desk
from tests.support.crm import MakeWorld, ThinVendor
from tests.support.world import NEGATIVE, World, a_desk


@pytest.fixture
def make_world(monkeypatch: pytest.MonkeyPatch) -> MakeWorld:
    """Makes a world whose desk ``hotel`` has this vendor; its CRM rules are keyword arguments.

    With ``regulars`` the desk has a rule for repeat customers.
    """

    def make(vendor: VendorApi | ThinVendor, secret: str = "", **rules: Any) -> World:
        connectors = (
            MemoryConnectors({("hotel", "zendesk"): vendor})
            if isinstance(vendor, ThinVendor)
            else CrmConnectors(vendor.settings("hotel", secret), ["hotel"], development=True)
        )
        made = World(NEGATIVE, connectors=connectors, desks=(a_desk("default"), _desk(rules)))

        async def frontdesk() -> Any:
            return made.app

        monkeypatch.setattr(webhooks, "frontdesk", frontdesk)
        return made

    return make


def _desk(rules: dict[str, Any]) -> Desk:
    regular = {"name": "regular", "when": {"repeat_customer": True}, "then": {"tags": ("regular",)}}
    reactions = (regular,) if rules.pop("regulars", False) else ()
    rules = {"reply": "public", **rules}
    return a_desk("hotel", reactions=reactions).model_copy(update={"crm": CrmRules(**rules)})
