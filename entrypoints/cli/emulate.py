"""``emulate``: a model endpoint that does what a script says."""

from __future__ import annotations

import argparse
import os
import sys

from entrypoints.cli.local import port_or_any
from entrypoints.cli.terminal import Screen

EXAMPLES = """\
examples:
  ./frontdesk emulate --port 9000                       the usual answers
  ./frontdesk emulate --port 9000 --script night.yaml   what night.yaml says
then, in another terminal:
  OPENAI_BASE_URL=http://127.0.0.1:9000/v1 OPENAI_MODEL=any OPENAI_API_KEY=any ./frontdesk run

night.yaml, for two rate limits before all is well:
  rules:
    - when: {agent: sentiment, calls: [1, 2]}
      then: {fault: rate_limited, retry_after_s: 2}

Ctrl-C stops it. The format of scripts and every fault: docs/emulator.md
"""
_OPTIONS = (
    ("--port", port_or_any, "port on 127.0.0.1 (default: any free one)"),
    ("--script", str, "YAML or JSON file (default: the usual answers)"),
    ("--latency-ms", int, "milliseconds before every answer"),
    ("--seed", int, "for probabilities and ranges of latency"),
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options; the emulator checks them."""
    for name, kind, what in _OPTIONS:
        parser.add_argument(name, type=kind, metavar="FILE" if kind is str else "N", help=what)
    keys = "refuse other keys; may be repeated"
    parser.add_argument("--require-key", action="append", default=[], metavar="KEY", help=keys)
    parser.add_argument("--verbose", action="store_true", help="a line per request on stderr")


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Become the emulator, so that signals and the exit code are its own."""
    given = vars(args)
    command = [sys.executable, "-P", "-m", "devkit.emulator"]
    for name, _, _ in _OPTIONS:
        value = given[name.removeprefix("--").replace("-", "_")]
        command += [] if value is None else [f"{name}={value}"]
    command += [f"--require-key={key}" for key in args.require_key]
    command += ["--verbose"] if args.verbose else []
    os.execv(command[0], command)  # noqa: S606 - our own command
