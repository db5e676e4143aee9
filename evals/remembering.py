"""A model that is asked nothing twice: agents that do not see the desk are asked once for all."""

from __future__ import annotations

import hashlib
import json

from shared.domain.stage import Usage
from shared.ports import ModelAnswer, ModelCall, ModelClient


class Remembering:
    """Gives an equal call the answer that it gave before, at no cost. Errors are not kept."""

    def __init__(self, model: ModelClient) -> None:
        self._model = model
        self._answers: dict[str, ModelAnswer] = {}

    async def complete(self, call: ModelCall) -> ModelAnswer:
        """The answer of the first such call; only that one has a usage."""
        said = [call.stage, call.output_schema, *([m.role, m.content] for m in call.messages)]
        key = hashlib.sha256(json.dumps(said).encode(errors="surrogatepass")).hexdigest()
        known = self._answers.get(key)
        if known:
            return known
        answer = await self._model.complete(call)
        again = ModelAnswer(answer.text, Usage(), answer.model, answer.request_id, 0, answer.demo)
        self._answers[key] = again
        return answer

    def most(self, call: ModelCall) -> Usage:
        """As of the model itself."""
        return self._model.most(call)

    def pause(self, stage: str) -> float:
        """As of the model itself."""
        return self._model.pause(stage)
