"""Access tokens of a GitHub App's installation: asked for with the app's key, kept for an hour.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from shared.adapters.crm_api import Api, segment
from shared.adapters.crm_oauth import OAuth, refused_token
from shared.adapters.crm_vendor import Access, part
from shared.errors import PermanentError

#: Seconds: GitHub takes a JWT that ends within ten minutes, and its clock may be behind ours.
_JWT_LIVES, _SKEW = 540, 60
_TOKEN_LIVES = 3600


class InstallationPass(OAuth):
    """One installation's access token.

    Args:
        base: Where the API is, when it is not the setting ``URL``.
        more: Headers that stand beside the token in every call.
    """

    def __init__(self, access: Access, base: str | None, more: Mapping[str, str]) -> None:
        super().__init__(access, lambda: "", dict)
        self._access, self._more = access, more
        self._app = Api(access, self._as_the_app, base=base)

    async def headers(self) -> Mapping[str, str]:
        return {**self._more, **await super().headers()}

    async def _ask(self) -> Any:
        number = segment(self._access.need("INSTALLATION"))
        try:
            answer = await self._app.ask(f"/app/installations/{number}/access_tokens", {})
        except PermanentError as error:
            raise refused_token(error) from None
        return {"access_token": part(answer, "token"), "expires_in": _TOKEN_LIVES}

    async def _as_the_app(self) -> Mapping[str, str]:
        import jwt

        now = int(time.time())
        claims = {"iat": now - _SKEW, "exp": now + _JWT_LIVES, "iss": self._access.need("APP")}
        key = self._access.need("KEY").replace("\\n", "\n")
        try:
            signed = jwt.encode(claims, key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            raise PermanentError(
                "connector_not_configured", f"{self._access.prefix}KEY is no private key"
            ) from None
        return {**self._more, "Authorization": f"Bearer {signed}"}
