"""What an agent is: instructions, a structured answer, and a pure function of both."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel

from shared.domain.answer_schema import read_answer, strict_schema
from shared.domain.case import SupportCase
from shared.domain.desk import Desk
from shared.domain.stage import ChatMessage, PlannedStage, StageResult
from shared.errors import PermanentError

OutputT = TypeVar("OutputT", bound=BaseModel)

#: Characters of a customer's message that a model sees; the rest is marked as left out. Keeps a
#: long message inside small context windows; policy code reads the whole text all the same.
MESSAGE_CHARS = 6000


class Agent(ABC, Generic[OutputT]):
    """One step of the flow. Subclass it in a file of its own and give it a row in PIPELINE.

    Attributes:
        stage: Its name in lower case with underscores; queue and function are named after it.
        role: Who it is, in its instructions and for people who look at a case.
        objective: What it is for, in one sentence.
        after: Stages that must be finished or skipped first; none means it starts at once.
        only_if: A boolean of ``Writes``: the stage is skipped when it was decided as False.
        prompt: Its instructions. Static: no customer text, no desk's text.
        examples: Views and the right answers to them, shown as earlier turns of the conversation;
            static too, so that the provider caches them with the instructions.
        output_type: Wire model of the answer. No constraints: strict schemas refuse them. Its
            docstring and field descriptions are sent to the model.
    """

    stage: ClassVar[str]
    role: ClassVar[str]
    objective: ClassVar[str]
    after: ClassVar[tuple[str, ...]] = ()
    only_if: ClassVar[str | None] = None
    prompt: ClassVar[str]
    examples: ClassVar[tuple[tuple[dict[str, Any], BaseModel], ...]] = ()
    output_type: type[OutputT]

    @abstractmethod
    def view(self, case: SupportCase, desk: Desk) -> dict[str, Any]:
        """Exactly what the model may see, sent as JSON in the user message."""

    @abstractmethod
    def apply(self, case: SupportCase, desk: Desk, output: OutputT) -> StageResult:
        """What the answer sets and asks for. Pure; rules live in ``shared.domain.policy``."""

    def objections(self, case: SupportCase, desk: Desk, output: OutputT) -> tuple[str, ...]:
        """The rules that a valid answer breaks: the model is told once. Override it with them."""
        return ()

    def instead(
        self, case: SupportCase, desk: Desk, output: OutputT, objections: tuple[str, ...]
    ) -> StageResult:
        """What is used when the answer breaks rules after the re-ask too; by default nothing."""
        raise PermanentError("rule_broken", "the answer breaks rules; its memory tells which")

    def output_schema(self, desk: Desk) -> dict[str, Any]:
        """JSON schema of the answer; an agent may narrow a copy of it to what the desk allows."""
        return self.wire_schema

    @property
    def plan(self) -> PlannedStage:
        """Its place in the flow, as pinned in every turn."""
        return PlannedStage(
            stage=self.stage,
            role=self.role,
            objective=self.objective,
            after=self.after,
            only_if=self.only_if,
        )

    @property
    def output_name(self) -> str:
        """Name of the answer's schema."""
        return self.stage

    @cached_property
    def wire_schema(self) -> dict[str, Any]:
        """The strict schema of ``output_type``."""
        return strict_schema(self.output_type)

    @cached_property
    def instructions(self) -> str:
        """The static system message."""
        return f"You are a {self.role}. {self.objective}\n\n{self.prompt.strip()}"

    @cached_property
    def opening(self) -> tuple[ChatMessage, ...]:
        """What every conversation begins with: the instructions, then the examples."""
        messages = [ChatMessage(role="system", content=self.instructions)]
        for view, answer in self.examples:
            messages.append(_said_by("user", view))
            messages.append(_said_by("assistant", answer.model_dump(mode="json")))
        return tuple(messages)

    @cached_property
    def prompt_hash(self) -> str:
        """Twelve hex digits that change with instructions, examples or the answer's schema."""
        said = [message.content for message in self.opening]
        whole = json.dumps([*said, self.wire_schema], sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()[:12]

    def conversation(self, case: SupportCase, desk: Desk) -> tuple[ChatMessage, ...]:
        """The opening, then the view as JSON: customer text is data, never instructions."""
        return (*self.opening, _said_by("user", self.view(case, desk)))

    def parse(self, text: str) -> OutputT:
        """The validated answer; ValueError says what is wrong with it."""
        return read_answer(text, self.output_type)


def _said_by(role: Literal["user", "assistant"], content: dict[str, Any]) -> ChatMessage:
    return ChatMessage(role=role, content=json.dumps(content, ensure_ascii=False))


def shorten(text: str, limit: int = MESSAGE_CHARS) -> str:
    """A long text's beginning and end with a mark between them, ``limit`` characters at most."""
    if len(text) <= limit:
        return text
    mark = "\n[… left out …]\n"
    head = (limit - len(mark)) * 3 // 4
    return text[:head] + mark + text[len(mark) + head - limit :]
