"""The stage ``fetch``: gets a customer's words when a webhook only said that there are some.

It stands first in the plans of such turns and asks no model; claims, leases, retries, parking and
sweeping are those of every stage. It is also where a turn stops for a person before any agent works
on it: a ticket without text, a conversation that looks like one of two automatons. And it is where
a turn whose words came along waits for the fetch of an earlier one, which may find them too.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.desk import Desk
from shared.domain.inbound import CustomerWords, readable
from shared.domain.partition import Partition
from shared.domain.rows import MessageRow, StageRow
from shared.domain.stage import Fetched, PlannedStage, StageResult, Writes
from shared.errors import PermanentError, RetryableError
from shared.pipeline.repeats import Repeats
from shared.pipeline.words import keep
from shared.ports import Texts
from shared.ports.crm import Connectors

STAGE = "fetch"
PLAN = PlannedStage(
    stage=STAGE, role="connector", objective="Fetch what the customer wrote from the CRM."
)
#: Seconds until a turn looks again whether the turn before it has fetched its words.
_IN_TURN = 5.0


def behind_fetch(plan: Sequence[PlannedStage]) -> tuple[PlannedStage, ...]:
    """A plan that begins with ``fetch``: what started at once now starts after it."""
    later = (
        stage if stage.after else stage.model_copy(update={"after": (STAGE,)}) for stage in plan
    )
    return (PLAN, *later)


class FetchStage:
    """Fetches through the connector of the case's desk and vendor."""

    plan = PLAN

    def __init__(self, connectors: Connectors, texts: Texts, repeats: Repeats) -> None:
        self._connectors = connectors
        self._texts = texts
        self._repeats = repeats

    async def work(self, view: Partition, row: StageRow, desk: Desk) -> StageResult:
        """The words of the row's turn, or that there are none for us.

        Raises:
            RetryableError: From the vendor, or an earlier turn still fetches.
            PermanentError: From the vendor; ``held`` reasons; ``no_text``.
        """
        message = view.messages[row.turn - 1]
        self._check_turn(view, message.turn)
        fetched: Fetched | None = None
        if message.fetch is not None:
            fetched = await self._fetch(view, message, desk)
        elif view.fetched_before(message):
            fetched = Fetched(nothing="taken in before")
        nothing = fetched is not None and fetched.nothing
        # A replay is a person's word that the turn may go on. What came to nothing goes to nobody:
        # it may be the vendor telling us of the note that told a person.
        if message.held and not row.generation and not nothing:
            raise PermanentError(message.held)
        if fetched is None and not message.text:
            raise PermanentError("no_text")
        return StageResult(writes=Writes(fetched=fetched))

    async def _fetch(self, view: Partition, message: MessageRow, desk: Desk) -> Fetched:
        channel = view.received.channel if view.received else None
        if channel is None or not channel.external_id or message.fetch is None:
            raise PermanentError("no_ticket")
        connector = self._connectors.get(desk.name, channel.source)
        if connector is None:
            raise PermanentError(
                "connector_not_configured", f"no secret for {channel.source}, set it, then replay"
            )
        found = await connector.fetch(channel.external_id, message.fetch)
        known = view.taken_in - {message.delivery_id}
        fresh = [words for words in found if words.id not in known]
        if found and not fresh:
            return Fetched(nothing="taken in before")
        if not found:
            return Fetched(nothing="nothing that a customer wrote")
        kept = await self._kept(f"{view.case_id}/fetched-{message.turn}", fresh)
        if not all(view.empty(earlier.turn) for earlier in view.messages[: message.turn - 1]):
            return kept  # it was found when the case began
        customer = next((words.customer for words in fresh if words.customer), "")
        repeat = await self._repeats.has_come_before(desk, channel.source, customer, view.case_id)
        return kept.model_copy(update={"repeat_customer": repeat})

    async def _kept(self, blob: str, fresh: Sequence[CustomerWords]) -> Fetched:
        text = readable("\n\n".join(words.text for words in fresh))
        if not text:
            raise PermanentError("no_text")
        kept = await keep(self._texts, blob, text)
        return Fetched(
            text=kept.text,
            blob=kept.blob,
            ids=tuple(words.id for words in fresh),
            signals=kept.signals,
            asks_for_human=kept.asks_for_human,
            masked=kept.masked,
        )

    @staticmethod
    def _check_turn(view: Partition, turn: int) -> None:
        """Turns fetch one after another, so that no two take in the same message.

        Nor does one whose words came along while an earlier one was about to fetch them.
        """
        for message in view.messages[: turn - 1]:
            progress = view.stage(message.turn, STAGE)
            if message.fetch is not None and progress and not progress.at_rest:
                raise RetryableError("earlier_turn_first", _IN_TURN)
