"""What a model may propose: scripts for the escalation agent, and assessments to decide on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.adapters.scripted_model import Script
from tests.support.world import NEGATIVE


def proposing(*actions: tuple[str, Mapping[str, object]], **more: Any) -> Script:
    """The script of a bad mood in which these actions are proposed."""
    said = [
        {
            "name": name,
            "arguments": [{"name": key, "value": str(value)} for key, value in given.items()],
            "reason": "",
        }
        for name, given in actions
    ]
    answer: Any = NEGATIVE["escalation"]
    return {**NEGATIVE, "escalation": {**answer, "actions": said, **more}}
