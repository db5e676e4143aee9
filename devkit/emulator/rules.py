"""Which rule of the script a request meets."""

import random
from collections import Counter

from devkit.emulator.chat_request import ChatRequest
from devkit.emulator.script import Latency, Script, Then, When


class Rules:
    """A script with its memory: how often each rule has been asked, and the dice.

    Args:
        script: The script; the memory starts anew with each.
    """

    def __init__(self, script: Script) -> None:
        self.script = script
        self._asked: Counter[int] = Counter()
        # A rehearsal has to be repeatable, not unpredictable.
        self._dice = random.Random(script.seed)  # noqa: S311

    def choose(self, request: ChatRequest) -> tuple[str, Then]:
        """Name and outcome of the first rule that matches; without one, the usual answer."""
        for number, rule in enumerate(self.script.rules):
            if not self._fits(rule.when, request):
                continue
            self._asked[number] += 1
            calls, share = rule.when.calls, rule.when.probability
            if calls is not None and self._asked[number] not in calls:
                continue
            if share is not None and self._dice.random() >= share:
                continue
            return rule.name or f"rule {number + 1}", rule.then
        return "", Then()

    def seconds(self, latency: Latency) -> float:
        """Seconds of a latency in milliseconds, drawn from its range if it is one."""
        if isinstance(latency, int):
            return latency / 1000
        return self._dice.uniform(*latency) / 1000

    def _fits(self, when: When, request: ChatRequest) -> bool:
        return (
            when.deployment in (None, request.deployment)
            and (when.agent is None or request.is_for(when.agent))
            and (when.text is None or when.text.casefold() in request.user.casefold())
        )
