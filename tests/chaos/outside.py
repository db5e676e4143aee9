"""The world outside: a model, a mail server, a receiver of callbacks, and what carries actions out.

All fail by the seed, and keep ledgers.
"""

from __future__ import annotations

import shutil
import time
from collections import deque
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any, Self, TypeVar

from devkit.crm.stand_in import Fault as VendorFault
from devkit.emulator import Emulator
from devkit.emulator.app import Received
from devkit.mailbox import Fault as MailFault
from devkit.mailbox import Mailbox, ledger
from devkit.setup import MODEL_SETTINGS, ROOT
from shared.adapters.desk_files import load_desks
from tests.chaos.evidence import Call, Carried, Reply, tokens_in
from tests.chaos.service import ActionService, read_calls
from tests.support.receiver import SECRET, Receiver
from tests.support.receiver import Fault as ReceiverFault
from tests.support.service import Fault as ServiceFault

PUBLIC_URL = "https://desk.chaos.example"

_LATENCY_MS = [20, 200]
#: More than any run sends.
_PREPARED = 20_000
_Kind = TypeVar("_Kind")
_COMPLAINT = "Your answer cannot be used"
#: What the model proposes, by words of the customers' texts; each desk keeps what it has.
_PROPOSED: dict[str, tuple[tuple[str, dict[str, str]], ...]] = {
    "room is dirty and nobody came": (
        ("send_housekeeping", {"room": "12", "request": "clean the room"}),
        ("send_tow_truck", {"place": "in front of the house"}),
        ("order_part", {"part": "a wheel"}),
    ),
    "smell of gas in the hallway": (
        ("close_area", {"place": "the hallway", "danger": "a smell of gas"}),
        ("close_lift", {"danger": "a smell of gas"}),
    ),
    "charged twice and want my money": (
        ("refund_guest", {"reason": "charged twice", "amount": "40"}),
        ("correct_bill", {"reason": "charged twice", "amount": "28"}),
        ("refund", {"amount": "30"}),
    ),
    "food was cold and the waiter": (
        ("redo_dish", {"table": "7", "dish": "steak", "wish": "warm"}),
        ("call_driver", {"street": "Harbour Lane"}),
        ("order_part", {"part": "a stove"}),
        ("refund", {"amount": "20"}),
    ),
}


def model_script(seed: int, timeout: float, *, faults: bool) -> dict[str, Any]:
    """The emulator's script: an eighth of all calls fail, in every way that the product tells.

    Args:
        seed: Of its dice.
        timeout: Seconds after which the hosts give a call up; some hangs are shorter.
        faults: Whether anything fails at all.
    """
    failing: list[tuple[float, dict[str, Any]]] = [
        (0.03, {"fault": "rate_limited", "retry_after_s": 1}),
        (0.02, {"fault": "server_error", "status": 503}),
        (0.01, {"fault": "server_error", "status": 500}),
        (0.01, {"fault": "hang", "seconds": timeout / 2}),
        (0.005, {"fault": "hang", "seconds": timeout * 2}),
        (0.01, {"fault": "drop"}),
        (0.01, {"fault": "half_body"}),
        (0.02, {"fault": "malformed_json"}),
        (0.005, {"fault": "truncated"}),
        (0.005, {"fault": "refusal"}),
        (0.005, {"fault": "content_filter_output"}),
    ]
    rules: list[dict[str, Any]] = [
        {"name": then["fault"], "when": {"probability": share}, "then": then}
        for share, then in failing
    ]
    proposing = [
        {"name": "", "when": {"agent": "escalation", "text": words}, "then": {"answer": answer}}
        for words, actions in _PROPOSED.items()
        if (answer := {"actions": [_proposal(name, given) for name, given in actions]})
    ]
    return {
        "seed": seed,
        "latency_ms": _LATENCY_MS,
        "rules": [*(rules if faults else ()), *proposing],
    }


def _proposal(name: str, given: dict[str, str]) -> dict[str, Any]:
    pairs = [{"name": key, "value": value} for key, value in given.items()]
    return {"name": name, "arguments": pairs, "reason": "the customer says so"}


class Outside:
    """Model, mail server and receiver of callbacks, in this process, and the service of actions.

    Args:
        folder: Where mails, desk files and ledgers are kept.
        seed: Of all faults.
        timeout: Seconds after which the hosts give a model call up.
        faults: Whether anything fails.
    """

    def __init__(self, folder: Path, seed: int, timeout: float, *, faults: bool) -> None:
        self.mailed = folder / "mails"
        self._calls = folder / "calls.jsonl"
        self._fail = faults
        self._home = folder / "home"
        for desks in (ROOT / "desks", Path(__file__).parent / "desks"):
            shutil.copytree(desks, self._home / "desks", dirs_exist_ok=True)
        self._calm = model_script(seed, timeout, faults=False)
        self._script = model_script(seed, timeout, faults=faults)
        self._emulator = Emulator(self._script)
        # Its own list has no times, and a call is judged by the claim that it was made under.
        self._arrivals = _Arrivals()
        self._emulator._app.requests = self._arrivals
        self._receiver = Receiver()
        self._mailbox = Mailbox(self.mailed)
        self._service = ActionService(folder, load_desks(self._home / "desks").every, ())
        if faults:
            dice = Random(f"{seed} sinks")
            self._receiver.faults.extend(_receiver_fault(dice) for _ in range(_PREPARED))
            self._mailbox.faults.extend(_mail_fault(dice) for _ in range(_PREPARED))
            self._service.faults.extend(_service_fault(dice) for _ in range(_PREPARED))

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            stack.enter_context(self._emulator)
            await stack.enter_async_context(self._receiver)
            await stack.enter_async_context(self._mailbox)
            await stack.enter_async_context(self._service)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def reply_address(self) -> str:
        """Where replies are taken."""
        return self._receiver.url

    @property
    def environment(self) -> dict[str, str]:
        """Settings of the hosts."""
        return {
            # A blank is "not set" to the app, yet keeps a local.settings.json from setting it.
            **dict.fromkeys(MODEL_SETTINGS, " "),
            "OPENAI_BASE_URL": f"{self._emulator.url}/v1",
            "OPENAI_API_KEY": "any",
            "OPENAI_MODEL": "emulated",
            "FRONTDESK_SMTP_URL": self._mailbox.url,
            "FRONTDESK_MAIL_FROM": "Frontdesk <frontdesk@chaos.example>",
            "FRONTDESK_CALLBACK_SECRET": SECRET,
            "FRONTDESK_PUBLIC_URL": PUBLIC_URL,
            "FRONTDESK_ACTIONS_URL": self._service.url,
            "FRONTDESK_ACTION_FUNCTIONS": "tests.chaos.functions",
            "CHAOS_CALLS": str(self._calls),
            "CHAOS_CALLS_FAIL": "yes" if self._fail else "",
            "CHAOS_HOME": str(self._home),
        }

    def calm_down(self) -> None:
        """From here on nothing fails."""
        self._emulator.use(self._calm)
        self._receiver.faults.clear()
        self._mailbox.faults.clear()
        self._service.faults.clear()

    def calls(self) -> list[Call]:
        """Every model call, in the order in which they came; not those cut off on their way."""
        pairs = zip(self._arrivals.times, self._arrivals, strict=True)
        return [_call(at, received) for at, received in pairs if received.body]

    def mails(self) -> list[str]:
        """The idempotency keys of the mails that were taken, from their Message-IDs."""
        return [found.strip("<>").rpartition("@")[0] for found in ledger(self.mailed)]

    def replies(self) -> list[Reply]:
        """Every callback that arrived."""
        events = [(head["webhook-id"], body["data"]) for head, body in self._receiver.requests]
        return [Reply(i, data["case_id"], data["turn"], data["reply"]) for i, data in events]

    def applied(self) -> list[str]:
        """The ids of the callbacks that were applied, each once."""
        return list(self._receiver.ledger)

    def carried(self) -> list[Carried]:
        """Every action that the service or a function carried out."""
        return self._service.carried() + read_calls(self._calls)


class _Arrivals(deque[Received]):
    """The emulator's requests, with the time at which each came."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def append(self, received: Received) -> None:
        self.times.append(time.time())
        super().append(received)


def _call(at: float, received: Received) -> Call:
    body = received.body
    texts = [message["content"] for message in body["messages"] if message["role"] == "user"]
    number, turn = next(iter(tokens_in(" ".join(texts))), (0, 0))
    return Call(
        at=at,
        number=number,
        turn=turn,
        stage=body["response_format"]["json_schema"]["name"],
        status=received.status,
        rule=received.rule,
        again=any(text.startswith(_COMPLAINT) for text in texts),
    )


def _receiver_fault(dice: Random) -> ReceiverFault:
    """One of seven requests fails; of most kinds half are applied all the same."""
    keep = dice.random() < 0.5
    kinds = [
        (0.03, ReceiverFault(status=503, headers={"Retry-After": "1"})),
        (0.03, ReceiverFault(status=429, headers={"Retry-After": "1"})),
        (0.03, ReceiverFault(status=500, keep=keep)),
        (0.05, ReceiverFault(cut=True, keep=keep)),
    ]
    return _drawn(dice, kinds) or ReceiverFault(keep=True)


def vendor_fault(dice: Random) -> VendorFault:
    """One of nine requests to a CRM fails; of most kinds half are applied all the same."""
    keep = dice.random() < 0.5
    kinds = [
        (0.02, VendorFault(status=503, headers={"Retry-After": "1"})),
        (0.03, VendorFault(status=429, headers={"Retry-After": "1"})),
        (0.02, VendorFault(status=500, keep=keep)),
        (0.04, VendorFault(cut=True, keep=keep)),
    ]
    return _drawn(dice, kinds) or VendorFault(keep=True)


def _service_fault(dice: Random) -> ServiceFault:
    """One of seven actions fails; of most kinds half are carried out all the same."""
    keep = dice.random() < 0.5
    kinds = [
        (0.04, ServiceFault(status=503, headers={"Retry-After": "1"})),
        (0.03, ServiceFault(status=500, keep=keep)),
        (0.05, ServiceFault(cut=True, keep=keep)),
        (0.02, ServiceFault(status=0, hang=1.0, keep=True)),
    ]
    return _drawn(dice, kinds) or ServiceFault(status=0, keep=True)


def _mail_fault(dice: Random) -> MailFault | None:
    """One of nine mails fails; few in the one way that nobody can know the outcome of."""
    kinds = [
        (0.03, MailFault("MAIL", "421 try later")),
        (0.03, MailFault("DATA", "451 busy")),
        (0.03, MailFault("MAIL")),
        (0.02, MailFault("DATA", "250 kept", keep=True, delay=0.3)),
        (0.005, MailFault("DATA", keep=True)),
        (0.005, MailFault("DATA")),
    ]
    return _drawn(dice, kinds)


def _drawn(dice: Random, kinds: list[tuple[float, _Kind]]) -> _Kind | None:
    value = dice.random()
    for share, kind in kinds:
        value -= share
        if value < 0:
            return kind
    return None
