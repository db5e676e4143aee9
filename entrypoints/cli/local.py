"""Where the API is: an address that was given, a stack that runs, or one that we bring up."""

from __future__ import annotations

import argparse
import math
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from entrypoints.cli.api import Api, RefusedError
from entrypoints.cli.exits import CliError
from entrypoints.cli.sharing import place
from entrypoints.cli.terminal import Ink, Part, Terminal

if TYPE_CHECKING:
    from devkit.stack import Stack

DEFAULT_PORT = 7071
_STATES = {
    "starting": ("·", ".", "dim"),
    "ready": ("✓", "+", "green"),
    "failed": ("✗", "x", "red"),
    "stopped": ("-", "-", "dim"),
}


def add_address(parser: argparse.ArgumentParser) -> None:
    """Add --url, --key and --port."""
    group = parser.add_argument_group("where Frontdesk is")
    group.add_argument(
        "--url",
        default=os.environ.get("FRONTDESK_URL") or None,
        help="a Frontdesk elsewhere; FRONTDESK_URL does the same",
    )
    group.add_argument(
        "--key",
        default=os.environ.get("FRONTDESK_KEY") or "",
        help="its function key; FRONTDESK_KEY keeps it out of the list of processes",
    )
    add_port(group)


def add_port(parser: argparse._ActionsContainer) -> None:
    """Add --port."""
    parser.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        help=f"port of the local stack (default {DEFAULT_PORT})",
    )


def port_or_any(text: str) -> int:
    """An argument that is a port, or 0 for any free one."""
    return 0 if text == "0" else _port(text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return int(text)


def seconds(text: str) -> float:
    """An argument in seconds, above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def elsewhere(args: argparse.Namespace) -> Api | None:
    """The API at the address that was given; None when the local one is meant."""
    return Api(args.url, args.key) if args.url else None


@contextmanager
def reach(
    args: argparse.Namespace,
    progress: Terminal | None,
    *,
    work: bool = True,
    later: str = "",
    prepare: Callable[[Stack], None] = lambda _stack: None,
) -> Iterator[Api]:
    """The API; for as long as the block runs, of a stack of our own when none answers.

    Args:
        args: With ``url``, ``key`` and ``port``.
        progress: Where to say what is started and stopped; None for nowhere.
        work: Whether a stack of our own has to run agents. Without, it is up sooner, and looking at
            cases does not set anything going.
        later: Said when such a stack is stopped: what happens to what was asked of it.
        prepare: Called with a stack of our own before it starts.

    Raises:
        CliError: Why it cannot be brought up, with the end of a log where there is one.
    """
    api = elsewhere(args) or Api(f"http://127.0.0.1:{args.port}", args.key)
    if args.url:
        yield api
        return
    from devkit.setup import layout

    steps = Steps(progress)
    with place(layout().state, steps.say) as ours:
        if ours.enter(api.healthy):
            yield api
            return
        from devkit.stack import Stack, StackError

        # One that does not work is not for others to find, and has a port that nobody knows.
        stack = Stack(port=args.port if work else 0, work=work, on_step=steps)
        stack.actions = actions_command()
        mails: list[str] = []
        stack.on_mail = lambda to, _subject: mails.append(to)
        prepare(stack)
        try:
            with stack:
                try:
                    with ours.shared() if work else nullcontext():
                        yield Api(stack.url, args.key)
                finally:
                    if mails:
                        steps.say(f"mail to {'; '.join(mails)}: kept in {stack.mails}, not sent")
                    steps.say("stopping the local stack")
        except StackError as error:
            raise CliError(str(error)) from None
        except RefusedError as error:
            if error.status < 500:
                raise
            raise CliError(_why(error, layout().logs / "host.log")) from None
        if later:
            steps.say(later)


def _why(error: RefusedError, log: Path) -> str:
    """What our own host's log says is missing; else where to look."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    _, found, rest = text.rpartition(" not configured problem=")
    if not found:
        return f"{str(error).rstrip('.')}; {log} says why"
    # Desk files are told in several lines, and the log's next one begins with its time.
    return re.split(r"\n(?=\d{4}-\d\d-\d\d |$)", rest, maxsplit=1)[0]


def actions_command() -> list[str]:
    """What serves the desks' actions on a laptop."""
    return [sys.executable, "-P", "-m", "entrypoints.cli", "actions", "serve"]


class Steps:
    """Says how a stack comes up and goes down: a line a part, redrawn on a terminal.

    Args:
        terminal: Where; None for nowhere.
        stops: Whether each part's end is worth a line.
    """

    def __init__(self, terminal: Terminal | None, *, stops: bool = False) -> None:
        self._terminal = terminal
        self._stops = stops
        self._lines: dict[str, tuple[Part, ...]] = {}

    def __call__(self, name: str, state: str, took: float) -> None:
        """Note that a part reached a state, and the seconds that it took."""
        out = self._terminal
        if out is None or (state == "stopped" and not self._stops):
            return
        sign, plain, style = _STATES[state]
        spent = "" if state == "starting" else f"{took:6.1f} s"
        line = ("  ", Ink(out.glyph(sign, plain), style), f" {name:14}{state:8}", Ink(spent, "dim"))
        if state == "stopped" or not out.live:
            if state != "starting":
                out.line(*line)
            return
        self._lines[name] = line
        out.redraw(self._lines.values())

    def say(self, line: str) -> None:
        """Say something beside the parts' lines."""
        if self._terminal:
            self._terminal.line(Ink(line, "dim"))
