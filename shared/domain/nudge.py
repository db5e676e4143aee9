"""The nudge and its form in a queue message: ``{"case": …, "turn": …, "stage": …}``."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

EFFECTS_QUEUE = "effects"

# https://learn.microsoft.com/rest/api/storageservices/put-message
_LONGEST_DELAY = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Nudge:
    """A hint that a stage or effect is due. The table decides; lost or doubled, it does no harm.

    Attributes:
        stage: The stage that is due, or that asked for the effect.
        effect: Key of the effect that is due; empty for a stage.
    """

    case_id: str
    turn: int
    stage: str
    effect: str = ""

    @property
    def queue(self) -> str:
        """The queue that it goes to."""
        return EFFECTS_QUEUE if self.effect else queue_name(self.stage)


class _Body(BaseModel):
    model_config = ConfigDict(strict=True)

    case: str = Field(max_length=128, pattern=r"^[^/\\#?|\x00-\x1f\x7f-\x9f]+$")
    turn: int = Field(ge=1, le=9999)
    stage: str = Field(max_length=40, pattern=r"^[a-z][a-z0-9_]*$")
    effect: str = Field(default="", max_length=80, pattern=r"^[a-z0-9_-]*$")


def nudge_body(nudge: Nudge) -> str:
    """The text of the queue message.

    No field may be called ``id``, ``dequeueCount`` or like other metadata of a queue message: the
    Functions host lets top-level fields of a JSON body override those.
    """
    fields = {"case": nudge.case_id, "turn": nudge.turn, "stage": nudge.stage}
    if nudge.effect:
        fields["effect"] = nudge.effect
    return json.dumps(fields, separators=(",", ":"))


def parse_nudge(body: bytes | str) -> Nudge:
    """The nudge that a queue message carries; fields that we do not know are ignored.

    Raises:
        ValueError: It is not one of ours; says why, without repeating what it holds.
    """
    try:
        fields = _Body.model_validate_json(body)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        said = "; ".join(" ".join([*map(str, p["loc"]), p["msg"]]) for p in problems)
        raise ValueError(f"the message is not a nudge: {said}") from None
    return Nudge(fields.case, fields.turn, fields.stage, fields.effect)


def queue_name(stage: str) -> str:
    """The queue of a stage, by Azure's rules for names: ``stage-customer-query``."""
    return "stage-" + stage.replace("_", "-")


def whole_seconds(delay: float) -> int:
    """A delay as queues take it: in whole seconds, rounded up, at most seven days."""
    return min(max(math.ceil(delay), 0), _LONGEST_DELAY)
