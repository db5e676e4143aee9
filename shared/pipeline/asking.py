"""The conversation of one stage with the model: one call, one bounded re-ask, all of it kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from shared.domain.case import SupportCase
from shared.domain.desk import Desk
from shared.domain.stage import Answer, ChatMessage, StageResult, Usage
from shared.errors import PermanentError, RetryableError
from shared.ports import RESTING, ModelCall, ModelClient, StageAgent

_CALLS = 2
_NOTE_CHARS = 400
_COMPLAINT_CHARS = 500
#: Stands for the answer and the complaint that a re-ask adds. A longer answer still has room where
#: the first call used less than it could, as nearly all do.
_QUOTED = (
    ChatMessage(role="assistant", content="x" * 2000),
    ChatMessage(role="user", content="x" * 600),
)


class Conversation:
    """What was said so far, and what it cost.

    Attributes:
        messages: System, user, and from the first answer on the assistant's words.
        answer: The last answer; None before the first.
        note: Why there was more than one answer, for the trace; empty when there was one.
        presumed: The most that calls can have used of which nobody knows what they did use.
        called: Whether any call was made.
    """

    def __init__(self, agent: StageAgent, case: SupportCase, desk: Desk) -> None:
        self._agent = agent
        self._case = case
        self._desk = desk
        self.messages: tuple[ChatMessage, ...] = agent.conversation(case, desk)
        self.answer: Answer | None = None
        self.note = ""
        self.presumed = Usage()
        self.called = False
        self.prompt_hash = agent.prompt_hash

    def worst_case(self, model: ModelClient, seconds: float) -> Usage:
        """The most that its calls may use; a re-ask that would come to more is not made."""
        first = self._next(seconds)
        again = replace(first, messages=first.messages + _QUOTED)
        return model.most(first) + sum([model.most(again)] * (_CALLS - 1), start=Usage())

    @property
    def used(self) -> Usage:
        """What counts against budgets of all that was called."""
        return self.presumed + (self.answer.usage if self.answer else Usage())

    async def ask(
        self, model: ModelClient, seconds: float, reserved: Usage, last_check: Callable[[], None]
    ) -> StageResult:
        """What the stage comes to: its answer applied, or what the agent uses instead.

        An answer that cannot be read and one that breaks a rule share the one re-ask.

        Args:
            seconds: Time for each call.
            reserved: What all calls together may use.
            last_check: Called just before each call; raises when the claim is too old to pay.

        Raises:
            RetryableError: From the model or the last check.
            PermanentError: From the model; ``malformed_answer`` when no answer could be read;
                ``case_budget_used_up`` when there is no room for a re-ask and nothing readable;
                what the agent raises when it has nothing to use instead.
        """
        agent, case, desk = self._agent, self._case, self._desk
        wrong: tuple[str, ...] = ()
        readable: tuple[Any, tuple[str, ...]] | None = None
        for _ in range(_CALLS):
            last_check()
            try:
                text = await self._call(model, seconds, reserved)
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
        why = "; ".join(wrong)[:_COMPLAINT_CHARS]
        said = f"Your answer cannot be used: {why}. Answer again, only the JSON."
        self.messages += (ChatMessage(role="user", content=said),)
        self.note = _note("asked again", wrong)

    async def _call(self, model: ModelClient, seconds: float, reserved: Usage) -> str:
        call = self._next(seconds)
        most, known = model.most(call), self.presumed
        if not (self.used + most).within(reserved):
            raise PermanentError("case_budget_used_up", "no room was left to ask again")
        before = self.answer or Answer(text="")
        # Whatever ends the call from here on, it may be billed in full.
        self.presumed = known + most
        try:
            said = await model.complete(call)
        except (RetryableError, PermanentError) as error:
            self.called = self.called or error.code != RESTING
            if isinstance(error.usage, Usage):
                self.presumed = known
                if error.usage.calls:
                    # A refused or truncated answer is paid for too.
                    self.answer = before.model_copy(update={"usage": before.usage + error.usage})
            raise
        self.called = True
        if said.usage.tokens:
            self.presumed = known
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

    def _next(self, seconds: float) -> ModelCall:
        return ModelCall(
            stage=self._agent.plan.stage,
            messages=self.messages,
            output_name=self._agent.output_name,
            output_schema=self._agent.output_schema(self._desk),
            timeout=seconds,
        )


def _note(what: str, wrong: tuple[str, ...]) -> str:
    return f"{what}: {'; '.join(wrong)}"[:_NOTE_CHARS]
