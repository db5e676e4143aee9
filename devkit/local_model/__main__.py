"""`python -m devkit.local_model`: serve the local model until SIGTERM or Ctrl-C."""

import argparse
import os
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn

from devkit.local_model.engine import EngineOptions, ModelMissingError, start_engine
from devkit.local_model.front import front


def main() -> int:
    """Run the command; the exit code is 0 after a stop, 1 if the model cannot start."""
    arguments = _parser().parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    options = EngineOptions(
        threads=arguments.threads,
        prompt_threads=arguments.prompt_threads,
        parallel=arguments.parallel,
        context=arguments.context,
    )
    # asyncio turns Nagle's delay of 40 ms off only where the protocol is named.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", arguments.port))
        engine = start_engine(options)
    except OSError as error:
        print(f"Port {arguments.port} cannot be used: {error.strerror}", file=sys.stderr)
        return 1
    except ModelMissingError as error:
        print(error, file=sys.stderr)
        return 1
    listening.listen(128)
    print(f"Model ready on http://127.0.0.1:{listening.getsockname()[1]}/v1", flush=True)
    config = uvicorn.Config(
        front(engine, arguments.max_output),
        log_config=None,
        log_level="critical",
        timeout_graceful_shutdown=0,
    )
    uvicorn.Server(config).run(sockets=[listening])
    return 0


def _leave(_number: int, _frame: FrameType | None) -> None:
    # The engine's destructor waits for the answers it is writing.
    os._exit(0)


def _parser() -> argparse.ArgumentParser:
    default = EngineOptions()
    parser = argparse.ArgumentParser(
        prog="python -m devkit.local_model",
        description="Serve SmolLM2-135M-Instruct on 127.0.0.1 by the OpenAI API. Demo quality.",
    )
    parser.add_argument("--port", type=_number(0, 65535), default=0, help="0 takes a free one")
    parser.add_argument(
        "--threads", type=_number(1, 64), default=default.threads, help="that generate"
    )
    parser.add_argument(
        "--prompt-threads",
        type=_number(1, 64),
        default=min(default.prompt_threads, os.cpu_count() or 1),
        help="that read prompts (no more than there are cores)",
    )
    parser.add_argument(
        "--parallel", type=_number(1, 16), default=default.parallel, help="calls at once"
    )
    parser.add_argument(
        "--context",
        type=_number(512, 8192),
        default=default.context,
        help="tokens of prompt and answer together, per call",
    )
    parser.add_argument(
        "--max-output", type=_number(1, 4096), default=600, help="tokens of one answer"
    )
    return parser


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not between {least} and {most}")
        return value

    read.__name__ = "number"
    return read


if __name__ == "__main__":
    sys.exit(main())
