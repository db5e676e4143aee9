"""The channels of digests that failed: where they are listed, and what people do about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.domain.case import Wake
from shared.domain.digest import FailedChannel, FiledDigest, digest_id
from shared.domain.partition import Partition
from shared.domain.progress import EffectProgress
from shared.domain.rows import ActKind, ActRow
from shared.errors import RequestError
from shared.pipeline.acts import TRIES, busy, to_resend
from shared.pipeline.advance import Advancer
from shared.pipeline.writing import write
from shared.ports import CaseIndex, CaseStore, Clock, Journal

#: Bounds the loop below; each round more means that a channel came to rest meanwhile.
_ROUNDS = 5


class DigestChannels:
    """Acts on digests are rows as those on cases are: numbered, with who, when and why."""

    def __init__(
        self,
        store: CaseStore,
        index: CaseIndex,
        journal: Journal,
        advancer: Advancer,
        clock: Clock,
    ) -> None:
        self._store = store
        self._index = index
        self._journal = journal
        self._advancer = advancer
        self._clock = clock

    async def file(self, view: Partition) -> Partition:
        """Keeps a sealed digest in its desk's list, and what failed of it; does no harm twice.

        The entry is confirmed by a reading made after it was written: a worker that was paused
        with an old view would otherwise hide a failure.

        Returns:
            The digest as it was read last.
        """
        for _ in range(_ROUNDS):
            filed = _filed(view)
            await self._journal.file(filed)
            view = await self._store.read(view.case_id)
            if _filed(view) == filed:
                break
        return view

    async def failed(self, desks: Iterable[str], limit: int) -> list[FailedChannel]:
        """Channels that need a person, of up to ``limit`` digests of each desk, newest first."""
        found = [
            channel
            for desk in desks
            for filed in await self._journal.filed(desk, limit, unfinished=True)
            for channel in filed.failed
        ]
        return sorted(found, key=lambda channel: channel.end, reverse=True)

    async def replay(
        self, desk: str, window: str, by: str, reason: str, channels: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Sends a digest again, as it was sealed, to channels that failed.

        Args:
            channels: Which; without any, all that were refused. One that is uncertain may have
                got it: only by its name. Each keeps its idempotency key.

        Returns:
            The channels that it goes to.

        Raises:
            RequestError: 404 no such digest, 409 no such channel failed, 422 unknown names.
        """
        for _ in range(TRIES):
            view = await self._read(desk, window)
            there = [effect.request.key for effect in view.effects]
            if not set(channels) <= set(there):
                known = ", ".join(there)
                raise RequestError(422, "No such channel", f"This digest has: {known}.")
            again = tuple(sorted(to_resend(view, channels)))
            if not again:
                raise RequestError(
                    409,
                    "Nothing to replay",
                    "No channel was refused; name one that is uncertain to send it again.",
                )
            if await self._write(view, "replay", by, reason, again):
                return again
        raise busy()

    async def resolve(self, desk: str, window: str, by: str, reason: str) -> None:
        """Says that a person has dealt with the channels that failed so far.

        Raises:
            RequestError: 404 no such digest, 409 no channel of it needs a person.
        """
        for _ in range(TRIES):
            view = await self._read(desk, window)
            if not _filed(view).failed:
                raise RequestError(409, "Nothing to resolve", "No channel of it needs a person.")
            if await self._write(view, "resolve", by, reason):
                return
        raise busy()

    async def _read(self, desk: str, window: str) -> Partition:
        view = await self._store.read(digest_id(desk, window))
        if view.digest is None:
            raise RequestError(404, "No such digest", f"{desk} has none of that window.")
        return view

    async def _write(
        self, view: Partition, act: ActKind, by: str, reason: str, effects: tuple[str, ...] = ()
    ) -> bool:
        """Writes the act behind its wake, then goes on with the digest. False: act again."""
        now = self._clock.now()
        n = len(view.acts) + 1
        row = ActRow(n=n, act=act, by=by, at=now, reason=reason, effects=effects)
        await self._index.wake(Wake(case_id=view.case_id, at=now))
        if not await write(self._store, view.case_id, row, None):
            return False
        view = await self.file(view.with_row(row, ""))
        await self._advancer.nudge_all(view, (), view.due_effects(now))
        return True


def _filed(view: Partition) -> FiledDigest:
    """How the desk's list shows a sealed digest."""
    assert view.digest is not None  # noqa: S101, only sealed ones are filed
    digest = view.digest.digest
    dealt_with = max((act.at for act in view.acts if act.act == "resolve"), default=None)
    return FiledDigest(
        desk=digest.desk,
        start=digest.start,
        end=digest.end,
        sealed_at=digest.made_at,
        counts=digest.counts,
        failed=tuple(
            channel
            for effect in view.effects
            if (channel := _failed(digest.desk, digest.end, effect))
            and (dealt_with is None or channel.at > dealt_with)
        ),
    )


def _failed(desk: str, end: datetime, effect: EffectProgress) -> FailedChannel | None:
    row = effect.row
    if row is None or row.finished_at is None or row.state not in ("refused", "uncertain"):
        return None
    return FailedChannel(
        desk=desk,
        end=end,
        channel=effect.request.key,
        state=row.state,
        reason=row.error.code if row.error else row.state,
        at=row.finished_at,
    )
