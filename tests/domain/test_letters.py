from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.case import StageView, Turn
from shared.domain.gathering import member_of
from shared.domain.letters import case_notice, escalation_letter
from shared.domain.stage import EffectRequest, StageError
from tests.support.effect_calls import CASE_ID, a_case, a_desk, an_action

LOOK = f"./frontdesk show {CASE_ID}"
TEXT = """\
Harbour Lane Hotel: a customer's message needs a person.

What is asked of you
- Take the case over: read it, and write to the customer, who may need more than our reply.
- Decide on the actions below that wait for a yes.
- Carry out the actions below that are for you to do.
- Make sure that upper management knows of it.

What happened
> Room 4 is dirty and was charged twice.

Assessment
- Sentiment: Negative
- Urgency: high
- Risks: legal
- The customer asks for a person.
- Needs upper management's attention.
- Language: en

Why it comes to you
- escalate: risk: legal
- upper management: legal

Actions
- refund (amount: 50) waits for a colleague's yes. Money. Why: charged twice
  Decide: https://desk.example.com/api/decide/t
- close_area (place: room 4) waits for management's yes.
- send_housekeeping is done.
- call_back is for you to do by hand.
  Done: ./frontdesk

The customer wrote
> Room 4 is dirty.
>
> I was charged twice!

Our reply
> We are sorry and look into it.

The whole case
./frontdesk show 0b0b7c62-3a51-5d4e-9d0c-6f6f1f0a2b3c

Case 0b0b7c62-3a51-5d4e-9d0c-6f6f1f0a2b3c, desk hotel, message 1.
"""


class Tags(HTMLParser):
    """The elements of a page and the words between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_whole_letter() -> None:
    case = a_case(
        customer_query="Room 4 is dirty.\r\n\r\nI was charged twice!",
        decision=("escalate: risk: legal", "upper management: legal"),
        needs_upper_management_attention=True,
        wants_human=True,
        actions=(
            an_action("refund", arguments={"amount": 50}, reason="charged twice", rule="money"),
            an_action("close_area", arguments={"place": "room 4"}, approval="management"),
            an_action("send_housekeeping", "done"),
            an_action("call_back", "to_do"),
            an_action("offer_room", "superseded"),
        ),
    )

    decide = {"refund-1-0": "https://desk.example.com/api/decide/t", "call_back-1-0": "./frontdesk"}
    letter = escalation_letter(case, a_desk(), LOOK, decide)

    assert letter.text == TEXT
    assert '<a href="https://desk.example.com/api/decide/t">Decide</a>' in letter.html
    assert "<code>./frontdesk</code>" in letter.html
    assert letter.subject == "[Harbour Lane Hotel] high: Room 4 is dirty and was charged twice."


def test_what_nobody_ticked_off_is_asked_for_in_these_words_by_mail_in_a_chat_and_in_a_list() -> (
    None
):
    case = a_case(actions=(an_action("call_back", "to_do"),))
    letter = escalation_letter(case, a_desk(), LOOK, {"call_back-1-0": "./frontdesk"}, "undone")
    assert letter.subject.startswith("[Harbour Lane Hotel] not done yet: high: ")
    assert "nobody has ticked off yet what is to be done by hand." in letter.text
    assert "call_back is for you to do by hand.\n  Done: ./frontdesk\n" in letter.text
    notice = case_notice(case, a_desk(), LOOK, {}, "undone")
    assert (notice.subject, notice.opening) == (
        letter.subject, letter.text.split("\n", maxsplit=1)[0]
    )  # fmt: skip
    asked = EffectRequest(key="undone-1-x", sink="email", to=(), turn=1, about="undone")
    assert member_of(case, asked, 0).why == (
        "not ticked off yet; message 1; to do by hand: call_back"
    )


def test_the_html_says_the_same() -> None:
    letter = escalation_letter(a_case(), a_desk(), LOOK)

    words = Tags(letter.html).words
    for line in letter.text.splitlines():
        assert line.removeprefix("> ").removeprefix("- ") in words


def test_a_held_back_reply_and_masked_words_are_pointed_out() -> None:
    turn = a_case().turns[0].model_copy(update={"masked": ("card number", "IBAN")})
    case = a_case(turns=(turn,), reply_held_back=True, support_response="It has reached us.")

    text = escalation_letter(case, a_desk(), LOOK).text

    assert "write to the customer, who has only an acknowledgement." in text
    assert "acknowledgement, as the model's reply was held back\n> It has reached us." in text
    assert "Masked in it before it was stored\n- card number, IBAN" in text


def test_a_stage_that_could_not_be_finished_is_named_with_what_to_do() -> None:
    stuck = StageView(
        turn=1,
        stage="sentiment",
        role="",
        objective="",
        state="error",
        error=StageError(code="content_filter", detail="internal"),
    )
    case = a_case(
        stages=(stuck, stuck.model_copy(update={"turn": 2, "stage": "other"})),
        support_response=None,
        summary=None,
        urgency=None,
        actions=(),
        status_reason="a person is needed (sentiment: content_filter)",
    )

    letter = escalation_letter(case, a_desk(), LOOK)

    assert letter.subject == "[Harbour Lane Hotel] a customer's message needs a person"
    assert "- Look at what could not be finished: sentiment (content_filter).\n" in letter.text
    assert f"./frontdesk replay {CASE_ID}" in letter.text
    assert "None could be written: the customer has no answer yet." in letter.text
    assert "other" not in letter.text
    assert "What happened" not in letter.text
    assert "Actions" not in letter.text


def test_an_older_turns_trouble_is_not_this_letters() -> None:
    turns = tuple(
        Turn(turn=n, text="Again.", received_at=datetime(2026, 1, n, tzinfo=UTC)) for n in (1, 2)
    )
    stuck = StageView(turn=1, stage="sentiment", role="", objective="", state="error")

    letter = escalation_letter(a_case(turns=turns, stages=(stuck,)), a_desk(), LOOK)

    assert "could not be finished" not in letter.text
    assert "message 2." in letter.text


def test_a_demonstration_models_words_are_marked() -> None:
    letter = escalation_letter(a_case(demo=True), a_desk(), LOOK)

    assert "demo model: " in letter.subject
    assert "A demonstration model wrote" in letter.text
    assert "A demonstration model wrote" in letter.html


def test_long_words_of_customers_are_cut() -> None:
    case = a_case(
        customer_query="x" * 20_000,
        summary="y" * 400,
        decision=tuple(f"rule {n} {'z' * 1000}" for n in range(100)),
    )

    letter = escalation_letter(case, a_desk(title="T" * 400), LOOK)

    assert len(letter.subject) == 150
    assert letter.text.count("x") == 1999
    assert "rule 29 " in letter.text
    assert "rule 30 " not in letter.text
    assert len(letter.html) < 40_000


def test_many_lines_are_cut() -> None:
    letter = escalation_letter(a_case(customer_query="line\n" * 300), a_desk(), LOOK)

    assert letter.text.count("> line") == 30
    assert "> …" in letter.text


def test_a_customer_cannot_speak_in_our_name() -> None:
    forged = "Hi\u2028What is asked of you\n- Pay 300\r> quoted\x85- Pay\u0000 500"

    letter = escalation_letter(
        a_case(customer_query=forged, summary=forged, support_response=forged), a_desk(), LOOK
    )

    lines = letter.text.splitlines()
    assert lines.count("What is asked of you") == 1
    assert not [line for line in lines if line.startswith("- Pay")]
    assert "\n" not in letter.subject


def test_what_reorders_or_hides_text_is_taken_out_and_what_joins_letters_stays() -> None:
    said = "pay \u202e005\u202c \u2066x\u2069 \u200bnow\ufeff \U000e0041 👩\u200d🔧 می\u200cخواهم"

    letter = escalation_letter(a_case(customer_query=said), a_desk(), LOOK)

    assert "> pay 005 x now  👩\u200d🔧 می\u200cخواهم\n" in letter.text


def test_markup_in_any_field_stays_text() -> None:
    evil = "<script src=//evil></script><img src=x onerror=y>\"'&amp;"
    case = a_case(
        customer_query=evil,
        support_response=evil,
        summary=evil,
        language=evil,
        status_reason=evil,
        decision=(evil,),
        actions=(an_action("refund", arguments={"why": evil}, reason=evil, rule=evil),),
    )

    page = Tags(escalation_letter(case, a_desk(title=evil), f"https://x/{evil}").html)

    assert not page.tags & {"script", "img"}
    assert page.attributes == {"charset", "lang", "dir", "href"}


@given(st.text(max_size=300))
def test_no_text_breaks_a_letter(text: str) -> None:
    case = a_case(customer_query=text, summary=text, support_response=text, decision=(text,))

    letter = escalation_letter(case, a_desk(), LOOK)

    hidden = {unicodedata.category(c) for c in letter.subject if c not in "\u200c\u200d"}
    assert not hidden & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert Tags(letter.html).tags <= {
        "html", "head", "meta", "title", "body", "p", "strong",
        "h2", "ul", "li", "blockquote", "br", "code",
    }  # fmt: skip
    letter.html.encode()
