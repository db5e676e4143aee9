"""The conversation of one stage with the model: one call, one bounded re-ask, all of it kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.domain.case import SupportCase
from shared.domain.desk import Desk
from shared.domain.stage import Answer, ChatMessage, StageResult, Usage
from shared.errors import PermanentError
from shared.ports import ModelCall, ModelClient, StageAgent

_CALLS = 2
_NOTE_CHARS = 400


class Conversation:
    """What was said so far, and what it cost.

    Attributes:
        messages: System, user, and from the first answer on the assistant's words.
        answer: The last answer; None before the first.
        note: Why there was more than one answer, for the trace; empty when there was one.
    """

    def __init__(self, agent: StageAgent, case: SupportCase, desk: Desk) -> None:
        self._agent = agent
        self._case = case
        self._desk = desk
        self.messages: tuple[ChatMessage, ...] = agent.conversation(case, desk)
        self.answer: Answer | None = None
        self.note = ""

    async def ask(
        self, model: ModelClient, seconds: float, last_check: Callable[[], None]
    ) -> StageResult:
        """What the stage comes to: its answer applied, or what the agent uses instead.

        An answer that cannot be read and one that breaks a rule share the one re-ask.

        Args:
            seconds: Time for each call.
            last_check: Called just before each call; raises when the claim is too old to pay.

        Raises:
            RetryableError: From the model or the last check.
            PermanentError: From the model; ``malformed_answer`` when no answer could be read;
                what the agent raises when it has nothing to use instead.
        """
        agent, case, desk = self._agent, self._case, self._desk
        wrong: tuple[str, ...] = ()
        readable: tuple[Any, tuple[str, ...]] | None = None
        for _ in range(_CALLS):
            last_check()
            try:
                text = await self._call(model, seconds)
            except PermanentError as error:
                if readable is None:
                    raise
                wrong = (f"asked again, the model gave no answer ({error.code})",)
                break
            try:
                output = agent.parse(text)
            except ValueError as error:
                wrong = (str(error).removesuffix("."),)
            else:
                wrong = agent.objections(case, desk, output)
                if not wrong:
                    answered = {"output": output.model_dump(mode="json")}
                    self.answer = self.answer and self.answer.model_copy(update=answered)
                    return agent.apply(case, desk, output)
                readable = output, wrong
            self._complain(wrong)
        if readable is None:
            raise PermanentError("malformed_answer", "; ".join(wrong))
        self.note = _note("not used", wrong)
        return agent.instead(case, desk, *readable)

    def _complain(self, wrong: tuple[str, ...]) -> None:
        said = f"Your answer cannot be used: {'; '.join(wrong)}. Answer again, only the JSON."
        self.messages += (ChatMessage(role="user", content=said),)
        self.note = _note("asked again", wrong)

    async def _call(self, model: ModelClient, seconds: float) -> str:
        agent = self._agent
        call = ModelCall(
            stage=agent.plan.stage,
            messages=self.messages,
            output_name=agent.output_name,
            output_schema=agent.output_schema(self._desk),
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


def _note(what: str, wrong: tuple[str, ...]) -> str:
    return f"{what}: {'; '.join(wrong)}"[:_NOTE_CHARS]
