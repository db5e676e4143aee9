from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.desk_files import load_desks
from shared.domain.desk import Desks
from shared.errors import ConfigError

GOOD = """\
name: default
title: Any business
scene: >-
  A shop that sells
  many things.
facts:
  - Open from 8 to 18. # weekdays
actions:
  - name: refund
    description: Pays money back.
    when: Charged wrongly.
    arguments:
      - name: amount
        type: number
        description: Dollars
        maximum: 50
"""


def problems(folder: Path, *, default: str | bytes = GOOD, **others: str | bytes) -> list[str]:
    for name, text in {"default": default, **others}.items():
        data = text if isinstance(text, bytes) else text.encode()
        (folder / f"{name}.yaml").write_bytes(data)
    try:
        load_desks(folder)
    except ConfigError as error:
        return str(error).splitlines()
    return []


@pytest.fixture
def desks(tmp_path: Path) -> Path:
    folder = tmp_path / "desks"
    folder.mkdir()
    return folder


def test_every_yaml_file_is_a_desk(desks: Path) -> None:
    (desks / "default.yaml").write_text(GOOD)
    (desks / "shop.YML").write_text(GOOD.replace("name: default", "name: shop"))
    for other in ("README.md", ".shop.yaml", "shop.yaml~"):
        (desks / other).write_text("not a desk")

    loaded = load_desks(desks)

    assert loaded.names == ("default", "shop")
    shop = loaded.get("shop")
    assert shop is not None
    assert shop.scene == "A shop that sells many things."
    assert shop.facts == ("Open from 8 to 18.",)
    assert shop.actions[0].arguments[0].maximum == 50


@pytest.mark.parametrize(
    "text", [GOOD.replace("\n", "\r\n"), "\ufeff" + GOOD, "---\n" + GOOD, GOOD + "may_ask: yes\n"]
)
def test_windows_line_ends_a_byte_order_mark_and_yes_for_true_are_fine(
    desks: Path, text: str
) -> None:
    assert problems(desks, default=text) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("type: number", "type: txt", "14: actions[0].arguments[0].type: 'txt' is not one of text"),
        ("    when: Charged wrongly.\n", "", "9: actions[0].when: missing"),
        ("title:", "titel:", "2: titel: unknown field; did you mean title?"),
        ("title: Any business", "title:", "2: title: empty"),
        ("title: Any business", "title: ' '", "2: title: empty"),
        ("title: Any business", f"title: {'x' * 401}", "2: title: longer than 400 characters"),
        ("title: Any business", 'title: "a\\0b"', "2: title: holds a control character"),
        ("title: Any business", 'title: "\\ud800"', "2: title: holds a character that is not"),
        ("title: Any business", "title: [a]", "2: title: a list where one text belongs"),
        ("title: Any business", "title: Room #12", "2: title: all after 'Room' is cut off"),
        ("- Open from 8 to 18.", "- 'Open'\n  - no", "8: facts[1]: YAML reads no as something"),
        ("- Open from 8 to 18.", "- 11:00", "7: facts[0]: YAML reads 11:00 as something other"),
        ("- Open from 8 to 18.", "- 2026-01-31", 'write "2026-01-31" in quotes'),
        ("- Open from 8 to 18.", "- 2026-13-45", "7: facts[0]: YAML reads 2026-13-45"),
        ("- Open from 8 to 18.", "- Open: at 8", "7: facts[0]: a ': ' or { makes this a field"),
        ("- Open from 8 to 18.", "Open", "6: facts: must be a list: one line for each"),
        ("maximum: 50", "maximum: fifty", "16: actions[0].arguments[0].maximum: must be a number"),
        ("maximum: 50", "maximum: .inf", "16: actions[0].arguments[0].maximum: must be a number"),
        ("maximum: 50", "max_length: 5", "13: actions[0].arguments[0]: choices and max_length are"),
        ("type: number", "max_length: 0", "14: actions[0].arguments[0].max_length: must be at le"),
        ("type: number", "required: 'yes'", "14: actions[0].arguments[0].required: must be true"),
        (
            "type: number",
            "type: integer\n        type: number",
            "15: actions[0].arguments[0].type: given twice, first in line 14",
        ),
        ("maximum: 50", "maximun: 50", "16: actions[0].arguments[0].maximun: unknown field; did"),
        ("maximum: 50", "<<: {a: b}", "16: actions[0].arguments[0].<<: unknown field; known here"),
        ("maximum: 50", "? [a]\n        : b", "16: actions[0].arguments[0]: a field's name cannot"),
        ("name: refund", "name: Pay Back", "9: actions[0].name: 'Pay Back' is not a name"),
        ("name: default", "name: other", "1: name: 'other' differs from the file's name"),
        ("facts:", "max_reply_chars: 50\nfacts:", "6: max_reply_chars: must be at least 100"),
        (
            "facts:",
            "acknowledgements:\n  - language: English\n    text: Thanks.\nfacts:",
            "7: acknowledgements[0].language: 'English' is not a language; write its two letters",
        ),
        (
            "facts:",
            "acknowledgements:\n  - language: no\n    text: Takk.\nfacts:",
            "7: acknowledgements[0].language: YAML reads no as something other than text",
        ),
        ("scene: >-", "scene:\ttab", "3: a tab; use spaces"),
        ("  - name: refund", "\t- name: refund", "9: a tab; use spaces"),
        ("title: Any", "title: A: B", "2: a ': ' too many"),
        ("title: Any", 'title: "Any', "2: a quote is opened and never closed"),
        ("title: Any", "title: 'Any' or", "2: does not fit the lines above"),
        ("title: Any", "title: *Any*", "2: text that begins with * or & must be in quotes"),
        ("title: Any", "title: &any Any", "2: text that begins with * or & must be in quotes"),
        ("title: Any", "title: !!python/name:os.system", "2: text that begins with ! must be in"),
        ("title: Any", "title: @Any", "2: text that begins with this character must be in quotes"),
        ("title: Any", "title: [Any", "3: text that begins with [ or { must be in quotes"),
        ("title: Any business", 'title: "C:\\Users"', "2: a \\ inside double quotes"),
        ("title: Any business", 'title: "\\UFFFFFFFF"', "2: a \\ inside double quotes"),
        ("title: Any business", '"two\\nlines": x', "2: two lines: unknown field; known here"),
        ("title: Any business", "hello", "3: neither a field, 'name: …', nor a list item"),
        ("title: Any", "title: " + "[" * 5000, "2: too many levels"),
        ("title: Any", "title: \x01", "2: holds a control character"),
        ("maximum: 50", "maximum: 50\n---\na: b", "17: a second desk in this file"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_do(
    desks: Path, old: str, new: str, said: str
) -> None:
    assert old in GOOD

    found = problems(desks, default=GOOD.replace(old, new, 1))

    assert any(said in line and line.startswith("desks/default.yaml:") for line in found), found


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "1: empty"),
        (b"%YAML 1." + b"9" * 5000 + b"\n---\na: b\n", "1: "),
        (b"# only a comment\n", "1: empty"),
        (b"- a list\n", "1: not a desk"),
        (b"hello", "1: not a desk"),
        (GOOD.replace("Charged", "Chargé").encode("latin-1"), "11: not UTF-8"),
        (GOOD.encode("utf-16"), "1: not UTF-8"),
        (GOOD.encode() + b"#" * 140_000, "1: larger than 128 KiB"),
    ],
)
def test_a_file_that_is_no_desk_is_told(desks: Path, data: bytes, said: str) -> None:
    (line,) = problems(desks, default=data)
    assert line.startswith(f"desks/default.yaml:{said}")


def test_all_mistakes_of_all_files_are_told_at_once_in_the_order_of_their_lines(
    desks: Path,
) -> None:
    first = GOOD.replace("type: number", "type: txt").replace("title:", "titel:")
    refund_again = "  - name: refund\n    description: Again.\n    when: never\n    approval: off\n"

    found = problems(desks, default=first, hotel=GOOD + refund_again, tab="\tx")

    assert [re.sub(r"([^:]+:\d+: [\w\[\].]+).*", r"\1", line) for line in found] == [
        "desks/default.yaml:1: title",
        "desks/default.yaml:2: titel",
        "desks/default.yaml:14: actions[0].arguments[0].type",
        "desks/hotel.yaml:1: name",
        "desks/hotel.yaml:17: actions[1].name",
        "desks/hotel.yaml:20: actions[1].approval",
        "desks/tab.yaml:1: a",
    ]
    assert found[4].endswith("'refund' is taken, see line 9; change one")


def test_a_name_taken_by_another_action_is_told_once(desks: Path) -> None:
    again = "  - name: refund\n    description: Again.\n    when: never\n"
    assert problems(desks, default=GOOD + again) == [
        "desks/default.yaml:17: actions[1].name: 'refund' is taken, see line 9; change one"
    ]


def test_two_acknowledgements_in_one_language_are_told_once(desks: Path) -> None:
    thanks = "  - language: en\n    text: Thanks.\n"
    (line,) = problems(desks, default=GOOD + "acknowledgements:\n" + thanks + thanks)
    assert line.endswith(
        ":20: acknowledgements[1].language: 'en' is taken, see line 18; change one"
    )


def test_a_mistake_in_the_only_action_is_not_told_as_a_missing_action(desks: Path) -> None:
    assert len(problems(desks, default=GOOD.replace("type: number", "type: txt"))) == 1
    (line,) = problems(desks, default="name: default\ntitle: T\nscene: S\nactions: []\n")
    assert line == "desks/default.yaml:4: actions: must have at least 1"


def test_two_files_of_one_desk_are_told(desks: Path) -> None:
    (desks / "default.yml").write_text(GOOD)
    (line,) = problems(desks)
    assert "two files for the desk default" in line


def test_the_default_desk_must_be_there(desks: Path) -> None:
    shop = GOOD.replace("name: default", "name: shop")
    (desks / "shop.yaml").write_text(shop)
    with pytest.raises(ConfigError, match=r"^desks/default\.yaml: missing"):
        load_desks(desks)


def test_a_missing_folder_and_an_unreadable_file_are_told(desks: Path) -> None:
    (desks / "gone.yaml").symlink_to(desks / "nowhere")
    assert problems(desks) == ["desks/gone.yaml:1: cannot be read: No such file or directory"]
    with pytest.raises(ConfigError, match="no such folder"):
        load_desks(desks / "none")


def test_the_example_in_the_documentation_gives_the_output_shown_there(desks: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "desks.md").read_text("utf-8")
    page = page.partition("## When something is wrong")[2]
    example, output = re.findall(r"```(?:yaml|text)\n(.*?)```", page, re.DOTALL)
    assert problems(desks, garage=example) == output.splitlines()


broken = st.one_of(
    st.text(max_size=200),
    st.text(alphabet=' \n\t\\xuU0fF"', max_size=12).map('title: "{}"\n'.format),
    st.text(alphabet=" \n\t:-#[]{}'\"*&!|>%@`?,a1.~<", max_size=80),
    st.tuples(
        st.integers(0, len(GOOD)),
        st.integers(0, 12),
        st.text(alphabet=" \n\t:-#[]{}'\"*&!|>%@`?,a1\0\ud800\u2028", max_size=6),
    ).map(lambda cut: GOOD[: cut[0]] + cut[2] + GOOD[cut[0] + cut[1] :]),
)


@settings(deadline=None)  # the machine may be busy
@given(text=broken)
def test_any_text_at_all_loads_or_is_told_with_a_line_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "desks"
    folder.mkdir(exist_ok=True)
    (folder / "default.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    last = max(1, len(text.splitlines()) + 1)
    try:
        assert isinstance(load_desks(folder), Desks)
    except ConfigError as error:
        for line in str(error).splitlines():
            place = re.match(r"desks/default\.yaml:(\d+): ", line)
            assert place, line
            assert 1 <= int(place[1]) <= last


RULES = """\
tell:
  - name: Duty
    email: duty@example.com
reactions:
  - name: praise
    when: {sentiment: Positive}
    then:
      propose:
        - action: refund
          arguments: {amount: 5}
      tell: [Duty]
"""


def test_a_rule_knows_its_file_and_line(desks: Path) -> None:
    assert problems(desks, default=GOOD + RULES) == []
    (rule,) = load_desks(desks).every[0].reactions
    assert rule.where == "desks/default.yaml:21"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sentiment: Positive", "mood: good", "22: reactions[0].when.mood: unknown field; known"),
        ("sentiment: Positive", "risks: [fire]", "22: reactions[0].when.risks[0]: 'fire' is not"),
        ("propose:", "proposes:", "24: reactions[0].then.proposes: unknown field; did you mean"),
        ("action: refund", "action: fly", "25: reactions[0].then.propose[0].action: no action of"),
        ("{amount: 5}", "{amount: 500}", "26: reactions[0].then.propose[0].arguments: amount: m"),
        ("{amount: 5}", "{sum: 5}", "26: reactions[0].then.propose[0].arguments: amount: missin"),
        ("[Duty]", "[Boss]", "27: reactions[0].then.tell[0]: nobody of that name under tell"),
        (
            "tell: [Duty]",
            "ask_for_review: true",
            "25: reactions[0].then.propose[0].action: waits for",
        ),
        (
            "  - name: praise",
            "  - name: praise\n    when: {words: [x]}\n    then: {tags: [x]}\n  - name: praise",
            "24: reactions[1].name: 'praise' is taken, see line 21; change one",
        ),
    ],
)
def test_a_mistake_in_a_rule_is_told_with_its_line(
    desks: Path, old: str, new: str, said: str
) -> None:
    found = problems(desks, default=GOOD + RULES.replace(old, new, 1))
    assert any(line.startswith(f"desks/default.yaml:{said}") for line in found), found
