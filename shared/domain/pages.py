"""The pages behind the links in mails: HTML that loads nothing and runs nothing. Pure.

Customers and models wrote most of what is shown, so all of it is cut, made visible and escaped.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape

from shared.domain.case import ActionView, SupportCase
from shared.domain.desk import Desk
from shared.domain.letter_text import visible
from shared.domain.letters import STATES

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 40rem; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; line-height: 1.25; } h2 { font-size: 1.05rem; margin-top: 1.5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; }
dt { font-weight: 600; } dd { margin: 0; }
blockquote { margin: 0; padding-left: .75rem; border-left: .25rem solid; white-space: pre-wrap; }
label { display: block; font-weight: 600; margin-top: 1rem; }
input { box-sizing: border-box; width: 100%; font: inherit; padding: .6rem; }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.25rem; }
button { flex: 1 1 9rem; min-height: 3rem; font: inherit; font-weight: 600; cursor: pointer; }
.wrong { font-weight: 600; border: 2px solid; padding: .6rem; }
""".strip()
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_QUOTE_CHARS = 1500
_LINE_CHARS = 400
_TICK_OFF = " When it is done, open the link again and say so."

#: Goes with every page. The address is a key: no other site may be told of it.
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}


def decision_page(case: SupportCase, desk: Desk, action: ActionView, wrong: str = "") -> str:
    """What is to be decided, and the form that decides it. Showing it changes nothing.

    Args:
        wrong: What was wrong with the form that was sent before; empty at first.
    """
    known = desk.action(action.name)
    by_hand = action.state != "waiting"
    asked = "Is it done?" if by_hand else "Shall this be carried out?"
    parts = [
        f"<p>{_line(desk.title)}</p>",
        f"<h1>{asked}</h1>",
        f'<p class="wrong" role="alert">{_line(wrong)}</p>' if wrong else "",
        f"<p>{_line(known.description)}</p>" if known else "",
        _facts(
            ("Action", action.name),
            *((name, str(value)) for name, value in action.arguments.items()),
            ("Why", action.reason),
            ("Rule", action.rule),
            ("So far", f"It {STATES[action.state]}." if by_hand else ""),
        ),
        _quoted("What happened", case.summary),
        _quoted("The customer wrote", _query(case, action.turn)),
        _form(by_hand=by_hand),
        f"<p>Case {_line(case.case_id)}, message {action.turn}.</p>",
    ]
    return _page(asked, parts)


def decided_page(desk: Desk, action: ActionView, outcome: str) -> str:
    """What was decided, by whoever was first.

    Args:
        outcome: ``approved``, ``rejected`` or ``done``.
    """
    parts = [
        f"<p>{_line(desk.title)}</p>",
        f"<h1>{escape(outcome.capitalize())}: {_line(action.name)}</h1>",
        f"<p>It {STATES[action.state]}.{_TICK_OFF if action.state == 'to_do' else ''}</p>",
        "<p>The case's trace has who decided, when and why.</p>",
    ]
    return _page(outcome.capitalize(), parts)


def trouble_page(title: str, detail: str) -> str:
    """Why nothing was done, and what to do instead."""
    return _page(title, [f"<h1>{_line(title)}</h1>", f"<p>{_line(detail)}</p>"])


def _query(case: SupportCase, turn: int) -> str:
    return next((t.text for t in case.turns if t.turn == turn), "")


def _facts(*facts: tuple[str, str]) -> str:
    said = "".join(f"<dt>{_line(name)}</dt><dd>{_line(text)}</dd>" for name, text in facts if text)
    return f"<dl>{said}</dl>"


def _quoted(heading: str, text: str | None) -> str:
    if not text:
        return ""
    shown = visible(text, _QUOTE_CHARS)
    return f'<h2>{heading}</h2><blockquote dir="auto">{escape(shown)}</blockquote>'


def _form(*, by_hand: bool) -> str:
    choices = [("done", "Yes, done")] if by_hand else [("approve", "Approve"), ("reject", "Reject")]
    buttons = "".join(
        f'<button name="decision" value="{value}">{label}</button>' for value, label in choices
    )
    # The first button is what the enter key in a field presses: one that does nothing.
    return (
        '<form method="post"><button disabled hidden></button>'
        '<label for="by">Your name</label>'
        '<input id="by" name="by" required maxlength="80" autocomplete="name">'
        '<label for="reason">Reason (optional)</label>'
        '<input id="reason" name="reason" maxlength="400">'
        f'<div class="buttons">{buttons}</div></form>'
    )


def _line(text: str) -> str:
    return escape(" ".join(visible(text, _LINE_CHARS).split()))


def _page(title: str, parts: list[str]) -> str:
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )
