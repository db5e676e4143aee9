"""Golden cases: what is in the repository, and how a mistake in it is told."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from evals.errors import EvalError
from evals.golden_cases import load_golden

CASES = load_golden().rows


def test_there_are_enough_over_five_desks_and_eight_languages() -> None:
    assert len(CASES) >= 120
    assert Counter(row["desk"] for row in CASES).keys() == {
        "bank",
        "hotel",
        "restaurant",
        "shop",
        "telecom",
    }
    languages = Counter(row["language"] for row in CASES)
    assert languages.keys() >= {"en", "de", "fr", "es", "it", "nl", "pt", "pl"}
    assert min(languages.values()) >= 5


def test_every_kind_of_message_is_there_tuned_on_and_held_out() -> None:
    tags = Counter(tag for row in CASES for tag in row["tags"])
    held_out = Counter(tag for row in CASES if row["held_out"] for tag in row["tags"])

    assert min(tags.values()) >= 5, tags
    assert held_out.keys() >= {
        "safety",
        "legal",
        "fraud",
        "privacy",
        "person",
        "attack",
        "question",
    }


def test_no_message_is_there_twice() -> None:
    texts = Counter(" ".join(row["text"].lower().split()) for row in CASES)
    assert [text for text, times in texts.items() if times > 1] == []


GOOD = """\
- id: dirty
  message: My room is dirty.
  escalate: true
  required: [send_housekeeping]
  tags: [complaint]
"""


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("hotel", "", "golden/hotel.yaml:1: must be a list of cases"),
        ("hotel", "id: dirty\n", "golden/hotel.yaml:1: must be a list of cases"),
        ("hotel", GOOD + "  tags: [\n", "golden/hotel.yaml:7: not YAML"),
        ("hotel", GOOD.replace("  tags", "\n  tagz"), "golden/hotel.yaml:1: tags: Field required"),
        ("hotel", GOOD + "  urgent: true\n", "golden/hotel.yaml:6: urgent: Extra inputs"),
        (
            "hotel",
            GOOD.replace("true", "perhaps"),
            "golden/hotel.yaml:3: escalate: Input should be",
        ),
        ("hotel", GOOD.replace("complaint", "gas"), "golden/hotel.yaml:5: tags: Input should be"),
        ("hotel", GOOD.replace("true", "false"), "golden/hotel.yaml:1: required actions and"),
        (
            "hotel",
            GOOD + "  allowed: [send_housekeeping]\n",
            "golden/hotel.yaml:1: required and allowed at once: send_housekeeping",
        ),
        (
            "hotel",
            GOOD.replace("send_housekeeping", "wire_money"),
            "golden/hotel.yaml:1: wire_money is not in the catalogue of desks/hotel.yaml",
        ),
        ("hotel", GOOD + "\n" + GOOD, "golden/hotel.yaml:7: a second case with the id dirty"),
        ("hotell", GOOD, "golden/hotell.yaml:1: there is no desk hotell"),
        ("hotel", GOOD + "- dirty\n", "golden/hotel.yaml:6: Input should be a valid dictionary"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(
    tmp_path: Path, file: str, text: str, said: str
) -> None:
    folder = tmp_path / "golden"
    folder.mkdir()
    (folder / f"{file}.yaml").write_text(text)

    with pytest.raises(EvalError) as found:
        load_golden(folder)

    assert str(found.value).startswith(said)


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match="no golden cases"):
        load_golden(tmp_path)
