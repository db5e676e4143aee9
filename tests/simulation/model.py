"""The model as the simulated workers see it, with the product's breaker before it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.adapters.breaker import Breaker
from shared.adapters.scripted_model import ScriptedModel
from shared.domain.stage import Usage
from shared.errors import PermanentError, RetryableError
from tests.simulation.rests import FAILURES, FIRST_REST
from tests.simulation.stand_ins import AGENTS
from tests.simulation.world import instantly

if TYPE_CHECKING:
    from shared.ports import ModelAnswer, ModelCall
    from tests.simulation.faults import Fault
    from tests.simulation.watch import Watch
    from tests.simulation.world import Process, World

#: Tokens.
LONGEST_ANSWER = 300


class ModelBug(Exception):  # noqa: N818
    """Stands for whatever nobody thought of."""


class SimulatedModel:
    """ModelClient: the scripted twin answers by the mood that the message names.

    Each process has a breaker of its own, the product's, on virtual time.
    """

    def __init__(self, world: World, watch: Watch) -> None:
        self._world = world
        self._watch = watch
        self._inner = ScriptedModel(dict.fromkeys(AGENTS, _by_mood))
        self._breakers: dict[Process, Breaker] = {}

    def most(self, call: ModelCall) -> Usage:
        return Usage(
            calls=1, prompt_tokens=100 * len(call.messages), completion_tokens=LONGEST_ANSWER
        )

    def pause(self, stage: str) -> float:
        pause = self._breaker().pause()
        self._watch.rests.asked(self._world.current().process, pause)
        return pause

    async def complete(self, call: ModelCall) -> ModelAnswer:
        process = self._world.current().process
        with self._breaker().call(), self._watch.rests.called(process):
            return await self._complete(call)

    def _breaker(self) -> Breaker:
        process = self._world.current().process
        if process not in self._breakers:
            self._breakers[process] = self._new_breaker()
            process.forgets.append(lambda: self._breakers.update({process: self._new_breaker()}))
            process.forgets.append(lambda: self._watch.rests.forgot(process))
        return self._breakers[process]

    def _new_breaker(self) -> Breaker:
        return Breaker("simulated", FAILURES, FIRST_REST, lambda: self._world.now)

    async def _complete(self, call: ModelCall) -> ModelAnswer:
        who = self._world.current()
        which = self._watch.model_requested(who, call.stage)

        def paid() -> ModelAnswer:
            most = self.most(call)
            length = who.random.choice((3, LONGEST_ANSWER))
            usage = most.model_copy(update={"completion_tokens": length})
            self._watch.model_paid(who, which, usage.tokens)
            self._inner.calls.clear()
            return replace(instantly(self._inner.complete(call)), usage=usage)

        def malformed(_: Fault) -> ModelAnswer:
            answer = paid()
            return _unusable(answer)

        def busy(fault: Fault) -> ModelAnswer:
            self._watch.model_refused(who, fault.seconds)
            raise RetryableError("rate_limited", retry_after=fault.seconds, usage=Usage())

        def refusal(_: Fault) -> ModelAnswer:
            paid()
            raise PermanentError("refusal", "simulated")

        def filtered(_: Fault) -> ModelAnswer:
            raise PermanentError("content_filter_input", "simulated")

        def timeout(_: Fault) -> ModelAnswer:
            paid()
            raise RetryableError("timeout")

        def bug(_: Fault) -> ModelAnswer:
            raise ModelBug

        troubles: dict[str, Callable[[Fault], ModelAnswer]] = {
            "malformed": malformed,
            "busy": busy,
            "refusal": refusal,
            "filtered": filtered,
            "timeout": timeout,
            "bug": bug,
        }
        return await self._world.call("model.complete", call.stage, paid, troubles)


def _by_mood(call: ModelCall) -> dict[str, Any]:
    said = json.loads(call.messages[0].content)["customer_message"]
    costly = "[costly]" in said
    return {"bad": costly or "[bad]" in said, "costly": costly}


def _unusable(answer: ModelAnswer) -> ModelAnswer:
    return replace(answer, text="I would rather talk.")
