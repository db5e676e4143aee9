"""Texts: long texts come back as they were put."""

from __future__ import annotations

import subprocess
import sys

import pytest

from shared.errors import PermanentError
from tests.contract.conftest import Storage

TEXTS = {
    "empty": "",
    "controls": "".join(map(chr, range(32))) + "\r\n\ufeff\uffff",
    "right-to-left": "הסטייק שלי עדיין נא \u202eשלום\u202c",
    "emoji": "👩‍👩‍👧‍👦🥩" * 10_000,
    "256 KiB": "ü" * 128 * 1024,
}


async def test_a_text_comes_back_exactly(storage: Storage) -> None:
    for name, text in TEXTS.items():
        await storage.texts.put(f"c1/{name}", text)

    for name, text in TEXTS.items():
        assert await storage.texts.get(f"c1/{name}") == text, name


async def test_a_later_text_replaces_a_longer_one(storage: Storage) -> None:
    await storage.texts.put("c1/m-0001", "a long text")
    await storage.texts.put("c1/m-0001", "short")

    assert await storage.texts.get("c1/m-0001") == "short"


async def test_a_missing_text_is_for_a_person(storage: Storage) -> None:
    with pytest.raises(PermanentError, match="text_missing"):
        await storage.texts.get("c1/m-0001")

    await storage.texts.put("c1/m-0001", "there")
    with pytest.raises(PermanentError, match="text_missing"):
        await storage.texts.get("c1/m-0002")


async def test_a_text_that_is_deleted_is_gone_and_may_come_back(storage: Storage) -> None:
    await storage.texts.delete("c1/m-0001")
    for text in ("there", "again"):
        await storage.texts.put("c1/m-0001", text)
        assert await storage.texts.get("c1/m-0001") == text
        await storage.texts.delete("c1/m-0001")
        await storage.texts.delete("c1/m-0001")
        with pytest.raises(PermanentError, match="text_missing"):
            await storage.texts.get("c1/m-0001")


async def test_half_of_a_surrogate_pair_is_not_text(storage: Storage) -> None:
    with pytest.raises(UnicodeEncodeError):
        await storage.texts.put("c1/m-0001", "\ud83e")


def test_the_twins_load_no_sdk_and_the_adapters_neither_blob_nor_identity() -> None:
    program = """
import sys
import shared.adapters.memory
print([name for name in sys.modules if name.split(".")[0] in ("azure", "aiohttp")])
import shared.adapters.azure_clients
print([name for name in ("azure.storage.blob", "azure.identity") if name in sys.modules])
"""

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert said.stdout.splitlines() == ["[]", "[]"]
