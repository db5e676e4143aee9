"""`python -m devkit.host`: host a Python function app on this machine."""

import argparse
import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

from devkit.host.console import configure_logging, function_table
from devkit.host.errors import StartError
from devkit.host.listening import listen


def main() -> int:
    """Run the command; returns its exit code: 0 after a clean stop, 1 if it cannot start."""
    arguments = _parser().parse_args()
    configure_logging(arguments.log_level)
    # The Python worker does not have the working directory on sys.path, only the app's folder,
    # at its end. devkit itself is found through its package from here on.
    sys.path[:] = [entry for entry in sys.path if entry not in ("", str(Path.cwd()))]
    try:
        if arguments.watch:
            from devkit.host.watch import supervise

            listening = listen(arguments.port)
            options = ["--log-level", arguments.log_level, "--grace", str(arguments.grace)]
            options += ["--enable-auth"] if arguments.enable_auth else []
            asyncio.run(supervise(arguments.app.resolve(), listening, options, arguments.grace))
        else:
            asyncio.run(_serve(arguments))
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def _serve(arguments: argparse.Namespace) -> None:
    # Late, so that neither --help nor the supervisor of --watch takes a second to start.
    from devkit.host.server import LocalHost

    listening = None
    if arguments.socket is not None:
        listening = socket.socket(fileno=arguments.socket)
        listening.settimeout(0)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with LocalHost(
        arguments.app,
        port=arguments.port,
        listening=listening,
        enable_auth=arguments.enable_auth,
        grace=arguments.grace,
    ) as host:
        print(f"Host ready on {host.url}", flush=True)
        print(function_table(host.describe()), file=sys.stderr, flush=True)
        await stop.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m devkit.host",
        description="Host a Python function app on 127.0.0.1, where Core Tools is not installed.",
    )
    parser.add_argument(
        "--app", type=Path, required=True, metavar="DIR", help="folder of function_app.py"
    )
    parser.add_argument("--port", type=int, default=7071, help="0 for any free one (7071)")
    parser.add_argument(
        "--watch", action="store_true", help="start anew when .py, .yaml or .json files change"
    )
    parser.add_argument(
        "--enable-auth",
        action="store_true",
        help="ask for keys: FRONTDESK_HOST_KEY for function routes, FRONTDESK_MASTER_KEY for all",
    )
    parser.add_argument(
        "--grace",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="how long running invocations get when the host stops (10)",
    )
    parser.add_argument(
        "--log-level", default="info", choices=("debug", "info", "warning", "error")
    )
    parser.add_argument("--socket", type=int, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # A sync handler that outlived the grace time still holds a thread, which Python would join.
    os._exit(code)
