"""The running app of this process, with the agents of PIPELINE, and what its host may hear."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agents import PIPELINE
from shared import bootstrap
from shared.errors import BugError, FrontdeskError


async def frontdesk() -> bootstrap.Frontdesk:
    """The app, built at the first call; ConfigError says what to set."""
    return await bootstrap.frontdesk(PIPELINE)


@contextmanager
def wordless() -> Iterator[None]:
    """Around every handler: the host logs what gets out of it.

    Raises:
        BugError: Instead of anything that is no FrontdeskError.
    """
    try:
        yield
    except FrontdeskError:
        raise
    except Exception as error:  # noqa: BLE001 - a handler may raise anything
        raise BugError(type(error).__name__).with_traceback(error.__traceback__) from None
