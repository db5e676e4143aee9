"""One emulator for the folder; each test begins with the usual answers and no requests."""

from collections.abc import AsyncIterator, Iterator

import openai
import pytest

from devkit.emulator import Emulator


@pytest.fixture(scope="session")
def running() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(running: Emulator) -> Emulator:
    running.use()
    running.clear()
    return running


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[openai.AsyncOpenAI]:
    """The v1 path of Azure OpenAI."""
    base = f"{emulator.url}/openai/v1/"
    async with openai.AsyncOpenAI(base_url=base, api_key="k", max_retries=0, timeout=10) as made:
        yield made
