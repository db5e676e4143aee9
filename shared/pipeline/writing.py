"""Guarded single-row writes that survive a lost answer."""

from __future__ import annotations

from shared.domain.progress import Stored
from shared.domain.rows import Row
from shared.errors import ConflictError, RetryableError
from shared.ports import CaseStore

_TRIES = 3


async def write(store: CaseStore, case_id: str, row: Row, over: Stored | None) -> str | None:
    """Inserts a row, or replaces the version ``over``, and returns its ETag; None if we lost.

    A conflict may be our own write whose answer was lost, so the row is read back: rows carry
    their writer's token and epoch, equal content means that it was us.

    Raises:
        RetryableError: The store could not be reached. Nothing is known about the write.
    """
    for left in reversed(range(_TRIES)):
        try:
            if over is None:
                return await store.insert(case_id, row)
            return await store.replace(case_id, row, over.etag)
        except ConflictError:
            there = (await store.read(case_id)).stored.get(row.key)
            return there.etag if there and _same(there.row, row) else None
        except RetryableError:
            if not left:
                raise
    return None


def _same(stored: Row, written: Row) -> bool:
    # As stored: a list in a structured answer may have been a tuple when it was written.
    return stored.model_dump_json() == written.model_dump_json()
