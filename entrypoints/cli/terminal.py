"""Writing to people: colours, widths, and nothing that could steer their terminal.

Whatever a customer or a model wrote passes through ``Terminal.line``, which shows control and
bidirectional-override characters as ``<U+001B>`` and adds colour only by itself. So a message can
neither move the cursor, nor hide a link behind other words, nor turn a line round.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TextIO

_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_NEWLINES = re.compile(r"\r\n|[\r\n\v\f\u0085\u2028\u2029]")
_JSON_STEERING = re.compile(r"[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_WIDTH = 100
_ZERO_WIDTH = ("Mn", "Me", "Cf")


class Ink(NamedTuple):
    """A piece of a line with a style: bold, dim, red, green, yellow or cyan."""

    text: str
    style: str


Part = str | Ink


class Terminal:
    """One output stream and what it can show.

    Attributes:
        live: True on a terminal that can be redrawn in place.
        colour: True when colours may be used (NO_COLOR is not set).
    """

    def __init__(self, stream: TextIO, environ: Mapping[str, str]) -> None:
        self._stream = stream
        self.live = stream.isatty() and environ.get("TERM", "dumb") != "dumb"
        self.colour = self.live and not environ.get("NO_COLOR")
        self._unicode = "utf" in (stream.encoding or "").lower()
        self._drawn = 0

    @property
    def width(self) -> int:
        """Cells in a line, read anew each time because windows change size."""
        if not self.live:
            return _WIDTH
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or _WIDTH
        except OSError:
            return _WIDTH

    def glyph(self, wanted: str, plain: str) -> str:
        """A sign that this stream can encode."""
        return wanted if self._unicode else plain

    def line(self, *parts: Part) -> None:
        """Write one line; newlines inside it become spaces."""
        self._drawn = 0
        self._stream.write(self._inked(parts).rstrip(" ") + "\n")
        self._stream.flush()

    def text(self, text: str, indent: int = 2, mark: str = "") -> None:
        """Write a text of any length, wrapped to the width, with a mark before its first line."""
        for row in wrap(text, max(1, min(self.width, _WIDTH) - indent - len(mark))):
            self.line(" " * indent + mark + row)
            mark = " " * len(mark)

    def redraw(self, lines: Iterable[tuple[Part, ...]]) -> None:
        """Write lines over those of the last ``redraw``, cut to the width so that none wraps."""
        rows = [self._inked(tuple(clip(line, self.width - 1))) for line in lines]
        up = f"\x1b[{self._drawn}F" if self._drawn else ""
        self._stream.write(up + "".join(f"\x1b[2K{row}\n" for row in rows) + "\x1b[J")
        self._stream.flush()
        self._drawn = len(rows)

    def _inked(self, parts: Iterable[Part]) -> str:
        return "".join(self._paint(part) for part in parts)

    def _paint(self, part: Part) -> str:
        if isinstance(part, str):
            return visible(part)
        text = visible(part.text)
        return f"\x1b[{_STYLES[part.style]}m{text}\x1b[0m" if self.colour and text else text


class Screen(NamedTuple):
    """Where a verb writes: results to ``out`` (stdout), progress to ``err`` (stderr)."""

    out: Terminal
    err: Terminal
    raw: Callable[[str], None]

    def json(self, text: str) -> None:
        """Write JSON and nothing else: the same value, safe to look at in a terminal."""
        self.raw(_JSON_STEERING.sub(lambda hit: f"\\u{ord(hit[0]):04x}", text) + "\n")


def screen(stdout: TextIO, stderr: TextIO) -> Screen:
    """The screen of this process; what a stream cannot encode is shown as an escape."""
    for stream in (stdout, stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")

    def raw(text: str) -> None:
        stdout.flush()
        stdout.buffer.write(text.encode())
        stdout.flush()

    return Screen(Terminal(stdout, os.environ), Terminal(stderr, os.environ), raw)


def visible(text: str) -> str:
    """One line of text with everything that could steer a terminal made visible."""
    line = _NEWLINES.sub(" ", text).replace("\t", "    ")
    return _STEERING.sub(lambda hit: f"<U+{ord(hit[0]):04X}>", line)


def cells(text: str) -> int:
    """Columns that a text takes up: wide characters two, combining marks none."""
    return sum(map(_cells, text))


def _cells(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in _ZERO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def pad(text: str, width: int) -> str:
    """The text as one visible line, filled up with spaces to a width in cells."""
    line = visible(text)
    return line + " " * (width - cells(line))


def clip(parts: Iterable[Part], width: int) -> Iterator[Part]:
    """A line's beginning, as much as fits into a width in cells."""
    left = width
    for part in parts:
        kept = cut(part if isinstance(part, str) else part.text, left)
        left -= cells(kept)
        yield kept if isinstance(part, str) else Ink(kept, part.style)


def cut(text: str, width: int) -> str:
    """A text as one visible line, ended with ``…`` where it was too long for a width in cells."""
    line = visible(text)
    if cells(line) <= width:
        return line
    head, _ = _split(line, width - 1)
    return head + "…" if width > 0 else ""


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` cells; line breaks and margins stay, long words are cut."""
    rows: list[str] = []
    for paragraph in _NEWLINES.split(text):
        shown = visible(paragraph)
        words = shown.lstrip(" ")
        margin = " " * min(len(shown) - len(words), width // 2)
        room = width - len(margin)
        row = ""
        for word in words.split(" "):
            joined = f"{row} {word}" if row else word
            if cells(joined) <= room:
                row = joined
                continue
            if row:
                rows.append(margin + row)
            row = word
            while cells(row) > room:
                head, row = _split(row, room)
                rows.append(margin + head)
        rows.append(margin + row if row else "")
    return rows


def _split(text: str, width: int) -> tuple[str, str]:
    """As many whole characters, marks included, as fit; at least one, so that loops end."""
    used = 0
    for at, char in enumerate(text):
        used += _cells(char)
        if used > width and at > 0:
            return text[:at], text[at:]
    return text, ""
