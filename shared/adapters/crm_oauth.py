"""Access tokens of CRMs by OAuth 2.0: asked for when needed, kept until they end, renewed.

Grants without a person: client credentials, or a refresh token that a person once gave.
https://www.rfc-editor.org/rfc/rfc6749#section-4.4
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from shared.adapters.crm_api import Api, no_headers
from shared.adapters.crm_vendor import Access, part, text_of
from shared.adapters.model_errors import OPERATOR_PAUSE
from shared.errors import PermanentError, RetryableError

#: Seconds before its end that a token is no longer used.
_MARGIN = 60.0
#: Seconds that a token is kept which says no end; the vendor's 401 ends it earlier.
_UNSAID = 3600.0
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class OAuth:
    """One desk's access token.

    Args:
        path: Of the token endpoint, behind ``base``; asked for when it is needed.
        form: What the endpoint wants to know, secrets included.
        base: Where the endpoint is, when it is not the setting ``URL``.
    """

    def __init__(
        self,
        access: Access,
        path: Callable[[], str],
        form: Callable[[], Mapping[str, str]],
        base: str | None = None,
    ) -> None:
        self._path, self._form = path, form
        self._api = Api(access, no_headers, base=base)
        self._token, self._until = "", 0.0
        self._one = asyncio.Lock()

    async def headers(self) -> Mapping[str, str]:
        """The header with the token.

        Raises:
            RetryableError: There is none to be had now, or the endpoint refuses our credentials,
                which an operator puts right.
        """
        async with self._one:
            if time.monotonic() >= self._until:
                said = await self._ask()
                self._token = text_of(part(said, "access_token"))
                if not self._token:
                    raise RetryableError("crm_token_refused", OPERATOR_PAUSE, "no access_token")
                lives = part(said, "expires_in")
                seconds = float(lives) if str(lives).isdigit() else _UNSAID
                self._until = time.monotonic() + max(seconds - _MARGIN, 0.0)
            return {"Authorization": f"Bearer {self._token}"}

    def ended(self) -> None:
        """The token is of no use any more, whatever it said of its end."""
        self._until = 0.0

    async def _ask(self) -> Any:
        body = urlencode(self._form()).encode()
        try:
            return await self._api.ask(self._path(), body, **_FORM)
        except PermanentError as error:
            raise refused_token(error) from None


def refused_token(error: PermanentError) -> PermanentError | RetryableError:
    """What it means that the endpoint gives no token: an operator puts credentials right."""
    if error.code == "connector_not_configured":
        return error
    return RetryableError("crm_token_refused", OPERATOR_PAUSE, error.detail)


def grant(access: Access) -> Mapping[str, str]:
    """The form of the grant that is set: a refresh token where there is one, else the client's."""
    client = {"client_id": access.need("CLIENT_ID"), "client_secret": access.need("CLIENT_SECRET")}
    token = access.values.get("REFRESH_TOKEN", "")
    if token:
        return {"grant_type": "refresh_token", "refresh_token": token, **client}
    return {"grant_type": "client_credentials", **client}
