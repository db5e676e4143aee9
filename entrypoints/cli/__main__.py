"""``python -m entrypoints.cli VERB …``: what ``./frontdesk`` becomes once everything is set up."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import NoReturn

from entrypoints.cli.exits import FAILED, INTERRUPTED, CliError, UsageError
from entrypoints.cli.terminal import Ink, Screen, screen
from entrypoints.cli.verbs import VERBS, Verb, find


class _Parser(argparse.ArgumentParser):
    """Bad usage is one line on stderr, not a page."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see ./{self.prog} --help)")


def main(arguments: list[str]) -> int:
    """Run one verb and return its exit code."""
    shown = screen(sys.stdout, sys.stderr)
    verb = find(arguments[0]) if arguments else None
    try:
        if verb is None:
            raise UsageError(_unknown(arguments))
        return _run(verb, arguments[1:], shown)
    except CliError as error:
        where = f"frontdesk {verb.name}: " if verb else "frontdesk: "
        said, *more = str(error).split("\n")
        shown.err.line(Ink(where, "bold"), Ink(said, "red"))
        for line in more:
            shown.err.line(Ink(line, "dim"))
        return error.code
    except KeyboardInterrupt:
        shown.err.line("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output, such as `head`, has seen enough. Python must not try to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _run(verb: Verb, arguments: list[str], shown: Screen) -> int:
    module = verb.load()
    parser = _Parser(
        prog=f"frontdesk {verb.name}",
        description=verb.summary,
        epilog=module.EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.arguments(parser)
    # Intermixed: `message CASE --json TEXT`, with an option between the two, is one message too.
    return module.run(parser.parse_intermixed_args(arguments), shown)


def _unknown(arguments: list[str]) -> str:
    known = ", ".join(verb.name for verb in VERBS)
    if not arguments or arguments[0].startswith("-"):
        return f"say a verb first: {known}"
    return f"there is no verb {arguments[0]!r}; the verbs are {known}"


def _leave(number: int, _frame: object) -> NoReturn:
    """SIGTERM and SIGHUP unwind like an exception, so that what was started is stopped."""
    sys.exit(128 + number)


def _open_streams() -> None:
    """A stream that the caller has closed is an empty one."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


if __name__ == "__main__":
    _open_streams()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, _leave)
    sys.exit(main(sys.argv[1:]))
