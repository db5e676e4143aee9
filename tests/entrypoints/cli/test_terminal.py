"""What text looks like once it is on a terminal, and what it can never do there."""

from __future__ import annotations

import io
import os

import pytest

from entrypoints.cli.terminal import Ink, Terminal, cells, cut, pad, visible, wrap


class Tty(io.StringIO):
    """A stream that is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return -1


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((12, 24)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]8;;http://evil.test\x1b\\bank\x1b]8;;\x1b\\", None),
        ("\x1b[2J\x1b[31mred", None),
        ("\x9b31mred\x07\x08", None),
        ("a\u202egnp.exe\u2069", "a<U+202E>gnp.exe<U+2069>"),
        ("half \ud83d", "half <U+D83D>"),
        ("a\r\nb\nc\u2028d\te", "a b c d    e"),
        ("Ünïcode e\u0301 שלום 😀 👩\u200d🚀", "Ünïcode e\u0301 שלום 😀 👩\u200d🚀"),
    ],
)
def test_what_could_steer_a_terminal_is_made_visible(text: str, shown: str | None) -> None:
    made = visible(text)

    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in made)
    assert made == (shown or made)
    assert visible(made) == made


def test_colours_are_ours_alone() -> None:
    out = Tty()

    Terminal(out, {"TERM": "xterm"}).line(Ink("\x1b[31mevil", "bold"), " \x1b[0m")

    assert out.getvalue() == "\x1b[1m<U+001B>[31mevil\x1b[0m <U+001B>[0m\n"


@pytest.mark.parametrize(
    "environ", [{"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb"}, {}], ids=str
)
def test_no_colours_where_they_are_not_wanted(environ: dict[str, str]) -> None:
    out = Tty()

    Terminal(out, environ).line(Ink("plain", "red"))

    assert out.getvalue() == "plain\n"


@pytest.mark.parametrize("width", [1, 2, 3, 10, 40])
@pytest.mark.parametrize(
    "text",
    ["one two three", "漢字かな交じり文 " * 9, "e\u0301" * 30, "😀" * 50, "", "a\n\n\nb", " x  y "],
)
def test_wrapping_keeps_every_character_and_fits(text: str, width: int) -> None:
    rows = wrap(text, width)

    assert "".join(rows).replace(" ", "") == text.replace(" ", "").replace("\n", "")
    assert all(cells(row) <= max(width, 2) for row in rows)


def test_wrapping_keeps_line_breaks_and_breaks_at_spaces() -> None:
    assert wrap("Dear hotel,\n\nmy room is dirty.", 10) == [
        "Dear",
        "hotel,",
        "",
        "my room is",
        "dirty.",
    ]


def test_wrapping_keeps_the_margin_of_a_list() -> None:
    assert wrap("- Dirty\n  asked at noon", 9) == ["- Dirty", "  asked", "  at noon"]
    assert wrap("    " * 40 + "x", 4) == ["  x"]


def test_columns_align_with_wide_characters() -> None:
    assert cells(pad("漢字", 6)) == cells(pad("abc", 6)) == 6
    assert cut("漢字かな", 5) == "漢字…"
    assert cut("short", 5) == "short"


@pytest.mark.usefixtures("narrow")
def test_redrawing_goes_up_over_the_last_lines_and_never_wraps() -> None:
    out = Tty()
    terminal = Terminal(out, {"TERM": "xterm"})

    terminal.redraw([("first",), ("second",)])
    terminal.redraw([(Ink("漢字かな交じり文", "red"), " tail")])

    first, second = out.getvalue().split("\x1b[2F")
    assert first == "\x1b[2Kfirst\n\x1b[2Ksecond\n\x1b[J"
    assert second == "\x1b[2K\x1b[31m漢字かな交…\x1b[0m\n\x1b[J"


@pytest.mark.usefixtures("narrow")
def test_a_line_after_redrawing_is_not_overwritten() -> None:
    out = Tty()
    terminal = Terminal(out, {"TERM": "xterm"})

    terminal.redraw([("first",)])
    terminal.line("kept")
    terminal.redraw([("second",)])

    assert "\x1b[1F" not in out.getvalue()
