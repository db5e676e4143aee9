"""``run``: the local stack, kept up."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from entrypoints.cli.exits import DONE, CliError
from entrypoints.cli.local import DEFAULT_PORT, Steps, actions_command, add_port
from entrypoints.cli.terminal import Ink, Screen, Terminal

if TYPE_CHECKING:
    from devkit.setup import Layout

EXAMPLES = """\
examples:
  ./frontdesk run
  ./frontdesk run --port 7080 --watch     start anew when prompts, desks or code change

Ctrl-C stops everything that was started. Cases are kept for the next run.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_port(parser)
    parser.add_argument(
        "--host",
        choices=("auto", "func", "devkit"),
        default="auto",
        help="func: Azure Functions Core Tools; devkit: our own host; auto: func if installed",
    )
    parser.add_argument("--watch", action="store_true", help="start anew when files change")


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Bring the stack up, say where it is, and wait for Ctrl-C."""
    from devkit.setup import layout
    from devkit.stack import Stack, StackError
    from entrypoints.cli.sharing import place

    where, err = layout(), screen.err
    steps = Steps(err, stops=True)
    try:
        with place(where.state, steps.say) as ours:
            # Others wait while it starts. When they have a stack of their own, Stack says so.
            ours.alone()
            stack = Stack(port=args.port, host=args.host, watch=args.watch, on_step=steps)
            stack.actions = actions_command()
            kept = Ink(f"  kept in {stack.mails}, not sent", "dim")
            stack.on_mail = lambda to, subject: err.line(f"mail to {to}: {subject}", kept)
            with stack, ours.shared(wait=False):
                _say_where(screen.out, stack.url, args.port, where)
                try:
                    stack.wait()
                except (KeyboardInterrupt, SystemExit):
                    err.line()
                    err.line("stopping")
    except StackError as error:
        raise CliError(str(error)) from None
    return DONE


def _say_where(out: Terminal, url: str, port: int, where: Layout) -> None:
    elsewhere = "" if port == DEFAULT_PORT else f"--port {port} "
    out.line()
    out.line(Ink(f"Frontdesk listens on {url}", "bold"))
    out.line(f"  data   {where.data}")
    out.line(f"  logs   {where.logs}")
    out.line()
    out.line("Try it from another terminal:")
    out.line(f'  ./frontdesk ask {elsewhere}--desk hotel "My room is dirty and nobody came."')
    out.line(f"  curl {url}/api/cases -H 'Content-Type: application/json' \\")
    out.line("""    -d '{"desk": "hotel", "customer_query": "My room is dirty."}'""")
    out.line(f"  curl {url}/api/cases")
    out.line()
    out.line(Ink("Ctrl-C stops it.", "dim"))
