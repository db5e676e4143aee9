"""Long texts, on Azure Blob storage. The SDK is loaded with the first text: it takes 0.4 s."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from azure.core.exceptions import ResourceNotFoundError

from shared.adapters.azure_errors import storage_errors, write_ensured
from shared.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.storage.blob.aio import ContainerClient


class BlobTexts:
    """Texts in one container, which is made with the first text.

    Args:
        connect: Makes the container's client; its owner closes it.
    """

    def __init__(self, connect: Callable[[], ContainerClient]) -> None:
        self._connect = connect

    @cached_property
    def _container(self) -> ContainerClient:
        return self._connect()

    async def put(self, name: str, text: str) -> None:
        container, raw = self._container, text.encode()

        async def write() -> None:
            async with storage_errors():
                await container.upload_blob(name, raw, overwrite=True)

        await write_ensured(write, container.create_container)

    async def get(self, name: str) -> str:
        async with storage_errors():
            try:
                stream = await self._container.download_blob(name)
                return (await stream.readall()).decode()
            except ResourceNotFoundError:
                raise PermanentError("text_missing", name) from None

    async def delete(self, name: str) -> None:
        async with storage_errors():
            with suppress(ResourceNotFoundError):
                await self._container.delete_blob(name)
