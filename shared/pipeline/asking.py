"""The conversation of one stage with the model: one call, one bounded re-ask, all of it kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.domain.desk import Desk
from shared.domain.stage import Answer, ChatMessage, Usage
from shared.errors import PermanentError
from shared.ports import ModelCall, ModelClient, StageAgent

_CALLS = 2


class Conversation:
    """What was said so far, and what it cost.

    Attributes:
        messages: System, user, and from the first answer on the assistant's words.
        answer: The last answer; None before the first.
    """

    def __init__(self, agent: StageAgent, messages: tuple[ChatMessage, ...]) -> None:
        self._agent = agent
        self.messages = messages
        self.answer: Answer | None = None

    async def ask(
        self, model: ModelClient, desk: Desk, seconds: float, last_check: Callable[[], None]
    ) -> Any:
        """The agent's validated answer.

        Args:
            seconds: Time for each call.
            last_check: Called just before each call; raises when the claim is too old to pay.

        Raises:
            RetryableError: From the model or the last check.
            PermanentError: From the model, or ``malformed_answer`` after the re-ask.
        """
        wrong = ""
        for _ in range(_CALLS):
            last_check()
            text = await self._call(model, desk, seconds)
            try:
                output = self._agent.parse(text)
            except ValueError as error:
                wrong = str(error)
                complaint = f"Your answer cannot be used: {wrong} Answer again, only the JSON."
                self.messages += (ChatMessage(role="user", content=complaint),)
            else:
                answered = {"output": output.model_dump(mode="json")}
                self.answer = self.answer and self.answer.model_copy(update=answered)
                return output
        raise PermanentError("malformed_answer", wrong)

    async def _call(self, model: ModelClient, desk: Desk, seconds: float) -> str:
        agent = self._agent
        call = ModelCall(
            stage=agent.plan.stage,
            messages=self.messages,
            output_name=agent.output_name,
            output_schema=agent.output_schema(desk),
            timeout=seconds,
        )
        before = self.answer or Answer(text="")
        try:
            said = await model.complete(call)
        except PermanentError as error:
            if isinstance(error.usage, Usage):
                # A refused or truncated answer is paid for too.
                self.answer = before.model_copy(update={"usage": before.usage + error.usage})
            raise
        self.messages += (ChatMessage(role="assistant", content=said.text),)
        self.answer = Answer(
            text=said.text,
            model=said.model,
            request_id=said.request_id,
            latency_ms=said.latency_ms + before.latency_ms,
            usage=said.usage + before.usage,
            demo=said.demo,
        )
        return said.text
