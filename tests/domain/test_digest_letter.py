"""The digest's mail: everything in it that is not ours is escaped, cut and visible."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.digest import Counts, Digest
from shared.domain.digest_letter import digest_letter, digest_notice, figures, period
from tests.support.digests import END, a_digest, named

URL = "https://desk.example.com/api/cases/"


def test_it_says_what_is_pressing_and_how_it_changed() -> None:
    letter = digest_letter(a_digest(), lambda case_id: URL + case_id)
    assert letter.subject == (
        "[Harbour Lane Hotel] digest: 3 late, 3 to decide, 3 to do by hand, 3 escalated"
    )
    assert "Sun 29 Mar 2026 09:00 to Mon 30 Mar 2026 08:00 (Europe/Berlin)" in letter.text
    assert "Escalated to a person      3  (-2)\n" in letter.text
    assert "refund_guest (amount: 80), because charged twice" in letter.text
    assert f'<a href="{URL}00000000-0000-4000-8000-000000000000">' in letter.html


def test_nothing_to_report_is_said_plainly() -> None:
    empty = a_digest(0, backlog=0, counts=Counts(), before=None)
    letter = digest_letter(empty, str)
    assert letter.subject.endswith("digest: nothing to report")
    assert "Nothing to report: nobody wrote, and nobody waits." in letter.text
    assert figures(empty) == ()


def test_what_people_are_to_do_by_hand_is_named_with_its_age_what_it_is_and_why() -> None:
    digest = Digest(
        desk="hotel", title="Hotel", time_zone="Europe/Berlin", start=END, end=END, made_at=END,
        to_do=named(12, "call_guest (topic: refund), because he asked for it"),
    )  # fmt: skip
    letter = digest_letter(digest, lambda case_id: URL + case_id)
    assert letter.subject == "[Hotel] digest: 12 to do by hand"
    assert "To do by hand (12)\n" in letter.text
    assert (
        "since 30 Mar 03:00 (5 h 0 min ago); call_guest (topic: refund), because he asked for it"
        f"\n  {URL}00000000-0000-4000-8000-000000000000\n"
    ) in letter.text
    assert "and 2 more" in letter.text
    assert "<h2>To do by hand (12)</h2>" in letter.html
    assert letter.html.count("<li ") == 10
    notice = digest_notice(digest, str)
    assert [(b.heading, len(b.items), b.more) for b in notice.blocks] == [
        ("To do by hand (12)", 10, "and 2 more")
    ]
    assert "Nothing to report" not in letter.text + letter.html + str(notice)


def test_ten_thousand_cases_are_named_in_part_and_counted_in_whole() -> None:
    letter = digest_letter(a_digest(10_000), lambda case_id: URL + case_id)
    assert "Targets missed (10,000)" in letter.text
    assert "and 9,990 more" in letter.text
    assert len(letter.html) < 40_000


def test_a_window_is_told_by_the_clock_of_the_desk() -> None:
    assert period(a_digest(time_zone="America/New_York", end=END)).endswith(
        "Mon 30 Mar 2026 02:00 (America/New_York)"
    )


@settings(max_examples=80, deadline=None)
@given(what=st.text(max_size=400), why=st.text(max_size=400))
def test_whatever_is_in_it_no_markup_comes_of_it(what: str, why: str) -> None:
    letter = digest_letter(a_digest(1, what=f"<b>{what}", why=f"<img src=x>{why}"), str)
    assert "<b>" not in letter.html
    assert "<img" not in letter.html
    assert "\u202e" not in letter.html + letter.text
