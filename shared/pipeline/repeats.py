"""Whether a customer has had a case at the desk before. Nobody's name or address is kept for it."""

from __future__ import annotations

import hashlib
import hmac
import json

from shared.domain.desk import Desk
from shared.ports import Customers


class Repeats:
    """Asked once for each case, when it is first known who its customer is.

    Args:
        secret: Of the keyed hashes that customers are kept as; with another one nobody is known.
    """

    def __init__(self, customers: Customers, secret: bytes) -> None:
        self._customers = customers
        self._secret = secret

    async def has_come_before(self, desk: Desk, source: str, customer: str, case_id: str) -> bool:
        """Whether another case of the customer came first; again and again the same.

        One call of the storage, two for who has come before, and none at desks that do not ask or
        for customers whom nobody named. A case that was never accepted, because its sender had no
        delivery id and met a failure after this, stays the first one.

        Args:
            source: Whose ids of customers these are; a mail address is the same person everywhere.

        Raises:
            RetryableError: Storage is down.
        """
        name = customer.strip().casefold()
        if not name or not desk.asks_for_repeats:
            return False
        parts = [desk.name, "" if "@" in name else source, name]
        key = hmac.new(self._secret, json.dumps(parts).encode(), hashlib.sha256).hexdigest()
        return await self._customers.first(desk.name, key, case_id) != case_id
