"""Tokens of Microsoft Entra ID for the app's own identity."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from shared.adapters.model_errors import OPERATOR_PAUSE
from shared.errors import RetryableError

if TYPE_CHECKING:
    from azure.identity.aio import DefaultAzureCredential


class EntraTokens:
    """The tokens for one scope, kept until shortly before they end.

    Args:
        scope: Whom they are for, such as ``https://ai.azure.com/.default``.
    """

    def __init__(self, scope: str) -> None:
        self._scope = scope
        self._credential: DefaultAzureCredential | None = None
        self._provide: Callable[[], Awaitable[str]] | None = None

    async def token(self) -> str:
        """A token that is good for some minutes at least.

        Raises:
            RetryableError: ``wrong_key``, which an operator puts right, or ``connection_lost``.
        """
        from azure.core.exceptions import AzureError, ClientAuthenticationError

        said = "Entra ID gave this app no token"
        try:
            return await (self._provide or self._connect())()
        except ClientAuthenticationError:
            raise RetryableError("wrong_key", OPERATOR_PAUSE, said) from None
        except AzureError as error:
            raise RetryableError(
                "connection_lost", 0, f"Entra ID: {type(error).__name__}"
            ) from None

    def _connect(self) -> Callable[[], Awaitable[str]]:
        from azure.identity.aio import DefaultAzureCredential, get_bearer_token_provider

        self._credential = DefaultAzureCredential()
        self._provide = get_bearer_token_provider(self._credential, self._scope)
        return self._provide

    async def aclose(self) -> None:
        """Closes its connections; a later call opens them again."""
        if self._credential is not None:
            await self._credential.close()
        self._credential = self._provide = None
