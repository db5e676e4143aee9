"""What is asked: the scene and the customer's message, from words, a file, a pipe or a person.

Only what would start a stack for nothing is checked here; the rules are the API's.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from entrypoints.cli.exits import UsageError
from entrypoints.cli.terminal import Ink, Terminal

MAX_BYTES = 256 * 1024
_DESKS = Path(__file__).resolve().parents[2] / "desks"
_STDIN = "-"
_NAME = re.compile(r"[\w-]+", re.ASCII)
_TOO_LONG = f"the message is longer than {MAX_BYTES // 1024} KiB; shorten it"


class Question(NamedTuple):
    """A message and what it is about: ``{"desk": name}`` or ``{"support_context": scene}``."""

    about: dict[str, str]
    message: str


def local_desks() -> list[str]:
    """Names of the desks of this checkout, by their files."""
    return sorted(path.stem for path in _DESKS.glob("*.yaml"))


def read_question(args: argparse.Namespace, err: Terminal, desks: list[str]) -> Question:
    """Take the question from the command line; on a terminal, ask for what it leaves out.

    Args:
        args: Has ``desk``, ``scene``, ``message`` (words) and ``file``.
        err: Where a person is asked.
        desks: The desks that exist; empty when not known here.

    Raises:
        UsageError: What is wrong with it and what to do.
    """
    about = _about(args, desks)
    given = _given_message(args)
    if about is None:
        if not sys.stdin.isatty():
            raise UsageError(
                f"which scene? Give --desk {'|'.join(desks) or 'NAME'}, or --scene TEXT"
            )
        about = _ask_scene(err, desks)
    return Question(about, _checked(_ask_message(err) if given is None else given))


def read_message(args: argparse.Namespace, err: Terminal) -> str:
    """Take only the message, as ``read_question`` does.

    Raises:
        UsageError: What is wrong with it and what to do.
    """
    given = _given_message(args)
    return _checked(_ask_message(err) if given is None else given)


def _about(args: argparse.Namespace, desks: list[str]) -> dict[str, str] | None:
    if args.desk is not None:
        if desks and args.desk not in desks:
            raise UsageError(f"there is no desk {args.desk!r}; the desks are {', '.join(desks)}")
        return {"desk": args.desk}
    if args.scene is not None:
        if not args.scene.strip():
            raise UsageError("the scene is empty: describe the business in a sentence")
        return {"support_context": _utf8(args.scene, "the scene")}
    return None


def _given_message(args: argparse.Namespace) -> str | None:
    """The message, or None when a person at a terminal has to be asked for it."""
    if args.file is not None:
        if args.message:
            raise UsageError("give the message once: either in words or with --file")
        return _decoded(_read_file(args.file), args.file)
    if args.message == [_STDIN] or (not args.message and not sys.stdin.isatty()):
        return _decoded(sys.stdin.buffer.read(MAX_BYTES + 3), "standard input")
    return " ".join(args.message) if args.message else None


def _read_file(name: str) -> bytes:
    try:
        with Path(name).open("rb") as file:
            return file.read(MAX_BYTES + 3)
    except OSError as error:
        raise UsageError(f"--file {name}: {error.strerror}") from None


def _decoded(content: bytes, where: str) -> str:
    """Text from outside, without a byte order mark and the newline that ends its last line."""
    if len(content) > MAX_BYTES + 2:
        raise UsageError(_TOO_LONG)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{where} is not UTF-8 text (byte {error.start + 1}); convert it with iconv"
        ) from None
    return text.removesuffix("\n").removesuffix("\r")


def _checked(message: str) -> str:
    if not message.strip():
        raise UsageError("the message is empty")
    if "\0" in message:
        raise UsageError(f"the message has a NUL at character {message.index(chr(0)) + 1}")
    if len(_utf8(message, "the message").encode()) > MAX_BYTES:
        raise UsageError(_TOO_LONG)
    return message


def _utf8(text: str, what: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{what} is not UTF-8 text") from None
    return text


def _ask_scene(err: Terminal, desks: list[str]) -> dict[str, str]:
    known = f"A desk ({', '.join(desks)}) or a" if desks else "A"
    err.line(Ink("Which scene?", "bold"), f" {known} sentence that describes the business.")
    while True:
        answer = read_line("Scene> ")
        if answer is None:
            raise UsageError("no scene was given")
        scene = answer.strip()
        if scene.lower() in desks:
            return {"desk": scene.lower()}
        if scene and not _NAME.fullmatch(scene):
            return {"support_context": _utf8(scene, "the scene")}
        if scene:
            err.line(f"There is no desk {scene!r}. Name one, or describe the business.")


def _ask_message(err: Terminal) -> str:
    """Lines until a full stop alone or the end of input: pasted blank lines are part of it."""
    err.line(
        Ink("What does the customer write?", "bold"),
        " Several lines are fine, blank ones too.",
    )
    err.line("Finish with a line that holds only a full stop, or with Ctrl-D.")
    lines: list[str] = []
    while (line := read_line("> ")) is not None and line.strip() != ".":
        lines.append(line)
    return "\n".join(lines).strip("\n")


def read_line(prompt: str) -> str | None:
    """One line, or one paste of many lines, from the terminal; None at the end of input.

    Through readline where Python has it: it edits, and takes lines of any length, while a
    terminal by itself keeps 4,095 bytes of a line and drops the rest.
    """
    try:
        import readline
    except ImportError:
        pass
    else:
        readline.set_auto_history(False)
        if "libedit" not in (readline.__doc__ or ""):
            readline.parse_and_bind("set enable-bracketed-paste on")
    try:
        with _stdout_on_stderr():
            return input(prompt)
    except EOFError:
        sys.stderr.write("\n")
        return None


@contextmanager
def _stdout_on_stderr() -> Iterator[None]:
    """What ``input`` writes goes to stderr: stdout holds nothing but the result."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
