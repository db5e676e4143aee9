"""What only a real terminal shows: questions, pastes, redrawing, Ctrl-C."""

from __future__ import annotations

import json
from typing import Any

import pytest

PASTE = "Dear hotel,\n\nmy room is dirty.\n\n\nYours, José 😀"


def test_asks_for_the_scene_and_then_for_the_message(
    on_terminal: Any, frontdesk: Any, make_case: Any
) -> None:
    frontdesk.cases = [make_case()]
    terminal = on_terminal("ask")

    terminal.wait_for("A desk (bank, hotel) or a sentence")
    terminal.wait_for("Scene> ")
    terminal.type("Hotel\n")
    terminal.wait_for("full stop")
    terminal.wait_for("> ")
    terminal.type("It is dirty.\n.\n")
    ended = terminal.end()

    assert ended.code == 0
    assert frontdesk.posted[0]["desk"] == "hotel"
    assert frontdesk.asked == "It is dirty."
    assert ended.out.startswith("\nReply\n")


def test_free_text_is_a_scene_and_a_single_unknown_word_is_asked_again(
    on_terminal: Any, frontdesk: Any, make_case: Any
) -> None:
    frontdesk.cases = [make_case()]
    terminal = on_terminal("ask")

    terminal.wait_for("Scene> ")
    terminal.type("hotell\n")
    terminal.wait_for("There is no desk 'hotell'")
    terminal.wait_for("Scene> ")
    terminal.type("A bakery in Lyon.\n")
    terminal.wait_for("full stop")
    terminal.wait_for("> ")
    terminal.type("Merci\n")
    terminal.wait_for("> ")
    terminal.type("\x04")

    assert terminal.end().code == 0
    assert frontdesk.posted[0]["support_context"] == "A bakery in Lyon."
    assert frontdesk.asked == "Merci"


@pytest.mark.parametrize("kind", ["xterm", "dumb"])
def test_a_pasted_letter_with_blank_lines_is_one_message(
    on_terminal: Any, frontdesk: Any, make_case: Any, kind: str
) -> None:
    frontdesk.cases = [make_case()]
    terminal = on_terminal("ask", "--desk", "hotel", TERM=kind)

    terminal.wait_for("> ")
    terminal.paste(PASTE)
    terminal.type("\n.\n")

    assert terminal.end().code == 0
    assert frontdesk.asked == PASTE


def test_a_long_line_is_not_cut(on_terminal: Any, frontdesk: Any, make_case: Any) -> None:
    frontdesk.cases = [make_case()]
    terminal = on_terminal("ask", "--desk", "hotel")

    terminal.wait_for("> ")
    terminal.paste("dirty " * 1500)
    terminal.type("\n")
    terminal.wait_for("> ")
    terminal.type("\x04")

    assert terminal.end().code == 0
    assert frontdesk.asked == "dirty " * 1500


def test_ctrl_d_at_once_is_bad_usage(on_terminal: Any, frontdesk: Any) -> None:
    terminal = on_terminal("ask")

    terminal.wait_for("Scene> ")
    terminal.type("\x04")
    ended = terminal.end()

    assert ended.code == 2
    assert "no scene was given" in ended.err
    assert "Traceback" not in ended.err


def test_agents_are_redrawn_in_place_with_colours(
    on_terminal: Any, frontdesk: Any, make_case: Any, stage: Any
) -> None:
    busy = make_case(status="working", stages=(stage("reply", "working"),))
    frontdesk.cases = [busy, busy, make_case(stages=(stage("reply", "finished"),))]

    ended = on_terminal("ask", "--desk", "hotel", "--json", "Hi").end()

    assert "\x1b[1F" in ended.err
    assert "\x1b[32m✓\x1b[0m reply" in ended.err
    assert json.loads(ended.out)["case_id"]


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_color_and_dumb_terminals_get_no_colours(
    on_terminal: Any, frontdesk: Any, make_case: Any, stage: Any, environ: dict[str, str]
) -> None:
    frontdesk.cases = [make_case(stages=(stage("reply", "finished"),))]

    ended = on_terminal("ask", "--desk", "hotel", "Hi", **environ).end()

    assert ended.code == 0
    assert "\x1b[32m" not in ended.err
    assert ("\x1b[" in ended.err) == ("TERM" not in environ)


def test_ctrl_c_names_the_stored_case_and_ends_with_130(
    on_terminal: Any, frontdesk: Any, make_case: Any, stage: Any
) -> None:
    frontdesk.cases = [make_case(status="working", stages=(stage("reply", "working"),))]
    terminal = on_terminal("ask", "--desk", "hotel", "Hi")

    terminal.wait_for("reply")
    terminal.interrupt()
    ended = terminal.end()

    assert ended.code == 130
    assert "case 3f2a9c1b-1111-4222-8333-444455556666 is stored" in ended.err
    assert ended.err.endswith("interrupted\r\n")
    assert "Traceback" not in ended.err
    assert ended.out == ""
