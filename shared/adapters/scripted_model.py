"""The memory twin of the model: answers what a test wrote down, and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from shared.domain.stage import Usage
from shared.ports import ModelAnswer, ModelCall

#: An answer as JSON or raw text, an error to raise, or a function of the call that gives one.
Scripted = dict[str, Any] | str | Exception
Script = Mapping[str, Scripted | Callable[[ModelCall], Scripted]]


class ScriptedModel:
    """Answers by stage.

    Args:
        script: What to answer, by stage name. A stage that is not in it is a test's mistake and
            raises KeyError.

    Attributes:
        bound: The most that it says a call can use.
        resting: Seconds for which it wants no calls.
        demo: Whether its answers are those of a demonstration model.
    """

    def __init__(self, script: Script) -> None:
        self.script = dict(script)
        self.calls: list[ModelCall] = []
        self.bound = Usage(calls=1, prompt_tokens=1000, completion_tokens=4000)
        self.resting = 0.0
        self.demo = False

    def most(self, call: ModelCall) -> Usage:
        """The same for every call."""
        return self.bound

    def pause(self, stage: str) -> float:
        """The same for every stage."""
        return self.resting

    async def complete(self, call: ModelCall) -> ModelAnswer:
        """The scripted answer, with plausible usage."""
        self.calls.append(call)
        said = self.script[call.stage]
        if callable(said):
            said = said(call)
        if isinstance(said, Exception):
            raise said
        text = said if isinstance(said, str) else json.dumps(said)
        usage = Usage(calls=1, prompt_tokens=100, completion_tokens=len(text) // 4)
        return ModelAnswer(
            text=text, usage=usage, model="scripted", request_id="r", latency_ms=1, demo=self.demo
        )
