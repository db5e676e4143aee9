"""The people who decide on actions in a chaos run: at the API, or by the links in their mails."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

from devkit.mailbox import mails
from tests.chaos.evidence import Decision
from tests.chaos.wire import Request, Wire
from tests.support.letters import decision_links

_LOOK_EVERY = 0.5
_PAGE = 100
#: Of two operators who say different things at once, and of one who says the same again.
_ARGUED, _REPEATED = 0.15, 0.15
_REJECTED, _BY_LINK = 0.25, 0.5
#: Seconds until somebody decides, and until a mail that does not come is given up.
_SLOWEST = 3.0
_MAIL_LIMIT = 8.0


class Operators:
    """Decides on every action that waits for a yes.

    Args:
        seed: Of who decides what, when and how.
        wire: To the hosts.
        folder: Of the mails that were taken.
        public_url: What links begin with.

    Attributes:
        decisions: What was accepted.
        unanswered: Cases with a decision that was refused after an attempt whose answer was lost.
        troubles: Answers that should not have been given.
    """

    def __init__(self, seed: int, wire: Wire, folder: Path, public_url: str) -> None:
        self.decisions: list[Decision] = []
        self.unanswered: set[str] = set()
        self.troubles: list[str] = []
        self._seed = seed
        self._wire = wire
        self._folder = folder
        self._public_url = public_url
        self._taken: set[tuple[str, str]] = set()
        self._at_it: set[asyncio.Task[None]] = set()
        self._read: set[Path] = set()
        self._links: dict[tuple[str, str], str] = {}

    async def work(self) -> None:
        """Looks at what waits, again and again, until it is cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_EVERY)

    async def look(self) -> int:
        """Takes up what waits for a yes; says how many decisions are not made yet."""
        for case_id in await self._waiting():
            dice = Random(f"{self._seed} operator {case_id}")
            case = (await self._wire.get(f"/api/cases/{case_id}", dice)).json
            for action in case["actions"]:
                which = (case_id, str(action["id"]))
                if action["state"] == "waiting" and which not in self._taken:
                    self._taken.add(which)
                    self._spawn(self._decide(*which))
        return len(self._at_it)

    async def _waiting(self) -> list[str]:
        found: list[str] = []
        cursor = ""
        dice = Random(f"{self._seed} operators")
        while True:
            said = (await self._wire.get(f"/api/approvals?limit={_PAGE}{cursor}", dice)).json
            found += [str(case["case_id"]) for case in said["cases"] if case["waiting"]]
            if not said["next"]:
                return found
            cursor = "&" + urlencode({"cursor": said["next"]})

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._at_it.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._at_it.discard(task)
        if not task.cancelled() and task.exception():
            self.troubles.append(f"an operator failed: {task.exception()!r}")

    async def _decide(self, case_id: str, action: str) -> None:
        dice = Random(f"{self._seed} decision {case_id} {action}")
        act = "reject" if dice.random() < _REJECTED else "approve"
        argued, link = dice.random() < _ARGUED, ""
        await asyncio.sleep(dice.uniform(0.0, _SLOWEST))
        if dice.random() < _BY_LINK:
            link = await self._link(case_id, action)
        says = [self._say(case_id, action, act, link, dice, alone=not argued)]
        if argued:
            other = "approve" if act == "reject" else "reject"
            says.append(self._say(case_id, action, other, "", Random(action), alone=False))
        await asyncio.gather(*says)
        if dice.random() < _REPEATED and not argued:
            await asyncio.sleep(dice.uniform(0.0, 2.0))
            await self._say(case_id, action, act, "", dice, alone=True)

    async def _say(
        self, case_id: str, action: str, act: str, link: str, dice: Random, *, alone: bool
    ) -> None:
        """Says yes or no; a decision that is refused although nobody else decided is a trouble."""
        if link:
            form = urlencode({"decision": act, "by": "by mail", "reason": "chaos"}).encode()
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = await self._wire.send(lambda: Request(link, form, headers), dice)
        else:
            path = f"/api/cases/{case_id}/actions/{action}/{act}"
            answer = await self._wire.post(path, {"by": "operator", "reason": "chaos"}, dice)
        if answer.status in (200, 202):
            self.decisions.append(Decision(case_id, action, act, by_link=bool(link)))
        elif answer.status == 409 and answer.lost:
            self.unanswered.add(case_id)
        elif answer.status != 409 or (alone and b"was cancelled" not in answer.body):
            self.troubles.append(
                f"{act} of {action} of {case_id} was answered with {answer.status}: "
                f"{answer.body[:200]!r}"
            )

    async def _link(self, case_id: str, action: str) -> str:
        """The path of the link to a decision; empty when its mail does not come in time."""
        until = asyncio.get_running_loop().time() + _MAIL_LIMIT
        while asyncio.get_running_loop().time() < until:
            for mail in mails(self._folder):
                if mail not in self._read:
                    self._read.add(mail)
                    for link in decision_links(mail, self._public_url):
                        self._links[link.case_id, link.action] = link.path
            if found := self._links.get((case_id, action)):
                return found
            await asyncio.sleep(_LOOK_EVERY)
        return ""
