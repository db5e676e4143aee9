"""What becomes of a reply: sent as written, or held back for the desk's own acknowledgement.

The guard says what is wrong; here is what follows from it. docs/guard.md tells it to people.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from shared.domain import policy
from shared.domain.acknowledgements import acknowledgements, safe_acknowledgement
from shared.domain.case import SupportCase
from shared.domain.desk import Desk
from shared.domain.guard import Violation, check_reply
from shared.domain.guard_manner import questions
from shared.domain.guard_words import joined
from shared.domain.language import read_language
from shared.domain.plain_text import fold_text
from shared.domain.stage import StageResult, Writes

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?")
#: Characters of what the customer wrote that count, over all turns: reading them takes time.
_SAID_CHARS = 32_000
#: Letters from which on a text in no language that we read counts as a request.
_READABLE_LETTERS = 12
# What customers write who want something, where no question mark says so. Words that ask count only
# where a sentence begins: "we will come back" is no Italian question.
_WANTS = re.compile(
    joined(r"""(?:(?:^|[.!,;:\n])\ ?(?:and |but )?(?:
        how|what|when|where|which|why|who|wie|wann|wo|warum|welche\w*|comment|quand|pourquoi|quel\w*
        |como|cuando|donde|por que|cual\w*|come|quando|dove|perche|hoe|wanneer|waar|waarom|onde
        )|\b(?:
        (?:i|we) (?:\w+ )?(?:need|want|wish|require|wonder)|(?:i'd|we'd|would) like|please
        |tell me|help me|looking for
        |bitte|(?:ich|wir) (?:brauche|mochte|will|hatte gern|benotig)\w*
        |s'il vous plait|svp|(?:je|nous) (?:voudr|souhait|veu|voul|aimer)\w*|besoin
        |por favor|necesit\w*|quier\w*|quisiera\w*
        |per favore|vorre\w*|voglio|bisogno
        |alstublieft|graag|(?:ik|wij) (?:wil|zoek)\w*|nodig
        |gostaria\w*|quero|preciso
        ))\b""")
)


def violations(case: SupportCase, desk: Desk, reply: str) -> tuple[Violation, ...]:
    """What keeps a reply to this case from being sent; nothing for what the desk itself wrote."""
    if reply in acknowledgements(desk).values():
        return ()
    here = desk.model_copy(update={"scene": case.support_context})
    # The latest first: its language is the customer's, and it counts if there is too much to read.
    said = "\n".join(turn.text for turn in reversed(case.turns))[:_SAID_CHARS]
    return check_reply(reply, desk=here, message=said)


def sent(case: SupportCase, reply: str, language: str) -> StageResult:
    """The reply as the model wrote it."""
    said = Writes(support_response=reply.strip(), language=_language(language))
    return StageResult(writes=said, effects=policy.replies(case))


def held_back(
    case: SupportCase, desk: Desk, language: str, objections: Sequence[str]
) -> StageResult:
    """The desk's acknowledgement instead. Who asked for something goes to a person.

    It is no answer: a customer who wanted one has none yet, and nobody else would notice.
    """
    known = read_language(case.customer_query).code or _language(language)
    decision = [f"reply held back, the desk's acknowledgement was sent: {o}" for o in objections]
    asks = asks_for_something(case.customer_query)
    if asks:
        decision.append("escalate: the customer asks for something and has only an acknowledgement")
    return StageResult(
        writes=Writes(
            support_response=safe_acknowledgement(desk, known),
            reply_held_back=True,
            language=known,
            should_escalate=True if asks else None,
            decision=tuple(decision),
        ),
        effects=policy.replies(case),
    )


def asks_for_something(message: str) -> bool:
    """Whether a message wants an answer. Doubt counts as yes: what cannot be read is a request."""
    reading = read_language(message)
    unread = reading.code is None and reading.letters >= _READABLE_LETTERS
    return unread or any(questions(message)) or bool(_WANTS.search(fold_text(message)))


def _language(written: str) -> str | None:
    found = _LANGUAGE.fullmatch(written.strip())
    return found[0] if found else None
