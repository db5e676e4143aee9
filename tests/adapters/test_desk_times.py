"""Hours, promises and digests in a desk file: read as people write them, mistakes by their line."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from shared.adapters.desk_files import load_desks
from shared.errors import ConfigError

DESK = """\
name: default
title: Any business
scene: A shop.
actions:
  - name: refund
    description: Pays money back.
    when: Charged wrongly.
"""
TIMES = """\
time_zone: Europe/Berlin
hours:
  weekdays: 9:00-12:30, 13:30-18:00
  saturday: 10:00-14:00
  closed: [2026-12-25, 2026-12-26]
sla:
  - urgency: critical
    first_reply: 15m
    resolution: 4h
    around_the_clock: true
  - urgency: normal
    first_reply: 1h 30m
digest:
  at: "8:00"
  days: [weekdays]
  email: [lead@shop.example.com]
"""
FIRST = len(DESK.splitlines())


def problems(folder: Path, text: str) -> list[str]:
    (folder / "default.yaml").write_text(DESK + text)
    try:
        load_desks(folder)
    except ConfigError as error:
        return str(error).splitlines()
    return []


def test_promises_are_counted_in_the_hours_of_the_desk(tmp_path: Path) -> None:
    assert problems(tmp_path, TIMES) == []
    desk = load_desks(tmp_path).every[0]
    assert desk.hours is not None
    assert desk.hours.closed == (date(2026, 12, 25), date(2026, 12, 26))

    # Thursday before Christmas, 17:30 in Berlin; Saturday the 26th is closed too.
    due = desk.due_times(datetime(2026, 12, 24, 16, 30, tzinfo=UTC))

    assert due["normal"]["first_reply"].breached == datetime(2026, 12, 28, 9, tzinfo=UTC)
    assert due["critical"]["resolution"].breached == datetime(2026, 12, 24, 20, 30, tzinfo=UTC)
    assert due["critical"]["resolution"].at_risk == datetime(2026, 12, 24, 19, 30, tzinfo=UTC)
    assert due.keys() == {"critical", "normal"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Europe/Berlin", "Berlin time", "1: time_zone: 'Berlin time' is not a time zone"),
        ("Europe/Berlin", "Europe/Atlantis", "1: time_zone: 'Europe/Atlantis' is not a time zone"),
        ("Europe/Berlin", "localtime", "1: time_zone: 'localtime' is not a time zone"),
        ("weekdays:", "wekdays:", "3: hours.wekdays: unknown field; did you mean weekdays?"),
        ("10:00-14:00", "10-14", "4: hours.saturday: '10-14' are no opening hours; write such"),
        ("10:00-14:00", "11:30", "4: hours.saturday: YAML reads 11:30 as something other than"),
        ("2026-12-25", "25.12.2026", "5: hours.closed[0]: must be a day such as 2026-12-25"),
        ("2026-12-25", "2026-13-25", "5: hours.closed[0]: must be a day such as 2026-12-25"),
        ("resolution: 4h", "resolution: 4 hours", "9: sla[0].resolution: '4 hours' is not a time"),
        ("resolution: 4h", "resolution: 0m", "9: sla[0].resolution: '0m' is not a time; write"),
        ("urgency: normal", "urgency: critical", "11: sla[1].urgency: 'critical' is taken, see"),
        ("urgency: normal", "urgency: urgent", "11: sla[1].urgency: 'urgent' is not one of low"),
        ("first_reply: 1h 30m", "# none", "11: sla[1]: promises nothing; add first_reply"),
        ("1h 30m", "999h", ""),
        ('"8:00"', "8:00", "14: digest.at: YAML reads 8:00 as something other than text"),
        ('"8:00"', "8 am", "14: digest.at: '8 am' is not a time of day; write such as"),
        ("[weekdays]", "[]", "15: digest.days: must have at least 1"),
        ("lead@shop.example.com", "lead", "16: digest.email[0]: 'lead' is not an e-mail address"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    found = problems(tmp_path, TIMES.replace(old, new, 1))
    if not said:
        assert found == []
        return
    line, _, reason = said.partition(":")
    assert len(found) == 1, found
    assert found[0].startswith(f"{tmp_path.name}/default.yaml:{FIRST + int(line)}:{reason}")


def test_a_promise_that_takes_years_by_the_opening_hours_is_told(tmp_path: Path) -> None:
    text = TIMES.replace("weekdays: 9:00-12:30, 13:30-18:00", "sunday: 9:00-9:10")
    text = text.replace("  saturday: 10:00-14:00\n", "").replace("1h 30m", "10h")
    [said] = problems(tmp_path, text)
    assert "sla: first_reply for urgency normal takes more than a year" in said


def test_the_example_in_the_documentation_loads(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "desks.md").read_text("utf-8")
    [example] = re.findall(r"## Hours and promises\n+```yaml\n(.*?)```", page, re.DOTALL)
    assert problems(tmp_path, example) == []


def test_a_day_where_text_belongs_is_told(tmp_path: Path) -> None:
    [said] = problems(tmp_path, "facts:\n  - 2026-12-25\n")
    assert 'write "2026-12-25" in quotes' in said
