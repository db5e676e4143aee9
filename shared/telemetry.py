"""Logging: constant messages with fields beside them, and quiet libraries."""

from __future__ import annotations

import logging

#: At INFO the Azure SDKs log every request and its headers: half of the client's CPU time.
_CHATTY = ("azure", "httpx", "httpx2", "openai")


def configure(level: str) -> None:
    """Sets Frontdesk's own level and turns the libraries down to warnings.

    Args:
        level: A level's name, such as ``INFO``.
    """
    logging.getLogger("frontdesk").setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def logger(room: str) -> logging.Logger:
    """The logger of one part of the app.

    Messages are constant and fields go into ``extra``: customer text is never logged.
    """
    return logging.getLogger(f"frontdesk.{room}")
