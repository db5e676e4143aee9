"""How a verb ends: its exit codes, and the one error that verbs raise for people to read."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
FAILED: Final = 1
BAD_USAGE: Final = 2
PERSON_NEEDED: Final = 3
INTERRUPTED: Final = 130


class CliError(Exception):
    """Ends the verb with one line on stderr.

    Args:
        said: What was wrong and what to do about it, on one line.
        code: The exit code.
    """

    def __init__(self, said: str, code: int = FAILED) -> None:
        super().__init__(said)
        self.code = code


class UsageError(CliError):
    """The command line or the message is not one that we can take; exit code 2."""

    def __init__(self, said: str) -> None:
        super().__init__(said, BAD_USAGE)
