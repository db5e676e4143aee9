"""`python -m devkit.emulator`: serve the emulator until SIGTERM or Ctrl-C."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from devkit.emulator.app import EmulatorApp, Received
from devkit.emulator.script import Script, ScriptError, load_script
from devkit.emulator.server import address, listen, server


def main() -> int:
    """Run the command; the exit code is 0 after a stop, 1 without a port, 2 for a bad script."""
    arguments = _parser().parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        script = _script(arguments)
        listening = listen(arguments.port)
    except ScriptError as error:
        print(f"frontdesk emulate: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"frontdesk emulate: port {arguments.port} cannot be used: {error.strerror}",
            file=sys.stderr,
        )
        return 1
    print(f"Emulator ready on {address(listening)}", flush=True)
    app = EmulatorApp(script, _tell if arguments.verbose else lambda _: None)
    server(app).run([listening])
    return 0


def _script(arguments: argparse.Namespace) -> Script:
    script = load_script(arguments.script) if arguments.script else Script()
    given = {
        "latency_ms": arguments.latency_ms,
        "seed": arguments.seed,
        "keys": arguments.require_key and frozenset(arguments.require_key),
    }
    return script.model_copy(update={n: value for n, value in given.items() if value is not None})


def _tell(received: Received) -> None:
    became = received.status or "no answer"
    why = f"  ({received.rule})" if received.rule else ""
    print(f"{received.method} {received.path} {became}{why}", file=sys.stderr, flush=True)


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _milliseconds(text: str) -> int:
    if not 0 <= (value := int(text)) <= 600_000:
        raise argparse.ArgumentTypeError("not between 0 and 600000")
    return value


def _port(text: str) -> int:
    if not 0 <= (value := int(text)) <= 65_535:
        raise argparse.ArgumentTypeError("not between 0 and 65535")
    return value


class _Parser(argparse.ArgumentParser):
    """Bad usage is one line, not a page."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="frontdesk emulate",
        description="Emulate the chat completions API of Azure OpenAI and OpenAI on 127.0.0.1.",
        epilog="The script's format, with examples: docs/emulator.md",
    )
    parser.add_argument("--port", type=_port, default=0, help="0 takes a free one")
    parser.add_argument("--script", type=Path, help="YAML or JSON; default: the usual answers")
    parser.add_argument("--latency-ms", type=_milliseconds, help="before every answer")
    parser.add_argument("--seed", type=int, help="for probabilities and ranges of latency")
    parser.add_argument("--require-key", action="append", metavar="KEY", help="may be repeated")
    parser.add_argument("--verbose", action="store_true", help="a line per request on stderr")
    return parser


if __name__ == "__main__":
    sys.exit(main())
